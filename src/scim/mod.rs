//! The protocol, pure: JSON in, JSON out; no I/O, no clock, no database, no HTTP.

pub mod accept;
pub mod attribute;
pub mod bulk;
pub mod config;
pub mod cursor;
pub mod error;
pub mod etag;
pub mod filter;
pub mod fold;
pub mod json;
pub mod page;
pub mod patch;
pub mod path;
pub mod project;
pub mod query;
pub mod quirks;
pub mod render;
pub mod resource_type;
pub mod resources;
pub mod schema;
pub mod state;
pub mod urn;

pub use error::Error;

/// A resource, or a part of one, as a JSON object.
pub type Doc = serde_json::Map<String, serde_json::Value>;
