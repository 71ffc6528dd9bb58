//! PUT (RFC 7644 s3.5.1): which of the old values stay.

use serde_json::{Map, Value};

use super::{Accepted, Read, Rules, check, finish, is_schemas, read};
use crate::scim::Doc;
use crate::scim::attribute::{Attribute, Mutability};
use crate::scim::error::Error;
use crate::scim::resource_type::ResourceType;

/// Attributes that stay when a PUT leaves them out: some providers'
/// templates never send them, and clearing would reactivate people or take their rights.
const KEPT: [&str; 3] = ["active", "roles", "entitlements"];

/// The resource that a PUT asks for.
///
/// Core attributes that are left out are cleared but for `active`, `roles` and `entitlements`; an
/// extension that is left out stays, one that is sent replaces all its attributes.
pub fn replace(
    rt: &ResourceType,
    before: &Doc,
    body: Value,
    rules: Rules,
) -> Result<Accepted, Error> {
    let Read { accepted, sent: named } = read(rt, body, rules)?;
    let Accepted { mut doc, password, members } = accepted;
    for attribute in rt.common().iter().chain(&rt.schema.attributes) {
        if is_schemas(attribute) {
            continue;
        }
        let sent = named.has(None, attribute);
        let kept = KEPT.contains(&attribute.name.as_str());
        carry(attribute, &attribute.name, before, &mut doc, Sent { sent, kept })?;
    }
    for extension in &rt.extensions {
        let schema = &extension.schema;
        let Some(old @ Value::Object(values)) = before.get(&schema.id) else { continue };
        if !named.has_extension(schema) {
            doc.insert(schema.id.clone(), old.clone());
            continue;
        }
        let mut object = match doc.get_mut(&schema.id).map(Value::take) {
            Some(Value::Object(object)) => object,
            _ => Map::new(),
        };
        for attribute in &schema.attributes {
            let at = format!("{}:{}", schema.id, attribute.name);
            let sent = object.contains_key(&attribute.name);
            carry(attribute, &at, values, &mut object, Sent { sent, kept: false })?;
        }
        doc.insert(schema.id.clone(), Value::Object(object));
    }
    finish(rt, &mut doc);
    check(rt, &doc, rules)?;
    Ok(Accepted { doc, password, members })
}

#[derive(Clone, Copy)]
struct Sent {
    sent: bool,
    kept: bool,
}

/// Carries an old value over where the client may not or did not change it.
fn carry(
    attribute: &Attribute,
    at: &str,
    before: &Map<String, Value>,
    after: &mut Map<String, Value>,
    sent: Sent,
) -> Result<(), Error> {
    let Some(old) = before.get(&attribute.name) else { return Ok(()) };
    let stays = match attribute.mutability {
        Mutability::ReadOnly => true,
        // RFC 7644 s3.5.1: "If one or more values are already set for the attribute, the input
        // value(s) MUST match".
        Mutability::Immutable => {
            if sent.sent && after.get(&attribute.name) != Some(old) {
                return Err(fixed(at));
            }
            true
        }
        // Nobody can send back what nobody can read.
        Mutability::WriteOnly => !sent.sent,
        Mutability::ReadWrite => sent.kept && !sent.sent,
    };
    if stays {
        after.insert(attribute.name.clone(), old.clone());
        return Ok(());
    }
    match (old, after.get_mut(&attribute.name)) {
        (Value::Object(old), Some(Value::Object(new))) => {
            for sub in &attribute.sub {
                let sent = Sent { sent: new.contains_key(&sub.name), kept: false };
                carry(sub, &format!("{at}.{}", sub.name), old, new, sent)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// That an immutable attribute has another value.
pub(crate) fn fixed(at: &str) -> Error {
    Error::Mutability(format!(
        "{at} is immutable: it already has a value, which cannot be changed or removed."
    ))
}
