//! Walking along an index until a page is full.
//!
//! Every statement here has one sensible plan, so that it needs no statistics: the index is read in
//! its order, and each resource is looked up by its key.

use super::{Listed, Part, Slice};
use crate::scim::cursor::{Mark, SortKey};
use crate::scim::filter::{Bound, Target};
use crate::scim::fold;
use crate::store::dialect::literal;
use crate::store::filter::{self, Sorted};
use crate::store::resources::Stored;
use crate::store::{Dialect, Error, Row, Sql, Tx, Value, states};

/// What is asked of a row.
pub(super) const COLUMNS: &str =
    "r.kind, r.id, r.doc, r.label, r.version, r.created_at, r.modified_at";

/// The index to walk along.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum By {
    /// By id.
    Id,
    /// By this column of moments, then by id.
    Time(&'static str),
    /// Resources with this value of an indexed attribute, by id.
    Entry { attr: String, value: String },
    /// By the values of an indexed attribute that begin with a text, then by id.
    Value { attr: String, sorted: Sorted, prefix: String },
    /// Resources in any of these states, by id.
    States(Vec<String>),
}

/// A walk, and which of the resources it meets are wanted.
#[derive(Debug, Clone)]
pub(super) struct Walk<'p> {
    by: By,
    filter: Option<&'p Bound<'p>>,
    /// Only those that have no value of this attribute.
    without: Option<Target<'p>>,
}

impl<'p> Walk<'p> {
    pub(super) fn new(by: By, filter: Option<&'p Bound<'p>>) -> Self {
        Self { by, filter, without: None }
    }

    /// The same, for those that have no value of this attribute.
    pub(super) fn of_those_without(self, target: Target<'p>) -> Self {
        Self { without: Some(target), ..self }
    }

    fn table(&self) -> &'static str {
        match self.by {
            By::Id | By::Time(_) | By::States(_) => "resources",
            By::Entry { .. } | By::Value { .. } => "attr_index",
        }
    }

    fn id(&self) -> &'static str {
        match self.by {
            By::Id | By::Time(_) | By::States(_) => "id",
            By::Entry { .. } | By::Value { .. } => "resource",
        }
    }

    /// The column that comes before the id.
    fn key(&self) -> Option<&'static str> {
        match self.by {
            By::Id | By::Entry { .. } | By::States(_) => None,
            By::Time(column) => Some(column),
            By::Value { .. } => Some("value"),
        }
    }

    fn is_choosy(&self) -> bool {
        self.filter.is_some() || self.without.is_some()
    }

    /// Appends what a row `r` has to fulfil, each with AND before.
    fn conditions(&self, sql: &mut Sql, dialect: Dialect, part: &Part<'_>) {
        if let Some(bound) = self.filter {
            sql.push(" AND (");
            filter::condition(sql, dialect, &part.world, bound);
            sql.push(")");
        }
        if let Some(target) = &self.without {
            sql.push(" AND (");
            // As what it is sorted says nothing here: there is no value.
            filter::sort_key(sql, dialect, &part.world, Some(target), Sorted::Text);
            sql.push(") IS NULL");
        }
    }

    /// Appends the place of the walk in the alias `w`.
    fn scope(&self, sql: &mut Sql, part: &Part<'_>, alias: &str) {
        sql.push(&format!("{alias}.tenant = ")).bind(part.world.tenant);
        sql.push(&format!(" AND {alias}.kind = ")).bind(part.kind());
        match &self.by {
            By::Id | By::Time(_) | By::States(_) => {}
            By::Entry { attr, value } => {
                sql.push(&format!(" AND {alias}.attr = {} AND {alias}.value = ", literal(attr)));
                sql.bind(value);
            }
            By::Value { attr, prefix, .. } => {
                sql.push(&format!(" AND {alias}.attr = {}", literal(attr)));
                if !prefix.is_empty() {
                    sql.push(&format!(" AND {alias}.value >= ")).bind(prefix);
                }
                if let Some(end) = behind(prefix) {
                    sql.push(&format!(" AND {alias}.value < ")).bind(end);
                }
            }
        }
    }

    /// Appends where a slice begins.
    fn begin(&self, sql: &mut Sql, slice: &Slice, alias: &str) {
        let Some(mark) = &slice.after else { return self.begin_anywhere(sql, alias) };
        let sign = sign(slice.down, mark);
        let id = format!("{alias}.{}", self.id());
        match (self.key(), &mark.key) {
            (Some(key), Some(value)) => {
                sql.push(&format!(" AND ({alias}.{key}, {id}) {sign} ("));
                sql.bind(self.bound_key(value)).push(", ").bind(&mark.id).push(")");
            }
            (None, _) | (_, None) => {
                sql.push(&format!(" AND {id} {sign} ")).bind(&mark.id);
            }
        }
    }

    /// Appends a bound that bounds nothing. Without it PostgreSQL may find all by another index, and
    /// sort them, as long as it has no statistics.
    fn begin_anywhere(&self, sql: &mut Sql, alias: &str) {
        match self.by {
            By::Id => sql.push(&format!(" AND {alias}.id >= ''")),
            By::Time(column) => sql.push(&format!(" AND {alias}.{column} >= -9223372036854775807")),
            By::Entry { .. } | By::Value { .. } | By::States(_) => sql,
        };
    }

    /// The key as the column has it.
    fn bound_key(&self, key: &SortKey) -> Value {
        match (&self.by, key) {
            (By::Value { .. }, SortKey::Int(number)) => number.to_string().into(),
            (_, SortKey::Int(number)) => (*number).into(),
            (_, SortKey::Real(number)) => (*number).into(),
            // A text that is walked by is shorter than what would be cut.
            (_, SortKey::Text(text)) => String::from_utf8_lossy(text).into_owned().into(),
        }
    }

    /// Appends the order, and how much is wanted.
    fn end(&self, sql: &mut Sql, slice: &Slice, alias: &str) {
        self.order(sql, slice, &format!("{alias}.{}", self.id()), alias);
        limit(sql, slice);
    }

    fn order(&self, sql: &mut Sql, slice: &Slice, id: &str, alias: &str) {
        let way = if slice.down { " DESC" } else { "" };
        sql.push(" ORDER BY ");
        if let Some(key) = self.key() {
            sql.push(&format!("{alias}.{key}{way}, "));
        }
        sql.push(&format!("{id}{way}"));
    }

    fn statement(&self, dialect: Dialect, part: &Part<'_>, slice: &Slice) -> Sql {
        if let By::States(states) = &self.by {
            return self.of_states(states, dialect, part, slice);
        }
        let mut sql = Sql::new(&format!("SELECT {COLUMNS}"));
        let key = self.key();
        let select = |sql: &mut Sql, alias: &str| {
            if let Some(key) = key {
                sql.push(&format!(", {alias}.{key}"));
            }
        };
        if self.table() == "resources" && (self.is_choosy() || slice.skip == 0) {
            select(&mut sql, "r");
            sql.push(" FROM resources r WHERE ");
            self.scope(&mut sql, part, "r");
            self.begin(&mut sql, slice, "r");
            self.conditions(&mut sql, dialect, part);
            self.end(&mut sql, slice, "r");
            return sql;
        }
        select(&mut sql, "w");
        if self.is_choosy() {
            sql.push(&format!(" FROM {} w ", self.table()));
            self.join(&mut sql, dialect, part, &format!("w.{}", self.id()));
            self.scope(&mut sql, part, "w");
            self.begin(&mut sql, slice, "w");
            self.end(&mut sql, slice, "w");
            return sql;
        }
        // What is left out is counted in the index alone.
        sql.push(&format!(" FROM (SELECT w.{} AS id", self.id()));
        select(&mut sql, "w");
        sql.push(&format!(" FROM {} w WHERE ", self.table()));
        self.scope(&mut sql, part, "w");
        self.begin(&mut sql, slice, "w");
        self.end(&mut sql, slice, "w");
        sql.push(") w ");
        self.join(&mut sql, dialect, part, "w.id");
        sql.push("1 = 1");
        self.order(&mut sql, slice, "w.id", "w");
        sql
    }

    /// A walk along several pieces of one index at once: each is in the order of ids, and so is what comes
    /// of all of them.
    fn of_states(
        &self,
        states: &[String],
        dialect: Dialect,
        part: &Part<'_>,
        slice: &Slice,
    ) -> Sql {
        // What is left out is counted in the index alone.
        let whole = self.is_choosy() || slice.skip == 0;
        let mut sql = Sql::new("");
        if !whole {
            sql.push(&format!("SELECT {COLUMNS} FROM ("));
        }
        // PostgreSQL merges the pieces of a sub-select alone; SQLite would sort that.
        let (open, shut) = match dialect {
            Dialect::Postgres => ("SELECT * FROM (", ") r"),
            Dialect::Sqlite => ("", ""),
        };
        sql.push(open);
        for (place, state) in states.iter().enumerate() {
            sql.push(if place == 0 { "SELECT " } else { " UNION ALL SELECT " });
            sql.push(if whole { COLUMNS } else { "r.id" }).push(" FROM resources r WHERE ");
            self.scope(&mut sql, part, "r");
            sql.push(" AND r.state = ").bind(state);
            self.begin(&mut sql, slice, "r");
            self.conditions(&mut sql, dialect, part);
        }
        let way = if slice.down { " DESC" } else { "" };
        sql.push(&format!("{shut} ORDER BY id{way}"));
        limit(&mut sql, slice);
        if !whole {
            sql.push(") w ");
            self.join(&mut sql, dialect, part, "w.id");
            sql.push(&format!("1 = 1 ORDER BY w.id{way}"));
        }
        sql
    }

    /// Appends the rows `r` beside those of the walk, looked up one by one, and `WHERE … AND`.
    fn join(&self, sql: &mut Sql, dialect: Dialect, part: &Part<'_>, id: &str) {
        match dialect {
            // CROSS JOIN keeps the order of the tables.
            Dialect::Sqlite => sql.push("CROSS JOIN resources r WHERE r.tenant = "),
            Dialect::Postgres => {
                sql.push("CROSS JOIN LATERAL (SELECT * FROM resources r WHERE r.tenant = ")
            }
        };
        sql.bind(part.world.tenant).push(" AND r.kind = ").bind(part.kind());
        sql.push(&format!(" AND r.id = {id}"));
        self.conditions(sql, dialect, part);
        match dialect {
            Dialect::Sqlite => sql.push(" AND "),
            // OFFSET keeps the planner from turning look-ups into one big join.
            Dialect::Postgres => sql.push(" OFFSET 0) r WHERE "),
        };
    }

    /// How many there are on the whole walk.
    pub(super) fn counting(&self, dialect: Dialect, part: &Part<'_>) -> Sql {
        let mut sql = Sql::new("SELECT COUNT(*) FROM ");
        if self.table() == "resources" {
            sql.push("resources r WHERE ");
            self.scope(&mut sql, part, "r");
            if let By::States(chosen) = &self.by {
                states::among(&mut sql, "r.state", chosen);
            }
            self.conditions(&mut sql, dialect, part);
            return sql;
        }
        sql.push(&format!("{} w ", self.table()));
        if self.is_choosy() {
            self.join(&mut sql, dialect, part, &format!("w.{}", self.id()));
        } else {
            sql.push("WHERE ");
        }
        self.scope(&mut sql, part, "w");
        sql
    }
}

/// The least text that comes after all that begin with this one; none where there is no such.
fn behind(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        // The next code point, beyond the surrogates where need be.
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

/// How the rows of a slice compare with the place where it begins.
pub(super) fn sign(down: bool, mark: &Mark) -> &'static str {
    match (down, mark.inclusive) {
        (false, false) => ">",
        (false, true) => ">=",
        (true, false) => "<",
        (true, true) => "<=",
    }
}

pub(super) fn limit(sql: &mut Sql, slice: &Slice) {
    let bounded = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    sql.push(" LIMIT ").bind(bounded(slice.count));
    if slice.skip > 0 {
        sql.push(" OFFSET ").bind(bounded(slice.skip));
    }
}

/// The piece of a walk.
pub(super) async fn rows(
    tx: &mut Tx<'_>,
    part: &Part<'_>,
    walk: &Walk<'_>,
    slice: &Slice,
) -> Result<Vec<Listed>, Error> {
    let nowhere = matches!(&walk.by, By::States(states) if states.is_empty());
    if slice.count == 0 || nowhere {
        return Ok(Vec::new());
    }
    let sql = walk.statement(tx.dialect(), part, slice);
    let sorted = match walk.by {
        By::Id | By::Entry { .. } | By::States(_) => None,
        By::Time(_) => Some(Sorted::Whole),
        By::Value { sorted, .. } => Some(sorted),
    };
    tx.run(&sql).await?.into_iter().map(|row| listed(row, sorted)).collect()
}

/// A row of [`COLUMNS`], with its key behind them where there is one.
pub(super) fn listed(mut row: Row, sorted: Option<Sorted>) -> Result<Listed, Error> {
    let key = row.0.split_off(7).pop();
    let stored = Stored::read(row)?;
    let wrong = || Error::Database(format!("{} {} cannot be sorted", stored.kind, stored.id));
    let key = match (sorted, &key) {
        (None, _) | (_, Some(Value::Text(None) | Value::Int(None))) => None,
        (Some(Sorted::Text), Some(Value::Text(Some(text)))) => {
            Some(SortKey::Text(fold::sorted_bytes(text).to_vec()))
        }
        (Some(Sorted::Whole), Some(Value::Int(Some(number)))) => Some(SortKey::Int(*number)),
        // The index holds truth values as text.
        (Some(Sorted::Whole), Some(Value::Text(Some(text)))) => {
            Some(SortKey::Int(text.parse().map_err(|_| wrong())?))
        }
        (Some(Sorted::Fraction), Some(Value::Real(number))) => Some(SortKey::Real(*number)),
        (Some(_), _) => return Err(wrong()),
    };
    Ok(Listed { stored, key })
}

#[cfg(test)]
mod tests;
