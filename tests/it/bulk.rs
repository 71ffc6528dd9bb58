//! Bulk requests: what their operations do and what is answered for them.

use crate::support::app::TestApp;
use crate::support::bulk::{
    delete, id, message, patch, post, post_group, post_user, put, results, run, send, statuses,
};
use crate::support::each_db;
use serde_json::{Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A user who reports to somebody.
fn report(name: &str, manager: &str) -> Value {
    let data = json!({ "userName": name, ENTERPRISE: { "manager": { "value": manager } } });
    post("/Users", name, &data)
}

fn error(result: &Value) -> (&str, &str, &str) {
    let response = &result["response"];
    assert_eq!(response["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
    assert_eq!(response["status"], result["status"]);
    (
        result["status"].as_str().unwrap(),
        response["scimType"].as_str().unwrap_or_default(),
        response["detail"].as_str().unwrap(),
    )
}

async fn members(app: &TestApp, group: &str) -> Vec<String> {
    let group = app.get(&format!("/Groups/{group}")).await.expect(200);
    let members = group.body["members"].as_array().cloned().unwrap_or_default();
    let mut ids: Vec<_> =
        members.iter().map(|member| member["value"].as_str().unwrap().to_owned()).collect();
    ids.sort_unstable();
    ids
}

async fn manager(app: &TestApp, user: &str) -> Value {
    app.get(&format!("/Users/{user}")).await.expect(200).body[ENTERPRISE]["manager"]["value"]
        .clone()
}

each_db! {
    /// Proves SCIM-403, SCIM-416, SCIM-417, SCIM-419, SCIM-420, SCIM-421, SCIM-431.
    async fn each_success_has_its_status_as_text_location_and_version_and_no_body(app: TestApp) {
        let (old, gone) = (app.user("old").await, app.user("gone").await);
        let done = run(&app, &[
            post_user("new"),
            put(&format!("/Users/{old}"), &json!({ "userName": "old", "title": "Boss" })),
            patch(&format!("/v2/Users/{old}"), &json!([{ "op": "add", "path": "nickName", "value": "O" }])),
            delete(&format!("/Users/{gone}")),
        ]).await;
        assert_eq!(statuses(&done), ["201", "200", "200", "204"]);
        let new = id(&done[0]);
        let base = "http://usher.test/scim/v2/Users";
        assert_eq!(done, [
            json!({ "method": "POST", "bulkId": "new", "location": format!("{base}/{new}"),
                    "version": "W/\"1\"", "status": "201" }),
            json!({ "method": "PUT", "location": format!("{base}/{old}"), "version": "W/\"2\"",
                    "status": "200" }),
            json!({ "method": "PATCH", "location": format!("{base}/{old}"), "version": "W/\"3\"",
                    "status": "200" }),
            json!({ "method": "DELETE", "location": format!("{base}/{gone}"), "status": "204" }),
        ]);
        let found = app.get(&format!("/Users/{old}")).await.expect(200);
        assert_eq!(found.header("etag"), "W/\"3\"");
        assert_eq!((&found.body["title"], &found.body["nickName"]), (&json!("Boss"), &json!("O")));
        app.get(&format!("/Users/{gone}")).await.expect(404);
        app.get(&format!("/Users/{new}")).await.expect(200);
    }

    /// Proves SCIM-411, SCIM-412, SCIM-415, SCIM-417, SCIM-418.
    async fn a_failure_is_answered_where_it_happened_and_the_rest_is_done(app: TestApp) {
        app.user("taken").await;
        let done = run(&app, &[
            post_user("first"),
            post_user("taken"),
            put("/Users/nobody", &json!({ "userName": "x" })),
            patch("/Users/no body", &json!([{ "op": "add", "path": "title", "value": "x" }])),
            delete("/Groups/nobody"),
            post_user("last"),
        ]).await;
        assert_eq!(statuses(&done), ["201", "409", "404", "404", "404", "201"]);
        assert_eq!(error(&done[1]).1, "uniqueness");
        assert_eq!(done[1].get("location"), None);
        assert_eq!(done[1]["bulkId"], "taken");
        assert_eq!(error(&done[2]).0, "404");
        let base = "http://usher.test/scim/v2";
        assert_eq!(done[2]["location"], format!("{base}/Users/nobody"));
        assert_eq!(done[3]["location"], format!("{base}/Users/no%20body"));
        assert_eq!(done[4]["location"], format!("{base}/Groups/nobody"));
        let failed = run(&app, &[post_user("first"), delete("/Users/nobody")]).await;
        assert_eq!(statuses(&failed), ["409", "404"], "all failed, and the request did not");
        let found = app.find("/Users", r#"userName eq "last""#).await.expect(200);
        assert_eq!(found.body["totalResults"], 1);
    }

    /// Proves SCIM-413, SCIM-415.
    async fn after_so_many_failures_the_rest_is_left_and_only_what_was_processed_answered(app: TestApp) {
        app.user("taken").await;
        for (most, expected, left) in [(1, 2, 4), (2, 5, 1), (3, 6, 0)] {
            let name = |n: u32| format!("f{most}-{n}");
            let mut ask = message(&[
                post_user(&name(1)), post_user("taken"), post_user(&name(2)), post_user(&name(3)),
                post("/Users", &name(9), &json!({ "userName": "taken" })), post_user(&name(4)),
            ]);
            ask["failOnErrors"] = most.into();
            let done = results(&send(&app, &[], &ask).await);
            assert_eq!(done.len(), expected, "failOnErrors {most}");
            let there = app.find("/Users", &format!(r#"userName sw "f{most}-""#)).await.expect(200);
            let made = done.iter().filter(|result| result["status"] == "201").count();
            assert_eq!(there.body["totalResults"], made);
            assert_eq!(expected + left, 6);
        }
        let mut ask = message(&[post_user("taken"), post_user("taken2"), post_user("zero")]);
        ask["failOnErrors"] = 0.into();
        assert_eq!(results(&send(&app, &[], &ask).await).len(), 3, "0 is no limit");
    }

    /// Proves SCIM-406, SCIM-407, SCIM-408, SCIM-409, SCIM-432.
    async fn an_operation_that_is_not_one_fails_alone(app: TestApp) {
        let user = app.user("u").await;
        let one = format!("/Users/{user}");
        let name = json!({ "userName": "x" });
        let table = [
            (json!({ "method": "GET", "path": one }), "400", "invalidSyntax"),
            (json!({ "path": one, "data": name }), "400", "invalidSyntax"),
            (json!({ "method": "POST", "path": "/Users", "data": name }), "400", "invalidSyntax"),
            (post(&one, "a", &name), "400", "invalidSyntax"),
            (put("/Users", &name), "400", "invalidSyntax"),
            (json!({ "method": "PUT", "path": one }), "400", "invalidSyntax"),
            (json!({ "method": "POST", "path": "/Users", "bulkId": "b" }), "400", "invalidSyntax"),
            (post("/Bulk", "c", &name), "400", "invalidSyntax"),
            (post("/Users/.search", "d", &name), "400", "invalidSyntax"),
            (put("/Me", &name), "400", "invalidSyntax"),
            (post("/Robots", "e", &name), "404", ""),
        ];
        let mut all: Vec<_> = table.iter().map(|(operation, ..)| operation.clone()).collect();
        all.push(json!({ "method": "post", "path": "Users", "bulkId": "fine", "data": name }));
        all.push(json!({ "method": "patch", "path": one, "data": {
            "Operations": [{ "op": "add", "path": "title", "value": "T" }] } }));
        all.push(json!({ "method": "delete", "path": format!("/v2{one}") }));
        let done = run(&app, &all).await;
        for ((operation, status, kind), result) in table.iter().zip(&done) {
            let (found, scim_type, detail) = error(result);
            assert_eq!((found, scim_type), (*status, *kind), "{operation}: {detail}");
        }
        assert_eq!(statuses(&done[table.len()..]), ["201", "200", "204"]);
    }

    /// Proves SCIM-422.
    async fn a_version_is_a_condition(app: TestApp) {
        let user = app.user("u").await;
        let path = format!("/Users/{user}");
        let with = |mut operation: Value, version: &str| {
            operation["version"] = version.into();
            operation
        };
        let title = json!([{ "op": "replace", "path": "title", "value": "T" }]);
        let done = run(&app, &[
            with(patch(&path, &title), "W/\"7\""),
            with(patch(&path, &title), "W/\"1\""),
            with(put(&path, &json!({ "userName": "u" })), "W/\"1\""),
            with(put(&path, &json!({ "userName": "u" })), "W/\"2\""),
            with(delete(&path), "W/\"2\""),
            with(delete(&path), "nonsense"),
            with(delete(&path), "W/\"3\""),
        ]).await;
        assert_eq!(statuses(&done), ["412", "200", "412", "200", "412", "400", "204"]);
    }

    /// Proves SCIM-423, SCIM-424, SCIM-425.
    async fn references_are_found_wherever_they_stand_and_in_any_order(app: TestApp) {
        let done = run(&app, &[
            post_group("team", &["bulkId:ann", "bulkId:bob"]),
            patch("/Groups/bulkId:team", &json!([
                { "op": "remove", "path": "members[value eq \"bulkId:bob\"]" },
                { "op": "add", "path": "members", "value": [{ "value": "bulkId:cid" }] },
            ])),
            report("ann", "bulkId:bob"),
            put("/Users/bulkId:cid", &json!({ "userName": "cid", "title": "put" })),
            post("/Groups", "nested", &json!({ "displayName": "nested", "members": [
                { "value": "bulkId:team", "$ref": "../Groups/bulkId:team" }] })),
            patch("/Users/bulkId:bob", &json!([
                { "op": "add", "path": format!("{ENTERPRISE}:manager"), "value": { "value": "bulkId:cid" } },
            ])),
            post_user("bob"),
            post_user("cid"),
        ]).await;
        assert_eq!(statuses(&done), ["201", "200", "201", "200", "201", "200", "201", "201"]);
        let (team, ann, bob, cid) = (id(&done[0]), id(&done[2]), id(&done[6]), id(&done[7]));
        let mut expected = [ann.clone(), cid.clone()];
        expected.sort_unstable();
        assert_eq!(members(&app, &team).await, expected);
        assert_eq!(members(&app, &id(&done[4])).await, [team]);
        assert_eq!(manager(&app, &ann).await, json!(bob));
        assert_eq!(manager(&app, &bob).await, json!(cid));
        let cid = app.get(&format!("/Users/{cid}")).await.expect(200);
        assert_eq!(cid.body["title"], "put");
    }

    /// Proves SCIM-426.
    async fn a_ring_of_managers_is_made_whole_or_not_at_all(app: TestApp) {
        let ring = [report("a", "bulkId:b"), report("b", "bulkId:c"), report("c", "bulkId:a")];
        let done = run(&app, &ring).await;
        assert_eq!(statuses(&done), ["201"; 3]);
        for (at, next) in [(0, 1), (1, 2), (2, 0)] {
            assert_eq!(manager(&app, &id(&done[at])).await, json!(id(&done[next])));
        }
        let ring = [report("d", "bulkId:a"), report("a", "bulkId:d"), post_user("e"),
            report("f", "bulkId:d")];
        let done = run(&app, &ring).await;
        assert_eq!(statuses(&done), ["412", "409", "201", "412"]);
        assert!(error(&done[0]).2.contains("bulkId 'a'"), "{}", done[0]);
        let there = app.find("/Users", r#"userName eq "d""#).await.expect(200);
        assert_eq!(there.body["totalResults"], 0);
    }

    /// Proves SCIM-426, SCIM-427.
    async fn groups_that_would_hold_each_other_are_refused_with_the_reason(app: TestApp) {
        let done = run(&app, &[
            post_group("a", &["bulkId:b"]),
            post_group("b", &["bulkId:a"]),
            post_group("itself", &["bulkId:itself"]),
            post_group("above", &["bulkId:a"]),
            post_user("beside"),
        ]).await;
        assert_eq!(statuses(&done), ["409", "409", "400", "412", "201"]);
        for result in &done[..2] {
            let (_, kind, detail) = error(result);
            assert_eq!(kind, "");
            assert!(detail.contains("'a', 'b'") && detail.contains("cannot be part of itself"), "{detail}");
        }
        assert_eq!(error(&done[2]).1, "invalidValue");
        assert_eq!(app.get("/Groups").await.expect(200).body["totalResults"], 0);
    }

    /// Proves SCIM-428.
    async fn a_reference_to_nothing_is_400_and_one_to_a_failure_412(app: TestApp) {
        app.user("taken").await;
        let done = run(&app, &[
            report("a", "bulkId:nobody"),
            post_group("g", &["bulkId:taken", "bulkId:fine"]),
            post_user("taken"),
            patch("/Users/bulkId:taken", &json!([{ "op": "add", "path": "title", "value": "x" }])),
            delete("/Users/bulkId:nobody"),
            report("b", "bulkId:g"),
            json!({ "method": "POST", "path": "/Users", "bulkId": "wrong" }),
            report("c", "bulkId:wrong"),
            post_user("fine"),
        ]).await;
        assert_eq!(statuses(&done), ["400", "412", "409", "412", "400", "412", "400", "412", "201"]);
        assert_eq!(error(&done[0]).1, "invalidValue");
        assert!(error(&done[1]).2.contains("bulkId 'taken'"), "{}", done[1]);
        assert_eq!(error(&done[4]).1, "invalidValue");
        assert!(error(&done[5]).2.contains("bulkId 'g'"), "{}", done[5]);
    }

    /// Proves SCIM-410, SCIM-503.
    async fn passwords_are_hashed_and_open_the_account(app: TestApp) {
        let old = app.user("old").await;
        let long = json!([{ "op": "replace", "path": "password", "value": "third-Secret-3" }]);
        let done = run(&app, &[
            post("/Users", "a", &json!({ "userName": "a", "password": "first-Secret-1" })),
            post("/Users", "b", &json!({ "userName": "b", "password": "short" })),
            put(&format!("/Users/{old}"), &json!({ "userName": "old", "password": "second-Secret-2" })),
            patch("/Users/bulkId:a", &long),
            post("/Users", "c", &json!({ "userName": "c", "password": "fourth-Secret-4" })),
        ]).await;
        assert_eq!(statuses(&done), ["201", "400", "200", "200", "201"]);
        assert_eq!(done[3]["version"], "W/\"2\"");
        let again = run(&app, &[
            patch(&format!("/Users/{}", id(&done[0])), &long),
            put(&format!("/Users/{old}"), &json!({ "userName": "old", "password": "second-Secret-2" })),
            patch(&format!("/Users/{}", id(&done[4])), &json!([
                { "op": "replace", "path": "password", "value": "fourth-Secret-4" }])),
        ]).await;
        let versions: Vec<_> = again.iter().map(|result| result["version"].clone()).collect();
        assert_eq!(versions, ["W/\"2\"", "W/\"2\"", "W/\"1\""], "the same passwords change nothing");
    }

    /// Proves SCIM-405, SCIM-410.
    async fn nothing_to_do_and_a_token_that_may_not(app: TestApp) {
        assert_eq!(run(&app, &[]).await, Vec::<Value>::new());
        let reader = app.scoped(&["users:read"]).await;
        send(&reader, &[], &message(&[post_user("a")])).await.refused(403, "");
        let found = app.find("/Users", r#"userName eq "a""#).await.expect(200);
        assert_eq!(found.body["totalResults"], 0);
    }

    /// Later operations see what earlier ones did, across turns as within one.
    async fn operations_on_one_resource_run_in_their_order(app: TestApp) {
        let mut all = vec![post_user("u")];
        for turn in 0..600 {
            all.push(patch("/Users/bulkId:u", &json!([
                { "op": "replace", "path": "title", "value": format!("t{turn}") }])));
        }
        all.push(delete("/Users/bulkId:u"));
        all.push(patch("/Users/bulkId:u", &json!([{ "op": "replace", "path": "title", "value": "x" }])));
        let done = run(&app, &all).await;
        for (turn, result) in done[..601].iter().enumerate() {
            assert_eq!(result["version"], format!("W/\"{}\"", turn + 1));
        }
        assert_eq!(statuses(&done[601..]), ["204", "404"]);
    }
}
