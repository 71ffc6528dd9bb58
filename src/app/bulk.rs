//! Many operations in one request (RFC 7644 s3.7), at once or later (RFC 9967 s2.5.1).

mod case;
mod jobs;
mod later;
mod prepare;
mod record;
mod ring;
mod run;
mod turn;
mod unit;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::app::{App, Ctx, Error};
use crate::clock::Micros;
use crate::scim::bulk::Request;
use crate::scim::path::excerpt;
use crate::store::Tx;
use crate::store::bulk::{self as store, Hold, Place};
use case::{Case, Past};
use jobs::{Errand, Opened};
pub(in crate::app) use later::Slots;
use run::Run;

/// Seconds after which a request whose twin is at work may be sent again.
const RETRY_AFTER: u32 = 2;

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

impl App {
    /// Does a bulk request, or accepts it for later.
    pub async fn bulk(
        &self,
        ctx: &Ctx,
        request: Request,
        asked: BulkAsked,
    ) -> Result<BulkAnswer, Error> {
        if !asked.respond_async && asked.key.is_none() {
            let case = Case::new(self, ctx, Arc::new(request), Past::default());
            let mut run = Run::new(case, None, (0, 0));
            run.go().await?;
            return Ok(BulkAnswer::Done(run.into_results()));
        }
        match self.open_job(ctx, &request, &asked).await? {
            Opened::Ended(place) => self.answered(&place).await,
            Opened::InUse(place) if asked.respond_async => Ok(self.later(&place)),
            Opened::InUse(_) => Err(Error::KeyInUse(RETRY_AFTER)),
            Opened::Mine { hold, .. } if !asked.respond_async => {
                let place = hold.place.clone();
                self.at_work(ctx, hold, Arc::new(request), None)
                    .await
                    .unwrap_or(Err(Error::Busy(1)))?;
                self.answered(&place).await
            }
            Opened::Mine { hold, stored } => {
                let request = Arc::new(request);
                if !stored {
                    self.keep_operations(&hold, &request).await?;
                }
                self.begin_later(ctx, hold, request, asked.wait).await
            }
        }
    }

    /// Begins an accepted job where there is room for it, and waits a little for its end.
    async fn begin_later(
        &self,
        ctx: &Ctx,
        hold: Hold,
        request: Arc<Request>,
        wait: Option<Duration>,
    ) -> Result<BulkAnswer, Error> {
        let place = hold.place.clone();
        let Ok(room) = Arc::clone(&self.0.slots.0).try_acquire_owned() else {
            self.give_back(&hold).await;
            return Ok(self.later(&place));
        };
        let ended = self.at_work(ctx, hold, request, Some(room));
        if let Some(wait) = wait
            && let Ok(Ok(Ok(()))) = tokio::time::timeout(wait, ended).await
        {
            return self.answered(&place).await;
        }
        Ok(self.later(&place))
    }

    /// Works on a job beside the request, which may go away.
    fn at_work(
        &self,
        ctx: &Ctx,
        hold: Hold,
        request: Arc<Request>,
        room: Option<OwnedSemaphorePermit>,
    ) -> oneshot::Receiver<Result<(), Error>> {
        let (tell, ended) = oneshot::channel();
        let (app, ctx) = (self.clone(), ctx.clone());
        self.worker().start_whole(async move {
            let done = app.work_on(Errand { hold, ctx, request: Some(request) }).await;
            drop(room);
            // Whoever asked may have gone.
            let _ = tell.send(done);
        });
        ended
    }

    async fn answered(&self, place: &Place) -> Result<BulkAnswer, Error> {
        Ok(BulkAnswer::Done(self.all_results(place).await?))
    }

    fn later(&self, place: &Place) -> BulkAnswer {
        let location = format!("{}/Bulk/{}", self.base(), place.id);
        BulkAnswer::Later { transaction: place.id.clone(), location }
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
