//! Sessions of people who signed in; never their tokens.

use crate::clock::Micros;
use crate::ids::{SessionId, TenantId};
use crate::store::{Error, Row, Tx, Value};

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id: `sid` in access tokens.
    pub id: SessionId,
    /// Whose tenant.
    pub tenant: TenantId,
    /// The user's `id`.
    pub user: String,
    /// The id of the account that was chosen.
    pub account: Option<String>,
    /// When the person signed in.
    pub created: Micros,
    /// When its refresh token was last changed for the next one.
    pub used: Micros,
    /// When it ends unless it is used before.
    pub expires: Micros,
    /// The network that it was last used from.
    pub network: String,
    /// What the client called itself when it began.
    pub agent: String,
    /// Which of its refresh tokens is the good one.
    pub generation: i64,
    /// What its refresh tokens are sealed with beside the installation's key.
    pub salt: String,
}

/// A session with what is needed to judge it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The session.
    pub session: Session,
    /// The tenant's name.
    pub tenant_name: String,
    /// The tenant's settings as JSON text.
    pub tenant_settings: String,
    /// What it offers, as JSON text.
    pub tenant_catalogue: String,
    /// How often all sessions of the user were ended.
    pub epoch: i64,
    /// The user's document as JSON text; none where there is no such user any more.
    pub user: Option<String>,
}

/// What a session becomes when its refresh token is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// The account that is chosen from then on.
    pub account: Option<String>,
    /// When.
    pub used: Micros,
    /// When it ends unless it is used before.
    pub expires: Micros,
    /// From which network.
    pub network: String,
}

/// Adds a session.
pub async fn insert(tx: &mut Tx<'_>, session: &Session) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO sessions (id, tenant, resource, account, created_at, used_at, expires_at,
             network, agent, generation, salt)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &[
            session.id.as_str().into(),
            (&session.tenant).into(),
            (&session.user).into(),
            session.account.as_deref().into(),
            session.created.into(),
            session.used.into(),
            session.expires.into(),
            (&session.network).into(),
            (&session.agent).into(),
            session.generation.into(),
            (&session.salt).into(),
        ],
    )
    .await
    .map(drop)
}

/// Ends those of a user's sessions that were not used for longest, beyond this number.
pub async fn crowd_out(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    user: &str,
    most: i64,
) -> Result<(), Error> {
    let sql = "DELETE FROM sessions WHERE id IN (
                   SELECT s.id FROM sessions s WHERE s.tenant = $1 AND s.resource = $2
                   ORDER BY s.used_at DESC, s.id DESC LIMIT 1000 OFFSET $3)";
    tx.execute(sql, &[tenant.into(), user.into(), most.into()]).await.map(drop)
}

/// A session by its id; the caller asks whether it is still good.
pub async fn find(tx: &mut Tx<'_>, id: &SessionId) -> Result<Option<Holder>, Error> {
    let sql = "SELECT s.id, s.tenant, s.resource, s.account, s.created_at, s.used_at, s.expires_at,
                   s.network, s.agent, s.generation, s.salt,
                   n.name, n.settings, n.catalogue, COALESCE(l.epoch, 0), r.doc
               FROM sessions s JOIN tenants n ON n.id = s.tenant
               LEFT JOIN logins l ON l.tenant = s.tenant AND l.resource = s.resource
               LEFT JOIN resources r
                   ON r.tenant = s.tenant AND r.kind = 'User' AND r.id = s.resource
               WHERE s.id = $1";
    let rows = tx.query(sql, &[id.as_str().into()]).await?;
    let read = |row: &Row| {
        Ok(Holder {
            session: session(row)?,
            tenant_name: row.text(11)?.to_owned(),
            tenant_settings: row.text(12)?.to_owned(),
            tenant_catalogue: row.text(13)?.to_owned(),
            epoch: row.int(14)?,
            user: row.maybe_text(15)?.map(str::to_owned),
        })
    };
    rows.first().map(read).transpose()
}

/// Changes the refresh token of a session, where this generation is the good one still; false where
/// somebody was faster or has ended it.
pub async fn rotate(
    tx: &mut Tx<'_>,
    id: &SessionId,
    generation: i64,
    next: &Next,
) -> Result<bool, Error> {
    let sql = "UPDATE sessions SET generation = generation + 1, account = $3, used_at = $4,
                   expires_at = $5, network = $6
               WHERE id = $1 AND generation = $2";
    let binds = [
        id.as_str().into(),
        generation.into(),
        next.account.as_deref().into(),
        next.used.into(),
        next.expires.into(),
        (&next.network).into(),
    ];
    Ok(tx.execute(sql, &binds).await? == 1)
}

/// Chooses another account for a session without a new token, where this generation is the good one still;
/// false where somebody was faster or has ended it.
pub async fn choose(
    tx: &mut Tx<'_>,
    id: &SessionId,
    generation: i64,
    account: Option<&str>,
) -> Result<bool, Error> {
    let sql = "UPDATE sessions SET account = $3 WHERE id = $1 AND generation = $2";
    let binds = [id.as_str().into(), generation.into(), account.into()];
    Ok(tx.execute(sql, &binds).await? == 1)
}

/// Ends a session; false where there is none.
pub async fn end(tx: &mut Tx<'_>, id: &SessionId) -> Result<bool, Error> {
    let sql = "DELETE FROM sessions WHERE id = $1";
    Ok(tx.execute(sql, &[id.as_str().into()]).await? == 1)
}

/// Ends all sessions of a user; how many there were.
pub async fn end_all(tx: &mut Tx<'_>, tenant: &TenantId, user: &str) -> Result<u64, Error> {
    let sql = "DELETE FROM sessions WHERE tenant = $1 AND resource = $2";
    tx.execute(sql, &[tenant.into(), user.into()]).await
}

/// The sessions of a user that have not ended, the oldest first.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    user: &str,
    now: Micros,
) -> Result<Vec<Session>, Error> {
    let sql =
        "SELECT id, tenant, resource, account, created_at, used_at, expires_at, network, agent,
                   generation, salt
               FROM sessions WHERE tenant = $1 AND resource = $2 AND expires_at > $3 ORDER BY id";
    let binds: [Value; 3] = [tenant.into(), user.into(), now.into()];
    tx.query(sql, &binds).await?.iter().map(session).collect()
}

/// Forgets sessions that have ended, so many at once; how many went.
pub async fn forget(tx: &mut Tx<'_>, now: Micros, most: i64) -> Result<u64, Error> {
    let sql = "DELETE FROM sessions WHERE id IN (
                   SELECT s.id FROM sessions s WHERE s.expires_at <= $1
                   ORDER BY s.expires_at LIMIT $2)";
    tx.execute(sql, &[now.into(), most.into()]).await
}

fn session(row: &Row) -> Result<Session, Error> {
    Ok(Session {
        id: row.text(0)?.into(),
        tenant: row.text(1)?.into(),
        user: row.text(2)?.to_owned(),
        account: row.maybe_text(3)?.map(str::to_owned),
        created: Micros(row.int(4)?),
        used: Micros(row.int(5)?),
        expires: Micros(row.int(6)?),
        network: row.text(7)?.to_owned(),
        agent: row.text(8)?.to_owned(),
        generation: row.int(9)?,
        salt: row.text(10)?.to_owned(),
    })
}
