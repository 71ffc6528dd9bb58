//! What is accepted and what is refused, by table.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::*;
use crate::scim::resource_type::{Extension, Registry};
use crate::scim::urn;

mod create;
mod formats;
mod replace;

/// The standard type of this name.
pub(super) fn standard(name: &str) -> Arc<ResourceType> {
    static TYPES: LazyLock<Registry> = LazyLock::new(Registry::standard);
    TYPES.by_name(name).cloned().unwrap()
}

/// A type with one attribute of each kind, and a required extension.
pub(super) fn things() -> ResourceType {
    let core = json!({ "id": "urn:x:Thing", "name": "Thing", "attributes": [
        { "name": "title" },
        { "name": "flag", "type": "boolean" },
        { "name": "count", "type": "integer" },
        { "name": "share", "type": "decimal" },
        { "name": "since", "type": "dateTime" },
        { "name": "blob", "type": "binary" },
        { "name": "link", "type": "reference", "referenceTypes": ["external"] },
        { "name": "tags", "multiValued": true },
        { "name": "serial", "mutability": "immutable" },
        { "name": "secretNote", "mutability": "writeOnly", "returned": "never" },
        { "name": "state", "mutability": "readOnly" },
        { "name": "box", "type": "complex", "subAttributes": [
            { "name": "label", "required": true },
            { "name": "stamp", "mutability": "immutable" },
            { "name": "seen", "mutability": "readOnly" },
            { "name": "colors", "multiValued": true },
        ] },
    ] });
    let more = json!({ "id": "urn:x:More", "name": "More", "attributes": [
        { "name": "code", "required": true },
        { "name": "note" },
        { "name": "fixed", "mutability": "immutable" },
        { "name": "made", "mutability": "readOnly" },
    ] });
    let schema = Schema::from_document(&core).unwrap();
    let extension = Extension { schema: Schema::from_document(&more).unwrap(), required: true };
    ResourceType::new("Thing", "/Things", schema, vec![extension])
}

fn strict() -> Rules {
    Rules::of(Quirks::NONE)
}

/// A user body with these members beside `schemas` and `userName`.
fn user_body(more: &Value) -> Value {
    let mut body = json!({ "schemas": [urn::USER, urn::ENTERPRISE], "userName": "bjensen" });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

fn thing_body(more: &Value) -> Value {
    let mut body =
        json!({ "schemas": ["urn:x:Thing", "urn:x:More"], "urn:x:More": { "code": "1" } });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

fn created(rt: &ResourceType, body: Value) -> Result<Value, Error> {
    create(rt, body, strict()).map(|accepted| Value::Object(accepted.doc))
}

/// `ok`, or the `scimType` of the refusal.
fn verdict(result: &Result<Value, Error>) -> &'static str {
    result.as_ref().err().map_or("ok", Error::scim_type)
}
