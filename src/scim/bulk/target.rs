//! Where an operation goes: its `path` (RFC 7644 s3.7).

use std::sync::Arc;

use percent_encoding::percent_decode_str;

use super::references::PREFIX;
use super::{Method, Problem};
use crate::scim::error::Error;
use crate::scim::path::excerpt;
use crate::scim::quirks::{Quirk, Quirks};
use crate::scim::resource_type::{Registry, ResourceType};

/// What an operation is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The type of the resource.
    pub kind: Arc<ResourceType>,
    /// The resource; none when one is to be made.
    pub id: Option<Id>,
}

/// How a path names its resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Id {
    /// By its id.
    Known(String),
    /// By the bulkId of the operation that makes it.
    Bulk(String),
}

/// What paths are read against.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// What is served.
    pub registry: &'a Registry,
    /// The SCIM base URL, without a slash at its end.
    pub base: &'a str,
    /// What is tolerated.
    pub quirks: Quirks,
}

/// What the path of an operation means.
///
/// It is relative to the SCIM root. Clients also write it with the version, with the path of the
/// root, or as a whole URL; a query behind it would only concern a body that is not answered.
pub fn target(method: Method, path: &str, site: &Site<'_>) -> Result<Target, Problem> {
    let nothing = || Problem::NoEndpoint(excerpt(path));
    let short = path.split(['?', '#']).next().unwrap_or_default();
    let mut rest = below_root(short, site.base).ok_or_else(nothing)?;
    if site.quirks.on(Quirk::TrailingSlash) {
        rest = rest.strip_suffix('/').unwrap_or(rest);
    }
    let (head, id) = match rest.split_once('/') {
        Some((head, id)) => (head, Some(id)),
        None => (rest, None),
    };
    refuse_others(head, id, path)?;
    let kind = endpoint(head, site).ok_or_else(nothing)?;
    let id = match id {
        None => None,
        Some(id) if id.is_empty() || id.contains('/') => return Err(nothing()),
        Some(id) => Some(read_id(id)),
    };
    let fits = (method == Method::Post) == id.is_none();
    if fits {
        return Ok(Target { kind: Arc::clone(kind), id });
    }
    let sentence = match method {
        Method::Post => format!(
            "path: POST creates at an endpoint such as {}; '{}' names one resource.",
            kind.endpoint,
            excerpt(path)
        ),
        Method::Put | Method::Patch | Method::Delete => format!(
            "path: {method} needs one resource, such as {}/…; '{}' names none.",
            kind.endpoint,
            excerpt(path)
        ),
    };
    Err(Error::InvalidSyntax(sentence).into())
}

/// What follows the root; none when the path leads elsewhere.
fn below_root<'p>(path: &'p str, base: &str) -> Option<&'p str> {
    let path = path.trim();
    let rest = if path.contains("://") { path.strip_prefix(base)? } else { path };
    let root = base.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    let root = root.map_or("", |(_, root)| root);
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    let rest = below(rest, root).or_else(|| below(rest, "scim")).unwrap_or(rest);
    Some(below(rest, "v2").unwrap_or(rest))
}

fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    path.strip_prefix(folder)?.strip_prefix('/').filter(|_| !folder.is_empty())
}

/// Endpoints that are there for single requests, and not inside a bulk request.
fn refuse_others(head: &str, id: Option<&str>, path: &str) -> Result<(), Problem> {
    let is = |name: &str| head.eq_ignore_ascii_case(name);
    let search = is(".search") || id.is_some_and(|id| id.eq_ignore_ascii_case(".search"));
    let sentence = if is("Bulk") {
        "path: a bulk request cannot hold another one."
    } else if is("Me") {
        "path: /Me cannot be used in a bulk request; name the user, as in /Users/…."
    } else if search {
        "path: a bulk request changes resources; send a search as a request of its own."
    } else if is("Schemas") || is("ResourceTypes") || is("ServiceProviderConfig") {
        return Err(Error::InvalidSyntax(format!(
            "path: '{}' can be read and not changed.",
            excerpt(path)
        ))
        .into());
    } else {
        return Ok(());
    };
    Err(Error::InvalidSyntax(sentence.to_owned()).into())
}

fn endpoint<'r>(head: &str, site: &Site<'r>) -> Option<&'r Arc<ResourceType>> {
    let any_case = site.quirks.on(Quirk::EndpointCase);
    site.registry.types().iter().find(|kind| {
        let name = kind.endpoint.trim_start_matches('/');
        name == head || any_case && name.eq_ignore_ascii_case(head)
    })
}

/// The bulkId by which a path names its resource.
pub(super) fn reference(path: &str) -> Option<String> {
    let path = path.trim().split(['?', '#']).next()?.trim_end_matches('/');
    match read_id(path.rsplit('/').next()?) {
        Id::Bulk(name) => Some(name),
        Id::Known(_) => None,
    }
}

/// As single requests have it: decoded once, and what cannot be an id names nothing that exists.
fn read_id(raw: &str) -> Id {
    let text = percent_decode_str(raw).decode_utf8_lossy().replace('\0', "\u{fffd}");
    match text.strip_prefix(PREFIX) {
        Some(name) => Id::Bulk(name.to_owned()),
        None => Id::Known(text),
    }
}

#[cfg(test)]
mod tests;
