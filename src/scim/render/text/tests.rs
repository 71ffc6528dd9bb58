use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::clock::Micros;
use crate::scim::Doc;
use crate::scim::quirks::Quirks;
use crate::scim::render::Linked;
use crate::scim::resource_type::Registry;
use crate::scim::urn;

/// Some value that may stand where this attribute stands, sometimes one that should not.
fn value_of(attribute: &Attribute, dice: &mut impl FnMut(usize) -> usize) -> Value {
    let texts = ["", "a", "Zoë", "\"\\\u{1}\n", "u1", "u2", "nobody", "{}", "[]"];
    let single = |dice: &mut dyn FnMut(usize) -> usize| match dice(12) {
        0 => Value::Null,
        1 => json!({}),
        2 => json!(1.5),
        3 => json!(dice(2) == 0),
        4 => json!([]),
        _ => json!(texts[dice(texts.len())]),
    };
    let element = |dice: &mut dyn FnMut(usize) -> usize| {
        if !attribute.is_complex() || dice(20) == 0 {
            return single(dice);
        }
        let mut object = Map::new();
        for sub in &attribute.sub {
            if dice(2) == 0 {
                object.insert(sub.name.clone(), single(dice));
            }
        }
        if dice(15) == 0 {
            object.insert("stranger".to_owned(), json!(1));
        }
        Value::Object(object)
    };
    if attribute.multi && dice(20) != 0 {
        return (0..dice(4)).map(|_| element(dice)).collect();
    }
    element(dice)
}

fn document(rt: &ResourceType, dice: &mut impl FnMut(usize) -> usize) -> Doc {
    let mut doc = Doc::new();
    for attribute in &rt.schema.attributes {
        if dice(2) == 0 {
            doc.insert(attribute.name.clone(), value_of(attribute, dice));
        }
    }
    if dice(2) == 0 {
        doc.insert("externalId".to_owned(), json!("e\"1"));
    }
    for extension in &rt.extensions {
        let mut inner = Doc::new();
        for attribute in &extension.schema.attributes {
            if dice(2) == 0 {
                inner.insert(attribute.name.clone(), value_of(attribute, dice));
            }
        }
        if dice(3) > 0 {
            doc.insert(extension.schema.id.clone(), inner.into());
        }
    }
    doc
}

const NAMES: [&str; 14] = [
    "userName",
    "name",
    "name.givenName",
    "emails",
    "emails.value",
    "groups",
    "groups.display",
    "members",
    "members.display",
    "meta",
    "meta.version",
    "id",
    urn::ENTERPRISE,
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName",
];

fn linked(id: &str, kind: &str) -> Linked {
    Linked {
        id: id.to_owned(),
        kind: kind.to_owned(),
        label: format!("<{id}>"),
        direct: id == "u1",
        doc: None,
    }
}

/// The ids of the resources whose address or name the parsed document shows, each once.
fn links_of(rt: &ResourceType, doc: &Doc) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (extension, attribute) in rt.attributes().filter(|(_, attribute)| refers(attribute)) {
        let part = match extension {
            None => Some(doc),
            Some(schema) => doc.get(&schema.id).and_then(Value::as_object),
        };
        let elements = match part.and_then(|part| part.get(&attribute.name)) {
            Some(Value::Array(elements)) => elements.as_slice(),
            Some(single) => std::slice::from_ref(single),
            None => &[],
        };
        for id in elements.iter().filter_map(|element| element.get("value")?.as_str()) {
            if !found.iter().any(|known| known == id) {
                found.push(id.to_owned());
            }
        }
    }
    found
}

proptest! {
    /// Whatever is stored and whatever is asked for: the text is that of the careful way.
    #[test]
    fn the_stored_text_goes_out_as_the_parsed_one_would(
        throws in prop::collection::vec(any::<u16>(), 400),
        named in prop::collection::vec(0..NAMES.len(), 0..4),
        mode in 0..4,
        kind in prop::sample::select(vec!["User", "Group"]),
    ) {
        let mut throws = throws.into_iter().cycle();
        let mut dice = move |sides: usize| usize::from(throws.next().unwrap()) % sides;
        let registry = Registry::standard();
        let rt = registry.by_name(kind).unwrap();
        let doc = document(rt, &mut dice);
        let sent = if mode == 3 { Sent::body(rt, &doc.clone().into()) } else { Sent::nothing() };
        let names: Vec<String> = named.iter().map(|place| NAMES[*place].to_owned()).collect();
        let (only, without) = if mode == 1 { (names, vec![]) } else { (vec![], names) };
        let projection = Projection::new(rt, &only, &without, Quirks::ALL).unwrap();
        let links = HashMap::from([("u1".to_owned(), linked("u1", "User"))]);
        let rows: Vec<_> = ["u1", "u2"][..dice(3)].iter().map(|id| linked(id, "User")).collect();
        let parts = Parts {
            id: "some-id",
            version: 7,
            created: Micros(1),
            modified: Micros(2),
            members: (dice(2) == 0).then_some(&rows[..]),
            groups: (dice(2) == 0).then_some(&rows[..]),
            links: &links,
            counted: None,
        };
        let quirks = if dice(2) == 0 { Quirks::ALL } else { Quirks::NONE };
        let renderer = Renderer { registry: &registry, base: "http://u/scim/v2", quirks };
        let careful = projection.apply(renderer.document(rt, &doc, &parts), &sent);
        let stored = serde_json::to_string(&doc).unwrap();
        let raw = Raw::of(rt, &stored).unwrap();
        prop_assert_eq!(super::links(rt, &raw), links_of(rt, &doc));
        let writer = Writer { renderer, rt, projection: &projection, sent: &sent };
        prop_assert_eq!(writer.document(&raw, &parts), serde_json::to_string(&careful).unwrap());
    }
}

#[test]
fn damaged_text_is_refused() {
    let registry = Registry::standard();
    let rt = registry.by_name("User").unwrap();
    for text in ["", "[]", "{\"a\":}", "{\"a\":1"] {
        assert!(Raw::of(rt, text).is_err(), "{text}");
    }
}

#[test]
fn what_is_no_object_extends_nothing() {
    let registry = Registry::standard();
    let rt = registry.by_name("User").unwrap();
    for value in ["null", "1", "-1", "1.5", "true", "\"a\"", "[{\"a\":[1]}]", "{}"] {
        let text = format!(r#"{{"{}":{value},"userName":"zoe"}}"#, urn::ENTERPRISE);
        let raw = Raw::of(rt, &text).unwrap();
        assert!(!raw.extends(rt, urn::ENTERPRISE), "{value}");
        assert_eq!(raw.own.get("userName"), Some("\"zoe\""), "{value}");
    }
    let text = format!(r#"{{"{}":{{"department":"a"}}}}"#, urn::ENTERPRISE);
    assert!(Raw::of(rt, &text).unwrap().extends(rt, urn::ENTERPRISE));
}
