//! Numbers of phone extensions.

use crate::scim::path::excerpt;
use crate::scim::{Doc, Error};

/// What is written for the next number that is free.
pub const AUTO: &str = "auto";
/// The number of the first extension that is made for `auto`, and of the first agent.
pub const FIRST: i64 = 100;
/// Digits of a number that is given, from the most to the fewest.
const DIGITS: std::ops::RangeInclusive<u32> = 3..=8;

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

/// How many digits the next number may have: first as many as there can be, and fewer where the highest of
/// so many is in use.
pub fn lengths() -> impl Iterator<Item = u32> {
    DIGITS.rev()
}

/// The number after the highest one of so many digits or fewer; none where it would have more.
pub fn next_number(highest: Option<i64>, digits: u32) -> Option<i64> {
    let next = highest.map_or(FIRST, |highest| (highest + 1).max(FIRST));
    (next < 10_i64.pow(digits)).then_some(next)
}

/// That there is no such number for this attribute.
pub fn none_left(attribute: &str) -> Error {
    Error::InvalidValue(format!(
        "There is no number left to give as {attribute}: 99999999 and the highest ones of fewer digits are in use. Name one."
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
        for (highest, digits, next) in [
            (None, 8, Some(100)),
            (Some(20), 8, Some(100)),
            (Some(100), 8, Some(101)),
            (Some(99_999_999), 8, None),
            (Some(101), 7, Some(102)),
            (Some(999), 3, None),
        ] {
            assert_eq!(next_number(highest, digits), next, "{highest:?} {digits}");
        }
        assert_eq!(lengths().collect::<Vec<_>>(), [8, 7, 6, 5, 4, 3]);
    }
}
