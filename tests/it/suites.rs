//! The test suites of others, against the built program.

use std::process::Command;

use serde_json::Value;

use crate::support::Directory;
use crate::support::process::Setup;

/// A Python with the suites, which `tests/run` installs.
fn python() -> String {
    std::env::var("USHER_TEST_PYTHON").unwrap_or_else(|_| {
        panic!(
            "USHER_TEST_PYTHON is not set: run tests/run, which installs the suites of others, or \
             set it to a Python that has tests/python/requirements.txt"
        )
    })
}

#[test]
fn scim2_tester_finds_nothing_wrong() {
    let python = python();
    let setup = Setup::new(Directory::new());
    let server = setup.start();
    // It makes up values by their type alone, which our own rules refuse.
    assert_eq!(setup.run("tenant set default discovery.extensions=none").status, 0);
    std::thread::sleep(std::time::Duration::from_millis(500));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/run_scim2_tester.py");
    let mut command = Command::new(python);
    let done = command.args([script, &server.client.base, &server.client.token]).output().unwrap();
    let [out, err] = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(done.status.success(), "{out}{err}");
    let (passed, failed) = out.trim().split_once(" passed, ").unwrap();
    assert_eq!(failed, "0 failed");
    assert!(passed.parse::<u32>().unwrap() > 20, "{out}");
    println!("scim2-tester: {out}");
}

#[test]
fn scim_sanity_finds_nothing_wrong() {
    let program = std::path::Path::new(&python()).with_file_name("scim-sanity");
    let server = Setup::new(Directory::new()).start();
    let mut command = Command::new(program);
    command.args(["probe", &server.client.base, "--token", &server.client.token]);
    let done = command.args(["--json-output", "--i-accept-side-effects"]).output().unwrap();
    let [out, err] = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    let summary = &report["summary"];
    assert_eq!((&summary["failed"], &summary["errors"]), (&0.into(), &0.into()), "{out}");
    assert!(summary["passed"].as_u64().unwrap() > 20, "{out}");
    println!("scim-sanity: {summary}");
}
