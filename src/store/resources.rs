//! SCIM resources: documents with their index rows and unique keys.

mod delete;
mod entries;
mod insert;
mod list;
mod update;

use std::collections::HashMap;

use serde_json::Value as Json;

use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::dialect::each;
use crate::store::{Beside, Dialect, Error, Row, Sql, Tx, Value, states};

pub use delete::delete;
pub use entries::{Entries, Entry};
pub use insert::{Left, New, insert, insert_many};
pub use list::{Counts, Found, Listed, Part, Slice, Sort, Totals, list};
pub use update::{Next, Updated, touch, update, update_many};

/// The resource type whose members are rows.
pub(super) const GROUP: &str = "Group";

/// Which resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key<'a> {
    /// Whose.
    pub tenant: &'a TenantId,
    /// The resource type's name.
    pub kind: &'a str,
    /// Its `id`.
    pub id: &'a str,
}

/// A document on its way in, with everything that is derived from it (scim/fold.rs).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// The stored document as JSON text.
    pub doc: String,
    /// The same tree in normal forms, as JSON text.
    pub folded: String,
    /// Its state (scim/state.rs).
    pub state: String,
    /// The display name.
    pub label: String,
    /// What can be looked up of it; where it replaces another document, of what differs at least.
    pub entries: Entries,
    /// What is written beside it.
    pub beside: Beside,
}

/// A resource as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The resource type's name.
    pub kind: String,
    /// Its `id`.
    pub id: String,
    /// The stored document as JSON text.
    pub doc: String,
    /// The display name.
    pub label: String,
    /// Grows by one with every change.
    pub version: i64,
    /// When it was made.
    pub created: Micros,
    /// When it was last changed.
    pub modified: Micros,
}

impl Stored {
    /// The stored document.
    pub fn document(&self) -> Result<serde_json::Map<String, Json>, Error> {
        serde_json::from_str(&self.doc).map_err(|error| self.damaged(&error))
    }

    /// What is said of a document that is no JSON.
    pub fn damaged(&self, error: &serde_json::Error) -> Error {
        Error::Database(format!("{} {} is damaged: {error}", self.kind, self.id))
    }

    pub(super) fn read(mut row: Row) -> Result<Self, Error> {
        Self::read_from(&mut row, 0)
    }

    /// From the columns of a row that begin with this one.
    pub(super) fn read_from(row: &mut Row, first: usize) -> Result<Self, Error> {
        Ok(Self {
            kind: row.take_text(first)?,
            id: row.take_text(first + 1)?,
            doc: row.take_text(first + 2)?,
            label: row.take_text(first + 3)?,
            version: row.int(first + 4)?,
            created: Micros(row.int(first + 5)?),
            modified: Micros(row.int(first + 6)?),
        })
    }
}

/// Finds a resource. Inside a change no row needs a lock: the writes of a tenant take turns, on all
/// instances together, and [`update()`] compares the version all the same.
pub async fn find(tx: &mut Tx<'_>, key: Key<'_>) -> Result<Option<Stored>, Error> {
    let rows = tx
        .query(
            "SELECT kind, id, doc, label, version, created_at, modified_at FROM resources
             WHERE tenant = $1 AND kind = $2 AND id = $3",
            &[key.tenant.into(), key.kind.into(), key.id.into()],
        )
        .await?;
    rows.into_iter().next().map(Stored::read).transpose()
}

/// The kind and display name of those of these resources that exist, by id.
pub async fn labels(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    kinds: &[&str],
    ids: &[String],
) -> Result<HashMap<String, (String, String)>, Error> {
    if ids.is_empty() || kinds.is_empty() {
        return Ok(HashMap::new());
    }
    // A query as a value is never turned into a join: each look-up goes by the whole key.
    let sql = each!(
        tx,
        "SELECT e.value ->> 1, e.value ->> 0,
             (SELECT r.label FROM resources r
              WHERE r.tenant = $1 AND r.kind = e.value ->> 0 AND r.id = e.value ->> 1)
         FROM",
        each("$2"),
        ""
    );
    let rows = tx.query(sql, &[tenant.into(), places(kinds, ids)]).await?;
    let mut found = HashMap::new();
    for row in &rows {
        if let Some(label) = row.maybe_text(2)? {
            found.insert(row.text(0)?.to_owned(), (row.text(1)?.to_owned(), label.to_owned()));
        }
    }
    Ok(found)
}

/// The documents of those of these resources that exist, by id.
pub async fn documents(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    kind: &str,
    ids: &[String],
) -> Result<HashMap<String, serde_json::Map<String, Json>>, Error> {
    let mut found = HashMap::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let sql = each!(
        tx,
        "SELECT e.value ->> 1,
             (SELECT r.doc FROM resources r
              WHERE r.tenant = $1 AND r.kind = e.value ->> 0 AND r.id = e.value ->> 1)
         FROM",
        each("$2"),
        ""
    );
    for row in tx.query(sql, &[tenant.into(), places(&[kind], ids)]).await? {
        let (id, text) = (row.text(0)?, row.maybe_text(1)?);
        let doc = text.map(serde_json::from_str).transpose();
        let damaged = |error| Error::Database(format!("{kind} {id} is damaged: {error}"));
        if let Some(doc) = doc.map_err(damaged)? {
            found.insert(id.to_owned(), doc);
        }
    }
    Ok(found)
}

/// How many resources have each value of an indexed attribute that has few values.
pub async fn counts_of(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    kind: &str,
    attr: &str,
) -> Result<HashMap<String, i64>, Error> {
    let sql = "SELECT value, COUNT(*) FROM attr_index
               WHERE tenant = $1 AND kind = $2 AND attr = $3 GROUP BY value";
    let rows = tx.query(sql, &[tenant.into(), kind.into(), attr.into()]).await?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?))).collect()
}

/// Active users with one of some values of an indexed attribute that few have, in the order of their ids.
pub async fn active_with(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    (attr, values): (&str, &[String]),
    most: i64,
) -> Result<Vec<Stored>, Error> {
    let active = states::of_users(tx, tenant, "lifecycle", |value| value == "active").await?;
    let (open, shut) = tx.dialect().among();
    let mut sql = Sql::new(
        "SELECT r.kind, r.id, r.doc, r.label, r.version, r.created_at, r.modified_at
         FROM resources r WHERE r.kind = 'User' AND r.tenant = ",
    );
    sql.bind(tenant);
    sql.push(&format!(" AND r.id {open}SELECT i.resource FROM attr_index i WHERE i.tenant = "));
    sql.bind(tenant).push(" AND i.kind = 'User' AND i.attr = ").bind(attr);
    states::among(&mut sql, "i.value", values);
    sql.push(shut);
    states::among(&mut sql, states::looked_at(tx.dialect()), &active);
    sql.push(" ORDER BY r.id LIMIT ").bind(most);
    tx.run(&sql).await?.into_iter().map(Stored::read).collect()
}

/// The ids of users, behind this one, that have no value at this place of an extension.
pub async fn unruled(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    (extension, attribute): (&str, &str),
    after: &str,
    most: i64,
) -> Result<Vec<String>, Error> {
    let (sql, path) = match tx.dialect() {
        Dialect::Sqlite => (
            "SELECT id FROM resources WHERE tenant = $1 AND kind = 'User' AND id > $2
             AND folded ->> $3 IS NULL ORDER BY id LIMIT $4",
            format!("$.\"{extension}\".{attribute}"),
        ),
        Dialect::Postgres => (
            "SELECT id FROM resources WHERE tenant = $1 AND kind = 'User' AND id > $2
             AND folded #>> string_to_array($3, '|') IS NULL ORDER BY id LIMIT $4",
            format!("{extension}|{attribute}"),
        ),
    };
    let rows = tx.query(sql, &[tenant.into(), after.into(), path.into(), most.into()]).await?;
    rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

/// Every kind with every id: a resource is found by both, so that the primary key serves.
pub(super) fn places(kinds: &[&str], ids: &[String]) -> Value {
    let pairs: Vec<_> =
        ids.iter().flat_map(|id| kinds.iter().map(move |kind| [*kind, id.as_str()])).collect();
    Value::rows(&pairs)
}
