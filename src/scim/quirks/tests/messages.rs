use super::*;

fn check_patch(kind: &str, quirk: Quirk, sent: &Value, expected: &Value) {
    let output = soft(kind, &[], &message(sent), true);
    assert_eq!(output, message(expected), "{quirk:?}: {sent}");
    let off = soft(kind, &[quirk, Quirk::UnknownAttribute], &message(sent), true);
    assert_eq!(off, message(sent), "{quirk:?} off: {sent}");
}

/// Proves SCIM-330, SCIM-337, SCIM-352.
#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn operations_are_rewritten_by_their_quirk_alone() {
    let ent = |name: &str| format!("{}:{name}", urn::ENTERPRISE);
    let op =
        |op: &str, path: &str, value: Value| json!([{ "op": op, "path": path, "value": value }]);
    let set = |path: &str, value: Value| op("replace", path, value);
    let table = [
        (Quirk::CapitalOp, op("Replace", "title", json!("x")), set("title", json!("x"))),
        (Quirk::TextBoolean, set("active", json!("False")), set("active", json!(false))),
        (
            Quirk::TextBoolean,
            set(r#"emails[type eq "work"].primary"#, json!("True")),
            set(r#"emails[type eq "work"].primary"#, json!(true)),
        ),
        (
            Quirk::TextBoolean,
            json!([{ "op": "replace", "value": { "active": "true" } }]),
            json!([{ "op": "replace", "value": { "active": true } }]),
        ),
        (Quirk::EmptyClears, set("title", json!("")), set("title", json!(null))),
        (Quirk::EmptyClears, op("add", "title", json!("")), set("title", json!(null))),
        (Quirk::EmptyClears, op("add", "emails", json!("")), op("add", "emails", json!(null))),
        (
            Quirk::EmptyClears,
            set(r#"emails[type eq "a]"].value"#, json!("")),
            set(r#"emails[type eq "a]"].value"#, json!(null)),
        ),
        (
            Quirk::BareComplex,
            set(&ent("manager"), json!("m")),
            set(&ent("manager"), json!({ "value": "m" })),
        ),
        (
            Quirk::ComplexInArray,
            op("add", &ent("manager"), json!([{ "value": "m", "$ref": "x" }])),
            op("add", &ent("manager"), json!({ "value": "m", "$ref": "x" })),
        ),
        (
            Quirk::JsonInText,
            op("add", "roles", json!([{ "value": "{\"value\":\"agent\"}" }])),
            op("add", "roles", json!([{ "value": "agent" }])),
        ),
        (
            Quirk::JsonInText,
            set("roles[primary eq true].value", json!("{\"value\":\"agent\"}")),
            set("roles[primary eq true].value", json!("agent")),
        ),
        (
            Quirk::DraftUrn,
            set("urn:scim:schemas:extension:enterprise:1.0:department", json!("Voice")),
            set(&ent("department"), json!("Voice")),
        ),
        (
            Quirk::DraftUrn,
            set("urn:scim:schemas:core:1.0:title", json!("x")),
            set(&format!("{}:title", urn::USER), json!("x")),
        ),
        (
            Quirk::DottedKeys,
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
            Quirk::UnknownAttribute,
            json!([{ "op": "add", "value": { "id": "1", "custom": 1, urn::ENTERPRISE: { "x": 1 } } }]),
            json!([{ "op": "add", "value": { "id": "1", urn::ENTERPRISE: {} } }]),
        ),
    ];
    for (quirk, sent, expected) in table {
        check_patch("User", quirk, &sent, &expected);
    }
    let bare = json!([{ "op": "add", "path": "members", "value": "u" }]);
    let list = json!([{ "op": "add", "path": "members", "value": [{ "value": "u" }] }]);
    check_patch("Group", Quirk::BareElement, &bare, &list);
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
    let removed = |value: Value| {
        let sent = message(&json!([{ "op": "remove", "path": "members", "value": value }]));
        soft("Group", &[], &sent, true)["Operations"].clone()
    };
    for nothing_said in [json!(null), json!("")] {
        assert_eq!(removed(nothing_said)[0]["path"], "members");
    }
    // A list that names nobody removes nobody.
    for empty in [json!([]), json!([null])] {
        assert_eq!(removed(empty), json!([]));
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
