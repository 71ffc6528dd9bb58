//! Where people and machines get around what keeps them out: addresses, mail boxes, links.

use serde_json::json;
use usher::app::tokens::NewToken;
use usher::clock::Clock;

use crate::access_tokens::part;
use crate::pages::mailed;
use crate::signin::{PASSWORD, Tokens, refused};
use crate::support::app::TestApp;
use crate::support::asks::{CONTACT_CENTER as ABOUT, INVITATION as INVITED, texts};
use crate::support::bulk::{
    ASYNC, Limit, address, large, message, post, send, some_users, users, work,
};
use crate::support::each_db;

each_db! {
    async fn nobody_takes_the_address_of_a_proxy_for_their_own(app: TestApp) {
        let app = app.office().await;
        let about = json!({ ABOUT: { "ipAccess": "selected", "allowedIps": ["10.0.0.0/8"] } });
        app.with_password("anna-known", &about).await;
        let behind = app.instance(Clock::System, |settings| {
            settings.exposure.trusted_proxies = vec!["10.1.0.0/16".parse().unwrap()];
        });
        let behind = behind.await.from("10.1.0.1");
        for (forwarded, lets_in) in [
            ("10.2.0.7", true),
            ("10.2.0.7:4711", true),
            ("203.0.113.9", false),
            ("203.0.113.9:4711", false),
            // The proxy has added where it comes from to what the client made up.
            ("\u{ff}, 203.0.113.9", false),
            ("10.2.0.7, \u{ff}, 203.0.113.9", false),
            // The proxy does not know it.
            ("10.2.0.7, unknown", false),
            ("\u{ff}", false),
        ] {
            let body = json!({ "tenant": app.tenant, "username": "anna-known", "password": PASSWORD });
            let headers = [("x-forwarded-for", forwarded)];
            let url = "http://usher.test/auth/login";
            let reply = behind.anonymous().send("POST", url, &headers, Some(&body)).await;
            if lets_in {
                reply.expect(200);
            } else {
                assert_eq!(refused(&reply, 403), "addressNotAllowed", "{forwarded:?}");
            }
        }
    }

    async fn another_mode_again_and_again_fills_no_mail_box_after_one_link_was_asked_for(app: TestApp) {
        let app = app.licensed(2).await.scoped(&["admin"]).await;
        let id = app.user_with("jane@x.example", &mailed("jane@x.example", &json!({ INVITED: { "mode": "email" } }))).await.id();
        let later = app.later(61).await;
        later.resend(&id).await.expect(200);
        for _ in 0..10 {
            for mode in ["link", "email"] {
                let path = format!("{INVITED}:mode");
                let change = json!([{ "op": "replace", "path": path, "value": mode }]);
                later.app.clock().advance(1);
                let changed = later.patch(&format!("/Users/{id}"), change).await.expect(200);
                assert_eq!(changed.body[INVITED]["status"], "pending");
            }
        }
        let mails = later.admin("GET", &format!("/mails?user={id}"), None).await.expect(200).body;
        let states = texts(&mails["mails"], "/state");
        let sent = states.iter().filter(|state| **state != "suppressed").count();
        assert_eq!((sent, states.len()), (6, 12));
        // None of them counts as asked for: five in a day are.
        for asked in 0..5 {
            later.app.clock().advance(61);
            assert_eq!(later.resend(&id).await.status, if asked < 4 { 200 } else { 400 });
        }
    }

    async fn a_link_for_a_password_does_not_come_back_with_a_deleted_user(app: TestApp) {
        let app = app.braked("10%/1h", 9).await;
        for id in app.people(6).await {
            app.remove(&id).await;
        }
        let id = app.with_password("ines", &mailed("ines@x.example", &json!({}))).await;
        app.forgets("ines").await.expect(200);
        let secret = app.letters("reset").await.pop().unwrap();
        let page = format!("http://usher.test/reset/{secret}");
        assert_eq!(app.anonymous().send("GET", &page, &[], None).await.status, 200);
        app.remove(&id).await;
        assert_eq!(app.anonymous().send("GET", &page, &[], None).await.status, 404);
        assert!(app.undo().await["deleted"].as_i64() > Some(0));
        app.log_in("ines").await;
        assert_eq!(app.anonymous().send("GET", &page, &[], None).await.status, 410);
    }

    async fn a_job_of_a_person_ends_when_the_person_is_logged_out_everywhere(app: TestApp) {
        let app = app.office().await;
        let admin = json!({ "roles": [{ "value": "account_admin" }] });
        let boss = app.with_password("boss", &admin).await;
        let worker = large(&app).await.bearing(&app.log_in("boss").await.access);
        let _ = address(&send(&worker, &[ASYNC], &work("p", 4000)).await);
        some_users(&app, "p").await;
        worker.app.worker().stop().await;
        let made = users(&app, "p").await;
        // The session was in wrong hands.
        let ctx = app.app.operator(&app.tenant).await.unwrap();
        app.app.revoke_sessions(&ctx, &boss).await.unwrap();
        let second = large(&app).await;
        second.app.take_up_bulk().await.unwrap();
        second.app.worker().stop().await;
        assert_eq!(users(&app, "p").await, made);
        // Who signs in anew does not wake it.
        app.log_in("boss").await;
        let third = large(&app).await;
        third.app.take_up_bulk().await.unwrap();
        third.app.worker().stop().await;
        assert_eq!(users(&app, "p").await, made);
    }

    async fn a_job_that_runs_does_no_more_than_its_token_may_now(app: TestApp) {
        let app = app.office().await;
        let wanted = NewToken { scopes: vec!["admin".to_owned()], ..NewToken::default() };
        let secret = app.app.create_token(&app.tenant, &wanted).await.unwrap();
        let worker = large(&app).await.bearing(&secret.token);
        let admins: Vec<_> = (0..6000)
            .map(|at| {
                let name = format!("r{at}");
                post("/Users", &name, &json!({ "userName": name, "roles": [{ "value": "account_admin" }] }))
            })
            .collect();
        let place = address(&send(&worker, &[ASYNC], &message(&admins)).await);
        some_users(&app, "r").await;
        app.app.set_token_scopes(&app.tenant, secret.id.as_str(), &["scim".to_owned()]).await.unwrap();
        let limit = Limit::new();
        let job = loop {
            let job = worker.get(&place).await.expect(200).body;
            if !["waiting", "running"].contains(&job["status"].as_str().unwrap()) {
                break job;
            }
            worker.app.take_up_bulk().await.unwrap();
            limit.pause(100, &job["status"]).await;
        };
        let all = job["Operations"].as_array().unwrap();
        assert_eq!((all.len(), all[0]["status"].as_str()), (6000, Some("201")));
        // As any change that gives a role which the token may not give.
        assert_eq!(all[5999]["status"], "400", "{}", all[5999]);
        assert_eq!(users(&app, "r5999").await, 0);
    }

    async fn a_lost_answer_is_given_again_for_the_account_that_is_wished_for_now(app: TestApp) {
        let app = app.office().await;
        let id = app.with_password("anna-known", &json!({})).await;
        let mut accounts = Vec::new();
        for number in ["A-1", "A-2"] {
            let body = json!({ "accountNumber": number });
            accounts.push(app.admin("POST", "/accounts", Some(&body)).await.expect(201).id());
            let join = json!({ "account": number });
            app.admin("POST", &format!("/users/{id}/memberships"), Some(&join)).await.expect(201);
        }
        let first = app.log_in("anna-known").await.refresh;
        let refresh = async |account: &str| {
            let body = json!({ "refresh_token": first, "account": account });
            let tokens = Tokens::of(&app.auth("refresh", &body).await.expect(200));
            (part(&tokens.access, 1)["account"].clone(), tokens.refresh)
        };
        let (used, second) = refresh("A-1").await;
        assert_eq!(used, accounts[0].as_str());
        assert_eq!(refresh("A-2").await, (json!(accounts[1]), second.clone()));
        // It stays with the session.
        let after = Tokens::of(&app.refresh(&second).await.expect(200));
        assert_eq!(part(&after.access, 1)["account"], accounts[1].as_str());
    }

    async fn a_technician_makes_no_password_of_an_administrator_whom_clients_may_make(app: TestApp) {
        let app = app.office().await;
        let assignable = "standard,tech,account_admin".to_owned();
        app.app.set_tenant(&app.tenant, &[("roles.assignable".to_owned(), assignable)]).await.unwrap();
        let role = |role: &str| mailed(&format!("{role}@x.example"), &json!({ "roles": [{ "value": role }] }));
        let boss = app.with_password("the-boss", &role("account_admin")).await;
        let plain = app.with_password("somebody", &role("standard")).await;
        app.with_password("technician", &role("tech")).await;
        let tech = app.bearing(&app.log_in("technician").await.access);
        let client = app.scoped(&["users:read", "users:write", "sessions:revoke"]).await;
        for (app, id, may) in [(&tech, &boss, false), (&tech, &plain, true), (&client, &boss, true)] {
            for (verb, done) in [("reset", 204), ("generate", 200)] {
                let path = format!("/users/{id}/password:{verb}");
                let status = app.admin("POST", &path, None).await.status;
                assert_eq!(status, if may { done } else { 403 }, "{verb}");
            }
        }
    }
}
