//! Single changes while a large Bulk request runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::client::Connection;
use crate::drive;
use crate::figures::Figures;
use crate::measure::Bench;
use crate::pages;
use crate::site::Site;
use crate::specs::{BESIDE_BULK, thousands};
use crate::table::Row;
use crate::workload::{Workload, bulk};

impl Bench<'_> {
    /// Single changes, alone and beside a large Bulk request, in the largest database.
    pub(crate) async fn beside_bulk(&mut self) {
        let users = self.plan.large_bulk();
        let name = format!("PATCH `active`, beside a Bulk of {}", thousands(users));
        let Some(mut site) = self.sites.pop() else { return };
        if !pages::supports(&site, "/bulk/supported").await {
            return self.absent(&name);
        }
        let most = users.to_string();
        let more = ["--bulk-max-operations", &most, "--bulk-max-payload", "256MiB"];
        site.restart(&[&more[..], &["--request-timeout", "3600"]].concat()).await;
        let before = site.process.memory();
        let write = |ticket, out: &mut Vec<u8>| Workload::Patch.write(&site, ticket, out);
        let alone = drive::closed(&site.process, 1, self.plan.time, write).await;
        let (took, beside) = while_bulk(&site, users).await;
        let (there, lanes) = (Some(site.size()), Some(1));
        let row = self.row("PATCH `active`, alone", alone);
        self.table.add(Row { users: there, lanes, ..row });
        let (met, row) = (beside.p99 <= BESIDE_BULK * alone.p99, self.row(&name, beside));
        let target = Some((format!("p99 ≤ {BESIDE_BULK} × alone"), met));
        self.table.add(Row { users: there, lanes, target, ..row });
        let rate = users as f64 / took.as_secs_f64();
        let database = self.database.name();
        let workload = format!("Bulk of {} creates, in users", thousands(users));
        let result = format!("{}/s", thousands(rate as usize));
        self.table.add(Row { database, workload, users: there, result, ..Row::default() });
        let workload = format!("resident memory, Bulk of {}: before, most", thousands(users));
        let result = format!("{before:.0} MiB, {:.0} MiB", site.process.most_memory());
        self.table.add(Row { database, workload, users: there, result, ..Row::default() });
    }
}

/// How long the Bulk request took, and what came of the changes meanwhile.
async fn while_bulk(site: &Site, users: usize) -> (Duration, Figures) {
    let mut request = Vec::new();
    bulk(&mut request, site, users);
    let ended = Arc::new(AtomicBool::new(false));
    let (say, address) = (Arc::clone(&ended), site.process.address.clone());
    // A thread of its own, so that reading the long answer does not hold up the changes.
    let sender = std::thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_io().build().unwrap();
        let begun = Instant::now();
        let mut connection = runtime.block_on(Connection::open(&address));
        runtime.block_on(connection.exchange(&request)).expect_good();
        say.store(true, Ordering::Relaxed);
        begun.elapsed()
    });
    let write = |ticket, out: &mut Vec<u8>| Workload::Patch.write(site, ticket, out);
    // A sender that failed ends it too.
    let go_on = |_| !ended.load(Ordering::Relaxed) && !sender.is_finished();
    let figures = drive::closed_while(&site.process, 1, go_on, write).await;
    (sender.join().unwrap(), figures)
}
