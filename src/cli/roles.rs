//! `usher roles`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::{App, Ctx};
use crate::cli::{Failure, Output, open};
use crate::settings::Settings;

/// List the roles of a tenant, and give them other names.
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
    /// The roles, whether clients may give them, and from which pool they take their seats.
    List,
    /// Let an identity provider send a role under another name, or no more under it.
    Map {
        /// What the identity provider sends.
        #[arg(value_name = "NAME")]
        name: String,
        /// The role that is meant; without one the name means nothing any more.
        #[arg(long, value_name = "ROLE")]
        role: Option<String>,
    },
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
    match command {
        Command::List => list(app.roles(ctx).await?, output)?,
        Command::Map { name, role } => {
            app.name_role(ctx, &name, role.as_deref()).await?;
            let text = match &role {
                Some(role) => format!("'{name}' is the role {role}."),
                None => format!("'{name}' is no name of a role any more."),
            };
            output.say(&json!({ "name": name, "role": role }), &text)?;
        }
    }
    Ok(())
}

fn list(roles: Vec<Value>, output: Output) -> std::io::Result<()> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let yes = |flag: &Value| if *flag == true { "yes" } else { "no" }.to_owned();
    let names = |role: &Value| {
        let names = role["names"].as_array().map(Vec::as_slice).unwrap_or_default();
        names.iter().map(text).collect::<Vec<_>>().join(", ")
    };
    let row = |role: &Value| {
        vec![
            text(&role["value"]),
            text(&role["display"]),
            yes(&role["assignable"]),
            yes(&role["administrative"]),
            text(&role["pool"]),
            names(role),
        ]
    };
    let rows: Vec<_> = roles.iter().map(row).collect();
    let headings = ["ROLE", "NAME", "CLIENTS MAY GIVE IT", "ADMINISTRATIVE", "POOL", "OTHER NAMES"];
    output.table(&Value::Array(roles), &headings, &rows)
}
