//! What has to be done as time passes: old lines of the record and old mails go, whoever waits for a pool
//! that opens gets a seat, what the brake held long enough is finished, invitations end, and administrators
//! are told of what they should know.

use std::time::Duration;

use crate::app::tenants::Tenant;
use crate::app::work::Work;
use crate::app::{App, Error};
use crate::store::{Tx, outbox, records, seats};

/// How often it is looked after.
const EVERY: Duration = Duration::from_secs(30);
/// Every so many times, old lines are looked for.
const RARELY: u32 = 120;
/// Lines that go at once.
const PIECE: i64 = 1_000;
const DAY: i64 = 86_400;

impl App {
    /// Looks after it for as long as the program runs.
    pub fn start_keeping(&self) {
        let app = self.clone();
        self.worker().start(async move {
            for turn in 0_u32.. {
                let forgets = turn.is_multiple_of(RARELY);
                let all = [
                    app.end_holds().await,
                    app.expire_invitations().await.map(drop),
                    app.seat_all_waiters().await,
                    app.tell_administrators().await,
                    app.forget_records(forgets).await,
                    app.forget_ended(forgets).await,
                ];
                for done in all {
                    if let Err(error) = done {
                        tracing::warn!(%error, "what has to be done as time passes was not done");
                    }
                }
                tokio::time::sleep(EVERY).await;
            }
        });
    }

    /// Seats whoever waits where there is room: a pool may open, or its seats may come back, by time
    /// alone.
    pub async fn seat_all_waiters(&self) -> Result<(), Error> {
        let lines = self.store().read(async |tx: &mut Tx<'_>| seats::lines(tx).await).await?;
        if lines.is_empty() {
            return Ok(());
        }
        let tenants = self.tenants().await?;
        for (tenant, pool) in lines {
            let Some(found) = tenants.iter().find(|found| found.id == tenant) else { continue };
            let ctx = self.operator(&found.name).await?;
            let work = Work::new(self, &ctx, self.users()?);
            let seated =
                async move |tx: &mut Tx<'_>| work.seat_waiters(tx, vec![pool.clone()]).await;
            self.store().write(&tenant, seated).await?;
        }
        Ok(())
    }

    /// Forgets sessions and links that ended by time: they let nobody in for as long as they are there.
    async fn forget_ended(&self, forgets: bool) -> Result<(), Error> {
        if forgets {
            self.forget_sessions().await?;
            self.forget_links().await?;
        }
        Ok(())
    }

    /// Forgets lines of the record, and mails that went, that are older than their tenant keeps them,
    /// little by little.
    pub async fn forget_records(&self, forgets: bool) -> Result<(), Error> {
        let tenants = if forgets { self.tenants().await? } else { Vec::new() };
        for Tenant { id, settings, .. } in tenants {
            let before = self.clock().now().plus_seconds(-settings.retention_days * DAY);
            loop {
                let tenant = id.clone();
                let forget = async move |tx: &mut Tx<'_>| {
                    let lines = records::forget(tx, &tenant, before, PIECE).await?;
                    Ok::<_, Error>(lines + outbox::forget(tx, &tenant, before, PIECE).await?)
                };
                if self.store().write(&id, forget).await? == 0 {
                    break;
                }
            }
        }
        Ok(())
    }
}
