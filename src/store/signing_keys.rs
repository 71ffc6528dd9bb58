//! Keys that sign access tokens; their secret halves are sealed before they come here.

use crate::clock::Micros;
use crate::store::{Error, Row, Tx};

/// A key pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// Its place in the line of keys, from 1.
    pub generation: i64,
    /// Its id: `kid`.
    pub id: String,
    /// The public half, a JWK as JSON text.
    pub public: String,
    /// The secret half, sealed.
    pub secret: String,
    /// When it was made.
    pub created: Micros,
    /// From when on it signs.
    pub signs: Micros,
}

/// All of them, the oldest first.
pub async fn list(tx: &mut Tx<'_>) -> Result<Vec<SigningKey>, Error> {
    let sql = "SELECT generation, id, public, secret, created_at, signs_at FROM signing_keys
               ORDER BY generation";
    tx.query(sql, &[]).await?.iter().map(read).collect()
}

/// Adds a key unless somebody was faster to add the one of this generation.
pub async fn insert(tx: &mut Tx<'_>, key: &SigningKey) -> Result<bool, Error> {
    let sql = "INSERT INTO signing_keys (generation, id, public, secret, created_at, signs_at)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    let binds = [
        key.generation.into(),
        (&key.id).into(),
        (&key.public).into(),
        (&key.secret).into(),
        key.created.into(),
        key.signs.into(),
    ];
    Ok(tx.execute(sql, &binds).await? == 1)
}

/// Forgets the keys before this generation.
pub async fn forget_before(tx: &mut Tx<'_>, generation: i64) -> Result<(), Error> {
    let sql = "DELETE FROM signing_keys WHERE generation < $1";
    tx.execute(sql, &[generation.into()]).await.map(drop)
}

fn read(row: &Row) -> Result<SigningKey, Error> {
    Ok(SigningKey {
        generation: row.int(0)?,
        id: row.text(1)?.to_owned(),
        public: row.text(2)?.to_owned(),
        secret: row.text(3)?.to_owned(),
        created: Micros(row.int(4)?),
        signs: Micros(row.int(5)?),
    })
}
