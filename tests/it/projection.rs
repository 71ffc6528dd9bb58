//! `attributes` and `excludedAttributes` on every operation that answers with a resource.

use serde_json::{Value, json};

use crate::shapes::complete;
use crate::support::app::TestApp;
use crate::support::asks::{ENTERPRISE, GROUP, USER, user};
use crate::support::each_db;

/// The names of the members of an object, joined.
fn keys(value: &Value) -> String {
    value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
}

fn first(list: &Value) -> Value {
    list["Resources"][0].clone()
}

fn search(parameter: &str, names: &str) -> Value {
    let names: Vec<&str> = names.split(',').collect();
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], parameter: names })
}

each_db! {
    /// Proves SCIM-176, SCIM-291, SCIM-302, SCIM-059, SCIM-061.
    async fn every_operation_shows_what_is_asked_for_and_no_more(app: TestApp) {
        let table = [
            ("attributes", "userName", "schemas id userName"),
            ("attributes", "TITLE,displayName", "schemas id displayName title"),
            ("attributes", "nothing", "schemas id"),
            (
                "excludedAttributes",
                "meta,ID,schemas,active",
                "schemas id userName displayName title",
            ),
        ];
        for (number, (parameter, names, expected)) in table.into_iter().enumerate() {
            let body =
                user(&format!("user{number}"), &json!({ "title": "Lead", "displayName": "Ida" }));
            let query = format!("?{parameter}={names}");
            let created = app.post(&format!("/Users{query}"), &body).await.expect(201);
            assert_eq!(
                created.header("location"),
                format!("http://usher.test/scim/v2/Users/{}", created.id())
            );
            let path = format!("/Users/{}", created.id());
            let change = json!([{ "op": "replace", "path": "title", "value": "Head" }]);
            let all = search(parameter, names);
            let shown = [
                created.body.clone(),
                app.get(&format!("{path}{query}")).await.expect(200).body,
                app.put(&format!("{path}{query}"), &body).await.expect(200).body,
                app.patch(&format!("{path}{query}"), change).await.expect(200).body,
                first(&app.get(&format!("/Users{query}")).await.expect(200).body),
                first(&app.get(query.as_str()).await.expect(200).body),
                first(&app.post("/Users/.search", &all).await.expect(200).body),
                first(&app.post("/.search", &all).await.expect(200).body),
            ];
            for document in shown {
                assert_eq!(keys(&document), expected, "{query}");
            }
        }
    }

    /// Proves SCIM-083, SCIM-292, SCIM-293, SCIM-294, SCIM-295, SCIM-296, SCIM-297,
    /// SCIM-299, SCIM-300, SCIM-301.
    async fn names_may_be_parts_whole_extensions_and_in_any_case(app: TestApp) {
        let boss = app.user("boss").await;
        let id = app.post("/Users", &complete("ida", &boss)).await.expect(201).id();
        let path = format!("/Users/{id}");
        let department = format!("{ENTERPRISE}:department");
        let pairs = [("{E}", ENTERPRISE), ("{D}", department.as_str()), ("{U}", USER)];
        let fill = |text: &str| {
            pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
        };
        let table = [
            ("attributes=name.givenName,{D}", "schemas id name {E}"),
            ("attributes={E}", "schemas id {E}"),
            ("attributes={U}:userName", "schemas id userName"),
            ("attributes=userName,%20 emails,,", "schemas id userName emails"),
            ("attributes=password", "schemas id"),
            ("attributes=shoeSize,foo.bar", "schemas id"),
            ("attributes=meta.version", "schemas id meta"),
            (
                "excludedAttributes=name,emails,phoneNumbers,ims,photos,addresses,entitlements,roles,\
                 x509Certificates,profileUrl,nickName,userType,preferredLanguage,locale,timezone,\
                 {E},externalId",
                "schemas id userName displayName title active meta",
            ),
        ];
        for (query, expected) in table {
            let shown = app.get(&format!("{path}?{}", fill(query))).await.expect(200).body;
            assert_eq!(keys(&shown), fill(expected), "{query}");
        }
        let part = app
            .get(&format!("{path}?attributes=NAME.givenname,emails.value,{department}"))
            .await
            .body;
        assert_eq!(part["name"], json!({ "givenName": "Ida" }));
        assert_eq!(
            part["emails"],
            json!([{ "value": "Ida@Lantern.Example" }, { "value": "ida@home.example" }])
        );
        assert_eq!(part[ENTERPRISE], json!({ "department": "Front desk" }));
        let without = app
            .get(&format!("{path}?excludedAttributes=name.formatted,emails.value,{department}"))
            .await
            .body;
        assert_eq!(without["name"].get("formatted"), None);
        assert_eq!(without["name"]["givenName"], "Ida");
        assert_eq!(without["emails"][1], json!({ "type": "home" }));
        assert_eq!(without[ENTERPRISE].get("department"), None);
        assert_eq!(without[ENTERPRISE]["division"], "Nordic");
        app.get(&format!("{path}?attributes=a..b")).await.refused(400, "invalidValue");
    }

    /// Proves SCIM-298.
    async fn of_both_lists_the_one_that_names_wins_unless_strict(app: TestApp) {
        for (strict, status) in [("false", 200), ("true", 400)] {
            let app = app.tenant_with("scim.strict", strict).await;
            let path = format!("/Users/{}", app.user("ida").await);
            let reply =
                app.get(&format!("{path}?attributes=userName&excludedAttributes=userName")).await;
            let reply = reply.expect(status);
            if status == 200 {
                assert_eq!(keys(&reply.body), "schemas id userName");
            } else {
                reply.refused(400, "invalidValue");
            }
        }
    }

    /// Proves SCIM-303, SCIM-062.
    async fn members_are_left_out_and_their_names_only_come_when_asked_for(app: TestApp) {
        let ida = app.user_with("ida", &json!({ "displayName": "Ida" })).await.id();
        let path = format!("/Groups/{}", app.group("Desk", &[&ida]).await);
        for query in
            ["excludedAttributes=members", "excludedAttributes=MEMBERS", "attributes=displayName"]
        {
            for path in [path.as_str(), "/Groups"] {
                let body = app.get(&format!("{path}?{query}")).await.expect(200).body;
                let shown = body.get("Resources").map_or(&body, |list| &list[0]);
                assert_eq!(shown.get("members"), None);
                assert_eq!(shown["displayName"], "Desk");
            }
        }
        let all = app.get(&format!("{path}?attributes=members,members.display")).await.body;
        assert_eq!(all["members"][0]["display"], "Ida");
        assert_eq!(all["members"][0]["value"], ida);
        let urn = app.get(&format!("{path}?attributes={GROUP}:members.value")).await.body;
        assert_eq!(urn["members"], json!([{ "value": ida }]));
        let lean = app.get(&format!("/Users/{ida}?excludedAttributes=groups")).await.body;
        assert_eq!(lean.get("groups"), None);
        let types = app.get(&format!("/Users/{ida}?attributes=groups.type")).await.body;
        assert_eq!(types["groups"], json!([{ "type": "direct" }]));
    }
}
