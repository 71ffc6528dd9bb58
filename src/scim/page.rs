//! Lists of resources as answers (RFC 7644 s3.4.2, RFC 9865 s2).

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::scim::urn;

/// A `ListResponse`: one page of `total` results that begins at `start`, counted from 1.
///
/// `Resources` is there even when it is empty: clients fail on a list that is missing.
pub fn list_response(resources: Vec<Value>, total: i64, start: i64) -> Value {
    list(resources, Some(total), [("startIndex", Some(start.into())), ("", None)])
}

/// Where a page with cursors leads to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ways {
    /// To the page before; none on the first page.
    pub previous: Option<String>,
    /// To the next page; none on the last page.
    pub next: Option<String>,
}

/// A `ListResponse` of a walk with cursors; RFC 9865 s2 lets `totalResults` be left out.
pub fn cursor_response(resources: Vec<Value>, total: Option<i64>, ways: Ways) -> Value {
    let previous = ("previousCursor", ways.previous.map(Value::String));
    list(resources, total, [previous, ("nextCursor", ways.next.map(Value::String))])
}

fn list(resources: Vec<Value>, total: Option<i64>, place: [(&str, Option<Value>); 2]) -> Value {
    let mut list = Map::new();
    list.insert("schemas".to_owned(), json!([urn::LIST]));
    if let Some(total) = total {
        list.insert("totalResults".to_owned(), total.into());
    }
    for (name, value) in place {
        if let Some(value) = value {
            list.insert(name.to_owned(), value);
        }
    }
    list.insert("itemsPerPage".to_owned(), resources.len().into());
    list.insert("Resources".to_owned(), Value::Array(resources));
    Value::Object(list)
}

/// The text of a list without resources up to its first one, for a page of so many; after them
/// follows `]}`.
pub fn open_text(mut list: Value, count: usize) -> String {
    list["itemsPerPage"] = count.into();
    let mut text = list.to_string();
    // `Resources` is the last member.
    text.truncate(text.len() - "]}".len());
    text
}

/// A `ListResponse` of resources that are JSON text already: its first page, which is all of it.
pub fn list_text(resources: &[String]) -> String {
    let room = resources.iter().map(String::len).sum::<usize>() + 256;
    let mut text = String::with_capacity(room);
    let count = resources.len();
    let _ = write!(
        text,
        "{{\"schemas\":[\"{}\"],\"totalResults\":{count},\"startIndex\":1,\"itemsPerPage\":{count},\"Resources\":[",
        urn::LIST
    );
    for (place, resource) in resources.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        text.push_str(resource);
    }
    text.push_str("]}");
    text
}

/// All of a list that has no pages, such as `/Schemas`.
pub fn whole_list(resources: Vec<Value>) -> Value {
    let total = i64::try_from(resources.len()).unwrap_or(i64::MAX);
    list_response(resources, total, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves SCIM-187, SCIM-188, SCIM-189, SCIM-190, SCIM-264, SCIM-265.
    #[test]
    fn a_page_counts_what_it_holds() {
        let page = list_response(vec![json!({ "id": "a" }), json!({ "id": "b" })], 25, 11);
        assert_eq!(
            page.to_string(),
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":25,"startIndex":11,"itemsPerPage":2,"Resources":[{"id":"a"},{"id":"b"}]}"#
        );
    }

    #[test]
    fn a_list_of_texts_is_the_same_list() {
        for resources in [vec![], vec![json!({ "id": "a" })], vec![json!({}), json!({ "id": 1 })]] {
            let texts: Vec<String> = resources.iter().map(Value::to_string).collect();
            assert_eq!(list_text(&texts), whole_list(resources.clone()).to_string());
        }
    }

    /// Proves SCIM-189, SCIM-266.
    #[test]
    fn an_empty_page_has_an_empty_list() {
        let page = list_response(Vec::new(), 3, 9_999);
        assert_eq!(page["Resources"], json!([]));
        assert_eq!(page["itemsPerPage"], 0);
        assert_eq!(whole_list(vec![json!({})])["totalResults"], 1);
    }

    /// Proves SCIM-271, SCIM-272, SCIM-274.
    #[test]
    fn a_page_with_cursors_says_what_it_knows() {
        let next = || Some("n".to_owned());
        let page = cursor_response(vec![], None, Ways { next: next(), previous: None });
        assert_eq!(
            page.to_string(),
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"nextCursor":"n","itemsPerPage":0,"Resources":[]}"#
        );
        let page = cursor_response(vec![], Some(3), Ways { previous: next(), next: None });
        assert_eq!(page["totalResults"], 3);
        assert_eq!(page["previousCursor"], "n");
        assert_eq!(page.get("nextCursor"), None);
    }
}
