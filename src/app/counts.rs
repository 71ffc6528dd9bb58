//! Attributes that are counted whenever somebody asks for them, and only then.

use std::collections::HashMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::app::Error;
use crate::clock::Micros;
use crate::domain::facts;
use crate::domain::letter::LetterKind;
use crate::ids::TenantId;
use crate::scim::Doc;
use crate::store::{Tx, counts, logins, outbox};

/// What was counted for each resource, by its id and the name of the attribute.
pub(super) type Counts = HashMap<String, Doc>;

/// Where call agents say to which departments they belong.
const DEPARTMENT: (&str, &str) = ("CallAgent", "departments.value");

/// What is to be counted.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    /// The SCIM base URL.
    pub(super) base: &'a str,
    /// The names of the attributes.
    pub(super) names: Vec<&'a str>,
    /// Whether the resources have rows of members; otherwise agents belong to them.
    pub(super) holds_members: bool,
    /// The resources, all of one type.
    pub(super) ids: &'a [String],
    /// Those of them that say anything of an invitation.
    pub(super) invited: &'a [String],
}

/// Where users show what became of the last letter with a link.
pub(super) const DELIVERY: &str = "lastDelivery";

/// Counts it.
pub(super) async fn of(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    asked: Asked<'_>,
) -> Result<Counts, Error> {
    let mut counted = Counts::new();
    for name in asked.names {
        if name == DELIVERY {
            for (id, delivery) in deliveries(tx, tenant, asked.invited).await? {
                counted.entry(id).or_default().insert(name.to_owned(), delivery);
            }
            continue;
        }
        let found = match (name, asked.holds_members) {
            ("waitPosition", _) => counts::places(tx, tenant, asked.ids).await?,
            ("lastLoginAt", _) => logins::last(tx, tenant, asked.ids).await?,
            ("waitingCount", _) => counts::waiting(tx, tenant, asked.ids).await?,
            ("memberCount", true) => counts::members(tx, tenant, asked.ids).await?,
            ("memberCount" | "members", false) => {
                counts::having(tx, tenant, DEPARTMENT, asked.ids).await?
            }
            (other, _) => return Err(Error::Internal(format!("nobody counts {other}"))),
        };
        for (id, count) in found {
            let value = match name {
                "members" => agents(asked.base, &id, count),
                "lastLoginAt" => facts::text(Micros(count)).into(),
                _ => count.into(),
            };
            counted.entry(id).or_default().insert(name.to_owned(), value);
        }
    }
    Ok(counted)
}

/// What became of the last letter with a link to activate the account.
async fn deliveries(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    users: &[String],
) -> Result<Vec<(String, Value)>, Error> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    let kind = LetterKind::Invitation.name();
    let letters = outbox::last_of_each(tx, tenant, &users, kind).await?;
    let shown = letters.into_iter().map(|letter| {
        let mut shown = json!({
            "state": letter.state, "at": facts::text(letter.at), "address": letter.address,
        });
        if !letter.detail.is_empty() {
            shown["detail"] = letter.detail.into();
        }
        (letter.resource, shown)
    });
    Ok(shown.collect())
}

/// The list of a department's agents: how many there are, and the query that lists them.
fn agents(base: &str, department: &str, count: i64) -> Value {
    let filter = format!("{} eq \"{department}\"", DEPARTMENT.1);
    let filter = utf8_percent_encode(&filter, NON_ALPHANUMERIC);
    json!([{ "count": count, "$ref": format!("{base}/CallAgents?filter={filter}") }])
}
