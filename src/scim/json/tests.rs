use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Result<Value, Error> {
    parse(text.as_bytes(), &Limits::default())
}

fn scim_type(text: &str) -> &'static str {
    read(text).err().map_or("ok", |error| error.scim_type())
}

/// Proves SCIM-035, SCIM-174, SCIM-472.
#[test]
fn what_could_be_understood_differently_is_refused() {
    let table = [
        ("", "invalidSyntax"),
        ("  \n", "invalidSyntax"),
        ("{", "invalidSyntax"),
        ("{} {}", "invalidSyntax"),
        ("{\"a\":1,}", "invalidSyntax"),
        ("{'a':1}", "invalidSyntax"),
        (r#"{"a":NaN}"#, "invalidSyntax"),
        (r#"{"userName":"a","username":"b"}"#, "invalidSyntax"),
        (r#"{"a":1,"a":1}"#, "invalidSyntax"),
        (r#"{"a":{"b":1,"B":1}}"#, "invalidSyntax"),
        (r#"{"a":"\u0000"}"#, "invalidValue"),
        (r#"{"a\u0000":"x"}"#, "invalidValue"),
        (r#"{"a":"\ud800"}"#, "invalidSyntax"),
        (r#"{"a":9223372036854775807}"#, "ok"),
        (r#"{"a":9223372036854775808}"#, "invalidValue"),
        (r#"{"a":-9223372036854775808}"#, "ok"),
        (r#"{"a":-9223372036854775809}"#, "invalidValue"),
        (r#"{"a":99999999999999999999999}"#, "invalidValue"),
        (r#"{"a":1e999}"#, "invalidValue"),
        (r#"{"a":0.10}"#, "ok"),
        ("\u{feff}{}", "ok"),
    ];
    for (text, expected) in table {
        assert_eq!(scim_type(text), expected, "{text}");
    }
}

#[test]
fn a_member_is_found_twice_however_many_there_are() {
    for count in [1, 2, 15, 16, 17, 40] {
        let members: Vec<_> = (0..count).map(|at| format!("\"m{at}\":{at}")).collect();
        let members = members.join(",");
        assert_eq!(scim_type(&format!("{{{members}}}")), "ok", "{count}");
        for at in [0, count - 1] {
            let text = format!("{{{members},\"M{at}\":0,\"x\":1}}");
            assert_eq!(scim_type(&text), "invalidSyntax", "{text}");
        }
    }
}

#[test]
fn bytes_that_are_not_utf8_are_refused_with_their_place() {
    let error = parse(b"{\n\"a\":\"\xff\"}", &Limits::default()).unwrap_err();
    assert_eq!(error.scim_type(), "invalidSyntax");
    assert!(error.to_string().contains("line 2 column 6"), "{error}");
}

#[test]
fn deep_nesting_is_a_clean_error() {
    for opening in ["[", "{\"a\":"] {
        assert_eq!(scim_type(&opening.repeat(10_000)), "invalidSyntax");
    }
    assert_eq!(scim_type(&format!("{}{}", "[".repeat(64), "]".repeat(64))), "ok");
    assert_eq!(scim_type(&format!("{}{}", "[".repeat(65), "]".repeat(65))), "invalidSyntax");
}

#[test]
fn a_string_beyond_the_limit_is_refused_and_its_member_named() {
    let text = |size: usize| format!(r#"{{"emails":[{{"display":"{}"}}]}}"#, "x".repeat(size));
    assert!(read(&text(64 * 1024)).is_ok());
    let error = read(&text(64 * 1024 + 1)).unwrap_err();
    assert_eq!(error.scim_type(), "invalidValue");
    assert!(error.to_string().contains("'display' is 65537 bytes long"), "{error}");
}

#[test]
fn errors_say_where_they_are() {
    let error = read("{\n  \"a\": 1,\n  \"A\": 2\n}").unwrap_err();
    assert!(error.to_string().contains("line 3"), "{error}");
    let error = read("{\n  \"a\" 1}").unwrap_err();
    assert!(error.to_string().contains("line 2 column"), "{error}");
}

/// Proves SCIM-174.
#[test]
fn a_body_is_an_object() {
    assert!(object(serde_json::json!({})).is_ok());
    for value in [serde_json::json!([]), Value::Null, serde_json::json!("x")] {
        assert_eq!(object(value).unwrap_err().scim_type(), "invalidSyntax");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes, &Limits::default());
    }

    #[test]
    fn what_it_accepts_is_what_serde_reads(text in r#"[\[\]{}:,"a0-9.eE+ -]{0,40}"#) {
        if let Ok(value) = read(&text) {
            prop_assert_eq!(value, serde_json::from_str::<Value>(&text).unwrap());
        }
    }
}
