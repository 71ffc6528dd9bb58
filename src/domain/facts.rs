//! What the rules made of a user: the read-only attributes of its document, and nothing beside them.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::clock::Micros;
use crate::domain::account;
use crate::domain::invitation::Invitation;
use crate::scim::{Doc, urn};

/// Where the person is between invitation and suspension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lifecycle {
    /// Has no login yet and no invitation.
    #[default]
    Provisioned,
    /// Can sign in, unless the login is blocked.
    Active,
    /// Has no seat and waits for one.
    Waiting,
    /// Is not to use the product.
    Suspended,
    /// May accept an invitation.
    Invited,
    /// Did not accept the invitation in time.
    Expired,
    /// Was not to come after all.
    Cancelled,
}

impl Lifecycle {
    const ALL: [Self; 7] = [
        Self::Provisioned,
        Self::Active,
        Self::Waiting,
        Self::Suspended,
        Self::Invited,
        Self::Expired,
        Self::Cancelled,
    ];

    /// The word of `lifecycle`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Provisioned => "provisioned",
            Self::Active => "active",
            Self::Waiting => "waiting",
            Self::Suspended => "suspended",
            Self::Invited => "invited",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A seat that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// By somebody who cannot sign in yet.
    Reserved,
    /// By somebody who can.
    Consumed,
}

impl Hold {
    /// The word of `state`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Consumed => "consumed",
        }
    }
}

/// Why the seat is as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The person can sign in.
    Active,
    /// The person cannot sign in yet.
    Invited,
    /// No seat is free.
    PoolFull,
    /// The seat of another pool is wanted, and none is free there.
    Moving,
    /// The person is not to use the product.
    Suspended,
    /// Beyond the total, within the allowance.
    Overage,
    /// The role needs no seat.
    ExemptRole,
    /// The invitation was not accepted in time.
    Expired,
    /// The person was not to come after all.
    Cancelled,
    /// The person is not to use the product; the seat is kept until an administrator has looked at it,
    /// or for some days.
    Held,
}

impl Reason {
    const ALL: [Self; 10] = [
        Self::Active,
        Self::Invited,
        Self::PoolFull,
        Self::Moving,
        Self::Suspended,
        Self::Overage,
        Self::ExemptRole,
        Self::Expired,
        Self::Cancelled,
        Self::Held,
    ];

    /// The word of `reason`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Invited => "invited",
            Self::PoolFull => "poolFull",
            Self::Moving => "moving",
            Self::Suspended => "suspended",
            Self::Overage => "overage",
            Self::ExemptRole => "exemptRole",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Held => "held",
        }
    }
}

/// A user's seat.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seat {
    /// The pool and what is held of it.
    pub held: Option<(String, Hold)>,
    /// The name of the pool when it was taken.
    pub display: Option<String>,
    /// Why.
    pub reason: Option<Reason>,
    /// Since when it is held.
    pub since: Option<Micros>,
    /// The pool that is waited for.
    pub requested: Option<String>,
    /// Since when.
    pub waiting_since: Option<Micros>,
    /// Whether none is needed although the person can sign in.
    pub spared: bool,
    /// Whether an administrator said that none is ever needed.
    pub exempt: bool,
}

impl Seat {
    /// The word of `state`.
    pub fn state(&self) -> &'static str {
        match &self.held {
            Some((_, hold)) => hold.name(),
            None if self.requested.is_some() => "waiting",
            None if self.spared => "exempt",
            None => "none",
        }
    }

    /// The pool whose seat is held.
    pub fn pool(&self) -> Option<&str> {
        self.held.as_ref().map(|(pool, _)| pool.as_str())
    }
}

/// Where an effective role came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The attribute `roles`.
    Attribute,
    /// Membership of a group.
    Group,
    /// The tenant's default.
    Default,
}

impl Source {
    /// The word of `source`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attribute => "attribute",
            Self::Group => "group",
            Self::Default => "default",
        }
    }
}

/// A role in force; the first of a list is the primary one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// Its value in the catalogue.
    pub value: String,
    /// Its name for people.
    pub display: String,
    /// Where it came from.
    pub source: Source,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// Roles in force, the primary one first.
    pub roles: Vec<Effective>,
    /// Where the person is.
    pub lifecycle: Lifecycle,
    /// The seat.
    pub seat: Seat,
    /// By which door the user came.
    pub origin: String,
    /// When the user could sign in for the first time.
    pub activated: Option<Micros>,
    /// How the person gets in.
    pub invitation: Invitation,
}

impl Facts {
    /// Those of somebody whom no rule has seen yet and who comes by this door: `scim`, `admin`, `invite`,
    /// `import`, `jit` or `cli`.
    pub fn fresh(origin: &str) -> Self {
        Self { origin: origin.to_owned(), ..Self::default() }
    }

    /// The facts of a document; none of one that no rule has seen.
    pub fn of(doc: &Doc) -> Option<Self> {
        let about = doc.get(urn::CONTACT_CENTER)?;
        let word = about["lifecycle"].as_str()?;
        let lifecycle = Lifecycle::ALL.into_iter().find(|known| known.name() == word);
        let roles = about["effectiveRoles"].as_array().map(Vec::as_slice).unwrap_or_default();
        let seat = doc.get(urn::SEAT).unwrap_or(&Value::Null);
        Some(Self {
            roles: roles.iter().filter_map(effective).collect(),
            lifecycle: lifecycle.unwrap_or_default(),
            seat: seat_of(seat),
            origin: about["origin"].as_str().unwrap_or_default().to_owned(),
            activated: time(&about["activatedAt"]),
            invitation: Invitation::of(doc),
        })
    }

    /// Puts them into the document, in place of those that are there.
    pub fn put(&self, doc: &mut Doc) {
        let about = object(doc, urn::CONTACT_CENTER);
        let roles = self.roles.iter().enumerate().map(|(at, role)| {
            json!({
                "value": role.value, "display": role.display, "source": role.source.name(),
                "primary": at == 0,
            })
        });
        about.insert("effectiveRoles".to_owned(), roles.collect());
        about.insert("lifecycle".to_owned(), self.lifecycle.name().into());
        about.insert("origin".to_owned(), self.origin.as_str().into());
        set(about, "activatedAt", self.activated.map(|at| text(at).into()));
        account::mark(about);
        let seat = object(doc, urn::SEAT);
        set(seat, "pool", self.seat.held.as_ref().map(|(pool, _)| self.pool(pool)));
        seat.insert("state".to_owned(), self.seat.state().into());
        set(seat, "reason", self.seat.reason.map(|reason| reason.name().into()));
        set(seat, "since", self.seat.since.map(|at| text(at).into()));
        set(seat, "waitingSince", self.seat.waiting_since.map(|at| text(at).into()));
        set(seat, "requestedSeatType", self.seat.requested.clone().map(Value::from));
        set(seat, "exempt", self.seat.exempt.then_some(Value::Bool(true)));
        self.invitation.put(doc);
    }

    fn pool(&self, value: &str) -> Value {
        json!({
            "value": value, "$ref": format!("../SeatPools/{}", crate::domain::offer::pool_id(value)),
            "display": self.seat.display.as_deref().unwrap_or(value),
        })
    }

    /// The value of the role that decides about the seat.
    pub fn primary(&self) -> Option<&str> {
        self.roles.first().map(|role| role.value.as_str())
    }
}

fn effective(value: &Value) -> Option<Effective> {
    Some(Effective {
        value: value["value"].as_str()?.to_owned(),
        display: value["display"].as_str().unwrap_or_default().to_owned(),
        source: match value["source"].as_str()? {
            "attribute" => Source::Attribute,
            "group" => Source::Group,
            _ => Source::Default,
        },
    })
}

fn seat_of(seat: &Value) -> Seat {
    let state = seat["state"].as_str().unwrap_or_default();
    let hold = match state {
        "reserved" => Some(Hold::Reserved),
        "consumed" => Some(Hold::Consumed),
        _ => None,
    };
    let pool = seat["pool"]["value"].as_str().map(str::to_owned);
    let exempt = seat["exempt"] == Value::Bool(true);
    let reason = seat["reason"].as_str();
    Seat {
        held: pool.zip(hold),
        display: seat["pool"]["display"].as_str().map(str::to_owned),
        reason: Reason::ALL.into_iter().find(|known| Some(known.name()) == reason),
        since: time(&seat["since"]),
        requested: seat["requestedSeatType"].as_str().map(str::to_owned),
        waiting_since: time(&seat["waitingSince"]),
        spared: state == "exempt",
        exempt,
    }
}

/// The object of this schema, made where there is none.
pub fn object<'d>(doc: &'d mut Doc, urn: &str) -> &'d mut Map<String, Value> {
    let entry = doc.entry(urn).or_insert_with(|| Value::Object(Map::new()));
    if !entry.is_object() {
        *entry = Value::Object(Map::new());
    }
    // It is one by now.
    entry.as_object_mut().expect("an object was put there")
}

/// Sets a value, or takes it away.
pub fn set(object: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => drop(object.insert(name.to_owned(), value)),
        None => drop(object.shift_remove(name)),
    }
}

/// A time as documents write it.
pub fn text(at: Micros) -> String {
    Timestamp::from_microsecond(at.0).map(|at| at.to_string()).unwrap_or_default()
}

fn time(value: &Value) -> Option<Micros> {
    crate::scim::fold::moment(value.as_str()?).map(Micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_into_a_document_is_read_from_it_the_same() {
        let seats = [
            Seat::default(),
            Seat {
                held: Some(("agent".into(), Hold::Consumed)),
                display: Some("Agents".into()),
                reason: Some(Reason::Overage),
                since: Some(Micros(5_000_001)),
                ..Seat::default()
            },
            Seat {
                held: Some(("agent".into(), Hold::Reserved)),
                display: Some("agent".into()),
                reason: Some(Reason::Moving),
                since: Some(Micros(1_000_000)),
                requested: Some("default".into()),
                waiting_since: Some(Micros(2_000_000)),
                ..Seat::default()
            },
            Seat { requested: Some("x".into()), reason: Some(Reason::PoolFull), ..Seat::default() },
            Seat { spared: true, reason: Some(Reason::ExemptRole), ..Seat::default() },
            Seat { spared: true, exempt: true, ..Seat::default() },
            Seat { exempt: true, reason: Some(Reason::Suspended), ..Seat::default() },
            Seat {
                held: Some(("agent".into(), Hold::Consumed)),
                display: Some("Agents".into()),
                reason: Some(Reason::Held),
                ..Seat::default()
            },
        ];
        for seat in seats {
            for lifecycle in Lifecycle::ALL {
                let roles = vec![Effective {
                    value: "agent".into(),
                    display: "Call Agent".into(),
                    source: Source::Group,
                }];
                let facts = Facts {
                    roles,
                    lifecycle,
                    seat: seat.clone(),
                    origin: "scim".into(),
                    activated: Some(Micros(7)),
                    invitation: Invitation::default(),
                };
                let mut doc = Doc::new();
                Facts::default().put(&mut doc);
                facts.put(&mut doc);
                assert_eq!(Facts::of(&doc), Some(facts));
            }
        }
        assert_eq!(Facts::of(&Doc::new()), None);
    }
}
