//! How the program ends: told to stop it drains; killed it has lost nothing that it had answered.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::process::{Client, Setup, Usher, patch};
use crate::support::{Directory, each_db, run};

#[test]
fn a_server_told_to_stop_lets_running_requests_end_and_takes_no_new_ones() {
    let server = Setup::new(Directory::new()).start();
    let address = server.client.address();
    let mut slow = TcpStream::connect(&address).unwrap();
    let body = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"slow"}"#;
    let (first, second) = body.split_at(20);
    write!(
        slow,
        "POST /scim/v2/Users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/scim+json\r\ncontent-length: {}\r\n\r\n{first}",
        server.client.token,
        body.len()
    )
    .unwrap();
    let mut idle = TcpStream::connect(&address).unwrap();
    idle.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    server.tell("TERM");
    assert_eq!(idle.read(&mut [0; 8]).unwrap(), 0, "a connection without a request is closed");
    let begun = Instant::now();
    while TcpStream::connect(&address).is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(5), "new connections are still taken");
        std::thread::sleep(Duration::from_millis(5));
    }
    slow.write_all(second.as_bytes()).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!(server.wait(), (Some(0), None, String::new()));
}

#[test]
fn a_server_told_to_stop_before_its_database_answers_ends_at_once() {
    // Somebody who takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://u@{}/db?sslmode=disable", silent.local_addr().unwrap());
    let setup = Setup::new(Directory::new()).on(url);
    let mut command = setup.command("serve --listen 127.0.0.1:0 --leave-seconds 60");
    let mut server = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let _asked = silent.accept().unwrap();
    let mut kill = Command::new("sh");
    kill.args(["-c", &format!("kill -TERM {}", server.id())]);
    assert!(kill.status().unwrap().success());
    // One that waited would give the database up after a while, and end with a failure.
    assert_eq!(server.wait().unwrap().code(), Some(0));
}

#[test]
fn a_server_told_to_stop_waits_for_nobody_longer_than_it_is_set_to() {
    let server = Setup::new(Directory::new()).with("--drain-seconds 1").start();
    let mut stuck = TcpStream::connect(server.client.address()).unwrap();
    write!(
        stuck,
        "POST /scim/v2/Users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-length: 100\r\n\r\n",
        server.client.token
    )
    .unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let begun = Instant::now();
    server.tell("INT");
    assert_eq!(server.wait().0, Some(0));
    let took = begun.elapsed();
    assert!(took > Duration::from_millis(800) && took < Duration::from_secs(5), "{took:?}");
}

/// What the server has said to be so: the answers that arrived.
#[derive(Default)]
struct Answered {
    /// Names that were created, with the id and the last title that was answered.
    there: BTreeMap<String, (String, Option<String>)>,
    /// Names that were deleted.
    gone: Vec<String>,
    /// Names of which nobody knows, because an answer did not arrive.
    unknown: Vec<String>,
    group: String,
    /// Members that were added.
    members: Vec<String>,
}

/// One client's work until the connection breaks.
async fn work(client: &Client, name: impl Fn() -> String, answered: &Mutex<Answered>) {
    let mut turn = 0;
    loop {
        turn += 1;
        let name = name();
        let Ok(made) = client.try_user(&name).await else {
            return answered.lock().unwrap().unknown.push(name);
        };
        let id = made.expect(201).id();
        let path = format!("/Users/{id}");
        answered.lock().unwrap().there.insert(name.clone(), (id.clone(), None));
        let group = format!("/Groups/{}", answered.lock().unwrap().group);
        let change = match turn % 3 {
            0 => client.try_to("DELETE", &path, None).await,
            1 => {
                let title = json!([{ "op": "replace", "path": "title", "value": name }]);
                client.try_to("PATCH", &path, Some(&patch(&title))).await
            }
            _ => {
                let add = json!([{ "op": "add", "path": "members", "value": [{ "value": id }] }]);
                client.try_to("PATCH", &group, Some(&patch(&add))).await
            }
        };
        let mut answered = answered.lock().unwrap();
        match (change, turn % 3) {
            (Err(_), kind) => {
                if kind == 0 {
                    answered.there.remove(&name);
                    answered.unknown.push(name);
                }
                return;
            }
            (Ok(reply), 0) => {
                reply.expect(204);
                answered.there.remove(&name);
                answered.gone.push(name);
            }
            (Ok(reply), 1) => {
                reply.expect(200);
                answered.there.insert(name.clone(), (id, Some(name)));
            }
            (Ok(reply), _) => {
                assert!(matches!(reply.status, 200 | 204), "{reply:?}");
                answered.members.push(id);
            }
        }
    }
}

async fn load(server: Usher, moment: Duration, number: &AtomicU32, answered: &Mutex<Answered>) {
    let name = || format!("user{}", number.fetch_add(1, Ordering::Relaxed));
    let client = server.client.clone();
    let kill = async {
        tokio::time::sleep(moment).await;
        server.kill();
    };
    let workers = (0..8).map(|_| work(&client, name, answered));
    futures_util::future::join(futures_util::future::join_all(workers), kill).await;
}

/// Looks at everything from several sides: by id, by name, by address, in the list, in the group.
async fn check(client: &Client, all: &Mutex<Answered>) {
    let mut answered = std::mem::take(&mut *all.lock().unwrap());
    let mut listed = BTreeMap::new();
    let total = client.count("id pr").await;
    while (listed.len() as u64) < total {
        let start = listed.len() + 1;
        let page = client.get(&format!("/Users?count=1000&startIndex={start}")).await.expect(200);
        for user in page.body["Resources"].as_array().unwrap() {
            let name = user["userName"].as_str().unwrap().to_owned();
            let title = user["title"].as_str().map(str::to_owned);
            assert_eq!(user["emails"][0]["value"], format!("{name}@example.com"), "{user}");
            let id = user["id"].as_str().unwrap().to_owned();
            assert!(listed.insert(name, (id, title)).is_none());
        }
    }
    for (name, (id, title)) in &answered.there {
        let found = listed.get(name).unwrap_or_else(|| panic!("{name} was answered and is lost"));
        assert_eq!(&found.0, id);
        assert!(title.is_none() || &found.1 == title, "{name}: {found:?}");
    }
    for name in std::mem::take(&mut answered.gone) {
        assert!(!listed.contains_key(&name), "{name} was deleted and is back");
    }
    for name in std::mem::take(&mut answered.unknown) {
        let there = u64::from(listed.contains_key(&name));
        // Whole or not at all: the unique key and the index rows say the same as the list.
        assert_eq!(client.count(&format!("userName eq \"{name}\"")).await, there, "{name}");
        assert_eq!(
            client.count(&format!("emails.value eq \"{name}@example.com\"")).await,
            there,
            "{name}"
        );
        if there == 0 {
            let made = client.try_user(&name).await.unwrap().expect(201);
            listed.insert(name.clone(), (made.id(), None));
        }
        answered.there.insert(name.clone(), listed[&name].clone());
    }
    // One of the last is asked for by its name, its address and its id.
    if let Some((name, (id, _))) = answered.there.iter().next_back() {
        assert_eq!(client.count(&format!("userName eq \"{}\"", name.to_uppercase())).await, 1);
        client.get(&format!("/Users/{id}")).await.expect(200);
        client.try_user(name).await.unwrap().expect(409);
    }
    let group = client.get(&format!("/Groups/{}", answered.group)).await.expect(200);
    let members: Vec<_> = group.body["members"]
        .as_array()
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .map(|member| member["value"].as_str().unwrap())
        .collect();
    for id in &answered.members {
        assert!(members.contains(&id.as_str()), "{id} was added and is no member");
    }
    *all.lock().unwrap() = answered;
}

fn survives(setup: &Setup, times: u64) {
    let (number, answered) = (AtomicU32::new(0), Mutex::new(Answered::default()));
    let first = setup.start();
    let token = first.client.token.clone();
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "all",
    });
    run(async {
        let group = first.client.post("/Groups", &group).await.expect(201).id();
        answered.lock().unwrap().group = group;
        let mut server = first;
        for time in 0..times {
            // Different moments, so that different things are under way.
            let moment = Duration::from_millis(120 + time * 37 % 160);
            load(server, moment, &number, &answered).await;
            server = setup.start();
            server.client.token.clone_from(&token);
            check(&server.client, &answered).await;
        }
        if setup.database.is_none() {
            let path = setup.data().join("usher.db");
            let file = rusqlite::Connection::open(path).unwrap();
            let verdict: String =
                file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(verdict, "ok");
        }
        let left = answered.lock().unwrap().there.len();
        assert!(left as u64 > times * 10, "only {left} users were written");
        println!("killed {times} times under load; {left} users, none lost");
    });
}

each_db! {
    async fn a_server_that_is_killed_under_load_has_lost_nothing_that_it_answered(setup: Setup) {
        let times = if setup.database.is_none() { 20 } else { 5 };
        tokio::task::spawn_blocking(move || survives(&setup, times)).await.unwrap();
    }
}
