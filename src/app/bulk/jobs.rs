//! Bulk requests that are remembered: with an Idempotency-Key, or asynchronous.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::case::{Case, Past};
use super::record::{Record, lease, lost};
use super::run::{End, Run};
use super::{BulkAsked, Results};
use crate::app::{App, Challenge, Ctx, Error};
use crate::clock::Micros;
use crate::domain::scope::Scope;
use crate::ids::{RequestId, ResourceId, TokenId};
use crate::scim::bulk::{Method, Operation, Request};
use crate::store::Tx;
use crate::store::bulk::{self, Hold, Job, Place, Step};

/// Steps that are read at once.
pub(super) const PAGE: i64 = 1000;
const ROWS: usize = 1000;
/// Operations that are kept in one transaction, and their bytes.
const KEPT: usize = 256;
const KEPT_BYTES: usize = 1024 * 1024;
/// How often whoever works on a job says so, and asks whether it still may.
const BEAT: Duration = Duration::from_secs(1);

/// What a request that is to be remembered finds.
pub(super) enum Opened {
    /// It is this one's to be done; whether its operations are kept already.
    Mine { hold: Hold, stored: bool },
    /// It was done before.
    Ended(Place),
    /// Somebody is at work on it.
    InUse(Place),
}

/// Work on a job.
pub(super) struct Errand {
    pub(super) hold: Hold,
    pub(super) ctx: Ctx,
    /// Its operations, where they need not be read.
    pub(super) request: Option<Arc<Request>>,
}

impl App {
    /// Remembers a request, or finds what it was before.
    pub(super) async fn open_job(
        &self,
        ctx: &Ctx,
        request: &Request,
        asked: &BulkAsked,
    ) -> Result<Opened, Error> {
        let job = self.new_job(ctx, request, asked);
        let app = self.clone();
        self.store()
            .write_long(&ctx.tenant, async move |tx: &mut Tx<'_>| {
                let owner = job.owner.clone().unwrap_or_default();
                if bulk::insert(tx, &job).await? {
                    let hold = Hold { place: job.place.clone(), owner };
                    return Ok(Opened::Mine { hold, stored: false });
                }
                let (tenant, key) = (&job.place.tenant, job.key.as_deref().unwrap_or_default());
                let found =
                    bulk::find_by_key(tx, tenant, &job.token, key).await?.ok_or_else(lost)?;
                if found.digest != job.digest {
                    return Err(Error::KeyReused);
                }
                if found.finished.is_some() {
                    return Ok(Opened::Ended(found.place));
                }
                let (now, hold) = (app.clock().now(), Hold { place: found.place, owner });
                if bulk::claim(tx, &hold, now, lease(now)).await? {
                    return Ok(Opened::Mine { hold, stored: found.stored });
                }
                Ok(Opened::InUse(hold.place))
            })
            .await
    }

    fn new_job(&self, ctx: &Ctx, request: &Request, asked: &BulkAsked) -> Job {
        let now = self.clock().now();
        Job {
            place: Place { tenant: ctx.tenant.clone(), id: ResourceId::new(now).to_string() },
            token: ctx.token.to_string(),
            key: asked.key.clone(),
            digest: hex(&asked.digest),
            caller: json!({ "request": ctx.request.as_str() }).to_string(),
            fail_on_errors: request
                .fail_on_errors
                .map(|most| i64::try_from(most).unwrap_or(i64::MAX)),
            total: i64::try_from(request.operations.len()).unwrap_or(i64::MAX),
            done: 0,
            failed: 0,
            stored: false,
            owner: Some(owner(now)),
            lease_until: lease(now),
            created: now,
            finished: None,
            stopped: None,
        }
    }

    /// Keeps all operations of a request, so that any instance can go on with it.
    pub(super) async fn keep_operations(
        &self,
        hold: &Hold,
        request: &Request,
    ) -> Result<(), Error> {
        let (mut first, mut lines, mut bytes) = (0, Vec::new(), 0);
        for (place, operation) in request.operations.iter().enumerate() {
            let line = operation.to_line();
            bytes += line.len();
            lines.push(line);
            if lines.len() == KEPT || bytes > KEPT_BYTES {
                self.keep_some(hold, first, std::mem::take(&mut lines)).await?;
                (first, bytes) = (place + 1, 0);
            }
        }
        self.keep_some(hold, first, lines).await?;
        let (mine, tenant) = (hold.clone(), hold.place.tenant.clone());
        self.store()
            .write_long(&tenant, async move |tx: &mut Tx<'_>| {
                if bulk::mark_stored(tx, &mine).await? { Ok(()) } else { Err(lost()) }
            })
            .await
    }

    async fn keep_some(&self, hold: &Hold, first: usize, lines: Vec<String>) -> Result<(), Error> {
        let lines = Arc::new(lines);
        let mut tries = 0;
        loop {
            let (mine, app, lines) = (hold.clone(), self.clone(), Arc::clone(&lines));
            let kept = self.store().write_long(&hold.place.tenant, async move |tx: &mut Tx<'_>| {
                if !bulk::renew(tx, &mine, lease(app.clock().now())).await? {
                    return Err(lost());
                }
                Ok(bulk::keep(tx, &mine.place, first, &lines).await?)
            });
            match kept.await {
                // Doing it twice changes nothing.
                Err(Error::Busy(_)) if tries < 100 => tries += 1,
                done => return done,
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Works on a job until it has ended or is somebody else's.
    pub(super) async fn work_on(&self, errand: Errand) -> Result<(), Error> {
        loop {
            let Some(job) = self.held(&errand.hold).await? else { return Err(lost()) };
            if job.finished.is_some() {
                return Ok(());
            }
            let (request, past) = self.remembered(&job, errand.request.as_ref()).await?;
            let count = |number: i64| u64::try_from(number).unwrap_or(0);
            let before = (count(job.done), count(job.failed));
            let record = Record { hold: errand.hold.clone() };
            let mut run =
                Run::new(Case::new(self, &errand.ctx, request, past), Some(record), before);
            let ended = tokio::select! {
                ended = run.go() => ended,
                ended = self.beat(&errand) => ended,
            };
            match ended {
                Ok(End::Done) => return Ok(()),
                // Perhaps it is still ours: a commit whose answer was lost.
                Ok(End::Lost) => {}
                Ok(End::Interrupted) => {
                    self.give_back(&errand.hold).await;
                    return Err(Error::Busy(1));
                }
                Err(error @ Error::Unauthorized(_)) => {
                    self.stop_job(errand.hold.place.clone()).await?;
                    return Err(error);
                }
                Err(error) => {
                    self.give_back(&errand.hold).await;
                    return Err(error);
                }
            }
        }
    }

    /// The job, as long as it is held.
    async fn held(&self, hold: &Hold) -> Result<Option<Job>, Error> {
        let wanted = hold.clone();
        self.store()
            .read(async move |tx: &mut Tx<'_>| {
                let found = bulk::find(tx, &wanted.place).await?;
                Ok(found.filter(|job| {
                    job.finished.is_some() || job.owner.as_ref() == Some(&wanted.owner)
                }))
            })
            .await
    }

    /// Says every second that somebody is at work; ends when the job is lost or may not go on.
    async fn beat(&self, errand: &Errand) -> Result<End, Error> {
        loop {
            tokio::time::sleep(BEAT).await;
            let (hold, until) = (errand.hold.clone(), lease(self.clock().now()));
            let renewed = self
                .store()
                .write_apart(async move |tx: &mut Tx<'_>| bulk::renew(tx, &hold, until).await);
            if matches!(renewed.await, Ok(false)) {
                return Ok(End::Lost);
            }
            // What cannot be asked now is asked a second later.
            if let Err(error @ Error::Unauthorized(_)) = self.may_go_on(&errand.ctx).await {
                return Err(error);
            }
        }
    }

    /// Whether the token that asked may still do so.
    async fn may_go_on(&self, ctx: &Ctx) -> Result<Ctx, Error> {
        let now = self.holder(&ctx.tenant, &ctx.token, ctx.request.clone()).await?;
        if now.scopes.allow(Scope::UsersWrite) {
            Ok(now)
        } else {
            Err(Error::Unauthorized(Challenge::Invalid))
        }
    }

    /// Leaves a job to whoever comes next; when that fails, its lease runs out.
    pub(super) async fn give_back(&self, hold: &Hold) {
        let hold = hold.clone();
        let given =
            self.store().write_apart(async move |tx: &mut Tx<'_>| bulk::release(tx, &hold).await);
        if let Err(error) = given.await {
            tracing::warn!(%error, "a bulk job was not given back; it goes on in a few seconds");
        }
    }

    /// Ends a job before its end; false when it had ended.
    pub(super) async fn stop_job(&self, place: Place) -> Result<bool, Error> {
        let (tenant, now) = (place.tenant.clone(), self.clock().now());
        let stopped = self
            .store()
            .write_long(&tenant, async move |tx: &mut Tx<'_>| bulk::stop(tx, &place, now).await);
        Ok(stopped.await?)
    }

    /// The operations of a job and what was done of them.
    async fn remembered(
        &self,
        job: &Job,
        request: Option<&Arc<Request>>,
    ) -> Result<(Arc<Request>, Past), Error> {
        let mut past = Past::default();
        let mut operations = Vec::new();
        let mut from = 0;
        loop {
            let (place, at) = (job.place.clone(), from);
            let page = self
                .store()
                .read(async move |tx: &mut Tx<'_>| bulk::steps(tx, &place, at, PAGE).await)
                .await?;
            let full = page.len() == ROWS;
            from = page.last().map_or(from, |step| step.at + 1);
            for step in page {
                let place = usize::try_from(step.at).unwrap_or_default();
                if request.is_none() {
                    operations.resize_with(place + 1, Operation::default);
                    operations[place] = operation_of(&step)?;
                }
                if step.result.is_some() {
                    past.steps.insert(place, step.made);
                }
            }
            if !full {
                break;
            }
        }
        let fail_on_errors = job.fail_on_errors.and_then(|most| u64::try_from(most).ok());
        let request = request.cloned();
        Ok((request.unwrap_or_else(|| Arc::new(Request { operations, fail_on_errors })), past))
    }

    /// Results of a job from this place on.
    pub(super) async fn page_of_results(&self, place: Place, from: u64) -> Result<Results, Error> {
        let from = i64::try_from(from).unwrap_or(i64::MAX);
        let rows = self
            .store()
            .read(async move |tx: &mut Tx<'_>| bulk::results(tx, &place, from, PAGE).await)
            .await?;
        let full = rows.len() == ROWS;
        let last = rows.last().and_then(|(at, _)| u64::try_from(at + 1).ok());
        let next = last.filter(|_| full);
        Ok(Results { results: rows.into_iter().map(|(_, result)| result).collect(), next })
    }

    /// All results of a job.
    pub(super) async fn all_results(&self, place: &Place) -> Result<Vec<String>, Error> {
        let (mut all, mut from) = (Vec::new(), Some(0));
        while let Some(at) = from {
            let page = self.page_of_results(place.clone(), at).await?;
            all.extend(page.results);
            from = page.next;
        }
        Ok(all)
    }

    /// The caller of a job that somebody else accepted.
    pub(super) async fn caller(&self, job: &Job) -> Result<Ctx, Error> {
        let caller: Value = serde_json::from_str(&job.caller).unwrap_or_default();
        let request = RequestId::from(caller["request"].as_str().unwrap_or_default());
        let token = TokenId::from(job.token.as_str());
        let ctx = self.holder(&job.place.tenant, &token, request).await?;
        self.may_go_on(&ctx).await
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A name for whoever works on a job now; another one each time.
pub(super) fn owner(now: Micros) -> String {
    ResourceId::new(now).to_string()
}

/// What a step was to do. Of one that is done only its name is still needed, which its result has.
fn operation_of(step: &Step) -> Result<Operation, Error> {
    let damaged = || Error::Internal(format!("operation {} of a bulk job is damaged", step.at));
    if let Some(result) = &step.result {
        let shown: Value = serde_json::from_str(result).map_err(|_| damaged())?;
        return Ok(Operation {
            method: shown["method"].as_str().and_then(Method::from_name),
            bulk_id: shown["bulkId"].as_str().map(Into::into),
            ..Operation::default()
        });
    }
    step.operation.as_deref().and_then(Operation::from_line).ok_or_else(damaged)
}
