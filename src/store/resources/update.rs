//! Changes of a resource.

use super::entries::{self, Entries, Entry};
use super::{Before, Draft, Key};
use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::{Dialect, Error, Row, Tx, Value};

/// Replaces the document of a resource and gives its new version.
///
/// Whoever changed it since it was read wins: this change is asked to begin again.
pub async fn update(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    before: Before<'_>,
    draft: &Draft,
    now: Micros,
) -> Result<i64, Error> {
    let stored = before.stored;
    let mut binds = vec![
        tenant.into(),
        (&stored.kind).into(),
        (&stored.id).into(),
        stored.version.into(),
        (&draft.doc).into(),
        Value::Json(draft.folded.clone()),
        (&draft.label).into(),
        now.into(),
    ];
    let difference = Difference::of(before.entries, &draft.entries);
    if tx.dialect() == Dialect::Postgres && !difference.is_empty() {
        let sql = difference.bind(&mut binds);
        let rows = tx.change(sql, &binds, |rows| rows.iter().any(|row| row.int(0).is_ok())).await?;
        return outcome(&rows, before);
    }
    let sql = "UPDATE resources
               SET doc = $5, folded = $6, label = $7, version = version + 1, modified_at = $8
               WHERE tenant = $1 AND kind = $2 AND id = $3 AND version = $4 RETURNING version";
    let rows = tx.query(sql, &binds).await?;
    let version = rows.first().ok_or_else(|| overtaken(before))?.int(0)?;
    let key = Key { tenant, kind: &stored.kind, id: &stored.id };
    entries::release(tx, key, &difference.gone_keys).await?;
    entries::hide(tx, key, &difference.gone).await?;
    entries::take(tx, key, &difference.new_keys).await?;
    entries::list(tx, key, &difference.new).await?;
    Ok(version)
}

fn overtaken(before: Before<'_>) -> Error {
    let Before { stored, .. } = before;
    Error::Again(format!("{} {} was changed meanwhile", stored.kind, stored.id))
}

/// The version, or the attribute whose value is taken.
fn outcome(rows: &[Row], before: Before<'_>) -> Result<i64, Error> {
    let row = rows.first().ok_or_else(|| overtaken(before))?;
    match (row.maybe_int(0)?, row.maybe_text(1)?) {
        (_, Some(attribute)) => Err(Error::Taken(attribute.to_owned())),
        (Some(version), None) => Ok(version),
        (None, None) => Err(overtaken(before)),
    }
}

/// What a change adds to the entries and takes from them.
struct Difference<'a> {
    gone: Vec<&'a Entry>,
    new: Vec<&'a Entry>,
    gone_keys: Vec<&'a Entry>,
    new_keys: Vec<&'a Entry>,
}

impl<'a> Difference<'a> {
    fn of(before: &'a Entries, after: &'a Entries) -> Self {
        Self {
            gone: entries::without(&before.index, &after.index),
            new: entries::without(&after.index, &before.index),
            gone_keys: entries::without(&before.unique, &after.unique),
            new_keys: entries::without(&after.unique, &before.unique),
        }
    }

    fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.new.is_empty() && !self.has_keys()
    }

    fn has_keys(&self) -> bool {
        !self.gone_keys.is_empty() || !self.new_keys.is_empty()
    }

    /// Adds the binds and gives the statement to which they belong.
    fn bind(&self, binds: &mut Vec<Value>) -> &'static str {
        entries::bind(binds, &self.gone);
        entries::bind(binds, &self.new);
        if !self.has_keys() {
            return WITH_INDEX;
        }
        entries::bind(binds, &self.gone_keys);
        entries::bind(binds, &self.new_keys);
        WITH_KEYS
    }
}

/// The parts that follow the change of the document itself. Each row that goes is found by its whole
/// key, whatever the server believes of the table's size.
macro_rules! index_follows {
    () => {
        "hidden AS (
             DELETE FROM attr_index WHERE ctid = ANY (ARRAY(
                 SELECT found.ctid FROM UNNEST($9::TEXT[], $10::TEXT[]) AS e (attr, value)
                 CROSS JOIN LATERAL (
                     SELECT i.ctid FROM attr_index i
                     WHERE i.tenant = $1 AND i.kind = $2 AND i.attr = e.attr
                         AND i.value = e.value AND i.resource = $3
                     LIMIT 1) found
                 WHERE EXISTS (SELECT FROM changed)))
         ), listed AS (
             INSERT INTO attr_index (tenant, kind, attr, value, resource)
             SELECT $1, $2, e.attr, e.value, $3
             FROM UNNEST($11::TEXT[], $12::TEXT[]) AS e (attr, value)
             WHERE EXISTS (SELECT FROM changed)
             ON CONFLICT DO NOTHING
         )"
    };
}

const WITH_INDEX: &str = concat!(
    "WITH changed AS (
         UPDATE resources
         SET doc = $5, folded = $6, label = $7, version = version + 1, modified_at = $8
         WHERE tenant = $1 AND kind = $2 AND id = $3 AND version = $4 RETURNING version
     ), ",
    index_follows!(),
    " SELECT version, NULL::TEXT FROM changed"
);

/// Nothing is written when a value is taken.
const WITH_KEYS: &str = concat!(
    "WITH taken AS MATERIALIZED (
         SELECT e.attr FROM UNNEST($15::TEXT[], $16::TEXT[]) AS e (attr, value)
         WHERE EXISTS (SELECT FROM unique_keys k WHERE k.tenant = $1 AND k.kind = $2
                           AND k.attr = e.attr AND k.value = e.value AND k.resource <> $3 OFFSET 0)
     ), changed AS (
         UPDATE resources
         SET doc = $5, folded = $6, label = $7, version = version + 1, modified_at = $8
         WHERE tenant = $1 AND kind = $2 AND id = $3 AND version = $4
             AND NOT EXISTS (SELECT FROM taken)
         RETURNING version
     ), released AS (
         DELETE FROM unique_keys WHERE ctid = ANY (ARRAY(
             SELECT found.ctid FROM UNNEST($13::TEXT[], $14::TEXT[]) AS e (attr, value)
             CROSS JOIN LATERAL (
                 SELECT k.ctid FROM unique_keys k
                 WHERE k.tenant = $1 AND k.kind = $2 AND k.attr = e.attr
                     AND k.value = e.value AND k.resource = $3
                 LIMIT 1) found
             WHERE EXISTS (SELECT FROM changed)))
     ), took AS (
         INSERT INTO unique_keys (tenant, kind, attr, value, resource)
         SELECT $1, $2, e.attr, e.value, $3
         FROM UNNEST($15::TEXT[], $16::TEXT[]) AS e (attr, value)
         WHERE EXISTS (SELECT FROM changed)
         -- One that is ours already stays and counts.
         ON CONFLICT (tenant, kind, attr, value) DO UPDATE SET resource = excluded.resource
             WHERE unique_keys.resource = excluded.resource
         RETURNING 1
     ), ",
    index_follows!(),
    "SELECT (SELECT version FROM changed
             WHERE (SELECT COUNT(*) FROM took) = CARDINALITY($15::TEXT[])),
            (SELECT MIN(attr) FROM taken)"
);

/// Counts a change that is not in the document (members, password); gives the new version.
pub async fn touch(tx: &mut Tx<'_>, key: Key<'_>, now: Micros) -> Result<Option<i64>, Error> {
    let rows = tx
        .query(
            "UPDATE resources SET version = version + 1, modified_at = $4
             WHERE tenant = $1 AND kind = $2 AND id = $3 RETURNING version",
            &[key.tenant.into(), key.kind.into(), key.id.into(), now.into()],
        )
        .await?;
    rows.first().map(|row| row.int(0)).transpose()
}
