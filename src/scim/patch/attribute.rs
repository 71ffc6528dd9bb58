//! Operations on a whole attribute or on a sub-attribute, without a filter.

use serde_json::{Map, Value};

use super::work::{Spot, Work, set_sub};
use super::{Kind, elements, members, schemas};
use crate::scim::accept::{self, Rules, is_schemas};
use crate::scim::attribute::{Attribute, Source};
use crate::scim::error::Error;
use crate::scim::json::describe;
use crate::scim::schema::Schema;

/// An operation whose path names the attribute.
pub(super) fn by_path(
    work: &mut Work<'_>,
    op: Kind,
    spot: Spot<'_>,
    value: Value,
) -> Result<(), Error> {
    if is_schemas(spot.attribute) {
        return schemas::by_path(work.rt, op, &value);
    }
    if spot.attribute.source == Source::Members {
        return members::by_path(work, op, spot, value);
    }
    spot.refuse_read_only()?;
    if spot.attribute.source == Source::Secret {
        return secret(work, op, spot, value);
    }
    if op == Kind::Remove {
        spot.refuse_required()?;
    }
    match spot.sub {
        None => work.change(spot, |old, rules| {
            changed(spot.attribute, &spot.name(), (op, old), value, rules)
        }),
        Some(sub) if spot.attribute.multi => elements::sub_of_all(work, op, (spot, sub), &value),
        Some(sub) => work.change(spot, |old, rules| {
            let mut object = object_of(old);
            set_sub(&mut object, op, (sub, &spot.sub_name(sub)), value, rules)?;
            Ok(assigned(object))
        }),
    }
}

/// An attribute inside the value of an operation without a path: readOnly ones are ignored, since
/// clients send back what they have read.
pub(super) fn in_object(
    work: &mut Work<'_>,
    op: Kind,
    (extension, attribute): (Option<&Schema>, &Attribute),
    value: Value,
) -> Result<(), Error> {
    let spot = Spot { extension, attribute, sub: None };
    if is_schemas(attribute) || attribute.is_read_only() {
        return Ok(());
    }
    match attribute.source {
        Source::Document | Source::Secret | Source::Members => by_path(work, op, spot, value),
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
        | Source::Counted => Ok(()),
    }
}

fn secret(work: &mut Work<'_>, op: Kind, spot: Spot<'_>, value: Value) -> Result<(), Error> {
    // RFC 7643 s2.5: null is "unassigned", so there is nothing to add.
    if op == Kind::Add && value.is_null() {
        return Ok(());
    }
    work.result.password = accept::secret(spot.attribute, value, work.rules)?;
    Ok(())
}

/// What the operation makes of the old value; null when nothing is left.
pub(super) fn changed(
    attribute: &Attribute,
    at: &str,
    (op, old): (Kind, Value),
    value: Value,
    rules: Rules,
) -> Result<Value, Error> {
    match op {
        Kind::Remove => Ok(Value::Null),
        Kind::Add if nothing(&value) => Ok(old),
        Kind::Add if attribute.multi => elements::append(attribute, at, old, listed(value), rules),
        Kind::Add | Kind::Replace if attribute.is_complex() && !attribute.multi => {
            merged(attribute, at, (op, old), value, rules)
        }
        Kind::Add | Kind::Replace => {
            let new = accept::value(attribute, at, value, rules)?.unwrap_or(Value::Null);
            if attribute.required && accept::is_blank(&new) {
                return Err(accept::missing(at));
            }
            Ok(new)
        }
    }
}

/// RFC 7644 s3.5.2.1, s3.5.2.3: sub-attributes that the value names are set, the others stay.
fn merged(
    attribute: &Attribute,
    at: &str,
    (op, old): (Kind, Value),
    value: Value,
    rules: Rules,
) -> Result<Value, Error> {
    match value {
        Value::Object(members) => {
            let mut object = object_of(old);
            merge(&mut object, attribute, at, (op, members), rules)?;
            Ok(assigned(object))
        }
        value if nothing(&value) => {
            if attribute.required {
                return Err(accept::missing(at));
            }
            Ok(Value::Null)
        }
        other => Err(Error::InvalidValue(format!(
            "{at} is {}; an object {{ … }} belongs there.",
            describe(&other)
        ))),
    }
}

/// Sets the named sub-attributes of an object.
pub(super) fn merge(
    object: &mut Map<String, Value>,
    attribute: &Attribute,
    at: &str,
    (op, members): (Kind, Map<String, Value>),
    rules: Rules,
) -> Result<(), Error> {
    for (key, value) in members {
        let sub = accept::known_sub(attribute, at, &key)?;
        if sub.is_read_only() || !sub.is_stored() {
            continue;
        }
        set_sub(object, op, (sub, &format!("{at}.{}", sub.name)), value, rules)?;
    }
    Ok(())
}

/// Null and `[]` are the state "unassigned" (RFC 7643 s2.5).
pub(super) fn nothing(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// RFC 7644 s3.5.2.1: what is added to a list may be one value or a list of them.
fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        other => vec![other],
    }
}

/// The members of a value that is an object or nothing.
pub(super) fn object_of(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// The object, or null when it has no members left.
pub(super) fn assigned(object: Map<String, Value>) -> Value {
    if object.is_empty() { Value::Null } else { Value::Object(object) }
}
