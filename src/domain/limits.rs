//! How often somebody may try: pure arithmetic on moments, so that what is kept of each is a number or
//! two.

use crate::clock::Micros;

const SECOND: i64 = 1_000_000;

/// A number of tries that comes back with time (GCRA).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Tries at once.
    pub most: i64,
    /// Seconds after which one more is there.
    pub every: i64,
}

/// What is spent of a budget: the moment at which all of it is back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent(i64);

impl Budget {
    /// Takes one; otherwise the seconds after which there is one.
    pub fn take(self, spent: &mut Spent, now: Micros) -> Result<(), i64> {
        let step = self.every * SECOND;
        let next = spent.0.max(now.0) + step;
        let over = next - now.0 - self.most * step;
        if over > 0 {
            return Err(seconds(over));
        }
        spent.0 = next;
        Ok(())
    }

    /// Gives one back.
    pub fn give_back(self, spent: &mut Spent) {
        spent.0 -= self.every * SECOND;
    }
}

/// Tries that failed one after the other: after some that are free each has to wait twice as long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Streak {
    failures: u32,
    last: i64,
}

/// Failures without a delay; as many as people need who mistype.
const FREE: u32 = 5;
/// The longest delay, in seconds.
const LONGEST: i64 = 900;

impl Streak {
    /// Begins a try, which counts as failed until it is told otherwise; else the seconds to wait.
    pub fn begin(&mut self, now: Micros) -> Result<(), i64> {
        let left = self.last + self.delay() * SECOND - now.0;
        if left > 0 {
            return Err(seconds(left));
        }
        self.failures = self.failures.saturating_add(1);
        self.last = now.0;
        Ok(())
    }

    /// The try that was begun was none.
    pub fn give_back(&mut self) {
        self.failures = self.failures.saturating_sub(1);
    }

    fn delay(self) -> i64 {
        match self.failures.checked_sub(FREE) {
            None => 0,
            Some(beyond) => 2_i64.saturating_pow(beyond.min(32)).min(LONGEST),
        }
    }
}

/// Whole seconds, rounded up.
fn seconds(micros: i64) -> i64 {
    (micros + SECOND - 1) / SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_and_comes_back() {
        let budget = Budget { most: 3, every: 10 };
        let (mut spent, now) = (Spent::default(), Micros(7_000_000_000));
        for _ in 0..3 {
            assert_eq!(budget.take(&mut spent, now), Ok(()));
        }
        assert_eq!(budget.take(&mut spent, now), Err(10));
        assert_eq!(budget.take(&mut spent, now.plus_seconds(9)), Err(1));
        assert_eq!(budget.take(&mut spent, now.plus_seconds(10)), Ok(()));
        assert_eq!(budget.take(&mut spent, now.plus_seconds(10)), Err(10));
        budget.give_back(&mut spent);
        assert_eq!(budget.take(&mut spent, now.plus_seconds(10)), Ok(()));
        for _ in 0..3 {
            assert_eq!(budget.take(&mut spent, now.plus_seconds(1_000)), Ok(()));
        }
        assert!(budget.take(&mut spent, now.plus_seconds(1_000)).is_err(), "no more than it holds");
    }

    #[test]
    fn delays_grow_up_to_a_quarter_of_an_hour() {
        let (mut streak, mut now) = (Streak::default(), Micros(0));
        for _ in 0..5 {
            assert_eq!(streak.begin(now), Ok(()));
        }
        for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            assert_eq!(streak.begin(now), Err(expected));
            now = now.plus_seconds(expected);
            assert_eq!(streak.begin(now), Ok(()));
        }
    }
}
