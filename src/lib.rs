//! Usher.
pub mod app;
pub mod cli;
pub mod clock;
pub mod domain;
pub mod http;
pub mod ids;
pub mod scim;
pub mod settings;
pub mod store;
