//! Index rows and unique keys of one resource. On PostgreSQL they go with the resource itself, in one
//! statement (insert.rs, update.rs, delete.rs).

use std::collections::HashSet;

use super::Key;
use crate::store::{Error, Tx, Value};

/// Attribute and normal form of a value.
pub type Entry = (String, String);

/// What can be looked up of a document, each entry once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entries {
    /// Values of indexed attributes.
    pub index: Vec<Entry>,
    /// Values that must be unique.
    pub unique: Vec<Entry>,
}

/// Those of the first that are not among the others.
pub(super) fn without<'a>(entries: &'a [Entry], others: &[Entry]) -> Vec<&'a Entry> {
    if entries == others {
        return Vec::new();
    }
    if others.len() <= FEW {
        return entries.iter().filter(|entry| !others.contains(entry)).collect();
    }
    let others: HashSet<&Entry> = others.iter().collect();
    entries.iter().filter(|entry| !others.contains(entry)).collect()
}

/// So many are looked through sooner than hashed.
const FEW: usize = 16;

/// Adds the attributes and the values as two lists.
pub(super) fn bind(binds: &mut Vec<Value>, entries: &[&Entry]) {
    binds.push(Value::texts(entries.iter().map(|entry| entry.0.as_str())));
    binds.push(Value::texts(entries.iter().map(|entry| entry.1.as_str())));
}

/// Adds index rows.
pub(super) async fn list(tx: &mut Tx<'_>, key: Key<'_>, new: &[&Entry]) -> Result<(), Error> {
    let sql = "INSERT INTO attr_index (tenant, kind, resource, attr, value)
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    each(tx, sql, key, new).await.map(drop)
}

/// Removes index rows.
pub(super) async fn hide(tx: &mut Tx<'_>, key: Key<'_>, gone: &[&Entry]) -> Result<(), Error> {
    let sql = "DELETE FROM attr_index WHERE tenant = $1 AND kind = $2
               AND attr = $4 AND value = $5 AND resource = $3";
    each(tx, sql, key, gone).await.map(drop)
}

/// Takes unique values, or says which attribute's value is taken.
pub(super) async fn take(tx: &mut Tx<'_>, key: Key<'_>, new: &[&Entry]) -> Result<(), Error> {
    for entry in new {
        // One that is ours already stays and counts.
        let sql = "INSERT INTO unique_keys (tenant, kind, resource, attr, value)
                   VALUES ($1, $2, $3, $4, $5)
                   ON CONFLICT (tenant, kind, attr, value) DO UPDATE SET resource = excluded.resource
                       WHERE unique_keys.resource = excluded.resource";
        if each(tx, sql, key, &[entry]).await? == 0 {
            return Err(Error::Taken(entry.0.clone()));
        }
    }
    Ok(())
}

/// Gives unique values free, those that are this resource's own.
pub(super) async fn release(tx: &mut Tx<'_>, key: Key<'_>, gone: &[&Entry]) -> Result<(), Error> {
    let sql = "DELETE FROM unique_keys WHERE tenant = $1 AND kind = $2
               AND attr = $4 AND value = $5 AND resource = $3";
    each(tx, sql, key, gone).await.map(drop)
}

/// One statement for each entry, by its whole key.
async fn each(
    tx: &mut Tx<'_>,
    sql: &'static str,
    key: Key<'_>,
    entries: &[&Entry],
) -> Result<u64, Error> {
    if entries.is_empty() {
        return Ok(0);
    }
    let rows: Vec<[&str; 2]> =
        entries.iter().map(|(attr, value)| [attr.as_str(), value.as_str()]).collect();
    let rows: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
    let place = [key.tenant.into(), key.kind.into(), key.id.into()];
    tx.execute_each(sql, &place, &rows).await
}
