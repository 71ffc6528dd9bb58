//! Where mail goes and who it is from.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use lettre::message::Mailbox;
use percent_encoding::percent_decode_str;
use url::Url;

/// What a mail URL may be; what was written is not repeated, since it may hold a password.
const FORM: &str = "--mail-url must be smtp://user:password@host:587, smtps://user:password@host:465 \
                    or file:DIR";

/// Where mail goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailUrl {
    /// Into a directory, one file a mail.
    File(PathBuf),
    /// To a mail server.
    Smtp(Smtp),
}

/// A mail server that takes mail for everybody.
#[derive(Clone, PartialEq, Eq)]
pub struct Smtp {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub tls: Tls,
    /// User and password.
    pub credentials: Option<(String, String)>,
    /// PEM file with the certificates that are believed, instead of those of public authorities.
    pub ca: Option<PathBuf>,
}

impl fmt::Debug for Smtp {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Smtp({}:{}, {:?})", self.host, self.port, self.tls)
    }
}

/// Whether a connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Never.
    Never,
    /// By STARTTLS where the server offers it.
    Offered,
    /// By STARTTLS, or nothing is sent.
    Required,
    /// From the first byte on.
    Wrapped,
}

impl MailUrl {
    /// Reads a mail URL. The error is one line that names the setting and nothing of the value.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(path) = text.strip_prefix("file:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            let named = !path.is_empty();
            return named.then(|| Self::File(path.into())).ok_or_else(|| format!("{FORM}."));
        }
        Smtp::parse(text).map(Self::Smtp)
    }
}

impl Smtp {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| format!("{FORM}: {what}.");
        let url = Url::parse(text).map_err(|_| wrong("it is no URL"))?;
        let wrapped = match url.scheme() {
            "smtp" => false,
            "smtps" => true,
            _ => return Err(wrong("the scheme is another one")),
        };
        let host = url.host_str().filter(|host| !host.is_empty() && !host.contains('%'));
        let host = host.ok_or_else(|| wrong("it names no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(wrong("nothing stands behind the port but ?tls= and ?ca="));
        }
        let local = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        let mut tls = match (wrapped, local) {
            (true, _) => Tls::Wrapped,
            (false, true) => Tls::Never,
            (false, false) => Tls::Required,
        };
        let mut ca = None;
        for (name, value) in url.query_pairs() {
            match (&*name, &*value) {
                ("tls", _) if wrapped => return Err(wrong("smtps:// takes no ?tls=")),
                ("tls", "none") => tls = Tls::Never,
                ("tls", "opportunistic") => tls = Tls::Offered,
                ("tls", "required") => tls = Tls::Required,
                ("ca", path) if !path.is_empty() => ca = Some(PathBuf::from(path)),
                _ => return Err(wrong("?tls= is none, opportunistic or required, ?ca= a file")),
            }
        }
        let port = url.port().unwrap_or(match (wrapped, local) {
            (true, _) => 465,
            (false, true) => 25,
            (false, false) => 587,
        });
        let credentials = credentials(&url).map_err(wrong)?;
        Ok(Self { host, port, tls, credentials, ca })
    }
}

/// The error says what is missing.
fn credentials(url: &Url) -> Result<Option<(String, String)>, &'static str> {
    let plain = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8();
        decoded.map(String::from).map_err(|_| "user and password are no UTF-8")
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => Err("user and password belong together"),
        (user, Some(password)) => Ok(Some((plain(user)?, plain(password)?))),
    }
}

/// Reads the sender of mails, `Name <address>` or an address.
pub(super) fn mailbox(text: &str) -> Result<Mailbox, String> {
    let form = "write an address, such as Usher <no-reply@example.com>";
    if text.chars().any(char::is_control) {
        return Err(form.to_owned());
    }
    text.trim().parse().map_err(|_| form.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smtp(text: &str) -> Smtp {
        match MailUrl::parse(text) {
            Ok(MailUrl::Smtp(smtp)) => smtp,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn mail_goes_in_the_clear_to_this_machine_or_where_the_url_says_so() {
        for (text, host, port, tls) in [
            ("smtp://127.0.0.1:2525", "127.0.0.1", 2525, Tls::Never),
            ("smtp://localhost", "localhost", 25, Tls::Never),
            ("smtp://[::1]:25", "::1", 25, Tls::Never),
            ("smtp://mail.example.com", "mail.example.com", 587, Tls::Required),
            ("smtp://10.0.0.1:25", "10.0.0.1", 25, Tls::Required),
            ("smtp://localhost.example.com", "localhost.example.com", 587, Tls::Required),
            ("smtp://mail.example.com?tls=none", "mail.example.com", 587, Tls::Never),
            ("smtp://mail.example.com?tls=opportunistic", "mail.example.com", 587, Tls::Offered),
            ("smtp://127.0.0.1?tls=required", "127.0.0.1", 25, Tls::Required),
            ("smtps://mail.example.com", "mail.example.com", 465, Tls::Wrapped),
        ] {
            let smtp = smtp(text);
            assert_eq!((smtp.host.as_str(), smtp.port, smtp.tls), (host, port, tls), "{text}");
        }
        let smtp = smtp("smtps://me%40x:p%3Aw@mail.example.com/?ca=/etc/ca.pem");
        assert_eq!(smtp.credentials, Some(("me@x".to_owned(), "p:w".to_owned())));
        assert_eq!(smtp.ca, Some("/etc/ca.pem".into()));
        assert!(!format!("{smtp:?}").contains("p:w"));
    }

    #[test]
    fn a_wrong_mail_url_is_refused_without_its_password() {
        for text in [
            "",
            "file:",
            "mail.example.com",
            "http://u:hidden@mail.example.com",
            "smtp://u:hidden@",
            "smtp://u:hidden@mail.example.com:99999",
            "smtp://u:hidden@mail.example.com/path",
            "smtp://u:hidden@mail.example.com?tls=perhaps",
            "smtp://u:hidden@mail.example.com?password=hidden",
            "smtps://u:hidden@mail.example.com?tls=none",
            "smtp://:hidden@mail.example.com",
        ] {
            let refusal = MailUrl::parse(text).unwrap_err();
            assert!(refusal.starts_with("--mail-url") && !refusal.contains('\n'), "{refusal}");
            assert!(!refusal.contains("hidden"), "{refusal}");
        }
    }

    #[test]
    fn a_directory_is_named_as_it_is() {
        for (text, path) in [
            ("file:mail", "mail"),
            ("file:/var/mail", "/var/mail"),
            ("file:///var/mail", "/var/mail"),
        ] {
            assert_eq!(MailUrl::parse(text), Ok(MailUrl::File(path.into())), "{text}");
        }
    }

    #[test]
    fn the_sender_is_one_mailbox() {
        assert_eq!(mailbox("Usher <a@b.example>").unwrap().to_string(), "Usher <a@b.example>");
        for wrong in ["", "nobody", "a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example"] {
            assert!(mailbox(wrong).is_err(), "{wrong}");
        }
    }
}
