//! Bulk requests that are remembered: repeated with their key, accepted for later, taken over.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use usher::app::tokens::NewToken;

use crate::support::app::TestApp;
use crate::support::bulk::{
    ASYNC, Limit, address, at, delete, ended, id, large, later, message, patch, post_user, results,
    send, some_users, statuses, users, work,
};
use crate::support::postgres::{Server, settings};
use crate::support::{Directory, Opened as _, each_db, run};

/// Everything of [`work`] is there once, and the groups hold whom they should.
async fn check_work(app: &TestApp, name: &str, done: &[Value]) {
    let wrong: Vec<_> = done.iter().filter(|result| result["status"] != "201").take(3).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let ids: BTreeSet<String> = done.iter().map(id).collect();
    assert_eq!(ids.len(), done.len(), "every operation made something of its own");
    let (users, groups) = (done.len() - done.len() / 10, done.len() / 10);
    for (endpoint, attribute, count) in
        [("/Users", "userName", users), ("/Groups", "displayName", groups)]
    {
        let found = app.find(endpoint, &format!("{attribute} sw \"{name}\"")).await.expect(200);
        assert_eq!(found.body["totalResults"], count, "{endpoint}");
    }
    let last = done.len() / 10 * 10 - 1;
    for at in [9, last] {
        let group = app.get(&format!("/Groups/{}", id(&done[at]))).await.expect(200);
        let members: BTreeSet<_> = group.body["members"]
            .as_array()
            .unwrap()
            .iter()
            .map(|member| member["value"].as_str().unwrap().to_owned())
            .collect();
        let wanted: BTreeSet<_> = [at - 1, at - 2, at - 3, 0].map(|user| id(&done[user])).into();
        assert_eq!(members, wanted);
    }
}

each_db! {
    async fn a_repeated_request_is_answered_as_the_first_and_done_once(app: TestApp) {
        let key = [("idempotency-key", "\"k1\"")];
        let user = app.user("u").await;
        let ask = message(&[
            post_user("a"), post_user("a2"), delete("/Users/nobody"),
            patch(&format!("/Users/{user}"), &json!([{ "op": "add", "path": "emails",
                "value": [{ "value": "x@example.com" }] }])),
        ]);
        let first = send(&app, &key, &ask).await.expect(200);
        assert_eq!(statuses(&results(&first)), ["201", "201", "404", "200"]);
        let other = app.second_instance().await;
        for again in [send(&app, &key, &ask).await, send(&other, &key, &ask).await] {
            assert_eq!(again.expect(200).body.to_string(), first.body.to_string());
        }
        assert_eq!(users(&app, "a").await, 2);
        let changed = app.get(&format!("/Users/{user}")).await.expect(200);
        assert_eq!(changed.header("etag"), "W/\"2\"");
        send(&app, &key, &message(&[post_user("b")])).await.refused(422, "");
        // Keys of another token, another tenant and another key are others.
        let secret = app.app.create_token(&app.tenant, &NewToken::default()).await.unwrap();
        let second = app.bearing(&secret.token);
        assert_eq!(statuses(&results(&send(&second, &key, &ask).await))[0], "409");
        let elsewhere = app.tenant(&BTreeMap::default()).await;
        assert_eq!(statuses(&results(&send(&elsewhere, &key, &message(&[post_user("b")])).await)), ["201"]);
        let key = [("idempotency-key", "k2")];
        assert_eq!(statuses(&results(&send(&app, &key, &ask).await))[0], "409");
    }

    async fn the_same_request_twice_at_once_is_done_once(app: TestApp) {
        let (app, key) = (large(&app).await, [("idempotency-key", "twice")]);
        let ask = work("w", 1000);
        let (first, second) = tokio::join!(send(&app, &key, &ask), send(&app, &key, &ask));
        let refused = [&first, &second].into_iter().find(|reply| reply.status == 409).unwrap();
        refused.refused(409, "");
        assert_eq!(refused.header("retry-after"), "2");
        let done = [&first, &second].into_iter().find(|reply| reply.status == 200).unwrap();
        check_work(&app, "w", &results(done)).await;
        assert_eq!(send(&app, &key, &ask).await.body, done.body);
    }

    async fn what_a_restart_cut_short_goes_on_where_it_stopped(app: TestApp) {
        let first = large(&app).await;
        let (key, ask) = ([("idempotency-key", "restart")], work("r", 4000));
        let (client, wanted) = (first.clone(), ask.clone());
        let asking = tokio::spawn(async move {
            send(&client, &[("idempotency-key", "restart")], &wanted).await
        });
        some_users(&app, "r").await;
        first.app.worker().stop().await;
        let cut = asking.await.unwrap().expect(503);
        assert_eq!(cut.header("retry-after"), "1");
        let half = users(&app, "r").await;
        assert!(half < 3600, "{half} were made before the end");
        let second = large(&app).await;
        let done = results(&send(&second, &key, &ask).await);
        assert_eq!(done.len(), 4000);
        check_work(&second, "r", &done).await;
    }

    async fn one_who_lost_its_lease_changes_nothing_more(app: TestApp) {
        let slow = large(&app).await;
        let ask = work("s", 4000);
        let (client, wanted) = (slow.clone(), ask.clone());
        let asking = tokio::spawn(async move {
            send(&client, &[("idempotency-key", "lease")], &wanted).await
        });
        some_users(&app, "s").await;
        // For this one the lease has run out.
        let other = at(&app, later(60)).await;
        let done = results(&send(&other, &[("idempotency-key", "lease")], &ask).await);
        asking.await.unwrap().refused(409, "");
        assert_eq!(done.len(), 4000);
        check_work(&app, "s", &done).await;
    }

    /// Proves SCIM-434.
    async fn a_request_accepted_for_later_is_done_and_its_results_can_be_read(app: TestApp) {
        let app = large(&app).await;
        let ask = work("l", 1200);
        let place = address(&send(&app, &[ASYNC], &ask).await);
        let job = ended(&app, &place).await;
        assert_eq!((&job["status"], &job["total"], &job["done"], &job["failed"]),
            (&json!("done"), &json!(1200), &json!(1200), &json!(0)));
        check_work(&app, "l", job["Operations"].as_array().unwrap()).await;
        let stranger = app.scoped(&["scim"]).await;
        stranger.get(&place).await.refused(404, "");
        stranger.delete(&place).await.refused(404, "");
        // Who waits long enough is answered at once.
        let waited = send(&app, &[("prefer", "respond-async, wait=20")], &message(&[post_user("w")])).await;
        assert_eq!(statuses(&results(&waited)), ["201"]);
        // With a key it is the same job again.
        let key = ("idempotency-key", "later");
        let first = send(&app, &[ASYNC, key], &work("k", 500)).await.expect(202);
        let again = send(&app, &[ASYNC, key], &work("k", 500)).await;
        if again.status == 202 {
            assert_eq!(first.header("set-txn"), again.header("set-txn"));
        }
        let job = ended(&app, &address(&first)).await;
        check_work(&app, "k", job["Operations"].as_array().unwrap()).await;
    }

    /// Proves SCIM-434.
    async fn an_accepted_request_survives_a_restart(app: TestApp) {
        let first = large(&app).await;
        let place = address(&send(&first, &[ASYNC], &work("a", 4000)).await);
        some_users(&app, "a").await;
        first.app.worker().stop().await;
        let job = app.get(&place).await.expect(200).body;
        assert_eq!(job["status"], "running", "{job}");
        let second = large(&app).await;
        second.app.take_up_bulk().await.unwrap();
        let job = ended(&app, &place).await;
        assert_eq!(job["status"], "done");
        check_work(&app, "a", job["Operations"].as_array().unwrap()).await;
    }

    async fn two_instances_share_the_jobs_and_double_nothing(app: TestApp) {
        let (one, two) = (large(&app).await, large(&app).await);
        let mut places = Vec::new();
        for job in 0..6 {
            let name = format!("j{job}x");
            places.push((address(&send(&one, &[ASYNC], &work(&name, 200)).await), name));
        }
        for (place, name) in places {
            let limit = Limit::new();
            let job = loop {
                tokio::try_join!(one.app.take_up_bulk(), two.app.take_up_bulk()).unwrap();
                let job = app.get(&place).await.expect(200).body;
                if job["status"] == "done" {
                    break job;
                }
                limit.pause(20, &job).await;
            };
            check_work(&app, &name, job["Operations"].as_array().unwrap()).await;
        }
    }

    async fn a_job_that_is_ended_keeps_what_it_has_done(app: TestApp) {
        let app = large(&app).await;
        let place = address(&send(&app, &[ASYNC], &work("e", 4000)).await);
        some_users(&app, "e").await;
        app.delete(&place).await.expect(204);
        let job = app.get(&place).await.expect(200).body;
        assert_eq!(job["status"], "stopped");
        let done = job["Operations"].as_array().unwrap().len();
        assert_eq!(job["done"], done);
        assert!(done > 0 && done < 4000, "{done}");
        let left = users(&app, "e").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(users(&app, "e").await, left);
        app.delete(&place).await.expect(204);
    }

    async fn a_job_of_a_person_goes_on_for_as_long_as_the_person_may(app: TestApp) {
        let app = app.office().await;
        let admin = json!({ "roles": [{ "value": "account_admin" }] });
        let boss = app.with_password("boss", &admin).await;
        let access = app.log_in("boss").await.access;
        for (name, may) in [("p", true), ("q", false)] {
            let worker = large(&app).await.bearing(&access);
            let place = address(&send(&worker, &[ASYNC], &work(name, 4000)).await);
            some_users(&app, name).await;
            worker.app.worker().stop().await;
            let made = users(&app, name).await;
            if !may {
                let off = json!([{ "op": "replace", "path": "roles", "value": [{ "value": "agent" }] }]);
                app.patch(&format!("/Users/{boss}"), off).await.expect(200);
            }
            let second = large(&app).await.bearing(&access);
            second.app.take_up_bulk().await.unwrap();
            if may {
                assert_eq!(ended(&second, &place).await["status"], "done");
            } else {
                second.app.worker().stop().await;
                assert_eq!(users(&app, name).await, made);
            }
        }
    }

    async fn a_job_ends_with_its_token(app: TestApp) {
        let worker = large(&app).await;
        let secret = app.app.create_token(&app.tenant, &NewToken::default()).await.unwrap();
        let asker = worker.bearing(&secret.token);
        let _ = address(&send(&asker, &[ASYNC], &work("t", 4000)).await);
        some_users(&app, "t").await;
        worker.app.worker().stop().await;
        let made = users(&app, "t").await;
        app.app.revoke_token(&app.tenant, secret.id.as_str()).await.unwrap();
        let second = large(&app).await;
        second.app.take_up_bulk().await.unwrap();
        second.app.worker().stop().await;
        assert_eq!(users(&app, "t").await, made);
        let third = large(&app).await;
        third.app.take_up_bulk().await.unwrap();
        third.app.worker().stop().await;
        assert_eq!(users(&app, "t").await, made);
    }

    async fn a_job_is_forgotten_a_day_after_its_end(app: TestApp) {
        let key = ("idempotency-key", "day");
        let ask = work("d", 500);
        let place = address(&send(&app, &[ASYNC, key], &ask).await);
        ended(&app, &place).await;
        let almost = at(&app, later(86_000)).await;
        almost.app.forget_bulk().await.unwrap();
        assert_eq!(app.get(&place).await.expect(200).body["Operations"].as_array().unwrap().len(), 500);
        let after = at(&app, later(86_500)).await;
        after.app.forget_bulk().await.unwrap();
        app.get(&place).await.refused(404, "");
        let again = results(&send(&app, &[key], &ask).await);
        assert_eq!(statuses(&again)[0], "409", "it is a new request by now");
    }

    async fn a_client_that_goes_away_ends_its_request_but_not_one_with_a_key(app: TestApp) {
        let app = large(&app).await;
        let gone = |key: Option<&'static str>, name: &'static str| {
            let app = app.clone();
            async move {
                let client = app.clone();
                let asking = tokio::spawn(async move {
                    let headers: Vec<_> = key.map(|key| ("idempotency-key", key)).into_iter().collect();
                    send(&client, &headers, &work(name, 4000)).await
                });
                some_users(&app, name).await;
                asking.abort();
                let _ = asking.await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        gone(None, "n").await;
        let made = users(&app, "n").await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(users(&app, "n").await, made);
        assert!(made < 3600, "{made}");
        gone(Some("kept"), "k").await;
        let limit = Limit::new();
        let done = loop {
            let reply = send(&app, &[("idempotency-key", "kept")], &work("k", 4000)).await;
            if reply.status == 200 {
                break results(&reply);
            }
            reply.refused(409, "");
            limit.pause(50, &reply.status).await;
        };
        check_work(&app, "k", &done).await;
    }
}

/// The database goes away in the middle and comes back: the request waits a while, then it is
/// refused; sent again with its key it goes on.
#[test]
fn a_database_that_goes_away_is_waited_for_and_nothing_is_doubled() {
    let Some(server) = Server::start() else { return };
    server.create("usher", "template0");
    run(async {
        let opened = TestApp::open(settings(server.url("usher")), Directory::new());
        let app = large(&opened.await).await;
        let (client, ask) = (app.clone(), work("z", 1500));
        let wanted = ask.clone();
        let asking =
            tokio::spawn(
                async move { send(&client, &[("idempotency-key", "away")], &wanted).await },
            );
        some_users(&app, "z").await;
        server.stop();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        server.resume();
        let first = asking.await.unwrap();
        let done = if first.status == 200 {
            first
        } else {
            assert!(matches!(first.status, 409 | 503), "{first:?}");
            let limit = Limit::new();
            loop {
                let again = send(&app, &[("idempotency-key", "away")], &ask).await;
                if again.status == 200 {
                    break again;
                }
                assert!(matches!(again.status, 409 | 503), "{again:?}");
                limit.pause(200, &again.status).await;
            }
        };
        check_work(&app, "z", &results(&done)).await;
    });
}
