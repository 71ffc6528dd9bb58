//! Call agents: who takes calls, be it a person that signs in or not.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::scim::urn;

/// Call Agent
///
/// The telephony identity of a person, and no user: a user may be linked to one.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-scim-urn" = urn::CALL_AGENT))]
pub struct CallAgent {
    /// The name of the agent.
    #[schemars(extend("x-scim" = json!({ "required": true, "indexed": true })))]
    pub display_name: String,
    /// The number by which the agent is known; the next free one where it is left out.
    #[schemars(extend("x-scim" = json!({
        "caseExact": true, "uniqueness": "server", "indexed": true
    })))]
    pub agent_number: Option<String>,
    /// How the agent is: active, blocked and disabled may be written, busy and offline show what goes
    /// on. Active where it is left out.
    #[schemars(extend("x-scim" = json!({
        "canonicalValues": ["active", "blocked", "disabled", "busy", "offline"],
        "format": "canonical", "indexed": true
    })))]
    pub status: Option<String>,
    /// The status that comes back when the linked user is reactivated.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub status_before: Option<String>,
    /// Whether the agent takes calls at all. True where it is left out.
    pub calling_agent: Option<bool>,
    /// The number to which calls are forwarded, with its prefix (E.164).
    #[schemars(extend("x-scim" = json!({
        "caseExact": true, "indexed": true, "format": "phone"
    })))]
    pub call_forward_number: Option<String>,
    /// Numbers that are tried after it, in this order (E.164).
    #[schemars(extend("x-scim" = json!({
        "caseExact": true, "format": "phone", "delimited": true
    })))]
    pub alternative_numbers: Vec<String>,
    /// Number for calls within the company: 4 digits.
    #[schemars(extend("x-scim" = json!({ "caseExact": true, "uniqueness": "server" })))]
    pub intercom: Option<String>,
    /// The number of the phone extension: 2 to 8 digits, or auto for the next one that is free.
    #[schemars(extend("x-scim" = json!({
        "caseExact": true, "uniqueness": "server", "indexed": true, "normal": "extension.number"
    })))]
    pub extension_number: Option<String>,
    /// The phone extension.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub extension: Option<AgentExtension>,
    /// Numbers that the agent may show to those who are called (E.164), the usual one first.
    #[schemars(extend("x-scim" = json!({
        "caseExact": true, "format": "phone", "delimited": true
    })))]
    pub allowed_caller_ids: Vec<String>,
    /// Departments of the agent.
    pub departments: Vec<AgentDepartment>,
    /// Groups whose calls the agent takes.
    pub agent_groups: Vec<GroupOfAgent>,
    /// The ids of those departments and groups that it has only because its user is a member of groups
    /// that give them. Shown when `attributes` names it.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "returned": "request", "caseExact": true
    })))]
    pub granted_by_groups: Vec<String>,
    /// When the agent works.
    pub time_group: Option<String>,
    /// Whether calls come only while the person is signed in.
    pub login_based_calling: Option<bool>,
    /// The user that signs in as this agent; linked through the user's agentId.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub user: Option<UserOfAgent>,
}

/// The phone extension of a call agent.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentExtension {
    /// Its id.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "caseExact": true })))]
    pub value: Option<String>,
    /// Its URI.
    #[serde(rename = "$ref")]
    #[schemars(extend("x-scim" = json!({
        "type": "reference", "referenceTypes": ["PhoneExtension"], "mutability": "readOnly", "source": "link"
    })))]
    pub reference: Option<String>,
    /// Its name.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "source": "label" })))]
    pub display: Option<String>,
    /// Its number.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "caseExact": true, "indexed": true
    })))]
    pub number: Option<String>,
}

/// A department of a call agent.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentDepartment {
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
    /// The order in which it counts.
    pub priority: Option<i64>,
    /// What the agent can do there.
    pub skill: Option<String>,
}

/// A group of a call agent.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupOfAgent {
    /// Its id; a name is understood and becomes it.
    #[schemars(extend("x-scim" = json!({ "caseExact": true, "indexed": true })))]
    pub value: Option<String>,
    /// Its URI.
    #[serde(rename = "$ref")]
    #[schemars(extend("x-scim" = json!({
        "type": "reference", "referenceTypes": ["AgentGroup"], "mutability": "readOnly", "source": "link"
    })))]
    pub reference: Option<String>,
    /// Its name.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "source": "label" })))]
    pub display: Option<String>,
    /// The order in which it counts.
    pub priority: Option<i64>,
    /// What the agent can do there.
    pub skill: Option<String>,
}

/// The user of a call agent.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserOfAgent {
    /// Its id.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "caseExact": true, "indexed": true })))]
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
