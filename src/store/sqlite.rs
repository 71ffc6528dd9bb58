//! SQLite: one thread that writes, a few that read, each with its own connection.
//!
//! The writer takes what waits, from all tenants in turn, gives each change a savepoint, and commits
//! once for all of them; nobody is answered before the commit is on the disk. No timer: a lone change
//! goes at once.

mod checkpoint;
mod open;

use std::borrow::Cow;
use std::collections::HashSet;
use std::iter::Peekable;
use std::num::NonZero;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use futures_util::FutureExt;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, Statement, ToSql};
use tokio::sync::mpsc::Receiver;

use crate::store::job::{Job, Message, Verdict, at_once, panicked, waited};
use crate::store::piece::Piece;
use crate::store::queue::{Line, Next, Queue};
use crate::store::retry::{Broken, TRIES, gave_up, pause};
use crate::store::tx::Counts;
use crate::store::{
    Error, Lanes, Lines, Row, StoreSettings, Tx, Value, blocks, look, lookup, turns,
};

/// Changes that share a commit at most.
pub(super) const BATCH: usize = 256;
/// Bytes that share a commit at most, the last change's beyond.
pub(super) const BATCH_BYTES: usize = 8 << 20;
/// Reads that share a transaction at most.
const READS: usize = 32;
/// Cores for each thread for look-ups and other single statements, none of which waits behind a long read.
/// Whoever is at work takes the next ones without being woken, which costs more than a look-up.
const CORES_OF_A_LOOKER: usize = 2;

/// Opens the file and starts the threads.
pub(super) fn start(path: &Path, settings: &StoreSettings, lines: Lines) -> Result<Lanes, Error> {
    let Lines { reads, looks, writes } = lines;
    // All connections before the first thread: where one cannot be had, nobody is left behind.
    let patience = settings.patience;
    let writer = open::writer(path, patience)?;
    let (log, mover) = checkpoint::pair(open::mover(path, patience)?);
    let readers = (0..settings.readers.max(1)).map(|_| open::reader(path, patience));
    let readers = readers.collect::<Result<Vec<_>, _>>()?;
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let lookers =
        (0..(cores / CORES_OF_A_LOOKER).clamp(1, 4)).map(|_| open::looker(path, patience));
    let lookers = lookers.collect::<Result<Vec<_>, _>>()?;
    let mut threads = vec![
        spawn("usher-writer", move || write_loop(&writer, &writes, &log))?,
        spawn("usher-mover", move || mover.run())?,
    ];
    let reads = Arc::new(Mutex::new(reads));
    for connection in readers {
        let reads = Arc::clone(&reads);
        threads.push(spawn("usher-reader", move || read_loop(&connection, &reads))?);
    }
    let looks = Arc::new(Mutex::new(looks));
    for connection in lookers {
        let looks = Arc::clone(&looks);
        threads.push(spawn("usher-look", move || look_loop(&connection, &looks))?);
    }
    Ok(Lanes { threads, task: None })
}

pub(super) fn spawn(
    name: &str,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, Error> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(|error| Error::Unavailable(format!("no thread: {error}")))
}

fn write_loop(connection: &Connection, queue: &Queue, log: &checkpoint::Writer) {
    checkpoint::watch(connection);
    while let Next::Batches(batches) = queue.next_lines(BATCH) {
        let mut jobs = batches
            .into_iter()
            .flat_map(|batch| batch.jobs.into_iter().map(move |job| (batch.line.clone(), job)))
            .peekable();
        while jobs.peek().is_some() {
            write_batch(connection, &mut jobs);
            log.after_commit(connection);
        }
    }
}

fn read_loop(connection: &Connection, queue: &Mutex<Receiver<Message>>) {
    let mut messages = Vec::with_capacity(READS);
    loop {
        let jobs = {
            let Ok(mut queue) = queue.lock() else { return };
            if queue.blocking_recv_many(&mut messages, READS) == 0 {
                return;
            }
            jobs(&mut messages, &mut queue)
        };
        if !jobs.is_empty() {
            read_batch(connection, jobs);
        }
    }
}

fn look_loop(connection: &Connection, queue: &Mutex<Receiver<look::Message>>) {
    let mut messages = Vec::with_capacity(look::SHARE);
    loop {
        let taken = {
            let Ok(mut queue) = queue.lock() else { return };
            if queue.blocking_recv_many(&mut messages, look::SHARE) == 0 {
                return;
            }
            look::Taken::of(&mut messages, &mut queue)
        };
        if taken.is_empty() {
            continue;
        }
        let begun = plain(connection, "BEGIN").map_err(|error| gave_up(&error));
        for job in taken.jobs {
            read_one(connection, &begun, job);
        }
        for look in taken.looks {
            let mut tx = Tx::sqlite(connection);
            let find = || ready(lookup::one(&mut tx, &look.ask));
            // There may be no other thread to answer the next ones.
            let found = begun.clone().and_then(|()| {
                std::panic::catch_unwind(AssertUnwindSafe(find)).unwrap_or_else(|_| Err(panicked()))
            });
            look.finish(found.map_err(|error| gave_up(&error)));
        }
        if !connection.is_autocommit() {
            let _ = plain(connection, "COMMIT");
        }
    }
}

/// The jobs among these messages; closes the queue when that is asked, so that what waits still runs.
pub(super) fn jobs(
    messages: &mut Vec<Message>,
    queue: &mut Receiver<Message>,
) -> Vec<Box<dyn Job>> {
    let mut jobs = Vec::with_capacity(messages.len());
    for message in messages.drain(..) {
        match message {
            Message::Job(job) if job.wanted() => jobs.push(job),
            Message::Job(_) => {}
            Message::Close => queue.close(),
        }
    }
    jobs
}

/// A change and whose it is.
type Waiting = (Line, Box<dyn Job>);

/// Runs changes until there are none left or enough for one commit, and answers them.
fn write_batch(connection: &Connection, jobs: &mut Peekable<impl Iterator<Item = Waiting>>) {
    let mut batch = Batch::begun(connection, Care::Little);
    while let Some((line, job)) = jobs.next() {
        let is_long = job.is_long();
        batch.run(connection, line, job);
        let next_is_long = jobs.peek().is_some_and(|(_, next)| next.is_long());
        let enough = batch.shared.bytes > BATCH_BYTES || is_long || next_is_long;
        if enough || batch.shared.spoiled {
            break;
        }
    }
    if batch.shared.spoiled {
        batch = batch.again(connection);
    }
    batch.end(connection);
}

/// How much is done so that a change can be undone alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    /// A change that leaves nothing behind where it is refused has no savepoint: SQLite copies every page
    /// that is changed within one.
    Little,
    /// Each has its own.
    Full,
}

/// Changes that share a commit.
struct Batch {
    care: Care,
    /// Those that were run, and what came of each.
    jobs: Vec<(Waiting, Result<(), Error>)>,
    shared: Shared,
    /// Why none of them can be kept.
    broken: Option<Error>,
}

impl Batch {
    fn begun(connection: &Connection, care: Care) -> Self {
        let broken = begin(connection).err();
        Self { care, jobs: Vec::new(), shared: Shared::default(), broken }
    }

    fn run(&mut self, connection: &Connection, line: Line, mut job: Box<dyn Job>) {
        let outcome = match &self.broken {
            Some(error) => Err(error.clone()),
            None => change(connection, job.as_mut(), &line, &mut self.shared, self.care)
                .unwrap_or_else(|error| {
                    self.broken = Some(error.clone());
                    Err(error)
                }),
        };
        self.jobs.push(((line, job), outcome));
    }

    /// Runs them once more, each so that it can be undone alone.
    fn again(self, connection: &Connection) -> Self {
        roll_back(connection);
        let mut batch = Self::begun(connection, Care::Full);
        for ((line, job), _) in self.jobs {
            batch.run(connection, line, job);
        }
        batch
    }

    fn end(self, connection: &Connection) {
        let committed = match self.broken {
            Some(error) => Err(error),
            None => settle(connection, &self.shared).and_then(|()| plain(connection, "COMMIT")),
        };
        if committed.is_err() {
            roll_back(connection);
        }
        let committed = committed.map_err(|error| gave_up(&error));
        for ((_, job), outcome) in self.jobs {
            job.finish(committed.clone().and(outcome));
        }
    }
}

fn roll_back(connection: &Connection) {
    if !connection.is_autocommit() {
        let _ = plain(connection, "ROLLBACK");
    }
}

/// What the changes of a batch have in common.
#[derive(Default)]
struct Shared {
    bytes: usize,
    counts: Counts,
    /// Tenants whose turn it is.
    turns: HashSet<String>,
    /// Whether a change may have left something behind that nobody can undo alone.
    spoiled: bool,
}

/// What is written once for the whole batch.
fn settle(connection: &Connection, shared: &Shared) -> Result<(), Error> {
    if shared.counts.is_empty() {
        return Ok(());
    }
    let mut tx = Tx::sqlite(connection);
    ready(blocks::settle(&mut tx, &shared.counts))
}

fn take_turn(connection: &Connection, line: &Line, shared: &mut Shared) -> Result<(), Error> {
    let Some(tenant) = line else { return Ok(()) };
    if shared.turns.insert(tenant.clone()) {
        ready(turns::take(&mut Tx::sqlite(connection), tenant))?;
    }
    Ok(())
}

/// What our own statements come to; on SQLite they never wait.
fn ready<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    work.now_or_never().unwrap_or_else(|| Err(waited()))
}

/// Runs one change, in a savepoint of its own where it may have to be undone. The outer error breaks the
/// whole batch.
fn change(
    connection: &Connection,
    job: &mut dyn Job,
    line: &Line,
    shared: &mut Shared,
    care: Care,
) -> Result<Result<(), Error>, Error> {
    take_turn(connection, line, shared)?;
    if care == Care::Little && job.piece().is_some_and(Piece::leaves_nothing) {
        return without_savepoint(connection, job, shared).inspect_err(|_| shared.spoiled = true);
    }
    let mut tries = 0;
    loop {
        tries += 1;
        plain(connection, "SAVEPOINT change")?;
        let mut tx = Tx::sqlite(connection);
        let attempt = at_once(job, &mut tx);
        let failed = tx.failed().cloned();
        if connection.is_autocommit() {
            // SQLite undid the whole transaction: disk full, out of memory, I/O error.
            let why = failed.unwrap_or_else(|| Error::Database("the transaction ended".into()));
            return Err(gave_up(&why));
        }
        let keep = matches!(attempt, Ok(Verdict::Keep)) && failed.is_none();
        if keep {
            shared.bytes += tx.bytes();
            shared.counts.extend(tx.take_counts());
        } else {
            plain(connection, "ROLLBACK TO change")?;
        }
        plain(connection, "RELEASE change")?;
        return Ok(match (attempt, failed) {
            (Ok(Verdict::Again), _) if tries < TRIES => continue,
            (Ok(Verdict::Again), _) => Err(Error::Unavailable("tried too often".into())),
            (Err(error), _) | (Ok(Verdict::Keep), Some(error)) => Err(error),
            (Ok(Verdict::Keep), None) | (Ok(Verdict::Undo), _) => Ok(()),
        });
    }
}

/// Runs a change that writes all or nothing by itself. The error is what no such change expects; it may
/// then have left half of it.
fn without_savepoint(
    connection: &Connection,
    job: &mut dyn Job,
    shared: &mut Shared,
) -> Result<Result<(), Error>, Error> {
    let mut tx = Tx::sqlite(connection);
    let verdict = at_once(job, &mut tx)?;
    if let Some(error) = tx.failed() {
        return Err(error.clone());
    }
    if verdict == Verdict::Again {
        return Err(Error::Unavailable("asked for another try".to_owned()));
    }
    shared.bytes += tx.bytes();
    shared.counts.extend(tx.take_counts());
    Ok(Ok(()))
}

fn read_batch(connection: &Connection, jobs: Vec<Box<dyn Job>>) {
    let begun = plain(connection, "BEGIN").map_err(|error| gave_up(&error));
    for job in jobs {
        read_one(connection, &begun, job);
    }
    if !connection.is_autocommit() {
        let _ = plain(connection, "COMMIT");
    }
}

/// Runs a read in the transaction that was begun for it, and answers it.
fn read_one(connection: &Connection, begun: &Result<(), Error>, mut job: Box<dyn Job>) {
    let outcome = begun.clone().and_then(|()| {
        let mut tx = Tx::sqlite(connection);
        match at_once(job.as_mut(), &mut tx)? {
            Verdict::Again => Err(Error::Unavailable("asked to read again".to_owned())),
            Verdict::Keep | Verdict::Undo => Ok(()),
        }
    });
    job.finish(outcome);
}

fn begin(connection: &Connection) -> Result<(), Error> {
    let mut tried = 0;
    loop {
        match plain(connection, "BEGIN IMMEDIATE") {
            Err(Error::Again(_)) if tried + 1 < TRIES => {
                tried += 1;
                std::thread::sleep(pause(tried));
            }
            done => return done.map_err(|error| gave_up(&error)),
        }
    }
}

/// Runs a statement without binds.
pub(super) fn plain(connection: &Connection, sql: &str) -> Result<(), Error> {
    let done = connection.prepare_cached(sql).and_then(|mut statement| statement.raw_execute());
    done.map(drop).map_err(|error| translate(&error))
}

/// Runs a statement and says how many rows it touched.
pub(super) fn execute(connection: &Connection, sql: &str, binds: &[Value]) -> Result<u64, Broken> {
    let mut statement = prepare(connection, sql, binds)?;
    let touched = statement.raw_execute().map_err(|error| Broken::kept(translate(&error)))?;
    Ok(touched as u64)
}

/// Runs a statement once for each row: after `common` come the row's own binds.
pub(super) fn execute_each(
    connection: &Connection,
    sql: &str,
    common: &[Value],
    rows: &[&[&str]],
) -> Result<u64, Broken> {
    let kept = |error: rusqlite::Error| Broken::kept(translate(&error));
    let mut statement = connection.prepare_cached(sql).map_err(kept)?;
    bind_some(&mut statement, common).map_err(Broken::kept)?;
    let own = statement.parameter_count().saturating_sub(common.len());
    let places = (0..own).map(|column| place(&statement, common.len() + column));
    let places = places.collect::<Result<Vec<_>, _>>().map_err(Broken::kept)?;
    let mut touched = 0;
    for row in rows {
        if row.len() != own {
            return Err(Broken::kept(Error::Database(format!("{} binds for {own}", row.len()))));
        }
        for (place, text) in places.iter().zip(*row) {
            statement.raw_bind_parameter(*place, text).map_err(kept)?;
        }
        touched += statement.raw_execute().map_err(kept)? as u64;
    }
    Ok(touched)
}

/// Runs a statement and gives its rows.
pub(super) fn query(
    connection: &Connection,
    sql: &str,
    binds: &[Value],
) -> Result<Vec<Row>, Broken> {
    let mut statement = prepare(connection, sql, binds)?;
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(|error| Broken::kept(translate(&error)))? {
        let mut values = Vec::with_capacity(columns);
        for column in 0..columns {
            let value = row.get_ref(column).map_err(|error| Broken::kept(translate(&error)))?;
            values.push(read(value)?);
        }
        found.push(Row(values));
    }
    Ok(found)
}

fn prepare<'c>(
    connection: &'c Connection,
    sql: &str,
    binds: &[Value],
) -> Result<rusqlite::CachedStatement<'c>, Broken> {
    let sql = without_lock(sql);
    let mut statement =
        connection.prepare_cached(sql).map_err(|error| Broken::kept(translate(&error)))?;
    bind(&mut statement, binds).map_err(Broken::kept)?;
    Ok(statement)
}

/// The text without a row lock at its end: with one writer nothing needs locking.
fn without_lock(sql: &str) -> &str {
    [" FOR UPDATE", " FOR NO KEY UPDATE", " FOR KEY SHARE OF r"]
        .iter()
        .find_map(|lock| sql.strip_suffix(lock))
        .unwrap_or(sql)
}

/// Binds by name, because SQLite numbers `$n` in the order in which it meets them.
fn bind(statement: &mut Statement<'_>, binds: &[Value]) -> Result<(), Error> {
    if statement.parameter_count() != binds.len() {
        let wanted = statement.parameter_count();
        return Err(Error::Database(format!("{} binds for {wanted} places", binds.len())));
    }
    bind_some(statement, binds)
}

fn bind_some(statement: &mut Statement<'_>, binds: &[Value]) -> Result<(), Error> {
    for (index, value) in binds.iter().enumerate() {
        let place = place(statement, index)?;
        statement.raw_bind_parameter(place, value).map_err(|error| translate(&error))?;
    }
    Ok(())
}

/// Where SQLite keeps the bind of this number, counted from 0.
fn place(statement: &Statement<'_>, index: usize) -> Result<usize, Error> {
    let name = NAMES.get(index).map_or_else(|| format!("${}", index + 1).into(), |n| Cow::from(*n));
    let place = statement.parameter_index(&name).map_err(|error| translate(&error))?;
    place.ok_or_else(|| Error::Database(format!("no {name} in the text")))
}

/// The first places, so that the usual statement needs no text made for its names.
const NAMES: [&str; 16] = [
    "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15",
    "$16",
];

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Int(number) => number.map_or(ValueRef::Null, ValueRef::Integer),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(Some(text)) | Self::Json(text) => ValueRef::Text(text.as_bytes()),
            Self::Text(None) => ValueRef::Null,
            Self::Texts(_) => return Err(rusqlite::Error::InvalidQuery),
        }))
    }
}

fn read(value: ValueRef<'_>) -> Result<Value, Broken> {
    Ok(match value {
        ValueRef::Null => Value::Text(None),
        ValueRef::Integer(number) => Value::Int(Some(number)),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(Some(text.to_owned())),
            Err(_) => return Err(Broken::kept(Error::Database("text is not UTF-8".to_owned()))),
        },
        ValueRef::Blob(_) => {
            return Err(Broken::kept(Error::Database("a column of bytes".to_owned())));
        }
    })
}

/// SQLite's error in our words.
fn translate(error: &rusqlite::Error) -> Error {
    let rusqlite::Error::SqliteFailure(failure, message) = error else {
        return Error::Database(error.to_string());
    };
    match failure.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Error::Again(error.to_string()),
        ErrorCode::ReadOnly
        | ErrorCode::DiskFull
        | ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen => Error::Unavailable(error.to_string()),
        _ => match failure.extended_code {
            rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            | rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE => {
                let columns = message.as_deref().unwrap_or_default();
                let column = columns.rsplit([' ', ',']).next().unwrap_or_default();
                Error::Taken(column.to_owned())
            }
            _ => Error::Database(error.to_string()),
        },
    }
}
