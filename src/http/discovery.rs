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
use crate::scim::resource_type::{Registry, ResourceType};
use crate::scim::schema::Schema;
use crate::scim::urn;

/// `GET /Schemas`
pub fn schemas(call: &Call) -> Result<Response, Error> {
    refuse_filter(call)?;
    let base = call.app.base();
    let seen = seen(call);
    let schemas = seen.schemas();
    Ok(list(schemas.into_iter().map(|schema| published(call, schema, base)).collect()))
}

/// `GET /Schemas/{urn}`
pub fn schema(call: &Call) -> Result<Response, Error> {
    refuse_filter(call)?;
    let id = call.parameter();
    let seen = seen(call);
    match seen.schemas().into_iter().find(|schema| urn::same(&schema.id, &id)) {
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
    let base = call.app.base();
    Ok(list(seen(call).all().map(|kind| kind.to_document(base)).collect()))
}

/// `GET /ResourceTypes/{name}`
pub fn resource_type(call: &Call) -> Result<Response, Error> {
    refuse_filter(call)?;
    let id = call.parameter();
    match seen(call).by_name(&id) {
        Some(kind) => Ok(one(&kind.to_document(call.app.base()))),
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
        roles: rules.lists(urn::ROLE, "Role"),
    };
    Ok(one(&config::document(call.app.base(), limits)))
}

/// Whether this caller's tenant shows a resource type; what it hides does not exist for it.
pub fn shows_type(call: &Call, kind: &ResourceType) -> bool {
    let default = TenantSettings::default();
    let rules = call.anyone().map_or(&default, |ctx| &*ctx.rules);
    // Entitlements are licenses where Okta looks for them.
    let elsewhere = if rules.okta { "Entitlement" } else { "License" };
    kind.name != elsewhere && !rules.hides(&kind.schema.id, &kind.name)
}

/// The types and extensions that this caller's tenant shows.
fn seen(call: &Call) -> Registry {
    let default = TenantSettings::default();
    let rules = call.anyone().map_or(&default, |ctx| &*ctx.rules);
    let registry = call.app.registry();
    registry.only(|kind| shows_type(call, kind)).seen(|kind| call.app.seen(rules, kind))
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
