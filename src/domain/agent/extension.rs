//! Numbers of phone extensions.

use crate::scim::path::excerpt;
use crate::scim::{Doc, Error};

/// What is written for the next number that is free.
pub const AUTO: &str = "auto";
/// The number of the first extension that is made for `auto`, and of the first agent.
pub const FIRST: i64 = 100;
/// The highest number of 8 digits.
const LAST: i64 = 99_999_999;

/// Refuses what is not 2 to 8 digits.
pub fn check_number(at: &str, text: &str) -> Result<(), Error> {
    if (2..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    Err(Error::InvalidValue(format!(
        "{at} '{}' is not the number of an extension. Write 2 to 8 digits.",
        excerpt(text)
    )))
}

/// Says that no phone is registered, where nothing is said yet.
pub fn complete_extension(extension: &mut Doc) {
    extension.entry("status").or_insert_with(|| "unregistered".into());
}

/// The number after the highest one.
pub fn next_number(highest: Option<i64>) -> Result<i64, Error> {
    let next = highest.map_or(FIRST, |highest| (highest + 1).max(FIRST));
    if next <= LAST {
        return Ok(next);
    }
    Err(Error::InvalidValue(
        "There is no number of 8 digits left after the highest one; name one.".to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_2_to_8_digits_and_follow_the_highest() {
        for (text, fine) in
            [("1", false), ("12", true), ("12345678", true), ("123456789", false), ("1a", false)]
        {
            assert_eq!(check_number("number", text).is_ok(), fine, "{text}");
        }
        assert_eq!(next_number(None).ok(), Some(100));
        assert_eq!(next_number(Some(20)).ok(), Some(100));
        assert_eq!(next_number(Some(100)).ok(), Some(101));
        assert!(next_number(Some(LAST)).is_err());
    }
}
