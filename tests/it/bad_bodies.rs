//! Bodies that nobody should send: each is refused for its reason, and nothing of it is kept.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{Reply, TestApp};
use crate::support::each_db;

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

async fn send(app: &TestApp, method: &str, path: &str, body: &str) -> Reply {
    app.exchange(method, path, &[], Some(body.to_owned())).await
}

/// Everything that the tenant holds.
async fn all(app: &TestApp) -> Value {
    app.get("?count=1000").await.expect(200).body
}

/// Bodies that are refused whatever they are sent to, and why.
fn unreadable() -> Vec<(&'static str, String, &'static str)> {
    let nested = |open: &str, close: &str| {
        format!("{{\"userName\":\"x\",\"a\":{}1{}}}", open.repeat(10_000), close.repeat(10_000))
    };
    let plain = |text: &str| text.to_owned();
    vec![
        ("nothing", plain(""), "invalidSyntax"),
        ("blanks", plain(" \n "), "invalidSyntax"),
        ("a word", plain("hello"), "invalidSyntax"),
        ("half an object", plain("{\"userName\":\"x\""), "invalidSyntax"),
        ("half a string", plain("{\"userName\":\"x"), "invalidSyntax"),
        ("a trailing comma", plain("{\"userName\":\"x\",}"), "invalidSyntax"),
        ("single quotes", plain("{'userName':'x'}"), "invalidSyntax"),
        ("two values", plain("{\"userName\":\"x\"} {}"), "invalidSyntax"),
        ("a form", plain("userName=x&active=true"), "invalidSyntax"),
        ("XML", plain("<User><userName>x</userName></User>"), "invalidSyntax"),
        ("not a number", plain("{\"userName\":\"x\",\"a\":NaN}"), "invalidSyntax"),
        ("a lone surrogate", plain("{\"userName\":\"x\\ud800\"}"), "invalidSyntax"),
        ("a raw control character", plain("{\"userName\":\"x\u{1}\"}"), "invalidSyntax"),
        ("null", plain("null"), "invalidSyntax"),
        ("a list", plain("[]"), "invalidSyntax"),
        ("a string", plain("\"x\""), "invalidSyntax"),
        ("a number", plain("7"), "invalidSyntax"),
        ("a member twice", plain("{\"userName\":\"x\",\"userName\":\"y\"}"), "invalidSyntax"),
        ("twice in other case", plain("{\"userName\":\"x\",\"USERNAME\":\"y\"}"), "invalidSyntax"),
        (
            "twice further in",
            plain("{\"userName\":\"x\",\"name\":{\"givenName\":\"a\",\"givenName\":\"b\"}}"),
            "invalidSyntax",
        ),
        ("lists in lists", nested("[", "]"), "invalidSyntax"),
        ("objects in objects", nested("{\"a\":", "}"), "invalidSyntax"),
        ("lists without end", "[".repeat(10_000), "invalidSyntax"),
        ("objects without end", "{\"a\":".repeat(10_000), "invalidSyntax"),
        ("U+0000", plain("{\"userName\":\"x\\u0000y\"}"), "invalidValue"),
        ("U+0000 in a name", plain("{\"user\\u0000Name\":\"x\"}"), "invalidValue"),
        ("a large number", plain("{\"userName\":\"x\",\"a\":9223372036854775808}"), "invalidValue"),
        (
            "a small number",
            plain("{\"userName\":\"x\",\"a\":-9223372036854775809}"),
            "invalidValue",
        ),
        ("an infinite number", plain("{\"userName\":\"x\",\"a\":1e400}"), "invalidValue"),
        (
            "a long string",
            format!("{{\"userName\":\"x\",\"title\":\"{}\"}}", "t".repeat(64 * 1024 + 1)),
            "invalidValue",
        ),
    ]
}

each_db! {
    /// Proves SCIM-034, SCIM-035, SCIM-472.
    async fn what_cannot_be_read_is_refused_everywhere_and_changes_nothing(app: TestApp) {
        let user = app.user("there").await;
        let group = app.group("group", &[&user]).await;
        let before = all(&app).await;
        let endpoints = [
            ("POST", "/Users".to_owned()), ("PUT", format!("/Users/{user}")),
            ("PATCH", format!("/Users/{user}")), ("POST", "/Groups".to_owned()),
            ("PUT", format!("/Groups/{group}")), ("PATCH", format!("/Groups/{group}")),
            ("POST", "/.search".to_owned()), ("POST", "/Users/.search".to_owned()),
        ];
        for (what, body, kind) in unreadable() {
            for (method, path) in &endpoints {
                let reply = send(&app, method, path, &body).await;
                assert_eq!(reply.status, 400, "{what} by {method} {path}: {}", reply.body);
                assert_eq!(reply.body["scimType"], kind, "{what}, {method} {path}: {}", reply.body);
                let detail = reply.refused(400, kind);
                assert!(detail.len() < 600, "{what}: {detail}");
            }
        }
        assert_eq!(all(&app).await, before);
    }

    async fn a_body_of_another_media_type_is_refused(app: TestApp) {
        let body = json!({ "schemas": [USER], "userName": "x" }).to_string();
        for kind in ["text/plain", "application/xml", "multipart/form-data; boundary=x"] {
            let headers = [("content-type".to_owned(), kind.to_owned())];
            let reply = app.exchange("POST", "/Users", &headers, Some(body.clone())).await;
            reply.refused(415, "");
        }
        let headers = [("content-encoding".to_owned(), "gzip".to_owned())];
        app.exchange("POST", "/Users", &headers, Some(body)).await.refused(415, "");
        assert_eq!(all(&app).await["totalResults"], 0);
    }

    async fn what_is_longer_than_its_limit_is_refused_and_what_is_not_is_taken(app: TestApp) {
        let long = |length: usize| "n".repeat(length);
        let emails = |count: usize| -> Value {
            (0..count).map(|number| json!({ "value": format!("{number}@example.com") })).collect()
        };
        let table = [
            (json!({ "userName": long(1024) }), true),
            (json!({ "userName": long(1025) }), false),
            (json!({ "userName": "é".repeat(513) }), false),
            (json!({ "userName": "a", "externalId": long(1024) }), true),
            (json!({ "userName": "b", "externalId": long(1025) }), false),
            (json!({ "userName": "c", "title": long(64 * 1024) }), true),
            (json!({ "userName": "d", "emails": emails(1000) }), true),
            (json!({ "userName": "e", "emails": emails(1001) }), false),
        ];
        let mut made = 0;
        for (mut body, fine) in table {
            body["schemas"] = json!([USER]);
            let reply = app.post("/Users", &body).await;
            let shown: String = body.to_string().chars().take(80).collect();
            if fine {
                assert_eq!(reply.status, 201, "{shown}: {}", reply.body);
                made += 1;
            } else {
                let detail = reply.refused(400, "invalidValue");
                assert!(["userName", "externalId", "emails"].iter().any(|name| detail.contains(name)));
            }
        }
        assert_eq!(all(&app).await["totalResults"], made);
        // By PATCH the same limits hold, also when the values come one after the other.
        let id = app.find("/Users", "userName eq \"d\"").await.body["Resources"][0]["id"].clone();
        let path = format!("/Users/{}", id.as_str().unwrap());
        let one = json!([{ "op": "add", "path": "emails", "value": [{ "value": "more@example.com" }] }]);
        app.patch(&path, one).await.refused(400, "invalidValue");
        for attribute in ["userName", "externalId"] {
            let replace = json!([{ "op": "replace", "path": attribute, "value": long(1025) }]);
            app.patch(&path, replace).await.refused(400, "invalidValue");
        }
    }

    /// They are parsed aside, a few at once; the others wait for their turn and get it.
    async fn long_bodies_that_come_at_once_are_each_answered_for_what_they_hold(app: TestApp) {
        let emails: Value =
            (0..900).map(|number| json!({ "value": format!("{number:0>100}@example.com") })).collect();
        let user = |number: usize| json!({ "schemas": [USER], "userName": format!("u{number}"), "emails": emails });
        let sent = (0..12).map(|number| {
            let data = user(number);
            let operation = json!({ "method": "POST", "path": "/Users", "bulkId": "a", "data": data });
            let (path, whole) = match number % 3 {
                0 => ("/Bulk", json!({ "schemas": [BULK], "Operations": [operation] }).to_string()),
                _ => ("/Users", data.to_string()),
            };
            assert!(whole.len() > 100_000, "{}", whole.len());
            // Half of them end too soon.
            let end = if number % 2 == 0 { whole.len() } else { whole.len() - 2 };
            let app = &app;
            async move { (number, send(app, "POST", path, &whole[..end]).await) }
        });
        for (number, reply) in join_all(sent).await {
            if number % 2 == 1 {
                reply.refused(400, "invalidSyntax");
            } else if number % 3 == 0 {
                let reply = reply.expect(200);
                assert_eq!(reply.body["Operations"][0]["status"], "201", "{}", reply.body);
            } else {
                reply.expect(201);
            }
        }
        assert_eq!(all(&app).await["totalResults"], 6);
    }

    async fn ten_thousand_operations_are_taken_whole_or_not_at_all(app: TestApp) {
        let id = app.user("patched").await;
        let path = format!("/Users/{id}");
        let mut operations: Vec<_> = (0..10_000)
            .map(|number| json!({ "op": "replace", "path": "title", "value": format!("t{number}") }))
            .collect();
        let done = app.patch(&path, json!(operations)).await.expect(200);
        assert_eq!(done.body["title"], "t9999");
        operations[9_999] = json!({ "op": "replace", "path": "colour", "value": "red" });
        let before = app.get(&path).await.body;
        app.patch(&path, json!(operations)).await.refused(400, "invalidPath");
        assert_eq!(app.get(&path).await.body, before);
        let too_many: Vec<_> = (0..20_001)
            .map(|_| json!({ "op": "remove", "path": "title" })).collect();
        let detail = app.patch(&path, json!(too_many)).await.refused(400, "invalidValue");
        assert!(detail.contains("20000"), "{detail}");
        assert_eq!(app.get(&path).await.body, before);
    }

    async fn one_wrong_operation_among_good_ones_undoes_them_all(app: TestApp) {
        let user = app.user("member").await;
        let group = app.group("group", &[]).await;
        let path = format!("/Groups/{group}");
        let before = app.get(&path).await.body;
        let add = json!({ "op": "add", "path": "members", "value": [{ "value": user }] });
        for (wrong, kind) in [
            (json!({ "op": "replace", "path": "displayName", "value": 7.5 }), "invalidValue"),
            (json!({ "op": "remove", "path": "displayName" }), "mutability"),
            (json!({ "op": "replace", "path": "id", "value": "x" }), "mutability"),
            (json!({ "op": "replace", "path": "members[", "value": "x" }), "invalidPath"),
            (json!({ "op": "replace", "path": "members[value zz 1]", "value": "x" }), "invalidFilter"),
            (json!({ "op": "remove" }), "noTarget"),
            (json!({ "op": "explode", "path": "displayName" }), "invalidSyntax"),
            (json!({ "path": "displayName", "value": "x" }), "invalidSyntax"),
            (json!("add"), "invalidSyntax"),
        ] {
            let operations = json!([add, { "op": "replace", "path": "displayName", "value": "z" }, wrong]);
            let reply = app.patch(&path, operations).await;
            let got = (reply.status, reply.body["scimType"].as_str().unwrap_or_default());
            assert_eq!(got, (400, kind), "{wrong}: {}", reply.body);
            assert_eq!(app.get(&path).await.body, before, "{wrong}");
        }
    }
}
