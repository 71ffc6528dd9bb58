//! All integration tests in one binary, because linking is what costs.

mod store_accounts;
mod store_faults;
mod store_members;
mod store_resources;
mod store_transactions;
mod support;
