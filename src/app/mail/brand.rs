//! The brand of a tenant, as administrators set it and letters show it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::app::{App, Ctx, Error};
use crate::domain::brand::{Brand, Logo};
use crate::domain::scope::Scope;
use crate::ids::TenantId;
use crate::scim;
use crate::store::{Tx, brands, tenants};

/// What of a brand is set; what is none stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BrandChange {
    /// The name, or that there is none.
    pub name: Option<Option<String>>,
    /// The colour, `#rrggbb`, or that there is none.
    pub color: Option<Option<String>>,
    /// The bytes of the logo, or that there is none.
    pub logo: Option<Option<Vec<u8>>>,
}

impl App {
    /// The tenant's brand.
    pub async fn brand(&self, ctx: &Ctx) -> Result<Brand, Error> {
        ctx.require(Scope::SettingsWrite)?;
        let tenant = ctx.tenant.clone();
        self.store().read(async move |tx: &mut Tx<'_>| read(tx, &tenant).await).await
    }

    /// How the tenant of this name shows itself to everybody; a tenant that there is not shows what one
    /// shows that has set nothing.
    pub async fn brand_shown(&self, tenant: &str) -> Result<Brand, Error> {
        let name = tenant.to_owned();
        let look = async move |tx: &mut Tx<'_>| match tenants::find_by_name(tx, &name).await? {
            Some(tenant) => read(tx, &tenant.id).await,
            None => Ok(Brand::default()),
        };
        self.store().read(look).await
    }

    /// Changes the tenant's brand, all of it that is named or nothing.
    pub async fn set_brand(&self, ctx: &Ctx, change: BrandChange) -> Result<Brand, Error> {
        ctx.require(Scope::SettingsWrite)?;
        let wrong = |sentence| Error::from(scim::Error::InvalidValue(sentence));
        let logo = match change.logo {
            None => None,
            Some(None) => Some(None),
            Some(Some(bytes)) => Some(Some(Logo::of(bytes).map_err(wrong)?)),
        };
        let (name, color, tenant) = (change.name, change.color, ctx.tenant.clone());
        let set = async move |tx: &mut Tx<'_>| {
            let before = read(tx, &tenant).await?;
            let name = name.clone().unwrap_or(before.name);
            let color = color.clone().unwrap_or(before.color);
            let logo = logo.clone().unwrap_or(before.logo);
            let after = Brand::new(name.as_deref(), color.as_deref(), logo).map_err(wrong)?;
            let row = brands::Brand {
                name: after.name.clone(),
                color: after.color.clone(),
                logo: after.logo.as_ref().map(|logo| STANDARD.encode(&logo.bytes)),
            };
            brands::set(tx, &tenant, &row).await?;
            Ok(after)
        };
        self.store().write(&ctx.tenant, set).await
    }
}

/// The tenant's brand; what cannot be read is left out, so that mail goes all the same.
pub(in crate::app) async fn read(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<Brand, Error> {
    let row = brands::find(tx, tenant).await?;
    let bytes = row.logo.and_then(|text| STANDARD.decode(text).ok());
    let logo = bytes.and_then(|bytes| Logo::of(bytes).ok());
    let (name, color) = (row.name.as_deref(), row.color.as_deref());
    let brand = Brand::new(name, color, logo.clone());
    Ok(brand.unwrap_or_else(|_| Brand { logo, ..Brand::default() }))
}
