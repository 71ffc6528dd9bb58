//! The only reader of the time.
//!
//! Rules and protocol code take `now` as an argument; the edges ask a [`Clock`].

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

/// A moment in microseconds since 1970-01-01T00:00:00Z.
///
/// Both databases store this number, so that they agree to the digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub i64);

impl Micros {
    /// RFC 3339 in UTC with all six fractional digits, as `meta.created` shows it.
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_microsecond(self.0).map_or_else(
            |_| "9999-12-31T23:59:59.999999Z".to_owned(),
            |moment| format!("{moment:.6}"),
        )
    }

    /// This moment moved by a number of seconds.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }
}

/// Where the time comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that tests set and move by hand; clones share the hand.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at this moment until it is moved.
    pub fn fixed(at: Micros) -> Self {
        Self::Fixed(Arc::new(AtomicI64::new(at.0)))
    }

    /// The present moment, truncated to microseconds.
    pub fn now(&self) -> Micros {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the Clock")]
            Self::System => Micros(
                SystemTime::now()
                    .duration_since(SystemTime::UNIX_EPOCH)
                    .map_or(0, |age| i64::try_from(age.as_micros()).unwrap_or(i64::MAX)),
            ),
            Self::Fixed(hand) => Micros(hand.load(Ordering::Relaxed)),
        }
    }

    /// Moves a fixed clock; the system's clock stays as it is.
    pub fn advance(&self, seconds: i64) {
        if let Self::Fixed(hand) = self {
            hand.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_with_six_digits_in_utc() {
        assert_eq!(Micros(1_500_000).rfc3339(), "1970-01-01T00:00:01.500000Z");
    }

    #[test]
    fn a_fixed_clock_moves_only_by_hand() {
        let clock = Clock::fixed(Micros(0));
        clock.advance(2);
        assert_eq!(clock.now(), Micros(2_000_000));
    }
}
