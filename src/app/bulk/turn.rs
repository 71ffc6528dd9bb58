//! One turn of a bulk request: some of its operations in one transaction, each whole or not at all.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::case::Case;
use super::prepare::blame;
use super::record::Record;
use super::unit::{Ready, Unit};
use crate::app::Error;
use crate::app::create::Creation;
use crate::app::work::Work;
use crate::scim::bulk::{Method, Outcome, result};
use crate::scim::etag;
use crate::store::bulk::Kept;
use crate::store::{self, Failure, Tx, records};

/// Operations of one turn.
pub(super) const MOST: usize = 256;
/// Bytes that one turn writes.
const BYTES: usize = 2 * 1024 * 1024;
/// How much one turn does: the more, the faster the request; the less, the shorter others wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// How long it works.
    work: Duration,
    /// New resources that are written at once.
    alike: usize,
    /// Operations that are prepared at once, which takes a processor as long as it takes.
    pub(super) ahead: usize,
    /// How long it leaves the database and the processors to others after it.
    pub(super) rest: Duration,
}

impl Pace {
    /// While nobody else writes.
    pub(super) const ALONE: Self =
        Self { work: Duration::from_millis(8), alike: 128, ahead: 64, rest: Duration::ZERO };
    /// While single requests of the same tenant come.
    pub(super) const IN_COMPANY: Self = Self {
        work: Duration::from_millis(1),
        alike: 10,
        ahead: 16,
        rest: Duration::from_millis(2),
    };
}

/// What may be done in one turn.
pub(super) struct Turn {
    pub(super) case: Arc<Case>,
    pub(super) units: Vec<Arc<Unit>>,
    /// Whether nothing comes after these units.
    pub(super) last: bool,
    /// Operations that were processed before, and those of them that failed.
    pub(super) before: (u64, u64),
    pub(super) pace: Pace,
    /// Where it is written down, for a request that is remembered.
    pub(super) record: Option<Record>,
}

/// What was done in a turn.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Units, from the first on.
    pub(super) units: usize,
    pub(super) fates: Vec<Fate>,
    pub(super) failed: u64,
    /// Whether the whole request has ended.
    pub(super) ended: bool,
    weight: usize,
    /// Places of the operations that failed.
    lost: HashSet<usize>,
}

/// What became of an operation.
#[derive(Debug)]
pub(super) struct Fate {
    pub(super) kept: Kept,
    pub(super) failed: bool,
}

impl Turn {
    /// Does as much as fits; it may be run more than once.
    pub(super) async fn run(&self, tx: &mut Tx<'_>) -> Result<Done, Error> {
        let begun = Instant::now();
        let mut done = Done::default();
        while done.units < self.units.len() && !self.has_failed_enough(&done) {
            let alike = self.alike(&done);
            if alike.len() < 2 || !self.together(tx, alike, &mut done).await? {
                for unit in alike {
                    self.alone(tx, unit, &mut done).await?;
                    if self.has_failed_enough(&done) {
                        break;
                    }
                }
            }
            let full = done.fates.len() >= MOST || done.weight >= BYTES;
            if full || begun.elapsed() >= self.pace.work {
                break;
            }
        }
        let all = self.last && done.units == self.units.len();
        done.ended = all || self.has_failed_enough(&done);
        if let Some(record) = &self.record {
            record.write_down(tx, &self.case, self.before, &done).await?;
        }
        Ok(done)
    }

    fn has_failed_enough(&self, done: &Done) -> bool {
        let most = self.case.request.fail_on_errors;
        most.is_some_and(|most| self.before.1 + done.failed >= most.max(1))
    }

    /// The next unit, with those after it that can be written at once with it.
    fn alike(&self, done: &Done) -> &[Arc<Unit>] {
        let units = &self.units[done.units..];
        let Some(first) = units.first().and_then(|unit| unit.plain()) else {
            return &units[..units.len().min(1)];
        };
        let room = self.pace.alike.min(MOST - done.fates.len().min(MOST)).max(1);
        let mut together: HashSet<usize> = HashSet::new();
        let mut count = 0;
        for unit in units.iter().take(room) {
            let fits = unit.plain().is_some_and(|next| next.work.kind.name == first.work.kind.name)
                && !unit
                    .needs
                    .iter()
                    .any(|need| together.contains(need) || done.lost.contains(need));
            if !fits && count > 0 {
                break;
            }
            together.extend(&unit.places);
            count += 1;
            if !fits {
                break;
            }
        }
        &units[..count]
    }

    /// Writes new resources at once; false when they have to be tried one after the other.
    async fn together(
        &self,
        tx: &mut Tx<'_>,
        units: &[Arc<Unit>],
        done: &mut Done,
    ) -> Result<bool, Error> {
        let made: Vec<&Creation> = units.iter().filter_map(|unit| unit.plain()).collect();
        let most = self.case.request.fail_on_errors;
        let room = most.map(|most| most.max(1).saturating_sub(self.before.1 + done.failed));
        let tried = tx.part(async |tx: &mut Tx<'_>| {
            let outcomes = Creation::carry_out_all(&made, tx).await?;
            let is_full = |outcome: &Result<(), Error>| {
                matches!(outcome, Err(Error::Store(store::Error::Full)))
            };
            // Who gets the last seats is found out one by one.
            if outcomes.iter().any(is_full) {
                return Err(Rush::TooFar);
            }
            let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count() as u64;
            // What comes after the last failure that counts must not be done.
            if room.is_some_and(|room| failed >= room) { Err(Rush::TooFar) } else { Ok(outcomes) }
        });
        match tried.await? {
            Ok(outcomes) => {
                for (unit, outcome) in units.iter().zip(outcomes) {
                    self.tell(unit, vec![outcome.map(|()| Some(1))], done);
                }
                Ok(true)
            }
            Err(Rush::TooFar | Rush::Failed(_)) => Ok(false),
        }
    }

    async fn alone(&self, tx: &mut Tx<'_>, unit: &Unit, done: &mut Done) -> Result<(), Error> {
        if let Some(needed) = unit.needs.iter().find(|need| done.lost.contains(need)) {
            self.tell(unit, fallen(&self.case, unit, *needed), done);
            return Ok(());
        }
        let outcomes = match &unit.ready {
            Ready::Refused(errors) => errors.iter().cloned().map(Err).collect(),
            Ready::Create(creation) => {
                let made = tx.part(async |tx: &mut Tx<'_>| creation.carry_out(tx).await).await?;
                note_denied(tx, &creation.work, made.as_ref().err(), None).await?;
                vec![made.map(|_| Some(1))]
            }
            Ready::Change(plan) => {
                let changed = tx.part(async |tx: &mut Tx<'_>| plan.carry_out(tx).await).await?;
                note_denied(tx, plan.work(), changed.as_ref().err(), Some(plan.id())).await?;
                vec![changed.map(|loaded| Some(loaded.stored.version))]
            }
            Ready::Delete(removal) => {
                let (work, id, conditions) = (&removal.work, &removal.id, &removal.conditions);
                let gone =
                    tx.part(async |tx: &mut Tx<'_>| work.delete(tx, id, conditions).await).await?;
                vec![gone.map(|()| None)]
            }
            Ready::Ring(creations) => self.ring(tx, unit, creations).await?,
        };
        self.tell(unit, outcomes, done);
        Ok(())
    }

    /// `POST`s that refer to each other: first all documents, then what refers to them.
    async fn ring(
        &self,
        tx: &mut Tx<'_>,
        unit: &Unit,
        creations: &[Creation],
    ) -> Result<Vec<Result<Option<i64>, Error>>, Error> {
        let tried = tx.part(async |tx: &mut Tx<'_>| {
            for (at, creation) in creations.iter().enumerate() {
                creation.store(tx).await.map_err(|error| Blamed(at, error))?;
            }
            for (at, creation) in creations.iter().enumerate() {
                creation.complete(tx, &creation.new.id).await.map_err(|error| Blamed(at, error))?;
            }
            Ok(())
        });
        Ok(match tried.await? {
            Ok(()) => creations.iter().map(|_| Ok(Some(1))).collect(),
            Err(Blamed(at, error)) => {
                if let Some(blamed) = creations.get(at) {
                    note_denied(tx, &blamed.work, Some(&error), None).await?;
                }
                blame(&self.case, &unit.places, at, &error).into_iter().map(Err).collect()
            }
        })
    }

    /// Writes the results of a unit.
    fn tell(&self, unit: &Unit, outcomes: Vec<Result<Option<i64>, Error>>, done: &mut Done) {
        for ((at, location), outcome) in unit.places.iter().zip(&unit.locations).zip(outcomes) {
            let failed = outcome.is_err();
            if failed {
                done.failed += 1;
                done.lost.insert(*at);
            }
            let kept = told(&self.case, *at, location.as_deref(), &outcome);
            done.fates.push(Fate { kept, failed });
        }
        done.units += 1;
        done.weight += unit.weight;
    }
}

/// Writes down that a seat was refused, in the transaction of those that were not.
async fn note_denied(
    tx: &mut Tx<'_>,
    work: &Work,
    error: Option<&Error>,
    id: Option<&str>,
) -> Result<(), Error> {
    let change = error.and_then(|error| work.denied(error, id));
    Ok(records::write(tx, &work.tenant, change.as_slice()).await?)
}

/// The outcomes of a unit that needs an operation that failed.
pub(super) fn fallen<T>(case: &Case, unit: &Unit, needed: usize) -> Vec<Result<T, Error>> {
    // What is wrong with an operation itself is the better thing to know.
    if let Ready::Refused(errors) = &unit.ready {
        return errors.iter().cloned().map(Err).collect();
    }
    let error = Error::Dependency(case.name(needed));
    unit.places.iter().map(|_| Err(error.clone())).collect()
}

/// The result of an operation, and the id of what it made.
pub(super) fn told(
    case: &Case,
    at: usize,
    location: Option<&str>,
    outcome: &Result<Option<i64>, Error>,
) -> Kept {
    let operation = case.operation(at);
    let is_post = operation.method == Some(Method::Post);
    let shown = match outcome {
        Ok(version) => {
            let status = match operation.method {
                Some(Method::Post) => 201,
                Some(Method::Delete) => 204,
                Some(Method::Put | Method::Patch) | None => 200,
            };
            let version = version.map(etag::of);
            let version = version.as_deref();
            result(operation, &Outcome { status, location, version, response: None })
        }
        Err(error) => {
            // What a single request says in If-Match stands in the operation here.
            let error = if matches!(error, Error::Stale) { &Error::StaleOperation } else { error };
            error.log();
            let (status, _) = error.status();
            let body = error.body(&case.ctx.request);
            let location = location.filter(|_| !is_post);
            result(operation, &Outcome { status, location, version: None, response: Some(&body) })
        }
    };
    let made = (is_post && outcome.is_ok()).then(|| case.id(at).to_owned());
    Kept { at, made, result: shown }
}

/// Why new resources were not written at once.
enum Rush {
    /// One that failed was the last that may, or it takes a look at each.
    TooFar,
    Failed(Error),
}

impl From<store::Error> for Rush {
    fn from(error: store::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Error> for Rush {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Failure for Rush {
    fn store(&self) -> Option<&store::Error> {
        match self {
            Self::TooFar => None,
            Self::Failed(error) => error.store(),
        }
    }
}

/// Which of a ring failed, and why.
struct Blamed(usize, Error);

impl From<store::Error> for Blamed {
    fn from(error: store::Error) -> Self {
        Self(0, error.into())
    }
}

impl Failure for Blamed {
    fn store(&self) -> Option<&store::Error> {
        self.1.store()
    }
}
