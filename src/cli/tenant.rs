//! `usher tenant`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::App;
use crate::app::mail::BrandChange;
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
    /// Show how a tenant shows itself in mails and on people's pages, or set it.
    Brand(Brand),
}

/// What of a tenant's brand is set.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("change").multiple(true)))]
pub struct Brand {
    /// The tenant's name.
    #[arg(value_name = "NAME")]
    name: String,
    /// The name that people see; an empty one takes it away.
    #[arg(long, value_name = "TEXT", group = "change")]
    display: Option<String>,
    /// The colour of buttons, such as #1f5fbf; an empty one takes it away.
    #[arg(long, value_name = "#RRGGBB", group = "change")]
    color: Option<String>,
    /// A PNG or JPEG file of at most 64 KiB; an empty name takes the logo away.
    #[arg(long, value_name = "FILE", group = "change")]
    logo: Option<PathBuf>,
}

/// Runs it.
pub async fn run(command: Command, settings: Settings, output: Output) -> Result<(), Failure> {
    let app = match command {
        Command::Create { .. } => open_or_make(settings).await?,
        Command::List | Command::Show { .. } | Command::Set { .. } | Command::Brand(_) => {
            open(settings).await?
        }
    };
    let done = match command {
        Command::Create { name, seats } => {
            let tenant = app.create_tenant(&name, seats).await?;
            let line = format!("Tenant '{}' made.", tenant.name);
            output.say(&shown(&tenant), &line).map_err(Failure::from)
        }
        Command::List => Ok(list(&app.tenants().await?, output)?),
        Command::Show { name } => Ok(show(&app.tenant(&name).await?, output)?),
        Command::Set { name, pairs } => Ok(show(&app.set_tenant(&name, &pairs).await?, output)?),
        Command::Brand(wanted) => brand(&app, wanted, output).await,
    };
    app.close().await;
    done
}

async fn brand(app: &App, wanted: Brand, output: Output) -> Result<(), Failure> {
    let ctx = app.operator(&wanted.name).await?;
    let text = |text: String| Some(text).filter(|text| !text.is_empty());
    let logo = match wanted.logo {
        None => None,
        Some(path) if path.as_os_str().is_empty() => Some(None),
        Some(path) => Some(Some(
            std::fs::read(&path)
                .map_err(|error| Failure::Failed(format!("--logo {}: {error}", path.display())))?,
        )),
    };
    let change =
        BrandChange { name: wanted.display.map(text), color: wanted.color.map(text), logo };
    let brand = if change == BrandChange::default() {
        app.brand(&ctx).await?
    } else {
        app.set_brand(&ctx, change).await?
    };
    let logo = brand.logo.as_ref().map(|logo| {
        format!("{}, {} by {} pixels", logo.format.media_type(), logo.width, logo.height)
    });
    let value = json!({ "name": brand.name, "color": brand.color, "logo": logo });
    let none = || "none".to_owned();
    let rows = [("name", brand.name), ("color", brand.color), ("logo", logo)];
    let rows = rows.map(|(key, value)| vec![key.to_owned(), value.unwrap_or_else(none)]);
    Ok(output.table(&value, &["KEY", "VALUE"], &rows)?)
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
