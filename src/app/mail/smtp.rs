//! A conversation with a mail server (RFC 5321), each step of which ends in time.

use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::{Error, response};

use super::transport::{Ready, Trouble};
use crate::settings::{Smtp, Tls};

/// To connect, to agree on TLS, and to sign in.
const TO_OPEN: Duration = Duration::from_secs(20);
/// For the answer to one command.
const TO_ANSWER: Duration = Duration::from_secs(20);
/// For the answer to the mail itself: servers look through it before they take it.
const TO_TAKE: Duration = Duration::from_secs(30);
/// For a goodbye.
const TO_QUIT: Duration = Duration::from_secs(2);
/// Longest sentence about a trouble, in characters.
const LONGEST: usize = 300;

/// A server that listens.
pub(super) struct Session(AsyncSmtpConnection);

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session")
    }
}

impl Session {
    /// Connects, agrees on TLS as the URL wants it, and signs in.
    pub(super) async fn open(smtp: &Smtp, hello: &str) -> Result<Self, Trouble> {
        match tokio::time::timeout(TO_OPEN, connect(smtp, hello)).await {
            Ok(opened) => opened.map(Self).map_err(Trouble::Unreachable),
            Err(_) => Err(Trouble::Unreachable("the mail server does not answer".to_owned())),
        }
    }

    /// Whether the server is still there.
    pub(super) async fn is_alive(&mut self) -> bool {
        let asked = tokio::time::timeout(TO_QUIT, self.0.test_connected()).await;
        asked.unwrap_or(false)
    }

    /// Says who the mail is from and to. Only a refusal of the address itself is about the address.
    pub(super) async fn offer(&mut self, mail: &Ready) -> Result<(), Trouble> {
        let mut parameters = Vec::new();
        if !AsRef::<str>::as_ref(&mail.to).is_ascii() {
            if !self.0.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(Trouble::Never(
                    "the mail server takes no address with letters beyond ASCII".to_owned(),
                ));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let from = Mail::new(Some(mail.from.clone()), parameters);
        let later =
            |error: &Error| Trouble::Later(said("the mail server refuses the sender", error));
        self.ask(from, TO_ANSWER).await?.map_err(|error| later(&error))?;
        let refused = self.ask(Rcpt::new(mail.to.clone(), Vec::new()), TO_ANSWER).await?;
        refused.map_err(|error| {
            let what = said("the mail server refuses the address", &error);
            if error.is_permanent() { Trouble::Bounced(what) } else { Trouble::Later(what) }
        })?;
        let ready = self.ask(Data, TO_ANSWER).await?;
        ready.map(drop).map_err(|error| of_mail(&error))
    }

    /// Hands the mail over. An error behind a lost connection may mean that it was taken all the same.
    pub(super) async fn hand_over(&mut self, mail: &Ready) -> Result<(), Trouble> {
        match tokio::time::timeout(TO_TAKE, self.0.message(&mail.bytes)).await {
            Ok(taken) => taken.map(drop).map_err(|error| of_mail(&error)),
            Err(_) => Err(Trouble::Later("the mail server did not say that it took it".to_owned())),
        }
    }

    async fn ask(
        &mut self,
        command: impl std::fmt::Display,
        within: Duration,
    ) -> Result<Result<response::Response, Error>, Trouble> {
        let asked = tokio::time::timeout(within, self.0.command(command)).await;
        asked.map_err(|_| Trouble::Later("the mail server does not answer".to_owned()))
    }

    /// Says goodbye.
    pub(super) async fn quit(mut self) {
        let _ = tokio::time::timeout(TO_QUIT, self.0.quit()).await;
    }
}

/// The error is a sentence.
async fn connect(smtp: &Smtp, hello: &str) -> Result<AsyncSmtpConnection, String> {
    let hello = ClientId::Domain(hello.to_owned());
    let tls = match smtp.tls {
        Tls::Never => None,
        Tls::Offered | Tls::Required | Tls::Wrapped => Some(parameters(smtp).await?),
    };
    let wrapped = tls.clone().filter(|_| smtp.tls == Tls::Wrapped);
    let place = (smtp.host.as_str(), smtp.port);
    let connected =
        AsyncSmtpConnection::connect_tokio1(place, Some(TO_OPEN), &hello, wrapped, None).await;
    let mut connection =
        connected.map_err(|error| said("the mail server cannot be reached", &error))?;
    let offered = connection.can_starttls();
    match (smtp.tls, tls) {
        (Tls::Required, _) if !offered => {
            return Err(
                "the mail server offers no STARTTLS, which the mail URL requires".to_owned()
            );
        }
        (Tls::Required | Tls::Offered, Some(tls)) if offered => connection
            .starttls(tls, &hello)
            .await
            .map_err(|error| said("the mail server's STARTTLS failed", &error))?,
        (_, _) => {}
    }
    if let Some((user, password)) = &smtp.credentials {
        let credentials = Credentials::new(user.clone(), password.clone());
        connection.auth(DEFAULT_MECHANISMS, &credentials).await.map_err(|error| {
            // What a server says here may repeat what it was told.
            let code = error.status().map_or_else(String::new, |code| format!(" ({code})"));
            format!("the mail server refuses user and password{code}")
        })?;
    }
    Ok(connection)
}

async fn parameters(smtp: &Smtp) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(smtp.host.clone());
    if let Some(path) = &smtp.ca {
        let wrong =
            |why: &dyn std::fmt::Display| format!("the file of ?ca= in the mail URL: {why}");
        let pem = tokio::fs::read(path).await.map_err(|error| wrong(&error))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| wrong(&error))?;
        builder =
            builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build().map_err(|error| said("TLS", &error))
}

/// What the answer to the mail itself says of it: not of the address.
fn of_mail(error: &Error) -> Trouble {
    if error.is_permanent() {
        Trouble::Never(said("the mail server refuses the mail", error))
    } else {
        Trouble::Later(said("the mail server did not take the mail", error))
    }
}

/// One line for administrators.
fn said(what: &str, error: &Error) -> String {
    let text = format!("{what}: {error}");
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect()
}

/// Whether a server takes mail as the URL says: connects, agrees on TLS, signs in, and leaves. Gives a
/// line for the operator; the error is one, too.
pub(super) async fn look(smtp: &Smtp, hello: &str) -> Result<String, String> {
    match Session::open(smtp, hello).await {
        Ok(session) => {
            let how = if session.0.is_encrypted() { "encrypted" } else { "not encrypted" };
            session.quit().await;
            Ok(format!("{}:{} takes mail, {how}", smtp.host, smtp.port))
        }
        Err(
            Trouble::Unreachable(why)
            | Trouble::Later(why)
            | Trouble::Bounced(why)
            | Trouble::Never(why),
        ) => Err(format!("{}:{}: {why}", smtp.host, smtp.port)),
    }
}
