//! What a credential may do.

use std::fmt;

use crate::scim::urn;

/// One thing that a credential may do; the only vocabulary of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Read users, groups and everything readable beside them.
    UsersRead,
    /// Create, change and delete users and groups.
    UsersWrite,
    /// Set what membership of a group means.
    GroupsMap,
    /// Give administrative roles and memberships in accounts.
    RolesAssign,
    /// Write call agents, departments, agent groups and phone extensions.
    AgentsWrite,
    /// See pools and who holds what.
    SeatsRead,
    /// Change totals and policies of pools.
    SeatsWrite,
    /// Log people out, reset passwords.
    SessionsRevoke,
    /// Read the provisioning log.
    LogRead,
    /// Read events.
    EventsRead,
    /// Manage connections.
    TokensWrite,
    /// Change tenant settings, templates and branding.
    SettingsWrite,
    /// Everything in the tenant, and the server's metrics.
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::UsersRead,
        Self::UsersWrite,
        Self::GroupsMap,
        Self::RolesAssign,
        Self::AgentsWrite,
        Self::SeatsRead,
        Self::SeatsWrite,
        Self::SessionsRevoke,
        Self::LogRead,
        Self::EventsRead,
        Self::TokensWrite,
        Self::SettingsWrite,
        Self::Admin,
    ];

    /// The word in a token's scope and in `WWW-Authenticate`.
    pub fn name(self) -> &'static str {
        match self {
            Self::UsersRead => "users:read",
            Self::UsersWrite => "users:write",
            Self::GroupsMap => "groups:map",
            Self::RolesAssign => "roles:assign",
            Self::AgentsWrite => "agents:write",
            Self::SeatsRead => "seats:read",
            Self::SeatsWrite => "seats:write",
            Self::SessionsRevoke => "sessions:revoke",
            Self::LogRead => "log:read",
            Self::EventsRead => "events:read",
            Self::TokensWrite => "tokens:write",
            Self::SettingsWrite => "settings:write",
            Self::Admin => "admin",
        }
    }

    fn bit(self) -> u32 {
        1 << (self as u32)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What it takes to write resources of the schema of this URN.
pub fn to_write(urn: &str) -> Scope {
    let telephony = [urn::CALL_AGENT, urn::DEPARTMENT, urn::AGENT_GROUP, urn::PHONE_EXTENSION];
    if telephony.contains(&urn) { Scope::AgentsWrite } else { Scope::UsersWrite }
}

/// The scopes of a credential, as they were given and what they add up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes {
    names: Vec<String>,
    bits: u32,
}

impl Scopes {
    /// Reads scope names; `scim` and `scim:read` are bundles, an empty list means `scim`.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut scopes = Self { names: Vec::new(), bits: 0 };
        for name in names.into_iter().filter(|name| !name.is_empty()) {
            scopes.bits |= bits_of(name).ok_or_else(|| unknown(name))?;
            if !scopes.names.iter().any(|known| known == name) {
                scopes.names.push(name.to_owned());
            }
        }
        if scopes.names.is_empty() { Self::parse(["scim"]) } else { Ok(scopes) }
    }

    /// Reads the form in which they are stored.
    pub fn from_stored(text: &str) -> Result<Self, String> {
        Self::parse(text.split(' '))
    }

    /// These scopes and no others; unlike a token's, an empty list opens nothing.
    pub fn exactly(scopes: &[Scope]) -> Self {
        let names = scopes.iter().map(|scope| scope.name().to_owned()).collect();
        Self { names, bits: scopes.iter().fold(0, |bits, scope| bits | scope.bit()) }
    }

    /// Whether this scope is among them; `admin` holds all.
    pub fn allow(&self, scope: Scope) -> bool {
        self.bits & (scope.bit() | Scope::Admin.bit()) != 0
    }

    /// Whether everything that these open is opened by this too.
    pub fn covers(&self, other: &Self) -> bool {
        self.bits & Scope::Admin.bit() != 0 || other.bits & !self.bits == 0
    }

    /// The names as they were given.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join(" "))
    }
}

fn bits_of(name: &str) -> Option<u32> {
    let bundle = |scopes: &[Scope]| scopes.iter().fold(0, |bits, scope| bits | scope.bit());
    match name {
        "scim" => Some(bundle(&[Scope::UsersRead, Scope::SeatsRead, Scope::UsersWrite])),
        "scim:read" => Some(bundle(&[Scope::UsersRead])),
        _ => Scope::ALL.into_iter().find(|scope| scope.name() == name).map(Scope::bit),
    }
}

fn unknown(name: &str) -> String {
    let mut valid = vec!["scim", "scim:read"];
    valid.extend(Scope::ALL.map(Scope::name));
    format!("Unknown scope '{name}'. Valid scopes: {}.", valid.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_scope_reads_and_writes_users_and_nothing_administrative() {
        let scopes = Scopes::parse([]).unwrap();
        assert_eq!(scopes.to_string(), "scim");
        for scope in Scope::ALL {
            let given = matches!(scope, Scope::UsersRead | Scope::UsersWrite | Scope::SeatsRead);
            assert_eq!(scopes.allow(scope), given, "{scope}");
        }
    }

    #[test]
    fn reading_does_not_allow_writing_and_admin_allows_everything() {
        assert!(!Scopes::parse(["scim:read"]).unwrap().allow(Scope::UsersWrite));
        let admin = Scopes::parse(["admin"]).unwrap();
        assert!(Scope::ALL.into_iter().all(|scope| admin.allow(scope)));
    }

    #[test]
    fn what_holds_less_covers_no_more() {
        let of = |names: &[&str]| Scopes::parse(names.iter().copied()).unwrap();
        assert!(of(&["admin"]).covers(&of(&["scim"])) && of(&["admin"]).covers(&of(&["admin"])));
        assert!(of(&["scim", "tokens:write"]).covers(&of(&["users:read"])));
        assert!(!of(&["scim", "tokens:write"]).covers(&of(&["roles:assign"])));
        assert!(!of(&["tokens:write"]).covers(&of(&["admin"])));
    }

    #[test]
    fn an_unknown_scope_is_refused_with_the_valid_ones() {
        let refusal = Scopes::parse(["users:all"]).unwrap_err();
        assert!(refusal.contains("'users:all'") && refusal.contains("users:read"), "{refusal}");
    }
}
