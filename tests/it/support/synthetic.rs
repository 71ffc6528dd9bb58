//! An Usher that serves two more resource types than the product: one made from a schema document,
//! one from an annotated struct. The product knows neither.

use std::ops::Deref;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use usher::scim::resource_type::{Extension, Registry, ResourceType};
use usher::scim::schema::Schema;
use usher::store::StoreSettings;

use super::app::TestApp;
use super::{Directory, Opened};

/// The URN of the type that a document describes.
pub(crate) const CORE: &str = "urn:ietf:params:scim:schemas:test:2.0:TestResource";
/// The URN of its extension, which every resource must have.
pub(crate) const EXTENSION: &str = "urn:ietf:params:scim:schemas:extension:test:2.0:TestResource";
/// The URN of the type that a struct describes.
pub(crate) const DESK: &str = "urn:example:params:scim:schemas:test:2.0:Desk";

/// A test's Usher with both types.
pub(crate) struct Synthetic(TestApp);

impl Opened for Synthetic {
    async fn open(settings: StoreSettings, directory: Directory) -> Self {
        Self(TestApp::with_registry(settings, directory, registry()).await)
    }
}

impl Deref for Synthetic {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.0
    }
}

/// Desk
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-scim-urn" = DESK))]
struct Desk {
    /// The number on the desk.
    #[schemars(extend("x-scim" = json!({ "required": true, "uniqueness": "server" })))]
    number: String,
    /// How high it is, in centimetres.
    #[schemars(extend("x-scim" = json!({ "indexed": true })))]
    height: Option<i64>,
    /// Who sits at it.
    sitter: Option<Sitter>,
    /// What stands on it.
    things: Vec<String>,
    /// What opens its drawer; kept as a hash.
    #[schemars(extend("x-scim" = json!({
        "mutability": "writeOnly", "returned": "never", "source": "secret"
    })))]
    pin: Option<String>,
}

/// A person at a desk.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Sitter {
    /// The id of the user.
    #[schemars(extend("x-scim" = json!({ "caseExact": true })))]
    value: Option<String>,
    /// The URI of the user.
    #[serde(rename = "$ref")]
    #[schemars(extend("x-scim" = json!({
        "type": "reference", "referenceTypes": ["User"], "mutability": "readOnly", "source": "link"
    })))]
    reference: Option<String>,
    /// The name of the user.
    #[schemars(extend("x-scim" = json!({ "mutability": "readOnly", "source": "label" })))]
    display: Option<String>,
}

/// What the product serves, and one row for each type.
fn registry() -> Registry {
    let file: Value = serde_json::from_str(include_str!("../../data/test_resource.json")).unwrap();
    let schema = |key: &str| Schema::from_document(&file[key]).unwrap();
    let extension = Extension { schema: schema("extension"), required: true };
    let text = |key: &str| file[key].as_str().unwrap();
    Registry::standard()
        .with(ResourceType::new(text("name"), text("endpoint"), schema("core"), vec![extension]))
        .with(ResourceType::new("Desk", "/Desks", Schema::from_struct::<Desk>(), Vec::new()))
}

/// A body with the attributes that every resource must have.
pub(crate) fn least(identifier: &str) -> Value {
    json!({
        "schemas": [CORE, EXTENSION],
        "identifier": identifier,
        (EXTENSION): { "extRequired": "there" },
    })
}

/// A body with a value for every attribute that a client may set.
pub(crate) fn full(identifier: &str) -> Value {
    json!({
        "schemas": [CORE, EXTENSION],
        "identifier": identifier,
        "externalId": format!("x-{identifier}"),
        "caseExactString": "Größe",
        "caseInsensitiveString": "Hello World",
        "integerAttr": 42,
        "decimalAttr": 2.5,
        "booleanAttr": true,
        "dateTimeAttr": "2026-03-01T10:00:00Z",
        "binaryAttr": "aGVsbG8=",
        "referenceAttr": "https://example.com/a",
        "immutableAttr": "once",
        "writeOnlyAttr": "secret",
        "requestOnlyAttr": "quiet",
        "alwaysReturnedAttr": "loud",
        "multiStrings": ["One", "two"],
        "complexAttr": { "sub1": "Inner", "sub2": 7, "sub3": true },
        "multiComplex": [
            { "value": "v1", "type": "a", "primary": true },
            { "value": "v2", "type": "b" },
        ],
        "uniqueString": format!("U-{identifier}"),
        (EXTENSION): { "extString": "More", "extRequired": "there", "extInteger": 3 },
    })
}
