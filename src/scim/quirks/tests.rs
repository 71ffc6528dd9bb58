use serde_json::{Value, json};

use super::*;
use crate::scim::filter::{Filter, Literal, Op};
use crate::scim::path::AttrPath;
use crate::scim::resource_type::Registry;
use crate::scim::urn;

#[test]
fn the_table_has_each_row_of_the_matrix_that_the_rfc_does_not_settle() {
    let numbers: Vec<u8> =
        QUIRKS.iter().map(|row| row.number).filter(|number| *number != 0).collect();
    let expected = [
        1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 20, 21, 25, 27, 28, 29, 32, 33, 34,
        35, 36, 38, 41, 42, 48, 50,
    ];
    assert_eq!(numbers, expected);
}

#[test]
fn each_quirk_can_be_switched_off_alone() {
    for row in QUIRKS {
        let rest = Quirks::ALL.without(row.quirk);
        assert!(!rest.on(row.quirk) && !Quirks::NONE.on(row.quirk), "{}", row.name);
        assert_eq!(QUIRKS.iter().filter(|other| !rest.on(other.quirk)).count(), 1);
        assert_eq!(Quirk::from_name(row.name), Some(row.quirk));
    }
}

/// What the softener makes of a body or message, with all quirks but the given ones.
fn soft(kind: &str, without: &[Quirk], input: &Value, patch: bool) -> Value {
    let registry = Registry::standard();
    let quirks = without.iter().fold(Quirks::ALL, |all, quirk| all.without(*quirk));
    let softener = Softener::new(registry.by_name(kind).unwrap(), quirks);
    let mut output = input.clone();
    if patch {
        softener.patch(&mut output)
    } else {
        softener.body(&mut output)
    }
    output
}

/// A user's body with its `schemas`, the enterprise extension listed when it is there.
fn user(rest: Value) -> Value {
    let mut body = json!({ "schemas": [urn::USER] });
    if rest.get(urn::ENTERPRISE).is_some() {
        body["schemas"] = json!([urn::USER, urn::ENTERPRISE]);
    }
    body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    body
}

fn manager(value: Value) -> Value {
    user(json!({ urn::ENTERPRISE: { "manager": value } }))
}

/// Each row: the quirk, what is sent, what the core reads. With the quirk off it reads what was sent.
///
/// Proves SCIM-037, SCIM-069, SCIM-088, SCIM-089, SCIM-139, SCIM-178.
#[test]
fn bodies_are_rewritten_by_their_quirk_alone() {
    use Quirk::*;
    let json_text = r#"{"id":"r1","value":"agent","displayName":"Call agent"}"#;
    let table = [
        (TextBoolean, user(json!({ "active": "True" })), user(json!({ "active": true }))),
        (
            TextBoolean,
            user(json!({ "emails": [{ "primary": "FALSE" }] })),
            user(json!({ "emails": [{ "primary": false }] })),
        ),
        (
            BareElement,
            user(json!({ "roles": "agent" })),
            user(json!({ "roles": [{ "value": "agent" }] })),
        ),
        (
            BareElement,
            user(json!({ "emails": ["a@b.example"] })),
            user(json!({ "emails": [{ "value": "a@b.example" }] })),
        ),
        (
            ObjectForList,
            user(json!({ "emails": { "value": "a@b.example" } })),
            user(json!({ "emails": [{ "value": "a@b.example" }] })),
        ),
        (
            ComplexInArray,
            user(json!({ "name": [{ "givenName": "Ida" }, { "givenName": "Bo" }] })),
            user(json!({ "name": { "givenName": "Ida" } })),
        ),
        (ComplexInArray, manager(json!([{ "value": "m" }])), manager(json!({ "value": "m" }))),
        (BareComplex, manager(json!("m")), manager(json!({ "value": "m" }))),
        (
            JsonInText,
            user(json!({ "roles": [{ "value": json_text }] })),
            user(json!({ "roles": [{ "value": "agent", "display": "Call agent" }] })),
        ),
        (
            JsonInText,
            user(json!({ "roles": [{ "value": json_text, "display": "Desk" }] })),
            user(json!({ "roles": [{ "value": "agent", "display": "Desk" }] })),
        ),
        (
            DisplayName,
            user(json!({ "roles": [{ "displayName": "Agent", "value": "agent" }] })),
            user(json!({ "roles": [{ "value": "agent", "display": "Agent" }] })),
        ),
        (
            UnknownSchema,
            json!({ "schemas": [urn::USER, "http://schemas.example/ADSCIM/2.0/User"] }),
            json!({ "schemas": [urn::USER] }),
        ),
        (
            DraftUrn,
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
            DraftUrn,
            user(json!({
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0User": { "division": "North" },
                urn::ENTERPRISE: { "department": "Voice" },
            })),
            user(json!({ urn::ENTERPRISE: { "division": "North", "department": "Voice" } })),
        ),
        (
            UnlistedExtension,
            json!({ "schemas": [urn::USER], urn::ENTERPRISE: { "department": "Voice" } }),
            user(json!({ urn::ENTERPRISE: { "department": "Voice" } })),
        ),
        (NoSchemas, json!({ "userName": "ida" }), user(json!({ "userName": "ida" }))),
        (
            NoSchemas,
            json!({ "schemas": [], "userName": "ida" }),
            user(json!({ "userName": "ida" })),
        ),
        (
            UnknownAttribute,
            user(json!({ "Adresses": [1], "name": { "nick": "I", "givenName": "Ida" } })),
            user(json!({ "name": { "givenName": "Ida" } })),
        ),
        (
            EmptyUnassigned,
            user(json!({ "title": "", "name": { "familyName": "" }, "emails": "" })),
            user(json!({ "title": null, "name": { "familyName": null }, "emails": null })),
        ),
        (
            DottedKeys,
            user(json!({
                "name.formatted": "Ida Holm",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department": "Voice",
            })),
            user(json!({
                "name": { "formatted": "Ida Holm" },
                urn::ENTERPRISE: { "department": "Voice" },
            })),
        ),
    ];
    for (quirk, sent, expected) in table {
        let output = soft("User", &[], &sent, false);
        assert_eq!(output, expected, "{quirk:?}: {sent}");
        // What other quirks do to the original is switched off too.
        let off = soft("User", &[quirk, UnknownAttribute, UnknownSchema, NoSchemas], &sent, false);
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
        let body = user(rest);
        assert_eq!(soft("User", &[], &body, false), body);
    }
}

fn message(operations: &Value) -> Value {
    json!({ "schemas": [urn::PATCH], "Operations": operations })
}

fn check_patch(kind: &str, quirk: Quirk, sent: &Value, expected: &Value) {
    let output = soft(kind, &[], &message(sent), true);
    assert_eq!(output, message(expected), "{quirk:?}: {sent}");
    let off = soft(kind, &[quirk, Quirk::UnknownAttribute], &message(sent), true);
    assert_eq!(off, message(sent), "{quirk:?} off: {sent}");
}

/// Proves SCIM-330, SCIM-337, SCIM-352.
#[test]
fn operations_are_rewritten_by_their_quirk_alone() {
    use Quirk::*;
    let ent = |name: &str| format!("{}:{name}", urn::ENTERPRISE);
    let op =
        |op: &str, path: &str, value: Value| json!([{ "op": op, "path": path, "value": value }]);
    let set = |path: &str, value: Value| op("replace", path, value);
    let table = [
        (CapitalOp, op("Replace", "title", json!("x")), set("title", json!("x"))),
        (TextBoolean, set("active", json!("False")), set("active", json!(false))),
        (
            TextBoolean,
            set(r#"emails[type eq "work"].primary"#, json!("True")),
            set(r#"emails[type eq "work"].primary"#, json!(true)),
        ),
        (
            TextBoolean,
            json!([{ "op": "replace", "value": { "active": "true" } }]),
            json!([{ "op": "replace", "value": { "active": true } }]),
        ),
        (EmptyClears, set("title", json!("")), set("title", json!(null))),
        (EmptyClears, op("add", "title", json!("")), set("title", json!(null))),
        (EmptyClears, op("add", "emails", json!("")), op("add", "emails", json!(null))),
        (
            EmptyClears,
            set(r#"emails[type eq "a]"].value"#, json!("")),
            set(r#"emails[type eq "a]"].value"#, json!(null)),
        ),
        (
            BareComplex,
            set(&ent("manager"), json!("m")),
            set(&ent("manager"), json!({ "value": "m" })),
        ),
        (
            ComplexInArray,
            op("add", &ent("manager"), json!([{ "value": "m", "$ref": "x" }])),
            op("add", &ent("manager"), json!({ "value": "m", "$ref": "x" })),
        ),
        (
            JsonInText,
            op("add", "roles", json!([{ "value": "{\"value\":\"agent\"}" }])),
            op("add", "roles", json!([{ "value": "agent" }])),
        ),
        (
            JsonInText,
            set(r#"roles[primary eq true].value"#, json!("{\"value\":\"agent\"}")),
            set(r#"roles[primary eq true].value"#, json!("agent")),
        ),
        (
            DraftUrn,
            set("urn:scim:schemas:extension:enterprise:1.0:department", json!("Voice")),
            set(&ent("department"), json!("Voice")),
        ),
        (
            DraftUrn,
            set("urn:scim:schemas:core:1.0:title", json!("x")),
            set(&format!("{}:title", urn::USER), json!("x")),
        ),
        (
            DottedKeys,
            json!([{ "op": "replace", "value": {
                "displayName": "Ida",
                "name.givenName": "Ida",
                "emails[type eq \"work\"].value": "a@b.example",
                ent("department"): "Voice",
                "title": "x",
                "meta.created": "now",
            } }]),
            json!([
                { "op": "replace", "value": { "displayName": "Ida" } },
                { "op": "replace", "value": "Ida", "path": "name.givenName" },
                {
                    "op": "replace",
                    "value": "a@b.example",
                    "path": "emails[type eq \"work\"].value",
                },
                { "op": "replace", "value": "Voice", "path": ent("department") },
                { "op": "replace", "value": { "title": "x" } },
            ]),
        ),
        (
            UnknownAttribute,
            json!([{ "op": "add", "value": { "id": "1", "custom": 1, urn::ENTERPRISE: { "x": 1 } } }]),
            json!([{ "op": "add", "value": { "id": "1", urn::ENTERPRISE: {} } }]),
        ),
    ];
    for (quirk, sent, expected) in table {
        check_patch("User", quirk, &sent, &expected);
    }
    let bare = json!([{ "op": "add", "path": "members", "value": "u" }]);
    let list = json!([{ "op": "add", "path": "members", "value": [{ "value": "u" }] }]);
    check_patch("Group", BareElement, &bare, &list);
}

/// Proves SCIM-375: only what is listed is removed.
#[test]
fn a_remove_with_a_list_selects_what_it_lists() {
    let table = [
        (
            "members",
            json!([{ "$ref": null, "value": "a" }, { "value": "b\"c" }]),
            vec![r#"members[value eq "a" or value eq "b\"c"]"#],
        ),
        ("members", json!({ "value": "a", "type": "User" }), vec![r#"members[value eq "a"]"#]),
        ("members", json!("a"), vec![r#"members[value eq "a"]"#]),
        ("members", json!(["a"]), vec![r#"members[value eq "a"]"#]),
        // One that says nothing selects nothing, and never all.
        ("members", json!([{}]), vec![r#"members[value eq ""]"#]),
    ];
    for (path, value, expected) in table {
        let sent = json!([{ "op": "remove", "path": path, "value": value }]);
        let expected: Vec<_> =
            expected.iter().map(|path| json!({ "op": "remove", "path": path })).collect();
        assert_eq!(soft("Group", &[], &message(&sent), true), message(&json!(expected)));
    }
    let user = [
        (
            json!([{ "type": "work", "primary": "true" }]),
            r#"emails[(type eq "work" and primary eq true)]"#,
        ),
        (
            json!([{ "type": "work", "value": "x" }, { "value": "y" }]),
            r#"emails[(value eq "x" and type eq "work") or value eq "y"]"#,
        ),
    ];
    for (value, expected) in user {
        let sent = json!([{ "op": "Remove", "path": "emails", "value": value }]);
        let output = soft("User", &[], &message(&sent), true);
        assert_eq!(output, message(&json!([{ "op": "remove", "path": expected }])));
    }
}

#[test]
fn a_remove_without_a_list_removes_all() {
    for value in [json!(null), json!([]), json!("")] {
        let sent = message(&json!([{ "op": "remove", "path": "members", "value": value }]));
        let output = soft("Group", &[], &sent, true);
        assert_eq!(output["Operations"][0]["path"], "members");
    }
    let sent =
        message(&json!([{ "op": "remove", "path": "members", "value": [{ "value": "a" }] }]));
    assert_eq!(soft("Group", &[Quirk::RemoveListed], &sent, true), sent);
}

#[test]
fn a_long_list_becomes_several_operations() {
    let members: Vec<_> = (0..500).map(|n| json!({ "value": format!("{n:036}") })).collect();
    let sent = message(&json!([{ "op": "remove", "path": "members", "value": members }]));
    let output = soft("Group", &[], &sent, true);
    let paths: Vec<_> = output["Operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|operation| operation["path"].as_str().unwrap())
        .collect();
    assert!(paths.len() > 1 && paths.iter().all(|path| path.len() < 4_500));
    assert_eq!(paths.iter().map(|path| path.matches("value eq").count()).sum::<usize>(), 500);
}

/// Proves SCIM-327, SCIM-333: a path of the client's own is never dropped.
#[test]
fn messages_keep_what_only_the_core_can_judge() {
    let operations = json!([
        { "op": "move", "path": "title", "value": "x" },
        { "op": "replace", "path": "nothing", "value": "" },
        { "op": "replace", "path": "emails[", "value": "x" },
        { "op": "replace", "path": 5, "value": "x" },
        { "op": "replace", "value": "x" },
        "x",
    ]);
    let sent = message(&operations);
    assert_eq!(soft("User", &[], &sent, true), sent);
    let bare = json!({ "operations": [{ "Op": "Add", "Path": "title", "Value": "" }] });
    assert_eq!(
        soft("User", &[], &bare, true),
        json!({
            "operations": [{ "Op": "replace", "Path": "title", "Value": null }],
            "schemas": [urn::PATCH],
        })
    );
    let off = soft("User", &[Quirk::NoSchemas], &json!({ "Operations": [] }), true);
    assert_eq!(off, json!({ "Operations": [] }));
}

/// Proves SCIM-084 (lenient): a tenant's aliases reach our extensions and never a core schema.
#[test]
fn a_tenants_aliases_are_ours_on_input() {
    let registry = Registry::standard();
    let rt = registry.by_name("User").unwrap();
    let aliases = [
        ("urn:acme:hr".to_owned(), urn::ENTERPRISE.to_owned()),
        ("urn:acme:core".to_owned(), urn::USER.to_owned()),
    ];
    let softener = Softener { aliases: &aliases, ..Softener::new(rt, Quirks::ALL) };
    let table = [
        ("urn:acme:hr", Some(urn::ENTERPRISE.to_owned())),
        ("URN:acme:HR:manager.value", Some(format!("{}:manager.value", urn::ENTERPRISE))),
        ("urn:acme:hrx", None),
        ("urn:acme:core:title", None),
        (urn::ENTERPRISE, None),
    ];
    for (text, expected) in table {
        assert_eq!(softener.renamed(text), expected, "{text}");
    }
    let mut body =
        json!({ "schemas": ["urn:acme:hr", urn::USER], "urn:acme:hr": { "division": "N" } });
    softener.body(&mut body);
    assert_eq!(
        body,
        json!({ "schemas": [urn::ENTERPRISE, urn::USER], urn::ENTERPRISE: { "division": "N" } })
    );
    let compare = |path: &str| Filter::Compare {
        path: AttrPath::parse(path).unwrap(),
        op: Op::Eq,
        value: Literal::Null,
    };
    let mut filter = Filter::Not(Box::new(Filter::And(vec![compare("urn:acme:hr:division")])));
    softener.filter(&mut filter);
    let ours = format!("{}:division", urn::ENTERPRISE);
    assert_eq!(filter, Filter::Not(Box::new(Filter::And(vec![compare(&ours)]))));
}

#[test]
fn hidden_schemas_are_ignored_on_input() {
    let registry = Registry::standard();
    let rt = registry.by_name("User").unwrap();
    let hidden = ["urn:x:Hidden".to_owned()];
    let strict = Softener { hidden: &hidden, ..Softener::new(rt, Quirks::NONE) };
    let mut body = json!({ "schemas": [urn::USER, "urn:x:hidden"], "urn:x:Hidden": { "a": 1 } });
    strict.body(&mut body);
    assert_eq!(body, json!({ "schemas": [urn::USER] }));
    let mut patch = message(&json!([
        { "op": "add", "path": "urn:x:Hidden:a", "value": 1 },
        { "op": "add", "value": { "urn:x:Hidden": { "a": 1 }, "title": "x" } },
    ]));
    strict.patch(&mut patch);
    assert_eq!(patch, message(&json!([{ "op": "add", "value": { "title": "x" } }])));
}

#[test]
fn without_quirks_nothing_is_rewritten() {
    let registry = Registry::standard();
    let strict = Softener::new(registry.by_name("User").unwrap(), Quirks::NONE);
    let body = json!({
        "active": "True", "name": [{}], "emails": "x", "custom": "", "name.formatted": "x",
        "urn:scim:schemas:core:1.0": {},
    });
    let mut output = body.clone();
    strict.body(&mut output);
    assert_eq!(output, body);
    let sent = json!({ "Operations": [
        { "op": "Remove", "path": "emails", "value": ["x"] },
        { "op": "Add", "value": { "name.givenName": "" } },
    ] });
    let mut output = sent.clone();
    strict.patch(&mut output);
    assert_eq!(output, sent);
}
