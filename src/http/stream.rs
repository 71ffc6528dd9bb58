//! A connection that says why it ends: hyper refuses what it cannot read with an empty answer, and a
//! server that closes while the client still sends takes the answer away from it again.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How long the end waits for more from the client, and for all of it.
const PAUSE: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(10);
/// hyper's own refusals are short; nothing longer is looked at.
const LONGEST_REFUSAL: usize = 512;

/// Makes the body for a refusal of hyper's, and the header lines that belong to it.
pub type Explain = fn(status: u16) -> Option<(String, String)>;

/// A stream under hyper.
#[derive(Debug)]
pub struct Stream<S> {
    inner: S,
    explain: Explain,
    /// What hyper believes to be written, and is not yet.
    pending: Vec<u8>,
    end: Option<End>,
}

/// Reading on after the answer, so that it arrives before the connection is reset.
#[derive(Debug)]
struct End {
    pause: Pin<Box<Sleep>>,
    last: Instant,
}

impl<S> Stream<S> {
    /// Wraps a stream that has not been read yet.
    pub fn new(inner: S, explain: Explain) -> Self {
        Self { inner, explain, pending: Vec::new(), end: None }
    }

    /// hyper's empty refusal with a body; none when this is not one.
    fn explained(&self, written: &[u8]) -> Option<Vec<u8>> {
        if written.len() > LONGEST_REFUSAL || !written.starts_with(b"HTTP/1.1 4") {
            return None;
        }
        let head = std::str::from_utf8(written).ok()?.strip_suffix("\r\n\r\n")?;
        // Answers of ours carry a request id.
        if !head.contains("\r\ncontent-length: 0") || head.contains("\r\nx-request-id:") {
            return None;
        }
        let status = head.get(9..12)?.parse().ok()?;
        let (headers, body) = (self.explain)(status)?;
        let length = format!("\r\n{headers}content-length: {}", body.len());
        let head = head.replacen("\r\ncontent-length: 0", &length, 1);
        Some(format!("{head}\r\n\r\n{body}").into_bytes())
    }
}

impl<S: AsyncWrite + Unpin> Stream<S> {
    fn poll_pending(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.pending.is_empty() {
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, &self.pending))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.pending.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_pending(cx))?;
        if let Some(explained) = self.explained(buffer) {
            self.pending = explained;
            return Poll::Ready(Ok(buffer.len()));
        }
        Pin::new(&mut self.inner).poll_write(cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(cx))?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(cx))?;
        let this = &mut *self;
        if this.end.is_none() {
            ready!(Pin::new(&mut this.inner).poll_shutdown(cx))?;
            let last = Instant::now() + PATIENCE;
            this.end = Some(End { pause: Box::pin(sleep(PAUSE)), last });
        }
        let Some(end) = &mut this.end else { return Poll::Ready(Ok(())) };
        let mut scratch = [0; 16 * 1024];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut this.inner).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() && Instant::now() < end.last => {
                    end.pause.as_mut().reset(Instant::now() + PAUSE);
                }
                // The client has gone, or has had its time.
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => return end.pause.as_mut().poll(cx).map(Ok),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "the signature is given")]
    fn explain(status: u16) -> Option<(String, String)> {
        Some(("x: y\r\n".to_owned(), format!("why {status}")))
    }

    async fn through(written: &str) -> String {
        let (near, mut far) = tokio::io::duplex(4096);
        let mut stream = Stream::new(near, explain);
        stream.write_all(written.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        drop(stream);
        let mut seen = String::new();
        far.read_to_string(&mut seen).await.unwrap();
        seen
    }

    #[tokio::test]
    async fn an_empty_refusal_of_hypers_gets_a_body() {
        let refusal = "HTTP/1.1 414 URI Too Long\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(
            through(refusal).await,
            "HTTP/1.1 414 URI Too Long\r\nconnection: close\r\nx: y\r\ncontent-length: 7\r\n\r\nwhy 414"
        );
    }

    #[tokio::test]
    async fn everything_else_goes_through_as_it_is() {
        for written in [
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\nx-request-id: 1\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{}",
        ] {
            assert_eq!(through(written).await, written);
        }
    }

    #[tokio::test]
    async fn the_end_reads_what_the_client_still_sends() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut stream = Stream::new(near, explain);
        let sent = async {
            far.write_all(&[7; 4096]).await.unwrap();
            drop(far);
        };
        let (ended, ()) = tokio::join!(stream.shutdown(), sent);
        ended.unwrap();
    }
}
