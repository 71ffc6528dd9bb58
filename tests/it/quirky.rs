//! What a tenant's settings change: the letter of the standard, passwords, aliases, discovery.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::asks::{ENTERPRISE, GROUP, USER, group, texts, user};
use crate::support::each_db;

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

fn operations(list: &Value) -> Value {
    json!({ "schemas": [PATCH], "Operations": list })
}

async fn tenant(app: &TestApp, settings: &[(&str, &str)]) -> TestApp {
    let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    app.tenant(&settings.collect::<BTreeMap<_, _>>()).await
}

each_db! {
    /// Proves SCIM-037, SCIM-069, SCIM-178, SCIM-330, SCIM-327, SCIM-388, SCIM-120.
    async fn what_clients_say_beside_the_standard_is_refused_by_a_strict_tenant(app: TestApp) {
        let strict = tenant(&app, &[("scim.strict", "true")]).await;
        let bodies = [
            (json!({ "userName": "b" }), "invalidSyntax"),
            (user("c", &json!({ "active": "True" })), "invalidValue"),
            (user("d", &json!({ "emails": { "value": "a@b.c" } })), "invalidValue"),
            (user("e", &json!({ "shoeSize": 44 })), "invalidSyntax"),
            (user("f", &json!({ "schemas": [USER, "urn:x:y"] })), "invalidValue"),
            (user("g", &json!({ "addresses": [{ "country": "USA" }] })), "invalidValue"),
            (user("h", &json!({ "locale": "en US" })), "invalidValue"),
            (user("i", &json!({ "timezone": "Mars/Base" })), "invalidValue"),
        ];
        for (body, kind) in bodies {
            app.post("/Users", &body).await.expect(201);
            strict.post("/Users", &body).await.refused(400, kind);
        }
        let changes = [
            (json!([{ "op": "Replace", "path": "title", "value": "x" }]), "invalidSyntax"),
            (json!([{ "op": "replace", "path": "active", "value": "False" }]), "invalidValue"),
            (
                json!([{ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "a@b.c" }]),
                "noTarget",
            ),
            (json!([{ "op": "replace", "value": { "name.givenName": "Ida" } }]), ""),
            (json!([]), "invalidSyntax"),
        ];
        let (ours, theirs) = (app.user("ida").await, strict.user("ida").await);
        for (change, kind) in changes {
            let body = operations(&change);
            let lenient = app.send("PATCH", &format!("/Users/{ours}"), &[], Some(&body)).await;
            assert_eq!(lenient.status, 200, "{change}: {}", lenient.body);
            let reply = strict.send("PATCH", &format!("/Users/{theirs}"), &[], Some(&body)).await;
            assert_eq!(reply.status, 400, "{change}");
            assert!(kind.is_empty() || reply.body["scimType"] == kind, "{change}: {}", reply.body);
        }
        let bare = [("authorization", strict.token.as_str())];
        strict.send("GET", "/Users", &bare, None).await.refused(401, "");
        strict.get("/Users/").await.refused(404, "");
        strict.get("/users").await.refused(404, "");
        app.get("/users").await.expect(200);
    }

    /// Proves SCIM-004, SCIM-375, SCIM-376.
    async fn a_strict_tenant_does_what_the_standard_asks_for(app: TestApp) {
        let strict = tenant(&app, &[("scim.strict", "true")]).await;
        let boss = strict.user("boss").await;
        let body = user(
            "ida",
            &json!({
                "schemas": [USER, ENTERPRISE],
                "emails": [{ "value": "i@x.y", "type": "work", "primary": true }],
                ENTERPRISE: { "manager": { "value": boss } }, "password": "long enough",
            }),
        );
        let ida = strict.post("/Users", &body).await.expect(201);
        let path = format!("/Users/{}", ida.id());
        let got = strict.get(&path).await.expect(200);
        assert_eq!(got.body[ENTERPRISE]["manager"]["displayName"], "boss");
        assert_eq!(strict.put(&path, &got.body).await.expect(200).body, got.body);
        let desk = strict.group("Desk", &[&ida.id(), &boss]).await;
        let change = json!([{ "op": "remove", "path": format!("members[value eq \"{boss}\"]") }]);
        let shown = strict.patch(&format!("/Groups/{desk}"), change).await.expect(200).body;
        assert_eq!(texts(&shown["members"], "/value"), [ida.id()]);
        assert_eq!(strict.found("emails[type eq \"work\" and primary eq true]").await, ["ida"]);
        let schema = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
        let search = json!({ "schemas": [schema], "count": 1 });
        assert_eq!(
            strict.post("/Users/.search", &search).await.expect(200).body["totalResults"],
            2
        );
        strict.get("/Users?foo=1").await.expect(200);
        strict.delete(&path).await.expect(204);
    }

    /// Proves SCIM-116, SCIM-469, SCIM-497.
    async fn passwords_are_as_long_as_the_tenant_wants(app: TestApp) {
        for (length, short, long) in
            [("8", "seven77", "eight888"), ("15", "fourteen chars", "fifteen charact")]
        {
            let app = tenant(&app, &[("password.minLength", length)]).await;
            let with = |password: &str| user("ida", &json!({ "password": password }));
            let detail = app.post("/Users", &with(short)).await.refused(400, "invalidValue");
            assert!(
                detail.contains(&format!("password must be at least {length} characters.")),
                "{detail}"
            );
            assert!(!detail.contains(short), "{detail}");
            let path = format!("/Users/{}", app.post("/Users", &with(long)).await.expect(201).id());
            app.put(&path, &with(short)).await.refused(400, "invalidValue");
            let change = json!([{ "op": "replace", "path": "password", "value": short }]);
            app.patch(&path, change).await.refused(400, "invalidValue");
        }
        // One password in two normal forms is one password.
        let path = format!(
            "/Users/{}",
            app.user_with("zoe", &json!({ "password": "caf\u{e9} au lait" })).await.id()
        );
        let before = app.version(&path).await;
        let same = user("zoe", &json!({ "password": "cafe\u{301}\u{a0}au lait" }));
        assert_eq!(app.put(&path, &same).await.expect(200).header("etag"), before);
        let other = user("zoe", &json!({ "password": "CAF\u{c9} au lait" }));
        assert_ne!(app.put(&path, &other).await.expect(200).header("etag"), before);
    }

    async fn passwords_are_dropped_where_the_tenant_holds_none(app: TestApp) {
        let app = tenant(&app, &[("password.acceptFromScim", "false")]).await;
        let path =
            format!("/Users/{}", app.user_with("ida", &json!({ "password": "short" })).await.id());
        let before = app.version(&path).await;
        for password in ["another one", "x"] {
            let put =
                app.put(&path, &user("ida", &json!({ "password": password }))).await.expect(200);
            assert_eq!(put.header("etag"), before);
            let change = json!([{ "op": "replace", "path": "password", "value": password }]);
            assert_eq!(app.patch(&path, change).await.expect(200).header("etag"), before);
        }
    }

    async fn aliases_stand_for_our_names_wherever_a_client_writes_them(app: TestApp) {
        let alias = "urn:acme:hr:2.0:Person";
        let app = tenant(&app, &[("schema.aliases", &format!("{alias}={ENTERPRISE}"))]).await;
        let body =
            user("ida", &json!({ "schemas": [USER, alias], alias: { "department": "Sales" } }));
        let created = app.post("/Users", &body).await.expect(201);
        assert_eq!(created.body["schemas"], json!([USER, ENTERPRISE]));
        assert_eq!(created.body[ENTERPRISE]["department"], "Sales");
        let path = format!("/Users/{}", created.id());
        let change = json!([
            { "op": "replace", "path": format!("{alias}:employeeNumber"), "value": "7" },
            { "op": "add", "value": { alias: { "division": "Nordic" } } },
            { "op": "add", "value": { format!("{alias}:costCenter"): "4130" } },
        ]);
        let changed = app.patch(&path, change).await.expect(200).body;
        let wanted = json!({
            "department": "Sales", "employeeNumber": "7", "division": "Nordic", "costCenter": "4130"
        });
        for (name, value) in wanted.as_object().unwrap() {
            assert_eq!(&changed[ENTERPRISE][name], value, "{name}");
        }
        assert!(!changed.to_string().contains("acme"));
        assert_eq!(app.found(&format!("{alias}:employeeNumber eq \"7\"")).await, ["ida"]);
        assert_eq!(
            app.found(&format!(
                "{}:department sw \"sal\" and active eq true",
                alias.to_uppercase()
            ))
            .await,
            ["ida"]
        );
        assert_eq!(app.names(&format!("/Users?sortBy={alias}:department")).await, ["ida"]);
        let shown =
            app.get(&format!("{path}?attributes={alias}:department")).await.expect(200).body;
        assert_eq!(shown[ENTERPRISE], json!({ "department": "Sales" }));
        let shown = app.get(&format!("{path}?excludedAttributes={alias}")).await.expect(200).body;
        assert_eq!(shown.get(ENTERPRISE), None);
        let gone =
            app.patch(&path, json!([{ "op": "remove", "path": alias }])).await.expect(200).body;
        assert_eq!(gone.get(ENTERPRISE), None);
    }

    async fn core_and_enterprise_are_shown_whatever_is_hidden(app: TestApp) {
        for shown in
            ["all", "none", "urn:ietf:params:scim:schemas:extension:usher-seat:2.0:User,CallAgent"]
        {
            let app = tenant(&app, &[("discovery.extensions", shown)]).await;
            let schemas = app.get("/Schemas").await.expect(200).body;
            let mut urns = texts(&schemas["Resources"], "/id");
            let ours: Vec<_> =
                urns.extract_if(.., |urn| usher::scim::urn::is_ours(urn)).collect();
            assert_eq!(urns, [USER, ENTERPRISE, GROUP], "{shown}");
            assert_eq!(ours.len(), [("all", 13), ("none", 0)].into_iter()
                .find(|(setting, _)| *setting == shown).map_or(2, |(_, count)| count), "{shown}");
            let types = app.get("/ResourceTypes").await.expect(200).body;
            let types_of_ours = match shown { "all" => 9, "none" => 0, _ => 1 };
            let ids = texts(&types["Resources"], "/id");
            assert_eq!((&ids[..2], ids.len() - 2), (&["User".to_owned(), "Group".to_owned()][..], types_of_ours));
            assert_eq!(types["Resources"][0]["schemaExtensions"][0]["schema"], ENTERPRISE);
            let body = json!({ ENTERPRISE: { "department": "Sales" } });
            assert_eq!(app.user_with("ida", &body).await.body[ENTERPRISE]["department"], "Sales");
            app.post("/Groups", &group("Desk", &json!({}))).await.expect(201);
        }
    }
}
