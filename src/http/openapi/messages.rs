//! JSON Schema of the messages that are no resources (RFC 7644 s8.2, RFC 7643 s5 to s7).

use serde_json::{Value, json};

use crate::scim::urn;

mod admin;
mod bulk;
mod mail;
mod sessions;

/// A list of one resource type.
pub fn list(name: &str) -> Value {
    list_of(&reference(name))
}

/// A list of any of these resource types.
pub fn list_of_any<'a>(names: impl Iterator<Item = &'a str>) -> Value {
    list_of(&json!({ "anyOf": names.map(reference).collect::<Vec<_>>() }))
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The messages that are the same whatever is served.
pub fn fixed() -> Vec<(&'static str, Value)> {
    let mut all = scim();
    all.extend(admin::all());
    all.extend(mail::all());
    all.extend(sessions::all());
    all
}

fn scim() -> Vec<(&'static str, Value)> {
    vec![
        ("PatchOp", patch()),
        ("SearchRequest", search()),
        ("BulkRequest", bulk::request()),
        ("BulkResponse", bulk::response()),
        ("BulkResult", bulk::result()),
        ("BulkStatus", bulk::status()),
        ("Error", error()),
        ("Schema", schema()),
        ("SchemaList", list("Schema")),
        ("Attribute", attribute()),
        ("ResourceType", resource_type()),
        ("ResourceTypeList", list("ResourceType")),
        ("ServiceProviderConfig", config()),
        (
            "Health",
            json!({
                "type": "object",
                "required": ["status"],
                "properties": {
                    "status": { "type": "string", "enum": ["ok", "ready", "leaving", "unavailable"] },
                },
            }),
        ),
    ]
}

fn schemas_of(message: &str) -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "examples": [[message]] })
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn texts(description: &str) -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "description": description })
}

fn list_of(item: &Value) -> Value {
    json!({
        "type": "object",
        "description": "One page of a query's results.",
        "required": ["schemas"],
        "properties": {
            "schemas": schemas_of(urn::LIST),
            "totalResults": {
                "type": "integer",
                "description":
                    "Matches over all pages; left out with cursors where counting would need a scan.",
            },
            "startIndex": {
                "type": "integer",
                "description": "Position of the first result here; none with cursors.",
            },
            "nextCursor": cursor("The cursor of the next page; none on the last page."),
            "previousCursor": cursor("The cursor of the page before; none on the first page."),
            "itemsPerPage": { "type": "integer", "description": "How many results are here." },
            "Resources": { "type": "array", "items": item },
        },
    })
}

/// RFC 9865 s2: unreserved characters alone.
fn cursor(description: &str) -> Value {
    json!({ "type": "string", "pattern": "^[A-Za-z0-9._~-]+$", "description": description })
}

fn patch() -> Value {
    json!({
        "type": "object",
        "description": "Changes to one resource, done in order, all or none.",
        "required": ["Operations"],
        "properties": {
            "schemas": schemas_of(urn::PATCH),
            "Operations": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["op"],
                    "properties": {
                        "op": {
                            "type": "string",
                            "description": "What to do.",
                            "examples": ["add", "remove", "replace"],
                        },
                        "path": text("What to do it to, such as emails[type eq \"work\"].value."),
                        "value": { "description": "What to add or to put in its place." },
                    },
                },
            },
        },
    })
}

fn search() -> Value {
    json!({
        "type": "object",
        "description": "A query in a body, so that nothing of it stands in the URL.",
        "required": ["schemas"],
        "properties": {
            "schemas": schemas_of(urn::SEARCH),
            "filter": text("A filter, as in the parameter of the same name."),
            "sortBy": text("The attribute to sort by."),
            "sortOrder": { "type": "string", "examples": ["ascending", "descending"] },
            "startIndex": { "type": "integer", "description": "Position of the first result." },
            "cursor": text("Where to go on; empty for the first page. Instead of startIndex."),
            "count": { "type": "integer", "description": "How many results at most." },
            "attributes": texts("The attributes to answer."),
            "excludedAttributes": texts("The attributes to leave out."),
        },
    })
}

fn error() -> Value {
    json!({
        "type": "object",
        "description": "Why a request was refused.",
        "required": ["schemas", "status"],
        "properties": {
            "schemas": {
                "type": "array",
                "items": { "type": "string" },
                "contains": { "const": urn::ERROR },
            },
            "status": { "type": "string", "pattern": "^[1-5][0-9][0-9]$", "description": "The HTTP status." },
            "scimType": {
                "type": "string",
                "description": "The kind of a bad request.",
                "enum": [
                    "invalidFilter", "tooMany", "uniqueness", "mutability", "invalidSyntax",
                    "invalidPath", "noTarget", "invalidValue", "invalidVers", "sensitive",
                    "invalidCursor", "expiredCursor", "invalidCount",
                ],
            },
            "detail": text("What was wrong and what would be right."),
            urn::ERROR_DETAIL: exhausted(),
        },
    })
}

fn exhausted() -> Value {
    let number = |what: &str| json!({ "type": "integer", "description": what });
    json!({
        "type": "object",
        "description": "No seat was free: how full the pool is.",
        "required": [
            "code", "pool", "total", "allowance", "used", "consumed", "reserved", "requested",
            "retryable", "retryWhen", "requestId",
        ],
        "properties": {
            "code": { "const": "seatLimitExceeded" },
            "pool": text("The value of the pool."),
            "total": number("Its seats."),
            "allowance": number("Seats beyond them that may be taken."),
            "used": number("Seats that are taken."),
            "consumed": number("By people who can sign in."),
            "reserved": number("By people who cannot yet."),
            "requested": number("Seats that were asked for."),
            "retryable": { "type": "boolean" },
            "retryWhen": { "const": "seatFreed" },
            "requestId": text("The request."),
        },
        "additionalProperties": false,
    })
}

fn meta() -> Value {
    json!({
        "type": "object",
        "required": ["resourceType", "location"],
        "properties": { "resourceType": { "type": "string" }, "location": { "type": "string" } },
    })
}

fn schema() -> Value {
    json!({
        "type": "object",
        "description": "The attributes of a resource type or of an extension.",
        "required": ["schemas", "id", "name", "description", "attributes", "meta"],
        "properties": {
            "schemas": schemas_of(urn::SCHEMA),
            "id": text("The schema's URN."),
            "name": text("A short name."),
            "description": text("What it is."),
            "attributes": { "type": "array", "items": reference("Attribute") },
            "meta": meta(),
        },
    })
}

/// RFC 7643 s7; `decimal` and `binary` are in its section 2.3.
fn attribute() -> Value {
    let one_of = |values: &[&str]| json!({ "type": "string", "enum": values });
    let flag = |description: &str| json!({ "type": "boolean", "description": description });
    json!({
        "type": "object",
        "description": "An attribute and its characteristics.",
        "required": [
            "name", "type", "multiValued", "description", "required", "caseExact", "mutability",
            "returned", "uniqueness",
        ],
        "properties": {
            "name": text("Its name."),
            "type": one_of(&[
                "string", "boolean", "decimal", "integer", "dateTime", "binary", "reference",
                "complex",
            ]),
            "multiValued": flag("Whether it holds a list."),
            "description": text("What it means."),
            "required": flag("Whether it must have a value."),
            "canonicalValues": texts("Suggested values."),
            "caseExact": flag("Whether case matters when values are compared."),
            "mutability": one_of(&["readOnly", "readWrite", "immutable", "writeOnly"]),
            "returned": one_of(&["always", "never", "default", "request"]),
            "uniqueness": one_of(&["none", "server", "global"]),
            "referenceTypes": texts("What a reference may point to."),
            "subAttributes": { "type": "array", "items": reference("Attribute") },
        },
    })
}

fn resource_type() -> Value {
    json!({
        "type": "object",
        "description": "A kind of resource and where it is served.",
        "required": ["schemas", "id", "name", "endpoint", "schema", "meta"],
        "properties": {
            "schemas": schemas_of(urn::RESOURCE_TYPE),
            "id": text("Its name."),
            "name": text("Its name."),
            "description": text("What it is."),
            "endpoint": text("Where it is served, below the base URL."),
            "schema": text("The URN of its schema."),
            "schemaExtensions": { "type": "array", "items": {
                "type": "object",
                "required": ["schema", "required"],
                "properties": { "schema": { "type": "string" }, "required": { "type": "boolean" } },
            } },
            "meta": meta(),
        },
    })
}

fn config() -> Value {
    let supported = |more: &[(&str, &str)]| {
        let mut schema = json!({
            "type": "object",
            "required": ["supported"],
            "properties": { "supported": { "type": "boolean" } },
        });
        for (name, kind) in more {
            schema["properties"][*name] = json!({ "type": kind });
        }
        schema
    };
    json!({
        "type": "object",
        "description": "What the server supports.",
        "required": [
            "schemas", "patch", "bulk", "filter", "changePassword", "sort", "etag",
            "authenticationSchemes",
        ],
        "properties": {
            "schemas": schemas_of(urn::CONFIG),
            "documentationUri": text("A page for people."),
            "patch": supported(&[]),
            "bulk": supported(&[("maxOperations", "integer"), ("maxPayloadSize", "integer")]),
            "filter": supported(&[("maxResults", "integer")]),
            "changePassword": supported(&[]),
            "sort": supported(&[]),
            "etag": supported(&[]),
            "pagination": pagination(),
            "RolesAndEntitlements": {
                "type": "object",
                "description": "What is published of roles and entitlements.",
                "properties": {
                    "roles": supported(&[
                        ("multipleRolesSupported", "boolean"),
                        ("primarySupported", "boolean"),
                        ("typeSupported", "boolean"),
                    ]),
                    "entitlements": supported(&[
                        ("multipleEntitlementsSupported", "boolean"),
                        ("primarySupported", "boolean"),
                        ("typeSupported", "boolean"),
                    ]),
                },
            },
            "authenticationSchemes": { "type": "array", "items": {
                "type": "object",
                "required": ["type", "name", "description"],
            } },
            "meta": meta(),
        },
    })
}

/// RFC 9865 s4.
fn pagination() -> Value {
    json!({
        "type": "object",
        "description": "How lists are paged.",
        "required": ["cursor", "index"],
        "properties": {
            "cursor": { "type": "boolean" },
            "index": { "type": "boolean" },
            "defaultPaginationMethod": { "type": "string", "enum": ["index", "cursor"] },
            "defaultPageSize": { "type": "integer" },
            "maxPageSize": { "type": "integer" },
            "cursorTimeout": { "type": "integer", "description": "Seconds for which a cursor is good." },
        },
    })
}
