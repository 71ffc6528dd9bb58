//! Errors on the wire: status, headers and body.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::app::{Challenge, Error};
use crate::clock::Clock;
use crate::domain::standing::Refusal;
use crate::http::scim_json;
use crate::ids::RequestId;
use crate::scim;

fn status(error: &Error) -> StatusCode {
    StatusCode::from_u16(error.status().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The answer to a request that failed; what a client may not see goes to the log.
pub fn response(error: &Error, request: &RequestId) -> Response {
    error.log();
    let status = status(error);
    let mut response = match error {
        Error::NotModified { .. } => empty(status),
        _ => scim_json::response(status, &error.body(request)),
    };
    if let Some((name, value)) = headers(error)
        && let Ok(value) = HeaderValue::try_from(value)
    {
        response.headers_mut().insert(name, value);
    }
    response
}

/// The same for administrators, as RFC 9457 has it.
pub fn problem(error: &Error, request: &RequestId) -> Response {
    let mut response = response(error, request);
    let status = response.status();
    if let Some(problem) = error.problem(request) {
        *response.body_mut() = Body::from(problem.to_string());
        let media_type = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, media_type);
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    *response.status_mut() = status;
    response
}

/// Header lines and body for what hyper refused before it was a request.
pub fn unreadable(status: u16) -> Option<(String, String)> {
    let error = match status {
        400 => Error::Scim(scim::Error::InvalidSyntax(
            "This is not an HTTP request that the server can read.".to_owned(),
        )),
        414 => Error::UrlTooLong,
        431 => Error::HeadersTooLarge,
        _ => return None,
    };
    let request = RequestId::new(Clock::System.now());
    tracing::info!(request_id = %request, status, "a request that cannot be read");
    let headers = format!(
        "content-type: {}\r\nx-request-id: {request}\r\ncache-control: no-store\r\n\
         x-content-type-options: nosniff\r\n",
        scim_json::MEDIA_TYPE
    );
    Some((headers, error.body(&request).to_string()))
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn headers(error: &Error) -> Option<(HeaderName, String)> {
    match error {
        // RFC 6750 s3: no error code when no bearer token came at all.
        Error::Unauthorized(Challenge::Missing) => {
            Some((header::WWW_AUTHENTICATE, r#"Bearer realm="scim""#.to_owned()))
        }
        Error::Unauthorized(Challenge::Invalid) => Some((
            header::WWW_AUTHENTICATE,
            r#"Bearer realm="scim", error="invalid_token""#.to_owned(),
        )),
        // RFC 9110 s15.5.2 asks for one; nothing that people type goes into a header.
        Error::SignIn(Refusal::Invalid | Refusal::Ended) => {
            Some((header::WWW_AUTHENTICATE, r#"Bearer realm="usher""#.to_owned()))
        }
        Error::Forbidden(scope) => Some((
            header::WWW_AUTHENTICATE,
            format!(r#"Bearer realm="scim", error="insufficient_scope", scope="{scope}""#),
        )),
        Error::MethodNotAllowed(allow) => Some((header::ALLOW, allow.clone())),
        Error::NotModified { etag } => Some((header::ETAG, etag.clone())),
        Error::Busy(seconds)
        | Error::KeyInUse(seconds)
        | Error::TooOften(seconds)
        | Error::TooMany(seconds) => Some((header::RETRY_AFTER, seconds.to_string())),
        Error::Unavailable(_) => Some((header::RETRY_AFTER, "5".to_owned())),
        Error::UnsupportedMedia(_) => {
            Some((header::ACCEPT, "application/scim+json, application/json".to_owned()))
        }
        // The rest of the body is not read, so the connection cannot be used again.
        Error::Timeout => Some((header::CONNECTION, "close".to_owned())),
        Error::Scim(_)
        | Error::NotFound { .. }
        | Error::NoEndpoint(_)
        | Error::Conflict { .. }
        | Error::Taken(_)
        | Error::InUse(_)
        | Error::Stale
        | Error::Gone(_)
        | Error::Refused(_)
        | Error::SignIn(_)
        | Error::Weak(_)
        | Error::SeatsExhausted(..)
        | Error::NotAcceptable
        | Error::TooLarge(_)
        | Error::TooManyOperations(_)
        | Error::OperationTooLarge(_)
        | Error::Dependency(_)
        | Error::Circular(_)
        | Error::KeyReused
        | Error::Stopped(_)
        | Error::StaleOperation
        | Error::NotReached
        | Error::UrlTooLong
        | Error::HeadersTooLarge
        | Error::NotImplemented(_)
        | Error::Store(_)
        | Error::Internal(_) => None,
    }
}
