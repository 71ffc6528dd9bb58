//! Normal forms for comparing: what a filter, a sort or a uniqueness check looks at.
//!
//! No fold in SQL is the same on two databases, so folding happens here, once, when a value is
//! stored; SQL then compares plain code points.

use std::fmt::Write as _;
use std::net::IpAddr;

use caseless::Caseless;
use ipnet::IpNet;
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

/// The document in normal forms, as the column `folded` holds it.
///
/// The same tree with folded texts, moments as microseconds, and booleans as 1 and 0, so that both
/// databases read it with the same casts; `~label` is the folded label.
pub fn document(rt: &ResourceType, doc: &Doc) -> Doc {
    let mut tree = Doc::new();
    for (name, value) in doc {
        if let Some(extension) = rt.extension(name) {
            if let Value::Object(object) = value {
                let inner = object_of(&extension.schema.attributes, object);
                tree.insert(extension.schema.id.clone(), Value::Object(inner));
            }
        } else if let Some(attribute) = rt.core(name)
            && let Some(value) = value_of(attribute, value)
        {
            tree.insert(attribute.name.clone(), value);
        }
    }
    tree.insert(LABEL.to_owned(), Value::String(folded(&label(rt, doc))));
    tree
}

fn object_of(attributes: &[Attribute], object: &Doc) -> Doc {
    object
        .iter()
        .filter_map(|(name, value)| {
            let attribute = crate::scim::attribute::find(attributes, name)?;
            Some((attribute.name.clone(), value_of(attribute, value)?))
        })
        .collect()
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

fn value_of(attribute: &Attribute, value: &Value) -> Option<Value> {
    match value {
        Value::Array(items) => {
            let items: Vec<Value> =
                items.iter().filter_map(|item| element_of(attribute, item)).collect();
            Some(Value::Array(items))
        }
        single => {
            let element = element_of(attribute, single)?;
            // SQL unfolds multi-valued attributes as lists and must always find one.
            Some(if attribute.multi { Value::Array(vec![element]) } else { element })
        }
    }
}

fn element_of(attribute: &Attribute, value: &Value) -> Option<Value> {
    if let (true, Value::Object(object)) = (attribute.is_complex(), value) {
        return Some(Value::Object(object_of(&attribute.sub, object)));
    }
    Some(match key(attribute, value)? {
        Key::Text(text) => Value::String(text),
        Key::Int(number) => Value::from(number),
        // The number as it was written keeps its digits.
        Key::Real(_) => value.clone(),
        Key::Bool(value) => Value::from(i64::from(value)),
    })
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
    let mut cut = String::with_capacity(KEPT_BYTES + 65);
    cut.push_str(head);
    cut.push('~');
    for byte in Sha256::digest(folded.as_bytes()) {
        let _ = write!(cut, "{byte:02x}");
    }
    cut
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

/// What the index has to hold for this document, each entry once.
pub fn index_entries(rt: &ResourceType, doc: &Doc) -> Vec<IndexEntry> {
    entries(rt, doc, shown, |attribute| attribute.indexed)
}

/// The values of this document that nothing else of its type may have, each once.
pub fn unique_entries(rt: &ResourceType, doc: &Doc, quirks: Quirks) -> Vec<IndexEntry> {
    let group = urn::same(&rt.schema.id, urn::GROUP) && !quirks.on(Quirk::UniqueGroupNames);
    entries(rt, doc, normal, |attribute| {
        attribute.uniqueness != Uniqueness::None && !(group && attribute.name == "displayName")
    })
}

/// Which value of an attribute counts, in the object that holds it.
type Counts = for<'d> fn(&Attribute, &'d Doc) -> Option<&'d Value>;

fn entries(
    rt: &ResourceType,
    doc: &Doc,
    counts: Counts,
    wanted: impl Fn(&Attribute) -> bool,
) -> Vec<IndexEntry> {
    let mut found = Vec::new();
    for (extension, attribute) in rt.attributes().filter(|(_, found)| found.is_stored()) {
        let root = match extension {
            Some(schema) => doc.get(&schema.id).and_then(Value::as_object),
            None => Some(doc),
        };
        let Some(value) = root.and_then(|root| counts(attribute, root)) else { continue };
        let elements = listed(value);
        if !attribute.is_complex() && wanted(attribute) {
            push(&mut found, &full_name(extension, attribute, None), attribute, &elements);
        }
        let subs = attribute.sub.iter().filter(|sub| sub.source == Source::Document && wanted(sub));
        for sub in subs {
            let values: Vec<&Value> =
                elements.iter().filter_map(|item| item.get(&sub.name)).flat_map(listed).collect();
            push(&mut found, &full_name(extension, attribute, Some(sub)), sub, &values);
        }
    }
    found.sort();
    found.dedup();
    found
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
