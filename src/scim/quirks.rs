//! What real clients send beside the standard, and how it is read.
//!
//! One table lists every oddity with the clients that have it and the reason to answer it. Most rows
//! are rewritings: [`Softener`] turns such a request into what the RFC asks for, guided by the
//! schema, before the strict core reads it. The others are looked at where they matter. A quirk that
//! is off is not rewritten, so that the strict core refuses it.

mod body;
mod names;
mod operations;
mod path;
mod values;

use crate::scim::resource_type::ResourceType;

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The oddity.
    pub quirk: Quirk,
    /// Its name, as the recorded conversations write it.
    pub name: &'static str,
    /// Its number in the matrix of clients; 0 when it has none.
    pub number: u8,
    /// The clients that have it.
    pub clients: &'static str,
    /// What they send or expect, and what Usher makes of it.
    pub why: &'static str,
}

/// Makes the enum and its table from one list, so that neither can lack a row.
macro_rules! quirks {
    ($($number:literal $name:ident $clients:literal $why:literal;)*) => {
        /// One oddity of a client that Usher answers although the RFC does not ask for it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Quirk {
            $(#[doc = $why] $name,)*
        }

        /// Every quirk with its reason.
        pub const QUIRKS: &[Row] = &[
            $(Row {
                quirk: Quirk::$name,
                name: stringify!($name),
                number: $number,
                clients: $clients,
                why: $why,
            },)*
        ];
    };
}

quirks! {
    1 CapitalOp "Entra"
        "`\"op\":\"Replace\"`: operations in any case.";
    2 TextBoolean "Entra, Keycloak, GitLab"
        "`\"active\":\"True\"`: the words true and false in any case stand for booleans.";
    3 TextBooleanInFilter "Entra"
        "`roles[primary eq \"True\"]`: the same inside filters.";
    4 RemoveListed "Entra, authentik, rauthy, JumpCloud"
        "`remove` of `members` with a list of values removes only those, not all.";
    6 RemoveAbsent "Entra, authentik"
        "Removing what is not there succeeds and changes nothing.";
    7 BareElement "Entra"
        "`\"value\":\"<id>\"`: an element of a list as its bare value.";
    8 DottedKeys "Entra, GitLab"
        "`{\"name.givenName\":\"A\"}`: keys that are paths are applied as paths.";
    9 AddCreates "Entra"
        "`add` to a value path that selects nothing creates the element.";
    10 ReplaceCreates "Entra"
        "`replace` of a value path that selects nothing creates the element.";
    11 EmptyClears "Entra"
        "An empty text in PATCH clears the attribute.";
    12 BareComplex "Entra"
        "`\"manager\":\"<id>\"`: a complex attribute as its bare value.";
    13 ComplexInArray "Entra"
        "`\"manager\":[{…}]`: a single complex attribute inside an array; the first one counts.";
    14 JsonInText "Entra"
        "`\"value\":\"{\\\"value\\\":\\\"agent\\\"}\"`: an object as JSON text where its value belongs.";
    15 DisplayName "Entra"
        "`displayName` in an element of a list is its `display`.";
    17 UnknownSchema "Entra, OneLogin"
        "URNs in `schemas` that nobody here knows are ignored.";
    18 DraftUrn "OneLogin"
        "URNs of the drafts before the RFC, and one misspelling, stand for today's.";
    20 UnlistedExtension "Entra, Okta"
        "An extension that is used without being listed in `schemas` counts as listed.";
    21 NoSchemas "authentik, GitLab"
        "A body without `schemas`: the endpoint says what it is.";
    25 UnknownAttribute "rauthy, Entra"
        "Attributes that nobody here knows are ignored.";
    27 ObjectForList "OneLogin"
        "`\"emails\":{…}`: a single object where a list belongs.";
    28 EmptyUnassigned "rauthy, Okta"
        "An empty text in a body is no value.";
    32 RawPlus "rauthy, midPoint"
        "A raw `+` in a filter that has `%20` for its spaces is a plus.";
    33 BareWord "authentik, GitLab"
        "`userName eq aki`: a text without quotes in a filter.";
    34 ComplexInFilter "Ping, Entra"
        "`manager eq \"<id>\"`: a complex attribute in a filter means its `value`.";
    35 SubAfterValuePath "Entra"
        "`emails[type eq \"work\"].value eq \"x\"`: a sub-attribute after a value path in a filter.";
    36 ParameterCase "Entra, PingOne"
        "`startindex`: query parameters in any case.";
    38 TrailingSlash "Entra"
        "`/Users/?filter=…`: a slash at the end of the path.";
    41 BareToken "Okta"
        "The token alone in the Authorization header, without the word `Bearer`.";
    42 EmptyOperations "Entra"
        "A PATCH without operations succeeds and changes nothing.";
    48 EmptyMembers "authentik, midPoint"
        "`members` is shown as an empty list when there are none.";
    50 UniqueGroupNames "Entra, authentik"
        "The names of groups are unique, so that a lookup finds one.";
    0 LooseFormats "Entra"
        "`locale`, `timezone` and the like are stored as they come, or every cycle writes them again.";
    0 EndpointCase "Entra"
        "`/users`: endpoints in another case, as Microsoft's own test collection has them.";
    0 UnqualifiedExtension "Entra"
        "`manager` without the URN of its extension, in bodies, paths and filters.";
    0 FilteredAttribute "Entra"
        "`attributes=emails[type eq \"work\"]`: a value path in a list of attributes names the whole.";
    0 TextAttributes "generic clients"
        "A search message with its lists of attributes as one text with commas.";
    0 BothProjections "generic clients"
        "`attributes` and `excludedAttributes` together: `attributes` wins.";
}

impl Quirk {
    /// The quirk of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        QUIRKS.iter().find(|row| row.name == name).map(|row| row.quirk)
    }
}

/// Which quirks are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quirks(u64);

impl Quirks {
    /// All of them: the default.
    pub const ALL: Self = Self(u64::MAX);
    /// None: `scim.strict`, the letter of the RFCs.
    pub const NONE: Self = Self(0);

    /// Whether this one is answered.
    pub fn on(self, quirk: Quirk) -> bool {
        self.0 & (1 << (quirk as u64)) != 0
    }

    /// The same without this one.
    #[must_use]
    pub fn without(self, quirk: Quirk) -> Self {
        Self(self.0 & !(1 << (quirk as u64)))
    }
}

// One bit each.
const _: () = assert!(QUIRKS.len() <= 64);

/// Rewrites the requests for one resource type into what the RFC asks for.
#[derive(Debug, Clone, Copy)]
pub struct Softener<'a> {
    /// The type of the resource that the request is about.
    pub rt: &'a ResourceType,
    /// What is rewritten.
    pub quirks: Quirks,
    /// The tenant's `schema.aliases`: foreign URN or prefix of one, and ours.
    pub aliases: &'a [(String, String)],
    /// Schemas that are ignored on input (`discovery.extensions`).
    pub hidden: &'a [String],
}

impl<'a> Softener<'a> {
    /// A softener without a tenant's own settings.
    pub fn new(rt: &'a ResourceType, quirks: Quirks) -> Self {
        Self { rt, quirks, aliases: &[], hidden: &[] }
    }

    fn on(&self, quirk: Quirk) -> bool {
        self.quirks.on(quirk)
    }
}

#[cfg(test)]
mod tests;
