//! `usher tenant`

use clap::Subcommand;
use serde_json::{Value, json};

use crate::app::tenants::Tenant;
use crate::cli::{Failure, Output, open, open_or_make};
use crate::settings::Settings;

/// Make, list, show and set tenants.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a tenant.
    Create {
        /// Its name: letters, digits and hyphens.
        #[arg(value_name = "NAME")]
        name: String,
        /// How many seats its pool 'default' has; without a number they are unlimited.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..=1_000_000_000))]
        seats: Option<i64>,
    },
    /// List the tenants.
    List,
    /// Show a tenant and its settings.
    Show {
        /// Its name.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Change settings of a tenant.
    Set {
        /// Its name.
        #[arg(value_name = "NAME")]
        name: String,
        /// Settings and their values.
        #[arg(value_name = "KEY=VALUE", required = true, value_parser = pair)]
        pairs: Vec<(String, String)>,
    },
}

/// Runs it.
pub async fn run(command: Command, settings: Settings, output: Output) -> Result<(), Failure> {
    let app = match command {
        Command::Create { .. } => open_or_make(settings).await?,
        Command::List | Command::Show { .. } | Command::Set { .. } => open(settings).await?,
    };
    let done = match command {
        Command::Create { name, seats } => {
            let tenant = app.create_tenant(&name, seats).await?;
            output.say(&shown(&tenant), &format!("Tenant '{}' made.", tenant.name))
        }
        Command::List => list(&app.tenants().await?, output),
        Command::Show { name } => show(&app.tenant(&name).await?, output),
        Command::Set { name, pairs } => show(&app.set_tenant(&name, &pairs).await?, output),
    };
    app.close().await;
    Ok(done?)
}

fn list(tenants: &[Tenant], output: Output) -> std::io::Result<()> {
    let rows: Vec<_> =
        tenants.iter().map(|tenant| vec![tenant.name.clone(), tenant.created.rfc3339()]).collect();
    let value = tenants.iter().map(shown).collect();
    output.table(&Value::Array(value), &["NAME", "CREATED"], &rows)
}

fn show(tenant: &Tenant, output: Output) -> std::io::Result<()> {
    let mut rows = vec![
        vec!["name".to_owned(), tenant.name.clone()],
        vec!["id".to_owned(), tenant.id.to_string()],
        vec!["created".to_owned(), tenant.created.rfc3339()],
    ];
    let settings = tenant.settings.in_force();
    rows.extend(settings.into_iter().map(|(key, value)| vec![key.to_owned(), value]));
    output.table(&shown(tenant), &["KEY", "VALUE"], &rows)
}

fn shown(tenant: &Tenant) -> Value {
    let settings: serde_json::Map<_, _> = tenant
        .settings
        .in_force()
        .into_iter()
        .map(|(key, value)| (key.to_owned(), Value::from(value)))
        .collect();
    json!({
        "id": tenant.id.as_str(),
        "name": tenant.name,
        "created": tenant.created.rfc3339(),
        "settings": settings,
    })
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}
