//! `/admin` about mail: brand, templates, what became of mails.

use serde_json::{Value, json};

use crate::mail::{LOGO, invitation};
use crate::support::app::{Reply, TestApp};
use crate::support::each_db;
use crate::support::smtp::{Mood, Sink};

fn detail(reply: &Reply) -> String {
    reply.body["detail"].as_str().unwrap_or_default().to_owned()
}

each_db! {
    async fn a_brand_is_set_whole_and_read_back(app: TestApp) {
        let admin = app.scoped(&["settings:write"]).await;
        assert_eq!(admin.admin("GET", "/brand", None).await.expect(200).body, json!({}));
        let brand = json!({ "name": "Northwind", "color": "#FFDD00", "logo": LOGO });
        let shown = json!({ "name": "Northwind", "color": "#ffdd00", "logo": LOGO });
        assert_eq!(admin.admin("PUT", "/brand", Some(&brand)).await.expect(200).body, shown);
        assert_eq!(admin.admin("GET", "/brand", None).await.expect(200).body, shown);
        let other = app.tenant_with("page.max", "500").await.scoped(&["admin"]).await;
        assert_eq!(other.admin("GET", "/brand", None).await.expect(200).body, json!({}));
        let less = json!({ "name": null, "color": "#000000" });
        let less = admin.admin("PUT", "/brand", Some(&less)).await.expect(200).body;
        assert_eq!(less, json!({ "color": "#000000" }));
        app.scoped(&["scim"]).await.admin("GET", "/brand", None).await.expect(403);
    }

    async fn a_brand_cannot_be_used_to_lead_people_away(app: TestApp) {
        let admin = app.scoped(&["admin"]).await;
        let svg = "PHN2Zz48L3N2Zz4=";
        for (body, said) in [
            (json!({ "name": "evil.example" }), "full stop"),
            (json!({ "name": "https://evil" }), "'//'"),
            (json!({ "name": "mailto:evil" }), "colon"),
            (json!({ "name": "Call 0800 1234567" }), "telephone"),
            (json!({ "name": "me@evil" }), "'@'"),
            (json!({ "name": "a\nb" }), "line breaks"),
            (json!({ "name": "n".repeat(61) }), "60"),
            (json!({ "color": "red;background:url(//x)" }), "hexadecimal"),
            (json!({ "logo": svg }), "neither a PNG nor a JPEG"),
            (json!({ "logo": "%%%" }), "Base64"),
            (json!({ "logoUrl": "https://x" }), "unknown field"),
        ] {
            let refused = admin.admin("PUT", "/brand", Some(&body)).await.expect(400);
            assert!(detail(&refused).contains(said), "{}", refused.body);
            assert_eq!(refused.header("content-type"), "application/problem+json");
        }
        let large = "A".repeat(89_000);
        let large = admin.admin("PUT", "/brand", Some(&json!({ "logo": large }))).await.expect(400);
        assert!(detail(&large).contains("65536"), "{}", large.body);
        assert_eq!(admin.admin("GET", "/brand", None).await.expect(200).body, json!({}));
    }

    async fn templates_are_made_read_replaced_and_deleted(app: TestApp) {
        let admin = app.scoped(&["admin"]).await;
        let body = json!({ "subject": "Hola {name}", "intro": "{inviter} y {brand}" });
        let made = admin.admin("PUT", "/templates/welcome/ES-mx", Some(&body)).await.expect(200);
        assert_eq!(made.body["locale"], "es-MX");
        let one = admin.admin("GET", "/templates/welcome/es-mx", None).await.expect(200);
        assert_eq!(one.body, made.body);
        let all = admin.admin("GET", "/templates", None).await.expect(200).body;
        assert_eq!(all, json!({ "templates": [made.body] }));
        for (path, body, said) in [
            ("welcome/en", json!({ "subject": "{link}", "intro": "x" }), "{link}"),
            ("welcome/en", json!({ "subject": "x", "intro": "see evil.example" }), "full stop"),
            ("welcome/not%20a%20tag", json!({ "subject": "x", "intro": "x" }), "locale"),
            ("a%20b/en", json!({ "subject": "x", "intro": "x" }), "letters, digits"),
        ] {
            let refused =
                admin.admin("PUT", &format!("/templates/{path}"), Some(&body)).await.expect(400);
            assert!(detail(&refused).contains(said), "{}", refused.body);
        }
        let other = app.tenant_with("page.max", "500").await.scoped(&["admin"]).await;
        other.admin("GET", "/templates/welcome/es-MX", None).await.expect(404);
        admin.admin("DELETE", "/templates/welcome/es-mx", None).await.expect(204);
        admin.admin("DELETE", "/templates/welcome/es-mx", None).await.expect(404);
    }

    async fn who_may_not_read_users_sees_no_address(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.mailing(&sink).await;
        sink.set("ines@there.example", Mood::Bounce);
        app.write_letter(invitation("ines")).await.unwrap();
        app.send_mail().await;
        let list = async |scopes: &[&str], query: &str| -> Value {
            let reader = app.scoped(scopes).await;
            reader.admin("GET", &format!("/mails{query}"), None).await.expect(200).body
        };
        let blind = list(&["log:read"], "").await;
        assert_eq!(blind["mails"][0]["address"], "i…@there.example");
        assert_eq!(blind["mails"][0]["detail"], "the mail server refuses the address: …");
        let seeing = list(&["log:read", "users:read"], "").await;
        assert_eq!(seeing["mails"][0]["address"], "ines@there.example");
        assert_eq!(seeing["next"], 1);
        for (query, count) in [
            ("?state=bounced", 1), ("?state=sent", 0), ("?user=ines", 1), ("?user=tom", 0),
            ("?kind=reset", 0), ("?after=1", 0), ("?limit=0", 0),
        ] {
            let found = list(&["log:read"], query).await;
            assert_eq!(found["mails"].as_array().unwrap().len(), count, "{query}");
        }
        let reader = app.scoped(&["log:read"]).await;
        reader.admin("GET", "/mails?state=lost", None).await.expect(400);
        app.scoped(&["scim"]).await.admin("GET", "/mails", None).await.expect(403);
    }

    async fn a_mail_processor_says_what_became_of_a_mail(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.scoped(&["admin"]).await.mailing(&sink).await;
        let id = app.write_letter(invitation("ines")).await.unwrap();
        app.send_mail().await;
        let report = async |body: Value| app.admin("POST", "/mails:report", Some(&body)).await;
        let by_id = report(json!({ "id": id, "state": "delivered" })).await.expect(200).body;
        assert_eq!((&by_id["state"], &by_id["user"]), (&json!("delivered"), &json!("ines")));
        let message_id = by_id["messageId"].clone();
        let body = json!({ "messageId": message_id, "state": "bounced", "detail": "mailbox\r\nfull" });
        for _ in 0..2 {
            let bounced = report(body.clone()).await.expect(200).body;
            assert_eq!((&bounced["state"], &bounced["detail"]), (&json!("bounced"), &json!("mailbox  full")));
        }
        let events = app.admin("GET", "/events", None).await.expect(200).body;
        let names: Vec<_> = events["lines"].as_array().unwrap().iter()
            .map(|line| line["name"].as_str().unwrap())
            .filter(|name| name.starts_with("invitation."))
            .collect();
        assert_eq!(names, ["invitation.delivered", "invitation.bounced"]);
        app.write_letter(invitation("ines")).await.unwrap();
        assert_eq!(app.mail_states().await, ["bounced", "suppressed"]);
        for (body, status) in [
            (json!({ "id": "nobody", "state": "bounced" }), 404),
            (json!({ "id": id, "state": "lost" }), 400),
            (json!({ "state": "bounced" }), 400),
            (json!({ "id": id, "messageId": message_id, "state": "bounced" }), 400),
        ] {
            report(body).await.expect(status);
        }
        let suppressed = app.all_mails().await.remove(1).id;
        report(json!({ "id": suppressed, "state": "delivered" })).await.expect(409);
        let other = app.tenant_with("page.max", "500").await.scoped(&["admin"]).await;
        let body = json!({ "id": id, "state": "delivered" });
        other.admin("POST", "/mails:report", Some(&body)).await.expect(404);
        app.scoped(&["users:read"]).await
            .admin("POST", "/mails:report", Some(&json!({ "id": id, "state": "delivered" })))
            .await.expect(403);
    }
}
