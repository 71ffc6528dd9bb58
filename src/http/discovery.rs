//! `/Schemas`, `/ResourceTypes` and `/ServiceProviderConfig` (RFC 7644 s4).

use axum::response::Response;
use http::StatusCode;
use serde_json::Value;

use crate::app::Error;
use crate::domain::tenant::{Shown, TenantSettings};
use crate::http::call::Call;
use crate::http::scim_json;
use crate::scim::config::{self, Limits};
use crate::scim::page;
use crate::scim::resource_type::ResourceType;
use crate::scim::urn;

/// `GET /Schemas`
pub fn schemas(call: &Call) -> Result<Response, Error> {
    refuse_filter(call)?;
    let base = call.app.base();
    let schemas = call.app.registry().schemas().into_iter();
    let shown = schemas.filter(|schema| shows(call, &schema.id, &schema.name));
    Ok(list(shown.map(|schema| schema.to_document(base)).collect()))
}

/// `GET /Schemas/{urn}`
pub fn schema(call: &Call) -> Result<Response, Error> {
    refuse_filter(call)?;
    let id = call.parameter();
    let registry = call.app.registry();
    let found = registry.schemas().into_iter().find(|schema| urn::same(&schema.id, &id));
    match found.filter(|schema| shows(call, &schema.id, &schema.name)) {
        Some(schema) => Ok(one(&schema.to_document(call.app.base()))),
        None => Err(Error::NotFound { kind: "Schema".to_owned(), id }),
    }
}

/// `GET /ResourceTypes`
pub fn types(call: &Call) -> Result<Response, Error> {
    refuse_filter(call)?;
    let shown = call.app.registry().types().iter().filter(|kind| shows_type(call, kind));
    Ok(list(shown.map(|kind| document(call, kind)).collect()))
}

/// `GET /ResourceTypes/{name}`
pub fn resource_type(call: &Call) -> Result<Response, Error> {
    refuse_filter(call)?;
    let id = call.parameter();
    match call.app.registry().by_name(&id).filter(|kind| shows_type(call, kind)) {
        Some(kind) => Ok(one(&document(call, kind))),
        None => Err(Error::NotFound { kind: "ResourceType".to_owned(), id }),
    }
}

/// `GET /ServiceProviderConfig`
pub fn configuration(call: &Call) -> Result<Response, Error> {
    let default = TenantSettings::default();
    let rules = call.anyone().map_or(&default, |ctx| &*ctx.rules);
    let limits = Limits {
        page_default: rules.page_default,
        page_max: rules.page_max,
        cursor_timeout: call.app.settings().cursor_timeout(),
        bulk_operations: call.app.settings().limits.bulk_max_operations,
        bulk_payload: call.app.settings().limits.bulk_max_payload,
        passwords: rules.accept_password,
    };
    Ok(one(&config::document(call.app.base(), limits)))
}

/// Whether this caller's tenant shows a resource type; what it hides does not exist for it.
pub fn shows_type(call: &Call, kind: &ResourceType) -> bool {
    shows(call, &kind.schema.id, &kind.name)
}

/// The setting `discovery.extensions` hides what is Usher's own, never core or enterprise.
fn shows(call: &Call, urn: &str, name: &str) -> bool {
    let ours = urn.to_ascii_lowercase().contains(":usher");
    match call.anyone().map(|ctx| &ctx.rules.shown) {
        _ if !ours => true,
        None | Some(Shown::All) => true,
        Some(Shown::None) => false,
        Some(Shown::Listed(listed)) => {
            listed.iter().any(|item| urn::same(item, urn) || item.eq_ignore_ascii_case(name))
        }
    }
}

fn document(call: &Call, kind: &ResourceType) -> Value {
    let mut document = kind.to_document(call.app.base());
    if let Some(extensions) = document["schemaExtensions"].as_array_mut() {
        extensions.retain(|extension| {
            let found = extension["schema"].as_str().and_then(|urn| kind.extension(urn));
            found.is_some_and(|found| shows(call, &found.schema.id, &found.schema.name))
        });
    }
    document
}

/// RFC 7644 s4: "If a 'filter' is provided, the service provider SHOULD respond with HTTP status
/// code 403". Sorting and paging are ignored.
fn refuse_filter(call: &Call) -> Result<(), Error> {
    let names = call.raw_query().split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    if names.into_iter().any(|name| name.eq_ignore_ascii_case("filter")) {
        return Err(Error::Refused(
            "Schemas and resource types cannot be filtered; leave the filter out.".to_owned(),
        ));
    }
    Ok(())
}

fn one(document: &Value) -> Response {
    scim_json::response(StatusCode::OK, document)
}

fn list(resources: Vec<Value>) -> Response {
    one(&page::whole_list(resources))
}
