//! Short ways to ask the test server for something.

use serde_json::{Value, json};

use super::app::{Reply, TestApp};

pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

pub(crate) const CONTACT_CENTER: &str = "urn:ietf:params:scim:schemas:extension:usher:2.0:User";
pub(crate) const SEAT: &str = "urn:ietf:params:scim:schemas:extension:usher-seat:2.0:User";
pub(crate) const INVITATION: &str =
    "urn:ietf:params:scim:schemas:extension:usher-invitation:2.0:User";
pub(crate) const GROUP_MAPPING: &str = "urn:ietf:params:scim:schemas:extension:usher:2.0:Group";

/// The body of a user with this name and whatever else is given.
pub(crate) fn user(name: &str, more: &Value) -> Value {
    merged(json!({ "schemas": [USER], "userName": name }), more)
}

/// The body of a group with this name and whatever else is given.
pub(crate) fn group(name: &str, more: &Value) -> Value {
    merged(json!({ "schemas": [GROUP], "displayName": name }), more)
}

fn merged(mut body: Value, more: &Value) -> Value {
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

/// The texts at this pointer in each element of a list.
pub(crate) fn texts(list: &Value, pointer: &str) -> Vec<String> {
    let text = |item: &Value| item.pointer(pointer)?.as_str().map(str::to_owned);
    list.as_array().into_iter().flatten().filter_map(text).collect()
}

impl TestApp {
    /// Sends a request with these headers.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Reply {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.exchange(method, path, &headers, body.map(Value::to_string)).await
    }

    /// Creates a user of this name with more attributes; gives the answer.
    pub(crate) async fn user_with(&self, name: &str, more: &Value) -> Reply {
        self.post("/Users", &user(name, more)).await.expect(201)
    }

    /// The user names that a query finds, in its order.
    pub(crate) async fn names(&self, path: &str) -> Vec<String> {
        texts(&self.get(path).await.expect(200).body["Resources"], "/userName")
    }

    /// The user names that a filter finds, in alphabetical order.
    pub(crate) async fn found(&self, filter: &str) -> Vec<String> {
        let reply = self.find("/Users", filter).await.expect(200);
        let mut names = texts(&reply.body["Resources"], "/userName");
        names.sort_unstable();
        names
    }

    /// The version of a resource.
    pub(crate) async fn version(&self, path: &str) -> String {
        self.get(path).await.expect(200).header("etag").to_owned()
    }
}
