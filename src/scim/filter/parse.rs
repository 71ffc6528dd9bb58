//! stub
use crate::scim::{Error, filter::Filter};
/// g
#[derive(Debug, Clone, Copy)]
pub struct Grammar {
    /// b
    pub bare_words: bool,
}
/// p
pub fn parse(_: &str, _: Grammar) -> Result<Filter, Error> {
    Err(Error::InvalidFilter(String::new()))
}
