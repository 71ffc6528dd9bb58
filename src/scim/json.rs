//! JSON as it comes in, read strictly: what two parsers could understand differently is refused.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::scim::error::Error;
use crate::scim::path::excerpt;

mod flaw;

use flaw::Kind;
pub use flaw::{Flaw, Position};

/// How large the parts of a body may be; its whole size is limited before it is read.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Objects and lists within each other.
    pub depth: usize,
    /// Bytes of one string.
    pub string: usize,
    /// Bytes of one member name; names of path-less PATCH values may be whole paths.
    pub key: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 64, string: 64 * 1024, key: 8 * 1024 }
    }
}

/// Reads a JSON text.
///
/// Refused beyond the grammar: members that occur twice, also in different case (RFC 8259 s4 calls
/// them unpredictable, SCIM names know no case), U+0000 (no database text can hold it), integers
/// beyond 64 bits, and whatever exceeds a limit.
pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Value, Error> {
    // RFC 8259 s8.1: a byte order mark may be ignored.
    let text = utf8(bytes)?;
    Ok(part(text.strip_prefix('\u{feff}').unwrap_or(text), limits)?)
}

/// Reads a part of a JSON text by the same rules; what is wrong has its place within the part.
pub fn part(text: &str, limits: &Limits) -> Result<Value, Flaw> {
    if text.trim_ascii().is_empty() {
        return Err(Flaw::empty());
    }
    let state = State { limits, refusal: RefCell::new(None) };
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Node { state: &state, depth: 0, name: None }.deserialize(&mut reader);
    let result = read.and_then(|value| reader.end().map(|()| value));
    result.map_err(|error| refusal(&state, &error))
}

/// The members of a JSON object; anything else is not a SCIM message.
pub fn object(value: Value) -> Result<Map<String, Value>, Error> {
    match value {
        Value::Object(members) => Ok(members),
        other => Err(Error::InvalidSyntax(format!(
            "The body is {}; a JSON object {{ … }} belongs here.",
            describe(&other)
        ))),
    }
}

/// What kind of JSON value this is, for an error sentence.
pub fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The bytes as text.
pub fn utf8(bytes: &[u8]) -> Result<&str, Flaw> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = Position::START.after(&bytes[..error.valid_up_to()]);
        let at = Position { column: before.column + 1, ..before };
        Flaw { kind: Kind::Encoding, at }
    })
}

/// Our own refusals travel beside serde's error, which knows only text; serde adds the position.
fn refusal(state: &State<'_>, error: &serde_json::Error) -> Flaw {
    let at = Position { line: error.line(), column: error.column() };
    let kind = state.refusal.take().unwrap_or_else(|| kind_of(error));
    Flaw { kind, at }
}

fn kind_of(error: &serde_json::Error) -> Kind {
    let text = error.to_string();
    // serde_json has no category for numbers that no f64 can hold.
    if text.starts_with("number out of range") {
        return Kind::Number;
    }
    let place = format!(" at line {} column {}", error.line(), error.column());
    Kind::Grammar(text.strip_suffix(&place).unwrap_or(&text).to_owned())
}

impl From<serde_json::Error> for Flaw {
    fn from(error: serde_json::Error) -> Self {
        let at = Position { line: error.line(), column: error.column() };
        Self { kind: kind_of(&error), at }
    }
}

struct State<'s> {
    limits: &'s Limits,
    refusal: RefCell<Option<Kind>>,
}

impl State<'_> {
    fn syntax<E: de::Error>(&self, text: String) -> E {
        *self.refusal.borrow_mut() = Some(Kind::Syntax(text));
        E::custom("refused")
    }

    fn value<E: de::Error>(&self, text: String) -> E {
        *self.refusal.borrow_mut() = Some(Kind::Value(text));
        E::custom("refused")
    }
}

/// One value of the text: how deep it stands and the member that holds it.
#[derive(Clone, Copy)]
struct Node<'s, 'n> {
    state: &'s State<'s>,
    depth: usize,
    name: Option<&'n str>,
}

impl Node<'_, '_> {
    fn deeper<E: de::Error>(&self) -> Result<usize, E> {
        let limit = self.state.limits.depth;
        if self.depth < limit {
            return Ok(self.depth + 1);
        }
        Err(self.state.syntax(format!("The body is nested more than {limit} levels deep.")))
    }

    fn named(&self) -> String {
        self.name.map_or_else(|| "The value".to_owned(), |name| format!("'{}'", excerpt(name)))
    }

    fn check_text<E: de::Error>(&self, text: &str) -> Result<(), E> {
        let limit = self.state.limits.string;
        if text.contains('\0') {
            return Err(self.state.value(format!(
                "{} contains the character U+0000, which no attribute may contain.",
                self.named()
            )));
        }
        if text.len() > limit {
            return Err(self.state.value(format!(
                "{} is {} bytes long; at most {limit} are allowed.",
                self.named(),
                text.len()
            )));
        }
        Ok(())
    }

    fn too_large<E: de::Error>(&self) -> E {
        self.state.value(format!(
            "{} is a number beyond 64 bits; whole numbers reach from {} to {}.",
            self.named(),
            i64::MIN,
            i64::MAX
        ))
    }

    fn check_key<E: de::Error>(&self, key: &str) -> Result<(), E> {
        let limit = self.state.limits.key;
        if key.contains('\0') {
            return Err(self.state.value(format!(
                "The member name '{}' contains the character U+0000.",
                excerpt(key)
            )));
        }
        if key.len() > limit {
            return Err(self.state.value(format!(
                "The member name '{}' is {} bytes long; at most {limit} are allowed.",
                excerpt(key),
                key.len()
            )));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value).map(Value::from).map_err(|_| self.too_large())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        // Integers beyond u64 come as f64 too; 2^63 is where an f64 without fraction leaves i64.
        if value.fract() == 0.0 && value.abs() >= 9_223_372_036_854_775_808.0 {
            return Err(self.too_large());
        }
        serde_json::Number::from_f64(value).map(Value::Number).ok_or_else(|| self.too_large())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        self.check_text(text)?;
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Value, E> {
        self.check_text(&text)?;
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(Node { depth, ..self })? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut members = Map::new();
        let mut seen: Option<HashSet<String>> = None;
        while let Some(key) = map.next_key::<String>()? {
            self.check_key(&key)?;
            if is_twice(&key, &members, &mut seen) {
                return Err(self.state.syntax(format!(
                    "The member '{}' occurs twice in one object; names are compared without case.",
                    excerpt(&key)
                )));
            }
            let value = map.next_value_seed(Node { depth, name: Some(&key), ..self })?;
            members.insert(key, value);
        }
        Ok(Value::Object(members))
    }
}

/// Below this many members an object is looked through; above, what it has is kept in a set.
const FEW: usize = 16;

fn is_twice(key: &str, members: &Map<String, Value>, seen: &mut Option<HashSet<String>>) -> bool {
    if members.len() < FEW {
        return members.keys().any(|known| known.eq_ignore_ascii_case(key));
    }
    let lower = |key: &str| key.to_ascii_lowercase();
    let seen = seen.get_or_insert_with(|| members.keys().map(|key| lower(key)).collect());
    !seen.insert(lower(key))
}

#[cfg(test)]
mod tests;
