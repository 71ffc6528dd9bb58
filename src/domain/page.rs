//! The pages that people see: what stands on one, in a language and a tenant's brand, as HTML.
//!
//! What a tenant, a client or a person wrote is text here and nothing else. Every text comes from the
//! catalogue ([`words`](crate::domain::words)); who fills a page gives keys and values.

use askama::Template as _;

use crate::domain::brand::Brand;
use crate::domain::letter;
use crate::domain::words::Words;

/// The style sheet of all pages, but for the tenant's colour.
pub const STYLE: &str = include_str!("page/pages.css");
/// What is pleasant and not needed.
pub const SCRIPT: &str = include_str!("page/pages.js");
/// The picture in the browser's tab.
pub const ICON: &str = include_str!("page/icon.svg");

/// Longest name of a person on a page, in characters.
pub const LONGEST_NAME: usize = 80;

/// The URLs of what a page is shown with, all of them of this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looks {
    /// Of [`STYLE`].
    pub style: String,
    /// Of [`color`].
    pub color: String,
    /// Of [`SCRIPT`].
    pub script: String,
    /// Of [`ICON`].
    pub icon: String,
    /// Of the tenant's logo; not used where there is none.
    pub logo: String,
}

/// What stands on a page, from top to bottom.
#[derive(Debug, Clone, Default)]
pub struct Content {
    /// Key of the heading, below `page.`; `{brand}` is filled with the tenant's name.
    pub heading: &'static str,
    /// What went wrong, a sentence, and what would do.
    pub alert: Option<Alert>,
    /// What went well, a sentence.
    pub notice: Option<String>,
    /// Paragraphs.
    pub text: Vec<String>,
    /// Forms.
    pub forms: Vec<Form>,
    /// Where else to go.
    pub links: Vec<Link>,
}

/// What went wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alert {
    /// A sentence.
    pub text: String,
    /// What would do.
    pub advice: Option<String>,
    /// How strong the password was, 0 to 4, where it was one.
    pub strength: Option<u8>,
}

/// Something to fill in and to send.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// Where it is sent to.
    pub action: String,
    /// What is sent unseen: names and values.
    pub hidden: Vec<(&'static str, String)>,
    /// What is filled in.
    pub fields: Vec<Field>,
    /// The label of the button.
    pub button: String,
    /// Whether the button is not what one came for.
    pub quiet: bool,
    /// In place of the one button several: one for each choice.
    pub choices: Vec<Choice>,
}

/// A field of a form.
#[derive(Debug, Clone, Default)]
pub struct Field {
    /// Its name and id.
    pub name: &'static str,
    /// Its label.
    pub label: String,
    /// `text` or `password`.
    pub kind: &'static str,
    /// What stands in it.
    pub value: String,
    /// What is to be known before.
    pub hint: Option<String>,
    /// What browsers fill in.
    pub autocomplete: &'static str,
    /// Whether what the alert says is about it.
    pub wrong: bool,
    /// Whether it is only shown.
    pub fixed: bool,
    /// Characters that are to be typed at least; 0 where there is no such number.
    pub least: usize,
}

/// One of several things to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The name that is sent.
    pub name: &'static str,
    /// The value that is sent.
    pub value: String,
    /// What it is called.
    pub label: String,
    /// What tells it from another one that is called the same.
    pub detail: String,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where to.
    pub href: String,
    /// What it says.
    pub label: String,
}

#[derive(askama::Template)]
#[template(path = "domain/page/page.html")]
struct Page<'p> {
    lang: &'p str,
    title: &'p str,
    looks: &'p Looks,
    logo: Option<Picture<'p>>,
    brand: &'p str,
    heading: &'p str,
    alert: Option<&'p str>,
    advice: Option<&'p str>,
    strength: Option<Strength<'p>>,
    notice: Option<&'p str>,
    text: &'p [String],
    forms: Vec<Shown<'p>>,
    links: &'p [Link],
    show: &'p str,
    hide: &'p str,
    short: &'p str,
    long: &'p str,
}

struct Picture<'p> {
    src: &'p str,
    width: u32,
    height: u32,
}

struct Strength<'p> {
    label: &'p str,
    value: u8,
}

struct Shown<'p> {
    action: &'p str,
    hidden: &'p [(&'static str, String)],
    fields: Vec<ShownField<'p>>,
    button: &'p str,
    quiet: bool,
    choices: &'p [Choice],
}

struct ShownField<'p> {
    name: &'p str,
    label: &'p str,
    kind: &'p str,
    value: &'p str,
    hint: Option<&'p str>,
    autocomplete: &'p str,
    described_by: Option<String>,
    wrong: bool,
    fixed: bool,
    least: usize,
}

/// The tenant's name as sentences have it.
pub fn brand_name<'b>(brand: &'b Brand, words: &'b Words) -> &'b str {
    brand.name.as_deref().unwrap_or_else(|| words.get("letter.brand"))
}

/// The page. It does not fail: what cannot be shown is left out.
pub fn render(content: &Content, words: &Words, (brand, looks): (&Brand, &Looks)) -> String {
    let heading_key = format!("page.{}", content.heading);
    let heading = words.fill(&heading_key, &[("brand", brand_name(brand, words))]);
    let named = brand.name.as_deref();
    let mut title = named.map_or_else(|| heading.clone(), |name| format!("{heading} – {name}"));
    if content.alert.is_some() {
        title = words.fill("page.error.title", &[("title", &title)]);
    }
    let strength = content
        .alert
        .as_ref()
        .and_then(|alert| alert.strength)
        .map(|value| Strength { label: words.get(strength_key(value)), value });
    let logo = brand.logo.as_ref().map(|logo| {
        let (width, height) = letter::shown(logo);
        Picture { src: &looks.logo, width, height }
    });
    let page = Page {
        lang: words.tag(),
        title: &title,
        looks,
        logo,
        brand: named.unwrap_or_default(),
        heading: &heading,
        alert: content.alert.as_ref().map(|alert| alert.text.as_str()),
        advice: content.alert.as_ref().and_then(|alert| alert.advice.as_deref()),
        strength,
        notice: content.notice.as_deref(),
        text: &content.text,
        forms: content.forms.iter().map(shown).collect(),
        links: &content.links,
        show: words.get("page.password.show"),
        hide: words.get("page.password.hide"),
        short: words.get("page.password.short"),
        long: words.get("page.password.long"),
    };
    // Writing to a string cannot fail.
    page.render().unwrap_or_default()
}

fn shown(form: &Form) -> Shown<'_> {
    Shown {
        action: &form.action,
        hidden: &form.hidden,
        fields: form.fields.iter().map(shown_field).collect(),
        button: &form.button,
        quiet: form.quiet,
        choices: &form.choices,
    }
}

fn shown_field(field: &Field) -> ShownField<'_> {
    let problem = field.wrong.then(|| "problem".to_owned());
    let hint = field.hint.as_ref().map(|_| format!("{}-hint", field.name));
    let by: Vec<String> = problem.into_iter().chain(hint).collect();
    ShownField {
        name: field.name,
        label: &field.label,
        kind: field.kind,
        value: &field.value,
        hint: field.hint.as_deref(),
        autocomplete: field.autocomplete,
        described_by: (!by.is_empty()).then(|| by.join(" ")),
        wrong: field.wrong,
        fixed: field.fixed,
        least: field.least,
    }
}

fn strength_key(strength: u8) -> &'static str {
    match strength {
        0 | 1 => "page.strength.weak",
        2 => "page.strength.fair",
        _ => "page.strength.good",
    }
}

/// The style sheet of a tenant's colour: the colour and what can be read on it.
pub fn color(brand: &Brand) -> String {
    format!(":root{{--brand:{};--on-brand:{}}}\n", brand.color(), brand.color_on_button())
}

#[cfg(test)]
mod tests;
