//! Signing in, and what those who attack it see: nothing.

use futures_util::future::join_all;
use serde_json::{Value, json};
use usher::clock::Clock;
use usher::store::{Error, Tx, passwords};

use crate::admin::problem;
use crate::support::app::{Reply, TestApp};
use crate::support::asks::{CONTACT_CENTER as ABOUT, user};
use crate::support::each_db;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// The tokens of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Tokens {
    pub(crate) fn of(reply: &Reply) -> Self {
        let text = |name: &str| reply.body[name].as_str().unwrap().to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token") }
    }
}

impl TestApp {
    /// A new tenant that shows everything, with a token that may do everything in it.
    pub(crate) async fn office(&self) -> Self {
        self.tenant_with("discovery.extensions", "all").await.scoped(&["admin"]).await
    }

    /// A user with a password; gives the id.
    pub(crate) async fn with_password(&self, name: &str, more: &Value) -> String {
        let mut body = user(name, more);
        body["password"] = PASSWORD.into();
        self.post("/Users", &body).await.expect(201).id()
    }

    pub(crate) async fn auth(&self, path: &str, body: &Value) -> Reply {
        let path = format!("http://usher.test/auth/{path}");
        let reply = self.anonymous().send("POST", &path, &[], Some(body)).await;
        assert_eq!(reply.header("cache-control"), "no-store");
        reply
    }

    pub(crate) async fn try_login(&self, name: &str, password: &str) -> Reply {
        let body = json!({ "tenant": self.tenant, "username": name, "password": password });
        self.auth("login", &body).await
    }

    pub(crate) async fn log_in(&self, name: &str) -> Tokens {
        Tokens::of(&self.try_login(name, PASSWORD).await.expect(200))
    }

    pub(crate) async fn refresh(&self, token: &str) -> Reply {
        self.auth("refresh", &json!({ "refresh_token": token })).await
    }

    /// The status of `/Me` with an access token.
    pub(crate) async fn me(&self, access: &str) -> u16 {
        self.bearing(access).get("/Me").await.status
    }

    pub(crate) async fn write_about(&self, id: &str, name: &str, value: &Value) -> Reply {
        let path = format!("{ABOUT}:{name}");
        let change = json!([{ "op": "replace", "path": path, "value": value }]);
        self.patch(&format!("/Users/{id}"), change).await
    }
}

/// The code of a refusal, without what differs between requests.
#[track_caller]
pub(crate) fn refused(reply: &Reply, status: u16) -> String {
    problem(reply, status);
    reply.body["code"].as_str().unwrap().to_owned()
}

fn alike(reply: &Reply) -> (u16, Value, Vec<String>) {
    let mut body = reply.body.clone();
    body["requestId"] = Value::Null;
    let mut headers: Vec<String> = reply.headers.keys().map(ToString::to_string).collect();
    headers.sort();
    (reply.status, body, headers)
}

each_db! {
    async fn people_sign_in_by_user_name_e_mail_and_login_phone(app: TestApp) {
        let app = app.office().await;
        let more = json!({
            "emails": [{ "value": "Anna@Example.org", "type": "work" }],
            ABOUT: { "loginPhone": "+49 151 2345678" },
        });
        app.with_password("anna.Schmidt", &more).await;
        for name in
            ["anna.Schmidt", " ANNA.schmidt ", "anna@example.ORG", "+491512345678", "+49 (151) 234-5678"]
        {
            let reply = app.try_login(name, PASSWORD).await.expect(200);
            assert_eq!((&reply.body["token_type"], &reply.body["expires_in"]), (&json!("Bearer"), &json!(300)));
            let refresh = reply.body["refresh_token"].as_str().unwrap();
            assert!(refresh.starts_with("usher_refresh_"), "{refresh}");
        }
        for name in ["anna", "", "491512345678", "Anna Schmidt"] {
            assert_eq!(refused(&app.try_login(name, PASSWORD).await, 401), "invalidCredentials");
        }
    }

    async fn a_name_that_fits_two_users_signs_in_nobody(app: TestApp) {
        let app = app.office().await;
        app.with_password("anna@example.org", &json!({})).await;
        app.log_in("anna@example.org").await;
        let mail = json!({ "emails": [{ "value": "anna@example.org", "type": "work" }] });
        app.with_password("other-one", &mail).await;
        refused(&app.try_login("anna@example.org", PASSWORD).await, 401);
        app.log_in("other-one").await;
    }

    async fn nobody_learns_from_an_answer_whether_there_is_such_a_user(app: TestApp) {
        let app = app.office().await;
        app.with_password("anna-known", &json!({})).await;
        app.post("/Users", &user("without-password", &json!({}))).await.expect(201);
        let off = app.with_password("anna-off", &json!({})).await;
        let change = json!([{ "op": "replace", "path": "active", "value": false }]);
        app.patch(&format!("/Users/{off}"), change).await.expect(200);
        app.with_password("no-login", &json!({ ABOUT: { "webLogin": false } })).await;
        let known = alike(&app.try_login("anna-known", "wrong password").await);
        assert_eq!(known.0, 401);
        for (name, password) in [
            ("nobody", PASSWORD),
            ("without-password", PASSWORD),
            ("anna-off", PASSWORD),
            ("no-login", PASSWORD),
            ("anna-known", "with \u{7} bell in it"),
            ("anna-known", ""),
        ] {
            assert_eq!(alike(&app.try_login(name, password).await), known, "{name}");
        }
        // PostgreSQL cannot be asked for such a character; nobody has it.
        for (name, password) in [("anna-known\u{0}", PASSWORD), ("anna-known", "\u{0}")] {
            problem(&app.try_login(name, password).await, 400);
        }
        let elsewhere = json!({ "tenant": "nowhere", "username": "anna-known", "password": PASSWORD });
        assert_eq!(alike(&app.auth("login", &elsewhere).await), known);
        let nameless = json!({ "username": "anna-known", "password": PASSWORD });
        assert_eq!(alike(&app.auth("login", &nameless).await), known, "there are two tenants");
    }

    async fn one_password_is_verified_whether_there_is_such_a_user_or_not(app: TestApp) {
        let app = app.office().await;
        app.with_password("anna-known", &json!({})).await;
        app.try_login("nobody", "x").await;
        for name in ["nobody", "anna-known", "", "+4915112345678"] {
            let before = app.app.hashes_done();
            refused(&app.try_login(name, "wrong password").await, 401);
            assert_eq!(app.app.hashes_done() - before, 1, "{name}");
        }
        let elsewhere = json!({ "tenant": "nowhere", "username": "x", "password": "x" });
        let before = app.app.hashes_done();
        refused(&app.auth("login", &elsewhere).await, 401);
        assert_eq!(app.app.hashes_done() - before, 1);
    }

    async fn who_knows_the_password_is_told_what_is_in_the_way(app: TestApp) {
        let app = app.office().await;
        app.with_password("blocked", &json!({ ABOUT: { "webLoginBlocked": true } })).await;
        app.with_password("changing", &json!({ ABOUT: { "mustChangePassword": true } })).await;
        app.admin("PATCH", "/pools/default", Some(&json!({ "total": 2, "overagePolicy": "waitlist" }))).await.expect(200);
        app.with_password("waiting", &json!({})).await;
        for (name, code) in
            [("blocked", "loginBlocked"), ("changing", "mustChangePassword"), ("waiting", "noFreeSeat")]
        {
            assert_eq!(refused(&app.try_login(name, PASSWORD).await, 403), code);
            assert_eq!(refused(&app.try_login(name, "wrong").await, 401), "invalidCredentials");
        }
    }

    async fn another_tenants_password_opens_nothing(app: TestApp) {
        let (one, other) = (app.office().await, app.office().await);
        one.with_password("anna-one", &json!({})).await;
        refused(&other.try_login("anna-one", PASSWORD).await, 401);
        one.log_in("anna-one").await;
    }

    async fn the_only_tenant_need_not_be_named(app: TestApp) {
        app.with_password("anna", &json!({})).await;
        let body = json!({ "username": "anna", "password": PASSWORD });
        app.auth("login", &body).await.expect(200);
        for wrong in [json!({ "username": "anna" }), json!({ "username": "anna", "password": 1 }), json!([]),
            json!({ "username": "anna", "password": "x", "admin": true })]
        {
            problem(&app.auth("login", &wrong).await, 400);
        }
        let huge = json!({ "username": "anna", "password": "x".repeat(20_000) });
        problem(&app.auth("login", &huge).await, 413);
    }

    async fn a_hash_of_other_costs_is_made_anew(app: TestApp) {
        let app = app.office().await;
        let id = app.with_password("anna-known", &json!({})).await;
        let dearer = app.instance(Clock::System, |settings| settings.work.argon2_memory = 128).await;
        dearer.log_in("anna-known").await;
        let (tenant, at) = (app.app.tenant(&app.tenant).await.unwrap().id, id.clone());
        let look = async move |tx: &mut Tx<'_>| passwords::find(tx, &tenant, &at).await;
        let phc = app.store.read::<_, Error, _>(look).await.unwrap().unwrap();
        assert!(phc.contains("m=128"), "{phc}");
        let version = app.get(&format!("/Users/{id}")).await.header("etag").to_owned();
        assert_eq!(version, "W/\"1\"", "the user is the same");
    }

    async fn addresses_that_a_client_makes_up_are_not_believed(app: TestApp) {
        let app = app.office().await;
        let about = json!({ ABOUT: { "ipAccess": "selected", "allowedIps": ["192.0.2.0/24"] } });
        app.with_password("anna-known", &about).await;
        let from = async |app: &TestApp, forwarded: &str| {
            let body = json!({ "tenant": app.tenant, "username": "anna-known", "password": PASSWORD });
            let headers = [("x-forwarded-for", forwarded)];
            app.anonymous().send("POST", "http://usher.test/auth/login", &headers, Some(&body)).await
        };
        let (inside, outside) = (app.from("192.0.2.7"), app.from("198.51.100.7"));
        from(&inside, "203.0.113.1").await.expect(200);
        assert_eq!(refused(&from(&outside, "192.0.2.7").await, 403), "addressNotAllowed");
        assert_eq!(refused(&from(&app, "192.0.2.7").await, 403), "addressNotAllowed");
        let trusting = app.instance(Clock::System, |settings| {
            settings.exposure.trusted_proxies = vec!["198.51.100.0/24".parse().unwrap()];
        });
        let trusting = trusting.await.from("198.51.100.7");
        from(&trusting, "203.0.113.9, 192.0.2.7").await.expect(200);
        assert_eq!(refused(&from(&trusting, "192.0.2.7, 203.0.113.9").await, 403), "addressNotAllowed");
        // Every use of the session is looked at, too.
        let tokens = Tokens::of(&from(&inside, "").await);
        assert_eq!(refused(&outside.refresh(&tokens.refresh).await, 403), "addressNotAllowed");
        assert_eq!((outside.me(&tokens.access).await, inside.me(&tokens.access).await), (403, 200));
        inside.refresh(&tokens.refresh).await.expect(200);
    }

    async fn guessing_one_password_is_slowed_down(app: TestApp) {
        let office = app.office().await;
        let clock = Clock::fixed(Clock::System.now());
        let app = office.second_instance_at(clock.clone()).await.from("198.51.100.7");
        app.with_password("anna-known", &json!({})).await;
        for _ in 0..5 {
            refused(&app.try_login("anna-known", "wrong").await, 401);
        }
        let slowed = app.try_login("ANNA-known", PASSWORD).await;
        assert_eq!(refused(&slowed, 429), "tooManyAttempts");
        assert_eq!(slowed.header("retry-after"), "1");
        clock.advance(1);
        refused(&app.try_login("anna-known", "wrong").await, 401);
        assert_eq!(app.try_login("anna-known", "wrong").await.header("retry-after"), "2");
        clock.advance(2);
        app.log_in("anna-known").await;
        refused(&app.try_login("anna-known", "wrong").await, 401);
        // Another instance allows as much again and no more.
        let other = office.second_instance_at(clock).await.from("198.51.100.7");
        for _ in 0..5 {
            refused(&other.try_login("anna-known", "wrong").await, 401);
        }
        refused(&other.try_login("anna-known", "wrong").await, 429);
    }

    async fn one_password_for_many_names_is_caught_by_the_network(app: TestApp) {
        let app = app.office().await;
        app.with_password("anna-known", &json!({})).await;
        let sprayer = app.from("2001:db8:1:2::3");
        let guesses = join_all((0..60).map(|number| {
            // The rest of an address is the attacker's to choose.
            let one = app.from(&format!("2001:db8:1:2::{number:x}"));
            async move { one.try_login(&format!("name{number}"), "Summer2026!").await.status }
        }));
        let guesses = guesses.await;
        let caught = guesses.iter().filter(|status| **status == 429).count();
        assert!((9..=10).contains(&caught), "{guesses:?}");
        refused(&sprayer.try_login("anna-known", PASSWORD).await, 429);
        app.from("198.51.100.7").log_in("anna-known").await;
    }

    async fn an_attack_from_everywhere_does_not_lock_a_person_out(app: TestApp) {
        let app = app.office().await;
        app.with_password("anna-known", &json!({})).await;
        let home = app.from("198.51.100.7");
        home.log_in("anna-known").await;
        let mut statuses = Vec::new();
        for number in 0..30 {
            let bot = app.from(&format!("203.0.113.{number}"));
            statuses.push(bot.try_login("anna-known", "wrong").await.status);
        }
        assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 10, "{statuses:?}");
        refused(&app.from("203.0.113.99").try_login("anna-known", PASSWORD).await, 429);
        home.log_in("anna-known").await;
        // Other names are slowed down by nothing of it, and one that nobody has looks the same.
        refused(&app.from("203.0.113.99").try_login("nobody", PASSWORD).await, 401);
        for number in 0..20 {
            app.from(&format!("203.0.113.{}", 100 + number)).try_login("nobody", "wrong").await;
        }
        refused(&app.from("203.0.113.200").try_login("nobody", "wrong").await, 429);
    }

    async fn a_name_is_counted_however_it_is_written_and_whether_it_is_anybodys_or_not(app: TestApp) {
        let app = app.office().await;
        app.with_password("anna-known", &json!({ ABOUT: { "loginPhone": "+491512345678" } })).await;
        for (network, names) in [
            ("198.51.100.1", ["+49 1512345678", "+49-1512345678", "+49.1512345678", "tel:+491512345678", "+491512345678"]),
            ("198.51.100.2", ["+49 1519999999", "+49-1519999999", "+49.1519999999", "tel:+491519999999", "+491519999999"]),
            ("198.51.100.3", ["anna-known", "ANNA-known", "\u{ff41}nna-known", "an\u{ff4e}a-known", " anna-known "]),
            ("198.51.100.4", ["nobody-known", "NOBODY-known", "\u{ff4e}obody-known", "nob\u{ff4f}dy-known", " nobody-known "]),
        ] {
            let app = app.from(network);
            for name in names {
                refused(&app.try_login(name, "wrong").await, 401);
            }
            refused(&app.try_login(names[0], "wrong").await, 429);
        }
    }

    async fn guesses_at_the_same_time_are_counted_before_they_are_answered(app: TestApp) {
        let app = app.office().await.from("198.51.100.7");
        app.with_password("anna-known", &json!({})).await;
        let guesses = join_all((0..20).map(|_| app.try_login("anna-known", "wrong"))).await;
        let looked_at = guesses.iter().filter(|reply| reply.status == 401).count();
        assert_eq!(looked_at, 5);
    }
}
