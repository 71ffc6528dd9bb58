//! When to try again, and how long to wait before.

use std::time::Duration;

use crate::store::Error;

/// How often a change is tried.
pub(super) const TRIES: u32 = 5;

/// A statement's error, and whether the connection went with it.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) error: Error,
    pub(super) lost: Lost,
}

/// Whether a connection went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Lost {
    /// It is there.
    #[default]
    No,
    /// The server said why, and undid what it was at.
    Told,
    /// Nobody knows what became of the statement.
    Silent,
}

impl Broken {
    /// An error of the statement alone.
    pub(super) fn kept(error: Error) -> Self {
        Self { error, lost: Lost::No }
    }
}

/// The pause before the next try: doubles from 5 ms, with jitter so that rivals part.
pub(super) fn pause(tried: u32) -> Duration {
    let longest = 5_u64 << tried.min(6);
    let dice = getrandom::u32().map_or(0, u64::from);
    Duration::from_micros(longest * 500 + dice % (longest * 500))
}

/// What is answered when trying again did not help.
pub(super) fn gave_up(error: &Error) -> Error {
    match error {
        Error::Again(why) => Error::Unavailable(why.clone()),
        Error::Taken(_)
        | Error::Full
        | Error::Busy
        | Error::Unavailable(_)
        | Error::Database(_) => error.clone(),
    }
}
