//! SCIM over HTTP: finds the endpoint and the caller, calls the app, puts the answer on the wire.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::{HeaderValue, Method, StatusCode, header};
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;

use crate::app::{App, Error};
use crate::scim;

pub mod admin;
pub mod auth;
pub mod body;
pub mod bulk;
pub mod call;
pub mod discovery;
pub mod error;
pub mod front;
pub mod logging;
pub mod metrics;
pub mod openapi;
pub mod operations;
pub mod pages;
pub mod prefer;
pub mod resources;
pub mod routes;
pub mod scim_json;
pub mod server;
pub mod signin;
pub mod spelling;
pub mod stream;
pub mod unread;

pub use front::Peer;
pub use metrics::Metrics;
pub use operations::CONTRACT;

use call::Call;
use front::Seen;
use routes::{Action, Place, Route};
use spelling::Spelling;

/// What all requests share.
#[derive(Debug, Clone)]
pub struct Http {
    app: App,
    metrics: Metrics,
}

/// The service of this app, made from the table of routes alone.
pub fn router(app: App, metrics: Metrics) -> Router {
    let prefix = app.settings().public_url.as_ref().map_or("", |url| url.path()).to_owned();
    let mut paths: BTreeMap<String, Vec<Arc<Route>>> = BTreeMap::new();
    let all = routes::routes(app.registry());
    let spelling = Arc::new(Spelling::new(&all));
    for route in all.into_iter().map(Arc::new) {
        for path in route.paths() {
            paths.entry(path).or_default().push(Arc::clone(&route));
        }
    }
    let http = Http { app, metrics };
    let table = paths
        .into_iter()
        .fold(Router::new(), |table, (path, routes)| table.route(&path, endpoint(&routes)));
    let table = table.fallback(nothing_here).with_state(http.clone());
    // Around the router as a whole: before it looks at the path.
    let service = ServiceBuilder::new()
        .layer(from_fn_with_state(http, front::front))
        .layer(CompressionLayer::new())
        .map_request(move |request| spelling.correct(without(&prefix, request)))
        .service(table);
    Router::new().fallback_service(service)
}

/// The page of figures alone, for a listener of its own.
pub fn metrics_router(metrics: Metrics) -> Router {
    Router::new()
        .route("/metrics", axum::routing::get(move || async move { operations::metrics(&metrics) }))
}

/// All methods of one path.
fn endpoint(routes: &[Arc<Route>]) -> MethodRouter<Http> {
    let allow = allowed(routes);
    let template = routes.first().map(|route| route.path.clone()).unwrap_or_default();
    let options = (allow.clone(), template.clone());
    let start = on(MethodFilter::OPTIONS, move |request: Request| async move {
        see(&request, &options.1);
        options_answer(&options.0)
    });
    let methods = routes.iter().filter_map(|route| {
        let filter = MethodFilter::try_from(route.row.method.parse::<Method>().ok()?).ok()?;
        Some((filter, Arc::clone(route)))
    });
    let known = methods.fold(start, |known, (filter, route)| {
        known.on(filter, move |State(http): State<Http>, request: Request| {
            let route = Arc::clone(&route);
            async move { serve(http, route, request).await }
        })
    });
    known.fallback(move |request: Request| async move {
        see(&request, &template);
        failed(&request, &Error::MethodNotAllowed(allow))
    })
}

fn allowed(routes: &[Arc<Route>]) -> String {
    let mut methods: Vec<&str> = vec!["OPTIONS"];
    for route in routes {
        if route.row.method == "GET" {
            methods.push("HEAD");
        }
        methods.push(route.row.method);
    }
    methods.sort_unstable();
    methods.dedup();
    methods.join(", ")
}

fn options_answer(allow: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if let Ok(allow) = HeaderValue::from_str(allow) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

async fn serve(http: Http, route: Arc<Route>, request: Request) -> Response {
    see(&request, &route.path);
    let for_admins = matches!(route.row.action, Action::Admin(_) | Action::Auth(_));
    let for_people = matches!(route.row.action, Action::Page(_))
        .then(|| pages::Manner::of(&http.app, request.headers()));
    let seen = request.extensions().get::<Arc<Seen>>().cloned();
    let limit = patience(&http, route.row.action);
    let work = tokio::time::timeout(limit, answer(http, route, request, seen.as_deref()));
    match (work.await.unwrap_or(Err(Error::Busy(5))), for_people) {
        (Ok(response), _) => response,
        (Err(error), Some(manner)) => manner.failed(&error),
        (Err(error), None) if for_admins => error::problem(&error, &id_of(seen.as_deref())),
        (Err(error), None) => error::response(&error, &id_of(seen.as_deref())),
    }
}

/// How long a request may take. What may have begun to write is not given up: whoever asked would be
/// told that it failed while it succeeds. Its body, and the database, have limits of their own.
fn patience(http: &Http, action: Action) -> Duration {
    if action.writes() { Duration::MAX } else { http.app.settings().limits.request_timeout }
}

async fn answer(
    http: Http,
    route: Arc<Route>,
    request: Request,
    seen: Option<&Seen>,
) -> Result<Response, Error> {
    let Http { app, metrics } = http;
    let (parts, body) = request.into_parts();
    let client = call::client(&parts);
    let asked = auth::Asked { headers: &parts.headers, client: &client, request: id_of(seen) };
    let ctx = auth::caller(&app, route.access(), asked).await?;
    if let (Some(seen), Some(ctx)) = (seen, &ctx) {
        let _ = seen.caller.set((ctx.tenant_name.clone(), ctx.token.to_string()));
    }
    spelling::check(&parts, ctx.as_ref())?;
    let later = route.row.action == Action::Bulk && bulk::may_be_later(&parts.headers);
    if route.row.place != Place::Server && !later {
        scim_json::check_accept(&parts.headers)?;
    }
    let call = Call::new(app, Arc::clone(&route), parts, body, ctx);
    if route.kind.as_ref().is_some_and(|kind| !discovery::shows_type(&call, kind)) {
        return Err(Error::NoEndpoint(call.parts.uri.path().to_owned()));
    }
    dispatch(call, &metrics).await
}

async fn dispatch(call: Call, metrics: &Metrics) -> Result<Response, Error> {
    match call.route.row.action {
        Action::Create => resources::create(call).await,
        Action::List => resources::list(call).await,
        Action::Search => resources::search(call).await,
        Action::Read => resources::read(call).await,
        Action::Replace => resources::replace(call).await,
        Action::Patch => resources::patch(call).await,
        Action::Delete => resources::delete(call).await,
        Action::ListAll => resources::list_all(call).await,
        Action::SearchAll => resources::search_all(call).await,
        Action::Schemas => discovery::schemas(&call),
        Action::Schema => discovery::schema(&call),
        Action::Types => discovery::types(&call),
        Action::Type => discovery::resource_type(&call),
        Action::Config => discovery::configuration(&call),
        Action::Me => resources::me(call).await,
        Action::Bulk => bulk::run(call).await,
        Action::BulkJob => bulk::status(call).await,
        Action::StopBulk => bulk::stop(call).await,
        Action::Alive => Ok(operations::alive()),
        Action::Ready => operations::ready(&call.app).await,
        Action::Metrics => Ok(operations::metrics(metrics)),
        Action::Contract => Ok(operations::contract()),
        Action::Docs => operations::page(),
        Action::Admin(admin) => admin::answer(admin, call).await,
        Action::Auth(auth) => signin::answer(auth, call).await,
        Action::Page(page) => pages::answer(page, call).await,
    }
}

async fn nothing_here(request: Request) -> Response {
    let path = request.uri().path();
    let version = path
        .strip_prefix("/scim/")
        .and_then(|rest| rest.split('/').next())
        .filter(|segment| is_version(segment));
    // RFC 7644 s3.13 and table 9: a version that is not served.
    let error = match version {
        Some(version) => Error::Scim(scim::Error::InvalidVers(format!(
            "Version '{version}' is not served; use {}.",
            routes::SCIM
        ))),
        None => Error::NoEndpoint(scim::path::excerpt(path)),
    };
    failed(&request, &error)
}

/// The request without the path of the public URL: proxies may take it away, or leave it.
fn without(prefix: &str, mut request: Request) -> Request {
    let Some(rest) = request.uri().path().strip_prefix(prefix) else { return request };
    if prefix.is_empty() || !(rest.is_empty() || rest.starts_with('/')) {
        return request;
    }
    let query = request.uri().query().map_or_else(String::new, |query| format!("?{query}"));
    let path = if rest.is_empty() { "/" } else { rest };
    if let Ok(target) = format!("{path}{query}").parse::<http::Uri>() {
        *request.uri_mut() = target;
    }
    request
}

fn is_version(segment: &str) -> bool {
    let digits = segment.strip_prefix(['v', 'V']).unwrap_or_default();
    segment != "v2"
        && digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
}

fn failed(request: &Request, error: &Error) -> Response {
    let seen = request.extensions().get::<Arc<Seen>>();
    error::response(error, &id_of(seen.map(Arc::as_ref)))
}

fn id_of(seen: Option<&Seen>) -> crate::ids::RequestId {
    seen.map_or_else(|| "-".into(), |seen| seen.request.clone())
}

fn see(request: &Request, template: &str) {
    if let Some(seen) = request.extensions().get::<Arc<Seen>>() {
        let _ = seen.template.set(template.to_owned());
    }
}
