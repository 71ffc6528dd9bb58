//! Index rows and unique keys of one resource.

use std::collections::HashSet;

use super::Key;
use crate::store::dialect::each;
use crate::store::{Dialect, Error, Tx, Value};

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

/// Turns the rows of one document into those of another; what stays is not touched.
pub(super) async fn replace(
    tx: &mut Tx<'_>,
    key: Key<'_>,
    before: &Entries,
    after: &Entries,
) -> Result<(), Error> {
    release(tx, key, &without(&before.unique, &after.unique)).await?;
    hide(tx, key, &without(&before.index, &after.index)).await?;
    take(tx, key, without(&after.unique, &before.unique)).await?;
    list(tx, key, &without(&after.index, &before.index)).await
}

fn without<'a>(entries: &'a [Entry], others: &[Entry]) -> Vec<&'a Entry> {
    if entries == others {
        return Vec::new();
    }
    let others: HashSet<&Entry> = others.iter().collect();
    entries.iter().filter(|entry| !others.contains(entry)).collect()
}

/// Adds index rows.
async fn list(tx: &mut Tx<'_>, key: Key<'_>, entries: &[&Entry]) -> Result<(), Error> {
    let sql = each!(
        tx,
        "INSERT INTO attr_index (tenant, kind, resource, attr, value)
         SELECT $1, $2, $3, e.value ->> 0, e.value ->> 1 FROM",
        each("$4"),
        "WHERE TRUE ON CONFLICT DO NOTHING"
    );
    all_at_once(tx, sql, key, entries).await
}

/// Takes unique values, or says which attribute's value is taken.
async fn take(tx: &mut Tx<'_>, key: Key<'_>, mut entries: Vec<&Entry>) -> Result<(), Error> {
    if entries.is_empty() {
        return Ok(());
    }
    // In one order everywhere, so that two takers wait for each other and do not lock up.
    entries.sort();
    entries.dedup();
    let sql = each!(
        tx,
        "INSERT INTO unique_keys (tenant, kind, resource, attr, value)
         SELECT $1, $2, $3, e.value ->> 0, e.value ->> 1 FROM",
        each("$4"),
        "WHERE TRUE ON CONFLICT DO NOTHING RETURNING attr, value"
    );
    let binds = [key.tenant.into(), key.kind.into(), key.id.into(), Value::rows(&entries)];
    let taken = tx.query(sql, &binds).await?;
    let ours: HashSet<(&str, &str)> =
        taken.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect::<Result<_, Error>>()?;
    match entries.iter().find(|(attr, value)| !ours.contains(&(attr, value))) {
        Some((attr, _)) => Err(Error::Taken(attr.clone())),
        None => Ok(()),
    }
}

/// Removes index rows.
async fn hide(tx: &mut Tx<'_>, key: Key<'_>, gone: &[&Entry]) -> Result<(), Error> {
    match tx.dialect() {
        Dialect::Sqlite => {
            let sql = "DELETE FROM attr_index WHERE tenant = $1 AND kind = $2
                       AND attr = $4 AND value = $5 AND resource = $3";
            one_by_one(tx, sql, key, gone).await
        }
        // Whatever the server believes about the table's size, each row is found by the whole key.
        Dialect::Postgres => {
            let sql = "DELETE FROM attr_index WHERE ctid = ANY (ARRAY(
                           SELECT found.ctid FROM jsonb_array_elements($4) AS e(value)
                           CROSS JOIN LATERAL (
                               SELECT i.ctid FROM attr_index i
                               WHERE i.tenant = $1 AND i.kind = $2 AND i.attr = e.value ->> 0
                                   AND i.value = e.value ->> 1 AND i.resource = $3
                               LIMIT 1) found))";
            all_at_once(tx, sql, key, gone).await
        }
    }
}

/// Gives unique values free, those that are this resource's own.
async fn release(tx: &mut Tx<'_>, key: Key<'_>, gone: &[&Entry]) -> Result<(), Error> {
    match tx.dialect() {
        Dialect::Sqlite => {
            let sql = "DELETE FROM unique_keys WHERE tenant = $1 AND kind = $2
                       AND attr = $4 AND value = $5 AND resource = $3";
            one_by_one(tx, sql, key, gone).await
        }
        Dialect::Postgres => {
            let sql = "DELETE FROM unique_keys WHERE ctid = ANY (ARRAY(
                           SELECT found.ctid FROM jsonb_array_elements($4) AS e(value)
                           CROSS JOIN LATERAL (
                               SELECT k.ctid FROM unique_keys k
                               WHERE k.tenant = $1 AND k.kind = $2 AND k.attr = e.value ->> 0
                                   AND k.value = e.value ->> 1 AND k.resource = $3
                               LIMIT 1) found))";
            all_at_once(tx, sql, key, gone).await
        }
    }
}

async fn one_by_one(
    tx: &mut Tx<'_>,
    sql: &'static str,
    key: Key<'_>,
    entries: &[&Entry],
) -> Result<(), Error> {
    for (attr, value) in entries {
        let place = [key.tenant.into(), key.kind.into(), key.id.into(), attr.into(), value.into()];
        tx.execute(sql, &place).await?;
    }
    Ok(())
}

async fn all_at_once(
    tx: &mut Tx<'_>,
    sql: &'static str,
    key: Key<'_>,
    entries: &[&Entry],
) -> Result<(), Error> {
    if entries.is_empty() {
        return Ok(());
    }
    let binds = [key.tenant.into(), key.kind.into(), key.id.into(), Value::rows(entries)];
    tx.execute(sql, &binds).await.map(drop)
}
