//! Invitations under attack, and where they meet the other parts: whoever has a weak token, an old link or
//! an odd client gets nothing that is not theirs, and no seat is lost or counted twice.

use serde_json::{Value, json};
use usher::app::seating::Act;
use usher::domain::pool::Policy;

use crate::admin::problem;
use crate::invitations::{ACTIVE, CANCELLED, EXPIRED, INVITED_NOW, SCHEMA, stand};
use crate::support::app::{Reply, TestApp};
use crate::support::asks::{CONTACT_CENTER as ABOUT, INVITATION as INVITED, SEAT, texts, user};
use crate::support::each_db;

const HOUR: i64 = 3_600;

impl TestApp {
    /// Invites somebody with `POST /Invitations`; gives the user's id.
    async fn invite(&self, email: &str, more: Value) -> String {
        let mut body = json!({ "schemas": [SCHEMA], "email": email });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = self.post("/Invitations", &body).await.expect(201);
        made.body["user"]["value"].as_str().unwrap().to_owned()
    }

    /// Asks for the link of an invitation.
    async fn ask_link(&self, id: &str) -> Reply {
        self.admin("POST", &format!("/users/{id}/invitation:link"), None).await
    }

    async fn set_rule(&self, key: &str, value: &str) {
        self.app.set_tenant(&self.tenant, &[(key.to_owned(), value.to_owned())]).await.unwrap();
    }
}

fn by_link(roles: &[&str]) -> Value {
    json!({ "mode": "link", "roles": roles })
}

each_db! {
    async fn a_weak_token_gets_no_link_of_an_administrator(weak: TestApp) {
        let weak = weak.licensed(9).await;
        let strong = weak.scoped(&["admin"]).await;
        let boss = strong.invite("boss@x.example", by_link(&["account_admin"])).await;
        let path = format!("/users/{boss}/invitation:resend");
        for app in [&weak, &weak.later(49 * HOUR).await] {
            app.app.expire_invitations().await.unwrap();
            assert!(problem(&app.ask_link(&boss).await, 403).contains("Managed in Usher."));
            problem(&app.admin("POST", &path, None).await, 403);
        }
        let later = weak.later(49 * HOUR).await;
        assert_eq!(stand(&later.see(&boss).await), EXPIRED);
        let again = json!({ "schemas": [SCHEMA], "email": "boss@x.example", "mode": "link" });
        later.post("/Invitations", &again).await.refused(403, "");
        // To take away is allowed; to invite anew after that is not.
        later.set_active(&boss, false).await.expect(200);
        later.post("/Invitations", &again).await.refused(403, "");
        assert_eq!(stand(&later.see(&boss).await), CANCELLED);
        let strong = strong.later(49 * HOUR).await;
        strong.invite("boss@x.example", json!({ "mode": "link" })).await;
        strong.ask_link(&boss).await.expect(200);
        later.is_sound().await;
    }

    async fn whoever_takes_an_invitation_over_keeps_what_an_administrator_gave(app: TestApp) {
        let app = app.licensed(5).await;
        app.pool("agent", |pool| pool.total = Some(5)).await;
        let id = app.invite("jane@x.example", json!({ "seatType": "agent" })).await;
        let block = json!([{ "op": "add", "path": format!("{ABOUT}:webLoginBlocked"), "value": true }]);
        app.patch(&format!("/Users/{id}"), block).await.expect(200);
        let emails = json!({ "emails": [{ "value": "jane@x.example", "type": "work" }] });
        let taken = app.user_with("jdoe", &emails).await;
        assert_eq!(taken.id(), id);
        assert_eq!(taken.body[SEAT]["seatType"], "agent", "{}", taken.body);
        assert_eq!(taken.body[ABOUT]["webLoginBlocked"], true);
        assert_eq!((app.used("agent").await, app.used("default").await), ((1, 0), (0, 0)));
        app.is_sound().await;
    }

    async fn an_invitation_that_is_taken_over_and_kept_has_its_link_still(app: TestApp) {
        let app = app.licensed(5).await;
        app.set_rule("invitation.default", "link").await;
        let id = app.invite("jane@x.example", json!({ "mode": "link" })).await;
        let secret = app.link(&id).await;
        let emails = json!({ "emails": [{ "value": "Jane@X.example", "type": "work" }] });
        let taken = app.user_with("jdoe", &emails).await;
        assert_eq!((taken.id(), stand(&taken)), (id, INVITED_NOW));
        app.accept(&secret).await.unwrap();
    }

    async fn an_address_in_other_case_is_the_same_address(app: TestApp) {
        let app = app.licensed(5).await;
        app.set_rule("invitation.default", "email").await;
        let id = app.invite("jane@x.example", json!({})).await;
        let emails = json!({ "emails": [{ "value": "Jane@X.example", "type": "work" }] });
        let taken = app.user_with("jdoe", &emails).await;
        assert_eq!((taken.id(), stand(&taken)), (id.clone(), INVITED_NOW));
        let story = taken.body[INVITED]["invitationId"].as_str().unwrap();
        let story = app.get(&format!("/Invitations/{story}?attributes=history")).await.expect(200);
        assert_eq!(texts(&story.body["history"], "/event"), ["sent"]);
        assert_eq!(app.mail_states().await, ["queued"]);
    }

    async fn nobody_is_invited_to_what_cannot_be_signed_in_to(app: TestApp) {
        let app = app.licensed(5).await;
        let none = json!({ "schemas": [SCHEMA], "email": "a@x.example", "seatType": "none" });
        app.post("/Invitations", &none).await.refused(400, "invalidValue");
        let id = app.invite("b@x.example", json!({})).await;
        app.set_active(&id, false).await.expect(200);
        let off = json!([{ "op": "add", "path": format!("{ABOUT}:webLogin"), "value": false }]);
        app.patch(&format!("/Users/{id}"), off).await.expect(200);
        let again = json!({ "schemas": [SCHEMA], "email": "b@x.example" });
        app.post("/Invitations", &again).await.refused(400, "invalidValue");
        assert_eq!(app.see(&id).await.body["active"], false);
        app.is_sound().await;
    }

    async fn a_tenant_that_shows_no_extensions_invites_all_the_same(app: TestApp) {
        let app = app.licensed(5).await.scoped(&["admin"]).await;
        app.set_rule("discovery.extensions", "none").await;
        let one = json!({ "email": "a@x.example", "mode": "link", "seatType": "default" });
        let sent = app.admin("POST", "/invitations:batch", Some(&json!({ "invitations": [one] }))).await;
        let sent = sent.expect(200);
        assert_eq!(sent.body["results"][0]["status"], 201, "{}", sent.body);
        app.post("/Invitations", &json!({ "schemas": [SCHEMA], "email": "b@x.example" })).await.expect(404);
        let id = sent.body["results"][0]["invitation"]["user"]["value"].as_str().unwrap().to_owned();
        let before = app.see(&id).await;
        assert_eq!(before.body[INVITED], Value::Null);
        let again = app.put(&format!("/Users/{id}"), &before.body).await.expect(200);
        assert_eq!(again.header("etag"), before.header("etag"));
        app.accept(&app.link(&id).await).await.unwrap();
        assert_eq!(app.used("default").await, (1, 0));
    }

    async fn a_tenant_that_is_strict_invites_too(app: TestApp) {
        let app = app.licensed(5).await;
        app.set_rule("scim.strict", "true").await;
        let id = app.invite("a@x.example", json!({ "seatType": "default", "roles": ["agent"] })).await;
        assert_eq!(stand(&app.see(&id).await), INVITED_NOW);
    }

    async fn a_link_for_somebody_who_has_to_wait_is_told_so(app: TestApp) {
        let app = app.licensed(1).await.scoped(&["admin"]).await;
        let id = app.invitee("jane@x.example").await;
        let later = app.later(49 * HOUR).await;
        later.app.expire_invitations().await.unwrap();
        later.user("another").await;
        later.pool("default", |pool| pool.overage_policy = Policy::Waitlist).await;
        let asked = later.ask_link(&id).await;
        assert!(problem(&asked, 400).contains("waits"), "{}", asked.body);
        later.is_sound().await;
    }

    async fn who_comes_back_while_the_link_lived_holds_no_seat_for_ever(app: TestApp) {
        let app = app.braked("1%/1h", 9).await;
        for gone in app.people(5).await {
            app.turn_off(&gone).await;
        }
        let id = app.invitee("jane@x.example").await;
        let secret = app.link(&id).await;
        app.remove(&id).await;
        assert_eq!(app.held().await, (0, 1));
        app.is_refused(&secret).await;
        app.undo().await;
        let back = app.see(&id).await;
        app.is_sound().await;
        // Either there is a link that ends, or nobody is waited for.
        let later = app.later(49 * HOUR).await;
        later.app.expire_invitations().await.unwrap();
        let seen = later.see(&id).await;
        assert_eq!((stand(&back), stand(&seen)), (INVITED_NOW, EXPIRED));
        later.is_sound().await;
    }

    async fn an_invited_user_who_is_held_comes_back_invited_anew(app: TestApp) {
        let app = app.braked("1%/1h", 9).await;
        for gone in app.people(5).await {
            app.turn_off(&gone).await;
        }
        let id = app.invitee("jane@x.example").await;
        let secret = app.link(&id).await;
        app.turn_off(&id).await;
        assert_eq!(app.held().await, (1, 0));
        app.is_refused(&secret).await;
        app.is_sound().await;
        app.undo().await;
        assert_eq!(stand(&app.see(&id).await), INVITED_NOW);
        app.is_refused(&secret).await;
        app.is_sound().await;
        app.turn_off(&id).await;
        app.confirm().await;
        app.is_sound().await;
        assert_eq!(app.see(&id).await.body[SEAT]["state"], "none");
    }

    async fn whoever_needs_no_seat_accepts_without_one(app: TestApp) {
        let app = app.licensed(1).await;
        let id = app.invitee("jane@x.example").await;
        let ctx = app.app.operator(&app.tenant).await.unwrap();
        app.app.act_on_seat(&ctx, &id, Act::Exempt(true)).await.unwrap();
        assert_eq!(app.used("default").await, (0, 0));
        let secret = app.link(&id).await;
        app.is_sound().await;
        let gone = app.later(49 * HOUR).await;
        app.accept(&secret).await.unwrap();
        assert_eq!(app.used("default").await, (0, 0));
        app.app.act_on_seat(&ctx, &id, Act::Exempt(false)).await.unwrap();
        assert_eq!((stand(&app.see(&id).await), app.used("default").await), (ACTIVE, (1, 0)));
        app.is_sound().await;
        let other = app.scoped(&["admin"]).await;
        other.set_seats("default", Some(2)).await;
        let id = other.invitee("joe@x.example").await;
        other.app.act_on_seat(&ctx, &id, Act::Exempt(true)).await.unwrap();
        let gone = gone.later(49 * HOUR).await;
        gone.app.expire_invitations().await.unwrap();
        assert_eq!(gone.see(&id).await.body[ABOUT]["lifecycle"], "expired");
        gone.app.act_on_seat(&ctx, &id, Act::Exempt(false)).await.unwrap();
        assert_eq!(stand(&gone.see(&id).await), EXPIRED);
        gone.is_sound().await;
    }

    async fn whoever_is_moved_to_a_full_pool_accepts_and_waits_there(app: TestApp) {
        let app = app.licensed(5).await;
        app.pool("agent", |pool| pool.total = Some(0)).await;
        let id = app.invitee("jane@x.example").await;
        let secret = app.link(&id).await;
        let group = app.group("Agents", &[&id]).await;
        app.map(&group, None, Some("agent")).await;
        let moving = app.see(&id).await;
        assert_eq!((stand(&moving), &moving.body[SEAT]["requestedSeatType"]), (INVITED_NOW, &json!("agent")));
        app.is_sound().await;
        app.accept(&secret).await.unwrap();
        let seen = app.see(&id).await;
        assert_eq!((stand(&seen), &seen.body[SEAT]["requestedSeatType"]), (ACTIVE, &json!("agent")));
        app.is_sound().await;
        // The same of one who does not come: the place in the line goes with the seat.
        let late = app.invitee("joe@x.example").await;
        let add = json!([{ "op": "add", "path": "members", "value": [{ "value": late }] }]);
        app.patch(&format!("/Groups/{group}"), add).await;
        let later = app.later(49 * HOUR).await;
        later.app.expire_invitations().await.unwrap();
        assert_eq!(stand(&later.see(&late).await), EXPIRED);
        later.set_seats("agent", Some(5)).await;
        later.app.seat_all_waiters().await.unwrap();
        assert_eq!(stand(&later.see(&late).await), EXPIRED);
        assert_eq!(later.used("agent").await, (1, 0));
        later.is_sound().await;
    }

    async fn a_pool_that_takes_nobody_any_more_hinders_nobody_who_is_invited(app: TestApp) {
        let app = app.licensed(5).await;
        let id = app.invitee("jane@x.example").await;
        app.pool("default", |pool| pool.valid_until = Some(jiff::Timestamp::UNIX_EPOCH)).await;
        app.resend(&id).await.expect(200);
        app.accept(&app.link(&id).await).await.unwrap();
        app.is_sound().await;
    }

    async fn what_a_client_reads_and_writes_every_night_changes_nothing(app: TestApp) {
        let app = app.licensed(9).await;
        let mail = |address: &str| json!({ "emails": [{ "value": address }], INVITED: { "mode": "email" } });
        let ids = [
            app.invitee("pending@x.example").await,
            app.user_with("mailed", &mail("mailed@x.example")).await.id(),
            app.invitee("cancelled@x.example").await,
            app.invitee("accepted@x.example").await,
            app.user("plain").await,
            app.user_with("reset", &json!({ INVITED: { "mode": "reset" } })).await.id(),
        ];
        app.set_active(&ids[2], false).await.expect(200);
        app.accept(&app.link(&ids[3]).await).await.unwrap();
        let late = app.later(49 * HOUR).await;
        for (at, app) in [(0, &app), (49, &late)] {
            app.app.expire_invitations().await.unwrap();
            let mails = app.all_mails().await.len();
            for id in &ids {
                let path = format!("/Users/{id}");
                let before = app.see(id).await;
                let mode = before.body[INVITED]["mode"].clone();
                let mut bodies = vec![before.body.clone(), before.body.clone()];
                bodies[1].as_object_mut().unwrap().remove(INVITED);
                for about in [json!({}), Value::Null] {
                    let mut body = before.body.clone();
                    body[INVITED] = about;
                    bodies.push(body);
                }
                if mode.is_string() {
                    let mut body = before.body.clone();
                    body[INVITED] = json!({ "mode": mode });
                    bodies.push(body);
                }
                for body in bodies {
                    let put = app.put(&path, &body).await.expect(200);
                    assert_eq!(put.header("etag"), before.header("etag"), "{at} {body}");
                }
                // In another case it is stored as it was written, and nothing follows.
                let Some(text) = mode.as_str() else { continue };
                let mut body = before.body.clone();
                body[INVITED] = json!({ "mode": text.to_uppercase() });
                let put = app.put(&path, &body).await.expect(200);
                assert_eq!(stand(&put), stand(&before));
                assert_eq!(put.body[INVITED]["mode"], text.to_uppercase());
                let again = app.put(&path, &body).await.expect(200);
                assert_eq!(again.header("etag"), put.header("etag"));
                body[INVITED] = json!({ "mode": text });
                app.put(&path, &body).await.expect(200);
            }
            assert_eq!(app.all_mails().await.len(), mails);
            app.is_sound().await;
        }
        late.accept(&app.link(&ids[0]).await).await.unwrap_err();
    }

    async fn whoever_administers_an_account_is_an_administrator(weak: TestApp) {
        let weak = weak.licensed(9).await;
        let strong = weak.scoped(&["admin"]).await;
        let account = json!({ "accountNumber": "A-1" });
        strong.admin("POST", "/accounts", Some(&account)).await.expect(201);
        let join = json!({ "account": "A-1", "role": "account_admin" });
        let joins = async |id: &str| {
            let path = format!("/users/{id}/memberships");
            strong.admin("POST", &path, Some(&join)).await.expect(201);
        };
        let chief = weak.user_with("chief", &json!({ "emails": [{ "value": "c@x.example" }] })).await.id();
        joins(&chief).await;
        let path = format!("/Users/{chief}");
        for (name, value) in [
            ("password", json!("a long enough one")), ("userName", json!("eve")),
            ("emails", json!([{ "value": "eve@x.example" }])),
        ] {
            let change = json!([{ "op": "replace", "path": name, "value": value }]);
            let detail = weak.patch(&path, change).await.refused(403, "");
            assert!(detail.starts_with("Managed in Usher."), "{name}: {detail}");
        }
        let renamed = json!([{ "op": "replace", "path": "displayName", "value": "Chief" }]);
        weak.patch(&path, renamed).await.expect(200);
        let invited = strong.invite("boss@x.example", json!({ "mode": "link" })).await;
        joins(&invited).await;
        problem(&weak.ask_link(&invited).await, 403);
        let more = json!({ "emails": [{ "value": "boss@x.example" }] });
        assert_ne!(weak.user_with("boss", &more).await.id(), invited);
        strong.ask_link(&invited).await.expect(200);
    }

    async fn a_patch_of_several_things_is_done_whole_or_not_at_all(app: TestApp) {
        let app = app.licensed(9).await;
        let mail = json!({ "emails": [{ "value": "j@x.example" }], INVITED: { "mode": "email" } });
        let id = app.user_with("jane", &mail).await.id();
        let path = format!("/Users/{id}");
        let op = |name: &str, value: Value| json!({ "op": "replace", "path": name, "value": value });
        let of = |name: &str| format!("{INVITED}:{name}");
        let later = app.later(61).await;
        // A new address and a new link at once: the link goes to the new address.
        let both = json!([
            op("emails", json!([{ "value": "new@x.example" }])), op(&of("resend"), json!(true)),
        ]);
        let sent = later.patch(&path, both).await.expect(200);
        assert_eq!((stand(&sent), &sent.body[INVITED]["resendCount"]), (INVITED_NOW, &json!(1)));
        assert_eq!(later.mail_states().await, ["stale", "queued"]);
        assert_eq!(later.all_mails().await[1].address, "new@x.example");
        // Suspended and sent anew at once is refused, and nothing has happened.
        let later = app.later(200).await;
        let odd = json!([op("active", json!(false)), op(&of("resend"), json!(true))]);
        later.patch(&path, odd).await.refused(400, "invalidValue");
        assert_eq!(stand(&later.see(&id).await), INVITED_NOW);
        // False is no wish, and is not stored.
        let before = later.see(&id).await;
        let no = later.patch(&path, json!([op(&of("resend"), json!(false))])).await.expect(200);
        assert_eq!(no.header("etag"), before.header("etag"));
        // A PUT asks for a new link like a PATCH.
        let mut put = before.body.clone();
        put[INVITED]["resend"] = true.into();
        let sent = later.put(&path, &put).await.expect(200);
        assert_eq!(sent.body[INVITED]["resendCount"], 2);
        // The mode and the way to sign in at once.
        let none = json!([op(&of("mode"), json!("none")), op(&format!("{ABOUT}:webLogin"), json!(false))]);
        let none = later.patch(&path, none).await.expect(200);
        assert_eq!(stand(&none).0, "provisioned");
        assert_eq!(app.used("default").await, (0, 0));
        // Without an address nobody is mailed to.
        let gone = json!([{ "op": "remove", "path": "emails" }, op(&of("mode"), json!("email"))]);
        later.patch(&path, gone).await.refused(400, "invalidValue");
        app.is_sound().await;
    }

    async fn a_bulk_request_that_is_repeated_mails_once(app: TestApp) {
        let app = app.licensed(9).await;
        let person = |name: &str| user(name, &json!({
            "emails": [{ "value": format!("{name}@x.example") }], INVITED: { "mode": "email" },
        }));
        let id = app.user_with("old", &person("old")).await.id();
        let later = app.later(61).await;
        let resend = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "add", "path": format!("{INVITED}:resend"), "value": true }],
        });
        let bulk = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "failOnErrors": 2,
            "Operations": [
                { "method": "POST", "path": "/Users", "bulkId": "a", "data": person("a") },
                { "method": "PATCH", "path": format!("/Users/{id}"), "data": resend },
                { "method": "PATCH", "path": format!("/Users/{id}"), "data": resend },
                { "method": "POST", "path": "/Users", "bulkId": "b", "data": person("b") },
                { "method": "POST", "path": "/Users", "bulkId": "c", "data": person("a") },
                { "method": "POST", "path": "/Users", "bulkId": "d", "data": person("d") },
            ],
        });
        let key = [("idempotency-key", "once")];
        for _ in 0..2 {
            let done = later.send("POST", "/Bulk", &key, Some(&bulk)).await.expect(200);
            let statuses = texts(&done.body["Operations"], "/status");
            assert_eq!(statuses, ["201", "200", "400", "201", "409"], "{}", done.body);
        }
        let mails = later.all_mails().await;
        let mails: Vec<_> = mails.iter().map(|mail| (&*mail.address, &*mail.state)).collect();
        assert_eq!(mails, [
            ("old@x.example", "stale"), ("a@x.example", "queued"), ("old@x.example", "queued"),
            ("b@x.example", "queued"),
        ]);
        later.is_sound().await;
    }

    async fn a_full_pool_that_rejects_groups_hinders_nobody_who_is_invited(app: TestApp) {
        let app = app.licensed(2).await;
        app.set_rule("groups.onFullPool", "reject").await;
        app.pool("agent", |pool| pool.total = Some(0)).await;
        let id = app.invitee("jane@x.example").await;
        let secret = app.link(&id).await;
        let group = app.group("Agents", &[]).await;
        app.map(&group, None, Some("agent")).await;
        let add = json!([{ "op": "add", "path": "members", "value": [{ "value": id }] }]);
        app.patch(&format!("/Groups/{group}"), add).await.refused(403, "");
        assert_eq!(stand(&app.see(&id).await), INVITED_NOW);
        app.accept(&secret).await.unwrap();
        app.is_sound().await;
    }

    async fn whoever_waits_after_all_is_invited_when_there_is_a_seat(app: TestApp) {
        let app = app.licensed(1).await;
        app.pool("default", |pool| pool.overage_policy = Policy::Waitlist).await;
        let id = app.invitee("jane@x.example").await;
        let secret = app.link(&id).await;
        let later = app.later(49 * HOUR).await;
        later.app.expire_invitations().await.unwrap();
        let other = later.user("other").await;
        // Sent anew: a place in the line, and a link when it is her turn.
        let sent = later.resend(&id).await.expect(200);
        assert_eq!(stand(&sent), ("waiting", "none", "waiting"));
        later.is_refused(&secret).await;
        later.resend(&id).await.refused(400, "invalidValue");
        later.delete(&format!("/Users/{other}")).await.expect(204);
        assert_eq!(stand(&later.see(&id).await), INVITED_NOW);
        later.is_sound().await;
    }

    async fn whoever_did_not_come_and_is_cancelled_is_so_in_the_story_too(app: TestApp) {
        let app = app.licensed(2).await;
        let (id, other) = (app.invitee("jane@x.example").await, app.invitee("joe@x.example").await);
        let later = app.later(49 * HOUR).await;
        later.app.expire_invitations().await.unwrap();
        later.set_active(&id, false).await.expect(200);
        let on = json!([
            { "op": "replace", "path": format!("{INVITED}:mode"), "value": "none" },
            { "op": "replace", "path": "active", "value": false },
        ]);
        later.patch(&format!("/Users/{other}"), on).await.expect(200);
        assert_eq!(stand(&later.set_active(&other, true).await), ("active", "superseded", "consumed"));
        for (id, status) in [(id, "cancelled"), (other, "superseded")] {
            let story = later.see(&id).await.body[INVITED]["invitationId"].as_str().unwrap().to_owned();
            let story = later.get(&format!("/Invitations/{story}")).await.expect(200);
            assert_eq!(story.body["status"], status);
        }
        later.is_sound().await;
    }

    async fn two_who_invite_the_same_person_at_once_invite_once(app: TestApp) {
        let app = app.licensed(5).await;
        // Both instances know that people are invited here.
        app.invite("first@x.example", json!({})).await;
        let other = app.second_instance().await;
        let jane = json!({ "schemas": [SCHEMA], "email": "jane@x.example" });
        let (one, two) = tokio::join!(app.post("/Invitations", &jane), other.post("/Invitations", &jane));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{} {}", one.body, two.body);
        assert_eq!((app.used("default").await, app.mail_states().await.len()), ((2, 0), 2));
        // Of two clients who create that person at once one takes the invitation over.
        let person = |name: &str| user(name, &json!({ "emails": [{ "value": "jane@x.example" }] }));
        let (first, second) = (person("jdoe"), person("JDoe"));
        let (one, two) = tokio::join!(app.post("/Users", &first), other.post("/Users", &second));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{} {}", one.body, two.body);
        assert_eq!(app.used("default").await, (2, 0));
        app.is_sound().await;
    }

    async fn an_invited_user_who_is_gone_for_good_gives_the_seat_back(app: TestApp) {
        let app = app.braked("1%/1h", 9).await;
        for gone in app.people(5).await {
            app.turn_off(&gone).await;
        }
        let mail = json!({ "emails": [{ "value": "j@x.example" }], INVITED: { "mode": "email" } });
        let id = app.user_with("jane", &mail).await.id();
        app.remove(&id).await;
        assert_eq!((app.held().await, app.mail_states().await), ((0, 1), vec!["stale".to_owned()]));
        app.is_sound().await;
        let later = app.later(100 * HOUR).await;
        later.app.expire_invitations().await.unwrap();
        later.is_sound().await;
        later.confirm().await;
        assert_eq!(later.used("default").await, (0, 0));
        later.is_sound().await;
    }

    async fn a_link_of_one_tenant_opens_nothing_in_another(app: TestApp) {
        let (one, two) = (app.licensed(5).await, app.licensed(5).await);
        let (here, there) = (one.invitee("jane@x.example").await, two.invitee("jane@x.example").await);
        let two = two.scoped(&["admin"]).await;
        for action in ["link", "resend"] {
            two.admin("POST", &format!("/users/{here}/invitation:{action}"), None).await.expect(404);
        }
        one.accept(&one.link(&here).await).await.unwrap();
        assert_eq!(stand(&one.see(&here).await), ACTIVE);
        assert_eq!(stand(&two.see(&there).await), INVITED_NOW);
    }

    async fn a_link_goes_to_the_address_that_was_invited_and_to_no_other(weak: TestApp) {
        let weak = weak.licensed(5).await;
        let strong = weak.scoped(&["admin"]).await;
        // Somebody who did not come, and whose mail would go elsewhere.
        let trap = json!({
            "emails": [{ "value": "eve@evil.example", "primary": true }, { "value": "boss@x.example" }],
            INVITED: { "mode": "email" },
        });
        let eve = weak.user_with("eve", &trap).await.id();
        weak.set_active(&eve, false).await.expect(200);
        let boss = json!({ "schemas": [SCHEMA], "email": "boss@x.example", "roles": ["account_admin"] });
        let detail = strong.post("/Invitations", &boss).await.refused(409, "uniqueness");
        assert!(detail.contains("is registered already"), "{detail}");
        assert_eq!(stand(&strong.see(&eve).await), CANCELLED);
        assert_eq!(strong.mail_states().await, ["stale"]);
    }

    async fn nothing_is_left_of_a_link_once_the_user_is_gone(app: TestApp) {
        let app = app.licensed(2).await;
        let mail = json!({ "emails": [{ "value": "j@x.example" }], INVITED: { "mode": "email" } });
        let id = app.user_with("jane", &mail).await.id();
        app.delete(&format!("/Users/{id}")).await.expect(204);
        assert_eq!(app.mail_states().await, ["stale"]);
        assert_eq!(app.mail_secrets().await, 0);
        // The same person comes again.
        let again = app.user_with("jane", &mail).await;
        assert_eq!(stand(&again), INVITED_NOW);
        assert_eq!(app.used("default").await, (1, 0));
        app.is_sound().await;
    }
}
