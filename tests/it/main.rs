//! All integration tests in one binary, because linking is what costs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![expect(clippy::disallowed_methods, reason = "tests start tasks and read their environment")]

mod architecture;
mod bad_bodies;
mod bad_database;
mod bad_places;
mod bad_values;
mod bad_wire;
mod bulk_messages;
mod clients;
mod contract;
mod cursors;
mod discovery;
mod discovery_details;
mod docs;
mod errors;
mod filter_graph;
mod filter_order;
mod filter_sql;
mod filter_world;
mod groups;
mod idp;
mod lookups;
mod operations;
mod parallel;
mod patch;
mod process_cli;
mod process_copy;
mod process_end;
mod process_instances;
mod process_start;
mod projection;
mod put;
mod query;
mod quirky;
mod readme;
mod root;
mod search;
mod shapes;
mod store_accounts;
mod store_blocks;
mod store_faults;
mod store_members;
mod store_resources;
mod store_transactions;
mod suites;
mod support;
mod tenancy;
mod test_resource;
mod test_resource_query;
mod users;
mod versions;
