//! Bulk requests as clients write them.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use usher::clock::Clock;
use usher::store::Value as Bind;

use super::app::{Reply, TestApp};

/// The preference for an answer before the work is done.
pub(crate) const ASYNC: (&str, &str) = ("prefer", "respond-async");

/// How long a test waits for something before it fails.
pub(crate) struct Limit(Instant);

impl Limit {
    pub(crate) fn new() -> Self {
        Self(Instant::now() + Duration::from_mins(2))
    }

    /// Waits so many milliseconds; what is seen is said when it has taken too long.
    #[track_caller]
    pub(crate) fn pause(&self, milliseconds: u64, seen: &impl Debug) -> tokio::time::Sleep {
        assert!(Instant::now() < self.0, "it takes too long: {seen:?}");
        tokio::time::sleep(Duration::from_millis(milliseconds))
    }
}

/// The message of these operations.
pub(crate) fn message(operations: &[Value]) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": operations,
    })
}

/// Makes a user of this name.
pub(crate) fn post_user(name: &str) -> Value {
    post("/Users", name, &json!({ "userName": name }))
}

/// Makes something.
pub(crate) fn post(path: &str, name: &str, data: &Value) -> Value {
    json!({ "method": "POST", "path": path, "bulkId": name, "data": data })
}

/// Makes a group with these members.
pub(crate) fn post_group(name: &str, members: &[&str]) -> Value {
    let members: Vec<_> = members.iter().map(|id| json!({ "value": id })).collect();
    post("/Groups", name, &json!({ "displayName": name, "members": members }))
}

pub(crate) fn put(path: &str, data: &Value) -> Value {
    json!({ "method": "PUT", "path": path, "data": data })
}

/// Changes something by these PATCH operations.
pub(crate) fn patch(path: &str, operations: &Value) -> Value {
    let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
    json!({ "method": "PATCH", "path": path,
            "data": { "schemas": schemas, "Operations": operations } })
}

pub(crate) fn delete(path: &str) -> Value {
    json!({ "method": "DELETE", "path": path })
}

/// Sends a message with these headers.
pub(crate) async fn send(app: &TestApp, headers: &[(&str, &str)], message: &Value) -> Reply {
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    app.exchange("POST", "/Bulk", &headers, Some(message.to_string())).await
}

/// Sends operations and gives their results.
pub(crate) async fn run(app: &TestApp, operations: &[Value]) -> Vec<Value> {
    results(&send(app, &[], &message(operations)).await)
}

/// The results of an answer.
#[track_caller]
pub(crate) fn results(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let schema = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
    assert_eq!(reply.body["schemas"], json!([schema]));
    reply.body["Operations"].as_array().unwrap().clone()
}

/// The statuses of results.
pub(crate) fn statuses(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["status"].as_str().unwrap()).collect()
}

/// The id at the end of a result's location.
#[track_caller]
pub(crate) fn id(result: &Value) -> String {
    let location = result["location"].as_str().unwrap_or_else(|| panic!("{result}"));
    location.rsplit('/').next().unwrap().to_owned()
}

/// Users, and after every few of them a group of the last ones, which refers to them and to the first.
pub(crate) fn work(name: &str, count: usize) -> Value {
    let mut all = Vec::with_capacity(count);
    for at in 0..count {
        if at % 10 == 9 {
            let members = [at - 1, at - 2, at - 3, 0].map(|user| format!("bulkId:{name}{user}"));
            let members: Vec<&str> = members.iter().map(String::as_str).collect();
            all.push(post_group(&format!("{name}{at}"), &members));
        } else {
            all.push(post_user(&format!("{name}{at}")));
        }
    }
    message(&all)
}

/// One that takes large requests.
pub(crate) async fn large(app: &TestApp) -> TestApp {
    at(app, Clock::System).await
}

pub(crate) async fn at(app: &TestApp, clock: Clock) -> TestApp {
    app.instance(clock, |settings| {
        settings.limits.bulk_max_operations = 100_000;
        settings.limits.bulk_max_payload = 64 * 1024 * 1024;
    })
    .await
}

pub(crate) fn later(seconds: i64) -> Clock {
    Clock::fixed(Clock::System.now().plus_seconds(seconds))
}

/// The address of a job below the base.
pub(crate) fn address(reply: &Reply) -> String {
    assert_eq!(reply.status, 202, "{}", reply.body);
    assert_eq!(reply.header("preference-applied"), "respond-async");
    let place = reply.header("location").strip_prefix("http://usher.test/scim/v2").unwrap();
    assert_eq!(place, format!("/Bulk/{}", reply.header("set-txn")));
    place.to_owned()
}

/// The state of a job once it has ended.
pub(crate) async fn ended(app: &TestApp, place: &str) -> Value {
    let limit = Limit::new();
    loop {
        let job = app.get(place).await.expect(200).body;
        if !["waiting", "running"].contains(&job["status"].as_str().unwrap()) {
            return job;
        }
        limit.pause(20, &job).await;
    }
}

pub(crate) async fn users(app: &TestApp, name: &str) -> u64 {
    let found = app.find("/Users", &format!("userName sw \"{name}\"")).await.expect(200);
    found.body["totalResults"].as_u64().unwrap()
}

/// Waits until so many users are there.
pub(crate) async fn some_users(app: &TestApp, name: &str) {
    let limit = Limit::new();
    while users(app, name).await == 0 {
        limit.pause(2, &name).await;
    }
}

/// Numbers that a statement finds for this tenant.
pub(crate) async fn numbers(app: &TestApp, sql: &'static str) -> Vec<i64> {
    let tenant = app.app.tenant(&app.tenant).await.unwrap().id;
    let store = app.another_store().await;
    let found = store.read(async move |tx| {
        let rows = tx.query(sql, &[Bind::from(&tenant)]).await?;
        rows.iter().map(|row| row.int(0)).collect::<Result<Vec<_>, _>>()
    });
    let found = found.await.unwrap();
    store.close().await;
    found
}

/// Changes what is stored as nobody should.
pub(crate) async fn change(app: &TestApp, sql: &'static str) {
    let tenant = app.app.tenant(&app.tenant).await.unwrap().id;
    let store = app.another_store().await;
    let bind = Bind::from(&tenant);
    let done =
        store.write(&tenant, async move |tx| tx.execute(sql, std::slice::from_ref(&bind)).await);
    assert!(done.await.unwrap() > 0, "{sql} did nothing");
    store.close().await;
}
