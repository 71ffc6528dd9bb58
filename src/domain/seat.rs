//! Who holds a seat of which pool: one acquire and one release for every door.

use crate::clock::Micros;
use crate::domain::facts::{Hold, Reason, Seat};
use crate::domain::pool::{Admission, Full, Policy, Pool, Taken};

/// What a user needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// No seat, and why.
    Nothing(Option<Reason>),
    /// No seat, since the role needs none or an administrator said so.
    Spared {
        /// Whether the role is the reason.
        by_role: bool,
    },
    /// No seat, and what is held is kept all the same: the person was suspended beyond what the brake
    /// lets pass.
    Held,
    /// A seat of this pool.
    Seat {
        /// The pool's value.
        pool: String,
        /// What is to be held.
        hold: Hold,
    },
}

/// A change of a pool's counters, or of its line. Whoever is asked for in `Leave` and `Wait` is the
/// user whose seat it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// One seat less is free.
    Take(String, Hold),
    /// One seat more is free.
    Give(String, Hold),
    /// The last one in the line.
    Wait(String),
    /// Out of the line.
    Leave(String),
}

/// What becomes of somebody who finds the pool full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manners {
    /// As the pool's policy says. Whoever holds a seat, waits for one or needed none keeps what there
    /// is and waits: rights change at once, and taking away never fails.
    Policy,
    /// Waits, whatever the policy says: membership of a group is stored for all or for none.
    Patient,
    /// Refused, also somebody who holds a seat of another pool, unless the policy lets everybody wait.
    Strict,
}

/// A pool, how full it is, and when.
#[derive(Debug, Clone, Copy)]
pub struct Room<'p> {
    /// The pool that is needed.
    pub pool: &'p Pool,
    /// Its counters, read in the transaction that changes them.
    pub taken: Taken,
    /// Now.
    pub now: Micros,
}

impl Room<'_> {
    /// Whether somebody who comes now gets a seat: whoever waits comes first, also where there is room
    /// that nobody has been told of.
    fn admits(&self) -> Admission {
        let promised = self.taken.consumed.saturating_add(self.taken.waiting);
        self.pool.admits(Taken { consumed: promised, ..self.taken }, self.now)
    }
}

/// Whether the counters of the needed pool matter: a seat that is held already is kept without them.
pub fn asks_for_room(seat: &Seat, need: &Need) -> bool {
    match need {
        Need::Nothing(_) | Need::Spared { .. } | Need::Held => false,
        Need::Seat { pool, .. } => {
            seat.pool() != Some(pool) && seat.requested.as_deref() != Some(pool)
        }
    }
}

/// The seat after a change, and what the change does to pools. `room` is that of the needed pool.
///
/// Taking away never fails. Somebody who holds a seat of another pool keeps it until there is room.
pub fn settle(
    seat: &Seat,
    need: &Need,
    room: Option<Room<'_>>,
    manners: Manners,
) -> Result<(Seat, Vec<Step>), Full> {
    let (pool, hold) = match need {
        Need::Nothing(reason) => {
            let rest = Seat { reason: *reason, exempt: seat.exempt, ..Seat::default() };
            return Ok((rest, all_back(seat)));
        }
        Need::Spared { by_role } => {
            let reason = by_role.then_some(Reason::ExemptRole);
            let rest = Seat { reason, spared: true, exempt: seat.exempt, ..Seat::default() };
            return Ok((rest, all_back(seat)));
        }
        Need::Held => return Ok(held_back(seat)),
        Need::Seat { pool, hold } => (pool, *hold),
    };
    if seat.pool() == Some(pool) {
        return Ok(kept(seat, hold));
    }
    if seat.requested.as_ref() == Some(pool) {
        return Ok(held_as(seat, hold));
    }
    let Some(room) = room else { return Ok(held_as(seat, hold)) };
    let admission = room.admits();
    if admission != Admission::Full {
        let mut steps = all_back(seat);
        steps.push(Step::Take(pool.clone(), hold));
        return Ok((seated(seat, &room, hold, admission), steps));
    }
    let had = seat.held.is_some() || seat.requested.is_some() || seat.spared;
    let waits = match manners {
        Manners::Patient => true,
        Manners::Policy => had || room.pool.overage_policy == Policy::Waitlist,
        Manners::Strict => room.pool.overage_policy == Policy::Waitlist,
    };
    if !waits {
        return Err(Full::of(room.pool, room.taken));
    }
    let (seat, mut steps) = held_as(seat, hold);
    steps.extend(seat.requested.iter().cloned().map(Step::Leave));
    steps.push(Step::Wait(pool.clone()));
    let reason = if seat.held.is_some() { Reason::Moving } else { Reason::PoolFull };
    let waiting = Seat {
        reason: Some(reason),
        requested: Some(pool.clone()),
        waiting_since: Some(room.now),
        spared: false,
        ..seat
    };
    Ok((waiting, steps))
}

/// The seat of somebody who waited and whose turn it is.
pub fn grant(seat: &Seat, room: Room<'_>, hold: Hold) -> (Seat, Vec<Step>) {
    let mut steps = all_back(seat);
    steps.push(Step::Take(room.pool.value.clone(), hold));
    let admission = room.pool.admits(room.taken, room.now);
    (seated(seat, &room, hold, admission), steps)
}

/// The seat of somebody who waits for one of another pool and is given one of this pool meanwhile: the
/// wait goes on.
pub fn lend(seat: &Seat, room: Room<'_>, hold: Hold) -> (Seat, Vec<Step>) {
    let give = seat.held.iter().map(|(pool, hold)| Step::Give(pool.clone(), *hold));
    let steps = give.chain([Step::Take(room.pool.value.clone(), hold)]).collect();
    let admission = room.pool.admits(room.taken, room.now);
    let lent = Seat {
        reason: Some(Reason::Moving),
        requested: seat.requested.clone(),
        waiting_since: seat.waiting_since,
        ..seated(seat, &room, hold, admission)
    };
    (lent, steps)
}

fn seated(seat: &Seat, room: &Room<'_>, hold: Hold, admission: Admission) -> Seat {
    let reason = match (admission, hold) {
        (Admission::Overage, _) => Reason::Overage,
        (Admission::Seat | Admission::Full, Hold::Consumed) => Reason::Active,
        (Admission::Seat | Admission::Full, Hold::Reserved) => Reason::Invited,
    };
    Seat {
        held: Some((room.pool.value.clone(), hold)),
        display: Some(room.pool.label().to_owned()),
        reason: Some(reason),
        since: Some(room.now),
        exempt: seat.exempt,
        ..Seat::default()
    }
}

/// The seat that is held, if any, by somebody who can sign in, or cannot yet.
fn held_as(seat: &Seat, hold: Hold) -> (Seat, Vec<Step>) {
    let Some((pool, was)) = seat.held.as_ref().filter(|(_, was)| *was != hold) else {
        return (seat.clone(), Vec::new());
    };
    let steps = vec![Step::Give(pool.clone(), *was), Step::Take(pool.clone(), hold)];
    (Seat { held: Some((pool.clone(), hold)), ..seat.clone() }, steps)
}

/// The seat of the right pool, held as it is to be held.
fn kept(seat: &Seat, hold: Hold) -> (Seat, Vec<Step>) {
    let mut steps: Vec<Step> = seat.requested.iter().cloned().map(Step::Leave).collect();
    let (seat, more) = held_as(seat, hold);
    steps.extend(more);
    let reason = match (seat.reason, hold) {
        (Some(Reason::Overage), _) => Reason::Overage,
        (_, Hold::Consumed) => Reason::Active,
        (_, Hold::Reserved) => Reason::Invited,
    };
    let kept = Seat { reason: Some(reason), requested: None, waiting_since: None, ..seat };
    (kept, steps)
}

/// The seat of somebody who needs none and may have it back; a place in a line is not kept.
fn held_back(seat: &Seat) -> (Seat, Vec<Step>) {
    let leave = seat.requested.iter().cloned().map(Step::Leave).collect();
    let kept = Seat {
        reason: Some(Reason::Held),
        requested: None,
        waiting_since: None,
        spared: false,
        ..seat.clone()
    };
    (kept, leave)
}

fn all_back(seat: &Seat) -> Vec<Step> {
    let leave = seat.requested.iter().cloned().map(Step::Leave);
    let give = seat.held.iter().map(|(pool, hold)| Step::Give(pool.clone(), *hold));
    leave.chain(give).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(9_000_000);

    fn pool(value: &str, policy: Policy) -> Pool {
        Pool { value: value.into(), total: Some(1), overage_policy: policy, ..Pool::default() }
    }

    fn room(pool: &Pool, consumed: i64) -> Room<'_> {
        Room { pool, taken: Taken { consumed, ..Taken::default() }, now: NOW }
    }

    fn need(pool: &str) -> Need {
        Need::Seat { pool: pool.into(), hold: Hold::Consumed }
    }

    fn holding(value: &str) -> Seat {
        let one = pool(value, Policy::Reject);
        settle(&Seat::default(), &need(value), Some(room(&one, 0)), Manners::Policy).unwrap().0
    }

    #[test]
    fn a_free_seat_is_taken_and_given_back() {
        let a = pool("a", Policy::Reject);
        let (seat, steps) =
            settle(&Seat::default(), &need("a"), Some(room(&a, 0)), Manners::Policy).unwrap();
        assert_eq!(steps, [Step::Take("a".into(), Hold::Consumed)]);
        assert_eq!(
            (seat.state(), seat.reason, seat.since),
            ("consumed", Some(Reason::Active), Some(NOW))
        );
        let off = Need::Nothing(Some(Reason::Suspended));
        let (seat, steps) = settle(&seat, &off, None, Manners::Policy).unwrap();
        assert_eq!(steps, [Step::Give("a".into(), Hold::Consumed)]);
        assert_eq!((seat.state(), seat.since), ("none", None));
    }

    #[test]
    fn a_full_pool_refuses_or_lets_wait_as_its_policy_says() {
        let a = pool("a", Policy::Reject);
        let refused = settle(&Seat::default(), &need("a"), Some(room(&a, 1)), Manners::Policy);
        assert_eq!(refused.unwrap_err().pool, "a");
        let line = pool("a", Policy::Waitlist);
        for (pool, manners) in [(&line, Manners::Policy), (&a, Manners::Patient)] {
            let (seat, steps) =
                settle(&Seat::default(), &need("a"), Some(room(pool, 1)), manners).unwrap();
            assert_eq!(steps, [Step::Wait("a".into())]);
            assert_eq!((seat.state(), seat.reason), ("waiting", Some(Reason::PoolFull)));
            // Whoever waits already waits on, at the same place.
            let again = settle(&seat, &need("a"), None, Manners::Policy).unwrap();
            assert_eq!(again, (seat, Vec::new()));
        }
    }

    #[test]
    fn a_seat_that_is_held_is_kept_in_a_full_pool() {
        let seat = holding("a");
        assert!(!asks_for_room(&seat, &need("a")));
        let (same, steps) = settle(&seat, &need("a"), None, Manners::Policy).unwrap();
        assert_eq!((same, steps), (seat.clone(), Vec::new()));
        let reserved = Need::Seat { pool: "a".into(), hold: Hold::Reserved };
        let (seat, steps) = settle(&seat, &reserved, None, Manners::Policy).unwrap();
        assert_eq!(steps.len(), 2, "one more reserved, one fewer consumed");
        assert_eq!(seat.state(), "reserved");
    }

    #[test]
    fn a_move_takes_there_and_gives_here_or_waits_with_the_old_seat() {
        let b = pool("b", Policy::Reject);
        let (seat, steps) =
            settle(&holding("a"), &need("b"), Some(room(&b, 0)), Manners::Policy).unwrap();
        assert_eq!(
            steps,
            [Step::Give("a".into(), Hold::Consumed), Step::Take("b".into(), Hold::Consumed)]
        );
        assert_eq!(seat.pool(), Some("b"));

        let (seat, steps) =
            settle(&holding("a"), &need("b"), Some(room(&b, 1)), Manners::Policy).unwrap();
        assert_eq!(steps, [Step::Wait("b".into())]);
        assert_eq!((seat.pool(), seat.reason), (Some("a"), Some(Reason::Moving)));
        assert_eq!(seat.requested.as_deref(), Some("b"));
        // Back again: out of the line.
        let (back, steps) = settle(&seat, &need("a"), None, Manners::Policy).unwrap();
        assert_eq!(steps, [Step::Leave("b".into())]);
        assert_eq!((back.reason, back.requested), (Some(Reason::Active), None));
        // Its turn: the old seat is free.
        let (granted, steps) = grant(&seat, room(&b, 0), Hold::Consumed);
        assert_eq!(
            steps,
            [
                Step::Leave("b".into()),
                Step::Give("a".into(), Hold::Consumed),
                Step::Take("b".into(), Hold::Consumed)
            ]
        );
        assert_eq!((granted.pool(), &granted.requested), (Some("b"), &None));
    }

    #[test]
    fn a_seat_that_is_lent_ends_no_wait() {
        let waits = Seat {
            requested: Some("a".into()),
            waiting_since: Some(Micros(1)),
            reason: Some(Reason::PoolFull),
            ..Seat::default()
        };
        let (b, c) = (pool("b", Policy::Reject), pool("c", Policy::Reject));
        let (lent, steps) = lend(&waits, room(&b, 0), Hold::Consumed);
        assert_eq!(steps, [Step::Take("b".into(), Hold::Consumed)]);
        assert_eq!(
            (lent.state(), lent.pool(), lent.reason),
            ("consumed", Some("b"), Some(Reason::Moving))
        );
        assert_eq!((lent.requested.as_deref(), lent.waiting_since), (Some("a"), Some(Micros(1))));
        let (_, steps) = lend(&lent, room(&c, 0), Hold::Consumed);
        assert_eq!(
            steps,
            [Step::Give("b".into(), Hold::Consumed), Step::Take("c".into(), Hold::Consumed)]
        );
        // What is wanted stays the same: the seat is kept and the wait goes on.
        assert_eq!(settle(&lent, &need("a"), None, Manners::Policy).unwrap(), (lent, Vec::new()));
    }

    #[test]
    fn what_is_held_for_somebody_is_had_again_in_a_full_pool() {
        let seat = Seat { requested: Some("b".into()), ..holding("a") };
        let (held, steps) = settle(&seat, &Need::Held, None, Manners::Policy).unwrap();
        assert_eq!(steps, [Step::Leave("b".into())]);
        assert_eq!((held.pool(), held.state()), (Some("a"), "consumed"));
        assert_eq!((held.reason, &held.requested), (Some(Reason::Held), &None));
        let again = settle(&held, &Need::Held, None, Manners::Policy).unwrap();
        assert_eq!(again, (held.clone(), Vec::new()));
        let (back, steps) = settle(&held, &need("a"), None, Manners::Policy).unwrap();
        assert_eq!((back, steps), (holding("a"), Vec::new()));
        let off = Need::Nothing(Some(Reason::Suspended));
        let (none, steps) = settle(&held, &off, None, Manners::Policy).unwrap();
        assert_eq!(steps, [Step::Give("a".into(), Hold::Consumed)]);
        assert_eq!((none.state(), none.reason), ("none", Some(Reason::Suspended)));
    }

    #[test]
    fn whoever_needs_none_gives_all_back() {
        let seat = Seat { requested: Some("b".into()), ..holding("a") };
        let spared = Need::Spared { by_role: true };
        let (rest, steps) = settle(&seat, &spared, None, Manners::Policy).unwrap();
        assert_eq!(steps, [Step::Leave("b".into()), Step::Give("a".into(), Hold::Consumed)]);
        assert_eq!((rest.state(), rest.reason), ("exempt", Some(Reason::ExemptRole)));
    }
}
