use super::*;

/// Proves SCIM-355, SCIM-356.
#[test]
fn add_needs_a_value() {
    check(
        Quirks::NONE,
        &[
            (json!({}), json!({ "op": "add", "path": "title" }), json!("invalidValue")),
            (json!({}), json!({ "op": "add" }), json!("invalidValue")),
            (json!({}), json!({ "op": "add", "value": "x" }), json!("invalidValue")),
            (json!({}), json!({ "op": "add", "value": { "foo": 1 } }), json!("invalidPath")),
        ],
    );
}

/// Proves SCIM-357, SCIM-358, SCIM-359, SCIM-366.
#[test]
fn a_single_value_is_set_and_a_complex_one_merged() {
    let name = json!({ "name": { "familyName": "Jensen", "givenName": "B" } });
    check(
        Quirks::NONE,
        &[
            (json!({}), op("add", "nickName", json!("B")), json!({ "nickName": "B" })),
            (json!({ "title": "a" }), op("add", "title", json!("b")), json!({ "title": "b" })),
            (json!({ "title": "a" }), op("add", "title", json!(null)), json!({ "title": "a" })),
            (
                name.clone(),
                op("add", "name", json!({ "GIVENNAME": "Barbara", "familyName": null })),
                json!({ "name": { "familyName": "Jensen", "givenName": "Barbara" } }),
            ),
            (
                name.clone(),
                op("add", "name.middleName", json!("J")),
                json!({ "name": { "familyName": "Jensen", "givenName": "B", "middleName": "J" } }),
            ),
            (name.clone(), op("add", "name", json!("Barbara")), json!("invalidValue")),
            (name.clone(), op("add", "name", json!({ "foo": "x" })), json!("invalidSyntax")),
            (
                name,
                json!({ "op": "add", "value": { "name": { "givenName": "C" }, "title": "t" } }),
                json!({ "name": { "familyName": "Jensen", "givenName": "C" }, "title": "t" }),
            ),
        ],
    );
}

/// Proves SCIM-075, SCIM-360, SCIM-361, SCIM-362.
#[test]
fn values_of_a_list_are_appended_once() {
    let one = json!({ "emails": [{ "value": "a@x", "type": "work" }] });
    let two = json!({ "emails": [{ "value": "a@x", "type": "work" }, { "value": "b@x" }] });
    check(
        Quirks::NONE,
        &[
            (one.clone(), op("add", "emails", json!([{ "value": "b@x" }])), two.clone()),
            (one.clone(), op("add", "emails", json!({ "value": "b@x" })), two.clone()),
            (one.clone(), json!({ "op": "add", "value": { "emails": [{ "value": "b@x" }] } }), two),
            (one.clone(), op("add", "emails", json!([])), one.clone()),
            (
                one.clone(),
                op("add", "emails", json!({ "type": "WORK", "value": "A@x" })),
                one.clone(),
            ),
            (
                one.clone(),
                op("add", "emails", json!({ "type": "work", "value": "a@x", "display": "A" })),
                json!({ "emails": [{ "value": "a@x", "type": "work", "display": "A" }] }),
            ),
            (
                one.clone(),
                op("add", "emails", json!([{ "type": "home", "value": "a@x" }])),
                json!({ "emails": [
                    { "value": "a@x", "type": "work" }, { "type": "home", "value": "a@x" }] }),
            ),
            (one.clone(), op("add", "emails", json!("b@x")), json!("invalidValue")),
            (one, op("add", "emails", json!([["b@x"]])), json!("invalidValue")),
        ],
    );
}

#[test]
fn many_values_are_appended_like_one() {
    let more: Vec<Value> = (0..20).map(|n| json!({ "value": format!("R{}", n % 15) })).collect();
    let before = json!({ "roles": [{ "value": "r3" }] });
    let found = on_user(&before, &json!([op("add", "roles", json!(more))]), Quirks::NONE);
    assert_eq!(found["roles"].as_array().unwrap().len(), 15);
    assert_eq!(found["roles"][0], json!({ "value": "r3" }));
}

/// Proves SCIM-364, SCIM-365.
#[test]
fn a_value_path_adds_to_what_it_selects_or_makes_it() {
    let both = json!({ "emails": [
        { "value": "a", "type": "work" }, { "value": "b", "type": "work", "display": "B" }] });
    let made = json!({ "emails": [{ "type": "work", "value": "x" }] });
    let value = format!("{WORK}.value");
    let primary = r#"emails[type eq "work" and primary eq true].value"#;
    let table = [
        (
            both.clone(),
            op("add", &format!("{WORK}.display"), json!("C")),
            json!({ "emails": [
                { "value": "a", "type": "work", "display": "C" },
                { "value": "b", "type": "work", "display": "C" }] }),
        ),
        (
            both.clone(),
            op("add", r#"emails[value eq "a"]"#, json!({ "display": "A", "type": null })),
            json!({ "emails": [
                { "value": "a", "type": "work", "display": "A" },
                { "value": "b", "type": "work", "display": "B" }] }),
        ),
        (json!({}), op("add", &value, json!("x")), made.clone()),
        (json!({}), op("add", WORK, json!({ "value": "x" })), made),
        (json!({}), op("add", &value, json!(null)), json!({})),
        (
            json!({ "emails": [{ "value": "h", "primary": true }] }),
            op("add", primary, json!("x")),
            json!({ "emails": [
                { "value": "h", "primary": false },
                { "type": "work", "primary": true, "value": "x" }] }),
        ),
        (json!({}), op("add", r#"emails[type ne "work"].value"#, json!("x")), json!("noTarget")),
        (
            json!({}),
            op("add", r#"emails[type eq "a" or type eq "b"].value"#, json!("x")),
            json!("noTarget"),
        ),
        (
            json!({}),
            op("add", r#"roles[primary eq "True"].value"#, json!("x")),
            json!({ "roles": [{ "primary": true, "value": "x" }] }),
        ),
    ];
    check(Quirks::ALL, &table);
    check(Quirks::NONE, &[(json!({}), op("add", &value, json!("x")), json!("noTarget"))]);
}

/// Proves SCIM-087, SCIM-346.
#[test]
fn an_extension_is_merged() {
    let before = json!({ urn::ENTERPRISE: { "department": "Tours" } });
    let expected = json!({ urn::ENTERPRISE: { "department": "Tours", "division": "South" } });
    let value = json!({ "DIVISION": "South" });
    check(
        Quirks::NONE,
        &[
            (before.clone(), op("add", urn::ENTERPRISE, value.clone()), expected.clone()),
            (before.clone(), json!({ "op": "add", "value": { urn::ENTERPRISE: value } }), expected),
            (before.clone(), op("add", urn::ENTERPRISE, json!(null)), before.clone()),
            (before.clone(), op("add", urn::ENTERPRISE, json!({ "foo": 1 })), json!("invalidPath")),
            (before, op("add", urn::ENTERPRISE, json!("x")), json!("invalidValue")),
        ],
    );
}
