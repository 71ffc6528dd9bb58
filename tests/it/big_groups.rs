//! Groups that are too big to be answered at once: the members come piece by piece.

use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::app::TestApp;
use crate::support::asks::{group, texts};
use crate::support::each_db;

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
