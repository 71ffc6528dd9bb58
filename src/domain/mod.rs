//! Business rules, pure: decisions from what was, what is wanted, and facts. No I/O, no clock.

pub mod account;
pub mod agent;
pub mod brake;
pub mod brand;
pub mod catalogue;
pub mod email;
pub mod facts;
pub mod invitation;
pub mod letter;
pub mod limits;
pub mod offer;
pub mod password;
pub mod person;
pub mod plain;
pub mod pool;
pub mod record;
pub mod role;
pub mod scope;
pub mod seat;
pub mod standing;
pub mod strength;
pub mod template;
pub mod tenant;
pub mod token;
pub mod words;
