//! `usher contract`

use std::fs;
use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use crate::cli::{Failure, Output};
use crate::http::openapi;
use crate::scim::resource_type::Registry;

/// Print or write the files that are generated from the code: openapi.yaml and schemas/.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print openapi.yaml.
    Print,
    /// Write openapi.yaml and schemas/.
    Write {
        /// Where to.
        #[arg(long, value_name = "DIR", default_value = ".")]
        dir: PathBuf,
    },
}

/// Runs it.
pub fn run(command: &Command, output: Output) -> Result<(), Failure> {
    let registry = Registry::standard();
    match command {
        Command::Print => {
            let document = openapi::document(&registry);
            let text = openapi::yaml(&document).map_err(Failure::Failed)?;
            output.say(&document, text.trim_end())?;
        }
        Command::Write { dir } => {
            let files = openapi::files(&registry).map_err(Failure::Failed)?;
            for (name, text) in &files {
                let path = dir.join(name);
                let parent = path.parent().map_or_else(|| dir.clone(), PathBuf::from);
                fs::create_dir_all(parent)?;
                fs::write(&path, text)?;
            }
            let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
            output.say(&json!({ "written": names }), &names.join("\n"))?;
        }
    }
    Ok(())
}
