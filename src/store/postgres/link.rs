//! One held connection.
//!
//! A transaction is begun in the same round trip in which the one before it ends, so that whoever
//! begins one next waits for none. Before its first query it holds neither locks nor a snapshot. What
//! needs none around it (write/single.rs) waits for the end of such a one first.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use sqlx::postgres::{PgConnectOptions, PgConnection};

use super::{connect, plain};
use crate::store::job::{Job, Verdict, panicked};
use crate::store::retry::{gave_up, pause};
use crate::store::{Error, Tx};

/// No closure takes this long unless the server went silent: it ends each statement before.
const LONGEST: Duration = Duration::from_secs(45);
/// After this time without work a transaction that was begun ahead is ended.
pub(super) const IDLE: Duration = Duration::from_secs(1);
/// Longest wait for one of our own statements; a server that went silent must not hold a lane.
pub(super) const END: Duration = Duration::from_secs(35);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Looks: those that wait at the same moment share a snapshot.
    Read,
    /// Changes: those of a tenant that wait at the same moment share a commit.
    Write,
    /// Single statements by a key, outside of any transaction.
    Look,
}

impl Use {
    /// Settings of the connection. Changes and look-ups find everything by its key: a plan that was
    /// made when the tables were small must not read them whole once they are large, and then need not
    /// be made again for each of them, which costs more than the work itself.
    fn settings(self) -> Option<&'static str> {
        match self {
            Self::Read => None,
            Self::Write | Self::Look => Some(
                "SET enable_seqscan = off; SET enable_bitmapscan = off;
                 SET enable_hashjoin = off; SET enable_mergejoin = off;
                 SET plan_cache_mode = force_generic_plan",
            ),
        }
    }

    fn begin(self) -> Option<&'static str> {
        match self {
            Self::Read => Some("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
            Self::Write => Some("BEGIN"),
            Self::Look => None,
        }
    }

    /// Ends a transaction and begins the next.
    fn turn(self, keep: bool) -> Option<&'static str> {
        match (self, keep) {
            (Self::Read, _) => Some("COMMIT; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
            (Self::Write, true) => Some("COMMIT; BEGIN"),
            (Self::Write, false) => Some("ROLLBACK; BEGIN"),
            (Self::Look, _) => None,
        }
    }
}

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Outside of any transaction, or there is none.
    Resting,
    /// At the beginning of a transaction.
    Fresh,
    /// In the middle of a transaction that read.
    Used,
}

/// A held connection, made anew when it breaks.
pub(super) struct Link {
    options: PgConnectOptions,
    patience: Duration,
    purpose: Use,
    held: Option<PgConnection>,
    /// When it last answered.
    used: Instant,
    /// When another instance last had the turn that was to be taken here.
    rival: Option<Instant>,
    pub(super) state: State,
}

impl Link {
    /// Not connected yet.
    pub(super) fn new(options: PgConnectOptions, patience: Duration, purpose: Use) -> Self {
        let used = Instant::now();
        Self { options, patience, purpose, held: None, used, rival: None, state: State::Resting }
    }

    /// Keeps a connection for the next transaction.
    pub(super) fn hold(&mut self, connection: PgConnection, state: State) {
        self.held = Some(connection);
        self.used = Instant::now();
        self.state = state;
    }

    /// Notes that another instance had the turn.
    pub(super) fn note_rival(&mut self) {
        self.rival = Some(Instant::now());
    }

    /// The connection outside of any transaction, if it answered a moment ago: one that has been idle
    /// may be gone, and whoever does not begin a transaction first learns it too late. None while other
    /// instances take turns with this one: whoever waits for a turn has to look anew behind it.
    pub(super) async fn awake(&mut self) -> Option<PgConnection> {
        if self.rival.is_some_and(|last| last.elapsed() < IDLE) {
            return None;
        }
        self.rest().await;
        let is_awake = self.state == State::Resting && self.used.elapsed() < IDLE;
        is_awake.then(|| self.held.take()).flatten()
    }

    /// Keeps a connection that has read.
    pub(super) fn keep(&mut self, connection: PgConnection) {
        let state = match self.purpose {
            Use::Read | Use::Write => State::Used,
            Use::Look => State::Resting,
        };
        self.hold(connection, state);
    }

    /// Ends the transaction and begins the next; a connection that cannot is dropped.
    pub(super) async fn turn(
        &mut self,
        mut connection: PgConnection,
        keep: bool,
    ) -> Result<(), Error> {
        self.state = State::Resting;
        let Some(turn) = self.purpose.turn(keep) else {
            self.hold(connection, State::Resting);
            return Ok(());
        };
        in_time(plain(&mut connection, turn)).await?;
        self.hold(connection, State::Fresh);
        Ok(())
    }

    /// Ends what the last transaction read, so that whoever asks from now on sees a later moment.
    pub(super) async fn refresh(&mut self) {
        if self.state == State::Used
            && let Some(connection) = self.held.take()
        {
            self.turn(connection, true).await.ok();
        }
    }

    /// Ends a transaction that was begun ahead.
    pub(super) async fn rest(&mut self) {
        if self.state != State::Fresh {
            return;
        }
        self.state = State::Resting;
        if let Some(mut connection) = self.held.take()
            && in_time(plain(&mut connection, "COMMIT")).await.is_ok()
        {
            self.held = Some(connection);
            self.used = Instant::now();
        }
    }

    /// Ends the connection.
    pub(super) async fn close(mut self) {
        if let Some(connection) = self.held.take() {
            sqlx::Connection::close(connection).await.ok();
        }
    }

    /// A connection inside a transaction, a new one if need be, while the one who asked has patience.
    pub(super) async fn begun(&mut self, since: Instant) -> Result<PgConnection, Error> {
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
                None => self.connected().await?,
            };
            if let Some(begin) = self.purpose.begin() {
                plain(&mut connection, begin).await?;
            }
            Ok(connection)
        });
        begun.await.unwrap_or_else(|_| Err(Error::Unavailable("no answer in time".to_owned())))
    }

    async fn connected(&self) -> Result<PgConnection, Error> {
        let mut connection = connect(&self.options).await?;
        if let Some(settings) = self.purpose.settings() {
            plain(&mut connection, settings).await?;
        }
        Ok(connection)
    }
}

/// One of our own statements, unless the server went silent.
async fn in_time<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(END, work).await.map_err(|_| silent())?
}

fn silent() -> Error {
    Error::Unavailable("PostgreSQL does not answer".to_owned())
}

/// Runs an attempt; a panic and an endless wait are errors of this job alone.
pub(super) async fn guarded(job: &mut dyn Job, tx: &mut Tx<'_>) -> Result<Verdict, Error> {
    let run = AssertUnwindSafe(job.attempt(tx)).catch_unwind();
    match tokio::time::timeout(LONGEST, run).await {
        Ok(Ok(verdict)) => Ok(verdict),
        Ok(Err(_)) => Err(panicked()),
        Err(_) => Err(silent()),
    }
}
