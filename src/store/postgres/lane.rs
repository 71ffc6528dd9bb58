//! One held connection and the loop that serves it.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::sync::Mutex;
use tokio::sync::mpsc::Receiver;

use super::{connect, plain};
use crate::store::job::{Job, Message, Verdict, panicked, waited};
use crate::store::retry::{TRIES, gave_up, pause};
use crate::store::sqlite::jobs;
use crate::store::{Error, Tx};

/// Reads that share a transaction at most; few, so that the other lanes get some.
const READS: usize = 8;
/// No change takes this long unless it waits for something else than the database.
const LONGEST: Duration = Duration::from_secs(45);

/// One held connection.
pub(super) struct Lane {
    options: PgConnectOptions,
    patience: Duration,
    connection: Option<PgConnection>,
}

/// How an attempt ended.
enum End {
    /// Answer with this.
    Answer(Result<(), Error>),
    /// Try again: nothing was kept.
    Again(Error),
}

impl Lane {
    /// A lane that is not connected yet.
    pub(super) fn new(options: PgConnectOptions, patience: Duration) -> Self {
        Self { options, patience, connection: None }
    }

    /// Serves the queue until it closes.
    pub(super) fn run(mut self, queue: &Mutex<Receiver<Message>>, writes: bool) {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return;
        };
        runtime.block_on(async move {
            let mut messages = Vec::new();
            let most = if writes { 1 } else { READS };
            loop {
                let jobs = {
                    let mut queue = queue.lock().await;
                    if queue.recv_many(&mut messages, most).await == 0 {
                        break;
                    }
                    jobs(&mut messages, &mut queue)
                };
                if writes {
                    for job in jobs {
                        self.write(job).await;
                    }
                } else if !jobs.is_empty() {
                    self.read(jobs).await;
                }
            }
            if let Some(connection) = self.connection.take() {
                let _ = sqlx::Connection::close(connection).await;
            }
        });
    }

    async fn write(&mut self, mut job: Box<dyn Job>) {
        let mut tries = 0;
        let outcome = loop {
            tries += 1;
            match self.attempt(job.as_mut()).await {
                End::Answer(outcome) => break outcome,
                End::Again(error) if tries >= TRIES => break Err(gave_up(&error)),
                End::Again(_) => tokio::time::sleep(pause(tries)).await,
            }
        };
        job.finish(outcome);
    }

    /// Runs a change once in its own transaction.
    async fn attempt(&mut self, job: &mut dyn Job) -> End {
        if let Err(error) = self.begin("BEGIN", job.since()).await {
            return End::Answer(Err(error));
        }
        // Whoever leaves early leaves the connection behind: nobody knows what it is doing.
        let Some(mut connection) = self.connection.take() else {
            return End::Answer(Err(Error::Unavailable("not connected".to_owned())));
        };
        let mut tx = Tx::postgres(&mut connection);
        let verdict = match guarded(job, &mut tx).await {
            Ok(verdict) => verdict,
            Err(error) => return End::Answer(Err(error)),
        };
        let (failed, lost) = (tx.failed().cloned(), tx.lost());
        if lost {
            let why = Error::Unavailable("the connection was lost".to_owned());
            return End::Again(failed.unwrap_or(why));
        }
        let keep = verdict == Verdict::Keep && failed.is_none();
        let ended = plain(&mut connection, if keep { "COMMIT" } else { "ROLLBACK" }).await;
        match (verdict, failed, ended) {
            // After a lost COMMIT nobody knows whether it was kept.
            (Verdict::Keep, None, Err(error @ (Error::Unavailable(_) | Error::Database(_)))) => {
                End::Answer(Err(Error::Unavailable(format!("the outcome is not known: {error}"))))
            }
            (Verdict::Keep, None, Err(error)) => {
                self.connection = Some(connection);
                End::Again(error)
            }
            (verdict, failed, ended) => {
                if ended.is_ok() {
                    self.connection = Some(connection);
                }
                match (verdict, failed) {
                    (Verdict::Again, failed) => {
                        End::Again(failed.unwrap_or_else(|| Error::Again("asked for".to_owned())))
                    }
                    (Verdict::Keep, Some(error)) => End::Answer(Err(error)),
                    (Verdict::Keep, None) | (Verdict::Undo, _) => End::Answer(Ok(())),
                }
            }
        }
    }

    /// Runs reads in one snapshot; each is answered as soon as it is done.
    async fn read(&mut self, jobs: Vec<Box<dyn Job>>) {
        let mut open = false;
        for job in jobs {
            open = self.read_one(job, open).await;
        }
        if open {
            self.end().await;
        }
    }

    /// Runs one read and says whether its transaction is still good for the next.
    async fn read_one(&mut self, mut job: Box<dyn Job>, open: bool) -> bool {
        if !open {
            let sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
            if let Err(error) = self.begin(sql, job.since()).await {
                job.finish(Err(error));
                return false;
            }
        }
        let Some(mut connection) = self.connection.take() else {
            job.finish(Err(Error::Unavailable("not connected".to_owned())));
            return false;
        };
        let mut tx = Tx::postgres(&mut connection);
        let outcome = guarded(job.as_mut(), &mut tx).await;
        let (failed, lost) = (tx.failed().is_some(), tx.lost());
        let usable = outcome.is_ok() && !lost;
        job.finish(outcome.map(drop));
        if usable {
            self.connection = Some(connection);
        }
        // An error spoils the transaction; the others get a new one.
        if usable && failed {
            self.end().await;
        }
        usable && !failed
    }

    /// Ends a transaction that wrote nothing.
    async fn end(&mut self) {
        if let Some(mut connection) = self.connection.take()
            && plain(&mut connection, "COMMIT").await.is_ok()
        {
            self.connection = Some(connection);
        }
    }

    /// Begins a transaction, on a new connection if need be, while the one who asked has patience.
    async fn begin(&mut self, sql: &'static str, since: Instant) -> Result<(), Error> {
        let mut tried = 0;
        loop {
            let error = match self.try_begin(sql, since).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            self.connection = None;
            tried += 1;
            let wait = pause(tried);
            if since.elapsed() + wait >= self.patience {
                return Err(gave_up(&error));
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn try_begin(&mut self, sql: &'static str, since: Instant) -> Result<(), Error> {
        let shortest = Duration::from_millis(200);
        let left = self.patience.saturating_sub(since.elapsed()).max(shortest);
        let begun = tokio::time::timeout(left, async {
            let mut connection = match self.connection.take() {
                Some(connection) => connection,
                None => connect(&self.options).await?,
            };
            plain(&mut connection, sql).await?;
            self.connection = Some(connection);
            Ok(())
        });
        begun.await.unwrap_or_else(|_| Err(Error::Unavailable("no answer in time".to_owned())))
    }
}

/// Runs an attempt; a panic and an endless wait are errors of this job alone.
async fn guarded(job: &mut dyn Job, tx: &mut Tx<'_>) -> Result<Verdict, Error> {
    let run = AssertUnwindSafe(job.attempt(tx)).catch_unwind();
    match tokio::time::timeout(LONGEST, run).await {
        Ok(Ok(verdict)) => Ok(verdict),
        Ok(Err(_)) => Err(panicked()),
        Err(_) => Err(waited()),
    }
}
