//! The TOML file: its keys stand between the defaults and the environment.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{Args, Command};

use super::Settings;

/// This command, with variables that are set but empty counted as not set.
pub fn without_empty_variables(command: Command) -> Command {
    command.mut_args(|arg| {
        if variable(arg.get_env()).is_some_and(|value| value.is_empty()) {
            arg.env(None::<&'static str>)
        } else {
            arg
        }
    })
}

/// The arguments of the command line, preceded by what the file says and nobody overrides.
///
/// The file's values become arguments rather than clap defaults, because clap checks arguments and
/// names the one that is wrong. The error is one line that names the setting.
pub fn with_file(given: Vec<OsString>) -> Result<Vec<OsString>, String> {
    let Some(path) = flag(&given, "config").or_else(|| variable(Some("USHER_CONFIG".as_ref())))
    else {
        return Ok(given);
    };
    let path = PathBuf::from(path);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("--config {}: {error}", path.display()))?;
    let from_file = arguments(&text, &given, variable)
        .map_err(|why| format!("--config {}: {why}", path.display()))?;
    let mut words = given.into_iter();
    Ok(words.next().into_iter().chain(from_file).chain(words).collect())
}

fn arguments(
    text: &str,
    given: &[OsString],
    variable: impl Fn(Option<&OsStr>) -> Option<OsString>,
) -> Result<Vec<OsString>, String> {
    let table: toml::Table =
        text.parse().map_err(|error: toml::de::Error| error.message().replace('\n', " "))?;
    let known = Settings::augment_args(Command::new("usher"));
    let mut found = Vec::new();
    for (key, value) in table {
        let arg = known
            .get_arguments()
            .find(|arg| arg.get_long() == Some(key.as_str()) && key != "config")
            .ok_or_else(|| format!("unknown setting '{key}'."))?;
        let value = written(&value).ok_or_else(|| {
            format!("{key}: write a string, a number, true or false, or a list of strings.")
        })?;
        let in_environment = variable(arg.get_env()).is_some_and(|value| !value.is_empty());
        if !in_environment && flag(given, &key).is_none() {
            found.push(OsString::from(format!("--{key}={value}")));
        }
    }
    Ok(found)
}

fn variable(name: Option<&OsStr>) -> Option<OsString> {
    name.and_then(std::env::var_os)
}

/// The value of `--name value` or `--name=value`; empty for a bare `--name` at the end.
fn flag(words: &[OsString], name: &str) -> Option<OsString> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(rest) = word.to_str().and_then(|word| word.strip_prefix("--")) else { continue };
        if rest.is_empty() {
            return None;
        }
        match rest.split_once('=') {
            Some((key, value)) if key == name => return Some(OsString::from(value)),
            None if rest == name => return Some(words.next().cloned().unwrap_or_default()),
            Some(_) | None => {}
        }
    }
    None
}

fn written(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(value) => Some(value.to_string()),
        toml::Value::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(toml::Value::as_str).collect();
            items.map(|items| items.join(","))
        }
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, given: &[&str]) -> Result<Vec<String>, String> {
        let given: Vec<_> = given.iter().map(OsString::from).collect();
        let environment = |name: Option<&OsStr>| {
            (name == Some(OsStr::new("USHER_MAX_BODY"))).then(|| OsString::from("1"))
        };
        arguments(text, &given, environment).map(|words| {
            words.into_iter().map(|word| word.into_string().unwrap_or_default()).collect()
        })
    }

    #[test]
    fn the_file_gives_way_to_the_environment_and_to_flags() {
        let text = "listen = '127.0.0.1:1'\nmax-body = 5\nmax-name = 7\ninsecure-http = true\n\
                    trusted-proxies = ['10.0.0.0/8', '::1']";
        let words = read(text, &["usher", "serve", "--listen", "127.0.0.1:2"]).unwrap();
        assert_eq!(
            words,
            ["--insecure-http=true", "--max-name=7", "--trusted-proxies=10.0.0.0/8,::1"]
        );
    }

    #[test]
    fn what_the_file_cannot_mean_is_named_in_one_line() {
        for (text, named) in [
            ("colour = 1", "colour"),
            ("listen = 1.5", "listen"),
            ("[limits]\nmax-body = 1", "limits"),
            ("config = 'x'", "config"),
            ("listen", "expected"),
        ] {
            let refusal = read(text, &[]).unwrap_err();
            assert!(refusal.contains(named) && !refusal.contains('\n'), "{refusal}");
        }
    }
}
