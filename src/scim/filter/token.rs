//! The words of a filter.

use crate::scim::error::Error;

/// One word, with the position (counted in characters from 1) at which it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'t> {
    pub(super) at: usize,
    pub(super) what: Word<'t>,
}

/// What a word is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Word<'t> {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// A JSON string, read.
    Text(String),
    /// Anything else up to the next space, bracket, parenthesis or quote.
    Bare(&'t str),
}

/// A refusal that names a position.
pub(super) fn refuse(at: usize, what: &str) -> Error {
    Error::InvalidFilter(format!("Filter, position {at}: {what}"))
}

/// Splits a filter into words.
pub(super) fn split(text: &str) -> Result<Vec<Token<'_>>, Error> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut at = 1;
    while let Some(first) = rest.chars().next() {
        let (length, what) = match first {
            _ if first.is_ascii_whitespace() => (1, None),
            '(' => (1, Some(Word::Open)),
            ')' => (1, Some(Word::Close)),
            '[' => (1, Some(Word::OpenBracket)),
            ']' => (1, Some(Word::CloseBracket)),
            '"' => {
                let length = quoted(rest, at)?;
                (length, Some(Word::Text(string(&rest[..length], at)?)))
            }
            _ => {
                let end = rest.find(ends_word).unwrap_or(rest.len());
                (end, Some(Word::Bare(&rest[..end])))
            }
        };
        if let Some(what) = what {
            tokens.push(Token { at, what });
        }
        at += rest[..length].chars().count();
        rest = &rest[length..];
    }
    Ok(tokens)
}

fn ends_word(c: char) -> bool {
    c.is_ascii_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '"')
}

/// The length of the JSON string at the beginning, both quotes included.
fn quoted(text: &str, at: usize) -> Result<usize, Error> {
    let mut escaped = false;
    for (place, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Ok(place + 1),
            _ => {}
        }
    }
    Err(refuse(at, "the text that begins here has no closing double quote."))
}

fn string(json: &str, at: usize) -> Result<String, Error> {
    let text: String = serde_json::from_str(json).map_err(|_| {
        refuse(
            at,
            "this text is not a JSON string. Write a double quote as \\\" and a backslash as \\\\.",
        )
    })?;
    // No stored value has it, and PostgreSQL cannot take it as an operand.
    if text.contains('\0') {
        return Err(refuse(at, "the text contains U+0000, which no value can contain."));
    }
    Ok(text)
}
