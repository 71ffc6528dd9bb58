//! Pools of seats: how many there are, who takes them, and what happens when none is free.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Micros;
use crate::scim::path::excerpt;

/// The pool that every tenant has.
pub const DEFAULT: &str = "default";

/// What happens to somebody who finds no free seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// Refused with 403; nothing is written.
    #[default]
    Reject,
    /// Taken in without a seat: first come, first served.
    Waitlist,
    /// Seated beyond the total, as far as the allowance goes.
    Overage,
}

impl Policy {
    /// The word of `overagePolicy`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Waitlist => "waitlist",
            Self::Overage => "overage",
        }
    }

    /// The policy of this word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Reject, Self::Waitlist, Self::Overage]
            .into_iter()
            .find(|policy| policy.name().eq_ignore_ascii_case(word))
    }
}

/// How a pool stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is room.
    Ok,
    /// Administrators wanted to hear of so few seats.
    Low,
    /// No seat is free.
    Full,
    /// More seats are taken than there are.
    OverCommitted,
    /// Its time is over, or has not begun.
    Expired,
}

impl State {
    /// The word of `state`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Low => "low",
            Self::Full => "full",
            Self::OverCommitted => "overCommitted",
            Self::Expired => "expired",
        }
    }
}

/// A pool as administrators set it up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Pool {
    /// The name that `seatType` uses; lower case, never changed.
    pub value: String,
    /// The name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Seats; none means unlimited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
    /// What happens when it is full.
    pub overage_policy: Policy,
    /// `"3"` or `"5%"`: seats beyond the total, for [`Policy::Overage`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overage_allowance: Option<String>,
    /// Whether users without a login take a seat too.
    pub counts_agents: bool,
    /// Roles that take their seats here; none means all that no other pool names.
    pub roles: Vec<String>,
    /// Roles that need no seat of it.
    pub exempt_roles: Vec<String>,
    /// Percents of the total at which administrators are told.
    pub warn_at: Vec<i64>,
    /// From when on seats can be taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// How often it was changed.
    pub version: i64,
    /// When it was made.
    pub created: i64,
    /// When it was changed.
    pub modified: i64,
}

/// How many seats of a pool are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// By people who can sign in.
    pub consumed: i64,
    /// By people who cannot yet.
    pub reserved: i64,
    /// How many wait for one.
    pub waiting: i64,
}

impl Taken {
    /// Seats that are not free.
    pub fn used(self) -> i64 {
        self.consumed + self.reserved
    }
}

/// Between which numbers of seats taken counting suffices, because nobody has to be told of anything
/// and nobody has to be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    /// The fewest.
    pub floor: i64,
    /// The most; none where seats are unlimited.
    pub ceiling: Option<i64>,
}

impl Band {
    /// Whether so many are within it.
    pub fn holds(self, used: i64) -> bool {
        self.floor <= used && self.ceiling.is_none_or(|ceiling| used <= ceiling)
    }
}

/// Whether somebody gets a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Within the total.
    Seat,
    /// Within the allowance.
    Overage,
    /// No.
    Full,
}

impl Pool {
    /// The pool that a tenant has from the beginning.
    pub fn first(total: Option<i64>, now: Micros) -> Self {
        Self {
            value: DEFAULT.to_owned(),
            display_name: Some("Seats".to_owned()),
            total,
            warn_at: vec![80, 90, 100],
            version: 1,
            created: now.0,
            modified: now.0,
            ..Self::default()
        }
    }

    /// The name for people.
    pub fn label(&self) -> &str {
        self.display_name.as_deref().unwrap_or(&self.value)
    }

    /// Seats beyond the total that may be taken.
    pub fn allowance(&self) -> i64 {
        match (self.overage_policy, self.total, &self.overage_allowance) {
            (Policy::Overage, Some(total), Some(text)) => allowance(text, total).unwrap_or(0),
            _ => 0,
        }
    }

    /// Whether seats can be taken at this time.
    pub fn is_valid(&self, now: Micros) -> bool {
        let before = self.valid_from.is_some_and(|from| now.0 < from.as_microsecond());
        let after = self.valid_until.is_some_and(|until| now.0 >= until.as_microsecond());
        !before && !after
    }

    /// Whether somebody who comes now gets a seat.
    pub fn admits(&self, taken: Taken, now: Micros) -> Admission {
        if !self.is_valid(now) {
            return Admission::Full;
        }
        let Some(total) = self.total else { return Admission::Seat };
        let used = taken.used();
        if used < total {
            Admission::Seat
        } else if used < total.saturating_add(self.allowance()) {
            Admission::Overage
        } else {
            Admission::Full
        }
    }

    /// Seats that can be taken; none where they are unlimited.
    pub fn available(&self, taken: Taken) -> Option<i64> {
        let total = self.total?;
        Some((total.saturating_add(self.allowance()) - taken.used()).max(0))
    }

    /// How it stands.
    pub fn state(&self, taken: Taken, now: Micros) -> State {
        if !self.is_valid(now) {
            return State::Expired;
        }
        let Some(total) = self.total else { return State::Ok };
        let used = taken.used();
        if used > total {
            State::OverCommitted
        } else if used == total {
            State::Full
        } else if self.warned(used).is_some() {
            State::Low
        } else {
            State::Ok
        }
    }

    /// The highest of its marks that so many seats have reached.
    pub fn warned(&self, used: i64) -> Option<i64> {
        let total = self.total?;
        let reached = |mark: &&i64| used.saturating_mul(100) >= total.saturating_mul(**mark);
        self.warn_at.iter().filter(reached).max().copied()
    }

    /// From how many seats on each of its marks is reached, and the mark.
    fn marks(&self) -> impl Iterator<Item = (i64, i64)> {
        let total = self.total.unwrap_or_default();
        let first = move |mark: &i64| (total.saturating_mul(*mark).saturating_add(99) / 100, *mark);
        self.warn_at.iter().filter(|_| self.total.is_some()).map(first)
    }

    /// The highest of its marks that is reached by the way from so many seats taken to so many.
    pub fn crossed(&self, before: i64, after: i64) -> Option<i64> {
        let crossed = self.marks().filter(|(first, _)| before < *first && *first <= after);
        crossed.map(|(_, mark)| mark).max()
    }

    /// The numbers of seats around so many between which no mark is crossed and no seat refused.
    pub fn band(&self, used: i64) -> Band {
        let Some(total) = self.total else { return Band { floor: 0, ceiling: None } };
        let below = self.marks().filter(|(first, _)| *first <= used).map(|(first, _)| first).max();
        let above = self.marks().filter(|(first, _)| *first > used).map(|(first, _)| first).min();
        let ceiling = above.map_or(total, |first| total.min(first - 1));
        Band { floor: below.unwrap_or(0), ceiling: Some(ceiling) }
    }

    /// The pool with these changes: a merge patch (RFC 7396), in which null takes a value away. What
    /// names a pool stays, and who counts its versions.
    pub fn changed(&self, changes: &Value) -> Result<Self, String> {
        let Value::Object(changes) = changes else {
            return Err("An object { … } with the changes belongs there.".to_owned());
        };
        let mut whole = match serde_json::to_value(self) {
            Ok(Value::Object(whole)) => whole,
            _ => serde_json::Map::new(),
        };
        for (name, value) in changes {
            if ["version", "created", "modified"].contains(&name.as_str()) {
                return Err(format!("{name} cannot be set."));
            }
            if value.is_null() {
                whole.shift_remove(name);
            } else {
                whole.insert(name.clone(), value.clone());
            }
        }
        let pool: Self =
            serde_json::from_value(Value::Object(whole)).map_err(|error| format!("{error}."))?;
        if !self.value.is_empty() && pool.value != self.value {
            return Err("The value of a pool cannot be changed; make another pool.".to_owned());
        }
        pool.check()?;
        Ok(pool)
    }

    /// Refuses what cannot be a pool, with what is wrong.
    pub fn check(&self) -> Result<(), String> {
        let plain =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
        if self.value.is_empty() || self.value.len() > 64 || !self.value.chars().all(plain) {
            return Err(format!(
                "'{}' cannot be the value of a pool: lower-case letters, digits, '-' and '_', at most 64.",
                excerpt(&self.value)
            ));
        }
        if self.value == "none" {
            return Err("'none' means that no seat is wanted; give the pool another value.".into());
        }
        if self.total.is_some_and(|total| !(0..=1_000_000_000).contains(&total)) {
            return Err("total is a number from 0 to 1000000000.".into());
        }
        if let Some(text) = &self.overage_allowance
            && allowance(text, 100).is_none()
        {
            return Err(format!(
                "overageAllowance '{}' is neither a number such as \"3\" nor a share such as \"5%\".",
                excerpt(text)
            ));
        }
        if self.warn_at.iter().any(|mark| !(1..=1000).contains(mark)) {
            return Err("warnAt holds percents from 1 to 1000.".into());
        }
        if let (Some(from), Some(until)) = (self.valid_from, self.valid_until)
            && from >= until
        {
            return Err("validFrom is not before validUntil.".into());
        }
        Ok(())
    }
}

/// `"3"` or `"5%"` of this total, at least 1.
fn allowance(text: &str, total: i64) -> Option<i64> {
    let text = text.trim();
    let number = |text: &str| text.trim().parse::<i64>().ok().filter(|number| *number >= 0);
    match text.strip_suffix('%') {
        None => number(text),
        Some(share) => {
            let share = number(share).filter(|share| *share <= 1000)?;
            Some((total.saturating_mul(share) / 100).max(i64::from(share > 0)))
        }
    }
}

/// Somebody found no free seat (403).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Full {
    /// The pool's value.
    pub pool: String,
    /// Its seats.
    pub total: i64,
    /// Seats beyond them that were allowed.
    pub allowance: i64,
    /// Seats that are taken.
    pub taken: Taken,
}

impl Full {
    /// Why this pool refuses.
    pub fn of(pool: &Pool, taken: Taken) -> Self {
        let total = pool.total.unwrap_or_default();
        Self { pool: pool.value.clone(), total, allowance: pool.allowance(), taken }
    }
}

impl std::fmt::Display for Full {
    /// One line without personal data. Its first sentence is what the product has always said.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { pool, total, taken, .. } = self;
        write!(
            f,
            "Not allowed, your organization has reached the maximum limit of users. Seat pool \
             '{pool}': {} of {total} in use ({} active, {} invited). Deactivate a user, cancel an \
             invitation or add seats, then retry. No existing user was changed.",
            taken.used(),
            taken.consumed,
            taken.reserved
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(1_800_000_000_000_000);

    fn pool(total: i64) -> Pool {
        Pool::first(Some(total), Micros(0))
    }

    fn used(consumed: i64) -> Taken {
        Taken { consumed, ..Taken::default() }
    }

    #[test]
    fn a_seat_is_given_while_one_is_free_and_then_as_far_as_the_allowance_goes() {
        let mut pool = pool(2);
        assert_eq!(pool.admits(used(1), NOW), Admission::Seat);
        assert_eq!(pool.admits(used(2), NOW), Admission::Full);
        pool.overage_allowance = Some("1".into());
        assert_eq!(pool.admits(used(2), NOW), Admission::Full, "the policy is still reject");
        pool.overage_policy = Policy::Overage;
        assert_eq!(pool.admits(used(2), NOW), Admission::Overage);
        assert_eq!(pool.admits(used(3), NOW), Admission::Full);
        assert_eq!(pool.available(used(2)), Some(1));
        assert_eq!(pool.available(used(9)), Some(0));
        pool.total = None;
        assert_eq!((pool.admits(used(9), NOW), pool.available(used(9))), (Admission::Seat, None));
    }

    #[test]
    fn a_share_of_few_seats_is_at_least_one() {
        for (text, total, expected) in
            [("3", 10, Some(3)), ("5%", 100, Some(5)), ("5%", 3, Some(1)), ("0%", 3, Some(0))]
        {
            assert_eq!(allowance(text, total), expected, "{text} of {total}");
        }
        for text in ["", "-1", "x", "5%%", "1.5"] {
            assert_eq!(allowance(text, 10), None, "{text}");
        }
    }

    #[test]
    fn nobody_is_admitted_outside_of_the_time() {
        let at = |micros| Timestamp::from_microsecond(micros).unwrap();
        let mut pool = pool(2);
        pool.valid_until = Some(at(NOW.0));
        assert_eq!(pool.admits(used(0), NOW), Admission::Full);
        assert_eq!(pool.state(used(0), NOW), State::Expired);
        assert_eq!(pool.admits(used(0), Micros(NOW.0 - 1)), Admission::Seat);
        pool.valid_until = None;
        pool.valid_from = Some(at(NOW.0 + 1));
        assert_eq!(pool.admits(used(0), NOW), Admission::Full);
    }

    #[test]
    fn its_state_says_how_many_seats_are_left() {
        let pool = pool(10);
        let states = [(0, "ok"), (8, "low"), (10, "full"), (11, "overCommitted")];
        for (consumed, state) in states {
            assert_eq!(pool.state(used(consumed), NOW).name(), state, "{consumed}");
        }
        assert_eq!(pool.warned(9), Some(90));
    }

    #[test]
    fn a_band_ends_where_somebody_is_told_or_refused() {
        let pool = Pool { warn_at: vec![90, 80, 100], ..pool(10) };
        let bands = [(0, 0, 7), (7, 0, 7), (8, 8, 8), (9, 9, 9), (10, 10, 10), (12, 10, 10)];
        for (used, floor, ceiling) in bands {
            let band = pool.band(used);
            assert_eq!((band.floor, band.ceiling), (floor, Some(ceiling)), "{used}");
            assert_eq!(band.holds(used), used <= 10, "{used}");
        }
        let crossed =
            [(7, 8, Some(80)), (8, 8, None), (8, 7, None), (7, 10, Some(100)), (10, 11, None)];
        for (before, after, mark) in crossed {
            assert_eq!(pool.crossed(before, after), mark, "{before} to {after}");
        }
        let odd = Pool { warn_at: vec![80], ..Pool::first(Some(3), Micros(0)) };
        assert_eq!((odd.crossed(1, 2), odd.crossed(2, 3)), (None, Some(80)), "80% of 3 is 2.4");
        let silent = Pool { warn_at: Vec::new(), ..odd };
        assert_eq!(silent.band(1), Band { floor: 0, ceiling: Some(3) });
        let unlimited = Pool { total: None, ..pool };
        assert_eq!(unlimited.band(7), Band { floor: 0, ceiling: None });
        assert_eq!(unlimited.crossed(0, 9), None);
        let over = Pool { warn_at: vec![100, 200], ..Pool::first(Some(2), Micros(0)) };
        assert_eq!(
            over.band(2),
            Band { floor: 2, ceiling: Some(2) },
            "beyond the total nobody counts"
        );
        assert_eq!(over.crossed(3, 4), Some(200));
    }

    #[test]
    fn what_cannot_be_a_pool_is_refused() {
        let broken: [fn(&mut Pool); 6] = [
            |pool| pool.value = "Agents".into(),
            |pool| pool.value = "none".into(),
            |pool| pool.total = Some(-1),
            |pool| pool.overage_allowance = Some("many".into()),
            |pool| pool.warn_at = vec![0],
            |pool| {
                pool.valid_from = Some(Timestamp::UNIX_EPOCH);
                pool.valid_until = Some(Timestamp::UNIX_EPOCH);
            },
        ];
        assert_eq!(pool(1).check(), Ok(()));
        for change in broken {
            let mut pool = pool(1);
            change(&mut pool);
            assert!(pool.check().is_err(), "{pool:?}");
        }
    }

    #[test]
    fn the_refusal_says_how_full_the_pool_is() {
        let taken = Taken { consumed: 23, reserved: 2, waiting: 0 };
        let agents = Pool { value: "agent".into(), ..pool(25) };
        assert_eq!(
            Full::of(&agents, taken).to_string(),
            "Not allowed, your organization has reached the maximum limit of users. Seat pool \
             'agent': 25 of 25 in use (23 active, 2 invited). Deactivate a user, cancel an \
             invitation or add seats, then retry. No existing user was changed."
        );
    }
}
