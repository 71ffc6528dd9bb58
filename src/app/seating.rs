//! What administrators do to the seat of one user: say that none is needed, and give one out of turn.

use serde_json::{Value, json};

use crate::app::seats::known_pool;
use crate::app::work::{Loaded, Work};
use crate::app::{App, Ctx, Error, catalogue};
use crate::domain::catalogue::Catalogue;
use crate::domain::facts::{Facts, Seat};
use crate::domain::person::Judged;
use crate::domain::pool::{Admission, Full};
use crate::domain::record::{self, Entry};
use crate::domain::scope::Scope;
use crate::domain::seat::{self, Manners, Need, Room};
use crate::scim::path::excerpt;
use crate::scim::{self, urn};
use crate::store::{Tx, maps, records, seats};

/// What is done to the seat of a user.
#[derive(Debug, Clone)]
pub enum Act {
    /// No seat is needed, whatever clients write from then on; or, with false, one is needed after all.
    /// That one is asked for as by anybody who comes.
    Exempt(bool),
    /// A user who waits is seated before everybody else who does.
    Grant {
        /// With a seat of this pool, instead of the one that is waited for: then the wait goes on.
        pool: Option<String>,
        /// Where no seat is free, the next one that is.
        next: bool,
    },
}

impl App {
    /// Does this to the seat of the user of this id, and gives what the user has then: `user`,
    /// `lifecycle` and `seat`, the extension of the SCIM resource.
    ///
    /// Nobody is seated beyond total and allowance: where no seat is free it is 403 and nothing is
    /// changed, unless the pool or the act lets the user wait. A refused seat is a line of the record.
    pub async fn act_on_seat(&self, ctx: &Ctx, user: &str, act: Act) -> Result<Value, Error> {
        ctx.require(Scope::SeatsWrite)?;
        let work = Work::new(self, ctx, self.users()?);
        let (at, id) = (work.clone(), user.to_owned());
        let done = async move |tx: &mut Tx<'_>| {
            match &act {
                Act::Exempt(exempt) => at.exempt(tx, &id, *exempt).await?,
                Act::Grant { pool, next } => at.grant(tx, &id, pool.as_deref(), *next).await?,
            }
            Ok::<_, Error>(shown(&at.find(tx, &id).await?))
        };
        match self.store().write(&ctx.tenant, done).await {
            Ok(shown) => Ok(shown),
            Err(error) => Err(work.note_denied(error, Some(user)).await),
        }
    }
}

fn shown(user: &Loaded) -> Value {
    json!({
        "user": user.stored.id,
        "lifecycle": Facts::of(&user.doc).unwrap_or_default().lifecycle.name(),
        "seat": user.doc.get(urn::SEAT).cloned().unwrap_or_else(|| json!({})),
    })
}

impl Work {
    async fn exempt(&self, tx: &mut Tx<'_>, id: &str, exempt: bool) -> Result<(), Error> {
        let loaded = self.find(tx, id).await?;
        let before = Facts::of(&loaded.doc).unwrap_or_else(|| Facts::fresh("scim"));
        if before.seat.exempt == exempt {
            return Ok(());
        }
        let catalogue = catalogue::read(tx, &self.tenant).await?;
        let mut doc = loaded.doc.clone();
        // Whoever is spared no more comes like anybody else, and may be refused.
        let seat = Seat { exempt, spared: false, ..before.seat.clone() };
        Facts { seat, ..before.clone() }.put(&mut doc);
        let judged = self.judge_again(tx, &catalogue, id, &doc).await?;
        let (after, opened) = self.seat(tx, &catalogue, (id, judged), Manners::Policy).await?;
        let entries = record::exempted(&before, &after);
        self.rewrite_as(tx, &loaded, (&before, &after), &entries).await?;
        self.seat_waiters(tx, opened).await
    }

    async fn grant(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        pool: Option<&str>,
        next: bool,
    ) -> Result<(), Error> {
        let catalogue = catalogue::read(tx, &self.tenant).await?;
        let pool = known_pool(&catalogue, pool)?;
        // Pools and roles may have changed since the user was looked at.
        self.rejudge(tx, &[id.to_owned()], Manners::Patient).await?;
        let loaded = self.find(tx, id).await?;
        let facts = Facts::of(&loaded.doc).unwrap_or_default();
        if pool.is_some() && pool.as_deref() == facts.seat.pool() {
            return Ok(());
        }
        let judged = self.judge_again(tx, &catalogue, id, &loaded.doc).await?;
        let (Some(awaited), Need::Seat { .. }) = (&facts.seat.requested, &judged.need) else {
            return Err(waits_not(id, &facts));
        };
        let value = pool.as_ref().unwrap_or(awaited);
        let Some(pool) = catalogue.pool(value) else { return Err(waits_not(id, &facts)) };
        let taken = self.counters(tx, pool).await?;
        let room = Room { pool, taken, now: self.now };
        if pool.admits(taken, self.now) != Admission::Full {
            return self.seat_now(tx, (&loaded, facts.clone()), room, judged).await;
        }
        if !next {
            return Err(self.exhausted(Full::of(pool, taken)));
        }
        if value != awaited {
            return Err(wrong(format!(
                "User '{}' waits for a seat of the pool '{awaited}' and can be the next one there, not in '{value}'.",
                excerpt(id)
            )));
        }
        if seats::prefer(tx, &self.tenant, value, id).await? {
            let change = self.change(&[record::preferred(value)], id, None);
            records::write(tx, &self.tenant, change.as_slice()).await?;
        }
        Ok(())
    }

    /// Seats somebody who waits, where there is room.
    async fn seat_now(
        &self,
        tx: &mut Tx<'_>,
        (loaded, before): (&Loaded, Facts),
        room: Room<'_>,
        judged: Judged,
    ) -> Result<(), Error> {
        let Need::Seat { pool: needed, hold } = &judged.need else { return Ok(()) };
        let is_awaited = *needed == room.pool.value;
        let give = if is_awaited { seat::grant } else { seat::lend };
        let (seat, steps) = give(&before.seat, room, *hold);
        let opened = self.step(tx, &loaded.stored.id, &steps).await?;
        let after = self.with_invitation_id(judged.seated(seat, self.now));
        let entries: Vec<Entry> = record::given(&before, &after);
        self.rewrite_as(tx, loaded, (&before, &after), &entries).await?;
        self.seat_waiters(tx, opened).await
    }

    /// What the document of a user comes to as it stands.
    pub(super) async fn judge_again(
        &self,
        tx: &mut Tx<'_>,
        catalogue: &Catalogue,
        id: &str,
        doc: &scim::Doc,
    ) -> Result<Judged, Error> {
        let mappings = maps::of_member(tx, &self.tenant, id).await?;
        Ok(self.law(catalogue).apply(Some(doc), doc, &mappings)?)
    }
}

fn waits_not(id: &str, facts: &Facts) -> Error {
    let id = excerpt(id);
    wrong(match facts.seat.pool() {
        Some(pool) => {
            format!("User '{id}' has a seat of the pool '{pool}' and waits for no other.")
        }
        None => format!(
            "User '{id}' waits for no seat: the user is {}. A seat follows from active, roles and seatType.",
            facts.lifecycle.name()
        ),
    })
}

fn wrong(sentence: String) -> Error {
    scim::Error::InvalidValue(sentence).into()
}
