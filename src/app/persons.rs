//! People as callers: whoever bears an access token.

use std::sync::Arc;

use crate::app::door::Client;
use crate::app::sessions::document;
use crate::app::signing::Claims;
use crate::app::tenants::settings_of;
use crate::app::work::Work;
use crate::app::{App, Challenge, Ctx, Error, catalogue};
use crate::clock::Micros;
use crate::domain::facts::Facts;
use crate::domain::role;
use crate::domain::scope::Scopes;
use crate::domain::standing::{self, Refusal};
use crate::ids::{RequestId, SessionId, TenantId, TokenId};
use crate::scim::quirks::Quirks;
use crate::store::sessions::{self, Holder};
use crate::store::{Tx, logins, tenants};

impl App {
    /// Who this access token is, if it is one of this installation, its session has not ended, and the
    /// person may use the product now and from this address. Nothing of it is remembered: what ends a
    /// session holds at once.
    pub async fn authenticate_person(
        &self,
        token: &str,
        client: &Client,
        request: RequestId,
    ) -> Result<Ctx, Error> {
        let refused = || Error::Unauthorized(Challenge::Invalid);
        let claims = self.verify(token).await?.ok_or_else(refused)?;
        let id = SessionId::from(claims.sid.as_str());
        let found =
            self.store().read_quickly(async move |tx| sessions::find(tx, &id).await).await?;
        let now = self.clock().now();
        let holder = found.filter(|holder| fits(holder, &claims, now)).ok_or_else(refused)?;
        let user = document(&holder)?.ok_or_else(refused)?;
        match standing::check(&user, client.address) {
            Ok(()) => self.person(&holder, request),
            Err(Refusal::Invalid) => Err(refused()),
            Err(refusal) => Err(Error::SignIn(refusal)),
        }
    }

    /// The person of a session as whoever asks, with what the roles in force open and nothing else.
    pub(super) fn person(&self, holder: &Holder, request: RequestId) -> Result<Ctx, Error> {
        let rules = Arc::new(settings_of(&holder.tenant_settings)?);
        let catalogue = catalogue::parse(&holder.tenant_catalogue)?;
        let user = document(holder)?.unwrap_or_default();
        let facts = Facts::of(&user).unwrap_or_default();
        Ok(Ctx {
            tenant: holder.session.tenant.clone(),
            tenant_name: holder.tenant_name.clone(),
            token: TokenId::of_person(&holder.session.user),
            user: Some(holder.session.user.clone()),
            epoch: Some(holder.epoch),
            scopes: role::scopes_of(&catalogue, &facts.roles),
            quirks: if rules.strict { Quirks::NONE } else { self.0.quirks },
            rules,
            catalogue: Arc::new(catalogue),
            offered: Some(holder.tenant_catalogue.as_str().into()),
            request,
        })
    }

    /// The person of this `id`, for work that goes on after its request: whoever may use the product still,
    /// with what the roles in force open now, and was not logged out everywhere since this epoch: as an
    /// access token is good no more then, so is what was begun with it. The address was looked at when the
    /// request came.
    pub(super) async fn person_later(
        &self,
        tenant: &TenantId,
        (user, epoch): (&str, Option<i64>),
        request: RequestId,
    ) -> Result<Ctx, Error> {
        let refused = || Error::Unauthorized(Challenge::Invalid);
        let at = tenant.clone();
        let found = self.store().read(async move |tx: &mut Tx<'_>| tenants::find(tx, &at).await);
        let tenant = found.await?.ok_or_else(refused)?;
        let ctx =
            self.caller_in(tenant, (TokenId::of_person(user), Scopes::exactly(&[])), request)?;
        let (work, id) = (Work::new(self, &ctx, self.users()?), user.to_owned());
        let look = async move |tx: &mut Tx<'_>| {
            let since = logins::epoch(tx, &work.tenant, &id).await?;
            Ok::<_, Error>(work.seek(tx, &id).await?.filter(|_| epoch == Some(since)))
        };
        let doc = self.store().read(look).await?.ok_or_else(refused)?.doc;
        standing::may_use(&doc).map_err(|_| refused())?;
        let roles = Facts::of(&doc).unwrap_or_default().roles;
        let scopes = role::scopes_of(&ctx.catalogue, &roles);
        Ok(Ctx { user: Some(user.to_owned()), epoch, scopes, ..ctx })
    }
}

/// Whether an access token is of this session and of no time before its user was logged out.
fn fits(holder: &Holder, claims: &Claims, now: Micros) -> bool {
    holder.session.expires > now
        && holder.session.user == claims.sub
        && holder.tenant_name == claims.tenant
        && holder.epoch == claims.epoch
}
