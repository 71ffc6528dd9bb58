//! The contract as a page: plain HTML, one style sheet inside it, no script, nothing from elsewhere.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The page's style; its hash is all that the page's policy allows.
pub const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--soft:#8881}\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1.5rem}\
h1{margin-bottom:0}h2{margin-top:3rem;border-bottom:2px solid var(--line)}\
h3{margin:2rem 0 .25rem;font-size:1.05rem;overflow-wrap:anywhere}\
nav ul{columns:3 14rem;padding-left:1rem}\
code{font:0.9em ui-monospace,monospace;background:var(--soft);padding:.1em .3em;border-radius:.2em;overflow-wrap:anywhere}\
.method{font-weight:700;background:none;padding-left:0}\
table{border-collapse:collapse;table-layout:fixed;width:100%;margin:.5rem 0}\
th{font-weight:inherit;width:38%}\
th,td{text-align:left;vertical-align:top;border-bottom:1px solid var(--line);padding:.3rem .6rem .3rem 0}\
.scroll{overflow-x:auto}a{color:inherit}";

/// The page of this document.
pub fn page(document: &Value) -> String {
    let info = &document["info"];
    let mut body = format!(
        "<h1>{} {}</h1><p>{}</p><p>{}</p>",
        escape(&info["title"]),
        escape(&info["version"]),
        escape(&info["summary"]),
        escape(&info["description"]),
    );
    body.push_str(
        "<p>The same for machines: <a href=\"openapi.yaml\">openapi.yaml</a></p>\
         <nav aria-label=\"Contents\"><ul>",
    );
    let tags = document["tags"].as_array().map_or(&[][..], Vec::as_slice);
    for tag in tags {
        let name = escape(&tag["name"]);
        let _ = write!(body, "<li><a href=\"#tag-{name}\">{name}</a></li>");
    }
    body.push_str("</ul><p>Messages and resources</p><ul>");
    let empty = Map::new();
    let schemas = document["components"]["schemas"].as_object().unwrap_or(&empty);
    for name in schemas.keys() {
        let name = text(name);
        let _ = write!(body, "<li><a href=\"#schema-{name}\">{name}</a></li>");
    }
    body.push_str("</ul></nav><main>");
    for tag in tags {
        operations(&mut body, document, tag);
    }
    body.push_str("<h2>Messages and resources</h2>");
    for (name, schema) in schemas {
        component(&mut body, name, schema);
    }
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>Usher API</title><style>{STYLE}</style></head><body>{body}</main></body></html>"
    )
}

fn operations(body: &mut String, document: &Value, tag: &Value) {
    let name = escape(&tag["name"]);
    let about = sentence(&tag["description"]);
    let _ = write!(body, "<h2 id=\"tag-{name}\">{name}</h2><p>{about}</p>");
    let empty = Map::new();
    for (path, item) in document["paths"].as_object().unwrap_or(&empty) {
        let methods = item.as_object().unwrap_or(&empty);
        for (method, operation) in methods {
            if operation["tags"][0] == tag["name"] {
                one(body, &method.to_ascii_uppercase(), path, operation);
            }
        }
    }
}

fn one(body: &mut String, method: &str, path: &str, operation: &Value) {
    let _ = write!(
        body,
        "<h3 id=\"{}\"><code class=\"method\">{method}</code> <code>{}</code></h3><p>{} {}</p>",
        escape(&operation["operationId"]),
        text(path),
        sentence(&operation["summary"]),
        sentence(&operation["description"]),
    );
    let mut rows: Vec<(String, String)> = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let place =
            format!("<code>{}</code> ({})", escape(&parameter["name"]), escape(&parameter["in"]));
        rows.push((place, sentence(&parameter["description"])));
    }
    if let Some(sent) = reference(&operation["requestBody"]["content"]) {
        rows.push(("body".to_owned(), sent));
    }
    let empty = Map::new();
    for (status, answer) in operation["responses"].as_object().unwrap_or(&empty) {
        let about = sentence(&answer["description"]);
        let what = reference(&answer["content"]).map_or(String::new(), |link| format!(" {link}"));
        let status = if status == "default" { "an error" } else { status };
        rows.push((format!("answers {}", text(status)), format!("{about}{what}")));
    }
    table(body, &rows);
}

/// A link to the schema of a body.
fn reference(content: &Value) -> Option<String> {
    let (_, first) = content.as_object()?.iter().next()?;
    let name = first["schema"]["$ref"].as_str()?.rsplit('/').next()?;
    Some(link(name))
}

fn link(name: &str) -> String {
    let name = text(name);
    format!("<a href=\"#schema-{name}\">{name}</a>")
}

fn component(body: &mut String, name: &str, schema: &Value) {
    let name = text(name);
    let about = sentence(&schema["description"]);
    let _ = write!(body, "<h3 id=\"schema-{name}\">{name}</h3><p>{about}</p>");
    let mut rows = Vec::new();
    properties("", schema, &mut rows);
    table(body, &rows);
}

fn properties(prefix: &str, schema: &Value, rows: &mut Vec<(String, String)>) {
    let empty = Map::new();
    for (name, property) in schema["properties"].as_object().unwrap_or(&empty) {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let is_list = property["type"] == "array";
        let single = if is_list { &property["items"] } else { property };
        let kind = match single["$ref"].as_str().and_then(|target| target.rsplit('/').next()) {
            Some(target) => link(target),
            None => escape(&single["type"]),
        };
        let list = if is_list { "list of " } else { "" };
        let read_only = if property["readOnly"] == true { ", read-only" } else { "" };
        let about = sentence(&property["description"]);
        rows.push((
            format!("<code>{}</code>", text(&path)),
            format!("{list}{kind}{read_only}. {about}").trim_end().to_owned(),
        ));
        properties(&path, single, rows);
    }
}

fn table(body: &mut String, rows: &[(String, String)]) {
    if rows.is_empty() {
        return;
    }
    body.push_str("<div class=\"scroll\"><table>");
    for (name, about) in rows {
        let _ = write!(body, "<tr><th scope=\"row\">{name}</th><td>{about}</td></tr>");
    }
    body.push_str("</table></div>");
}

fn escape(value: &Value) -> String {
    text(value.as_str().unwrap_or_default())
}

/// What is meant for people, with its full stop; words between backticks are code.
fn sentence(value: &Value) -> String {
    let escaped = escape(value);
    let mut shown = String::with_capacity(escaped.len());
    for (place, part) in escaped.split('`').enumerate() {
        if place > 0 {
            shown.push_str(if place % 2 == 1 { "<code>" } else { "</code>" });
        }
        shown.push_str(part);
    }
    if !shown.is_empty() && !shown.ends_with('.') {
        shown.push('.');
    }
    shown
}

fn text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::openapi::document;
    use crate::scim::resource_type::Registry;

    #[test]
    fn the_page_names_every_operation_and_loads_nothing() {
        let document = document(&Registry::standard());
        let page = page(&document);
        for needed in ["/scim/v2/Users/{id}", "id=\"patchGroup\"", "id=\"schema-User\""] {
            assert!(page.contains(needed), "{needed}");
        }
        assert!(page.contains("Needs the scope <code>users:read</code>."));
        for forbidden in ["`", "..", "<script", "src=", "http://", "@import", "url("] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
    }
}
