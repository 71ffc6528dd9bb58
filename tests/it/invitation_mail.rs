//! Invitations by mail: one mail for one invitation, to the right person, and none where nobody is invited.

use mail_parser::MessageParser;
use serde_json::{Value, json};
use usher::clock::Clock;
use usher::domain::pool::Policy;

use crate::admin::problem;
use crate::support::app::TestApp;
use crate::support::asks::{INVITATION as INVITED, texts, user};
use crate::support::each_db;
use crate::support::smtp::Sink;

/// A person who is invited by mail.
fn by_mail(address: &str) -> Value {
    json!({
        "emails": [{ "value": address, "type": "work" }],
        "displayName": "Inés Ruiz",
        INVITED: { "mode": "email" },
    })
}

/// The secret in the last mail that the server took.
fn secret_in(sink: &Sink) -> String {
    let taken = sink.taken();
    let mail = MessageParser::default().parse(&taken.last().unwrap().bytes).unwrap();
    let text = mail.body_text(0).unwrap().into_owned();
    let start = text.find("/activate/").unwrap_or_else(|| panic!("no link in {text}"));
    let secret = &text[start + "/activate/".len()..];
    secret.split_whitespace().next().unwrap().to_owned()
}

impl TestApp {
    async fn resend_by_patch(&self, id: &str) -> crate::support::app::Reply {
        let resend = json!([{ "op": "add", "path": format!("{INVITED}:resend"), "value": true }]);
        self.patch(&format!("/Users/{id}"), resend).await
    }
}

each_db! {
    async fn turning_somebody_off_and_on_fills_no_mail_box(app: TestApp) {
        let app = app.licensed(2).await.scoped(&["admin"]).await;
        let id = app.user_with("jane@x.example", &by_mail("jane@x.example")).await.id();
        let sent = async || {
            let mails = app.admin("GET", &format!("/mails?user={id}"), None).await.expect(200).body;
            let states = texts(&mails["mails"], "/state");
            states.iter().filter(|state| **state != "suppressed").count()
        };
        for _ in 0..10 {
            app.set_active(&id, false).await;
            let back = app.set_active(&id, true).await;
            assert_eq!(back.body[INVITED]["status"], "pending");
        }
        assert_eq!(sent().await, 6);
        let delivery = app.see(&id).await.body[INVITED]["lastDelivery"].clone();
        assert_eq!(delivery["state"], "suppressed");
        assert!(delivery["detail"].as_str().unwrap().contains("anew"), "{delivery}");
        // Whoever asks for a link gets one, and a day later it goes by itself again.
        let later = app.later(61).await;
        later.resend(&id).await.expect(200);
        assert_eq!(sent().await, 7);
        let later = later.later(90_000).await;
        later.set_active(&id, false).await;
        later.set_active(&id, true).await;
        assert_eq!(sent().await, 8);
    }

    async fn one_mail_goes_for_one_invitation_and_its_link_lets_the_person_in(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.licensed(2).await.mailing_at(&sink, Clock::System).await;
        let other = app.mailing_at(&sink, Clock::System).await;
        let id = app.user_with("ines@x.example", &by_mail("ines@x.example")).await.id();
        tokio::join!(app.send_mail(), other.send_mail());
        assert_eq!(sink.addresses(), ["ines@x.example"]);
        let delivery = |seen: &Value| seen[INVITED]["lastDelivery"].clone();
        let sent = delivery(&app.see(&id).await.body);
        assert_eq!((&sent["state"], &sent["address"]), (&json!("sent"), &json!("ines@x.example")));
        let listed = app.find("/Users", "userName eq \"ines@x.example\"").await.body;
        assert_eq!(delivery(&listed["Resources"][0]), sent);
        app.accept(&secret_in(&sink)).await.unwrap();
        assert_eq!(app.used("default").await, (1, 0));
        app.put(&format!("/Users/{id}"), &app.see(&id).await.body).await.expect(200);
        app.send_mail().await;
        assert_eq!((sink.taken().len(), app.mail_secrets().await), (1, 0));
    }

    async fn a_mail_goes_if_and_only_if_the_user_is_there(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.licensed(0).await.mailing_at(&sink, Clock::System).await;
        app.post("/Users", &user("ines@x.example", &by_mail("ines@x.example"))).await.expect(403);
        app.pool("default", |pool| pool.overage_policy = Policy::Waitlist).await;
        app.user_with("ines@x.example", &by_mail("ines@x.example")).await;
        let mut off = by_mail("off@x.example");
        off["active"] = false.into();
        app.user_with("off@x.example", &off).await;
        assert!(app.all_mails().await.is_empty());
        app.set_seats("default", Some(1)).await;
        app.app.seat_all_waiters().await.unwrap();
        app.send_mail().await;
        assert_eq!(sink.addresses(), ["ines@x.example"]);
    }

    async fn a_new_link_makes_the_one_before_stale(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.licensed(2).await.mailing_at(&sink, Clock::System).await;
        let id = app.user_with("ines@x.example", &by_mail("old@x.example")).await.id();
        let moved = json!([{ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "new@x.example" }]);
        app.patch(&format!("/Users/{id}"), moved).await.expect(200);
        assert_eq!(app.mail_states().await, ["stale"]);
        app.send_mail().await;
        assert!(sink.taken().is_empty());
        let later = app.mailing_at(&sink, Clock::fixed(Clock::System.now().plus_seconds(61))).await;
        later.resend_by_patch(&id).await.expect(200);
        later.send_mail().await;
        assert_eq!(sink.addresses(), ["new@x.example"]);
        later.accept(&secret_in(&sink)).await.unwrap();
    }

    async fn links_are_sent_anew_within_limits(app: TestApp) {
        let sink = Sink::start().await;
        let start = Clock::System.now();
        let first = app.licensed(2).await.scoped(&["admin"]).await;
        let at = async |seconds: i64| first.mailing_at(&sink, Clock::fixed(start.plus_seconds(seconds))).await;
        let app = at(0).await;
        let id = app.user_with("ines@x.example", &by_mail("ines@x.example")).await.id();
        let detail = at(59).await.resend_by_patch(&id).await.refused(400, "invalidValue");
        assert!(detail.contains("again in 1 s"), "{detail}");
        let path = format!("/users/{id}/invitation:resend");
        let soon = at(30).await.admin("POST", &path, None).await;
        assert!(problem(&soon, 429).contains("again in 30 s"));
        assert_eq!(soon.header("retry-after"), "30");
        for number in 1..=5 {
            at(number * 60).await.admin("POST", &path, None).await.expect(204);
        }
        let many = at(600).await.admin("POST", &path, None).await;
        problem(&many, 429);
        at(86_400 + 60).await.admin("POST", &path, None).await.expect(204);
        let seen = app.get(&format!("/Users/{id}")).await;
        assert_eq!(seen.body[INVITED]["resendCount"], 6);
    }

    async fn an_administrator_cannot_flood_the_mail_boxes_of_a_tenant(app: TestApp) {
        let sink = Sink::start().await;
        let start = Clock::System.now();
        let first = app.licensed(200).await.scoped(&["admin"]).await;
        let app = first.mailing_at(&sink, Clock::fixed(start)).await;
        let mut ids = Vec::new();
        for number in 0..101 {
            let name = format!("u{number}@x.example");
            ids.push(app.user_with(&name, &by_mail(&name)).await.id());
        }
        // First links are not counted among those that are sent anew.
        let later = first.mailing_at(&sink, Clock::fixed(start.plus_seconds(61))).await;
        for id in &ids[..100] {
            let path = format!("/users/{id}/invitation:resend");
            later.admin("POST", &path, None).await.expect(204);
        }
        let path = format!("/users/{}/invitation:resend", ids[100]);
        problem(&later.admin("POST", &path, None).await, 429);
    }

    async fn a_template_is_one_that_there_is(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.licensed(2).await.scoped(&["admin"]).await.mailing_at(&sink, Clock::System).await;
        let mut person = by_mail("ines@x.example");
        person[INVITED]["template"] = "warm".into();
        let refused = app.post("/Users", &user("ines@x.example", &person)).await;
        assert!(refused.refused(400, "invalidValue").contains("'warm' does not exist"));
        let warm = json!({ "subject": "Come in, {name}", "intro": "It is warm at {brand}." });
        app.admin("PUT", "/templates/warm/en", Some(&warm)).await.expect(200);
        app.user_with("ines@x.example", &person).await;
        app.send_mail().await;
        let taken = sink.taken();
        let mail = MessageParser::default().parse(&taken[0].bytes).unwrap();
        assert_eq!(mail.subject(), Some("Come in, Inés Ruiz"));
    }

    async fn a_tenant_that_invites_everybody_leaves_out_who_has_no_address(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.licensed(5).await;
        let pair = ("invitation.default".to_owned(), "email".to_owned());
        app.app.set_tenant(&app.tenant, &[pair]).await.unwrap();
        let app = app.mailing_at(&sink, Clock::System).await;
        let plain = json!({ "emails": [{ "value": "ines@x.example" }], "preferredLanguage": "es-MX" });
        let made = app.user_with("ines", &plain).await;
        assert_eq!(made.body[INVITED]["mode"], "email");
        let bare = app.user_with("bare", &json!({})).await;
        assert_eq!(bare.body[INVITED], Value::Null);
        assert!(app.lines(&bare.id()).await.contains(&"invitation.skipped".to_owned()));
        let again = app.put(&format!("/Users/{}", bare.id()), &bare.body).await.expect(200);
        assert_eq!(again.header("etag"), bare.header("etag"));
        app.send_mail().await;
        assert_eq!(sink.addresses(), ["ines@x.example"]);
        let taken = sink.taken();
        let mail = MessageParser::default().parse(&taken[0].bytes).unwrap();
        assert!(mail.subject().unwrap().starts_with("Active su cuenta"), "{:?}", mail.subject());
    }
}
