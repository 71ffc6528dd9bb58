//! The `Prefer` header (RFC 7240): what a client would like, and need not get.

use std::time::Duration;

use http::HeaderMap;

use crate::app::Prefer;

/// What a client prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Preferences {
    /// `return=…`
    pub answer: Prefer,
    /// `respond-async`
    pub respond_async: bool,
    /// `wait=…`, in seconds.
    pub wait: Option<Duration>,
}

impl Preferences {
    /// Those of a request; of several of one name the first counts, and unknown ones are ignored.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut found = Self::default();
        let mut answer = None;
        for line in headers.get_all("prefer") {
            let text = String::from_utf8_lossy(line.as_bytes());
            // What follows a semicolon belongs to a preference, and none of ours has any.
            for item in parts(&text, ',').filter_map(|item| parts(item, ';').next()) {
                let (name, value) = item.split_once('=').unwrap_or((item, ""));
                let value = value.trim().trim_matches('"').to_ascii_lowercase();
                match name.trim().to_ascii_lowercase().as_str() {
                    "return" => {
                        answer.get_or_insert(match value.as_str() {
                            "minimal" => Prefer::Minimal,
                            "representation" => Prefer::Representation,
                            _ => Prefer::Unsaid,
                        });
                    }
                    "respond-async" => found.respond_async = true,
                    "wait" => {
                        let seconds = value.parse().ok().map(Duration::from_secs);
                        found.wait = found.wait.or(seconds);
                    }
                    _ => {}
                }
            }
        }
        Self { answer: answer.unwrap_or_default(), ..found }
    }
}

/// The parts of a text between these separators, where they stand outside of quotes (RFC 7240 s2).
fn parts(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |letter: char| {
        if quoted {
            quoted = letter != '"' || escaped;
            escaped = letter == '\\' && !escaped;
            return false;
        }
        quoted = letter == '"';
        letter == separator
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(lines: &[&'static str]) -> (Prefer, bool, Option<u64>) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("prefer", HeaderValue::from_static(line));
        }
        let found = Preferences::of(&headers);
        (found.answer, found.respond_async, found.wait.map(|wait| wait.as_secs()))
    }

    #[test]
    fn preferences_are_read_in_every_form_and_unknown_ones_ignored() {
        let table: [(&[&str], _); 15] = [
            (&[], (Prefer::Unsaid, false, None)),
            (&["return=minimal"], (Prefer::Minimal, false, None)),
            (&["Return = \"Representation\""], (Prefer::Representation, false, None)),
            (&["return=minimal, return=representation"], (Prefer::Minimal, false, None)),
            (&["return=x"], (Prefer::Unsaid, false, None)),
            (&["respond-async"], (Prefer::Unsaid, true, None)),
            (&["Respond-Async, wait=10"], (Prefer::Unsaid, true, Some(10))),
            (
                &["foo; bar", "wait=2", "respond-async, return=minimal"],
                (Prefer::Minimal, true, Some(2)),
            ),
            (&["foo; respond-async"], (Prefer::Unsaid, false, None)),
            (&["foo=1; wait=3, return=minimal; wait=4"], (Prefer::Minimal, false, None)),
            (&["x=\"a, respond-async, b\""], (Prefer::Unsaid, false, None)),
            (&["x=\"a\\\", respond-async\", wait=\"5\""], (Prefer::Unsaid, false, Some(5))),
            (&["x; y=\"; respond-async\", respond-async"], (Prefer::Unsaid, true, None)),
            (&["x=\"never closed, respond-async"], (Prefer::Unsaid, false, None)),
            (&["wait=soon", "respond-async-not"], (Prefer::Unsaid, false, None)),
        ];
        for (lines, expected) in table {
            assert_eq!(of(lines), expected, "{lines:?}");
        }
    }
}
