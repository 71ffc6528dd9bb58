//! How the program starts: what it prints, what it makes, what it refuses.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::support::postgres::empty_database;
use crate::support::process::{Client, Setup};
use crate::support::{Directory, each_db, run};

fn fresh() -> Setup {
    Setup::new(Directory::new())
}

each_db! {
    async fn a_first_start_prints_base_and_token_and_a_second_none(setup: Setup) {
        let first = setup.start();
        assert_eq!(first.said["tenant"], "default");
        assert!(first.client.base.ends_with("/scim/v2"), "{}", first.said);
        assert!(first.client.token.starts_with("usher_scim_"), "{}", first.said);
        first.client.get("/Users").await.expect(200);
        let client = first.client.clone();
        assert!(!first.log().contains(&client.token));
        first.tell("TERM");
        assert_eq!(first.wait(), (Some(0), None, String::new()));
        let second = setup.start();
        assert_eq!(second.said, json!({ "base": second.client.base }));
        second.client.bearing(&client.token).get("/Users").await.expect(200);
    }
}

/// Proves SCIM-482.
#[test]
fn people_read_the_base_and_the_token_on_lines_of_their_own() {
    use std::io::{BufRead, BufReader};
    let setup = fresh();
    let mut command = setup.command("serve --listen 127.0.0.1:0");
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let lines: Vec<_> = lines.take_while(|line| !line.starts_with("curl ")).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(lines[0].starts_with("Usher serves SCIM at http://127.0.0.1:"), "{lines:?}");
    let tokens: Vec<_> = lines.iter().filter(|line| line.starts_with("usher_scim_")).collect();
    assert_eq!(tokens.len(), 1, "{lines:?}");
}

#[test]
fn secrets_go_to_a_file_of_the_owner_alone_when_that_is_asked() {
    let setup = fresh().with("--quiet-secrets");
    let server = setup.start();
    assert_eq!(server.said["token"], serde_json::Value::Null);
    let path = setup.data().join("first-run");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let content: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let client = server.client.bearing(content["token"].as_str().unwrap());
    run(async { client.get("/Users").await.expect(200) });
}

#[test]
fn a_data_directory_may_hold_other_files() {
    let setup = fresh();
    std::fs::create_dir_all(setup.data().join("mail")).unwrap();
    std::fs::write(setup.data().join("notes.txt"), "ours").unwrap();
    let server = setup.start();
    run(async { server.client.get("/Users").await.expect(200) });
    assert_eq!(std::fs::read_to_string(setup.data().join("notes.txt")).unwrap(), "ours");
}

#[test]
fn empty_variables_and_unknown_ones_stop_nothing() {
    let setup = fresh()
        .variable("USHER_COLOUR", "red")
        .variable("USHER_SEATS", "")
        .variable("USHER_PUBLIC_URL", "")
        .variable("USHER_MAX_FILTER", "20");
    let server = setup.start();
    run(async {
        let refused = server.client.get("/Users?filter=userName%20eq%20%22long%20enough%22").await;
        refused.refused(400, "invalidFilter");
    });
}

#[test]
fn a_wrong_setting_stops_the_start_with_one_line_that_names_it() {
    let directory = Directory::new();
    let at = |name: &str| directory.path().join(name).display().to_string();
    std::fs::write(at("wrong.toml"), "max-body = 'much'\n").unwrap();
    std::fs::write(at("unknown.toml"), "colour = 1\n").unwrap();
    std::fs::write(at("empty.pem"), "").unwrap();
    let (wrong, unknown, empty) = (at("wrong.toml"), at("unknown.toml"), at("empty.pem"));
    let table = [
        ("--listen 0.0.0.0:0".to_owned(), "--public-url", 2),
        ("--listen nowhere".to_owned(), "--listen", 2),
        ("--public-url http://scim.example.com".to_owned(), "--public-url", 2),
        ("--public-url ftp://scim.example.com".to_owned(), "--public-url", 2),
        ("--database-url mysql://u:hidden@h/d".to_owned(), "--database-url", 2),
        ("--max-body none".to_owned(), "--max-body", 2),
        ("--header-timeout 0".to_owned(), "--header-timeout", 2),
        ("--argon2-memory 1".to_owned(), "--argon2-memory", 2),
        ("--trusted-proxies ten".to_owned(), "--trusted-proxies", 2),
        ("--log-format xml".to_owned(), "--log-format", 2),
        (format!("--tls-cert {empty}"), "--tls-key", 2),
        (format!("--tls-cert {empty} --tls-key {empty}"), "--tls-", 2),
        (format!("--config {wrong}"), "max-body", 2),
        (format!("--config {unknown}"), "colour", 2),
        ("--config /does/not/exist".to_owned(), "--config", 2),
        ("--frobnicate".to_owned(), "--frobnicate", 2),
        ("--database-url postgres://u:hidden@127.0.0.1:1/d".to_owned(), "refused", 1),
    ];
    for (words, named, status) in table {
        let setup = fresh();
        let done = setup.run(&format!("serve {words}"));
        assert_eq!((done.status, done.out.as_str()), (status, ""), "{words}: {done:?}");
        let lines: Vec<_> = done.err.lines().filter(|line| line.starts_with("usher: ")).collect();
        assert_eq!((lines.len(), done.err.lines().count()), (1, 1), "{words}: {done:?}");
        assert!(lines[0].contains(named), "{words}: {done:?}");
        assert!(!done.err.contains("hidden"), "{words}: {done:?}");
        assert!(!setup.data().exists() || status == 1, "{words}: nothing is made before");
    }
}

#[test]
fn a_wrong_variable_is_named_like_its_option() {
    let done = fresh().variable("USHER_MAX_BODY", "much").run("serve --listen 127.0.0.1:0");
    assert_eq!((done.status, done.err.lines().count()), (2, 1), "{done:?}");
    assert!(done.err.contains("--max-body"), "{done:?}");
}

#[test]
fn a_port_in_use_and_a_data_directory_that_is_a_file_are_said_in_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let setup = fresh();
    let done = setup.run(&format!("serve --listen 127.0.0.1:{port}"));
    assert_eq!((done.status, done.err.lines().count()), (1, 1), "{done:?}");
    assert!(done.err.contains(&port.to_string()), "{done:?}");
    assert!(!setup.data().exists(), "a port in use leaves no half-made installation");
    std::fs::write(setup.data(), "a file").unwrap();
    let done = setup.run("serve --listen 127.0.0.1:0");
    assert_eq!((done.status, done.err.lines().count()), (1, 1), "{done:?}");
    assert!(done.err.contains("usher.db"), "{done:?}");
}

/// Proves SCIM-510: URLs come from the settings, whatever the request says.
#[test]
fn urls_begin_with_the_public_url_and_never_with_what_a_request_says() {
    let setup = fresh().with("--public-url https://scim.example.com/usher");
    let server = setup.start();
    assert_eq!(server.client.base, "https://scim.example.com/usher/scim/v2");
    // The line comes a moment after the token is printed.
    let log = (0..250).map(|_| server.log()).find(|log| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        log.contains("address=")
    });
    let log = log.expect("the server says where it serves");
    let address = log.split("address=").nth(1).unwrap().split_whitespace().next().unwrap();
    let local = Client::new(&format!("http://{address}/usher/scim/v2"), &server.client.token);
    run(async {
        let request = local.request("GET", "/ServiceProviderConfig");
        let request = request.header("host", "evil.example").header("x-forwarded-host", "evil");
        let reply = Client::send(request.header("forwarded", "host=evil")).await.unwrap();
        let config = reply.expect(200).body.to_string();
        assert!(config.contains("https://scim.example.com/usher/scim/v2"), "{config}");
        assert!(!config.contains("evil"), "{config}");
    });
}

#[test]
fn two_servers_that_start_at_once_on_one_database_make_one_tenant_and_one_token() {
    let Some(url) = empty_database() else { return };
    let setup = fresh().on(url);
    let (one, two) = std::thread::scope(|scope| {
        let one = scope.spawn(|| setup.start());
        let two = scope.spawn(|| setup.start());
        (one.join().unwrap(), two.join().unwrap())
    });
    let tokens: Vec<_> =
        [&one, &two].iter().filter_map(|server| server.said["token"].as_str()).collect();
    assert_eq!(tokens.len(), 1, "{} {}", one.said, two.said);
    assert_eq!(setup.json("tenant list").as_array().unwrap().len(), 1);
    let listed = setup.json("token list");
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let [one, two] = [&one, &two].map(|server| server.client.bearing(tokens[0]));
    run(async {
        let id = one.try_user("anna").await.unwrap().expect(201).id();
        let shown = two.get(&format!("/Users/{id}")).await.expect(200);
        assert_eq!(shown.body["userName"], "anna");
        setup.json(&format!("token revoke {}", listed[0]["id"].as_str().unwrap()));
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        for client in [&one, &two] {
            client.get("/Users").await.expect(401);
        }
    });
}
