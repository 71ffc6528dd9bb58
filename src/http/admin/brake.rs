//! `/admin/brake`: users that were suspended or deleted beyond what the brake lets pass.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use super::json as reply;
use crate::app::Error;
use crate::app::brake::{Decided, Refused};
use crate::http::call::Call;

/// `GET /admin/brake`
pub(super) async fn show(call: Call) -> Result<Response, Error> {
    let ctx = call.ctx()?;
    let setting = ctx.rules.brake.map_or_else(|| "off".to_owned(), |brake| brake.to_string());
    let sum = call.app.brake(ctx).await?;
    let mut shown = json!({ "brake": setting, "suspended": sum.suspended, "deleted": sum.deleted });
    for (name, at) in [("since", sum.since), ("until", sum.until)] {
        if let Some(at) = at {
            shown[name] = at.rfc3339().into();
        }
    }
    Ok(reply(StatusCode::OK, &shown))
}

/// `POST /admin/brake:undo`
pub(super) async fn undo(call: Call) -> Result<Response, Error> {
    Ok(decided(&call.app.undo_brake(call.ctx()?).await?))
}

/// `POST /admin/brake:confirm`
pub(super) async fn confirm(call: Call) -> Result<Response, Error> {
    Ok(decided(&call.app.confirm_brake(call.ctx()?).await?))
}

fn decided(decided: &Decided) -> Response {
    let refused = |refused: &Refused| json!({ "user": refused.id, "userName": refused.name, "detail": refused.detail });
    let refused: Vec<Value> = decided.refused.iter().map(refused).collect();
    let shown = json!({
        "suspended": decided.suspended, "deleted": decided.deleted, "refused": refused,
    });
    reply(StatusCode::OK, &shown)
}
