//! `usher sessions`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::sessions::Session;
use crate::cli::find::user_id;
use crate::cli::{Failure, Output, open};
use crate::settings::Settings;

/// Show where a user is signed in, and log a user out everywhere.
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
    /// List the sessions of a user.
    List {
        /// Its id or userName.
        #[arg(value_name = "USER")]
        user: String,
    },
    /// End all sessions of a user: at once for new tokens and at Usher, at the product when the access
    /// tokens have ended.
    Revoke {
        /// Its id or userName.
        #[arg(value_name = "USER")]
        user: String,
    },
}

/// Runs it.
pub async fn run(arguments: Arguments, settings: Settings, output: Output) -> Result<(), Failure> {
    let app = open(settings).await?;
    let ctx = app.operator(&arguments.tenant).await?;
    match arguments.command {
        Command::List { user } => {
            let id = user_id(&app, &ctx, &user).await?;
            list(&app.sessions(&ctx, &id).await?, output)?;
        }
        Command::Revoke { user } => {
            let id = user_id(&app, &ctx, &user).await?;
            let ended = app.revoke_sessions(&ctx, &id).await?;
            let line = format!("{user} is logged out everywhere; sessions that ended: {ended}.");
            output.say(&json!({ "user": id, "ended": ended }), &line)?;
        }
    }
    app.close().await;
    Ok(())
}

fn list(sessions: &[Session], output: Output) -> std::io::Result<()> {
    let shown: Vec<Value> = sessions.iter().map(shown).collect();
    let rows: Vec<Vec<String>> = sessions
        .iter()
        .map(|session| {
            vec![
                session.id.to_string(),
                session.created.rfc3339(),
                session.used.rfc3339(),
                session.network.clone(),
                session.agent.clone(),
            ]
        })
        .collect();
    let headings = ["ID", "SIGNED IN", "LAST USED", "NETWORK", "CLIENT"];
    output.table(&Value::Array(shown), &headings, &rows)
}

fn shown(session: &Session) -> Value {
    json!({
        "id": session.id.as_str(),
        "created": session.created.rfc3339(),
        "lastUsed": session.used.rfc3339(),
        "expires": session.expires.rfc3339(),
        "network": session.network,
        "client": session.agent,
        "account": session.account,
    })
}
