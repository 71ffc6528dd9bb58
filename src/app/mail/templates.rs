//! Words of a tenant's own for its letters, as administrators set them.

use crate::app::{App, Ctx, Error};
use crate::domain::scope::Scope;
use crate::domain::template::Template;
use crate::scim;
use crate::scim::path::excerpt;
use crate::store::{Tx, templates};

/// Templates of a tenant, in all languages together.
const MOST: i64 = 200;

impl App {
    /// The templates of the tenant: of this name, or all, by name and language.
    pub async fn templates(&self, ctx: &Ctx, name: Option<&str>) -> Result<Vec<Template>, Error> {
        ctx.require(Scope::SettingsWrite)?;
        let (tenant, name) = (ctx.tenant.clone(), name.map(str::to_owned));
        let list = async move |tx: &mut Tx<'_>| templates::list(tx, &tenant, name.as_deref()).await;
        Ok(self.store().read(list).await?)
    }

    /// Makes or replaces a template in one language.
    pub async fn set_template(&self, ctx: &Ctx, template: Template) -> Result<(), Error> {
        ctx.require(Scope::SettingsWrite)?;
        let tenant = ctx.tenant.clone();
        let set = async move |tx: &mut Tx<'_>| {
            templates::set(tx, &tenant, &template).await?;
            if templates::count(tx, &tenant).await? > MOST {
                return Err(Error::from(scim::Error::InvalidValue(format!(
                    "There are {MOST} templates already; delete one first."
                ))));
            }
            Ok(())
        };
        self.store().write(&ctx.tenant, set).await
    }

    /// Deletes a template in one language. Letters that name it have the words of the catalogue then.
    pub async fn delete_template(&self, ctx: &Ctx, name: &str, locale: &str) -> Result<(), Error> {
        ctx.require(Scope::SettingsWrite)?;
        let unknown = Error::NotFound {
            kind: "Template".to_owned(),
            id: excerpt(&format!("{name}/{locale}")),
        };
        let locale = oxilangtag::LanguageTag::parse_and_normalize(locale)
            .map_or_else(|_| locale.to_owned(), oxilangtag::LanguageTag::into_inner);
        let (tenant, name) = (ctx.tenant.clone(), name.to_owned());
        let remove =
            async move |tx: &mut Tx<'_>| templates::remove(tx, &tenant, &name, &locale).await;
        if self.store().write(&ctx.tenant, remove).await? { Ok(()) } else { Err(unknown) }
    }
}
