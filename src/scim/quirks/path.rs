//! Paths of PATCH operations, only as far as rewriting needs them.

use serde_json::Value;

use super::Softener;
use crate::scim::path::{AttrPath, Place};

/// `attribute[filter].sub`, taken apart; whether the filter is one is the core's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path<'t> {
    /// What stands before the bracket.
    pub attribute: AttrPath,
    /// What stands inside.
    pub filter: Option<&'t str>,
    /// What follows.
    pub sub: Option<&'t str>,
}

impl<'t> Path<'t> {
    /// Reads a path; none when it is not one.
    pub(super) fn parse(text: &'t str) -> Option<Self> {
        let Some((head, rest)) = text.split_once('[') else {
            return Some(Self { attribute: AttrPath::parse(text).ok()?, filter: None, sub: None });
        };
        let end = closing(rest)?;
        let sub = match &rest[end + 1..] {
            "" => None,
            tail => Some(tail.strip_prefix('.')?),
        };
        let attribute = AttrPath::parse(head).ok()?;
        Some(Self { attribute, filter: Some(&rest[..end]), sub })
    }
}

/// Where the bracket closes that opened before this text; brackets in texts do not count.
fn closing(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ']' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

impl<'a> Softener<'a> {
    /// What the path names; the sub-attribute after a bracket counts.
    pub(super) fn place(&self, path: &Path<'_>) -> Option<Place<'a>> {
        let place = self.rt.resolve(&path.attribute)?;
        match (place, path.sub) {
            (place, None) => Some(place),
            (Place::Attribute { extension, attribute, sub: None }, Some(name)) => {
                Some(Place::Attribute { extension, attribute, sub: Some(attribute.sub(name)?) })
            }
            (Place::Attribute { .. } | Place::Extension(_), Some(_)) => None,
        }
    }

    /// Whether a key is a path rather than the name of an attribute or of a schema.
    pub(super) fn is_dotted(&self, key: &str) -> bool {
        let qualified = key.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("urn:"));
        (qualified || key.contains(['.', '['])) && !self.has_schema(key)
    }
}

/// `path op value` with the value as JSON.
pub(super) fn equals(name: &str, value: &Value) -> String {
    format!("{name} eq {value}")
}
