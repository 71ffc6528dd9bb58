//! The raw limit: axum and one statement a request on a held connection, nothing else.
//!
//! Reads: one row of 1.5 KB by primary key. Writes: one row of 1.5 KB; on SQLite those that wait
//! share a commit, on PostgreSQL each has its own transaction. Durable as Usher is.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use rusqlite::Connection;
use sqlx::{Connection as _, Executor as _, Row as _};
use tokio::sync::{Mutex, mpsc, oneshot};

/// Rows that are there to be read.
const ROWS: i64 = 1_000;

type Read = (i64, oneshot::Sender<String>);
type Write = (String, oneshot::Sender<()>);

#[derive(Clone)]
enum Raw {
    Sqlite { reads: mpsc::Sender<Read>, writes: mpsc::Sender<Write> },
    Postgres(Arc<Vec<Mutex<sqlx::PgConnection>>>),
}

pub(crate) fn serve(place: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let raw = if place.starts_with("postgres") { postgres(place).await } else { sqlite(place) };
        let router =
            Router::new().route("/row/{id}", get(read)).route("/row", post(write)).with_state(raw);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("raw http://{}/", listener.local_addr().unwrap());
        axum::serve(listener, router).await.unwrap();
    });
}

async fn read(State(raw): State<Raw>, Path(id): Path<i64>) -> String {
    match raw {
        Raw::Sqlite { reads, .. } => {
            let (answer, answered) = oneshot::channel();
            reads.send((id % ROWS, answer)).await.unwrap();
            answered.await.unwrap()
        }
        Raw::Postgres(connections) => {
            let place = usize::try_from(id).unwrap() % connections.len();
            let mut connection = connections[place].lock().await;
            let row = sqlx::query("SELECT doc FROM raw WHERE id = $1").bind(id % ROWS);
            row.fetch_one(&mut *connection).await.unwrap().get(0)
        }
    }
}

async fn write(State(raw): State<Raw>, body: String) {
    match raw {
        Raw::Sqlite { writes, .. } => {
            let (answer, answered) = oneshot::channel();
            writes.send((body, answer)).await.unwrap();
            answered.await.unwrap();
        }
        Raw::Postgres(connections) => {
            static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
            let next = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let mut connection = connections[next % connections.len()].lock().await;
            let insert = sqlx::query("INSERT INTO raw (doc) VALUES ($1)").bind(body);
            insert.execute(&mut *connection).await.unwrap();
        }
    }
}

fn sqlite(path: &str) -> Raw {
    let database = Connection::open(path).unwrap();
    database.pragma_update(None, "journal_mode", "WAL").unwrap();
    database.pragma_update(None, "synchronous", "FULL").unwrap();
    database.execute_batch("CREATE TABLE raw (id INTEGER PRIMARY KEY, doc TEXT NOT NULL)").unwrap();
    for id in 0..ROWS {
        let doc = "x".repeat(1_500);
        database.execute("INSERT INTO raw (id, doc) VALUES (?1, ?2)", (id, doc)).unwrap();
    }
    let (writes, mut to_write) = mpsc::channel::<Write>(4096);
    std::thread::spawn(move || {
        let mut waiting = Vec::new();
        while to_write.blocking_recv_many(&mut waiting, 256) > 0 {
            database.execute_batch("BEGIN IMMEDIATE").unwrap();
            for (doc, _) in &waiting {
                let mut insert =
                    database.prepare_cached("INSERT INTO raw (doc) VALUES (?1)").unwrap();
                insert.execute([doc]).unwrap();
            }
            database.execute_batch("COMMIT").unwrap();
            for (_, answer) in waiting.drain(..) {
                let _ = answer.send(());
            }
        }
    });
    let (reads, to_read) = mpsc::channel::<Read>(4096);
    let to_read = Arc::new(std::sync::Mutex::new(to_read));
    for _ in 0..2 {
        let (reader, to_read) = (Connection::open(path).unwrap(), Arc::clone(&to_read));
        std::thread::spawn(move || {
            loop {
                let asked = to_read.lock().unwrap().blocking_recv();
                let Some((id, answer)) = asked else { return };
                let mut select =
                    reader.prepare_cached("SELECT doc FROM raw WHERE id = ?1").unwrap();
                let _ = answer.send(select.query_row([id], |row| row.get(0)).unwrap());
            }
        });
    }
    Raw::Sqlite { reads, writes }
}

async fn postgres(url: &str) -> Raw {
    let mut connections = Vec::new();
    for _ in 0..16 {
        connections.push(sqlx::PgConnection::connect(url).await.unwrap());
    }
    let first = &mut connections[0];
    first.execute("DROP SCHEMA IF EXISTS raw CASCADE").await.unwrap();
    first.execute("CREATE SCHEMA raw").await.unwrap();
    for connection in &mut connections {
        connection.execute("SET search_path TO raw").await.unwrap();
    }
    let first = &mut connections[0];
    first
        .execute("CREATE TABLE raw (id BIGINT GENERATED BY DEFAULT AS IDENTITY (START 1000) PRIMARY KEY, doc TEXT NOT NULL)")
        .await
        .unwrap();
    first
        .execute(
            "INSERT INTO raw (id, doc) SELECT n, repeat('x', 1500) FROM generate_series(0, 999) n",
        )
        .await
        .unwrap();
    Raw::Postgres(Arc::new(connections.into_iter().map(Mutex::new).collect()))
}
