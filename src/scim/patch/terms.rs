//! What the filter of a path says about an element that is to be made.

use serde_json::{Map, Value};

use crate::scim::accept::{self, Rules};
use crate::scim::attribute::{Attribute, Type};
use crate::scim::error::Error;
use crate::scim::filter::{Filter, Literal, Op};
use crate::scim::path::AttrPath;
use crate::scim::quirks::Quirk;

/// The ids of a filter that is only `value eq "…"`, joined with or.
pub(super) fn ids(filter: &Filter) -> Option<Vec<String>> {
    match filter {
        Filter::Compare { path, op: Op::Eq, value: Literal::Text(text) }
            if path.sub.is_none() && path.name.eq_ignore_ascii_case("value") =>
        {
            Some(vec![text.clone()])
        }
        Filter::Or(all) => {
            let lists: Option<Vec<Vec<String>>> = all.iter().map(ids).collect();
            lists.map(|lists| lists.concat())
        }
        Filter::Compare { .. }
        | Filter::And(_)
        | Filter::Not(_)
        | Filter::Present(_)
        | Filter::Within { .. } => None,
    }
}

/// The element that fulfils a filter of `attribute eq value` terms joined with and; none when the
/// filter says anything else.
pub(super) fn element(
    attribute: &Attribute,
    at: &str,
    filter: &Filter,
    rules: Rules,
) -> Result<Option<Value>, Error> {
    let mut found = Vec::new();
    if !collect(filter, &mut found) {
        return Ok(None);
    }
    if !attribute.is_complex() {
        return Ok(match found.as_slice() {
            [(_, literal)] => accept::element(attribute, at, plain(literal), rules)?,
            _ => None,
        });
    }
    let mut object = Map::new();
    for (path, literal) in found {
        let name = path.sub.as_deref().unwrap_or(&path.name);
        let Some(sub) = attribute.sub(name) else { return Ok(None) };
        if sub.is_read_only() || !sub.is_stored() {
            return Ok(None);
        }
        let value = boolean(sub, literal, rules).unwrap_or_else(|| plain(literal));
        let at = format!("{at}.{}", sub.name);
        if let Some(value) = accept::value(sub, &at, value, rules)? {
            object.insert(sub.name.clone(), value);
        }
    }
    Ok(Some(Value::Object(object)))
}

fn collect<'f>(filter: &'f Filter, found: &mut Vec<(&'f AttrPath, &'f Literal)>) -> bool {
    match filter {
        Filter::Compare { path, op: Op::Eq, value } => {
            found.push((path, value));
            true
        }
        Filter::And(all) => all.iter().all(|part| collect(part, found)),
        Filter::Compare { .. }
        | Filter::Or(_)
        | Filter::Not(_)
        | Filter::Present(_)
        | Filter::Within { .. } => false,
    }
}

fn plain(literal: &Literal) -> Value {
    match literal {
        Literal::Text(text) => Value::from(text.as_str()),
        Literal::Number(number) => Value::Number(number.clone()),
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Null => Value::Null,
    }
}

/// `primary eq "True"`, as Entra writes it.
fn boolean(sub: &Attribute, literal: &Literal, rules: Rules) -> Option<Value> {
    let Literal::Text(text) = literal else { return None };
    if sub.kind != Type::Boolean || !rules.quirks.on(Quirk::TextBooleanInFilter) {
        return None;
    }
    let word = [("true", true), ("false", false)];
    word.into_iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, is)| is.into())
}
