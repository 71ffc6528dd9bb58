//! Who waits for a seat, and what is never refused for want of one.

use futures_util::future::join_all;
use serde_json::{Value, json};
use usher::clock::Clock;
use usher::domain::pool::{Policy, Pool};
use usher::domain::scope::Scope;

use crate::seats::state;
use crate::support::app::{Reply, TestApp};
use crate::support::asks::{CONTACT_CENTER as ABOUT, SEAT, group, user};
use crate::support::bulk::{patch, post, run};
use crate::support::each_db;

fn members(op: &str, ids: &[&str]) -> Value {
    let list: Vec<_> = ids.iter().map(|id| json!({ "value": id })).collect();
    json!([{ "op": op, "path": "members", "value": list }])
}

fn set(path: &str, value: &Value) -> Value {
    json!([{ "op": "replace", "path": path, "value": value }])
}

fn typed(pool: &str) -> Value {
    json!({ SEAT: { "seatType": pool } })
}

pub(crate) fn waits_for(reply: &Reply) -> (&str, &str) {
    let seat = &reply.body[SEAT];
    let text = |value: &'static str| seat[value].as_str().unwrap_or_default();
    (text("reason"), text("requestedSeatType"))
}

impl TestApp {
    pub(crate) async fn seen(&self, id: &str) -> Reply {
        self.get(&format!("/Users/{id}")).await.expect(200)
    }

    /// A group whose members have seats of this pool, which has so many.
    async fn team(&self, pool: &str, seats: i64) -> String {
        self.set_seats(pool, Some(seats)).await;
        let id = self.group(pool, &[]).await;
        self.map(&id, None, Some(pool)).await;
        format!("/Groups/{id}")
    }

    pub(crate) async fn details(&self, name: &str) -> Vec<Value> {
        let ctx = self.app.operator(&self.tenant).await.unwrap();
        let wanted = usher::app::seats::Wanted {
            names: vec![name.to_owned()],
            limit: 1000,
            ..Default::default()
        };
        let lines = self.app.records(&ctx, Scope::LogRead, wanted).await.unwrap();
        lines.into_iter().map(|line| serde_json::from_str(&line.detail).unwrap()).collect()
    }
}

fn pools() -> [Pool; 2] {
    let one = |value: &str, seats| Pool {
        value: value.to_owned(),
        total: Some(seats),
        ..Pool::default()
    };
    [one("a", 1), one("b", 1)]
}

/// A tenant with a pool that refuses, of so many seats, and two more of one seat each.
async fn tenant(app: &TestApp, seats: i64) -> TestApp {
    let app = app.licensed(seats).await;
    let ctx = app.app.operator(&app.tenant).await.unwrap();
    let changed = app.app.change_catalogue(&ctx, Scope::SeatsWrite, |catalogue| {
        catalogue.pools.extend(pools());
        Ok(())
    });
    changed.await.unwrap();
    app
}

each_db! {
    async fn a_member_who_comes_does_not_overtake_who_waits_for_the_seat_of_one_who_goes(app: TestApp) {
        let app = app.licensed(9).await;
        let team = app.team("team", 1).await;
        let mut ids = Vec::new();
        for name in ["goes", "waits", "comes"] {
            ids.push(app.user_with(name, &json!({})).await.id());
        }
        app.patch(&team, members("add", &[&ids[0]])).await.expect(200);
        app.patch(&team, members("add", &[&ids[1]])).await.expect(200);
        assert_eq!(waits_for(&app.seen(&ids[1]).await), ("moving", "team"));
        app.patch(&team, members("replace", &[&ids[1], &ids[2]])).await.expect(200);
        assert_eq!(app.seen(&ids[1]).await.body[SEAT]["pool"]["value"], "team");
        assert_eq!(waits_for(&app.seen(&ids[2]).await), ("moving", "team"));
        assert_eq!((app.used("team").await, app.used("default").await), ((1, 1), (2, 0)));
        let denied = app.details("seat.denied").await;
        assert_eq!(denied.iter().filter(|detail| detail["pool"] == "team").count(), 2, "{denied:?}");
    }

    async fn a_group_that_refuses_refuses_holders_too_and_leaves_nothing_behind(app: TestApp) {
        let app = app.licensed(9).await;
        let team = app.team("team", 1).await;
        let refuse = ("groups.onFullPool".to_owned(), "reject".to_owned());
        app.app.set_tenant(&app.tenant, &[refuse]).await.unwrap();
        let app = app.scoped(&["scim"]).await;
        let mut ids = Vec::new();
        for name in ["a", "b"] {
            ids.push(app.user_with(name, &json!({})).await.id());
        }
        let version = app.version(&team).await;
        let refused = app.patch(&team, members("add", &[&ids[0], &ids[1]])).await.expect(403);
        assert!(refused.body.to_string().contains("seatLimitExceeded"), "{}", refused.body);
        app.put(&team, &group("team", &json!({ "members": [{ "value": ids[0] }, { "value": ids[1] }] })))
            .await.expect(403);
        let now = app.get(&team).await.expect(200);
        assert_eq!(now.header("etag"), version);
        assert_eq!(now.body["members"].as_array().map_or(0, Vec::len), 0);
        assert_eq!((app.used("team").await, app.used("default").await), ((0, 0), (2, 0)));
        for id in &ids {
            assert_eq!(app.seen(id).await.header("etag"), "W/\"1\"");
        }
        assert_eq!(app.details("seat.denied").await.len(), 2);
        app.patch(&team, members("add", &[&ids[0]])).await.expect(200);
        app.patch(&team, members("add", &[&ids[1]])).await.expect(403);
        assert_eq!((app.used("team").await, app.used("default").await), ((1, 0), (1, 0)));
    }

    async fn leaving_or_losing_a_group_is_never_refused(app: TestApp) {
        for delete in [false, true] {
            let app = app.licensed(1).await;
            let team = app.team("team", 0).await;
            // It waits without a seat: it came in while the group let everybody wait.
            let first = app.user_with("first", &json!({ "active": false })).await.id();
            app.patch(&team, members("add", &[&first])).await.expect(200);
            app.pool("team", |pool| pool.overage_policy = Policy::Waitlist).await;
            let app = app.scoped(&["scim"]).await;
            let on = set("active", &json!(true));
            let waiting = app.patch(&format!("/Users/{first}"), on).await.expect(200);
            assert_eq!(waits_for(&waiting), ("poolFull", "team"));
            app.user_with("second", &json!({})).await;
            let refuse = ("groups.onFullPool".to_owned(), "reject".to_owned());
            app.app.set_tenant(&app.tenant, &[refuse]).await.unwrap();
            let app = app.scoped(&["scim"]).await;
            if delete {
                app.delete(&team).await.expect(204);
            } else {
                app.patch(&team, members("remove", &[&first])).await.expect(200);
            }
            let now = app.seen(&first).await;
            assert_eq!(waits_for(&now), ("poolFull", "default"));
            assert_eq!((app.used("team").await, app.used("default").await), ((0, 0), (1, 1)));
        }
    }

    async fn who_waits_may_lose_the_role_or_the_seat_type_of_the_line(app: TestApp) {
        let app = tenant(&app, 0).await;
        app.pool("a", |pool| {
            pool.overage_policy = Policy::Waitlist;
            pool.total = Some(0);
        }).await;
        let app = app.scoped(&["scim"]).await;
        let made = app.user_with("u", &typed("a")).await;
        assert_eq!(waits_for(&made), ("poolFull", "a"));
        let at = format!("{SEAT}:seatType");
        let less = json!([{ "op": "remove", "path": at }]);
        let now = app.patch(&format!("/Users/{}", made.id()), less).await.expect(200);
        assert_eq!(waits_for(&now), ("poolFull", "default"));
        assert_eq!((app.used("a").await, app.used("default").await), ((0, 0), (0, 1)));
        app.delete(&format!("/Users/{}", made.id())).await.expect(204);
        assert_eq!(app.used("default").await, (0, 0));
    }

    async fn a_role_that_needs_no_seat_may_be_taken_away_in_a_full_pool(app: TestApp) {
        let app = app.licensed(0).await;
        app.pool("default", |pool| pool.exempt_roles = vec!["account_admin".to_owned()]).await;
        let admin = app.scoped(&["admin"]).await;
        let made = admin.user_with("boss", &json!({ "roles": ["admin"] })).await;
        assert_eq!((state(&made), &made.body[SEAT]["reason"]), ("exempt", &json!("exemptRole")));
        let path = format!("/Users/{}", made.id());
        let off = app.patch(&path, set(&format!("{ABOUT}:webLogin"), &json!(false))).await.expect(200);
        assert_eq!((state(&off), &off.body[ABOUT]["lifecycle"]), ("none", &json!("provisioned")));
        app.patch(&path, set(&format!("{ABOUT}:webLogin"), &json!(true))).await.expect(200);
        let less = json!([{ "op": "remove", "path": "roles" }]);
        let less = app.patch(&path, less).await.expect(200);
        assert_eq!(less.body[ABOUT]["effectiveRoles"][0]["value"], "standard");
        assert_eq!((state(&less), waits_for(&less)), ("waiting", ("poolFull", "default")));
        assert_eq!(app.used("default").await, (0, 1));
        app.set_seats("default", Some(1)).await;
        assert_eq!(state(&app.seen(&made.id()).await), "consumed");
    }

    async fn who_waits_in_a_line_that_is_no_longer_theirs_goes_to_the_right_one(app: TestApp) {
        let app = tenant(&app, 0).await;
        for pool in ["a", "b"] {
            app.pool(pool, |pool| {
                pool.overage_policy = Policy::Waitlist;
                pool.total = Some(0);
            }).await;
        }
        app.pool("a", |pool| pool.roles = vec!["agent".to_owned()]).await;
        let app = app.scoped(&["scim"]).await;
        let made = app.user_with("u", &json!({ "roles": ["agent"] })).await;
        assert_eq!(waits_for(&made), ("poolFull", "a"));
        let ctx = app.app.operator(&app.tenant).await.unwrap();
        let changed = app.app.change_catalogue(&ctx, Scope::SeatsWrite, |catalogue| {
            for pool in &mut catalogue.pools {
                match pool.value.as_str() {
                    "a" => (pool.roles, pool.total) = (Vec::new(), Some(5)),
                    "b" => pool.roles = vec!["agent".to_owned()],
                    _ => {}
                }
            }
            Ok(())
        });
        changed.await.unwrap();
        let now = app.seen(&made.id()).await;
        assert_eq!((state(&now), waits_for(&now)), ("waiting", ("poolFull", "b")));
        assert_eq!((app.used("a").await, app.used("b").await), ((0, 0), (0, 1)));
        app.set_seats("b", Some(1)).await;
        assert_eq!(app.seen(&made.id()).await.body[SEAT]["pool"]["value"], "b");
    }

    async fn a_pool_that_time_has_opened_seats_who_waits_before_who_comes(app: TestApp) {
        let app = app.licensed(2).await;
        let later = Clock::System.now().plus_seconds(3600);
        let from = jiff::Timestamp::from_microsecond(later.0).unwrap();
        app.pool("default", move |pool| {
            pool.overage_policy = Policy::Waitlist;
            pool.valid_from = Some(from);
        }).await;
        let app = app.scoped(&["scim"]).await;
        let mut ids = Vec::new();
        for name in ["a", "b"] {
            let made = app.user_with(name, &json!({})).await;
            assert_eq!(state(&made), "waiting");
            ids.push(made.id());
        }
        assert_eq!(app.used("default").await, (0, 2));
        let then = app.second_instance_at(Clock::fixed(later.plus_seconds(60))).await;
        let new = then.user_with("c", &json!({})).await;
        assert_eq!(state(&new), "waiting");
        for id in &ids {
            assert_eq!(state(&then.seen(id).await), "consumed");
        }
        assert_eq!(then.used("default").await, (2, 1));
    }

    async fn a_seat_that_is_kept_for_a_move_follows_whether_there_is_a_login(app: TestApp) {
        let app = tenant(&app, 9).await;
        for pool in ["a", "b"] {
            app.pool(pool, |pool| pool.counts_agents = true).await;
        }
        let app = app.scoped(&["scim"]).await;
        app.user_with("other", &typed("b")).await;
        let made = app.user_with("mover", &typed("a")).await;
        let path = format!("/Users/{}", made.id());
        let moving = app.patch(&path, set(&format!("{SEAT}:seatType"), &json!("b"))).await.expect(200);
        assert_eq!((state(&moving), waits_for(&moving)), ("consumed", ("moving", "b")));
        let login = format!("{ABOUT}:webLogin");
        let off = app.patch(&path, set(&login, &json!(false))).await.expect(200);
        assert_eq!((state(&off), &off.body[ABOUT]["lifecycle"]), ("reserved", &json!("provisioned")));
        assert_eq!(waits_for(&off), ("moving", "b"));
        assert_eq!((app.used("a").await, app.used("b").await), ((1, 0), (1, 1)));
        let on = app.patch(&path, set(&login, &json!(true))).await.expect(200);
        assert_eq!((state(&on), &on.body[ABOUT]["lifecycle"]), ("consumed", &json!("active")));
        assert_eq!(app.used("a").await, (1, 0));
    }

    async fn two_who_want_each_others_seats_wait_and_one_who_goes_helps_the_other(app: TestApp) {
        let app = tenant(&app, 0).await;
        let (one, two) = (app.user_with("one", &typed("a")).await, app.user_with("two", &typed("b")).await);
        let at = format!("{SEAT}:seatType");
        let (first, second) = (format!("/Users/{}", one.id()), format!("/Users/{}", two.id()));
        app.patch(&first, set(&at, &json!("b"))).await.expect(200);
        let moved = app.patch(&second, set(&at, &json!("a"))).await.expect(200);
        assert_eq!(waits_for(&moved), ("moving", "a"));
        assert_eq!((app.used("a").await, app.used("b").await), ((1, 1), (1, 1)));
        app.patch(&first, set("active", &json!(false))).await.expect(200);
        assert_eq!(app.seen(&two.id()).await.body[SEAT]["pool"]["value"], "a");
        assert_eq!((app.used("a").await, app.used("b").await), ((1, 0), (0, 0)));
    }

    async fn a_seat_that_a_ring_of_bulk_was_refused_is_written_down(app: TestApp) {
        let app = app.licensed(1).await;
        let manager = |id: &str| json!({
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
                { "manager": { "value": format!("bulkId:{id}") } },
        });
        let done = run(&app, &[
            post("/Users", "x", &user("x", &manager("y"))),
            post("/Users", "y", &user("y", &manager("x"))),
        ]).await;
        assert!(done.iter().any(|result| result["status"] == "403"), "{done:?}");
        assert_eq!(app.used("default").await, (0, 0));
        assert_eq!(app.details("seat.denied").await.len(), 1);
        app.user_with("x", &json!({})).await;
    }

    async fn creates_that_fail_on_a_taken_name_take_no_seat_from_others(app: TestApp) {
        let app = app.licensed(5).await;
        app.user_with("ann", &json!({})).await;
        for _ in 0..3 {
            let bodies: Vec<_> = (0..24).map(|n| match n % 3 {
                0 => user("ann", &json!({})),
                1 => user("twice", &json!({})),
                _ => user(&format!("u{n}"), &json!({})),
            }).collect();
            let replies = join_all(bodies.iter().map(|body| app.post("/Users", body))).await;
            let of = |status| replies.iter().filter(|reply| reply.status == status).count();
            assert_eq!(of(201) + of(403) + of(409), replies.len(), "{replies:?}");
            assert_eq!(of(201), 4, "{replies:?}");
            assert_eq!(app.used("default").await, (5, 0));
            let made: Vec<_> = replies.iter().filter(|reply| reply.status == 201).map(Reply::id).collect();
            for id in made {
                app.delete(&format!("/Users/{id}")).await.expect(204);
            }
            assert_eq!(app.used("default").await, (1, 0));
        }
    }

    async fn a_long_bulk_knows_of_groups_that_got_a_meaning_since_it_began(app: TestApp) {
        let app = app.licensed(9).await;
        let made = app.user_with("u", &json!({})).await;
        let team = app.group("team", &[&made.id()]).await;
        app.set_seats("team", Some(1)).await;
        // The token was looked up before: for a moment nothing is known of the meaning.
        app.get("/Users?count=0").await.expect(200);
        app.map(&team, None, Some("team")).await;
        let path = format!("/Users/{}", made.id());
        assert_eq!(app.seen(&made.id()).await.body[SEAT]["pool"]["value"], "team");
        let agent = set("roles", &json!([{ "value": "tech" }]));
        run(&app, &[patch(&path, &agent)]).await;
        let now = app.seen(&made.id()).await;
        assert_eq!(now.body[ABOUT]["effectiveRoles"][0]["value"], "tech");
        assert_eq!(now.body[SEAT]["pool"]["value"], "team");
        app.patch(&path, set("roles", &json!([{ "value": "agent" }]))).await.expect(200);
        assert_eq!(app.seen(&made.id()).await.body[SEAT]["pool"]["value"], "team");
        assert_eq!((app.used("team").await, app.used("default").await), ((1, 0), (0, 0)));
    }
}
