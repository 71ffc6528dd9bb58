//! The server loop: accepts connections, bounds what slow clients cost, drains at the end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::http::stream::Stream;
use crate::http::{Peer, error};
use crate::settings::Limits;

/// How the server treats its connections.
#[derive(Debug, Clone)]
pub struct Options {
    /// Limits of headers and time.
    pub limits: Limits,
    /// How long running requests may take once the server is told to stop.
    pub drain: Duration,
    /// Certificate and key, when Usher speaks TLS itself.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

/// Serves until `stop` is cancelled and the running requests have ended or the time for it is up.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    options: Options,
    stop: CancellationToken,
) {
    let connections = TaskTracker::new();
    let shared = Arc::new((options, router));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (shared, stop) = (Arc::clone(&shared), stop.clone());
                connections.spawn(async move {
                    if let Err(error) = connection(stream, peer, &shared, stop).await {
                        tracing::debug!(%error, %peer, "connection ended");
                    }
                });
            }
            // Out of file descriptors, or a client that went at once: not the end of the server.
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(shared.0.drain, connections.wait()).await.is_err() {
        tracing::warn!(left = connections.len(), "stopped before all requests had ended");
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    shared: &(Options, Router),
    stop: CancellationToken,
) -> Result<(), Failure> {
    let (options, router) = shared;
    let patience = options.limits.header_timeout;
    stream.set_nodelay(true)?;
    match &options.tls {
        None => {
            let http2 = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                first = tokio::time::timeout(patience, speaks_http2(&stream)) => first??,
            };
            requests(stream, http2, (peer, router, options), stop).await
        }
        Some(config) => {
            let handshake = TlsAcceptor::from(Arc::clone(config)).accept(stream);
            let stream = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                stream = tokio::time::timeout(patience, handshake) => stream??,
            };
            let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            requests(stream, http2, (peer, router, options), stop).await
        }
    }
}

/// Looks at the first bytes: hyper would wait for them without a limit of time.
async fn speaks_http2(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0; 3];
    loop {
        let length = stream.peek(&mut first).await?;
        if length == 0 || !b"PRI".starts_with(&first[..length]) {
            return Ok(false);
        }
        if length == first.len() {
            return Ok(true);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn requests(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    http2: bool,
    (peer, router, options): (SocketAddr, &Router, &Options),
    stop: CancellationToken,
) -> Result<(), Failure> {
    let service = router.clone().map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        request.map(Body::new)
    });
    let stream = Stream::new(stream, error::unreadable);
    let builder = builder(http2, &options.limits);
    let connection =
        builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    tokio::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    connection.await
}

fn builder(http2: bool, limits: &Limits) -> Builder<TokioExecutor> {
    let builder = Builder::new(TokioExecutor::new());
    let mut builder = if http2 { builder.http2_only() } else { builder.http1_only() };
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_headers(limits.max_headers)
        .max_buf_size(limits.max_header_bytes);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.header_timeout)
        .keep_alive_timeout(limits.header_timeout)
        .max_concurrent_streams(250)
        .max_header_list_size(u32::try_from(limits.max_header_bytes).unwrap_or(u32::MAX));
    builder
}
