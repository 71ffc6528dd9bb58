//! Departments of call agents.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::scim::urn;

/// Department
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-scim-urn" = urn::DEPARTMENT))]
pub struct Department {
    /// The name of the department, unique in the tenant. Compared without case.
    #[schemars(extend("x-scim" = json!({
        "required": true, "uniqueness": "server", "indexed": true
    })))]
    pub display_name: String,
    /// A short name.
    pub code: Option<String>,
    /// The department that it is a part of.
    pub parent: Option<ParentDepartment>,
    /// Where its call agents are listed, and how many there are. Shown when `attributes` names it.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "returned": "request", "source": "counted"
    })))]
    pub members: Vec<DepartmentMembers>,
    /// How many call agents belong to it. Shown when `attributes` names it.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "returned": "request", "source": "counted"
    })))]
    pub member_count: Option<i64>,
}

/// The call agents of a department.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DepartmentMembers {
    /// How many there are.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub count: Option<i64>,
    /// The query that lists them.
    #[serde(rename = "$ref")]
    #[schemars(extend("x-scim" = json!({
        "type": "reference", "referenceTypes": ["CallAgent"], "mutability": "readOnly"
    })))]
    pub reference: Option<String>,
}

/// The department above.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParentDepartment {
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
