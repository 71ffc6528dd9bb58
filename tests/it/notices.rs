//! What administrators are told of: pools that fill up, and a tenant that nobody administers any more.

use futures_util::future::join_all;
use serde_json::{Value, json};
use usher::domain::pool::Policy;

use crate::support::app::TestApp;
use crate::support::asks::{CONTACT_CENTER as ABOUT, user};
use crate::support::bulk::{change, delete, numbers, patch, post, run};
use crate::support::each_db;

const ADMINISTRATOR: &str = "account_admin";

fn set(path: &str, value: &Value) -> Value {
    json!([{ "op": "replace", "path": path, "value": value }])
}

impl TestApp {
    /// The percents that were told of, and how many seats of how many were taken.
    async fn marks(&self) -> Vec<(i64, i64, i64)> {
        let all = self.details("seat.threshold").await;
        let number = |detail: &Value, name: &str| detail[name].as_i64().unwrap();
        all.iter()
            .map(|one| (number(one, "percent"), number(one, "used"), number(one, "total")))
            .collect()
    }

    async fn nones(&self) -> usize {
        self.details("admin.none").await.len()
    }

    async fn boss(&self, name: &str) -> String {
        let more = json!({ "roles": [ADMINISTRATOR] });
        self.scoped(&["admin"]).await.user_with(name, &more).await.id()
    }

    async fn turn(&self, id: &str, active: bool) {
        let path = format!("/Users/{id}");
        self.patch(&path, set("active", &json!(active))).await.expect(200);
    }
}

each_db! {
    async fn a_pool_tells_of_each_mark_once_whenever_it_is_reached(app: TestApp) {
        let app = app.licensed(10).await;
        let mut ids = Vec::new();
        for number in 0..7 {
            ids.push(app.user(&format!("u{number}")).await);
        }
        assert_eq!(app.marks().await, []);
        ids.push(app.user("u7").await);
        assert_eq!(app.marks().await, [(80, 8, 10)]);
        ids.push(app.user("u8").await);
        ids.push(app.user("u9").await);
        assert_eq!(app.marks().await[1..], [(90, 9, 10), (100, 10, 10)]);
        // Downwards nobody is told, and upwards again.
        for id in &ids[7..] {
            app.turn(id, false).await;
        }
        assert_eq!(app.marks().await.len(), 3);
        app.delete(&format!("/Users/{}", ids[0])).await.expect(204);
        app.turn(&ids[7], true).await;
        assert_eq!(app.marks().await.len(), 3);
        app.turn(&ids[8], true).await;
        assert_eq!(app.marks().await[3..], [(80, 8, 10)]);
        app.turn(&ids[8], true).await;
        app.post("/Users", &user("u1", &json!({}))).await.expect(409);
        assert_eq!(app.marks().await.len(), 4);
        // An event, about the pool, of the request that reached it.
        let admin = app.scoped(&["admin"]).await;
        let events = admin.admin("GET", "/events?limit=1000", None).await.expect(200).body;
        let first = events["lines"].as_array().unwrap().iter().find(|one| one["name"] == "seat.threshold");
        let first = first.unwrap();
        assert_eq!((&first["resourceType"], &first["resource"]), (&json!("SeatPool"), &json!("pool-default")));
        assert_eq!(first["detail"], json!({ "pool": "default", "percent": 80, "used": 8, "total": 10 }));
        assert_eq!(app.used("default").await, (8, 0));
    }

    async fn whoever_comes_at_once_or_in_bulk_reaches_each_mark_once(app: TestApp) {
        let app = app.licensed(25).await;
        let bodies: Vec<_> = (0..40).map(|n| user(&format!("u{n}"), &json!({}))).collect();
        join_all(bodies.iter().map(|body| app.post("/Users", body))).await;
        assert_eq!(app.marks().await, [(80, 20, 25), (90, 23, 25), (100, 25, 25)]);
        let app = app.licensed(25).await;
        let posts: Vec<_> = (0..30).map(|n| post("/Users", &format!("b{n}"), &bodies[n])).collect();
        let results = run(&app, &posts).await;
        assert_eq!(results.iter().filter(|result| result["status"] == "201").count(), 25);
        assert_eq!(app.marks().await, [(80, 20, 25), (90, 23, 25), (100, 25, 25)]);
        let gone: Vec<_> = results.iter().take(10).map(|result| {
            delete(result["location"].as_str().unwrap().split_once("/v2").unwrap().1)
        }).collect();
        run(&app, &gone).await;
        assert_eq!((app.used("default").await, app.marks().await.len()), ((15, 0), 3));
        let all = app.get("/Users?count=100").await.expect(200).body;
        let ids: Vec<_> = all["Resources"].as_array().unwrap().iter().map(|user| {
            user["id"].as_str().unwrap().to_owned()
        }).collect();
        join_all(ids.iter().map(|id| app.turn(id, false))).await;
        join_all(ids.iter().map(|id| app.turn(id, true))).await;
        join_all(bodies[..5].iter().map(|body| app.post("/Users", body))).await;
        assert_eq!(app.marks().await[3..], [(80, 20, 25)]);
    }

    async fn the_bounds_of_counting_are_set_by_the_first_change_after_an_upgrade(app: TestApp) {
        let app = app.licensed(10).await;
        for number in 0..7 {
            app.user(&format!("u{number}")).await;
        }
        let bounds = "SELECT floor * 100 + ceiling FROM pool_counts WHERE tenant = $1";
        assert_eq!(numbers(&app, bounds).await, [7]);
        change(&app, "UPDATE pool_counts SET floor = consumed + reserved, ceiling = consumed + reserved
                      WHERE tenant = $1").await;
        let id = app.user("u7").await;
        assert_eq!((numbers(&app, bounds).await, app.marks().await.len()), (vec![808], 1));
        app.delete(&format!("/Users/{id}")).await.expect(204);
        assert_eq!((numbers(&app, bounds).await, app.used("default").await), (vec![7], (7, 0)));
    }

    async fn groups_and_moves_reach_marks_too_and_so_does_a_smaller_total(app: TestApp) {
        let app = app.licensed(10).await;
        app.pool("team", |pool| {
            pool.total = Some(4);
            pool.warn_at = vec![50, 100];
            pool.overage_policy = Policy::Overage;
            pool.overage_allowance = Some("2".into());
        }).await;
        let team = app.group("team", &[]).await;
        app.map(&team, None, Some("team")).await;
        let mut ids = Vec::new();
        for number in 0..8 {
            ids.push(app.user(&format!("u{number}")).await);
        }
        assert_eq!(app.marks().await, [(80, 8, 10)]);
        let list: Vec<_> = ids[..5].iter().map(|id| json!({ "value": id })).collect();
        let add = json!([{ "op": "add", "path": "members", "value": list }]);
        app.patch(&format!("/Groups/{team}"), add).await.expect(200);
        assert_eq!(app.marks().await[1..], [(50, 2, 4), (100, 4, 4)]);
        assert_eq!((app.used("team").await, app.used("default").await), ((5, 0), (3, 0)));
        app.set_seats("default", Some(20)).await;
        app.set_seats("default", Some(3)).await;
        assert_eq!(app.marks().await[3..], [(100, 3, 3)]);
        app.set_seats("default", Some(3)).await;
        app.set_seats("default", None).await;
        for number in 8..12 {
            app.user(&format!("u{number}")).await;
        }
        assert_eq!(app.marks().await.len(), 4);
    }

    async fn the_last_administrator_who_goes_by_any_door_is_told_of(app: TestApp) {
        let app = app.licensed(9).await;
        let client = app.scoped(&["scim"]).await;
        // Nobody was there before.
        let plain = client.user("plain").await;
        client.turn(&plain, false).await;
        assert_eq!(app.nones().await, 0);
        let (first, second) = (app.boss("first").await, app.boss("second").await);
        client.turn(&first, false).await;
        assert_eq!(app.nones().await, 0);
        client.turn(&second, false).await;
        assert_eq!((app.nones().await, app.lines(&second).await.contains(&"admin.none".into())), (1, true));
        // Already nobody: deleting the first one changes nothing.
        client.delete(&format!("/Users/{first}")).await.expect(204);
        assert_eq!(app.nones().await, 1);
        client.turn(&second, true).await;
        let none = json!([{ "op": "replace", "path": "roles", "value": [{ "value": "agent" }] }]);
        client.patch(&format!("/Users/{second}"), none).await.expect(200);
        assert_eq!(app.nones().await, 2);
        let third = app.boss("third").await;
        client.delete(&format!("/Users/{third}")).await.expect(204);
        assert_eq!(app.nones().await, 3);
        let fourth = app.boss("fourth").await;
        run(&client, &[patch(&format!("/Users/{fourth}"), &set("active", &json!(false)))]).await;
        assert_eq!(app.nones().await, 4);
        client.turn(&fourth, true).await;
        let off = set(&format!("{ABOUT}:webLogin"), &json!(false));
        client.patch(&format!("/Users/{fourth}"), off).await.expect(200);
        assert_eq!(app.nones().await, 5);
    }

    async fn administrators_by_a_group_or_a_role_of_the_tenants_own_are_missed_too(app: TestApp) {
        let app = app.licensed(9).await.scoped(&["admin"]).await;
        let ids = [app.user("a").await, app.user("b").await];
        let staff = app.group("staff", &[&ids[0], &ids[1]]).await;
        app.map(&staff, Some(ADMINISTRATOR), None).await;
        let path = format!("/Groups/{staff}");
        let gone = json!([{ "op": "remove", "path": format!("members[value eq \"{}\"]", ids[0]) }]);
        app.patch(&path, gone).await.expect(200);
        assert_eq!(app.nones().await, 0);
        app.delete(&path).await.expect(204);
        assert_eq!(app.nones().await, 1);
        let chief = json!({ "value": "chief", "administrative": true });
        app.admin("POST", "/roles", Some(&chief)).await.expect(201);
        app.user_with("c", &json!({ "roles": ["chief"] })).await;
        app.admin("DELETE", "/roles/chief", None).await.expect(204);
        assert_eq!(app.nones().await, 2);
    }
}
