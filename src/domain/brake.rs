//! The brake: how many users may be suspended or deleted within a while before what cannot be brought
//! back is held for administrators to look at. Nobody is kept signed in by it, and no request waits.

use std::fmt;

/// So many are never too many, however few users there are: a share of fewer counts as this.
pub const FEWEST: i64 = 5;
/// How long what is held can be brought back, in seconds.
pub const HELD_FOR: i64 = 72 * 60 * 60;
/// The longest window, in seconds.
const LONGEST: i64 = 30 * DAY;
const DAY: i64 = 24 * 60 * 60;
/// What a window is written in: a letter and its seconds, the longest first.
const UNITS: [(char, i64); 3] = [('d', DAY), ('h', 60 * 60), ('m', 60)];

/// The setting `deprovision.brake`, where it is on: `20%/1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brake {
    /// Percent of the users who could use the product when the window began, 1 to 100.
    share: i64,
    /// The window, in seconds: whole minutes, at most thirty days.
    window: i64,
}

/// How many users went within the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Users that were suspended or deleted, each counted once, the latest one included.
    pub gone: i64,
    /// Users that were not suspended when the window began.
    pub users: i64,
}

impl Brake {
    /// Reads `20%/1h`; none where it is something else.
    pub fn parse(text: &str) -> Option<Self> {
        let (share, window) = text.split_once('/')?;
        let share = number(share.trim().strip_suffix('%')?)?;
        let window = window.trim();
        let unit = window.chars().next_back()?.to_ascii_lowercase();
        let (_, seconds) = UNITS.into_iter().find(|(letter, _)| *letter == unit)?;
        let count = number(&window[..window.len() - unit.len_utf8()])?;
        let window = count.checked_mul(seconds)?;
        let fits = (1..=100).contains(&share) && (1..=LONGEST).contains(&window);
        fits.then_some(Self { share, window })
    }

    /// The window, in seconds.
    pub fn window(self) -> i64 {
        self.window
    }

    /// Whether the latest of those who went is one beyond the share.
    pub fn holds(self, tally: Tally) -> bool {
        let beyond = tally.gone.saturating_mul(100) > tally.users.saturating_mul(self.share);
        tally.gone > FEWEST && beyond
    }
}

impl fmt::Display for Brake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fitting = UNITS.into_iter().find(|(_, seconds)| self.window % seconds == 0);
        let (letter, seconds) = fitting.unwrap_or(('m', 60));
        write!(f, "{}%/{}{letter}", self.share, self.window / seconds)
    }
}

/// A number in digits and nothing else.
fn number(text: &str) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_a_share_and_a_window() {
        for (text, shown, window) in [
            ("20%/1h", "20%/1h", 3_600),
            ("1%/1m", "1%/1m", 60),
            ("100%/30d", "100%/30d", 2_592_000),
            ("5% / 90M", "5%/90m", 5_400),
            ("5%/120m", "5%/2h", 7_200),
            ("7%/24h", "7%/1d", 86_400),
        ] {
            let brake = Brake::parse(text).unwrap();
            assert_eq!((brake.to_string().as_str(), brake.window()), (shown, window), "{text}");
            assert_eq!(Brake::parse(shown), Some(brake));
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "on",
            "20%",
            "20/1h",
            "%/1h",
            "0%/1h",
            "101%/1h",
            "-5%/1h",
            "+5%/1h",
            "20%/1",
            "20%/h",
            "20%/0h",
            "20%/31d",
            "20%/1s",
            "20%/1.5h",
            "2 0%/1h",
            "20%/1h/2h",
            "20%/1é",
            "20%/99999999999999999999h",
            "20%/999999999999999999h",
        ] {
            assert_eq!(Brake::parse(text), None, "{text}");
        }
    }

    #[test]
    fn whoever_goes_beyond_the_share_is_held() {
        let brake = Brake::parse("20%/1h").unwrap();
        for (users, last) in [(100, 20), (33, 6), (1_000_000, 200_000), (25, 5), (26, 5), (30, 6)] {
            for (gone, held) in [(1, false), (last, false), (last + 1, true), (users, true)] {
                assert_eq!(brake.holds(Tally { gone, users }), held, "{gone} of {users}");
            }
        }
    }

    #[test]
    fn of_a_few_users_five_may_always_go() {
        let brake = Brake::parse("1%/1h").unwrap();
        for (gone, users, held) in [(5, 5, false), (5, 100, false), (6, 100, true), (6, 6, true)] {
            assert_eq!(brake.holds(Tally { gone, users }), held, "{gone} of {users}");
        }
        let all = Brake::parse("100%/1h").unwrap();
        assert!(!all.holds(Tally { gone: 50, users: 50 }));
        // More than there were: some came meanwhile.
        assert!(all.holds(Tally { gone: 51, users: 50 }));
    }
}
