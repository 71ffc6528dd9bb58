//! The only SQL.
//!
//! A [`Store`] runs closures inside transactions: [`Store::read`] in one snapshot, [`Store::write`]
//! whole or not at all. The closures travel to threads that have a connection to themselves, so nothing
//! in them but the closure itself needs to be `Send`.

pub mod agents;
mod beside;
pub mod blocks;
pub mod brands;
pub mod bulk;
pub mod copy;
pub mod counts;
pub mod departures;
mod dialect;
pub mod doctor;
pub mod filter;
pub mod held;
mod job;
pub mod logins;
mod look;
pub mod lookup;
pub mod maps;
pub mod members;
pub mod migrations;
pub mod outbox;
pub mod passwords;
mod piece;
mod postgres;
mod queue;
pub mod records;
pub mod resources;
mod retry;
pub mod seats;
pub mod secrets;
pub mod sessions;
pub mod signing_keys;
mod sqlite;
mod states;
pub mod tellings;
pub mod templates;
pub mod tenants;
pub mod tickets;
pub mod tokens;
pub mod turns;
mod tx;
mod value;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

pub use beside::Beside;
pub use dialect::Dialect;
pub use job::Failure;
pub use piece::{Edge, Insertion, Replacement};
pub use tx::Tx;
pub use value::{Row, Sql, Value};

use crate::ids::TenantId;
use job::{Closure, Message};
use piece::{Carried, Carrying};
use queue::Queue;

/// Why the store could not do as asked. Its sentences are for the log, never for a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A value that must be unique is taken: the attribute's path (`userName`) or `table.column`.
    #[error("{0} is taken")]
    Taken(String),
    /// A seat that is not free, or not to be had by counting alone; nothing was written.
    #[error("no seat was to be had by counting")]
    Full,
    /// Another writer was in the way (deadlock, serialisation failure, busy): try again.
    #[error("the database asks to try again: {0}")]
    Again(String),
    /// Too many changes of this tenant wait already.
    #[error("too many changes of this tenant wait")]
    Busy,
    /// The database does not answer, is locked, read-only or full.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Anything else: a mistake of ours or a damaged database.
    #[error("database: {0}")]
    Database(String),
}

/// What stands before the cause when a commit, or a statement that commits itself, was sent and its
/// answer did not come.
const UNKNOWN: &str = "the outcome is not known";

impl Error {
    /// Whether a change may have been kept all the same.
    pub fn is_unknown_outcome(&self) -> bool {
        matches!(self, Self::Unavailable(cause) if cause.starts_with(UNKNOWN))
    }
}

/// Where the rows live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// A file of the embedded database.
    Sqlite {
        /// Its path; the directory is made when it is missing.
        path: PathBuf,
    },
    /// A PostgreSQL server.
    Postgres {
        /// `postgres://user:password@host:port/database?sslmode=…`
        url: String,
    },
}

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// Which database.
    pub database: Database,
    /// Connections that read.
    pub readers: usize,
    /// Connections that write; SQLite always has one.
    pub writers: usize,
    /// Reads that may wait; more are refused at once.
    pub queue: usize,
    /// Changes of one tenant that may wait; more are refused at once.
    pub line: usize,
    /// How long one request may wait for a locked or absent database before it is refused.
    pub patience: Duration,
}

impl StoreSettings {
    /// The defaults for this database.
    pub fn new(database: Database) -> Self {
        let readers = match &database {
            Database::Sqlite { .. } => 2,
            Database::Postgres { .. } => 4,
        };
        Self {
            database,
            readers,
            writers: 4,
            queue: 4096,
            line: 1024,
            patience: Duration::from_secs(2),
        }
    }
}

/// The open database. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dialect: Dialect,
    reads: mpsc::Sender<Message>,
    looks: mpsc::Sender<look::Message>,
    writes: Arc<Queue>,
    lanes: std::sync::Mutex<Lanes>,
}

/// Who serves the lines.
#[derive(Debug, Default)]
struct Lanes {
    threads: Vec<std::thread::JoinHandle<()>>,
    /// That of the look-ups, where no thread serves them alone.
    task: Option<tokio::task::JoinHandle<()>>,
}

/// Where the lanes find their work.
#[derive(Debug)]
struct Lines {
    reads: mpsc::Receiver<Message>,
    looks: mpsc::Receiver<look::Message>,
    writes: Arc<Queue>,
}

impl Drop for Inner {
    /// The reading lanes see that nobody is left; the writing ones are told.
    fn drop(&mut self) {
        self.writes.close();
    }
}

impl Store {
    /// Opens the database, makes it when it is new, and brings its tables up to date. It answers for as
    /// long as the runtime runs in which it was opened.
    pub async fn open(settings: &StoreSettings) -> Result<Self, Error> {
        let (reads, to_readers) = mpsc::channel(settings.queue);
        let (looks, to_lookers) = mpsc::channel(settings.queue);
        let writes = Arc::new(Queue::new(settings.line));
        let lines = Lines { reads: to_readers, looks: to_lookers, writes: Arc::clone(&writes) };
        let (dialect, serving) = match &settings.database {
            Database::Sqlite { path } => {
                let (path, settings) = (path.clone(), settings.clone());
                let start = move || sqlite::start(&path, &settings, lines);
                let started = tokio::task::spawn_blocking(start).await;
                (Dialect::Sqlite, started.map_err(|_| Error::Database("opening stopped".into()))??)
            }
            Database::Postgres { url } => {
                (Dialect::Postgres, postgres::start(url, settings, lines).await?)
            }
        };
        let inner = Inner { dialect, reads, looks, writes, lanes: serving.into() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Which database speaks.
    pub fn dialect(&self) -> Dialect {
        self.inner.dialect
    }

    /// Runs queries that all see the same moment. They may run more than once, as in
    /// [`Store::write`].
    pub async fn read<T, E, F>(&self, look: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: Failure,
        F: AsyncFn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Closure::new(look, answer));
        self.inner.reads.try_send(Message::Job(job)).map_err(|error| refused(&error))?;
        answered.await.unwrap_or_else(|_| Err(closed().into()))
    }

    /// The few resources that a key names. Look-ups that wait at the same moment go as one; none of
    /// them sees a moment before it was asked.
    pub async fn look_up(&self, ask: lookup::Ask) -> Result<Vec<lookup::Found>, Error> {
        let (look, answered) = look::Look::new(ask);
        self.inner.looks.try_send(look::Message::Look(look)).map_err(|error| refused(&error))?;
        answered.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Runs a single statement that finds what it wants by a key. It never waits behind reads that
    /// take long, which others ask for.
    pub async fn read_quickly<T, E, F>(&self, look: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: Failure,
        F: AsyncFn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Closure::new(look, answer));
        self.inner.looks.try_send(look::Message::Job(job)).map_err(|error| refused(&error))?;
        answered.await.unwrap_or_else(|_| Err(closed().into()))
    }

    /// Runs one change of a tenant whole or not at all; it may wait for nothing but its transaction.
    ///
    /// It shares its commit with others of the same tenant, which do not run beside it on any
    /// instance. It may run more than once: after a deadlock, when a connection was lost, or when
    /// one that shares the commit failed.
    pub async fn write<T, E, F>(&self, tenant: &TenantId, change: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: Failure,
        F: AsyncFn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        self.push(Some(tenant.to_string()), change).await
    }

    /// Adds a resource that nothing else has to be written for, version 1; refuses a unique value
    /// that is taken. On PostgreSQL those that wait at the same moment go as one statement.
    pub async fn insert(&self, insertion: Insertion) -> Result<(), Error> {
        self.carry(insertion).await
    }

    /// Replaces a document and gives the new version; none where it was changed since it was read.
    pub async fn replace(&self, replacement: Replacement) -> Result<Option<i64>, Error> {
        self.carry(replacement).await
    }

    /// Adds a member to a group or removes one.
    pub async fn change_member(&self, edge: Edge) -> Result<members::Outcome, Error> {
        self.carry(edge).await
    }

    async fn carry<C: Carried>(&self, piece: C) -> Result<C::Answer, Error> {
        let line = Some(piece.tenant().to_string());
        let (answer, answered) = oneshot::channel();
        self.inner.writes.push(line, Box::new(Carrying::new(piece, answer)))?;
        answered.await.unwrap_or_else(|_| Err(closed()))
    }

    /// [`Store::write`] for a change that belongs to no tenant, or that no reader of the tenant's
    /// resources would notice.
    pub async fn write_apart<T, E, F>(&self, change: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: Failure,
        F: AsyncFn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        self.push(None, change).await
    }

    /// The same as [`Store::write`] for a change that takes long: it has a commit of its own, so that
    /// those before and behind it do not wait for more of it than they must.
    pub async fn write_long<T, E, F>(&self, tenant: &TenantId, change: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: Failure,
        F: AsyncFn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Closure::new(change, answer).long());
        self.inner.writes.push(Some(tenant.to_string()), job)?;
        answered.await.unwrap_or_else(|_| Err(closed().into()))
    }

    /// Whether others write to this tenant just now, each a little.
    pub fn is_lively(&self, tenant: &TenantId) -> bool {
        self.inner.writes.is_lively(&Some(tenant.to_string()))
    }

    async fn push<T, E, F>(&self, line: queue::Line, change: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: Failure,
        F: AsyncFn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.inner.writes.push(line, Box::new(Closure::new(change, answer)))?;
        answered.await.unwrap_or_else(|_| Err(closed().into()))
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        self.read_quickly(async |tx| tx.query("SELECT 1", &[]).await.map(drop)).await
    }

    /// Lets what was asked finish, then closes the connections.
    pub async fn close(&self) {
        let Lanes { threads, task } = match self.inner.lanes.lock() {
            Ok(mut lanes) => std::mem::take(&mut *lanes),
            Err(_) => return,
        };
        self.inner.writes.close();
        // An error says that the lanes are gone already.
        let _ = self.inner.reads.send(Message::Close).await;
        let _ = self.inner.looks.send(look::Message::Close).await;
        if let Some(task) = task {
            let _ = task.await;
        }
        let wait = move || threads.into_iter().for_each(|thread| drop(thread.join()));
        let _ = tokio::task::spawn_blocking(wait).await;
    }
}

fn refused<T>(error: &mpsc::error::TrySendError<T>) -> Error {
    match error {
        mpsc::error::TrySendError::Full(_) => Error::Busy,
        mpsc::error::TrySendError::Closed(_) => closed(),
    }
}

fn closed() -> Error {
    Error::Unavailable("closed".to_owned())
}
