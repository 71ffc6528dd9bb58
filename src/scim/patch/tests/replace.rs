use super::*;
use crate::scim::quirks::Quirk;

/// Proves SCIM-080, SCIM-380, SCIM-381, SCIM-383, SCIM-390, SCIM-391.
#[test]
fn a_value_takes_the_place_of_another() {
    check(
        Quirks::NONE,
        &[
            (
                json!({ "active": true, "title": "t" }),
                json!({ "op": "replace", "value": { "active": false } }),
                json!({ "active": false, "title": "t" }),
            ),
            (json!({ "title": "a" }), op("replace", "title", json!("b")), json!({ "title": "b" })),
            (json!({}), op("replace", "title", json!("b")), json!({ "title": "b" })),
            (json!({ "title": "a" }), op("replace", "title", json!(null)), json!({})),
            (json!({ "roles": [{ "value": "a" }] }), op("replace", "roles", json!([])), json!({})),
            (
                json!({ "name": { "givenName": "a" } }),
                op("replace", "name", json!(null)),
                json!({}),
            ),
            (json!({}), json!({ "op": "replace", "path": "title" }), json!("invalidValue")),
            (json!({}), json!({ "op": "replace" }), json!("invalidValue")),
            (json!({}), json!({ "op": "replace", "value": [] }), json!("invalidValue")),
        ],
    );
}

/// Proves SCIM-339, SCIM-389.
#[test]
fn a_value_that_does_not_fit_is_refused() {
    let table: Vec<_> = [
        ("active", json!("abc")),
        ("emails", json!(5)),
        ("emails", json!({ "value": "x" })),
        ("title", json!({})),
        ("userName", json!(null)),
        ("userName", json!("")),
        ("userName", json!([])),
        ("userName", json!("  ")),
    ]
    .into_iter()
    .map(|(path, value)| (json!({}), op("replace", path, value), json!("invalidValue")))
    .collect();
    check(Quirks::NONE, &table);
}

/// Proves SCIM-382, SCIM-384, SCIM-392.
#[test]
fn a_list_is_replaced_whole_and_a_complex_value_merged() {
    let two = json!({ "emails": [{ "value": "a" }, { "value": "b" }], "title": "t" });
    let one = json!({ "emails": [{ "value": "c" }], "title": "t" });
    check(
        Quirks::NONE,
        &[
            (two.clone(), op("replace", "emails", json!([{ "value": "c" }])), one.clone()),
            (two, json!({ "op": "replace", "value": { "emails": [{ "value": "c" }] } }), one),
            (
                json!({ "name": { "givenName": "B", "familyName": "J", "middleName": "M" } }),
                op("replace", "name", json!({ "familyName": "K", "middleName": null })),
                json!({ "name": { "givenName": "B", "familyName": "K" } }),
            ),
        ],
    );
}

/// Proves SCIM-385, SCIM-386, SCIM-387, SCIM-388.
#[test]
fn a_value_path_replaces_what_it_selects() {
    let two = json!({ "addresses": [
        { "type": "work", "streetAddress": "1", "locality": "A" },
        { "type": "work", "streetAddress": "2" },
        { "type": "home", "streetAddress": "3" }] });
    let work = r#"addresses[type eq "work"]"#;
    let street = format!("{work}.streetAddress");
    let email = format!("{WORK}.value");
    let table = [
        (
            two.clone(),
            op("replace", work, json!({ "type": "work", "region": "R" })),
            json!({ "addresses": [
                { "type": "work", "region": "R" }, { "type": "home", "streetAddress": "3" }] }),
        ),
        (
            two.clone(),
            op("replace", &street, json!("9")),
            json!({ "addresses": [
                { "type": "work", "streetAddress": "9", "locality": "A" },
                { "type": "work", "streetAddress": "9" },
                { "type": "home", "streetAddress": "3" }] }),
        ),
        (
            two.clone(),
            op("replace", work, json!(null)),
            json!({ "addresses": [{ "type": "home", "streetAddress": "3" }] }),
        ),
        (
            two.clone(),
            op("replace", work, json!([])),
            json!({ "addresses": [{ "type": "home", "streetAddress": "3" }] }),
        ),
        (
            json!({ "emails": [{ "type": "work", "value": "a" }] }),
            op("replace", &email, json!(null)),
            json!({ "emails": [{ "type": "work" }] }),
        ),
        (json!({}), op("replace", &email, json!(null)), json!({})),
        (
            json!({}),
            op("replace", &email, json!("x")),
            json!({ "emails": [{ "type": "work", "value": "x" }] }),
        ),
        (json!({}), op("replace", r#"emails[type sw "w"].value"#, json!("x")), json!("noTarget")),
    ];
    check(Quirks::ALL, &table);
    let strict = Quirks::ALL.without(Quirk::ReplaceCreates);
    check(
        strict,
        &[
            (json!({}), op("replace", &email, json!("x")), json!("noTarget")),
            (two, op("replace", WORK, json!({ "value": "x" })), json!("noTarget")),
        ],
    );
}

#[test]
fn a_single_complex_value_may_be_filtered() {
    let manager = format!("{}:manager", urn::ENTERPRISE);
    let before = json!({ urn::ENTERPRISE: { "manager": { "value": "m" } } });
    let after = json!({ urn::ENTERPRISE: { "manager": { "value": "n" } } });
    let path = |id: &str| format!("{manager}[value eq \"{id}\"]");
    check(
        Quirks::ALL,
        &[
            (before.clone(), op("replace", &path("m"), json!({ "value": "n" })), after.clone()),
            (before.clone(), op("replace", &format!("{}.value", path("m")), json!("n")), after),
            (before.clone(), op("remove", &path("m"), json!(null)), json!({})),
            (before.clone(), op("remove", &path("x"), json!(null)), before.clone()),
            (before, op("add", &path("x"), json!({ "value": "x" })), json!("noTarget")),
        ],
    );
}

#[test]
fn an_extension_is_replaced_by_its_urn_and_merged_inside_a_value() {
    let before = json!({ urn::ENTERPRISE: { "department": "Tours", "division": "South" } });
    let value = json!({ "division": "North" });
    check(
        Quirks::NONE,
        &[
            (
                before.clone(),
                op("replace", urn::ENTERPRISE, value.clone()),
                json!({ urn::ENTERPRISE: { "division": "North" } }),
            ),
            (
                before.clone(),
                json!({ "op": "replace", "value": { urn::ENTERPRISE: value } }),
                json!({ urn::ENTERPRISE: { "department": "Tours", "division": "North" } }),
            ),
            (before.clone(), op("replace", urn::ENTERPRISE, json!(null)), json!({})),
            (before.clone(), op("replace", urn::ENTERPRISE, json!({})), json!({})),
            (before, json!({ "op": "replace", "value": { urn::ENTERPRISE: null } }), json!({})),
        ],
    );
}
