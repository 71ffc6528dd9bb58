//! Random changes of users, groups and pools from four sides at once, and what must be true after them
//! and after each of them: what was recorded is played again from the beginning.

mod replay;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use usher::domain::pool::Policy;
use usher::store::Dialect;

use crate::support::app::TestApp;
use crate::support::each_db;
use replay::Replay;
use world::World;

/// So many at least, and then until everything was reached.
const ROUNDS: u64 = 6;
const MOST_ROUNDS: u64 = 18;
const WORKERS: u64 = 4;
const CHANGES: usize = 75;

/// What has to be reached: rows of the tables of states and transitions that exist so far.
const ROWS: [&str; 49] = [
    "state: invited",
    "state: expired",
    "state: cancelled",
    "state: provisioned, to be reset",
    "created invited",
    "invited: accepted",
    "invited: sent anew",
    "invited: expired",
    "invited: cancelled",
    "invited: by other means",
    "invited: deleted",
    "expired: sent anew",
    "who waited is invited",
    "reactivated to invited",
    "state: active",
    "state: active, a move waits",
    "state: waiting",
    "state: suspended",
    "state: provisioned with a seat",
    "state: provisioned without",
    "state: exempt",
    "created active",
    "created active with a password",
    "created suspended",
    "created waiting",
    "created provisioned",
    "created beyond the total",
    "suspended",
    "reactivated to active",
    "reactivated to waiting",
    "seat moved",
    "a move waits",
    "a move that waited is granted",
    "waiting without a seat",
    "who waited is seated",
    "who waited gives up",
    "role changed in the same pool",
    "login blocked, seat kept",
    "reserved becomes consumed",
    "consumed becomes reserved",
    "deleted with a seat",
    "deleted without",
    "refused: pool full",
    "a member finds the pool full",
    "exempt from now on",
    "exempt no more",
    "seated out of turn",
    "the next one from now on",
    "a mark of a pool is reached",
];

/// What has to be reached beside some of them where there is a brake.
const BRAKED: [&str; 8] = [
    "state: suspended, the seat held",
    "suspended and held",
    "deleted and held",
    "deleted and held, a move waited",
    "finished with a seat",
    "finished without",
    "restored",
    "reactivated from a hold",
];

/// How often each row was reached.
#[derive(Debug, Default)]
struct Reached(BTreeMap<&'static str, usize>);

impl Reached {
    fn note(&mut self, row: &'static str) {
        assert!(ROWS.contains(&row) || BRAKED.contains(&row), "{row}");
        *self.0.entry(row).or_default() += 1;
    }

    fn missed(&self, rows: &[&'static str]) -> Vec<&'static str> {
        rows.iter().filter(|row| !self.0.contains_key(*row)).copied().collect()
    }

    fn say(&self, database: &str, rows: &[&'static str]) {
        for row in rows {
            println!("{database}: {:6}  {row}", self.0.get(row).copied().unwrap_or_default());
        }
        assert_eq!(self.missed(rows), Vec::<&str>::new(), "never reached");
    }
}

async fn setting(app: TestApp) -> TestApp {
    app.pool("default", |pool| pool.exempt_roles = vec!["conference".to_owned()]).await;
    app.pool("line", |pool| {
        pool.warn_at = vec![50, 100];
        pool.total = Some(4);
        pool.overage_policy = Policy::Waitlist;
        pool.roles = vec!["supervisor".to_owned()];
    })
    .await;
    app.pool("extra", |pool| {
        pool.warn_at = vec![100, 150];
        pool.total = Some(3);
        pool.overage_policy = Policy::Overage;
        pool.overage_allowance = Some("4".to_owned());
        pool.roles = vec!["agent".to_owned()];
        pool.counts_agents = true;
    })
    .await;
    app
}

each_db! {
    async fn any_changes_from_four_sides_keep_seats_lines_and_records_true(app: TestApp) {
        shake(app.licensed(14).await, &ROWS).await;
    }

    async fn and_so_they_do_where_a_brake_holds_and_administrators_decide(app: TestApp) {
        shake(app.braked("1%/1d", 14).await, &BRAKED).await;
    }
}

/// Changes from all sides, round by round; `rows` have to be reached.
async fn shake(app: TestApp, rows: &[&'static str]) {
    let database = format!("{:?}", app.store.dialect());
    let app = setting(app).await;
    // PostgreSQL serves several instances at once.
    let other = match app.store.dialect() {
        Dialect::Postgres => app.second_instance().await,
        Dialect::Sqlite => app.clone(),
    };
    let world = World::new(&app).await;
    let (mut replay, mut reached) = (Replay::default(), Reached::default());
    let mut round = 0;
    while round < ROUNDS || (round < MOST_ROUNDS && !reached.missed(rows).is_empty()) {
        // Pools are changed while others write in every second round; in the others what was
        // recorded can be compared with them seat by seat.
        let shaken = round % 2 == 1;
        let pools = if shaken { BTreeMap::new() } else { world.pools_now(&app).await };
        let workers = (0..WORKERS).map(|worker| {
            let app = if worker % 2 == 0 { app.clone() } else { other.clone() };
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                let mut side = world.side(app, round * WORKERS + worker, shaken).await;
                for _ in 0..CHANGES {
                    side.change().await;
                }
                side.leave_held().await;
            })
        });
        join_all(workers).await.into_iter().for_each(|ended| ended.unwrap());
        replay.play(&app, &pools, &mut reached).await;
        world.check(&app, &replay, &mut reached).await;
        round += 1;
    }
    put_what_was_read(&app).await;
    let changes = round * WORKERS * CHANGES as u64;
    println!("{database}: {changes} changes, {} lines of the record", replay.last);
    reached.say(&database, rows);
}

/// A PUT of the last GET is never a change, whatever the seat is.
async fn put_what_was_read(app: &TestApp) {
    let ctx = app.app.operator(&app.tenant).await.unwrap();
    let before = app.app.last_record(&ctx).await.unwrap();
    let all = app.get("/Users?count=1000").await.expect(200);
    for user in all.body["Resources"].as_array().unwrap() {
        let path = format!("/Users/{}", user["id"].as_str().unwrap());
        let put = app.put(&path, user).await.expect(200);
        assert_eq!(put.body, *user);
    }
    let groups = app.get("/Groups?count=1000").await.expect(200);
    for group in groups.body["Resources"].as_array().unwrap() {
        let path = format!("/Groups/{}", group["id"].as_str().unwrap());
        assert_eq!(app.put(&path, group).await.expect(200).body, *group);
    }
    assert_eq!(app.app.last_record(&ctx).await.unwrap(), before);
}

/// A PATCH that replaces one value.
fn set(path: &str, value: &Value) -> Value {
    json!([{ "op": "replace", "path": path, "value": value }])
}
