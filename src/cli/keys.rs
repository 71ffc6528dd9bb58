//! `usher keys`

use clap::Subcommand;
use serde_json::{Value, json};

use crate::app::signing::KeyInfo;
use crate::cli::{Failure, Output, open};
use crate::settings::Settings;

/// Show and change the keys that sign access tokens.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the keys that are published.
    List,
    /// Make the next key. It is published now and signs in a day.
    Rotate {
        /// Let it sign now, and refuse at once everything that another key has signed.
        #[arg(long)]
        at_once: bool,
    },
}

/// Runs it.
pub async fn run(command: Command, settings: Settings, output: Output) -> Result<(), Failure> {
    let app = open(settings).await?;
    app.unlock().await?;
    let keys = match command {
        Command::List => app.signing_keys().await?,
        Command::Rotate { at_once } => app.rotate_signing_keys(at_once).await?,
    };
    let rows: Vec<Vec<String>> = keys.iter().map(row).collect();
    let shown = keys.iter().map(shown).collect();
    output.table(&Value::Array(shown), &["ID", "MADE", "SIGNS FROM", "STATE"], &rows)?;
    app.close().await;
    Ok(())
}

fn row(key: &KeyInfo) -> Vec<String> {
    vec![key.id.clone(), key.created.rfc3339(), key.signs.rfc3339(), key.state.to_owned()]
}

fn shown(key: &KeyInfo) -> Value {
    json!({
        "id": key.id,
        "created": key.created.rfc3339(),
        "signs": key.signs.rfc3339(),
        "state": key.state,
    })
}
