//! How what the brake holds ends: by an administrator, by time, and what comes back of it.

use serde_json::{Value, json};
use usher::domain::pool::Policy;

use crate::admin::problem;
use crate::brake::{active, decided, shown};
use crate::seats::state;
use crate::support::app::TestApp;
use crate::support::asks::{CONTACT_CENTER as ABOUT, SEAT, texts};
use crate::support::bulk::{delete, run};
use crate::support::each_db;
use crate::support::process::Setup;

const HOUR: i64 = 3_600;

/// A full tenant in which the sixth is suspended and the seventh is deleted, both held; the ids.
async fn full(app: &TestApp) -> (TestApp, Vec<String>) {
    let app = app.braked("10%/1h", 8).await;
    app.agent(&json!({ "agentNumber": "1" })).await.expect(201);
    let mut ids = app.people(7).await;
    ids.push(app.person("linked", &json!({ "agentId": "1" })).await.expect(201).id());
    for id in &ids[..5] {
        app.turn_off(id).await;
    }
    app.turn_off(&ids[6]).await;
    app.remove(&ids[7]).await;
    app.set_seats("default", Some(3)).await;
    (app, ids)
}

/// The agent of the deleted one.
async fn agent_of(app: &TestApp) -> Value {
    app.find("/CallAgents", "agentNumber eq \"1\"").await.expect(200).body["Resources"][0].clone()
}

each_db! {
    async fn what_is_held_long_enough_is_finished_by_time(app: TestApp) {
        let (app, ids) = full(&app).await;
        app.pool("default", |pool| pool.overage_policy = Policy::Waitlist).await;
        let waits = [app.user("first").await, app.user("second").await, app.user("third").await];
        assert_eq!((app.held().await, app.used("default").await), ((1, 1), (3, 3)));
        let said = app.admin("GET", "/brake", None).await.expect(200).body;
        let time = |name: &str| said[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        assert_eq!(time("until").duration_since(time("since")).as_hours(), 72);
        assert_eq!(said["brake"], "10%/1h");
        let before = app.later(71 * HOUR).await;
        before.app.end_holds().await.unwrap();
        assert_eq!(before.held().await, (1, 1));
        let then = app.later(73 * HOUR).await;
        then.app.end_holds().await.unwrap();
        then.app.end_holds().await.unwrap();
        assert_eq!((then.held().await, then.used("default").await), ((0, 0), (3, 1)));
        let off = then.seen(&ids[6]).await;
        assert_eq!(shown(&off), (&json!("suspended"), "none", &json!("suspended")));
        assert_eq!(then.lines(&ids[6]).await[6..], ["brake.finished", "user.updated", "seat.released"]);
        assert_eq!(then.lines(&ids[7]).await[5..], ["brake.finished", "seat.released"]);
        assert!(agent_of(&then).await.get("user").is_none());
        let states = [state(&then.seen(&waits[1]).await).to_owned(), state(&then.seen(&waits[2]).await).to_owned()];
        assert_eq!(states, ["consumed", "waiting"]);
        // Nothing is left to be undone.
        assert_eq!(then.undo().await, decided(0, 0));
        then.is_sound().await;
    }

    async fn what_is_confirmed_is_finished_at_once(app: TestApp) {
        let (app, ids) = full(&app).await;
        app.agent(&json!({ "agentNumber": "2" })).await.expect(201);
        assert_eq!(app.used("default").await, (3, 0));
        assert_eq!(app.confirm().await, decided(1, 1));
        assert_eq!((app.held().await, app.used("default").await), ((0, 0), (1, 0)));
        assert_eq!(app.details("brake.finished").await, [json!({ "by": "confirm" }), json!({ "by": "confirm" })]);
        assert!(agent_of(&app).await.get("user").is_none());
        app.person("new", &json!({ "agentId": "1" })).await.expect(201);
        assert_eq!((app.confirm().await, app.undo().await), (decided(0, 0), decided(0, 0)));
        app.get(&format!("/Users/{}", ids[7])).await.refused(404, "");
        app.is_sound().await;
    }

    async fn who_was_suspended_and_then_deleted_comes_back_active(app: TestApp) {
        let (app, ids) = full(&app).await;
        app.remove(&ids[6]).await;
        assert_eq!((app.held().await, app.used("default").await), ((0, 2), (3, 0)));
        // Long after the window it is one more that goes, and is held all the same.
        let then = app.later(2 * HOUR).await;
        assert_eq!(then.undo().await, decided(0, 2));
        for id in [&ids[6], &ids[7]] {
            let back = then.seen(id).await;
            assert_eq!(shown(&back), (&json!("active"), "consumed", &json!("active")));
        }
        then.turn_off(&ids[6]).await;
        assert_eq!((then.held().await, then.used("default").await), ((0, 0), (2, 0)));
        then.is_sound().await;
    }

    async fn a_suspension_that_is_held_is_held_on_when_it_is_deleted_below_the_share(app: TestApp) {
        let (app, ids) = full(&app).await;
        let then = app.later(2 * HOUR).await;
        then.remove(&ids[6]).await;
        then.remove(&ids[0]).await;
        assert_eq!((then.held().await, then.used("default").await), ((0, 2), (3, 0)));
        // Seventy-two hours from the deletion on.
        let end = app.later(73 * HOUR).await;
        end.app.end_holds().await.unwrap();
        assert_eq!((end.held().await, end.used("default").await), ((0, 1), (2, 0)));
        end.is_sound().await;
    }

    async fn who_goes_counts_for_as_long_as_the_window_and_once(app: TestApp) {
        let app = app.braked("10%/1h", 60).await;
        let ids = app.people(60).await;
        for id in &ids[..3] {
            app.turn_off(id).await;
            app.patch(&format!("/Users/{id}"), active(true)).await.expect(200);
            app.turn_off(id).await;
            app.remove(id).await;
        }
        let other = app.second_instance().await;
        for id in &ids[3..6] {
            other.turn_off(id).await;
        }
        assert_eq!(app.held().await, (0, 0));
        let half = app.later(HOUR / 2).await;
        half.turn_off(&ids[6]).await;
        assert_eq!(half.held().await, (1, 0));
        // The first six are forgotten, the seventh is not: of 54 users it and four others may go.
        let then = app.later(HOUR + 60).await;
        for id in &ids[7..11] {
            then.turn_off(id).await;
        }
        assert_eq!(then.held().await, (1, 0));
        then.turn_off(&ids[11]).await;
        assert_eq!(then.held().await, (2, 0));
        assert_eq!(then.used("default").await, (60 - 12 + 2, 0));
    }

    async fn groups_and_accounts_are_those_of_today(app: TestApp) {
        let app = app.braked("1%/1h", 20).await;
        app.set_seats("night", Some(1)).await;
        let group = app.group("Night", &[]).await;
        app.map(&group, Some("supervisor"), Some("night")).await;
        let kept = json!({ "accountNumber": "A-1" });
        let ended = json!({ "accountNumber": "A-2" });
        for body in [&kept, &ended] {
            app.admin("POST", "/accounts", Some(body)).await.expect(201);
        }
        let ann = app.user("ann").await;
        let add = json!([{ "op": "add", "path": "members", "value": [{ "value": ann }] }]);
        app.patch(&format!("/Groups/{group}"), add).await.expect(200);
        for number in ["A-1", "A-2"] {
            let join = json!({ "account": number });
            app.admin("POST", &format!("/users/{ann}/memberships"), Some(&join)).await.expect(201);
        }
        for id in app.people(5).await {
            app.remove(&id).await;
        }
        app.remove(&ann).await;
        assert_eq!(app.used("night").await, (1, 0));
        // Nobody else gets the seat, and the pool is not to be ended.
        problem(&app.admin("DELETE", "/pools/night", None).await, 400);
        app.admin("DELETE", "/accounts/A-2", None).await.expect(204);
        app.map(&group, Some("tech"), None).await;
        assert_eq!(app.undo().await, decided(0, 1));
        let back = app.seen(&ann).await;
        assert_eq!(texts(&back.body[ABOUT]["effectiveRoles"], "/value"), ["tech"]);
        assert_eq!(back.body[SEAT]["pool"]["value"], "default");
        assert_eq!(texts(&back.body[ABOUT]["accountMemberships"], "/accountNumber"), ["A-1"]);
        assert_eq!((app.used("night").await, app.used("default").await), ((0, 0), (1, 0)));
        app.is_sound().await;
    }

    async fn a_thousand_deletions_in_one_request_are_undone(app: TestApp) {
        let app = app.braked("20%/1h", 1_000).await;
        let bodies: Vec<Value> = (0..1_000).map(|n| {
            crate::support::bulk::post_user(&format!("u{n}"))
        }).collect();
        let made = run(&app, &bodies).await;
        let paths: Vec<String> = made.iter().map(|one| {
            format!("/Users/{}", one["location"].as_str().unwrap().rsplit('/').next().unwrap())
        }).collect();
        let gone = run(&app, &paths.iter().map(|path| delete(path)).collect::<Vec<_>>()).await;
        assert!(gone.iter().all(|one| one["status"] == "204"));
        assert_eq!((app.held().await, app.used("default").await), ((0, 800), (800, 0)));
        assert_eq!(app.get("/Users?count=0").await.expect(200).body["totalResults"], 0);
        assert_eq!(app.undo().await, decided(0, 800));
        assert_eq!(app.get("/Users?count=0").await.expect(200).body["totalResults"], 800);
        assert_eq!((app.held().await, app.used("default").await), ((0, 0), (800, 0)));
        app.is_sound().await;
    }

    async fn it_takes_more_than_the_token_of_an_identity_provider_to_decide(app: TestApp) {
        let (app, _) = full(&app).await;
        for scopes in [&["scim"][..], &["seats:write"], &["users:write"]] {
            let client = app.scoped(scopes).await;
            for what in ["undo", "confirm"] {
                let refused = client.admin("POST", &format!("/brake:{what}"), None).await;
                assert!(problem(&refused, 403).contains("scope"), "{scopes:?}");
            }
        }
        let reader = app.scoped(&["scim:read"]).await;
        assert_eq!(reader.held().await, (1, 1));
        let both = app.scoped(&["users:write", "seats:write"]).await;
        assert_eq!(both.undo().await, decided(1, 1));
        let settings = json!({ "deprovision.brake": "20%" });
        let wrong = app.admin("PATCH", "/settings", Some(&settings)).await;
        assert!(problem(&wrong, 400).contains("such as 20%/1h"));
    }

    async fn what_is_held_is_shown_undone_and_confirmed_beside_the_server(setup: Setup) {
        let server = setup.start();
        setup.json("tenant set default deprovision.brake=1%/1h");
        assert_eq!(setup.json("brake show")["brake"], "1%/1h");
        assert!(setup.run("brake show").out.contains("Nobody is held"));
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let mut ids = Vec::new();
        for number in 0..8 {
            ids.push(server.client.try_user(&format!("u{number}")).await.unwrap().expect(201).id());
        }
        for id in &ids[..7] {
            server.client.try_to("DELETE", &format!("/Users/{id}"), None).await.unwrap().expect(204);
        }
        let shown = setup.json("brake show");
        assert_eq!((&shown["suspended"], &shown["deleted"]), (&json!(0), &json!(2)));
        assert!(setup.run("brake show").out.contains("0 suspended and 2 deleted users are held since"));
        server.client.try_user("u6").await.unwrap().expect(201);
        let some = setup.run("brake undo");
        assert_eq!(some.status, 1);
        assert!(some.out.contains("u6: User with userName 'u6' already exists."), "{}", some.out);
        assert_eq!(setup.json("users show u5")["id"], json!(ids[5]));
        assert_eq!(setup.json("brake confirm")["deleted"], 1);
        assert_eq!(setup.json("brake show")["until"], Value::Null);
        assert_eq!(setup.json("seats verify")["clean"], true);
    }
}
