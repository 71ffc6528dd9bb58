//! A throw-away PostgreSQL server from the installed programs, and a new database for each test.

use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

use usher::store::{Database, Store, StoreSettings};

/// The server that the tests share. It ends when this process does.
static SHARED: LazyLock<Option<Server>> = LazyLock::new(|| {
    let server = Server::start()?;
    server.create("template_usher", "template1");
    let settings = settings(server.url("template_usher"));
    // On a thread of its own: whoever comes first may be inside a runtime.
    let migrate = std::thread::spawn(move || {
        super::run(async { Store::open(&settings).await.unwrap().close().await });
    });
    migrate.join().unwrap();
    Some(server)
});
static CREATING: Mutex<()> = Mutex::new(());
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// The URL of a new database with today's tables; none when the tests shall do without PostgreSQL.
pub(crate) fn new_database() -> Option<String> {
    copy_of("template_usher")
}

/// The URL of a new database with nothing in it.
pub(crate) fn empty_database() -> Option<String> {
    copy_of("template0")
}

fn copy_of(template: &str) -> Option<String> {
    let server = SHARED.as_ref()?;
    let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    // One after the other: a template must have no other user.
    let guard = CREATING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    server.create(&name, template);
    drop(guard);
    Some(server.url(&name))
}

/// Settings with few connections, as many tests run side by side.
pub(crate) fn settings(url: String) -> StoreSettings {
    StoreSettings { readers: 2, writers: 2, ..StoreSettings::new(Database::Postgres { url }) }
}

/// A PostgreSQL server in a directory of its own, reached by a socket in it.
pub(crate) struct Server {
    directory: tempfile::TempDir,
    programs: PathBuf,
    watch: Mutex<Option<Child>>,
}

impl Server {
    /// Makes and starts a server; none when the tests shall do without.
    pub(crate) fn start() -> Option<Self> {
        if std::env::var_os("USHER_TEST_SQLITE_ONLY").is_some() {
            eprintln!("skipped: USHER_TEST_SQLITE_ONLY is set");
            return None;
        }
        let programs = programs().expect(
            "these tests need the PostgreSQL server programs: install the package postgresql, \
             or set USHER_TEST_SQLITE_ONLY=1 to leave them out",
        );
        let directory = tempfile::Builder::new().prefix("usher-pg").tempdir().unwrap();
        if let Some((uid, gid)) = servant() {
            chown(directory.path(), Some(uid), Some(gid)).unwrap();
        }
        let server = Self { directory, programs, watch: Mutex::new(None) };
        let made = server
            .command("initdb")
            .args(["-U", "usher", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"])
            .arg("-D")
            .arg(server.data())
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        server.resume();
        Some(server)
    }

    /// Starts the server on its data.
    pub(crate) fn resume(&self) {
        let mut shell = self.command("sh");
        // The shell ends the server when our end of the pipe closes, however we end.
        shell.arg("-c").arg(
            "\"$0\" -D \"$1\" -c listen_addresses= -c unix_socket_directories=\"$2\" -c fsync=off \
             -c full_page_writes=off -c deadlock_timeout=50ms -c max_connections=300 -c shared_buffers=32MB \
             >\"$2/log\" 2>&1 & server=$!; read word; kill -INT $server; wait $server; \
             [ \"$word\" = keep ] || rm -rf \"$2\"",
        );
        shell.arg(self.programs.join("postgres")).arg(self.data()).arg(self.directory.path());
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        *self.watch.lock().unwrap() = Some(shell.spawn().unwrap());
        let start = Instant::now();
        while !self.psql("postgres", "SELECT 1") {
            assert!(start.elapsed() < Duration::from_secs(30), "PostgreSQL did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends the server's sessions and the server; its data stays.
    pub(crate) fn stop(&self) {
        self.end("keep\n");
    }

    fn end(&self, word: &str) {
        if let Some(mut shell) = self.watch.lock().unwrap().take() {
            shell.stdin.take().unwrap().write_all(word.as_bytes()).unwrap();
            shell.wait().unwrap();
        }
    }

    /// Makes a database from another.
    pub(crate) fn create(&self, name: &str, template: &str) {
        let sql = format!("CREATE DATABASE {name} TEMPLATE {template}");
        assert!(self.psql("postgres", &sql), "could not make the database {name}");
    }

    /// The URL of a database of this server.
    pub(crate) fn url(&self, name: &str) -> String {
        let socket = self.directory.path().to_str().unwrap().replace('/', "%2F");
        format!("postgres://usher@localhost/{name}?host={socket}&sslmode=disable")
    }

    /// Runs a statement with the server's own client and says whether it went well.
    pub(crate) fn psql(&self, database: &str, sql: &str) -> bool {
        let mut client = self.command("psql");
        client.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "usher", "-d", database, "-h"]);
        client.arg(self.directory.path()).stdin(Stdio::piped());
        let mut client = client.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let sent = client.stdin.take().unwrap().write_all(sql.as_bytes());
        client.wait().unwrap().success() && sent.is_ok()
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// One of the server's programs, as a user that the server accepts.
    fn command(&self, program: &str) -> Command {
        let own = self.programs.join(program);
        let mut command = if own.exists() { Command::new(own) } else { Command::new(program) };
        command.current_dir(self.directory.path());
        if let Some((uid, gid)) = servant() {
            command.uid(uid).gid(gid);
        }
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end("");
    }
}

/// The directory of the server's programs: the newest that is installed, else one on the PATH.
fn programs() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))
        })
        .filter(|(_, bin): &(u32, PathBuf)| bin.join("postgres").exists())
        .collect();
    found.sort();
    let on_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path)
            .find(|bin| bin.join("postgres").exists() && bin.join("initdb").exists())
    };
    found.pop().map(|(_, bin)| bin).or_else(on_path)
}

/// The server refuses to run as root: then the user and group `postgres`, or `nobody`.
fn servant() -> Option<(u32, u32)> {
    if std::fs::metadata(Path::new("/proc/self")).ok()?.uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    ids("postgres").or_else(|| ids("nobody"))
}
