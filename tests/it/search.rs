//! Queries by POST, and queries over all resource types.

use serde_json::{Value, json};

use crate::support::app::{Reply, TestApp};
use crate::support::asks::texts;
use crate::support::each_db;

const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

fn search(more: &Value) -> Value {
    let mut body = json!({ "schemas": [SEARCH] });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

/// Names of what was found: users by userName, groups by displayName.
fn found(reply: &Reply) -> Vec<String> {
    let list = &reply.body["Resources"];
    let mut names = texts(list, "/userName");
    names.extend(list.as_array().unwrap().iter().filter_map(|resource| {
        let is_group = resource["meta"]["resourceType"] == "Group";
        is_group.then(|| resource["displayName"].as_str().unwrap().to_owned())
    }));
    names.sort_unstable();
    names
}

async fn world(app: &TestApp) -> String {
    let ida = app.user_with("ida", &json!({ "displayName": "Sales Ida", "title": "b" })).await.id();
    app.user_with("tom", &json!({ "displayName": "Tom", "title": "a" })).await;
    app.user("ann").await;
    app.group("Sales", &[&ida]).await;
    app.group("Desk", &[]).await;
    ida
}

each_db! {
    /// Proves SCIM-304, SCIM-307, SCIM-308, SCIM-309, SCIM-310.
    async fn a_search_answers_what_the_same_get_answers(app: TestApp) {
        world(&app).await;
        let table = [
            (json!({}), ""),
            (json!({ "filter": "userName eq \"IDA\"" }), "filter=userName eq \"IDA\""),
            (
                json!({ "filter": "title pr", "sortBy": "title", "sortOrder": "descending" }),
                "filter=title pr&sortBy=title&sortOrder=descending",
            ),
            (json!({ "startIndex": 2, "count": 1 }), "startIndex=2&count=1"),
            (json!({ "startIndex": 0, "count": 0 }), "startIndex=0&count=0"),
            (
                json!({ "attributes": ["userName", "name.givenName"] }),
                "attributes=userName,name.givenName",
            ),
            (json!({ "excludedAttributes": ["meta", "title"] }), "excludedAttributes=meta,title"),
            (
                json!({ "FILTER": "active eq true", "Count": 2, "filler": 1 }),
                "filter=active eq true&count=2",
            ),
        ];
        for (body, query) in table {
            let searched = app.post("/Users/.search", &search(&body)).await.expect(200);
            let got = app.get(&format!("/Users?{query}")).await.expect(200);
            assert_eq!(searched.body, got.body, "{query}");
            let everywhere = app.post("/.search", &search(&body)).await.expect(200);
            assert_eq!(everywhere.body, app.get(&format!("?{query}")).await.expect(200).body);
        }
    }

    /// Proves SCIM-306, SCIM-309, SCIM-311.
    async fn a_search_that_is_wrong_is_refused(app: TestApp) {
        let strict = app.tenant_with("scim.strict", "true").await;
        let table = [
            (json!([]), "invalidSyntax"),
            (
                json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"] }),
                "invalidSyntax",
            ),
            (search(&json!({ "filter": 5 })), "invalidValue"),
            (search(&json!({ "filter": "userName is \"x\"" })), "invalidFilter"),
            (search(&json!({ "count": "many" })), "invalidValue"),
            (search(&json!({ "count": 1.5 })), "invalidValue"),
            (search(&json!({ "attributes": "userName" })), "invalidValue"),
            (search(&json!({ "attributes": [5] })), "invalidValue"),
            (search(&json!({ "sortOrder": "up", "sortBy": "userName" })), "invalidValue"),
        ];
        for (body, kind) in table {
            for path in ["/Users/.search", "/.search"] {
                strict.post(path, &body).await.refused(400, kind);
            }
        }
        let path = format!("/Users/{}/.search", app.user("ida").await);
        app.post(&path, &search(&json!({}))).await.refused(404, "");
    }

    /// Proves SCIM-192, SCIM-193, SCIM-194, SCIM-305.
    async fn the_root_finds_resources_of_all_types(app: TestApp) {
        let ida = world(&app).await;
        let table = [
            ("id pr".to_owned(), "Desk Sales ann ida tom"),
            ("displayName sw \"s\"".to_owned(), "Sales ida"),
            ("meta.resourceType eq \"Group\"".to_owned(), "Desk Sales"),
            ("meta.resourceType eq \"User\" and displayName pr".to_owned(), "ida tom"),
            ("userName eq \"tom\"".to_owned(), "tom"),
            ("userName ne \"tom\"".to_owned(), "Desk Sales ann ida"),
            (format!("members.value eq \"{ida}\""), "Sales"),
            ("shoeSize eq 44".to_owned(), ""),
            ("not (shoeSize pr)".to_owned(), "Desk Sales ann ida tom"),
        ];
        for (filter, expected) in table {
            for reply in [
                app.find("", &filter).await.expect(200),
                app.find("/", &filter).await.expect(200),
                app.post("/.search", &search(&json!({ "filter": filter }))).await.expect(200),
            ] {
                assert_eq!(found(&reply).join(" "), expected, "{filter}");
                assert_eq!(reply.body["totalResults"], expected.split_whitespace().count());
            }
        }
    }

    /// Proves SCIM-192, SCIM-268.
    async fn the_pages_of_the_root_go_from_one_type_to_the_next(app: TestApp) {
        world(&app).await;
        let mut met = Vec::new();
        for start in [1, 3, 5, 7] {
            let reply = app.get(&format!("?startIndex={start}&count=2")).await.expect(200);
            assert_eq!(reply.body["totalResults"], 5);
            assert_eq!(
                reply.body["itemsPerPage"],
                reply.body["Resources"].as_array().unwrap().len()
            );
            met.extend(found(&reply));
        }
        met.sort_unstable();
        assert_eq!(met, ["Desk", "Sales", "ann", "ida", "tom"]);
        let lean = app.get("?attributes=displayName,members").await.expect(200).body;
        for resource in lean["Resources"].as_array().unwrap() {
            assert!(resource["id"].is_string() && resource["schemas"].is_array(), "{resource}");
            assert_eq!(resource.get("meta"), None);
        }
        app.get("?sortBy=userName").await.expect(200);
        app.get("?sortBy=displayName&sortOrder=descending").await.expect(200);
    }
}
