//! Usher.
pub mod clock;
pub mod ids;
pub mod scim;
pub mod store;
