//! Users that went within the window of a tenant's brake: suspended or deleted.

use crate::clock::Micros;
use crate::domain::brake::Tally;
use crate::ids::TenantId;
use crate::store::{Error, Sql, Tx, states};

/// How many users there are is counted anew so many times in a window, at most.
const COUNTS: i64 = 20;

/// How far a window is filled.
struct Filled {
    /// The number of the first departure in it, and how many users there were just before.
    first: (i64, i64),
    /// The number of the last one, when it was, and how many users there were just before.
    last: (i64, Micros, i64),
    /// Whether this user is among them.
    is_counted: bool,
}

/// Counts that a user goes, who is still there, and gives how many went within so many seconds. Who is
/// counted already is not counted again.
pub async fn count(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    user: &str,
    now: Micros,
    window: i64,
) -> Result<Tally, Error> {
    let from = now.plus_seconds(-window);
    let Some(Filled { first, last, is_counted }) = filled(tx, tenant, user, from).await? else {
        forget(tx, tenant, now).await?;
        let users = users(tx, tenant).await?;
        add(tx, tenant, user, (1, now, users)).await?;
        return Ok(Tally { gone: 1, users });
    };
    let gone = last.0 - first.0 + 1;
    if is_counted {
        return Ok(Tally { gone, users: first.1 });
    }
    // Instances may differ about the time: the order is that of the numbers.
    let at = now.max(last.1);
    let slot = |at: Micros| at.0 / (window * 1_000_000 / COUNTS);
    let users = if slot(at) == slot(last.1) {
        (last.2 - 1).max(0)
    } else {
        forget(tx, tenant, from).await?;
        users(tx, tenant).await?
    };
    add(tx, tenant, user, (last.0 + 1, at, users)).await?;
    Ok(Tally { gone: gone + 1, users: first.1 })
}

async fn filled(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    user: &str,
    from: Micros,
) -> Result<Option<Filled>, Error> {
    let sql = "SELECT f.nth, f.users, l.nth, l.at, l.users,
                   (SELECT COUNT(*) FROM departures o
                    WHERE o.tenant = $1 AND o.resource = $3 AND o.at > $2)
               FROM (SELECT d.nth, d.users FROM departures d WHERE d.tenant = $1 AND d.at > $2
                     ORDER BY d.at, d.nth LIMIT 1) f
               CROSS JOIN (SELECT d.nth, d.at, d.users FROM departures d
                     WHERE d.tenant = $1 AND d.at > $2
                     ORDER BY d.at DESC, d.nth DESC LIMIT 1) l";
    let rows = tx.query(sql, &[tenant.into(), from.into(), user.into()]).await?;
    let read = |row: &crate::store::Row| {
        Ok(Filled {
            first: (row.int(0)?, row.int(1)?),
            last: (row.int(2)?, Micros(row.int(3)?), row.int(4)?),
            is_counted: row.int(5)? > 0,
        })
    };
    rows.first().map(read).transpose()
}

/// Where this user went before the window the place of that time is left empty, which counts nothing.
async fn add(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    user: &str,
    (nth, at, users): (i64, Micros, i64),
) -> Result<(), Error> {
    let sql =
        "INSERT INTO departures (tenant, resource, nth, at, users) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (tenant, resource) DO UPDATE SET nth = excluded.nth,
                   at = excluded.at, users = excluded.users";
    let binds = [tenant.into(), user.into(), nth.into(), at.into(), users.into()];
    tx.execute(sql, &binds).await.map(drop)
}

async fn forget(tx: &mut Tx<'_>, tenant: &TenantId, until: Micros) -> Result<(), Error> {
    let sql = "DELETE FROM departures WHERE tenant = $1 AND at <= $2";
    tx.execute(sql, &[tenant.into(), until.into()]).await.map(drop)
}

/// How many users are not suspended.
async fn users(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<i64, Error> {
    let others = |lifecycle: &str| lifecycle != "suspended";
    let others = states::of_users(tx, tenant, "lifecycle", others).await?;
    let mut sql =
        Sql::new("SELECT COUNT(*) FROM resources r WHERE r.kind = 'User' AND r.tenant = ");
    sql.bind(tenant);
    states::among(&mut sql, "r.state", &others);
    let rows = tx.run(&sql).await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}
