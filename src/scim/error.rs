//! What the protocol can refuse: one variant per `scimType` of RFC 7644 table 9 and RFC 9865 table 3.

/// A refusal with a sentence for the administrator who reads it in the identity provider's log.
///
/// The sentence names the attribute or the position, says what was wrong and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
pub enum Error {
    /// The filter, or a filter inside a PATCH path, does not parse or does not fit the schema.
    #[error("{0}")]
    InvalidFilter(String),
    /// The body is not the message that was expected.
    #[error("{0}")]
    InvalidSyntax(String),
    /// The path of a PATCH operation is malformed or names no attribute.
    #[error("{0}")]
    InvalidPath(String),
    /// The path selects nothing to work on.
    #[error("{0}")]
    NoTarget(String),
    /// A value is missing, of the wrong type, or not allowed.
    #[error("{0}")]
    InvalidValue(String),
    /// The attribute may not be changed like this (readOnly, immutable, required).
    #[error("{0}")]
    Mutability(String),
    /// A protocol version that is not served.
    #[error("{0}")]
    InvalidVers(String),
    /// The request would put sensitive data into a URL (answered with 403).
    #[error("{0}")]
    Sensitive(String),
    /// More results than the server is willing to work on.
    #[error("{0}")]
    TooMany(String),
    /// A cursor that was not given out for this query to this caller (RFC 9865 s2.1).
    #[error("{0}")]
    InvalidCursor(String),
    /// A cursor that is too old (RFC 9865 s2.1).
    #[error("{0}")]
    ExpiredCursor(String),
    /// Another count than the one that the walk began with (RFC 9865 s2.1).
    #[error("{0}")]
    InvalidCount(String),
}

impl Error {
    /// The `scimType` keyword.
    pub fn scim_type(&self) -> &'static str {
        match self {
            Self::InvalidFilter(_) => "invalidFilter",
            Self::InvalidSyntax(_) => "invalidSyntax",
            Self::InvalidPath(_) => "invalidPath",
            Self::NoTarget(_) => "noTarget",
            Self::InvalidValue(_) => "invalidValue",
            Self::Mutability(_) => "mutability",
            Self::InvalidVers(_) => "invalidVers",
            Self::Sensitive(_) => "sensitive",
            Self::TooMany(_) => "tooMany",
            Self::InvalidCursor(_) => "invalidCursor",
            Self::ExpiredCursor(_) => "expiredCursor",
            Self::InvalidCount(_) => "invalidCount",
        }
    }

    /// The same refusal with this text before its sentence: where in the message it happened.
    #[must_use]
    pub fn after(self, place: &str) -> Self {
        let put = |text: String| format!("{place}{text}");
        match self {
            Self::InvalidFilter(text) => Self::InvalidFilter(put(text)),
            Self::InvalidSyntax(text) => Self::InvalidSyntax(put(text)),
            Self::InvalidPath(text) => Self::InvalidPath(put(text)),
            Self::NoTarget(text) => Self::NoTarget(put(text)),
            Self::InvalidValue(text) => Self::InvalidValue(put(text)),
            Self::Mutability(text) => Self::Mutability(put(text)),
            Self::InvalidVers(text) => Self::InvalidVers(put(text)),
            Self::Sensitive(text) => Self::Sensitive(put(text)),
            Self::TooMany(text) => Self::TooMany(put(text)),
            Self::InvalidCursor(text) => Self::InvalidCursor(put(text)),
            Self::ExpiredCursor(text) => Self::ExpiredCursor(put(text)),
            Self::InvalidCount(text) => Self::InvalidCount(put(text)),
        }
    }
}
