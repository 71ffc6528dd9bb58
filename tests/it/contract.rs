//! Keeps `schemas/` and `openapi.yaml` true: to the code, to what is served, and to the RFC.
//!
//! That answers are as documented is checked on every answer of every test, in
//! `support/documented.rs`; that recorded conversations run, in `idp.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use http::HeaderMap;
use serde_json::{Value, json};
use usher::http::{CONTRACT, openapi};
use usher::scim::attribute::{Attribute, Type};
use usher::scim::resource_type::Registry;
use usher::scim::schema::Schema;

use crate::support::app::{BASE, TestApp};
use crate::support::documented::{Contract, Exchange};
use crate::support::each_db;

/// What Usher has otherwise than RFC 7643 s8.7.1 says, and why: attribute, characteristic, ours.
const DEVIATIONS: &[(&str, &str, &str, &str)] = &[
    ("User:profileUrl", "case", "exact", "s2.3.7 and erratum 6001: references are case-exact"),
    ("User:photos.value", "case", "exact", "s2.3.7 and erratum 6001: references are case-exact"),
    ("User:groups.$ref", "case", "exact", "s2.3.7 and erratum 6001: references are case-exact"),
    ("Group:members.$ref", "case", "exact", "s2.3.7 and erratum 6001: references are case-exact"),
    ("EnterpriseUser:manager.$ref", "case", "exact", "s2.3.7 and erratum 6001"),
    ("User:groups.value", "case", "exact", "erratum 8472: it is an id, and ids are case-exact"),
    ("Group:members.value", "case", "exact", "erratum 8472: it is an id, and ids are case-exact"),
    ("EnterpriseUser:manager.value", "case", "exact", "erratum 8472: it is an id"),
    ("User:x509Certificates.value", "case", "exact", "s2.3.6: binaries are case-exact"),
    ("User:password", "case", "exact", "case matters in a password; nobody can compare it"),
    ("User:addresses.primary", "", "", "s2.4 gives every multi-valued attribute a primary"),
    ("Group:displayName", "required", "required", "erratum 5368; s4.2 says REQUIRED"),
    ("Group:displayName", "uniqueness", "server", "clients find the group to push to by its name"),
    ("Group:members.display", "", "", "erratum 6011: examples have it, the schema forgot it"),
    ("EnterpriseUser:manager.$ref", "mutability", "readOnly", "Usher makes it from manager.value"),
];

const NAMES: [&str; 7] =
    ["type", "values", "required", "case", "mutability", "returned", "uniqueness"];

/// Schemas of Usher's own.
const OWN: [&str; 13] = [
    "Account",
    "ContactCenterUser",
    "Seat",
    "InvitationOfUser",
    "Invitation",
    "GroupMapping",
    "CallAgent",
    "Department",
    "AgentGroup",
    "PhoneExtension",
    "SeatPool",
    "Role",
    "Entitlement",
];

/// Characteristics in the order of [`NAMES`], by attribute.
type Facts = BTreeMap<String, [String; 7]>;

/// What the RFC says; where it says nothing, the defaults of its section 2.2.
fn facts_of_the_rfc() -> Facts {
    let defaults = ["string", "one", "optional", "folded", "readWrite", "default", "none"];
    include_str!("../data/rfc7643-attributes.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let mut words = line.split_whitespace();
            let name = words.next().unwrap().to_owned();
            let said: Vec<_> = words.collect();
            let facts = std::array::from_fn(|place| match said[place] {
                "-" => defaults[place].to_owned(),
                word => word.to_owned(),
            });
            (name, facts)
        })
        .collect()
}

fn our_facts() -> Facts {
    let mut facts = Facts::new();
    for schema in Registry::standard().schemas() {
        for attribute in &schema.attributes {
            let name = format!("{}:{}", schema.name, attribute.name);
            for sub in &attribute.sub {
                facts.insert(format!("{name}.{}", sub.name), characteristics(sub));
            }
            facts.insert(name, characteristics(attribute));
        }
    }
    facts
}

fn characteristics(attribute: &Attribute) -> [String; 7] {
    let word = |value: Value| value.as_str().unwrap().to_owned();
    [
        word(json!(attribute.kind)),
        if attribute.multi { "many" } else { "one" }.to_owned(),
        if attribute.required { "required" } else { "optional" }.to_owned(),
        if attribute.case_exact { "exact" } else { "folded" }.to_owned(),
        word(json!(attribute.mutability)),
        word(json!(attribute.returned)),
        word(json!(attribute.uniqueness)),
    ]
}

/// Proves SCIM-152.
#[test]
fn our_attributes_are_those_of_the_rfc_but_for_listed_deviations() {
    let (rfc, ours) = (facts_of_the_rfc(), our_facts());
    let mut found = BTreeSet::new();
    for (name, facts) in &ours {
        // What is Usher's own is not the RFC's to say.
        if OWN.iter().any(|own| name.split(':').next() == Some(own)) {
            continue;
        }
        match rfc.get(name) {
            None => {
                found.insert((name.as_str(), "", ""));
            }
            Some(said) => found.extend(
                NAMES
                    .iter()
                    .zip(facts.iter().zip(said))
                    .filter(|(_, (ours, said))| ours != said)
                    .map(|(characteristic, (ours, _))| {
                        (name.as_str(), *characteristic, ours.as_str())
                    }),
            ),
        }
    }
    let listed: BTreeSet<_> =
        DEVIATIONS.iter().map(|(name, what, ours, _)| (*name, *what, *ours)).collect();
    assert_eq!(found, listed, "left: what deviates; right: what is listed");
    let missing: Vec<_> = rfc.keys().filter(|name| !ours.contains_key(*name)).collect();
    assert!(missing.is_empty(), "not served: {missing:?}");
    assert!(rfc.len() > 70 && DEVIATIONS.iter().all(|(.., reason)| !reason.is_empty()));
}

#[test]
fn the_generated_files_are_the_committed_ones() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = openapi::files(&Registry::standard()).unwrap();
    for (name, text) in &files {
        let committed = std::fs::read_to_string(root.join(name)).unwrap_or_default();
        assert!(committed == *text, "{name} is out of date: run `cargo run -- contract write`");
    }
    let known: BTreeSet<_> = files.iter().map(|(name, _)| name.clone()).collect();
    for file in std::fs::read_dir(root.join("schemas")).unwrap() {
        let name = format!("schemas/{}", file.unwrap().file_name().to_str().unwrap());
        assert!(known.contains(&name), "{name} is made from nothing: delete it");
    }
}

#[test]
fn every_operation_of_the_contract_has_a_name_of_its_own() {
    let document: Value = yaml_serde::from_str(CONTRACT).unwrap();
    let mut seen = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap().to_owned();
        assert!(seen.insert(name.clone()), "{name} of {method} {path} is there twice");
    }
    assert!(seen.len() > 30);
}

fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let items = paths.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(|(method, operation)| (method.to_uppercase(), path.clone(), operation))
    });
    items.collect()
}

/// `meta.location` without the URL of the server.
fn without_base(mut document: Value) -> Value {
    let location = document["meta"]["location"].as_str().unwrap();
    document["meta"]["location"] = location.replace(BASE, "").into();
    document
}

/// Attributes and sub-attributes at any depth.
fn every_attribute(attributes: &[Attribute]) -> Vec<&Attribute> {
    attributes
        .iter()
        .flat_map(|found| std::iter::once(found).chain(every_attribute(&found.sub)))
        .collect()
}

#[test]
fn an_answer_that_is_not_documented_is_noticed() {
    let contract = Contract::of(&Registry::standard());
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/scim+json".parse().unwrap());
    let user = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "1" });
    let with = |key: &str, value: Value| {
        let mut user = user.clone();
        user[key] = value;
        user
    };
    let nothing = Value::Null;
    let table = [
        ("GET", "/scim/v2/Users/1", 200, user.clone(), true),
        ("GET", "/scim/Users/1", 200, with("active", json!(true)), true),
        ("GET", "/scim/v2/Users/1", 200, with("active", json!("True")), false),
        ("GET", "/scim/v2/Users/1", 200, with("shoeSize", json!(42)), false),
        ("GET", "/scim/v2/Users/1", 200, with("password", json!("x")), false),
        ("GET", "/scim/v2/Users/1", 200, with("emails", json!([{ "value": 1 }])), false),
        ("GET", "/scim/v2/Users/1", 200, json!({ "id": "1" }), false),
        ("GET", "/scim/v2/Users/1", 201, user.clone(), false),
        ("GET", "/scim/v2/Users/1", 404, user.clone(), false),
        ("GET", "/scim/v2/Users/1/more", 200, user.clone(), false),
        ("DELETE", "/scim/v2/Users/1", 204, nothing.clone(), true),
        ("DELETE", "/scim/v2/Users/1", 204, user.clone(), false),
        ("DELETE", "/scim/v2/Users/1", 200, nothing, false),
    ];
    for (method, path, status, body, fine) in table {
        let seen = Exchange { method, path, status, headers: &headers, body: &body, bare: false };
        let said = std::panic::catch_unwind(|| contract.check(seen)).is_ok();
        assert_eq!(said, fine, "{method} {path} {status} {body}");
    }
}

each_db! {
    /// Proves SCIM-150, SCIM-153.
    async fn what_is_served_is_what_is_committed(app: TestApp) {
        let served = app.get("http://usher.test/openapi.yaml").await.expect(200);
        assert!(served.body == CONTRACT);
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        let mut committed = Vec::new();
        for file in std::fs::read_dir(root).unwrap() {
            let path = file.unwrap().path();
            if path.to_str().unwrap().ends_with(".scim.json") {
                let document = std::fs::read_to_string(path).unwrap();
                committed.push(serde_json::from_str::<Value>(&document).unwrap());
            }
        }
        // What a tenant's own values are is not added for somebody without one.
        let app = app.anonymous();
        for document in &committed {
            let urn = document["id"].as_str().unwrap();
            let served = app.get(&format!("/Schemas/{urn}")).await.expect(200).body;
            assert_eq!(served["meta"]["location"], format!("{BASE}/Schemas/{urn}"));
            assert_eq!(without_base(served).to_string(), document.to_string(), "{urn}");
        }
        let all = app.get("/Schemas").await.expect(200).body;
        assert_eq!(all["totalResults"], committed.len());
        for document in all["Resources"].as_array().unwrap() {
            assert!(committed.contains(&without_base(document.clone())), "{}", document["id"]);
        }
    }

    async fn every_documented_operation_is_routed(app: TestApp) {
        let document: Value = yaml_serde::from_str(CONTRACT).unwrap();
        let all = ("discovery.extensions".to_owned(), "all".to_owned());
        let okta = ("discovery.flavor".to_owned(), "okta".to_owned());
        let (okta, app) = (
            app.tenant(&[all.clone(), okta].into()).await,
            app.tenant(&[all].into()).await,
        );
        for (method, path, _) in operations(&document) {
            let app = if path.contains("/Licenses") { &okta } else { &app };
            for path in [path.clone(), path.replace("/scim/v2", "/scim")] {
                let filled = format!("http://usher.test{}", path.replace(['{', '}'], ""));
                let body = ["POST", "PUT", "PATCH"].contains(&method.as_str());
                let reply =
                    app.exchange(&method, &filled, &[], body.then(|| "{}".to_owned())).await;
                let detail = reply.body["detail"].as_str().unwrap_or_default();
                let nothing = reply.status == 404 && detail.contains("endpoint");
                assert!(reply.status != 405 && !nothing, "{method} {path}: {}", reply.body);
                assert!(reply.status < 500 || reply.status == 501, "{method} {path}: {detail}");
            }
        }
    }

    /// Proves SCIM-152, SCIM-162, SCIM-163.
    async fn every_published_schema_is_whole(app: TestApp) {
        let all = app.get("/Schemas").await.expect(200).body;
        for document in all["Resources"].as_array().unwrap() {
            let urn = document["id"].as_str().unwrap();
            assert!(urn.starts_with("urn:"), "{urn}");
            assert!(!document["name"].as_str().unwrap().is_empty());
            let schema = Schema::from_document(document).unwrap();
            for attribute in every_attribute(&schema.attributes) {
                let name = &attribute.name;
                assert!(attribute.description.len() > 3, "{urn}:{name} is not described");
                assert_eq!(attribute.kind == Type::Complex, !attribute.sub.is_empty(), "{name}");
                let is_reference = attribute.kind == Type::Reference;
                assert_eq!(is_reference, !attribute.references.is_empty(), "{urn}:{name}");
                for kind in &attribute.references {
                    let known = ["external", "uri"].contains(&kind.as_str());
                    assert!(known || app.app.registry().by_name(kind).is_some(), "{urn}:{name}");
                }
            }
            for common in ["id", "externalId", "meta", "schemas"] {
                assert!(schema.attribute(common).is_none(), "{urn} repeats {common}");
            }
        }
    }

    /// Proves SCIM-154.
    async fn messages_are_no_schemas(app: TestApp) {
        let all = app.get("/Schemas").await.expect(200).body;
        assert!(!all.to_string().contains(":messages:2.0:Error"));
        for message in ["Error", "ListResponse", "PatchOp", "SearchRequest", "BulkRequest"] {
            let urn = format!("urn:ietf:params:scim:api:messages:2.0:{message}");
            assert!(app.get(&format!("/Schemas/{urn}")).await.refused(404, "").contains(&urn));
        }
    }
}
