use super::*;

const BASE: &str = "https://id.example.com/usher/scim/v2";

fn found(method: Method, path: &str, quirks: Quirks) -> String {
    let registry = Registry::standard();
    match target(method, path, &Site { registry: &registry, base: BASE, quirks }) {
        Ok(Target { kind, id: None }) => kind.name.clone(),
        Ok(Target { kind, id: Some(Id::Known(id)) }) => format!("{} {id}", kind.name),
        Ok(Target { kind, id: Some(Id::Bulk(name)) }) => format!("{} new {name}", kind.name),
        Err(Problem::NoEndpoint(path)) => format!("nothing at {path}"),
        Err(Problem::Scim(error)) => format!("{} {error}", error.scim_type()),
    }
}

/// Proves SCIM-408.
#[test]
fn a_path_is_read_in_every_way_in_which_clients_write_it() {
    let table = [
        (Method::Post, "/Users", "User"),
        (Method::Post, "Users", "User"),
        (Method::Post, "/Users/", "User"),
        (Method::Post, "/users", "User"),
        (Method::Post, "/v2/Groups", "Group"),
        (Method::Post, "/scim/v2/Groups", "Group"),
        (Method::Post, "/scim/Groups", "Group"),
        (Method::Post, "/usher/scim/v2/Groups", "Group"),
        (Method::Post, "https://id.example.com/usher/scim/v2/Users", "User"),
        (Method::Put, "/Users/1?attributes=id", "User 1"),
        (Method::Patch, "Groups/a%20b", "Group a b"),
        (Method::Delete, "/Users/bulkId:qwerty", "User new qwerty"),
        (Method::Delete, "/Users/bulkId%3Aq", "User new q"),
        (Method::Delete, "/Users/v2", "User v2"),
    ];
    for (method, path, expected) in table {
        assert_eq!(found(method, path, Quirks::ALL), expected, "{method} {path}");
    }
    assert_eq!(found(Method::Post, "/Users/", Quirks::NONE), "nothing at /Users/");
    assert_eq!(found(Method::Post, "/users", Quirks::NONE), "nothing at /users");
}

/// Proves SCIM-408, SCIM-432.
#[test]
fn a_path_that_leads_elsewhere_is_refused() {
    let table = [
        (Method::Post, "/Users/1", "invalidSyntax path: POST creates at an endpoint"),
        (Method::Put, "/Users", "invalidSyntax path: PUT needs one resource"),
        (Method::Delete, "/Groups/", "invalidSyntax path: DELETE needs one resource"),
        (Method::Post, "/Bulk", "invalidSyntax path: a bulk request cannot hold another"),
        (Method::Patch, "/Me", "invalidSyntax path: /Me cannot be used"),
        (Method::Post, "/.search", "invalidSyntax path: a bulk request changes resources"),
        (Method::Post, "/Users/.search", "invalidSyntax path: a bulk request changes"),
        (Method::Put, "/Schemas/x", "invalidSyntax path: '/Schemas/x' can be read"),
        (Method::Post, "/Robots", "nothing at /Robots"),
        (Method::Put, "/Users/1/name", "nothing at /Users/1/name"),
        (Method::Put, "/Users//1", "nothing at /Users//1"),
        (Method::Post, "https://elsewhere.example/scim/v2/Users", "nothing at https://else"),
        (Method::Post, "/", "nothing at /"),
        (Method::Post, "", "nothing at "),
        (Method::Post, "/v3/Users", "nothing at /v3/Users"),
    ];
    for (method, path, expected) in table {
        let found = found(method, path, Quirks::ALL);
        assert!(found.starts_with(expected), "{method} {path}: {found}");
    }
}

#[test]
fn a_reference_in_a_path_is_seen() {
    assert_eq!(reference("/Groups/bulkId:g").as_deref(), Some("g"));
    assert_eq!(reference("https://x/Groups/bulkId%3Ag/?a=b").as_deref(), Some("g"));
    for path in ["/Groups", "/bulkId:g/1", "", "/Users/1"] {
        assert_eq!(reference(path), None, "{path}");
    }
}
