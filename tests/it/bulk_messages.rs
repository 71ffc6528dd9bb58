//! Bulk requests on the wire: what is refused before anything is done, and what is said about it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::support::app::{Reply, TestApp};
use crate::support::each_db;

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

async fn send(app: &TestApp, headers: &[(&str, &str)], body: String) -> Reply {
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    app.exchange("POST", "/Bulk", &headers, Some(body)).await
}

/// A request of so many creates.
fn creates(count: usize) -> String {
    let mut body = format!("{{\"schemas\":[\"{BULK}\"],\"Operations\":[");
    for at in 0..count {
        let comma = if at == 0 { "" } else { "," };
        write!(
            body,
            "{comma}{{\"method\":\"POST\",\"path\":\"/Users\",\"bulkId\":\"{at}\",\
             \"data\":{{\"userName\":\"u{at}\"}}}}"
        )
        .unwrap();
    }
    body + "]}"
}

each_db! {
    /// Proves SCIM-404, SCIM-405, SCIM-414.
    async fn a_message_that_is_no_bulk_request_is_refused_whole(app: TestApp) {
        let fine = json!({ "method": "POST", "path": "/Users", "bulkId": "a",
            "data": { "userName": "kept-out" } });
        let cut = creates(3).replace("]}", "");
        let table = [
            (String::new(), "The body is empty"),
            ("[]".to_owned(), "The body is a list"),
            (cut, "it ends before it is complete at line 1"),
            (json!({ "schemas": [BULK] }).to_string(), "Operations is missing"),
            (json!({ "schemas": [BULK], "Operations": fine }).to_string(), "Operations is an object"),
            (json!({ "schemas": ["urn:x"], "Operations": [fine] }).to_string(), "schemas does not list"),
            (
                json!({ "schemas": [BULK], "Operations": [fine], "failOnErrors": -1 }).to_string(),
                "failOnErrors is -1",
            ),
            (
                json!({ "schemas": [BULK], "Operations": [fine], "failOnErrors": "many" }).to_string(),
                "failOnErrors is a string",
            ),
            (
                format!("{{\"Operations\":[\n{fine},\n{{\"method\" \"POST\"}}]}}"),
                "expected `:` at line 3 column 11",
            ),
        ];
        for (body, expected) in table {
            let detail = send(&app, &[], body.clone()).await.refused(400, "invalidSyntax");
            assert!(detail.contains(expected), "{body}: {detail}");
        }
        assert_eq!(app.get("/Users").await.expect(200).body["totalResults"], 0);
    }

    /// Proves SCIM-404.
    async fn the_letter_of_the_rfc_asks_for_schemas(app: TestApp) {
        let strict = app.tenant_with("scim.strict", "true").await;
        let body = json!({ "Operations": [] });
        let detail = strict.post("/Bulk", &body).await.refused(400, "invalidSyntax");
        assert!(detail.contains(BULK), "{detail}");
    }

    /// Proves SCIM-429, SCIM-430.
    async fn either_limit_is_named_when_it_is_passed_and_announced_before(app: TestApp) {
        let bulk = app.get("/ServiceProviderConfig").await.body["bulk"].take();
        let most = usize::try_from(bulk["maxOperations"].as_u64().unwrap()).unwrap();
        let size = usize::try_from(bulk["maxPayloadSize"].as_u64().unwrap()).unwrap();
        assert_eq!((&bulk["supported"], most, size), (&Value::from(true), 1000, 8 << 20));
        let detail = send(&app, &[], creates(most + 1)).await.refused(413, "");
        assert!(detail.contains("more than 1000 operations"), "{detail}");
        let long = creates(1) + &" ".repeat(size);
        let announced = long.len().to_string();
        for headers in [&[][..], &[("content-length", announced.as_str())]] {
            let detail = send(&app, headers, long.clone()).await.refused(413, "");
            assert!(detail.contains(&format!("larger than {size} bytes")), "{detail}");
        }
        assert_eq!(app.get("/Users").await.expect(200).body["totalResults"], 0);
    }

    async fn headers_that_cannot_be_meant_are_refused(app: TestApp) {
        let long = "k".repeat(256);
        for key in ["\"", "\"\"", "a b", long.as_str()] {
            let refused = send(&app, &[("idempotency-key", key)], creates(1)).await;
            let detail = refused.refused(400, "invalidSyntax");
            assert!(detail.starts_with("Idempotency-Key: "), "{detail}");
        }
        send(&app, &[("content-type", "text/plain")], creates(1)).await.refused(415, "");
        send(&app, &[("accept", "text/html")], creates(1)).await.refused(406, "");
        assert_eq!(app.get("/Users").await.expect(200).body["totalResults"], 0);
    }

    /// Proves SCIM-434.
    async fn accept_says_nothing_about_an_answer_without_a_body(app: TestApp) {
        let headers = [("accept", "application/secevent+jwt"), ("prefer", "respond-async")];
        send(&app, &headers, "{}".to_owned()).await.refused(400, "invalidSyntax");
    }

    async fn a_job_that_nobody_started_does_not_exist(app: TestApp) {
        for method in ["GET", "DELETE"] {
            let reply = app.exchange(method, "/Bulk/none", &[], None).await;
            assert!(reply.refused(404, "").contains("'none' does not exist"), "{}", reply.body);
        }
        let reader = app.scoped(&["scim:read"]).await;
        reader.get("/Bulk/none").await.refused(403, "");
        app.get("/Bulk").await.refused(405, "");
        app.exchange("POST", "/Bulk/none", &[], Some("{}".to_owned())).await.refused(405, "");
    }
}
