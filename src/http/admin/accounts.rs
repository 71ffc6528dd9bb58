//! Accounts inside a tenant, and who belongs to them.

use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use super::{body, json, nothing};
use crate::app::Error;
use crate::app::accounts::Wish;
use crate::http::call::Call;
use crate::scim;
use crate::scim::path::excerpt;

/// `GET /admin/accounts`: with the parameters of a query of SCIM.
pub(super) async fn list(call: Call) -> Result<Response, Error> {
    let query = call.query()?;
    let kinds = std::slice::from_ref(call.app.accounts()?);
    let page = call.app.list(call.ctx()?, kinds, &query).await?.text().await?;
    let page = serde_json::from_str(&page).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(json(StatusCode::OK, &page))
}

/// `GET /admin/accounts/{account}`
pub(super) async fn read(call: Call) -> Result<Response, Error> {
    Ok(json(StatusCode::OK, &call.app.account(call.ctx()?, &call.parameter()).await?))
}

/// `POST /admin/accounts`
pub(super) async fn make(mut call: Call) -> Result<Response, Error> {
    let values = call.json().await?;
    Ok(json(StatusCode::CREATED, &call.app.make_account(call.ctx()?, values).await?))
}

/// `PATCH /admin/accounts/{account}`: a merge patch (RFC 7396), so that null takes a value away.
pub(super) async fn change(mut call: Call) -> Result<Response, Error> {
    let changes = call.json().await?;
    let shown = call.app.change_account(call.ctx()?, &call.parameter(), changes).await?;
    Ok(json(StatusCode::OK, &shown))
}

/// `DELETE /admin/accounts/{account}?force=true`
pub(super) async fn end(call: Call) -> Result<Response, Error> {
    let mut force = false;
    for (name, value) in url::form_urlencoded::parse(call.raw_query().as_bytes()) {
        if name == "force" {
            force = value.parse().map_err(|_| {
                scim::Error::InvalidValue(format!(
                    "force is true or false, not '{}'.",
                    excerpt(&value)
                ))
            })?;
        }
    }
    call.app.end_account(call.ctx()?, &call.parameter(), force).await?;
    Ok(nothing())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JoinBody {
    account: String,
    role: Option<String>,
    primary: Option<bool>,
}

/// `POST /admin/users/{user}/memberships`
pub(super) async fn join(mut call: Call) -> Result<Response, Error> {
    let JoinBody { account, role, primary } = body(&mut call).await?;
    let (user, wish) = (call.named("user"), Wish { role, primary });
    let joined = call.app.join_account(call.ctx()?, &user, &account, wish).await?;
    Ok(json(StatusCode::CREATED, &joined))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeBody {
    role: Option<String>,
    primary: Option<bool>,
}

/// `PATCH /admin/users/{user}/memberships/{account}`
pub(super) async fn change_membership(mut call: Call) -> Result<Response, Error> {
    let ChangeBody { role, primary } = body(&mut call).await?;
    let (user, account, wish) = (call.named("user"), call.named("account"), Wish { role, primary });
    let changed = call.app.change_membership(call.ctx()?, &user, &account, wish).await?;
    Ok(json(StatusCode::OK, &changed))
}

/// `DELETE /admin/users/{user}/memberships/{account}`
pub(super) async fn leave(call: Call) -> Result<Response, Error> {
    let (user, account) = (call.named("user"), call.named("account"));
    call.app.leave_account(call.ctx()?, &user, &account).await?;
    Ok(nothing())
}
