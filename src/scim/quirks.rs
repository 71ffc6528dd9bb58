//! What real clients send beside the standard. STUB: table and rewriting come here.

/// One oddity of a client that Usher answers although the RFC does not ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quirk {
    /// 1: `"op":"Replace"`.
    CapitalOp,
    /// 2: `"active":"True"`.
    TextBoolean,
    /// 3: `roles[primary eq "True"]`.
    TextBooleanInFilter,
    /// 4: `remove` with a value list removes only those.
    RemoveListed,
    /// 6: removing what is not there succeeds.
    RemoveAbsent,
    /// 7: an element as a bare string.
    BareElement,
    /// 8: keys of a path-less value that are paths.
    DottedKeys,
    /// 9: `add` to a value path that selects nothing creates the element.
    AddCreates,
    /// 10: `replace` of a value path that selects nothing creates the element.
    ReplaceCreates,
    /// 11: `""` in PATCH clears.
    EmptyClears,
    /// 12: a complex attribute as its bare value.
    BareComplex,
    /// 13: a complex attribute inside an array.
    ComplexInArray,
    /// 14: JSON text where an object's value belongs.
    JsonInText,
    /// 15: `displayName` for `display`.
    DisplayName,
    /// 17: unknown URNs in `schemas`.
    UnknownSchema,
    /// 18: URNs of the drafts.
    DraftUrn,
    /// 20: an extension that `schemas` does not list.
    UnlistedExtension,
    /// 21: no `schemas` at all.
    NoSchemas,
    /// 25: unknown attributes.
    UnknownAttribute,
    /// 27: an object where a list belongs.
    ObjectForList,
    /// 28: `""` in a body means unassigned.
    EmptyUnassigned,
    /// 29: unknown query parameters.
    UnknownParameter,
    /// 32: a raw `+` beside `%20` is a plus.
    RawPlus,
    /// 33: unquoted values in filters.
    BareWord,
    /// 34: a singular complex attribute in a filter means its `value`.
    ComplexInFilter,
    /// 35: `emails[type eq "work"].value eq "x"` in filters.
    SubAfterValuePath,
    /// 36: query parameters in any case.
    ParameterCase,
    /// 38: a slash at the end of the path.
    TrailingSlash,
    /// 41: the token without `Bearer`.
    BareToken,
    /// 42: no operations in a PATCH.
    EmptyOperations,
    /// 48: `members` is `[]` when there are none.
    EmptyMembers,
    /// 50: group names are unique.
    UniqueGroupNames,
    /// Values of `locale`, `timezone` and the like are stored as they come.
    LooseFormats,
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
