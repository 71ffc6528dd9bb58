//! Phone extensions.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::scim::urn;

/// Phone Extension
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-scim-urn" = urn::PHONE_EXTENSION))]
pub struct PhoneExtension {
    /// The number: 2 to 8 digits.
    #[schemars(extend("x-scim" = json!({
        "required": true, "uniqueness": "server", "mutability": "immutable", "caseExact": true,
        "indexed": true
    })))]
    pub number: String,
    /// The number that is shown to those who are called.
    #[schemars(extend("x-scim" = json!({ "caseExact": true, "format": "phone" })))]
    pub caller_id: Option<String>,
    /// The call agent that has it.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub agent: Option<AgentOfExtension>,
    /// The user for whose call agent it is kept, as long as the user has none.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub user: Option<UserOfExtension>,
    /// Whether a phone is registered for it.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "canonicalValues": ["registered", "unregistered"]
    })))]
    pub status: Option<String>,
    /// Whether it is kept back: nobody gets it unless it is named.
    pub reserved: Option<bool>,
}

/// The call agent of an extension.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentOfExtension {
    /// Its id.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "caseExact": true })))]
    pub value: Option<String>,
    /// Its URI.
    #[serde(rename = "$ref")]
    #[schemars(extend("x-scim" = json!({
        "type": "reference", "referenceTypes": ["CallAgent"], "mutability": "readOnly", "source": "link"
    })))]
    pub reference: Option<String>,
    /// Its name.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "source": "label" })))]
    pub display: Option<String>,
}

/// The user of an extension.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserOfExtension {
    /// Its id.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "caseExact": true })))]
    pub value: Option<String>,
    /// Its URI.
    #[serde(rename = "$ref")]
    #[schemars(extend("x-scim" = json!({
        "type": "reference", "referenceTypes": ["User"], "mutability": "readOnly", "source": "link"
    })))]
    pub reference: Option<String>,
    /// Its name.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "source": "label" })))]
    pub display: Option<String>,
}
