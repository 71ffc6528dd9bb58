//! Usher without a socket: requests go through the real router, answers are checked as a client sees them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;
use usher::app::App;
use usher::app::tokens::NewToken;
use usher::clock::Clock;
use usher::domain::scope::{Scope, Scopes};
use usher::http::{Metrics, Peer};
use usher::scim::quirks::Quirks;
use usher::scim::resource_type::Registry;
use usher::settings::Settings;
use usher::store::{Store, StoreSettings};

use super::documented::{Contract, Exchange};
use super::{Directory, Opened};

/// Where the test server believes to be.
pub(crate) const BASE: &str = "http://usher.test/scim/v2";

/// A tenant with a token on an Usher of its own. Clones share the database.
#[derive(Clone)]
pub(crate) struct TestApp {
    pub(crate) app: App,
    pub(crate) token: String,
    pub(crate) tenant: String,
    /// What the app works on.
    pub(crate) store: Store,
    /// Whether a create may be answered without the resource though nobody prefers it so.
    pub(crate) bare: bool,
    /// The address that its requests come from.
    pub(crate) peer: Option<SocketAddr>,
    router: Router,
    settings: Arc<StoreSettings>,
    _directory: Arc<Directory>,
    contract: Arc<Contract>,
}

/// An answer, body parsed.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The JSON body; null when there is none.
    pub(crate) body: Value,
}

impl Reply {
    /// The text of a header, empty when it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The `id` in the body.
    pub(crate) fn id(&self) -> String {
        let id = self.body["id"].as_str();
        id.unwrap_or_else(|| panic!("no id in {self:?}")).to_owned()
    }

    /// Asserts the status and gives the answer back.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// Asserts a SCIM error of this status and scimType (RFC 7644 s3.12), and gives its detail.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, scim_type: &str) -> String {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/scim+json");
        let schemas = self.body["schemas"].as_array().unwrap();
        assert!(schemas.contains(&json!("urn:ietf:params:scim:api:messages:2.0:Error")));
        assert_eq!(self.body["status"], status.to_string());
        assert_eq!(self.body["scimType"].as_str().unwrap_or_default(), scim_type, "{}", self.body);
        self.body["detail"].as_str().unwrap().to_owned()
    }
}

impl Opened for TestApp {
    async fn open(settings: StoreSettings, directory: Directory) -> Self {
        Self::with_registry(settings, directory, Registry::standard()).await
    }
}

/// Settings that hash fast, on a directory of the test.
pub(crate) fn settings(directory: &Directory) -> Settings {
    let mut settings = Settings::defaults();
    settings.data_dir = PathBuf::from(directory.path());
    settings.work.argon2_memory = 64;
    settings.work.argon2_iterations = 1;
    settings
}

impl TestApp {
    pub(crate) async fn with_registry(
        settings: StoreSettings,
        directory: Directory,
        registry: Registry,
    ) -> Self {
        let store = Store::open(&settings).await.unwrap();
        let settings_of_app = self::settings(&directory);
        let app = App::on(store.clone(), settings_of_app, registry, Clock::System).unwrap();
        app.set_public_url("http://usher.test");
        app.unlock().await.unwrap();
        let secret = app.first_run().await.unwrap().unwrap();
        // What is Usher's own is shown where a test asks for it.
        let plain = ("discovery.extensions".to_owned(), "none".to_owned());
        app.set_tenant("default", &[plain]).await.unwrap();
        Self {
            router: usher::http::router(app.clone(), Metrics::default()),
            contract: Contract::of(app.registry()),
            app,
            token: secret.token,
            tenant: "default".to_owned(),
            store,
            bare: false,
            peer: None,
            settings: Arc::new(settings),
            _directory: Arc::new(directory),
        }
    }

    /// A second process on the same database, as far as a process can have one.
    pub(crate) async fn second_instance(&self) -> Self {
        self.second_instance_at(Clock::System).await
    }

    /// The same, living at another time.
    pub(crate) async fn second_instance_at(&self, clock: Clock) -> Self {
        self.instance(clock, |_| {}).await
    }

    /// A second process with other settings, living at another time.
    pub(crate) async fn instance(&self, clock: Clock, change: impl FnOnce(&mut Settings)) -> Self {
        let store = Store::open(&self.settings).await.unwrap();
        let mut settings = self.app.settings().clone();
        change(&mut settings);
        let registry = self.app.registry().clone();
        let app = App::on(store.clone(), settings, registry, clock).unwrap();
        app.set_public_url("http://usher.test");
        app.unlock().await.unwrap();
        let router = usher::http::router(app.clone(), Metrics::default());
        Self { app, store, router, ..self.clone() }
    }

    /// The same database once more, below Usher.
    pub(crate) async fn another_store(&self) -> Store {
        Store::open(&self.settings).await.unwrap()
    }

    /// A new tenant with these settings, and a token of its own.
    pub(crate) async fn tenant(&self, settings: &BTreeMap<String, String>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let tenant = format!("t{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.app.create_tenant(&tenant, None).await.unwrap();
        let mut settings = settings.clone();
        settings.entry("discovery.extensions".to_owned()).or_insert_with(|| "none".to_owned());
        let pairs: Vec<_> = settings.into_iter().collect();
        self.app.set_tenant(&tenant, &pairs).await.unwrap();
        let secret = self.app.create_token(&tenant, &NewToken::default()).await.unwrap();
        Self { tenant, token: secret.token, ..self.clone() }
    }

    /// A new tenant with one setting.
    pub(crate) async fn tenant_with(&self, key: &str, value: &str) -> Self {
        self.tenant(&BTreeMap::from([(key.to_owned(), value.to_owned())])).await
    }

    /// The same tenant with a token of these scopes.
    pub(crate) async fn scoped(&self, scopes: &[&str]) -> Self {
        let bare = !Scopes::parse(scopes.iter().copied()).unwrap().allow(Scope::UsersRead);
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let wanted = NewToken { scopes, ..NewToken::default() };
        let secret = self.app.create_token(&self.tenant, &wanted).await.unwrap();
        Self { token: secret.token, bare, ..self.clone() }
    }

    /// The same with another token.
    pub(crate) fn bearing(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// The same, coming from this address.
    pub(crate) fn from(&self, address: &str) -> Self {
        let peer = SocketAddr::new(address.parse().unwrap(), 1);
        Self { peer: Some(peer), ..self.clone() }
    }

    /// The same without a credential.
    pub(crate) fn anonymous(&self) -> Self {
        Self { token: String::new(), ..self.clone() }
    }

    /// The same, answering only these quirks.
    pub(crate) fn with_quirks(&self, quirks: Quirks) -> Self {
        let app = self.app.with_quirks(quirks);
        Self { router: usher::http::router(app.clone(), Metrics::default()), app, ..self.clone() }
    }

    /// The same, reading so many members at once.
    pub(crate) fn in_pieces(&self, size: usize) -> Self {
        let app = self.app.with_pieces(size);
        Self { router: usher::http::router(app.clone(), Metrics::default()), app, ..self.clone() }
    }

    /// The service itself.
    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.exchange("GET", path, &[], None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.exchange("POST", path, &[], Some(body.to_string())).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Reply {
        self.exchange("PUT", path, &[], Some(body.to_string())).await
    }

    /// A PATCH of these operations.
    pub(crate) async fn patch(&self, path: &str, operations: Value) -> Reply {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": operations,
        });
        self.exchange("PATCH", path, &[], Some(body.to_string())).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.exchange("DELETE", path, &[], None).await
    }

    /// The resources that a filter finds below this endpoint.
    pub(crate) async fn find(&self, endpoint: &str, filter: &str) -> Reply {
        let filter =
            percent_encoding::utf8_percent_encode(filter, percent_encoding::NON_ALPHANUMERIC);
        self.get(&format!("{endpoint}?filter={filter}")).await
    }

    /// A user of this name; gives its id.
    pub(crate) async fn user(&self, name: &str) -> String {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": name,
        });
        self.post("/Users", &body).await.expect(201).id()
    }

    /// A group with these members; gives its id.
    pub(crate) async fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<_> = members.iter().map(|id| json!({ "value": id })).collect();
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": name,
            "members": members,
        });
        self.post("/Groups", &body).await.expect(201).id()
    }

    /// Sends a request below the SCIM base; a path that begins with `http` goes as it is. The
    /// answer must be one that the OpenAPI document describes.
    pub(crate) async fn exchange(
        &self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: Option<String>,
    ) -> Reply {
        let uri = if path.starts_with("http") { path.to_owned() } else { format!("{BASE}{path}") };
        let mut request =
            Request::builder().method(method).uri(uri.replace(' ', "%20").replace('"', "%22"));
        let named =
            |wanted: &str| headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
        if !named("authorization") && !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        if body.is_some() && !named("content-type") {
            request = request.header("content-type", "application/scim+json");
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let minimal = headers.iter().any(|(_, value)| value.contains("return=minimal"));
        let mut request = request.body(Body::from(body.unwrap_or_default())).unwrap();
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(Peer(peer));
        }
        let path = request.uri().path().to_owned();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let is_json = parts
            .headers
            .get("content-type")
            .is_some_and(|kind| kind.to_str().is_ok_and(|kind| kind.contains("json")));
        let body = if bytes.is_empty() || !is_json {
            Value::String(String::from_utf8_lossy(&bytes).into_owned())
        } else {
            serde_json::from_slice(&bytes).unwrap()
        };
        let body = if body == "" { Value::Null } else { body };
        let status = parts.status.as_u16();
        let headers = &parts.headers;
        let bare = self.bare || minimal;
        self.contract.check(Exchange { method, path: &path, status, headers, body: &body, bare });
        Reply { status, headers: parts.headers, body }
    }
}
