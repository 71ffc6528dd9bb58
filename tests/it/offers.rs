//! `/SeatPools`, `/Roles`, `/Entitlements` and what Okta calls licenses: made when they are asked for.

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::asks::texts;
use crate::support::each_db;

const POOL: &str = "urn:ietf:params:scim:schemas:usher:2.0:SeatPool";
const ROLE: &str = "urn:ietf:params:scim:schemas:core:2.0:Role";
const ENTITLEMENT: &str = "urn:ietf:params:scim:schemas:core:2.0:Entitlement";

async fn tenant(app: &TestApp) -> TestApp {
    let app = app.licensed(25).await;
    app.pool("agents", |pool| {
        pool.display_name = Some("Call agents".to_owned());
        pool.total = Some(2);
        pool.roles = vec!["agent".to_owned()];
    })
    .await;
    for (name, role) in [("a", "agent"), ("b", "agent"), ("c", "tech"), ("d", "standard")] {
        app.user_with(name, &json!({ "roles": [role] })).await;
    }
    app
}

async fn values(app: &TestApp, path: &str) -> Vec<String> {
    texts(&app.get(path).await.expect(200).body["Resources"], "/value")
}

each_db! {
    async fn pools_and_entitlements_show_the_same_numbers(app: TestApp) {
        let app = tenant(&app).await;
        let pools = app.get("/SeatPools").await.expect(200).body;
        let licenses = app.get("/Entitlements").await.expect(200).body;
        assert_eq!(pools["totalResults"], 2);
        let numbers = |list: &Value, total: &str, used: &str| -> Vec<Value> {
            let all = list["Resources"].as_array().unwrap().iter();
            all.map(|one| json!([one["value"], one[total], one[used]])).collect()
        };
        assert_eq!(
            numbers(&pools, "total", "used"),
            numbers(&licenses, "totalAssignmentsPermitted", "totalAssignmentsUsed")
        );
        let full = app.get("/SeatPools/pool-agents").await.expect(200);
        assert_eq!(full.body["state"], "full");
        assert_eq!((&full.body["used"], &full.body["available"]), (&json!(2), &json!(0)));
        assert_eq!(full.body["schemas"], json!([POOL]));
        assert_eq!(full.body["meta"]["location"], "http://usher.test/scim/v2/SeatPools/pool-agents");
        // What a user's seat says leads to its pool.
        let users = app.get("/Users?filter=userName+eq+%22a%22").await.expect(200).body;
        let seat = &users["Resources"][0][crate::support::asks::SEAT];
        let link = seat["pool"]["$ref"].as_str().unwrap().replace("..", "");
        assert_eq!(app.get(&link).await.expect(200).body["value"], "agents");
        app.get("/SeatPools/pool-nothing").await.refused(404, "");
    }

    async fn roles_say_who_may_give_them_and_how_many_have_them(app: TestApp) {
        let app = tenant(&app).await;
        let agent = app.get("/Roles/role-agent").await.expect(200).body;
        assert_eq!(agent["schemas"], json!([ROLE]));
        assert_eq!((&agent["display"], &agent["totalAssignmentsUsed"]), (&json!("Call Agent"), &json!(2)));
        assert_eq!((&agent["supported"], &agent["type"]), (&json!(true), &json!("system")));
        assert_eq!(
            values(&app, "/Roles?filter=supported eq false&sortBy=value").await,
            ["account_admin", "whitelabel"]
        );
    }

    async fn they_are_filtered_sorted_paged_and_projected_like_everything_else(app: TestApp) {
        let app = tenant(&app).await;
        assert_eq!(values(&app, "/SeatPools?filter=used gt 1 and state eq \"FULL\"").await, ["agents"]);
        assert_eq!(values(&app, "/SeatPools?sortBy=value").await, ["agents", "default"]);
        assert_eq!(
            values(&app, "/SeatPools?sortBy=total&sortOrder=descending&count=1").await,
            ["default"]
        );
        assert_eq!(values(&app, "/SeatPools?startIndex=2&count=5").await.len(), 1);
        assert_eq!(values(&app, "/SeatPools?cursor&count=1").await.len(), 1);
        app.get("/SeatPools?cursor=nothing").await.refused(400, "invalidCursor");
        app.get("/SeatPools?filter=colour eq \"x\"").await.refused(400, "invalidFilter");
        let shown = app.get("/SeatPools?attributes=value").await.expect(200).body;
        let first = shown["Resources"][0].as_object().unwrap();
        assert_eq!(first.keys().collect::<Vec<_>>(), ["schemas", "id", "value"]);
        let search = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "filter": format!("id eq \"{}\"", "license-agents"),
        });
        let found = app.post("/Entitlements/.search", &search).await.expect(200).body;
        assert_eq!(found["totalResults"], 1);
        assert_eq!(found["Resources"][0]["schemas"], json!([ENTITLEMENT]));
        let etag = app.get("/SeatPools/pool-agents").await.header("etag").to_owned();
        let path = "/SeatPools/pool-agents";
        app.send("GET", path, &[("if-none-match", &etag)], None).await.expect(304);
        let filter = "/Users?filter=userName+eq+%22a%22";
        let user = app.get(filter).await.body["Resources"][0]["id"].as_str().unwrap().to_owned();
        app.delete(&format!("/Users/{user}")).await.expect(204);
        app.send("GET", path, &[("if-none-match", &etag)], None).await.expect(200);
    }

    async fn nobody_writes_them_through_scim(app: TestApp) {
        let app = tenant(&app).await.scoped(&["admin"]).await;
        let body = json!({ "schemas": [POOL], "value": "gold" });
        for (method, path) in [
            ("POST", "/SeatPools"), ("PUT", "/SeatPools/pool-agents"),
            ("PATCH", "/SeatPools/pool-agents"), ("DELETE", "/SeatPools/pool-agents"),
            ("POST", "/Roles"), ("DELETE", "/Roles/role-agent"),
        ] {
            app.send(method, path, &[], Some(&body)).await.refused(405, "");
        }
        let bulk = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{ "method": "DELETE", "path": "/SeatPools/pool-agents" }],
        });
        let reply = app.post("/Bulk", &bulk).await.expect(200).body;
        assert_eq!(reply["Operations"][0]["status"], "404");
        assert_eq!(values(&app, "/SeatPools").await.len(), 2);
    }

    async fn the_numbers_of_seats_are_for_those_who_may_read_them(app: TestApp) {
        let app = tenant(&app).await.scoped(&["users:read"]).await;
        app.get("/SeatPools").await.refused(403, "");
        app.get("/Entitlements/license-agents").await.refused(403, "");
        app.get("/Roles").await.expect(200);
    }

    async fn okta_finds_roles_and_licenses_under_its_own_names(app: TestApp) {
        let okta = app.tenant(&[
            ("discovery.extensions".to_owned(), "all".to_owned()),
            ("discovery.flavor".to_owned(), "okta".to_owned()),
        ].into()).await;
        let types = okta.get("/ResourceTypes").await.expect(200).body;
        let of = |name: &str| {
            let all = types["Resources"].as_array().unwrap().iter();
            all.clone().find(|kind| kind["name"] == name).cloned()
        };
        assert_eq!(of("Role").unwrap()["schema"], "urn:okta:scim:schemas:core:1.0:Role");
        let license = of("License").unwrap();
        assert_eq!(license["schema"], "urn:okta:scim:schemas:core:1.0:Entitlement");
        assert_eq!((&license["endpoint"], of("Entitlement")), (&json!("/Licenses"), None));
        for (endpoint, urn) in [
            ("/Roles", "urn:okta:scim:schemas:core:1.0:Role"),
            ("/Licenses", "urn:okta:scim:schemas:core:1.0:Entitlement"),
        ] {
            let list = okta.get(endpoint).await.expect(200).body;
            let first = &list["Resources"][0];
            assert_eq!(first["schemas"], json!([urn]));
            assert!(first["displayName"].is_string() && first["id"].is_string(), "{first}");
            assert_eq!(okta.get(&format!("/Schemas/{urn}")).await.expect(200).body["id"], urn);
        }
        okta.get("/Entitlements").await.refused(404, "");
        let ietf = app.tenant_with("discovery.extensions", "all").await;
        ietf.get("/Licenses").await.refused(404, "");
        app.get("/Roles").await.refused(404, "");
    }

    async fn every_urn_of_an_answer_is_declared(app: TestApp) {
        let app = tenant(&app).await;
        let declared = app.get("/Schemas").await.expect(200).body;
        let declared = texts(&declared["Resources"], "/id");
        for path in ["/Users", "/Groups", "/Accounts", "/SeatPools", "/Roles", "/Entitlements"] {
            let list = app.get(path).await.expect(200).body;
            for resource in list["Resources"].as_array().unwrap() {
                for urn in resource["schemas"].as_array().unwrap() {
                    assert!(declared.iter().any(|known| urn == known), "{path} {urn}");
                }
            }
        }
        let types = app.get("/ResourceTypes").await.expect(200).body;
        for urn in texts(&types["Resources"], "/schema") {
            assert!(declared.contains(&urn), "{urn}");
        }
    }

    async fn schemas_list_the_values_that_clients_of_the_tenant_may_write(app: TestApp) {
        let app = tenant(&app).await;
        let user = app.get("/Schemas/urn:ietf:params:scim:schemas:core:2.0:User").await.expect(200);
        let roles = user.body["attributes"].as_array().unwrap().iter()
            .find(|attribute| attribute["name"] == "roles").unwrap();
        let value = roles["subAttributes"].as_array().unwrap().iter()
            .find(|sub| sub["name"] == "value").unwrap();
        assert_eq!(
            value["canonicalValues"],
            json!(["tech", "supervisor", "agent", "conference", "standard"])
        );
        let seat = app.get(&format!("/Schemas/{}", crate::support::asks::SEAT)).await.expect(200);
        assert_eq!(
            seat.body["attributes"][0]["canonicalValues"],
            json!(["default", "agents", "none"])
        );
    }
}
