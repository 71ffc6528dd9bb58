//! A resource type that only the tests know gets everything from its row in the registry.

use serde_json::{Value, json};

use crate::support::app::BASE;
use crate::support::each_db;
use crate::support::synthetic::{CORE, DESK, EXTENSION, Synthetic, full, least};

/// What is shown unasked of a resource that was made of [`full`].
fn shown(identifier: &str) -> Value {
    let mut shown = full(identifier);
    for hidden in ["writeOnlyAttr", "requestOnlyAttr"] {
        shown.as_object_mut().unwrap().shift_remove(hidden);
    }
    shown
}

/// The body without what the server added.
fn sent_part(mut body: Value) -> Value {
    for ours in ["id", "meta"] {
        body.as_object_mut().unwrap().shift_remove(ours);
    }
    body
}

fn detail_names(detail: &str, name: &str) {
    assert!(detail.contains(name), "{detail}");
}

fn two_primaries() -> Value {
    json!([{ "value": "v", "primary": true }, { "value": "w", "primary": true }])
}

each_db! {
    /// Proves SCIM-165, SCIM-166, SCIM-168.
    async fn a_resource_is_made_read_replaced_and_deleted(app: Synthetic) {
        let mut body = full("alpha");
        body["readOnlyAttr"] = "mine".into();
        let made = app.post("/TestResources", &body).await.expect(201);
        let path = format!("/TestResources/{}", made.id());
        assert_eq!(made.header("location"), format!("{BASE}{path}"));
        assert_eq!(made.body["meta"]["resourceType"], "TestResource");
        assert_eq!(made.body["requestOnlyAttr"], "quiet", "the request itself set it");
        let read = app.get(&path).await.expect(200);
        assert_eq!(sent_part(read.body), shown("alpha"));

        let put = app.put(&path, &least("beta")).await.expect(200);
        let mut left = least("beta");
        left["immutableAttr"] = "once".into();
        assert_eq!(sent_part(put.body), left);
        assert_ne!(put.headers["etag"], made.headers["etag"]);
        let stale = [("If-Match".to_owned(), made.header("etag").to_owned())];
        app.exchange("DELETE", &path, &stale, None).await.refused(412, "");
        app.delete(&path).await.expect(204);
        app.get(&path).await.refused(404, "");
        app.delete(&path).await.refused(404, "");
    }

    async fn values_must_fit_the_attribute(app: Synthetic) {
        let table = [
            ("identifier", json!(null), "identifier"),
            ("identifier", json!(7), "identifier"),
            ("integerAttr", json!("seven"), "integerAttr"),
            ("integerAttr", json!(1.5), "integerAttr"),
            ("decimalAttr", json!([]), "decimalAttr"),
            ("decimalAttr", json!("much"), "decimalAttr"),
            ("booleanAttr", json!("perhaps"), "booleanAttr"),
            ("dateTimeAttr", json!("yesterday"), "dateTimeAttr"),
            ("binaryAttr", json!("no base64!"), "binaryAttr"),
            ("multiStrings", json!([{ "sub": 1 }]), "multiStrings"),
            ("complexAttr", json!("flat"), "complexAttr"),
            ("complexAttr", json!({ "sub2": "x" }), "sub2"),
            ("multiComplex", two_primaries(), "primary"),
        ];
        for (name, value, named) in table {
            let mut body = full("alpha");
            body[name] = value.clone();
            let reply = app.post("/TestResources", &body).await;
            detail_names(&reply.refused(400, "invalidValue"), named);
        }
        assert_eq!(app.get("/TestResources").await.body["totalResults"], 0);
    }

    /// Proves SCIM-044.
    async fn the_required_extension_must_be_there(app: Synthetic) {
        let mut body = least("alpha");
        body.as_object_mut().unwrap().shift_remove(EXTENSION);
        detail_names(&app.post("/TestResources", &body).await.refused(400, "invalidValue"), EXTENSION);
        body[EXTENSION] = json!({ "extString": "only this" });
        detail_names(&app.post("/TestResources", &body).await.refused(400, "invalidValue"), "extRequired");
        let id = app.post("/TestResources", &least("alpha")).await.expect(201).id();
        let path = format!("/TestResources/{id}");
        for operations in [
            json!([{ "op": "remove", "path": format!("{EXTENSION}:extRequired") }]),
            json!([{ "op": "remove", "path": EXTENSION }]),
        ] {
            app.patch(&path, operations).await.expect(400);
        }
        assert_eq!(app.get(&path).await.body[EXTENSION]["extRequired"], "there");
    }

    async fn unique_values_are_unique_in_their_type_alone(app: Synthetic) {
        let first = app.post("/TestResources", &full("alpha")).await.expect(201).id();
        let again = app.post("/TestResources", &least("ALPHA")).await;
        assert!(again.refused(409, "uniqueness").contains("identifier"));
        let mut other = least("beta");
        other["uniqueString"] = "u-alpha".into();
        let refused = app.post("/TestResources", &other).await;
        assert!(refused.refused(409, "uniqueness").contains("uniqueString"));
        app.user("alpha").await;
        let second = app.post("/TestResources", &least("beta")).await.expect(201).id();
        let rename = json!([{ "op": "replace", "path": "identifier", "value": "Alpha" }]);
        let path = format!("/TestResources/{second}");
        app.patch(&path, rename.clone()).await.refused(409, "uniqueness");
        app.put(&path, &least("aLPHA")).await.refused(409, "uniqueness");
        app.delete(&format!("/TestResources/{first}")).await.expect(204);
        app.patch(&path, rename).await.expect(200);
        app.tenant_with("page.default", "50").await.post("/TestResources", &full("alpha")).await.expect(201);
    }

    async fn immutable_and_read_only_attributes_stay(app: Synthetic) {
        let path = format!("/TestResources/{}", app.post("/TestResources", &full("alpha")).await.id());
        let set = |name: &str, value: &str| json!([{ "op": "replace", "path": name, "value": value }]);
        app.patch(&path, set("immutableAttr", "twice")).await.refused(400, "mutability");
        app.patch(&path, set("immutableAttr", "once")).await.expect(200);
        let strict = app.with_quirks(usher::scim::quirks::Quirks::NONE);
        strict.patch(&path, set("readOnlyAttr", "mine")).await.refused(400, "mutability");
        let mut body = full("alpha");
        body["immutableAttr"] = "twice".into();
        app.put(&path, &body).await.refused(400, "mutability");
        let later = format!("/TestResources/{}", app.post("/TestResources", &least("beta")).await.id());
        app.patch(&later, set("immutableAttr", "first")).await.expect(200);
        app.patch(&later, set("immutableAttr", "second")).await.refused(400, "mutability");
        assert!(app.get(&path).await.body.get("readOnlyAttr").is_none());
    }

    async fn a_patch_reaches_every_attribute(app: Synthetic) {
        let path = format!("/TestResources/{}", app.post("/TestResources", &least("alpha")).await.id());
        let add = |path: &str, value: Value| json!({ "op": "add", "path": path, "value": value });
        let made = app.patch(&path, json!([
            add("caseExactString", json!("X")),
            add("integerAttr", json!(-5)),
            add("decimalAttr", json!(0.25)),
            add("booleanAttr", json!(false)),
            add("dateTimeAttr", json!("2026-01-31T08:00:00Z")),
            add("binaryAttr", json!("AA==")),
            add("referenceAttr", json!("urn:a")),
            add("multiStrings", json!(["a", "b"])),
            add("multiStrings", json!(["B", "c"])),
            add("complexAttr.sub2", json!(9)),
            add("multiComplex", json!([{ "value": "v", "type": "t", "primary": true }])),
            add("multiComplex", json!([{ "value": "w", "type": "u", "primary": true }])),
            add(&format!("{EXTENSION}:extInteger"), json!(1)),
            add(&format!("{CORE}:uniqueString"), json!("u")),
        ])).await.expect(200).body;
        assert_eq!(made["multiStrings"], json!(["a", "b", "c"]));
        assert_eq!(made["multiComplex"][0].get("primary").unwrap_or(&json!(false)), &json!(false));
        assert_eq!(made["multiComplex"][1]["primary"], true);
        assert_eq!(made[EXTENSION], json!({ "extRequired": "there", "extInteger": 1 }));
        let done = app.patch(&path, json!([
            { "op": "replace", "path": "multiComplex[type eq \"t\"].value", "value": "changed" },
            { "op": "remove", "path": "multiComplex[value eq \"w\"]" },
            { "op": "remove", "path": "multiStrings[value eq \"A\"]" },
            { "op": "remove", "path": "complexAttr.sub2" },
            { "op": "replace", "value": { "integerAttr": 6, (EXTENSION): { "extString": "s" } } },
        ])).await.expect(200).body;
        assert_eq!(done["multiComplex"][0]["value"], "changed");
        assert_eq!(done["multiComplex"].as_array().unwrap().len(), 1);
        assert_eq!(done["multiStrings"], json!(["b", "c"]));
        assert!(done.get("complexAttr").is_none());
        assert_eq!((&done["integerAttr"], &done[EXTENSION]["extString"]), (&json!(6), &json!("s")));
        let before = app.get(&path).await.body;
        for (path_of, value) in [("integerAttr", json!("x")), ("nothing", json!(1)), ("identifier", json!(null))] {
            let operations = json!([add("caseExactString", json!("Y")), { "op": "replace", "path": path_of, "value": value }]);
            app.with_quirks(usher::scim::quirks::Quirks::NONE).patch(&path, operations).await.expect(400);
        }
        assert_eq!(app.get(&path).await.body, before);
    }

    /// Proves SCIM-155, SCIM-156, SCIM-157, SCIM-158.
    async fn it_is_in_the_discovery(app: Synthetic) {
        let types = app.get("/ResourceTypes").await.expect(200).body;
        assert_eq!(types["totalResults"], 4);
        let shown = app.get("/ResourceTypes/TestResource").await.expect(200).body;
        assert_eq!(shown["endpoint"], "/TestResources");
        assert_eq!(shown["schemaExtensions"], json!([{ "schema": EXTENSION, "required": true }]));
        for urn in [CORE, EXTENSION, DESK] {
            assert_eq!(app.get(&format!("/Schemas/{urn}")).await.expect(200).body["id"], urn);
        }
        for kind in types["Resources"].as_array().unwrap() {
            assert_eq!(kind["id"], kind["name"]);
            app.get(kind["endpoint"].as_str().unwrap()).await.expect(200);
        }
    }

    async fn a_secret_of_a_type_is_hashed_and_never_shown(app: Synthetic) {
        let body = json!({ "schemas": [DESK], "number": "D-1", "pin": "12345678" });
        let made = app.post("/Desks", &body).await.expect(201);
        let path = format!("/Desks/{}", made.id());
        let set = |pin: &str| json!([{ "op": "replace", "path": "pin", "value": pin }]);
        assert!(app.patch(&path, set("short")).await.refused(400, "invalidValue").contains('8'));
        assert_eq!(app.patch(&path, set("12345678")).await.header("etag"), made.header("etag"));
        let changed = app.patch(&path, set("87654321")).await.expect(200);
        assert_ne!(changed.header("etag"), made.header("etag"));
        assert!(app.get(&format!("{path}?attributes=pin")).await.body.get("pin").is_none());
        app.find("/Desks", "pin pr").await.expect(400);
    }

    async fn a_type_from_a_struct_is_served_with_its_links(app: Synthetic) {
        let user = app.user("ines").await;
        let body = json!({
            "schemas": [DESK], "number": "D-1", "height": 75, "sitter": { "value": user },
            "things": ["lamp"],
        });
        let made = app.post("/Desks", &body).await.expect(201);
        assert_eq!(made.body["sitter"]["$ref"], format!("{BASE}/Users/{user}"));
        assert_eq!(made.body["sitter"]["display"], "ines");
        app.post("/Desks", &json!({ "schemas": [DESK], "number": "d-1" })).await.refused(409, "uniqueness");
        app.post("/Desks", &json!({ "schemas": [DESK], "number": "D-2", "height": 120 })).await.expect(201);
        for (filter, found) in [("height ge 100", 1), ("things eq \"LAMP\"", 1), ("sitter pr", 1), ("height lt 200", 2)] {
            assert_eq!(app.find("/Desks", filter).await.expect(200).body["totalResults"], found, "{filter}");
        }
        let path = format!("/Desks/{}", made.id());
        let raised = app.patch(&path, json!([{ "op": "replace", "path": "height", "value": 110 }])).await;
        assert_eq!(raised.expect(200).body["height"], 110);
        app.delete(&format!("/Users/{user}")).await.expect(204);
        assert!(app.get(&path).await.expect(200).body["sitter"].get("$ref").is_none());
        app.delete(&path).await.expect(204);
    }
}
