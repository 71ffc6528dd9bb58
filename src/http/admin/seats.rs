//! `/admin/users/{id}/seat`: the seat of one user.

use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use super::{body, json};
use crate::app::Error;
use crate::app::seating::Act;
use crate::http::call::Call;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExemptBody {
    exempt: bool,
}

/// `PATCH /admin/users/{id}/seat`
pub(super) async fn exempt(mut call: Call) -> Result<Response, Error> {
    let ExemptBody { exempt } = body(&mut call).await?;
    act(call, Act::Exempt(exempt)).await
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct GrantBody {
    pool: Option<String>,
    next: bool,
}

/// `POST /admin/users/{id}/seat:grant`
pub(super) async fn grant(mut call: Call) -> Result<Response, Error> {
    let GrantBody { pool, next } = body(&mut call).await?;
    act(call, Act::Grant { pool, next }).await
}

async fn act(call: Call, act: Act) -> Result<Response, Error> {
    let shown = call.app.act_on_seat(call.ctx()?, &call.parameter(), act).await?;
    Ok(json(StatusCode::OK, &shown))
}
