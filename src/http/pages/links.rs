//! `/activate/{token}` and `/reset/{token}`: pages on which a person sets a password.

use axum::response::Response;
use http::StatusCode;
use zeroize::Zeroizing;

use super::visit::Visit;
use crate::app::{Activation, Error, LinkState};
use crate::domain::page::{self, Alert, Content, Field, Link};
use crate::domain::strength::{TooWeak, Weak};
use crate::domain::{password, plain};
use crate::http::call::Call;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Activate,
    Reset,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Reset => "reset",
        }
    }
}

/// `GET`: looks and changes nothing, however often and whoever does it.
pub(super) async fn look(call: Call, kind: Kind) -> Result<Response, Error> {
    let secret = call.named("token");
    match behind(call, kind, &secret).await? {
        (mut visit, Some(found)) if found.state == LinkState::Good => {
            Ok(ask(&mut visit, kind, (&secret, &found), None))
        }
        (mut visit, found) => Ok(dead(&mut visit, kind, found.as_ref())),
    }
}

/// `POST`: sets the password. A weak one is refused and uses nothing up; nobody is signed in by it, since
/// whoever can read the mail is not yet whoever knows the password.
pub(super) async fn set(call: Call, kind: Kind) -> Result<Response, Error> {
    let secret = call.named("token");
    let (mut visit, found) = behind(call, kind, &secret).await?;
    if let Some(refused) = visit.read_form().await? {
        return Ok(refused);
    }
    let Some(found) = found.filter(|found| found.state == LinkState::Good) else {
        return over(visit.call, kind, &secret).await;
    };
    let typed = Zeroizing::new(visit.field("password").to_owned());
    let done = match kind {
        Kind::Activate => visit.call.app.activate(&secret, typed).await,
        Kind::Reset => visit.call.app.reset_password(&secret, typed).await,
    };
    match done {
        Ok(()) => {
            let login = visit.here("login");
            Ok(visit.go(&format!("{login}?password-set")))
        }
        // Somebody was faster, or it took too long: the page says which.
        Err(Error::Gone(_)) => over(visit.call, kind, &secret).await,
        Err(Error::Weak(weak)) => {
            let alert = alert_of(&visit, &weak);
            Ok(ask(&mut visit, kind, (&secret, &found), Some(alert)))
        }
        Err(error) => Err(error),
    }
}

/// What became of a link that was good a moment ago.
async fn over(call: Call, kind: Kind, secret: &str) -> Result<Response, Error> {
    let (mut visit, found) = behind(call, kind, secret).await?;
    Ok(dead(&mut visit, kind, found.as_ref()))
}

/// The visit of a link, and what is behind it; nothing where nobody knows it.
async fn behind(
    call: Call,
    kind: Kind,
    secret: &str,
) -> Result<(Visit, Option<Activation>), Error> {
    let looked = match kind {
        Kind::Activate => call.app.activation(secret).await,
        Kind::Reset => call.app.resetting(secret).await,
    };
    let found = match looked {
        Ok(found) => Some(found),
        Err(Error::Gone(_)) => None,
        Err(error) => return Err(error),
    };
    let mut visit = Visit::of(call, "").await?;
    if let Some(found) = &found {
        visit.tenant.clone_from(&found.tenant);
        visit.brand = found.brand.clone();
        visit.speak(found.locale.as_deref());
    }
    Ok((visit, found))
}

fn ask(
    visit: &mut Visit,
    kind: Kind,
    (secret, found): (&str, &Activation),
    alert: Option<Alert>,
) -> Response {
    let word = kind.word();
    let lead = match plain::name(&found.name, page::LONGEST_NAME) {
        Some(name) => visit.words.fill(&format!("page.{word}.lead"), &[("name", &name)]),
        None => visit.text(&format!("page.{word}.lead-unknown")),
    };
    let action = visit.site.at(&[word, secret]);
    let mut form = visit.form_to(action, &format!("page.{word}.button"));
    form.fields = vec![
        user_name(visit, &found.user_name),
        new_password(visit, found.shortest, alert.is_some()),
    ];
    let status = if alert.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let heading = if kind == Kind::Activate { "activate.heading" } else { "reset.heading" };
    visit.show(
        status,
        &Content { heading, alert, text: vec![lead], forms: vec![form], ..Content::default() },
    )
}

/// The name to sign in with, shown so that password managers keep it with the password.
fn user_name(visit: &Visit, name: &str) -> Field {
    Field {
        name: "username",
        label: visit.text("page.user-name.label"),
        kind: "text",
        value: name.to_owned(),
        autocomplete: "username",
        fixed: true,
        ..Field::default()
    }
}

/// The field for a new password.
pub(super) fn new_password(visit: &Visit, shortest: usize, wrong: bool) -> Field {
    let least = shortest.to_string();
    Field {
        name: "password",
        label: visit.text("page.password.new"),
        kind: "password",
        hint: Some(visit.words.fill("page.password.hint", &[("least", &least)])),
        autocomplete: "new-password",
        wrong,
        least: shortest,
        ..Field::default()
    }
}

/// The page of a link that lets nobody in any more.
fn dead(visit: &mut Visit, kind: Kind, found: Option<&Activation>) -> Response {
    let (heading, word) = match found.map(|found| found.state) {
        None => ("dead.unknown", "unknown"),
        Some(LinkState::Good | LinkState::Expired) => ("dead.expired", "expired"),
        Some(LinkState::Used) => ("dead.used", "used"),
        Some(LinkState::Replaced) => ("dead.replaced", "replaced"),
        Some(LinkState::Cancelled) => ("dead.cancelled", "cancelled"),
    };
    let mut links: Vec<Link> = Vec::new();
    if found.is_some() && kind == Kind::Reset && matches!(word, "expired" | "replaced") {
        links.push(visit.link("forgot", "page.dead.forgot"));
    }
    if found.is_some() {
        links.push(visit.link("login", "page.dead.sign-in"));
    }
    let text = vec![visit.text(&format!("page.dead-{}.{word}", kind.word()))];
    let status = if found.is_some() { StatusCode::GONE } else { StatusCode::NOT_FOUND };
    visit.show(status, &Content { heading, text, links, ..Content::default() })
}

/// Why a password was not taken, and what would do.
pub(super) fn alert_of(visit: &Visit, weak: &TooWeak) -> Alert {
    let TooWeak { why, strength, shortest } = weak;
    let least = shortest.to_string();
    let length = password::prepare(visit.field("password"), 0).map(|text| text.chars().count());
    let (why, advice) = match (why, length) {
        (Weak::Unfit(_), Ok(length)) if length < *shortest => ("short", "advice"),
        (Weak::Unfit(_), Err(_)) if visit.field("password").is_empty() => ("short", "advice"),
        (Weak::Unfit(_), Err(_)) if is_long(visit.field("password")) => ("long", "advice-long"),
        (Weak::Unfit(_), _) => ("unfit", "advice-unfit"),
        (Weak::Common, _) => ("common", "advice"),
        (Weak::Own, _) => ("own", "advice"),
        (Weak::Guessable, _) => ("guessable", "advice"),
    };
    let text = |key: &str| visit.words.fill(&format!("page.weak.{key}"), &[("least", &least)]);
    Alert { text: text(why), advice: Some(text(advice)), strength: Some(*strength) }
}

fn is_long(text: &str) -> bool {
    text.chars().count() > password::LONGEST
}
