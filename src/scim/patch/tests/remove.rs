use super::*;
use crate::scim::quirks::Quirk;

fn gone(path: &str) -> Value {
    json!({ "op": "remove", "path": path })
}

/// Proves SCIM-367, SCIM-368, SCIM-369, SCIM-374, SCIM-376.
#[test]
fn an_attribute_is_removed_whole() {
    let emails = json!({ "emails": [{ "value": "a" }, { "value": "b" }], "title": "t" });
    check(
        Quirks::NONE,
        &[
            (json!({}), json!({ "op": "remove" }), json!("noTarget")),
            (json!({}), json!({ "op": "remove", "value": { "title": "t" } }), json!("noTarget")),
            (json!({ "nickName": "n" }), gone("nickName"), json!({})),
            (json!({}), gone("title"), json!({})),
            (json!({}), gone("name.givenName"), json!({})),
            (json!({}), gone("emails"), json!({})),
            (emails.clone(), gone("emails"), json!({ "title": "t" })),
            (emails, op("remove", "emails", json!(null)), json!({ "title": "t" })),
            (
                json!({ "name": { "givenName": "a", "familyName": "b" } }),
                gone("name.givenName"),
                json!({ "name": { "familyName": "b" } }),
            ),
            (json!({ "name": { "givenName": "a" } }), gone("name.givenName"), json!({})),
        ],
    );
}

/// Proves SCIM-370, SCIM-371, SCIM-373.
#[test]
fn a_filter_chooses_what_goes() {
    let emails = json!({ "emails": [
        { "value": "a", "type": "work", "display": "A" },
        { "value": "b", "type": "home", "display": "B" },
        { "value": "c", "type": "WORK" }] });
    let home = json!({ "emails": [{ "value": "b", "type": "home", "display": "B" }] });
    let none = gone(r#"emails[type eq "other"]"#);
    let table = [
        (emails.clone(), gone(WORK), home.clone()),
        (emails.clone(), gone(r#"emails[not (type eq "home")]"#), home.clone()),
        (
            emails.clone(),
            gone(r#"emails[type eq "work" and value co "A" or value eq "c"]"#),
            home.clone(),
        ),
        (emails.clone(), gone("emails[value pr]"), json!({})),
        (emails.clone(), gone(r#"emails[value eq "]"]"#), emails.clone()),
        (home.clone(), gone(r#"emails.value eq "b""#), json!({})),
        (
            emails.clone(),
            gone(&format!("{WORK}.display")),
            json!({ "emails": [
                { "value": "a", "type": "work" },
                { "value": "b", "type": "home", "display": "B" },
                { "value": "c", "type": "WORK" }] }),
        ),
        (home, gone("emails.display"), json!({ "emails": [{ "value": "b", "type": "home" }] })),
        (emails.clone(), none.clone(), emails.clone()),
        (json!({}), none.clone(), json!({})),
    ];
    check(Quirks::ALL, &table);
    let strict = Quirks::ALL.without(Quirk::RemoveAbsent);
    check(
        strict,
        &[(emails, none.clone(), json!("noTarget")), (json!({}), none, json!("noTarget"))],
    );
}

/// Proves SCIM-372.
#[test]
fn what_is_required_cannot_be_removed() {
    assert_eq!(on_user(&json!({}), &json!([gone("userName")]), Quirks::ALL), "mutability");
    let group = json!({ "schemas": [urn::GROUP], "displayName": "All" });
    let list = json!([gone("displayName")]);
    let error = patched(&standard("Group"), &group, &list, Quirks::ALL).unwrap_err();
    assert_eq!(error.scim_type(), "mutability");
}

/// Proves SCIM-090, SCIM-378, SCIM-379.
#[test]
fn an_extension_goes_with_its_last_attribute_or_by_its_urn() {
    let before = user(&json!({ urn::ENTERPRISE: { "department": "Tours" } }));
    for path in [urn::ENTERPRISE.to_owned(), format!("{}:department", urn::ENTERPRISE)] {
        let list = json!([gone(&path)]);
        let result = patched(&standard("User"), &before, &list, Quirks::NONE).unwrap();
        assert_eq!(Value::Object(result.doc), user(&json!({})), "{path}");
    }
}

/// Proves SCIM-332.
#[test]
fn a_value_of_a_simple_list_is_chosen_by_comparison() {
    let rt = things();
    let before = json!({ "schemas": ["urn:x:Thing", "urn:x:More"], "tags": ["a", "b"],
        "urn:x:More": { "code": "1" } });
    for path in [r#"tags eq "A""#, r#"tags[value eq "a"]"#] {
        let result = patched(&rt, &before, &json!([gone(path)]), Quirks::NONE).unwrap();
        assert_eq!(result.doc["tags"], json!(["b"]), "{path}");
    }
    let list = json!([op("add", "tags", json!("B")), op("add", "tags", json!(["c", "c"]))]);
    let result = patched(&rt, &before, &list, Quirks::NONE).unwrap();
    assert_eq!(result.doc["tags"], json!(["a", "b", "c"]));
    let list = json!([op("add", r#"tags[value eq "a"]"#, json!("d"))]);
    let result = patched(&rt, &before, &list, Quirks::NONE).unwrap();
    assert_eq!(result.doc["tags"], json!(["a", "b", "d"]));
}
