//! PATCH through HTTP: what it answers, what it leaves alone. What each operation does to a
//! document is proved where it is done, in `scim::patch`.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{BASE, TestApp};
use crate::support::asks::{ENTERPRISE, USER, texts};
use crate::support::each_db;

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

fn set(path: &str, value: impl Into<Value>) -> Value {
    json!([{ "op": "replace", "path": path, "value": value.into() }])
}

each_db! {
    /// Proves SCIM-302, SCIM-326, SCIM-344, SCIM-345.
    async fn a_patch_answers_the_resource_unless_asked_for_less(app: TestApp) {
        let body = json!({ "schemas": [PATCH], "Operations": set("title", "Lead") });
        let table = [
            ("auto", "", "", 200, ""),
            ("auto", "", "return=minimal", 204, "return=minimal"),
            ("auto", "", "respond-async, return=minimal", 204, "return=minimal"),
            ("auto", "?attributes=title", "return=minimal", 200, ""),
            ("none", "", "", 204, ""),
            ("none", "", "return=representation", 200, "return=representation"),
            ("none", "?attributes=title", "", 200, ""),
            ("body", "", "", 200, ""),
            ("body", "", "return=minimal", 204, "return=minimal"),
        ];
        for (setting, query, prefer, status, applied) in table {
            let app = app.tenant_with("scim.patchResponse", setting).await;
            let path = format!("/Users/{}", app.user("ida").await);
            let headers = [("prefer", prefer)];
            let headers = if prefer.is_empty() { &headers[..0] } else { &headers };
            let place = format!("{setting} {query} {prefer}");
            let reply = app.send("PATCH", &format!("{path}{query}"), headers, Some(&body)).await;
            assert_eq!(reply.status, status, "{place}");
            assert_eq!(reply.header("etag"), app.version(&path).await, "{place}");
            assert_eq!(reply.header("location"), format!("{BASE}{path}"), "{place}");
            assert_eq!(reply.header("preference-applied"), applied, "{place}");
            assert_eq!(reply.header("authorization"), "");
            assert_eq!(reply.body["title"].is_null(), status == 204, "{place}");
            assert_eq!(
                reply.body["userName"].is_null(),
                !query.is_empty() || status == 204,
                "{place}"
            );
        }
    }

    /// Proves SCIM-341, SCIM-343, SCIM-361, SCIM-393, SCIM-374.
    async fn what_fails_or_changes_nothing_leaves_the_version(app: TestApp) {
        let reply = app
            .user_with(
                "ida",
                &json!({ "title": "Lead", "emails": [{ "value": "i@x.y", "type": "work" }] }),
            )
            .await;
        let path = format!("/Users/{}", reply.id());
        let before = app.get(&path).await.body;
        let x = json!({ "op": "replace", "path": "title", "value": "X" });
        let email = json!([{ "type": "work", "value": "i@x.y" }]);
        let noisy = json!({ "id": "other", "title": "Lead", "schemas": [USER] });
        let table = [
            (json!([x, { "op": "replace", "path": "active", "value": "perhaps" }]), 400),
            (json!([x, { "op": "remove", "path": "userName" }]), 400),
            (json!([x, { "op": "remove" }]), 400),
            (set("title", "Lead"), 200),
            (json!([{ "op": "add", "path": "emails", "value": email }]), 200),
            (json!([{ "op": "remove", "path": "nickName" }]), 200),
            (json!([x, { "op": "replace", "path": "title", "value": "Lead" }]), 200),
            (json!([{ "op": "replace", "value": noisy }]), 200),
        ];
        for (operations, status) in table {
            let reply = app.patch(&path, operations.clone()).await;
            assert_eq!(reply.status, status, "{operations}: {}", reply.body);
            if status == 400 {
                assert!(reply.body["scimType"].is_string(), "{}", reply.body);
            }
            assert_eq!(app.get(&path).await.body, before, "{operations}");
        }
    }

    /// Proves SCIM-350, SCIM-458, SCIM-445, SCIM-448.
    async fn a_patch_of_nobody_of_the_past_or_of_a_taken_name_is_refused(app: TestApp) {
        app.user("tom").await;
        let path = format!("/Users/{}", app.user("ida").await);
        app.patch("/Users/nobody", set("title", "x")).await.refused(404, "");
        app.patch("/Groups/nobody", set("displayName", "x")).await.refused(404, "");
        let detail = app.patch(&path, set("userName", "TOM")).await.refused(409, "uniqueness");
        assert_eq!(detail, "User with userName 'TOM' already exists.");
        let before = app.version(&path).await;
        let body = json!({ "schemas": [PATCH], "Operations": set("title", "x") });
        let stale = [("if-match", "W/\"77\"")];
        app.send("PATCH", &path, &stale, Some(&body)).await.refused(412, "");
        assert_eq!(app.version(&path).await, before);
        let current = [("if-match", before.as_str())];
        app.send("PATCH", &path, &current, Some(&body)).await.expect(200);
        app.send("PATCH", &path, &current, Some(&body)).await.refused(412, "");
        // Renaming somebody to the same name in another case is no conflict with itself.
        assert_eq!(
            app.patch(&path, set("userName", "IDA")).await.expect(200).body["userName"],
            "IDA"
        );
        assert_eq!(app.found("userName eq \"ida\"").await, ["IDA"]);
    }

    /// Proves SCIM-354.
    async fn changes_at_once_are_all_kept(app: TestApp) {
        let path = format!("/Users/{}", app.user("ida").await);
        let mut changes = Vec::new();
        for number in 0..20 {
            let (app, path) = (app.clone(), path.clone());
            let email = json!([{ "value": format!("{number}@x.example"), "type": "other" }]);
            let operations = json!([{ "op": "add", "path": "emails", "value": email }]);
            changes.push(async move { app.patch(&path, operations).await.status });
        }
        assert_eq!(join_all(changes).await, [200; 20]);
        let shown = app.get(&path).await;
        assert_eq!(shown.body["emails"].as_array().unwrap().len(), 20);
        assert_eq!(shown.header("etag"), "W/\"21\"");
    }

    /// Proves SCIM-346, SCIM-378, SCIM-379, SCIM-090.
    async fn extensions_come_and_go_with_their_data(app: TestApp) {
        let path = format!("/Users/{}", app.user("ida").await);
        let number = format!("{ENTERPRISE}:employeeNumber");
        let shown = app.patch(&path, set(&number, "7")).await.expect(200).body;
        assert_eq!(shown["schemas"], json!([USER, ENTERPRISE]));
        assert_eq!(app.found(&format!("{number} eq \"7\"")).await, ["ida"]);
        assert_eq!(app.found(&format!("schemas eq \"{ENTERPRISE}\"")).await, ["ida"]);
        let gone =
            app.patch(&path, json!([{ "op": "remove", "path": number }])).await.expect(200).body;
        assert_eq!(gone["schemas"], json!([USER]));
        assert_eq!(gone.get(ENTERPRISE), None);
        app.patch(&path, set(&number, "8")).await.expect(200);
        let gone = app
            .patch(&path, json!([{ "op": "remove", "path": ENTERPRISE }]))
            .await
            .expect(200)
            .body;
        assert_eq!(gone.get(ENTERPRISE), None);
        assert!(app.found(&format!("{number} pr")).await.is_empty());
    }

    /// Proves SCIM-074, SCIM-349.
    async fn a_new_primary_value_is_the_only_one(app: TestApp) {
        let emails = json!([
            { "value": "w@x.y", "type": "work", "primary": true }, { "value": "h@x.y", "type": "home" }
        ]);
        let path =
            format!("/Users/{}", app.user_with("ida", &json!({ "emails": emails })).await.id());
        let shown =
            app.patch(&path, set("emails[type eq \"home\"].primary", true)).await.expect(200).body;
        let primary: Vec<_> = shown["emails"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|email| email["primary"] == true)
            .map(|email| email["value"].clone())
            .collect();
        assert_eq!(primary, ["h@x.y"]);
        // RFC 7643 s2.4: the others are false, written or not.
        let shown = app.patch(&path, set("emails[primary eq false].display", "Desk")).await;
        assert_eq!(shown.expect(200).body["emails"][0]["display"], "Desk");
        assert_eq!(app.found("emails[primary eq true].value eq \"h@x.y\"").await, ["ida"]);
        assert!(app.found("emails[primary eq true and type eq \"work\"]").await.is_empty());
    }

    /// Proves SCIM-375, SCIM-376, SCIM-382, SCIM-363, SCIM-373.
    async fn members_are_added_removed_and_replaced(app: TestApp) {
        let (a, b, c) = (app.user("a").await, app.user("b").await, app.user("c").await);
        let path = format!("/Groups/{}", app.group("Desk", &[&a, &b]).await);
        let value =
            |ids: &[&String]| ids.iter().map(|id| json!({ "value": id })).collect::<Vec<_>>();
        let table = [
            (json!([{ "op": "add", "value": { "members": value(&[&c]) } }]), vec![&a, &b, &c]),
            (json!([{ "op": "remove", "path": "members", "value": value(&[&b]) }]), vec![&a, &c]),
            (
                json!([{ "op": "remove", "path": format!("members[value eq \"{b}\"]") }]),
                vec![&a, &c],
            ),
            (json!([{ "op": "replace", "path": "members", "value": value(&[&b]) }]), vec![&b]),
            (json!([{ "op": "replace", "value": { "members": value(&[&a, &c]) } }]), vec![&a, &c]),
            (
                json!([
                    { "op": "remove", "path": "members" },
                    { "op": "add", "path": "members", "value": value(&[&b]) }
                ]),
                vec![&b],
            ),
            (json!([{ "op": "remove", "path": "members", "value": null }]), vec![]),
        ];
        for (operations, expected) in table {
            app.patch(&path, operations.clone()).await.expect(200);
            let mut found = texts(&app.get(&path).await.body["members"], "/value");
            found.sort_unstable();
            let mut expected: Vec<_> = expected.into_iter().cloned().collect();
            expected.sort_unstable();
            assert_eq!(found, expected, "{operations}");
        }
    }
}
