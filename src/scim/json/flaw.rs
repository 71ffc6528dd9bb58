//! What is wrong with a JSON text, and where.

use crate::scim::error::Error;

/// A place in a text: a line from 1, and bytes of it before the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column: bytes of the line up to and with the place.
    pub column: usize,
}

impl Position {
    /// The beginning of a text.
    pub const START: Self = Self { line: 1, column: 0 };

    /// The place after these bytes.
    #[must_use]
    pub fn after(self, bytes: &[u8]) -> Self {
        match bytes.iter().rposition(|byte| *byte == b'\n') {
            None => Self { line: self.line, column: self.column + bytes.len() },
            Some(last) => {
                let lines = bytes.split(|byte| *byte == b'\n').count() - 1;
                Self { line: self.line + lines, column: bytes.len() - last - 1 }
            }
        }
    }

    /// This place, of a part that begins at `start` of a whole.
    #[must_use]
    pub fn within(self, start: Self) -> Self {
        match self.line {
            1 => Self { line: start.line, column: start.column + self.column },
            more => Self { line: start.line + more - 1, column: self.column },
        }
    }
}

/// What kind of wrong it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Beyond the grammar: a sentence of ours.
    Syntax(String),
    /// A value that nothing here can hold: a sentence of ours.
    Value(String),
    /// Not in the grammar, in serde's words.
    Grammar(String),
    /// A number that no `f64` can hold.
    Number,
    /// Nothing at all.
    Empty,
    /// Not in UTF-8.
    Encoding,
}

/// Something that is wrong with a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    pub(super) kind: Kind,
    pub(super) at: Position,
}

impl Flaw {
    /// A breach of the grammar.
    pub fn grammar(what: &str, at: Position) -> Self {
        Self { kind: Kind::Grammar(what.to_owned()), at }
    }

    /// Nothing where something belongs.
    pub fn empty() -> Self {
        Self { kind: Kind::Empty, at: Position::START }
    }

    /// The same in a text of which this one is a part that begins there.
    #[must_use]
    pub fn within(self, start: Position) -> Self {
        Self { at: self.at.within(start), ..self }
    }
}

impl From<Flaw> for Error {
    fn from(flaw: Flaw) -> Self {
        let Position { line, column } = flaw.at;
        match flaw.kind {
            Kind::Syntax(text) => {
                Self::InvalidSyntax(format!("{text} (line {line} column {column})"))
            }
            Kind::Value(text) => {
                Self::InvalidValue(format!("{text} (line {line} column {column})"))
            }
            Kind::Grammar(text) => Self::InvalidSyntax(format!(
                "The body is not valid JSON: {text} at line {line} column {column}."
            )),
            Kind::Number => Self::InvalidValue(format!(
                "The number at line {line} column {column} is too large."
            )),
            Kind::Empty => {
                Self::InvalidSyntax("The body is empty; a JSON object belongs here.".into())
            }
            Kind::Encoding => Self::InvalidSyntax(format!(
                "The body is not UTF-8 at line {line} column {column}; JSON is sent in UTF-8."
            )),
        }
    }
}
