//! The words that people read, in their languages: one file a language below `words/`, and one row here.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Every language: its tag (BCP 47) and its file. The first one is what people get whose language is not
/// there, and what the others are compared with.
const LANGUAGES: &[(&str, &str)] =
    &[("en", include_str!("words/en.toml")), ("es", include_str!("words/es.toml"))];

/// Languages of a wish that are looked at.
const MOST_WISHES: usize = 20;

static ALL: LazyLock<Vec<Words>> = LazyLock::new(|| {
    LANGUAGES.iter().map(|(tag, text)| Words { tag, texts: texts(text) }).collect()
});

/// The texts of one language by their keys, such as `letter.invitation.subject`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    tag: &'static str,
    texts: BTreeMap<String, String>,
}

impl Words {
    /// The language's tag (BCP 47), for `lang` and `Content-Language`.
    pub fn tag(&self) -> &'static str {
        self.tag
    }

    /// The text of this key, without anything filled in. A key that is not there shows itself.
    pub fn get<'t>(&'t self, key: &'t str) -> &'t str {
        self.texts.get(key).map_or(key, String::as_str)
    }

    /// The text of this key with its placeholders filled: `{name}` from `("name", …)`. What is filled in
    /// is taken as it is, braces too.
    pub fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        fill(self.get(key), values)
    }

    /// All keys, in their order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }

    /// These words with an accent on every letter outside of placeholders, for tests: a text of which a
    /// plain letter is left does not come from the catalogue.
    #[must_use]
    pub fn pseudo(&self) -> Self {
        let accented = self.texts.iter().map(|(key, text)| (key.clone(), accented(text)));
        Self { tag: self.tag, texts: accented.collect() }
    }
}

/// Every language there is; English is the first.
pub fn all() -> &'static [Words] {
    &ALL
}

/// The words for who prefers this language (BCP 47, any case; `es-MX` finds `es`); English for all
/// others.
pub fn choose(locale: Option<&str>) -> &'static Words {
    let wanted = locale.unwrap_or_default().replace('_', "-");
    let wanted = wanted.split('-').next().unwrap_or_default();
    let found = ALL.iter().find(|words| words.tag.eq_ignore_ascii_case(wanted));
    found.unwrap_or(&ALL[0])
}

/// The words of this language (BCP 47, any case), where it is there.
pub fn find(locale: &str) -> Option<&'static Words> {
    let found = choose(Some(locale));
    let wanted = locale.split(['-', '_']).next().unwrap_or_default();
    found.tag.eq_ignore_ascii_case(wanted).then_some(found)
}

/// The words for who sends this `Accept-Language` (RFC 9110 s12.5.4): the language that is there and has
/// the highest weight, of several the first; English where there is none.
pub fn negotiate(wished: &str) -> &'static Words {
    let mut best: Option<(f32, &'static Words)> = None;
    for range in wished.split(',').take(MOST_WISHES) {
        let (tag, weight) = range.split_once(";q=").unwrap_or((range, "1"));
        let weight = weight.trim().parse().unwrap_or(0.0_f32);
        let Some(found) = find(tag.trim()).filter(|_| weight > 0.0) else { continue };
        if best.is_none_or(|(known, _)| weight > known) {
            best = Some((weight, found));
        }
    }
    best.map_or(&ALL[0], |(_, words)| words)
}

/// A text with its placeholders filled; those that nobody fills stay.
pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        filled.push_str(before);
        let known = behind.split_once('}').and_then(|(name, behind)| {
            values.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value, behind))
        });
        if let Some((value, behind)) = known {
            filled.push_str(value);
            rest = behind;
        } else {
            filled.push('{');
            rest = behind;
        }
    }
    filled + rest
}

/// The placeholders of a text, in their order. The error is a brace that belongs to none.
pub fn placeholders(text: &str) -> Result<Vec<&str>, char> {
    let (mut names, mut rest) = (Vec::new(), text);
    while let Some(place) = rest.find(['{', '}']) {
        let (name, behind) =
            rest[place..].strip_prefix('{').and_then(|r| r.split_once('}')).ok_or('}')?;
        if name.is_empty() || name.contains('{') {
            return Err('{');
        }
        names.push(name);
        rest = behind;
    }
    Ok(names)
}

fn texts(file: &str) -> BTreeMap<String, String> {
    let table: toml::Table = file.parse().expect("a test reads every file");
    let mut texts = BTreeMap::new();
    flatten("", &table, &mut texts);
    texts
}

fn flatten(before: &str, table: &toml::Table, texts: &mut BTreeMap<String, String>) {
    for (name, value) in table {
        match value {
            toml::Value::String(text) => {
                texts.insert(format!("{before}{name}"), text.clone());
            }
            toml::Value::Table(table) => flatten(&format!("{before}{name}."), table, texts),
            _ => {}
        }
    }
}

fn accented(text: &str) -> String {
    let mut within = false;
    let mut result = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        within = (within || c == '{') && c != '}';
        result.push(c);
        if !within && c.is_alphabetic() {
            result.push('\u{301}');
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_language_has_the_keys_and_placeholders_of_english() {
        let english = &all()[0];
        assert!(english.keys().count() > 15);
        for words in all() {
            let keys: Vec<&str> = words.keys().collect();
            assert_eq!(keys, english.keys().collect::<Vec<_>>(), "{}", words.tag);
            for key in keys {
                let of = |words: &Words| -> BTreeSet<String> {
                    let names = placeholders(words.get(key)).unwrap();
                    names.into_iter().map(str::to_owned).collect()
                };
                assert_eq!(of(words), of(english), "{} {key}", words.tag);
                assert!(!words.get(key).trim().is_empty(), "{} {key}", words.tag);
            }
        }
    }

    #[test]
    fn a_language_is_found_by_its_tag_and_english_stands_in_for_the_rest() {
        for (wanted, found) in [
            ("es", "es"),
            ("ES-mx", "es"),
            ("es_ES", "es"),
            ("en-GB", "en"),
            ("vi", "en"),
            ("", "en"),
        ] {
            assert_eq!(choose(Some(wanted)).tag(), found, "{wanted}");
        }
        assert_eq!(choose(None).tag(), "en");
    }

    #[test]
    fn a_browser_gets_the_language_that_it_likes_best_of_those_there_are() {
        for (wished, found) in [
            ("es-ES,es;q=0.9,en;q=0.8", "es"),
            ("de-DE,de;q=0.9,es;q=0.4,en;q=0.5", "en"),
            ("fr, es;q=0.2", "es"),
            ("en;q=0, es;q=0.1", "es"),
            ("es;q=nonsense", "en"),
            ("*", "en"),
            ("", "en"),
        ] {
            assert_eq!(negotiate(wished).tag(), found, "{wished}");
        }
        assert_eq!(find("vi"), None);
    }

    #[test]
    fn placeholders_are_filled_once_and_unknown_ones_stay() {
        assert_eq!(fill("{a} {b} {c", &[("a", "{b}"), ("b", "x")]), "{b} x {c");
        assert_eq!(placeholders("{a} and {b}"), Ok(vec!["a", "b"]));
        for wrong in ["{", "}", "{}", "{a", "a}", "{{a}}"] {
            assert!(placeholders(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_pseudo_locale_leaves_no_plain_letter() {
        assert_eq!(accented("Hi {name}!"), "H\u{301}i\u{301} {name}!");
    }
}
