//! An installation moves to another database with everything that it has.

use serde_json::{Value, json};

use crate::support::postgres::new_database;
use crate::support::process::{Client, Setup};
use crate::support::{Directory, run};

const USERS: usize = 1_050;

async fn everything(client: &Client) -> Vec<Value> {
    let mut all = Vec::new();
    for path in ["/Users?count=1000", "/Users?count=1000&startIndex=1001", "/Groups"] {
        let page = client.get(path).await.expect(200);
        all.extend(page.body["Resources"].as_array().unwrap().clone());
    }
    // The port of a server is part of its addresses.
    let text = serde_json::to_string(&all).unwrap().replace(&client.base, "");
    serde_json::from_str(&text).unwrap()
}

async fn fill(client: &Client) {
    let mut members = Vec::new();
    for number in 0..USERS {
        let mut user = crate::support::process::user(&format!("Müller-{number}"));
        user["password"] = json!("correct horse");
        user["active"] = json!(number % 2 == 0);
        let made = client.post("/Users", &user).await.expect(201).id();
        members.push(json!({ "value": made }));
    }
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "crew", "members": members,
    });
    client.post("/Groups", &group).await.expect(201);
}

#[test]
fn an_installation_moves_to_postgresql_and_back() {
    let Some(url) = new_database() else { return };
    let (first, last) = (Setup::new(Directory::new()), Setup::new(Directory::new()));
    let middle = Setup::new(Directory::new()).on(url.clone());
    let server = first.start();
    let token = server.client.token.clone();
    let before = run(async {
        fill(&server.client).await;
        everything(&server.client).await
    });
    assert_eq!(before.len(), USERS + 1);
    server.tell("TERM");
    assert_eq!(server.wait().0, Some(0));

    let done = first.run(&format!("copy --to {url}"));
    assert_eq!(done.status, 0, "{done:?}");
    assert!(done.err.contains("resources: 1051 rows"), "{}", done.err);
    let again = first.run(&format!("copy --to {url}"));
    assert_eq!(again.status, 1, "{again:?}");
    assert!(again.err.contains("copy into an empty database"), "{}", again.err);

    // On another machine, the key goes with the database.
    std::fs::create_dir_all(middle.data()).unwrap();
    std::fs::copy(first.data().join("key"), middle.data().join("key")).unwrap();
    let done = middle.run(&format!("copy --to {}", last.data().display()));
    assert_eq!(done.status, 0, "{done:?}");
    for setup in [middle, last] {
        let mut server = setup.start();
        assert_eq!(server.said["token"], Value::Null, "it is no new installation");
        server.client.token.clone_from(&token);
        run(async {
            assert_eq!(everything(&server.client).await, before);
            assert_eq!(server.client.count("userName eq \"MÜLLER-7\"").await, 1);
            assert_eq!(server.client.count("active eq true").await, USERS as u64 / 2);
            server.client.try_user("müller-9").await.unwrap().expect(409);
            server.client.try_user("new").await.unwrap().expect(201);
        });
    }
}
