//! Why a use-case was refused or failed; [`Error::status`] gives each its status.

mod body;

use crate::domain::pool::Full;
use crate::domain::scope::Scope;
use crate::domain::standing::Refusal;
use crate::domain::strength::TooWeak;
use crate::{scim, store};

/// What was wrong with a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// The request carried none.
    Missing,
    /// Unknown, malformed, expired or revoked: one answer for all.
    Invalid,
}

/// A refusal or a failure of a use-case.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The protocol refuses.
    #[error(transparent)]
    Scim(#[from] scim::Error),
    /// No such resource in this tenant; another tenant's looks the same.
    #[error("{kind} '{id}' does not exist.")]
    NotFound {
        /// Resource type.
        kind: String,
        /// The id, as the client wrote it.
        id: String,
    },
    /// No such endpoint.
    #[error(
        "There is nothing at '{0}'. The base URL of SCIM ends in /scim/v2; below it, /ResourceTypes lists the endpoints."
    )]
    NoEndpoint(String),
    /// A value that must be unique is taken.
    #[error("{kind} with {attribute} '{value}' already exists.")]
    Conflict {
        /// Resource type.
        kind: String,
        /// The attribute.
        attribute: String,
        /// The value, as the client wrote it.
        value: String,
    },
    /// What somebody else has already.
    #[error("{0}")]
    Taken(String),
    /// What cannot go as long as others need it.
    #[error("{0}")]
    InUse(String),
    /// Sent too often; again after so many seconds.
    #[error("A link was sent a moment ago, or too many were. Send it again in {0} s.")]
    TooOften(u32),
    /// A link that lets nobody in any more; the sentence says what to do.
    #[error("{0}")]
    Gone(&'static str),
    /// The resource has changed since the client read it (RFC 7644 s3.14).
    #[error("The resource has another version than If-Match names. Read it again, then retry.")]
    Stale,
    /// The same, of an operation of a bulk request.
    #[error(
        "The resource has another version than 'version' of this operation names. Read it again, then retry."
    )]
    StaleOperation,
    /// The client has this version already (RFC 9110 s13.1.2).
    #[error("not modified")]
    NotModified {
        /// The current `ETag`.
        etag: String,
    },
    /// No credential, or not a good one.
    #[error(
        "A valid bearer token is needed in the Authorization header. Make one with 'usher token create'."
    )]
    Unauthorized(Challenge),
    /// The credential is good but may not do this.
    #[error(
        "The token lacks the scope '{0}'. Make another with 'usher token create --scope {0}', or change this one with 'usher token set'."
    )]
    Forbidden(Scope),
    /// Allowed to nobody; the sentence says why.
    #[error("{0}")]
    Refused(String),
    /// Somebody may not sign in, or may no longer be signed in.
    #[error(transparent)]
    SignIn(#[from] Refusal),
    /// A password that is not good enough.
    #[error(transparent)]
    Weak(#[from] TooWeak),
    /// Too often; come back after so many seconds.
    #[error("Too many attempts. Retry in {0} s.")]
    TooMany(u32),
    /// No seat is free; with the status that the tenant wants for it.
    #[error("{0}")]
    SeatsExhausted(Box<Full>, u16),
    /// The path exists, the method does not.
    #[error("This method is not supported here. Supported: {0}.")]
    MethodNotAllowed(String),
    /// The client accepts neither JSON type.
    #[error(
        "Answers are application/scim+json or application/json; the Accept header excludes both."
    )]
    NotAcceptable,
    /// The body is not JSON by its Content-Type.
    #[error("The body must be application/scim+json or application/json, not '{0}'.")]
    UnsupportedMedia(String),
    /// The body is larger than this many bytes.
    #[error("The body is larger than {0} bytes, the most that is accepted here.")]
    TooLarge(usize),
    /// A bulk request has more operations than this.
    #[error(
        "The request has more than {0} operations, the most that one bulk request may have. Send it in parts."
    )]
    TooManyOperations(usize),
    /// One operation of a bulk request is larger than this many bytes.
    #[error(
        "An operation of the request is larger than {0} bytes, the most that a single request may have."
    )]
    OperationTooLarge(usize),
    /// An operation of a bulk request refers to one that failed.
    #[error(
        "bulkId '{0}', which this operation refers to, was not created; see the result of its POST."
    )]
    Dependency(String),
    /// Operations of a bulk request that refer to each other and cannot be done together.
    #[error("{0}")]
    Circular(String),
    /// The Idempotency-Key was used before, with another body.
    #[error(
        "This Idempotency-Key was sent before with another request. Use a new key for a new request, and the same body for a repeated one."
    )]
    KeyReused,
    /// The request of this Idempotency-Key is still being worked on; ask again in so many seconds.
    #[error(
        "The request with this Idempotency-Key is still being worked on. Send it again in {0} s."
    )]
    KeyInUse(u32),
    /// A bulk request that was ended before its end; where its results are.
    #[error(
        "This bulk request was ended before its end. The results of what it did are at {0}; send the rest as a new request, with a new Idempotency-Key."
    )]
    Stopped(String),
    /// An operation of a bulk request that was reached after the database had gone.
    #[error(
        "The database went away before this operation was confirmed; the operations before it are done. Send this operation again."
    )]
    NotReached,
    /// The URL is longer than the server reads.
    #[error("The URL is longer than accepted. Send long filters by POST to /.search.")]
    UrlTooLong,
    /// The headers are larger than accepted.
    #[error(
        "The URL and the headers are larger than accepted. Send long filters by POST to /.search."
    )]
    HeadersTooLarge,
    /// The client took too long.
    #[error("The request took too long to arrive. Send it again.")]
    Timeout,
    /// Not offered.
    #[error("{0}")]
    NotImplemented(String),
    /// Too much at once; come back after so many seconds.
    #[error("The server is busy. Retry in {0} s.")]
    Busy(u32),
    /// The database does not answer now; its sentence is for the log alone.
    #[error("The database is not available at the moment. Retry in a few seconds.")]
    Unavailable(store::Error),
    /// The store failed; its sentence is for the log alone.
    #[error("The database did not answer as it should. The server's log has the cause.")]
    Store(store::Error),
    /// A mistake of ours; the sentence is for the log alone.
    #[error("Something went wrong inside Usher. The server's log has the cause.")]
    Internal(String),
}

impl Error {
    /// The same for a client of SCIM, which hammers when it is told to come again.
    pub(crate) fn into_wrong_value(self) -> Self {
        match self {
            Self::TooOften(_) => scim::Error::InvalidValue(self.to_string()).into(),
            other => other,
        }
    }
}

impl From<scim::bulk::Problem> for Error {
    fn from(problem: scim::bulk::Problem) -> Self {
        match problem {
            scim::bulk::Problem::Scim(error) => Self::Scim(error),
            scim::bulk::Problem::NoEndpoint(path) => Self::NoEndpoint(path),
        }
    }
}

impl From<scim::bulk::Refused> for Error {
    fn from(refused: scim::bulk::Refused) -> Self {
        match refused {
            scim::bulk::Refused::Message(error) => Self::Scim(error),
            scim::bulk::Refused::Operations(most) => Self::TooManyOperations(most),
            scim::bulk::Refused::Payload(most) => Self::TooLarge(most),
            scim::bulk::Refused::Value(most) => Self::OperationTooLarge(most),
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Again(_) | store::Error::Unavailable(_) => Self::Unavailable(error),
            store::Error::Busy => Self::Busy(1),
            store::Error::Taken(_) | store::Error::Full | store::Error::Database(_) => {
                Self::Store(error)
            }
        }
    }
}

impl store::Failure for Error {
    fn store(&self) -> Option<&store::Error> {
        match self {
            Self::Unavailable(error) | Self::Store(error) => Some(error),
            _ => None,
        }
    }
}
