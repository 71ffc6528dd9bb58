//! Users as a client sees them: created, read, found again, deleted.

use futures_util::future::join_all;
use serde_json::json;

use crate::support::app::{BASE, TestApp};
use crate::support::asks::{ENTERPRISE, USER, texts, user};
use crate::support::each_db;

each_db! {
    /// Proves SCIM-032, SCIM-103, SCIM-165, SCIM-166, SCIM-167, SCIM-169, SCIM-173, SCIM-177, SCIM-440.
    async fn a_create_answers_with_the_stored_resource_and_where_it_is(app: TestApp) {
        let reply = app.user_with("ida", &json!({})).await;
        let location = format!("{BASE}/Users/{}", reply.id());
        assert_eq!(reply.header("location"), location);
        assert_eq!(reply.header("content-type"), "application/scim+json");
        assert_eq!(reply.body["meta"]["location"], location);
        assert_eq!(reply.body["meta"]["resourceType"], "User");
        assert_eq!(reply.body["meta"]["version"], reply.header("etag"));
        assert_eq!(reply.body["active"], true);
        let read = app.get(&location).await.expect(200);
        assert_eq!(read.body, reply.body);
        let minimal = [("prefer", "return=minimal")];
        let bare =
            app.send("POST", "/Users", &minimal, Some(&user("tom", &json!({})))).await.expect(201);
        assert!(bare.body.is_null());
        assert_eq!(bare.header("preference-applied"), "return=minimal");
        assert_eq!(app.get(bare.header("location")).await.expect(200).body["userName"], "tom");
        assert_eq!(bare.header("etag"), "W/\"1\"");
    }

    /// Proves SCIM-019, SCIM-031, SCIM-181, SCIM-184.
    async fn a_read_says_where_the_resource_is_and_head_says_the_same(app: TestApp) {
        let path = format!("/Users/{}", app.user("ida").await);
        let read = app.get(&path).await.expect(200);
        let location = read.body["meta"]["location"].as_str().unwrap();
        assert_eq!(read.header("location"), location);
        assert_eq!(read.header("content-location"), location);
        assert_eq!(read.header("cache-control"), "private, no-cache");
        let head = app.send("HEAD", &path, &[], None).await.expect(200);
        assert!(head.body.is_null());
        for name in ["etag", "location", "content-type"] {
            assert_eq!(head.header(name), read.header(name), "{name}");
        }
        app.send("HEAD", "/Users/nobody", &[], None).await.expect(404);
    }

    /// Proves SCIM-100, SCIM-101.
    async fn a_new_resource_was_modified_when_it_was_created(app: TestApp) {
        let path = format!("/Users/{}", app.user("ida").await);
        let meta = app.get(&path).await.body["meta"].clone();
        assert_eq!(meta["created"], meta["lastModified"]);
        assert!(meta["created"].as_str().unwrap().ends_with('Z'));
        let change = json!([{ "op": "replace", "path": "title", "value": "Lead" }]);
        let later = app.patch(&path, change).await.expect(200).body["meta"].clone();
        assert_eq!(later["created"], meta["created"]);
        assert!(later["lastModified"].as_str() > meta["lastModified"].as_str());
        assert_ne!(later["version"], meta["version"]);
    }

    /// Proves SCIM-056, SCIM-092, SCIM-093, SCIM-094, SCIM-098, SCIM-168.
    async fn a_client_sets_neither_id_nor_meta_nor_groups(app: TestApp) {
        let group = app.group("Night desk", &[]).await;
        let reply = app
            .user_with("ida", &json!({
                "id": "mine", "groups": [{ "value": group }],
                "meta": {
                    "created": "2001-01-01T00:00:00Z", "resourceType": "Robot", "version": "W/\"99\""
                }
            }))
            .await;
        let id = reply.id();
        assert_ne!(id, "mine");
        assert!(!id.to_lowercase().contains("bulkid"));
        assert_eq!(reply.body.get("groups"), None);
        assert_eq!(reply.body["meta"]["resourceType"], "User");
        assert!(!reply.body["meta"]["created"].as_str().unwrap().starts_with("2001"));
        let upper = id.to_uppercase();
        assert_ne!(upper, id, "an id of digits alone proves nothing");
        app.get(&format!("/Users/{upper}")).await.refused(404, "");
        app.get("/Users/mine").await.refused(404, "");
    }

    /// Proves SCIM-064, SCIM-105, SCIM-171, SCIM-242, SCIM-467, SCIM-468, SCIM-470.
    async fn user_names_are_one_name_in_every_spelling(app: TestApp) {
        app.user("Jos\u{e9}.Stra\u{df}e").await;
        app.user("JSmith").await;
        let table = [
            ("jsmith", "JSmith"),
            ("JSMITH", "JSmith"),
            // Full width letters.
            ("\u{ff2a}\u{ff33}\u{ff2d}\u{ff29}\u{ff34}\u{ff28}", "JSmith"),
            ("jose\u{301}.strasse", "Jos\u{e9}.Stra\u{df}e"),
        ];
        for (spelling, stored) in table {
            let refused = app.post("/Users", &user(spelling, &json!({}))).await;
            let detail = refused.refused(409, "uniqueness");
            assert_eq!(detail, format!("User with userName '{spelling}' already exists."));
            let filter = format!("userName eq \"{spelling}\"");
            assert_eq!(app.found(&filter).await, [stored], "{spelling}");
        }
    }

    /// Proves SCIM-096.
    async fn two_users_may_have_one_external_id(app: TestApp) {
        for name in ["ida", "tom"] {
            app.user_with(name, &json!({ "externalId": "7" })).await;
        }
        assert_eq!(app.found("externalId eq \"7\"").await, ["ida", "tom"]);
    }

    /// Proves SCIM-172.
    async fn of_two_creates_at_once_one_wins(app: TestApp) {
        for round in 0..5 {
            let body = user(&format!("user{round}"), &json!({}));
            let tries = (0..4).map(|_| app.post("/Users", &body));
            let replies = join_all(tries).await;
            let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 409, 409, 409]);
        }
    }

    /// Proves SCIM-011.
    async fn text_of_every_script_comes_back_byte_by_byte(app: TestApp) {
        let name = "Zoë 中村 🎧 \u{202e}rtl \\ \" \t";
        let reply = app.user_with("zoe", &json!({ "displayName": name })).await;
        assert_eq!(reply.body["displayName"], name);
        assert_eq!(app.get(&format!("/Users/{}", reply.id())).await.body["displayName"], name);
        assert_eq!(app.found("displayName co \"中村 🎧\"").await, ["zoe"]);
    }

    /// Proves SCIM-050, SCIM-072, SCIM-084, SCIM-086, SCIM-174, SCIM-175, SCIM-180, SCIM-472.
    async fn a_create_that_is_wrong_says_what_is_wrong(app: TestApp) {
        let table = [
            (json!({ "schemas": [USER] }), "invalidValue", "userName"),
            (user("", &json!({})), "invalidValue", "userName"),
            (user(" ", &json!({})), "invalidValue", "userName"),
            (user("a\u{0}b", &json!({})), "invalidValue", ""),
            (user("a", &json!({ "emails": 5 })), "invalidValue", "emails"),
            (user("a", &json!({ "active": "perhaps" })), "invalidValue", "active"),
            (
                user("a", &json!({ "name": { "givenName": { "a": 1 } } })),
                "invalidValue",
                "givenName",
            ),
            (
                user(
                    "a",
                    &json!({ "emails": [
                        { "value": "x@y.z", "primary": true }, { "value": "q@y.z", "primary": true }
                    ] }),
                ),
                "invalidValue",
                "emails",
            ),
            (json!([]), "invalidSyntax", ""),
            (json!("text"), "invalidSyntax", ""),
        ];
        for (body, kind, named) in table {
            let detail = app.post("/Users", &body).await.refused(400, kind);
            assert!(detail.contains(named), "{body}: {detail}");
        }
        for raw in ["", "{", "{} x", "{\"userName\":\"a\",\"USERNAME\":\"b\"}"] {
            let reply = app.exchange("POST", "/Users", &[], Some(raw.to_owned())).await;
            reply.refused(400, "invalidSyntax");
        }
        assert_eq!(app.get("/Users").await.body["totalResults"], 0);
    }

    /// Proves SCIM-394, SCIM-395, SCIM-396, SCIM-397, SCIM-398.
    async fn what_is_deleted_is_gone_and_its_name_is_free(app: TestApp) {
        let id = app.user("ida").await;
        let path = format!("/Users/{id}");
        let gone = app.delete(&path).await.expect(204);
        assert!(gone.body.is_null());
        let body = user("ida", &json!({}));
        app.get(&path).await.refused(404, "");
        app.put(&path, &body).await.refused(404, "");
        let change = json!([{ "op": "remove", "path": "title" }]);
        app.patch(&path, change).await.refused(404, "");
        app.delete(&path).await.refused(404, "");
        assert_eq!(app.get("/Users").await.body["totalResults"], 0);
        assert!(app.found(&format!("id eq \"{id}\"")).await.is_empty());
        assert_ne!(app.user("ida").await, id);
    }

    /// Proves SCIM-400.
    async fn deactivating_is_no_deleting(app: TestApp) {
        let path = format!("/Users/{}", app.user("ida").await);
        let off = json!([{ "op": "replace", "path": "active", "value": false }]);
        assert_eq!(app.patch(&path, off).await.expect(200).body["active"], false);
        assert_eq!(app.get(&path).await.expect(200).body["active"], false);
        assert_eq!(app.found("active eq false").await, ["ida"]);
        let on = json!([{ "op": "replace", "path": "active", "value": true }]);
        assert_eq!(app.patch(&path, on).await.expect(200).body["active"], true);
    }

    /// Proves SCIM-179, SCIM-402.
    async fn collections_are_not_deleted_and_resources_not_posted_to(app: TestApp) {
        let path = format!("/Users/{}", app.user("ida").await);
        app.post(&path, &user("tom", &json!({}))).await.refused(405, "");
        for method in ["DELETE", "PUT", "PATCH"] {
            app.send(method, "/Users", &[], None).await.refused(405, "");
        }
        assert_eq!(app.names("/Users").await, ["ida"]);
    }

    /// Proves SCIM-136, SCIM-138, SCIM-044.
    async fn a_manager_is_named_and_can_be_followed(app: TestApp) {
        let boss = app.user_with("boss", &json!({ "displayName": "Tom Arve" })).await.id();
        let manager = json!({ "value": boss, "displayName": "Somebody else", "$ref": "nowhere" });
        let body = json!({ ENTERPRISE: { "manager": manager } });
        let path = format!("/Users/{}", app.user_with("ida", &body).await.id());
        let shown = app.get(&path).await.body[ENTERPRISE]["manager"].clone();
        let link = format!("{BASE}/Users/{boss}");
        assert_eq!(shown, json!({ "value": boss, "$ref": link, "displayName": "Tom Arve" }));
        assert_eq!(app.get(&link).await.expect(200).id(), boss);
        let rename = json!([{ "op": "replace", "path": "displayName", "value": "Tom B. Arve" }]);
        app.patch(&link, rename).await.expect(200);
        let shown = app.get(&path).await.body[ENTERPRISE]["manager"].clone();
        assert_eq!(shown["displayName"], "Tom B. Arve");
        let name = format!("{ENTERPRISE}:manager.displayName");
        let change = json!([{ "op": "replace", "path": name, "value": "x" }]);
        app.patch(&path, change).await.refused(400, "mutability");
        app.delete(&link).await.expect(204);
        let shown = app.get(&path).await.body[ENTERPRISE]["manager"].clone();
        assert_eq!(shown["value"], boss);
        assert_eq!(shown.get("displayName"), None);
    }

    /// Proves SCIM-058, SCIM-060, SCIM-114, SCIM-063, SCIM-241.
    async fn a_password_is_shown_and_found_nowhere(app: TestApp) {
        let secret = "correct horse battery";
        let created = app.user_with("ida", &json!({ "password": secret })).await;
        let path = format!("/Users/{}", created.id());
        let change = json!([{ "op": "replace", "path": "password", "value": secret }]);
        let replies = [
            created,
            app.get(&path).await.expect(200),
            app.get(&format!("{path}?attributes=password")).await.expect(200),
            app.get("/Users?attributes=password,userName").await.expect(200),
            app.patch(&path, change).await.expect(200),
            app.put(&path, &user("ida", &json!({ "password": secret }))).await.expect(200),
        ];
        for reply in replies {
            let text = reply.body.to_string();
            assert!(!text.contains("password") && !text.contains(secret), "{text}");
        }
        for filter in ["password pr", "password eq \"correct horse battery\"", "password sw \"c\""]
        {
            let detail = app.find("/Users", filter).await.refused(400, "invalidFilter");
            assert!(!detail.contains("horse"), "{detail}");
        }
        let refused = app.get("/Users?sortBy=password").await;
        refused.refused(400, "invalidValue");
    }

    /// Proves SCIM-044, SCIM-102.
    async fn the_location_of_every_element_leads_to_it(app: TestApp) {
        for name in ["ida", "tom"] {
            app.user(name).await;
        }
        let list = app.get("/Users").await.body["Resources"].clone();
        for (place, name) in texts(&list, "/meta/location").iter().zip(["ida", "tom"]) {
            assert_eq!(app.get(place).await.expect(200).body["userName"], name);
        }
    }
}
