//! The brake: what a runaway identity provider suspends and deletes can be brought back.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use usher::clock::Clock;
use usher::store::{Error, Tx, passwords};

use crate::seats::state;
use crate::support::app::{Reply, TestApp};
use crate::support::asks::{CONTACT_CENTER as ABOUT, SEAT, texts};
use crate::support::bulk::{delete, patch, run};
use crate::support::each_db;

pub(crate) fn active(on: bool) -> Value {
    json!([{ "op": "replace", "path": "active", "value": on }])
}

impl TestApp {
    /// A tenant with a brake, so many seats, and a token for everything.
    pub(crate) async fn braked(&self, brake: &str, seats: i64) -> Self {
        let pairs = [("deprovision.brake", brake), ("discovery.extensions", "all")];
        let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let app = self.tenant(&BTreeMap::from(pairs)).await;
        app.set_seats("default", Some(seats)).await;
        app.scoped(&["admin"]).await
    }

    pub(crate) async fn people(&self, count: usize) -> Vec<String> {
        let mut ids = Vec::new();
        for number in 0..count {
            ids.push(self.user(&format!("u{number}")).await);
        }
        ids
    }

    pub(crate) async fn turn_off(&self, id: &str) -> Reply {
        self.patch(&format!("/Users/{id}"), active(false)).await.expect(200)
    }

    pub(crate) async fn remove(&self, id: &str) {
        self.delete(&format!("/Users/{id}")).await.expect(204);
    }

    /// Suspended and deleted users that are held.
    pub(crate) async fn held(&self) -> (i64, i64) {
        let shown = self.admin("GET", "/brake", None).await.expect(200).body;
        let number = |name: &str| shown[name].as_i64().unwrap();
        (number("suspended"), number("deleted"))
    }

    pub(crate) async fn undo(&self) -> Value {
        self.admin("POST", "/brake:undo", None).await.expect(200).body
    }

    pub(crate) async fn confirm(&self) -> Value {
        self.admin("POST", "/brake:confirm", None).await.expect(200).body
    }

    pub(crate) async fn has_password(&self, id: &str) -> bool {
        self.phc(id).await.is_some()
    }

    async fn phc(&self, id: &str) -> Option<String> {
        let (tenant, id) = (self.app.tenant(&self.tenant).await.unwrap().id, id.to_owned());
        let look = async move |tx: &mut Tx<'_>| passwords::find(tx, &tenant, &id).await;
        self.store.read::<_, Error, _>(look).await.unwrap()
    }

    /// Nothing that is derived from documents is wrong, the counters of seats neither.
    pub(crate) async fn is_sound(&self) {
        assert!(self.verified().await.is_clean());
        let all = self.app.look_deep(false, |_| {}).await.unwrap();
        let ill: Vec<_> = all.iter().filter(|deep| deep.faults.can_be_mended()).collect();
        assert!(ill.is_empty(), "{ill:?}");
    }

    /// The same installation, so many seconds later.
    pub(crate) async fn later(&self, seconds: i64) -> Self {
        let clock = Clock::fixed(Clock::System.now().plus_seconds(seconds));
        self.second_instance_at(clock).await
    }
}

/// Suspended or deleted, of no more and no less: what the answer says of everybody.
pub(crate) fn decided(suspended: i64, deleted: i64) -> Value {
    json!({ "suspended": suspended, "deleted": deleted, "refused": [] })
}

pub(crate) fn shown(user: &Reply) -> (&Value, &str, &Value) {
    (&user.body[ABOUT]["lifecycle"], state(user), &user.body[SEAT]["reason"])
}

each_db! {
    async fn without_a_brake_nothing_is_held(app: TestApp) {
        let app = app.braked("off", 20).await;
        let ids = app.people(20).await;
        for id in &ids[..10] {
            assert_eq!(state(&app.turn_off(id).await), "none");
        }
        for id in &ids[10..] {
            app.remove(id).await;
        }
        assert_eq!((app.held().await, app.used("default").await), ((0, 0), (0, 0)));
        let shown = app.admin("GET", "/brake", None).await.expect(200).body;
        assert_eq!(shown, json!({ "brake": "off", "suspended": 0, "deleted": 0 }));
        assert_eq!((app.undo().await, app.confirm().await), (decided(0, 0), decided(0, 0)));
        assert_eq!(app.details("brake.held").await, [] as [Value; 0]);
    }

    async fn who_is_suspended_beyond_the_share_is_out_at_once_and_keeps_the_seat(app: TestApp) {
        let app = app.braked("20%/1h", 40).await;
        let ids = app.people(40).await;
        for id in &ids[..8] {
            let off = app.turn_off(id).await;
            assert_eq!(shown(&off), (&json!("suspended"), "none", &json!("suspended")));
        }
        let off = app.turn_off(&ids[8]).await;
        assert_eq!(off.body["active"], false);
        assert_eq!(shown(&off), (&json!("suspended"), "consumed", &json!("held")));
        assert_eq!(off.body[SEAT]["pool"]["value"], "default");
        app.turn_off(&ids[9]).await;
        assert_eq!((app.held().await, app.used("default").await), ((2, 0), (32, 0)));
        let lines = app.lines(&ids[8]).await;
        assert_eq!(lines[3..], ["user.updated", "user.suspended", "brake.held"]);
        // Said again, and renamed, it is held on; nothing is counted twice.
        let again = app.turn_off(&ids[9]).await;
        assert_eq!(again.header("etag"), "W/\"2\"");
        let name = json!([{ "op": "replace", "path": "displayName", "value": "Ann" }]);
        let named = app.patch(&format!("/Users/{}", ids[9]), name).await.expect(200);
        assert_eq!(shown(&named), shown(&off));
        // The seats that were given back are taken, those that are held are not.
        for number in 0..8 {
            app.user(&format!("n{number}")).await;
        }
        let more = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "n8" });
        app.post("/Users", &more).await.expect(403);
        // A client reactivates one, an administrator the other: in a full pool.
        let back = app.patch(&format!("/Users/{}", ids[8]), active(true)).await.expect(200);
        assert_eq!(shown(&back), (&json!("active"), "consumed", &json!("active")));
        assert_eq!(app.held().await, (1, 0));
        assert_eq!(app.undo().await, decided(1, 0));
        assert_eq!(shown(&app.seen(&ids[9]).await), shown(&back));
        assert_eq!(app.lines(&ids[9]).await.last().unwrap(), "user.reactivated");
        assert_eq!((app.held().await, app.used("default").await), ((0, 0), (40, 0)));
        app.is_sound().await;
    }

    async fn by_every_door_what_is_beyond_the_share_is_held(app: TestApp) {
        let app = app.braked("10%/1d", 60).await;
        let ids = app.people(60).await;
        let mut body = app.seen(&ids[0]).await.body;
        body["active"] = false.into();
        assert_eq!(state(&app.put(&format!("/Users/{}", ids[0]), &body).await.expect(200)), "none");
        app.remove(&ids[1]).await;
        let path = |at: usize| format!("/Users/{}", ids[at]);
        let operations = [
            patch(&path(2), &active(false)), delete(&path(3)),
            patch(&path(4), &active(false)), delete(&path(5)),
            patch(&path(6), &active(false)), delete(&path(7)),
        ];
        let results = run(&app, &operations).await;
        let statuses = texts(&results.into(), "/status");
        assert_eq!(statuses, ["200", "204", "200", "204", "200", "204"]);
        assert_eq!((app.held().await, app.used("default").await), ((1, 1), (54, 0)));
        let mut body = app.seen(&ids[8]).await.body;
        body["active"] = false.into();
        let off = app.put(&path(8), &body).await.expect(200);
        assert_eq!(shown(&off), (&json!("suspended"), "consumed", &json!("held")));
        app.turn_off(&ids[9]).await;
        app.remove(&ids[10]).await;
        assert_eq!((app.held().await, app.used("default").await), ((3, 2), (54, 0)));
        let all = app.get("/Users?count=0").await.expect(200);
        assert_eq!(all.body["totalResults"], 55);
        assert_eq!(app.undo().await, decided(3, 2));
        assert_eq!(app.used("default").await, (54, 0));
        app.is_sound().await;
    }

    async fn who_is_deleted_beyond_the_share_is_gone_and_comes_back_with_everything(app: TestApp) {
        let app = app.braked("1%/1h", 9).await;
        let agent = app.agent(&json!({ "agentNumber": "1" })).await.expect(201).id();
        let more = json!({
            "password": "correct-Horse-1", "externalId": "x-1",
            ABOUT: { "agentId": "1", "extension": "201" },
        });
        let ann = app.user_with("ann", &more).await;
        let groups = [app.group("A", &[&ann.id()]).await, app.group("B", &[&ann.id()]).await];
        let before = app.seen(&ann.id()).await;
        let phc = app.phc(&ann.id()).await;
        assert!(phc.is_some());
        for id in app.people(5).await {
            app.remove(&id).await;
        }
        app.remove(&ann.id()).await;
        let path = format!("/Users/{}", ann.id());
        for gone in [app.get(&path).await, app.delete(&path).await, app.patch(&path, active(true)).await] {
            gone.refused(404, "");
        }
        assert_eq!(app.names("/Users").await, [] as [String; 0]);
        assert_eq!((app.held().await, app.used("default").await), ((0, 1), (1, 0)));
        assert_eq!((app.phc(&ann.id()).await, app.lines(&ann.id()).await.pop().unwrap()), (None, "brake.held".to_owned()));
        assert_eq!(app.call_agent(&agent).await["user"]["value"], ann.id());
        let kept = app.person("bob", &json!({ "agentId": "1" })).await;
        assert!(kept.refused(409, "uniqueness").contains("is kept for a deleted user until"));
        app.delete(&format!("/CallAgents/{agent}")).await.refused(409, "");
        app.delete(&format!("/Groups/{}", groups[1])).await.expect(204);
        let version = app.get(&format!("/Groups/{}", groups[0])).await.header("etag").to_owned();

        assert_eq!(app.undo().await, decided(0, 1));
        let back = app.seen(&ann.id()).await;
        assert_eq!(back.header("etag"), "W/\"2\"");
        for same in ["/userName", "/externalId", "/active", "/meta/created"] {
            assert_eq!(back.body.pointer(same), before.body.pointer(same), "{same}");
        }
        assert_eq!((&back.body[ABOUT], &back.body[SEAT]), (&before.body[ABOUT], &before.body[SEAT]));
        assert_eq!(texts(&back.body["groups"], "/value"), [groups[0].clone()]);
        assert_eq!(app.phc(&ann.id()).await, phc);
        assert_ne!(app.get(&format!("/Groups/{}", groups[0])).await.header("etag"), version);
        assert_eq!(app.names("/Users?filter=externalId eq \"x-1\"").await, ["ann"]);
        assert_eq!(app.lines(&ann.id()).await.pop().unwrap(), "user.restored");
        assert_eq!((app.held().await, app.used("default").await), ((0, 0), (1, 0)));
        app.turn_off(&ann.id()).await;
        app.is_sound().await;
    }

    async fn who_found_the_name_taken_is_told_and_held_on(app: TestApp) {
        let app = app.braked("1%/1h", 20).await;
        let ids = app.people(8).await;
        for id in &ids {
            app.remove(id).await;
        }
        assert_eq!((app.held().await, app.used("default").await), ((0, 3), (3, 0)));
        let new = app.user("U6").await;
        assert_ne!(new, ids[6]);
        let answer = app.undo().await;
        let refused = json!([{
            "user": ids[6], "userName": "u6", "detail": "User with userName 'u6' already exists.",
        }]);
        assert_eq!(answer, json!({ "suspended": 0, "deleted": 2, "refused": refused }));
        assert_eq!((app.held().await, app.used("default").await), ((0, 1), (4, 0)));
        app.remove(&new).await;
        // What goes while the window is full is held too; the new one has no other way back.
        assert_eq!(app.held().await, (0, 2));
        let answer = app.undo().await;
        assert_eq!((&answer["deleted"], &answer["refused"][0]["user"]), (&json!(1), &json!(new)));
        assert_eq!(app.seen(&ids[6]).await.body["userName"], "u6");
        app.is_sound().await;
    }
}
