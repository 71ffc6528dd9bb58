//! Pools of seats; written by administrators, readable through SCIM.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::scim::urn;

/// Pool of Seats
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-scim-urn" = urn::SEAT_POOL))]
pub struct SeatPool {
    /// The name that `seatType` and `entitlements` use.
    #[schemars(extend("x-scim" = json!({
        "required": true, "uniqueness": "server", "mutability": "readOnly"
    })))]
    pub value: String,
    /// The name for people.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub display_name: Option<String>,
    /// What the pool is for.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub description: Option<String>,
    /// Seats that were bought; without a number they are unlimited.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub total: Option<i64>,
    /// Seats that are taken, consumed or reserved.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub used: Option<i64>,
    /// Seats of people who can sign in.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub consumed: Option<i64>,
    /// Seats of people who cannot sign in yet.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub reserved: Option<i64>,
    /// People who wait for a seat.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub waiting: Option<i64>,
    /// Seats that can be taken, the allowance included.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub available: Option<i64>,
    /// What happens when no seat is free.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "canonicalValues": ["reject", "waitlist", "overage"]
    })))]
    pub overage_policy: Option<String>,
    /// How many seats more than the total may be taken: a number, or a share such as 5%.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub overage_allowance: Option<String>,
    /// Whether users without a login take a seat too.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub counts_agents: Option<bool>,
    /// Roles that take their seats here; none means all that no other pool names.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub roles: Vec<String>,
    /// Roles that need no seat of this pool.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub exempt_roles: Vec<String>,
    /// Shares of the total, in percent, at which administrators are told.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub warn_at: Vec<i64>,
    /// From when on seats can be taken.
    #[schemars(extend("x-scim" = json!({ "type": "dateTime", "mutability": "readOnly" })))]
    pub valid_from: Option<String>,
    /// Until when seats can be taken; nobody is removed then.
    #[schemars(extend("x-scim" = json!({ "type": "dateTime", "mutability": "readOnly" })))]
    pub valid_until: Option<String>,
    /// Where the number of seats comes from.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "canonicalValues": ["manual", "licenseKey", "billing"]
    })))]
    pub source: Option<String>,
    /// How the pool is.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly",
        "canonicalValues": ["ok", "low", "full", "overCommitted", "expired"]
    })))]
    pub state: Option<String>,
}
