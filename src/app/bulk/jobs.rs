//! Bulk requests that are remembered: with an Idempotency-Key, or asynchronous.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::case::Case;
use super::record::{Record, lease, lost};
use super::run::{End, Run};
use super::{BulkAsked, RETRY_AFTER};
use crate::app::{App, Ctx, Error};
use crate::clock::Micros;
use crate::domain::scope::Scope;
use crate::domain::token;
use crate::ids::{RequestId, ResourceId, TokenId};
use crate::scim::bulk::Request;
use crate::store::bulk::{self, Hold, Job, Place};
use crate::store::{self, Tx};

/// Seconds before a job that failed is tried again: at first, and after many failures.
const FIRST_PAUSE: i64 = 2;
const LONGEST_PAUSE: i64 = 600;
/// Asynchronous jobs of one tenant that may wait.
const MOST_OPEN: i64 = 100;
/// Operations that are kept in one transaction, and their bytes.
const KEPT: usize = 256;
const KEPT_BYTES: usize = 1024 * 1024;
/// How often whoever works on a job says so, and asks whether it still may.
pub(super) const BEAT: Duration = Duration::from_secs(1);

/// What a request that is to be remembered finds.
pub(super) enum Opened {
    /// It is this one's to be done; whether its operations are kept already.
    Mine { hold: Hold, stored: bool },
    /// It has ended.
    Ended(Place),
    /// Somebody is at work on it, or it waits for somebody.
    InUse { place: Place, stored: bool },
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
        let (app, later) = (self.clone(), asked.respond_async);
        self.store()
            .write_long(&ctx.tenant, async move |tx: &mut Tx<'_>| {
                let owner = job.owner.clone().unwrap_or_default();
                if bulk::insert(tx, &job).await? {
                    let tenant = &job.place.tenant;
                    if later && bulk::open(tx, tenant, job.created).await? > MOST_OPEN {
                        return Err(Error::Busy(RETRY_AFTER));
                    }
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
                Ok(Opened::InUse { place: hold.place, stored: found.stored })
            })
            .await
    }

    fn new_job(&self, ctx: &Ctx, request: &Request, asked: &BulkAsked) -> Job {
        let now = self.clock().now();
        // Of the body of a request without a key nothing has to be remembered.
        let key = asked.key.as_deref();
        let digest = key.map(|key| digest(&asked.digest, key)).unwrap_or_default();
        Job {
            place: Place { tenant: ctx.tenant.clone(), id: ResourceId::new(now).to_string() },
            token: ctx.token.to_string(),
            key: key.map(token::hash),
            digest,
            caller: json!({ "request": ctx.request.as_str(), "epoch": ctx.epoch }).to_string(),
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
            attempts: 0,
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
        let done = self.turn_to(&errand).await;
        match &done {
            Ok(End::Done) => return Ok(()),
            Ok(End::Lost) => return Err(lost()),
            Ok(End::Interrupted) => {
                self.give_back(&errand.hold).await;
                return Err(Error::Busy(1));
            }
            Err(Error::Unauthorized(_) | Error::Forbidden(_)) => {
                self.stop_job(errand.hold.place.clone()).await?;
            }
            Err(error) => self.put_off(&errand.hold, error).await,
        }
        done.map(drop)
    }

    async fn turn_to(&self, errand: &Errand) -> Result<End, Error> {
        loop {
            let Some(job) = self.held(&errand.hold).await? else { return Ok(End::Lost) };
            if job.finished.is_some() {
                return Ok(End::Done);
            }
            let (request, past) = self.remembered(&job, errand.request.as_ref()).await?;
            let count = |number: i64| u64::try_from(number).unwrap_or(0);
            let before = (count(job.done), count(job.failed));
            let record = Record { hold: errand.hold.clone() };
            let mut run =
                Run::new(Case::new(self, &errand.ctx, request, past), Some(record), before);
            let ended = tokio::select! {
                ended = run.go() => ended,
                ended = self.beat(errand) => ended,
            };
            match ended? {
                // Perhaps it is still ours: a commit whose answer was lost.
                End::Lost => {}
                ended @ (End::Done | End::Interrupted) => return Ok(ended),
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
            match self.may_go_on(&errand.ctx).await {
                Err(error @ (Error::Unauthorized(_) | Error::Forbidden(_))) => return Err(error),
                // Whoever takes it up does so with what the token may now.
                Ok(now) if !now.scopes.covers(&errand.ctx.scopes) => return Ok(End::Interrupted),
                // What cannot be asked now is asked a second later.
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// Whether the token that asked may still do so, and what else it may now.
    pub(super) async fn may_go_on(&self, ctx: &Ctx) -> Result<Ctx, Error> {
        let who = (&ctx.token, ctx.epoch);
        let now = self.holder(&ctx.tenant, who, ctx.request.clone()).await?;
        now.require(Scope::UsersWrite)?;
        Ok(now)
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

    /// Leaves a job that failed to whoever comes after a pause, which grows: others go first. Where its
    /// client has to send it again, that is the pause.
    pub(super) async fn put_off(&self, hold: &Hold, error: &Error) {
        error.log();
        let (mine, now) = (hold.clone(), self.clock().now());
        let put_off = self.store().write_apart(async move |tx: &mut Tx<'_>| {
            let Some(job) = bulk::find(tx, &mine.place).await? else { return Ok(0) };
            if !job.stored {
                bulk::release(tx, &mine).await?;
                return Ok(0);
            }
            let pause = (FIRST_PAUSE << job.attempts.clamp(0, 16)).min(LONGEST_PAUSE);
            bulk::postpone(tx, &mine, now.plus_seconds(pause)).await?;
            Ok::<_, store::Error>(pause)
        });
        let (job, tenant) = (&hold.place.id, &hold.place.tenant);
        match put_off.await {
            Ok(pause) => tracing::warn!(
                %error, job, tenant.id = %tenant, pause, "a bulk job failed; it waits before it goes on"
            ),
            Err(cause) => tracing::warn!(
                %error, %cause, job, tenant.id = %tenant, "a bulk job failed, and was not given back"
            ),
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

    /// The caller of a job that somebody else accepted.
    pub(super) async fn caller(&self, job: &Job) -> Result<Ctx, Error> {
        let caller: Value = serde_json::from_str(&job.caller).unwrap_or_default();
        let request = RequestId::from(caller["request"].as_str().unwrap_or_default());
        let token = TokenId::from(job.token.as_str());
        let who = (&token, caller["epoch"].as_i64());
        let ctx = self.holder(&job.place.tenant, who, request).await?;
        self.may_go_on(&ctx).await
    }
}

/// What a repeated request is known by. A body may hold passwords: without the key, of which only the
/// hash is kept, nobody can try which body it was.
fn digest(body: &[u8; 32], key: &str) -> String {
    token::hash(&format!("{} {key}", hex::encode(body)))
}

/// A name for whoever works on a job now; another one each time.
pub(super) fn owner(now: Micros) -> String {
    ResourceId::new(now).to_string()
}
