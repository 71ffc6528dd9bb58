//! What an operation came to, as the answer shows it (RFC 7644 s3.7.3).

use serde::Serialize;
use serde_json::Value;

use super::Operation;

/// What an operation came to.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'a> {
    /// The status that a single request would have had.
    pub status: u16,
    /// The address of the resource; none only when a POST failed or nobody knows what was meant.
    pub location: Option<&'a str>,
    /// The version of the resource after a write (its `ETag`).
    pub version: Option<&'a str>,
    /// The error's body where it failed; none for a success.
    pub response: Option<&'a Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bulk_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    /// A text: RFC 7644 erratum 7916; the object of s3.7.2 is left over from SCIM 1.1.
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<&'a Value>,
}

/// The result of one operation as compact JSON; it goes into the answer byte for byte.
pub fn result(operation: &Operation, outcome: &Outcome<'_>) -> String {
    let status = outcome.status.to_string();
    let shown = Shown {
        method: operation.method.map(super::Method::as_str),
        bulk_id: operation.bulk_id.as_deref(),
        location: outcome.location,
        version: outcome.version,
        status: &status,
        response: outcome.response,
    };
    // Nothing in it can fail to be written.
    serde_json::to_string(&shown).unwrap_or_default()
}

/// What stands before the results, which are joined with commas.
pub const HEAD: &str =
    r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkResponse"],"Operations":["#;

/// What stands after the results.
pub const TAIL: &str = "]}";

#[cfg(test)]
mod tests;
