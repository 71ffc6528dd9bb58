//! Shapes of text beyond the data type (RFC 7643 s4.1).

use std::sync::LazyLock;

use jiff::tz::TimeZoneDatabase;
use oxilangtag::LanguageTag;
use unicode_general_category::{GeneralCategory, get_general_category};

use super::Rules;
use crate::scim::attribute::{Attribute, Format};
use crate::scim::error::Error;
use crate::scim::fold;
use crate::scim::path::excerpt;
use crate::scim::quirks::Quirk;

/// The zones that Usher was built with: the same on every machine.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Whether the text has the shape that the attribute asks for.
pub(super) fn check(
    attribute: &Attribute,
    at: &str,
    text: &str,
    rules: Rules,
) -> Result<(), Error> {
    let limit = rules.limits.name;
    let is_name = attribute.format == Some(Format::UserName) || attribute.name == "externalId";
    if is_name && text.len() > limit {
        return Err(Error::InvalidValue(format!(
            "{at} is {} bytes long; at most {limit} are allowed.",
            text.len()
        )));
    }
    let Some(format) = attribute.format else { return Ok(()) };
    let loose = rules.quirks.on(Quirk::LooseFormats);
    let wrong = |what: &str| Err(Error::InvalidValue(format!("{at} '{}' {what}", excerpt(text))));
    match format {
        Format::UserName => user_name(at, text),
        Format::Locale if !loose && !is_tag(&text.replace('_', "-")) => {
            wrong("is not a language tag. Write it like en-US (BCP 47).")
        }
        Format::Languages if !loose && !is_languages(text) => {
            wrong("is not a list of languages. Write it like en-US or en-US,en;q=0.8.")
        }
        Format::Timezone if !loose && ZONES.get(text).is_err() => {
            wrong("is not an IANA time zone. Write it like Europe/Berlin.")
        }
        Format::Country if !loose && !is_country(text) => {
            wrong("is not a country code. Write two letters such as US (ISO 3166-1 alpha-2).")
        }
        Format::Canonical if !is_canonical(attribute, text) => {
            wrong(&format!("is not allowed there. Allowed: {}.", attribute.canonical.join(", ")))
        }
        Format::Phone if fold::phone(text).is_none() => wrong(
            "is not a phone number with its prefix. Write it like +4930123456, with + and the \
             country's code (E.164).",
        ),
        Format::Network if fold::network(text).is_none() => wrong(
            "is neither an IP address nor a network. Write it like 192.0.2.7 or 192.0.2.0/24.",
        ),
        Format::Locale
        | Format::Languages
        | Format::Timezone
        | Format::Country
        | Format::Canonical
        | Format::Phone
        | Format::Network => Ok(()),
    }
}

fn is_canonical(attribute: &Attribute, text: &str) -> bool {
    attribute.canonical.iter().any(|value| {
        if attribute.case_exact { value == text } else { value.eq_ignore_ascii_case(text) }
    })
}

fn user_name(at: &str, text: &str) -> Result<(), Error> {
    if text.trim().is_empty() {
        return Err(Error::InvalidValue(format!(
            "{at} is required and must not be empty or consist of spaces only."
        )));
    }
    match text.chars().find(|c| c.is_control() || !text.is_ascii() && is_unassigned(*c)) {
        None => Ok(()),
        Some(bad) => Err(Error::InvalidValue(format!(
            "{at} contains the character U+{:04X}, which is a control character or not assigned; \
             leave it out.",
            u32::from(bad)
        ))),
    }
}

/// Whether Unicode has given the code point no meaning.
fn is_unassigned(c: char) -> bool {
    get_general_category(c) == GeneralCategory::Unassigned
}

fn is_tag(text: &str) -> bool {
    LanguageTag::parse(text).is_ok()
}

/// `en-US,en;q=0.8`, `*` (RFC 9110 s12.5.4).
fn is_languages(text: &str) -> bool {
    text.split(',').all(|range| {
        let (tag, weight) = match range.split_once(';') {
            Some((tag, weight)) => (tag, Some(weight.trim())),
            None => (range, None),
        };
        let tag = tag.trim();
        (tag == "*" || is_tag(tag)) && weight.is_none_or(is_weight)
    })
}

fn is_weight(text: &str) -> bool {
    let number = text.strip_prefix("q=").or_else(|| text.strip_prefix("Q="));
    number
        .filter(|number| {
            number.len() <= 5 && number.chars().all(|c| c.is_ascii_digit() || c == '.')
        })
        .and_then(|number| number.parse::<f64>().ok())
        .is_some_and(|weight| weight <= 1.0)
}

fn is_country(text: &str) -> bool {
    text.len() == 2 && text.chars().all(|c| c.is_ascii_alphabetic())
}
