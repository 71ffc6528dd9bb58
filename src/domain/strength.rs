//! Whether a password that a person or an administrator chose is good enough (NIST SP 800-63B s5.1.1.2:
//! length and lists, no rules about kinds of characters), and passwords that are made.

use crate::domain::password;
use crate::scim::fold;

/// The least score that is taken, of 0 to 4: 10^8 guesses and more.
const GOOD: u8 = 3;
/// Characters that are looked at: the work grows faster than the text.
const LOOKED_AT: usize = 100;
/// Own words shorter than this are in too many passwords.
const SHORTEST_WORD: usize = 4;
/// Characters that a password must have beside somebody's own words.
const BESIDE: usize = 8;

/// Beginnings and wholes that everybody tries first and that lists of English words do not know; what
/// such lists know is found by the score.
const COMMON: &[&str] = &[
    "password",
    "passwort",
    "passw0rd",
    "p@ssw0rd",
    "pa$$word",
    "contrasena",
    "contraseña",
    "clave",
    "motdepasse",
    "senha",
    "welcome",
    "willkommen",
    "bienvenido",
    "bienvenue",
    "letmein",
    "changeme",
    "changeit",
    "temporary",
    "temporal",
    "default",
    "secret",
    "secreto",
    "qwerty",
    "qwertz",
    "azerty",
    "asdfgh",
    "1q2w3e4r",
    "1qaz2wsx",
    "zaq12wsx",
    "abc123",
    "abcd1234",
    "iloveyou",
    "teamo",
    "monkey",
    "dragon",
    "football",
    "futbol",
    "baseball",
    "sunshine",
    "princess",
    "princesa",
    "superman",
    "admin",
    "administrator",
    "administrador",
    "operator",
    "supervisor",
    "manager",
    "callcenter",
    "callcentre",
    "contactcenter",
    "contactcentre",
    "agent",
    "telephone",
    "telefono",
    "headset",
    "customer",
    "support",
    "service",
    "company",
    "empresa",
    "usher",
    "login",
    "access",
    "master",
    "spring",
    "summer",
    "autumn",
    "winter",
    "primavera",
    "verano",
    "otono",
    "otoño",
    "invierno",
    "monday",
    "january",
    "december",
    "enero",
    "diciembre",
    "starwars",
    "trustno1",
    "whatever",
];

/// Why a password is not good enough.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Too short, too long, or with characters that cannot be typed.
    #[error("{0}")]
    Unfit(String),
    /// Among those that everybody tries first.
    #[error("This password is one of those that are guessed first. Choose another one.")]
    Common,
    /// Made of what others know of the person.
    #[error(
        "The password is made of your name, your address, your number or your company's name. \
             Choose one that has nothing to do with you."
    )]
    Own,
    /// Guessed too soon for another reason.
    #[error(
        "This password is too easy to guess. Several words that do not belong together are hard to \
             guess and easy to remember."
    )]
    Guessable,
}

impl Weak {
    /// The word for programs and for catalogues of texts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unfit(_) => "passwordUnfit",
            Self::Common => "passwordCommon",
            Self::Own => "passwordOwn",
            Self::Guessable => "passwordGuessable",
        }
    }
}

/// A password that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct TooWeak {
    /// Why.
    pub why: Weak,
    /// How hard it is to guess, 0 to 4.
    pub strength: u8,
    /// Characters that one has at least that is taken.
    pub shortest: usize,
}

/// What is to be said of a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// How hard it is to guess, 0 to 4.
    pub strength: u8,
    /// Why it is not taken; none where it is.
    pub weak: Option<Weak>,
}

/// Judges a password as it was typed. `own` is what others know of the person: names, addresses,
/// numbers, the names of tenant and brand. It takes milliseconds.
pub fn judge(typed: &str, shortest: usize, own: &[String]) -> Judgement {
    let prepared = match password::prepare(typed, shortest) {
        Ok(prepared) => prepared,
        Err(error) => {
            let reason = error.to_string();
            let reason = reason
                .strip_prefix("password ")
                .map_or(reason.clone(), |rest| format!("The password {rest}"));
            return Judgement { strength: 0, weak: Some(Weak::Unfit(reason)) };
        }
    };
    let words = words(own);
    let folded = fold::folded(&prepared);
    let looked_at: String = prepared.chars().take(LOOKED_AT).collect();
    let inputs: Vec<&str> = words.iter().map(String::as_str).collect();
    let score: u8 = zxcvbn::zxcvbn(&looked_at, &inputs).score().into();
    let weak = if is_common(&folded) {
        Some(Weak::Common)
    } else if is_own(&folded, &words) {
        Some(Weak::Own)
    } else if score < GOOD {
        Some(Weak::Guessable)
    } else {
        None
    };
    let strength = if weak.is_some() { score.min(GOOD - 1) } else { score };
    Judgement { strength, weak }
}

/// Whether it is a common one, with or without digits and signs behind.
fn is_common(folded: &str) -> bool {
    let trimmed = folded.trim_end_matches(|c: char| !c.is_alphabetic());
    [folded, trimmed].iter().any(|form| COMMON.contains(form))
}

/// Whether little is left of it without somebody's own words, whatever stands between their letters.
fn is_own(folded: &str, words: &[String]) -> bool {
    let letters: String = folded.chars().filter(|c| c.is_alphanumeric()).collect();
    let rest = words.iter().fold(letters.clone(), |rest, word| rest.replace(word.as_str(), ""));
    rest != letters && rest.chars().count() < BESIDE
}

/// The words that own data consist of, the longest first: names and their parts, the address without and
/// with its host, digits of numbers.
fn words(own: &[String]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for text in own {
        let folded = fold::folded(text);
        words.extend(folded.split(|c: char| !c.is_alphanumeric()).map(str::to_owned));
        words.extend(folded.split('@').next().map(str::to_owned));
        words.push(folded.chars().filter(char::is_ascii_digit).collect());
        words.push(folded.chars().filter(|c| c.is_alphanumeric()).collect());
        words.push(folded);
    }
    words.retain(|word| word.chars().count() >= SHORTEST_WORD);
    words.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    words.dedup();
    words.truncate(100);
    words
}

/// Letters and digits that nobody takes for another one.
const READABLE: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// A password of these random bytes: 20 letters and digits in groups of five, about 99 bits. Bytes that
/// would make some letters likelier are left out; none where too few are left.
pub fn made_of(random: &[u8]) -> Option<String> {
    let size = READABLE.len();
    let usable = random.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < size * 8);
    let chosen: Vec<char> = usable.take(20).map(|byte| char::from(READABLE[byte % size])).collect();
    let groups: Vec<String> = chosen.chunks(5).map(|group| group.iter().collect()).collect();
    (chosen.len() == 20).then(|| groups.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weak(password: &str) -> Option<Weak> {
        let own = ["Anna Schmidt", "anna.schmidt@example.org", "+49 151 2345678", "acme-telecom"];
        judge(password, 8, &own.map(str::to_owned)).weak
    }

    #[test]
    fn what_everybody_tries_and_what_others_know_is_refused() {
        for common in ["Password1", "Welcome2026!", "callcenter123", "Contraseña1", "Bienvenido!"]
        {
            assert_eq!(weak(common), Some(Weak::Common), "{common}");
        }
        for own in ["annaschmidt", "Schmidt2026!", "anna.schmidt", "4915123456 78", "acme-telecom1"]
        {
            assert!(matches!(weak(own), Some(Weak::Own | Weak::Guessable)), "{own}");
        }
        assert_eq!(weak("Schmidt-2026"), Some(Weak::Own));
        for easy in ["aaaaaaaaaaaa", "abcdefgh1234", "qwertyuiop12", "20261127", "michael1990"] {
            assert_eq!(weak(easy), Some(Weak::Guessable), "{easy}");
        }
        assert!(matches!(weak("short"), Some(Weak::Unfit(text)) if text.contains("at least 8")));
        assert!(matches!(weak(&"x".repeat(1025)), Some(Weak::Unfit(_))));
    }

    #[test]
    fn length_counts_and_kinds_of_characters_do_not() {
        for good in ["correct horse battery staple", "lachs tinte gabel orbit", "kfuzwqhpxmbe"] {
            assert_eq!(weak(good), None, "{good}");
        }
        assert_eq!(weak("anna likes purple elephants in the rain"), None);
        let long = "correct horse battery staple ".repeat(30);
        assert!(judge(&long, 8, &[]).weak.is_none());
        assert_eq!(judge("Password1", 8, &[]).strength.max(2), 2, "refused is never strong");
    }

    #[test]
    fn made_passwords_are_readable_and_good() {
        let random: Vec<u8> = (0..=255).rev().collect();
        let made = made_of(&random).unwrap();
        assert_eq!(made.len(), 23, "{made}");
        assert!(!made.contains(['0', 'o', '1', 'l', 'i']), "{made}");
        assert_eq!(made_of(&[255; 64]), None);
        assert_eq!(
            weak(
                &made_of(&[
                    7, 90, 33, 1, 200, 120, 9, 77, 54, 31, 2, 66, 99, 140, 18, 201, 5, 83, 45, 61
                ])
                .unwrap()
            ),
            None
        );
    }
}
