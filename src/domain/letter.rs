//! The letters that Usher sends: subject, text and HTML, in the person's language and the tenant's brand.
//!
//! What a tenant or a client wrote is text here and nothing else: the only link is Usher's.

use askama::Template as _;

use crate::clock::Micros;
use crate::domain::brand::{Brand, Logo};
use crate::domain::plain;
use crate::domain::template::Template;
use crate::domain::words::{self, Words};

/// Longest name of a person in a letter, in characters.
const LONGEST_NAME: usize = 80;
/// Longest line of a list, in characters.
const LONGEST_LINE: usize = 200;
/// Longest subject, in characters.
const LONGEST_SUBJECT: usize = 200;
/// Pixels that a logo has at most, from left to right and from top to bottom.
const LOGO_ROOM: (u32, u32) = (240, 48);

/// What a letter is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LetterKind {
    /// Somebody is to activate an account.
    Invitation,
    /// Somebody may set a new password.
    Reset,
    /// To administrators: changes that did not go as they were asked for.
    Digest,
    /// To administrators: somebody else has got an administrative role.
    AdministratorGained,
}

impl LetterKind {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Invitation, Self::Reset, Self::Digest, Self::AdministratorGained];

    /// The word in the database, in `/admin/mails` and in the catalogue's keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Reset => "reset",
            Self::Digest => "digest",
            Self::AdministratorGained => "administrator",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What stands in a letter.
#[derive(Debug, Clone, Copy)]
pub struct Content<'c> {
    /// What it is for.
    pub kind: LetterKind,
    /// The catalogue of the person's language.
    pub words: &'c Words,
    /// How the tenant shows itself.
    pub brand: &'c Brand,
    /// Words of the tenant's own.
    pub template: Option<&'c Template>,
    /// The person's name, as somebody wrote it.
    pub name: &'c str,
    /// The name of who invites, as somebody wrote it.
    pub inviter: &'c str,
    /// What the button leads to.
    pub link: Option<Link<'c>>,
    /// A list, one line each.
    pub lines: &'c [String],
}

/// What the button of a letter leads to.
#[derive(Debug, Clone, Copy)]
pub struct Link<'c> {
    /// The whole URL.
    pub url: &'c str,
    /// When it ends.
    pub until: Micros,
    /// How many hours it is good for, from when it was made.
    pub hours: i64,
}

/// A letter that is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The subject, on one line.
    pub subject: String,
    /// The letter as text.
    pub text: String,
    /// The letter as HTML. Where the brand has a logo, it is shown from `cid:logo`.
    pub html: String,
}

#[derive(askama::Template)]
#[template(path = "domain/letter/letter.html")]
struct Page<'p> {
    lang: &'p str,
    subject: &'p str,
    brand: &'p str,
    color: &'p str,
    on_color: &'p str,
    logo: Option<(u32, u32)>,
    greeting: &'p str,
    intro: &'p [String],
    lines: &'p [String],
    button: Option<Button<'p>>,
    unasked: &'p str,
    footer: &'p str,
}

struct Button<'p> {
    url: &'p str,
    label: &'p str,
    hint: &'p str,
    until: String,
}

/// The letter. It does not fail: what cannot be shown is left out.
pub fn render(content: &Content<'_>) -> Rendered {
    let (words, kind) = (content.words, content.kind.name());
    let brand = content.brand.name.as_deref().unwrap_or_else(|| words.get("letter.brand"));
    let name = plain::name(content.name, LONGEST_NAME);
    let inviter = plain::name(content.inviter, LONGEST_NAME);
    let (subject, intro) = opening(content, brand, name.as_deref(), inviter.as_deref());
    let greeting = match &name {
        Some(name) => words.fill("letter.greeting", &[("name", name)]),
        None => words.get("letter.greeting-unknown").to_owned(),
    };
    let label = format!("letter.{kind}.button");
    let button = content.link.map(|link| Button {
        url: link.url,
        label: words.get(&label),
        hint: words.get("letter.link"),
        until: words.fill(
            "letter.until",
            &[("until", &minute(link.until)), ("hours", &link.hours.to_string())],
        ),
    });
    let lines: Vec<String> = content.lines.iter().map(|text| line(text)).collect();
    let unasked = words.get(&format!("letter.{kind}.unasked")).to_owned();
    let page = Page {
        lang: words.tag(),
        subject: &subject,
        brand,
        color: content.brand.color(),
        on_color: content.brand.color_on_button(),
        logo: content.brand.logo.as_ref().map(shown),
        greeting: &greeting,
        intro: &intro,
        lines: &lines,
        button,
        unasked: &unasked,
        footer: &words.fill("letter.footer", &[("brand", brand)]),
    };
    // Writing to a string cannot fail.
    Rendered { text: text(&page), html: page.render().unwrap_or_default(), subject }
}

/// The subject and the paragraphs before the button.
fn opening(
    content: &Content<'_>,
    brand: &str,
    name: Option<&str>,
    inviter: Option<&str>,
) -> (String, Vec<String>) {
    let (words, kind) = (content.words, content.kind.name());
    let values = [
        ("brand", brand),
        ("name", name.unwrap_or_default()),
        ("inviter", inviter.unwrap_or(brand)),
    ];
    let own = content.template.map(|own| (own.subject.as_str(), own.intro.as_str()));
    let subject = words.get(&format!("letter.{kind}.subject")).to_owned();
    let intro_key = match (content.kind, inviter) {
        (LetterKind::Invitation, Some(_)) => format!("letter.{kind}.intro-inviter"),
        (_, _) => format!("letter.{kind}.intro"),
    };
    let intro = words.get(&intro_key).to_owned();
    let (subject, intro) = own.unwrap_or((&subject, &intro));
    let subject = words::fill(subject, &values).chars().take(LONGEST_SUBJECT).collect();
    let paragraphs = intro.split("\n\n").map(|part| words::fill(part.trim(), &values));
    (subject, paragraphs.filter(|part| !part.is_empty()).collect())
}

/// The same as text, for whoever reads no HTML.
fn text(page: &Page<'_>) -> String {
    let mut parts = vec![page.greeting.to_owned()];
    parts.extend(page.intro.iter().cloned());
    if !page.lines.is_empty() {
        let lines = page.lines.iter().map(|line| format!("- {line}"));
        parts.push(lines.collect::<Vec<_>>().join("\n"));
    }
    if let Some(button) = &page.button {
        parts.push(format!("{}:\n{}", button.label, button.url));
        parts.push(button.until.clone());
    }
    parts.push(page.unasked.to_owned());
    parts.push(format!("-- \n{}", page.footer));
    parts.join("\n\n") + "\n"
}

fn line(text: &str) -> String {
    let one: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    one.trim().chars().take(LONGEST_LINE).collect()
}

/// `2026-11-29 18:00`
fn minute(at: Micros) -> String {
    let text = at.rfc3339();
    text.get(..16).unwrap_or(&text).replace('T', " ")
}

/// How large a logo is shown.
pub(in crate::domain) fn shown(logo: &Logo) -> (u32, u32) {
    let (width, height) = (u64::from(logo.width.max(1)), u64::from(logo.height.max(1)));
    let (most_wide, most_high) = (u64::from(LOGO_ROOM.0), u64::from(LOGO_ROOM.1));
    let fitted = if width * most_high > height * most_wide {
        let wide = width.min(most_wide);
        (wide, (height * wide / width).max(1))
    } else {
        let high = height.min(most_high);
        ((width * high / height).max(1), high)
    };
    (u32::try_from(fitted.0).unwrap_or(1), u32::try_from(fitted.1).unwrap_or(1))
}

#[cfg(test)]
mod tests;
