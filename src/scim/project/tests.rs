use serde_json::json;

use super::*;
use crate::scim::attribute::Type;
use crate::scim::resource_type::{Extension, Registry};
use crate::scim::urn;

fn user() -> ResourceType {
    (**Registry::standard().by_name("User").unwrap()).clone()
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn full() -> Doc {
    let full = json!({
        "schemas": [urn::USER, urn::ENTERPRISE],
        "id": "1",
        "externalId": "x",
        "userName": "ida",
        "name": { "familyName": "Holm", "givenName": "Ida" },
        "emails": [{ "value": "a@b.example", "type": "work" }, { "type": "home" }],
        "groups": [{ "value": "g", "display": "Desk" }],
        urn::ENTERPRISE: { "department": "Voice", "manager": { "value": "2", "displayName": "Bo" } },
        "meta": { "resourceType": "User", "version": "W/\"1\"" },
    });
    full.as_object().unwrap().clone()
}

fn shown(attributes: &[&str], excluded: &[&str]) -> String {
    let rt = user();
    let (attributes, excluded) = (names(attributes), names(excluded));
    let projection = Projection::new(&rt, &attributes, &excluded, Quirks::ALL).unwrap();
    let mut shown = projection.apply(full(), &Sent::nothing());
    // The two that are always there.
    assert_eq!(shown.shift_remove("schemas"), Some(json!([urn::USER, urn::ENTERPRISE])));
    assert_eq!(shown.shift_remove("id"), Some(json!("1")));
    Value::from(shown).to_string().replace(urn::ENTERPRISE, "E")
}

/// Proves SCIM-059, SCIM-061, SCIM-292, SCIM-294, SCIM-295, SCIM-296, SCIM-297, SCIM-299.
#[test]
fn attributes_name_what_is_shown() {
    let table: &[(&[&str], &str)] = &[
        (&["USERNAME"], r#"{"userName":"ida"}"#),
        (&["id"], "{}"),
        (&["nothing", "userName.nothing", "urn:x:y"], "{}"),
        (&["password"], "{}"),
        (&["name"], r#"{"name":{"familyName":"Holm","givenName":"Ida"}}"#),
        (&["name.givenName"], r#"{"name":{"givenName":"Ida"}}"#),
        (&["name.middleName"], "{}"),
        (&["emails.value"], r#"{"emails":[{"value":"a@b.example"}]}"#),
        (
            &["emails.value", "emails.type"],
            r#"{"emails":[{"value":"a@b.example","type":"work"},{"type":"home"}]}"#,
        ),
        (&["meta.version"], r#"{"meta":{"version":"W/\"1\""}}"#),
        (&["urn:ietf:params:scim:schemas:core:2.0:User:userName"], r#"{"userName":"ida"}"#),
        (
            &["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
            r#"{"E":{"department":"Voice","manager":{"value":"2","displayName":"Bo"}}}"#,
        ),
        (
            &["URN:ietf:params:scim:schemas:extension:enterprise:2.0:user:manager.value"],
            r#"{"E":{"manager":{"value":"2"}}}"#,
        ),
        (
            &[r#"emails[type eq "work"]"#],
            r#"{"emails":[{"value":"a@b.example","type":"work"},{"type":"home"}]}"#,
        ),
        (&[r#"emails[type eq "work"].value"#], r#"{"emails":[{"value":"a@b.example"}]}"#),
    ];
    for (attributes, expected) in table {
        assert_eq!(shown(attributes, &[]), *expected, "{attributes:?}");
    }
}

/// Proves SCIM-059, SCIM-293, SCIM-294, SCIM-297.
#[test]
fn excluded_attributes_are_left_out() {
    let rest = |left: &str| format!(r#"{{"externalId":"x","userName":"ida",{left}}}"#);
    let most = ["meta", "emails", "groups", "name"];
    let with = |more: &'static str| {
        let mut list = most.to_vec();
        list.push(more);
        list
    };
    assert_eq!(
        shown(&[], &with("id")),
        rest(r#""E":{"department":"Voice","manager":{"value":"2","displayName":"Bo"}}"#)
    );
    assert_eq!(
        shown(
            &[],
            &with("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName")
        ),
        rest(r#""E":{"department":"Voice","manager":{"value":"2"}}"#)
    );
    assert_eq!(
        shown(&[], &["meta", "emails", "groups", "NAME.familyName", urn::ENTERPRISE, "schemas"]),
        r#"{"externalId":"x","userName":"ida","name":{"givenName":"Ida"}}"#
    );
}

/// Proves SCIM-183: nothing asked for shows the default set.
#[test]
fn without_parameters_the_default_set_is_shown() {
    let rt = user();
    assert_eq!(Projection::everything(&rt).apply(full(), &Sent::nothing()), full());
}

/// Proves SCIM-298, SCIM-299.
/// Proves SCIM-132.
#[test]
fn an_empty_list_stays_and_a_list_that_becomes_empty_goes() {
    let rt = (**Registry::standard().by_name("Group").unwrap()).clone();
    let list = |members: serde_json::Value| {
        let full = json!({ "schemas": [urn::GROUP], "id": "1", "members": members });
        let projection = Projection::new(&rt, &names(&["members.type"]), &[], Quirks::ALL).unwrap();
        let shown = projection.apply(full.as_object().unwrap().clone(), &Sent::nothing());
        shown.get("members").cloned()
    };
    assert_eq!(list(json!([])), Some(json!([])));
    assert_eq!(list(json!([{ "value": "2" }])), None);
    assert_eq!(list(json!([{ "value": "2", "type": "User" }])), Some(json!([{ "type": "User" }])));
}

#[test]
fn malformed_names_and_both_lists_are_settled() {
    let rt = user();
    let strict = Quirks::NONE;
    let both = Projection::new(&rt, &names(&["userName"]), &names(&["userName"]), Quirks::ALL);
    assert!(both.unwrap().apply(full(), &Sent::nothing()).contains_key("userName"));
    let both = Projection::new(&rt, &names(&["userName"]), &names(&["userName"]), strict);
    assert!(matches!(both, Err(Error::InvalidValue(_))));
    for (name, quirks) in [("a..b", Quirks::ALL), ("1a", Quirks::ALL), ("emails[x]", strict)] {
        let refused = Projection::new(&rt, &names(&[name]), &[], quirks);
        assert!(matches!(refused, Err(Error::InvalidValue(_))), "{name}");
        let refused = Projection::new(&rt, &[], &names(&[name]), quirks);
        assert!(matches!(refused, Err(Error::InvalidValue(_))), "{name}");
    }
}

/// Proves SCIM-303, SCIM-133: what is not shown need not be read.
#[test]
fn only_what_is_shown_is_wanted() {
    let registry = Registry::standard();
    let group = registry.by_name("Group").unwrap();
    let rt = user();
    let wants = |rt: &ResourceType, attributes: &[&str], excluded: &[&str], source| {
        let (attributes, excluded) = (names(attributes), names(excluded));
        Projection::new(rt, &attributes, &excluded, Quirks::ALL).unwrap().wanted().has(source)
    };
    assert!(wants(group, &[], &[], Source::Members));
    assert!(!wants(group, &[], &["members"], Source::Members));
    assert!(!wants(group, &["displayName"], &[], Source::Members));
    assert!(wants(group, &["members.value"], &[], Source::Members));
    assert!(!wants(group, &["members.value"], &[], Source::Label));
    assert!(wants(&rt, &["groups"], &[], Source::MemberOf));
    assert!(!wants(&rt, &["userName"], &[], Source::MemberOf));
    assert!(wants(&rt, &[urn::ENTERPRISE], &[], Source::Label));
    assert!(wants(&rt, &[urn::CONTACT_CENTER], &[], Source::Linked));
    let without = ["groups", urn::ENTERPRISE, urn::CONTACT_CENTER];
    assert!(
        !wants(&rt, &[], &without, Source::Label) && !wants(&rt, &[], &without, Source::Linked)
    );
}

fn special() -> ResourceType {
    let with = |name: &str, returned| Attribute { returned, ..Attribute::new(name, Type::String) };
    let attributes = vec![
        with("always", Returned::Always),
        with("never", Returned::Never),
        with("request", Returned::Request),
        with("plain", Returned::Default),
        Attribute {
            sub: vec![
                with("always", Returned::Always),
                with("never", Returned::Never),
                with("request", Returned::Request),
                with("plain", Returned::Default),
            ],
            ..Attribute::new("complex", Type::Complex)
        },
    ];
    let schema = |id: &str, attributes: Vec<Attribute>| Schema {
        id: id.to_owned(),
        name: "T".to_owned(),
        description: String::new(),
        attributes,
    };
    let extension = schema("urn:t:E", attributes.clone());
    ResourceType::new(
        "T",
        "/Ts",
        schema("urn:t:T", attributes),
        vec![Extension { schema: extension, required: false }],
    )
}

/// Proves SCIM-058, SCIM-059, SCIM-060, SCIM-061, SCIM-062, SCIM-301.
#[test]
fn the_characteristic_returned_decides() {
    let rt = special();
    let inner = json!({ "always": "a", "never": "n", "request": "r", "plain": "p" });
    let mut full = inner.as_object().unwrap().clone();
    full.insert("complex".to_owned(), inner.clone());
    full.insert("urn:t:E".to_owned(), inner);
    let shown = |attributes: &[&str], excluded: &[&str], sent: Value| {
        let (attributes, excluded) = (names(attributes), names(excluded));
        let projection = Projection::new(&rt, &attributes, &excluded, Quirks::ALL).unwrap();
        let sent = Sent::body(&rt, &sent);
        Value::from(projection.apply(full.clone(), &sent)).to_string()
    };
    let nothing = || json!({});
    assert_eq!(
        shown(&[], &[], nothing()),
        r#"{"always":"a","plain":"p","complex":{"always":"a","plain":"p"},"urn:t:E":{"always":"a","plain":"p"}}"#
    );
    assert_eq!(shown(&["never"], &[], nothing()), r#"{"always":"a","urn:t:E":{"always":"a"}}"#);
    assert_eq!(
        shown(&["request", "complex.request"], &[], nothing()),
        r#"{"always":"a","request":"r","complex":{"always":"a","request":"r"},"urn:t:E":{"always":"a"}}"#
    );
    assert_eq!(
        shown(&[], &["always", "plain", "complex.always", "urn:t:E"], json!({ "REQUEST": "r" })),
        r#"{"always":"a","request":"r","complex":{"always":"a","plain":"p"},"urn:t:E":{"always":"a"}}"#
    );
    assert_eq!(
        shown(&["plain"], &[], json!({ "urn:t:E": { "request": "r" } })),
        r#"{"always":"a","plain":"p","urn:t:E":{"always":"a","request":"r"}}"#
    );
}

/// Proves SCIM-062 for PATCH.
#[test]
fn a_patch_sets_what_its_paths_and_values_name() {
    let rt = special();
    let message = json!({ "Operations": [
        { "op": "add", "path": "urn:t:E:request", "value": "r" },
        { "op": "replace", "value": { "request": "r" } },
        { "op": "remove", "path": "plain" },
    ] });
    let sent = Sent::patch(&rt, &message);
    let extension = &rt.extensions[0].schema;
    assert!(sent.has(None, rt.core("request").unwrap()));
    assert!(sent.has(Some(extension), extension.attribute("request").unwrap()));
    assert!(!sent.has(None, rt.core("plain").unwrap()));
}
