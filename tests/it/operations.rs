//! What those who run the server see: logs without secrets, figures, health, TLS.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::process::{Client, Setup, patch, user};
use crate::support::{Directory, run};

const SECRET: &str = "Correct-Horse-7-Battery";

/// A day's work, with a secret or something personal in every place that could be logged.
async fn work(client: &Client) {
    let mut body = user("marta.private");
    body["password"] = SECRET.into();
    body["title"] = "Keeper of confidences".into();
    let made = client.post("/Users", &body).await.expect(201);
    let path = format!("/Users/{}", made.id());
    client.post("/Users", &body).await.expect(409);
    body["password"] = format!("{SECRET}-2").into();
    client.try_to("PUT", &path, Some(&body)).await.unwrap().expect(200);
    let change = json!([{ "op": "replace", "path": "password", "value": format!("{SECRET}-3") }]);
    client.try_to("PATCH", &path, Some(&patch(&change))).await.unwrap().expect(200);
    let weak = json!([{ "op": "replace", "path": "password", "value": "Weak-7" }]);
    client.try_to("PATCH", &path, Some(&patch(&weak))).await.unwrap().expect(400);
    client.count("emails.value eq \"marta.private@example.com\"").await;
    client.get("/Users?filter=userName%20eq%20marta.private%20oops").await;
    let search = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": "emails.value co \"marta.private\"",
    });
    client.post("/Users/.search", &search).await.expect(200);
    client.bearing("Secret-Word-As-Token").get("/Users").await.expect(401);
    let mut damaged = client.token.clone();
    damaged.replace_range(20..23, "zzz");
    client.bearing(&damaged).get("/Users").await.expect(401);
    client.get(&format!("/Users?access_token={}", client.token)).await;
    client.get("/Users/marta.private@example.com").await.expect(404);
    client.get("!/marta.private/nowhere").await.expect(404);
    let wrong = client.request("POST", "/Users").header("content-type", "application/scim+json");
    let wrong = wrong.body(format!("{{\"userName\":\"marta.private\",\"password\":\"{SECRET}\""));
    Client::send(wrong).await.unwrap().expect(400);
    client.try_to("DELETE", &path, None).await.unwrap().expect(204);
}

/// Proves SCIM-463, SCIM-485, SCIM-513.
#[test]
fn the_log_says_who_did_what_and_no_secret() {
    let setup = Setup::new(Directory::new()).with("--log-format json --log-level trace");
    let server = setup.start();
    let reply = run(async {
        work(&server.client).await;
        server.client.get("/Users/unknown").await.expect(404)
    });
    let token = server.client.token.clone();
    let token_id = setup.json("token list")[0]["id"].as_str().unwrap().to_owned();
    server.tell("TERM");
    std::thread::sleep(std::time::Duration::from_millis(300));
    let log = server.log();
    for secret in [
        SECRET,
        "Weak-7",
        &token,
        &token[12..40],
        "zzz",
        "Secret-Word",
        "marta.private",
        "confidences",
        "Bearer ",
        "$argon2",
    ] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "the log has '{secret}'");
    }
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let requests: Vec<_> = lines.iter().filter(|line| line["message"] == "request").collect();
    assert!(requests.len() >= 16, "{log}");
    for line in &requests {
        assert!(line["span"]["request_id"].is_string(), "{line}");
        assert!(line["method"].is_string() && line["status"].is_u64(), "{line}");
        assert!(line["duration_ms"].is_number() && line["path"].is_string(), "{line}");
        assert!(line["tenant"].is_string() && line["token"].is_string(), "{line}");
    }
    let last =
        requests.iter().find(|line| line["span"]["request_id"] == reply.header("x-request-id"));
    let last = last.expect("the request id of an answer is in the log");
    assert!(reply.body["detail"].as_str().unwrap().contains(reply.header("x-request-id")));
    assert_eq!(last["path"], "/scim/v2/Users/{id}");
    assert_eq!((&last["tenant"], &last["token"]), (&json!("default"), &json!(token_id)));
    assert_eq!((&last["method"], &last["status"]), (&json!("GET"), &json!(404)));
}

#[test]
fn the_log_for_people_has_no_secret_either() {
    let setup = Setup::new(Directory::new()).with("--log-level debug");
    let server = setup.start();
    run(work(&server.client));
    let log = server.log();
    for secret in [SECRET, &server.client.token, "marta.private", "Secret-Word"] {
        assert!(!log.contains(secret), "the log has '{secret}': {log}");
    }
    assert!(log.contains("path=\"/scim/v2/Users/{id}\""), "{log}");
}

#[test]
fn figures_need_the_scope_admin_or_a_listener_of_their_own() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let setup = Setup::new(Directory::new()).with(&format!("--metrics-listen {free}"));
    let server = setup.start();
    let admin = server.client.bearing(&setup.secret("token create --scope admin"));
    run(async {
        server.client.get("!/metrics").await.refused(403, "");
        server.client.bearing("x").get("!/metrics").await.refused(401, "");
        server.client.get("/Users/unknown").await.expect(404);
        let own = Client::new(&format!("http://{free}/scim/v2"), "");
        for figures in [admin.get("!/metrics").await, own.get("!/metrics").await] {
            let figures = figures.expect(200);
            let text = figures.body.as_str().unwrap();
            let line = text.lines().find(|line| {
                line.starts_with("usher_requests_total") && line.contains("/scim/v2/Users/{id}")
            });
            assert!(line.is_some_and(|line| line.contains("404")), "{text}");
            assert!(text.contains("usher_request_seconds_bucket") && text.ends_with("# EOF\n"));
            assert!(!text.contains("unknown"), "{text}");
        }
        own.get("/Users").await.expect(404);
    });
}

#[test]
fn health_and_the_page_are_open_to_everybody() {
    let server = Setup::new(Directory::new()).start();
    let nobody = server.client.bearing("");
    run(async {
        for path in ["!/healthz", "!/readyz", "!/openapi.yaml", "!/docs"] {
            nobody.get(path).await.expect(200);
        }
        let page = nobody.get("!/docs").await.body.as_str().unwrap().to_owned();
        assert!(!page.contains("<script") && !page.contains("src="), "nothing from elsewhere");
    });
}

#[test]
fn tls_is_spoken_where_a_certificate_is_given() {
    let directory = Directory::new();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let at = |name: &str| directory.path().join(name);
    std::fs::write(at("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(at("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let words =
        format!("--tls-cert {} --tls-key {}", at("cert.pem").display(), at("key.pem").display());
    let server = Setup::new(directory).with(&words).start();
    assert!(server.client.base.starts_with("https://127.0.0.1:"), "{}", server.client.base);
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config =
        rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let session = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = TcpStream::connect(server.client.address()).unwrap();
    let mut stream = rustls::StreamOwned::new(session, socket);
    let token = &server.client.token;
    write!(
        stream,
        "GET /scim/v2/Users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n"
    )
    .unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 200 OK\r\n");
    // Plain HTTP on this port is closed without an answer, and nothing breaks.
    let mut plain = TcpStream::connect(server.client.address()).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut plain, &mut rest);
    assert!(!rest.starts_with(b"HTTP"), "{rest:?}");
}
