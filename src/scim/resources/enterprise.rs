//! The enterprise User extension (RFC 7643 s4.3).

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::scim::urn;

/// Enterprise User
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-scim-urn" = urn::ENTERPRISE))]
pub struct EnterpriseUser {
    /// Number or code that the organization gave to the person.
    #[schemars(extend("x-scim" = json!({ "indexed": true })))]
    pub employee_number: Option<String>,
    /// Cost center.
    pub cost_center: Option<String>,
    /// Organization.
    pub organization: Option<String>,
    /// Division.
    pub division: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// The person's manager.
    pub manager: Option<Manager>,
}

/// A person's manager.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Manager {
    /// The id of the manager's user.
    // Erratum 8472: caseExact is true.
    #[schemars(extend("x-scim" = json!({ "caseExact": true })))]
    pub value: Option<String>,
    /// The URI of the manager's user.
    #[serde(rename = "$ref")]
    #[schemars(extend("x-scim" = json!({
        "type": "reference", "referenceTypes": ["User"], "mutability": "readOnly", "source": "link"
    })))]
    pub reference: Option<String>,
    /// The display name of the manager.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "source": "label" })))]
    pub display_name: Option<String>,
}
