//! The steps from an empty database to today's tables, the same numbers on both databases.

use rusqlite::Connection;
use sqlx::postgres::PgConnection;

use crate::store::{Error, Tx, postgres, sqlite};

struct Migration {
    number: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        number: 1,
        name: "init",
        sqlite: include_str!("migrations/sqlite/0001_init.sql"),
        postgres: include_str!("migrations/postgres/0001_init.sql"),
    },
    Migration {
        number: 2,
        name: "scale",
        sqlite: include_str!("migrations/sqlite/0002_scale.sql"),
        postgres: include_str!("migrations/postgres/0002_scale.sql"),
    },
    Migration {
        number: 3,
        name: "seats",
        sqlite: include_str!("migrations/sqlite/0003_seats.sql"),
        postgres: include_str!("migrations/postgres/0003_seats.sql"),
    },
    Migration {
        number: 4,
        name: "bands",
        sqlite: include_str!("migrations/sqlite/0004_bands.sql"),
        postgres: include_str!("migrations/postgres/0004_bands.sql"),
    },
    Migration {
        number: 5,
        name: "groups",
        sqlite: include_str!("migrations/sqlite/0005_groups.sql"),
        postgres: include_str!("migrations/postgres/0005_groups.sql"),
    },
    Migration {
        number: 6,
        name: "numbers",
        sqlite: include_str!("migrations/sqlite/0006_numbers.sql"),
        postgres: include_str!("migrations/postgres/0006_numbers.sql"),
    },
    Migration {
        number: 7,
        name: "brake",
        sqlite: include_str!("migrations/sqlite/0007_brake.sql"),
        postgres: include_str!("migrations/postgres/0007_brake.sql"),
    },
    Migration {
        number: 8,
        name: "mail",
        sqlite: include_str!("migrations/sqlite/0008_mail.sql"),
        postgres: include_str!("migrations/postgres/0008_mail.sql"),
    },
    Migration {
        number: 9,
        name: "sessions",
        sqlite: include_str!("migrations/sqlite/0009_sessions.sql"),
        postgres: include_str!("migrations/postgres/0009_sessions.sql"),
    },
    Migration {
        number: 10,
        name: "tickets",
        sqlite: include_str!("migrations/sqlite/0010_tickets.sql"),
        postgres: include_str!("migrations/postgres/0010_tickets.sql"),
    },
    Migration {
        number: 11,
        name: "state",
        sqlite: include_str!("migrations/sqlite/0011_state.sql"),
        postgres: include_str!("migrations/postgres/0011_state.sql"),
    },
];

const TABLE: &str = "CREATE TABLE IF NOT EXISTS usher_migrations
    (number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL)";
const DONE: &str = "SELECT COALESCE(MAX(number), 0) FROM usher_migrations";
const NOTE: &str = "INSERT INTO usher_migrations (number, name) VALUES ($1, $2)";
const FOREIGN: &str = "it holds the tables of another program; give usher a database of its own";

/// The number of the newest migration that this database has been through.
pub async fn newest(tx: &mut Tx<'_>) -> Result<i64, Error> {
    tx.query(DONE, &[]).await?.first().map_or(Ok(0), |row| row.int(0))
}

/// A write that changes nothing, to see whether the database takes any.
pub async fn touch(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.execute("UPDATE usher_migrations SET name = name WHERE number = $1", &[1.into()])
        .await
        .map(drop)
}

/// Brings a SQLite file up to date; other processes wait.
pub(super) fn sqlite(connection: &Connection) -> Result<(), Error> {
    // Commands beside a busy server need no lock when there is nothing to do.
    let newest = MIGRATIONS.iter().map(|migration| migration.number).max();
    let done = sqlite::query(connection, DONE, &[]).ok().and_then(|rows| rows.first()?.int(0).ok());
    if done.is_some() && done == newest {
        return Ok(());
    }
    let run = |text: &'static str| sqlite::execute(connection, text, &[]).map_err(|b| b.error);
    run("BEGIN EXCLUSIVE")?;
    let done = (|| {
        let tables = sqlite::query(
            connection,
            "SELECT COUNT(*), COALESCE(SUM(name = 'usher_migrations'), 0) FROM sqlite_master
             WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            &[],
        )
        .map_err(|broken| broken.error)?;
        if tables.first().is_some_and(|row| row.int(0) != Ok(0) && row.int(1) == Ok(0)) {
            return Err(Error::Database(FOREIGN.to_owned()));
        }
        run(TABLE)?;
        let rows = sqlite::query(connection, DONE, &[]).map_err(|broken| broken.error)?;
        for migration in missing(rows.first().map_or(Ok(0), |row| row.int(0))?)? {
            connection.execute_batch(migration.sqlite).map_err(|error| {
                Error::Database(format!("migration {}: {error}", migration.name))
            })?;
            let binds = [migration.number.into(), migration.name.into()];
            sqlite::execute(connection, NOTE, &binds).map_err(|broken| broken.error)?;
        }
        Ok(())
    })();
    match done {
        Ok(()) => run("COMMIT").map(drop),
        Err(error) => {
            let _ = run("ROLLBACK");
            Err(error)
        }
    }
}

/// Brings a PostgreSQL database up to date; other processes wait.
pub(super) async fn postgres(connection: &mut PgConnection) -> Result<(), Error> {
    // The number is "usher" in ASCII; the lock goes with the transaction. Whoever waits for it, and
    // an index over a large table, may take as long as they take.
    postgres::plain(
        connection,
        "BEGIN; SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0;
         SELECT pg_advisory_xact_lock(504682407282)",
    )
    .await?;
    let done = steps(connection).await;
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = postgres::plain(connection, end).await;
    done.and(ended)
}

async fn steps(connection: &mut PgConnection) -> Result<(), Error> {
    let tables = postgres::query(
        connection,
        "SELECT COUNT(*), COUNT(*) FILTER (WHERE tablename = 'usher_migrations') FROM pg_tables
         WHERE schemaname = current_schema()",
        &[],
    )
    .await
    .map_err(|broken| broken.error)?;
    if tables.first().is_some_and(|row| row.int(0) != Ok(0) && row.int(1) == Ok(0)) {
        return Err(Error::Database(FOREIGN.to_owned()));
    }
    postgres::plain(connection, TABLE).await?;
    let rows = postgres::query(connection, DONE, &[]).await.map_err(|broken| broken.error)?;
    for migration in missing(rows.first().map_or(Ok(0), |row| row.int(0))?)? {
        postgres::plain(connection, migration.postgres).await?;
        let binds = [migration.number.into(), migration.name.into()];
        postgres::execute(connection, NOTE, &binds).await.map_err(|broken| broken.error)?;
    }
    Ok(())
}

/// The steps after this one.
fn missing(done: i64) -> Result<impl Iterator<Item = &'static Migration>, Error> {
    let newest = MIGRATIONS.iter().map(|migration| migration.number).max().unwrap_or(0);
    if done > newest {
        return Err(Error::Database(format!(
            "its tables are at step {done}, this program knows {newest}: run a newer usher"
        )));
    }
    Ok(MIGRATIONS.iter().filter(move |migration| migration.number > done))
}
