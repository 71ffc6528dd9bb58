//! One attribute and its characteristics (RFC 7643 s2.2, s7).

use serde::{Deserialize, Serialize};

/// The data types of RFC 7643 s2.3; `binary` belongs to them by erratum 8435.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Type {
    /// Text.
    String,
    /// `true` or `false`.
    Boolean,
    /// A number with a fraction.
    Decimal,
    /// A whole number within 64 bits.
    Integer,
    /// An `xsd:dateTime`.
    DateTime,
    /// Base64.
    Binary,
    /// A URI.
    Reference,
    /// An object of sub-attributes.
    Complex,
}

/// Who may set an attribute, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mutability {
    /// Usher alone.
    ReadOnly,
    /// Clients, at any time.
    #[default]
    ReadWrite,
    /// Clients, once.
    Immutable,
    /// Clients may set it; nobody may read it.
    WriteOnly,
}

/// When an attribute is part of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Returned {
    /// In every answer.
    Always,
    /// In no answer.
    Never,
    /// Unless the client asks for other attributes.
    #[default]
    Default,
    /// Only when asked for, or when the request itself set it.
    Request,
}

/// How far a value has to be unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Uniqueness {
    /// Not at all.
    #[default]
    None,
    /// Among the resources of this type in the tenant.
    Server,
    /// Everywhere; not used, since it would tell one tenant about another.
    Global,
}

/// Where the value of an attribute lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// In the stored document.
    #[default]
    Document,
    /// The resource's own id.
    Id,
    /// When it was created.
    Created,
    /// When it last changed.
    Modified,
    /// Its version, as an `ETag`.
    Version,
    /// Its absolute URI.
    Location,
    /// The name of its resource type.
    Kind,
    /// Rows of the `members` table: what this group holds.
    Members,
    /// Rows of the `members` table, followed upwards: the groups that hold this resource.
    MemberOf,
    /// The `value` column of such a row.
    RowValue,
    /// The resource type of a row of `Members` (`User`, `Group`), or `direct`/`indirect` of a row of `MemberOf`.
    RowType,
    /// The URI of the resource whose id is the sibling `value`.
    Link,
    /// The display name of the resource whose id is the sibling `value`.
    Label,
    /// In the stored document; where that says nothing, what the resource whose id is the sibling
    /// `value` says under the same name.
    Linked,
    /// Counted whenever it is asked for; stands nowhere.
    Counted,
    /// Kept apart, hashed, never read back.
    Secret,
}

/// Some of these places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sources(u32);

impl Sources {
    /// Adds one.
    pub fn add(&mut self, source: Source) {
        self.0 |= 1 << source as u32;
    }

    /// Whether it is among them.
    pub fn has(self, source: Source) -> bool {
        self.0 & (1 << source as u32) != 0
    }
}

/// A shape that a string must have beyond its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Format {
    /// A login name: no control characters, not blank; compares after width mapping and case
    /// folding (RFC 7644 s5, RFC 8265 s3.3).
    UserName,
    /// A BCP 47 language tag, underscore tolerated (RFC 7643 s4.1.1 `locale`).
    Locale,
    /// A list as in `Accept-Language` (`preferredLanguage`).
    Languages,
    /// An IANA time zone (`timezone`).
    Timezone,
    /// An ISO 3166-1 alpha-2 code (`addresses.country`, errata 5990 and 5991).
    Country,
    /// One of the canonical values and nothing else.
    Canonical,
    /// A phone number with its prefix (E.164): `+`, digits, and what people put between them.
    Phone,
    /// An IP address, or a network in CIDR notation.
    Network,
}

/// What stands between the values of a list that came as one text.
pub const SEPARATORS: [char; 3] = [',', ';', '\n'];

/// Stands before a text that is one name or several.
pub const UNSPLIT: char = '\u{1f}';

/// One attribute or sub-attribute.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "RFC 7643 s7 defines them as booleans")]
pub struct Attribute {
    /// Its name as RFC or schema spells it.
    pub name: String,
    /// What it means, for people.
    pub description: String,
    /// Its data type.
    pub kind: Type,
    /// Whether it holds a list.
    pub multi: bool,
    /// Whether it must have a value.
    pub required: bool,
    /// Whether case matters when comparing.
    pub case_exact: bool,
    /// Who may set it.
    pub mutability: Mutability,
    /// When it is shown.
    pub returned: Returned,
    /// How far it must be unique.
    pub uniqueness: Uniqueness,
    /// Suggested values.
    pub canonical: Vec<String>,
    /// What a reference may point to: resource type names, `external`, `uri`.
    pub references: Vec<String>,
    /// Whether filters on it must not scan.
    pub indexed: bool,
    /// Whether it belongs to the state of a resource: single, and one of few values, which resources change
    /// all the time. Filters on it do not scan either, but all such of a resource stand in one place
    /// ([`state`](crate::scim::state)), so that a change of several is one change of an index.
    pub state: bool,
    /// Where its value lives.
    pub source: Source,
    /// The shape of its text.
    pub format: Option<Format>,
    /// Whether a list of it may also come as one text with `,`, `;` or line breaks between.
    pub delimited: bool,
    /// Whether its values are names: a text with `,`, `;` or line breaks may be one of them or several,
    /// which [`UNSPLIT`] leaves to whoever knows the names.
    pub names: bool,
    /// Where the normal form of its value stands, once there is one: a sub-attribute of a sibling. That
    /// is what must be unique; the attribute itself is what the client wrote.
    pub normal: Option<String>,
    /// Sub-attributes of a complex attribute.
    pub sub: Vec<Attribute>,
}

impl Attribute {
    /// A plain string attribute with the defaults of RFC 7643 s2.2.
    pub fn new(name: &str, kind: Type) -> Self {
        Self {
            name: name.to_owned(),
            description: String::new(),
            kind,
            multi: false,
            required: false,
            case_exact: false,
            mutability: Mutability::default(),
            returned: Returned::default(),
            uniqueness: Uniqueness::default(),
            canonical: Vec::new(),
            references: Vec::new(),
            indexed: false,
            state: false,
            source: Source::default(),
            format: None,
            delimited: false,
            names: false,
            normal: None,
            sub: Vec::new(),
        }
    }

    /// The sub-attribute of this name, compared without case (RFC 7643 s2.1).
    pub fn sub(&self, name: &str) -> Option<&Attribute> {
        find(&self.sub, name)
    }

    /// Whether it is an object or a list of objects.
    pub fn is_complex(&self) -> bool {
        self.kind == Type::Complex
    }

    /// Whether clients may never set it.
    pub fn is_read_only(&self) -> bool {
        self.mutability == Mutability::ReadOnly
    }

    /// Whether its values stand in the document that is stored.
    pub fn is_stored(&self) -> bool {
        self.source == Source::Document
    }

    /// Whether values are compared as text (strings, references and binaries).
    pub fn is_text(&self) -> bool {
        matches!(self.kind, Type::String | Type::Reference | Type::Binary)
    }
}

/// The attribute of this name, compared without case.
pub fn find<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}
