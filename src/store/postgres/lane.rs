//! One held connection and the loop that serves it.
//!
//! A transaction is begun in the same round trip in which the one before it ends, so that whoever
//! asks next waits for none. Before its first query it holds neither locks nor a snapshot.

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

/// Reads that share a snapshot at most; few, so that the other lanes get some.
const READS: usize = 8;
/// No closure takes this long unless it waits for something else than the database.
const LONGEST: Duration = Duration::from_secs(45);
/// After this time without work a transaction that was begun ahead is ended.
const IDLE: Duration = Duration::from_secs(1);

/// What a lane is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Reads: those that wait at the same moment share a snapshot.
    Read,
    /// Changes: a transaction each.
    Write,
}

impl Use {
    fn begin(self) -> &'static str {
        match self {
            Self::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Self::Write => "BEGIN",
        }
    }

    /// Ends a transaction and begins the next.
    fn turn(self, keep: bool) -> &'static str {
        match (self, keep) {
            (Self::Read, _) => "COMMIT; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            (Self::Write, true) => "COMMIT; BEGIN",
            (Self::Write, false) => "ROLLBACK; BEGIN",
        }
    }
}

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Outside of any transaction, or there is none.
    Resting,
    /// At the beginning of a transaction.
    Fresh,
    /// In the middle of a transaction that read.
    Used,
}

/// Longest wait for the end of a transaction; a server that went silent must not hold a lane.
const END: Duration = Duration::from_secs(30);

async fn in_time<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let silent = |_| Error::Unavailable("PostgreSQL does not answer".to_owned());
    tokio::time::timeout(END, work).await.map_err(silent)?
}

/// One held connection.
pub(super) struct Lane {
    options: PgConnectOptions,
    patience: Duration,
    purpose: Use,
    held: Option<PgConnection>,
    state: State,
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
    pub(super) fn new(options: PgConnectOptions, patience: Duration, purpose: Use) -> Self {
        Self { options, patience, purpose, held: None, state: State::Resting }
    }

    /// Serves the queue until it closes.
    pub(super) fn run(mut self, queue: &Mutex<Receiver<Message>>) {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return;
        };
        runtime.block_on(async move {
            while let Some(jobs) = self.next(queue).await {
                for mut job in jobs {
                    let outcome = self.serve(job.as_mut()).await;
                    job.finish(outcome);
                }
                // Whoever asks from now on shall see a later moment.
                if self.state == State::Used
                    && let Some(connection) = self.held.take()
                {
                    self.turn(connection, true).await.ok();
                }
            }
            if let Some(connection) = self.held.take() {
                sqlx::Connection::close(connection).await.ok();
            }
        });
    }

    /// What waits, or nothing when the queue is closed.
    async fn next(&mut self, queue: &Mutex<Receiver<Message>>) -> Option<Vec<Box<dyn Job>>> {
        let most = match self.purpose {
            Use::Read => READS,
            Use::Write => 1,
        };
        let receive = async {
            let mut messages = Vec::new();
            let mut queue = queue.lock().await;
            let received = queue.recv_many(&mut messages, most).await;
            (received > 0).then(|| jobs(&mut messages, &mut queue))
        };
        let mut receive = std::pin::pin!(receive);
        if self.state == State::Fresh {
            if let Ok(received) = tokio::time::timeout(IDLE, &mut receive).await {
                return received;
            }
            self.rest().await;
        }
        receive.await
    }

    /// Runs a closure until it is done or must be refused.
    async fn serve(&mut self, job: &mut dyn Job) -> Result<(), Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.attempt(job).await {
                End::Answer(outcome) => return outcome,
                End::Again(error) if tries >= TRIES => return Err(gave_up(&error)),
                End::Again(_) => tokio::time::sleep(pause(tries)).await,
            }
        }
    }

    async fn attempt(&mut self, job: &mut dyn Job) -> End {
        // Whoever returns early drops the connection: nobody knows what it is doing.
        let mut connection = match self.begun(job.since()).await {
            Ok(connection) => connection,
            Err(error) => return End::Answer(Err(error)),
        };
        let mut tx = Tx::postgres(&mut connection);
        let verdict = match guarded(job, &mut tx).await {
            Ok(verdict) => verdict,
            Err(error) => return End::Answer(Err(error)),
        };
        let (failed, lost) = (tx.failed().cloned(), tx.lost());
        if lost {
            let why = || Error::Unavailable("the connection was lost".to_owned());
            return End::Again(failed.unwrap_or_else(why));
        }
        let keep = verdict == Verdict::Keep && failed.is_none();
        let ended = if self.purpose == Use::Read && verdict != Verdict::Again && failed.is_none() {
            self.hold(connection, State::Used);
            Ok(())
        } else {
            self.turn(connection, keep).await
        };
        match (verdict, failed, ended) {
            (Verdict::Keep, None, Err(error @ Error::Again(_))) => End::Again(error),
            // After a lost COMMIT nobody knows whether it was kept.
            (Verdict::Keep, None, Err(error)) => {
                End::Answer(Err(Error::Unavailable(format!("the outcome is not known: {error}"))))
            }
            (Verdict::Again, failed, _) => {
                End::Again(failed.unwrap_or_else(|| Error::Again("asked for".to_owned())))
            }
            (Verdict::Keep, Some(error), _) => End::Answer(Err(error)),
            (Verdict::Keep, None, Ok(())) | (Verdict::Undo, ..) => End::Answer(Ok(())),
        }
    }

    fn hold(&mut self, connection: PgConnection, state: State) {
        self.held = Some(connection);
        self.state = state;
    }

    /// Ends the transaction and begins the next; a connection that cannot is dropped.
    async fn turn(&mut self, mut connection: PgConnection, keep: bool) -> Result<(), Error> {
        self.state = State::Resting;
        in_time(plain(&mut connection, self.purpose.turn(keep))).await?;
        self.hold(connection, State::Fresh);
        Ok(())
    }

    /// Ends a transaction that was begun ahead.
    async fn rest(&mut self) {
        self.state = State::Resting;
        if let Some(mut connection) = self.held.take()
            && in_time(plain(&mut connection, "COMMIT")).await.is_ok()
        {
            self.held = Some(connection);
        }
    }

    /// A connection inside a transaction, a new one if need be, while the one who asked has patience.
    async fn begun(&mut self, since: Instant) -> Result<PgConnection, Error> {
        if self.state != State::Resting
            && let Some(connection) = self.held.take()
        {
            return Ok(connection);
        }
        self.state = State::Resting;
        let mut tried = 0;
        loop {
            let error = match self.try_begin(since).await {
                Ok(connection) => return Ok(connection),
                Err(error) => error,
            };
            tried += 1;
            let wait = pause(tried);
            if since.elapsed() + wait >= self.patience {
                return Err(gave_up(&error));
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn try_begin(&mut self, since: Instant) -> Result<PgConnection, Error> {
        let shortest = Duration::from_millis(200);
        let left = self.patience.saturating_sub(since.elapsed()).max(shortest);
        let begun = tokio::time::timeout(left, async {
            let mut connection = match self.held.take() {
                Some(connection) => connection,
                None => connect(&self.options).await?,
            };
            plain(&mut connection, self.purpose.begin()).await?;
            Ok(connection)
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
