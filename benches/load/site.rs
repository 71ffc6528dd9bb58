//! An Usher on a seeded database, and whom its requests are about.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::client::Connection;
use crate::database::{self, Database};
use crate::plan::Plan;
use crate::process::Process;
use crate::seed::{self, From, Seed};
use crate::workload::get;

/// Bytes of an id and its line break.
const STRIDE: usize = 37;

/// An Usher of its own on a copy of a seeded database.
pub(crate) struct Site {
    pub(crate) process: Process,
    program: PathBuf,
    arguments: Vec<String>,
    postmaster: Option<u32>,
    seed: Seed,
    size: usize,
    /// The next number that no user has.
    next: AtomicUsize,
    visits: AtomicUsize,
    switches: AtomicUsize,
    _directory: tempfile::TempDir,
}

impl Site {
    /// Copies the seeded database and starts a server on the copy.
    pub(crate) async fn open(database: &Database, size: usize, plan: &Plan) -> Self {
        let seed = seed::seeded(database, size, &plan.keep).await;
        let directory = plan.directory();
        let mut arguments: Vec<String> =
            ["serve", "--json", "--listen", "127.0.0.1:0", "--log-level", "warn", "--data-dir"]
                .map(str::to_owned)
                .into();
        arguments.push(directory.path().display().to_string());
        match &seed.from {
            From::File(file) => {
                database::copy(file, &directory.path().join(usher::app::DATABASE_FILE));
            }
            From::Template(template) => {
                let name = format!("run_{size}");
                database.create(&name, Some(template)).await;
                arguments.extend(["--database-url".to_owned(), database.url(&name).unwrap()]);
            }
        }
        let postmaster = database.postmaster();
        let process = Process::start(plan.usher.as_os_str(), &arguments, postmaster);
        Self {
            process,
            program: plan.usher.clone(),
            arguments,
            postmaster,
            next: AtomicUsize::new(size),
            visits: AtomicUsize::new(0),
            switches: AtomicUsize::new(0),
            seed,
            size,
            _directory: directory,
        }
    }

    /// Ends the server and starts it again with these arguments too; how long it took until the
    /// first answer with data.
    pub(crate) async fn restart(&mut self, more: &[&str]) -> Duration {
        self.process.stop();
        let mut arguments = self.arguments.clone();
        arguments.extend(more.iter().map(|&word| word.to_owned()));
        let begun = Instant::now();
        self.process = Process::start(self.program.as_os_str(), &arguments, self.postmaster);
        let mut request = Vec::new();
        get(&mut request, &format!("/scim/v2/Users/{}", self.user(0)), self.token());
        let mut connection = Connection::open(&self.process.address).await;
        connection.exchange(&request).await.expect_good();
        begun.elapsed()
    }

    /// Makes a tenant beside the server, and a token of it.
    pub(crate) fn tenant(&self, name: &str, more: &[&str]) -> String {
        self.command(&[&["tenant", "create", name][..], more].concat());
        self.command(&["token", "create", "--tenant", name])
    }

    /// Runs a command on the server's database; what it prints.
    fn command(&self, words: &[&str]) -> String {
        let place = self.arguments.iter().skip_while(|word| !word.starts_with("--data-dir"));
        let done = Command::new(&self.program).args(words).args(place).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// Users at the beginning.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn token(&self) -> &str {
        &self.seed.token
    }

    /// The id of the user of this number.
    pub(crate) fn user(&self, number: usize) -> &str {
        &self.seed.users[number * STRIDE..][..STRIDE - 1]
    }

    /// Some user, number and id: one after the other, in no order.
    pub(crate) fn some_user(&self) -> (usize, &str) {
        let number = scattered(self.visits.fetch_add(1, Ordering::Relaxed), self.size);
        (number, self.user(number))
    }

    /// How many were asked about.
    pub(crate) fn visits(&self) -> usize {
        self.visits.load(Ordering::Relaxed)
    }

    /// A user whose `active` is to be changed, and to what.
    pub(crate) fn next_to_switch(&self) -> (&str, bool) {
        let turn = self.switches.fetch_add(1, Ordering::Relaxed);
        (self.user(scattered(turn, self.size)), (turn / self.size) % 2 == 1)
    }

    /// The first of so many numbers that no user has.
    pub(crate) fn new_users(&self, count: usize) -> usize {
        self.next.fetch_add(count, Ordering::Relaxed)
    }

    /// Sizes of the groups there are.
    pub(crate) fn groups(&self) -> impl Iterator<Item = usize> {
        self.seed.groups.iter().map(|(size, _)| *size)
    }

    /// The group of this size, and its size; the largest where there is none.
    pub(crate) fn group(&self, size: usize) -> (usize, &str) {
        let groups = &self.seed.groups;
        let found = groups.iter().find(|(members, _)| *members == size);
        let (size, id) = found.or(groups.last()).unwrap();
        (*size, id)
    }
}

/// A stride that shares no factor with the sizes that are used visits all of them in no order.
fn scattered(turn: usize, size: usize) -> usize {
    turn.wrapping_mul(7_919) % size
}
