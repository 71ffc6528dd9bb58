//! Accounts inside a tenant, and who belongs to them with which role.
//!
//! A user's document keeps the accounts that it belongs to in the order in which they were joined, each
//! with its id, the role, and which one is the primary one. What the account itself says is shown from
//! the account's own document, so that to rename or to suspend it writes one document, however many
//! members it has.

use serde_json::{Map, Value, json};

use crate::domain::agent::{about, about_mut, set};
use crate::domain::catalogue::{Catalogue, Role};
use crate::domain::record::{self, Entry};
use crate::domain::role;
use crate::domain::scope::Scopes;
use crate::scim::accept::{self, Rules};
use crate::scim::path::excerpt;
use crate::scim::resource_type::ResourceType;
use crate::scim::{self, Doc, Error, urn};

/// Where a user's document keeps its memberships.
const MEMBERSHIPS: &str = "accountMemberships";
/// What administrators write of an account.
const WRITTEN: [&str; 4] = ["accountNumber", "displayName", "status", "externalId"];
/// Characters of an account's number, at most.
const LONGEST_NUMBER: usize = 64;
/// Accounts that one user may belong to, at most.
const MOST: usize = 1000;

/// The full name of the attribute by which members are found.
pub fn member_of() -> String {
    format!("{}:{MEMBERSHIPS}.value", urn::CONTACT_CENTER)
}

/// An account's document with these changes: a merge patch (RFC 7396), in which null takes a value
/// away. A new one changes an empty document.
pub fn changed(
    rt: &ResourceType,
    before: &Doc,
    changes: Value,
    rules: Rules,
) -> Result<Doc, Error> {
    let mut doc = before.clone();
    for (name, value) in scim::json::object(changes)? {
        let known = rt.core(&name).filter(|found| WRITTEN.contains(&found.name.as_str()));
        let attribute = known.ok_or_else(|| {
            Error::InvalidSyntax(format!(
                "'{}' cannot be written of an account. Write {}.",
                excerpt(&name),
                WRITTEN.join(", ")
            ))
        })?;
        let value = accept::value(attribute, &attribute.name, value, rules)?;
        set(&mut doc, &attribute.name, value);
    }
    let status = doc.get("status").and_then(Value::as_str).unwrap_or("active");
    let status = status.to_ascii_lowercase();
    doc.insert("status".to_owned(), status.into());
    accept::finish(rt, &mut doc);
    accept::check(rt, &doc, rules)?;
    check_number(doc.get("accountNumber").and_then(Value::as_str).unwrap_or_default())?;
    Ok(doc)
}

fn check_number(number: &str) -> Result<(), Error> {
    let is_plain = number.trim() == number && !number.chars().any(char::is_control);
    if is_plain && number.chars().count() <= LONGEST_NUMBER {
        return Ok(());
    }
    Err(Error::InvalidValue(format!(
        "accountNumber '{}' cannot be a number: at most {LONGEST_NUMBER} characters, no space at its ends and no control character.",
        excerpt(number)
    )))
}

/// Membership of a user in one account.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Membership {
    account: String,
    role: String,
    primary: bool,
}

/// What a membership is to be; what is left out stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// The role, by its value or another name of it.
    pub role: Option<String>,
    /// Whether it is the primary one.
    pub primary: Option<bool>,
}

/// A user's document after a change of its memberships, and what is recorded of it.
pub type Changed = (Doc, Vec<Entry>);

/// The role that a user has in an account; none where the user does not belong to it.
pub fn role_in(user: &Doc, account: &str) -> Option<String> {
    let found = memberships(user).into_iter().find(|membership| membership.account == account);
    found.map(|membership| membership.role)
}

/// The ids of the accounts that a user belongs to.
pub fn of(user: &Doc) -> Vec<String> {
    memberships(user).into_iter().map(|membership| membership.account).collect()
}

/// The values of the roles that a user has in accounts.
pub fn roles(user: &Doc) -> Vec<String> {
    memberships(user).into_iter().map(|membership| membership.role).collect()
}

/// The memberships in a document, as it keeps or shows them.
pub fn about_memberships(user: &Doc) -> &[Value] {
    about(user, MEMBERSHIPS).and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
}

/// The user's document with one more account. The first one is the primary one in any case.
pub fn join(user: &Doc, account: &str, role: &Role, primary: bool) -> Result<Changed, Error> {
    let mut all = memberships(user);
    if all.len() >= MOST {
        return Err(Error::InvalidValue(format!(
            "A user belongs to {MOST} accounts at most; take one away first."
        )));
    }
    all.push(Membership { account: account.to_owned(), role: role.value.clone(), primary: false });
    if primary {
        make_primary(&mut all, account);
    }
    Ok(written(user, account, all))
}

/// The user's document with another role in an account, or with that account as the primary one.
pub fn change(
    user: &Doc,
    account: &str,
    role: Option<&Role>,
    primary: Option<bool>,
) -> Result<Changed, Error> {
    let mut all = memberships(user);
    let found = all.iter_mut().find(|membership| membership.account == account);
    if let Some(membership) = found {
        if primary == Some(false) && membership.primary {
            return Err(Error::InvalidValue(
                "One account is always the primary one. Make another one primary instead."
                    .to_owned(),
            ));
        }
        if let Some(role) = role {
            membership.role.clone_from(&role.value);
        }
    }
    if primary == Some(true) {
        make_primary(&mut all, account);
    }
    Ok(written(user, account, all))
}

/// The user's document without an account. Where it was the primary one, the one that was joined first
/// of those that are left is from then on.
pub fn leave(user: &Doc, account: &str) -> Changed {
    let mut all = memberships(user);
    all.retain(|membership| membership.account != account);
    written(user, account, all)
}

/// The role of this name.
pub fn role_of(catalogue: &Catalogue, name: &str) -> Result<Role, Error> {
    catalogue.role(name).ok_or_else(|| {
        Error::InvalidValue(format!(
            "Unknown role '{}'. Valid roles: {}.",
            excerpt(name),
            catalogue.role_values()
        ))
    })
}

/// Why somebody of these scopes may not give this role; none where they may.
pub fn refusal(giver: &Scopes, role: &Role) -> Option<String> {
    let opened = role::opens(role);
    (!opened.iter().all(|scope| giver.allow(*scope))).then(|| {
        let names: Vec<&str> = opened.iter().map(|scope| scope.name()).collect();
        format!(
            "The role '{}' holds more than this token: it opens {}. Nobody gives more than they hold.",
            role.value,
            names.join(", ")
        )
    })
}

/// Marks the memberships of a user by where the person is: whoever is suspended is so in every account.
/// Otherwise it is the account that says.
pub fn mark(about: &mut Map<String, Value>) {
    let suspended = about.get("lifecycle").and_then(Value::as_str) == Some("suspended");
    let Some(Value::Array(list)) = about.get_mut(MEMBERSHIPS) else { return };
    for element in list.iter_mut().filter_map(Value::as_object_mut) {
        set(element, "status", suspended.then(|| "suspended".into()));
    }
}

fn memberships(user: &Doc) -> Vec<Membership> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let read = |element: &Value| Membership {
        account: text(&element["value"]),
        role: text(&element["role"]),
        primary: element["primary"] == Value::Bool(true),
    };
    about_memberships(user).iter().map(read).collect()
}

fn make_primary(all: &mut [Membership], account: &str) {
    for membership in all {
        membership.primary = membership.account == account;
    }
}

/// The document with these memberships, and what is recorded of the one in this account.
fn written(user: &Doc, account: &str, mut all: Vec<Membership>) -> Changed {
    if !all.iter().any(|membership| membership.primary) {
        all.iter_mut().take(1).for_each(|first| first.primary = true);
    }
    let before = memberships(user);
    let of = |all: &[Membership]| all.iter().find(|found| found.account == account).cloned();
    let entries = entries(account, of(&before).as_ref(), of(&all).as_ref());
    let mut doc = user.clone();
    let list: Vec<Value> = all.iter().map(element).collect();
    let about = about_mut(&mut doc);
    set(about, MEMBERSHIPS, (!list.is_empty()).then_some(list.into()));
    mark(about);
    (doc, entries)
}

fn element(membership: &Membership) -> Value {
    let Membership { account, role, primary } = membership;
    json!({ "value": account, "role": role, "primary": primary })
}

/// What is recorded: that the user was changed, and the role in the account where that is another one.
fn entries(account: &str, before: Option<&Membership>, after: Option<&Membership>) -> Vec<Entry> {
    let role = |membership: Option<&Membership>| membership.map(|found| found.role.clone());
    let primary = after.is_some_and(|found| found.primary);
    let detail = json!({ "account": account, "member": after.is_some(), "primary": primary });
    let mut entries = vec![Entry { detail, ..record::plain("user.updated") }];
    if role(before) != role(after) {
        let detail = json!({ "account": account, "before": role(before), "after": role(after) });
        entries.push(Entry { detail, ..record::plain("role.changed") });
    }
    entries
}

#[cfg(test)]
mod tests;
