//! Foreign spellings of schema URNs: the drafts', the misspelt, and a tenant's own aliases.

use serde_json::{Map, Value};

use super::{Quirk, Softener};
use crate::scim::filter::Filter;
use crate::scim::path::AttrPath;
use crate::scim::urn;

/// URNs of the drafts before RFC 7643 and what they are now; longer ones before their prefixes.
const DRAFTS: &[(&str, &str)] = &[
    ("urn:scim:schemas:core:2.0:User", urn::USER),
    ("urn:scim:schemas:core:2.0:Group", urn::GROUP),
    ("urn:scim:schemas:core:1.0:User", urn::USER),
    ("urn:scim:schemas:core:1.0:Group", urn::GROUP),
    ("urn:scim:schemas:extension:enterprise:2.0:User", urn::ENTERPRISE),
    ("urn:scim:schemas:extension:enterprise:1.0:User", urn::ENTERPRISE),
    ("urn:scim:schemas:extension:enterprise:2.0", urn::ENTERPRISE),
    ("urn:scim:schemas:extension:enterprise:1.0", urn::ENTERPRISE),
    ("urn:ietf:params:scim:schemas:extension:enterprise:2.0User", urn::ENTERPRISE),
];

/// Drafts that did not tell users from groups: the core schema of whatever the request is about.
const CORE_DRAFTS: &[&str] = &["urn:scim:schemas:core:2.0", "urn:scim:schemas:core:1.0"];

impl Softener<'_> {
    /// The path, or URN, with today's name of its schema; none when it stays as it is.
    pub fn renamed(&self, text: &str) -> Option<String> {
        if self.is_known(text) {
            return None;
        }
        if let Some(qualified) = self.qualified(text) {
            return Some(qualified);
        }
        if self.on(Quirk::DraftUrn) {
            let drafts = DRAFTS.iter().filter(|(_, now)| self.has_schema(now)).copied();
            let core = CORE_DRAFTS.iter().map(|draft| (*draft, self.rt.schema.id.as_str()));
            let found = drafts
                .chain(core)
                .find_map(|(draft, now)| Some(format!("{now}{}", below(text, draft)?)));
            if found.is_some() {
                return found;
            }
        }
        let longest = self
            .aliases
            .iter()
            .filter_map(|(foreign, ours)| Some((foreign.len(), ours, below(text, foreign)?)))
            .max_by_key(|(length, ..)| *length);
        let (_, ours, rest) = longest?;
        let renamed = format!("{ours}{rest}");
        // A tenant's alias never stands for a core schema.
        below(&renamed, &self.rt.schema.id).is_none().then_some(renamed)
    }

    /// `manager`, which no core schema has, under the URN of the one extension that has it. Usher's own
    /// are always named in full.
    fn qualified(&self, text: &str) -> Option<String> {
        let name = text.split(['.', '[']).next().unwrap_or_default();
        if !self.on(Quirk::UnqualifiedExtension) || self.rt.core(name).is_some() {
            return None;
        }
        let mut holders = self
            .rt
            .extensions
            .iter()
            .filter(|extension| !urn::is_ours(&extension.schema.id))
            .filter(|extension| extension.schema.attribute(name).is_some());
        match (holders.next(), holders.next()) {
            (Some(only), None) => Some(format!("{}:{text}", only.schema.id)),
            (Some(_), Some(_)) | (None, _) => None,
        }
    }

    /// Gives the names in a filter today's URNs.
    pub fn filter(&self, filter: &mut Filter) {
        match filter {
            Filter::And(terms) | Filter::Or(terms) => {
                for term in terms {
                    self.filter(term);
                }
            }
            Filter::Not(inner) => self.filter(inner),
            Filter::Present(path) | Filter::Compare { path, .. } | Filter::Within { path, .. } => {
                self.attribute_path(path);
            }
        }
    }

    /// Gives a path today's URN.
    pub fn attribute_path(&self, path: &mut AttrPath) {
        let renamed = self.renamed(&path.to_string());
        if let Some(Ok(renamed)) = renamed.map(|text| AttrPath::parse(&text)) {
            *path = renamed;
        }
    }

    /// Whether the path, or URN, belongs to a schema that is ignored on input.
    pub(super) fn is_hidden(&self, text: &str) -> bool {
        self.hidden.iter().any(|hidden| below(text, hidden).is_some())
    }

    /// Gives the members of an object today's URNs; of two spellings of one name, today's wins.
    pub(super) fn rename_members(&self, object: &mut Map<String, Value>) {
        let foreign = |key: &String| self.is_hidden(key) || self.renamed(key).is_some();
        if !object.keys().any(foreign) {
            return;
        }
        for (key, value) in std::mem::take(object) {
            if self.is_hidden(&key) {
                continue;
            }
            match self.renamed(&key) {
                None => merge(object, key, value, true),
                Some(renamed) => merge(object, renamed, value, false),
            }
        }
    }

    /// Reads `schemas`: today's URNs, each once, without unknown ones.
    pub(super) fn soften_schemas(&self, schemas: &mut Value) {
        let Some(list) = schemas.as_array_mut() else { return };
        let mut seen: Vec<String> = Vec::new();
        list.retain_mut(|entry| {
            let Some(text) = entry.as_str() else { return true };
            if self.is_hidden(text) {
                return false;
            }
            let renamed = self.renamed(text);
            let known = self.has_schema(renamed.as_deref().unwrap_or(text));
            if !known && self.on(Quirk::UnknownSchema) {
                return false;
            }
            let Some(renamed) = renamed else { return true };
            let twice = seen.iter().any(|other| urn::same(other, &renamed));
            seen.push(renamed.clone());
            *entry = renamed.into();
            !twice
        });
    }

    /// Whether this is the URN of one of the type's schemas.
    pub(super) fn has_schema(&self, text: &str) -> bool {
        urn::same(text, &self.rt.schema.id) || self.rt.extension(text).is_some()
    }

    fn is_known(&self, text: &str) -> bool {
        let extensions = self.rt.extensions.iter().map(|extension| &extension.schema.id);
        std::iter::once(&self.rt.schema.id).chain(extensions).any(|id| below(text, id).is_some())
    }
}

/// What follows a URN, or prefix of one, at the head of a text: nothing, `:name` or `.name`.
fn below<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let head = text.get(..prefix.len())?;
    let rest = &text[prefix.len()..];
    let ends = rest.is_empty() || rest.starts_with([':', '.']) || prefix.ends_with(':');
    (ends && head.eq_ignore_ascii_case(prefix)).then_some(rest)
}

fn merge(object: &mut Map<String, Value>, key: String, value: Value, wins: bool) {
    let present = object.keys().find(|other| urn::same(other, &key)).cloned();
    match present.and_then(|present| object.get_mut(&present)) {
        None => {
            object.insert(key, value);
        }
        Some(Value::Object(there)) if value.is_object() => {
            for (name, inner) in value.as_object().into_iter().flatten() {
                merge(there, name.clone(), inner.clone(), wins);
            }
        }
        Some(there) => {
            if wins {
                *there = value;
            }
        }
    }
}
