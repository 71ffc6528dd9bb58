//! Reads of others that take long: who never waits for them, and what a change is answered.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use usher::clock::Clock;
use usher::store::{Dialect, Error, Store, StoreSettings, Tx};

use crate::support::app::TestApp;
use crate::support::{Directory, Opened, each_db};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Reads that hold every lane until this is dropped.
struct Crowd {
    gate: Arc<(Mutex<bool>, Condvar)>,
}

impl Crowd {
    async fn before(store: &Store) -> Self {
        let lanes = match store.dialect() {
            Dialect::Sqlite => 2,
            // Of the two readers that tests have, one serves look-ups.
            Dialect::Postgres => 1,
        };
        let crowd = Self { gate: Arc::default() };
        let (held, began) = (Arc::new(AtomicUsize::new(0)), Instant::now());
        while held.load(Ordering::Acquire) < lanes {
            assert!(began.elapsed() < Duration::from_secs(10), "some lane is never held");
            let (store, gate, held) = (store.clone(), Arc::clone(&crowd.gate), Arc::clone(&held));
            tokio::spawn(async move {
                let wait = async move |_: &mut Tx<'_>| {
                    held.fetch_add(1, Ordering::AcqRel);
                    let (open, opened) = &*gate;
                    let open = open.lock().unwrap();
                    drop(opened.wait_while(open, |open| !*open).unwrap());
                    Ok::<(), Error>(())
                };
                store.read(wait).await
            });
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        crowd
    }

    /// The same, with so many behind them that nobody else may wait.
    async fn without_room(store: &Store) -> Self {
        let crowd = Self::before(store).await;
        let look = async || store.read(async |_: &mut Tx<'_>| Ok::<(), Error>(())).await;
        while tokio::time::timeout(Duration::from_millis(5), look()).await != Ok(Err(Error::Busy)) {
        }
        crowd
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        *self.gate.0.lock().unwrap() = true;
        self.gate.1.notify_all();
    }
}

/// An app in which few reads may wait.
struct Narrow(TestApp);

impl Opened for Narrow {
    async fn open(settings: StoreSettings, directory: Directory) -> Self {
        let mut app = TestApp::open(StoreSettings { queue: 4, ..settings }, directory).await;
        app.bare = true;
        Self(app)
    }
}

fn user(name: &str) -> Value {
    json!({ "schemas": [USER], "userName": name })
}

fn group(name: &str, members: &[&str]) -> Value {
    let members: Vec<_> = members.iter().map(|id| json!({ "value": id })).collect();
    json!({ "schemas": [GROUP], "displayName": name, "members": members })
}

each_db! {
    async fn credentials_health_and_keys_never_wait_behind_long_reads(app: TestApp) {
        let id = app.user("ines").await;
        let other = app.tenant_with("scim.strict", "true").await;
        let crowd = Crowd::before(&app.store).await;
        let work = async {
            app.get("http://usher.test/readyz").await.expect(200);
            app.bearing(&other.token).get("/Users/nobody").await.expect(404);
            app.bearing("scim_unknown").get(&format!("/Users/{id}")).await.expect(401);
            app.get(&format!("/Users/{id}")).await.expect(200);
            assert_eq!(app.find("/Users", "userName eq \"ines\"").await.body["totalResults"], 1);
            app.user("tom").await;
            // A verdict that is no longer believed is asked for again.
            tokio::time::sleep(Duration::from_millis(450)).await;
            app.get(&format!("/Users/{id}")).await.expect(200);
        };
        tokio::time::timeout(Duration::from_secs(15), work).await.expect("something waited");
        drop(crowd);
        app.get("/Users").await.expect(200);
    }

    async fn a_change_that_is_done_is_never_answered_as_an_error(app: Narrow) {
        let Narrow(app) = app;
        let (ines, tom) = (app.user("ines").await, app.user("tom").await);
        let crowd = Crowd::without_room(&app.store).await;
        app.get("/Users?count=1").await.refused(503, "");

        let made = app.post("/Groups", &group("desk", &[&ines])).await.expect(201);
        assert_eq!((made.header("etag"), &made.body), ("W/\"1\"", &Value::Null));
        let path = made.header("location").trim_start_matches("http://usher.test/scim/v2").to_owned();
        assert!(path.starts_with("/Groups/"), "{path}");
        for (name, how) in [("help desk", "PUT"), ("front desk", "PATCH")] {
            let done = if how == "PUT" {
                app.put(&path, &group(name, &[&ines, &tom])).await
            } else {
                let rename = json!([{ "op": "replace", "path": "displayName", "value": name }]);
                app.patch(&path, rename).await
            };
            let done = done.expect(204);
            assert!(done.header("etag") > made.header("etag"), "{how}: {}", done.header("etag"));
            assert_eq!(done.header("location"), made.header("location"), "{how}");
        }
        let wanted = [("prefer".to_owned(), "return=representation".to_owned())];
        let again = group("front desk", &[&tom]).to_string();
        let done = app.exchange("PUT", &path, &wanted, Some(again)).await.expect(204);
        assert_eq!(done.header("preference-applied"), "", "it could not be followed");
        let mut managed = user("mo");
        managed[ENTERPRISE] = json!({ "manager": { "value": ines } });
        managed["schemas"] = json!([USER, ENTERPRISE]);
        let made = app.post("/Users", &managed).await.expect(201);
        assert_eq!(made.body, Value::Null);

        drop(crowd);
        let began = Instant::now();
        let shown = loop {
            let shown = app.get(&path).await;
            if shown.status != 503 {
                break shown.expect(200).body;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "it stays busy");
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        assert_eq!(shown["displayName"], "front desk");
        assert_eq!(shown["members"][0]["value"], tom);
        assert_eq!(shown["members"].as_array().unwrap().len(), 1);
        app.post("/Users", &user("mo")).await.refused(409, "uniqueness");
    }

    async fn reads_are_given_up_by_whatever_method_they_come(app: TestApp) {
        let app = app
            .instance(Clock::System, |settings| {
                settings.limits.request_timeout = Duration::from_millis(300);
            })
            .await;
        let crowd = Crowd::before(&app.store).await;
        let search = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "filter": "title pr",
        });
        let work = async {
            for path in ["/.search", "/Users/.search"] {
                let reply = app.post(path, &search).await;
                reply.refused(503, "");
                assert!(!reply.header("retry-after").is_empty(), "{path}");
            }
            for path in ["/Users?filter=title pr", "/"] {
                app.get(path).await.refused(503, "");
            }
        };
        tokio::time::timeout(Duration::from_secs(15), work).await.expect("something waited");
        drop(crowd);
        for path in ["/.search", "/Users/.search"] {
            app.post(path, &search).await.expect(200);
        }
    }

    async fn a_server_that_leaves_says_so_without_asking_the_database(app: TestApp) {
        let ready = "http://usher.test/readyz";
        assert_eq!(app.get(ready).await.expect(200).body["status"], "ready");
        app.store.close().await;
        assert_eq!(app.get(ready).await.expect(503).body["status"], "unavailable");
        app.app.leave();
        assert_eq!(app.get(ready).await.expect(503).body["status"], "leaving");
    }
}
