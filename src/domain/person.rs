//! The rules of a user: what a document asks for, what it may say, and what follows from it.

use serde_json::Value;

use crate::clock::Micros;
use crate::domain::account;
use crate::domain::catalogue::{Catalogue, Role};
use crate::domain::facts::{Effective, Facts, Hold, Lifecycle, Reason, Seat};
use crate::domain::invitation::{self, Invitation, Mode, Stand, Status};
use crate::domain::pool::Pool;
use crate::domain::role::{self, Mapping};
use crate::domain::seat::Need;
use crate::domain::tenant::TenantSettings;
use crate::scim::path::excerpt;
use crate::scim::{Doc, Error, fold, urn};

/// Addresses from which somebody may sign in, at most.
const MOST_NETWORKS: usize = 200;
/// Users whose reports somebody sees, at most.
const MOST_REPORTED: usize = 200;

/// What the rules read beside the documents.
#[derive(Debug, Clone, Copy)]
pub struct Law<'l> {
    /// The tenant's settings.
    pub settings: &'l TenantSettings,
    /// What the tenant offers.
    pub catalogue: &'l Catalogue,
    /// Whether the token may give administrative roles.
    pub assigns_roles: bool,
    /// By which door a new user comes.
    pub origin: &'l str,
    /// Now.
    pub now: Micros,
}

/// What the rules make of a document, as far as it can be known without looking at the pools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The facts, with the seat as it was before.
    pub facts: Facts,
    /// The seat that is needed.
    pub need: Need,
}

impl Judged {
    /// The facts with this seat.
    pub fn seated(self, seat: Seat, now: Micros) -> Facts {
        let invitation = &self.facts.invitation;
        let hold = match &self.need {
            Need::Spared { .. } => Some(hold(invitation, self.facts.activated.is_some())),
            Need::Seat { .. } => seat.held.as_ref().map(|(_, hold)| *hold),
            Need::Nothing(_) | Need::Held => None,
        };
        let lifecycle = match (&self.need, hold) {
            (Need::Nothing(Some(Reason::Expired)), _) => Lifecycle::Expired,
            (Need::Nothing(Some(Reason::Cancelled)), _) => Lifecycle::Cancelled,
            (Need::Nothing(Some(_)) | Need::Held, _) => Lifecycle::Suspended,
            (Need::Nothing(None), _) => Lifecycle::Provisioned,
            (_, Some(Hold::Consumed)) => Lifecycle::Active,
            (_, Some(Hold::Reserved)) if invitation.is_pending() => Lifecycle::Invited,
            (_, Some(Hold::Reserved)) => Lifecycle::Provisioned,
            (_, None) => Lifecycle::Waiting,
        };
        let first = (lifecycle == Lifecycle::Active).then_some(now);
        let activated = self.facts.activated.or(first);
        let waits = lifecycle == Lifecycle::Waiting && invitation.is_pending();
        let invitation = if waits { invitation.held_back() } else { self.facts.invitation };
        Facts { lifecycle, seat, activated, invitation, ..self.facts }
    }
}

/// Whether nothing of a change matters to roles and seat: the facts stay.
pub fn is_untouched(before: &Doc, wanted: &Doc) -> bool {
    let plain = ["active", "roles", "entitlements"];
    let about = |doc: &Doc, schema: &str, name: &str| {
        doc.get(schema).and_then(|object| object.get(name)).cloned()
    };
    let same = |schema, name| about(before, schema, name) == about(wanted, schema, name);
    plain.iter().all(|name| before.get(*name) == wanted.get(*name))
        && same(urn::CONTACT_CENTER, "webLogin")
        && same(urn::CONTACT_CENTER, "lifecycle")
        && same(urn::SEAT, "seatType")
        && is_uninvited(before, wanted)
}

/// Whether nothing of a change matters to the invitation: a new address matters to one that is pending.
fn is_uninvited(before: &Doc, wanted: &Doc) -> bool {
    invites_alike(before, wanted)
        && (before.get("emails") == wanted.get("emails") || !Invitation::of(before).is_pending())
}

/// Whether two documents say the same of the invitation.
fn invites_alike(before: &Doc, wanted: &Doc) -> bool {
    let written = ["mode", "ttlHours", "template", "resend"];
    let same = |name| invitation::written(before, name) == invitation::written(wanted, name);
    written.into_iter().all(same)
}

/// What is held by somebody who needs a seat: a seat is consumed by who can sign in.
fn hold(invitation: &Invitation, is_activated: bool) -> Hold {
    let has_reset = is_activated || invitation.status == Status::Accepted;
    let resets_first = invitation.mode == Mode::Reset && !has_reset;
    if invitation.is_pending() || resets_first { Hold::Reserved } else { Hold::Consumed }
}

impl Law<'_> {
    /// What a document comes to. `before` is the one that it replaces; `mappings` are those of the
    /// groups that the user is a direct member of.
    pub fn judge(
        &self,
        before: Option<&Doc>,
        wanted: &Doc,
        mappings: &[Mapping],
    ) -> Result<Judged, Error> {
        role::check(self.settings, self.catalogue, before, wanted, self.assigns_roles)?;
        let judged = self.apply(before, wanted, mappings)?;
        self.without_gain(before, wanted, judged)
    }

    /// Refuses administrative roles that come into force by a change that does not name them: they were
    /// written before anybody knew them, or a group gives them once the attribute names none.
    /// Deactivating is never refused, and brings nothing into force.
    fn without_gain(
        &self,
        before: Option<&Doc>,
        wanted: &Doc,
        judged: Judged,
    ) -> Result<Judged, Error> {
        let Some(before) = before else { return Ok(judged) };
        let had = Facts::of(before).map(|facts| facts.roles).unwrap_or_default();
        let is_new = |role: &&Effective| !had.iter().any(|had| had.value == role.value);
        let gained = judged.facts.roles.iter().filter(is_new);
        let refusal = gained
            .filter_map(|role| self.catalogue.role(&role.value))
            .filter(|role| role.administrative)
            .find_map(|role| role::check_gain(self.settings, &role, self.assigns_roles).err());
        let Some(refusal) = refusal else { return Ok(judged) };
        let is_off = wanted.get("active") != Some(&Value::Bool(true));
        if is_off && before.get("roles") == wanted.get("roles") {
            let facts = Facts { roles: had, ..judged.facts };
            return Ok(Judged { facts, ..judged });
        }
        Err(refusal)
    }

    /// The same of a document that stands as it is: groups, pools or roles have changed.
    pub fn apply(
        &self,
        before: Option<&Doc>,
        wanted: &Doc,
        mappings: &[Mapping],
    ) -> Result<Judged, Error> {
        let was = before.and_then(Facts::of).unwrap_or_else(|| Facts::fresh(self.origin));
        let is_activated = was.activated.is_some();
        let mode = invitation::mode(self.settings, before, wanted, is_activated)?;
        let hours = invitation::hours(self.settings, wanted);
        let is_active = |doc: &Doc| doc.get("active") == Some(&Value::Bool(true));
        let follow = |was: &Invitation, has_login| {
            let stand = Stand {
                was_active: before.map(is_active),
                is_active: is_active(wanted),
                has_login,
                is_activated,
            };
            was.after(mode, stand, (self.now, hours))
        };
        self.apply_with(before, wanted, mappings, follow)
    }

    /// The same, where something befalls the invitation itself: it is accepted, sent anew, or over.
    pub fn apply_invited(
        &self,
        (before, wanted): (&Doc, &Doc),
        mappings: &[Mapping],
        invitation: &Invitation,
    ) -> Result<Judged, Error> {
        let may_come = std::cell::Cell::new(false);
        let follow = |_: &Invitation, has_login| {
            may_come.set(has_login);
            invitation.clone()
        };
        let judged = self.apply_with(Some(before), wanted, mappings, follow)?;
        if invitation.is_pending() && !may_come.get() {
            return Err(Error::InvalidValue(
                "Nobody is invited who is not to sign in: 'webLogin' is false, or 'seatType' is 'none'."
                    .to_owned(),
            ));
        }
        Ok(judged)
    }

    fn apply_with(
        &self,
        before: Option<&Doc>,
        wanted: &Doc,
        mappings: &[Mapping],
        follow: impl Fn(&Invitation, bool) -> Invitation,
    ) -> Result<Judged, Error> {
        let was = before.and_then(Facts::of).unwrap_or_else(|| Facts::fresh(self.origin));
        let roles = role::effective(self.settings, self.catalogue, wanted, mappings);
        let facts = Facts { roles, ..was };
        let wish = self.seat_type(before, wanted, &facts.seat)?;
        let has_login = about(wanted, urn::CONTACT_CENTER, "webLogin") != Some(&Value::Bool(false));
        let place = self.place(wish, has_login, &facts, mappings);
        let invitation = follow(&facts.invitation, has_login && place.is_some());
        let facts = Facts { invitation, ..facts };
        let need = Self::need(wanted, &facts, has_login, place);
        Ok(Judged { facts, need })
    }

    fn need(wanted: &Doc, facts: &Facts, has_login: bool, place: Option<Place<'_>>) -> Need {
        let status = facts.invitation.status;
        if wanted.get("active") != Some(&Value::Bool(true)) {
            let is_cancelled = status == Status::Cancelled;
            let reason = if is_cancelled { Reason::Cancelled } else { Reason::Suspended };
            let is_held = facts.seat.reason == Some(Reason::Held);
            return if is_held { Need::Held } else { Need::Nothing(Some(reason)) };
        }
        if status == Status::Expired {
            return Need::Nothing(Some(Reason::Expired));
        }
        let is_activated = facts.activated.is_some();
        match place {
            None => Need::Nothing(None),
            Some(Place::Spared { by_role }) => Need::Spared { by_role },
            Some(Place::In(pool)) if has_login => {
                Need::Seat { pool: pool.value.clone(), hold: hold(&facts.invitation, is_activated) }
            }
            Some(Place::In(pool)) => Need::Seat { pool: pool.value.clone(), hold: Hold::Reserved },
        }
    }

    /// Where somebody who is to use the product sits.
    fn place(
        &self,
        wish: Option<Wish>,
        has_login: bool,
        facts: &Facts,
        mappings: &[Mapping],
    ) -> Option<Place<'_>> {
        if facts.seat.exempt {
            return has_login.then_some(Place::Spared { by_role: false });
        }
        let mapped = || mapped_pool(self.catalogue, mappings);
        let pool = match wish {
            Some(Wish::NoSeat) => return None,
            Some(Wish::Pool(value) | Wish::Unknown(value)) => self.catalogue.pool(&value),
            None => mapped().or_else(|| self.catalogue.pool_of(facts.primary())),
        }?;
        let spares = |role: &str| pool.exempt_roles.iter().any(|exempt| exempt == role);
        let is_spared = facts.primary().is_some_and(spares);
        if !has_login && (is_spared || !pool.counts_agents) {
            return None;
        }
        Some(if is_spared { Place::Spared { by_role: true } } else { Place::In(pool) })
    }

    /// The seat that the document asks for by `seatType` or by an entitlement. Of two that disagree the
    /// one that differs from what was stored counts.
    fn seat_type(
        &self,
        before: Option<&Doc>,
        wanted: &Doc,
        seat: &Seat,
    ) -> Result<Option<Wish>, Error> {
        let typed = self.typed(wanted);
        let entitled = self.entitled(wanted);
        let typed_before = before.and_then(|before| self.typed(before));
        let typed_anew = typed != typed_before;
        if typed_anew && let Some(Wish::Unknown(text)) = &typed {
            return Err(Error::InvalidValue(format!(
                "Unknown seatType '{}'. Valid ones: {}, none.",
                excerpt(text),
                self.catalogue.pool_values()
            )));
        }
        let entitled_anew = entitled != before.and_then(|before| self.entitled(before));
        let known = |wish: Option<Wish>| wish.filter(|wish| !matches!(wish, Wish::Unknown(_)));
        let (typed, entitled) = (known(typed), known(entitled));
        Ok(match (typed_anew, entitled_anew) {
            (true, true) => match (typed, entitled) {
                (Some(typed), Some(entitled)) if typed != entitled => {
                    return Err(Error::InvalidValue(format!(
                        "seatType '{typed}' and the entitlement '{entitled}' name two seats; send one, or the same twice."
                    )));
                }
                (typed, entitled) => typed.or(entitled),
            },
            (true, false) => typed.or(entitled),
            (false, true) => entitled.or(typed),
            // Which of them counted the last time shows in the seat.
            (false, false) => {
                let current = seat.requested.as_deref().or(seat.pool());
                let counts = |wish: &Wish| matches!(wish, Wish::Pool(pool) if Some(pool.as_str()) == current);
                match entitled {
                    Some(entitled) if counts(&entitled) => Some(entitled),
                    entitled => typed.or(entitled),
                }
            }
        })
    }

    fn typed(&self, doc: &Doc) -> Option<Wish> {
        let text = about(doc, urn::SEAT, "seatType")?.as_str()?;
        if text.eq_ignore_ascii_case("none") {
            return Some(Wish::NoSeat);
        }
        Some(match self.catalogue.pool(text) {
            Some(pool) => Wish::Pool(pool.value.clone()),
            None => Wish::Unknown(text.to_owned()),
        })
    }

    /// An entitlement that names a pool and is a license, or does not say what it is.
    fn entitled(&self, doc: &Doc) -> Option<Wish> {
        let list = doc.get("entitlements")?.as_array()?;
        let is_license = |element: &&Value| {
            let kind = element["type"].as_str();
            kind.is_none_or(|kind| kind.eq_ignore_ascii_case("license"))
        };
        let (first, rest): (Vec<&Value>, Vec<&Value>) = list
            .iter()
            .filter(is_license)
            .partition(|element| element["primary"] == Value::Bool(true));
        first
            .into_iter()
            .chain(rest)
            .filter_map(|element| self.catalogue.pool(element["value"].as_str()?))
            .map(|pool| Wish::Pool(pool.value.clone()))
            .next()
    }

    /// Refuses what an identity provider may not write: who signs in as an administrator whose role it
    /// did not give.
    pub fn protect(
        &self,
        before: &Doc,
        wanted: &Doc,
        sets_password: bool,
    ) -> Result<(), Protected> {
        if self.assigns_roles || !self.is_foreign_administrator(before) {
            return Ok(());
        }
        let names = ["userName", "emails", "phoneNumbers"];
        let same = names.iter().all(|name| before.get(*name) == wanted.get(*name))
            && invites_alike(before, wanted);
        let phone = |doc| about(doc, urn::CONTACT_CENTER, "loginPhone");
        if same && phone(before) == phone(wanted) && !sets_password {
            return Ok(());
        }
        Err(Protected)
    }

    /// Refuses to let anybody in as this user on behalf of who may not: one who gives no roles at all, such as
    /// a technician, at no administrator, whichever roles clients may give.
    pub fn protect_login(&self, user: &Doc, gives_roles: bool) -> Result<(), Protected> {
        if !self.assigns_roles && !gives_roles && self.is_administrator(user, |_| true) {
            return Err(Protected);
        }
        self.protect(user, user, true)
    }

    /// Whether the user administers the tenant, or an account in it, by a role that clients may not
    /// give.
    fn is_foreign_administrator(&self, doc: &Doc) -> bool {
        self.is_administrator(doc, |role| role::check_gain(self.settings, role, false).is_err())
    }

    /// Whether the user administers the tenant, or an account in it, by such a role.
    fn is_administrator(&self, doc: &Doc, is_such: impl Fn(&Role) -> bool) -> bool {
        let Some(facts) = Facts::of(doc) else { return false };
        let in_force = facts.roles.into_iter().map(|role| role.value);
        in_force.chain(account::roles(doc)).any(|role| {
            let found = self.catalogue.role(&role);
            found.is_some_and(|found| found.administrative && is_such(&found))
        })
    }
}

/// An attribute of an administrator that only administrators set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protected;

/// Where somebody sits.
#[derive(Debug, Clone, Copy)]
enum Place<'c> {
    /// On no seat, and signs in all the same.
    Spared { by_role: bool },
    /// On a seat of this pool.
    In(&'c Pool),
}

/// What a document says of the seat.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wish {
    NoSeat,
    Pool(String),
    Unknown(String),
}

impl std::fmt::Display for Wish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoSeat => "none",
            Self::Pool(text) | Self::Unknown(text) => text,
        })
    }
}

/// The pool that groups give, of the lowest number.
fn mapped_pool<'c>(catalogue: &'c Catalogue, mappings: &[Mapping]) -> Option<&'c Pool> {
    let mut sorted: Vec<&Mapping> = mappings.iter().collect();
    sorted.sort_by_key(|mapping| (mapping.priority, &mapping.group));
    sorted.into_iter().find_map(|mapping| catalogue.pool(mapping.seat_type.as_deref()?))
}

fn about<'d>(doc: &'d Doc, schema: &str, name: &str) -> Option<&'d Value> {
    doc.get(schema)?.get(name)
}

/// Refuses what contradicts itself about signing in and reports.
pub fn check(doc: &Doc) -> Result<(), Error> {
    let at = |name: &str| format!("{}:{name}", urn::CONTACT_CENTER);
    let list = |name: &str| {
        let found = about(doc, urn::CONTACT_CENTER, name).and_then(Value::as_array);
        found.map_or(&[][..], Vec::as_slice)
    };
    let selected = |name: &str| {
        let text = about(doc, urn::CONTACT_CENTER, name).and_then(Value::as_str);
        text.is_some_and(|text| text.eq_ignore_ascii_case("selected"))
    };
    let networks = list("allowedIps");
    if selected("ipAccess") && networks.is_empty() {
        return Err(Error::InvalidValue(format!(
            "{} is 'selected' and {} is empty: nobody could sign in. Send the addresses with it.",
            at("ipAccess"),
            at("allowedIps")
        )));
    }
    for (name, most) in [("allowedIps", MOST_NETWORKS), ("reportUsers", MOST_REPORTED)] {
        if list(name).len() > most {
            return Err(Error::InvalidValue(format!(
                "{} has more than {most} values, the most that are allowed.",
                at(name)
            )));
        }
    }
    let all = about(doc, urn::CONTACT_CENTER, "ipAccess").and_then(Value::as_str);
    let open = |value: &&Value| {
        let form = value.as_str().and_then(fold::network);
        form.is_some_and(|form| form == "0.0.0.0/0" || form == "::/0")
    };
    if all.is_none_or(|all| !all.eq_ignore_ascii_case("all"))
        && let Some(Value::String(open)) = networks.iter().find(open)
    {
        return Err(Error::InvalidValue(format!(
            "{} '{open}' allows every address. Say so with {} 'all'.",
            at("allowedIps"),
            at("ipAccess")
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
