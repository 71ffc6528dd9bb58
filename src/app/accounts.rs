//! Accounts inside a tenant, and who belongs to them: written by administrators alone.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::app::work::{Loaded, Work};
use crate::app::{App, Ctx, Error, Target, catalogue};
pub use crate::domain::account::Wish;
use crate::domain::account::{self, Changed};
use crate::domain::catalogue::{Catalogue, Role};
use crate::domain::scope::Scope;
use crate::ids::ResourceId;
use crate::scim::etag::Conditions;
use crate::scim::path::excerpt;
use crate::scim::query::Query;
use crate::scim::render::{Linked, Parts, Renderer};
use crate::scim::resource_type::ResourceType;
use crate::scim::{self, Doc, fold, urn};
use crate::store::{Tx, counts};

/// Memberships that are taken away in one transaction.
const PIECE: i64 = 500;

/// What becomes of a user's membership in an account.
#[derive(Debug, Clone)]
enum Deed {
    Join(Wish),
    Change(Wish),
    Leave,
}

impl App {
    /// The type of accounts.
    pub fn accounts(&self) -> Result<&Arc<ResourceType>, Error> {
        let found = self.registry().types().iter().find(|kind| kind.schema.id == urn::ACCOUNT);
        found.ok_or_else(|| Error::Internal("there are no accounts here".to_owned()))
    }

    /// The account of this id or of this number, as SCIM shows it.
    pub async fn account(&self, ctx: &Ctx, account: &str) -> Result<Value, Error> {
        ctx.require(Scope::UsersRead)?;
        let work = Work::new(self, ctx, self.accounts()?);
        let name = account.to_owned();
        let found = self.store().read(async move |tx: &mut Tx<'_>| work.named(tx, &name).await);
        self.shown_account(ctx, &found.await?.stored.id).await
    }

    async fn shown_account(&self, ctx: &Ctx, id: &str) -> Result<Value, Error> {
        let target = Target { kind: self.accounts()?, id, conditions: &Conditions::default() };
        let Some(body) = self.get(ctx, target, &Query::default()).await?.body else {
            return Ok(Value::Null);
        };
        let text = body.text().await?;
        serde_json::from_str(&text).map_err(|error| Error::Internal(error.to_string()))
    }

    /// Makes an account of these values.
    pub async fn make_account(&self, ctx: &Ctx, values: Value) -> Result<Value, Error> {
        ctx.require(Scope::SettingsWrite)?;
        let work = Work::new(self, ctx, self.accounts()?);
        let doc = account::changed(&work.kind, &Doc::new(), values, work.rules())?;
        let id = ResourceId::new(work.now).to_string();
        let new = id.clone();
        let made = async move |tx: &mut Tx<'_>| work.add(tx, &new, doc.clone(), &[]).await;
        self.store().write(&ctx.tenant, made).await?;
        self.shown_account(ctx, &id).await
    }

    /// Changes an account: a merge patch (RFC 7396).
    pub async fn change_account(
        &self,
        ctx: &Ctx,
        account: &str,
        changes: Value,
    ) -> Result<Value, Error> {
        ctx.require(Scope::SettingsWrite)?;
        let work = Work::new(self, ctx, self.accounts()?);
        let name = account.to_owned();
        let done = async move |tx: &mut Tx<'_>| {
            let before = work.named(tx, &name).await?;
            let doc = account::changed(&work.kind, &before.doc, changes.clone(), work.rules())?;
            work.amend(tx, &before, doc, &[]).await?;
            Ok::<_, Error>(before.stored.id)
        };
        let id = self.store().write(&ctx.tenant, done).await?;
        self.shown_account(ctx, &id).await
    }

    /// Ends an account. One that has members is kept, unless `force` takes their memberships away: in
    /// pieces, so that nobody waits long, and the account goes with the last one.
    pub async fn end_account(&self, ctx: &Ctx, account: &str, force: bool) -> Result<(), Error> {
        ctx.require(Scope::SettingsWrite)?;
        if force {
            ctx.require(Scope::RolesAssign)?;
        }
        loop {
            let (work, name) = (Work::new(self, ctx, self.accounts()?), account.to_owned());
            let ended = async move |tx: &mut Tx<'_>| work.end_account(tx, &name, force).await;
            if self.store().write_long(&ctx.tenant, ended).await? {
                return Ok(());
            }
        }
    }

    /// Makes a user a member of an account; the membership as the user then shows it.
    pub async fn join_account(
        &self,
        ctx: &Ctx,
        user: &str,
        account: &str,
        wish: Wish,
    ) -> Result<Value, Error> {
        let joined = self.carry_out_deed(ctx, (user, account), Deed::Join(wish)).await;
        joined.map_err(|error| match error {
            // It is not what the request is about.
            Error::NotFound { kind, id } if kind != "User" => scim::Error::InvalidValue(format!(
                "account '{id}' is neither the id nor the accountNumber of an account."
            ))
            .into(),
            other => other,
        })
    }

    /// Changes the membership of a user in an account.
    pub async fn change_membership(
        &self,
        ctx: &Ctx,
        user: &str,
        account: &str,
        wish: Wish,
    ) -> Result<Value, Error> {
        self.carry_out_deed(ctx, (user, account), Deed::Change(wish)).await
    }

    /// Ends the membership of a user in an account.
    pub async fn leave_account(&self, ctx: &Ctx, user: &str, account: &str) -> Result<(), Error> {
        self.carry_out_deed(ctx, (user, account), Deed::Leave).await.map(drop)
    }

    async fn carry_out_deed(
        &self,
        ctx: &Ctx,
        (user, account): (&str, &str),
        deed: Deed,
    ) -> Result<Value, Error> {
        ctx.require(Scope::RolesAssign)?;
        let work = Work::new(self, ctx, self.users()?);
        let (user, account) = (user.to_owned(), account.to_owned());
        let done = async move |tx: &mut Tx<'_>| {
            let loaded = work.find(tx, &user).await?;
            let account = work.on(urn::ACCOUNT)?.named(tx, &account).await?;
            let catalogue = catalogue::read(tx, &work.tenant).await?;
            let (doc, entries) = work.decide(&catalogue, &loaded.doc, &account, &deed)?;
            work.amend(tx, &loaded, doc.clone(), &entries).await?;
            Ok::<_, Error>(work.membership(&loaded, &doc, account))
        };
        self.store().write(&ctx.tenant, done).await
    }
}

impl Work {
    /// The resource of this id, else the account of this number.
    pub(super) async fn named(&self, tx: &mut Tx<'_>, text: &str) -> Result<Loaded, Error> {
        if let Some(loaded) = self.seek(tx, text).await? {
            return Ok(loaded);
        }
        let number = fold::folded(text);
        let found = self.having(tx, "accountNumber", &number, 1).await?.pop();
        found.ok_or_else(|| self.not_found(text))
    }

    /// What becomes of the user's document.
    fn decide(
        &self,
        catalogue: &Catalogue,
        user: &Doc,
        account: &Loaded,
        deed: &Deed,
    ) -> Result<Changed, Error> {
        let id = account.stored.id.as_str();
        let has = account::role_in(user, id);
        let number =
            || excerpt(account.doc.get("accountNumber").and_then(Value::as_str).unwrap_or(id));
        match (deed, has) {
            (Deed::Join(_), Some(_)) => Err(Error::Taken(format!(
                "The user belongs to the account '{}' already. Change that membership instead.",
                number()
            ))),
            (Deed::Join(wish), None) => {
                let name = wish.role.as_deref().unwrap_or(&self.ctx.rules.role_default);
                let role = self.given(catalogue, name)?;
                Ok(account::join(user, id, &role, wish.primary == Some(true))?)
            }
            (Deed::Change(_) | Deed::Leave, None) => {
                Err(Error::NotFound { kind: "Membership".to_owned(), id: number() })
            }
            (Deed::Leave, Some(_)) => Ok(account::leave(user, id)),
            (Deed::Change(wish), Some(has)) => {
                let named = wish.role.as_deref();
                let role = match named.map(|name| account::role_of(catalogue, name)).transpose()? {
                    Some(role) if role.value != has => Some(self.given(catalogue, &role.value)?),
                    Some(_) | None => None,
                };
                Ok(account::change(user, id, role.as_ref(), wish.primary)?)
            }
        }
    }

    /// The role of this name, if whoever asks may give it.
    fn given(&self, catalogue: &Catalogue, name: &str) -> Result<Role, Error> {
        let role = account::role_of(catalogue, name)?;
        match account::refusal(&self.ctx.scopes, &role) {
            Some(refusal) => Err(Error::Refused(refusal)),
            None => Ok(role),
        }
    }

    /// The membership in this account, as a user of this document shows it; null where there is none.
    fn membership(&self, user: &Loaded, doc: &Doc, account: Loaded) -> Value {
        let Loaded { stored, doc: about } = account;
        let (id, kind, label) = (stored.id, stored.kind, stored.label);
        let linked =
            Linked { id: id.clone(), kind, label, direct: true, doc: Some(Box::new(about)) };
        let parts = Parts {
            id: &user.stored.id,
            version: user.stored.version,
            created: user.stored.created,
            modified: user.stored.modified,
            members: None,
            groups: None,
            links: &HashMap::from([(id.clone(), linked)]),
            counted: None,
        };
        let (registry, base) = (self.app.registry(), self.app.base());
        let renderer = Renderer { registry, base, quirks: self.quirks };
        let shown = renderer.document(&self.kind, doc, &parts);
        let list = account::about_memberships(&shown);
        list.iter().find(|element| element["value"] == id).cloned().unwrap_or_default()
    }

    /// Ends an account, or takes away some of the memberships in it; whether it is gone.
    async fn end_account(
        &self,
        tx: &mut Tx<'_>,
        account: &str,
        force: bool,
    ) -> Result<bool, Error> {
        let loaded = self.named(tx, account).await?;
        let (id, attr) = (&loaded.stored.id, account::member_of());
        let of_users = self.of_users();
        if !force {
            let place = (of_users.kind.name.as_str(), attr.as_str());
            let counted = counts::having(tx, &self.tenant, place, std::slice::from_ref(id)).await?;
            let members = counted.get(id).copied().unwrap_or_default();
            if members > 0 {
                return Err(has_members(&loaded.doc, members));
            }
        }
        let members = of_users.having(tx, &attr, id, PIECE).await?;
        for member in &members {
            let (doc, entries) = account::leave(&member.doc, id);
            of_users.amend(tx, member, doc, &entries).await?;
        }
        if i64::try_from(members.len()).is_ok_and(|count| count >= PIECE) {
            return Ok(false);
        }
        self.delete(tx, id, &Conditions::default()).await?;
        Ok(true)
    }
}

fn has_members(account: &Doc, members: i64) -> Error {
    let number = account.get("accountNumber").and_then(Value::as_str).unwrap_or_default();
    let members = if members == 1 { "1 member".to_owned() } else { format!("{members} members") };
    Error::InUse(format!(
        "The account '{}' has {members}. End these memberships first, or force it (?force=true, --force), which ends them too.",
        excerpt(number)
    ))
}
