//! The core User (RFC 7643 s4.1).

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::scim::urn;

/// User Account
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-scim-urn" = urn::USER))]
pub struct User {
    /// Unique name with which the user signs in. Compared without case.
    #[schemars(extend("x-scim" = json!({
        "required": true, "uniqueness": "server", "indexed": true, "format": "userName"
    })))]
    pub user_name: String,
    /// The parts of the user's name.
    pub name: Option<Name>,
    /// The name that is shown to other people.
    #[schemars(extend("x-scim" = json!({ "indexed": true })))]
    pub display_name: Option<String>,
    /// The casual way to address the user.
    pub nick_name: Option<String>,
    /// Address of a page about the user.
    #[schemars(extend("x-scim" = json!({ "type": "reference", "referenceTypes": ["external"] })))]
    pub profile_url: Option<String>,
    /// Job title or designation.
    pub title: Option<String>,
    /// How the organization and the user are related, such as Employee or Contractor.
    pub user_type: Option<String>,
    /// Preferred languages, written as in the Accept-Language header.
    #[schemars(extend("x-scim" = json!({ "format": "languages" })))]
    pub preferred_language: Option<String>,
    /// Language tag that decides how dates, numbers and currencies are written.
    #[schemars(extend("x-scim" = json!({ "format": "locale" })))]
    pub locale: Option<String>,
    /// IANA time zone, such as `America/Los_Angeles`.
    #[schemars(extend("x-scim" = json!({ "format": "timezone" })))]
    pub timezone: Option<String>,
    /// Whether the user may use the product. True when a create leaves it out.
    #[schemars(extend("x-scim" = json!({ "state": true })))]
    pub active: Option<bool>,
    /// Clear-text password; stored only as a hash and never returned.
    #[schemars(extend("x-scim" = json!({
        "mutability": "writeOnly", "returned": "never", "caseExact": true, "source": "secret"
    })))]
    pub password: Option<String>,
    /// E-mail addresses.
    pub emails: Vec<Email>,
    /// Phone numbers, stored and returned as they were sent.
    pub phone_numbers: Vec<PhoneNumber>,
    /// Instant messaging addresses.
    pub ims: Vec<InstantMessaging>,
    /// Pictures of the user.
    pub photos: Vec<Photo>,
    /// Postal addresses.
    pub addresses: Vec<Address>,
    /// Groups that the user belongs to, directly or through another group. Changed only through
    /// the groups.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "source": "memberOf" })))]
    pub groups: Vec<GroupOfUser>,
    /// Things the user is entitled to.
    pub entitlements: Vec<Entitlement>,
    /// Roles of the user.
    pub roles: Vec<Role>,
    /// Certificates of the user.
    #[serde(rename = "x509Certificates")]
    pub x509_certificates: Vec<Certificate>,
}

/// The parts of a person's name.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Name {
    /// The whole name as it is written.
    pub formatted: Option<String>,
    /// Family name or last name.
    #[schemars(extend("x-scim" = json!({ "indexed": true })))]
    pub family_name: Option<String>,
    /// Given name or first name.
    pub given_name: Option<String>,
    /// Middle names.
    pub middle_name: Option<String>,
    /// What stands before the name, such as Ms.
    pub honorific_prefix: Option<String>,
    /// What stands after the name, such as III.
    pub honorific_suffix: Option<String>,
}

/// An e-mail address.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Email {
    /// The address.
    #[schemars(extend("x-scim" = json!({ "indexed": true })))]
    pub value: Option<String>,
    /// A label for people.
    pub display: Option<String>,
    /// What the address is used for.
    #[schemars(extend("x-scim" = json!({ "canonicalValues": ["work", "home", "other"] })))]
    pub r#type: Option<String>,
    /// Whether this is the preferred address; true at most once.
    pub primary: Option<bool>,
}

/// A phone number.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhoneNumber {
    /// The number; RFC 3966 form is welcome and not required.
    #[schemars(extend("x-scim" = json!({ "indexed": true })))]
    pub value: Option<String>,
    /// A label for people.
    pub display: Option<String>,
    /// What the number is used for.
    #[schemars(extend("x-scim" = json!({
        "canonicalValues": ["work", "home", "mobile", "fax", "pager", "other"]
    })))]
    pub r#type: Option<String>,
    /// Whether this is the preferred number; true at most once.
    pub primary: Option<bool>,
}

/// An instant messaging address.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstantMessaging {
    /// The address.
    pub value: Option<String>,
    /// A label for people.
    pub display: Option<String>,
    /// The service.
    #[schemars(extend("x-scim" = json!({
        "canonicalValues": ["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"]
    })))]
    pub r#type: Option<String>,
    /// Whether this is the preferred address; true at most once.
    pub primary: Option<bool>,
}

/// A picture.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Photo {
    /// Where the picture is.
    #[schemars(extend("x-scim" = json!({ "type": "reference", "referenceTypes": ["external"] })))]
    pub value: Option<String>,
    /// A label for people.
    pub display: Option<String>,
    /// Its size.
    #[schemars(extend("x-scim" = json!({ "canonicalValues": ["photo", "thumbnail"] })))]
    pub r#type: Option<String>,
    /// Whether this is the preferred picture; true at most once.
    pub primary: Option<bool>,
}

/// A postal address.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// The whole address as it is written on a letter.
    pub formatted: Option<String>,
    /// Street, house number and the like.
    pub street_address: Option<String>,
    /// City or locality.
    pub locality: Option<String>,
    /// State or region.
    pub region: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Country, ISO 3166-1 alpha-2.
    #[schemars(extend("x-scim" = json!({ "format": "country" })))]
    pub country: Option<String>,
    /// What the address is used for.
    #[schemars(extend("x-scim" = json!({ "canonicalValues": ["work", "home", "other"] })))]
    pub r#type: Option<String>,
    /// Whether this is the preferred address; true at most once.
    pub primary: Option<bool>,
}

/// A group that a user belongs to.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupOfUser {
    /// The id of the group.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "caseExact": true, "source": "rowValue"
    })))]
    pub value: Option<String>,
    /// The URI of the group.
    #[serde(rename = "$ref")]
    #[schemars(extend("x-scim" = json!({
        "type": "reference", "referenceTypes": ["Group"], "mutability": "readOnly", "source": "link"
    })))]
    pub reference: Option<String>,
    /// The name of the group.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "source": "label" })))]
    pub display: Option<String>,
    /// Whether the user is a member itself or through another group.
    #[schemars(extend("x-scim" = json!({
        "mutability": "readOnly", "source": "rowType", "canonicalValues": ["direct", "indirect"]
    })))]
    pub r#type: Option<String>,
}

/// Something a user is entitled to.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entitlement {
    /// The entitlement.
    pub value: Option<String>,
    /// A label for people.
    pub display: Option<String>,
    /// What kind of entitlement it is.
    pub r#type: Option<String>,
    /// Whether this is the main one; true at most once.
    pub primary: Option<bool>,
}

/// A role of a user.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    /// The role.
    pub value: Option<String>,
    /// A label for people.
    pub display: Option<String>,
    /// What kind of role it is.
    pub r#type: Option<String>,
    /// Whether this is the main one; true at most once.
    pub primary: Option<bool>,
}

/// A certificate.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// One X.509 certificate, DER in Base64.
    #[schemars(extend("x-scim" = json!({ "type": "binary" })))]
    pub value: Option<String>,
    /// A label for people.
    pub display: Option<String>,
    /// What the certificate is used for.
    pub r#type: Option<String>,
    /// Whether this is the main one; true at most once.
    pub primary: Option<bool>,
}
