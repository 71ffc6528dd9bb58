//! What a password must be before it is hashed.

use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::UnicodeNormalization;

use crate::scim::Error;

/// Longest password, in characters; hashing a novel helps nobody (NIST SP 800-63B asks for 64 at least).
pub const LONGEST: usize = 1024;

/// The prepared form of a password (RFC 8265 s4.2): other spaces become U+0020, NFC, no control
/// characters; case stays.
///
/// A password that a client sends is checked for its length alone, in characters.
pub fn prepare(password: &str, shortest: usize) -> Result<String, Error> {
    let spaced = password.chars().map(|c| {
        let is_space = get_general_category(c) == GeneralCategory::SpaceSeparator;
        if is_space { ' ' } else { c }
    });
    let prepared: String = spaced.nfc().collect();
    if prepared.chars().any(is_unreliable) {
        return Err(Error::InvalidValue(
            "password holds characters that nobody can type reliably, such as control characters."
                .to_owned(),
        ));
    }
    let length = prepared.chars().count();
    if length < shortest {
        return Err(Error::InvalidValue(format!(
            "password must be at least {shortest} characters."
        )));
    }
    if length > LONGEST {
        return Err(Error::InvalidValue(format!("password must be at most {LONGEST} characters.")));
    }
    if prepared.is_empty() {
        return Err(Error::InvalidValue("password must not be empty.".to_owned()));
    }
    Ok(prepared)
}

/// Control characters and code points without a meaning (RFC 8264 s4.3.2).
fn is_unreliable(c: char) -> bool {
    matches!(
        get_general_category(c),
        GeneralCategory::Control | GeneralCategory::Unassigned | GeneralCategory::PrivateUse
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves SCIM-469, SCIM-498, SCIM-499.
    #[test]
    fn passwords_are_prepared_and_measured_in_characters() {
        assert_eq!(prepare("cafe\u{301} au lait", 8).unwrap(), "caf\u{e9} au lait");
        assert_eq!(prepare("no\u{a0}break", 8).unwrap(), "no break");
        assert_eq!(prepare(&"🎧".repeat(64), 8).unwrap().chars().count(), 64);
        // Letters younger than the tables of many libraries, and an emoji of several code points.
        assert!(
            prepare("\u{1e900}\u{20bf}\u{1f916}\u{1f468}\u{200d}\u{1f4bb}\u{2764}\u{fe0f}", 8)
                .is_ok()
        );
        assert!(prepare("seven77", 8).is_err());
        assert!(prepare("bell\u{7}bell", 8).is_err());
        assert!(prepare(&"x".repeat(LONGEST + 1), 8).is_err());
        assert!(prepare("", 0).is_err());
    }
}
