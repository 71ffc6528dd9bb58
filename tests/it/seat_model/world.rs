//! Who is there, what may be done to them, and what must be true of all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use usher::app::Error;
use usher::app::seating::Act;
use usher::domain::pool::Pool;
use usher::domain::role::Mapping;

use super::replay::Replay;
use super::{Reached, set};
use crate::support::app::{Reply, TestApp};
use crate::support::asks::{CONTACT_CENTER as ABOUT, INVITATION as INVITED, SEAT, group, user};
use crate::support::bulk::{delete, message, patch, post, results, run, send};

/// The groups that give something: by which role, which pool and which number.
const GROUPS: [(Option<&str>, Option<&str>, i64); 3] =
    [(Some("supervisor"), None, 5), (None, Some("extra"), 3), (Some("agent"), Some("line"), 7)];

/// What all sides share.
pub(super) struct World {
    users: Mutex<Vec<String>>,
    /// The groups that give something, by their places in [`GROUPS`].
    groups: Mutex<Vec<String>>,
    made: Mutex<usize>,
}

/// One of those who change things.
pub(super) struct Side {
    app: TestApp,
    world: Arc<World>,
    dice: Dice,
    shaken: bool,
    braked: bool,
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn one<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

async fn make_group(app: &TestApp, place: usize) -> String {
    let id = app.group(&format!("group {place}"), &[]).await;
    map(app, &id, place, true).await;
    id
}

async fn map(app: &TestApp, id: &str, place: usize, means: bool) -> bool {
    let (role, pool, priority) = GROUPS[place];
    let mapping = Mapping {
        group: id.to_owned(),
        role: role.filter(|_| means).map(str::to_owned),
        seat_type: pool.filter(|_| means).map(str::to_owned),
        priority,
        ..Mapping::default()
    };
    let ctx = app.app.operator(&app.tenant).await.unwrap();
    // It may have been deleted by another side.
    app.app.map_group(&ctx, mapping).await.is_ok()
}

impl World {
    pub(super) async fn new(app: &TestApp) -> Arc<Self> {
        let mut groups = Vec::new();
        for place in 0..GROUPS.len() {
            groups.push(make_group(app, place).await);
        }
        // From now on every request knows that groups mean something.
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        Arc::new(Self {
            users: Mutex::default(),
            groups: Mutex::new(groups),
            made: Mutex::default(),
        })
    }

    pub(super) async fn side(self: Arc<Self>, app: TestApp, seed: u64, shaken: bool) -> Side {
        let braked = app.app.tenant(&app.tenant).await.unwrap().settings.brake.is_some();
        Side { app, world: self, dice: Dice(seed * 7919 + 1), shaken, braked }
    }

    fn name(&self) -> String {
        let mut made = self.made.lock().unwrap();
        *made += 1;
        format!("user{made}")
    }

    /// The limited pools as they are now.
    pub(super) async fn pools_now(&self, app: &TestApp) -> BTreeMap<String, Pool> {
        let pools = app.verified().await.pools.into_iter().map(|filled| filled.pool);
        pools.map(|pool| (pool.value.clone(), pool)).collect()
    }
}

impl Side {
    /// Any change.
    pub(super) async fn change(&mut self) {
        if self.braked && self.dice.below(24) == 0 {
            return self.decide().await;
        }
        match self.dice.below(if self.shaken { 38 } else { 36 }) {
            0..=3 => self.create().await,
            4..=6 => self.invitations().await,
            7 | 8 => {
                let id = self.somebody();
                self.delete(id).await;
            }
            9..=14 => self.patch_active().await,
            15..=19 => self.patch_rights().await,
            20..=22 => self.patch_login().await,
            23 => self.put().await,
            24..=28 => self.members().await,
            29 => self.bulk().await,
            30 => self.patch_names().await,
            31 => self.groups_themselves().await,
            32..=35 => self.act_on_seat().await,
            _ => self.pools().await,
        }
    }

    /// Where there is a brake, somebody is held when everything is looked at.
    pub(super) async fn leave_held(&mut self) {
        if self.braked {
            self.patch(set("active", &json!(false))).await;
        }
    }

    /// What was asked for is done, or refused for want of a seat, a free name or somebody else's
    /// haste.
    fn fine(reply: &Reply) {
        match reply.status {
            200 | 201 | 204 | 404 | 409 => {}
            403 => assert!(reply.body.to_string().contains("seatLimitExceeded"), "{}", reply.body),
            400 => assert!(reply.body.to_string().contains("name two seats"), "{}", reply.body),
            _ => panic!("{} {}", reply.status, reply.body),
        }
    }

    fn somebody(&mut self) -> String {
        let users = self.world.users.lock().unwrap();
        if users.is_empty() { "nobody".to_owned() } else { self.dice.one(&users).clone() }
    }

    fn rights(&mut self) -> Value {
        let roles = [
            json!([]),
            json!(["agent"]),
            json!(["supervisor"]),
            json!(["tech"]),
            json!(["conference"]),
        ];
        self.dice.one(&roles).clone()
    }

    fn seat_type(&mut self) -> Value {
        let all = [
            json!(null),
            json!(null),
            json!("default"),
            json!("line"),
            json!("extra"),
            json!("none"),
        ];
        self.dice.one(&all).clone()
    }

    fn body(&mut self) -> Value {
        let name = self.world.name();
        let mut body = user(&name, &json!({}));
        if self.dice.below(3) == 0 {
            body["roles"] = self.rights();
        }
        if self.dice.below(4) == 0 {
            body[SEAT] = json!({ "seatType": self.seat_type() });
        }
        if self.dice.below(4) == 0 {
            let modes = ["link", "link", "link", "reset"];
            body[INVITED] = json!({ "mode": self.dice.one(&modes) });
        }
        match self.dice.below(16) {
            0 => body["active"] = false.into(),
            1 | 2 => body[ABOUT] = json!({ "webLogin": false }),
            3 | 4 => body["password"] = "correct-Horse-1".into(),
            5 => body["entitlements"] = json!([{ "value": "line", "type": "License" }]),
            6 => body["userName"] = "user1".into(),
            7 => body[ABOUT] = json!({ "loginPhone": "+15550001" }),
            8 | 9 => body[ABOUT] = json!({ "webLoginBlocked": true }),
            _ => {}
        }
        body
    }

    async fn create(&mut self) {
        let body = self.body();
        let reply = self.app.post("/Users", &body).await;
        Self::fine(&reply);
        if reply.status == 201 {
            self.world.users.lock().unwrap().push(reply.id());
        }
    }

    async fn delete(&mut self, id: String) {
        let reply = self.app.delete(&format!("/Users/{id}")).await;
        Self::fine(&reply);
        assert_ne!(reply.status, 403, "{}", reply.body);
        self.world.users.lock().unwrap().retain(|known| *known != id);
    }

    async fn patch(&mut self, operations: Value) -> Reply {
        let id = self.somebody();
        let reply = self.app.patch(&format!("/Users/{id}"), operations).await;
        Self::fine(&reply);
        reply
    }

    async fn patch_active(&mut self) {
        let path = format!("/Users/{}", self.somebody());
        let turns: &[bool] = match self.dice.below(6) {
            0..=2 => &[true],
            3 => &[false],
            // Gone and back: the seat is somebody else's by then, if anybody waited.
            _ => &[false, true],
        };
        for active in turns {
            let reply = self.app.patch(&path, set("active", &json!(active))).await;
            Self::fine(&reply);
            assert!(*active || reply.status != 403, "{}", reply.body);
        }
    }

    async fn patch_rights(&mut self) {
        let roles = self.rights();
        let at = format!("{SEAT}:seatType");
        match self.dice.below(6) {
            0..=2 => self.patch(set("roles", &roles)).await,
            3 => {
                let wanted = self.seat_type();
                self.patch(set(&at, &wanted)).await
            }
            4 => self.patch(json!([{ "op": "remove", "path": at }])).await,
            _ => {
                let value = ["default", "line", "extra"][self.dice.below(3)];
                let wanted = json!([{ "value": value, "type": "License" }]);
                let wanted = if self.dice.below(2) == 0 { wanted } else { json!([]) };
                self.patch(set("entitlements", &wanted)).await
            }
        };
    }

    async fn patch_login(&mut self) {
        let (path, value) = (format!("/Users/{}", self.somebody()), self.dice.below(2) == 0);
        let login = format!("{ABOUT}:webLogin");
        match self.dice.below(4) {
            0 => {
                let blocked = set(&format!("{ABOUT}:webLoginBlocked"), &json!(value));
                Self::fine(&self.app.patch(&path, blocked).await);
            }
            1 => Self::fine(&self.app.patch(&path, set(&login, &json!(value))).await),
            // Where users without a login count too, there and back.
            _ => {
                for value in [value, !value] {
                    let operations = json!([
                        { "op": "replace", "path": login, "value": value },
                        { "op": "replace", "path": format!("{SEAT}:seatType"), "value": "extra" },
                    ]);
                    Self::fine(&self.app.patch(&path, operations).await);
                }
            }
        }
    }

    async fn patch_names(&mut self) {
        let name = self.world.name();
        let (alone, active) = (self.dice.below(2) == 0, self.dice.below(2) == 0);
        let mut operations = set("userName", &json!(name));
        if !alone {
            let more = json!({ "op": "replace", "path": "active", "value": active });
            operations.as_array_mut().unwrap().push(more);
        }
        self.patch(operations).await;
    }

    async fn put(&mut self) {
        let path = format!("/Users/{}", self.somebody());
        let read = self.app.get(&path).await;
        if read.status == 404 {
            return;
        }
        let mut body = read.expect(200).body;
        match self.dice.below(4) {
            0 => {}
            1 => body["title"] = self.world.name().into(),
            2 => body["active"] = (self.dice.below(2) == 0).into(),
            _ => body["roles"] = self.rights(),
        }
        Self::fine(&self.app.put(&path, &body).await);
    }

    async fn members(&mut self) {
        let place = self.dice.below(GROUPS.len());
        let id = self.world.groups.lock().unwrap()[place].clone();
        let path = format!("/Groups/{id}");
        let some: Vec<_> =
            (0..=self.dice.below(3)).map(|_| json!({ "value": self.somebody() })).collect();
        let what = self.dice.below(8);
        let reply = match what {
            0..=3 => {
                self.app
                    .patch(&path, json!([{ "op": "add", "path": "members", "value": some }]))
                    .await
            }
            4 | 5 => {
                let gone = format!("members[value eq \"{}\"]", some[0]["value"].as_str().unwrap());
                self.app.patch(&path, json!([{ "op": "remove", "path": gone }])).await
            }
            6 => self.app.patch(&path, set("members", &json!(some))).await,
            _ => {
                let body = group(&format!("group {place}"), &json!({ "members": some }));
                self.app.put(&path, &body).await
            }
        };
        Self::fine(&reply);
        assert_ne!(reply.status, 403, "{}", reply.body);
    }

    async fn bulk(&mut self) {
        let group = self.world.groups.lock().unwrap()[0].clone();
        let (first, second, gone) = (self.body(), self.body(), self.somebody());
        let add = json!([{ "op": "add", "path": "members", "value": [{ "value": "bulkId:a" }] }]);
        let all = [
            post("/Users", "a", &first),
            post("/Users", "b", &second),
            patch(&format!("/Groups/{group}"), &add),
            patch("/Users/bulkId:b", &set("active", &json!(self.dice.below(2) == 0))),
            delete(&format!("/Users/{gone}")),
        ];
        let done = results(&send(&self.app, &[], &message(&all)).await);
        let fine = ["200", "201", "204", "403", "404", "409", "412"];
        for result in &done {
            let is_fine = fine.contains(&result["status"].as_str().unwrap());
            assert!(is_fine || result.to_string().contains("name two seats"), "{result}");
        }
        let made = done[..2].iter().filter(|result| result["status"] == "201");
        let mut users = self.world.users.lock().unwrap();
        users.extend(made.map(crate::support::bulk::id));
        users.retain(|known| *known != gone);
    }

    /// A group loses its meaning and gets it back, or is deleted and made anew.
    async fn groups_themselves(&mut self) {
        let place = self.dice.below(GROUPS.len());
        let id = self.world.groups.lock().unwrap()[place].clone();
        if self.dice.below(2) == 0 {
            map(&self.app, &id, place, false).await;
            map(&self.app, &id, place, true).await;
        } else {
            let deleted = run(&self.app, &[delete(&format!("/Groups/{id}"))]).await;
            if deleted[0]["status"] == "204" {
                let id = make_group(&self.app, place).await;
                self.world.groups.lock().unwrap()[place] = id;
            }
        }
    }

    /// What administrators do to the seat of one user, mostly of somebody whom it means something to.
    async fn act_on_seat(&mut self) {
        let ctx = self.app.app.operator(&self.app.tenant).await.unwrap();
        let (act, filter) = match self.dice.below(6) {
            0 => (Act::Exempt(true), format!("{SEAT}:state eq \"consumed\"")),
            1 => (Act::Exempt(false), format!("{SEAT}:exempt eq true")),
            _ => {
                let pools = [None, None, Some("default"), Some("extra")];
                let pool = self.dice.one(&pools).map(str::to_owned);
                let next = self.dice.below(3) > 0;
                (Act::Grant { pool, next }, format!("{SEAT}:requestedSeatType pr"))
            }
        };
        let found = self.app.find("/Users", &filter).await.expect(200).body;
        let found = found["Resources"].as_array().cloned().unwrap_or_default();
        let id = match found.as_slice() {
            [] => self.somebody(),
            some => self.dice.one(some)["id"].as_str().unwrap().to_owned(),
        };
        match self.app.app.act_on_seat(&ctx, &id, act).await {
            Ok(_) | Err(Error::SeatsExhausted(..) | Error::NotFound { .. }) => {}
            Err(error) => {
                let sentence = error.to_string();
                let fine = ["waits for", "next one there"];
                assert!(fine.iter().any(|fine| sentence.contains(fine)), "{sentence}");
            }
        }
    }

    /// Somebody accepts, is sent a new link, gets in by other means, does not come in time, is not
    /// wanted or wanted again.
    async fn invitations(&mut self) {
        let status = *self.dice.one(&["pending", "pending", "expired", "expired", "cancelled"]);
        let found = self.app.find("/Users", &format!("{INVITED}:status eq \"{status}\"")).await;
        let found = found.expect(200).body["Resources"].as_array().cloned().unwrap_or_default();
        let id = match found.as_slice() {
            [] => self.somebody(),
            some => self.dice.one(some)["id"].as_str().unwrap().to_owned(),
        };
        match self.dice.below(24) {
            _ if status == "cancelled" => {
                let on = set("active", &json!(true));
                Self::fine(&self.app.patch(&format!("/Users/{id}"), on).await);
            }
            0 | 1 => {
                let late = self.app.later(49 * 3_600).await;
                late.app.expire_invitations().await.unwrap();
            }
            4 | 5 => {
                let off = set("active", &json!(false));
                Self::fine(&self.app.patch(&format!("/Users/{id}"), off).await);
            }
            12 | 13 => self.delete(id).await,
            2 | 3 => {
                let none = set(&format!("{INVITED}:mode"), &json!("none"));
                let reply = self.app.patch(&format!("/Users/{id}"), none).await;
                if reply.body["scimType"] != "mutability" {
                    Self::fine(&reply);
                }
            }
            turn => {
                let ctx = self.app.app.operator(&self.app.tenant).await.unwrap();
                let linked = match self.app.app.link_invitation(&ctx, &id).await {
                    Ok(linked) => linked,
                    Err(Error::SeatsExhausted(..) | Error::NotFound { .. } | Error::Scim(_)) => {
                        return;
                    }
                    // The pool lets people wait: nobody is invited before there is a seat.
                    Err(Error::Internal(sentence)) if sentence.contains("without a secret") => {
                        return;
                    }
                    Err(error) => panic!("{error}"),
                };
                if turn < 11 {
                    let secret = linked.url.rsplit('/').next().unwrap().to_owned();
                    match self.app.accept(&secret).await {
                        Ok(()) | Err(Error::Gone(_)) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            }
        }
    }

    /// An administrator brings back everything that is held, or finishes it.
    async fn decide(&mut self) {
        let ctx = self.app.app.operator(&self.app.tenant).await.unwrap();
        if self.dice.below(3) == 0 {
            let decided = self.app.app.confirm_brake(&ctx).await.unwrap();
            assert_eq!(decided.refused, []);
            return;
        }
        for refused in self.app.app.undo_brake(&ctx).await.unwrap().refused {
            let fine = ["already exists", "maximum limit of users"];
            assert!(fine.iter().any(|fine| refused.detail.contains(fine)), "{refused:?}");
        }
    }

    async fn pools(&mut self) {
        let (pool, least) = *self.dice.one(&[("default", 10), ("line", 3), ("extra", 2)]);
        let seats = least + self.dice.below(8);
        self.app.set_seats(pool, Some(i64::try_from(seats).unwrap())).await;
    }
}

/// What a user's document says of its seat.
struct Seen<'u> {
    id: &'u str,
    state: &'u str,
    pool: &'u str,
    wanted: &'u str,
    lifecycle: &'u str,
    since: &'u str,
    active: bool,
    login: bool,
    seat_type: &'u str,
    held: bool,
    invitation: &'u str,
}

impl<'u> Seen<'u> {
    fn of(user: &'u Value) -> Self {
        let text = |value: &'u Value| value.as_str().unwrap_or_default();
        let (about, seat) = (&user[ABOUT], &user[SEAT]);
        Self {
            id: text(&user["id"]),
            state: text(&seat["state"]),
            pool: text(&seat["pool"]["value"]),
            wanted: text(&seat["requestedSeatType"]),
            lifecycle: text(&about["lifecycle"]),
            since: text(&seat["waitingSince"]),
            active: user["active"] == true,
            login: about["webLogin"] != false,
            seat_type: text(&seat["seatType"]),
            held: text(&seat["reason"]) == "held",
            invitation: text(&user[INVITED]["status"]),
        }
    }

    /// The row of the table of states that it is in.
    fn row(&self) -> &'static str {
        let moves = !self.wanted.is_empty();
        let row = match (self.active, self.login, self.state, moves) {
            (true, true, "reserved" | "exempt", _) if self.invitation == "pending" => {
                ("invited", "state: invited")
            }
            (true, true, "reserved" | "exempt", _) if self.lifecycle == "provisioned" => {
                ("provisioned", "state: provisioned, to be reset")
            }
            (true, _, "none", false) if self.invitation == "expired" => {
                ("expired", "state: expired")
            }
            (false, _, "none", false) if self.invitation == "cancelled" && !self.held => {
                ("cancelled", "state: cancelled")
            }
            (false, _, "consumed" | "reserved", false) if self.held => {
                ("suspended", "state: suspended, the seat held")
            }
            (false, _, "none", false) => ("suspended", "state: suspended"),
            (true, true, "consumed", false) => ("active", "state: active"),
            (true, true, "consumed", true) => ("active", "state: active, a move waits"),
            (true, _, "waiting", true) => ("waiting", "state: waiting"),
            (true, true, "exempt", false) => ("active", "state: exempt"),
            (true, false, "reserved", _) => ("provisioned", "state: provisioned with a seat"),
            (true, _, "none", false) if !self.login || self.seat_type == "none" => {
                ("provisioned", "state: provisioned without")
            }
            _ => ("no state", ""),
        };
        let said = (self.id, self.state, self.pool, self.wanted, self.active, self.login);
        assert_eq!(self.lifecycle, row.0, "{said:?} {}", self.seat_type);
        assert_eq!(
            self.pool.is_empty(),
            !["consumed", "reserved"].contains(&self.state),
            "{said:?}"
        );
        assert_eq!(self.since.is_empty(), !moves, "{said:?}");
        row.1
    }
}

impl World {
    /// What must be true whenever nobody writes.
    pub(super) async fn check(&self, app: &TestApp, replay: &Replay, reached: &mut Reached) {
        app.is_sound().await;
        let verified = app.verified().await;
        let all = app.get("/Users?count=1000").await.expect(200);
        let users = all.body["Resources"].as_array().unwrap();
        assert_eq!(all.body["totalResults"], users.len());
        let seen: Vec<Seen<'_>> = users.iter().map(Seen::of).collect();
        for (user, seen) in users.iter().zip(&seen) {
            reached.note(seen.row());
            if user[ABOUT]["webLoginBlocked"] == true && seen.state == "consumed" {
                reached.note("login blocked, seat kept");
            }
            if seen.lifecycle == "active" {
                self.count_passwords(app, seen.id, reached).await;
            }
            let version = format!("W/\"{}\"", replay.versions[seen.id]);
            assert_eq!(user["meta"]["version"], version.as_str(), "{user}");
            let held = replay.held.get(seen.id).map_or("", String::as_str);
            assert_eq!(held, seen.pool, "{user}");
        }
        assert_eq!(replay.versions.len(), users.len());
        check_roles(app, users).await;
        check_offers(app).await;
        let ctx = app.app.operator(&app.tenant).await.unwrap();
        for filled in &verified.pools {
            let (value, taken) = (filled.pool.value.as_str(), filled.taken);
            let held = |state: &str| {
                seen.iter().filter(|seen| (seen.pool, seen.state) == (value, state)).count()
            };
            let is_gone = |id: &String| !replay.versions.contains_key(id);
            let kept = replay.held.iter().filter(|(id, pool)| *pool == value && is_gone(id));
            let (consumed, reserved) = (held("consumed"), held("reserved"));
            let all = consumed + reserved + kept.clone().count();
            assert_eq!(i64::try_from(all), Ok(taken.used()), "{value}");
            if kept.count() == 0 {
                assert_eq!(i64::try_from(consumed), Ok(taken.consumed), "{value}");
                assert_eq!(i64::try_from(reserved), Ok(taken.reserved), "{value}");
            }
            let line: Vec<String> =
                app.app.waiting(&ctx, value).await.unwrap().into_iter().map(|(id, _)| id).collect();
            let waiting: BTreeSet<&str> =
                seen.iter().filter(|seen| seen.wanted == value).map(|seen| seen.id).collect();
            assert_eq!(
                line.iter().map(String::as_str).collect::<BTreeSet<_>>(),
                waiting,
                "{value}"
            );
            assert_eq!(line.len(), waiting.len(), "{value}");
            assert_eq!(replay.lines.get(value).cloned().unwrap_or_default(), line, "{value}");
            let room = filled.pool.available(taken);
            assert!(line.is_empty() || room == Some(0), "{line:?} wait for {room:?} of {value}");
        }
    }

    /// Somebody who was created with a password can sign in with it.
    async fn count_passwords(&self, app: &TestApp, id: &str, reached: &mut Reached) {
        let tenant = app.app.tenant(&app.tenant).await.unwrap().id;
        let id = id.to_owned();
        let found =
            app.store.read(async move |tx| usher::store::passwords::find(tx, &tenant, &id).await);
        if found.await.unwrap().is_some() {
            reached.note("created active with a password");
        }
    }
}

/// Pools and entitlements are two sights of the same numbers: an allowance is permitted, too.
async fn check_offers(app: &TestApp) {
    let pools = app.get("/SeatPools").await.expect(200).body;
    let licenses = app.get("/Entitlements").await.expect(200).body;
    let of = |list: &Value, shown: fn(&Value) -> Value| -> Vec<Value> {
        list["Resources"].as_array().unwrap().iter().map(shown).collect()
    };
    let of_pools = of(&pools, |pool| {
        let allowance =
            pool["overageAllowance"].as_str().filter(|_| pool["overagePolicy"] == "overage");
        let allowance: i64 = allowance.map_or(0, |allowance| allowance.parse().unwrap());
        let permitted = pool["total"].as_i64().map(|total| total + allowance);
        json!([pool["value"], permitted, pool["used"]])
    });
    let of_licenses = of(&licenses, |one| {
        json!([one["value"], one["totalAssignmentsPermitted"], one["totalAssignmentsUsed"]])
    });
    assert_eq!(of_pools, of_licenses);
}

/// The roles in force follow from the attribute, then from direct membership, then from the default,
/// and the pool from them.
async fn check_roles(app: &TestApp, users: &[Value]) {
    let groups = app.get("/Groups?count=1000").await.expect(200);
    let mapping = "urn:ietf:params:scim:schemas:extension:usher:2.0:Group";
    let mut given: BTreeMap<&str, Vec<(i64, &str, &Value)>> = BTreeMap::new();
    for group in groups.body["Resources"].as_array().unwrap() {
        let means = &group[mapping];
        let Some(priority) = means["priority"].as_i64() else { continue };
        for member in group["members"].as_array().into_iter().flatten() {
            let entry = given.entry(member["value"].as_str().unwrap()).or_default();
            entry.push((priority, group["id"].as_str().unwrap(), means));
        }
    }
    for user in users {
        let mut means = given.remove(user["id"].as_str().unwrap()).unwrap_or_default();
        means.sort_by_key(|(priority, id, _)| (*priority, *id));
        let named = |list: &Value, name: &str| -> Vec<String> {
            let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
            list.iter().filter_map(|one| Some(one[name].as_str()?.to_owned())).collect()
        };
        let mut roles = named(&user["roles"], "value");
        if roles.is_empty() {
            let of = |means: &Value| means["grantsRole"].as_str().map(str::to_owned);
            roles = means.iter().filter_map(|(.., means)| of(means)).collect();
        }
        if roles.is_empty() {
            roles.push("standard".to_owned());
        }
        assert_eq!(named(&user[ABOUT]["effectiveRoles"], "value"), roles, "{user} {means:?}");
        let seen = Seen::of(user);
        let wanted = if seen.wanted.is_empty() { seen.pool } else { seen.wanted };
        // What is held is what there was, whatever is wanted meanwhile.
        let is_plain = user.get("entitlements").is_none() && !wanted.is_empty() && !seen.held;
        if !is_plain {
            continue;
        }
        let mapped = means.iter().find_map(|(.., means)| means["grantsSeatType"].as_str());
        let by_role = match roles[0].as_str() {
            "supervisor" => "line",
            "agent" => "extra",
            _ => "default",
        };
        let typed = Some(seen.seat_type).filter(|text| !text.is_empty());
        assert_eq!(wanted, typed.or(mapped).unwrap_or(by_role), "{user} {means:?}");
    }
}
