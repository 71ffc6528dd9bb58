//! People who sign in and stay signed in, beside the cost of their passwords; and what that costs SCIM.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;

use crate::argon2;
use crate::client::Connection;
use crate::drive::{self, Watch};
use crate::figures::Figures;
use crate::measure::Bench;
use crate::people;
use crate::plan::Plan;
use crate::site::Site;
use crate::specs::{BESIDE_SIGN_INS, HASHES};
use crate::table::Row;
use crate::workload::{Workload, send};

/// The tenant of those who sign in.
const TENANT: &str = "people";
/// How many sign in at once, beside single changes.
const CROWD: usize = 50;

impl Bench<'_> {
    /// All of it, in the smallest database.
    pub(crate) async fn sign_ins(&mut self) {
        let site = &self.sites[0];
        make_people(site, &site.tenant(TENANT, &[])).await;
        let (mut bare, mut ins, mut again) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.plan.rounds {
            bare.push(drive::calmest(async || argon2::bare(self.plan.time)).await);
            let ask = async || drive::closed(&site.process, 16, self.plan.time, sign_in).await;
            ins.push(drive::calmest(ask).await);
        }
        let bare = Figures::median(&bare).rate;
        let (users, limit, lanes) = (Some(site.size()), Some(bare), Some(16));
        let ins = Figures::median(&ins);
        let target = Some((format!("ratio ≥ {}", HASHES.0), ins.rate >= HASHES.0 * bare));
        let row = self.row("sign-ins", ins);
        self.table.add(Row { users, lanes, limit, target, ..row });
        self.beside_sign_ins().await;
        // After it: what so many refreshes leave behind in the database is cleared away in the background.
        for _ in 0..self.plan.rounds {
            again.push(refreshes(&self.sites[0], self.plan).await);
        }
        let row = self.row("refreshes", Figures::median(&again));
        self.table.add(Row { users, lanes, limit, ..row });
    }

    /// Single changes, alone and while people sign in.
    async fn beside_sign_ins(&mut self) {
        let site = &self.sites[0];
        let write = |ticket, out: &mut Vec<u8>| Workload::Patch.write(site, ticket, out);
        let alone = async || drive::closed(&site.process, 1, self.plan.time, write).await;
        let alone = drive::calmest(alone).await;
        let beside = drive::calmest(async || while_signing_in(site, self.plan).await).await;
        let (users, lanes) = (Some(site.size()), Some(1));
        let row = self.row("PATCH `active`, nobody signs in", alone);
        self.table.add(Row { users, lanes, ..row });
        let name = format!("PATCH `active`, beside {CROWD} who sign in");
        let (met, row) = (beside.p99 <= BESIDE_SIGN_INS * alone.p99, self.row(&name, beside));
        let target = Some((format!("p99 ≤ {BESIDE_SIGN_INS} × alone"), met));
        self.table.add(Row { users, lanes, target, ..row });
    }
}

async fn make_people(site: &Site, token: &str) {
    let mut connection = Connection::open(&site.process.address).await;
    for number in 0..CROWD.max(16) {
        let mut request = Vec::new();
        send(&mut request, "POST", "/scim/v2/Users", token, &people::user_with_password(number));
        connection.exchange(&request).await.expect_good();
    }
}

/// Appends a request of the person of this connection to sign in.
fn sign_in(ticket: crate::workload::Ticket, out: &mut Vec<u8>) {
    let name = people::user_name(ticket.lane);
    let body = format!(
        r#"{{"tenant":"{TENANT}","username":"{name}","password":"correct horse {}"}}"#,
        ticket.lane
    );
    post(out, "/auth/login", &body);
}

fn post(out: &mut Vec<u8>, path: &str, body: &str) {
    write!(
        out,
        "POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
}

/// Everybody's session goes on and on: each request sends the token of the answer before.
async fn refreshes(site: &Site, plan: &Plan) -> Figures {
    let mut sessions = Vec::new();
    for lane in 0..16 {
        let mut connection = Connection::open(&site.process.address).await;
        let mut request = Vec::new();
        sign_in(crate::workload::Ticket { lane, lanes: 16, turn: 0 }, &mut request);
        let token = token_of(&connection.exchange(&request).await.json());
        sessions.push((connection, token));
    }
    let watch = Watch::start(&site.process);
    let begun = watch.begun;
    let mut running: FuturesUnordered<_> = sessions
        .into_iter()
        .map(|(mut connection, mut token)| async move {
            let (mut took, mut request) = (Vec::new(), Vec::new());
            while begun.elapsed() < plan.time {
                request.clear();
                post(&mut request, "/auth/refresh", &format!(r#"{{"refresh_token":"{token}"}}"#));
                let asked = Instant::now();
                let answer = connection.exchange(&request).await;
                took.push(asked.elapsed());
                answer.expect_good();
                token = token_of(&answer.json());
            }
            took
        })
        .collect();
    let mut took = Vec::new();
    while let Some(more) = running.next().await {
        took.extend(more);
    }
    watch.figures(&mut took)
}

fn token_of(answer: &Value) -> String {
    answer["refresh_token"].as_str().unwrap().to_owned()
}

/// What comes of single changes while a crowd signs in.
async fn while_signing_in(site: &Site, plan: &Plan) -> Figures {
    let ended = Arc::new(AtomicBool::new(false));
    let (hear, address) = (Arc::clone(&ended), site.process.address.clone());
    // A thread of its own, so that the crowd does not hold up the changes on their way.
    let crowd = std::thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_io().build().unwrap();
        let people = (0..CROWD).map(|lane| {
            let (hear, address) = (&hear, address.as_str());
            async move {
                let mut connection = Connection::open(address).await;
                let mut turn = 0;
                while !hear.load(Ordering::Relaxed) {
                    let mut request = Vec::new();
                    sign_in(crate::workload::Ticket { lane, lanes: CROWD, turn }, &mut request);
                    connection.exchange(&request).await.expect_good();
                    turn += 1;
                }
            }
        });
        runtime.block_on(futures_util::future::join_all(people));
    });
    let write = |ticket, out: &mut Vec<u8>| Workload::Patch.write(site, ticket, out);
    let figures = drive::closed(&site.process, 1, plan.time, write).await;
    ended.store(true, Ordering::Relaxed);
    crowd.join().unwrap();
    figures
}
