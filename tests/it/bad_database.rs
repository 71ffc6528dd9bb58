//! A database that is locked, full, read-only, or restarts in the middle: clear answers, nothing half-written.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::process::{Client, Setup};
use crate::support::{Directory, postgres, run};

/// A refusal that tells when to come back.
async fn not_now(client: &Client, name: &str) {
    let reply = client.try_user(name).await.unwrap();
    reply.refused(503, "");
    assert!(!reply.header("retry-after").is_empty());
}

/// Proves SCIM-030.
#[test]
fn a_locked_database_reads_on_and_writes_again_when_it_is_free() {
    let setup = Setup::new(Directory::new());
    let server = setup.start();
    let client = &server.client;
    run(async {
        client.try_user("before").await.unwrap().expect(201);
        let other = rusqlite::Connection::open(setup.data().join("usher.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let begun = Instant::now();
        not_now(client, "during").await;
        assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
        assert_eq!(client.count("id pr").await, 1);
        client.get("!/readyz").await.expect(200);
        other.execute_batch("COMMIT").unwrap();
        client.try_user("during").await.unwrap().expect(201);
    });
}

#[test]
fn a_full_disk_refuses_writes_whole_and_loses_nothing() {
    // The log of the database may grow to this much and no further.
    let setup = Setup { largest_file: Some(4096), ..Setup::new(Directory::new()) };
    let server = setup.start();
    let client = &server.client;
    run(async {
        let mut made = Vec::new();
        let refused = loop {
            let name = format!("user{}", made.len());
            let body = json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name,
                "title": "t".repeat(30_000), "emails": [{ "value": format!("{name}@example.com") }],
            });
            let reply = client.post("/Users", &body).await;
            match reply.status {
                201 => made.push(reply.id()),
                _ => break (name, reply),
            }
            assert!(made.len() < 1000, "the disk is never full");
        };
        refused.1.refused(503, "");
        assert_eq!(client.count(&format!("userName eq \"{}\"", refused.0)).await, 0);
        assert_eq!(client.count("id pr").await, made.len() as u64);
        client.get("!/healthz").await.expect(200);
        assert!(made.len() > 5, "{}", made.len());
        server.tell("TERM");
    });
    assert_eq!(server.wait().0, Some(0));
    // With room again everything is there and writing goes on.
    let setup = Setup { largest_file: None, ..setup };
    let token = setup.secret("token create");
    let server = setup.start();
    let client = server.client.bearing(&token);
    run(async {
        let total = client.count("id pr").await;
        assert!(total > 5);
        assert_eq!(client.count("emails.value co \"@example.com\"").await, total);
        client.try_user("after").await.unwrap().expect(201);
    });
}

#[test]
fn a_database_that_may_only_be_read_is_said_at_the_start_in_one_line() {
    let setup = Setup::new(Directory::new());
    setup.start().kill();
    let program = setup.directory.path().join("usher");
    // By another process: a file that this one has open for writing cannot be run.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_usher")).arg(&program).status();
    assert!(copied.unwrap().success());
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    mode(setup.directory.path(), 0o755);
    mode(&setup.data().join("usher.db"), 0o444);
    mode(&setup.data(), 0o555);
    // It ends by itself; the limit of time is for the day when it does not.
    let mut command = Command::new("timeout");
    command.arg("20").arg(program).args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]);
    command.arg(setup.data()).current_dir("/");
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        // Root may write everything; nobody may not.
        command.uid(65_534);
    }
    let done = command.output().unwrap();
    mode(&setup.data(), 0o755);
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!((done.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains("usher.db") && done.stdout.is_empty(), "{said}");
}

#[test]
fn postgres_that_restarts_under_load_loses_nothing_that_was_answered() {
    let Some(database) = postgres::Server::start() else { return };
    let setup = Setup::new(Directory::new()).on(database.url("postgres"));
    let server = setup.start();
    let client = &server.client;
    run(async {
        let work = (0..6).map(|worker| {
            let client = client.clone();
            tokio::spawn(async move {
                let (mut made, mut refused, begun) = (Vec::new(), 0, Instant::now());
                for number in 0.. {
                    let name = format!("user-{worker}-{number}");
                    let reply = client.try_user(&name).await.unwrap();
                    match reply.status {
                        201 => made.push(name),
                        503 => {
                            refused += 1;
                            reply.refused(503, "");
                            tokio::time::sleep(Duration::from_millis(50)).await;
                        }
                        // It was written, but the connection broke before the answer; the name is taken.
                        other => panic!("{other} {}", reply.body),
                    }
                    if begun.elapsed() > Duration::from_millis(2500) {
                        break;
                    }
                }
                (made, refused)
            })
        });
        let restart = async {
            let at = |millis| tokio::time::sleep(Duration::from_millis(millis));
            at(500).await;
            tokio::task::block_in_place(|| database.stop());
            at(300).await;
            client.get("!/readyz").await.expect(503);
            client.get("!/healthz").await.expect(200);
            client.bearing(&"x".repeat(20)).get("/Users").await.expect(401);
            tokio::task::block_in_place(|| database.resume());
        };
        let work: Vec<_> = work.collect();
        let (done, ()) =
            futures_util::future::join(futures_util::future::join_all(work), restart).await;
        let done: Vec<_> = done.into_iter().map(Result::unwrap).collect();
        let refused: u32 = done.iter().map(|(_, refused)| refused).sum();
        assert!(refused > 0, "the restart was not noticed");
        client.get("!/readyz").await.expect(200);
        for name in done.iter().flat_map(|(made, _)| made) {
            let there = client.count(&format!("userName eq \"{name}\"")).await;
            let mail = client.count(&format!("emails.value eq \"{name}@example.com\"")).await;
            assert_eq!((there, mail), (1, 1), "{name} was answered");
        }
        let total = client.count("id pr").await;
        assert_eq!(client.count("emails.value ew \"@example.com\"").await, total);
    });
}
