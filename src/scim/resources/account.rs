//! Accounts inside a tenant; written by administrators, readable through SCIM.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::scim::urn;

/// Account
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-scim-urn" = urn::ACCOUNT))]
pub struct Account {
    /// The number by which people know the account, unique in the tenant. Compared without case.
    #[schemars(extend("x-scim" = json!({
        "required": true, "uniqueness": "server", "mutability": "readOnly", "indexed": true
    })))]
    pub account_number: String,
    /// The name for people.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "indexed": true })))]
    pub display_name: Option<String>,
    /// Whether the account is in use: nobody is active in one that is suspended.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "canonicalValues": ["active", "suspended"], "format": "canonical"
    })))]
    pub status: Option<String>,
}
