//! `/auth`: sessions for the product, as JSON with errors of RFC 9457; and the keys that its tokens are
//! verified with.

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::Error;
use crate::app::sessions::Grant;
use crate::app::signin::{Attempt, SignedIn};
use crate::domain::standing::Refusal;
use crate::http::admin::{body_of, json as reply, nothing};
use crate::http::call::Call;

/// What an endpoint of `/auth` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Begin a session.
    Login,
    /// Keep it.
    Refresh,
    /// End it.
    Logout,
    /// Show the public keys.
    Keys,
}

impl Auth {
    /// Whether it may change something.
    pub fn writes(self) -> bool {
        self != Self::Keys
    }
}

/// The largest body, in bytes: everybody may send one.
const LARGEST: usize = 16 * 1024;

/// Answers a call of this endpoint.
pub async fn answer(auth: Auth, call: Call) -> Result<Response, Error> {
    match auth {
        Auth::Login => login(call).await,
        Auth::Refresh => refresh(call).await,
        Auth::Logout => logout(call).await,
        Auth::Keys => keys(call).await,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    tenant: Option<String>,
    username: String,
    password: String,
    account: Option<String>,
}

/// `POST /auth/login`
async fn login(mut call: Call) -> Result<Response, Error> {
    let Login { tenant, username, password, account } = body_of(call.small_json(LARGEST).await?)?;
    let client = call.client();
    let attempt = Attempt { tenant, name: username, password, account, client };
    match call.app.sign_in(&attempt).await? {
        SignedIn::In(grant) => Ok(granted(&grant)),
        // Pages let the person change it there and then.
        SignedIn::MustChange(_) => Err(Refusal::MustChangePassword.into()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refresh {
    refresh_token: String,
    account: Option<String>,
}

/// `POST /auth/refresh`
async fn refresh(mut call: Call) -> Result<Response, Error> {
    let Refresh { refresh_token, account } = body_of(call.small_json(LARGEST).await?)?;
    let client = call.client();
    Ok(granted(&call.app.refresh(&refresh_token, account.as_deref(), &client).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Logout {
    refresh_token: String,
}

/// `POST /auth/logout`
async fn logout(mut call: Call) -> Result<Response, Error> {
    let Logout { refresh_token } = body_of(call.small_json(LARGEST).await?)?;
    call.app.log_out(&refresh_token).await?;
    Ok(nothing())
}

/// `GET /.well-known/jwks.json`
async fn keys(call: Call) -> Result<Response, Error> {
    let mut response = reply(StatusCode::OK, &call.app.public_keys().await?);
    // A key is published a day before it signs.
    let kept = HeaderValue::from_static("public, max-age=300");
    response.headers_mut().insert(header::CACHE_CONTROL, kept);
    Ok(response)
}

/// RFC 6749 s5.1.
fn granted(grant: &Grant) -> Response {
    let body: Value = json!({
        "access_token": grant.access_token,
        "token_type": "Bearer",
        "expires_in": grant.expires_in,
        "refresh_token": grant.refresh_token,
    });
    reply(StatusCode::OK, &body)
}
