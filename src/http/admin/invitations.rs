//! `/admin`: invitations, several at once, sent anew, or handed over as a link; and links for new passwords.

use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{body, json as reply, nothing};
use crate::app::Error;
use crate::http::call::Call;
use crate::scim;

/// Invitations in one request, at most.
const MOST: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    invitations: Vec<Value>,
}

/// `POST /admin/invitations:batch`: each for itself, in their order.
pub(super) async fn invite(mut call: Call) -> Result<Response, Error> {
    let Batch { invitations } = body(&mut call).await?;
    if invitations.len() > MOST {
        return Err(scim::Error::InvalidValue(format!(
            "invitations are {}; send {MOST} at most in one request.",
            invitations.len()
        ))
        .into());
    }
    let ctx = call.ctx()?;
    let mut results = Vec::with_capacity(invitations.len());
    for wanted in invitations {
        let email = wanted["email"].clone();
        results.push(match call.app.invite_shown(ctx, wanted).await {
            Ok(made) => json!({ "status": 201, "email": email, "invitation": made }),
            Err(error) => {
                error.log();
                let problem = error.problem(&ctx.request);
                json!({ "status": error.status().0, "email": email, "problem": problem })
            }
        });
    }
    Ok(reply(StatusCode::OK, &json!({ "results": results })))
}

/// `POST /admin/users/{user}/invitation:resend`
pub(super) async fn resend(call: Call) -> Result<Response, Error> {
    call.app.resend_invitation(call.ctx()?, &call.named("user")).await?;
    Ok(nothing())
}

/// `POST /admin/users/{user}/invitation:link`
pub(super) async fn link(call: Call) -> Result<Response, Error> {
    let linked = call.app.link_invitation(call.ctx()?, &call.named("user")).await?;
    Ok(reply(StatusCode::OK, &json!({ "user": linked.user, "link": *linked.url })))
}

/// `POST /admin/users/{user}/password:reset`
pub(super) async fn reset_password(call: Call) -> Result<Response, Error> {
    call.app.send_reset(call.ctx()?, &call.named("user")).await?;
    Ok(nothing())
}
