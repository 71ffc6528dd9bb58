//! `usher copy`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::{Failure, Output, open, open_or_make};
use crate::settings::Settings;

/// Copy the installation into another, empty database. Stop the server first.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The target: a PostgreSQL URL, or the data directory of an embedded database.
    #[arg(long, value_name = "URL|DIRECTORY")]
    to: String,
}

/// Runs it.
pub async fn run(arguments: Arguments, settings: Settings, output: Output) -> Result<(), Failure> {
    let target = target(&settings, &arguments.to);
    target.check_always().map_err(Failure::Usage)?;
    let from = open(settings).await?;
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
    let text = "Copied. Start the server on the new database; the tokens stay as they are.";
    Ok(output.say(&json!({ "copied": true }), text)?)
}

fn target(settings: &Settings, to: &str) -> Settings {
    let mut target = settings.clone();
    if to.contains("://") {
        target.database_url = Some(to.to_owned());
    } else {
        target.database_url = None;
        target.data_dir = PathBuf::from(to);
    }
    target
}
