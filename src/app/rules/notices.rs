//! What administrators are told of: pools that fill up, and a tenant that nobody administers any more.

use std::collections::BTreeMap;

use crate::app::work::Work;
use crate::app::{Error, catalogue};
use crate::domain::catalogue::Catalogue;
use crate::domain::facts::{Facts, Lifecycle};
use crate::domain::offer;
use crate::domain::pool::Pool;
use crate::domain::record;
use crate::domain::seat::Step;
use crate::scim::urn;
use crate::store::resources;
use crate::store::seats::{self, Stand};
use crate::store::{Tx, records};

/// By how much the steps of one user fill each pool, and how it stands then.
#[derive(Debug, Default)]
pub(super) struct Turns(BTreeMap<String, (i64, Option<Stand>)>);

impl Turns {
    pub(super) fn note(&mut self, step: &Step, stand: Option<Stand>) {
        let (pool, by) = match step {
            Step::Take(pool, _) => (pool, 1),
            Step::Give(pool, _) => (pool, -1),
            Step::Wait(_) | Step::Leave(_) => return,
        };
        let turn = self.0.entry(pool.clone()).or_default();
        *turn = (turn.0 + by, stand);
    }
}

impl Work {
    /// Tells of pools that have reached a mark. Whoever takes a seat by counting stays within the band
    /// that is written beside the counters: so every crossing comes by here, and none costs the others
    /// anything.
    pub(super) async fn note_turns(&self, tx: &mut Tx<'_>, turns: Turns) -> Result<(), Error> {
        for (value, (by, stand)) in turns.0 {
            let Some(stand) = stand.filter(|stand| !stand.band.holds(stand.used)) else { continue };
            let catalogue = catalogue::read(tx, &self.tenant).await?;
            let Some(pool) = catalogue.pool(&value) else { continue };
            let band = pool.band(stand.used);
            if band != stand.band {
                seats::bound(tx, &self.tenant, &pool.value, band).await?;
            }
            self.note_crossing(tx, pool, (stand.used - by, stand.used)).await?;
        }
        Ok(())
    }

    /// Tells of a mark that is reached because there are fewer seats than before.
    pub(in crate::app) async fn note_total(
        &self,
        tx: &mut Tx<'_>,
        before: Option<&Pool>,
        pool: &Pool,
        used: i64,
    ) -> Result<(), Error> {
        let Some(before) = before.filter(|before| before.total != pool.total) else {
            return Ok(());
        };
        if used > 0 && pool.warned(used) > before.warned(used) {
            return self.note_crossing(tx, pool, (0, used)).await;
        }
        Ok(())
    }

    async fn note_crossing(
        &self,
        tx: &mut Tx<'_>,
        pool: &Pool,
        (before, after): (i64, i64),
    ) -> Result<(), Error> {
        let Some(percent) = pool.crossed(before, after) else { return Ok(()) };
        let id = offer::pool_id(&pool.value);
        let mut change = self.change(&[record::threshold(pool, percent, after)], &id, None);
        if let Some(change) = &mut change {
            "SeatPool".clone_into(&mut change.kind);
        }
        Ok(records::write(tx, &self.tenant, change.as_slice()).await?)
    }

    /// Tells that nobody administers the tenant any more, where this user was the last one who did.
    /// `after` is none where the user is gone.
    pub(in crate::app) async fn note_leave(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        before: &Facts,
        after: Option<&Facts>,
    ) -> Result<(), Error> {
        let same =
            |after: &Facts| (after.lifecycle, &after.roles) == (before.lifecycle, &before.roles);
        if before.lifecycle != Lifecycle::Active || after.is_some_and(same) {
            return Ok(());
        }
        let catalogue = catalogue::read(tx, &self.tenant).await?;
        let stays = after.is_some_and(|after| catalogue.administers(after));
        if !catalogue.administers(before) || stays {
            return Ok(());
        }
        self.note_none(tx, id, &catalogue).await
    }

    /// The same where roles that administer the tenant are ended.
    pub(in crate::app) async fn note_ended_roles(
        &self,
        tx: &mut Tx<'_>,
        before: &Catalogue,
        after: &Catalogue,
    ) -> Result<(), Error> {
        let (had, has) = (before.administrative(), after.administrative());
        let ended = had.iter().any(|value| !has.contains(value));
        if ended && self.is_administered(tx, "", before).await? {
            return self.note_none(tx, "", after).await;
        }
        Ok(())
    }

    async fn note_none(
        &self,
        tx: &mut Tx<'_>,
        gone: &str,
        catalogue: &Catalogue,
    ) -> Result<(), Error> {
        if self.is_administered(tx, gone, catalogue).await? {
            return Ok(());
        }
        let change = self.of_users().change(&[record::plain("admin.none")], gone, None);
        Ok(records::write(tx, &self.tenant, change.as_slice()).await?)
    }

    /// Whether anybody but this one can sign in and administer the tenant.
    async fn is_administered(
        &self,
        tx: &mut Tx<'_>,
        without: &str,
        catalogue: &Catalogue,
    ) -> Result<bool, Error> {
        let roles = format!("{}:effectiveRoles.value", urn::CONTACT_CENTER);
        let roles = (&*roles, &*catalogue.administrative());
        let some = resources::active_with(tx, &self.tenant, roles, 2).await?;
        Ok(some.iter().any(|user| user.id != without))
    }
}
