//! What `/ResourceTypes`, `/Schemas` and `/ServiceProviderConfig` say, and what they ignore.

use serde_json::{Value, json};

use crate::support::app::{BASE, TestApp};
use crate::support::each_db;

const DISCOVERY: [&str; 5] = [
    "/Schemas",
    "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User",
    "/ResourceTypes",
    "/ResourceTypes/User",
    "/ServiceProviderConfig",
];

/// Every URI of this server that stands in a document.
fn uris(document: &Value, found: &mut Vec<String>) {
    match document {
        Value::Object(map) => {
            for key in ["$ref", "location"] {
                found.extend(map.get(key).and_then(Value::as_str).map(str::to_owned));
            }
            map.values().for_each(|value| uris(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| uris(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

each_db! {
    /// Proves SCIM-155, SCIM-156, SCIM-157, SCIM-158.
    async fn resource_types_say_where_they_are_and_what_they_are_made_of(app: TestApp) {
        let list = app.get("/ResourceTypes").await.expect(200).body;
        let kinds = list["Resources"].as_array().unwrap();
        assert_eq!((list["totalResults"].as_u64(), kinds.len()), (Some(2), 2));
        for (kind, name) in kinds.iter().zip(["User", "Group"]) {
            assert_eq!((&kind["id"], &kind["name"]), (&json!(name), &json!(name)));
            assert_eq!(kind["endpoint"], format!("/{name}s"));
            assert_eq!(kind["meta"]["location"], format!("{BASE}/ResourceTypes/{name}"));
            assert_eq!(&app.get(&format!("/ResourceTypes/{name}")).await.expect(200).body, kind);
            let extensions = kind["schemaExtensions"].as_array().unwrap().iter();
            for extension in extensions {
                assert!(extension["required"].is_boolean());
                let urn = extension["schema"].as_str().unwrap();
                app.get(&format!("/Schemas/{urn}")).await.expect(200);
            }
            let urn = kind["schema"].as_str().unwrap();
            assert_eq!(app.get(&format!("/Schemas/{urn}")).await.expect(200).body["name"], name);
            app.get(kind["endpoint"].as_str().unwrap()).await.expect(200);
        }
        app.get("/ResourceTypes/Nothing").await.refused(404, "");
        app.get("/Schemas/urn:x").await.refused(404, "");
    }

    /// Proves SCIM-164: what describes schemas, types and the configuration is no schema of ours.
    async fn the_schemas_of_schemas_are_not_published(app: TestApp) {
        for name in ["Schema", "ResourceType", "ServiceProviderConfig"] {
            let urn = format!("urn:ietf:params:scim:schemas:core:2.0:{name}");
            assert!(app.get(&format!("/Schemas/{urn}")).await.refused(404, "").contains(&urn));
        }
    }

    /// Proves SCIM-159.
    async fn paging_and_sorting_mean_nothing_to_discovery(app: TestApp) {
        for path in DISCOVERY {
            let plain = app.get(path).await.expect(200).body;
            for query in ["count=1", "startIndex=2", "count=0&sortBy=name&sortOrder=descending",
                "sortBy=name", "attributes=id", "excludedAttributes=name,attributes"]
            {
                let asked = app.get(&format!("{path}?{query}")).await.expect(200).body;
                assert_eq!(asked, plain, "{path}?{query}");
            }
        }
    }

    /// Proves SCIM-160.
    async fn discovery_cannot_be_filtered(app: TestApp) {
        for path in ["/Schemas", "/ResourceTypes"] {
            app.find(path, "name eq \"User\"").await.refused(403, "");
            app.find(path, "this is no filter").await.refused(403, "");
        }
        app.find("/ServiceProviderConfig", "patch eq 1").await.expect(200);
    }

    /// Proves SCIM-161.
    async fn discovery_is_read_only(app: TestApp) {
        for path in DISCOVERY {
            for method in ["POST", "PUT", "PATCH", "DELETE"] {
                let reply = app.exchange(method, path, &[], Some("{}".to_owned())).await;
                reply.refused(405, "");
                let mut allowed: Vec<_> = reply.header("allow").split(", ").collect();
                allowed.sort_unstable();
                assert_eq!(allowed, ["GET", "HEAD", "OPTIONS"], "{method} {path}");
            }
        }
    }

    /// Proves SCIM-162. Every attribute that clients may write and read comes back as it was sent,
    /// and the answer has no attribute that is not published (the test client refuses those).
    async fn every_published_attribute_goes_in_and_comes_out(app: TestApp) {
        let manager = app.user("manager").await;
        for (endpoint, urns) in [
            ("/Users", &["urn:ietf:params:scim:schemas:core:2.0:User",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"][..]),
            ("/Groups", &["urn:ietf:params:scim:schemas:core:2.0:Group"][..]),
        ] {
            let mut body = json!({ "schemas": urns });
            for (place, urn) in urns.iter().enumerate() {
                let schema = app.get(&format!("/Schemas/{urn}")).await.expect(200).body;
                let object = sample_object(&schema["attributes"], &manager);
                if place == 0 {
                    body.as_object_mut().unwrap().extend(object.as_object().unwrap().clone());
                } else {
                    body[*urn] = object;
                }
            }
            let made = app.post(endpoint, &body).await.expect(201).body;
            let read = app.get(&format!("{endpoint}/{}", made["id"].as_str().unwrap())).await.body;
            let mut wanted = body.clone();
            wanted.as_object_mut().unwrap().shift_remove("password");
            includes(&read, &wanted, endpoint);
        }
    }

    /// Proves SCIM-162.
    async fn every_address_in_an_answer_leads_to_what_it_names(app: TestApp) {
        let (boss, ines) = (app.user("boss").await, app.user("ines").await);
        let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
        let set = json!([{ "op": "add", "path": manager, "value": { "value": boss } }]);
        app.patch(&format!("/Users/{ines}"), set).await.expect(200);
        let inner = app.group("inner", &[&ines]).await;
        app.group("outer", &[&inner, &boss]).await;
        let mut found = Vec::new();
        for path in ["", "/Users", "/Groups", "/Schemas", "/ResourceTypes", "/ServiceProviderConfig"] {
            uris(&app.get(path).await.expect(200).body, &mut found);
        }
        assert!(found.iter().filter(|uri| uri.contains("/Users/")).count() > 6);
        for uri in found {
            let reply = app.get(&uri).await.expect(200);
            assert_eq!(reply.body["meta"]["location"], uri);
        }
    }
}

/// A value for each attribute that may be written.
fn sample_object(attributes: &Value, manager: &str) -> Value {
    let writable = attributes.as_array().unwrap().iter();
    let writable = writable.filter(|found| found["mutability"] != "readOnly");
    let pairs = writable.filter_map(|found| {
        let name = found["name"].as_str().unwrap();
        let value = match (name, found["type"].as_str().unwrap()) {
            ("$ref", _) => return None,
            ("manager", _) => json!({ "value": manager }),
            ("members", _) => json!([{ "value": manager, "type": "User" }]),
            (_, "complex") => sample_object(&found["subAttributes"], manager),
            ("locale", _) => json!("en-US"),
            ("preferredLanguage", _) => json!("de-CH, en;q=0.5"),
            ("timezone", _) => json!("Europe/Zurich"),
            ("country", _) => json!("CH"),
            ("password", _) => json!("a long enough password"),
            (_, "boolean") => json!(true),
            (_, "binary") => json!("AAEC"),
            (_, "reference") => json!("https://example.com/it"),
            (_, "integer") => json!(3),
            (_, _) if found["canonicalValues"].is_array() => found["canonicalValues"][0].clone(),
            (_, _) => json!(format!("some {name}")),
        };
        let many = found["multiValued"] == true && !value.is_array();
        Some((name.to_owned(), if many { json!([value]) } else { value }))
    });
    Value::Object(pairs.collect())
}

/// Panics where something that was wanted is not there.
fn includes(found: &Value, wanted: &Value, place: &str) {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => {
            for (key, value) in wanted {
                let inner = found.get(key).unwrap_or_else(|| panic!("no {key} in {place}"));
                includes(inner, value, &format!("{place}.{key}"));
            }
        }
        (Value::Array(found), Value::Array(wanted)) => {
            assert_eq!(found.len(), wanted.len(), "{place}");
            found.iter().zip(wanted).for_each(|(found, wanted)| includes(found, wanted, place));
        }
        (found, wanted) => assert_eq!(found, wanted, "{place}"),
    }
}
