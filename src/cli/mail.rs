//! `usher mail`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::mail::{Mail, Wanted};
use crate::cli::{Failure, Output, open};
use crate::settings::Settings;

/// Mails that are read at once.
const PIECE: i64 = 1_000;

/// Look at what became of mails.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The tenant.
    #[arg(long, value_name = "NAME", default_value = "default", global = true)]
    tenant: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List mails, the oldest first.
    List {
        /// Mails in this state: queued, sent, delivered, deferred, bounced, suppressed, failed, stale.
        #[arg(long, value_name = "STATE")]
        state: Option<String>,
        /// Mails for or about the user of this id.
        #[arg(long, value_name = "ID")]
        user: Option<String>,
    },
}

/// Runs it.
pub async fn run(arguments: Arguments, settings: Settings, output: Output) -> Result<(), Failure> {
    let app = open(settings).await?;
    let ctx = app.operator(&arguments.tenant).await?;
    let Command::List { state, user } = arguments.command;
    let mut wanted = Wanted { resource: user, state, limit: PIECE, ..Wanted::default() };
    let mut all = Vec::new();
    loop {
        let piece = app.mails(&ctx, wanted.clone()).await?;
        let Some(last) = piece.last() else { break };
        wanted.after = last.seq;
        all.extend(piece);
    }
    app.close().await;
    let value: Value = all.iter().map(shown).collect();
    let rows: Vec<_> = all.iter().map(row).collect();
    let headings = ["ID", "CREATED", "KIND", "ADDRESS", "STATE", "TRIES", "DETAIL"];
    Ok(output.table(&value, &headings, &rows)?)
}

fn row(mail: &Mail) -> Vec<String> {
    let texts = [&mail.id, &mail.created.rfc3339(), &mail.kind, &mail.address, &mail.state];
    let mut row: Vec<String> = texts.into_iter().cloned().collect();
    row.extend([mail.attempts.to_string(), mail.detail.clone()]);
    row
}

fn shown(mail: &Mail) -> Value {
    json!({
        "id": mail.id, "messageId": mail.message_id, "user": mail.resource, "kind": mail.kind,
        "state": mail.state, "at": mail.at.rfc3339(), "address": mail.address,
        "attempts": mail.attempts, "created": mail.created.rfc3339(), "detail": mail.detail,
    })
}
