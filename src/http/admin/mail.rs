//! Mail: how it looks, what a tenant writes into it itself, and what became of it.

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{LINES, body, json as reply, nothing};
use crate::app::Error;
use crate::app::mail::{BrandChange, Mail, Report, Wanted};
use crate::domain::brand::{Brand, LARGEST_LOGO};
use crate::domain::letter::LetterKind;
use crate::domain::template::Template;
use crate::http::call::Call;
use crate::scim;
use crate::scim::path::excerpt;

/// What a mail may be at a moment.
const STATES: [&str; 8] =
    ["queued", "sent", "delivered", "deferred", "bounced", "suppressed", "failed", "stale"];

/// `GET /admin/brand`
pub(super) async fn brand(call: Call) -> Result<Response, Error> {
    Ok(reply(StatusCode::OK, &shown_brand(&call.app.brand(call.ctx()?).await?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BrandBody {
    name: Option<String>,
    color: Option<String>,
    logo: Option<String>,
}

/// `PUT /admin/brand`
pub(super) async fn set_brand(mut call: Call) -> Result<Response, Error> {
    // Base64 is a third longer than what it stands for.
    let values = call.json_with_strings(LARGEST_LOGO * 3 / 2).await?;
    let BrandBody { name, color, logo } = serde_json::from_value(values)
        .map_err(|error| scim::Error::InvalidSyntax(format!("The body: {error}.")))?;
    let decoded = logo.map(|text| STANDARD.decode(text.trim())).transpose();
    let logo = decoded.map_err(|_| {
        scim::Error::InvalidValue("logo is the bytes of a PNG or JPEG file in Base64.".to_owned())
    })?;
    let change = BrandChange { name: Some(name), color: Some(color), logo: Some(logo) };
    Ok(reply(StatusCode::OK, &shown_brand(&call.app.set_brand(call.ctx()?, change).await?)))
}

fn shown_brand(brand: &Brand) -> Value {
    let mut shown = json!({});
    for (key, value) in [("name", &brand.name), ("color", &brand.color)] {
        if let Some(value) = value {
            shown[key] = value.as_str().into();
        }
    }
    if let Some(logo) = &brand.logo {
        shown["logo"] = STANDARD.encode(&logo.bytes).into();
    }
    shown
}

/// `GET /admin/templates`
pub(super) async fn templates(call: Call) -> Result<Response, Error> {
    let all = call.app.templates(call.ctx()?, None).await?;
    let shown: Vec<Value> = all.iter().map(shown_template).collect();
    Ok(reply(StatusCode::OK, &json!({ "templates": shown })))
}

/// `GET /admin/templates/{template}/{locale}`
pub(super) async fn template(call: Call) -> Result<Response, Error> {
    let (name, locale) = (call.named("template"), call.named("locale"));
    let all = call.app.templates(call.ctx()?, Some(&name)).await?;
    let found = all.iter().find(|template| template.locale.eq_ignore_ascii_case(&locale));
    let unknown = || Error::NotFound {
        kind: "Template".to_owned(),
        id: excerpt(&format!("{name}/{locale}")),
    };
    Ok(reply(StatusCode::OK, &shown_template(found.ok_or_else(unknown)?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateBody {
    subject: String,
    intro: String,
}

/// `PUT /admin/templates/{template}/{locale}`
pub(super) async fn set_template(mut call: Call) -> Result<Response, Error> {
    let TemplateBody { subject, intro } = body(&mut call).await?;
    let (name, locale) = (call.named("template"), call.named("locale"));
    let template = Template::new(&name, &locale, &subject, &intro);
    let template = template.map_err(scim::Error::InvalidValue)?;
    let shown = shown_template(&template);
    call.app.set_template(call.ctx()?, template).await?;
    Ok(reply(StatusCode::OK, &shown))
}

/// `DELETE /admin/templates/{template}/{locale}`
pub(super) async fn delete_template(call: Call) -> Result<Response, Error> {
    let (name, locale) = (call.named("template"), call.named("locale"));
    call.app.delete_template(call.ctx()?, &name, &locale).await?;
    Ok(nothing())
}

fn shown_template(template: &Template) -> Value {
    json!({
        "name": template.name, "locale": template.locale,
        "subject": template.subject, "intro": template.intro,
    })
}

/// `GET /admin/mails?after=SEQ&limit=N&user=…&kind=…&state=…`
pub(super) async fn mails(call: Call) -> Result<Response, Error> {
    let wanted = wanted(call.raw_query())?;
    let after = wanted.after;
    let mails = call.app.mails(call.ctx()?, wanted).await?;
    let next = mails.last().map_or(after, |last| last.seq);
    let shown: Vec<Value> = mails.iter().map(shown_mail).collect();
    Ok(reply(StatusCode::OK, &json!({ "next": next, "mails": shown })))
}

fn wanted(query: &str) -> Result<Wanted, Error> {
    let mut wanted = Wanted { limit: LINES.0, ..Wanted::default() };
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let number = || value.parse::<i64>().ok().filter(|number| *number >= 0);
        let wrong = |may_be: &str| {
            let value = excerpt(&value);
            Error::from(scim::Error::InvalidValue(format!("{name} is {may_be}, not '{value}'.")))
        };
        match &*name {
            "after" => wanted.after = number().ok_or_else(|| wrong("a number from 0 on"))?,
            "limit" => {
                wanted.limit = number().ok_or_else(|| wrong("a number from 0 on"))?.min(LINES.1);
            }
            "user" => wanted.resource = Some(value.into_owned()),
            "kind" if LetterKind::named(&value).is_some() => wanted.kind = Some(value.into_owned()),
            "kind" => return Err(wrong(&one_of(&LetterKind::ALL.map(LetterKind::name)))),
            "state" if STATES.contains(&&*value) => wanted.state = Some(value.into_owned()),
            "state" => return Err(wrong(&one_of(&STATES))),
            _ => {}
        }
    }
    Ok(wanted)
}

fn one_of(words: &[&str]) -> String {
    format!("one of {}", words.join(", "))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReportBody {
    id: Option<String>,
    message_id: Option<String>,
    state: String,
    #[serde(default)]
    detail: String,
}

/// `POST /admin/mails:report`
pub(super) async fn report(mut call: Call) -> Result<Response, Error> {
    let ReportBody { id, message_id, state, detail } = body(&mut call).await?;
    let ((Some(mail), None) | (None, Some(mail))) = (id, message_id) else {
        let sentence = "Name the mail by id or by messageId, not by both.";
        return Err(scim::Error::InvalidValue(sentence.to_owned()).into());
    };
    let report = Report { mail, state, detail };
    let mail = call.app.report_mail(call.ctx()?, report).await?;
    Ok(reply(StatusCode::OK, &shown_mail(&mail)))
}

fn shown_mail(mail: &Mail) -> Value {
    let mut shown = json!({
        "id": mail.id,
        "messageId": mail.message_id,
        "user": mail.resource,
        "kind": mail.kind,
        "state": mail.state,
        "at": mail.at.rfc3339(),
        "address": mail.address,
        "attempts": mail.attempts,
        "created": mail.created.rfc3339(),
    });
    if !mail.detail.is_empty() {
        shown["detail"] = mail.detail.as_str().into();
    }
    shown
}
