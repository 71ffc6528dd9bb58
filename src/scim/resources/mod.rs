//! The resources that Usher serves: one struct each, one field per attribute.
//!
//! The structs are never filled; schemars reads them, and [`crate::scim::schema::Schema`] turns what
//! it says into the attribute table. The key `x-scim` beside a field holds the characteristics that
//! differ from the defaults of RFC 7643 s2.2; the doc comment is the published description.

pub mod account;
pub mod agent_group;
pub mod call_agent;
pub mod catalogue;
pub mod contact_center;
pub mod department;
pub mod enterprise;
pub mod group;
pub mod group_mapping;
pub mod invitation;
pub mod phone_extension;
pub mod seat;
pub mod seat_pool;
pub mod user;
