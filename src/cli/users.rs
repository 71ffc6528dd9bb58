//! `usher users`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::{App, Ctx, Error, Target};
use crate::cli::{Failure, Output, open};
use crate::scim::etag::Conditions;
use crate::scim::query::Query;
use crate::scim::urn;
use crate::settings::Settings;

/// List and show users.
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
    List {
        /// Only those that a SCIM filter selects.
        #[arg(long)]
        filter: Option<String>,
        /// Position of the first one.
        #[arg(long, default_value = "1")]
        start: u64,
        /// How many at most.
        #[arg(long, default_value = "100")]
        count: u64,
    },
    /// Show one user.
    Show {
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
        Command::List { filter, start, count } => {
            let mut search = json!({ "startIndex": start, "count": count, "sortBy": "userName" });
            if let Some(filter) = filter {
                search["filter"] = filter.into();
            }
            list(&find(&app, &ctx, search).await?, output)?;
        }
        Command::Show { user } => {
            let document = show(&app, &ctx, &user).await?;
            let text = serde_json::to_string_pretty(&document).unwrap_or_default();
            output.say(&document, &text)?;
        }
    }
    app.close().await;
    Ok(())
}

async fn find(app: &App, ctx: &Ctx, mut search: Value) -> Result<Value, Error> {
    search["schemas"] = json!([urn::SEARCH]);
    let query = Query::from_search(&search, ctx.quirks)?;
    let kinds: Vec<_> = app.registry().by_name("User").cloned().into_iter().collect();
    let page = app.list(ctx, &kinds, &query).await?.text().await?;
    Ok(serde_json::from_str(&page).unwrap_or_default())
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
    let found = find(app, ctx, json!({ "filter": filter })).await?;
    found["Resources"].get(0).cloned().ok_or_else(|| missing.into())
}

/// The id of the user of this id or userName.
pub(super) async fn id_of(app: &App, ctx: &Ctx, user: &str) -> Result<String, Failure> {
    let found = show(app, ctx, user).await?;
    let id = found["id"].as_str().map(str::to_owned);
    id.ok_or_else(|| Failure::Failed(format!("User '{user}' does not exist.")))
}

fn list(page: &Value, output: Output) -> std::io::Result<()> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    let users = page["Resources"].as_array().map_or(&[][..], Vec::as_slice);
    let rows: Vec<_> = users
        .iter()
        .map(|user| {
            ["id", "userName", "displayName", "active"].map(|key| text(&user[key])).to_vec()
        })
        .collect();
    output.table(page, &["ID", "USERNAME", "DISPLAY NAME", "ACTIVE"], &rows)?;
    let total = page["totalResults"].as_u64().unwrap_or_default();
    if total > users.len() as u64 {
        output.remark(&format!(
            "{} of {total} users; --start and --count show others.",
            users.len()
        ))?;
    }
    Ok(())
}
