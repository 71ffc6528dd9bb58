use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::scim::filter::{Filter, Literal, Op};
use crate::scim::path::AttrPath;
use crate::scim::resource_type::Registry;
use crate::scim::urn;

mod bodies;
mod messages;

#[test]
fn the_table_has_each_row_of_the_matrix_that_the_rfc_does_not_settle() {
    let numbers: Vec<u8> =
        QUIRKS.iter().map(|row| row.number).filter(|number| *number != 0).collect();
    let expected = [
        1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 20, 21, 25, 27, 28, 32, 33, 34, 35,
        36, 38, 41, 42, 48, 50,
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
        softener.patch(&mut output);
    } else {
        softener.body(&mut output);
    }
    output
}

fn message(operations: &Value) -> Value {
    json!({ "schemas": [urn::PATCH], "Operations": operations })
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

/// Objects that look like requests and are not.
fn any_request() -> impl Strategy<Value = Value> {
    let names = [
        "schemas",
        "userName",
        "active",
        "name",
        "givenName",
        "emails",
        "value",
        "type",
        "primary",
        "roles",
        "displayName",
        "display",
        "manager",
        "members",
        "Operations",
        "op",
        "path",
        "x",
        "name.givenName",
        "emails[type eq \"work\"].value",
        "emails[",
        urn::ENTERPRISE,
        "urn:x:y",
        "urn:scim:schemas:core:1.0",
        "urn:scim:schemas:extension:enterprise:2.0:User:manager",
        "",
    ];
    let words = names.iter().copied().chain(["Replace", "remove", "True", "{\"value\":\"é\"}"]);
    let words: Vec<&str> = words.collect();
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(words).prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        let name = prop::sample::select(names.to_vec()).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_makes_the_softener_stumble(request in any_request()) {
        let registry = Registry::standard();
        for rt in registry.types() {
            for quirks in [Quirks::ALL, Quirks::NONE] {
                let softener = Softener::new(rt, quirks);
                let (mut body, mut message) = (request.clone(), request.clone());
                softener.body(&mut body);
                softener.patch(&mut message);
                prop_assert_eq!(body.is_object(), request.is_object());
                if quirks == Quirks::NONE {
                    prop_assert_eq!(&body, &request);
                    prop_assert_eq!(&message, &request);
                }
            }
        }
    }
}
