//! Which bulk jobs wait for somebody, and which are to be forgotten.

use super::{Place, which};
use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::{Error, Row, Tx};

/// Jobs that nobody is at work on and that any instance could go on with: the oldest of each tenant,
/// then the next of each.
pub async fn waiting(tx: &mut Tx<'_>, now: Micros, most: i64) -> Result<Vec<Place>, Error> {
    let sql = "SELECT tenant, id FROM
                   (SELECT tenant, id, ROW_NUMBER() OVER (PARTITION BY tenant ORDER BY id) AS turn
                    FROM bulk_jobs
                    WHERE finished_at IS NULL AND stored = 1 AND lease_until <= $1) AS waiting
               ORDER BY turn, id LIMIT $2";
    places(&tx.query(sql, &[now.into(), most.into()]).await?)
}

/// How many jobs of a tenant are still to be done.
pub async fn open(tx: &mut Tx<'_>, tenant: &TenantId, now: Micros) -> Result<i64, Error> {
    let sql = "SELECT COUNT(*) FROM bulk_jobs
               WHERE tenant = $1 AND finished_at IS NULL AND (stored = 1 OR lease_until > $2)";
    let rows = tx.query(sql, &[tenant.into(), now.into()]).await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

/// Jobs that ended before this moment, and those that began before it and that nobody goes on with.
pub async fn old(
    tx: &mut Tx<'_>,
    before: Micros,
    now: Micros,
    most: i64,
) -> Result<Vec<Place>, Error> {
    let sql = "SELECT tenant, id FROM bulk_jobs WHERE finished_at < $1
               UNION ALL
               SELECT tenant, id FROM bulk_jobs
               WHERE finished_at IS NULL AND stored = 0 AND created_at < $1 AND lease_until <= $2
               LIMIT $3";
    places(&tx.query(sql, &[before.into(), now.into(), most.into()]).await?)
}

fn places(rows: &[Row]) -> Result<Vec<Place>, Error> {
    rows.iter()
        .map(|row| Ok(Place { tenant: row.text(0)?.into(), id: row.text(1)?.to_owned() }))
        .collect()
}

/// Hides a job from everybody, and sets its key free, before its operations are forgotten one page
/// after the other: nobody takes what is left of them for all.
pub async fn hide(tx: &mut Tx<'_>, place: &Place) -> Result<(), Error> {
    let sql = "UPDATE bulk_jobs SET token = '', key = NULL WHERE tenant = $1 AND id = $2";
    tx.execute(sql, &which(place)).await.map(drop)
}

/// Forgets a job.
pub async fn forget(tx: &mut Tx<'_>, place: &Place) -> Result<(), Error> {
    let sql = "DELETE FROM bulk_jobs WHERE tenant = $1 AND id = $2";
    tx.execute(sql, &which(place)).await.map(drop)
}
