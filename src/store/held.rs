//! Users that were suspended or deleted beyond what the brake lets pass. A suspended one stands in its
//! document; of a deleted one everything that can be brought back stands here.

use serde_json::json;

use crate::clock::Micros;
use crate::domain::facts::Hold;
use crate::domain::pool::Taken;
use crate::ids::TenantId;
use crate::store::resources::Key;
use crate::store::{Error, Row, Tx};

/// A user that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its `id`.
    pub id: String,
    /// Since when.
    pub at: Micros,
    /// Up to when.
    pub until: Micros,
    /// What is left of it, where it was deleted.
    pub gone: Option<Gone>,
}

/// What is left of a deleted user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// The document as JSON text.
    pub doc: String,
    /// Its last version.
    pub version: i64,
    /// When the user was made.
    pub created: Micros,
    /// The hash of its password.
    pub phc: Option<String>,
    /// The ids of the groups that it was a direct member of.
    pub groups: Vec<String>,
    /// The seat that is kept for it: the pool and what is held of it.
    pub seat: Option<(String, Hold)>,
}

/// How many are held, since when, and up to when the first of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Users that were suspended.
    pub suspended: i64,
    /// Users that were deleted.
    pub deleted: i64,
    /// Since when the first one is held.
    pub since: Option<Micros>,
    /// When the first one is held no more.
    pub until: Option<Micros>,
}

/// Holds a user, or holds what was suspended so far as deleted.
pub async fn keep(tx: &mut Tx<'_>, tenant: &TenantId, held: &Held) -> Result<(), Error> {
    let sql = "INSERT INTO held_users
                   (tenant, resource, at, until, doc, version, created_at, phc, groups, pool, hold)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
               ON CONFLICT (tenant, resource) DO UPDATE SET at = excluded.at,
                   until = excluded.until, doc = excluded.doc, version = excluded.version,
                   created_at = excluded.created_at, phc = excluded.phc,
                   groups = excluded.groups, pool = excluded.pool, hold = excluded.hold";
    let gone = held.gone.as_ref();
    let seat = gone.and_then(|gone| gone.seat.as_ref());
    let groups = gone.map(|gone| json!(gone.groups).to_string());
    let binds = [
        tenant.into(),
        (&held.id).into(),
        held.at.into(),
        held.until.into(),
        gone.map(|gone| gone.doc.as_str()).into(),
        gone.map(|gone| gone.version).into(),
        gone.map(|gone| gone.created).into(),
        gone.and_then(|gone| gone.phc.as_deref()).into(),
        groups.as_deref().into(),
        seat.map(|(pool, _)| pool.as_str()).into(),
        seat.map(|(_, hold)| hold.name()).into(),
    ];
    tx.execute(sql, &binds).await.map(drop)
}

/// Holds a user no more.
pub async fn release(tx: &mut Tx<'_>, tenant: &TenantId, id: &str) -> Result<(), Error> {
    let sql = "DELETE FROM held_users WHERE tenant = $1 AND resource = $2";
    tx.execute(sql, &[tenant.into(), id.into()]).await.map(drop)
}

/// Users that are held, behind this id and up to no later than a moment, in the order of their ids.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    after: &str,
    until: Option<Micros>,
    most: i64,
) -> Result<Vec<Held>, Error> {
    let sql = "SELECT resource, at, until, doc, version, created_at, phc, groups, pool, hold
               FROM held_users WHERE tenant = $1 AND resource > $2
               AND (CAST($3 AS BIGINT) IS NULL OR until <= $3) ORDER BY resource LIMIT $4";
    let binds = [tenant.into(), after.into(), until.into(), most.into()];
    tx.query(sql, &binds).await?.iter().map(read).collect()
}

/// Whether a user of this id was deleted and is held, and up to when.
pub async fn deleted_until(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    id: &str,
) -> Result<Option<Micros>, Error> {
    let sql = "SELECT until FROM held_users
               WHERE tenant = $1 AND resource = $2 AND doc IS NOT NULL";
    let rows = tx.query(sql, &[tenant.into(), id.into()]).await?;
    rows.first().map(|row| row.int(0).map(Micros)).transpose()
}

/// How many are held.
pub async fn sum(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<Sum, Error> {
    let sql = "SELECT COUNT(*), COUNT(doc), MIN(at), MIN(until) FROM held_users WHERE tenant = $1";
    let rows = tx.query(sql, &[tenant.into()]).await?;
    let Some(row) = rows.first() else { return Ok(Sum::default()) };
    let (all, deleted) = (row.int(0)?, row.int(1)?);
    Ok(Sum {
        suspended: all - deleted,
        deleted,
        since: row.maybe_int(2)?.map(Micros),
        until: row.maybe_int(3)?.map(Micros),
    })
}

/// The seats of a pool that are kept for deleted users.
pub async fn taken(tx: &mut Tx<'_>, tenant: &TenantId, pool: &str) -> Result<Taken, Error> {
    let sql = "SELECT COUNT(*), COUNT(CASE WHEN hold = $3 THEN 1 END) FROM held_users
               WHERE tenant = $1 AND pool = $2";
    let binds = [tenant.into(), pool.into(), Hold::Reserved.name().into()];
    let rows = tx.query(sql, &binds).await?;
    let Some(row) = rows.first() else { return Ok(Taken::default()) };
    let (all, reserved) = (row.int(0)?, row.int(1)?);
    Ok(Taken { consumed: all - reserved, reserved, waiting: 0 })
}

/// The tenants in which somebody was held long enough.
pub async fn due(tx: &mut Tx<'_>, now: Micros) -> Result<Vec<TenantId>, Error> {
    let sql = "SELECT DISTINCT tenant FROM held_users WHERE until <= $1";
    let rows = tx.query(sql, &[now.into()]).await?;
    rows.iter().map(|row| Ok(row.text(0)?.into())).collect()
}

/// The ids of the groups that a user is a direct member of.
pub async fn groups_of(tx: &mut Tx<'_>, tenant: &TenantId, id: &str) -> Result<Vec<String>, Error> {
    let sql = "SELECT group_id FROM members WHERE tenant = $1 AND member_id = $2 ORDER BY group_id";
    let rows = tx.query(sql, &[tenant.into(), id.into()]).await?;
    rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

/// Lets a resource that was just stored again be as old as it is.
pub async fn date_back(
    tx: &mut Tx<'_>,
    key: Key<'_>,
    version: i64,
    created: Micros,
) -> Result<(), Error> {
    let sql = "UPDATE resources SET version = $4, created_at = $5
               WHERE tenant = $1 AND kind = $2 AND id = $3";
    let binds = [key.tenant.into(), key.kind.into(), key.id.into(), version.into(), created.into()];
    tx.execute(sql, &binds).await.map(drop)
}

fn read(row: &Row) -> Result<Held, Error> {
    let id = row.text(0)?.to_owned();
    let damaged = |error| Error::Database(format!("the held user {id} is damaged: {error}"));
    let gone = match row.maybe_text(3)? {
        None => None,
        Some(doc) => {
            let groups = serde_json::from_str(row.maybe_text(7)?.unwrap_or("[]"));
            let reserved = row.maybe_text(9)? == Some(Hold::Reserved.name());
            let hold = if reserved { Hold::Reserved } else { Hold::Consumed };
            Some(Gone {
                doc: doc.to_owned(),
                version: row.int(4)?,
                created: Micros(row.int(5)?),
                phc: row.maybe_text(6)?.map(str::to_owned),
                groups: groups.map_err(damaged)?,
                seat: row.maybe_text(8)?.map(|pool| (pool.to_owned(), hold)),
            })
        }
    };
    Ok(Held { id, at: Micros(row.int(1)?), until: Micros(row.int(2)?), gone })
}
