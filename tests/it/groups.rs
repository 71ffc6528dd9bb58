//! Groups, their members, groups in groups, and what their users see of it.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{BASE, TestApp};
use crate::support::asks::{group, texts, user};
use crate::support::each_db;

/// The names of a user's groups with their kind, in alphabetical order.
async fn groups_of(app: &TestApp, user: &str) -> Vec<String> {
    let groups = app.get(&format!("/Users/{user}")).await.expect(200).body["groups"].clone();
    let label = |group: &Value| {
        format!("{} {}", group["display"].as_str().unwrap(), group["type"].as_str().unwrap())
    };
    let mut labels: Vec<_> = groups.as_array().into_iter().flatten().map(label).collect();
    labels.sort_unstable();
    labels
}

async fn members_of(app: &TestApp, group: &str) -> Vec<String> {
    let reply = app.get(&format!("/Groups/{group}")).await.expect(200);
    texts(&reply.body["members"], "/value")
}

fn add(members: &[&str]) -> Value {
    let members: Vec<_> = members.iter().map(|id| json!({ "value": id })).collect();
    json!([{ "op": "add", "path": "members", "value": members }])
}

each_db! {
    /// Proves SCIM-375, SCIM-376.
    async fn a_list_of_members_to_remove_never_empties_the_group_by_mistake(app: TestApp) {
        let (ada, bob) = (app.user("ada").await, app.user("bob").await);
        let group = app.group("desk", &[&ada, &bob]).await;
        let path = format!("/Groups/{group}");
        let remove = |value: Value| json!([{ "op": "Remove", "path": "members", "value": value }]);
        let left = async || {
            let members = app.get(&path).await.expect(200).body["members"].clone();
            members.as_array().unwrap().len()
        };
        for nothing in [json!([]), json!([null]), json!([{ "value": "nobody" }])] {
            app.patch(&path, remove(nothing)).await.expect(200);
            assert_eq!(left().await, 2);
        }
        for unreadable in [json!([true]), json!(5), json!([[ada]]), json!([{ "value": ada }, false])] {
            app.patch(&path, remove(unreadable)).await.refused(400, "invalidValue");
            assert_eq!(left().await, 2);
        }
        app.patch(&path, remove(json!([{ "value": ada }, null]))).await.expect(200);
        assert_eq!(left().await, 1);
        app.patch(&path, remove(Value::Null)).await.expect(200);
        assert_eq!(left().await, 0);
    }

    /// Proves SCIM-126, SCIM-132, SCIM-173.
    async fn a_group_needs_a_name_and_no_members(app: TestApp) {
        for body in [json!({}), json!({ "displayName": "" }), json!({ "displayName": null })] {
            let body = group("x", &body);
            let body = if body["displayName"] == "x" {
                json!({ "schemas": body["schemas"] })
            } else {
                body
            };
            let detail = app.post("/Groups", &body).await.refused(400, "invalidValue");
            assert!(detail.contains("displayName"), "{detail}");
        }
        for (name, more) in [("a", json!({})), ("b", json!({ "members": [] }))] {
            let reply = app.post("/Groups", &group(name, &more)).await.expect(201);
            assert_eq!(reply.body["meta"]["resourceType"], "Group");
            assert_eq!(reply.body["members"], json!([]));
        }
    }

    /// Proves SCIM-127, SCIM-321, SCIM-458.
    async fn the_name_of_a_group_is_taken_in_any_case(app: TestApp) {
        app.group("Night Desk", &[]).await;
        let other = format!("/Groups/{}", app.group("Day desk", &[]).await);
        let taken = group("NIGHT desk", &json!({}));
        let detail = app.post("/Groups", &taken).await.refused(409, "uniqueness");
        assert_eq!(detail, "Group with displayName 'NIGHT desk' already exists.");
        app.put(&other, &taken).await.refused(409, "uniqueness");
        let rename = json!([{ "op": "replace", "path": "displayName", "value": "night desk" }]);
        app.patch(&other, rename).await.refused(409, "uniqueness");
        let strict = app.tenant_with("scim.strict", "true").await;
        for _ in 0..2 {
            strict.post("/Groups", &group("Night desk", &json!({}))).await.expect(201);
        }
    }

    /// Proves SCIM-044, SCIM-128, SCIM-131.
    async fn members_are_shown_with_links_that_lead_to_them(app: TestApp) {
        let ida = app.user("ida").await;
        let inner = app.group("Inner", &[]).await;
        let body = group(
            "Outer",
            &json!({ "members": [
            { "value": ida, "display": "whoever", "type": "User", "$ref": null },
            { "value": inner, "$ref": format!("{BASE}/Groups/{inner}"), "type": "Group" },
        ] }),
        );
        let id = app.post("/Groups", &body).await.expect(201).id();
        let shown = app.get(&format!("/Groups/{id}")).await.body["members"].clone();
        assert_eq!(shown.as_array().unwrap().len(), 2);
        for member in shown.as_array().unwrap() {
            assert_eq!(member.get("display"), None, "shown only when asked for");
            let found = app.get(member["$ref"].as_str().unwrap()).await.expect(200);
            assert_eq!(member["value"], found.id());
            assert_eq!(member["type"], found.body["meta"]["resourceType"]);
        }
        let asked = app.get(&format!("/Groups/{id}?attributes=members.display")).await.body;
        let mut labels = texts(&asked["members"], "/display");
        labels.sort_unstable();
        assert_eq!(labels, ["Inner", "ida"]);
    }

    /// Proves SCIM-121, SCIM-130.
    async fn a_user_belongs_to_the_groups_around_its_groups(app: TestApp) {
        let (ida, tom) = (app.user("ida").await, app.user("tom").await);
        let inner = app.group("Inner", &[&ida]).await;
        let middle = app.group("Middle", &[&inner]).await;
        let outer = app.group("Outer", &[&middle, &tom]).await;
        assert_eq!(
            groups_of(&app, &ida).await,
            ["Inner direct", "Middle indirect", "Outer indirect"]
        );
        assert_eq!(groups_of(&app, &tom).await, ["Outer direct"]);
        // Both ways at once: the direct one counts.
        app.patch(&format!("/Groups/{outer}"), add(&[&ida])).await.expect(200);
        assert_eq!(
            groups_of(&app, &ida).await,
            ["Inner direct", "Middle indirect", "Outer direct"]
        );
        let shown = app.get(&format!("/Users/{ida}")).await.body["groups"].clone();
        for group in shown.as_array().unwrap() {
            let found = app.get(group["$ref"].as_str().unwrap()).await.expect(200);
            assert_eq!(found.body["displayName"], group["display"]);
        }
        app.delete(&format!("/Groups/{middle}")).await.expect(204);
        assert_eq!(groups_of(&app, &ida).await, ["Inner direct", "Outer direct"]);
        assert_eq!(members_of(&app, &outer).await.len(), 2);
        let rename = json!([{ "op": "replace", "path": "displayName", "value": "Desk" }]);
        app.patch(&format!("/Groups/{inner}"), rename).await.expect(200);
        assert_eq!(groups_of(&app, &ida).await, ["Desk direct", "Outer direct"]);
    }

    /// Proves SCIM-130.
    async fn no_group_contains_itself_by_any_way(app: TestApp) {
        let a = app.group("A", &[]).await;
        let b = app.group("B", &[&a]).await;
        let c = app.group("C", &[&b]).await;
        let path = format!("/Groups/{a}");
        let before = app.version(&path).await;
        for member in [&a, &b, &c] {
            app.patch(&path, add(&[member])).await.refused(400, "invalidValue");
            let body = group("A", &json!({ "members": [{ "value": member }] }));
            app.put(&path, &body).await.refused(400, "invalidValue");
        }
        assert_eq!(app.version(&path).await, before);
        assert!(members_of(&app, &a).await.is_empty());
        // Out of the way, the same is fine.
        let remove = json!([{ "op": "remove", "path": "members" }]);
        app.patch(&format!("/Groups/{b}"), remove).await.expect(200);
        app.patch(&path, add(&[&c])).await.expect(200);
    }

    /// Proves SCIM-134.
    async fn deleting_a_user_changes_its_groups(app: TestApp) {
        let (ida, tom) = (app.user("ida").await, app.user("tom").await);
        let desk = app.group("Desk", &[&ida, &tom]).await;
        let other = app.group("Other", &[&tom]).await;
        let (desk_path, other_path) = (format!("/Groups/{desk}"), format!("/Groups/{other}"));
        let before = app.get(&desk_path).await.expect(200);
        let untouched = app.version(&other_path).await;
        app.delete(&format!("/Users/{ida}")).await.expect(204);
        let after = app.get(&desk_path).await.expect(200);
        assert_eq!(texts(&after.body["members"], "/value"), [tom]);
        assert_ne!(after.header("etag"), before.header("etag"));
        assert!(
            after.body["meta"]["lastModified"].as_str()
                > before.body["meta"]["lastModified"].as_str()
        );
        assert_eq!(app.version(&other_path).await, untouched);
    }

    /// Proves SCIM-134.
    async fn deleting_a_nested_group_changes_the_group_around_it(app: TestApp) {
        let inner = app.group("Inner", &[]).await;
        let outer = app.group("Outer", &[&inner]).await;
        let path = format!("/Groups/{outer}");
        let before = app.version(&path).await;
        app.delete(&format!("/Groups/{inner}")).await.expect(204);
        assert!(members_of(&app, &outer).await.is_empty());
        assert_ne!(app.version(&path).await, before);
    }

    /// Proves SCIM-123, SCIM-129.
    async fn memberships_change_through_the_group_alone(app: TestApp) {
        let (ida, tom) = (app.user("ida").await, app.user("tom").await);
        let desk = app.group("Desk", &[&ida]).await;
        let groups = json!([{ "op": "add", "path": "groups", "value": [{ "value": desk }] }]);
        app.patch(&format!("/Users/{tom}"), groups).await.refused(400, "mutability");
        let echoed = user("tom", &json!({ "groups": [{ "value": desk }] }));
        app.put(&format!("/Users/{tom}"), &echoed).await.expect(200);
        assert!(groups_of(&app, &tom).await.is_empty());
        let path = format!("members[value eq \"{ida}\"].value");
        let change = json!([{ "op": "replace", "path": path, "value": tom }]);
        app.patch(&format!("/Groups/{desk}"), change).await.refused(400, "mutability");
        assert_eq!(members_of(&app, &desk).await, [ida]);
    }

    /// Proves SCIM-045.
    async fn members_that_are_nobody_are_left_out_or_refused_as_the_tenant_says(app: TestApp) {
        let stranger = app.tenant_with("scim.strict", "false").await.user("stranger").await;
        let unknown = "01999999-0000-7000-8000-000000000000";
        for (setting, status) in [("ignore", 201), ("reject", 400)] {
            let tenant = app.tenant_with("groups.unknownMembers", setting).await;
            let ida = tenant.user("ida").await;
            for id in [&stranger, unknown, "no id at all"] {
                let body = group(id, &json!({ "members": [{ "value": ida }, { "value": id }] }));
                let reply = tenant.post("/Groups", &body).await.expect(status);
                if status == 400 {
                    reply.refused(400, "invalidValue");
                } else {
                    assert_eq!(texts(&reply.body["members"], "/value"), [ida.as_str()]);
                }
            }
            let total = tenant.get("/Groups?count=0").await.body["totalResults"].clone();
            assert_eq!(total, if status == 400 { 0 } else { 3 });
        }
    }

    /// Proves SCIM-353, SCIM-303.
    async fn a_group_of_many_members_answers_a_change_without_them(app: TestApp) {
        let mut members = Vec::new();
        for number in 0..101 {
            members.push(app.user(&format!("user{number}")).await);
        }
        let hundred: Vec<&str> = members[..100].iter().map(String::as_str).collect();
        let path = format!("/Groups/{}", app.group("Big", &hundred).await);
        let again = app.patch(&path, add(&hundred[..1])).await.expect(200);
        assert_eq!(again.body["members"].as_array().unwrap().len(), 100);
        let reply = app.patch(&path, add(&[&members[100]])).await.expect(204);
        assert!(reply.body.is_null());
        assert_eq!(reply.header("etag"), app.version(&path).await);
        assert_eq!(reply.header("location"), format!("{BASE}{path}"));
        let rename = json!([{ "op": "replace", "path": "displayName", "value": "Bigger" }]);
        let lean = format!("{path}?excludedAttributes=members");
        assert_eq!(app.patch(&lean, rename.clone()).await.expect(200).body.get("members"), None);
        let asked =
            app.patch(&format!("{path}?attributes=members"), rename.clone()).await.expect(200);
        assert_eq!(asked.body["members"].as_array().unwrap().len(), 101);
        let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": rename });
        let prefer = [("prefer", "return=representation")];
        let preferred = app.send("PATCH", &path, &prefer, Some(&body)).await.expect(200);
        assert_eq!(preferred.header("preference-applied"), "return=representation");
        let list = app.get("/Groups?excludedAttributes=members").await.expect(200).body;
        assert_eq!(list["Resources"][0].get("members"), None);
        let mut removals = Vec::new();
        for id in &members[..60] {
            let path = format!("members[value eq \"{id}\"]");
            removals.push(json!({ "op": "remove", "path": path }));
        }
        app.patch(&path, removals.into()).await.expect(200);
        assert_eq!(app.get(&path).await.body["members"].as_array().unwrap().len(), 41);
    }

    /// Proves SCIM-354.
    async fn members_added_at_once_are_all_there(app: TestApp) {
        let path = format!("/Groups/{}", app.group("Desk", &[]).await);
        let mut changes = Vec::new();
        for number in 0..20 {
            let id = app.user(&format!("user{number}")).await;
            let (app, path) = (app.clone(), path.clone());
            changes.push(async move { app.patch(&path, add(&[&id])).await.status });
        }
        assert_eq!(join_all(changes).await, [200; 20]);
        assert_eq!(app.get(&path).await.body["members"].as_array().unwrap().len(), 20);
    }
}
