//! `/docs` in a real browser.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::support::Directory;
use crate::support::process::Setup;

/// The browser, where one is installed; `tests/run` installs it.
pub(crate) fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut programs = std::env::split_paths(&path)
        .flat_map(|folder| ["chromium", "chromium-browser"].map(|name| folder.join(name)));
    programs.find(|program| program.exists())
}

fn visit(browser: &PathBuf, directory: &Directory, words: &[&str]) -> Output {
    let mut command = Command::new("timeout");
    command.arg("60").arg(browser);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]);
    command.args(["--hide-scrollbars", "--enable-logging=stderr", "--v=0"]);
    command.arg(format!("--user-data-dir={}", directory.path().join("browser").display()));
    let output = command.args(words).current_dir(directory.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let complaints: Vec<_> = said.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    assert!(output.status.success(), "{said}");
    output
}

/// Width and height of a PNG.
fn size(path: &PathBuf) -> (u32, u32) {
    let bytes = std::fs::read(path).unwrap();
    assert!(bytes.len() > 10_000, "an almost empty picture of {} bytes", bytes.len());
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[test]
fn the_page_of_the_contract_reads_well_in_a_browser_wide_and_narrow() {
    let Some(browser) = browser() else {
        assert!(
            std::env::var_os("USHER_TEST_PYTHON").is_none(),
            "tests/run installs chromium, and it is not there"
        );
        eprintln!("skipped: no chromium here; tests/run installs it");
        return;
    };
    let setup = Setup::new(Directory::new());
    let server = setup.start();
    let url = server.client.base.replace("/scim/v2", "/docs");
    let dom = visit(&browser, &setup.directory, &["--dump-dom", &url]).stdout;
    let dom = String::from_utf8(dom).unwrap();
    for text in ["/scim/v2/Users/{id}", "PATCH", "ServiceProviderConfig", "urn:ietf:params:scim"] {
        assert!(dom.contains(text), "the page does not show {text}");
    }
    for width in [1280, 500] {
        let picture = setup.directory.path().join(format!("docs-{width}.png"));
        let arguments =
            [format!("--screenshot={}", picture.display()), format!("--window-size={width},900")];
        visit(&browser, &setup.directory, &[&arguments[0], &arguments[1], &url]);
        assert_eq!(size(&picture), (width, 900));
    }
}
