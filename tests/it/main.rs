//! All integration tests in one binary, because linking is what costs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod architecture;
mod contract;
mod discovery_details;
mod filter_graph;
mod filter_order;
mod filter_sql;
mod filter_world;
mod idp;
mod readme;
mod store_accounts;
mod store_faults;
mod store_members;
mod store_resources;
mod store_transactions;
mod support;
mod test_resource;
mod test_resource_query;
