//! Changes: those of a tenant that wait at the same moment share a commit.
//!
//! A batch that is one statement is its own transaction (write/single.rs). Any other runs without
//! savepoints first, which saves a round trip for each change. When a change fails after it has
//! written, the batch is undone and run once more, each change in a savepoint.

mod single;
mod together;

use std::collections::VecDeque;

use sqlx::postgres::PgConnection;

use super::link::{END, IDLE, Link, State, guarded};
use super::plain;
use crate::store::job::{Job, Verdict};
use crate::store::queue::{Batch, Line, Next, Queue};
use crate::store::retry::{TRIES, gave_up, pause};
use crate::store::sqlite::{BATCH, BATCH_BYTES};
use crate::store::tx::Counts;
use crate::store::{Error, Tx, UNKNOWN, blocks, turns};

/// Changes that ran, with what they are answered after the commit.
type Done = Vec<(Box<dyn Job>, Result<(), Error>)>;

/// Serves the lines until they close.
pub(super) fn run(mut held: Link, queue: &Queue) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    loop {
        let patience = (held.state == State::Fresh).then_some(IDLE);
        match queue.next_line(BATCH, patience) {
            Next::Batches(batches) => {
                for batch in batches {
                    let line = batch.line.clone();
                    runtime.block_on(serve(&mut held, batch));
                    queue.served(&line);
                }
            }
            Next::Idle => runtime.block_on(held.rest()),
            Next::Closed => break,
        }
    }
    runtime.block_on(held.close());
}

/// Runs and answers all changes of a batch, in one commit where that is possible.
async fn serve(held: &mut Link, Batch { line, jobs }: Batch) {
    let mut waiting = jobs;
    let mut tries = 0;
    while !waiting.is_empty() {
        tries += 1;
        if tries == 1 && single::attempt(held, &line, &mut waiting).await {
            tries = 0;
            continue;
        }
        let end = attempt(held, &line, &mut waiting).await;
        let failed = match end {
            End::Done => {
                tries = 0;
                continue;
            }
            End::Failed(error) => Some(error),
            End::Again(error) if tries >= TRIES => Some(gave_up(&error)),
            End::Again(_) => None,
        };
        match failed {
            None => tokio::time::sleep(pause(tries)).await,
            Some(error) => {
                for job in waiting.drain(..) {
                    job.finish(Err(error.clone()));
                }
            }
        }
    }
}

/// How an attempt at a batch ended.
enum End {
    /// Those that were committed or refused are answered; the rest still waits.
    Done,
    /// Nothing was kept: try again.
    Again(Error),
    /// Nothing was kept, and trying again would not help.
    Failed(Error),
}

/// What became of one change.
enum Fate {
    /// It is to be kept, or it was refused before it wrote anything.
    Fine,
    /// What it wrote has to go; it is answered with this, or with its own refusal.
    Undo(Result<(), Error>),
    /// It asked to begin again.
    Again(Error),
    /// It left the connection where nobody knows; it is answered with this.
    Broke(Error),
    /// The connection is gone.
    Lost(Error),
}

/// Why a transaction cannot go on, and whether its connection can.
struct Stop {
    error: Error,
    usable: bool,
}

async fn attempt(held: &mut Link, line: &Line, waiting: &mut VecDeque<Box<dyn Job>>) -> End {
    let Some(since) = waiting.front().map(|job| job.since()) else { return End::Done };
    let before = waiting.len();
    let mut connection = match held.begun(since).await {
        Ok(connection) => connection,
        Err(error) => return End::Failed(error),
    };
    let mut run = Run {
        connection: &mut connection,
        line,
        done: Vec::new(),
        bytes: 0,
        counts: Counts::default(),
        guarded: false,
    };
    let ran = run.all(waiting).await;
    let done = run.done;
    let ended = match ran {
        Ok(true) => held.turn(connection, true).await,
        Ok(false) => {
            // Nothing is to be kept, whether this succeeds or not.
            held.turn(connection, false).await.ok();
            Ok(())
        }
        Err(stop) => {
            if stop.usable {
                held.turn(connection, false).await.ok();
            }
            let end = put_back(waiting, done, stop.error);
            // One that broke the connection is answered and gone: the others begin afresh.
            return if waiting.len() < before { End::Done } else { end };
        }
    };
    match ended {
        Err(error @ Error::Again(_)) => put_back(waiting, done, error),
        ended => {
            // After a lost COMMIT nobody knows whether it was kept.
            let ended = ended.map_err(|error| Error::Unavailable(format!("{UNKNOWN}: {error}")));
            for (job, outcome) in done {
                job.finish(ended.clone().and(outcome));
            }
            End::Done
        }
    }
}

/// Nothing was kept: all wait again, in their order.
fn put_back(waiting: &mut VecDeque<Box<dyn Job>>, done: Done, error: Error) -> End {
    for (job, _) in done.into_iter().rev() {
        waiting.push_front(job);
    }
    match error {
        Error::Again(_) => End::Again(error),
        Error::Taken(_)
        | Error::Full
        | Error::Busy
        | Error::Unavailable(_)
        | Error::Database(_) => End::Failed(error),
    }
}

/// One transaction for many changes.
struct Run<'c> {
    connection: &'c mut PgConnection,
    line: &'c Line,
    done: Done,
    bytes: usize,
    counts: Counts,
    /// Whether each change has a savepoint.
    guarded: bool,
}

impl Run<'_> {
    /// Runs changes from the front of the line until it is empty or enough for one commit; whether
    /// there is anything to commit.
    async fn all(&mut self, waiting: &mut VecDeque<Box<dyn Job>>) -> Result<bool, Stop> {
        self.take_turn().await?;
        while !self.is_enough(waiting) {
            // In savepoints each goes alone, so that one that fails takes no other with it.
            let together = if self.guarded { 0 } else { together::together(waiting) };
            if together > 1 {
                self.share(waiting, together).await?;
                continue;
            }
            let Some(mut job) = waiting.pop_front() else { break };
            let alone = self.done.is_empty() && waiting.is_empty() && !self.guarded;
            let fate = match self.one(job.as_mut()).await {
                Ok(fate) => fate,
                Err(stop) => {
                    waiting.push_front(job);
                    return Err(stop);
                }
            };
            match fate {
                Fate::Fine => self.done.push((job, Ok(()))),
                // What a change did to itself alone needs no second run.
                Fate::Undo(outcome) if alone => {
                    self.done.push((job, outcome));
                    return Ok(false);
                }
                Fate::Undo(outcome) if self.guarded => self.done.push((job, outcome)),
                Fate::Again(error) if alone => {
                    waiting.push_front(job);
                    return Err(Stop { error, usable: true });
                }
                Fate::Again(error) if self.guarded => self.done.push((job, Err(gave_up(&error)))),
                Fate::Undo(_) | Fate::Again(_) => {
                    waiting.push_front(job);
                    self.begin_again(waiting).await?;
                }
                Fate::Broke(error) => {
                    job.finish(Err(error.clone()));
                    return Err(Stop { error: Error::Again(error.to_string()), usable: false });
                }
                Fate::Lost(error) => {
                    waiting.push_front(job);
                    return Err(Stop { error: Error::Again(error.to_string()), usable: false });
                }
            }
        }
        self.settle().await.map(|()| true)
    }

    /// Whether what ran is to be committed before the next: it is much, or one of both takes long. One
    /// that was put back counts for nothing, or it would come back for ever.
    fn is_enough(&self, waiting: &VecDeque<Box<dyn Job>>) -> bool {
        let Some((last, _)) = self.done.last() else { return false };
        let next_is_long = waiting.front().is_some_and(|next| next.is_long());
        self.bytes > BATCH_BYTES || last.is_long() || next_is_long
    }

    /// Undoes the whole transaction and begins it again with savepoints.
    async fn begin_again(&mut self, waiting: &mut VecDeque<Box<dyn Job>>) -> Result<(), Stop> {
        while let Some((job, _)) = self.done.pop() {
            waiting.push_front(job);
        }
        self.counts = Counts::default();
        self.bytes = 0;
        self.guarded = true;
        self.plain("ROLLBACK; BEGIN").await?;
        self.take_turn().await?;
        self.plain("SAVEPOINT change").await
    }

    async fn take_turn(&mut self) -> Result<(), Stop> {
        let Some(tenant) = self.line else { return Ok(()) };
        let mut tx = Tx::postgres(self.connection);
        let taken = limited(turns::take(&mut tx, tenant)).await?;
        taken.map_err(|error| stop(error, tx.lost()))
    }

    /// Runs one change, in its savepoint where each has one.
    async fn one(&mut self, job: &mut dyn Job) -> Result<Fate, Stop> {
        let mut tries = 0;
        loop {
            tries += 1;
            let fate = self.attempt(job).await;
            if !self.guarded {
                return Ok(fate);
            }
            match &fate {
                Fate::Fine => {
                    self.plain("RELEASE SAVEPOINT change; SAVEPOINT change").await?;
                    return Ok(fate);
                }
                Fate::Undo(_) | Fate::Again(_) => {
                    self.plain("ROLLBACK TO SAVEPOINT change").await?;
                    if matches!(fate, Fate::Undo(_)) || tries >= TRIES {
                        return Ok(fate);
                    }
                }
                Fate::Broke(_) | Fate::Lost(_) => return Ok(fate),
            }
        }
    }

    async fn attempt(&mut self, job: &mut dyn Job) -> Fate {
        let mut tx = Tx::postgres(self.connection);
        let verdict = guarded(job, &mut tx).await;
        let failed = tx.failed().cloned();
        if tx.lost() {
            let why = || Error::Again("the connection was lost".to_owned());
            return Fate::Lost(failed.unwrap_or_else(why));
        }
        self.bytes += tx.bytes();
        match (verdict, failed) {
            (Ok(Verdict::Keep), None) => {
                self.counts.extend(tx.take_counts());
                Fate::Fine
            }
            (Ok(Verdict::Undo), None) if !tx.wrote() => Fate::Fine,
            (Ok(Verdict::Undo), _) => Fate::Undo(Ok(())),
            (Ok(Verdict::Keep), Some(error)) => Fate::Undo(Err(error)),
            (Ok(Verdict::Again), Some(error @ Error::Again(_))) => Fate::Again(error),
            (Ok(Verdict::Again), _) => Fate::Again(Error::Again("asked for".to_owned())),
            (Err(error), _) => Fate::Broke(error),
        }
    }

    /// What is written once for the whole batch.
    async fn settle(&mut self) -> Result<(), Stop> {
        if self.counts.is_empty() {
            return Ok(());
        }
        let counts = std::mem::take(&mut self.counts);
        let mut tx = Tx::postgres(self.connection);
        let settled = limited(blocks::settle(&mut tx, &counts)).await?;
        settled.map_err(|error| stop(error, tx.lost()))
    }

    async fn plain(&mut self, sql: &'static str) -> Result<(), Stop> {
        // Nothing was committed yet: a new connection can do it all again.
        let done = limited(plain(self.connection, sql)).await?;
        done.map_err(|error| Stop { error: Error::Again(error.to_string()), usable: false })
    }
}

/// One of our own statements, unless the server went silent: then all is done again elsewhere.
async fn limited<T>(
    work: impl Future<Output = Result<T, Error>>,
) -> Result<Result<T, Error>, Stop> {
    let silent = |_| Stop { error: Error::Again("no answer in time".to_owned()), usable: false };
    tokio::time::timeout(END, work).await.map_err(silent)
}

/// Why one of our own statements stops the transaction.
fn stop(error: Error, lost: bool) -> Stop {
    if lost {
        Stop { error: Error::Again(error.to_string()), usable: false }
    } else {
        Stop { error, usable: true }
    }
}
