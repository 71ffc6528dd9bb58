//! Creates that take a seat of a limited pool, beside creates where seats have no limit.

use crate::drive;
use crate::figures::Figures;
use crate::measure::Bench;
use crate::site::Site;
use crate::specs::{SEATS_COST, thousands};
use crate::table::Row;
use crate::workload::{BULK, bulk_by, create_by};

/// Seats of the pool.
const SEATS: usize = 1_000_000;

impl Bench<'_> {
    /// The same creates in two tenants of the smallest database, in turn.
    pub(crate) async fn licensed_creates(&mut self) {
        let site = &self.sites[0];
        let free = site.tenant("free", &[]);
        let limited = site.tenant("limited", &["--seats", &SEATS.to_string()]);
        for lanes in [16, 64] {
            let mut figures = [Vec::new(), Vec::new()];
            // One round tells little about a ratio near one.
            for _ in 0..self.plan.rounds.max(3) {
                for (token, figures) in [&free, &limited].into_iter().zip(&mut figures) {
                    figures.push(self.creates(&self.sites[0], lanes, token).await);
                }
            }
            let [without, with] = figures.map(|rounds| Figures::median(&rounds));
            self.told("create, seats without a limit", lanes, without, None);
            let name = format!("create, {} seats", thousands(SEATS));
            self.told(&name, lanes, with, Some(without.rate));
        }
        let site = &self.sites[0];
        let write = |_, out: &mut Vec<u8>| bulk_by(out, site, &limited, BULK);
        let figures = drive::closed(&site.process, 1, self.plan.time, write).await.times(BULK);
        let name = format!("seats taken by Bulk of {}, of {}", thousands(BULK), thousands(SEATS));
        self.told(&name, 1, figures, None);
    }

    async fn creates(&self, site: &Site, lanes: usize, token: &str) -> Figures {
        let write = |_, out: &mut Vec<u8>| create_by(out, site, token);
        drive::closed(&site.process, lanes, self.plan.warm_up(), write).await;
        drive::calmest(async || drive::closed(&site.process, lanes, self.plan.time, write).await)
            .await
    }

    fn told(&mut self, name: &str, lanes: usize, figures: Figures, limit: Option<f64>) {
        let met = limit.is_some_and(|limit| limit / figures.rate <= SEATS_COST);
        let target = limit.map(|_| (format!("cost ≤ {SEATS_COST} ×"), met));
        let (users, lanes) = (Some(self.sites[0].size()), Some(lanes));
        let row = self.row(name, figures);
        self.table.add(Row { users, lanes, limit, target, ..row });
    }
}
