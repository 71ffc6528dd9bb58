//! Databases with many users, filled by the product's own code and kept for the next run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::stream;
use usher::app::App;
use usher::clock::{Clock, Micros};
use usher::domain::catalogue::Catalogue;
use usher::domain::facts::Seat;
use usher::domain::person::Law;
use usher::domain::pool::Taken;
use usher::domain::seat::{self, Manners, Room};
use usher::domain::tenant::TenantSettings;
use usher::ids::{ResourceId, TenantId};
use usher::scim::accept::{self, Rules};
use usher::scim::fold::{self, IndexEntry};
use usher::scim::quirks::Quirks;
use usher::scim::resource_type::{Registry, ResourceType};
use usher::scim::{Doc, state, urn};
use usher::settings::Settings;
use usher::store::resources::{self, Draft, Entries};
use usher::store::{self, Store, StoreSettings, Tx, members, seats};

use crate::database::Database;
use crate::people;

/// Groups that are made where there are more users than members.
const GROUPS: [usize; 3] = [100, 10_000, 100_000];
/// Users of one transaction.
const CHUNK: usize = 1_000;
/// Transactions that are prepared while another is written.
const AHEAD: usize = 4;

/// What is in a seeded database.
pub(crate) struct Seed {
    pub(crate) token: String,
    /// Size and id.
    pub(crate) groups: Vec<(usize, String)>,
    /// The ids of the users, each followed by a line break.
    pub(crate) users: String,
    /// The file to copy, or the database to take as template.
    pub(crate) from: From,
}

pub(crate) enum From {
    File(PathBuf),
    Template(String),
}

/// The seeded database of this size, made where it is missing.
pub(crate) async fn seeded(database: &Database, size: usize, keep: &Path) -> Seed {
    let name = format!("seed_{size}_{}", fingerprint());
    let directory = keep.join(format!("{}_{name}", database.name().to_lowercase()));
    let list = directory.join("ids");
    let there = match database {
        Database::Sqlite => list.exists(),
        Database::Postgres { .. } => list.exists() && database.list(&name).await.contains(&name),
    };
    if !there {
        eprintln!("{}: making {size} users", database.name());
        let begun = Instant::now();
        forget(database, size, keep).await;
        std::fs::create_dir_all(&directory).unwrap();
        fill(database, size, &name, &directory).await;
        eprintln!("{}: {size} users in {:.1} s", database.name(), begun.elapsed().as_secs_f64());
    }
    let text = std::fs::read_to_string(&list).unwrap();
    let (head, users) = text.split_once("\n\n").unwrap();
    let mut head = head.lines();
    let token = head.next().unwrap().to_owned();
    let group = |line: &str| {
        let (size, id) = line.split_once(' ').unwrap();
        (size.parse().unwrap(), id.to_owned())
    };
    let from = match database {
        Database::Sqlite => From::File(directory.join(usher::app::DATABASE_FILE)),
        Database::Postgres { .. } => From::Template(name),
    };
    Seed { token, groups: head.map(group).collect(), users: users.to_owned(), from }
}

/// Takes away what earlier versions of the tables left.
async fn forget(database: &Database, size: usize, keep: &Path) {
    let begin = format!("{}_seed_{size}_", database.name().to_lowercase());
    for entry in std::fs::read_dir(keep).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(&begin)) {
            std::fs::remove_dir_all(entry.path()).unwrap();
        }
    }
    for name in database.list(&format!("seed_{size}_")).await {
        database.drop_database(&name).await;
    }
}

async fn fill(database: &Database, size: usize, name: &str, directory: &Path) {
    let unfinished = "seed_unfinished";
    database.create(unfinished, None).await;
    let place = match database.url(unfinished) {
        None => store::Database::Sqlite { path: directory.join(usher::app::DATABASE_FILE) },
        Some(url) => store::Database::Postgres { url },
    };
    let store = Store::open(&StoreSettings::new(place)).await.unwrap();
    let registry = Registry::standard();
    let app = App::on(store.clone(), Settings::defaults(), registry, Clock::System).unwrap();
    let token = app.first_run().await.unwrap().unwrap().token;
    let tenant = app.tenant("default").await.unwrap().id;
    let filler = Filler { store, tenant, registry: app.registry().clone() };
    let ids = filler.users(size).await;
    filler.count_seats(size).await;
    let mut list = format!("{token}\n");
    for size in GROUPS.into_iter().filter(|members| *members < size) {
        let id = filler.group(size, &ids).await;
        writeln!(list, "{size} {id}").unwrap();
    }
    list.push('\n');
    for id in &ids {
        list.push_str(id);
        list.push('\n');
    }
    app.close().await;
    match database {
        // What is copied is the file alone, so everything has to be in it.
        Database::Sqlite => checkpoint(&directory.join(usher::app::DATABASE_FILE)),
        Database::Postgres { .. } => database.tidy(unfinished).await,
    }
    if database.url(name).is_some() {
        database.rename(unfinished, name).await;
    }
    // Last: it says that everything before it was done.
    std::fs::write(directory.join("ids"), list).unwrap();
}

fn checkpoint(file: &Path) {
    let connection = rusqlite::Connection::open(file).unwrap();
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
    let busy: i64 = connection.query_row(checkpoint, [], |row| row.get(0)).unwrap();
    assert_eq!(busy, 0, "the seeded database is still in use");
}

/// A resource on its way in.
struct New {
    id: String,
    draft: Draft,
}

struct Filler {
    store: Store,
    tenant: TenantId,
    registry: Registry,
}

impl Filler {
    async fn users(&self, size: usize) -> Vec<String> {
        let kind = self.registry.by_name("User").unwrap();
        // One in each millisecond until now, so that their ids ascend.
        let first = Clock::System.now().0 - i64::try_from(size).unwrap() * 1_000;
        let born = move |number: usize| Micros(first + i64::try_from(number).unwrap() * 1_000);
        let chunks = stream::iter((0..size).step_by(CHUNK)).map(|from| {
            let (to, kind) = ((from + CHUNK).min(size), Arc::clone(kind));
            async move {
                let draw = move || {
                    let new = |number| New {
                        id: ResourceId::new(born(number)).to_string(),
                        draft: draft(&kind, &people::user(number)),
                    };
                    (from..to).map(new).collect::<Vec<_>>()
                };
                let users = tokio::task::spawn_blocking(draw).await.unwrap();
                let ids = users.iter().map(|user| user.id.clone()).collect::<Vec<_>>();
                self.insert("User", users, born(from)).await;
                if to % 100_000 == 0 {
                    eprintln!("  {to} users");
                }
                ids
            }
        });
        let ids: Vec<Vec<String>> = chunks.buffered(AHEAD).collect().await;
        ids.into_iter().flatten().collect()
    }

    async fn group(&self, size: usize, ids: &[String]) -> String {
        let kind = self.registry.by_name("Group").unwrap();
        let born = Clock::System.now();
        let id = ResourceId::new(born).to_string();
        let draft = draft(kind, &people::group(size));
        self.insert("Group", vec![New { id: id.clone(), draft }], born).await;
        for chunk in ids[..size].chunks(CHUNK) {
            let (tenant, group, chunk) = (self.tenant.clone(), id.clone(), chunk.to_vec());
            let add = async move |tx: &mut Tx<'_>| members::add(tx, &tenant, &group, &chunk).await;
            self.store.write(&self.tenant, add).await.unwrap();
        }
        id
    }

    async fn insert(&self, kind: &'static str, all: Vec<New>, born: Micros) {
        let tenant = self.tenant.clone();
        let insert = async move |tx: &mut Tx<'_>| {
            let new: Vec<_> = all
                .iter()
                .map(|New { id, draft }| resources::New { id, draft, now: born })
                .collect();
            resources::insert_many(tx, &tenant, kind, &new).await
        };
        let outcomes: Vec<_> = self.store.write(&self.tenant, insert).await.unwrap();
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    }

    /// Writes the counters that the seats of all users come to, or the first change would count them.
    async fn count_seats(&self, users: usize) {
        let consumed = i64::try_from(users).unwrap();
        let taken = Taken { consumed, ..Taken::default() };
        let (tenant, pool) = (self.tenant.clone(), Catalogue::default().pools.swap_remove(0));
        let count = async move |tx: &mut Tx<'_>| {
            seats::set(tx, &tenant, &pool.value, pool.band(consumed), taken).await
        };
        self.store.write::<_, store::Error, _>(&self.tenant, count).await.unwrap();
    }
}

/// What the product stores for this body.
pub(crate) fn draft(kind: &ResourceType, body: &str) -> Draft {
    let rules = Rules::of(Quirks::ALL);
    let mut doc = accept::create(kind, serde_json::from_str(body).unwrap(), rules).unwrap().doc;
    if kind.extension(urn::CONTACT_CENTER).is_some() {
        judge(kind, &mut doc);
    }
    let pairs = |entries: Vec<IndexEntry>| {
        entries.into_iter().map(|entry| (entry.attr, entry.value)).collect()
    };
    Draft {
        doc: serde_json::to_string(&doc).unwrap(),
        folded: fold::document(kind, &doc),
        state: state::of(kind, &doc),
        label: fold::label(kind, &doc),
        entries: Entries {
            index: pairs(fold::index_entries(kind, &doc)),
            unique: pairs(fold::unique_entries(kind, &doc, rules.quirks)),
        },
        ..Draft::default()
    }
}

/// Puts in what the rules make of a user of a tenant with unlimited seats.
fn judge(kind: &ResourceType, doc: &mut Doc) {
    let (settings, catalogue) = (TenantSettings::default(), Catalogue::default());
    let now = Micros(1_700_000_000_000_000);
    let law = Law {
        settings: &settings,
        catalogue: &catalogue,
        assigns_roles: false,
        origin: "scim",
        now,
    };
    let judged = law.judge(None, doc, &[]).unwrap();
    let room = Room { pool: &catalogue.pools[0], taken: Taken::default(), now };
    let (seat, _) =
        seat::settle(&Seat::default(), &judged.need, Some(room), Manners::Policy).unwrap();
    judged.seated(seat, now).put(doc);
    accept::finish(kind, doc);
}

/// Changes with the tables and with what is put into them.
fn fingerprint() -> String {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/migrations");
    let mut files: Vec<_> = ["sqlite", "postgres"]
        .into_iter()
        .flat_map(|database| std::fs::read_dir(migrations.join(database)).unwrap().flatten())
        .map(|entry| entry.path())
        .collect();
    files.sort();
    let registry = Registry::standard();
    let kind = registry.by_name("User").unwrap();
    let mut text = format!("2 {GROUPS:?} {:?}", draft(kind, &people::user(0)));
    for file in files {
        text.push_str(&std::fs::read_to_string(file).unwrap());
    }
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}
