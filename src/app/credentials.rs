//! Passwords that people and administrators set: judged, hashed, and with everything that follows.

use serde::{Deserialize, Serialize};

use crate::app::door::Client;
use crate::app::vault::random;
use crate::app::work::Work;
use crate::app::{App, Ctx, Error};
use crate::clock::Micros;
use crate::domain::agent::about_mut;
use crate::domain::catalogue::Catalogue;
use crate::domain::scope::Scope;
use crate::domain::standing::{self, Refusal};
use crate::domain::strength::{self, Judgement, TooWeak};
use crate::domain::{invitation, password, person, record, token};
use crate::ids::TokenId;
use crate::scim::Doc;
use crate::scim::accept::{self, Password};
use crate::store::{Tx, passwords, records};

/// What the right to change a password is sealed for.
const PURPOSE: &str = "change-password";
/// Seconds for which it is good.
const GOOD_FOR: i64 = 600;
/// Whether a password must be changed at the next sign-in.
const MUST_CHANGE: &str = "mustChangePassword";

/// The right of one user to set another password in place of this one.
#[derive(Debug, Serialize, Deserialize)]
struct Right {
    tenant: String,
    user: String,
    /// The SHA-256 of the hash that the password has now: with another password it is good no more.
    instead_of: String,
    until: i64,
}

/// A password on its way in.
struct New {
    phc: String,
    must_change: bool,
    /// The hash that it replaces, where it may replace no other.
    instead_of: Option<String>,
}

impl App {
    /// What is to be said of a password that this user would have, for a page that shows its strength.
    pub async fn judge_password(
        &self,
        ctx: &Ctx,
        user: &str,
        typed: &str,
    ) -> Result<Judgement, Error> {
        let work = Work::new(self, ctx, self.users()?);
        let user = user.to_owned();
        let look = async move |tx: &mut Tx<'_>| work.find(tx, &user).await;
        let user = self.store().read(look).await?.doc;
        self.judge(ctx, &user, typed).await
    }

    /// The same of a user of this document.
    pub(super) async fn judge(
        &self,
        ctx: &Ctx,
        user: &Doc,
        typed: &str,
    ) -> Result<Judgement, Error> {
        let mut own = standing::own_words(user);
        own.push(ctx.tenant_name.clone());
        own.extend(self.brand_shown(&ctx.tenant_name).await?.name);
        let (typed, shortest) = (typed.to_owned(), ctx.rules.password_min_length);
        let judge = move || strength::judge(&typed, shortest, &own);
        let judged = tokio::task::spawn_blocking(judge).await;
        judged.map_err(|error| Error::Internal(error.to_string()))
    }

    /// Sets the password of a user, as a person does who proved to be that user, or an administrator.
    ///
    /// A weak one is refused with [`Error::Weak`]. All sessions of the user end, and `mustChangePassword`
    /// is taken away. Whoever holds no `roles:assign` sets none of an administrator.
    pub async fn set_password(&self, ctx: &Ctx, user: &str, typed: &str) -> Result<(), Error> {
        self.set_judged(ctx, user, typed, None).await
    }

    /// The hash of a password that this user will have, unless it is weak.
    async fn hash_judged(&self, ctx: &Ctx, user: &Doc, typed: &str) -> Result<String, Error> {
        let judged = self.judge(ctx, user, typed).await?;
        let shortest = ctx.rules.password_min_length;
        if let Some(why) = judged.weak {
            return Err(TooWeak { why, strength: judged.strength, shortest }.into());
        }
        let prepared = password::prepare(typed, shortest)?;
        self.hasher().hash(prepared).await
    }

    /// The same for the user of this id, whom a link lets in.
    pub(super) async fn hash_for(
        &self,
        ctx: &Ctx,
        (user, dead): (&str, &'static str),
        typed: &str,
    ) -> Result<String, Error> {
        let (work, id) = (Work::new(self, ctx, self.users()?), user.to_owned());
        let look = async move |tx: &mut Tx<'_>| work.seek(tx, &id).await;
        let user = self.store().read(look).await?.ok_or(Error::Gone(dead))?;
        self.hash_judged(ctx, &user.doc, typed).await
    }

    async fn set_judged(
        &self,
        ctx: &Ctx,
        user: &str,
        typed: &str,
        instead_of: Option<String>,
    ) -> Result<(), Error> {
        let work = Work::new(self, ctx, self.users()?);
        let (at, id) = (work.clone(), user.to_owned());
        let look = async move |tx: &mut Tx<'_>| at.find(tx, &id).await;
        let before = self.store().read(look).await?;
        let phc = self.hash_judged(ctx, &before.doc, typed).await?;
        work.put_password(user, New { phc, must_change: false, instead_of }).await
    }

    /// Changes the password of a user who knows the present one. It is judged like a try to sign in, and
    /// slowed down like one.
    pub async fn change_password(
        &self,
        tenant: &str,
        user: &str,
        (current, typed): (&str, &str),
        client: &Client,
    ) -> Result<(), Error> {
        let ctx = self.on_behalf(tenant, user).await?;
        let now = self.clock().now();
        let tried = self.door().begin((ctx.tenant.as_str(), user), client, now)?;
        let (at, id) = (ctx.tenant.clone(), user.to_owned());
        let look = async move |tx: &mut Tx<'_>| passwords::find(tx, &at, &id).await;
        let phc = self.store().read(look).await?;
        if !self.is_right(current, phc.clone(), &tried).await? {
            return Err(Error::SignIn(Refusal::Invalid));
        }
        tried.forgive();
        self.set_judged(&ctx, user, typed, phc).await
    }

    /// Sets another password by the right that [`App::sign_in`] gave, which is good no more afterwards.
    pub async fn change_by_right(&self, right: &str, typed: &str) -> Result<(), Error> {
        let invalid = || Error::SignIn(Refusal::Invalid);
        let opened = self.keys()?.open(PURPOSE, right).map_err(|_| invalid())?;
        let right: Right = serde_json::from_slice(&opened).map_err(|_| invalid())?;
        if Micros(right.until) <= self.clock().now() {
            return Err(invalid());
        }
        let ctx = self.on_behalf(&right.tenant, &right.user).await?;
        let (at, id) = (ctx.tenant.clone(), right.user.clone());
        let look = async move |tx: &mut Tx<'_>| passwords::find(tx, &at, &id).await;
        let phc = self.store().read(look).await?;
        if phc.as_deref().map(token::hash) != Some(right.instead_of) {
            return Err(invalid());
        }
        self.set_judged(&ctx, &right.user, typed, phc).await
    }

    /// The right of a user to change the password of this hash.
    pub(super) fn right_to_change(
        &self,
        ctx: &Ctx,
        user: &str,
        phc: &str,
    ) -> Result<String, Error> {
        let right = Right {
            tenant: ctx.tenant_name.clone(),
            user: user.to_owned(),
            instead_of: token::hash(phc),
            until: self.clock().now().plus_seconds(GOOD_FOR).0,
        };
        let text =
            serde_json::to_vec(&right).map_err(|error| Error::Internal(error.to_string()))?;
        self.keys()?.seal(PURPOSE, &text)
    }

    /// Makes a password for a user, who must change it at the next sign-in. It is in the answer and nowhere
    /// else.
    pub async fn generate_password(&self, ctx: &Ctx, user: &str) -> Result<String, Error> {
        ctx.require(Scope::SessionsRevoke)?;
        let made = made_up()?;
        let phc = self.hasher().hash(made.clone()).await?;
        let work = Work::new(self, ctx, self.users()?);
        work.put_password(user, New { phc, must_change: true, instead_of: None }).await?;
        Ok(made)
    }

    /// A user as whoever changes what is their own: everything may be written, and the record says who.
    pub(super) async fn on_behalf(&self, tenant: &str, user: &str) -> Result<Ctx, Error> {
        let ctx = self.operator(tenant).await?;
        let (token, user) = (TokenId::of_person(user), Some(user.to_owned()));
        Ok(Ctx { token, user, ..ctx })
    }
}

impl Work {
    /// The password that a change comes to: the one that was sent, or one that is made up where that is
    /// asked for.
    pub(super) fn password_of(&self, doc: &mut Doc, sent: Password) -> Result<Password, Error> {
        let has_password = matches!(sent, Password::Set(_));
        if !self.has_rules() || !invitation::take_generate(doc, has_password)? {
            return Ok(sent);
        }
        accept::finish(&self.kind, doc);
        Ok(Password::Set(made_up()?))
    }

    /// Refuses whoever may not have a link or a password of this user: who has it becomes that user.
    pub(super) fn guard_login(&self, catalogue: &Catalogue, user: &Doc) -> Result<(), Error> {
        let gives_roles = self.ctx.scopes.allow(Scope::UsersWrite);
        let protected = self.law(catalogue).protect_login(user, gives_roles);
        protected.map_err(|person::Protected| Error::Refused("Managed in Usher.".to_owned()))
    }

    async fn put_password(self, user: &str, new: New) -> Result<(), Error> {
        let (app, tenant, id) = (self.app.clone(), self.tenant.clone(), user.to_owned());
        let put = async move |tx: &mut Tx<'_>| self.put_new(tx, &id, &new).await;
        app.store().write(&tenant, put).await
    }

    /// Sets the password of a user whom a link has let in.
    pub(super) async fn put_hash(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        phc: String,
    ) -> Result<(), Error> {
        self.put_new(tx, id, &New { phc, must_change: false, instead_of: None }).await
    }

    async fn put_new(&self, tx: &mut Tx<'_>, id: &str, new: &New) -> Result<(), Error> {
        let before = self.find(tx, id).await?;
        self.guard_login(&self.ctx.catalogue, &before.doc)?;
        if let Some(expected) = &new.instead_of
            && passwords::find(tx, &self.tenant, id).await?.as_ref() != Some(expected)
        {
            return Err(Error::SignIn(Refusal::Invalid));
        }
        passwords::set(tx, &self.tenant, id, &new.phc).await?;
        let mut doc = before.doc.clone();
        let about = about_mut(&mut doc);
        if new.must_change {
            about.insert(MUST_CHANGE.to_owned(), true.into());
        } else {
            about.shift_remove(MUST_CHANGE);
        }
        let mut version = before.stored.version;
        if doc != before.doc {
            self.amend(tx, &before, doc, &[record::plain("user.updated")]).await?;
            version += 1;
        }
        let change = self.change(&[record::plain("password.changed")], id, Some(version));
        records::write(tx, &self.tenant, change.as_slice()).await?;
        self.replace_password(tx, id).await
    }
}

/// A password that was not there before.
fn made_up() -> Result<String, Error> {
    let none = || Error::Internal("no password could be made".to_owned());
    strength::made_of(&random::<64>()?).ok_or_else(none)
}
