//! How tenants show themselves.

use crate::ids::TenantId;
use crate::store::{Error, Tx};

/// A brand as it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brand {
    /// The name.
    pub name: Option<String>,
    /// The colour, `#rrggbb`.
    pub color: Option<String>,
    /// The logo's file in Base64.
    pub logo: Option<String>,
}

/// The tenant's brand; an empty one where it has set none.
pub async fn find(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<Brand, Error> {
    let sql = "SELECT name, color, logo FROM brands WHERE tenant = $1";
    let rows = tx.query(sql, &[tenant.into()]).await?;
    let Some(row) = rows.first() else { return Ok(Brand::default()) };
    let text = |column: usize| row.maybe_text(column).map(|text| text.map(str::to_owned));
    Ok(Brand { name: text(0)?, color: text(1)?, logo: text(2)? })
}

/// Replaces the tenant's brand.
pub async fn set(tx: &mut Tx<'_>, tenant: &TenantId, brand: &Brand) -> Result<(), Error> {
    let sql = "INSERT INTO brands (tenant, name, color, logo) VALUES ($1, $2, $3, $4)
               ON CONFLICT (tenant) DO UPDATE SET name = excluded.name, color = excluded.color,
                   logo = excluded.logo";
    let binds = [
        tenant.into(),
        brand.name.as_deref().into(),
        brand.color.as_deref().into(),
        brand.logo.as_deref().into(),
    ];
    tx.execute(sql, &binds).await.map(drop)
}
