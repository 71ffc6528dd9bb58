//! Letters to people: written by the transaction of the change that they tell of, sent after its commit.
//!
//! A use-case calls [`App::post`] inside its transaction. The row is there if and only if the change is;
//! whoever runs the mail (`mail/post.rs`) finds it there, on any instance. The secret of a link stands in
//! the row sealed, and only for as long as the letter waits.

mod administrators;
mod brand;
mod message;
mod office;
mod post;
mod reports;
mod smtp;
mod templates;
mod transport;

use lettre::Address;
use serde::{Deserialize, Serialize};

use crate::app::{App, Error};
pub use crate::domain::letter::LetterKind;
use crate::ids::{ResourceId, TenantId};
use crate::scim::fold;
use crate::settings::{MailUrl, Settings};
pub use crate::store::outbox::{Mail, Passage, Tally, Wanted};
use crate::store::{Tx, outbox, templates as rows};

pub use brand::BrandChange;
pub(super) use brand::read as read_brand;
pub(super) use office::Office;
pub use reports::Report;

/// What the secrets of links are sealed for.
const SEALED_FOR: &str = "the link of a letter";
/// A letter that could not be sent for so long is given up.
const MOST_DAYS: i64 = 5;

/// A letter to be written. [`Letter::new`] makes one; the rest is set with `..`.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'l> {
    /// What it is for.
    pub kind: LetterKind,
    /// The `id` of the user that it is for, or about.
    pub user: &'l str,
    /// The address that it goes to.
    pub to: &'l str,
    /// The display name of who gets it; empty where nobody knows it.
    pub name: &'l str,
    /// The language of who gets it (BCP 47), from `preferredLanguage` or `locale`.
    pub locale: Option<&'l str>,
    /// The name of a template of the tenant; one that is gone counts as none.
    pub template: Option<&'l str>,
    /// The display name of who invites.
    pub inviter: Option<&'l str>,
    /// What the button leads to.
    pub link: Option<Link<'l>>,
    /// A list that it shows, one line each.
    pub lines: &'l [String],
    /// Whether it goes.
    pub passage: Passage,
}

/// What the button of a letter leads to: `<public-url>/<path>/<token>`.
#[derive(Clone, Copy)]
pub struct Link<'l> {
    /// Such as `activate` or `reset`.
    pub path: &'l str,
    /// The secret.
    pub token: &'l str,
    /// How many hours it is good for, from now on. A letter that has not gone until then is given up.
    pub hours: i64,
}

impl std::fmt::Debug for Link<'_> {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("path", &self.path).finish_non_exhaustive()
    }
}

impl<'l> Letter<'l> {
    /// A letter of this kind, for or about this user, to this address.
    pub fn new(kind: LetterKind, user: &'l str, to: &'l str) -> Self {
        Self {
            kind,
            user,
            to,
            name: "",
            locale: None,
            template: None,
            inviter: None,
            link: None,
            lines: &[],
            passage: Passage::UnlessCameBack,
        }
    }
}

/// Whose letters a [`Limit`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Those to one person: the mail box is a person's.
    Person,
    /// Those to everybody in the tenant.
    Tenant,
}

/// So many letters within so many seconds, and no more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    /// Whose.
    pub(super) who: Who,
    /// Whether only those count that somebody asked for by themselves.
    pub(super) asked: bool,
    /// How many.
    pub(super) most: i64,
    /// Within how many seconds.
    pub(super) seconds: i64,
}

/// What stands in a letter that waits, but for the secret.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Words {
    name: String,
    locale: Option<String>,
    template: Option<String>,
    inviter: Option<String>,
    /// The path and the hours.
    link: Option<(String, i64)>,
    lines: Vec<String>,
}

impl App {
    /// Writes a letter in the transaction of the change that it tells of, which has the tenant's turn
    /// ([`crate::store::Store::write`]); it goes once that is committed. Gives the id of the letter.
    ///
    /// Where it is held back ([`Passage`]) it is kept as `suppressed` and does not go. An address that is
    /// none is no error here: the letter fails.
    pub async fn post(
        &self,
        tx: &mut Tx<'_>,
        tenant: &TenantId,
        letter: &Letter<'_>,
    ) -> Result<String, Error> {
        let now = self.clock().now();
        let id = ResourceId::new(now).to_string();
        let words = Words {
            name: letter.name.to_owned(),
            locale: letter.locale.map(str::to_owned),
            template: letter.template.map(str::to_owned),
            inviter: letter.inviter.map(str::to_owned),
            link: letter.link.map(|link| (link.path.to_owned(), link.hours)),
            lines: letter.lines.to_vec(),
        };
        let text =
            serde_json::to_string(&words).map_err(|error| Error::Internal(error.to_string()))?;
        let sealed = letter.link.map(|link| self.keys()?.seal(SEALED_FOR, link.token.as_bytes()));
        let most = MOST_DAYS * 24;
        let hours = letter.link.map_or(most, |link| link.hours.min(most));
        let new = outbox::New {
            resource: letter.user.to_owned(),
            kind: letter.kind.name(),
            address: letter.to.to_owned(),
            mailbox: fold::folded(letter.to),
            message_id: format!("<{id}@{}>", self.settings().mail_domain()),
            letter: text,
            sealed: sealed.transpose()?,
            now,
            ends: now.plus_seconds(hours * 3_600),
            id,
        };
        outbox::insert(tx, tenant, &new, letter.passage).await?;
        // Not committed yet: the office looks again and again for a while.
        self.office().wake();
        Ok(new.id)
    }

    /// Gives up the letters of a user that have not gone and must not go any more: of one kind, since
    /// its link is dead, or all of them, since the user is deleted. They are `stale` from then on.
    pub async fn cancel_letters(
        &self,
        tx: &mut Tx<'_>,
        tenant: &TenantId,
        user: &str,
        kind: Option<LetterKind>,
    ) -> Result<u64, Error> {
        let now = self.clock().now();
        Ok(outbox::cancel(tx, tenant, user, kind.map(LetterKind::name), now).await?)
    }

    /// What became of the last letter of this kind of each of these users, by [`Mail::resource`], in one
    /// statement; who has had none is left out.
    pub async fn last_letters(
        &self,
        tx: &mut Tx<'_>,
        tenant: &TenantId,
        users: &[&str],
        kind: LetterKind,
    ) -> Result<Vec<Mail>, Error> {
        Ok(outbox::last_of_each(tx, tenant, users, kind.name()).await?)
    }

    /// Refuses with [`Error::TooOften`] one more letter of this kind for this user than these limits allow.
    pub(super) async fn check_letters(
        &self,
        tx: &mut Tx<'_>,
        tenant: &TenantId,
        (user, kind): (&str, LetterKind),
        limits: &[Limit],
    ) -> Result<(), Error> {
        let now = self.clock().now();
        for limit in limits {
            let who = (limit.who == Who::Person).then_some(user);
            let asked = (&[kind][..], limit.seconds);
            let tally = self.count_letters(tx, tenant, who, asked).await?;
            let (count, oldest) = if limit.asked {
                (tally.asked, tally.oldest_asked)
            } else {
                (tally.count, tally.oldest)
            };
            if count >= limit.most {
                let age = oldest.map_or(0, |at| (now.0 - at.0) / 1_000_000);
                let wait = u32::try_from((limit.seconds - age).max(1)).unwrap_or(u32::MAX);
                return Err(Error::TooOften(wait));
            }
        }
        Ok(())
    }

    /// How many letters of these kinds were written within so many seconds, for this user or for all of
    /// the tenant together; those that were suppressed do not count.
    pub async fn count_letters(
        &self,
        tx: &mut Tx<'_>,
        tenant: &TenantId,
        user: Option<&str>,
        (kinds, seconds): (&[LetterKind], i64),
    ) -> Result<Tally, Error> {
        let since = self.clock().now().plus_seconds(-seconds);
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        Ok(match user {
            Some(user) => outbox::tally_of_user(tx, tenant, user, &kinds, since).await?,
            None => outbox::tally_of_tenant(tx, tenant, &kinds, since).await?,
        })
    }

    /// Whether the tenant has a template of this name, in whatever language.
    pub async fn template_exists(
        &self,
        tx: &mut Tx<'_>,
        tenant: &TenantId,
        name: &str,
    ) -> Result<bool, Error> {
        Ok(rows::is_there(tx, tenant, name).await?)
    }
}

/// Whether mail can leave as the settings say: a mail server answers and takes who signs in, a directory
/// is none or can be written. Nothing is sent. Gives a line for the operator; the error is one, too.
pub async fn look(settings: &Settings) -> Result<String, String> {
    match settings.mail()? {
        MailUrl::Smtp(smtp) => smtp::look(&smtp, &settings.mail_domain()).await,
        MailUrl::File(directory) => transport::look(&directory).await,
    }
}

/// An address that mail can be sent to; none where it is no address.
fn address(text: &str) -> Option<Address> {
    let fine = text.len() <= 254 && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    text.parse().ok().filter(|_| fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_not_sent_to() {
        for fine in ["a@b.example", "O'Neil+x@sub.b.example", "josé@b.example"] {
            assert!(address(fine).is_some(), "{fine}");
        }
        for wrong in [
            "",
            "a",
            "@b",
            "a@",
            "a@b.example\r\nRCPT TO:<c@d.example>",
            "a@b.example\n",
            "a b@c.example",
            "\"a\r\nb\"@c.example",
            "a@b.example>",
            "<a@b.example>",
            "a@b@c.example\0",
        ] {
            assert!(address(wrong).is_none(), "{wrong}");
        }
    }
}
