//! Which way a list goes: along an index, or by looking up the few that a filter names.

use crate::scim::attribute::{Source, Type};
use crate::scim::filter::{Bound, Op, Target};
use crate::scim::fold::{self, Key};
use crate::store::filter::Test;
use crate::store::filter::index::{indexed, is_indexed};
use crate::store::filter::rows::asked;

/// A part of a filter that `attr_index` answers alone, in the order of ids.
#[derive(Debug, Clone, PartialEq)]
pub struct Driver<'a> {
    /// The full name of the attribute.
    pub attr: String,
    /// The value as the index has it.
    pub value: String,
    /// What the filter asks for beside it.
    pub rest: Option<Bound<'a>>,
}

/// The best such part that the filter cannot do without.
pub fn driver<'a>(bound: &Bound<'a>) -> Option<Driver<'a>> {
    if let Some((attr, value)) = entry(bound) {
        return Some(Driver { attr, value, rest: None });
    }
    let Bound::And(terms) = bound else { return None };
    let found = |flags: bool| {
        let all = terms.iter().enumerate();
        all.filter(|(_, term)| flags || !is_flag(term))
            .find_map(|(place, term)| entry(term).map(|entry| (place, entry)))
    };
    // Truth values name about everybody.
    let (place, (attr, value)) = found(false).or_else(|| found(true))?;
    let mut rest = terms.clone();
    rest.remove(place);
    Some(Driver { attr, value, rest: Some(Bound::And(rest)) })
}

/// The row of the index that says everything about a condition.
fn entry(bound: &Bound<'_>) -> Option<(String, String)> {
    let Bound::Compare { target, op: Op::Eq, key } = bound else { return None };
    let alone = is_indexed(target.leaf(), key)
        && target.attribute.is_stored()
        && !fold::index_is_vague(key);
    alone.then(|| (target.name(), fold::index_key(key)))
}

/// A filter in two parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Stating<'a> {
    /// What it asks of the state of a resource (scim/state.rs).
    pub about: Bound<'a>,
    /// What it asks for beside that.
    pub rest: Option<Bound<'a>>,
}

/// What a filter asks of the state; none where that is nothing, or hangs on something else.
pub fn stating<'a>(bound: &Bound<'a>) -> Option<Stating<'a>> {
    if is_about_state(bound) {
        return Some(Stating { about: bound.clone(), rest: None });
    }
    let Bound::And(terms) = bound else { return None };
    let (about, rest): (Vec<_>, Vec<_>) = terms.iter().cloned().partition(is_about_state);
    let rest = Some(Bound::And(rest));
    (!about.is_empty()).then_some(Stating { about: Bound::And(about), rest })
}

fn is_about_state(bound: &Bound<'_>) -> bool {
    match bound {
        Bound::And(terms) | Bound::Or(terms) => {
            !terms.is_empty() && terms.iter().all(is_about_state)
        }
        Bound::Not(inner) => is_about_state(inner),
        Bound::Present(target) | Bound::Compare { target, .. } => {
            target.leaf().state && target.attribute.is_stored()
        }
        Bound::Within { target, filter } => {
            !target.attribute.multi && target.attribute.is_stored() && is_about_state(filter)
        }
        Bound::Never => false,
    }
}

fn is_flag(bound: &Bound<'_>) -> bool {
    matches!(bound, Bound::Compare { key: Key::Bool(_), .. })
}

/// Whether a filter names its few resources by what is looked up: it is answered by looking them up
/// and sorting them. Any other is answered by walking in order until a page is full.
pub fn names_few(bound: &Bound<'_>) -> bool {
    match bound {
        Bound::And(terms) => terms.iter().any(names_few),
        Bound::Or(terms) => !terms.is_empty() && terms.iter().all(names_few),
        Bound::Never => true,
        Bound::Compare { target, op: Op::Eq, key } => {
            !is_flag(bound) && looked_up(target, Test::Compare(Op::Eq, key))
        }
        Bound::Within { target, filter } => looked_up(target, Test::Within(filter)),
        Bound::Not(_) | Bound::Present(_) | Bound::Compare { .. } => false,
    }
}

fn looked_up<'a>(target: &Target<'a>, test: Test<'_, 'a>) -> bool {
    match target.attribute.source {
        Source::Id => matches!(test, Test::Compare(..)),
        Source::Document => indexed(target, test).is_some(),
        // What a group holds, and who is in a group, are rows of their own.
        Source::MemberOf => asked(target, test).is_some(),
        Source::Members => {
            asked(target, test).is_some_and(|(sub, _)| sub.source == Source::RowValue)
        }
        Source::Created
        | Source::Modified
        | Source::Version
        | Source::Location
        | Source::Kind
        | Source::RowValue
        | Source::RowType
        | Source::Link
        | Source::Label
        | Source::Linked
        | Source::Counted
        | Source::Secret => false,
    }
}

/// What the texts of an attribute have to begin with, where a filter asks for that.
pub fn prefix<'b>(bound: &'b Bound<'_>, wanted: &Target<'_>) -> Option<&'b str> {
    match bound {
        Bound::And(terms) => terms.iter().find_map(|term| prefix(term, wanted)),
        Bound::Compare { target, op: Op::Sw, key: Key::Text(text) } if target == wanted => {
            Some(text)
        }
        Bound::Or(_)
        | Bound::Not(_)
        | Bound::Never
        | Bound::Present(_)
        | Bound::Compare { .. }
        | Bound::Within { .. } => None,
    }
}

/// Whether `attr_index` holds the values of an attribute in the order in which they sort.
///
/// It holds texts: numbers and moments sort otherwise. Of several values the least would count.
pub fn ordered_by_index(target: &Target<'_>) -> bool {
    let leaf = target.leaf();
    leaf.indexed
        && leaf.is_stored()
        && target.attribute.is_stored()
        && !leaf.multi
        && !target.attribute.multi
        && match leaf.kind {
            Type::String | Type::Reference | Type::Binary | Type::Boolean => true,
            Type::Decimal | Type::Integer | Type::DateTime | Type::Complex => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::filter::{Binding, Grammar, Unknown, bind, parse};
    use crate::scim::quirks::Quirks;
    use crate::scim::resource_type::Registry;

    /// Proves SCIM-244.
    #[test]
    fn a_filter_says_which_way_to_go() {
        let registry = Registry::standard();
        let rules = Binding { quirks: Quirks::ALL, unknown: Unknown::Refuse };
        for (kind, filter, driver_of, few) in [
            ("User", "userName eq \"Ann\"", "userName=ann", true),
            ("User", "active eq true", "", false),
            ("User", "active eq true and userName eq \"a\"", "userName=a", true),
            ("User", "title pr and active eq false", "", false),
            ("User", "emails.value eq \"A\"", "emails.value=a", true),
            ("User", "emails[value eq \"a\" and type eq \"work\"]", "", true),
            ("User", "userName eq \"a\" or userName eq \"b\"", "", true),
            ("User", "userName eq \"a\" or title eq \"b\"", "", false),
            ("User", "not (userName eq \"a\")", "", false),
            ("User", "userName ne \"a\"", "", false),
            ("User", "title eq \"a\"", "", false),
            ("User", "id eq \"a\"", "", true),
            ("User", "groups.value eq \"g\"", "", true),
            ("Group", "members.value eq \"u\"", "", true),
            ("Group", "members.type eq \"User\"", "", false),
            ("User", "meta.created gt \"2026-01-01T00:00:00Z\"", "", false),
        ] {
            let rt = registry.by_name(kind).unwrap();
            let parsed = parse(filter, Grammar::of(Quirks::ALL)).unwrap();
            let bound = bind(rt, &parsed, rules).unwrap();
            let found = driver(&bound).map(|found| format!("{}={}", found.attr, found.value));
            assert_eq!(found.unwrap_or_default(), driver_of, "{filter}");
            assert_eq!(names_few(&bound), few, "{filter}");
        }
    }

    #[test]
    fn what_a_filter_asks_of_the_state_is_told_apart() {
        let registry = Registry::standard();
        let rt = registry.by_name("User").unwrap();
        let rules = Binding { quirks: Quirks::ALL, unknown: Unknown::Refuse };
        for (filter, told) in [
            ("active eq true", Some(false)),
            ("not (active ne true or active pr)", Some(false)),
            ("active eq false and title eq \"a\"", Some(true)),
            ("active eq false or title eq \"a\"", None),
            ("not (active eq false and title pr)", None),
            ("title eq \"a\"", None),
        ] {
            let parsed = parse(filter, Grammar::of(Quirks::ALL)).unwrap();
            let bound = bind(rt, &parsed, rules).unwrap();
            let rest = stating(&bound).map(|stating| stating.rest.is_some());
            assert_eq!(rest, told, "{filter}");
        }
    }
}
