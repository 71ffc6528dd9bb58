use serde_json::{Value, json};

use super::*;
use crate::scim::filter::eval::matches;
use crate::scim::filter::{Grammar, parse};
use crate::scim::fold::Doc;
use crate::scim::resource_type::Registry;

const LOOSE: Quirks = Quirks::ALL;
const STRICT: Quirks = Quirks::NONE;

fn doc(value: &Value) -> Doc {
    value.as_object().cloned().unwrap()
}

fn user() -> Doc {
    doc(&json!({
        "schemas": [urn::USER, urn::ENTERPRISE],
        "id": "u1",
        "externalId": "Ext1",
        "userName": "Jim@Example.com",
        "name": { "familyName": "Straße", "givenName": "Jim" },
        "nickName": "",
        "active": false,
        "profileUrl": "http://X/a",
        "emails": [
            { "value": "jim@work.example", "type": "work" },
            { "value": "jim@home.example", "type": "home", "primary": true }
        ],
        "x509Certificates": [{ "value": "QUJD" }],
        "groups": [{ "value": "g1", "display": "Night", "type": "direct" }],
        urn::ENTERPRISE: {
            "employeeNumber": "0012",
            "manager": { "value": "m1", "displayName": "Boss" }
        },
        "meta": {
            "resourceType": "User",
            "created": "2026-01-01T00:00:00.000000Z",
            "lastModified": "2026-01-02T00:00:00.500000Z",
            "location": "http://x/Users/u1",
            "version": "W/\"3\""
        }
    }))
}

fn group() -> Doc {
    doc(&json!({ "id": "g1", "displayName": "Night Desk", "members": [
        { "value": "u1", "type": "User", "display": "Jim" }, { "value": "g2", "type": "Group" }
    ] }))
}

fn asked(kind: &str, full: &Doc, filter: &str, rules: Binding) -> Result<bool, Error> {
    let registry = Registry::standard();
    let filter = parse(filter, Grammar::of(rules.quirks))?;
    let bound = bind(registry.by_name(kind).unwrap(), &filter, rules)?;
    Ok(matches(&bound, full))
}

fn rules(quirks: Quirks) -> Binding {
    Binding { quirks, unknown: Unknown::Refuse }
}

fn of_user(filter: &str, quirks: Quirks) -> Result<bool, Error> {
    asked("User", &user(), filter, rules(quirks))
}

/// Checks filters on the user above.
fn table(quirks: Quirks, cases: &[(&str, bool)]) {
    for (filter, expected) in cases {
        assert_eq!(of_user(filter, quirks), Ok(*expected), "{filter}");
    }
}

fn refused(quirks: Quirks, filters: &[&str]) {
    for filter in filters {
        let answer = of_user(filter, quirks);
        assert!(matches!(answer, Err(Error::InvalidFilter(_))), "{filter}: {answer:?}");
    }
}

/// Proves SCIM-043, SCIM-198, SCIM-207, SCIM-219, SCIM-220, SCIM-221, SCIM-243, SCIM-470, SCIM-471.
#[test]
fn texts_compare_with_or_without_case_as_their_attribute_says() {
    table(
        STRICT,
        &[
            ("userName eq \"jim@example.COM\"", true),
            ("USERNAME Sw \"J\"", true),
            ("userName ew \".COM\"", true),
            ("userName co \"m@e\"", true),
            ("userName eq \"jim\"", false),
            ("userName sw \"jim@example.com\"", true),
            ("userName gt \"JIM\"", true),
            ("userName lt \"m\"", true),
            ("userName ge \"jim@example.com\" and userName le \"jim@example.com\"", true),
            ("name.familyName eq \"STRASSE\"", true),
            ("externalId sw \"e\"", false),
            ("externalId sw \"E\"", true),
            ("profileUrl eq \"http://x/a\"", false),
            ("userName eq \"\\uff2aim@example.com\"", true),
            ("x509Certificates.value eq \"qujd\"", false),
            ("x509Certificates.value eq \"QUJD\"", true),
            ("urn:ietf:params:scim:schemas:core:2.0:User:userName sw \"jim\"", true),
            (&format!("{}:employeeNumber eq \"0012\"", urn::ENTERPRISE), true),
            (&format!("{}:manager.displayName eq \"boss\"", urn::ENTERPRISE), true),
        ],
    );
}

/// Proves SCIM-222, SCIM-223.
#[test]
fn moments_compare_as_moments() {
    table(
        STRICT,
        &[
            ("meta.lastModified gt \"2026-01-02T00:00:00Z\"", true),
            ("meta.lastModified ge \"2026-01-02T01:00:00.5+01:00\"", true),
            ("meta.lastModified lt \"2026-01-02T00:00:00.5Z\"", false),
            ("meta.created eq \"2025-12-31T19:00:00-05:00\"", true),
            ("meta.created ne \"2026-01-01T00:00:00\"", false),
        ],
    );
}

/// Proves SCIM-203, SCIM-204, SCIM-205, SCIM-230, SCIM-231, SCIM-239.
#[test]
fn several_values_match_when_one_does_and_brackets_mean_one_element() {
    table(
        STRICT,
        &[
            ("emails.value co \"home\"", true),
            ("emails co \"home.example\"", true),
            ("emails[type eq \"work\" and value co \"home\"]", false),
            ("emails[type eq \"home\" and (value co \"home\" or primary eq false)]", true),
            ("emails.type eq \"work\" and emails.value co \"home\"", true),
            ("emails.type ne \"work\"", false),
            ("emails.type ne \"other\"", true),
            ("emails[type ne \"work\"]", true),
            ("emails[not (primary pr)] and active eq false", true),
            ("phoneNumbers[not (primary pr)]", false),
            ("name[givenName eq \"jim\"]", true),
            ("addresses pr", false),
        ],
    );
}

/// Proves SCIM-232, SCIM-233, SCIM-234, SCIM-235, SCIM-236, SCIM-237.
#[test]
fn absent_values_equal_nothing_and_differ_from_everything() {
    table(
        STRICT,
        &[
            ("title ne \"x\"", true),
            ("title eq \"x\"", false),
            ("title co \"\"", false),
            ("title gt \"\"", false),
            ("not (title eq \"x\")", true),
            ("title pr", false),
            ("title eq null", true),
            ("title ne null", false),
            ("userName ne null", true),
            ("name eq null", false),
            ("nickName pr", false),
            ("active pr", true),
            ("active eq false", true),
            ("name pr", true),
            ("emails pr", true),
            (&format!("{} pr", urn::ENTERPRISE), true),
            (&format!("not ({}:department pr)", urn::ENTERPRISE), true),
        ],
    );
}

/// Proves SCIM-218.
#[test]
fn schemas_and_meta_and_groups_can_be_asked_for() {
    table(
        STRICT,
        &[
            (&format!("schemas eq \"{}\"", urn::ENTERPRISE), true),
            (&format!("schemas eq \"{}\"", urn::ENTERPRISE.to_uppercase()), true),
            ("schemas eq \"urn:x\"", false),
            (&format!("schemas[value eq \"{}\"]", urn::USER), true),
            ("id eq \"u1\"", true),
            ("id eq \"U1\"", false),
            ("meta.resourceType eq \"User\"", true),
            ("meta.version eq \"W/\\\"3\\\"\"", true),
            ("meta[lastModified gt \"2026-01-01T00:00:00Z\"]", true),
            ("groups.value eq \"g1\"", true),
            ("groups[type eq \"direct\" and display eq \"night\"]", true),
        ],
    );
    let of_group = |filter: &str| asked("Group", &group(), filter, rules(STRICT));
    assert_eq!(of_group("members eq \"u1\""), Ok(true));
    assert_eq!(of_group("members[value eq \"g2\" and type eq \"user\"]"), Ok(false));
    assert_eq!(of_group("displayName eq \"NIGHT desk\""), Ok(true));
}

/// Proves SCIM-204, SCIM-224, SCIM-226, SCIM-227, SCIM-228, SCIM-237, SCIM-238, SCIM-241.
#[test]
fn what_has_no_meaning_is_refused_under_all_quirks() {
    refused(
        LOOSE,
        &[
            "active gt false",
            "active co \"t\"",
            "active eq \"maybe\"",
            "active eq 1",
            "x509Certificates.value gt \"a\"",
            "meta.created co \"2026\"",
            "meta.created gt \"yesterday\"",
            "meta.created gt \"2026-01-01\"",
            "meta.created gt 5",
            "title gt null",
            "title co null",
            "name eq \"x\"",
            "name co \"x\"",
            "addresses eq \"x\"",
            "meta eq \"x\"",
            "password sw \"a\"",
            "password pr",
            "password eq null",
            "unknown eq \"x\"",
            "unknown pr",
            "emails.unknown pr",
            "emails[unknown pr]",
            "emails[emails.type pr]",
            "emails[ims[type eq \"a\"]]",
            "emails[type eq \"work\"].value[x pr]",
            "userName[value eq \"x\"]",
            "name.givenName[value eq \"x\"]",
            "urn:x:y:name eq \"x\"",
        ],
    );
    refused(LOOSE, &[&format!("{} eq \"x\"", urn::ENTERPRISE)]);
}

/// Proves SCIM-211.
#[test]
fn refusals_name_the_attribute_and_what_is_right() {
    let table = [
        ("unknown pr", "User has no attribute 'unknown'."),
        ("emails[foo pr]", "'emails' has no sub-attribute 'foo'"),
        ("active gt true", "'active' cannot be compared with gt: it is true or false"),
        ("meta.created gt \"x\"", "a moment such as \"2026-01-31T08:00:00Z\""),
        ("name eq \"x\"", "Compare one of them: formatted, familyName"),
    ];
    for (filter, expected) in table {
        let message = of_user(filter, LOOSE).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

/// Proves SCIM-229.
#[test]
fn operands_of_another_type_are_understood_only_as_quirks() {
    let cases = [
        ("active eq \"False\"", true),
        ("emails[primary eq \"True\"].value eq \"jim@home.example\"", true),
        ("userName eq 5", false),
        ("name.givenName ne true", true),
        ("emails[type eq \"work\"].value ew \"work.example\"", true),
    ];
    table(LOOSE, &cases);
    refused(STRICT, &cases.map(|(filter, _)| filter));
    let manager = format!("{}:manager eq \"m1\"", urn::ENTERPRISE);
    table(LOOSE, &[(&manager, true), ("userName eq jim@example.com", true)]);
    refused(STRICT, &[&manager]);
}

#[test]
fn over_all_types_an_unknown_attribute_has_no_value() {
    let rules = Binding { quirks: STRICT, unknown: Unknown::NoValue };
    let cases = [
        ("displayName eq \"x\" or members eq \"x\"", false),
        ("members ne \"x\"", true),
        ("members eq null", true),
        ("members ne null", false),
        ("members pr", false),
        ("members[value eq \"x\"]", false),
        ("not (members pr)", true),
        ("emails[unknown pr]", false),
    ];
    for (filter, expected) in cases {
        assert_eq!(asked("User", &user(), filter, rules), Ok(expected), "{filter}");
    }
    for filter in ["password pr", "members gt null", "active gt true"] {
        assert!(asked("User", &user(), filter, rules).is_err(), "{filter}");
    }
}

#[test]
fn elements_are_filtered_by_their_parts_or_by_themselves() {
    let registry = Registry::standard();
    let user = registry.by_name("User").unwrap();
    let check = |name: &str, filter: &str, element: Value| {
        let filter = parse(filter, Grammar::of(LOOSE)).unwrap();
        let bound = bind_elements(user.core(name).unwrap(), &filter, LOOSE).unwrap();
        crate::scim::filter::eval::matches_element(&bound, &element)
    };
    assert!(check("emails", "type eq \"WORK\"", json!({ "type": "work" })));
    assert!(!check("emails", "type pr", json!({ "value": "x" })));
    assert!(check("schemas", "value sw \"urn:\"", json!("urn:x")));
    assert!(check("roles", "primary eq \"True\"", json!({ "primary": true })));
}

/// Proves SCIM-246, SCIM-251, SCIM-252, SCIM-256.
#[test]
fn only_simple_visible_attributes_can_be_sorted_by() {
    let registry = Registry::standard();
    let user = registry.by_name("User").unwrap();
    let check =
        |path: &str| sortable(user, &AttrPath::parse(path).unwrap()).map(|target| target.name());
    assert_eq!(check("NAME.familyname").unwrap(), "name.familyName");
    assert_eq!(check("emails").unwrap(), "emails.value");
    assert_eq!(check("meta.created").unwrap(), "meta.created");
    for path in ["name", "meta", "addresses", "password", "unknown", urn::ENTERPRISE] {
        assert!(matches!(check(path), Err(Error::InvalidValue(_))), "{path}");
    }
}
