//! Words of a tenant's own for its letters: a subject and the text before the button. The link, its end
//! and the footer are never the tenant's.

use crate::domain::plain;
use crate::domain::words;

/// What a template may be called when nothing else is said.
pub const LONGEST_NAME: usize = 64;
/// Longest subject, in characters.
pub const LONGEST_SUBJECT: usize = 120;
/// Longest text, in characters.
pub const LONGEST_INTRO: usize = 1_000;
/// What is filled in: the person's name, the tenant's, and that of who invites.
pub const PLACEHOLDERS: [&str; 3] = ["name", "brand", "inviter"];

/// A template in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its name, the same in all languages: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// The language (BCP 47), such as `en` or `es-MX`, as it is written canonically.
    pub locale: String,
    /// The subject, with placeholders.
    pub subject: String,
    /// The text before the button, with placeholders; paragraphs are separated by empty lines.
    pub intro: String,
}

impl Template {
    /// The template of these texts. The error is a sentence that says what may be written.
    pub fn new(name: &str, locale: &str, subject: &str, intro: &str) -> Result<Self, String> {
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(fine) {
            return Err(format!(
                "The name of a template is letters, digits, '-', '_' and '.', at most {LONGEST_NAME}."
            ));
        }
        let tag = oxilangtag::LanguageTag::parse_and_normalize(locale).map_err(|_| {
            "The locale of a template is a language tag, such as en or es-MX.".to_owned()
        })?;
        let subject = subject.trim();
        check("subject", subject, LONGEST_SUBJECT)?;
        let intro = intro.replace("\r\n", "\n");
        let intro = intro.trim();
        if intro.chars().count() > LONGEST_INTRO {
            return Err(format!("intro is longer than {LONGEST_INTRO} characters."));
        }
        // Looked at as one line too, so that nothing is put together over an end of line.
        for text in
            intro.lines().filter(|line| !line.trim().is_empty()).chain([&*intro.replace('\n', " ")])
        {
            check("intro", text, LONGEST_INTRO)?;
        }
        Ok(Self {
            name: name.to_owned(),
            locale: tag.into_inner(),
            subject: subject.to_owned(),
            intro: intro.to_owned(),
        })
    }
}

/// The template that fits a language best: the same tag, the same language, English; else none.
pub fn choose<'t>(all: &'t [Template], locale: Option<&str>) -> Option<&'t Template> {
    let wanted = locale.unwrap_or("en").replace('_', "-");
    let language = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let exact = all.iter().find(|template| template.locale.eq_ignore_ascii_case(&wanted));
    let alike =
        |wanted: &str| all.iter().find(|template| language(&template.locale) == language(wanted));
    exact.or_else(|| alike(&wanted)).or_else(|| alike("en"))
}

fn check(what: &str, text: &str, most: usize) -> Result<(), String> {
    let names = words::placeholders(text).map_err(|_| {
        format!("{what} has a brace that belongs to no placeholder; known are {}.", known())
    })?;
    if let Some(unknown) = names.iter().find(|name| !PLACEHOLDERS.contains(name)) {
        let unknown = unknown.chars().take(40).collect::<String>();
        return Err(format!(
            "{what} has the unknown placeholder {{{unknown}}}; known are {}.",
            known()
        ));
    }
    // What is filled in may be a word, so that it must not stand for a part of an address either.
    let filled = words::fill(text, &PLACEHOLDERS.map(|name| (name, "Name")));
    plain::check(what, &filled, most)
}

fn known() -> String {
    PLACEHOLDERS.map(|name| format!("{{{name}}}")).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(subject: &str, intro: &str) -> Result<Template, String> {
        Template::new("welcome", "EN-gb", subject, intro)
    }

    #[test]
    fn a_template_is_plain_text_with_known_placeholders() {
        let template = made("Welcome to {brand}", "Hello {name}.\r\n\r\n{inviter} waits.").unwrap();
        assert_eq!(template.locale, "en-GB");
        assert_eq!(template.intro, "Hello {name}.\n\n{inviter} waits.");
        for (subject, intro, said) in [
            ("Hi {link}", "x", "{link}"),
            ("Hi {", "x", "brace"),
            ("", "x", "subject is empty"),
            ("x", " ", "intro is empty"),
            ("x\ny", "x", "line breaks"),
            ("x", "Go to evil.example", "full stop"),
            ("x", "Go to {brand}.example", "full stop"),
            ("x", "https://{brand}", "//"),
            ("x", "call 0800\n123456", "digits"),
            ("x", &"a".repeat(1_001), "longer"),
        ] {
            let refusal = made(subject, intro).unwrap_err();
            assert!(refusal.contains(said), "{refusal}");
        }
        assert!(Template::new("a b", "en", "x", "x").is_err());
        assert!(Template::new("a", "not a tag", "x", "x").unwrap_err().contains("locale"));
    }

    #[test]
    fn the_nearest_language_is_chosen() {
        let of = |locale: &str| Template::new("w", locale, "x", "x").unwrap();
        let all = [of("en"), of("es"), of("es-MX")];
        for (wanted, found) in
            [("es-mx", "es-MX"), ("es-AR", "es"), ("es_MX", "es-MX"), ("fr", "en"), ("en-GB", "en")]
        {
            assert_eq!(choose(&all, Some(wanted)).unwrap().locale, found, "{wanted}");
        }
        assert_eq!(choose(&all, None).unwrap().locale, "en");
        assert_eq!(choose(&all[1..], Some("fr")), None);
    }
}
