//! A seat that became free goes to whoever has waited longest.

use crate::app::Error;
use crate::app::catalogue;
use crate::app::rules::Invitee;
use crate::app::work::{Loaded, Work};
use crate::domain::catalogue::Catalogue;
use crate::domain::facts::Facts;
use crate::domain::pool::Admission;
use crate::domain::record::{self, Entry};
use crate::domain::seat::{self, Manners, Need, Room, Step};
use crate::scim::urn;
use crate::store::resources::{self, Key};
use crate::store::{Tx, maps, seats};

impl Work {
    /// Seats whoever waits in these pools, as far as there is room; a seat of another pool that
    /// becomes free by that goes on to the next.
    pub(in crate::app) async fn seat_waiters(
        &self,
        tx: &mut Tx<'_>,
        mut opened: Vec<String>,
    ) -> Result<(), Error> {
        if opened.is_empty() {
            return Ok(());
        }
        let catalogue = catalogue::read(tx, &self.tenant).await?;
        while let Some(value) = opened.pop() {
            let Some(pool) = catalogue.pool(&value) else { continue };
            loop {
                let taken = self.counters(tx, pool).await?;
                let room = Room { pool, taken, now: self.now };
                if taken.waiting == 0 || pool.admits(taken, self.now) == Admission::Full {
                    break;
                }
                let next = seats::waiting(tx, &self.tenant, &value, 1).await?.pop();
                let Some(user) = next else { break };
                opened.extend(self.seat_waiter(tx, &catalogue, room, &user).await?);
            }
        }
        Ok(())
    }

    /// Seats one of them; gives the pools in which a seat became free.
    async fn seat_waiter(
        &self,
        tx: &mut Tx<'_>,
        catalogue: &Catalogue,
        room: Room<'_>,
        user: &str,
    ) -> Result<Vec<String>, Error> {
        let leave = Step::Leave(room.pool.value.clone());
        let of_users = self.of_users();
        let key = Key { tenant: &self.tenant, kind: &of_users.kind.name, id: user };
        let found = resources::find(tx, key).await?;
        let Some(loaded) = found.map(Loaded::of).transpose()? else {
            // Nobody is there any more: out of the line.
            return self.step(tx, user, &[leave]).await;
        };
        let Some(facts) = Facts::of(&loaded.doc) else {
            return self.step(tx, user, &[leave]).await;
        };
        if facts.seat.requested.as_deref() != Some(room.pool.value.as_str()) {
            // The document says that nothing is waited for here.
            return self.step(tx, user, &[leave]).await;
        }
        let mappings = maps::of_member(tx, &self.tenant, user).await?;
        let judged = of_users.law(catalogue).apply(Some(&loaded.doc), &loaded.doc, &mappings)?;
        let hold = match &judged.need {
            Need::Seat { pool, hold } if *pool == room.pool.value => *hold,
            Need::Seat { .. } | Need::Nothing(_) | Need::Spared { .. } | Need::Held => {
                // Pools or roles were changed since: what is wanted is another seat, or none.
                let judged = (user, judged);
                let (after, opened) =
                    of_users.seat(tx, catalogue, judged, Manners::Patient).await?;
                of_users.rewrite(tx, &loaded, &facts, &after).await?;
                return Ok(opened);
            }
        };
        let (seat, steps) = seat::grant(&facts.seat, room, hold);
        let opened = of_users.step(tx, user, &steps).await?;
        let after = self.with_invitation_id(judged.seated(seat, self.now));
        of_users.rewrite(tx, &loaded, &facts, &after).await?;
        Ok(opened)
    }

    /// Writes other facts of a user who asked for nothing; gives the secret of a new link, where there is
    /// one.
    pub(super) async fn rewrite(
        &self,
        tx: &mut Tx<'_>,
        loaded: &Loaded,
        before: &Facts,
        after: &Facts,
    ) -> Result<Option<String>, Error> {
        let entries = record::rejudged(before, after);
        self.rewrite_as(tx, loaded, (before, after), &entries).await
    }

    /// The same, recorded like this.
    pub(in crate::app) async fn rewrite_as(
        &self,
        tx: &mut Tx<'_>,
        loaded: &Loaded,
        (before, after): (&Facts, &Facts),
        entries: &[Entry],
    ) -> Result<Option<String>, Error> {
        let id = &loaded.stored.id;
        self.note_leave(tx, id, before, Some(after)).await?;
        let mut doc = loaded.doc.clone();
        after.put(&mut doc);
        self.amend(tx, loaded, doc.clone(), entries).await?;
        let invitee = Invitee { id, before: Some(&loaded.doc), doc: &doc };
        self.follow_invitation(tx, invitee).await
    }

    /// The same work on users.
    pub(in crate::app) fn of_users(&self) -> Self {
        let users = self.app.registry().extended_by(urn::CONTACT_CENTER);
        let mut work = self.clone();
        work.kind = users.unwrap_or(&self.kind).clone();
        work
    }
}
