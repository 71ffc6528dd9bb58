use serde_json::json;

use super::*;
use crate::scim::bulk::Method;
use crate::scim::urn;

fn shown(operation: &Operation, outcome: &Outcome<'_>) -> String {
    result(operation, outcome)
}

/// Proves SCIM-416, SCIM-417, SCIM-418, SCIM-419, SCIM-420, SCIM-421.
#[test]
fn a_result_says_what_the_rfc_asks_for_and_no_more() {
    let post = Operation {
        method: Some(Method::Post),
        bulk_id: Some("a\"b".into()),
        ..Operation::default()
    };
    let location = Some("https://x/scim/v2/Users/1");
    let created = Outcome { status: 201, location, version: Some("W/\"1\""), response: None };
    assert_eq!(
        shown(&post, &created),
        r#"{"method":"POST","bulkId":"a\"b","location":"https://x/scim/v2/Users/1","version":"W/\"1\"","status":"201"}"#
    );
    let error = json!({ "schemas": [urn::ERROR], "status": "409" });
    let failed = Outcome { status: 409, location: None, version: None, response: Some(&error) };
    assert_eq!(
        shown(&post, &failed),
        format!(r#"{{"method":"POST","bulkId":"a\"b","status":"409","response":{error}}}"#)
    );
    let delete = Operation { method: Some(Method::Delete), ..Operation::default() };
    let gone = Outcome { status: 204, location, version: None, response: None };
    assert_eq!(
        shown(&delete, &gone),
        r#"{"method":"DELETE","location":"https://x/scim/v2/Users/1","status":"204"}"#
    );
    let unknown = Outcome { status: 400, location: None, version: None, response: Some(&error) };
    assert!(!shown(&Operation::default(), &unknown).contains("method"));
}

/// Proves SCIM-404.
#[test]
fn head_and_tail_make_the_message() {
    let message: Value = serde_json::from_str(&format!("{HEAD}{{}},{{}}{TAIL}")).unwrap();
    assert_eq!(message, json!({ "schemas": [urn::BULK_RESPONSE], "Operations": [{}, {}] }));
}
