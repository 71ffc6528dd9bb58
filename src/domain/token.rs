//! Opaque bearer tokens: `usher_<kind>_<43 base62 digits>_<crc32>`.
//!
//! The digits are 256 random bits. The checksum lets a secret scanner, and us, tell a token from a
//! word without asking the database. Only the SHA-256 of the whole is stored.

use sha2::{Digest, Sha256};

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LENGTH: usize = 43;

/// The token of these random bits, for example of kind `scim`.
pub fn text(kind: &str, random: [u8; 32]) -> String {
    let body = format!("usher_{kind}_{}", base62(random));
    let sum = crc32fast::hash(body.as_bytes());
    format!("{body}_{sum:08x}")
}

/// What is stored and looked up: SHA-256 in hexadecimal.
pub fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// Whether this has the shape and the checksum of a token; anything else need not be looked up.
pub fn is_well_formed(token: &str) -> bool {
    let Some((body, sum)) = token.rsplit_once('_') else { return false };
    let mut parts = body.split('_');
    parts.next() == Some("usher")
        && parts.next().is_some_and(|kind| !kind.is_empty())
        && parts.next().is_some_and(|digits| {
            digits.len() == LENGTH && digits.bytes().all(|digit| digit.is_ascii_alphanumeric())
        })
        && parts.next().is_none()
        && is_sum(sum, crc32fast::hash(body.as_bytes()))
}

/// Whether the text is this number as [`text`] writes it.
fn is_sum(text: &str, sum: u32) -> bool {
    let is_digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    text.len() == 8
        && text.bytes().all(is_digit)
        && u32::from_str_radix(text, 16).is_ok_and(|written| written == sum)
}

/// The 256 bits of a well-formed token of this kind.
pub fn bits(kind: &str, token: &str) -> Option<[u8; 32]> {
    if !is_well_formed(token) {
        return None;
    }
    let digits = token.strip_prefix("usher_")?.strip_prefix(kind)?.strip_prefix('_')?;
    let mut number = [0_u8; 32];
    for digit in digits.bytes().take(LENGTH) {
        let mut carry = DIGITS.iter().position(|known| *known == digit)?;
        for byte in number.iter_mut().rev() {
            let value = usize::from(*byte) * 62 + carry;
            *byte = u8::try_from(value & 0xff).ok()?;
            carry = value >> 8;
        }
        // More than 256 bits are nobody's token.
        if carry > 0 {
            return None;
        }
    }
    Some(number)
}

/// 256 bits as 43 digits, by long division; 62^43 is just above 2^256.
fn base62(mut number: [u8; 32]) -> String {
    let mut digits = [b'0'; LENGTH];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0_u32;
        for byte in &mut number {
            let value = rest << 8 | u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            rest = value % 62;
        }
        *digit = DIGITS[rest as usize];
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_43_digits_and_a_checksum() {
        for random in [[0; 32], [255; 32], [7; 32]] {
            let token = text("scim", random);
            assert_eq!(token.split('_').nth(2).map(str::len), Some(43), "{token}");
            assert!(is_well_formed(&token), "{token}");
        }
        assert_ne!(text("scim", [1; 32]), text("scim", [2; 32]));
    }

    #[test]
    fn the_bits_of_a_token_are_read_back_from_one_of_their_kind() {
        let mut mixed = [0; 32];
        (0..32).for_each(|place| mixed[place] = u8::try_from(place * 7).unwrap());
        for random in [[0; 32], [255; 32], mixed] {
            let token = text("refresh", random);
            assert_eq!(bits("refresh", &token), Some(random));
            assert_eq!(bits("scim", &token), None);
        }
        let body = format!("usher_refresh_{}", "z".repeat(LENGTH));
        let above = format!("{body}_{:08x}", crc32fast::hash(body.as_bytes()));
        assert!(is_well_formed(&above));
        assert_eq!(bits("refresh", &above), None);
    }

    #[test]
    fn one_changed_character_is_noticed() {
        let token = text("scim", [9; 32]);
        let changed = token.replacen("scim", "scin", 1);
        assert!(!is_well_formed(&changed));
        let (body, sum) = token.rsplit_once('_').unwrap();
        let others = [format!("0{sum}"), format!("+{}", &sum[1..]), sum[1..].to_owned()];
        for sum in others.into_iter().chain([sum.to_uppercase()]) {
            assert!(!is_well_formed(&format!("{body}_{sum}")), "{sum}");
        }
        for text in ["", "usher", "usher_scim__", "usher_scim_abc_00000000", "x_y_z_w", "____"] {
            assert!(!is_well_formed(text), "{text}");
        }
    }
}
