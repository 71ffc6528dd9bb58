//! Roles and entitlements that a tenant offers (draft-ietf-scim-roles-entitlements).

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::scim::urn;

/// Role
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-scim-urn" = urn::ROLE))]
pub struct Role {
    /// What `roles.value` of a user says.
    #[schemars(extend("x-scim" = json!({
        "required": true, "uniqueness": "server", "mutability": "readOnly"
    })))]
    pub value: String,
    /// The name for people.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub display: Option<String>,
    /// The same, where Okta looks for it.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub display_name: Option<String>,
    /// Whether it came with Usher or was made by the tenant.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "canonicalValues": ["system", "custom"]
    })))]
    pub r#type: Option<String>,
    /// What the role is for.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub description: Option<String>,
    /// Whether clients may give it.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub supported: Option<bool>,
    /// Whether only so many users can have it.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub limited_assignments_permitted: Option<bool>,
    /// How many users can have it.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub total_assignments_permitted: Option<i64>,
    /// How many users have it.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub total_assignments_used: Option<i64>,
}

/// Entitlement
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-scim-urn" = urn::ENTITLEMENT))]
pub struct Entitlement {
    /// What `entitlements.value` of a user says: the value of a pool of seats.
    #[schemars(extend("x-scim" = json!({
        "required": true, "uniqueness": "server", "mutability": "readOnly"
    })))]
    pub value: String,
    /// The name for people.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub display: Option<String>,
    /// The same, where Okta looks for it.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub display_name: Option<String>,
    /// What kind of entitlement it is: a license.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "canonicalValues": ["License"]
    })))]
    pub r#type: Option<String>,
    /// What the entitlement is for.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub description: Option<String>,
    /// Whether clients may give it.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub supported: Option<bool>,
    /// Whether only so many users can have it.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub limited_assignments_permitted: Option<bool>,
    /// How many users can have it.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub total_assignments_permitted: Option<i64>,
    /// How many users have it.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub total_assignments_used: Option<i64>,
}
