use proptest::prelude::*;

use super::*;
use crate::scim::accept::{self, Rules};
use crate::scim::quirks::Quirk;

fn paths() -> impl Strategy<Value = String> {
    let fixed = [
        "userName",
        "title",
        "active",
        "name",
        "name.givenName",
        "emails",
        "emails.value",
        "emails.primary",
        "roles",
        "schemas",
        "id",
        "meta.created",
        "groups",
        "password",
        "externalId",
        "emails[type eq \"work\"]",
        "emails[type eq \"work\"].value",
        "emails[primary eq true]",
        "emails[primary eq true].type",
        "emails[not (value pr)].value",
        "emails[type eq \"home\" and value eq \"a\"].primary",
        "emails[type eq \"work\" or type eq \"home\"]",
        "emails[",
        "foo",
        "x509Certificates",
        "x509Certificates.value",
        "addresses",
        "addresses[type eq \"work\"].country",
        urn::ENTERPRISE,
        "schemas eq \"urn:ietf:params:scim:schemas:core:2.0:User\"",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager[value eq \"m\"]",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
    ];
    prop_oneof![
        30 => proptest::sample::select(fixed.to_vec()).prop_map(str::to_owned),
        1 => "[a-z\\[\\]\". ()]{0,20}",
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2i64..3).prop_map(Value::from),
        proptest::sample::select(&["", " ", "a", "b", "A", "work", "home", "YQ=="][..])
            .prop_map(Value::from),
    ];
    let names = proptest::sample::select(
        &[
            "value",
            "type",
            "primary",
            "display",
            "givenName",
            "familyName",
            "userName",
            "emails",
            "title",
            "active",
            "country",
            "streetAddress",
            "manager",
            "department",
            "name",
            "id",
            urn::ENTERPRISE,
        ][..],
    );
    leaf.prop_recursive(3, 12, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((names.clone(), inner), 0..4).prop_map(|members| {
                Value::Object(members.into_iter().map(|(key, value)| (key.into(), value)).collect())
            }),
        ]
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    let kinds = proptest::sample::select(&Kind::ALL[..]);
    (kinds, proptest::option::weighted(0.85, paths()), proptest::option::weighted(0.9, values()))
        .prop_map(|(op, path, value)| Operation { op, path, value })
}

fn start() -> Value {
    user(&json!({ "title": "t", "active": true, "externalId": "e",
        "name": { "givenName": "a" },
        "emails": [
            { "value": "a", "type": "work", "primary": true }, { "value": "b", "type": "home" }],
        "addresses": [{ "type": "work", "country": "US" }],
        urn::ENTERPRISE: { "department": "d", "manager": { "value": "m" } } }))
}

fn quirks() -> impl Strategy<Value = Quirks> {
    prop_oneof![Just(Quirks::ALL), Just(Quirks::NONE), Just(Quirks::ALL.without(Quirk::AddCreates))]
}

/// A document that could have been created: types, required attributes, one primary.
fn is_sound(rt: &ResourceType, found: &Doc) -> Result<(), Error> {
    accept::check(rt, found, Rules::of(Quirks::NONE))?;
    let mut body = found.clone();
    body.entry("active").or_insert(Value::Null);
    let again = accept::create(rt, Value::Object(body), Rules::of(Quirks::ALL))?;
    assert_eq!(&again.doc, found);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Proves SCIM-072, SCIM-341, SCIM-342.
    #[test]
    fn a_patched_document_is_always_sound(
        list in proptest::collection::vec(operation(), 1..5), quirks in quirks()
    ) {
        let rt = standard("User");
        let before = doc(&start());
        if let Ok(result) = apply(&rt, &before, &list, Rules::of(quirks)) {
            prop_assert!(is_sound(&rt, &result.doc).is_ok(), "{:?}", is_sound(&rt, &result.doc));
            for name in ["id", "meta", "groups", "password", "members"] {
                prop_assert!(!result.doc.contains_key(name));
            }
            // The same once more comes to a sound document too, and each alone does not panic.
            let _ = apply(&rt, &result.doc, &list, Rules::of(quirks));
        }
        prop_assert_eq!(before, doc(&start()));
    }

    /// One simple attribute follows its operations as a plain variable would.
    #[test]
    fn a_simple_attribute_is_a_variable(
        list in proptest::collection::vec(
            (proptest::sample::select(&Kind::ALL[..]), proptest::option::of("[a-z]{1,3}")), 0..12)
    ) {
        let rt = standard("User");
        let mut expected: Option<String> = None;
        let mut operations = Vec::new();
        for (op, value) in list {
            match op {
                Kind::Add => expected = value.clone().or(expected),
                Kind::Replace => expected.clone_from(&value),
                Kind::Remove => expected = None,
            }
            let path = Some("title".to_owned());
            operations.push(Operation { op, path, value: Some(value.into()) });
        }
        let before = doc(&user(&json!({})));
        let result = apply(&rt, &before, &operations, Rules::of(Quirks::NONE)).unwrap();
        prop_assert_eq!(result.doc.get("title").and_then(Value::as_str), expected.as_deref());
    }

    #[test]
    fn no_message_makes_it_panic(body in values(), list in values()) {
        let _ = parse(body, Quirks::ALL);
        let _ = parse(json!({ "schemas": [urn::PATCH], "Operations": list }), Quirks::NONE);
    }
}

/// An operation as JSON, well formed or nearly so.
fn wire() -> impl Strategy<Value = Value> {
    let kinds = proptest::sample::select(&["add", "Remove", "REPLACE", "move"][..]);
    (kinds, proptest::option::of(paths()), proptest::option::of(values())).prop_map(
        |(op, path, value)| {
            let mut operation = json!({ "op": op });
            if let Some(path) = path {
                operation["path"] = path.into();
            }
            if let Some(value) = value {
                operation["value"] = value;
            }
            operation
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_softened_message_comes_to_a_sound_document(list in proptest::collection::vec(wire(), 1..4)) {
        let rt = standard("User");
        let mut body = json!({ "Operations": list });
        crate::scim::quirks::Softener::new(&rt, Quirks::ALL).patch(&mut body);
        let Ok(operations) = parse(body, Quirks::ALL) else { return Ok(()) };
        if let Ok(result) = apply(&rt, &doc(&start()), &operations, Rules::of(Quirks::ALL)) {
            prop_assert!(is_sound(&rt, &result.doc).is_ok(), "{:?}", result.doc);
        }
    }

    #[test]
    fn a_softened_body_comes_to_a_sound_document_and_a_put_of_it_changes_nothing(body in values()) {
        let rt = standard("User");
        let mut body = body;
        if let Value::Object(members) = &mut body {
            members.insert("userName".to_owned(), "b".into());
        }
        crate::scim::quirks::Softener::new(&rt, Quirks::ALL).body(&mut body);
        let rules = Rules::of(Quirks::ALL);
        if let Ok(accepted) = accept::create(&rt, body, rules) {
            prop_assert!(is_sound(&rt, &accepted.doc).is_ok());
            let again = accept::replace(&rt, &accepted.doc, Value::Object(accepted.doc.clone()), rules);
            prop_assert_eq!(again.map(|found| found.doc), Ok(accepted.doc));
        }
    }
}
