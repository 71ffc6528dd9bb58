//! Operations on `schemas`, which follows from the data.

use serde_json::Value;

use super::Kind;
use super::work::Work;
use crate::scim::accept;
use crate::scim::error::Error;
use crate::scim::filter::{Filter, Literal, Op};
use crate::scim::resource_type::ResourceType;
use crate::scim::urn;

/// An extension is listed as soon as it has data, so that announcing it changes nothing; what is
/// announced must be known all the same (RFC 7643 s3).
pub(super) fn by_path(rt: &ResourceType, op: Kind, value: &Value) -> Result<(), Error> {
    let list = match value {
        Value::Null => Value::Array(Vec::new()),
        Value::Array(_) => value.clone(),
        one => Value::Array(vec![one.clone()]),
    };
    let urns = accept::listed(rt, &list)?;
    match op {
        Kind::Add => Ok(()),
        Kind::Replace if urns.iter().any(|found| urn::same(found, &rt.schema.id)) => Ok(()),
        Kind::Remove | Kind::Replace => Err(base(rt)),
    }
}

/// `schemas[value eq "urn:…"]`: removing an extension's URN removes its data, since the two stand
/// or fall together.
pub(super) fn by_filter(work: &mut Work<'_>, op: Kind, filter: &Filter) -> Result<(), Error> {
    let Filter::Compare { op: Op::Eq, value: Literal::Text(text), .. } = filter else {
        return Err(Error::InvalidFilter("A filter on schemas compares one value with eq.".into()));
    };
    let urns = accept::listed(work.rt, &Value::from(vec![text.as_str()]))?;
    match op {
        Kind::Add => Ok(()),
        Kind::Remove => match urns.first().and_then(|found| work.rt.extension(found)) {
            Some(extension) => super::extension::remove(work, &extension.schema),
            None => Err(base(work.rt)),
        },
        Kind::Replace => Err(Error::Mutability(
            "A value of schemas cannot be replaced by another; add or remove extensions.".into(),
        )),
    }
}

fn base(rt: &ResourceType) -> Error {
    Error::Mutability(format!("schemas always lists '{}'; it cannot be removed.", rt.schema.id))
}
