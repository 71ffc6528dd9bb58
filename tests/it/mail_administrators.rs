//! What administrators are told by mail: who else administers the tenant, and what did not go as asked for.

use mail_parser::MessageParser;
use serde_json::json;
use usher::domain::pool::Policy;

use crate::support::app::TestApp;
use crate::support::each_db;
use crate::support::smtp::Sink;

impl TestApp {
    /// An administrator with an address.
    async fn addressed_chief(&self, name: &str) -> String {
        let more = json!({
            "roles": ["account_admin"],
            "emails": [{ "value": format!("{name}@there.example"), "primary": true }],
        });
        self.scoped(&["admin"]).await.user_with(name, &more).await.id()
    }

    /// Tells administrators and sends; gives the mails that came since the last time: to whom, and the text.
    async fn told_by_mail(&self, sink: &Sink) -> Vec<(String, String)> {
        let before = sink.taken().len();
        self.app.tell_administrators().await.unwrap();
        self.send_mail().await;
        let new = sink.taken().split_off(before);
        let mut all: Vec<_> = new
            .into_iter()
            .map(|mail| {
                let read = MessageParser::default().parse(&mail.bytes).unwrap();
                (mail.to, read.body_text(0).unwrap().into_owned())
            })
            .collect();
        all.sort();
        all
    }
}

each_db! {
    async fn every_gain_of_an_administrative_role_is_told_to_the_others_once(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.mailing(&sink).await;
        app.addressed_chief("ada").await;
        app.addressed_chief("bob").await;
        let told = app.told_by_mail(&sink).await;
        let whom: Vec<_> = told.iter().map(|(to, _)| to.as_str()).collect();
        assert_eq!(whom, ["ada@there.example", "bob@there.example"]);
        assert!(told[0].1.contains("bob: account_admin") && !told[0].1.contains("ada:"), "{told:?}");
        let eve = app.user("eve").await;
        assert_eq!(app.told_by_mail(&sink).await, []);
        let roles = json!([{ "op": "replace", "path": "roles", "value": ["account_admin"] }]);
        app.scoped(&["admin"]).await.patch(&format!("/Users/{eve}"), roles).await.expect(200);
        let other = app.mailing_at(&sink, app.app.clock().clone()).await;
        let (first, second) = tokio::join!(
            app.app.tell_administrators(),
            other.app.tell_administrators(),
        );
        first.and(second).unwrap();
        let told = app.told_by_mail(&sink).await;
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told.iter().all(|(_, text)| text.contains("eve: account_admin")), "{told:?}");
        app.app.clock().advance(2 * 3_600);
        assert_eq!(app.told_by_mail(&sink).await, []);
    }

    async fn a_role_of_the_tenants_own_is_told_of(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.mailing(&sink).await;
        app.addressed_chief("ada").await;
        app.user("bob").await;
        assert_eq!(app.told_by_mail(&sink).await, []);
        let app = app.scoped(&["admin"]).await;
        let role = json!({ "value": "top_dog", "administrative": true });
        app.admin("POST", "/roles", Some(&role)).await.expect(201);
        app.user_with("eve", &json!({ "roles": ["top_dog"] })).await;
        let told = app.told_by_mail(&sink).await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].1.contains("eve: top_dog"), "{told:?}");
    }

    async fn what_did_not_go_as_asked_for_is_told_once_an_hour_and_not_once_a_user(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.mailing(&sink).await;
        app.addressed_chief("ada").await;
        app.set_seats("default", Some(2)).await;
        app.user("one").await;
        app.app.tell_administrators().await.unwrap();
        for number in 0..23 {
            app.post("/Users", &json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": format!("late{number}"),
            })).await.expect(403);
        }
        let told = app.told_by_mail(&sink).await;
        assert_eq!(told.len(), 1, "{told:?}");
        let (to, text) = &told[0];
        assert_eq!(to, "ada@there.example");
        assert_eq!(text.matches("a new user: no seat of the pool default was free").count(), 20);
        assert!(text.contains("and 3 more"), "{text}");
        app.pool("default", |pool| pool.overage_policy = Policy::Waitlist).await;
        app.user("two").await;
        assert_eq!(app.told_by_mail(&sink).await, [], "within the hour");
        app.app.clock().advance(3_700);
        let told = app.told_by_mail(&sink).await;
        assert!(told[0].1.contains("two: waits for a seat of the pool default"), "{told:?}");
        app.app.clock().advance(3_700);
        assert_eq!(app.told_by_mail(&sink).await, [], "nothing happened since");
    }
}
