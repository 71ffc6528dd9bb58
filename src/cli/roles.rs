//! `usher roles`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::cli::{Failure, Output, open};
use crate::domain::role;
use crate::settings::Settings;

/// List the roles of a tenant.
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
}

/// Runs it.
pub async fn run(arguments: Arguments, settings: Settings, output: Output) -> Result<(), Failure> {
    let app = open(settings).await?;
    let ctx = app.operator(&arguments.tenant).await?;
    let Command::List = arguments.command;
    let assignable = role::assignable(&ctx.rules, &ctx.catalogue);
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    for listed in ctx.catalogue.listed() {
        let role = listed.role;
        let given = assignable.contains(&role.value);
        let pool = ctx.catalogue.pool_of(Some(&role.value)).map(|pool| pool.value.clone());
        let pool = pool.unwrap_or_default();
        values.push(json!({
            "value": role.value, "display": role.display, "administrative": role.administrative,
            "assignable": given, "pool": pool,
            "type": if listed.system { "system" } else { "custom" },
        }));
        let yes = |flag| if flag { "yes" } else { "no" }.to_owned();
        rows.push(vec![role.value, role.display, yes(given), yes(role.administrative), pool]);
    }
    app.close().await;
    let headings = ["ROLE", "NAME", "CLIENTS MAY GIVE IT", "ADMINISTRATIVE", "POOL"];
    output.table(&Value::Array(values), &headings, &rows)?;
    Ok(())
}
