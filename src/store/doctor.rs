//! What `usher doctor --deep` reads, piece by piece, and how it mends.

use std::collections::{BTreeSet, HashMap};

use crate::ids::TenantId;
use crate::store::dialect::each;
use crate::store::resources::Key;
use crate::store::{Error, Tx, Value};

/// A table of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// What filters look up.
    Index,
    /// What nobody else may have.
    Unique,
}

/// The entries of one type of one tenant.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Whose.
    pub tenant: &'a TenantId,
    /// The resource type's name.
    pub kind: &'a str,
    /// In which table.
    pub table: Table,
}

/// An entry as its row has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The attribute.
    pub attr: String,
    /// The normal form of the value.
    pub value: String,
    /// The resource's `id`.
    pub resource: String,
}

/// A document with what is kept beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The resource's `id`.
    pub id: String,
    /// The stored document as JSON text.
    pub doc: String,
    /// Its normal forms as JSON text.
    pub folded: String,
    /// The display name.
    pub label: String,
    /// Its state.
    pub state: String,
}

/// The resources that come after this id, at most so many.
pub async fn resources(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    kind: &str,
    after: &str,
    count: i64,
) -> Result<Vec<Kept>, Error> {
    let sql = "SELECT id, doc, CAST(folded AS TEXT), label, state FROM resources
               WHERE tenant = $1 AND kind = $2 AND id > $3 ORDER BY id LIMIT $4";
    let mut rows = tx.query(sql, &[tenant.into(), kind.into(), after.into(), count.into()]).await?;
    rows.iter_mut()
        .map(|row| {
            Ok(Kept {
                id: row.take_text(0)?,
                doc: row.take_text(1)?,
                folded: row.take_text(2)?,
                label: row.take_text(3)?,
                state: row.take_text(4)?,
            })
        })
        .collect()
}

/// The entries that come after this one in the order of their table, at most so many.
pub async fn entries(
    tx: &mut Tx<'_>,
    place: Place<'_>,
    after: &Row,
    count: i64,
) -> Result<Vec<Row>, Error> {
    let mut binds: Vec<Value> = vec![
        place.tenant.into(),
        place.kind.into(),
        count.into(),
        (&after.attr).into(),
        (&after.value).into(),
    ];
    let sql = match place.table {
        Table::Index => {
            binds.push((&after.resource).into());
            "SELECT attr, value, resource FROM attr_index
             WHERE tenant = $1 AND kind = $2 AND (attr, value, resource) > ($4, $5, $6)
             ORDER BY attr, value, resource LIMIT $3"
        }
        Table::Unique => {
            "SELECT attr, value, resource FROM unique_keys
             WHERE tenant = $1 AND kind = $2 AND (attr, value) > ($4, $5)
             ORDER BY attr, value LIMIT $3"
        }
    };
    let mut rows = tx.query(sql, &binds).await?;
    rows.iter_mut()
        .map(|row| {
            let (attr, value) = (row.take_text(0)?, row.take_text(1)?);
            Ok(Row { attr, value, resource: row.take_text(2)? })
        })
        .collect()
}

/// The documents of those of these resources that exist, by id.
pub async fn documents(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    kind: &str,
    ids: &BTreeSet<&str>,
) -> Result<HashMap<String, String>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<[&str; 1]> = ids.iter().map(|id| [*id]).collect();
    // A query as a value is never turned into a join: each look-up goes by the whole key.
    let sql = each!(
        tx,
        "SELECT e.value ->> 0,
             (SELECT r.doc FROM resources r
              WHERE r.tenant = $1 AND r.kind = $2 AND r.id = e.value ->> 0)
         FROM",
        each("$3"),
        ""
    );
    let rows = tx.query(sql, &[tenant.into(), kind.into(), Value::rows(&ids)]).await?;
    let mut found = HashMap::new();
    for row in &rows {
        if let Some(doc) = row.maybe_text(1)? {
            found.insert(row.text(0)?.to_owned(), doc.to_owned());
        }
    }
    Ok(found)
}

/// Those of these entries that are not there; with each the resource that has its unique value, if
/// there is one.
pub async fn absent(
    tx: &mut Tx<'_>,
    place: Place<'_>,
    wanted: &[Row],
) -> Result<Vec<(Row, Option<String>)>, Error> {
    let sql = match place.table {
        Table::Index => each!(
            tx,
            "SELECT e.value ->> 0, e.value ->> 1, e.value ->> 2,
                 (SELECT i.resource FROM attr_index i
                  WHERE i.tenant = $1 AND i.kind = $2 AND i.attr = e.value ->> 0
                      AND i.value = e.value ->> 1 AND i.resource = e.value ->> 2)
             FROM",
            each("$3"),
            ""
        ),
        Table::Unique => each!(
            tx,
            "SELECT e.value ->> 0, e.value ->> 1, e.value ->> 2,
                 (SELECT k.resource FROM unique_keys k
                  WHERE k.tenant = $1 AND k.kind = $2 AND k.attr = e.value ->> 0
                      AND k.value = e.value ->> 1)
             FROM",
            each("$3"),
            ""
        ),
    };
    let mut absent = Vec::new();
    let binds = [place.tenant.into(), place.kind.into(), rows(wanted)];
    for mut row in tx.query(sql, &binds).await? {
        let holder = row.maybe_text(3)?.map(str::to_owned);
        let (attr, value) = (row.take_text(0)?, row.take_text(1)?);
        let row = Row { attr, value, resource: row.take_text(2)? };
        if holder.as_deref() != Some(row.resource.as_str()) {
            absent.push((row, holder));
        }
    }
    Ok(absent)
}

fn rows(rows: &[Row]) -> Value {
    let rows: Vec<_> = rows.iter().map(|row| (&row.attr, &row.value, &row.resource)).collect();
    Value::rows(&rows)
}

/// Adds entries; those that are there, or whose unique value is taken, stay as they are.
pub async fn add(tx: &mut Tx<'_>, place: Place<'_>, new: &[Row]) -> Result<u64, Error> {
    if new.is_empty() {
        return Ok(0);
    }
    let sql = match place.table {
        Table::Index => each!(
            tx,
            "INSERT INTO attr_index (tenant, kind, attr, value, resource)
             SELECT $1, $2, e.value ->> 0, e.value ->> 1, e.value ->> 2 FROM",
            each("$3"),
            "WHERE TRUE ON CONFLICT DO NOTHING"
        ),
        Table::Unique => each!(
            tx,
            "INSERT INTO unique_keys (tenant, kind, attr, value, resource)
             SELECT $1, $2, e.value ->> 0, e.value ->> 1, e.value ->> 2 FROM",
            each("$3"),
            "WHERE TRUE ON CONFLICT DO NOTHING"
        ),
    };
    tx.execute(sql, &[place.tenant.into(), place.kind.into(), rows(new)]).await
}

/// Removes entries, each by its whole key.
pub async fn remove(tx: &mut Tx<'_>, place: Place<'_>, gone: &[Row]) -> Result<u64, Error> {
    let sql = match place.table {
        Table::Index => {
            "DELETE FROM attr_index
             WHERE tenant = $1 AND kind = $2 AND attr = $3 AND value = $4 AND resource = $5"
        }
        Table::Unique => {
            "DELETE FROM unique_keys
             WHERE tenant = $1 AND kind = $2 AND attr = $3 AND value = $4 AND resource = $5"
        }
    };
    let gone: Vec<[&str; 3]> =
        gone.iter().map(|row| [row.attr.as_str(), &row.value, &row.resource]).collect();
    let gone: Vec<&[&str]> = gone.iter().map(|row| &row[..]).collect();
    tx.execute_each(sql, &[place.tenant.into(), place.kind.into()], &gone).await
}

/// Writes what is kept beside a document anew. Its version stays: the document is the same.
pub async fn set_derived(
    tx: &mut Tx<'_>,
    key: Key<'_>,
    folded: String,
    [label, state]: [&str; 2],
) -> Result<(), Error> {
    let sql = "UPDATE resources SET folded = $4, label = $5, state = $6
               WHERE tenant = $1 AND kind = $2 AND id = $3";
    let place = [key.tenant.into(), key.kind.into(), key.id.into()];
    let binds = [&place[..], &[Value::Json(folded), label.into(), state.into()]].concat();
    tx.execute(sql, &binds).await.map(drop)
}
