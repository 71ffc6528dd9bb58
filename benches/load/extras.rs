//! What is not a rate: memory, start-up, tails, and pages by cursor.

use crate::drive;
use crate::figures::Figures;
use crate::measure::Bench;
use crate::pages;
use crate::specs::{Limit, PAGE_MS, START, Spec, TAIL};
use crate::table::Row;

impl Bench<'_> {
    /// Resident memory of each server as it is now.
    pub(crate) fn memory(&mut self, name: &str, most: f64) {
        for place in 0..self.sites.len() {
            let site = &self.sites[place];
            let mebibytes = site.process.memory();
            self.table.add(Row {
                database: self.database.name(),
                workload: name.to_owned(),
                users: Some(site.size()),
                result: format!("{mebibytes:.0} MiB"),
                target: Some((format!("≤ {most} MiB"), mebibytes <= most)),
                ..Row::default()
            });
        }
    }

    /// From starting the program to its first answer with data.
    pub(crate) async fn starts(&mut self) {
        for place in 0..self.sites.len() {
            let mut took = Vec::new();
            for _ in 0..self.plan.rounds {
                took.push(self.sites[place].restart(&[]).await);
            }
            took.sort_unstable();
            let seconds = took[took.len() / 2].as_secs_f64();
            self.table.add(Row {
                database: self.database.name(),
                workload: "start to first answer".to_owned(),
                users: Some(self.sites[place].size()),
                result: format!("{seconds:.3} s"),
                target: Some((format!("≤ {START} s"), seconds <= START)),
                ..Row::default()
            });
        }
    }

    /// The raw limit at half of its rate: what of the tail is the machine's and the asking program's.
    pub(crate) async fn raw_tail(&mut self, spec: &Spec, limit: Option<f64>) {
        let (Limit::Raw(workload), Some(limit)) = (spec.limit, limit) else { return };
        let write = |ticket, out: &mut Vec<u8>| workload.write(ticket, out);
        let mut rounds = Vec::new();
        for _ in 0..self.plan.rounds {
            let ask = async || drive::open(&self.raw, limit / 2.0, self.plan.time, write);
            rounds.push(drive::calmest(ask).await);
        }
        let name = format!("raw limit of {} at half its rate", spec.name);
        let row = self.row(&name, Figures::median(&rounds));
        self.table.add(Row { lanes: Some(spec.lanes), ..row });
    }

    /// The same workload at half of the rate that was just measured, whether it keeps up or not.
    pub(crate) async fn tails(&mut self, spec: &Spec, top: &[Figures]) {
        for (place, top) in top.iter().enumerate() {
            let site = &self.sites[place];
            let write = |ticket, out: &mut Vec<u8>| spec.workload.write(site, ticket, out);
            let mut rounds = Vec::new();
            for _ in 0..self.plan.rounds {
                let half = top.rate / 2.0;
                let ask = async || drive::open(&site.process, half, self.plan.time, write);
                rounds.push(drive::calmest(ask).await);
            }
            let figures = Figures::median(&rounds);
            let met = figures.p99 <= TAIL * figures.p50;
            let row = self.row(&format!("{} at half that rate", spec.name), figures);
            self.table.add(Row {
                users: Some(self.sites[place].size()),
                lanes: Some(spec.lanes),
                target: Some((format!("p99 ≤ {TAIL} × p50"), met)),
                ..row
            });
        }
    }

    /// Pages of 100 by cursor, alone.
    pub(crate) async fn cursor_pages(&mut self) {
        let name = "page of 100, cursor";
        if !pages::supports(&self.sites[0], "/pagination/cursor").await {
            return self.absent(name);
        }
        let mut figures = vec![Vec::new(); self.sites.len()];
        for _ in 0..self.plan.rounds {
            for (site, figures) in self.sites.iter().zip(&mut figures) {
                pages::walk(site, self.plan.warm_up()).await;
                let walk = async || pages::walk(site, self.plan.time).await;
                figures.push(drive::calmest(walk).await);
            }
        }
        for (place, rounds) in figures.iter().enumerate() {
            let figures = Figures::median(rounds);
            let row = self.row(name, figures);
            self.table.add(Row {
                users: Some(self.sites[place].size()),
                lanes: Some(1),
                target: Some((format!("p50 ≤ {PAGE_MS} ms"), figures.p50 <= PAGE_MS)),
                growth: self.first_page.filter(|_| place > 0).map(|first| figures.p50 / first),
                ..row
            });
        }
    }
}
