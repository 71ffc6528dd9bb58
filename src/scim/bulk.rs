//! Many operations in one request (RFC 7644 s3.7): what they say, in which order they run, and how
//! they are answered.
//!
//! [`Reader`] takes the message as it comes. Every `POST` gets its id before anything runs, so that
//! [`substitute`] finds a real id for each `bulkId:…` at once, and [`order()`] says what has to be there
//! before what.

mod operation;
mod order;
mod read;
mod references;
mod results;
mod target;

pub use operation::{Method, Operation, Request};
pub use order::{Order, makers, order};
pub use read::{Limits, Reader, Refused};
pub use references::{PREFIX, references, substitute, unknown_reference};
pub use results::{HEAD, Outcome, TAIL, result};
pub use target::{Id, Site, Target, target};

use crate::scim::error::Error;

/// Why an operation is answered without having been tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
pub enum Problem {
    /// It is not what an operation has to be.
    #[error(transparent)]
    Scim(#[from] Error),
    /// Its path leads nowhere; the path as the client wrote it.
    #[error("There is nothing at '{0}'.")]
    NoEndpoint(String),
}
