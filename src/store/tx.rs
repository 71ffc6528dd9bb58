//! An open transaction on either database.

use sqlx::postgres::PgConnection;

use crate::ids::TenantId;
use crate::store::{Dialect, Error, Failure, Row, Sql, Value, postgres, retry, sqlite};

/// An open transaction on either database.
///
/// A statement that failed spoils it, on SQLite too: nothing of it will be kept.
#[derive(Debug)]
pub struct Tx<'c> {
    on: On<'c>,
    failed: Option<Error>,
    lost: retry::Lost,
    /// Whether a statement changed a row.
    wrote: bool,
    /// Bytes of what was bound.
    bytes: usize,
    counts: Counts,
}

/// What the batch has to see to before its commit.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    /// What came and went.
    pub(super) changes: Vec<Count>,
    /// Blocks that were counted already and hold too much.
    pub(super) crowded: Vec<Crowded>,
}

impl Counts {
    /// Takes over what another change left.
    pub(super) fn extend(&mut self, other: Self) {
        self.changes.extend(other.changes);
        self.crowded.extend(other.crowded);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.crowded.is_empty()
    }
}

/// A block of resources that is to be cut (store/blocks.rs).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Crowded {
    /// Whose.
    pub(super) tenant: String,
    /// The resource type's name.
    pub(super) kind: String,
    /// Where it begins.
    pub(super) first: String,
}

/// A resource that came (1) or went (-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Count {
    /// Whose.
    pub(super) tenant: String,
    /// The resource type's name.
    pub(super) kind: String,
    /// Its `id`.
    pub(super) id: String,
    /// 1 or -1.
    pub(super) delta: i64,
}

#[derive(Debug)]
enum On<'c> {
    Sqlite(&'c rusqlite::Connection),
    Postgres(&'c mut PgConnection),
}

impl<'c> Tx<'c> {
    pub(super) fn sqlite(connection: &'c rusqlite::Connection) -> Self {
        Self::on(On::Sqlite(connection))
    }

    pub(super) fn postgres(connection: &'c mut PgConnection) -> Self {
        Self::on(On::Postgres(connection))
    }

    fn on(on: On<'c>) -> Self {
        Self {
            on,
            failed: None,
            lost: retry::Lost::No,
            wrote: false,
            bytes: 0,
            counts: Counts::default(),
        }
    }

    /// Whether a statement changed a row.
    pub(super) fn wrote(&self) -> bool {
        self.wrote
    }

    /// Bytes of what was bound.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The resources that came and went, to be counted before the commit.
    pub(super) fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    /// Notes that a resource came (1) or went (-1); the batch counts all of them at once.
    pub(super) fn count(&mut self, tenant: &TenantId, kind: &str, id: &str, delta: i64) {
        self.counts.changes.push(Count {
            tenant: tenant.to_string(),
            kind: kind.to_owned(),
            id: id.to_owned(),
            delta,
        });
    }

    /// Notes that a block, counted already, holds too much. It may hold less by now: it is counted anew.
    pub(super) fn crowd(&mut self, tenant: &TenantId, kind: &str, first: &str) {
        let (tenant, kind, first) = (tenant.to_string(), kind.to_owned(), first.to_owned());
        self.counts.crowded.push(Crowded { tenant, kind, first });
    }

    /// The first error of a statement.
    pub(super) fn failed(&self) -> Option<&Error> {
        self.failed.as_ref()
    }

    /// Whether the connection broke.
    pub(super) fn lost(&self) -> bool {
        self.lost != retry::Lost::No
    }

    /// Whether nobody knows what became of a statement.
    pub(super) fn is_in_the_dark(&self) -> bool {
        self.lost == retry::Lost::Silent
    }

    /// Which database speaks.
    pub fn dialect(&self) -> Dialect {
        match self.on {
            On::Sqlite(_) => Dialect::Sqlite,
            On::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The connection, where it is one to a server.
    pub(super) fn server(&mut self) -> Option<&mut PgConnection> {
        match &mut self.on {
            On::Sqlite(_) => None,
            On::Postgres(connection) => Some(connection),
        }
    }

    /// Runs a statement and says how many rows it touched.
    pub async fn execute(&mut self, sql: &'static str, binds: &[Value]) -> Result<u64, Error> {
        self.weigh(binds);
        let done = match &mut self.on {
            On::Sqlite(connection) => sqlite::execute(connection, sql, binds),
            On::Postgres(connection) => postgres::execute(connection, sql, binds).await,
        };
        self.wrote |= done.as_ref().is_ok_and(|touched| *touched > 0);
        self.note(done)
    }

    /// Runs a statement once for each row of texts, whose binds come after `common`. It is meant for
    /// SQLite, where a row costs no round trip.
    pub(super) async fn execute_each(
        &mut self,
        sql: &'static str,
        common: &[Value],
        rows: &[&[&str]],
    ) -> Result<u64, Error> {
        self.weigh(common);
        self.bytes += rows.iter().flat_map(|row| row.iter()).map(|text| text.len()).sum::<usize>();
        let done = match &mut self.on {
            On::Sqlite(connection) => sqlite::execute_each(connection, sql, common, rows),
            On::Postgres(connection) => postgres::execute_each(connection, sql, common, rows).await,
        };
        self.wrote |= done.as_ref().is_ok_and(|touched| *touched > 0);
        self.note(done)
    }

    /// Runs a statement that gives rows, which also say whether it changed anything.
    pub(super) async fn change(
        &mut self,
        sql: &'static str,
        binds: &[Value],
        changed: impl FnOnce(&[Row]) -> bool,
    ) -> Result<Vec<Row>, Error> {
        let wrote = self.wrote;
        let rows = self.query(sql, binds).await?;
        self.wrote = wrote || changed(&rows);
        Ok(rows)
    }

    /// Runs a statement and gives its rows. A ` FOR …` lock at its end is for PostgreSQL alone.
    pub async fn query(&mut self, sql: &'static str, binds: &[Value]) -> Result<Vec<Row>, Error> {
        self.weigh(binds);
        let done = match &mut self.on {
            On::Sqlite(connection) => sqlite::query(connection, sql, binds),
            On::Postgres(connection) => postgres::query(connection, sql, binds).await,
        };
        self.wrote |= !looks(sql) && done.as_ref().is_ok_and(|rows| !rows.is_empty());
        self.note(done)
    }

    /// Runs a statement that was put together at run time.
    pub async fn run(&mut self, sql: &Sql) -> Result<Vec<Row>, Error> {
        self.weigh(&sql.binds);
        let done = match &mut self.on {
            On::Sqlite(connection) => sqlite::query(connection, &sql.text, &sql.binds),
            On::Postgres(connection) => postgres::run(connection, sql).await,
        };
        self.wrote |= !looks(&sql.text) && done.as_ref().is_ok_and(|rows| !rows.is_empty());
        self.note(done)
    }

    /// Runs a part of a change that may fail alone: what it wrote is then undone, and the change
    /// goes on. The outer error means that the change cannot go on.
    pub async fn part<T, E: Failure>(
        &mut self,
        part: impl AsyncFnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<Result<T, E>, Error> {
        self.plain("SAVEPOINT part").await?;
        let (wrote, counted) = (self.wrote, self.counts.changes.len());
        let done = part(self).await;
        if done.is_ok() && self.failed.is_none() {
            self.plain("RELEASE SAVEPOINT part").await?;
            return Ok(done);
        }
        if self.lost() {
            return Err(self.failed.clone().unwrap_or_else(|| Error::Again("lost".to_owned())));
        }
        self.plain("ROLLBACK TO SAVEPOINT part").await?;
        self.plain("RELEASE SAVEPOINT part").await?;
        self.counts.changes.truncate(counted);
        self.wrote = wrote;
        let failed = self.failed.take();
        let done = match (done, failed) {
            (Ok(_), Some(failed)) => Err(E::from(failed)),
            (done, _) => done,
        };
        match done.as_ref().err().and_then(Failure::store) {
            Some(again @ (Error::Again(_) | Error::Unavailable(_))) => Err(again.clone()),
            Some(Error::Taken(_) | Error::Full | Error::Busy | Error::Database(_)) | None => {
                Ok(done)
            }
        }
    }

    async fn plain(&mut self, sql: &'static str) -> Result<(), Error> {
        let done = match &mut self.on {
            On::Sqlite(connection) => sqlite::plain(connection, sql).map_err(retry::Broken::kept),
            On::Postgres(connection) => postgres::control(connection, sql).await,
        };
        self.note(done)
    }

    fn weigh(&mut self, binds: &[Value]) {
        self.bytes += binds.iter().map(Value::weight).sum::<usize>();
    }

    /// Notes what came of a statement.
    pub(super) fn note<T>(&mut self, done: Result<T, retry::Broken>) -> Result<T, Error> {
        done.map_err(|broken| {
            self.lost = self.lost.max(broken.lost);
            self.failed.get_or_insert_with(|| broken.error.clone());
            broken.error
        })
    }
}

/// Whether a statement that gives rows only looks.
fn looks(sql: &str) -> bool {
    ["SELECT", "WITH RECURSIVE"].iter().any(|word| sql.trim_start().starts_with(word))
}
