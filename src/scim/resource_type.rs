//! Resource types (RFC 7643 s6) and the registry of those that an installation serves.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::scim::attribute::{self, Attribute, Mutability, Returned, Source, Type};
use crate::scim::path::{AttrPath, Place};
use crate::scim::resources::account::Account;
use crate::scim::resources::agent_group::AgentGroup;
use crate::scim::resources::call_agent::CallAgent;
use crate::scim::resources::catalogue::{Entitlement, Role};
use crate::scim::resources::contact_center::ContactCenterUser;
use crate::scim::resources::department::Department;
use crate::scim::resources::enterprise::EnterpriseUser;
use crate::scim::resources::group::Group;
use crate::scim::resources::group_mapping::GroupMapping;
use crate::scim::resources::invitation::{Invitation, InvitationOfUser};
use crate::scim::resources::phone_extension::PhoneExtension;
use crate::scim::resources::seat::Seat;
use crate::scim::resources::seat_pool::SeatPool;
use crate::scim::resources::user::User;
use crate::scim::schema::Schema;
use crate::scim::urn;

/// A kind of resource: its endpoint, its schema and its extensions. Everything that is
/// schema-driven reads this.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceType {
    /// `User`, `Group`, …: `meta.resourceType`, and the `kind` of its rows.
    pub name: String,
    /// Path below the SCIM base, with its slash: `/Users`.
    pub endpoint: String,
    /// What it is, for people.
    pub description: String,
    /// The core schema.
    pub schema: Schema,
    /// Schemas that may be added to it.
    pub extensions: Vec<Extension>,
    /// What clients may do with its resources.
    pub writes: Writes,
    /// `schemas`, `id`, `externalId` and `meta`, the same for every type (RFC 7643 s3.1).
    common: Vec<Attribute>,
}

/// What clients may do with the resources of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// Make, change and delete them.
    All,
    /// Make and delete them: they are what they are.
    Ends,
    /// Read them: administrators write them, or they are made when they are asked for.
    Nothing,
}

/// A schema extension of a resource type.
#[derive(Debug, Clone, PartialEq)]
pub struct Extension {
    /// The schema.
    pub schema: Schema,
    /// Whether every resource must have it.
    pub required: bool,
}

impl ResourceType {
    /// A resource type of these schemas.
    pub fn new(name: &str, endpoint: &str, schema: Schema, extensions: Vec<Extension>) -> Self {
        Self {
            name: name.to_owned(),
            endpoint: endpoint.to_owned(),
            description: schema.description.clone(),
            schema,
            extensions,
            writes: Writes::All,
            common: common_attributes(),
        }
    }

    /// The same, only read by clients.
    #[must_use]
    pub fn only_read(self) -> Self {
        Self { writes: Writes::Nothing, ..self }
    }

    /// The same, made and deleted by clients and never changed.
    #[must_use]
    pub fn only_made(self) -> Self {
        Self { writes: Writes::Ends, ..self }
    }

    /// The same under the URN that Okta's import of entitlements looks for.
    #[must_use]
    pub fn in_okta_flavor(&self) -> Self {
        let mut named = self.clone();
        let okta = if self.schema.id == urn::ROLE { urn::OKTA_ROLE } else { urn::OKTA_ENTITLEMENT };
        okta.clone_into(&mut named.schema.id);
        named
    }

    /// The same without the extensions that this function names.
    #[must_use]
    pub fn without(&self, hides: impl Fn(&Schema) -> bool) -> Self {
        let mut rest = self.clone();
        rest.extensions.retain(|extension| !hides(&extension.schema));
        rest
    }

    /// `schemas`, `id`, `externalId` and `meta`.
    pub fn common(&self) -> &[Attribute] {
        &self.common
    }

    /// The extension of this URN, compared without case.
    pub fn extension(&self, urn: &str) -> Option<&Extension> {
        self.extensions.iter().find(|extension| urn::same(&extension.schema.id, urn))
    }

    /// What the path names here; none when there is no such attribute.
    ///
    /// `urn:…:User.manager`, with a dot where the colon belongs, is understood too (Microsoft's
    /// inbound collection sends it).
    pub fn resolve(&self, path: &AttrPath) -> Option<Place<'_>> {
        let Some(urn) = &path.urn else {
            return self.core(&path.name).and_then(|found| place(None, found, path.sub.as_deref()));
        };
        if urn::same(urn, &self.schema.id) {
            return self.core(&path.name).and_then(|found| place(None, found, path.sub.as_deref()));
        }
        if let Some(extension) = self.extension(urn) {
            let found = extension.schema.attribute(&path.name)?;
            return place(Some(&extension.schema), found, path.sub.as_deref());
        }
        let bare = format!("{urn}:{}", path.name);
        if urn::same(&bare, &self.schema.id) {
            return self.core(path.sub.as_deref()?).and_then(|found| place(None, found, None));
        }
        let schema = &self.extension(&bare)?.schema;
        match &path.sub {
            None => Some(Place::Extension(schema)),
            Some(name) => place(Some(schema), schema.attribute(name)?, None),
        }
    }

    /// The core or common attribute of this name.
    pub fn core(&self, name: &str) -> Option<&Attribute> {
        self.schema.attribute(name).or_else(|| attribute::find(&self.common, name))
    }

    /// Every top-level attribute with the extension that holds it; common ones first.
    pub fn attributes(&self) -> impl Iterator<Item = (Option<&Schema>, &Attribute)> {
        let core = self.common.iter().chain(&self.schema.attributes).map(|found| (None, found));
        let more = self.extensions.iter().flat_map(|extension| {
            extension.schema.attributes.iter().map(|found| (Some(&extension.schema), found))
        });
        core.chain(more)
    }

    /// The attribute whose values live in this place, such as `members`.
    pub fn attribute_of(&self, source: Source) -> Option<&Attribute> {
        self.attributes().map(|(_, found)| found).find(|found| found.source == source)
    }

    /// The document served at `/ResourceTypes/{name}`; `base` is the SCIM base URL.
    pub fn to_document(&self, base: &str) -> Value {
        let extensions: Vec<_> = self
            .extensions
            .iter()
            .map(|extension| json!({ "schema": extension.schema.id, "required": extension.required }))
            .collect();
        json!({
            "schemas": [urn::RESOURCE_TYPE],
            "id": self.name,
            "name": self.name,
            "endpoint": self.endpoint,
            "description": self.description,
            "schema": self.schema.id,
            "schemaExtensions": extensions,
            "meta": {
                "resourceType": "ResourceType",
                "location": format!("{base}/ResourceTypes/{}", self.name),
            },
        })
    }
}

fn place<'a>(
    extension: Option<&'a Schema>,
    attribute: &'a Attribute,
    sub: Option<&str>,
) -> Option<Place<'a>> {
    let sub = match sub {
        Some(name) => Some(attribute.sub(name)?),
        None => None,
    };
    Some(Place::Attribute { extension, attribute, sub })
}

/// RFC 7643 s3 and s3.1.
fn common_attributes() -> Vec<Attribute> {
    let read_only = |name: &str, kind, source| Attribute {
        mutability: Mutability::ReadOnly,
        case_exact: true,
        source,
        ..Attribute::new(name, kind)
    };
    let meta = Attribute {
        mutability: Mutability::ReadOnly,
        sub: vec![
            read_only("resourceType", Type::String, Source::Kind),
            read_only("created", Type::DateTime, Source::Created),
            read_only("lastModified", Type::DateTime, Source::Modified),
            read_only("location", Type::Reference, Source::Location),
            read_only("version", Type::String, Source::Version),
        ],
        ..Attribute::new("meta", Type::Complex)
    };
    vec![
        Attribute {
            multi: true,
            case_exact: true,
            returned: Returned::Always,
            ..Attribute::new("schemas", Type::Reference)
        },
        Attribute { returned: Returned::Always, ..read_only("id", Type::String, Source::Id) },
        Attribute { case_exact: true, indexed: true, ..Attribute::new("externalId", Type::String) },
        meta,
    ]
}

/// The resource types that an installation serves, in the order of `/ResourceTypes`.
#[derive(Debug, Clone)]
pub struct Registry {
    types: Vec<Arc<ResourceType>>,
    /// Those whose resources are not stored but made when they are asked for; they are only read.
    offered: Vec<Arc<ResourceType>>,
}

impl Registry {
    /// A registry of these types.
    pub fn new(types: Vec<ResourceType>) -> Self {
        Self { types: types.into_iter().map(Arc::new).collect(), offered: Vec::new() }
    }

    /// What Usher serves.
    pub fn standard() -> Self {
        let optional = |schema| Extension { schema, required: false };
        let plain = |name, endpoint, schema| ResourceType::new(name, endpoint, schema, Vec::new());
        Self::new(vec![
            ResourceType::new(
                "User",
                "/Users",
                Schema::from_struct::<User>(),
                vec![
                    optional(Schema::from_struct::<EnterpriseUser>()),
                    optional(Schema::from_struct::<ContactCenterUser>()),
                    optional(Schema::from_struct::<Seat>()),
                    optional(Schema::from_struct::<InvitationOfUser>()),
                ],
            ),
            ResourceType::new(
                "Group",
                "/Groups",
                Schema::from_struct::<Group>(),
                vec![optional(Schema::from_struct::<GroupMapping>())],
            ),
            plain("CallAgent", "/CallAgents", Schema::from_struct::<CallAgent>()),
            plain("Department", "/Departments", Schema::from_struct::<Department>()),
            plain("AgentGroup", "/AgentGroups", Schema::from_struct::<AgentGroup>()),
            plain("PhoneExtension", "/PhoneExtensions", Schema::from_struct::<PhoneExtension>()),
            plain("Account", "/Accounts", Schema::from_struct::<Account>()).only_read(),
            plain("Invitation", "/Invitations", Schema::from_struct::<Invitation>()).only_made(),
        ])
        .offering(vec![
            ResourceType::new(
                "SeatPool",
                "/SeatPools",
                Schema::from_struct::<SeatPool>(),
                Vec::new(),
            ),
            ResourceType::new("Role", "/Roles", Schema::from_struct::<Role>(), Vec::new()),
            ResourceType::new(
                "Entitlement",
                "/Entitlements",
                Schema::from_struct::<Entitlement>(),
                Vec::new(),
            ),
            // The same where Okta looks for it.
            ResourceType::new(
                "License",
                "/Licenses",
                Schema::from_struct::<Entitlement>(),
                Vec::new(),
            ),
        ])
    }

    fn offering(mut self, offered: Vec<ResourceType>) -> Self {
        self.offered = offered.into_iter().map(|kind| Arc::new(kind.only_read())).collect();
        self
    }

    /// The types that this function names.
    #[must_use]
    pub fn only(&self, shows: impl Fn(&ResourceType) -> bool) -> Self {
        let of = |all: &[Arc<ResourceType>]| {
            all.iter().filter(|kind| shows(kind)).cloned().collect::<Vec<_>>()
        };
        Self { types: of(&self.types), offered: of(&self.offered) }
    }

    /// Each type as this function makes it.
    #[must_use]
    pub fn seen(&self, see: impl Fn(&Arc<ResourceType>) -> Arc<ResourceType>) -> Self {
        let of = |all: &[Arc<ResourceType>]| all.iter().map(&see).collect::<Vec<_>>();
        Self { types: of(&self.types), offered: of(&self.offered) }
    }

    /// This registry and one more type.
    #[must_use]
    pub fn with(mut self, more: ResourceType) -> Self {
        self.types.push(Arc::new(more));
        self
    }

    /// Types whose resources are made when they are asked for.
    pub fn offered(&self) -> &[Arc<ResourceType>] {
        &self.offered
    }

    /// Every type that has an endpoint.
    pub fn all(&self) -> impl Iterator<Item = &Arc<ResourceType>> {
        self.types.iter().chain(&self.offered)
    }

    /// Types whose resources are stored.
    pub fn types(&self) -> &[Arc<ResourceType>] {
        &self.types
    }

    /// The stored type that this extension belongs to.
    pub fn extended_by(&self, urn: &str) -> Option<&Arc<ResourceType>> {
        self.types.iter().find(|kind| kind.extension(urn).is_some())
    }

    /// The type of this name; case matters (RFC 7643 s3.1 `meta.resourceType` is caseExact).
    pub fn by_name(&self, name: &str) -> Option<&Arc<ResourceType>> {
        self.all().find(|found| found.name == name)
    }

    /// Every schema, core before extensions, each once.
    pub fn schemas(&self) -> Vec<&Schema> {
        let mut all: Vec<&Schema> = Vec::new();
        for found in self.all() {
            let extensions = found.extensions.iter().map(|extension| &extension.schema);
            for schema in std::iter::once(&found.schema).chain(extensions) {
                if !all.iter().any(|known| urn::same(&known.id, &schema.id)) {
                    all.push(schema);
                }
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(path: &str) -> String {
        let registry = Registry::standard();
        let user = registry.by_name("User").unwrap();
        match user.resolve(&AttrPath::parse(path).unwrap()) {
            None => "nothing".to_owned(),
            Some(Place::Extension(schema)) => format!("extension {}", schema.name),
            Some(Place::Attribute { extension, attribute, sub }) => format!(
                "{}{}{}",
                extension.map_or(String::new(), |schema| format!("{}:", schema.name)),
                attribute.name,
                sub.map_or(String::new(), |sub| format!(".{}", sub.name))
            ),
        }
    }

    /// Proves SCIM-033, SCIM-208, SCIM-348.
    #[test]
    fn paths_resolve_without_case_and_with_any_urn() {
        let table = [
            ("USERNAME", "userName"),
            ("name.FamilyName", "name.familyName"),
            ("meta.lastmodified", "meta.lastModified"),
            ("urn:ietf:params:scim:schemas:core:2.0:User:title", "title"),
            ("URN:ietf:params:scim:schemas:core:2.0:user:name.givenName", "name.givenName"),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
                "EnterpriseUser:manager.value",
            ),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
                "extension EnterpriseUser",
            ),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.manager",
                "EnterpriseUser:manager",
            ),
            ("department", "nothing"),
            ("name.nothing", "nothing"),
            ("urn:custom:User:title", "nothing"),
        ];
        for (path, expected) in table {
            assert_eq!(resolved(path), expected, "{path}");
        }
    }
}
