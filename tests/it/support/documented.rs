//! Every answer that a test sees is compared with what `openapi.yaml` says about it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use http::HeaderMap;
use jsonschema::Validator;
use serde_json::{Map, Value, json};
use usher::http::openapi;
use usher::scim::resource_type::Registry;

/// The OpenAPI document of a server, and a validator for each answer that was seen so far.
#[derive(Debug)]
pub(crate) struct Contract {
    /// The document with every object closed: members that are not documented are mistakes.
    document: Value,
    validators: Mutex<BTreeMap<String, Arc<Validator>>>,
}

/// An answer, and what it answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exchange<'a> {
    pub(crate) method: &'a str,
    /// The path of the request, without its query.
    pub(crate) path: &'a str,
    pub(crate) status: u16,
    pub(crate) headers: &'a HeaderMap,
    /// Null when there is no body.
    pub(crate) body: &'a Value,
    /// Whether a create may be answered without the resource.
    pub(crate) bare: bool,
}

impl Contract {
    /// The contract of a server of these resource types.
    pub(crate) fn of(registry: &Registry) -> Arc<Self> {
        static KNOWN: OnceLock<Mutex<BTreeMap<String, Arc<Contract>>>> = OnceLock::new();
        let key: Vec<_> = registry.schemas().into_iter().map(|schema| schema.id.clone()).collect();
        let mut known = KNOWN.get_or_init(Mutex::default).lock().unwrap();
        let contract = known.entry(key.join(" ")).or_insert_with(|| {
            let mut document = openapi::document(registry);
            close(&mut document);
            Arc::new(Self { document, validators: Mutex::default() })
        });
        Arc::clone(contract)
    }

    /// Panics when the answer is not one that the document describes.
    #[track_caller]
    pub(crate) fn check(&self, seen: Exchange<'_>) {
        let Exchange { method, path, status, body, .. } = seen;
        if ["HEAD", "OPTIONS"].contains(&method) {
            return;
        }
        let operation = self.template(method, path).and_then(|template| {
            let operation = &self.document["paths"][&template][method.to_ascii_lowercase()];
            (!operation.is_null()).then_some((template, operation))
        });
        let (name, answer) = match operation {
            Some((template, operation)) => answer(&template, operation, seen),
            None if status >= 400 => ("no operation".to_owned(), self.error()),
            None => panic!("{method} {path} answers {status} and is not documented"),
        };
        let Some(content) = answer["content"].as_object() else {
            assert!(
                body.is_null(),
                "{method} {path}: {status} is documented without a body: {body}"
            );
            return;
        };
        if body.is_null() && status == 201 && seen.bare {
            return;
        }
        let kind = seen.headers.get("content-type").map_or("", |kind| kind.to_str().unwrap());
        let kind = kind.split(';').next().unwrap_or_default();
        let schema = content.get(kind).map(|content| &content["schema"]);
        let schema = schema
            .unwrap_or_else(|| panic!("{method} {path}: {status} is not documented as '{kind}'"));
        let validator = self.validator(&format!("{name} {kind}"), schema);
        let wrong: Vec<_> = validator
            .iter_errors(body)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(
            wrong.is_empty(),
            "{method} {path}: {status} is not answered as documented: {}\n{body}",
            wrong.join("; ")
        );
    }

    /// What is answered where nothing is: the error of any operation.
    fn error(&self) -> &Value {
        &self.document["paths"]["/scim/v2/Schemas"]["get"]["responses"]["default"]
    }

    fn validator(&self, name: &str, schema: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap();
        let validator = validators.entry(name.to_owned()).or_insert_with(|| {
            let schema = json!({
                "allOf": [schema],
                "components": { "schemas": self.document["components"]["schemas"] },
            });
            Arc::new(jsonschema::validator_for(&schema).unwrap())
        });
        Arc::clone(validator)
    }

    /// The documented path that this path is an instance of; one without a parameter comes first.
    fn template(&self, method: &str, path: &str) -> Option<String> {
        let given = segments(path);
        let paths = self.document["paths"].as_object().unwrap();
        let mut found: Vec<_> = paths
            .iter()
            .filter(|(template, _)| fits(&segments(template), &given))
            .map(|(template, item)| {
                (item.get(method.to_ascii_lowercase()).is_none(), template.contains('{'), template)
            })
            .collect();
        found.sort_unstable();
        found.first().map(|(_, _, template)| (*template).clone())
    }
}

/// The documented answer of this status, and a name for it.
fn answer<'a>(template: &str, operation: &'a Value, seen: Exchange<'_>) -> (String, &'a Value) {
    let Exchange { method, path, status, .. } = seen;
    let answers = &operation["responses"];
    let found = answers.get(status.to_string());
    let found = found.or_else(|| answers.get("default").filter(|_| status >= 400));
    let found =
        found.unwrap_or_else(|| panic!("{method} {path}: status {status} is not documented"));
    (format!("{method} {template} {status}"), found)
}

/// The segments of a path below the public URL, versioned as the document has them.
fn segments(path: &str) -> Vec<String> {
    let mut segments: Vec<_> =
        path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    if segments.first().is_some_and(|first| first == "scim")
        && segments.get(1).is_none_or(|second| !second.starts_with('v'))
    {
        segments.insert(1, "v2".to_owned());
    }
    segments
}

fn fits(template: &[String], given: &[String]) -> bool {
    template.len() == given.len()
        && template
            .iter()
            .zip(given)
            .all(|(part, given)| part.starts_with('{') || part.eq_ignore_ascii_case(given))
}

/// Forbids members that no `properties` names.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("properties").is_some_and(Value::is_object) && is_object(map) {
                map.entry("additionalProperties").or_insert(Value::Bool(false));
            }
            map.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_object(schema: &Map<String, Value>) -> bool {
    schema.get("type").is_some_and(|kind| kind == "object")
}
