//! Links in filters, brought to the form that links have in answers.

use crate::scim::attribute::Source;
use crate::scim::filter::{Bound, Op};
use crate::scim::fold::Key;

impl Bound<'_> {
    /// Rewrites what links are compared with: URIs that differ in the version segment alone are the
    /// same (RFC 7643 s2.4), and relative ones begin at the SCIM base (s2.3.7).
    pub fn anchor(&mut self, base: &str) {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                for part in parts {
                    part.anchor(base);
                }
            }
            Self::Not(inner) => inner.anchor(base),
            Self::Within { filter, .. } => filter.anchor(base),
            Self::Compare { target, op: Op::Eq | Op::Ne, key: Key::Text(text) }
                if matches!(target.leaf().source, Source::Link | Source::Location) =>
            {
                *text = anchored(text, base);
            }
            Self::Compare { .. } | Self::Present(_) | Self::Never => {}
        }
    }
}

fn anchored(text: &str, base: &str) -> String {
    let unversioned = base.strip_suffix("/v2").unwrap_or(base);
    let below = |prefix: &str| text.strip_prefix(prefix)?.strip_prefix('/');
    let path = match below(base).or_else(|| below(unversioned)) {
        Some(path) => path,
        None if text.contains(':') => return text.to_owned(),
        None => text.trim_start_matches("../").trim_start_matches('/'),
    };
    format!("{base}/{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves SCIM-042, SCIM-078.
    #[test]
    fn links_are_the_same_without_version_and_without_base() {
        let ours = "https://a.b/scim/v2/Users/1";
        let table = [
            (ours, ours),
            ("https://a.b/scim/Users/1", ours),
            ("Users/1", ours),
            ("../Users/1", ours),
            ("/Users/1", ours),
            ("https://a.b/scim/v3/Users/1", "https://a.b/scim/v2/v3/Users/1"),
            ("https://c.d/scim/v2/Users/1", "https://c.d/scim/v2/Users/1"),
            ("urn:x:1", "urn:x:1"),
        ];
        for (text, expected) in table {
            assert_eq!(anchored(text, "https://a.b/scim/v2"), expected, "{text}");
        }
    }
}
