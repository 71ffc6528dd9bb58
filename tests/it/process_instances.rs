//! Several instances on one PostgreSQL: they share the work, and one may go at any moment.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::postgres::{empty_database, new_database};
use crate::support::process::{Client, Setup, Usher, patch};
use crate::support::{Directory, run};

/// None where the tests shall do without PostgreSQL.
fn on(url: Option<String>) -> Option<Setup> {
    Some(Setup::new(Directory::new()).on(url?))
}

/// A second instance, whose clients have the first one's token.
fn beside(setup: &Setup, first: &Usher, words: &str) -> Usher {
    let mut second = setup.start_with(words);
    second.client.token.clone_from(&first.client.token);
    second
}

fn group(name: &str) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name })
}

fn add(id: &str) -> Value {
    patch(&json!([{ "op": "add", "path": "members", "value": [{ "value": id }] }]))
}

fn number(etag: &str) -> u64 {
    etag.trim_start_matches("W/\"").trim_end_matches('"').parse().unwrap()
}

/// What was answered: users by name, the members of the group, the versions of the group.
#[derive(Default)]
struct Answered {
    users: BTreeMap<String, String>,
    members: Vec<String>,
    versions: Vec<u64>,
}

/// Makes users and puts them into the group until the connection breaks or enough is done.
async fn work(client: Client, group: String, worker: usize, all: Arc<Mutex<Answered>>) -> usize {
    for turn in 0..40 {
        let name = format!("user-{worker}-{turn}");
        let Ok(made) = client.try_user(&name).await else { return turn };
        let id = made.expect(201).id();
        all.lock().unwrap().users.insert(name, id.clone());
        let path = format!("/Groups/{group}?attributes=displayName");
        let Ok(added) = client.try_to("PATCH", &path, Some(&add(&id))).await else { return turn };
        let version = number(added.expect(200).header("etag"));
        let mut all = all.lock().unwrap();
        all.members.push(id);
        all.versions.push(version);
    }
    40
}

#[test]
fn one_of_two_instances_is_killed_under_load_and_nothing_is_lost_or_doubled() {
    let Some(setup) = on(new_database()) else { return };
    run(async {
        let first = setup.start();
        let second = beside(&setup, &first, "--listen 127.0.0.1:0");
        let all = Arc::new(Mutex::new(Answered::default()));
        let crew = first.client.post("/Groups", &group("crew")).await.expect(201).id();
        let survivor = first.client.clone();
        let workers: Vec<_> = (0..64)
            .map(|worker| {
                let client = if worker % 2 == 0 { &survivor } else { &second.client };
                tokio::spawn(work(client.clone(), crew.clone(), worker, Arc::clone(&all)))
            })
            .collect();
        let began = Instant::now();
        while all.lock().unwrap().members.len() < 300 {
            assert!(began.elapsed() < Duration::from_mins(1), "the load stands still");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        second.kill();
        let done: Vec<usize> = join_all(workers).await.into_iter().map(Result::unwrap).collect();
        assert!(done.iter().step_by(2).all(|turns| *turns == 40), "{done:?}");
        assert!(done.iter().skip(1).step_by(2).any(|turns| *turns < 40), "it was idle when killed");

        let all = std::mem::take(&mut *all.lock().unwrap());
        for (name, id) in &all.users {
            let filter = format!("userName eq \"{name}\"");
            assert_eq!(survivor.count(&filter).await, 1, "{name} {id}");
        }
        let crew = survivor.get(&format!("/Groups/{crew}")).await.expect(200);
        let members: Vec<&str> = crew.body["members"]
            .as_array()
            .unwrap()
            .iter()
            .map(|member| member["value"].as_str().unwrap())
            .collect();
        let mut once = members.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), members.len(), "somebody is a member twice");
        for id in &all.members {
            assert!(once.binary_search(&id.as_str()).is_ok(), "{id} was added and is no member");
        }
        let mut versions = all.versions.clone();
        versions.sort_unstable();
        versions.dedup();
        assert_eq!(versions.len(), all.versions.len(), "a version of the group came twice");
        println!("{} users, {} members, one instance killed", all.users.len(), members.len());
    });
}

/// What a load balancer knows of an instance: whether it said that it is ready a moment ago.
struct Instance {
    client: Mutex<Client>,
    ready: AtomicBool,
}

/// Asks for readiness as load balancers do.
async fn watch(instances: Arc<Vec<Instance>>) {
    loop {
        for instance in instances.iter() {
            let client = instance.client.lock().unwrap().clone();
            let answer = client.try_to("GET", "!/readyz", None).await;
            let ready = answer.is_ok_and(|answer| answer.status == 200);
            instance.ready.store(ready, Ordering::Release);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// One that said that it is ready, another one each turn.
fn choose(instances: &[Instance], turn: usize) -> Client {
    let mut turns = instances.iter().cycle().skip(turn).take(instances.len());
    let chosen = turns.find(|instance| instance.ready.load(Ordering::Acquire));
    chosen.expect("one is always ready").client.lock().unwrap().clone()
}

/// Sends one request after the other to whoever is ready; none may fail.
async fn ask(instances: Arc<Vec<Instance>>, worker: usize, stop: Arc<AtomicBool>) -> usize {
    let mut turn = 0;
    while !stop.load(Ordering::Acquire) {
        turn += 1;
        let name = format!("rolling-{worker}-{turn}");
        let made = choose(&instances, worker + turn).try_user(&name).await;
        let id = made.expect("a request failed during the restart").expect(201).id();
        let reader = choose(&instances, worker + turn + 1);
        let read = reader.try_to("GET", &format!("/Users/{id}"), None).await;
        read.expect("a request failed during the restart").expect(200);
    }
    turn
}

#[test]
fn a_rolling_restart_fails_no_request() {
    let Some(setup) = on(new_database()) else { return };
    let setup = setup.with("--leave-seconds 5");
    run(async {
        let first = setup.start();
        let second = beside(&setup, &first, "--listen 127.0.0.1:0");
        let instance = |usher: &Usher| Instance {
            client: Mutex::new(usher.client.clone()),
            ready: AtomicBool::new(true),
        };
        let instances = Arc::new(vec![instance(&first), instance(&second)]);
        let watcher = tokio::spawn(watch(Arc::clone(&instances)));
        let stop = Arc::new(AtomicBool::new(false));
        let workers: Vec<_> = (0..8)
            .map(|worker| tokio::spawn(ask(Arc::clone(&instances), worker, Arc::clone(&stop))))
            .collect();
        let (token, mut restarted) = (first.client.token.clone(), Vec::new());
        for (place, old) in [first, second].into_iter().enumerate() {
            tokio::time::sleep(Duration::from_millis(300)).await;
            old.tell("TERM");
            let ended = tokio::task::spawn_blocking(move || old.wait()).await.unwrap();
            assert_eq!(ended.0, Some(0));
            let again = setup.clone();
            let started = tokio::task::spawn_blocking(move || again.start()).await.unwrap();
            let mut client = started.client.clone();
            client.token.clone_from(&token);
            *instances[place].client.lock().unwrap() = client;
            let seen = Instant::now();
            while !instances[place].ready.load(Ordering::Acquire) {
                assert!(seen.elapsed() < Duration::from_secs(20), "it never became ready");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            restarted.push(started);
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        stop.store(true, Ordering::Release);
        let done: Vec<usize> = join_all(workers).await.into_iter().map(Result::unwrap).collect();
        watcher.abort();
        drop(restarted);
        println!("two instances restarted, {} users made meanwhile", done.iter().sum::<usize>());
    });
}

#[test]
fn many_instances_may_start_on_a_new_database_at_once() {
    let Some(setup) = on(empty_database()) else { return };
    run(async {
        let starts = (0..4).map(|_| {
            let setup = setup.clone();
            tokio::task::spawn_blocking(move || setup.start())
        });
        let started: Vec<Usher> = join_all(starts).await.into_iter().map(Result::unwrap).collect();
        let tokens: Vec<&str> = started
            .iter()
            .map(|usher| usher.client.token.as_str())
            .filter(|token| !token.is_empty())
            .collect();
        assert_eq!(tokens.len(), 1, "one of them makes the first tenant and its token");
        for (number, usher) in started.iter().enumerate() {
            let client = usher.client.bearing(tokens[0]);
            client.try_user(&format!("user{number}")).await.unwrap().expect(201);
        }
    });
}

#[test]
fn forty_creates_split_over_two_instances_make_as_many_users_as_there_are_seats() {
    let Some(setup) = on(new_database()) else { return };
    run(async {
        let first = setup.start();
        let second = beside(&setup, &first, "--listen 127.0.0.1:0");
        let (began, mut rounds) = (Instant::now(), 0);
        while rounds < 3 || began.elapsed() < Duration::from_secs(12) && rounds < 25 {
            let tenant = format!("t{rounds}");
            assert_eq!(setup.run(&format!("tenant create {tenant} --seats 25")).status, 0);
            let token = setup.secret(&format!("token create --tenant {tenant}"));
            let clients = [first.client.bearing(&token), second.client.bearing(&token)];
            let names: Vec<_> = (0..40).map(|n| format!("user{n}")).collect();
            let asked = names.iter().zip(clients.iter().cycle());
            let all = join_all(asked.map(|(name, client)| client.try_user(name))).await;
            let all: Vec<_> = all.into_iter().map(Result::unwrap).collect();
            let of = |status| all.iter().filter(|reply| reply.status == status).count();
            assert_eq!((of(201), of(403)), (25, 15), "{all:?}");
            assert_eq!(clients[1].count("userName pr").await, 25);
            let verified = setup.run(&format!("seats verify --tenant {tenant}"));
            assert_eq!(verified.status, 0, "{verified:?}");
            rounds += 1;
        }
        println!("{rounds} tenants of 25 seats, 40 creates over two instances each");
    });
}
