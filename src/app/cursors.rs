//! Cursors on their way out and in: sealed, so that nobody reads, forges or borrows one
//! (RFC 9865 s5.2).

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::sync::OnceCell;

use crate::app::vault::random;
use crate::app::{App, Error};
use crate::scim;
use crate::scim::cursor::Cursor;
use crate::store::{Tx, secrets};

/// The name of the key that all instances share.
const SECRET: &str = "cursor";

/// The key that seals cursors, once it is read. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Sealer(Arc<OnceCell<LessSafeKey>>);

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

/// One refusal whatever the reason, so that it tells nothing (RFC 9865 s5.2).
pub(super) fn invalid() -> Error {
    scim::Error::InvalidCursor(
        "This is no cursor of this query. Repeat the query with an empty cursor to begin anew; a \
         cursor is good for the token that got it, with the same parameters."
            .to_owned(),
    )
    .into()
}

/// The key in its open form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seal<'k>(&'k LessSafeKey);

impl App {
    /// What seals cursors. The key is made by whoever needs it first.
    pub(super) async fn seal(&self) -> Result<Seal<'_>, Error> {
        self.sealer().0.get_or_try_init(async || self.sealing_key().await).await.map(Seal)
    }

    async fn sealing_key(&self) -> Result<LessSafeKey, Error> {
        let known = self.store().read(async |tx: &mut Tx<'_>| secrets::find(tx, SECRET).await);
        let text = if let Some(text) = known.await? {
            text
        } else {
            let fresh = hex::encode(random::<32>()?);
            let keep = async move |tx: &mut Tx<'_>| secrets::keep(tx, SECRET, &fresh).await;
            self.store().write_apart(keep).await?
        };
        let wrong = || Error::Internal("the key that seals cursors is damaged".to_owned());
        let bytes = hex::decode(&text).map_err(|_| wrong())?;
        UnboundKey::new(&AES_256_GCM_SIV, &bytes).map(LessSafeKey::new).map_err(|_| wrong())
    }
}

impl Seal<'_> {
    /// The cursor as the client gets it: unreserved characters alone (RFC 9865 s2).
    pub(super) fn close(self, cursor: &Cursor, binding: [u8; 32]) -> Result<String, Error> {
        // A number that comes twice would tell that two cursors are equal, and nothing more.
        let nonce = random::<NONCE_LEN>()?;
        let mut body = cursor.encode();
        let number = Nonce::assume_unique_for_key(nonce);
        self.0
            .seal_in_place_append_tag(number, Aad::from(binding), &mut body)
            .map_err(|_| Error::Internal("a cursor cannot be sealed".to_owned()))?;
        Ok(URL_SAFE_NO_PAD.encode([&nonce[..], &body].concat()))
    }

    /// What a cursor says, if it is one of ours for this binding.
    pub(super) fn open(self, text: &str, binding: [u8; 32]) -> Result<Cursor, Error> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let (nonce, body) = bytes.split_first_chunk::<NONCE_LEN>().ok_or_else(invalid)?;
        let mut body = body.to_vec();
        let number = Nonce::assume_unique_for_key(*nonce);
        let opened = self.0.open_in_place(number, Aad::from(binding), &mut body);
        Cursor::decode(opened.map_err(|_| invalid())?).ok_or_else(invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves SCIM-270, SCIM-288.
    #[test]
    fn a_cursor_opens_whole_and_where_it_belongs() {
        let key = UnboundKey::new(&AES_256_GCM_SIV, &[7; 32]).map(LessSafeKey::new).expect("a key");
        let seal = Seal(&key);
        let cursor = Cursor { issued: 1, back: false, count: None, mark: None };
        let text = seal.close(&cursor, [1; 32]).expect("sealed");
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        assert_eq!(seal.open(&text, [1; 32]).ok(), Some(cursor.clone()));
        assert!(seal.open(&text, [2; 32]).is_err());
        assert_ne!(seal.close(&cursor, [1; 32]).ok(), Some(text.clone()));
        for place in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(bytes).expect("ASCII");
            assert!(seal.open(&other, [1; 32]).is_err(), "{place}");
        }
        for text in ["", "a", "abc", "!", "Ü", &text[1..], &format!("{text}A"), &format!("{text}=")]
        {
            assert!(seal.open(text, [1; 32]).is_err(), "{text}");
        }
    }
}
