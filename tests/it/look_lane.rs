//! The lane of look-ups: what else goes by it, sessions that end under it, and its own end.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::{join, join_all};
use usher::store::lookup::By;
use usher::store::{Error, Store};

use crate::lookups::ask;
use crate::support::people::{add, tenant};
use crate::support::postgres as server;
use crate::support::{Db, each_db, run};

/// What goes by the same connection as look-ups.
async fn a_pinch(store: &Store) -> Result<i64, Error> {
    store.read_quickly(async |tx| tx.query("SELECT 7", &[]).await?[0].int(0)).await
}

each_db! {
    async fn closures_and_look_ups_share_a_connection_and_all_are_answered(db: Db) {
        let acme = tenant(&db.store, "acme").await;
        let id = add(&db.store, &acme, "User", "ada").await.unwrap();
        let both = async || (a_pinch(&db.store).await, ask(&db.store, &acme, By::Id(id.clone())).await);
        for (pinch, found) in join_all((0..200).map(|_| both())).await {
            assert_eq!((pinch, found.len()), (Ok(7), 1));
        }
        let panics = db.store.read_quickly::<(), Error, _>(async |_| panic!("on purpose")).await;
        assert!(matches!(panics, Err(Error::Database(_))), "{panics:?}");
        let (pinch, found) = both().await;
        assert_eq!((pinch, found.len()), (Ok(7), 1));
        // What was asked before the end is still answered.
        let asked = join_all((0..50).map(|_| a_pinch(&db.store)));
        let closed = async {
            tokio::task::yield_now().await;
            db.store.close().await;
        };
        let (answers, ()) = join(asked, closed).await;
        assert_eq!(answers, vec![Ok(7); 50]);
        assert!(matches!(a_pinch(&db.store).await, Err(Error::Unavailable(_))));
    }
}

#[test]
fn a_session_that_ends_under_look_ups_is_begun_anew() {
    let Some(settings) = server::new_database().map(server::settings) else { return };
    run(async {
        let store = Store::open(&settings).await.unwrap();
        let acme = tenant(&store, "acme").await;
        let id = add(&store, &acme, "User", "ada").await.unwrap();
        let ended = AtomicU32::new(0);
        let ends = store.read_quickly::<i64, Error, _>(async move |tx| {
            if ended.fetch_add(1, Ordering::Relaxed) == 0 {
                tx.query("SELECT pg_terminate_backend(pg_backend_pid())", &[]).await?;
            }
            tx.query("SELECT 7", &[]).await?[0].int(0)
        });
        let (ends, found) = tokio::join!(ends, ask(&store, &acme, By::Id(id.clone())));
        assert_eq!((ends, found.len()), (Ok(7), 1));
        let others = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
                      WHERE application_name = 'usher' AND datname = current_database()
                      AND pid <> pg_backend_pid()";
        for _ in 0..3 {
            store
                .read::<_, Error, _>(async move |tx| tx.query(others, &[]).await?[0].int(0))
                .await
                .unwrap();
            assert_eq!(ask(&store, &acme, By::Id(id.clone())).await.len(), 1);
        }
        store.close().await;
    });
}

#[test]
fn a_runtime_may_end_before_its_store() {
    let Some(settings) = server::new_database().map(server::settings) else { return };
    let store = run(async {
        let store = Store::open(&settings).await.unwrap();
        let slow = store.read_quickly::<_, Error, _>(async |tx| {
            tx.query("SELECT pg_sleep(20)", &[]).await.map(drop)
        });
        assert!(tokio::time::timeout(Duration::from_millis(100), slow).await.is_err());
        store
    });
    assert!(matches!(run(a_pinch(&store)), Err(Error::Unavailable(_))));
}
