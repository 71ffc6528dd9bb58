//! The built program: run as people run it, ended by its process id.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use usher::store::{Database, Store, StoreSettings};

use super::app::Reply;
use super::{Directory, Opened};

/// Where and how the program runs.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) directory: Arc<Directory>,
    pub(crate) database: Option<String>,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// Most blocks of 512 bytes that a file of the server may have.
    pub(crate) largest_file: Option<u64>,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A running server.
pub(crate) struct Usher {
    child: Child,
    out: BufReader<ChildStdout>,
    /// What it printed at its start.
    pub(crate) said: Value,
    pub(crate) client: Client,
    log: PathBuf,
    /// Stays as long as the server does.
    _directory: Arc<Directory>,
}

/// Somebody with a token.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) base: String,
    pub(crate) token: String,
    http: reqwest::Client,
}

impl Opened for Setup {
    async fn open(settings: StoreSettings, directory: Directory) -> Self {
        let setup = Self::new(directory);
        match settings.database {
            Database::Sqlite { .. } => setup,
            Database::Postgres { url } => setup.on(url),
        }
    }
}

impl Setup {
    /// On SQLite, in this directory.
    pub(crate) fn new(directory: Directory) -> Self {
        Self {
            directory: Arc::new(directory),
            database: None,
            arguments: Vec::new(),
            environment: Vec::new(),
            largest_file: None,
        }
    }

    /// On this PostgreSQL database.
    pub(crate) fn on(self, url: String) -> Self {
        Self { database: Some(url), ..self }
    }

    /// With further arguments.
    pub(crate) fn with(mut self, words: &str) -> Self {
        self.arguments.extend(words.split_whitespace().map(str::to_owned));
        self
    }

    /// With a variable in its environment.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Where the data of the installation are.
    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// What it keeps its data in.
    pub(crate) async fn store(&self) -> Store {
        let database = match &self.database {
            Some(url) => Database::Postgres { url: url.clone() },
            None => Database::Sqlite { path: self.data().join("usher.db") },
        };
        let settings = StoreSettings { readers: 1, writers: 1, ..StoreSettings::new(database) };
        Store::open(&settings).await.unwrap()
    }

    /// The program with these words, in this installation and in no other.
    pub(crate) fn command(&self, words: &str) -> Command {
        let program = env!("CARGO_BIN_EXE_usher");
        let mut command = match self.largest_file {
            None => Command::new(program),
            Some(blocks) => {
                let mut shell = Command::new("sh");
                // A signal that is ignored stays so: then writing fails as on a full disk.
                let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
                shell.args(["-c", &script, program]);
                shell
            }
        };
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("USHER_")) {
            command.env_remove(name);
        }
        command.args(words.split_whitespace()).arg("--data-dir").arg(self.data());
        if let Some(url) = &self.database {
            command.args(["--database-url", url, "--database-connections", "6"]);
        }
        command.args(["--argon2-memory", "64", "--argon2-iterations", "1"]);
        command.args(&self.arguments).stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.directory.path());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, words: &str) -> Done {
        let output = self.command(words).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Done {
            status: output.status.code().unwrap(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// Runs a command with `--json` and gives what it printed.
    #[track_caller]
    pub(crate) fn json(&self, words: &str) -> Value {
        let done = self.run(&format!("{words} --json"));
        assert_eq!((done.status, done.err.as_str()), (0, ""), "usher {words}");
        assert_eq!(done.out.lines().count(), 1, "usher {words}: {}", done.out);
        serde_json::from_str(&done.out).unwrap()
    }

    /// Runs a command that prints a secret and nothing else.
    #[track_caller]
    pub(crate) fn secret(&self, words: &str) -> String {
        let done = self.run(words);
        assert_eq!((done.status, done.err.as_str()), (0, ""), "usher {words}");
        let line = done.out.strip_suffix('\n').unwrap();
        assert!(!line.contains(char::is_whitespace), "usher {words}: {line}");
        line.to_owned()
    }

    /// Starts the server on a free port and waits until it has said where.
    pub(crate) fn start(&self) -> Usher {
        self.start_with("--listen 127.0.0.1:0")
    }

    /// Starts the server with these words.
    pub(crate) fn start_with(&self, words: &str) -> Usher {
        let log = self.directory.path().join(format!("log-{}", usher::ids::RequestId::new(now())));
        let mut command = self.command(&format!("serve --json {words}"));
        command.stdout(Stdio::piped()).stderr(File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("{line}{}", std::fs::read_to_string(&log).unwrap()));
        let client = Client::new(text(&said["base"]), text(&said["token"]));
        Usher { child, out, said, client, log, _directory: Arc::clone(&self.directory) }
    }
}

fn now() -> usher::clock::Micros {
    usher::clock::Clock::System.now()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

impl Usher {
    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything that it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Tells it to stop, as a service manager does.
    pub(crate) fn tell(&self, signal: &str) {
        let mut kill = Command::new("sh");
        kill.args(["-c", &format!("kill -{signal} {}", self.pid())]);
        assert!(kill.status().unwrap().success());
    }

    /// Waits for its end; gives its status or signal, and what else it printed.
    pub(crate) fn wait(mut self) -> (Option<i32>, Option<i32>, String) {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "it does not end: {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        };
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (status.code(), status.signal(), rest)
    }

    /// Ends it at once, wherever it is.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Usher {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Client {
    pub(crate) fn new(base: &str, token: &str) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
        Self { base: base.to_owned(), token: token.to_owned(), http }
    }

    /// The same with another token.
    pub(crate) fn bearing(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        self.base.split('/').nth(2).unwrap().to_owned()
    }

    /// A request without its body; a path that begins with `!` stands beside the SCIM base.
    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = match path.strip_prefix('!') {
            Some(path) => format!("{}{path}", self.base.trim_end_matches("/scim/v2")),
            None => format!("{}{path}", self.base),
        };
        self.http.request(method.parse().unwrap(), url).bearer_auth(&self.token)
    }

    /// Sends it; the error is a connection that failed.
    pub(crate) async fn send(request: reqwest::RequestBuilder) -> Result<Reply, reqwest::Error> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = match serde_json::from_str(&text) {
            Ok(body) => body,
            Err(_) if text.is_empty() => Value::Null,
            Err(_) => Value::String(text),
        };
        Ok(Reply { status, headers, body })
    }

    /// Sends a request, with a JSON body where there is one.
    pub(crate) async fn try_to(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Reply, reqwest::Error> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            let text = body.to_string();
            request = request.header("content-type", "application/scim+json").body(text);
        }
        Self::send(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.try_to("GET", path, None).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.try_to("POST", path, Some(body)).await.unwrap()
    }

    /// A user of this name, on its way.
    pub(crate) async fn try_user(&self, name: &str) -> Result<Reply, reqwest::Error> {
        self.try_to("POST", "/Users", Some(&user(name))).await
    }

    /// How many users a filter finds.
    pub(crate) async fn count(&self, filter: &str) -> u64 {
        let filter =
            percent_encoding::utf8_percent_encode(filter, percent_encoding::NON_ALPHANUMERIC);
        let page = self.get(&format!("/Users?count=0&filter={filter}")).await.expect(200);
        page.body["totalResults"].as_u64().unwrap()
    }
}

/// A user as a client writes it.
pub(crate) fn user(name: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name,
        "emails": [{ "value": format!("{name}@example.com"), "primary": true }],
        "active": true,
    })
}

/// A PATCH of these operations.
pub(crate) fn patch(operations: &Value) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": operations,
    })
}
