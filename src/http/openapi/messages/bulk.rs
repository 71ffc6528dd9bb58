//! JSON Schema of the messages of Bulk (RFC 7644 s3.7).

use serde_json::{Value, json};

use super::{reference, schemas_of, text};
use crate::scim::urn;

fn count(description: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": description })
}

fn method() -> Value {
    json!({ "type": "string", "enum": ["POST", "PUT", "PATCH", "DELETE"] })
}

pub(super) fn request() -> Value {
    json!({
        "type": "object",
        "description": "Many operations, each answered by itself.",
        "required": ["Operations"],
        "properties": {
            "schemas": schemas_of(urn::BULK_REQUEST),
            "failOnErrors": count("After how many failed operations the rest is left; 0 is never."),
            "Operations": { "type": "array", "items": {
                "type": "object",
                "required": ["method", "path"],
                "properties": {
                    "method": method(),
                    "path": text("/Users to create, else /Users/…, or /Users/bulkId:… for one of this request."),
                    "bulkId": text("A name of its own for what a POST makes; bulkId:… refers to it."),
                    "version": text("The version that may be changed, as in If-Match."),
                    "data": {
                        "type": "object",
                        "description": "The body that a single request would have.",
                    },
                },
            } },
        },
    })
}

pub(super) fn response() -> Value {
    json!({
        "type": "object",
        "description": "What became of each operation that was processed, in the order of the request.",
        "required": ["schemas", "Operations"],
        "additionalProperties": false,
        "properties": {
            "schemas": schemas_of(urn::BULK_RESPONSE),
            "Operations": { "type": "array", "items": reference("BulkResult") },
        },
    })
}

pub(super) fn result() -> Value {
    json!({
        "type": "object",
        "description": "What became of one operation.",
        "required": ["status"],
        "additionalProperties": false,
        "properties": {
            "method": method(),
            "bulkId": text("As in the request."),
            "location": text("The resource's URI."),
            "version": text("The resource's version."),
            "status": {
                "type": "string",
                "pattern": "^[1-5][0-9][0-9]$",
                "description": "The status that a single request would have had.",
            },
            "response": reference("Error"),
        },
    })
}

pub(super) fn status() -> Value {
    json!({
        "type": "object",
        "description": "How far a bulk request is that was accepted for later.",
        "required": ["schemas", "id", "status", "total", "done", "failed", "created"],
        "additionalProperties": false,
        "properties": {
            "schemas": schemas_of(urn::BULK_STATUS),
            "id": text("What Set-Txn said."),
            "status": { "type": "string", "enum": ["waiting", "running", "done", "stopped"] },
            "total": count("Its operations."),
            "done": count("Operations that were processed, the failed ones too."),
            "failed": count("Operations that failed."),
            "created": { "type": "string", "format": "date-time", "description": "When it was accepted." },
            "finished": { "type": "string", "format": "date-time", "description": "When it ended." },
            "Operations": {
                "type": "array",
                "description": "Once it has ended: the results, as in a BulkResponse.",
                "items": reference("BulkResult"),
            },
        },
    })
}
