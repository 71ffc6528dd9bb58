//! What pages are shown with: each in a file whose name changes with its bytes, so that browsers keep it.

use std::sync::LazyLock;

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderValue, header};
use sha2::{Digest, Sha256};

use super::site::Site;
use crate::app::Error;
use crate::domain::brand::Brand;
use crate::domain::page::{self, Looks};
use crate::http::call::Call;

/// A file: its name, its media type, its bytes.
type File = (String, &'static str, &'static str);

static FILES: LazyLock<[File; 3]> = LazyLock::new(|| {
    let file = |name: &str, extension: &str, media_type, text: &'static str| {
        (format!("{name}-{}.{extension}", short_hash(text.as_bytes())), media_type, text)
    };
    [
        file("pages", "css", "text/css; charset=utf-8", page::STYLE),
        file("pages", "js", "text/javascript; charset=utf-8", page::SCRIPT),
        file("icon", "svg", "image/svg+xml", page::ICON),
    ]
});

/// The URLs of what pages of this tenant are shown with.
pub(super) fn looks(site: &Site, tenant: &str, brand: &Brand) -> Looks {
    let [style, script, icon] = &*FILES;
    let asset = |name: &str| site.at(&["assets", name]);
    let logo = brand
        .logo
        .as_ref()
        .map_or_else(String::new, |logo| site.at(&["t", tenant, "logo", &short_hash(&logo.bytes)]));
    let digits = brand.color().trim_start_matches('#');
    Looks {
        style: asset(&style.0),
        color: asset(&format!("color-{digits}.css")),
        script: asset(&script.0),
        icon: asset(&icon.0),
        logo,
    }
}

/// `GET /assets/{file}`
pub(super) fn file(call: &Call) -> Result<Response, Error> {
    let name = call.named("file");
    if let Some((_, media_type, text)) = FILES.iter().find(|(known, ..)| *known == name) {
        return Ok(kept(media_type, *text));
    }
    // The name of a colour says all that is in its file.
    let digits = name.strip_prefix("color-").and_then(|rest| rest.strip_suffix(".css"));
    let color = digits.map(|digits| format!("#{digits}"));
    let brand = color.and_then(|color| Brand::new(None, Some(&color), None).ok());
    let brand = brand.ok_or_else(|| Error::NoEndpoint(call.parts.uri.path().to_owned()))?;
    Ok(kept("text/css; charset=utf-8", page::color(&brand)))
}

/// `GET /t/{tenant}/logo/{hash}`
pub(super) async fn logo(call: Call) -> Result<Response, Error> {
    let brand = call.app.brand_shown(&call.named("tenant")).await?;
    let wanted = call.named("hash");
    let logo = brand.logo.filter(|logo| short_hash(&logo.bytes) == wanted);
    let logo = logo.ok_or_else(|| Error::NoEndpoint(call.parts.uri.path().to_owned()))?;
    let mut response = kept(logo.format.media_type(), logo.bytes);
    // Whoever opens it by itself gets a picture and nothing that runs.
    let policy = HeaderValue::from_static("default-src 'none'; sandbox");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

fn kept(media_type: &'static str, body: impl Into<axum::body::Body>) -> Response {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    let keep = HeaderValue::from_static("public, max-age=31536000, immutable");
    headers.insert(header::CACHE_CONTROL, keep);
    response
}

fn short_hash(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(bytes)[..9])
}
