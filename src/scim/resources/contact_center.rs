//! What a contact centre knows of a user beside the core schema.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::scim::urn;

/// Contact Center User
///
/// Identity providers write what is writable here as plain values: custom attributes of Entra are
/// neither complex nor lists, so that a list may come as one text with commas.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-scim-urn" = urn::CONTACT_CENTER))]
pub struct ContactCenterUser {
    /// The roles that are in force, whatever they were made of: rules, seats and the product read
    /// these alone.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub effective_roles: Vec<EffectiveRole>,
    /// The call agent that the person signs in as: its id, its agentNumber or its externalId. It comes
    /// back as it was written.
    #[schemars(extend("x-scim" = json!({
        "caseExact": true, "uniqueness": "server", "indexed": true, "normal": "agent.value"
    })))]
    pub agent_id: Option<String>,
    /// The call agent that the person is linked to.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub agent: Option<LinkedAgent>,
    /// True makes a call agent for a person who has none, and links it; callForwardNumber or extension
    /// comes with it.
    #[schemars(extend("x-scim" = json!({ "mutability": "writeOnly", "returned": "never" })))]
    pub create_agent: Option<bool>,
    /// The number to which calls are forwarded, with its prefix (E.164).
    #[schemars(extend("x-scim" = json!({
        "caseExact": true, "indexed": true, "format": "phone"
    })))]
    pub call_forward_number: Option<String>,
    /// The phone extension: 2 to 8 digits, or auto for the next one that is free.
    #[schemars(extend("x-scim" = json!({
        "caseExact": true, "uniqueness": "server", "indexed": true, "normal": "extensionRef.display"
    })))]
    pub extension: Option<String>,
    /// The phone extension as a resource.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub extension_ref: Option<LinkedExtension>,
    /// Numbers that the person may show to those who are called (E.164), the usual one first; a list or
    /// one text with commas.
    #[schemars(extend("x-scim" = json!({
        "caseExact": true, "format": "phone", "delimited": true
    })))]
    pub allowed_caller_ids: Vec<String>,
    /// Departments by name or id; a list, or one text with commas.
    #[schemars(extend("x-scim" = json!({ "names": true })))]
    pub departments: Vec<String>,
    /// Groups of call agents by name or id; a list, or one text with commas.
    #[schemars(extend("x-scim" = json!({ "names": true })))]
    pub agent_groups: Vec<String>,
    /// Whether the person signs in at the product. False: a directory entry without login, which
    /// takes no seat. True when it is left out.
    pub web_login: Option<bool>,
    /// Whether signing in is blocked for now. The seat stays.
    pub web_login_blocked: Option<bool>,
    /// Whether calls come only while the person is signed in.
    pub login_based_calling: Option<bool>,
    /// From where the person may sign in: anywhere, or the addresses of allowedIps.
    #[schemars(extend("x-scim" = json!({
        "canonicalValues": ["all", "selected"], "format": "canonical"
    })))]
    pub ip_access: Option<String>,
    /// Addresses and networks (CIDR) from which the person may sign in; a list or one text with
    /// commas.
    #[schemars(extend("x-scim" = json!({
        "caseExact": true, "format": "network", "delimited": true
    })))]
    pub allowed_ips: Vec<String>,
    /// Whose calls and reports the person sees: their own, those of reportUsers, of their
    /// departments, or all.
    #[schemars(extend("x-scim" = json!({
        "canonicalValues": ["own", "selected", "department", "all"], "format": "canonical"
    })))]
    pub report_scope: Option<String>,
    /// Ids or user names of the users whose reports the person sees; a list or one text with commas.
    #[schemars(extend("x-scim" = json!({ "caseExact": true, "delimited": true })))]
    pub report_users: Vec<String>,
    /// How dates are written.
    #[schemars(extend("x-scim" = json!({
        "caseExact": true, "format": "canonical",
        "canonicalValues": ["YYYY-MM-DD", "DD/MM/YYYY", "MM/DD/YYYY", "DD.MM.YYYY", "DD-MM-YYYY"]
    })))]
    pub date_format: Option<String>,
    /// A phone number with prefix (E.164) that may be used to sign in.
    #[schemars(extend("x-scim" = json!({
        "caseExact": true, "uniqueness": "server", "indexed": true, "format": "phone"
    })))]
    pub login_phone: Option<String>,
    /// The accounts that the person belongs to, in the order in which they were joined, with a role in
    /// each. Administrators write them.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub account_memberships: Vec<AccountMembership>,
    /// True makes a password that nobody sees and that the person must change: an administrator generates
    /// one that is shown, or the person asks for a new one. With mode password only, and instead of one.
    #[schemars(extend("x-scim" = json!({ "mutability": "writeOnly", "returned": "never" })))]
    pub auto_generate_password: Option<bool>,
    /// Whether the password must be changed before the person can sign in.
    pub must_change_password: Option<bool>,
    /// Where the person is between invitation and suspension.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "state": true,
        "canonicalValues": [
            "invited", "expired", "cancelled", "waiting", "active", "suspended", "provisioned"
        ]
    })))]
    pub lifecycle: Option<String>,
    /// By which door the user came.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly",
        "canonicalValues": ["scim", "admin", "invite", "import", "jit", "cli"]
    })))]
    pub origin: Option<String>,
    /// When the user could sign in for the first time.
    #[schemars(extend("x-scim" = json!({ "type": "dateTime", "mutability": "readOnly" })))]
    pub activated_at: Option<String>,
    /// When the person last signed in.
    #[schemars(extend("x-scim" = json!({
        "type": "dateTime", "mutability": "readOnly", "returned": "request", "source": "counted"
    })))]
    pub last_login_at: Option<String>,
}

/// A role in force.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EffectiveRole {
    /// The role's value in the catalogue.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "indexed": true })))]
    pub value: Option<String>,
    /// Its name for people.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub display: Option<String>,
    /// Where it came from: the attribute `roles`, a group, or the tenant's default.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "canonicalValues": ["attribute", "group", "default"]
    })))]
    pub source: Option<String>,
    /// Whether it is the one that decides about the seat.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub primary: Option<bool>,
}

/// Membership of a user in an account.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountMembership {
    /// The account's id.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "caseExact": true, "indexed": true
    })))]
    pub value: Option<String>,
    /// Its URI.
    #[serde(rename = "$ref")]
    #[schemars(extend("x-scim" = json!({
        "type": "reference", "referenceTypes": ["Account"], "mutability": "readOnly",
        "source": "link"
    })))]
    pub reference: Option<String>,
    /// Its number.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "source": "linked" })))]
    pub account_number: Option<String>,
    /// Its name; its number where it has none.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "source": "label" })))]
    pub display: Option<String>,
    /// The role that the person has in the account.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub role: Option<String>,
    /// Whether the person can use the account: suspended where the person or the account is.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "source": "linked",
        "canonicalValues": ["active", "invited", "suspended"]
    })))]
    pub status: Option<String>,
    /// Whether it is the account to begin with.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub primary: Option<bool>,
}

/// The call agent of a user.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkedAgent {
    /// Its id.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "caseExact": true, "indexed": true
    })))]
    pub value: Option<String>,
    /// Its URI.
    #[serde(rename = "$ref")]
    #[schemars(extend("x-scim" = json!({
        "type": "reference", "referenceTypes": ["CallAgent"], "mutability": "readOnly"
    })))]
    pub reference: Option<String>,
    /// Its name.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub display: Option<String>,
    /// Its status.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub status: Option<String>,
}

/// The phone extension of a user.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkedExtension {
    /// Its id.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "caseExact": true })))]
    pub value: Option<String>,
    /// Its URI.
    #[serde(rename = "$ref")]
    #[schemars(extend("x-scim" = json!({
        "type": "reference", "referenceTypes": ["PhoneExtension"], "mutability": "readOnly"
    })))]
    pub reference: Option<String>,
    /// Its number.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "caseExact": true, "indexed": true
    })))]
    pub display: Option<String>,
    /// Whether a phone is registered for it.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "canonicalValues": ["registered", "unregistered"]
    })))]
    pub status: Option<String>,
}
