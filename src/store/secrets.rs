//! Keys that all instances share.

use crate::store::{Error, Tx};

/// The secret of this name.
pub async fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>, Error> {
    let rows = tx.query("SELECT value FROM secrets WHERE name = $1", &[name.into()]).await?;
    rows.first().map(|row| row.text(0).map(str::to_owned)).transpose()
}

/// Keeps a secret unless there is one of its name; gives the one that is kept.
pub async fn keep(tx: &mut Tx<'_>, name: &str, value: &str) -> Result<String, Error> {
    let sql = "INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    tx.execute(sql, &[name.into(), value.into()]).await?;
    let kept = find(tx, name).await?;
    // On PostgreSQL the one who came first may be committing only now.
    kept.ok_or_else(|| Error::Again(format!("secret '{name}' is being made")))
}
