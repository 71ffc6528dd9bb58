//! Roles of a tenant for administrators: what there is, roles of its own, and other names of roles.

use serde_json::{Value, json};

use crate::app::{App, Ctx, Error, catalogue};
use crate::domain::catalogue::Role;
use crate::domain::role;
use crate::domain::scope::Scope;
use crate::scim;
use crate::store::Tx;

impl App {
    /// The roles of the tenant, for administrators.
    pub async fn roles(&self, ctx: &Ctx) -> Result<Vec<Value>, Error> {
        let tenant = ctx.tenant.clone();
        let look = async move |tx: &mut Tx<'_>| catalogue::read(tx, &tenant).await;
        let catalogue = self.store().read(look).await?;
        let assignable = role::assignable(&ctx.rules, &catalogue);
        let shown = catalogue.listed().into_iter().map(|listed| {
            let role = listed.role;
            let pool = catalogue.pool_of(Some(&role.value)).map(|pool| pool.value.clone());
            json!({
                "value": role.value, "display": role.display, "description": role.description,
                "administrative": role.administrative,
                "assignable": assignable.contains(&role.value), "pool": pool,
                "names": catalogue.names_of(&role.value),
                "type": if listed.system { "system" } else { "custom" },
            })
        });
        Ok(shown.collect())
    }

    /// Makes a role.
    pub async fn make_role(&self, ctx: &Ctx, role: Role) -> Result<(), Error> {
        let now = self.clock().now().0;
        let role = Role { version: 1, created: now, modified: now, ..role };
        self.change_catalogue(ctx, Scope::SettingsWrite, move |catalogue| {
            catalogue.roles.push(role.clone());
            Ok(())
        })
        .await
        .map(drop)
    }

    /// Ends a role of the tenant's own. Users keep what their clients wrote, and it means nothing.
    pub async fn end_role(&self, ctx: &Ctx, value: &str) -> Result<(), Error> {
        let value = value.to_owned();
        self.change_catalogue(ctx, Scope::SettingsWrite, move |catalogue| {
            catalogue.end_role(&value)
        })
        .await
        .map(drop)
    }

    /// Gives a role another name, under which clients may send it, or takes the name away. Users who
    /// have it already get the role with their next change. Naming a role that administers the tenant
    /// is giving it: it takes the scope for that.
    pub async fn name_role(&self, ctx: &Ctx, name: &str, role: Option<&str>) -> Result<(), Error> {
        let (name, role) = (name.to_owned(), role.map(str::to_owned));
        let asked = ctx.clone();
        self.rule_catalogue(ctx, Scope::SettingsWrite, move |catalogue| {
            let meant = role.as_deref().and_then(|role| catalogue.role(role));
            if meant.is_some_and(|role| role.administrative) {
                asked.require(Scope::RolesAssign)?;
            }
            let named = catalogue.name_role(&name, role.as_deref());
            named.map_err(|sentence| scim::Error::InvalidValue(sentence).into())
        })
        .await
        .map(drop)
    }
}
