//! The `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header).

use http::HeaderMap;

use crate::app::Error;
use crate::scim;

/// Longest key.
const LONGEST: usize = 255;

/// The key of a request; none when it has none.
///
/// The draft makes it a string of RFC 8941, with quotes; clients also send it bare.
pub(super) fn of(headers: &HeaderMap) -> Result<Option<String>, Error> {
    let mut lines = headers.get_all("idempotency-key").iter();
    let Some(line) = lines.next() else { return Ok(None) };
    let key =
        line.to_str().ok().filter(|_| lines.next().is_none()).and_then(|text| read(text.trim()));
    match key {
        Some(key) if (1..=LONGEST).contains(&key.len()) => Ok(Some(key)),
        Some(_) | None => Err(scim::Error::InvalidSyntax(format!(
            "Idempotency-Key: one text of 1 to {LONGEST} visible ASCII characters belongs there, \
             such as \"8e03978e-40d5-43dd-bc93-6894a57f9324\"."
        ))
        .into()),
    }
}

/// RFC 8941 s4.2.5, or a text without quotes; parameters mean nothing here.
fn read(text: &str) -> Option<String> {
    let Some(quoted) = text.strip_prefix('"') else {
        return text.bytes().all(|byte| byte.is_ascii_graphic()).then(|| text.to_owned());
    };
    let mut key = String::new();
    let mut letters = quoted.chars();
    loop {
        match letters.next()? {
            '"' => break,
            '\\' => key.push(letters.next().filter(|c| matches!(c, '"' | '\\'))?),
            letter @ ' '..='~' => key.push(letter),
            _ => return None,
        }
    }
    let rest = letters.as_str().trim_start();
    (rest.is_empty() || rest.starts_with(';')).then_some(key)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn keys(lines: &[&str]) -> Result<Option<String>, Error> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("idempotency-key", HeaderValue::from_str(line).unwrap());
        }
        of(&headers)
    }

    #[test]
    fn a_key_is_a_text_with_or_without_quotes() {
        let long = "k".repeat(255);
        let table = [
            ("\"8e03-978e\"", "8e03-978e"),
            ("8e03-978e", "8e03-978e"),
            ("\"a b\\\"c\\\\\"; v=1", "a b\"c\\"),
            (long.as_str(), long.as_str()),
        ];
        for (line, expected) in table {
            assert_eq!(keys(&[line]).unwrap().as_deref(), Some(expected), "{line}");
        }
        assert_eq!(keys(&[]).unwrap(), None);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let long = "k".repeat(256);
        for line in ["", "\"\"", "\"a", "\"a\"b", "\"a\\b\"", "a b", "ü", long.as_str()] {
            assert!(keys(&[line]).is_err(), "{line}");
        }
        assert!(keys(&["a", "a"]).is_err());
    }
}
