//! PATCH messages.

use serde_json::{Map, Value};

use super::path::{Path, equals};
use super::values::{Within, key_of};
use super::{Quirk, Softener};
use crate::scim::attribute::{Attribute, Source, Type};
use crate::scim::path::Place;
use crate::scim::urn;

/// How long a filter made from a list of values may become; longer lists become several operations.
const FILTER_BYTES: usize = 4096;

impl Softener<'_> {
    /// Rewrites a PATCH message; what is not one stays for the core to refuse.
    pub fn patch(&self, body: &mut Value) {
        let Some(message) = body.as_object_mut() else { return };
        self.message_schemas(message, urn::PATCH);
        let Some(key) = key_of(message, "Operations") else { return };
        let Some(Value::Array(operations)) = message.get_mut(&key) else { return };
        for operation in std::mem::take(operations) {
            match operation {
                Value::Object(operation) => self.operation(operation, operations),
                other => operations.push(other),
            }
        }
    }

    /// `schemas` of a message: the URN of the message, which may be left out.
    pub fn message_schemas(&self, message: &mut Map<String, Value>, id: &str) {
        let key = key_of(message, "schemas").unwrap_or_else(|| "schemas".to_owned());
        if self.on(Quirk::UnknownSchema)
            && let Some(Value::Array(list)) = message.get_mut(&key)
            && list.iter().filter_map(Value::as_str).any(|text| urn::same(text, id))
        {
            *list = vec![id.into()];
        }
        let missing = match message.get(&key) {
            None | Some(Value::Null) => true,
            Some(Value::Array(list)) => list.is_empty(),
            Some(_) => false,
        };
        if missing && self.on(Quirk::NoSchemas) {
            message.insert(key, Value::Array(vec![id.into()]));
        }
    }

    fn operation(&self, mut operation: Map<String, Value>, done: &mut Vec<Value>) {
        self.lower_op(&mut operation);
        let path = key_of(&operation, "path").filter(|key| !operation[key].is_null());
        match path {
            None => self.without_path(operation, done),
            Some(key) => self.with_path(&key, operation, done),
        }
    }

    fn lower_op(&self, operation: &mut Map<String, Value>) {
        let Some(key) = key_of(operation, "op") else { return };
        let Some(text) = operation[&key].as_str() else { return };
        let lower = text.to_ascii_lowercase();
        if self.on(Quirk::CapitalOp) && matches!(lower.as_str(), "add" | "remove" | "replace") {
            operation.insert(key, lower.into());
        }
    }

    /// A value of several attributes; its keys that are paths become operations of their own, in
    /// their order.
    fn without_path(&self, mut operation: Map<String, Value>, done: &mut Vec<Value>) {
        let value = key_of(&operation, "value").and_then(|key| operation.get_mut(&key));
        let Some(Value::Object(object)) = value else {
            done.push(operation.into());
            return;
        };
        self.rename_members(object);
        let splits = self.on(Quirk::DottedKeys) && object.keys().any(|key| self.is_dotted(key));
        if !splits {
            self.attributes(object, Within::Operation);
            done.push(operation.into());
            return;
        }
        let mut plain = Map::new();
        for (key, value) in std::mem::take(object) {
            if !self.is_dotted(&key) {
                plain.insert(key, value);
            } else if self.is_applied(&key) {
                self.push_plain(&operation, &mut plain, done);
                let mut single = operation.clone();
                set(&mut single, "value", value);
                set(&mut single, "path", key.into());
                self.with_path("path", single, done);
            }
        }
        self.push_plain(&operation, &mut plain, done);
    }

    fn push_plain(
        &self,
        operation: &Map<String, Value>,
        plain: &mut Map<String, Value>,
        done: &mut Vec<Value>,
    ) {
        self.attributes(plain, Within::Operation);
        if !plain.is_empty() {
            let mut rest = operation.clone();
            set(&mut rest, "value", std::mem::take(plain).into());
            done.push(rest.into());
        }
    }

    /// Whether a key that is a path is worth an operation: as with plain keys, unknown and readOnly
    /// attributes are ignored where no path of the client's names them.
    fn is_applied(&self, key: &str) -> bool {
        let place = Path::parse(key).and_then(|path| self.place(&path));
        match place {
            None => !self.on(Quirk::UnknownAttribute),
            Some(Place::Extension(_)) => true,
            Some(Place::Attribute { attribute, sub, .. }) => {
                !attribute.is_read_only() && !sub.is_some_and(Attribute::is_read_only)
            }
        }
    }

    fn with_path(&self, key: &str, mut operation: Map<String, Value>, done: &mut Vec<Value>) {
        let Some(text) = operation[key].as_str().map(str::trim) else {
            done.push(operation.into());
            return;
        };
        if self.is_hidden(text) {
            return;
        }
        let text = self.renamed(text).unwrap_or_else(|| text.to_owned());
        operation.insert(key.to_owned(), text.clone().into());
        let path = Path::parse(&text);
        let place = path.as_ref().and_then(|path| self.place(path));
        if let (Some(path), Some(place)) = (path, place) {
            let had = self.soften_value(&path, place, &mut operation);
            if self.on(Quirk::RemoveListed)
                && had
                && let Some(selected) = listed(&path, place, &operation)
            {
                if let Some(value) = key_of(&operation, "value") {
                    operation.shift_remove(&value);
                }
                // An empty list removes nothing: no operation is left.
                for filter in selected {
                    let mut single = operation.clone();
                    single.insert(key.to_owned(), format!("{text}[{filter}]").into());
                    done.push(single.into());
                }
                return;
            }
        }
        done.push(operation.into());
    }

    /// Rewrites the value where the path leads; true when there is one.
    fn soften_value(
        &self,
        path: &Path<'_>,
        place: Place<'_>,
        operation: &mut Map<String, Value>,
    ) -> bool {
        let Some(key) = key_of(operation, "value") else { return false };
        let Some(value) = operation.get_mut(&key) else { return false };
        let cleared = value.as_str() == Some("");
        let single = match place {
            Place::Extension(schema) => {
                self.extension(&schema.attributes, value, Within::Operation);
                true
            }
            Place::Attribute { sub: Some(sub), attribute, .. } => {
                if attribute.multi
                    && sub.name == "value"
                    && let Some(mut inner) = self.value_in_text(value)
                {
                    *value = inner["value"].take();
                }
                self.attribute(sub, value, Within::Operation);
                !sub.multi
            }
            Place::Attribute { attribute, .. } if attribute.name == "schemas" => {
                self.soften_schemas(value);
                false
            }
            Place::Attribute { attribute, .. } if path.filter.is_some() => {
                self.element(attribute, value, Within::Operation);
                false
            }
            Place::Attribute { attribute, .. } => {
                self.attribute(attribute, value, Within::Operation);
                !attribute.multi
            }
        };
        // Nothing can be added; what the client means is that nothing shall be there.
        let nothing = cleared && single && value.is_null();
        if nothing
            && let Some(op) = key_of(operation, "op")
            && operation[&op] == "add"
        {
            operation.insert(op, "replace".into());
        }
        true
    }
}

fn set(operation: &mut Map<String, Value>, name: &str, value: Value) {
    let key = key_of(operation, name).unwrap_or_else(|| name.to_owned());
    operation.insert(key, value);
}

/// The filters that select what a `remove` lists, none of them where the list is empty.
///
/// None when there is no list: without a value, or with `null`, all values go. What is neither stays
/// for the core to refuse: nobody loses a member because a list could not be read.
fn listed(
    path: &Path<'_>,
    place: Place<'_>,
    operation: &Map<String, Value>,
) -> Option<Vec<String>> {
    let Place::Attribute { attribute, sub: None, .. } = place else { return None };
    let removes = key_of(operation, "op").is_some_and(|key| operation[&key] == "remove");
    if !removes || !attribute.multi || path.filter.is_some() {
        return None;
    }
    let value = &operation[&key_of(operation, "value")?];
    let elements = match value {
        Value::Array(elements) => elements.as_slice(),
        Value::Object(_) | Value::String(_) => std::slice::from_ref(value),
        Value::Null | Value::Bool(_) | Value::Number(_) => return None,
    };
    let mut filters: Vec<String> = Vec::new();
    for element in elements.iter().filter(|element| !element.is_null()) {
        let term = term(attribute, element)?;
        match filters.last_mut() {
            Some(last) if last.len() + term.len() < FILTER_BYTES => {
                last.push_str(" or ");
                last.push_str(&term);
            }
            Some(_) | None => filters.push(term),
        }
    }
    Some(filters)
}

/// What selects one listed element: its value, with its type where the client may set that; without
/// a value, whatever else it says. One that says nothing selects nothing.
fn term(attribute: &Attribute, element: &Value) -> Option<String> {
    let Value::Object(object) = element else {
        return (element.is_string() || element.is_number()).then(|| equals("value", element));
    };
    let said = |sub: &Attribute| {
        let value = &object[&key_of(object, &sub.name)?];
        let usable = sub.kind != Type::Complex && !sub.multi && !sub.is_read_only();
        let simple = value.is_string() || value.is_boolean() || value.is_number();
        (usable && simple).then(|| equals(&sub.name, value))
    };
    let value = attribute.sub("value").and_then(said);
    let terms: Vec<String> = match value {
        Some(value) => {
            let kind = attribute.sub("type").filter(|sub| sub.source == Source::Document);
            std::iter::once(value).chain(kind.and_then(said)).collect()
        }
        None => attribute.sub.iter().filter_map(said).collect(),
    };
    match terms.as_slice() {
        [] => attribute.sub.first().map(|sub| equals(&sub.name, &Value::from(""))),
        [single] => Some(single.clone()),
        [..] => Some(format!("({})", terms.join(" and "))),
    }
}
