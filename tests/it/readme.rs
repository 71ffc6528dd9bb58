//! The README says what is: its tables are those of the code, its commands work as typed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use clap::{Args, Command as Line};
use serde_json::Value;
use usher::domain::tenant::KEYS;
use usher::settings::Settings;

const README: &str = include_str!("../../README.md");

#[track_caller]
fn has(table: &str) {
    assert!(README.contains(table), "README.md does not have this table:\n\n{table}");
}

#[test]
fn the_table_of_settings_is_the_command_lines() {
    let mut table = String::from("| Option | Variable | Default | Meaning |\n|---|---|---|---|\n");
    let line = Settings::augment_args(Line::new("usher"));
    for arg in line.get_arguments() {
        let name = arg.get_long().unwrap();
        let variable = arg.get_env().unwrap().to_str().unwrap();
        let default: Vec<_> =
            arg.get_default_values().iter().map(|v| v.to_str().unwrap()).collect();
        let default = default.first().map_or(String::new(), |value| format!("`{value}`"));
        let help = arg.get_help().unwrap().to_string();
        writeln!(table, "| `--{name}` | `{variable}` | {default} | {help} |").unwrap();
    }
    has(&table);
}

#[test]
fn the_table_of_tenant_settings_is_the_codes() {
    let mut table = String::from("| Setting | Default | May be | Meaning |\n|---|---|---|---|\n");
    let rows = README.split_once(&table).expect("the table's head").1;
    let rows: Vec<_> = rows.lines().take_while(|line| line.starts_with('|')).collect();
    table.clear();
    assert_eq!(rows.len(), KEYS.len());
    for ((name, default, allowed), row) in KEYS.iter().zip(rows) {
        let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
        let start = format!("| `{name}` | {default} | {allowed} | ");
        assert!(row.starts_with(&start) && row.len() > start.len() + 10, "{row}\nis not\n{start}");
    }
}

#[test]
fn every_variable_and_option_in_the_text_exists() {
    let line = Settings::augment_args(Line::new("usher"));
    let mut known: BTreeSet<String> = line
        .get_arguments()
        .flat_map(|arg| {
            [
                format!("--{}", arg.get_long().unwrap()),
                arg.get_env().unwrap().to_str().unwrap().to_owned(),
            ]
        })
        .collect();
    let more = [
        "--tenant",
        "--json",
        "--scope",
        "--expires",
        "--label",
        "--filter",
        "--to",
        "--deep",
        "--repair",
        "--help",
        "--release",
        "--data-urlencode",
        "--quick",
        "--bench",
        "--seats",
        "--pool",
        "--fix",
        "--department",
        "--agent-group",
        "--next",
        "--off",
        "--role",
        "--priority",
        "--name",
        "--resource",
        "--follow",
        "--status",
        "--force",
        "--primary",
        "--state",
        "--user",
        "--display",
        "--color",
        "--logo",
        "--display-name",
        "--user-name",
        "--seat-type",
        "--template",
        "--ttl-hours",
        "--link",
        "--at-once",
    ];
    known.extend(more.map(str::to_owned));
    let words = README.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
    for word in words.filter(|word| word.starts_with("--") || word.starts_with("USHER_")) {
        let rule = word.chars().all(|c| c == '-');
        assert!(rule || known.contains(word), "README.md names {word}, which does not exist");
    }
}

#[test]
fn links_within_the_tree_lead_somewhere() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    for link in README.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
        let target = link.0;
        assert!(target.starts_with("https://") || root.join(target).exists(), "{target}");
    }
}

/// The text of the shell block that follows this heading.
fn block(heading: &str) -> &'static str {
    let rest = README.split_once(&format!("\n{heading}\n")).expect("the heading").1;
    rest.split_once("```sh\n").unwrap().1.split_once("```").unwrap().0
}

/// A server of the built binary; ended when the test ends.
struct Served {
    process: Child,
    base: String,
    directory: tempfile::TempDir,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve() -> Served {
    let directory = tempfile::tempdir().unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_usher"))
        .args(["serve", "--json", "--listen", "127.0.0.1:0"])
        .current_dir(directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let said: Value = serde_json::from_str(&first).unwrap();
    Served { process, base: said["base"].as_str().unwrap().to_owned(), directory }
}

#[test]
fn the_first_requests_work_as_typed() {
    let served = serve();
    let typed = block("## First requests")
        .replace("http://127.0.0.1:8080/scim/v2", &served.base)
        .replace("target/release/usher", env!("CARGO_BIN_EXE_usher"));
    let done = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &typed])
        .current_dir(served.directory.path())
        .output()
        .unwrap();
    let (said, wrong) =
        (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{said}\n{wrong}");
    assert!(!said.contains("api:messages:2.0:Error"), "{said}");
    for expected in
        ["\"totalResults\":0", "\"userName\":\"ines@northwind.example\"", "\"active\":false"]
    {
        assert!(said.contains(expected), "no {expected} in {said}");
    }
}

#[test]
fn the_benches_say_how_they_are_run_and_refuse_what_they_do_not_know() {
    let run = |words: &[&str]| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/run");
        let output = Command::new(script).args(words).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    for words in [["--help"], ["-h"]] {
        let (status, out, err) = run(&words);
        assert_eq!((status, err.as_str()), (Some(0), ""));
        assert!(out.contains("--postgres-sizes") && !out.contains("set -euo"), "{out}");
    }
    for words in [&["--quik"][..], &["--only", "read by id", "all"], &["--quick", "--sizes"]] {
        let (status, out, err) = run(words);
        assert_eq!((status, out.as_str()), (Some(2), ""), "{words:?}");
        assert!(err.contains("benches/run --quick"), "{err}");
    }
}
