//! What membership of a group means; set by administrators, read by everybody.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::scim::urn;

/// Mapping of a Group
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-scim-urn" = urn::GROUP_MAPPING))]
pub struct GroupMapping {
    /// What direct membership means.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly",
        "canonicalValues": ["plain", "role", "seat", "department", "agentGroup"]
    })))]
    pub kind: Option<String>,
    /// The role that members get.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub grants_role: Option<String>,
    /// The pool from which members get their seats.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub grants_seat_type: Option<String>,
    /// The department of members.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub department: Option<String>,
    /// The agent group of members.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub agent_group: Option<String>,
    /// Which mapping counts where several disagree: the lowest number.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub priority: Option<i64>,
    /// How many direct members there are. Shown when `attributes` names it.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "returned": "request", "source": "counted"
    })))]
    pub member_count: Option<i64>,
    /// How many of them wait for a seat. Shown when `attributes` names it.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "returned": "request", "source": "counted"
    })))]
    pub waiting_count: Option<i64>,
}
