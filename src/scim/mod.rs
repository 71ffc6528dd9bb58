//! The protocol, pure: JSON in, JSON out; no I/O, no clock, no database, no HTTP.

pub mod attribute;
pub mod error;
pub mod filter;
pub mod fold;
pub mod path;
pub mod quirks;
pub mod resource_type;
pub mod resources;
pub mod schema;
pub mod urn;

pub use error::Error;
