use serde_json::json;

use super::*;
use crate::scim::urn;

const NOW: Micros = Micros(1_000_000);

fn linked(id: &str, kind: &str, label: &str) -> Linked {
    Linked {
        id: id.to_owned(),
        kind: kind.to_owned(),
        label: label.to_owned(),
        direct: true,
        doc: None,
    }
}

fn rendered(kind: &str, doc: &Value, parts: &Parts<'_>, quirks: Quirks) -> Value {
    let registry = Registry::standard();
    let renderer = Renderer { registry: &registry, base: "http://u/scim/v2", quirks };
    let rt = registry.by_name(kind).unwrap();
    renderer.document(rt, doc.as_object().unwrap(), parts).into()
}

/// Proves SCIM-083, SCIM-090, SCIM-099, SCIM-100, SCIM-102, SCIM-103, SCIM-121, SCIM-136.
#[test]
fn a_user_shows_what_belongs_to_it_in_the_order_of_the_schemas() {
    let doc = json!({
        "userName": "ida",
        "externalId": "x1",
        urn::ENTERPRISE: { "manager": { "value": "m" } },
        "active": true,
    });
    let links = HashMap::from([("m".to_owned(), linked("m", "User", "Bo"))]);
    let groups =
        [linked("g1", "Group", "Desk"), Linked { direct: false, ..linked("g2", "Group", "All") }];
    let parts = Parts {
        id: "u",
        version: 4,
        created: NOW,
        modified: NOW,
        members: None,
        groups: Some(&groups),
        links: &links,
        counted: None,
    };
    let expected = json!({
        "schemas": [urn::USER, urn::ENTERPRISE],
        "id": "u",
        "externalId": "x1",
        "userName": "ida",
        "active": true,
        "groups": [
            {
                "value": "g1",
                "$ref": "http://u/scim/v2/Groups/g1",
                "display": "Desk",
                "type": "direct",
            },
            {
                "value": "g2",
                "$ref": "http://u/scim/v2/Groups/g2",
                "display": "All",
                "type": "indirect",
            },
        ],
        urn::ENTERPRISE: {
            "manager": {
                "value": "m",
                "$ref": "http://u/scim/v2/Users/m",
                "displayName": "Bo",
            },
        },
        "meta": {
            "resourceType": "User",
            "created": "1970-01-01T00:00:01.000000Z",
            "lastModified": "1970-01-01T00:00:01.000000Z",
            "location": "http://u/scim/v2/Users/u",
            "version": "W/\"4\"",
        },
    });
    // Compared as text: the order counts too.
    let shown = rendered("User", &doc, &parts, Quirks::ALL).to_string();
    assert_eq!(shown, expected.to_string());
}

fn plain(links: &HashMap<String, Linked>) -> Parts<'_> {
    Parts {
        id: "g",
        version: 1,
        created: NOW,
        modified: NOW,
        members: None,
        groups: Some(&[]),
        links,
        counted: None,
    }
}

#[test]
fn a_manager_who_is_not_there_has_no_address() {
    let none = HashMap::new();
    let doc = json!({ "userName": "ida", urn::ENTERPRISE: { "manager": { "value": "m" } } });
    let shown = rendered("User", &doc, &plain(&none), Quirks::ALL);
    assert_eq!(shown[urn::ENTERPRISE]["manager"], json!({ "value": "m" }));
    // An id that belongs to something else than a user is no manager either.
    let wrong = HashMap::from([("m".to_owned(), linked("m", "Group", ""))]);
    let shown = rendered("User", &doc, &plain(&wrong), Quirks::ALL);
    assert_eq!(shown[urn::ENTERPRISE]["manager"], json!({ "value": "m" }));
}

/// Proves SCIM-081, SCIM-128, SCIM-131.
#[test]
fn members_are_a_list_even_when_there_are_none() {
    let none = HashMap::new();
    let members = [linked("u", "User", "Ida"), linked("h", "Group", "")];
    let doc = json!({ "displayName": "Desk" });
    let parts = Parts { members: Some(&members), ..plain(&none) };
    assert_eq!(
        rendered("Group", &doc, &parts, Quirks::ALL)["members"].to_string(),
        json!([
            { "value": "u", "$ref": "http://u/scim/v2/Users/u", "type": "User", "display": "Ida" },
            { "value": "h", "$ref": "http://u/scim/v2/Groups/h", "type": "Group" },
        ])
        .to_string()
    );
    let empty = Parts { members: Some(&[]), ..plain(&none) };
    assert_eq!(rendered("Group", &doc, &empty, Quirks::ALL)["members"], json!([]));
    let strict = Quirks::ALL.without(Quirk::EmptyMembers);
    assert_eq!(rendered("Group", &doc, &empty, strict).get("members"), None);
    assert_eq!(rendered("Group", &doc, &plain(&none), Quirks::ALL).get("members"), None);
}

#[test]
fn the_links_of_a_document_are_the_ids_that_it_refers_to() {
    let registry = Registry::standard();
    let rt = registry.by_name("User").unwrap();
    let links = |doc: Value| {
        let stored = doc.to_string();
        text::links(rt, &text::Raw::of(rt, &stored).unwrap())
    };
    let doc = json!({ "userName": "a", urn::ENTERPRISE: { "manager": { "value": "m" } } });
    assert_eq!(links(doc), ["m"]);
    assert!(links(json!({ "userName": "a" })).is_empty());
}
