//! Operations on a whole extension.

use serde_json::Value;

use super::work::{Spot, Work};
use super::{Kind, attribute, target};
use crate::scim::attribute::{Attribute, Mutability};
use crate::scim::error::Error;
use crate::scim::json::describe;
use crate::scim::schema::Schema;

/// An operation whose path is the bare URN of an extension.
pub(super) fn apply(
    work: &mut Work<'_>,
    op: Kind,
    schema: &Schema,
    value: Value,
) -> Result<(), Error> {
    match op {
        Kind::Remove => remove(work, schema),
        Kind::Add => merge(work, op, schema, value),
        Kind::Replace => {
            if let Value::Object(members) = &value {
                // What the value does not name goes, but for what cannot change (as in a PUT).
                let named = |found: &Attribute| {
                    found.mutability == Mutability::Immutable
                        || members.keys().any(|key| key.eq_ignore_ascii_case(&found.name))
                };
                clear(work, schema, named)?;
            }
            merge(work, op, schema, value)
        }
    }
}

/// The value of an extension: each attribute that it names is set like one by itself.
pub(super) fn merge(
    work: &mut Work<'_>,
    op: Kind,
    schema: &Schema,
    value: Value,
) -> Result<(), Error> {
    let members = match value {
        Value::Object(members) => members,
        Value::Null if op == Kind::Replace => return remove(work, schema),
        Value::Null => return Ok(()),
        other => {
            return Err(Error::InvalidValue(format!(
                "'{}' is {}; an object {{ … }} belongs there.",
                schema.id,
                describe(&other)
            )));
        }
    };
    for (key, value) in members {
        let Some(found) = schema.attribute(&key) else {
            return Err(target::unknown_in(&key, &schema.id));
        };
        attribute::in_object(work, op, (Some(schema), found), value)?;
    }
    Ok(())
}

/// Removes the extension with all that clients may remove.
pub(super) fn remove(work: &mut Work<'_>, schema: &Schema) -> Result<(), Error> {
    let required = work.rt.extension(&schema.id).is_some_and(|extension| extension.required);
    if required {
        return Err(Error::Mutability(format!(
            "'{}' is required and cannot be removed.",
            schema.id
        )));
    }
    clear(work, schema, |_| false)
}

fn clear(
    work: &mut Work<'_>,
    schema: &Schema,
    kept: impl Fn(&Attribute) -> bool,
) -> Result<(), Error> {
    if !work.result.doc.contains_key(&schema.id) {
        return Ok(());
    }
    let stored =
        schema.attributes.iter().filter(|found| found.is_stored() && !found.is_read_only());
    for found in stored.filter(|found| !kept(found)) {
        let spot = Spot { extension: Some(schema), attribute: found, sub: None };
        work.change(spot, |_, _| Ok(Value::Null))?;
    }
    Ok(())
}
