//! What has to be read again and must not lie open in the database: links that wait to be sent, keys
//! that sign. It is sealed with a key that stands in a file and never in the database, so that neither a
//! copy of the database nor the file alone gives it away.

use std::fmt;
use std::sync::{Arc, OnceLock};

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::app::{App, Error};
use crate::domain::token;
use crate::settings::key;
use crate::store::{Tx, secrets};

/// The name under which the database keeps what tells the right key file from another one.
const MARK: &str = "key-file";

/// The installation's keys once they are read, or why they cannot be. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Vault(Arc<OnceLock<Result<Keys, Error>>>);

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

/// The keys that are made from the installation's key, each for one purpose.
pub(super) struct Keys {
    seal: LessSafeKey,
    derive: hmac::Key,
}

impl App {
    /// The installation's keys; known once [`App::unlock`] was called.
    pub(super) fn keys(&self) -> Result<&Keys, Error> {
        let locked = || Error::Internal("the installation's key was not read".to_owned());
        self.vault().0.get().ok_or_else(locked)?.as_ref().map_err(Clone::clone)
    }

    /// Reads the installation's key, and makes its file where there is none yet, so that a wrong one
    /// stops the start and not some request. A second call changes nothing.
    ///
    /// Fails where the file belongs to another installation than the database.
    pub async fn unlock(&self) -> Result<(), Error> {
        if self.vault().0.get().is_none() {
            // Whoever comes second has read the same file.
            let _ = self.vault().0.set(self.read_keys().await);
        }
        self.keys().map(drop)
    }

    /// A secret that says that a form is one of ours; a browser keeps it and sends it twice.
    pub fn form_token() -> Result<String, Error> {
        Ok(token::text("form", random::<32>()?))
    }

    async fn read_keys(&self) -> Result<Keys, Error> {
        let path = self.settings().key_path();
        let known =
            self.store().read(async |tx: &mut Tx<'_>| secrets::find(tx, MARK).await).await?;
        let key = tokio::task::spawn_blocking(move || {
            key::key_in(&path, known.is_none()).map_err(|problem| {
                Error::Internal(format!("--key-file {}: {problem}", path.display()))
            })
        });
        let key = key.await.map_err(|error| Error::Internal(error.to_string()))??;
        let mark = hex::encode(hmac::sign(&hmac::Key::new(HMAC_SHA256, &*key), b"mark").as_ref());
        let fresh = mark.clone();
        let keep = async move |tx: &mut Tx<'_>| secrets::keep(tx, MARK, &fresh).await;
        if self.store().write_apart(keep).await? != mark {
            return Err(Error::Internal(format!(
                "--key-file {} is not the key of this database: all instances on one database need the \
                 same file.",
                self.settings().key_path().display()
            )));
        }
        Keys::of(&key)
    }
}

impl Keys {
    fn of(key: &[u8; 32]) -> Result<Self, Error> {
        let master = hmac::Key::new(HMAC_SHA256, key);
        let sealing = hmac::sign(&master, b"seal");
        let unusable = |_| Error::Internal("the installation's key cannot be used".to_owned());
        let seal = UnboundKey::new(&AES_256_GCM_SIV, sealing.as_ref()).map_err(unusable)?;
        let derive = hmac::Key::new(HMAC_SHA256, hmac::sign(&master, b"derive").as_ref());
        Ok(Self { seal: LessSafeKey::new(seal), derive })
    }

    /// The bytes as text that only this key opens, and only for the same purpose.
    pub(super) fn seal(&self, purpose: &str, bytes: &[u8]) -> Result<String, Error> {
        let nonce = random::<NONCE_LEN>()?;
        let mut body = bytes.to_vec();
        self.seal
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.as_bytes()),
                &mut body,
            )
            .map_err(|_| Error::Internal(format!("{purpose} cannot be sealed")))?;
        Ok(URL_SAFE_NO_PAD.encode([&nonce[..], &body].concat()))
    }

    /// What was sealed for this purpose.
    pub(super) fn open(&self, purpose: &str, text: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let damaged = || Error::Internal(format!("{purpose} in the database cannot be opened"));
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| damaged())?;
        let (nonce, body) = bytes.split_first_chunk::<NONCE_LEN>().ok_or_else(damaged)?;
        let mut body = Zeroizing::new(body.to_vec());
        let number = Nonce::assume_unique_for_key(*nonce);
        let opened = self.seal.open_in_place(number, Aad::from(purpose.as_bytes()), &mut body);
        let length = opened.map_err(|_| damaged())?.len();
        body.truncate(length);
        Ok(body)
    }

    /// 256 bits that follow from this input and that nobody else can tell.
    pub(super) fn derive(&self, purpose: &str, input: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.derive);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(input);
        let mut bits = [0; 32];
        bits.copy_from_slice(context.sign().as_ref());
        bits
    }
}

/// Random bytes.
pub(super) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    let filled = getrandom::fill(&mut bytes);
    filled.map_err(|error| Error::Internal(format!("no random numbers: {error}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_text_opens_whole_and_for_its_purpose() {
        let keys = Keys::of(&[7; 32]).unwrap();
        let sealed = keys.seal("a link", b"secret").unwrap();
        assert_eq!(keys.open("a link", &sealed).unwrap().as_slice(), b"secret");
        assert_ne!(keys.seal("a link", b"secret").unwrap(), sealed);
        assert!(keys.open("another", &sealed).is_err());
        assert!(Keys::of(&[8; 32]).unwrap().open("a link", &sealed).is_err());
        for wrong in ["", "a", &sealed[1..], &format!("{sealed}A")] {
            assert!(keys.open("a link", wrong).is_err(), "{wrong}");
        }
        assert_eq!(keys.derive("x", b"1"), keys.derive("x", b"1"));
        assert_ne!(keys.derive("x", b"1"), keys.derive("y", b"1"));
        assert_ne!(keys.derive("x", b"1"), Keys::of(&[8; 32]).unwrap().derive("x", b"1"));
    }
}
