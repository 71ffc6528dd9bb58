//! An open transaction on either database.

use sqlx::postgres::PgConnection;

use crate::store::{Dialect, Error, Row, Sql, Value, postgres, retry, sqlite};

/// An open transaction on either database.
///
/// A statement that failed spoils it, on SQLite too: nothing of it will be kept.
#[derive(Debug)]
pub struct Tx<'c> {
    on: On<'c>,
    failed: Option<Error>,
    lost: bool,
}

#[derive(Debug)]
enum On<'c> {
    Sqlite(&'c rusqlite::Connection),
    Postgres(&'c mut PgConnection),
}

impl<'c> Tx<'c> {
    pub(super) fn sqlite(connection: &'c rusqlite::Connection) -> Self {
        Self { on: On::Sqlite(connection), failed: None, lost: false }
    }

    pub(super) fn postgres(connection: &'c mut PgConnection) -> Self {
        Self { on: On::Postgres(connection), failed: None, lost: false }
    }

    /// The first error of a statement.
    pub(super) fn failed(&self) -> Option<&Error> {
        self.failed.as_ref()
    }

    /// Whether the connection broke.
    pub(super) fn lost(&self) -> bool {
        self.lost
    }

    /// Which database speaks.
    pub fn dialect(&self) -> Dialect {
        match self.on {
            On::Sqlite(_) => Dialect::Sqlite,
            On::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs a statement and says how many rows it touched.
    pub async fn execute(&mut self, sql: &'static str, binds: &[Value]) -> Result<u64, Error> {
        let done = match &mut self.on {
            On::Sqlite(connection) => sqlite::execute(connection, sql, binds),
            On::Postgres(connection) => postgres::execute(connection, sql, binds).await,
        };
        self.note(done)
    }

    /// Runs a statement and gives its rows. A ` FOR …` lock at its end is for PostgreSQL alone.
    pub async fn query(&mut self, sql: &'static str, binds: &[Value]) -> Result<Vec<Row>, Error> {
        let done = match &mut self.on {
            On::Sqlite(connection) => sqlite::query(connection, sql, binds),
            On::Postgres(connection) => postgres::query(connection, sql, binds).await,
        };
        self.note(done)
    }

    /// Runs a statement that was put together at run time.
    pub async fn run(&mut self, sql: &Sql) -> Result<Vec<Row>, Error> {
        let done = match &mut self.on {
            On::Sqlite(connection) => sqlite::query(connection, &sql.text, &sql.binds),
            On::Postgres(connection) => postgres::run(connection, sql).await,
        };
        self.note(done)
    }

    fn note<T>(&mut self, done: Result<T, retry::Broken>) -> Result<T, Error> {
        done.map_err(|broken| {
            self.lost |= broken.lost;
            self.failed.get_or_insert_with(|| broken.error.clone());
            broken.error
        })
    }
}
