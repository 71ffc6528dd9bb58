//! `usher seats`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::seating::Act;
use crate::app::seats::{Filled, Verified};
use crate::app::{App, Ctx};
use crate::cli::find::user_id;
use crate::cli::{Failure, Output, open};
use crate::clock::Micros;
use crate::domain::pool::DEFAULT;
use crate::settings::Settings;

/// Set, show and check the seats of a tenant.
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
    /// Set how many seats a pool has; the pool is made where there is none of that value.
    Set {
        /// A number, or 'unlimited'.
        #[arg(value_name = "TOTAL", value_parser = total)]
        total: Total,
        /// The pool's value.
        #[arg(long, value_name = "VALUE", default_value = DEFAULT)]
        pool: String,
    },
    /// Show the pools and how many of their seats are taken.
    Show,
    /// Show who waits for a seat, the first ones first.
    Waiting {
        /// The pool's value.
        #[arg(long, value_name = "VALUE", default_value = DEFAULT)]
        pool: String,
    },
    /// Seat a user who waits before everybody else who does; never beyond the total and the allowance.
    Grant {
        /// The user's id or userName.
        #[arg(value_name = "USER")]
        user: String,
        /// With a seat of this pool, instead of the one that is waited for; then the wait goes on.
        #[arg(long, value_name = "VALUE")]
        pool: Option<String>,
        /// Where no seat is free, let the user be the first of those who wait.
        #[arg(long)]
        next: bool,
    },
    /// Say that a user needs no seat, whatever clients write.
    Exempt {
        /// The user's id or userName.
        #[arg(value_name = "USER")]
        user: String,
        /// Say that a seat is needed after all; it is asked for at once.
        #[arg(long)]
        off: bool,
    },
    /// Compare the counters with those who hold seats; exit status 3 where they differ.
    Verify {
        /// Set the counters right, and apply the rules to users that none has seen yet.
        #[arg(long)]
        fix: bool,
    },
}

/// A number of seats.
#[derive(Debug, Clone, Copy)]
struct Total(Option<i64>);

fn total(text: &str) -> Result<Total, String> {
    if text.eq_ignore_ascii_case("unlimited") {
        return Ok(Total(None));
    }
    let number = text.parse().ok().filter(|number| (0..=1_000_000_000).contains(number));
    number.map(|number| Total(Some(number))).ok_or_else(|| "a number or 'unlimited'".to_owned())
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
    let now = app.clock().now();
    match command {
        Command::Set { total: Total(total), pool } => {
            app.set_seats(ctx, &pool, total).await?;
            show(&app.pools(ctx).await?, now, output)?;
        }
        Command::Show => show(&app.pools(ctx).await?, now, output)?,
        Command::Waiting { pool } => {
            let waiting = app.waiting(ctx, &pool).await?;
            let rows: Vec<_> = waiting
                .iter()
                .enumerate()
                .map(|(at, (id, name))| vec![(at + 1).to_string(), id.clone(), name.clone()])
                .collect();
            let value = waiting.iter().map(|(id, name)| json!({ "id": id, "userName": name }));
            output.table(&value.collect(), &["PLACE", "ID", "USERNAME"], &rows)?;
        }
        Command::Grant { user, pool, next } => {
            act(app, ctx, &user, Act::Grant { pool, next }, output).await?;
        }
        Command::Exempt { user, off } => {
            act(app, ctx, &user, Act::Exempt(!off), output).await?;
        }
        Command::Verify { fix } => {
            let verified = app.verify_seats(ctx, fix).await?;
            tell(&verified, fix, output)?;
            if !fix && !verified.is_clean() {
                return Err(Failure::Differs);
            }
        }
    }
    Ok(())
}

/// Does this to the seat of a user, and says what came of it.
async fn act(app: &App, ctx: &Ctx, user: &str, act: Act, output: Output) -> Result<(), Failure> {
    let id = user_id(app, ctx, user).await?;
    let done = app.act_on_seat(ctx, &id, act).await?;
    let text = |name: &str| done["seat"][name].as_str().unwrap_or("none").to_owned();
    let mut line = format!("{user}: seat {}", text("state"));
    if let Some(pool) = done["seat"]["pool"]["value"].as_str() {
        line = format!("{line} of pool '{pool}'");
    }
    if let Some(awaited) = done["seat"]["requestedSeatType"].as_str() {
        line = format!("{line}, waits for one of pool '{awaited}'");
    }
    output.say(&done, &format!("{line}."))?;
    Ok(())
}

fn show(pools: &[Filled], now: Micros, output: Output) -> std::io::Result<()> {
    let rows: Vec<_> = pools.iter().map(|filled| row(filled, now)).collect();
    let value = pools.iter().map(|filled| shown(filled, now)).collect();
    let headings = ["POOL", "TOTAL", "USED", "ACTIVE", "RESERVED", "WAITING", "POLICY", "STATE"];
    output.table(&Value::Array(value), &headings, &rows)
}

fn row(filled: &Filled, now: Micros) -> Vec<String> {
    let Filled { pool, taken } = filled;
    vec![
        pool.value.clone(),
        pool.total.map_or_else(|| "unlimited".to_owned(), |total| total.to_string()),
        taken.used().to_string(),
        taken.consumed.to_string(),
        taken.reserved.to_string(),
        taken.waiting.to_string(),
        pool.overage_policy.name().to_owned(),
        pool.state(*taken, now).name().to_owned(),
    ]
}

fn shown(filled: &Filled, now: Micros) -> Value {
    let Filled { pool, taken } = filled;
    json!({
        "value": pool.value,
        "total": pool.total,
        "used": taken.used(),
        "consumed": taken.consumed,
        "reserved": taken.reserved,
        "waiting": taken.waiting,
        "available": pool.available(*taken),
        "overagePolicy": pool.overage_policy.name(),
        "state": pool.state(*taken, now).name(),
    })
}

fn tell(verified: &Verified, fixed: bool, output: Output) -> std::io::Result<()> {
    let value = json!({
        "clean": verified.is_clean(),
        "fixed": fixed,
        "unruled": verified.unruled,
        "drifts": verified.drifts.iter().map(|drift| json!({
            "pool": drift.pool,
            "counted": { "consumed": drift.counted.consumed, "reserved": drift.counted.reserved,
                "waiting": drift.counted.waiting },
            "found": { "consumed": drift.found.consumed, "reserved": drift.found.reserved,
                "waiting": drift.found.waiting },
        })).collect::<Vec<_>>(),
    });
    let mut lines: Vec<String> = verified
        .drifts
        .iter()
        .map(|drift| {
            format!(
                "Pool '{}': counted {} active, {} reserved, {} waiting; found {}, {}, {}.",
                drift.pool,
                drift.counted.consumed,
                drift.counted.reserved,
                drift.counted.waiting,
                drift.found.consumed,
                drift.found.reserved,
                drift.found.waiting
            )
        })
        .collect();
    if verified.unruled > 0 {
        lines.push(format!("{} users have been seen by no rule yet.", verified.unruled));
    }
    lines.push(match (verified.is_clean(), fixed) {
        (true, _) => format!("{} pools: every counter is right.", verified.pools.len()),
        (false, true) => "Set right.".to_owned(),
        (false, false) => "Run it again with --fix to set them right.".to_owned(),
    });
    output.say(&value, &lines.join("\n"))
}
