//! How a user gets in, and the story of an invitation.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::scim::urn;

/// Invitation of a User
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-scim-urn" = urn::INVITATION_OF_USER))]
pub struct InvitationOfUser {
    /// How the person gets in: by a link that is mailed (email) or handed over (link), by a password that
    /// the administrator sets (password) or that the person sets once an administrator sends the mail
    /// for it (reset), or by other means (none). It stays as it is once the person could sign in.
    #[schemars(extend("x-scim" = json!({
        "canonicalValues": ["email", "password", "reset", "link", "none"]
    })))]
    pub mode: Option<String>,
    /// How far the invitation is.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "indexed": true,
        "canonicalValues": ["none", "pending", "accepted", "expired", "cancelled", "superseded"]
    })))]
    pub status: Option<String>,
    /// The id of the current invitation.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "caseExact": true })))]
    pub invitation_id: Option<String>,
    /// Its address, below the base of SCIM.
    #[serde(rename = "$ref")]
    #[schemars(extend("x-scim" = json!({
        "type": "reference", "referenceTypes": ["Invitation"], "mutability": "readOnly"
    })))]
    pub reference: Option<String>,
    /// When its link was made, the last time.
    #[schemars(extend("x-scim" = json!({ "type": "dateTime", "mutability": "readOnly" })))]
    pub sent_at: Option<String>,
    /// When the link ends.
    #[schemars(extend("x-scim" = json!({ "type": "dateTime", "mutability": "readOnly" })))]
    pub expires_at: Option<String>,
    /// When the person accepted it.
    #[schemars(extend("x-scim" = json!({ "type": "dateTime", "mutability": "readOnly" })))]
    pub accepted_at: Option<String>,
    /// When it was cancelled.
    #[schemars(extend("x-scim" = json!({ "type": "dateTime", "mutability": "readOnly" })))]
    pub cancelled_at: Option<String>,
    /// Hours that a link is good for, from 1 to 720 and no more than the tenant allows.
    pub ttl_hours: Option<i64>,
    /// How often a new link was asked for.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub resend_count: Option<i64>,
    /// What became of the last mail with a link.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "source": "counted" })))]
    pub last_delivery: Option<Delivery>,
    /// The template of the mail.
    pub template: Option<String>,
    /// The language of the mail.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "returned": "request" })))]
    pub locale: Option<String>,
    /// True makes a new link, and mails it where the mode is email; the old one is dead.
    #[schemars(extend("x-scim" = json!({ "mutability": "writeOnly", "returned": "never" })))]
    pub resend: Option<bool>,
    /// Who invites, as the person is told.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub inviter_display: Option<String>,
}

/// What became of a mail.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// How far it is: it waits, has gone, was taken, came back, was held back since mail to the address
    /// came back before or there was too much of it, was given up, or is not to go any more.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly",
        "canonicalValues": [
            "queued", "sent", "delivered", "deferred", "bounced", "suppressed", "failed", "stale"
        ]
    })))]
    pub state: Option<String>,
    /// Since when.
    #[schemars(extend("x-scim" = json!({ "type": "dateTime", "mutability": "readOnly" })))]
    pub at: Option<String>,
    /// Why.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub detail: Option<String>,
    /// The address that it went to.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub address: Option<String>,
}

/// Invitation
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-scim-urn" = urn::INVITATION))]
pub struct Invitation {
    /// The address that is invited.
    #[schemars(extend("x-scim" = json!({
        "required": true, "mutability": "immutable", "indexed": true
    })))]
    pub email: String,
    /// What the person is called.
    #[schemars(extend("x-scim" = json!({ "mutability": "immutable" })))]
    pub display_name: Option<String>,
    /// The name to sign in with; the address where it is left out.
    #[schemars(extend("x-scim" = json!({ "mutability": "immutable" })))]
    pub user_name: Option<String>,
    /// How the person gets in: by a link that is mailed, or by one that is handed over.
    #[schemars(extend("x-scim" = json!({
        "mutability": "immutable", "canonicalValues": ["email", "link"]
    })))]
    pub mode: Option<String>,
    /// The roles that the person is invited to.
    #[schemars(extend("x-scim" = json!({ "mutability": "immutable" })))]
    pub roles: Vec<String>,
    /// The seat that the person is invited to: the value of a pool.
    #[schemars(extend("x-scim" = json!({ "mutability": "immutable" })))]
    pub seat_type: Option<String>,
    /// The template of the mail.
    #[schemars(extend("x-scim" = json!({ "mutability": "immutable" })))]
    pub template: Option<String>,
    /// Hours that a link is good for.
    #[schemars(extend("x-scim" = json!({ "mutability": "immutable" })))]
    pub ttl_hours: Option<i64>,
    /// The user who is invited.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub user: Option<Invited>,
    /// How far it is.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "indexed": true,
        "canonicalValues": ["none", "pending", "accepted", "expired", "cancelled", "superseded"]
    })))]
    pub status: Option<String>,
    /// When its link was made, the last time.
    #[schemars(extend("x-scim" = json!({ "type": "dateTime", "mutability": "readOnly" })))]
    pub sent_at: Option<String>,
    /// When the link ends.
    #[schemars(extend("x-scim" = json!({ "type": "dateTime", "mutability": "readOnly" })))]
    pub expires_at: Option<String>,
    /// When the person accepted it.
    #[schemars(extend("x-scim" = json!({ "type": "dateTime", "mutability": "readOnly" })))]
    pub accepted_at: Option<String>,
    /// How often a new link was asked for.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub resend_count: Option<i64>,
    /// By which door it was made.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub created_by: Option<String>,
    /// What became of it; shown when `attributes` names it.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "returned": "request" })))]
    pub history: Vec<Step>,
}

/// The user who is invited.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Invited {
    /// The id of the user.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "caseExact": true, "indexed": true
    })))]
    pub value: Option<String>,
    /// The address of the user, below the base of SCIM.
    #[serde(rename = "$ref")]
    #[schemars(extend("x-scim" = json!({
        "type": "reference", "referenceTypes": ["User"], "mutability": "readOnly"
    })))]
    pub reference: Option<String>,
    /// What the person is called.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub display: Option<String>,
}

/// Something that became of an invitation.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// When.
    #[schemars(extend("x-scim" = json!({ "type": "dateTime", "mutability": "readOnly" })))]
    pub at: Option<String>,
    /// What: sent, resent, stale, accepted, expired, cancelled, superseded.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly" })))]
    pub event: Option<String>,
    /// Who did it: the id of a token, or the person.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "caseExact": true })))]
    pub actor: Option<String>,
}
