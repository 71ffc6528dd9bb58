//! The record played again: who held what, who waited, in which order, and of which version.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use usher::app::seats::{Line, Wanted};
use usher::domain::pool::Pool;
use usher::domain::scope::Scope;

use super::Reached;
use crate::support::app::TestApp;

/// What the record says so far.
#[derive(Debug, Default)]
pub(super) struct Replay {
    /// The number of the last line that was played.
    pub(super) last: i64,
    /// The pool whose seat a user holds.
    pub(super) held: BTreeMap<String, String>,
    /// Who waits for a seat of a pool, the first ones first.
    pub(super) lines: BTreeMap<String, Vec<String>>,
    /// The version of each user that is there.
    pub(super) versions: BTreeMap<String, i64>,
    /// The last version of each user that was deleted.
    gone: BTreeMap<String, i64>,
    /// Whose suspension is held.
    suspended: BTreeSet<String>,
    /// Who was passed by, by which request.
    passed: Option<(String, String, Vec<String>)>,
    /// The marks that were reached, by pool, and those that somebody was told of.
    crossed: Vec<(String, i64)>,
    told: Vec<(String, i64)>,
}

fn text<'v>(detail: &'v Value, pointer: &str) -> &'v str {
    detail.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

impl Replay {
    /// Plays what was recorded since. With pools, which did not change meanwhile, nobody may have been
    /// seated beyond them, and whenever a mark was reached somebody was told.
    pub(super) async fn play(
        &mut self,
        app: &TestApp,
        pools: &BTreeMap<String, Pool>,
        reached: &mut Reached,
    ) {
        let ctx = app.app.operator(&app.tenant).await.unwrap();
        loop {
            let wanted = Wanted { after: self.last, limit: 1000, ..Wanted::default() };
            let lines = app.app.records(&ctx, Scope::LogRead, wanted).await.unwrap();
            let Some(end) = lines.last() else { break };
            let end = end.seq;
            for (at, line) in lines.iter().enumerate() {
                assert_eq!(line.seq, self.last + 1, "a number is missing");
                self.last = line.seq;
                let same = |other: &&Line| {
                    other.resource == line.resource
                        && other.version == line.version
                        && other.request == line.request
                };
                let near = &lines[at.saturating_sub(8)..lines.len().min(at + 8)];
                let names: Vec<&str> =
                    near.iter().filter(same).map(|one| one.name.as_str()).collect();
                self.step(line, &names, pools, reached);
            }
            assert_eq!(self.last, end);
        }
        self.nobody_was_passed_by("");
        let (mut crossed, mut told) =
            (std::mem::take(&mut self.crossed), std::mem::take(&mut self.told));
        crossed.sort();
        told.sort();
        if !pools.is_empty() {
            assert_eq!(told, crossed);
        }
    }

    fn step(
        &mut self,
        recorded: &Line,
        names: &[&str],
        pools: &BTreeMap<String, Pool>,
        reached: &mut Reached,
    ) {
        let line = recorded;
        if line.name == "seat.threshold" {
            let detail: Value = serde_json::from_str(&line.detail).unwrap();
            self.told
                .push((text(&detail, "/pool").to_owned(), detail["percent"].as_i64().unwrap()));
            reached.note("a mark of a pool is reached");
        }
        if line.kind != "User" && line.name != "seat.denied" {
            return;
        }
        self.nobody_was_passed_by(&line.request);
        let detail: Value = serde_json::from_str(&line.detail).unwrap();
        self.count(recorded, &detail, names, reached);
        let id = &line.resource;
        if let Some(version) = line.version {
            let known = self.versions.entry(id.clone()).or_insert(version - 1);
            assert!(version == *known || version == *known + 1, "{recorded:?} after {known}");
            *known = version;
        }
        if line.name == "user.deleted" {
            let version = self.versions.remove(id).unwrap_or_else(|| panic!("{recorded:?}"));
            self.gone.insert(id.clone(), version);
        }
        if line.name == "user.restored" {
            let version = self.gone.remove(id).map(|version| version + 1);
            assert_eq!(line.version, version, "{recorded:?}");
        }
        match line.name.as_str() {
            "brake.held" if text(&detail, "/what") == "suspension" => {
                self.suspended.insert(id.clone());
            }
            "brake.finished" => drop(self.suspended.remove(id)),
            "user.reactivated" if self.suspended.remove(id) => {
                reached.note("reactivated from a hold");
            }
            // Others say what became of the seat.
            "seat.denied" | "seat.exempt" => {}
            "seat.preferred" => {
                let line = self.lines.entry(text(&detail, "/pool").to_owned()).or_default();
                line.retain(|waits| waits != id);
                line.insert(0, id.clone());
            }
            name if name.starts_with("seat.") => self.seat(recorded, &detail, pools),
            _ => {}
        }
    }

    fn seat(&mut self, recorded: &Line, detail: &Value, pools: &BTreeMap<String, Pool>) {
        let (id, request) = (&recorded.resource, &recorded.request);
        let pool = text(detail, "/after/pool").to_owned();
        let wanted = text(detail, "/after/requestedSeatType").to_owned();
        let before = self.held.get(id).cloned().unwrap_or_default();
        if pool != before && !pool.is_empty() {
            let line = self.lines.get(&pool).cloned().unwrap_or_default();
            match line.iter().position(|waits| waits == id) {
                _ if detail["outOfTurn"] == true => {}
                Some(0) => {}
                Some(_) => panic!("{recorded:?} was seated before {line:?}"),
                None if line.is_empty() => {}
                // There may be room for all of them: then they are seated by the same request.
                None => self.passed = Some((request.clone(), pool.clone(), line)),
            }
        }
        for (name, line) in &mut self.lines {
            if *name != wanted {
                line.retain(|waits| waits != id);
            }
        }
        let line = self.lines.entry(wanted.clone()).or_default();
        if !wanted.is_empty() && !line.contains(id) {
            line.push(id.clone());
        }
        if pool.is_empty() {
            self.held.remove(id);
            return;
        }
        self.held.insert(id.clone(), pool.clone());
        if pool != before
            && let Some(pool) = pools.get(&pool)
            && let Some(total) = pool.total
        {
            let limit = total + pool.allowance();
            let used = self.held.values().filter(|held| **held == pool.value).count();
            let used = i64::try_from(used).unwrap();
            assert!(used <= limit, "{used} of {limit}: {recorded:?}");
            let crossed = pool.crossed(used - 1, used).map(|mark| (pool.value.clone(), mark));
            self.crossed.extend(crossed);
        }
    }

    fn nobody_was_passed_by(&mut self, request: &str) {
        let Some((by, pool, line)) = self.passed.take_if(|(by, ..)| by != request) else { return };
        let now = self.lines.get(&pool).cloned().unwrap_or_default();
        let left: Vec<_> = line.iter().filter(|id| now.contains(id)).collect();
        assert!(left.is_empty(), "{by} passed by {left:?} in the line of {pool}");
    }

    /// Counts the row of the table of transitions that the line stands for.
    fn count(&self, recorded: &Line, detail: &Value, names: &[&str], reached: &mut Reached) {
        let (was, is) = (text(detail, "/before/state"), text(detail, "/after/state"));
        let (waited, waits) =
            (text(detail, "/before/requestedSeatType"), text(detail, "/after/requestedSeatType"));
        let id = &recorded.resource;
        match recorded.name.as_str() {
            "user.created" => reached.note(match text(detail, "/lifecycle") {
                "active" => "created active",
                "suspended" => "created suspended",
                "invited" => "created invited",
                "waiting" => "created waiting",
                _ => "created provisioned",
            }),
            name if name.starts_with("invitation.") => reached.note(invited(name, names)),
            "brake.held" => {
                reached.note(match (text(detail, "/what"), names.contains(&"seat.consumed")) {
                    ("suspension", _) => "suspended and held",
                    (_, true) => "deleted and held, a move waited",
                    _ => "deleted and held",
                });
            }
            "brake.finished" if self.held.contains_key(id) => reached.note("finished with a seat"),
            "brake.finished" => reached.note("finished without"),
            "user.restored" => reached.note("restored"),
            "user.suspended" => reached.note("suspended"),
            "user.reactivated" => match text(detail, "/after") {
                "active" => reached.note("reactivated to active"),
                "waiting" => reached.note("reactivated to waiting"),
                "invited" => reached.note("reactivated to invited"),
                _ => {}
            },
            "user.deleted" if self.held.contains_key(id) => reached.note("deleted with a seat"),
            "user.deleted" => reached.note("deleted without"),
            "seat.moved" => reached.note("seat moved"),
            "seat.waiting" if is == "waiting" => reached.note("waiting without a seat"),
            "seat.waiting" => reached.note("a move waits"),
            "seat.exempt" if detail["exempt"] == true => reached.note("exempt from now on"),
            "seat.exempt" => reached.note("exempt no more"),
            "seat.preferred" => reached.note("the next one from now on"),
            "seat.granted" if detail["outOfTurn"] == true => reached.note("seated out of turn"),
            "seat.granted" if was == "waiting" => reached.note("who waited is seated"),
            "seat.granted" => reached.note("a move that waited is granted"),
            "seat.denied" if recorded.version.is_some() => {
                reached.note("a member finds the pool full");
            }
            "seat.denied" => reached.note("refused: pool full"),
            "seat.consumed" if was == "reserved" => reached.note("reserved becomes consumed"),
            "seat.reserved" if was == "consumed" => reached.note("consumed becomes reserved"),
            "role.changed" if !names.iter().any(|name| name.starts_with("seat.")) => {
                reached.note("role changed in the same pool");
            }
            _ => {}
        }
        let over = text(detail, "/after/reason") == "overage" && names.contains(&"user.created");
        if recorded.name == "seat.consumed" && over {
            reached.note("created beyond the total");
        }
        if !waited.is_empty() && waits.is_empty() && was == "waiting" && is == "none" {
            reached.note("who waited gives up");
        }
    }
}

/// The row that something that befell an invitation stands for.
fn invited(name: &str, names: &[&str]) -> &'static str {
    let beside = |name| names.contains(&name);
    match name {
        "invitation.accepted" => "invited: accepted",
        "invitation.resent" if beside("seat.reserved") => "expired: sent anew",
        "invitation.resent" => "invited: sent anew",
        "invitation.expired" => "invited: expired",
        "invitation.cancelled" => "invited: cancelled",
        "invitation.superseded" if beside("user.deleted") => "invited: deleted",
        "invitation.superseded" => "invited: by other means",
        "invitation.sent" if beside("seat.granted") => "who waited is invited",
        _ => "created invited",
    }
}
