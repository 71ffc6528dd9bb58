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
