use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::scim::resource_type::Registry;

fn loose() -> Attribute {
    Attribute::new("a", Type::String)
}

fn user_doc() -> Doc {
    json!({
        "schemas": [urn::USER, urn::ENTERPRISE], "userName": "ＪSmith", "active": true,
        "name": { "familyName": "Straße" },
        "emails": [{ "value": "A@x", "primary": true }, { "value": "a@X" }],
        urn::ENTERPRISE: { "employeeNumber": "E1", "manager": { "value": "Id" } }
    })
    .as_object()
    .cloned()
    .unwrap()
}

/// Proves SCIM-471.
#[test]
fn texts_fold_by_unicode_and_not_by_ascii() {
    let table = [
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("İ", "i\u{307}"),
        ("e\u{301}", "é"),
        ("É", "é"),
        ("Σίσυφος", "σίσυφοσ"),
        ("😀%_\"\\", "😀%_\"\\"),
    ];
    for (text, expected) in table {
        assert_eq!(super::text(&loose(), text), expected, "{text}");
        assert_eq!(super::text(&loose(), expected), expected, "folding twice changes {text}");
    }
}

#[test]
fn a_case_exact_text_stays_as_it_is() {
    let exact = Attribute { case_exact: true, ..loose() };
    assert_eq!(text(&exact, "E\u{301}A"), "E\u{301}A");
}

/// Proves SCIM-242, SCIM-468, SCIM-470.
#[test]
fn login_names_lose_their_width() {
    let login = Attribute { format: Some(Format::UserName), ..loose() };
    assert_eq!(text(&login, "ＪＳＭＩＴＨ"), "jsmith");
    assert_eq!(text(&login, "jose\u{301}"), text(&login, "JOSÉ"));
    assert_eq!(text(&loose(), "Ａ"), "ａ");
}

/// Proves SCIM-040, SCIM-222, SCIM-223.
#[test]
fn moments_are_read_with_any_zone_and_any_fraction() {
    let table = [
        ("1970-01-01T00:00:00Z", Some(0)),
        ("1970-01-01T00:00:00", Some(0)),
        ("1970-01-01T00:00:00.1Z", Some(100_000)),
        ("1970-01-01T00:00:00.1234567891234Z", Some(123_456)),
        ("1970-01-01T01:00:00+01:00", Some(0)),
        ("1969-12-31T19:00:00-05:00", Some(0)),
        ("1970-01-02T00:00:00z", Some(86_400_000_000)),
        ("1970-01-01T24:00:00Z", Some(86_400_000_000)),
        ("2000-02-29T12:00:00Z", Some(951_825_600_000_000)),
        ("0001-01-03T00:00:00.0000000Z", Some(-62_135_424_000_000_000)),
        ("1969-12-31T23:59:59.9Z", Some(-100_000)),
        ("2001-02-29T12:00:00Z", None),
        ("2026-11-22", None),
        ("yesterday", None),
        ("2026-11-22T25:00:00Z", None),
        ("2026-11-22T24:00:01Z", None),
        ("2026-13-22T05:00:00Z", None),
        ("2026-11-22T05:00:00.Z", None),
        ("2026-11-22T05:00:00+15:00", None),
        ("2026-11-22T05:00:00Zx", None),
        ("2026-11-22 05:00:00Z", None),
        ("2026-11-22T05:00Z", None),
        ("+026-11-22T05:00:00Z", None),
        ("２026-11-22T05:00:00Z", None),
        ("", None),
    ];
    for (text, expected) in table {
        assert_eq!(moment(text), expected, "{text}");
    }
}

#[test]
fn moments_agree_with_the_calendar_of_jiff() {
    for day in (-719_000_i64..2_900_000).step_by(997) {
        let at = jiff::Timestamp::from_second(day * 86_400 + 5).unwrap();
        assert_eq!(moment(&at.to_string()), Some(at.as_microsecond()), "{at}");
    }
}

#[test]
fn a_folded_document_keeps_its_shape() {
    let registry = Registry::standard();
    let folded = document(registry.by_name("User").unwrap(), &user_doc());
    assert_eq!(
        serde_json::from_str::<Value>(&folded).unwrap(),
        json!({
            "schemas": [urn::USER, urn::ENTERPRISE], "userName": "jsmith", "active": 1,
            "name": { "familyName": "strasse" },
            "emails": [{ "value": "a@x", "primary": 1 }, { "value": "a@x" }],
            urn::ENTERPRISE: { "employeeNumber": "e1", "manager": { "value": "Id" } },
            "~label": "ｊsmith"
        })
    );
}

#[test]
fn indexed_and_unique_values_are_listed_once() {
    let registry = Registry::standard();
    let user = registry.by_name("User").unwrap();
    let shown = |entries: Vec<IndexEntry>| {
        entries.iter().map(|entry| format!("{}={}", entry.attr, entry.value)).collect::<Vec<_>>()
    };
    assert_eq!(
        shown(index_entries(user, &user_doc())),
        [
            "emails.value=a@x",
            "name.familyName=strasse",
            &format!("{}:employeeNumber=e1", urn::ENTERPRISE),
            "userName=jsmith",
        ]
    );
    assert_eq!(shown(unique_entries(user, &user_doc(), Quirks::NONE)), ["userName=jsmith"]);
}

fn some_user() -> impl Strategy<Value = Doc> {
    let word = || prop_oneof![Just("Ida"), Just("ida"), Just("Bo"), Just("+1 555 0100")];
    let words = || prop::collection::vec(word(), 0..3);
    (word(), any::<bool>(), words(), words(), prop::option::of((word(), word()))).prop_map(
        |(name, active, emails, phones, about)| {
            let list = |values: Vec<&str>| {
                values.iter().map(|value| json!({ "value": value })).collect::<Vec<Value>>()
            };
            let mut user = json!({
                "userName": name, "active": active, "displayName": name,
                "emails": list(emails), "phoneNumbers": list(phones),
            });
            if let Some((number, alias)) = about {
                user[urn::ENTERPRISE] = json!({ "employeeNumber": number });
                user[urn::CONTACT_CENTER] = json!({ "loginPhone": alias, "lifecycle": "active" });
            }
            user.as_object().cloned().unwrap()
        },
    )
}

/// A list of entries of a document, but for what another one says too.
type List<'l> = &'l dyn Fn(&Doc, Option<&Doc>) -> Vec<IndexEntry>;

proptest! {
    #[test]
    fn what_differs_between_documents_is_what_differs_between_all_their_entries(
        before in some_user(), after in some_user(),
    ) {
        let registry = Registry::standard();
        let user = registry.by_name("User").unwrap();
        let only = |these: Vec<IndexEntry>, those: &[IndexEntry]| {
            these.into_iter().filter(|entry| !those.contains(entry)).collect::<Vec<_>>()
        };
        let index: List<'_> = &|doc, other| index_entries_unlike(user, doc, other);
        let unique: List<'_> = &|doc, other| unique_entries_unlike(user, doc, other, Quirks::ALL);
        for list in [index, unique] {
            let all = (list(&before, None), list(&after, None));
            let some = (list(&before, Some(&after)), list(&after, Some(&before)));
            prop_assert_eq!(only(some.0.clone(), &some.1), only(all.0.clone(), &all.1));
            prop_assert_eq!(only(some.1, &some.0), only(all.1, &all.0));
        }
    }
}

#[test]
fn group_names_are_unique_only_while_the_quirk_says_so() {
    let registry = Registry::standard();
    let group = registry.by_name("Group").unwrap();
    let doc = json!({ "displayName": "Night" }).as_object().cloned().unwrap();
    assert_eq!(unique_entries(group, &doc, Quirks::ALL).len(), 1);
    assert_eq!(unique_entries(group, &doc, Quirks::NONE).len(), 0);
    assert_eq!(index_entries(group, &doc).len(), 1);
}

#[test]
fn long_values_are_cut_and_hashed_for_the_index() {
    let (one, two) = ("é".repeat(300), "é".repeat(301));
    assert_eq!(index_value(&"a".repeat(512)).len(), 512);
    assert!(index_value(&one).len() <= 512 && index_value(&one) != index_value(&two));
}

#[test]
fn a_label_is_the_first_name_that_there_is() {
    let registry = Registry::standard();
    let user = registry.by_name("User").unwrap();
    let table = [
        (json!({ "userName": "u", "displayName": "D", "name": { "formatted": "F" } }), "D"),
        (json!({ "userName": "u", "displayName": "", "name": { "formatted": "F" } }), "F"),
        (json!({ "userName": "u" }), "u"),
        (json!({}), ""),
    ];
    for (doc, expected) in table {
        assert_eq!(label(user, doc.as_object().unwrap()), expected, "{doc}");
    }
}

proptest! {
    /// Proves SCIM-470.
    #[test]
    fn folding_a_folded_text_changes_nothing(written in "\\PC{0,12}", login: bool) {
        let format = login.then_some(Format::UserName);
        let attribute = Attribute { format, ..loose() };
        let once = text(&attribute, &written);
        prop_assert_eq!(text(&attribute, &once), once.clone());
        let composed: String = written.nfc().collect();
        prop_assert_eq!(text(&attribute, &composed), once);
    }

    #[test]
    fn no_text_makes_the_reader_of_moments_panic(
        text in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.+Z-]{5,20}|\\PC{0,30}"
    ) {
        let _ = moment(&text);
    }
}

#[test]
fn what_is_unique_is_the_normal_form_and_what_was_written_is_found() {
    let registry = Registry::standard();
    let user = registry.by_name("User").unwrap();
    let about = json!({ "agentId": "7001", "agent": { "value": "a1" } });
    let mut doc = Doc::new();
    doc.insert("userName".to_owned(), "ann".into());
    doc.insert(urn::CONTACT_CENTER.to_owned(), about);
    let attr = format!("{}:agentId", urn::CONTACT_CENTER);
    let of = |entries: Vec<IndexEntry>| {
        let own = entries.into_iter().filter(|entry| entry.attr == attr);
        own.map(|entry| entry.value).collect::<Vec<_>>()
    };
    assert_eq!(of(unique_entries(user, &doc, Quirks::ALL)), ["a1"]);
    assert_eq!(of(index_entries(user, &doc)), ["7001"]);
}
