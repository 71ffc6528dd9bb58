//! The state of a resource: those of its values that are single, that are among few, and that resources
//! change all the time, such as `active` and `lifecycle`.
//!
//! In a large database every entry of an index that a change takes and makes is a page of its own to
//! read, write and write again. These stand in one text, and the text in one index: a suspension, which
//! changes all of them, changes one entry. The texts of a tenant are as few as the states are, so that a
//! filter on any of the values is asked of each of them first ([`document`]).

use std::collections::HashMap;

use serde_json::Value;

use crate::scim::Doc;
use crate::scim::attribute::{Attribute, Type};
use crate::scim::fold;
use crate::scim::resource_type::ResourceType;
use crate::scim::schema::Schema;

/// One value of the state.
struct Place<'r> {
    extension: Option<&'r Schema>,
    attribute: &'r Attribute,
    sub: Option<&'r Attribute>,
}

/// The state of a document: a JSON object of its values in normal forms, `null` for what it does not have,
/// in the order of the schemas; empty for a type that has no states.
pub fn of(rt: &ResourceType, doc: &Doc) -> String {
    let values: Doc = places(rt)
        .map(|place| (place.name(), place.normal(doc).map_or(Value::Null, Value::from)))
        .collect();
    if values.is_empty() {
        return String::new();
    }
    serde_json::to_string(&values).unwrap_or_default()
}

/// The value of this name, `lifecycle` or `pool.value`, in a state.
pub fn value(state: &str, name: &str) -> Option<String> {
    values(state)?.remove(name)?
}

/// All values of a state by their names; none where the text is no state.
pub fn values(state: &str) -> Option<HashMap<String, Option<String>>> {
    serde_json::from_str(state).ok()
}

/// A document that has this state and nothing else, for asking filters about it; none where the text is
/// no state of this type.
pub fn document(rt: &ResourceType, state: &str) -> Option<Doc> {
    let mut values = values(state)?;
    let mut doc = Doc::new();
    for place in places(rt) {
        if let Some(value) = values.remove(&place.name())? {
            place.put(&mut doc, value)?;
        }
    }
    Some(doc)
}

/// In the order of the schemas.
fn places(rt: &ResourceType) -> impl Iterator<Item = Place<'_>> {
    let more = rt.extensions.iter().map(|extension| &extension.schema);
    let schemas =
        std::iter::once((None, &rt.schema)).chain(more.map(|schema| (Some(schema), schema)));
    schemas.flat_map(|(extension, schema)| {
        let all = schema.attributes.iter().filter(|attribute| attribute.is_stored());
        all.flat_map(move |attribute| {
            let whole = attribute.state.then_some(Place { extension, attribute, sub: None });
            let parts = attribute.sub.iter().filter(|sub| sub.state);
            let parts = parts.map(move |sub| Place { extension, attribute, sub: Some(sub) });
            whole.into_iter().chain(parts)
        })
    })
}

impl Place<'_> {
    fn leaf(&self) -> &Attribute {
        self.sub.unwrap_or(self.attribute)
    }

    fn name(&self) -> String {
        fold::full_name(None, self.attribute, self.sub)
    }

    fn normal(&self, doc: &Doc) -> Option<String> {
        let root = match self.extension {
            Some(schema) => doc.get(&schema.id)?.as_object()?,
            None => doc,
        };
        let value = root.get(&self.attribute.name)?;
        let value = self.sub.map_or(Some(value), |sub| value.get(&sub.name))?;
        fold::key(self.leaf(), value).map(|key| fold::index_key(&key))
    }

    /// None where the value is none of the attribute's type.
    fn put(&self, doc: &mut Doc, value: String) -> Option<()> {
        let value = match (self.leaf().kind, value.as_str()) {
            (Type::Boolean, "1") => Value::Bool(true),
            (Type::Boolean, "0") => Value::Bool(false),
            (Type::Boolean, _) => return None,
            _ => Value::String(value),
        };
        let root = match self.extension {
            Some(schema) => object(doc, &schema.id)?,
            None => doc,
        };
        match self.sub {
            Some(sub) => object(root, &self.attribute.name)?.insert(sub.name.clone(), value),
            None => root.insert(self.attribute.name.clone(), value),
        };
        Some(())
    }
}

/// The object of this name, made where there is none.
fn object<'d>(doc: &'d mut Doc, name: &str) -> Option<&'d mut Doc> {
    doc.entry(name).or_insert_with(|| Doc::new().into()).as_object_mut()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::resource_type::Registry;
    use crate::scim::urn;

    fn users() -> std::sync::Arc<ResourceType> {
        Registry::standard().by_name("User").unwrap().clone()
    }

    fn doc(value: &Value) -> Doc {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn what_resources_change_all_the_time_stands_in_one_text() {
        let (usher, seat) = (urn::CONTACT_CENTER, urn::SEAT);
        let ines = doc(&json!({
            "userName": "ines", "active": true,
            usher: { "lifecycle": "Active", "origin": "scim" },
            seat: { "pool": { "value": "default", "display": "Seats" }, "state": "consumed" },
        }));
        let state = of(&users(), &ines);
        assert_eq!(state, r#"{"active":"1","lifecycle":"active","pool.value":"default"}"#);
        assert_eq!(value(&state, "lifecycle").as_deref(), Some("active"));
        assert_eq!(
            Value::from(document(&users(), &state).unwrap()),
            json!({
                "active": true,
                usher: { "lifecycle": "active" }, seat: { "pool": { "value": "default" } },
            })
        );
        let bare = of(&users(), &doc(&json!({ "active": false })));
        assert_eq!(bare, r#"{"active":"0","lifecycle":null,"pool.value":null}"#);
        assert_eq!(value(&bare, "lifecycle"), None);
    }

    #[test]
    fn a_text_that_is_no_state_of_the_type_says_nothing() {
        let wrong = r#"{"active":"yes","lifecycle":"active","pool.value":"default"}"#;
        for text in ["", "x", "[]", "{}", r#"{"active":"1"}"#, r#"{"active":1}"#, wrong] {
            assert_eq!(document(&users(), text), None, "{text}");
        }
    }

    #[test]
    fn only_single_texts_and_truth_values_belong_to_a_state() {
        for rt in Registry::standard().types() {
            let mut names: Vec<String> = places(rt).map(|place| place.name()).collect();
            names.dedup();
            assert_eq!(names.len(), places(rt).count(), "{}: two of one name", rt.name);
            for Place { attribute, sub, .. } in places(rt) {
                let leaf = sub.unwrap_or(attribute);
                assert!(!attribute.multi && !leaf.multi, "{}", leaf.name);
                assert!(matches!(leaf.kind, Type::String | Type::Boolean), "{}", leaf.name);
                assert!(!leaf.indexed && leaf.is_stored(), "{}", leaf.name);
            }
        }
    }

    #[test]
    fn a_type_without_states_has_an_empty_one() {
        let groups = Registry::standard().by_name("Group").unwrap().clone();
        assert_eq!(of(&groups, &doc(&json!({ "displayName": "Support" }))), "");
    }
}
