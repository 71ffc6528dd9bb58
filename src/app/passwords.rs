//! Hashing passwords: argon2id on a few threads of its own.
//!
//! argon2 needs memory and a whole core, so at most as many run at once as there are cores; it never
//! runs on the async threads and never inside a transaction. Its threads step back behind all others:
//! what only takes a moment is not held up by what takes long. The memory passes from one hash to the
//! next for as long as somebody waits for it, because to get fresh pages for each takes a tenth of its
//! time; then it goes, so that an idle server does not keep it.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{self, try_generate_salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use crossbeam_channel::{Receiver, Sender, select};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::app::Error;

/// How far the threads step back (nice): enough that others run at once when they have something to do,
/// and not so far that nobody signs in while they are busy.
#[cfg(target_os = "linux")]
const STEPS_BACK: i32 = 10;

type Outcome<T> = password_hash::Result<T>;

/// Something to be done with memory that another one may have used before.
type Job = Box<dyn FnOnce(&mut Vec<Block>) + Send>;

/// Who waits for a thread. Where both do they have the same chance, so that neither a crowd that signs in
/// holds up identity providers, nor a Bulk those who sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// A client or an administrator, who sets passwords.
    Client,
    /// Somebody who signs in.
    Person,
}

/// The pool. Clones share it; its threads end with the last of them.
#[derive(Debug, Clone)]
pub struct Hasher {
    at_once: usize,
    argon2: Argon2<'static>,
    done: Arc<AtomicU64>,
    queues: Arc<Mutex<Option<Queues>>>,
}

/// The ways to the threads.
#[derive(Debug, Clone)]
struct Queues {
    clients: Sender<Job>,
    people: Sender<Job>,
}

impl Hasher {
    /// A pool that hashes `at_once` passwords with these argon2id costs.
    ///
    /// `memory` is in KiB. The error says which cost argon2 does not take.
    pub fn new(memory: u32, passes: u32, lanes: u32, at_once: usize) -> Result<Self, String> {
        let params = Params::new(memory, passes, lanes, None).map_err(|error| error.to_string())?;
        Ok(Self {
            at_once: at_once.max(1),
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            done: Arc::default(),
            queues: Arc::default(),
        })
    }

    /// How many passwords are hashed side by side.
    pub fn at_once(&self) -> usize {
        self.at_once
    }

    /// The PHC string of a prepared password, with a fresh salt.
    pub async fn hash(&self, password: String) -> Result<String, Error> {
        let password = Zeroizing::new(password);
        self.on_pool(For::Client, move |argon2, memory| {
            hash(argon2, memory, password.as_bytes())
                .map_err(|error| Error::Internal(format!("argon2: {error}")))
        })
        .await?
    }

    /// Whether a prepared password is the one of this PHC string.
    pub async fn verify(&self, who: For, password: String, phc: String) -> Result<bool, Error> {
        let password = Zeroizing::new(password);
        self.on_pool(who, move |_, memory| {
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
        who: For,
        work: impl FnOnce(&Argon2<'static>, &mut Vec<Block>) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (argon2, done) = (self.argon2.clone(), Arc::clone(&self.done));
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |memory| {
            // Whoever went away meanwhile costs nothing.
            if !answer.is_closed() {
                done.fetch_add(1, Ordering::Relaxed);
                let _ = answer.send(work(&argon2, memory));
            }
        });
        let gone = |_| Error::Internal("hashing: a thread is gone".to_owned());
        let queues = self.queues()?;
        let queue = if who == For::Client { queues.clients } else { queues.people };
        queue.send(job).map_err(|error| gone(error.to_string()))?;
        answered.await.map_err(|error| gone(error.to_string()))
    }

    /// The ways to the threads, which begin with the first password.
    fn queues(&self) -> Result<Queues, Error> {
        let mut held = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queues) = &*held {
            return Ok(queues.clone());
        }
        let (clients, from_clients) = crossbeam_channel::unbounded();
        let (people, from_people) = crossbeam_channel::unbounded();
        for _ in 0..self.at_once {
            let (clients, people) = (from_clients.clone(), from_people.clone());
            let thread = std::thread::Builder::new().name("hash".to_owned());
            let begun = thread.spawn(move || run(&clients, &people));
            begun.map_err(|error| Error::Internal(format!("hashing: {error}")))?;
        }
        Ok(held.insert(Queues { clients, people }).clone())
    }
}

/// A thread: one password after the other, until nobody can send any more.
fn run(clients: &Receiver<Job>, people: &Receiver<Job>) {
    step_back();
    let mut memory = Vec::new();
    loop {
        let waiting = select! {
            recv(clients) -> job => job.ok(),
            recv(people) -> job => job.ok(),
            default => None,
        };
        let job = waiting.or_else(|| {
            memory = Vec::new();
            select! {
                recv(clients) -> job => job.ok(),
                recv(people) -> job => job.ok(),
            }
        });
        let Some(job) = job else { return };
        // Whoever waits for the answer of one that panicked learns that there is none.
        let _ = std::panic::catch_unwind(AssertUnwindSafe(|| job(&mut memory)));
    }
}

/// Lets all other threads go first. Where that cannot be had it is done without.
fn step_back() {
    // On Linux no process is a thread; elsewhere it would be the whole program.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, STEPS_BACK);
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
        assert!(
            hasher.verify(For::Client, "correct horse".to_owned(), first.clone()).await.unwrap()
        );
        assert!(!hasher.verify(For::Client, "Correct horse".to_owned(), first).await.unwrap());
    }

    /// A hash that the reference implementation made, in memory that another one left behind.
    #[tokio::test]
    async fn hashes_of_other_costs_and_programs_are_understood() {
        const REFERENCE: &str = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHRzb21lc2FsdA\
                                 $yrdGtGIZk/3JHsUHh5gLQUqQppLwvGjf4Z+cJbPLqew";
        let hasher = Hasher::new(1024, 1, 1, 1).unwrap();
        let (long, verdict) = tokio::join!(
            hasher.hash("x".to_owned()),
            hasher.verify(For::Client, "password".to_owned(), REFERENCE.to_owned())
        );
        assert!(verdict.unwrap());
        assert!(hasher.verify(For::Client, "x".to_owned(), long.unwrap()).await.unwrap());
        assert!(!hasher.verify(For::Client, "x".to_owned(), REFERENCE.to_owned()).await.unwrap());
        let other = REFERENCE.replace("argon2id", "scrypt");
        assert!(!hasher.verify(For::Client, "password".to_owned(), other).await.unwrap());
        assert!(hasher.verify(For::Client, "x".to_owned(), "argon2id".to_owned()).await.is_err());
    }

    #[tokio::test]
    async fn a_hash_of_other_costs_is_outdated() {
        let [old, new] = [64, 128].map(|memory| Hasher::new(memory, 1, 1, 1).unwrap());
        let phc = old.hash("x".to_owned()).await.unwrap();
        assert!(!old.is_outdated(&phc) && new.is_outdated(&phc) && new.is_outdated("damaged"));
    }

    /// A thread that does nothing until it is told to, and then, before all others, this.
    fn held_up<T: Send + 'static>(
        hasher: &Hasher,
        first: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> (impl Future<Output = Result<T, Error>>, std::sync::mpsc::Sender<()>) {
        let (go, wait) = std::sync::mpsc::channel();
        let begun = hasher.on_pool(For::Client, move |_, memory| {
            wait.recv().unwrap();
            first(memory)
        });
        (begun, go)
    }

    /// Waits until so many wait for a thread.
    async fn until(hasher: &Hasher, count: usize) {
        let waiting = || {
            let queues = hasher.queues().unwrap();
            queues.clients.len() + queues.people.len()
        };
        while waiting() != count {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn memory_is_kept_while_somebody_waits_and_no_longer() {
        let hasher = Hasher::new(64, 1, 1, 1).unwrap();
        let (first, go) = held_up(&hasher, |memory| *memory = vec![Block::new(); 8]);
        let second = async {
            until(&hasher, 0).await;
            hasher.on_pool(For::Person, |_, memory| memory.len()).await
        };
        let let_go = async {
            while hasher.queues().unwrap().people.is_empty() {
                tokio::task::yield_now().await;
            }
            go.send(()).unwrap();
        };
        let (first, second, ()) = tokio::join!(first, second, let_go);
        first.unwrap();
        assert_eq!(second.unwrap(), 8);
        let given_back = async {
            while hasher.on_pool(For::Client, |_, memory| memory.len()).await.unwrap() > 0 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), given_back).await.unwrap();
        let all = (0..8).map(|number| hasher.hash(number.to_string()));
        assert!(futures_util::future::join_all(all).await.iter().all(Result::is_ok));
    }

    #[tokio::test]
    async fn a_crowd_that_signs_in_holds_up_no_client() {
        let hasher = Hasher::new(64, 1, 1, 1).unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let noted = |who| {
            let order = Arc::clone(&order);
            hasher.on_pool(who, move |_, _| order.lock().unwrap().push(who))
        };
        let (first, go) = held_up(&hasher, |_| ());
        let crowd = async {
            until(&hasher, 0).await;
            futures_util::future::join_all((0..200).map(|_| noted(For::Person))).await
        };
        let client = async {
            until(&hasher, 200).await;
            noted(For::Client).await
        };
        let let_go = async {
            until(&hasher, 201).await;
            go.send(()).unwrap();
        };
        let (first, _, client, ()) = tokio::join!(first, crowd, client, let_go);
        first.and(client).unwrap();
        // It is by chance: not to come among the first hundred has that of one in 2 to the 100th.
        let place = order.lock().unwrap().iter().position(|who| *who == For::Client).unwrap();
        assert!(place < 100, "{place}");
    }

    #[tokio::test]
    async fn what_panics_takes_no_thread_with_it() {
        let hasher = Hasher::new(64, 1, 1, 1).unwrap();
        let nothing = Vec::<bool>::new();
        assert!(hasher.on_pool(For::Client, move |_, _| nothing[0]).await.is_err());
        assert!(hasher.hash("x".to_owned()).await.is_ok());
    }

    #[tokio::test]
    async fn whoever_went_away_costs_nothing() {
        let hasher = Hasher::new(64, 1, 1, 1).unwrap();
        let (first, go) = held_up(&hasher, |_| ());
        let gone = async {
            until(&hasher, 0).await;
            let hash = hasher.hash("x".to_owned());
            drop(tokio::time::timeout(std::time::Duration::from_millis(10), hash).await);
            until(&hasher, 1).await;
            go.send(()).unwrap();
        };
        let (first, ()) = tokio::join!(first, gone);
        first.unwrap();
        assert!(hasher.hash("y".to_owned()).await.is_ok());
        assert_eq!(hasher.done(), 2);
    }
}
