//! One operation of a bulk request, as the client wrote it.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::Problem;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Method {
    /// Create a resource.
    Post,
    /// Replace a resource.
    Put,
    /// Change a resource.
    Patch,
    /// Delete a resource.
    Delete,
}

impl Method {
    /// The method of this name, in any case (clients send `post`).
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Post, Self::Put, Self::Patch, Self::Delete]
            .into_iter()
            .find(|method| method.as_str().eq_ignore_ascii_case(name))
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether it cannot be without `data`.
    pub(super) fn has_data(self) -> bool {
        match self {
            Self::Post | Self::Put | Self::Patch => true,
            Self::Delete => false,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One operation, checked only as far as the message goes.
///
/// Its `data` stays text until its turn comes: as trees of values a large request would be ten times
/// its size.
#[derive(Clone, Default)]
pub struct Operation {
    /// What it does; none when that is what is wrong with it.
    pub method: Option<Method>,
    /// Where, as the client wrote it.
    pub path: Box<str>,
    /// The client's own name for it.
    pub bulk_id: Option<Box<str>>,
    /// The version that the resource must have, as in If-Match.
    pub version: Option<Box<str>>,
    /// The body as compact JSON, valid by the same rules as the body of a single request.
    pub data: Option<Box<RawValue>>,
    /// The bulkIds that it refers to in its path and its data, each once.
    pub references: Box<[Box<str>]>,
    /// Why it is refused by itself; it is then not tried and answered with this.
    pub problem: Option<Box<Problem>>,
}

/// Without the data, which may hold a password.
impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("bulk_id", &self.bulk_id)
            .field("problem", &self.problem)
            .finish_non_exhaustive()
    }
}

impl Operation {
    /// Its data as a value; none when it has none.
    pub fn value(&self) -> Option<Value> {
        // It has been read before, so that nothing in it can fail.
        self.data.as_deref().and_then(|data| serde_json::from_str(data.get()).ok())
    }

    /// The bulkId by which others may refer to what it makes; none unless it is a POST.
    pub fn made(&self) -> Option<&str> {
        self.bulk_id.as_deref().filter(|_| self.method == Some(Method::Post))
    }

    /// The operation as one line, for where it waits; [`Operation::from_line`] reads it.
    pub fn to_line(&self) -> String {
        serde_json::to_string(&Line::from(self)).unwrap_or_default()
    }

    /// Reads what [`Operation::to_line`] wrote; none when it did not.
    pub fn from_line(text: &str) -> Option<Self> {
        serde_json::from_str::<Line<'_>>(text).ok().map(Self::from)
    }
}

/// A whole request.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Its operations, in the order of the request.
    pub operations: Vec<Operation>,
    /// After how many failed operations the rest is left; none means never.
    pub fail_on_errors: Option<u64>,
}

impl Request {
    /// Whether one of its operations may set a password: its text is never written down.
    pub fn may_hold_passwords(&self) -> bool {
        let mut data = self.operations.iter().filter_map(|operation| operation.data.as_deref());
        data.any(|data| super::references::may_hold_password(data.get()))
    }
}

/// How an operation is written down.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    #[serde(rename = "m")]
    method: Option<Method>,
    #[serde(rename = "p")]
    path: Cow<'a, str>,
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    bulk_id: Option<Cow<'a, str>>,
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    version: Option<Cow<'a, str>>,
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    references: Vec<Cow<'a, str>>,
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    problem: Option<Cow<'a, Problem>>,
    #[serde(rename = "d", default, borrow, skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
}

impl<'a> From<&'a Operation> for Line<'a> {
    fn from(operation: &'a Operation) -> Self {
        Self {
            method: operation.method,
            path: (&*operation.path).into(),
            bulk_id: operation.bulk_id.as_deref().map(Cow::Borrowed),
            version: operation.version.as_deref().map(Cow::Borrowed),
            references: operation.references.iter().map(|name| (&**name).into()).collect(),
            problem: operation.problem.as_deref().map(Cow::Borrowed),
            data: operation.data.as_deref(),
        }
    }
}

impl From<Line<'_>> for Operation {
    fn from(line: Line<'_>) -> Self {
        Self {
            method: line.method,
            path: line.path.into(),
            bulk_id: line.bulk_id.map(Into::into),
            version: line.version.map(Into::into),
            data: line.data.map(ToOwned::to_owned),
            references: line.references.into_iter().map(Into::into).collect(),
            problem: line.problem.map(|problem| Box::new(problem.into_owned())),
        }
    }
}
