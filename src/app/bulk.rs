//! Many operations in one request (RFC 7644 s3.7), at once or later (RFC 9967 s2.5.1).

mod case;
mod jobs;
mod later;
mod past;
mod prepare;
mod record;
mod ring;
mod rooms;
mod run;
mod turn;
mod unit;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::app::{App, Ctx, Error};
use crate::clock::Micros;
use crate::scim::bulk::Request;
use crate::scim::path::excerpt;
use crate::store::Tx;
use crate::store::bulk::{self as store, Hold, Place};
use case::{Case, Past};
use jobs::{Errand, Opened};
use rooms::Room;
pub(in crate::app) use rooms::Rooms;
use run::Run;

/// Seconds after which it is worth asking again: how far a job is, or for what is being worked on.
pub const RETRY_AFTER: u32 = 2;

/// How a bulk request is to be done, beside what stands in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BulkAsked {
    /// The key that makes a repeated request the same request.
    pub key: Option<String>,
    /// SHA-256 of the body, as it came.
    pub digest: [u8; 32],
    /// Whether the client would rather not wait for the answer (`Prefer: respond-async`).
    pub respond_async: bool,
    /// How long it would wait nevertheless (`Prefer: wait=…`).
    pub wait: Option<Duration>,
}

/// What a bulk request is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BulkAnswer {
    /// The results of the operations that were processed, in the order of the request.
    Done(Vec<String>),
    /// It is accepted and goes on by itself.
    Later {
        /// The id of the job: the `Set-Txn` of RFC 9967 s3.
        transaction: String,
        /// Where its state can be read.
        location: String,
    },
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Nothing of it has been done yet.
    Waiting,
    /// Some of it has been done.
    Running,
    /// It has ended.
    Done,
    /// Somebody ended it before its end.
    Stopped,
}

/// A job as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// How far it is.
    pub state: JobState,
    /// Its operations.
    pub total: u64,
    /// Operations that have been processed, the failed ones too.
    pub done: u64,
    /// Operations that failed.
    pub failed: u64,
    /// When it was accepted.
    pub created: Micros,
    /// When it ended.
    pub finished: Option<Micros>,
}

/// Some of a job's results, in the order of the request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Results {
    /// The results.
    pub results: Vec<String>,
    /// From where to ask for more; none after the last.
    pub next: Option<u64>,
}

/// How work on a job ended.
type Ended = oneshot::Receiver<Result<(), Error>>;

impl App {
    /// Does a bulk request, or accepts it for later.
    pub async fn bulk(
        &self,
        ctx: &Ctx,
        request: Request,
        asked: BulkAsked,
    ) -> Result<BulkAnswer, Error> {
        // A job for later is written down before it is answered, and a password never is: it is done
        // at once instead (RFC 7240 s2: a preference may be ignored).
        let later = asked.respond_async && !request.may_hold_passwords();
        let asked = BulkAsked { respond_async: later, ..asked };
        if later {
            return self.bulk_later(ctx, Arc::new(request), &asked).await;
        }
        let room = self.room(&ctx.tenant)?;
        if asked.key.is_none() {
            let case = Case::new(self, ctx, Arc::new(request), Past::default());
            let mut run = Run::new(case, None, (0, 0));
            run.go().await?;
            return Ok(BulkAnswer::Done(run.into_results()));
        }
        match self.open_job(ctx, &request, &asked).await? {
            Opened::Ended(place) => self.answered(&place).await,
            Opened::InUse { .. } => Err(Error::KeyInUse(RETRY_AFTER)),
            Opened::Mine { hold, .. } => {
                let place = hold.place.clone();
                self.at_work(ctx, hold, Arc::new(request), room)
                    .await
                    .unwrap_or(Err(Error::Busy(1)))?;
                self.answered(&place).await
            }
        }
    }

    /// Accepts a request for later, unless it was before.
    async fn bulk_later(
        &self,
        ctx: &Ctx,
        request: Arc<Request>,
        asked: &BulkAsked,
    ) -> Result<BulkAnswer, Error> {
        let (hold, stored) = match self.open_job(ctx, &request, asked).await? {
            Opened::Ended(place) => return self.answered(&place).await,
            Opened::InUse { place, stored: true } => return Ok(self.later(&place)),
            // Nobody else could go on with it: it is not accepted yet, or its client waits.
            Opened::InUse { stored: false, .. } => return Err(Error::KeyInUse(RETRY_AFTER)),
            Opened::Mine { hold, stored } => (hold, stored),
        };
        let place = hold.place.clone();
        let errand = Errand { hold, ctx: ctx.clone(), request: Some(request) };
        let (tell, accepted) = oneshot::channel();
        let (app, keyed) = (self.clone(), asked.key.is_some());
        // A client that hangs up now does not leave half a job.
        self.worker().start_whole(async move {
            let _ = tell.send(app.accept(errand, stored, keyed).await);
        });
        let ended = accepted.await.unwrap_or(Err(Error::Busy(1)))?;
        let (Some(wait), Some(ended)) = (asked.wait, ended) else { return Ok(self.later(&place)) };
        match tokio::time::timeout(wait, ended).await {
            Ok(Ok(Ok(()))) => self.answered(&place).await,
            Ok(Ok(Err(error @ (Error::Unauthorized(_) | Error::Forbidden(_))))) => Err(error),
            // It goes on, here or elsewhere.
            Ok(Ok(Err(_)) | Err(_)) | Err(_) => Ok(self.later(&place)),
        }
    }

    /// Keeps the operations of a job and begins it where there is room; how it ends comes later.
    async fn accept(
        &self,
        errand: Errand,
        stored: bool,
        keyed: bool,
    ) -> Result<Option<Ended>, Error> {
        let Errand { hold, ctx, request } = errand;
        let request = request.unwrap_or_default();
        if !stored && let Err(error) = self.keep_operations(&hold, &request).await {
            if keyed {
                self.give_back(&hold).await;
            } else if let Err(cause) = self.forget_job(&hold.place).await {
                tracing::warn!(%cause, "a bulk job that was not accepted is forgotten later");
            }
            return Err(error);
        }
        let Some(room) = self.room_for_later(&ctx.tenant).await else {
            self.give_back(&hold).await;
            return Ok(None);
        };
        Ok(Some(self.at_work(&ctx, hold, request, room)))
    }

    /// Works on a job beside the request, which may go away.
    fn at_work(&self, ctx: &Ctx, hold: Hold, request: Arc<Request>, room: Room) -> Ended {
        let (tell, ended) = oneshot::channel();
        let (app, ctx) = (self.clone(), ctx.clone());
        self.worker().start_whole(async move {
            let done = app.work_on(Errand { hold, ctx, request: Some(request) }).await;
            drop(room);
            app.0.rooms.free.notify_one();
            // Whoever asked may have gone.
            let _ = tell.send(done);
        });
        ended
    }

    /// All results of a job that has ended.
    async fn answered(&self, place: &Place) -> Result<BulkAnswer, Error> {
        let wanted = place.clone();
        let job =
            self.store().read(async move |tx: &mut Tx<'_>| store::find(tx, &wanted).await).await?;
        if job.as_ref().is_some_and(|job| job.stopped.is_some()) {
            return Err(Error::Stopped(self.address(place)));
        }
        let results = self.all_results(place).await?;
        // It is being forgotten just now: what is left of it is not all.
        if job.is_none_or(|job| usize::try_from(job.done) != Ok(results.len())) {
            return Err(Error::Busy(1));
        }
        Ok(BulkAnswer::Done(results))
    }

    fn address(&self, place: &Place) -> String {
        format!("{}/Bulk/{}", self.base(), place.id)
    }

    fn later(&self, place: &Place) -> BulkAnswer {
        BulkAnswer::Later { transaction: place.id.clone(), location: self.address(place) }
    }

    /// How far a job is; another token's looks like one that does not exist.
    pub async fn bulk_job(&self, ctx: &Ctx, id: &str) -> Result<Job, Error> {
        let (place, token) = (place(ctx, id), ctx.token.to_string());
        let found = self
            .store()
            .read(async move |tx: &mut Tx<'_>| store::find(tx, &place).await)
            .await?
            .filter(|job| job.token == token);
        let Some(job) = found else {
            return Err(Error::NotFound { kind: "Bulk job".to_owned(), id: excerpt(id) });
        };
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        let state = match (job.finished, job.stopped) {
            (_, Some(_)) => JobState::Stopped,
            (Some(_), None) => JobState::Done,
            (None, None) if job.done == 0 => JobState::Waiting,
            (None, None) => JobState::Running,
        };
        Ok(Job {
            id: job.place.id,
            state,
            total: count(job.total),
            done: count(job.done),
            failed: count(job.failed),
            created: job.created,
            finished: job.finished,
        })
    }

    /// The results of a job from this place on, as many as fit a page.
    pub async fn bulk_results(&self, ctx: &Ctx, id: &str, from: u64) -> Result<Results, Error> {
        let job = self.bulk_job(ctx, id).await?;
        self.page_of_results(place(ctx, &job.id), from).await
    }

    /// Ends a job after what it is doing now; what it has done stays.
    pub async fn stop_bulk(&self, ctx: &Ctx, id: &str) -> Result<(), Error> {
        let job = self.bulk_job(ctx, id).await?;
        self.stop_job(place(ctx, &job.id)).await.map(drop)
    }
}

fn place(ctx: &Ctx, id: &str) -> Place {
    Place { tenant: ctx.tenant.clone(), id: id.to_owned() }
}
