//! What operations do, by table.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::*;
use crate::scim::resource_type::{Extension, Registry};
use crate::scim::schema::Schema;

mod add;
mod clients;
mod fixed;
mod general;
mod members;
mod random;
mod remove;
mod replace;

/// The work place of a filter in a path.
pub(super) const WORK: &str = r#"emails[type eq "work"]"#;

/// The standard type of this name.
pub(super) fn standard(name: &str) -> Arc<ResourceType> {
    static TYPES: LazyLock<Registry> = LazyLock::new(Registry::standard);
    TYPES.by_name(name).cloned().unwrap()
}

/// A type with attributes that the standard ones lack.
pub(super) fn things() -> ResourceType {
    let core = json!({ "id": "urn:x:Thing", "name": "Thing", "attributes": [
        { "name": "title" },
        { "name": "count", "type": "integer" },
        { "name": "tags", "multiValued": true, "required": true },
        { "name": "serial", "mutability": "immutable" },
        { "name": "parts", "type": "complex", "multiValued": true, "subAttributes": [
            { "name": "value", "required": true },
            { "name": "stamp", "mutability": "immutable" },
            { "name": "seen", "mutability": "readOnly" },
        ] },
    ] });
    let more = json!({ "id": "urn:x:More", "name": "More", "attributes": [
        { "name": "code", "required": true }, { "name": "note" },
        { "name": "made", "mutability": "readOnly" },
        { "name": "fixed", "mutability": "immutable" },
    ] });
    let schema = Schema::from_document(&core).unwrap();
    let extension = Extension { schema: Schema::from_document(&more).unwrap(), required: true };
    ResourceType::new("Thing", "/Things", schema, vec![extension])
}

pub(super) fn doc(value: &Value) -> Doc {
    value.as_object().cloned().unwrap()
}

/// Operations from JSON, read as a message.
pub(super) fn operations(list: &Value) -> Vec<Operation> {
    let body = json!({ "schemas": [urn::PATCH], "Operations": list });
    parse(body, Quirks::ALL).unwrap()
}

pub(super) fn patched(
    rt: &ResourceType,
    before: &Value,
    list: &Value,
    quirks: Quirks,
) -> Result<Patched, Error> {
    apply(rt, &doc(before), &operations(list), Rules::of(quirks))
}

/// A user with these attributes beside what every user has.
pub(super) fn user(more: &Value) -> Value {
    let mut user = json!({ "schemas": [urn::USER], "userName": "bjensen" });
    for (key, value) in more.as_object().unwrap() {
        user[key] = value.clone();
    }
    if user.get(urn::ENTERPRISE).is_some() {
        user["schemas"] = json!([urn::USER, urn::ENTERPRISE]);
    }
    user
}

/// What the operations make of a user: its attributes without `schemas` and `userName`, or the
/// `scimType` of the refusal.
pub(super) fn on_user(more: &Value, list: &Value, quirks: Quirks) -> Value {
    match patched(&standard("User"), &user(more), list, quirks) {
        Err(error) => Value::from(error.scim_type()),
        Ok(mut result) => {
            result.doc.shift_remove("schemas");
            result.doc.shift_remove("userName");
            Value::Object(result.doc)
        }
    }
}

/// Checks a table of (attributes before, operation, expectation) with quirks on or off.
pub(super) fn check(quirks: Quirks, table: &[(Value, Value, Value)]) {
    for (before, operation, expected) in table {
        let found = on_user(before, &json!([operation]), quirks);
        assert_eq!(&found, expected, "{operation} on {before}");
    }
}

/// One operation with a path and a value.
#[expect(clippy::needless_pass_by_value, reason = "tables write json!(…) in place")]
pub(super) fn op(kind: &str, path: &str, value: Value) -> Value {
    json!({ "op": kind, "path": path, "value": value })
}
