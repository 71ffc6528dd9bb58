//! The members of a group, as a client names them.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::MemberRef;
use crate::scim::attribute::{Attribute, Source};
use crate::scim::error::Error;
use crate::scim::json;
use crate::scim::path::excerpt;

/// The members of a list, each once; `type`, `display` and the like are derived and not read.
pub fn members(attribute: &Attribute, sent: Value) -> Result<Vec<MemberRef>, Error> {
    let name = &attribute.name;
    let items = match sent {
        Value::Null => return Ok(Vec::new()),
        Value::Array(items) => items,
        other => {
            return Err(Error::InvalidValue(format!(
                "{name} is {}; a list of objects such as [{{\"value\": \"<id>\"}}] belongs there.",
                json::describe(&other)
            )));
        }
    };
    let mut seen = HashSet::new();
    let mut list = Vec::with_capacity(items.len());
    for item in items {
        match item {
            Value::Null => {}
            Value::Object(object) => {
                let value = id(attribute, &object)?;
                if seen.insert(value.clone()) {
                    list.push(MemberRef { value });
                }
            }
            other => {
                return Err(Error::InvalidValue(format!(
                    "{name} contains {}; each member is an object such as {{\"value\": \"<id>\"}}.",
                    json::describe(&other)
                )));
            }
        }
    }
    Ok(list)
}

/// The id that an element names: its `value`, else the last segment of its `$ref`.
fn id(attribute: &Attribute, object: &Map<String, Value>) -> Result<String, Error> {
    let (mut value, mut link) = (None, None);
    for (key, sent) in object {
        let Some(sub) = attribute.sub(key) else {
            return Err(Error::InvalidSyntax(format!(
                "'{}' is not a sub-attribute of {}.",
                excerpt(key),
                attribute.name
            )));
        };
        // What is derived from the id is not even looked at.
        let slot = if sub.source == Source::RowValue {
            &mut value
        } else if sub.source == Source::Link {
            &mut link
        } else {
            continue;
        };
        match sent {
            Value::Null => {}
            Value::String(text) => *slot = Some(text.as_str()),
            other => {
                return Err(Error::InvalidValue(format!(
                    "{}.{} is {}; a string belongs there.",
                    attribute.name,
                    sub.name,
                    json::describe(other)
                )));
            }
        }
    }
    let last = link.map(|link| link.trim_end_matches('/').rsplit('/').next().unwrap_or(link));
    match value.or(last).map(str::trim) {
        Some(id) if !id.is_empty() => Ok(id.to_owned()),
        _ => Err(Error::InvalidValue(format!(
            "An element of {} has no value; each member names the id of a user or group.",
            attribute.name
        ))),
    }
}
