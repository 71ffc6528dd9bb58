//! The door: who may try to sign in, how often, and how many at once.
//!
//! What is counted is lost at a restart, and each instance counts for itself, so that several allow no
//! more than their number times as much.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ipnet::{IpNet, Ipv6Net};
use moka::sync::Cache;
use tokio::sync::{AcquireError, OnceCell, OwnedSemaphorePermit, Semaphore};

use crate::app::signing::Keyring;
use crate::app::{App, Error};
use crate::clock::Micros;
use crate::domain::limits::{Budget, Spent, Streak};
use crate::domain::token;

/// Names and networks that are counted at once; the rarest are forgotten first.
const KEPT: u64 = 100_000;
/// Seconds after which what was counted is forgotten.
const FORGOTTEN: u64 = 7_200;
/// Wrong passwords from one network, whatever the names: people share addresses and mistype.
const OF_NETWORK: Budget = Budget { most: 50, every: 6 };
/// Wrong passwords of one name from networks from which that person never came.
const OF_NAME: Budget = Budget { most: 20, every: 300 };
/// Wishes for a new password from one network, whatever the names.
const OF_ASKING: Budget = Budget { most: 20, every: 30 };
/// Who may wait for a thread that hashes; whoever comes then is sent away.
const LINE: usize = 64;
/// Seconds after which to come again.
const LATER: u32 = 5;
/// For how long after a request of a client the spare thread is left to clients.
const QUIET: Duration = Duration::from_millis(250);
/// Longest text of a client about itself that is kept, in characters.
const LONGEST_AGENT: usize = 200;

/// Where a request came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// The address, as far as it is known: that of the connection, or what trusted proxies say.
    pub address: Option<IpAddr>,
    /// What the client calls itself.
    pub agent: String,
}

impl Client {
    /// One at this address; its name for itself is cut to a sensible length.
    pub fn new(address: Option<IpAddr>, agent: &str) -> Self {
        let agent = agent.chars().filter(|c| !c.is_control()).take(LONGEST_AGENT).collect();
        Self { address: address.map(|address| address.to_canonical()), agent }
    }

    /// The network that is counted: an IPv4 address, or the 64 bits of IPv6 that one customer gets.
    pub(super) fn network(&self) -> String {
        match self.address {
            None => "-".to_owned(),
            Some(IpAddr::V4(address)) => address.to_string(),
            Some(IpAddr::V6(address)) => Ipv6Net::new(address, 64)
                .map_or_else(|_| address.to_string(), |net| IpNet::V6(net.trunc()).to_string()),
        }
    }
}

/// Everything that signing in remembers.
#[derive(Debug)]
pub(super) struct Door {
    networks: Cache<String, Arc<Mutex<Spent>>>,
    names: Cache<String, Arc<Mutex<Spent>>>,
    pairs: Cache<String, Arc<Mutex<Streak>>>,
    asking: Cache<String, Arc<Mutex<Spent>>>,
    line: Arc<Semaphore>,
    /// Threads that hash for people at any time, and one more that does while no client is at work.
    threads: Arc<Semaphore>,
    spare: Arc<Semaphore>,
    begun: Instant,
    /// When the last request of a client came, in milliseconds since the beginning.
    client: AtomicU64,
    dummy: OnceCell<String>,
    pub(super) keyring: Keyring,
}

/// A place among those who have their password looked at.
#[derive(Debug)]
pub(super) struct Seat {
    _line: OwnedSemaphorePermit,
    _thread: OwnedSemaphorePermit,
}

/// A try that counts as failed until it is forgiven.
#[derive(Debug)]
pub(super) struct Try {
    pair: Arc<Mutex<Streak>>,
    network: Arc<Mutex<Spent>>,
    name: Arc<Mutex<Spent>>,
    of_name: bool,
}

impl Door {
    /// One for a hasher of so many threads. One of several is left to clients while they are at work, so
    /// that a crowd that signs in does not slow them down.
    pub(super) fn new(threads: usize) -> Self {
        let spare = usize::from(threads > 1);
        Self {
            networks: counted(),
            names: counted(),
            pairs: counted(),
            asking: counted(),
            line: Arc::new(Semaphore::new(LINE)),
            threads: Arc::new(Semaphore::new(threads.saturating_sub(1).max(1))),
            spare: Arc::new(Semaphore::new(spare)),
            begun: Instant::now(),
            client: AtomicU64::new(0),
            dummy: OnceCell::new(),
            keyring: Keyring::default(),
        }
    }

    /// A client is at work.
    pub(super) fn note_client(&self) {
        self.client.store(self.elapsed(), Ordering::Relaxed);
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn is_quiet(&self) -> bool {
        let last = self.client.load(Ordering::Relaxed);
        last == 0 || u128::from(self.elapsed().saturating_sub(last)) > QUIET.as_millis()
    }

    /// Begins a try to sign in under this name of a tenant, in its normal form.
    pub(super) fn begin(
        &self,
        (tenant, name): (&str, &str),
        client: &Client,
        now: Micros,
    ) -> Result<Try, Error> {
        // Names are as long as anybody likes.
        let name = token::hash(&format!("{tenant}\n{name}"));
        let network = client.network();
        let begun = Try {
            pair: self.pairs.get_with(format!("{network} {name}"), Arc::default),
            network: self.networks.get_with(network, Arc::default),
            name: self.names.get_with(name, Arc::default),
            of_name: false,
        };
        held(&begun.pair).begin(now).map_err(too_many)?;
        let taken = OF_NETWORK.take(&mut held(&begun.network), now);
        taken.map_err(|wait| {
            held(&begun.pair).give_back();
            too_many(wait)
        })?;
        Ok(begun)
    }

    /// Somebody asks for a new password.
    pub(super) fn ask(&self, client: &Client, now: Micros) -> Result<(), Error> {
        let network = self.asking.get_with(client.network(), Arc::default);
        let taken = OF_ASKING.take(&mut held(&network), now);
        taken.map_err(too_many)
    }

    /// A place in the line of those who have their password looked at, once it is its turn.
    pub(super) async fn enter(&self) -> Result<Seat, Error> {
        let line = Arc::clone(&self.line).try_acquire_owned().map_err(|_| Error::Busy(LATER))?;
        let turn = tokio::select! {
            biased;
            turn = Arc::clone(&self.threads).acquire_owned() => turn,
            turn = self.enter_by_spare() => turn,
        };
        let thread = turn.map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Seat { _line: line, _thread: thread })
    }

    /// The spare thread, once no client needs it.
    async fn enter_by_spare(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        loop {
            let turn = Arc::clone(&self.spare).acquire_owned().await?;
            if self.is_quiet() {
                return Ok(turn);
            }
            drop(turn);
            tokio::time::sleep(QUIET).await;
        }
    }
}

impl Try {
    /// Counts for the name too, unless the person has come from this network before: whoever attacks a
    /// name from everywhere slows it down for strangers alone.
    pub(super) fn by_name(mut self, is_known: bool, now: Micros) -> Result<Self, Error> {
        if is_known {
            return Ok(self);
        }
        let taken = OF_NAME.take(&mut held(&self.name), now);
        if let Err(wait) = taken {
            self.give_back();
            return Err(too_many(wait));
        }
        self.of_name = true;
        Ok(self)
    }

    /// It was none: nobody looked at the password.
    pub(super) fn give_back(&self) {
        held(&self.pair).give_back();
        OF_NETWORK.give_back(&mut held(&self.network));
        if self.of_name {
            OF_NAME.give_back(&mut held(&self.name));
        }
    }

    /// The password was right.
    pub(super) fn forgive(&self) {
        self.give_back();
        *held(&self.pair) = Streak::default();
    }
}

impl App {
    /// The door.
    pub(super) fn door(&self) -> &Door {
        &self.0.door
    }

    /// A hash of nobody's password at the costs in force: it is verified where there is no other, so that
    /// nobody learns from the time whether there is.
    pub(super) async fn dummy(&self) -> Result<&str, Error> {
        let make = async || {
            let bytes = crate::app::vault::random::<32>()?;
            self.hasher().hash(hex::encode(bytes)).await
        };
        Ok(self.door().dummy.get_or_try_init(make).await?)
    }
}

fn counted<T: Send + Sync + 'static>() -> Cache<String, Arc<Mutex<T>>> {
    let idle = Duration::from_secs(FORGOTTEN);
    Cache::builder().max_capacity(KEPT).time_to_idle(idle).build()
}

fn held<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn too_many(seconds: i64) -> Error {
    Error::TooMany(u32::try_from(seconds).unwrap_or(u32::MAX).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_customer_is_one_network() {
        let network = |text: &str| Client::new(Some(text.parse().unwrap()), "").network();
        assert_eq!(network("203.0.113.7"), "203.0.113.7");
        assert_eq!(network("::ffff:203.0.113.7"), "203.0.113.7");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(Client::new(None, "").network(), "-");
        assert_eq!(Client::new(None, &"x\n".repeat(500)).agent, "x".repeat(200));
    }

    #[tokio::test]
    async fn the_line_is_bounded() {
        let door = Door::new(2);
        let first = door.enter().await.unwrap();
        let rest = Arc::clone(&door.line).acquire_many_owned(63).await.unwrap();
        assert!(matches!(door.enter().await, Err(Error::Busy(_))));
        drop(first);
        assert!(door.enter().await.is_ok());
        drop(rest);
    }

    #[tokio::test]
    async fn one_thread_of_several_is_left_to_clients_while_they_are_at_work() {
        let door = Door::new(2);
        let all = async || {
            let mut seats = Vec::new();
            while let Ok(seat) = tokio::time::timeout(QUIET * 2, door.enter()).await {
                seats.push(seat.unwrap());
            }
            seats.len()
        };
        assert_eq!(all().await, 2);
        door.client.store(u64::MAX, Ordering::Relaxed);
        assert_eq!(all().await, 1);
        door.client.store(0, Ordering::Relaxed);
        assert_eq!(all().await, 2);
        let alone = Door::new(1);
        let permits = (alone.threads.available_permits(), alone.spare.available_permits());
        assert_eq!(permits, (1, 0));
        alone.client.store(u64::MAX, Ordering::Relaxed);
        assert!(alone.enter().await.is_ok());
    }
}
