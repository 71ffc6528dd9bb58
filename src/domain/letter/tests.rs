use super::*;
use crate::domain::brand;

const URL: &str = "https://usher.example/activate/secret";

fn brand() -> Brand {
    Brand::new(Some("Acme & Sons"), Some("#ffdd00"), None).unwrap()
}

fn content<'c>(words: &'c Words, brand: &'c Brand) -> Content<'c> {
    Content {
        kind: LetterKind::Invitation,
        words,
        brand,
        template: None,
        name: "Ines Ruiz",
        inviter: "",
        link: Some(Link { url: URL, until: Micros(1_800_000_000_000_000), hours: 48 }),
        lines: &[],
    }
}

/// The same of another kind; those to administrators have no link.
fn of_kind<'c>(kind: LetterKind, words: &'c Words, brand: &'c Brand) -> Content<'c> {
    let content = Content { kind, ..content(words, brand) };
    match kind {
        LetterKind::Invitation | LetterKind::Reset => content,
        LetterKind::Digest | LetterKind::AdministratorGained => Content { link: None, ..content },
    }
}

#[test]
fn a_letter_says_the_same_as_text_and_as_html() {
    let brand = brand();
    for words in words::all() {
        let letter = render(&content(words, &brand));
        assert!(letter.subject.contains("Acme & Sons"), "{}", letter.subject);
        for said in ["Ines Ruiz", URL, "2027-01-15 08:00", "48"] {
            assert!(letter.text.contains(said), "no {said} in {}", letter.text);
            assert!(letter.html.contains(said), "no {said} in {}", letter.html);
        }
        assert!(letter.html.contains("Acme &#38; Sons"), "{}", letter.html);
        assert!(letter.html.contains(&format!("lang=\"{}\"", words.tag())));
        assert!(
            letter.html.contains("background-color:#ffdd00")
                && letter.html.contains("color:#000000")
        );
    }
}

#[test]
fn each_kind_of_letter_has_its_words_in_every_language() {
    let (brand, lines) = (brand(), ["ines: no seat".to_owned()]);
    for words in words::all() {
        for kind in LetterKind::ALL {
            assert_eq!(LetterKind::named(kind.name()), Some(kind));
            let content = Content { lines: &lines, ..of_kind(kind, words, &brand) };
            let letter = render(&content);
            for part in [&letter.subject, &letter.text, &letter.html] {
                assert!(!part.contains("letter."), "a key without words in {part}");
            }
            assert!(letter.text.contains("ines: no seat") && letter.html.contains("ines: no seat"));
        }
    }
}

/// What is not from the catalogue is what was given, and nothing else.
#[test]
fn every_word_of_a_letter_comes_from_the_catalogue() {
    let (pseudo, brand) = (words::all()[0].pseudo(), Brand::new(Some("123"), None, None).unwrap());
    for kind in LetterKind::ALL {
        let given = Content { name: "456", inviter: "789", ..of_kind(kind, &pseudo, &brand) };
        let letter = render(&given);
        let body = letter.html.split("<body").nth(1).unwrap();
        let shown = body.split('>').skip(1).filter_map(|part| part.split('<').next());
        let shown: String = shown.collect::<Vec<_>>().join(" ");
        for text in [letter.subject, letter.text, shown] {
            let text = text.replace(URL, "");
            let plain = text.char_indices().find(|(place, c)| {
                c.is_alphabetic() && !text[place + c.len_utf8()..].starts_with('\u{301}')
            });
            assert_eq!(plain, None, "{text}");
        }
    }
}

#[test]
fn what_people_wrote_is_text_and_leads_nowhere() {
    let brand = brand();
    let words = words::choose(None);
    let given = Content {
        name: "<img src=x onerror=alert(1)>",
        inviter: "Win at evil.example",
        ..content(words, &brand)
    };
    let letter = render(&given);
    assert!(!letter.html.contains("<img") && letter.html.contains("&#60;img src=x"));
    assert!(!letter.text.contains("evil.example") && !letter.html.contains("evil.example"));
    let links = letter.html.matches("href=").count();
    assert_eq!((links, letter.html.matches(&format!("href=\"{URL}\"")).count()), (2, 2));
    let broken = Content { name: "Ines\r\nBcc: all@evil", ..content(words, &brand) };
    let letter = render(&broken);
    assert!(letter.text.starts_with("Hello,\n") && !letter.html.contains("Bcc"));
}

#[test]
fn a_template_of_the_tenant_has_the_subject_and_the_beginning_alone() {
    let own = Template::new(
        "w",
        "en",
        "{name}, come to {brand}",
        "{inviter} asks you in.\n\nBring {inviter}'s <b>mug</b>.",
    );
    let (own, brand, words) = (own.unwrap(), brand(), words::choose(None));
    let given = Content { template: Some(&own), inviter: "Tom", ..content(words, &brand) };
    let letter = render(&given);
    assert_eq!(letter.subject, "Ines Ruiz, come to Acme & Sons");
    assert!(
        letter.text.contains("Tom asks you in.\n\nBring Tom's <b>mug</b>.\n\n"),
        "{}",
        letter.text
    );
    assert!(letter.html.contains("&#60;b&#62;mug"));
    assert!(letter.text.contains(URL) && letter.text.contains("nobody reads"));
}

#[test]
fn a_logo_is_shown_from_within_the_mail_and_small() {
    let mut brand = brand();
    for ((width, height), shown) in [
        ((120, 40), (120, 40)),
        ((960, 96), (240, 24)),
        ((96, 480), (9, 48)),
        ((2000, 1), (240, 1)),
    ] {
        let logo = Logo { format: brand::Format::Png, bytes: vec![1], width, height };
        assert_eq!(super::shown(&logo), shown);
        brand.logo = Some(logo);
    }
    let letter = render(&content(words::choose(None), &brand));
    assert!(letter.html.contains("src=\"cid:logo\"") && !letter.html.contains("src=\"http"));
    assert!(letter.html.contains("alt=\"Acme &#38; Sons\""));
}
