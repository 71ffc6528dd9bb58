//! What `usher doctor` asks the database.

mod deep;

use crate::app::{App, Error};
use crate::store::{Dialect, Tx, migrations};

pub use deep::{Deep, Faults};

/// How the database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabaseState {
    /// Which database it is.
    pub dialect: Dialect,
    /// The newest migration that it has been through.
    pub migration: i64,
}

impl App {
    /// Which database it is, and how new its tables are.
    pub async fn database_state(&self) -> Result<DatabaseState, Error> {
        let migration = self.store().read(async |tx| migrations::newest(tx).await).await?;
        Ok(DatabaseState { dialect: self.store().dialect(), migration })
    }

    /// Whether the database takes writes; this one changes nothing.
    pub async fn check_writable(&self) -> Result<(), Error> {
        self.store().write_apart(async |tx: &mut Tx<'_>| migrations::touch(tx).await).await?;
        Ok(())
    }
}
