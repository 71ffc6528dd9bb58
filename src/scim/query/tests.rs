use serde_json::json;

use super::*;

fn read(raw: &str) -> Query {
    Query::from_query_string(raw, Quirks::ALL).unwrap()
}

fn filter(raw: &str) -> String {
    read(raw).filter.unwrap()
}

/// Proves SCIM-013: decoded once; `+` as clients send it.
#[test]
fn a_filter_is_decoded_once() {
    let table = [
        ("filter=userName%20eq%20%22a%2Bb%40x.example%22", r#"userName eq "a+b@x.example""#),
        ("filter=userName+eq+%22x%22&", r#"userName eq "x""#),
        ("filter=userName%20eq%20%22pia+x@d.example%22", r#"userName eq "pia+x@d.example""#),
        ("aadOptscim062020&filter=displayName+eq+%22A%2520B%22", r#"displayName eq "A%20B""#),
        ("filter=title%20eq%20%22%C3%A9=%22", "title eq \"é=\""),
    ];
    for (raw, expected) in table {
        assert_eq!(filter(raw), expected, "{raw}");
    }
}

#[test]
fn a_raw_plus_may_still_have_been_a_space() {
    let mixed = read("filter=userName+eq%20%22x%22");
    assert_eq!(mixed.filter.as_deref(), Some("userName+eq \"x\""));
    assert_eq!(mixed.filter_plus_as_space.as_deref(), Some("userName eq \"x\""));
    assert_eq!(read("filter=a%20pr").filter_plus_as_space, None);
    let strict = Quirks::ALL.without(Quirk::RawPlus);
    let form = Query::from_query_string("filter=a%20eq%20%22x+y%22", strict).unwrap();
    assert_eq!(form.filter.as_deref(), Some("a eq \"x y\""));
}

/// Proves SCIM-185: parameters that nobody knows, with and without value, and empty pairs.
#[test]
fn unknown_parameters_are_ignored() {
    for raw in ["", "&", "&&", "aadOptscim062020", "foo=1&foo=2&%66oo", "access_token=x"] {
        assert_eq!(read(raw), Query::default(), "{raw}");
    }
    assert_eq!(
        Query::from_query_string("aadOptscim062020", Quirks::NONE).unwrap(),
        Query::default()
    );
}

/// Proves SCIM-258, SCIM-259, SCIM-267.
#[test]
fn pages_are_clamped_and_must_be_numbers() {
    let table = [
        ("startIndex=0", 1, None),
        ("startIndex=-5&count=-1", 1, Some(0)),
        ("startIndex=11&count=10", 11, Some(10)),
        ("startindex=3&COUNT=0", 3, Some(0)),
    ];
    for (raw, start, count) in table {
        assert_eq!((read(raw).start, read(raw).count), (start, count), "{raw}");
    }
    for raw in ["count=abc", "count=", "count", "startIndex=1.5", "count=99999999999999999999"] {
        let refused = Query::from_query_string(raw, Quirks::ALL);
        assert!(matches!(refused, Err(Error::InvalidValue(_))), "{raw}");
    }
    let strict = Quirks::ALL.without(Quirk::ParameterCase);
    assert_eq!(Query::from_query_string("startindex=3", strict).unwrap().start, 1);
}

/// Proves SCIM-247, SCIM-248, SCIM-300.
#[test]
fn sorting_and_lists_of_names_are_read() {
    let query = read("sortBy=name.familyName&sortOrder=Descending");
    assert_eq!(query.sort_by.as_deref(), Some("name.familyName"));
    assert!(query.descending && !read("sortBy=userName").descending);
    assert!(!read("sortOrder=ascending").descending);
    let query = read("attributes=userName,%20emails[type+eq+%22a,b%22],&excludedAttributes=,x");
    assert_eq!(query.attributes, ["userName", "emails[type eq \"a,b\"]"]);
    assert_eq!(query.excluded, ["x"]);
}

/// Proves SCIM-212: never the unfiltered list.
#[test]
fn what_cannot_be_read_is_refused() {
    for raw in ["filter=", "filter", "filter=%20"] {
        let refused = Query::from_query_string(raw, Quirks::ALL);
        assert!(matches!(refused, Err(Error::InvalidFilter(_))), "{raw}");
    }
    let table =
        ["sortOrder=up", "count=1&count=2", "filter=%", "filter=%2", "filter=%zz", "filter=%ff"];
    for raw in table {
        let refused = Query::from_query_string(raw, Quirks::ALL);
        assert!(matches!(refused, Err(Error::InvalidValue(_))), "{raw}");
    }
}

/// Proves SCIM-283 (ignored), SCIM-307: the message means what the URL means.
#[test]
fn a_search_message_is_read_like_a_url() {
    let message = json!({
        "schemas": [urn::SEARCH],
        "Attributes": ["userName", " emails "],
        "excludedAttributes": null,
        "filter": "userName sw \"a+b\"",
        "sortBy": "userName",
        "sortOrder": "descending",
        "startIndex": 0,
        "count": 20,
        "other": { "x": 1 },
    });
    let query = Query::from_search(&message, Quirks::NONE).unwrap();
    let url = "attributes=userName,emails&filter=userName%20sw%20%22a%2Bb%22&sortBy=userName\
               &sortOrder=descending&startIndex=0&count=20";
    assert_eq!(query, read(url));
}

/// Proves SCIM-306, SCIM-309.
#[test]
fn a_search_message_is_checked() {
    let quirks = Quirks::ALL;
    for body in [json!([]), json!("x"), json!({ "schemas": ["urn:x"] }), json!({ "schemas": 1 })] {
        let refused = Query::from_search(&body, quirks);
        assert!(matches!(refused, Err(Error::InvalidSyntax(_))), "{body}");
    }
    assert!(Query::from_search(&json!({}), quirks).is_ok());
    let strict = Query::from_search(&json!({}), quirks.without(Quirk::NoSchemas));
    assert!(matches!(strict, Err(Error::InvalidSyntax(_))));
    let wrong = [
        json!({ "filter": 1 }),
        json!({ "count": "5" }),
        json!({ "count": 1.5 }),
        json!({ "startIndex": true }),
        json!({ "attributes": { "a": 1 } }),
        json!({ "attributes": [1] }),
        json!({ "sortOrder": "up" }),
        json!({ "count": 18_446_744_073_709_551_615_u64 }),
    ];
    for body in wrong {
        let refused = Query::from_search(&body, quirks);
        assert!(matches!(refused, Err(Error::InvalidValue(_))), "{body}");
    }
    let empty = Query::from_search(&json!({ "filter": "" }), quirks);
    assert!(matches!(empty, Err(Error::InvalidFilter(_))));
    let text = json!({ "attributes": "userName, emails" });
    assert_eq!(Query::from_search(&text, quirks).unwrap().attributes, ["userName", "emails"]);
    let strict = Query::from_search(&text, quirks.without(Quirk::TextAttributes));
    assert!(matches!(strict, Err(Error::InvalidValue(_))));
}
