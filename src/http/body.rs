//! The bytes of a request's body: within limits of size and time, and no more held than need be.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use crate::app::Error;
use crate::scim;

/// How much of a body that is refused is read and thrown away, so that the client comes to read the
/// answer before its connection ends: so many times the limit, and no more than this.
const DRAIN_FACTOR: usize = 32;
const DRAIN_MOST: usize = 256 << 20;

/// What a body may be.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Bytes of it.
    pub limit: usize,
    /// How long it may take …
    pub patience: Duration,
    /// … for each of so many bytes that have come.
    pub pace: usize,
}

/// What `step` makes of `start` and the pieces of a body as they come, until it ends or is refused. No piece
/// is read while `step` is at work, so that the client waits too.
pub async fn fold<T>(
    headers: &HeaderMap,
    mut body: Body,
    rules: Rules,
    start: T,
    mut step: impl AsyncFnMut(T, Bytes) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut known = start;
    let began = Instant::now();
    let mut received: usize = 0;
    // What `step` takes is not the client's.
    let mut ours = Duration::ZERO;
    let deadline = |received: usize, ours: Duration| {
        let parts = received.saturating_sub(1) / rules.pace.max(1) + 1;
        began + ours + rules.patience.saturating_mul(u32::try_from(parts).unwrap_or(u32::MAX))
    };
    if announced(headers).is_some_and(|length| length > rules.limit) {
        // A client that waits for "100 Continue" has sent nothing yet.
        if !headers.contains_key(header::EXPECT) {
            drain(body, rules.limit, deadline(received, ours)).await;
        }
        return Err(Error::TooLarge(rules.limit));
    }
    loop {
        let frame = match timeout_at(deadline(received, ours), body.frame()).await {
            Err(_) => return Err(Error::Timeout),
            Ok(None) => return Ok(known),
            Ok(Some(frame)) => frame.map_err(|_| {
                scim::Error::InvalidSyntax("The body ended before it was complete.".to_owned())
            })?,
        };
        let data = frame.into_data().unwrap_or_default();
        received = received.saturating_add(data.len());
        let handed = Instant::now();
        let taken = if received > rules.limit {
            Err(Error::TooLarge(rules.limit))
        } else {
            step(known, data).await
        };
        ours += handed.elapsed();
        known = match taken {
            Ok(known) => known,
            Err(refused) => {
                drain(body, rules.limit, deadline(received, ours)).await;
                return Err(refused);
            }
        };
    }
}

/// The whole body.
pub async fn collect(headers: &HeaderMap, body: Body, rules: Rules) -> Result<Vec<u8>, Error> {
    let expected = announced(headers).filter(|length| *length <= rules.limit);
    let start = Vec::with_capacity(expected.unwrap_or_default());
    fold(headers, body, rules, start, async |mut bytes: Vec<u8>, piece: Bytes| {
        bytes.extend_from_slice(&piece);
        Ok(bytes)
    })
    .await
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn drain(mut body: Body, limit: usize, until: Instant) {
    let mut left = limit.saturating_mul(DRAIN_FACTOR).min(DRAIN_MOST.max(limit));
    while let Ok(Some(Ok(frame))) = timeout_at(until, body.frame()).await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}
