//! `/Schemas`, `/ResourceTypes` and `/ServiceProviderConfig` (RFC 7644 s4).

use axum::response::Response;
use http::StatusCode;
use serde_json::Value;

use crate::app::{Ctx, Error};
use crate::domain::role;
use crate::domain::tenant::TenantSettings;
use crate::http::call::Call;
use crate::http::scim_json;
use crate::scim::config::{self, Limits};
use crate::scim::page;
use crate::scim::resource_type::ResourceType;
use crate::scim::schema::Schema;
use crate::scim::urn;

/// `GET /Schemas`
pub fn schemas(call: &Call) -> Result<Response, Error> {
    refuse_filter(call)?;
    let base = call.app.base();
    let schemas = call.app.registry().schemas().into_iter();
    let shown = schemas.filter(|schema| shows(call, &schema.id, &schema.name));
    Ok(list(shown.map(|schema| published(call, schema, base)).collect()))
}

/// `GET /Schemas/{urn}`
pub fn schema(call: &Call) -> Result<Response, Error> {
    refuse_filter(call)?;
    let id = call.parameter();
    let registry = call.app.registry();
    let found = registry.schemas().into_iter().find(|schema| urn::same(&schema.id, &id));
    match found.filter(|schema| shows(call, &schema.id, &schema.name)) {
        Some(schema) => Ok(one(&published(call, schema, call.app.base()))),
        None => Err(Error::NotFound { kind: "Schema".to_owned(), id }),
    }
}

/// A schema, with the values that this tenant's clients may write.
fn published(call: &Call, schema: &Schema, base: &str) -> Value {
    let mut document = schema.to_document(base);
    let Some(ctx) = call.anyone() else { return document };
    for (path, values) in canonical(ctx, &schema.id) {
        let mut names = path.split('.');
        let mut found = names.next().and_then(|name| named(&mut document["attributes"], name));
        for name in names {
            found = found.and_then(|found| named(&mut found["subAttributes"], name));
        }
        if let Some(found) = found {
            found["canonicalValues"] = values.into();
        }
    }
    document
}

fn named<'d>(attributes: &'d mut Value, name: &str) -> Option<&'d mut Value> {
    attributes.as_array_mut()?.iter_mut().find(|found| found["name"] == name)
}

/// Attributes of a schema whose values are the tenant's own.
fn canonical(ctx: &Ctx, urn: &str) -> Vec<(&'static str, Vec<String>)> {
    match urn {
        urn::USER => vec![("roles.value", role::assignable(&ctx.rules, &ctx.catalogue))],
        urn::SEAT => {
            let pools = ctx.catalogue.pools.iter().map(|pool| pool.value.clone());
            vec![("seatType", pools.chain(["none".to_owned()]).collect())]
        }
        _ => Vec::new(),
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
    call.anyone().is_none_or(|ctx| !ctx.rules.hides(urn, name))
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
