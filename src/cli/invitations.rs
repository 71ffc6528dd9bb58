//! `usher invitations`

use clap::{Args, Subcommand};
use serde_json::json;

use crate::app::{App, Ctx};
use crate::cli::find::{Columns, Listing, user_id};
use crate::cli::{Failure, Output, open};
use crate::settings::Settings;

/// List invitations, send them anew, cancel them, hand their links over.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Whose invitations.
    #[arg(long, value_name = "NAME", default_value = "default", global = true)]
    tenant: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List invitations, those of the past too.
    List(Listing),
    /// Make a new link and mail it where the invitation is one by mail; the old one is dead.
    Resend {
        /// The id or userName of the person.
        #[arg(value_name = "USER")]
        user: String,
    },
    /// Cancel the invitation of somebody: the seat is free, and the link is dead.
    Cancel {
        /// The id or userName of the person.
        #[arg(value_name = "USER")]
        user: String,
    },
    /// Make a new link of an invitation of mode 'link', and print it this once.
    Link {
        /// The id or userName of the person.
        #[arg(value_name = "USER")]
        user: String,
    },
    /// End the invitations of all tenants whose time has passed, which a running server does by itself.
    Sweep,
}

const COLUMNS: Columns = Columns {
    kind: "Invitation",
    name: "invitations",
    sorted_by: "",
    all: &[
        ("ID", "/id"),
        ("EMAIL", "/email"),
        ("STATUS", "/status"),
        ("MODE", "/mode"),
        ("SENT", "/sentAt"),
        ("EXPIRES", "/expiresAt"),
        ("USER", "/user/value"),
    ],
};

/// Runs it.
pub async fn run(arguments: Arguments, settings: Settings, output: Output) -> Result<(), Failure> {
    let app = open(settings).await?;
    let ctx = app.operator(&arguments.tenant).await?;
    let done = answer(&app, &ctx, arguments.command, output).await;
    app.close().await;
    done
}

async fn answer(app: &App, ctx: &Ctx, command: Command, output: Output) -> Result<(), Failure> {
    match command {
        Command::List(listing) => listing.tell(app, ctx, &COLUMNS, output).await?,
        Command::Resend { user } => {
            let id = user_id(app, ctx, &user).await?;
            app.resend_invitation(ctx, &id).await?;
            output.say(&json!({ "user": id }), &format!("A new link for '{user}' is made."))?;
        }
        Command::Cancel { user } => {
            let id = user_id(app, ctx, &user).await?;
            app.cancel_invitation_of(ctx, &id).await?;
            output.say(
                &json!({ "user": id }),
                &format!("The invitation of '{user}' is cancelled."),
            )?;
        }
        Command::Link { user } => {
            let id = user_id(app, ctx, &user).await?;
            let linked = app.link_invitation(ctx, &id).await?;
            output.say(&json!({ "user": id, "link": *linked.url }), &linked.url)?;
        }
        Command::Sweep => {
            let ended = app.expire_invitations().await?;
            output
                .say(&json!({ "expired": ended }), &format!("{ended} invitations have expired."))?;
        }
    }
    Ok(())
}
