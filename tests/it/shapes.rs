//! What a resource with a value in every attribute looks like.

use insta::{allow_duplicates, assert_json_snapshot};
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::asks::{ENTERPRISE, USER, group, user};
use crate::support::each_db;

/// A user with a value in every writable attribute.
pub(crate) fn complete(name: &str, manager: &str) -> Value {
    user(
        name,
        &json!({
            "schemas": [USER, ENTERPRISE],
            "externalId": "HR-0042",
            "name": {
                "formatted": "Dr. Ida Marie Holm, MSc", "familyName": "Holm", "givenName": "Ida",
                "middleName": "Marie", "honorificPrefix": "Dr.", "honorificSuffix": "MSc"
            },
            "displayName": "Ida Holm", "nickName": "Idi",
            "profileUrl": "https://people.lantern.example/ida", "title": "Shift lead",
            "userType": "Employee", "preferredLanguage": "da, en-GB;q=0.8", "locale": "da-DK",
            "timezone": "Europe/Copenhagen", "active": true, "password": "a long pass phrase",
            "emails": [
                { "value": "Ida@Lantern.Example", "display": "Desk", "type": "work", "primary": true },
                { "value": "ida@home.example", "type": "home" }
            ],
            "phoneNumbers": [{ "value": "555-555-8377", "type": "work" }],
            "ims": [{ "value": "Ida Holm", "type": "xmpp" }],
            "photos": [{ "value": "https://img.lantern.example/ida.png", "type": "photo" }],
            "addresses": [{
                "formatted": "Havnegade 1\n1058 København", "streetAddress": "Havnegade 1",
                "locality": "København", "region": "Hovedstaden", "postalCode": "1058",
                "country": "DK", "type": "work", "primary": true
            }],
            "entitlements": [{ "value": "recordings", "display": "Recordings", "type": "feature" }],
            "roles": [{ "value": "agent", "display": "Agent", "type": "desk", "primary": true }],
            "x509Certificates": [{ "value": "MIIBszCCAVmgAwIBAgIUQk5n", "type": "sign" }],
            ENTERPRISE: {
                "employeeNumber": "0042", "costCenter": "4130", "organization": "Lantern",
                "division": "Nordic", "department": "Front desk", "manager": { "value": manager }
            }
        }),
    )
}

each_db! {
    /// Proves SCIM-053, SCIM-054, SCIM-055, SCIM-077, SCIM-095, SCIM-106, SCIM-107, SCIM-109, SCIM-117,
    /// SCIM-118, SCIM-119, SCIM-135.
    async fn every_value_comes_back_as_it_was_sent(app: TestApp) {
        let boss = app.user("boss").await;
        let sent = complete("Ida.Holm@Lantern.Example", &boss);
        let reply = app.post("/Users", &sent).await.expect(201);
        let mut shown = reply.body;
        let manager = shown[ENTERPRISE]["manager"].take();
        assert_eq!(manager["value"], boss);
        assert_eq!(manager["displayName"], "boss");
        let mut wanted = sent;
        wanted[ENTERPRISE]["manager"] = Value::Null;
        wanted.as_object_mut().unwrap().remove("password");
        for (name, value) in wanted.as_object().unwrap() {
            assert_eq!(&shown[name], value, "{name}");
        }
        let names = app.found("externalId eq \"HR-0042\"").await;
        assert_eq!(names, ["Ida.Holm@Lantern.Example"]);
        assert!(app.found("externalId eq \"hr-0042\"").await.is_empty());
        let plain = app.get(&format!("/Users/{boss}")).await.body;
        for absent in ["externalId", "displayName", "name", "emails", "groups"] {
            assert_eq!(plain.get(absent), None, "{absent}");
        }
    }

    #[expect(clippy::too_many_lines, reason = "one line for each member")]
    async fn a_complete_user_looks_like_this(app: TestApp) {
        let boss = app.user_with("boss", &json!({ "displayName": "Tom Arve" })).await.id();
        let id = app.post("/Users", &complete("ida.holm", &boss)).await.expect(201).id();
        let inner = app.group("Night desk", &[&id]).await;
        app.group("Everybody", &[&inner]).await;
        let mut shown = app.get(&format!("/Users/{id}")).await.expect(200).body;
        let groups = shown["groups"].as_array_mut().unwrap();
        groups.sort_by_key(|group| group["type"].to_string());
        allow_duplicates! { assert_json_snapshot!(shown, {
            ".id" => "[id]",
            ".meta.created" => "[time]",
            ".meta.lastModified" => "[time]",
            ".meta.location" => "[location]",
            ".groups[].value" => "[id]",
            ".groups[][\"$ref\"]" => "[location]",
            ".*.manager.value" => "[id]",
            ".*.manager[\"$ref\"]" => "[location]",
        }, @r#"
        {
          "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
          ],
          "id": "[id]",
          "externalId": "HR-0042",
          "userName": "ida.holm",
          "name": {
            "formatted": "Dr. Ida Marie Holm, MSc",
            "familyName": "Holm",
            "givenName": "Ida",
            "middleName": "Marie",
            "honorificPrefix": "Dr.",
            "honorificSuffix": "MSc"
          },
          "displayName": "Ida Holm",
          "nickName": "Idi",
          "profileUrl": "https://people.lantern.example/ida",
          "title": "Shift lead",
          "userType": "Employee",
          "preferredLanguage": "da, en-GB;q=0.8",
          "locale": "da-DK",
          "timezone": "Europe/Copenhagen",
          "active": true,
          "emails": [
            {
              "value": "Ida@Lantern.Example",
              "display": "Desk",
              "type": "work",
              "primary": true
            },
            {
              "value": "ida@home.example",
              "type": "home"
            }
          ],
          "phoneNumbers": [
            {
              "value": "555-555-8377",
              "type": "work"
            }
          ],
          "ims": [
            {
              "value": "Ida Holm",
              "type": "xmpp"
            }
          ],
          "photos": [
            {
              "value": "https://img.lantern.example/ida.png",
              "type": "photo"
            }
          ],
          "addresses": [
            {
              "formatted": "Havnegade 1\n1058 København",
              "streetAddress": "Havnegade 1",
              "locality": "København",
              "region": "Hovedstaden",
              "postalCode": "1058",
              "country": "DK",
              "type": "work",
              "primary": true
            }
          ],
          "groups": [
            {
              "value": "[id]",
              "$ref": "[location]",
              "display": "Night desk",
              "type": "direct"
            },
            {
              "value": "[id]",
              "$ref": "[location]",
              "display": "Everybody",
              "type": "indirect"
            }
          ],
          "entitlements": [
            {
              "value": "recordings",
              "display": "Recordings",
              "type": "feature"
            }
          ],
          "roles": [
            {
              "value": "agent",
              "display": "Agent",
              "type": "desk",
              "primary": true
            }
          ],
          "x509Certificates": [
            {
              "value": "MIIBszCCAVmgAwIBAgIUQk5n",
              "type": "sign"
            }
          ],
          "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": "0042",
            "costCenter": "4130",
            "organization": "Lantern",
            "division": "Nordic",
            "department": "Front desk",
            "manager": {
              "value": "[id]",
              "$ref": "[location]",
              "displayName": "Tom Arve"
            }
          },
          "meta": {
            "resourceType": "User",
            "created": "[time]",
            "lastModified": "[time]",
            "location": "[location]",
            "version": "W/\"1\""
          }
        }
        "#); }
    }

    async fn a_complete_group_looks_like_this(app: TestApp) {
        let ida = app.user_with("ida", &json!({ "displayName": "Ida Holm" })).await.id();
        let inner = app.group("Inner desk", &[]).await;
        let members = json!([{ "value": ida }, { "value": inner }]);
        let body = group("Night desk", &json!({ "externalId": "G-7", "members": members }));
        let id = app.post("/Groups", &body).await.expect(201).id();
        let mut shown = app.get(&format!("/Groups/{id}")).await.expect(200).body;
        let members = shown["members"].as_array_mut().unwrap();
        members.sort_by_key(|member| member["type"].to_string());
        allow_duplicates! { assert_json_snapshot!(shown, {
            ".id" => "[id]",
            ".meta.created" => "[time]",
            ".meta.lastModified" => "[time]",
            ".meta.location" => "[location]",
            ".members[].value" => "[id]",
            ".members[][\"$ref\"]" => "[location]",
        }, @r#"
        {
          "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:Group"
          ],
          "id": "[id]",
          "externalId": "G-7",
          "displayName": "Night desk",
          "members": [
            {
              "value": "[id]",
              "$ref": "[location]",
              "type": "Group"
            },
            {
              "value": "[id]",
              "$ref": "[location]",
              "type": "User"
            }
          ],
          "meta": {
            "resourceType": "Group",
            "created": "[time]",
            "lastModified": "[time]",
            "location": "[location]",
            "version": "W/\"1\""
          }
        }
        "#); }
    }
}
