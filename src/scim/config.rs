//! The `ServiceProviderConfig` document (RFC 7643 s5): what is offered, and its limits.

use serde_json::{Value, json};

use crate::scim::urn;

/// The limits that are announced; they are the ones that are enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Results on a page when the client names no count.
    pub page_default: i64,
    /// Results on a page at most.
    pub page_max: i64,
    /// Seconds for which a cursor is good.
    pub cursor_timeout: i64,
    /// Operations of a bulk request at most.
    pub bulk_operations: usize,
    /// Bytes of a bulk request at most.
    pub bulk_payload: usize,
    /// Whether passwords are taken.
    pub passwords: bool,
    /// Whether roles and entitlements are published.
    pub roles: bool,
}

/// The document; `base` is the SCIM base URL, below the public one where `/docs` is.
pub fn document(base: &str, limits: Limits) -> Value {
    let public = base.strip_suffix("/scim/v2").unwrap_or(base);
    let mut document = json!({
        "schemas": [urn::CONFIG],
        "documentationUri": format!("{public}/docs"),
        "patch": { "supported": true },
        "bulk": {
            "supported": true,
            "maxOperations": limits.bulk_operations,
            "maxPayloadSize": limits.bulk_payload,
        },
        "filter": { "supported": true, "maxResults": limits.page_max },
        "changePassword": { "supported": limits.passwords },
        "sort": { "supported": true },
        "etag": { "supported": true },
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": limits.page_default,
            "maxPageSize": limits.page_max,
            "cursorTimeout": limits.cursor_timeout,
        },
        // No `securityEvents` (RFC 9967 s4, optional) before there are events: clients that validate
        // with the models of RFC 7643 refuse a configuration that has members beyond them.
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description":
                "A token of the tenant in the Authorization header, after the word Bearer.",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "documentationUri": format!("{public}/docs"),
            "primary": true,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{base}/ServiceProviderConfig"),
        },
    });
    if limits.roles {
        document["RolesAndEntitlements"] = roles_and_entitlements();
    }
    document
}

/// draft-ietf-scim-roles-entitlements. Only for tenants that name `Role` in `discovery.extensions`:
/// clients that validate with the models of RFC 7643 refuse a configuration that has it, and stop.
fn roles_and_entitlements() -> Value {
    json!({
        "roles": {
            "supported": true,
            "multipleRolesSupported": true,
            "primarySupported": true,
            "typeSupported": false,
        },
        "entitlements": {
            "supported": true,
            "multipleEntitlementsSupported": true,
            "primarySupported": true,
            "typeSupported": true,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves SCIM-140, SCIM-141, SCIM-142, SCIM-147, SCIM-284, SCIM-285.
    #[test]
    fn every_member_of_the_rfc_is_there_with_its_type() {
        let limits = Limits {
            page_default: 100,
            page_max: 1000,
            cursor_timeout: 3600,
            bulk_operations: 1000,
            bulk_payload: 1_048_576,
            passwords: true,
            roles: false,
        };
        let shown = document("http://x/scim/v2", limits);
        assert_eq!(shown["schemas"], json!([urn::CONFIG]));
        for flag in ["patch", "bulk", "filter", "changePassword", "sort", "etag"] {
            assert!(shown[flag]["supported"].is_boolean(), "{flag}");
        }
        for number in ["/bulk/maxOperations", "/bulk/maxPayloadSize", "/filter/maxResults"] {
            assert!(shown.pointer(number).is_some_and(Value::is_u64), "{number}");
        }
        for flag in ["/pagination/cursor", "/pagination/index"] {
            assert!(shown.pointer(flag).is_some_and(Value::is_boolean), "{flag}");
        }
        for text in ["type", "name", "description"] {
            assert!(shown["authenticationSchemes"][0][text].is_string(), "{text}");
        }
        assert_eq!(shown["bulk"]["maxPayloadSize"], 1_048_576);
        assert_eq!(shown["documentationUri"], "http://x/docs");
        assert_eq!(shown["meta"]["location"], "http://x/scim/v2/ServiceProviderConfig");
    }
}
