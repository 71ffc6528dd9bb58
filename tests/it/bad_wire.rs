//! Clients that do not speak HTTP as they should: slow, silent, gone, or far too long.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::process::{Client, Setup, Usher};
use crate::support::{Directory, run};

fn server(words: &str) -> Usher {
    Setup::new(Directory::new()).with(words).start()
}

/// Sends bytes and reads what comes back until the connection ends or nothing more comes.
fn exchange(client: &Client, parts: &[&[u8]]) -> (u16, Value) {
    let mut stream = TcpStream::connect(client.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    for part in parts {
        // A server that has heard enough may close before everything is sent.
        if stream.write_all(part).is_err() {
            break;
        }
    }
    answer(&mut stream)
}

/// One answer, its body read by its length.
fn answer(stream: &mut TcpStream) -> (u16, Value) {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, length)| length.parse().unwrap());
            if body.len() >= length {
                let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                return (status, serde_json::from_str(body).unwrap_or(Value::Null));
            }
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return (0, Value::from(String::from_utf8_lossy(&bytes))),
            Ok(length) => bytes.extend_from_slice(&piece[..length]),
        }
    }
}

fn head(client: &Client, request: &str, headers: &str) -> String {
    let token = &client.token;
    format!("{request} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{headers}\r\n")
}

/// A POST of these bytes as they are.
fn post(client: &Client, body: &[u8]) -> (u16, Value) {
    let headers =
        format!("content-type: application/scim+json\r\ncontent-length: {}\r\n", body.len());
    exchange(client, &[head(client, "POST /scim/v2/Users", &headers).as_bytes(), body])
}

fn is_well(client: &Client) {
    run(async {
        client.get("!/healthz").await.expect(200);
        assert_eq!(client.get("/Users").await.expect(200).body["totalResults"], 0);
    });
}

#[test]
fn bytes_that_are_not_utf8_are_refused() {
    let server = server("");
    for bytes in [
        &b"{\"userName\":\"\xff\xfe\"}"[..],
        b"{\"userName\":\"\xc3\x28\"}",
        b"{\"userName\":\"\xed\xa0\x80\"}",
        b"\xff\xfe{\x00\"\x00u\x00",
        b"\x00\x00\x00\x00",
        b"\x1f\x8b\x08\x00\x00",
    ] {
        let (status, body) = post(&server.client, bytes);
        assert_eq!((status, &body["scimType"]), (400, &json!("invalidSyntax")), "{bytes:?} {body}");
    }
    is_well(&server.client);
}

#[test]
fn a_hundred_megabytes_are_refused_announced_or_in_chunks() {
    let server = server("");
    let body = vec![b' '; 100 << 20];
    let (status, answer) = post(&server.client, &body);
    assert_eq!((status, &answer["status"]), (413, &json!("413")), "{answer}");
    let chunk = [b"100000\r\n", &vec![b' '; 1 << 20][..], b"\r\n"].concat();
    let start = head(&server.client, "POST /scim/v2/Users", "transfer-encoding: chunked\r\n");
    let mut parts = vec![start.as_bytes()];
    parts.extend(std::iter::repeat_n(&chunk[..], 100));
    parts.push(b"0\r\n\r\n");
    let (status, answer) = exchange(&server.client, &parts);
    assert_eq!((status, &answer["status"]), (413, &json!("413")), "{answer}");
    // Who asks first hears it before sending anything.
    let asks = "content-length: 104857600\r\nexpect: 100-continue\r\n";
    let (status, _) =
        exchange(&server.client, &[head(&server.client, "POST /scim/v2/Users", asks).as_bytes()]);
    assert_eq!(status, 413);
    is_well(&server.client);
}

#[test]
fn requests_that_are_none_are_refused_as_scim_errors() {
    let server = server("");
    let client = &server.client;
    let long = |length: usize| "x".repeat(length);
    let many = "x: y\r\n".repeat(200);
    let table = [
        (head(client, &format!("GET /scim/v2/Users?filter={}", long(1 << 20)), ""), 431),
        (head(client, &format!("GET /scim/v2/Users?filter={}", long(70_000)), ""), 414),
        (head(client, &format!("GET /scim/v2/Users?filter={}", long(9_000)), ""), 400),
        (head(client, "GET /scim/v2/Users", &many), 431),
        (head(client, "GET /scim/v2/Users", &format!("x: {}\r\n", long(1 << 20))), 431),
        (head(client, "GET http://[", ""), 400),
        (head(client, "POST /scim/v2/Users", "content-length: -5\r\n"), 400),
        (head(client, "POST /scim/v2/Users", "content-length: 1\r\ncontent-length: 2\r\n"), 400),
        (head(client, "POST /scim/v2/Users", "transfer-encoding: chunked\r\n\r\nzz\r\n"), 400),
        (head(client, "GET /scim/v2/Users/a\0b", ""), 400),
        ("\u{16}\u{3}\u{1} this was TLS\r\n\r\n".to_owned(), 400),
    ];
    for (request, expected) in table {
        let shown: String = request.chars().take(60).collect();
        let (status, body) = exchange(client, &[request.as_bytes()]);
        assert_eq!(status, expected, "{shown:?} {body}");
        assert_eq!(body["status"], expected.to_string(), "{shown:?} {body}");
    }
    is_well(client);
}

#[test]
fn who_sends_slowly_is_given_up_and_nobody_else_notices() {
    let server = server("--header-timeout 1 --body-timeout 1");
    let client = &server.client;
    let begun = Instant::now();
    let silent: Vec<_> = (0..100).map(|_| TcpStream::connect(client.address()).unwrap()).collect();
    let mut drops = TcpStream::connect(client.address()).unwrap();
    let dropping = std::thread::spawn(move || {
        // A byte at a time, for longer than the server waits.
        let sent = b"GET /scim/v2/Users HTTP/1.1\r\nhost: x\r\n".iter().cycle().take(60);
        for byte in sent {
            if drops.write_all(&[*byte]).is_err() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        false
    });
    let headers = "content-length: 100\r\ncontent-type: application/scim+json\r\n";
    let (status, body) = exchange(
        client,
        &[head(client, "POST /scim/v2/Users", headers).as_bytes(), b"{\"userName\":"],
    );
    assert_eq!((status, &body["status"]), (408, &json!("408")), "{body}");
    is_well(client);
    for mut stream in silent {
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
    }
    assert!(dropping.join().unwrap(), "a client that sends a byte at a time is given up");
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
}

#[test]
fn who_hangs_up_leaves_a_whole_user_or_none() {
    let server = server("");
    let client = &server.client;
    let user = |name: &str| {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name,
            "emails": [{ "value": format!("{name}@example.com") }],
        });
        body.to_string()
    };
    for number in 0..60 {
        let body = user(&format!("gone{number}"));
        let headers =
            format!("content-type: application/scim+json\r\ncontent-length: {}\r\n", body.len());
        let mut stream = TcpStream::connect(client.address()).unwrap();
        stream.write_all(head(client, "POST /scim/v2/Users", &headers).as_bytes()).unwrap();
        match number % 3 {
            0 => stream.write_all(&body.as_bytes()[..20]).unwrap(),
            _ => stream.write_all(body.as_bytes()).unwrap(),
        }
        if number % 3 == 2 {
            std::thread::sleep(Duration::from_micros(number * 50));
        }
        stream.shutdown(Shutdown::Both).unwrap();
    }
    run(async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        for number in 0..60 {
            let by_name = client.count(&format!("userName eq \"gone{number}\"")).await;
            let by_mail = client.count(&format!("emails eq \"gone{number}@example.com\"")).await;
            assert_eq!(by_name, by_mail, "gone{number}");
            assert!(number % 3 != 0 || by_name == 0, "half a body made a user");
        }
        client.try_user("after").await.unwrap().expect(201);
    });
    assert!(server.log().contains("499") || !server.log().contains("ERROR"), "{}", server.log());
}
