use super::*;

/// Proves SCIM-033, SCIM-046, SCIM-055, SCIM-088, SCIM-180.
#[test]
fn names_and_urns_are_stored_as_the_schema_spells_them() {
    let body = json!({
        "NAME": { "FAMILYNAME": "Jensen" },
        "UserName": "BJensen",
        "SCHEMAS": ["urn:ietf:params:scim:schemas:CORE:2.0:User", urn::ENTERPRISE],
        "URN:ietf:params:scim:schemas:extension:ENTERPRISE:2.0:User": { "DEPARTMENT": "Tours" },
    });
    let expected = json!({
        "schemas": [urn::USER, urn::ENTERPRISE],
        "name": { "familyName": "Jensen" },
        "userName": "BJensen",
        urn::ENTERPRISE: { "department": "Tours" },
        "active": true,
    });
    assert_eq!(created(&standard("User"), body).unwrap(), expected);
}

/// Proves SCIM-036, SCIM-037, SCIM-038, SCIM-039, SCIM-040, SCIM-041, SCIM-042, SCIM-047,
/// SCIM-069, SCIM-070, SCIM-175.
#[test]
fn every_value_has_the_type_of_its_attribute() {
    let rt = things();
    let table = [
        (json!({ "title": 5 }), "invalidValue"),
        (json!({ "title": ["a"] }), "invalidValue"),
        (json!({ "title": {} }), "invalidValue"),
        (json!({ "flag": "true" }), "invalidValue"),
        (json!({ "flag": 1 }), "invalidValue"),
        (json!({ "flag": false }), "ok"),
        (json!({ "count": 1.5 }), "invalidValue"),
        (json!({ "count": 1e3 }), "invalidValue"),
        (json!({ "count": "1" }), "invalidValue"),
        (json!({ "count": -1 }), "ok"),
        (json!({ "share": 0.10 }), "ok"),
        (json!({ "share": 3 }), "ok"),
        (json!({ "share": "3" }), "invalidValue"),
        (json!({ "since": "2026-11-22" }), "invalidValue"),
        (json!({ "since": "yesterday" }), "invalidValue"),
        (json!({ "since": "2026-11-22T08:00:00" }), "ok"),
        (json!({ "since": "2026-11-22T08:00:00.123+01:00" }), "ok"),
        (json!({ "blob": "@@@" }), "invalidValue"),
        (json!({ "blob": "YWI=" }), "ok"),
        (json!({ "blob": "YWI" }), "ok"),
        (json!({ "link": "not a uri" }), "invalidValue"),
        (json!({ "link": "https://example.com/a?b#c" }), "ok"),
        (json!({ "link": "Users/123" }), "ok"),
        (json!({ "tags": "a" }), "invalidValue"),
        (json!({ "tags": { "value": "a" } }), "invalidValue"),
        (json!({ "tags": [["a"]] }), "invalidValue"),
        (json!({ "tags": ["a", null, "b"] }), "ok"),
        (json!({ "box": "a" }), "invalidValue"),
        (json!({ "box": { "label": { "a": 1 } } }), "invalidValue"),
        (json!({ "box": { "label": "a", "colors": ["red", "blue"] } }), "ok"),
        (json!({ "box": { "label": "a", "colors": "red" } }), "invalidValue"),
    ];
    for (more, expected) in table {
        assert_eq!(verdict(&created(&rt, thing_body(&more))), expected, "{more}");
    }
}

/// Proves SCIM-050, SCIM-051, SCIM-091, SCIM-126, SCIM-175, SCIM-180.
#[test]
fn what_is_required_must_be_there() {
    let user = |name: Value| json!({ "schemas": [urn::USER], "userName": name });
    let table = [
        ("User", json!({ "schemas": [urn::USER] })),
        ("User", user(json!(null))),
        ("User", user(json!(""))),
        ("User", user(json!("  \t"))),
        ("Group", json!({ "schemas": [urn::GROUP], "displayName": " " })),
        ("Group", json!({ "schemas": [urn::GROUP] })),
    ];
    for (name, body) in table {
        let error = create(&standard(name), body.clone(), strict()).unwrap_err();
        assert_eq!(error.scim_type(), "invalidValue", "{body}");
        assert!(error.to_string().contains("is required"), "{error}");
    }
    let rt = things();
    let with_box = |sent: Value| thing_body(&json!({ "box": sent }));
    assert_eq!(verdict(&created(&rt, with_box(json!({ "colors": ["red"] })))), "invalidValue");
    assert_eq!(verdict(&created(&rt, with_box(json!(null)))), "ok");
    assert_eq!(verdict(&created(&rt, json!({ "schemas": ["urn:x:Thing"] }))), "invalidValue");
    let more = |sent: Value| thing_body(&json!({ "urn:x:More": sent }));
    assert_eq!(verdict(&created(&rt, more(json!({ "note": "x" })))), "invalidValue");
}

/// Proves SCIM-084, SCIM-085, SCIM-086, SCIM-178.
#[test]
fn the_body_says_what_it_is_and_nothing_unknown() {
    let table = [
        (json!({ "userName": "a" }), "invalidSyntax"),
        (json!({ "schemas": [], "userName": "a" }), "invalidSyntax"),
        (json!({ "schemas": null, "userName": "a" }), "invalidSyntax"),
        (json!({ "schemas": urn::USER, "userName": "a" }), "invalidSyntax"),
        (json!({ "schemas": [5], "userName": "a" }), "invalidSyntax"),
        (json!({ "schemas": [urn::ENTERPRISE], "userName": "a" }), "invalidSyntax"),
        (json!({ "schemas": [urn::USER, "urn:x:y"], "userName": "a" }), "invalidValue"),
        (json!({ "schemas": [urn::USER, urn::USER], "userName": "a" }), "ok"),
        (json!({ "schemas": [urn::USER], "userName": "a", "foo": 1 }), "invalidSyntax"),
        (json!({ "schemas": [urn::USER], "userName": "a", "urn:x:y": {} }), "invalidSyntax"),
        (json!({ "schemas": [urn::USER], "userName": "a", "name": { "foo": 1 } }), "invalidSyntax"),
        (
            json!({ "schemas": [urn::USER], "userName": "a",
                urn::ENTERPRISE: { "division": "x" } }),
            "invalidSyntax",
        ),
        (json!({ "schemas": [urn::USER], "userName": "a", urn::ENTERPRISE: {} }), "ok"),
    ];
    let rt = standard("User");
    for (body, expected) in table {
        let result = created(&rt, body.clone());
        assert_eq!(verdict(&result), expected, "{body}");
        if let Ok(doc) = result {
            assert_eq!(doc["schemas"], json!([urn::USER]), "{body}");
        }
    }
}

/// Proves SCIM-056, SCIM-093, SCIM-098, SCIM-138, SCIM-168.
#[test]
fn what_clients_may_not_set_is_left_out() {
    let body = user_body(&json!({
        "id": "me",
        "meta": { "created": "2020-01-01T00:00:00Z", "resourceType": 5 },
        "groups": [{ "value": "g" }],
        "password": "t1meMa$heen",
        urn::ENTERPRISE: { "manager": {
            "value": "26118915", "$ref": "../Users/26118915", "displayName": "John" } },
    }));
    let accepted = create(&standard("User"), body, strict()).unwrap();
    let expected = json!({
        "schemas": [urn::USER, urn::ENTERPRISE],
        "userName": "bjensen",
        "active": true,
        urn::ENTERPRISE: { "manager": { "value": "26118915" } },
    });
    assert_eq!(Value::Object(accepted.doc), expected);
    assert_eq!(accepted.password, Password::Set("t1meMa$heen".to_owned()));
}

/// Proves SCIM-079, SCIM-080, SCIM-082, SCIM-090, SCIM-113, SCIM-169, SCIM-170.
#[test]
fn null_and_empty_are_no_values() {
    let body = user_body(&json!({
        "nickName": null,
        "emails": [],
        "roles": [null, {}],
        "name": { "givenName": null },
        "addresses": [{ "type": null }],
        "active": null,
        urn::ENTERPRISE: { "manager": { "value": null } },
    }));
    let expected = json!({ "schemas": [urn::USER], "userName": "bjensen" });
    assert_eq!(created(&standard("User"), body).unwrap(), expected);
    let plain = created(&standard("User"), user_body(&json!({}))).unwrap();
    assert_eq!(plain["active"], json!(true));
    let sent = created(&standard("User"), user_body(&json!({ "active": false }))).unwrap();
    assert_eq!(sent["active"], json!(false));
}

/// Proves SCIM-052, SCIM-072, SCIM-075, SCIM-076.
#[test]
fn lists_hold_each_value_once_and_one_primary() {
    let emails = |list: Value| created(&standard("User"), user_body(&json!({ "emails": list })));
    let twice = json!([
        { "value": "a@b.c", "type": "work" },
        { "value": "A@B.C", "type": "WORK", "display": "later" },
        { "value": "a@b.c", "type": "home" },
        { "value": "a@b.c", "type": "werk" },
    ]);
    let expected = json!([
        { "value": "a@b.c", "type": "work" },
        { "value": "a@b.c", "type": "home" },
        { "value": "a@b.c", "type": "werk" },
    ]);
    assert_eq!(emails(twice).unwrap()["emails"], expected);
    let primaries = json!([{ "value": "a", "primary": true }, { "value": "b", "primary": true }]);
    let error = emails(primaries).unwrap_err();
    assert_eq!(error.scim_type(), "invalidValue");
    assert!(error.to_string().contains("emails"), "{error}");
    let addresses =
        json!([{ "type": "work", "locality": "A" }, { "type": "work", "locality": "B" }]);
    let doc = created(&standard("User"), user_body(&json!({ "addresses": addresses }))).unwrap();
    assert_eq!(doc["addresses"], addresses);
}

#[test]
fn a_list_has_at_most_a_thousand_values() {
    let list = |count: usize| {
        let roles: Vec<_> = (0..count).map(|n| json!({ "value": n.to_string() })).collect();
        verdict(&created(&standard("User"), user_body(&json!({ "roles": roles }))))
    };
    assert_eq!((list(1000), list(1001)), ("ok", "invalidValue"));
    let members: Vec<_> = (0..1500).map(|n| json!({ "value": n.to_string() })).collect();
    let body = json!({ "schemas": [urn::GROUP], "displayName": "All", "members": members });
    assert_eq!(create(&standard("Group"), body, strict()).unwrap().members.unwrap().len(), 1500);
}

/// Proves SCIM-128, SCIM-131, SCIM-132.
#[test]
fn members_are_named_by_their_ids() {
    let members = |list: Value| {
        let body = json!({ "schemas": [urn::GROUP], "displayName": "Tour", "members": list });
        let accepted = create(&standard("Group"), body, strict())?;
        let ids = accepted.members.unwrap_or_default().into_iter().map(|found| found.value);
        Ok::<_, Error>(ids.collect::<Vec<_>>())
    };
    let list = json!([
        { "value": "a", "display": "Ann", "type": "User", "$ref": null },
        { "$ref": "https://x/scim/v2/Users/b" },
        null,
        { "value": "a", "type": "Group" },
    ]);
    assert_eq!(members(list).unwrap(), ["a", "b"]);
    assert_eq!(members(json!([])).unwrap(), Vec::<String>::new());
    assert_eq!(members(json!(null)).unwrap(), Vec::<String>::new());
    for wrong in [json!("a"), json!(["a"]), json!([{}]), json!([{ "value": 5 }]), json!([[]])] {
        assert_eq!(members(wrong.clone()).unwrap_err().scim_type(), "invalidValue", "{wrong}");
    }
    assert_eq!(
        members(json!([{ "value": "a", "x": 1 }])).unwrap_err().scim_type(),
        "invalidSyntax"
    );
    let absent = json!({ "schemas": [urn::GROUP], "displayName": "Tour" });
    assert_eq!(create(&standard("Group"), absent, strict()).unwrap().members, None);
}

/// Proves SCIM-058.
#[test]
fn what_is_debugged_never_shows_the_password() {
    let shown = [Password::Kept, Password::Cleared, Password::Set("t1meMa$heen".to_owned())]
        .map(|password| format!("{password:?}"));
    assert_eq!(shown, ["Kept", "Cleared", "Set(…)"]);
}

/// Proves SCIM-056, SCIM-168.
#[test]
fn what_only_the_server_writes_is_not_stored_whatever_its_type() {
    let schema = |id: &str| {
        Schema::from_document(&json!({ "id": id, "attributes": [
            { "name": "name", "required": false },
            { "name": "fixed", "type": "integer", "mutability": "readOnly" },
        ]}))
        .unwrap()
    };
    let extension = Extension { schema: schema("urn:x:2.0:More"), required: false };
    let rt = ResourceType::new("Thing", "/Things", schema("urn:x:2.0:Thing"), vec![extension]);
    let body = json!({
        "schemas": ["urn:x:2.0:Thing", "urn:x:2.0:More"],
        "fixed": "not even a number",
        "urn:x:2.0:More": { "name": "kept", "fixed": "not even a number" },
    });
    let accepted = create(&rt, body, Rules::of(Quirks::NONE)).unwrap();
    assert_eq!(
        Value::Object(accepted.doc),
        json!({
            "schemas": ["urn:x:2.0:Thing", "urn:x:2.0:More"],
            "urn:x:2.0:More": { "name": "kept" },
        })
    );
}
