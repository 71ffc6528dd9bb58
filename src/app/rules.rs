//! The rules of users, applied. Ahead of the transaction where a seat is to be had by counting, which
//! is nearly always; inside of it where it takes a look at the whole: a pool that is full, a line of
//! people who wait, groups that give roles.

mod agents;
mod brake;
mod emails;
mod groups;
mod invitations;
mod notices;
mod waiters;

pub(super) use brake::is_held;
pub(super) use groups::Roll;
pub(super) use invitations::{ACTIVATE, Invitee};
use notices::Turns;

use serde_json::json;

use crate::app::mail::LetterKind;
use crate::app::resets::RESET;
use crate::app::work::{Loaded, Work};
use crate::app::{Error, catalogue};
use crate::domain::agent;
use crate::domain::catalogue::Catalogue;
use crate::domain::facts::{Facts, Seat, Source};
use crate::domain::invitation::{self, Invitation, Status};
use crate::domain::person::{self, Judged, Law};
use crate::domain::pool::{Admission, Full, Pool, Taken};
use crate::domain::record::{self, Entry};
use crate::domain::role::Mapping;
use crate::domain::scope::Scope;
use crate::domain::seat::{self, Manners, Need, Room, Step};
use crate::domain::standing;
use crate::scim::{Doc, accept, urn};
use crate::store::held::Gone;
use crate::store::records::{self, Change};
use crate::store::seats::Shift;
use crate::store::{Beside, Tx, logins, maps, seats, tickets};

/// A document that the rules have seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Ruled {
    /// It, with what the rules made of it.
    pub(super) doc: Doc,
    /// What is written beside it.
    pub(super) beside: Beside,
    /// Pools in which there may be room now.
    opened: Vec<String>,
}

/// What a look ahead of the transaction comes to.
#[derive(Debug, Clone)]
pub(super) enum Foreseen {
    /// The rules have seen the document; the store looks whether its seat is free.
    Ruled(Ruled),
    /// It takes a look at the whole, in the transaction.
    Open(Doc),
}

/// A user before a change, and whether the change sets a password.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Was<'b> {
    /// The user; none where it is new.
    pub(super) before: Option<&'b Loaded>,
    /// Whether the password is set or cleared.
    pub(super) password: bool,
}

impl Ruled {
    /// A document that no rule is about.
    pub(super) fn plain(doc: Doc) -> Self {
        Self { doc, ..Self::default() }
    }

    /// A document and what the record gets of it.
    pub(super) fn recorded(doc: Doc, change: Option<Change>) -> Self {
        Self { doc, beside: Beside { change, ..Beside::default() }, ..Self::default() }
    }
}

impl<'b> Was<'b> {
    fn doc(self) -> Option<&'b Doc> {
        self.before.map(|before| &before.doc)
    }

    fn next_version(self) -> i64 {
        self.before.map_or(1, |before| before.stored.version + 1)
    }
}

impl Work {
    /// Whether resources of this type have seats and roles.
    pub(super) fn has_rules(&self) -> bool {
        self.kind.extension(urn::CONTACT_CENTER).is_some()
    }

    pub(super) fn law<'l>(&'l self, catalogue: &'l Catalogue) -> Law<'l> {
        Law {
            settings: &self.ctx.rules,
            catalogue,
            assigns_roles: self.ctx.scopes.allow(Scope::RolesAssign),
            origin: self.origin,
            now: self.now,
        }
    }

    /// The document with what the rules make of it if a seat that it takes can be had by counting: the
    /// store looks and refuses otherwise.
    pub(super) fn foresee(&self, id: &str, was: Was<'_>, wanted: Doc) -> Result<Foreseen, Error> {
        // Where nobody ever signed in there is nothing that a change could end.
        let Some(before) = was.doc().filter(|_| self.has_rules() && self.ctx.catalogue.signs_in)
        else {
            return self.foresee_plainly(id, was, wanted);
        };
        Ok(match self.foresee_plainly(id, was, wanted.clone())? {
            Foreseen::Ruled(ruled) if standing::ends(before, &ruled.doc).is_some() => {
                Foreseen::Open(wanted)
            }
            foreseen => foreseen,
        })
    }

    fn foresee_plainly(&self, id: &str, was: Was<'_>, wanted: Doc) -> Result<Foreseen, Error> {
        if !self.has_rules() {
            let is_named = was.before.is_none() && self.may_be_mapped_by_name();
            return if is_named {
                Ok(Foreseen::Open(wanted))
            } else {
                self.foresee_telephony(wanted)
            };
        }
        Self::check(&self.law(&self.ctx.catalogue), was, &wanted)?;
        if agent::concerns(&self.ctx.rules, was.doc(), &wanted)
            || invitation::written(&wanted, "resend").is_some()
            || Self::asks_for_template(was, &wanted)
            || self.gives_addresses(was, &wanted)
            || self.touches_brake(was, &wanted)
        {
            return Ok(Foreseen::Open(wanted));
        }
        if Self::is_untouched(was, &wanted) {
            return Ok(Foreseen::Ruled(self.untouched(id, was, wanted)));
        }
        Ok(match self.foresee_seat(was, &wanted) {
            Some((facts, shifts)) => {
                let mut ruled = self.ruled(id, was, wanted, &facts);
                ruled.beside.shifts = shifts;
                Foreseen::Ruled(ruled)
            }
            None => Foreseen::Open(wanted),
        })
    }

    fn asks_for_template(was: Was<'_>, wanted: &Doc) -> bool {
        let template = |doc| invitation::written(doc, "template");
        let asked = template(wanted);
        asked.is_some() && was.doc().and_then(template) != asked
    }

    /// The facts, and how the counters move, where that is all there is to a user's seat.
    fn foresee_seat(&self, was: Was<'_>, wanted: &Doc) -> Option<(Facts, Vec<Shift>)> {
        let catalogue = &self.ctx.catalogue;
        let facts = was.doc().and_then(Facts::of);
        let by_group = |facts: &Facts| facts.roles.iter().any(|role| role.source == Source::Group);
        let is_grouped = facts.as_ref().is_some_and(by_group);
        if is_grouped || catalogue.maps_groups && was.before.is_some() {
            return None;
        }
        // The catalogue may be some moments old: what it does not know is asked once more.
        let judged = self.law(catalogue).judge(was.doc(), wanted, &[]).ok()?;
        let needs = needed(catalogue, &judged.need).map(|pool| pool.value.as_str());
        let held = judged.facts.seat.pool();
        if held.is_some() && needs.is_some() && held != needs {
            // Maybe a group has kept it where it is since the catalogue was read.
            return None;
        }
        let room = needed(catalogue, &judged.need).map(|pool| Room {
            pool,
            taken: Taken::default(),
            now: self.now,
        });
        let seat = judged.facts.seat.clone();
        let (seat, steps) = seat::settle(&seat, &judged.need, room, Manners::Policy).ok()?;
        let after = judged.seated(seat, self.now);
        let had = facts.as_ref().map(|before| before.invitation.status).unwrap_or_default();
        let has = after.invitation.status;
        if had != has || has == Status::Pending {
            // There is a link, or a story to be told.
            return None;
        }
        let administered = facts.is_some_and(|before| catalogue.administers(&before));
        if administered && !catalogue.administers(&after) {
            return None;
        }
        Some((after, Shift::of(&steps)?))
    }

    /// The same inside the transaction, with the pools as they are: seats are taken and given back,
    /// or waited for. Once the document is written, [`Work::open`] seats whoever waited.
    pub(super) async fn rule(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        was: Was<'_>,
        wanted: &Doc,
    ) -> Result<Ruled, Error> {
        let ruled = self.rule_plainly(tx, id, was, wanted).await?;
        if let Some(before) = was.doc() {
            self.end_sessions_by(tx, id, (before, &ruled.doc)).await?;
        }
        Ok(ruled)
    }

    async fn rule_plainly(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        was: Was<'_>,
        wanted: &Doc,
    ) -> Result<Ruled, Error> {
        let catalogue = catalogue::read(tx, &self.tenant).await?;
        if self.kind.extension(urn::GROUP_MAPPING).is_some() {
            return Ok(Ruled::plain(self.map_by_name(tx, catalogue, id, wanted).await?));
        }
        if !self.has_rules() {
            return self.rule_telephony(tx, id, was, wanted).await;
        }
        let law = self.law(&catalogue);
        Self::check(&law, was, wanted)?;
        self.check_addresses(tx, id, was, wanted).await?;
        let mut wanted = self.rule_agent_of(tx, id, was, wanted).await?;
        self.check_template(tx, was.doc(), &wanted).await?;
        let resends = invitation::take_resend(&mut wanted) && was.before.is_some();
        if !resends && Self::is_untouched(was, &wanted) {
            return Ok(self.untouched(id, was, wanted));
        }
        let mappings = match was.before {
            Some(_) if catalogue.maps_groups => maps::of_member(tx, &self.tenant, id).await?,
            Some(_) | None => Vec::new(),
        };
        let mut judged = law.judge(was.doc(), &wanted, &mappings)?;
        if let Some(before) = was.doc().filter(|_| resends) {
            // One that there was, as the rest of the change leaves it.
            self.resent(&Invitation::of(before), &wanted)?;
            let anew = self.resent(&judged.facts.invitation, &wanted)?;
            self.check_resend(tx, id).await.map_err(Error::into_wrong_value)?;
            judged = law.apply_invited((before, &wanted), &mappings, &anew)?;
        }
        let judged = self.brake(tx, id, was, judged).await?;
        let (facts, opened) = self.seat(tx, &catalogue, (id, judged), Manners::Policy).await?;
        if let Some(before) = was.doc().and_then(Facts::of) {
            self.note_leave(tx, id, &before, Some(&facts)).await?;
        }
        let mut ruled = self.ruled(id, was, wanted, &facts);
        ruled.opened = opened;
        Ok(ruled)
    }

    fn check(law: &Law<'_>, was: Was<'_>, wanted: &Doc) -> Result<(), Error> {
        person::check(wanted)?;
        agent::check(wanted)?;
        invitation::check(law.settings, was.doc(), wanted)?;
        let Some(before) = was.doc() else { return Ok(()) };
        law.protect(before, wanted, was.password)
            .map_err(|person::Protected| Error::Refused("Managed in Usher.".to_owned()))
    }

    /// Refuses what may not be written of somebody who may have become an administrator meanwhile.
    pub(super) fn guard(&self, was: Was<'_>, wanted: &Doc) -> Result<(), Error> {
        if !self.has_rules() {
            return Ok(());
        }
        Self::check(&self.law(&self.ctx.catalogue), was, wanted)
    }

    /// Whether a change matters to no rule.
    fn is_untouched(was: Was<'_>, wanted: &Doc) -> bool {
        was.doc().is_some_and(|before| {
            Facts::of(before).is_some() && person::is_untouched(before, wanted)
        })
    }

    /// What such a change comes to: the facts stay.
    fn untouched(&self, id: &str, was: Was<'_>, wanted: Doc) -> Ruled {
        let change = self.change(&[record::plain("user.updated")], id, Some(was.next_version()));
        Ruled::recorded(wanted, change)
    }

    /// Takes and gives back what was decided; the facts then, and pools in which there may be room.
    pub(super) async fn seat(
        &self,
        tx: &mut Tx<'_>,
        catalogue: &Catalogue,
        (id, judged): (&str, Judged),
        manners: Manners,
    ) -> Result<(Facts, Vec<String>), Error> {
        let before = judged.facts.seat.clone();
        let asks = seat::asks_for_room(&before, &judged.need);
        let pool = needed(catalogue, &judged.need).filter(|_| asks);
        let (mut room, mut opened) = (None, Vec::new());
        if let Some(pool) = pool {
            let taken = self.counters(tx, pool).await?;
            room = Some(Room { pool, taken, now: self.now });
            // Time alone has opened it.
            if taken.waiting > 0 && pool.admits(taken, self.now) != Admission::Full {
                opened.push(pool.value.clone());
            }
        }
        let mut settled = seat::settle(&before, &judged.need, room, manners);
        if settled.is_err() {
            // Seats of those who did not come in time.
            let freed = self.expire_overdue(tx).await?;
            if let (Some(pool), false) = (pool, freed.is_empty()) {
                let taken = self.counters(tx, pool).await?;
                let room = Some(Room { pool, taken, now: self.now });
                settled = seat::settle(&before, &judged.need, room, manners);
            }
            opened.extend(freed);
        }
        let (seat, steps) = settled.map_err(|full| self.exhausted(full))?;
        opened.extend(self.step(tx, id, &steps).await?);
        Ok((self.with_invitation_id(judged.seated(seat, self.now)), opened))
    }

    /// Does these steps; gives the pools in which a seat became free.
    pub(super) async fn step(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        steps: &[Step],
    ) -> Result<Vec<String>, Error> {
        let (mut opened, mut turns) = (Vec::new(), Turns::default());
        for step in steps {
            let stand = seats::apply(tx, &self.tenant, id, step).await?;
            turns.note(step, stand);
            if let Step::Give(pool, _) = step {
                opened.push(pool.clone());
            }
        }
        self.note_turns(tx, turns).await?;
        Ok(opened)
    }

    /// The counters of a pool; counted now where they never were.
    pub(super) async fn counters(&self, tx: &mut Tx<'_>, pool: &Pool) -> Result<Taken, Error> {
        catalogue::counters(tx, &self.tenant, pool).await
    }

    pub(super) fn exhausted(&self, full: Full) -> Error {
        Error::SeatsExhausted(Box::new(full), self.ctx.rules.exhausted_status)
    }

    /// The document with these facts, and what is to be recorded of them.
    fn ruled(&self, id: &str, was: Was<'_>, mut doc: Doc, facts: &Facts) -> Ruled {
        facts.put(&mut doc);
        accept::finish(&self.kind, &mut doc);
        let entries = match was.doc() {
            None => record::created(facts, invitation::is_skipped(&self.ctx.rules, &doc)),
            Some(before) => record::updated(Facts::of(before).as_ref(), facts),
        };
        Ruled::recorded(doc, self.change(&entries, id, Some(was.next_version())))
    }

    /// What follows once the document is written: links, and seats for whoever waits where there is
    /// room now.
    pub(super) async fn open(
        &self,
        tx: &mut Tx<'_>,
        (id, before): (&str, Option<&Doc>),
        ruled: &Ruled,
    ) -> Result<(), Error> {
        self.follow_invitation(tx, Invitee { id, before, doc: &ruled.doc }).await?;
        self.seat_waiters(tx, ruled.opened.clone()).await
    }

    /// What follows when a user is gone: its seat is free, and its place in the line. Of one who may
    /// come back `gone` is kept, the seat and the agent.
    pub(super) async fn bury(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        before: &Doc,
        gone: Option<Gone>,
    ) -> Result<(), Error> {
        if !self.has_rules() {
            return Ok(());
        }
        // Whoever may come back comes back without the sessions that there were.
        if self.ctx.catalogue.signs_in || gone.is_some() {
            self.end_sessions(tx, id, "deleted").await?;
        }
        let facts = Facts::of(before);
        let seat = facts.as_ref().map(|facts| facts.seat.clone()).unwrap_or_default();
        let (entries, opened) = if let Some(gone) = gone {
            let kept = self.hold_deleted(tx, id, &seat, gone).await?;
            (record::deleted_and_held(&seat, &kept), Vec::new())
        } else {
            let opened = self.give_all_back(tx, id, before, &seat).await?;
            (record::deleted(facts.as_ref()), opened)
        };
        let change = self.change(&entries, id, None);
        records::write(tx, &self.tenant, change.as_slice()).await?;
        if let Some(facts) = &facts {
            self.note_leave(tx, id, facts, None).await?;
        }
        self.end_invitation(tx, id, before).await?;
        self.app.cancel_letters(tx, &self.tenant, id, None).await?;
        self.seat_waiters(tx, opened).await
    }

    /// Takes the agent and the seat of a user who is no more, and forgets who was invited; gives the pools
    /// in which there may be room.
    pub(super) async fn give_all_back(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        user: &Doc,
        seat: &Seat,
    ) -> Result<Vec<String>, Error> {
        self.leave_agent(tx, id, user).await?;
        self.forget_invitee(tx, id, user).await?;
        if self.ctx.catalogue.signs_in {
            logins::forget(tx, &self.tenant, id).await?;
        }
        let (_, steps) =
            seat::settle(seat, &Need::Nothing(None), None, Manners::Policy).unwrap_or_default();
        self.step(tx, id, &steps).await
    }

    /// Writes down that a password was set or cleared, and ends the sessions of the user.
    pub(super) async fn note_password(
        &self,
        tx: &mut Tx<'_>,
        loaded: &Loaded,
    ) -> Result<(), Error> {
        let stored = &loaded.stored;
        let entry = record::plain("password.changed");
        let change = self.change(&[entry], &stored.id, Some(stored.version));
        records::write(tx, &self.tenant, change.as_slice()).await?;
        self.replace_password(tx, &stored.id).await
    }

    /// What follows from another password: links for a new one are for the one that there was, and
    /// sessions end.
    pub(super) async fn replace_password(&self, tx: &mut Tx<'_>, id: &str) -> Result<(), Error> {
        tickets::end(tx, (&self.tenant, id, RESET), "superseded").await?;
        self.app.cancel_letters(tx, &self.tenant, id, Some(LetterKind::Reset)).await?;
        self.end_sessions(tx, id, "password").await.map(drop)
    }

    /// What the record gets of a change of this resource; nothing where nothing happened.
    pub(super) fn change(
        &self,
        entries: &[Entry],
        id: &str,
        version: Option<i64>,
    ) -> Option<Change> {
        (!entries.is_empty()).then(|| Change {
            at: self.now,
            kind: self.kind.name.clone(),
            resource: id.to_owned(),
            version,
            request: self.ctx.request.to_string(),
            token: self.ctx.token.to_string(),
            entries: entries.iter().map(|entry| (entry.name, entry.detail.to_string())).collect(),
        })
    }

    /// What is recorded of a seat that was refused: the change itself left nothing behind.
    pub(super) fn denied(&self, error: &Error, id: Option<&str>) -> Option<Change> {
        let Error::SeatsExhausted(full, _) = error else { return None };
        let detail = json!({
            "pool": full.pool, "total": full.total, "allowance": full.allowance,
            "consumed": full.taken.consumed, "reserved": full.taken.reserved,
        });
        let entry = Entry { name: "seat.denied", detail };
        self.change(&[entry], id.unwrap_or_default(), None)
    }

    /// Writes down that a seat was refused, and gives the refusal back.
    pub(super) async fn note_denied(&self, error: Error, id: Option<&str>) -> Error {
        if let Some(change) = self.denied(&error, id) {
            let tenant = self.tenant.clone();
            let written = self.app.store().write(&self.tenant, async move |tx: &mut Tx<'_>| {
                records::write(tx, &tenant, std::slice::from_ref(&change)).await
            });
            if let Err(error) = written.await {
                tracing::warn!(%error, "a refused seat was not written down");
            }
        }
        error
    }
}

/// The pool that is needed.
fn needed<'c>(catalogue: &'c Catalogue, need: &Need) -> Option<&'c Pool> {
    match need {
        Need::Nothing(_) | Need::Spared { .. } | Need::Held => None,
        Need::Seat { pool, .. } => catalogue.pool(pool),
    }
}

/// What membership of this group means, as its document says.
pub(super) fn mapping_of(id: &str, doc: &Doc) -> Option<Mapping> {
    let about = doc.get(urn::GROUP_MAPPING)?;
    let text = |name: &str| about[name].as_str().map(str::to_owned);
    let mapping = Mapping {
        group: id.to_owned(),
        role: text("grantsRole"),
        seat_type: text("grantsSeatType"),
        priority: about["priority"].as_i64().unwrap_or_default(),
        department: text("department"),
        agent_group: text("agentGroup"),
    };
    mapping.is_any().then_some(mapping)
}
