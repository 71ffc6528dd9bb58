//! What is to be measured, from the command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::database::Database;

/// The whole run.
pub(crate) struct Plan {
    /// The databases, one after the other.
    pub(crate) databases: Vec<Database>,
    /// The program that is measured.
    pub(crate) usher: PathBuf,
    /// Where seeded databases are kept.
    pub(crate) keep: PathBuf,
    /// Users of each database file, ascending.
    sizes: Vec<usize>,
    postgres_sizes: Vec<usize>,
    /// How long each line is measured, each time.
    pub(crate) time: Duration,
    /// How often each line is measured; its median counts.
    pub(crate) rounds: usize,
    /// Only workloads whose names contain this.
    pub(crate) only: Option<String>,
}

impl Plan {
    /// `--quick`, `--sizes A,B`, `--postgres-sizes A,B`, `--seconds N`, `--sqlite-only`,
    /// `--postgres-only`, `--only TEXT`; and from `benches/run`: `--usher`, `--keep`,
    /// `--postgres URL` with `{}` for the database's name, `--postmaster PID`.
    pub(crate) fn from_arguments(arguments: &[String]) -> Self {
        let has = |name: &str| arguments.iter().any(|word| word == name);
        let after = |name: &str| {
            let place = arguments.iter().position(|word| word == name);
            place.and_then(|place| arguments.get(place + 1)).cloned()
        };
        let sizes = |name: &str, default: &[usize]| -> Vec<usize> {
            let Some(list) = after(name) else { return default.to_vec() };
            let mut sizes: Vec<usize> =
                list.split(',').map(|size| size.parse().expect("sizes are numbers")).collect();
            sizes.sort_unstable();
            sizes
        };
        let quick = has("--quick");
        let seconds = after("--seconds").map(|text| text.parse().expect("--seconds is a number"));
        let here = env!("CARGO_MANIFEST_DIR");
        let mut databases = Vec::new();
        if !has("--postgres-only") {
            databases.push(Database::Sqlite);
        }
        if let Some(url) = after("--postgres").filter(|_| !has("--sqlite-only")) {
            let postmaster = after("--postmaster").and_then(|pid| pid.parse().ok());
            databases.push(Database::Postgres { url, postmaster });
        }
        let large = if quick { 5_000 } else { 1_000_000 };
        let small = sizes("--sizes", &[1_000, large]);
        Self {
            databases,
            usher: after("--usher").unwrap_or(env!("CARGO_BIN_EXE_usher").to_owned()).into(),
            keep: after("--keep").map_or_else(|| format!("{here}/target/bench").into(), Into::into),
            postgres_sizes: sizes("--postgres-sizes", &small),
            sizes: small,
            time: Duration::from_secs_f64(seconds.unwrap_or(if quick { 1.0 } else { 5.0 })),
            rounds: if quick { 1 } else { 3 },
            only: after("--only"),
        }
    }

    /// Users of the databases that are compared, ascending.
    pub(crate) fn sizes(&self, database: &Database) -> &[usize] {
        match database {
            Database::Sqlite => &self.sizes,
            Database::Postgres { .. } => &self.postgres_sizes,
        }
    }

    /// A directory that goes when its value does.
    pub(crate) fn directory(&self) -> tempfile::TempDir {
        std::fs::create_dir_all(&self.keep).unwrap();
        tempfile::Builder::new().prefix("run-").tempdir_in(&self.keep).unwrap()
    }

    /// How many users the large Bulk request creates.
    pub(crate) fn large_bulk(&self) -> usize {
        if self.rounds == 1 { 10_000 } else { 100_000 }
    }

    /// How long a line runs before it is measured.
    pub(crate) fn warm_up(&self) -> Duration {
        self.time / 5
    }
}
