//! The commands beside a running server: what they print, what they change, how they end.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::process::Setup;
use crate::support::{Directory, each_db, run};

/// What product.md gives every process to learn of a revoked token or changed scopes.
const SOON: Duration = Duration::from_millis(500);

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

each_db! {
    /// Proves SCIM-482, SCIM-488.
    async fn tokens_are_made_changed_rotated_and_revoked_beside_the_server(setup: Setup) {
        let server = setup.start();
        assert_eq!(setup.json("tenant create acme")["name"], "acme");
        let made = setup.json("token create --tenant acme --label okta --scope scim:read --expires 30");
        let reader = server.client.bearing(text(&made["token"]));
        reader.get("/Users").await.expect(200);
        reader.try_user("anna").await.unwrap().expect(403);
        let id = text(&made["id"]);
        setup.json(&format!("token set {id} --tenant acme --scope scim"));
        tokio::time::sleep(SOON).await;
        let user = reader.try_user("anna").await.unwrap().expect(201).id();
        server.client.get(&format!("/Users/{user}")).await.expect(404);

        let next = setup.secret(&format!("token rotate {id} --tenant acme"));
        let next = reader.bearing(&next);
        for client in [&reader, &next] {
            client.get(&format!("/Users/{user}")).await.expect(200);
        }
        let listed = setup.json("token list --tenant acme");
        let of = |id: &str| {
            let rows = listed.as_array().unwrap();
            rows.iter().find(|row| row["id"] == id).cloned().unwrap()
        };
        assert_eq!(listed.as_array().unwrap().len(), 2);
        assert_eq!((&of(id)["label"], &of(id)["state"]), (&json!("okta"), &json!("active")));
        assert!(of(id)["lastUsed"].is_string() && of(id)["expires"].is_string(), "{listed}");
        assert!(!listed.to_string().contains("usher_scim_"), "{listed}");

        setup.json(&format!("token revoke {id} --tenant acme"));
        tokio::time::sleep(SOON).await;
        let refused = reader.get("/Users").await;
        assert!(refused.header("www-authenticate").contains("invalid_token"));
        refused.refused(401, "");
        next.get("/Users").await.expect(200);
        setup.json(&format!("token revoke {id} --tenant acme"));
    }

    async fn the_doctor_mends_an_index_beside_the_server(setup: Setup) {
        let server = setup.start();
        server.client.try_user("anna").await.unwrap().expect(201);
        let well = setup.json("doctor --deep");
        assert_eq!(well["ok"], true, "{well}");
        assert!(well.to_string().contains("resources looked at: 1,"), "{well}");
        let store = setup.store().await;
        let sql = "DELETE FROM attr_index WHERE attr = 'userName'";
        let gone = store.write_apart(async move |tx| tx.execute(sql, &[]).await);
        assert_eq!(gone.await, Ok::<_, usher::store::Error>(1));
        store.close().await;
        assert_eq!(server.client.count("userName eq \"anna\"").await, 0);
        let ill = setup.run("doctor --deep");
        assert_eq!((ill.status, ill.err.as_str()), (1, ""), "{ill:?}");
        let line = ill.out.lines().find(|line| line.starts_with("default/User")).unwrap();
        assert!(line.contains("FAILED") && line.contains("missing entries: 1;"), "{line}");
        assert!(line.contains("run 'usher doctor --repair'"), "{line}");
        let mended = setup.json("doctor --repair");
        assert!(mended.to_string().contains("mended: missing entries: 1"), "{mended}");
        assert_eq!((&mended["ok"], &setup.json("doctor --deep")["ok"]), (&json!(true), &json!(true)));
        assert_eq!(server.client.count("userName eq \"anna\"").await, 1);
    }

    async fn tenants_are_made_listed_shown_and_set_beside_the_server(setup: Setup) {
        let server = setup.start();
        assert_eq!(setup.run("tenant create acme").status, 0);
        let names: Vec<_> = setup.json("tenant list").as_array().unwrap().iter()
            .map(|tenant| text(&tenant["name"]).to_owned()).collect();
        assert_eq!(names, ["acme", "default"]);
        let client = server.client.bearing(&setup.secret("token create --tenant acme"));
        for number in 0..3 {
            client.try_user(&format!("user{number}")).await.unwrap().expect(201);
        }
        let set = setup.json("tenant set acme page.default=2 scim.patchResponse=none");
        assert_eq!(set["settings"]["page.default"], "2");
        assert_eq!(setup.json("tenant show acme"), set);
        tokio::time::sleep(SOON).await;
        assert_eq!(client.get("/Users").await.expect(200).body["itemsPerPage"], 2);
        for (words, named) in [
            ("tenant set acme page.default=many", "page.default"),
            ("tenant set acme scim.colour=red", "scim.colour"),
            ("tenant set nobody page.default=2", "nobody"),
            ("tenant create acme", "acme"),
            ("tenant create a/b", "a/b"),
            ("tenant show nobody", "nobody"),
        ] {
            let done = setup.run(words);
            assert_eq!((done.status, done.out.as_str()), (1, ""), "{words}: {done:?}");
            assert!(done.err.contains(named) && done.err.lines().count() == 1, "{done:?}");
        }
        assert_eq!(setup.json("tenant show acme"), set);
    }

    async fn users_are_linked_to_call_agents_and_unlinked_beside_the_server(setup: Setup) {
        let server = setup.start();
        server.client.try_user("anna").await.unwrap().expect(201);
        let secret = setup.secret("token create --scope scim --scope agents:write");
        let client = server.client.bearing(&secret);
        let agent = client.post("/CallAgents", &json!({
            "schemas": ["urn:ietf:params:scim:schemas:usher:2.0:CallAgent"],
            "displayName": "Anna", "agentNumber": "7",
        })).await.expect(201).id();
        // What clients do not see, operators write all the same.
        setup.json("tenant set default discovery.extensions=none");
        assert_eq!(setup.json("agents link anna 7")["agent"], agent.as_str());
        let listed = setup.json("agents list");
        assert_eq!(listed["Resources"][0]["user"]["display"], "anna");
        assert!(setup.run("agents list").out.contains("anna"));
        assert_eq!(setup.json("agents unlink anna")["agent"], Value::Null);
        assert_eq!(setup.json("agents list")["Resources"][0].get("user"), None);
        for words in ["agents link anna 8", "agents link nobody 7", "agents unlink nobody"] {
            let done = setup.run(words);
            assert_eq!((done.status, done.out.as_str()), (1, ""), "{words}: {done:?}");
        }
    }

    async fn call_agents_are_imported_line_by_line_and_again_without_a_change(setup: Setup) {
        let _server = setup.start();
        let file = setup.directory.path().join("agents.csv");
        let head = "\u{feff}agentNumber;displayName".replace(';', ",")
            + ",callForwardNumber,allowedCallerIds,loginBasedCalling,agentgroups\r\n";
        let lines = "7,\"Lee, Ann\",+49 30 1234567,+4930111111;+4930222222,yes,\r\n8,Bob,030 1234567,,,\n,Carl,,,,\n";
        std::fs::write(&file, format!("{head}{lines}")).unwrap();
        let done = setup.run("agents import agents.csv --json");
        let told: Value = serde_json::from_str(&done.out).unwrap();
        assert_eq!((done.status, &told["made"]), (1, &json!(2)), "{done:?}");
        assert_eq!(told["refused"][0]["line"], 3);
        assert!(told["refused"][0]["detail"].as_str().unwrap().contains("callForwardNumber"));
        let listed = setup.json("agents list");
        let ann = &listed["Resources"][0];
        assert_eq!((&ann["displayName"], &ann["loginBasedCalling"]), (&json!("Lee, Ann"), &json!(true)));
        assert_eq!(ann["allowedCallerIds"], json!(["+4930111111", "+4930222222"]));
        let better = format!("{head}7,,,,,\n8,Bob,+49 30 1234567,,no,\n");
        std::fs::write(&file, better).unwrap();
        let counts = |made: i64, changed: i64, same: i64| {
            json!({ "made": made, "changed": changed, "same": same, "refused": [] })
        };
        assert_eq!(setup.json("agents import agents.csv"), counts(1, 0, 1));
        assert_eq!(setup.json("agents import agents.csv"), counts(0, 0, 2));
        std::fs::write(&file, "agentNumber,displayName\n8,Robert\n").unwrap();
        assert_eq!(setup.json("agents import agents.csv"), counts(0, 1, 0));
        assert_eq!(setup.run("agents import agents.csv").out.trim(),
            "0 call agents made, 0 changed, 1 as they were, 0 refused.");
        std::fs::write(&file, "agentNumber,colour\n8,red\n").unwrap();
        let wrong = setup.run("agents import agents.csv");
        assert!(wrong.status == 1 && wrong.err.contains("'colour'"), "{wrong:?}");
        assert_eq!(setup.run("agents import nothing.csv").status, 1);
    }

    async fn users_are_listed_and_shown_by_id_and_name(setup: Setup) {
        let server = setup.start();
        for name in ["cleo", "anna", "bob\"by"] {
            server.client.try_user(name).await.unwrap().expect(201);
        }
        let names = |page: &Value| -> Vec<String> {
            let users = page["Resources"].as_array().unwrap();
            users.iter().map(|user| text(&user["userName"]).to_owned()).collect()
        };
        let all = setup.json("users list");
        assert_eq!(names(&all), ["anna", "bob\"by", "cleo"]);
        assert_eq!(names(&setup.json("users list --start 2 --count 1")), ["bob\"by"]);
        let mut found = setup.command("users list --json");
        let found = found.args(["--filter", "userName sw \"C\""]).output().unwrap();
        assert_eq!(names(&serde_json::from_slice(&found.stdout).unwrap()), ["cleo"]);
        let mut wrong = setup.command("users list");
        let wrong = wrong.args(["--filter", "userName ~ 1"]).output().unwrap();
        assert_eq!(wrong.status.code(), Some(1));
        let by_name = setup.json("users show BOB\"by");
        assert_eq!(by_name, setup.json(&format!("users show {}", text(&by_name["id"]))));
        assert!(setup.run("users list").out.contains("USERNAME"));
        assert_eq!(setup.run("users show dora").status, 1);
    }
}

#[test]
fn a_command_ends_with_one_for_failure_and_two_for_what_cannot_be_meant() {
    let setup = Setup::new(Directory::new());
    for (words, status) in [
        ("tenant show nobody", 1),
        ("token revoke 0 --tenant nobody", 1),
        ("token revoke 0", 1),
        ("users show nobody", 1),
        ("tenant", 2),
        ("tenant forget", 2),
        ("token create --scope everything", 2),
        ("token create --expires 0", 2),
        ("tenant set default", 2),
        ("tenant set default page.default", 2),
        ("copy --to postgres:/x", 2),
        ("copy --to postgresql", 2),
        ("", 2),
    ] {
        let done = setup.run(words);
        assert_eq!((done.status, done.out.as_str()), (status, ""), "usher {words}: {done:?}");
        assert!(!done.err.is_empty(), "usher {words}");
    }
    for target in ["", " "] {
        let output = setup.command("copy").args(["--to", target]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "copy --to '{target}'");
    }
    let made: Vec<_> = std::fs::read_dir(setup.directory.path()).unwrap().collect();
    assert!(made.is_empty(), "{made:?}");
    assert_eq!(setup.run("--help").status, 0);
    assert!(setup.run("--version").out.starts_with("usher "));
}

#[test]
fn nothing_is_said_about_what_is_not_there_yet() {
    let setup = Setup::new(Directory::new());
    let help: String =
        ["--help", "serve --help", "tenant create --help", "users --help", "token --help"]
            .iter()
            .map(|words| setup.run(words).out.to_lowercase())
            .collect();
    assert!(!help.contains("console"), "{help}");
}

#[test]
fn the_doctor_finds_what_is_wrong() {
    let setup = Setup::new(Directory::new());
    let none = setup.run("doctor");
    assert!(none.status == 1 && none.out.contains("FAILED"), "{none:?}");
    let _server = setup.start();
    let well = setup.json("doctor");
    assert_eq!(well["ok"], true, "{well}");
    let checks: Vec<_> =
        well["checks"].as_array().unwrap().iter().map(|check| text(&check["check"])).collect();
    for check in ["clock", "database", "schema", "public-url"] {
        assert!(checks.contains(&check), "{well}");
    }
    let ill = setup.clone().with("--public-url http://scim.example.com").run("doctor --json");
    assert_eq!((ill.status, ill.out.lines().count()), (1, 1), "{ill:?}");
    let ill: Value = serde_json::from_str(&ill.out).unwrap();
    assert_eq!(ill["ok"], false);
    let broken = setup.on("postgres://u:hidden@127.0.0.1:1/d".to_owned()).run("doctor");
    assert_eq!(broken.status, 1, "{broken:?}");
    assert!(broken.out.contains("FAILED") && !broken.out.contains("hidden"), "{broken:?}");
}

#[test]
fn the_contract_is_printed_as_it_is_committed() {
    let setup = Setup::new(Directory::new());
    let printed = setup.run("contract print");
    assert_eq!(printed.out.trim_end(), usher::http::CONTRACT.trim_end());
    assert!(!setup.data().exists(), "printing the contract makes no installation");
    let server = setup.start();
    let fetched = run(server.client.get("!/openapi.yaml")).expect(200);
    assert_eq!(fetched.body, Value::from(usher::http::CONTRACT));
}
