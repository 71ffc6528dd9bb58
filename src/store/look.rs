//! Look-ups on their way to the lanes that answer them, and back.

use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use crate::store::Error;
use crate::store::lookup::{Ask, Found};

/// Look-ups that share a statement or a snapshot at most.
pub(super) const SHARE: usize = 64;

/// What waits for a lane.
#[derive(Debug)]
pub(super) enum Message {
    /// A look-up.
    Look(Look),
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

/// The look-ups among these messages that somebody still waits for; closes the queue when that is
/// asked, so that what waits is still answered.
pub(super) fn looks(messages: &mut Vec<Message>, queue: &mut mpsc::Receiver<Message>) -> Vec<Look> {
    let mut looks = Vec::with_capacity(messages.len());
    for message in messages.drain(..) {
        match message {
            Message::Look(look) if !look.answer.is_closed() => looks.push(look),
            Message::Look(_) => {}
            Message::Close => queue.close(),
        }
    }
    looks
}
