//! Usher: a SCIM 2.0 provisioning server for seat-licensed products. This page is the map.
//!
//! # Bird's-eye view
//!
//! Identity providers push users and groups over HTTP. A SCIM resource is *one JSON document guided
//! by one attribute table*; the table is made from one annotated Rust struct, and everything that is
//! schema-driven (validation, PATCH, filters, sorting, projection, discovery, `schemas/`,
//! `openapi.yaml`) reads it. Business rules are pure functions. SQL is written once and runs on
//! SQLite and on PostgreSQL.
//!
//! ```text
//!               main -> cli
//!                        |
//!                        v
//!                       http            speaks HTTP; contains no rules
//!                        |
//!                        v
//!                       app             use-cases: the only place that opens a transaction
//!                      /   \
//!                     v     v
//!                 store    domain       store: the only SQL.   domain: business rules, pure
//!                     \     /
//!                      v   v
//!                      scim             the protocol, pure: no async, no SQL, no HTTP, no clock
//! ```
//!
//! [`clock`], [`ids`] and [`settings`] are leaves that anybody may use.
//!
//! # Invariants
//!
//! * `scim` and `domain` never wait, never read a clock, never do I/O; time and policy are arguments.
//! * SQL stands in `store` alone. What a client typed reaches the database as a bind, never as text.
//! * `app` opens transactions; nothing inside one waits for anything but the transaction. Passwords
//!   are hashed before it.
//! * A request is answered after its commit is durable, and is done whole or not at all.
//! * The writes of one tenant never run side by side, on all instances together.
//! * Everything belongs to a tenant, and the credential says which; every key starts with it.
//! * An identity provider's oddity is a row of [`scim::quirks::QUIRKS`], with its reason and a
//!   recorded conversation; `scim.strict` switches all of them off.
//! * One error enum per layer; statuses are given in `app/error/body.rs` and nowhere else.
//! * What the rules make of a user (roles in force, lifecycle, seat) stands in its document, read-only,
//!   written by the transaction that decided it; the counters of pools are the counts of it, and of the
//!   deleted users whose seats the brake holds.
//! * What an account says is shown from its own document and stands in no other, so that to rename or to
//!   suspend it writes one document, however many members it has.
//! * Seats are taken by counting only within the band that stands beside a pool's counters; whatever
//!   somebody has to be told of lies outside of it, so that counting costs the same with and without it.
//! * A seat is taken and given back by [`domain::seat::settle`] and nowhere else; the pool is looked at
//!   in the transaction, whatever was foreseen before it.
//! * A letter is a row of the transaction that it tells of; what is sent is what was committed. One lane of
//!   a process at a time is between the last byte of a mail and the note that it has gone.
//! * What a tenant or a client writes into a mail is plain text that leads nowhere (`domain/plain.rs`); the
//!   only link is Usher's.
//! * Secrets are never logged, never returned, and stored only as hashes, or sealed for as long as they
//!   must be read again (`app/vault.rs`).
//! * Who is invited holds a reserved seat, a user and one good link at most, all written by one transaction;
//!   what does not make somebody active again invites nobody.
//! * What takes rights from a user ends the sessions of that user in the same transaction.
//! * A form of a page for people is taken from the browser that was shown it alone (`http/pages/visit.rs`);
//!   to look at a page changes nothing.
//! * `openapi.yaml` describes every answer: the tests' client compares each with it
//!   (`tests/it/support/documented.rs`).
//! * A test reads the imports and keeps these directions (`tests/it/architecture.rs`).
//!
//! # One change, one place
//!
//! | change | the place | what follows by itself |
//! |---|---|---|
//! | new attribute | a field in `scim/resources/*.rs` | bodies, PATCH, filters, sorting, projection, `/Schemas`; then `usher contract write` |
//! | … that filters must find at once | `"indexed": true` beside it | rows in `attr_index`, look-ups instead of scans; `usher doctor --repair` for what is stored |
//! | … that resources change all the time, and that has few values | `"state": true` beside it | one text of all such (`scim/state.rs`) and one index, instead of an entry each; `usher doctor --repair` for what is stored |
//! | … that is counted when asked for | `"source": "counted"` beside it, and its query in `app/counts.rs` | shown to who names it, never a filter |
//! | … that must be unique | `"uniqueness": "server"` beside it | rows in `unique_keys`, 409 |
//! | new resource type | a file in `scim/resources/` and a row in [`scim::resource_type::Registry::standard`]; `.only_read()` where administrators alone write it | routes, discovery, OpenAPI, storage |
//! | new filter operator | `scim/filter/op.rs`, then the match that the compiler names in `store/filter` | parser, PATCH paths, SQL |
//! | new oddity of a client | a row in `scim/quirks.rs` and a file in `tests/idp/` | every request is softened by it |
//! | new rule about users | `domain/person.rs`, or a file beside it that it asks | every door: POST, PUT, PATCH, Bulk, groups |
//! | new thing that a deleted user gets back | `app/rules/brake.rs` keeps it, `app/brake.rs` restores it | `usher brake`, `/admin/brake` |
//! | new rule about call agents | `domain/agent.rs`; `app/rules/agents.rs` writes both documents | users and `/CallAgents` alike |
//! | new rule about accounts | `domain/account.rs`; `app/accounts.rs` writes accounts and memberships | `/admin`, `usher accounts` |
//! | new rule about invitations | `domain/invitation.rs`; `app/rules/invitations.rs` writes the link, the letter and the story | every door: POST, PUT, PATCH, Bulk, groups, waiting lines |
//! | new rule about who may sign in, or new end of sessions | `domain/standing.rs` | sign-in, refresh, every use of an access token; every door that changes users |
//! | new claim of access tokens | `standing::claims` in `domain/standing.rs` | tokens |
//! | new line of the record | `domain/record.rs` | log, events |
//! | new endpoint for administrators | a variant and a handler in `http/admin.rs`, a row in `http/routes.rs` | router, `openapi.yaml` |
//! | new kind of letter | a variant in `domain/letter.rs`, its words in `domain/words/*.toml`; whoever tells of it calls `App::post` in its transaction | outbox, sending, `/admin/mails` |
//! | new page for people | `http/pages/`, its words below `page` in `domain/words/*.toml`, a row in `http/routes.rs` | router, `openapi.yaml`; a test finds text that is not in the catalogue |
//! | new language | a file in `domain/words/` and a row in `domain/words.rs` | letters, pages; a test compares the keys |
//! | new tenant setting | a field and a row in `domain/tenant.rs` | `usher tenant set` and `show` |
//! | new setting of the installation | a field in `settings.rs` | file, environment, flag, help |
//! | new endpoint outside SCIM | a handler and a row in `http/routes.rs` | router, `openapi.yaml`, `/docs` |
//! | new table or column | a migration for each database, and its row in `store/copy.rs` | `usher copy` moves it |
//! | new refusal | a variant in its layer | `app/error/body.rs` does not compile until it has a status |
//!
//! # A story: Okta deactivates a user
//!
//! 1. `PATCH /scim/v2/Users/{id}` arrives; `http::auth` asks [`app::App::authenticate`] who the token is.
//! 2. The handler in `http::resources` reads the JSON ([`scim::json`]) and calls [`app::App::patch`].
//! 3. The softener ([`scim::quirks::Softener`]) rewrites what Okta says beside the standard;
//!    [`scim::patch::parse`] reads the operations.
//! 4. [`scim::patch::apply`] makes the new document or refuses, from a shared look-up and beside the
//!    transaction. On SQLite what no rule is about, a group for one, is done inside it, unless the change
//!    is long (more than 50 operations or values).
//! 5. The rules ([`domain::person`], [`domain::seat`], applied by `app/rules.rs`) see that the seat is
//!    given back and write it into the document; where that can be done by counting it goes with the
//!    document, and otherwise, when somebody waits for the seat, it takes a look at the whole inside
//!    the transaction and seats them.
//! 6. The change waits in its tenant's line ([`store::Store::write`]). A batch of that line takes the
//!    tenant's turn ([`store::turns`]), [`store::resources`] writes document, index and version if
//!    the version is still the one that was read, and all of the batch share one commit. On
//!    PostgreSQL a change of one document or one member goes as data (`store/piece.rs`): several of
//!    a batch share a statement, and a batch that is one statement takes the turn in it and is its
//!    own transaction (`store/postgres/write/single.rs`). On SQLite such a change needs no savepoint, and a
//!    thread of its own moves the log into the file (`store/sqlite/checkpoint.rs`), so that no commit
//!    waits for that.
//! 7. The commit is durable; only then [`scim::render`] and [`scim::project`] make the answer from
//!    what was stored, and it leaves with its `ETag` and one log line.

pub mod app;
pub mod cli;
pub mod clock;
pub mod domain;
pub mod http;
pub mod ids;
pub mod scim;
pub mod settings;
pub mod store;
