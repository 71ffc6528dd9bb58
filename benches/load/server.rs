//! The processes that are measured.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A server with a process of its own; it ends with this value.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: String,
    pub(crate) token: String,
    /// Kept open: the server may say more.
    _output: BufReader<ChildStdout>,
    _directory: tempfile::TempDir,
}

impl Process {
    /// Usher, on SQLite or on this PostgreSQL database.
    pub(crate) fn usher(url: Option<&str>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_usher"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--log-level", "warn", "--data-dir"]);
        command.arg(directory.path());
        if let Some(url) = url {
            command.args(["--database-url", url]);
        }
        Self::start(command, directory)
    }

    /// The raw limit: this program once more, on a SQLite file or a PostgreSQL URL.
    pub(crate) fn raw(place: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["raw", place]);
        Self::start(command, tempfile::tempdir().unwrap())
    }

    /// Reads the address, and the token where there is one, from what the server prints.
    fn start(mut command: Command, directory: tempfile::TempDir) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let (mut address, mut token) = (String::new(), String::new());
        let mut output = BufReader::new(child.stdout.take().unwrap());
        for line in output.by_ref().lines() {
            let line = line.unwrap();
            if let Some((_, rest)) = line.split_once("http://")
                && address.is_empty()
            {
                rest.split('/').next().unwrap().clone_into(&mut address);
            }
            let raw = line.starts_with("raw");
            if line.starts_with("usher_") {
                token = line;
            }
            if !address.is_empty() && (!token.is_empty() || raw) {
                break;
            }
        }
        assert!(!address.is_empty(), "the server said no address");
        Self { child, address, token, _output: output, _directory: directory }
    }

    /// CPU time of the process so far, user and system.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        // Linux counts 100 ticks a second for every program.
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
