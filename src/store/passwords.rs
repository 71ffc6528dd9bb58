//! Password hashes, apart from the documents.

use crate::ids::TenantId;
use crate::store::dialect::each;
use crate::store::{Error, Tx, Value};

/// The hash (a PHC string) of a resource's password.
pub async fn find(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    resource: &str,
) -> Result<Option<String>, Error> {
    let sql = "SELECT phc FROM passwords WHERE tenant = $1 AND resource = $2";
    let rows = tx.query(sql, &[tenant.into(), resource.into()]).await?;
    rows.first().map(|row| row.text(0).map(str::to_owned)).transpose()
}

/// Sets the hash of a resource's password.
pub async fn set(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    resource: &str,
    phc: &str,
) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO passwords (tenant, resource, phc) VALUES ($1, $2, $3)
         ON CONFLICT (tenant, resource) DO UPDATE SET phc = excluded.phc",
        &[tenant.into(), resource.into(), phc.into()],
    )
    .await
    .map(drop)
}

/// Sets the hashes of many resources, given as pairs of id and hash.
pub async fn set_many(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    hashes: &[(&str, &str)],
) -> Result<(), Error> {
    if hashes.is_empty() {
        return Ok(());
    }
    let sql = each!(
        tx,
        "INSERT INTO passwords (tenant, resource, phc)
         SELECT $1, e.value ->> 0, e.value ->> 1 FROM",
        each("$2"),
        "WHERE TRUE ON CONFLICT (tenant, resource) DO UPDATE SET phc = excluded.phc"
    );
    tx.execute(sql, &[tenant.into(), Value::rows(hashes)]).await.map(drop)
}

/// Replaces this very hash, as after a login under old parameters; false when it is another by now.
pub async fn set_if(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    resource: &str,
    before: &str,
    phc: &str,
) -> Result<bool, Error> {
    let sql = "UPDATE passwords SET phc = $4 WHERE tenant = $1 AND resource = $2 AND phc = $3";
    let binds = [tenant.into(), resource.into(), before.into(), phc.into()];
    Ok(tx.execute(sql, &binds).await? == 1)
}

/// Removes a resource's password; false when it had none.
pub async fn clear(tx: &mut Tx<'_>, tenant: &TenantId, resource: &str) -> Result<bool, Error> {
    let sql = "DELETE FROM passwords WHERE tenant = $1 AND resource = $2";
    Ok(tx.execute(sql, &[tenant.into(), resource.into()]).await? == 1)
}
