//! `usher brake`

use clap::{Args, Subcommand};
use serde_json::json;

use crate::app::brake::{Decided, Sum};
use crate::app::{App, Ctx};
use crate::cli::{Failure, Output, open};
use crate::clock::Micros;
use crate::settings::Settings;

/// Look at users that were suspended or deleted beyond what the brake lets pass, and decide about them.
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
    /// Show how many are held.
    Show,
    /// Reactivate and restore all of them, with what they had; exit status 1 where one could not be.
    Undo,
    /// Finish all of them: seats are given back, call agents unlinked, deleted users are gone for good.
    Confirm,
}

/// Runs it.
pub async fn run(arguments: Arguments, settings: Settings, output: Output) -> Result<(), Failure> {
    let app = open(settings).await?;
    let ctx = app.operator(&arguments.tenant).await?;
    let done = answer(&app, &ctx, arguments.command, output).await;
    app.close().await;
    done
}

async fn answer(app: &App, ctx: &Ctx, command: Command, output: Output) -> Result<(), Failure> {
    let (decided, words) = match command {
        Command::Show => return Ok(show(ctx, app.brake(ctx).await?, output)?),
        Command::Undo => (app.undo_brake(ctx).await?, ["reactivated", "restored"]),
        Command::Confirm => {
            (app.confirm_brake(ctx).await?, ["suspended and their seats free", "deleted for good"])
        }
    };
    tell(&decided, words, output)?;
    if decided.refused.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed(format!(
        "It could not be done for {} users, who are held on.",
        decided.refused.len()
    )))
}

fn show(ctx: &Ctx, sum: Sum, output: Output) -> std::io::Result<()> {
    let setting = ctx.rules.brake.map_or_else(|| "off".to_owned(), |brake| brake.to_string());
    let (since, until) = (sum.since.map(Micros::rfc3339), sum.until.map(Micros::rfc3339));
    let value = json!({
        "brake": setting, "suspended": sum.suspended, "deleted": sum.deleted,
        "since": since, "until": until,
    });
    let line = match (since, until) {
        (Some(since), Some(until)) => format!(
            "{} suspended and {} deleted users are held since {since}, the first of them until {until}. Undo all with 'usher brake undo', or 'usher brake confirm'.",
            sum.suspended, sum.deleted
        ),
        (_, _) => format!("Nobody is held; the brake is {setting}."),
    };
    output.say(&value, &line)
}

fn tell(decided: &Decided, [suspended, deleted]: [&str; 2], output: Output) -> std::io::Result<()> {
    let refused = decided
        .refused
        .iter()
        .map(|one| json!({ "user": one.id, "userName": one.name, "detail": one.detail }));
    let value = json!({
        "suspended": decided.suspended, "deleted": decided.deleted,
        "refused": refused.collect::<Vec<_>>(),
    });
    let first = format!("{} users {suspended}, {} {deleted}.", decided.suspended, decided.deleted);
    let refused = decided.refused.iter().map(|one| format!("{}: {}", one.name, one.detail));
    let lines: Vec<String> = std::iter::once(first).chain(refused).collect();
    output.say(&value, &lines.join("\n"))
}
