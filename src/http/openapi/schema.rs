//! JSON Schema (2020-12) of resources, made from the attribute tables.

use serde_json::{Map, Value, json};

use crate::scim::attribute::{Attribute, Mutability, Returned, Type};
use crate::scim::resource_type::ResourceType;
use crate::scim::schema::Schema;

/// Which way a resource travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From the server: whatever was not asked for may be missing.
    Answer,
    /// To the server.
    Input,
}

impl Way {
    fn carries(self, attribute: &Attribute) -> bool {
        match self {
            Self::Answer => {
                attribute.returned != Returned::Never
                    && attribute.mutability != Mutability::WriteOnly
            }
            Self::Input => !attribute.is_read_only(),
        }
    }
}

/// A resource as the server answers it.
///
/// Only `schemas` and `id` are always there: a client may ask for as little as that.
pub fn answer(kind: &ResourceType) -> Value {
    let mut schema = resource(kind, Way::Answer);
    schema["required"] = json!(["schemas", "id"]);
    schema
}

/// A resource as a client writes it.
pub fn input(kind: &ResourceType) -> Value {
    let mut schema = resource(kind, Way::Input);
    let required: Vec<_> = required(&kind.schema.attributes, Way::Input);
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// The object that an extension adds to a resource.
pub fn extension(schema: &Schema) -> Value {
    object(&schema.attributes, &schema.description, Way::Answer)
}

/// A schema that stands in a file of its own.
pub fn standalone(urn: &str, schema: Value) -> Value {
    let mut whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": urn,
    });
    if let (Some(whole), Value::Object(schema)) = (whole.as_object_mut(), schema) {
        whole.extend(schema);
    }
    whole
}

fn resource(kind: &ResourceType, way: Way) -> Value {
    let attributes: Vec<_> = kind.common().iter().chain(&kind.schema.attributes).cloned().collect();
    let mut schema = object(&attributes, &kind.description, way);
    for extension in &kind.extensions {
        let inner = object(&extension.schema.attributes, &extension.schema.description, way);
        schema["properties"][extension.schema.id.as_str()] = inner;
    }
    schema
}

fn object(attributes: &[Attribute], description: &str, way: Way) -> Value {
    let properties: Map<_, _> = attributes
        .iter()
        .filter(|attribute| way.carries(attribute))
        .map(|attribute| (attribute.name.clone(), property(attribute, way)))
        .collect();
    let mut schema = json!({ "type": "object" });
    if !description.is_empty() {
        schema["description"] = description.into();
    }
    schema["properties"] = Value::Object(properties);
    schema
}

fn required(attributes: &[Attribute], way: Way) -> Vec<&str> {
    attributes
        .iter()
        .filter(|attribute| attribute.required && way.carries(attribute))
        .map(|attribute| attribute.name.as_str())
        .collect()
}

fn property(attribute: &Attribute, way: Way) -> Value {
    let mut single = match attribute.kind {
        Type::String | Type::Reference => json!({ "type": "string" }),
        Type::DateTime => json!({ "type": "string", "format": "date-time" }),
        Type::Binary => json!({ "type": "string", "contentEncoding": "base64" }),
        Type::Boolean => json!({ "type": "boolean" }),
        Type::Integer => json!({ "type": "integer", "format": "int64" }),
        Type::Decimal => json!({ "type": "number" }),
        Type::Complex => object(&attribute.sub, "", way),
    };
    // Canonical values are suggestions (RFC 7643 s7): others are taken too.
    if !attribute.canonical.is_empty() {
        single["examples"] = json!(attribute.canonical);
    }
    let mut schema =
        if attribute.multi { json!({ "type": "array", "items": single }) } else { single };
    if !attribute.description.is_empty() {
        schema["description"] = attribute.description.as_str().into();
    }
    match attribute.mutability {
        Mutability::ReadOnly => schema["readOnly"] = true.into(),
        Mutability::WriteOnly => schema["writeOnly"] = true.into(),
        Mutability::ReadWrite | Mutability::Immutable => {}
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::resource_type::Registry;

    #[test]
    fn a_password_goes_in_and_never_comes_out() {
        let registry = Registry::standard();
        let user = registry.by_name("User").unwrap();
        assert!(input(user)["properties"].get("password").is_some());
        assert!(answer(user)["properties"].get("password").is_none());
        assert_eq!(input(user)["required"], json!(["userName"]));
    }

    #[test]
    fn a_resource_is_valid_by_its_schema_and_a_wrong_one_is_not() {
        let registry = Registry::standard();
        let schema = answer(registry.by_name("User").unwrap());
        let validator = jsonschema::validator_for(&schema).unwrap();
        let mut user = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": "1",
            "active": true,
            "emails": [{ "value": "a@example.com", "primary": true }],
            "meta": { "resourceType": "User", "created": "2026-01-01T00:00:00.000000Z" },
        });
        assert!(validator.is_valid(&user));
        user["active"] = "True".into();
        assert!(!validator.is_valid(&user));
    }
}
