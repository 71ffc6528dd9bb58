//! What became of letters: read by administrators, reported by whoever reads what came back.

use serde_json::json;

use super::{LetterKind, Mail, Wanted};
use crate::app::{App, Ctx, Error};
use crate::clock::Micros;
use crate::domain::scope::Scope;
use crate::scim;
use crate::scim::path::excerpt;
use crate::store::records::Change;
use crate::store::{Tx, outbox, records};

/// What a mail processor says of a mail.
#[derive(Debug, Clone)]
pub struct Report {
    /// The mail's id or its Message-ID, with or without angle brackets.
    pub mail: String,
    /// `delivered` or `bounced`.
    pub state: String,
    /// Why.
    pub detail: String,
}

/// Longest reason that is kept, in characters.
const LONGEST_DETAIL: usize = 300;

impl App {
    /// What became of mails, in the order in which they were written. Without `users:read` addresses are
    /// masked, and so are sentences that may hold one.
    pub async fn mails(&self, ctx: &Ctx, wanted: Wanted) -> Result<Vec<Mail>, Error> {
        let masks = !ctx.scopes.allow(Scope::UsersRead);
        let tenant = ctx.tenant.clone();
        let list = async move |tx: &mut Tx<'_>| outbox::list(tx, &tenant, &wanted).await;
        let mut mails = self.store().read(list).await?;
        if masks {
            mails.iter_mut().for_each(mask);
        }
        Ok(mails)
    }

    /// Notes that a mail was delivered or came back. The same said again changes nothing.
    pub async fn report_mail(&self, ctx: &Ctx, report: Report) -> Result<Mail, Error> {
        ctx.require(Scope::UsersWrite)?;
        let state = match report.state.as_str() {
            "delivered" => "delivered",
            "bounced" => "bounced",
            other => {
                return Err(scim::Error::InvalidValue(format!(
                    "state is delivered or bounced, not '{}'.",
                    excerpt(other)
                ))
                .into());
            }
        };
        let clean = report.detail.chars().map(|c| if c.is_control() { ' ' } else { c });
        let detail: String = clean.take(LONGEST_DETAIL).collect();
        let id = id_of(&report.mail).to_owned();
        let (app, by, tenant) = (self.clone(), ctx.clone(), ctx.tenant.clone());
        let write = async move |tx: &mut Tx<'_>| {
            let found = outbox::find(tx, &tenant, &id).await?;
            let mail = found.ok_or_else(|| unknown(&id))?;
            if mail.state == state {
                return Ok(mail);
            }
            if mail.state == "suppressed" {
                return Err(Error::InUse(format!("Mail '{}' was never sent.", mail.id)));
            }
            let now = app.clock().now();
            outbox::report(tx, &tenant, mail.seq, (state, &detail), now).await?;
            if let Some(told) = told(&mail.kind, state, (&mail.resource, &mail.id), now) {
                let request = by.request.to_string();
                let told = Change { request, token: by.token.to_string(), ..told };
                records::write(tx, &tenant, &[told]).await?;
            }
            outbox::find(tx, &tenant, &id).await?.ok_or_else(|| unknown(&id))
        };
        let mut mail = self.store().write(&ctx.tenant, write).await?;
        if !ctx.scopes.allow(Scope::UsersRead) {
            mask(&mut mail);
        }
        Ok(mail)
    }
}

/// The event of what became of a letter to this user; only invitations have any.
pub(super) fn told(
    kind: &str,
    state: &str,
    (user, mail): (&str, &str),
    at: Micros,
) -> Option<Change> {
    let name = match (LetterKind::named(kind), state) {
        (Some(LetterKind::Invitation), "bounced") => "invitation.bounced",
        (Some(LetterKind::Invitation), "delivered") => "invitation.delivered",
        (_, _) => return None,
    };
    Some(Change {
        at,
        kind: "User".to_owned(),
        resource: user.to_owned(),
        version: None,
        request: String::new(),
        token: "mail".to_owned(),
        entries: vec![(name, json!({ "mail": mail }).to_string())],
    })
}

/// The id in a Message-ID, or what is an id already.
fn id_of(mail: &str) -> &str {
    let bare = mail.trim().trim_start_matches('<').trim_end_matches('>');
    bare.split('@').next().unwrap_or(bare)
}

fn unknown(id: &str) -> Error {
    Error::NotFound { kind: "Mail".to_owned(), id: excerpt(id) }
}

/// `i…@northwind.example`
fn mask(mail: &mut Mail) {
    let first = mail.address.chars().next();
    let domain = mail.address.rsplit_once('@').map_or("…", |(_, domain)| domain);
    mail.address = format!("{}…@{domain}", first.map(String::from).unwrap_or_default());
    if mail.detail.contains('@') {
        let kept = mail.detail.split(':').next().unwrap_or_default();
        mail.detail = if kept.contains('@') { String::new() } else { format!("{kept}: …") };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_known_by_its_id_and_by_its_message_id() {
        for text in ["1-2", "<1-2@usher.example>", "1-2@usher.example", " <1-2@[192.0.2.1]> "] {
            assert_eq!(id_of(text), "1-2");
        }
    }
}
