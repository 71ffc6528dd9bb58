//! The lines of the table: what is asked, beside which limit, and what is wanted of it.

use crate::database::Database;
use crate::workload::{RawWorkload, Workload};

/// One line for each size.
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) workload: Workload,
    pub(crate) lanes: usize,
    pub(crate) limit: Limit,
    /// The least ratio to the limit: on SQLite, on PostgreSQL.
    ratio: (f64, f64),
}

/// The raw limit of a workload.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Limit {
    Raw(RawWorkload),
    /// Bare argon2 on the same cores.
    Argon2,
    /// None; this many milliseconds at most.
    Milliseconds(f64),
}

/// A page of 100, alone.
pub(crate) const PAGE_MS: f64 = 5.0;
/// How much slower the large database may be.
pub(crate) const GROWTH: f64 = 1.5;
/// p99 at half the top rate, in medians.
pub(crate) const TAIL: f64 = 10.0;
/// p99 of single changes beside a large Bulk, against idle.
pub(crate) const BESIDE_BULK: f64 = 3.0;
/// p99 of single changes beside a crowd that signs in, against idle.
pub(crate) const BESIDE_SIGN_INS: f64 = 2.0;
/// How many times as much a create may cost where seats are limited.
pub(crate) const SEATS_COST: f64 = 1.3;
/// MiB: idle, and after the load.
pub(crate) const MEMORY: (f64, f64) = (30.0, 150.0);
/// Seconds.
pub(crate) const START: f64 = 0.5;

const READS: (f64, f64) = (1.2, 0.9);
const CREATES: (f64, f64) = (0.7, 0.4);
const CHANGES: (f64, f64) = (1.0, 0.4);
const BULKS: (f64, f64) = (0.3, 0.3);
pub(crate) const HASHES: (f64, f64) = (0.9, 0.9);

impl Spec {
    fn new(name: &str, workload: Workload, lanes: usize, limit: Limit, ratio: (f64, f64)) -> Self {
        Self { name: name.to_owned(), workload, lanes, limit, ratio }
    }

    /// The least ratio to the limit; none where the limit is a time.
    pub(crate) fn ratio(&self, database: &Database) -> Option<f64> {
        match (self.limit, database) {
            (Limit::Milliseconds(_), _) => None,
            (Limit::Raw(_) | Limit::Argon2, Database::Sqlite) => Some(self.ratio.0),
            (Limit::Raw(_) | Limit::Argon2, Database::Postgres { .. }) => Some(self.ratio.1),
        }
    }
}

/// All lines; `groups` are the sizes of the groups in the largest database.
pub(crate) fn all(groups: &[usize]) -> Vec<Spec> {
    let (read, write) = (Limit::Raw(RawWorkload::Read), Limit::Raw(RawWorkload::Write));
    let both = [
        ("read by id", Workload::Read, read, READS),
        ("`userName eq`", Workload::UserName, read, READS),
        ("`externalId eq`", Workload::ExternalId, read, READS),
        ("`emails.value eq`", Workload::Email, read, READS),
        ("create", Workload::Create, write, CREATES),
        ("PATCH `active`", Workload::Patch, write, CHANGES),
        ("PUT", Workload::Put, write, CHANGES),
    ];
    let mut specs = Vec::new();
    for (name, workload, limit, ratio) in both {
        for lanes in [16, 64] {
            specs.push(Spec::new(name, workload, lanes, limit, ratio));
        }
    }
    for &size in groups {
        let name = format!("add, remove one member of {}", thousands(size));
        specs.push(Spec::new(&name, Workload::Member(size), 16, write, CHANGES));
    }
    for &size in groups.iter().take(1).chain(groups.iter().skip(1).last()) {
        let name = format!("64 writers on one group of {}", thousands(size));
        specs.push(Spec::new(&name, Workload::Member(size), 64, write, CHANGES));
    }
    let rows = Limit::Raw(RawWorkload::Rows);
    specs.push(Spec::new("Bulk of 1,000 creates, in users", Workload::Bulk, 1, rows, BULKS));
    let password = Workload::Password;
    specs.push(Spec::new("create with a password", password, 16, Limit::Argon2, HASHES));
    for (name, percent) in [
        ("page of 100, first", 0),
        ("page of 100, `startIndex` in the middle", 50),
        ("page of 100, `startIndex` at the end", 100),
    ] {
        let limit = Limit::Milliseconds(PAGE_MS);
        specs.push(Spec::new(name, Workload::Page(percent), 1, limit, (0.0, 0.0)));
    }
    specs
}

/// A number for people.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
