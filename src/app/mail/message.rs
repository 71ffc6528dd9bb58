//! A letter as the bytes that a mail server takes (RFC 5322, RFC 2045).

use lettre::Address;
use lettre::message::header::{Date, Header as _, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, Message, MultiPart, SinglePart};

use crate::clock::Micros;
use crate::domain::brand::Logo;
use crate::domain::letter::Rendered;
use crate::domain::plain;

/// Who a mail is from and to, and what makes it this one.
#[derive(Debug, Clone)]
pub(super) struct Envelope {
    /// Who it is from.
    pub(super) from: Mailbox,
    /// Who it is to.
    pub(super) to: Address,
    /// The name of who it is to, as somebody wrote it.
    pub(super) name: String,
    /// The Message-ID, with its angle brackets.
    pub(super) message_id: String,
    /// When the letter was written.
    pub(super) date: Micros,
}

/// The mail. The error is a sentence for administrators.
pub(super) fn build(
    envelope: &Envelope,
    letter: Rendered,
    logo: Option<&Logo>,
) -> Result<Vec<u8>, String> {
    let broken =
        |error: &dyn std::fmt::Display| format!("the mail cannot be put together: {error}");
    let name = plain::name(&envelope.name, 80);
    let html = SinglePart::html(letter.html);
    let shown = match logo {
        None => {
            MultiPart::alternative().singlepart(SinglePart::plain(letter.text)).singlepart(html)
        }
        Some(logo) => {
            let kind = logo.format.media_type().parse().map_err(|error| broken(&error))?;
            let picture = Attachment::new_inline("logo".to_owned()).body(logo.bytes.clone(), kind);
            let related = MultiPart::related().singlepart(html).singlepart(picture);
            MultiPart::alternative().singlepart(SinglePart::plain(letter.text)).multipart(related)
        }
    };
    // Names, addresses and the brand hold no line breaks; this is for what nobody thought of.
    let subject: String =
        letter.subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut message = Message::builder()
        .from(envelope.from.clone())
        .to(Mailbox::new(name, envelope.to.clone()))
        .subject(subject)
        .message_id(Some(envelope.message_id.clone()))
        .header(date(envelope.date).ok_or_else(|| broken(&"its date"))?)
        .multipart(shown)
        .map_err(|error| broken(&error))?;
    // RFC 3834 s5: nothing that answers by itself answers.
    for (name, value) in [("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")]
    {
        let name = HeaderName::new_from_ascii_str(name);
        message.headers_mut().insert_raw(HeaderValue::new(name, value.to_owned()));
    }
    Ok(message.formatted())
}

fn date(at: Micros) -> Option<Date> {
    let moment = jiff::Timestamp::from_microsecond(at.0).ok()?;
    Date::parse(&moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
}

#[cfg(test)]
mod tests {
    use mail_parser::{MessageParser, MimeHeaders as _};

    use super::*;
    use crate::domain::brand::Format;

    fn envelope(name: &str) -> Envelope {
        Envelope {
            from: "Usher <no-reply@usher.example>".parse().unwrap(),
            to: "ines@b.example".parse().unwrap(),
            name: name.to_owned(),
            message_id: "<1@usher.example>".to_owned(),
            date: Micros(1_800_000_000_000_000),
        }
    }

    fn letter() -> Rendered {
        Rendered {
            subject: "Activa tu cuenta — Größe".to_owned(),
            text: "Hola\n.\nFin".to_owned(),
            html: "<p>Hola ñ</p>".to_owned(),
        }
    }

    #[test]
    fn a_mail_reads_as_it_was_written() {
        let logo = Logo { format: Format::Png, bytes: vec![0, 255, 13, 10], width: 1, height: 1 };
        let bytes = build(&envelope("Inés Ruiz"), letter(), Some(&logo)).unwrap();
        assert!(bytes.is_ascii(), "not every server takes other bytes");
        let mail = MessageParser::default().parse(&bytes).unwrap();
        assert_eq!(mail.subject(), Some("Activa tu cuenta — Größe"));
        let to = mail.to().unwrap().first().unwrap();
        assert_eq!((to.name(), to.address()), (Some("Inés Ruiz"), Some("ines@b.example")));
        assert_eq!(mail.message_id(), Some("1@usher.example"));
        assert_eq!(mail.date().unwrap().to_rfc3339(), "2027-01-15T08:00:00Z");
        assert_eq!(mail.header_raw("Auto-Submitted").map(str::trim), Some("auto-generated"));
        assert_eq!(mail.body_text(0).unwrap().replace("\r\n", "\n"), "Hola\n.\nFin");
        assert!(mail.body_html(0).unwrap().contains("Hola ñ"));
        let picture = mail.attachment(0).unwrap();
        assert_eq!(
            (picture.content_id(), picture.contents()),
            (Some("logo"), &[0, 255, 13, 10][..])
        );
    }

    #[test]
    fn nobody_adds_a_header() {
        for name in
            ["Ines\r\nBcc: all@evil.example", "Ines\nX: y", "I\u{2028}Bcc: x", "\"\r\n\r\nBody"]
        {
            let hostile = Rendered { subject: format!("Hi {name}"), ..letter() };
            let bytes = build(&envelope(name), hostile, None).unwrap();
            let text = String::from_utf8(bytes).unwrap();
            let head = text.split("\r\n\r\n").next().unwrap();
            let names = head.lines().filter(|line| !line.starts_with([' ', '\t']));
            let names: Vec<_> = names.map(|line| line.split(':').next().unwrap()).collect();
            assert!(!names.contains(&"Bcc") && !names.contains(&"X"), "{head}");
            assert_eq!(names.iter().filter(|name| **name == "Subject").count(), 1, "{head}");
        }
    }
}
