//! Invitations: made, sent anew, cancelled, accepted, and ended by time.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use zeroize::Zeroizing;

use crate::app::create::Creation;
use crate::app::links::DEAD;
use crate::app::resources::{Asked, Prefer, Shown};
use crate::app::rules::{ACTIVATE, Was};
use crate::app::view::{Joined, Wish};
use crate::app::work::{Loaded, New, Work};
use crate::app::{App, Ctx, Error, catalogue};
use crate::domain::catalogue::Catalogue;
use crate::domain::facts::{Facts, Lifecycle};
use crate::domain::invitation::{self, Invitation, Mode, Status};
use crate::domain::scope::Scope;
use crate::domain::{account, email};
use crate::ids::{ResourceId, TenantId, TokenId};
use crate::scim::etag::Conditions;
use crate::scim::path::excerpt;
use crate::scim::project::Sent;
use crate::scim::query::Query;
use crate::scim::resource_type::ResourceType;
use crate::scim::{self, Doc, accept, fold, urn};
use crate::store::tickets::{self, Ticket};
use crate::store::{Beside, Tx, tenants};

/// Users whose links are ended at once.
const PIECE: i64 = 500;
/// How long a dead link is known, so that a person can be told what became of it.
const KNOWN_FOR: i64 = 90 * 86_400;

/// An invitation with a link that is shown once.
#[derive(Clone)]
pub struct Linked {
    /// The user's id.
    pub user: String,
    /// The URL.
    pub url: Zeroizing<String>,
}

impl fmt::Debug for Linked {
    /// Never the link: whoever reads it is let in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Linked").field("user", &self.user).finish_non_exhaustive()
    }
}

impl App {
    /// The type of invitations.
    pub(super) fn invitations(&self) -> Result<&Arc<ResourceType>, Error> {
        let found = self.registry().types().iter().find(|kind| kind.schema.id == urn::INVITATION);
        found.ok_or_else(|| Error::Internal("there are no invitations here".to_owned()))
    }

    /// Invites somebody: makes the user and the invitation in one go, or invites anew somebody who did
    /// not come. Whoever is invited or registered already is 409.
    pub(super) async fn invite(
        &self,
        ctx: &Ctx,
        body: Value,
        asked: Asked<'_>,
    ) -> Result<Shown, Error> {
        let stories = Work::new(self, ctx, self.invitations()?);
        let body = stories.soften_body(body);
        let sent = Sent::body(&stories.kind, &body);
        let view = Wish::new(self, ctx, asked.query).of(&stories.kind, sent)?.of_new();
        let wanted = accept::create(&stories.kind, body, stories.rules())?.doc;
        let users = Work::new(self, ctx, self.users()?).coming_by("invite");
        let id = ResourceId::new(users.now).to_string();
        // In Usher's own words: what the tenant hides from its clients counts here all the same.
        let body = invitation::user_of(&wanted)?;
        invitation::check_login(&ctx.rules, body["userName"].as_str().unwrap_or_default())?;
        let (creation, _) = Creation::accept(users.clone(), id, body, false)?;
        let invited = async move |tx: &mut Tx<'_>| {
            let id = creation.work.invite(tx, &creation, &wanted).await?;
            stories.find(tx, &id).await
        };
        match self.store().write(&ctx.tenant, invited).await {
            Ok(loaded) => {
                self.forget_verdicts();
                Ok(view.changed(loaded, Joined::Nothing).await)
            }
            Err(error) => Err(users.note_denied(error, None).await),
        }
    }

    /// The same, as it is shown.
    pub async fn invite_shown(&self, ctx: &Ctx, body: Value) -> Result<Value, Error> {
        ctx.require(Scope::UsersWrite)?;
        let query = Query::default();
        let asked = Asked { query: &query, prefer: Prefer::Unsaid };
        let Some(body) = self.invite(ctx, body, asked).await?.body else { return Ok(Value::Null) };
        let text = body.text().await?;
        serde_json::from_str(&text).map_err(|error| Error::Internal(error.to_string()))
    }

    /// Cancels the invitation of the user of this id.
    pub async fn cancel_invitation_of(&self, ctx: &Ctx, user: &str) -> Result<(), Error> {
        ctx.require(Scope::UsersWrite)?;
        let id = self.invitation_of(ctx, user).await?;
        self.cancel_invitation(ctx, &id, &Conditions::default()).await
    }

    /// The id of the invitation that the user of this id has.
    async fn invitation_of(&self, ctx: &Ctx, user: &str) -> Result<String, Error> {
        let work = Work::new(self, ctx, self.users()?);
        let id = user.to_owned();
        let found = async move |tx: &mut Tx<'_>| work.find(tx, &id).await;
        let invitation = Invitation::of(&self.store().read(found).await?.doc);
        let missing = || Error::NotFound { kind: "Invitation".to_owned(), id: excerpt(user) };
        invitation.id.ok_or_else(missing)
    }

    /// Cancels an invitation: the person is not to come, and the seat is free.
    pub(super) async fn cancel_invitation(
        &self,
        ctx: &Ctx,
        id: &str,
        conditions: &Conditions,
    ) -> Result<(), Error> {
        let stories = Work::new(self, ctx, self.invitations()?);
        let (id, conditions) = (id.to_owned(), conditions.clone());
        let cancelled = async move |tx: &mut Tx<'_>| stories.cancel(tx, &id, &conditions).await;
        self.store().write(&ctx.tenant, cancelled).await
    }

    /// Makes a new link for the user of this id, of an invitation that is pending or over; it is mailed
    /// where the mode says so, and the old one is dead.
    ///
    /// Refused is one that is neither, and a seat that is not to be had for one that is over.
    pub async fn resend_invitation(&self, ctx: &Ctx, user: &str) -> Result<(), Error> {
        self.send_anew(ctx, user, false).await.map(drop)
    }

    /// A new link for the user of this id, shown once to whoever asks: of an invitation of mode `link`.
    pub async fn link_invitation(&self, ctx: &Ctx, user: &str) -> Result<Linked, Error> {
        let secret = self.send_anew(ctx, user, true).await?;
        let secret = secret.ok_or_else(|| Error::Internal("a link without a secret".to_owned()))?;
        let url = Zeroizing::new(format!("{}/{ACTIVATE}/{}", self.origin(), *secret));
        Ok(Linked { user: user.to_owned(), url })
    }

    async fn send_anew(
        &self,
        ctx: &Ctx,
        user: &str,
        shown: bool,
    ) -> Result<Option<Zeroizing<String>>, Error> {
        ctx.require(Scope::UsersWrite)?;
        let work = Work::new(self, ctx, self.users()?);
        let (at, id) = (work.clone(), user.to_owned());
        let sent = async move |tx: &mut Tx<'_>| at.send_anew(tx, &id, shown).await;
        match self.store().write(&ctx.tenant, sent).await {
            Ok(secret) => Ok(secret.map(Zeroizing::new)),
            Err(error) => Err(work.note_denied(error, Some(user)).await),
        }
    }

    /// Accepts an invitation: the person has this password from now on, and may sign in. Of several who
    /// try at once one wins; it is 410 for the others.
    pub async fn activate(&self, secret: &str, new: Zeroizing<String>) -> Result<(), Error> {
        let (ticket, ctx) = self.good_ticket(secret, (ACTIVATE, DEAD)).await?;
        let phc = self.hash_for(&ctx, (&ticket.resource, DEAD), &new).await?;
        // The time that counts is that of the transaction: hashing may have taken a while.
        let work = Work::new(self, &ctx, self.users()?);
        let accepted = async move |tx: &mut Tx<'_>| work.accept(tx, &ticket, &phc).await;
        self.store().write(&ctx.tenant, accepted).await
    }

    /// Ends invitations whose time has passed, in all tenants; how many ended.
    pub async fn expire_invitations(&self) -> Result<usize, Error> {
        let now = self.clock().now();
        let due = self
            .store()
            .read(async move |tx: &mut Tx<'_>| {
                tickets::overdue(tx, None, ACTIVATE, now, PIECE).await
            })
            .await?;
        let mut ended = 0;
        let tenants = if due.is_empty() { Vec::new() } else { self.tenants().await? };
        for (tenant, user) in due {
            let Some(found) = tenants.iter().find(|found| found.id == tenant) else { continue };
            let ctx = self.operator(&found.name).await?;
            let ctx = Ctx { token: TokenId::from("time"), ..ctx };
            let work = Work::new(self, &ctx, self.users()?);
            // One that cannot be ended keeps nobody else's seat.
            match self.expire_one(&tenant, work, user.clone()).await {
                Ok(()) => ended += 1,
                Err(error) => {
                    tracing::warn!(tenant = %found.name, %user, %error, "an invitation is not ended");
                }
            }
        }
        Ok(ended)
    }

    /// Forgets links that ended long ago.
    pub(super) async fn forget_links(&self) -> Result<(), Error> {
        let before = self.clock().now().plus_seconds(-KNOWN_FOR);
        let forget = async move |tx: &mut Tx<'_>| tickets::forget(tx, before, PIECE).await;
        while self.store().write_apart(forget).await? > 0 {}
        Ok(())
    }

    async fn expire_one(&self, tenant: &TenantId, work: Work, user: String) -> Result<(), Error> {
        let ended = async move |tx: &mut Tx<'_>| {
            let opened = work.expire(tx, &user).await?;
            work.seat_waiters(tx, opened).await
        };
        self.store().write(tenant, ended).await
    }
}

impl Work {
    /// Makes the user who is invited, or finds the one who did not come; the id of the invitation.
    async fn invite(
        &self,
        tx: &mut Tx<'_>,
        creation: &Creation,
        wanted: &Doc,
    ) -> Result<String, Error> {
        let email = wanted.get("email").and_then(Value::as_str).unwrap_or_default();
        let known = self.having(tx, "emails.value", &fold::folded(email), 2).await?;
        let doc = match known.first() {
            None => creation.carry_out(tx).await?.doc.clone(),
            Some(user) => self.invite_anew(tx, user, &creation.new.doc).await?,
        };
        let mut catalogue = catalogue::read(tx, &self.tenant).await?;
        if !catalogue.invites {
            catalogue.invites = true;
            tenants::set_catalogue(tx, &self.tenant, &catalogue::text(&catalogue)?).await?;
        }
        let facts = Facts::of(&doc).unwrap_or_default();
        let is_open = facts.invitation.is_pending() || facts.lifecycle == Lifecycle::Waiting;
        let id = facts.invitation.id.filter(|_| is_open);
        Ok(id.ok_or_else(|| {
            scim::Error::InvalidValue(format!(
                "'{}' would have no login: nobody is invited without a seat, or where webLogin is false.",
                excerpt(email)
            ))
        })?)
    }

    /// Invites a user who did not come; with the roles and the seat that are asked for now, if any.
    async fn invite_anew(
        &self,
        tx: &mut Tx<'_>,
        user: &Loaded,
        wanted: &Doc,
    ) -> Result<Doc, Error> {
        let facts = Facts::of(&user.doc).unwrap_or_default();
        let now = self.now;
        let is_over = facts.invitation.is_pending() && facts.invitation.is_over(now);
        let may = matches!(facts.lifecycle, Lifecycle::Expired | Lifecycle::Cancelled) || is_over;
        // The link must go to the address that is invited, not to another one of that user: others may
        // have written it, and whoever has the link gets the roles that are given now.
        let invited = email::of(wanted).unwrap_or_default();
        let goes_there = email::of(&user.doc).map(fold::folded) == Some(fold::folded(invited));
        if !may || !goes_there {
            return Err(self.is_known(invited, user, &facts));
        }
        if is_over {
            let opened = self.expire(tx, &user.stored.id).await?;
            self.seat_waiters(tx, opened).await?;
        }
        let user = self.find(tx, &user.stored.id).await?;
        self.guard_login(&catalogue::read(tx, &self.tenant).await?, &user.doc)?;
        let mut doc = user.doc.clone();
        doc.insert("active".to_owned(), true.into());
        for name in ["roles", urn::SEAT] {
            let Some(asked) = wanted.get(name) else { continue };
            match (doc.get_mut(name).and_then(Value::as_object_mut), asked.as_object()) {
                (Some(object), Some(asked)) => {
                    object.extend(
                        asked.get("seatType").map(|seat| ("seatType".to_owned(), seat.clone())),
                    );
                }
                _ => drop(doc.insert(name.to_owned(), asked.clone())),
            }
        }
        let mode = Invitation::of(wanted).mode;
        self.renew(tx, &user, doc, mode).await
    }

    /// Writes the document of a user with an invitation that begins now.
    async fn renew(
        &self,
        tx: &mut Tx<'_>,
        user: &Loaded,
        mut doc: Doc,
        mode: Mode,
    ) -> Result<Doc, Error> {
        // The same as a change that makes somebody active again, who is invited then.
        let mut idle = user.clone();
        idle.doc.insert("active".to_owned(), false.into());
        let mut facts = Facts::of(&idle.doc).unwrap_or_default();
        facts.invitation = Invitation { status: Status::Cancelled, mode, ..facts.invitation };
        facts.put(&mut idle.doc);
        facts.put(&mut doc);
        let was = Was { before: Some(&idle), password: false };
        let ruled = self.rule(tx, &user.stored.id, was, &doc).await?;
        let loaded = self.update(tx, user, ruled.clone()).await?;
        self.open(tx, (&user.stored.id, Some(&user.doc)), &ruled).await?;
        Ok(loaded.doc)
    }

    /// The refusal for somebody who is invited, or registered.
    fn is_known(&self, email: &str, user: &Loaded, facts: &Facts) -> Error {
        let base = self.app.base();
        let email = excerpt(email);
        Error::Taken(match (&facts.invitation.id, facts.invitation.is_pending()) {
            (Some(id), true) => format!(
                "'{email}' is invited already: {base}/Invitations/{id}. Resend that invitation, or cancel it first."
            ),
            (Some(_) | None, _) => format!(
                "'{email}' is registered already: {base}/Users/{}. Give that user what is needed instead.",
                user.stored.id
            ),
        })
    }

    /// Cancels the invitation of this id and forgets its story.
    async fn cancel(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        conditions: &Conditions,
    ) -> Result<(), Error> {
        let story = self.find(tx, id).await?;
        Self::check_conditions(conditions, &story)?;
        let users = self.of_users();
        let user = story.doc.get("user").and_then(|user| user["value"].as_str());
        let loaded = match user {
            Some(user) => users.seek(tx, user).await?,
            None => None,
        };
        let facts = loaded.as_ref().and_then(|user| Facts::of(&user.doc)).unwrap_or_default();
        let current = facts.invitation.id.as_deref() == Some(id);
        let is_open = matches!(facts.invitation.status, Status::Pending | Status::Expired)
            || facts.lifecycle == Lifecycle::Waiting;
        let (Some(user), true) = (loaded, current && is_open) else {
            return Err(scim::Error::InvalidValue(
                "The invitation is not pending: there is nothing to cancel.".to_owned(),
            )
            .into());
        };
        let mut doc = user.doc.clone();
        doc.insert("active".to_owned(), false.into());
        let was = Was { before: Some(&user), password: false };
        users.update_by_rules(tx, was, &user, &doc).await?;
        // Its last version: the step was written.
        self.delete(tx, id, &Conditions::default()).await
    }

    /// Makes a new link, which is shown or mailed; gives its secret where there is one.
    async fn send_anew(
        &self,
        tx: &mut Tx<'_>,
        user: &str,
        shown: bool,
    ) -> Result<Option<String>, Error> {
        let loaded = self.find(tx, user).await?;
        self.guard_login(&catalogue::read(tx, &self.tenant).await?, &loaded.doc)?;
        let facts = Facts::of(&loaded.doc).unwrap_or_default();
        let anew = self.resent(&facts.invitation, &loaded.doc)?;
        if shown && anew.mode != Mode::Link {
            return Err(scim::Error::InvalidValue(
                "The link of this invitation is mailed; resend it. A link is shown for invitations of mode 'link' alone.".to_owned(),
            )
            .into());
        }
        self.check_resend(tx, user).await?;
        let secret = self.befall(tx, &loaded, &anew).await?;
        if shown && secret.is_none() {
            return Err(scim::Error::InvalidValue(
                "No seat is free: whoever is sent an invitation anew waits for one, and there is no link before."
                    .to_owned(),
            )
            .into());
        }
        Ok(secret)
    }

    /// Accepts the invitation of this link, if it is still good, with the hash of the new password.
    async fn accept(&self, tx: &mut Tx<'_>, ticket: &Ticket, phc: &str) -> Result<(), Error> {
        let now = self.app.clock().now();
        let current = tickets::find(tx, &ticket.hash).await?;
        let is_good = |ticket: &Ticket| ticket.ended.is_none() && now < ticket.expires;
        if !current.as_ref().is_some_and(is_good) {
            return Err(Error::Gone(DEAD));
        }
        let user = self.seek(tx, &ticket.resource).await?;
        let user = user.filter(|user| Invitation::of(&user.doc).is_pending());
        let user = user.ok_or(Error::Gone(DEAD))?;
        let mut work = self.clone();
        work.now = now;
        work.put_hash(tx, &user.stored.id, phc.to_owned()).await?;
        let user = self.find(tx, &user.stored.id).await?;
        let accepted = Invitation::of(&user.doc).accepted_at(now);
        work.befall(tx, &user, &accepted).await.map(drop)
    }

    /// Whether a new user may turn out to be somebody whom an administrator has invited.
    pub(super) fn may_adopt(&self, new: &Doc) -> bool {
        self.has_rules() && self.ctx.catalogue.invites && email::of(new).is_some()
    }

    /// The user who was invited by others and whom a client creates now: taken over with what the client
    /// says, so that it is not refused for ever. None where there is none, or more than one.
    ///
    /// Nobody becomes an administrator, or gets at one, by taking over an invitation.
    pub(super) async fn adopt(&self, tx: &mut Tx<'_>, created: &Doc) -> Result<Option<New>, Error> {
        let Some(address) = email::of(created) else { return Ok(None) };
        let all = self.having(tx, "emails.value", &fold::folded(address), 10).await?;
        let catalogue = catalogue::read(tx, &self.tenant).await?;
        let mut fitting = all.into_iter().filter(|user| is_adoptable(&catalogue, &user.doc));
        let (Some(user), None) = (fitting.next(), fitting.next()) else { return Ok(None) };
        let doc = invitation::adopted(&self.ctx.rules, &user.doc, created);
        let was = Was { before: Some(&user), password: false };
        let loaded = self.update_by_rules(tx, was, &user, &doc).await?;
        let draft = Arc::new(self.draft(&loaded.doc, Beside::default())?);
        let before = Some((loaded.stored.version - 1, loaded.stored.created));
        Ok(Some(New { id: loaded.stored.id.clone(), doc: loaded.doc, draft, before }))
    }
}

/// Whether a client may take over an invited user: one whom no client made, and who is no administrator.
fn is_adoptable(catalogue: &Catalogue, user: &Doc) -> bool {
    let Some(facts) = Facts::of(user) else { return false };
    let administers = |role: &str| catalogue.role(role).is_none_or(|role| role.administrative);
    let in_accounts = account::roles(user);
    facts.invitation.is_pending()
        && facts.origin != "scim"
        && !user.contains_key("externalId")
        && !facts.roles.iter().any(|role| administers(&role.value))
        && !in_accounts.iter().any(|role| administers(role))
}
