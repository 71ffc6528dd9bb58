//! Many operations in one request (RFC 7644 s3.7), at once or later (RFC 9967 s2.5.1).

#![expect(clippy::unused_async, reason = "the signatures are there before what they do")]

use std::time::Duration;

use crate::app::{App, Ctx, Error};
use crate::clock::Micros;
use crate::scim::bulk::Request;

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
        _ctx: &Ctx,
        _request: Request,
        _asked: BulkAsked,
    ) -> Result<BulkAnswer, Error> {
        Err(Error::NotImplemented("/Bulk is not supported yet.".to_owned()))
    }

    /// How far a job is; another token's looks like one that does not exist.
    pub async fn bulk_job(&self, _ctx: &Ctx, id: &str) -> Result<Job, Error> {
        Err(Error::NotFound { kind: "Bulk job".to_owned(), id: id.to_owned() })
    }

    /// The results of a job from this place on, as many as fit a page.
    pub async fn bulk_results(&self, _ctx: &Ctx, id: &str, _from: u64) -> Result<Results, Error> {
        Err(Error::NotFound { kind: "Bulk job".to_owned(), id: id.to_owned() })
    }

    /// Ends a job after what it is doing now; what it has done stays.
    pub async fn stop_bulk(&self, _ctx: &Ctx, id: &str) -> Result<(), Error> {
        Err(Error::NotFound { kind: "Bulk job".to_owned(), id: id.to_owned() })
    }
}
