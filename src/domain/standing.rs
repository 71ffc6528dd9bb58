//! Whether somebody may sign in, and what ends the sessions of somebody who did.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Map, Value, json};

use crate::domain::account;
use crate::domain::agent::about;
use crate::domain::facts::{Facts, Lifecycle};
use crate::scim::{Doc, fold, urn};

/// Why somebody may not sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// One for an unknown name, a wrong password, and whoever is not to use the product: nobody learns
    /// which it was.
    #[error("The tenant, the name or the password is wrong, or the user cannot sign in.")]
    Invalid,
    /// The rest is for those who know the password. The login is blocked for now.
    #[error("Signing in is blocked for this user. Ask an administrator.")]
    Blocked,
    /// Not from this address.
    #[error("This user may not sign in from this address.")]
    Address,
    /// Who waits for a seat.
    #[error("No seat is free for this user yet. Ask an administrator.")]
    NoSeat,
    /// The session has ended, or the token is none.
    #[error("The session has ended. Sign in again.")]
    Ended,
    /// The password is to be changed first.
    #[error("The password must be changed before signing in.")]
    MustChangePassword,
    /// The user does not belong to this account, or it cannot be used.
    #[error("The user cannot use this account.")]
    Account,
}

impl Refusal {
    /// The word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Invalid => "invalidCredentials",
            Self::Ended => "sessionEnded",
            Self::Blocked => "loginBlocked",
            Self::Address => "addressNotAllowed",
            Self::NoSeat => "noFreeSeat",
            Self::MustChangePassword => "mustChangePassword",
            Self::Account => "accountNotAvailable",
        }
    }
}

/// Whether the user of this document may use the product now, from this address.
///
/// Only somebody active, whose lifecycle is active, is let in; whatever other lifecycles there are.
pub fn check(user: &Doc, address: Option<IpAddr>) -> Result<(), Refusal> {
    may_use(user)?;
    if lets_in(user, address) { Ok(()) } else { Err(Refusal::Address) }
}

/// The same, wherever the user is.
pub fn may_use(user: &Doc) -> Result<(), Refusal> {
    let is_on = user.get("active") == Some(&Value::Bool(true));
    let lifecycle = about(user, "lifecycle").and_then(Value::as_str).unwrap_or_default();
    if !is_on || is(user, "webLogin", false) {
        return Err(Refusal::Invalid);
    }
    if lifecycle == Lifecycle::Waiting.name() {
        return Err(Refusal::NoSeat);
    }
    if lifecycle != Lifecycle::Active.name() {
        return Err(Refusal::Invalid);
    }
    if is(user, "webLoginBlocked", true) { Err(Refusal::Blocked) } else { Ok(()) }
}

/// Whether the password is to be changed before anything else.
pub fn must_change(user: &Doc) -> bool {
    is(user, "mustChangePassword", true)
}

fn is(user: &Doc, name: &str, value: bool) -> bool {
    about(user, name) == Some(&Value::Bool(value))
}

/// Whether the user may come from this address. Addresses that are listed count unless the user says
/// that all are allowed; where nobody knows the address, none does.
fn lets_in(user: &Doc, address: Option<IpAddr>) -> bool {
    let access = about(user, "ipAccess").and_then(Value::as_str);
    let listed = about(user, "allowedIps").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let is_free = match access {
        Some(access) => !access.eq_ignore_ascii_case("selected"),
        None => listed.is_empty(),
    };
    let holds = |address: IpAddr| {
        listed
            .iter()
            .filter_map(Value::as_str)
            .filter_map(network)
            .any(|net| net.contains(&address))
    };
    is_free || address.map(|address| address.to_canonical()).is_some_and(holds)
}

fn network(text: &str) -> Option<IpNet> {
    let form = fold::network(text)?;
    form.parse().ok().or_else(|| form.parse::<IpAddr>().ok().map(IpNet::from))
}

/// Why a change of a user ends all sessions; none where it does not.
pub fn ends(before: &Doc, after: &Doc) -> Option<&'static str> {
    let on = |doc: &Doc| doc.get("active") == Some(&Value::Bool(true));
    let turns = |name: &str, value: bool| !is(before, name, value) && is(after, name, value);
    if on(before) && !on(after) {
        Some("suspended")
    } else if turns("webLoginBlocked", true) {
        Some("blocked")
    } else if turns("webLogin", false) {
        Some("webLogin")
    } else if loses_role(before, after) {
        Some("role")
    } else {
        None
    }
}

fn loses_role(before: &Doc, after: &Doc) -> bool {
    let roles = |doc: &Doc| Facts::of(doc).map(|facts| facts.roles).unwrap_or_default();
    let kept = roles(after);
    let is_lost = |value: &str| !kept.iter().any(|role| role.value == value);
    let in_account = |account: &String| {
        let (was, is) = (account::role_in(before, account), account::role_in(after, account));
        was != is
    };
    roles(before).iter().any(|role| is_lost(&role.value))
        || account::of(before).iter().any(in_account)
}

/// What an access token says of a user who uses this account: the claims of the product and no others.
///
/// `roles` are those in force, and before them the one in the account.
pub fn claims(user: &Doc, account: Option<&str>) -> Map<String, Value> {
    let facts = Facts::of(user).unwrap_or_default();
    let mut roles: Vec<String> =
        account.and_then(|account| account::role_in(user, account)).into_iter().collect();
    for role in &facts.roles {
        if !roles.contains(&role.value) {
            roles.push(role.value.clone());
        }
    }
    let scope = about(user, "reportScope").and_then(Value::as_str).unwrap_or("own");
    let agent = about(user, "agent").and_then(|agent| agent.get("value"));
    let mut claims = Map::new();
    claims.insert("roles".to_owned(), json!(roles));
    claims.insert("report_scope".to_owned(), scope.to_ascii_lowercase().into());
    let others = [
        ("account", account.map(Value::from)),
        ("seat_type", facts.seat.pool().map(Value::from)),
        ("agent_id", agent.cloned()),
    ];
    for (name, value) in others {
        claims.extend(value.map(|value| (name.to_owned(), value)));
    }
    claims
}

/// The account that somebody begins with: the primary one first, then in the order of joining.
pub fn accounts(user: &Doc) -> Vec<String> {
    let list = account::about_memberships(user);
    let (first, rest): (Vec<&Value>, Vec<&Value>) =
        list.iter().partition(|element| element["primary"] == Value::Bool(true));
    first
        .into_iter()
        .chain(rest)
        .filter_map(|element| element["value"].as_str().map(str::to_owned))
        .collect()
}

/// Everything that a user's document says of who the person is: passwords made of it are refused.
pub fn own_words(user: &Doc) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut add = |value: Option<&Value>| {
        words.extend(value.and_then(Value::as_str).map(str::to_owned));
    };
    for name in ["userName", "displayName", "nickName"] {
        add(user.get(name));
    }
    for part in ["formatted", "familyName", "givenName", "middleName"] {
        add(user.get("name").and_then(|name| name.get(part)));
    }
    for list in ["emails", "phoneNumbers"] {
        let elements = user.get(list).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for element in elements {
            add(element.get("value"));
        }
    }
    add(about(user, "loginPhone"));
    add(user.get(urn::ENTERPRISE).and_then(|enterprise| enterprise.get("organization")));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(about: &Value) -> Doc {
        let mut user = json!({ "active": true, urn::CONTACT_CENTER: { "lifecycle": "active" } });
        let target = user[urn::CONTACT_CENTER].as_object_mut().unwrap();
        target.extend(about.as_object().unwrap().clone());
        user.as_object().unwrap().clone()
    }

    #[test]
    fn only_the_active_come_in_whatever_lifecycles_there_are() {
        for lifecycle in ["invited", "expired", "cancelled", "provisioned", "suspended", "", "new"]
        {
            let refused = check(&user(&json!({ "lifecycle": lifecycle })), None);
            assert_eq!(refused, Err(Refusal::Invalid), "{lifecycle}");
        }
        let mut off = user(&json!({}));
        assert_eq!(check(&off, None), Ok(()));
        off.insert("active".to_owned(), false.into());
        assert_eq!(check(&off, None), Err(Refusal::Invalid));
        for (about, refusal) in [
            (json!({ "lifecycle": "waiting" }), Refusal::NoSeat),
            (json!({ "webLoginBlocked": true }), Refusal::Blocked),
            (json!({ "webLogin": false }), Refusal::Invalid),
            (json!({ "webLogin": false, "webLoginBlocked": true }), Refusal::Invalid),
        ] {
            assert_eq!(check(&user(&about), None), Err(refusal), "{about}");
        }
    }

    #[test]
    fn addresses_count_unless_all_are_allowed() {
        let table = [
            (json!({}), "9.9.9.9", true),
            (json!({ "ipAccess": "all", "allowedIps": ["10.0.0.0/8"] }), "9.9.9.9", true),
            (json!({ "ipAccess": "Selected", "allowedIps": ["10.0.0.0/8"] }), "9.9.9.9", false),
            (json!({ "ipAccess": "selected", "allowedIps": ["10.0.0.0/8"] }), "10.2.3.4", true),
            (
                json!({ "ipAccess": "selected", "allowedIps": ["10.1.2.3"] }),
                "::ffff:10.1.2.3",
                true,
            ),
            (json!({ "allowedIps": ["2001:db8::/32"] }), "2001:db8::1", true),
            (json!({ "allowedIps": ["2001:db8::/32"] }), "2001:db9::1", false),
            (json!({ "ipAccess": "selected", "allowedIps": [] }), "10.1.2.3", false),
        ];
        for (about, address, is_let_in) in table {
            let address = Some(address.parse().unwrap());
            let expected = if is_let_in { Ok(()) } else { Err(Refusal::Address) };
            assert_eq!(check(&user(&about), address), expected, "{about}");
        }
        let selected = user(&json!({ "ipAccess": "selected", "allowedIps": ["10.1.2.3"] }));
        assert_eq!(check(&selected, None), Err(Refusal::Address));
    }

    #[test]
    fn what_takes_rights_ends_sessions_and_nothing_else() {
        let role = |value: &str| json!({ "value": value, "display": "", "source": "attribute" });
        let plain = user(&json!({ "effectiveRoles": [role("agent")] }));
        let mut off = plain.clone();
        off.insert("active".to_owned(), false.into());
        let member = |role: &str| {
            user(&json!({
                "effectiveRoles": [{ "value": "agent", "display": "", "source": "group" }],
                "accountMemberships": [{ "value": "a", "role": role, "primary": true }],
            }))
        };
        let table = [
            (&plain, &plain, None),
            (&plain, &off, Some("suspended")),
            (&off, &plain, None),
            (&plain, &user(&json!({ "effectiveRoles": [role("tech")] })), Some("role")),
            (&plain, &user(&json!({ "effectiveRoles": [role("tech"), role("agent")] })), None),
            (&plain, &member("tech"), None),
            (&member("tech"), &member("standard"), Some("role")),
            (&member("tech"), &plain, Some("role")),
        ];
        for (before, after, expected) in table {
            assert_eq!(ends(before, after), expected, "{before:?} {after:?}");
        }
        let about = |name: &str, value: bool| {
            user(&json!({ "effectiveRoles": [role("agent")], name: value }))
        };
        assert_eq!(ends(&plain, &about("webLoginBlocked", true)), Some("blocked"));
        assert_eq!(ends(&about("webLoginBlocked", true), &plain), None);
        assert_eq!(ends(&about("webLogin", true), &about("webLogin", false)), Some("webLogin"));
    }
}
