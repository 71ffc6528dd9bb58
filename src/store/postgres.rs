//! PostgreSQL: lanes, each with one held connection, no pool. Look-ups are served by a task, all others by
//! threads.
//!
//! A pooled connection is pinged twice per use; a held one is not (and its statements stay prepared).

mod link;
mod look;
mod read;
mod statement;
mod write;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::sync::Mutex;

use crate::store::{Error, Lanes, Lines, StoreSettings, migrations, sqlite};

use link::{Link, Use};
pub(super) use statement::{control, execute, execute_each, plain, query, run};

/// Connects, brings the tables up to date and starts the lanes.
pub(super) async fn start(
    url: &str,
    settings: &StoreSettings,
    lines: Lines,
) -> Result<Lanes, Error> {
    // The library's message may repeat the URL, and with it the password.
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| Error::Database("the PostgreSQL URL cannot be understood".to_owned()))?
        .application_name("usher")
        .statement_cache_capacity(512);
    let mut first = connect(&options).await?;
    migrations::postgres(&mut first).await?;
    let Lines { reads, looks, writes } = lines;
    let reads = Arc::new(Mutex::new(reads));
    let link = Link::new(options.clone(), settings.patience, Use::Look);
    let (task, thread) = look::start(link, looks)?;
    let mut threads = vec![thread];
    // One of the readers' connections serves the look-ups.
    for _ in 1..settings.readers.max(2) {
        let queue = Arc::clone(&reads);
        let link = Link::new(options.clone(), settings.patience, Use::Read);
        threads.push(sqlite::spawn("usher-reader", move || read::run(link, &queue))?);
    }
    for _ in 0..settings.writers.max(1) {
        let queue = Arc::clone(&writes);
        let link = Link::new(options.clone(), settings.patience, Use::Write);
        threads.push(sqlite::spawn("usher-writer", move || write::run(link, &queue))?);
    }
    sqlx::Connection::close(first).await.ok();
    Ok(Lanes { threads, task: Some(task) })
}

/// How long a server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// A new connection with our limits.
///
/// Statements are short: compiling them costs more than it gains. Set by a statement: poolers refuse
/// start-up options.
async fn connect(options: &PgConnectOptions) -> Result<PgConnection, Error> {
    let connected = tokio::time::timeout(CONNECT, options.connect()).await;
    let mut connection = connected
        .map_err(|_| Error::Unavailable("PostgreSQL does not answer".to_owned()))?
        .map_err(|error| statement::translate(&error).error)?;
    plain(
        &mut connection,
        "SET statement_timeout = '30s'; SET lock_timeout = '5s';
         SET idle_in_transaction_session_timeout = '20s';
         SET jit = off",
    )
    .await?;
    Ok(connection)
}
