//! The comparison operators: their tokens and their meaning. No other file of the core lists them.

use std::cmp::Ordering;
use std::fmt;

/// A comparison operator of RFC 7644 table 3 (`pr` is not one: it compares with nothing).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Equal.
    Eq,
    /// Not equal; true for an absent attribute.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater than.
    Gt,
    /// Greater than or equal to.
    Ge,
    /// Less than.
    Lt,
    /// Less than or equal to.
    Le,
}

impl Op {
    /// All of them, in the order of RFC 7644 table 3.
    pub const ALL: [Self; 9] =
        [Self::Eq, Self::Ne, Self::Co, Self::Sw, Self::Ew, Self::Gt, Self::Ge, Self::Lt, Self::Le];

    /// The token in a filter.
    pub fn token(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }

    /// The operator of this token, compared without case.
    pub fn from_token(token: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.token().eq_ignore_ascii_case(token))
    }

    /// Whether it looks inside a text.
    pub fn is_substring(self) -> bool {
        matches!(self, Self::Co | Self::Sw | Self::Ew)
    }

    /// Whether it asks for an order.
    pub fn is_order(self) -> bool {
        matches!(self, Self::Gt | Self::Ge | Self::Lt | Self::Le)
    }

    /// Whether `left op right` holds for texts that are already folded where `caseExact` is false;
    /// the order is that of code points (RFC 7644 s3.4.2.2).
    pub fn holds_text(self, left: &str, right: &str) -> bool {
        match self {
            Self::Co => left.contains(right),
            Self::Sw => left.starts_with(right),
            Self::Ew => left.ends_with(right),
            Self::Eq | Self::Ne | Self::Gt | Self::Ge | Self::Lt | Self::Le => {
                self.holds_order(left.cmp(right))
            }
        }
    }

    /// Whether the operator holds for two values that compare like this; the substring operators
    /// hold for no order.
    pub fn holds_order(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Co | Self::Sw | Self::Ew => false,
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.token())
    }
}
