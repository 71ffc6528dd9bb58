//! Filters (RFC 7644 s3.4.2.2): what they are, how they are read, and what they mean.

use std::fmt;

use serde_json::Number;

use crate::scim::path::AttrPath;

mod anchor;
mod bind;
mod display;
pub mod eval;
pub mod op;
mod parse;
mod token;

pub use bind::{Binding, Bound, Target, Unknown, bind, bind_elements, sortable};
pub use op::Op;
pub use parse::{Grammar, parse};

/// A filter as it was written; names are not resolved yet.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All of these; never empty.
    And(Vec<Filter>),
    /// Any of these; never empty.
    Or(Vec<Filter>),
    /// The opposite.
    Not(Box<Filter>),
    /// `path pr`: the attribute has a value.
    Present(AttrPath),
    /// `path op value`.
    Compare {
        /// The attribute.
        path: AttrPath,
        /// The operator.
        op: Op,
        /// What to compare with.
        value: Literal,
    },
    /// `path[filter]`: one element of the attribute fulfils the whole inner filter.
    Within {
        /// The multi-valued (or complex) attribute.
        path: AttrPath,
        /// What its element must fulfil; its names are sub-attributes.
        filter: Box<Filter>,
    },
}

/// A value in a filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A JSON string, without its quotes.
    Text(String),
    /// A JSON number.
    Number(Number),
    /// `true` or `false`.
    Bool(bool),
    /// `null`: unassigned (RFC 7643 s2.5).
    Null,
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // A JSON string, so that quotes and escapes come back as they were meant.
            Self::Text(text) => write!(f, "{}", serde_json::Value::from(text.as_str())),
            Self::Number(number) => write!(f, "{number}"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Null => f.write_str("null"),
        }
    }
}
