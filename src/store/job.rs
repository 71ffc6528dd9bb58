//! A closure on its way to a connection, and its answer on the way back.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use tokio::sync::oneshot;

use crate::store::piece::{Came, Piece};
use crate::store::{Error, Tx};

/// An error that can say whether the store was its cause, so that a change is repeated when it helps.
pub trait Failure: From<Error> + Send + 'static {
    /// The store's error inside, if there is one.
    fn store(&self) -> Option<&Error>;
}

impl Failure for Error {
    fn store(&self) -> Option<&Error> {
        Some(self)
    }
}

/// What waits in a queue.
pub(super) enum Message {
    /// Something to run.
    Job(Box<dyn Job>),
    /// Nothing comes after this.
    Close,
}

/// What shall become of the statements of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Commit them.
    Keep,
    /// Undo them: the closure refused.
    Undo,
    /// Undo them and try again.
    Again,
}

pub(super) type Attempt<'a> = Pin<Box<dyn Future<Output = Verdict> + 'a>>;

/// A closure with the place for its answer.
pub(super) trait Job: Send {
    /// Runs the closure once and keeps its result until [`Job::finish`].
    fn attempt<'a>(&'a mut self, tx: &'a mut Tx<'_>) -> Attempt<'a>;
    /// The change as data, where it is some: several of a sort can go as one statement instead of
    /// one attempt each.
    fn piece(&self) -> Option<Piece<'_>> {
        None
    }
    /// Keeps what came of the piece until [`Job::finish`].
    fn came(&mut self, _: Came) {}
    /// Whether somebody still waits for the answer.
    fn wanted(&self) -> bool;
    /// When it was asked.
    fn since(&self) -> Instant;
    /// Whether it takes long, so that others shall not wait for its end to be answered.
    fn is_long(&self) -> bool {
        false
    }
    /// Answers: with the closure's result, or with this error instead.
    fn finish(self: Box<Self>, outcome: Result<(), Error>);
}

/// Polls an attempt once, which finishes it on a connection that never waits.
pub(super) fn at_once(job: &mut dyn Job, tx: &mut Tx<'_>) -> Result<Verdict, Error> {
    let poll = || job.attempt(tx).as_mut().poll(&mut Context::from_waker(Waker::noop()));
    match std::panic::catch_unwind(AssertUnwindSafe(poll)) {
        Ok(Poll::Ready(verdict)) => Ok(verdict),
        Ok(Poll::Pending) => Err(waited()),
        Err(_) => Err(panicked()),
    }
}

/// The answer to a change that awaits something else than its transaction.
pub(super) fn waited() -> Error {
    Error::Database("a change may wait for nothing but its transaction".to_owned())
}

/// The answer to a change that panicked.
pub(super) fn panicked() -> Error {
    Error::Database("the change panicked".to_owned())
}

/// The place for an answer.
pub(super) struct Answer<T, E> {
    to: oneshot::Sender<Result<T, E>>,
    result: Option<Result<T, E>>,
    since: Instant,
}

impl<T, E: Failure> Answer<T, E> {
    pub(super) fn new(to: oneshot::Sender<Result<T, E>>) -> Self {
        Self { to, result: None, since: Instant::now() }
    }

    pub(super) fn keep(&mut self, result: Result<T, E>) -> Verdict {
        let verdict = match &result {
            Ok(_) => Verdict::Keep,
            Err(error) if matches!(error.store(), Some(Error::Again(_))) => Verdict::Again,
            Err(_) => Verdict::Undo,
        };
        self.result = Some(result);
        verdict
    }

    pub(super) fn wanted(&self) -> bool {
        !self.to.is_closed()
    }

    pub(super) fn since(&self) -> Instant {
        self.since
    }

    pub(super) fn send(self, outcome: Result<(), Error>) {
        let result = match (outcome, self.result) {
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(Error::Database("nothing was run".to_owned()).into()),
            (Err(error), _) => Err(error.into()),
        };
        // Whoever asked may have gone.
        let _ = self.to.send(result);
    }
}

/// A closure that may be run again.
pub(super) struct Closure<F, T, E> {
    change: F,
    answer: Answer<T, E>,
    long: bool,
}

impl<F, T, E: Failure> Closure<F, T, E> {
    pub(super) fn new(change: F, to: oneshot::Sender<Result<T, E>>) -> Self {
        Self { change, answer: Answer::new(to), long: false }
    }

    /// The same, known to take long.
    pub(super) fn long(self) -> Self {
        Self { long: true, ..self }
    }
}

impl<F, T, E> Job for Closure<F, T, E>
where
    T: Send + 'static,
    E: Failure,
    F: AsyncFn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
{
    fn attempt<'a>(&'a mut self, tx: &'a mut Tx<'_>) -> Attempt<'a> {
        Box::pin(async move {
            let result = (self.change)(tx).await;
            self.answer.keep(result)
        })
    }

    fn wanted(&self) -> bool {
        self.answer.wanted()
    }

    fn since(&self) -> Instant {
        self.answer.since()
    }

    fn is_long(&self) -> bool {
        self.long
    }

    fn finish(self: Box<Self>, outcome: Result<(), Error>) {
        self.answer.send(outcome);
    }
}
