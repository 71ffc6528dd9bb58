//! The URL under which clients reach this server.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// A public URL: scheme, host, perhaps a port and a path; no slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    url: Url,
    text: String,
}

impl PublicUrl {
    /// The path that requests begin with, empty when there is none.
    pub fn path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// The host as mail writes it: a name, or an address in brackets (RFC 5321 s4.1.3).
    pub fn mail_domain(&self) -> String {
        match self.url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => format!("[{address}]"),
            Some(Host::Ipv6(address)) => format!("[IPv6:{address}]"),
            None => "localhost".to_owned(),
        }
    }

    /// Whether a token may travel to it: https, or a host that is this machine.
    pub fn is_safe(&self) -> bool {
        let loopback = match self.url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        self.url.scheme() == "https" || loopback
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |what: &str| format!("{what}; write https://scim.example.com");
        let url = Url::parse(text.trim()).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("the scheme must be https or http"));
        }
        // RFC 7644 s7.1: no user information in URIs.
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("a user or password does not belong into it"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("a query or fragment does not belong into it"));
        }
        if url.path().contains(['{', '}']) || url.path().contains("//") {
            return Err(wrong("its path may hold neither braces nor empty segments"));
        }
        let text = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { url, text })
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_may_have_a_path_and_loses_its_last_slash() {
        for (text, shown, path) in [
            ("https://scim.example.com", "https://scim.example.com", ""),
            ("https://SCIM.example.com:443/", "https://scim.example.com", ""),
            ("https://example.com/usher/", "https://example.com/usher", "/usher"),
        ] {
            let url: PublicUrl = text.parse().unwrap();
            assert_eq!((url.to_string().as_str(), url.path()), (shown, path), "{text}");
        }
    }

    /// Proves SCIM-496.
    #[test]
    fn what_does_not_belong_into_a_public_url_is_refused() {
        for text in [
            "scim.example.com",
            "ftp://x",
            "https://u:p@x",
            "https://x/?a",
            "https://x/#a",
            "https://",
        ] {
            assert!(text.parse::<PublicUrl>().is_err(), "{text}");
        }
    }
}
