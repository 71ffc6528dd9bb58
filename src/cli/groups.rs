//! `usher groups`

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::{Failure, Output, open};
use crate::domain::role::Mapping;
use crate::settings::Settings;

/// Say what membership of a group means.
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
    /// Give the direct members of a group a role, seats of a pool, a department and a group of agents;
    /// without any of them membership means nothing any more.
    Map {
        /// The group's id.
        #[arg(value_name = "GROUP")]
        group: String,
        /// The role that members get.
        #[arg(long, value_name = "ROLE")]
        role: Option<String>,
        /// The pool from which members get their seats.
        #[arg(long, value_name = "VALUE")]
        pool: Option<String>,
        /// The department, by name or id, that the call agents of members have.
        #[arg(long, value_name = "DEPARTMENT")]
        department: Option<String>,
        /// The group of agents, by name or id, that they belong to.
        #[arg(long, value_name = "GROUP")]
        agent_group: Option<String>,
        /// Which group counts where several disagree: the lowest number.
        #[arg(long, value_name = "N", default_value_t = 100)]
        priority: i64,
    },
}

/// Runs it.
pub async fn run(arguments: Arguments, settings: Settings, output: Output) -> Result<(), Failure> {
    let app = open(settings).await?;
    let ctx = app.operator(&arguments.tenant).await?;
    let Command::Map { group, role, pool, department, agent_group, priority } = arguments.command;
    let mapping = Mapping { group, role, seat_type: pool, priority, department, agent_group };
    let done = app.map_group(&ctx, mapping.clone()).await;
    app.close().await;
    done?;
    let value = json!({
        "group": mapping.group, "grantsRole": mapping.role, "grantsSeatType": mapping.seat_type,
        "department": mapping.department, "agentGroup": mapping.agent_group,
        "priority": mapping.priority,
    });
    output.say(&value, &format!("Group {} mapped.", mapping.group))?;
    Ok(())
}
