//! Which attributes an answer shows (RFC 7643 s7 `returned`, RFC 7644 s3.9).

use serde_json::Value;

use crate::scim::Doc;
use crate::scim::attribute::{Attribute, Returned, Source, Sources};
use crate::scim::error::Error;
use crate::scim::path::{AttrPath, Place, excerpt};
use crate::scim::quirks::{Quirk, Quirks};
use crate::scim::resource_type::ResourceType;
use crate::scim::schema::Schema;

mod sent;
#[cfg(test)]
mod tests;

pub use sent::Sent;

/// What `attributes` and `excludedAttributes` make of a resource.
#[derive(Debug, Clone)]
pub struct Projection<'a> {
    rt: &'a ResourceType,
    mode: Mode,
    named: Vec<Place<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The default set without the named ones; nothing may be named.
    Without,
    /// The named ones alone.
    Only,
}

/// How much of one attribute is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show {
    Nothing,
    /// Its default sub-attributes.
    Whole,
    /// Those sub-attributes that are named, or are not.
    Parts,
}

impl<'a> Projection<'a> {
    /// Everything that is shown by default.
    pub fn everything(rt: &'a ResourceType) -> Self {
        Self { rt, mode: Mode::Without, named: Vec::new() }
    }

    /// What these lists of names ask for. Unknown names are ignored, malformed ones refused.
    pub fn new(
        rt: &'a ResourceType,
        attributes: &[String],
        excluded: &[String],
        quirks: Quirks,
    ) -> Result<Self, Error> {
        // RFC 7644 s3.9 calls the two exclusive and defines no error.
        if !attributes.is_empty() && !excluded.is_empty() && !quirks.on(Quirk::BothProjections) {
            return Err(Error::InvalidValue(
                "Send either attributes or excludedAttributes, not both.".to_owned(),
            ));
        }
        let only = !attributes.is_empty();
        let (mode, list) = if only { (Mode::Only, attributes) } else { (Mode::Without, excluded) };
        let mut places = Vec::new();
        for name in list {
            places.extend(rt.resolve(&read(name, quirks)?));
        }
        Ok(Self { rt, mode, named: places })
    }

    /// The places of which any value is shown, so that they have to be read.
    pub fn wanted(&self) -> Sources {
        let mut wanted = Sources::default();
        for (extension, attribute) in self.rt.attributes() {
            let show = self.show(extension, attribute, &Sent::nothing());
            if show == Show::Nothing {
                continue;
            }
            wanted.add(attribute.source);
            for sub in &attribute.sub {
                if !wanted.has(sub.source) && self.shows_sub(extension, attribute, sub, show) {
                    wanted.add(sub.source);
                }
            }
        }
        wanted
    }

    /// The names of attributes that are shown and have to be counted for that.
    pub fn counted(&self) -> Vec<&'a str> {
        let shown = self.rt.attributes().filter(|(extension, attribute)| {
            attribute.source == Source::Counted
                && self.show(*extension, attribute, &Sent::nothing()) != Show::Nothing
        });
        shown.map(|(_, attribute)| attribute.name.as_str()).collect()
    }

    /// Whether every row of this attribute shows something, whatever it holds.
    pub fn shows_every_row(&self, source: Source) -> bool {
        let Some(attribute) = self.rt.attribute_of(source) else { return false };
        let show = self.show(None, attribute, &Sent::nothing());
        let certain = |sub: &&Attribute| matches!(sub.source, Source::RowValue | Source::RowType);
        attribute.sub.iter().filter(certain).any(|sub| self.shows_sub(None, attribute, sub, show))
    }

    /// The part of a full document that is shown.
    ///
    /// Answers are written by [`crate::scim::render::text::Writer`], which asks for one attribute
    /// after the other; this is what tests hold it against.
    pub fn apply(&self, full: Doc, sent: &Sent) -> Doc {
        let mut shown = Doc::new();
        for (name, value) in full {
            if let Some(attribute) = self.rt.core(&name) {
                if let Some(value) = self.value(None, attribute, || value, sent) {
                    shown.insert(name, value);
                }
            } else if let Some(extension) = self.rt.extension(&name)
                && let Value::Object(object) = value
            {
                let inner = self.extension(&extension.schema, object, sent);
                if !inner.is_empty() {
                    shown.insert(name, inner.into());
                }
            }
        }
        shown
    }

    fn extension(&self, schema: &Schema, object: Doc, sent: &Sent) -> Doc {
        let mut shown = Doc::new();
        for (name, value) in object {
            let Some(attribute) = schema.attribute(&name) else { continue };
            if let Some(value) = self.value(Some(schema), attribute, || value, sent) {
                shown.insert(name, value);
            }
        }
        shown
    }

    /// The shown part of one attribute's value, which is made only where some of it is shown.
    pub(super) fn value(
        &self,
        extension: Option<&Schema>,
        attribute: &Attribute,
        value: impl FnOnce() -> Value,
        sent: &Sent,
    ) -> Option<Value> {
        let show = self.show(extension, attribute, sent);
        if show == Show::Nothing {
            return None;
        }
        let value = value();
        if !attribute.is_complex() {
            return Some(value);
        }
        let keep = |name: &str| {
            attribute.sub(name).is_some_and(|sub| self.shows_sub(extension, attribute, sub, show))
        };
        let part = |value: Value| match value {
            Value::Object(mut object) => {
                object.retain(|name, _| keep(name));
                (!object.is_empty()).then_some(Value::Object(object))
            }
            other => Some(other),
        };
        match value {
            // `members: []` says something; a list whose elements have all become empty does not.
            Value::Array(elements) if elements.is_empty() => Some(Value::Array(elements)),
            Value::Array(elements) => {
                let left: Vec<_> = elements.into_iter().filter_map(part).collect();
                (!left.is_empty()).then_some(Value::Array(left))
            }
            other => part(other),
        }
    }

    /// Whether an attribute is shown with all that is shown of it by default.
    pub(super) fn shows_whole(
        &self,
        extension: Option<&Schema>,
        attribute: &Attribute,
        sent: &Sent,
    ) -> bool {
        self.show(extension, attribute, sent) == Show::Whole
    }

    /// Whether a sub-attribute is shown of an attribute that is shown whole.
    pub(super) fn shows_part(
        &self,
        extension: Option<&Schema>,
        attribute: &Attribute,
        sub: &Attribute,
    ) -> bool {
        self.shows_sub(extension, attribute, sub, Show::Whole)
    }

    fn show(&self, extension: Option<&Schema>, attribute: &Attribute, sent: &Sent) -> Show {
        let (mut whole, mut parts, mut schema) = (false, false, false);
        for place in &self.named {
            match place {
                Place::Extension(named) => {
                    schema |= extension.is_some_and(|extension| extension.id == named.id);
                }
                Place::Attribute { extension: at, attribute: named, sub } => {
                    let same = at.map(|at| &at.id) == extension.map(|extension| &extension.id)
                        && named.name == attribute.name;
                    whole |= same && sub.is_none();
                    parts |= same && sub.is_some();
                }
            }
        }
        let by_default = match attribute.returned {
            Returned::Always => return Show::Whole,
            Returned::Never => return Show::Nothing,
            Returned::Default => true,
            Returned::Request => sent.has(extension, attribute),
        };
        match self.mode {
            Mode::Only if whole || schema && attribute.returned == Returned::Default => Show::Whole,
            Mode::Only if parts => Show::Parts,
            // RFC 7643 s7: also "if the attribute was specified by the client" in this request.
            Mode::Only if attribute.returned == Returned::Request && by_default => Show::Whole,
            Mode::Only => Show::Nothing,
            Mode::Without if whole || schema || !by_default => Show::Nothing,
            Mode::Without if parts => Show::Parts,
            Mode::Without => Show::Whole,
        }
    }

    fn shows_sub(
        &self,
        extension: Option<&Schema>,
        attribute: &Attribute,
        sub: &Attribute,
        show: Show,
    ) -> bool {
        let named = || {
            self.named.iter().any(|place| match place {
                Place::Extension(_) => false,
                Place::Attribute { extension: at, attribute: of, sub: named } => {
                    at.map(|at| &at.id) == extension.map(|extension| &extension.id)
                        && of.name == attribute.name
                        && named.is_some_and(|named| named.name == sub.name)
                }
            })
        };
        if show == Show::Nothing {
            return false;
        }
        match sub.returned {
            Returned::Never => false,
            Returned::Always => true,
            Returned::Request => self.mode == Mode::Only && named(),
            Returned::Default => match (show, self.mode) {
                (Show::Parts, Mode::Only) => named(),
                (Show::Parts, Mode::Without) => !named(),
                (Show::Whole | Show::Nothing, _) => true,
            },
        }
    }
}

fn read(name: &str, quirks: Quirks) -> Result<AttrPath, Error> {
    let plain = match (name.find('['), name.rfind(']')) {
        (Some(open), Some(close)) if open < close && quirks.on(Quirk::FilteredAttribute) => {
            format!("{}{}", &name[..open], &name[close + 1..])
        }
        _ => name.to_owned(),
    };
    AttrPath::parse(&plain).map_err(|_| {
        Error::InvalidValue(format!(
            "'{}' in attributes or excludedAttributes is not the name of an attribute.",
            excerpt(name)
        ))
    })
}
