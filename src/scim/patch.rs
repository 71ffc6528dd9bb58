//! PATCH (RFC 7644 s3.5.2): operations on a document, in order, all or none.

use serde_json::Value;

use crate::scim::Doc;
use crate::scim::accept::{self, MemberRef, Password, Rules};
use crate::scim::error::Error;
use crate::scim::filter::Filter;
use crate::scim::path::excerpt;
use crate::scim::quirks::{Quirk, Quirks};
use crate::scim::resource_type::ResourceType;
use crate::scim::{json, urn};

mod attribute;
mod elements;
mod extension;
mod fold;
mod members;
mod schemas;
mod target;
mod terms;
mod work;

use target::Target;
use work::{Spot, Work};

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Adds values or sets them.
    Add,
    /// Takes values away.
    Remove,
    /// Puts values in the place of others.
    Replace,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Add, Self::Remove, Self::Replace];

    /// The word in the message.
    pub fn word(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
        }
    }
}

/// One operation of a PATCH.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// What it does.
    pub op: Kind,
    /// Where; none means the resource itself.
    pub path: Option<String>,
    /// With what; `null` is a value too.
    pub value: Option<Value>,
}

/// What the operations came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Patched {
    /// The document; equal to the one before when nothing changed.
    pub doc: Doc,
    /// The password: untouched, cleared, or set.
    pub password: Password,
    /// Changes of the members, in order.
    pub members: Vec<MemberChange>,
}

/// A change of a group's members. They are no part of the document, so that adding one does not
/// read the others.
#[derive(Debug, Clone, PartialEq)]
pub enum MemberChange {
    /// These belong to the group too.
    Add(Vec<MemberRef>),
    /// These, by id, do not belong to it any more.
    Remove(Vec<String>),
    /// Those that fulfil the filter (its names are sub-attributes) do not belong to it any more.
    RemoveWhere(Filter),
    /// Nobody belongs to it any more.
    Clear,
    /// These belong to it and nobody else.
    Replace(Vec<MemberRef>),
}

/// Reads the message of a PATCH.
pub fn parse(body: Value, quirks: Quirks) -> Result<Vec<Operation>, Error> {
    let (mut listed, mut operations) = (None, None);
    for (key, value) in json::object(body)? {
        if key.eq_ignore_ascii_case("schemas") {
            listed = Some(value);
        } else if key.eq_ignore_ascii_case("Operations") {
            operations = Some(value);
        }
    }
    let urns = listed.as_ref().and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if !urns.iter().filter_map(Value::as_str).any(|found| urn::same(found, urn::PATCH)) {
        return Err(Error::InvalidSyntax(format!(
            "schemas is missing or does not list '{}', the schema of a PATCH.",
            urn::PATCH
        )));
    }
    let Some(Value::Array(operations)) = operations else {
        return Err(Error::InvalidSyntax(
            "Operations is missing or is no list; a PATCH has a list of at least one operation."
                .into(),
        ));
    };
    if operations.is_empty() && !quirks.on(Quirk::EmptyOperations) {
        return Err(Error::InvalidSyntax(
            "Operations is empty; a PATCH has at least one operation.".into(),
        ));
    }
    operations
        .into_iter()
        .enumerate()
        .map(|(index, value)| {
            operation(value).map_err(|error| error.after(&format!("Operation {}: ", index + 1)))
        })
        .collect()
}

/// Members of an operation beyond the three are ignored: Entra sends a `name`.
fn operation(value: Value) -> Result<Operation, Error> {
    let Value::Object(members) = value else {
        return Err(Error::InvalidSyntax(format!(
            "This is {}; an object with op, path and value belongs there.",
            json::describe(&value)
        )));
    };
    let (mut op, mut path, mut found) = (None, None, None);
    for (key, value) in members {
        if key.eq_ignore_ascii_case("op") {
            op = Some(kind(&value)?);
        } else if key.eq_ignore_ascii_case("path") {
            path = match value {
                Value::Null => None,
                Value::String(text) => Some(text),
                other => {
                    return Err(Error::InvalidPath(format!(
                        "path is {}; a string belongs there.",
                        json::describe(&other)
                    )));
                }
            };
        } else if key.eq_ignore_ascii_case("value") {
            found = Some(value);
        }
    }
    let Some(op) = op else {
        return Err(Error::InvalidSyntax("op is missing; it is add, remove or replace.".into()));
    };
    Ok(Operation { op, path, value: found })
}

fn kind(value: &Value) -> Result<Kind, Error> {
    let Value::String(text) = value else {
        return Err(Error::InvalidSyntax(format!(
            "op is {}; it is \"add\", \"remove\" or \"replace\".",
            json::describe(value)
        )));
    };
    Kind::ALL.into_iter().find(|kind| kind.word() == text).ok_or_else(|| {
        Error::InvalidSyntax(format!(
            "op is '{}'; it is \"add\", \"remove\" or \"replace\".",
            excerpt(text)
        ))
    })
}

/// What the operations make of the document. They see each other's results; when one fails,
/// nothing has changed (RFC 7644 s3.5.2).
pub fn apply(
    rt: &ResourceType,
    before: &Doc,
    operations: &[Operation],
    rules: Rules,
) -> Result<Patched, Error> {
    let mut work = Work::new(rt, before, rules);
    for (index, operation) in operations.iter().enumerate() {
        step(&mut work, operation).map_err(|error| error.after(&place(index, operation)))?;
    }
    let mut result = work.result;
    result.members = fold::fold(result.members);
    accept::finish(rt, &mut result.doc);
    accept::check(rt, &result.doc, rules)?;
    Ok(result)
}

fn place(index: usize, operation: &Operation) -> String {
    let number = index + 1;
    let op = operation.op.word();
    match &operation.path {
        Some(path) => format!("Operation {number} ({op} {}): ", excerpt(path)),
        None => format!("Operation {number} ({op}): "),
    }
}

fn step(work: &mut Work<'_>, operation: &Operation) -> Result<(), Error> {
    let Some(path) = &operation.path else {
        return whole(work, operation);
    };
    let target = target::read(work.rt, path, work.rules.quirks)?;
    if let (Kind::Remove, Target::Attribute(spot), Some(listed)) =
        (operation.op, &target, &operation.value)
    {
        refuse_unreadable(work.rules.quirks, *spot, listed)?;
    }
    let value = match (operation.op, &operation.value) {
        // RFC 7644 s3.5.2.2 knows no value beside remove.
        (Kind::Remove, _) => Value::Null,
        (Kind::Add | Kind::Replace, Some(value)) => value.clone(),
        (Kind::Add | Kind::Replace, None) => {
            return Err(Error::InvalidValue(format!(
                "value is missing; {} needs one.",
                operation.op.word()
            )));
        }
    };
    match target {
        Target::Extension(schema) => extension::apply(work, operation.op, schema, value),
        Target::Attribute(spot) => attribute::by_path(work, operation.op, spot, value),
        Target::Elements { spot, filter, bound } => {
            let chosen = elements::Chosen { filter: &filter, bound: &bound };
            elements::by_path(work, operation.op, (spot, chosen), value)
        }
    }
}

/// A list beside `remove` names what to remove and has become a filter before (quirk 4). One that is
/// still there could not be read, and must not mean "all".
fn refuse_unreadable(quirks: Quirks, spot: Spot<'_>, listed: &Value) -> Result<(), Error> {
    let whole = spot.sub.is_none() && spot.attribute.multi && !spot.attribute.is_read_only();
    if !whole || listed.is_null() || !quirks.on(Quirk::RemoveListed) {
        return Ok(());
    }
    Err(Error::InvalidValue(
        "value lists what to remove: objects with a 'value', or texts. Leave it out to remove all."
            .into(),
    ))
}

/// An operation without a path: its value is a part of the resource.
fn whole(work: &mut Work<'_>, operation: &Operation) -> Result<(), Error> {
    let members = match (operation.op, &operation.value) {
        // RFC 7644 s3.5.2.2: "If 'path' is unspecified, the operation fails".
        (Kind::Remove, _) => {
            return Err(Error::NoTarget(
                "path is missing; remove needs one that says what to remove.".into(),
            ));
        }
        (Kind::Add | Kind::Replace, Some(Value::Object(members))) => members,
        (Kind::Add | Kind::Replace, other) => {
            return Err(Error::InvalidValue(format!(
                "value is {}; without a path it is an object of attributes.",
                other.as_ref().map_or("missing", json::describe)
            )));
        }
    };
    for (key, value) in members {
        let value = value.clone();
        if let Some(extension) = work.rt.extension(key) {
            extension::merge(work, operation.op, &extension.schema, value)?;
        } else if let Some(found) = work.rt.core(key) {
            attribute::in_object(work, operation.op, (None, found), value)?;
        } else {
            return Err(target::unknown(key, work.rt));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
