//! Queries at the root: all resource types in one answer.

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::each_db;

fn names(list: &Value) -> Vec<String> {
    let shown = list["Resources"].as_array().unwrap().iter();
    shown.map(|found| found["displayName"].as_str().unwrap_or("-").to_owned()).collect()
}

async fn people_and_groups(app: &TestApp) {
    for (user, name) in [("u1", Some("delta")), ("u2", Some("Bravo")), ("u3", None)] {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": user, "displayName": name,
        });
        app.post("/Users", &body).await.expect(201);
    }
    app.group("charlie", &[]).await;
    app.group("Alpha", &[]).await;
}

each_db! {
    /// Proves SCIM-192, SCIM-249, SCIM-253.
    async fn the_root_is_sorted_over_all_types(app: TestApp) {
        people_and_groups(&app).await;
        let up = app.get("/?sortBy=displayName").await.expect(200).body;
        assert_eq!(names(&up), ["Alpha", "Bravo", "charlie", "delta", "-"]);
        assert_eq!(up["totalResults"], 5);
        let down = app.get("/?sortBy=displayName&sortOrder=descending").await.expect(200).body;
        assert_eq!(names(&down), ["-", "delta", "charlie", "Bravo", "Alpha"]);
        let page = app.get("/?sortBy=displayName&startIndex=2&count=2").await.expect(200).body;
        assert_eq!(names(&page), ["Bravo", "charlie"]);
        assert_eq!(page["totalResults"], 5);
        let found = app.get("/?sortBy=displayName&filter=displayName sw \"c\" or userName pr").await;
        assert_eq!(names(&found.expect(200).body), ["Bravo", "charlie", "delta", "-"]);
    }

    /// Proves SCIM-222, SCIM-254.
    async fn the_root_is_sorted_by_time_and_by_what_one_type_lacks(app: TestApp) {
        people_and_groups(&app).await;
        let latest = app.get("/?sortBy=meta.created&sortOrder=descending").await.expect(200).body;
        assert_eq!(names(&latest), ["Alpha", "charlie", "-", "Bravo", "delta"]);
        let users = app.get("/?sortBy=userName&attributes=userName").await.expect(200).body;
        let users: Vec<_> = users["Resources"].as_array().unwrap().iter().map(|found| &found["userName"]).collect();
        assert_eq!(users[..3], [&json!("u1"), &json!("u2"), &json!("u3")]);
        assert_eq!(users.len(), 5);
        app.get("/?sortBy=active").await.expect(200);
    }

    /// Proves SCIM-251, SCIM-256.
    async fn the_root_is_not_sorted_by_what_no_type_has(app: TestApp) {
        for name in ["nothing", "name", "password"] {
            app.get(&format!("/?sortBy={name}")).await.refused(400, "invalidValue");
        }
    }
}
