//! What is asked of a server, as bytes on the wire.

use std::io::Write as _;

use crate::people;
use crate::raw::ROWS;
use crate::site::Site;

/// How many users one Bulk request creates, and one raw transaction of the same rows.
pub(crate) const BULK: usize = 1_000;

/// One kind of request to Usher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    Read,
    UserName,
    ExternalId,
    Email,
    Create,
    Patch,
    Put,
    /// Adds and removes one member in turn; the group is the smallest, or the one of this size.
    Member(usize),
    Bulk,
    Password,
    /// A page of 100 from here: 0 is the first, 50 the middle, 100 the last.
    Page(usize),
}

/// Which request of a run this is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    /// The connection, and how many there are.
    pub(crate) lane: usize,
    pub(crate) lanes: usize,
    /// The how manieth request of this connection.
    pub(crate) turn: usize,
}

/// A request to the raw limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RawWorkload {
    /// One row by its key.
    Read,
    /// One row inserted.
    Write,
    /// The rows of [`BULK`] users in one transaction.
    Rows,
}

impl RawWorkload {
    /// Appends the request.
    pub(crate) fn write(self, ticket: Ticket, out: &mut Vec<u8>) {
        let number = (ticket.turn * ticket.lanes + ticket.lane).wrapping_mul(7_919);
        match self {
            Self::Read => get(out, &format!("/row/{}", number % ROWS), ""),
            Self::Write => send(out, "POST", "/row", "", &"x".repeat(1_500)),
            Self::Rows => send(out, "POST", "/rows", "", ""),
        }
    }
}

impl Workload {
    /// Appends the request.
    pub(crate) fn write(self, site: &Site, ticket: Ticket, out: &mut Vec<u8>) {
        let token = site.token();
        match self {
            Self::Read => get(out, &format!("/scim/v2/Users/{}", site.some_user().1), token),
            Self::UserName => find(out, site, "userName", &people::user_name(site.some_user().0)),
            Self::ExternalId => {
                find(out, site, "externalId", &people::external_id(site.some_user().0));
            }
            Self::Email => find(out, site, "emails.value", &people::user_name(site.some_user().0)),
            Self::Create => create_by(out, site, token),
            Self::Patch => {
                let (id, active) = site.next_to_switch();
                let operation = format!(r#"{{"op":"replace","path":"active","value":{active}}}"#);
                let path = format!("/scim/v2/Users/{id}");
                send(out, "PATCH", &path, token, &people::patch(&operation));
            }
            Self::Put => {
                let (number, id) = site.some_user();
                let body = people::promoted(number, site.visits());
                send(out, "PUT", &format!("/scim/v2/Users/{id}"), token, &body);
            }
            Self::Member(members) => member(out, site, members, ticket),
            Self::Bulk => bulk(out, site, BULK),
            Self::Password => {
                let body = people::user_with_password(site.new_users(1));
                send(out, "POST", "/scim/v2/Users", token, &body);
            }
            Self::Page(percent) => {
                let last = site.size().saturating_sub(100);
                let path =
                    format!("/scim/v2/Users?count=100&startIndex={}", last * percent / 100 + 1);
                get(out, &path, token);
            }
        }
    }

    /// How many users one request makes, where that is what counts.
    pub(crate) fn users(self) -> usize {
        if self == Self::Bulk { BULK } else { 1 }
    }
}

/// Appends a request that creates a user, by this token.
pub(crate) fn create_by(out: &mut Vec<u8>, site: &Site, token: &str) {
    send(out, "POST", "/scim/v2/Users", token, &people::user(site.new_users(1)));
}

/// Appends a Bulk request that creates so many users.
pub(crate) fn bulk(out: &mut Vec<u8>, site: &Site, users: usize) {
    bulk_by(out, site, site.token(), users);
}

/// The same, by this token.
pub(crate) fn bulk_by(out: &mut Vec<u8>, site: &Site, token: &str, users: usize) {
    let from = site.new_users(users);
    send(out, "POST", "/scim/v2/Bulk", token, &people::bulk(from..from + users));
}

fn find(out: &mut Vec<u8>, site: &Site, attribute: &str, value: &str) {
    let path = format!("/scim/v2/Users?filter={attribute}%20eq%20%22{value}%22");
    get(out, &path, site.token());
}

/// Each connection adds somebody of its own, then removes them again.
fn member(out: &mut Vec<u8>, site: &Site, members: usize, ticket: Ticket) {
    let (members, group) = site.group(members);
    let others = site.size() - members;
    let place = members + (ticket.turn / 2 * ticket.lanes + ticket.lane) % others;
    let id = site.user(place);
    let operation = if ticket.turn.is_multiple_of(2) {
        format!(r#"{{"op":"add","path":"members","value":[{{"value":"{id}"}}]}}"#)
    } else {
        format!(r#"{{"op":"remove","path":"members[value eq \"{id}\"]"}}"#)
    };
    let path = format!("/scim/v2/Groups/{group}");
    send(out, "PATCH", &path, site.token(), &people::patch(&operation));
}

/// Appends a GET.
pub(crate) fn get(out: &mut Vec<u8>, path: &str, token: &str) {
    write!(out, "GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\r\n")
        .unwrap();
}

/// Appends a request with a body.
pub(crate) fn send(out: &mut Vec<u8>, method: &str, path: &str, token: &str, body: &str) {
    write!(
        out,
        "{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\
         content-type: application/scim+json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
}
