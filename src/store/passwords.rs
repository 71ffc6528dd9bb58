//! Password hashes, apart from the documents.

use crate::ids::TenantId;
use crate::store::{Error, Tx};

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
