//! Bulk requests and the program's end: killed in the middle, every operation is done once.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::support::bulk::{Limit, message, post_group, post_user};
use crate::support::process::{Client, Setup, Usher};
use crate::support::{Directory, each_db, on_postgres};

/// Operations of one request.
const MANY: usize = 1200;

/// Kills of each database; more are worth their time after a change of what is tested here.
fn rounds() -> u64 {
    std::env::var("USHER_TEST_KILLS").map_or(3, |text| text.parse().unwrap())
}

fn started(setup: &Setup) -> Usher {
    setup.start_with("--listen 127.0.0.1:0 --bulk-max-operations 5000")
}

/// Users, and groups that hold earlier and later ones.
fn work(name: &str) -> String {
    let mut all = Vec::new();
    for at in 0..MANY {
        all.push(match at % 8 {
            7 => {
                let next = if at + 1 < MANY { at + 1 } else { at - 2 };
                let members = [at - 1, 0, next].map(|user| format!("bulkId:{name}{user}"));
                post_group(&format!("{name}{at}"), &members.each_ref().map(String::as_str))
            }
            _ => post_user(&format!("{name}{at}")),
        });
    }
    message(&all).to_string()
}

/// Sends a bulk request; status, `Retry-After` and the body as it came.
async fn send(
    client: &Client,
    headers: &[(&str, &str)],
    body: String,
) -> Result<(u16, String, String), reqwest::Error> {
    let mut request =
        client.request("POST", "/Bulk").header("content-type", "application/scim+json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.body(body).send().await?;
    let wait = response.headers().get("retry-after").map_or("", |wait| wait.to_str().unwrap());
    let (status, wait) = (response.status().as_u16(), wait.to_owned());
    Ok((status, wait, response.text().await?))
}

/// Sends it until nobody else is at work on it.
async fn retry(client: &Client, key: &str, body: &str) -> String {
    let limit = Limit::new();
    loop {
        let (status, wait, text) =
            send(client, &[("idempotency-key", key)], body.to_owned()).await.unwrap();
        if status == 200 {
            return text;
        }
        assert_eq!((status, wait.as_str()), (409, "2"), "{text}");
        limit.pause(200, &text).await;
    }
}

/// Everything of [`work`] is there once.
async fn check(client: &Client, name: &str, answer: &str) {
    let answer: Value = serde_json::from_str(answer).unwrap();
    let done = answer["Operations"].as_array().unwrap();
    assert_eq!(done.len(), MANY);
    let mut ids = BTreeSet::new();
    for (at, result) in done.iter().enumerate() {
        assert_eq!(result["status"], "201", "{result}");
        assert_eq!(result["bulkId"], format!("{name}{at}"));
        let id = result["location"].as_str().unwrap().rsplit('/').next().unwrap();
        assert!(ids.insert(id.to_owned()));
    }
    let users = MANY - MANY / 8;
    assert_eq!(client.count(&format!("userName sw \"{name}\"")).await, users as u64);
    let groups =
        client.get(&format!("/Groups?count=1000&filter=displayName%20sw%20%22{name}%22")).await;
    let groups = groups.expect(200).body["Resources"].as_array().unwrap().clone();
    assert_eq!(groups.len(), MANY / 8);
    for group in &groups {
        let members: BTreeSet<_> = group["members"]
            .as_array()
            .unwrap()
            .iter()
            .map(|member| member["value"].as_str())
            .collect();
        assert_eq!(members.len(), 3, "{group}");
        assert!(members.iter().all(|member| ids.contains(member.unwrap())), "{group}");
    }
}

each_db! {
    /// Killed at different moments of a bulk request, which is then sent again with its key.
    async fn a_bulk_request_that_was_killed_goes_on_when_it_is_sent_again(setup: Setup) {
        let mut server = started(&setup);
        let token = server.client.token.clone();
        let mut cut = 0;
        for round in 0..rounds() {
            let (name, client) = (format!("r{round}x"), server.client.clone());
            let (key, body) = (format!("key-{round}"), work(&name));
            let (sent, wanted) = (body.clone(), key.clone());
            let asking = tokio::spawn(async move {
                send(&client, &[("idempotency-key", wanted.as_str())], sent).await
            });
            // In its middle, at different moments; now and then before anything was written.
            let limit = Limit::new();
            while round % 5 != 4 && !asking.is_finished() {
                if server.client.count(&format!("userName sw \"{name}\"")).await > 0 {
                    break;
                }
                limit.pause(1, &name).await;
            }
            tokio::time::sleep(Duration::from_millis(round * 67 % 250)).await;
            server.kill();
            let first = asking.await.unwrap().ok();
            server = started(&setup);
            server.client.token.clone_from(&token);
            let before = server.client.count(&format!("userName sw \"{name}\"")).await;
            cut += u64::from(before > 0 && first.is_none());
            let answer = retry(&server.client, &key, &body).await;
            if let Some((status, _, text)) = first {
                assert_eq!((status, &text), (200, &answer), "what was answered stays");
            }
            check(&server.client, &name, &answer).await;
            assert_eq!(retry(&server.client, &key, &body).await, answer, "byte for byte");
        }
        println!("killed {} times, {cut} times in the middle; every operation done once", rounds());
        assert!(cut > 0, "none was killed in its middle: {} rounds", rounds());
    }

    /// Proves SCIM-434.
    async fn an_accepted_bulk_request_survives_a_kill(setup: Setup) {
        let server = started(&setup);
        let token = server.client.token.clone();
        let ask = [("prefer", "respond-async")];
        let (status, _, text) = send(&server.client, &ask, work("a")).await.unwrap();
        assert_eq!((status, text.as_str()), (202, ""));
        tokio::time::sleep(Duration::from_millis(150)).await;
        server.kill();
        let mut server = started(&setup);
        server.client.token = token;
        let users = (MANY - MANY / 8) as u64;
        let begun = std::time::Instant::now();
        while server.client.count("userName sw \"a\"").await < users {
            assert!(begun.elapsed() < Duration::from_mins(1), "{}", server.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(server.client.count("userName sw \"a\"").await, users);
    }

    /// A client that hangs up leaves its request where it is.
    async fn a_client_that_hangs_up_ends_its_request(setup: Setup) {
        let server = started(&setup);
        let users: Vec<_> = (0..5000).map(|at| post_user(&format!("h{at}"))).collect();
        let asking = send(&server.client, &[], message(&users).to_string());
        let limit = Limit::new();
        let begun = async {
            while server.client.count("userName sw \"h\"").await == 0 {
                limit.pause(1, &"none was made").await;
            }
        };
        tokio::select! {
            answer = asking => panic!("it was answered before: {answer:?}"),
            () = begun => {}
        }
        // What is being written when it is noticed is done; then nothing more.
        let (mut made, mut before) = (0, u64::MAX);
        while made != before {
            limit.pause(500, &made).await;
            before = made;
            made = server.client.count("userName sw \"h\"").await;
        }
        assert!(made < 5000, "{made}");
    }

    /// Told to stop, it gives its job back, and the next one goes on at once.
    async fn a_server_told_to_stop_leaves_its_jobs_to_the_next(setup: Setup) {
        let server = started(&setup);
        let token = server.client.token.clone();
        let (status, ..) =
            send(&server.client, &[("prefer", "respond-async")], work("s")).await.unwrap();
        assert_eq!(status, 202);
        server.tell("TERM");
        assert_eq!(server.wait().0, Some(0));
        let mut server = started(&setup);
        server.client.token = token;
        let users = (MANY - MANY / 8) as u64;
        let limit = Limit::new();
        while server.client.count("userName sw \"s\"").await < users {
            limit.pause(50, &users).await;
        }
    }
}

#[test]
fn another_instance_finishes_the_jobs_of_one_that_was_killed() {
    on_postgres(async |setup: Setup| {
        let url = setup.database.clone().unwrap();
        let first = started(&setup);
        let mut other = Setup::new(Directory::new()).on(url);
        // Instances share the key of the installation.
        let key = setup.directory.path().join("data/key").to_str().unwrap().to_owned();
        other.environment.push(("USHER_KEY_FILE".to_owned(), key));
        let second = started(&other);
        let client = second.client.bearing(&first.client.token);
        let mut places = Vec::new();
        for name in ["x", "y", "z"] {
            let request = first
                .client
                .request("POST", "/Bulk")
                .header("content-type", "application/scim+json")
                .header("prefer", "respond-async");
            let reply = Client::send(request.body(work(name))).await.unwrap().expect(202);
            places.push(reply.header("set-txn").to_owned());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        first.kill();
        let begun = std::time::Instant::now();
        for (name, place) in ["x", "y", "z"].into_iter().zip(places) {
            let job = loop {
                let job = client.get(&format!("/Bulk/{place}")).await.expect(200).body;
                if job["status"] == "done" {
                    break job;
                }
                assert!(begun.elapsed() < Duration::from_mins(1), "{job} {}", second.log());
                tokio::time::sleep(Duration::from_millis(100)).await;
            };
            check(&client, name, &job.to_string()).await;
        }
    });
}
