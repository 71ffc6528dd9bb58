//! Jobs that go on without their request: after a restart, on another instance, and their end.

use std::time::Duration;

use super::jobs::{Errand, owner};
use super::past::PAGE;
use super::record::lease;
use crate::app::{App, Error};
use crate::store::Tx;
use crate::store::bulk::{self, Hold, Place};

/// How often an instance looks for jobs that nobody is at work on.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long a job is remembered after its end.
const REMEMBERED: i64 = 24 * 60 * 60;
/// Jobs that are looked at in one go.
pub(super) const FEW: i64 = 16;

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
                // Or at once when there is room again.
                let _ = tokio::time::timeout(LOOK_EVERY, app.0.rooms.free.notified()).await;
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
        let later = &self.0.rooms.later;
        let (mut first, mut rest) = (Vec::new(), Vec::new());
        for place in waiting {
            match later.enter(&place.tenant, 1) {
                Some(room) => first.push((place, room)),
                None => rest.push(place),
            }
        }
        // Now everybody who waits has one, or there is no room left.
        let rest = rest.into_iter().map_while(|place| {
            let room = later.enter(&place.tenant, usize::MAX)?;
            Some((place, room))
        });
        for (place, room) in first.into_iter().chain(rest) {
            let app = self.clone();
            self.worker().start_whole(async move {
                let done = app.go_on_with(place).await;
                drop(room);
                match done {
                    Ok(()) => app.0.rooms.free.notify_one(),
                    // What could not even be claimed is not tried again at once.
                    Err(error) => tracing::warn!(%error, "a bulk job stopped"),
                }
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
            Err(error @ (Error::Unauthorized(_) | Error::Forbidden(_))) => {
                self.stop_job(place).await?;
                return Err(error);
            }
            Err(error) => {
                self.put_off(&hold, &error).await;
                return Err(error);
            }
        };
        self.work_on(Errand { hold, ctx, request: None }).await
    }

    /// Forgets jobs whose time has come, little by little.
    pub async fn forget_bulk(&self) -> Result<(), Error> {
        let now = self.clock().now();
        let before = now.plus_seconds(-REMEMBERED);
        loop {
            let old = self
                .store()
                .read(async move |tx: &mut Tx<'_>| bulk::old(tx, before, now, FEW).await)
                .await?;
            for place in &old {
                self.forget_job(place).await?;
            }
            if i64::try_from(old.len()).unwrap_or(FEW) < FEW {
                return Ok(());
            }
        }
    }

    /// Forgets a job: hidden first, so that nobody sees half of it.
    pub(super) async fn forget_job(&self, place: &Place) -> Result<(), Error> {
        let mut left = true;
        while left {
            let which = place.clone();
            let gone = self.store().write_apart(async move |tx: &mut Tx<'_>| {
                bulk::hide(tx, &which).await?;
                let gone = bulk::forget_steps(tx, &which, PAGE).await?;
                if gone == 0 {
                    bulk::forget(tx, &which).await?;
                }
                Ok::<_, Error>(gone)
            });
            left = gone.await? > 0;
        }
        Ok(())
    }
}
