use serde_json::json;

use super::*;
use crate::domain::pool::Pool;

const SEATED: &str = urn::SEAT;

fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::default();
    let pool = |value: &str, roles: &[&str]| Pool {
        value: value.into(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ..Pool::default()
    };
    catalogue.pools.push(Pool { exempt_roles: vec!["tech".into()], ..pool("techs", &["tech"]) });
    catalogue.pools.push(pool("agents", &["agent"]));
    catalogue.pools.push(Pool { counts_agents: true, ..pool("phones", &[]) });
    catalogue
}

fn doc(value: &Value) -> Doc {
    value.as_object().unwrap().clone()
}

fn judged(before: Option<&Doc>, wanted: &Doc, mappings: &[Mapping]) -> Result<Judged, Error> {
    let (settings, catalogue) = (TenantSettings::default(), catalogue());
    let law = Law {
        settings: &settings,
        catalogue: &catalogue,
        assigns_roles: false,
        origin: "scim",
        now: Micros(1),
    };
    law.judge(before, wanted, mappings)
}

fn need(wanted: &Value) -> Need {
    judged(None, &doc(wanted), &[]).unwrap().need
}

fn seat(pool: &str) -> Need {
    Need::Seat { pool: pool.into(), hold: Hold::Consumed }
}

#[test]
fn the_seat_type_decides_then_the_primary_role_then_the_default_pool() {
    assert_eq!(need(&json!({ "active": true })), seat("default"));
    assert_eq!(need(&json!({ "active": true, "roles": [{ "value": "Agent" }] })), seat("agents"));
    let typed = json!({
        "active": true, "roles": [{ "value": "agent" }], SEATED: { "seatType": "Default" },
    });
    assert_eq!(need(&typed), seat("default"));
    let entitled =
        json!({ "active": true, "entitlements": [{ "value": "agents", "type": "License" }] });
    assert_eq!(need(&entitled), seat("agents"));
    let other =
        json!({ "active": true, "entitlements": [{ "value": "agents", "type": "Feature" }] });
    assert_eq!(need(&other), seat("default"));
}

#[test]
fn some_need_no_seat() {
    let off = Need::Nothing(Some(Reason::Suspended));
    assert_eq!(need(&json!({ "active": false })), off);
    assert_eq!(need(&json!({})), off);
    let entry = json!({ "active": true, urn::CONTACT_CENTER: { "webLogin": false } });
    assert_eq!(need(&entry), Need::Nothing(None));
    let phone = json!({
        "active": true, urn::CONTACT_CENTER: { "webLogin": false }, SEATED: { "seatType": "phones" },
    });
    let reserved = Need::Seat { pool: "phones".into(), hold: Hold::Reserved };
    assert_eq!(need(&phone), reserved);
    let none = json!({ "active": true, SEATED: { "seatType": "none" } });
    assert_eq!(need(&none), Need::Nothing(None));
    let tech = json!({ "active": true, "roles": [{ "value": "tech" }] });
    assert_eq!(need(&tech), Need::Spared { by_role: true });
}

#[test]
fn groups_give_roles_and_seats() {
    let map = |role: Option<&str>, seat_type: Option<&str>, priority| Mapping {
        group: format!("g{priority}"),
        role: role.map(str::to_owned),
        seat_type: seat_type.map(str::to_owned),
        priority,
        ..Mapping::default()
    };
    let wanted = doc(&json!({ "active": true }));
    let of = |mappings: &[Mapping]| judged(None, &wanted, mappings).unwrap().need;
    assert_eq!(of(&[map(Some("agent"), None, 1)]), seat("agents"));
    assert_eq!(of(&[map(None, Some("agents"), 2), map(None, Some("default"), 1)]), seat("default"));
}

#[test]
fn of_two_wishes_the_changed_one_counts_and_two_changed_ones_must_agree() {
    let with = |typed: &str, entitled: &str| {
        doc(&json!({
            "active": true, "entitlements": [{ "value": entitled }], SEATED: { "seatType": typed },
        }))
    };
    let need =
        |before: &Doc, wanted: &Doc| judged(Some(before), wanted, &[]).map(|found| found.need);
    let before = with("default", "default");
    assert_eq!(need(&before, &with("agents", "default")).unwrap(), seat("agents"));
    assert_eq!(need(&before, &with("default", "agents")).unwrap(), seat("agents"));
    assert_eq!(need(&before, &with("agents", "agents")).unwrap(), seat("agents"));
    let refusal = need(&before, &with("agents", "phones")).unwrap_err().to_string();
    assert!(refusal.contains("two seats"), "{refusal}");
    // What counted the last time still does when neither changes.
    let mut settled = with("default", "agents");
    let held = Seat { held: Some(("agents".into(), Hold::Consumed)), ..Seat::default() };
    Facts { seat: held, ..Facts::fresh("scim") }.put(&mut settled);
    let mut renamed = settled.clone();
    renamed.insert("title".into(), "x".into());
    assert_eq!(need(&settled, &renamed).unwrap(), seat("agents"));
}

#[test]
fn an_unknown_seat_type_is_refused_with_the_valid_ones() {
    let wanted = doc(&json!({ "active": true, SEATED: { "seatType": "gold" } }));
    let refusal = judged(None, &wanted, &[]).unwrap_err().to_string();
    assert_eq!(
        refusal,
        "Unknown seatType 'gold'. Valid ones: default, techs, agents, phones, none."
    );
    // A pool that was removed later hinders no other change.
    assert!(judged(Some(&wanted), &wanted, &[]).is_ok());
}

#[test]
fn nobody_changes_how_an_administrator_signs_in_but_administrators() {
    let (settings, catalogue) = (TenantSettings::default(), catalogue());
    let law = |assigns_roles| Law {
        settings: &settings,
        catalogue: &catalogue,
        assigns_roles,
        origin: "scim",
        now: Micros(1),
    };
    let mut boss =
        doc(&json!({ "active": true, "userName": "boss", "roles": [{ "value": "admin" }] }));
    let facts = law(true).judge(None, &boss, &[]).unwrap().facts;
    facts.put(&mut boss);
    let with = |change: fn(&mut Doc)| {
        let mut wanted = boss.clone();
        change(&mut wanted);
        wanted
    };
    let attempts: [fn(&mut Doc); 4] = [
        |doc| drop(doc.insert("userName".into(), "mine".into())),
        |doc| drop(doc.insert("emails".into(), json!([{ "value": "me@x.test" }]))),
        |doc| drop(doc.insert("phoneNumbers".into(), json!([{ "value": "+4930123456" }]))),
        |doc| doc[urn::CONTACT_CENTER]["loginPhone"] = "+4930123456".into(),
    ];
    for attempt in attempts {
        let wanted = with(attempt);
        assert_eq!(law(false).protect(&boss, &wanted, false), Err(Protected), "{wanted:?}");
        assert_eq!(law(true).protect(&boss, &wanted, false), Ok(()));
    }
    assert_eq!(law(false).protect(&boss, &boss, true), Err(Protected));
    let off = with(|doc| drop(doc.insert("active".into(), false.into())));
    assert_eq!(law(false).protect(&boss, &off, false), Ok(()));
}

#[test]
fn what_contradicts_itself_about_signing_in_is_refused() {
    let checked = |about: &Value| check(&doc(&json!({ urn::CONTACT_CENTER: about }))).is_ok();
    assert!(checked(&json!({ "ipAccess": "selected", "allowedIps": ["192.0.2.0/24"] })));
    assert!(!checked(&json!({ "ipAccess": "selected" })));
    assert!(!checked(&json!({ "allowedIps": ["0.0.0.0/0"] })));
    assert!(!checked(&json!({ "allowedIps": ["::/0"] })));
    assert!(checked(&json!({ "ipAccess": "all", "allowedIps": ["0.0.0.0/0"] })));
    let many: Vec<String> =
        (0..=MOST_NETWORKS).map(|n| format!("10.0.{}.{}", n / 250, n % 250)).collect();
    assert!(!checked(&json!({ "allowedIps": many })));
}
