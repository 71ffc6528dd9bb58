//! Whose turn it is: the writes of a tenant run one batch after the other, on every instance.

use crate::ids::TenantId;
use crate::store::{Error, Row, Tx};

/// Waits for the tenant's turn, holds it until the batch is committed, and counts it.
pub(super) async fn take(tx: &mut Tx<'_>, tenant: &str) -> Result<(), Error> {
    let sql = "INSERT INTO tenant_turns (tenant, turn) VALUES ($1, 1)
               ON CONFLICT (tenant) DO UPDATE SET turn = tenant_turns.turn + 1";
    tx.execute(sql, &[tenant.into()]).await.map(drop)
}

/// For PostgreSQL, the beginning of a statement about the tenant `$1` that takes its turn itself, so
/// that it needs no transaction around it. All parts of a statement see the moment in which it began.
/// What it writes hangs on `mine`, which is empty where somebody else counted a turn after that moment:
/// the statement then knows of nothing that they wrote, writes nothing, and [`late!`] at its end says
/// so. In a transaction that has the turn already it counts once more.
macro_rules! turn {
    () => {
        "WITH mine AS MATERIALIZED (
             INSERT INTO tenant_turns AS t (tenant, turn) VALUES ($1, 1)
             ON CONFLICT (tenant) DO UPDATE SET turn = t.turn + 1
                 WHERE t.turn = (SELECT s.turn FROM tenant_turns s WHERE s.tenant = $1)
             RETURNING 1
         ), "
    };
}

/// The row of an answer, whose first column is what it says, that says so.
macro_rules! late {
    ($columns:literal) => {
        concat!(" UNION ALL SELECT 'late', ", $columns, " WHERE NOT EXISTS (SELECT FROM mine)")
    };
}

pub(super) use {late, turn};

/// Refuses where a statement that began with [`turn!`] was late.
pub(super) fn check(rows: &[Row]) -> Result<(), Error> {
    if rows.iter().any(|row| row.text(0) == Ok("late")) {
        return Err(Error::Again("somebody else had the tenant's turn".to_owned()));
    }
    Ok(())
}

/// The tenant's turn: another number when anything was written since.
pub async fn last(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<i64, Error> {
    let sql = "SELECT turn FROM tenant_turns WHERE tenant = $1";
    tx.query(sql, &[tenant.into()]).await?.first().map_or(Ok(0), |row| row.int(0))
}
