//! `usher users`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::{App, Ctx, Error, Target};
use crate::cli::find::{Columns, Listing, find, user_id};
use crate::cli::{Failure, Output, open};
use crate::scim::etag::Conditions;
use crate::scim::query::Query;
use crate::settings::Settings;

/// List and show users, and make passwords for them.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Whose users.
    #[arg(long, value_name = "NAME", default_value = "default", global = true)]
    tenant: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List users.
    List(Listing),
    /// Show one user.
    Show {
        /// Its id or userName.
        #[arg(value_name = "USER")]
        user: String,
    },
    /// Passwords of users.
    #[command(subcommand)]
    Password(Password),
}

#[derive(Debug, Subcommand)]
enum Password {
    /// Make a password and print it, this once. The user must change it when signing in.
    Generate {
        /// The user's id or userName.
        #[arg(value_name = "USER")]
        user: String,
    },
}

/// What is listed of them.
const COLUMNS: Columns = Columns {
    kind: "User",
    name: "users",
    sorted_by: "userName",
    all: &[
        ("ID", "/id"),
        ("USERNAME", "/userName"),
        ("DISPLAY NAME", "/displayName"),
        ("ACTIVE", "/active"),
    ],
};

/// Runs it.
pub async fn run(arguments: Arguments, settings: Settings, output: Output) -> Result<(), Failure> {
    let app = open(settings).await?;
    let ctx = app.operator(&arguments.tenant).await?;
    match arguments.command {
        Command::List(listing) => listing.tell(&app, &ctx, &COLUMNS, output).await?,
        Command::Show { user } => {
            let document = show(&app, &ctx, &user).await?;
            let text = serde_json::to_string_pretty(&document).unwrap_or_default();
            output.say(&document, &text)?;
        }
        Command::Password(Password::Generate { user }) => {
            make_password(&app, &ctx, &user, output).await?;
        }
    }
    app.close().await;
    Ok(())
}

/// The password alone, so that it can be handed on.
async fn make_password(app: &App, ctx: &Ctx, user: &str, output: Output) -> Result<(), Failure> {
    let id = user_id(app, ctx, user).await?;
    let made = app.generate_password(ctx, &id).await?;
    Ok(output.say(&json!({ "user": id, "password": made }), &made)?)
}

async fn show(app: &App, ctx: &Ctx, user: &str) -> Result<Value, Failure> {
    let kind = app.registry().by_name("User").cloned();
    let kind = kind.ok_or_else(|| Failure::Failed("There are no users here.".to_owned()))?;
    let target = Target { kind: &kind, id: user, conditions: &Conditions::default() };
    let missing = match app.get(ctx, target, &Query::default()).await {
        Ok(shown) => {
            let Some(body) = shown.body else { return Ok(Value::Null) };
            let text = body.text().await?;
            return Ok(serde_json::from_str(&text).unwrap_or_default());
        }
        Err(error @ Error::NotFound { .. }) => error,
        Err(error) => return Err(error.into()),
    };
    // A JSON string is a string of the filter language.
    let filter = format!("userName eq {}", Value::from(user));
    let found = find(app, ctx, "User", json!({ "filter": filter })).await?;
    found["Resources"].get(0).cloned().ok_or_else(|| missing.into())
}
