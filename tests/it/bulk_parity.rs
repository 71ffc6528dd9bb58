//! An operation of a bulk request does what the same request does alone.

use serde_json::{Map, Value, json};

use crate::support::app::TestApp;
use crate::support::bulk::{message, post_group, post_user, results, run, send};
use crate::support::each_db;

/// A tenant with users `u` and `v` and groups `g`, which holds `u`, and `outer`, which holds `g`.
struct World {
    app: TestApp,
    /// What stands for these ids in requests.
    names: Vec<(&'static str, String)>,
}

impl World {
    async fn new(app: &TestApp) -> Self {
        let app = app.tenant(&std::collections::BTreeMap::default()).await;
        let (u, v) = (app.user("u").await, app.user("v").await);
        let g = app.group("g", &[&u]).await;
        let outer = app.group("outer", &[&g]).await;
        Self { app, names: vec![("{u}", u), ("{v}", v), ("{g}", g), ("{outer}", outer)] }
    }

    fn written(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (name, id)| text.replace(name, id))
    }

    /// The text without what differs from tenant to tenant and from request to request.
    fn blank(&self, text: &str) -> String {
        let text = text.split(" (request ").next().unwrap_or_default();
        let text = &text.replace("'/scim/v2/", "'/");
        self.names.iter().fold(text.to_owned(), |text, (name, id)| text.replace(id, name))
    }

    /// Everything that is stored, without ids of new resources and times.
    async fn state(&self) -> Vec<String> {
        let (mut all, mut names) = (Vec::new(), self.names.clone());
        for endpoint in ["/Users", "/Groups"] {
            let page = self.app.get(&format!("{endpoint}?count=1000")).await.expect(200).body;
            for resource in page["Resources"].as_array().unwrap() {
                let mut resource = resource.clone();
                let version = resource["meta"]["version"].clone();
                resource["meta"] = json!({ "version": version });
                names.push(("NEW", resource["id"].as_str().unwrap().to_owned()));
                all.push(resource.to_string());
            }
        }
        for (name, id) in &names {
            for text in &mut all {
                *text = text.replace(id, name);
            }
        }
        all.sort_unstable();
        all
    }
}

/// What came of a request: status, `scimType` and sentence.
type Outcome = (String, String, String);

async fn alone(world: &World, case: &Case) -> Outcome {
    let headers: Vec<_> =
        case.version.iter().map(|tag| ("if-match".to_owned(), (*tag).to_owned())).collect();
    let body = (!case.body.is_null()).then(|| world.written(&case.body.to_string()));
    let path = world.written(case.path);
    let reply = world.app.exchange(case.method, &path, &headers, body).await;
    let status = match (case.method, reply.status) {
        // Without a body this is the same answer.
        ("PATCH", 204) => 200,
        (_, status) => status,
    };
    outcome(world, &status.to_string(), &reply.body)
}

async fn in_bulk(world: &World, case: &Case) -> Outcome {
    let mut operation = json!({ "method": case.method, "path": world.written(case.path) });
    if case.method == "POST" {
        operation["bulkId"] = "x".into();
    }
    if let Some(tag) = case.version {
        operation["version"] = tag.into();
    }
    if !case.body.is_null() {
        operation["data"] = serde_json::from_str(&world.written(&case.body.to_string())).unwrap();
    }
    let done = run(&world.app, &[operation]).await;
    assert_eq!(done.len(), 1);
    outcome(world, done[0]["status"].as_str().unwrap(), &done[0]["response"])
}

fn outcome(world: &World, status: &str, body: &Value) -> Outcome {
    if status.starts_with('2') {
        return (status.to_owned(), String::new(), String::new());
    }
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    (status.to_owned(), text("scimType").to_owned(), world.blank(text("detail")))
}

struct Case {
    method: &'static str,
    path: &'static str,
    version: Option<&'static str>,
    body: Value,
}

fn case(method: &'static str, path: &'static str, body: Value) -> Case {
    Case { method, path, version: None, body }
}

#[expect(clippy::needless_pass_by_value, reason = "it is written in place")]
fn change(path: &'static str, operations: Value) -> Case {
    case(
        "PATCH",
        path,
        json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations }),
    )
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn cases() -> Vec<Case> {
    let user = |more: Value| {
        let mut user = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": "new" });
        let more: Map<String, Value> = serde_json::from_value(more).unwrap();
        user.as_object_mut().unwrap().extend(more);
        user
    };
    let on = |version, case: Case| Case { version: Some(version), ..case };
    vec![
        case("POST", "/Users", user(json!({ "emails": [{ "value": "N@Example.com" }] }))),
        case("POST", "/Users", user(json!({ "userName": "U" }))),
        case("POST", "/Users", user(json!({ "userName": "" }))),
        case("POST", "/Users", json!({ "schemas": ["urn:x"], "userName": "n2" })),
        case("POST", "/Users", json!({ "displayName": "nobody" })),
        case("POST", "/Users", user(json!({ "userName": "n3", "active": "True" }))),
        case("POST", "/Users", user(json!({ "userName": "n4", "active": 5 }))),
        case("POST", "/Users", user(json!({ "userName": "n5", "nonsense": 5 }))),
        case("POST", "/Users", user(json!({ "userName": "n6", "password": "short" }))),
        case("POST", "/Users", user(json!({ "userName": "n7", "password": "long-enough-1" }))),
        case("POST", "/Users", user(json!({ "userName": "n8", "id": "mine", "meta": {} }))),
        case("POST", "/Groups", json!({ "displayName": "n", "members": [{ "value": "{u}" }] })),
        case("POST", "/Groups", json!({ "displayName": "m", "members": [{ "value": "nobody" }] })),
        case("POST", "/Groups", json!({ "members": [{ "value": "{u}" }] })),
        case("POST", "/Nothing", json!({})),
        case("PUT", "/Users/{v}", user(json!({ "userName": "v", "title": "T" }))),
        case("PUT", "/Users/{v}", user(json!({ "userName": "v", "title": "T" }))),
        case("PUT", "/Users/{v}", user(json!({ "userName": "u" }))),
        case("PUT", "/Users/{v}", json!({ "title": "no name" })),
        case("PUT", "/Users/nobody", user(json!({}))),
        case("PUT", "/Users/{v}", user(json!({ "userName": "v", "password": "long-enough-2" }))),
        case("PUT", "/Groups/{g}", json!({ "displayName": "g2", "members": [{ "value": "{v}" }] })),
        on("W/\"99\"", case("PUT", "/Groups/{g}", json!({ "displayName": "g3" }))),
        on("nonsense", case("PUT", "/Groups/{g}", json!({ "displayName": "g3" }))),
        change("/Users/{u}", json!([{ "op": "add", "path": "title", "value": "Boss" }])),
        change(
            "/Users/{u}",
            json!([{ "op": "Replace", "value": { "title": "B2", "active": "False" } }]),
        ),
        change("/Users/{u}", json!([{ "op": "remove", "path": "userName" }])),
        change("/Users/{u}", json!([{ "op": "replace", "path": "id", "value": "x" }])),
        change("/Users/{u}", json!([{ "op": "jump", "path": "title" }])),
        change("/Users/{u}", json!([{ "op": "add", "path": "emails[", "value": "x" }])),
        change(
            "/Users/{u}",
            json!([{ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "w@x.y" }]),
        ),
        change("/Users/{u}", json!([{ "op": "remove" }])),
        change("/Users/{u}", json!([])),
        change("/Users/{u}", json!([{ "op": "replace", "path": "userName", "value": "V" }])),
        change(
            "/Users/{u}",
            json!([{ "op": "replace", "path": "password", "value": "long-enough-3" }]),
        ),
        change("/Users/nobody", json!([{ "op": "add", "path": "title", "value": "x" }])),
        case(
            "PATCH",
            "/Users/{u}",
            json!({ "Operations": [{ "op": "add", "path": "nickName", "value": "n" }] }),
        ),
        case("PATCH", "/Users/{u}", json!({ "schemas": ["urn:x"], "Operations": [] })),
        on(
            "W/\"1\"",
            change("/Users/{u}", json!([{ "op": "add", "path": "title", "value": "late" }])),
        ),
        on("*", change("/Users/{u}", json!([{ "op": "add", "path": "title", "value": "any" }]))),
        change(
            "/Groups/{g}",
            json!([{ "op": "add", "path": "members", "value": [{ "value": "{u}" }] }]),
        ),
        change(
            "/Groups/{g}",
            json!([{ "op": "add", "path": "members", "value": [{ "value": "{outer}" }] }]),
        ),
        change(
            "/Groups/{g}",
            json!([{ "op": "add", "path": "members", "value": [{ "value": "{g}" }] }]),
        ),
        change("/Groups/{g}", json!([{ "op": "remove", "path": "members[value eq \"{u}\"]" }])),
        change(
            "/Groups/{g}",
            json!([{ "op": "remove", "path": "members", "value": [{ "value": "{v}" }] }]),
        ),
        change("/Groups/{outer}", json!([{ "op": "replace", "path": "members", "value": [] }])),
        case("DELETE", "/Users/nobody", Value::Null),
        on("W/\"77\"", case("DELETE", "/Users/{v}", Value::Null)),
        case("DELETE", "/Users/{v}", Value::Null),
        case("DELETE", "/Users/{v}", Value::Null),
        case("DELETE", "/Groups/{g}", Value::Null),
        case("DELETE", "/Nothing/{g}", Value::Null),
    ]
}

each_db! {
    /// Proves SCIM-410.
    async fn alone_and_in_bulk_the_same_is_done_and_answered(app: TestApp) {
        let (single, bulk) = (World::new(&app).await, World::new(&app).await);
        for case in cases() {
            let (mut one, other) = (alone(&single, &case).await, in_bulk(&bulk, &case).await);
            // A version stands in a header there, and in the operation here.
            one.2 = one.2.replace("If-Match names", "'version' of this operation names");
            assert_eq!(other, one, "{} {} {}", case.method, case.path, case.body);
            assert_eq!(bulk.state().await, single.state().await, "{} {}", case.method, case.path);
        }
    }

    /// Proves SCIM-410.
    async fn what_a_tenant_has_set_holds_in_bulk_too(app: TestApp) {
        let picky = app.tenant_with("groups.unknownMembers", "reject").await;
        let done = run(&picky, &[post_group("g", &["nobody"]), post_user("u")]).await;
        assert_eq!((&done[0]["status"], &done[1]["status"]), (&json!("400"), &json!("201")));
        let strict = app.tenant_with("scim.strict", "true").await;
        let mut wrong = post_user("u");
        wrong["data"]["schemas"] = json!(["urn:ietf:params:scim:schemas:core:2.0:User"]);
        wrong["data"]["active"] = "True".into();
        let reply = send(&strict, &[], &message(&[wrong])).await;
        assert_eq!(results(&reply)[0]["status"], "400");
    }
}
