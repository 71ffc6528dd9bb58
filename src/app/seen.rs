//! Resource types as tenants see them. A type is a tree of hundreds of pieces, and to copy it costs as much as a
//! read, so each variation is made once and not for every request.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::app::App;
use crate::domain::tenant::{Shown, TenantSettings};
use crate::scim::resource_type::ResourceType;
use crate::scim::urn;

/// Those that were made; as few as there are sets of extensions.
#[derive(Debug, Clone, Default)]
pub(super) struct Variations(Arc<RwLock<HashMap<Variation, Arc<ResourceType>>>>);

/// How a type differs from the one that is served.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Variation {
    /// The type's name.
    kind: String,
    /// Whether it stands under Okta's URN.
    okta: bool,
    /// The URNs of the extensions that are not seen, in the order of the type's.
    hidden: Vec<String>,
}

impl App {
    /// The type without the extensions that a tenant of these settings hides, and under Okta's URN where
    /// the tenant wants that.
    pub(crate) fn seen(
        &self,
        rules: &TenantSettings,
        kind: &Arc<ResourceType>,
    ) -> Arc<ResourceType> {
        let okta = rules.okta && rules.shown != Shown::None && is_named(kind);
        let hidden = hidden(rules, kind);
        if !okta && hidden.is_empty() {
            return Arc::clone(kind);
        }
        self.0.variations.of(kind, Variation { kind: kind.name.clone(), okta, hidden })
    }
}

impl Variations {
    fn of(&self, kind: &ResourceType, variation: Variation) -> Arc<ResourceType> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&variation).cloned();
        known.unwrap_or_else(|| {
            let made = Arc::new(variation.made_of(kind));
            let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(variation).or_insert(made))
        })
    }
}

impl Variation {
    fn made_of(&self, kind: &ResourceType) -> ResourceType {
        let seen = kind.without(|schema| self.hidden.contains(&schema.id));
        if self.okta { seen.in_okta_flavor() } else { seen }
    }
}

/// The URNs of the extensions of a type that a tenant of these settings hides.
pub(super) fn hidden(rules: &TenantSettings, kind: &ResourceType) -> Vec<String> {
    let schemas = kind.extensions.iter().map(|extension| &extension.schema);
    let hidden = schemas.filter(|schema| rules.hides(&schema.id, &schema.name));
    hidden.map(|schema| schema.id.clone()).collect()
}

/// Whether Okta has a name of its own for this type.
fn is_named(kind: &ResourceType) -> bool {
    [urn::ROLE, urn::ENTITLEMENT].contains(&kind.schema.id.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::resource_type::Registry;

    #[test]
    fn each_variation_is_made_once_and_is_no_other_one() {
        let registry = Registry::standard();
        let user = registry.by_name("User").unwrap();
        let variations = Variations::default();
        let without = |hidden: &[&str]| {
            let hidden = hidden.iter().map(|urn| (*urn).to_owned()).collect();
            variations.of(user, Variation { kind: "User".to_owned(), okta: false, hidden })
        };
        let (seats, letters) = (urn::SEAT, urn::INVITATION_OF_USER);
        let neither = without(&[seats, letters]);
        assert!(neither.extension(seats).is_none() && neither.extension(letters).is_none());
        let no_seats = without(&[seats]);
        assert!(no_seats.extension(seats).is_none() && no_seats.extension(letters).is_some());
        assert!(Arc::ptr_eq(&no_seats, &without(&[seats])));
        assert!(user.extension(seats).is_some(), "the one that is served stays whole");
    }

    #[test]
    fn types_of_equal_variations_stay_apart() {
        let registry = Registry::standard();
        let variations = Variations::default();
        let urns = ["Role", "Entitlement"].map(|name| {
            let kind = registry.by_name(name).unwrap();
            [true, false].map(|okta| {
                let variation = Variation { kind: name.to_owned(), okta, hidden: Vec::new() };
                variations.of(kind, variation).schema.id.clone()
            })
        });
        let expected = [[urn::OKTA_ROLE, urn::ROLE], [urn::OKTA_ENTITLEMENT, urn::ENTITLEMENT]];
        assert_eq!(urns, expected.map(|of_one| of_one.map(str::to_owned)));
    }

    #[test]
    fn what_is_hidden_is_ours_and_not_listed() {
        let registry = Registry::standard();
        let user = registry.by_name("User").unwrap();
        let mut rules = TenantSettings::default();
        assert!(hidden(&rules, user).is_empty());
        rules.shown = Shown::Listed(vec![urn::SEAT.to_uppercase()]);
        let listed = hidden(&rules, user);
        assert!(!listed.iter().any(|urn| urn == urn::SEAT || urn == urn::ENTERPRISE), "{listed:?}");
        rules.shown = Shown::None;
        assert_eq!(hidden(&rules, user).len(), listed.len() + 1);
    }
}
