//! The load: plain HTTP/1.1 over kept connections, as lean as it can be, since it shares the cores.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::CONNECTIONS;
use crate::server::Process;

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    RawRead,
    RawWrite,
    Read,
    Find,
    Create,
}

/// What came of it.
pub(crate) struct Figures {
    pub(crate) done: usize,
    pub(crate) rate: f64,
    pub(crate) median: f64,
    pub(crate) p99: f64,
    /// Microseconds of the server's CPU a request, its database's processes not counted.
    pub(crate) cpu: f64,
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::with_capacity(16 * 1024) }
    }

    /// Sends a request and gives status and body.
    async fn exchange(&mut self, request: &str) -> (u16, &[u8]) {
        self.stream.write_all(request.as_bytes()).await.unwrap();
        self.buffer.clear();
        loop {
            assert!(self.stream.read_buf(&mut self.buffer).await.unwrap() > 0, "hung up");
            let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") else {
                continue;
            };
            let head = std::str::from_utf8(&self.buffer[..end]).unwrap();
            let status = head[9..12].parse().unwrap();
            let length: usize = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok()
                })
                .unwrap_or(0);
            while self.buffer.len() < end + 4 + length {
                assert!(self.stream.read_buf(&mut self.buffer).await.unwrap() > 0, "hung up");
            }
            return (status, &self.buffer[end + 4..end + 4 + length]);
        }
    }
}

/// Runs a workload that needs no ids; `from` is the first number of what is created.
pub(crate) async fn run(
    server: &Process,
    workload: Workload,
    time: Duration,
    from: usize,
) -> Figures {
    drive(server, workload, time, from, &Arc::new(Vec::new())).await
}

/// Runs a workload over users that are there.
pub(crate) async fn run_on(
    server: &Process,
    workload: Workload,
    time: Duration,
    ids: &Arc<Vec<String>>,
) -> Figures {
    drive(server, workload, Duration::from_secs(1), 0, ids).await;
    drive(server, workload, time, 0, ids).await
}

async fn drive(
    server: &Process,
    workload: Workload,
    time: Duration,
    from: usize,
    ids: &Arc<Vec<String>>,
) -> Figures {
    let next = Arc::new(AtomicUsize::new(from));
    let cpu = server.cpu();
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (address, token, next, ids) =
            (server.address.clone(), server.token.clone(), Arc::clone(&next), Arc::clone(ids));
        tasks.spawn(async move {
            let mut connection = Connection::open(&address).await;
            let mut took = Vec::new();
            while begun.elapsed() < time {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let request = request(workload, number, &token, &ids);
                let asked = Instant::now();
                let (status, body) = connection.exchange(&request).await;
                assert!((200..300).contains(&status), "{status} {}", String::from_utf8_lossy(body));
                took.push(asked.elapsed());
            }
            took
        });
    }
    let mut took: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    let seconds = begun.elapsed().as_secs_f64();
    let cpu = server.cpu().saturating_sub(cpu);
    took.sort_unstable();
    let at = |share: f64| {
        let place = ((took.len() as f64 * share) as usize).min(took.len() - 1);
        took[place].as_secs_f64() * 1000.0
    };
    Figures {
        done: took.len(),
        rate: took.len() as f64 / seconds,
        median: at(0.5),
        p99: at(0.99),
        cpu: cpu.as_secs_f64() * 1e6 / took.len() as f64,
    }
}

/// Creates users and gives their ids.
pub(crate) async fn fill(server: &Process, users: usize) -> Arc<Vec<String>> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (address, token, next) =
            (server.address.clone(), server.token.clone(), Arc::clone(&next));
        tasks.spawn(async move {
            let mut connection = Connection::open(&address).await;
            let mut ids = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= users {
                    return ids;
                }
                let request = request(Workload::Create, number, &token, &[]);
                let (status, body) = connection.exchange(&request).await;
                assert_eq!(status, 201, "{}", String::from_utf8_lossy(body));
                let user: serde_json::Value = serde_json::from_slice(body).unwrap();
                ids.push(user["id"].as_str().unwrap().to_owned());
            }
        });
    }
    Arc::new(tasks.join_all().await.into_iter().flatten().collect())
}

fn request(workload: Workload, number: usize, token: &str, ids: &[String]) -> String {
    // A stride that shares no factor with the count visits all of them in no order.
    let some = number.wrapping_mul(7_919);
    match workload {
        Workload::RawRead => get(&format!("/row/{}", some % 1_000), token),
        Workload::RawWrite => post("/row", token, &"x".repeat(1_500)),
        Workload::Read => get(&format!("/scim/v2/Users/{}", ids[some % ids.len()]), token),
        Workload::Find => get(
            &format!(
                "/scim/v2/Users?filter=userName%20eq%20%22User{}%40northwind.example%22",
                some % ids.len()
            ),
            token,
        ),
        Workload::Create => post("/scim/v2/Users", token, &user(number)),
    }
}

fn get(path: &str, token: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\r\n")
}

fn post(path: &str, token: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\
         content-type: application/scim+json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A user of about 660 bytes, core and enterprise extension.
fn user(number: usize) -> String {
    serde_json::json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        ],
        "externalId": format!("00u{number:017}"),
        "userName": format!("user{number}@northwind.example"),
        "name": { "givenName": "Ines", "familyName": format!("Moreau{number}"), "formatted": "Ines Moreau" },
        "displayName": format!("Ines Moreau {number}"),
        "title": "Team Lead",
        "locale": "en-US",
        "active": true,
        "emails": [{ "value": format!("user{number}@northwind.example"), "type": "work", "primary": true }],
        "phoneNumbers": [{ "value": format!("+1 555 {number:07}"), "type": "mobile" }],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": format!("E-{number}"),
            "department": "Support",
        },
    })
    .to_string()
}
