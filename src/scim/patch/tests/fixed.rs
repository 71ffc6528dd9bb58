//! Whatever is tried: what may not change does not.

use proptest::prelude::*;

use super::*;

fn start() -> Value {
    json!({ "schemas": ["urn:x:Thing", "urn:x:More"], "serial": "1", "tags": ["a", "b"],
        "parts": [{ "value": "p", "stamp": "s" }, { "value": "q", "seen": "now" }],
        "urn:x:More": { "code": "1", "note": "n", "made": "m", "fixed": "f" } })
}

fn operation() -> impl Strategy<Value = Operation> {
    let paths = [
        "title",
        "count",
        "tags",
        "tags[value eq \"a\"]",
        "tags eq \"b\"",
        "serial",
        "parts",
        "parts.stamp",
        "parts.seen",
        "parts[value eq \"p\"]",
        "parts[value eq \"p\"].stamp",
        "parts[value eq \"q\"].stamp",
        "parts[stamp pr].value",
        "parts[seen pr].seen",
        "urn:x:More",
        "urn:x:More:code",
        "urn:x:More:note",
        "urn:x:More:made",
        "urn:x:More:fixed",
        "schemas eq \"urn:x:More\"",
    ];
    let texts = || proptest::sample::select(&["1", "f", "p", "q", "s", "x", ""][..]);
    let value = prop_oneof![
        Just(Value::Null),
        texts().prop_map(Value::from),
        Just(json!([])),
        texts().prop_map(|text| json!([text])),
        (texts(), texts()).prop_map(|(value, stamp)| json!({ "value": value, "stamp": stamp })),
        (texts(), texts()).prop_map(|(value, seen)| json!([{ "value": value, "seen": seen }])),
        (texts(), texts()).prop_map(|(code, made)| json!({ "code": code, "made": made })),
        (texts(), texts()).prop_map(|(fixed, note)| json!({ "fixed": fixed, "note": note })),
        (texts(), texts()).prop_map(|(serial, made)| json!({
            "serial": serial, "title": "t", "urn:x:More": { "made": made } })),
    ];
    let path = proptest::option::weighted(0.8, proptest::sample::select(paths.to_vec()));
    (proptest::sample::select(&Kind::ALL[..]), path, proptest::option::weighted(0.95, value))
        .prop_map(|(op, path, value)| Operation { op, path: path.map(str::to_owned), value })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Proves SCIM-056, SCIM-057, SCIM-091, SCIM-338, SCIM-341, SCIM-372.
    #[test]
    fn read_only_immutable_and_required_values_survive(
        list in proptest::collection::vec(operation(), 1..4), strict in any::<bool>()
    ) {
        let rt = things();
        let quirks = if strict { Quirks::NONE } else { Quirks::ALL };
        let before = doc(&start());
        let Ok(result) = apply(&rt, &before, &list, Rules::of(quirks)) else { return Ok(()) };
        let more = &result.doc["urn:x:More"];
        prop_assert_eq!(&result.doc["serial"], "1");
        prop_assert_eq!((&more["made"], &more["fixed"]), (&json!("m"), &json!("f")));
        prop_assert!(more["code"].as_str().is_some_and(|code| !code.is_empty()));
        prop_assert!(result.doc["tags"].as_array().is_some_and(|tags| !tags.is_empty()));
        for part in result.doc.get("parts").and_then(Value::as_array).unwrap_or(&Vec::new()) {
            prop_assert!(part["value"].as_str().is_some_and(|value| !value.is_empty()));
            // Only the element that had it still has it.
            prop_assert!(part.get("seen").is_none_or(|seen| seen == "now"));
        }
        prop_assert_eq!(&result.doc["schemas"], &json!(["urn:x:Thing", "urn:x:More"]));
    }
}
