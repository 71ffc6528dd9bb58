//! Call agents where something goes wrong, comes twice or was taken away meanwhile.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::agents::{AGENT_GROUP, DEPARTMENT, PHONE, agent_of, count};
use crate::support::app::TestApp;
use crate::support::asks::{CONTACT_CENTER as ABOUT, ENTERPRISE, texts, user};
use crate::support::bulk::{delete, run, statuses};
use crate::support::each_db;

impl TestApp {
    async fn etag(&self, path: &str) -> String {
        self.get(path).await.expect(200).header("etag").to_owned()
    }

    async fn total(&self, endpoint: &str) -> u64 {
        self.get(endpoint).await.expect(200).body["totalResults"].as_u64().unwrap()
    }

    async fn set_tenant(&self, key: &str, value: &str) -> Self {
        self.app.set_tenant(&self.tenant, &[(key.to_owned(), value.to_owned())]).await.unwrap();
        self.scoped(&["scim", "agents:write"]).await
    }
}

fn active(on: bool) -> Value {
    json!([{ "op": "replace", "path": "active", "value": on }])
}

each_db! {
    async fn a_put_without_what_usher_gave_keeps_it(app: TestApp) {
        let app = app.center().await;
        let body = json!({ "displayName": "Ann" });
        let made = app.agent(&body).await.expect(201);
        app.agent(&json!({ "agentNumber": "500" })).await.expect(201);
        let path = format!("/CallAgents/{}", made.id());
        let mut body = body;
        body["schemas"] = made.body["schemas"].clone();
        for _ in 0..2 {
            let same = app.put(&path, &body).await.expect(200);
            assert_eq!(same.body, made.body);
        }
        let number = json!([{ "op": "remove", "path": "agentNumber" }]);
        assert_eq!(app.patch(&path, number).await.expect(200).body["agentNumber"], "100");
    }

    async fn a_member_or_department_that_is_named_twice_is_one(app: TestApp) {
        let app = app.center().await;
        let ann = app.person("ann", &json!({ "createAgent": true, "callForwardNumber": PHONE })).await.expect(201);
        let members = json!([{ "value": ann.id(), "priority": 2 }, { "value": agent_of(&ann) }]);
        let group = app.made("/AgentGroups", AGENT_GROUP, &json!({ "displayName": "Q", "members": members }))
            .await.expect(201);
        assert_eq!(texts(&group.body["members"], "/value"), [agent_of(&ann)]);
        let path = format!("/AgentGroups/{}", group.id());
        let again = json!([{ "op": "add", "path": "members", "value": [{ "value": ann.id() }] }]);
        let (user, agent) = (format!("/Users/{}", ann.id()), format!("/CallAgents/{}", agent_of(&ann)));
        let before = (app.etag(&user).await, app.etag(&agent).await);
        let same = app.patch(&path, again).await.expect(200);
        assert_eq!((same.header("etag"), &same.body["members"]), (group.header("etag"), &group.body["members"]));
        assert_eq!((app.etag(&user).await, app.etag(&agent).await), before);
        app.made("/Departments", DEPARTMENT, &json!({ "displayName": "Sales" })).await.expect(201);
        let list = json!([{ "value": "Sales" }, { "value": "SALES" }]);
        let other = app.agent(&json!({ "departments": list })).await.expect(201);
        assert_eq!(texts(&other.body["departments"], "/display"), ["Sales"]);
    }

    async fn a_status_comes_back_though_the_tenant_changed_its_mind(app: TestApp) {
        let app = app.center().await;
        let ann = app.person("ann", &json!({ "createAgent": true, "callForwardNumber": PHONE })).await.expect(201);
        let path = format!("/Users/{}", ann.id());
        app.patch(&path, active(false)).await.expect(200);
        assert_eq!(app.call_agent(agent_of(&ann)).await["status"], "disabled");
        let app = app.set_tenant("agent.followUser", "false").await;
        app.patch(&path, active(true)).await.expect(200);
        let agent = app.call_agent(agent_of(&ann)).await;
        assert_eq!((&agent["status"], agent.get("statusBefore")), (&json!("active"), None));
    }

    async fn a_put_of_the_last_get_fills_no_departments(app: TestApp) {
        let app = app.center().await;
        // Made before the tenant wanted it.
        let early = app.user_with("early", &json!({ ENTERPRISE: { "department": "Sales" } })).await;
        let app = app.set_tenant("departments.fromEnterprise", "true").await;
        let path = format!("/Users/{}", early.id());
        let shown = app.get(&path).await;
        assert_eq!(app.put(&path, &shown.body).await.expect(200).header("etag"), early.header("etag"));
        // Taken away by the agent since.
        let ann = app.person("x", &json!({})).await.expect(201);
        let path = format!("/Users/{}", ann.id());
        let more = json!([
            { "op": "add", "path": format!("{ENTERPRISE}:department"), "value": "Sales" },
            { "op": "add", "path": format!("{ABOUT}:createAgent"), "value": true },
            { "op": "add", "path": format!("{ABOUT}:callForwardNumber"), "value": PHONE },
        ]);
        let ann = app.patch(&path, more).await.expect(200);
        assert_eq!(ann.body[ABOUT]["departments"], json!(["Sales"]));
        let agent = format!("/CallAgents/{}", agent_of(&ann));
        app.patch(&agent, json!([{ "op": "remove", "path": "departments" }])).await.expect(200);
        let shown = app.get(&path).await;
        let same = app.put(&path, &shown.body).await.expect(200);
        assert_eq!(same.header("etag"), shown.header("etag"));
        // Who never sends departments gets them once.
        let body = user("bob", &json!({ ENTERPRISE: { "department": "Sales" }, ABOUT: { "webLogin": true } }));
        let bob = app.post("/Users", &body).await.expect(201);
        let same = app.put(&format!("/Users/{}", bob.id()), &body).await.expect(200);
        assert_eq!(same.header("etag"), bob.header("etag"));
        assert_eq!(same.body[ABOUT]["departments"], json!(["Sales"]));
    }

    async fn an_id_of_nothing_is_no_name_of_a_department(app: TestApp) {
        let app = app.center().await;
        let sales = app.made("/Departments", DEPARTMENT, &json!({ "displayName": "Sales" })).await.expect(201).id();
        let ann = app.person("ann", &json!({ "departments": [sales, "Support"] })).await.expect(201);
        app.delete(&format!("/Departments/{sales}")).await.expect(204);
        app.person("bob", &json!({ "departments": [sales] })).await.refused(400, "invalidValue");
        app.agent(&json!({ "agentNumber": "1" })).await.expect(201);
        // Whoever wished it before can be linked all the same.
        let linked = app.set(&ann.id(), "agentId", "1".into()).await.expect(200);
        assert_eq!(linked.body[ABOUT]["departments"], json!(["Support"]));
        assert_eq!(app.total("/Departments").await, 1);
        // The same of a name, where none is made.
        let carl = app.person("carl", &json!({ "departments": ["Support", "Own"] })).await.expect(201);
        let app = app.set_tenant("departments.autoCreate", "false").await;
        let own = app.find("/Departments", "displayName eq \"own\"").await.body["Resources"][0]["id"].clone();
        app.delete(&format!("/Departments/{}", own.as_str().unwrap())).await.expect(204);
        app.agent(&json!({ "agentNumber": "2" })).await.expect(201);
        let linked = app.set(&carl.id(), "agentId", "2".into()).await.expect(200);
        assert_eq!(linked.body[ABOUT]["departments"], json!(["Support"]));
    }

    async fn a_department_above_another_is_there_and_no_circle(app: TestApp) {
        let app = app.center().await;
        let make = async |body: Value| app.made("/Departments", DEPARTMENT, &body).await;
        make(json!({ "displayName": "X", "parent": { "value": "nowhere" } })).await.refused(400, "invalidValue");
        let top = make(json!({ "displayName": "Top" })).await.expect(201).id();
        let low = make(json!({ "displayName": "Low", "parent": { "value": "TOP" } })).await.expect(201);
        assert_eq!(low.body["parent"]["value"], top.as_str());
        let group = json!({ "displayName": "Q", "department": { "value": "nowhere" } });
        app.made("/AgentGroups", AGENT_GROUP, &group).await.refused(400, "invalidValue");
        let group = json!({ "displayName": "Q", "department": { "value": "top" } });
        let group = app.made("/AgentGroups", AGENT_GROUP, &group).await.expect(201);
        assert_eq!(group.body["department"]["display"], "Top");
        for above in [top.clone(), low.id()] {
            let path = format!("/Departments/{top}");
            app.patch(&path, json!([{ "op": "add", "path": "parent", "value": { "value": above } }]))
                .await.refused(400, "invalidValue");
        }
        app.delete(&format!("/Departments/{top}")).await.expect(204);
        assert_eq!(app.get(&format!("/Departments/{}", low.id())).await.body.get("parent"), None);
        assert_eq!(app.get(&format!("/AgentGroups/{}", group.id())).await.body.get("department"), None);
    }

    async fn a_refused_seat_leaves_no_agent_and_no_link(app: TestApp) {
        let app = app.center().await;
        let ann = app.person("ann", &json!({ "createAgent": true, "callForwardNumber": PHONE })).await.expect(201);
        let path = format!("/Users/{}", ann.id());
        let agent = format!("/CallAgents/{}", agent_of(&ann));
        app.patch(&path, active(false)).await.expect(200);
        app.set_seats("default", Some(0)).await;
        let before = (app.etag(&path).await, app.etag(&agent).await);
        app.patch(&path, active(true)).await.refused(403, "");
        let wish = json!({ "createAgent": true, "extension": "300", "departments": ["New"] });
        app.person("bob", &wish).await.refused(403, "");
        let post = json!({ "method": "POST", "path": "/Users", "bulkId": "b", "data": user("bob", &json!({ ABOUT: wish })) });
        let again = crate::support::bulk::patch(&path, &active(true));
        assert_eq!(statuses(&run(&app, &[post, again]).await), ["403", "403"]);
        assert_eq!((app.etag(&path).await, app.etag(&agent).await), before);
        assert_eq!(app.call_agent(agent_of(&ann)).await["status"], "disabled");
        for (endpoint, there) in [("/CallAgents", 1), ("/Departments", 0), ("/PhoneExtensions", 0)] {
            assert_eq!(app.total(endpoint).await, there, "{endpoint}");
        }
    }

    async fn a_user_and_its_agent_go_in_one_bulk(app: TestApp) {
        let app = app.center().await;
        let ann = app.person("ann", &json!({ "createAgent": true, "extension": "300" })).await.expect(201);
        let (user, agent) = (format!("/Users/{}", ann.id()), format!("/CallAgents/{}", agent_of(&ann)));
        let results = run(&app, &[delete(&agent), delete(&user), delete(&agent)]).await;
        assert_eq!(statuses(&results), ["409", "204", "204"]);
        assert_eq!(app.owner("300").await, None);
        app.person("ann", &json!({ "extension": "300" })).await.expect(201);
    }

    async fn two_instances_link_an_agent_once(app: TestApp) {
        let app = app.center().await;
        let other = app.second_instance().await;
        app.agent(&json!({ "agentNumber": "7" })).await.expect(201);
        let mut users = Vec::new();
        for n in 0..10 {
            users.push(app.person(&format!("u{n}"), &json!({})).await.expect(201).id());
        }
        let (app, other) = (&app, &other);
        let replies = join_all(users.iter().enumerate().map(async |(n, user)| {
            let app = if n % 2 == 0 { app } else { other };
            let path = format!("/Users/{user}");
            if n % 3 == 0 {
                let mut body = app.get(&path).await.body;
                body[ABOUT] = json!({ "agentId": "7" });
                body["schemas"] = json!(["urn:ietf:params:scim:schemas:core:2.0:User", ABOUT]);
                return app.put(&path, &body).await;
            }
            app.set(user, "agentId", "7".into()).await
        })).await;
        assert_eq!((count(&replies, 200), count(&replies, 409)), (1, 9));
    }

    async fn the_highest_number_in_use_leaves_others_free(app: TestApp) {
        let app = app.center().await;
        app.agent(&json!({ "agentNumber": "99999999", "extensionNumber": "99999999" })).await.expect(201);
        let made = app.agent(&json!({ "extensionNumber": "auto" })).await.expect(201);
        assert_eq!((&made.body["agentNumber"], &made.body["extension"]["number"]), (&json!("100"), &json!("100")));
        let made = app.agent(&json!({ "extensionNumber": "auto" })).await.expect(201);
        assert_eq!((&made.body["agentNumber"], &made.body["extension"]["number"]), (&json!("101"), &json!("101")));
    }

    async fn an_extension_that_is_no_number_is_told_by_its_name(app: TestApp) {
        let app = app.center().await;
        let detail = app.agent(&json!({ "extensionNumber": "1" })).await.refused(400, "invalidValue");
        assert!(detail.starts_with("extensionNumber '1'"), "{detail}");
    }

    async fn types_that_a_tenant_hides_are_linked_all_the_same(app: TestApp) {
        let app = app.center().await;
        let app = app.set_tenant("discovery.extensions", &format!("{ABOUT},CallAgent")).await;
        let about = json!({ "createAgent": true, "extension": "auto", "departments": ["Sales"] });
        let ann = app.person("ann", &about).await.expect(201);
        app.get("/Departments").await.refused(404, "");
        let agent = app.call_agent(agent_of(&ann)).await;
        assert_eq!(agent["extension"]["number"], "100");
        assert_eq!(texts(&agent["departments"], "/display"), ["Sales"]);
    }

    async fn one_bulk_moves_an_agent_from_one_user_to_another(app: TestApp) {
        let app = app.center().await;
        let ann = app.person("ann", &json!({ "createAgent": true, "extension": "300" })).await.expect(201);
        let bob = app.person("bob", &json!({ "extension": "301" })).await.expect(201);
        let (ann_at, bob_at) = (format!("/Users/{}", ann.id()), format!("/Users/{}", bob.id()));
        let link = |at: &str, value: Value| {
            let path = format!("{ABOUT}:agentId");
            crate::support::bulk::patch(at, &json!([{ "op": "replace", "path": path, "value": value }]))
        };
        let agent = agent_of(&ann);
        let results = run(&app, &[
            link(&bob_at, agent.into()), link(&ann_at, Value::Null), link(&bob_at, agent.into()),
        ]).await;
        assert_eq!(statuses(&results), ["409", "200", "200"]);
        assert_eq!(app.call_agent(agent).await["user"]["value"], bob.id().as_str());
        assert_eq!((app.owner("300").await, app.owner("301").await), (None, Some(agent.to_owned())));
        assert_eq!(app.about(&ann.id()).await.get("extensionRef"), None);
        // The extension that is free now is taken by a wish, and by one alone.
        let wish = |at: &str| {
            let path = format!("{ABOUT}:extension");
            crate::support::bulk::patch(at, &json!([{ "op": "replace", "path": path, "value": "300" }]))
        };
        let results = run(&app, &[wish(&ann_at), wish(&bob_at)]).await;
        assert_eq!(statuses(&results), ["200", "409"]);
    }

    async fn long_values_are_kept_and_compared_whole(app: TestApp) {
        let app = app.center().await;
        let (one, other) = ("x".repeat(3000), format!("{}y", "x".repeat(2999)));
        let first = app.agent(&json!({ "agentNumber": one })).await.expect(201);
        app.agent(&json!({ "agentNumber": other })).await.expect(201);
        app.agent(&json!({ "agentNumber": one })).await.refused(409, "uniqueness");
        let ids: Vec<_> = (0..50).map(|n| format!("+49301234{n:03}")).collect();
        let about = json!({ "agentId": one, "departments": [one, other], "allowedCallerIds": ids });
        let ann = app.person("ann", &about).await.expect(201);
        assert_eq!(agent_of(&ann), first.id());
        assert_eq!(ann.body[ABOUT]["allowedCallerIds"], json!(ids));
        assert_eq!(app.total("/Departments").await, 2);
        let path = format!("/Users/{}", ann.id());
        assert_eq!(app.put(&path, &ann.body).await.expect(200).header("etag"), ann.header("etag"));
        app.person("bob", &json!({ "agentId": "x".repeat(2998) })).await.refused(400, "invalidValue");
    }

    async fn who_is_suspended_or_waits_keeps_the_agent(app: TestApp) {
        let app = app.center().await;
        app.pool("default", |pool| pool.overage_policy = usher::domain::pool::Policy::Waitlist).await;
        app.set_seats("default", Some(0)).await;
        let about = json!({ "createAgent": true, "extension": "auto" });
        let ann = app.person("ann", &about).await.expect(201);
        assert_eq!(ann.body[ABOUT]["lifecycle"], "waiting");
        let path = format!("/Users/{}", ann.id());
        app.patch(&path, active(false)).await.expect(200);
        assert_eq!(app.call_agent(agent_of(&ann)).await["status"], "disabled");
        app.set_seats("default", Some(1)).await;
        let on = app.patch(&path, active(true)).await.expect(200);
        assert_eq!((&on.body[ABOUT]["lifecycle"], &on.body[ABOUT]["agent"]["status"]), (&json!("active"), &json!("active")));
        let off = app.patch(&path, active(false)).await.expect(200);
        let cut = app.set(&ann.id(), "agentId", Value::Null).await.expect(200);
        assert_ne!(cut.header("etag"), off.header("etag"));
        assert_eq!(app.call_agent(agent_of(&ann)).await["status"], "active", "nobody's, it takes calls");
    }
}
