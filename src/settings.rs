//! Settings of the installation: defaults, then a TOML file, then the environment, then flags.
//!
//! One field is one setting; its doc comment is its help. `--max-body` is `max-body` in the file and
//! `USHER_MAX_BODY` in the environment.

mod file;
pub mod key;
mod mail;
mod url;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{Args, Command, FromArgMatches, ValueEnum};
use ipnet::IpNet;
use lettre::Address;
use lettre::message::Mailbox;

pub use file::{with_file, without_empty_variables};
pub use mail::{MailUrl, Smtp, Tls};
pub use url::PublicUrl;

/// Everything that an installation can set.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// Address and port to serve on; port 0 takes a free one.
    #[arg(long, env = "USHER_LISTEN", default_value = "127.0.0.1:8080", value_parser = address)]
    pub listen: SocketAddr,
    /// Directory for the embedded database and what else belongs to this installation.
    #[arg(long, env = "USHER_DATA_DIR", default_value = "./usher-data")]
    pub data_dir: PathBuf,
    /// PostgreSQL to use instead of the embedded database, as `postgres://user:password@host/name`.
    // Checked by `check_always`: clap would print the password of a value that it refuses.
    #[arg(long, env = "USHER_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// URL under which clients reach this server; every URL that Usher writes starts with it.
    #[arg(long, env = "USHER_PUBLIC_URL")]
    pub public_url: Option<PublicUrl>,
    /// Where mail goes: `smtp://user:password@host:587`, `smtps://…`, or `file:DIR` for one file a mail;
    /// `file:<data-dir>/mail` when left out.
    // Checked by `check_always`: clap would print the password of a value that it refuses.
    #[arg(long, env = "USHER_MAIL_URL", hide_env_values = true)]
    pub mail_url: Option<String>,
    /// Who mail is from; `Usher <no-reply@HOST>` with the host of the public URL when left out.
    #[arg(long, env = "USHER_MAIL_FROM", value_parser = mail::mailbox, hide_short_help = true)]
    pub mail_from: Option<Mailbox>,
    /// File with the key that seals secrets in the database, made at the first start; all instances on
    /// one database need the same one. `<data-dir>/key` when left out.
    #[arg(long, env = "USHER_KEY_FILE", hide_short_help = true)]
    pub key_file: Option<PathBuf>,
    /// TOML file with settings, named like the options.
    #[arg(long, env = "USHER_CONFIG")]
    pub config: Option<PathBuf>,
    /// How it shows itself to the network.
    #[command(flatten)]
    pub exposure: Exposure,
    /// What the log looks like.
    #[command(flatten)]
    pub logging: Logging,
    /// What a request may be.
    #[command(flatten)]
    pub limits: Limits,
    /// What the server may spend.
    #[command(flatten)]
    pub work: Work,
    /// Signing in.
    #[command(flatten)]
    pub identity: Identity,
}

/// Sessions of people who sign in, and the tokens that the product gets of them.
#[derive(Debug, Clone, Args)]
pub struct Identity {
    /// Whom access tokens are for: their `aud`, which the product compares.
    #[arg(long, env = "USHER_AUDIENCE", default_value = "usher", value_parser = word, hide_short_help = true)]
    pub audience: String,
    /// Seconds for which an access token is good, 30 to 300.
    #[arg(long, env = "USHER_ACCESS_TOKEN_SECONDS", default_value = "300", hide_short_help = true,
          value_parser = clap::value_parser!(i64).range(30..=300))]
    pub access_token_seconds: i64,
    /// Days after which a session ends that is not used.
    #[arg(long, env = "USHER_SESSION_IDLE_DAYS", default_value = "14", hide_short_help = true,
          value_parser = clap::value_parser!(i64).range(1..=365))]
    pub session_idle_days: i64,
    /// Days after which every session ends.
    #[arg(long, env = "USHER_SESSION_DAYS", default_value = "90", hide_short_help = true,
          value_parser = clap::value_parser!(i64).range(1..=365))]
    pub session_days: i64,
    /// Days for which a key signs access tokens before the next one does.
    #[arg(long, env = "USHER_SIGNING_KEY_DAYS", default_value = "30", hide_short_help = true,
          value_parser = clap::value_parser!(i64).range(2..=365))]
    pub signing_key_days: i64,
}

/// How the server shows itself to the network.
#[derive(Debug, Clone, Args)]
pub struct Exposure {
    /// Write the secrets of a first start to `<data-dir>/first-run` instead of standard output.
    #[arg(long, env = "USHER_QUIET_SECRETS", default_value = "false", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub quiet_secrets: bool,
    /// Networks of proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8.
    #[arg(long, env = "USHER_TRUSTED_PROXIES", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
    /// Allow a public URL that is plain HTTP and not on a loopback host.
    #[arg(long, env = "USHER_INSECURE_HTTP", default_value = "false", num_args = 0..=1,
          require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new())]
    pub insecure_http: bool,
    /// PEM file with the certificate chain; without it, TLS is the proxy's work.
    #[arg(long, env = "USHER_TLS_CERT")]
    pub tls_cert: Option<PathBuf>,
    /// PEM file with the private key of the certificate.
    #[arg(long, env = "USHER_TLS_KEY")]
    pub tls_key: Option<PathBuf>,
    /// Address and port that serve /metrics without a token; none by default.
    #[arg(long, env = "USHER_METRICS_LISTEN", value_parser = address)]
    pub metrics_listen: Option<SocketAddr>,
}

/// What the log looks like.
#[derive(Debug, Clone, Args)]
pub struct Logging {
    /// Form of the log on standard error.
    #[arg(
        long,
        env = "USHER_LOG_FORMAT",
        value_enum,
        default_value = "text",
        hide_short_help = true
    )]
    pub log_format: LogFormat,
    /// How much is logged: error, warn, info, debug, trace, or a list such as info,usher=debug.
    #[arg(long, env = "USHER_LOG_LEVEL", default_value = "info", value_parser = log_level, hide_short_help = true)]
    pub log_level: String,
}

/// The forms of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What a request may be. Sizes are bytes, or a number with KiB, MiB or GiB.
#[derive(Debug, Clone, Args)]
pub struct Limits {
    /// Largest body of a request.
    #[arg(long, env = "USHER_MAX_BODY", default_value = "8MiB", value_parser = size, hide_short_help = true)]
    pub max_body: usize,
    /// Longest string in a body.
    #[arg(long, env = "USHER_MAX_STRING", default_value = "64KiB", value_parser = size, hide_short_help = true)]
    pub max_string: usize,
    /// Longest userName and externalId.
    #[arg(long, env = "USHER_MAX_NAME", default_value = "1KiB", value_parser = size, hide_short_help = true)]
    pub max_name: usize,
    /// Most values of a multi-valued attribute; members of a group are not counted.
    #[arg(long, env = "USHER_MAX_VALUES", default_value = "1000", value_parser = count, hide_short_help = true)]
    pub max_values: usize,
    /// Deepest nesting of a body.
    #[arg(long, env = "USHER_MAX_JSON_DEPTH", default_value = "64", value_parser = depth, hide_short_help = true)]
    pub max_json_depth: usize,
    /// Longest filter.
    #[arg(long, env = "USHER_MAX_FILTER", default_value = "8KiB", value_parser = size, hide_short_help = true)]
    pub max_filter: usize,
    /// Deepest nesting of a filter.
    #[arg(long, env = "USHER_MAX_FILTER_DEPTH", default_value = "50", value_parser = depth, hide_short_help = true)]
    pub max_filter_depth: usize,
    /// Most operations in one PATCH.
    #[arg(long, env = "USHER_MAX_PATCH_OPERATIONS", default_value = "20000", value_parser = count, hide_short_help = true)]
    pub max_patch_operations: usize,
    /// Seconds for which a cursor of a list is good.
    #[arg(long, env = "USHER_CURSOR_TIMEOUT", default_value = "3600", value_parser = seconds, hide_short_help = true)]
    pub cursor_timeout: Duration,
    /// Most operations in one bulk request.
    #[arg(long, env = "USHER_BULK_MAX_OPERATIONS", default_value = "1000", value_parser = count, hide_short_help = true)]
    pub bulk_max_operations: usize,
    /// Largest body of a bulk request; at most 1GiB.
    #[arg(long, env = "USHER_BULK_MAX_PAYLOAD", default_value = "8MiB", value_parser = payload, hide_short_help = true)]
    pub bulk_max_payload: usize,
    /// Most header lines of a request.
    #[arg(long, env = "USHER_MAX_HEADERS", default_value = "100", value_parser = count, hide_short_help = true)]
    pub max_headers: usize,
    /// Most bytes of a request line and its headers.
    #[arg(long, env = "USHER_MAX_HEADER_BYTES", default_value = "64KiB", value_parser = header_bytes, hide_short_help = true)]
    pub max_header_bytes: usize,
    /// Seconds in which the headers must have arrived; also how long an idle connection is kept.
    #[arg(long, env = "USHER_HEADER_TIMEOUT", default_value = "30", value_parser = seconds, hide_short_help = true)]
    pub header_timeout: Duration,
    /// Seconds in which the body must have arrived; a bulk request has them for each `max-body` of it.
    #[arg(long, env = "USHER_BODY_TIMEOUT", default_value = "30", value_parser = seconds, hide_short_help = true)]
    pub body_timeout: Duration,
    /// Seconds after which a read is given up; what may write has no such limit.
    #[arg(long, env = "USHER_REQUEST_TIMEOUT", default_value = "60", value_parser = seconds, hide_short_help = true)]
    pub request_timeout: Duration,
}

/// What the server may spend.
#[derive(Debug, Clone, Args)]
pub struct Work {
    /// Memory of one password hash (argon2id), in KiB.
    #[arg(long, env = "USHER_ARGON2_MEMORY", default_value = "19456", hide_short_help = true,
          value_parser = clap::value_parser!(u32).range(8..=4_194_304))]
    pub argon2_memory: u32,
    /// Passes of one password hash.
    #[arg(long, env = "USHER_ARGON2_ITERATIONS", default_value = "2", hide_short_help = true,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub argon2_iterations: u32,
    /// Lanes of one password hash.
    #[arg(long, env = "USHER_ARGON2_PARALLELISM", default_value = "1", hide_short_help = true,
          value_parser = clap::value_parser!(u32).range(1..=64))]
    pub argon2_parallelism: u32,
    /// Password hashes at once; as many as there are cores when left out.
    #[arg(long, env = "USHER_HASH_THREADS", value_parser = count, hide_short_help = true)]
    pub hash_threads: Option<usize>,
    /// Connections to PostgreSQL, one half for reads and one for writes; two at least.
    #[arg(long, env = "USHER_DATABASE_CONNECTIONS", default_value = "8", value_parser = connections, hide_short_help = true)]
    pub database_connections: usize,
    /// Seconds between SIGTERM and the end of listening; meanwhile /readyz says that the server leaves.
    #[arg(long, env = "USHER_LEAVE_SECONDS", default_value = "0", value_parser = leave, hide_short_help = true)]
    pub leave_seconds: Duration,
    /// Seconds that running requests have to end when the server is told to stop.
    #[arg(long, env = "USHER_DRAIN_SECONDS", default_value = "20", value_parser = seconds, hide_short_help = true)]
    pub drain_seconds: Duration,
}

impl Settings {
    /// The settings of a machine that has none: what tests start from.
    pub fn defaults() -> Self {
        let command =
            Self::augment_args(Command::new("usher")).mut_args(|arg| arg.env(None::<&'static str>));
        let matches = command.get_matches_from(["usher"]);
        Self::from_arg_matches(&matches).expect("every setting has a default or is optional")
    }

    /// Checks what concerns every command. The error is one line that names the setting.
    pub fn check_always(&self) -> Result<(), String> {
        let known =
            |url: &&String| url.starts_with("postgres://") || url.starts_with("postgresql://");
        self.mail()?;
        match &self.database_url {
            Some(url) if !known(&url) => Err(
                "--database-url must be postgres://user:password@host:5432/name; without it, the \
                 embedded database is used."
                    .to_owned(),
            ),
            Some(_) | None => Ok(()),
        }
    }

    /// Checks the settings that concern each other, for a server that is about to start.
    ///
    /// The error is one line that names the setting.
    pub fn check(&self) -> Result<(), String> {
        let Exposure { tls_cert, tls_key, insecure_http, .. } = &self.exposure;
        if tls_cert.is_some() != tls_key.is_some() {
            return Err("--tls-cert and --tls-key belong together: give both or none.".to_owned());
        }
        match &self.public_url {
            None if !self.listen.ip().is_loopback() => Err(format!(
                "--listen {} is not a loopback address: --public-url is needed to say under which \
                 URL clients reach this server.",
                self.listen
            )),
            Some(url) if !url.is_safe() && !insecure_http => Err(format!(
                "--public-url {url} is neither https nor on a loopback host: bearer tokens would \
                 travel in the clear. Put TLS in front, or add --insecure-http."
            )),
            None if matches!(self.mail(), Ok(MailUrl::Smtp(_))) => Err(
                "--mail-url sends mail to people, and links in it need a --public-url: under which \
                 they reach this server."
                    .to_owned(),
            ),
            None | Some(_) => Ok(()),
        }
    }

    /// Where mail goes. The error is one line that names the setting, without what was written.
    pub fn mail(&self) -> Result<MailUrl, String> {
        match &self.mail_url {
            Some(url) => MailUrl::parse(url),
            None => Ok(MailUrl::File(self.data_dir.join("mail"))),
        }
    }

    /// Who mail is from.
    pub fn mail_from(&self) -> Mailbox {
        self.mail_from.clone().unwrap_or_else(|| {
            let address = Address::new("no-reply", self.mail_domain());
            let local = || Address::new("no-reply", "localhost").expect("it is an address");
            Mailbox::new(Some("Usher".to_owned()), address.unwrap_or_else(|_| local()))
        })
    }

    /// The host of the public URL as mail writes it: a name, or an address in brackets (RFC 5321
    /// s4.1.3); `localhost` where there is no public URL.
    pub fn mail_domain(&self) -> String {
        self.public_url.as_ref().map_or_else(|| "localhost".to_owned(), PublicUrl::mail_domain)
    }

    /// The URL that everything Usher writes starts with, without a slash at its end.
    pub fn origin(&self, bound: SocketAddr) -> String {
        match &self.public_url {
            Some(url) => url.to_string(),
            None if self.exposure.tls_cert.is_some() => format!("https://{bound}"),
            None => format!("http://{bound}"),
        }
    }

    /// The file with the key that seals secrets in the database.
    pub fn key_path(&self) -> PathBuf {
        self.key_file.clone().unwrap_or_else(|| self.data_dir.join("key"))
    }

    /// How many seconds a cursor is good for.
    pub fn cursor_timeout(&self) -> i64 {
        i64::try_from(self.limits.cursor_timeout.as_secs()).unwrap_or(i64::MAX)
    }

    /// How many passwords are hashed at once.
    pub fn hash_threads(&self) -> usize {
        self.work.hash_threads.unwrap_or_else(|| {
            std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
        })
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let plain = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    plain
        .as_deref()
        .unwrap_or(text)
        .parse()
        .map_err(|_| "write address:port, such as 127.0.0.1:8080 or [::1]:8080".to_owned())
}

fn word(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("write a name or a URL".to_owned()),
        word => Ok(word.to_owned()),
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| "write a network such as 10.0.0.0/8, or one address".to_owned())
}

fn log_level(text: &str) -> Result<String, String> {
    match tracing_subscriber::EnvFilter::builder().parse(text) {
        Ok(_) if !text.trim().is_empty() => Ok(text.to_owned()),
        _ => Err("write error, warn, info, debug or trace, or a list such as info,usher=debug"
            .to_owned()),
    }
}

fn size(text: &str) -> Result<usize, String> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    let (digits, unit) = [("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30)]
        .iter()
        .find_map(|(name, unit)| lower.strip_suffix(name).map(|digits| (digits.trim(), *unit)))
        .unwrap_or((lower.as_str(), 1_usize));
    digits
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| {
            "write a number of bytes, or one with KiB, MiB or GiB, such as 8MiB".to_owned()
        })
}

fn payload(text: &str) -> Result<usize, String> {
    size(text).and_then(|bytes| match bytes {
        0..=0x4000_0000 => Ok(bytes),
        _ => Err("write a size up to 1GiB".to_owned()),
    })
}

/// hyper's buffer may not be smaller than this.
fn header_bytes(text: &str) -> Result<usize, String> {
    size(text).and_then(|bytes| match bytes {
        8192..=16_777_216 => Ok(bytes),
        _ => Err("write a size from 8KiB to 16MiB".to_owned()),
    })
}

fn between(text: &str, least: usize, most: usize) -> Result<usize, String> {
    text.trim()
        .parse()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| format!("write a number from {least} to {most}"))
}

fn count(text: &str) -> Result<usize, String> {
    between(text, 1, 10_000_000)
}

/// The parsers recurse; this keeps them within a thread's stack.
fn depth(text: &str) -> Result<usize, String> {
    between(text, 1, 512)
}

fn connections(text: &str) -> Result<usize, String> {
    between(text, 1, 1024)
}

fn leave(text: &str) -> Result<Duration, String> {
    between(text, 0, 3_600).map(|seconds| Duration::from_secs(seconds as u64))
}

fn seconds(text: &str) -> Result<Duration, String> {
    between(text, 1, 86_400).map(|seconds| Duration::from_secs(seconds as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut Settings)) -> Result<(), String> {
        let mut settings = Settings::defaults();
        change(&mut settings);
        settings.check()
    }

    #[test]
    fn the_defaults_start_a_server_on_this_machine_alone() {
        let settings = Settings::defaults();
        assert_eq!(settings.check(), Ok(()));
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.origin(settings.listen), "http://127.0.0.1:8080");
        assert_eq!(settings.limits.max_body, 8 * 1024 * 1024);
        assert_eq!(settings.limits.max_string, 64 * 1024);
        assert_eq!((settings.work.argon2_memory, settings.work.argon2_iterations), (19456, 2));
    }

    /// Proves SCIM-481.
    #[test]
    fn plain_http_stays_on_loopback_unless_it_is_asked_for() {
        let everywhere: SocketAddr = "0.0.0.0:80".parse().unwrap();
        let url = |text: &str| Some(text.parse::<PublicUrl>().unwrap());
        let refused = with(|settings| settings.listen = everywhere).unwrap_err();
        assert!(refused.contains("--public-url"), "{refused}");
        let refused = with(|settings| settings.public_url = url("http://scim.example.com"));
        assert!(refused.unwrap_err().contains("--insecure-http"));
        for host in
            ["https://scim.example.com", "http://localhost:9", "http://127.9.9.9", "http://[::1]:1"]
        {
            assert_eq!(with(|settings| settings.public_url = url(host)), Ok(()), "{host}");
        }
        let allowed = with(|settings| {
            settings.listen = everywhere;
            settings.public_url = url("http://scim.example.com");
            settings.exposure.insecure_http = true;
        });
        assert_eq!(allowed, Ok(()));
    }

    #[test]
    fn mail_leaves_this_machine_only_under_a_public_url() {
        let smtp = |settings: &mut Settings| {
            settings.mail_url = Some("smtp://u:hidden@mail.example.com".to_owned());
        };
        let refused = with(smtp).unwrap_err();
        assert!(refused.contains("--public-url") && !refused.contains("hidden"), "{refused}");
        let allowed = with(|settings| {
            smtp(settings);
            settings.public_url = Some("https://usher.example.com".parse().unwrap());
        });
        assert_eq!(allowed, Ok(()));
        assert_eq!(with(|settings| settings.mail_url = Some("file:mail".to_owned())), Ok(()));
    }

    #[test]
    fn mail_is_from_the_host_of_the_public_url() {
        for (url, from) in [
            (None, "Usher <no-reply@localhost>"),
            (Some("https://usher.example.com/x"), "Usher <no-reply@usher.example.com>"),
            (Some("https://192.0.2.1"), "Usher <no-reply@[192.0.2.1]>"),
        ] {
            let mut settings = Settings::defaults();
            settings.public_url = url.map(|url| url.parse().unwrap());
            assert_eq!(settings.mail_from().to_string(), from);
        }
    }

    #[test]
    fn a_certificate_without_its_key_is_refused() {
        let refused = with(|settings| settings.exposure.tls_cert = Some("cert.pem".into()));
        assert!(refused.unwrap_err().contains("--tls-key"));
    }

    #[test]
    fn sizes_are_bytes_or_have_a_unit() {
        for (text, bytes) in [("1", 1), ("64KiB", 65536), ("8 mib", 8_388_608)] {
            assert_eq!(size(text), Ok(bytes));
        }
        for text in ["", "0", "-1", "8MB", "many", "99999999999999999999"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
