//! Schemas: attribute tables made from Rust structs or from SCIM schema documents.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::scim::attribute::{
    self, Attribute, Format, Mutability, Returned, Source, Type, Uniqueness,
};
use crate::scim::urn;

/// A schema (RFC 7643 s7): its URN and its attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// The URN.
    pub id: String,
    /// A short name.
    pub name: String,
    /// What it is, for people.
    pub description: String,
    /// Top-level attributes in the order in which they are shown.
    pub attributes: Vec<Attribute>,
}

/// The keys of `x-scim` beside a field; those left out have the defaults of RFC 7643 s2.2.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of two values")]
struct Hints {
    r#type: Option<Type>,
    required: bool,
    case_exact: Option<bool>,
    mutability: Mutability,
    returned: Returned,
    uniqueness: Uniqueness,
    canonical_values: Vec<String>,
    reference_types: Vec<String>,
    indexed: bool,
    state: bool,
    source: Source,
    format: Option<Format>,
    delimited: bool,
    names: bool,
    normal: Option<String>,
}

/// An attribute of a schema document, as `/Schemas` serves it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Published {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default = "string")]
    r#type: Type,
    #[serde(default)]
    multi_valued: bool,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    case_exact: bool,
    #[serde(default)]
    mutability: Mutability,
    #[serde(default)]
    returned: Returned,
    #[serde(default)]
    uniqueness: Uniqueness,
    #[serde(default)]
    canonical_values: Vec<String>,
    #[serde(default)]
    reference_types: Vec<String>,
    #[serde(default)]
    sub_attributes: Vec<Published>,
}

fn string() -> Type {
    Type::String
}

impl Schema {
    /// The schema of an annotated struct: its doc comments are the descriptions, `x-scim` beside a
    /// field holds the characteristics, `x-scim-urn` on the struct holds the URN.
    ///
    /// # Panics
    /// When an annotation is malformed; a unit test makes every schema once.
    pub fn from_struct<T: JsonSchema>() -> Self {
        let root = json_schema::<T>();
        let text = |key: &str| root[key].as_str().unwrap_or_default().to_owned();
        Self {
            id: text("x-scim-urn"),
            name: text("title"),
            description: text("description"),
            attributes: attributes_of(&root),
        }
    }

    /// The schema of a document in the form of RFC 7643 s7.
    ///
    /// A writeOnly attribute is stored like any other and never shown.
    pub fn from_document(document: &Value) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Document {
            id: String,
            #[serde(default)]
            name: String,
            #[serde(default)]
            description: String,
            attributes: Vec<Published>,
        }
        let document = Document::deserialize(document)?;
        Ok(Self {
            id: document.id,
            name: document.name,
            description: document.description,
            attributes: document.attributes.into_iter().map(Attribute::from).collect(),
        })
    }

    /// The top-level attribute of this name, compared without case.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        attribute::find(&self.attributes, name)
    }

    /// The document served at `/Schemas/{urn}`; `base` is the SCIM base URL.
    pub fn to_document(&self, base: &str) -> Value {
        json!({
            "schemas": [urn::SCHEMA],
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "attributes": self.attributes.iter().map(published).collect::<Vec<_>>(),
            "meta": {
                "resourceType": "Schema",
                "location": format!("{base}/Schemas/{}", self.id),
            },
        })
    }
}

/// The JSON Schema (2020-12) of a struct, sub-schemas inlined, `null` not among the types: SCIM
/// leaves out what has no value (RFC 7643 s2.5).
pub fn json_schema<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.inline_subschemas = true;
    let mut root = settings.into_generator().into_root_schema_for::<T>().to_value();
    drop_null(&mut root);
    root
}

fn drop_null(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|name| name != "null");
                if let [single] = types.as_slice() {
                    let single = single.clone();
                    map.insert("type".to_owned(), single);
                }
            }
            if let Some(Value::Array(options)) = map.get_mut("anyOf") {
                options.retain(|option| option["type"] != "null");
                if let [Value::Object(single)] = options.as_slice() {
                    let single = single.clone();
                    map.shift_remove("anyOf");
                    for (key, value) in single {
                        map.entry(key).or_insert(value);
                    }
                }
            }
            map.values_mut().for_each(drop_null);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_null),
        _ => {}
    }
}

fn attributes_of(object: &Value) -> Vec<Attribute> {
    let empty = Map::new();
    object["properties"]
        .as_object()
        .unwrap_or(&empty)
        .iter()
        .map(|(name, property)| attribute_of(name, property))
        .collect()
}

fn attribute_of(name: &str, property: &Value) -> Attribute {
    let hints = match property.get("x-scim") {
        Some(hints) => Hints::deserialize(hints)
            .unwrap_or_else(|error| panic!("x-scim of attribute {name}: {error}")),
        None => Hints::default(),
    };
    let multi = property["type"] == "array";
    let element = if multi { &property["items"] } else { property };
    let kind = hints.r#type.unwrap_or_else(|| match element["type"].as_str() {
        Some("boolean") => Type::Boolean,
        Some("integer") => Type::Integer,
        Some("number") => Type::Decimal,
        Some("object") => Type::Complex,
        _ => Type::String,
    });
    // RFC 7643 s2.3.7 (errata 6001, 8472) and s2.3.6: references and binaries are case-exact.
    let exact = matches!(kind, Type::Reference | Type::Binary);
    Attribute {
        description: property["description"].as_str().unwrap_or_default().to_owned(),
        multi,
        required: hints.required,
        case_exact: hints.case_exact.unwrap_or(exact),
        mutability: hints.mutability,
        returned: hints.returned,
        uniqueness: hints.uniqueness,
        canonical: hints.canonical_values,
        references: hints.reference_types,
        indexed: hints.indexed,
        state: hints.state,
        source: hints.source,
        format: hints.format,
        delimited: hints.delimited,
        names: hints.names,
        normal: hints.normal,
        sub: attributes_of(element),
        ..Attribute::new(name, kind)
    }
}

impl From<Published> for Attribute {
    fn from(published: Published) -> Self {
        Self {
            description: published.description,
            multi: published.multi_valued,
            required: published.required,
            case_exact: published.case_exact,
            mutability: published.mutability,
            returned: published.returned,
            uniqueness: published.uniqueness,
            canonical: published.canonical_values,
            references: published.reference_types,
            sub: published.sub_attributes.into_iter().map(Self::from).collect(),
            ..Self::new(&published.name, published.r#type)
        }
    }
}

/// An attribute as `/Schemas` shows it. All characteristics are written out: midPoint's connector
/// needs `caseExact`, `mutability`, `returned` and `uniqueness` on every attribute.
fn published(attribute: &Attribute) -> Value {
    let mut shown = json!({
        "name": attribute.name,
        "type": attribute.kind,
        "multiValued": attribute.multi,
        "description": attribute.description,
        "required": attribute.required,
        "caseExact": attribute.case_exact,
        "mutability": attribute.mutability,
        "returned": attribute.returned,
        "uniqueness": attribute.uniqueness,
    });
    if !attribute.canonical.is_empty() {
        shown["canonicalValues"] = json!(attribute.canonical);
    }
    if !attribute.references.is_empty() {
        shown["referenceTypes"] = json!(attribute.references);
    }
    if attribute.is_complex() {
        shown["subAttributes"] = attribute.sub.iter().map(published).collect();
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::resources::user::User;

    /// Proves SCIM-049.
    #[test]
    fn characteristics_left_out_have_the_defaults_of_the_rfc() {
        let schema =
            Schema::from_document(&json!({ "id": "urn:x", "attributes": [{ "name": "a" }] }))
                .unwrap();
        assert_eq!(schema.attributes, [Attribute::new("a", Type::String)]);
    }

    #[test]
    fn a_struct_and_its_published_document_are_one_schema() {
        let made = Schema::from_struct::<User>();
        let read = Schema::from_document(&made.to_document("http://x")).unwrap();
        let names = |schema: &Schema| {
            schema.attributes.iter().map(|found| found.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(&made), names(&read));
        assert_eq!(made.to_document("b"), read.to_document("b"));
    }
}
