//! `usher doctor`

use std::fs;
use std::path::Path;

use clap::Args;
use serde_json::{Value, json};

use crate::app::{App, mail};
use crate::cli::{Failure, Output, open};
use crate::clock::{Clock, Micros};
use crate::settings::Settings;

mod deep;

/// Look whether clock, settings, data directory and database are as they should be.
#[derive(Debug, Clone, Copy, Args)]
pub struct Arguments {
    /// Compare indexes, unique values and counts with the documents, too.
    #[arg(long)]
    deep: bool,
    /// Mend what the comparison finds; a running server is not in the way.
    #[arg(long)]
    repair: bool,
}

/// 2026-01-01 and 2100-01-01: a clock outside has lost its battery or its mind.
const SANE: std::ops::Range<i64> = 1_767_225_600_000_000..4_102_444_800_000_000;

/// What was looked at and what was found.
#[derive(Debug)]
struct Finding {
    what: String,
    found: Result<String, String>,
}

impl Finding {
    fn new(what: &str, found: Result<String, String>) -> Self {
        Self { what: what.to_owned(), found }
    }
}

/// Runs it; exit status 1 when something is not as it should be.
pub async fn run(arguments: Arguments, settings: Settings, output: Output) -> Result<(), Failure> {
    let mut findings = vec![
        Finding::new("clock", clock(Clock::System.now())),
        Finding::new("public-url", public_url(&settings)),
        Finding::new("data-dir", data_dir(&settings)),
        Finding::new("mail", mail::look(&settings).await),
    ];
    match open(settings).await {
        Ok(app) => {
            findings.extend(database(&app).await);
            if arguments.deep || arguments.repair {
                findings.extend(deep::look(&app, arguments.repair, output).await);
            }
            app.close().await;
        }
        Err(failure) => findings.push(Finding::new("database", Err(failure.to_string()))),
    }
    report(&findings, output)?;
    if findings.iter().all(|finding| finding.found.is_ok()) {
        Ok(())
    } else {
        Err(Failure::Reported)
    }
}

fn report(findings: &[Finding], output: Output) -> std::io::Result<()> {
    let row = |finding: &Finding| {
        let (verdict, detail) = match &finding.found {
            Ok(detail) => ("ok", detail),
            Err(detail) => ("FAILED", detail),
        };
        vec![finding.what.clone(), verdict.to_owned(), detail.clone()]
    };
    let value = |finding: &Finding| {
        let detail = finding.found.as_ref().unwrap_or_else(|detail| detail);
        json!({ "check": finding.what, "ok": finding.found.is_ok(), "detail": detail })
    };
    let well = findings.iter().all(|finding| finding.found.is_ok());
    let checks: Vec<Value> = findings.iter().map(value).collect();
    let rows: Vec<_> = findings.iter().map(row).collect();
    output.table(&json!({ "ok": well, "checks": checks }), &["CHECK", "RESULT", "DETAIL"], &rows)
}

fn clock(now: Micros) -> Result<String, String> {
    if SANE.contains(&now.0) {
        Ok(now.rfc3339())
    } else {
        Err(format!("it is {} by this machine's clock; set it.", now.rfc3339()))
    }
}

fn public_url(settings: &Settings) -> Result<String, String> {
    settings.check()?;
    Ok(match &settings.public_url {
        Some(url) => url.to_string(),
        None => format!("none; URLs start with {}", settings.origin(settings.listen)),
    })
}

fn data_dir(settings: &Settings) -> Result<String, String> {
    let path = &settings.data_dir;
    if settings.database_url.is_some() && !path.exists() {
        return Ok("none; PostgreSQL needs none".to_owned());
    }
    directory(path)
}

fn directory(path: &Path) -> Result<String, String> {
    use std::os::unix::fs::PermissionsExt as _;
    let shown = path.display();
    let wrong = |error: std::io::Error| format!("{shown}: {error}");
    if !path.is_dir() {
        return Err(format!("{shown} is no directory; 'usher serve' makes it at its first start"));
    }
    let probe = path.join(format!(".usher-doctor-{}", std::process::id()));
    fs::write(&probe, b"").map_err(wrong)?;
    fs::remove_file(&probe).map_err(wrong)?;
    let mode = fs::metadata(path).map_err(wrong)?.permissions().mode();
    if mode & 0o002 != 0 {
        return Err(format!("{shown} can be written by everybody; run chmod o-w {shown}"));
    }
    let hint = if mode & 0o004 == 0 { "" } else { " (others may list it)" };
    Ok(format!("{shown} can be written{hint}"))
}

async fn database(app: &App) -> Vec<Finding> {
    let reachable = app.ready().await.map(|()| "it answers".to_owned());
    let state = app.database_state().await;
    let schema = state.map(|state| format!("{:?}, migration {}", state.dialect, state.migration));
    let text = |error| Failure::from(error).to_string();
    let written = app.check_writable().await.map(|()| "it takes writes".to_owned());
    vec![
        Finding::new("database", reachable.map_err(text)),
        Finding::new("schema", schema.map_err(text)),
        Finding::new("writable", written.map_err(text)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_lost_its_battery_is_noticed() {
        assert!(clock(Micros(0)).is_err());
        assert!(clock(Micros(1_800_000_000_000_000)).is_ok());
    }

    #[test]
    fn a_data_directory_that_everybody_may_write_is_noticed() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        assert!(super::directory(directory.path()).is_ok());
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(super::directory(directory.path()).unwrap_err().contains("chmod"));
    }
}
