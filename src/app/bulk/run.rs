//! A run of a bulk request: turn after turn, the next operations prepared while one is written.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::case::Case;
use super::jobs::BEAT;
use super::prepare::{Chunk, is_passing, location, prepare};
use super::record::Record;
use super::turn::{Done, MOST, Pace, Turn, told};
use super::unit::{Ready, Unit};
use crate::app::Error;
use crate::store::Tx;

/// Pause before a turn is tried again.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a database may be away.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the log says how far it is.
const SAID_EVERY: Duration = Duration::from_secs(5);
/// Bytes that are ready at most, beside those of one unit.
const READY: usize = 4 * 1024 * 1024;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Everything that was to be processed is.
    Done,
    /// The program is about to end, or the token may less than when it began: another one goes on.
    Interrupted,
    /// The job is somebody else's by now, or nobody knows whether the last turn was kept.
    Lost,
}

/// A run, as far as it is.
pub(super) struct Run {
    case: Arc<Case>,
    record: Option<Record>,
    queue: VecDeque<Arc<Unit>>,
    /// The unit to be prepared next.
    next: usize,
    /// Whether it waits for the queue to be written.
    blocked: bool,
    /// `POST`s that failed.
    lost: HashSet<usize>,
    done: u64,
    failed: u64,
    /// Results by place, of a request that is not remembered.
    results: Vec<Option<String>>,
    begun: Instant,
    said: Instant,
    /// Since when the database is away.
    away: Option<Instant>,
    /// When it was last asked whether the token may still do so, of a request that is not remembered.
    asked: Instant,
}

impl Run {
    /// A run that begins with so many operations processed and failed.
    pub(super) fn new(case: Case, record: Option<Record>, (done, failed): (u64, u64)) -> Self {
        let begun = Instant::now();
        let results = if record.is_none() { vec![None; case.total()] } else { Vec::new() };
        Self {
            lost: case.failed_before().collect(),
            case: Arc::new(case),
            record,
            queue: VecDeque::new(),
            next: 0,
            blocked: false,
            done,
            failed,
            results,
            begun,
            said: begun,
            away: None,
            asked: begun,
        }
    }

    /// Runs to the end. Dropped on the way, it stops after the turn that is being written.
    pub(super) async fn go(&mut self) -> Result<End, Error> {
        let mut ended = self.turns().await;
        // What was done is told in any case; that of a remembered request is written down.
        if let Err(error) = &ended
            && self.record.is_none()
            && self.done > 0
        {
            self.answer_rest(error);
            ended = Ok(End::Done);
        }
        self.say("bulk: ended");
        ended
    }

    /// The results of operations that were not done any more.
    fn answer_rest(&mut self, error: &Error) {
        error.log();
        let error = if is_passing(error) { &Error::NotReached } else { error };
        for place in 0..self.results.len() {
            if self.results[place].is_none() {
                let (at, outcome) = (location(&self.case, place), Err(error.clone()));
                self.results[place] = Some(told(&self.case, place, at.as_deref(), &outcome).result);
                self.done += 1;
                self.failed += 1;
            }
        }
    }

    /// Ends a request whose token may not go on; one that is remembered is looked after beside it.
    async fn check_token(&mut self) -> Result<(), Error> {
        if self.record.is_some() || self.asked.elapsed() < BEAT {
            return Ok(());
        }
        self.asked = Instant::now();
        match self.case.app.may_go_on(&self.case.ctx).await {
            Err(error @ (Error::Unauthorized(_) | Error::Forbidden(_))) => Err(error),
            Ok(now) if !now.scopes.covers(&self.case.ctx.scopes) => {
                let why = "The token may no longer do all that it could when the request began.";
                Err(Error::Refused(why.to_owned()))
            }
            // What cannot be asked now is asked a second later.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The results of what was processed, in the order of the request.
    pub(super) fn into_results(self) -> Vec<String> {
        self.results.into_iter().flatten().collect()
    }

    async fn turns(&mut self) -> Result<End, Error> {
        loop {
            if self.record.is_some() && self.case.app.worker().is_stopping() {
                return Ok(End::Interrupted);
            }
            self.check_token().await?;
            if self.queue.is_empty() {
                let most = self.pace().ahead;
                match prepare(&self.case, self.next, most, Some(&self.lost)).await {
                    Ok(chunk) => self.take(chunk),
                    Err(error) => {
                        self.wait_out(error).await?;
                        continue;
                    }
                }
            }
            if self.queue.is_empty() && self.record.is_none() {
                return Ok(End::Done);
            }
            let turn = self.turn();
            let rest = turn.pace.rest;
            match self.write(turn).await {
                Ok(done) => {
                    let ended = done.ended;
                    self.note(done);
                    if ended {
                        return Ok(End::Done);
                    }
                    tokio::time::sleep(rest).await;
                }
                Err(Error::KeyInUse(_)) => return Ok(End::Lost),
                // Nothing of it was looked at: what is prepared is as good as before.
                Err(error @ Error::Busy(_)) => self.wait_out(error).await?,
                Err(error) => {
                    if let Error::Unavailable(cause) = &error
                        && cause.is_unknown_outcome()
                    {
                        return if self.record.is_some() { Ok(End::Lost) } else { Err(error) };
                    }
                    self.wait_out(error).await?;
                    self.begin_again();
                }
            }
        }
    }

    /// The next turn. It may be empty: then it says only that all is done.
    fn turn(&self) -> Arc<Turn> {
        let units: Vec<_> = self.queue.iter().take(MOST).map(|unit| self.checked(unit)).collect();
        let last = units.len() == self.queue.len() && self.next >= self.case.order.len();
        let record = self.record.clone();
        let before = (self.done, self.failed);
        let pace = self.pace();
        Arc::new(Turn { case: Arc::clone(&self.case), units, last, before, pace, record })
    }

    fn pace(&self) -> Pace {
        let lively = self.case.app.store().is_lively(&self.case.ctx.tenant);
        if lively { Pace::IN_COMPANY } else { Pace::ALONE }
    }

    /// The unit, or its refusal when something that it needs has failed since it was prepared.
    fn checked(&self, unit: &Arc<Unit>) -> Arc<Unit> {
        let Some(needed) = unit.needs.iter().find(|need| self.lost.contains(need)) else {
            return Arc::clone(unit);
        };
        let ready = match &unit.ready {
            Ready::Refused(_) => return Arc::clone(unit),
            Ready::Create(_) | Ready::Ring(_) | Ready::Change(_) | Ready::Delete(_) => {
                let error = Error::Dependency(self.case.name(*needed));
                Ready::Refused(vec![error; unit.places.len()])
            }
        };
        Arc::new(Unit {
            number: unit.number,
            places: unit.places.clone(),
            needs: Box::default(),
            locations: unit.locations.clone(),
            weight: 0,
            ready,
        })
    }

    /// Writes a turn, and prepares what comes after it meanwhile.
    async fn write(&mut self, turn: Arc<Turn>) -> Result<Done, Error> {
        let store = self.case.app.store().clone();
        let tenant = self.case.ctx.tenant.clone();
        let written = store.write_long(&tenant, async move |tx: &mut Tx<'_>| turn.run(tx).await);
        let weight: usize = self.queue.iter().map(|unit| unit.weight).sum();
        if self.blocked || self.queue.len() >= MOST || weight >= READY {
            return written.await;
        }
        let most = self.pace().ahead;
        let (done, chunk) = tokio::join!(written, prepare(&self.case, self.next, most, None));
        // What could not be prepared now is tried again when its turn comes.
        if let Ok(chunk) = chunk {
            self.take(chunk);
        }
        done
    }

    fn take(&mut self, chunk: Chunk) {
        self.next = chunk.next;
        self.blocked = chunk.blocked;
        self.queue.extend(chunk.units.into_iter().map(Arc::new));
    }

    fn note(&mut self, done: Done) {
        self.away = None;
        self.queue.drain(..done.units);
        self.blocked &= !self.queue.is_empty();
        self.done += done.fates.len() as u64;
        self.failed += done.failed;
        for fate in done.fates {
            if fate.failed {
                self.lost.insert(fate.kept.at);
            }
            if let Some(result) = self.results.get_mut(fate.kept.at) {
                *result = Some(fate.kept.result);
            }
        }
        if self.said.elapsed() >= SAID_EVERY {
            self.said = Instant::now();
            self.say("bulk: running");
        }
    }

    /// Prepares what is not written once more: what it was compared with may be another by now.
    fn begin_again(&mut self) {
        if let Some(first) = self.queue.front() {
            self.next = first.number;
        }
        self.queue.clear();
        self.blocked = false;
    }

    /// Waits when that helps: while the line is full, and a while when the database is away.
    async fn wait_out(&mut self, error: Error) -> Result<(), Error> {
        if !is_passing(&error) {
            return Err(error);
        }
        let is_away = !matches!(error, Error::Busy(_));
        if is_away && self.away.get_or_insert_with(Instant::now).elapsed() >= PATIENCE {
            return Err(error);
        }
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }

    fn say(&self, what: &str) {
        let ctx = &self.case.ctx;
        tracing::info!(
            request.id = %ctx.request, tenant.id = %ctx.tenant,
            total = self.case.total(), done = self.done, failed = self.failed,
            ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            "{what}"
        );
    }
}
