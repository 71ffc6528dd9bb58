//! What people see who are signed in. The session is the same as the product's: its refresh token stands in
//! a cookie that no script reads and that is for one tenant, and changes when an account is chosen.

use axum::response::Response;
use http::StatusCode;

use super::signin::visit;
use super::site::cookie;
use super::visit::Visit;
use crate::app::Error;
use crate::app::choice::Choice;
use crate::app::present::{Present, Taken};
use crate::app::sessions::Grant;
use crate::domain::page::{self, Alert, Content};
use crate::domain::plain;
use crate::domain::standing::Refusal;
use crate::http::call::Call;

/// Sends somebody on who has just signed in. The browser gets a session that it has not had before, and
/// forms that were made before are good no more.
pub(super) async fn begin(visit: &mut Visit, grant: &Grant) -> Result<Response, Error> {
    // Whatever session the browser had here is over: its cookie is replaced.
    let before = held(visit);
    visit.call.app.log_out(&before).await?;
    let several = visit.call.app.choices(&visit.tenant, &grant.user).await?.len() > 1;
    visit.renew_token()?;
    visit.keep(&visit.site.session_cookie(&visit.tenant), &grant.refresh_token);
    let next = visit.here(if several { "accounts" } else { "signed-in" });
    Ok(visit.go(&next))
}

/// `GET /t/{tenant}/signed-in`
pub(super) async fn signed_in(call: Call) -> Result<Response, Error> {
    let mut visit = visit(call).await?;
    let Some((present, choices)) = who(&mut visit, Taken::Last).await? else {
        return Ok(ended(&mut visit));
    };
    let name = plain::name(&present.name, page::LONGEST_NAME).unwrap_or(present.user_name);
    let brand = page::brand_name(&visit.brand, visit.words);
    let mut text =
        vec![visit.words.fill("page.signed-in.text", &[("brand", brand), ("name", &name)])];
    let used = choices.iter().find(|choice| Some(&choice.id) == present.account.as_ref());
    if let Some(used) = used {
        text.push(visit.words.fill("page.signed-in.account", &[("account", &used.name)]));
    }
    let links = if choices.len() > 1 {
        vec![visit.link("accounts", "page.signed-in.other")]
    } else {
        Vec::new()
    };
    let mut form = visit.form_to(visit.site.path("/logout"), "page.signed-in.sign-out");
    form.hidden.push(("tenant", visit.tenant.clone()));
    form.quiet = true;
    let content = Content {
        heading: "signed-in.heading",
        text,
        forms: vec![form],
        links,
        ..Content::default()
    };
    Ok(visit.show(StatusCode::OK, &content))
}

/// `GET /t/{tenant}/accounts`
pub(super) async fn accounts(call: Call) -> Result<Response, Error> {
    let mut visit = visit(call).await?;
    let Some((_, choices)) = who(&mut visit, Taken::Last).await? else {
        return Ok(ended(&mut visit));
    };
    Ok(ask(&mut visit, choices, None))
}

/// `POST /t/{tenant}/accounts`
pub(super) async fn choose(call: Call) -> Result<Response, Error> {
    let mut visit = visit(call).await?;
    if let Some(refused) = visit.read_form().await? {
        return Ok(refused);
    }
    let Some((_, choices)) = who(&mut visit, Taken::OrTheOneBefore).await? else {
        return Ok(ended(&mut visit));
    };
    let (token, client) = (held(&visit), visit.call.client());
    let wanted = visit.field("account").to_owned();
    match visit.call.app.refresh(&token, Some(&wanted), &client).await {
        Ok(grant) => {
            visit.keep(&visit.site.session_cookie(&visit.tenant), &grant.refresh_token);
            let next = visit.here("signed-in");
            Ok(visit.go(&next))
        }
        Err(Error::SignIn(Refusal::Account)) => {
            let alert = visit.alert("page.accounts.gone", &[]);
            Ok(ask(&mut visit, choices, Some(alert)))
        }
        Err(Error::SignIn(_)) => Ok(ended(&mut visit)),
        Err(error) => Err(error),
    }
}

/// `POST /logout`
pub(super) async fn sign_out(call: Call) -> Result<Response, Error> {
    let mut visit = Visit::of(call, "").await?;
    if let Some(refused) = visit.read_form().await? {
        return Ok(refused);
    }
    visit.tenant = visit.field("tenant").to_owned();
    visit.call.app.log_out(&held(&visit)).await?;
    visit.keep(&visit.site.session_cookie(&visit.tenant), "");
    let login = visit.here("login");
    Ok(visit.go(&format!("{login}?signed-out")))
}

fn ask(visit: &mut Visit, choices: Vec<Choice>, alert: Option<Alert>) -> Response {
    let mut form = visit.form_to(visit.here("accounts"), "page.accounts.heading");
    form.choices = choices
        .into_iter()
        .map(|choice| page::Choice {
            name: "account",
            detail: if choice.name == choice.number { String::new() } else { choice.number },
            value: choice.id,
            label: choice.name,
        })
        .collect();
    let status = if alert.is_some() { StatusCode::FORBIDDEN } else { StatusCode::OK };
    let content = Content {
        heading: "accounts.heading",
        alert,
        text: vec![visit.text("page.accounts.text")],
        forms: vec![form],
        ..Content::default()
    };
    visit.show(status, &content)
}

/// Who is signed in in this tenant, and the accounts to choose among.
async fn who(visit: &mut Visit, taken: Taken) -> Result<Option<(Present, Vec<Choice>)>, Error> {
    let client = visit.call.client();
    let present = visit.call.app.present(&held(visit), taken, &client).await?;
    let Some(present) = present.filter(|present| present.tenant == visit.tenant) else {
        return Ok(None);
    };
    visit.speak(present.locale.as_deref());
    let choices = visit.call.app.choices(&visit.tenant, &present.user).await?;
    Ok(Some((present, choices)))
}

/// The token of the session that the browser has in this tenant; empty where it has none.
fn held(visit: &Visit) -> String {
    let name = visit.site.session_cookie(&visit.tenant);
    cookie(&visit.call.parts.headers, &name).unwrap_or_default().to_owned()
}

/// Nobody is signed in any more: the browser forgets the session, and asks for the password.
fn ended(visit: &mut Visit) -> Response {
    visit.keep(&visit.site.session_cookie(&visit.tenant), "");
    let login = visit.here("login");
    visit.go(&format!("{login}?ended"))
}
