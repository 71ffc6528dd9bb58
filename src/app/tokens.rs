//! Bearer tokens: made, looked up, changed, revoked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::sync::Cache;

use crate::app::catalogue;
use crate::app::tenants::settings_of;
use crate::app::{App, Challenge, Ctx, Error};
use crate::clock::Micros;
use crate::domain::catalogue::Catalogue;
use crate::domain::scope::{Scope, Scopes};
use crate::domain::tenant::TenantSettings;
use crate::domain::token;
use crate::ids::{RequestId, TenantId, TokenId};
use crate::scim;
use crate::scim::quirks::Quirks;
use crate::store::{Tx, tenants, tokens};

/// How long a verdict about a token is believed: revoking, expiry and changed scopes hold within
/// half a second in every process.
const BELIEVED: Duration = Duration::from_millis(400);
/// Verdicts kept at most.
const KEPT: u64 = 100_000;
/// Last use is written at most this often.
const NOTED_EVERY: i64 = 60;
/// Days that a token may live at most.
const LONGEST_LIFE: i64 = 3_650;

/// What is known about a token that was looked up a moment ago.
#[derive(Debug, Clone)]
struct Verdict {
    tenant: TenantId,
    tenant_name: String,
    rules: Arc<TenantSettings>,
    catalogue: Arc<Catalogue>,
    offered: Arc<str>,
    token: TokenId,
    scopes: Scopes,
    expires: Option<Micros>,
    /// Until when it is believed.
    until: Instant,
}

/// Verdicts by the hash of the token. Unknown tokens are not among them: they are always looked up,
/// so that a new token works at once.
#[derive(Debug, Clone)]
pub(super) struct Verdicts(Cache<String, Verdict>);

impl Default for Verdicts {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(KEPT).time_to_live(BELIEVED).build())
    }
}

/// A token as it is made.
#[derive(Debug, Clone, Default)]
pub struct NewToken {
    /// Scope names; none means `scim`.
    pub scopes: Vec<String>,
    /// What it is for.
    pub label: String,
    /// Days until it expires; none means never.
    pub expires_days: Option<i64>,
}

/// The secret of a new token, shown once.
#[derive(Debug, Clone)]
pub struct Secret {
    /// The id of its row.
    pub id: TokenId,
    /// The token itself.
    pub token: String,
}

pub use crate::store::tokens::Token;

impl App {
    /// Who this token is. One refusal for all reasons.
    pub async fn authenticate(&self, text: &str, request: RequestId) -> Result<Ctx, Error> {
        let refused = || Error::Unauthorized(Challenge::Invalid);
        if !token::is_well_formed(text) {
            return Err(refused());
        }
        let hash = token::hash(text);
        let known = self.0.verdicts.0.get(&hash);
        let verdict = match known.filter(|verdict| Instant::now() < verdict.until) {
            Some(verdict) => verdict,
            None => self.look_up(hash).await?.ok_or_else(refused)?,
        };
        if verdict.expires.is_some_and(|expires| expires <= self.clock().now()) {
            return Err(refused());
        }
        self.door().note_client();
        Ok(Ctx {
            tenant: verdict.tenant,
            tenant_name: verdict.tenant_name,
            token: verdict.token,
            user: None,
            epoch: None,
            scopes: verdict.scopes,
            quirks: if verdict.rules.strict { Quirks::NONE } else { self.0.quirks },
            rules: verdict.rules,
            catalogue: verdict.catalogue,
            offered: Some(verdict.offered),
            request,
        })
    }

    /// Who this token is, by its id, or which person since this epoch: for work that goes on after its
    /// request.
    pub(super) async fn holder(
        &self,
        tenant: &TenantId,
        (id, epoch): (&TokenId, Option<i64>),
        request: RequestId,
    ) -> Result<Ctx, Error> {
        if let Some(user) = id.person() {
            return self.person_later(tenant, (user, epoch), request).await;
        }
        let refused = || Error::Unauthorized(Challenge::Invalid);
        let (tenant, id, now) = (tenant.clone(), id.clone(), self.clock().now());
        let found = self.store().read(async move |tx: &mut Tx<'_>| {
            let token = tokens::find(tx, &tenant, &id).await?;
            let tenant = tenants::find(tx, &tenant).await?;
            Ok::<_, Error>(token.zip(tenant))
        });
        let (token, tenant) = found.await?.ok_or_else(refused)?;
        let ended = token.revoked.is_some() || token.expires.is_some_and(|end| end <= now);
        if ended {
            return Err(refused());
        }
        let scopes = Scopes::from_stored(&token.scopes).map_err(Error::Internal)?;
        self.caller_in(tenant, (token.id, scopes), request)
    }

    /// A client of a tenant as whoever asks.
    pub(super) fn caller_in(
        &self,
        tenant: tenants::Tenant,
        (token, scopes): (TokenId, Scopes),
        request: RequestId,
    ) -> Result<Ctx, Error> {
        let rules = Arc::new(settings_of(&tenant.settings)?);
        Ok(Ctx {
            tenant: tenant.id,
            tenant_name: tenant.name,
            token,
            user: None,
            epoch: None,
            scopes,
            quirks: if rules.strict { Quirks::NONE } else { self.0.quirks },
            rules,
            catalogue: Arc::new(catalogue::parse(&tenant.catalogue)?),
            offered: Some(tenant.catalogue.into()),
            request,
        })
    }

    /// Looks anew at every token: what their tenants offer or want has changed.
    pub(super) fn forget_verdicts(&self) {
        self.0.verdicts.0.invalidate_all();
    }

    /// Asks the database. An answer counts from when it was asked: it shares its moment with reads
    /// that began before. One that took longer than it is believed is good for this request alone.
    async fn look_up(&self, hash: String) -> Result<Option<Verdict>, Error> {
        let until = Instant::now() + BELIEVED;
        let Some(mut verdict) = self.look_up_once(&hash).await? else { return Ok(None) };
        verdict.until = until;
        if Instant::now() < until {
            self.0.verdicts.0.insert(hash, verdict.clone());
        }
        Ok(Some(verdict))
    }

    async fn look_up_once(&self, hash: &str) -> Result<Option<Verdict>, Error> {
        let wanted = hash.to_owned();
        let found = self
            .store()
            .read_quickly(async move |tx| tokens::find_by_hash(tx, &wanted).await)
            .await?;
        let Some(found) = found.filter(|found| found.token.revoked.is_none()) else {
            return Ok(None);
        };
        let now = self.clock().now();
        let stale = found.token.last_used.is_none_or(|used| used.plus_seconds(NOTED_EVERY) <= now);
        if stale {
            self.note_use(found.token.tenant.clone(), found.token.id.clone(), now);
        }
        let verdict = Verdict {
            tenant: found.token.tenant,
            tenant_name: found.tenant_name,
            rules: Arc::new(settings_of(&found.tenant_settings)?),
            catalogue: Arc::new(catalogue::parse(&found.tenant_catalogue)?),
            offered: found.tenant_catalogue.into(),
            token: found.token.id,
            scopes: Scopes::from_stored(&found.token.scopes).map_err(Error::Internal)?,
            expires: found.token.expires,
            until: Instant::now(),
        };
        Ok(Some(verdict))
    }

    /// Writes the last use beside the request, which does not wait for it.
    fn note_use(&self, tenant: TenantId, id: TokenId, now: Micros) {
        let app = self.clone();
        self.worker().start(async move {
            let noted = app.store().write_apart(async move |tx: &mut Tx<'_>| {
                tokens::mark_used(tx, &tenant, &id, now).await
            });
            if let Err(error) = noted.await {
                tracing::warn!(%error, "the last use of a token was not written");
            }
        });
    }

    /// Makes a token. Its secret is in the answer and nowhere else.
    pub async fn create_token(&self, tenant: &str, wanted: &NewToken) -> Result<Secret, Error> {
        let tenant = self.tenant(tenant).await?.id;
        let scopes = scopes_of(&wanted.scopes)?;
        let now = self.clock().now();
        let (secret, row) = mint(tenant, &scopes, wanted, now)?;
        self.store()
            .write_apart(async move |tx: &mut Tx<'_>| tokens::insert(tx, &row.0, &row.1).await)
            .await?;
        Ok(secret)
    }

    /// Makes a token that holds no more than the one that asks for it.
    pub async fn give_token(&self, ctx: &Ctx, wanted: &NewToken) -> Result<Secret, Error> {
        ctx.require(Scope::TokensWrite)?;
        let scopes = scopes_of(&wanted.scopes)?;
        if !ctx.scopes.covers(&scopes) {
            return Err(Error::Refused(format!(
                "The scopes '{scopes}' are more than this token holds; nobody gives more than they hold."
            )));
        }
        self.create_token(&ctx.tenant_name, wanted).await
    }

    /// The tokens of a tenant, without their secrets.
    pub async fn tokens(&self, tenant: &str) -> Result<Vec<Token>, Error> {
        let tenant = self.tenant(tenant).await?.id;
        Ok(self.store().read(async move |tx| tokens::list(tx, &tenant).await).await?)
    }

    /// Makes a second token like this one. Both work until the old one is revoked, so that an
    /// identity provider can change over without a gap.
    pub async fn rotate_token(&self, tenant: &str, id: &str) -> Result<Secret, Error> {
        let old = self.live_token(tenant, id).await?;
        let now = self.clock().now();
        let life = old.expires.map(|expires| (expires.0 - old.created.0) / 86_400_000_000);
        let wanted = NewToken {
            scopes: Vec::new(),
            label: old.label.clone(),
            expires_days: life.map(|days| days.max(1)),
        };
        let scopes = Scopes::from_stored(&old.scopes).map_err(Error::Internal)?;
        let (secret, row) = mint(old.tenant, &scopes, &wanted, now)?;
        self.store()
            .write_apart(async move |tx: &mut Tx<'_>| tokens::insert(tx, &row.0, &row.1).await)
            .await?;
        Ok(secret)
    }

    /// Gives a token other scopes.
    pub async fn set_token_scopes(
        &self,
        tenant: &str,
        id: &str,
        scopes: &[String],
    ) -> Result<Token, Error> {
        let mut token = self.live_token(tenant, id).await?;
        token.scopes = scopes_of(scopes)?.to_string();
        let changed = token.clone();
        self.store()
            .write_apart(async move |tx: &mut Tx<'_>| {
                tokens::set_scopes(tx, &changed.tenant, &changed.id, &changed.scopes).await
            })
            .await?;
        Ok(token)
    }

    /// Revokes a token; revoking twice is no error.
    pub async fn revoke_token(&self, tenant: &str, id: &str) -> Result<Token, Error> {
        let mut token = self.token(tenant, id).await?;
        let now = token.revoked.unwrap_or_else(|| self.clock().now());
        token.revoked = Some(now);
        let (tenant, id) = (token.tenant.clone(), token.id.clone());
        self.store()
            .write_apart(async move |tx: &mut Tx<'_>| tokens::revoke(tx, &tenant, &id, now).await)
            .await?;
        Ok(token)
    }

    /// A token that is not revoked: what is revoked stays so.
    async fn live_token(&self, tenant: &str, id: &str) -> Result<Token, Error> {
        let token = self.token(tenant, id).await?;
        if token.revoked.is_none() {
            return Ok(token);
        }
        Err(scim::Error::InvalidValue(format!("Token '{id}' is revoked. Make a new one.")).into())
    }

    async fn token(&self, tenant: &str, id: &str) -> Result<Token, Error> {
        let found = self.tokens(tenant).await?.into_iter().find(|token| token.id.as_str() == id);
        found.ok_or_else(|| Error::NotFound {
            kind: "Token".to_owned(),
            id: scim::path::excerpt(id),
        })
    }

    /// Makes the tenant `default` and its first token, once per database, whoever asks first.
    pub async fn first_run(&self) -> Result<Option<Secret>, Error> {
        let now = self.clock().now();
        let tenant = TenantId::new();
        let wanted = NewToken { label: "first start".to_owned(), ..NewToken::default() };
        let (secret, row) = mint(tenant, &scopes_of(&[])?, &wanted, now)?;
        let made = self
            .store()
            .write_apart(async move |tx: &mut Tx<'_>| {
                let tenant = tenants::Tenant {
                    id: row.0.tenant.clone(),
                    name: "default".to_owned(),
                    settings: "{}".to_owned(),
                    catalogue: String::new(),
                    created: now,
                };
                if !tenants::insert_first(tx, &tenant).await? {
                    return Ok(false);
                }
                tokens::insert(tx, &row.0, &row.1).await?;
                Ok::<_, Error>(true)
            })
            .await?;
        Ok(made.then_some(secret))
    }
}

fn scopes_of(names: &[String]) -> Result<Scopes, Error> {
    Scopes::parse(names.iter().map(String::as_str))
        .map_err(|refusal| scim::Error::InvalidValue(refusal).into())
}

/// A new token: its secret, and the row and hash to store.
fn mint(
    tenant: TenantId,
    scopes: &Scopes,
    wanted: &NewToken,
    now: Micros,
) -> Result<(Secret, (Token, String)), Error> {
    let expires = match wanted.expires_days {
        None => None,
        Some(days) if (1..=LONGEST_LIFE).contains(&days) => Some(now.plus_seconds(days * 86_400)),
        Some(days) => {
            return Err(scim::Error::InvalidValue(format!(
                "A token cannot expire after {days} days; it is 1 to {LONGEST_LIFE}."
            ))
            .into());
        }
    };
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| Error::Internal(error.to_string()))?;
    let text = token::text("scim", random);
    let row = Token {
        id: TokenId::new(now),
        tenant,
        label: wanted.label.clone(),
        scopes: scopes.to_string(),
        created: now,
        expires,
        revoked: None,
        last_used: None,
    };
    let hash = token::hash(&text);
    Ok((Secret { id: row.id.clone(), token: text }, (row, hash)))
}
