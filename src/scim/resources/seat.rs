//! The seat of a user.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::scim::urn;

/// Seat of a User
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-scim-urn" = urn::SEAT))]
pub struct Seat {
    /// The seat that is wanted: the value of a pool, or `none`. When it is left out the primary
    /// effective role decides, then the default pool.
    pub seat_type: Option<String>,
    /// The pool that the seat came from.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub pool: Option<PoolOfSeat>,
    /// Whether the person has a seat.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly",
        "canonicalValues": ["none", "reserved", "consumed", "waiting", "exempt"]
    })))]
    pub state: Option<String>,
    /// Why.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly",
        "canonicalValues": [
            "invited", "active", "poolFull", "moving", "suspended", "expired", "cancelled", "overage",
            "exemptRole", "held"
        ]
    })))]
    pub reason: Option<String>,
    /// Since when the seat is held.
    #[schemars(extend("x-scim" = json!({ "type": "dateTime", "mutability": "readOnly" })))]
    pub since: Option<String>,
    /// Since when the person waits for a seat.
    #[schemars(extend("x-scim" = json!({ "type": "dateTime", "mutability": "readOnly" })))]
    pub waiting_since: Option<String>,
    /// How many get a seat of that pool before, and this person with them: 1 is the next one. Shown when
    /// `attributes` names it.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "returned": "request", "source": "counted"
    })))]
    pub wait_position: Option<i64>,
    /// The pool that the person waits for, where a seat of another one is held meanwhile.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub requested_seat_type: Option<String>,
    /// Whether the person needs no seat; set by administrators alone.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub exempt: Option<bool>,
}

/// The pool of a seat.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PoolOfSeat {
    /// The value of the pool.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "state": true
    })))]
    pub value: Option<String>,
    /// The address of the pool, below the base of SCIM.
    #[serde(rename = "$ref")]
    #[schemars(extend("x-scim" = json!({
        "type": "reference", "referenceTypes": ["SeatPool"], "mutability": "readOnly"
    })))]
    pub reference: Option<String>,
    /// The name of the pool when the seat was taken.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub display: Option<String>,
}
