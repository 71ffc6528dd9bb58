//! `usher token`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::tokens::{NewToken, Secret, Token};
use crate::cli::{Failure, Output, open};
use crate::clock::Micros;
use crate::domain::scope::Scopes;
use crate::settings::Settings;

/// Make, list, rotate, change and revoke tokens.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Whose tokens.
    #[arg(long, value_name = "NAME", default_value = "default", global = true)]
    tenant: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a token and print it, this once.
    Create {
        /// What it may do; `scim` when left out. May be given several times.
        #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
        scopes: Vec<String>,
        /// Days after which it is refused; never when left out.
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=3650))]
        expires: Option<i64>,
        /// What it is for.
        #[arg(long, value_name = "TEXT", default_value = "")]
        label: String,
    },
    /// List the tokens, without their secrets.
    List,
    /// Make a token like this one and print it; the old one works until it is revoked.
    Rotate {
        /// Its id.
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Change what a token may do.
    Set {
        /// Its id.
        #[arg(value_name = "ID")]
        id: String,
        /// What it may do from now on. May be given several times.
        #[arg(long = "scope", value_name = "SCOPE", required = true, value_delimiter = ',')]
        scopes: Vec<String>,
    },
    /// Refuse a token from now on.
    Revoke {
        /// Its id.
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// Runs it.
pub async fn run(arguments: Arguments, settings: Settings, output: Output) -> Result<(), Failure> {
    let Arguments { tenant, command } = arguments;
    if let Command::Create { scopes, .. } | Command::Set { scopes, .. } = &command {
        Scopes::parse(scopes.iter().map(String::as_str)).map_err(Failure::Usage)?;
    }
    let app = open(settings).await?;
    let done = match command {
        Command::Create { scopes, expires, label } => {
            let new = NewToken { scopes, label, expires_days: expires };
            secret(&app.create_token(&tenant, &new).await?, output)
        }
        Command::List => list(&app.tokens(&tenant).await?, app.clock().now(), output),
        Command::Rotate { id } => secret(&app.rotate_token(&tenant, &id).await?, output),
        Command::Set { id, scopes } => {
            app.set_token_scopes(&tenant, &id, &scopes).await?;
            output.say(&json!({ "id": id, "scopes": scopes }), &format!("Token {id} changed."))
        }
        Command::Revoke { id } => {
            app.revoke_token(&tenant, &id).await?;
            output.say(&json!({ "id": id, "revoked": true }), &format!("Token {id} revoked."))
        }
    };
    app.close().await;
    Ok(done?)
}

/// The token alone, so that `$(usher token create)` is the token.
fn secret(made: &Secret, output: Output) -> std::io::Result<()> {
    output.say(&json!({ "id": made.id.as_str(), "token": made.token }), &made.token)
}

fn list(tokens: &[Token], now: Micros, output: Output) -> std::io::Result<()> {
    let time = |moment: Option<Micros>| moment.map_or_else(|| "-".to_owned(), day_and_time);
    let rows: Vec<_> = tokens
        .iter()
        .map(|token| {
            vec![
                token.id.to_string(),
                token.label.clone(),
                token.scopes.clone(),
                state(token, now).to_owned(),
                time(Some(token.created)),
                time(token.expires),
                time(token.last_used),
            ]
        })
        .collect();
    let value = tokens.iter().map(|token| shown(token, now)).collect();
    let headings = ["ID", "LABEL", "SCOPES", "STATE", "CREATED", "EXPIRES", "LAST USED"];
    output.table(&Value::Array(value), &headings, &rows)
}

fn state(token: &Token, now: Micros) -> &'static str {
    if token.revoked.is_some() {
        "revoked"
    } else if token.expires.is_some_and(|end| end <= now) {
        "expired"
    } else {
        "active"
    }
}

fn shown(token: &Token, now: Micros) -> Value {
    json!({
        "id": token.id.as_str(),
        "label": token.label,
        "scopes": token.scopes.split(' ').collect::<Vec<_>>(),
        "state": state(token, now),
        "created": token.created.rfc3339(),
        "expires": token.expires.map(Micros::rfc3339),
        "lastUsed": token.last_used.map(Micros::rfc3339),
    })
}

fn day_and_time(moment: Micros) -> String {
    moment.rfc3339().chars().take(19).collect::<String>() + "Z"
}
