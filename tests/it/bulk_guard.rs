//! Bulk requests and what must never come of them: secrets kept, promises broken, results lost.

use serde_json::{Value, json};
use usher::app::tokens::NewToken;

use crate::support::app::TestApp;
use crate::support::bulk::{
    ASYNC, Limit, address, change, delete, ended, id, large, message, numbers, patch, post,
    post_group, post_user, put, results, run, send, some_users, statuses, users, work,
};
use crate::support::postgres::{Server, settings};
use crate::support::{Directory, Opened as _, each_db};

/// Everything that is written down about bulk requests, as one text.
async fn written(app: &TestApp) -> String {
    let store = app.another_store().await;
    let all = store.read(async |tx| {
        let jobs = "SELECT id, token, key, digest, caller, owner FROM bulk_jobs";
        let steps = "SELECT job, operation, resource, result FROM bulk_steps";
        let rows = (tx.query(jobs, &[]).await?, tx.query(steps, &[]).await?);
        Ok::<_, usher::store::Error>(format!("{rows:?}"))
    });
    let all = all.await.unwrap();
    store.close().await;
    all
}

const WAITING: &str = "SELECT COUNT(*) FROM bulk_steps WHERE tenant = $1 AND operation IS NOT NULL";

each_db! {
    /// Proves SCIM-503.
    async fn a_password_is_never_written_down_with_a_job(app: TestApp) {
        let old = app.user("old").await;
        let one = [
            post("/Users", "a", &json!({ "userName": "a", "password": "hidden-Secret-1" })),
            put(&format!("/Users/{old}"), &json!({ "userName": "old", "PassWord": "hidden-Secret-2" })),
            patch("/Users/bulkId:a", &json!([{ "op": "add", "path": "password", "value": "hidden-Secret-3" }])),
            post("/Users", "b", &json!({ "userName": "b", "password": "bulkId:hidden-Secret-4" })),
            post("/Users", "b", &json!({ "userName": "twice", "password": "hidden-Secret-5" })),
            patch("/Users/nobody", &json!([{ "op": "add", "value": { "password": "hidden-Secret-6" } }])),
        ];
        let key = ("idempotency-key", "secret");
        let kinds: [&[(&str, &str)]; 4] =
            [&[ASYNC], &[ASYNC, key], &[("prefer", "respond-async, wait=5")], &[key]];
        for (round, headers) in kinds.into_iter().enumerate() {
            let reply = send(&app, headers, &message(&one)).await;
            let done = results(&reply);
            assert_eq!(reply.header("preference-applied"), "", "it is done at once: {headers:?}");
            let expected = match round {
                0 => ["201", "200", "200", "201", "400", "404"],
                _ => ["409", "200", "412", "409", "400", "404"],
            };
            assert_eq!(statuses(&done), expected, "{headers:?}");
            assert!(!reply.body.to_string().contains("hidden-Secret"), "{}", reply.body);
            let written = written(&app).await;
            assert!(!written.contains("hidden-Secret") && !written.contains("assword"), "{written}");
            assert!(!written.contains("\"secret\""), "the key is known by its hash alone");
        }
        assert_eq!(numbers(&app, WAITING).await, [0]);
    }

    async fn what_is_not_done_when_a_job_ends_is_not_kept(app: TestApp) {
        let app = large(&app).await;
        // Ended by its client.
        let place = address(&send(&app, &[ASYNC], &work("e", 4000)).await);
        some_users(&app, "e").await;
        assert!(numbers(&app, WAITING).await > [0].to_vec());
        app.delete(&place).await.expect(204);
        assert_eq!(numbers(&app, WAITING).await, [0]);
        // Ended by its errors.
        let mut ask = message(&[post_user("x"), post_user("x"), post_user("y"), post_user("z")]);
        ask["failOnErrors"] = 1.into();
        let job = ended(&app, &address(&send(&app, &[ASYNC], &ask).await)).await;
        assert_eq!((&job["status"], &job["done"]), (&json!("done"), &json!(2)));
        assert_eq!(numbers(&app, WAITING).await, [0]);
    }

    /// 202 is a promise: nobody could keep it for a request whose operations nobody has.
    async fn a_request_that_somebody_waits_for_is_not_accepted_for_later(app: TestApp) {
        let app = large(&app).await;
        let (key, ask) = (("idempotency-key", "waited"), work("w", 4000));
        let (client, wanted) = (app.clone(), ask.clone());
        let asking = tokio::spawn(async move { send(&client, &[key], &wanted).await });
        some_users(&app, "w").await;
        let again = send(&app, &[ASYNC, key], &ask).await;
        again.refused(409, "");
        assert_eq!(again.header("retry-after"), "2");
        let done = asking.await.unwrap().expect(200);
        assert_eq!(send(&app, &[ASYNC, key], &ask).await.expect(200).body, done.body);
    }

    async fn a_client_that_hangs_up_while_its_request_is_kept_leaves_a_whole_job_or_none(app: TestApp) {
        let app = large(&app).await;
        let client = app.clone();
        let asking = tokio::spawn(async move { send(&client, &[ASYNC], &work("h", 4000)).await });
        let limit = Limit::new();
        while numbers(&app, "SELECT COUNT(*) FROM bulk_jobs WHERE tenant = $1").await == [0] {
            limit.pause(1, &"it was never kept").await;
        }
        asking.abort();
        let _ = asking.await;
        while users(&app, "h").await < 3600 {
            limit.pause(20, &"it is not done").await;
        }
    }

    async fn the_key_of_a_job_that_was_ended_is_refused_and_says_what_to_do(app: TestApp) {
        let app = large(&app).await;
        let (key, ask) = (("idempotency-key", "ended"), work("e", 4000));
        let place = address(&send(&app, &[ASYNC, key], &ask).await);
        some_users(&app, "e").await;
        app.delete(&place).await.expect(204);
        for headers in [&[key][..], &[ASYNC, key], &[("prefer", "respond-async, wait=5"), key]] {
            let said = send(&app, headers, &ask).await.refused(409, "");
            assert!(said.contains(&place) && said.contains("new Idempotency-Key"), "{said}");
        }
        let client = app.clone();
        let waiting = tokio::spawn(async move {
            send(&client, &[("prefer", "respond-async, wait=60")], &work("f", 20_000)).await
        });
        some_users(&app, "f").await;
        change(&app, "UPDATE bulk_jobs SET owner = NULL, finished_at = 1, stopped_at = 1
                      WHERE tenant = $1 AND finished_at IS NULL").await;
        let said = waiting.await.unwrap().refused(409, "");
        assert!(said.contains("ended before its end"), "{said}");
    }

    /// Proves SCIM-428.
    async fn what_needs_a_failure_is_412_however_it_is_prepared(app: TestApp) {
        app.user("taken").await;
        let many: Vec<_> =
            (0..60).map(|at| json!({ "op": "add", "path": "title", "value": format!("{at}") })).collect();
        let done = run(&app, &[
            post_user("taken"),
            patch("/Users/bulkId:taken", &json!([{ "op": "add", "path": "password", "value": "some-Secret-1" }])),
            put("/Users/bulkId:taken", &json!({ "userName": "t", "password": "some-Secret-1" })),
            patch("/Users/bulkId:taken", &json!(many)),
            patch("/Users/bulkId:taken", &json!(&many[..2])),
        ]).await;
        assert_eq!(statuses(&done), ["409", "412", "412", "412", "412"]);
    }

    /// Proves SCIM-423.
    async fn a_text_that_looks_like_a_reference_is_one_only_where_an_id_belongs(app: TestApp) {
        let done = run(&app, &[
            post("/Users", "a", &json!({ "userName": "bulkId:nobody", "title": "bulkId:a",
                "displayName": "bulkId:x", "password": "bulkId:Long-Secret-1" })),
            patch("/Users/bulkId:a", &json!([{ "op": "add", "path": "nickName", "value": "bulkId:a" }])),
        ]).await;
        assert_eq!(statuses(&done), ["201", "200"], "{done:?}");
        let user = app.get(&format!("/Users/{}", id(&done[0]))).await.expect(200).body;
        assert_eq!((&user["title"], &user["nickName"]), (&json!("bulkId:a"), &json!("bulkId:a")));
        let done = run(&app, &[
            post_user("m"),
            post_group("g", &["bulkId:m"]),
            json!({ "method": "PATCH", "path": "/Groups/bulkId:g",
                "data": [{ "op": "remove", "path": "members[value eq \"bulkId:m\"]" }] }),
        ]).await;
        assert_eq!(statuses(&done), ["201", "201", "200"], "{done:?}");
        let group = app.get(&format!("/Groups/{}", id(&done[1]))).await.expect(200).body;
        assert_eq!(group["members"], json!([]));
    }

    async fn a_version_is_spoken_of_as_the_operation_has_it(app: TestApp) {
        let user = format!("/Users/{}", app.user("u").await);
        let with = |version: &str| {
            let mut operation = delete(&user);
            operation["version"] = version.into();
            operation
        };
        let done = run(&app, &[with("W/\"7\""), with("")]).await;
        assert_eq!(statuses(&done), ["412", "400"]);
        let said = |at: usize| done[at]["response"]["detail"].as_str().unwrap().to_owned();
        assert!(said(0).contains("'version'") && !said(0).contains("If-Match"), "{}", said(0));
        assert!(said(1).starts_with("version: empty"), "{}", said(1));
    }

    async fn a_token_that_may_no_longer_ends_its_request_between_two_turns(app: TestApp) {
        let worker = large(&app).await;
        let secret = app.app.create_token(&app.tenant, &NewToken::default()).await.unwrap();
        let asker = worker.bearing(&secret.token);
        let asking = tokio::spawn(async move { send(&asker, &[], &work("r", 60_000)).await });
        some_users(&app, "r").await;
        app.app.revoke_token(&app.tenant, secret.id.as_str()).await.unwrap();
        let done = results(&asking.await.unwrap());
        assert_eq!(done.len(), 60_000, "what was done is told");
        let count = |status: &str| done.iter().filter(|result| result["status"] == status).count();
        assert!(count("401") > 0 && count("201") > 0, "{} {}", count("401"), count("201"));
        assert_eq!(count("401") + count("201"), 60_000);
    }

    async fn a_scope_that_was_taken_away_is_named(app: TestApp) {
        let worker = large(&app).await;
        let secret = app.app.create_token(&app.tenant, &NewToken::default()).await.unwrap();
        let asker = worker.bearing(&secret.token);
        let asking = tokio::spawn(async move {
            send(&asker, &[("idempotency-key", "scope")], &work("r", 60_000)).await
        });
        some_users(&app, "r").await;
        let reading = ["users:read".to_owned()];
        app.app.set_token_scopes(&app.tenant, secret.id.as_str(), &reading).await.unwrap();
        let refused = asking.await.unwrap();
        refused.refused(403, "");
        assert!(refused.header("www-authenticate").contains("insufficient_scope"));
    }
}

/// The database goes away for good: what was done before is told, and the rest is named.
#[test]
fn what_was_done_before_the_database_went_away_is_answered() {
    let Some(server) = Server::start() else { return };
    server.create("usher", "template0");
    crate::support::run(async {
        let opened = TestApp::open(settings(server.url("usher")), Directory::new());
        let app = large(&opened.await).await;
        let client = app.clone();
        let asking = tokio::spawn(async move { send(&client, &[], &work("z", 20_000)).await });
        some_users(&app, "z").await;
        server.stop();
        let done = results(&asking.await.unwrap());
        assert_eq!(done.len(), 20_000);
        let (fine, away): (Vec<&Value>, Vec<_>) =
            done.iter().partition(|result| result["status"] == "201");
        assert!(!fine.is_empty() && !away.is_empty(), "{}", fine.len());
        for result in away {
            assert_eq!(
                (&result["status"], &result["response"]["status"]),
                (&json!("503"), &json!("503"))
            );
            assert!(
                result["response"]["detail"]
                    .as_str()
                    .unwrap()
                    .contains("Send this operation again")
            );
        }
    });
}
