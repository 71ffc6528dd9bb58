//! The only SQL.

mod dialect;
pub mod filter;
mod value;

pub use dialect::Dialect;
pub use value::{Row, Sql, Value};

/// Why the store could not do as asked. Its sentences are for the log, never for a client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A value that must be unique is taken: the attribute's path (`userName`).
    #[error("{0} is taken")]
    Taken(String),
    /// Another writer was in the way (deadlock, serialisation failure, busy): try again.
    #[error("the database asks to try again: {0}")]
    Again(String),
    /// The database does not answer, is locked, read-only or full.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// Anything else: a mistake of ours or a damaged database.
    #[error("database: {0}")]
    Database(String),
}
