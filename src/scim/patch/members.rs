//! Operations on the members of a group.

use serde_json::Value;

use super::work::{Spot, Work, read_only};
use super::{Kind, MemberChange, terms};
use crate::scim::accept::{self, MemberRef};
use crate::scim::attribute::Attribute;
use crate::scim::error::Error;
use crate::scim::filter::Filter;
use crate::scim::quirks::Quirk;

/// `members`, without a filter.
pub(super) fn by_path(
    work: &mut Work<'_>,
    op: Kind,
    spot: Spot<'_>,
    value: Value,
) -> Result<(), Error> {
    refuse_sub(spot)?;
    let change = match (op, value) {
        // RFC 7643 s2.5: null is "unassigned", so there is nothing to add.
        (Kind::Add, Value::Null) => return Ok(()),
        (Kind::Add, value) => {
            let list = accept::members(spot.attribute, wrapped(value))?;
            if list.is_empty() {
                return Ok(());
            }
            MemberChange::Add(list)
        }
        (Kind::Replace, value) => match accept::members(spot.attribute, value)? {
            list if list.is_empty() => MemberChange::Clear,
            list => MemberChange::Replace(list),
        },
        (Kind::Remove, _) => MemberChange::Clear,
    };
    work.note(change);
    Ok(())
}

/// `members[…]`.
pub(super) fn by_filter(
    work: &mut Work<'_>,
    op: Kind,
    (spot, filter): (Spot<'_>, &Filter),
    value: Value,
) -> Result<(), Error> {
    refuse_sub(spot)?;
    let ids = terms::ids(filter);
    match op {
        Kind::Remove => {
            work.note(
                ids.map_or_else(|| MemberChange::RemoveWhere(filter.clone()), MemberChange::Remove),
            );
        }
        Kind::Add => match ids {
            Some(ids) if work.rules.quirks.on(Quirk::AddCreates) => {
                let list = ids.into_iter().map(|value| MemberRef { value }).collect();
                work.note(MemberChange::Add(list));
            }
            _ => {
                return Err(Error::NoTarget(
                    "A member is added by path 'members' and a value with its id.".into(),
                ));
            }
        },
        Kind::Replace => {
            let new = match value {
                Value::Null => Vec::new(),
                value => accept::members(spot.attribute, wrapped(value))?,
            };
            work.note(
                ids.map_or_else(|| MemberChange::RemoveWhere(filter.clone()), MemberChange::Remove),
            );
            if !new.is_empty() {
                work.note(MemberChange::Add(new));
            }
        }
    }
    Ok(())
}

/// RFC 7643 s4.2: members are added or removed whole, their sub-attributes never change.
fn refuse_sub(spot: Spot<'_>) -> Result<(), Error> {
    let Some(sub) = spot.sub else { return Ok(()) };
    Err(immutable(spot, sub))
}

fn immutable(spot: Spot<'_>, sub: &Attribute) -> Error {
    let name = spot.sub_name(sub);
    if sub.is_read_only() {
        return read_only(&name);
    }
    Error::Mutability(format!("{name} is immutable: add or remove the member as a whole instead."))
}

fn wrapped(value: Value) -> Value {
    match value {
        Value::Object(_) => Value::Array(vec![value]),
        other => other,
    }
}
