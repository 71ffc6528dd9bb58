//! What is known of the signing in of users, whether a session is left of it or not.

use std::collections::HashMap;

use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::dialect::each;
use crate::store::{Error, Tx, Value};

/// Networks that are remembered of a user.
const NETWORKS: usize = 8;

/// How often all sessions of a user were ended.
pub async fn epoch(tx: &mut Tx<'_>, tenant: &TenantId, user: &str) -> Result<i64, Error> {
    let sql = "SELECT epoch FROM logins WHERE tenant = $1 AND resource = $2";
    let rows = tx.query(sql, &[tenant.into(), user.into()]).await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

/// The networks from which a user signed in of late, the last one first.
pub async fn networks(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    user: &str,
) -> Result<Vec<String>, Error> {
    let sql = "SELECT networks FROM logins WHERE tenant = $1 AND resource = $2";
    let rows = tx.query(sql, &[tenant.into(), user.into()]).await?;
    let text = rows.first().map_or(Ok(""), |row| row.text(0))?;
    Ok(text.split_whitespace().map(str::to_owned).collect())
}

/// Notes that a user signed in from a network.
pub async fn note(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    user: &str,
    (at, network): (Micros, &str),
) -> Result<(), Error> {
    let mut all = networks(tx, tenant, user).await?;
    all.retain(|known| known != network);
    all.insert(0, network.to_owned());
    all.truncate(NETWORKS);
    let sql =
        "INSERT INTO logins (tenant, resource, epoch, at, networks) VALUES ($1, $2, 0, $3, $4)
               ON CONFLICT (tenant, resource) DO UPDATE
               SET at = excluded.at, networks = excluded.networks";
    let binds = [tenant.into(), user.into(), at.into(), all.join(" ").into()];
    tx.execute(sql, &binds).await.map(drop)
}

/// Counts that all sessions of a user were ended.
pub async fn raise_epoch(tx: &mut Tx<'_>, tenant: &TenantId, user: &str) -> Result<(), Error> {
    let sql = "INSERT INTO logins (tenant, resource, epoch, at, networks)
               VALUES ($1, $2, 1, NULL, '')
               ON CONFLICT (tenant, resource) DO UPDATE SET epoch = logins.epoch + 1";
    tx.execute(sql, &[tenant.into(), user.into()]).await.map(drop)
}

/// When these users last signed in, as far as they ever did.
pub async fn last(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    users: &[String],
) -> Result<HashMap<String, i64>, Error> {
    let sql = each!(
        tx,
        "SELECT l.resource, l.at FROM logins l
         WHERE l.tenant = $1 AND l.at IS NOT NULL AND l.resource IN (SELECT e.value ->> 0 FROM",
        each("$2"),
        ")"
    );
    let ids = Value::rows(&users.iter().map(|id| [id]).collect::<Vec<_>>());
    let rows = tx.query(sql, &[tenant.into(), ids]).await?;
    rows.into_iter().map(|mut row| Ok((row.take_text(0)?, row.int(1)?))).collect()
}

/// Forgets a user who is no more.
pub async fn forget(tx: &mut Tx<'_>, tenant: &TenantId, user: &str) -> Result<(), Error> {
    let sql = "DELETE FROM logins WHERE tenant = $1 AND resource = $2";
    tx.execute(sql, &[tenant.into(), user.into()]).await.map(drop)
}
