//! What a tenant offers: its roles and its pools of seats.

use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::domain::facts::{Facts, Lifecycle};
use crate::domain::pool::{self, Pool};

/// The tenant-wide administrator, given by administrators alone.
pub const WHITELABEL: &str = "whitelabel";
/// Whoever administers the tenant.
pub const ADMINISTRATOR: &str = "account_admin";

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Role {
    /// Lower snake case.
    pub value: String,
    /// The name for people.
    pub display: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether whoever has it administers the tenant.
    pub administrative: bool,
    /// When it was made, for those that the tenant made.
    pub created: i64,
    /// When it was changed.
    pub modified: i64,
    /// How often it was changed.
    pub version: i64,
}

/// Roles that every tenant has: value, name, other names, whether it is administrative, purpose.
const SYSTEM: &[(&str, &str, &[&str], bool, &str)] = &[
    (
        ADMINISTRATOR,
        "Account Administrator",
        &["admin", "administrator", "account admin"],
        true,
        "Administers the tenant: users, groups, seats, settings.",
    ),
    (
        WHITELABEL,
        "Whitelabel",
        &[],
        true,
        "Administers the whole whitelabel; given by administrators alone.",
    ),
    ("tech", "Tech", &[], false, "Looks after call agents, departments and extensions."),
    ("supervisor", "Supervisor", &[], false, "Sees reports and call history."),
    ("agent", "Call Agent", &["call_agent"], false, "Takes and makes calls."),
    ("conference", "Conference", &[], false, "Holds conferences."),
    ("standard", "Standard User", &["standard_user", "user"], false, "Uses the product."),
];

/// Another name of a role, as an identity provider sends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleName {
    /// It, as it was given; compared as every name of a role is.
    pub name: String,
    /// The value of the role.
    pub role: String,
}

/// A role and whether it came with Usher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The role.
    pub role: Role,
    /// Whether it came with Usher.
    pub system: bool,
}

/// What a tenant offers, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Catalogue {
    /// Its pools.
    pub pools: Vec<Pool>,
    /// Roles of its own.
    pub roles: Vec<Role>,
    /// Other names of roles.
    pub names: Vec<RoleName>,
    /// Whether membership of any group means anything.
    pub maps_groups: bool,
    /// Whether anybody was invited by others than clients: a client may then create who is invited.
    pub invites: bool,
    /// Whether anybody ever signed in: only then there are sessions to end.
    pub signs_in: bool,
}

impl Default for Catalogue {
    fn default() -> Self {
        Self::of_new_tenant(None, Micros(0))
    }
}

impl Catalogue {
    fn empty() -> Self {
        Self {
            pools: Vec::new(),
            roles: Vec::new(),
            names: Vec::new(),
            maps_groups: false,
            invites: false,
            signs_in: false,
        }
    }

    /// What a new tenant offers: one pool of so many seats.
    pub fn of_new_tenant(seats: Option<i64>, now: Micros) -> Self {
        let pools = vec![Pool::first(seats, now)];
        Self { pools, ..Self::empty() }
    }

    /// The pool of this value, compared without case.
    pub fn pool(&self, value: &str) -> Option<&Pool> {
        self.pools.iter().find(|pool| pool.value.eq_ignore_ascii_case(value.trim()))
    }

    /// The pool of a role: the one that names it, else the default one.
    pub fn pool_of(&self, role: Option<&str>) -> Option<&Pool> {
        let names = |pool: &&Pool| {
            role.is_some_and(|role| pool.roles.iter().any(|named| named.eq_ignore_ascii_case(role)))
        };
        self.pools
            .iter()
            .find(names)
            .or_else(|| self.pool(pool::DEFAULT))
            .or_else(|| self.pools.iter().find(|pool| pool.roles.is_empty()))
            .or_else(|| self.pools.first())
    }

    /// The values of all pools, for error sentences.
    pub fn pool_values(&self) -> String {
        let values: Vec<&str> = self.pools.iter().map(|pool| pool.value.as_str()).collect();
        values.join(", ")
    }

    /// Every role, those that came with Usher first.
    pub fn listed(&self) -> Vec<Listed> {
        let system = SYSTEM.iter().map(|row| Listed { role: system_role(row), system: true });
        let own = self.roles.iter().map(|role| Listed { role: role.clone(), system: false });
        system.chain(own).collect()
    }

    /// The role of this value, name or other name, compared without case and without a difference
    /// between spaces, hyphens and underscores.
    pub fn role(&self, text: &str) -> Option<Role> {
        let renamed = || {
            let wanted = plain(text);
            let found = self.names.iter().find(|named| plain(&named.name) == wanted)?;
            self.role_itself(&found.role)
        };
        self.role_itself(text).or_else(renamed)
    }

    /// The same, without the names that the tenant has given.
    fn role_itself(&self, text: &str) -> Option<Role> {
        let wanted = plain(text);
        let is = |name: &str| plain(name) == wanted;
        let own = self.roles.iter().find(|role| is(&role.value) || is(&role.display));
        let system = || {
            SYSTEM
                .iter()
                .find(|(value, name, others, ..)| {
                    is(value) || is(name) || others.iter().any(|other| is(other))
                })
                .map(system_role)
        };
        own.cloned().or_else(system)
    }

    /// Gives a role another name, or takes the name away where there is no role.
    pub fn name_role(&mut self, name: &str, role: Option<&str>) -> Result<(), String> {
        let before = self.names.len();
        self.names.retain(|named| plain(&named.name) != plain(name));
        let Some(role) = role else {
            let was_one = self.names.len() < before;
            return was_one.then_some(()).ok_or_else(|| format!("'{name}' is no name of a role."));
        };
        let known = self.role_itself(role).ok_or_else(|| self.unknown_role(role))?;
        self.names.push(RoleName { name: name.trim().to_owned(), role: known.value });
        Ok(())
    }

    /// The names that the tenant has given to a role.
    pub fn names_of(&self, role: &str) -> Vec<&str> {
        let names = self.names.iter().filter(|named| named.role == role);
        names.map(|named| named.name.as_str()).collect()
    }

    /// Takes a role of the tenant's own away, with its other names.
    pub fn end_role(&mut self, value: &str) -> Result<(), String> {
        let before = self.roles.len();
        self.roles.retain(|role| role.value != value);
        if self.roles.len() == before {
            return Err(format!("'{value}' is no role of the tenant's own."));
        }
        self.names.retain(|named| named.role != value);
        Ok(())
    }

    fn unknown_role(&self, role: &str) -> String {
        format!("Unknown role '{role}'. Valid roles: {}.", self.role_values())
    }

    /// The values of the roles that administer the tenant.
    pub fn administrative(&self) -> Vec<String> {
        let listed = self.listed().into_iter().map(|listed| listed.role);
        listed.filter(|role| role.administrative).map(|role| role.value).collect()
    }

    /// Whether somebody with these facts can sign in and administer the tenant.
    pub fn administers(&self, facts: &Facts) -> bool {
        let administrative = |value: &str| self.role(value).is_some_and(|role| role.administrative);
        facts.lifecycle == Lifecycle::Active
            && facts.roles.iter().any(|role| administrative(&role.value))
    }

    /// The values of all roles that clients may be told of, for error sentences.
    pub fn role_values(&self) -> String {
        let values: Vec<String> =
            self.listed().into_iter().map(|listed| listed.role.value).collect();
        values.join(", ")
    }

    /// Refuses what contradicts itself, with what is wrong.
    pub fn check(&self) -> Result<(), String> {
        for (at, pool) in self.pools.iter().enumerate() {
            pool.check()?;
            if self.pools[..at].iter().any(|other| other.value == pool.value) {
                return Err(format!("There is a pool '{}' already.", pool.value));
            }
            for role in pool.roles.iter().chain(&pool.exempt_roles) {
                if self.role(role).is_none_or(|found| found.value != *role) {
                    return Err(self.unknown_role(role));
                }
            }
            let claims = |other: &Pool| pool.roles.iter().find(|role| other.roles.contains(role));
            if let Some(role) = self.pools[..at].iter().find_map(claims) {
                return Err(format!("Role '{role}' takes its seats from another pool already."));
            }
        }
        if self.pool(pool::DEFAULT).is_none() {
            return Err("The pool 'default' cannot be removed.".to_owned());
        }
        for (at, role) in self.roles.iter().enumerate() {
            let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if role.value.is_empty() || role.value.len() > 64 || !role.value.chars().all(lower) {
                return Err(format!(
                    "'{}' cannot be the value of a role: lower-case letters, digits and '_', at most 64.",
                    role.value
                ));
            }
            let same = |other: &str| {
                plain(other) == plain(&role.value) || plain(other) == plain(&role.display)
            };
            let before =
                self.roles[..at].iter().any(|other| same(&other.value) || same(&other.display));
            let system = SYSTEM.iter().any(|(value, name, others, ..)| {
                same(value) || same(name) || others.iter().any(|other| same(other))
            });
            if before || system {
                return Err(format!("There is a role '{}' already.", role.value));
            }
        }
        self.check_names()
    }

    fn check_names(&self) -> Result<(), String> {
        for RoleName { name, .. } in &self.names {
            if name.is_empty() || name.len() > 256 {
                return Err("A name of a role has 1 to 256 bytes.".to_owned());
            }
            if let Some(role) = self.role_itself(name) {
                return Err(format!("'{name}' is the role '{}' already.", role.value));
            }
        }
        Ok(())
    }
}

fn system_role(row: &(&str, &str, &[&str], bool, &str)) -> Role {
    let (value, display, _, administrative, description) = row;
    Role {
        value: (*value).to_owned(),
        display: (*display).to_owned(),
        description: Some((*description).to_owned()),
        administrative: *administrative,
        version: 1,
        ..Role::default()
    }
}

/// A name as it is compared.
fn plain(name: &str) -> String {
    let name = name.trim().to_lowercase();
    name.replace([' ', '-'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_found_by_value_name_and_other_name_without_case() {
        let catalogue = Catalogue::default();
        let table = [
            ("account_admin", "account_admin"),
            ("Account Administrator", "account_admin"),
            ("ADMIN", "account_admin"),
            ("Call Agent", "agent"),
            ("Agent", "agent"),
            (" standard user ", "standard"),
        ];
        for (text, value) in table {
            assert_eq!(catalogue.role(text).unwrap().value, value, "{text}");
        }
        assert_eq!(catalogue.role("king"), None);
    }

    #[test]
    fn a_role_has_the_names_that_the_tenant_gives_it() {
        let mut catalogue = Catalogue::default();
        catalogue.name_role(" CC Lead", Some("Supervisor")).unwrap();
        catalogue.check().unwrap();
        assert_eq!(catalogue.role("cc-LEAD").unwrap().value, "supervisor");
        assert_eq!(catalogue.names_of("supervisor"), ["CC Lead"]);
        // Given anew, it is the other role's.
        catalogue.name_role("cc lead", Some("tech")).unwrap();
        assert_eq!(
            (catalogue.names.len(), catalogue.role("CC Lead").unwrap().value.as_str()),
            (1, "tech")
        );
        assert!(catalogue.name_role("x", Some("CC Lead")).unwrap_err().contains("Valid roles"));
        catalogue.name_role("CC LEAD", None).unwrap();
        assert!(catalogue.name_role("CC LEAD", None).unwrap_err().contains("no name"));
        assert_eq!(catalogue.role("CC Lead"), None);
        for (name, sentence) in [("agent", "is the role 'agent'"), ("", "1 to 256")] {
            let mut broken = Catalogue::default();
            broken.name_role(name, Some("tech")).unwrap();
            assert!(broken.check().unwrap_err().contains(sentence), "{name}");
        }
    }

    #[test]
    fn the_pool_of_a_role_is_the_one_that_names_it_else_the_default_one() {
        let mut catalogue = Catalogue::default();
        catalogue.pools.push(Pool {
            value: "agents".into(),
            roles: vec!["agent".into()],
            ..Pool::default()
        });
        catalogue.check().unwrap();
        let of = |role| catalogue.pool_of(role).unwrap().value.as_str();
        assert_eq!(
            (of(Some("agent")), of(Some("tech")), of(None)),
            ("agents", "default", "default")
        );
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let pool = |value: &str, roles: &[&str]| Pool {
            value: value.into(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            ..Pool::default()
        };
        let role =
            |value: &str| Role { value: value.into(), display: value.into(), ..Role::default() };
        let broken: [(Vec<Pool>, Vec<Role>, &str); 6] = [
            (vec![pool("default", &[]), pool("default", &[])], vec![], "already"),
            (vec![pool("other", &[])], vec![], "cannot be removed"),
            (vec![pool("default", &["king"])], vec![], "Valid roles"),
            (vec![pool("default", &["agent"]), pool("b", &["agent"])], vec![], "another pool"),
            (vec![pool("default", &[])], vec![role("admin")], "already"),
            (vec![pool("default", &[])], vec![role("Chief")], "cannot be the value"),
        ];
        for (pools, roles, sentence) in broken {
            let of = Catalogue::default();
            let refusal = Catalogue { pools, roles, ..of }.check().unwrap_err();
            assert!(refusal.contains(sentence), "{refusal}");
        }
    }
}
