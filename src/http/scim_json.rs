//! `application/scim+json` in and out (RFC 7644 s3.1, s8.1).

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::app::{Error, Pieces};
use crate::http::body;
use crate::scim::quirks::Quirks;
use crate::scim::{bulk, json};
use crate::settings::Limits;

/// The media type of every answer.
pub const MEDIA_TYPE: &str = "application/scim+json";

/// A longer text is parsed aside: others are served by the same thread, and the longest would keep them
/// waiting for some 60 ms.
const ASIDE: usize = 64 << 10;

/// Places aside. A text that waits for one is no more than a text; parsed it takes many times its size.
static PARSERS: Semaphore = Semaphore::const_new(2);

/// An answer with this body.
pub fn response(status: StatusCode, body: &impl Serialize) -> Response {
    text(status, serde_json::to_vec(body).unwrap_or_default())
}

/// An answer with this JSON text, which may be long in the making.
///
/// Where a part cannot be read, the connection is cut, so that nobody takes half a list for all.
pub fn pieces(status: StatusCode, mut pieces: Pieces) -> Response {
    if let Some(ready) = pieces.ready() {
        return text(status, ready);
    }
    let parts = futures_util::stream::unfold(Some(pieces), |pieces| async {
        let mut pieces = pieces?;
        let next = pieces.next().await?;
        if let Err(error) = &next {
            tracing::error!(%error, "an answer was cut off");
        }
        let rest = next.is_ok().then_some(pieces);
        Some((next, rest))
    });
    // Whoever compresses asks once more behind the end.
    text(status, Body::from_stream(parts.fuse()))
}

/// An answer with this JSON text.
pub fn text(status: StatusCode, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response
}

/// Reads a JSON body within the limits.
pub async fn read(headers: &HeaderMap, body: Body, limits: &Limits) -> Result<Value, Error> {
    check_media_type(headers)?;
    let bytes = body::collect(headers, body, rules(limits, limits.max_body)).await?;
    let limits = parts(limits);
    let long = bytes.len() > ASIDE;
    let parse = move || Ok(json::parse(&bytes, &limits)?);
    if long { aside(parse).await } else { parse() }
}

/// Parses where nobody else waits for it.
async fn aside<T: Send + 'static>(
    parse: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let stopped = |error: String| Error::Internal(format!("parsing a body: {error}"));
    let place = PARSERS.acquire().await.map_err(|error| stopped(error.to_string()))?;
    let parsed = tokio::task::spawn_blocking(move || {
        let _place = place;
        parse()
    });
    parsed.await.map_err(|error| stopped(error.to_string()))?
}

/// Reads a bulk request as it comes, and the SHA-256 of its body.
pub async fn read_bulk(
    headers: &HeaderMap,
    body: Body,
    limits: &Limits,
    quirks: Quirks,
) -> Result<(bulk::Request, [u8; 32]), Error> {
    check_media_type(headers)?;
    let most = bulk::Limits {
        operations: limits.bulk_max_operations,
        payload: limits.bulk_max_payload,
        value: limits.max_body,
        json: parts(limits),
    };
    let start = BulkBody { reader: bulk::Reader::new(most, quirks), digest: Sha256::new() };
    let step = async |before: BulkBody, piece: Bytes| {
        let long = before.reader.held() + piece.len() > ASIDE;
        let read = move || before.with(&piece);
        if long { aside(read).await } else { read() }
    };
    let whole = body::fold(headers, body, rules(limits, most.payload), start, step).await?;
    Ok((whole.reader.finish()?, whole.digest.finalize().into()))
}

/// A bulk request as far as it has come.
struct BulkBody {
    reader: bulk::Reader,
    digest: Sha256,
}

impl BulkBody {
    fn with(mut self, piece: &[u8]) -> Result<Self, Error> {
        self.digest.update(piece);
        self.reader.push(piece)?;
        Ok(self)
    }
}

fn rules(limits: &Limits, most: usize) -> body::Rules {
    body::Rules { limit: most, patience: limits.body_timeout, pace: limits.max_body }
}

fn parts(limits: &Limits) -> json::Limits {
    json::Limits {
        depth: limits.max_json_depth,
        string: limits.max_string,
        ..json::Limits::default()
    }
}

/// JSON by either name, with any parameters; a body without a type is taken for JSON.
fn check_media_type(headers: &HeaderMap) -> Result<(), Error> {
    if let Some(encoding) = headers.get(header::CONTENT_ENCODING)
        && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        return Err(Error::UnsupportedMedia(format!(
            "Content-Encoding {}",
            String::from_utf8_lossy(encoding.as_bytes())
        )));
    }
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let text = String::from_utf8_lossy(value.as_bytes());
    // Any charset: clients name all sorts and send UTF-8; what is not is refused as such.
    let media_type = text.split(';').next().unwrap_or_default().trim();
    let known = ["application/scim+json", "application/json"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(media_type));
    if known { Ok(()) } else { Err(Error::UnsupportedMedia(text.into_owned())) }
}

/// Whether the client takes what Usher answers; a client that says nothing takes anything.
pub fn check_accept(headers: &HeaderMap) -> Result<(), Error> {
    let mut listed = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .peekable();
    if listed.peek().is_none() || listed.any(takes_json) {
        Ok(())
    } else {
        Err(Error::NotAcceptable)
    }
}

fn takes_json(item: &str) -> bool {
    let mut parts = item.split(';').map(str::trim);
    let range = parts.next().unwrap_or_default().to_ascii_lowercase();
    let weight = parts
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
        .map_or(1.0, |(_, value)| value.trim().parse::<f32>().unwrap_or(1.0));
    let ranges = ["*/*", "*", "application/*", "application/json", MEDIA_TYPE];
    weight > 0.0 && ranges.contains(&range.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    /// Proves SCIM-464.
    #[test]
    fn accept_is_obeyed() {
        let table = [
            ("", true),
            ("*/*", true),
            ("application/json", true),
            ("APPLICATION/SCIM+JSON", true),
            ("text/html, application/*;q=0.1", true),
            ("application/json;q=0", false),
            ("text/html", false),
            ("application/xml, text/plain", false),
        ];
        for (accept, taken) in table {
            assert_eq!(check_accept(&headers(header::ACCEPT, accept)).is_ok(), taken, "{accept}");
        }
        assert!(check_accept(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn bodies_are_json_by_either_name() {
        let table = [
            ("application/scim+json", true),
            ("application/json; charset=utf-8", true),
            ("Application/JSON;charset=\"UTF-8\"", true),
            ("application/json; charset=iso-8859-1", true),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("", false),
        ];
        for (media_type, fine) in table {
            let headers = headers(header::CONTENT_TYPE, media_type);
            assert_eq!(check_media_type(&headers).is_ok(), fine, "{media_type}");
        }
        let gzip = headers(header::CONTENT_ENCODING, "gzip");
        assert!(matches!(check_media_type(&gzip), Err(Error::UnsupportedMedia(_))));
    }

    /// Proves SCIM-430.
    #[tokio::test]
    async fn a_body_above_the_limit_is_refused_announced_or_not() {
        let limits = Limits { max_body: 8, ..crate::settings::Settings::defaults().limits };
        let announced = headers(header::CONTENT_LENGTH, "9");
        for headers in [HeaderMap::new(), announced] {
            let refused = read(&headers, Body::from("123456789"), &limits).await;
            assert!(matches!(refused, Err(Error::TooLarge(8))), "{refused:?}");
        }
        let fine = read(&HeaderMap::new(), Body::from("[1,2]"), &limits).await;
        assert_eq!(fine.unwrap(), serde_json::json!([1, 2]));
    }
}
