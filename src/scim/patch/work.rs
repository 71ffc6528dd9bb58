//! The document while operations work on it.

use serde_json::{Map, Value};

use super::{Kind, MemberChange, Patched};
use crate::scim::Doc;
use crate::scim::accept::{Password, Rules, fixed, is_unassigned};
use crate::scim::attribute::{Attribute, Mutability};
use crate::scim::error::Error;
use crate::scim::resource_type::ResourceType;
use crate::scim::schema::Schema;

/// An attribute and, maybe, its sub-attribute; where they stand in the document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot<'a> {
    /// The extension that holds the attribute.
    pub(super) extension: Option<&'a Schema>,
    /// The attribute.
    pub(super) attribute: &'a Attribute,
    /// The sub-attribute, when the path goes that far.
    pub(super) sub: Option<&'a Attribute>,
}

impl Spot<'_> {
    /// How error sentences name the attribute.
    pub(super) fn name(&self) -> String {
        match self.extension {
            Some(schema) => format!("{}:{}", schema.id, self.attribute.name),
            None => self.attribute.name.clone(),
        }
    }

    /// How error sentences name the sub-attribute.
    pub(super) fn sub_name(&self, sub: &Attribute) -> String {
        format!("{}.{}", self.name(), sub.name)
    }

    /// Refuses what clients may never set (RFC 7644 s3.5.2: "MUST NOT" modify readOnly).
    pub(super) fn refuse_read_only(&self) -> Result<(), Error> {
        if self.attribute.is_read_only() {
            return Err(read_only(&self.name()));
        }
        match self.sub {
            Some(sub) if sub.is_read_only() || !sub.is_stored() => {
                Err(read_only(&self.sub_name(sub)))
            }
            _ => Ok(()),
        }
    }

    /// Refuses to remove what every resource has (RFC 7644 s3.5.2.2).
    pub(super) fn refuse_required(&self) -> Result<(), Error> {
        let (required, name) = match self.sub {
            Some(sub) => (sub.required, self.sub_name(sub)),
            None => (self.attribute.required, self.name()),
        };
        if required {
            return Err(Error::Mutability(format!("{name} is required and cannot be removed.")));
        }
        Ok(())
    }
}

pub(super) fn read_only(name: &str) -> Error {
    Error::Mutability(format!("{name} is readOnly: it cannot be set or removed."))
}

/// The document and what became of the parts that live elsewhere.
pub(super) struct Work<'a> {
    pub(super) rt: &'a ResourceType,
    pub(super) rules: Rules,
    pub(super) result: Patched,
}

impl<'a> Work<'a> {
    pub(super) fn new(rt: &'a ResourceType, before: &Doc, rules: Rules) -> Self {
        let result = Patched { doc: before.clone(), password: Password::Kept, members: Vec::new() };
        Self { rt, rules, result }
    }

    /// The object that holds the attributes of the extension, or the core ones.
    fn holder(&mut self, extension: Option<&Schema>) -> &mut Map<String, Value> {
        let Some(schema) = extension else { return &mut self.result.doc };
        let slot = self.result.doc.entry(schema.id.as_str()).or_insert(Value::Null);
        if !slot.is_object() {
            *slot = Value::Object(Map::new());
        }
        match slot {
            Value::Object(members) => members,
            _ => unreachable!("it has just been made an object"),
        }
    }

    /// The value of the attribute; null when it has none. Taken out, so that lists are changed in
    /// place; [`Work::put`] puts it back.
    pub(super) fn take(&mut self, spot: Spot<'_>) -> Value {
        let found = self.holder(spot.extension).get_mut(&spot.attribute.name);
        found.map_or(Value::Null, Value::take)
    }

    /// Sets the attribute. Null stays as a mark until the end, so that the order of attributes
    /// does not change when a value goes and comes back.
    pub(super) fn put(&mut self, spot: Spot<'_>, value: Value) {
        let holder = self.holder(spot.extension);
        match holder.get_mut(&spot.attribute.name) {
            Some(found) => *found = value,
            None if value.is_null() => {}
            None => {
                holder.insert(spot.attribute.name.clone(), value);
            }
        }
    }

    /// Changes an attribute; an immutable one only when it has no value yet.
    pub(super) fn change(
        &mut self,
        spot: Spot<'_>,
        change: impl FnOnce(Value, Rules) -> Result<Value, Error>,
    ) -> Result<(), Error> {
        let old = self.take(spot);
        let kept = (spot.attribute.mutability == Mutability::Immutable && !is_unassigned(&old))
            .then(|| old.clone());
        let new = change(old, self.rules)?;
        if kept.is_some_and(|kept| kept != new) {
            return Err(fixed(&spot.name()));
        }
        self.put(spot, new);
        Ok(())
    }

    /// Notes a change of the members; runs of the same kind become one.
    pub(super) fn note(&mut self, change: MemberChange) {
        match (self.result.members.last_mut(), change) {
            (Some(MemberChange::Add(list)), MemberChange::Add(more)) => list.extend(more),
            (Some(MemberChange::Remove(list)), MemberChange::Remove(more)) => list.extend(more),
            (_, change) => self.result.members.push(change),
        }
    }
}

/// Sets one sub-attribute of an object; null takes it away when `op` is not add.
pub(super) fn set_sub(
    object: &mut Map<String, Value>,
    op: Kind,
    (sub, at): (&Attribute, &str),
    value: Value,
    rules: Rules,
) -> Result<(), Error> {
    let old = object.get_mut(&sub.name).map_or(Value::Null, Value::take);
    let had = !is_unassigned(&old);
    let kept = (sub.mutability == Mutability::Immutable && had).then(|| old.clone());
    let new = super::attribute::changed(sub, at, (op, old), value, rules)?;
    if kept.is_some_and(|kept| kept != new) {
        return Err(fixed(at));
    }
    if !new.is_null() {
        object.insert(sub.name.clone(), new);
    } else if object.contains_key(&sub.name) {
        object.shift_remove(&sub.name);
    }
    Ok(())
}
