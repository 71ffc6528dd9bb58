//! `openapi.yaml` and `schemas/`: made from the table of routes and the attribute tables.

use serde_json::{Map, Value, json};

use crate::http::routes::{Access, routes};
use crate::scim::resource_type::{Registry, Writes};

pub mod docs;
pub mod messages;
pub mod operation;
pub mod schema;

/// The OpenAPI 3.1 document of a server that serves these resource types.
pub fn document(registry: &Registry) -> Value {
    let mut paths = Map::new();
    for route in routes(registry) {
        let item = paths.entry(route.path.clone()).or_insert_with(|| json!({}));
        item[route.row.method.to_ascii_lowercase()] = operation::of(&route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Usher",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "SCIM 2.0 provisioning server.",
            "description": "Identity providers push users and groups into it (RFC 7643, RFC 7644). \
                The tenant is known from the bearer token. What is served below /scim/v2 is served \
                below /scim as well. HEAD works wherever GET does; OPTIONS names the methods.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "The public URL of the installation." }],
        "security": [{ "bearer": [] }],
        "tags": tags(registry),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token made by `usher token create`.",
                },
            },
            "schemas": schemas(registry),
        },
    })
}

/// The document as YAML.
pub fn yaml(document: &Value) -> Result<String, String> {
    yaml_serde::to_string(document).map_err(|error| error.to_string())
}

/// Every generated file: its path below the root of the source tree, and its text.
pub fn files(registry: &Registry) -> Result<Vec<(String, String)>, String> {
    let mut files = vec![("openapi.yaml".to_owned(), yaml(&document(registry))?)];
    for schema in registry.schemas() {
        let name = file_name(&schema.name);
        let kind = registry.all().find(|kind| kind.schema.id == schema.id);
        let json_schema = match kind {
            Some(kind) => schema::standalone(&schema.id, schema::answer(kind)),
            None => schema::standalone(&schema.id, schema::extension(schema)),
        };
        files.push((format!("schemas/{name}.scim.json"), pretty(&schema.to_document(""))?));
        files.push((format!("schemas/{name}.schema.json"), pretty(&json_schema)?));
    }
    Ok(files)
}

fn pretty(value: &Value) -> Result<String, String> {
    serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(|error| error.to_string())
}

/// `EnterpriseUser` is `enterprise-user`.
fn file_name(name: &str) -> String {
    let mut file = String::new();
    for (place, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && place > 0 {
            file.push('-');
        }
        file.extend(letter.to_lowercase().filter(|letter| letter.is_alphanumeric()));
    }
    file
}

fn tags(registry: &Registry) -> Value {
    let kinds =
        registry.all().map(|kind| json!({ "name": kind.name, "description": kind.description }));
    let others = [
        ("Query", "All resource types at once."),
        ("Bulk", "Many operations in one request (RFC 7644 s3.7, RFC 9967 s2.5.1)."),
        ("Discovery", "What the server supports; readable without a token."),
        ("Sessions", "Signing in, for the product behind."),
        ("Administration", "What administrators set up and read beyond SCIM."),
        ("People", "Pages for people: activation, signing in, new passwords. Forms carry a token that the page before has, and its cookie."),
        ("Operations", "For those who run the server."),
    ]
    .map(|(name, description)| json!({ "name": name, "description": description }));
    kinds.chain(others).collect()
}

fn schemas(registry: &Registry) -> Map<String, Value> {
    let mut all = Map::new();
    for kind in registry.all() {
        all.insert(kind.name.clone(), schema::answer(kind));
        all.insert(format!("{}List", kind.name), messages::list(&kind.name));
    }
    for kind in registry.types().iter().filter(|kind| kind.writes != Writes::Nothing) {
        all.insert(format!("{}Input", kind.name), schema::input(kind));
    }
    let names = registry.types().iter().map(|kind| kind.name.as_str());
    all.insert("ListResponse".to_owned(), messages::list_of_any(names));
    for (name, message) in messages::fixed() {
        all.insert(name.to_owned(), message);
    }
    all
}

/// `security` of an operation; none where it is the document's own.
fn security(access: Access) -> Option<Value> {
    match access {
        Access::Open => Some(json!([])),
        Access::Discovery => Some(json!([{}, { "bearer": [] }])),
        Access::Token | Access::Scope(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every `$ref` of the document.
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(target)) = map.get("$ref") {
                    found.push(target);
                }
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_points_to_something() {
        let document = document(&Registry::standard());
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 20);
        for target in found {
            assert!(document.pointer(target.trim_start_matches('#')).is_some(), "{target}");
        }
    }

    #[test]
    fn every_component_is_a_schema_that_compiles() {
        let document = document(&Registry::standard());
        let names: Vec<_> =
            document["components"]["schemas"].as_object().unwrap().keys().cloned().collect();
        for name in names {
            let mut schema = document.clone();
            schema["$ref"] = format!("#/components/schemas/{name}").into();
            jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }

    #[test]
    fn names_of_files_are_words_with_hyphens() {
        assert_eq!(file_name("EnterpriseUser"), "enterprise-user");
        assert_eq!(file_name("Group"), "group");
    }
}
