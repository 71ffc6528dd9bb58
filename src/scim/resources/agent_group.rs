//! Groups of call agents: queues.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::scim::urn;

/// Agent Group
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-scim-urn" = urn::AGENT_GROUP))]
pub struct AgentGroup {
    /// The name of the group, unique in the tenant. Compared without case.
    #[schemars(extend("x-scim" = json!({
        "required": true, "uniqueness": "server", "indexed": true
    })))]
    pub display_name: String,
    /// What the group is for.
    pub description: Option<String>,
    /// The call agents that take the group's calls.
    pub members: Vec<AgentMember>,
    /// The department that the group belongs to.
    pub department: Option<DepartmentOfGroup>,
}

/// A call agent of a group.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentMember {
    /// Its id; the id of its user is understood and becomes it.
    #[schemars(extend("x-scim" = json!({ "caseExact": true })))]
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
    /// The order in which agents are called.
    pub priority: Option<i64>,
}

/// The department of a group.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DepartmentOfGroup {
    /// Its id; a name is understood and becomes it.
    #[schemars(extend("x-scim" = json!({ "caseExact": true, "indexed": true })))]
    pub value: Option<String>,
    /// Its URI.
    #[serde(rename = "$ref")]
    #[schemars(extend("x-scim" = json!({
        "type": "reference", "referenceTypes": ["Department"], "mutability": "readOnly", "source": "link"
    })))]
    pub reference: Option<String>,
    /// Its name.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "source": "label" })))]
    pub display: Option<String>,
}
