//! Tenants: made, listed, and their settings changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::{App, Ctx, Error, catalogue};
use crate::domain::catalogue::Catalogue;
use crate::domain::scope::{Scope, Scopes};
use crate::domain::tenant::{Shown, TenantSettings};
use crate::ids::{RequestId, TenantId, TokenId};
use crate::scim;
use crate::store::{self, Tx, tenants};

/// A tenant as the command line shows it.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// Its name, unique in the installation.
    pub name: String,
    /// Its settings.
    pub settings: TenantSettings,
    /// What it offers.
    pub catalogue: Catalogue,
    /// When it was made.
    pub created: crate::clock::Micros,
}

impl App {
    /// Whoever may run this program on this database may do everything in it.
    pub async fn operator(&self, tenant: &str) -> Result<Ctx, Error> {
        let tenant = self.tenant(tenant).await?;
        let mut rules = tenant.settings;
        // What clients do not see is there for operators; else what they write of it was ignored.
        rules.shown = Shown::All;
        Ok(Ctx {
            tenant: tenant.id,
            tenant_name: tenant.name,
            quirks: rules.quirks(),
            rules: Arc::new(rules),
            catalogue: Arc::new(tenant.catalogue),
            offered: None,
            token: TokenId::from("command line"),
            user: None,
            epoch: None,
            scopes: Scopes::parse([Scope::Admin.name()]).map_err(Error::Internal)?,
            request: RequestId::new(self.clock().now()),
        })
    }

    /// Makes a tenant with a pool of so many seats; none means unlimited.
    pub async fn create_tenant(&self, name: &str, seats: Option<i64>) -> Result<Tenant, Error> {
        check_name(name)?;
        let now = self.clock().now();
        let (id, name) = (TenantId::new(), name.to_owned());
        let settings = TenantSettings::default();
        let catalogue = Catalogue::of_new_tenant(seats, now);
        let made = Tenant { id, name, settings, catalogue, created: now };
        let text = catalogue::text(&made.catalogue)?;
        let tenant = made.clone();
        self.store()
            .write_apart(async move |tx: &mut Tx<'_>| {
                let row = tenants::Tenant {
                    id: tenant.id.clone(),
                    name: tenant.name.clone(),
                    settings: "{}".to_owned(),
                    catalogue: text.clone(),
                    created: now,
                };
                match tenants::insert(tx, &row).await {
                    Err(store::Error::Taken(_)) => Err(taken(&tenant.name)),
                    other => Ok(other?),
                }
            })
            .await?;
        Ok(made)
    }

    /// All tenants, by name.
    pub async fn tenants(&self) -> Result<Vec<Tenant>, Error> {
        let rows = self.store().read(async |tx| tenants::list(tx).await).await?;
        rows.into_iter().map(tenant_of).collect()
    }

    /// The tenant of this name.
    pub async fn tenant(&self, name: &str) -> Result<Tenant, Error> {
        let wanted = name.to_owned();
        let row =
            self.store().read(async move |tx| tenants::find_by_name(tx, &wanted).await).await?;
        row.map_or_else(|| Err(no_tenant(name)), tenant_of)
    }

    /// Changes settings of a tenant, all or none.
    pub async fn set_tenant(
        &self,
        name: &str,
        changes: &[(String, String)],
    ) -> Result<Tenant, Error> {
        let (wanted, changes) = (name.to_owned(), changes.to_vec());
        let set = self
            .store()
            .write_apart(async move |tx: &mut Tx<'_>| {
                let Some(row) = tenants::find_by_name_for_update(tx, &wanted).await? else {
                    return Err(no_tenant(&wanted));
                };
                let mut tenant = tenant_of(row)?;
                for (key, value) in &changes {
                    tenant.settings.set(key, value).map_err(scim::Error::InvalidValue)?;
                }
                // Read back as a whole: settings that contradict each other are refused.
                let written = tenant.settings.written();
                TenantSettings::of(written).map_err(scim::Error::InvalidValue)?;
                let text = serde_json::to_string(written)
                    .map_err(|error| Error::Internal(error.to_string()))?;
                tenants::set_settings(tx, &tenant.id, &text).await?;
                Ok(tenant)
            })
            .await;
        self.forget_verdicts();
        set
    }
}

/// Settings as they are stored.
pub(super) fn settings_of(text: &str) -> Result<TenantSettings, Error> {
    let pairs: BTreeMap<String, String> = serde_json::from_str(text)
        .map_err(|error| Error::Internal(format!("tenant settings: {error}")))?;
    TenantSettings::of(&pairs).map_err(Error::Internal)
}

fn tenant_of(row: tenants::Tenant) -> Result<Tenant, Error> {
    let settings = settings_of(&row.settings)?;
    let catalogue = catalogue::parse(&row.catalogue)?;
    Ok(Tenant { id: row.id, name: row.name, settings, catalogue, created: row.created })
}

fn check_name(name: &str) -> Result<(), Error> {
    let fine = (1..=64).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if fine {
        return Ok(());
    }
    Err(scim::Error::InvalidValue(format!(
        "'{}' cannot be a tenant's name: letters, digits, '-', '_' and '.', at most 64, the first a letter or digit.",
        scim::path::excerpt(name)
    ))
    .into())
}

fn taken(name: &str) -> Error {
    Error::Conflict {
        kind: "Tenant".to_owned(),
        attribute: "name".to_owned(),
        value: name.to_owned(),
    }
}

fn no_tenant(name: &str) -> Error {
    Error::NotFound { kind: "Tenant".to_owned(), id: scim::path::excerpt(name) }
}
