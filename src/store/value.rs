//! What goes into a statement and what comes out of it, the same for both databases.

use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::Error;

/// A value bound to `$n`, or read from a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number (BIGINT), or NULL.
    Int(Option<i64>),
    /// A floating-point number (DOUBLE PRECISION).
    Real(f64),
    /// Text, or NULL.
    Text(Option<String>),
    /// JSON text, bound as JSONB on PostgreSQL and as text on SQLite.
    Json(String),
    /// A list of texts for `UNNEST` on PostgreSQL; SQLite takes rows one by one.
    Texts(Vec<String>),
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Int(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(Some(text.clone()))
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(str::to_owned))
    }
}

impl From<Micros> for Value {
    fn from(moment: Micros) -> Self {
        Self::Int(Some(moment.0))
    }
}

impl From<Option<Micros>> for Value {
    fn from(moment: Option<Micros>) -> Self {
        Self::Int(moment.map(|moment| moment.0))
    }
}

impl From<&TenantId> for Value {
    fn from(id: &TenantId) -> Self {
        id.as_str().into()
    }
}

impl Value {
    /// About how many bytes it is.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Int(_) | Self::Real(_) => 8,
            Self::Text(text) => text.as_ref().map_or(0, String::len),
            Self::Json(text) => text.len(),
            Self::Texts(texts) => texts.iter().map(String::len).sum(),
        }
    }

    /// A list of texts.
    pub(super) fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Self::Texts(texts.into_iter().map(str::to_owned).collect())
    }

    /// A list of rows for `each!`, as JSON: `[["a", "b"], …]`.
    pub(super) fn rows<R: serde::Serialize>(rows: &[R]) -> Self {
        Self::Json(serde_json::to_string(rows).unwrap_or_default())
    }
}

/// One row of an answer, by position of the column.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(pub Vec<Value>);

impl Row {
    /// The text in this column.
    pub fn text(&self, column: usize) -> Result<&str, Error> {
        match self.0.get(column) {
            Some(Value::Text(Some(text)) | Value::Json(text)) => Ok(text),
            other => Err(unexpected(column, "text", other)),
        }
    }

    /// The text in this column, which leaves it empty.
    pub fn take_text(&mut self, column: usize) -> Result<String, Error> {
        match self.0.get_mut(column) {
            Some(Value::Text(Some(text)) | Value::Json(text)) => Ok(std::mem::take(text)),
            other => Err(unexpected(column, "text", other.as_deref())),
        }
    }

    /// The text in this column, or none where it is NULL.
    pub fn maybe_text(&self, column: usize) -> Result<Option<&str>, Error> {
        match self.0.get(column) {
            Some(Value::Text(text)) => Ok(text.as_deref()),
            Some(Value::Int(None)) => Ok(None),
            other => Err(unexpected(column, "text or NULL", other)),
        }
    }

    /// The whole number in this column.
    pub fn int(&self, column: usize) -> Result<i64, Error> {
        match self.0.get(column) {
            Some(Value::Int(Some(number))) => Ok(*number),
            other => Err(unexpected(column, "a number", other)),
        }
    }

    /// The whole number in this column, or none where it is NULL.
    pub fn maybe_int(&self, column: usize) -> Result<Option<i64>, Error> {
        match self.0.get(column) {
            Some(Value::Int(number)) => Ok(*number),
            Some(Value::Text(None)) => Ok(None),
            other => Err(unexpected(column, "a number or NULL", other)),
        }
    }
}

/// The value itself stays out of the message: it may be somebody's data.
fn unexpected(column: usize, wanted: &str, found: Option<&Value>) -> Error {
    let found = match found {
        None => "no such column",
        Some(Value::Int(None) | Value::Text(None)) => "NULL",
        Some(Value::Int(_)) => "a number",
        Some(Value::Real(_)) => "a fraction",
        Some(Value::Text(_) | Value::Json(_)) => "text",
        Some(Value::Texts(_)) => "texts",
    };
    Error::Database(format!("column {column}: wanted {wanted}, found {found}"))
}

/// A statement that was put together at run time. Its text comes from schemas and constants only;
/// whatever a client typed is among the binds.
#[derive(Debug, Clone, Default)]
pub struct Sql {
    /// The text, with `$1`, `$2`, … for the binds.
    pub text: String,
    /// The values of `$1`, `$2`, … in order.
    pub binds: Vec<Value>,
}

impl Sql {
    /// A statement that begins with this text.
    pub fn new(text: &str) -> Self {
        Self { text: text.to_owned(), binds: Vec::new() }
    }

    /// Appends text.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends `$n` for this value.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        let place = self.hold(value);
        self.text.push_str(&place);
        self
    }

    /// Keeps this value and gives its place, `$n`, to be written wherever it is needed.
    pub fn hold(&mut self, value: impl Into<Value>) -> String {
        self.binds.push(value.into());
        format!("${}", self.binds.len())
    }
}
