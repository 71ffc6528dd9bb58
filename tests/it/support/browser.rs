//! A browser without a screen: it keeps cookies, fills in the forms of pages and follows where it is sent.

use std::collections::BTreeMap;

use mail_parser::MessageParser;

use super::app::{Reply, TestApp};

const HOME: &str = "http://usher.test";

/// A browser. What it was shown last is what it fills in.
pub(crate) struct Browser {
    app: TestApp,
    pub(crate) cookies: BTreeMap<String, String>,
    /// Headers that it sends beside its own.
    pub(crate) headers: Vec<(String, String)>,
    page: String,
}

impl Browser {
    /// One that has been nowhere, in front of this server.
    pub(crate) fn new(app: &TestApp) -> Self {
        let (cookies, headers) = (BTreeMap::new(), Vec::new());
        Self { app: app.anonymous(), cookies, headers, page: String::new() }
    }

    /// The same with another header.
    pub(crate) fn saying(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) async fn open(&mut self, path: &str) -> Reply {
        self.ask("GET", path, None).await
    }

    /// Sends the form that was shown last, with these fields; a path of its own where one is given.
    pub(crate) async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let token = self.hidden("token");
        let mut all = vec![("token", token.as_str())];
        all.extend(fields);
        self.post(path, &all).await
    }

    /// Sends these fields and no others.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in fields {
            form.append_pair(name, value);
        }
        self.ask("POST", path, Some(form.finish())).await
    }

    /// Goes where it is sent.
    pub(crate) async fn follow(&mut self, reply: Reply) -> Reply {
        let to = reply.expect(303).header("location").to_owned();
        assert!(to.starts_with('/') && !to.starts_with("//"), "{to}");
        self.open(&to).await
    }

    /// The value of a hidden field of the last page.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let field = format!("name=\"{name}\" value=\"");
        let value = self.page.split_once(&field).map(|(_, rest)| rest);
        value.and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
    }

    async fn ask(&mut self, method: &str, path: &str, body: Option<String>) -> Reply {
        let mut headers = self.headers.clone();
        if !self.cookies.is_empty() {
            let pairs: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            headers.push(("cookie".to_owned(), pairs.join("; ")));
        }
        if body.is_some() {
            let kind = "application/x-www-form-urlencoded".to_owned();
            headers.push(("content-type".to_owned(), kind));
        }
        let reply = self.app.exchange(method, &format!("{HOME}{path}"), &headers, body).await;
        for line in reply.headers.get_all("set-cookie") {
            let (pair, rules) = line.to_str().unwrap().split_once("; ").unwrap();
            assert!(rules.starts_with("Path=/; HttpOnly; SameSite=Lax"), "{rules}");
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
            if rules.contains("Max-Age=0") {
                self.cookies.remove(name);
            }
        }
        if reply.header("content-type").starts_with("text/html") {
            text(&reply).clone_into(&mut self.page);
        }
        reply
    }
}

/// The page of an answer.
#[track_caller]
pub(crate) fn text(reply: &Reply) -> &str {
    reply.body.as_str().unwrap_or_else(|| panic!("no page: {reply:?}"))
}

/// Where the page's address ends in the letters that have gone, the oldest first: what comes behind this
/// word in each of them.
pub(crate) fn links(directory: &std::path::Path, word: &str) -> Vec<String> {
    let Ok(files) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
    paths.sort();
    let link = |path: std::path::PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        let mail = MessageParser::default().parse(&bytes).unwrap();
        let body = mail.body_text(0).unwrap().into_owned();
        let (_, rest) = body.split_once(&format!("/{word}/"))?;
        rest.split_whitespace().next().map(str::to_owned)
    };
    paths.into_iter().filter_map(link).collect()
}
