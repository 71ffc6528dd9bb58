//! People's pages, as people see them.

use std::time::Duration;

use serde_json::{Value, json};
use usher::app::mail::{BrandChange, Mail, Wanted};
use usher::clock::Clock;
use usher::domain::pool::Policy;

use crate::admin::problem;
use crate::brake::active;
use crate::signin::PASSWORD;
use crate::support::app::{Reply, TestApp};
use crate::support::asks::{CONTACT_CENTER as ABOUT, INVITATION as INVITED};
use crate::support::browser::{Browser, links, text};
use crate::support::each_db;
use crate::support::process::{Setup, user};

pub(crate) const NEW: &str = "lachs tinte gabel orbit";

/// A person with an address.
pub(crate) fn mailed(address: &str, more: &Value) -> Value {
    let mut about =
        json!({ "emails": [{ "value": address, "type": "work" }], "displayName": "Inés Ruiz" });
    about.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    about
}

impl TestApp {
    /// The secrets of the links behind this word in the letters that have gone, the oldest first.
    pub(crate) async fn letters(&self, word: &str) -> Vec<String> {
        self.app.send_due_mail().await.unwrap();
        links(&self.app.settings().data_dir.join("mail"), word)
    }

    /// The letters for new passwords of a user.
    async fn resets(&self, user: &str) -> Vec<Mail> {
        let ctx = self.app.operator(&self.tenant).await.unwrap();
        let wanted = Wanted {
            resource: Some(user.to_owned()),
            kind: Some("reset".to_owned()),
            limit: 100,
            ..Wanted::default()
        };
        self.app.mails(&ctx, wanted).await.unwrap()
    }

    /// Somebody types this name into the form for who forgot the password; gives the answer.
    pub(crate) async fn forgets(&self, name: &str) -> Reply {
        let mut browser = Browser::new(self);
        let path = format!("/t/{}/forgot", self.tenant);
        browser.open(&path).await.expect(200);
        let reply = browser.send(&path, &[("username", name)]).await;
        // What follows happens beside the answer.
        while self.app.is_asked() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        reply
    }

    /// Somebody who forgot the password and has opened the link for a new one: the user's id, the browser,
    /// and the path.
    async fn forgotten(&self) -> (String, Browser, String) {
        let id = self.with_password("ines", &mailed("ines@x.example", &json!({}))).await;
        self.forgets("ines").await.expect(200);
        let secret = self.letters("reset").await.pop().unwrap();
        let (mut browser, path) = (Browser::new(self), format!("/reset/{secret}"));
        browser.open(&path).await.expect(200);
        (id, browser, path)
    }

    /// The page after somebody has typed name and password.
    pub(crate) async fn comes_in(
        &self,
        browser: &mut Browser,
        name: &str,
        password: &str,
    ) -> Reply {
        let path = format!("/t/{}/login", self.tenant);
        browser.open(&path).await.expect(200);
        browser.send(&path, &[("username", name), ("password", password)]).await
    }
}

/// What stands in the heading.
#[track_caller]
pub(crate) fn heading(reply: &Reply) -> String {
    let page = text(reply);
    let (_, rest) = page.split_once("<h1>").unwrap_or_else(|| panic!("no heading: {page}"));
    rest.split("</h1>").next().unwrap().to_owned()
}

#[track_caller]
pub(crate) fn says(reply: &Reply, words: &str) {
    assert!(text(reply).contains(words), "no '{words}' in {}", text(reply));
}

each_db! {
    async fn a_person_activates_signs_in_and_signs_out(app: TestApp) {
        let app = app.licensed(2).await;
        let invited = mailed("ines@x.example", &json!({ INVITED: { "mode": "email" } }));
        let id = app.user_with("ines@x.example", &invited).await.id();
        let secret = app.letters("activate").await.pop().unwrap();
        let (mut browser, path) = (Browser::new(&app), format!("/activate/{secret}"));
        let page = browser.open(&path).await.expect(200);
        assert_eq!(heading(&page), "Welcome to your organization");
        for shown in ["Hello Inés Ruiz.", "value=\"ines@x.example\"", "autocomplete=\"new-password\""] {
            says(&page, shown);
        }
        for (weak, why) in [
            ("k7Q!x", "too short"),
            ("Password1", "guessed first"),
            ("Ines-Ruiz-1", "made of your name"),
            ("aaaaaaaaaaaa", "too easy to guess"),
            ("abc\u{7}defghijk", "cannot be typed"),
        ] {
            let refused = browser.send(&path, &[("password", weak)]).await.expect(422);
            says(&refused, why);
            says(&refused, "aria-describedby=\"problem password-hint\"");
            assert!(!text(&refused).contains(weak), "a page never shows what was typed");
        }
        let done = browser.send(&path, &[("password", NEW)]).await;
        assert_eq!(done.header("location"), format!("/t/{}/login?password-set", app.tenant));
        assert!(!browser.cookies.keys().any(|name| name.contains("session")), "nobody is signed in");
        says(&browser.follow(done).await.expect(200), "Your password is set.");
        let page = app.comes_in(&mut browser, "INES@x.example", NEW).await;
        let page = browser.follow(page).await.expect(200);
        says(&page, "You are signed in at your organization as Inés Ruiz.");
        let out = browser.send("/logout", &[("tenant", &app.tenant)]).await;
        says(&browser.follow(out).await.expect(200), "You are signed out.");
        let again = browser.open(&format!("/t/{}/signed-in", app.tenant)).await;
        says(&browser.follow(again).await.expect(200), "Sign in to go on.");
        let names = app.lines(&id).await;
        for event in ["invitation.accepted", "user.activated"] {
            assert!(names.iter().any(|name| name == event), "{event} is not in {names:?}");
        }
    }

    async fn each_dead_link_says_what_to_do(app: TestApp) {
        let app = app.licensed(5).await;
        let by_mail = |address: &str| mailed(address, &json!({ INVITED: { "mode": "email" } }));
        let mut ids = Vec::new();
        for name in ["used", "replaced", "cancelled"] {
            let address = format!("{name}@x.example");
            ids.push(app.user_with(&address, &by_mail(&address)).await.id());
        }
        let secrets = app.letters("activate").await;
        let visit = async |secret: &str| {
            Browser::new(&app).open(&format!("/activate/{secret}")).await
        };
        let mut browser = Browser::new(&app);
        let path = format!("/activate/{}", secrets[0]);
        browser.open(&path).await.expect(200);
        browser.send(&path, &[("password", NEW)]).await.expect(303);
        let late = browser.send(&path, &[("password", NEW)]).await.expect(410);
        assert_eq!(heading(&late), "This link has been used");
        let later = app.later(61).await;
        let ctx = later.app.operator(&app.tenant).await.unwrap();
        later.app.resend_invitation(&ctx, &ids[1]).await.unwrap();
        app.patch(&format!("/Users/{}", ids[2]), active(false)).await.expect(200);
        for (secret, said, advice) in [
            (&secrets[0], "This link has been used", "tell your administrator at once"),
            (&secrets[1], "There is a newer link", "Use the link in the latest one"),
            (&secrets[2], "This link is no longer valid", "withdrawn"),
        ] {
            let page = visit(secret).await.expect(410);
            assert_eq!(heading(&page), said);
            says(&page, advice);
            says(&page, &format!("href=\"/t/{}/login\"", app.tenant));
        }
        let newer = later.letters("activate").await.pop().unwrap();
        let end = app.later(49 * 3_600).await;
        let page = Browser::new(&end).open(&format!("/activate/{newer}")).await.expect(410);
        assert_eq!(heading(&page), "This link has expired");
        says(&page, "resend the invitation");
        for nothing in ["x", &newer.replace("activate", "reset"), &newer[1..], "%00", "a%2Fb"] {
            let page = visit(nothing).await.expect(404);
            assert_eq!(heading(&page), "We do not know this link");
        }
    }

    async fn who_forgot_a_password_sets_a_new_one_and_is_logged_out_everywhere(app: TestApp) {
        let app = app.office().await;
        let id = app.with_password("ines", &mailed("ines@x.example", &json!({}))).await;
        let tokens = app.log_in("ines").await;
        let answer = app.forgets("Ines@X.example").await.expect(200);
        assert_eq!(heading(&answer), "Look at your mail");
        let secret = app.letters("reset").await.pop().unwrap();
        // A link for one purpose is none for another.
        Browser::new(&app).open(&format!("/activate/{secret}")).await.expect(404);
        let (mut browser, path) = (Browser::new(&app), format!("/reset/{secret}"));
        assert_eq!(heading(&browser.open(&path).await.expect(200)), "Set a new password");
        browser.send(&path, &[("password", "Password1")]).await.expect(422);
        app.try_login("ines", PASSWORD).await.expect(200);
        let done = browser.send(&path, &[("password", NEW)]).await;
        browser.follow(done).await.expect(200);
        assert_eq!(app.refresh(&tokens.refresh).await.status, 401);
        app.try_login("ines", PASSWORD).await.expect(401);
        app.try_login("ines", NEW).await.expect(200);
        let used = browser.send(&path, &[("password", "another one entirely new")]).await.expect(410);
        assert_eq!(heading(&used), "This link has been used");
        let names = app.lines(&id).await;
        for event in ["password.reset_sent", "password.changed", "sessions.revoked"] {
            assert!(names.iter().any(|name| name == event), "{event} is not in {names:?}");
        }
    }

    async fn a_link_for_a_new_password_is_good_for_an_hour_and_for_one_address(app: TestApp) {
        let app = app.office().await;
        let id = app.with_password("ines", &mailed("ines@x.example", &json!({}))).await;
        app.forgets("ines").await.expect(200);
        let first = app.letters("reset").await.pop().unwrap();
        let end = app.later(3_601).await;
        let page = Browser::new(&end).open(&format!("/reset/{first}")).await.expect(410);
        assert_eq!(heading(&page), "This link has expired");
        says(&page, &format!("href=\"/t/{}/forgot\"", app.tenant));
        // Nor can the form be sent, whatever page it was taken from.
        let (mut browser, login) = (Browser::new(&end), format!("/t/{}/login", app.tenant));
        browser.open(&login).await.expect(200);
        browser.send(&format!("/reset/{first}"), &[("password", NEW)]).await.expect(410);
        end.try_login("ines", NEW).await.expect(401);
        let later = app.later(120).await;
        later.forgets("ines").await.expect(200);
        let second = later.letters("reset").await.pop().unwrap();
        let page = Browser::new(&later).open(&format!("/reset/{first}")).await.expect(410);
        assert_eq!(heading(&page), "There is a newer link");
        let (mut browser, path) = (Browser::new(&later), format!("/reset/{second}"));
        browser.open(&path).await.expect(200);
        // Whoever reads the old address must not get in.
        let emails = json!([{ "value": "new@x.example", "type": "work" }]);
        let moved = json!([{ "op": "replace", "path": "emails", "value": emails }]);
        later.patch(&format!("/Users/{id}"), moved).await.expect(200);
        browser.send(&path, &[("password", NEW)]).await.expect(410);
        later.try_login("ines", PASSWORD).await.expect(200);
    }

    async fn a_link_dies_with_the_password_that_it_was_for_and_with_the_right_to_sign_in(app: TestApp) {
        let app = app.office().await;
        let (id, mut browser, path) = app.forgotten().await;
        app.patch(&format!("/Users/{id}"), active(false)).await.expect(200);
        let page = browser.open(&path).await.expect(410);
        assert_eq!(heading(&page), "This link is no longer valid");
        browser.open(&format!("/t/{}/login", app.tenant)).await.expect(200);
        browser.send(&path, &[("password", NEW)]).await.expect(410);
        app.patch(&format!("/Users/{id}"), active(true)).await.expect(200);
        browser.open(&path).await.expect(200);
        app.admin("POST", &format!("/users/{id}/password:generate"), None).await.expect(200);
        assert_eq!(browser.open(&path).await.status, 410);
    }

    async fn a_password_that_a_client_sets_ends_the_link_for_another_one(app: TestApp) {
        let app = app.office().await;
        let (id, mut browser, path) = app.forgotten().await;
        let set = json!([{ "op": "replace", "path": "password", "value": NEW }]);
        app.patch(&format!("/Users/{id}"), set).await.expect(200);
        let page = browser.open(&path).await.expect(410);
        assert_eq!(heading(&page), "This link is no longer valid");
    }

    async fn nobody_is_mailed_who_could_not_sign_in_and_the_page_says_the_same(app: TestApp) {
        let app = app.office().await;
        let person = |name: &str| mailed(&format!("{name}@x.example"), &json!({}));
        let id = app.with_password("ines", &person("ines")).await;
        let off = app.with_password("off", &person("off")).await;
        app.patch(&format!("/Users/{off}"), active(false)).await.expect(200);
        let gone = app.with_password("gone", &person("gone")).await;
        app.delete(&format!("/Users/{gone}")).await.expect(204);
        let blocked = app.with_password("blocked", &person("blocked")).await;
        app.write_about(&blocked, "webLoginBlocked", &json!(true)).await.expect(200);
        let sso = app.user_with("sso", &person("sso")).await.id();
        let reset = mailed("s2@x.example", &json!({ INVITED: { "mode": "reset" } }));
        let provisioned = app.user_with("s2", &reset).await.id();
        let token = |page: &Reply| {
            let page = text(page).to_owned();
            let value = page.split("value=\"usher_form_").nth(1).map(|rest| rest[..52].to_owned());
            value.map_or(page.clone(), |value| page.replace(&value, ""))
        };
        let seen = app.forgets("ines").await.expect(200);
        for name in ["off", "gone", "blocked", "sso", "s2", "nobody", "", &"x".repeat(5_000), "a\0b"] {
            let page = app.forgets(name).await.expect(200);
            assert_eq!(token(&page), token(&seen), "{name}");
        }
        // A second one within a minute is the same too, and sends nothing.
        assert_eq!(token(&app.forgets("ines").await.expect(200)), token(&seen));
        assert_eq!(app.resets(&id).await.len(), 1);
        for id in [&off, &gone, &blocked, &sso, &provisioned] {
            assert_eq!(app.resets(id).await.len(), 0);
        }
    }

    async fn an_administrator_lets_somebody_in_by_a_link_when_it_is_time(app: TestApp) {
        let app = app.office().await;
        let reset = mailed("s2@x.example", &json!({ INVITED: { "mode": "reset" } }));
        let id = app.user_with("s2", &reset).await.id();
        let lifecycle = async || app.get(&format!("/Users/{id}")).await.body[ABOUT]["lifecycle"].clone();
        assert_eq!((lifecycle().await, app.letters("reset").await.len()), (json!("provisioned"), 0));
        let path = format!("/users/{id}/password:reset");
        app.admin("POST", &path, None).await.expect(204);
        let soon = app.admin("POST", &path, None).await;
        problem(&soon, 429);
        assert!(!soon.header("retry-after").is_empty());
        let secret = app.letters("reset").await.pop().unwrap();
        // As long as an invitation.
        let later = app.later(47 * 3_600).await;
        let (mut browser, path) = (Browser::new(&later), format!("/reset/{secret}"));
        browser.open(&path).await.expect(200);
        browser.send(&path, &[("password", NEW)]).await.expect(303);
        assert_eq!(lifecycle().await, "active");
        later.try_login("s2", NEW).await.expect(200);
        later.is_sound().await;
    }

    async fn nobody_resets_the_password_of_an_administrator_without_the_right_to(app: TestApp) {
        let app = app.office().await;
        let boss = mailed("boss@x.example", &json!({ "roles": [{ "value": "account_admin" }] }));
        let boss = app.user_with("boss", &boss).await.id();
        let weak = app.scoped(&["users:read", "sessions:revoke"]).await;
        problem(&weak.admin("POST", &format!("/users/{boss}/password:reset"), None).await, 403);
        let plain = app.with_password("ines", &mailed("ines@x.example", &json!({}))).await;
        weak.admin("POST", &format!("/users/{plain}/password:reset"), None).await.expect(204);
        let none = app.scoped(&["users:read", "users:write"]).await;
        problem(&none.admin("POST", &format!("/users/{plain}/password:reset"), None).await, 403);
        let homeless = app.with_password("homeless", &json!({})).await;
        let said = app.admin("POST", &format!("/users/{homeless}/password:reset"), None).await;
        assert!(problem(&said, 400).contains("no e-mail address"));
        app.patch(&format!("/Users/{plain}"), active(false)).await.expect(200);
        problem(&app.admin("POST", &format!("/users/{plain}/password:reset"), None).await, 400);
        problem(&app.admin("POST", "/users/nobody/password:reset", None).await, 404);
    }

    async fn who_may_not_come_in_is_told_why_and_only_with_the_right_password(app: TestApp) {
        let app = app.office().await;
        app.set_seats("default", Some(3)).await;
        app.pool("default", |pool| pool.overage_policy = Policy::Waitlist).await;
        let blocked = app.with_password("blocked", &json!({})).await;
        app.write_about(&blocked, "webLoginBlocked", &json!(true)).await.expect(200);
        let away = json!({ ABOUT: { "ipAccess": "selected", "allowedIps": ["10.9.9.9"] } });
        app.with_password("away", &away).await;
        app.with_password("sitting", &json!({})).await;
        app.with_password("waiting", &json!({})).await;
        for (name, said) in [
            ("blocked", "Signing in is blocked"),
            ("away", "Not from here"),
            ("waiting", "No free seat"),
        ] {
            let mut browser = Browser::new(&app);
            let page = app.comes_in(&mut browser, name, PASSWORD).await.expect(403);
            assert_eq!(heading(&page), said);
            let page = app.comes_in(&mut browser, name, "wrong horse battery").await.expect(422);
            says(&page, "The name or the password is wrong");
            assert!(!text(&page).contains(name), "the page repeats no name");
        }
    }

    async fn a_password_that_was_handed_over_is_changed_first(app: TestApp) {
        let app = app.office().await;
        let id = app.with_password("ines", &json!({})).await;
        let least = ("password.minLength".to_owned(), "12".to_owned());
        app.app.set_tenant(&app.tenant, &[least]).await.unwrap();
        let made = app.admin("POST", &format!("/users/{id}/password:generate"), None).await;
        let made = made.body["password"].as_str().unwrap().to_owned();
        let (mut browser, path) = (Browser::new(&app), format!("/t/{}/password", app.tenant));
        let page = app.comes_in(&mut browser, "ines", &made).await.expect(200);
        assert_eq!(heading(&page), "Choose a password of your own");
        says(&page, "12");
        let right = browser.hidden("right");
        let fields = |password| [("right", right.as_str()), ("username", "ines"), ("password", password)];
        says(&browser.send(&path, &fields("gabel lachs")).await.expect(422), "12");
        says(&browser.send(&path, &fields("Password1234")).await.expect(422), "guessed first");
        assert_eq!(browser.hidden("right"), right);
        let done = browser.send(&path, &fields(NEW)).await;
        says(&browser.follow(done).await.expect(200), "Your password is set.");
        browser.send(&path, &fields("yet another good one")).await.expect(403);
        app.try_login("ines", NEW).await.expect(200);
    }

    async fn who_belongs_to_several_accounts_chooses_one(app: TestApp) {
        let app = app.office().await;
        let id = app.with_password("ines", &json!({ "displayName": "Inés Ruiz" })).await;
        let mut accounts = Vec::new();
        for (number, name) in [("A-1", "North"), ("A-2", "South")] {
            let body = json!({ "accountNumber": number, "displayName": name });
            let account = app.admin("POST", "/accounts", Some(&body)).await.expect(201).id();
            let join = json!({ "account": account });
            app.admin("POST", &format!("/users/{id}/memberships"), Some(&join)).await.expect(201);
            accounts.push(account);
        }
        let mut browser = Browser::new(&app);
        let page = app.comes_in(&mut browser, "ines", PASSWORD).await;
        let page = browser.follow(page).await.expect(200);
        assert_eq!(heading(&page), "Choose an account");
        says(&page, "<span>South</span> <small>A-2</small>");
        let path = format!("/t/{}/accounts", app.tenant);
        let before = browser.cookies.clone();
        says(&browser.send(&path, &[("account", "not-mine")]).await.expect(403), "cannot be used");
        browser.send(&path, &[("account", &accounts[1])]).await.expect(303);
        // The button was pressed twice.
        browser.cookies.clone_from(&before);
        let page = browser.send(&path, &[("account", &accounts[1])]).await;
        says(&browser.follow(page).await.expect(200), "You use the account South.");
        // The token of before is good no more.
        browser.cookies = before;
        browser.open(&format!("/t/{}/signed-in", app.tenant)).await.expect(303);
    }

    async fn pages_show_the_brand_of_the_tenant_and_nothing_else_of_it(app: TestApp) {
        let app = app.licensed(5).await;
        let png = [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &[0, 0, 1, 0], &[0, 0, 0, 64]].concat();
        let ctx = app.app.operator(&app.tenant).await.unwrap();
        let brand = BrandChange {
            name: Some(Some("A<b>cme & \"Sons\"".to_owned())),
            color: Some(Some("#ffdd00".to_owned())),
            logo: Some(Some(png.clone())),
        };
        app.app.set_brand(&ctx, brand).await.unwrap();
        let mut browser = Browser::new(&app);
        let page = browser.open(&format!("/t/{}/login", app.tenant)).await.expect(200);
        assert_eq!(heading(&page), "Sign in to A&#60;b&#62;cme &#38; &#34;Sons&#34;");
        says(&page, "alt=\"A&#60;b&#62;cme &#38; &#34;Sons&#34;\"");
        let source = |page: &str, after: &str| {
            let rest = page.split_once(after).unwrap().1;
            rest.split('"').next().unwrap().to_owned()
        };
        let logo = source(text(&page), "<img src=\"");
        let shown = browser.open(&logo).await.expect(200);
        assert_eq!(shown.header("content-type"), "image/png");
        assert_eq!(shown.header("cache-control"), "public, max-age=31536000, immutable");
        browser.open(&format!("{}x", &logo[..logo.len() - 1])).await.expect(404);
        let color = browser.open("/assets/color-ffdd00.css").await.expect(200);
        assert_eq!(color.body, ":root{--brand:#ffdd00;--on-brand:#000000}\n");
        says(&page, "/assets/color-ffdd00.css");
        for wrong in ["color-red.css", "color-ffdd0.css", "color-}{aaaa.css", "pages.css", "..%2fCargo.toml"] {
            browser.open(&format!("/assets/{wrong}")).await.expect(404);
        }
    }

    async fn people_read_their_own_language_and_strangers_that_of_their_browser(app: TestApp) {
        let app = app.licensed(5).await;
        let login = format!("/t/{}/login", app.tenant);
        let mut spanish = Browser::new(&app).saying("accept-language", "es-MX,es;q=0.9,en;q=0.1");
        let page = spanish.open(&login).await.expect(200);
        assert_eq!(page.header("content-language"), "es");
        says(&page, "<html lang=\"es\">");
        assert_eq!(heading(&page), "Inicie sesión en su organización");
        says(&spanish.send(&login, &[("username", "x"), ("password", "y")]).await.expect(422), "no son correctos");
        says(&spanish.open("/t/x/logo/y").await.expect(404), "No hay nada en esta dirección");
        let invited = |locale: &str| {
            mailed(&format!("{locale}@x.example"), &json!({
                "preferredLanguage": locale, INVITED: { "mode": "email" }
            }))
        };
        app.user_with("es@x.example", &invited("es-ES")).await;
        app.user_with("vi@x.example", &invited("vi")).await;
        let secrets = app.letters("activate").await;
        let mut english = Browser::new(&app).saying("accept-language", "en");
        let page = english.open(&format!("/activate/{}", secrets[0])).await.expect(200);
        assert_eq!(heading(&page), "Le damos la bienvenida a su organización");
        let page = spanish.open(&format!("/activate/{}", secrets[1])).await.expect(200);
        assert_eq!(page.header("content-language"), "es");
    }

    async fn the_command_line_mails_a_link_too(setup: Setup) {
        let server = setup.start();
        let id = server.client.post("/Users", &user("anna")).await.expect(201).id();
        assert_eq!(setup.json("users password reset anna"), json!({ "user": id }));
        let again = setup.run("users password reset anna");
        assert!(again.status == 1 && again.err.contains("a moment ago"), "{again:?}");
        let nobody = setup.run("users password reset nobody");
        assert!(nobody.status == 1 && nobody.err.contains("nobody"), "{nobody:?}");
    }

    async fn of_two_who_set_a_password_at_once_one_wins(app: TestApp) {
        let app = app.office().await;
        app.with_password("ines", &mailed("ines@x.example", &json!({}))).await;
        app.forgets("ines").await.expect(200);
        let secret = app.letters("reset").await.pop().unwrap();
        let other = app.second_instance_at(Clock::System).await;
        let set = async |app: &TestApp, password: &str| {
            let (mut browser, path) = (Browser::new(app), format!("/reset/{secret}"));
            browser.open(&path).await.expect(200);
            browser.send(&path, &[("password", password)]).await.status
        };
        let (one, two) = tokio::join!(set(&app, NEW), set(&other, "yet another good one"));
        let mut both = [one, two];
        both.sort_unstable();
        assert_eq!(both, [303, 410]);
        let good = if one == 303 { NEW } else { "yet another good one" };
        app.try_login("ines", good).await.expect(200);
    }
}
