//! Single values as SQL, and what is asked of them.

use std::fmt::Write as _;

use crate::scim::attribute::{Attribute, Source, Type};
use crate::scim::filter::Op;
use crate::scim::fold::{self, Key};
use crate::scim::resource_type::ResourceType;
use crate::store::Value;
use crate::store::dialect::literal;
use crate::store::filter::{Place, Test, Writer};

/// An expression, and whether it can be NULL.
pub(super) struct Expression {
    pub(super) text: String,
    pub(super) nullable: bool,
}

fn certain(text: impl Into<String>) -> Expression {
    Expression { text: text.into(), nullable: false }
}

fn uncertain(text: impl Into<String>) -> Expression {
    Expression { text: text.into(), nullable: true }
}

impl Writer<'_, '_> {
    /// A test of one single value.
    pub(super) fn scalar(&mut self, place: &Place, attribute: &Attribute, test: Test<'_, '_>) {
        let Expression { text, nullable } = self.expression(place, attribute);
        let condition = match test {
            Test::Within(filter) => return self.bound(place, filter),
            Test::Present if attribute.is_text() => format!("{text} <> ''"),
            Test::Present => format!("{text} IS NOT NULL"),
            Test::Compare(op, key) => {
                let value = typed(&text, attribute, key);
                let operand = self.sql.hold(operand(key));
                self.comparison(&value, op, &operand, matches!(key, Key::Text(_)))
            }
        };
        // Closed only where needed: neither planner finds an index behind IS TRUE.
        self.push(&if nullable {
            format!("(({condition}) IS TRUE)")
        } else {
            format!("({condition})")
        });
    }

    fn comparison(&self, value: &str, op: Op, operand: &str, is_text: bool) -> String {
        let ordered = |sign: &str| {
            let left = if is_text { self.dialect.by_code_point(value) } else { value.to_owned() };
            format!("{left} {sign} {operand}")
        };
        match op {
            Op::Eq => format!("{value} = {operand}"),
            Op::Ne => format!("{value} <> {operand}"),
            Op::Co => self.dialect.contains(value, operand),
            Op::Sw => format!("substr({value}, 1, length({operand})) = {operand}"),
            Op::Ew => self.dialect.ends_with(value, operand),
            Op::Gt => ordered(">"),
            Op::Ge => ordered(">="),
            Op::Lt => ordered("<"),
            Op::Le => ordered("<="),
        }
    }

    /// The value of an attribute, of the type of its normal form.
    pub(super) fn expression(&mut self, place: &Place, attribute: &Attribute) -> Expression {
        match attribute.source {
            Source::Document => uncertain(cast(&self.stored(place, attribute), attribute)),
            Source::Id => certain("r.id"),
            Source::Created => certain("r.created_at"),
            Source::Modified => certain("r.modified_at"),
            Source::Version => certain("('W/\"' || CAST(r.version AS TEXT) || '\"')"),
            Source::Kind => certain("r.kind"),
            Source::Location => {
                let base = self.base();
                let below = literal(&format!("{}/", self.world.rt.endpoint));
                certain(format!("({base} || {below} || r.id)"))
            }
            Source::RowValue => match place {
                Place::Member(alias) => certain(format!("{alias}.member_id")),
                Place::Group(alias) => certain(format!("{alias}.id")),
                Place::Row | Place::Object(_) | Place::Simple(_) => uncertain("NULL"),
            },
            Source::RowType => self.row_type(place, attribute),
            Source::Link => {
                let address = self.address(attribute);
                self.linked(place, &address)
            }
            Source::Label => self.linked(place, &label(attribute)),
            Source::Linked => {
                let own = self.stored(place, attribute);
                let said = format!("l.folded ->> {}", self.dialect.member(&attribute.name));
                let said = self.linked(place, &said).text;
                uncertain(cast(&format!("COALESCE({own}, {said})"), attribute))
            }
            // Binding refuses these: lists are taken apart before, the others never.
            Source::Members | Source::MemberOf | Source::Counted | Source::Secret => {
                uncertain("NULL")
            }
        }
    }

    fn stored(&self, place: &Place, attribute: &Attribute) -> String {
        match place {
            Place::Object(object) => {
                format!("({object} ->> {})", self.dialect.member(&attribute.name))
            }
            Place::Simple(value) => value.clone(),
            Place::Row => format!("(r.folded ->> {})", self.dialect.member(&attribute.name)),
            Place::Member(_) | Place::Group(_) => "NULL".to_owned(),
        }
    }

    fn row_type(&self, place: &Place, attribute: &Attribute) -> Expression {
        let word = |text: &str| literal(&fold::text(attribute, text));
        match place {
            Place::Member(alias) => {
                let mut cases = format!("(CASE {alias}.member_kind");
                for rt in self.world.registry.types() {
                    let _ = write!(cases, " WHEN {} THEN {}", literal(&rt.name), word(&rt.name));
                }
                uncertain(cases + " END)")
            }
            Place::Group(alias) => certain(format!(
                "(CASE WHEN {alias}.depth = 1 THEN {} ELSE {} END)",
                word("direct"),
                word("indirect")
            )),
            Place::Row | Place::Object(_) | Place::Simple(_) => uncertain("NULL"),
        }
    }

    /// The URI of the resource `l`; none for a type that the reference may not point to.
    fn address(&mut self, attribute: &Attribute) -> String {
        let base = self.base();
        let mut text = format!("({base} || CASE l.kind");
        let types = self.world.registry.types().iter();
        for rt in types.filter(|rt| attribute.references.contains(&rt.name)) {
            let below = literal(&format!("{}/", rt.endpoint));
            let _ = write!(text, " WHEN {} THEN {below}", literal(&rt.name));
        }
        text + " ELSE NULL END || l.id)"
    }

    /// The types whose resources have members.
    pub(super) fn group_kinds(&self) -> String {
        self.kinds(|rt| rt.attribute_of(Source::Members).is_some())
    }

    fn kinds(&self, wanted: impl Fn(&ResourceType) -> bool) -> String {
        let types = self.world.registry.types().iter().filter(|rt| wanted(rt));
        types.map(|rt| literal(&rt.name)).collect::<Vec<_>>().join(", ")
    }

    /// An expression over the resource `l` that a row or the sibling `value` points to.
    fn linked(&mut self, place: &Place, wanted: &str) -> Expression {
        let (kind, id) = match place {
            Place::Member(alias) => {
                (format!("= {alias}.member_kind"), format!("{alias}.member_id"))
            }
            Place::Group(alias) => (format!("IN ({})", self.group_kinds()), format!("{alias}.id")),
            Place::Object(object) => {
                (format!("IN ({})", self.kinds(|_| true)), format!("({object} ->> 'value')"))
            }
            Place::Row | Place::Simple(_) => return uncertain("NULL"),
        };
        let tenant = self.tenant();
        uncertain(format!(
            "(SELECT {wanted} FROM resources l WHERE l.tenant = {tenant} AND l.kind {kind} \
             AND l.id = {id} LIMIT 1)"
        ))
    }
}

/// The name of the resource `l`, NULL when it has none.
pub(super) fn label(attribute: &Attribute) -> String {
    if attribute.case_exact {
        return "NULLIF(l.label, '')".to_owned();
    }
    format!("NULLIF(l.folded ->> {}, '')", literal(fold::LABEL))
}

/// JSON gives text; numbers, moments and booleans are numbers.
fn cast(text: &str, attribute: &Attribute) -> String {
    match attribute.kind {
        Type::Boolean | Type::Integer | Type::DateTime => format!("CAST({text} AS BIGINT)"),
        Type::Decimal => format!("CAST({text} AS DOUBLE PRECISION)"),
        Type::String | Type::Binary | Type::Reference | Type::Complex => text.to_owned(),
    }
}

/// A whole number is compared with a fraction as a fraction.
fn typed(text: &str, attribute: &Attribute, key: &Key) -> String {
    match (attribute.kind, key) {
        (Type::Integer, Key::Real(_)) => format!("CAST({text} AS DOUBLE PRECISION)"),
        _ => text.to_owned(),
    }
}

fn operand(key: &Key) -> Value {
    match key {
        Key::Text(text) => Value::from(text.as_str()),
        Key::Int(number) => Value::from(*number),
        Key::Real(number) => Value::from(*number),
        Key::Bool(value) => Value::from(i64::from(*value)),
    }
}
