//! One operation from its text.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::scim::bulk::{Method, Operation, PREFIX, Problem, references};
use crate::scim::error::Error;
use crate::scim::json::{self, Flaw, Position};
use crate::scim::path::excerpt;
use crate::scim::quirks::{Quirk, Quirks};

/// The text of an operation and where it stands in the request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'t> {
    pub(super) text: &'t str,
    pub(super) began: Position,
    pub(super) limits: &'t json::Limits,
}

/// Members as they stand there: grammatical, and not looked into.
struct Members<'t>(Vec<(String, &'t RawValue)>);

/// The members that mean something.
#[derive(Default)]
struct Found<'t> {
    method: Option<&'t RawValue>,
    path: Option<&'t RawValue>,
    bulk_id: Option<&'t RawValue>,
    version: Option<&'t RawValue>,
    data: Option<&'t RawValue>,
    twice: Option<String>,
}

impl<'t> Place<'t> {
    /// Reads the operation. A breach of JSON's grammar concerns the whole request, since what comes
    /// after it has no meaning; whatever else is wrong concerns this operation alone.
    pub(super) fn read(self, quirks: Quirks) -> Result<Operation, Flaw> {
        if !self.text.starts_with('{') {
            let value = json::part(self.text, self.limits);
            let what = match value {
                Ok(value) => json::describe(&value),
                Err(flaw) => {
                    serde_json::from_str::<&RawValue>(self.text).map_err(|_| self.moved(flaw))?;
                    "no object"
                }
            };
            return Ok(refused(Operation::default(), no_object(what)));
        }
        let members = serde_json::from_str::<Members<'t>>(self.text);
        let members = members.map_err(|error| self.moved(error.into()))?;
        Ok(self.operation(&Found::among(members), quirks))
    }

    fn operation(self, found: &Found<'t>, quirks: Quirks) -> Operation {
        let mut operation = Operation::default();
        let mut problem = found.twice.as_deref().map(twice);
        let mut note = |error| {
            problem.get_or_insert(error);
        };
        match self.text_of("method", found.method).and_then(|name| method(name.as_deref())) {
            Ok(method) => operation.method = Some(method),
            Err(error) => note(error),
        }
        match self.text_of("path", found.path).and_then(needed_path) {
            Ok(path) => operation.path = path,
            Err(error) => note(error),
        }
        let name = self.text_of("bulkId", found.bulk_id);
        match name.and_then(|name| bulk_id(operation.method, name)) {
            Ok(name) => operation.bulk_id = name,
            Err(error) => note(error),
        }
        let version = self.text_of("version", found.version);
        match version.and_then(|version| needed_version(operation.method, version)) {
            Ok(version) => operation.version = version,
            Err(error) => note(error),
        }
        if let Some(method) = operation.method.filter(|method| method.has_data()) {
            match self.data(method, found.data, quirks) {
                Ok((data, names)) => {
                    operation.data = Some(data);
                    operation.references = with_path(&operation.path, names);
                }
                Err(error) => note(error),
            }
        } else {
            operation.references = with_path(&operation.path, Vec::new());
        }
        operation.problem = problem.map(|error| Box::new(Problem::Scim(error)));
        operation
    }

    fn text_of(self, name: &str, raw: Option<&RawValue>) -> Result<Option<Box<str>>, Error> {
        let Some(raw) = raw else { return Ok(None) };
        match self.value(raw)? {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.into())),
            other => Err(Error::InvalidSyntax(format!(
                "{name}: this is {}; a text belongs there.",
                json::describe(&other)
            ))),
        }
    }

    /// The data as compact text, and the bulkIds in it.
    fn data(
        self,
        method: Method,
        raw: Option<&RawValue>,
        quirks: Quirks,
    ) -> Result<(Box<RawValue>, Vec<Box<str>>), Error> {
        let missing = || {
            Error::InvalidSyntax(format!(
                "data: missing; {method} needs the body that a single request would have."
            ))
        };
        let raw = raw.ok_or_else(missing)?;
        let mut value = self.value(raw)?;
        // The last example of RFC 7644 s3.7.3 has the operations alone; erratum 5050.
        let alone = value.is_array() && method == Method::Patch && quirks.on(Quirk::NoSchemas);
        if alone {
            value = json!({ "Operations": value });
        }
        let names = if may_refer(raw.get()) { references(method, &mut value) } else { Vec::new() };
        let text = match value {
            Value::Null => return Err(missing()),
            Value::Object(_) if alone => {
                RawValue::from_string(format!("{{\"Operations\":{}}}", raw.get()))
                    .map_or_else(|_| raw.to_owned(), |whole| compact(&whole))
            }
            Value::Object(_) => compact(raw),
            other => {
                return Err(Error::InvalidSyntax(format!(
                    "data: this is {}; an object belongs there, the body of a single {method}.",
                    json::describe(&other)
                )));
            }
        };
        Ok((text, names))
    }

    fn value(self, raw: &RawValue) -> Result<Value, Error> {
        json::part(raw.get(), self.limits).map_err(|flaw| {
            let offset = raw.get().as_ptr().addr() - self.text.as_ptr().addr();
            let before = Position::START.after(&self.text.as_bytes()[..offset]);
            self.moved(flaw.within(before)).into()
        })
    }

    fn moved(self, flaw: Flaw) -> Flaw {
        flaw.within(self.began)
    }
}

impl<'t> Found<'t> {
    fn among(Members(members): Members<'t>) -> Self {
        let mut found = Self::default();
        for (name, value) in members {
            let place = match name.to_ascii_lowercase().as_str() {
                "method" => &mut found.method,
                "path" => &mut found.path,
                "bulkid" => &mut found.bulk_id,
                "version" => &mut found.version,
                "data" => &mut found.data,
                _ => continue,
            };
            if place.replace(value).is_some() {
                found.twice.get_or_insert(name);
            }
        }
        found
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Whole;
        impl<'de> Visitor<'de> for Whole {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(5);
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        reader.deserialize_map(Whole)
    }
}

fn refused(operation: Operation, error: Error) -> Operation {
    Operation { problem: Some(Box::new(Problem::Scim(error))), ..operation }
}

fn no_object(what: &str) -> Error {
    Error::InvalidSyntax(format!(
        "The operation is {what}; an object with method, path and data belongs there."
    ))
}

fn twice(name: &str) -> Error {
    Error::InvalidSyntax(format!(
        "{}: occurs twice in the operation; names are compared without case.",
        excerpt(name)
    ))
}

fn method(name: Option<&str>) -> Result<Method, Error> {
    let Some(name) = name else {
        return Err(Error::InvalidSyntax(
            "method: missing; POST, PUT, PATCH or DELETE belongs there.".to_owned(),
        ));
    };
    Method::from_name(name).ok_or_else(|| {
        Error::InvalidSyntax(format!(
            "method: '{}' is not possible in a bulk request; POST, PUT, PATCH and DELETE are.",
            excerpt(name)
        ))
    })
}

fn needed_path(path: Option<Box<str>>) -> Result<Box<str>, Error> {
    path.filter(|path| !path.trim().is_empty()).ok_or_else(|| {
        Error::InvalidSyntax("path: missing; such as /Users for POST, else /Users/….".to_owned())
    })
}

/// Clients send empty ones with other methods.
fn bulk_id(method: Option<Method>, name: Option<Box<str>>) -> Result<Option<Box<str>>, Error> {
    let name = name.filter(|name| !name.is_empty());
    if method == Some(Method::Post) && name.is_none() {
        return Err(Error::InvalidSyntax(
            "bulkId: missing; a POST needs one of its own, by which others may refer to it."
                .to_owned(),
        ));
    }
    Ok(name)
}

/// An empty one is no condition, and whoever sends it means one.
fn needed_version(
    method: Option<Method>,
    version: Option<Box<str>>,
) -> Result<Option<Box<str>>, Error> {
    let is_empty = version.as_ref().is_some_and(|version| version.trim().is_empty());
    if !is_empty {
        return Ok(version);
    }
    if method == Some(Method::Post) {
        return Ok(None);
    }
    Err(Error::InvalidValue(
        "version: empty; meta.version of the resource belongs there, such as W/\"1\", or nothing."
            .to_owned(),
    ))
}

/// Whether a text may hold a reference; an escape may hide one.
fn may_refer(text: &str) -> bool {
    text.contains(PREFIX) || text.contains("\\u")
}

fn with_path(path: &str, mut names: Vec<Box<str>>) -> Box<[Box<str>]> {
    if let Some(name) = super::super::target::reference(path)
        && !names.iter().any(|known| **known == *name)
    {
        names.insert(0, name.into());
    }
    names.into()
}

/// The same without the blanks between its parts; numbers and strings stay as they are written.
fn compact(raw: &RawValue) -> Box<RawValue> {
    let text = raw.get();
    if !text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        return raw.to_owned();
    }
    let mut short = Vec::with_capacity(text.len());
    let (mut inside, mut escaped) = (false, false);
    for byte in text.bytes() {
        if inside {
            inside = byte != b'"' || escaped;
            escaped = byte == b'\\' && !escaped;
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            inside = byte == b'"';
        }
        short.push(byte);
    }
    let short = String::from_utf8(short).ok().and_then(|short| RawValue::from_string(short).ok());
    short.unwrap_or_else(|| raw.to_owned())
}
