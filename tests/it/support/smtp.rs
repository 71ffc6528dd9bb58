//! A mail server that does as a test says, and keeps what it took.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

/// What the server does with a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Takes it.
    Take,
    /// Says 421 to whoever connects.
    Busy,
    /// Refuses the address for now.
    Refuse,
    /// Refuses the address for good.
    Bounce,
    /// Refuses the sender, for good as far as the server knows.
    RefuseSender,
    /// Refuses the mail itself for good.
    RefuseMail,
    /// Never answers to the address, until the mood is another one: then it hangs up.
    Hang,
    /// Hangs up when the mail begins.
    Drop,
    /// Takes it, and says so a moment later.
    Slow,
}

/// Whether the server speaks TLS.
#[derive(Clone, Default)]
pub(crate) enum Secure {
    /// Never.
    #[default]
    Never,
    /// When it is asked to (STARTTLS).
    Offered(TlsAcceptor),
    /// From the first byte on.
    Wrapped(TlsAcceptor),
}

/// A mail that was taken.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) to: String,
    pub(crate) message_id: String,
    pub(crate) bytes: Vec<u8>,
}

#[derive(Debug, Default)]
struct State {
    moods: HashMap<String, Mood>,
    taken: Vec<Taken>,
}

/// The server. Clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Sink {
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
    port: u16,
}

impl Sink {
    pub(crate) async fn start() -> Self {
        Self::start_with(Secure::Never).await
    }

    /// The same, encrypted or not.
    pub(crate) async fn start_with(secure: Secure) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let sink = Self { state: Arc::default(), changed: Arc::default(), port };
        let served = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (sink, secure) = (served.clone(), secure.clone());
                tokio::spawn(async move {
                    let _ = match secure {
                        Secure::Never => sink.greet(Box::new(stream), None).await,
                        Secure::Offered(tls) => sink.greet(Box::new(stream), Some(tls)).await,
                        Secure::Wrapped(tls) => match tls.accept(stream).await {
                            Ok(stream) => sink.greet(Box::new(stream), None).await,
                            Err(error) => Err(error),
                        },
                    };
                });
            }
        });
        sink
    }

    /// What `--mail-url` is for it.
    pub(crate) fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What it does from now on with mail to this address, or to all others where it is empty.
    pub(crate) fn set(&self, address: &str, mood: Mood) {
        self.state.lock().unwrap().moods.insert(address.to_owned(), mood);
        self.changed.notify_waiters();
    }

    /// What it took, in order.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.state.lock().unwrap().taken.clone()
    }

    /// The addresses that it took mail to, in order.
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.taken().into_iter().map(|mail| mail.to).collect()
    }

    /// Waits until it has taken so many.
    pub(crate) async fn until(&self, count: usize) {
        let wait = async {
            while self.taken().len() < count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_mins(1), wait).await;
        assert!(waited.is_ok(), "{} of {count} mails came", self.taken().len());
    }

    fn mood(&self, address: &str) -> Mood {
        let state = self.state.lock().unwrap();
        let general = || state.moods.get("").copied().unwrap_or(Mood::Take);
        state.moods.get(address).copied().unwrap_or_else(general)
    }

    async fn greet(
        &self,
        mut stream: Box<dyn Wire>,
        offers: Option<TlsAcceptor>,
    ) -> std::io::Result<()> {
        if self.mood("") == Mood::Busy {
            return stream.write_all(b"421 busy\r\n").await;
        }
        stream.write_all(b"220 sink\r\n").await?;
        self.serve(stream, offers).await
    }

    async fn serve(
        &self,
        stream: Box<dyn Wire>,
        offers: Option<TlsAcceptor>,
    ) -> std::io::Result<()> {
        let (read, mut write) = tokio::io::split(stream);
        let mut lines = BufReader::new(read);
        let (mut line, mut to) = (String::new(), String::new());
        loop {
            line.clear();
            if lines.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let command = line.trim_end().to_ascii_uppercase();
            let answer = match command.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" if offers.is_some() => "250-sink\r\n250-STARTTLS\r\n250 8BITMIME\r\n",
                "EHLO" => "250-sink\r\n250 8BITMIME\r\n",
                "STARTTLS" if offers.is_some() => {
                    write.write_all(b"220 go on\r\n").await?;
                    let open = lines.into_inner().unsplit(write);
                    let sealed = offers.unwrap().accept(open).await?;
                    return Box::pin(self.serve(Box::new(sealed), None)).await;
                }
                "MAIL" if self.mood("") == Mood::RefuseSender => "550 5.7.1 not from you\r\n",
                "RCPT" => {
                    to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    match self.recipient(&to).await {
                        Some(answer) => answer,
                        None => return Ok(()),
                    }
                }
                "DATA" => {
                    if self.mood(&to) == Mood::Drop {
                        return Ok(());
                    }
                    write.write_all(b"354 go on\r\n").await?;
                    let bytes = body(&mut lines).await?;
                    if self.mood(&to) == Mood::RefuseMail {
                        "554 5.6.0 no such mail\r\n"
                    } else {
                        self.keep(&to, bytes);
                        if self.mood(&to) == Mood::Slow {
                            tokio::time::sleep(Duration::from_millis(60)).await;
                        }
                        "250 taken\r\n"
                    }
                }
                "QUIT" => return write.write_all(b"221 bye\r\n").await,
                _ => "250 fine\r\n",
            };
            write.write_all(answer.as_bytes()).await?;
        }
    }

    /// The answer to an address; none hangs up.
    async fn recipient(&self, to: &str) -> Option<&'static str> {
        let changed = self.changed.notified();
        match self.mood(to) {
            Mood::Refuse => Some("450 4.2.0 <someone@there.example> try later\r\n"),
            Mood::Bounce => Some("550 5.1.1 <someone@there.example> no such user\r\n"),
            Mood::Hang => {
                changed.await;
                None
            }
            _ => Some("250 fine\r\n"),
        }
    }

    fn keep(&self, to: &str, bytes: Vec<u8>) {
        let text = String::from_utf8_lossy(&bytes);
        let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: "));
        let message_id = id.unwrap_or_default().to_owned();
        let to = to.to_owned();
        self.state.lock().unwrap().taken.push(Taken { to, message_id, bytes });
    }
}

/// What a conversation goes over.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<W: AsyncRead + AsyncWrite + Unpin + Send> Wire for W {}

/// Up to the dot that ends it.
async fn body(lines: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let begin = bytes.len();
        if lines.read_until(b'\n', &mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if &bytes[begin..] == b".\r\n" {
            bytes.truncate(begin);
            return Ok(bytes);
        }
        if bytes[begin] == b'.' {
            bytes.remove(begin);
        }
    }
}
