//! What a bulk request says beside its operations.

use std::collections::HashSet;

use serde_json::Value;

use crate::scim::error::Error;
use crate::scim::json;
use crate::scim::path::excerpt;
use crate::scim::quirks::{Quirk, Quirks};
use crate::scim::urn;

/// Members that a message may have; four mean something.
const MOST_MEMBERS: usize = 1000;

/// A member of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    Schemas,
    FailOnErrors,
    Operations,
    /// Ignored.
    Other,
}

/// The members of the message but the operations.
#[derive(Default)]
pub(super) struct Head {
    /// Whether there is a list of operations.
    pub(super) listed: bool,
    schemas: Value,
    fail_on_errors: Value,
    /// What stands where the operations belong and is no list.
    instead: Value,
    seen: HashSet<String>,
}

impl Head {
    /// What the member of this name is.
    pub(super) fn meet(&mut self, name: &str) -> Result<Member, Error> {
        let lower = name.to_ascii_lowercase();
        let member = match lower.as_str() {
            "schemas" => Member::Schemas,
            "failonerrors" => Member::FailOnErrors,
            "operations" => Member::Operations,
            _ => Member::Other,
        };
        if self.seen.len() >= MOST_MEMBERS {
            return Err(Error::InvalidSyntax(format!(
                "The request has more than {MOST_MEMBERS} members; schemas, failOnErrors and Operations belong there."
            )));
        }
        if self.seen.insert(lower) {
            return Ok(member);
        }
        Err(Error::InvalidSyntax(format!(
            "The member '{}' occurs twice in one object; names are compared without case.",
            excerpt(name)
        )))
    }

    pub(super) fn put(&mut self, member: Member, value: Value) {
        match member {
            Member::Schemas => self.schemas = value,
            Member::FailOnErrors => self.fail_on_errors = value,
            Member::Operations => self.instead = value,
            Member::Other => {}
        }
    }

    /// Whether this is a bulk request at all.
    pub(super) fn check(&self, quirks: Quirks) -> Result<(), Error> {
        self.check_schemas(quirks)?;
        if self.listed {
            return Ok(());
        }
        Err(Error::InvalidSyntax(match &self.instead {
            Value::Null => {
                "Operations is missing; a bulk request has a list of operations.".to_owned()
            }
            other => format!("Operations is {}; a list belongs there.", json::describe(other)),
        }))
    }

    fn check_schemas(&self, quirks: Quirks) -> Result<(), Error> {
        let listed = match &self.schemas {
            Value::Array(listed) => listed.as_slice(),
            Value::Null => &[],
            other => {
                return Err(Error::InvalidSyntax(format!(
                    "schemas is {}; a list with '{}' belongs there.",
                    json::describe(other),
                    urn::BULK_REQUEST
                )));
            }
        };
        let is_ours =
            |entry: &Value| entry.as_str().is_some_and(|text| urn::same(text, urn::BULK_REQUEST));
        let fine = match listed {
            [] => quirks.on(Quirk::NoSchemas),
            [only] => is_ours(only),
            several => several.iter().any(is_ours) && quirks.on(Quirk::UnknownSchema),
        };
        if fine {
            return Ok(());
        }
        Err(Error::InvalidSyntax(format!(
            "schemas does not list '{}' alone, the schema of a bulk request.",
            urn::BULK_REQUEST
        )))
    }

    /// After how many errors to stop. None and 0 are the same: never.
    pub(super) fn fail_on_errors(&self) -> Result<Option<u64>, Error> {
        match &self.fail_on_errors {
            Value::Null => Ok(None),
            Value::Number(number) if number.is_u64() => Ok(number.as_u64().filter(|n| *n > 0)),
            Value::Number(number) => Err(Error::InvalidSyntax(format!(
                "failOnErrors is {number}; a whole number from 0 belongs there, 0 for no limit."
            ))),
            other => Err(Error::InvalidSyntax(format!(
                "failOnErrors is {}; a whole number from 0 belongs there, 0 for no limit.",
                json::describe(other)
            ))),
        }
    }
}
