//! Errors on the wire: the only place that turns an error into a status.

use std::fmt::Write as _;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::app::{Challenge, Error};
use crate::clock::Clock;
use crate::http::scim_json;
use crate::ids::RequestId;
use crate::scim::{self, urn};

/// Longest `detail`; what follows is cut off.
const LONGEST_DETAIL: usize = 1000;

/// The status and the `scimType` of RFC 7644 s3.12 (tables 8 and 9).
pub fn status(error: &Error) -> (StatusCode, Option<&'static str>) {
    match error {
        // s7.5.2 and erratum 6893: sensitive data in a URL is 403.
        Error::Scim(scim @ scim::Error::Sensitive(_)) => {
            (StatusCode::FORBIDDEN, Some(scim.scim_type()))
        }
        Error::Scim(scim) => (StatusCode::BAD_REQUEST, Some(scim.scim_type())),
        Error::NotFound { .. } | Error::NoEndpoint(_) => (StatusCode::NOT_FOUND, None),
        Error::Conflict { .. } => (StatusCode::CONFLICT, Some("uniqueness")),
        Error::Stale => (StatusCode::PRECONDITION_FAILED, None),
        Error::NotModified { .. } => (StatusCode::NOT_MODIFIED, None),
        Error::Unauthorized(_) => (StatusCode::UNAUTHORIZED, None),
        Error::Forbidden(_) | Error::Refused(_) => (StatusCode::FORBIDDEN, None),
        Error::MethodNotAllowed(_) => (StatusCode::METHOD_NOT_ALLOWED, None),
        Error::NotAcceptable => (StatusCode::NOT_ACCEPTABLE, None),
        Error::UnsupportedMedia(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, None),
        Error::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, None),
        Error::UrlTooLong => (StatusCode::URI_TOO_LONG, None),
        Error::HeadersTooLarge => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, None),
        Error::Timeout => (StatusCode::REQUEST_TIMEOUT, None),
        Error::NotImplemented(_) => (StatusCode::NOT_IMPLEMENTED, None),
        Error::Busy(_) | Error::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, None),
        Error::Store(_) | Error::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, None),
    }
}

/// The answer to a request that failed; what a client may not see goes to the log.
pub fn response(error: &Error, request: &RequestId) -> Response {
    match error {
        Error::Unavailable(cause) => tracing::warn!(%cause, "the database is not available"),
        Error::Store(cause) => tracing::error!(%cause, "the store failed"),
        Error::Internal(cause) => tracing::error!(%cause, "internal error"),
        _ => {}
    }
    let (status, scim_type) = status(error);
    let mut response = match error {
        Error::NotModified { .. } => empty(status),
        _ => scim_json::response(status, &body(error, request, status, scim_type)),
    };
    if let Some((name, value)) = headers(error)
        && let Ok(value) = HeaderValue::try_from(value)
    {
        response.headers_mut().insert(name, value);
    }
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
    let (code, kind) = self::status(&error);
    tracing::info!(request_id = %request, status, "a request that cannot be read");
    let headers = format!(
        "content-type: {}\r\nx-request-id: {request}\r\ncache-control: no-store\r\n\
         x-content-type-options: nosniff\r\n",
        scim_json::MEDIA_TYPE
    );
    Some((headers, body(&error, &request, code, kind).to_string()))
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// RFC 7644 s3.12 and nothing beside it: strict clients do not take an error for one when
/// `schemas` names more than the standard's message, or when a member is not the standard's.
fn body(error: &Error, request: &RequestId, status: StatusCode, kind: Option<&str>) -> Value {
    let mut body = json!({ "schemas": [urn::ERROR], "status": status.as_str() });
    if let Some(kind) = kind {
        body["scimType"] = kind.into();
    }
    body["detail"] = detail(error, request).into();
    body
}

/// The sentence and the request id: administrators of identity providers see `detail` alone.
fn detail(error: &Error, request: &RequestId) -> String {
    let sentence = error.to_string();
    let mut line: String = sentence
        .chars()
        .take(LONGEST_DETAIL)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    // This one is known word for word; its request id is in the header alone.
    if !matches!(error, Error::Conflict { .. }) {
        let _ = write!(line, " (request {request})");
    }
    line
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
        Error::Forbidden(scope) => Some((
            header::WWW_AUTHENTICATE,
            format!(r#"Bearer realm="scim", error="insufficient_scope", scope="{scope}""#),
        )),
        Error::MethodNotAllowed(allow) => Some((header::ALLOW, allow.clone())),
        Error::NotModified { etag } => Some((header::ETAG, etag.clone())),
        Error::Busy(seconds) => Some((header::RETRY_AFTER, seconds.to_string())),
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
        | Error::Stale
        | Error::Refused(_)
        | Error::NotAcceptable
        | Error::TooLarge(_)
        | Error::UrlTooLong
        | Error::HeadersTooLarge
        | Error::NotImplemented(_)
        | Error::Store(_)
        | Error::Internal(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store;

    fn shown(error: &Error) -> Value {
        let (status, kind) = status(error);
        body(error, &RequestId::from("r1"), status, kind)
    }

    /// Proves SCIM-454, SCIM-455, SCIM-456.
    #[test]
    fn an_error_is_a_scim_message_with_its_status_as_text_and_the_request_id() {
        let error = Error::Scim(scim::Error::InvalidValue("title: wrong".to_owned()));
        assert_eq!(
            shown(&error),
            json!({
                "schemas": [urn::ERROR],
                "status": "400",
                "scimType": "invalidValue",
                "detail": "title: wrong (request r1)",
            })
        );
    }

    /// Proves SCIM-462, SCIM-463.
    #[test]
    fn what_the_database_said_stays_out_of_the_answer() {
        let error = Error::Store(store::Error::Database("SELECT secret".to_owned()));
        let shown = shown(&error);
        assert_eq!(shown["status"], "500");
        assert!(!shown.to_string().contains("SELECT"), "{shown}");
        assert!(shown["detail"].as_str().unwrap().contains("r1"));
    }

    /// Proves SCIM-457, SCIM-458, SCIM-459, SCIM-460.
    #[test]
    fn every_kind_of_error_has_its_status() {
        let table = [
            (Error::Scim(scim::Error::InvalidFilter(String::new())), 400),
            (Error::Scim(scim::Error::Sensitive(String::new())), 403),
            (Error::NoEndpoint(String::new()), 404),
            (Error::Stale, 412),
            (Error::NotModified { etag: String::new() }, 304),
            (Error::Unauthorized(Challenge::Missing), 401),
            (Error::Refused(String::new()), 403),
            (Error::MethodNotAllowed(String::new()), 405),
            (Error::NotAcceptable, 406),
            (Error::UnsupportedMedia(String::new()), 415),
            (Error::TooLarge(1), 413),
            (Error::UrlTooLong, 414),
            (Error::HeadersTooLarge, 431),
            (Error::Timeout, 408),
            (Error::NotImplemented(String::new()), 501),
            (Error::Busy(1), 503),
            (Error::Unavailable(store::Error::Unavailable(String::new())), 503),
            (Error::Internal(String::new()), 500),
        ];
        for (error, expected) in table {
            assert_eq!(status(&error).0.as_u16(), expected, "{error:?}");
        }
        let conflict = Error::Conflict {
            kind: "User".to_owned(),
            attribute: "userName".to_owned(),
            value: "x".to_owned(),
        };
        assert_eq!(status(&conflict), (StatusCode::CONFLICT, Some("uniqueness")));
    }
}
