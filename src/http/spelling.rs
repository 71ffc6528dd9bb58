//! Paths that are nearly right: a slash at the end, an endpoint in another case.

use axum::extract::Request;
use http::Uri;
use http::request::Parts;

use crate::app::{Ctx, Error};
use crate::http::routes::{Place, Route, SCIM, SCIM_UNVERSIONED};
use crate::scim::quirks::Quirk;

/// The path as it came, beside a request whose path was corrected.
#[derive(Debug, Clone)]
struct Misspelt {
    path: String,
    slash: bool,
    case: bool,
}

/// How endpoints are spelt.
#[derive(Debug)]
pub struct Spelling {
    bases: [String; 2],
    endpoints: Vec<String>,
}

impl Spelling {
    /// The spelling of these routes.
    pub fn new(routes: &[Route]) -> Self {
        let mut endpoints: Vec<String> = routes
            .iter()
            .filter(|route| route.row.place != Place::Server)
            .filter_map(|route| route.path.strip_prefix(SCIM)?.split('/').nth(1))
            .map(str::to_owned)
            .collect();
        endpoints.sort_unstable();
        endpoints.dedup();
        let bases = [SCIM, SCIM_UNVERSIONED].map(|base| format!("{base}/"));
        Self { bases, endpoints }
    }

    /// The request with its path corrected, where there is something to correct.
    pub fn correct(&self, mut request: Request) -> Request {
        let path = request.uri().path();
        // Quirk 38: one slash is tolerated, not two.
        let slash = path.len() > 1 && path.ends_with('/');
        let short = if slash { &path[..path.len() - 1] } else { path };
        let cased = self.in_our_case(short);
        if !slash && cased.is_none() {
            return request;
        }
        // RFC 7644 s3.4.2.1 names the root with its slash.
        let root = self.bases.iter().any(|base| base == path);
        let misspelt =
            Misspelt { path: path.to_owned(), slash: slash && !root, case: cased.is_some() };
        let mut target = cased.unwrap_or_else(|| short.to_owned());
        if target.is_empty() {
            target.push('/');
        }
        if let Some(query) = request.uri().query() {
            target = format!("{target}?{query}");
        }
        if let Ok(target) = target.parse::<Uri>() {
            *request.uri_mut() = target;
            request.extensions_mut().insert(misspelt);
        }
        request
    }

    /// Microsoft's collection asks for `/users`.
    fn in_our_case(&self, path: &str) -> Option<String> {
        let base = self.bases.iter().find(|base| path.starts_with(base.as_str()))?;
        let rest = &path[base.len()..];
        let (head, tail) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if self.endpoints.iter().any(|endpoint| endpoint == head) {
            return None;
        }
        let ours = self.endpoints.iter().find(|endpoint| endpoint.eq_ignore_ascii_case(head))?;
        Some(format!("{base}{ours}{tail}"))
    }
}

/// Refuses a path that was corrected where the caller's tenant goes by the letter.
pub fn check(parts: &Parts, ctx: Option<&Ctx>) -> Result<(), Error> {
    let (Some(misspelt), Some(ctx)) = (parts.extensions.get::<Misspelt>(), ctx) else {
        return Ok(());
    };
    let refused = misspelt.slash && !ctx.quirks.on(Quirk::TrailingSlash)
        || misspelt.case && !ctx.quirks.on(Quirk::EndpointCase);
    if refused { Err(Error::NoEndpoint(misspelt.path.clone())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::http::routes::routes;
    use crate::scim::resource_type::Registry;

    #[test]
    fn one_slash_and_another_case_are_corrected_and_nothing_else() {
        let spelling = Spelling::new(&routes(&Registry::standard()));
        let table = [
            ("/scim/v2/Users", "/scim/v2/Users"),
            ("/scim/v2/Users/?a=/", "/scim/v2/Users?a=/"),
            ("/scim/v2/users/AbC?filter=x", "/scim/v2/Users/AbC?filter=x"),
            ("/scim/GROUPS/.search", "/scim/Groups/.search"),
            ("/scim/v2/", "/scim/v2"),
            ("/scim/v2/Users//", "/scim/v2/Users/"),
            ("/scim/v2/people", "/scim/v2/people"),
            ("/", "/"),
        ];
        for (path, expected) in table {
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            assert_eq!(spelling.correct(request).uri().to_string(), expected, "{path}");
        }
    }
}
