//! Bodies of POST and PUT.

use serde_json::{Map, Value};

use super::values::{Within, key_of};
use super::{Quirk, Softener};
use crate::scim::path::Place;
use crate::scim::urn;

impl Softener<'_> {
    /// Rewrites the body of a POST or PUT; one that is not an object stays for the core to refuse.
    pub fn body(&self, body: &mut Value) {
        let Some(object) = body.as_object_mut() else { return };
        self.rename_members(object);
        self.nest_paths(object);
        self.attributes(object, Within::Body);
        self.schemas(object);
    }

    /// The attributes of a resource, or of a part of it.
    pub(super) fn attributes(&self, object: &mut Map<String, Value>, within: Within) {
        if self.on(Quirk::UnknownAttribute) {
            object.retain(|name, _| {
                self.rt.core(name).is_some() || self.rt.extension(name).is_some()
            });
        }
        for (name, value) in object.iter_mut() {
            if name.eq_ignore_ascii_case("schemas") {
                self.soften_schemas(value);
            } else if let Some(found) = self.rt.core(name) {
                self.attribute(found, value, within);
            } else if let Some(extension) = self.rt.extension(name) {
                self.extension(&extension.schema.attributes, value, within);
            }
        }
    }

    /// `"name.formatted"` as a key of a body goes where the path says, unless a value is there.
    fn nest_paths(&self, object: &mut Map<String, Value>) {
        if !self.on(Quirk::DottedKeys) || !object.keys().any(|key| self.is_dotted(key)) {
            return;
        }
        let (dotted, rest) =
            std::mem::take(object).into_iter().partition(|(key, _)| self.is_dotted(key));
        *object = rest;
        let dotted: Map<String, Value> = dotted;
        for (key, value) in dotted {
            let target = super::path::Path::parse(&key).filter(|path| path.filter.is_none());
            let place = target.and_then(|path| self.place(&path));
            match place {
                Some(Place::Attribute { extension, attribute, sub })
                    if sub.is_none() || !attribute.multi =>
                {
                    let names = extension
                        .map(|schema| schema.id.as_str())
                        .into_iter()
                        .chain(std::iter::once(attribute.name.as_str()))
                        .chain(sub.map(|sub| sub.name.as_str()));
                    put(object, &names.collect::<Vec<_>>(), value);
                }
                Some(_) | None => {
                    object.insert(key, value);
                }
            }
        }
    }

    /// What a body lacks in `schemas`: the core URN, and extensions that it uses.
    fn schemas(&self, object: &mut Map<String, Value>) {
        let used: Vec<String> = self
            .rt
            .extensions
            .iter()
            .map(|extension| extension.schema.id.clone())
            .filter(|id| key_of(object, id).is_some_and(|key| object[&key].is_object()))
            .collect();
        let key = key_of(object, "schemas").unwrap_or_else(|| "schemas".to_owned());
        let missing = object.get(&key).is_none_or(Value::is_null);
        if missing && self.on(Quirk::NoSchemas) {
            object.shift_remove(&key);
            object.shift_insert(0, key.clone(), Value::Array(Vec::new()));
        }
        let Some(Value::Array(list)) = object.get_mut(&key) else { return };
        let mut add = |id: &str, quirk| {
            let listed = list.iter().filter_map(Value::as_str).any(|other| urn::same(other, id));
            if !listed && self.on(quirk) {
                list.push(id.into());
            }
        };
        add(&self.rt.schema.id, Quirk::NoSchemas);
        for id in &used {
            add(id, Quirk::UnlistedExtension);
        }
    }
}

/// Puts a value below these names unless one is there.
fn put(object: &mut Map<String, Value>, names: &[&str], value: Value) {
    let [name, rest @ ..] = names else { return };
    let key = key_of(object, name).unwrap_or_else(|| (*name).to_owned());
    if rest.is_empty() {
        object.entry(key).or_insert(value);
        return;
    }
    let inner = object.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(inner) = inner {
        put(inner, rest, value);
    }
}
