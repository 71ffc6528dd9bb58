//! `bulkId:…` in the place of an id (RFC 7644 s3.7.2): where it may stand, and what takes its place.

use std::borrow::Cow;

use serde_json::Value;

use super::Method;
use crate::scim::error::Error;
use crate::scim::path::excerpt;

/// What stands before a bulkId where an id belongs.
pub const PREFIX: &str = "bulkId:";

/// What names other resources: where an id belongs, a `bulkId:…` is a reference.
const HOLDERS: [&str; 7] =
    ["members", "manager", "agentGroups", "departments", DEPARTMENT, "parent", AGENT];
/// A text where it belongs to a person, and an object where it belongs to a group of agents.
const DEPARTMENT: &str = "department";
/// Names a call agent by its id alone.
const AGENT: &str = "agentId";
/// What is never looked into, and never kept as it is.
const SECRET: &str = "password";

/// Puts ids in the place of all references in an operation's data.
///
/// A reference is a text that is nothing but `bulkId:…` where the id of a member, of a manager, of a
/// call agent or of what it belongs to stands; the end of a `$ref`; and a literal in the path of a PATCH operation about those. Texts at
/// other places mean what they say. A reference that `ids` does not know is an error.
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
    match (method, data) {
        (Method::Patch, Value::Object(message)) => {
            for (name, operations) in message.iter_mut() {
                if name.eq_ignore_ascii_case("Operations") {
                    operations.as_array_mut().into_iter().flatten().for_each(|operation| {
                        in_operation(operation, found);
                    });
                }
            }
        }
        (Method::Patch, _) => {}
        (Method::Post | Method::Put | Method::Delete, data) => values(data, Spot::Plain, found),
    }
}

/// An operation of a PATCH: its path says what its value is.
fn in_operation(operation: &mut Value, found: Found<'_>) {
    let Value::Object(members) = operation else { return };
    let path = members.iter().find(|(name, _)| name.eq_ignore_ascii_case("path"));
    let spot = path.and_then(|(_, path)| path.as_str()).map_or(Spot::Plain, Spot::of);
    for (name, value) in members.iter_mut() {
        if name.eq_ignore_ascii_case("value") {
            values(value, spot, found);
        } else if let Value::String(path) = value
            && name.eq_ignore_ascii_case("path")
            && may_hold(path)
            && let Some(changed) = in_path(path, found)
        {
            *path = changed;
        }
    }
}

/// Whether the literals in a path may be references.
fn may_hold(path: &str) -> bool {
    match Spot::of(path.split('[').next().unwrap_or(path)) {
        Spot::Holder | Spot::Object | Spot::Id | Spot::Address => true,
        Spot::Plain | Spot::Secret => false,
    }
}

/// What a text may be, by where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spot {
    /// What it says.
    Plain,
    /// A member or a manager: an object with its id, or the id alone.
    Holder,
    /// The same as an object; a text means what it says.
    Object,
    /// An id.
    Id,
    /// The address of a resource.
    Address,
    /// Nobody's business.
    Secret,
}

impl Spot {
    /// The place that a name or a path means, such as `members[value eq "x"].value`.
    fn of(path: &str) -> Self {
        let (head, tail) = match (path.find('['), path.rfind(']')) {
            (Some(open), Some(close)) if open < close => (&path[..open], &path[close + 1..]),
            _ => (path, ""),
        };
        let name = head.rsplit(':').next().unwrap_or(head).trim();
        let (name, sub) = name.split_once('.').unwrap_or((name, tail.trim_start_matches('.')));
        if name.eq_ignore_ascii_case(SECRET) {
            return Self::Secret;
        }
        if name.eq_ignore_ascii_case(DEPARTMENT) {
            return if sub.is_empty() { Self::Object } else { Self::Object.below(sub) };
        }
        if HOLDERS.iter().any(|holder| name.eq_ignore_ascii_case(holder)) {
            return if sub.is_empty() { Self::Holder } else { Self::Holder.below(sub) };
        }
        if name.eq_ignore_ascii_case("$ref") { Self::Address } else { Self::Plain.below(sub) }
    }

    /// The place of a member of what stands here.
    fn below(self, name: &str) -> Self {
        if name.eq_ignore_ascii_case("$ref") {
            return Self::Address;
        }
        match self {
            Self::Holder | Self::Object if name.eq_ignore_ascii_case("value") => Self::Id,
            Self::Plain if !name.is_empty() => Self::of(name),
            Self::Plain | Self::Holder | Self::Object | Self::Id | Self::Address => Self::Plain,
            Self::Secret => Self::Secret,
        }
    }
}

fn values(value: &mut Value, spot: Spot, found: Found<'_>) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => match spot {
            Spot::Holder | Spot::Id => {
                if let Some(id) = text.strip_prefix(PREFIX).and_then(&mut *found) {
                    *text = id;
                }
            }
            Spot::Address => in_address(text, found),
            Spot::Plain | Spot::Object | Spot::Secret => {}
        },
        Value::Array(items) => items.iter_mut().for_each(|item| values(item, spot, found)),
        Value::Object(_) if spot == Spot::Secret => {}
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                values(value, spot.below(name), found);
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

/// Whether a password may stand in a text of JSON, also behind escapes, and as JSON within a text.
pub(super) fn may_hold_password(text: &str) -> bool {
    let bytes = text.as_bytes();
    let names_it = |at: usize| {
        let word = bytes.get(at..at + SECRET.len());
        word.is_some_and(|word| word.eq_ignore_ascii_case(SECRET.as_bytes()))
    };
    // A letter of its name, written as `\u00..`: no client that means well does that.
    let hides_it = |at: usize| {
        bytes[at..].starts_with(b"\\u00") && matches!(bytes.get(at + 4), Some(b'4'..=b'7'))
    };
    (0..bytes.len()).any(|at| match bytes[at] {
        b'p' | b'P' => names_it(at),
        b'\\' => hides_it(at),
        _ => false,
    })
}

#[cfg(test)]
mod tests;
