//! Whose turn it is: the writes of a tenant run one batch after the other, on every instance.

use crate::ids::TenantId;
use crate::store::{Error, Tx};

/// Waits for the tenant's turn, holds it until the batch is committed, and counts it.
pub(super) async fn take(tx: &mut Tx<'_>, tenant: &str) -> Result<(), Error> {
    let sql = "INSERT INTO tenant_turns (tenant, turn) VALUES ($1, 1)
               ON CONFLICT (tenant) DO UPDATE SET turn = tenant_turns.turn + 1";
    tx.execute(sql, &[tenant.into()]).await.map(drop)
}

/// The number of the tenant's last batch: another one when anything was written since.
pub async fn last(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<i64, Error> {
    let sql = "SELECT turn FROM tenant_turns WHERE tenant = $1";
    tx.query(sql, &[tenant.into()]).await?.first().map_or(Ok(0), |row| row.int(0))
}
