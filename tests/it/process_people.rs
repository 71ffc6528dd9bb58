//! People who sign in, with a real server and the commands beside it.

use serde_json::{Value, json};

use crate::signin::PASSWORD;
use crate::support::each_db;
use crate::support::process::{Client, Setup, user};

async fn auth(client: &Client, path: &str, body: &Value) -> (u16, Value) {
    let request = client.request("POST", &format!("!/auth/{path}")).json(body);
    let reply = Client::send(request).await.unwrap();
    (reply.status, reply.body)
}

async fn log_in(client: &Client, password: &str) -> (u16, Value) {
    auth(client, "login", &json!({ "username": "anna", "password": password })).await
}

each_db! {
    async fn people_are_logged_out_and_given_passwords_beside_the_server(setup: Setup) {
        let server = setup.start();
        let mut anna = user("anna");
        anna["password"] = PASSWORD.into();
        let id = server.client.post("/Users", &anna).await.expect(201).id();
        let (status, tokens) = log_in(&server.client, PASSWORD).await;
        assert_eq!(status, 200, "{tokens}");
        let person = server.client.bearing(tokens["access_token"].as_str().unwrap());
        assert_eq!(person.get("/Me").await.expect(200).body["id"], id);

        let sessions = setup.json("sessions list anna");
        assert_eq!(sessions.as_array().unwrap().len(), 1);
        assert_eq!(sessions[0]["network"], "127.0.0.1");
        assert_eq!(setup.json("sessions revoke anna"), json!({ "user": id, "ended": 1 }));
        assert_eq!(person.get("/Me").await.status, 401);
        assert_eq!(setup.json("sessions list anna"), json!([]));

        let made = setup.secret("users password generate anna");
        let (status, refused) = log_in(&server.client, &made).await;
        assert_eq!((status, &refused["code"]), (403, &json!("mustChangePassword")));
        assert_eq!(log_in(&server.client, PASSWORD).await.0, 401);
        let log = server.log();
        assert!(!log.contains(&made) && !log.contains(PASSWORD) && !log.contains("usher_refresh_"));
    }

    async fn keys_are_listed_and_changed_beside_the_server(setup: Setup) {
        let server = setup.start();
        let mut anna = user("anna");
        anna["password"] = PASSWORD.into();
        server.client.post("/Users", &anna).await.expect(201);
        let (_, tokens) = log_in(&server.client, PASSWORD).await;
        let states = |keys: &Value| -> Vec<String> {
            let all = keys.as_array().unwrap().iter();
            all.map(|key| key["state"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(states(&setup.json("keys list")), ["signs"]);
        assert_eq!(states(&setup.json("keys rotate")), ["signs", "next"]);
        let person = server.client.bearing(tokens["access_token"].as_str().unwrap());
        person.get("/Me").await.expect(200);
        assert_eq!(states(&setup.json("keys rotate --at-once")), ["signs"]);
    }
}
