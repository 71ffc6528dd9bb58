//! What every request passes: its id, the log line, the figures, panics, headers.

use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};
use ipnet::IpNet;
use tracing::Instrument;

use crate::app::Error;
use crate::http::{Http, error, unread};
use crate::ids::RequestId;

/// The header that carries the request id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The address that a connection came from; the server puts it beside each request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// What becomes known about a request on its way, for its log line.
#[derive(Debug)]
pub struct Seen {
    /// Its id.
    pub request: RequestId,
    /// The address that it came from, as far as trusted proxies tell.
    pub client: Option<IpAddr>,
    /// The template of its endpoint.
    pub template: OnceLock<String>,
    /// Tenant and token id of its caller.
    pub caller: OnceLock<(String, String)>,
}

/// Wraps everything else.
pub async fn front(State(http): State<Http>, mut request: Request, next: Next) -> Response {
    let app = &http.app;
    let seen = Arc::new(Seen {
        request: RequestId::new(app.clock().now()),
        client: client(&request, &app.settings().exposure.trusted_proxies),
        template: OnceLock::new(),
        caller: OnceLock::new(),
    });
    request.extensions_mut().insert(Arc::clone(&seen));
    let line = Line {
        method: request.method().to_string(),
        client: seen.client,
        began: Instant::now(),
        seen: Arc::clone(&seen),
        status: None,
        http: http.clone(),
    };
    http.metrics.begin();
    let span = tracing::info_span!("request", request_id = %seen.request);
    answer(&http, line, request, next).instrument(span).await
}

async fn answer(http: &Http, mut line: Line, request: Request, next: Next) -> Response {
    let id = line.seen.request.clone();
    let head = request.method() == Method::HEAD;
    let ends = request.version() < Version::HTTP_2;
    let (request, unread) = unread::watch(request);
    let mut response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => error::response(&Error::Internal(message(&*panic)), &id),
    };
    add_headers(response.headers_mut(), &id);
    response.headers_mut().extend(unread.header());
    if head && response.headers().contains_key(header::CONTENT_TYPE) {
        // RFC 9110 s9.3.2: as for GET, which is compressed for those who take that.
        let vary = HeaderValue::from_static("accept-encoding");
        response.headers_mut().entry(header::VARY).or_insert(vary);
    }
    if ends && http.app.is_leaving() {
        // The next request goes to another instance, without a connection that breaks under it.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    line.status = Some(response.status().as_u16());
    response
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.unwrap_or_default())
}

/// No answer is kept by anybody but the client, and that only together with its `ETag`.
fn add_headers(headers: &mut HeaderMap, id: &RequestId) {
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        headers.insert(REQUEST_ID, id);
    }
    let cache = if headers.contains_key(header::ETAG) { "private, no-cache" } else { "no-store" };
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static(cache));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

/// The client's address: the last one in X-Forwarded-For that no trusted proxy wrote for itself. None
/// where a trusted proxy names something else: then nobody knows it, and it is not the proxy's.
fn client(request: &Request, trusted: &[IpNet]) -> Option<IpAddr> {
    let mut nearest = request.extensions().get::<Peer>()?.0.ip().to_canonical();
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let lines = request.headers().get_all("x-forwarded-for").iter().rev();
    // As bytes: what a client wrote before it may be no text, and must not hide what the proxy added.
    let mut hops = lines
        .flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|hop| !hop.is_empty());
    while is_trusted(&nearest) {
        let Some(hop) = hops.next() else { break };
        nearest = address(hop)?;
    }
    Some(nearest)
}

/// An address as proxies write it: some with the port.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop).ok()?;
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let address = bare.parse::<IpAddr>().ok().or_else(with_port)?;
    Some(address.to_canonical())
}

/// The log line of one request: written when it is answered, or when the client has hung up and
/// the request is dropped.
struct Line {
    method: String,
    client: Option<IpAddr>,
    began: Instant,
    seen: Arc<Seen>,
    status: Option<u16>,
    http: Http,
}

impl Drop for Line {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        // 499 is what others write when the client has gone before the answer.
        let status = self.status.unwrap_or(499);
        let path = self.seen.template.get().map_or("-", String::as_str);
        let (tenant, token) = self
            .seen
            .caller
            .get()
            .map_or(("-", "-"), |(tenant, token)| (tenant.as_str(), token.as_str()));
        let method = self.method.as_str();
        tracing::info!(
            method,
            path,
            status,
            duration_ms = (took.as_secs_f64() * 1e6).round() / 1e3,
            tenant,
            token,
            client = %self.client.map_or_else(|| "-".to_owned(), |address| address.to_string()),
            "request"
        );
        self.http.metrics.leave();
        self.http.metrics.answered(method, path, status, took);
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn seen_from(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut request = Request::new(Body::empty());
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        for line in forwarded {
            request.headers_mut().append("x-forwarded-for", HeaderValue::from_str(line).unwrap());
        }
        let trusted: Vec<_> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        client(&request, &trusted).map_or_else(|| "-".to_owned(), |address| address.to_string())
    }

    #[test]
    fn x_forwarded_for_is_believed_only_behind_trusted_proxies() {
        let table: [(&str, &[&str], &[&str], &str); 15] = [
            ("9.9.9.9:1", &["1.1.1.1"], &[], "9.9.9.9"),
            ("10.0.0.1:1", &["1.1.1.1"], &["10.0.0.0/8"], "1.1.1.1"),
            ("10.0.0.1:1", &["6.6.6.6, 1.1.1.1, 10.0.0.2"], &["10.0.0.0/8"], "1.1.1.1"),
            ("10.0.0.1:1", &["6.6.6.6", "1.1.1.1"], &["10.0.0.0/8"], "1.1.1.1"),
            ("10.0.0.1:1", &["nonsense"], &["10.0.0.0/8"], "-"),
            ("10.0.0.1:1", &["1.1.1.1, unknown"], &["10.0.0.0/8"], "-"),
            ("10.0.0.1:1", &["\u{ff}, 1.1.1.1"], &["10.0.0.0/8"], "1.1.1.1"),
            ("10.0.0.1:1", &["6.6.6.6", "\u{ff}"], &["10.0.0.0/8"], "-"),
            ("10.0.0.1:1", &[], &["10.0.0.0/8"], "10.0.0.1"),
            ("10.0.0.1:1", &["1.1.1.1, , "], &["10.0.0.0/8"], "1.1.1.1"),
            ("10.0.0.1:1", &["6.6.6.6, 1.1.1.1:5678"], &["10.0.0.0/8"], "1.1.1.1"),
            ("10.0.0.1:1", &["[2001:db8::1]:5678"], &["10.0.0.0/8"], "2001:db8::1"),
            ("10.0.0.1:1", &["[2001:db8::1]"], &["10.0.0.0/8"], "2001:db8::1"),
            ("10.0.0.1:1", &["10.0.0.3, 10.0.0.2"], &["10.0.0.0/8"], "10.0.0.3"),
            ("[::ffff:10.0.0.1]:1", &["1.1.1.1"], &["10.0.0.0/8"], "1.1.1.1"),
        ];
        for (peer, forwarded, trusted, expected) in table {
            assert_eq!(seen_from(peer, forwarded, trusted), expected, "{peer} {forwarded:?}");
        }
    }
}
