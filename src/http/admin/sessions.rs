//! `/admin/users/{id}/sessions` and passwords that are made for people.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use super::json as reply;
use crate::app::Error;
use crate::app::sessions::Session;
use crate::http::call::Call;

/// `GET /admin/users/{id}/sessions`
pub(super) async fn list(call: Call) -> Result<Response, Error> {
    let sessions = call.app.sessions(call.ctx()?, &call.named("id")).await?;
    let shown: Vec<Value> = sessions.iter().map(session).collect();
    Ok(reply(StatusCode::OK, &json!({ "sessions": shown })))
}

/// `POST /admin/users/{id}/sessions:revoke`
pub(super) async fn revoke(call: Call) -> Result<Response, Error> {
    let ended = call.app.revoke_sessions(call.ctx()?, &call.named("id")).await?;
    Ok(reply(StatusCode::OK, &json!({ "ended": ended })))
}

/// `POST /admin/users/{id}/password:generate`
pub(super) async fn generate_password(call: Call) -> Result<Response, Error> {
    let made = call.app.generate_password(call.ctx()?, &call.named("id")).await?;
    Ok(reply(StatusCode::OK, &json!({ "password": made })))
}

/// A session as administrators see it.
fn session(session: &Session) -> Value {
    let mut shown = json!({
        "id": session.id.as_str(),
        "created": session.created.rfc3339(),
        "lastUsed": session.used.rfc3339(),
        "expires": session.expires.rfc3339(),
        "network": session.network,
        "client": session.agent,
    });
    if let Some(account) = &session.account {
        shown["account"] = account.as_str().into();
    }
    shown
}
