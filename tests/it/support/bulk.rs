//! Bulk requests as clients write them.

use serde_json::{Value, json};

use super::app::{Reply, TestApp};

/// The message of these operations.
pub(crate) fn message(operations: &[Value]) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": operations,
    })
}

/// Makes a user of this name.
pub(crate) fn post_user(name: &str) -> Value {
    post("/Users", name, &json!({ "userName": name }))
}

/// Makes something.
pub(crate) fn post(path: &str, name: &str, data: &Value) -> Value {
    json!({ "method": "POST", "path": path, "bulkId": name, "data": data })
}

/// Makes a group with these members.
pub(crate) fn post_group(name: &str, members: &[&str]) -> Value {
    let members: Vec<_> = members.iter().map(|id| json!({ "value": id })).collect();
    post("/Groups", name, &json!({ "displayName": name, "members": members }))
}

pub(crate) fn put(path: &str, data: &Value) -> Value {
    json!({ "method": "PUT", "path": path, "data": data })
}

/// Changes something by these PATCH operations.
pub(crate) fn patch(path: &str, operations: &Value) -> Value {
    let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
    json!({ "method": "PATCH", "path": path,
            "data": { "schemas": schemas, "Operations": operations } })
}

pub(crate) fn delete(path: &str) -> Value {
    json!({ "method": "DELETE", "path": path })
}

/// Sends a message with these headers.
pub(crate) async fn send(app: &TestApp, headers: &[(&str, &str)], message: &Value) -> Reply {
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    app.exchange("POST", "/Bulk", &headers, Some(message.to_string())).await
}

/// Sends operations and gives their results.
pub(crate) async fn run(app: &TestApp, operations: &[Value]) -> Vec<Value> {
    results(&send(app, &[], &message(operations)).await)
}

/// The results of an answer.
#[track_caller]
pub(crate) fn results(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let schema = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
    assert_eq!(reply.body["schemas"], json!([schema]));
    reply.body["Operations"].as_array().unwrap().clone()
}

/// The statuses of results.
pub(crate) fn statuses(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["status"].as_str().unwrap()).collect()
}

/// The id at the end of a result's location.
#[track_caller]
pub(crate) fn id(result: &Value) -> String {
    let location = result["location"].as_str().unwrap_or_else(|| panic!("{result}"));
    location.rsplit('/').next().unwrap().to_owned()
}
