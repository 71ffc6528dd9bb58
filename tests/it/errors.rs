//! What every endpoint does with wrong methods, media types, credentials and bodies.

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::asks::user;
use crate::support::each_db;

each_db! {
    /// Proves SCIM-488.
    async fn a_token_that_may_only_write_is_answered_without_a_body(app: TestApp) {
        let writer = app.scoped(&["users:write"]).await;
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "una",
        });
        let made = writer.post("/Users", &body).await;
        assert_eq!((made.status, &made.body), (201, &Value::Null));
        let id = made.header("location").rsplit('/').next().unwrap().to_owned();
        writer.get(&format!("/Users/{id}")).await.refused(403, "");
        let path = format!("/Users/{id}?attributes=userName");
        let patched = writer.patch(&path, json!([])).await;
        assert_eq!((patched.status, &patched.body), (204, &Value::Null));
        let put = writer.put(&format!("/Users/{id}"), &body).await;
        assert_eq!((put.status, &put.body), (204, &Value::Null));
    }

    /// Proves SCIM-016, SCIM-161, SCIM-402.
    async fn a_method_that_is_not_there_is_answered_with_those_that_are(app: TestApp) {
        let id = app.user("ida").await;
        let resource = format!("/Users/{id}");
        let read_only = "GET, HEAD, OPTIONS";
        let table = [
            ("/Users", "GET, HEAD, OPTIONS, POST"),
            (resource.as_str(), "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
            ("/Users/.search", "OPTIONS, POST"),
            ("", read_only),
            ("/Schemas", read_only),
            ("/Schemas/urn:ietf:params:scim:schemas:core:2.0:User", read_only),
            ("/ResourceTypes", read_only),
            ("/ResourceTypes/User", read_only),
            ("/ServiceProviderConfig", read_only),
            ("/Bulk", "OPTIONS, POST"),
        ];
        for (path, allow) in table {
            let options = app.send("OPTIONS", path, &[("authorization", "")], None).await;
            assert_eq!(options.expect(204).header("allow"), allow, "{path}");
            for method in ["POST", "PUT", "PATCH", "DELETE", "GET", "TRACE"] {
                if allow.contains(method) || path == "/Users/.search" {
                    continue;
                }
                let reply = app.send(method, path, &[], Some(&json!({}))).await;
                let detail = reply.refused(405, "");
                assert_eq!(reply.header("allow"), allow, "{method} {path}");
                assert!(detail.contains(allow), "{detail}");
            }
        }
        app.get(&resource).await.expect(200);
    }

    /// Proves SCIM-004, SCIM-017, SCIM-020, SCIM-454.
    async fn a_path_that_is_not_there_is_a_scim_error(app: TestApp) {
        let server = "http://usher.test";
        let paths =
            ["/Nothing", "/Users/a/b", "/01999999-0000-7000-8000-000000000000", "/Users/", "/%FF"];
        for path in paths {
            let reply = app.get(path).await;
            if path == "/Users/" {
                reply.expect(200);
                continue;
            }
            reply.refused(404, "");
            assert_eq!(reply.header("cache-control"), "no-store");
        }
        for path in ["/", "/nothing", "/scim/v2/../../etc/passwd", "/admin"] {
            app.get(&format!("{server}{path}")).await.refused(404, "");
        }
        app.get("/Users/%FF%FE").await.refused(404, "");
        let long = format!("/{}", "x".repeat(5000));
        assert!(app.get(&long).await.refused(404, "").len() < 1100);
    }

    /// Proves SCIM-012, SCIM-182.
    async fn a_missing_resource_is_named(app: TestApp) {
        let id = app.user("ida").await;
        for id in ["nobody", "010101001010101011001010101011", &format!("{id}.scim")] {
            let detail = app.get(&format!("/Users/{id}")).await.refused(404, "");
            assert!(detail.contains(&format!("User '{id}' does not exist.")), "{detail}");
        }
        app.get(&format!("/Groups/{id}")).await.refused(404, "");
    }

    /// Proves SCIM-005, SCIM-006, SCIM-007, SCIM-008.
    async fn answers_are_json_for_everybody_who_takes_json(app: TestApp) {
        let path = format!("/Users/{}", app.user("ida").await);
        let table = [
            (None, 200),
            (Some("*/*"), 200),
            (Some("application/*"), 200),
            (Some("application/scim+json"), 200),
            (Some("application/json"), 200),
            (Some("application/json; charset=utf-8"), 200),
            (Some("text/html, application/xml;q=0.9, */*;q=0.8"), 200),
            (Some("text/xml"), 406),
            (Some("text/html, image/png"), 406),
        ];
        for (accept, status) in table {
            let header = [("accept", accept.unwrap_or_default())];
            let headers = if accept.is_some() { &header[..] } else { &[] };
            for path in [path.as_str(), "/Users", "/Schemas"] {
                let reply = app.send("GET", path, headers, None).await.expect(status);
                assert_eq!(reply.header("content-type"), "application/scim+json", "{accept:?}");
            }
        }
        let body = user("new", &json!({}));
        app.send("POST", "/Users", &[("accept", "text/xml")], Some(&body)).await.refused(406, "");
        assert_eq!(app.get("/Users").await.body["totalResults"], 1);
    }

    /// Proves SCIM-009, SCIM-010, SCIM-011.
    async fn bodies_are_json_by_either_name_and_nothing_else(app: TestApp) {
        let good = [
            "application/scim+json",
            "application/json",
            "application/json; charset=utf-8",
            "Application/SCIM+JSON;charset=UTF-8",
            // Some clients name another charset and send UTF-8 all the same.
            "application/json; charset=iso-8859-1",
        ];
        for (number, kind) in good.iter().enumerate() {
            let body = user(&format!("user{number}"), &json!({}));
            app.send("POST", "/Users", &[("content-type", kind)], Some(&body)).await.expect(201);
        }
        let bad = [
            "text/plain",
            "application/xml",
            "application/x-www-form-urlencoded",
        ];
        for kind in bad {
            let body = user("new", &json!({}));
            let reply = app.send("POST", "/Users", &[("content-type", kind)], Some(&body)).await;
            reply.refused(415, "");
            assert_eq!(reply.header("accept"), "application/scim+json, application/json");
        }
        let zipped = [("content-encoding", "gzip")];
        app.send("POST", "/Users", &zipped, Some(&user("new", &json!({})))).await.refused(415, "");
        assert_eq!(app.get("/Users").await.body["totalResults"], 5);
    }

    /// Proves SCIM-021, SCIM-022, SCIM-023, SCIM-024, SCIM-025, SCIM-027, SCIM-460.
    async fn a_credential_that_is_not_good_is_told_so(app: TestApp) {
        let token = app.token.clone();
        let missing = "Bearer realm=\"scim\"";
        let invalid = "Bearer realm=\"scim\", error=\"invalid_token\"";
        let other = format!("{}x", &token[..token.len() - 1]);
        let table = [
            (format!("Bearer {token}"), ""),
            (format!("bearer {token}"), ""),
            (format!("BEARER  {token}"), ""),
            (token.clone(), ""),
            (String::new(), missing),
            ("Basic dTpw".to_owned(), missing),
            ("Bearer nonsense".to_owned(), invalid),
            (format!("Bearer {other}"), invalid),
        ];
        for (value, challenge) in table {
            let reply = app.send("GET", "/Users", &[("authorization", &value)], None).await;
            assert_eq!(reply.header("www-authenticate"), challenge, "{value}");
            if challenge.is_empty() {
                reply.expect(200);
            } else {
                reply.refused(401, "");
            }
        }
        let anonymous = app.anonymous();
        let body = user("new", &json!({}));
        for reply in [
            anonymous.get("/Users").await,
            anonymous.get(&format!("/Users?access_token={token}")).await,
            anonymous.get("/Users/nobody").await,
            anonymous.post("/Users", &body).await,
        ] {
            reply.refused(401, "");
            assert_eq!(reply.header("www-authenticate"), missing);
        }
    }

    /// Proves SCIM-023, SCIM-488.
    async fn a_token_that_may_only_read_writes_nothing(app: TestApp) {
        let path = format!("/Users/{}", app.user("ida").await);
        let reader = app.scoped(&["scim:read"]).await;
        reader.get(&path).await.expect(200);
        reader.get("/Groups").await.expect(200);
        let body = user("ida", &json!({ "title": "x" }));
        let writes = [
            ("POST", "/Users"),
            ("PUT", &path),
            ("PATCH", &path),
            ("DELETE", &path),
            ("POST", "/Bulk"),
        ];
        for (method, path) in writes {
            let reply = reader.send(method, path, &[], Some(&body)).await;
            let detail = reply.refused(403, "");
            assert!(detail.contains("users:write"), "{detail}");
            assert_eq!(
                reply.header("www-authenticate"),
                "Bearer realm=\"scim\", error=\"insufficient_scope\", scope=\"users:write\""
            );
        }
        let none = app.scoped(&["log:read"]).await;
        none.get("/Users").await.refused(403, "");
        none.get("/Schemas").await.expect(200);
        assert_eq!(app.get(&path).await.expect(200).body.get("title"), None);
    }

    /// Proves SCIM-018, SCIM-435, SCIM-438.
    async fn what_is_not_offered_is_501(app: TestApp) {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] {
            let reply = app.send(method, "/Me", &[], Some(&json!({}))).await;
            if method == "HEAD" {
                reply.expect(501);
            } else {
                reply.refused(501, "");
            }
        }
    }

    /// Proves SCIM-430.
    async fn a_body_that_is_too_large_is_413(app: TestApp) {
        let most = app.app.settings().limits.max_body;
        let body = user("new", &json!({ "title": "x".repeat(most) }));
        let detail = app.post("/Users", &body).await.refused(413, "");
        assert!(detail.contains(&most.to_string()), "{detail}");
    }

    /// Proves SCIM-456, SCIM-465, SCIM-462.
    async fn every_refusal_names_the_attribute_and_the_request(app: TestApp) {
        let reply = app.post("/Users", &user("ida", &json!({ "name": { "givenName": 5 } }))).await;
        let detail = reply.refused(400, "invalidValue");
        assert!(detail.contains("name.givenName"), "{detail}");
        assert!(detail.contains(reply.header("x-request-id")), "{detail}");
        let members: Vec<&String> = reply.body.as_object().unwrap().keys().collect();
        assert_eq!(members, ["schemas", "status", "scimType", "detail"]);
        assert!(!detail.contains('\n'));
    }

    /// Proves SCIM-028, SCIM-345, SCIM-496.
    async fn no_origin_is_let_in_and_no_credential_comes_back(app: TestApp) {
        let path = format!("/Users/{}", app.user("ida").await);
        let headers = [
            ("origin", "https://evil.example"),
            ("host", "evil.example"),
            ("x-forwarded-host", "evil.example"),
        ];
        for method in ["GET", "OPTIONS"] {
            let reply = app.send(method, &path, &headers, None).await;
            assert_eq!(reply.header("access-control-allow-origin"), "");
            let shown = format!("{:?} {}", reply.headers, reply.body);
            assert!(!shown.contains("evil") && !shown.contains(&app.token), "{shown}");
        }
        let reply = app.get(&path).await;
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(
            reply.body["meta"]["location"],
            Value::from(format!("http://usher.test/scim/v2{path}"))
        );
    }
}
