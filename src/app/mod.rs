//! Use-cases: load, let the pure core decide, write. The only place that opens a transaction.

pub mod accounts;
pub mod brake;
mod bulk;
mod catalogue;
pub mod change;
pub mod choice;
mod copy;
mod counts;
mod create;
pub mod credentials;
mod cursors;
mod doctor;
pub mod door;
mod endings;
mod error;
mod invitations;
mod keeping;
mod links;
mod list;
mod lookup;
pub mod mail;
mod offers;
mod passwords;
mod persons;
mod pieces;
pub mod present;
pub mod resets;
pub mod resources;
mod roles;
mod rules;
pub mod seating;
pub mod seats;
mod seen;
pub mod sessions;
pub mod signin;
pub mod signing;
pub mod tenants;
pub mod tokens;
mod vault;
mod view;
mod work;
pub mod worker;

use std::sync::{Arc, OnceLock};

pub use bulk::{BulkAnswer, BulkAsked, Job, JobState, RETRY_AFTER, Results};
pub use change::Target;
pub use doctor::{DatabaseState, Deep, Faults};
pub use error::{Challenge, Error};
pub use invitations::Linked;
pub use links::{Activation, LinkState};
pub use passwords::Hasher;
pub use pieces::Pieces;
pub use resources::{Asked, Prefer, Shown};

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::catalogue::Catalogue;
use crate::domain::scope::{Scope, Scopes};
use crate::domain::tenant::TenantSettings;
use crate::ids::{RequestId, TenantId, TokenId};
use crate::scim::accept::ValueLimits;
use crate::scim::filter::Grammar;
use crate::scim::quirks::Quirks;
use crate::scim::resource_type::Registry;
use crate::settings::Settings;
use crate::store::resources::Counts;
use crate::store::{Database, Store, StoreSettings};
use cursors::Sealer;
use door::Door;
use mail::Office;
use seen::Variations;
use tokens::Verdicts;
use vault::Vault;
use worker::Worker;

/// The embedded database's file in the data directory.
pub const DATABASE_FILE: &str = "usher.db";

/// Usher: its store, its settings, and what it serves. Clones share everything.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    store: Store,
    clock: Clock,
    registry: Registry,
    /// Its types as tenants see them.
    variations: Variations,
    settings: Settings,
    hasher: Hasher,
    verdicts: Verdicts,
    worker: Worker,
    sealer: Sealer,
    vault: Vault,
    office: Arc<Office>,
    door: Arc<Door>,
    counts: Counts,
    /// Room for people who forgot their passwords.
    asking: Arc<Semaphore>,
    /// Room for bulk requests.
    rooms: bulk::Rooms,
    base: OnceLock<String>,
    leaving: CancellationToken,
    /// Leniencies that are answered at all; tests switch single ones off.
    quirks: Quirks,
    /// Members that are read at once; tests read fewer.
    piece: usize,
}

/// Who asks, in which tenant, under which rules.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// The tenant that the credential belongs to.
    pub tenant: TenantId,
    /// Its name, for the log.
    pub tenant_name: String,
    /// Its settings.
    pub rules: Arc<TenantSettings>,
    /// What it offers.
    pub catalogue: Arc<Catalogue>,
    /// The text that it was read from, so that it need not be read again while that is there still; none
    /// where nobody kept it.
    pub offered: Option<Arc<str>>,
    /// The credential.
    pub token: TokenId,
    /// The `id` of the user whom it stands for; none for what clients and operators hold.
    pub user: Option<String>,
    /// How often that user had been logged out everywhere when the credential was made.
    pub epoch: Option<i64>,
    /// What it may do.
    pub scopes: Scopes,
    /// Which leniencies hold for this request.
    pub quirks: Quirks,
    /// The request, for log lines and errors.
    pub request: RequestId,
}

impl Ctx {
    /// Refuses unless the credential holds this scope.
    pub fn require(&self, scope: Scope) -> Result<(), Error> {
        if self.scopes.allow(scope) { Ok(()) } else { Err(Error::Forbidden(scope)) }
    }
}

impl App {
    /// Opens the store, migrating it where needed.
    pub async fn open(settings: Settings, registry: Registry, clock: Clock) -> Result<Self, Error> {
        let store = Store::open(&store_settings(&settings)).await?;
        let app = Self::on(store, settings, registry, clock)?;
        // Commands that seal nothing do without the key; whoever needs it is told what is wrong.
        let _ = app.unlock().await;
        Ok(app)
    }

    /// Usher on a store that is open already.
    pub fn on(
        store: Store,
        settings: Settings,
        registry: Registry,
        clock: Clock,
    ) -> Result<Self, Error> {
        let work = &settings.work;
        let hasher = Hasher::new(
            work.argon2_memory,
            work.argon2_iterations,
            work.argon2_parallelism,
            settings.hash_threads(),
        )
        .map_err(Error::Internal)?;
        let office = Arc::new(Office::new(clock.now()));
        let inner = Inner {
            store,
            clock,
            registry,
            variations: Variations::default(),
            hasher,
            verdicts: Verdicts::default(),
            worker: Worker::default(),
            sealer: Sealer::default(),
            vault: Vault::default(),
            office,
            door: Arc::new(Door::new(settings.hash_threads())),
            counts: Counts::default(),
            asking: Arc::new(Semaphore::new(resets::ASKING)),
            rooms: bulk::Rooms::default(),
            base: OnceLock::new(),
            leaving: CancellationToken::new(),
            quirks: Quirks::ALL,
            piece: pieces::PIECE,
            settings,
        };
        Ok(Self(Arc::new(inner)))
    }

    /// The same on the same store, answering only these leniencies.
    #[must_use]
    pub fn with_quirks(&self, quirks: Quirks) -> Self {
        let inner = Inner { quirks, verdicts: Verdicts::default(), ..(*self.0).clone() };
        Self(Arc::new(inner))
    }

    /// What a filter may be.
    pub fn grammar(&self, quirks: Quirks) -> Grammar {
        let limits = &self.settings().limits;
        Grammar {
            max_len: limits.max_filter,
            max_depth: limits.max_filter_depth,
            ..Grammar::of(quirks)
        }
    }

    /// What a value may be.
    pub fn value_limits(&self) -> ValueLimits {
        let limits = &self.settings().limits;
        ValueLimits { values: limits.max_values, name: limits.max_name }
    }

    /// The store.
    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The resource types that are served.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The settings of the installation.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Where passwords are hashed.
    pub(crate) fn hasher(&self) -> &Hasher {
        &self.0.hasher
    }

    /// How many passwords were hashed or verified so far.
    pub fn hashes_done(&self) -> u64 {
        self.hasher().done()
    }

    /// What seals cursors.
    fn sealer(&self) -> &Sealer {
        &self.0.sealer
    }

    /// The installation's key.
    fn vault(&self) -> &Vault {
        &self.0.vault
    }

    /// Where letters go out.
    fn office(&self) -> &Office {
        &self.0.office
    }

    /// Room for people who forgot their passwords.
    fn asking(&self) -> &Arc<Semaphore> {
        &self.0.asking
    }

    /// How many resources filters found.
    fn counts(&self) -> &Counts {
        &self.0.counts
    }

    /// Tasks beside the requests.
    pub fn worker(&self) -> &Worker {
        &self.0.worker
    }

    /// The SCIM base URL, without a slash at its end: every URL that Usher writes begins with it.
    pub fn base(&self) -> &str {
        self.0.base.get().map_or("", String::as_str)
    }

    /// The URL of this server, without a slash at its end.
    pub fn origin(&self) -> &str {
        self.base().strip_suffix("/scim/v2").unwrap_or_default()
    }

    /// Sets the URL of this server once it is known (`public-url`, else the bound address).
    pub fn set_public_url(&self, url: &str) {
        // A second call changes nothing: URLs must not move while the server runs.
        let _ = self.0.base.set(format!("{}/scim/v2", url.trim_end_matches('/')));
    }

    /// Says that this server will stop soon, so that others are asked instead.
    pub fn leave(&self) {
        self.0.leaving.cancel();
    }

    /// Whether this server will stop soon.
    pub fn is_leaving(&self) -> bool {
        self.0.leaving.is_cancelled()
    }

    /// Whether the database answers.
    pub async fn ready(&self) -> Result<(), Error> {
        Ok(self.store().ping().await?)
    }

    /// Ends the tasks and closes the store.
    pub async fn close(&self) {
        self.worker().stop().await;
        self.store().close().await;
    }
}

fn store_settings(settings: &Settings) -> StoreSettings {
    let Some(url) = &settings.database_url else {
        let path = settings.data_dir.join(DATABASE_FILE);
        return StoreSettings::new(Database::Sqlite { path });
    };
    let connections = settings.work.database_connections;
    let writers = connections.div_ceil(2);
    StoreSettings {
        readers: (connections - writers).max(1),
        writers,
        ..StoreSettings::new(Database::Postgres { url: url.clone() })
    }
}
