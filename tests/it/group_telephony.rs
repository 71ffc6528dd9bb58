//! Groups that give their members a department or a group of call agents.

use serde_json::{Value, json};

use crate::admin::problem;
use crate::agents::{AGENT_GROUP, DEPARTMENT, agent_of};
use crate::support::app::TestApp;
use crate::support::asks::{CONTACT_CENTER as ABOUT, GROUP_MAPPING, texts};
use crate::support::each_db;
use crate::support::process::Setup;

/// A tenant with a department, a group of agents, and a group of users that gives both.
struct Center {
    app: TestApp,
    department: String,
    queue: String,
    team: String,
}

impl Center {
    async fn new(app: &TestApp) -> Self {
        let app = app.center().await.scoped(&["admin"]).await;
        let department =
            app.made("/Departments", DEPARTMENT, &json!({ "displayName": "Sales" })).await;
        let queue = app.made("/AgentGroups", AGENT_GROUP, &json!({ "displayName": "Queue" })).await;
        let team = app.group("team", &[]).await;
        let center = Self {
            department: department.expect(201).id(),
            queue: queue.expect(201).id(),
            team: format!("/Groups/{team}"),
            app,
        };
        center.map(&json!({ "department": "sales", "agentGroup": center.queue })).await;
        center
    }

    async fn map(&self, body: &Value) {
        let path = self.team.replace("/Groups", "/mappings");
        self.app.admin("PUT", &path, Some(body)).await.expect(200);
    }

    async fn join(&self, user: &str) {
        let add = json!([{ "op": "add", "path": "members", "value": [{ "value": user }] }]);
        self.app.patch(&self.team, add).await.expect(200);
    }

    async fn leave(&self, user: &str) {
        let path = format!("members[value eq \"{user}\"]");
        self.app.patch(&self.team, json!([{ "op": "remove", "path": path }])).await.expect(200);
    }

    /// The departments and the groups of an agent, and who is in the group.
    async fn has(&self, agent: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
        let shown = self.app.call_agent(agent).await;
        let queue = self.app.get(&format!("/AgentGroups/{}", self.queue)).await.expect(200).body;
        let names = |list: &Value| match list {
            Value::Null => Vec::new(),
            list => texts(list, "/display"),
        };
        let members = match &queue["members"] {
            Value::Null => Vec::new(),
            list => texts(list, "/value"),
        };
        (names(&shown["departments"]), names(&shown["agentGroups"]), members)
    }

    /// A user with an agent that has a department of its own.
    async fn ann(&self) -> (String, String) {
        let about = json!({
            "createAgent": true, "callForwardNumber": "+49 30 1234567", "departments": ["Own"],
        });
        let ann = self.app.person("ann", &about).await.expect(201);
        (ann.id(), agent_of(&ann).to_owned())
    }
}

fn list(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

each_db! {
    async fn members_have_it_beside_what_they_wrote_until_they_leave(app: TestApp) {
        let center = Center::new(&app).await;
        let (ann, agent) = center.ann().await;
        let plain = (list(&["Own"]), list(&[]), list(&[]));
        let given = (list(&["Own", "Sales"]), list(&["Queue"]), list(&[&agent]));
        assert_eq!(center.has(&agent).await, plain);
        center.join(&ann).await;
        assert_eq!(center.has(&agent).await, given);
        // What the client wrote comes back as it was, and the same again changes nothing.
        let app = &center.app;
        assert_eq!(app.about(&ann).await["departments"], json!(["Own"]));
        let read = app.get(&format!("/Users/{ann}")).await.expect(200);
        let put = app.put(&format!("/Users/{ann}"), &read.body).await.expect(200);
        assert_eq!(put.header("etag"), read.header("etag"));
        app.set(&ann, "departments", json!(["Other"])).await.expect(200);
        assert_eq!(center.has(&agent).await.0, ["Other", "Sales"]);
        app.set(&ann, "departments", json!(["Own"])).await.expect(200);
        let asked = app.get(&format!("/CallAgents/{agent}?attributes=grantedByGroups")).await.expect(200);
        assert_eq!(asked.body["grantedByGroups"], json!([center.department, center.queue]));
        center.leave(&ann).await;
        assert_eq!(center.has(&agent).await, plain);
        assert!(app.call_agent(&agent).await.get("grantedByGroups").is_none());
    }

    async fn what_was_written_stays_when_the_group_goes(app: TestApp) {
        let center = Center::new(&app).await;
        let (ann, agent) = center.ann().await;
        center.join(&ann).await;
        center.app.set(&ann, "departments", json!(["Own", "Sales"])).await.expect(200);
        center.leave(&ann).await;
        assert_eq!(center.has(&agent).await, (list(&["Own", "Sales"]), list(&[]), list(&[])));
        // And what was there before the group gave it.
        center.join(&ann).await;
        center.app.delete(&center.team).await.expect(204);
        assert_eq!(center.has(&agent).await, (list(&["Own", "Sales"]), list(&[]), list(&[])));
    }

    async fn it_goes_with_the_link_and_comes_with_it(app: TestApp) {
        let center = Center::new(&app).await;
        let app = &center.app;
        let (ann, agent) = center.ann().await;
        center.join(&ann).await;
        app.set(&ann, "agentId", Value::Null).await.expect(200);
        assert_eq!(center.has(&agent).await, (list(&["Own"]), list(&[]), list(&[])));
        let bob = app.person("bob", &json!({})).await.expect(201);
        center.join(&bob.id()).await;
        assert!(app.about(&bob.id()).await.get("departments").is_none());
        app.set(&bob.id(), "agentId", agent.as_str().into()).await.expect(200);
        assert_eq!(center.has(&agent).await, (list(&["Own", "Sales"]), list(&["Queue"]), list(&[&agent])));
        app.delete(&format!("/Users/{}", bob.id())).await.expect(204);
        assert_eq!(center.has(&agent).await, (list(&["Own"]), list(&[]), list(&[])));
    }

    async fn no_client_takes_from_an_agent_what_a_group_gives(app: TestApp) {
        let center = Center::new(&app).await;
        let app = &center.app;
        let (ann, agent) = center.ann().await;
        center.join(&ann).await;
        let given = center.has(&agent).await;
        let path = format!("/CallAgents/{agent}");
        let read = app.get(&path).await.expect(200);
        let put = app.put(&path, &read.body).await.expect(200);
        assert_eq!(put.header("etag"), read.header("etag"));
        let mut less = read.body.clone();
        less["departments"] = json!([{ "value": "Own" }]);
        less.as_object_mut().unwrap().remove("agentGroups");
        app.put(&path, &less).await.expect(200);
        assert_eq!(center.has(&agent).await, given);
        let queue = format!("/AgentGroups/{}", center.queue);
        app.patch(&queue, json!([{ "op": "remove", "path": "members" }])).await.expect(200);
        assert_eq!(center.has(&agent).await, given);
        app.delete(&queue).await.refused(409, "");
        app.delete(&format!("/Departments/{}", center.department)).await.refused(409, "");
        center.map(&json!({ "department": center.department })).await;
        assert_eq!(center.has(&agent).await, (list(&["Own", "Sales"]), list(&[]), list(&[])));
        app.delete(&queue).await.expect(204);
        app.admin("DELETE", &center.team.replace("/Groups", "/mappings"), None).await.expect(204);
        assert_eq!(app.about(&ann).await["departments"], json!(["Own"]));
        app.delete(&format!("/Departments/{}", center.department)).await.expect(204);
    }

    async fn the_group_says_what_it_gives(app: TestApp) {
        let center = Center::new(&app).await;
        let app = &center.app;
        let shown = app.get(&center.team).await.expect(200).body;
        assert_eq!(shown[GROUP_MAPPING], json!({
            "kind": "department", "department": "sales", "agentGroup": center.queue, "priority": 100,
        }));
        center.map(&json!({ "agentGroup": "queue", "priority": 3 })).await;
        let shown = app.get(&center.team).await.expect(200).body;
        assert_eq!(shown[GROUP_MAPPING], json!({ "kind": "agentGroup", "agentGroup": "queue", "priority": 3 }));
        let path = center.team.replace("/Groups", "/mappings");
        for wrong in [json!({ "department": "Nowhere" }), json!({ "agentGroup": "Sales" })] {
            assert!(problem(&app.admin("PUT", &path, Some(&wrong)).await, 400).contains("of that name or id"));
        }
        // Whoever is a member when it is mapped has it too, and rights stay what they were.
        let (ann, agent) = center.ann().await;
        center.join(&ann).await;
        center.map(&json!({ "department": "Sales", "grantsRole": "supervisor" })).await;
        assert_eq!(center.has(&agent).await, (list(&["Own", "Sales"]), list(&[]), list(&[])));
        assert_eq!(app.get(&format!("/Users/{ann}")).await.body[ABOUT]["effectiveRoles"][0]["value"], "supervisor");
    }

    async fn groups_are_mapped_to_departments_beside_the_server(setup: Setup) {
        let server = setup.start();
        let admin = server.client.bearing(&setup.secret("token create --scope admin"));
        let body = json!({ "schemas": [DEPARTMENT], "displayName": "Sales" });
        admin.post("/Departments", &body).await.expect(201);
        let group = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "g" });
        let id = admin.post("/Groups", &group).await.expect(201).id();
        let mapped = setup.json(&format!("groups map {id} --department Sales"));
        assert_eq!(mapped["department"], "Sales");
        assert_eq!(setup.run(&format!("groups map {id} --agent-group None")).status, 1);
        let shown = admin.get(&format!("/Groups/{id}")).await.expect(200).body;
        assert_eq!(shown[GROUP_MAPPING]["kind"], "department");
    }
}
