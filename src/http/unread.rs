//! Bodies that nobody read: the connection then ends with the answer, and the client is told so.
//!
//! hyper closes a connection with half a request on it without a word, and a client that sends its
//! next request on it gets no answer at all.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use http::{HeaderValue, Version, header};

/// Whether a request's body has been read to its end.
#[derive(Debug, Clone)]
pub struct Unread(Arc<AtomicBool>);

struct Watched {
    body: Body,
    unread: Unread,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if matches!(polled, Poll::Ready(None)) || self.body.is_end_stream() {
            self.unread.0.store(false, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

/// The request with its body watched.
pub fn watch(request: Request) -> (Request, Unread) {
    // Streams of HTTP/2 end one by one.
    let ends = request.version() < Version::HTTP_2;
    let unread = Unread(Arc::new(AtomicBool::new(ends && !request.body().is_end_stream())));
    let watched = Unread(Arc::clone(&unread.0));
    let request = request.map(|body| {
        if body.is_end_stream() { body } else { Body::new(Watched { body, unread: watched }) }
    });
    (request, unread)
}

impl Unread {
    /// What an answer has to say because of the body.
    pub fn header(&self) -> Option<(header::HeaderName, HeaderValue)> {
        let unread = self.0.load(Ordering::Relaxed);
        unread.then(|| (header::CONNECTION, HeaderValue::from_static("close")))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_connection_ends_where_a_body_was_left() {
        let request = || Request::new(Body::from("{}"));
        let (_request, unread) = watch(request());
        assert!(unread.header().is_some());
        let (request, unread) = watch(request());
        request.into_body().collect().await.unwrap();
        assert!(unread.header().is_none());
        let (_, unread) = watch(Request::new(Body::empty()));
        assert!(unread.header().is_none());
    }
}
