//! Up to which line of the record administrators have been told, and who they are.

use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::{Error, Tx};

/// How far administrators of a tenant have been told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The last line that was looked at for administrative roles that somebody got.
    pub gains: i64,
    /// The last line that was looked at for what did not go as it was asked for.
    pub digest: i64,
    /// When they were last told of the latter.
    pub digest_at: Micros,
}

/// The tenants whose record has lines that administrators have not been told of.
pub async fn behind(tx: &mut Tx<'_>) -> Result<Vec<TenantId>, Error> {
    let sql = "SELECT t.id FROM tenants t LEFT JOIN tellings d ON d.tenant = t.id
               WHERE COALESCE(CASE WHEN d.gains < d.digest THEN d.gains ELSE d.digest END, 0)
                   < COALESCE((SELECT MAX(r.seq) FROM records r WHERE r.tenant = t.id), 0)";
    let rows = tx.query(sql, &[]).await?;
    rows.iter().map(|row| Ok(row.text(0)?.into())).collect()
}

/// How far administrators have been told; from the first line on where they have never been.
pub async fn find(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<Told, Error> {
    let sql = "SELECT gains, digest, digest_at FROM tellings WHERE tenant = $1";
    let rows = tx.query(sql, &[tenant.into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(Told { gains: 0, digest: 0, digest_at: Micros(0) });
    };
    Ok(Told { gains: row.int(0)?, digest: row.int(1)?, digest_at: Micros(row.int(2)?) })
}

/// Notes how far they have been told.
pub async fn set(tx: &mut Tx<'_>, tenant: &TenantId, told: Told) -> Result<(), Error> {
    let sql = "INSERT INTO tellings (tenant, gains, digest, digest_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT (tenant) DO UPDATE SET gains = excluded.gains, digest = excluded.digest,
                   digest_at = excluded.digest_at";
    let binds = [tenant.into(), told.gains.into(), told.digest.into(), told.digest_at.into()];
    tx.execute(sql, &binds).await.map(drop)
}
