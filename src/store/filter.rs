//! Bound filters as SQL, the twin of `scim/filter/eval.rs`.
//!
//! Conditions are two-valued: an expression that may be NULL is closed with `IS TRUE`, so that
//! `not` means what the RFC says. What a client typed is only ever a bind.

use crate::scim::attribute::{Attribute, Source};
use crate::scim::filter::{Bound, Op, Target};
use crate::scim::fold::{self, Key};
use crate::scim::resource_type::{Registry, ResourceType};
use crate::store::{Dialect, Sql};

mod index;
mod order;
mod route;
mod rows;
mod value;

use index::indexed;
pub use order::{Sorted, sort_key};
pub use route::{Driver, Stating, driver, names_few, ordered_by_index, prefix, stating};

/// What a condition needs to know beside the filter.
#[derive(Debug, Clone, Copy)]
pub struct World<'w> {
    /// The id of the tenant.
    pub tenant: &'w str,
    /// The resource type that is searched.
    pub rt: &'w ResourceType,
    /// All resource types: members and managers may be of any.
    pub registry: &'w Registry,
    /// The SCIM base URL, for `meta.location` and `$ref`.
    pub base: &'w str,
}

/// Appends a boolean expression, never NULL, over the alias `r` of the table `resources`.
pub fn condition(sql: &mut Sql, dialect: Dialect, world: &World<'_>, bound: &Bound<'_>) {
    Writer::new(sql, dialect, world).bound(&Place::Row, bound);
}

/// Appends a boolean expression, never NULL, over the alias `m` of the table `members`, for a
/// filter from inside `members[…]`.
pub fn member_condition(sql: &mut Sql, dialect: Dialect, world: &World<'_>, bound: &Bound<'_>) {
    Writer::new(sql, dialect, world).bound(&Place::Member("m".to_owned()), bound);
}

/// Where the names of a filter are looked up.
#[derive(Debug, Clone)]
enum Place {
    /// The row `r` and its document.
    Row,
    /// A JSON object: this expression.
    Object(String),
    /// A listed simple value: this expression, text.
    Simple(String),
    /// A row of `members` under this alias, seen from the group.
    Member(String),
    /// A row of this alias with the columns `id` and `depth`: a group, seen from its member.
    Group(String),
}

/// What some value of an attribute is asked to fulfil.
#[derive(Debug, Clone, Copy)]
enum Test<'t, 'a> {
    Present,
    Compare(Op, &'t Key),
    Within(&'t Bound<'a>),
}

/// As many sub-selects may become joins; PostgreSQL's planner would work on hundreds for minutes.
const JOINS: usize = 6;

struct Writer<'s, 'w> {
    sql: &'s mut Sql,
    dialect: Dialect,
    world: &'w World<'w>,
    tenant: Option<String>,
    base: Option<String>,
    aliases: usize,
    joins: usize,
}

impl<'s, 'w> Writer<'s, 'w> {
    fn new(sql: &'s mut Sql, dialect: Dialect, world: &'w World<'w>) -> Self {
        Self { sql, dialect, world, tenant: None, base: None, aliases: 0, joins: 0 }
    }

    fn push(&mut self, text: &str) {
        self.sql.push(text);
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("x{}", self.aliases)
    }

    fn tenant(&mut self) -> String {
        let tenant = self.world.tenant;
        self.tenant.get_or_insert_with(|| self.sql.hold(tenant)).clone()
    }

    fn base(&mut self) -> String {
        let base = self.world.base;
        self.base.get_or_insert_with(|| self.sql.hold(base)).clone()
    }

    /// Begins a condition that is a sub-select, and gives what has to be written behind it.
    fn begin(&mut self) -> &'static str {
        self.joins += 1;
        if self.joins <= JOINS {
            self.push("(");
            return ")";
        }
        self.push("((");
        ") IS TRUE)"
    }

    fn bound(&mut self, place: &Place, bound: &Bound<'_>) {
        match bound {
            Bound::And(terms) => {
                self.list(place, &terms.iter().collect::<Vec<_>>(), " AND ", "(1 = 1)");
            }
            Bound::Or(terms) => self.or(place, terms),
            Bound::Not(inner) => {
                self.push("(NOT ");
                self.bound(place, inner);
                self.push(")");
            }
            Bound::Never => self.push("(1 = 0)"),
            Bound::Present(target) => self.some(place, target, Test::Present),
            Bound::Compare { target, op: Op::Ne, key } => {
                self.push("(NOT ");
                self.some(place, target, Test::Compare(Op::Eq, key));
                self.push(")");
            }
            Bound::Compare { target, op, key } => {
                self.some(place, target, Test::Compare(*op, key));
            }
            Bound::Within { target, filter } => self.some(place, target, Test::Within(filter)),
        }
    }

    /// Halved again and again: SQLite refuses expressions that are a thousand deep, and a chain of
    /// ANDs is as deep as it is long.
    fn list(&mut self, place: &Place, terms: &[&Bound<'_>], word: &str, empty: &str) {
        match terms {
            [] => self.push(empty),
            [single] => self.bound(place, single),
            _ => {
                let (left, right) = terms.split_at(terms.len() / 2);
                self.push("(");
                self.list(place, left, word, empty);
                self.push(word);
                self.list(place, right, word, empty);
                self.push(")");
            }
        }
    }

    /// Some value of the target fulfils the test.
    fn some(&mut self, place: &Place, target: &Target<'_>, test: Test<'_, '_>) {
        let Place::Row = place else {
            return self.part(place, target.attribute, test);
        };
        match target.attribute.source {
            Source::Members => return self.members(target, test),
            Source::MemberOf => return self.groups(target, test),
            Source::Document
            | Source::Id
            | Source::Created
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
            | Source::Secret => {}
        }
        match indexed(target, test) {
            None => self.document(target, test),
            Some((sub, key)) => {
                let name = fold::full_name(target.extension, target.attribute, sub);
                // The index says everything about a single comparison, unless the value is long.
                if matches!(test, Test::Compare(..)) && !fold::index_is_vague(key) {
                    return self.index(&name, key);
                }
                self.push("(");
                self.index(&name, key);
                self.push(" AND ");
                self.document(target, test);
                self.push(")");
            }
        }
    }

    /// Looks into the stored document, or at a column.
    fn document(&mut self, target: &Target<'_>, test: Test<'_, '_>) {
        let attribute = target.attribute;
        let root = match target.extension {
            Some(schema) => format!("r.folded -> {}", self.dialect.member(&schema.id)),
            None => "r.folded".to_owned(),
        };
        let Some(sub) = target.sub else {
            return self.part(&Place::Object(root), attribute, test);
        };
        let inner = format!("{root} -> {}", self.dialect.member(&attribute.name));
        if attribute.multi {
            self.each(&inner, attribute, |writer, place| writer.part(place, sub, test));
        } else {
            self.part(&Place::Object(inner), sub, test);
        }
    }

    /// One attribute of a place: a list, an object or a simple value.
    fn part(&mut self, place: &Place, attribute: &Attribute, test: Test<'_, '_>) {
        let inner = match place {
            Place::Object(object) => {
                format!("{object} -> {}", self.dialect.member(&attribute.name))
            }
            Place::Row | Place::Simple(_) | Place::Member(_) | Place::Group(_) => {
                return self.scalar(place, attribute, test);
            }
        };
        if attribute.multi {
            self.each(&inner, attribute, |writer, place| {
                writer.element(place, attribute, test);
            });
        } else if attribute.is_complex() {
            // What is not there has no element; parts of `meta` are columns, always there.
            if attribute.sub.iter().any(Attribute::is_stored) {
                self.push(&format!("(({inner}) IS NOT NULL AND "));
            } else {
                self.push("(");
            }
            self.element(&Place::Object(inner), attribute, test);
            self.push(")");
        } else {
            self.scalar(place, attribute, test);
        }
    }

    /// Some element of a JSON array fulfils the condition that `inner` writes.
    fn each(&mut self, array: &str, attribute: &Attribute, inner: impl FnOnce(&mut Self, &Place)) {
        let alias = self.alias();
        let rows = self.dialect.each(array, &alias);
        let place = if attribute.is_complex() {
            Place::Object(format!("{alias}.value"))
        } else {
            Place::Simple(self.dialect.simple(&alias))
        };
        self.push(&format!("EXISTS (SELECT 1 FROM {rows} WHERE "));
        inner(self, &place);
        self.push(")");
    }

    /// One element of an attribute as a whole.
    fn element(&mut self, place: &Place, attribute: &Attribute, test: Test<'_, '_>) {
        match test {
            Test::Within(filter) => self.bound(place, filter),
            Test::Present if attribute.is_complex() => {
                self.push("(1 = 0");
                // What Usher derives from a stored part is there only together with it.
                let derived = !attribute.sub.iter().any(Attribute::is_stored);
                for sub in attribute.sub.iter().filter(|sub| derived || sub.is_stored()) {
                    self.push(" OR ");
                    self.part(place, sub, Test::Present);
                }
                self.push(")");
            }
            Test::Present | Test::Compare(..) => self.scalar(place, attribute, test),
        }
    }
}

#[cfg(test)]
mod tests;
