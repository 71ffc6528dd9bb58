//! Text of a tenant that goes into mails: it may be read and must lead nowhere.
//!
//! Mail clients make links of what looks like an address, and of telephone numbers. Whoever may write a
//! brand name could otherwise send people, in Usher's own mails, wherever they like.

use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::UnicodeNormalization;

/// Digits in a row that phones take for a telephone number.
const TELEPHONE: usize = 7;

/// Refuses a text that is empty, longer than so many characters, has characters that cannot be seen, or
/// holds what a mail client would make a link of. The error is a sentence that begins with `what`.
pub fn check(what: &str, text: &str, most: usize) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err(format!("{what} is empty."));
    }
    if text.chars().count() > most {
        return Err(format!("{what} is longer than {most} characters."));
    }
    if text.chars().any(is_hidden) {
        return Err(format!(
            "{what} has control characters, line breaks or characters that cannot be seen."
        ));
    }
    match link_in(text) {
        None => Ok(()),
        Some(kind) => Err(format!(
            "{what} holds {kind}, which mail programs make a link of: write it without; Usher puts the only link into a mail."
        )),
    }
}

/// The name of a person for a mail: on one line, not longer than so many characters; none where it is
/// empty or leads somewhere.
pub fn name(text: &str, most: usize) -> Option<String> {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<&str> = line.split_whitespace().collect();
    let name: String = words.join(" ").chars().filter(|c| !is_hidden(*c)).take(most).collect();
    (!name.trim().is_empty() && link_in(&name).is_none()).then_some(name)
}

/// Controls, and what only changes how the text around it is shown; but for the two joiners, which some
/// scripts cannot be written without.
fn is_hidden(c: char) -> bool {
    !is_joiner(c)
        && matches!(
            get_general_category(c),
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator
                | GeneralCategory::PrivateUse
                | GeneralCategory::Unassigned
                | GeneralCategory::Surrogate
        )
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// What in a text would become a link.
fn link_in(text: &str) -> Option<&'static str> {
    let seen = text.nfkc().filter(|c| !is_joiner(*c));
    let folded: Vec<char> = seen.map(|c| if c == '\u{3002}' { '.' } else { c }).collect();
    let all: String = folded.iter().collect();
    if all.contains('@') {
        return Some("'@', as an e-mail address has it");
    }
    if ["//", "\\\\", "/\\"].iter().any(|slashes| all.contains(slashes)) {
        return Some("'//'");
    }
    if has_scheme(&folded) {
        return Some("a colon right between two words, as an address has it");
    }
    if has_domain(&folded) {
        return Some("a full stop right between two words, as a domain has it");
    }
    has_telephone(&folded).then_some("as many digits as a telephone number has")
}

/// `mailto:x` and its like.
fn has_scheme(text: &[char]) -> bool {
    text.windows(3)
        .any(|three| three[0].is_alphabetic() && three[1] == ':' && !three[2].is_whitespace())
}

/// `a.b`, but not `2.0`.
fn has_domain(text: &[char]) -> bool {
    let stops: Vec<usize> = (1..text.len().saturating_sub(1))
        .filter(|place| {
            let joins = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
            text[*place] == '.' && joins(text[place - 1]) && joins(text[place + 1])
        })
        .collect();
    let of_number =
        |place: &usize| text[place - 1].is_ascii_digit() && text[place + 1].is_ascii_digit();
    !stops.iter().all(of_number) || stops.len() > 1
}

fn has_telephone(text: &[char]) -> bool {
    let mut digits = 0;
    for c in text {
        match c {
            c if c.is_numeric() => digits += 1,
            ' ' | '-' | '(' | ')' | '+' | '/' | '.' | '\u{2010}'..='\u{2015}' => {}
            _ => digits = 0,
        }
        if digits >= TELEPHONE {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_organizations_are_fine() {
        for fine in [
            "Acme",
            "Acme Inc.",
            "St. Gallen & Söhne",
            "株式会社アクメ",
            "Acme: we call",
            "Route 66",
            "Version 2.0",
            "24/7 Support",
            "O'Neil (UK)",
            "Acme 2026",
            "C++ Co",
        ] {
            assert_eq!(check("name", fine, 60), Ok(()), "{fine}");
        }
    }

    #[test]
    fn nothing_that_a_client_would_make_a_link_of_is_taken() {
        for wrong in [
            "acme.com",
            "www.acme.com",
            "https://acme",
            "Go to acme.com/reset now",
            "a@b",
            "me@acme.example",
            "mailto:me",
            "javascript:alert(1)",
            "tel:1",
            "//acme",
            "\\\\acme\\x",
            "10.0.0.1",
            "ａｃｍｅ．ｃｏｍ",
            "acme。com",
            "acme｡com",
            "acme．com",
            "ac\u{200b}me",
            "acme\u{200d}.com",
            "Call +49 (30) 123-4567",
            "0800 1234567",
            "a\nb",
            "a\r\nBcc: x",
            "\u{202e}moc",
            "",
            "   ",
            "xn--e1afmkfd.xn--p1ai",
            "http:acme",
        ] {
            assert!(check("name", wrong, 60).is_err(), "{wrong}");
        }
        assert!(check("name", &"a".repeat(61), 60).unwrap_err().contains("60"));
    }

    #[test]
    fn the_name_of_a_person_is_one_line_or_nothing() {
        assert_eq!(name(" Ines\r\nBcc: x ", 80).as_deref(), Some("Ines Bcc: x"));
        assert_eq!(name("O. Müller-Lüdenscheid", 80).as_deref(), Some("O. Müller-Lüdenscheid"));
        assert_eq!(name("abc", 2).as_deref(), Some("ab"));
        for nothing in ["", " \n", "http://evil.example", "win at evil.example", "\u{200b}"] {
            assert_eq!(name(nothing, 80), None, "{nothing}");
        }
    }
}
