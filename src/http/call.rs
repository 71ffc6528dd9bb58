//! One request that has found its endpoint and its caller.

use std::sync::Arc;

use axum::body::Body;
use http::HeaderName;
use http::header;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::app::door::Client;
use crate::app::{App, Challenge, Ctx, Error, Prefer};
use crate::http::body;
use crate::http::front::Seen;
use crate::http::prefer::Preferences;
use crate::http::routes::Route;
use crate::http::scim_json;
use crate::scim::bulk;
use crate::scim::etag::Conditions;
use crate::scim::query::Query;
use crate::scim::resource_type::ResourceType;
use crate::settings::Limits;

/// A request with everything that a handler asks it for.
#[derive(Debug)]
pub struct Call {
    /// The use-cases.
    pub app: App,
    /// The endpoint.
    pub route: Arc<Route>,
    /// Method, URI and headers.
    pub parts: Parts,
    body: Body,
    ctx: Option<Ctx>,
}

impl Call {
    /// A call of this endpoint.
    pub fn new(app: App, route: Arc<Route>, parts: Parts, body: Body, ctx: Option<Ctx>) -> Self {
        Self { app, route, parts, body, ctx }
    }

    /// Who calls, where that may be anybody.
    pub fn anyone(&self) -> Option<&Ctx> {
        self.ctx.as_ref()
    }

    /// Who calls.
    pub fn ctx(&self) -> Result<&Ctx, Error> {
        self.ctx.as_ref().ok_or(Error::Unauthorized(Challenge::Missing))
    }

    /// The resource type of the endpoint.
    pub fn kind(&self) -> Result<&Arc<ResourceType>, Error> {
        let missing = || Error::Internal(format!("{} has no resource type", self.route.path));
        self.route.kind.as_ref().ok_or_else(missing)
    }

    /// What stands in the path where the endpoint has `{…}`, decoded once.
    ///
    /// What is not UTF-8 or has U+0000, which PostgreSQL takes in no text, names nothing that
    /// exists, so that its decoding may lose something.
    pub fn parameter(&self) -> String {
        // Counted from the end: what stands before the endpoint may be the proxy's.
        let behind = self.route.path.rsplit('/').position(|part| part.starts_with('{'));
        let raw = self.parts.uri.path().rsplit('/').nth(behind.unwrap_or_default());
        let raw = raw.unwrap_or_default();
        decoded(raw)
    }

    /// What stands in the path where the endpoint has `{name}`, decoded once.
    pub fn named(&self, name: &str) -> String {
        // From the end: the path of the public URL may stand before it.
        let template = self.route.path.rsplit('/');
        let mut parts = template.zip(self.parts.uri.path().rsplit('/'));
        let is_it = |place: &str| {
            place.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) == Some(name)
        };
        parts.find(|(place, _)| is_it(place)).map_or_else(String::new, |(_, raw)| decoded(raw))
    }

    /// The query string as it came.
    pub fn raw_query(&self) -> &str {
        self.parts.uri.query().unwrap_or_default()
    }

    /// The parameters of the query string.
    pub fn query(&self) -> Result<Query, Error> {
        Ok(Query::from_query_string(self.raw_query(), self.ctx()?.quirks)?)
    }

    /// If-Match and If-None-Match.
    pub fn conditions(&self) -> Result<Conditions, Error> {
        let text = |name| joined(&self.parts, &name);
        let (matches, none) = (text(header::IF_MATCH), text(header::IF_NONE_MATCH));
        Ok(Conditions::parse(matches.as_deref(), none.as_deref())?)
    }

    /// `Prefer: return=…` (RFC 7240 s4.2).
    pub fn prefer(&self) -> Prefer {
        Preferences::of(&self.parts.headers).answer
    }

    /// Where the request came from.
    pub fn client(&self) -> Client {
        client(&self.parts)
    }

    /// The same as [`Call::json`] for a body of so many bytes at most.
    pub async fn small_json(&mut self, most: usize) -> Result<Value, Error> {
        let limits = &self.app.settings().limits;
        let limits = Limits { max_body: most.min(limits.max_body), ..limits.clone() };
        let body = std::mem::take(&mut self.body);
        scim_json::read(&self.parts.headers, body, &limits).await
    }

    /// Reads the JSON body; a second call finds none.
    pub async fn json(&mut self) -> Result<Value, Error> {
        let body = std::mem::take(&mut self.body);
        scim_json::read(&self.parts.headers, body, &self.app.settings().limits).await
    }

    /// The same, where strings of so many bytes are taken though others may be shorter.
    pub async fn json_with_strings(&mut self, most: usize) -> Result<Value, Error> {
        let body = std::mem::take(&mut self.body);
        let mut limits = self.app.settings().limits.clone();
        limits.max_string = limits.max_string.max(most);
        scim_json::read(&self.parts.headers, body, &limits).await
    }

    /// Reads the body as a form (`application/x-www-form-urlencoded`) of so many bytes at most; a second
    /// call finds none.
    pub async fn form(&mut self, most: usize) -> Result<Vec<(String, String)>, Error> {
        let kind = self.parts.headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Error::UnsupportedMedia(crate::scim::path::excerpt(kind)));
        }
        let patience = self.app.settings().limits.body_timeout;
        let rules = body::Rules { limit: most, patience, pace: most };
        let bytes =
            body::collect(&self.parts.headers, std::mem::take(&mut self.body), rules).await?;
        let fields = url::form_urlencoded::parse(&bytes);
        Ok(fields.map(|(name, value)| (clean(&name), clean(&value))).collect())
    }

    /// The path that was asked for, without what stands before it at a proxy.
    pub fn own_path(&self) -> &str {
        self.parts.uri.path()
    }

    /// Reads the body as a bulk request, with its SHA-256; a second call finds none.
    pub async fn bulk(&mut self) -> Result<(bulk::Request, [u8; 32]), Error> {
        let body = std::mem::take(&mut self.body);
        let quirks = self.ctx()?.quirks;
        let limits = &self.app.settings().limits;
        scim_json::read_bulk(&self.parts.headers, body, limits, quirks).await
    }
}

/// Where a request came from.
pub fn client(parts: &Parts) -> Client {
    let address = parts.extensions.get::<Arc<Seen>>().and_then(|seen| seen.client);
    let agent = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    Client::new(address, agent.unwrap_or_default())
}

fn decoded(raw: &str) -> String {
    clean(&percent_decode_str(raw).decode_utf8_lossy())
}

/// Text as PostgreSQL takes it.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// All lines of a header as one list (RFC 9110 s5.3).
fn joined(parts: &Parts, name: &HeaderName) -> Option<String> {
    let lines: Vec<_> = parts
        .headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}
