//! Hashing passwords: argon2id on a bounded pool of blocking threads.
//!
//! argon2 needs memory and a whole core, so at most as many run at once as there are cores; it never
//! runs on the async threads and never inside a transaction.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::app::Error;

/// The pool.
#[derive(Debug, Clone)]
pub struct Hasher {
    permits: Arc<Semaphore>,
    at_once: usize,
    argon2: Argon2<'static>,
}

impl Hasher {
    /// A pool that hashes `at_once` passwords with these argon2id costs.
    ///
    /// `memory` is in KiB. The error says which cost argon2 does not take.
    pub fn new(memory: u32, passes: u32, lanes: u32, at_once: usize) -> Result<Self, String> {
        let params = Params::new(memory, passes, lanes, None).map_err(|error| error.to_string())?;
        let at_once = at_once.max(1);
        Ok(Self {
            permits: Arc::new(Semaphore::new(at_once)),
            at_once,
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
        })
    }

    /// How many passwords are hashed side by side.
    pub fn at_once(&self) -> usize {
        self.at_once
    }

    /// The PHC string of a prepared password, with a fresh salt.
    pub async fn hash(&self, password: String) -> Result<String, Error> {
        let password = Zeroizing::new(password);
        self.on_pool(move |argon2| {
            argon2
                .hash_password(password.as_bytes())
                .map(|hash| hash.to_string())
                .map_err(|error| Error::Internal(format!("argon2: {error}")))
        })
        .await?
    }

    /// Whether a prepared password is the one of this PHC string.
    pub async fn verify(&self, password: String, phc: String) -> Result<bool, Error> {
        let password = Zeroizing::new(password);
        self.on_pool(move |argon2| {
            let hash = PasswordHash::new(&phc)
                .map_err(|error| Error::Internal(format!("stored password hash: {error}")))?;
            Ok(argon2.verify_password(password.as_bytes(), &hash).is_ok())
        })
        .await?
    }

    async fn on_pool<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|error| Error::Internal(error.to_string()))?;
        let argon2 = self.argon2.clone();
        tokio::task::spawn_blocking(move || {
            let done = work(&argon2);
            drop(permit);
            done
        })
        .await
        .map_err(|error| Error::Internal(format!("hashing: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves SCIM-115, SCIM-503.
    #[tokio::test]
    async fn a_password_is_hashed_with_argon2id_and_a_salt_of_its_own() {
        let hasher = Hasher::new(64, 1, 1, 2).unwrap();
        let first = hasher.hash("correct horse".to_owned()).await.unwrap();
        let second = hasher.hash("correct horse".to_owned()).await.unwrap();
        assert!(first.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{first}");
        assert_ne!(first, second);
        assert!(hasher.verify("correct horse".to_owned(), first.clone()).await.unwrap());
        assert!(!hasher.verify("Correct horse".to_owned(), first).await.unwrap());
    }
}
