//! PATCH paths (RFC 7644 figure 7): what they name in a resource type.

use super::work::Spot;
use crate::scim::attribute::Attribute;
use crate::scim::error::Error;
use crate::scim::filter::{self, Bound, Filter, Grammar};
use crate::scim::path::{AttrPath, Place, excerpt};
use crate::scim::quirks::Quirks;
use crate::scim::resource_type::ResourceType;
use crate::scim::schema::Schema;

/// Bytes of a filter in a path.
const LONGEST: usize = 64 * 1024;

/// What a path selects.
#[derive(Debug)]
pub(super) enum Target<'a> {
    /// An attribute or a sub-attribute.
    Attribute(Spot<'a>),
    /// Those elements of a list that fulfil a filter, or a sub-attribute of them.
    Elements {
        /// The list, and the sub-attribute after the brackets.
        spot: Spot<'a>,
        /// The filter as it was written.
        filter: Filter,
        /// The filter with its names resolved.
        bound: Bound<'a>,
    },
    /// A whole extension.
    Extension(&'a Schema),
}

/// Reads a path: `attrPath`, `attrPath[filter]`, `attrPath[filter].sub`, or (erratum 7122) a
/// comparison that chooses values of a simple list.
pub(super) fn read<'a>(
    rt: &'a ResourceType,
    path: &str,
    quirks: Quirks,
) -> Result<Target<'a>, Error> {
    let path = path.trim();
    if let Some((head, rest)) = path.split_once('[') {
        return bracketed(rt, path, (head, rest), quirks);
    }
    if path.contains(' ') {
        return comparison(rt, path, quirks);
    }
    match resolve(rt, &AttrPath::parse(path)?)? {
        Place::Extension(schema) => Ok(Target::Extension(schema)),
        Place::Attribute { extension, attribute, sub } => {
            Ok(Target::Attribute(Spot { extension, attribute, sub }))
        }
    }
}

fn resolve<'a>(rt: &'a ResourceType, path: &AttrPath) -> Result<Place<'a>, Error> {
    rt.resolve(path).ok_or_else(|| unknown(&path.to_string(), rt))
}

fn bracketed<'a>(
    rt: &'a ResourceType,
    path: &str,
    (head, rest): (&str, &str),
    quirks: Quirks,
) -> Result<Target<'a>, Error> {
    let malformed = || {
        Error::InvalidPath(format!(
            "'{}' is not a path. Write attribute[filter] or attribute[filter].subAttribute.",
            excerpt(path)
        ))
    };
    let (inner, tail) = split_bracket(rest).ok_or_else(malformed)?;
    let Place::Attribute { extension, attribute, sub: None } =
        resolve(rt, &AttrPath::parse(head)?)?
    else {
        return Err(malformed());
    };
    if !attribute.multi && !attribute.is_complex() {
        return Err(Error::InvalidPath(format!(
            "{} has a single value; a filter in brackets does not apply to it.",
            attribute.name
        )));
    }
    let sub = match tail.strip_prefix('.') {
        Some(name) => Some(sub(attribute, name)?),
        None if tail.is_empty() => None,
        None => return Err(malformed()),
    };
    elements(Spot { extension, attribute, sub }, inner, quirks)
}

fn sub<'a>(attribute: &'a Attribute, name: &str) -> Result<&'a Attribute, Error> {
    attribute.sub(name).ok_or_else(|| unknown_in(name, &attribute.name))
}

fn elements<'a>(spot: Spot<'a>, inner: &str, quirks: Quirks) -> Result<Target<'a>, Error> {
    // A body carries longer filters than a URL: hundreds of members may be named in one.
    let grammar = Grammar { max_len: LONGEST, ..Grammar::of(quirks) };
    let filter = filter::parse(inner, grammar)?;
    let bound = filter::bind_elements(spot.attribute, &filter, quirks)?;
    Ok(Target::Elements { spot, filter, bound })
}

/// The text before the closing bracket and the text after it; brackets inside quotes do not count.
fn split_bracket(text: &str) -> Option<(&str, &str)> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ']' if !quoted => return Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

/// `schemas eq "urn:…"`, `emails.value eq "x"`: a comparison chooses values of a list.
fn comparison<'a>(rt: &'a ResourceType, path: &str, quirks: Quirks) -> Result<Target<'a>, Error> {
    let malformed = || {
        Error::InvalidPath(format!(
            "'{}' is not a path. Write name, name.subAttribute or name[filter].",
            excerpt(path)
        ))
    };
    let Ok(Filter::Compare { path: left, op, value }) = filter::parse(path, Grammar::of(quirks))
    else {
        return Err(malformed());
    };
    let Place::Attribute { extension, attribute, sub } = resolve(rt, &left)? else {
        return Err(malformed());
    };
    if !attribute.multi {
        return Err(Error::InvalidPath(format!(
            "{} has a single value; a comparison chooses values of a list.",
            attribute.name
        )));
    }
    let name = sub.map_or("value", |sub| sub.name.as_str());
    let filter = Filter::Compare { path: AttrPath::new(name, None), op, value };
    let bound = filter::bind_elements(attribute, &filter, quirks)?;
    let spot = Spot { extension, attribute, sub: None };
    Ok(Target::Elements { spot, filter, bound })
}

/// That the type has no such attribute.
pub(super) fn unknown(name: &str, rt: &ResourceType) -> Error {
    unknown_in(name, &format!("a {}", rt.name))
}

/// That the holder has no such attribute.
pub(super) fn unknown_in(name: &str, holder: &str) -> Error {
    Error::InvalidPath(format!(
        "'{}' is not an attribute of {holder}. Attributes are listed at /Schemas.",
        excerpt(name)
    ))
}
