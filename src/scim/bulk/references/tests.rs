use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::scim::attribute::{Mutability, Source};
use crate::scim::resource_type::Registry;

const NAMES: [(&str, &str); 3] = [("a", "id-a"), ("b c", "id-b"), ("q\"r", "id-q")];

fn ids(name: &str) -> Option<&'static str> {
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, id)| *id)
}

fn put(mut data: Value) -> Value {
    substitute(Method::Put, &mut data, &ids).unwrap();
    data
}

/// Proves SCIM-423, SCIM-424.
#[test]
fn ids_take_the_place_of_references_wherever_they_stand() {
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let table = [
        (
            json!({ "members": [{ "value": "bulkId:a" }] }),
            json!({ "members": [{ "value": "id-a" }] }),
        ),
        (
            json!({ enterprise: { "manager": { "value": "bulkId:b c" } } }),
            json!({ enterprise: { "manager": { "value": "id-b" } } }),
        ),
        (json!({ "manager": "bulkId:q\"r" }), json!({ "manager": "id-q" })),
        (json!({ "manager.value": "bulkId:a" }), json!({ "manager.value": "id-a" })),
        (
            json!({ "MEMBERS": ["bulkId:a", { "Value": "bulkId:a" }] }),
            json!({ "MEMBERS": ["id-a", { "Value": "id-a" }] }),
        ),
        (
            json!({ "x": { "$ref": "/Users/bulkId:a", "$REF": "../bulkId:a" } }),
            json!({ "x": { "$ref": "/Users/id-a", "$REF": "../id-a" } }),
        ),
        (json!({ "$ref": "bulkId:a" }), json!({ "$ref": "id-a" })),
    ];
    for (before, after) in table {
        assert_eq!(put(before.clone()), after, "{before}");
    }
}

#[test]
fn where_no_reference_belongs_a_text_means_what_it_says() {
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let table = [
        json!({ "t": "see bulkId:a", "title": "bulkId:a", "userName": "bulkId:nobody" }),
        json!({ "displayName": "bulkId:a", "password": "bulkId:a" }),
        json!({ "password": { "$ref": "bulkId:a", "value": "bulkId:a" } }),
        json!({ enterprise: { "department": "bulkId:a", "manager": { "displayName": "bulkId:a" } } }),
        json!({ "members": [{ "display": "bulkId:a", "value": "/Users/bulkId:a" }] }),
        json!({ "emails": [{ "value": "bulkId:a" }] }),
        json!({ "bulkId:a": "BULKID:a" }),
        json!({ "path": "members[value eq \"bulkId:a\"]" }),
    ];
    for data in table {
        assert_eq!(put(data.clone()), data);
        let mut data = data;
        assert_eq!(references(Method::Post, &mut data).len(), 0, "{data}");
    }
    let before = json!({ "Operations": [
        { "op": "add", "path": "password", "value": "bulkId:a" },
        { "op": "add", "path": "title", "value": "bulkId:a" },
        { "op": "add", "value": { "password": "bulkId:a", "nickName": "bulkId:a" } },
        { "op": "remove", "path": "emails[value eq \"bulkId:a\"]" },
        { "op": "add", "path": "members[value eq \"1\"].display", "value": "bulkId:a" },
    ] });
    let mut data = before.clone();
    substitute(Method::Patch, &mut data, &ids).unwrap();
    assert_eq!(data, before);
}

#[test]
fn values_of_patch_operations_are_what_their_paths_say() {
    let table = [
        (Some("members"), json!([{ "value": "bulkId:a" }]), json!([{ "value": "id-a" }])),
        (Some("urn:x:2.0:User:manager"), json!("bulkId:a"), json!("id-a")),
        (Some("urn:x:2.0:User:manager.value"), json!("bulkId:a"), json!("id-a")),
        (Some("manager.$ref"), json!("../Users/bulkId:a"), json!("../Users/id-a")),
        (Some("members[value eq \"a.b:c\"].value"), json!("bulkId:a"), json!("id-a")),
        (
            Some("urn:x:2.0:User"),
            json!({ "manager": { "value": "bulkId:a" } }),
            json!({ "manager": { "value": "id-a" } }),
        ),
        (None, json!({ "members": ["bulkId:a"] }), json!({ "members": ["id-a"] })),
        (
            None,
            json!({ "urn:x:2.0:User:manager.value": "bulkId:a" }),
            json!({ "urn:x:2.0:User:manager.value": "id-a" }),
        ),
    ];
    for (path, before, after) in table {
        let mut data = json!({ "Operations": [{ "op": "add", "path": path, "value": before }] });
        substitute(Method::Patch, &mut data, &ids).unwrap();
        assert_eq!(data["Operations"][0]["value"], after, "{path:?}");
    }
}

/// What the tables say of attributes and what is known here by name are the same.
#[test]
fn the_attributes_that_hold_others_and_the_secret_one_are_those_of_the_tables() {
    let registry = Registry::standard();
    // The id of an agent stands there as a text.
    let (mut holders, mut secrets) = (BTreeSet::from([AGENT.to_owned()]), BTreeSet::new());
    let all = registry.types().iter().flat_map(|kind| {
        kind.schema
            .attributes
            .iter()
            .chain(kind.extensions.iter().flat_map(|e| &e.schema.attributes))
    });
    for attribute in all {
        let refers = attribute.sub.iter().any(|sub| sub.name == "$ref");
        if refers && attribute.mutability != Mutability::ReadOnly {
            holders.insert(attribute.name.clone());
        }
        if attribute.source == Source::Secret {
            secrets.insert(attribute.name.clone());
        }
    }
    assert_eq!(holders, HOLDERS.map(str::to_owned).into());
    assert_eq!(secrets, [SECRET.to_owned()].into());
}

#[test]
fn a_password_is_seen_however_it_is_written() {
    let table = [
        (r#"{"password":"x"}"#, true),
        (r#"{"path":"urn:x:User:PassWord"}"#, true),
        (r#"{"p\u0061ssword":"x"}"#, true),
        (r#"{"value":"{\"p\\u0061ssword\":1}"}"#, true),
        (r#"{"displayName":"M\u00fcller \u003c\u0026"}"#, false),
        (r#"{"title":"pass word"}"#, false),
        ("p", false),
    ];
    for (text, expected) in table {
        assert_eq!(may_hold_password(text), expected, "{text}");
    }
}

/// Proves SCIM-423.
#[test]
fn paths_of_patch_operations_are_looked_into() {
    let table = [
        ("members[value eq \"bulkId:a\"]", "members[value eq \"id-a\"]"),
        (
            "members[value eq \"bulkId:a\" or (value eq \"bulkId:b c\")].display",
            "members[value eq \"id-a\" or (value eq \"id-b\")].display",
        ),
        ("members[value eq \"bulkId:q\\\"r\"]", "members[value eq \"id-q\"]"),
        ("members[value eq bulkId:a]", "members[value eq id-a]"),
        ("members[display eq \"a bulkId:a\"]", "members[display eq \"a bulkId:a\"]"),
        (
            "members[display eq \"\\\\\" or value eq \"bulkId:a\"]",
            "members[display eq \"\\\\\" or value eq \"id-a\"]",
        ),
        ("members[display eq \"ü", "members[display eq \"ü"),
    ];
    for (before, after) in table {
        let mut data = json!({ "operations": [
            { "op": "remove", "PATH": before },
            { "op": "add", "path": "members", "value": "bulkId:a" },
        ] });
        substitute(Method::Patch, &mut data, &ids).unwrap();
        assert_eq!(data["operations"][0]["PATH"], after);
        assert_eq!(data["operations"][1]["value"], "id-a");
    }
}

/// Proves SCIM-428.
#[test]
fn a_reference_to_nothing_is_named() {
    let mut data = json!({ "members": [{ "value": "bulkId:a" }, { "value": "bulkId:nobody" }] });
    let error = substitute(Method::Put, &mut data, &ids).unwrap_err();
    assert_eq!(error.scim_type(), "invalidValue");
    assert!(error.to_string().starts_with("'bulkId:nobody' refers to nothing"), "{error}");
    assert!(substitute(Method::Put, &mut json!({ "manager": "bulkId:" }), &ids).is_err());
}

#[test]
fn references_are_what_substitution_would_replace() {
    let mut data = json!({
        "Operations": [
            { "path": "members[value eq \"bulkId:a\"]", "value": { "$ref": "/Users/bulkId:x" } },
            { "path": "members", "value": ["bulkId:a", "bulkId:y"] },
        ],
    });
    let before = data.clone();
    let found = references(Method::Patch, &mut data);
    assert_eq!(found.iter().map(|name| &**name).collect::<Vec<_>>(), ["a", "x", "y"]);
    assert_eq!(data, before);
}
