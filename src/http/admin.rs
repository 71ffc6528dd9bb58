//! `/admin`: what administrators set up and read beyond SCIM, as JSON with errors of RFC 9457.

mod accounts;
mod brake;
mod invitations;
mod mail;
mod seats;
mod sessions;

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::app::Error;
use crate::app::seats::{Filled, Line, Wanted};
use crate::app::tokens::{NewToken, Token};
use crate::domain::catalogue::Role;
use crate::domain::offer;
use crate::domain::record;
use crate::domain::role::Mapping;
use crate::domain::scope::Scope;
use crate::http::call::Call;
use crate::scim;
use crate::scim::path::excerpt;

/// What an endpoint of `/admin` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admin {
    /// Read events.
    Events,
    /// Read the provisioning log.
    Log,
    /// List the pools.
    Pools,
    /// Say whether a user needs a seat.
    ExemptUser,
    /// Give a user who waits a seat out of turn.
    GrantSeat,
    /// Make a pool.
    MakePool,
    /// Change a pool.
    ChangePool,
    /// End a pool.
    EndPool,
    /// List the sessions of a user.
    Sessions,
    /// End them.
    EndSessions,
    /// Make a password for a user.
    MakePassword,
    /// Show how many users the brake holds.
    Brake,
    /// Bring them back.
    UndoBrake,
    /// Finish what was held.
    ConfirmBrake,
    /// Invite people.
    Invite,
    /// Send an invitation anew.
    Resend,
    /// Hand the link of an invitation over.
    Link,
    /// Mail a link for a new password.
    ResetPassword,
    /// List the roles.
    Roles,
    /// Make a role.
    MakeRole,
    /// End a role.
    EndRole,
    /// Give a role another name.
    NameRole,
    /// Take such a name away.
    UnnameRole,
    /// Say what membership of a group means.
    MapGroup,
    /// Say that it means nothing.
    UnmapGroup,
    /// Read the settings.
    Settings,
    /// Change settings.
    ChangeSettings,
    /// List the tokens.
    Tokens,
    /// Make a token.
    MakeToken,
    /// End a token.
    RevokeToken,
    /// Query accounts.
    Accounts,
    /// Read an account.
    Account,
    /// Make an account.
    MakeAccount,
    /// Change an account.
    ChangeAccount,
    /// End an account.
    EndAccount,
    /// Make a user a member of an account.
    Join,
    /// Change such a membership.
    ChangeMembership,
    /// End it.
    Leave,
    /// Show how the tenant shows itself.
    Brand,
    /// Set it.
    SetBrand,
    /// List the templates of letters.
    Templates,
    /// Read a template.
    Template,
    /// Make or replace a template.
    SetTemplate,
    /// Delete a template.
    DeleteTemplate,
    /// List mails.
    Mails,
    /// Say what became of a mail.
    ReportMail,
}

impl Admin {
    /// Whether it may change something.
    pub fn writes(self) -> bool {
        match self {
            Self::Events
            | Self::Log
            | Self::Pools
            | Self::Brake
            | Self::Sessions
            | Self::Roles
            | Self::Settings
            | Self::Tokens
            | Self::Accounts
            | Self::Account
            | Self::Brand
            | Self::Templates
            | Self::Template
            | Self::Mails => false,
            Self::ExemptUser
            | Self::GrantSeat
            | Self::EndSessions
            | Self::MakePassword
            | Self::UndoBrake
            | Self::ConfirmBrake
            | Self::Invite
            | Self::Resend
            | Self::Link
            | Self::ResetPassword
            | Self::MakePool
            | Self::ChangePool
            | Self::EndPool
            | Self::MakeRole
            | Self::EndRole
            | Self::NameRole
            | Self::UnnameRole
            | Self::MapGroup
            | Self::UnmapGroup
            | Self::ChangeSettings
            | Self::MakeToken
            | Self::RevokeToken
            | Self::MakeAccount
            | Self::ChangeAccount
            | Self::EndAccount
            | Self::Join
            | Self::ChangeMembership
            | Self::Leave
            | Self::SetBrand
            | Self::SetTemplate
            | Self::DeleteTemplate
            | Self::ReportMail => true,
        }
    }
}

/// Lines of an answer when the client names no number, and at most.
const LINES: (i64, i64) = (100, 1_000);

/// Answers a call of this endpoint.
pub async fn answer(admin: Admin, call: Call) -> Result<Response, Error> {
    match admin {
        Admin::Events => lines(call, Scope::EventsRead).await,
        Admin::Log => lines(call, Scope::LogRead).await,
        Admin::Pools => pools(call).await,
        Admin::ExemptUser => seats::exempt(call).await,
        Admin::GrantSeat => seats::grant(call).await,
        Admin::Sessions => sessions::list(call).await,
        Admin::EndSessions => sessions::revoke(call).await,
        Admin::MakePassword => sessions::generate_password(call).await,
        Admin::Brake => brake::show(call).await,
        Admin::UndoBrake => brake::undo(call).await,
        Admin::ConfirmBrake => brake::confirm(call).await,
        Admin::Invite => invitations::invite(call).await,
        Admin::Resend => invitations::resend(call).await,
        Admin::Link => invitations::link(call).await,
        Admin::ResetPassword => invitations::reset_password(call).await,
        Admin::MakePool => make_pool(call).await,
        Admin::ChangePool => change_pool(call).await,
        Admin::EndPool => end_pool(call).await,
        Admin::Roles => roles(call).await,
        Admin::MakeRole => make_role(call).await,
        Admin::EndRole => end_role(call).await,
        Admin::NameRole => name_role(call).await,
        Admin::UnnameRole => unname_role(call).await,
        Admin::MapGroup => map_group(call).await,
        Admin::UnmapGroup => unmap_group(call).await,
        Admin::Settings => settings(call).await,
        Admin::ChangeSettings => change_settings(call).await,
        Admin::Tokens => tokens(call).await,
        Admin::MakeToken => make_token(call).await,
        Admin::RevokeToken => revoke_token(call).await,
        Admin::Accounts => accounts::list(call).await,
        Admin::Account => accounts::read(call).await,
        Admin::MakeAccount => accounts::make(call).await,
        Admin::ChangeAccount => accounts::change(call).await,
        Admin::EndAccount => accounts::end(call).await,
        Admin::Join => accounts::join(call).await,
        Admin::ChangeMembership => accounts::change_membership(call).await,
        Admin::Leave => accounts::leave(call).await,
        Admin::Brand => mail::brand(call).await,
        Admin::SetBrand => mail::set_brand(call).await,
        Admin::Templates => mail::templates(call).await,
        Admin::Template => mail::template(call).await,
        Admin::SetTemplate => mail::set_template(call).await,
        Admin::DeleteTemplate => mail::delete_template(call).await,
        Admin::Mails => mail::mails(call).await,
        Admin::ReportMail => mail::report(call).await,
    }
}

/// `?after=SEQ&limit=N&name=…&resource=…&request=…`
fn wanted(call: &Call) -> Result<Wanted, Error> {
    let mut wanted = Wanted { limit: LINES.0, ..Wanted::default() };
    for (name, value) in url::form_urlencoded::parse(call.raw_query().as_bytes()) {
        let number = || value.parse::<i64>().ok().filter(|number| *number >= 0);
        let wrong = || {
            Error::from(scim::Error::InvalidValue(format!(
                "{name} is a number from 0 on, not '{}'.",
                excerpt(&value)
            )))
        };
        match &*name {
            "after" => wanted.after = number().ok_or_else(wrong)?,
            "limit" => wanted.limit = number().ok_or_else(wrong)?.min(LINES.1),
            "name" => wanted.names = vec![value.into_owned()],
            "resource" => wanted.resource = Some(value.into_owned()),
            "request" => wanted.request = Some(value.into_owned()),
            _ => {}
        }
    }
    Ok(wanted)
}

/// `GET /admin/events` and `GET /admin/log`: the same lines, those of the log with what was decided.
async fn lines(call: Call, scope: Scope) -> Result<Response, Error> {
    let wanted = wanted(&call)?;
    let after = wanted.after;
    let found = call.app.records(call.ctx()?, scope, wanted).await?;
    let next = found.last().map_or(after, |last| last.seq);
    let is_shown =
        |line: &&Line| scope == Scope::LogRead || record::EVENTS.contains(&line.name.as_str());
    let shown: Vec<Value> = found.iter().filter(is_shown).map(line).collect();
    Ok(json(StatusCode::OK, &json!({ "next": next, "lines": shown })))
}

fn line(line: &Line) -> Value {
    let mut shown = json!({
        "seq": line.seq,
        "at": line.at.rfc3339(),
        "name": line.name,
        "resourceType": line.kind,
        "resource": line.resource,
        "request": line.request,
        "token": line.token,
        "detail": serde_json::from_str::<Value>(&line.detail).unwrap_or_default(),
    });
    if let Some(version) = line.version {
        shown["version"] = version.into();
    }
    shown
}

fn pool(filled: &Filled, call: &Call) -> Value {
    Value::Object(offer::pool(&filled.pool, filled.taken, call.app.clock().now()))
}

/// `GET /admin/pools`
async fn pools(call: Call) -> Result<Response, Error> {
    let pools = call.app.pools(call.ctx()?).await?;
    let shown: Vec<Value> = pools.iter().map(|filled| pool(filled, &call)).collect();
    Ok(json(StatusCode::OK, &json!({ "pools": shown })))
}

/// The pool of this value, as it is answered.
async fn shown_pool(call: Call, status: StatusCode, value: &str) -> Result<Response, Error> {
    let pools = call.app.pools(call.ctx()?).await?;
    let found = pools.iter().find(|filled| filled.pool.value == value);
    Ok(json(status, &found.map_or(Value::Null, |filled| pool(filled, &call))))
}

/// `POST /admin/pools`
async fn make_pool(mut call: Call) -> Result<Response, Error> {
    let body = call.json().await?;
    let value = body["value"].as_str().unwrap_or_default().to_owned();
    let made = call.app.make_pool(call.ctx()?, body).await;
    made?;
    shown_pool(call, StatusCode::CREATED, &value).await
}

/// `PATCH /admin/pools/{value}`: a merge patch (RFC 7396), so that null takes a value away.
async fn change_pool(mut call: Call) -> Result<Response, Error> {
    let body = call.json().await?;
    let value = call.parameter();
    call.app.change_pool(call.ctx()?, &value, body).await?;
    shown_pool(call, StatusCode::OK, &value).await
}

/// `DELETE /admin/pools/{value}`
async fn end_pool(call: Call) -> Result<Response, Error> {
    call.app.end_pool(call.ctx()?, &call.parameter()).await?;
    Ok(nothing())
}

/// `GET /admin/roles`
async fn roles(call: Call) -> Result<Response, Error> {
    let roles = call.app.roles(call.ctx()?).await?;
    Ok(json(StatusCode::OK, &json!({ "roles": roles })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RoleBody {
    value: String,
    display: Option<String>,
    description: Option<String>,
    #[serde(default)]
    administrative: bool,
}

/// `POST /admin/roles`
async fn make_role(mut call: Call) -> Result<Response, Error> {
    let RoleBody { value, display, description, administrative } = body(&mut call).await?;
    let display = display.unwrap_or_else(|| value.clone());
    let role = Role { value, display, description, administrative, ..Role::default() };
    let shown = json!({ "value": role.value, "display": role.display });
    call.app.make_role(call.ctx()?, role).await?;
    Ok(json(StatusCode::CREATED, &shown))
}

/// `DELETE /admin/roles/{value}`
async fn end_role(call: Call) -> Result<Response, Error> {
    call.app.end_role(call.ctx()?, &call.parameter()).await?;
    Ok(nothing())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NameBody {
    role: String,
}

/// `PUT /admin/role-names/{name}`
async fn name_role(mut call: Call) -> Result<Response, Error> {
    let NameBody { role } = body(&mut call).await?;
    let name = call.parameter();
    call.app.name_role(call.ctx()?, &name, Some(&role)).await?;
    Ok(json(StatusCode::OK, &json!({ "name": name, "role": role })))
}

/// `DELETE /admin/role-names/{name}`
async fn unname_role(call: Call) -> Result<Response, Error> {
    call.app.name_role(call.ctx()?, &call.parameter(), None).await?;
    Ok(nothing())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MappingBody {
    grants_role: Option<String>,
    grants_seat_type: Option<String>,
    department: Option<String>,
    agent_group: Option<String>,
    #[serde(default = "hundred")]
    priority: i64,
}

fn hundred() -> i64 {
    100
}

/// `PUT /admin/mappings/{group}`
async fn map_group(mut call: Call) -> Result<Response, Error> {
    let MappingBody { grants_role, grants_seat_type, department, agent_group, priority } =
        body(&mut call).await?;
    let group = call.parameter();
    let shown = json!({
        "group": group, "grantsRole": grants_role, "grantsSeatType": grants_seat_type,
        "department": department, "agentGroup": agent_group, "priority": priority,
    });
    let (role, seat_type) = (grants_role, grants_seat_type);
    let mapping = Mapping { group, role, seat_type, priority, department, agent_group };
    call.app.map_group(call.ctx()?, mapping).await?;
    Ok(json(StatusCode::OK, &shown))
}

/// `DELETE /admin/mappings/{group}`
async fn unmap_group(call: Call) -> Result<Response, Error> {
    let mapping = Mapping { group: call.parameter(), ..Mapping::default() };
    call.app.map_group(call.ctx()?, mapping).await?;
    Ok(nothing())
}

/// `GET /admin/settings`
async fn settings(call: Call) -> Result<Response, Error> {
    let tenant = call.app.tenant(&call.ctx()?.tenant_name).await?;
    let settings: serde_json::Map<_, _> = tenant
        .settings
        .in_force()
        .into_iter()
        .map(|(key, value)| (key.to_owned(), Value::from(value)))
        .collect();
    Ok(json(StatusCode::OK, &Value::Object(settings)))
}

/// `PATCH /admin/settings`
async fn change_settings(mut call: Call) -> Result<Response, Error> {
    let changes = scim::json::object(call.json().await?)?;
    let changes: Vec<(String, String)> = changes
        .into_iter()
        .map(|(key, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (key, text)
        })
        .collect();
    call.app.set_tenant(&call.ctx()?.tenant_name, &changes).await?;
    settings(call).await
}

/// `GET /admin/tokens`
async fn tokens(call: Call) -> Result<Response, Error> {
    let tokens = call.app.tokens(&call.ctx()?.tenant_name).await?;
    let shown: Vec<Value> = tokens.iter().map(token).collect();
    Ok(json(StatusCode::OK, &json!({ "tokens": shown })))
}

fn token(token: &Token) -> Value {
    let time = |at: Option<crate::clock::Micros>| at.map(crate::clock::Micros::rfc3339);
    let mut shown = json!({
        "id": token.id.as_str(),
        "label": token.label,
        "scopes": token.scopes.split(' ').collect::<Vec<_>>(),
        "created": token.created.rfc3339(),
    });
    for (name, at) in
        [("expires", token.expires), ("revoked", token.revoked), ("lastUsed", token.last_used)]
    {
        if let Some(at) = time(at) {
            shown[name] = at.into();
        }
    }
    shown
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TokenBody {
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    label: String,
    expires_days: Option<i64>,
}

/// `POST /admin/tokens`
async fn make_token(mut call: Call) -> Result<Response, Error> {
    let TokenBody { scopes, label, expires_days } = body(&mut call).await?;
    let wanted = NewToken { scopes, label, expires_days };
    let ctx = call.ctx()?;
    let secret = call.app.give_token(ctx, &wanted).await?;
    let shown = json!({ "id": secret.id.as_str(), "token": secret.token });
    Ok(json(StatusCode::CREATED, &shown))
}

/// `DELETE /admin/tokens/{id}`
async fn revoke_token(call: Call) -> Result<Response, Error> {
    call.app.revoke_token(&call.ctx()?.tenant_name, &call.parameter()).await?;
    Ok(nothing())
}

/// The body in this shape.
async fn body<T: DeserializeOwned>(call: &mut Call) -> Result<T, Error> {
    body_of(call.json().await?)
}

/// A JSON body in this shape.
pub(super) fn body_of<T: DeserializeOwned>(body: Value) -> Result<T, Error> {
    serde_json::from_value(body)
        .map_err(|error| scim::Error::InvalidSyntax(format!("The body: {error}.")).into())
}

pub(super) fn json(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(body.to_string().into());
    *response.status_mut() = status;
    let media_type = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    response
}

pub(super) fn nothing() -> Response {
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
