//! Plain HTTP/1.1 over a kept connection, as lean as it can be, since it shares the cores.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One kept connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The body of an answer that came in chunks.
    joined: Vec<u8>,
}

/// Status and body.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Answer<'_> {
    /// Stops the run unless the status is 2xx.
    #[track_caller]
    pub(crate) fn expect_good(&self) {
        let text = || String::from_utf8_lossy(&self.body[..self.body.len().min(2_000)]);
        assert!((200..300).contains(&self.status), "{} {}", self.status, text());
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(self.body).unwrap()
    }
}

impl Connection {
    pub(crate) async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::with_capacity(16 * 1024), joined: Vec::new() }
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Answer<'_> {
        self.stream.write_all(request).await.unwrap();
        self.buffer.clear();
        let end = self.until(0, b"\r\n\r\n").await;
        let head = std::str::from_utf8(&self.buffer[..end]).unwrap();
        let status = head[9..12].parse().unwrap();
        // The servers that are measured write header names in lower case.
        let header = |name: &str| {
            let rest = &head[head.find(name)? + name.len()..];
            Some(rest.split("\r\n").next().unwrap_or(rest))
        };
        let chunked = header("\r\ntransfer-encoding: ").is_some();
        let length = header("\r\ncontent-length: ").map_or(0, |text| text.parse().unwrap());
        let start = end + 4;
        if chunked {
            self.join_chunks(start).await;
            return Answer { status, body: &self.joined };
        }
        self.until_holds(start + length).await;
        Answer { status, body: &self.buffer[start..start + length] }
    }

    async fn join_chunks(&mut self, mut at: usize) {
        self.joined.clear();
        loop {
            let end = self.until(at, b"\r\n").await;
            let size = std::str::from_utf8(&self.buffer[at..end]).unwrap();
            let size = usize::from_str_radix(size, 16).unwrap();
            at = end + 2;
            self.until_holds(at + size + 2).await;
            if size == 0 {
                return;
            }
            self.joined.extend_from_slice(&self.buffer[at..at + size]);
            at += size + 2;
        }
    }

    /// Reads until these bytes have come, and says where.
    async fn until(&mut self, from: usize, bytes: &[u8]) -> usize {
        let mut seen = from;
        loop {
            let found = self.buffer[seen..].windows(bytes.len()).position(|some| some == bytes);
            if let Some(place) = found {
                return seen + place;
            }
            seen = self.buffer.len().saturating_sub(bytes.len() - 1).max(from);
            self.more().await;
        }
    }

    async fn until_holds(&mut self, bytes: usize) {
        self.buffer.reserve(bytes.saturating_sub(self.buffer.len()));
        while self.buffer.len() < bytes {
            self.more().await;
        }
    }

    async fn more(&mut self) {
        let read = self.stream.read_buf(&mut self.buffer).await.unwrap();
        assert!(read > 0, "the server hung up");
    }
}
