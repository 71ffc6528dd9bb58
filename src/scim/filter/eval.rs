//! Applies bound filters to documents in memory: for value paths in PATCH, and as the measure that
//! SQL has to agree with.

use std::cmp::Ordering;

use serde_json::Value;

use crate::scim::filter::{Bound, Op, Target};
use crate::scim::fold::{self, Doc, Key};

/// Whether the filter holds for a full document (with `id`, `meta` and everything else derived).
pub fn matches(bound: &Bound<'_>, full: &Doc) -> bool {
    holds(bound, &|target| {
        let root = match target.extension {
            Some(schema) => full.get(&schema.id).and_then(Value::as_object),
            None => Some(full),
        };
        let Some(value) = root.and_then(|root| root.get(&target.attribute.name)) else {
            return Vec::new();
        };
        let elements = flat(value);
        match target.sub {
            None => elements,
            Some(sub) => {
                elements.iter().filter_map(|item| item.get(&sub.name)).flat_map(flat).collect()
            }
        }
    })
}

/// Whether a filter from inside `attr[…]` holds for one element of the attribute.
pub fn matches_element(bound: &Bound<'_>, element: &Value) -> bool {
    holds(bound, &|target| match element {
        Value::Object(object) => object.get(&target.attribute.name).map_or_else(Vec::new, flat),
        simple => vec![simple],
    })
}

fn holds<'v>(bound: &Bound<'_>, values: &dyn Fn(&Target<'_>) -> Vec<&'v Value>) -> bool {
    match bound {
        Bound::And(terms) => terms.iter().all(|term| holds(term, values)),
        Bound::Or(terms) => terms.iter().any(|term| holds(term, values)),
        Bound::Not(inner) => !holds(inner, values),
        Bound::Never => false,
        Bound::Present(target) => values(target).into_iter().any(present),
        Bound::Compare { target, op: Op::Ne, key } => {
            !values(target).into_iter().any(|value| compares(target, value, Op::Eq, key))
        }
        Bound::Compare { target, op, key } => {
            values(target).into_iter().any(|value| compares(target, value, *op, key))
        }
        Bound::Within { target, filter } => {
            values(target).into_iter().any(|element| matches_element(filter, element))
        }
    }
}

/// The elements of a list, or the single value.
fn flat(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        single => vec![single],
    }
}

/// RFC 7644 s3.4.2.2 `pr`: not empty, and for a complex value at least one part that is not.
fn present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => items.iter().any(present),
        Value::Object(object) => object.values().any(present),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn compares(target: &Target<'_>, value: &Value, op: Op, key: &Key) -> bool {
    match (fold::key(target.leaf(), value), key) {
        (Some(Key::Text(left)), Key::Text(right)) => op.holds_text(&left, right),
        (Some(Key::Int(left)), Key::Int(right)) => op.holds_order(left.cmp(right)),
        (Some(Key::Bool(left)), Key::Bool(right)) => op.holds_order(left.cmp(right)),
        (Some(left), right) => match (real(&left), real(right)) {
            (Some(left), Some(right)) => {
                op.holds_order(left.partial_cmp(&right).unwrap_or(Ordering::Equal))
            }
            _ => false,
        },
        (None, _) => false,
    }
}

/// A number as SQL's DOUBLE PRECISION has it.
#[expect(clippy::cast_precision_loss, reason = "both databases lose the same digits")]
fn real(key: &Key) -> Option<f64> {
    match key {
        Key::Int(number) => Some(*number as f64),
        Key::Real(number) => Some(*number),
        Key::Text(_) | Key::Bool(_) => None,
    }
}
