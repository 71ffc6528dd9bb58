//! What the tasks that send mail share: who wakes them, and whose turn it is at the last step.

use tokio::sync::{Mutex, MutexGuard, Notify};

use crate::clock::Micros;
use crate::ids::RequestId;

/// Where letters go out.
#[derive(Debug)]
pub(crate) struct Office {
    /// This process, in the leases of letters.
    owner: String,
    bell: Notify,
    last_step: Mutex<()>,
}

impl Office {
    /// The office of a process that begins at this moment.
    pub(crate) fn new(now: Micros) -> Self {
        Self {
            owner: RequestId::new(now).to_string(),
            bell: Notify::new(),
            last_step: Mutex::new(()),
        }
    }

    /// This process, in the leases of letters.
    pub(super) fn owner(&self) -> &str {
        &self.owner
    }

    /// Says that a letter was written, or will be once the transaction at hand is committed.
    pub(super) fn wake(&self) {
        self.bell.notify_one();
    }

    /// Resolves when a letter was written.
    pub(super) async fn woken(&self) {
        self.bell.notified().await;
    }

    /// Waits until this process hands over no other mail.
    pub(super) async fn last_step(&self) -> MutexGuard<'_, ()> {
        self.last_step.lock().await
    }
}
