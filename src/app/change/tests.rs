use serde_json::json;

use super::*;
use crate::scim::quirks::Quirks;

fn patch(operations: &Value) -> Change {
    let schema = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
    let body = json!({ "schemas": [schema], "Operations": operations });
    Change::Patch(patch::parse(body, Quirks::ALL).unwrap())
}

#[test]
fn a_change_is_long_by_its_operations_and_by_its_values() {
    let members = |count: usize| -> Value {
        (0..count).map(|number| json!({ "value": number.to_string() })).collect()
    };
    let add = |value: Value| json!({ "op": "add", "path": "members", "value": value });
    let set = |number: usize| json!({ "op": "replace", "path": "title", "value": number });
    let table = [
        (patch(&(0..LONG).map(set).collect()), false),
        (patch(&(0..=LONG).map(set).collect()), true),
        (patch(&json!([add(members(LONG))])), false),
        (patch(&json!([add(members(LONG + 1))])), true),
        (patch(&json!([add(members(LONG)), add(members(1))])), true),
        (patch(&json!([{ "op": "add", "value": { "members": members(LONG + 1) } }])), true),
        (Change::Replace(json!({ "displayName": "desk", "members": members(LONG) })), false),
        (Change::Replace(json!({ "displayName": "desk", "members": members(LONG + 1) })), true),
    ];
    for (number, (change, long)) in table.into_iter().enumerate() {
        assert_eq!(change.is_long(), long, "row {number}");
    }
}
