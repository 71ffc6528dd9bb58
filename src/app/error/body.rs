//! What an error is for the client: its status and its body (RFC 7644 s3.12).
//!
//! It stands here and not in `http` because the operations of a bulk request have statuses and error
//! bodies of their own, which are written down together with what they did.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Error;
use crate::domain::pool::Full;
use crate::domain::standing::Refusal;
use crate::ids::RequestId;
use crate::scim::{self, urn};

/// Longest `detail`; what follows is cut off.
const LONGEST_DETAIL: usize = 1000;

impl Error {
    /// The status and the `scimType` of RFC 7644 s3.12 (tables 8 and 9).
    pub fn status(&self) -> (u16, Option<&'static str>) {
        match self {
            // s7.5.2 and erratum 6893: sensitive data in a URL is 403.
            Self::Scim(scim @ scim::Error::Sensitive(_)) => (403, Some(scim.scim_type())),
            Self::Scim(scim) => (400, Some(scim.scim_type())),
            Self::NotFound { .. } | Self::NoEndpoint(_) => (404, None),
            Self::Conflict { .. } | Self::Taken(_) => (409, Some("uniqueness")),
            Self::InUse(_) | Self::Circular(_) | Self::KeyInUse(_) | Self::Stopped(_) => {
                (409, None)
            }
            Self::Gone(_) => (410, None),
            Self::Stale | Self::StaleOperation | Self::Dependency(_) => (412, None),
            Self::NotModified { .. } => (304, None),
            Self::Unauthorized(_) | Self::SignIn(Refusal::Invalid | Refusal::Ended) => (401, None),
            Self::SignIn(_) | Self::Forbidden(_) | Self::Refused(_) => (403, None),
            Self::Weak(_) => (400, Some("invalidValue")),
            Self::TooOften(_) | Self::TooMany(_) => (429, None),
            // Not 409, which reads as a duplicate, nor 429 or 5xx, after which clients hammer.
            Self::SeatsExhausted(_, status) => (*status, None),
            Self::MethodNotAllowed(_) => (405, None),
            Self::NotAcceptable => (406, None),
            Self::UnsupportedMedia(_) => (415, None),
            Self::TooLarge(_) | Self::TooManyOperations(_) | Self::OperationTooLarge(_) => {
                (413, None)
            }
            Self::UrlTooLong => (414, None),
            Self::HeadersTooLarge => (431, None),
            Self::KeyReused => (422, None),
            Self::Timeout => (408, None),
            Self::NotImplemented(_) => (501, None),
            Self::Busy(_) | Self::Unavailable(_) | Self::NotReached => (503, None),
            Self::Store(_) | Self::Internal(_) => (500, None),
        }
    }

    /// Tells the log what a client may not see.
    pub fn log(&self) {
        match self {
            Self::Unavailable(cause) => tracing::warn!(%cause, "the database is not available"),
            Self::Store(cause) => tracing::error!(%cause, "the store failed"),
            Self::Internal(cause) => tracing::error!(%cause, "internal error"),
            _ => {}
        }
    }

    /// Its body: RFC 7644 s3.12 and nothing beside it, but for a seat that was refused.
    ///
    /// Strict clients do not take an error for one when `schemas` names more than the standard's
    /// message, or when a member is not the standard's.
    pub fn body(&self, request: &RequestId) -> Value {
        let (status, kind) = self.status();
        let mut body = json!({ "schemas": [urn::ERROR], "status": status.to_string() });
        if let Some(kind) = kind {
            body["scimType"] = kind.into();
        }
        body["detail"] = self.detail(request).into();
        if let Self::SeatsExhausted(full, _) = self {
            body["schemas"] = json!([urn::ERROR, urn::ERROR_DETAIL]);
            body[urn::ERROR_DETAIL] = seats(full, request);
        }
        body
    }

    /// Its body for administrators (RFC 9457); none where there is no body.
    pub fn problem(&self, request: &RequestId) -> Option<Value> {
        let (status, kind) = self.status();
        if matches!(self, Self::NotModified { .. }) {
            return None;
        }
        let mut problem = json!({
            "type": "about:blank",
            "title": title(status),
            "status": status,
            "detail": self.detail(request),
            "requestId": request.to_string(),
        });
        if let Some(kind) = kind {
            problem["scimType"] = kind.into();
        }
        if let Some(code) = self.code() {
            problem["code"] = code.into();
        }
        if let Self::SeatsExhausted(full, _) = self {
            problem["seats"] = seats(full, request);
        }
        Some(problem)
    }

    /// The word by which programs tell refusals of one status apart, where there is one.
    fn code(&self) -> Option<&'static str> {
        match self {
            Self::SignIn(refusal) => Some(refusal.code()),
            Self::Weak(weak) => Some(weak.why.code()),
            Self::TooMany(_) => Some("tooManyAttempts"),
            _ => None,
        }
    }

    /// The sentence and the request id: administrators of identity providers see `detail` alone.
    fn detail(&self, request: &RequestId) -> String {
        let sentence = self.to_string();
        let mut line: String = sentence
            .chars()
            .take(LONGEST_DETAIL)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        // These are known word for word; their request id is elsewhere.
        if !matches!(self, Self::Conflict { .. } | Self::SeatsExhausted(..) | Self::SignIn(_)) {
            let _ = write!(line, " (request {request})");
        }
        line
    }
}

/// What the status is called.
fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        500.. => "Internal Server Error",
        _ => "Refused",
    }
}

/// How full the pool is, for programs.
fn seats(full: &Full, request: &RequestId) -> Value {
    json!({
        "code": "seatLimitExceeded",
        "pool": full.pool,
        "total": full.total,
        "allowance": full.allowance,
        "used": full.taken.used(),
        "consumed": full.taken.consumed,
        "reserved": full.taken.reserved,
        "requested": 1,
        "retryable": true,
        "retryWhen": "seatFreed",
        "requestId": request.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Challenge;
    use crate::store;

    fn shown(error: &Error) -> Value {
        error.body(&RequestId::from("r1"))
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
            (Error::TooManyOperations(1), 413),
            (Error::OperationTooLarge(1), 413),
            (Error::Dependency(String::new()), 412),
            (Error::Circular(String::new()), 409),
            (Error::InUse(String::new()), 409),
            (Error::Taken(String::new()), 409),
            (Error::KeyReused, 422),
            (Error::KeyInUse(1), 409),
            (Error::Stopped(String::new()), 409),
            (Error::StaleOperation, 412),
            (Error::NotReached, 503),
            (Error::UrlTooLong, 414),
            (Error::HeadersTooLarge, 431),
            (Error::Timeout, 408),
            (Error::NotImplemented(String::new()), 501),
            (Error::Busy(1), 503),
            (Error::Unavailable(store::Error::Unavailable(String::new())), 503),
            (Error::Internal(String::new()), 500),
        ];
        for (error, expected) in table {
            assert_eq!(error.status().0, expected, "{error:?}");
        }
        let conflict = Error::Conflict {
            kind: "User".to_owned(),
            attribute: "userName".to_owned(),
            value: "x".to_owned(),
        };
        assert_eq!(conflict.status(), (409, Some("uniqueness")));
    }
}
