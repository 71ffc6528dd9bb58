//! Which operator and which value fit an attribute's type (RFC 7644 table 3).

use crate::scim::attribute::{Attribute, Type};
use crate::scim::error::Error;
use crate::scim::filter::{Literal, Op, Target};
use crate::scim::fold::{self, Key};
use crate::scim::path::{AttrPath, excerpt};
use crate::scim::quirks::{Quirk, Quirks};

/// The operator, when the comparison is one with null; only `eq` and `ne` can be.
pub(super) fn null(op: Op, value: &Literal, path: &AttrPath) -> Result<Option<Op>, Error> {
    if *value != Literal::Null {
        return Ok(None);
    }
    match op {
        Op::Eq | Op::Ne => Ok(Some(op)),
        Op::Co | Op::Sw | Op::Ew | Op::Gt | Op::Ge | Op::Lt | Op::Le => {
            Err(Error::InvalidFilter(format!(
                "'{}' {op} null: null can only be compared with eq and ne.",
                excerpt(&path.to_string())
            )))
        }
    }
}

/// Refuses an operator that the type of the attribute does not have.
pub(super) fn check(target: &Target<'_>, op: Op) -> Result<(), Error> {
    let (fits, allowed) = match target.leaf().kind {
        Type::String | Type::Reference => (true, ""),
        Type::Boolean => (!op.is_order() && !op.is_substring(), "eq, ne and pr"),
        Type::Binary => (!op.is_order(), "eq, ne, co, sw, ew and pr"),
        Type::Integer | Type::Decimal | Type::DateTime => {
            (!op.is_substring(), "eq, ne, gt, ge, lt, le and pr")
        }
        Type::Complex => (false, "pr"),
    };
    if fits {
        return Ok(());
    }
    Err(Error::InvalidFilter(format!(
        "'{}' cannot be compared with {op}: it is {}. It has {allowed}.",
        target.name(),
        described(target.leaf())
    )))
}

/// The normal form of an operand.
pub(super) fn key(target: &Target<'_>, value: &Literal, quirks: Quirks) -> Result<Key, Error> {
    let leaf = target.leaf();
    let loose = quirks.on(Quirk::BareWord);
    let found = match (leaf.kind, value) {
        (Type::String | Type::Reference | Type::Binary, Literal::Text(text)) => {
            Some(Key::Text(fold::text(leaf, text)))
        }
        // A client that leaves out quotes does so for 123 and true as well.
        (Type::String | Type::Reference | Type::Binary, Literal::Number(_) | Literal::Bool(_))
            if loose =>
        {
            Some(Key::Text(fold::text(leaf, &value.to_string())))
        }
        (Type::Boolean, Literal::Bool(value)) => Some(Key::Bool(*value)),
        (Type::Boolean, Literal::Text(text)) if quirks.on(Quirk::TextBooleanInFilter) => {
            boolean(text)
        }
        (Type::Integer, Literal::Number(number)) => {
            number.as_i64().map(Key::Int).or_else(|| number.as_f64().map(Key::Real))
        }
        (Type::Decimal, Literal::Number(number)) => number.as_f64().map(Key::Real),
        (Type::DateTime, Literal::Text(text)) => fold::moment(text).map(Key::Int),
        (
            Type::String
            | Type::Reference
            | Type::Binary
            | Type::Boolean
            | Type::Integer
            | Type::Decimal
            | Type::DateTime
            | Type::Complex,
            Literal::Text(_) | Literal::Number(_) | Literal::Bool(_) | Literal::Null,
        ) => None,
    };
    found.ok_or_else(|| {
        Error::InvalidFilter(format!(
            "'{}' is {} and cannot be compared with {}.",
            target.name(),
            described(leaf),
            excerpt(&value.to_string())
        ))
    })
}

fn boolean(text: &str) -> Option<Key> {
    [("true", true), ("false", false)]
        .into_iter()
        .find(|(word, _)| text.eq_ignore_ascii_case(word))
        .map(|(_, value)| Key::Bool(value))
}

fn described(attribute: &Attribute) -> &'static str {
    match attribute.kind {
        Type::String => "a text in double quotes",
        Type::Boolean => "true or false",
        Type::Decimal => "a number",
        Type::Integer => "a whole number",
        Type::DateTime => "a moment such as \"2026-01-31T08:00:00Z\"",
        Type::Binary => "a Base64 text",
        Type::Reference => "a URI in double quotes",
        Type::Complex => "an object",
    }
}
