//! Conditions that the table `attr_index` answers.

use std::collections::BTreeMap;

use crate::scim::attribute::Attribute;
use crate::scim::filter::{Bound, Op, Target};
use crate::scim::fold::{self, Key};
use crate::store::dialect::literal;
use crate::store::filter::rows::equal_value;
use crate::store::filter::{Place, Test, Writer};

impl Writer<'_, '_> {
    /// Who asks for one of many logins gets one look into the index instead of many.
    pub(super) fn or(&mut self, place: &Place, terms: &[Bound<'_>]) {
        let mut wanted: BTreeMap<String, Vec<&Key>> = BTreeMap::new();
        let mut rest: Vec<&Bound<'_>> = Vec::new();
        for term in terms {
            match (place, term) {
                (Place::Row, Bound::Compare { target, op: Op::Eq, key })
                    if is_listed(target, key) =>
                {
                    wanted.entry(target.name()).or_default().push(key);
                }
                _ => rest.push(term),
            }
        }
        if wanted.values().map(Vec::len).sum::<usize>() < 2 {
            return self.list(place, &terms.iter().collect::<Vec<_>>(), " OR ", "(1 = 0)");
        }
        self.push("(");
        let close = self.begin();
        let tenant = self.tenant();
        let kind = literal(&self.world.rt.name);
        let (open, shut) = self.dialect.among();
        self.push(&format!(
            "r.id {open}SELECT i.resource FROM attr_index i \
             WHERE i.tenant = {tenant} AND i.kind = {kind} AND ("
        ));
        for (place, (name, keys)) in wanted.into_iter().enumerate() {
            let or = if place == 0 { "" } else { " OR " };
            let values: Vec<String> =
                keys.into_iter().map(|key| self.sql.hold(fold::index_key(key))).collect();
            let values = values.join(", ");
            self.push(&format!("{or}(i.attr = {} AND i.value IN ({values}))", literal(&name)));
        }
        self.push(")");
        self.push(shut);
        self.push(close);
        if !rest.is_empty() {
            self.push(" OR ");
            self.list(place, &rest, " OR ", "(1 = 0)");
        }
        self.push(")");
    }

    /// The resource has this value of an indexed attribute.
    pub(super) fn index(&mut self, name: &str, key: &Key) {
        let tenant = self.tenant();
        let kind = literal(&self.world.rt.name);
        let value = self.sql.hold(fold::index_key(key));
        let found = format!(
            "FROM attr_index i WHERE i.tenant = {tenant} AND i.kind = {kind} \
             AND i.attr = {} AND i.value = {value}",
            literal(name)
        );
        let close = self.begin();
        // A truth value names about everybody: a list of them would be made before the first is shown.
        self.push(&match key {
            Key::Bool(true) => format!("EXISTS (SELECT 1 {found} AND i.resource = r.id)"),
            Key::Bool(false) | Key::Text(_) | Key::Int(_) | Key::Real(_) => {
                let (open, shut) = self.dialect.among();
                format!("r.id {open}SELECT i.resource {found}{shut}")
            }
        });
        self.push(close);
    }
}

/// The indexed part and the value that some test, or a condition that it cannot do without, asks
/// to be equal.
pub(super) fn indexed<'t, 'a>(
    target: &Target<'a>,
    test: Test<'t, 'a>,
) -> Option<(Option<&'a Attribute>, &'t Key)> {
    match test {
        Test::Compare(Op::Eq, key) if is_indexed(target.leaf(), key) => Some((target.sub, key)),
        Test::Within(filter) if target.attribute.is_complex() => {
            let (sub, key) = equal_value(filter, &|sub, key| {
                is_indexed(sub, key) && !matches!(key, Key::Bool(_))
            })?;
            Some((Some(sub), key))
        }
        Test::Present | Test::Compare(..) | Test::Within(_) => None,
    }
}

/// Whether the index alone answers a comparison with `eq`.
fn is_listed(target: &Target<'_>, key: &Key) -> bool {
    is_indexed(target.leaf(), key)
        && target.attribute.is_stored()
        && !matches!(key, Key::Bool(_))
        && !fold::index_is_vague(key)
}

/// Numbers with fractions have more than one text.
pub(super) fn is_indexed(attribute: &Attribute, key: &Key) -> bool {
    attribute.indexed && attribute.is_stored() && !matches!(key, Key::Real(_))
}
