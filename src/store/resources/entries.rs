//! Index rows and unique keys of one resource.

use std::collections::HashSet;

use super::{Draft, Key};
use crate::store::dialect::each;
use crate::store::{Error, Tx, Value};

type Entry = (String, String);

/// Adds index rows.
pub(super) async fn index(
    tx: &mut Tx<'_>,
    key: Key<'_>,
    entries: Vec<&Entry>,
) -> Result<(), Error> {
    if entries.is_empty() {
        return Ok(());
    }
    let sql = each!(
        tx,
        "INSERT INTO attr_index (tenant, kind, resource, attr, value)
         SELECT $1, $2, $3, e.value ->> 0, e.value ->> 1 FROM",
        each("$4"),
        "WHERE TRUE ON CONFLICT DO NOTHING"
    );
    let binds = [key.tenant.into(), key.kind.into(), key.id.into(), Value::rows(&entries)];
    tx.execute(sql, &binds).await.map(drop)
}

/// Takes unique values, or says which attribute's value is taken.
pub(super) async fn take(
    tx: &mut Tx<'_>,
    key: Key<'_>,
    mut entries: Vec<&Entry>,
) -> Result<(), Error> {
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

/// Makes the rows those of this draft; what stays is not touched.
pub(super) async fn replace(tx: &mut Tx<'_>, key: Key<'_>, draft: &Draft) -> Result<(), Error> {
    let place = [key.tenant.into(), key.kind.into(), key.id.into()];
    let rows = tx
        .query(
            "SELECT 0, attr, value FROM attr_index
             WHERE tenant = $1 AND kind = $2 AND resource = $3
             UNION ALL
             SELECT 1, attr, value FROM unique_keys
             WHERE tenant = $1 AND kind = $2 AND resource = $3",
            &place,
        )
        .await?;
    let (mut index_before, mut unique_before) = (HashSet::new(), HashSet::new());
    for row in &rows {
        let entry = (row.text(1)?.to_owned(), row.text(2)?.to_owned());
        let before = if row.int(0)? == 0 { &mut index_before } else { &mut unique_before };
        before.insert(entry);
    }
    let gone = without(&unique_before, &draft.unique);
    if !gone.is_empty() {
        let sql = each!(
            tx,
            "DELETE FROM unique_keys WHERE tenant = $1 AND kind = $2 AND resource = $3
             AND (attr, value) IN (SELECT e.value ->> 0, e.value ->> 1 FROM",
            each("$4"),
            ")"
        );
        drop_rows(tx, sql, key, &gone).await?;
    }
    let gone = without(&index_before, &draft.index);
    if !gone.is_empty() {
        let sql = each!(
            tx,
            "DELETE FROM attr_index WHERE tenant = $1 AND kind = $2 AND resource = $3
             AND (attr, value) IN (SELECT e.value ->> 0, e.value ->> 1 FROM",
            each("$4"),
            ")"
        );
        drop_rows(tx, sql, key, &gone).await?;
    }
    take(tx, key, draft.unique.iter().filter(|new| !unique_before.contains(*new)).collect())
        .await?;
    index(tx, key, draft.index.iter().filter(|new| !index_before.contains(*new)).collect()).await
}

fn without<'a>(before: &'a HashSet<Entry>, after: &[Entry]) -> Vec<&'a Entry> {
    let after: HashSet<&Entry> = after.iter().collect();
    before.iter().filter(|entry| !after.contains(entry)).collect()
}

async fn drop_rows(
    tx: &mut Tx<'_>,
    sql: &'static str,
    key: Key<'_>,
    gone: &[&Entry],
) -> Result<(), Error> {
    let binds = [key.tenant.into(), key.kind.into(), key.id.into(), Value::rows(gone)];
    tx.execute(sql, &binds).await.map(drop)
}
