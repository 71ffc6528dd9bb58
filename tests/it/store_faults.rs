//! What happens when the database is locked, gone, foreign or damaged.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use usher::store::{Database, Error, Store, StoreSettings, tenants};

use crate::support::people::tenant;
use crate::support::{Directory, postgres, run, sqlite_in};

async fn count(store: &Store) -> Result<usize, Error> {
    store.read(async |tx| Ok(tenants::list(tx).await?.len())).await
}

async fn try_tenant(store: &Store, name: &str) -> Result<(), Error> {
    let (id, name) = (usher::ids::TenantId::new(), name.to_owned());
    let settings = "{}".to_owned();
    let tenant = tenants::Tenant {
        id,
        name,
        settings,
        created: crate::support::people::T0,
        catalogue: String::new(),
    };
    store.write_apart(async move |tx| tenants::insert(tx, &tenant).await).await
}

#[test]
fn a_change_that_waits_is_refused_alone_on_sqlite() {
    let directory = Directory::new();
    run(async {
        let store = Store::open(&sqlite_in(&directory).1).await.unwrap();
        let waits = store.write_apart::<(), Error, _>(async |tx| {
            tx.execute("DELETE FROM tenants", &[]).await?;
            tokio::task::yield_now().await;
            Ok(())
        });
        let (waits, good) = futures_util::future::join(waits, try_tenant(&store, "good")).await;
        assert!(matches!(waits, Err(Error::Database(_))), "{waits:?}");
        assert_eq!((good, count(&store).await), (Ok(()), Ok(1)));
    });
}

#[test]
fn a_file_locked_by_another_process_is_waited_for_and_then_refused() {
    let directory = Directory::new();
    let (path, mut settings) = sqlite_in(&directory);
    settings.patience = Duration::from_millis(600);
    run(async {
        let store = Store::open(&settings).await.unwrap();
        let other = rusqlite::Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let start = Instant::now();
        let refused = try_tenant(&store, "a").await;
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
        assert!(start.elapsed() >= Duration::from_millis(400), "{:?}", start.elapsed());
        assert_eq!(count(&store).await, Ok(0), "reading goes on");
        let waiting = try_tenant(&store, "b");
        let unlock = async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            other.execute_batch("COMMIT").unwrap();
        };
        let (waited, ()) = futures_util::future::join(waiting, unlock).await;
        assert_eq!((waited, count(&store).await), (Ok(()), Ok(1)));
    });
}

#[test]
fn a_new_file_is_ours_alone_and_its_directory_is_made() {
    let directory = Directory::new();
    let path = directory.path().join("var/lib/usher.db");
    run(async {
        let database = Database::Sqlite { path: path.clone() };
        let store = Store::open(&StoreSettings::new(database)).await.unwrap();
        tenant(&store, "acme").await;
        for file in ["usher.db", "usher.db-wal"] {
            let mode = std::fs::metadata(path.with_file_name(file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    });
}

#[test]
fn a_file_that_is_not_ours_is_refused_in_one_line() {
    let directory = Directory::new();
    let at = |name: &str| directory.path().join(name);
    std::fs::write(at("garbage.db"), "no database at all, only some text".repeat(40)).unwrap();
    rusqlite::Connection::open(at("foreign.db"))
        .unwrap()
        .execute_batch("CREATE TABLE x (y)")
        .unwrap();
    std::fs::create_dir(at("directory.db")).unwrap();
    for (name, why) in [
        ("garbage.db", "not a database"),
        ("foreign.db", "another program"),
        ("directory.db", "Is a directory"),
        ("garbage.db/under.db", "File exists"),
    ] {
        let settings = StoreSettings::new(Database::Sqlite { path: at(name) });
        let error = run(Store::open(&settings)).unwrap_err().to_string();
        assert!(error.contains(why) && error.contains(name), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn a_server_that_is_not_there_is_said_so_without_the_password() {
    for url in ["postgres://u:s3cret@127.0.0.1:1/db", "postgres://u:s3cret@127.0.0.1:port/db"] {
        let settings = postgres::settings(url.to_owned());
        let error = run(Store::open(&settings)).unwrap_err().to_string();
        assert!(!error.contains("s3cret") && !error.contains('\n'), "{error}");
    }
}

#[test]
fn a_server_that_restarts_is_found_again_and_a_server_that_is_gone_is_said_so_soon() {
    let Some(server) = postgres::Server::start() else { return };
    let settings = postgres::settings(server.url("postgres"));
    run(async {
        let store = Store::open(&settings).await.unwrap();
        for number in 0..8 {
            try_tenant(&store, &format!("before{number}")).await.unwrap();
            count(&store).await.unwrap();
        }
        server.stop();
        let start = Instant::now();
        let asked = (0..12).map(|number| try_tenant(&store, ["x", "y"][number % 2]));
        let refused = futures_util::future::join_all(asked).await;
        let all = refused.iter().all(|done| matches!(done, Err(Error::Unavailable(_))));
        assert!(all, "{refused:?}");
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
        assert!(matches!(count(&store).await, Err(Error::Unavailable(_))));
        server.resume();
        try_tenant(&store, "after").await.unwrap();
        assert_eq!(count(&store).await, Ok(9));
        // The sessions end while nobody asks: the next change is repeated on a new connection.
        server.psql(
            "postgres",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'usher'",
        );
        for number in 0..8 {
            try_tenant(&store, &format!("later{number}")).await.unwrap();
            assert_eq!(count(&store).await, Ok(10 + number));
        }
    });
}

#[test]
fn connections_are_kept_from_one_change_to_the_next() {
    let Some(url) = postgres::new_database() else { return };
    run(async {
        let settings = StoreSettings { writers: 1, ..postgres::settings(url) };
        let store = Store::open(&settings).await.unwrap();
        let session = async || {
            let sql = "SELECT CAST(pg_backend_pid() AS BIGINT)";
            store
                .write_apart::<_, Error, _>(async move |tx| tx.query(sql, &[]).await?[0].int(0))
                .await
        };
        let first = session().await.unwrap();
        for _ in 0..3 {
            assert_eq!(session().await.unwrap(), first);
        }
        store.close().await;
    });
}

#[test]
fn a_session_that_ends_in_the_middle_of_a_change_has_it_repeated() {
    let Some(url) = postgres::new_database() else { return };
    run(async {
        let store = Store::open(&postgres::settings(url)).await.unwrap();
        let tries = std::sync::atomic::AtomicU32::new(0);
        let done = store
            .write_apart::<_, Error, _>(async move |tx| {
                tx.execute("INSERT INTO tenants VALUES ('a', 'a', '{}', 1)", &[]).await?;
                if tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 {
                    tx.query("SELECT pg_terminate_backend(pg_backend_pid())", &[]).await?;
                }
                Ok(())
            })
            .await;
        assert_eq!((done, count(&store).await), (Ok(()), Ok(1)));
    });
}
