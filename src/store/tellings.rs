//! Up to which line of the record administrators have been told, and who they are.

use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::dialect::each;
use crate::store::resources::Stored;
use crate::store::{Error, Tx, Value};

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

/// Users with one value of an indexed attribute of some, and this value of another one; in the order of
/// their ids.
pub async fn users(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    (attr, values): (&str, &[String]),
    (other, value): (&str, &str),
    most: i64,
) -> Result<Vec<Stored>, Error> {
    let sql = each!(
        tx,
        "SELECT r.kind, r.id, r.doc, r.label, r.version, r.created_at, r.modified_at
         FROM resources r WHERE r.tenant = $1 AND r.kind = 'User'
         AND r.id IN (SELECT i.resource FROM attr_index i
             WHERE i.tenant = $1 AND i.kind = 'User' AND i.attr = $3
             AND EXISTS (SELECT 1 FROM attr_index o WHERE o.tenant = $1 AND o.kind = 'User'
                         AND o.attr = $4 AND o.value = $5 AND o.resource = i.resource)
             AND i.value IN (SELECT e.value ->> 0 FROM",
        each("$2"),
        ")) ORDER BY r.id LIMIT $6"
    );
    let values: Vec<_> = values.iter().map(|value| [value]).collect();
    let binds =
        [tenant.into(), Value::rows(&values), attr.into(), other.into(), value.into(), most.into()];
    tx.query(sql, &binds).await?.into_iter().map(Stored::read).collect()
}
