use super::*;
use crate::domain::brand::Logo;
use crate::domain::words;

fn looks() -> Looks {
    let at = |name: &str| format!("/assets/{name}");
    Looks { style: at("1"), color: at("2"), script: at("3"), icon: at("4"), logo: at("5") }
}

/// A page with one of everything, none of whose values has a letter.
fn full(words: &Words) -> Content {
    let field = Field {
        name: "password",
        label: words.get("page.password.new").to_owned(),
        kind: "password",
        value: "1".to_owned(),
        hint: Some(words.fill("page.password.hint", &[("least", "8")])),
        autocomplete: "new-password",
        wrong: true,
        least: 8,
        ..Field::default()
    };
    let choice = Choice {
        name: "account",
        value: "1".to_owned(),
        label: "22".to_owned(),
        detail: "33".to_owned(),
    };
    let form = Form {
        action: "/1".to_owned(),
        hidden: vec![("token", "4".to_owned())],
        fields: vec![field],
        button: words.get("page.reset.button").to_owned(),
        ..Form::default()
    };
    Content {
        heading: "activate.heading",
        alert: Some(Alert {
            text: words.get("page.weak.common").to_owned(),
            advice: Some(words.fill("page.weak.advice", &[("least", "8")])),
            strength: Some(1),
        }),
        notice: Some(words.get("page.sign-in.signed-out").to_owned()),
        text: vec![words.fill("page.activate.lead", &[("name", "456")])],
        forms: vec![form.clone(), Form { choices: vec![choice], ..form }],
        links: vec![Link {
            href: "/2".to_owned(),
            label: words.get("page.dead.sign-in").to_owned(),
        }],
    }
}

/// What is read of a page: the text between tags, and what some attributes say.
fn read(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<').skip(1) {
        let (tag, behind) = part.split_once('>').unwrap();
        text.push_str(behind);
        for name in ["alt", "aria-label", "data-show", "data-hide", "data-short", "data-long"] {
            let said = tag.split_once(&format!(" {name}=\"")).map(|(_, rest)| rest);
            text.extend(said.and_then(|rest| rest.split('"').next()));
            text.push(' ');
        }
    }
    text
}

#[test]
fn nothing_is_said_that_is_not_in_the_catalogue() {
    let pseudo = words::all()[0].pseudo();
    let brand = Brand::new(Some("123"), None, None).unwrap();
    let html = render(&full(&pseudo), &pseudo, (&brand, &looks()));
    let said = read(&html).replace("&#38;", "").replace("&#39;", "").replace("&#34;", "");
    let letters: Vec<char> = said.chars().collect();
    assert!(letters.iter().filter(|c| c.is_alphabetic()).count() > 300, "{said}");
    for pair in letters.windows(2) {
        assert!(!pair[0].is_alphabetic() || pair[1] == '\u{301}', "{pair:?} in {said}");
    }
}

#[test]
fn what_others_wrote_is_text_and_nothing_else() {
    let evil = "<img src=x onerror=alert(1)>\"'&";
    let brand = Brand { name: Some(evil.to_owned()), ..Brand::default() };
    let words = &words::all()[0];
    let mut content = full(words);
    content.text = vec![evil.to_owned()];
    content.forms[0].fields[0].value = evil.to_owned();
    content.forms[0].hidden[0].1 = evil.to_owned();
    content.forms[1].choices[0].label = evil.to_owned();
    let html = render(&content, words, (&brand, &looks()));
    assert!(!html.contains("<img") && !html.contains("\"'&\""), "{html}");
    assert!(html.matches("&#60;img src=x onerror=alert(1)&#62;").count() >= 6, "{html}");
}

#[test]
fn every_page_names_its_language_and_asks_nobody_else_for_anything() {
    let png = [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &[0, 0, 1, 0], &[0, 0, 0, 64]].concat();
    let brand = Brand::new(Some("Acme"), None, Some(Logo::of(png).unwrap())).unwrap();
    for words in words::all() {
        let html = render(&full(words), words, (&brand, &looks()));
        assert!(html.contains(&format!("<html lang=\"{}\">", words.tag())));
        assert!(
            html.contains("src=\"/assets/5\" alt=\"Acme\" width=\"192\" height=\"48\""),
            "{html}"
        );
        assert!(html.contains("aria-describedby=\"problem password-hint\""), "{html}");
        assert!(!html.contains("page."), "a key without words in {html}");
        for elsewhere in ["http:", "https:", "//", "style=", "onclick", "javascript:"] {
            assert!(!html.contains(elsewhere), "{elsewhere} in {html}");
        }
    }
}

#[test]
fn the_colour_of_a_tenant_is_a_file_with_what_can_be_read_on_it() {
    let brand = Brand::new(None, Some("#ffdd00"), None).unwrap();
    assert_eq!(color(&brand), ":root{--brand:#ffdd00;--on-brand:#000000}\n");
}

/// The contrast of two colours of the style sheet (WCAG 2.2).
fn contrast(one: &str, other: &str) -> f64 {
    let light = |text: &str| {
        let digits: String = match text.trim_start_matches('#') {
            short if short.len() == 3 => short.chars().flat_map(|c| [c, c]).collect(),
            long => long.to_owned(),
        };
        let part = |at: usize| {
            let share = f64::from(u8::from_str_radix(&digits[at..at + 2], 16).unwrap()) / 255.0;
            if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
    };
    let (one, other) = (light(one), light(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn everything_can_be_read_in_light_and_in_dark() {
    let schemes: Vec<&str> = STYLE.split(":root {").skip(1).collect();
    assert_eq!(schemes.len(), 2);
    for scheme in schemes {
        let of = |name: &str| {
            let found = scheme.split_once(&format!("--{name}: ")).unwrap().1;
            found.split_once(';').unwrap().0
        };
        for (text, ground, least) in [
            ("ink", "card", 7.0),
            ("soft", "card", 4.5),
            ("soft", "ground", 4.5),
            ("ink", "ground", 4.5),
            ("link", "card", 4.5),
            ("bad", "bad-ground", 4.5),
            ("good", "good-ground", 4.5),
            ("edge", "card", 3.0),
        ] {
            let found = contrast(of(text), of(ground));
            assert!(found >= least, "{text} on {ground}: {found} in {scheme}");
        }
    }
}
