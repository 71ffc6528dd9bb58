//! The handlers of every resource type: extract, call, answer.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::app::{Asked, Error, Prefer, Shown, Target};
use crate::http::call::Call;
use crate::http::{discovery, scim_json};
use crate::scim::query::Query;
use crate::scim::resource_type::ResourceType;

/// `POST /{endpoint}` (RFC 7644 s3.3)
pub async fn create(mut call: Call) -> Result<Response, Error> {
    let (query, prefer) = (call.query()?, call.prefer());
    let body = call.json().await?;
    let asked = Asked { query: &query, prefer };
    let answer = call.app.create(call.ctx()?, call.kind()?, body, asked).await?;
    Ok(written(StatusCode::CREATED, answer, prefer))
}

/// `GET /{endpoint}/{id}` (RFC 7644 s3.4.1)
pub async fn read(call: Call) -> Result<Response, Error> {
    let (id, query, conditions) = (call.parameter(), call.query()?, call.conditions()?);
    let target = Target { kind: call.kind()?, id: &id, conditions: &conditions };
    if call.app.is_offered(target.kind) {
        let shown = call.app.get_offer(call.ctx()?, target, &query).await?;
        return Ok(whole(StatusCode::OK, shown));
    }
    let shown = call.app.get(call.ctx()?, target, &query).await?;
    Ok(whole(StatusCode::OK, shown))
}

/// `/Me`: the user who signed in (RFC 7644 s3.11), who may read and no more; 501 where the alias means
/// nothing.
pub async fn me(call: Call) -> Result<Response, Error> {
    let ctx = call.ctx()?;
    let Some(id) = &ctx.user else {
        return Err(Error::NotImplemented(
            "/Me means the user of the credential, and this token stands for no user.".to_owned(),
        ));
    };
    if call.route.row.method != "GET" {
        return Err(Error::NotImplemented(
            "Users are written below /Users; /Me is there to be read.".to_owned(),
        ));
    }
    let missing = || Error::Internal("there are no users here".to_owned());
    let kind = call.app.registry().by_name("User").ok_or_else(missing)?;
    let (query, conditions) = (call.query()?, call.conditions()?);
    let shown = call.app.get(ctx, Target { kind, id, conditions: &conditions }, &query).await?;
    Ok(whole(StatusCode::OK, shown))
}

/// `GET /{endpoint}` (RFC 7644 s3.4.2)
pub async fn list(call: Call) -> Result<Response, Error> {
    let query = call.query()?;
    of_type(call, query).await
}

/// `POST /{endpoint}/.search` (RFC 7644 s3.4.3)
pub async fn search(mut call: Call) -> Result<Response, Error> {
    let body = call.json().await?;
    let query = Query::from_search(&body, call.ctx()?.quirks)?;
    of_type(call, query).await
}

async fn of_type(call: Call, query: Query) -> Result<Response, Error> {
    let kind = call.kind()?;
    if call.app.is_offered(kind) {
        let list = call.app.list_offers(call.ctx()?, kind, &query).await?;
        return Ok(scim_json::text(StatusCode::OK, list));
    }
    if let Some(few) = call.app.list_few(call.ctx()?, kind, &query).await? {
        return Ok(scim_json::text(StatusCode::OK, few));
    }
    let page = call.app.list(call.ctx()?, std::slice::from_ref(kind), &query).await?;
    Ok(scim_json::pieces(StatusCode::OK, page))
}

/// `GET /` (RFC 7644 s3.4.2.1)
pub async fn list_all(call: Call) -> Result<Response, Error> {
    let page = call.app.list(call.ctx()?, &shown(&call), &call.query()?).await?;
    Ok(scim_json::pieces(StatusCode::OK, page))
}

/// `POST /.search` (RFC 7644 s3.4.3)
pub async fn search_all(mut call: Call) -> Result<Response, Error> {
    let body = call.json().await?;
    let query = Query::from_search(&body, call.ctx()?.quirks)?;
    let page = call.app.list(call.ctx()?, &shown(&call), &query).await?;
    Ok(scim_json::pieces(StatusCode::OK, page))
}

/// The types that the caller's tenant shows.
fn shown(call: &Call) -> Vec<Arc<ResourceType>> {
    let types = call.app.registry().types().iter();
    types.filter(|kind| discovery::shows_type(call, kind)).cloned().collect()
}

/// `PUT /{endpoint}/{id}` (RFC 7644 s3.5.1)
pub async fn replace(mut call: Call) -> Result<Response, Error> {
    let (query, prefer) = (call.query()?, call.prefer());
    let (id, conditions) = (call.parameter(), call.conditions()?);
    let body = call.json().await?;
    let target = Target { kind: call.kind()?, id: &id, conditions: &conditions };
    let asked = Asked { query: &query, prefer };
    let answer = call.app.replace(call.ctx()?, target, body, asked).await?;
    Ok(written(StatusCode::OK, answer, prefer))
}

/// `PATCH /{endpoint}/{id}` (RFC 7644 s3.5.2)
pub async fn patch(mut call: Call) -> Result<Response, Error> {
    let (query, prefer) = (call.query()?, call.prefer());
    let asked = Asked { query: &query, prefer };
    let (id, conditions) = (call.parameter(), call.conditions()?);
    let body = call.json().await?;
    let target = Target { kind: call.kind()?, id: &id, conditions: &conditions };
    let answer = call.app.patch(call.ctx()?, target, body, asked).await?;
    Ok(written(StatusCode::OK, answer, prefer))
}

/// `DELETE /{endpoint}/{id}` (RFC 7644 s3.6)
pub async fn delete(call: Call) -> Result<Response, Error> {
    let (id, conditions) = (call.parameter(), call.conditions()?);
    let target = Target { kind: call.kind()?, id: &id, conditions: &conditions };
    call.app.delete(call.ctx()?, target).await?;
    Ok(status(StatusCode::NO_CONTENT))
}

fn written(status: StatusCode, shown: Shown, prefer: Prefer) -> Response {
    let done = if shown.body.is_some() { Prefer::Representation } else { Prefer::Minimal };
    applied(whole(status, shown), prefer, done)
}

fn whole(status: StatusCode, shown: Shown) -> Response {
    let mut response = match shown.body {
        Some(body) => {
            let mut response = scim_json::pieces(status, body);
            set(response.headers_mut(), header::CONTENT_LOCATION, &shown.location);
            response
        }
        None if status == StatusCode::CREATED => self::status(status),
        None => self::status(StatusCode::NO_CONTENT),
    };
    point(response.headers_mut(), &shown.etag, &shown.location);
    response
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn point(headers: &mut HeaderMap, etag: &str, location: &str) {
    set(headers, header::ETAG, etag);
    set(headers, header::LOCATION, location);
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// RFC 7240 s3: says that the preference was followed, where it was.
fn applied(mut response: Response, prefer: Prefer, done: Prefer) -> Response {
    let value = match prefer {
        Prefer::Minimal if done == prefer => "return=minimal",
        Prefer::Representation if done == prefer => "return=representation",
        Prefer::Unsaid | Prefer::Minimal | Prefer::Representation => return response,
    };
    set(response.headers_mut(), HeaderName::from_static("preference-applied"), value);
    response
}
