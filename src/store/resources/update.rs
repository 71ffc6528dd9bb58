//! Changes of a resource.

use std::collections::HashMap;

use super::entries::{self, Entries, Entry};
use super::{Draft, Key};
use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::beside::{self, blocked, recorded, seated, unblocked};
use crate::store::turns::{late, turn};
use crate::store::{Dialect, Error, Row, Tx, Value, records, seats, turns};

/// Another document of a resource.
#[derive(Debug, Clone, Copy)]
pub struct Next<'a> {
    /// The resource's `id`.
    pub id: &'a str,
    /// The version that it is to replace.
    pub version: i64,
    /// The entries of the document that it is to replace, of what differs at least. Nothing in the
    /// database leads from a resource to its entries, which would double the cost of each: they are
    /// computed.
    pub before: &'a Entries,
    /// The document with everything that belongs to it.
    pub draft: &'a Draft,
    /// When it is changed.
    pub now: Micros,
}

/// What became of a change that shared a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Updated {
    /// It is done, and this is the new version.
    To(i64),
    /// The document is not of the version that was read.
    Overtaken,
    /// A seat that it takes is not to be had by counting alone.
    Full,
}

/// Replaces the document of a resource and gives its new version; none, and nothing is done, where it
/// is not of the version that was read. Refuses a unique value that is taken, and with
/// [`Error::Full`] a seat that is not to be had by counting.
pub async fn update(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    kind: &str,
    next: Next<'_>,
) -> Result<Option<i64>, Error> {
    let difference = Difference::of(next.before, &next.draft.entries);
    if tx.dialect() == Dialect::Postgres && !difference.has_keys() {
        let updated = update_many(tx, tenant, kind, &[next]).await?;
        return match updated.first() {
            Some(Updated::To(version)) => Ok(Some(*version)),
            Some(Updated::Full) => Err(Error::Full),
            Some(Updated::Overtaken) | None => Ok(None),
        };
    }
    let shifts = &next.draft.beside.shifts;
    if !seats::shift(tx, tenant, shifts).await? {
        return Err(Error::Full);
    }
    let version = match tx.dialect() {
        Dialect::Sqlite => step_by_step(tx, tenant, kind, next, &difference).await?,
        Dialect::Postgres => with_keys(tx, tenant, kind, next, &difference).await?,
    };
    match version {
        Some(_) => records::write(tx, tenant, next.draft.beside.change.as_slice()).await?,
        None => seats::shift_back(tx, tenant, shifts).await?,
    }
    Ok(version)
}

async fn step_by_step(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    kind: &str,
    next: Next<'_>,
    difference: &Difference<'_>,
) -> Result<Option<i64>, Error> {
    let sql = "UPDATE resources
               SET doc = $5, folded = $6, label = $7, version = version + 1, modified_at = $8,
                   state = $9
               WHERE tenant = $1 AND kind = $2 AND id = $3 AND version = $4 RETURNING version";
    let rows = tx.query(sql, &binds(tenant, kind, next)).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let version = row.int(0)?;
    let key = Key { tenant, kind, id: next.id };
    entries::release(tx, key, &difference.gone_keys).await?;
    entries::hide(tx, key, &difference.gone).await?;
    entries::take(tx, key, &difference.new_keys).await?;
    entries::list(tx, key, &difference.new).await?;
    Ok(Some(version))
}

async fn with_keys(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    kind: &str,
    next: Next<'_>,
    difference: &Difference<'_>,
) -> Result<Option<i64>, Error> {
    let mut binds = binds(tenant, kind, next);
    for entries in [&difference.gone, &difference.new, &difference.gone_keys, &difference.new_keys]
    {
        entries::bind(&mut binds, entries);
    }
    let rows = tx.change(WITH_KEYS, &binds, |rows| rows.iter().any(|row| row.int(0).is_ok()));
    let rows = rows.await?;
    let Some(row) = rows.first() else { return Ok(None) };
    if let Some(attribute) = row.maybe_text(1)? {
        return Err(Error::Taken(attribute.to_owned()));
    }
    let version = row.maybe_int(0)?;
    if version.is_some() && row.int(2)? == 0 {
        // Nobody of this tenant writes beside us, so somebody does who keeps no turns.
        return Err(Error::Again("a unique value was taken meanwhile".to_owned()));
    }
    Ok(version)
}

fn binds(tenant: &TenantId, kind: &str, next: Next<'_>) -> Vec<Value> {
    vec![
        tenant.into(),
        kind.into(),
        next.id.into(),
        next.version.into(),
        (&next.draft.doc).into(),
        Value::Json(next.draft.folded.clone()),
        (&next.draft.label).into(),
        next.now.into(),
        (&next.draft.state).into(),
    ]
}

/// Replaces documents of different resources of one type, the unique values of which stay, in one
/// statement; for PostgreSQL, where it is a round trip for all of them. Says what became of each.
pub async fn update_many(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    kind: &str,
    all: &[Next<'_>],
) -> Result<Vec<Updated>, Error> {
    let texts = |of: fn(&Next<'_>) -> String| Value::Texts(all.iter().map(of).collect());
    let mut binds = vec![
        tenant.into(),
        kind.into(),
        texts(|next| next.id.to_owned()),
        texts(|next| next.version.to_string()),
        texts(|next| next.draft.doc.clone()),
        texts(|next| next.draft.folded.clone()),
        texts(|next| next.draft.label.clone()),
        texts(|next| next.now.0.to_string()),
    ];
    binds.extend(beside::shifts(all.iter().map(|next| (next.id, &next.draft.beside))));
    binds.extend(beside::changes(all.iter().map(|next| &next.draft.beside)));
    binds.push(texts(|next| next.draft.state.clone()));
    let differences: Vec<_> = all
        .iter()
        .map(|next| (next.id, Difference::of(next.before, &next.draft.entries)))
        .collect();
    let is_listed = |(_, difference): &(_, Difference<'_>)| {
        !difference.gone.is_empty() || !difference.new.is_empty()
    };
    let lists = differences.iter().any(is_listed);
    let has_seats = all.iter().any(|next| !next.draft.beside.shifts.is_empty());
    let sql = match (has_seats, lists) {
        (false, false) => ALIKE,
        (false, true) => LISTED,
        (true, false) => SEATED,
        (true, true) => SEATED_AND_LISTED,
    };
    if lists {
        bind_rows(&mut binds, &differences, |difference| &difference.gone);
        bind_rows(&mut binds, &differences, |difference| &difference.new);
    }
    let wrote = |rows: &[Row]| rows.iter().any(|row| row.text(0) == Ok("changed"));
    let rows = tx.change(sql, &binds, wrote).await?;
    turns::check(&rows)?;
    let mut updated = HashMap::with_capacity(rows.len());
    for row in &rows {
        let came = if row.text(0)? == "full" { Updated::Full } else { Updated::To(row.int(2)?) };
        updated.insert(row.text(1)?, came);
    }
    Ok(all.iter().map(|next| updated.get(next.id).copied().unwrap_or(Updated::Overtaken)).collect())
}

/// Adds attributes, values and resources of entries, in the order of the table: neighbours go into
/// one page.
fn bind_rows<'d>(
    binds: &mut Vec<Value>,
    differences: &'d [(&'d str, Difference<'d>)],
    entries: impl Fn(&'d Difference<'d>) -> &'d Vec<&'d Entry>,
) {
    let mut rows: Vec<[&str; 3]> = differences
        .iter()
        .flat_map(|(id, difference)| {
            entries(difference).iter().map(|(attr, value)| [attr.as_str(), value.as_str(), *id])
        })
        .collect();
    rows.sort_unstable();
    for column in 0..3 {
        binds.push(Value::texts(rows.iter().filter_map(|row| row.get(column).copied())));
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

    fn has_keys(&self) -> bool {
        !self.gone_keys.is_empty() || !self.new_keys.is_empty()
    }
}

/// Other documents, and what hangs on them. Each row that goes is found by its whole key, whatever the
/// server believes of the table's size.
macro_rules! many {
    ($blocked:expr, $index:expr, $seated:expr) => {
        concat!(
            turn!(),
            $blocked,
            "changed AS (
                 UPDATE resources r
                 SET doc = n.doc, folded = n.folded::JSONB, label = n.label,
                     version = r.version + 1, modified_at = n.now::BIGINT, state = n.state
                 FROM UNNEST($3::TEXT[], $4::TEXT[], $5::TEXT[], $6::TEXT[], $7::TEXT[],
                             $8::TEXT[], $22::TEXT[])
                     AS n (id, version, doc, folded, label, now, state)
                 CROSS JOIN LATERAL (
                     SELECT o.ctid FROM resources o
                     WHERE o.tenant = $1 AND o.kind = $2 AND o.id = n.id LIMIT 1) found
                 WHERE r.ctid = found.ctid AND r.version = n.version::BIGINT
                     AND n.id NOT IN (SELECT b.id FROM blocked b) AND EXISTS (SELECT FROM mine)
                 RETURNING r.id, r.version
             )",
            $index,
            $seated,
            recorded!(
                "$13::TEXT[], $14::TEXT[], $15::TEXT[], $16::TEXT[], $17::TEXT[], $18::TEXT[],
                 $19::TEXT[], $20::TEXT[], $21::TEXT[]",
                "changed"
            ),
            " SELECT 'changed', id, version FROM changed
              UNION ALL SELECT 'full', id, 0 FROM blocked",
            late!("'', 0")
        )
    };
}

/// Index entries that go and come.
macro_rules! listed {
    () => {
        ", hidden AS (
             DELETE FROM attr_index WHERE ctid = ANY (ARRAY(
                 SELECT found.ctid
                 FROM UNNEST($23::TEXT[], $24::TEXT[], $25::TEXT[]) AS e (attr, value, id)
                 CROSS JOIN LATERAL (
                     SELECT i.ctid FROM attr_index i
                     WHERE i.tenant = $1 AND i.kind = $2 AND i.attr = e.attr
                         AND i.value = e.value AND i.resource = e.id
                     LIMIT 1) found
                 WHERE e.id = ANY (ARRAY(SELECT c.id FROM changed c))))
         ), listed AS (
             INSERT INTO attr_index (tenant, kind, attr, value, resource)
             SELECT $1, $2, e.attr, e.value, e.id
             FROM UNNEST($26::TEXT[], $27::TEXT[], $28::TEXT[]) AS e (attr, value, id)
             WHERE e.id = ANY (ARRAY(SELECT c.id FROM changed c))
             ON CONFLICT DO NOTHING
         )"
    };
}

/// Documents whose index entries and seats stay: a statement of few parts begins sooner.
const ALIKE: &str = many!(unblocked!("$9::TEXT[], $10::TEXT[], $11::TEXT[], $12::TEXT[]"), "", "");

/// Documents whose seats stay.
const LISTED: &str =
    many!(unblocked!("$9::TEXT[], $10::TEXT[], $11::TEXT[], $12::TEXT[]"), listed!(), "");

/// Documents whose index entries stay.
const SEATED: &str =
    many!(blocked!("$9::TEXT[], $10::TEXT[], $11::TEXT[], $12::TEXT[]"), "", seated!("changed"));

const SEATED_AND_LISTED: &str = many!(
    blocked!("$9::TEXT[], $10::TEXT[], $11::TEXT[], $12::TEXT[]"),
    listed!(),
    seated!("changed")
);

/// Nothing is written when a value is taken.
const WITH_KEYS: &str = "WITH taken AS MATERIALIZED (
         SELECT e.attr FROM UNNEST($16::TEXT[], $17::TEXT[]) AS e (attr, value)
         WHERE EXISTS (SELECT FROM unique_keys k WHERE k.tenant = $1 AND k.kind = $2
                           AND k.attr = e.attr AND k.value = e.value AND k.resource <> $3 OFFSET 0)
     ), changed AS (
         UPDATE resources
         SET doc = $5, folded = $6, label = $7, version = version + 1, modified_at = $8, state = $9
         WHERE tenant = $1 AND kind = $2 AND id = $3 AND version = $4
             AND NOT EXISTS (SELECT FROM taken)
         RETURNING version
     ), released AS (
         DELETE FROM unique_keys WHERE ctid = ANY (ARRAY(
             SELECT found.ctid FROM UNNEST($14::TEXT[], $15::TEXT[]) AS e (attr, value)
             CROSS JOIN LATERAL (
                 SELECT k.ctid FROM unique_keys k
                 WHERE k.tenant = $1 AND k.kind = $2 AND k.attr = e.attr
                     AND k.value = e.value AND k.resource = $3
                 LIMIT 1) found
             WHERE EXISTS (SELECT FROM changed)))
     ), took AS (
         INSERT INTO unique_keys (tenant, kind, attr, value, resource)
         SELECT $1, $2, e.attr, e.value, $3
         FROM UNNEST($16::TEXT[], $17::TEXT[]) AS e (attr, value)
         WHERE EXISTS (SELECT FROM changed)
         -- One that is ours already stays and counts.
         ON CONFLICT (tenant, kind, attr, value) DO UPDATE SET resource = excluded.resource
             WHERE unique_keys.resource = excluded.resource
         RETURNING 1
     ), hidden AS (
         DELETE FROM attr_index WHERE ctid = ANY (ARRAY(
             SELECT found.ctid FROM UNNEST($10::TEXT[], $11::TEXT[]) AS e (attr, value)
             CROSS JOIN LATERAL (
                 SELECT i.ctid FROM attr_index i
                 WHERE i.tenant = $1 AND i.kind = $2 AND i.attr = e.attr
                     AND i.value = e.value AND i.resource = $3
                 LIMIT 1) found
             WHERE EXISTS (SELECT FROM changed)))
     ), listed AS (
         INSERT INTO attr_index (tenant, kind, attr, value, resource)
         SELECT $1, $2, e.attr, e.value, $3
         FROM UNNEST($12::TEXT[], $13::TEXT[]) AS e (attr, value)
         WHERE EXISTS (SELECT FROM changed)
         ON CONFLICT DO NOTHING
     )
     SELECT (SELECT version FROM changed), (SELECT MIN(attr) FROM taken),
         (SELECT COUNT(*) FROM took) = CARDINALITY($16::TEXT[])";

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
