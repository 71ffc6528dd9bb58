//! Where the pages stand, as browsers see it, and the cookies that they keep.

use http::{HeaderMap, HeaderValue, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::app::App;

/// What stays of a segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// The server as its public URL has it. No header of a request has a say in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Site {
    /// The path before all paths, without a slash at its end.
    root: String,
    /// Scheme, host and port.
    origin: String,
    /// Whether it is reached by https.
    secure: bool,
}

impl Site {
    pub(super) fn of(app: &App) -> Self {
        let url = Url::parse(app.origin()).ok();
        let root = url.as_ref().map_or("", Url::path).trim_end_matches('/').to_owned();
        let origin = url.as_ref().map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        Self { root, origin, secure: url.is_some_and(|url| url.scheme() == "https") }
    }

    /// A path of this server. It has no host, so that no page leads elsewhere, whatever host was asked.
    pub(super) fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.root)
    }

    /// A path of this server of these segments.
    pub(super) fn at(&self, segments: &[&str]) -> String {
        let parts = segments.iter().map(|part| format!("/{}", utf8_percent_encode(part, SEGMENT)));
        self.path(&parts.collect::<String>())
    }

    /// Whether a request that a browser sent was sent by a page of this server, as far as the browser
    /// tells. Where it tells nothing, the token of the form decides alone.
    pub(super) fn sent(&self, headers: &HeaderMap) -> bool {
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        // Our own pages send no referrer, which makes their origin `null`.
        let by_origin = |origin: &str| origin == "null" || origin == self.origin;
        let by_site = |site: &str| matches!(site, "same-origin" | "none");
        text("sec-fetch-site").is_none_or(by_site) && text("origin").is_none_or(by_origin)
    }

    /// The name of the cookie in which the token of forms stands.
    pub(super) fn form_cookie(&self) -> String {
        self.named("usher-form")
    }

    /// The name of the cookie of the session in this tenant.
    pub(super) fn session_cookie(&self, tenant: &str) -> String {
        self.named(&format!("usher-session-{}", utf8_percent_encode(tenant, SEGMENT)))
    }

    /// Only this host sets and gets a cookie whose name begins so, and only by https.
    fn named(&self, name: &str) -> String {
        format!("{}{name}", if self.secure { "__Host-" } else { "" })
    }

    /// A cookie that scripts do not see and that lives as long as the browser runs; an empty one is gone.
    pub(super) fn cookie(&self, name: &str, value: &str) -> Option<HeaderValue> {
        let secure = if self.secure { "; Secure" } else { "" };
        let over = if value.is_empty() { "; Max-Age=0" } else { "" };
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{over}");
        HeaderValue::try_from(text).ok()
    }
}

/// The value of the first cookie of this name.
pub(super) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(secure: bool) -> Site {
        let scheme = if secure { "https" } else { "http" };
        Site { root: "/people".to_owned(), origin: format!("{scheme}://x.example"), secure }
    }

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn paths_lead_nowhere_else() {
        let site = site(true);
        assert_eq!(site.at(&["t", "acme", "login"]), "/people/t/acme/login");
        assert_eq!(
            site.at(&["t", "../..//evil.example", "login"]),
            "/people/t/..%2F..%2F%2Fevil.example/login"
        );
        assert_eq!(site.at(&["t", "\"><a\r\n", "x"]), "/people/t/%22%3E%3Ca%0D%0A/x");
    }

    #[test]
    fn cookies_are_for_this_host_alone_and_for_no_script() {
        let text = |secure: bool, value: &str| {
            let site = site(secure);
            let header = site.cookie(&site.session_cookie("acme"), value).unwrap();
            header.to_str().unwrap().to_owned()
        };
        assert_eq!(
            text(true, "v"),
            "__Host-usher-session-acme=v; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(text(false, "v"), "usher-session-acme=v; Path=/; HttpOnly; SameSite=Lax");
        assert!(text(true, "").ends_with("; Max-Age=0"));
        let sent = headers(&[("cookie", "a=1; usher-form=x"), ("cookie", "usher-form=y;b")]);
        assert_eq!(cookie(&sent, "usher-form"), Some("x"));
        assert_eq!(cookie(&sent, "form"), None);
    }

    #[test]
    fn a_browser_says_from_where_a_form_comes() {
        let site = site(true);
        for (lines, ours) in [
            (&[][..], true),
            (&[("origin", "https://x.example")], true),
            (&[("origin", "null"), ("sec-fetch-site", "same-origin")], true),
            (&[("origin", "null"), ("sec-fetch-site", "cross-site")], false),
            (&[("origin", "null"), ("sec-fetch-site", "same-site")], false),
            (&[("origin", "https://evil.example")], false),
            (&[("origin", "http://x.example")], false),
            (&[("origin", "https://x.example"), ("sec-fetch-site", "cross-site")], false),
            (&[("origin", "\u{fc}")], false),
        ] {
            assert_eq!(site.sent(&headers(lines)), ours, "{lines:?}");
        }
    }
}
