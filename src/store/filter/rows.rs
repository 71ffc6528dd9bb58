//! Conditions on what lives in the table `members`: the members of a group, and the groups that
//! hold a resource, directly or through other groups.

use crate::scim::attribute::{Attribute, Source};
use crate::scim::filter::{Bound, Op, Target};
use crate::scim::fold::Key;
use crate::store::Dialect;
use crate::store::dialect::literal;
use crate::store::filter::value::label;
use crate::store::filter::{Place, Test, Writer};
use crate::store::resources::GROUP;

/// Groups in groups are followed this far, so that a circle ends.
const DEPTH: usize = 10;

impl Writer<'_, '_> {
    /// Some member of the group `r` fulfils the test.
    pub(super) fn members(&mut self, target: &Target<'_>, test: Test<'_, '_>) {
        let alias = self.alias();
        let tenant = self.tenant();
        let close = self.begin();
        // Who asks for one member means few groups: these are found by the member, not one by one.
        if asked(target, test).is_some_and(|(sub, _)| sub.source == Source::RowValue) {
            self.push(&format!(
                "r.id IN (SELECT {alias}.group_id FROM members {alias} \
                 WHERE {alias}.tenant = {tenant} AND "
            ));
        } else {
            self.push(&format!(
                "EXISTS (SELECT 1 FROM members {alias} \
                 WHERE {alias}.tenant = {tenant} AND {alias}.group_id = r.id AND "
            ));
        }
        self.row(&Place::Member(alias), target, test);
        self.push(")");
        self.push(close);
    }

    /// Some group that holds `r` fulfils the test.
    pub(super) fn groups(&mut self, target: &Target<'_>, test: Test<'_, '_>) {
        if let (None, Test::Present) = (target.sub, test) {
            let tenant = self.tenant();
            let close = self.begin();
            self.push(&format!(
                "EXISTS (SELECT 1 FROM members d WHERE d.tenant = {tenant} AND d.member_id = r.id)"
            ));
            return self.push(close);
        }
        // Who asks for one group wants what is below it: few walks down beat one up per row.
        let Some((sub, key)) = asked(target, test) else { return self.above(target, test) };
        self.push("(");
        self.below(sub, key);
        if matches!(test, Test::Within(_)) {
            self.push(" AND ");
            self.above(target, test);
        }
        self.push(")");
    }

    /// `r` is below the groups of this id or of this name.
    fn below(&mut self, sub: &Attribute, key: &Key) {
        let tenant = self.tenant();
        let wanted = match key {
            Key::Text(text) => self.sql.hold(text.as_str()),
            Key::Int(_) | Key::Real(_) | Key::Bool(_) => return self.push("(1 = 0)"),
        };
        let kinds = self.group_kinds();
        let groups = if sub.source == Source::Label {
            format!(
                "SELECT l.id, 1 FROM resources l WHERE l.tenant = {tenant} AND l.kind IN ({kinds}) \
                 AND {} = {wanted}",
                label(sub)
            )
        } else {
            let id = self.dialect.by_code_point(&format!("CAST({wanted} AS TEXT)"));
            format!("SELECT {id}, 1")
        };
        let close = self.begin();
        // The index members_nested has these alone.
        let holder = literal(GROUP);
        let step = self.step(
            "d",
            &format!("d.tenant = {tenant} AND d.group_id = down.id AND d.member_kind = {holder}"),
        );
        let (open, shut) = self.dialect.among();
        // From group to group first, and then to what these hold: whoever is no group leads nowhere.
        self.push(&format!(
            "r.id IN (SELECT m.member_id FROM members m WHERE m.tenant = {tenant} \
             AND m.group_id {open}WITH RECURSIVE down(id, depth) AS ({groups} \
             UNION SELECT d.member_id, down.depth + 1 FROM down {step} \
             WHERE down.depth < {DEPTH}) SELECT down.id FROM down{shut})"
        ));
        self.push(close);
    }

    fn above(&mut self, target: &Target<'_>, test: Test<'_, '_>) {
        let alias = self.alias();
        let (walk, rows) = self.walk_up(&alias);
        self.push(&format!("EXISTS ({walk} SELECT 1 FROM {rows} WHERE "));
        self.row(&Place::Group(alias), target, test);
        self.push(")");
    }

    /// `WITH …` for the groups above `r`, and what to select from to have each once, with its
    /// shortest distance.
    pub(super) fn walk_up(&mut self, alias: &str) -> (String, String) {
        let tenant = self.tenant();
        let step = self.step("u", &format!("u.tenant = {tenant} AND u.member_id = up.id"));
        let walk = format!(
            "WITH RECURSIVE up(id, depth) AS (\
             SELECT u.group_id, 1 FROM members u WHERE u.tenant = {tenant} AND u.member_id = r.id \
             UNION SELECT u.group_id, up.depth + 1 FROM up {step} \
             WHERE up.depth < {DEPTH})"
        );
        let rows =
            format!("(SELECT up.id AS id, MIN(up.depth) AS depth FROM up GROUP BY up.id) {alias}");
        (walk, rows)
    }

    /// The edges one step further, looked up by this condition for each group that was reached, on
    /// any plan: either database would read all members of the tenant when it knows no better.
    fn step(&self, alias: &str, condition: &str) -> String {
        match self.dialect {
            // CROSS JOIN keeps the order of the tables.
            Dialect::Sqlite => format!("CROSS JOIN members {alias} ON {condition}"),
            // OFFSET keeps the look-ups from becoming one big join.
            Dialect::Postgres => format!(
                "CROSS JOIN LATERAL (SELECT {alias}.group_id, {alias}.member_id \
                 FROM members {alias} WHERE {condition} OFFSET 0) {alias}"
            ),
        }
    }

    /// A test on a row: on one of its parts, or on the row itself.
    fn row(&mut self, place: &Place, target: &Target<'_>, test: Test<'_, '_>) {
        match (target.sub, test) {
            (Some(sub), _) => self.scalar(place, sub, test),
            (None, Test::Within(filter)) => self.bound(place, filter),
            // A row has a value.
            (None, Test::Present | Test::Compare(..)) => self.push("(1 = 1)"),
        }
    }
}

/// The id or the name that a row has to have.
pub(super) fn asked<'t, 'a>(
    target: &Target<'a>,
    test: Test<'t, 'a>,
) -> Option<(&'a Attribute, &'t Key)> {
    let wanted = |sub: &Attribute| matches!(sub.source, Source::RowValue | Source::Label);
    match (target.sub, test) {
        (Some(sub), Test::Compare(Op::Eq, key)) if wanted(sub) => Some((sub, key)),
        (None, Test::Within(filter)) => equal_value(filter, &|sub, _| wanted(sub)),
        _ => None,
    }
}

/// A comparison with `eq` that the whole filter cannot do without.
pub(super) fn equal_value<'t, 'a>(
    filter: &'t Bound<'a>,
    wanted: &dyn Fn(&Attribute, &Key) -> bool,
) -> Option<(&'a Attribute, &'t Key)> {
    match filter {
        Bound::Compare { target, op: Op::Eq, key } if wanted(target.attribute, key) => {
            Some((target.attribute, key))
        }
        Bound::And(terms) => terms.iter().find_map(|term| equal_value(term, wanted)),
        Bound::Or(_)
        | Bound::Not(_)
        | Bound::Never
        | Bound::Present(_)
        | Bound::Compare { .. }
        | Bound::Within { .. } => None,
    }
}
