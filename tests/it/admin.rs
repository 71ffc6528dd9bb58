//! `/admin`: pools, roles, mappings, settings, tokens, and what is read of the record.

use serde_json::{Value, json};

use crate::support::app::{Reply, TestApp};
use crate::support::asks::{CONTACT_CENTER, GROUP_MAPPING, group, texts, user};
use crate::support::each_db;
use crate::support::process::Setup;

impl TestApp {
    /// A request below `/admin`.
    pub(crate) async fn admin(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let path = format!("http://usher.test/admin{path}");
        self.send(method, &path, &[("content-type", "application/json")], body).await
    }
}

/// Asserts a problem of RFC 9457 and gives its detail.
pub(crate) fn problem(reply: &Reply, status: u16) -> String {
    assert_eq!((reply.status, &reply.body["status"]), (status, &json!(status)), "{}", reply.body);
    assert_eq!(reply.header("content-type"), "application/problem+json");
    reply.body["detail"].as_str().unwrap().to_owned()
}

pub(crate) async fn administrator(app: &TestApp) -> TestApp {
    app.licensed(5).await.scoped(&["admin"]).await
}

each_db! {
    async fn pools_are_made_changed_and_ended(app: TestApp) {
        let app = administrator(&app).await;
        let gold = json!({ "value": "gold", "total": 1, "displayName": "Gold" });
        let made = app.admin("POST", "/pools", Some(&gold)).await.expect(201);
        assert_eq!((&made.body["available"], &made.body["state"]), (&json!(1), &json!("ok")));
        let again = app.admin("POST", "/pools", Some(&gold)).await;
        assert!(problem(&again, 400).contains("already"));
        let typed = json!({ crate::support::asks::SEAT: { "seatType": "gold" } });
        app.user_with("first", &typed).await;
        app.post("/Users", &user("second", &typed)).await.expect(403);
        let line = json!({ "overagePolicy": "waitlist", "displayName": null });
        let changed = app.admin("PATCH", "/pools/gold", Some(&line)).await.expect(200);
        assert_eq!((&changed.body["displayName"], &changed.body["total"]), (&json!("gold"), &json!(1)));
        app.user_with("second", &typed).await;
        assert_eq!(app.used("gold").await, (1, 1));
        let held = app.admin("DELETE", "/pools/gold", None).await;
        assert!(problem(&held, 400).contains("in use"));
        app.admin("PATCH", "/pools/gold", Some(&json!({ "total": 2 }))).await.expect(200);
        assert_eq!(app.used("gold").await, (2, 0));
        for name in ["first", "second"] {
            let found = app.find("/Users", &format!("userName eq \"{name}\"")).await;
            let id = found.body["Resources"][0]["id"].as_str().unwrap().to_owned();
            app.delete(&format!("/Users/{id}")).await.expect(204);
        }
        app.admin("DELETE", "/pools/gold", None).await.expect(204);
        problem(&app.admin("DELETE", "/pools/gold", None).await, 404);
        problem(&app.admin("DELETE", "/pools/default", None).await, 400);
        let listed = app.admin("GET", "/pools", None).await.expect(200);
        assert_eq!(texts(&listed.body["pools"], "/value"), ["default"]);
    }

    async fn what_cannot_be_a_pool_is_refused_and_changes_nothing(app: TestApp) {
        let app = administrator(&app).await;
        let before = app.admin("GET", "/pools", None).await.expect(200).body;
        for wrong in [
            json!({ "total": -1 }), json!({ "total": "many" }), json!({ "value": "other" }),
            json!({ "overagePolicy": "perhaps" }), json!({ "colour": "red" }), json!([]),
            json!({ "roles": ["king"] }), json!({ "version": 9 }), json!({ "validUntil": "soon" }),
        ] {
            let reply = app.admin("PATCH", "/pools/default", Some(&wrong)).await;
            assert!(!problem(&reply, 400).is_empty(), "{wrong}");
        }
        assert_eq!(app.admin("GET", "/pools", None).await.expect(200).body, before);
        problem(&app.admin("PATCH", "/pools/none", Some(&json!({ "total": 1 }))).await, 404);
    }

    async fn a_mapped_group_gives_its_role_and_takes_it_away(app: TestApp) {
        let app = administrator(&app).await;
        let id = app.user("ann").await;
        let team = app.group("CC-Supervisors", &[&id]).await;
        let role = async |app: &TestApp| {
            let found = app.get(&format!("/Users/{id}")).await.expect(200);
            let role = &found.body[CONTACT_CENTER]["effectiveRoles"][0];
            format!("{}:{}", role["value"].as_str().unwrap(), role["source"].as_str().unwrap())
        };
        assert_eq!(role(&app).await, "standard:default");
        let body = json!({ "grantsRole": "Supervisor", "priority": 3 });
        app.admin("PUT", &format!("/mappings/{team}"), Some(&body)).await.expect(200);
        assert_eq!(role(&app).await, "supervisor:group");
        let shown = app.get(&format!("/Groups/{team}")).await.expect(200);
        assert_eq!(
            shown.body[GROUP_MAPPING],
            json!({ "kind": "role", "grantsRole": "supervisor", "priority": 3 })
        );
        // A client renames, empties and fills it; the mapping stays.
        let mut renamed = shown.body.clone();
        renamed["displayName"] = "Everybody".into();
        renamed["members"] = json!([]);
        let empty = app.put(&format!("/Groups/{team}"), &renamed).await.expect(200);
        assert_eq!(empty.body[GROUP_MAPPING]["grantsRole"], "supervisor");
        assert_eq!(role(&app).await, "standard:default");
        renamed["members"] = json!([{ "value": id }]);
        app.put(&format!("/Groups/{team}"), &renamed).await.expect(200);
        assert_eq!(role(&app).await, "supervisor:group");
        app.admin("DELETE", &format!("/mappings/{team}"), None).await.expect(204);
        assert_eq!(role(&app).await, "standard:default");
        app.admin("PUT", &format!("/mappings/{team}"), Some(&body)).await.expect(200);
        app.delete(&format!("/Groups/{team}")).await.expect(204);
        assert_eq!(role(&app).await, "standard:default");
        let wrong = json!({ "grantsRole": "king" });
        let reply = app.admin("PUT", &format!("/mappings/{team}"), Some(&wrong)).await;
        assert!(problem(&reply, 400).starts_with("Unknown role 'king'. Valid roles: "));
        let unknown = app.admin("PUT", "/mappings/nothing", Some(&body)).await;
        problem(&unknown, 404);
    }

    async fn a_group_with_members_from_its_making_gives_nothing_until_it_is_mapped(app: TestApp) {
        let app = administrator(&app).await;
        let body = json!({ GROUP_MAPPING: { "grantsRole": "account_admin", "kind": "role" } });
        let made = app.post("/Groups", &group("Boss", &body)).await.expect(201);
        assert!(made.body.get(GROUP_MAPPING).is_none(), "{}", made.body);
    }

    async fn the_name_of_a_new_group_maps_it_once_and_never_to_an_administrator(app: TestApp) {
        let app = administrator(&app).await;
        let settings = json!({ "groups.nameRule": "^CC-(?<role>.+)$" });
        app.admin("PATCH", "/settings", Some(&settings)).await.expect(200);
        let wrong = json!({ "groups.nameRule": "(" });
        problem(&app.admin("PATCH", "/settings", Some(&wrong)).await, 400);
        let id = app.user("ann").await;
        let body = group("CC-Supervisor", &json!({ "members": [{ "value": id }] }));
        let made = app.post("/Groups", &body).await.expect(201);
        assert_eq!(made.body[GROUP_MAPPING]["grantsRole"], "supervisor");
        let role = async || {
            let found = app.get(&format!("/Users/{id}")).await.expect(200);
            found.body[CONTACT_CENTER]["effectiveRoles"][0]["value"].as_str().unwrap().to_owned()
        };
        assert_eq!(role().await, "supervisor");
        for name in ["CC-Tech", "CC-Admin", "Anything"] {
            let rename = json!([{ "op": "replace", "path": "displayName", "value": name }]);
            let path = format!("/Groups/{}?attributes={GROUP_MAPPING}", made.id());
            let renamed = app.patch(&path, rename).await.expect(200);
            assert_eq!(renamed.body[GROUP_MAPPING]["grantsRole"], "supervisor", "{name}");
            assert_eq!(role().await, "supervisor");
        }
        for name in ["CC-Admin", "CC-whitelabel", "CC-king", "Others"] {
            let body = group(name, &json!({ "members": [{ "value": id }] }));
            let made = app.post("/Groups", &body).await.expect(201);
            assert!(made.body.get(GROUP_MAPPING).is_none(), "{}", made.body);
        }
        assert_eq!(role().await, "supervisor");
    }

    async fn what_is_published_of_roles_stands_in_the_configuration(app: TestApp) {
        let named = app.tenant_with("discovery.extensions", "Role,Entitlement").await;
        let shown = named.get("/ServiceProviderConfig").await.expect(200).body;
        assert_eq!(shown["RolesAndEntitlements"]["roles"]["supported"], true);
        // Clients with the models of RFC 7643 would refuse it.
        for plain in [app.clone(), app.anonymous(), app.licensed(5).await] {
            let shown = plain.get("/ServiceProviderConfig").await.expect(200).body;
            assert!(shown.get("RolesAndEntitlements").is_none(), "{shown}");
        }
    }

    async fn a_role_of_the_tenants_own_is_given_and_ended(app: TestApp) {
        let app = administrator(&app).await;
        let shift = json!({ "value": "shift_lead", "display": "Shift Lead" });
        app.admin("POST", "/roles", Some(&shift)).await.expect(201);
        problem(&app.admin("POST", "/roles", Some(&shift)).await, 400);
        problem(&app.admin("POST", "/roles", Some(&json!({ "value": "Admin" }))).await, 400);
        let made = app.user_with("ann", &json!({ "roles": ["Shift Lead"] })).await;
        assert_eq!(made.body[CONTACT_CENTER]["effectiveRoles"][0]["value"], "shift_lead");
        app.admin("DELETE", "/roles/shift_lead", None).await.expect(204);
        problem(&app.admin("DELETE", "/roles/agent", None).await, 400);
        app.post("/Users", &user("bob", &json!({ "roles": ["Shift Lead"] }))).await
            .refused(400, "invalidValue");
        // Whoever has it may be changed all the same.
        let rename = json!([{ "op": "replace", "path": "displayName", "value": "Ann" }]);
        app.patch(&format!("/Users/{}", made.id()), rename).await.expect(200);
    }

    async fn a_role_is_sent_under_the_names_that_the_tenant_gives_it(app: TestApp) {
        let app = administrator(&app).await;
        let client = app.scoped(&["scim"]).await;
        let lead = |name: &str| user(name, &json!({ "roles": [{ "value": "CC-Lead" }] }));
        client.post("/Users", &lead("ann")).await.refused(400, "invalidValue");
        let role = json!({ "role": "Supervisor" });
        app.admin("PUT", "/role-names/cc%20lead", Some(&role)).await.expect(200);
        let made = client.post("/Users", &lead("ann")).await.expect(201);
        assert_eq!(made.body["roles"], json!([{ "value": "CC-Lead" }]), "as it was sent");
        assert_eq!(made.body[CONTACT_CENTER]["effectiveRoles"][0]["value"], "supervisor");
        let listed = app.admin("GET", "/roles", None).await.expect(200).body;
        let of = |value: &str| {
            let all = listed["roles"].as_array().unwrap();
            all.iter().find(|role| role["value"] == value).unwrap()["names"].clone()
        };
        assert_eq!((of("supervisor"), of("agent")), (json!(["cc lead"]), json!([])));
        // A name opens no door to what clients may not give.
        let chief = json!({ "role": "account_admin" });
        app.admin("PUT", "/role-names/chief", Some(&chief)).await.expect(200);
        let chiefs = user("bob", &json!({ "roles": ["Chief"] }));
        client.post("/Users", &chiefs).await.refused(400, "invalidValue");
        let settings = app.scoped(&["settings:write"]).await;
        problem(&settings.admin("PUT", "/role-names/boss", Some(&chief)).await, 403);
        settings.admin("PUT", "/role-names/boss", Some(&role)).await.expect(200);
        for (name, role) in [("agent", "tech"), ("king", "king"), ("x", "cc lead")] {
            let path = format!("/role-names/{name}");
            problem(&app.admin("PUT", &path, Some(&json!({ "role": role }))).await, 400);
        }
        app.admin("DELETE", "/role-names/CC-LEAD", None).await.expect(204);
        problem(&app.admin("DELETE", "/role-names/CC-LEAD", None).await, 400);
        client.post("/Users", &lead("carl")).await.refused(400, "invalidValue");
        // Whoever has it may be changed all the same.
        let rename = json!([{ "op": "replace", "path": "displayName", "value": "Ann" }]);
        client.patch(&format!("/Users/{}", made.id()), rename).await.expect(200);
    }

    async fn whether_a_role_administers_is_looked_at_in_the_transaction(app: TestApp) {
        let app = administrator(&app).await;
        let settings = app.scoped(&["settings:write", "users:read"]).await;
        let other = settings.second_instance().await;
        other.admin("GET", "/roles", None).await.expect(200);
        let chief = json!({ "value": "chief", "display": "Chief", "administrative": true });
        app.admin("POST", "/roles", Some(&chief)).await.expect(201);
        let named = other.admin("PUT", "/role-names/boss", Some(&json!({ "role": "chief" }))).await;
        problem(&named, 403);
    }

    async fn events_and_the_log_are_read_in_order_and_go_on_where_they_ended(app: TestApp) {
        let app = administrator(&app).await;
        let reply = app.post("/Users", &user("ann", &json!({}))).await.expect(201);
        let (id, request) = (reply.id(), reply.header("x-request-id").to_owned());
        let events = app.admin("GET", "/events?limit=2", None).await.expect(200).body;
        assert_eq!(texts(&events["lines"], "/name"), ["user.created", "user.activated"]);
        let next = format!("/events?after={}", events["next"]);
        let rest = app.admin("GET", &next, None).await.expect(200).body;
        assert_eq!(texts(&rest["lines"], "/name"), ["seat.consumed"]);
        let consumed = &rest["lines"][0];
        assert_eq!((&consumed["resource"], &consumed["version"]), (&json!(id), &json!(1)));
        assert_eq!(consumed["request"], request);
        assert_eq!(consumed["detail"], json!({
            "before": { "state": "none" },
            "after": { "state": "consumed", "pool": "default", "reason": "active" },
        }));
        let found = app.admin("GET", "/log?name=user.created", None).await.expect(200).body;
        assert_eq!(found["lines"].as_array().unwrap().len(), 1);
        assert!(!found.to_string().contains("ann"), "no personal data: {found}");
        assert_eq!(
            found["lines"][0]["detail"]["roles"],
            json!([{ "value": "standard", "source": "default" }])
        );
        let none = app.admin("GET", &format!("/log?after={}", rest["next"]), None).await;
        assert_eq!(none.expect(200).body, json!({ "next": rest["next"], "lines": [] }));
        problem(&app.admin("GET", "/log?limit=many", None).await, 400);
        // Numbers never repeat and never leave one out.
        app.set_seats("default", None).await;
        for n in 0..20 {
            app.user(&format!("u{n}")).await;
        }
        let all = app.admin("GET", "/log?limit=1000", None).await.expect(200).body;
        let numbers: Vec<i64> =
            all["lines"].as_array().unwrap().iter().map(|line| line["seq"].as_i64().unwrap()).collect();
        assert_eq!(numbers, (1..=63).collect::<Vec<_>>()[..numbers.len()]);
        assert!(numbers.len() > 15, "{numbers:?}");
        // Small pages end and begin in the midst of what one change has written.
        for (query, expected) in [("limit=2", numbers.len()), ("limit=1&name=user.activated", 21)] {
            let (mut after, mut seen) = (json!(0), 0);
            loop {
                let page = app.admin("GET", &format!("/log?{query}&after={after}"), None).await;
                let page = page.expect(200).body;
                let lines = page["lines"].as_array().unwrap().len();
                if lines == 0 {
                    break;
                }
                (after, seen) = (page["next"].clone(), seen + lines);
            }
            assert_eq!(seen, expected, "{query}");
        }
    }

    async fn settings_are_read_and_changed_whole_or_not_at_all(app: TestApp) {
        let app = administrator(&app).await;
        let changed = json!({ "page.max": 50, "roles.unknown": "ignore" });
        let reply = app.admin("PATCH", "/settings", Some(&changed)).await.expect(200);
        assert_eq!((&reply.body["page.max"], &reply.body["roles.unknown"]), (&json!("50"), &json!("ignore")));
        let wrong = json!({ "page.max": 70, "roles.unknown": "perhaps" });
        assert!(problem(&app.admin("PATCH", "/settings", Some(&wrong)).await, 400).contains("roles.unknown"));
        assert_eq!(app.admin("GET", "/settings", None).await.expect(200).body["page.max"], "50");
    }

    async fn nobody_gives_a_token_that_holds_more_than_their_own(app: TestApp) {
        let app = app.licensed(5).await.scoped(&["scim", "tokens:write"]).await;
        let body = |scopes: &[&str]| json!({ "scopes": scopes, "label": "t" });
        for more in [&["admin"][..], &["roles:assign"], &["users:read", "groups:map"]] {
            problem(&app.admin("POST", "/tokens", Some(&body(more))).await, 403);
        }
        problem(&app.admin("POST", "/tokens", Some(&body(&["king"]))).await, 400);
        let made = app.admin("POST", "/tokens", Some(&body(&["users:read"]))).await.expect(201);
        let reader = app.bearing(made.body["token"].as_str().unwrap());
        reader.get("/Users").await.expect(200);
        let listed = app.admin("GET", "/tokens", None).await.expect(200).body;
        assert!(!listed.to_string().contains("usher_scim_"), "{listed}");
        let path = format!("/tokens/{}", made.body["id"].as_str().unwrap());
        app.admin("DELETE", &path, None).await.expect(204);
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        reader.get("/Users").await.expect(401);
        problem(&app.admin("DELETE", "/tokens/nothing", None).await, 404);
    }

    async fn a_token_of_an_identity_provider_opens_nothing_of_it(app: TestApp) {
        let app = app.licensed(5).await;
        let body = json!({});
        for (method, path) in [
            ("GET", "/events"), ("GET", "/log"), ("POST", "/pools"), ("PATCH", "/pools/default"),
            ("DELETE", "/pools/default"), ("POST", "/roles"), ("DELETE", "/roles/x"),
            ("PATCH", "/users/x/seat"), ("POST", "/users/x/seat:grant"),
            ("POST", "/brake:undo"), ("POST", "/brake:confirm"),
            ("PUT", "/mappings/x"), ("DELETE", "/mappings/x"), ("GET", "/settings"),
            ("PATCH", "/settings"), ("GET", "/tokens"), ("POST", "/tokens"), ("DELETE", "/tokens/x"),
        ] {
            let sent = ["POST", "PUT", "PATCH"].contains(&method).then_some(&body);
            let reply = app.admin(method, path, sent).await;
            assert!(problem(&reply, 403).contains("scope"), "{method} {path}");
            problem(&app.anonymous().admin(method, path, sent).await, 401);
        }
        // What it may read.
        app.admin("GET", "/pools", None).await.expect(200);
        app.admin("GET", "/roles", None).await.expect(200);
    }

    async fn seats_are_set_shown_and_verified_beside_the_server(setup: Setup) {
        let server = setup.start();
        let shown = setup.json("seats show");
        assert_eq!((&shown[0]["value"], &shown[0]["total"]), (&json!("default"), &Value::Null));
        setup.json("seats set 2");
        for name in ["a", "b"] {
            server.client.try_user(name).await.unwrap().expect(201);
        }
        server.client.try_user("c").await.unwrap().expect(403);
        let shown = setup.json("seats show");
        assert_eq!((&shown[0]["used"], &shown[0]["state"]), (&json!(2), &json!("full")));
        assert_eq!(setup.json("seats verify")["clean"], true);
        assert_eq!(setup.json("seats waiting"), json!([]));
        assert_eq!(setup.run("seats set many").status, 2);
        let lines = setup.run("log tail -n 3 --json").out;
        let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
        assert_eq!((&last["name"], &last["detail"]["total"]), (&json!("seat.denied"), &json!(2)));
        assert_eq!(lines.lines().count(), 3);
        setup.json("roles map CC-Lead --role supervisor");
        let roles = setup.json("roles list");
        let named = roles.as_array().unwrap().iter().find(|role| role["value"] == "supervisor");
        assert_eq!(named.unwrap()["names"], json!(["CC-Lead"]));
        setup.json("roles map cc_lead");
        assert_eq!(setup.run("roles map cc_lead").status, 1);
        let agent = roles.as_array().unwrap().iter().find(|role| role["value"] == "agent").unwrap();
        assert_eq!((&agent["assignable"], &agent["pool"]), (&json!(true), &json!("default")));
        setup.json("tenant create acme --seats 25");
        assert_eq!(setup.json("seats show --tenant acme")[0]["total"], 25);
    }
}
