//! `usher accounts`

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::app::accounts::Wish;
use crate::app::{App, Ctx, Error};
use crate::cli::find::{Columns, Listing, text, user_id};
use crate::cli::{Failure, Output, open};
use crate::settings::Settings;

/// Accounts inside a tenant, and the users who belong to them.
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
    /// List accounts.
    List(Listing),
    /// Make an account.
    Create {
        /// The number by which people know it.
        #[arg(value_name = "NUMBER")]
        number: String,
        #[command(flatten)]
        more: More,
    },
    /// Show an account.
    Show {
        /// Its number or its id.
        #[arg(value_name = "ACCOUNT")]
        account: String,
    },
    /// Change an account; an empty text takes a value away.
    Set {
        /// Its number or its id.
        #[arg(value_name = "ACCOUNT")]
        account: String,
        /// Another number.
        #[arg(long, value_name = "NUMBER")]
        number: Option<String>,
        #[command(flatten)]
        more: More,
    },
    /// Delete an account that has no members.
    Delete {
        /// Its number or its id.
        #[arg(value_name = "ACCOUNT")]
        account: String,
        /// End the memberships of its members, too.
        #[arg(long)]
        force: bool,
    },
    /// Make a user a member of an account, or change the membership.
    Join {
        /// The user's id or userName.
        #[arg(value_name = "USER")]
        user: String,
        /// The account's number or id.
        #[arg(value_name = "ACCOUNT")]
        account: String,
        /// The role in the account; at first roles.default of the tenant.
        #[arg(long, value_name = "ROLE")]
        role: Option<String>,
        /// Make it the account to begin with; the first one is in any case.
        #[arg(long)]
        primary: bool,
    },
    /// End the membership of a user in an account.
    Leave {
        /// The user's id or userName.
        #[arg(value_name = "USER")]
        user: String,
        /// The account's number or id.
        #[arg(value_name = "ACCOUNT")]
        account: String,
    },
}

/// What may be said of an account beside its number.
#[derive(Debug, Args)]
struct More {
    /// Its name for people.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// active or suspended.
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// What another system calls it.
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
}

/// What is listed of them.
const COLUMNS: Columns = Columns {
    kind: "Account",
    name: "accounts",
    sorted_by: "",
    all: &[
        ("ID", "/id"),
        ("NUMBER", "/accountNumber"),
        ("NAME", "/displayName"),
        ("STATUS", "/status"),
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
        Command::Create { number, more } => {
            let made = app.make_account(ctx, values(Some(number), more)).await?;
            output.say(&made, &format!("Account {} made.", text(&made["accountNumber"])))?;
        }
        Command::Show { account } => {
            let shown = app.account(ctx, &account).await?;
            output.say(&shown, &serde_json::to_string_pretty(&shown).unwrap_or_default())?;
        }
        Command::Set { account, number, more } => {
            let set = app.change_account(ctx, &account, values(number, more)).await?;
            output.say(&set, &format!("Account {} changed.", text(&set["accountNumber"])))?;
        }
        Command::Delete { account, force } => {
            app.end_account(ctx, &account, force).await?;
            output.say(&json!({ "deleted": account }), &format!("Account {account} deleted."))?;
        }
        Command::Join { user, account, role, primary } => {
            let id = user_id(app, ctx, &user).await?;
            let wish = Wish { role, primary: primary.then_some(true) };
            let joined = match app.join_account(ctx, &id, &account, wish.clone()).await {
                Err(Error::Taken(_)) => app.change_membership(ctx, &id, &account, wish).await?,
                joined => joined?,
            };
            let role = text(&joined["role"]);
            output.say(&joined, &format!("{user} is a member of {account} as {role}."))?;
        }
        Command::Leave { user, account } => {
            let id = user_id(app, ctx, &user).await?;
            app.leave_account(ctx, &id, &account).await?;
            let left = json!({ "user": id, "account": account });
            output.say(&left, &format!("{user} is no member of {account} any more."))?;
        }
    }
    Ok(())
}

/// What is written of an account; an empty text stands for null.
fn values(number: Option<String>, more: More) -> Value {
    let said = [
        ("accountNumber", number),
        ("displayName", more.name),
        ("status", more.status),
        ("externalId", more.external_id),
    ];
    let written = said.into_iter().filter_map(|(name, text)| {
        let text = text?;
        let value = if text.is_empty() { Value::Null } else { text.into() };
        Some((name.to_owned(), value))
    });
    Value::Object(written.collect::<Map<_, _>>())
}
