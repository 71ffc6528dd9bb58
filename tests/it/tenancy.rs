//! Tenants know nothing of each other.

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::asks::{ENTERPRISE, texts, user};
use crate::support::each_db;

/// Two tenants on one server.
async fn two(app: &TestApp) -> (TestApp, TestApp) {
    (app.tenant_with("scim.strict", "false").await, app.tenant_with("scim.strict", "false").await)
}

/// An answer without what differs from request to request.
fn plain(mut body: Value, id: &str) -> String {
    let detail = body["detail"].as_str().unwrap().replace(id, "ID");
    body["detail"] = detail.split(" (request").next().into();
    body.to_string()
}

each_db! {
    /// Proves SCIM-026, SCIM-473, SCIM-476, SCIM-448.
    async fn the_ids_of_another_tenant_are_like_ids_that_never_were(app: TestApp) {
        let (ours, theirs) = two(&app).await;
        let user_id = theirs.user("ida").await;
        let group_id = theirs.group("Desk", &[&user_id]).await;
        for (endpoint, id) in [("/Users", &user_id), ("/Groups", &group_id)] {
            let path = format!("{endpoint}/{id}");
            let unknown = "01999999-0000-7000-8000-000000000000";
            let nobody = format!("{endpoint}/{unknown}");
            let before = theirs.get(&path).await.expect(200).body;
            let body = json!({ "schemas": before["schemas"], "userName": "x", "displayName": "x" });
            let change = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{ "op": "replace", "path": "displayName", "value": "x" }] });
            for (method, body) in
                [("GET", None), ("PUT", Some(&body)), ("PATCH", Some(&change)), ("DELETE", None)]
            {
                for headers in [&[][..], &[("if-match", "*")], &[("if-none-match", "W/\"1\"")]] {
                    let reply = ours.send(method, &path, headers, body).await;
                    reply.refused(404, "");
                    let other = ours.send(method, &nobody, headers, body).await;
                    assert_eq!(
                        plain(reply.body, id),
                        plain(other.body, unknown),
                        "{method} {path}"
                    );
                }
            }
            assert_eq!(theirs.get(&path).await.expect(200).body, before);
        }
    }

    /// Proves SCIM-064, SCIM-477, SCIM-478, SCIM-480.
    async fn names_and_external_ids_are_unique_in_their_tenant_only(app: TestApp) {
        let (ours, theirs) = two(&app).await;
        let more = json!({ "externalId": "7" });
        let mut ids = Vec::new();
        for tenant in [&ours, &theirs] {
            ids.push(tenant.user_with("ida", &more).await.id());
            tenant.group("Desk", &[]).await;
            tenant.post("/Users", &user("IDA", &json!({}))).await.refused(409, "uniqueness");
        }
        assert_ne!(ids[0], ids[1]);
        for (tenant, id) in [(&ours, &ids[0]), (&theirs, &ids[1])] {
            let found = tenant.find("/Users", "externalId eq \"7\"").await.body;
            assert_eq!(texts(&found["Resources"], "/id"), [id.as_str()]);
        }
        ours.delete(&format!("/Users/{}", ids[0])).await.expect(204);
        theirs.get(&format!("/Users/{}", ids[1])).await.expect(200);
        ours.user("ida").await;
    }

    /// Proves SCIM-026, SCIM-479.
    async fn lists_filters_and_totals_stay_inside(app: TestApp) {
        let (ours, theirs) = two(&app).await;
        let id = theirs.user_with("ida", &json!({ "title": "Lead" })).await.id();
        let group = theirs.group("Desk", &[&id]).await;
        ours.user("tom").await;
        let filters = [
            "title eq \"Lead\"".to_owned(),
            "userName eq \"ida\"".to_owned(),
            format!("id eq \"{id}\""),
            format!("groups eq \"{group}\""),
            "not (userName eq \"tom\")".to_owned(),
        ];
        for filter in filters {
            assert!(ours.found(&filter).await.is_empty(), "{filter}");
            assert_eq!(ours.find("", &filter).await.expect(200).body["totalResults"], 0);
        }
        assert_eq!(ours.get("/Users").await.body["totalResults"], 1);
        assert_eq!(ours.get("/Groups").await.body["totalResults"], 0);
        assert_eq!(theirs.names("/Users").await, ["ida"]);
    }

    /// Proves SCIM-479.
    async fn nobody_of_another_tenant_becomes_a_member_or_a_manager(app: TestApp) {
        let (ours, theirs) = two(&app).await;
        let stranger = theirs.user_with("ida", &json!({ "displayName": "Ida Holm" })).await.id();
        let their_group = theirs.group("Desk", &[&stranger]).await;
        let path = format!("/Groups/{}", ours.group("Ours", &[&stranger, &their_group]).await);
        let value = json!([{ "value": stranger }, { "value": their_group }]);
        for op in ["add", "replace"] {
            let change = json!([{ "op": op, "path": "members", "value": value }]);
            assert_eq!(ours.patch(&path, change).await.expect(200).body["members"], json!([]));
        }
        let manager = json!({ ENTERPRISE: { "manager": { "value": stranger } } });
        let shown = ours.user_with("tom", &manager).await.body;
        assert!(!shown.to_string().contains("Holm"), "{shown}");
        assert_eq!(shown[ENTERPRISE]["manager"].get("displayName"), None);
        let ida = theirs.get(&format!("/Users/{stranger}")).await.body;
        assert_eq!(ida["groups"].as_array().unwrap().len(), 1);
        let found = ours.found(&format!("{ENTERPRISE}:manager.displayName co \"Holm\"")).await;
        assert!(found.is_empty());
    }

    /// Proves SCIM-026.
    async fn a_token_opens_its_own_tenant_from_every_process(app: TestApp) {
        let (ours, theirs) = two(&app).await;
        let path = format!("/Users/{}", ours.user("ida").await);
        ours.second_instance().await.get(&path).await.expect(200);
        theirs.second_instance().await.get(&path).await.refused(404, "");
    }

    /// Proves SCIM-474, SCIM-475.
    async fn the_credential_alone_says_which_tenant_it_is(app: TestApp) {
        let (ours, theirs) = two(&app).await;
        ours.user("ida").await;
        let server = "http://usher.test";
        for path in [
            format!("/scim/v2/{}/Users", theirs.tenant),
            format!("/t/{}/scim/v2/Users", theirs.tenant),
        ] {
            ours.get(&format!("{server}{path}")).await.refused(404, "");
        }
        let headers = [("x-tenant", theirs.tenant.as_str()), ("host", theirs.tenant.as_str())];
        let reply = ours.send("GET", "/Users", &headers, None).await.expect(200);
        assert_eq!(reply.body["totalResults"], 1);
    }
}
