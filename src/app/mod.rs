#![allow(missing_docs, clippy::all, clippy::pedantic)]
//! STUB of the use-cases; replaced when the real ones are merged.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value, json};

use crate::clock::Clock;
use crate::domain::scope::Scopes;
use crate::domain::tenant::TenantSettings;
use crate::ids::{RequestId, TenantId, TokenId};
use crate::scim::resource_type::{Registry, ResourceType};
use crate::settings::Settings;

mod error;
pub mod worker;
pub use error::{Challenge, Error};

/// STUB of scim::query::Query.
#[derive(Debug, Clone, Default)]
pub struct Query { pub attributes: Vec<String>, pub filter: Option<String> }
impl Query {
    pub fn from_query_string(_raw: &str, _quirks: crate::scim::quirks::Quirks) -> Result<Self, crate::scim::Error> { Ok(Self::default()) }
    pub fn from_search(_body: &Value, _quirks: crate::scim::quirks::Quirks) -> Result<Self, crate::scim::Error> { Ok(Self::default()) }
}
/// STUB of scim::etag::Conditions.
#[derive(Debug, Clone, Default)]
pub struct Conditions { pub if_match: Option<String>, pub if_none_match: Option<String> }
impl Conditions {
    /// STUB
    pub fn check_read(&self, etag: &str) -> Result<(), Error> {
        if self.if_none_match.as_deref() == Some(etag) { return Err(Error::NotModified { etag: etag.to_owned() }); }
        Ok(())
    }
}

/// What to write to.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> { pub id: &'a str, pub conditions: &'a Conditions }

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefer { Nothing, Minimal, Representation }

#[derive(Debug, Clone)]
pub struct Answer { pub document: Map<String, Value>, pub etag: String, pub location: String }
#[derive(Debug, Clone)]
pub enum Patched { Resource(Answer), Nothing { etag: String, location: String } }

#[derive(Debug, Clone)]
pub struct Ctx { pub tenant: TenantId, pub tenant_name: String, pub rules: Arc<TenantSettings>, pub token: TokenId, pub scopes: Scopes, pub request: RequestId }

#[derive(Debug, Clone)]
pub struct Tenant { pub id: TenantId, pub name: String, pub settings: TenantSettings, pub created: crate::clock::Micros }
#[derive(Debug, Clone)]
pub struct Token { pub id: TokenId, pub label: String, pub scopes: Scopes, pub created: crate::clock::Micros, pub expires: Option<crate::clock::Micros>, pub used: Option<crate::clock::Micros>, pub revoked: Option<crate::clock::Micros> }
#[derive(Debug, Clone)]
pub struct NewToken { pub scopes: Vec<String>, pub label: String, pub expires_days: Option<u32> }
#[derive(Debug, Clone)]
pub struct NewTokenSecret { pub id: TokenId, pub secret: String }

#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);
#[derive(Debug)]
struct Inner { settings: Arc<Settings>, registry: Registry, clock: Clock, base: OnceLock<String> }

impl App {
    pub async fn open(settings: Settings, registry: Registry, clock: Clock) -> Result<Self, Error> {
        Ok(Self(Arc::new(Inner { settings: Arc::new(settings), registry, clock, base: OnceLock::new() })))
    }
    pub fn registry(&self) -> &Registry { &self.0.registry }
    pub fn settings(&self) -> &Settings { &self.0.settings }
    pub fn clock(&self) -> &Clock { &self.0.clock }
    pub fn base(&self) -> &str { self.0.base.get().map_or("http://localhost/scim/v2", String::as_str) }
    pub fn set_base(&self, base: String) { let _ = self.0.base.set(base); }
    pub async fn authenticate(&self, token: &str, request: RequestId) -> Result<Ctx, Error> {
        let names = match token { "usher_good" => vec![], "usher_read" => vec!["users:read"], "usher_admin" => vec!["admin"], _ => return Err(Error::Unauthorized(Challenge::Invalid)) };
        Ok(Ctx { tenant: TenantId::from("t"), tenant_name: "default".into(), rules: Arc::default(), token: TokenId::from("k"), scopes: Scopes::parse(names).map_err(Error::Internal)?, request })
    }
    fn answer(&self, kind: &ResourceType, id: &str) -> Answer {
        let location = format!("{}{}/{id}", self.base(), kind.endpoint);
        Answer { document: json!({"schemas": [kind.schema.id], "id": id}).as_object().cloned().unwrap_or_default(), etag: "W/\"1\"".into(), location }
    }
    pub async fn create(&self, _: &Ctx, kind: &Arc<ResourceType>, _: Value, _: &Query) -> Result<Answer, Error> { Ok(self.answer(kind, "1")) }
    pub async fn get(&self, _: &Ctx, kind: &Arc<ResourceType>, id: &str, _: &Query) -> Result<Answer, Error> {
        if id == "panic" { panic!("as asked"); }
        if id == "none" { return Err(Error::NotFound { kind: kind.name.clone(), id: id.into() }); }
        Ok(self.answer(kind, id))
    }
    pub async fn list(&self, _: &Ctx, _: &[Arc<ResourceType>], _: &Query) -> Result<Value, Error> { Ok(json!({"schemas": [crate::scim::urn::LIST], "totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": []})) }
    pub async fn replace(&self, _: &Ctx, kind: &Arc<ResourceType>, target: Target<'_>, _: Value, _: &Query) -> Result<Answer, Error> { Ok(self.answer(kind, target.id)) }
    pub async fn patch(&self, _: &Ctx, kind: &Arc<ResourceType>, target: Target<'_>, _: Value, view: (&Query, Prefer)) -> Result<Patched, Error> {
        let answer = self.answer(kind, target.id);
        Ok(match view.1 { Prefer::Minimal => Patched::Nothing { etag: answer.etag, location: answer.location }, Prefer::Nothing | Prefer::Representation => Patched::Resource(answer) })
    }
    pub async fn delete(&self, _: &Ctx, _: &Arc<ResourceType>, _: Target<'_>) -> Result<(), Error> { Ok(()) }
    pub async fn ready(&self) -> Result<(), Error> { Ok(()) }
    pub async fn close(&self) {}
    pub async fn first_run(&self) -> Result<Option<NewTokenSecret>, Error> { Ok(Some(NewTokenSecret { id: TokenId::from("k"), secret: "usher_good".into() })) }
    pub async fn create_tenant(&self, name: &str) -> Result<Tenant, Error> { Ok(Tenant { id: TenantId::from("t"), name: name.into(), settings: TenantSettings::default(), created: self.clock().now() }) }
    pub async fn tenants(&self) -> Result<Vec<Tenant>, Error> { Ok(vec![self.create_tenant("default").await?]) }
    pub async fn tenant(&self, name: &str) -> Result<Tenant, Error> { self.create_tenant(name).await }
    pub async fn set_tenant(&self, name: &str, _: &BTreeMap<String, String>) -> Result<Tenant, Error> { self.create_tenant(name).await }
    pub async fn create_token(&self, _tenant: &str, _new: NewToken) -> Result<NewTokenSecret, Error> { Ok(NewTokenSecret { id: TokenId::from("k"), secret: "usher_good".into() }) }
    pub async fn tokens(&self, _tenant: &str) -> Result<Vec<Token>, Error> { Ok(vec![]) }
    pub async fn rotate_token(&self, _tenant: &str, _id: &str) -> Result<NewTokenSecret, Error> { Ok(NewTokenSecret { id: TokenId::from("k"), secret: "usher_good".into() }) }
    pub async fn set_token_scopes(&self, _tenant: &str, _id: &str, _scopes: &[String]) -> Result<(), Error> { Ok(()) }
    pub async fn revoke_token(&self, _tenant: &str, _id: &str) -> Result<(), Error> { Ok(()) }
    /// The context of the command line: it may do everything in this tenant.
    pub async fn operator(&self, _tenant: &str) -> Result<Ctx, Error> { self.authenticate("usher_admin", RequestId::new(self.clock().now())).await }
}
