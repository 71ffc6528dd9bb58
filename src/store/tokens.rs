//! Bearer tokens: their hashes, never the tokens.

use crate::clock::Micros;
use crate::ids::{TenantId, TokenId};
use crate::store::{Error, Row, Tx, Value};

/// How seldom the last use of a token is written, in seconds.
const USE_NOTED_EVERY: i64 = 60;

/// A bearer token without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id, for lists and for revoking.
    pub id: TokenId,
    /// Whose.
    pub tenant: TenantId,
    /// What it is for, in an administrator's words.
    pub label: String,
    /// What it opens, separated by spaces.
    pub scopes: String,
    /// When it was made.
    pub created: Micros,
    /// When it ends.
    pub expires: Option<Micros>,
    /// When it was revoked.
    pub revoked: Option<Micros>,
    /// When it was last used, to the minute.
    pub last_used: Option<Micros>,
}

impl Token {
    /// Whether it opens anything now.
    pub fn is_valid(&self, now: Micros) -> bool {
        self.revoked.is_none_or(|at| now < at) && self.expires.is_none_or(|at| now < at)
    }

    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.text(0)?.into(),
            tenant: row.text(1)?.into(),
            label: row.text(2)?.to_owned(),
            scopes: row.text(3)?.to_owned(),
            created: Micros(row.int(4)?),
            expires: row.maybe_int(5)?.map(Micros),
            revoked: row.maybe_int(6)?.map(Micros),
            last_used: row.maybe_int(7)?.map(Micros),
        })
    }
}

/// A token with what every request needs of its tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The token.
    pub token: Token,
    /// The tenant's name.
    pub tenant_name: String,
    /// The tenant's settings as JSON text.
    pub tenant_settings: String,
    /// What it offers, as JSON text.
    pub tenant_catalogue: String,
}

/// Adds a token under the hash of its secret.
pub async fn insert(tx: &mut Tx<'_>, token: &Token, hash: &str) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO tokens (id, tenant, hash, label, scopes, created_at, expires_at, revoked_at, last_used_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[
            token.id.as_str().into(),
            (&token.tenant).into(),
            hash.into(),
            (&token.label).into(),
            (&token.scopes).into(),
            token.created.into(),
            token.expires.into(),
            token.revoked.into(),
            token.last_used.into(),
        ],
    )
    .await
    .map(drop)
}

/// Finds a token by the hash of its secret; the caller asks whether it is valid.
pub async fn find_by_hash(tx: &mut Tx<'_>, hash: &str) -> Result<Option<Holder>, Error> {
    let rows = tx
        .query(
            "SELECT t.id, t.tenant, t.label, t.scopes, t.created_at, t.expires_at, t.revoked_at,
                    t.last_used_at, n.name, n.settings, n.catalogue
             FROM tokens t JOIN tenants n ON n.id = t.tenant WHERE t.hash = $1",
            &[hash.into()],
        )
        .await?;
    let read = |row: &Row| {
        Ok(Holder {
            token: Token::read(row)?,
            tenant_name: row.text(8)?.to_owned(),
            tenant_settings: row.text(9)?.to_owned(),
            tenant_catalogue: row.text(10)?.to_owned(),
        })
    };
    rows.first().map(read).transpose()
}

/// Finds a token of this tenant by its id.
pub async fn find(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    id: &TokenId,
) -> Result<Option<Token>, Error> {
    let rows = tx
        .query(
            "SELECT id, tenant, label, scopes, created_at, expires_at, revoked_at, last_used_at
             FROM tokens WHERE tenant = $1 AND id = $2",
            &place(tenant, id),
        )
        .await?;
    rows.first().map(Token::read).transpose()
}

/// All tokens of a tenant, revoked and expired ones too, the oldest first.
pub async fn list(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<Vec<Token>, Error> {
    let rows = tx
        .query(
            "SELECT id, tenant, label, scopes, created_at, expires_at, revoked_at, last_used_at
             FROM tokens WHERE tenant = $1 ORDER BY id",
            &[tenant.into()],
        )
        .await?;
    rows.iter().map(Token::read).collect()
}

/// Revokes a token; false when there is none or it was revoked before.
pub async fn revoke(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    id: &TokenId,
    now: Micros,
) -> Result<bool, Error> {
    let sql = "UPDATE tokens SET revoked_at = $3
               WHERE tenant = $1 AND id = $2 AND revoked_at IS NULL";
    change(tx, sql, tenant, id, now.into()).await
}

/// Replaces a token's scopes; false when there is none.
pub async fn set_scopes(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    id: &TokenId,
    scopes: &str,
) -> Result<bool, Error> {
    let sql = "UPDATE tokens SET scopes = $3 WHERE tenant = $1 AND id = $2";
    change(tx, sql, tenant, id, scopes.into()).await
}

/// Sets when a token ends; false when there is none.
pub async fn set_expiry(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    id: &TokenId,
    at: Option<Micros>,
) -> Result<bool, Error> {
    let sql = "UPDATE tokens SET expires_at = $3 WHERE tenant = $1 AND id = $2";
    change(tx, sql, tenant, id, at.into()).await
}

/// Puts a new secret in the old one's place, which opens nothing any more; false without such a token.
pub async fn set_hash(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    id: &TokenId,
    hash: &str,
) -> Result<bool, Error> {
    let sql = "UPDATE tokens SET hash = $3 WHERE tenant = $1 AND id = $2";
    change(tx, sql, tenant, id, hash.into()).await
}

/// Notes a use, once a minute at most.
pub async fn mark_used(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    id: &TokenId,
    now: Micros,
) -> Result<bool, Error> {
    let old = now.plus_seconds(-USE_NOTED_EVERY);
    let done = tx
        .execute(
            "UPDATE tokens SET last_used_at = $3
             WHERE tenant = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at <= $4)",
            &[tenant.into(), id.as_str().into(), now.into(), old.into()],
        )
        .await?;
    Ok(done == 1)
}

fn place(tenant: &TenantId, id: &TokenId) -> [Value; 2] {
    [tenant.into(), id.as_str().into()]
}

async fn change(
    tx: &mut Tx<'_>,
    sql: &'static str,
    tenant: &TenantId,
    id: &TokenId,
    value: Value,
) -> Result<bool, Error> {
    Ok(tx.execute(sql, &[tenant.into(), id.as_str().into(), value]).await? == 1)
}
