//! Groups that are too big to be answered at once: the members come piece by piece.

use std::io::Write;
use std::process::{Command, Stdio};

use http::HeaderMap;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::app::TestApp;
use crate::support::asks::{group, texts};
use crate::support::each_db;

/// What is answered, its headers and its bytes as they travel.
async fn raw(app: &TestApp, method: &str, path: &str, zipped: bool) -> (HeaderMap, Vec<u8>) {
    let mut request = http::Request::builder()
        .method(method)
        .uri(format!("/scim/v2{path}"))
        .header("authorization", format!("Bearer {}", app.token));
    if zipped {
        request = request.header("accept-encoding", "gzip");
    }
    let request = request.body(axum::body::Body::empty()).unwrap();
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

/// Ids of users and of a group in a group.
async fn people(app: &TestApp, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(app.user(&format!("u{number}")).await);
    }
    ids
}

fn members(ids: &[String]) -> Value {
    ids.iter().map(|id| json!({ "value": id })).collect()
}

each_db! {
    /// Proves SCIM-129, SCIM-136.
    async fn a_group_in_pieces_is_the_group_as_a_whole(app: TestApp) {
        let ids = people(&app, 25).await;
        let inner = app.group("inner", &[&ids[3]]).await;
        let all: Vec<&str> = ids.iter().chain([&inner]).map(String::as_str).collect();
        let big = app.group("big", &all).await;
        app.group("small", &[&ids[0]]).await;
        app.group("empty", &[]).await;
        let paths = [
            format!("/Groups/{big}"),
            format!("/Groups/{big}?attributes=members.value"),
            format!("/Groups/{big}?attributes=members.display"),
            format!("/Groups/{big}?attributes=members.display,members.value"),
            format!("/Groups/{big}?excludedAttributes=members.value,members.type"),
            format!("/Groups/{big}?excludedAttributes=members"),
            format!("/Groups/{big}?attributes=displayName"),
            "/Groups".to_owned(),
            "/Groups?sortBy=displayName&sortOrder=descending".to_owned(),
            "/Groups?count=1".to_owned(),
            "/Groups?filter=displayName%20eq%20%22big%22".to_owned(),
            "/Groups?filter=displayName%20pr&attributes=members.type,displayName".to_owned(),
            format!("/Groups?filter=members.value%20eq%20%22{}%22", ids[3]),
            "/?attributes=members,userName".to_owned(),
        ];
        for path in paths {
            let whole = app.get(&path).await.expect(200);
            for size in [1, 2, 5, 13, 25, 26, 27] {
                let reply = app.in_pieces(size).get(&path).await.expect(200);
                assert_eq!(reply.body.to_string(), whole.body.to_string(), "{path} by {size}");
                assert_eq!(reply.header("etag"), whole.header("etag"));
                assert_eq!(reply.header("content-location"), whole.header("content-location"));
            }
        }
    }

    /// Proves SCIM-031.
    async fn head_and_gzip_of_a_group_in_pieces_are_those_of_any_resource(app: TestApp) {
        let ids = people(&app, 60).await;
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

    /// Proves SCIM-136, SCIM-328.
    async fn who_writes_a_big_group_is_answered_in_pieces_too(app: TestApp) {
        let ids = people(&app, 12).await;
        let app = app.in_pieces(5);
        let made = app.post("/Groups", &group("g", &json!({ "members": members(&ids) }))).await;
        let made = made.expect(201);
        assert_eq!(texts(&made.body["members"], "/value").len(), 12);
        let path = format!("/Groups/{}", made.id());
        let body = group("g", &json!({ "members": members(&ids[..7]) }));
        let put = app.put(&path, &body).await.expect(200);
        assert_eq!(texts(&put.body["members"], "/value"), ids[..7]);
        let operations = json!([{ "op": "add", "path": "members", "value": members(&ids[7..]) }]);
        let patched = app.patch(&path, operations).await.expect(200);
        assert_eq!(texts(&patched.body["members"], "/value"), ids);
        assert_eq!(patched.body, app.get(&path).await.expect(200).body);
    }

    async fn a_group_that_cannot_be_read_to_its_end_is_cut_off(app: TestApp) {
        let ids = people(&app, 6).await;
        let all: Vec<&str> = ids.iter().map(String::as_str).collect();
        let path = format!("/scim/v2/Groups/{}", app.group("g", &all).await);
        let app = app.in_pieces(2);
        let request = http::Request::get(path)
            .header("authorization", format!("Bearer {}", app.token))
            .body(axum::body::Body::empty())
            .unwrap();
        let response = app.router().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let mut body = response.into_body();
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert!(first.starts_with(b"{\"schemas\""), "{first:?}");
        app.app.close().await;
        let mut ended_well = true;
        while let Some(frame) = body.frame().await {
            ended_well &= frame.is_ok();
        }
        assert!(!ended_well, "half a list looks like a whole one");
    }

    /// A change of members touches the rows of those who come and go, and no others.
    async fn members_come_and_go_in_a_group_of_many(app: TestApp) {
        let ids = people(&app, 40).await;
        let app = app.in_pieces(7);
        let all: Vec<&str> = ids.iter().map(String::as_str).collect();
        let path = format!("/Groups/{}", app.group("g", &all).await);
        let read = async || texts(&app.get(&path).await.expect(200).body["members"], "/value");
        let remove = json!([{ "op": "remove", "path": format!("members[value eq \"{}\"]", ids[9]) }]);
        app.patch(&path, remove).await.expect(200);
        assert_eq!(read().await.len(), 39);
        let replace = json!([{ "op": "replace", "path": "members", "value": members(&ids[5..]) }]);
        app.patch(&path, replace).await.expect(200);
        assert_eq!(read().await, ids[5..]);
        let version = app.version(&path).await;
        let same = json!([{ "op": "replace", "path": "members", "value": members(&ids[5..]) }]);
        app.patch(&path, same).await.expect(200);
        assert_eq!(app.version(&path).await, version);
    }
}
