//! PUT: what is left out, what is sent back unchanged, what is refused.

use serde_json::{Value, json};

use crate::shapes::complete;
use crate::support::app::{BASE, TestApp};
use crate::support::asks::{ENTERPRISE, group, texts, user};
use crate::support::each_db;

each_db! {
    /// Proves SCIM-313, SCIM-320, SCIM-312.
    async fn a_put_answers_the_whole_new_resource(app: TestApp) {
        let created = app.user_with("ida", &json!({ "title": "Lead" })).await;
        let path = format!("/Users/{}", created.id());
        let body = user("ida.holm", &json!({ "displayName": "Ida" }));
        let reply = app.put(&path, &body).await.expect(200);
        assert_eq!(reply.body["userName"], "ida.holm");
        assert_eq!(reply.body["displayName"], "Ida");
        assert_eq!(reply.body.get("title"), None);
        assert_eq!(reply.body["meta"]["created"], created.body["meta"]["created"]);
        assert_ne!(reply.header("etag"), created.header("etag"));
        assert_eq!(reply.header("location"), format!("{BASE}{path}"));
        assert_eq!(app.get(&path).await.body, reply.body);
        assert!(app.found("userName eq \"ida\"").await.is_empty());
        // The old name is free again.
        app.user("ida").await;
        let named = app.put(&format!("{path}?attributes=userName"), &body).await.expect(200);
        assert_eq!(named.body.as_object().unwrap().len(), 3);
        let minimal = app.send("PUT", &path, &[("prefer", "return=minimal")], Some(&body)).await;
        assert_eq!(minimal.expect(204).header("preference-applied"), "return=minimal");
    }

    /// Proves SCIM-323, SCIM-325, SCIM-318.
    async fn a_put_of_the_last_get_changes_nothing(app: TestApp) {
        let boss = app.user("boss").await;
        let ida = app.post("/Users", &complete("ida", &boss)).await.expect(201).id();
        let plain = app.user("plain").await;
        let inner = app.group("Inner", &[&ida]).await;
        let outer = app.group("Outer", &[&inner, &plain]).await;
        let empty = app.group("Empty", &[]).await;
        let users = [boss, ida, plain].map(|id| format!("/Users/{id}"));
        let groups = [inner, outer, empty].map(|id| format!("/Groups/{id}"));
        for path in users.iter().chain(&groups) {
            let before = app.get(path).await.expect(200);
            let put = app.put(path, &before.body).await.expect(200);
            assert_eq!(put.body, before.body, "{path}");
            assert_eq!(put.header("etag"), before.header("etag"));
            // The same with every key in another order and read-only noise.
            let mut noisy: Value = before
                .body
                .as_object()
                .unwrap()
                .iter()
                .rev()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect::<serde_json::Map<_, _>>()
                .into();
            noisy["id"] = "other".into();
            noisy["meta"] = json!({ "version": "W/\"1000\"", "location": null });
            app.put(path, &noisy).await.expect(200);
            assert_eq!(app.get(path).await.body, before.body, "{path}");
        }
    }

    /// Proves SCIM-314.
    async fn the_same_password_is_no_change_and_another_one_is(app: TestApp) {
        let path = format!(
            "/Users/{}",
            app.user_with("ida", &json!({ "password": "first pass" })).await.id()
        );
        let put = async |password: Value| {
            let body = user("ida", &json!({ "password": password }));
            app.put(&path, &body).await.expect(200).header("etag").to_owned()
        };
        let before = app.version(&path).await;
        assert_eq!(put(json!("first pass")).await, before);
        assert_eq!(app.put(&path, &user("ida", &json!({}))).await.header("etag"), before);
        assert_eq!(put(json!("first pass")).await, before, "leaving it out kept it");
        let changed = put(json!("other pass")).await;
        assert_ne!(changed, before);
        assert_eq!(put(json!("other pass")).await, changed);
        let again = json!([{ "op": "replace", "path": "password", "value": "other pass" }]);
        assert_eq!(app.patch(&path, again).await.expect(200).header("etag"), changed);
    }

    /// Proves SCIM-314, SCIM-315, SCIM-324, SCIM-079.
    async fn what_is_left_out_is_cleared_but_for_what_clients_never_send(app: TestApp) {
        let boss = app.user("boss").await;
        let off = json!([{ "op": "replace", "path": "active", "value": false }]);
        let path = format!("/Users/{}", app.post("/Users", &complete("ida", &boss)).await.id());
        app.patch(&path, off).await.expect(200);
        let before = app.get(&path).await.body;
        let after = app.put(&path, &user("ida", &json!({}))).await.expect(200).body;
        for kept in ["active", "roles", "entitlements", ENTERPRISE] {
            assert_eq!(after[kept], before[kept], "{kept}");
        }
        let cleared = [
            "name",
            "displayName",
            "emails",
            "phoneNumbers",
            "externalId",
            "title",
            "addresses",
            "locale",
        ];
        for cleared in cleared {
            assert!(before.get(cleared).is_some() && after.get(cleared).is_none(), "{cleared}");
        }
        assert!(app.found("emails pr").await.is_empty());
        let partly = json!({ ENTERPRISE: { "department": "Sales" } });
        let partly = app.put(&path, &user("ida", &partly)).await.expect(200).body;
        assert_eq!(partly[ENTERPRISE], json!({ "department": "Sales" }));
        for clear in [json!(null), json!({})] {
            let with = json!({ ENTERPRISE: { "department": "Sales" } });
            app.put(&path, &user("ida", &with)).await.expect(200);
            let without = json!({ ENTERPRISE: clear, "roles": [], "entitlements": null });
            let shown = app.put(&path, &user("ida", &without)).await.expect(200).body;
            for gone in [ENTERPRISE, "roles", "entitlements"] {
                assert_eq!(shown.get(gone), None, "{gone}");
            }
        }
    }

    /// Proves SCIM-014, SCIM-319, SCIM-321.
    async fn a_put_never_creates_and_never_takes_a_name(app: TestApp) {
        app.user("tom").await;
        let path = format!("/Users/{}", app.user("ida").await);
        app.put("/Users/nobody", &user("new", &json!({}))).await.refused(404, "");
        app.put(&path, &user("TOM", &json!({}))).await.refused(409, "uniqueness");
        let nameless = json!({ "schemas": user("x", &json!({}))["schemas"], "title": "x" });
        app.put(&path, &nameless).await.refused(400, "invalidValue");
        assert_eq!(app.get("/Users").await.body["totalResults"], 2);
        let group = format!("/Groups/{}", app.group("Desk", &[]).await);
        app.put(&path.replace("Users", "Groups"), &user("x", &json!({}))).await.refused(404, "");
        assert_eq!(app.get(&group).await.expect(200).body["displayName"], "Desk");
    }

    /// Proves SCIM-322, SCIM-448, SCIM-451.
    async fn a_put_under_a_false_condition_does_nothing(app: TestApp) {
        let path = format!("/Users/{}", app.user("ida").await);
        let before = app.get(&path).await;
        let body = user("other", &json!({}));
        for condition in [("if-match", "W/\"9\""), ("if-none-match", "*")] {
            app.send("PUT", &path, &[condition], Some(&body)).await.refused(412, "");
            assert_eq!(app.get(&path).await.body, before.body);
        }
        let current = [("if-match", before.header("etag"))];
        app.send("PUT", &path, &current, Some(&body)).await.expect(200);
    }

    async fn the_members_of_a_put_are_all_members(app: TestApp) {
        let (a, b) = (app.user("a").await, app.user("b").await);
        let path = format!("/Groups/{}", app.group("Desk", &[&a]).await);
        let put = async |more: Value| {
            let reply = app.put(&path, &group("Desk", &more)).await.expect(200);
            texts(&reply.body["members"], "/value")
        };
        assert_eq!(put(json!({ "members": [{ "value": b }] })).await, [b.as_str()]);
        assert_eq!(put(json!({ "members": [{ "value": b }, { "value": b }] })).await, [b]);
        assert!(put(json!({})).await.is_empty());
    }
}
