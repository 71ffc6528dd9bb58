//! When two elements of a list are the same one.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::scim::attribute::Attribute;
use crate::scim::fold;

/// Whether two elements are one (RFC 7643 s2.4): same `value` and same `type`; without a `value`,
/// the same in everything.
pub fn same(attribute: &Attribute, left: &Value, right: &Value) -> bool {
    let (Value::Object(one), Value::Object(other)) = (left, right) else {
        return equal(attribute, Some(left), Some(right));
    };
    match (one.get("value"), other.get("value")) {
        (None, None) => left == right,
        values @ (Some(_), Some(_)) => {
            part(attribute, "value", values)
                && part(attribute, "type", (one.get("type"), other.get("type")))
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn part(attribute: &Attribute, name: &str, values: (Option<&Value>, Option<&Value>)) -> bool {
    match attribute.sub(name) {
        Some(sub) => equal(sub, values.0, values.1),
        None => values.0 == values.1,
    }
}

fn equal(attribute: &Attribute, left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(Value::String(one)), Some(Value::String(other))) => {
            one == other || !attribute.case_exact && folded_equal(attribute, one, other)
        }
        (left, right) => left == right,
    }
}

fn folded_equal(attribute: &Attribute, one: &str, other: &str) -> bool {
    if one.is_ascii() && other.is_ascii() {
        return one.eq_ignore_ascii_case(other);
    }
    fold::text(attribute, one) == fold::text(attribute, other)
}

/// Keeps the first of each element (RFC 7643 s2.4: never the same pair of type and value twice).
pub(super) fn keep_first(attribute: &Attribute, items: &mut Vec<Value>) {
    if items.len() < 2 {
        return;
    }
    let mut seen = HashSet::new();
    items.retain(|item| seen.insert(key(attribute, item)));
}

/// A text that is the same for two elements exactly when [`same`] holds.
fn key(attribute: &Attribute, item: &Value) -> String {
    let Value::Object(object) = item else {
        return simple(attribute, Some(item));
    };
    let part = |name: &str| match attribute.sub(name) {
        Some(sub) => simple(sub, object.get(name)),
        None => simple(attribute, object.get(name)),
    };
    if object.contains_key("value") {
        return format!("{} {}", part("value"), part("type"));
    }
    let mut members: Vec<String> =
        object.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
    members.sort_unstable();
    members.join(",")
}

fn simple(attribute: &Attribute, value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => format!("{:?}", fold::text(attribute, text)),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

/// Where each element of a list stands, for adding many.
pub(crate) struct Positions(HashMap<String, usize>);

impl Positions {
    /// The elements of a list.
    pub(crate) fn of(attribute: &Attribute, items: &[Value]) -> Self {
        let mut index = Self(HashMap::with_capacity(items.len()));
        for (at, item) in items.iter().enumerate() {
            index.note(attribute, item, at);
        }
        index
    }

    /// The position of the element that is the same as this.
    pub(crate) fn find(&self, attribute: &Attribute, item: &Value) -> Option<usize> {
        self.0.get(&key(attribute, item)).copied()
    }

    /// Notes an element.
    pub(crate) fn note(&mut self, attribute: &Attribute, item: &Value, at: usize) {
        self.0.entry(key(attribute, item)).or_insert(at);
    }
}
