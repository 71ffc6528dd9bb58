//! The processes that are measured.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A server with a process of its own; it ends with this value.
pub(crate) struct Process {
    child: Child,
    /// `host:port`
    pub(crate) address: String,
    /// The database server, whose time counts too.
    postmaster: Option<u32>,
    /// Kept open: the server may say more.
    _output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a program that says on its first line of output where it listens.
    pub(crate) fn start(program: &OsStr, arguments: &[String], postmaster: Option<u32>) -> Self {
        let mut command = Command::new(program);
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let rest = line.split_once("http://").expect("the server says where it listens").1;
        let address = rest.split(['/', '"']).next().unwrap().to_owned();
        Self { child, address, postmaster, _output: output }
    }

    /// CPU time so far, user and system, of this process and of its database server.
    pub(crate) fn cpu(&self) -> Duration {
        let database = self.postmaster.map_or(0, |postmaster| {
            let children = children(postmaster).map(|child| ticks(child, false)).sum::<u64>();
            children + ticks(postmaster, true)
        });
        // Linux counts 100 ticks a second for every program.
        Duration::from_millis((ticks(self.child.id(), true) + database) * 10)
    }

    /// Resident memory in MiB, of the process itself.
    pub(crate) fn memory(&self) -> f64 {
        self.status("VmRSS:")
    }

    /// The most resident memory that it ever had, in MiB.
    pub(crate) fn most_memory(&self) -> f64 {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> f64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }

    /// Asks it to end and waits.
    pub(crate) fn stop(&mut self) {
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU time of this program itself.
pub(crate) fn own_cpu() -> Duration {
    Duration::from_millis(ticks(std::process::id(), false) * 10)
}

/// CPU time that anything on the machine has used.
pub(crate) fn machine_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/stat").unwrap();
    let fields = text.lines().next().unwrap().split_whitespace().skip(1);
    let ticks: Vec<u64> = fields.map(|field| field.parse().unwrap_or(0)).collect();
    // All but idle and waiting for disks; guests are part of user time.
    Duration::from_millis((ticks[..8].iter().sum::<u64>() - ticks[3] - ticks[4]) * 10)
}

/// Clock ticks of a process; with those of its children that have ended.
fn ticks(process: u32, ended: bool) -> u64 {
    let Some(fields) = stat(process) else { return 0 };
    let last = if ended { 14 } else { 12 };
    fields[11..=last].iter().map(|field| field.parse::<u64>().unwrap_or(0)).sum()
}

fn children(parent: u32) -> impl Iterator<Item = u32> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(move |id| stat(*id).is_some_and(|fields| fields[1] == parent.to_string()))
}

/// The fields after the name; none when the process has ended.
fn stat(process: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    Some(text.rsplit(')').next()?.split_whitespace().map(str::to_owned).collect())
}
