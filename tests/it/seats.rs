//! The licence: nobody is seated beyond it, by whatever door they come.

use futures_util::future::join_all;
use serde_json::{Value, json};
use usher::app::seats::Verified;
use usher::domain::pool::{Policy, Pool};
use usher::domain::role::Mapping;
use usher::domain::scope::Scope;

use crate::support::app::{Reply, TestApp};
use crate::support::asks::{CONTACT_CENTER as ABOUT, SEAT, USER, group, user};
use crate::support::each_db;

const ERROR: &str = "urn:ietf:params:scim:schemas:extension:usher:2.0:Error";

impl TestApp {
    /// A new tenant that shows everything, with a pool `default` of so many seats.
    pub(crate) async fn licensed(&self, seats: i64) -> Self {
        let app = self.tenant_with("discovery.extensions", "all").await;
        app.set_seats("default", Some(seats)).await;
        app
    }

    pub(crate) async fn set_seats(&self, pool: &str, seats: Option<i64>) {
        let ctx = self.app.operator(&self.tenant).await.unwrap();
        self.app.set_seats(&ctx, pool, seats).await.unwrap();
    }

    /// Changes the pool of this value, which is made where there is none.
    pub(crate) async fn pool(&self, value: &str, change: impl Fn(&mut Pool) + Send + 'static) {
        let ctx = self.app.operator(&self.tenant).await.unwrap();
        let value = value.to_owned();
        let changed = self.app.change_catalogue(&ctx, Scope::SeatsWrite, move |catalogue| {
            if catalogue.pool(&value).is_none() {
                catalogue.pools.push(Pool { value: value.clone(), ..Pool::default() });
            }
            let pools = catalogue.pools.iter_mut();
            pools.filter(|pool| pool.value == value).for_each(&change);
            Ok(())
        });
        changed.await.unwrap();
    }

    pub(crate) async fn map(&self, group: &str, role: Option<&str>, pool: Option<&str>) {
        let ctx = self.app.operator(&self.tenant).await.unwrap();
        let mapping = Mapping {
            group: group.to_owned(),
            role: role.map(str::to_owned),
            seat_type: pool.map(str::to_owned),
            priority: 100,
            ..Mapping::default()
        };
        self.app.map_group(&ctx, mapping).await.unwrap();
    }

    pub(crate) async fn verified(&self) -> Verified {
        let ctx = self.app.operator(&self.tenant).await.unwrap();
        self.app.verify_seats(&ctx, false).await.unwrap()
    }

    /// Seats of a pool that are taken, and how many wait; the counters are true.
    pub(crate) async fn used(&self, pool: &str) -> (i64, i64) {
        let verified = self.verified().await;
        assert!(verified.is_clean(), "{verified:?}");
        let filled = verified.pools.iter().find(|filled| filled.pool.value == pool).unwrap();
        (filled.taken.used(), filled.taken.waiting)
    }

    /// The names of the lines of the record about a resource.
    pub(crate) async fn lines(&self, resource: &str) -> Vec<String> {
        let ctx = self.app.operator(&self.tenant).await.unwrap();
        let wanted = usher::app::seats::Wanted {
            resource: Some(resource.to_owned()),
            limit: 1000,
            ..Default::default()
        };
        let lines = self.app.records(&ctx, Scope::LogRead, wanted).await.unwrap();
        lines.into_iter().map(|recorded| recorded.name).collect()
    }
}

pub(crate) fn state(reply: &Reply) -> &str {
    reply.body[SEAT]["state"].as_str().unwrap_or_default()
}

fn set_active(active: bool) -> Value {
    json!([{ "op": "replace", "path": "active", "value": active }])
}

/// How many of these were answered so, and so.
fn counted(replies: &[Reply], good: u16, bad: u16) -> (usize, usize) {
    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!(count(good) + count(bad), replies.len(), "{replies:?}");
    (count(good), count(bad))
}

each_db! {
    async fn forty_creates_at_once_for_25_seats_make_25_users(app: TestApp) {
        let app = app.licensed(25).await;
        let bodies: Vec<_> = (0..40).map(|n| user(&format!("u{n}"), &json!({}))).collect();
        let replies = join_all(bodies.iter().map(|body| app.post("/Users", body))).await;
        assert_eq!(counted(&replies, 201, 403), (25, 15));
        let refused = replies.iter().find(|reply| reply.status == 403).unwrap();
        let request = refused.header("x-request-id").to_owned();
        assert_eq!(refused.body, json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error", ERROR],
            "status": "403",
            "detail": "Not allowed, your organization has reached the maximum limit of users. Seat \
                pool 'default': 25 of 25 in use (25 active, 0 invited). Deactivate a user, cancel an \
                invitation or add seats, then retry. No existing user was changed.",
            ERROR: {
                "code": "seatLimitExceeded", "pool": "default", "total": 25, "allowance": 0,
                "used": 25, "consumed": 25, "reserved": 0, "requested": 1, "retryable": true,
                "retryWhen": "seatFreed", "requestId": request,
            },
        }));
        assert_eq!(app.used("default").await, (25, 0));
        let listed = app.get("/Users?count=0").await.expect(200);
        assert_eq!(listed.body["totalResults"], 25);
        let denied = app.lines("").await;
        assert_eq!(denied.iter().filter(|name| *name == "seat.denied").count(), 15);
    }

    async fn forty_activations_at_once_for_25_seats_seat_25_by_patch_and_by_put(app: TestApp) {
        for put in [false, true] {
            let app = app.licensed(25).await;
            let mut all = Vec::new();
            for n in 0..40 {
                let made = app.user_with(&format!("u{n}"), &json!({ "active": false })).await;
                assert_eq!(state(&made), "none");
                all.push(made);
            }
            assert_eq!(app.used("default").await, (0, 0));
            let app = &app;
            let replies = join_all(all.iter().map(async |made| {
                let path = format!("/Users/{}", made.id());
                if put {
                    let mut body = made.body.clone();
                    body["active"] = true.into();
                    app.put(&path, &body).await
                } else {
                    app.patch(&path, set_active(true)).await
                }
            })).await;
            assert_eq!(counted(&replies, 200, 403), (25, 15));
            assert_eq!(app.used("default").await, (25, 0));
            // Nothing of what was refused was written.
            let off = app.get("/Users?filter=active+eq+false").await.expect(200);
            assert_eq!(off.body["totalResults"], 15);
            assert_eq!(off.body["Resources"][0]["meta"]["version"], "W/\"1\"");
        }
    }

    async fn forty_creates_of_a_bulk_for_25_seats_make_25_users(app: TestApp) {
        for fail_on_errors in [None, Some(3)] {
            let app = app.licensed(25).await;
            let operations: Vec<_> = (0..40).map(|n| json!({
                "method": "POST", "path": "/Users", "bulkId": format!("b{n}"),
                "data": user(&format!("u{n}"), &json!({})),
            })).collect();
            let mut body = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
                "Operations": operations,
            });
            if let Some(most) = fail_on_errors {
                body["failOnErrors"] = most.into();
            }
            let reply = app.post("/Bulk", &body).await.expect(200);
            let results = reply.body["Operations"].as_array().unwrap();
            let of = |status: &str| results.iter().filter(|one| one["status"] == status).count();
            assert_eq!(of("201"), 25);
            assert_eq!(of("403"), fail_on_errors.unwrap_or(15));
            let refused = results.iter().find(|one| one["status"] == "403").unwrap();
            assert_eq!(refused["response"][ERROR]["code"], "seatLimitExceeded");
            assert_eq!(app.used("default").await, (25, 0));
        }
    }

    async fn a_group_that_gives_seats_moves_25_of_40_and_lets_15_wait(app: TestApp) {
        let app = app.licensed(100).await;
        app.set_seats("agents", Some(25)).await;
        let team = app.post("/Groups", &group("Agents", &json!({}))).await.expect(201).id();
        app.map(&team, Some("agent"), Some("agents")).await;
        let mut ids = Vec::new();
        for n in 0..40 {
            ids.push(app.user_with(&format!("u{n}"), &json!({})).await.id());
        }
        let app = &app;
        let path = format!("/Groups/{team}");
        let replies = join_all(ids.iter().map(|id| app.patch(&path, json!([
            { "op": "add", "path": "members", "value": [{ "value": id }] },
        ])))).await;
        assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
        assert_eq!(app.used("agents").await, (25, 15));
        assert_eq!(app.used("default").await, (15, 0));
        let filter = format!("/Users?filter={SEAT}:requestedSeatType+eq+%22agents%22");
        let moving = app.get(&filter).await.expect(200);
        assert_eq!(moving.body["totalResults"], 15);
        let one = &moving.body["Resources"][0];
        assert_eq!(one[SEAT]["reason"], "moving");
        assert_eq!(one[SEAT]["pool"]["value"], "default");
        assert_eq!(one[ABOUT]["effectiveRoles"][0], json!({
            "value": "agent", "display": "Call Agent", "source": "group", "primary": true,
        }));
        // Who leaves makes room for the first of those who wait, whose old seat is free then.
        let seated = app.get(&format!("/Users?filter={SEAT}:pool.value+eq+%22agents%22")).await;
        let leaver = seated.body["Resources"][0]["id"].as_str().unwrap().to_owned();
        app.patch(&path, json!([{ "op": "remove", "path": format!("members[value eq \"{leaver}\"]") }]))
            .await.expect(200);
        assert_eq!(app.used("agents").await, (25, 14));
        assert_eq!(app.used("default").await, (15, 0));
    }

    async fn in_a_full_pool_everything_that_takes_no_seat_succeeds(app: TestApp) {
        let app = app.licensed(1).await;
        let made = app.user_with("ann", &json!({ "displayName": "Ann" })).await;
        app.post("/Users", &user("bob", &json!({}))).await.expect(403);
        let path = format!("/Users/{}", made.id());
        let same = app.put(&path, &made.body).await.expect(200);
        assert_eq!(same.header("etag"), made.header("etag"), "a PUT of the last GET is no change");
        let renamed = json!([{ "op": "replace", "path": "displayName", "value": "Anna" }]);
        app.patch(&path, renamed).await.expect(200);
        let roles = json!([{ "op": "replace", "path": "roles", "value": [{ "value": "Supervisor" }] }]);
        let reply = app.patch(&path, roles).await.expect(200);
        assert_eq!(reply.body[ABOUT]["effectiveRoles"][0]["value"], "supervisor");
        assert_eq!(reply.body["roles"], json!([{ "value": "Supervisor" }]));
        assert_eq!(app.used("default").await, (1, 0));
        assert_eq!(app.lines(&made.id()).await, [
            "user.created", "user.activated", "seat.consumed", "user.updated", "user.updated",
            "role.changed",
        ]);
    }

    async fn a_changed_password_is_recorded_without_it(app: TestApp) {
        let app = app.licensed(1).await;
        let made = app.user_with("ann", &json!({ "password": "a long enough one" })).await;
        let path = format!("/Users/{}", made.id());
        for _ in 0..2 {
            let set = json!([{ "op": "replace", "path": "password", "value": "another long one" }]);
            app.patch(&path, set).await.expect(200);
        }
        assert_eq!(
            app.lines(&made.id()).await,
            ["user.created", "user.activated", "seat.consumed", "password.changed"],
            "the same password twice is no change"
        );
    }

    async fn every_way_to_deactivate_frees_the_seat_and_keeps_the_roles(app: TestApp) {
        let forms = [
            json!([{ "op": "replace", "path": "active", "value": false }]),
            json!([{ "op": "Replace", "path": "active", "value": "False" }]),
            json!([{ "op": "replace", "value": { "active": false } }]),
        ];
        let app = app.licensed(1).await;
        for (n, form) in forms.into_iter().enumerate() {
            let made = app.user_with(&format!("u{n}"), &json!({ "roles": [{ "value": "agent" }] })).await;
            let path = format!("/Users/{}", made.id());
            let off = app.patch(&path, form).await.expect(200);
            assert_eq!(state(&off), "none");
            assert_eq!(off.body[SEAT]["reason"], "suspended");
            assert_eq!(off.body[ABOUT]["lifecycle"], "suspended");
            assert_eq!(off.body[ABOUT]["effectiveRoles"][0]["value"], "agent");
            assert_eq!(app.used("default").await, (0, 0));
            let on = app.patch(&path, set_active(true)).await.expect(200);
            assert_eq!(on.body[ABOUT]["effectiveRoles"], made.body[ABOUT]["effectiveRoles"]);
            assert_eq!(on.body[ABOUT]["lifecycle"], "active");
            assert_eq!(app.used("default").await, (1, 0));
            app.delete(&path).await.expect(204);
            assert_eq!(app.used("default").await, (0, 0));
            let lines = app.lines(&made.id()).await;
            assert!(lines.contains(&"user.suspended".to_owned()), "{lines:?}");
            assert_eq!(lines.last().map(String::as_str), Some("seat.released"), "{lines:?}");
        }
    }

    async fn who_waits_is_seated_in_the_order_of_coming(app: TestApp) {
        let app = app.licensed(1).await;
        app.pool("default", |pool| pool.overage_policy = Policy::Waitlist).await;
        let first = app.user_with("first", &json!({})).await;
        let mut waiting = Vec::new();
        for name in ["second", "third", "fourth"] {
            let made = app.user_with(name, &json!({})).await;
            assert_eq!((state(&made), &made.body["active"]), ("waiting", &json!(true)));
            assert_eq!(made.body[SEAT]["reason"], "poolFull");
            assert_eq!(made.body[ABOUT]["lifecycle"], "waiting");
            waiting.push(made.id());
        }
        assert_eq!(app.used("default").await, (1, 3));
        // Somebody gives up.
        app.delete(&format!("/Users/{}", waiting[1])).await.expect(204);
        assert_eq!(app.used("default").await, (1, 2));
        app.patch(&format!("/Users/{}", first.id()), set_active(false)).await.expect(200);
        let seated = app.get(&format!("/Users/{}", waiting[0])).await.expect(200);
        assert_eq!((state(&seated), &seated.body[ABOUT]["lifecycle"]), ("consumed", &json!("active")));
        assert_eq!(seated.header("etag"), "W/\"2\"");
        assert!(app.lines(&waiting[0]).await.contains(&"seat.granted".to_owned()));
        assert_eq!(app.used("default").await, (1, 1));
        // Whoever comes back stands at the end.
        let back = app.patch(&format!("/Users/{}", first.id()), set_active(true)).await.expect(200);
        assert_eq!(state(&back), "waiting");
        app.set_seats("default", Some(2)).await;
        let fourth = app.get(&format!("/Users/{}", waiting[2])).await.expect(200);
        assert_eq!(state(&fourth), "consumed");
        assert_eq!(app.used("default").await, (2, 1));
        app.set_seats("default", None).await;
        assert_eq!(app.used("default").await, (3, 0));
    }

    async fn the_allowance_is_given_with_its_reason_and_then_no_more(app: TestApp) {
        let app = app.licensed(2).await;
        app.pool("default", |pool| {
            pool.overage_policy = Policy::Overage;
            pool.overage_allowance = Some("1".to_owned());
        }).await;
        for (name, reason) in [("a", "active"), ("b", "active"), ("c", "overage")] {
            let made = app.user_with(name, &json!({})).await;
            assert_eq!((state(&made), &made.body[SEAT]["reason"]), ("consumed", &json!(reason)));
        }
        let refused = app.post("/Users", &user("d", &json!({}))).await.expect(403);
        assert_eq!(refused.body[ERROR]["allowance"], 1);
        assert_eq!(app.used("default").await, (3, 0));
    }

    async fn fewer_seats_than_users_take_nobodys_access_away(app: TestApp) {
        let app = app.licensed(3).await;
        let mut all = Vec::new();
        for name in ["a", "b", "c"] {
            all.push(app.user_with(name, &json!({})).await.id());
        }
        app.set_seats("default", Some(1)).await;
        for id in &all {
            let kept = app.get(&format!("/Users/{id}")).await.expect(200);
            assert_eq!(kept.body[ABOUT]["lifecycle"], "active");
        }
        let ctx = app.app.operator(&app.tenant).await.unwrap();
        let pools = app.app.pools(&ctx).await.unwrap();
        let state = pools[0].pool.state(pools[0].taken, app.app.clock().now());
        assert_eq!(state.name(), "overCommitted");
        app.post("/Users", &user("d", &json!({}))).await.expect(403);
        app.delete(&format!("/Users/{}", all[0])).await.expect(204);
        app.post("/Users", &user("d", &json!({}))).await.expect(403);
        app.delete(&format!("/Users/{}", all[1])).await.expect(204);
        app.delete(&format!("/Users/{}", all[2])).await.expect(204);
        app.post("/Users", &user("d", &json!({}))).await.expect(201);
    }

    async fn a_seat_type_an_entitlement_and_a_role_each_choose_the_pool(app: TestApp) {
        let app = app.licensed(9).await;
        app.pool("agents", |pool| {
            pool.roles = vec!["agent".to_owned()];
            pool.total = Some(1);
        }).await;
        let by_role = app.user_with("role", &json!({ "roles": ["Call Agent"] })).await;
        assert_eq!(by_role.body[SEAT]["pool"]["value"], "agents");
        let full = app.post("/Users", &user("full", &json!({ "roles": "agent" }))).await.expect(403);
        assert_eq!(full.body[ERROR]["pool"], "agents");
        let typed = json!({ "roles": ["agent"], SEAT: { "seatType": "default" } });
        let typed = app.user_with("typed", &typed).await;
        assert_eq!(typed.body[SEAT]["pool"]["value"], "default");
        let entitled = json!({ "entitlements": [{ "value": "Default", "type": "License" }], "roles": ["agent"] });
        let entitled = app.user_with("entitled", &entitled).await;
        assert_eq!(entitled.body[SEAT]["pool"]["value"], "default");
        assert_eq!(entitled.body["entitlements"][0]["value"], "Default", "as it was sent");
        let refused = app.post("/Users", &user("x", &json!({ SEAT: { "seatType": "gold" } }))).await;
        assert_eq!(
            refused.refused(400, "invalidValue").split(" (request").next(),
            Some("Unknown seatType 'gold'. Valid ones: default, agents, none.")
        );
        let none = app.user_with("none", &json!({ SEAT: { "seatType": "none" } })).await;
        assert_eq!((state(&none), &none.body[ABOUT]["lifecycle"]), ("none", &json!("provisioned")));
        let entry = app.user_with("entry", &json!({ ABOUT: { "webLogin": false } })).await;
        assert_eq!(state(&entry), "none");
        assert_eq!(app.used("default").await, (2, 0));
        assert_eq!(app.used("agents").await, (1, 0));
    }

    async fn a_refused_create_leaves_its_name_free_and_a_taken_name_takes_no_seat(app: TestApp) {
        let app = app.licensed(2).await;
        app.user_with("ann", &json!({})).await;
        app.post("/Users", &user("ANN", &json!({}))).await.expect(409);
        assert_eq!(app.used("default").await, (1, 0));
        app.user_with("bob", &json!({})).await;
        app.post("/Users", &user("carl", &json!({}))).await.expect(403);
        app.set_seats("default", Some(3)).await;
        app.user_with("carl", &json!({})).await;
        assert_eq!(app.used("default").await, (3, 0));
    }

    async fn hidden_extensions_hide_the_seat_and_not_the_licence(app: TestApp) {
        let app = app.tenant_with("discovery.extensions", "none").await;
        app.set_seats("default", Some(1)).await;
        let body = user("ann", &json!({ SEAT: { "seatType": "gold" } }));
        let made = app.post("/Users", &body).await.expect(201);
        assert_eq!(made.body["schemas"], json!([USER]));
        assert!(made.body.get(SEAT).is_none() && made.body.get(ABOUT).is_none(), "{}", made.body);
        app.post("/Users", &user("bob", &json!({}))).await.expect(403);
        assert_eq!(app.used("default").await, (1, 0));
        app.delete(&format!("/Users/{}", made.id())).await.expect(204);
        app.post("/Users", &user("bob", &json!({}))).await.expect(201);
    }

    async fn a_client_that_mistakes_403_is_answered_400(app: TestApp) {
        let app = app.tenant_with("seats.exhaustedStatus", "400").await;
        app.set_seats("default", Some(0)).await;
        let refused = app.post("/Users", &user("ann", &json!({}))).await.expect(400);
        assert_eq!(refused.body["status"], "400");
        assert_eq!(refused.body[ERROR]["code"], "seatLimitExceeded");
    }

    async fn who_waits_for_a_pool_that_opens_by_time_gets_a_seat(app: TestApp) {
        use usher::clock::{Clock, Micros};
        let app = app.licensed(1).await;
        let opens = app.app.clock().now().plus_seconds(3600);
        app.pool("default", move |pool| {
            pool.overage_policy = Policy::Waitlist;
            pool.valid_from = Some(jiff::Timestamp::from_microsecond(opens.0).unwrap());
        }).await;
        let made = app.user_with("ann", &json!({})).await;
        assert_eq!(state(&made), "waiting");
        app.app.seat_all_waiters().await.unwrap();
        assert_eq!(app.used("default").await, (0, 1));
        let later = app.second_instance_at(Clock::fixed(Micros(opens.0 + 1))).await;
        later.app.seat_all_waiters().await.unwrap();
        assert_eq!(app.used("default").await, (1, 0));
    }

    async fn old_lines_of_the_record_go_and_their_numbers_never_come_back(app: TestApp) {
        use usher::clock::{Clock, Micros};
        let app = app.licensed(9).await;
        let (made, last) = (app.user_with("ann", &json!({})).await, app.user_with("bea", &json!({})).await);
        assert_eq!(app.lines(&made.id()).await.len(), 3);
        app.app.forget_records(true).await.unwrap();
        assert_eq!(app.lines(&made.id()).await.len(), 3);
        let then = Micros(app.app.clock().now().0 + 91 * 86_400_000_000);
        let later = app.second_instance_at(Clock::fixed(then)).await;
        later.app.forget_records(true).await.unwrap();
        assert_eq!(app.lines(&made.id()).await, [""; 0]);
        assert_eq!(app.lines(&last.id()).await.len(), 3, "the last change stays");
        let next = app.user_with("bob", &json!({})).await;
        let ctx = app.app.operator(&app.tenant).await.unwrap();
        let wanted = usher::app::seats::Wanted {
            resource: Some(next.id()), limit: 9, ..Default::default()
        };
        let lines = app.app.records(&ctx, Scope::LogRead, wanted).await.unwrap();
        assert_eq!(lines.first().map(|line| line.seq), Some(7));
    }

    async fn users_of_a_version_without_seats_are_taken_in(app: TestApp) {
        use usher::store::Tx;
        let app = app.licensed(5).await;
        let made = app.user_with("old", &json!({})).await;
        let (tenant, id) = (app.app.tenant(&app.tenant).await.unwrap().id, made.id());
        // As it would be: a document without facts, and nothing counted.
        app.store.write_apart::<_, usher::store::Error, _>(async move |tx: &mut Tx<'_>| {
            tx.execute(
                "UPDATE resources SET doc = '{\"userName\":\"old\",\"active\":true}',
                     folded = '{\"userName\":\"old\",\"active\":1}' WHERE id = $1",
                &[(&id).into()],
            ).await?;
            tx.execute("DELETE FROM attr_index WHERE resource = $1", &[(&id).into()]).await?;
            tx.execute("DELETE FROM pool_counts WHERE tenant = $1", &[(&tenant).into()]).await?;
            Ok(())
        }).await.unwrap();
        assert_eq!(app.verified().await.unruled, 1);
        let ctx = app.app.operator(&app.tenant).await.unwrap();
        app.app.verify_seats(&ctx, true).await.unwrap();
        assert_eq!(app.used("default").await, (1, 0));
        let seated = app.get(&format!("/Users/{}", made.id())).await.expect(200);
        assert_eq!(state(&seated), "consumed");
    }
}
