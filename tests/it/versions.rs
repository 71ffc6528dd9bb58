//! Versions of resources (`ETag`, conditions) and of the protocol (`/scim`, `/scim/v2`).

use serde_json::json;

use crate::support::app::TestApp;
use crate::support::asks::user;
use crate::support::each_db;

each_db! {
    /// Proves SCIM-440, SCIM-441, SCIM-442, SCIM-452.
    async fn every_write_that_changes_something_makes_a_new_version(app: TestApp) {
        let created = app.user_with("ida", &json!({})).await;
        let path = format!("/Users/{}", created.id());
        let mut seen = vec![created.header("etag").to_owned()];
        for title in ["A", "B", "A"] {
            let change = json!([{ "op": "replace", "path": "title", "value": title }]);
            let reply = app.patch(&path, change).await.expect(200);
            seen.push(reply.header("etag").to_owned());
            assert_eq!(app.second_instance().await.version(&path).await, reply.header("etag"));
        }
        let reply = app.put(&path, &user("ida", &json!({}))).await.expect(200);
        seen.push(reply.header("etag").to_owned());
        assert_eq!(seen, ["W/\"1\"", "W/\"2\"", "W/\"3\"", "W/\"4\"", "W/\"5\""]);
    }

    /// Proves SCIM-452.
    async fn membership_changes_the_version_of_the_group_alone(app: TestApp) {
        let id = app.user("ida").await;
        let group = format!("/Groups/{}", app.group("Desk", &[]).await);
        let user = format!("/Users/{id}");
        let before = (app.version(&group).await, app.version(&user).await);
        let add = json!([{ "op": "add", "path": "members", "value": [{ "value": id }] }]);
        app.patch(&group, add).await.expect(200);
        let after = (app.version(&group).await, app.version(&user).await);
        assert_ne!(after.0, before.0);
        assert_eq!(after.1, before.1);
    }

    /// Proves SCIM-443, SCIM-444.
    async fn a_client_that_has_the_version_gets_304(app: TestApp) {
        let path = format!("/Users/{}", app.user("ida").await);
        let version = app.version(&path).await;
        let table = [
            (version.clone(), 304),
            ("\"1\"".to_owned(), 304),
            (format!("\"x\", {version}"), 304),
            ("*".to_owned(), 304),
            ("W/\"9\"".to_owned(), 200),
        ];
        for (condition, status) in table {
            for method in ["GET", "HEAD"] {
                let headers = [("if-none-match", condition.as_str())];
                let reply = app.send(method, &path, &headers, None).await.expect(status);
                assert_eq!(reply.header("etag"), version, "{condition}");
                assert_eq!(reply.body.is_null(), status == 304 || method == "HEAD");
            }
        }
    }

    /// Proves SCIM-399, SCIM-445, SCIM-446, SCIM-447, SCIM-448, SCIM-449, SCIM-450.
    async fn a_delete_heeds_if_match(app: TestApp) {
        let path = format!("/Users/{}", app.user("ida").await);
        let other = app.tenant_with("scim.strict", "false").await;
        app.send("DELETE", &path, &[("if-match", "W/\"9\"")], None).await.refused(412, "");
        app.get(&path).await.expect(200);
        let nobody = [("if-match", "*")];
        app.send("DELETE", "/Users/nobody", &nobody, None).await.refused(404, "");
        other.send("DELETE", &path, &[("if-match", "W/\"9\"")], None).await.refused(404, "");
        let wrong = [("if-match", "W/\"9\""), ("authorization", "Bearer wrong")];
        app.send("DELETE", &path, &wrong, None).await.refused(401, "");
        app.send("DELETE", &path, &[("if-match", "W/\"1\"")], None).await.expect(204);
        let path = format!("/Users/{}", app.user("tom").await);
        app.send("DELETE", &path, &nobody, None).await.expect(204);
    }

    /// Proves SCIM-453.
    async fn writes_need_no_condition(app: TestApp) {
        let path = format!("/Users/{}", app.user("ida").await);
        app.put(&path, &user("ida", &json!({ "title": "x" }))).await.expect(200);
        app.delete(&path).await.expect(204);
    }

    /// Proves SCIM-001, SCIM-002, SCIM-003.
    async fn only_this_version_is_served_also_without_its_number(app: TestApp) {
        let id = app.user("ida").await;
        let server = "http://usher.test";
        let own = app.get(&format!("/Users/{id}")).await.expect(200).body;
        let unversioned = app.get(&format!("{server}/scim/Users/{id}")).await.expect(200);
        assert_eq!(unversioned.body, own);
        app.get(&format!("{server}/scim/ServiceProviderConfig")).await.expect(200);
        for version in ["v1", "v3", "v2.1", "V1.1"] {
            let path = format!("{server}/scim/{version}/Users");
            app.get(&path).await.refused(400, "invalidVers");
            app.post(&path, &user("new", &json!({}))).await.refused(400, "invalidVers");
        }
        for path in ["/Users", "/", "/v2/Users", "/scim/v2/v2/Users", "/scim/vx/Users"] {
            app.get(&format!("{server}{path}")).await.refused(404, "");
        }
        assert_eq!(app.get("/Users").await.body["totalResults"], 1);
    }
}
