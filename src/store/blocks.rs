//! How many resources there are, by ranges of ids: totals and deep pages without a walk.
//!
//! A block is the ids from its `first` up to the `first` of the next one; the first block of a kind
//! begins with the empty text. Blocks are counted once per batch of changes, before its commit, so
//! that every reader sees counts and resources of one moment. On PostgreSQL new resources are counted
//! by the statement that stores them (store/resources/insert.rs).

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::TenantId;
use crate::store::dialect::each;
use crate::store::tx::{Counts, Crowded};
use crate::store::{Dialect, Error, Tx, Value};

/// Ids of a block when it is made. One of twice as many is cut.
const SIZE: i64 = 1024;
/// Ids of a block that is to be cut.
pub(super) const CROWDED: i64 = 2 * SIZE;

/// What came and went of one kind, by id.
type Changes<'c> = BTreeMap<&'c str, i64>;

/// Writes what a batch of changes made and removed.
pub(super) async fn settle(tx: &mut Tx<'_>, counts: &Counts) -> Result<(), Error> {
    let mut kinds: BTreeMap<(&str, &str), Changes<'_>> = BTreeMap::new();
    for count in &counts.changes {
        let changes = kinds.entry((&count.tenant, &count.kind)).or_default();
        *changes.entry(&count.id).or_default() += count.delta;
    }
    for ((tenant, kind), mut changes) in kinds {
        changes.retain(|_, delta| *delta != 0);
        if !changes.is_empty() {
            settle_kind(tx, tenant, kind, &changes).await?;
        }
    }
    for Crowded { tenant, kind, first } in counts.crowded.iter().collect::<BTreeSet<_>>() {
        cut(tx, tenant, kind, first).await?;
    }
    Ok(())
}

async fn settle_kind(
    tx: &mut Tx<'_>,
    tenant: &str,
    kind: &str,
    changes: &Changes<'_>,
) -> Result<(), Error> {
    let mut counted = add(tx, tenant, kind, changes).await?;
    if counted.is_empty() {
        tx.execute(
            "INSERT INTO resource_blocks (tenant, kind, first, live) VALUES ($1, $2, '', 0)
             ON CONFLICT DO NOTHING",
            &[tenant.into(), kind.into()],
        )
        .await?;
        counted = add(tx, tenant, kind, changes).await?;
    }
    for (first, live) in counted {
        if live >= CROWDED {
            cut(tx, tenant, kind, &first).await?;
        } else if live <= 0 && !first.is_empty() {
            // Its range falls to the block before it, which gains no id by that.
            let sql = "DELETE FROM resource_blocks WHERE tenant = $1 AND kind = $2 AND first = $3";
            tx.execute(sql, &[tenant.into(), kind.into(), first.into()]).await?;
        }
    }
    Ok(())
}

/// Counts changes in the blocks to which the ids belong: the last ones that begin before them. Gives
/// these blocks with their counts; none when the kind has no blocks yet.
async fn add(
    tx: &mut Tx<'_>,
    tenant: &str,
    kind: &str,
    changes: &Changes<'_>,
) -> Result<Vec<(String, i64)>, Error> {
    let changes: Vec<(&str, i64)> = changes.iter().map(|(id, delta)| (*id, *delta)).collect();
    let sql = each!(
        tx,
        "UPDATE resource_blocks SET live = live + CAST(changed.delta AS BIGINT)
         FROM (SELECT (SELECT b.first FROM resource_blocks b
                       WHERE b.tenant = $1 AND b.kind = $2 AND b.first <= e.value ->> 0
                       ORDER BY b.first DESC LIMIT 1) AS block,
                      SUM(CAST(e.value ->> 1 AS BIGINT)) AS delta
               FROM",
        each("$3"),
        "GROUP BY 1) changed
         WHERE resource_blocks.tenant = $1 AND resource_blocks.kind = $2
             AND resource_blocks.first = changed.block
         RETURNING resource_blocks.first, resource_blocks.live"
    );
    let rows = tx.query(sql, &[tenant.into(), kind.into(), Value::rows(&changes)]).await?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?))).collect()
}

/// Cuts a block into blocks of the usual size, counting its ids anew.
async fn cut(tx: &mut Tx<'_>, tenant: &str, kind: &str, first: &str) -> Result<(), Error> {
    let place = [tenant.into(), kind.into(), first.into()];
    let next = "SELECT first FROM resource_blocks WHERE tenant = $1 AND kind = $2 AND first > $3
                ORDER BY first LIMIT 1";
    let next = tx.query(next, &place).await?;
    let next = next.first().map_or(Ok(BEYOND), |row| row.text(0))?;
    tx.execute(
        "INSERT INTO resource_blocks (tenant, kind, first, live)
         SELECT $1, $2, CASE WHEN n.block = 0 THEN $3 ELSE MIN(n.id) END, COUNT(*)
         FROM (SELECT r.id, (ROW_NUMBER() OVER (ORDER BY r.id) - 1) / $5 AS block
               FROM resources r
               WHERE r.tenant = $1 AND r.kind = $2 AND r.id >= $3 AND r.id < $4) n
         GROUP BY n.block
         ON CONFLICT (tenant, kind, first) DO UPDATE SET live = excluded.live",
        &[tenant.into(), kind.into(), first.into(), next.into(), SIZE.into()],
    )
    .await
    .map(drop)
}

/// Greater than every id.
const BEYOND: &str = "\u{10ffff}";

/// How many resources of this kind there are.
pub async fn total(tx: &mut Tx<'_>, tenant: &TenantId, kind: &str) -> Result<u64, Error> {
    let sql = "SELECT CAST(COALESCE(SUM(live), 0) AS BIGINT) FROM resource_blocks
               WHERE tenant = $1 AND kind = $2";
    let rows = tx.query(sql, &[tenant.into(), kind.into()]).await?;
    let counted = rows.first().map_or(Ok(0), |row| row.int(0))?;
    Ok(u64::try_from(counted).unwrap_or(0))
}

/// Where the resource stands that has `skip` others before it, by id: the beginning of its block, and
/// how many there are still to leave out from there. None when there are not that many.
pub async fn place(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    kind: &str,
    skip: u64,
) -> Result<Option<(String, u64)>, Error> {
    let skip = i64::try_from(skip).unwrap_or(i64::MAX);
    let place = match tx.dialect() {
        Dialect::Sqlite => place_by_steps(tx, tenant, kind, skip).await?,
        Dialect::Postgres => place_at_once(tx, tenant, kind, skip).await?,
    };
    Ok(place.map(|(first, left)| (first, u64::try_from(left).unwrap_or(0))))
}

/// All counts as one text, and then the block: a sum that goes along costs SQLite six times as much.
async fn place_by_steps(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    kind: &str,
    skip: i64,
) -> Result<Option<(String, i64)>, Error> {
    let sql = "SELECT GROUP_CONCAT(live) FROM (
                   SELECT live FROM resource_blocks WHERE tenant = $1 AND kind = $2 ORDER BY first)";
    let rows = tx.query(sql, &[tenant.into(), kind.into()]).await?;
    let Some(counts) = rows.first().map_or(Ok(None), |row| row.maybe_text(0))? else {
        return Ok(None);
    };
    let mut left = skip;
    for (number, live) in (0_i64..).zip(counts.split(',')) {
        let live = live.parse().map_err(|_| Error::Database(format!("'{live}' is no count")))?;
        if left >= live {
            left = left.saturating_sub(live);
            continue;
        }
        let sql = "SELECT first FROM resource_blocks WHERE tenant = $1 AND kind = $2
                   ORDER BY first LIMIT 1 OFFSET $3";
        let rows = tx.query(sql, &[tenant.into(), kind.into(), number.into()]).await?;
        return rows.first().map(|row| Ok((row.text(0)?.to_owned(), left))).transpose();
    }
    Ok(None)
}

/// One round trip. Sums of `BIGINT` are numerics to PostgreSQL, and without `ROWS` it looks for peers of
/// each row: a third more together.
async fn place_at_once(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    kind: &str,
    skip: i64,
) -> Result<Option<(String, i64)>, Error> {
    let sql = "SELECT first, CAST($3 - through + live AS BIGINT)
               FROM (SELECT first, live,
                            SUM(CAST(live AS INTEGER)) OVER (ORDER BY first ROWS UNBOUNDED PRECEDING)
                                AS through
                     FROM resource_blocks WHERE tenant = $1 AND kind = $2) b
               WHERE through > $3 ORDER BY first LIMIT 1";
    let rows = tx.query(sql, &[tenant.into(), kind.into(), skip.into()]).await?;
    rows.first().map(|row| Ok((row.text(0)?.to_owned(), row.int(1)?))).transpose()
}

/// A block that is not counted right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miscounted {
    /// Where it begins.
    pub first: String,
    /// How many it says there are.
    pub told: i64,
    /// How many there are.
    pub counted: i64,
}

/// Counts all resources of a kind and gives the blocks that say something else.
pub async fn check(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    kind: &str,
) -> Result<Vec<Miscounted>, Error> {
    // Where the first block is missing there may be resources before all others.
    let rows = tx
        .query(
            "SELECT b.first, b.live,
                 (SELECT COUNT(*) FROM resources r WHERE r.tenant = $1 AND r.kind = $2
                      AND r.id >= b.first AND r.id < COALESCE(b.until, $3)) AS counted
             FROM (SELECT first, live, LEAD(first) OVER (ORDER BY first) AS until
                   FROM resource_blocks WHERE tenant = $1 AND kind = $2
                   UNION ALL
                   SELECT '', 0, (SELECT MIN(first) FROM resource_blocks
                                  WHERE tenant = $1 AND kind = $2)
                   WHERE NOT EXISTS (SELECT 1 FROM resource_blocks
                                     WHERE tenant = $1 AND kind = $2 AND first = '')) b
             ORDER BY b.first",
            &[tenant.into(), kind.into(), BEYOND.into()],
        )
        .await?;
    let mut wrong = Vec::new();
    for row in &rows {
        let block =
            Miscounted { first: row.text(0)?.to_owned(), told: row.int(1)?, counted: row.int(2)? };
        if block.told != block.counted {
            wrong.push(block);
        }
    }
    Ok(wrong)
}

/// Makes the blocks of a kind anew from what is there.
pub async fn rebuild(tx: &mut Tx<'_>, tenant: &TenantId, kind: &str) -> Result<(), Error> {
    let sql = "DELETE FROM resource_blocks WHERE tenant = $1 AND kind = $2";
    tx.execute(sql, &[tenant.into(), kind.into()]).await?;
    cut(tx, tenant.as_str(), kind, "").await
}
