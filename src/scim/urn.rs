//! Every SCIM URN, once.

/// Core User schema (RFC 7643 s4.1).
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// Core Group schema (RFC 7643 s4.2).
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// Enterprise User extension (RFC 7643 s4.3).
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// What a contact centre knows of a user.
pub const CONTACT_CENTER: &str = "urn:ietf:params:scim:schemas:extension:usher:2.0:User";
/// A user's seat.
pub const SEAT: &str = "urn:ietf:params:scim:schemas:extension:usher-seat:2.0:User";
/// How a user gets in.
pub const INVITATION_OF_USER: &str =
    "urn:ietf:params:scim:schemas:extension:usher-invitation:2.0:User";
/// What membership of a group means.
pub const GROUP_MAPPING: &str = "urn:ietf:params:scim:schemas:extension:usher:2.0:Group";
/// Pool of seats.
pub const SEAT_POOL: &str = "urn:ietf:params:scim:schemas:usher:2.0:SeatPool";
/// Call agent.
pub const CALL_AGENT: &str = "urn:ietf:params:scim:schemas:usher:2.0:CallAgent";
/// Department.
pub const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:usher:2.0:Department";
/// Group of call agents: a queue.
pub const AGENT_GROUP: &str = "urn:ietf:params:scim:schemas:usher:2.0:AgentGroup";
/// Phone extension.
pub const PHONE_EXTENSION: &str = "urn:ietf:params:scim:schemas:usher:2.0:PhoneExtension";
/// Account inside a tenant.
pub const ACCOUNT: &str = "urn:ietf:params:scim:schemas:usher:2.0:Account";
/// Invitation of a user.
pub const INVITATION: &str = "urn:ietf:params:scim:schemas:usher:2.0:Invitation";
/// Role of the catalogue (draft-ietf-scim-roles-entitlements).
pub const ROLE: &str = "urn:ietf:params:scim:schemas:core:2.0:Role";
/// Entitlement of the catalogue (draft-ietf-scim-roles-entitlements).
pub const ENTITLEMENT: &str = "urn:ietf:params:scim:schemas:core:2.0:Entitlement";
/// The same as Okta's import of entitlements looks for it.
pub const OKTA_ROLE: &str = "urn:okta:scim:schemas:core:1.0:Role";
/// The same as Okta's import of entitlements looks for it.
pub const OKTA_ENTITLEMENT: &str = "urn:okta:scim:schemas:core:1.0:Entitlement";
/// Service provider configuration (RFC 7643 s5).
pub const CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
/// Resource type (RFC 7643 s6).
pub const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
/// Schema (RFC 7643 s7).
pub const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
/// Message: list of resources (RFC 7644 s3.4.2).
pub const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// Message: query by POST (RFC 7644 s3.4.3).
pub const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
/// Message: PATCH (RFC 7644 s3.5.2).
pub const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// Message: many operations (RFC 7644 s3.7).
pub const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// Message: the results of many operations (RFC 7644 s3.7).
pub const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
/// Message: how far a bulk request is that is worked on later.
pub const BULK_STATUS: &str = "urn:ietf:params:scim:api:messages:usher:2.0:BulkStatus";
/// Message: error (RFC 7644 s3.12).
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
/// Usher's addition to error bodies.
pub const ERROR_DETAIL: &str = "urn:ietf:params:scim:schemas:extension:usher:2.0:Error";

/// Whether a schema is Usher's own rather than one of the RFCs: `discovery.extensions` may hide it.
pub fn is_ours(urn: &str) -> bool {
    urn.to_ascii_lowercase().contains(":usher") || same(urn, ROLE) || same(urn, ENTITLEMENT)
}

/// URNs compare without case (RFC 7644 s3.10, RFC 8141).
pub fn same(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
}
