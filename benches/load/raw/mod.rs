//! The raw limits: axum and statements on held connections, nothing else.
//!
//! Reads: one row of 1.5 KB by primary key, one request a statement. Writes: one row of 1.5 KB; on
//! SQLite those that wait share a commit, on PostgreSQL each has its own transaction. Rows: what
//! Usher stores for 1,000 users, inserted in one transaction. Durable as Usher is.

mod postgres;
mod rows;
mod sqlite;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::routing::{get, post};
use tokio::sync::{Mutex, mpsc, oneshot};

/// Rows that are there to be read.
pub(crate) const ROWS: usize = 100_000;

type Read = (i64, oneshot::Sender<String>);
type Write = (String, oneshot::Sender<()>);
type Rows = oneshot::Sender<()>;
type Shared<T> = Arc<Mutex<mpsc::Receiver<T>>>;

/// Where requests wait for a connection.
#[derive(Clone)]
struct Raw {
    reads: mpsc::Sender<Read>,
    writes: mpsc::Sender<Write>,
    rows: mpsc::Sender<Rows>,
}

/// The other ends.
struct Lanes {
    reads: Shared<Read>,
    writes: Shared<Write>,
    rows: Shared<Rows>,
}

/// Serves the limits of this SQLite file or PostgreSQL URL until the process is ended.
pub(crate) fn serve(place: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (raw, lanes) = queues();
        if place.starts_with("postgres") {
            postgres::start(place, lanes).await;
        } else {
            sqlite::start(place, lanes).await;
        }
        let router = Router::new()
            .route("/row/{id}", get(read))
            .route("/row", post(write))
            .route("/rows", post(rows))
            .layer(DefaultBodyLimit::disable())
            .with_state(raw);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("http://{}/", listener.local_addr().unwrap());
        axum::serve(listener, router).await.unwrap();
    });
}

fn queues() -> (Raw, Lanes) {
    let (reads, to_read) = mpsc::channel(4096);
    let (writes, to_write) = mpsc::channel(4096);
    let (rows, to_fill) = mpsc::channel(64);
    let lanes = Lanes {
        reads: Arc::new(Mutex::new(to_read)),
        writes: Arc::new(Mutex::new(to_write)),
        rows: Arc::new(Mutex::new(to_fill)),
    };
    (Raw { reads, writes, rows }, lanes)
}

async fn read(State(raw): State<Raw>, Path(id): Path<i64>) -> String {
    let (answer, answered) = oneshot::channel();
    raw.reads.send((id, answer)).await.unwrap();
    answered.await.unwrap()
}

async fn write(State(raw): State<Raw>, body: String) {
    let (answer, answered) = oneshot::channel();
    raw.writes.send((body, answer)).await.unwrap();
    answered.await.unwrap();
}

async fn rows(State(raw): State<Raw>) {
    let (answer, answered) = oneshot::channel();
    raw.rows.send(answer).await.unwrap();
    answered.await.unwrap();
}

/// A task that holds a connection for as long as the process runs.
#[expect(clippy::disallowed_methods, reason = "no part of the product, which counts its tasks")]
fn hold(task: impl Future<Output = ()> + Send + 'static) {
    drop(tokio::spawn(task));
}
