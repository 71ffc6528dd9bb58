//! `openapi.yaml`: made from the table of routes and the attribute tables.
pub mod docs;
