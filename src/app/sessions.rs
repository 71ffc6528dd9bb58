//! Sessions: kept alive by refresh tokens that are good once, shown, and ended.
//!
//! A refresh token is made of the session's id, its place in the line of that session's tokens, and a
//! seal of the installation's key over both. So the same token always has the same successor, and a
//! token that was changed for another one before is known as such, however long ago that was.

use subtle::ConstantTimeEq as _;

use crate::app::door::Client;
use crate::app::work::Work;
use crate::app::{App, Ctx, Error};
use crate::clock::Micros;
use crate::domain::scope::Scope;
use crate::domain::standing::{self, Refusal};
use crate::domain::token;
use crate::ids::{RequestId, SessionId};
use crate::scim::Doc;
pub use crate::store::sessions::Session;
use crate::store::sessions::{self, Holder, Next};
use crate::store::{Tx, logins};

/// The kind in the text of refresh tokens.
const KIND: &str = "refresh";
/// Seconds for which a token that was just changed is answered with its successor once more: the first
/// answer may have been lost.
const LOST_ANSWER: i64 = 10;
const DAY: i64 = 86_400;
/// What stands for the OAuth client, which RFC 9068 asks for: people sign in at Usher itself.
const CLIENT_ID: &str = "usher";

/// What somebody gets who signed in or refreshed.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    /// The access token: a JWT for the product.
    pub access_token: String,
    /// Seconds for which it is good.
    pub expires_in: i64,
    /// What the next one is asked for with, once.
    pub refresh_token: String,
    /// The session.
    pub session: SessionId,
    /// The user's `id`.
    pub user: String,
    /// The id of the account that was chosen.
    pub account: Option<String>,
}

impl std::fmt::Debug for Grant {
    /// Without the tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grant").field("session", &self.session).finish_non_exhaustive()
    }
}

/// The session, the place and the seal of a refresh token.
type Parts = (SessionId, u32, [u8; 12]);

/// Whether the token of this place was changed for the last one so short a time ago that the answer may
/// have been lost, or a button pressed twice.
pub(super) fn was_just_changed(session: &Session, generation: u32, now: Micros) -> bool {
    session.generation - i64::from(generation) == 1 && now <= session.used.plus_seconds(LOST_ANSWER)
}

/// What became of a refresh token.
enum Turned {
    /// It was good: the session as it is from now on.
    Good(Box<Holder>),
    /// It was changed before.
    Reused(Box<Holder>),
    /// Not now, or never.
    Refused(Refusal),
}

impl App {
    /// Changes a refresh token for an access token and the next refresh token, and the account that is
    /// used where one is named, by its id or its number.
    ///
    /// Everything that is asked when somebody signs in is asked again but the password. A token that was
    /// changed before ends its session: whoever has it, or had it, has stolen it.
    pub async fn refresh(
        &self,
        token: &str,
        account: Option<&str>,
        client: &Client,
    ) -> Result<Grant, Error> {
        let ended = || Error::SignIn(Refusal::Ended);
        let (id, generation, _) = self.proven(token).await?.ok_or_else(ended)?;
        let (app, client) = (self.clone(), client.clone());
        let account = account.map(str::to_owned);
        let turn = async move |tx: &mut Tx<'_>| {
            let asked = (generation, account.as_deref());
            app.turn(tx, &id, asked, &client).await
        };
        match self.store().write_apart(turn).await? {
            Turned::Good(holder) => self.grant(*holder).await,
            Turned::Refused(refusal) => Err(Error::SignIn(refusal)),
            Turned::Reused(holder) => {
                self.end_stolen(*holder).await?;
                Err(ended())
            }
        }
    }

    async fn turn(
        &self,
        tx: &mut Tx<'_>,
        id: &SessionId,
        (generation, account): (u32, Option<&str>),
        client: &Client,
    ) -> Result<Turned, Error> {
        let refused = |refusal| Ok(Turned::Refused(refusal));
        let Some(mut holder) = sessions::find(tx, id).await? else {
            return refused(Refusal::Ended);
        };
        let session = &holder.session;
        let now = self.clock().now();
        if session.expires <= now {
            return refused(Refusal::Ended);
        }
        let again = was_just_changed(session, generation, now);
        if session.generation != i64::from(generation) && !again {
            return Ok(Turned::Reused(Box::new(holder)));
        }
        let ctx = self.person(&holder, RequestId::from(""))?;
        let Some(user) = document(&holder)? else { return refused(Refusal::Ended) };
        match standing::check(&user, client.address) {
            Err(Refusal::Invalid) => return refused(Refusal::Ended),
            Err(refusal) => return refused(refusal),
            Ok(()) => {}
        }
        let work = Work::new(self, &ctx, self.users()?);
        let chosen = work.choose_account(tx, &user, (account, session.account.as_deref())).await?;
        let done = if !again {
            let next = Next {
                account: chosen.clone(),
                used: now,
                expires: self.ends(session.created, now),
                network: client.network(),
            };
            sessions::rotate(tx, id, session.generation, &next).await?
        } else if chosen != session.account {
            // The same successor, for the account that is wished for now, or that can be used still.
            sessions::choose(tx, id, session.generation, chosen.as_deref()).await?
        } else {
            true
        };
        if !done {
            // Somebody was faster: with the same token, or by ending the session.
            let overtaken = format!("session {id} was changed meanwhile");
            return Err(crate::store::Error::Again(overtaken).into());
        }
        holder.session.generation += i64::from(!again);
        holder.session.account = chosen;
        Ok(Turned::Good(Box::new(holder)))
    }

    /// The tokens of a session as it is now.
    pub(super) async fn grant(&self, holder: Holder) -> Result<Grant, Error> {
        let user = document(&holder)?.ok_or(Error::SignIn(Refusal::Ended))?;
        let Holder { session, tenant_name, epoch, .. } = holder;
        let mut claims = standing::claims(&user, session.account.as_deref());
        for (name, value) in [
            ("sub", serde_json::Value::from(session.user.as_str())),
            ("tenant", tenant_name.into()),
            ("sid", session.id.as_str().into()),
            ("epoch", epoch.into()),
            ("client_id", CLIENT_ID.into()),
        ] {
            claims.insert(name.to_owned(), value);
        }
        Ok(Grant {
            access_token: self.sign(claims).await?,
            expires_in: self.settings().identity.access_token_seconds,
            refresh_token: self.refresh_token(&session)?,
            session: session.id,
            user: session.user,
            account: session.account,
        })
    }

    /// Ends the session of a refresh token; one that is none is no error.
    pub async fn log_out(&self, token: &str) -> Result<(), Error> {
        // Whoever has had a token of it may end it.
        let Some((id, ..)) = self.proven(token).await? else { return Ok(()) };
        let end = async move |tx: &mut Tx<'_>| sessions::end(tx, &id).await.map(drop);
        Ok(self.store().write_apart(end).await?)
    }

    /// The parts of a refresh token that Usher made, whether it is good still or not: what anybody makes up
    /// is found out by a read and keeps nobody from writing.
    pub(super) async fn proven(&self, token: &str) -> Result<Option<Parts>, Error> {
        let Some(parts) = parts(token) else { return Ok(None) };
        let id = parts.0.clone();
        let found =
            self.store().read_quickly(async move |tx| sessions::find(tx, &id).await).await?;
        let Some(holder) = found else { return Ok(None) };
        let ours = self.seal_of(&holder.session, parts.1)?;
        Ok(bool::from(ours.ct_eq(&parts.2)).then_some(parts))
    }

    /// The sessions of a user that have not ended, the oldest first.
    pub async fn sessions(&self, ctx: &Ctx, user: &str) -> Result<Vec<Session>, Error> {
        ctx.require(Scope::SessionsRevoke)?;
        let (work, user) = (Work::new(self, ctx, self.users()?), user.to_owned());
        let look = async move |tx: &mut Tx<'_>| {
            work.find(tx, &user).await?;
            Ok::<_, Error>(sessions::list(tx, &work.tenant, &user, work.now).await?)
        };
        self.store().read(look).await
    }

    /// Ends all sessions of a user, everywhere; how many there were. At Usher no access token of theirs is
    /// good from then on, at the product none once its life is over.
    pub async fn revoke_sessions(&self, ctx: &Ctx, user: &str) -> Result<u64, Error> {
        ctx.require(Scope::SessionsRevoke)?;
        let (work, user) = (Work::new(self, ctx, self.users()?), user.to_owned());
        let end = async move |tx: &mut Tx<'_>| {
            work.find(tx, &user).await?;
            work.revoke(tx, &user, "revoked").await
        };
        self.store().write(&ctx.tenant, end).await
    }

    /// Forgets sessions that have ended by time.
    pub async fn forget_sessions(&self) -> Result<(), Error> {
        let now = self.clock().now();
        let forget = async move |tx: &mut Tx<'_>| sessions::forget(tx, now, 1_000).await;
        while self.store().write_apart(forget).await? >= 1_000 {}
        Ok(())
    }

    async fn end_stolen(&self, holder: Holder) -> Result<(), Error> {
        let ctx = self.person(&holder, RequestId::new(self.clock().now()))?;
        let session = holder.session;
        let user = session.user.clone();
        tracing::warn!(tenant = %holder.tenant_name, %user, session = %session.id,
            "a refresh token was used again: the session is ended");
        let work = Work::new(self, &ctx, self.users()?);
        let end = async move |tx: &mut Tx<'_>| {
            if sessions::end(tx, &session.id).await? {
                logins::raise_epoch(tx, &work.tenant, &user).await?;
                work.note_revoked(tx, &user, ("reuse", 1)).await?;
            }
            Ok::<_, Error>(())
        };
        self.store().write(&ctx.tenant, end).await
    }

    /// When a session ends that began and was used then.
    pub(super) fn ends(&self, created: Micros, used: Micros) -> Micros {
        let settings = &self.settings().identity;
        let idle = used.plus_seconds(settings.session_idle_days * DAY);
        idle.min(created.plus_seconds(settings.session_days * DAY))
    }

    fn seal_of(&self, session: &Session, generation: u32) -> Result<[u8; 12], Error> {
        let input =
            [session.id.as_str().as_bytes(), &generation.to_be_bytes(), session.salt.as_bytes()];
        let bits = self.keys()?.derive(KIND, &input.concat());
        let mut seal = [0; 12];
        seal.copy_from_slice(&bits[..12]);
        Ok(seal)
    }

    /// The refresh token of a session that is good now.
    fn refresh_token(&self, session: &Session) -> Result<String, Error> {
        let wrong = || Error::Internal(format!("session {} has no form", session.id));
        let generation = u32::try_from(session.generation).map_err(|_| wrong())?;
        let mut bits = [0; 32];
        bits[..16].copy_from_slice(&session.id.bits().ok_or_else(wrong)?);
        bits[16..20].copy_from_slice(&generation.to_be_bytes());
        bits[20..].copy_from_slice(&self.seal_of(session, generation)?);
        Ok(token::text(KIND, bits))
    }
}

/// The document of the session's user.
pub(super) fn document(holder: &Holder) -> Result<Option<Doc>, Error> {
    let read = |text: &String| serde_json::from_str(text);
    let damaged = |error| Error::Internal(format!("user {}: {error}", holder.session.user));
    holder.user.as_ref().map(read).transpose().map_err(damaged)
}

/// What a text says that has the form of a refresh token.
fn parts(token: &str) -> Option<Parts> {
    let bits = token::bits(KIND, token)?;
    let id = SessionId::of(bits[..16].try_into().ok()?);
    let generation = u32::from_be_bytes(bits[16..20].try_into().ok()?);
    Some((id, generation, bits[20..].try_into().ok()?))
}
