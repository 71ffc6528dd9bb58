//! Call agents: who signs in as whom, and what each shows of the other.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{Reply, TestApp};
use crate::support::asks::{CONTACT_CENTER as ABOUT, ENTERPRISE, texts, user};
use crate::support::each_db;

pub(crate) const CALL_AGENT: &str = "urn:ietf:params:scim:schemas:usher:2.0:CallAgent";
pub(crate) const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:usher:2.0:Department";
pub(crate) const AGENT_GROUP: &str = "urn:ietf:params:scim:schemas:usher:2.0:AgentGroup";
pub(crate) const PHONE_EXTENSION: &str = "urn:ietf:params:scim:schemas:usher:2.0:PhoneExtension";
pub(crate) const PHONE: &str = "+49 30 1234567";

impl TestApp {
    /// A new tenant that shows everything, with a token that may write agents.
    pub(crate) async fn center(&self) -> Self {
        self.center_with("agent.followUser", "true").await
    }

    pub(crate) async fn center_with(&self, key: &str, value: &str) -> Self {
        let all = ("discovery.extensions".to_owned(), "all".to_owned());
        let pairs = [all, (key.to_owned(), value.to_owned())];
        self.tenant(&pairs.into()).await.scoped(&["scim", "agents:write"]).await
    }

    pub(crate) async fn made(&self, endpoint: &str, schema: &str, more: &Value) -> Reply {
        let mut body = more.clone();
        body["schemas"] = json!([schema]);
        self.post(endpoint, &body).await
    }

    pub(crate) async fn agent(&self, more: &Value) -> Reply {
        let mut body = more.clone();
        if body.get("displayName").is_none() {
            body["displayName"] = "Agent".into();
        }
        self.made("/CallAgents", CALL_AGENT, &body).await
    }

    /// A user with these attributes of the contact centre.
    pub(crate) async fn person(&self, name: &str, about: &Value) -> Reply {
        self.post("/Users", &user(name, &json!({ ABOUT: about }))).await
    }

    pub(crate) async fn set(&self, user: &str, name: &str, value: Value) -> Reply {
        let path = format!("{ABOUT}:{name}");
        self.patch(
            &format!("/Users/{user}"),
            json!([
                { "op": "replace", "path": path, "value": value },
            ]),
        )
        .await
    }

    pub(crate) async fn call_agent(&self, id: &str) -> Value {
        self.get(&format!("/CallAgents/{id}")).await.expect(200).body
    }

    pub(crate) async fn about(&self, user: &str) -> Value {
        self.get(&format!("/Users/{user}")).await.expect(200).body[ABOUT].clone()
    }

    /// The owner of an extension: the id of an agent, or of a user.
    pub(crate) async fn owner(&self, number: &str) -> Option<String> {
        let found = self.find("/PhoneExtensions", &format!("number eq \"{number}\"")).await;
        let extension = &found.body["Resources"][0];
        let owner = extension["agent"]["value"].as_str().or(extension["user"]["value"].as_str());
        owner.map(str::to_owned)
    }
}

pub(crate) fn agent_of(reply: &Reply) -> &str {
    reply.body[ABOUT]["agent"]["value"].as_str().unwrap_or_default()
}

pub(crate) fn count(replies: &[Reply], status: u16) -> usize {
    replies.iter().filter(|reply| reply.status == status).count()
}

each_db! {
    async fn an_agent_is_found_by_its_id_its_number_and_its_external_id(app: TestApp) {
        let app = app.center().await;
        let made = app.agent(&json!({ "agentNumber": "7001", "externalId": "x-1" })).await.expect(201);
        assert_eq!(made.body["status"], "active");
        assert_eq!(made.body["callingAgent"], true);
        for (name, text) in [("a", made.id()), ("b", "7001".to_owned()), ("c", "x-1".to_owned())] {
            let person = app.person(name, &json!({ "agentId": text })).await.expect(201);
            assert_eq!(person.body[ABOUT]["agentId"], text.as_str(), "as it was written");
            let agent = json!({
                "value": made.id(), "$ref": format!("../CallAgents/{}", made.id()),
                "display": "Agent", "status": "active",
            });
            assert_eq!(person.body[ABOUT]["agent"], agent);
            let shown = app.call_agent(&made.id()).await;
            assert_eq!(shown["user"]["value"], person.id().as_str());
            assert_eq!(shown["user"]["display"], name);
            for filter in [format!("{ABOUT}:agentId eq \"{text}\""), format!("{ABOUT}:agent.value eq \"{}\"", made.id())] {
                assert_eq!(app.found(&filter).await, [name]);
            }
            let cut = app.set(&person.id(), "agentId", Value::Null).await.expect(200);
            assert_eq!(cut.body[ABOUT].get("agent"), None);
            assert_eq!(app.call_agent(&made.id()).await.get("user"), None);
            assert_eq!(app.lines(&made.id()).await.last().map(String::as_str), Some("agent.unlinked"));
        }
        let lines = app.lines(&made.id()).await;
        assert_eq!(lines[..3], ["agent.created", "agent.linked", "agent.unlinked"]);
    }

    async fn none_and_two_hits_are_refused_and_so_is_an_agent_of_another_user(app: TestApp) {
        let app = app.center().await;
        app.agent(&json!({ "externalId": "twice" })).await.expect(201);
        app.agent(&json!({ "externalId": "twice" })).await.expect(201);
        let free = app.agent(&json!({ "agentNumber": "1" })).await.expect(201);
        for text in ["nobody", "twice"] {
            app.person("x", &json!({ "agentId": text })).await.refused(400, "invalidValue");
        }
        app.person("ann", &json!({ "agentId": "1" })).await.expect(201);
        app.person("bob", &json!({ "agentId": free.id() })).await.refused(409, "uniqueness");
        let bob = app.person("bob", &json!({})).await.expect(201);
        app.set(&bob.id(), "agentId", "1".into()).await.refused(409, "uniqueness");
        assert_eq!(app.get(&format!("/Users/{}", bob.id())).await.header("etag"), "W/\"1\"");
    }

    async fn of_20_requests_at_once_one_links_the_agent(app: TestApp) {
        let app = app.center().await;
        let agent = app.agent(&json!({ "agentNumber": "7" })).await.expect(201).id();
        let mut users = Vec::new();
        for n in 0..20 {
            users.push(app.person(&format!("u{n}"), &json!({})).await.expect(201).id());
        }
        let app = &app;
        let replies = join_all(users.iter().enumerate().map(async |(n, user)| {
            let text = if n % 2 == 0 { "7" } else { agent.as_str() };
            app.set(user, "agentId", text.into()).await
        })).await;
        assert_eq!((count(&replies, 200), count(&replies, 409)), (1, 19));
        let linked = app.find("/Users", &format!("{ABOUT}:agent.value eq \"{agent}\"")).await;
        assert_eq!(linked.body["totalResults"], 1);
        let winner = linked.body["Resources"][0]["id"].clone();
        assert_eq!(app.call_agent(&agent).await["user"]["value"], winner);
        // The same by creates.
        let other = app.agent(&json!({ "agentNumber": "8" })).await.expect(201).id();
        let replies = join_all((0..20).map(async |n| {
            app.person(&format!("v{n}"), &json!({ "agentId": "8" })).await
        })).await;
        assert_eq!((count(&replies, 201), count(&replies, 409)), (1, 19));
        let linked = app.find("/Users", &format!("{ABOUT}:agent.value eq \"{other}\"")).await;
        assert_eq!(linked.body["totalResults"], 1);
    }

    async fn of_20_requests_at_once_one_gets_the_extension(app: TestApp) {
        let app = &app.center().await;
        let replies = join_all((0..20).map(async |n| {
            let about = if n % 2 == 0 {
                json!({ "extension": "4711" })
            } else {
                json!({ "extension": "4711", "createAgent": true })
            };
            app.person(&format!("u{n}"), &about).await
        })).await;
        assert_eq!((count(&replies, 201), count(&replies, 409)), (1, 19));
        assert!(app.owner("4711").await.is_some());
        // Whoever was refused left nothing behind.
        let agents = app.get("/CallAgents").await.body["totalResults"].as_u64().unwrap();
        assert!(agents <= 1, "{agents}");
        let replies = join_all((0..10).map(async |n| {
            app.person(&format!("v{n}"), &json!({ "extension": "auto" })).await
        })).await;
        let mut numbers: Vec<_> = replies.iter().map(|reply| {
            reply.body[ABOUT]["extensionRef"]["display"].as_str().unwrap().to_owned()
        }).collect();
        numbers.sort();
        numbers.dedup();
        assert_eq!(numbers.len(), 10, "{numbers:?}");
    }

    async fn create_agent_makes_and_links_one_and_is_not_kept(app: TestApp) {
        let app = app.center().await;
        let about = json!({ "createAgent": true, "callForwardNumber": PHONE, "loginBasedCalling": true });
        let ann = app.person("ann", &about).await.expect(201);
        assert_eq!(ann.body[ABOUT].get("createAgent"), None);
        assert_eq!(ann.body[ABOUT]["agentId"], agent_of(&ann));
        assert_eq!(ann.body[ABOUT]["callForwardNumber"], PHONE);
        let agent = app.call_agent(agent_of(&ann)).await;
        assert_eq!(agent["displayName"], "ann");
        assert_eq!(agent["agentNumber"], "100");
        assert_eq!(agent["callForwardNumber"], PHONE);
        assert_eq!(agent["loginBasedCalling"], true);
        assert_eq!(agent["user"]["value"], ann.id().as_str());
        assert_eq!(app.lines(agent_of(&ann)).await, ["agent.created", "agent.linked"]);
        // Asked for again there is one already.
        let again = app.set(&ann.id(), "createAgent", true.into()).await.expect(200);
        assert_eq!(again.header("etag"), ann.header("etag"));
        // Later.
        let bob = app.person("bob", &json!({ "extension": "205" })).await.expect(201);
        assert_eq!(app.owner("205").await, Some(bob.id()), "a wish holds it");
        let bob = app.set(&bob.id(), "createAgent", "True".into()).await.expect(200);
        let agent = app.call_agent(agent_of(&bob)).await;
        assert_eq!((&agent["extensionNumber"], &agent["agentNumber"]), (&json!("205"), &json!("101")));
        assert_eq!(app.owner("205").await, Some(agent_of(&bob).to_owned()));
        app.person("carl", &json!({ "createAgent": true })).await.refused(400, "invalidValue");
        let none = app.person("carl", &json!({ "createAgent": false, "extension": "206" })).await.expect(201);
        assert_eq!(agent_of(&none), "");
    }

    async fn what_the_agent_owns_is_written_through_both(app: TestApp) {
        let app = app.center().await;
        let agent = app.agent(&json!({
            "agentNumber": "1", "callForwardNumber": "+4940111111", "extensionNumber": "301",
            "departments": [], "allowedCallerIds": ["+4940111112"],
        })).await.expect(201);
        let wishes = json!({ "callForwardNumber": PHONE, "departments": "Sales,Support" });
        let ann = app.person("ann", &wishes).await.expect(201);
        let linked = app.set(&ann.id(), "agentId", "1".into()).await.expect(200);
        let about = &linked.body[ABOUT];
        assert_eq!(about["callForwardNumber"], PHONE, "the wish wins");
        assert_eq!(about["departments"], json!(["Sales", "Support"]));
        assert_eq!(about["extension"], "301", "what was not wished is the agent's");
        assert_eq!(about["allowedCallerIds"], json!(["+4940111112"]));
        let shown = app.call_agent(&agent.id()).await;
        assert_eq!(shown["callForwardNumber"], PHONE);
        assert_eq!(texts(&shown["departments"], "/display"), ["Sales", "Support"]);
        assert_eq!(shown["meta"]["version"], "W/\"2\"");
        // By the user.
        let ids = "+4940111114; +4940111113";
        let written = app.set(&ann.id(), "allowedCallerIds", ids.into()).await.expect(200);
        assert_eq!(written.body[ABOUT]["allowedCallerIds"], json!(["+4940111114", "+4940111113"]));
        let shown = app.call_agent(&agent.id()).await;
        assert_eq!(shown["allowedCallerIds"], json!(["+4940111114", "+4940111113"]));
        assert_eq!(shown["meta"]["version"], "W/\"3\"");
        // By the agent.
        let path = format!("/CallAgents/{}", agent.id());
        app.patch(&path, json!([
            { "op": "replace", "path": "displayName", "value": "Anna" },
            { "op": "replace", "path": "callForwardNumber", "value": "+4940222222" },
            { "op": "remove", "path": "departments" },
            { "op": "replace", "path": "status", "value": "blocked" },
        ])).await.expect(200);
        let about = app.about(&ann.id()).await;
        assert_eq!(about["callForwardNumber"], "+4940222222");
        assert_eq!(about.get("departments"), None);
        assert_eq!((&about["agent"]["display"], &about["agent"]["status"]), (&json!("Anna"), &json!("blocked")));
        // Unlinking leaves all of it with the agent.
        let cut = app.set(&ann.id(), "agentId", "".into()).await.expect(200);
        for name in ["callForwardNumber", "extension", "extensionRef", "allowedCallerIds", "agent", "agentId"] {
            assert_eq!(cut.body[ABOUT].get(name), None, "{name}");
        }
        let shown = app.call_agent(&agent.id()).await;
        assert_eq!((&shown["extensionNumber"], &shown["callForwardNumber"]), (&json!("301"), &json!("+4940222222")));
        assert_eq!(app.owner("301").await, Some(agent.id()));
    }

    async fn a_user_who_gets_another_agent_leaves_the_first_one_as_it_was(app: TestApp) {
        let app = app.center().await;
        let first = app.agent(&json!({ "agentNumber": "1", "extensionNumber": "401" })).await.expect(201);
        let second = app.agent(&json!({ "agentNumber": "2", "callForwardNumber": "+4940333333" })).await.expect(201);
        let about = json!({ "agentId": "1", "callForwardNumber": PHONE, "departments": ["Sales"] });
        let ann = app.person("ann", &about).await.expect(201);
        let moved = app.patch(&format!("/Users/{}", ann.id()), json!([
            { "op": "replace", "path": format!("{ABOUT}:agentId"), "value": "2" },
            { "op": "replace", "path": format!("{ABOUT}:loginBasedCalling"), "value": true },
        ])).await.expect(200);
        assert_eq!(agent_of(&moved), second.id());
        assert_eq!(moved.body[ABOUT]["callForwardNumber"], "+4940333333", "no wish, but a view of the first");
        assert_eq!(moved.body[ABOUT].get("extension"), None);
        assert_eq!(moved.body[ABOUT].get("departments"), None);
        assert_eq!(app.call_agent(&second.id()).await["loginBasedCalling"], true);
        let left = app.call_agent(&first.id()).await;
        assert_eq!(left.get("user"), None);
        assert_eq!((&left["callForwardNumber"], &left["extensionNumber"]), (&json!(PHONE), &json!("401")));
        assert_eq!(texts(&left["departments"], "/display"), ["Sales"]);
        // Nobody else is in the way any more.
        app.person("bob", &json!({ "agentId": "1" })).await.expect(201);
    }

    async fn a_wish_that_is_cleared_is_given_up(app: TestApp) {
        let app = app.center().await;
        let ann = app.person("ann", &json!({ "extension": "501", "departments": ["Sales"] })).await.expect(201);
        let moved = app.set(&ann.id(), "extension", "502".into()).await.expect(200);
        assert_eq!(moved.body[ABOUT]["extensionRef"]["display"], "502");
        assert_eq!((app.owner("501").await, app.owner("502").await), (None, Some(ann.id())));
        let none = app.set(&ann.id(), "extension", "".into()).await.expect(200);
        assert_eq!(none.body[ABOUT].get("extensionRef"), None);
        assert_eq!(app.owner("502").await, None);
        app.person("bob", &json!({ "extension": "502" })).await.expect(201);
        assert_eq!(none.body[ABOUT]["departments"], json!(["Sales"]));
    }

    async fn a_department_that_is_deleted_is_nobodys_any_more(app: TestApp) {
        let app = app.center().await;
        let about = json!({ "createAgent": true, "extension": "auto", "departments": ["Sales", "Support"] });
        let ann = app.person("ann", &about).await.expect(201);
        let sales = app.find("/Departments", "displayName eq \"sales\"").await.body["Resources"][0].clone();
        app.delete(&format!("/Departments/{}", sales["id"].as_str().unwrap())).await.expect(204);
        assert_eq!(app.about(&ann.id()).await["departments"], json!(["Support"]));
        let agent = app.call_agent(agent_of(&ann)).await;
        assert_eq!(texts(&agent["departments"], "/display"), ["Support"]);
    }

    async fn a_large_department_goes_whole_or_not_at_all(app: TestApp) {
        let app = app.center().await;
        let made = json!({ "displayName": "Sales" });
        let sales = app.made("/Departments", DEPARTMENT, &made).await.expect(201).id();
        let agent = json!({ "departments": [{ "value": sales }] });
        for made in join_all((0..230).map(|_| app.agent(&agent))).await {
            made.expect(201);
        }
        let about = json!({ "createAgent": true, "extension": "auto", "departments": "Sales" });
        let ann = app.person("ann", &about).await.expect(201).id();
        let path = format!("/Departments/{sales}");
        let left = async || {
            let found = app.find("/CallAgents", &format!("departments.value eq \"{sales}\"")).await;
            found.body["totalResults"].as_u64().unwrap()
        };
        app.send("DELETE", &path, &[("if-match", "W/\"9\"")], None).await.refused(412, "");
        assert_eq!(left().await, 231);
        app.delete(&path).await.expect(204);
        assert_eq!(left().await, 0);
        assert!(app.about(&ann).await.get("departments").is_none());
        app.get(&path).await.refused(404, "");
    }

    async fn a_put_of_the_last_get_changes_nothing(app: TestApp) {
        let app = app.center().await;
        app.agent(&json!({ "agentNumber": "1", "externalId": "e" })).await.expect(201);
        let about = json!({
            "agentId": "e", "callForwardNumber": PHONE, "extension": "auto",
            "departments": "sales; Support", "agentGroups": ["Queue"],
            "allowedCallerIds": ["+49 40 111 111", "+4940222222"],
        });
        let ann = app.person("ann", &about).await.expect(201);
        let path = format!("/Users/{}", ann.id());
        let shown = app.get(&path).await;
        assert_eq!(shown.body[ABOUT]["extension"], "auto", "as it was written");
        assert_eq!(shown.body[ABOUT]["extensionRef"]["display"], "100");
        assert_eq!(shown.body[ABOUT]["departments"], json!(["sales", "Support"]));
        assert_eq!(shown.body[ABOUT]["allowedCallerIds"], about["allowedCallerIds"]);
        assert_eq!(app.found(&format!("{ABOUT}:extensionRef.display eq \"100\"")).await, ["ann"]);
        let agent = app.call_agent(agent_of(&ann)).await;
        let same = app.put(&path, &shown.body).await.expect(200);
        assert_eq!(same.header("etag"), ann.header("etag"));
        for (name, value) in about.as_object().unwrap() {
            let same = app.set(&ann.id(), name, value.clone()).await.expect(200);
            assert_eq!(same.header("etag"), ann.header("etag"), "{name}");
        }
        assert_eq!(app.call_agent(agent_of(&ann)).await, agent);
        let same = app.put(&format!("/CallAgents/{}", agent_of(&ann)), &agent).await.expect(200);
        assert_eq!(same.body, agent);
        for endpoint in ["/Departments", "/AgentGroups", "/PhoneExtensions"] {
            for found in app.get(endpoint).await.body["Resources"].as_array().unwrap() {
                let path = format!("{endpoint}/{}", found["id"].as_str().unwrap());
                assert_eq!(&app.put(&path, found).await.expect(200).body, found);
            }
        }
    }

    async fn names_of_departments_are_split_only_where_they_are_no_name(app: TestApp) {
        let app = app.center().await;
        let north = app.made("/Departments", DEPARTMENT, &json!({ "displayName": "Sales, North" }))
            .await.expect(201);
        let ann = app.person("ann", &json!({ "departments": "sales, north" })).await.expect(201);
        assert_eq!(ann.body[ABOUT]["departments"], json!(["sales, north"]));
        let bob = app.person("bob", &json!({ "departments": "Sales, South" })).await.expect(201);
        assert_eq!(bob.body[ABOUT]["departments"], json!(["Sales", "South"]));
        let carl = app.person("carl", &json!({ "departments": [north.id(), "East, West"] })).await.expect(201);
        assert_eq!(carl.body[ABOUT]["departments"], json!([north.id(), "East, West"]));
        let all = app.get("/Departments?sortBy=displayName").await;
        assert_eq!(texts(&all.body["Resources"], "/displayName"), ["East, West", "Sales", "Sales, North", "South"]);
        let strict = app.center_with("departments.autoCreate", "false").await;
        strict.person("ann", &json!({ "departments": ["Sales"] })).await.refused(400, "invalidValue");
        strict.person("ann", &json!({ "agentGroups": ["Queue"] })).await.refused(400, "invalidValue");
    }

    async fn the_enterprise_department_fills_departments_where_the_tenant_wants_it(app: TestApp) {
        let app = app.center_with("departments.fromEnterprise", "true").await;
        let more = json!({ ENTERPRISE: { "department": "Sales, North" } });
        let ann = app.user_with("ann", &more).await;
        assert_eq!(ann.body[ABOUT]["departments"], json!(["Sales, North"]));
        let path = format!("{ENTERPRISE}:department");
        let moved = app.patch(&format!("/Users/{}", ann.id()), json!([
            { "op": "replace", "path": path, "value": "Support" },
        ])).await.expect(200);
        assert_eq!(moved.body[ABOUT]["departments"], json!(["Support"]));
        let own = app.set(&ann.id(), "departments", "Own".into()).await.expect(200);
        assert_eq!(own.body[ABOUT]["departments"], json!(["Own"]));
        let moved = app.patch(&format!("/Users/{}", ann.id()), json!([
            { "op": "replace", "path": path, "value": "Sales" },
        ])).await.expect(200);
        assert_eq!(moved.body[ABOUT]["departments"], json!(["Own"]));
    }

    async fn an_extension_has_one_owner_and_is_free_when_it_is_given_up(app: TestApp) {
        let app = app.center().await;
        for (number, reserved) in [("120", true), ("110", false)] {
            let body = json!({ "number": number, "reserved": reserved });
            app.made("/PhoneExtensions", PHONE_EXTENSION, &body).await.expect(201);
        }
        for number in ["1", "123456789", "12a"] {
            app.made("/PhoneExtensions", PHONE_EXTENSION, &json!({ "number": number }))
                .await.refused(400, "invalidValue");
            app.person("x", &json!({ "extension": number })).await.refused(400, "invalidValue");
        }
        app.made("/PhoneExtensions", PHONE_EXTENSION, &json!({ "number": "110" })).await.refused(409, "uniqueness");
        let ann = app.person("ann", &json!({ "extension": "auto", "createAgent": true })).await.expect(201);
        assert_eq!(ann.body[ABOUT]["extensionRef"]["display"], "110", "the next that is free");
        let bob = app.person("bob", &json!({ "extension": "auto" })).await.expect(201);
        assert_eq!(bob.body[ABOUT]["extensionRef"]["display"], "121", "the next after the highest");
        app.person("carl", &json!({ "extension": "110" })).await.refused(409, "uniqueness");
        app.person("carl", &json!({ "extension": "121" })).await.refused(409, "uniqueness");
        app.agent(&json!({ "extensionNumber": "121" })).await.refused(409, "uniqueness");
        // Who goes leaves the agent and its extension.
        let agent = agent_of(&ann).to_owned();
        app.delete(&format!("/Users/{}", ann.id())).await.expect(204);
        assert_eq!(app.owner("110").await, Some(agent.clone()));
        assert_eq!(app.call_agent(&agent).await.get("user"), None);
        // A wish goes with whoever wished.
        app.delete(&format!("/Users/{}", bob.id())).await.expect(204);
        assert_eq!(app.owner("121").await, None);
        let path = format!("/CallAgents/{agent}");
        let given = json!([{ "op": "replace", "path": "extensionNumber", "value": "130" }]);
        let moved = app.patch(&path, given).await.expect(200);
        assert_eq!(moved.body["extension"]["display"], "130");
        assert_eq!((app.owner("110").await, app.owner("130").await), (None, Some(agent.clone())));
        let held = app.find("/PhoneExtensions", "number eq \"130\"").await.body["Resources"][0].clone();
        let held = format!("/PhoneExtensions/{}", held["id"].as_str().unwrap());
        app.delete(&held).await.expect(409);
        app.patch(&held, json!([{ "op": "replace", "path": "number", "value": "131" }])).await.refused(400, "mutability");
        app.delete(&path).await.expect(204);
        assert_eq!(app.owner("130").await, None);
        app.delete(&held).await.expect(204);
    }

    async fn a_linked_agent_cannot_be_deleted_and_outlives_its_user(app: TestApp) {
        let app = app.center().await;
        let ann = app.person("ann", &json!({ "createAgent": true, "callForwardNumber": PHONE })).await.expect(201);
        let path = format!("/CallAgents/{}", agent_of(&ann));
        app.delete(&path).await.refused(409, "");
        app.delete(&format!("/Users/{}", ann.id())).await.expect(204);
        let left = app.get(&path).await.expect(200);
        assert_eq!(left.body.get("user"), None);
        assert_eq!(left.body["callForwardNumber"], PHONE);
        assert_eq!(app.lines(agent_of(&ann)).await.last().map(String::as_str), Some("agent.unlinked"));
        app.delete(&path).await.expect(204);
    }

    async fn an_agent_follows_its_user_where_the_tenant_wants_it(app: TestApp) {
        for follows in [true, false] {
            let app = app.center_with("agent.followUser", &follows.to_string()).await;
            let agent = app.agent(&json!({ "agentNumber": "1", "status": "blocked" })).await.expect(201).id();
            let ann = app.person("ann", &json!({ "agentId": "1" })).await.expect(201);
            let path = format!("/Users/{}", ann.id());
            let active = |on: bool| json!([{ "op": "replace", "path": "active", "value": on }]);
            let off = app.patch(&path, active(false)).await.expect(200);
            let status = if follows { "disabled" } else { "blocked" };
            assert_eq!(app.call_agent(&agent).await["status"], status);
            assert_eq!(off.body[ABOUT]["agent"]["status"], status);
            assert_eq!(off.body[ABOUT]["agentId"], "1", "the link survives");
            app.patch(&path, active(true)).await.expect(200);
            assert_eq!(app.call_agent(&agent).await["status"], "blocked");
            assert_eq!(app.call_agent(&agent).await.get("statusBefore"), None);
        }
    }

    async fn values_of_an_agent_are_checked(app: TestApp) {
        let app = app.center().await;
        for body in [
            json!({ "status": "busy" }),
            json!({ "status": "gone" }),
            json!({ "intercom": "12345" }),
            json!({ "callForwardNumber": "030 123" }),
            json!({ "departments": [{ "value": "nowhere" }] }),
            json!({ "allowedCallerIds": (0..51).map(|n| format!("+49301234{n:03}")).collect::<Vec<_>>() }),
        ] {
            app.agent(&body).await.refused(400, "invalidValue");
        }
        app.agent(&json!({ "agentNumber": "1" })).await.expect(201);
        app.agent(&json!({ "agentNumber": "1" })).await.refused(409, "uniqueness");
        let ids: Vec<_> = (0..51).map(|n| format!("+49301234{n:03}")).collect();
        app.person("x", &json!({ "allowedCallerIds": ids })).await.refused(400, "invalidValue");
        app.person("x", &json!({ "callForwardNumber": "12" })).await.refused(400, "invalidValue");
        let next = app.agent(&json!({})).await.expect(201);
        assert_eq!(next.body["agentNumber"], "100");
    }

    async fn members_of_a_group_are_agents_and_the_users_of_agents(app: TestApp) {
        let app = app.center().await;
        let ann = app.person("ann", &json!({ "createAgent": true, "callForwardNumber": PHONE })).await.expect(201);
        let bob = app.person("bob", &json!({})).await.expect(201);
        let other = app.agent(&json!({ "displayName": "Other" })).await.expect(201);
        let members = json!([{ "value": ann.id(), "priority": 2 }, { "value": other.id() }]);
        let body = json!({ "displayName": "Queue", "members": members });
        let group = app.made("/AgentGroups", AGENT_GROUP, &body).await.expect(201);
        assert_eq!(texts(&group.body["members"], "/value"), [agent_of(&ann).to_owned(), other.id()]);
        assert_eq!(group.body["members"][0]["priority"], 2);
        assert_eq!(group.body["members"][1]["display"], "Other");
        assert_eq!(app.about(&ann.id()).await["agentGroups"], json!(["Queue"]));
        let path = format!("/AgentGroups/{}", group.id());
        for wrong in [bob.id(), "nobody".to_owned()] {
            app.patch(&path, json!([{ "op": "add", "path": "members", "value": [{ "value": wrong }] }]))
                .await.refused(400, "invalidValue");
        }
        // The other side of the same.
        app.set(&ann.id(), "agentGroups", json!(["Second"])).await.expect(200);
        let left = app.get(&path).await.expect(200);
        assert_eq!(texts(&left.body["members"], "/value"), [other.id()]);
        let second = app.find("/AgentGroups", "displayName eq \"second\"").await;
        assert_eq!(texts(&second.body["Resources"][0]["members"], "/value"), [agent_of(&ann)]);
        app.delete(&path).await.expect(204);
        assert_eq!(app.call_agent(&other.id()).await.get("agentGroups"), None);
        app.delete(&format!("/CallAgents/{}", other.id())).await.expect(204);
    }

    async fn agents_are_written_with_their_own_scope_and_through_users_without(app: TestApp) {
        let app = app.center().await;
        let agent = app.agent(&json!({ "agentNumber": "1" })).await.expect(201);
        let plain = app.scoped(&["scim"]).await;
        plain.agent(&json!({})).await.refused(403, "");
        let path = format!("/CallAgents/{}", agent.id());
        plain.delete(&path).await.refused(403, "");
        plain.get(&path).await.expect(200);
        plain.person("ann", &json!({ "agentId": "1", "callForwardNumber": PHONE })).await.expect(201);
        assert_eq!(plain.call_agent(&agent.id()).await["callForwardNumber"], PHONE);
        let narrow = app.scoped(&["agents:write", "users:read"]).await;
        narrow.agent(&json!({})).await.expect(201);
        narrow.person("bob", &json!({})).await.refused(403, "");
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{ "method": "DELETE", "path": path }],
        });
        let reply = plain.post("/Bulk", &body).await.expect(200);
        assert_eq!(reply.body["Operations"][0]["status"], "403");
    }

    async fn a_bulk_request_makes_agents_and_links_them(app: TestApp) {
        let app = app.center().await;
        let mut operations = vec![json!({
            "method": "POST", "path": "/CallAgents", "bulkId": "a",
            "data": { "schemas": [CALL_AGENT], "displayName": "Made", "agentNumber": "1" },
        })];
        let linked = user("linked", &json!({ ABOUT: { "agentId": "bulkId:a" } }));
        operations.insert(0, json!({ "method": "POST", "path": "/Users", "bulkId": "l", "data": linked }));
        for n in 0..5 {
            let about = json!({ "createAgent": true, "extension": if n < 4 { "auto" } else { "100" } });
            let data = user(&format!("u{n}"), &json!({ ABOUT: about }));
            operations.push(json!({ "method": "POST", "path": "/Users", "bulkId": format!("b{n}"), "data": data }));
        }
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations,
        });
        let reply = app.post("/Bulk", &body).await.expect(200);
        let statuses = texts(&reply.body["Operations"], "/status");
        assert_eq!(statuses, ["201", "201", "201", "201", "201", "201", "409"]);
        let agents = app.get("/CallAgents?sortBy=agentNumber").await;
        assert_eq!(texts(&agents.body["Resources"], "/agentNumber"), ["1", "100", "101", "102", "103"]);
        assert_eq!(texts(&agents.body["Resources"], "/extensionNumber"), ["100", "101", "102", "103"]);
        assert_eq!(texts(&agents.body["Resources"], "/user/display"), ["linked", "u0", "u1", "u2", "u3"]);
    }

    async fn what_a_tenant_hides_is_found_nowhere(app: TestApp) {
        let seen = app.center().await;
        seen.agent(&json!({})).await.expect(201);
        assert_eq!(seen.get("/").await.expect(200).body["totalResults"], 1);
        let ctx = [("discovery.extensions".to_owned(), "none".to_owned())];
        seen.app.set_tenant(&seen.tenant, &ctx).await.unwrap();
        let hidden = seen.scoped(&["scim", "agents:write"]).await;
        hidden.get("/CallAgents").await.refused(404, "");
        assert_eq!(hidden.get("/").await.expect(200).body["totalResults"], 0);
        let search = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"] });
        assert_eq!(hidden.post("/.search", &search).await.expect(200).body["totalResults"], 0);
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{
                "method": "POST", "path": "/CallAgents", "bulkId": "a",
                "data": { "schemas": [CALL_AGENT], "displayName": "x" },
            }],
        });
        let reply = hidden.post("/Bulk", &body).await.expect(200);
        assert_eq!(reply.body["Operations"][0]["status"], "404");
    }

    async fn an_agent_of_another_tenant_is_no_agent(app: TestApp) {
        let (one, other) = (app.center().await, app.center().await);
        let agent = one.agent(&json!({ "agentNumber": "1" })).await.expect(201);
        for text in [agent.id(), "1".to_owned()] {
            other.person("ann", &json!({ "agentId": text })).await.refused(400, "invalidValue");
        }
        other.get(&format!("/CallAgents/{}", agent.id())).await.refused(404, "");
    }
}
