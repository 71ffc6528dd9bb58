//! Endpoints for those who run the server: health, figures, the contract and its page.

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::app::{App, Error};
use crate::http::metrics::Metrics;
use crate::http::openapi::docs;

/// The contract as it is committed.
pub const CONTRACT: &str = include_str!("../../openapi.yaml");

/// `GET /healthz`: the process runs.
pub fn alive() -> Response {
    with_type("application/json", json!({ "status": "ok" }).to_string())
}

/// `GET /readyz`: nobody told the server to stop, and the database answers.
pub async fn ready(app: &App) -> Result<Response, Error> {
    let (status, word) = if app.is_leaving() {
        (StatusCode::SERVICE_UNAVAILABLE, "leaving")
    } else if let Err(error) = app.ready().await {
        tracing::warn!(%error, "not ready");
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    } else {
        (StatusCode::OK, "ready")
    };
    let mut response = with_type("application/json", json!({ "status": word }).to_string());
    *response.status_mut() = status;
    Ok(response)
}

/// `GET /metrics`
pub fn metrics(metrics: &Metrics) -> Response {
    with_type("application/openmetrics-text; version=1.0.0; charset=utf-8", metrics.text())
}

/// `GET /openapi.yaml`
pub fn contract() -> Response {
    with_type("application/yaml", CONTRACT)
}

/// `GET /docs`: a page that needs nothing from elsewhere and may load nothing.
pub fn page() -> Result<Response, Error> {
    let document = yaml_serde::from_str(CONTRACT)
        .map_err(|error| Error::Internal(format!("openapi.yaml: {error}")))?;
    let mut response = with_type("text/html; charset=utf-8", docs::page(&document));
    let style = STANDARD.encode(Sha256::digest(docs::STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Ok(response)
}

fn with_type(media_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
