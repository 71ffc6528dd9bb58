//! Invitations: from the wish to a person who can sign in, and every way in which they end.

use futures_util::future::join_all;
use serde_json::{Value, json};
use usher::app::{Error, LinkState};
use usher::clock::Clock;
use usher::store::Tx;
use zeroize::Zeroizing;

use crate::admin::problem;
use crate::brake::active;
use crate::seats::state;
use crate::support::app::{Reply, TestApp};
use crate::support::asks::{CONTACT_CENTER as ABOUT, INVITATION as INVITED, texts};
use crate::support::each_db;

pub(crate) const SCHEMA: &str = "urn:ietf:params:scim:schemas:usher:2.0:Invitation";
const HOUR: i64 = 3_600;

/// What the user's document says of lifecycle, invitation and seat.
pub(crate) fn stand(reply: &Reply) -> (&str, &str, &str) {
    let text = |schema: &str, name: &str| reply.body[schema][name].as_str().unwrap_or_default();
    (text(ABOUT, "lifecycle"), text(INVITED, "status"), state(reply))
}

pub(crate) const INVITED_NOW: (&str, &str, &str) = ("invited", "pending", "reserved");
pub(crate) const ACTIVE: (&str, &str, &str) = ("active", "accepted", "consumed");
pub(crate) const EXPIRED: (&str, &str, &str) = ("expired", "expired", "none");
pub(crate) const CANCELLED: (&str, &str, &str) = ("cancelled", "cancelled", "none");

impl TestApp {
    pub(crate) async fn see(&self, id: &str) -> Reply {
        self.get(&format!("/Users/{id}")).await.expect(200)
    }

    /// A user who is invited by a link that is handed over; gives the id.
    pub(crate) async fn invitee(&self, name: &str) -> String {
        let by_link = json!({ INVITED: { "mode": "link" } });
        let made = self.user_with(name, &by_link).await;
        assert_eq!(stand(&made), INVITED_NOW);
        made.id()
    }

    /// The secret of a new link.
    pub(crate) async fn link(&self, id: &str) -> String {
        let ctx = self.app.operator(&self.tenant).await.unwrap();
        let linked = self.app.link_invitation(&ctx, id).await.unwrap();
        linked.url.rsplit('/').next().unwrap().to_owned()
    }

    pub(crate) async fn accept(&self, secret: &str) -> Result<(), Error> {
        self.app.activate(secret, Zeroizing::new("correct horse battery".to_owned())).await
    }

    pub(crate) async fn is_refused(&self, secret: &str) {
        assert!(matches!(self.accept(secret).await, Err(Error::Gone(_))));
    }

    pub(crate) async fn resend(&self, id: &str) -> Reply {
        let resend = json!([{ "op": "add", "path": format!("{INVITED}:resend"), "value": true }]);
        self.patch(&format!("/Users/{id}"), resend).await
    }

    pub(crate) async fn set_active(&self, id: &str, on: bool) -> Reply {
        self.patch(&format!("/Users/{id}"), active(on)).await
    }

    async fn link_state(&self, secret: &str) -> LinkState {
        self.app.activation(secret).await.unwrap().state
    }

    async fn story(&self, id: &str) -> Reply {
        let id = self.see(id).await.body[INVITED]["invitationId"].as_str().unwrap().to_owned();
        self.get(&format!("/Invitations/{id}?attributes=status,history,resendCount"))
            .await
            .expect(200)
    }
}

each_db! {
    async fn an_invitation_is_accepted_once_and_the_seat_is_counted_once(app: TestApp) {
        let app = app.licensed(1).await;
        let id = app.invitee("jane@x.example").await;
        assert_eq!(app.used("default").await, (1, 0));
        let secret = app.link(&id).await;
        // Programs that scan mail look at links.
        for _ in 0..3 {
            let seen = app.app.activation(&secret).await.unwrap();
            assert_eq!((seen.state, seen.user_name.as_str()), (LinkState::Good, "jane@x.example"));
        }
        assert_eq!(stand(&app.see(&id).await), INVITED_NOW);
        app.accept(&secret).await.unwrap();
        assert_eq!(stand(&app.see(&id).await), ACTIVE);
        app.is_refused(&secret).await;
        assert_eq!(app.link_state(&secret).await, LinkState::Used);
        let story = app.story(&id).await;
        assert_eq!(texts(&story.body["history"], "/event"), ["sent", "resent", "accepted"]);
        let names = app.lines(&id).await;
        for event in ["invitation.sent", "invitation.accepted", "user.activated", "seat.consumed"] {
            assert!(names.iter().any(|name| name == event), "{event} is not in {names:?}");
        }
        app.is_sound().await;
    }

    async fn a_link_is_good_to_the_last_microsecond_of_its_hours(app: TestApp) {
        let app = app.licensed(5).await;
        let start = Clock::System.now();
        let early = app.second_instance_at(Clock::fixed(start)).await;
        let (id, late) = (early.invitee("in-time").await, early.invitee("too-late").await);
        let (secret, other) = (early.link(&id).await, early.link(&late).await);
        let last = Clock::fixed(usher::clock::Micros(start.0 + 48 * HOUR * 1_000_000 - 1));
        app.second_instance_at(last).await.accept(&secret).await.unwrap();
        let end = app.second_instance_at(Clock::fixed(start.plus_seconds(48 * HOUR))).await;
        end.is_refused(&other).await;
        assert_eq!(end.link_state(&other).await, LinkState::Expired);
        // It is refused before anybody has written it, and written by the sweeper.
        assert_eq!(stand(&end.see(&late).await), INVITED_NOW);
        assert_eq!(end.app.expire_invitations().await.unwrap(), 1);
        assert_eq!(stand(&end.see(&late).await), EXPIRED);
        assert_eq!(end.used("default").await, (1, 0));
        end.is_refused(&other).await;
        end.is_sound().await;
    }

    async fn a_link_that_is_made_up_opens_nothing_and_a_copy_of_the_database_has_none(app: TestApp) {
        let app = app.licensed(1).await;
        let id = app.invitee("jane@x.example").await;
        let secret = app.link(&id).await;
        let guess = usher::domain::token::text("activate", [7; 32]);
        for made_up in [guess.as_str(), &secret[..secret.len() - 1], &id, "", "%00", &secret.to_uppercase()] {
            app.is_refused(made_up).await;
            assert!(app.app.activation(made_up).await.is_err());
        }
        let (digits, look) = (secret.clone(), async |tx: &mut Tx<'_>| {
            let rows = tx.query("SELECT hash FROM tickets", &[]).await?;
            rows.iter().map(|row| row.text(0).map(str::to_owned)).collect::<Result<Vec<_>, _>>()
        });
        let stored = app.store.read::<_, usher::store::Error, _>(look).await.unwrap();
        assert!(!stored.is_empty() && stored.iter().all(|hash| hash.len() == 64));
        assert!(!stored.iter().any(|hash| digits.contains(hash) || hash.contains(&digits)));
        app.accept(&secret).await.unwrap();
    }

    async fn whoever_did_not_come_is_not_invited_by_an_identical_put(app: TestApp) {
        let app = app.licensed(1).await;
        let id = app.invitee("jane@x.example").await;
        let later = app.later(49 * HOUR).await;
        later.app.expire_invitations().await.unwrap();
        let before = later.see(&id).await;
        assert_eq!(stand(&before), EXPIRED);
        later.user("another").await;
        let again = later.put(&format!("/Users/{id}"), &before.body).await.expect(200);
        assert_eq!(again.header("etag"), before.header("etag"));
        let renamed = json!([{ "op": "replace", "path": "displayName", "value": "Jane" }]);
        let renamed = later.patch(&format!("/Users/{id}"), renamed).await.expect(200);
        assert_eq!(stand(&renamed), EXPIRED);
        // The pool is full: a new link needs a seat.
        later.resend(&id).await.refused(403, "");
        assert_eq!(stand(&later.see(&id).await), EXPIRED);
        later.set_seats("default", Some(2)).await;
        let sent = later.resend(&id).await.expect(200);
        assert_eq!((stand(&sent), &sent.body[INVITED]["resendCount"]), (INVITED_NOW, &json!(1)));
        assert_eq!(later.used("default").await, (2, 0));
        later.is_sound().await;
    }

    async fn nobody_is_sent_a_link_who_is_not_to_sign_in(app: TestApp) {
        let app = app.licensed(2).await;
        let id = app.invitee("jane@x.example").await;
        let later = app.later(49 * HOUR).await;
        later.app.expire_invitations().await.unwrap();
        let login = |on: bool| json!([{ "op": "replace", "path": format!("{ABOUT}:webLogin"), "value": on }]);
        let path = format!("/Users/{id}");
        let off = later.patch(&path, login(false)).await.expect(200);
        assert_eq!(stand(&off), EXPIRED);
        later.resend(&id).await.refused(400, "invalidValue");
        assert_eq!(later.used("default").await, (0, 0));
        later.patch(&path, login(true)).await.expect(200);
        later.resend(&id).await.expect(200);
        later.is_sound().await;
    }

    async fn a_full_pool_hinders_nobody_who_is_invited(app: TestApp) {
        let app = app.licensed(1).await;
        let id = app.invitee("jane@x.example").await;
        let first = app.link(&id).await;
        let sent = app.resend(&id).await.expect(200);
        assert_eq!(sent.body[INVITED]["resendCount"], 2);
        app.is_refused(&first).await;
        assert_eq!(app.link_state(&first).await, LinkState::Replaced);
        let second = app.link(&id).await;
        app.accept(&second).await.unwrap();
        assert_eq!(stand(&app.see(&id).await), ACTIVE);
        // Whoever has accepted is not invited again.
        let detail = app.resend(&id).await.refused(400, "invalidValue");
        assert!(detail.contains("accepted"), "{detail}");
    }

    async fn cancelling_frees_the_seat_and_kills_the_link(app: TestApp) {
        let app = app.licensed(2).await;
        let (first, second) = (app.invitee("first@x").await, app.invitee("second@x").await);
        let secrets = [app.link(&first).await, app.link(&second).await];
        let off = app.set_active(&first, false).await.expect(200);
        assert_eq!((stand(&off), &off.body["active"]), (CANCELLED, &json!(false)));
        let invitation = app.see(&second).await.body[INVITED]["invitationId"].clone();
        let path = format!("/Invitations/{}", invitation.as_str().unwrap());
        app.delete(&path).await.expect(204);
        app.get(&path).await.expect(404);
        assert_eq!(stand(&app.see(&second).await), CANCELLED);
        for secret in &secrets {
            app.is_refused(secret).await;
            assert_eq!(app.link_state(secret).await, LinkState::Cancelled);
        }
        assert_eq!(app.used("default").await, (0, 0));
        // Back again: another invitation with a link of its own.
        let on = app.set_active(&first, true).await.expect(200);
        assert_eq!((stand(&on), &on.body[INVITED]["resendCount"]), (INVITED_NOW, &json!(0)));
        app.is_refused(&secrets[0]).await;
        app.accept(&app.link(&first).await).await.unwrap();
        app.is_sound().await;
    }

    async fn a_new_address_kills_the_link_that_was_mailed(app: TestApp) {
        let app = app.licensed(2).await;
        let emails = |address: &str| json!([{ "value": address, "type": "work" }]);
        let more = json!({ "emails": emails("old@x.example"), INVITED: { "mode": "email" } });
        let id = app.user_with("jane@x.example", &more).await.id();
        let path = format!("/Users/{id}");
        let moved = json!([{ "op": "replace", "path": "emails", "value": emails("new@x.example") }]);
        let moved = app.patch(&path, moved).await.expect(200);
        assert_eq!(stand(&moved), INVITED_NOW);
        assert_eq!(texts(&app.story(&id).await.body["history"], "/event"), ["sent", "stale"]);
        let sent = app.later(61).await.resend(&id).await.expect(200);
        assert_eq!(sent.body[INVITED]["resendCount"], 1);
    }

    async fn deleting_an_invited_user_ends_the_invitation(app: TestApp) {
        let app = app.licensed(1).await;
        let id = app.invitee("jane@x.example").await;
        let (secret, story) = (app.link(&id).await, app.story(&id).await.id());
        app.delete(&format!("/Users/{id}")).await.expect(204);
        app.is_refused(&secret).await;
        let story = app.get(&format!("/Invitations/{story}")).await.expect(200);
        assert_eq!(story.body["status"], "superseded");
        assert_eq!(story.body["user"]["value"], id.as_str());
        assert_eq!(app.used("default").await, (0, 0));
    }

    async fn of_a_deleted_user_no_invitation_says_who_it_was(app: TestApp) {
        let app = app.licensed(2).await;
        let (gone, here) = (app.invitee("jane@x.example").await, app.invitee("john@x.example").await);
        // The one before it keeps no name either.
        app.set_active(&gone, false).await;
        app.set_active(&gone, true).await;
        app.delete(&format!("/Users/{gone}")).await.expect(204);
        let all = app.get("/Invitations").await.expect(200).body["Resources"].to_string();
        assert!(!all.contains("jane"), "{all}");
        assert_eq!(all.matches("deleted@user.invalid").count(), 2, "{all}");
        assert_eq!(all.matches("john@x.example").count(), 2, "{all}");
        app.see(&here).await;
        app.is_sound().await;
    }

    async fn forty_invitations_at_once_for_25_seats_invite_25(app: TestApp) {
        let app = app.licensed(25).await;
        let other = app.second_instance().await;
        let bodies: Vec<_> = (0..40).map(|n| json!({
            "schemas": [SCHEMA], "email": format!("guest{n}@x.example"), "mode": "link",
        })).collect();
        let sides = bodies.iter().enumerate();
        let replies = join_all(sides.map(|(n, body)| {
            let side = if n % 2 == 0 { &app } else { &other };
            side.post("/Invitations", body)
        })).await;
        let count = |status| replies.iter().filter(|reply| reply.status == status).count();
        assert_eq!((count(201), count(403)), (25, 15), "{replies:?}");
        assert_eq!(app.used("default").await, (25, 0));
        assert_eq!(app.get("/Users?count=0").await.body["totalResults"], 25);
        // Whoever accepts takes no further seat, however many do at once.
        let ids = texts(&app.get("/Users?count=40").await.body["Resources"], "/id");
        let secrets = join_all(ids.iter().map(|id| app.link(id))).await;
        let accepted = join_all(secrets.iter().map(|secret| app.accept(secret))).await;
        assert!(accepted.iter().all(Result::is_ok), "{accepted:?}");
        assert_eq!(app.used("default").await, (25, 0));
        app.is_sound().await;
    }

    async fn of_two_who_accept_at_once_one_wins(app: TestApp) {
        let app = app.licensed(3).await;
        let other = app.second_instance().await;
        for round in 0..5 {
            let id = app.invitee(&format!("jane{round}@x.example")).await;
            let secret = app.link(&id).await;
            let (one, two, three) =
                tokio::join!(app.accept(&secret), other.accept(&secret), app.accept(&secret));
            let won = [one, two, three].iter().flatten().count();
            assert_eq!(won, 1);
            assert_eq!(stand(&app.see(&id).await), ACTIVE);
            app.delete(&format!("/Users/{id}")).await.expect(204);
        }
        app.is_sound().await;
    }

    async fn of_sweeper_and_person_one_wins_and_the_seat_is_counted_right(app: TestApp) {
        let app = app.licensed(3).await;
        let later = app.later(48 * HOUR + 60).await;
        for round in 0..5 {
            let id = app.invitee(&format!("jane{round}@x.example")).await;
            let secret = app.link(&id).await;
            // The person's clock is in time, the sweeper's is not.
            let (accepted, swept) = tokio::join!(app.accept(&secret), later.app.expire_invitations());
            swept.unwrap();
            let expected = if accepted.is_ok() { ACTIVE } else { EXPIRED };
            assert_eq!(stand(&app.see(&id).await), expected);
            assert_eq!(app.used("default").await.0, i64::from(accepted.is_ok()));
            app.delete(&format!("/Users/{id}")).await.expect(204);
        }
        app.is_sound().await;
    }

    async fn seats_of_those_who_did_not_come_are_free_before_the_sweeper_looks(app: TestApp) {
        let app = app.licensed(1).await;
        let id = app.invitee("jane@x.example").await;
        app.post("/Users", &crate::support::asks::user("second", &json!({}))).await.expect(403);
        let later = app.later(49 * HOUR).await;
        later.user("second").await;
        assert_eq!(stand(&later.see(&id).await), EXPIRED);
        assert_eq!(later.used("default").await, (1, 0));
        later.is_sound().await;
    }

    async fn whoever_waits_for_a_seat_is_invited_when_there_is_one(app: TestApp) {
        let app = app.licensed(1).await;
        app.pool("default", |pool| pool.overage_policy = usher::domain::pool::Policy::Waitlist).await;
        let first = app.user("first").await;
        let mode = json!({ INVITED: { "mode": "link" } });
        let waits = app.user_with("jane@x.example", &mode).await;
        assert_eq!(stand(&waits), ("waiting", "none", "waiting"));
        let again = app.put(&format!("/Users/{}", waits.id()), &waits.body).await.expect(200);
        assert_eq!(again.header("etag"), waits.header("etag"));
        app.delete(&format!("/Users/{first}")).await.expect(204);
        let seated = app.see(&waits.id()).await;
        assert_eq!(stand(&seated), INVITED_NOW);
        app.accept(&app.link(&waits.id()).await).await.unwrap();
        assert_eq!(stand(&app.see(&waits.id()).await), ACTIVE);
        app.is_sound().await;
    }

    async fn modes_decide_how_a_new_user_stands(app: TestApp) {
        let app = app.licensed(9).await;
        let with = |about: Value| json!({ "emails": [{ "value": "a@x.example" }], INVITED: about });
        let rows = [
            ("email", INVITED_NOW),
            ("link", INVITED_NOW),
            ("password", ("active", "none", "consumed")),
            ("none", ("active", "", "consumed")),
            ("reset", ("provisioned", "none", "reserved")),
        ];
        for (mode, expected) in rows {
            let made = app.user_with(&format!("user-{mode}"), &with(json!({ "mode": mode }))).await;
            assert_eq!(stand(&made), expected, "{mode}");
            assert_eq!(made.body[INVITED]["mode"], mode);
            let again = app.put(&format!("/Users/{}", made.id()), &made.body).await.expect(200);
            assert_eq!(again.header("etag"), made.header("etag"), "{mode}");
        }
        let mut off = with(json!({ "mode": "email" }));
        off["active"] = false.into();
        let off = app.user_with("user-off", &off).await;
        assert_eq!(stand(&off), ("suspended", "none", "none"));
        assert_eq!(stand(&app.set_active(&off.id(), true).await.expect(200)), INVITED_NOW);
        let mut phone = with(json!({ "mode": "email" }));
        phone[ABOUT] = json!({ "webLogin": false });
        let phone = app.user_with("user-phone", &phone).await;
        assert_eq!(stand(&phone), ("provisioned", "none", "none"));
        app.is_sound().await;
    }

    async fn a_password_of_a_client_is_dropped_until_the_person_has_one(app: TestApp) {
        let app = app.licensed(2).await;
        let more = json!({ "password": "random-of-okta-1", INVITED: { "mode": "link" } });
        let id = app.user_with("jane@x.example", &more).await.id();
        let set = json!([{ "op": "replace", "path": "password", "value": "another-random-1" }]);
        let path = format!("/Users/{id}");
        let before = app.version(&path).await;
        app.patch(&path, set.clone()).await.expect(200);
        assert_eq!(app.version(&path).await, before, "nothing was changed");
        assert!(!app.has_password(&id).await);
        app.accept(&app.link(&id).await).await.unwrap();
        assert!(app.has_password(&id).await);
        let before = app.version(&path).await;
        app.patch(&path, set).await.expect(200);
        assert_ne!(app.version(&path).await, before);
    }

    async fn a_password_is_made_up_where_that_is_asked_for(app: TestApp) {
        let app = app.licensed(3).await;
        let auto = |more: Value| {
            let mut body = json!({ ABOUT: { "autoGeneratePassword": true } });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let by_password = json!({ INVITED: { "mode": "password" } });
        let made = app.user_with("jane-doe", &auto(by_password.clone())).await;
        assert!(app.has_password(&made.id()).await);
        assert_eq!(made.body[ABOUT]["mustChangePassword"], true);
        assert_eq!(made.body[ABOUT]["autoGeneratePassword"], Value::Null);
        let again = app.put(&format!("/Users/{}", made.id()), &made.body).await.expect(200);
        assert_eq!(again.header("etag"), made.header("etag"));
        let later = app.user_with("john-doe", &by_password).await.id();
        assert!(!app.has_password(&later).await);
        let path = format!("{ABOUT}:autoGeneratePassword");
        let ask = json!([{ "op": "add", "path": path, "value": true }]);
        app.patch(&format!("/Users/{later}"), ask).await.expect(200);
        assert!(app.has_password(&later).await);
        for wrong in [json!({}), json!({ "password": "another-one-1", INVITED: { "mode": "password" } })] {
            let body = crate::support::asks::user("somebody", &auto(wrong));
            app.post("/Users", &body).await.refused(400, "invalidValue");
        }
    }

    async fn the_mode_may_be_another_one_until_the_person_could_sign_in(app: TestApp) {
        let app = app.licensed(2).await;
        let id = app.invitee("jane@x.example").await;
        let secret = app.link(&id).await;
        let path = format!("/Users/{id}");
        let to = |mode: &str| json!([{ "op": "replace", "path": format!("{INVITED}:mode"), "value": mode }]);
        let none = app.patch(&path, to("none")).await.expect(200);
        assert_eq!(stand(&none), ("active", "superseded", "consumed"));
        app.is_refused(&secret).await;
        app.patch(&path, to("link")).await.refused(400, "mutability");
        app.patch(&path, to("email")).await.refused(400, "mutability");
        app.patch(&path, to("pigeon")).await.refused(400, "invalidValue");
    }

    async fn people_are_invited_by_their_address(app: TestApp) {
        let app = app.licensed(3).await;
        let jane = json!({ "schemas": [SCHEMA], "email": "Jane@x.example", "displayName": "Jane" });
        let made = app.post("/Invitations", &jane).await.expect(201);
        assert_eq!((&made.body["status"], &made.body["mode"]), (&json!("pending"), &json!("email")));
        let user = made.body["user"]["value"].as_str().unwrap().to_owned();
        let seen = app.see(&user).await;
        assert_eq!((stand(&seen), &seen.body[ABOUT]["origin"]), (INVITED_NOW, &json!("invite")));
        let detail = app.post("/Invitations", &jane).await.refused(409, "uniqueness");
        assert!(detail.contains("is invited already") && detail.contains(&made.id()), "{detail}");
        let found = app.find("/Invitations", "status eq \"pending\"").await.expect(200);
        assert_eq!(found.body["totalResults"], 1);
        app.user_with("ann", &json!({ "emails": [{ "value": "ann@x.example" }] })).await;
        let ann = json!({ "schemas": [SCHEMA], "email": "ann@x.example" });
        let detail = app.post("/Invitations", &ann).await.refused(409, "uniqueness");
        assert!(detail.contains("is registered already"), "{detail}");
        // Whoever did not come is invited anew.
        let later = app.later(49 * HOUR).await;
        let anew = later.post("/Invitations", &jane).await.expect(201);
        assert_ne!(anew.id(), made.id());
        assert_eq!(anew.body["user"]["value"], user.as_str());
        assert_eq!(stand(&later.see(&user).await), INVITED_NOW);
        later.delete(&format!("/Invitations/{}", anew.id())).await.expect(204);
        assert_eq!(stand(&later.see(&user).await), CANCELLED);
        later.post("/Invitations", &jane).await.expect(201);
        assert_eq!(stand(&later.see(&user).await), INVITED_NOW);
        let nobody = json!({ "schemas": [SCHEMA], "email": "nobody" });
        later.post("/Invitations", &nobody).await.refused(400, "invalidValue");
        later.put(&format!("/Invitations/{}", made.id()), &jane).await.expect(405);
        later.is_sound().await;
    }

    async fn a_full_pool_refuses_invitations_too(app: TestApp) {
        let app = app.licensed(1).await;
        app.user("first").await;
        let jane = json!({ "schemas": [SCHEMA], "email": "jane@x.example" });
        let detail = app.post("/Invitations", &jane).await.refused(403, "");
        assert!(detail.starts_with("Not allowed, your organization has reached"), "{detail}");
        assert_eq!(app.find("/Users", "userName eq \"jane@x.example\"").await.body["totalResults"], 0);
    }

    async fn a_client_takes_over_whom_an_administrator_has_invited(app: TestApp) {
        let app = app.licensed(2).await;
        let jane = json!({ "schemas": [SCHEMA], "email": "jane@x.example", "roles": ["agent"] });
        let invited = app.post("/Invitations", &jane).await.expect(201);
        let user = invited.body["user"]["value"].as_str().unwrap().to_owned();
        let emails = json!([{ "value": "JANE@x.example", "type": "work" }]);
        let more = json!({ "emails": emails, "externalId": "okta-1" });
        let taken = app.user_with("jdoe", &more).await;
        assert_eq!((taken.id(), &taken.body["userName"]), (user.clone(), &json!("jdoe")));
        assert_eq!(taken.header("location"), format!("http://usher.test/scim/v2/Users/{user}"));
        // The tenant signs in by other means: so does she, and the link is dead.
        assert_eq!(stand(&taken), ("active", "superseded", "consumed"));
        assert_eq!(texts(&taken.body["roles"], "/value"), ["agent"]);
        assert_eq!(app.used("default").await, (1, 0));
        let seen = app.see(&user).await;
        assert_eq!((seen.header("etag"), &seen.body), (taken.header("etag"), &taken.body));
        // Somebody else with the address is somebody else.
        let other = app.user_with("other", &json!({ "emails": emails })).await;
        assert_ne!(other.id(), user);
        app.is_sound().await;
    }

    async fn a_client_takes_over_nobody_whom_a_client_made(app: TestApp) {
        let app = app.licensed(5).await;
        // From now on clients take over whom others have invited.
        let tom = json!({ "schemas": [SCHEMA], "email": "tom@x.example" });
        let tom = app.post("/Invitations", &tom).await.expect(201);
        let mine = json!({ "emails": [{ "value": "jane@x.example" }], INVITED: { "mode": "email" } });
        let id = app.user_with("jane", &mine).await.id();
        let other = app.user_with("jdoe", &json!({ "emails": [{ "value": "jane@x.example" }] })).await;
        assert_ne!(other.id(), id);
        let seen = app.see(&id).await;
        assert_eq!((&seen.body["userName"], stand(&seen)), (&json!("jane"), INVITED_NOW));
        // Nor whom a client has made its own since.
        let tom = tom.body["user"]["value"].as_str().unwrap();
        let own = json!([{ "op": "add", "path": "externalId", "value": "okta-1" }]);
        app.patch(&format!("/Users/{tom}"), own).await.expect(200);
        let other = app.user_with("tim", &json!({ "emails": [{ "value": "tom@x.example" }] })).await;
        assert_ne!(other.id(), tom);
    }

    async fn nobody_becomes_an_administrator_by_taking_an_invitation_over(app: TestApp) {
        let app = app.licensed(3).await;
        let boss = json!({ "schemas": [SCHEMA], "email": "boss@x.example", "roles": ["account_admin"] });
        let strong = app.scoped(&["admin"]).await;
        let invited = strong.post("/Invitations", &boss).await.expect(201);
        let more = json!({ "emails": [{ "value": "boss@x.example" }], "externalId": "e" });
        let made = app.user_with("eve", &more).await;
        assert_ne!(made.body["id"], invited.body["user"]["value"]);
        assert_eq!(made.body[ABOUT]["effectiveRoles"][0]["value"], "standard");
        let id = invited.body["user"]["value"].as_str().unwrap();
        // Nor by sending the link anew, or by asking for another one.
        app.resend(id).await.refused(403, "");
        let weak = json!({ "schemas": [SCHEMA], "email": "other@x.example", "roles": ["account_admin"] });
        app.post("/Invitations", &weak).await.refused(400, "invalidValue");
    }

    async fn administrators_send_anew_and_hand_links_over(app: TestApp) {
        let app = app.licensed(5).await.scoped(&["admin"]).await;
        let batch = json!({ "invitations": [
            { "email": "one@x.example" }, { "email": "two@x.example", "mode": "link" },
            { "email": "one@x.example" }, { "email": "three@x.example", "roles": ["nothing"] },
        ] });
        let sent = app.admin("POST", "/invitations:batch", Some(&batch)).await.expect(200);
        let results = sent.body["results"].as_array().unwrap();
        let statuses: Vec<_> = results.iter().map(|one| one["status"].as_u64().unwrap()).collect();
        assert_eq!(statuses, [201, 201, 409, 400], "{}", sent.body);
        let user = |at: usize| results[at]["invitation"]["user"]["value"].as_str().unwrap();
        let later = app.later(61).await;
        let path = format!("/users/{}/invitation:resend", user(0));
        later.admin("POST", &path, None).await.expect(204);
        let mailed = app.admin("POST", &format!("/users/{}/invitation:link", user(0)), None).await;
        assert!(problem(&mailed, 400).contains("mailed"));
        let linked = app.admin("POST", &format!("/users/{}/invitation:link", user(1)), None).await;
        let link = linked.expect(200).body["link"].as_str().unwrap().to_owned();
        let secret = link.strip_prefix("http://usher.test/activate/").unwrap();
        app.accept(secret).await.unwrap();
        assert_eq!(stand(&app.see(user(1)).await), ACTIVE);
    }

    async fn another_tenant_sees_nothing_of_an_invitation(app: TestApp) {
        let (one, two) = (app.licensed(2).await, app.licensed(2).await);
        let jane = json!({ "schemas": [SCHEMA], "email": "jane@x.example" });
        let made = one.post("/Invitations", &jane).await.expect(201);
        two.get(&format!("/Invitations/{}", made.id())).await.expect(404);
        two.delete(&format!("/Invitations/{}", made.id())).await.expect(404);
        // The same person is invited to both.
        two.post("/Invitations", &jane).await.expect(201);
        let other = two.user_with("jdoe", &json!({ "emails": [{ "value": "jane@x.example" }] })).await;
        assert_ne!(other.body["id"], made.body["user"]["value"]);
    }
}
