//! Hashing passwords: argon2id on a bounded pool of blocking threads.
//!
//! argon2 needs memory and a whole core, so at most as many run at once as there are cores; it never
//! runs on the async threads and never inside a transaction. Its memory passes from one hash to the
//! next for as long as somebody waits for it, because to get fresh pages for each takes a tenth of its
//! time; then it goes, so that an idle server does not keep it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{self, try_generate_salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::app::Error;

type Outcome<T> = password_hash::Result<T>;

/// The pool.
#[derive(Debug, Clone)]
pub struct Hasher {
    permits: Arc<Semaphore>,
    at_once: usize,
    argon2: Argon2<'static>,
    memories: Arc<Memories>,
    done: Arc<AtomicU64>,
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
            memories: Arc::default(),
            done: Arc::default(),
        })
    }

    /// How many passwords are hashed side by side.
    pub fn at_once(&self) -> usize {
        self.at_once
    }

    /// The PHC string of a prepared password, with a fresh salt.
    pub async fn hash(&self, password: String) -> Result<String, Error> {
        let password = Zeroizing::new(password);
        self.on_pool(move |argon2, memory| {
            hash(argon2, memory, password.as_bytes())
                .map_err(|error| Error::Internal(format!("argon2: {error}")))
        })
        .await?
    }

    /// Whether a prepared password is the one of this PHC string.
    pub async fn verify(&self, password: String, phc: String) -> Result<bool, Error> {
        let password = Zeroizing::new(password);
        self.on_pool(move |_, memory| {
            verify(memory, password.as_bytes(), &phc)
                .map_err(|error| Error::Internal(format!("stored password hash: {error}")))
        })
        .await?
    }

    /// Whether this PHC string was made at other costs than those in force.
    pub fn is_outdated(&self, phc: &str) -> bool {
        let Ok(made) = PasswordHash::new(phc) else { return true };
        let ours = ParamsString::try_from(self.argon2.params());
        made.algorithm != Algorithm::Argon2id.ident() || ours.is_ok_and(|ours| ours != made.params)
    }

    /// How many passwords were hashed or verified so far.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    async fn on_pool<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>, &mut Vec<Block>) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let waiting = self.memories.wait();
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|error| Error::Internal(error.to_string()))?;
        let mut memory = waiting.take();
        let (argon2, memories) = (self.argon2.clone(), Arc::clone(&self.memories));
        self.done.fetch_add(1, Ordering::Relaxed);
        tokio::task::spawn_blocking(move || {
            let done = work(&argon2, &mut memory);
            memories.leave(memory);
            drop(permit);
            done
        })
        .await
        .map_err(|error| Error::Internal(format!("hashing: {error}")))
    }
}

/// The PHC string of a password.
fn hash(argon2: &Argon2<'_>, memory: &mut Vec<Block>, password: &[u8]) -> Outcome<String> {
    let salt = Salt::new(&try_generate_salt()?)?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(argon2.params())?,
        salt: Some(salt),
        hash: Some(derive(argon2, memory, password, &salt)?),
    };
    Ok(hash.to_string())
}

/// Whether a password has this PHC string, at the costs that stand in it; compared in constant time.
fn verify(memory: &mut Vec<Block>, password: &[u8], phc: &str) -> Outcome<bool> {
    let hash = PasswordHash::new(phc)?;
    let (Some(salt), Some(output)) = (&hash.salt, &hash.hash) else { return Ok(false) };
    // What other programs hashed otherwise is not known to be this password.
    let Ok(argon2) = costs(&hash) else { return Ok(false) };
    Ok(derive(&argon2, memory, password, salt)? == *output)
}

/// The costs that stand in a PHC string.
fn costs(hash: &PasswordHash) -> Outcome<Argon2<'static>> {
    let version = hash.version.map(Version::try_from).transpose()?.unwrap_or_default();
    let algorithm = Algorithm::try_from(hash.algorithm.as_str())?;
    Ok(Argon2::new(algorithm, version, Params::try_from(hash)?))
}

/// Fills memory that others used before, which need not be cleared for it: the first pass writes all
/// of it.
fn derive(
    argon2: &Argon2<'_>,
    memory: &mut Vec<Block>,
    password: &[u8],
    salt: &Salt,
) -> Outcome<Output> {
    let params = argon2.params();
    let blocks = params.block_count();
    let more = memory.try_reserve_exact(blocks.saturating_sub(memory.len()));
    more.map_err(|_| password_hash::Error::OutOfMemory)?;
    memory.resize(blocks, Block::new());
    let mut buffer = Zeroizing::new([0; Output::MAX_LENGTH]);
    let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let out = buffer.get_mut(..length).ok_or(password_hash::Error::OutputSize)?;
    argon2.hash_password_into_with_memory(password, salt, out, memory)?;
    Ok(Output::new(out)?)
}

/// Memory of hashes that are done, for those that wait.
#[derive(Default)]
struct Memories(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    waiting: usize,
    memories: Vec<Vec<Block>>,
}

/// Somebody who waits for a thread; when nobody does any more, all memory goes.
struct Waiting<'m>(&'m Memories);

impl Waiting<'_> {
    /// Memory for whoever waited long enough.
    fn take(self) -> Vec<Block> {
        self.0.kept().memories.pop().unwrap_or_default()
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut kept = self.0.kept();
        kept.waiting -= 1;
        if kept.waiting == 0 {
            kept.memories = Vec::new();
        }
    }
}

impl Memories {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self) -> Waiting<'_> {
        self.kept().waiting += 1;
        Waiting(self)
    }

    /// Leaves memory to whoever waits.
    fn leave(&self, memory: Vec<Block>) {
        let mut kept = self.kept();
        if kept.waiting > 0 {
            kept.memories.push(memory);
        }
    }
}

impl std::fmt::Debug for Memories {
    /// What is in it comes from passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memories").finish_non_exhaustive()
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

    /// A hash that the reference implementation made, in memory that another one left behind.
    #[tokio::test]
    async fn hashes_of_other_costs_and_programs_are_understood() {
        const REFERENCE: &str = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA\
                                 $yrdGtGIZk/3JHsUHh5gLQUqQppLwvGjf4Z+cJbPLqew";
        let hasher = Hasher::new(1024, 1, 1, 1).unwrap();
        let (long, verdict) = tokio::join!(
            hasher.hash("x".to_owned()),
            hasher.verify("password".to_owned(), REFERENCE.to_owned())
        );
        assert!(verdict.unwrap());
        assert!(hasher.verify("x".to_owned(), long.unwrap()).await.unwrap());
        assert!(!hasher.verify("x".to_owned(), REFERENCE.to_owned()).await.unwrap());
        let other = REFERENCE.replace("argon2id", "scrypt");
        assert!(!hasher.verify("password".to_owned(), other).await.unwrap());
        assert!(hasher.verify("x".to_owned(), "argon2id".to_owned()).await.is_err());
    }

    #[tokio::test]
    async fn a_hash_of_other_costs_is_outdated() {
        let [old, new] = [64, 128].map(|memory| Hasher::new(memory, 1, 1, 1).unwrap());
        let phc = old.hash("x".to_owned()).await.unwrap();
        assert!(!old.is_outdated(&phc) && new.is_outdated(&phc) && new.is_outdated("damaged"));
    }

    #[tokio::test]
    async fn memory_is_kept_while_somebody_waits_and_no_longer() {
        let hasher = Hasher::new(64, 1, 1, 1).unwrap();
        let kept = || hasher.memories.kept().memories.len();
        hasher.memories.leave(vec![Block::new()]);
        assert_eq!(kept(), 0);
        let (waiting, other) = (hasher.memories.wait(), hasher.memories.wait());
        hasher.memories.leave(vec![Block::new()]);
        hasher.memories.leave(vec![Block::new()]);
        assert_eq!(waiting.take().len(), 1);
        assert_eq!(kept(), 1);
        drop(other);
        assert_eq!(kept(), 0);
        let all = (0..8).map(|number| hasher.hash(number.to_string()));
        assert!(futures_util::future::join_all(all).await.iter().all(Result::is_ok));
        assert_eq!(kept(), 0);
    }
}
