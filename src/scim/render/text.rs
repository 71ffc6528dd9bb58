//! The shown part of a resource as JSON text, made from the stored text without parsing what goes
//! out as it is. The same bytes as rendering and projecting the parsed document give.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::scim::attribute::{Attribute, Source};
use crate::scim::project::{Projection, Sent};
use crate::scim::render::{Linked, Parts, Renderer, refers};
use crate::scim::resource_type::ResourceType;
use crate::scim::schema::Schema;

/// A stored document whose values are not parsed yet.
#[derive(Debug)]
pub struct Raw<'t> {
    own: Object<'t>,
    /// What stands in each extension, in the order of the type's.
    extensions: Vec<Object<'t>>,
}

impl<'t> Raw<'t> {
    /// Reads the names alone, those in its extensions too.
    pub fn of(rt: &ResourceType, text: &'t str) -> Result<Self, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let extensions = rt.extensions.iter().map(|_| Object::default()).collect();
        let mut raw = Self { own: Object(Vec::with_capacity(16)), extensions };
        reader.deserialize_map(Whole { rt, raw: &mut raw })?;
        Ok(raw)
    }

    /// Whether anything stands in this extension of its type.
    pub fn extends(&self, rt: &ResourceType, urn: &str) -> bool {
        let mut all = rt.extensions.iter().zip(&self.extensions);
        all.any(|(extension, object)| extension.schema.id == urn && !object.0.is_empty())
    }
}

/// Reads a whole document, the names in its extensions too.
struct Whole<'a, 't> {
    rt: &'a ResourceType,
    raw: &'a mut Raw<'t>,
}

impl<'t> Visitor<'t> for Whole<'_, 't> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { rt, raw } = self;
        while let Some(Name(name)) = map.next_key()? {
            match rt.extensions.iter().position(|extension| extension.schema.id == name) {
                Some(place) => raw.extensions[place] = map.next_value()?,
                None => raw.own.0.push((name, map.next_value()?)),
            }
        }
        Ok(())
    }
}

/// A JSON object whose members are not parsed yet; anything else reads as one without any.
#[derive(Debug, Default)]
struct Object<'t>(Vec<(Cow<'t, str>, &'t RawValue)>);

impl<'t> Deserialize<'t> for Object<'t> {
    fn deserialize<D: Deserializer<'t>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(Members)
    }
}

impl<'t> Object<'t> {
    fn get(&self, name: &str) -> Option<&'t str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.get())
    }
}

struct Members;

impl<'t> Visitor<'t> for Members {
    type Value = Object<'t>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Object<'t>, A::Error> {
        let mut members = Vec::with_capacity(8);
        while let Some(Name(name)) = map.next_key()? {
            members.push((name, map.next_value()?));
        }
        Ok(Object(members))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut list: A) -> Result<Object<'t>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Object::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Object<'t>, E> {
        Ok(Object::default())
    }
    fn visit_i64<E>(self, _: i64) -> Result<Object<'t>, E> {
        Ok(Object::default())
    }
    fn visit_u64<E>(self, _: u64) -> Result<Object<'t>, E> {
        Ok(Object::default())
    }
    fn visit_f64<E>(self, _: f64) -> Result<Object<'t>, E> {
        Ok(Object::default())
    }
    fn visit_str<E>(self, _: &str) -> Result<Object<'t>, E> {
        Ok(Object::default())
    }
    fn visit_unit<E>(self) -> Result<Object<'t>, E> {
        Ok(Object::default())
    }
}

/// A name that is borrowed unless it holds an escape.
#[derive(Deserialize)]
struct Name<'t>(#[serde(borrow)] Cow<'t, str>);

/// The ids of the resources whose address or name the document shows, each once.
pub fn links(rt: &ResourceType, raw: &Raw<'_>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let schemas = rt.extensions.iter().map(|extension| &extension.schema);
    let parts = schemas.zip(&raw.extensions);
    let all = std::iter::once((&rt.schema, &raw.own)).chain(parts).flat_map(|(schema, object)| {
        schema.attributes.iter().map(move |attribute| (attribute, object))
    });
    for (attribute, object) in all.filter(|(attribute, _)| refers(attribute)) {
        let text = object.get(&attribute.name);
        let Some(value) = text.and_then(|text| serde_json::from_str::<Value>(text).ok()) else {
            continue;
        };
        let elements = match &value {
            Value::Array(elements) => elements.as_slice(),
            single => std::slice::from_ref(single),
        };
        for id in elements.iter().filter_map(|element| element.get("value")?.as_str()) {
            if !found.iter().any(|known| known == id) {
                found.push(id.to_owned());
            }
        }
    }
    found
}

/// What a [`Projection`] shows of a document, as text.
#[derive(Debug)]
pub struct Writer<'a> {
    /// Addresses and leniencies.
    pub renderer: Renderer<'a>,
    /// The resource type.
    pub rt: &'a ResourceType,
    /// What is shown.
    pub projection: &'a Projection<'a>,
    /// What this request set.
    pub sent: &'a Sent,
}

impl Writer<'_> {
    /// One resource.
    pub fn document(&self, raw: &Raw<'_>, parts: &Parts<'_>) -> String {
        self.written(raw, parts, false).end()
    }

    /// One resource whose list of members goes on, and the place where it does.
    pub fn open_document(&self, raw: &Raw<'_>, parts: &Parts<'_>) -> (String, Option<usize>) {
        let object = self.written(raw, parts, true);
        let gap = object.gap;
        (object.end(), gap)
    }

    /// Members as they stand between the brackets of their list.
    pub fn members(&self, rows: &[Linked]) -> String {
        let Some(attribute) = self.rt.attribute_of(Source::Members) else { return String::new() };
        let rows = || rows.iter().map(|row| self.renderer.row(attribute, row)).collect();
        let shown = self.projection.value(None, attribute, rows, self.sent).unwrap_or_default();
        let text = serde_json::to_string(&shown).unwrap_or_default();
        let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        inner.unwrap_or_default().to_owned()
    }

    fn written(&self, raw: &Raw<'_>, parts: &Parts<'_>, open: bool) -> Output {
        let mut object = Output::new();
        object.open = open;
        self.schemas(raw, parts, &mut object);
        self.common("id", || parts.id.into(), &mut object);
        if let Some(value) = raw.own.get("externalId") {
            self.common("externalId", || parsed(value), &mut object);
        }
        self.attributes(None, &raw.own, parts, &mut object);
        for (extension, stored) in self.rt.extensions.iter().zip(&raw.extensions) {
            let schema = &extension.schema;
            let write = |inner: &mut Output| self.attributes(Some(schema), stored, parts, inner);
            object.inner(&schema.id, write);
        }
        self.meta(parts, &mut object);
        object
    }

    /// Its parts one by one: to make an object of them first costs more than all else in it.
    fn meta(&self, parts: &Parts<'_>, object: &mut Output) {
        let Some(meta) = self.rt.core("meta") else { return };
        if !self.projection.shows_whole(None, meta, self.sent) {
            return self.common("meta", || self.renderer.meta(self.rt, parts), object);
        }
        object.inner("meta", |inner| {
            for (name, value) in self.renderer.meta_members(self.rt, parts) {
                if meta.sub(name).is_some_and(|sub| self.projection.shows_part(None, meta, sub)) {
                    inner.name(name);
                    inner.put_text(&value);
                }
            }
        });
    }

    /// An attribute that every resource has.
    fn common(&self, name: &str, value: impl FnOnce() -> Value, object: &mut Output) {
        let Some(attribute) = self.rt.core(name) else { return };
        if let Some(value) = self.projection.value(None, attribute, value, self.sent) {
            object.put(name, &value);
        }
    }

    fn attributes(
        &self,
        extension: Option<&Schema>,
        stored: &Object<'_>,
        parts: &Parts<'_>,
        object: &mut Output,
    ) {
        let schema = extension.unwrap_or(&self.rt.schema);
        for attribute in &schema.attributes {
            let value = match attribute.source {
                Source::Members if object.open => {
                    object.name(&attribute.name);
                    object.text.push('[');
                    object.text.push_str(&self.members(parts.members.unwrap_or_default()));
                    object.gap = Some(object.text.len());
                    object.text.push(']');
                    continue;
                }
                Source::Members => self.renderer.rows(attribute, parts.members),
                Source::MemberOf => self.renderer.rows(attribute, parts.groups),
                Source::Document => {
                    let Some(text) = stored.get(&attribute.name) else { continue };
                    if self.goes_out(extension, attribute, text) {
                        object.name(&attribute.name);
                        object.text.push_str(text);
                        continue;
                    }
                    Some(self.renderer.stored(attribute, &parsed(text), parts))
                }
                Source::Counted => parts.counted_of(attribute),
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
            let shown = value
                .and_then(|value| self.projection.value(extension, attribute, || value, self.sent));
            if let Some(value) = shown {
                object.put(&attribute.name, &value);
            }
        }
    }

    /// Whether the stored text is to the letter what is shown.
    fn goes_out(&self, extension: Option<&Schema>, attribute: &Attribute, text: &str) -> bool {
        if !self.projection.shows_whole(extension, attribute, self.sent) || refers(attribute) {
            return false;
        }
        if !attribute.is_complex() {
            return true;
        }
        let shown = |name: &str| {
            let known = attribute.sub(name);
            known.is_some_and(|sub| self.projection.shows_part(extension, attribute, sub))
        };
        let mut reader = serde_json::Deserializer::from_str(text);
        AllShown { shown: &shown, depth: 0 }.deserialize(&mut reader).unwrap_or(false)
    }

    /// RFC 7643 s3: the core schema, and the extensions that have data.
    fn schemas(&self, raw: &Raw<'_>, parts: &Parts<'_>, object: &mut Output) {
        let Some(schemas) = self.rt.core("schemas") else { return };
        if !self.projection.shows_whole(None, schemas, self.sent) {
            return;
        }
        object.name("schemas");
        object.text.push('[');
        object.put_text(&self.rt.schema.id);
        for (extension, stored) in self.rt.extensions.iter().zip(&raw.extensions) {
            if !stored.0.is_empty() || parts.counts_in(&extension.schema) {
                object.text.push(',');
                object.put_text(&extension.schema.id);
            }
        }
        object.text.push(']');
    }
}

/// What was stored as JSON is JSON; should a file be damaged, it reads as nothing.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// An object that is being written.
struct Output {
    text: String,
    /// Whether its list of members goes on.
    open: bool,
    /// Where it does.
    gap: Option<usize>,
}

impl Output {
    fn new() -> Self {
        let mut text = String::with_capacity(2048);
        text.push('{');
        Self { text, open: false, gap: None }
    }

    fn name(&mut self, name: &str) {
        // A value before it ends otherwise.
        if !self.text.ends_with('{') {
            self.text.push(',');
        }
        // Names of attributes and URNs hold nothing that JSON escapes.
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
    }

    fn put(&mut self, name: &str, value: &Value) {
        self.name(name);
        match value {
            Value::String(text) => self.put_text(text),
            other => self.text.push_str(&serde_json::to_string(other).unwrap_or_default()),
        }
    }

    fn put_text(&mut self, text: &str) {
        if !is_plain(text) {
            return self.text.push_str(&serde_json::to_string(text).unwrap_or_default());
        }
        self.text.push('"');
        self.text.push_str(text);
        self.text.push('"');
    }

    /// An object of this name; nothing where nothing is written into it.
    fn inner(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        let before = self.text.len();
        self.name(name);
        self.text.push('{');
        let begun = self.text.len();
        write(self);
        if self.text.len() == begun {
            return self.text.truncate(before);
        }
        self.text.push('}');
    }

    fn end(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

/// Whether JSON escapes nothing of it; without a branch for each byte, so that many are looked at at once.
fn is_plain(text: &str) -> bool {
    let odd = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    !text.bytes().fold(false, |any, byte| any | odd(byte))
}

/// Whether all parts of a complex value are shown, and it has some.
struct AllShown<'s> {
    shown: &'s dyn Fn(&str) -> bool,
    depth: u8,
}

impl<'t> DeserializeSeed<'t> for AllShown<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'t>>(self, reader: D) -> Result<bool, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'t> Visitor<'t> for AllShown<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored value")
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut list: A) -> Result<bool, A::Error> {
        let mut all = self.depth == 0;
        let element = || AllShown { shown: self.shown, depth: self.depth + 1 };
        while let Some(shown) = list.next_element_seed(element())? {
            all &= shown;
        }
        Ok(all)
    }

    fn visit_map<A: MapAccess<'t>>(self, mut object: A) -> Result<bool, A::Error> {
        let (mut all, mut some) = (true, false);
        while let Some(Name(name)) = object.next_key()? {
            all &= (self.shown)(&name);
            some = true;
            object.next_value::<IgnoredAny>()?;
        }
        Ok(all && some)
    }

    // A simple value where an object belongs: left to the careful way.
    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }
    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }
}

#[cfg(test)]
mod tests;
