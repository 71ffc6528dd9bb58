//! Gives a filter its meaning in one resource type: names become attributes, operands get the type
//! and the normal form of what they are compared with.

use crate::scim::attribute::{Attribute, Returned, Source};
use crate::scim::error::Error;
use crate::scim::filter::{Filter, Literal, Op};
use crate::scim::fold::{self, Key};
use crate::scim::path::{AttrPath, Place, excerpt};
use crate::scim::quirks::{Quirk, Quirks};
use crate::scim::resource_type::ResourceType;
use crate::scim::schema::Schema;
use crate::scim::urn;

mod operand;

/// How a filter is bound.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// Which leniency operands get.
    pub quirks: Quirks,
    /// What an unknown attribute means.
    pub unknown: Unknown,
}

/// What an attribute means that the resource type does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// A mistake of the client.
    Refuse,
    /// An attribute without value: a query over all types asks each for what only some have
    /// (RFC 7644 s3.4.2.1).
    NoValue,
}

/// A filter that knows its attributes.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound<'a> {
    /// All of these.
    And(Vec<Bound<'a>>),
    /// Any of these.
    Or(Vec<Bound<'a>>),
    /// The opposite.
    Not(Box<Bound<'a>>),
    /// True for nothing.
    Never,
    /// The attribute has a value that is not empty.
    Present(Target<'a>),
    /// Some value compares like this; with `ne`: no value equals.
    Compare {
        /// The attribute.
        target: Target<'a>,
        /// The operator.
        op: Op,
        /// What to compare with, in its normal form.
        key: Key,
    },
    /// One element fulfils the whole inner filter.
    Within {
        /// The attribute, without sub-attribute.
        target: Target<'a>,
        /// What the element must fulfil.
        filter: Box<Bound<'a>>,
    },
}

/// What is compared.
///
/// Inside [`Bound::Within`] the attribute is the sub-attribute, or, for `value` of a list of simple
/// values, the listed attribute itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target<'a> {
    /// The extension that holds the attribute.
    pub extension: Option<&'a Schema>,
    /// The attribute.
    pub attribute: &'a Attribute,
    /// Its sub-attribute.
    pub sub: Option<&'a Attribute>,
}

impl<'a> Target<'a> {
    /// The attribute whose values are compared: the sub-attribute, where there is one.
    pub fn leaf(&self) -> &'a Attribute {
        self.sub.unwrap_or(self.attribute)
    }

    /// The full name, `urn:…:User:manager.value`.
    pub fn name(&self) -> String {
        fold::full_name(self.extension, self.attribute, self.sub)
    }
}

/// Binds a filter to a resource type.
pub fn bind<'a>(rt: &'a ResourceType, filter: &Filter, rules: Binding) -> Result<Bound<'a>, Error> {
    Binder { scope: Scope::Resource(rt), rules }.filter(filter)
}

/// Binds the filter inside `attribute[…]`.
pub fn bind_elements<'a>(
    attribute: &'a Attribute,
    filter: &Filter,
    quirks: Quirks,
) -> Result<Bound<'a>, Error> {
    let rules = Binding { quirks, unknown: Unknown::Refuse };
    Binder { scope: Scope::Elements(attribute), rules }.filter(filter)
}

/// What `sortBy` names, if resources can be sorted by it (RFC 7644 s3.4.2.3).
pub fn sortable<'a>(rt: &'a ResourceType, path: &AttrPath) -> Result<Target<'a>, Error> {
    let refuse =
        |why: &str| Error::InvalidValue(format!("sortBy: '{}' {why}", excerpt(&path.to_string())));
    let (extension, attribute, sub) = match rt.resolve(path) {
        None => return Err(refuse(&format!("is no attribute of {}.", rt.name))),
        Some(Place::Extension(_)) => {
            return Err(refuse("is an extension. Name an attribute of it."));
        }
        Some(Place::Attribute { extension, attribute, sub }) => (extension, attribute, sub),
    };
    let mut target = Target { extension, attribute, sub };
    if attribute.multi && attribute.is_complex() && sub.is_none() {
        target.sub = attribute.sub("value");
    }
    if target.leaf().is_complex() {
        return Err(refuse("has several parts. Name one of them, such as name.familyName."));
    }
    if is_hidden(attribute) || target.sub.is_some_and(is_hidden) {
        return Err(refuse(
            "is never shown, or counted only when it is asked for, and cannot be sorted by.",
        ));
    }
    Ok(target)
}

/// Whether a filter or sort could spy on a value that nobody may read (RFC 7643 s7 `returned`), or
/// would have to count something for each resource that there is.
fn is_hidden(attribute: &Attribute) -> bool {
    let is_kept = matches!(attribute.source, Source::Secret | Source::Counted);
    attribute.returned == Returned::Never || is_kept
}

#[derive(Clone, Copy)]
enum Scope<'a> {
    Resource(&'a ResourceType),
    Elements(&'a Attribute),
}

enum Found<'a> {
    Target(Target<'a>),
    Extension(&'a Schema),
    Nothing,
}

struct Binder<'a> {
    scope: Scope<'a>,
    rules: Binding,
}

impl<'a> Binder<'a> {
    fn filter(&self, filter: &Filter) -> Result<Bound<'a>, Error> {
        let all = |terms: &[Filter]| {
            terms.iter().map(|term| self.filter(term)).collect::<Result<Vec<_>, _>>()
        };
        match filter {
            Filter::And(terms) => Ok(Bound::And(all(terms)?)),
            Filter::Or(terms) => Ok(Bound::Or(all(terms)?)),
            Filter::Not(inner) => Ok(Bound::Not(Box::new(self.filter(inner)?))),
            Filter::Present(path) => self.present(path),
            Filter::Compare { path, op, value } => self.compare(path, *op, value),
            Filter::Within { path, filter } => self.within(path, filter),
        }
    }

    fn resolve(&self, path: &AttrPath) -> Result<Found<'a>, Error> {
        let found = match self.scope {
            Scope::Resource(rt) => match rt.resolve(path) {
                None => Found::Nothing,
                Some(Place::Extension(schema)) => Found::Extension(schema),
                Some(Place::Attribute { extension, attribute, sub }) => {
                    Found::Target(Target { extension, attribute, sub })
                }
            },
            Scope::Elements(parent) => element_target(parent, path),
        };
        match &found {
            Found::Nothing if self.rules.unknown == Unknown::Refuse => Err(self.unknown(path)),
            Found::Target(target) if is_hidden(target.attribute) || is_hidden(target.leaf()) => {
                Err(Error::InvalidFilter(format!(
                    "'{}' is never shown, or counted only when it is asked for, and cannot be filtered by.",
                    target.name()
                )))
            }
            Found::Target(_) | Found::Extension(_) | Found::Nothing => Ok(found),
        }
    }

    fn unknown(&self, path: &AttrPath) -> Error {
        let name = excerpt(&path.to_string());
        Error::InvalidFilter(match self.scope {
            Scope::Resource(rt) => format!("{} has no attribute '{name}'.", rt.name),
            Scope::Elements(parent) => format!(
                "'{}' has no sub-attribute '{name}'. Inside [ ] stand names of sub-attributes.",
                parent.name
            ),
        })
    }

    fn present(&self, path: &AttrPath) -> Result<Bound<'a>, Error> {
        Ok(match self.resolve(path)? {
            Found::Nothing => Bound::Never,
            Found::Target(target) => Bound::Present(target),
            // An extension is present when any of it is.
            Found::Extension(schema) => Bound::Or(
                schema
                    .attributes
                    .iter()
                    .filter(|attribute| !is_hidden(attribute))
                    .map(|attribute| {
                        Bound::Present(Target { extension: Some(schema), attribute, sub: None })
                    })
                    .collect(),
            ),
        })
    }

    fn compare(&self, path: &AttrPath, op: Op, value: &Literal) -> Result<Bound<'a>, Error> {
        let target = match self.resolve(path)? {
            Found::Target(target) => target,
            Found::Extension(schema) => {
                return Err(Error::InvalidFilter(format!(
                    "'{}' is an extension. Compare an attribute of it.",
                    schema.id
                )));
            }
            Found::Nothing => {
                let holds = match operand::null(op, value, path)? {
                    Some(null) => null == Op::Eq,
                    None => op == Op::Ne,
                };
                return Ok(if holds { Bound::Not(Box::new(Bound::Never)) } else { Bound::Never });
            }
        };
        // RFC 7643 s2.5: null and unassigned are the same.
        if let Some(op) = operand::null(op, value, path)? {
            let present = Bound::Present(target);
            return Ok(if op == Op::Ne { present } else { Bound::Not(Box::new(present)) });
        }
        let target = self.simple(target)?;
        operand::check(&target, op)?;
        let mut key = operand::key(&target, value, self.rules.quirks)?;
        self.canonical_schema(&target, &mut key);
        Ok(not_primary(target, op, &key).unwrap_or(Bound::Compare { target, op, key }))
    }

    /// A complex attribute stands for its `value` (RFC 7644 s3.4.2.2 compares `emails co "x"`).
    fn simple(&self, target: Target<'a>) -> Result<Target<'a>, Error> {
        let leaf = target.leaf();
        if !leaf.is_complex() {
            return Ok(target);
        }
        let allowed = leaf.multi || self.rules.quirks.on(Quirk::ComplexInFilter);
        match leaf.sub("value").filter(|value| allowed && target.sub.is_none() && !is_hidden(value))
        {
            Some(value) => Ok(Target { sub: Some(value), ..target }),
            None => Err(Error::InvalidFilter(format!(
                "'{}' has several parts. Compare one of them: {}.",
                target.name(),
                leaf.sub.iter().map(|sub| sub.name.as_str()).collect::<Vec<_>>().join(", ")
            ))),
        }
    }

    /// URNs have no case, although `schemas` is a reference.
    fn canonical_schema(&self, target: &Target<'a>, key: &mut Key) {
        let (Scope::Resource(rt), Key::Text(text)) = (self.scope, key) else { return };
        if target.extension.is_some() || target.attribute.name != "schemas" {
            return;
        }
        let known = std::iter::once(&rt.schema)
            .chain(rt.extensions.iter().map(|extension| &extension.schema))
            .find(|schema| urn::same(&schema.id, text));
        if let Some(schema) = known {
            text.clone_from(&schema.id);
        }
    }

    fn within(&self, path: &AttrPath, filter: &Filter) -> Result<Bound<'a>, Error> {
        let refuse = |why: &str| {
            Err(Error::InvalidFilter(format!("'{}[ ]': {why}", excerpt(&path.to_string()))))
        };
        // Errata 4690 and 7322.
        if matches!(self.scope, Scope::Elements(_)) {
            return refuse("brackets cannot stand inside or behind brackets.");
        }
        let target = match self.resolve(path)? {
            Found::Nothing => return Ok(Bound::Never),
            Found::Extension(_) => return refuse("an extension has no elements."),
            Found::Target(target) => target,
        };
        let attribute = target.attribute;
        if target.sub.is_some() || !(attribute.multi || attribute.is_complex()) {
            return refuse("only an attribute with several values or parts can be searched.");
        }
        let inner = Binder { scope: Scope::Elements(attribute), rules: self.rules };
        Ok(Bound::Within { target, filter: Box::new(inner.filter(filter)?) })
    }
}

/// `primary eq false` and `primary ne false`: an element without `primary` is not the primary one
/// (RFC 7643 s2.4), so that what is asked is whether it is true.
fn not_primary<'a>(target: Target<'a>, op: Op, key: &Key) -> Option<Bound<'a>> {
    if target.leaf().name != "primary" || *key != Key::Bool(false) {
        return None;
    }
    let no =
        |target| Bound::Not(Box::new(Bound::Compare { target, op: Op::Eq, key: Key::Bool(true) }));
    let found = match target.sub {
        None => no(target),
        Some(attribute) => Bound::Within {
            target: Target { sub: None, ..target },
            filter: Box::new(no(Target { extension: None, attribute, sub: None })),
        },
    };
    Some(if op == Op::Ne { Bound::Not(Box::new(found)) } else { found })
}

fn element_target<'a>(parent: &'a Attribute, path: &AttrPath) -> Found<'a> {
    if path.urn.is_some() || path.sub.is_some() {
        return Found::Nothing;
    }
    let attribute = if parent.is_complex() {
        parent.sub(&path.name)
    } else {
        Some(parent).filter(|_| path.name.eq_ignore_ascii_case("value"))
    };
    attribute.map_or(Found::Nothing, |attribute| {
        Found::Target(Target { extension: None, attribute, sub: None })
    })
}

#[cfg(test)]
mod tests;
