//! Versions as entity tags, and the conditions that requests put on them (RFC 7644 s3.14).

use crate::scim::error::Error;

/// The `ETag` of a version; weak, since an answer may show more or less of the same state.
pub fn of(version: i64) -> String {
    format!("W/\"{version}\"")
}

/// The value of `If-Match` or `If-None-Match`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tags {
    /// `*`: any version of a resource that exists.
    Any,
    /// These opaque tags.
    List(Vec<String>),
}

impl Tags {
    /// Reads the value of the header.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.trim() == "*" {
            return Ok(Self::Any);
        }
        let mut tags = Vec::new();
        let mut rest = text.trim_start_matches([' ', '\t', ',']);
        while !rest.is_empty() {
            let (tag, tail) = tag(rest).ok_or_else(|| {
                Error::InvalidValue(format!(
                    "'{}' is not an ETag. Send the ETag header or meta.version as it came, such \
                     as W/\"1\".",
                    crate::scim::path::excerpt(rest)
                ))
            })?;
            tags.push(tag.to_owned());
            rest = tail.trim_start_matches([' ', '\t', ',']);
        }
        Ok(Self::List(tags))
    }

    /// Whether a resource at this version is among them.
    ///
    /// The comparison is weak for `If-Match` too: a strong one never matches a weak tag, and the
    /// examples of RFC 7644 s3.14 match them.
    pub fn matches(&self, version: i64) -> bool {
        match self {
            Self::Any => true,
            Self::List(tags) => tags.iter().any(|tag| *tag == version.to_string()),
        }
    }
}

/// What the conditions of a request say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The request is carried out.
    Proceed,
    /// 304: the client has this version.
    NotModified,
    /// 412: nothing is done.
    Failed,
}

/// The conditions of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    /// `If-Match`.
    pub matches: Option<Tags>,
    /// `If-None-Match`.
    pub none_match: Option<Tags>,
}

impl Conditions {
    /// Reads the two headers.
    pub fn parse(if_match: Option<&str>, if_none_match: Option<&str>) -> Result<Self, Error> {
        let matches = if_match.map(Tags::parse).transpose()?;
        let none_match = if_none_match.map(Tags::parse).transpose()?;
        Ok(Self { matches, none_match })
    }

    /// Whether there are any.
    pub fn any(&self) -> bool {
        self.matches.is_some() || self.none_match.is_some()
    }

    /// The verdict on a resource that exists at this version; `reads` for GET and HEAD.
    pub fn verdict(&self, version: i64, reads: bool) -> Verdict {
        // RFC 9110 s13.2.2: If-Match first.
        if self.matches.as_ref().is_some_and(|tags| !tags.matches(version)) {
            return Verdict::Failed;
        }
        match &self.none_match {
            Some(tags) if tags.matches(version) && reads => Verdict::NotModified,
            Some(tags) if tags.matches(version) => Verdict::Failed,
            Some(_) | None => Verdict::Proceed,
        }
    }
}

/// The opaque tag at the head of a list (RFC 9110 s8.8.3), and what follows it.
fn tag(text: &str) -> Option<(&str, &str)> {
    let opened = text.strip_prefix("W/").unwrap_or(text).strip_prefix('"')?;
    let (opaque, rest) = opened.split_once('"')?;
    let clean = opaque.chars().all(|c| c == '!' || c >= '#' && c != '\u{7f}');
    let ends = rest.trim_start_matches([' ', '\t']);
    (clean && (ends.is_empty() || ends.starts_with(','))).then_some((opaque, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves SCIM-441, SCIM-442.
    #[test]
    fn a_version_is_a_weak_tag_that_matches_it() {
        assert_eq!(of(7), "W/\"7\"");
        assert!(Tags::parse(&of(7)).unwrap().matches(7));
    }

    /// Proves SCIM-444, SCIM-446.
    #[test]
    fn tags_compare_weakly_in_lists_and_with_a_star() {
        let table = [
            ("*", true),
            ("W/\"3\"", true),
            ("\"3\"", true),
            ("\"1\", W/\"3\"", true),
            ("\"1\",,\"3\" ,", true),
            ("W/\"30\"", false),
            ("W/\"a,3\"", false),
            ("", false),
        ];
        for (text, expected) in table {
            assert_eq!(Tags::parse(text).unwrap().matches(3), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        for text in ["3", "W/3", "\"3", "w/\"3\"", "\"3\"x", "\"3\" \"4\"", "*, \"3\""] {
            assert!(matches!(Tags::parse(text), Err(Error::InvalidValue(_))), "{text}");
        }
    }

    /// Proves SCIM-443, SCIM-445, SCIM-449, SCIM-451.
    #[test]
    fn the_verdict_follows_if_match_first() {
        let table = [
            (None, None, true, Verdict::Proceed),
            (Some("W/\"2\""), None, false, Verdict::Proceed),
            (Some("W/\"1\""), None, false, Verdict::Failed),
            (Some("*"), None, false, Verdict::Proceed),
            (None, Some("W/\"2\""), true, Verdict::NotModified),
            (None, Some("W/\"1\""), true, Verdict::Proceed),
            (None, Some("*"), false, Verdict::Failed),
            (Some("W/\"1\""), Some("W/\"2\""), true, Verdict::Failed),
        ];
        for (matches, none_match, reads, expected) in table {
            let conditions = Conditions::parse(matches, none_match).unwrap();
            assert_eq!(conditions.verdict(2, reads), expected, "{matches:?} {none_match:?}");
        }
    }
}
