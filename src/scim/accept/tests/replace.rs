use super::*;

fn before(rt: &ResourceType, body: Value) -> Doc {
    create(rt, body, strict()).unwrap().doc
}

fn replaced(rt: &ResourceType, before: &Doc, body: Value) -> Result<Value, Error> {
    super::super::replace(rt, before, body, strict()).map(|accepted| Value::Object(accepted.doc))
}

/// Proves SCIM-313, SCIM-314, SCIM-315, SCIM-324.
#[test]
fn what_a_put_leaves_out_is_cleared_but_for_rights_and_extensions() {
    let rt = standard("User");
    let old = before(
        &rt,
        user_body(&json!({
            "title": "Guide",
            "externalId": "7",
            "emails": [{ "value": "a@b.c" }],
            "name": { "givenName": "Barbara", "familyName": "Jensen" },
            "active": false,
            "roles": [{ "value": "agent" }],
            "entitlements": [{ "value": "seat" }],
            urn::ENTERPRISE: { "department": "Tours", "division": "South" },
        })),
    );
    let sparse = json!({ "schemas": [urn::USER], "userName": "bj", "name": { "givenName": "B" } });
    let expected = json!({
        "schemas": [urn::USER, urn::ENTERPRISE],
        "userName": "bj",
        "name": { "givenName": "B" },
        "active": false,
        "roles": [{ "value": "agent" }],
        "entitlements": [{ "value": "seat" }],
        urn::ENTERPRISE: { "department": "Tours", "division": "South" },
    });
    assert_eq!(replaced(&rt, &old, sparse).unwrap(), expected);
    let explicit = user_body(&json!({
        "active": true, "roles": [], "entitlements": null,
        urn::ENTERPRISE: { "department": "Sales" },
    }));
    let expected = json!({
        "schemas": [urn::USER, urn::ENTERPRISE],
        "userName": "bjensen",
        "active": true,
        urn::ENTERPRISE: { "department": "Sales" },
    });
    assert_eq!(replaced(&rt, &old, explicit).unwrap(), expected);
    for none in [json!(null), json!({})] {
        let doc = replaced(&rt, &old, user_body(&json!({ urn::ENTERPRISE: none }))).unwrap();
        assert_eq!(doc["schemas"], json!([urn::USER]));
        assert_eq!(doc.get(urn::ENTERPRISE), None);
    }
}

/// Proves SCIM-318, SCIM-323, SCIM-325.
#[test]
fn a_put_of_what_was_read_changes_nothing() {
    let rt = standard("User");
    let old = before(
        &rt,
        user_body(&json!({
            "emails": [{ "value": "a@b.c", "type": "work", "primary": true }, { "value": "d" }],
            "name": { "familyName": "Jensen", "givenName": "B" },
            urn::ENTERPRISE: { "manager": { "value": "m" } },
        })),
    );
    let mut shown = old.clone();
    shown.insert("id".into(), json!("other"));
    shown.insert("meta".into(), json!({ "created": "2020-01-01T00:00:00Z" }));
    shown.insert("groups".into(), json!([{ "value": "g", "display": "G" }]));
    shown[urn::ENTERPRISE]["manager"] = json!({ "value": "m", "$ref": "x", "displayName": "M" });
    let accepted = super::super::replace(&rt, &old, Value::Object(shown), strict()).unwrap();
    assert_eq!((accepted.doc, accepted.password), (old, Password::Kept));
}

/// Proves SCIM-057, SCIM-316, SCIM-317.
#[test]
fn an_immutable_value_stays_as_it_is() {
    let rt = things();
    let old =
        before(&rt, thing_body(&json!({ "serial": "1", "box": { "label": "a", "stamp": "s" } })));
    let put = |more: Value| replaced(&rt, &old, thing_body(&more));
    let cases = [
        (json!({ "serial": "2" }), "mutability"),
        (json!({ "serial": null }), "mutability"),
        (json!({ "box": { "label": "b", "stamp": "t" } }), "mutability"),
        (json!({ "serial": "1" }), "ok"),
        (json!({}), "ok"),
    ];
    for (more, expected) in cases {
        assert_eq!(verdict(&put(more.clone())), expected, "{more}");
    }
    let kept = put(json!({ "box": { "label": "b" } })).unwrap();
    assert_eq!(kept["serial"], json!("1"));
    assert_eq!(kept["box"], json!({ "label": "b", "stamp": "s" }));
    let unset = before(&rt, thing_body(&json!({})));
    assert_eq!(
        replaced(&rt, &unset, thing_body(&json!({ "serial": "9" }))).unwrap()["serial"],
        "9"
    );
    let fixed = json!({ "urn:x:More": { "code": "1", "fixed": "f" } });
    let old = before(&rt, thing_body(&fixed));
    let kept = replaced(&rt, &old, thing_body(&json!({}))).unwrap();
    assert_eq!(kept["urn:x:More"], json!({ "code": "1", "fixed": "f" }));
}

#[test]
fn what_only_the_server_or_nobody_can_read_stays() {
    let rt = things();
    let mut old = before(&rt, thing_body(&json!({ "secretNote": "n", "box": { "label": "a" } })));
    old.insert("state".into(), json!("fresh"));
    old["box"]["seen"] = json!("today");
    old["urn:x:More"]["made"] = json!("here");
    let sent = json!({ "state": "mine", "box": { "label": "b", "seen": "mine" } });
    let doc = replaced(&rt, &old, thing_body(&sent)).unwrap();
    assert_eq!(doc["state"], "fresh");
    assert_eq!(doc["secretNote"], "n");
    assert_eq!(doc["box"], json!({ "label": "b", "seen": "today" }));
    assert_eq!(doc["urn:x:More"], json!({ "code": "1", "made": "here" }));
}

/// Proves SCIM-319.
#[test]
fn required_attributes_are_sent_with_a_put() {
    let rt = standard("User");
    let old = before(&rt, user_body(&json!({})));
    let error = replaced(&rt, &old, json!({ "schemas": [urn::USER] })).unwrap_err();
    assert_eq!(error.scim_type(), "invalidValue");
}
