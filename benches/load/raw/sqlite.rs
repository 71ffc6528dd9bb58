//! SQLite through sqlx: two readers and one writer, each a task with its connection.

use std::path::Path;
use std::sync::Arc;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Executor as _, QueryBuilder, Row as _, Sqlite, SqliteConnection};
use usher::store::{Database, Store, StoreSettings};

use super::rows::Pattern;
use super::{Lanes, ROWS, Read, Rows, Shared, Write, hold};
use crate::workload::BULK;

/// Rows of one statement.
const CHUNK: usize = 200;

pub(super) async fn start(path: &str, lanes: Lanes) {
    // The product's own tables, for its rows; the others are in a file beside it.
    let tables = Path::new(path).with_extension("tables.db");
    let place = Database::Sqlite { path: tables.clone() };
    Store::open(&StoreSettings::new(place)).await.unwrap().close().await;
    let mut writer = open(Path::new(path)).await;
    writer.execute("CREATE TABLE raw (id INTEGER PRIMARY KEY, doc TEXT NOT NULL)").await.unwrap();
    sqlx::query(
        "WITH RECURSIVE n (id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM n WHERE id + 1 < $1)
         INSERT INTO raw (id, doc) SELECT id, printf('%.*c', 1500, 'x') FROM n",
    )
    .bind(i64::try_from(ROWS).unwrap())
    .execute(&mut writer)
    .await
    .unwrap();
    hold(write(writer, lanes.writes));
    for _ in 0..2 {
        hold(read(open(Path::new(path)).await, Arc::clone(&lanes.reads)));
    }
    hold(fill(open(&tables).await, lanes.rows));
}

async fn open(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await
        .unwrap()
}

async fn read(mut connection: SqliteConnection, asked: Shared<Read>) {
    loop {
        let next = asked.lock().await.recv().await;
        let Some((id, answer)) = next else { return };
        let select = sqlx::query("SELECT doc FROM raw WHERE id = $1").bind(id);
        let _ = answer.send(select.fetch_one(&mut connection).await.unwrap().get(0));
    }
}

async fn write(mut connection: SqliteConnection, asked: Shared<Write>) {
    let mut asked = asked.lock().await;
    let mut waiting = Vec::new();
    while asked.recv_many(&mut waiting, 256).await > 0 {
        let mut answers = Vec::with_capacity(waiting.len());
        connection.execute("BEGIN IMMEDIATE").await.unwrap();
        for (doc, answer) in waiting.drain(..) {
            let insert = sqlx::query("INSERT INTO raw (doc) VALUES ($1)").bind(doc);
            insert.execute(&mut connection).await.unwrap();
            answers.push(answer);
        }
        connection.execute("COMMIT").await.unwrap();
        for answer in answers {
            let _ = answer.send(());
        }
    }
}

async fn fill(mut connection: SqliteConnection, asked: Shared<Rows>) {
    let pattern = Pattern::new();
    let mut asked = asked.lock().await;
    while let Some(answer) = asked.recv().await {
        let users = pattern.users(BULK);
        connection.execute("BEGIN IMMEDIATE").await.unwrap();
        for some in users.chunks(CHUNK) {
            let mut insert: QueryBuilder<Sqlite> = QueryBuilder::new(
                "INSERT INTO resources
                 (tenant, kind, id, doc, folded, label, version, created_at, modified_at) ",
            );
            insert.push_values(some, |mut row, user| {
                row.push_bind("raw").push_bind("User").push_bind(user.id.as_str());
                row.push_bind(user.draft.doc.as_str()).push_bind(user.draft.folded.as_str());
                row.push_bind(user.draft.label.as_str());
                row.push_bind(1).push_bind(1_i64).push_bind(1_i64);
            });
            insert.build().execute(&mut connection).await.unwrap();
        }
        let unique =
            users.iter().flat_map(|user| user.draft.entries.unique.iter().map(|e| (&user.id, e)));
        entries(&mut connection, "INSERT INTO unique_keys", unique.collect()).await;
        let index =
            users.iter().flat_map(|user| user.draft.entries.index.iter().map(|e| (&user.id, e)));
        entries(&mut connection, "INSERT INTO attr_index", index.collect()).await;
        connection.execute("COMMIT").await.unwrap();
        let _ = answer.send(());
    }
}

async fn entries(
    connection: &mut SqliteConnection,
    into: &str,
    entries: Vec<(&String, &(String, String))>,
) {
    for some in entries.chunks(CHUNK) {
        let mut insert: QueryBuilder<Sqlite> = QueryBuilder::new(into);
        insert.push(" (tenant, kind, attr, value, resource) ");
        insert.push_values(some, |mut row, (id, (attr, value))| {
            row.push_bind("raw").push_bind("User").push_bind(attr.as_str());
            row.push_bind(value.as_str()).push_bind(id.as_str());
        });
        insert.build().execute(&mut *connection).await.unwrap();
    }
}
