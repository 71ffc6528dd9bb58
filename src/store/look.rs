//! Look-ups on their way to the lanes that answer them, and back. What must never wait behind a long
//! read goes the same way.

use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use crate::store::Error;
use crate::store::job::Job;
use crate::store::lookup::{Ask, Found};

/// Look-ups that share a statement or a snapshot at most.
pub(super) const SHARE: usize = 64;

/// What waits for a lane.
pub(super) enum Message {
    /// A look-up.
    Look(Look),
    /// A single statement that finds what it wants by a key.
    Job(Box<dyn Job>),
    /// Nothing comes after this.
    Close,
}

/// A look-up and the place for its answer.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) ask: Ask,
    /// When it was asked.
    pub(super) since: Instant,
    answer: oneshot::Sender<Result<Vec<Found>, Error>>,
}

impl Look {
    pub(super) fn new(ask: Ask) -> (Self, oneshot::Receiver<Result<Vec<Found>, Error>>) {
        let (answer, answered) = oneshot::channel();
        (Self { ask, since: Instant::now(), answer }, answered)
    }

    pub(super) fn finish(self, found: Result<Vec<Found>, Error>) {
        // Whoever asked may have gone.
        let _ = self.answer.send(found);
    }
}

/// What a lane took from the queue at once.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) looks: Vec<Look>,
    pub(super) jobs: Vec<Box<dyn Job>>,
}

impl Taken {
    /// What somebody still waits for among these messages; closes the queue when that is asked, so
    /// that what waits is still answered.
    pub(super) fn of(messages: &mut Vec<Message>, queue: &mut mpsc::Receiver<Message>) -> Self {
        let mut taken = Self::default();
        for message in messages.drain(..) {
            match message {
                Message::Look(look) if !look.answer.is_closed() => taken.looks.push(look),
                Message::Job(job) if job.wanted() => taken.jobs.push(job),
                Message::Look(_) | Message::Job(_) => {}
                Message::Close => queue.close(),
            }
        }
        taken
    }

    pub(super) fn is_empty(&self) -> bool {
        self.looks.is_empty() && self.jobs.is_empty()
    }
}
