//! What a whole document must fulfil before it is stored.

use serde_json::{Map, Value};

use super::{Rules, identity, is_schemas, value};
use crate::scim::Doc;
use crate::scim::attribute::Attribute;
use crate::scim::error::Error;
use crate::scim::resource_type::ResourceType;
use crate::scim::schema::Schema;

/// Brings a document into the form that is stored: nothing empty, no element twice, and the
/// `schemas` that its data calls for.
pub fn finish(rt: &ResourceType, doc: &mut Doc) {
    tidy(doc, &rt.schema.attributes);
    for extension in &rt.extensions {
        if let Some(Value::Object(object)) = doc.get_mut(&extension.schema.id) {
            tidy(object, &extension.schema.attributes);
        }
    }
    doc.retain(|_, value| !is_unassigned(value));
    // RFC 7643 s3: the base schema, and the extensions of which the resource has data.
    let more = rt.extensions.iter().map(|extension| &extension.schema.id);
    let urns: Vec<Value> = std::iter::once(&rt.schema.id)
        .chain(more.filter(|id| doc.contains_key(id.as_str())))
        .map(|id| Value::from(id.as_str()))
        .collect();
    match doc.get_mut("schemas") {
        Some(schemas) => *schemas = Value::Array(urns),
        None => {
            doc.shift_insert(0, "schemas".to_owned(), Value::Array(urns));
        }
    }
}

/// Whether this is the state "unassigned" (RFC 7643 s2.5).
pub(crate) fn is_unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn tidy(object: &mut Map<String, Value>, attributes: &[Attribute]) {
    for (name, value) in object.iter_mut() {
        match value {
            Value::Array(items) => {
                items.iter_mut().for_each(drop_empty);
                items.retain(|item| !is_unassigned(item));
                if let Some(attribute) = attributes.iter().find(|found| found.name == *name) {
                    identity::keep_first(attribute, items);
                }
            }
            other => drop_empty(other),
        }
    }
    object.retain(|_, value| !is_unassigned(value));
}

fn drop_empty(value: &mut Value) {
    if let Value::Object(members) = value {
        members.retain(|_, value| !is_unassigned(value));
    }
}

/// Whether the document is a resource of this type: required attributes are there, at most one
/// value is primary, no list is too long.
pub fn check(rt: &ResourceType, doc: &Doc, rules: Rules) -> Result<(), Error> {
    let core = rt.common().iter().chain(&rt.schema.attributes).filter(|found| !is_schemas(found));
    object(doc, "", core, rules)?;
    for extension in &rt.extensions {
        let schema = &extension.schema;
        match doc.get(&schema.id) {
            Some(Value::Object(members)) => extension_object(schema, members, rules)?,
            _ if extension.required => {
                return Err(Error::InvalidValue(format!(
                    "'{}' is required: every {} has it.",
                    schema.id, rt.name
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

fn extension_object(
    schema: &Schema,
    members: &Map<String, Value>,
    rules: Rules,
) -> Result<(), Error> {
    object(members, &format!("{}:", schema.id), schema.attributes.iter(), rules)
}

fn object<'a>(
    members: &Map<String, Value>,
    prefix: &str,
    attributes: impl Iterator<Item = &'a Attribute>,
    rules: Rules,
) -> Result<(), Error> {
    for attribute in attributes {
        let at = || format!("{prefix}{}", attribute.name);
        let found = members.get(&attribute.name);
        if attribute.required && attribute.is_stored() && found.is_none_or(is_blank) {
            return Err(missing(&at()));
        }
        match found {
            Some(Value::Array(items)) => list(attribute, &at(), items, rules)?,
            Some(Value::Object(members)) => {
                object(members, &format!("{}.", at()), attribute.sub.iter(), rules)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// That a required attribute has no value (RFC 7643 s7).
pub(crate) fn missing(at: &str) -> Error {
    Error::InvalidValue(format!("{at} is required and must not be missing or empty."))
}

/// Whether this is no value for a required attribute.
pub(crate) fn is_blank(value: &Value) -> bool {
    match value {
        Value::String(text) => text.trim().is_empty(),
        other => is_unassigned(other),
    }
}

fn list(attribute: &Attribute, at: &str, items: &[Value], rules: Rules) -> Result<(), Error> {
    value::check_count(at, items.len(), rules)?;
    let primaries = items.iter().filter(|item| item.get("primary") == Some(&Value::Bool(true)));
    if attribute.sub("primary").is_some() && primaries.count() > 1 {
        // RFC 7643 s2.4: "The primary attribute value 'true' MUST appear no more than once."
        return Err(Error::InvalidValue(format!(
            "{at} has more than one value with primary true; only one may be primary."
        )));
    }
    for item in items {
        if let Value::Object(members) = item {
            object(members, &format!("{at}."), attribute.sub.iter(), rules)?;
        }
    }
    Ok(())
}
