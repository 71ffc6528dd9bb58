//! What a request set.

use std::collections::HashSet;

use serde_json::Value;

use crate::scim::attribute::Attribute;
use crate::scim::path::{AttrPath, Place};
use crate::scim::resource_type::ResourceType;
use crate::scim::schema::Schema;

/// The attributes that this very request set: shown even where they are `returned: request`.
#[derive(Debug, Clone, Default)]
pub struct Sent(HashSet<String>);

impl Sent {
    /// The request set nothing.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// What the body of a POST or PUT set.
    pub fn body(rt: &ResourceType, body: &Value) -> Self {
        let mut sent = Self::default();
        sent.object(rt, body);
        sent
    }

    /// What a PATCH message set.
    pub fn patch(rt: &ResourceType, message: &Value) -> Self {
        let mut sent = Self::default();
        let operations = member(message, "Operations").and_then(Value::as_array);
        for operation in operations.into_iter().flatten() {
            let path = member(operation, "path").and_then(Value::as_str);
            let value = member(operation, "value");
            match (path, value) {
                (None, Some(value)) => sent.object(rt, value),
                (Some(path), Some(value)) => sent.path(rt, path, value),
                (_, None) => {}
            }
        }
        sent
    }

    fn path(&mut self, rt: &ResourceType, path: &str, value: &Value) {
        let head = path.split('[').next().unwrap_or_default();
        match AttrPath::parse(head).ok().and_then(|path| rt.resolve(&path)) {
            Some(Place::Attribute { extension, attribute, .. }) => self.add(extension, attribute),
            Some(Place::Extension(schema)) => self.extension(schema, value),
            None => {}
        }
    }

    fn object(&mut self, rt: &ResourceType, value: &Value) {
        for (name, value) in value.as_object().into_iter().flatten() {
            if let Some(found) = rt.core(name) {
                self.add(None, found);
            } else if let Some(extension) = rt.extension(name) {
                self.extension(&extension.schema, value);
            }
        }
    }

    fn extension(&mut self, schema: &Schema, value: &Value) {
        let names = value.as_object().into_iter().flatten().map(|(name, _)| name);
        for found in names.filter_map(|name| schema.attribute(name)) {
            self.add(Some(schema), found);
        }
    }

    fn add(&mut self, extension: Option<&Schema>, attribute: &Attribute) {
        self.0.insert(key(extension, attribute));
    }

    /// Whether the request set this attribute.
    pub(super) fn has(&self, extension: Option<&Schema>, attribute: &Attribute) -> bool {
        !self.0.is_empty() && self.0.contains(&key(extension, attribute))
    }
}

fn member<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    object.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v)
}

fn key(extension: Option<&Schema>, attribute: &Attribute) -> String {
    extension.map_or_else(
        || attribute.name.clone(),
        |schema| format!("{}:{}", schema.id, attribute.name),
    )
}
