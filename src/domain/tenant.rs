//! Settings of a tenant: what they are called, what they may be, and their defaults.

use std::collections::BTreeMap;

use crate::scim::quirks::Quirks;

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
pub struct TenantSettings {
    /// `scim.strict`: the letter of RFC 7644 instead of the leniencies.
    pub strict: bool,
    /// `scim.patchResponse`.
    pub patch_response: PatchResponse,
    /// `discovery.extensions`.
    pub shown: Shown,
    /// `schema.aliases`: foreign URN prefixes and ours.
    pub aliases: Vec<(String, String)>,
    /// `groups.unknownMembers` is `reject`.
    pub reject_unknown_members: bool,
    /// `password.acceptFromScim`.
    pub accept_password: bool,
    /// `password.minLength`, in characters.
    pub password_min_length: usize,
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
            aliases: Vec::new(),
            reject_unknown_members: false,
            accept_password: true,
            password_min_length: 8,
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
    ("schema.aliases", "", "pairs foreignUrn=ourUrn joined with commas; never core URNs"),
    ("groups.unknownMembers", "ignore", "ignore or reject"),
    ("password.acceptFromScim", "true", "true or false"),
    ("password.minLength", "8", "a number from 8 to 64"),
    ("page.default", "100", "a number from 1 to page.max"),
    ("page.max", "1000", "a number from 1 to 10000"),
];

impl TenantSettings {
    /// The settings of these pairs; the rest have their defaults.
    pub fn of(pairs: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut settings = Self::default();
        // page.max first, since page.default is checked against it.
        for key in ["page.max", "page.default"] {
            if let Some(value) = pairs.get(key) {
                settings.set(key, value)?;
            }
        }
        for (key, value) in pairs.iter().filter(|(key, _)| !key.starts_with("page.")) {
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
            "schema.aliases" => self.aliases = aliases(value)?,
            "groups.unknownMembers" => {
                self.reject_unknown_members = match value {
                    "ignore" => false,
                    "reject" => true,
                    _ => return None,
                }
            }
            "password.acceptFromScim" => self.accept_password = boolean(value)?,
            "password.minLength" => {
                self.password_min_length =
                    value.parse().ok().filter(|length| (8..=64).contains(length))?;
            }
            "page.default" => {
                self.page_default =
                    value.parse().ok().filter(|count| (1..=self.page_max).contains(count))?;
            }
            "page.max" => {
                self.page_max = value.parse().ok().filter(|count| (1..=10_000).contains(count))?;
                self.page_default = self.page_default.min(self.page_max);
            }
            _ => return None,
        }
        Some(())
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
            ("page.default", "5000"),
            ("password.minLength", "4"),
            ("groups.unknownMembers", "drop"),
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
