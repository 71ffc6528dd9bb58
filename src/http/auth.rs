//! Who calls: a bearer token in the Authorization header and nowhere else (RFC 6750 s2.1).

use http::{HeaderMap, header};

use crate::app::door::Client;
use crate::app::{App, Challenge, Ctx, Error};
use crate::domain::token;
use crate::http::routes::Access;
use crate::ids::RequestId;
use crate::scim::quirks::Quirk;

/// A credential as it came.
#[derive(Debug, PartialEq, Eq)]
enum Credential<'a> {
    None,
    Bearer(&'a str),
    /// Quirk 41: the token alone, typed by hand into Okta's header field.
    Bare(&'a str),
}

/// What is looked at of a request.
#[derive(Debug)]
pub struct Asked<'r> {
    /// Its headers.
    pub headers: &'r HeaderMap,
    /// Where it came from.
    pub client: &'r Client,
    /// Its id.
    pub request: RequestId,
}

/// Checks the credential against what the endpoint asks for; none where it asks for none.
pub async fn caller(app: &App, access: Access, asked: Asked<'_>) -> Result<Option<Ctx>, Error> {
    let Asked { headers, client, request } = asked;
    let scope = match access {
        Access::Open => return Ok(None),
        Access::Discovery if !headers.contains_key(header::AUTHORIZATION) => return Ok(None),
        Access::Discovery | Access::Token => None,
        Access::Scope(scope) => Some(scope),
    };
    let ctx = match credential(headers) {
        Credential::None => return Err(Error::Unauthorized(Challenge::Missing)),
        Credential::Bearer(token) if is_jwt(token) => {
            app.authenticate_person(token, client, request).await?
        }
        Credential::Bearer(token) => app.authenticate(token, request).await?,
        Credential::Bare(token) => {
            let ctx = app.authenticate(token, request).await?;
            if !ctx.quirks.on(Quirk::BareToken) {
                return Err(Error::Unauthorized(Challenge::Invalid));
            }
            ctx
        }
    };
    match scope {
        Some(scope) if !ctx.scopes.allow(scope) => Err(Error::Forbidden(scope)),
        Some(_) | None => Ok(Some(ctx)),
    }
}

/// Whether it has the form of an access token of a person (RFC 7515 s3.1), which no token of a client has.
fn is_jwt(token: &str) -> bool {
    token.bytes().filter(|byte| *byte == b'.').count() == 2
}

fn credential(headers: &HeaderMap) -> Credential<'_> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    // Two credentials are as good as none: nobody knows which one was meant.
    let (Some(value), None) = (values.next(), values.next()) else { return Credential::None };
    let Ok(text) = value.to_str() else { return Credential::None };
    match text.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Credential::Bearer(token.trim())
        }
        None if token::is_well_formed(text.trim()) => Credential::Bare(text.trim()),
        Some(_) | None => Credential::None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_scheme_is_bearer_in_any_case_or_missing_before_a_token_of_ours() {
        let ours = token::text("scim", [3; 32]);
        let table = [
            ("Bearer abc", Credential::Bearer("abc")),
            ("bEARER  abc ", Credential::Bearer("abc")),
            ("Basic dTpw", Credential::None),
            ("abc123", Credential::None),
            ("", Credential::None),
            (ours.as_str(), Credential::Bare(ours.as_str())),
        ];
        for (value, expected) in table {
            let value = HeaderValue::from_str(value).unwrap();
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);
            assert_eq!(credential(&headers), expected);
        }
    }

    #[test]
    fn two_credentials_are_none() {
        let mut headers = HeaderMap::new();
        for value in ["Bearer a", "Bearer b"] {
            headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
        }
        assert_eq!(credential(&headers), Credential::None);
    }
}
