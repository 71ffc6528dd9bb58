//! Sessions: kept, stolen, and ended by everything that takes rights away.

use futures_util::future::join_all;
use serde_json::{Value, json};
use usher::clock::Clock;

use crate::signin::{Tokens, refused};
use crate::support::app::TestApp;
use crate::support::asks::CONTACT_CENTER as ABOUT;
use crate::support::each_db;

impl TestApp {
    /// Whether a session lives: asks for its next tokens.
    async fn lives(&self, tokens: &Tokens) -> bool {
        let (me, refreshed) = (self.me(&tokens.access).await, self.refresh(&tokens.refresh).await);
        assert_eq!((me == 200), refreshed.status == 200, "{me} {}", refreshed.body);
        refreshed.status == 200
    }

    /// A user who is signed in, and one who stays so.
    async fn signed_in(&self, more: &Value) -> (String, Tokens, Tokens) {
        let id = self.with_password("anna-known", more).await;
        self.with_password("somebody", &json!({})).await;
        (id, self.log_in("anna-known").await, self.log_in("somebody").await)
    }

    /// The reasons for which sessions were ended, with how many there were.
    async fn reasons(&self) -> Vec<(String, i64)> {
        let all = self.details("sessions.revoked").await;
        let reason = |detail: &Value| {
            (detail["reason"].as_str().unwrap().to_owned(), detail["sessions"].as_i64().unwrap())
        };
        all.iter().map(reason).collect()
    }

    async fn ended_by(&self, reason: &str, (gone, kept): (&Tokens, &Tokens)) {
        assert!(!self.lives(gone).await, "{reason}");
        assert_eq!(self.reasons().await, [(reason.to_owned(), 1)]);
        assert!(self.lives(kept).await, "{reason} of somebody else");
    }
}

fn replace(path: &str, value: &Value) -> Value {
    json!([{ "op": "replace", "path": path, "value": value }])
}

each_db! {
    async fn a_refresh_token_is_good_once_and_its_reuse_ends_the_session(app: TestApp) {
        let office = app.office().await;
        let clock = Clock::fixed(Clock::System.now());
        let app = office.second_instance_at(clock.clone()).await;
        app.with_password("anna-known", &json!({})).await;
        let first = app.log_in("anna-known").await;
        let second = Tokens::of(&app.refresh(&first.refresh).await.expect(200));
        assert_ne!(first.refresh, second.refresh);
        clock.advance(9);
        let again = Tokens::of(&app.refresh(&first.refresh).await.expect(200));
        assert_eq!(again.refresh, second.refresh, "the answer was lost");
        clock.advance(2);
        assert_eq!(refused(&app.refresh(&first.refresh).await, 401), "sessionEnded");
        assert_eq!(refused(&app.refresh(&second.refresh).await, 401), "sessionEnded");
        assert_eq!(app.me(&second.access).await, 401);
        assert_eq!(app.reasons().await, [("reuse".to_owned(), 1)]);
    }

    async fn a_thief_who_refreshes_often_is_found_by_the_first_token_of_the_owner(app: TestApp) {
        let office = app.office().await;
        let clock = Clock::fixed(Clock::System.now());
        let app = office.second_instance_at(clock.clone()).await;
        app.with_password("anna-known", &json!({})).await;
        let stolen = app.log_in("anna-known").await;
        let mut thief = stolen.clone();
        for _ in 0..4 {
            thief = Tokens::of(&app.refresh(&thief.refresh).await.expect(200));
        }
        refused(&app.refresh(&stolen.refresh).await, 401);
        assert_eq!(refused(&app.refresh(&thief.refresh).await, 401), "sessionEnded");
        assert_eq!(app.reasons().await, [("reuse".to_owned(), 1)]);
    }

    async fn parallel_refreshes_of_one_token_have_one_successor_on_all_instances(app: TestApp) {
        let app = app.office().await;
        app.with_password("anna-known", &json!({})).await;
        let tokens = app.log_in("anna-known").await;
        let other = app.second_instance().await;
        let all = join_all((0..8).map(|number| {
            let at = if number % 2 == 0 { &app } else { &other };
            at.refresh(&tokens.refresh)
        }));
        let mut next: Vec<String> =
            all.await.into_iter().map(|reply| Tokens::of(&reply.expect(200)).refresh).collect();
        next.dedup();
        assert_eq!(next.len(), 1);
        other.refresh(&next[0]).await.expect(200);
    }

    async fn what_is_no_refresh_token_of_ours_is_refused(app: TestApp) {
        let app = app.office().await;
        app.with_password("anna-known", &json!({})).await;
        let tokens = app.log_in("anna-known").await;
        let bits = usher::domain::token::bits("refresh", &tokens.refresh).unwrap();
        for place in [0, 15, 19, 20, 31] {
            let mut wrong = bits;
            wrong[place] ^= 1;
            let wrong = usher::domain::token::text("refresh", wrong);
            assert_eq!(refused(&app.refresh(&wrong).await, 401), "sessionEnded", "{place}");
        }
        for wrong in ["", "x", &app.token, &tokens.access, &tokens.refresh[1..]] {
            assert_eq!(refused(&app.refresh(wrong).await, 401), "sessionEnded");
        }
        assert_eq!(app.reasons().await, []);
        assert!(app.lives(&tokens).await, "nobody ends a session by guessing");
    }

    async fn sessions_end_when_they_are_idle_and_in_any_case(app: TestApp) {
        let office = app.office().await;
        let clock = Clock::fixed(Clock::System.now());
        let app = office.second_instance_at(clock.clone()).await;
        let id = app.with_password("anna-known", &json!({})).await;
        let mut kept = app.log_in("anna-known").await;
        let idle = app.log_in("anna-known").await;
        for _ in 0..6 {
            clock.advance(13 * 86_400);
            kept = Tokens::of(&app.refresh(&kept.refresh).await.expect(200));
        }
        refused(&app.refresh(&idle.refresh).await, 401);
        let shown = app.admin("GET", &format!("/users/{id}/sessions"), None).await.expect(200);
        assert_eq!(shown.body["sessions"].as_array().unwrap().len(), 1);
        clock.advance(12 * 86_400 + 1);
        refused(&app.refresh(&kept.refresh).await, 401);
        app.app.forget_sessions().await.unwrap();
        assert_eq!(app.reasons().await, []);
    }

    async fn logging_out_ends_one_session_and_says_nothing_of_others(app: TestApp) {
        let app = app.office().await;
        app.with_password("anna-known", &json!({})).await;
        let (gone, kept) = (app.log_in("anna-known").await, app.log_in("anna-known").await);
        for token in [gone.refresh.as_str(), &gone.refresh, "x", "usher_refresh_x"] {
            app.auth("logout", &json!({ "refresh_token": token })).await.expect(204);
        }
        assert!(!app.lives(&gone).await);
        assert!(app.lives(&kept).await);
    }

    async fn administrators_see_sessions_and_end_all_of_them_everywhere(app: TestApp) {
        let app = app.office().await;
        let (id, one, kept) = app.from("198.51.100.7").signed_in(&json!({})).await;
        let two = app.from("198.51.100.8").log_in("anna-known").await;
        let other = app.second_instance().await;
        assert_eq!(other.me(&one.access).await, 200);
        let path = format!("/users/{id}/sessions");
        let shown = app.admin("GET", &path, None).await.expect(200).body;
        let networks: Vec<_> =
            shown["sessions"].as_array().unwrap().iter().map(|one| &one["network"]).collect();
        assert_eq!(networks, ["198.51.100.7", "198.51.100.8"]);
        let ended = app.admin("POST", &format!("{path}:revoke"), None).await.expect(200).body;
        assert_eq!(ended, json!({ "ended": 2 }));
        for tokens in [&one, &two] {
            assert_eq!((other.me(&tokens.access).await, app.me(&tokens.access).await), (401, 401));
            refused(&other.refresh(&tokens.refresh).await, 401);
        }
        assert!(app.lives(&kept).await);
        assert_eq!(app.reasons().await, [("revoked".to_owned(), 2)]);
        let weak = app.scoped(&["scim"]).await;
        weak.admin("POST", &format!("{path}:revoke"), None).await.expect(403);
        app.admin("POST", "/users/nobody/sessions:revoke", None).await.expect(404);
        let next = app.log_in("anna-known").await;
        assert!(other.lives(&next).await, "the next session has the next epoch");
    }

    async fn suspending_ends_sessions(app: TestApp) {
        let app = app.office().await;
        let (id, gone, kept) = app.signed_in(&json!({})).await;
        let path = format!("/Users/{id}");
        app.patch(&path, replace("active", &json!(false))).await.expect(200);
        app.ended_by("suspended", (&gone, &kept)).await;
        app.patch(&path, replace("active", &json!(true))).await.expect(200);
        assert!(!app.lives(&gone).await, "nothing comes back");
        let next = app.log_in("anna-known").await;
        assert!(app.lives(&next).await);
    }

    async fn suspending_and_deleting_under_the_brake_end_sessions(app: TestApp) {
        let app = app.braked("1%/1h", 40).await;
        let ids = app.people(6).await;
        let (id, gone, kept) = app.signed_in(&json!({})).await;
        for id in &ids {
            app.turn_off(id).await;
        }
        app.turn_off(&id).await;
        assert!(app.held().await.0 > 0);
        app.ended_by("suspended", (&gone, &kept)).await;
        app.undo().await;
        assert!(!app.lives(&gone).await);
        let again = app.log_in("anna-known").await;
        app.remove(&id).await;
        assert!(!app.lives(&again).await);
        app.undo().await;
        assert!(!app.lives(&again).await, "whoever is restored signs in anew");
        app.log_in("anna-known").await;
    }

    async fn deleting_ends_sessions(app: TestApp) {
        let app = app.office().await;
        let (id, gone, kept) = app.signed_in(&json!({})).await;
        app.remove(&id).await;
        app.ended_by("deleted", (&gone, &kept)).await;
    }

    async fn another_password_ends_sessions_and_the_same_does_not(app: TestApp) {
        let app = app.office().await;
        let (id, gone, kept) = app.signed_in(&json!({})).await;
        let path = format!("/Users/{id}");
        app.patch(&path, replace("password", &json!(crate::signin::PASSWORD))).await.expect(200);
        let gone = Tokens::of(&app.refresh(&gone.refresh).await.expect(200));
        app.patch(&path, replace("password", &json!("another password"))).await.expect(200);
        app.ended_by("password", (&gone, &kept)).await;
    }

    async fn blocking_the_login_ends_sessions(app: TestApp) {
        let app = app.office().await;
        let (id, gone, kept) = app.signed_in(&json!({})).await;
        app.write_about(&id, "webLoginBlocked", &json!(true)).await.expect(200);
        app.ended_by("blocked", (&gone, &kept)).await;
        app.write_about(&id, "webLoginBlocked", &json!(false)).await.expect(200);
        assert!(!app.lives(&gone).await);
    }

    async fn taking_the_login_away_ends_sessions(app: TestApp) {
        let app = app.office().await;
        let (id, gone, kept) = app.signed_in(&json!({})).await;
        app.write_about(&id, "webLogin", &json!(false)).await.expect(200);
        app.ended_by("webLogin", (&gone, &kept)).await;
    }

    async fn losing_a_role_ends_sessions_and_gaining_one_does_not(app: TestApp) {
        let app = app.office().await;
        let roles = |all: &[&str]| {
            json!(all.iter().map(|role| json!({ "value": role })).collect::<Vec<_>>())
        };
        let (id, gone, kept) = app.signed_in(&json!({ "roles": roles(&["agent"]) })).await;
        let path = format!("/Users/{id}");
        app.patch(&path, replace("roles", &roles(&["agent", "supervisor"]))).await.expect(200);
        let gone = Tokens::of(&app.refresh(&gone.refresh).await.expect(200));
        app.patch(&path, replace("roles", &roles(&["agent"]))).await.expect(200);
        app.ended_by("role", (&gone, &kept)).await;
    }

    async fn losing_a_role_by_a_group_ends_sessions(app: TestApp) {
        let app = app.office().await;
        let (id, _, kept) = app.signed_in(&json!({})).await;
        let group = app.group("Leads", &[&id]).await;
        app.map(&group, Some("supervisor"), None).await;
        let gone = app.log_in("anna-known").await;
        let before = app.reasons().await.len();
        let leave = json!([{ "op": "remove", "path": format!("members[value eq \"{id}\"]") }]);
        app.patch(&format!("/Groups/{group}"), leave).await;
        assert!(!app.lives(&gone).await);
        assert_eq!(app.reasons().await.len(), before + 1);
        assert!(app.lives(&kept).await);
    }

    async fn losing_the_role_in_an_account_ends_sessions(app: TestApp) {
        let app = app.office().await;
        let (id, _, kept) = app.signed_in(&json!({})).await;
        let account = json!({ "accountNumber": "A-1" });
        app.admin("POST", "/accounts", Some(&account)).await.expect(201);
        let path = format!("/users/{id}/memberships");
        let join = json!({ "account": "A-1", "role": "tech" });
        app.admin("POST", &path, Some(&join)).await.expect(201);
        let gone = app.log_in("anna-known").await;
        app.admin("DELETE", &format!("{path}/A-1"), None).await.expect(204);
        assert!(!app.lives(&gone).await);
        assert_eq!(app.reasons().await, [("role".to_owned(), 2)]);
        assert!(app.lives(&kept).await);
    }

    async fn a_bulk_request_ends_sessions_like_any_other(app: TestApp) {
        let app = app.office().await;
        let (id, gone, kept) = app.signed_in(&json!({})).await;
        let operations = json!([{ "op": "replace", "path": format!("{ABOUT}:webLoginBlocked"), "value": true }]);
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{ "method": "PATCH", "path": format!("/Users/{id}"), "data": {
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations } }],
        });
        app.post("/Bulk", &body).await.expect(200);
        app.ended_by("blocked", (&gone, &kept)).await;
    }

    async fn what_takes_no_rights_away_ends_nothing(app: TestApp) {
        let app = app.office().await;
        let (id, tokens, _) = app.signed_in(&json!({})).await;
        let path = format!("/Users/{id}");
        app.patch(&path, replace("displayName", &json!("Anna"))).await.expect(200);
        let shown = app.get(&path).await.expect(200).body;
        app.put(&path, &shown).await.expect(200);
        assert!(app.lives(&tokens).await);
        assert_eq!(app.reasons().await, []);
    }

    async fn a_session_of_too_many_pushes_the_oldest_out(app: TestApp) {
        let app = app.office().await;
        let id = app.with_password("anna-known", &json!({})).await;
        let first = app.log_in("anna-known").await;
        let mut last = first.clone();
        for _ in 0..50 {
            last = app.log_in("anna-known").await;
        }
        let shown = app.admin("GET", &format!("/users/{id}/sessions"), None).await.expect(200).body;
        assert_eq!(shown["sessions"].as_array().unwrap().len(), 50);
        assert!(!app.lives(&first).await);
        assert!(app.lives(&last).await);
    }
}
