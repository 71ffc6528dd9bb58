//! Links that let somebody set a password: what a person finds behind them. To look changes nothing, since
//! programs that scan mail follow links.

use serde_json::Value;

use crate::app::resets::RESET;
use crate::app::rules::ACTIVATE;
use crate::app::work::Work;
use crate::app::{App, Ctx, Error, mail};
use crate::domain::brand::Brand;
use crate::domain::{invitation, reset, token};
use crate::ids::TokenId;
use crate::store::tickets::{self, Ticket};
use crate::store::{Tx, tenants};

/// What a link for activation says that lets nobody in any more.
pub(super) const DEAD: &str =
    "This activation link has expired. Ask your administrator to resend the invitation.";
/// What a link for a new password says that lets nobody in any more.
pub(super) const DEAD_RESET: &str =
    "This link for a new password has expired. Ask for another one.";

/// What a person finds behind a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activation {
    /// The name of the tenant.
    pub tenant: String,
    /// How the tenant shows itself.
    pub brand: Brand,
    /// What the person is called.
    pub name: String,
    /// The name to sign in with.
    pub user_name: String,
    /// The language that the person reads, as it was written.
    pub locale: Option<String>,
    /// Characters that a password has at least.
    pub shortest: usize,
    /// Whether the link is good.
    pub state: LinkState,
}

/// Whether a link is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// A password can be set.
    Good,
    /// Its time has passed, or it never was one.
    Expired,
    /// Somebody set a password with it.
    Used,
    /// A newer one was made.
    Replaced,
    /// The person was not to come after all.
    Cancelled,
}

impl App {
    /// What a person finds behind a link for activation; [`Error::Gone`] where nobody knows it.
    pub async fn activation(&self, secret: &str) -> Result<Activation, Error> {
        self.look_behind(secret, ACTIVATE).await?.ok_or(Error::Gone(DEAD))
    }

    /// What a person finds behind a link for a new password; [`Error::Gone`] where nobody knows it.
    pub async fn resetting(&self, secret: &str) -> Result<Activation, Error> {
        self.look_behind(secret, RESET).await?.ok_or(Error::Gone(DEAD_RESET))
    }

    async fn look_behind(&self, secret: &str, purpose: &str) -> Result<Option<Activation>, Error> {
        let Some((ticket, ctx)) = self.ticket(secret, purpose).await? else { return Ok(None) };
        let work = Work::new(self, &ctx, self.users()?);
        let id = ticket.resource.clone();
        let is_reset = purpose == RESET;
        let look = async move |tx: &mut Tx<'_>| {
            let Some(user) = work.seek(tx, &id).await? else { return Ok(None) };
            let went = is_reset && work.went_to(tx, &user).await?;
            Ok::<_, Error>(Some((user, went, mail::read_brand(tx, &work.tenant).await?)))
        };
        let Some((user, went, brand)) = self.store().read(look).await? else { return Ok(None) };
        let now = self.clock().now();
        let text = |name: &str| user.doc.get(name).and_then(Value::as_str).unwrap_or_default();
        let may = went && reset::hours(&ctx.rules, &user.doc, now).is_ok();
        let is_out = is_reset && !may;
        let state = match state(&ticket, now >= ticket.expires) {
            LinkState::Good if is_out => LinkState::Cancelled,
            state => state,
        };
        Ok(Some(Activation {
            tenant: ctx.tenant_name.clone(),
            brand,
            name: invitation::name(&user.doc).to_owned(),
            user_name: text("userName").to_owned(),
            locale: invitation::locale(&user.doc).map(str::to_owned),
            shortest: ctx.rules.password_min_length,
            state,
        }))
    }

    /// The link of this secret and purpose, and who acts when it is used.
    pub(super) async fn ticket(
        &self,
        secret: &str,
        purpose: &str,
    ) -> Result<Option<(Ticket, Ctx)>, Error> {
        if !token::is_well_formed(secret) {
            return Ok(None);
        }
        let hash = token::hash(secret);
        let found = self.store().read(async move |tx: &mut Tx<'_>| {
            let Some(ticket) = tickets::find(tx, &hash).await? else { return Ok(None) };
            let tenant = tenants::find(tx, &ticket.tenant).await?;
            Ok::<_, Error>(tenant.map(|tenant| (ticket, tenant.name)))
        });
        let found = found.await?.filter(|(ticket, _)| ticket.purpose == purpose);
        let Some((ticket, tenant)) = found else { return Ok(None) };
        let ctx = self.operator(&tenant).await?;
        Ok(Some((ticket, Ctx { token: TokenId::from("person"), ..ctx })))
    }

    /// The link of this secret, if it is good now; what is said otherwise is `dead`.
    pub(super) async fn good_ticket(
        &self,
        secret: &str,
        (purpose, dead): (&str, &'static str),
    ) -> Result<(Ticket, Ctx), Error> {
        let found = self.ticket(secret, purpose).await?;
        let now = self.clock().now();
        let is_good = |(ticket, _): &(Ticket, Ctx)| ticket.ended.is_none() && now < ticket.expires;
        found.filter(is_good).ok_or(Error::Gone(dead))
    }
}

fn state(ticket: &Ticket, is_over: bool) -> LinkState {
    match ticket.ended.as_deref() {
        None if is_over => LinkState::Expired,
        None => LinkState::Good,
        Some("used") => LinkState::Used,
        Some("replaced") => LinkState::Replaced,
        Some("cancelled" | "superseded") => LinkState::Cancelled,
        Some(_) => LinkState::Expired,
    }
}
