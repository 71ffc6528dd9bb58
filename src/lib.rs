//! Usher.
pub mod clock;
pub mod domain;
pub mod ids;
pub mod scim;
pub mod store;
