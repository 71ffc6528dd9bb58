//! Filters as text; reading the text again gives the same filter.

use std::fmt;

use crate::scim::filter::Filter;

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(terms) => {
                list(f, terms, " and ", |term| matches!(term, Self::And(_) | Self::Or(_)))
            }
            Self::Or(terms) => list(f, terms, " or ", |term| matches!(term, Self::Or(_))),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::Present(path) => write!(f, "{path} pr"),
            Self::Compare { path, op, value } => write!(f, "{path} {op} {value}"),
            Self::Within { path, filter } => write!(f, "{path}[{filter}]"),
        }
    }
}

/// `and` binds closer than `or`; a list inside a list of its own kind was grouped by the client.
fn list(
    f: &mut fmt::Formatter<'_>,
    terms: &[Filter],
    between: &str,
    grouped: impl Fn(&Filter) -> bool,
) -> fmt::Result {
    for (place, term) in terms.iter().enumerate() {
        if place > 0 {
            f.write_str(between)?;
        }
        if grouped(term) {
            write!(f, "({term})")?;
        } else {
            write!(f, "{term}")?;
        }
    }
    Ok(())
}
