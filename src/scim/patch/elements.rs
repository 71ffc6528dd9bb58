//! Operations on elements of a list.

use serde_json::{Map, Value};

use super::attribute::{assigned, merge, nothing, object_of};
use super::work::{Spot, Work, set_sub};
use super::{Kind, members, schemas, terms};
use crate::scim::accept::{self, Rules, is_schemas};
use crate::scim::attribute::{Attribute, Mutability, Source};
use crate::scim::error::Error;
use crate::scim::filter::{Bound, Filter, eval};
use crate::scim::quirks::Quirk;

/// The filter of a path.
#[derive(Clone, Copy)]
pub(super) struct Chosen<'f> {
    /// As it was written.
    pub(super) filter: &'f Filter,
    /// With its names resolved.
    pub(super) bound: &'f Bound<'f>,
}

/// `attribute[filter]` and `attribute[filter].sub`.
pub(super) fn by_path(
    work: &mut Work<'_>,
    op: Kind,
    (spot, chosen): (Spot<'_>, Chosen<'_>),
    value: Value,
) -> Result<(), Error> {
    if is_schemas(spot.attribute) {
        return schemas::by_filter(work, op, chosen.filter);
    }
    if spot.attribute.source == Source::Members {
        return members::by_filter(work, op, (spot, chosen.filter), value);
    }
    spot.refuse_read_only()?;
    if op == Kind::Remove && spot.sub.is_some() {
        spot.refuse_required()?;
    }
    work.change(spot, |old, rules| {
        let mut list = List::of(spot, old);
        list.edit(op, chosen, value, rules)?;
        let new = list.into_value();
        if op == Kind::Remove && new.is_null() {
            spot.refuse_required()?;
        }
        Ok(new)
    })
}

/// `attribute.sub` of a list: the sub-attribute of every element.
pub(super) fn sub_of_all(
    work: &mut Work<'_>,
    op: Kind,
    (spot, sub): (Spot<'_>, &Attribute),
    value: &Value,
) -> Result<(), Error> {
    let at = spot.sub_name(sub);
    work.change(spot, |old, rules| {
        let mut list = List::of(spot, old);
        let creates = match op {
            Kind::Add => rules.quirks.on(Quirk::AddCreates),
            Kind::Replace => rules.quirks.on(Quirk::ReplaceCreates),
            Kind::Remove => false,
        };
        if list.items.is_empty() && op != Kind::Remove && !nothing(value) {
            if !creates {
                return Err(Error::NoTarget(format!(
                    "{} has no value whose {} could be set.",
                    spot.name(),
                    sub.name
                )));
            }
            list.items.push(Value::Object(Map::new()));
        }
        for item in &mut list.items {
            let mut object = object_of(item.take());
            set_sub(&mut object, op, (sub, &at), value.clone(), rules)?;
            *item = assigned(object);
        }
        Ok(list.into_value())
    })
}

/// Adds elements to a list; one that is there already is not added again (RFC 7644 s3.5.2.1), what
/// it says beyond its value is merged.
pub(super) fn append(
    attribute: &Attribute,
    at: &str,
    old: Value,
    more: Vec<Value>,
    rules: Rules,
) -> Result<Value, Error> {
    let mut items = items_of(old);
    let mut places = (more.len() > 8).then(|| accept::Positions::of(attribute, &items));
    let mut primaries = Vec::new();
    for sent in more {
        let Some(new) = accept::element(attribute, at, sent, rules)? else { continue };
        let found = match &places {
            Some(places) => places.find(attribute, &new),
            None => items.iter().position(|item| accept::same(attribute, item, &new)),
        };
        let position = found.unwrap_or(items.len());
        if is_primary(&new) {
            primaries.push(position);
        }
        if let Some(item) = items.get_mut(position) {
            enrich(attribute, at, item, new)?;
            continue;
        }
        if let Some(places) = &mut places {
            places.note(attribute, &new, position);
        }
        items.push(new);
        if items.len() > rules.limits.values {
            return Err(accept::too_many(at, rules));
        }
    }
    reset_primaries(&mut items, &primaries);
    Ok(if items.is_empty() { Value::Null } else { Value::Array(items) })
}

/// Takes over what the new element says beyond `value` and `type`, which keep their spelling.
fn enrich(attribute: &Attribute, at: &str, item: &mut Value, new: Value) -> Result<(), Error> {
    let (Value::Object(object), Value::Object(new)) = (item, new) else { return Ok(()) };
    for (key, value) in new {
        match object.get(&key) {
            Some(_) if key == "value" || key == "type" => {}
            Some(old) if *old == value => {}
            Some(_) if attribute.sub(&key).is_some_and(is_immutable) => {
                return Err(accept::fixed(&format!("{at}.{key}")));
            }
            _ => {
                object.insert(key, value);
            }
        }
    }
    Ok(())
}

fn is_immutable(attribute: &Attribute) -> bool {
    attribute.mutability == Mutability::Immutable
}

/// RFC 7644 s3.5.2: an operation that makes one value primary makes the others not primary. An
/// operation that makes several primary leaves them for the last check to refuse.
fn reset_primaries(items: &mut [Value], winners: &[usize]) {
    if winners.is_empty() {
        return;
    }
    for (at, item) in items.iter_mut().enumerate() {
        if is_primary(item) && !winners.contains(&at) {
            item["primary"] = Value::Bool(false);
        }
    }
}

fn is_primary(item: &Value) -> bool {
    item.get("primary") == Some(&Value::Bool(true))
}

fn items_of(value: Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items,
        one => vec![one],
    }
}

/// The elements of an attribute; a single complex value counts as a list of one.
struct List<'a> {
    spot: Spot<'a>,
    items: Vec<Value>,
}

impl<'a> List<'a> {
    fn of(spot: Spot<'a>, value: Value) -> Self {
        Self { spot, items: items_of(value) }
    }

    fn into_value(mut self) -> Value {
        self.items.retain(|item| !accept::is_unassigned(item));
        if self.spot.attribute.multi {
            return if self.items.is_empty() { Value::Null } else { Value::Array(self.items) };
        }
        self.items.pop().unwrap_or(Value::Null)
    }

    fn edit(
        &mut self,
        op: Kind,
        chosen: Chosen<'_>,
        value: Value,
        rules: Rules,
    ) -> Result<(), Error> {
        let matched: Vec<usize> = (0..self.items.len())
            .filter(|at| eval::matches_element(chosen.bound, &self.items[*at]))
            .collect();
        if matched.is_empty() {
            return self.edit_none(op, chosen, value, rules);
        }
        if op == Kind::Add && nothing(&value) {
            return Ok(());
        }
        let attribute = self.spot.attribute;
        if op == Kind::Add && !attribute.is_complex() {
            let old = Value::Array(std::mem::take(&mut self.items));
            self.items = items_of(append(attribute, &self.spot.name(), old, vec![value], rules)?);
            return Ok(());
        }
        let mut changed = Vec::new();
        for at in matched {
            let old = self.items[at].take();
            let was = is_primary(&old);
            self.items[at] = self.edited(op, old, value.clone(), rules)?;
            if !was && is_primary(&self.items[at]) {
                changed.push(at);
            }
        }
        reset_primaries(&mut self.items, &changed);
        Ok(())
    }

    fn edited(&self, op: Kind, old: Value, value: Value, rules: Rules) -> Result<Value, Error> {
        let attribute = self.spot.attribute;
        let at = self.spot.name();
        if let Some(sub) = self.spot.sub {
            let mut object = object_of(old);
            set_sub(&mut object, op, (sub, &self.spot.sub_name(sub)), value, rules)?;
            return Ok(assigned(object));
        }
        match (op, value) {
            (Kind::Remove, _) => Ok(Value::Null),
            (Kind::Replace, value) if nothing(&value) => Ok(Value::Null),
            (Kind::Add, Value::Object(members)) if attribute.is_complex() => {
                let mut object = object_of(old);
                merge(&mut object, attribute, &at, (op, members), rules)?;
                Ok(assigned(object))
            }
            // RFC 7644 s3.5.2.3: "all values matching … the record values SHALL be replaced".
            (Kind::Add | Kind::Replace, value) => {
                Ok(accept::element(attribute, &at, value, rules)?.unwrap_or(Value::Null))
            }
        }
    }

    /// The filter chooses nothing.
    fn edit_none(
        &mut self,
        op: Kind,
        chosen: Chosen<'_>,
        value: Value,
        rules: Rules,
    ) -> Result<(), Error> {
        let quirk = match op {
            Kind::Remove => Quirk::RemoveAbsent,
            Kind::Add => Quirk::AddCreates,
            Kind::Replace => Quirk::ReplaceCreates,
        };
        let name = self.spot.name();
        let none = || Error::NoTarget(format!("No value of {name} fulfils the filter."));
        if op == Kind::Add && nothing(&value) {
            return Ok(());
        }
        if !rules.quirks.on(quirk) {
            return Err(none());
        }
        if op == Kind::Remove || nothing(&value) {
            return Ok(());
        }
        let room = self.spot.attribute.multi || self.items.is_empty();
        let made = terms::element(self.spot.attribute, &name, chosen.filter, rules)?;
        let Some(made) = made.filter(|_| room) else { return Err(none()) };
        let new = self.complete(made, value, rules)?;
        let old = Value::Array(std::mem::take(&mut self.items));
        self.items = items_of(append(self.spot.attribute, &name, old, vec![new], rules)?);
        Ok(())
    }

    /// The element that the filter describes, with what the value says about it.
    fn complete(&self, made: Value, value: Value, rules: Rules) -> Result<Value, Error> {
        let attribute = self.spot.attribute;
        match (self.spot.sub, value) {
            (Some(sub), value) => {
                let mut object = object_of(made);
                let at = self.spot.sub_name(sub);
                set_sub(&mut object, Kind::Replace, (sub, &at), value, rules)?;
                Ok(Value::Object(object))
            }
            (None, Value::Object(members)) if attribute.is_complex() => {
                let mut object = object_of(made);
                merge(&mut object, attribute, &self.spot.name(), (Kind::Replace, members), rules)?;
                Ok(Value::Object(object))
            }
            (None, value) => Ok(value),
        }
    }
}
