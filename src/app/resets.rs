//! New passwords by a link that is mailed: asked for by a person who forgot one, or sent by an
//! administrator.

use zeroize::Zeroizing;

use crate::app::door::Client;
use crate::app::links::DEAD_RESET;
use crate::app::mail::{Letter, LetterKind, Limit, Link, Passage, Who};
use crate::app::vault::random;
use crate::app::work::{Loaded, Work};
use crate::app::{App, Ctx, Error};
use crate::domain::invitation::{self, Invitation};
use crate::domain::scope::Scope;
use crate::domain::{email, record, reset, token};
use crate::ids::TokenId;
use crate::scim::{self, fold};
use crate::store::tickets::{self, Ticket};
use crate::store::{Tx, passwords, records};

/// What a link for a new password is for.
pub(super) const RESET: &str = "reset";
/// People whose wish for a new password is looked at beside the answers, at most.
pub(super) const ASKING: usize = 32;
/// Seconds after which to come again when there are more.
const LATER: u32 = 5;
const MINUTE: i64 = 60;
/// Links that are mailed to one person in a day because somebody typed the name.
const MOST_A_DAY: i64 = 5;
/// The same for all people of a tenant in an hour.
const MOST_AN_HOUR: i64 = 100;

/// Who wishes for a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// Anybody who knows a name: nobody is told what came of it.
    Form,
    /// An administrator, whom those who type names into forms must not hinder.
    Administrator,
}

impl App {
    /// Mails the user of this id a link to set a new password with; the one before is dead.
    ///
    /// Refused is somebody whom a new password would not let in, somebody without an address, and whoever
    /// was mailed a moment ago. Whoever holds no `roles:assign` sends none to an administrator.
    pub async fn send_reset(&self, ctx: &Ctx, user: &str) -> Result<(), Error> {
        ctx.require(Scope::SessionsRevoke)?;
        let work = Work::new(self, ctx, self.users()?);
        let (at, id) = (work.clone(), user.to_owned());
        let sent = async move |tx: &mut Tx<'_>| {
            let user = at.find(tx, &id).await?;
            at.send_reset(tx, &user, By::Administrator).await
        };
        match self.store().write(&ctx.tenant, sent).await {
            Ok(()) => Ok(()),
            Err(error) => Err(work.note_denied(error, Some(user)).await),
        }
    }

    /// Somebody forgot the password of this name, e-mail or login phone, and is mailed a link, if there is
    /// such a person and one may be mailed. It returns before anybody has looked, so that neither the
    /// answer nor its time tells what came of it; [`Error::Busy`] where too many ask at once, and
    /// [`Error::TooMany`] where many ask from one network.
    pub fn ask_for_reset(&self, tenant: &str, name: &str, client: &Client) -> Result<(), Error> {
        self.door().ask(client, self.clock().now())?;
        let room = self.asking().clone().try_acquire_owned().map_err(|_| Error::Busy(LATER))?;
        let (app, tenant, name) = (self.clone(), tenant.to_owned(), name.to_owned());
        self.worker().start_whole(async move {
            match app.mail_reset(&tenant, &name).await {
                // What they say is for administrators: nobody asked here.
                Ok(()) | Err(Error::TooOften(_) | Error::Scim(_) | Error::NotFound { .. }) => {}
                Err(error) => error.log(),
            }
            drop(room);
        });
        Ok(())
    }

    /// Whether somebody's wish for a link is still looked at.
    pub fn is_asked(&self) -> bool {
        self.asking().available_permits() < ASKING
    }

    async fn mail_reset(&self, tenant: &str, name: &str) -> Result<(), Error> {
        let ctx = self.operator(tenant).await?;
        let ctx = Ctx { token: TokenId::from("person"), ..ctx };
        let Some(found) = self.named_so(&ctx, name.trim()).await? else { return Ok(()) };
        let (work, id) = (Work::new(self, &ctx, self.users()?), found.stored.id);
        let sent = async move |tx: &mut Tx<'_>| {
            let Some(user) = work.seek(tx, &id).await? else { return Ok(()) };
            // Who never had a password comes in by other means, and gets none by a form.
            let has_one = passwords::find(tx, &work.tenant, &id).await?.is_some();
            if !has_one || !reset::may_ask(&user.doc) {
                return Ok(());
            }
            work.send_reset(tx, &user, By::Form).await
        };
        self.store().write(&ctx.tenant, sent).await
    }

    /// Sets a new password by a link; all sessions end. Of several who try at once one wins; it is 410 for
    /// the others, and a weak password uses nothing up.
    pub async fn reset_password(&self, secret: &str, new: Zeroizing<String>) -> Result<(), Error> {
        let (ticket, ctx) = self.good_ticket(secret, (RESET, DEAD_RESET)).await?;
        let phc = self.hash_for(&ctx, (&ticket.resource, DEAD_RESET), &new).await?;
        let work = Work::new(self, &ctx, self.users()?);
        let set = async move |tx: &mut Tx<'_>| work.reset(tx, &ticket, phc.clone()).await;
        self.store().write(&ctx.tenant, set).await
    }
}

impl Work {
    /// Writes a link and its letter.
    async fn send_reset(&self, tx: &mut Tx<'_>, user: &Loaded, by: By) -> Result<(), Error> {
        let (id, doc) = (user.stored.id.as_str(), &user.doc);
        let wrong = |text: &str| Error::from(scim::Error::InvalidValue(text.to_owned()));
        self.guard_login(&self.ctx.catalogue, doc)?;
        let hours = reset::hours(&self.ctx.rules, doc, self.now).map_err(wrong)?;
        let to = email::of(doc)
            .ok_or_else(|| wrong("The user has no e-mail address that the link could go to."))?;
        self.check_reset(tx, id, by).await?;
        let secret = token::text(RESET, random::<32>()?);
        let ticket = Ticket {
            hash: token::hash(&secret),
            tenant: self.tenant.clone(),
            resource: id.to_owned(),
            purpose: RESET.to_owned(),
            expires: self.now.plus_seconds(hours * 3_600),
            ended: None,
        };
        tickets::put(tx, &ticket).await?;
        self.app.cancel_letters(tx, &self.tenant, id, Some(LetterKind::Reset)).await?;
        let letter = Letter {
            name: invitation::name(doc),
            locale: invitation::locale(doc),
            link: Some(Link { path: RESET, token: &secret, hours }),
            passage: match by {
                By::Administrator => Passage::Always,
                By::Form => Passage::UnlessCameBack,
            },
            ..Letter::new(LetterKind::Reset, id, to)
        };
        self.app.post(tx, &self.tenant, &letter).await?;
        let change = self.change(&[record::plain("password.reset_sent")], id, None);
        Ok(records::write(tx, &self.tenant, change.as_slice()).await?)
    }

    /// Refuses a link that comes too soon after the one before, and one too many. Administrators may send
    /// as many again as forms do.
    async fn check_reset(&self, tx: &mut Tx<'_>, user: &str, by: By) -> Result<(), Error> {
        let times = if by == By::Administrator { 2 } else { 1 };
        let limits = [
            (Who::Person, 1, MINUTE),
            (Who::Person, MOST_A_DAY * times, 24 * 60 * MINUTE),
            (Who::Tenant, MOST_AN_HOUR * times, 60 * MINUTE),
        ]
        .map(|(who, most, seconds)| Limit { who, asked: false, most, seconds });
        self.app.check_letters(tx, &self.tenant, (user, LetterKind::Reset), &limits).await
    }

    /// Sets the password of the user of a link, if it is still good; who never could sign in can now.
    async fn reset(&self, tx: &mut Tx<'_>, ticket: &Ticket, phc: String) -> Result<(), Error> {
        // The time that counts is that of the transaction: hashing may have taken a while.
        let mut work = self.clone();
        work.now = self.app.clock().now();
        let gone = || Error::Gone(DEAD_RESET);
        let id = &ticket.resource;
        let current = tickets::find(tx, &ticket.hash).await?;
        let is_good = |ticket: &Ticket| ticket.ended.is_none() && work.now < ticket.expires;
        let user = self.seek(tx, id).await?.filter(|_| current.as_ref().is_some_and(is_good));
        let user = user.ok_or_else(gone)?;
        let may = reset::hours(&self.ctx.rules, &user.doc, work.now).is_ok();
        if !may || !work.went_to(tx, &user).await? {
            return Err(gone());
        }
        tickets::end(tx, (&self.tenant, id, RESET), "used").await?;
        if reset::is_first(&user.doc) {
            let accepted = Invitation::of(&user.doc).accepted_at(work.now);
            work.befall(tx, &user, &accepted).await?;
        }
        work.put_hash(tx, id, phc).await
    }

    /// Whether the link went to the address that the user has now: whoever reads the mail of an address
    /// that was taken away must not get in.
    pub(super) async fn went_to(&self, tx: &mut Tx<'_>, user: &Loaded) -> Result<bool, Error> {
        let id = user.stored.id.as_str();
        let last = self.app.last_letters(tx, &self.tenant, &[id], LetterKind::Reset).await?;
        let to = last.first().map(|mail| fold::folded(&mail.address));
        Ok(to.is_some() && to == email::of(&user.doc).map(fold::folded))
    }
}
