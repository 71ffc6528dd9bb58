use super::*;
use crate::scim::quirks::Quirk;

fn read(body: Value, quirks: Quirks) -> Result<Vec<Operation>, Error> {
    parse(body, quirks)
}

/// Proves SCIM-327, SCIM-328, SCIM-329, SCIM-330, SCIM-331, SCIM-351.
#[test]
fn the_message_has_its_form() {
    let message = |list: Value| json!({ "schemas": [urn::PATCH], "Operations": list });
    let table = [
        (json!([]), "invalidSyntax"),
        (json!({ "Operations": [{ "op": "add" }] }), "invalidSyntax"),
        (json!({ "schemas": [urn::USER], "Operations": [{ "op": "add" }] }), "invalidSyntax"),
        (json!({ "schemas": [urn::PATCH] }), "invalidSyntax"),
        (message(json!({})), "invalidSyntax"),
        (message(json!([])), "invalidSyntax"),
        (message(json!(["add"])), "invalidSyntax"),
        (message(json!([{ "path": "title" }])), "invalidSyntax"),
        (message(json!([{ "op": "move" }])), "invalidSyntax"),
        (message(json!([{ "op": "Replace" }])), "invalidSyntax"),
        (message(json!([{ "op": 5 }])), "invalidSyntax"),
        (message(json!([{ "op": "remove", "path": 5 }])), "invalidPath"),
        (message(json!([{ "op": "add", "name": "addMember", "x": [] }])), "ok"),
        (json!({ "SCHEMAS": [urn::PATCH], "operations": [{ "OP": "add", "Path": "a" }] }), "ok"),
    ];
    for (body, expected) in table {
        let result = read(body.clone(), Quirks::NONE);
        assert_eq!(result.err().map_or("ok", |error| error.scim_type()), expected, "{body}");
    }
    assert_eq!(read(message(json!([])), Quirks::ALL).unwrap(), []);
    let error =
        read(message(json!([{ "op": "add" }, { "op": "move" }])), Quirks::NONE).unwrap_err();
    let expected = "Operation 2: op is 'move'; it is \"add\", \"remove\" or \"replace\".";
    assert_eq!(error.to_string(), expected);
}

/// Proves SCIM-034, SCIM-331, SCIM-333, SCIM-334, SCIM-335.
#[test]
fn a_path_names_an_attribute_of_the_type() {
    let table = [
        ("a..b", "invalidPath"),
        ("emails[", "invalidPath"),
        ("emails[type eq \"work\"", "invalidPath"),
        ("emails[type eq \"work\"]x", "invalidPath"),
        ("emails[type eq \"work\"].", "invalidPath"),
        ("emails[type eq \"work\"].foo", "invalidPath"),
        ("emails.value[type eq \"work\"]", "invalidPath"),
        ("/name", "invalidPath"),
        ("1abc", "invalidPath"),
        ("", "invalidPath"),
        ("foo", "invalidPath"),
        ("name.foo", "invalidPath"),
        ("foo bar", "invalidPath"),
        ("urn:x:y:title", "invalidPath"),
        ("title eq \"x\"", "invalidPath"),
        ("userName[value eq \"x\"]", "invalidPath"),
        ("emails[type regex \"x\"]", "invalidFilter"),
        ("emails[]", "invalidFilter"),
        ("emails[foo eq \"x\"]", "invalidFilter"),
    ];
    for kind in ["add", "replace", "remove"] {
        for (path, expected) in table {
            let found = on_user(&json!({}), &json!([op(kind, path, json!("x"))]), Quirks::ALL);
            assert_eq!(found, expected, "{kind} {path}");
        }
    }
}

/// Proves SCIM-056, SCIM-123, SCIM-138, SCIM-336, SCIM-372.
#[test]
fn what_is_read_only_cannot_be_named() {
    let manager = format!("{}:manager.displayName", urn::ENTERPRISE);
    let paths = [
        "id",
        "meta",
        "meta.created",
        "groups",
        "groups.value",
        "groups[value eq \"x\"]",
        &manager,
    ];
    for kind in ["add", "replace", "remove"] {
        for path in paths {
            let found = on_user(&json!({}), &json!([op(kind, path, json!("x"))]), Quirks::ALL);
            assert_eq!(found, "mutability", "{kind} {path}");
        }
    }
}

/// Proves SCIM-337.
#[test]
fn what_is_read_only_is_ignored_inside_a_value() {
    let value = json!({ "id": "x", "meta": {}, "groups": [], "schemas": [urn::USER], "title": "t",
        urn::ENTERPRISE: { "manager": { "value": "m", "displayName": "M", "$ref": "r" } } });
    let expected = json!({ "title": "t", urn::ENTERPRISE: { "manager": { "value": "m" } } });
    for kind in ["add", "replace"] {
        let list = json!([{ "op": kind, "value": value }]);
        assert_eq!(on_user(&json!({}), &list, Quirks::NONE), expected);
    }
}

/// Proves SCIM-340, SCIM-341, SCIM-342.
#[test]
fn operations_see_each_other_and_stand_or_fall_together() {
    let before = json!({ "title": "old" });
    let list = json!([
        op("add", "emails", json!([{ "value": "x", "type": "work" }])),
        op("remove", "emails[value eq \"x\"]", json!(null)),
        op("replace", "title", json!("new")),
    ]);
    assert_eq!(on_user(&before, &list, Quirks::NONE), json!({ "title": "new" }));
    let list = json!([op("replace", "title", json!("new")), op("replace", "active", json!("x"))]);
    assert_eq!(on_user(&before, &list, Quirks::NONE), "invalidValue");
    let list = json!([op("remove", "userName", json!(null)), op("add", "userName", json!("b"))]);
    assert_eq!(on_user(&before, &list, Quirks::NONE), "mutability");
    let emails = json!({ "emails": [{ "value": "a", "primary": true }] });
    let list = json!([
        op("add", "emails", json!([{ "value": "b", "primary": true }])),
        op("remove", "emails[value eq \"a\"]", json!(null)),
    ]);
    let expected = json!({ "emails": [{ "value": "b", "primary": true }] });
    assert_eq!(on_user(&emails, &list, Quirks::NONE), expected);
}

/// Proves SCIM-343.
#[test]
fn a_refusal_begins_with_its_operation() {
    let list =
        json!([op("add", "title", json!("t")), op("replace", &format!("{WORK}.value"), json!(5))]);
    let before = user(&json!({ "emails": [{ "type": "work" }] }));
    let error = patched(&standard("User"), &before, &list, Quirks::NONE).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Operation 2 (replace emails[type eq \"work\"].value): emails.value is a number; a string \
         belongs there."
    );
}

/// Proves SCIM-033, SCIM-087, SCIM-346, SCIM-348.
#[test]
fn names_and_urns_in_paths_know_no_case() {
    let urn = "URN:ietf:params:scim:schemas:EXTENSION:enterprise:2.0:user:DEPARTMENT";
    let list = json!([
        op("add", "NAME.GIVENNAME", json!("B")),
        op("add", urn, json!("Tours")),
        op("add", "urn:ietf:params:scim:schemas:core:2.0:User:Title", json!("Guide")),
    ]);
    let result = patched(&standard("User"), &user(&json!({})), &list, Quirks::NONE).unwrap();
    let expected = json!({
        "schemas": [urn::USER, urn::ENTERPRISE], "userName": "bjensen",
        "name": { "givenName": "B" }, "title": "Guide",
        urn::ENTERPRISE: { "department": "Tours" },
    });
    assert_eq!(Value::Object(result.doc), expected);
}

/// Proves SCIM-332, SCIM-347.
#[test]
fn schemas_follow_the_data_and_keep_the_base() {
    let data = json!({ urn::ENTERPRISE: { "department": "Tours" } });
    let by_value = |urn: &str| format!("schemas eq \"{urn}\"");
    let table = [
        (op("add", "schemas", json!([urn::ENTERPRISE])), data.clone()),
        (op("add", "schemas", json!(urn::USER)), data.clone()),
        (op("add", "schemas", json!(["urn:x:y"])), json!("invalidValue")),
        (op("replace", "schemas", json!([urn::USER])), data.clone()),
        (op("replace", "schemas", json!([urn::ENTERPRISE])), json!("mutability")),
        (op("remove", "schemas", json!(null)), json!("mutability")),
        (op("remove", &by_value(urn::USER), json!(null)), json!("mutability")),
        (op("remove", &by_value(urn::ENTERPRISE), json!(null)), json!({})),
        (
            op("remove", &format!("schemas[value eq \"{}\"]", urn::ENTERPRISE), json!(null)),
            json!({}),
        ),
    ];
    for (operation, expected) in table {
        let found = on_user(&data, &json!([operation]), Quirks::NONE);
        assert_eq!(found, expected, "{operation}");
    }
}

/// Proves SCIM-074, SCIM-349.
#[test]
fn one_value_is_primary() {
    let two = json!({ "emails": [
        { "value": "a", "type": "work", "primary": true }, { "value": "b", "type": "home" }] });
    let home = json!({ "emails": [
        { "value": "a", "type": "work", "primary": false },
        { "value": "b", "type": "home", "primary": true }] });
    let by_home = "emails[type eq \"home\"]";
    let record = json!({ "value": "b", "type": "home", "primary": true });
    for kind in ["add", "replace"] {
        check(
            Quirks::NONE,
            &[
                (two.clone(), op(kind, &format!("{by_home}.primary"), json!(true)), home.clone()),
                (two.clone(), op(kind, by_home, record.clone()), home.clone()),
            ],
        );
    }
    check(Quirks::NONE, &[(two.clone(), op("add", "emails", record), home)]);
    let both = json!([{ "value": "c", "primary": true }, { "value": "d", "primary": true }]);
    check(
        Quirks::NONE,
        &[
            (two.clone(), op("replace", "emails", both.clone()), json!("invalidValue")),
            (two.clone(), op("add", "emails", both), json!("invalidValue")),
            (two, op("replace", "emails.primary", json!(true)), json!("invalidValue")),
        ],
    );
}

/// Proves SCIM-057, SCIM-338, SCIM-377, SCIM-378.
#[test]
fn immutable_and_required_values_stay() {
    let rt = things();
    let before = json!({ "schemas": ["urn:x:Thing", "urn:x:More"],
        "parts": [{ "value": "p", "stamp": "s" }, { "value": "q" }], "tags": ["a"],
        "urn:x:More": { "code": "1", "note": "n", "made": "m", "fixed": "f" } });
    let mut set = before.clone();
    set["serial"] = json!("1");
    let part = |value: &str, sub: &str| format!("parts[value eq \"{value}\"].{sub}");
    let table = [
        (&before, op("add", "serial", json!("1")), "ok"),
        (&before, op("replace", "serial", json!("1")), "ok"),
        (&before, op("remove", "serial", json!(null)), "ok"),
        (&set, op("add", "serial", json!("2")), "mutability"),
        (&set, op("add", "serial", json!("1")), "ok"),
        (&set, op("replace", "serial", json!("2")), "mutability"),
        (&set, op("replace", "serial", json!(null)), "mutability"),
        (&set, op("remove", "serial", json!(null)), "mutability"),
        (&before, op("replace", &part("p", "stamp"), json!("t")), "mutability"),
        (&before, op("remove", &part("p", "stamp"), json!(null)), "mutability"),
        (&before, op("add", "parts", json!({ "value": "p", "stamp": "t" })), "mutability"),
        (&before, op("add", "parts", json!({ "value": "q", "stamp": "t" })), "ok"),
        (&before, op("add", &part("q", "stamp"), json!("t")), "ok"),
        (&before, op("add", &part("q", "seen"), json!("t")), "mutability"),
        (&before, op("remove", &part("q", "value"), json!(null)), "mutability"),
        (&before, op("replace", &part("q", "value"), json!("")), "invalidValue"),
        (&before, op("add", "parts", json!({ "stamp": "x" })), "invalidValue"),
        (&before, op("remove", "urn:x:More", json!(null)), "mutability"),
        (&before, op("remove", "urn:x:More:code", json!(null)), "mutability"),
        (&before, op("remove", "urn:x:More:note", json!(null)), "ok"),
        (&before, op("replace", "urn:x:More", json!({ "note": "x" })), "invalidValue"),
        (&before, op("replace", "urn:x:More:made", json!("x")), "mutability"),
        (&before, op("replace", "urn:x:More:fixed", json!("g")), "mutability"),
        (&before, op("replace", "count", json!(1.5)), "invalidValue"),
        (&before, op("remove", "tags", json!(null)), "mutability"),
        (&before, op("remove", "tags[value eq \"a\"]", json!(null)), "mutability"),
        (&before, op("replace", "tags", json!([])), "invalidValue"),
    ];
    for (before, operation, expected) in table {
        let result = patched(&rt, before, &json!([operation]), Quirks::NONE);
        assert_eq!(result.err().map_or("ok", |error| error.scim_type()), expected, "{operation}");
    }
    let list = json!([op("replace", "urn:x:More", json!({ "code": "2" }))]);
    let result = patched(&rt, &before, &list, Quirks::NONE).unwrap();
    assert_eq!(result.doc["urn:x:More"], json!({ "code": "2", "made": "m", "fixed": "f" }));
}

/// Proves SCIM-361, SCIM-393.
#[test]
fn what_is_so_already_changes_nothing() {
    let before = user(&json!({ "title": "t", "active": true,
        "emails": [{ "value": "a", "type": "work", "primary": true }],
        "name": { "familyName": "J", "givenName": "B" },
        urn::ENTERPRISE: { "department": "Tours" } }));
    let department = format!("{}:department", urn::ENTERPRISE);
    let list = json!([
        op("replace", "title", json!("t")),
        op("add", "active", json!(true)),
        op("add", "emails", json!([{ "primary": true, "type": "WORK", "value": "A" }])),
        op("replace", "emails", json!([{ "type": "work", "value": "a", "primary": true }])),
        op("replace", "name", json!({ "givenName": "B" })),
        op("replace", &department, json!("Tours")),
        op("remove", "nickName", json!(null)),
        op("add", "title", json!(null)),
    ]);
    let result = patched(&standard("User"), &before, &list, Quirks::ALL).unwrap();
    assert_eq!(Value::Object(result.doc), before);
}

#[test]
fn the_password_is_kept_apart() {
    let rt = standard("User");
    let password = |operation: Value| {
        let result = patched(&rt, &user(&json!({})), &json!([operation]), Quirks::NONE)?;
        assert!(!result.doc.contains_key("password"));
        Ok::<_, Error>(result.password)
    };
    let set = Password::Set("s3cret".to_owned());
    assert_eq!(password(op("replace", "password", json!("s3cret"))).unwrap(), set);
    assert_eq!(password(op("add", "password", json!("s3cret"))).unwrap(), set);
    assert_eq!(password(json!({ "op": "add", "value": { "password": "s3cret" } })).unwrap(), set);
    assert_eq!(password(op("replace", "password", json!(null))).unwrap(), Password::Cleared);
    assert_eq!(password(op("remove", "password", json!(null))).unwrap(), Password::Cleared);
    assert_eq!(password(op("add", "password", json!(null))).unwrap(), Password::Kept);
    assert_eq!(
        password(op("replace", "password", json!(5))).unwrap_err().scim_type(),
        "invalidValue"
    );
}

/// Proves SCIM-353.
#[test]
#[expect(clippy::disallowed_methods, reason = "speed is measured with a real clock")]
fn many_operations_take_little_time() {
    let attributes = json!({ "title": "t", "nickName": "n", "displayName": "d", "locale": "en",
        "timezone": "UTC", "userType": "u", "active": true, "externalId": "e",
        "preferredLanguage": "en", "profileUrl": "x", "name": { "familyName": "J" },
        "emails": [{ "value": "a", "type": "work" }], "roles": [{ "value": "r" }],
        urn::ENTERPRISE: { "department": "d", "division": "v", "costCenter": "c" } });
    let mut list = Vec::new();
    for n in 0..10_000 {
        list.push(op("replace", "title", json!(n.to_string())));
    }
    let started = jiff::Timestamp::now();
    on_user(&attributes, &json!(list), Quirks::ALL);
    let group = json!({ "schemas": [urn::GROUP], "displayName": "All" });
    let adds: Vec<Value> =
        (0..10_000).map(|n| op("add", "members", json!([{ "value": n.to_string() }]))).collect();
    let result = patched(&standard("Group"), &group, &json!(adds), Quirks::ALL).unwrap();
    assert!(matches!(result.members.as_slice(), [MemberChange::Add(all)] if all.len() == 10_000));
    let taken = jiff::Timestamp::now().duration_since(started);
    assert!(taken.as_secs() < 5, "{taken:?}");
}

#[test]
fn a_list_may_not_grow_without_end() {
    let adds: Vec<Value> =
        (0..1001).map(|n| op("add", "roles", json!([{ "value": n.to_string() }]))).collect();
    assert_eq!(on_user(&json!({}), &json!(adds), Quirks::ALL), "invalidValue");
    let all: Vec<Value> = (0..1001).map(|n| json!({ "value": n.to_string() })).collect();
    let list = json!([op("add", "roles", json!(all))]);
    assert_eq!(on_user(&json!({}), &list, Quirks::ALL), "invalidValue");
}

#[test]
fn empty_operations_change_nothing_where_they_are_allowed() {
    let body = json!({ "schemas": [urn::PATCH], "Operations": [] });
    assert!(read(body.clone(), Quirks::ALL.without(Quirk::EmptyOperations)).is_err());
    let list = read(body, Quirks::ALL).unwrap();
    let before = doc(&user(&json!({ "title": "t" })));
    let result = apply(&standard("User"), &before, &list, Rules::of(Quirks::ALL)).unwrap();
    assert_eq!(result.doc, before);
}
