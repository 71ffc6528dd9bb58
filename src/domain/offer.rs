//! What a tenant offers as SCIM resources: pools of seats, roles, entitlements. They are made from the
//! catalogue and the counters whenever they are asked for; nothing of them is stored.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::clock::Micros;
use crate::domain::catalogue::{Catalogue, Listed};
use crate::domain::facts::text;
use crate::domain::pool::{Pool, Taken};
use crate::domain::role;
use crate::domain::tenant::TenantSettings;
use crate::scim::Doc;

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `/SeatPools`
    Pool,
    /// `/Roles`
    Role,
    /// `/Entitlements`, and `/Licenses` for Okta.
    Entitlement,
}

impl Kind {
    /// The kind of a resource type of this name.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "SeatPool" => Some(Self::Pool),
            "Role" => Some(Self::Role),
            "Entitlement" | "License" => Some(Self::Entitlement),
            _ => None,
        }
    }
}

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// Its id: unlike that of any other resource, and the same for ever.
    pub id: String,
    /// Its document.
    pub doc: Doc,
    /// When it was made.
    pub created: Micros,
    /// When it was set up otherwise.
    pub modified: Micros,
}

/// The counters that offers show.
#[derive(Debug, Clone, Default)]
pub struct Counted {
    /// Seats that are taken, by pool.
    pub pools: HashMap<String, Taken>,
    /// Users that have a role, by role.
    pub roles: HashMap<String, i64>,
}

/// The id of a pool of this value.
pub fn pool_id(value: &str) -> String {
    format!("pool-{value}")
}

/// All offers of a kind, in the order of the catalogue.
pub fn offers(
    kind: Kind,
    (settings, catalogue): (&TenantSettings, &Catalogue),
    counted: &Counted,
    now: Micros,
) -> Vec<Offer> {
    let taken = |pool: &Pool| counted.pools.get(&pool.value).copied().unwrap_or_default();
    let pools = catalogue.pools.iter();
    match kind {
        Kind::Pool => pools.map(|pool| of_pool(pool, taken(pool), now)).collect(),
        Kind::Entitlement => pools.map(|pool| of_license(pool, taken(pool))).collect(),
        Kind::Role => {
            let assignable = role::assignable(settings, catalogue);
            let born = catalogue.pools.iter().map(|pool| pool.created).min().unwrap_or_default();
            let listed = catalogue.listed().into_iter();
            let of_role = |listed: Listed| {
                let used = counted.roles.get(&listed.role.value).copied().unwrap_or_default();
                let supported = assignable.contains(&listed.role.value);
                of_role(&listed, supported, used, born)
            };
            listed.map(of_role).collect()
        }
    }
}

fn of_pool(pool: &Pool, taken: Taken, now: Micros) -> Offer {
    let doc = self::pool(pool, taken, now);
    Offer {
        id: pool_id(&pool.value),
        doc,
        created: Micros(pool.created),
        modified: Micros(pool.modified),
    }
}

/// A pool with its counters, as SCIM and administrators read it.
pub fn pool(pool: &Pool, taken: Taken, now: Micros) -> Doc {
    let time = |at: &Option<jiff::Timestamp>| at.map(|at| text(Micros(at.as_microsecond())));
    let doc = json!({
        "value": pool.value,
        "displayName": pool.label(),
        "description": pool.description,
        "total": pool.total,
        "used": taken.used(),
        "consumed": taken.consumed,
        "reserved": taken.reserved,
        "waiting": taken.waiting,
        "available": pool.available(taken),
        "overagePolicy": pool.overage_policy.name(),
        "overageAllowance": pool.overage_allowance,
        "countsAgents": pool.counts_agents,
        "roles": pool.roles,
        "exemptRoles": pool.exempt_roles,
        "warnAt": pool.warn_at,
        "validFrom": time(&pool.valid_from),
        "validUntil": time(&pool.valid_until),
        "source": "manual",
        "state": pool.state(taken, now).name(),
    });
    without_empty(&doc)
}

fn of_license(pool: &Pool, taken: Taken) -> Offer {
    let doc = json!({
        "value": pool.value,
        "display": pool.label(),
        "displayName": pool.label(),
        "type": "License",
        "description": pool.description,
        "supported": true,
        "limitedAssignmentsPermitted": pool.total.is_some(),
        "totalAssignmentsPermitted": pool.total.map(|total| total + pool.allowance()),
        "totalAssignmentsUsed": taken.used(),
    });
    offer(format!("license-{}", pool.value), &doc, pool.created, pool.modified)
}

fn of_role(listed: &Listed, supported: bool, used: i64, born: i64) -> Offer {
    let role = &listed.role;
    let doc = json!({
        "value": role.value,
        "display": role.display,
        "displayName": role.display,
        "type": if listed.system { "system" } else { "custom" },
        "description": role.description,
        "supported": supported,
        "limitedAssignmentsPermitted": false,
        "totalAssignmentsUsed": used,
    });
    let (created, modified) =
        if listed.system { (born, born) } else { (role.created, role.modified) };
    offer(format!("role-{}", role.value), &doc, created, modified)
}

fn offer(id: String, doc: &Value, created: i64, modified: i64) -> Offer {
    Offer { id, doc: without_empty(doc), created: Micros(created), modified: Micros(modified) }
}

fn without_empty(doc: &Value) -> Doc {
    let mut doc = doc.as_object().cloned().unwrap_or_default();
    doc.retain(|_, value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()));
    doc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_and_its_entitlement_show_the_same_numbers() {
        let settings = TenantSettings::default();
        let catalogue = Catalogue::of_new_tenant(Some(25), Micros(7));
        let taken = Taken { consumed: 3, reserved: 1, waiting: 2 };
        let pools = HashMap::from([("default".to_owned(), taken)]);
        let counted = Counted { pools, ..Counted::default() };
        let of = |kind| offers(kind, (&settings, &catalogue), &counted, Micros(8)).remove(0);
        let (pool, license) = (of(Kind::Pool), of(Kind::Entitlement));
        assert_eq!(pool.doc["used"], license.doc["totalAssignmentsUsed"]);
        assert_eq!(pool.doc["total"], license.doc["totalAssignmentsPermitted"]);
        assert_eq!((&pool.doc["available"], &pool.doc["waiting"]), (&json!(21), &json!(2)));
        assert_ne!(pool.id, license.id);
        let roles = offers(Kind::Role, (&settings, &catalogue), &counted, Micros(8));
        let admin = roles.iter().find(|role| role.id == "role-account_admin").unwrap();
        assert_eq!(admin.doc["supported"], false);
    }
}
