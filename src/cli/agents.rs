//! `usher agents`

mod import;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::{App, Asked, Ctx, Prefer, Target};
use crate::cli::find::{Columns, Listing, user_id};
use crate::cli::{Failure, Output, open};
use crate::scim::etag::Conditions;
use crate::scim::query::Query;
use crate::scim::urn;
use crate::settings::Settings;

/// List and import call agents, and link users to them.
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
    /// List call agents and the users that they are linked to.
    List(Listing),
    /// Make the call agents of a table in CSV, and change those whose agentNumber exists.
    Import {
        /// The file. Its first line names attributes of a call agent; several values of a cell stand
        /// between semicolons, and an empty cell changes nothing.
        #[arg(value_name = "FILE")]
        file: String,
    },
    /// Link a user to a call agent.
    Link {
        /// The user's id or userName.
        #[arg(value_name = "USER")]
        user: String,
        /// The agent's id, agentNumber or externalId.
        #[arg(value_name = "AGENT")]
        agent: String,
    },
    /// Take a user from its call agent; the agent stays.
    Unlink {
        /// The user's id or userName.
        #[arg(value_name = "USER")]
        user: String,
    },
}

/// What is listed of them.
const COLUMNS: Columns = Columns {
    kind: "CallAgent",
    name: "agents",
    sorted_by: "",
    all: &[
        ("ID", "/id"),
        ("NUMBER", "/agentNumber"),
        ("NAME", "/displayName"),
        ("STATUS", "/status"),
        ("EXTENSION", "/extensionNumber"),
        ("USER", "/user/display"),
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
        Command::Import { file } => import::import(app, ctx, &file, output).await?,
        Command::Link { user, agent } => {
            let linked = write(app, ctx, &user, Value::from(agent.as_str())).await?;
            output.say(&linked, &format!("{user} is linked to the call agent {agent}."))?;
        }
        Command::Unlink { user } => {
            let unlinked = write(app, ctx, &user, Value::Null).await?;
            output.say(&unlinked, &format!("{user} is linked to no call agent."))?;
        }
    }
    Ok(())
}

/// Writes a user's agentId; what is linked then.
async fn write(app: &App, ctx: &Ctx, user: &str, agent: Value) -> Result<Value, Failure> {
    let id = user_id(app, ctx, user).await?;
    let kind = app.registry().by_name("User").cloned();
    let kind = kind.ok_or_else(|| Failure::Failed("There are no users here.".to_owned()))?;
    let path = format!("{}:agentId", urn::CONTACT_CENTER);
    let body = json!({
        "schemas": [urn::PATCH],
        "Operations": [{ "op": "replace", "path": path, "value": agent }],
    });
    let target = Target { kind: &kind, id: &id, conditions: &Conditions::default() };
    let asked = Asked { query: &Query::default(), prefer: Prefer::Representation };
    let shown = app.patch(ctx, target, body, asked).await?;
    let text = match shown.body {
        Some(body) => body.text().await?,
        None => String::new(),
    };
    let user: Value = serde_json::from_str(&text).unwrap_or_default();
    Ok(json!({ "user": id, "agent": user[urn::CONTACT_CENTER]["agent"]["value"] }))
}
