//! Where a user's roles come from: the attribute, groups, the default; and who may give which.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::domain::catalogue::{Catalogue, Role, WHITELABEL};
use crate::domain::facts::{Effective, Source};
use crate::domain::scope::{Scope, Scopes};
use crate::domain::tenant::{Authority, TenantSettings};
use crate::scim::path::excerpt;
use crate::scim::{Doc, Error};

/// What direct membership of a group means.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mapping {
    /// The group's id.
    pub group: String,
    /// The value of the role that members get.
    pub role: Option<String>,
    /// The value of the pool from which they get their seats.
    pub seat_type: Option<String>,
    /// Which one counts where several disagree: the lowest number.
    pub priority: i64,
    /// The id of the department that the call agents of members have.
    pub department: Option<String>,
    /// The id of the group of agents that they belong to.
    pub agent_group: Option<String>,
}

impl Mapping {
    /// Whether membership means anything.
    pub fn is_any(&self) -> bool {
        let all = [&self.role, &self.seat_type, &self.department, &self.agent_group];
        all.into_iter().any(Option::is_some)
    }
}

/// The values of a list such as `roles` or `entitlements`, the primary one first.
pub fn values<'d>(doc: &'d Doc, attribute: &str) -> Vec<&'d str> {
    let elements = doc.get(attribute).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let (first, rest): (Vec<&Value>, Vec<&Value>) =
        elements.iter().partition(|element| element["primary"] == Value::Bool(true));
    first.into_iter().chain(rest).filter_map(|element| element["value"].as_str()).collect()
}

/// The roles in force, the primary one first (product rule: attribute, then groups, then the default).
pub fn effective(
    settings: &TenantSettings,
    catalogue: &Catalogue,
    doc: &Doc,
    mappings: &[Mapping],
) -> Vec<Effective> {
    let known = |text: &str, source| catalogue.role(text).map(|role| in_force(role, source));
    let attribute = || -> Vec<Effective> {
        let named = values(doc, "roles").into_iter();
        named.filter_map(|text| known(text, Source::Attribute)).collect()
    };
    let groups = || -> Vec<Effective> {
        let mut sorted: Vec<&Mapping> = mappings.iter().collect();
        sorted.sort_by_key(|mapping| (mapping.priority, &mapping.group));
        let named = sorted.into_iter().filter_map(|mapping| mapping.role.as_deref());
        named.filter_map(|text| known(text, Source::Group)).collect()
    };
    let mut found = match settings.role_authority {
        Authority::Groups => groups(),
        Authority::Union => attribute().into_iter().chain(groups()).collect(),
        Authority::Attribute => {
            let named = attribute();
            if named.is_empty() { groups() } else { named }
        }
    };
    if found.is_empty() {
        found.extend(known(&settings.role_default, Source::Default));
    }
    let mut seen: Vec<String> = Vec::new();
    found.retain(|role| {
        let new = !seen.contains(&role.value);
        seen.push(role.value.clone());
        new
    });
    found
}

fn in_force(role: Role, source: Source) -> Effective {
    Effective { value: role.value, display: role.display, source }
}

/// Refuses roles that nobody knows and that this client may not give; what the user had already may be
/// said again. `assigns` is whether the token may give administrative roles.
pub fn check(
    settings: &TenantSettings,
    catalogue: &Catalogue,
    before: Option<&Doc>,
    wanted: &Doc,
    assigns: bool,
) -> Result<(), Error> {
    let had: Vec<&str> = before.map(|before| values(before, "roles")).unwrap_or_default();
    for text in values(wanted, "roles") {
        if had.contains(&text) {
            continue;
        }
        match catalogue.role(text) {
            None if settings.reject_unknown_roles => {
                return Err(Error::InvalidValue(format!(
                    "Unknown role '{}'. Valid roles: {}.",
                    excerpt(text),
                    assignable(settings, catalogue).join(", ")
                )));
            }
            None => {}
            // What was given under another name of the same role.
            Some(role) if had.iter().any(|had| is_role(catalogue, had, &role)) => {}
            Some(role) => check_gain(settings, &role, assigns)?,
        }
    }
    Ok(())
}

fn is_role(catalogue: &Catalogue, text: &str, role: &Role) -> bool {
    catalogue.role(text).is_some_and(|found| found.value == role.value)
}

/// Refuses a role that this client may not give, be it by an attribute or by a group.
pub fn check_gain(settings: &TenantSettings, role: &Role, assigns: bool) -> Result<(), Error> {
    if may_give(settings, role, assigns) {
        return Ok(());
    }
    Err(Error::InvalidValue(format!("Role '{}' cannot be assigned by SCIM.", role.value)))
}

fn may_give(settings: &TenantSettings, role: &Role, assigns: bool) -> bool {
    assigns
        || match &settings.role_assignable {
            Some(listed) => role.value != WHITELABEL && listed.contains(&role.value),
            None => !role.administrative,
        }
}

/// The roles that clients may give, in the order of the catalogue.
pub fn assignable(settings: &TenantSettings, catalogue: &Catalogue) -> Vec<String> {
    let listed = catalogue.listed().into_iter().map(|listed| listed.role);
    listed.filter(|role| may_give(settings, role, false)).map(|role| role.value).collect()
}

/// The scopes that a role opens to whoever has it. Roles of the tenant's own open nothing of Usher's
/// unless they are administrative.
pub fn opens(role: &Role) -> Vec<Scope> {
    match role.value.as_str() {
        WHITELABEL => vec![Scope::Admin],
        "tech" => vec![
            Scope::UsersRead,
            Scope::AgentsWrite,
            Scope::SeatsRead,
            Scope::SessionsRevoke,
            Scope::LogRead,
        ],
        "supervisor" => vec![Scope::UsersRead, Scope::SeatsRead],
        _ if role.administrative => {
            Scope::ALL.into_iter().filter(|scope| *scope != Scope::Admin).collect()
        }
        _ => Vec::new(),
    }
}

/// The scopes of a person who has these roles: what the roles open, and never what reaches beyond the
/// tenant, which no role does.
pub fn scopes_of(catalogue: &Catalogue, roles: &[Effective]) -> Scopes {
    let known = roles.iter().filter_map(|role| catalogue.role(&role.value));
    let mut opened: Vec<Scope> = Vec::new();
    for role in known {
        let all = || Scope::ALL.into_iter().filter(|scope| *scope != Scope::Admin).collect();
        let scopes = if role.value == WHITELABEL { all() } else { opens(&role) };
        opened.extend(scopes);
    }
    let all: Vec<Scope> = Scope::ALL.into_iter().filter(|scope| opened.contains(scope)).collect();
    Scopes::exactly(&all)
}

/// The longest pattern, and the most memory, in bytes, that it may take.
const LARGEST: (usize, usize) = (500, 1 << 20);

/// The pattern of a name rule; none where it is none or has no group named `role`.
pub fn name_rule(pattern: &str) -> Option<Regex> {
    if pattern.len() > LARGEST.0 {
        return None;
    }
    let rule = RegexBuilder::new(pattern).size_limit(LARGEST.1).build().ok()?;
    rule.capture_names().flatten().any(|name| name == "role").then_some(rule)
}

/// The role that the name of a new group stands for: one that clients may give, and no other.
pub fn by_name(settings: &TenantSettings, catalogue: &Catalogue, name: &str) -> Option<Role> {
    let pattern = name_rule(settings.name_rule.as_deref()?)?;
    let found = pattern.captures(name)?.name("role")?;
    let role = catalogue.role(found.as_str())?;
    may_give(settings, &role, false).then_some(role)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn doc(roles: &Value) -> Doc {
        json!({ "roles": roles }).as_object().unwrap().clone()
    }

    fn settings(key: &str, value: &str) -> TenantSettings {
        let mut settings = TenantSettings::default();
        settings.set(key, value).unwrap();
        settings
    }

    fn shown(settings: &TenantSettings, doc: &Doc, mappings: &[Mapping]) -> String {
        let roles = effective(settings, &Catalogue::default(), doc, mappings);
        let shown: Vec<_> =
            roles.iter().map(|role| format!("{}:{}", role.value, role.source.name())).collect();
        shown.join(" ")
    }

    #[test]
    fn the_attribute_decides_then_groups_then_the_default() {
        let map = |role: &str, priority| Mapping {
            group: role.into(),
            role: Some(role.into()),
            priority,
            ..Mapping::default()
        };
        let groups = [map("tech", 2), map("supervisor", 1)];
        let both = doc(&json!([{ "value": "Call Agent" }, { "value": "tech", "primary": true }]));
        let none = doc(&json!([]));
        let plain = TenantSettings::default();
        assert_eq!(shown(&plain, &both, &groups), "tech:attribute agent:attribute");
        assert_eq!(shown(&plain, &none, &groups), "supervisor:group tech:group");
        assert_eq!(shown(&plain, &none, &[]), "standard:default");
        let union = settings("roles.authority", "union");
        assert_eq!(
            shown(&union, &both, &groups),
            "tech:attribute agent:attribute supervisor:group"
        );
        let only = settings("roles.authority", "groups");
        assert_eq!(shown(&only, &both, &groups), "supervisor:group tech:group");
        assert_eq!(shown(&only, &both, &[]), "standard:default");
    }

    #[test]
    fn a_person_holds_what_the_table_gives_to_their_roles_and_nothing_without_one() {
        let scopes = |values: &[&str]| {
            let roles: Vec<Effective> = values
                .iter()
                .map(|value| Effective {
                    value: (*value).to_owned(),
                    display: String::new(),
                    source: Source::Attribute,
                })
                .collect();
            scopes_of(&Catalogue::default(), &roles).to_string()
        };
        let all = "users:read users:write groups:map roles:assign agents:write seats:read \
                   seats:write sessions:revoke log:read events:read tokens:write settings:write";
        for (values, expected) in [
            (&[][..], ""),
            (&["standard", "agent", "conference", "unknown"], ""),
            (&["supervisor"], "users:read seats:read"),
            (&["tech"], "users:read agents:write seats:read sessions:revoke log:read"),
            (
                &["supervisor", "tech"],
                "users:read agents:write seats:read sessions:revoke log:read",
            ),
            (&["account_admin"], all),
            (&["whitelabel"], all),
        ] {
            assert_eq!(scopes(values), expected, "{values:?}");
        }
    }

    #[test]
    fn the_name_of_a_group_stands_for_a_role_that_clients_may_give() {
        let settings = settings("groups.nameRule", "^CC-(?<role>.+)$");
        let named = |name| by_name(&settings, &Catalogue::default(), name).map(|role| role.value);
        assert_eq!(named("CC-Call Agent").as_deref(), Some("agent"));
        for none in ["CC-Admin", "CC-Whitelabel", "CC-king", "Agents", "xCC-Agent"] {
            assert_eq!(named(none), None, "{none}");
        }
        for wrong in ["(", "^CC-(.+)$", &"a".repeat(501), "(?<role>a{1000}{1000})"] {
            assert!(name_rule(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn no_setting_lets_clients_give_the_role_of_the_whole_whitelabel() {
        let listed = Some(vec![WHITELABEL.to_owned(), "account_admin".to_owned()]);
        let mut settings = TenantSettings::default();
        settings.role_assignable = listed;
        let given = |role: &str, assigns| {
            let wanted = doc(&json!([{ "value": role }]));
            check(&settings, &Catalogue::default(), None, &wanted, assigns).is_ok()
        };
        assert!(given("account_admin", false), "an administrator has allowed it");
        assert!(!given(WHITELABEL, false));
        assert!(given(WHITELABEL, true));
    }

    #[test]
    fn unknown_roles_are_refused_with_the_valid_ones_or_ignored() {
        let wanted = doc(&json!([{ "value": "king" }]));
        let catalogue = Catalogue::default();
        let check = |settings: &TenantSettings, before: Option<&Doc>| {
            check(settings, &catalogue, before, &wanted, false)
        };
        let refusal = check(&TenantSettings::default(), None).unwrap_err().to_string();
        assert_eq!(
            refusal,
            "Unknown role 'king'. Valid roles: tech, supervisor, agent, conference, standard."
        );
        assert!(check(&TenantSettings::default(), Some(&wanted)).is_ok(), "it was there before");
        assert!(check(&settings("roles.unknown", "ignore"), None).is_ok());
    }

    #[test]
    fn what_clients_may_not_give_is_refused_in_every_form() {
        let catalogue = Catalogue::default();
        for text in ["account_admin", "Admin", "Account Administrator", "whitelabel"] {
            let wanted = doc(&json!([{ "value": text }]));
            let check = |settings: &TenantSettings, assigns| {
                check(settings, &catalogue, None, &wanted, assigns)
            };
            let refusal = check(&TenantSettings::default(), false).unwrap_err().to_string();
            assert!(refusal.ends_with("cannot be assigned by SCIM."), "{refusal}");
            assert!(check(&TenantSettings::default(), true).is_ok());
            let listed = settings("roles.assignable", "agent,account_admin");
            assert_eq!(check(&listed, false).is_ok(), text != "whitelabel", "{text}");
        }
    }
}
