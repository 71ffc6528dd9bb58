use super::*;
use crate::scim::quirks::Quirk;

fn user(rules: Rules, more: &Value) -> &'static str {
    create(&standard("User"), user_body(more), rules).err().map_or("ok", |error| error.scim_type())
}

/// Proves SCIM-108, SCIM-110, SCIM-111, SCIM-112, SCIM-118, SCIM-120, SCIM-125.
#[test]
fn texts_have_the_shape_that_the_rfc_gives_them() {
    let table = [
        (json!({ "locale": "en_US" }), "ok"),
        (json!({ "locale": "de-CH" }), "ok"),
        (json!({ "locale": "en US" }), "invalidValue"),
        (json!({ "preferredLanguage": "en-US,en;q=0.8, *;q=0.1" }), "ok"),
        (json!({ "preferredLanguage": "en;q=2" }), "invalidValue"),
        (json!({ "preferredLanguage": "American English" }), "invalidValue"),
        (json!({ "timezone": "America/Los_Angeles" }), "ok"),
        (json!({ "timezone": "Mars/Base" }), "invalidValue"),
        (json!({ "addresses": [{ "country": "US" }] }), "ok"),
        (json!({ "addresses": [{ "country": "USA" }] }), "invalidValue"),
        (json!({ "profileUrl": "https://example.com/bjensen" }), "ok"),
        (json!({ "photos": [{ "value": "not a uri" }] }), "invalidValue"),
        (json!({ "phoneNumbers": [{ "value": "555-555-8377" }] }), "ok"),
        (json!({ "x509Certificates": [{ "value": "garbage!" }] }), "invalidValue"),
    ];
    for (more, expected) in &table {
        assert_eq!(user(strict(), more), *expected, "{more}");
    }
}

/// Proves SCIM-120.
#[test]
fn values_of_loose_formats_are_stored_as_they_come() {
    let loose = Rules::of(Quirks::ALL);
    for more in [
        json!({ "locale": "en US" }),
        json!({ "timezone": "(UTC+01:00) Amsterdam" }),
        json!({ "preferredLanguage": "American English" }),
        json!({ "addresses": [{ "country": "USA" }] }),
    ] {
        assert_eq!(user(loose, &more), "ok", "{more}");
        let tight = Rules::of(Quirks::ALL.without(Quirk::LooseFormats));
        assert_eq!(user(tight, &more), "invalidValue", "{more}");
    }
}

/// Proves SCIM-468, SCIM-472.
#[test]
fn a_user_name_is_made_of_visible_characters() {
    let table = [
        (json!("Jörg Müller"), "ok"),
        (json!("bjensen@example.com"), "ok"),
        (json!("a\u{0007}b"), "invalidValue"),
        (json!("a\nb"), "invalidValue"),
        (json!("a\u{0378}b"), "invalidValue"),
        (json!("x".repeat(1024)), "ok"),
        (json!("x".repeat(1025)), "invalidValue"),
    ];
    for (name, expected) in table {
        for rules in [strict(), Rules::of(Quirks::ALL)] {
            assert_eq!(user(rules, &json!({ "userName": name })), expected, "{name}");
        }
    }
    assert_eq!(user(strict(), &json!({ "externalId": "x".repeat(1025) })), "invalidValue");
}

#[test]
fn refusals_are_sentences_that_name_the_attribute() {
    let sentence = |more: Value| {
        create(&standard("User"), user_body(&more), strict()).unwrap_err().to_string()
    };
    let table = [
        (json!({ "active": "maybe" }), "active is a string; true or false belongs there."),
        (
            json!({ "emails": [{ "value": 5 }] }),
            "emails.value is a number; a string belongs there.",
        ),
        (
            json!({ "foo": 1 }),
            "'foo' is not an attribute of User. Its attributes are listed at /Schemas.",
        ),
        (
            json!({ urn::ENTERPRISE: { "division": 1 } }),
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division is a number; a string belongs there.",
        ),
    ];
    for (more, expected) in table {
        assert_eq!(sentence(more), expected);
    }
}
