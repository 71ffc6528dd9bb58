//! How a mail leaves: into a directory, or over SMTP.

use std::io::ErrorKind;
use std::path::Path;

use lettre::Address;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::MutexGuard;

use super::office::Office;
use super::smtp::Session;
use crate::settings::{MailUrl, Smtp};

/// A mail that is ready to go.
#[derive(Debug)]
pub(super) struct Ready {
    /// Its id, a UUID.
    pub(super) id: String,
    /// Who it is from.
    pub(super) from: Address,
    /// Who it is to.
    pub(super) to: Address,
    /// The whole mail.
    pub(super) bytes: Vec<u8>,
}

/// Why a mail has not gone. `detail` is a sentence for administrators, without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nobody was there to take any mail.
    Unreachable(String),
    /// This mail was not taken now.
    Later(String),
    /// The address was refused for good.
    Bounced(String),
    /// This mail will never be taken.
    Never(String),
}

/// Where mails go, and how this server calls itself there.
#[derive(Debug)]
pub(super) struct Way {
    /// Where to.
    pub(super) to: MailUrl,
    /// The name in EHLO.
    pub(super) hello: String,
}

/// What takes mails, one after the other.
#[derive(Debug, Default)]
pub(super) struct Transport(Option<Session>);

impl Transport {
    /// Hands the mail over. While the answer is kept, this process hands over no other one: whoever holds
    /// it notes first that this one has gone, so that a process that dies leaves one mail, at most, of
    /// which nobody knows. Up to the last step it is given up once `stopping` resolves.
    pub(super) async fn send<'o>(
        &mut self,
        office: &'o Office,
        way: &Way,
        mail: &Ready,
        stopping: impl Future<Output = ()>,
    ) -> Result<MutexGuard<'o, ()>, Trouble> {
        match &way.to {
            MailUrl::File(directory) => {
                let last = office.last_step().await;
                let written = write(directory, mail).await;
                written.map(|()| last).map_err(|error| {
                    Trouble::Unreachable(format!("the mail directory cannot be written: {error}"))
                })
            }
            MailUrl::Smtp(smtp) => {
                let (mut session, last) = tokio::select! {
                    () = stopping => return Err(Trouble::Later("the server was stopped".to_owned())),
                    offered = self.offer(office, smtp, &way.hello, mail) => offered?,
                };
                session.hand_over(mail).await?;
                self.0 = Some(session);
                Ok(last)
            }
        }
    }

    /// Goes as far as the last step.
    async fn offer<'o>(
        &mut self,
        office: &'o Office,
        smtp: &Smtp,
        hello: &str,
        mail: &Ready,
    ) -> Result<(Session, MutexGuard<'o, ()>), Trouble> {
        let mut open = self.0.take();
        // A server may have closed what was open.
        if let Some(session) = &mut open
            && !session.is_alive().await
        {
            open = None;
        }
        let mut session = match open {
            Some(session) => session,
            None => Session::open(smtp, hello).await?,
        };
        session.offer(mail).await?;
        Ok((session, office.last_step().await))
    }

    /// Says goodbye to the server.
    pub(super) async fn close(self) {
        if let Some(session) = self.0 {
            session.quit().await;
        }
    }
}

/// Whether mails can be written into a directory, which may not be there yet.
pub(super) async fn look(directory: &Path) -> Result<String, String> {
    let shown = directory.display();
    if !directory.exists() {
        return Ok(format!("files in {shown}, which the first mail makes"));
    }
    let probe = directory.join(format!(".usher-doctor-{}", std::process::id()));
    let written = tokio::fs::write(&probe, b"").await.map_err(|error| format!("{shown}: {error}"));
    written?;
    tokio::fs::remove_file(&probe).await.map_err(|error| format!("{shown}: {error}"))?;
    Ok(format!("files in {shown}; nobody gets them but who reads them there"))
}

/// One file a mail, whole or not at all, for its owner alone. A second copy takes the first one's place.
async fn write(directory: &Path, mail: &Ready) -> std::io::Result<()> {
    let mut builder = tokio::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(directory).await?;
    let aside = directory.join(format!(".{}.new", mail.id));
    match tokio::fs::remove_file(&aside).await {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = tokio::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(&aside).await?;
    file.write_all(&mail.bytes).await?;
    file.sync_all().await?;
    tokio::fs::rename(&aside, directory.join(format!("{}.eml", mail.id))).await
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn a_mail_is_a_file_of_its_owner_and_a_second_copy_is_the_same_file() {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("data").join("mail");
        let to = |text: &str| text.parse().unwrap();
        let mut mail = Ready {
            id: "1".to_owned(),
            from: to("a@b.example"),
            to: to("c@b.example"),
            bytes: b"one".to_vec(),
        };
        for bytes in ["one", "two"] {
            mail.bytes = bytes.as_bytes().to_vec();
            write(&directory, &mail).await.unwrap();
            let path = directory.join("1.eml");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), bytes);
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1);
        std::fs::write(place.path().join("file"), "").unwrap();
        assert!(write(&place.path().join("file"), &mail).await.is_err());
    }
}
