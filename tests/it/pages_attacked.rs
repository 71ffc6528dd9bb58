//! People's pages, as those who attack them see them.

use mail_parser::MessageParser;
use serde_json::json;

use crate::pages::{NEW, heading, mailed, says};
use crate::signin::PASSWORD;
use crate::support::app::{Reply, TestApp};
use crate::support::asks::INVITATION as INVITED;
use crate::support::browser::{Browser, text};
use crate::support::each_db;
use crate::support::smtp::Sink;

/// The page without the token of its form, and without the path.
fn plain(reply: &Reply, tenant: &str) -> String {
    let page = text(reply);
    let token =
        page.split("name=\"token\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let page = token.map_or_else(|| page.to_owned(), |token| page.replace(token, ""));
    page.replace(&format!("/t/{tenant}/"), "/t//")
}

each_db! {
    async fn every_page_has_the_headers_that_keep_it_to_itself(app: TestApp) {
        let app = app.licensed(5).await;
        let invited = mailed("ines@x.example", &json!({ INVITED: { "mode": "email" } }));
        app.user_with("ines@x.example", &invited).await;
        let secret = app.letters("activate").await.pop().unwrap();
        let mut browser = Browser::new(&app);
        for path in [
            format!("/t/{}/login", app.tenant),
            format!("/t/{}/forgot", app.tenant),
            format!("/activate/{secret}"),
            "/activate/x".to_owned(),
            "/reset/x".to_owned(),
            "/assets/nothing".to_owned(),
        ] {
            let page = browser.open(&path).await;
            for (name, value) in [
                ("content-security-policy", "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"),
                ("referrer-policy", "no-referrer"),
                ("cache-control", "no-store"),
                ("x-content-type-options", "nosniff"),
                ("content-type", "text/html; charset=utf-8"),
            ] {
                assert_eq!(page.header(name), value, "{path}");
            }
            assert!(!text(&page).contains("//"), "{path} names another place");
        }
    }

    async fn to_look_uses_nothing_up(app: TestApp) {
        let app = app.licensed(5).await;
        let invited = mailed("ines@x.example", &json!({ INVITED: { "mode": "email" } }));
        let id = app.user_with("ines@x.example", &invited).await.id();
        let secret = app.letters("activate").await.pop().unwrap();
        let path = format!("/activate/{secret}");
        let before = app.get(&format!("/Users/{id}")).await.header("etag").to_owned();
        for method in ["GET", "HEAD", "GET", "OPTIONS"] {
            let uri = format!("http://usher.test{path}?password={NEW}&token=x");
            let reply = app.anonymous().send(method, &uri, &[], None).await;
            assert!(reply.status < 300, "{method} {}", reply.status);
        }
        assert_eq!(app.get(&format!("/Users/{id}")).await.header("etag"), before);
        let mut browser = Browser::new(&app);
        browser.open(&path).await.expect(200);
        browser.send(&path, &[("password", NEW)]).await.expect(303);
    }

    async fn forms_are_taken_from_our_own_pages_alone(app: TestApp) {
        let app = app.office().await;
        app.with_password("ines", &mailed("ines@x.example", &json!({}))).await;
        app.forgets("ines").await.expect(200);
        let secret = app.letters("reset").await.pop().unwrap();
        let (login, reset) = (format!("/t/{}/login", app.tenant), format!("/reset/{secret}"));
        let good = [("username", "ines"), ("password", PASSWORD)];
        // Login CSRF: an attacker has a token of its own, but not the cookie of the victim's browser.
        let mut attacker = Browser::new(&app);
        attacker.open(&login).await.expect(200);
        let stolen = attacker.hidden("token");
        let mut victim = Browser::new(&app);
        victim.post(&login, &good).await.expect(403);
        let with_token = [("token", stolen.as_str()), good[0], good[1]];
        victim.post(&login, &with_token).await.expect(403);
        victim.open(&login).await.expect(200);
        victim.post(&login, &good).await.expect(403);
        victim.post(&login, &with_token).await.expect(403);
        victim.post(&login, &[("token", ""), good[0], good[1]]).await.expect(403);
        // With a token, but from elsewhere, as the browser says.
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "https://usher.test"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let mut other = Browser::new(&app).saying(name, value);
            for (path, fields) in [
                (login.as_str(), &good[..]),
                (&reset, &[("password", NEW)]),
                (&format!("/t/{}/forgot", app.tenant), &[("username", "ines")]),
                (&format!("/t/{}/accounts", app.tenant), &[("account", "x")]),
                (&format!("/t/{}/password", app.tenant), &[("right", "x"), ("password", NEW)]),
                ("/logout", &[("tenant", app.tenant.as_str())]),
            ] {
                other.open(&login).await.expect(200);
                let refused = other.send(path, fields).await.expect(403);
                says(&refused, "Nothing was done");
                let again = text(&refused).split_once("class=\"more\"><a href=\"").unwrap().1;
                let again = again.split('"').next().unwrap().to_owned();
                // Who is not signed in is sent on from the choice of accounts.
                let shown = other.open(&again).await.status;
                assert!([200, 303].contains(&shown), "{again}: {shown}");
                assert!(!other.cookies.keys().any(|name| name.contains("session")));
            }
        }
        for (name, value) in [("origin", "http://usher.test"), ("origin", "null"), ("sec-fetch-site", "same-origin")] {
            let mut own = Browser::new(&app).saying(name, value);
            own.open(&login).await.expect(200);
            own.send(&login, &good).await.expect(303);
        }
        let json = [("content-type".to_owned(), "text/plain".to_owned())];
        let uri = format!("http://usher.test{login}");
        let sent = app.anonymous().exchange("POST", &uri, &json, Some("a=b".to_owned())).await;
        assert_eq!((sent.status, heading(&sent).as_str()), (415, "That did not work"));
    }

    async fn signing_in_gives_a_session_that_nobody_knew_before(app: TestApp) {
        let app = app.office().await;
        app.with_password("ines", &json!({})).await;
        let session = |browser: &Browser| {
            browser.cookies.iter().find(|(name, _)| name.contains("session")).map(|(_, value)| value.clone())
        };
        let mut attacker = Browser::new(&app);
        app.comes_in(&mut attacker, "ines", PASSWORD).await.expect(303);
        let planted = session(&attacker).unwrap();
        let mut victim = Browser::new(&app);
        victim.cookies = attacker.cookies.clone();
        let before = victim.cookies.clone();
        app.comes_in(&mut victim, "ines", PASSWORD).await.expect(303);
        assert_ne!(session(&victim).unwrap(), planted);
        assert_ne!(victim.cookies["usher-form"], before["usher-form"]);
        // What the browser had before is over.
        attacker.open(&format!("/t/{}/signed-in", app.tenant)).await.expect(303);
        // What was signed out is signed out, whoever has kept the cookie.
        let kept = victim.cookies.clone();
        victim.open(&format!("/t/{}/signed-in", app.tenant)).await.expect(200);
        victim.send("/logout", &[("tenant", &app.tenant)]).await.expect(303);
        assert_eq!(session(&victim), None);
        victim.cookies = kept;
        victim.open(&format!("/t/{}/signed-in", app.tenant)).await.expect(303);
    }

    async fn a_session_of_one_tenant_is_none_in_another(app: TestApp) {
        let (one, other) = (app.office().await, app.office().await);
        one.with_password("ines", &json!({})).await;
        let mut browser = Browser::new(&one);
        one.comes_in(&mut browser, "ines", PASSWORD).await.expect(303);
        let value = browser.cookies[&format!("usher-session-{}", one.tenant)].clone();
        browser.cookies.insert(format!("usher-session-{}", other.tenant), value);
        browser.open(&format!("/t/{}/signed-in", one.tenant)).await.expect(200);
        browser.open(&format!("/t/{}/signed-in", other.tenant)).await.expect(303);
        browser.open(&format!("/t/{}/accounts", other.tenant)).await.expect(303);
        other.comes_in(&mut browser, "ines", PASSWORD).await.expect(422);
    }

    async fn no_parameter_and_no_host_leads_elsewhere(app: TestApp) {
        let app = app.office().await;
        app.with_password("ines", &json!({})).await;
        let evil = "https://evil.example/";
        let mut browser = Browser::new(&app)
            .saying("host", "evil.example")
            .saying("x-forwarded-host", "evil.example")
            .saying("forwarded", "host=evil.example");
        let login = format!("/t/{}/login", app.tenant);
        for name in ["next", "redirect", "redirect_uri", "return", "returnTo", "url", "continue"] {
            let path = format!("{login}?{name}={evil}");
            let page = browser.open(&path).await.expect(200);
            assert!(!text(&page).contains("evil"), "{name}");
            let fields = [("username", "ines"), ("password", PASSWORD), (name, evil)];
            let done = browser.send(&path, &fields).await.expect(303);
            assert_eq!(done.header("location"), format!("/t/{}/signed-in", app.tenant), "{name}");
        }
        browser.open(&format!("/t/{}/signed-in", app.tenant)).await.expect(200);
        for tenant in ["//evil.example", "../../evil.example", "\r\nlocation: //evil.example", "\\evil"] {
            browser.open(&login).await.expect(200);
            let out = browser.send("/logout", &[("tenant", tenant)]).await.expect(303);
            let to = out.header("location");
            assert!(to.starts_with("/t/") && to.ends_with("/login?signed-out"), "{to}");
            assert_eq!(to.matches('/').count(), 3, "{to}");
        }
        let page = browser.open("/t/%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E/login").await.expect(200);
        assert!(!text(&page).contains("<script>"), "{}", text(&page));
    }

    async fn the_host_of_a_request_is_in_no_mail_and_no_answer(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.office().await.mailing(&sink).await;
        app.with_password("ines", &mailed("ines@there.example", &json!({}))).await;
        let names = ["host", "x-forwarded-host", "x-forwarded-server"];
        let lines = names.map(|name| (name, "evil.example"));
        let mut browser = Browser::new(&app);
        for (name, value) in lines {
            browser = browser.saying(name, value);
        }
        let forgot = format!("/t/{}/forgot", app.tenant);
        browser.open(&forgot).await.expect(200);
        browser.send(&forgot, &[("username", "ines")]).await.expect(200);
        while app.app.is_asked() {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        app.send_mail().await;
        let taken = sink.taken();
        let mail = MessageParser::default().parse(&taken[0].bytes).unwrap();
        for part in [mail.body_text(0).unwrap(), mail.body_html(0).unwrap()] {
            assert!(part.contains("http://usher.test/reset/") && !part.contains("evil"), "{part}");
        }
        let list = app.send("GET", "/Users", &lines, None).await.expect(200);
        let said = list.body.to_string();
        assert!(said.contains("http://usher.test/scim/v2/Users/") && !said.contains("evil"), "{said}");
    }

    async fn a_link_is_good_for_what_it_was_made_for_alone(app: TestApp) {
        let app = app.licensed(5).await;
        let invited = mailed("ines@x.example", &json!({ INVITED: { "mode": "email" } }));
        app.user_with("ines", &invited).await;
        app.with_password("omar", &mailed("omar@x.example", &json!({}))).await;
        app.forgets("omar").await.expect(200);
        let activate = app.letters("activate").await.pop().unwrap();
        let reset = app.letters("reset").await.pop().unwrap();
        let guess = usher::domain::token::text("reset", [7; 32]);
        for path in [format!("/reset/{activate}"), format!("/activate/{reset}"), format!("/reset/{guess}")] {
            let mut browser = Browser::new(&app);
            browser.open(&format!("/t/{}/login", app.tenant)).await.expect(200);
            browser.send(&path, &[("password", NEW)]).await.expect(404);
            browser.open(&path).await.expect(404);
        }
        for path in [format!("/activate/{activate}"), format!("/reset/{reset}")] {
            Browser::new(&app).open(&path).await.expect(200);
        }
    }

    async fn nothing_tells_which_tenants_and_which_people_there_are(app: TestApp) {
        let app = app.office().await;
        app.with_password("ines", &json!({})).await;
        let there = app.tenant.clone();
        let mut nowhere = app.clone();
        "no-such-tenant".clone_into(&mut nowhere.tenant);
        for page in ["login", "forgot"] {
            let open = async |tenant: &str| {
                Browser::new(&app).open(&format!("/t/{tenant}/{page}")).await.expect(200)
            };
            let (one, two) = (open(&there).await, open("no-such-tenant").await);
            assert_eq!(plain(&one, &there), plain(&two, "no-such-tenant"), "{page}");
        }
        let refused = async |app: &TestApp, name: &str| {
            let page = app.comes_in(&mut Browser::new(app), name, "wrong horse battery").await;
            plain(&page.expect(422), &app.tenant)
        };
        let seen = refused(&app, "ines").await;
        assert_eq!(refused(&app, "nobody").await, seen);
        assert_eq!(refused(&nowhere, "ines").await, seen);
        let (one, two) = (app.forgets("ines").await, nowhere.forgets("ines").await);
        assert_eq!(plain(&one.expect(200), &there), plain(&two.expect(200), "no-such-tenant"));
    }

    async fn whoever_tries_too_often_waits(app: TestApp) {
        let app = app.office().await;
        app.with_password("ines", &json!({})).await;
        let mut browser = Browser::new(&app);
        let mut last = app.comes_in(&mut browser, "ines", "wrong horse battery").await;
        for _ in 0..12 {
            if last.status != 429 {
                last = app.comes_in(&mut browser, "ines", "wrong horse battery").await;
            }
        }
        let last = last.expect(429);
        assert!(last.header("retry-after").parse::<u32>().unwrap() > 0);
        says(&last, "There were too many tries.");
        let mut statuses = Vec::new();
        for _ in 0..25 {
            statuses.push(app.forgets("nobody").await.status);
        }
        assert_eq!((statuses[0], statuses[24]), (200, 429));
    }

    async fn large_and_strange_forms_do_nothing(app: TestApp) {
        let app = app.office().await;
        let login = format!("/t/{}/login", app.tenant);
        let mut browser = Browser::new(&app);
        browser.open(&login).await.expect(200);
        let large = "x".repeat(20_000);
        browser.send(&login, &[("username", &large)]).await.expect(413);
        browser.open(&login).await.expect(200);
        browser.send(&login, &[]).await.expect(422);
        browser.send(&login, &[("username", "a\0b"), ("password", "\0")]).await.expect(422);
        for path in [format!("/t/{}/accounts", app.tenant), format!("/t/{}/password", app.tenant)] {
            let reply = browser.send(&path, &[]).await;
            assert!([303, 403].contains(&reply.status), "{path}: {}", reply.status);
        }
        browser.send("/logout", &[]).await.expect(303);
    }
}
