//! Links that let somebody in: activation, a new password. Only the hash of their secret is here.

use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::{Error, Row, Tx};

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// SHA-256 of its secret, in hexadecimal.
    pub hash: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// The id of the user whom it lets in.
    pub resource: String,
    /// What it is for: `activate` or `reset`.
    pub purpose: String,
    /// From when on it is too late.
    pub expires: Micros,
    /// What became of it: `used`, `replaced`, `cancelled`, `superseded` or `expired`; none as long as it is
    /// good.
    pub ended: Option<String>,
}

/// Gives a user a link; the one that there was for the same purpose is good no more.
pub async fn put(tx: &mut Tx<'_>, ticket: &Ticket) -> Result<(), Error> {
    let Ticket { hash, tenant, resource, purpose, expires, .. } = ticket;
    end(tx, (tenant, resource, purpose), "replaced").await?;
    let sql = "INSERT INTO tickets (hash, tenant, resource, purpose, expires)
               VALUES ($1, $2, $3, $4, $5)";
    let binds = [
        hash.as_str().into(),
        tenant.into(),
        resource.as_str().into(),
        purpose.as_str().into(),
        (*expires).into(),
    ];
    tx.execute(sql, &binds).await.map(drop)
}

/// Ends the link that a user has for this purpose; false where there was none.
pub async fn end(
    tx: &mut Tx<'_>,
    (tenant, resource, purpose): (&TenantId, &str, &str),
    ended: &str,
) -> Result<bool, Error> {
    let sql = "UPDATE tickets SET ended = $4
               WHERE tenant = $1 AND resource = $2 AND purpose = $3 AND ended IS NULL";
    let binds = [tenant.into(), resource.into(), purpose.into(), ended.into()];
    Ok(tx.execute(sql, &binds).await? == 1)
}

/// The link of this hash, good or not.
pub async fn find(tx: &mut Tx<'_>, hash: &str) -> Result<Option<Ticket>, Error> {
    let sql = "SELECT hash, tenant, resource, purpose, expires, ended FROM tickets WHERE hash = $1";
    tx.query(sql, &[hash.into()]).await?.first().map(read).transpose()
}

/// Users of all tenants, or of one, whose links for this purpose have ended by time and nobody has noticed.
pub async fn overdue(
    tx: &mut Tx<'_>,
    tenant: Option<&TenantId>,
    purpose: &str,
    now: Micros,
    most: i64,
) -> Result<Vec<(TenantId, String)>, Error> {
    let sql = "SELECT tenant, resource FROM tickets
               WHERE expires <= $1 AND purpose = $2 AND ended IS NULL
               AND (CAST($3 AS TEXT) IS NULL OR tenant = $3) ORDER BY expires LIMIT $4";
    let tenant = tenant.map(TenantId::as_str);
    let rows = tx.query(sql, &[now.into(), purpose.into(), tenant.into(), most.into()]).await?;
    rows.iter().map(|row| Ok((row.text(0)?.into(), row.text(1)?.to_owned()))).collect()
}

/// Forgets links that ended by time before this moment; how many went.
pub async fn forget(tx: &mut Tx<'_>, before: Micros, most: i64) -> Result<u64, Error> {
    let sql = "DELETE FROM tickets WHERE hash IN (
                   SELECT t.hash FROM tickets t WHERE t.expires < $1 ORDER BY t.expires LIMIT $2)";
    tx.execute(sql, &[before.into(), most.into()]).await
}

fn read(row: &Row) -> Result<Ticket, Error> {
    Ok(Ticket {
        hash: row.text(0)?.to_owned(),
        tenant: row.text(1)?.into(),
        resource: row.text(2)?.to_owned(),
        purpose: row.text(3)?.to_owned(),
        expires: Micros(row.int(4)?),
        ended: row.maybe_text(5)?.map(str::to_owned),
    })
}
