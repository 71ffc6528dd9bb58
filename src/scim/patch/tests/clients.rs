//! Messages as identity providers send them, from the wire form to the document.

use super::*;
use crate::scim::quirks::Softener;

fn sent(kind: &str, before: &Value, mut body: Value) -> Result<Patched, Error> {
    let rt = standard(kind);
    Softener::new(&rt, Quirks::ALL).patch(&mut body);
    let list = parse(body, Quirks::ALL)?;
    apply(&rt, &doc(before), &list, Rules::of(Quirks::ALL))
}

fn user_after(before: &Value, list: &Value) -> Value {
    let body = json!({ "schemas": [urn::PATCH], "Operations": list });
    let mut result = sent("User", &user(before), body).unwrap();
    result.doc.shift_remove("schemas");
    result.doc.shift_remove("userName");
    Value::Object(result.doc)
}

fn members_after(list: &Value) -> Vec<MemberChange> {
    let group = json!({ "schemas": [urn::GROUP], "displayName": "Desk" });
    let body = json!({ "schemas": [urn::PATCH], "Operations": list });
    sent("Group", &group, body).unwrap().members
}

/// Proves SCIM-330, SCIM-346, SCIM-364, SCIM-388.
#[test]
fn one_capital_operation_for_each_attribute() {
    let list = json!([
        { "op": "Replace", "path": "displayName", "value": "Mira C. Bell" },
        { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "m2@northwind.example" },
        { "op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+1 555 0100" },
        { "op": "Replace", "path": "name.givenName", "value": "Mirabel" },
        { "op": "Add", "path": format!("{}:manager", urn::ENTERPRISE), "value": "m-1" },
        { "op": "Replace", "path": format!("{}:employeeNumber", urn::ENTERPRISE), "value": "E-17" },
        { "op": "Replace", "path": "active", "value": "False" },
        { "op": "Add", "path": "roles[primary eq \"True\"].value", "value": "Supervisor" },
    ]);
    let expected = json!({
        "displayName": "Mira C. Bell",
        "emails": [{ "type": "work", "value": "m2@northwind.example" }],
        "phoneNumbers": [{ "type": "mobile", "value": "+1 555 0100" }],
        "name": { "givenName": "Mirabel" },
        urn::ENTERPRISE: { "manager": { "value": "m-1" }, "employeeNumber": "E-17" },
        "active": false,
        "roles": [{ "primary": true, "value": "Supervisor" }],
    });
    assert_eq!(user_after(&json!({ "active": true }), &list), expected);
}

/// Proves SCIM-352.
#[test]
fn one_value_with_paths_as_keys() {
    let department = format!("{}:department", urn::ENTERPRISE);
    let list = json!([{ "op": "replace", "value": {
        "displayName": "Optima Vale", "name.givenName": "Optima", department: "Voice",
        "emails[type eq \"work\"].value": "o@x", "id": "ignored", "foo": "ignored" } }]);
    let expected = json!({
        "name": { "familyName": "V", "givenName": "Optima" },
        "displayName": "Optima Vale",
        urn::ENTERPRISE: { "department": "Voice" },
        "emails": [{ "type": "work", "value": "o@x" }],
    });
    assert_eq!(user_after(&json!({ "name": { "familyName": "V" } }), &list), expected);
}

/// Proves SCIM-139, SCIM-391.
#[test]
fn an_empty_text_and_null_clear() {
    let before = json!({ "title": "t", "name": { "givenName": "a", "familyName": "b" },
        "emails": [{ "type": "work", "value": "x" }],
        urn::ENTERPRISE: { "manager": { "value": "m" }, "department": "d" } });
    let manager = format!("{}:manager", urn::ENTERPRISE);
    let department = format!("{}:department", urn::ENTERPRISE);
    for none in [json!(""), json!(null)] {
        let list = json!([
            { "op": "Replace", "path": "title", "value": none },
            { "op": "Replace", "path": "name.givenName", "value": none },
            { "op": "Replace", "path": manager, "value": none },
            { "op": "Replace", "path": department, "value": none },
            { "op": "Replace", "path": "nickName", "value": none },
            { "op": "Replace", "path": "phoneNumbers[type eq \"work\"].value", "value": none },
        ]);
        let expected = json!({
            "name": { "familyName": "b" }, "emails": [{ "type": "work", "value": "x" }] });
        assert_eq!(user_after(&before, &list), expected, "{none}");
    }
    let wrapped =
        json!([{ "op": "Add", "path": manager, "value": [{ "$ref": "x", "value": "n" }] }]);
    assert_eq!(
        user_after(&json!({}), &wrapped),
        json!({ urn::ENTERPRISE: { "manager": { "value": "n" } } })
    );
}

/// Proves SCIM-045, SCIM-337, SCIM-375.
#[test]
fn members_come_and_go_in_every_form() {
    let add = |id: &str| MemberChange::Add(vec![MemberRef { value: id.to_owned() }]);
    let gone = |ids: &[&str]| MemberChange::Remove(ids.iter().map(|id| (*id).to_owned()).collect());
    let table = [
        (
            json!({ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": "a" }] }),
            vec![add("a")],
        ),
        (
            json!({ "op": "add", "path": "members",
                "value": [{ "value": "a", "display": "ines@northwind.example" }] }),
            vec![add("a")],
        ),
        (json!({ "op": "add", "path": "members", "value": ["a"] }), vec![add("a")]),
        (
            json!({ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": "a" }] }),
            vec![gone(&["a"])],
        ),
        (
            json!({ "op": "remove", "path": "members", "value": [{ "value": "a" }, { "value": "b" }] }),
            vec![gone(&["a", "b"])],
        ),
        (json!({ "op": "remove", "path": "members[value eq \"a\"]" }), vec![gone(&["a"])]),
        (json!({ "op": "replace", "value": { "id": "x", "displayName": "Desk" } }), vec![]),
        (json!({ "op": "replace", "path": "members", "value": [] }), vec![MemberChange::Clear]),
    ];
    for (operation, expected) in table {
        assert_eq!(members_after(&json!([operation])), expected, "{operation}");
    }
    let many: Vec<Value> = (0..3000).map(|n| json!({ "value": format!("member-{n}") })).collect();
    let changes = members_after(&json!([{ "op": "Remove", "path": "members", "value": many }]));
    assert!(matches!(changes.as_slice(), [MemberChange::Remove(all)] if all.len() == 3000));
}

/// Proves SCIM-375.
#[test]
fn a_list_beside_remove_chooses_what_goes() {
    let before = json!({ "emails": [
        { "value": "a", "type": "work" }, { "value": "a", "type": "home" }, { "value": "b" }] });
    let list = json!([{ "op": "Remove", "path": "emails",
        "value": [{ "value": "a", "type": "work" }, { "value": "b" }] }]);
    let expected = json!({ "emails": [{ "value": "a", "type": "home" }] });
    assert_eq!(user_after(&before, &list), expected);
}

/// Proves SCIM-327, SCIM-351.
#[test]
fn a_message_without_schemas_and_with_more_members_is_read() {
    let body = json!({ "Operations": [
        { "name": "setTitle", "op": "Replace", "path": "title", "value": "t" }] });
    let result = sent("User", &user(&json!({})), body).unwrap();
    assert_eq!(result.doc["title"], "t");
    assert!(sent("User", &user(&json!({})), json!({ "Operations": [] })).is_ok());
}
