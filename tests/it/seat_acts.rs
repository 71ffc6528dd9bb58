//! What administrators do to the seat of one user: spare it, and give it out of turn.

use serde_json::{Value, json};
use usher::clock::Clock;
use usher::domain::pool::Policy;

use crate::admin::{administrator, problem};
use crate::seat_lines::waits_for;
use crate::seats::state;
use crate::support::app::{Reply, TestApp};
use crate::support::asks::{CONTACT_CENTER as ABOUT, SEAT, user};
use crate::support::each_db;
use crate::support::process::Setup;

impl TestApp {
    async fn exempt(&self, id: &str, exempt: bool) -> Reply {
        let body = json!({ "exempt": exempt });
        self.admin("PATCH", &format!("/users/{id}/seat"), Some(&body)).await
    }

    async fn grant(&self, id: &str, body: &Value) -> Reply {
        self.admin("POST", &format!("/users/{id}/seat:grant"), Some(body)).await
    }

    async fn in_line(&self, pool: &str) -> Vec<String> {
        let ctx = self.app.operator(&self.tenant).await.unwrap();
        let waiting = self.app.waiting(&ctx, pool).await.unwrap();
        waiting.into_iter().map(|(_, name)| name).collect()
    }
}

fn set(path: &str, value: &Value) -> Value {
    json!([{ "op": "replace", "path": path, "value": value }])
}

/// Somebody with the one seat of a pool in which everybody else waits, and two who do.
async fn line(app: &TestApp) -> (TestApp, [String; 3]) {
    let app = app.licensed(1).await;
    app.pool("default", |pool| pool.overage_policy = Policy::Waitlist).await;
    app.pool("other", |pool| pool.total = Some(1)).await;
    let app = app.scoped(&["admin"]).await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(app.user_with(name, &json!({})).await.id());
    }
    (app, ids.try_into().unwrap())
}

each_db! {
    async fn who_is_exempt_gives_the_seat_back_and_stays_so_whatever_clients_write(app: TestApp) {
        let app = administrator(&app).await;
        app.set_seats("default", Some(1)).await;
        let id = app.user("glass").await;
        let spared = app.exempt(&id, true).await.expect(200);
        assert_eq!(spared.body["lifecycle"], "active");
        assert_eq!(spared.body["seat"], json!({ "state": "exempt", "exempt": true }));
        assert_eq!(app.used("default").await, (0, 0));
        assert_eq!(
            app.lines(&id).await[3..],
            ["seat.exempt", "user.updated", "seat.released"]
        );
        // Said again, nothing changes.
        let before = app.seen(&id).await;
        app.exempt(&id, true).await.expect(200);
        assert_eq!(app.seen(&id).await.header("etag"), before.header("etag"));
        app.user("other").await;
        let (client, path) = (app.scoped(&["scim"]).await, format!("/Users/{id}"));
        let put = client.put(&path, &before.body).await.expect(200);
        assert_eq!(put.header("etag"), before.header("etag"));
        let empty = user("glass", &json!({ SEAT: null, "roles": ["agent"], "title": "x" }));
        for (body, shown) in [
            (client.put(&path, &empty).await, "exempt"),
            (client.patch(&path, set(&format!("{SEAT}:seatType"), &json!("default"))).await, "exempt"),
            (client.patch(&path, set("active", &json!(false))).await, "none"),
            (client.patch(&path, set("active", &json!(true))).await, "exempt"),
            (client.patch(&path, set(&format!("{ABOUT}:webLogin"), &json!(false))).await, "none"),
            (client.patch(&path, json!([{ "op": "remove", "path": format!("{ABOUT}:webLogin") }])).await, "exempt"),
        ] {
            let body = body.expect(200);
            assert_eq!((state(&body), &body.body[SEAT]["exempt"]), (shown, &json!(true)));
        }
        assert_eq!(app.used("default").await, (1, 0));
    }

    async fn who_is_exempt_no_more_asks_for_a_seat_like_anybody_else(app: TestApp) {
        let (app, [first, second, third]) = line(&app).await;
        // Out of the line.
        assert_eq!(app.exempt(&second, true).await.expect(200).body["lifecycle"], "active");
        assert_eq!(app.in_line("default").await, ["c"]);
        app.exempt(&first, true).await.expect(200);
        assert_eq!(state(&app.seen(&third).await), "consumed");
        app.pool("default", |pool| pool.overage_policy = Policy::Reject).await;
        let before = app.seen(&first).await;
        let full = app.exempt(&first, false).await;
        assert!(problem(&full, 403).starts_with("Not allowed, your organization has reached"));
        assert_eq!(full.body["seats"]["pool"], "default");
        assert_eq!(app.seen(&first).await.body, before.body);
        assert_eq!(app.lines(&first).await.last().unwrap(), "seat.denied");
        app.pool("default", |pool| pool.overage_policy = Policy::Waitlist).await;
        let waits = app.exempt(&first, false).await.expect(200);
        assert_eq!((&waits.body["seat"]["state"], &waits.body["lifecycle"]), (&json!("waiting"), &json!("waiting")));
        assert!(waits.body["seat"].get("exempt").is_none(), "{}", waits.body);
        app.delete(&format!("/Users/{third}")).await.expect(204);
        assert_eq!(state(&app.seen(&first).await), "consumed");
        assert_eq!(app.used("default").await, (1, 0));
    }

    async fn nobody_is_seated_beyond_the_total_by_a_grant(app: TestApp) {
        let (app, [first, _, third]) = line(&app).await;
        let before = app.seen(&third).await;
        let full = app.grant(&third, &json!({})).await;
        assert!(problem(&full, 403).contains("Seat pool 'default': 1 of 1 in use"));
        assert_eq!((app.seen(&third).await.body, app.used("default").await), (before.body, (1, 2)));
        assert_eq!(app.lines(&third).await.last().unwrap(), "seat.denied");
        // The next one that is free.
        let next = app.grant(&third, &json!({ "next": true })).await.expect(200);
        assert_eq!(next.body["seat"]["state"], "waiting");
        app.grant(&third, &json!({ "next": true })).await.expect(200);
        assert_eq!(app.in_line("default").await, ["c", "b"]);
        assert_eq!(app.details("seat.preferred").await, [json!({ "pool": "default" })]);
        app.patch(&format!("/Users/{first}"), set("active", &json!(false))).await.expect(200);
        assert_eq!(state(&app.seen(&third).await), "consumed");
        assert_eq!((app.in_line("default").await, app.used("default").await), (vec!["b".to_owned()], (1, 1)));
    }

    async fn a_seat_of_another_pool_is_given_meanwhile_and_the_wait_goes_on(app: TestApp) {
        let (app, [first, second, third]) = line(&app).await;
        let given = app.grant(&third, &json!({ "pool": "Other" })).await.expect(200);
        assert_eq!((&given.body["lifecycle"], &given.body["seat"]["pool"]["value"]), (&json!("active"), &json!("other")));
        let seen = app.seen(&third).await;
        assert_eq!((state(&seen), waits_for(&seen)), ("consumed", ("moving", "default")));
        assert_eq!((app.used("default").await, app.used("other").await), ((1, 2), (1, 0)));
        assert_eq!(app.details("seat.granted").await[0]["outOfTurn"], true);
        // Given again, nothing changes; nobody else gets one of a full pool.
        app.grant(&third, &json!({ "pool": "other" })).await.expect(200);
        assert_eq!(app.seen(&third).await.header("etag"), seen.header("etag"));
        problem(&app.grant(&second, &json!({ "pool": "other" })).await, 403);
        let elsewhere = app.grant(&second, &json!({ "pool": "other", "next": true })).await;
        assert!(problem(&elsewhere, 400).contains("waits for a seat of the pool 'default'"));
        let rename = set("displayName", &json!("C"));
        let kept = app.patch(&format!("/Users/{third}"), rename).await.expect(200);
        assert_eq!((state(&kept), waits_for(&kept)), ("consumed", ("moving", "default")));
        for gone in [&first, &second] {
            app.delete(&format!("/Users/{gone}")).await.expect(204);
        }
        let moved = app.seen(&third).await;
        assert_eq!((&moved.body[SEAT]["pool"]["value"], waits_for(&moved)), (&json!("default"), ("active", "")));
        assert_eq!((app.used("default").await, app.used("other").await), ((1, 0), (0, 0)));
    }

    async fn where_there_is_room_who_was_named_is_seated_first(app: TestApp) {
        let app = app.licensed(1).await;
        let later = Clock::System.now().plus_seconds(3600);
        let from = jiff::Timestamp::from_microsecond(later.0).unwrap();
        app.pool("default", move |pool| {
            pool.overage_policy = Policy::Waitlist;
            pool.valid_from = Some(from);
        }).await;
        let app = app.scoped(&["admin"]).await;
        app.user("a").await;
        let second = app.user("b").await;
        let then = app.second_instance_at(Clock::fixed(later.plus_seconds(60))).await;
        let given = then.grant(&second, &json!({})).await.expect(200);
        assert_eq!(given.body["seat"]["state"], "consumed");
        assert_eq!((then.used("default").await, then.in_line("default").await), ((1, 1), vec!["a".to_owned()]));
    }

    async fn only_who_waits_is_granted_a_seat(app: TestApp) {
        let (app, [first, second, _]) = line(&app).await;
        assert!(problem(&app.grant(&first, &json!({})).await, 400).contains("waits for no other"));
        let off = set("active", &json!(false));
        app.patch(&format!("/Users/{second}"), off).await.expect(200);
        assert!(problem(&app.grant(&second, &json!({})).await, 400).contains("suspended"));
        assert!(problem(&app.grant(&second, &json!({ "pool": "x" })).await, 400).contains("Valid pools"));
        problem(&app.grant("nobody", &json!({})).await, 404);
        problem(&app.exempt("nobody", true).await, 404);
        problem(&app.grant(&second, &json!({ "seat": 1 })).await, 400);
        problem(&app.admin("PATCH", &format!("/users/{second}/seat"), Some(&json!({}))).await, 400);
    }

    async fn seats_are_spared_and_given_beside_the_server(setup: Setup) {
        let server = setup.start();
        setup.json("seats set 1");
        setup.json("seats set 1 --pool other");
        let line = json!({ "overagePolicy": "waitlist" });
        let admin = server.client.bearing(&setup.secret("token create --scope admin"));
        admin.try_to("PATCH", "!/admin/pools/default", Some(&line)).await.unwrap().expect(200);
        for name in ["a", "b", "c"] {
            server.client.try_user(name).await.unwrap().expect(201);
        }
        let full = setup.run("seats grant c");
        assert_eq!(full.status, 1);
        assert!(full.err.contains("1 of 1 in use"), "{}", full.err);
        setup.json("seats grant c --next");
        assert_eq!(setup.json("seats waiting")[0]["userName"], "c");
        assert_eq!(setup.json("seats grant b --pool other")["seat"]["pool"]["value"], "other");
        assert_eq!(setup.json("seats exempt a")["seat"]["state"], "exempt");
        assert_eq!(setup.json("users show c")[SEAT]["state"], "consumed");
        assert_eq!(setup.json("seats exempt a --off")["seat"]["state"], "waiting");
        assert_eq!(setup.run("seats exempt nobody").status, 1);
        assert_eq!(setup.json("seats verify")["clean"], true);
    }
}
