//! A body becomes the document that is stored: the letter of the RFCs. What clients send beside it
//! is rewritten before, in [`crate::scim::quirks`].

use serde_json::{Map, Value};

use crate::scim::Doc;
use crate::scim::attribute::{Attribute, Source, Type};
use crate::scim::error::Error;
use crate::scim::json;
use crate::scim::path::excerpt;
use crate::scim::quirks::Quirks;
use crate::scim::resource_type::ResourceType;
use crate::scim::schema::Schema;

mod check;
mod format;
mod identity;
mod members;
mod replace;
mod schemas;
mod value;

pub use check::{check, finish};
pub use identity::same;
pub use members::members;
pub use replace::replace;
pub use value::{element, value};

pub(crate) use check::{is_blank, is_unassigned, missing};
pub(crate) use identity::Positions;
pub(crate) use replace::fixed;
pub(crate) use schemas::listed;
pub(crate) use value::{known_sub, too_many};

/// How strictly, and how much.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Quirks that are answered.
    pub quirks: Quirks,
    /// How large values may be.
    pub limits: ValueLimits,
}

impl Rules {
    /// The usual limits with these quirks.
    pub fn of(quirks: Quirks) -> Self {
        Self { quirks, limits: ValueLimits::default() }
    }
}

/// How large values may be.
#[derive(Debug, Clone, Copy)]
pub struct ValueLimits {
    /// Values of one multi-valued attribute; group members have no limit.
    pub values: usize,
    /// Bytes of `userName` and `externalId`.
    pub name: usize,
}

impl Default for ValueLimits {
    fn default() -> Self {
        Self { values: 1000, name: 1024 }
    }
}

/// What a create or a replace asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// The document to store.
    pub doc: Doc,
    /// The password: not sent, cleared, or set.
    pub password: Password,
    /// The members; none when they were not sent.
    pub members: Option<Vec<MemberRef>>,
}

/// What a request says about the password.
#[derive(Clone, PartialEq, Eq)]
pub enum Password {
    /// Nothing: it stays.
    Kept,
    /// There is to be none.
    Cleared,
    /// This one, in clear text.
    Set(String),
}

impl std::fmt::Debug for Password {
    /// Never the password itself: what is debugged may be logged.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Kept => "Kept",
            Self::Cleared => "Cleared",
            Self::Set(_) => "Set(…)",
        })
    }
}

/// A member as a client names it; the rest of it is derived.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MemberRef {
    /// The id.
    pub value: String,
}

/// The resource that a POST asks for (RFC 7644 s3.3).
pub fn create(rt: &ResourceType, body: Value, rules: Rules) -> Result<Accepted, Error> {
    let Read { mut accepted, sent } = read(rt, body, rules)?;
    let doc = &mut accepted.doc;
    // RFC 7644 s3.3 lets a server give defaults; a value of null says that there is to be none.
    let active = rt.core("active").filter(|found| found.kind == Type::Boolean);
    if let Some(active) = active.filter(|found| found.is_stored() && !sent.has(None, found)) {
        doc.insert(active.name.clone(), Value::Bool(true));
    }
    finish(rt, doc);
    check(rt, doc, rules)?;
    Ok(accepted)
}

/// A body with canonical names and checked types; not yet a whole resource.
struct Read {
    accepted: Accepted,
    sent: Sent,
}

/// What the body named, be it null.
#[derive(Default)]
struct Sent {
    attributes: Vec<String>,
    extensions: Vec<String>,
}

impl Sent {
    fn has(&self, extension: Option<&Schema>, attribute: &Attribute) -> bool {
        extension.is_none() && self.attributes.contains(&attribute.name)
    }

    fn has_extension(&self, schema: &Schema) -> bool {
        self.extensions.contains(&schema.id)
    }
}

fn read(rt: &ResourceType, body: Value, rules: Rules) -> Result<Read, Error> {
    let body = json::object(body)?;
    let urns = schemas::required(rt, &body)?;
    let accepted = Accepted { doc: Doc::new(), password: Password::Kept, members: None };
    let mut read = Read { accepted, sent: Sent::default() };
    for (key, sent) in body {
        if let Some(extension) = rt.extension(&key) {
            let schema = &extension.schema;
            read.sent.extensions.push(schema.id.clone());
            if let Some(object) = extension_object(schema, sent, rules)? {
                schemas::must_list(&urns, schema)?;
                read.accepted.doc.insert(schema.id.clone(), Value::Object(object));
            }
        } else if let Some(attribute) = rt.core(&key) {
            read.sent.attributes.push(attribute.name.clone());
            take(&mut read.accepted, attribute, sent, rules)?;
        } else {
            return Err(unknown(&key, &rt.schema.name));
        }
    }
    Ok(read)
}

fn take(
    accepted: &mut Accepted,
    attribute: &Attribute,
    sent: Value,
    rules: Rules,
) -> Result<(), Error> {
    // `schemas` follows from the data. RFC 7644 s3.3, s3.5.1: readOnly values are ignored.
    if is_schemas(attribute) || attribute.is_read_only() {
        return Ok(());
    }
    match attribute.source {
        Source::Document => {
            if let Some(found) = value(attribute, &attribute.name, sent, rules)? {
                accepted.doc.insert(attribute.name.clone(), found);
            }
        }
        Source::Secret => accepted.password = secret(attribute, sent, rules)?,
        Source::Members => accepted.members = Some(members(attribute, sent)?),
        Source::Id
        | Source::Created
        | Source::Modified
        | Source::Version
        | Source::Location
        | Source::Kind
        | Source::MemberOf
        | Source::RowValue
        | Source::RowType
        | Source::Link
        | Source::Label
        | Source::Linked
        | Source::Counted => {}
    }
    Ok(())
}

/// The attributes of an extension object; none when it has no value.
pub(crate) fn extension_object(
    schema: &Schema,
    sent: Value,
    rules: Rules,
) -> Result<Option<Map<String, Value>>, Error> {
    let members = match sent {
        Value::Null => return Ok(None),
        Value::Object(members) => members,
        other => {
            return Err(Error::InvalidValue(format!(
                "'{}' is {}; an object {{ … }} belongs there.",
                schema.id,
                json::describe(&other)
            )));
        }
    };
    let mut object = Map::new();
    for (key, sent) in members {
        let Some(attribute) = schema.attribute(&key) else {
            return Err(unknown(&key, &schema.id));
        };
        if attribute.is_read_only() || !attribute.is_stored() {
            continue;
        }
        let at = format!("{}:{}", schema.id, attribute.name);
        if let Some(found) = value(attribute, &at, sent, rules)? {
            object.insert(attribute.name.clone(), found);
        }
    }
    Ok((!object.is_empty()).then_some(object))
}

/// What was sent for a secret.
pub(crate) fn secret(attribute: &Attribute, sent: Value, rules: Rules) -> Result<Password, Error> {
    Ok(match value(attribute, &attribute.name, sent, rules)? {
        Some(Value::String(text)) => Password::Set(text),
        _ => Password::Cleared,
    })
}

/// `schemas` is computed, never stored as it was sent.
pub(crate) fn is_schemas(attribute: &Attribute) -> bool {
    attribute.name == "schemas" && attribute.multi
}

fn unknown(name: &str, holder: &str) -> Error {
    Error::InvalidSyntax(format!(
        "'{}' is not an attribute of {holder}. Its attributes are listed at /Schemas.",
        excerpt(name)
    ))
}

#[cfg(test)]
mod tests;
