//! One visit of a page: who comes, in which language, with which form; and the answer.

use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use subtle::ConstantTimeEq as _;

use super::assets;
use super::site::{Site, cookie};
use crate::app::{App, Error};
use crate::domain::brand::Brand;
use crate::domain::page::{self, Alert, Content, Form, Link};
use crate::domain::token;
use crate::domain::words::{self, Words};
use crate::http::call::Call;
use crate::http::pages::Page;
use crate::http::routes::Action;

/// The largest form, in bytes: everybody may send one.
const LARGEST: usize = 16 * 1024;
/// What a page may load, send and be shown in: nothing but what is this server's.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";
/// The name of the field of a form that says that it is one of ours.
const TOKEN: &str = "token";

/// A visit. It holds what was typed, and is never written into a log.
pub(super) struct Visit {
    pub(super) call: Call,
    pub(super) site: Site,
    pub(super) words: &'static Words,
    /// How the tenant shows itself.
    pub(super) brand: Brand,
    /// The name of the tenant in the path or behind the link.
    pub(super) tenant: String,
    token: String,
    cookies: Vec<HeaderValue>,
    form: Vec<(String, String)>,
}

impl Visit {
    /// A visit of a page of this tenant; without one it is nobody's.
    pub(super) async fn of(call: Call, tenant: &str) -> Result<Self, Error> {
        let brand =
            if tenant.is_empty() { Brand::default() } else { call.app.brand_shown(tenant).await? };
        let site = Site::of(&call.app);
        let words = language(&call.parts.headers);
        let known = cookie(&call.parts.headers, &site.form_cookie());
        let known = known.filter(|token| token::is_well_formed(token)).map(str::to_owned);
        let mut visit = Self {
            site,
            words,
            brand,
            tenant: tenant.to_owned(),
            token: String::new(),
            cookies: Vec::new(),
            form: Vec::new(),
            call,
        };
        match known {
            Some(token) => visit.token = token,
            None => visit.renew_token()?,
        }
        Ok(visit)
    }

    /// From now on only forms that are made from here on are taken.
    pub(super) fn renew_token(&mut self) -> Result<(), Error> {
        self.token = App::form_token()?;
        let made = self.site.cookie(&self.site.form_cookie(), &self.token);
        self.cookies.extend(made);
        Ok(())
    }

    /// Speaks the language of a person, where that is known and there.
    pub(super) fn speak(&mut self, locale: Option<&str>) {
        if let Some(known) = locale.and_then(words::find) {
            self.words = known;
        }
    }

    /// Keeps a cookie in the browser, or takes it away with an empty value.
    pub(super) fn keep(&mut self, name: &str, value: &str) {
        let made = self.site.cookie(name, value);
        self.cookies.extend(made);
    }

    /// Reads the form that was sent. What was not sent by one of our own pages, which this browser was
    /// shown, is answered at once and does nothing: nobody makes a browser sign in, or out, from elsewhere.
    pub(super) async fn read_form(&mut self) -> Result<Option<Response>, Error> {
        let held = cookie(&self.call.parts.headers, &self.site.form_cookie()).map(str::to_owned);
        self.form = self.call.form(LARGEST).await?;
        let sent = self.field(TOKEN);
        let is_same = held.is_some_and(|held| {
            token::is_well_formed(&held) && bool::from(held.as_bytes().ct_eq(sent.as_bytes()))
        });
        if is_same && self.site.sent(&self.call.parts.headers) {
            return Ok(None);
        }
        let again = match self.call.route.row.action {
            Action::Page(Page::SignOut) => self.site.at(&["t", self.field("tenant"), "login"]),
            Action::Page(Page::Change) => self.here("login"),
            _ => self.site.path(self.call.own_path()),
        };
        let label = self.words.get("page.error.again").to_owned();
        let content = Content {
            heading: "error.heading",
            alert: Some(self.alert("page.error.form", &[])),
            links: vec![Link { href: again, label }],
            ..Content::default()
        };
        Ok(Some(self.show(StatusCode::FORBIDDEN, &content)))
    }

    /// A field of the form; empty where it is not there.
    pub(super) fn field(&self, name: &str) -> &str {
        let found = self.form.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// Whether the query has this word, and nothing else.
    pub(super) fn says(&self, word: &str) -> bool {
        self.call.raw_query() == word
    }

    /// A text of the catalogue.
    pub(super) fn text(&self, key: &str) -> String {
        let brand = page::brand_name(&self.brand, self.words);
        self.words.fill(key, &[("brand", brand)])
    }

    /// An alert without advice.
    pub(super) fn alert(&self, key: &str, values: &[(&str, &str)]) -> Alert {
        Alert { text: self.words.fill(key, values), ..Alert::default() }
    }

    /// A form that is sent to this path, with the token.
    pub(super) fn form_to(&self, action: String, button: &str) -> Form {
        let hidden = vec![(TOKEN, self.token.clone())];
        Form { action, hidden, button: self.text(button), ..Form::default() }
    }

    /// A path of this tenant.
    pub(super) fn here(&self, page: &str) -> String {
        self.site.at(&["t", &self.tenant, page])
    }

    /// A link to a page of this tenant.
    pub(super) fn link(&self, page: &str, label: &str) -> Link {
        Link { href: self.here(page), label: self.text(label) }
    }

    /// The page as an answer.
    pub(super) fn show(&mut self, status: StatusCode, content: &Content) -> Response {
        let looks = assets::looks(&self.site, &self.tenant, &self.brand);
        let html = page::render(content, self.words, (&self.brand, &looks));
        let mut response = answer(status, self.words, html);
        self.add_cookies(&mut response);
        response
    }

    /// Sends the browser on, by GET.
    pub(super) fn go(&mut self, to: &str) -> Response {
        let mut response = Response::new(axum::body::Body::empty());
        *response.status_mut() = StatusCode::SEE_OTHER;
        response
            .headers_mut()
            .extend(HeaderValue::try_from(to).ok().map(|to| (header::LOCATION, to)));
        self.add_cookies(&mut response);
        response
    }

    fn add_cookies(&mut self, response: &mut Response) {
        for cookie in self.cookies.drain(..) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
}

/// How a page is shown that failed.
#[derive(Debug, Clone)]
pub struct Manner {
    site: Site,
    words: &'static Words,
}

impl Manner {
    /// For whoever sent these headers.
    pub fn of(app: &App, headers: &HeaderMap) -> Self {
        Self { site: Site::of(app), words: language(headers) }
    }

    /// The page for an error; what people may not see goes to the log.
    pub fn failed(&self, error: &Error) -> Response {
        error.log();
        let status = StatusCode::from_u16(error.status().0);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (key, wait) = match error {
            Error::Busy(wait) => ("busy", Some(*wait)),
            _ if status == StatusCode::NOT_FOUND || status == StatusCode::GONE => ("unknown", None),
            _ if status.is_server_error() => ("failed", None),
            _ => ("method", None),
        };
        let seconds = wait.map(|wait| wait.to_string()).unwrap_or_default();
        let text = self.words.fill(&format!("page.error.{key}"), &[("seconds", &seconds)]);
        let content = Content {
            heading: "error.heading",
            alert: Some(Alert { text, ..Alert::default() }),
            ..Content::default()
        };
        let brand = Brand::default();
        let looks = assets::looks(&self.site, "", &brand);
        let mut response =
            answer(status, self.words, page::render(&content, self.words, (&brand, &looks)));
        if wait.is_some()
            && let Ok(value) = HeaderValue::try_from(seconds)
        {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response
    }
}

fn answer(status: StatusCode, words: &Words, html: String) -> Response {
    let mut response = Response::new(html.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_LANGUAGE, words.tag()),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
    }
    response
}

fn language(headers: &HeaderMap) -> &'static Words {
    let wished = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    words::negotiate(wished.unwrap_or_default())
}
