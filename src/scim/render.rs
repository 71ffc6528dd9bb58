//! A stored document and what belongs to it, as one resource.

use std::collections::HashMap;

use serde_json::Value;

use crate::clock::Micros;
use crate::scim::Doc;
use crate::scim::attribute::{Attribute, Source};
use crate::scim::etag;
use crate::scim::quirks::{Quirk, Quirks};
use crate::scim::resource_type::{Registry, ResourceType};
use crate::scim::schema::Schema;

pub mod text;

/// What a resource shows beside its stored document.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// Its id.
    pub id: &'a str,
    /// How often it was written.
    pub version: i64,
    /// When it was created.
    pub created: Micros,
    /// When it last changed.
    pub modified: Micros,
    /// Its members; none when they are not to be shown.
    pub members: Option<&'a [Linked]>,
    /// The groups that hold it; none when they are not to be shown.
    pub groups: Option<&'a [Linked]>,
    /// Resources that its document refers to, by id.
    pub links: &'a HashMap<String, Linked>,
    /// What was counted for it, by the names of attributes.
    pub counted: Option<&'a Doc>,
}

impl Parts<'_> {
    fn counted_of(&self, attribute: &Attribute) -> Option<Value> {
        self.counted?.get(&attribute.name).cloned()
    }

    /// Whether anything was counted for an attribute of this schema.
    fn counts_in(&self, schema: &Schema) -> bool {
        let counted = |attribute: &Attribute| self.counted_of(attribute).is_some();
        let mut all = schema.attributes.iter().filter(|one| one.source == Source::Counted);
        all.any(counted)
    }
}

/// Another resource, as far as a reference to it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// Its id.
    pub id: String,
    /// The name of its resource type.
    pub kind: String,
    /// Its display name; empty when it has none.
    pub label: String,
    /// Whether the membership is direct rather than through another group.
    pub direct: bool,
    /// Its document, where more of it is shown than that.
    pub doc: Option<Box<Doc>>,
}

/// Makes full documents for one installation.
#[derive(Debug, Clone, Copy)]
pub struct Renderer<'a> {
    /// The resource types, for the addresses of references.
    pub registry: &'a Registry,
    /// The SCIM base URL, without a slash at its end.
    pub base: &'a str,
    /// What clients need beside the RFC.
    pub quirks: Quirks,
}

impl Renderer<'_> {
    /// The full document: everything that a GET with all attributes would show.
    ///
    /// Answers are written by [`text::Writer`], which makes no document on the way; this is what
    /// tests hold it against.
    pub fn document(&self, rt: &ResourceType, doc: &Doc, parts: &Parts<'_>) -> Doc {
        let mut full = Doc::new();
        full.insert("schemas".to_owned(), schemas(rt, doc, parts));
        full.insert("id".to_owned(), parts.id.into());
        if let Some(value) = doc.get("externalId") {
            full.insert("externalId".to_owned(), value.clone());
        }
        self.attributes(&rt.schema, doc, parts, &mut full);
        for extension in &rt.extensions {
            let empty = Doc::new();
            let stored = doc.get(&extension.schema.id).and_then(Value::as_object);
            let mut inner = Doc::new();
            self.attributes(&extension.schema, stored.unwrap_or(&empty), parts, &mut inner);
            if !inner.is_empty() {
                full.insert(extension.schema.id.clone(), inner.into());
            }
        }
        full.insert("meta".to_owned(), self.meta(rt, parts));
        full
    }

    /// The address of a resource.
    pub fn location(&self, rt: &ResourceType, id: &str) -> String {
        format!("{}{}/{id}", self.base, rt.endpoint)
    }

    fn attributes(&self, schema: &Schema, doc: &Doc, parts: &Parts<'_>, full: &mut Doc) {
        for attribute in &schema.attributes {
            let value = match attribute.source {
                Source::Members => self.rows(attribute, parts.members),
                Source::MemberOf => self.rows(attribute, parts.groups),
                Source::Document => {
                    doc.get(&attribute.name).map(|value| self.stored(attribute, value, parts))
                }
                Source::Counted => parts.counted_of(attribute),
                // Common attributes have their own places; sub-attributes and secrets have none.
                Source::Id
                | Source::Created
                | Source::Modified
                | Source::Version
                | Source::Location
                | Source::Kind
                | Source::RowValue
                | Source::RowType
                | Source::Link
                | Source::Label
                | Source::Linked
                | Source::Secret => None,
            };
            if let Some(value) = value {
                full.insert(attribute.name.clone(), value);
            }
        }
    }

    /// `members` or `groups`: one element per row.
    fn rows(&self, attribute: &Attribute, rows: Option<&[Linked]>) -> Option<Value> {
        let rows = rows?;
        let shown_empty =
            attribute.source == Source::Members && self.quirks.on(Quirk::EmptyMembers);
        if rows.is_empty() && !shown_empty {
            return None;
        }
        Some(rows.iter().map(|row| self.row(attribute, row)).collect())
    }

    fn row(&self, attribute: &Attribute, row: &Linked) -> Value {
        let of_group = attribute.source == Source::MemberOf;
        let mut element = Doc::new();
        for sub in &attribute.sub {
            let value = match sub.source {
                Source::RowValue => Some(row.id.clone()),
                Source::RowType if of_group => {
                    Some(if row.direct { "direct" } else { "indirect" }.to_owned())
                }
                Source::RowType => Some(row.kind.clone()),
                _ => self.derived(sub, row),
            };
            if let Some(value) = value {
                element.insert(sub.name.clone(), value.into());
            }
        }
        element.into()
    }

    /// A stored value with what its references show.
    fn stored(&self, attribute: &Attribute, value: &Value, parts: &Parts<'_>) -> Value {
        if !refers(attribute) {
            return value.clone();
        }
        match value {
            Value::Array(elements) => {
                elements.iter().map(|element| self.reference(attribute, element, parts)).collect()
            }
            single => self.reference(attribute, single, parts),
        }
    }

    fn reference(&self, attribute: &Attribute, value: &Value, parts: &Parts<'_>) -> Value {
        let Value::Object(stored) = value else { return value.clone() };
        let target = stored.get("value").and_then(Value::as_str);
        let linked = target.and_then(|id| parts.links.get(id));
        let mut shown = Doc::new();
        for sub in &attribute.sub {
            let own = || stored.get(&sub.name).cloned();
            let value = match linked {
                Some(linked) if sub.source == Source::Linked => {
                    own().or_else(|| linked.doc.as_ref()?.get(&sub.name).cloned())
                }
                Some(linked) if is_derived(sub) => self.derived(sub, linked).map(Value::from),
                Some(_) | None => own(),
            };
            if let Some(value) = value {
                shown.insert(sub.name.clone(), value);
            }
        }
        shown.into()
    }

    fn derived(&self, sub: &Attribute, linked: &Linked) -> Option<String> {
        match sub.source {
            Source::Link => {
                let allowed = sub.references.contains(&linked.kind);
                let target = self.registry.by_name(&linked.kind).filter(|_| allowed)?;
                Some(self.location(target, &linked.id))
            }
            Source::Label => Some(linked.label.clone()).filter(|label| !label.is_empty()),
            Source::Document
            | Source::Id
            | Source::Created
            | Source::Modified
            | Source::Version
            | Source::Location
            | Source::Kind
            | Source::Members
            | Source::MemberOf
            | Source::RowValue
            | Source::RowType
            | Source::Linked
            | Source::Counted
            | Source::Secret => None,
        }
    }

    /// RFC 7643 s3.1; `version` is the `ETag` to the letter.
    fn meta(&self, rt: &ResourceType, parts: &Parts<'_>) -> Value {
        let members = self.meta_members(rt, parts).into_iter();
        members.map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
    }

    fn meta_members(&self, rt: &ResourceType, parts: &Parts<'_>) -> [(&'static str, String); 5] {
        [
            ("resourceType", rt.name.clone()),
            ("created", parts.created.rfc3339()),
            ("lastModified", parts.modified.rfc3339()),
            ("location", self.location(rt, parts.id)),
            ("version", etag::of(parts.version)),
        ]
    }
}

/// The names of the types whose documents are needed to show what refers to them.
pub fn lenders(rt: &ResourceType) -> Vec<&str> {
    let lent =
        |attribute: &&Attribute| attribute.sub.iter().any(|sub| sub.source == Source::Linked);
    let borrowers = rt.attributes().map(|(_, attribute)| attribute).filter(lent);
    borrowers.flat_map(|of| &of.sub).flat_map(|sub| &sub.references).map(String::as_str).collect()
}

/// RFC 7643 s3: the core schema, and the extensions that have data.
fn schemas(rt: &ResourceType, doc: &Doc, parts: &Parts<'_>) -> Value {
    let used = rt.extensions.iter().map(|extension| &extension.schema).filter(|schema| {
        let stored = doc.get(&schema.id).and_then(Value::as_object);
        stored.is_some_and(|inner| !inner.is_empty()) || parts.counts_in(schema)
    });
    let used = used.map(|schema| &schema.id);
    std::iter::once(&rt.schema.id).chain(used).map(|id| Value::from(id.as_str())).collect()
}

fn refers(attribute: &Attribute) -> bool {
    attribute.is_stored() && attribute.sub.iter().any(is_derived)
}

fn is_derived(sub: &Attribute) -> bool {
    matches!(sub.source, Source::Link | Source::Label | Source::Linked)
}

#[cfg(test)]
mod tests;
