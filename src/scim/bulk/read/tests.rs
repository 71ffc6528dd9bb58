use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::*;
use crate::scim::bulk::Method;
use crate::scim::urn;

const LIMITS: Limits = Limits {
    operations: 100,
    payload: 1 << 20,
    value: 1 << 19,
    json: json::Limits { depth: 64, string: 64 * 1024, key: 8 * 1024 },
};

fn pieces(text: &[u8], size: usize, quirks: Quirks) -> Result<Request, Refused> {
    let mut reader = Reader::new(LIMITS, quirks);
    for piece in text.chunks(size.max(1)) {
        reader.push(piece)?;
    }
    reader.finish()
}

fn read(text: &str) -> Result<Request, Refused> {
    pieces(text.as_bytes(), usize::MAX, Quirks::ALL)
}

fn message(operations: &Value) -> Value {
    json!({ "schemas": [urn::BULK_REQUEST], "Operations": operations })
}

fn one(operation: &Value) -> Operation {
    let request = read(&message(&json!([operation])).to_string()).unwrap();
    request.operations.into_iter().next().unwrap()
}

fn sentence(refused: Result<Request, Refused>) -> String {
    match refused {
        Err(Refused::Message(error)) => format!("{} {error}", error.scim_type()),
        other => panic!("{other:?}"),
    }
}

/// The same for a value that may hold itself twice.
fn line(request: &Request) -> Vec<String> {
    request.operations.iter().map(Operation::to_line).collect()
}

/// Proves SCIM-404, SCIM-405, SCIM-414.
#[test]
fn every_message_that_is_none_is_refused_with_its_own_sentence() {
    let table = [
        ("", "invalidSyntax The body is empty"),
        (" \n\u{feff}", "invalidSyntax The body is not valid JSON: expected value at line 2"),
        ("\u{feff} ", "invalidSyntax The body is empty"),
        ("[]", "invalidSyntax The body is a list"),
        ("7", "invalidSyntax The body is a number"),
        ("nul", "invalidSyntax The body is null"),
        ("<x>", "invalidSyntax The body is not valid JSON: expected value at line 1 column 1"),
        ("{", "invalidSyntax The body is not valid JSON: it ends before it is complete"),
        ("{\"Operations\":[{}", "invalidSyntax The body is not valid JSON: it ends"),
        ("{\"Operations\":[{", "invalidSyntax The body is not valid JSON: it ends"),
        ("{\"Operations\":[{},]}", "invalidSyntax The body is not valid JSON: trailing comma"),
        ("{\"Operations\":[],}", "invalidSyntax The body is not valid JSON: trailing comma"),
        (
            "{\"Operations\":[{}{}]}",
            "invalidSyntax The body is not valid JSON: expected `,` or `]`",
        ),
        ("{\"Operations\":[] 1}", "invalidSyntax The body is not valid JSON: expected `,` or `}`"),
        ("{\"Operations\" []}", "invalidSyntax The body is not valid JSON: expected `:`"),
        ("{Operations:[]}", "invalidSyntax The body is not valid JSON: key must be a string"),
        ("{\"Operations\":[]} x", "invalidSyntax The body is not valid JSON: trailing characters"),
        ("{\"Operations\":[,{}]}", "invalidSyntax The body is not valid JSON: expected value"),
        ("{\"Operations\":[{\"a\":tru}]}", "invalidSyntax The body is not valid JSON: expected"),
        (
            "{\n\"Operations\":[\n {\"a\" 1}]}",
            "invalidSyntax The body is not valid JSON: expected `:` at line 3 column 7.",
        ),
        ("{\"a\":[1,}]}", "invalidSyntax The body is not valid JSON"),
        ("{\"a\":\"\\u0000\"}", "invalidValue The value contains the character U+0000"),
        ("{\"a\":1e999}", "invalidValue The number at line 1"),
        ("{\"a\":1,\"A\":1}", "invalidSyntax The member 'A' occurs twice"),
        ("{\"Operations\":[],\"operations\":[]}", "invalidSyntax The member 'operations' occurs"),
        ("{}", "invalidSyntax Operations is missing"),
        ("{\"Operations\":null}", "invalidSyntax Operations is missing"),
        ("{\"Operations\":{}}", "invalidSyntax Operations is an object"),
        ("{\"Operations\":[],\"schemas\":\"x\"}", "invalidSyntax schemas is a string"),
        ("{\"Operations\":[],\"schemas\":[\"x\"]}", "invalidSyntax schemas does not list"),
        ("{\"Operations\":[],\"failOnErrors\":-1}", "invalidSyntax failOnErrors is -1"),
        ("{\"Operations\":[],\"failOnErrors\":1.5}", "invalidSyntax failOnErrors is 1.5"),
        ("{\"Operations\":[],\"failOnErrors\":\"1\"}", "invalidSyntax failOnErrors is a string"),
    ];
    for (text, expected) in table {
        for size in [1, 2, 7, usize::MAX] {
            let said = sentence(pieces(text.as_bytes(), size, Quirks::ALL));
            assert!(said.starts_with(expected), "{text} in pieces of {size}: {said}");
        }
    }
    let said = sentence(pieces(b"{\"Operations\":[{\"a\":\"\n\xff\"}]}", 3, Quirks::ALL));
    assert!(said.contains("not UTF-8 at line 2 column 1"), "{said}");
}

/// Proves SCIM-405, SCIM-414.
#[test]
fn members_stand_in_any_order_and_case_and_others_are_ignored() {
    let text = "\u{feff}{\"x\":[{\"Operations\":[1]}],\"OPERATIONS\":[{\"METHOD\":\"delete\",\
                \"Path\":\"/Users/1\",\"y\":1}],\"failonerrors\":0,\"Schemas\":[]}\r\n";
    let request = read(text).unwrap();
    assert_eq!((request.operations.len(), request.fail_on_errors), (1, None));
    assert_eq!(request.operations[0].method, Some(Method::Delete));
    assert!(request.operations[0].problem.is_none());
    let many = |count: usize| {
        let members: Vec<_> = (0..count).map(|at| format!("\"m{at}\":1")).collect();
        read(&format!("{{\"Operations\":[],{}}}", members.join(",")))
    };
    assert!(many(999).is_ok());
    assert!(sentence(many(1000)).contains("more than 1000 members"));
    let three = read(&json!({ "Operations": [], "failOnErrors": 3 }).to_string()).unwrap();
    assert_eq!(three.fail_on_errors, Some(3));
}

/// Proves SCIM-404.
#[test]
fn the_letter_of_the_rfc_asks_for_schemas() {
    let table = [
        (json!({ "Operations": [] }), false),
        (json!({ "Operations": [], "schemas": [] }), false),
        (json!({ "Operations": [], "schemas": [urn::BULK_REQUEST, "urn:x"] }), false),
        (json!({ "Operations": [], "schemas": [urn::BULK_REQUEST] }), true),
    ];
    for (body, strict) in table {
        let text = body.to_string();
        assert!(read(&text).is_ok(), "{text}");
        assert_eq!(pieces(text.as_bytes(), 9, Quirks::NONE).is_ok(), strict, "{text}");
    }
}

/// Proves SCIM-406, SCIM-407, SCIM-408, SCIM-409.
#[test]
fn an_operation_that_is_wrong_in_itself_is_refused_alone() {
    let data = json!({ "userName": "a" });
    let table = [
        (json!(5), "The operation is a number"),
        (json!([]), "The operation is a list"),
        (json!({ "path": "/Users/1" }), "method: missing"),
        (json!({ "method": 1, "path": "/Users/1" }), "method: this is a number"),
        (json!({ "method": "GET", "path": "/Users/1" }), "method: 'GET' is not possible"),
        (json!({ "method": "DELETE" }), "path: missing"),
        (json!({ "method": "DELETE", "path": " " }), "path: missing"),
        (json!({ "method": "DELETE", "path": ["/Users/1"] }), "path: this is a list"),
        (json!({ "method": "POST", "path": "/Users", "data": data }), "bulkId: missing"),
        (
            json!({ "method": "POST", "path": "/Users", "bulkId": "", "data": data }),
            "bulkId: missing",
        ),
        (
            json!({ "method": "POST", "path": "/Users", "bulkId": 1, "data": data }),
            "bulkId: this is a number",
        ),
        (json!({ "method": "POST", "path": "/Users", "bulkId": "x" }), "data: missing"),
        (json!({ "method": "PUT", "path": "/Users/1", "data": null }), "data: missing"),
        (json!({ "method": "PUT", "path": "/Users/1", "data": [data] }), "data: this is a list"),
        (json!({ "method": "PATCH", "path": "/Users/1", "data": "x" }), "data: this is a string"),
        (json!({ "method": "DELETE", "path": "/Users/1", "version": " " }), "version: empty"),
        (json!({ "method": "PUT", "path": "/Users/1", "version": 1, "data": data }), "version: "),
        (
            json!({ "method": "PUT", "path": "/Users/1", "data": { "a": "\0" } }),
            "'a' contains the character U+0000",
        ),
    ];
    for (operation, expected) in table {
        let read = one(&operation);
        let problem = read.problem.unwrap_or_else(|| panic!("{operation}")).to_string();
        assert!(problem.starts_with(expected), "{operation}: {problem}");
    }
    let text = "{\"Operations\":[\n{\"method\":\"DELETE\",\"path\":\"/Users/1\",\"METHOD\":\"PUT\"},\n\
                {\"method\":\"PUT\",\"path\":\"/Users/1\",\n\"data\":{\"a\":1,\"A\":2}}]}";
    let twice: Vec<_> = read(text)
        .unwrap()
        .operations
        .into_iter()
        .map(|o| o.problem.unwrap().to_string())
        .collect();
    assert!(twice[0].starts_with("METHOD: occurs twice"), "{twice:?}");
    assert!(twice[1].contains("'A' occurs twice") && twice[1].contains("line 4"), "{twice:?}");
}

/// Proves SCIM-407.
#[test]
fn of_two_posts_with_one_bulk_id_the_second_is_refused() {
    let post =
        |name: &str| json!({ "method": "POST", "path": "/Users", "bulkId": name, "data": {} });
    let delete = json!({ "method": "DELETE", "path": "/Users/1", "bulkId": "a" });
    let request = message(&json!([delete, post("a"), post("b"), post("a"), delete]));
    let operations = read(&request.to_string()).unwrap().operations;
    let refused: Vec<_> = operations.iter().map(|operation| operation.problem.is_some()).collect();
    assert_eq!(refused, [false, false, false, true, false]);
    let problem = operations[3].problem.as_deref().unwrap().to_string();
    assert!(problem.starts_with("bulkId: 'a' is the bulkId of an earlier POST"), "{problem}");
}

/// Proves SCIM-409.
#[test]
fn data_is_kept_as_written_without_the_blanks_around_its_parts() {
    let text = "{\"Operations\":[{\"method\":\"put\",\"path\":\"/Users/1\",\"data\" : { \"b\" : 1.10 ,\n \
                \"a\":\"x \\\" y\\u0041\" } },{\"method\":\"PATCH\",\"path\":\"/Users/1\",\
                \"data\":[ {\"op\":\"remove\", \"path\":\"title\"} ]}]}";
    let operations = read(text).unwrap().operations;
    let data = |place: usize| operations[place].data.as_deref().map(RawValue::get).unwrap();
    assert_eq!(data(0), "{\"b\":1.10,\"a\":\"x \\\" y\\u0041\"}");
    assert_eq!(data(1), "{\"Operations\":[{\"op\":\"remove\",\"path\":\"title\"}]}");
    let strict = pieces(text.as_bytes(), 5, Quirks::NONE);
    assert!(strict.is_err(), "no schemas");
}

#[test]
fn what_an_operation_refers_to_is_known() {
    let operation = one(&json!({
        "method": "PATCH", "path": "/Groups/bulkId:g",
        "data": { "Operations": [
            { "op": "add", "path": "members", "value": [{ "value": "bulkId:u" }, { "value": "bulkId:u" }] },
            { "op": "remove", "path": "members[value eq \"bulkId:v\"]" },
        ] },
    }));
    let names: Vec<&str> = operation.references.iter().map(|name| &**name).collect();
    assert_eq!(names, ["g", "u", "v"]);
    let alone = one(&json!({
        "method": "PATCH", "path": "/Groups/1",
        "data": [{ "op": "remove", "path": "members[value eq \"bulkId:v\"]" }],
    }));
    assert_eq!(&*alone.references[0], "v", "the form of erratum 5050");
    let text =
        r#"{"Operations":[{"method":"PUT","path":"/Users/1","data":{"manager":"bulk\u0049d:x"}}]}"#;
    assert_eq!(&*read(text).unwrap().operations[0].references[0], "x");
}

/// Proves SCIM-429, SCIM-430.
#[test]
fn the_limits_end_the_reading_at_once() {
    let mut reader = Reader::new(Limits { operations: 2, ..LIMITS }, Quirks::ALL);
    reader.push(b"{\"Operations\":[{},{}").unwrap();
    reader.push(b" ,\n").unwrap();
    assert_eq!(reader.push(b"{"), Err(Refused::Operations(2)));
    let mut reader = Reader::new(Limits { payload: 10, ..LIMITS }, Quirks::ALL);
    reader.push(b"{\"Operati").unwrap();
    assert_eq!(reader.push(b"on"), Err(Refused::Payload(10)));
    let mut reader = Reader::new(Limits { value: 12, ..LIMITS }, Quirks::ALL);
    reader.push(b"{\"Operations\":[{\"a\":12345}, {\"a\":1234").unwrap();
    assert_eq!(reader.push(b"5678"), Err(Refused::Value(12)));
}

#[test]
fn a_line_is_read_as_it_was_written() {
    let all = json!([
        { "method": "POST", "path": "/Users", "bulkId": "a\"b", "data": { "userName": "ü" } },
        { "method": "PUT", "path": "/Users/bulkId:a", "version": "W/\"1\"", "data": { "manager": "bulkId:b" } },
        { "method": "GET", "path": "/Users/1" },
    ]);
    for operation in read(&message(&all).to_string()).unwrap().operations {
        let line = operation.to_line();
        let again = Operation::from_line(&line).unwrap();
        assert_eq!(again.to_line(), line);
        assert_eq!(again.problem, operation.problem);
        assert_eq!(again.references, operation.references);
    }
}

/// Any JSON value that a body may hold.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~é\\n\"\\\\]{0,12}".prop_map(Value::from),
        Just(json!("bulkId:a")),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("[a-z\"\\\\ {}]{0,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn operation() -> impl Strategy<Value = Value> {
    let data = proptest::collection::hash_map("[a-z]{1,4}", value(), 0..3)
        .prop_map(|map| Value::Object(map.into_iter().collect()));
    prop_oneof![
        4 => data.prop_map(|data| json!({ "method": "PUT", "path": "/Users/1", "data": data })),
        1 => value(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// In pieces of any size, laid out in any way, the data of every operation is what it was.
    #[test]
    fn a_request_in_pieces_is_read_like_a_whole_one(
        operations in proptest::collection::vec(operation(), 0..6),
        other in value(),
        size in 1_usize..40,
        pretty: bool,
    ) {
        let body = json!({ "other": other, "Operations": operations, "after": other });
        let text = if pretty { serde_json::to_string_pretty(&body) } else { serde_json::to_string(&body) };
        let text = text.unwrap();
        let read = pieces(text.as_bytes(), size, Quirks::ALL).unwrap();
        prop_assert_eq!(json::parse(text.as_bytes(), &LIMITS.json).unwrap(), body);
        prop_assert_eq!(read.operations.len(), operations.len());
        for (read, sent) in read.operations.iter().zip(&operations) {
            if sent["method"] == "PUT" {
                prop_assert_eq!(read.value(), Some(sent["data"].clone()));
                prop_assert!(read.problem.is_none());
            } else {
                prop_assert!(read.problem.is_some());
            }
        }
    }

    /// A damaged request is taken only where it is still JSON, however it is cut.
    #[test]
    fn a_damaged_request_is_taken_only_where_it_is_json(
        operations in proptest::collection::vec(operation(), 0..4),
        place: prop::sample::Index,
        byte in prop::sample::select(&b"\"\\{}[]:, \n1ea\xff"[..]),
        cut: bool,
        size in 1_usize..40,
    ) {
        let mut text = json!({ "Operations": operations, "after": [1] }).to_string().into_bytes();
        let place = place.index(text.len());
        if cut { text.remove(place); } else { text[place] = byte; }
        let whole = pieces(&text, usize::MAX, Quirks::ALL);
        let parts = pieces(&text, size, Quirks::ALL);
        let grammatical = serde_json::from_slice::<&RawValue>(&text).is_ok();
        match (&whole, &parts) {
            (Ok(whole), Ok(parts)) => {
                prop_assert_eq!(line(whole), line(parts));
                prop_assert!(grammatical, "{}", String::from_utf8_lossy(&text));
            }
            (Err(whole), Err(parts)) => {
                prop_assert_eq!(whole, parts);
                let strict = json::parse(&text, &LIMITS.json);
                let listed = strict.is_ok_and(|body| body["Operations"].is_array());
                prop_assert!(!listed, "{}: {whole:?}", String::from_utf8_lossy(&text));
            }
            other => prop_assert!(false, "{}: {other:?}", String::from_utf8_lossy(&text)),
        }
    }
}
