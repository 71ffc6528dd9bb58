//! The few expressions in which SQLite and PostgreSQL differ. Everything else is one text.

/// Which database speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The embedded database.
    Sqlite,
    /// The shared database.
    Postgres,
}

/// One text for both databases that reads the rows of [`Value::rows`](super::Value): `e.value ->> 0`
/// is the first column of a row.
macro_rules! each {
    ($tx:expr, $before:literal, each($place:literal), $after:literal) => {
        match $tx.dialect() {
            $crate::store::Dialect::Sqlite => {
                concat!($before, " json_each(", $place, ") AS e ", $after)
            }
            $crate::store::Dialect::Postgres => {
                concat!($before, " jsonb_array_elements(", $place, ") AS e(value) ", $after)
            }
        }
    };
}
pub(super) use each;

impl Dialect {
    /// A member's name as the right side of `->` and `->>`.
    pub fn member(self, name: &str) -> String {
        match self {
            // SQLite takes a name that begins with a dollar for a path.
            Self::Sqlite if name.starts_with('$') => literal(&format!("$.\"{name}\"")),
            Self::Sqlite | Self::Postgres => literal(name),
        }
    }

    /// The elements of a JSON array as rows of `alias` with the columns `value` and `key`, in
    /// order; no rows where the array is NULL.
    pub fn each(self, array: &str, alias: &str) -> String {
        match self {
            Self::Sqlite => format!("json_each({array}) {alias}"),
            Self::Postgres => {
                format!("jsonb_array_elements({array}) WITH ORDINALITY AS {alias}(value, key)")
            }
        }
    }

    /// What stands around a query that gives the ids to look up, before anything is looked up.
    ///
    /// PostgreSQL would join instead, and scan where a young table has no statistics.
    pub fn among(self) -> (&'static str, &'static str) {
        match self {
            Self::Sqlite => ("IN (", ")"),
            Self::Postgres => ("= ANY (ARRAY(", "))"),
        }
    }

    /// The text of an element that is no object.
    pub fn simple(self, alias: &str) -> String {
        match self {
            Self::Sqlite => format!("{alias}.value"),
            Self::Postgres => format!("({alias}.value #>> '{{}}')"),
        }
    }

    /// The text so that it sorts by code points.
    pub fn by_code_point(self, text: &str) -> String {
        match self {
            Self::Sqlite => text.to_owned(),
            Self::Postgres => format!("({text}) COLLATE \"C\""),
        }
    }

    /// Whether a text contains another. LIKE would fold case on SQLite and read wildcards.
    pub fn contains(self, text: &str, part: &str) -> String {
        match self {
            Self::Sqlite => format!("instr({text}, {part}) > 0"),
            Self::Postgres => format!("strpos({text}, {part}) > 0"),
        }
    }

    /// Whether a text ends with another.
    pub fn ends_with(self, text: &str, part: &str) -> String {
        match self {
            // A part that is longer than the text gives some shorter text, which cannot equal it.
            Self::Sqlite => {
                format!("substr({text}, length({text}) - length({part}) + 1) = {part}")
            }
            Self::Postgres => format!("right({text}, length({part})) = {part}"),
        }
    }
}

/// A constant of the program or of a schema as an SQL literal; what clients type is bound instead.
pub(in crate::store) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
