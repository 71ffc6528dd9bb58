//! Settings of a tenant: what they are called, what they may be, and their defaults.

use std::collections::BTreeMap;

use crate::domain::brake::Brake;
use crate::domain::catalogue::{ADMINISTRATOR, WHITELABEL};
use crate::domain::invitation::Mode;
use crate::domain::role;
use crate::scim::quirks::Quirks;
use crate::scim::urn;

/// What a successful PATCH answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatchResponse {
    /// 200 with the resource; 204 for a Group of more than 100 members whose members nobody asked for.
    Auto,
    /// 200 with the resource.
    Body,
    /// 204.
    None,
}

/// Which source decides about a user's roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// The attribute `roles` where it names any, else groups.
    Attribute,
    /// Groups alone.
    Groups,
    /// Both.
    Union,
}

/// Where no two users of a tenant may have the same e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UniqueEmails {
    /// Where administrators create users.
    Admin,
    /// Everywhere, what clients write included.
    All,
    /// Nowhere.
    Off,
}

/// Which of Usher's own extensions and resource types a tenant shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// All of them.
    All,
    /// None: core and enterprise only.
    None,
    /// Those whose URN or name is listed.
    Listed(Vec<String>),
}

/// The settings of one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of two values")]
pub struct TenantSettings {
    /// `scim.strict`: the letter of RFC 7644 instead of the leniencies.
    pub strict: bool,
    /// `scim.patchResponse`.
    pub patch_response: PatchResponse,
    /// `discovery.extensions`.
    pub shown: Shown,
    /// `discovery.flavor` is `okta`.
    pub okta: bool,
    /// `schema.aliases`: foreign URN prefixes and ours.
    pub aliases: Vec<(String, String)>,
    /// `seats.exhaustedStatus`.
    pub exhausted_status: u16,
    /// `groups.onFullPool` is `reject`.
    pub reject_full_groups: bool,
    /// `roles.unknown` is `reject`.
    pub reject_unknown_roles: bool,
    /// `roles.authority`.
    pub role_authority: Authority,
    /// `roles.default`.
    pub role_default: String,
    /// `roles.assignable`; none means all that are not administrative.
    pub role_assignable: Option<Vec<String>>,
    /// `groups.nameRule`: a pattern that finds a role in the name of a new group.
    pub name_rule: Option<String>,
    /// `groups.unknownMembers` is `reject`.
    pub reject_unknown_members: bool,
    /// `emails.unique`.
    pub unique_emails: UniqueEmails,
    /// `invitation.default`: how those get in of whom a client does not say it.
    pub invitation_default: Mode,
    /// `invitation.ttlHours`.
    pub invitation_ttl: i64,
    /// `invitation.ttlMaxHours`: what a client may ask for, at most.
    pub invitation_ttl_max: i64,
    /// `login.minLength`, in characters.
    pub login_min_length: usize,
    /// `password.acceptFromScim`.
    pub accept_password: bool,
    /// `password.minLength`, in characters.
    pub password_min_length: usize,
    /// `deprovision.brake`; none where it is off.
    pub brake: Option<Brake>,
    /// `retention.days`: how long lines of the record are kept.
    pub retention_days: i64,
    /// `departments.autoCreate`.
    pub create_departments: bool,
    /// `departments.fromEnterprise`.
    pub departments_from_enterprise: bool,
    /// `agent.followUser`.
    pub agent_follows_user: bool,
    /// `page.default`.
    pub page_default: i64,
    /// `page.max`.
    pub page_max: i64,
    /// What differs from the defaults, as it was written.
    written: BTreeMap<String, String>,
}

impl Default for TenantSettings {
    fn default() -> Self {
        Self {
            strict: false,
            patch_response: PatchResponse::Auto,
            shown: Shown::All,
            okta: false,
            aliases: Vec::new(),
            exhausted_status: 403,
            reject_full_groups: false,
            reject_unknown_roles: true,
            role_authority: Authority::Attribute,
            role_default: "standard".to_owned(),
            role_assignable: None,
            name_rule: None,
            reject_unknown_members: false,
            unique_emails: UniqueEmails::Admin,
            invitation_default: Mode::None,
            invitation_ttl: 48,
            invitation_ttl_max: 168,
            login_min_length: 6,
            accept_password: true,
            password_min_length: 8,
            brake: None,
            retention_days: 90,
            create_departments: true,
            departments_from_enterprise: false,
            agent_follows_user: true,
            page_default: 100,
            page_max: 1000,
            written: BTreeMap::new(),
        }
    }
}

/// Every setting with its default and what it may be, for `tenant show` and for error sentences.
pub const KEYS: &[(&str, &str, &str)] = &[
    ("scim.strict", "false", "false or true"),
    ("scim.patchResponse", "auto", "auto, body or none"),
    ("discovery.extensions", "all", "all, none, or URNs and names joined with commas"),
    ("discovery.flavor", "ietf", "ietf or okta"),
    ("schema.aliases", "", "pairs foreignUrn=ourUrn joined with commas; never core URNs"),
    ("seats.exhaustedStatus", "403", "403 or 400"),
    ("groups.onFullPool", "waitlist", "waitlist or reject"),
    (
        "groups.nameRule",
        "",
        "a regular expression with a group named role, such as ^CC-(?<role>.+)$; empty: none",
    ),
    ("groups.unknownMembers", "ignore", "ignore or reject"),
    ("roles.unknown", "reject", "reject or ignore"),
    ("roles.authority", "attribute", "attribute, groups or union"),
    ("roles.default", "standard", "the value of a role that is not administrative"),
    (
        "roles.assignable",
        "",
        "values of roles joined with commas, never whitelabel; empty: all that are not administrative",
    ),
    ("emails.unique", "admin", "admin, all or off"),
    ("invitation.default", "none", "none, email, link or reset"),
    ("invitation.ttlHours", "48", "a number of hours from 1 to invitation.ttlMaxHours"),
    ("invitation.ttlMaxHours", "168", "a number of hours from 1 to 720"),
    ("login.minLength", "6", "a number from 1 to 64"),
    ("password.acceptFromScim", "true", "true or false"),
    ("password.minLength", "8", "a number from 8 to 64"),
    (
        "deprovision.brake",
        "off",
        "off, or a share of 1% to 100% and a window in minutes, hours or days up to 30d, such as 20%/1h",
    ),
    ("departments.autoCreate", "true", "true or false"),
    ("departments.fromEnterprise", "false", "false or true"),
    ("agent.followUser", "true", "true or false"),
    ("page.default", "100", "a number from 1 to page.max"),
    ("page.max", "1000", "a number from 1 to 10000"),
    ("retention.days", "90", "a number from 1 to 3650"),
];

impl TenantSettings {
    /// The settings of these pairs; the rest have their defaults.
    pub fn of(pairs: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut settings = Self::default();
        // What others are checked against comes first.
        let (first, rest): (Vec<_>, Vec<_>) = pairs
            .iter()
            .partition(|(key, _)| ["page.max", "invitation.ttlMaxHours"].contains(&key.as_str()));
        for (key, value) in first.into_iter().chain(rest) {
            settings.set(key, value)?;
        }
        Ok(settings)
    }

    /// Changes one setting; the error says what it may be.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let Some((name, _, allowed)) =
            KEYS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(key))
        else {
            let names: Vec<_> = KEYS.iter().map(|(name, ..)| *name).collect();
            return Err(format!("Unknown setting '{key}'. Settings: {}.", names.join(", ")));
        };
        self.apply(name, value.trim())
            .ok_or_else(|| format!("{name} cannot be '{value}'; it is {allowed}."))?;
        let value = value.trim();
        let plain = boolean(value).map_or_else(|| value.to_owned(), |value| value.to_string());
        self.written.insert((*name).to_owned(), plain);
        Ok(())
    }

    fn apply(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "scim.strict" => self.strict = boolean(value)?,
            "scim.patchResponse" => {
                self.patch_response = match value {
                    "auto" => PatchResponse::Auto,
                    "body" => PatchResponse::Body,
                    "none" => PatchResponse::None,
                    _ => return None,
                }
            }
            "discovery.extensions" => self.shown = shown(value),
            "discovery.flavor" => self.okta = either(value, "ietf", "okta")?,
            "schema.aliases" => self.aliases = aliases(value)?,
            "seats.exhaustedStatus" => {
                self.exhausted_status =
                    value.parse().ok().filter(|code| [403, 400].contains(code))?;
            }
            "groups.onFullPool" => self.reject_full_groups = either(value, "waitlist", "reject")?,
            "groups.nameRule" if value.is_empty() => self.name_rule = None,
            "groups.nameRule" => {
                role::name_rule(value)?;
                self.name_rule = Some(value.to_owned());
            }
            "groups.unknownMembers" => {
                self.reject_unknown_members = either(value, "ignore", "reject")?;
            }
            name if name.starts_with("roles.") => self.apply_of_roles(name, value)?,
            "emails.unique" => self.unique_emails = unique_emails(value)?,
            name if name.starts_with("invitation.") => self.apply_of_invitation(name, value)?,
            "login.minLength" => self.login_min_length = number(value, 1, 64)?,
            "password.acceptFromScim" => self.accept_password = boolean(value)?,
            "password.minLength" => {
                self.password_min_length = number(value, 8, 64)?;
            }
            "deprovision.brake" if value.eq_ignore_ascii_case("off") => self.brake = None,
            "deprovision.brake" => self.brake = Some(Brake::parse(value)?),
            "departments.autoCreate" => self.create_departments = boolean(value)?,
            "departments.fromEnterprise" => self.departments_from_enterprise = boolean(value)?,
            "agent.followUser" => self.agent_follows_user = boolean(value)?,
            "page.default" => {
                self.page_default = number(value, 1, self.page_max)?;
            }
            "retention.days" => {
                self.retention_days = number(value, 1, 3650)?;
            }
            "page.max" => {
                self.page_max = number(value, 1, 10_000)?;
                self.page_default = self.page_default.min(self.page_max);
            }
            _ => return None,
        }
        Some(())
    }

    fn apply_of_invitation(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "invitation.default" => {
                self.invitation_default =
                    Mode::parse(value).filter(|mode| *mode != Mode::Password)?;
            }
            "invitation.ttlHours" => {
                self.invitation_ttl = number(value, 1, self.invitation_ttl_max)?;
            }
            "invitation.ttlMaxHours" => {
                self.invitation_ttl_max = number(value, 1, 720)?;
                self.invitation_ttl = self.invitation_ttl.min(self.invitation_ttl_max);
            }
            _ => return None,
        }
        Some(())
    }

    fn apply_of_roles(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "roles.unknown" => self.reject_unknown_roles = !either(value, "reject", "ignore")?,
            "roles.authority" => {
                self.role_authority = match value {
                    "attribute" => Authority::Attribute,
                    "groups" => Authority::Groups,
                    "union" => Authority::Union,
                    _ => return None,
                }
            }
            "roles.default" => {
                self.role_default = Some(value.to_owned()).filter(|value| is_plain_role(value))?;
            }
            "roles.assignable" if value.is_empty() => self.role_assignable = None,
            "roles.assignable" => self.role_assignable = Some(assignable(value)?),
            _ => return None,
        }
        Some(())
    }

    /// Whether `discovery.extensions` names this schema itself.
    pub fn lists(&self, urn: &str, name: &str) -> bool {
        matches!(self.shown, Shown::Listed(_)) && !self.hides(urn, name)
    }

    /// Whether a schema is hidden from this tenant: never core or enterprise. `name` is its short name.
    pub fn hides(&self, urn: &str, name: &str) -> bool {
        urn::is_ours(urn)
            && match &self.shown {
                Shown::All => false,
                Shown::None => true,
                Shown::Listed(listed) => !listed
                    .iter()
                    .any(|item| urn::same(item, urn) || item.eq_ignore_ascii_case(name)),
            }
    }

    /// Which leniencies hold.
    pub fn quirks(&self) -> Quirks {
        if self.strict { Quirks::NONE } else { Quirks::ALL }
    }

    /// What differs from the defaults, as it is stored.
    pub fn written(&self) -> &BTreeMap<String, String> {
        &self.written
    }

    /// Every setting with the value in force.
    pub fn in_force(&self) -> Vec<(&'static str, String)> {
        KEYS.iter()
            .map(|(name, default, _)| {
                (*name, self.written.get(*name).map_or((*default).to_owned(), Clone::clone))
            })
            .collect()
    }
}

fn boolean(value: &str) -> Option<bool> {
    value.to_ascii_lowercase().parse().ok()
}

fn number<N: std::str::FromStr + PartialOrd>(value: &str, least: N, most: N) -> Option<N> {
    value.parse().ok().filter(|number| (least..=most).contains(number))
}

/// Whether it is the second of two words; none where it is neither.
fn either(value: &str, no: &str, yes: &str) -> Option<bool> {
    (value == no || value == yes).then_some(value == yes)
}

fn unique_emails(value: &str) -> Option<UniqueEmails> {
    match value {
        "admin" => Some(UniqueEmails::Admin),
        "all" => Some(UniqueEmails::All),
        "off" => Some(UniqueEmails::Off),
        _ => None,
    }
}

/// Whether a word may be a role that everybody gets.
fn is_plain_role(value: &str) -> bool {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    !value.is_empty() && value.chars().all(fine) && ![ADMINISTRATOR, WHITELABEL].contains(&value)
}

/// The roles of a list; none where one of them cannot be given to clients.
fn assignable(value: &str) -> Option<Vec<String>> {
    let listed: Vec<String> = value.split(',').map(|role| role.trim().to_owned()).collect();
    let fine = listed.iter().all(|role| role == ADMINISTRATOR || is_plain_role(role));
    fine.then_some(listed)
}

fn shown(value: &str) -> Shown {
    match value {
        "all" => Shown::All,
        "none" | "" => Shown::None,
        list => Shown::Listed(list.split(',').map(|name| name.trim().to_owned()).collect()),
    }
}

fn aliases(value: &str) -> Option<Vec<(String, String)>> {
    let core =
        |urn: &str| urn.to_ascii_lowercase().starts_with("urn:ietf:params:scim:schemas:core:");
    value
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (foreign, ours) = pair.split_once('=')?;
            let (foreign, ours) = (foreign.trim(), ours.trim());
            let fine = foreign.len() > 4 && ours.len() > 4 && !core(foreign) && !core(ours);
            fine.then(|| (foreign.to_owned(), ours.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_value_that_may_be_set() {
        for (name, default, _) in KEYS {
            let mut settings = TenantSettings::default();
            settings.set(name, default).unwrap();
            let mut plain = TenantSettings::default();
            plain.written.clone_from(&settings.written);
            assert_eq!(settings.shown == Shown::All, plain.shown == Shown::All, "{name}");
            assert_eq!(settings, plain, "{name}");
        }
    }

    #[test]
    fn wrong_settings_say_what_they_may_be() {
        let mut settings = TenantSettings::default();
        for (key, value) in [
            ("scim.strict", "maybe"),
            ("page.max", "0"),
            ("emails.unique", "true"),
            ("page.default", "5000"),
            ("password.minLength", "4"),
            ("groups.unknownMembers", "drop"),
            ("deprovision.brake", "20%"),
            ("schema.aliases", "urn:a"),
            ("schema.aliases", "urn:ietf:params:scim:schemas:core:2.0:User=urn:x:y"),
        ] {
            let refusal = settings.set(key, value).unwrap_err();
            assert!(refusal.contains(key) && refusal.contains(value), "{refusal}");
        }
        assert!(settings.set("scim.nothing", "1").unwrap_err().contains("scim.patchResponse"));
        assert_eq!(settings, TenantSettings::default());
    }

    #[test]
    fn what_was_written_is_read_back_the_same() {
        let mut settings = TenantSettings::default();
        settings.set("page.max", "2000").unwrap();
        settings.set("page.default", "1500").unwrap();
        settings.set("scim.strict", "true").unwrap();
        assert_eq!(TenantSettings::of(settings.written()).unwrap(), settings);
    }
}
