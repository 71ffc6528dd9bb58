//! A first reading: requests a second beside a raw limit that is measured in the same run.
//!
//! `cargo bench --bench load` starts the release binary on a fresh SQLite file, and on PostgreSQL with
//! `-- --postgres URL` on an empty database, fills it, and prints one table; `-- --users 1000
//! --seconds 2` for a smaller run.

#![expect(clippy::unwrap_used, reason = "a harness stops at the first surprise")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "figures are rounded anyway"
)]

mod client;
mod raw;
mod server;

use std::time::Duration;

use client::{Figures, Workload};
use server::Process;

/// Connections that ask at once.
const CONNECTIONS: usize = 16;

struct Plan {
    users: usize,
    time: Duration,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(kind) = arguments.iter().position(|word| word == "raw") {
        return raw::serve(&arguments[kind + 1]);
    }
    let after = |name: &str| {
        let place = arguments.iter().position(|word| word == name);
        place.and_then(|place| arguments.get(place + 1))
    };
    let number = |name: &str, default: usize| {
        after(name).and_then(|value| value.parse().ok()).unwrap_or(default)
    };
    let plan = Plan {
        users: number("--users", 10_000),
        time: Duration::from_secs(number("--seconds", 5) as u64),
    };
    println!("{CONNECTIONS} connections, {} users, {} s a line\n", plan.users, plan.time.as_secs());
    println!(
        "| database | workload | requests/s | p50 ms | p99 ms | server CPU µs/request | ratio to raw |"
    );
    println!("|---|---|---|---|---|---|---|");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let sqlite = directory.path().join("raw.db").display().to_string();
    runtime.block_on(measure("SQLite", &sqlite, None, &plan));
    if let Some(url) = after("--postgres") {
        runtime.block_on(measure("PostgreSQL", url, Some(url), &plan));
    }
}

async fn measure(name: &str, raw_place: &str, url: Option<&str>, plan: &Plan) {
    let raw = Process::raw(raw_place);
    let filled = client::run(&raw, Workload::RawWrite, Duration::from_secs(1), 0).await;
    let raw_writes = client::run(&raw, Workload::RawWrite, plan.time, filled.done).await;
    let raw_reads = client::run(&raw, Workload::RawRead, plan.time, 0).await;
    drop(raw);
    row(name, "raw: one row written", &raw_writes, &raw_writes);
    row(name, "raw: one row read", &raw_reads, &raw_reads);

    let usher = Process::usher(url);
    let ids = client::fill(&usher, plan.users).await;
    let read = client::run_on(&usher, Workload::Read, plan.time, &ids).await;
    row(name, "read by id", &read, &raw_reads);
    let find = client::run_on(&usher, Workload::Find, plan.time, &ids).await;
    row(name, "userName eq", &find, &raw_reads);
    let create = client::run(&usher, Workload::Create, plan.time, plan.users).await;
    row(name, "create", &create, &raw_writes);
}

fn row(database: &str, workload: &str, figures: &Figures, raw: &Figures) {
    println!(
        "| {database} | {workload} | {:.0} | {:.2} | {:.2} | {:.0} | {:.2} |",
        figures.rate,
        figures.median,
        figures.p99,
        figures.cpu,
        figures.rate / raw.rate
    );
}
