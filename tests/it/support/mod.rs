//! What the integration tests share: a store on either database, made new for each test.

pub(crate) mod app;
pub(crate) mod asks;
pub(crate) mod browser;
pub(crate) mod bulk;
pub(crate) mod documented;
pub(crate) mod people;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod smtp;
pub(crate) mod synthetic;

use std::path::{Path, PathBuf};

use usher::store::{Database, Store, StoreSettings};

/// Makes `sqlite::name` and `postgres::name` from each body. Its argument is anything [`Opened`].
macro_rules! each_db {
    ($($(#[$meta:meta])* async fn $name:ident($argument:ident: $kind:ty) $body:block)*) => {
        $($(#[$meta])* async fn $name($argument: $kind) $body)*

        mod sqlite {
            $(#[test] fn $name() { crate::support::on_sqlite(super::$name); })*
        }

        mod postgres {
            $(#[test] fn $name() { crate::support::on_postgres(super::$name); })*
        }
    };
}
pub(crate) use each_db;

/// An open store, with its settings so that a test can open it again.
pub(crate) struct Db {
    pub(crate) store: Store,
    pub(crate) settings: StoreSettings,
    /// Where a test may put files; gone after the test.
    pub(crate) directory: Directory,
}

/// What a test body takes: made from the settings of an empty, migrated database.
pub(crate) trait Opened: Sized {
    async fn open(settings: StoreSettings, directory: Directory) -> Self;
}

impl Opened for Db {
    async fn open(settings: StoreSettings, directory: Directory) -> Self {
        let store = Store::open(&settings).await.unwrap();
        Self { store, settings, directory }
    }
}

/// A directory of a test.
pub(crate) struct Directory(tempfile::TempDir);

impl Directory {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Settings for a new SQLite file in this directory.
pub(crate) fn sqlite_in(directory: &Directory) -> (PathBuf, StoreSettings) {
    let path = directory.path().join("usher.db");
    let settings = StoreSettings::new(Database::Sqlite { path: path.clone() });
    (path, settings)
}

/// Runs a test on a SQLite file of its own.
pub(crate) fn on_sqlite<T: Opened>(test: impl AsyncFnOnce(T)) {
    let directory = Directory::new();
    let (_, settings) = sqlite_in(&directory);
    run(async { test(T::open(settings, directory).await).await });
}

/// Runs a test on a PostgreSQL database of its own.
pub(crate) fn on_postgres<T: Opened>(test: impl AsyncFnOnce(T)) {
    let Some(url) = postgres::new_database() else { return };
    run(async { test(T::open(postgres::settings(url), Directory::new()).await).await });
}

/// Runs a future to its end on a runtime of its own.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap().block_on(future)
}
