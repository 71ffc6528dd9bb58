//! Recorded conversations of real clients, one file each under `tests/idp/<client>/`.
//!
//! A file with a `quirk` must pass with all leniencies on and fail when that one is switched off.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};
use usher::scim::quirks::{QUIRKS, Quirk, Quirks};

use crate::support::app::TestApp;
use crate::support::each_db;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Conversation {
    quirk: Option<String>,
    #[expect(dead_code, reason = "for the reader of the file")]
    client: String,
    #[expect(dead_code, reason = "for the reader of the file")]
    about: String,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    method: String,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    raw_body: Option<String>,
    status: u16,
    #[serde(default)]
    expect: BTreeMap<String, Value>,
    #[serde(default)]
    capture: BTreeMap<String, String>,
}

fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/idp");
    let mut files = Vec::new();
    for client in std::fs::read_dir(root).unwrap() {
        for file in std::fs::read_dir(client.unwrap().path()).unwrap() {
            files.push(file.unwrap().path());
        }
    }
    files.sort();
    files
}

fn read(file: &Path) -> Conversation {
    let text = std::fs::read_to_string(file).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn quirk_of(name: &str) -> Quirk {
    QUIRKS
        .iter()
        .map(|row| row.quirk)
        .find(|quirk| format!("{quirk:?}") == name)
        .unwrap_or_else(|| panic!("no quirk is called {name}"))
}

/// Puts captured values into `{{name}}`.
fn filled(text: &str, captured: &BTreeMap<String, String>) -> String {
    captured.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{{{name}}}}}"), value)
    })
}

fn filled_value(value: &Value, captured: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => Value::String(filled(text, captured)),
        Value::Array(items) => items.iter().map(|item| filled_value(item, captured)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, item)| (filled(key, captured), filled_value(item, captured)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn fits(found: Option<&Value>, wanted: &Value) -> bool {
    match wanted.as_str() {
        Some("<absent>") => found.is_none(),
        Some("<string>") => found.is_some_and(Value::is_string),
        Some("<number>") => found.is_some_and(Value::is_number),
        _ => found == Some(wanted),
    }
}

/// Plays a conversation; the error says where the server answered otherwise.
async fn play(app: &TestApp, conversation: &Conversation) -> Result<(), String> {
    let mut captured = BTreeMap::from([("token".to_owned(), app.token.clone())]);
    for (number, step) in (1..).zip(&conversation.steps) {
        let path = filled(&step.path, &captured);
        let body = match (&step.body, &step.raw_body) {
            (Some(body), _) => Some(filled_value(body, &captured).to_string()),
            (None, Some(raw)) => Some(filled(raw, &captured)),
            (None, None) => None,
        };
        let headers: Vec<(String, String)> = step
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), filled(value, &captured)))
            .collect();
        let reply = app.exchange(&step.method, &path, &headers, body).await;
        let place = format!("step {number} {} {path}", step.method);
        if reply.status != step.status {
            return Err(format!(
                "{place}: {} instead of {}: {}",
                reply.status, step.status, reply.body
            ));
        }
        for (pointer, wanted) in &step.expect {
            let wanted = filled_value(wanted, &captured);
            let found = reply.body.pointer(&filled(pointer, &captured));
            if !fits(found, &wanted) {
                return Err(format!("{place}: {pointer} is {found:?}, not {wanted}"));
            }
        }
        for (name, pointer) in &step.capture {
            let value = reply.body.pointer(pointer).and_then(Value::as_str);
            let value = value.ok_or_else(|| format!("{place}: nothing at {pointer}"))?;
            captured.insert(name.clone(), value.to_owned());
        }
    }
    Ok(())
}

each_db! {
    /// Proves SCIM-245.
    async fn every_recorded_conversation_is_answered(app: TestApp) {
        let mut wrong = Vec::new();
        for file in files() {
            let conversation = read(&file);
            let tenant = app.tenant(&conversation.settings).await;
            if let Err(why) = play(&tenant, &conversation).await {
                wrong.push(format!("{}: {why}", file.display()));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    async fn a_conversation_fails_when_its_quirk_is_switched_off(app: TestApp) {
        let mut wrong = Vec::new();
        for file in files() {
            let conversation = read(&file);
            let Some(name) = &conversation.quirk else { continue };
            let quirks = Quirks::ALL.without(quirk_of(name));
            let tenant = app.tenant(&conversation.settings).await.with_quirks(quirks);
            if play(&tenant, &conversation).await.is_ok() {
                wrong.push(format!("{} passes without {name}", file.display()));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn every_quirk_has_a_conversation() {
    let named: Vec<String> = files().iter().filter_map(|file| read(file).quirk).collect();
    let missing: Vec<_> = QUIRKS
        .iter()
        .map(|row| format!("{:?}", row.quirk))
        .filter(|name| !named.contains(name))
        .collect();
    assert!(missing.is_empty(), "no conversation for {missing:?}");
}
