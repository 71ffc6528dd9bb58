//! One operation of the document from one route.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::http::admin::Admin;
use crate::http::openapi::security;
use crate::http::pages::Page;
use crate::http::routes::{Access, Action, Message, Place, Route};

const SCIM_JSON: &str = "application/scim+json";
const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

/// The operation object.
pub fn of(route: &Route) -> Value {
    let mut operation = json!({
        "operationId": route.operation(),
        "tags": [tag(route)],
        "summary": route.summary(),
    });
    if let Access::Scope(scope) = route.access() {
        operation["description"] = format!("Needs the scope `{scope}`.").into();
        operation["x-scope"] = scope.name().into();
    }
    if let Some(security) = security(route.access()) {
        operation["security"] = security;
    }
    let parameters = parameters(route);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Message::Form(fields) = route.row.request {
        operation["requestBody"] = json!({
            "required": true,
            "content": { "application/x-www-form-urlencoded": { "schema": form(fields) } },
        });
    }
    if let Some(schema) = schema(route.row.request, route) {
        operation["requestBody"] = json!({
            "required": true,
            "content": match route.row.request {
                Message::Json(_) => json!({ JSON: { "schema": schema } }),
                _ => json!({ SCIM_JSON: { "schema": schema }, JSON: { "schema": schema } }),
            },
        });
    }
    operation["responses"] = Value::Object(responses(route));
    operation
}

fn tag(route: &Route) -> &str {
    match (&route.kind, route.row.action, route.row.place) {
        (Some(kind), _, _) => &kind.name,
        (None, Action::ListAll | Action::SearchAll | Action::Me, _) => "Query",
        (None, Action::Bulk | Action::BulkJob | Action::StopBulk, _) => "Bulk",
        (None, Action::Admin(_), _) => "Administration",
        (None, Action::Auth(_), _) => "Sessions",
        (None, Action::Page(_), _) => "People",
        (None, _, Place::Server) => "Operations",
        (None, _, Place::Scim | Place::Type) => "Discovery",
    }
}

fn schema(message: Message, route: &Route) -> Option<Value> {
    let kind = route.kind.as_ref().map(|kind| kind.name.as_str());
    let name = match (message, kind) {
        (
            Message::Nothing
            | Message::Text
            | Message::Yaml
            | Message::Html
            | Message::Form(_)
            | Message::Onward
            | Message::Asset,
            _,
        ) => return None,
        (Message::Input, Some(kind)) => format!("{kind}Input"),
        (Message::Resource, Some(kind)) => kind.to_owned(),
        (Message::List, Some(kind)) => format!("{kind}List"),
        // Whatever resource the credential would stand for.
        (Message::Input | Message::Resource, None) => return Some(json!({ "type": "object" })),
        (Message::List, None) | (Message::AnyList, _) => "ListResponse".to_owned(),
        (Message::Patch, _) => "PatchOp".to_owned(),
        (Message::Search, _) => "SearchRequest".to_owned(),
        (Message::Schema, _) => "Schema".to_owned(),
        (Message::Schemas, _) => "SchemaList".to_owned(),
        (Message::Types, _) => "ResourceTypeList".to_owned(),
        (Message::Type, _) => "ResourceType".to_owned(),
        (Message::Config, _) => "ServiceProviderConfig".to_owned(),
        (Message::Bulk, _) => "BulkRequest".to_owned(),
        (Message::BulkResults, _) => "BulkResponse".to_owned(),
        (Message::BulkJob, _) => "BulkStatus".to_owned(),
        (Message::Health, _) => "Health".to_owned(),
        (Message::Json(name), _) => name.to_owned(),
    };
    Some(json!({ "$ref": format!("#/components/schemas/{name}") }))
}

/// A form of these fields, all of them text.
fn form(fields: &str) -> Value {
    let names = || fields.split(',');
    let text = |name: &str| (name.to_owned(), json!({ "type": "string" }));
    json!({
        "type": "object",
        "required": names().collect::<Vec<_>>(),
        "properties": names().map(text).collect::<Map<_, _>>(),
    })
}

fn responses(route: &Route) -> Map<String, Value> {
    let mut responses = Map::new();
    let (status, message) = route.row.answer;
    let content = match route.row.action {
        Action::Admin(_) | Action::Auth(_) => {
            json!({ PROBLEM: { "schema": { "$ref": "#/components/schemas/Problem" } } })
        }
        Action::Page(_) => json!({ "text/html": { "schema": { "type": "string" } } }),
        _ => json!({ SCIM_JSON: { "schema": { "$ref": "#/components/schemas/Error" } } }),
    };
    let error = json!({ "description": "Refused or failed.", "content": content });
    if status < 400 {
        responses.insert(status.to_string(), success(status, message, route));
    } else {
        let mut refusal = error.clone();
        refusal["description"] = "Not supported.".into();
        responses.insert(status.to_string(), refusal);
    }
    more_responses(route, &mut responses);
    responses.insert("default".to_owned(), error);
    responses
}

/// What single actions answer beside their success and their errors.
fn more_responses(route: &Route, responses: &mut Map<String, Value>) {
    match route.row.action {
        Action::Create => {
            responses["201"]["description"] =
                "Created; without a body where the client prefers return=minimal, its token may not read, or the database was too busy to read it again.".into();
        }
        Action::Read => {
            responses.insert("304".to_owned(), empty("The client has this version already."));
        }
        Action::Replace | Action::Patch => {
            responses.insert("204".to_owned(), empty("Done; the resource is not repeated."));
        }
        Action::Ready => {
            let mut unavailable = success(503, route.row.answer.1, route);
            unavailable["description"] =
                "The server was told to stop, or the database does not answer.".into();
            responses.insert("503".to_owned(), unavailable);
        }
        Action::Bulk => {
            let mut accepted = empty("Accepted for later, as the client prefers.");
            accepted["headers"] = texts(&[
                ("Set-Txn", "The id of the job."),
                ("Location", "Where its state can be read."),
                ("Preference-Applied", "respond-async."),
            ]);
            responses.insert("202".to_owned(), accepted);
        }
        Action::BulkJob => {
            responses["200"]["headers"] = texts(&[(
                "Retry-After",
                "Seconds after which to ask again; while it is not done.",
            )]);
        }
        Action::Page(Page::Accounts | Page::SignedIn) => {
            responses.insert("303".to_owned(), onward("Nobody is signed in."));
        }
        Action::Page(Page::SignIn) => {
            let mut page = success(200, Message::Html, route);
            page["description"] = "The password must be changed first.".into();
            responses.insert("200".to_owned(), page);
        }
        Action::List
        | Action::Search
        | Action::Delete
        | Action::ListAll
        | Action::SearchAll
        | Action::Schemas
        | Action::Schema
        | Action::Types
        | Action::Type
        | Action::Config
        | Action::Me
        | Action::StopBulk
        | Action::Alive
        | Action::Metrics
        | Action::Contract
        | Action::Docs
        | Action::Auth(_)
        | Action::Admin(_)
        | Action::Page(_) => {}
    }
}

fn success(status: u16, message: Message, route: &Route) -> Value {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let mut response = empty(reason.unwrap_or("Done"));
    let content = match message {
        Message::Nothing | Message::Form(_) => return response,
        Message::Onward => return onward("Done; go on there."),
        Message::Asset => {
            ["text/css", "text/javascript", "image/svg+xml", "image/png", "image/jpeg"]
                .map(|kind| (kind.to_owned(), json!({ "schema": { "type": "string" } })))
                .into_iter()
                .collect::<Map<_, _>>()
                .into()
        }
        Message::Text => {
            json!({ "application/openmetrics-text": { "schema": { "type": "string" } } })
        }
        Message::Yaml => json!({ "application/yaml": { "schema": { "type": "string" } } }),
        Message::Html => json!({ "text/html": { "schema": { "type": "string" } } }),
        Message::Health | Message::Json(_) => {
            json!({ JSON: { "schema": schema(message, route) } })
        }
        Message::Input
        | Message::Resource
        | Message::List
        | Message::AnyList
        | Message::Patch
        | Message::Search
        | Message::Schema
        | Message::Schemas
        | Message::Type
        | Message::Types
        | Message::Config
        | Message::Bulk
        | Message::BulkResults
        | Message::BulkJob => json!({ SCIM_JSON: { "schema": schema(message, route) } }),
    };
    if message == Message::Resource {
        response["headers"] =
            texts(&[("ETag", "The resource's version."), ("Location", "The resource's URI.")]);
    }
    response["content"] = content;
    response
}

fn onward(description: &str) -> Value {
    let mut response = empty(description);
    response["headers"] = texts(&[("Location", "The path of a page.")]);
    response
}

/// Headers that are text.
fn texts(headers: &[(&str, &str)]) -> Value {
    let text =
        |description: &str| json!({ "description": description, "schema": { "type": "string" } });
    headers.iter().map(|(name, description)| ((*name).to_owned(), text(description))).collect()
}

fn empty(description: &str) -> Value {
    json!({ "description": description })
}

fn parameters(route: &Route) -> Vec<Value> {
    let shown = [
        query("attributes", "string", "The attributes to answer, joined with commas."),
        query("excludedAttributes", "string", "The attributes to leave out, joined with commas."),
    ];
    let mut parameters: Vec<_> = route.path.split('/').filter_map(in_path).collect();
    match route.row.action {
        Action::List | Action::ListAll => {
            parameters.extend(of_lists());
            parameters.extend(shown);
        }
        Action::Create => {
            parameters.extend(shown);
            parameters.push(header("Prefer", "return=minimal or return=representation."));
        }
        Action::Read => {
            parameters.extend(shown);
            parameters.push(header("If-None-Match", "The version that the client has."));
        }
        Action::Replace | Action::Patch => {
            parameters.extend(shown);
            parameters.push(header("If-Match", "The version that may be changed."));
            parameters.push(header("Prefer", "return=minimal or return=representation."));
        }
        Action::Delete => parameters.push(header("If-Match", "The version that may be deleted.")),
        Action::Bulk => parameters.extend([
            header(
                "Idempotency-Key",
                "A text that makes a repeated request the same request; for 24 hours.",
            ),
            header(
                "Prefer",
                "respond-async, with wait=SECONDS, to be answered before it is done; ignored when the word password occurs in the data of an operation.",
            ),
        ]),
        Action::Admin(admin) => parameters.extend(of_administrators(admin)),
        Action::Search
        | Action::SearchAll
        | Action::Schemas
        | Action::Schema
        | Action::Types
        | Action::Type
        | Action::Config
        | Action::Me
        | Action::BulkJob
        | Action::StopBulk
        | Action::Alive
        | Action::Ready
        | Action::Metrics
        | Action::Contract
        | Action::Auth(_)
        | Action::Docs
        | Action::Page(_) => {}
    }
    parameters
}

fn of_lists() -> Vec<Value> {
    vec![
        query("filter", "string", "Which resources (RFC 7644 s3.4.2.2)."),
        query("sortBy", "string", "The attribute to sort by."),
        query("sortOrder", "string", "ascending or descending."),
        query("startIndex", "integer", "Position of the first result, from 1."),
        query("cursor", "string", "Where to go on; empty for the first page."),
        query("count", "integer", "How many results at most."),
    ]
}

fn of_administrators(admin: Admin) -> Vec<Value> {
    if admin == Admin::Accounts {
        return of_lists();
    }
    if admin == Admin::EndAccount {
        return vec![query("force", "boolean", "Whether to end its memberships, too.")];
    }
    if admin == Admin::Mails {
        return vec![
            query("after", "integer", "Behind the mail of this number."),
            query("limit", "integer", "How many mails at most."),
            query("user", "string", "Mails for or about the user of this id."),
            query("kind", "string", "Mails of this kind, invitation for one."),
            query("state", "string", "Mails in this state, bounced for one."),
        ];
    }
    if !matches!(admin, Admin::Events | Admin::Log) {
        return Vec::new();
    }
    vec![
        query("after", "integer", "Behind the line of this number."),
        query("limit", "integer", "How many lines at most."),
        query("name", "string", "Lines of this name, seat.denied for one."),
        query("resource", "string", "Lines about the resource of this id."),
        query("request", "string", "Lines of this request."),
    ]
}

/// The parameter that a segment of a path stands for.
fn in_path(segment: &str) -> Option<Value> {
    let name = segment.strip_prefix('{')?.strip_suffix('}')?;
    let description = match name {
        "urn" => "The URN of the schema.",
        "name" => "The name of the resource type.",
        "value" => "The value that names it.",
        "group" => "The id of the group.",
        "user" => "The id of the user.",
        "account" => "The id or the accountNumber of the account.",
        "template" => "The name of the template.",
        "locale" => "The language, such as en or es-MX.",
        "tenant" => "The name of the tenant.",
        "token" => "The secret of the link.",
        "file" => "The name of the file.",
        "hash" => "The beginning of the SHA-256 of the logo.",
        "transaction" => "The id of the job: what Set-Txn said.",
        _ => "The resource's id.",
    };
    Some(json!({
        "name": name, "in": "path", "required": true, "description": description,
        "schema": { "type": "string" },
    }))
}

fn query(name: &str, kind: &str, description: &str) -> Value {
    json!({
        "name": name, "in": "query", "description": description, "schema": { "type": kind },
    })
}

fn header(name: &str, description: &str) -> Value {
    json!({
        "name": name, "in": "header", "description": description, "schema": { "type": "string" },
    })
}
