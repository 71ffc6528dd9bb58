//! Values of attributes: what belongs there, made from what was sent.

use serde_json::{Map, Value};

use super::{Quirk, Softener};
use crate::scim::attribute::{Attribute, SEPARATORS, Type, UNSPLIT, find};
use crate::scim::json;

/// Where a value stands: an empty text means "clear" in both, by a quirk of its own in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Within {
    Body,
    Operation,
}

impl Within {
    fn empty(self) -> Quirk {
        match self {
            Self::Body => Quirk::EmptyUnassigned,
            Self::Operation => Quirk::EmptyClears,
        }
    }
}

impl Softener<'_> {
    /// The whole value of an attribute.
    pub(super) fn attribute(&self, attribute: &Attribute, value: &mut Value, within: Within) {
        if !attribute.multi {
            return self.single(attribute, value, within);
        }
        self.clear_empty(value, within);
        split(attribute, value);
        let wrap = match value {
            Value::Object(_) => self.on(Quirk::ObjectForList),
            Value::String(text) => {
                !text.is_empty() && self.on(Quirk::BareElement) && takes_bare(attribute)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => false,
        };
        if wrap {
            *value = Value::Array(vec![value.take()]);
        }
        if let Value::Array(elements) = value {
            let empty = Value::from("");
            if self.on(within.empty()) {
                elements.retain(|element| *element != empty);
            }
            for element in elements {
                self.element(attribute, element, within);
            }
        }
    }

    /// One element of a multi-valued attribute.
    pub(super) fn element(&self, attribute: &Attribute, value: &mut Value, within: Within) {
        if !attribute.is_complex() {
            return self.simple(attribute, value, within);
        }
        let bare = value.as_str().is_some_and(|text| !text.is_empty());
        if bare && self.on(Quirk::BareElement) && attribute.sub("value").is_some() {
            *value = object_of("value", value.take());
        }
        let Value::Object(object) = value else { return };
        self.read_text(attribute, object);
        self.name_display(attribute, object);
        self.members(&attribute.sub, object, within);
    }

    /// A single value: of a single-valued attribute or of a sub-attribute.
    pub(super) fn single(&self, attribute: &Attribute, value: &mut Value, within: Within) {
        if !attribute.is_complex() {
            return self.simple(attribute, value, within);
        }
        if self.on(Quirk::ComplexInArray)
            && let Value::Array(values) = value
        {
            *value = if values.is_empty() { Value::Null } else { values.swap_remove(0) };
        }
        self.clear_empty(value, within);
        if self.on(Quirk::BareComplex) && attribute.sub("value").is_some() {
            match value.as_str() {
                Some("") => *value = Value::Null,
                Some(_) => *value = object_of("value", value.take()),
                None => {}
            }
        }
        if let Value::Object(object) = value {
            self.members(&attribute.sub, object, within);
        }
    }

    /// The object of an extension with these attributes.
    pub(super) fn extension(&self, attributes: &[Attribute], value: &mut Value, within: Within) {
        self.clear_empty(value, within);
        if let Value::Object(object) = value {
            self.members(attributes, object, within);
        }
    }

    /// The members of an object with these attributes.
    pub(super) fn members(
        &self,
        attributes: &[Attribute],
        object: &mut Map<String, Value>,
        within: Within,
    ) {
        if self.on(Quirk::UnknownAttribute) {
            object.retain(|name, _| find(attributes, name).is_some());
        }
        for (name, value) in object.iter_mut() {
            if let Some(found) = find(attributes, name) {
                self.attribute(found, value, within);
            }
        }
    }

    /// The text of a `value` sub-attribute that is a JSON object with a value of its own.
    pub(super) fn value_in_text(&self, value: &Value) -> Option<Map<String, Value>> {
        let text = value.as_str()?.trim_start();
        if !self.on(Quirk::JsonInText) || !text.starts_with('{') {
            return None;
        }
        // The body around it has passed the limits that are set; these only bound what a text can
        // make of itself.
        let inner = json::parse(text.as_bytes(), &json::Limits::default()).ok()?;
        let object = json::object(inner).ok()?;
        object.get("value")?.is_string().then_some(object)
    }

    fn simple(&self, attribute: &Attribute, value: &mut Value, within: Within) {
        self.clear_empty(value, within);
        if attribute.kind == Type::Boolean
            && self.on(Quirk::TextBoolean)
            && let Some(text) = value.as_str()
        {
            let read = [("true", true), ("false", false)]
                .into_iter()
                .find(|(word, _)| text.eq_ignore_ascii_case(word));
            if let Some((_, read)) = read {
                *value = read.into();
            }
        }
    }

    fn clear_empty(&self, value: &mut Value, within: Within) {
        if value.as_str() == Some("") && self.on(within.empty()) {
            *value = Value::Null;
        }
    }

    fn read_text(&self, attribute: &Attribute, object: &mut Map<String, Value>) {
        if attribute.sub("value").is_none() {
            return;
        }
        let Some(key) = key_of(object, "value") else { return };
        let Some(mut inner) = self.value_in_text(&object[&key]) else { return };
        object.insert(key, inner["value"].take());
        let label = inner.get_mut("displayName").map(Value::take);
        if let Some(label) = label.filter(Value::is_string)
            && attribute.sub("display").is_some()
            && key_of(object, "display").is_none()
        {
            object.insert("display".to_owned(), label);
        }
    }

    fn name_display(&self, attribute: &Attribute, object: &mut Map<String, Value>) {
        let odd = attribute.sub("display").is_some() && attribute.sub("displayName").is_none();
        if !odd || !self.on(Quirk::DisplayName) {
            return;
        }
        let Some(label) = key_of(object, "displayName").and_then(|key| object.shift_remove(&key))
        else {
            return;
        };
        if key_of(object, "display").is_none() {
            object.insert("display".to_owned(), label);
        }
    }
}

/// A list that came as one text: custom attributes of Entra have one value each.
fn split(attribute: &Attribute, value: &mut Value) {
    let takes_text = attribute.delimited || attribute.names;
    let Some(text) = value.as_str().filter(|text| takes_text && !text.is_empty()) else {
        return;
    };
    if attribute.names {
        let several = text.contains(SEPARATORS);
        let text = if several { format!("{UNSPLIT}{text}") } else { text.to_owned() };
        *value = Value::Array(vec![text.into()]);
        return;
    }
    let parts = text.split(SEPARATORS).map(str::trim).filter(|part| !part.is_empty());
    *value = parts.collect();
}

/// The key of this member as it is written, compared without case.
pub(super) fn key_of(object: &Map<String, Value>, name: &str) -> Option<String> {
    object.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned()
}

fn takes_bare(attribute: &Attribute) -> bool {
    !attribute.is_complex() || attribute.sub("value").is_some()
}

fn object_of(name: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), value)]))
}
