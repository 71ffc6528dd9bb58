//! Normal forms for comparing: what a filter, a sort or a uniqueness check looks at.
//!
//! No fold in SQL is the same on two databases, so folding happens here, once, when a value is
//! stored; SQL then compares plain code points.

use std::net::IpAddr;

use caseless::Caseless;
use ipnet::IpNet;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::scim::attribute::{Attribute, Format, Source, Type, Uniqueness};
use crate::scim::quirks::{Quirk, Quirks};
use crate::scim::resource_type::ResourceType;
use crate::scim::schema::Schema;
use crate::scim::urn;

mod moment;

pub use moment::moment;

/// A JSON object: a document, or an extension or an element of one.
pub type Doc = Map<String, Value>;

/// The key of a folded document that holds the folded label.
pub const LABEL: &str = "~label";

/// Longer values are cut and hashed before they go into an index.
const INDEXED_BYTES: usize = 512;
/// How much of a long value stays readable in the index.
const KEPT_BYTES: usize = 400;

/// The normal form of a text that belongs to this attribute, be it stored or an operand.
///
/// `caseExact` texts stay as they are. Others are case-folded and composed: `NFC(casefold(NFD))`.
/// Login names lose the difference between full and half width first (RFC 8265 s3.3).
pub fn text(attribute: &Attribute, text: &str) -> String {
    let plain = || if attribute.case_exact { text.to_owned() } else { folded(text) };
    match attribute.format {
        Some(Format::UserName) if !attribute.case_exact => folded(&narrowed(text)),
        Some(Format::Phone) => phone(text).unwrap_or_else(plain),
        Some(Format::Network) => network(text).unwrap_or_else(plain),
        Some(
            Format::UserName
            | Format::Locale
            | Format::Languages
            | Format::Timezone
            | Format::Country
            | Format::Canonical,
        )
        | None => plain(),
    }
}

/// A phone number as E.164 writes it, `+` and 7 to 15 digits; none where the text is no number with
/// its prefix. Between the digits people write spaces, hyphens, dots, slashes and brackets, and RFC
/// 3966 puts `tel:` before them.
pub fn phone(text: &str) -> Option<String> {
    let text = text.trim();
    let number = text.strip_prefix("tel:").unwrap_or(text).strip_prefix('+')?;
    let digits: String = number
        .chars()
        .filter(|c| !matches!(c, ' ' | '\u{a0}' | '-' | '.' | '/' | '(' | ')'))
        .collect();
    let fine = (7..=15).contains(&digits.len())
        && digits.bytes().all(|digit| digit.is_ascii_digit())
        && !digits.starts_with('0');
    fine.then(|| format!("+{digits}"))
}

/// An address or a network in one form: masked, and an address without its length. None where the
/// text is neither.
pub fn network(text: &str) -> Option<String> {
    let text = text.trim();
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical().to_string());
    }
    let network = text.parse::<IpNet>().ok()?.trunc();
    let whole = network.prefix_len() == network.max_prefix_len();
    Some(if whole { network.addr().to_string() } else { network.to_string() })
}

/// The normal form of a text in which case does not matter.
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Folding may produce what a further round would fold or compose again, U+0345 for one.
    let once: String = text.nfd().default_case_fold().nfc().collect();
    let twice: String = once.nfd().default_case_fold().nfc().collect();
    debug_assert!(is_nfc(&twice));
    twice
}

/// Maps full-width and half-width characters to their ordinary forms.
fn narrowed(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut narrow = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // Its compatibility form would go on to a space and a combining mark.
            '\u{ffe3}' => narrow.push('\u{af}'),
            '\u{3000}' | '\u{ff01}'..='\u{ffef}' => narrow.extend(std::iter::once(c).nfkc()),
            _ => narrow.push(c),
        }
    }
    narrow
}

/// How much of a text counts where resources are sorted by it: as much as every index form keeps,
/// whatever the length of its last character.
pub const SORTED_BYTES: usize = KEPT_BYTES - 3;

/// The bytes of a folded text that count where resources are sorted by it.
pub fn sorted_bytes(folded: &str) -> &[u8] {
    let bytes = folded.as_bytes();
    &bytes[..bytes.len().min(SORTED_BYTES)]
}

/// The normal form of one simple value.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// Folded text.
    Text(String),
    /// A whole number, or a moment in microseconds.
    Int(i64),
    /// A number with a fraction.
    Real(f64),
    /// True or false.
    Bool(bool),
}

/// The normal form of one simple value; none where the value does not fit the attribute's type.
pub fn key(attribute: &Attribute, value: &Value) -> Option<Key> {
    match attribute.kind {
        Type::String | Type::Reference | Type::Binary => {
            value.as_str().map(|found| Key::Text(text(attribute, found)))
        }
        Type::Boolean => value.as_bool().map(Key::Bool),
        Type::Integer => value.as_i64().map(Key::Int),
        Type::Decimal => value.as_f64().map(Key::Real),
        Type::DateTime => value.as_str().and_then(moment).map(Key::Int),
        Type::Complex => None,
    }
}

/// The document in normal forms, as JSON text: what the column `folded` holds.
///
/// The same tree with folded texts, moments as microseconds, and booleans as 1 and 0, so that both
/// databases read it with the same casts; `~label` is the folded label.
pub fn document(rt: &ResourceType, doc: &Doc) -> String {
    let mut members = Vec::with_capacity(doc.len() + 1);
    for (name, value) in doc {
        if let Some(extension) = rt.extension(name) {
            if let Value::Object(object) = value {
                let inner = object_of(&extension.schema.attributes, object);
                members.push((extension.schema.id.as_str(), Folded::Object(inner)));
            }
        } else if let Some(attribute) = rt.core(name)
            && let Some(value) = value_of(attribute, value)
        {
            members.push((attribute.name.as_str(), value));
        }
    }
    members.push((LABEL, Folded::Text(folded(&label(rt, doc)))));
    // Names are texts and nothing in it refuses to be written.
    serde_json::to_string(&Folded::Object(members)).unwrap_or_default()
}

/// A value in normal form on its way into a text: no tree is made of it.
enum Folded<'d> {
    Text(String),
    Number(i64),
    /// A number with a fraction, which as it was written keeps its digits.
    Written(&'d Value),
    List(Vec<Self>),
    Object(Vec<(&'d str, Self)>),
}

impl Serialize for Folded<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => to.serialize_str(text),
            Self::Number(number) => to.serialize_i64(*number),
            Self::Written(value) => value.serialize(to),
            Self::List(items) => to.collect_seq(items),
            Self::Object(members) => {
                to.collect_map(members.iter().map(|(name, value)| (name, value)))
            }
        }
    }
}

fn object_of<'d>(attributes: &'d [Attribute], object: &'d Doc) -> Vec<(&'d str, Folded<'d>)> {
    object
        .iter()
        .filter_map(|(name, value)| {
            let attribute = crate::scim::attribute::find(attributes, name)?;
            Some((attribute.name.as_str(), value_of(attribute, value)?))
        })
        .collect()
}

fn value_of<'d>(attribute: &'d Attribute, value: &'d Value) -> Option<Folded<'d>> {
    match value {
        Value::Array(items) => {
            let items = items.iter().filter_map(|item| element_of(attribute, item));
            Some(Folded::List(items.collect()))
        }
        single => {
            let element = element_of(attribute, single)?;
            // SQL unfolds multi-valued attributes as lists and must always find one.
            Some(if attribute.multi { Folded::List(vec![element]) } else { element })
        }
    }
}

fn element_of<'d>(attribute: &'d Attribute, value: &'d Value) -> Option<Folded<'d>> {
    if let (true, Value::Object(object)) = (attribute.is_complex(), value) {
        return Some(Folded::Object(object_of(&attribute.sub, object)));
    }
    Some(match key(attribute, value)? {
        Key::Text(text) => Folded::Text(text),
        Key::Int(number) => Folded::Number(number),
        Key::Real(_) => Folded::Written(value),
        Key::Bool(value) => Folded::Number(i64::from(value)),
    })
}

/// The value as it is shown.
fn shown<'d>(attribute: &Attribute, object: &'d Doc) -> Option<&'d Value> {
    object.get(&attribute.name)
}

/// The normal form of the value, where one stands beside it.
fn normal<'d>(attribute: &Attribute, object: &'d Doc) -> Option<&'d Value> {
    let beside = attribute.normal.as_deref().and_then(|at| at.split_once('.'));
    let form = beside.and_then(|(name, sub)| object.get(name)?.get(sub));
    form.or_else(|| shown(attribute, object))
}

/// What people see as the name of a resource; empty when it has none.
pub fn label(rt: &ResourceType, doc: &Doc) -> String {
    let text = |value: Option<&Value>| {
        value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    text(doc.get("displayName"))
        .or_else(|| text(doc.get("name").and_then(|name| name.get("formatted"))))
        .or_else(|| {
            let login = rt.schema.attributes.iter().find(|attribute| {
                attribute.required
                    && attribute.is_text()
                    && attribute.uniqueness != Uniqueness::None
                    && attribute.is_stored()
            })?;
            text(doc.get(&login.name))
        })
        .unwrap_or_default()
}

/// The form in which an index holds a folded text: PostgreSQL cannot index very long ones.
pub fn index_value(folded: &str) -> String {
    if folded.len() <= INDEXED_BYTES {
        return folded.to_owned();
    }
    let head = &folded[..folded.floor_char_boundary(KEPT_BYTES)];
    format!("{head}~{}", hex::encode(Sha256::digest(folded.as_bytes())))
}

/// The form in which an index holds a normal form.
pub fn index_key(key: &Key) -> String {
    match key {
        Key::Text(text) => index_value(text),
        Key::Int(number) => number.to_string(),
        Key::Real(number) => number.to_string(),
        Key::Bool(value) => i64::from(*value).to_string(),
    }
}

/// Whether another text may have the same index form, so that a hit has to be looked at again.
pub fn index_is_vague(key: &Key) -> bool {
    matches!(key, Key::Text(text) if text.len() > KEPT_BYTES)
}

/// The full name of an attribute, as indexes and error messages have it.
pub fn full_name(
    extension: Option<&Schema>,
    attribute: &Attribute,
    sub: Option<&Attribute>,
) -> String {
    let mut name = extension.map_or_else(String::new, |schema| format!("{}:", schema.id));
    name.push_str(&attribute.name);
    if let Some(sub) = sub {
        name.push('.');
        name.push_str(&sub.name);
    }
    name
}

/// One row of an index: an attribute and one of its values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexEntry {
    /// The full name of the attribute: `userName`, `emails.value`, `urn:…:User:employeeNumber`.
    pub attr: String,
    /// The value in its index form.
    pub value: String,
}

/// What the index has to hold for this document, each entry once, in ascending order.
pub fn index_entries(rt: &ResourceType, doc: &Doc) -> Vec<IndexEntry> {
    index_entries_unlike(rt, doc, None)
}

/// The same without what another document says to the letter: a change is about what is left.
pub fn index_entries_unlike(rt: &ResourceType, doc: &Doc, other: Option<&Doc>) -> Vec<IndexEntry> {
    entries(rt, (doc, other), shown, |attribute| attribute.indexed)
}

/// The values of this document that nothing else of its type may have, each once, in ascending order.
pub fn unique_entries(rt: &ResourceType, doc: &Doc, quirks: Quirks) -> Vec<IndexEntry> {
    unique_entries_unlike(rt, doc, None, quirks)
}

/// The same without what another document says to the letter.
pub fn unique_entries_unlike(
    rt: &ResourceType,
    doc: &Doc,
    other: Option<&Doc>,
    quirks: Quirks,
) -> Vec<IndexEntry> {
    let group = urn::same(&rt.schema.id, urn::GROUP) && !quirks.on(Quirk::UniqueGroupNames);
    entries(rt, (doc, other), normal, |attribute| {
        attribute.uniqueness != Uniqueness::None && !(group && attribute.name == "displayName")
    })
}

/// Which value of an attribute counts, in the object that holds it.
type Counts = for<'d> fn(&Attribute, &'d Doc) -> Option<&'d Value>;

fn entries(
    rt: &ResourceType,
    (doc, other): (&Doc, Option<&Doc>),
    counts: Counts,
    wanted: impl Fn(&Attribute) -> bool,
) -> Vec<IndexEntry> {
    let core = [rt.common(), &rt.schema.attributes].map(|attributes| (None, attributes));
    let more = rt.extensions.iter().map(|extension| &extension.schema);
    let more = more.map(|schema| (Some(schema), schema.attributes.as_slice()));
    let mut found = Vec::new();
    for (extension, attributes) in core.into_iter().chain(more) {
        let Some(root) = root(extension, doc) else { continue };
        let other = other.and_then(|other| self::root(extension, other));
        for attribute in attributes.iter().filter(|attribute| attribute.is_stored()) {
            let whole = !attribute.is_complex() && wanted(attribute);
            let parts = || {
                let is_part = |sub: &&Attribute| sub.source == Source::Document && wanted(sub);
                attribute.sub.iter().filter(is_part)
            };
            if !whole && parts().next().is_none() {
                continue;
            }
            let Some(value) = counts(attribute, root) else { continue };
            if other.is_some_and(|other| counts(attribute, other) == Some(value)) {
                continue;
            }
            let elements = listed(value);
            if whole {
                push(&mut found, &full_name(extension, attribute, None), attribute, &elements);
            }
            for sub in parts() {
                let values = elements.iter().filter_map(|item| item.get(&sub.name));
                let values: Vec<&Value> = values.flat_map(listed).collect();
                push(&mut found, &full_name(extension, attribute, Some(sub)), sub, &values);
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The object in which the attributes of the core schema, or of this one, stand.
fn root<'d>(extension: Option<&Schema>, doc: &'d Doc) -> Option<&'d Doc> {
    match extension {
        Some(schema) => doc.get(&schema.id)?.as_object(),
        None => Some(doc),
    }
}

fn listed(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        single => vec![single],
    }
}

fn push(found: &mut Vec<IndexEntry>, attr: &str, attribute: &Attribute, values: &[&Value]) {
    let keys = values.iter().filter_map(|value| key(attribute, value));
    found.extend(keys.map(|key| IndexEntry { attr: attr.to_owned(), value: index_key(&key) }));
}

#[cfg(test)]
mod tests;
