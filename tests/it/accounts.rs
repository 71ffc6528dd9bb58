//! Accounts inside a tenant, and who belongs to them with which role.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::admin::problem;
use crate::support::app::{Reply, TestApp};
use crate::support::asks::{CONTACT_CENTER as ABOUT, texts, user};
use crate::support::bulk::{delete, patch, post, put, run};
use crate::support::each_db;
use crate::support::process::Setup;

const ACCOUNT: &str = "urn:ietf:params:scim:schemas:usher:2.0:Account";

impl TestApp {
    /// A new tenant that shows everything, with a token that may do everything in it.
    async fn company(&self) -> Self {
        self.tenant_with("discovery.extensions", "all").await.scoped(&["admin"]).await
    }

    /// Makes an account of this number; gives its id.
    async fn account(&self, number: &str) -> String {
        let body = json!({ "accountNumber": number });
        self.admin("POST", "/accounts", Some(&body)).await.expect(201).id()
    }

    async fn join(&self, user: &str, account: &str, more: &Value) -> Reply {
        let mut body = more.clone();
        body["account"] = account.into();
        self.admin("POST", &format!("/users/{user}/memberships"), Some(&body)).await
    }

    async fn member(&self, method: &str, user: &str, account: &str, body: Option<&Value>) -> Reply {
        self.admin(method, &format!("/users/{user}/memberships/{account}"), body).await
    }

    /// What a user shows of these parts of its memberships.
    async fn memberships(&self, user: &str, parts: &[&str]) -> Vec<String> {
        let shown = self.get(&format!("/Users/{user}")).await.expect(200).body;
        let list = shown[ABOUT]["accountMemberships"].as_array().cloned().unwrap_or_default();
        let part = |element: &Value, name: &&str| match &element[*name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let shown = |element: &Value| -> String {
            parts.iter().map(|name| part(element, name)).collect::<Vec<_>>().join(" ")
        };
        list.iter().map(shown).collect()
    }

    /// The details of the lines of this name about a resource.
    async fn told(&self, name: &str, resource: &str) -> Vec<Value> {
        let path = format!("/log?name={name}&resource={resource}");
        let found = self.admin("GET", &path, None).await.expect(200).body;
        let lines = found["lines"].as_array().unwrap().iter();
        lines.map(|line| line["detail"].clone()).collect()
    }
}

fn count(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

each_db! {
    async fn an_account_is_made_read_changed_and_ended(app: TestApp) {
        let app = app.company().await;
        let body = json!({ "accountNumber": "A-1", "displayName": "North", "externalId": "x1" });
        let made = app.admin("POST", "/accounts", Some(&body)).await.expect(201);
        let (id, path) = (made.id(), format!("/Accounts/{}", made.id()));
        assert_eq!(made.body["schemas"], json!([ACCOUNT]));
        assert_eq!(made.body["status"], "active");
        assert_eq!(made.body["meta"]["location"], format!("http://usher.test/scim/v2{path}"));
        let shown = app.get(&path).await.expect(200);
        assert_eq!((&shown.body, shown.header("etag")), (&made.body, "W/\"1\""));
        app.send("GET", &path, &[("if-none-match", "W/\"1\"")], None).await.expect(304);
        for name in [&id, "A-1", "a-1"] {
            let path = format!("/accounts/{name}");
            assert_eq!(app.admin("GET", &path, None).await.expect(200).body, made.body);
        }
        let change = json!({ "displayName": null, "status": "Suspended" });
        let changed = app.admin("PATCH", "/accounts/A-1", Some(&change)).await.expect(200).body;
        assert_eq!((&changed["status"], changed.get("displayName")), (&json!("suspended"), None));
        assert_eq!((&changed["meta"]["version"], &changed["externalId"]), (&json!("W/\"2\""), &json!("x1")));
        let same = app.admin("PATCH", "/accounts/A-1", Some(&change)).await.expect(200).body;
        assert_eq!(same, changed, "nothing was changed");
        let renumbered = json!({ "accountNumber": "A-2", "status": null });
        let moved = app.admin("PATCH", "/accounts/A-1", Some(&renumbered)).await.expect(200).body;
        assert_eq!((&moved["accountNumber"], &moved["status"]), (&json!("A-2"), &json!("active")));
        problem(&app.admin("GET", "/accounts/A-1", None).await, 404);
        app.account("A-1").await;
        app.admin("DELETE", "/accounts/a-2", None).await.expect(204);
        problem(&app.admin("DELETE", "/accounts/a-2", None).await, 404);
        app.get(&path).await.refused(404, "");
        app.account("A-2").await;
    }

    async fn what_cannot_be_an_account_is_refused(app: TestApp) {
        let app = app.company().await;
        let id = app.account("A-1").await;
        let before = app.admin("GET", "/accounts/A-1", None).await.expect(200).body;
        for wrong in [
            json!({}), json!({ "accountNumber": " " }), json!({ "accountNumber": 7 }),
            json!({ "accountNumber": "x".repeat(65) }), json!({ "accountNumber": "a\u{7}" }),
            json!({ "accountNumber": " a" }), json!({ "accountNumber": null }),
            json!({ "accountNumber": "B", "status": "closed" }), json!([]),
            json!({ "accountNumber": "B", "id": "1" }), json!({ "accountNumber": "B", "colour": "red" }),
            json!({ "accountNumber": "B", "displayName": ["x"] }),
        ] {
            problem(&app.admin("POST", "/accounts", Some(&wrong)).await, 400);
            if wrong != json!({}) {
                problem(&app.admin("PATCH", "/accounts/A-1", Some(&wrong)).await, 400);
            }
        }
        assert_eq!(app.admin("GET", "/accounts/A-1", None).await.expect(200).body, before);
        let taken = json!({ "accountNumber": "a-1" });
        let reply = app.admin("POST", "/accounts", Some(&taken)).await;
        assert_eq!(problem(&reply, 409), "Account with accountNumber 'a-1' already exists.");
        app.account("A-2").await;
        problem(&app.admin("PATCH", "/accounts/A-2", Some(&taken)).await, 409);
        let own = app.admin("PATCH", "/accounts/A-1", Some(&taken)).await.expect(200);
        assert_eq!((own.id(), &own.body["accountNumber"]), (id, &json!("a-1")));
        // Another tenant has numbers of its own, and sees none of these.
        let other = app.company().await;
        problem(&other.admin("GET", "/accounts/A-2", None).await, 404);
        other.account("A-2").await;
    }

    async fn accounts_are_queried_as_everything_else_is(app: TestApp) {
        let app = app.company().await;
        for (number, name) in [("A-1", "North"), ("A-2", "South"), ("B-1", "West")] {
            let body = json!({ "accountNumber": number, "displayName": name });
            app.admin("POST", "/accounts", Some(&body)).await.expect(201);
        }
        let reader = app.scoped(&["scim:read"]).await;
        let numbers = async |query: &str| {
            let shown = reader.get(&format!("/Accounts?{query}")).await.expect(200).body;
            let listed = reader.admin("GET", &format!("/accounts?{query}"), None).await.expect(200);
            let of = |list: &Value| texts(&list["Resources"], "/accountNumber");
            assert_eq!(of(&shown), of(&listed.body), "{query}");
            of(&shown)
        };
        assert_eq!(numbers("filter=accountNumber eq \"a-2\"").await, ["A-2"]);
        assert_eq!(numbers("filter=displayName eq \"west\"").await, ["B-1"]);
        assert_eq!(numbers("filter=accountNumber sw \"a\"&sortBy=accountNumber").await, ["A-1", "A-2"]);
        assert_eq!(numbers("filter=status eq \"suspended\"").await, [""; 0]);
        assert_eq!(numbers("sortBy=displayName&sortOrder=descending&count=1").await, ["B-1"]);
        problem(&reader.admin("GET", "/accounts?filter=colour eq \"x\"", None).await, 400);
        reader.get("/Accounts?filter=colour eq \"x\"").await.refused(400, "invalidFilter");
        let all = reader.get("/?filter=accountNumber pr").await.expect(200).body;
        assert_eq!(all["totalResults"], 3);
    }

    async fn nobody_writes_accounts_through_scim(app: TestApp) {
        let app = app.company().await;
        let path = format!("/Accounts/{}", app.account("A-1").await);
        let body = json!({ "schemas": [ACCOUNT], "accountNumber": "B" });
        let change = json!([{ "op": "replace", "path": "displayName", "value": "x" }]);
        app.post("/Accounts", &body).await.refused(405, "");
        app.put(&path, &body).await.refused(405, "");
        app.patch(&path, change.clone()).await.refused(405, "");
        app.delete(&path).await.refused(405, "");
        let done = run(&app, &[
            post("/Accounts", "x", &body), put(&path, &body), patch(&path, &change), delete(&path),
        ]).await;
        for result in done {
            assert_eq!(result["status"], "405", "{result}");
        }
        assert_eq!(app.version(&path).await, "W/\"1\"");
        assert_eq!(app.get("/Accounts").await.body["totalResults"], 1);
    }

    async fn what_a_tenant_hides_is_there_for_its_administrators_alone(app: TestApp) {
        let app = app.tenant_with("discovery.extensions", "none").await.scoped(&["admin"]).await;
        let id = app.account("A-1").await;
        app.get("/Accounts").await.refused(404, "");
        app.get(&format!("/Accounts/{id}")).await.refused(404, "");
        let types = app.get("/ResourceTypes").await.expect(200).body;
        assert!(!types.to_string().contains("/Accounts"), "{types}");
        app.get(&format!("/Schemas/{ACCOUNT}")).await.refused(404, "");
        let done = run(&app, &[delete(&format!("/Accounts/{id}"))]).await;
        assert_eq!(done[0]["status"], "404");
        let ann = app.user("ann").await;
        let joined = app.join(&ann, "A-1", &json!({})).await.expect(201).body;
        assert_eq!((&joined["value"], &joined["accountNumber"]), (&json!(id), &json!("A-1")));
        let shown = app.get(&format!("/Users/{ann}")).await.expect(200).body;
        assert!(!shown.to_string().contains("accountMemberships"), "{shown}");
        let filter = format!("{ABOUT}:accountMemberships.value eq \"{id}\"");
        app.find("/Users", &filter).await.refused(400, "invalidFilter");
        problem(&app.admin("DELETE", "/accounts/A-1", None).await, 409);
    }

    async fn of_20_requests_at_once_one_gets_the_number(app: TestApp) {
        let app = &app.company().await;
        let replies = join_all((0..20).map(async |n| {
            let number = if n % 2 == 0 { "A-1" } else { "a-1" };
            app.admin("POST", "/accounts", Some(&json!({ "accountNumber": number }))).await
        })).await;
        assert_eq!((count(&replies, 201), count(&replies, 409)), (1, 19));
        assert_eq!(app.get("/Accounts").await.body["totalResults"], 1);
    }

    async fn users_join_accounts_change_their_roles_and_leave(app: TestApp) {
        let app = app.company().await;
        let (a, b, c) = (app.account("A").await, app.account("B").await, app.account("C").await);
        let ann = app.user("ann").await;
        let path = format!("/Users/{ann}");
        let first = app.join(&ann, "A", &json!({})).await.expect(201).body;
        let shown = app.get(&path).await.expect(200);
        assert_eq!(shown.body[ABOUT]["accountMemberships"], json!([first]));
        assert_eq!(first, json!({
            "value": a, "$ref": format!("http://usher.test/scim/v2/Accounts/{a}"),
            "accountNumber": "A", "display": "A", "role": "standard", "status": "active",
            "primary": true,
        }));
        assert_eq!(app.get(first["$ref"].as_str().unwrap()).await.expect(200).body["id"], a.as_str());
        app.join(&ann, &b, &json!({ "role": "Account Administrator" })).await.expect(201);
        app.join(&ann, "c", &json!({ "role": "agent", "primary": true })).await.expect(201);
        let parts = ["accountNumber", "role", "primary"];
        assert_eq!(
            app.memberships(&ann, &parts).await,
            ["A standard false", "B account_admin false", "C agent true"]
        );
        assert!(problem(&app.join(&ann, "A", &json!({})).await, 409).contains("already"));
        let tech = json!({ "role": "tech" });
        let changed = app.member("PATCH", &ann, "b", Some(&tech)).await.expect(200).body;
        assert_eq!((&changed["value"], &changed["role"]), (&json!(b), &json!("tech")));
        let version = app.version(&path).await;
        app.member("PATCH", &ann, &b, Some(&tech)).await.expect(200);
        app.member("PATCH", &ann, &c, Some(&json!({ "primary": true }))).await.expect(200);
        assert_eq!(app.version(&path).await, version, "nothing was changed");
        let none = json!({ "primary": false });
        assert!(problem(&app.member("PATCH", &ann, &c, Some(&none)).await, 400).contains("another one"));
        app.member("PATCH", &ann, &b, Some(&none)).await.expect(200);
        // Whoever was there first is the primary one when that one goes.
        app.member("DELETE", &ann, "C", None).await.expect(204);
        assert_eq!(app.memberships(&ann, &parts).await, ["A standard true", "B tech false"]);
        app.member("PATCH", &ann, &b, Some(&json!({ "primary": true }))).await.expect(200);
        app.member("DELETE", &ann, &a, None).await.expect(204);
        assert_eq!(app.memberships(&ann, &parts).await, ["B tech true"]);
        for method in ["DELETE", "PATCH"] {
            let sent = (method == "PATCH").then_some(&none);
            problem(&app.member(method, &ann, "A", sent).await, 404);
            problem(&app.member(method, &ann, "nothing", sent).await, 404);
            problem(&app.member(method, "nobody", "B", sent).await, 404);
        }
        app.member("DELETE", &ann, "B", None).await.expect(204);
        assert_eq!(app.memberships(&ann, &parts).await, [""; 0]);
        // What the roles of the user are is another matter.
        let roles = &app.get(&path).await.body[ABOUT]["effectiveRoles"];
        assert_eq!(texts(roles, "/value"), ["standard"]);
        problem(&app.join(&ann, "nothing", &json!({})).await, 400);
        problem(&app.join("nobody", "A", &json!({})).await, 404);
        problem(&app.join(&ann, "A", &json!({ "colour": "red" })).await, 400);
    }

    async fn what_becomes_of_a_membership_is_a_line_of_the_record(app: TestApp) {
        let app = app.company().await;
        let (a, ann) = (app.account("A").await, app.user("ann").await);
        app.join(&ann, "A", &json!({ "role": "account_admin" })).await.expect(201);
        app.member("PATCH", &ann, "A", Some(&json!({ "role": "agent" }))).await.expect(200);
        app.member("PATCH", &ann, "A", Some(&json!({ "role": "agent" }))).await.expect(200);
        app.member("DELETE", &ann, "A", None).await.expect(204);
        let role = |before: Value, after: Value| json!({ "account": a, "before": before, "after": after });
        assert_eq!(app.told("role.changed", &ann).await, [
            role(Value::Null, json!("account_admin")),
            role(json!("account_admin"), json!("agent")),
            role(json!("agent"), Value::Null),
        ]);
        let updated = |member, primary| json!({ "account": a, "member": member, "primary": primary });
        assert_eq!(
            app.told("user.updated", &ann).await,
            [updated(true, true), updated(true, true), updated(false, false)]
        );
        let events = app.admin("GET", "/events?limit=1000", None).await.expect(200).body;
        let names = texts(&events["lines"], "/name");
        assert_eq!(names.iter().filter(|name| *name == "role.changed").count(), 3);
    }

    async fn an_identity_provider_says_nothing_about_memberships(app: TestApp) {
        let app = app.company().await;
        let (a, b) = (app.account("A").await, app.account("B").await);
        let said = |id: &str| json!({ ABOUT: { "accountMemberships": [{ "value": id, "role": "tech" }] } });
        let ann = app.user_with("ann", &said(&a)).await;
        assert_eq!(ann.body[ABOUT].get("accountMemberships"), None);
        app.join(&ann.id(), &a, &json!({})).await.expect(201);
        let idp = app.scoped(&["scim"]).await;
        let path = format!("/Users/{}", ann.id());
        let last = idp.get(&path).await.expect(200);
        let again = idp.put(&path, &last.body).await.expect(200);
        assert_eq!((again.header("etag"), &again.body), (last.header("etag"), &last.body));
        for body in [user("ann", &said(&b)), user("ann", &json!({})), user("ann", &json!({ ABOUT: {} }))] {
            let put = idp.put(&path, &body).await.expect(200);
            assert_eq!(put.body[ABOUT]["accountMemberships"], last.body[ABOUT]["accountMemberships"]);
        }
        let at = format!("{ABOUT}:accountMemberships");
        let change = json!([{ "op": "replace", "path": at, "value": [{ "value": b }] }]);
        idp.patch(&path, change).await.refused(400, "mutability");
        idp.patch(&path, json!([{ "op": "remove", "path": at }])).await.refused(400, "mutability");
        idp.patch(&path, json!([{ "op": "remove", "path": ABOUT }])).await.expect(200);
        idp.patch(&path, json!([{ "op": "replace", "value": said(&b) }])).await.expect(200);
        let renamed = json!([{ "op": "replace", "path": "displayName", "value": "Ann" }]);
        idp.patch(&path, renamed).await.expect(200);
        assert_eq!(app.memberships(&ann.id(), &["value", "role"]).await, [format!("{a} standard")]);
    }

    async fn members_show_an_account_as_it_is_now_and_are_not_changed_by_it(app: TestApp) {
        let app = app.company().await;
        app.account("A").await;
        app.account("B").await;
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        for (user, account) in [(&ann, "A"), (&ann, "B"), (&bob, "A")] {
            app.join(user, account, &json!({})).await.expect(201);
        }
        let path = format!("/Users/{ann}");
        let version = app.version(&path).await;
        let parts = ["accountNumber", "display", "status"];
        let set = async |number: &str, values: Value| {
            app.admin("PATCH", &format!("/accounts/{number}"), Some(&values)).await.expect(200);
        };
        set("A", json!({ "displayName": "North", "accountNumber": "N" })).await;
        assert_eq!(app.memberships(&ann, &parts).await, ["N North active", "B B active"]);
        set("N", json!({ "status": "suspended" })).await;
        assert_eq!(app.memberships(&ann, &parts).await, ["N North suspended", "B B active"]);
        assert_eq!(app.memberships(&bob, &parts).await, ["N North suspended"]);
        assert_eq!(app.version(&path).await, version);
        // Whoever is suspended is so everywhere, and then it is the account that says again.
        let active = |active: bool| json!([{ "op": "replace", "path": "active", "value": active }]);
        app.patch(&path, active(false)).await.expect(200);
        set("N", json!({ "status": "active" })).await;
        assert_eq!(app.memberships(&ann, &["status"]).await, ["suspended"; 2]);
        app.account("C").await;
        let late = app.join(&ann, "C", &json!({})).await.expect(201).body;
        assert_eq!(late["status"], "suspended");
        app.patch(&path, active(true)).await.expect(200);
        assert_eq!(app.memberships(&ann, &["status"]).await, ["active"; 3]);
        // Lists and projections show the same.
        let named = format!("/Users?attributes={ABOUT}:accountMemberships.display&sortBy=userName");
        let list = app.get(&named).await.expect(200).body;
        assert_eq!(
            list["Resources"][0][ABOUT]["accountMemberships"],
            json!([{ "display": "North" }, { "display": "B" }, { "display": "C" }])
        );
        let few = app.find("/Users", "userName eq \"bob\"").await.expect(200).body;
        let all = app.get("/Users?sortBy=userName").await.expect(200).body;
        assert_eq!(few["Resources"][0], all["Resources"][1]);
    }

    async fn users_are_found_by_their_accounts(app: TestApp) {
        let app = app.company().await;
        let (a, b) = (app.account("A-1").await, app.account("B-1").await);
        for (name, joins) in [("ann", &[("A-1", "tech")][..]), ("bob", &[("A-1", "agent"), ("B-1", "tech")]), ("eve", &[])] {
            let id = app.user(name).await;
            for (account, role) in joins {
                app.join(&id, account, &json!({ "role": role })).await.expect(201);
            }
        }
        let found = async |filter: &str| {
            app.found(&filter.replace('@', &format!("{ABOUT}:accountMemberships"))).await
        };
        assert_eq!(found(&format!("@.value eq \"{a}\"")).await, ["ann", "bob"]);
        assert_eq!(found(&format!("@ eq \"{b}\"")).await, ["bob"]);
        assert_eq!(found("@.accountNumber eq \"a-1\"").await, ["ann", "bob"]);
        assert_eq!(found("@[accountNumber eq \"A-1\" and role eq \"tech\"]").await, ["ann"]);
        assert_eq!(found(&format!("@[value eq \"{b}\" and primary eq true]")).await, [""; 0]);
        assert_eq!(found("@.status eq \"active\" and @.role eq \"TECH\"").await, ["ann", "bob"]);
        assert_eq!(found("not (@ pr)").await, ["eve"]);
        let change = json!({ "displayName": "North", "status": "suspended", "accountNumber": "N" });
        app.admin("PATCH", "/accounts/A-1", Some(&change)).await.expect(200);
        assert_eq!(found("@.display co \"nort\"").await, ["ann", "bob"]);
        assert_eq!(found("@.accountNumber eq \"A-1\"").await, [""; 0]);
        assert_eq!(found("@.accountNumber eq \"n\"").await, ["ann", "bob"]);
        assert_eq!(found("@.status eq \"active\"").await, ["bob"]);
        assert_eq!(found("@.status eq \"suspended\"").await, ["ann", "bob"]);
        assert_eq!(
            app.names(&format!("/Users?sortBy={ABOUT}:accountMemberships.accountNumber")).await,
            ["ann", "bob", "eve"]
        );
    }

    async fn nobody_gives_a_role_that_holds_more_than_they_hold(app: TestApp) {
        let admin = app.company().await;
        admin.account("A").await;
        let body = json!({ "value": "chief", "administrative": true });
        admin.admin("POST", "/roles", Some(&body)).await.expect(201);
        let king = admin.join(&admin.user("x").await, "A", &json!({ "role": "king" })).await;
        assert!(problem(&king, 400).starts_with("Unknown role 'king'. Valid roles: account_admin, "));
        let everything = [
            "users:read", "users:write", "groups:map", "roles:assign", "agents:write", "seats:read",
            "seats:write", "sessions:revoke", "log:read", "events:read", "tokens:write", "settings:write",
        ];
        let allowed = |index: usize| match index {
            0 => &["agent", "standard", "conference"][..],
            1 => &["standard", "supervisor"],
            2 => &["standard", "supervisor", "tech"],
            3 => &["tech", "account_admin", "chief"],
            _ => &["account_admin", "whitelabel"],
        };
        let scopes = [
            &["roles:assign"][..],
            &["roles:assign", "users:read", "seats:read"],
            &["roles:assign", "users:read", "seats:read", "agents:write", "sessions:revoke", "log:read"],
            &everything,
            &["admin"],
        ];
        let refused = [&["supervisor", "whitelabel"][..], &["tech"], &["account_admin", "chief"], &["Whitelabel"], &[]];
        for (index, scopes) in scopes.iter().enumerate() {
            let app = admin.scoped(scopes).await;
            let user = admin.user(&format!("u{index}")).await;
            for role in refused[index] {
                let reply = app.join(&user, "A", &json!({ "role": role })).await;
                assert!(problem(&reply, 403).contains("more than they hold"), "{role}");
            }
            app.join(&user, "A", &json!({})).await.expect(201);
            for role in allowed(index) {
                let changed = app.member("PATCH", &user, "A", Some(&json!({ "role": role }))).await;
                assert_eq!(changed.expect(200).body["role"], *role);
            }
            for role in refused[index] {
                problem(&app.member("PATCH", &user, "A", Some(&json!({ "role": role }))).await, 403);
            }
        }
        // What somebody has already may be said again, and taken away.
        let app = admin.scoped(&["roles:assign"]).await;
        let boss = admin.user("boss").await;
        admin.join(&boss, "A", &json!({ "role": "account_admin" })).await.expect(201);
        let same = json!({ "role": "Account Administrator", "primary": true });
        app.member("PATCH", &boss, "A", Some(&same)).await.expect(200);
        app.member("PATCH", &boss, "A", Some(&json!({ "role": "standard" }))).await.expect(200);
        app.member("DELETE", &boss, "A", None).await.expect(204);
    }

    async fn each_request_needs_its_scope(app: TestApp) {
        let admin = app.company().await;
        admin.account("A").await;
        let ann = admin.user("ann").await;
        admin.join(&ann, "A", &json!({})).await.expect(201);
        let body = json!({ "accountNumber": "B" });
        let change = json!({});
        let join = json!({ "account": "A" });
        let member = format!("/users/{ann}/memberships/A");
        for (method, path, sent, scope) in [
            ("GET", "/accounts", None, "users:read"),
            ("GET", "/accounts/A", None, "users:read"),
            ("POST", "/accounts", Some(&body), "settings:write"),
            ("PATCH", "/accounts/A", Some(&change), "settings:write"),
            ("POST", &format!("/users/{ann}/memberships"), Some(&join), "roles:assign"),
            ("PATCH", &member, Some(&change), "roles:assign"),
            ("DELETE", &member, None, "roles:assign"),
            ("DELETE", "/accounts/A", None, "settings:write"),
        ] {
            let others = ["users:read", "users:write", "settings:write", "roles:assign", "seats:write"];
            let others: Vec<&str> = others.into_iter().filter(|other| *other != scope).collect();
            let reply = admin.scoped(&others).await.admin(method, path, sent).await;
            assert!(problem(&reply, 403).contains(scope), "{method} {path}");
            problem(&admin.anonymous().admin(method, path, sent).await, 401);
            let reply = admin.scoped(&[scope]).await.admin(method, path, sent).await;
            assert!(reply.status < 300 || reply.status == 409, "{method} {path}: {}", reply.body);
        }
    }

    async fn nothing_crosses_tenants(app: TestApp) {
        let (ours, theirs) = (app.company().await, app.company().await);
        let (account, ann) = (theirs.account("T").await, ours.user("ann").await);
        let eve = theirs.user("eve").await;
        let own = ours.account("O").await;
        problem(&ours.join(&ann, &account, &json!({})).await, 400);
        problem(&ours.join(&ann, "T", &json!({})).await, 400);
        problem(&ours.join(&eve, &own, &json!({})).await, 404);
        problem(&ours.member("DELETE", &eve, &account, None).await, 404);
        for method in ["GET", "DELETE"] {
            problem(&ours.admin(method, &format!("/accounts/{account}"), None).await, 404);
        }
        ours.get(&format!("/Accounts/{account}")).await.refused(404, "");
        // A resource of another type is no account.
        problem(&ours.admin("GET", &format!("/accounts/{ann}"), None).await, 404);
        problem(&ours.join(&ann, &ann, &json!({})).await, 400);
        assert_eq!(ours.memberships(&ann, &["value"]).await, [""; 0]);
        assert_eq!(theirs.version(&format!("/Accounts/{account}")).await, "W/\"1\"");
    }

    async fn an_account_that_has_members_goes_only_where_it_is_forced(app: TestApp) {
        let app = app.company().await;
        let (a, b) = (app.account("A").await, app.account("B").await);
        let mut users = Vec::new();
        for n in 0..3 {
            users.push(app.user(&format!("u{n}")).await);
            app.join(&users[n], "A", &json!({ "role": "agent" })).await.expect(201);
        }
        app.join(&users[0], "B", &json!({})).await.expect(201);
        let held = problem(&app.admin("DELETE", "/accounts/A", None).await, 409);
        assert!(held.starts_with("The account 'A' has 3 members."), "{held}");
        problem(&app.admin("DELETE", "/accounts/A?force=false", None).await, 409);
        problem(&app.admin("DELETE", "/accounts/A?force=perhaps", None).await, 400);
        let held = problem(&app.admin("DELETE", "/accounts/B", None).await, 409);
        assert!(held.contains("has 1 member."), "{held}");
        // Whoever may not take memberships away cannot do it in this way.
        let less = app.scoped(&["settings:write"]).await;
        problem(&less.admin("DELETE", "/accounts/A?force=true", None).await, 403);
        // A user who is deleted is no member any more.
        app.delete(&format!("/Users/{}", users[2])).await.expect(204);
        let held = problem(&app.admin("DELETE", "/accounts/A", None).await, 409);
        assert!(held.contains("has 2 members."), "{held}");
        app.admin("DELETE", "/accounts/A?force=true", None).await.expect(204);
        app.get(&format!("/Accounts/{a}")).await.refused(404, "");
        assert_eq!(app.memberships(&users[0], &["value", "primary"]).await, [format!("{b} true")]);
        assert_eq!(app.memberships(&users[1], &["value"]).await, [""; 0]);
        let last = app.told("role.changed", &users[1]).await.pop();
        assert_eq!(last, Some(json!({ "account": a, "before": "agent", "after": null })));
        assert_eq!(app.found(&format!("{ABOUT}:accountMemberships pr")).await, ["u0"]);
    }

    async fn a_large_account_is_emptied_piece_by_piece(app: TestApp) {
        let app = &app.company().await;
        let account = app.account("A").await;
        let made: Vec<Value> =
            (0..501).map(|n| post("/Users", &format!("b{n}"), &json!({ "userName": format!("u{n}") }))).collect();
        run(app, &made).await;
        let listed = app.get("/Users?count=1000&attributes=id").await.expect(200).body;
        let ids = texts(&listed["Resources"], "/id");
        assert_eq!(ids.len(), 501);
        for some in ids.chunks(50) {
            let joined = join_all(some.iter().map(async |id| app.join(id, "A", &json!({})).await)).await;
            assert_eq!(count(&joined, 201), some.len());
        }
        app.admin("DELETE", "/accounts/A?force=true", None).await.expect(204);
        app.get(&format!("/Accounts/{account}")).await.refused(404, "");
        assert_eq!(app.found(&format!("{ABOUT}:accountMemberships pr")).await, [""; 0]);
    }

    async fn whoever_joins_while_an_account_ends_is_never_left_in_it(app: TestApp) {
        let app = &app.company().await;
        let account = app.account("A").await;
        let users = join_all((0..10).map(async |n| app.user(&format!("u{n}")).await)).await;
        let ends = async {
            join_all((0..2).map(async |_| app.admin("DELETE", "/accounts/A?force=true", None).await)).await
        };
        let joins = join_all(users.iter().map(async |user| app.join(user, "A", &json!({})).await));
        let (ended, joined) = futures_util::future::join(ends, joins).await;
        assert_eq!((count(&ended, 204), count(&ended, 404)), (1, 1));
        assert_eq!(count(&joined, 201) + count(&joined, 400), 10);
        app.get(&format!("/Accounts/{account}")).await.refused(404, "");
        assert_eq!(app.found(&format!("{ABOUT}:accountMemberships pr")).await, [""; 0]);
    }

    async fn of_requests_at_once_all_memberships_are_kept_and_one_is_primary(app: TestApp) {
        let app = &app.company().await;
        let ann = &app.user("ann").await;
        for n in 0..10 {
            app.account(&format!("A{n}")).await;
        }
        let replies = join_all((0..20).map(async |n| {
            app.join(ann, &format!("A{}", n % 10), &json!({ "primary": n % 3 == 0 })).await
        })).await;
        assert_eq!((count(&replies, 201), count(&replies, 409)), (10, 10));
        let shown = app.memberships(ann, &["primary"]).await;
        assert_eq!(shown.iter().filter(|primary| *primary == "true").count(), 1);
        assert_eq!(shown.len(), 10);
    }

    async fn a_user_holds_one_seat_however_many_accounts(app: TestApp) {
        let app = app.licensed(1).await.scoped(&["admin"]).await;
        app.pool("techs", |pool| {
            pool.total = Some(0);
            pool.roles = vec!["tech".to_owned()];
        }).await;
        let ann = app.user("ann").await;
        for account in ["A", "B"] {
            app.account(account).await;
            app.join(&ann, account, &json!({ "role": "tech" })).await.expect(201);
        }
        assert_eq!((app.used("default").await, app.used("techs").await), ((1, 0), (0, 0)));
        app.member("DELETE", &ann, "A", None).await.expect(204);
        app.delete(&format!("/Users/{ann}")).await.expect(204);
        assert_eq!(app.used("default").await, (0, 0));
        assert_eq!(app.found(&format!("{ABOUT}:accountMemberships pr")).await, [""; 0]);
        app.admin("DELETE", "/accounts/B", None).await.expect(204);
    }

    async fn accounts_are_kept_beside_the_server(setup: Setup) {
        let server = setup.start();
        server.client.try_user("ann").await.unwrap().expect(201);
        let made = setup.json("accounts create A-1 --name North --external-id x1");
        assert_eq!((&made["accountNumber"], &made["displayName"]), (&json!("A-1"), &json!("North")));
        assert_eq!(setup.run("accounts create a-1").status, 1);
        setup.json("accounts create B-1");
        let set = setup.json("accounts set a-1 --status suspended --number N-1");
        assert_eq!((&set["accountNumber"], &set["status"]), (&json!("N-1"), &json!("suspended")));
        assert_eq!(setup.json("accounts show N-1"), set);
        assert_eq!(setup.json("accounts list")["totalResults"], 2);
        assert_eq!(setup.json("accounts list --count 1")["Resources"].as_array().unwrap().len(), 1);
        let joined = setup.json("accounts join ann N-1 --role tech");
        assert_eq!((&joined["role"], &joined["status"]), (&json!("tech"), &json!("suspended")));
        setup.json("accounts join ann B-1 --primary");
        let again = setup.json("accounts join ann N-1 --role whitelabel --primary");
        assert_eq!((&again["role"], &again["primary"]), (&json!("whitelabel"), &json!(true)));
        let shown = setup.json("users show ann");
        assert_eq!(texts(&shown[ABOUT]["accountMemberships"], "/accountNumber"), ["N-1", "B-1"]);
        let held = setup.run("accounts delete N-1");
        assert!(held.status == 1 && held.err.contains("has 1 member."), "{}", held.err);
        setup.json("accounts leave ann B-1");
        assert_eq!(setup.run("accounts leave ann B-1").status, 1);
        setup.json("accounts delete N-1 --force");
        setup.json("accounts delete B-1");
        assert_eq!(setup.json("accounts list")["totalResults"], 0);
        setup.json("tenant create acme");
        setup.json("accounts create A-1 --tenant acme");
        assert_eq!(setup.run("accounts join ann A-1 --tenant acme").status, 1);
        assert!(setup.run("accounts list --tenant acme").out.contains("A-1"));
    }
}
