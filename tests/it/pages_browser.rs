//! People's pages in a real browser: the whole story, and every page on which it can end.

use std::path::Path;
use std::process::Command;

use crate::docs::browser;
use crate::support::Directory;
use crate::support::process::Setup;

#[test]
fn people_find_their_way_in_a_browser_with_and_without_scripts() {
    let python = std::env::var_os("USHER_TEST_PYTHON");
    let (Some(python), Some(browser)) = (python.clone(), browser()) else {
        assert!(python.is_none(), "tests/run installs chromium, and it is not there");
        eprintln!("skipped: tests/run installs what drives a browser");
        return;
    };
    let setup = Setup::new(Directory::new());
    let server = setup.start();
    let token = setup.secret("token create --scope admin");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("timeout");
    command.arg("240").arg(python).arg(root.join("tests/python/people_in_browser.py"));
    command.args([server.client.base.trim_end_matches("/scim/v2"), &token]);
    command.arg(setup.data()).arg(root.join("target/screenshots")).arg(browser);
    let done = command.output().unwrap();
    let [out, err] = [done.stdout, done.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(done.status.success(), "{out}{err}{}", server.log());
    print!("{out}");
    let log = server.log();
    for secret in
        ["usher_activate_", "usher_reset_", "usher_refresh_", "usher_form_", "lachs tinte"]
    {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
