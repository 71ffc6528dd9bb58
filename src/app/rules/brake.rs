//! The brake, applied: whoever is suspended or deleted beyond the share keeps what cannot be brought
//! back. Everything is looked at and written in the transaction of the change itself.

use serde_json::Value;

use super::Was;
use crate::app::Error;
use crate::app::work::{Loaded, Work};
use crate::domain::brake;
use crate::domain::facts::{Facts, Reason, Seat};
use crate::domain::person::Judged;
use crate::domain::seat::{self, Manners, Need};
use crate::scim::{Doc, urn};
use crate::store::held::{self, Gone, Held};
use crate::store::{Tx, departures, passwords};

/// Whether a suspension of this user is held.
pub(in crate::app) fn is_held(user: &Doc) -> bool {
    let reason = user.get(urn::SEAT).and_then(|seat| seat.get("reason"));
    reason.and_then(Value::as_str) == Some(Reason::Held.name())
}

fn is_active(user: &Doc) -> bool {
    user.get("active") == Some(&Value::Bool(true))
}

impl Work {
    /// Whether a change suspends somebody whom the brake may hold, or brings back somebody whom it holds:
    /// that takes a look inside the transaction. Where the brake is off nothing does.
    pub(super) fn touches_brake(&self, was: Was<'_>, wanted: &Doc) -> bool {
        was.doc().is_some_and(|before| match (is_active(before), is_active(wanted)) {
            (true, false) => self.ctx.rules.brake.is_some(),
            (false, true) => is_held(before),
            (true, true) | (false, false) => false,
        })
    }

    /// What a change comes to where the brake has something to say about it.
    pub(super) async fn brake(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        was: Was<'_>,
        judged: Judged,
    ) -> Result<Judged, Error> {
        let Some(before) = was.doc() else { return Ok(judged) };
        match &judged.need {
            // Whoever did not come in time is not sent away by a change of something else.
            Need::Nothing(Some(reason))
                if *reason != Reason::Expired
                    && is_active(before)
                    && self.is_too_many(tx, id).await? =>
            {
                self.hold(tx, id, None).await?;
                Ok(Judged { need: Need::Held, ..judged })
            }
            Need::Held => Ok(judged),
            Need::Nothing(_) | Need::Spared { .. } | Need::Seat { .. } => {
                if is_held(before) {
                    held::release(tx, &self.tenant, id).await?;
                }
                Ok(judged)
            }
        }
    }

    /// What is kept of a user who is about to be deleted, where that is one too many; none where the
    /// user goes for good. Whoever is held already is held on.
    pub(in crate::app) async fn holds_deletion(
        &self,
        tx: &mut Tx<'_>,
        user: &Loaded,
    ) -> Result<Option<Gone>, Error> {
        let id = &user.stored.id;
        if !self.has_rules() || !self.is_too_many(tx, id).await? && !is_held(&user.doc) {
            return Ok(None);
        }
        Ok(Some(Gone {
            doc: user.stored.doc.clone(),
            version: user.stored.version,
            created: user.stored.created,
            phc: passwords::find(tx, &self.tenant, id).await?,
            groups: held::groups_of(tx, &self.tenant, id).await?,
            seat: Facts::of(&user.doc).and_then(|facts| facts.seat.held),
        }))
    }

    /// Holds a deleted user: its seat is kept, as it is then, and its place in a line is given up.
    pub(super) async fn hold_deleted(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        seat: &Seat,
        gone: Gone,
    ) -> Result<Seat, Error> {
        let settled = seat::settle(seat, &Need::Held, None, Manners::Policy);
        let (kept, steps) = settled.unwrap_or_default();
        self.step(tx, id, &steps).await?;
        self.hold(tx, id, Some(gone)).await?;
        Ok(kept)
    }

    async fn hold(&self, tx: &mut Tx<'_>, id: &str, gone: Option<Gone>) -> Result<(), Error> {
        let until = self.now.plus_seconds(brake::HELD_FOR);
        let held = Held { id: id.to_owned(), at: self.now, until, gone };
        Ok(held::keep(tx, &self.tenant, &held).await?)
    }

    /// Counts that a user goes; whether that is one beyond the share.
    async fn is_too_many(&self, tx: &mut Tx<'_>, id: &str) -> Result<bool, Error> {
        let Some(brake) = self.ctx.rules.brake else { return Ok(false) };
        let tally = departures::count(tx, &self.tenant, id, self.now, brake.window()).await?;
        Ok(brake.holds(tally))
    }
}
