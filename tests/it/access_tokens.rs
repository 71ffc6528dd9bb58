//! Access tokens: what they say, who made them, and what they open at Usher itself.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use usher::clock::Clock;
use usher::store::{Error, Tx};

use crate::admin::problem;
use crate::signin::{PASSWORD, Tokens, refused};
use crate::support::app::TestApp;
use crate::support::asks::CONTACT_CENTER as ABOUT;
use crate::support::each_db;

/// A part of a token as JSON: the header is 0, the claims are 1.
pub(crate) fn part(token: &str, place: usize) -> Value {
    let text = URL_SAFE_NO_PAD.decode(token.split('.').nth(place).unwrap()).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// A token with another part in the place of one.
fn with_part(token: &str, place: usize, value: &Value) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts[place] = URL_SAFE_NO_PAD.encode(value.to_string());
    parts.join(".")
}

impl TestApp {
    async fn jwks(&self) -> Vec<Value> {
        let reply =
            self.anonymous().get("http://usher.test/.well-known/jwks.json").await.expect(200);
        assert_eq!(reply.header("cache-control"), "public, max-age=300");
        reply.body["keys"].as_array().unwrap().clone()
    }

    /// Puts a key of the test in the place of the one of this name, for instances that read it from now on.
    async fn own_key(&self, kid: &Value) -> EncodingKey {
        let made =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                .unwrap();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref()).unwrap();
        let point = pair.public_key().as_ref();
        let [x, y] = [&point[1..33], &point[33..]].map(|part| URL_SAFE_NO_PAD.encode(part));
        let public = json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": kid, "x": x, "y": y });
        let (public, id) = (public.to_string(), kid.as_str().unwrap().to_owned());
        let put = async move |tx: &mut Tx<'_>| {
            let sql = "UPDATE signing_keys SET public = $1 WHERE id = $2";
            tx.execute(sql, &[(&public).into(), (&id).into()]).await
        };
        self.store.write_apart::<_, Error, _>(put).await.unwrap();
        EncodingKey::from_ec_der(made.as_ref())
    }

    /// The claims of a token, verified as a product does: by the public keys alone.
    async fn claims_of(&self, token: &str) -> Value {
        let kid = part(token, 0)["kid"].clone();
        let keys = self.jwks().await;
        let key = keys.iter().find(|key| key["kid"] == kid).unwrap();
        let text = |name: &str| key[name].as_str().unwrap();
        let key = jsonwebtoken::DecodingKey::from_ec_components(text("x"), text("y")).unwrap();
        let mut rules = jsonwebtoken::Validation::new(Algorithm::ES256);
        rules.set_audience(&["usher"]);
        rules.set_issuer(&["http://usher.test"]);
        rules.validate_exp = false;
        jsonwebtoken::decode::<Value>(token, &key, &rules).unwrap().claims
    }
}

each_db! {
    async fn a_token_says_what_the_product_needs_and_nothing_personal(app: TestApp) {
        let app = app.office().await;
        let more = json!({
            "roles": [{ "value": "supervisor" }],
            "emails": [{ "value": "anna@example.org", "type": "work" }],
            ABOUT: { "createAgent": true, "callForwardNumber": "+491512345678", "reportScope": "Department" },
        });
        let id = app.with_password("anna-known", &more).await;
        let agent = app.get(&format!("/Users/{id}")).await.body[ABOUT]["agent"]["value"].clone();
        let token = app.log_in("anna-known").await.access;
        let header = part(&token, 0);
        assert_eq!((&header["alg"], &header["typ"]), (&json!("ES256"), &json!("at+jwt")));
        let claims = app.claims_of(&token).await;
        let mut names: Vec<&str> = claims.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["agent_id", "aud", "client_id", "epoch", "exp", "iat", "iss", "jti",
            "report_scope", "roles", "seat_type", "sid", "sub", "tenant"]);
        for (name, expected) in [
            ("iss", json!("http://usher.test")), ("aud", json!("usher")), ("sub", json!(id)),
            ("tenant", json!(app.tenant)), ("roles", json!(["supervisor"])), ("seat_type", json!("default")),
            ("agent_id", agent), ("report_scope", json!("department")), ("epoch", json!(0)),
        ] {
            assert_eq!(claims[name], expected, "{name}");
        }
        let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!(life, 300);
        app.admin("POST", &format!("/users/{id}/sessions:revoke"), None).await.expect(200);
        let next = app.claims_of(&app.log_in("anna-known").await.access).await;
        assert_eq!(next["epoch"], 1);
        assert_ne!((&next["sid"], &next["jti"]), (&claims["sid"], &claims["jti"]));
    }

    async fn the_account_is_chosen_when_signing_in_or_later(app: TestApp) {
        let app = app.office().await;
        let id = app.with_password("anna-known", &json!({})).await;
        let mut accounts = Vec::new();
        for (number, role) in [("A-1", "tech"), ("A-2", "conference")] {
            let body = json!({ "accountNumber": number });
            accounts.push(app.admin("POST", "/accounts", Some(&body)).await.expect(201).id());
            let join = json!({ "account": number, "role": role });
            app.admin("POST", &format!("/users/{id}/memberships"), Some(&join)).await.expect(201);
        }
        let other = json!({ "accountNumber": "A-3" });
        app.admin("POST", "/accounts", Some(&other)).await.expect(201);
        let said = |token: &str| (part(token, 1)["account"].clone(), part(token, 1)["roles"].clone());
        let login = async |account: &str| {
            let body = json!({ "tenant": app.tenant, "username": "anna-known", "password": PASSWORD, "account": account });
            app.auth("login", &body).await
        };
        let first = app.log_in("anna-known").await;
        assert_eq!(said(&first.access), (json!(accounts[0]), json!(["tech", "standard"])));
        let second = Tokens::of(&login("a-2").await.expect(200));
        assert_eq!(said(&second.access), (json!(accounts[1]), json!(["conference", "standard"])));
        for wrong in ["A-3", "A-9", "", &id] {
            assert_eq!(refused(&login(wrong).await, 403), "accountNotAvailable");
        }
        let kept = Tokens::of(&app.refresh(&second.refresh).await.expect(200));
        assert_eq!(said(&kept.access).0, json!(accounts[1]));
        let change = json!({ "refresh_token": kept.refresh, "account": accounts[0] });
        let changed = Tokens::of(&app.auth("refresh", &change).await.expect(200));
        assert_eq!(said(&changed.access).0, json!(accounts[0]));
        // An account that is suspended is used no more, by whoever began with it.
        let off = json!({ "status": "suspended" });
        app.admin("PATCH", "/accounts/A-1", Some(&off)).await.expect(200);
        let moved = Tokens::of(&app.refresh(&changed.refresh).await.expect(200));
        assert_eq!(said(&moved.access).0, json!(accounts[1]));
        assert_eq!(refused(&login("A-1").await, 403), "accountNotAvailable");
        // What a role opens in an account opens nothing here, which is about all of them.
        assert_eq!(app.bearing(&first.access).get("/Users").await.status, 403);
    }

    async fn tokens_that_we_did_not_sign_open_nothing(app: TestApp) {
        let app = app.office().await;
        app.with_password("anna-known", &json!({})).await;
        let token = app.log_in("anna-known").await.access;
        assert_eq!(app.me(&token).await, 200);
        let (header, claims) = (part(&token, 0), part(&token, 1));
        let key = app.jwks().await.remove(0);
        let mut forged = Vec::new();
        for none in ["none", "None", "NONE"] {
            let unsigned = with_part(&token, 0, &json!({ "alg": none, "typ": "at+jwt", "kid": header["kid"] }));
            let (head, _) = unsigned.rsplit_once('.').unwrap();
            forged.extend([unsigned.clone(), format!("{head}.")]);
        }
        // The public key as if it were a shared secret, in each form that somebody may have it in.
        let kid = header["kid"].as_str().map(str::to_owned);
        let hs = Header { typ: Some("at+jwt".to_owned()), kid: kid.clone(), ..Header::new(Algorithm::HS256) };
        let point = [&[4][..], &URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap(),
            &URL_SAFE_NO_PAD.decode(key["y"].as_str().unwrap()).unwrap()].concat();
        for secret in [key.to_string().into_bytes(), point, key["x"].as_str().unwrap().into()] {
            forged.push(jsonwebtoken::encode(&hs, &claims, &EncodingKey::from_secret(&secret)).unwrap());
        }
        // A key of somebody else, under our name for ours, under theirs, and brought along.
        let theirs = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let theirs = EncodingKey::from_ec_der(theirs.as_ref());
        for kid in [kid.clone(), Some("theirs".to_owned()), None] {
            let header = Header { typ: Some("at+jwt".to_owned()), kid, ..Header::new(Algorithm::ES256) };
            forged.push(jsonwebtoken::encode(&header, &claims, &theirs).unwrap());
        }
        // Another type, other claims, no signature at all.
        forged.push(with_part(&token, 0, &json!({ "alg": "ES256", "typ": "JWT", "kid": header["kid"] })));
        for (name, value) in [("sub", json!("x")), ("roles", json!(["account_admin"])), ("exp", json!(9_999_999_999_i64))] {
            let mut claims = claims.clone();
            claims[name] = value;
            forged.push(with_part(&token, 1, &claims));
        }
        forged.extend(["..".to_owned(), "a.b.c".to_owned(), format!("{token}x")]);
        for wrong in forged {
            assert_eq!(app.me(&wrong).await, 401, "{wrong}");
        }
    }

    async fn a_token_is_good_for_its_life_its_issuer_and_its_audience(app: TestApp) {
        let office = app.office().await;
        let clock = Clock::fixed(Clock::System.now());
        let app = office.second_instance_at(clock.clone()).await;
        app.with_password("anna-known", &json!({})).await;
        let token = app.log_in("anna-known").await.access;
        let others = office.instance(clock.clone(), |settings| "other".clone_into(&mut settings.identity.audience)).await;
        assert_eq!(others.me(&token).await, 401);
        clock.advance(299);
        assert_eq!(app.me(&token).await, 200);
        clock.advance(1);
        assert_eq!(app.me(&token).await, 401, "not a second longer");
        // The clocks of two instances differ a little, and never by much.
        let token = app.log_in("anna-known").await.access;
        for (behind, status) in [(50, 200), (70, 401)] {
            let late = Clock::fixed(clock.now().plus_seconds(-behind));
            assert_eq!(office.second_instance_at(late).await.me(&token).await, status, "{behind}");
        }
    }

    async fn what_our_key_signed_is_an_access_token_of_ours_or_nothing(app: TestApp) {
        let app = app.office().await;
        app.with_password("anna-known", &json!({})).await;
        let short = app.instance(Clock::System, |settings| settings.identity.session_idle_days = 1);
        let token = short.await.log_in("anna-known").await.access;
        let (header, claims) = (part(&token, 0), part(&token, 1));
        let key = app.own_key(&header["kid"]).await;
        let app = app.second_instance().await;
        let signed = |typ: Option<&str>, change: &dyn Fn(&mut Value)| {
            let mut claims = claims.clone();
            change(&mut claims);
            let kid = header["kid"].as_str().map(str::to_owned);
            let typ = typ.map(str::to_owned);
            let header = Header { typ, kid, ..Header::new(Algorithm::ES256) };
            jsonwebtoken::encode(&header, &claims, &key).unwrap()
        };
        let kind = Some("at+jwt");
        assert_eq!(app.me(&signed(kind, &|_| {})).await, 200);
        for other in [None, Some("JWT"), Some("id+jwt")] {
            assert_eq!(app.me(&signed(other, &|_| {})).await, 401, "{other:?}");
        }
        for (name, value) in [
            ("iss", json!("http://other.test")),
            ("iss", json!("http://usher.test.evil.example")),
            ("aud", json!("other")),
            ("sub", json!("x")),
            ("sid", json!("x")),
            ("tenant", json!("other")),
            ("epoch", json!(7)),
            ("exp", json!(1)),
            ("iat", json!(9_999_999_999_i64)),
        ] {
            let forged = signed(kind, &|claims| claims[name] = value.clone());
            assert_eq!(app.me(&forged).await, 401, "{name} {value}");
            let less = signed(kind, &|claims| drop(claims.as_object_mut().unwrap().remove(name)));
            assert_eq!(app.me(&less).await, 401, "{name}");
        }
        // However long it says that it lives, it ends with its session.
        let long = signed(kind, &|claims| claims["exp"] = json!(9_999_999_999_i64));
        let late = Clock::fixed(Clock::System.now().plus_seconds(2 * 86_400));
        let late = app.second_instance_at(late).await;
        assert_eq!((app.me(&long).await, late.me(&long).await), (200, 401));
    }

    async fn the_host_of_a_request_is_in_no_token(app: TestApp) {
        let app = app.office().await;
        app.with_password("anna-known", &json!({})).await;
        let body = json!({ "tenant": app.tenant, "username": "anna-known", "password": PASSWORD });
        let headers = [("host", "evil.example"), ("x-forwarded-host", "evil.example"), ("forwarded", "host=evil.example")];
        let reply = app.anonymous().send("POST", "http://usher.test/auth/login", &headers, Some(&body)).await.expect(200);
        let token = Tokens::of(&reply).access;
        assert_eq!(app.claims_of(&token).await["iss"], "http://usher.test");
    }

    async fn instances_share_keys_and_make_one_at_first(app: TestApp) {
        let app = app.office().await;
        app.with_password("anna-known", &json!({})).await;
        let other = app.second_instance().await;
        let keys = join_all([app.jwks(), other.jwks(), app.jwks(), other.jwks()]).await;
        assert_eq!(keys[0].len(), 1);
        assert!(keys.iter().all(|seen| seen == &keys[0]), "{keys:?}");
        let token = app.log_in("anna-known").await.access;
        assert_eq!(other.me(&token).await, 200);
        let secret = key_rows(&app).await;
        assert!(!secret.contains("PRIVATE") && !secret.contains("\"d\""), "{secret}");
    }

    async fn keys_change_while_tokens_are_out(app: TestApp) {
        let office = app.office().await;
        let clock = Clock::fixed(Clock::System.now());
        let app = office.second_instance_at(clock.clone()).await;
        let other = office.second_instance_at(clock.clone()).await;
        app.with_password("anna-known", &json!({})).await;
        let kid = |token: &str| part(token, 0)["kid"].as_str().unwrap().to_owned();
        let first = app.log_in("anna-known").await;
        let states = async |app: &TestApp| -> Vec<&str> {
            app.app.signing_keys().await.unwrap().into_iter().map(|key| key.state).collect()
        };
        assert_eq!(states(&app).await, ["signs"]);
        clock.advance(28 * 86_400);
        assert_eq!(states(&app).await, ["signs"]);
        clock.advance(86_400);
        assert_eq!(states(&other).await, ["signs", "next"], "a day before it signs");
        assert_eq!(states(&app).await, ["signs", "next"], "nobody makes it twice");
        assert_eq!(app.jwks().await.len(), 2);
        let before = app.log_in("anna-known").await;
        assert_eq!(kid(&before.access), kid(&first.access));
        clock.advance(86_400 - 100);
        let before = Tokens::of(&app.refresh(&before.refresh).await.expect(200));
        assert_eq!(kid(&before.access), kid(&first.access));
        clock.advance(100);
        let after = app.log_in("anna-known").await;
        assert_ne!(kid(&after.access), kid(&before.access));
        for token in [&before.access, &after.access] {
            assert_eq!((app.me(token).await, other.me(token).await), (200, 200));
        }
        assert_eq!(states(&app).await, ["verifies", "signs"]);
        clock.advance(3_600);
        assert_eq!(states(&app).await, ["signs"]);
        assert_eq!(app.jwks().await.len(), 1);
    }

    async fn a_key_in_wrong_hands_is_good_no_more(app: TestApp) {
        let app = app.office().await;
        app.with_password("anna-known", &json!({})).await;
        let other = app.second_instance().await;
        let tokens = app.log_in("anna-known").await;
        assert_eq!(other.me(&tokens.access).await, 200);
        let keys = app.app.rotate_signing_keys(true).await.unwrap();
        assert_eq!(keys.iter().map(|key| key.state).collect::<Vec<_>>(), ["signs"]);
        assert_eq!(app.me(&tokens.access).await, 401);
        let next = Tokens::of(&app.refresh(&tokens.refresh).await.expect(200));
        assert_eq!(app.me(&next.access).await, 200);
    }

    async fn a_person_reads_me_and_nothing_else_without_a_role(app: TestApp) {
        let app = app.office().await;
        let id = app.with_password("anna-known", &json!({})).await;
        let person = app.bearing(&app.log_in("anna-known").await.access);
        let me = person.get("/Me?attributes=userName").await.expect(200);
        assert_eq!((&me.body["id"], &me.body["userName"]), (&json!(id), &json!("anna-known")));
        assert!(person.get("/Me").await.body.get("password").is_none());
        for path in [format!("/Users/{id}"), "/Users".to_owned(), "/Groups".to_owned(), String::new()] {
            assert_eq!(person.get(&path).await.status, 403, "{path}");
        }
        person.post("/Users", &json!({ "userName": "mallory" })).await.refused(403, "");
        person.patch(&format!("/Users/{id}"), json!([])).await.refused(403, "");
        person.delete(&format!("/Users/{id}")).await.refused(403, "");
        person.patch("/Me", json!([])).await.refused(501, "");
        for path in ["/tokens", "/events", "/pools", "/settings"] {
            problem(&person.admin("GET", path, None).await, 403);
        }
        problem(&person.admin("GET", &format!("/users/{id}/sessions"), None).await, 403);
        person.get("http://usher.test/metrics").await.expect(403);
        app.get("/Me").await.refused(501, "");
        person.get("/Schemas").await.expect(200);
    }

    async fn administrators_use_what_their_roles_open_and_no_more(app: TestApp) {
        let app = app.office().await;
        let table = [
            ("supervisor", ["GET /users:200", "POST /users:403", "GET /tokens:403", "GET /pools:200", "GET /log:403", "GET /metrics:403"]),
            ("tech", ["GET /users:200", "POST /users:403", "GET /tokens:403", "GET /pools:200", "GET /log:200", "GET /metrics:403"]),
            ("account_admin", ["GET /users:200", "POST /users:201", "GET /tokens:200", "GET /pools:200", "GET /log:200", "GET /metrics:403"]),
            ("whitelabel", ["GET /users:200", "POST /users:201", "GET /tokens:200", "GET /pools:200", "GET /log:200", "GET /metrics:403"]),
        ];
        for (role, expected) in table {
            app.with_password(&format!("the-{role}"), &json!({ "roles": [{ "value": role }] })).await;
            let person = app.bearing(&app.log_in(&format!("the-{role}")).await.access);
            let made = json!({ "userName": format!("made-by-{role}") });
            let seen = [
                person.get("/Users").await.status, person.post("/Users", &made).await.status,
                person.admin("GET", "/tokens", None).await.status, person.admin("GET", "/pools", None).await.status,
                person.admin("GET", "/log", None).await.status, person.get("http://usher.test/metrics").await.status,
            ];
            let expected = expected.map(|line| line.rsplit_once(':').unwrap().1.parse::<u16>().unwrap());
            assert_eq!(seen, expected, "{role}");
        }
        let mut boss = app.bearing(&app.log_in("the-account_admin").await.access);
        let all = json!({ "scopes": ["admin"] });
        assert_eq!(boss.admin("POST", "/tokens", Some(&all)).await.status, 403, "more than they hold");
        boss.bare = true;
        let made = boss.post("/Users", &json!({ "userName": "second" })).await.expect(201).id();
        let path = format!("/log?resource={made}");
        let line = app.admin("GET", &path, None).await.body["lines"][0].clone();
        assert!(line["token"].as_str().unwrap().starts_with("user "), "{line}");
    }

    async fn a_token_of_one_tenant_reads_nothing_of_another(app: TestApp) {
        let (one, other) = (app.office().await, app.office().await);
        let admin = json!({ "roles": [{ "value": "account_admin" }] });
        one.with_password("the-boss", &admin).await;
        let theirs = other.with_password("somebody", &json!({})).await;
        let boss = other.bearing(&one.log_in("the-boss").await.access);
        assert_eq!(boss.get(&format!("/Users/{theirs}")).await.status, 404);
        problem(&boss.admin("GET", &format!("/users/{theirs}/sessions"), None).await, 404);
        problem(&boss.admin("POST", &format!("/users/{theirs}/sessions:revoke"), None).await, 404);
        problem(&boss.admin("POST", &format!("/users/{theirs}/password:generate"), None).await, 404);
    }
}

async fn key_rows(app: &TestApp) -> String {
    let look = async |tx: &mut Tx<'_>| usher::store::signing_keys::list(tx).await;
    let rows = app.store.read::<_, Error, _>(look).await.unwrap();
    rows.into_iter().map(|row| row.secret).collect()
}
