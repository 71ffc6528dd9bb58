//! Values of the wrong type for every attribute of every schema, by every way to write them.

use serde_json::{Map, Value, json};
use usher::scim::attribute::{Attribute, Source, Type};
use usher::scim::quirks::Quirks;
use usher::scim::resource_type::{ResourceType, Writes};

use crate::support::app::{Reply, TestApp};
use crate::support::each_db;

/// One of each kind of JSON value, and some that look like what they are not.
fn everything() -> Vec<Value> {
    vec![
        json!("some text"),
        json!(""),
        json!("tru"),
        json!(7),
        json!(-1.5),
        json!(true),
        json!({}),
        json!({ "value": { "deep": [1] } }),
        json!({ "unknown": 1 }),
        json!([]),
        json!([[]]),
        json!([1]),
        json!(["text", 1]),
        json!([{ "value": 1 }]),
        json!([null]),
        json!([{ "value": ["a"] }]),
    ]
}

/// Whether a value of this JSON kind can never be a value of the attribute's type.
fn is_wrong(attribute: &Attribute, value: &Value) -> bool {
    let items: Vec<&Value> = match value {
        // Empty means unassigned.
        Value::Null => return false,
        Value::Array(items) if attribute.multi => items.iter().collect(),
        Value::Array(_) => return true,
        Value::String(_) if attribute.delimited || attribute.names => return false,
        _ if attribute.multi => return true,
        other => vec![other],
    };
    items.iter().filter(|item| !item.is_null()).any(|item| match attribute.kind {
        Type::Complex => !item.is_object(),
        Type::Boolean => !item.is_boolean(),
        Type::Integer => !item.is_i64(),
        Type::Decimal => !item.is_number(),
        Type::String | Type::DateTime | Type::Binary | Type::Reference => !item.is_string(),
    })
}

struct Case {
    /// As a PATCH names it.
    path: String,
    /// The members of a body.
    body: Map<String, Value>,
    wrong: bool,
    read_only: bool,
}

fn cases(kind: &ResourceType) -> Vec<Case> {
    let mut cases = Vec::new();
    for (extension, attribute) in kind.attributes() {
        // A value that names no one is a matter of its own, and so is the list of schemas.
        if attribute.name == "schemas" {
            continue;
        }
        for value in everything() {
            let mut put = |path: &str, value: Value, wrong: bool, read_only: bool| {
                let (path, members) = match extension {
                    None => (path.to_owned(), json!({ attribute.name.clone(): value })),
                    Some(schema) => (
                        format!("{}:{path}", schema.id),
                        json!({ schema.id.clone(): { attribute.name.clone(): value } }),
                    ),
                };
                let Value::Object(body) = members else { unreachable!() };
                cases.push(Case { path, body, wrong, read_only });
            };
            let wrong = is_wrong(attribute, &value);
            put(&attribute.name, value.clone(), wrong, attribute.is_read_only());
            for sub in &attribute.sub {
                let object = json!({ sub.name.clone(): value.clone() });
                let held = if attribute.multi { json!([object]) } else { object };
                // A member is refused without its value, whatever else it says.
                let fixed = attribute.is_read_only()
                    || sub.is_read_only() && attribute.source != Source::Members;
                put(&attribute.name, held, is_wrong(sub, &value), fixed);
            }
        }
    }
    cases
}

fn body(kind: &ResourceType, name: &str, case: &Case) -> Value {
    let mut body = json!({ "schemas": [kind.schema.id] });
    for extension in &kind.extensions {
        if case.body.contains_key(&extension.schema.id) {
            body["schemas"].as_array_mut().unwrap().push(extension.schema.id.clone().into());
        }
    }
    body["userName"] = name.into();
    if kind.name == "PhoneExtension" {
        let digits: String = name.chars().filter(char::is_ascii_digit).collect();
        body.as_object_mut().unwrap().remove("userName");
        body["number"] = format!("1{digits:0>5}").into();
    } else if kind.name != "User" {
        body.as_object_mut().unwrap().remove("userName");
        body["displayName"] = name.into();
    }
    body.as_object_mut().unwrap().extend(case.body.clone());
    body
}

/// No answer is a failure of ours, and each refusal says why.
fn judged(reply: &Reply, what: &str) {
    match reply.status {
        200 | 201 | 204 => {}
        400 => {
            let kind = reply.body["scimType"].as_str().unwrap_or_default();
            assert!(!reply.refused(400, kind).is_empty() && !kind.is_empty(), "{what}");
        }
        409 => assert!(!reply.refused(409, "uniqueness").is_empty(), "{what}"),
        other => panic!("{what}: {other} {}", reply.body),
    }
}

async fn try_everything(app: &TestApp, strict: bool) {
    for kind in app.app.registry().types().iter().filter(|kind| kind.writes == Writes::All) {
        let endpoint = kind.endpoint.as_str();
        for (number, case) in cases(kind).iter().enumerate() {
            let what = format!("{} {}", case.path, Value::Object(case.body.clone()));
            let name = format!("case-{}-{number}-{strict}", kind.name);
            let made = app.post(endpoint, &body(kind, &name, case)).await;
            judged(&made, &what);
            let refused = made.status == 400;
            if strict && case.wrong && !case.read_only {
                assert!(refused, "{what} was taken: {}", made.body);
            }
            if case.read_only {
                assert_eq!(made.status, 201, "what is read-only is ignored: {what} {}", made.body);
            }
            if made.status == 201 && number % 5 == 0 {
                // What was stored can be read, found and deleted like everything else.
                let path = format!("{endpoint}/{}", made.id());
                assert_eq!(app.get(&path).await.expect(200).body["id"], made.body["id"]);
                if number % 2 == 0 {
                    judged(&app.put(&path, &body(kind, &name, case)).await, &what);
                    let value = case.body.values().next().cloned().unwrap_or_default();
                    for op in ["add", "replace", "remove"] {
                        let operation = json!([{ "op": op, "path": case.path, "value": value }]);
                        judged(&app.patch(&path, operation).await, &format!("{op} {what}"));
                    }
                }
                app.delete(&path).await.expect(204);
            }
        }
        app.get(&format!("{endpoint}?count=1000")).await.expect(200);
    }
}

each_db! {
    /// Proves SCIM-457.
    async fn no_value_of_a_wrong_type_is_stored_when_only_the_letter_counts(app: TestApp) {
        let app = app.tenant_with("discovery.extensions", "all").await;
        let app = app.scoped(&["scim", "agents:write"]).await;
        try_everything(&app.with_quirks(Quirks::NONE), true).await;
    }

    async fn no_value_of_any_type_is_more_than_refused(app: TestApp) {
        let app = app.tenant_with("discovery.extensions", "all").await;
        let app = app.scoped(&["scim", "agents:write"]).await;
        try_everything(&app, false).await;
    }
}
