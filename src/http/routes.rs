//! The table of endpoints. The router and `openapi.yaml` are both made from it and from nothing else.

mod pages;

use std::sync::Arc;

use crate::domain::scope::{self, Scope};
use crate::http::admin::Admin;
use crate::http::pages::Page;
use crate::http::signin::Auth;
use crate::scim::resource_type::{Registry, ResourceType, Writes};

/// Where the SCIM endpoints hang, below the path of the public URL.
pub const SCIM: &str = "/scim/v2";
/// The same without the version (RFC 7644 s3.13: the newest is served).
pub const SCIM_UNVERSIONED: &str = "/scim";

/// What an endpoint does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Create a resource.
    Create,
    /// Query the resources of one type.
    List,
    /// The same by POST.
    Search,
    /// Read a resource.
    Read,
    /// Replace a resource.
    Replace,
    /// Change a resource.
    Patch,
    /// Delete a resource.
    Delete,
    /// Query the resources of all types.
    ListAll,
    /// The same by POST.
    SearchAll,
    /// All schemas.
    Schemas,
    /// One schema.
    Schema,
    /// All resource types.
    Types,
    /// One resource type.
    Type,
    /// What the server supports.
    Config,
    /// The user that the credential stands for.
    Me,
    /// Many operations in one request.
    Bulk,
    /// How far such a request is that is worked on later.
    BulkJob,
    /// End it.
    StopBulk,
    /// Whether the process runs.
    Alive,
    /// Whether the database answers and the server stays.
    Ready,
    /// Figures for Prometheus.
    Metrics,
    /// The OpenAPI document.
    Contract,
    /// The OpenAPI document for people.
    Docs,
    /// What administrators do beyond SCIM.
    Admin(Admin),
    /// Sessions for the product.
    Auth(Auth),
    /// What people see.
    Page(Page),
}

impl Action {
    /// Whether it may change something.
    pub fn writes(self) -> bool {
        match self {
            Self::Create
            | Self::Replace
            | Self::Patch
            | Self::Delete
            | Self::Bulk
            | Self::StopBulk => true,
            Self::List
            | Self::Search
            | Self::Read
            | Self::ListAll
            | Self::SearchAll
            | Self::Schemas
            | Self::Schema
            | Self::Types
            | Self::Type
            | Self::Config
            | Self::Me
            | Self::BulkJob
            | Self::Alive
            | Self::Ready
            | Self::Metrics
            | Self::Contract
            | Self::Docs => false,
            Self::Admin(admin) => admin.writes(),
            Self::Auth(auth) => auth.writes(),
            Self::Page(page) => page.writes(),
        }
    }
}

/// Who may use an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody; a credential is not looked at.
    Open,
    /// Everybody, but a credential that is sent must be good.
    Discovery,
    /// Every good credential.
    Token,
    /// Credentials with this scope.
    Scope(Scope),
}

/// What a body holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// No body.
    Nothing,
    /// A resource of the endpoint's type, as a client writes it.
    Input,
    /// A resource of the endpoint's type.
    Resource,
    /// A list of the endpoint's type.
    List,
    /// A list of any type.
    AnyList,
    /// A PATCH.
    Patch,
    /// A query.
    Search,
    /// One schema.
    Schema,
    /// A list of schemas.
    Schemas,
    /// A resource type.
    Type,
    /// A list of resource types.
    Types,
    /// The service provider's configuration.
    Config,
    /// Many operations.
    Bulk,
    /// The results of many operations.
    BulkResults,
    /// How far many operations are.
    BulkJob,
    /// JSON that says whether the server is well.
    Health,
    /// Plain text.
    Text,
    /// YAML.
    Yaml,
    /// A page.
    Html,
    /// A form as browsers send it, with fields of these names, joined with commas.
    Form(&'static str),
    /// No body, and where to go on.
    Onward,
    /// Something that pages are shown with.
    Asset,
    /// JSON of this name, for administrators.
    Json(&'static str),
}

/// Where a path hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Below the public URL.
    Server,
    /// Below the SCIM base.
    Scim,
    /// Below the endpoint of each resource type.
    Type,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The method.
    pub method: &'static str,
    /// Where the path hangs.
    pub place: Place,
    /// The path, with `{…}` for what varies.
    pub path: &'static str,
    /// What it does.
    pub action: Action,
    /// Who may use it.
    pub access: Access,
    /// Its operation id; `{}` stands for the name of the resource type, `{s}` for its plural.
    pub operation: &'static str,
    /// One sentence for people.
    pub summary: &'static str,
    /// What is sent.
    pub request: Message,
    /// Status of success and what is answered.
    pub answer: (u16, Message),
}

const READ: Access = Access::Scope(Scope::UsersRead);
const WRITE: Access = Access::Scope(Scope::UsersWrite);

/// Every endpoint of the server but for people's pages; those of [`Place::Type`] exist once for each resource type.
pub const ROUTES: &[Row] = &[
    row("GET", Place::Type, "", Action::List, READ).named("list{s}", "Query {s}.").says(
        Message::Nothing,
        200,
        Message::List,
    ),
    row("POST", Place::Type, "", Action::Create, WRITE).named("create{}", "Create a {}.").says(
        Message::Input,
        201,
        Message::Resource,
    ),
    row("POST", Place::Type, "/.search", Action::Search, READ)
        .named("search{s}", "Query {s} without anything in the URL.")
        .says(Message::Search, 200, Message::List),
    row("GET", Place::Type, "/{id}", Action::Read, READ).named("get{}", "Read a {}.").says(
        Message::Nothing,
        200,
        Message::Resource,
    ),
    row("PUT", Place::Type, "/{id}", Action::Replace, WRITE)
        .named("replace{}", "Replace a {}.")
        .says(Message::Input, 200, Message::Resource),
    row("PATCH", Place::Type, "/{id}", Action::Patch, WRITE).named("patch{}", "Change a {}.").says(
        Message::Patch,
        200,
        Message::Resource,
    ),
    row("DELETE", Place::Type, "/{id}", Action::Delete, WRITE)
        .named("delete{}", "Delete a {}.")
        .says(Message::Nothing, 204, Message::Nothing),
    row("GET", Place::Scim, "", Action::ListAll, READ)
        .named("listAll", "Query resources of all types.")
        .says(Message::Nothing, 200, Message::AnyList),
    row("POST", Place::Scim, "/.search", Action::SearchAll, READ)
        .named("searchAll", "Query resources of all types without anything in the URL.")
        .says(Message::Search, 200, Message::AnyList),
    row("GET", Place::Scim, "/Schemas", Action::Schemas, Access::Discovery)
        .named("listSchemas", "All schemas.")
        .says(Message::Nothing, 200, Message::Schemas),
    row("GET", Place::Scim, "/Schemas/{urn}", Action::Schema, Access::Discovery)
        .named("getSchema", "One schema.")
        .says(Message::Nothing, 200, Message::Schema),
    row("GET", Place::Scim, "/ResourceTypes", Action::Types, Access::Discovery)
        .named("listResourceTypes", "All resource types.")
        .says(Message::Nothing, 200, Message::Types),
    row("GET", Place::Scim, "/ResourceTypes/{name}", Action::Type, Access::Discovery)
        .named("getResourceType", "One resource type.")
        .says(Message::Nothing, 200, Message::Type),
    row("GET", Place::Scim, "/ServiceProviderConfig", Action::Config, Access::Discovery)
        .named("getServiceProviderConfig", "What the server supports.")
        .says(Message::Nothing, 200, Message::Config),
    row("GET", Place::Scim, "/serviceConfiguration", Action::Config, Access::Discovery)
        .named("getServiceConfiguration", "What the server supports, at the path of older drafts.")
        .says(Message::Nothing, 200, Message::Config),
    row("GET", Place::Scim, "/Me", Action::Me, Access::Token)
        .named("getMe", "The user who signed in; tokens of clients stand for no user.")
        .says(Message::Nothing, 200, Message::Resource),
    me("POST", "createMe", Message::Input),
    me("PUT", "replaceMe", Message::Input),
    me("PATCH", "patchMe", Message::Patch),
    me("DELETE", "deleteMe", Message::Nothing),
    row("POST", Place::Scim, "/Bulk", Action::Bulk, WRITE)
        .named("bulk", "Many operations in one request.")
        .says(Message::Bulk, 200, Message::BulkResults),
    row("GET", Place::Scim, "/Bulk/{transaction}", Action::BulkJob, WRITE)
        .named("getBulkJob", "How far a bulk request is that was accepted for later.")
        .says(Message::Nothing, 200, Message::BulkJob),
    row("DELETE", Place::Scim, "/Bulk/{transaction}", Action::StopBulk, WRITE)
        .named("stopBulkJob", "End such a request; what it has done stays.")
        .says(Message::Nothing, 204, Message::Nothing),
    row("GET", Place::Server, "/healthz", Action::Alive, Access::Open)
        .named("getHealth", "Whether the process runs.")
        .says(Message::Nothing, 200, Message::Health),
    row("GET", Place::Server, "/readyz", Action::Ready, Access::Open)
        .named("getReadiness", "Whether the server is to be sent requests.")
        .says(Message::Nothing, 200, Message::Health),
    row("GET", Place::Server, "/metrics", Action::Metrics, Access::Scope(Scope::Admin))
        .named("getMetrics", "Figures in the text format of OpenMetrics.")
        .says(Message::Nothing, 200, Message::Text),
    row("GET", Place::Server, "/openapi.yaml", Action::Contract, Access::Open)
        .named("getContract", "This document.")
        .says(Message::Nothing, 200, Message::Yaml),
    row("GET", Place::Server, "/docs", Action::Docs, Access::Open)
        .named("getDocs", "This document as a page.")
        .says(Message::Nothing, 200, Message::Html),
    auth("POST", "/auth/login", Auth::Login)
        .named("login", "Begin a session with a name and a password.")
        .says(Message::Json("Login"), 200, Message::Json("Grant")),
    auth("POST", "/auth/refresh", Auth::Refresh)
        .named("refresh", "Change a refresh token for an access token and the next refresh token.")
        .says(Message::Json("RefreshToken"), 200, Message::Json("Grant")),
    auth("POST", "/auth/logout", Auth::Logout)
        .named("logout", "End the session of a refresh token; a token that is none is no error.")
        .says(Message::Json("Logout"), 204, Message::Nothing),
    auth("GET", "/.well-known/jwks.json", Auth::Keys)
        .named("getKeys", "The public keys of access tokens (RFC 7517).")
        .says(Message::Nothing, 200, Message::Json("KeySet")),
    admin("GET", "/admin/events", Admin::Events, Scope::EventsRead)
        .named("listEvents", "What happened, for the product behind.")
        .says(Message::Nothing, 200, Message::Json("RecordList")),
    admin("GET", "/admin/log", Admin::Log, Scope::LogRead)
        .named("listLog", "The provisioning log: what was changed, what a rule decided and why.")
        .says(Message::Nothing, 200, Message::Json("RecordList")),
    admin("GET", "/admin/pools", Admin::Pools, Scope::SeatsRead)
        .named("listPools", "The pools of seats.")
        .says(Message::Nothing, 200, Message::Json("PoolList")),
    admin("POST", "/admin/pools", Admin::MakePool, Scope::SeatsWrite)
        .named("createPool", "Make a pool of seats.")
        .says(Message::Json("PoolInput"), 201, Message::Json("Pool")),
    admin("PATCH", "/admin/pools/{value}", Admin::ChangePool, Scope::SeatsWrite)
        .named("patchPool", "Change a pool of seats; null takes a value away.")
        .says(Message::Json("PoolInput"), 200, Message::Json("Pool")),
    admin("DELETE", "/admin/pools/{value}", Admin::EndPool, Scope::SeatsWrite)
        .named("deletePool", "End a pool that nobody holds a seat of.")
        .says(Message::Nothing, 204, Message::Nothing),
    admin("PATCH", "/admin/users/{id}/seat", Admin::ExemptUser, Scope::SeatsWrite)
        .named("exemptUser", "Say that a user needs no seat, or one after all.")
        .says(Message::Json("ExemptInput"), 200, Message::Json("UserSeat")),
    admin("POST", "/admin/users/{id}/seat:grant", Admin::GrantSeat, Scope::SeatsWrite)
        .named("grantSeat", "Seat a user who waits before everybody else who does.")
        .says(Message::Json("GrantInput"), 200, Message::Json("UserSeat")),
    admin("GET", "/admin/users/{id}/sessions", Admin::Sessions, Scope::SessionsRevoke)
        .named("listSessions", "Where a user is signed in.")
        .says(Message::Nothing, 200, Message::Json("SessionList")),
    admin("POST", "/admin/users/{id}/sessions:revoke", Admin::EndSessions, Scope::SessionsRevoke)
        .named("revokeSessions", "Log a user out everywhere.")
        .says(Message::Nothing, 200, Message::Json("SessionsEnded")),
    admin(
        "POST",
        "/admin/users/{id}/password:generate",
        Admin::MakePassword,
        Scope::SessionsRevoke,
    )
    .named("generatePassword", "Make a password that the user must change when signing in.")
    .says(Message::Nothing, 200, Message::Json("MadePassword")),
    admin("GET", "/admin/brake", Admin::Brake, Scope::UsersRead)
        .named("getBrake", "How many suspended and deleted users the brake holds.")
        .says(Message::Nothing, 200, Message::Json("Brake")),
    admin("POST", "/admin/brake:undo", Admin::UndoBrake, Scope::SeatsWrite)
        .named("undoBrake", "Bring back everybody whom the brake holds; users:write is needed too.")
        .says(Message::Nothing, 200, Message::Json("BrakeDecided")),
    admin("POST", "/admin/brake:confirm", Admin::ConfirmBrake, Scope::SeatsWrite)
        .named("confirmBrake", "Finish what the brake holds; users:write is needed too.")
        .says(Message::Nothing, 200, Message::Json("BrakeDecided")),
    admin("POST", "/admin/invitations:batch", Admin::Invite, Scope::UsersWrite)
        .named("inviteMany", "Invite people, each for itself; what came of each is told.")
        .says(Message::Json("InviteBatch"), 200, Message::Json("Invited")),
    admin("POST", "/admin/users/{user}/invitation:resend", Admin::Resend, Scope::UsersWrite)
        .named("resendInvitation", "Make a new link and mail it; the old one is dead.")
        .says(Message::Nothing, 204, Message::Nothing),
    admin("POST", "/admin/users/{user}/invitation:link", Admin::Link, Scope::UsersWrite)
        .named("linkInvitation", "Make a new link of an invitation of mode link; it is shown once.")
        .says(Message::Nothing, 200, Message::Json("InvitationLink")),
    admin("GET", "/admin/roles", Admin::Roles, Scope::UsersRead)
        .named("listRoleSettings", "The roles, who may give them, and their pools.")
        .says(Message::Nothing, 200, Message::Json("RoleSettings")),
    admin("POST", "/admin/roles", Admin::MakeRole, Scope::SettingsWrite)
        .named("createRole", "Make a role of the tenant's own.")
        .says(Message::Json("RoleInput"), 201, Message::Json("RoleName")),
    admin("DELETE", "/admin/roles/{value}", Admin::EndRole, Scope::SettingsWrite)
        .named("deleteRole", "End a role of the tenant's own.")
        .says(Message::Nothing, 204, Message::Nothing),
    admin("PUT", "/admin/role-names/{name}", Admin::NameRole, Scope::SettingsWrite)
        .named("nameRole", "Let clients send a role under another name.")
        .says(Message::Json("RoleNameInput"), 200, Message::Json("OtherRoleName")),
    admin("DELETE", "/admin/role-names/{name}", Admin::UnnameRole, Scope::SettingsWrite)
        .named("unnameRole", "Take another name of a role away.")
        .says(Message::Nothing, 204, Message::Nothing),
    admin("PUT", "/admin/mappings/{group}", Admin::MapGroup, Scope::GroupsMap)
        .named("mapGroup", "Say what direct membership of a group means.")
        .says(Message::Json("MappingInput"), 200, Message::Json("Mapping")),
    admin("DELETE", "/admin/mappings/{group}", Admin::UnmapGroup, Scope::GroupsMap)
        .named("unmapGroup", "Say that membership of a group means nothing.")
        .says(Message::Nothing, 204, Message::Nothing),
    admin("GET", "/admin/settings", Admin::Settings, Scope::SettingsWrite)
        .named("getSettings", "The settings of the tenant that are in force.")
        .says(Message::Nothing, 200, Message::Json("Settings")),
    admin("PATCH", "/admin/settings", Admin::ChangeSettings, Scope::SettingsWrite)
        .named("patchSettings", "Change settings of the tenant, all or none.")
        .says(Message::Json("Settings"), 200, Message::Json("Settings")),
    admin("GET", "/admin/tokens", Admin::Tokens, Scope::TokensWrite)
        .named("listTokens", "The tokens of the tenant, without their secrets.")
        .says(Message::Nothing, 200, Message::Json("TokenList")),
    admin("POST", "/admin/tokens", Admin::MakeToken, Scope::TokensWrite)
        .named("createToken", "Make a token that holds no more than the one that asks.")
        .says(Message::Json("TokenInput"), 201, Message::Json("TokenSecret")),
    admin("DELETE", "/admin/tokens/{id}", Admin::RevokeToken, Scope::TokensWrite)
        .named("revokeToken", "End a token.")
        .says(Message::Nothing, 204, Message::Nothing),
    admin("GET", "/admin/accounts", Admin::Accounts, Scope::UsersRead)
        .named("queryAccounts", "Query accounts, whatever the tenant shows of them.")
        .says(Message::Nothing, 200, Message::Json("AccountList")),
    admin("POST", "/admin/accounts", Admin::MakeAccount, Scope::SettingsWrite)
        .named("createAccount", "Make an account.")
        .says(Message::Json("AccountInput"), 201, Message::Json("Account")),
    admin("GET", "/admin/accounts/{account}", Admin::Account, Scope::UsersRead)
        .named("readAccount", "Read an account.")
        .says(Message::Nothing, 200, Message::Json("Account")),
    admin("PATCH", "/admin/accounts/{account}", Admin::ChangeAccount, Scope::SettingsWrite)
        .named("patchAccount", "Change an account; null takes a value away.")
        .says(Message::Json("AccountInput"), 200, Message::Json("Account")),
    admin("DELETE", "/admin/accounts/{account}", Admin::EndAccount, Scope::SettingsWrite)
        .named("deleteAccount", "End an account that has no members, or any with force.")
        .says(Message::Nothing, 204, Message::Nothing),
    admin("POST", "/admin/users/{user}/memberships", Admin::Join, Scope::RolesAssign)
        .named("createMembership", "Make a user a member of an account, with a role in it.")
        .says(Message::Json("MembershipInput"), 201, Message::Json("Membership")),
    admin(
        "PATCH",
        "/admin/users/{user}/memberships/{account}",
        Admin::ChangeMembership,
        Scope::RolesAssign,
    )
    .named("patchMembership", "Give a user another role in an account, or make that primary.")
    .says(Message::Json("MembershipChange"), 200, Message::Json("Membership")),
    admin("DELETE", "/admin/users/{user}/memberships/{account}", Admin::Leave, Scope::RolesAssign)
        .named("deleteMembership", "End the membership of a user in an account.")
        .says(Message::Nothing, 204, Message::Nothing),
    admin("GET", "/admin/brand", Admin::Brand, Scope::SettingsWrite)
        .named("getBrand", "How the tenant shows itself in mails and on people's pages.")
        .says(Message::Nothing, 200, Message::Json("Brand")),
    admin("PUT", "/admin/brand", Admin::SetBrand, Scope::SettingsWrite)
        .named("replaceBrand", "Set how the tenant shows itself; what is left out is none.")
        .says(Message::Json("BrandInput"), 200, Message::Json("Brand")),
    admin("GET", "/admin/templates", Admin::Templates, Scope::SettingsWrite)
        .named("listTemplates", "The tenant's own words for its letters.")
        .says(Message::Nothing, 200, Message::Json("TemplateList")),
    admin("GET", TEMPLATE, Admin::Template, Scope::SettingsWrite)
        .named("getTemplate", "A template in one language.")
        .says(Message::Nothing, 200, Message::Json("Template")),
    admin("PUT", TEMPLATE, Admin::SetTemplate, Scope::SettingsWrite)
        .named("replaceTemplate", "Make or replace a template in one language.")
        .says(Message::Json("TemplateInput"), 200, Message::Json("Template")),
    admin("DELETE", TEMPLATE, Admin::DeleteTemplate, Scope::SettingsWrite)
        .named("deleteTemplate", "Delete a template in one language.")
        .says(Message::Nothing, 204, Message::Nothing),
    admin("GET", "/admin/mails", Admin::Mails, Scope::LogRead)
        .named("listMails", "What became of mails, in the order in which they were written.")
        .says(Message::Nothing, 200, Message::Json("MailList")),
    admin("POST", "/admin/mails:report", Admin::ReportMail, Scope::UsersWrite)
        .named("reportMail", "Say that a mail was delivered or came back.")
        .says(Message::Json("MailReport"), 200, Message::Json("Mail")),
];

const TEMPLATE: &str = "/admin/templates/{template}/{locale}";

const fn admin(method: &'static str, path: &'static str, admin: Admin, scope: Scope) -> Row {
    row(method, Place::Server, path, Action::Admin(admin), Access::Scope(scope))
}

const fn auth(method: &'static str, path: &'static str, auth: Auth) -> Row {
    row(method, Place::Server, path, Action::Auth(auth), Access::Open)
}

const fn row(
    method: &'static str,
    place: Place,
    path: &'static str,
    action: Action,
    access: Access,
) -> Row {
    let answer = (200, Message::Nothing);
    let request = Message::Nothing;
    Row { method, place, path, action, access, operation: "", summary: "", request, answer }
}

const fn me(method: &'static str, operation: &'static str, request: Message) -> Row {
    row(method, Place::Scim, "/Me", Action::Me, Access::Token)
        .named(operation, "The user of the credential; tokens of clients stand for no user.")
        .says(request, 501, Message::Nothing)
}

impl Row {
    const fn named(self, operation: &'static str, summary: &'static str) -> Self {
        Self { operation, summary, ..self }
    }

    const fn says(self, request: Message, status: u16, answer: Message) -> Self {
        Self { request, answer: (status, answer), ..self }
    }
}

/// A row together with the resource type that it serves.
#[derive(Debug, Clone)]
pub struct Route {
    /// The row.
    pub row: &'static Row,
    /// The resource type, for rows of [`Place::Type`].
    pub kind: Option<Arc<ResourceType>>,
    /// The whole path below the public URL, versioned where it is SCIM.
    pub path: String,
}

impl Route {
    /// Who may use it: what is written needs the scope of its type.
    pub fn access(&self) -> Access {
        match &self.kind {
            Some(kind) if self.row.access == WRITE => {
                Access::Scope(scope::to_write(&kind.schema.id))
            }
            Some(_) | None => self.row.access,
        }
    }

    /// The operation id.
    pub fn operation(&self) -> String {
        self.fill(self.row.operation)
    }

    /// The sentence for people.
    pub fn summary(&self) -> String {
        self.fill(self.row.summary)
    }

    /// Paths under which it is served.
    pub fn paths(&self) -> Vec<String> {
        match (self.row.place, self.path.strip_prefix(SCIM)) {
            (Place::Scim | Place::Type, Some(rest)) => {
                vec![self.path.clone(), format!("{SCIM_UNVERSIONED}{rest}")]
            }
            (Place::Server | Place::Scim | Place::Type, _) => vec![self.path.clone()],
        }
    }

    fn fill(&self, text: &str) -> String {
        match &self.kind {
            None => text.to_owned(),
            Some(kind) => {
                text.replace("{s}", kind.endpoint.trim_start_matches('/')).replace("{}", &kind.name)
            }
        }
    }
}

fn allows(writes: Writes, action: Action) -> bool {
    match writes {
        Writes::All => true,
        Writes::Ends => !matches!(action, Action::Replace | Action::Patch),
        Writes::Nothing => !action.writes(),
    }
}

fn all() -> impl Iterator<Item = &'static Row> {
    ROUTES.iter().chain(pages::PAGES)
}

/// Every route of a server that serves these resource types.
pub fn routes(registry: &Registry) -> Vec<Route> {
    let of_types = registry.all().flat_map(|kind| {
        let writes = kind.writes;
        let fits = move |row: &&Row| row.place == Place::Type && allows(writes, row.action);
        all().filter(fits).map(|row| Route {
            row,
            kind: Some(Arc::clone(kind)),
            path: format!("{SCIM}{}{}", kind.endpoint, row.path),
        })
    });
    let others = all().filter_map(|row| {
        let path = match row.place {
            Place::Type => return None,
            Place::Scim => format!("{SCIM}{}", row.path),
            Place::Server => row.path.to_owned(),
        };
        Some(Route { row, kind: None, path })
    });
    of_types.chain(others).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_operation_and_no_endpoint_is_there_twice() {
        let all = routes(&Registry::standard());
        let operations: HashSet<_> = all.iter().map(Route::operation).collect();
        let places: HashSet<_> =
            all.iter().map(|route| (route.row.method, route.path.clone())).collect();
        assert_eq!((operations.len(), places.len()), (all.len(), all.len()));
    }
}
