//! `/Bulk` (RFC 7644 s3.7): reads the message as it comes, and sends the results as they are.

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::stream::{self, Stream, StreamExt};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;

use crate::app::{App, BulkAnswer, BulkAsked, Ctx, Error, Job, JobState, RETRY_AFTER};
use crate::http::call::Call;
use crate::http::prefer::Preferences;
use crate::http::scim_json::{self, MEDIA_TYPE};
use crate::scim::bulk::{HEAD, TAIL};
use crate::scim::urn;

mod key;

/// Results are sent in pieces of about this size.
const PIECE: usize = 64 * 1024;

/// `POST /Bulk`
pub async fn run(mut call: Call) -> Result<Response, Error> {
    let key = key::of(&call.parts.headers)?;
    let prefer = Preferences::of(&call.parts.headers);
    let (request, digest) = call.bulk().await?;
    let asked = BulkAsked { key, digest, respond_async: prefer.respond_async, wait: prefer.wait };
    Ok(match call.app.bulk(call.ctx()?, request, asked).await? {
        BulkAnswer::Done(results) => done(results),
        BulkAnswer::Later { transaction, location } => later(&transaction, &location),
    })
}

/// `GET /Bulk/{transaction}`: how far a job is; its results once it has ended.
pub async fn status(call: Call) -> Result<Response, Error> {
    let job = call.app.bulk_job(call.ctx()?, &call.parameter()).await?;
    let document = document(&job);
    if matches!(job.state, JobState::Waiting | JobState::Running) {
        let mut response = scim_json::response(StatusCode::OK, &document);
        response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER.into());
        return Ok(response);
    }
    // The results become the last member.
    let mut head = document.to_string();
    head.pop();
    head.push_str(",\"Operations\":[");
    let results = pages(call.app.clone(), call.ctx()?.clone(), job.id);
    Ok(message(Pieces::body(head, Box::pin(results))))
}

/// `DELETE /Bulk/{transaction}`: ends a job; what it has done stays.
pub async fn stop(call: Call) -> Result<Response, Error> {
    call.app.stop_bulk(call.ctx()?, &call.parameter()).await?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}

/// Whether the answer may be one without a body, for which `Accept` says nothing (RFC 9967 s2.5.1.1).
pub fn may_be_later(headers: &HeaderMap) -> bool {
    Preferences::of(headers).respond_async
}

/// RFC 9967 s2.5.1.1: 202 has no body.
fn later(transaction: &str, location: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::ACCEPTED;
    let headers = [
        (HeaderName::from_static("set-txn"), transaction),
        (HeaderName::from_static("preference-applied"), "respond-async"),
        (header::LOCATION, location),
    ];
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// A short answer is sent with its length; a long one is never held a second time.
fn done(results: Vec<String>) -> Response {
    let length: usize = results.iter().map(|result| result.len() + 1).sum();
    if length <= PIECE {
        return message(Body::from(format!("{HEAD}{}{TAIL}", results.join(","))));
    }
    message(Pieces::body(HEAD.to_owned(), stream::iter([Ok(results)])))
}

fn message(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response
}

fn document(job: &Job) -> serde_json::Value {
    let state = match job.state {
        JobState::Waiting => "waiting",
        JobState::Running => "running",
        JobState::Done => "done",
        JobState::Stopped => "stopped",
    };
    let mut document = json!({
        "schemas": [urn::BULK_STATUS],
        "id": job.id,
        "status": state,
        "total": job.total,
        "done": job.done,
        "failed": job.failed,
        "created": job.created.rfc3339(),
    });
    if let Some(finished) = job.finished {
        document["finished"] = finished.rfc3339().into();
    }
    document
}

/// The pages of a job's results. A failure in the middle ends the connection: half an answer must
/// not look like a whole one.
fn pages(
    app: App,
    ctx: Ctx,
    id: String,
) -> impl Stream<Item = Result<Vec<String>, Error>> + Send + 'static {
    stream::unfold(Some(0), move |from| {
        let (app, ctx, id) = (app.clone(), ctx.clone(), id.clone());
        async move {
            match app.bulk_results(&ctx, &id, from?).await {
                Ok(page) => Some((Ok(page.results), page.next)),
                Err(error) => {
                    tracing::error!(%error, job = id, "the results of a bulk job broke off");
                    Some((Err(error), None))
                }
            }
        }
    })
}

/// Results on their way: joined with commas between a head and [`TAIL`], and gone once they are sent.
struct Pieces<P> {
    head: String,
    pages: P,
    page: std::vec::IntoIter<String>,
    first: bool,
    ended: bool,
}

impl<P: Stream<Item = Result<Vec<String>, Error>> + Send + Unpin + 'static> Pieces<P> {
    fn body(head: String, pages: P) -> Body {
        let pieces = Self { head, pages, page: Vec::new().into_iter(), first: true, ended: false };
        let pieces = stream::unfold(pieces, |mut pieces| async move {
            pieces.next().await.map(|piece| (piece, pieces))
        });
        // Whoever compresses asks once more behind the end.
        Body::from_stream(pieces.fuse())
    }

    async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        if self.ended {
            return None;
        }
        let mut text = std::mem::take(&mut self.head);
        while text.len() < PIECE {
            if let Some(result) = self.page.next() {
                if !std::mem::take(&mut self.first) {
                    text.push(',');
                }
                text.push_str(&result);
                continue;
            }
            match self.pages.next().await {
                Some(Ok(page)) => self.page = page.into_iter(),
                Some(Err(error)) => {
                    self.ended = true;
                    return Some(Err(error));
                }
                None => {
                    self.ended = true;
                    text.push_str(TAIL);
                    break;
                }
            }
        }
        Some(Ok(text.into()))
    }
}

#[cfg(test)]
mod tests;
