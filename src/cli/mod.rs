//! The command line: reads settings, composes the program, prints for people or for machines.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::app::{App, Error};
use crate::clock::Clock;
use crate::scim::resource_type::Registry;
use crate::settings::{self, Settings};

pub mod accounts;
pub mod agents;
pub mod brake;
pub mod contract;
pub mod copy;
pub mod doctor;
mod find;
pub mod groups;
pub mod invitations;
pub mod keys;
pub mod log;
pub mod mail;
pub mod output;
pub mod roles;
pub mod seats;
pub mod serve;
pub mod sessions;
pub mod tenant;
pub mod token;
pub mod users;

use output::Output;

/// SCIM 2.0 provisioning server.
#[derive(Debug, Parser)]
#[command(name = "usher", version, disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    /// Print for machines: JSON on one line.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve SCIM until told to stop.
    Serve,
    #[command(subcommand)]
    Tenant(tenant::Command),
    Token(token::Arguments),
    Users(users::Arguments),
    Seats(seats::Arguments),
    Brake(brake::Arguments),
    Invitations(invitations::Arguments),
    Roles(roles::Arguments),
    Groups(groups::Arguments),
    Agents(agents::Arguments),
    Accounts(accounts::Arguments),
    Sessions(sessions::Arguments),
    #[command(subcommand)]
    Keys(keys::Command),
    Log(log::Arguments),
    Mail(mail::Arguments),
    #[command(subcommand)]
    Contract(contract::Command),
    Doctor(doctor::Arguments),
    Copy(copy::Arguments),
}

/// Why a command ended without success.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Options or settings that cannot be meant: exit status 2.
    #[error("{0}")]
    Usage(String),
    /// It did not work: exit status 1.
    #[error("{0}")]
    Failed(String),
    /// What went wrong has been printed: exit status 1.
    #[error("")]
    Reported,
    /// What was compared differs, which has been printed: exit status 3.
    #[error("")]
    Differs,
}

impl From<Error> for Failure {
    /// Whoever sits at the command line may know what the database said.
    fn from(error: Error) -> Self {
        Self::Failed(match error {
            Error::Store(cause) | Error::Unavailable(cause) => cause.to_string(),
            Error::Internal(cause) => cause,
            other => other.to_string(),
        })
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Runs one command of these arguments, the first of which is the program's name.
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    // First of all, so that no dependency can make another choice.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let failure = match parse(arguments).and_then(execute) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(failure) => failure,
    };
    let status = match &failure {
        Failure::Reported => return ExitCode::from(1),
        Failure::Differs => return ExitCode::from(3),
        Failure::Failed(_) => 1,
        Failure::Usage(_) => 2,
    };
    eprintln!("usher: {}", failure.to_string().replace(['\n', '\r'], " "));
    ExitCode::from(status)
}

fn parse(arguments: Vec<OsString>) -> Result<Cli, Failure> {
    let arguments = settings::with_file(arguments).map_err(Failure::Usage)?;
    // Every option works after every command.
    let command =
        Cli::command().mut_args(|arg| if arg.is_positional() { arg } else { arg.global(true) });
    let command = settings::without_empty_variables(command);
    let parsed =
        command.try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = parsed.map_err(|error| refused(&error))?;
    cli.settings.check_always().map_err(Failure::Usage)?;
    Ok(cli)
}

/// One line of clap's message; help goes out as it is.
fn refused(error: &clap::Error) -> Failure {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = error.print();
            std::process::exit(0)
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            std::process::exit(2)
        }
        _ => {
            let text = error.render().to_string();
            let lines = text.lines().take_while(|line| !line.trim().is_empty());
            let line = lines.map(str::trim).collect::<Vec<_>>().join(" ");
            Failure::Usage(line.trim_start_matches("error: ").to_owned())
        }
    }
}

fn execute(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let output = Output::new(cli.json);
    let settings = cli.settings;
    let done = runtime.block_on(async move {
        match cli.command {
            Command::Serve => serve::run(settings, output).await,
            Command::Tenant(command) => tenant::run(command, settings, output).await,
            Command::Token(arguments) => token::run(arguments, settings, output).await,
            Command::Users(arguments) => users::run(arguments, settings, output).await,
            Command::Seats(arguments) => seats::run(arguments, settings, output).await,
            Command::Invitations(arguments) => invitations::run(arguments, settings, output).await,
            Command::Brake(arguments) => brake::run(arguments, settings, output).await,
            Command::Roles(arguments) => roles::run(arguments, settings, output).await,
            Command::Agents(arguments) => agents::run(arguments, settings, output).await,
            Command::Accounts(arguments) => accounts::run(arguments, settings, output).await,
            Command::Sessions(arguments) => sessions::run(arguments, settings, output).await,
            Command::Keys(command) => keys::run(command, settings, output).await,
            Command::Groups(arguments) => groups::run(arguments, settings, output).await,
            Command::Log(arguments) => log::run(arguments, settings, output).await,
            Command::Mail(arguments) => mail::run(arguments, settings, output).await,
            Command::Contract(command) => contract::run(&command, output),
            Command::Copy(arguments) => copy::run(arguments, settings, output).await,
            Command::Doctor(arguments) => doctor::run(arguments, settings, output).await,
        }
    });
    // Whatever still waits for a disk or a network must not keep the program from ending.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    done
}

/// The app on this machine's database, for commands that work beside a running server.
async fn open(settings: Settings) -> Result<App, Failure> {
    let file = settings.data_dir.join(crate::app::DATABASE_FILE);
    // A mistyped directory must not become a new, empty installation.
    if settings.database_url.is_none() && !file.exists() {
        return Err(Failure::Failed(format!(
            "There is no database at {}. Check --data-dir, or start 'usher serve' first.",
            file.display()
        )));
    }
    open_or_make(settings).await
}

/// Opens the installation, or makes it.
async fn open_or_make(settings: Settings) -> Result<App, Failure> {
    let origin = settings.origin(settings.listen);
    let app = App::open(settings, Registry::standard(), Clock::System).await?;
    app.set_public_url(&origin);
    Ok(app)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Result<Cli, Failure> {
        parse(words.split_whitespace().map(OsString::from).collect())
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn settings_may_stand_before_and_after_the_command() {
        for words in ["usher serve --listen 127.0.0.1:9", "usher --listen 127.0.0.1:9 serve --json"]
        {
            assert_eq!(parsed(words).unwrap().settings.listen.port(), 9, "{words}");
        }
        let token = parsed("usher token create --tenant acme --data-dir /x --scope scim").unwrap();
        assert_eq!(token.settings.data_dir.to_str(), Some("/x"));
    }

    #[test]
    fn a_wrong_setting_is_named_in_one_line() {
        for (words, named) in [
            ("usher serve --listen nowhere", "--listen"),
            ("usher serve --max-body many", "--max-body"),
            ("usher serve --public-url ftp://x", "--public-url"),
            ("usher serve --insecure-http=perhaps", "--insecure-http"),
            ("usher serve --argon2-memory 1", "--argon2-memory"),
            ("usher serve --log-level loud=shout", "--log-level"),
            ("usher serve --database-url mysql://u:secret@h/d", "--database-url"),
            ("usher serve --mail-url http://u:secret@h/d", "--mail-url"),
            ("usher serve --mail-from nobody", "--mail-from"),
            ("usher serve --config /does/not/exist", "--config"),
            ("usher serve --colour red", "--colour"),
            ("usher token revoke", "ID"),
        ] {
            let failure = parsed(words).unwrap_err();
            let line = failure.to_string();
            assert!(matches!(failure, Failure::Usage(_)), "{words}");
            assert!(line.contains(named) && !line.contains('\n'), "{words}: {line}");
            assert!(!line.contains("secret"), "{line}");
        }
    }
}
