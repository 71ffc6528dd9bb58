//! Keeps the directions that `src/lib.rs` draws, by reading the source.

use std::path::{Path, PathBuf};

/// Who may use whom; everybody may use the leaves and themselves.
const MAY_USE: &[(&str, &[&str])] = &[
    ("scim", &[]),
    ("domain", &["scim"]),
    ("store", &["scim", "domain"]),
    ("app", &["scim", "domain", "store"]),
    ("http", &["scim", "domain", "app"]),
    ("cli", &["scim", "domain", "app", "http"]),
    ("clock", &[]),
    ("ids", &[]),
    ("settings", &[]),
    ("main", &["cli"]),
    ("lib", &["app", "cli", "domain", "http", "scim", "store"]),
];

const LEAVES: &[&str] = &["clock", "ids", "settings"];

/// What may stand only below these folders.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("rusqlite", &["store"]),
    ("axum", &["http"]),
    ("hyper", &["http"]),
    ("lettre", &["app", "settings"]),
    ("StatusCode::", &["http"]),
    ("SELECT ", &["store"]),
    ("INSERT INTO", &["store"]),
];

/// What must not stand below these folders: they are pure.
const NEVER_IN: &[(&str, &[&str])] = &[
    (".await", &["scim", "domain"]),
    ("async fn", &["scim", "domain"]),
    ("tokio", &["scim", "domain"]),
    ("std::fs", &["scim", "domain", "app"]),
    ("SystemTime", &["scim", "domain", "store", "app", "http"]),
];

struct File {
    path: String,
    module: String,
    /// The code before the unit tests.
    code: String,
}

fn sources() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                files.push(read(&root, &path));
            }
        }
    }
    assert!(files.len() > 40, "the source is read");
    files
}

fn read(root: &Path, path: &Path) -> File {
    let place = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    let module = place.split(['/', '.']).next().unwrap().to_owned();
    let text = std::fs::read_to_string(path).unwrap();
    let is_test = place.ends_with("tests.rs") || place.contains("/tests/");
    let code: String = text
        .split("#[cfg(test)]\nmod ")
        .next()
        .unwrap()
        .lines()
        .filter(|line| !is_test && !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    File { path: place, module, code }
}

/// The top-level modules that a piece of code names after `crate::`, also in `crate::{a, b}`.
fn named(code: &str) -> Vec<String> {
    code.split("crate::")
        .skip(1)
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(list) => {
                let list = list.split(';').next().unwrap_or_default();
                list.split([',', '{', '}']).map(first_word).collect::<Vec<_>>()
            }
            None => vec![first_word(rest)],
        })
        .filter(|name| MAY_USE.iter().any(|(module, _)| module == name))
        .collect()
}

fn first_word(text: &str) -> String {
    text.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

#[test]
fn modules_only_look_downwards() {
    let mut wrong = Vec::new();
    for file in sources() {
        let (_, allowed) = MAY_USE
            .iter()
            .find(|(module, _)| *module == file.module)
            .unwrap_or_else(|| panic!("{} has no place in the map", file.path));
        for used in named(&file.code) {
            let fine = used == file.module
                || LEAVES.contains(&used.as_str())
                || allowed.contains(&used.as_str());
            if !fine {
                wrong.push(format!("{}: {} must not use {used}", file.path, file.module));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn drivers_frameworks_and_sql_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for file in sources() {
        for (word, rooms) in ONLY_IN {
            if file.code.contains(word) && !rooms.contains(&file.module.as_str()) {
                wrong.push(format!("{}: `{word}` belongs to {rooms:?}", file.path));
            }
        }
        for (word, rooms) in NEVER_IN {
            if file.code.contains(word) && rooms.contains(&file.module.as_str()) {
                wrong.push(format!("{}: `{word}` must not stand in {rooms:?}", file.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_stay_short_enough_to_read() {
    for file in sources() {
        let lines = file.code.lines().count();
        assert!(lines <= 500, "{} has {lines} lines of code", file.path);
    }
}
