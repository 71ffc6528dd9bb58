//! What clients learn about the server: configuration, resource types, schemas.

use serde_json::{Value, json};

use crate::shapes::complete;
use crate::support::app::{BASE, TestApp};
use crate::support::asks::{
    CONTACT_CENTER, ENTERPRISE, GROUP, GROUP_MAPPING, INVITATION, SEAT, USER, texts,
};
use crate::support::each_db;

/// The attributes of a schema, each with its path, sub-attributes too.
fn attributes(schema: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for attribute in schema["attributes"].as_array().unwrap() {
        let name = attribute["name"].as_str().unwrap();
        all.push((name.to_owned(), attribute.clone()));
        for sub in attribute["subAttributes"].as_array().into_iter().flatten() {
            all.push((format!("{name}.{}", sub["name"].as_str().unwrap()), sub.clone()));
        }
    }
    all
}

async fn schemas(app: &TestApp) -> Vec<Value> {
    let list = app.get("/Schemas").await.expect(200).body;
    list["Resources"].as_array().unwrap().clone()
}

each_db! {
    /// Proves SCIM-140, SCIM-141, SCIM-142, SCIM-143, SCIM-144, SCIM-146, SCIM-148, SCIM-246, SCIM-326.
    async fn the_configuration_is_one_object_for_everybody(app: TestApp) {
        for path in ["/ServiceProviderConfig", "/serviceConfiguration"] {
            let config = app.get(path).await.expect(200).body;
            assert_eq!(
                config["schemas"],
                json!(["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"])
            );
            assert_eq!(config["meta"]["location"], format!("{BASE}/ServiceProviderConfig"));
            for (feature, supported) in [
                ("patch", true),
                ("filter", true),
                ("sort", true),
                ("etag", true),
                ("changePassword", true),
                ("bulk", true),
            ] {
                assert_eq!(config[feature]["supported"], supported, "{feature}");
            }
            assert!(
                config["bulk"]["maxOperations"].is_u64()
                    && config["bulk"]["maxPayloadSize"].is_u64()
            );
            assert_eq!(config["filter"]["maxResults"], 1000);
            let scheme = &config["authenticationSchemes"][0];
            assert_eq!(scheme["type"], "oauthbearertoken");
            assert!(scheme["name"].is_string() && scheme["description"].is_string());
            app.get(config["documentationUri"].as_str().unwrap()).await.expect(200);
            assert_eq!(app.anonymous().get(path).await.expect(200).body, config);
        }
        let wrong = [("authorization", "Bearer wrong")];
        app.send("GET", "/ServiceProviderConfig", &wrong, None).await.refused(401, "");
    }

    /// Proves SCIM-145, SCIM-196, SCIM-262.
    async fn announced_limits_are_the_enforced_ones(app: TestApp) {
        let pairs = [("page.max", "200"), ("page.default", "3")];
        let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let tenant = app.tenant(&pairs.into()).await;
        let config = tenant.get("/ServiceProviderConfig").await.body;
        assert_eq!(config["filter"]["maxResults"], 200);
        assert_eq!(config["pagination"]["defaultPageSize"], 3);
        for number in 0..201 {
            tenant.user(&format!("user{number:03}")).await;
        }
        let page = tenant.get("/Users?count=1000000").await.expect(200).body;
        assert_eq!(page["itemsPerPage"], 200);
        assert_eq!(page["totalResults"], 201);
        assert_eq!(tenant.names("/Users").await.len(), 3);
    }

    /// Proves SCIM-015, SCIM-155, SCIM-156, SCIM-157, SCIM-158, SCIM-104.
    async fn resource_types_say_where_and_what_they_are(app: TestApp) {
        let list = app.anonymous().get("/ResourceTypes").await.expect(200).body;
        assert_eq!(list["totalResults"], list["Resources"].as_array().unwrap().len());
        assert_eq!(
            texts(&list["Resources"], "/name"),
            [
                "User", "Group", "CallAgent", "Department", "AgentGroup", "PhoneExtension",
                "Account", "Invitation", "SeatPool", "Role", "Entitlement",
            ]
        );
        let app = app.tenant_with("discovery.extensions", "all").await;
        for kind in list["Resources"].as_array().unwrap() {
            let name = kind["name"].as_str().unwrap();
            let endpoint = kind["endpoint"].as_str().unwrap();
            assert_eq!((kind["id"].as_str(), endpoint), (Some(name), format!("/{name}s").as_str()));
            app.get(endpoint).await.expect(200);
            let urns = texts(&kind["schemaExtensions"], "/schema");
            for urn in urns.iter().map(String::as_str).chain(kind["schema"].as_str()) {
                assert_eq!(app.get(&format!("/Schemas/{urn}")).await.expect(200).body["id"], urn);
            }
            let one = app.anonymous().get(&format!("/ResourceTypes/{name}")).await.expect(200).body;
            assert_eq!(&one, kind);
            assert_eq!(one["meta"]["location"], format!("{BASE}/ResourceTypes/{name}"));
            app.get(&format!("{endpoint}?filter=externalId eq \"x\"")).await.expect(200);
        }
        let user = app.get("/ResourceTypes/User").await.body;
        let optional = |urn: &str| json!({ "schema": urn, "required": false });
        assert_eq!(
            user["schemaExtensions"],
            json!([optional(ENTERPRISE), optional(CONTACT_CENTER), optional(SEAT), optional(INVITATION)])
        );
        app.get("/ResourceTypes/Robot").await.refused(404, "");
    }

    /// Proves SCIM-149, SCIM-150, SCIM-151, SCIM-153, SCIM-154, SCIM-163, SCIM-164.
    async fn every_schema_is_listed_and_found_by_its_urn(app: TestApp) {
        let list = app.anonymous().get("/Schemas").await.expect(200).body;
        let all = schemas(&app.anonymous()).await;
        assert_eq!(list["totalResults"], all.len());
        let own =
            ["CallAgent", "Department", "AgentGroup", "PhoneExtension", "Account", "Invitation"];
        let own = own.map(|name| format!("urn:ietf:params:scim:schemas:usher:2.0:{name}"));
        let first = [USER, ENTERPRISE, CONTACT_CENTER, SEAT, INVITATION, GROUP, GROUP_MAPPING];
        let offered = [
            "urn:ietf:params:scim:schemas:usher:2.0:SeatPool",
            "urn:ietf:params:scim:schemas:core:2.0:Role",
            "urn:ietf:params:scim:schemas:core:2.0:Entitlement",
        ];
        let stored = first.map(str::to_owned).into_iter().chain(own);
        let all_urns: Vec<_> = stored.chain(offered.map(str::to_owned)).collect();
        assert_eq!(texts(&list["Resources"], "/id"), all_urns);
        for schema in &all {
            let id = schema["id"].as_str().unwrap();
            assert_eq!(schema["schemas"], json!(["urn:ietf:params:scim:schemas:core:2.0:Schema"]));
            assert_eq!(schema["meta"]["resourceType"], "Schema");
            assert_eq!(schema["meta"]["location"], format!("{BASE}/Schemas/{id}"));
            for spelling in [id.to_owned(), id.to_uppercase(), id.replace(':', "%3A")] {
                let found = app.anonymous().get(&format!("/Schemas/{spelling}")).await.expect(200);
                assert_eq!(&found.body, schema);
            }
            for common in ["id", "meta", "externalId", "schemas"] {
                assert!(attributes(schema).iter().all(|(path, _)| path != common), "{id} {common}");
            }
        }
        for unknown in ["urn:ietf:params:scim:api:messages:2.0:Error", "urn:x", "User"] {
            app.get(&format!("/Schemas/{unknown}")).await.refused(404, "");
        }
    }

    /// Proves SCIM-048, SCIM-066, SCIM-067, SCIM-068, SCIM-071, SCIM-122, SCIM-126, SCIM-137, SCIM-152.
    async fn schemas_are_well_formed(app: TestApp) {
        let types = [
            "string",
            "boolean",
            "decimal",
            "integer",
            "dateTime",
            "binary",
            "reference",
            "complex",
        ];
        for schema in schemas(&app).await {
            assert!(schema["name"].is_string() && schema["description"].is_string());
            for (path, attribute) in attributes(&schema) {
                for key in ["name", "type", "description", "mutability", "returned"] {
                    assert!(attribute[key].is_string(), "{path} {key}");
                }
                assert!(
                    attribute["multiValued"].is_boolean() && attribute["required"].is_boolean(),
                    "{path}"
                );
                let kind = attribute["type"].as_str().unwrap();
                assert!(types.contains(&kind), "{path}");
                assert_eq!(kind == "complex", attribute["subAttributes"].is_array(), "{path}");
                assert_eq!(kind == "reference", attribute["referenceTypes"].is_array(), "{path}");
                assert!(kind != "complex" || !path.contains('.'), "{path}");
                if kind == "complex" {
                    assert!(
                        ["none", ""].contains(&attribute["uniqueness"].as_str().unwrap_or("")),
                        "{path}"
                    );
                } else {
                    assert!(
                        attribute["caseExact"].is_boolean() && attribute["uniqueness"].is_string(),
                        "{path}"
                    );
                }
                match path.rsplit_once('.').map(|(_, last)| last) {
                    Some("primary") => assert_eq!(kind, "boolean", "{path}"),
                    Some("$ref") => assert_eq!(kind, "reference", "{path}"),
                    Some("type" | "display") => assert_eq!(kind, "string", "{path}"),
                    _ => {}
                }
            }
        }
        let at = |schema: &Value, path: &str| {
            attributes(schema).into_iter().find(|(name, _)| name == path).unwrap().1
        };
        let [user, enterprise, group] = &schemas(&app).await[..] else { panic!() };
        assert_eq!(at(user, "x509Certificates.value")["type"], "binary");
        assert_eq!(at(user, "groups.$ref")["referenceTypes"], json!(["Group"]));
        assert_eq!(at(user, "userName")["uniqueness"], "server");
        assert_eq!(at(enterprise, "manager.value")["caseExact"], true);
        assert_eq!(at(group, "displayName")["required"], true);
    }

    /// Proves SCIM-162.
    async fn what_is_shown_is_what_the_schemas_publish(app: TestApp) {
        let boss = app.user("boss").await;
        let id = app.post("/Users", &complete("ida", &boss)).await.expect(201).id();
        app.group("Desk", &[&id]).await;
        let shown = app.get(&format!("/Users/{id}")).await.body;
        let [user, enterprise, _] = &schemas(&app).await[..] else { panic!() };
        for (schema, shown) in [(user, &shown), (enterprise, &shown[ENTERPRISE])] {
            let published = attributes(schema);
            for (path, attribute) in &published {
                if attribute["returned"] == "default" {
                    let pointer = format!("/{}", path.replace('.', "/"));
                    let in_list = format!("/{}", path.replace('.', "/0/"));
                    let found = shown.pointer(&pointer).or_else(|| shown.pointer(&in_list));
                    let sometimes = ["display", "primary"].iter().any(|last| path.ends_with(last));
                    assert!(found.is_some() || sometimes, "{path} is not shown");
                }
            }
            for (name, value) in shown.as_object().unwrap() {
                let common =
                    ["schemas", "id", "externalId", "meta", ENTERPRISE].contains(&name.as_str());
                assert!(common || published.iter().any(|(path, _)| path == name), "{name}");
                let first = value.get(0).unwrap_or(value);
                let subs = if common { None } else { first.as_object() };
                for sub in subs.into_iter().flat_map(|subs| subs.keys()) {
                    let path = format!("{name}.{sub}");
                    assert!(published.iter().any(|(known, _)| *known == path), "{path}");
                }
            }
        }
    }

    /// Proves SCIM-159, SCIM-160, SCIM-161, SCIM-311.
    async fn discovery_is_neither_filtered_nor_paged_nor_searched(app: TestApp) {
        for path in ["/Schemas", "/ResourceTypes"] {
            let whole = app.get(path).await.expect(200).body;
            for query in ["count=1", "startIndex=3", "sortBy=name", "sortOrder=descending&foo=bar"]
            {
                assert_eq!(app.get(&format!("{path}?{query}")).await.expect(200).body, whole);
            }
            app.get(&format!("{path}?filter=name eq \"User\"")).await.refused(403, "");
            app.post(&format!("{path}/.search"), &json!({})).await.refused(405, "");
        }
        app.get("/ServiceProviderConfig?filter=x eq 1").await.expect(200);
    }
}
