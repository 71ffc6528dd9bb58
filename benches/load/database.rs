//! The two databases, as far as the harness handles them.

use std::path::Path;

use sqlx::{Connection as _, Executor as _};

/// Where Usher and the raw limit keep their rows.
pub(crate) enum Database {
    /// A file for each server.
    Sqlite,
    /// A database for each server.
    Postgres {
        /// Their URL, with `{}` where the name belongs.
        url: String,
        /// The process whose children do the work.
        postmaster: Option<u32>,
    },
}

impl Database {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres { .. } => "PostgreSQL",
        }
    }

    pub(crate) fn postmaster(&self) -> Option<u32> {
        match self {
            Self::Sqlite => None,
            Self::Postgres { postmaster, .. } => *postmaster,
        }
    }

    /// The URL of a database of this name; none where there are only files.
    pub(crate) fn url(&self, name: &str) -> Option<String> {
        match self {
            Self::Sqlite => None,
            Self::Postgres { url, .. } => Some(url.replace("{}", name)),
        }
    }

    /// Makes a database anew, from another one where that is named; files need no making.
    pub(crate) async fn create(&self, name: &str, template: Option<&str>) {
        let template = template.unwrap_or("template1");
        self.drop_database(name).await;
        self.run(format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")).await;
    }

    /// Takes a database away.
    pub(crate) async fn drop_database(&self, name: &str) {
        self.run(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
    }

    /// Gives a database another name.
    pub(crate) async fn rename(&self, name: &str, new: &str) {
        self.run(format!("ALTER DATABASE {name} RENAME TO {new}")).await;
    }

    /// Tidies a database that was just filled, as the server's own upkeep would in time.
    pub(crate) async fn tidy(&self, name: &str) {
        if let Some(url) = self.url(name) {
            execute(&url, "VACUUM (ANALYZE)".to_owned()).await;
            execute(&url, "CHECKPOINT".to_owned()).await;
        }
    }

    /// The databases whose names begin like this.
    pub(crate) async fn list(&self, begin: &str) -> Vec<String> {
        let Some(url) = self.url("postgres") else { return Vec::new() };
        let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
        let names = sqlx::query_scalar("SELECT datname::text FROM pg_database");
        let names: Vec<String> = names.fetch_all(&mut connection).await.unwrap();
        names.into_iter().filter(|name| name.starts_with(begin)).collect()
    }

    /// What the server says of its version.
    pub(crate) async fn version(&self) -> String {
        let Some(url) = self.url("postgres") else {
            return format!("SQLite {}", rusqlite::version());
        };
        let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
        let version: String =
            sqlx::query_scalar("SHOW server_version").fetch_one(&mut connection).await.unwrap();
        format!("PostgreSQL {}", version.split(' ').next().unwrap_or_default())
    }

    async fn run(&self, sql: String) {
        if let Some(url) = self.url("postgres") {
            execute(&url, sql).await;
        }
    }
}

async fn execute(url: &str, sql: String) {
    let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    connection.close().await.unwrap();
}

/// Copies a file and waits until the copy is on the disk, so that writing it disturbs nothing.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::copy(from, to).unwrap();
    std::fs::File::open(to).unwrap().sync_all().unwrap();
}
