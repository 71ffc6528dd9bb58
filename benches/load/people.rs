//! The users of the load run, and the messages about them.

use std::fmt::Write as _;

/// A user of about 660 bytes, core and enterprise extension.
pub(crate) fn user(number: usize) -> String {
    user_with(number, "Team Lead", "")
}

/// The same with a title of its own, so that a PUT changes something.
pub(crate) fn promoted(number: usize, turn: usize) -> String {
    user_with(number, &format!("Team Lead {turn}"), "")
}

/// The same with a password.
pub(crate) fn user_with_password(number: usize) -> String {
    user_with(number, "Team Lead", &format!(r#""password":"correct horse {number}","#))
}

fn user_with(number: usize, title: &str, more: &str) -> String {
    format!(
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"externalId":"{external}","userName":"{name}","name":{{"givenName":"Ines","familyName":"Moreau{number}","formatted":"Ines Moreau{number}"}},"displayName":"Ines Moreau {number}","title":"{title}",{more}"locale":"en-US","active":true,"emails":[{{"value":"{name}","type":"work","primary":true}}],"phoneNumbers":[{{"value":"+1 555 {number:07}","type":"mobile"}}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{{"employeeNumber":"E-{number}","department":"Support"}}}}"#,
        external = external_id(number),
        name = user_name(number),
    )
}

/// The `userName`, and the only address.
pub(crate) fn user_name(number: usize) -> String {
    format!("user{number}@northwind.example")
}

/// The `externalId`.
pub(crate) fn external_id(number: usize) -> String {
    format!("00u{number:017}")
}

/// A group without its members.
pub(crate) fn group(size: usize) -> String {
    format!(
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Group of {size}"}}"#
    )
}

/// A PATCH of one operation.
pub(crate) fn patch(operation: &str) -> String {
    format!(
        r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{operation}]}}"#
    )
}

/// A Bulk request that creates these users.
pub(crate) fn bulk(numbers: std::ops::Range<usize>) -> String {
    let mut body = String::from(
        r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":["#,
    );
    for (place, number) in numbers.enumerate() {
        let comma = if place == 0 { "" } else { "," };
        let user = user(number);
        write!(
            body,
            r#"{comma}{{"method":"POST","path":"/Users","bulkId":"u{place}","data":{user}}}"#
        )
        .unwrap();
    }
    body.push_str("]}");
    body
}
