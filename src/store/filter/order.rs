//! Sorting as SQL (RFC 7644 s3.4.2.3).

use crate::scim::attribute::{Attribute, Source, Type};
use crate::scim::cursor::SortKey;
use crate::scim::filter::Target;
use crate::store::filter::value::Expression;
use crate::store::filter::{Place, World, Writer};
use crate::store::{Dialect, Sql};

/// As what values are sorted; the parts of one list must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sorted {
    /// Texts, by code point.
    Text,
    /// Whole numbers; moments and truth values too.
    Whole,
    /// Fractions.
    Fraction,
}

impl Sorted {
    /// As what the values of this attribute are sorted.
    pub fn of(target: &Target<'_>) -> Self {
        match target.leaf().kind {
            Type::String | Type::Reference | Type::Binary | Type::Complex => Self::Text,
            Type::Integer | Type::Boolean | Type::DateTime => Self::Whole,
            Type::Decimal => Self::Fraction,
        }
    }

    /// Whether a key is of this sort.
    pub fn fits(self, key: &SortKey) -> bool {
        match (self, key) {
            (Self::Text, SortKey::Text(_))
            | (Self::Whole, SortKey::Int(_))
            | (Self::Fraction, SortKey::Real(_)) => true,
            (Self::Text | Self::Whole | Self::Fraction, _) => false,
        }
    }
}

/// Appends the value that a resource is sorted by: a text or a number; NULL where it has none. Of
/// several values the primary one counts, else the first.
///
/// Without a target it is the NULL of a type that lacks the attribute.
pub fn sort_key(
    sql: &mut Sql,
    dialect: Dialect,
    world: &World<'_>,
    target: Option<&Target<'_>>,
    sorted: Sorted,
) {
    match target {
        Some(target) => {
            let mut writer = Writer::new(sql, dialect, world);
            let key = writer.sort_key(target).text;
            writer.push(&key);
        }
        None => {
            sql.push(match sorted {
                Sorted::Text => "CAST(NULL AS TEXT)",
                Sorted::Whole => "CAST(NULL AS BIGINT)",
                Sorted::Fraction => "CAST(NULL AS DOUBLE PRECISION)",
            });
        }
    }
}

impl Writer<'_, '_> {
    fn sort_key(&mut self, target: &Target<'_>) -> Expression {
        let (attribute, leaf) = (target.attribute, target.leaf());
        let root = match target.extension {
            Some(schema) => format!("r.folded -> {}", self.dialect.member(&schema.id)),
            None => "r.folded".to_owned(),
        };
        let inner = format!("{root} -> {}", self.dialect.member(&attribute.name));
        if attribute.source == Source::Members {
            return self.first_member(leaf);
        }
        if attribute.source == Source::MemberOf {
            return self.first_group(leaf);
        }
        let place = match target.sub {
            None => Place::Object(root),
            Some(_) => Place::Object(inner.clone()),
        };
        if attribute.multi {
            return self.first_of(&inner, attribute, leaf);
        }
        if leaf.multi {
            let list = format!("{inner} -> {}", self.dialect.member(&leaf.name));
            return self.first_of(&list, leaf, leaf);
        }
        self.expression(&place, leaf)
    }

    fn first_of(&mut self, list: &str, attribute: &Attribute, leaf: &Attribute) -> Expression {
        let alias = self.alias();
        let rows = self.dialect.each(list, &alias);
        let place = if attribute.is_complex() {
            Place::Object(format!("{alias}.value"))
        } else {
            Place::Simple(self.dialect.simple(&alias))
        };
        let value = match &place {
            Place::Object(object) if leaf.multi => {
                let list = format!("{object} -> {}", self.dialect.member(&leaf.name));
                self.first_of(&list, leaf, leaf).text
            }
            Place::Row
            | Place::Object(_)
            | Place::Simple(_)
            | Place::Member(_)
            | Place::Group(_) => self.expression(&place, leaf).text,
        };
        let primary = match (&place, attribute.sub("primary")) {
            (Place::Object(object), Some(_)) => {
                format!("CASE WHEN CAST({object} ->> 'primary' AS BIGINT) = 1 THEN 0 ELSE 1 END, ")
            }
            _ => String::new(),
        };
        nullable(format!(
            "(SELECT {value} FROM {rows} WHERE {value} IS NOT NULL \
             ORDER BY {primary}{alias}.key LIMIT 1)"
        ))
    }

    fn first_member(&mut self, leaf: &Attribute) -> Expression {
        let alias = self.alias();
        let tenant = self.tenant();
        let value = self.expression(&Place::Member(alias.clone()), leaf).text;
        nullable(format!(
            "(SELECT {value} FROM members {alias} WHERE {alias}.tenant = {tenant} \
             AND {alias}.group_id = r.id ORDER BY {alias}.member_id LIMIT 1)"
        ))
    }

    fn first_group(&mut self, leaf: &Attribute) -> Expression {
        let alias = self.alias();
        let (walk, rows) = self.walk_up(&alias);
        let value = self.expression(&Place::Group(alias.clone()), leaf).text;
        nullable(format!(
            "({walk} SELECT {value} FROM {rows} ORDER BY {alias}.depth, {alias}.id LIMIT 1)"
        ))
    }
}

fn nullable(text: String) -> Expression {
    Expression { text, nullable: true }
}
