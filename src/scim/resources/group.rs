//! The core Group (RFC 7643 s4.2).

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::scim::urn;

/// Group
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-scim-urn" = urn::GROUP))]
pub struct Group {
    /// The name of the group, unique in the tenant. Compared without case.
    // Erratum 5368: required is true.
    #[schemars(extend("x-scim" = json!({
        "required": true, "uniqueness": "server", "indexed": true
    })))]
    pub display_name: String,
    /// Users and groups that belong to the group.
    #[schemars(extend("x-scim" = json!({ "source": "members" })))]
    pub members: Vec<Member>,
}

/// A member of a group; added or removed whole, never changed.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// The id of the user or group.
    #[schemars(extend("x-scim" = json!({
        "mutability": "immutable", "caseExact": true, "source": "rowValue"
    })))]
    pub value: Option<String>,
    /// The URI of the user or group.
    #[serde(rename = "$ref")]
    #[schemars(extend("x-scim" = json!({
        "type": "reference", "referenceTypes": ["User", "Group"], "mutability": "immutable",
        "source": "link"
    })))]
    pub reference: Option<String>,
    /// What the member is.
    #[schemars(extend("x-scim" = json!({
        "mutability": "immutable", "source": "rowType", "canonicalValues": ["User", "Group"]
    })))]
    pub r#type: Option<String>,
    /// The display name of the member; shown when `attributes` names it.
    // Erratum 6011: the RFC's examples have it, its schema forgot it. Clients compare the members
    // that they get with those that they sent, so it is not shown unasked.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "returned": "request", "source": "label"
    })))]
    pub display: Option<String>,
}
