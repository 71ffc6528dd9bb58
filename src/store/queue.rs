//! Changes that wait for a connection: a line for each tenant, served in turn.
//!
//! A tenant's line is served by one lane at a time, so that its changes share commits and never run
//! side by side; different tenants are served next to each other. Each line is bounded, so that a
//! flood of one tenant is refused and the others notice nothing.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::store::Error;
use crate::store::job::Job;

/// Whose line: the id of a tenant, or none for what belongs to no tenant.
pub(super) type Line = Option<String>;

/// How long after a short change its line counts as lively.
const LIVELY: Duration = Duration::from_secs(1);
/// Lines of which this is known, before those that went quiet are forgotten.
const LINES_NOTED: usize = 4096;

/// Changes of one tenant that will share a commit.
pub(super) struct Batch {
    pub(super) line: Line,
    pub(super) jobs: VecDeque<Box<dyn Job>>,
}

/// What came of waiting.
pub(super) enum Next {
    /// Work.
    Batches(Vec<Batch>),
    /// Nothing came in time.
    Idle,
    /// Nothing will come any more.
    Closed,
}

/// The lines.
pub(super) struct Queue {
    state: Mutex<State>,
    more: Condvar,
    most: usize,
}

#[derive(Default)]
struct State {
    lines: HashMap<Line, VecDeque<Box<dyn Job>>>,
    /// Lines that have work and no lane, in the order in which they are served.
    order: VecDeque<Line>,
    /// Lines that some lane is serving.
    served: HashSet<Line>,
    /// When a short change last came to a line.
    lively: HashMap<Line, Instant>,
    closed: bool,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("most", &self.most).finish_non_exhaustive()
    }
}

impl Queue {
    /// Lines in which at most so many changes wait.
    pub(super) fn new(most: usize) -> Self {
        Self { state: Mutex::default(), more: Condvar::new(), most }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a change at the end of its line.
    pub(super) fn push(&self, line: Line, job: Box<dyn Job>) -> Result<(), Error> {
        let mut state = self.state();
        if state.closed {
            return Err(Error::Unavailable("closed".to_owned()));
        }
        let waiting = state.lines.entry(line.clone()).or_default();
        if waiting.len() >= self.most {
            return Err(Error::Busy);
        }
        let is_long = job.is_long();
        waiting.push_back(job);
        let first = waiting.len() == 1;
        if !is_long {
            state.note(&line);
        }
        if first && !state.served.contains(&line) {
            state.order.push_back(line);
            self.more.notify_one();
        }
        Ok(())
    }

    /// The next line, with at most `most` of its changes. Its lane calls [`Queue::served`] after it.
    pub(super) fn next_line(&self, most: usize, patience: Option<Duration>) -> Next {
        let mut state = match self.wait(patience) {
            Ok(state) => state,
            Err(nothing) => return nothing,
        };
        let Some(batch) = state.take(most) else { return Next::Idle };
        state.served.insert(batch.line.clone());
        Next::Batches(vec![batch])
    }

    /// What waits in all lines, at most `most` changes, the lines taking turns; for a single lane.
    pub(super) fn next_lines(&self, most: usize) -> Next {
        let mut state = match self.wait(None) {
            Ok(state) => state,
            Err(nothing) => return nothing,
        };
        let share = (most / state.order.len().max(1)).max(1);
        let (mut batches, mut room) = (Vec::new(), most);
        for _ in 0..state.order.len() {
            let Some(batch) = state.take(share.min(room)) else { break };
            room -= batch.jobs.len();
            state.queue_again(&batch.line);
            batches.push(batch);
            if room == 0 {
                break;
            }
        }
        Next::Batches(batches)
    }

    /// Says that a line's lane is done with it.
    pub(super) fn served(&self, line: &Line) {
        let mut state = self.state();
        state.served.remove(line);
        state.queue_again(line);
        if !state.order.is_empty() {
            self.more.notify_one();
        }
    }

    /// Whether short changes come to this line these days.
    pub(super) fn is_lively(&self, line: &Line) -> bool {
        self.state().lively.get(line).is_some_and(|last| last.elapsed() < LIVELY)
    }

    /// Takes nothing more; what waits is still served.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.more.notify_all();
    }

    fn wait(&self, patience: Option<Duration>) -> Result<MutexGuard<'_, State>, Next> {
        let mut state = self.state();
        loop {
            if !state.order.is_empty() {
                return Ok(state);
            }
            // What is being served may leave more behind.
            if state.closed && state.served.is_empty() {
                self.more.notify_all();
                return Err(Next::Closed);
            }
            state = match patience {
                None => self.more.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let waited = self.more.wait_timeout(state, patience);
                    let (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                    if timeout.timed_out() && state.order.is_empty() {
                        return Err(Next::Idle);
                    }
                    state
                }
            };
        }
    }
}

impl State {
    fn note(&mut self, line: &Line) {
        if self.lively.len() > LINES_NOTED {
            self.lively.retain(|_, last| last.elapsed() < LIVELY);
        }
        match self.lively.get_mut(line) {
            Some(last) => *last = Instant::now(),
            None => drop(self.lively.insert(line.clone(), Instant::now())),
        }
    }

    /// The first line's changes, without those that nobody waits for any more.
    fn take(&mut self, most: usize) -> Option<Batch> {
        let line = self.order.pop_front()?;
        let waiting = self.lines.get_mut(&line)?;
        let count = waiting.len().min(most);
        let jobs = waiting.drain(..count).filter(|job| job.wanted()).collect();
        Some(Batch { line, jobs })
    }

    fn queue_again(&mut self, line: &Line) {
        match self.lines.get(line) {
            Some(waiting) if !waiting.is_empty() => self.order.push_back(line.clone()),
            // Lines of tenants that went quiet are not kept.
            Some(_) | None => drop(self.lines.remove(line)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Tx;
    use crate::store::job::Attempt;

    struct Named(u32);

    impl Job for Named {
        fn attempt<'a>(&'a mut self, _: &'a mut Tx<'_>) -> Attempt<'a> {
            unreachable!("only queued")
        }
        fn wanted(&self) -> bool {
            self.0 != 0
        }
        fn since(&self) -> Instant {
            Instant::now()
        }
        fn finish(self: Box<Self>, _: Result<(), Error>) {}
    }

    #[expect(clippy::unnecessary_wraps, reason = "a line is optional")]
    fn line(name: &str) -> Line {
        Some(name.to_owned())
    }

    fn a() -> Line {
        line("a")
    }

    fn shape(next: Next) -> Vec<(String, usize)> {
        match next {
            Next::Batches(batches) => batches
                .into_iter()
                .map(|batch| (batch.line.unwrap_or_default(), batch.jobs.len()))
                .collect(),
            Next::Idle => vec![("idle".to_owned(), 0)],
            Next::Closed => vec![("closed".to_owned(), 0)],
        }
    }

    const NOW: Option<Duration> = Some(Duration::ZERO);

    #[test]
    fn a_line_is_served_by_one_lane_at_a_time_and_others_beside_it() {
        let queue = Queue::new(10);
        for name in ["a", "a", "b"] {
            queue.push(line(name), Box::new(Named(1))).unwrap();
        }
        assert_eq!(shape(queue.next_line(1, NOW)), [("a".to_owned(), 1)]);
        assert_eq!(shape(queue.next_line(9, NOW)), [("b".to_owned(), 1)]);
        assert_eq!(shape(queue.next_line(9, NOW)), [("idle".to_owned(), 0)]);
        queue.served(&a());
        assert_eq!(shape(queue.next_line(9, NOW)), [("a".to_owned(), 1)]);
    }

    #[test]
    fn a_full_line_refuses_and_the_others_do_not() {
        let queue = Queue::new(2);
        for _ in 0..2 {
            queue.push(a(), Box::new(Named(1))).unwrap();
        }
        assert_eq!(queue.push(a(), Box::new(Named(1))), Err(Error::Busy));
        assert_eq!(queue.push(None, Box::new(Named(1))), Ok(()));
    }

    #[test]
    fn a_single_lane_takes_from_all_lines_in_turn() {
        let queue = Queue::new(100);
        for _ in 0..50 {
            queue.push(line("flood"), Box::new(Named(1))).unwrap();
        }
        queue.push(line("quiet"), Box::new(Named(1))).unwrap();
        let (flood, quiet) = (("flood".to_owned(), 5), ("quiet".to_owned(), 1));
        assert_eq!(shape(queue.next_lines(10)), [flood.clone(), quiet]);
        assert_eq!(shape(queue.next_lines(10)), [("flood".to_owned(), 10)]);
    }

    #[test]
    fn nobody_works_for_those_who_have_gone_and_what_waits_is_served_after_the_end() {
        let queue = Queue::new(10);
        for wanted in [0, 1, 0] {
            queue.push(a(), Box::new(Named(wanted))).unwrap();
        }
        queue.close();
        assert!(queue.push(a(), Box::new(Named(1))).is_err());
        assert_eq!(shape(queue.next_line(9, None)), [("a".to_owned(), 1)]);
        queue.served(&a());
        assert_eq!(shape(queue.next_line(9, None)), [("closed".to_owned(), 0)]);
    }
}
