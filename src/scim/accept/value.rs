//! Data types (RFC 7643 s2.3): does a value fit its attribute?

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use super::{Rules, format, identity};
use crate::scim::attribute::{Attribute, Type};
use crate::scim::error::Error;
use crate::scim::fold;
use crate::scim::json::describe;
use crate::scim::path::excerpt;

/// RFC 7643 s2.3.6: padding may be missing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The value in the form that is stored; none when it is unassigned (null, `[]` or `{}`).
///
/// `at` is how error sentences name the attribute. Unknown sub-attributes are refused, readOnly
/// and derived ones left out.
pub fn value(
    attribute: &Attribute,
    at: &str,
    sent: Value,
    rules: Rules,
) -> Result<Option<Value>, Error> {
    if !attribute.multi {
        return element(attribute, at, sent, rules);
    }
    let items = match sent {
        Value::Null => return Ok(None),
        Value::Array(items) => items,
        other => {
            return Err(Error::InvalidValue(format!(
                "{at} is {}; it has many values, so a list [ … ] belongs there.",
                describe(&other)
            )));
        }
    };
    let mut list = Vec::with_capacity(items.len().min(rules.limits.values));
    for item in items {
        if let Some(item) = element(attribute, at, item, rules)? {
            list.push(item);
        }
    }
    identity::keep_first(attribute, &mut list);
    check_count(at, list.len(), rules)?;
    Ok((!list.is_empty()).then_some(Value::Array(list)))
}

/// Whether a list may be this long.
pub(super) fn check_count(at: &str, count: usize, rules: Rules) -> Result<(), Error> {
    if count <= rules.limits.values { Ok(()) } else { Err(too_many(at, rules)) }
}

/// That a list is too long.
pub(crate) fn too_many(at: &str, rules: Rules) -> Error {
    Error::InvalidValue(format!(
        "{at} has more than {} values, the most that are allowed.",
        rules.limits.values
    ))
}

/// One value: of a single-valued attribute, or one element of a list.
pub fn element(
    attribute: &Attribute,
    at: &str,
    sent: Value,
    rules: Rules,
) -> Result<Option<Value>, Error> {
    let wrong = |sent: &Value| {
        Err(Error::InvalidValue(format!(
            "{at} is {}; {} belongs there.",
            describe(sent),
            wanted(attribute.kind)
        )))
    };
    match (attribute.kind, sent) {
        (_, Value::Null) => Ok(None),
        (Type::Complex, Value::Object(members)) => complex(attribute, at, members, rules),
        (Type::Boolean, sent @ Value::Bool(_)) | (Type::Decimal, sent @ Value::Number(_)) => {
            Ok(Some(sent))
        }
        // RFC 7643 s2.3.4: no fraction and no exponent; such numbers were read as f64.
        (Type::Integer, Value::Number(number)) if number.is_i64() => {
            Ok(Some(Value::Number(number)))
        }
        (Type::Integer, Value::Number(number)) => Err(Error::InvalidValue(format!(
            "{at} is {number}; a whole number without fraction and exponent belongs there."
        ))),
        (Type::String | Type::DateTime | Type::Binary | Type::Reference, Value::String(text)) => {
            check_text(attribute, at, &text, rules)?;
            Ok(Some(Value::String(text)))
        }
        (
            Type::String
            | Type::Boolean
            | Type::Decimal
            | Type::Integer
            | Type::DateTime
            | Type::Binary
            | Type::Reference
            | Type::Complex,
            sent,
        ) => wrong(&sent),
    }
}

fn wanted(kind: Type) -> &'static str {
    match kind {
        Type::String => "a string",
        Type::Boolean => "true or false",
        Type::Decimal => "a number",
        Type::Integer => "a whole number",
        Type::DateTime => "a string such as \"2026-11-22T08:00:00Z\"",
        Type::Binary => "a Base64 string",
        Type::Reference => "a string with a URI",
        Type::Complex => "an object { … }",
    }
}

fn complex(
    attribute: &Attribute,
    at: &str,
    members: Map<String, Value>,
    rules: Rules,
) -> Result<Option<Value>, Error> {
    let mut object = Map::new();
    for (key, sent) in members {
        let sub = known_sub(attribute, at, &key)?;
        if sub.is_read_only() || !sub.is_stored() {
            continue;
        }
        if let Some(found) = value(sub, &format!("{at}.{}", sub.name), sent, rules)? {
            object.insert(sub.name.clone(), found);
        }
    }
    // RFC 7643 s2.5: an object without values has no value.
    Ok((!object.is_empty()).then_some(Value::Object(object)))
}

/// The sub-attribute that a member of a complex value names.
pub(crate) fn known_sub<'a>(
    attribute: &'a Attribute,
    at: &str,
    key: &str,
) -> Result<&'a Attribute, Error> {
    attribute.sub(key).ok_or_else(|| {
        let names: Vec<&str> = attribute.sub.iter().map(|sub| sub.name.as_str()).collect();
        Error::InvalidSyntax(format!(
            "'{}' is not a sub-attribute of {at}. It has: {}.",
            excerpt(key),
            names.join(", ")
        ))
    })
}

fn check_text(attribute: &Attribute, at: &str, text: &str, rules: Rules) -> Result<(), Error> {
    let wrong = |what: &str| Err(Error::InvalidValue(format!("{at} '{}' {what}", excerpt(text))));
    match attribute.kind {
        Type::DateTime if fold::moment(text).is_none() => wrong(
            "is not a date with time. Write it like 2026-11-22T08:00:00Z or \
             2026-11-22T09:00:00+01:00.",
        ),
        Type::Binary if BASE64.decode(text).is_err() => wrong("is not Base64 (RFC 4648 s4)."),
        Type::Reference if !is_reference(text) => {
            wrong("is not a URI. Spaces and control characters in it are written as %20 and so on.")
        }
        Type::DateTime
        | Type::Binary
        | Type::Reference
        | Type::String
        | Type::Boolean
        | Type::Decimal
        | Type::Integer
        | Type::Complex => format::check(attribute, at, text, rules),
    }
}

/// RFC 3986, loosely: characters beyond ASCII pass, since people paste what their browser shows.
fn is_reference(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | '"'))
}
