//! `/t/{tenant}/login`, `/t/{tenant}/forgot` and `/t/{tenant}/password`: how people come in.
//!
//! There is no parameter that says where to go afterwards: nobody is led elsewhere. A tenant that there is
//! not looks like one that has set no brand, and lets nobody in.

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

use super::links::{alert_of, new_password};
use super::sessions;
use super::visit::Visit;
use crate::app::Error;
use crate::app::signin::{Attempt, MustChange, SignedIn};
use crate::domain::page::{Alert, Content, Field};
use crate::domain::standing::Refusal;
use crate::http::call::Call;

/// `GET /t/{tenant}/login`
pub(super) async fn login(call: Call) -> Result<Response, Error> {
    let mut visit = visit(call).await?;
    let said = ["password-set", "signed-out", "ended"].into_iter().find(|word| visit.says(word));
    let notice = said.map(|word| visit.text(&format!("page.sign-in.{word}")));
    Ok(ask(&mut visit, StatusCode::OK, (notice, None)))
}

/// `POST /t/{tenant}/login`
pub(super) async fn sign_in(call: Call) -> Result<Response, Error> {
    let mut visit = visit(call).await?;
    if let Some(refused) = visit.read_form().await? {
        return Ok(refused);
    }
    let attempt = Attempt {
        tenant: Some(visit.tenant.clone()),
        name: visit.field("username").to_owned(),
        password: visit.field("password").to_owned(),
        account: None,
        client: visit.call.client(),
    };
    match visit.call.app.sign_in(&attempt).await {
        Ok(SignedIn::In(grant)) => sessions::begin(&mut visit, &grant).await,
        Ok(SignedIn::MustChange(must)) => Ok(ask_other(&mut visit, &must, (&attempt.name, None))),
        Err(Error::SignIn(refusal)) => Ok(refused(&mut visit, refusal)),
        Err(Error::TooMany(wait)) => Ok(slowed_down(&mut visit, wait)),
        Err(error) => Err(error),
    }
}

/// `GET /t/{tenant}/forgot`
pub(super) async fn forgot(call: Call) -> Result<Response, Error> {
    let mut visit = visit(call).await?;
    let mut form = visit.form_to(visit.here("forgot"), "page.forgot.button");
    form.fields = vec![name_field(&visit, false)];
    let content = Content {
        heading: "forgot.heading",
        text: vec![visit.text("page.forgot.text")],
        forms: vec![form],
        links: vec![visit.link("login", "page.sign-in.back")],
        ..Content::default()
    };
    Ok(visit.show(StatusCode::OK, &content))
}

/// `POST /t/{tenant}/forgot`: the same for every name.
pub(super) async fn ask_reset(call: Call) -> Result<Response, Error> {
    let mut visit = visit(call).await?;
    if let Some(refused) = visit.read_form().await? {
        return Ok(refused);
    }
    let client = visit.call.client();
    match visit.call.app.ask_for_reset(&visit.tenant, visit.field("username"), &client) {
        Ok(()) => {}
        Err(Error::TooMany(wait)) => return Ok(slowed_down(&mut visit, wait)),
        Err(error) => return Err(error),
    }
    let text = ["page.forgot.sent-text", "page.forgot.sent-advice"].map(|key| visit.text(key));
    let content = Content {
        heading: "forgot.sent",
        text: text.to_vec(),
        links: vec![visit.link("login", "page.sign-in.back")],
        ..Content::default()
    };
    Ok(visit.show(StatusCode::OK, &content))
}

/// `POST /t/{tenant}/password`: another password in place of one that was good once.
pub(super) async fn change(call: Call) -> Result<Response, Error> {
    let mut visit = visit(call).await?;
    if let Some(refused) = visit.read_form().await? {
        return Ok(refused);
    }
    let [right, name, typed] =
        ["right", "username", "password"].map(|field| visit.field(field).to_owned());
    match visit.call.app.change_by_right(&right, &typed).await {
        Ok(()) => {
            let login = visit.here("login");
            Ok(visit.go(&format!("{login}?password-set")))
        }
        Err(Error::Weak(weak)) => {
            let alert = alert_of(&visit, &weak);
            let must = MustChange { right, shortest: weak.shortest };
            Ok(ask_other(&mut visit, &must, (&name, Some(alert))))
        }
        Err(Error::SignIn(_)) => {
            let alert = visit.alert("page.change.over", &[]);
            Ok(ask(&mut visit, StatusCode::FORBIDDEN, (None, Some(alert))))
        }
        Err(error) => Err(error),
    }
}

/// The visit of a page of the tenant in the path.
pub(super) async fn visit(call: Call) -> Result<Visit, Error> {
    let tenant = call.named("tenant");
    Visit::of(call, &tenant).await
}

/// The page that asks for name and password. The name is not shown again: whoever looks over a shoulder,
/// or comes to the computer later, does not learn it.
fn ask(
    visit: &mut Visit,
    status: StatusCode,
    (notice, alert): (Option<String>, Option<Alert>),
) -> Response {
    let wrong = status == StatusCode::UNPROCESSABLE_ENTITY;
    let mut form = visit.form_to(visit.here("login"), "page.sign-in.button");
    let password = Field {
        name: "password",
        label: visit.text("page.password.label"),
        kind: "password",
        autocomplete: "current-password",
        wrong,
        ..Field::default()
    };
    form.fields = vec![name_field(visit, wrong), password];
    let content = Content {
        heading: "sign-in.heading",
        alert,
        notice,
        forms: vec![form],
        links: vec![visit.link("forgot", "page.sign-in.forgot")],
        ..Content::default()
    };
    visit.show(status, &content)
}

fn name_field(visit: &Visit, wrong: bool) -> Field {
    Field {
        name: "username",
        label: visit.text("page.sign-in.name"),
        kind: "text",
        autocomplete: "username",
        wrong,
        ..Field::default()
    }
}

/// The page that asks for a password in place of one that was good once.
fn ask_other(
    visit: &mut Visit,
    must: &MustChange,
    (name, alert): (&str, Option<Alert>),
) -> Response {
    let mut form = visit.form_to(visit.here("password"), "page.reset.button");
    form.hidden.push(("right", must.right.clone()));
    let who = Field {
        name: "username",
        label: visit.text("page.user-name.label"),
        kind: "text",
        value: name.to_owned(),
        autocomplete: "username",
        fixed: true,
        ..Field::default()
    };
    form.fields = vec![who, new_password(visit, must.shortest, alert.is_some())];
    let status = if alert.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let content = Content {
        heading: "change.heading",
        alert,
        text: vec![visit.text("page.change.text")],
        forms: vec![form],
        ..Content::default()
    };
    visit.show(status, &content)
}

/// Why somebody may not come in. Only who knows the password is told more than that it did not work.
fn refused(visit: &mut Visit, refusal: Refusal) -> Response {
    let (heading, keys): (_, &[&str]) = match refusal {
        Refusal::NoSeat => ("no-seat.heading", &["page.no-seat.text", "page.no-seat.advice"]),
        Refusal::Blocked => ("blocked.heading", &["page.blocked.text"]),
        Refusal::Address => ("address.heading", &["page.address.text"]),
        Refusal::Invalid | Refusal::Ended | Refusal::MustChangePassword | Refusal::Account => {
            let advice = Some(visit.text("page.sign-in.invalid-advice"));
            let alert = Alert { advice, ..visit.alert("page.sign-in.invalid", &[]) };
            return ask(visit, StatusCode::UNPROCESSABLE_ENTITY, (None, Some(alert)));
        }
    };
    let content = Content {
        heading,
        text: keys.iter().map(|key| visit.text(key)).collect(),
        links: vec![visit.link("login", "page.sign-in.back")],
        ..Content::default()
    };
    visit.show(StatusCode::FORBIDDEN, &content)
}

fn slowed_down(visit: &mut Visit, wait: u32) -> Response {
    let alert = visit.alert("page.sign-in.too-many", &[("seconds", &wait.to_string())]);
    let mut response = ask(visit, StatusCode::TOO_MANY_REQUESTS, (None, Some(alert)));
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
    response
}
