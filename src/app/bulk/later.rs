//! Jobs that go on without their request: after a restart, on another instance, and their end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::jobs::{Errand, PAGE, owner};
use super::record::lease;
use crate::app::{App, Error};
use crate::store::Tx;
use crate::store::bulk::{self, Hold, Place};

/// How often an instance looks for jobs that nobody is at work on.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Asynchronous jobs that one instance works on side by side.
const SIDE_BY_SIDE: usize = 2;
/// How long a job is remembered after its end.
const REMEMBERED: i64 = 24 * 60 * 60;
/// Jobs that are looked at in one go.
const FEW: i64 = 16;

/// Room for asynchronous jobs on this instance.
#[derive(Debug, Clone)]
pub(in crate::app) struct Slots(pub(super) Arc<Semaphore>);

impl Default for Slots {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(SIDE_BY_SIDE)))
    }
}

impl App {
    /// Goes on with bulk jobs, and forgets old ones, for as long as the program runs.
    pub fn start_bulk(&self) {
        let app = self.clone();
        self.worker().start(async move {
            loop {
                for done in [app.take_up_bulk().await, app.forget_bulk().await] {
                    if let Err(error) = done {
                        tracing::warn!(%error, "bulk jobs were not looked after");
                    }
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
    }

    /// Goes on with jobs that nobody is at work on, as many as there is room for.
    pub async fn take_up_bulk(&self) -> Result<(), Error> {
        if self.is_leaving() || self.worker().is_stopping() {
            return Ok(());
        }
        let now = self.clock().now();
        let waiting = self
            .store()
            .read(async move |tx: &mut Tx<'_>| bulk::waiting(tx, now, FEW).await)
            .await?;
        for place in waiting {
            let Ok(room) = Arc::clone(&self.0.slots.0).try_acquire_owned() else { break };
            let app = self.clone();
            self.worker().start_whole(async move {
                if let Err(error) = app.go_on_with(place).await {
                    tracing::warn!(%error, "a bulk job stopped");
                }
                drop(room);
            });
        }
        Ok(())
    }

    async fn go_on_with(&self, place: Place) -> Result<(), Error> {
        let now = self.clock().now();
        let hold = Hold { place: place.clone(), owner: owner(now) };
        let (claimed, tenant) = (hold.clone(), place.tenant.clone());
        let job = self
            .store()
            .write_long(&tenant, async move |tx: &mut Tx<'_>| {
                if !bulk::claim(tx, &claimed, now, lease(now)).await? {
                    return Ok(None);
                }
                bulk::find(tx, &claimed.place).await
            })
            .await?;
        // Another instance was faster.
        let Some(job) = job else { return Ok(()) };
        let ctx = match self.caller(&job).await {
            Ok(ctx) => ctx,
            Err(error @ Error::Unauthorized(_)) => {
                self.stop_job(place).await?;
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        self.work_on(Errand { hold, ctx, request: None }).await
    }

    /// Forgets jobs whose time has come, little by little.
    pub async fn forget_bulk(&self) -> Result<(), Error> {
        let now = self.clock().now();
        let before = now.plus_seconds(-REMEMBERED);
        let old = self
            .store()
            .read(async move |tx: &mut Tx<'_>| bulk::old(tx, before, now, FEW).await)
            .await?;
        for place in old {
            let mut left = true;
            while left {
                let which = place.clone();
                let gone = self.store().write_apart(async move |tx: &mut Tx<'_>| {
                    let gone = bulk::forget_steps(tx, &which, PAGE).await?;
                    if gone == 0 {
                        bulk::forget(tx, &which).await?;
                    }
                    Ok::<_, Error>(gone)
                });
                left = gone.await? > 0;
            }
        }
        Ok(())
    }
}
