//! Business rules, pure: decisions from what was, what is wanted, and facts. No I/O, no clock.

pub mod password;
pub mod scope;
pub mod tenant;
pub mod token;
