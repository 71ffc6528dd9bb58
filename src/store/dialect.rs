//! The few expressions in which SQLite and PostgreSQL differ. Everything else is one text.

/// Which database speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The embedded database.
    Sqlite,
    /// The shared database.
    Postgres,
}
