//! `bulkId:…` in the place of an id (RFC 7644 s3.7.2): where it may stand, and what takes its place.

use std::borrow::Cow;

use serde_json::Value;

use super::Method;
use crate::scim::error::Error;
use crate::scim::path::excerpt;

/// What stands before a bulkId where an id belongs.
pub const PREFIX: &str = "bulkId:";

/// Puts ids in the place of all references in an operation's data.
///
/// A reference is a text that is nothing but `bulkId:…`, wherever it stands; the end of a `$ref`; and
/// a literal in the path of a PATCH operation. One that `ids` does not know is an error.
pub fn substitute<'i>(
    method: Method,
    data: &mut Value,
    ids: &impl Fn(&str) -> Option<&'i str>,
) -> Result<(), Error> {
    let mut unknown = None;
    let mut found = |name: &str| {
        let id = ids(name).map(str::to_owned);
        if id.is_none() {
            unknown.get_or_insert_with(|| name.to_owned());
        }
        id
    };
    walk(method, data, &mut found);
    unknown.map_or(Ok(()), |name| Err(unknown_reference(&name)))
}

/// The refusal of a reference to a bulkId that no POST of the request has.
pub fn unknown_reference(name: &str) -> Error {
    Error::InvalidValue(format!(
        "'{PREFIX}{}' refers to nothing: no POST of this request has that bulkId.",
        excerpt(name)
    ))
}

/// The bulkIds that an operation's data refers to, each once, in the order of their appearance.
pub fn references(method: Method, data: &mut Value) -> Vec<Box<str>> {
    let mut all: Vec<Box<str>> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    walk(method, data, &mut |name| {
        if seen.insert(name.to_owned()) {
            all.push(name.into());
        }
        None
    });
    all
}

/// What takes the place of a bulkId; none leaves it as it is.
type Found<'f> = &'f mut dyn FnMut(&str) -> Option<String>;

fn walk(method: Method, data: &mut Value, found: Found<'_>) {
    // Paths of attributes are in PATCH operations alone.
    if method == Method::Patch
        && let Value::Object(message) = data
    {
        for (name, operations) in message.iter_mut() {
            if name.eq_ignore_ascii_case("Operations") {
                paths(operations, found);
            }
        }
    }
    values(data, found);
}

fn paths(operations: &mut Value, found: Found<'_>) {
    let operations = operations.as_array_mut().into_iter().flatten();
    for (name, value) in operations.filter_map(Value::as_object_mut).flatten() {
        if let Value::String(path) = value
            && name.eq_ignore_ascii_case("path")
            && let Some(changed) = in_path(path, found)
        {
            *path = changed;
        }
    }
}

fn values(value: &mut Value, found: Found<'_>) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => {
            if let Some(id) = text.strip_prefix(PREFIX).and_then(&mut *found) {
                *text = id;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| values(item, found)),
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                match value {
                    Value::String(text) if name.eq_ignore_ascii_case("$ref") => {
                        in_address(text, found);
                    }
                    value => values(value, found),
                }
            }
        }
    }
}

/// `/Users/bulkId:x`, or the reference alone.
fn in_address(text: &mut String, found: Found<'_>) {
    let start = text.rfind('/').map_or(0, |slash| slash + 1);
    if let Some(id) = text[start..].strip_prefix(PREFIX).and_then(found) {
        text.replace_range(start.., &id);
    }
}

/// `members[value eq "bulkId:x"]`, with quotes as the grammar asks for or without them.
fn in_path(path: &str, found: Found<'_>) -> Option<String> {
    if !path.contains(PREFIX) {
        return None;
    }
    let mut changed = String::with_capacity(path.len() + 32);
    let mut rest = path;
    while !rest.is_empty() {
        let (word, more) = rest.split_at(word_end(rest));
        let literal = if word.starts_with('"') {
            serde_json::from_str::<String>(word).ok().map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(word))
        };
        let id =
            literal.as_deref().and_then(|text| text.strip_prefix(PREFIX)).and_then(&mut *found);
        match id {
            Some(id) if word.starts_with('"') => {
                changed.push('"');
                changed.push_str(&id);
                changed.push('"');
            }
            Some(id) => changed.push_str(&id),
            None => changed.push_str(word),
        }
        rest = more;
    }
    (changed != path).then_some(changed)
}

/// Where the first word of a path ends: a literal in quotes, a run of other characters, or one
/// character that parts them.
fn word_end(text: &str) -> usize {
    let parts = |c: char| c.is_whitespace() || matches!(c, '[' | ']' | '(' | ')' | '"');
    let mut letters = text.char_indices();
    let Some((_, first)) = letters.next() else { return 0 };
    if first != '"' {
        return if parts(first) {
            first.len_utf8()
        } else {
            text.find(parts).unwrap_or(text.len())
        };
    }
    let mut escaped = false;
    for (place, letter) in letters {
        match letter {
            '"' if !escaped => return place + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests;
