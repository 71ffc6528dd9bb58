//! Who is signed in in a browser, told by the refresh token that it keeps. To look changes nothing.

use serde_json::Value;

use crate::app::door::Client;
use crate::app::sessions::{document, was_just_changed};
use crate::app::{App, Error};
use crate::domain::invitation;
use crate::domain::standing;
use crate::store::{Tx, sessions};

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// The name of the tenant.
    pub tenant: String,
    /// The user's `id`.
    pub user: String,
    /// What the person is called.
    pub name: String,
    /// The name to sign in with.
    pub user_name: String,
    /// The language that the person reads, as it was written.
    pub locale: Option<String>,
    /// The id of the account that is used.
    pub account: Option<String>,
}

/// Which tokens of a session are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The one that it has now.
    Last,
    /// Also the one that was changed for it a moment ago: whoever presses a button twice sends it again.
    OrTheOneBefore,
}

impl App {
    /// Who bears this refresh token, if it is one that is taken, and the person may use the product now and
    /// from this address.
    pub async fn present(
        &self,
        token: &str,
        which: Taken,
        client: &Client,
    ) -> Result<Option<Present>, Error> {
        let Some((id, generation, _)) = self.proven(token).await? else { return Ok(None) };
        let look = async move |tx: &mut Tx<'_>| sessions::find(tx, &id).await;
        let Some(holder) = self.store().read(look).await? else { return Ok(None) };
        let session = &holder.session;
        let now = self.clock().now();
        let is_taken = session.generation == i64::from(generation)
            || which == Taken::OrTheOneBefore && was_just_changed(session, generation, now);
        if !is_taken || session.expires <= now {
            return Ok(None);
        }
        let Some(user) = document(&holder)? else { return Ok(None) };
        if standing::check(&user, client.address).is_err() {
            return Ok(None);
        }
        let text = |name: &str| user.get(name).and_then(Value::as_str).unwrap_or_default();
        Ok(Some(Present {
            tenant: holder.tenant_name.clone(),
            user: session.user.clone(),
            name: invitation::name(&user).to_owned(),
            user_name: text("userName").to_owned(),
            locale: invitation::locale(&user).map(str::to_owned),
            account: session.account.clone(),
        }))
    }
}
