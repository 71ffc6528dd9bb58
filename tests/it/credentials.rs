//! Passwords that people and administrators set.

use serde_json::{Value, json};
use usher::app::Error;
use usher::app::door::Client;
use usher::app::mail::BrandChange;
use usher::app::signin::{Attempt, SignedIn};
use usher::clock::Clock;
use usher::domain::standing::Refusal;

use crate::admin::problem;
use crate::signin::{PASSWORD, refused};
use crate::support::app::TestApp;
use crate::support::asks::CONTACT_CENTER as ABOUT;
use crate::support::each_db;

const OTHER: &str = "tinte gabel orbit lachs";

impl TestApp {
    async fn right_to_change(&self, name: &str) -> String {
        let attempt = Attempt {
            tenant: Some(self.tenant.clone()),
            name: name.to_owned(),
            password: PASSWORD.to_owned(),
            ..Attempt::default()
        };
        match self.app.sign_in(&attempt).await.unwrap() {
            SignedIn::MustChange(must) => must.right,
            SignedIn::In(_) => panic!("signed in"),
        }
    }
}

fn is_invalid(done: &Result<(), Error>) -> bool {
    matches!(done, Err(Error::SignIn(Refusal::Invalid)))
}

each_db! {
    async fn a_made_password_is_shown_once_and_must_be_changed(app: TestApp) {
        let app = app.office().await;
        let id = app.with_password("anna-known", &json!({})).await;
        let tokens = app.log_in("anna-known").await;
        let made = app.admin("POST", &format!("/users/{id}/password:generate"), None).await.expect(200).body;
        let made = made["password"].as_str().unwrap();
        assert!(made.len() >= 20, "{made}");
        assert_eq!(app.me(&tokens.access).await, 401, "sessions have ended");
        refused(&app.try_login("anna-known", PASSWORD).await, 401);
        assert_eq!(refused(&app.try_login("anna-known", made).await, 403), "mustChangePassword");
        let shown = app.get(&format!("/Users/{id}")).await.body;
        assert_eq!(shown[ABOUT]["mustChangePassword"], true);
        assert!(!shown.to_string().contains(made));
        let attempt = Attempt { tenant: Some(app.tenant.clone()), name: "anna-known".to_owned(),
            password: made.to_owned(), ..Attempt::default() };
        let SignedIn::MustChange(must) = app.app.sign_in(&attempt).await.unwrap() else { panic!() };
        app.app.change_by_right(&must.right, OTHER).await.unwrap();
        app.try_login("anna-known", OTHER).await.expect(200);
        let shown = app.get(&format!("/Users/{id}")).await.body;
        assert!(shown[ABOUT].get("mustChangePassword").is_none());
        assert_eq!(app.details("password.changed").await.len(), 2);
    }

    async fn the_right_to_change_a_password_is_good_once_and_for_ten_minutes(app: TestApp) {
        let office = app.office().await;
        let clock = Clock::fixed(Clock::System.now());
        let app = office.second_instance_at(clock.clone()).await;
        app.with_password("anna-known", &json!({ ABOUT: { "mustChangePassword": true } })).await;
        let (right, late) = (app.right_to_change("anna-known").await, app.right_to_change("anna-known").await);
        let weak = app.app.change_by_right(&right, "anna-known1").await;
        assert!(matches!(weak, Err(Error::Weak(..))), "{weak:?}");
        for wrong in ["", "x", &right[1..], &format!("{right}A")] {
            assert!(is_invalid(&app.app.change_by_right(wrong, OTHER).await), "{wrong}");
        }
        clock.advance(599);
        app.app.change_by_right(&right, OTHER).await.unwrap();
        assert!(is_invalid(&app.app.change_by_right(&right, PASSWORD).await), "used");
        assert!(is_invalid(&app.app.change_by_right(&late, PASSWORD).await), "the password is another one");
        app.try_login("anna-known", OTHER).await.expect(200);
        app.with_password("somebody", &json!({ ABOUT: { "mustChangePassword": true } })).await;
        let right = app.right_to_change("somebody").await;
        clock.advance(600);
        assert!(is_invalid(&app.app.change_by_right(&right, OTHER).await), "late");
    }

    async fn people_change_their_password_by_the_present_one(app: TestApp) {
        let app = app.office().await;
        let id = app.with_password("anna-known", &json!({})).await;
        let tokens = app.log_in("anna-known").await;
        let client = Client::new(Some("198.51.100.7".parse().unwrap()), "test");
        let change = async |current: &str, new: &str| {
            app.app.change_password(&app.tenant, &id, (current, new), &client).await
        };
        assert!(is_invalid(&change("wrong", OTHER).await));
        assert!(matches!(change(PASSWORD, "password1234").await, Err(Error::Weak(..))));
        assert_eq!(app.me(&tokens.access).await, 200, "nothing has changed");
        change(PASSWORD, OTHER).await.unwrap();
        assert_eq!(app.me(&tokens.access).await, 401);
        app.try_login("anna-known", OTHER).await.expect(200);
        for _ in 0..5 {
            assert!(is_invalid(&change("wrong", PASSWORD).await));
        }
        assert!(matches!(change(OTHER, PASSWORD).await, Err(Error::TooMany(_))));
    }

    async fn what_is_known_of_a_person_makes_no_password(app: TestApp) {
        let app = app.office().await;
        let more = json!({
            "name": { "givenName": "Annabel", "familyName": "Schmidt" },
            "emails": [{ "value": "a.schmidt@wagenheber.example", "type": "work" }],
            ABOUT: { "loginPhone": "+491512345678" },
        });
        let id = app.with_password("anna-known", &more).await;
        let ctx = app.app.operator(&app.tenant).await.unwrap();
        let brand = BrandChange { name: Some(Some("Kolibrifunk".to_owned())), ..BrandChange::default() };
        app.app.set_brand(&ctx, brand).await.unwrap();
        for (typed, code) in [
            ("kolibrifunk!", Some("passwordOwn")),
            ("Annabel-Schmidt", Some("passwordOwn")), ("wagenheber26", Some("passwordOwn")),
            ("4915123456 78!", Some("passwordOwn")), ("Welcome2026!", Some("passwordCommon")),
            ("short", Some("passwordUnfit")), ("qwertyuiop12", Some("passwordGuessable")), (OTHER, None),
        ] {
            let judged = app.app.judge_password(&ctx, &id, typed).await.unwrap();
            assert_eq!(judged.weak.as_ref().map(usher::domain::strength::Weak::code), code, "{typed}");
            assert_eq!(judged.strength >= 3, code.is_none(), "{typed}");
            let set = app.app.set_password(&ctx, &id, typed).await;
            assert_eq!(set.is_ok(), code.is_none(), "{typed}");
        }
        // What a client sends is measured and no more.
        let easy = json!([{ "op": "replace", "path": "password", "value": "Welcome2026!" }]);
        app.patch(&format!("/Users/{id}"), easy).await.expect(200);
    }

    async fn only_administrators_make_passwords_of_administrators(app: TestApp) {
        let app = app.office().await;
        let admin = json!({ "roles": [{ "value": "account_admin" }] });
        let boss = app.with_password("the-boss", &admin).await;
        let plain = app.with_password("somebody", &json!({})).await;
        let tech = app.scoped(&["users:read", "sessions:revoke"]).await;
        let make = async |app: &TestApp, id: &str| -> u16 {
            app.admin("POST", &format!("/users/{id}/password:generate"), None).await.status
        };
        assert_eq!((make(&tech, &boss).await, make(&tech, &plain).await), (403, 200));
        app.log_in("the-boss").await;
        assert_eq!(make(&app, &boss).await, 200);
        let weak = app.scoped(&["scim"]).await;
        problem(&weak.admin("POST", &format!("/users/{plain}/password:generate"), None).await, 403);
        assert_eq!(make(&app, "nobody").await, 404);
    }

    async fn the_time_of_the_last_sign_in_is_shown(app: TestApp) {
        let office = app.office().await;
        let clock = Clock::fixed(usher::clock::Micros(1_800_000_000_000_000));
        let app = office.second_instance_at(clock.clone()).await;
        let id = app.with_password("anna-known", &json!({})).await;
        let shown = async || -> Value {
            let path = format!("/Users/{id}?attributes={ABOUT}:lastLoginAt");
            app.get(&path).await.expect(200).body[ABOUT]["lastLoginAt"].clone()
        };
        assert_eq!(shown().await, Value::Null);
        app.log_in("anna-known").await;
        assert_eq!(shown().await, "2027-01-15T08:00:00Z");
        clock.advance(60);
        app.try_login("anna-known", "wrong").await;
        assert_eq!(shown().await, "2027-01-15T08:00:00Z");
        app.log_in("anna-known").await;
        assert_eq!(shown().await, "2027-01-15T08:01:00Z");
        let version = app.get(&format!("/Users/{id}")).await.header("etag").to_owned();
        assert_eq!(version, "W/\"1\"", "signing in changes no user");
    }
}
