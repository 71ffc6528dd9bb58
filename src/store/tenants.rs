//! Tenants.

use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::{Error, Row, Tx};

/// A tenant: the security boundary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name on the command line and in logs; unique.
    pub name: String,
    /// What differs from the defaults, as JSON text.
    pub settings: String,
    /// What it offers, as JSON text; empty where nobody has changed anything yet.
    pub catalogue: String,
    /// When it was made.
    pub created: Micros,
}

impl Tenant {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.text(0)?.into(),
            name: row.text(1)?.to_owned(),
            settings: row.text(2)?.to_owned(),
            created: Micros(row.int(3)?),
            catalogue: row.text(4)?.to_owned(),
        })
    }
}

/// Adds a tenant; a name that is in use is `Taken("tenants.name")`.
pub async fn insert(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO tenants (id, name, settings, created_at, catalogue)
         VALUES ($1, $2, $3, $4, $5)",
        &[
            (&tenant.id).into(),
            (&tenant.name).into(),
            (&tenant.settings).into(),
            tenant.created.into(),
            (&tenant.catalogue).into(),
        ],
    )
    .await
    .map(drop)
}

/// Finds a tenant by its id.
pub async fn find(tx: &mut Tx<'_>, id: &TenantId) -> Result<Option<Tenant>, Error> {
    let sql = "SELECT id, name, settings, created_at, catalogue FROM tenants WHERE id = $1";
    tx.query(sql, &[id.into()]).await?.first().map(Tenant::read).transpose()
}

/// Finds a tenant by its name.
pub async fn find_by_name(tx: &mut Tx<'_>, name: &str) -> Result<Option<Tenant>, Error> {
    let sql = "SELECT id, name, settings, created_at, catalogue FROM tenants WHERE name = $1";
    tx.query(sql, &[name.into()]).await?.first().map(Tenant::read).transpose()
}

/// Finds a tenant by its name and keeps others from changing it until the end of the change.
pub async fn find_by_name_for_update(tx: &mut Tx<'_>, name: &str) -> Result<Option<Tenant>, Error> {
    let sql =
        "SELECT id, name, settings, created_at, catalogue FROM tenants WHERE name = $1 FOR UPDATE";
    tx.query(sql, &[name.into()]).await?.first().map(Tenant::read).transpose()
}

/// Adds a tenant unless there is one of that name, or of that id; whether it was added.
pub async fn insert_first(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<bool, Error> {
    let added = tx
        .execute(
            "INSERT INTO tenants (id, name, settings, created_at, catalogue)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            &[
                (&tenant.id).into(),
                (&tenant.name).into(),
                (&tenant.settings).into(),
                tenant.created.into(),
                (&tenant.catalogue).into(),
            ],
        )
        .await?;
    Ok(added == 1)
}

/// All tenants by name.
pub async fn list(tx: &mut Tx<'_>) -> Result<Vec<Tenant>, Error> {
    let sql = "SELECT id, name, settings, created_at, catalogue FROM tenants ORDER BY name";
    tx.query(sql, &[]).await?.iter().map(Tenant::read).collect()
}

/// The name of the one tenant, while there is no other.
pub async fn only(tx: &mut Tx<'_>) -> Result<Option<String>, Error> {
    let rows = tx.query("SELECT name FROM tenants ORDER BY name LIMIT 2", &[]).await?;
    match rows.as_slice() {
        [only] => only.text(0).map(|name| Some(name.to_owned())),
        _ => Ok(None),
    }
}

/// Replaces a tenant's settings; false when there is no such tenant.
pub async fn set_settings(tx: &mut Tx<'_>, id: &TenantId, settings: &str) -> Result<bool, Error> {
    let sql = "UPDATE tenants SET settings = $2 WHERE id = $1";
    Ok(tx.execute(sql, &[id.into(), settings.into()]).await? == 1)
}

/// Replaces what a tenant offers.
pub async fn set_catalogue(tx: &mut Tx<'_>, id: &TenantId, catalogue: &str) -> Result<(), Error> {
    let sql = "UPDATE tenants SET catalogue = $2 WHERE id = $1";
    tx.execute(sql, &[id.into(), catalogue.into()]).await.map(drop)
}

/// What a tenant offers, as JSON text; empty where nobody has changed anything yet.
pub async fn catalogue(tx: &mut Tx<'_>, id: &TenantId) -> Result<String, Error> {
    let sql = "SELECT catalogue FROM tenants WHERE id = $1";
    let rows = tx.query(sql, &[id.into()]).await?;
    rows.first().map_or(Ok(String::new()), |row| row.text(0).map(str::to_owned))
}

/// Whether the catalogue of a tenant is still this text.
pub async fn offers_still(tx: &mut Tx<'_>, id: &TenantId, known: &str) -> Result<bool, Error> {
    Ok(catalogue(tx, id).await? == known)
}
