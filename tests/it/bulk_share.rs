//! Bulk requests beside each other: whose turn it is, how many there may be, when they are forgotten.

use std::collections::BTreeMap;

use usher::clock::{Clock, Micros};
use usher::store::bulk::{self, Job, Place};

use crate::support::app::TestApp;
use crate::support::bulk::{
    ASYNC, address, at, change, ended, large, message, numbers, post_user, run, send, some_users,
    statuses, work,
};
use crate::support::each_db;

/// Keeps jobs as if they had been accepted before.
async fn keep_jobs(app: &TestApp, name: &str, count: usize, finished: Option<Micros>) {
    let tenant = app.app.tenant(&app.tenant).await.unwrap().id;
    let (store, name) = (app.another_store().await, name.to_owned());
    let place = tenant.clone();
    let kept = store.write(&tenant, async move |tx| {
        for number in 0..count {
            let job = Job {
                place: Place { tenant: place.clone(), id: format!("{name}{number:03}") },
                token: "nobody".to_owned(),
                key: None,
                digest: String::new(),
                caller: "{}".to_owned(),
                fail_on_errors: None,
                total: 1,
                done: 0,
                failed: 0,
                stored: true,
                owner: None,
                lease_until: Micros(0),
                created: Micros(0),
                finished,
                stopped: None,
                attempts: 0,
            };
            assert!(bulk::insert(tx, &job).await?);
        }
        Ok::<_, usher::store::Error>(())
    });
    kept.await.unwrap();
    store.close().await;
}

each_db! {
    async fn a_tenant_has_its_share_of_an_instance_and_the_rest_comes_again(app: TestApp) {
        let app = large(&app).await;
        let asks = (0..8).map(|ask| {
            let (app, body) = (app.clone(), work(&format!("s{ask}x"), 1000));
            async move { send(&app, &[], &body).await }
        });
        let all = futures_util::future::join_all(asks);
        let elsewhere = app.tenant(&BTreeMap::default()).await;
        let other = async {
            some_users(&app, "s").await;
            run(&elsewhere, &[post_user("other")]).await
        };
        let (all, other) = tokio::join!(all, other);
        assert_eq!(statuses(&other), ["201"]);
        let refused: Vec<_> = all.iter().filter(|reply| reply.status != 200).collect();
        assert!(!refused.is_empty() && refused.len() < 5, "{}", refused.len());
        for reply in refused {
            reply.refused(503, "");
            assert_eq!(reply.header("retry-after"), "2");
        }
        assert_eq!(statuses(&run(&app, &[post_user("after")]).await), ["201"]);
    }

    async fn jobs_wait_their_turn_and_a_tenant_has_not_too_many(app: TestApp) {
        let other = app.tenant(&BTreeMap::default()).await;
        keep_jobs(&app, "a", 99, None).await;
        keep_jobs(&other, "b", 2, None).await;
        let store = app.another_store().await;
        let waiting =
            store.read(async |tx| bulk::waiting(tx, Clock::System.now(), 5).await).await.unwrap();
        let ids: Vec<_> = waiting.iter().map(|place| place.id.as_str()).collect();
        assert_eq!(ids, ["a000", "b000", "a001", "b001", "a002"]);
        store.close().await;
        let last = send(&app, &[ASYNC], &message(&[post_user("x")])).await;
        ended(&app, &address(&last)).await;
        keep_jobs(&app, "c", 1, None).await;
        let full = send(&app, &[ASYNC], &message(&[post_user("y")])).await;
        full.refused(503, "");
        assert_eq!(full.header("retry-after"), "2");
        address(&send(&other, &[ASYNC], &message(&[post_user("z")])).await);
        assert_eq!(statuses(&run(&app, &[post_user("y")]).await), ["201"], "at once there is room");
    }

    async fn a_job_that_cannot_go_on_lets_others_go_first_and_waits_longer_each_time(app: TestApp) {
        let first = large(&app).await;
        let place = address(&send(&first, &[ASYNC], &work("d", 4000)).await);
        some_users(&app, "d").await;
        first.app.worker().stop().await;
        change(&app, "UPDATE bulk_steps SET operation = 'damaged' WHERE tenant = $1 AND result IS NULL").await;
        let attempts = "SELECT attempts FROM bulk_jobs WHERE tenant = $1";
        let pauses = "SELECT lease_until FROM bulk_jobs WHERE tenant = $1";
        let now = Clock::System.now();
        for (seconds, pause) in [(0, 2), (10, 4), (20, 8)] {
            let clock = Clock::fixed(now.plus_seconds(seconds));
            let second = at(&app, clock).await;
            let tries = numbers(&app, attempts).await[0];
            second.app.take_up_bulk().await.unwrap();
            second.app.worker().stop().await;
            assert_eq!(numbers(&app, attempts).await, [tries + 1]);
            assert_eq!(numbers(&app, pauses).await, [now.plus_seconds(seconds + pause).0]);
        }
        let third = at(&app, Clock::fixed(now.plus_seconds(21))).await;
        third.app.take_up_bulk().await.unwrap();
        third.app.worker().stop().await;
        assert_eq!(numbers(&app, attempts).await, [3], "its time has not come");
        assert_eq!(app.get(&place).await.expect(200).body["status"], "running");
    }

    async fn old_jobs_are_all_forgotten_and_none_is_seen_in_part(app: TestApp) {
        let now = Clock::System.now();
        keep_jobs(&app, "old", 50, Some(now.plus_seconds(-90_000))).await;
        keep_jobs(&app, "new", 1, Some(now)).await;
        app.app.forget_bulk().await.unwrap();
        assert_eq!(numbers(&app, "SELECT COUNT(*) FROM bulk_jobs WHERE tenant = $1").await, [1]);
        let place = address(&send(&app, &[ASYNC], &message(&[post_user("x")])).await);
        ended(&app, &place).await;
        // Somebody has just begun to forget it.
        change(&app, "UPDATE bulk_jobs SET token = '', key = NULL WHERE tenant = $1").await;
        app.get(&place).await.refused(404, "");
    }
}
