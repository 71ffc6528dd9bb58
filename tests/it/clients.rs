//! Rows of the matrix of clients that the standard allows and no recorded conversation shows, and
//! the list of what proves each row.

use std::path::Path;

use serde_json::json;
use usher::scim::quirks::QUIRKS;

use crate::support::app::TestApp;
use crate::support::asks::{ENTERPRISE, GROUP, USER, texts, user};
use crate::support::each_db;

/// What proves a row: a conversation below `tests/idp`, or a test here.
const PROOFS: &[(u8, &str)] = &[
    (5, "entra/28-members-with-null-references.json"),
    (16, "entra/30-nulls-and-same-types.json"),
    (19, "an_extension_may_be_listed_without_data"),
    (22, "the_core_urn_may_stand_before_any_name"),
    (23, "okta/04-group-push.json"),
    (24, "keycloak/03-foreign-groups.json"),
    (26, "entra/30-nulls-and-same-types.json"),
    (29, "entra/17-a-flag-in-every-url.json"),
    (30, "onelogin/03-tails-of-urls.json"),
    (31, "onelogin/03-tails-of-urls.json"),
    (37, "okta/05-import-in-pages.json"),
    (39, "both_types_of_json_are_taken_on_every_method"),
    (40, "a_client_without_a_name_is_answered"),
    (43, "gitlab/02-an-operation-that-is-none.json"),
    (44, "what_is_there_already_is_not_added_again"),
    (45, "a_password_in_every_update_is_taken_and_never_shown"),
    (46, "okta/06-unknown-ids-and-tokens.json"),
    (47, "entra/27-members-left-out.json"),
    (49, "rauthy/04-groups-by-value.json"),
    (51, "cyberark/01-what-it-requires.json"),
    (52, "authentik/05-what-the-server-can-do.json"),
    (53, "keycloak/02-versions.json"),
    // Whether the seat is free again at once is proved with the seats.
    (54, "jumpcloud/01-activation.json"),
    (55, "ping/02-disabled-from-the-start.json"),
    (56, "a_put_answers_200_with_the_whole_resource"),
];

/// Waits for the limit of requests; and how long an answer takes is measured, not tested.
const LATER: &[u8] = &[57, 58];

#[test]
fn every_row_of_the_matrix_has_its_proof() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let here = std::fs::read_to_string(root.join("it/clients.rs")).unwrap();
    for row in 1..=58 {
        let quirk = QUIRKS.iter().any(|quirk| quirk.number == row);
        let proof = PROOFS.iter().find(|(number, _)| *number == row).map(|(_, proof)| *proof);
        let proved = match proof {
            Some(file) if file.contains('/') => root.join("idp").join(file).exists(),
            Some(test) => here.contains(&format!("fn {test}(")),
            // `idp` proves that each quirk has a conversation.
            None => quirk || LATER.contains(&row),
        };
        assert!(proved, "row {row}: {proof:?}");
    }
}

each_db! {
    async fn an_extension_may_be_listed_without_data(app: TestApp) {
        let body = user("ida", &json!({ "schemas": [USER, ENTERPRISE] }));
        let reply = app.post("/Users", &body).await.expect(201);
        assert_eq!(reply.body["schemas"], json!([USER]));
        let path = format!("/Users/{}", reply.id());
        assert_eq!(app.put(&path, &body).await.expect(200).header("etag"), reply.header("etag"));
        let strict = app.tenant_with("scim.strict", "true").await;
        strict.post("/Users", &body).await.expect(201);
    }

    async fn the_core_urn_may_stand_before_any_name(app: TestApp) {
        let reply = app
            .user_with("ida", &json!({ "emails": [{ "value": "i@x.y", "type": "work" }] }))
            .await;
        let path = format!("/Users/{}", reply.id());
        let change = json!([
            { "op": "replace", "path": format!("{USER}:title"), "value": "Lead" },
            { "op": "add", "path": format!("{USER}:name.givenName"), "value": "Ida" },
            {
                "op": "replace", "path": format!("{USER}:emails[type eq \"work\"].value"),
                "value": "j@x.y"
            },
            { "op": "replace", "value": { format!("{USER}:nickName"): "Idi" } },
        ]);
        let shown = app.patch(&path, change).await.expect(200).body;
        assert_eq!((&shown["title"], &shown["nickName"]), (&json!("Lead"), &json!("Idi")));
        assert_eq!(shown["name"], json!({ "givenName": "Ida" }));
        assert_eq!(shown["emails"], json!([{ "value": "j@x.y", "type": "work" }]));
        assert_eq!(app.found(&format!("{USER}:name.givenName eq \"ida\"")).await, ["ida"]);
        assert_eq!(app.found(&format!("{USER}:emails[value eq \"j@x.y\"]")).await, ["ida"]);
        let group = format!("/Groups/{}", app.group("Desk", &[]).await);
        let members = format!("{GROUP}:members");
        let change = json!([{ "op": "add", "path": members, "value": [{ "value": reply.id() }] }]);
        app.patch(&group, change).await.expect(200);
        let found =
            app.find("/Groups", &format!("{GROUP}:members.value eq \"{}\"", reply.id())).await;
        assert_eq!(found.body["totalResults"], 1);
    }

    async fn both_types_of_json_are_taken_on_every_method(app: TestApp) {
        let kinds = [
            "application/json",
            "application/json; charset=UTF-8",
            "application/scim+json;charset=utf-8",
        ];
        for kind in kinds {
            let headers = [("content-type", kind)];
            let body = user(kind, &json!({}));
            let path = format!(
                "/Users/{}",
                app.send("POST", "/Users", &headers, Some(&body)).await.expect(201).id()
            );
            app.send("PUT", &path, &headers, Some(&body)).await.expect(200);
            let change = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{ "op": "replace", "path": "title", "value": "x" }],
            });
            app.send("PATCH", &path, &headers, Some(&change)).await.expect(200);
            // A type without a body, too.
            app.send("GET", &path, &headers, None).await.expect(200);
            app.send("DELETE", &path, &headers, None).await.expect(204);
        }
    }

    async fn a_client_without_a_name_is_answered(app: TestApp) {
        for headers in [&[][..], &[("user-agent", "")], &[("user-agent", ""), ("accept", "")]] {
            let reply = app.send("GET", "/Users", headers, None).await.expect(200);
            assert_eq!(reply.header("content-type"), "application/scim+json");
        }
    }

    async fn what_is_there_already_is_not_added_again(app: TestApp) {
        let id = app.user("ida").await;
        let path = format!("/Groups/{}", app.group("Desk", &[&id]).await);
        let before = app.get(&path).await.expect(200);
        let values = [
            json!([{ "value": id }]),
            json!([{ "value": id }, { "value": id, "display": "Ida", "$ref": null }]),
            json!({ "value": id, "type": "User" }),
        ];
        for value in values {
            let change = json!([{ "op": "add", "path": "members", "value": value }]);
            let reply = app.patch(&path, change).await.expect(200);
            assert_eq!(texts(&reply.body["members"], "/value"), [id.as_str()]);
            assert_eq!(reply.header("etag"), before.header("etag"));
        }
    }

    async fn a_password_in_every_update_is_taken_and_never_shown(app: TestApp) {
        let body = user("ida", &json!({ "password": "0kta made this" }));
        let created = app.post("/Users", &body).await.expect(201);
        let path = format!("/Users/{}", created.id());
        for _ in 0..3 {
            let reply = app.put(&path, &body).await.expect(200);
            assert_eq!(reply.body, created.body);
            assert!(!reply.body.to_string().contains("0kta"));
        }
    }

    async fn a_put_answers_200_with_the_whole_resource(app: TestApp) {
        let path = format!("/Users/{}", app.user("ida").await);
        let reply = app.put(&path, &user("ida", &json!({ "title": "Lead" }))).await.expect(200);
        assert_eq!(reply.body, app.get(&path).await.body);
        let path = format!("/Groups/{}", app.group("Desk", &[]).await);
        let body = json!({ "schemas": [GROUP], "displayName": "Night desk" });
        let reply = app.put(&path, &body).await.expect(200);
        assert_eq!(reply.body, app.get(&path).await.body);
    }
}
