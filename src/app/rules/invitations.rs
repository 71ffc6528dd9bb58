//! Invitations, applied: the link, the resource that tells their story, and the mail, in the transaction
//! of the change that asks for them.

use serde_json::{Value, json};

use crate::app::mail::{Letter, LetterKind, Limit, Link, Passage, Who};
use crate::app::vault::random;
use crate::app::work::{Loaded, Work};
use crate::app::{Error, catalogue};
use crate::domain::facts::{self, Facts, Lifecycle, Reason};
use crate::domain::invitation::{self, Effect, Invitation, Mode, Status};
use crate::domain::person::Judged;
use crate::domain::seat::{self, Manners, Need};
use crate::domain::{email, token};
use crate::ids::ResourceId;
use crate::scim::{self, Doc, fold, urn};
use crate::store::tickets::{self, Ticket};
use crate::store::{Tx, maps};

/// What a link for activation is for.
pub(in crate::app) const ACTIVATE: &str = "activate";
/// Invitations that are ended at once where a pool is full.
const OVERDUE: i64 = 100;

/// Links that are mailed anew to one person in a day, at most.
const MOST_A_DAY: i64 = 5;
/// Links that are mailed anew to all people of a tenant in an hour, at most.
const MOST_AN_HOUR: i64 = 100;
/// Invitations of one user of which it is taken out who was invited.
const MOST_STORIES: i64 = 1_000;
/// Seconds.
const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

/// A user whose invitation changes.
#[derive(Debug, Clone, Copy)]
pub(in crate::app) struct Invitee<'i> {
    /// The user's id.
    pub(in crate::app) id: &'i str,
    /// The document before the change; none where the user is new.
    pub(in crate::app) before: Option<&'i Doc>,
    /// The document after it.
    pub(in crate::app) doc: &'i Doc,
}

impl Invitee<'_> {
    fn was(&self) -> Invitation {
        self.before.map(Invitation::of).unwrap_or_default()
    }

    /// What the outside notices.
    fn effect(&self) -> Option<Effect> {
        // However it is written, it is one mail box.
        let mailbox = |doc| email::of(doc).map(fold::folded);
        let moved = self.before.is_some_and(|before| mailbox(before) != mailbox(self.doc));
        invitation::effect(&self.was(), &Invitation::of(self.doc), moved)
    }
}

impl Work {
    /// The facts with an id for an invitation that is new.
    pub(in crate::app) fn with_invitation_id(&self, mut facts: Facts) -> Facts {
        let is_waiting = facts.lifecycle == Lifecycle::Waiting && facts.invitation.mode.invites();
        if (facts.invitation.is_pending() || is_waiting) && facts.invitation.id.is_none() {
            facts.invitation.id = Some(ResourceId::new(self.now).to_string());
        }
        facts
    }

    /// The invitation of this user with a new link: one that is pending or over.
    pub(in crate::app) fn resent(
        &self,
        invitation: &Invitation,
        wanted: &Doc,
    ) -> Result<Invitation, Error> {
        let is_active = wanted.get("active") == Some(&Value::Bool(true));
        if !is_active || !matches!(invitation.status, Status::Pending | Status::Expired) {
            return Err(not_pending(invitation).into());
        }
        Ok(invitation.resent_at(self.now, invitation::hours(&self.ctx.rules, wanted)))
    }

    /// Does what a change of an invitation asks for; the document is written already. Gives the secret
    /// of the new link, where there is one.
    pub(in crate::app) async fn follow_invitation(
        &self,
        tx: &mut Tx<'_>,
        invitee: Invitee<'_>,
    ) -> Result<Option<String>, Error> {
        let Some(effect) = invitee.effect() else { return Ok(None) };
        let invitation = Invitation::of(invitee.doc);
        let key = (&self.tenant, invitee.id, ACTIVATE);
        let secret = match effect {
            Effect::Invite => {
                let secret = self.write_ticket(tx, invitee.id, &invitation).await?;
                self.mail(tx, &invitee, &invitation, &secret).await?;
                Some(secret)
            }
            // Its time still runs.
            Effect::Stale => {
                self.write_ticket(tx, invitee.id, &invitation).await?;
                self.cancel_letters(tx, invitee.id).await?;
                None
            }
            Effect::End => {
                self.cancel_letters(tx, invitee.id).await?;
                let word = match invitation.status {
                    Status::Accepted => "used",
                    Status::None | Status::Pending => Status::Superseded.name(),
                    ended => ended.name(),
                };
                tickets::end(tx, key, word).await?;
                None
            }
            Effect::Wait => None,
        };
        self.tell_story(tx, &invitee, effect).await?;
        Ok(secret)
    }

    async fn cancel_letters(&self, tx: &mut Tx<'_>, user: &str) -> Result<(), Error> {
        let kind = Some(LetterKind::Invitation);
        self.app.cancel_letters(tx, &self.tenant, user, kind).await.map(drop)
    }

    /// Mails the link where the mode says so. Somebody whose address is gone meanwhile gets nothing: what
    /// was asked for is done all the same, and the link is sent anew once there is an address.
    async fn mail(
        &self,
        tx: &mut Tx<'_>,
        invitee: &Invitee<'_>,
        invitation: &Invitation,
        secret: &str,
    ) -> Result<(), Error> {
        self.cancel_letters(tx, invitee.id).await?;
        let user = invitee.doc;
        let (Some(to), Mode::Email) = (email::of(user), invitation.mode) else {
            return Ok(());
        };
        let hours = invitation::hours(&self.ctx.rules, user);
        let was = invitee.was();
        // By itself, and not since the mode, say, is another one of what was sent anew before.
        let is_asked = (was.resends, &was.id) != (invitation.resends, &invitation.id);
        let passage = if invitation.resends > 0 && is_asked {
            Passage::Always
        } else if invitee.before.is_some() && self.is_mailed_enough(tx, invitee.id).await? {
            Passage::Held("this person was mailed too often today: send the invitation anew")
        } else {
            Passage::UnlessCameBack
        };
        let letter = Letter {
            name: invitation::name(user),
            locale: invitation::locale(user),
            template: invitation::written(user, "template").and_then(Value::as_str),
            inviter: invitation.inviter.as_deref(),
            link: Some(Link { path: ACTIVATE, token: secret, hours }),
            passage,
            ..Letter::new(LetterKind::Invitation, invitee.id, to)
        };
        self.app.post(tx, &self.tenant, &letter).await.map(drop)
    }

    /// Refuses a new link that comes too soon after the one before, and one too many of those that were
    /// asked for: the mail box is a person's (product table of limits).
    pub(in crate::app) async fn check_resend(
        &self,
        tx: &mut Tx<'_>,
        user: &str,
    ) -> Result<(), Error> {
        let limits = [
            (Who::Person, false, 1, MINUTE),
            (Who::Person, true, MOST_A_DAY, DAY),
            (Who::Tenant, true, MOST_AN_HOUR, 60 * MINUTE),
        ]
        .map(|(who, asked, most, seconds)| Limit { who, asked, most, seconds });
        self.app.check_letters(tx, &self.tenant, (user, LetterKind::Invitation), &limits).await
    }

    /// Whether a person gets no further link that nobody asked for by itself: a client that changes the
    /// mode, or turns somebody off and on, again and again fills nobody's mail box. What it asks for is
    /// done all the same, and the link is sent anew by who asks for that.
    async fn is_mailed_enough(&self, tx: &mut Tx<'_>, user: &str) -> Result<bool, Error> {
        let kinds = (&[LetterKind::Invitation][..], DAY);
        let tally = self.app.count_letters(tx, &self.tenant, Some(user), kinds).await?;
        Ok(tally.count > MOST_A_DAY)
    }

    /// Refuses a template that the tenant does not have.
    pub(super) async fn check_template(
        &self,
        tx: &mut Tx<'_>,
        before: Option<&Doc>,
        wanted: &Doc,
    ) -> Result<(), Error> {
        let template = |doc| invitation::written(doc, "template").and_then(Value::as_str);
        let (had, asked) = (before.and_then(template), template(wanted));
        let Some(name) = asked.filter(|_| asked != had) else { return Ok(()) };
        if self.app.template_exists(tx, &self.tenant, name).await? {
            return Ok(());
        }
        Err(scim::Error::InvalidValue(format!(
            "{}:template '{}' does not exist. Administrators make templates with /admin/templates.",
            urn::INVITATION_OF_USER,
            scim::path::excerpt(name)
        ))
        .into())
    }

    /// Makes a new link; the one that there was is dead.
    async fn write_ticket(
        &self,
        tx: &mut Tx<'_>,
        user: &str,
        invitation: &Invitation,
    ) -> Result<String, Error> {
        let secret = token::text(ACTIVATE, random::<32>()?);
        let ticket = Ticket {
            hash: token::hash(&secret),
            tenant: self.tenant.clone(),
            resource: user.to_owned(),
            purpose: ACTIVATE.to_owned(),
            expires: invitation.expires.unwrap_or(self.now),
            ended: None,
        };
        tickets::put(tx, &ticket).await?;
        Ok(secret)
    }

    /// Writes what became of the invitation into the resource that tells its story.
    async fn tell_story(
        &self,
        tx: &mut Tx<'_>,
        invitee: &Invitee<'_>,
        effect: Effect,
    ) -> Result<(), Error> {
        let (was, is) = (invitee.was(), Invitation::of(invitee.doc));
        let stories = self.on(urn::INVITATION)?;
        if let Some(old) = was.id.as_ref().filter(|old| is.id.as_ref() != Some(old)) {
            // Held back: it will be another one.
            let over = was.superseded();
            stories.amend_story(tx, old, &over, "superseded").await?;
        }
        let Some(id) = &is.id else { return Ok(()) };
        let event = match effect {
            Effect::Invite if is.resends > 0 => "resent",
            Effect::Invite => "sent",
            Effect::Stale => "stale",
            Effect::Wait => "waiting",
            Effect::End => is.status.name(),
        };
        if stories.amend_story(tx, id, &is, event).await? {
            return Ok(());
        }
        let mut doc = story_of(invitee);
        stories.write_step(&mut doc, &is, event);
        stories.add(tx, id, doc, &[]).await.map(drop)
    }

    /// Adds a step to a story that there is; false where there is none.
    async fn amend_story(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        invitation: &Invitation,
        event: &str,
    ) -> Result<bool, Error> {
        let Some(loaded) = self.seek(tx, id).await? else { return Ok(false) };
        let mut doc = loaded.doc.clone();
        self.write_step(&mut doc, invitation, event);
        self.amend(tx, &loaded, doc, &[]).await?;
        Ok(true)
    }

    fn write_step(&self, story: &mut Doc, invitation: &Invitation, event: &str) {
        let time = |at: Option<_>| at.map(|at| facts::text(at).into());
        facts::set(story, "status", Some(invitation.status.name().into()));
        facts::set(story, "sentAt", time(invitation.sent));
        facts::set(story, "expiresAt", time(invitation.expires));
        facts::set(story, "acceptedAt", time(invitation.accepted));
        facts::set(story, "resendCount", Some(invitation.resends.into()));
        let actor = self.ctx.token.to_string();
        let step = json!({ "at": facts::text(self.now), "event": event, "actor": actor });
        let history = story.entry("history").or_insert_with(|| Value::Array(Vec::new()));
        if let Some(history) = history.as_array_mut() {
            history.push(step);
        }
    }

    /// Something befalls the invitation of a user: it is accepted, or sent anew. Gives the secret of the
    /// new link, where there is one.
    pub(in crate::app) async fn befall(
        &self,
        tx: &mut Tx<'_>,
        user: &Loaded,
        invitation: &Invitation,
    ) -> Result<Option<String>, Error> {
        let work = self.of_users();
        let before = Facts::of(&user.doc).unwrap_or_else(|| Facts::fresh("scim"));
        let catalogue = catalogue::read(tx, &self.tenant).await?;
        let id = &user.stored.id;
        let mappings = maps::of_member(tx, &self.tenant, id).await?;
        let doc = &user.doc;
        let judged = work.law(&catalogue).apply_invited((doc, doc), &mappings, invitation)?;
        let (after, opened) = work.seat(tx, &catalogue, (id, judged), Manners::Policy).await?;
        let secret = work.rewrite(tx, user, &before, &after).await?;
        work.seat_waiters(tx, opened).await?;
        Ok(secret)
    }

    /// Ends an invitation whose time has passed; gives the pools in which there may be room now.
    pub(in crate::app) async fn expire(
        &self,
        tx: &mut Tx<'_>,
        user: &str,
    ) -> Result<Vec<String>, Error> {
        let work = self.of_users();
        let ended = (&self.tenant, user, ACTIVATE);
        let loaded = work.seek(tx, user).await?;
        let facts = loaded.as_ref().and_then(|loaded| Facts::of(&loaded.doc));
        let is_due =
            |facts: &Facts| facts.invitation.is_pending() && facts.invitation.is_over(self.now);
        let (Some(loaded), Some(before)) = (loaded, facts.filter(is_due)) else {
            tickets::end(tx, ended, Status::Superseded.name()).await?;
            return Ok(Vec::new());
        };
        let need = Need::Nothing(Some(Reason::Expired));
        let settled = seat::settle(&before.seat, &need, None, Manners::Policy);
        let (seat, steps) = settled.unwrap_or_default();
        let opened = work.step(tx, user, &steps).await?;
        let facts = Facts { invitation: before.invitation.expired(), ..before.clone() };
        let after = Judged { facts, need }.seated(seat, self.now);
        work.rewrite(tx, &loaded, &before, &after).await?;
        Ok(opened)
    }

    /// Ends the tenant's invitations whose time has passed; gives the pools in which there may be room.
    pub(super) async fn expire_overdue(&self, tx: &mut Tx<'_>) -> Result<Vec<String>, Error> {
        let tenant = Some(&self.tenant);
        let mut opened = Vec::new();
        for (_, user) in tickets::overdue(tx, tenant, ACTIVATE, self.now, OVERDUE).await? {
            opened.extend(self.expire(tx, &user).await?);
        }
        Ok(opened)
    }

    /// What follows for the invitation of a user who is deleted.
    pub(super) async fn end_invitation(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        before: &Doc,
    ) -> Result<(), Error> {
        let invitation = Invitation::of(before);
        if !invitation.is_pending() {
            return Ok(());
        }
        let over = invitation.superseded();
        tickets::end(tx, (&self.tenant, id, ACTIVATE), over.status.name()).await?;
        let stories = self.on(urn::INVITATION)?;
        if let Some(story) = &invitation.id {
            stories.amend_story(tx, story, &over, over.status.name()).await?;
        }
        Ok(())
    }

    /// Takes out of the stories of a user who is no more who that was. What happened stays, with the ids.
    pub(super) async fn forget_invitee(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        before: &Doc,
    ) -> Result<(), Error> {
        if Invitation::of(before).id.is_none() {
            return Ok(());
        }
        let stories = self.on(urn::INVITATION)?;
        for story in stories.having(tx, "user.value", id, MOST_STORIES).await? {
            let doc = invitation::nobodys(&story.doc);
            stories.amend(tx, &story, doc, &[]).await?;
        }
        Ok(())
    }
}

/// The refusal of a new link for an invitation that is not waited for.
fn not_pending(invitation: &Invitation) -> scim::Error {
    let status = invitation.status.name();
    scim::Error::InvalidValue(format!(
        "The invitation is not pending: its status is '{status}'. A new link is sent for one that is pending or expired, to a user who is active."
    ))
}

/// The story of an invitation that has just begun.
fn story_of(invitee: &Invitee<'_>) -> Doc {
    let (doc, id) = (invitee.doc, invitee.id);
    let facts = Facts::of(doc).unwrap_or_default();
    let invitation = &facts.invitation;
    let mut story = Doc::new();
    let mut put = |name: &str, value: Option<Value>| facts::set(&mut story, name, value);
    let address = email::of(doc).unwrap_or_default();
    put("email", Some(address.into()));
    put("displayName", doc.get("displayName").cloned());
    put("userName", doc.get("userName").cloned());
    put("mode", Some(invitation.mode.name().into()));
    let roles = facts.roles.iter().map(|role| Value::from(role.value.as_str()));
    put("roles", Some(roles.collect()));
    let pool = facts.seat.pool().or(facts.seat.requested.as_deref());
    put("seatType", pool.map(Value::from));
    put("template", invitation::written(doc, "template").cloned());
    put("ttlHours", invitation::written(doc, "ttlHours").cloned());
    let display = invitation::name(doc);
    let user = json!({ "value": id, "$ref": format!("../Users/{id}"), "display": display });
    put("user", Some(user));
    put("createdBy", Some(facts.origin.into()));
    story
}
