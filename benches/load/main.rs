//! The load run: every workload beside a raw limit that is measured in the same run.
//!
//! `benches/run` builds what is measured, starts a PostgreSQL, and calls this program; its options
//! are those of [`plan::Plan`]. Progress goes to standard error, the table to standard output.

#![expect(clippy::unwrap_used, reason = "a harness stops at the first surprise")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "figures are rounded anyway"
)]

mod argon2;
mod beside;
mod client;
mod database;
mod drive;
mod extras;
mod figures;
mod machine;
mod measure;
mod pages;
mod people;
mod plan;
mod process;
mod raw;
mod seats;
mod seed;
mod signin;
mod site;
mod specs;
mod table;
mod workload;

use plan::Plan;
use table::Table;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|word| word == "raw") {
        return raw::serve(&arguments[1]);
    }
    let plan = Plan::from_arguments(&arguments);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut table = Table::default();
    for database in &plan.databases {
        runtime.block_on(measure::database(database, &plan, &mut table));
    }
    println!("{}\n\n{table}", machine::describe(&plan));
}
