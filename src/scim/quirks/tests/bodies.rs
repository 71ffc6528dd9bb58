use super::*;

/// A user's body with its `schemas`, the enterprise extension listed when it is there.
fn user(rest: &Value) -> Value {
    let mut body = json!({ "schemas": [urn::USER] });
    if rest.get(urn::ENTERPRISE).is_some() {
        body["schemas"] = json!([urn::USER, urn::ENTERPRISE]);
    }
    body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    body
}

fn manager(value: &Value) -> Value {
    user(&json!({ urn::ENTERPRISE: { "manager": value } }))
}

/// Each row: the quirk, what is sent, what the core reads. With the quirk off it reads what was sent.
///
/// Proves SCIM-037, SCIM-069, SCIM-088, SCIM-089, SCIM-139, SCIM-178.
#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn bodies_are_rewritten_by_their_quirk_alone() {
    let json_text = r#"{"id":"r1","value":"agent","displayName":"Call agent"}"#;
    let table = [
        (Quirk::TextBoolean, user(&json!({ "active": "True" })), user(&json!({ "active": true }))),
        (
            Quirk::TextBoolean,
            user(&json!({ "emails": [{ "primary": "FALSE" }] })),
            user(&json!({ "emails": [{ "primary": false }] })),
        ),
        (
            Quirk::BareElement,
            user(&json!({ "roles": "agent" })),
            user(&json!({ "roles": [{ "value": "agent" }] })),
        ),
        (
            Quirk::BareElement,
            user(&json!({ "emails": ["a@b.example"] })),
            user(&json!({ "emails": [{ "value": "a@b.example" }] })),
        ),
        (
            Quirk::ObjectForList,
            user(&json!({ "emails": { "value": "a@b.example" } })),
            user(&json!({ "emails": [{ "value": "a@b.example" }] })),
        ),
        (
            Quirk::ComplexInArray,
            user(&json!({ "name": [{ "givenName": "Ida" }, { "givenName": "Bo" }] })),
            user(&json!({ "name": { "givenName": "Ida" } })),
        ),
        (
            Quirk::ComplexInArray,
            manager(&json!([{ "value": "m" }])),
            manager(&json!({ "value": "m" })),
        ),
        (Quirk::BareComplex, manager(&json!("m")), manager(&json!({ "value": "m" }))),
        (
            Quirk::JsonInText,
            user(&json!({ "roles": [{ "value": json_text }] })),
            user(&json!({ "roles": [{ "value": "agent", "display": "Call agent" }] })),
        ),
        (
            Quirk::JsonInText,
            user(&json!({ "roles": [{ "value": json_text, "display": "Desk" }] })),
            user(&json!({ "roles": [{ "value": "agent", "display": "Desk" }] })),
        ),
        (
            Quirk::DisplayName,
            user(&json!({ "roles": [{ "displayName": "Agent", "value": "agent" }] })),
            user(&json!({ "roles": [{ "value": "agent", "display": "Agent" }] })),
        ),
        (
            Quirk::UnknownSchema,
            json!({ "schemas": [urn::USER, "http://schemas.example/ADSCIM/2.0/User"] }),
            json!({ "schemas": [urn::USER] }),
        ),
        (
            Quirk::DraftUrn,
            json!({
                "schemas": ["urn:scim:schemas:core:2.0", "urn:scim:schemas:extension:enterprise:2.0"],
                "urn:scim:schemas:extension:enterprise:2.0": { "department": "Voice" },
            }),
            json!({
                "schemas": [urn::USER, urn::ENTERPRISE],
                urn::ENTERPRISE: { "department": "Voice" },
            }),
        ),
        (
            Quirk::DraftUrn,
            user(&json!({
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0User": { "division": "North" },
                urn::ENTERPRISE: { "department": "Voice" },
            })),
            user(&json!({ urn::ENTERPRISE: { "division": "North", "department": "Voice" } })),
        ),
        (
            Quirk::UnlistedExtension,
            json!({ "schemas": [urn::USER], urn::ENTERPRISE: { "department": "Voice" } }),
            user(&json!({ urn::ENTERPRISE: { "department": "Voice" } })),
        ),
        (Quirk::NoSchemas, json!({ "userName": "ida" }), user(&json!({ "userName": "ida" }))),
        (
            Quirk::NoSchemas,
            json!({ "schemas": [], "userName": "ida" }),
            user(&json!({ "userName": "ida" })),
        ),
        (
            Quirk::UnknownAttribute,
            user(&json!({ "Adresses": [1], "name": { "nick": "I", "givenName": "Ida" } })),
            user(&json!({ "name": { "givenName": "Ida" } })),
        ),
        (
            Quirk::EmptyUnassigned,
            user(&json!({ "title": "", "name": { "familyName": "" }, "emails": "" })),
            user(&json!({ "title": null, "name": { "familyName": null }, "emails": null })),
        ),
        (
            Quirk::DottedKeys,
            user(&json!({
                "name.formatted": "Ida Holm",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department": "Voice",
            })),
            user(&json!({
                "name": { "formatted": "Ida Holm" },
                urn::ENTERPRISE: { "department": "Voice" },
            })),
        ),
    ];
    for (quirk, sent, expected) in table {
        let output = soft("User", &[], &sent, false);
        assert_eq!(output, expected, "{quirk:?}: {sent}");
        // What other quirks do to the original is switched off too.
        let off = soft(
            "User",
            &[quirk, Quirk::UnknownAttribute, Quirk::UnknownSchema, Quirk::NoSchemas],
            &sent,
            false,
        );
        assert_eq!(off, sent, "{quirk:?} off: {sent}");
    }
}

/// Proves SCIM-168: what the core knows stays, whatever may be said about it.
#[test]
fn a_body_of_the_letter_stays_as_it_is() {
    let body = json!({
        "schemas": [urn::USER, urn::ENTERPRISE],
        "id": "1",
        "externalId": "x",
        "userName": "ida",
        "password": "secret",
        "active": false,
        "name": { "givenName": "Ida" },
        "emails": [{ "value": "a@b.example", "type": "work", "primary": true }],
        "roles": [],
        "title": null,
        "groups": [{ "value": "g", "$ref": null }],
        urn::ENTERPRISE: { "manager": { "value": "m", "$ref": "../Users/m" } },
        "meta": { "resourceType": "User" },
    });
    assert_eq!(soft("User", &[], &body, false).to_string(), body.to_string());
    for other in [json!([]), json!("x"), json!(null), json!(1)] {
        assert_eq!(soft("User", &[], &other, false), other);
    }
}

#[test]
fn what_cannot_be_understood_stays_for_the_core_to_refuse() {
    let table = [
        json!({ "active": "maybe" }),
        json!({ "active": 1 }),
        json!({ "emails": 5 }),
        json!({ "emails": [["x"]] }),
        json!({ "name": "Ida" }),
        json!({ "userName": { "x": 1 } }),
        json!({ "roles": [{ "value": "{not json" }] }),
        json!({ "roles": [{ "value": "{\"value\":5}" }] }),
        json!({ urn::ENTERPRISE: "x" }),
    ];
    for rest in table {
        let body = user(&rest);
        assert_eq!(soft("User", &[], &body, false), body);
    }
}
