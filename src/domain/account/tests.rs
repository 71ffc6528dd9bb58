use serde_json::json;

use super::*;
use crate::domain::facts::{Facts, Lifecycle};
use crate::scim::quirks::Quirks;
use crate::scim::resource_type::Registry;

fn account(before: &Doc, changes: Value) -> Result<Doc, Error> {
    let registry = Registry::standard();
    changed(registry.by_name("Account").unwrap(), before, changes, Rules::of(Quirks::ALL))
}

fn role_named(name: &str) -> Role {
    role_of(&Catalogue::default(), name).unwrap()
}

/// The memberships of a user, the primary one with a star.
fn shown(user: &Doc) -> String {
    let shown = |found: Membership| {
        let star = if found.primary { "*" } else { "" };
        format!("{}:{}{star}", found.account, found.role)
    };
    memberships(user).into_iter().map(shown).collect::<Vec<_>>().join(" ")
}

fn names(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.name).collect()
}

#[test]
fn an_account_has_a_number_and_is_active_unless_somebody_says_otherwise() {
    let made = account(&Doc::new(), json!({ "accountNumber": "A", "displayName": "North" }));
    let made = made.unwrap();
    assert_eq!((&made["status"], &made["displayName"]), (&json!("active"), &json!("North")));
    let off = account(&made, json!({ "status": "SUSPENDED", "displayName": null })).unwrap();
    assert_eq!((&off["status"], off.get("displayName")), (&json!("suspended"), None));
    assert_eq!(account(&off, json!({})).unwrap(), off);
    for wrong in
        [json!({ "accountNumber": "" }), json!({ "status": "closed" }), json!({ "id": "1" })]
    {
        assert!(account(&made, wrong.clone()).is_err(), "{wrong}");
    }
    assert!(account(&Doc::new(), json!({ "displayName": "North" })).is_err());
}

#[test]
fn one_membership_is_primary_as_long_as_there_is_any() {
    let (user, _) = join(&Doc::new(), "a", &role_named("agent"), false).unwrap();
    assert_eq!(shown(&user), "a:agent*");
    let (user, entries) = join(&user, "b", &role_named("Tech"), true).unwrap();
    assert_eq!(
        (shown(&user).as_str(), names(&entries)),
        ("a:agent b:tech*", vec!["user.updated", "role.changed"])
    );
    let (user, _) = join(&user, "c", &role_named("agent"), false).unwrap();
    let (less, _) = leave(&user, "b");
    assert_eq!(shown(&less), "a:agent* c:agent");
    let (same, _) = leave(&user, "a");
    assert_eq!(shown(&same), "b:tech* c:agent");
    let (moved, entries) = change(&user, "c", None, Some(true)).unwrap();
    assert_eq!(
        (shown(&moved).as_str(), names(&entries)),
        ("a:agent b:tech c:agent*", vec!["user.updated"])
    );
    assert!(change(&moved, "c", None, Some(false)).is_err());
    assert_eq!(change(&moved, "a", None, Some(false)).unwrap().0, moved);
    let (none, entries) = leave(&leave(&less, "a").0, "c");
    assert_eq!(shown(&none), "");
    assert_eq!(entries[1].detail, json!({ "account": "c", "before": "agent", "after": null }));
}

#[test]
fn whoever_is_suspended_is_so_in_every_account() {
    let status = |user: &Doc| about_memberships(user)[0].get("status").cloned();
    let (mut user, _) = join(&Doc::new(), "a", &role_named("agent"), false).unwrap();
    assert_eq!(status(&user), None);
    for (lifecycle, marked) in [
        (Lifecycle::Suspended, Some(json!("suspended"))),
        (Lifecycle::Waiting, None),
        (Lifecycle::Suspended, Some(json!("suspended"))),
        (Lifecycle::Active, None),
    ] {
        Facts { lifecycle, ..Facts::default() }.put(&mut user);
        assert_eq!(status(&user), marked);
        let (joined, _) = join(&user, "b", &role_named("agent"), false).unwrap();
        assert_eq!(about_memberships(&joined)[1].get("status").cloned(), marked);
    }
}

#[test]
fn nobody_gives_a_role_that_opens_what_they_do_not_hold() {
    let may = |scopes: &str, name: &str| {
        refusal(&Scopes::from_stored(scopes).unwrap(), &role_named(name)).is_none()
    };
    assert!(may("roles:assign", "standard") && may("roles:assign", "conference"));
    assert!(
        may("scim roles:assign", "supervisor") && !may("users:read roles:assign", "supervisor")
    );
    assert!(!may("scim roles:assign", "tech") && !may("scim roles:assign", "account_admin"));
    assert!(may("admin", "account_admin") && may("admin", "whitelabel"));
    let said = refusal(&Scopes::from_stored("users:read").unwrap(), &role_named("tech")).unwrap();
    assert!(said.contains("agents:write") && said.contains("'tech'"), "{said}");
}
