//! Opening a SQLite file: its directory, its permissions, its settings, its tables.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::translate;
use crate::store::retry::{TRIES, gave_up, pause};
use crate::store::{Error, migrations};

/// The connection of the thread that writes; makes the file and brings its tables up to date.
pub(super) fn writer(path: &Path, patience: Duration) -> Result<Connection, Error> {
    make(path).map_err(|error| cannot(path, &error))?;
    let connection = connect(path, patience).map_err(|error| cannot(path, &error))?;
    // Two openers may both want to change the mode of a new file, which SQLite does not wait for.
    let mut tried = 0;
    while let Err(error) = settings(&connection) {
        let error = translate(&error);
        tried += 1;
        if !matches!(error, Error::Again(_)) || tried >= TRIES {
            return Err(cannot(path, &gave_up(&error)));
        }
        std::thread::sleep(pause(tried));
    }
    migrations::sqlite(&connection).map_err(|error| cannot(path, &error))?;
    Ok(connection)
}

/// A connection that moves the write-ahead log into the file.
pub(super) fn mover(path: &Path, patience: Duration) -> Result<Connection, Error> {
    let connection = connect(path, patience).map_err(|error| cannot(path, &error))?;
    settings(&connection).map_err(|error| cannot(path, &translate(&error)))?;
    Ok(connection)
}

/// A connection that can only read.
pub(super) fn reader(path: &Path, patience: Duration) -> Result<Connection, Error> {
    let connection = connect(path, patience).map_err(|error| cannot(path, &error))?;
    connection
        .execute_batch("PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;")
        .map_err(|error| cannot(path, &translate(&error)))?;
    Ok(connection)
}

/// A connection for look-ups, with room for the upper pages of the indexes of a million users.
///
/// A statement whose plan may depend on what is bound is compiled anew for every value, which costs
/// more than a look-up; theirs need no such care.
pub(super) fn looker(path: &Path, patience: Duration) -> Result<Connection, Error> {
    let connection = reader(path, patience)?;
    connection
        .execute_batch("PRAGMA cache_size = -16000;")
        .map_err(|error| cannot(path, &translate(&error)))?;
    let stable = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true);
    stable.map_err(|error| cannot(path, &translate(&error)))?;
    Ok(connection)
}

fn connect(path: &Path, patience: Duration) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| translate(&error))?;
    connection.busy_timeout(patience / TRIES).map_err(|error| translate(&error))?;
    connection.set_prepared_statement_cache_capacity(512);
    Ok(connection)
}

fn settings(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -32000;",
    )
}

/// Makes the directory and an empty file that only we may read: documents hold personal data.
fn make(path: &Path) -> Result<(), Error> {
    let refused = |error: std::io::Error| Error::Unavailable(error.to_string());
    if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(refused)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map(drop).map_err(refused)
}

fn cannot(path: &Path, error: &Error) -> Error {
    let line = |why: &str| format!("cannot open {}: {why}", path.display());
    match error {
        Error::Taken(why) | Error::Database(why) => Error::Database(line(why)),
        Error::Again(why) | Error::Unavailable(why) => Error::Unavailable(line(why)),
        Error::Busy => Error::Busy,
        Error::Full => Error::Full,
    }
}
