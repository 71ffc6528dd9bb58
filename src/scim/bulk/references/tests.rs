use serde_json::json;

use super::*;

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
        (
            json!({ "x": { "$ref": "/Users/bulkId:a", "$REF": "../bulkId:a", "y": "bulkId:q\"r" } }),
            json!({ "x": { "$ref": "/Users/id-a", "$REF": "../id-a", "y": "id-q" } }),
        ),
        (json!({ "$ref": "bulkId:a" }), json!({ "$ref": "id-a" })),
        // No references: a part of a text, a name of a member, another case.
        (json!({ "t": "see bulkId:a" }), json!({ "t": "see bulkId:a" })),
        (json!({ "t": "/Users/bulkId:a" }), json!({ "t": "/Users/bulkId:a" })),
        (json!({ "bulkId:a": "BULKID:a" }), json!({ "bulkId:a": "BULKID:a" })),
        (json!({ "path": "x[y eq \"bulkId:a\"]" }), json!({ "path": "x[y eq \"bulkId:a\"]" })),
    ];
    for (before, after) in table {
        assert_eq!(put(before.clone()), after, "{before}");
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
    assert!(substitute(Method::Put, &mut json!({ "x": "bulkId:" }), &ids).is_err());
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
