//! Answers as they travel: compressed, or without their bodies.

use std::io::Write;
use std::process::{Command, Stdio};

use http::HeaderMap;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::app::TestApp;
use crate::support::each_db;

/// What is answered, its headers and its bytes as they travel.
async fn raw(app: &TestApp, method: &str, path: &str, zipped: bool) -> (HeaderMap, Vec<u8>) {
    sent(app, method, path, zipped, String::new()).await
}

async fn sent(
    app: &TestApp,
    method: &str,
    path: &str,
    zipped: bool,
    body: String,
) -> (HeaderMap, Vec<u8>) {
    let mut request = http::Request::builder()
        .method(method)
        .uri(format!("/scim/v2{path}"))
        .header("content-type", "application/scim+json")
        .header("authorization", format!("Bearer {}", app.token));
    if zipped {
        request = request.header("accept-encoding", "gzip");
    }
    let request = request.body(axum::body::Body::from(body)).unwrap();
    let response = app.router().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200, "{method} {path}");
    let (parts, body) = response.into_parts();
    (parts.headers, body.collect().await.unwrap().to_bytes().to_vec())
}

fn unzipped(bytes: &[u8]) -> Vec<u8> {
    let mut zip = Command::new("gzip");
    let mut zip = zip.arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut sink = zip.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let fed = std::thread::spawn(move || sink.write_all(&bytes).unwrap());
    let done = zip.wait_with_output().unwrap();
    fed.join().unwrap();
    assert!(done.status.success(), "gzip does not understand it");
    done.stdout
}

each_db! {
    /// Proves SCIM-031.
    async fn head_and_gzip_of_a_group_in_pieces_are_those_of_any_resource(app: TestApp) {
        let mut ids = Vec::new();
        for number in 0..60 {
            ids.push(app.user(&format!("u{number}")).await);
        }
        let all: Vec<&str> = ids.iter().map(String::as_str).collect();
        let group = app.group("big", &all).await;
        for path in [format!("/Groups/{group}"), "/Groups".to_owned()] {
            let (_, whole) = raw(&app, "GET", &path, false).await;
            let app = app.in_pieces(7);
            let (headers, pieces) = raw(&app, "GET", &path, false).await;
            assert_eq!(pieces, whole, "{path}");
            let (head, nothing) = raw(&app, "HEAD", &path, false).await;
            assert!(nothing.is_empty(), "{path}: {} bytes", nothing.len());
            let names = ["content-type", "etag", "location", "content-location", "cache-control", "vary"];
            for name in names {
                assert_eq!(head.get(name), headers.get(name), "{path}: {name}");
            }
            let length = head.get("content-length").map(|length| length.to_str().unwrap());
            assert!(length.is_none_or(|length| length == whole.len().to_string()), "{length:?}");
            let (headers, zipped) = raw(&app, "GET", &path, true).await;
            assert_eq!(headers.get("content-encoding").unwrap(), "gzip", "{path}");
            assert!(headers.get("content-length").is_none(), "{headers:?}");
            assert!(zipped.len() < whole.len() / 2, "{path}");
            assert_eq!(unzipped(&zipped), whole, "{path}");
            let (head, nothing) = raw(&app, "HEAD", &path, true).await;
            assert!(nothing.is_empty() && head.get("etag") == headers.get("etag"), "{head:?}");
        }
    }

    async fn the_results_of_a_bulk_request_can_be_compressed(app: TestApp) {
        let operation = |number: usize| {
            let data = json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": format!("u{number}"),
            });
            json!({ "method": "POST", "path": "/Users", "bulkId": format!("b{number}"), "data": data })
        };
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": (0..300).map(operation).collect::<Vec<_>>(),
        });
        let (headers, zipped) = sent(&app, "POST", "/Bulk", true, body.to_string()).await;
        assert_eq!(headers.get("content-encoding").unwrap(), "gzip");
        let answer: Value = serde_json::from_slice(&unzipped(&zipped)).unwrap();
        let results = answer["Operations"].as_array().unwrap();
        assert_eq!(results.len(), 300);
        assert!(results.iter().all(|result| result["status"] == "201"), "{answer}");
    }
}
