//! `usher copy`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::{Failure, Output, open, open_or_make};
use crate::settings::{Settings, key};

/// Copy the installation into another, empty database. Stop the server first.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The target: a PostgreSQL URL, or the data directory of an embedded database.
    #[arg(long, value_name = "URL|DIRECTORY")]
    to: String,
}

/// Runs it.
pub async fn run(arguments: Arguments, settings: Settings, output: Output) -> Result<(), Failure> {
    let target = target(&settings, &arguments.to).map_err(Failure::Usage)?;
    target.check_always().map_err(Failure::Usage)?;
    let (key, new_key) = (settings.key_path(), target.key_path());
    let from = open(settings).await?;
    // What was sealed is opened with the same key.
    key::copy(&key, &new_key).map_err(|problem| {
        Failure::Failed(format!("The key {} cannot be copied: {problem}", key.display()))
    })?;
    let to = open_or_make(target).await?;
    let copied = from
        .copy_to(&to, |table, done| {
            if !output.is_json() {
                eprintln!("{table}: {done} rows");
            }
        })
        .await;
    from.close().await;
    to.close().await;
    copied?;
    let text = format!(
        "Copied. Start the server on the new database, with the key in {}; the tokens stay as they are.",
        new_key.display()
    );
    Ok(output.say(&json!({ "copied": true, "key": new_key.display().to_string() }), &text)?)
}

fn target(settings: &Settings, to: &str) -> Result<Settings, String> {
    let mut target = settings.clone();
    if to.contains("://") {
        target.database_url = Some(to.to_owned());
    } else if to.trim().is_empty() {
        return Err("--to is empty; name a PostgreSQL URL or a data directory.".to_owned());
    } else if to.starts_with("postgres") {
        // Not repeated: it may hold a password. A directory of such a name can be told by a path.
        return Err("--to begins like a PostgreSQL URL and is none; write \
             postgres://user:password@host/database, or ./ before the name of a directory."
            .to_owned());
    } else {
        target.database_url = None;
        target.data_dir = PathBuf::from(to);
    }
    Ok(target)
}
