//! What is written down of a change: events for the product, and what a rule decided and why.

use serde_json::{Value, json};

use crate::domain::facts::{Effective, Facts, Lifecycle, Reason, Seat};
use crate::domain::invitation::{Invitation, Status};
use crate::domain::pool::Pool;

/// One line of the record: an event where the name is one, and always a line of the provisioning log.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// `seat.consumed` and the like.
    pub name: &'static str,
    /// What the rule saw before and after, without personal data.
    pub detail: Value,
}

/// The names that are events; the others are for the log alone.
pub const EVENTS: &[&str] = &[
    "user.created",
    "user.updated",
    "user.activated",
    "user.suspended",
    "user.reactivated",
    "user.deleted",
    "user.restored",
    "seat.reserved",
    "seat.consumed",
    "seat.released",
    "seat.moved",
    "seat.denied",
    "seat.waiting",
    "seat.granted",
    "seat.threshold",
    "invitation.sent",
    "invitation.resent",
    "invitation.accepted",
    "invitation.expired",
    "invitation.cancelled",
    "invitation.superseded",
    "invitation.delivered",
    "invitation.bounced",
    "agent.created",
    "agent.linked",
    "agent.unlinked",
    "role.changed",
    "sessions.revoked",
    "password.changed",
    "password.reset_sent",
    "admin.none",
    "token.created",
    "token.rotated",
    "token.revoked",
];

/// An entry without detail.
pub fn plain(name: &'static str) -> Entry {
    Entry { name, detail: json!({}) }
}

/// That so many sessions of a user were ended, and why.
pub fn sessions_revoked(reason: &str, sessions: u64) -> Entry {
    Entry { name: "sessions.revoked", detail: json!({ "reason": reason, "sessions": sessions }) }
}

/// What a new user comes to; `skipped` where a mail would have gone if there were an address.
pub fn created(facts: &Facts, skipped: bool) -> Vec<Entry> {
    let detail = json!({
        "lifecycle": facts.lifecycle.name(), "origin": facts.origin, "roles": roles(&facts.roles),
    });
    let mut entries = vec![Entry { name: "user.created", detail }];
    if facts.lifecycle == Lifecycle::Active {
        entries.push(plain("user.activated"));
    }
    entries.extend(seat(&Seat::default(), &facts.seat));
    entries.extend(invitation(&Invitation::default(), &facts.invitation));
    entries.extend(skipped.then(|| plain("invitation.skipped")));
    entries
}

/// What a changed user comes to; `before` is none where no rule had seen it yet.
pub fn updated(before: Option<&Facts>, after: &Facts) -> Vec<Entry> {
    let nothing = Facts::default();
    let (known, before) = (before.is_some(), before.unwrap_or(&nothing));
    let mut entries = vec![plain("user.updated")];
    entries.extend(lifecycle(before, after));
    entries.extend(role(before, after).filter(|_| known));
    entries.extend(seat(&before.seat, &after.seat));
    entries.extend(invitation(&before.invitation, &after.invitation));
    let is_held = |facts: &Facts| facts.seat.reason == Some(Reason::Held);
    entries.extend((is_held(after) && !is_held(before)).then(|| held("suspension", &after.seat)));
    entries
}

/// That a suspension or a deletion is one beyond what the brake lets pass.
fn held(what: &str, seat: &Seat) -> Entry {
    Entry { name: "brake.held", detail: json!({ "what": what, "seat": shown(seat) }) }
}

/// That what was held is finished, since an administrator said so or it was held long enough.
pub fn finished(by: &str) -> Entry {
    Entry { name: "brake.finished", detail: json!({ "by": by }) }
}

/// What the end of a user comes to that can be brought back, with the seat that is kept for it.
pub fn deleted_and_held(before: &Seat, kept: &Seat) -> Vec<Entry> {
    let mut entries = vec![plain("user.deleted")];
    entries.extend(seat(before, kept));
    entries.push(held("deletion", kept));
    entries
}

/// What it comes to that the end of a user is final, whose seat was kept.
pub fn buried(kept: &Seat, by: &str) -> Vec<Entry> {
    let mut entries = vec![finished(by)];
    entries.extend(seat(kept, &Seat::default()));
    entries
}

/// What somebody comes to who asked for nothing: a group, a pool, a role or the line was changed.
pub fn rejudged(before: &Facts, after: &Facts) -> Vec<Entry> {
    let (was, is) = (&before.seat, &after.seat);
    if was.requested.is_some() && is.held.is_some() && is.held != was.held {
        return granted(before, after);
    }
    let mut entries = updated(Some(before), after);
    if let Some(pool) = is.requested.as_ref().filter(|_| was.requested != is.requested) {
        let detail = json!({ "pool": pool, "before": shown(was), "after": shown(is) });
        entries.push(Entry { name: "seat.denied", detail });
    }
    entries
}

/// What it comes to that an administrator says of somebody that no seat is needed, or one after all.
pub fn exempted(before: &Facts, after: &Facts) -> Vec<Entry> {
    let detail = json!({
        "exempt": after.seat.exempt, "before": shown(&before.seat), "after": shown(&after.seat),
    });
    let mut entries = vec![Entry { name: "seat.exempt", detail }];
    entries.extend(updated(Some(before), after));
    entries
}

/// What it comes to that an administrator gives a seat out of turn.
pub fn given(before: &Facts, after: &Facts) -> Vec<Entry> {
    let mut entries = granted(before, after);
    for entry in entries.iter_mut().filter(|entry| entry.name == "seat.granted") {
        entry.detail["outOfTurn"] = true.into();
    }
    entries
}

/// Somebody who is the first of those who wait from now on.
pub fn preferred(pool: &str) -> Entry {
    Entry { name: "seat.preferred", detail: json!({ "pool": pool }) }
}

/// That so many seats of a pool are taken as administrators want to hear of.
pub fn threshold(pool: &Pool, percent: i64, used: i64) -> Entry {
    let detail = json!({
        "pool": pool.value, "percent": percent, "used": used, "total": pool.total,
    });
    Entry { name: "seat.threshold", detail }
}

/// What the end of a user comes to.
pub fn deleted(facts: Option<&Facts>) -> Vec<Entry> {
    let mut entries = vec![plain("user.deleted")];
    if let Some(facts) = facts {
        entries.extend(seat(&facts.seat, &Seat::default()));
        if facts.invitation.is_pending() {
            let rest = facts.invitation.superseded();
            entries.extend(invitation(&facts.invitation, &rest));
        }
    }
    entries
}

/// Somebody whose turn it was.
fn granted(before: &Facts, after: &Facts) -> Vec<Entry> {
    let mut entries = vec![Entry {
        name: "seat.granted",
        detail: json!({ "before": shown(&before.seat), "after": shown(&after.seat) }),
    }];
    entries.extend(lifecycle(before, after));
    entries.extend(role(before, after));
    entries.extend(invitation(&before.invitation, &after.invitation));
    entries
}

/// What becomes of an invitation.
fn invitation(before: &Invitation, after: &Invitation) -> Option<Entry> {
    let is_new = before.is_sent_before(after);
    let name = match after.status {
        Status::Pending if is_new && after.resends > 0 => "invitation.resent",
        Status::Pending if is_new => "invitation.sent",
        now if now == before.status => return None,
        Status::Accepted => "invitation.accepted",
        Status::Expired => "invitation.expired",
        Status::Cancelled => "invitation.cancelled",
        Status::Superseded => "invitation.superseded",
        Status::None | Status::Pending => return None,
    };
    let detail = json!({
        "mode": after.mode.name(), "before": before.status.name(), "after": after.status.name(),
    });
    Some(Entry { name, detail })
}

fn role(before: &Facts, after: &Facts) -> Option<Entry> {
    let detail = || json!({ "before": roles(&before.roles), "after": roles(&after.roles) });
    (before.roles != after.roles).then(|| Entry { name: "role.changed", detail: detail() })
}

fn lifecycle(before: &Facts, after: &Facts) -> Option<Entry> {
    if before.lifecycle == after.lifecycle {
        return None;
    }
    let name = match (before.lifecycle, after.lifecycle) {
        (_, Lifecycle::Suspended) => "user.suspended",
        (_, Lifecycle::Expired | Lifecycle::Cancelled) => return None,
        (Lifecycle::Suspended | Lifecycle::Cancelled, _) => "user.reactivated",
        (_, Lifecycle::Active) => "user.activated",
        (_, Lifecycle::Waiting | Lifecycle::Provisioned | Lifecycle::Invited) => return None,
    };
    let detail = json!({ "before": before.lifecycle.name(), "after": after.lifecycle.name() });
    Some(Entry { name, detail })
}

fn seat(before: &Seat, after: &Seat) -> Vec<Entry> {
    if before.held == after.held && before.requested == after.requested {
        return Vec::new();
    }
    let detail = || json!({ "before": shown(before), "after": shown(after) });
    let mut entries = Vec::new();
    let held = match (&before.held, &after.held) {
        (Some((from, _)), Some((to, _))) if from != to => Some("seat.moved"),
        (Some(_), None) => Some("seat.released"),
        // The place in the line is given up.
        (None, None) if after.requested.is_none() => Some("seat.released"),
        // The same where a move is: it is the old seat that is held from now on.
        (was, Some((_, hold))) if *was != after.held || after.requested.is_none() => {
            Some(match hold {
                crate::domain::facts::Hold::Reserved => "seat.reserved",
                crate::domain::facts::Hold::Consumed => "seat.consumed",
            })
        }
        (_, _) => None,
    };
    entries.extend(held.map(|name| Entry { name, detail: detail() }));
    if after.requested.is_some() && before.requested != after.requested {
        entries.push(Entry { name: "seat.waiting", detail: detail() });
    }
    entries
}

fn shown(seat: &Seat) -> Value {
    let mut shown = json!({ "state": seat.state() });
    if let Some(pool) = seat.pool() {
        shown["pool"] = pool.into();
    }
    if let Some(reason) = seat.reason {
        shown["reason"] = reason.name().into();
    }
    if let Some(requested) = &seat.requested {
        shown["requestedSeatType"] = requested.as_str().into();
    }
    shown
}

fn roles(roles: &[Effective]) -> Value {
    roles.iter().map(|role| json!({ "value": role.value, "source": role.source.name() })).collect()
}
