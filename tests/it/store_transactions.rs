//! What a change and a look may rely on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use usher::store::resources::{self, Key};
use usher::store::{Error, Row, Sql, Store, Value, tenants};

use crate::support::people::{T0, add, tenant, version};
use crate::support::{Db, each_db};

async fn names(store: &Store) -> Vec<String> {
    let found = store.read(async |tx| tenants::list(tx).await).await.unwrap();
    found.into_iter().map(|tenant| tenant.name).collect()
}

fn a_tenant(name: &str) -> tenants::Tenant {
    let (id, settings) = (usher::ids::TenantId::new(), "{}".to_owned());
    tenants::Tenant { id, name: name.to_owned(), settings, created: T0, catalogue: String::new() }
}

each_db! {
    async fn a_change_that_refuses_leaves_nothing_and_its_neighbours_stay(db: Db) {
        let store = &db.store;
        let changes = (0..40).map(|number| {
            let tenant = a_tenant(&format!("t{number:02}"));
            store.write_apart(async move |tx| {
                tenants::insert(tx, &tenant).await?;
                if number % 4 == 0 { Err(Error::Database("no".to_owned())) } else { Ok(()) }
            })
        });
        let done = futures_util::future::join_all(changes).await;
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 30);
        let left: Vec<_> = (0..40).filter(|n| n % 4 != 0).map(|n| format!("t{n:02}")).collect();
        assert_eq!(names(store).await, left);
    }

    async fn a_change_that_panics_is_refused_alone(db: Db) {
        let store = &db.store;
        let (bad, good) = (a_tenant("bad"), a_tenant("good"));
        let bad = store.write_apart::<(), Error, _>(async move |tx| {
            tenants::insert(tx, &bad).await?;
            panic!("on purpose");
        });
        let good = store.write_apart(async move |tx| tenants::insert(tx, &good).await);
        let (bad, good) = futures_util::future::join(bad, good).await;
        assert_eq!(bad, Err(Error::Database("the change panicked".to_owned())));
        assert_eq!(good, Ok(()));
        assert_eq!(names(store).await, ["good"]);
    }

    async fn a_look_that_panics_does_not_harm_the_next(db: Db) {
        for _ in 0..8 {
            let looked = db.store.read::<(), Error, _>(async |_| panic!("on purpose")).await;
            assert!(looked.is_err());
        }
        assert_eq!(names(&db.store).await, [""; 0]);
    }

    async fn a_failed_statement_spoils_its_change_even_when_its_error_is_dropped(db: Db) {
        let store = &db.store;
        tenant(store, "taken").await;
        let (other, again) = (a_tenant("other"), a_tenant("taken"));
        let done = store.write_apart::<(), Error, _>(async move |tx| {
            tenants::insert(tx, &other).await?;
            let _ = tenants::insert(tx, &again).await;
            Ok(())
        }).await;
        assert_eq!(done, Err(Error::Taken("tenants.name".to_owned())));
        assert_eq!(names(store).await, ["taken"]);
    }

    async fn a_change_that_asks_for_it_is_tried_five_times(db: Db) {
        let tried = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&tried);
        let done = db.store.write_apart::<(), Error, _>(async move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            Err(Error::Again("rivals".to_owned()))
        }).await;
        assert!(matches!(done, Err(Error::Unavailable(_))), "{done:?}");
        assert_eq!(tried.load(Ordering::Relaxed), 5);
        let count = Arc::new(AtomicU32::new(0));
        let done = db.store.write_apart::<u32, Error, _>(async move |_| {
            match count.fetch_add(1, Ordering::Relaxed) {
                2 => Ok(2),
                _ => Err(Error::Again("rivals".to_owned())),
            }
        }).await;
        assert_eq!(done, Ok(2));
    }

    async fn binds_go_by_their_number_wherever_they_stand(db: Db) {
        let rows = db.store.read::<_, Error, _>(async |tx| {
            let binds = [Value::from("one"), Value::from(2), Value::from("three")];
            let fixed = tx.query(
                "SELECT $2 + 0, $1 || '', $3 || '', $1 || '' WHERE $3 = 'three'", &binds).await?;
            let mut sql = Sql::new("SELECT ");
            let (first, second) = (sql.hold("a"), sql.hold("b"));
            sql.push(&format!("{second} || '', {first} || ''"));
            let built = tx.run(&sql).await?;
            Ok((fixed, built))
        }).await.unwrap();
        let text = |row: &Row, column| row.text(column).unwrap().to_owned();
        assert_eq!(rows.0[0].int(0), Ok(2));
        assert_eq!([text(&rows.0[0], 1), text(&rows.0[0], 2)], ["one", "three"]);
        assert_eq!([text(&rows.1[0], 0), text(&rows.1[0], 1)], ["b", "a"]);
    }

    async fn a_place_without_a_bind_is_an_error(db: Db) {
        let done = db.store.read::<_, Error, _>(
            async |tx| tx.query("SELECT $1 + 0, $2 + 0", &[Value::from(1)]).await).await;
        assert!(matches!(done, Err(Error::Database(_))), "{done:?}");
    }

    async fn a_look_sees_one_moment_and_cannot_write(db: Db) {
        let store = &db.store;
        let (seen, gone_on) = (Arc::new(tokio::sync::Notify::new()), Arc::new(AtomicU32::new(0)));
        let (seen_too, gone_on_too) = (Arc::clone(&seen), Arc::clone(&gone_on));
        let look = store.read::<_, Error, _>(async move |tx| {
            let before = tenants::list(tx).await?.len();
            seen_too.notify_one();
            while gone_on_too.load(Ordering::Acquire) == 0 {
                std::thread::sleep(Duration::from_millis(5));
            }
            Ok((before, tenants::list(tx).await?.len()))
        });
        let change = async {
            seen.notified().await;
            tenant(store, "new").await;
            gone_on.store(1, Ordering::Release);
        };
        let (looked, ()) = futures_util::future::join(look, change).await;
        assert_eq!(looked, Ok((0, 0)));
        assert_eq!(names(store).await, ["new"]);
        let wrote = store.read(
            async |tx| tenants::insert(tx, &a_tenant("written while reading")).await).await;
        assert!(matches!(wrote, Err(Error::Unavailable(_))), "{wrote:?}");
    }

    async fn who_gets_an_answer_can_read_what_was_written(db: Db) {
        let owner = tenant(&db.store, "acme").await;
        let all = (0..64).map(|number| {
            let (store, owner) = (db.store.clone(), owner.clone());
            async move {
                let id = add(&store, &owner, "User", &format!("u{number}")).await.unwrap();
                assert_eq!(version(&store, &owner, "User", &id).await, 1);
            }
        });
        futures_util::future::join_all(all).await;
    }

    async fn changes_that_lock_up_are_repeated_until_all_are_done(db: Db) {
        let owner = tenant(&db.store, "acme").await;
        let (one, two) = (
            add(&db.store, &owner, "User", "one").await.unwrap(),
            add(&db.store, &owner, "User", "two").await.unwrap(),
        );
        let all = (0..6).map(|number| {
            let (owner, mut ids) = (owner.clone(), [one.clone(), two.clone()]);
            if number % 2 == 0 { ids.reverse(); }
            db.store.write_apart::<_, Error, _>(async move |tx| {
                for id in &ids {
                    resources::touch(tx, Key { tenant: &owner, kind: "User", id }, T0).await?;
                    std::thread::sleep(Duration::from_millis(20));
                }
                Ok(())
            })
        });
        let done = futures_util::future::join_all(all).await;
        assert!(done.iter().all(Result::is_ok), "{done:?}");
        for id in [&one, &two] {
            assert_eq!(version(&db.store, &owner, "User", id).await, 7);
        }
    }

    async fn two_openers_of_a_new_database_both_find_its_tables(db: Db) {
        let fresh = match &db.settings.database {
            usher::store::Database::Sqlite { .. } => {
                let path = db.directory.path().join("deep/er/second.db");
                usher::store::Database::Sqlite { path }
            }
            database @ usher::store::Database::Postgres { .. } => {
                db.store.write_apart::<_, Error, _>(async |tx| {
                    let all = "SELECT tablename || '' FROM pg_tables WHERE schemaname = 'public'";
                    for row in tx.query(all, &[]).await? {
                        let drop = format!("DROP TABLE {} CASCADE", row.text(0)?);
                        tx.run(&Sql::new(&drop)).await?;
                    }
                    Ok(())
                }).await.unwrap();
                database.clone()
            }
        };
        let settings = usher::store::StoreSettings { database: fresh, ..db.settings.clone() };
        let openers = (0..4).map(|_| Store::open(&settings));
        for store in futures_util::future::join_all(openers).await {
            assert_eq!(names(&store.unwrap()).await, [""; 0]);
        }
    }

    async fn a_database_of_a_newer_program_is_refused_in_one_line(db: Db) {
        db.store.write_apart(async |tx| {
            tx.execute("INSERT INTO usher_migrations (number, name) VALUES (999, 'later')", &[]).await
        }).await.unwrap();
        let error = Store::open(&db.settings).await.unwrap_err().to_string();
        assert!(error.contains("999") && error.contains("newer usher"), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }

    async fn a_closed_store_answers_so_and_what_was_asked_before_is_done(db: Db) {
        let store = db.store.clone();
        let asked = (0..20).map(|n| add_tenant(&store, n));
        let (asked, ()) = futures_util::future::join(
            futures_util::future::join_all(asked), async { store.close().await }).await;
        assert!(asked.iter().all(Result::is_ok), "{asked:?}");
        assert_eq!(add_tenant(&store, 99).await, Err(Error::Unavailable("closed".to_owned())));
        assert_eq!(names(&Store::open(&db.settings).await.unwrap()).await.len(), 20);
    }
}

async fn add_tenant(store: &Store, number: u32) -> Result<(), Error> {
    let tenant = a_tenant(&format!("t{number}"));
    store.write_apart(async move |tx| tenants::insert(tx, &tenant).await).await
}
