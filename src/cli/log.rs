//! `usher log`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::seats::{Line, Wanted};
use crate::cli::{Failure, Output, open};
use crate::domain::scope::Scope;
use crate::settings::Settings;

/// Read the provisioning log: what was changed, and what a rule decided and why.
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
    /// The last lines of the log.
    Tail {
        /// How many.
        #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
        lines: i64,
        /// Of this name alone, seat.denied for one.
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// About this resource alone.
        #[arg(long, value_name = "ID")]
        resource: Option<String>,
        /// Go on with what comes, until interrupted.
        #[arg(short, long)]
        follow: bool,
    },
}

/// How often new lines are looked for, in milliseconds.
const EVERY: u64 = 500;
/// Lines that are read at once.
const PIECE: i64 = 1_000;

/// Runs it.
pub async fn run(arguments: Arguments, settings: Settings, output: Output) -> Result<(), Failure> {
    let app = open(settings).await?;
    let ctx = app.operator(&arguments.tenant).await?;
    let Command::Tail { lines, name, resource, follow } = arguments.command;
    let plain = name.is_none() && resource.is_none();
    let names = name.into_iter().collect();
    let mut wanted = Wanted { names, resource, limit: PIECE, ..Wanted::default() };
    if plain {
        wanted.after = (app.last_record(&ctx).await? - lines).max(0);
    }
    let mut first = true;
    loop {
        let mut found = app.records(&ctx, Scope::LogRead, wanted.clone()).await?;
        let full = i64::try_from(found.len()) == Ok(PIECE);
        if let Some(last) = found.last() {
            wanted.after = last.seq;
        }
        if first && !full {
            let keep = usize::try_from(lines).unwrap_or_default();
            found.drain(..found.len().saturating_sub(keep));
            first = false;
        } else if first {
            continue;
        }
        for line in &found {
            output.say(&shown(line), &text(line))?;
        }
        if full {
            continue;
        }
        if !follow {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(EVERY)).await;
    }
    app.close().await;
    Ok(())
}

fn shown(line: &Line) -> Value {
    json!({
        "seq": line.seq,
        "at": line.at.rfc3339(),
        "name": line.name,
        "resourceType": line.kind,
        "resource": line.resource,
        "version": line.version,
        "request": line.request,
        "token": line.token,
        "detail": serde_json::from_str::<Value>(&line.detail).unwrap_or_default(),
    })
}

fn text(line: &Line) -> String {
    let detail = if line.detail == "{}" { "" } else { &line.detail };
    let text = format!(
        "{} {} {} {} {} request {} token {} {detail}",
        line.seq,
        line.at.rfc3339(),
        line.name,
        line.kind,
        line.resource,
        line.request,
        line.token
    );
    text.trim_end().to_owned()
}
