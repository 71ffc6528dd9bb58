//! The `schemas` of a body (RFC 7643 s3).

use serde_json::{Map, Value};

use crate::scim::error::Error;
use crate::scim::path::excerpt;
use crate::scim::resource_type::ResourceType;
use crate::scim::schema::Schema;
use crate::scim::{json, urn};

/// The URNs of the body's `schemas`: the base schema is there and nothing is unknown.
pub(super) fn required(rt: &ResourceType, body: &Map<String, Value>) -> Result<Vec<String>, Error> {
    let sent = body.iter().find(|(key, _)| key.eq_ignore_ascii_case("schemas"));
    let urns = match sent {
        None | Some((_, Value::Null)) => Vec::new(),
        Some((_, value)) => listed(rt, value)?,
    };
    if urns.iter().any(|found| urn::same(found, &rt.schema.id)) {
        return Ok(urns);
    }
    // RFC 7643 s3.3: "at least one value", the base schema.
    Err(Error::InvalidSyntax(format!(
        "schemas is missing or does not list '{}', the schema of a {}.",
        rt.schema.id, rt.name
    )))
}

/// The URNs of a `schemas` value; each must be the base schema or an extension of the type.
pub(crate) fn listed(rt: &ResourceType, value: &Value) -> Result<Vec<String>, Error> {
    let Value::Array(items) = value else {
        return Err(Error::InvalidSyntax(format!(
            "schemas is {}; a list of URNs belongs there.",
            json::describe(value)
        )));
    };
    items.iter().map(|item| known(rt, item)).collect()
}

fn known(rt: &ResourceType, item: &Value) -> Result<String, Error> {
    let Value::String(text) = item else {
        return Err(Error::InvalidSyntax(format!(
            "schemas contains {}; only URNs belong there.",
            json::describe(item)
        )));
    };
    if urn::same(text, &rt.schema.id) {
        return Ok(rt.schema.id.clone());
    }
    match rt.extension(text) {
        Some(extension) => Ok(extension.schema.id.clone()),
        None => Err(Error::InvalidValue(format!(
            "schemas contains '{}', which is neither the schema of a {} nor an extension of it. \
             /ResourceTypes lists them.",
            excerpt(text),
            rt.name
        ))),
    }
}

/// An extension with data is listed (RFC 7643 s3).
pub(super) fn must_list(urns: &[String], schema: &Schema) -> Result<(), Error> {
    if urns.iter().any(|found| urn::same(found, &schema.id)) {
        return Ok(());
    }
    Err(Error::InvalidSyntax(format!(
        "The body has data of '{}', which schemas does not list.",
        schema.id
    )))
}
