//! The only place that starts tasks, but for one lane of the store: work that goes on beside the requests.

use std::future::Future;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Tasks that are told to stop, and waited for, when the program ends.
#[derive(Debug, Clone, Default)]
pub struct Worker {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Worker {
    /// Starts a task; it is dropped at its next wait once the program ends.
    pub fn start(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        let task = async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        };
        #[expect(clippy::disallowed_methods, reason = "this is the place")]
        tokio::spawn(self.tracker.track_future(task));
    }

    /// Starts a task that is not cut short: it ends by itself.
    pub fn start_whole(&self, task: impl Future<Output = ()> + Send + 'static) {
        #[expect(clippy::disallowed_methods, reason = "this is the place")]
        tokio::spawn(self.tracker.track_future(task));
    }

    /// Resolves when the program is about to end.
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// Whether the program is about to end.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Tells all tasks to stop and waits for them.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}
