//! Signing in: by userName, e-mail or login phone, and a password.
//!
//! Whoever does not know the password learns nothing, neither from the answer nor from its time: the
//! same look-ups are made and one password is verified, whether there is such a user or not.

use crate::app::door::{Client, Try};
use crate::app::passwords::For;
use crate::app::sessions::Grant;
use crate::app::work::{Loaded, Work};
use crate::app::{App, Ctx, Error, catalogue};
use crate::domain::password;
use crate::domain::standing::{self, Refusal};
use crate::scim::attribute::Attribute;
use crate::scim::{fold, urn};
use crate::store::lookup::{Ask, By};
use crate::store::sessions::Holder;
use crate::store::{Tx, logins, passwords, tenants};

/// Names that are longer are nobody's; their index forms would be vague.
const LONGEST_NAME: usize = 400;

/// What somebody types to sign in.
#[derive(Clone, Default)]
pub struct Attempt {
    /// The tenant's name; left out while the installation has one tenant.
    pub tenant: Option<String>,
    /// A userName, an e-mail or a login phone.
    pub name: String,
    /// The password.
    pub password: String,
    /// The account to begin with, by its id or its number.
    pub account: Option<String>,
    /// Where from.
    pub client: Client,
}

impl std::fmt::Debug for Attempt {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempt").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// What comes of the right password of somebody who may sign in.
#[derive(Clone, PartialEq, Eq)]
pub enum SignedIn {
    /// A session has begun.
    In(Box<Grant>),
    /// The password must be changed first.
    MustChange(MustChange),
}

/// What is needed to set another password in place of one that was good once.
#[derive(Clone, PartialEq, Eq)]
pub struct MustChange {
    /// The right to do so, which is good once and for ten minutes ([`App::change_by_right`]).
    pub right: String,
    /// Characters that the new one has at least.
    pub shortest: usize,
}

impl std::fmt::Debug for SignedIn {
    /// Without the tokens and the right.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::In(_) => "In",
            Self::MustChange(_) => "MustChange",
        })
    }
}

/// A user whose name was typed, and the hash of the password.
struct Found {
    user: Loaded,
    phc: Option<String>,
}

impl App {
    /// Signs somebody in, or refuses with [`Error::SignIn`]; [`Error::TooMany`] and [`Error::Busy`] say
    /// when to come again.
    pub async fn sign_in(&self, attempt: &Attempt) -> Result<SignedIn, Error> {
        let invalid = || Error::SignIn(Refusal::Invalid);
        let ctx = self.place(attempt.tenant.as_deref()).await?;
        let tenant = match &ctx {
            Some(ctx) => ctx.tenant.as_str(),
            None => attempt.tenant.as_deref().unwrap_or_default(),
        };
        let (name, client, now) = (attempt.name.trim(), &attempt.client, self.clock().now());
        let tried = self.door().begin((tenant, &self.counted(name)?), client, now)?;
        let (found, networks) = match &ctx {
            Some(ctx) => self.look_for(ctx, name).await?,
            None => (None, Vec::new()),
        };
        let tried = tried.by_name(networks.contains(&client.network()), now)?;
        let phc = found.as_ref().and_then(|found| found.phc.clone());
        let is_right = self.is_right(&attempt.password, phc, &tried).await?;
        let (Some(ctx), Some(Found { user, phc: Some(phc) }), true) = (ctx, found, is_right) else {
            return Err(invalid());
        };
        match standing::check(&user.doc, client.address) {
            Err(Refusal::Invalid) => return Err(invalid()),
            Err(refusal) => {
                tried.forgive();
                return Err(Error::SignIn(refusal));
            }
            Ok(()) => tried.forgive(),
        }
        if standing::must_change(&user.doc) {
            let right = self.right_to_change(&ctx, &user.stored.id, &phc)?;
            let shortest = ctx.rules.password_min_length;
            return Ok(SignedIn::MustChange(MustChange { right, shortest }));
        }
        let holder = self.open_session(&ctx, &user.stored.id, &phc, attempt).await?;
        Ok(SignedIn::In(Box::new(self.grant(holder).await?)))
    }

    /// A name as it is counted: however it is written, it is one name, whether it is anybody's or not.
    fn counted(&self, name: &str) -> Result<String, Error> {
        let kind = self.users()?;
        let as_user_name = || kind.core("userName").map(|attribute| fold::text(attribute, name));
        Ok(fold::phone(name).or_else(as_user_name).unwrap_or_default())
    }

    /// The tenant of this name, seen by nobody in particular; the only one where none is named.
    async fn place(&self, tenant: Option<&str>) -> Result<Option<Ctx>, Error> {
        let name = match tenant {
            Some(name) => Some(name.to_owned()),
            None => self.store().read_quickly(async |tx| tenants::only(tx).await).await?,
        };
        let is_meant = |name: &String| tenant.is_some() || name == "default";
        let Some(name) = name.filter(is_meant) else { return Ok(None) };
        match self.operator(&name).await {
            Ok(ctx) => Ok(Some(ctx)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The one user whom this name fits, with the hash of the password, and from which networks the
    /// person signed in before.
    async fn look_for(&self, ctx: &Ctx, name: &str) -> Result<(Option<Found>, Vec<String>), Error> {
        let user = self.named_so(ctx, name).await?;
        let tenant = ctx.tenant.clone();
        // Nobody's id is asked for too, so that it takes as long.
        let id = user.as_ref().map_or_else(|| "-".to_owned(), |user| user.stored.id.clone());
        let look = async move |tx: &mut Tx<'_>| {
            let phc = passwords::find(tx, &tenant, &id).await?;
            Ok::<_, Error>((phc, logins::networks(tx, &tenant, &id).await?))
        };
        let (phc, networks) = self.store().read(look).await?;
        Ok((user.map(|user| Found { user, phc }), networks))
    }

    /// The user whom a name fits as userName, e-mail or login phone; none where it fits two.
    pub(super) async fn named_so(&self, ctx: &Ctx, name: &str) -> Result<Option<Loaded>, Error> {
        let kind = self.users()?;
        let contact_center = kind.extension(urn::CONTACT_CENTER).map(|found| &found.schema);
        let phones = contact_center.filter(|_| fold::phone(name).is_some());
        let phone = phones.and_then(|schema| {
            let found = schema.attributes.iter().find(|one| one.name == "loginPhone");
            found.map(|attribute| (fold::full_name(Some(schema), attribute, None), attribute))
        });
        let user_name = kind.core("userName").map(|attribute| ("userName".to_owned(), attribute));
        let email = kind.core("emails").and_then(|emails| emails.sub("value"));
        let email = email.map(|attribute| ("emails.value".to_owned(), attribute));
        let all = [user_name, email, phone].into_iter().flatten();
        let asks = all.filter_map(|(attr, attribute)| {
            let value = form(attribute, name)?;
            Some(self.store().look_up(Ask {
                tenant: ctx.tenant.clone(),
                kind: kind.name.clone(),
                by: By::Value { attr, value },
                most: 2,
                groups: false,
                members: 0,
            }))
        });
        let found = futures_util::future::try_join_all(asks).await?;
        let mut users: Vec<_> = found.into_iter().flatten().map(|found| found.stored).collect();
        users.sort_by(|one, other| one.id.cmp(&other.id));
        users.dedup_by(|one, other| one.id == other.id);
        let only = if users.len() == 1 { users.pop() } else { None };
        only.map(Loaded::of).transpose()
    }

    /// Whether a password is the one of this hash. One is verified in any case.
    pub(super) async fn is_right(
        &self,
        typed: &str,
        phc: Option<String>,
        tried: &Try,
    ) -> Result<bool, Error> {
        let dummy = self.dummy().await?.to_owned();
        let prepared = password::prepare(typed, 0);
        let known = phc.is_some() && prepared.is_ok();
        let seat = self.door().enter().await.inspect_err(|_| tried.give_back())?;
        let (typed, phc) = (prepared.unwrap_or_default(), phc.unwrap_or(dummy));
        let right = self.hasher().verify(For::Person, typed, phc).await?;
        drop(seat);
        Ok(right && known)
    }

    /// Begins a session, unless something has changed since the password was looked at.
    async fn open_session(
        &self,
        ctx: &Ctx,
        user: &str,
        phc: &str,
        attempt: &Attempt,
    ) -> Result<Holder, Error> {
        let fresh = if self.hasher().is_outdated(phc) {
            let prepared = password::prepare(&attempt.password, 0)?;
            Some(self.hasher().hash(prepared).await?)
        } else {
            None
        };
        let work = Work::new(self, ctx, self.users()?);
        let (user, phc) = (user.to_owned(), phc.to_owned());
        let (account, client) = (attempt.account.clone(), attempt.client.clone());
        let open = async move |tx: &mut Tx<'_>| {
            let refused = |refusal| Error::SignIn(refusal);
            let found = work.seek(tx, &user).await?;
            let found = found.ok_or_else(|| refused(Refusal::Invalid))?;
            if passwords::find(tx, &work.tenant, &user).await?.as_ref() != Some(&phc) {
                return Err(refused(Refusal::Invalid));
            }
            standing::check(&found.doc, client.address).map_err(refused)?;
            let account = work.choose_account(tx, &found.doc, (account.as_deref(), None)).await?;
            if let Some(fresh) = &fresh {
                passwords::set_if(tx, &work.tenant, &user, &phc, fresh).await?;
            }
            let is_first = work.note_first_session(tx).await?;
            let session = work.begin_session(tx, &found, account, &client).await?;
            let epoch = logins::epoch(tx, &work.tenant, &user).await?;
            Ok::<_, Error>((session, epoch, found.stored.doc, is_first))
        };
        let (session, epoch, doc, is_first) = self.store().write(&ctx.tenant, open).await?;
        if is_first {
            self.forget_verdicts();
        }
        Ok(Holder {
            session,
            tenant_name: ctx.tenant_name.clone(),
            tenant_settings: "{}".to_owned(),
            tenant_catalogue: String::new(),
            epoch,
            user: Some(doc),
        })
    }
}

impl Work {
    /// Lets everybody know that there are sessions in this tenant from now on, which changes of users may
    /// end: until then none looks for any. Another instance knows within half a second; whoever is
    /// suspended by it in that time is refused all the same, since every use of a session looks at the
    /// user.
    async fn note_first_session(&self, tx: &mut Tx<'_>) -> Result<bool, Error> {
        let mut catalogue = catalogue::read(tx, &self.tenant).await?;
        if catalogue.signs_in {
            return Ok(false);
        }
        catalogue.signs_in = true;
        tenants::set_catalogue(tx, &self.tenant, &catalogue::text(&catalogue)?).await?;
        Ok(true)
    }
}

/// The form in which an index holds a name.
fn form(attribute: &Attribute, name: &str) -> Option<String> {
    let folded = fold::text(attribute, name);
    let fits = !folded.is_empty() && folded.len() <= LONGEST_NAME;
    fits.then(|| fold::index_value(&folded))
}
