//! Attribute paths: `urn:…:User:name.familyName`, and what they mean in a resource type.

use std::fmt;

use crate::scim::attribute::Attribute;
use crate::scim::error::Error;
use crate::scim::schema::Schema;

/// `[URN ":"] name ["." sub]` (RFC 7644 s3.10), as it was written.
///
/// A bare extension URN parses too: its last segment is then `name`; resolving tells the two apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttrPath {
    /// Schema URN, when the name was qualified.
    pub urn: Option<String>,
    /// Attribute name.
    pub name: String,
    /// Sub-attribute name.
    pub sub: Option<String>,
}

impl AttrPath {
    /// An unqualified path.
    pub fn new(name: &str, sub: Option<&str>) -> Self {
        Self { urn: None, name: name.to_owned(), sub: sub.map(str::to_owned) }
    }

    /// Reads a path. Names are `ALPHA *("$" / "-" / "_" / DIGIT / ALPHA)`; `$ref` is a name too
    /// (erratum 8924).
    ///
    /// The URN ends at the last colon, so that a version such as `2.0` inside it is no trouble.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (urn, rest) = match text.rsplit_once(':') {
            Some((urn, rest)) => (Some(urn), rest),
            None => (None, text),
        };
        let (name, sub) = match rest.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (rest, None),
        };
        // The last segment of a bare URN may look like `2.0User` or begin with a digit.
        let bad = urn.is_some_and(|urn| !is_urn(urn))
            || !(is_name(name) || urn.is_some() && is_urn_part(name))
            || sub.is_some_and(|sub| !(is_name(sub) || urn.is_some() && is_urn_part(sub)));
        if bad {
            return Err(Error::InvalidPath(format!(
                "'{}' is not an attribute path. Write name, name.subAttribute or urn:…:name.",
                excerpt(text)
            )));
        }
        Ok(Self { urn: urn.map(str::to_owned), name: name.to_owned(), sub: sub.map(str::to_owned) })
    }
}

impl fmt::Display for AttrPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(urn) = &self.urn {
            write!(f, "{urn}:")?;
        }
        f.write_str(&self.name)?;
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

/// What a path names in one resource type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place<'a> {
    /// An attribute, or a sub-attribute of it.
    Attribute {
        /// The extension that holds it; none for core and common attributes.
        extension: Option<&'a Schema>,
        /// The attribute.
        attribute: &'a Attribute,
        /// The sub-attribute, when the path goes that far.
        sub: Option<&'a Attribute>,
    },
    /// A whole extension, named by its bare URN.
    Extension(&'a Schema),
}

/// Whether this is an attribute name.
pub fn is_name(text: &str) -> bool {
    let rest = text.strip_prefix('$').unwrap_or(text);
    rest.starts_with(|first: char| first.is_ascii_alphabetic()) && is_urn_part(rest)
}

fn is_urn_part(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '$' | '-' | '_'))
}

fn is_urn(text: &str) -> bool {
    text.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("urn:"))
        && text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '[' | ']' | '(' | ')'))
}

/// At most the first 60 characters of what a client typed, for an error sentence.
pub fn excerpt(text: &str) -> String {
    let mut short: String =
        text.chars().take(60).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_urn_ends_at_the_last_colon() {
        let path = AttrPath::parse(
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
        )
        .unwrap();
        assert_eq!(
            path.urn.as_deref(),
            Some("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")
        );
        assert_eq!((path.name.as_str(), path.sub.as_deref()), ("manager", Some("value")));
    }

    #[test]
    fn malformed_paths_are_refused() {
        for text in ["", "1abc", "a..b", "/name", "a.", ".a", "a.b.c", "a b", "name:x", "urn:x:"] {
            assert!(AttrPath::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_prints_as_it_was_read() {
        for text in ["userName", "members.$ref", "urn:x:2.0:User:name.familyName"] {
            assert_eq!(AttrPath::parse(text).unwrap().to_string(), text);
        }
    }
}
