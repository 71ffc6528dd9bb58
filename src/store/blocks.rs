//! How many resources there are, and where a page at any depth begins.

use crate::ids::TenantId;
use crate::store::tx::Count;
use crate::store::{Error, Tx};

/// How many resources of this kind there are.
pub async fn total(tx: &mut Tx<'_>, tenant: &TenantId, kind: &str) -> Result<u64, Error> {
    let sql = "SELECT COUNT(*) FROM resources WHERE tenant = $1 AND kind = $2";
    let rows = tx.query(sql, &[tenant.into(), kind.into()]).await?;
    let counted = rows.first().map_or(Ok(0), |row| row.int(0))?;
    Ok(u64::try_from(counted).unwrap_or(0))
}

/// From which id on, and how many after it, a page begins that leaves out this many.
pub async fn place(
    _: &mut Tx<'_>,
    _: &TenantId,
    _: &str,
    skip: u64,
) -> Result<Option<(String, u64)>, Error> {
    Ok(Some((String::new(), skip)))
}

/// Writes what a batch of changes made and removed.
#[expect(clippy::unused_async, reason = "the next change counts")]
pub(super) async fn settle(_tx: &mut Tx<'_>, _counts: &[Count]) -> Result<(), Error> {
    Ok(())
}
