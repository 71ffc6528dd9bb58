//! Lists from page to page by cursor (RFC 9865), there and back, and what a cursor is good for.

use std::collections::BTreeSet;

use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use usher::clock::{Clock, Micros};

use crate::filter_graph::draw;
use crate::support::app::TestApp;
use crate::support::asks::{ENTERPRISE, texts};
use crate::support::each_db;

const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// A page, with its cursor and the ones that it gives.
struct Page {
    ids: Vec<String>,
    cursor: String,
    body: Value,
}

impl Page {
    fn next(&self) -> Option<String> {
        self.body["nextCursor"].as_str().map(str::to_owned)
    }

    fn previous(&self) -> Option<String> {
        self.body["previousCursor"].as_str().map(str::to_owned)
    }
}

/// The page of this cursor. Everything that holds for every page is checked here.
async fn page(app: &TestApp, path: &str, cursor: &str) -> Page {
    let body = app.get(&format!("{path}&cursor={cursor}")).await.expect(200).body;
    assert_eq!(body.get("startIndex"), None, "{path}");
    let ids = texts(&body["Resources"], "/id");
    assert_eq!(body["itemsPerPage"], ids.len(), "{path}");
    let page = Page { ids, cursor: cursor.to_owned(), body };
    for cursor in [page.next(), page.previous()].into_iter().flatten() {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        assert!(cursor.bytes().all(plain), "{cursor}");
    }
    page
}

/// All pages from the first to the last.
async fn forth(app: &TestApp, path: &str) -> Vec<Page> {
    let mut pages = vec![page(app, path, "").await];
    while let Some(cursor) = pages.last().and_then(Page::next) {
        assert!(pages.len() < 200, "{path} does not end");
        pages.push(page(app, path, &cursor).await);
    }
    pages
}

/// All pages from this one back to the first.
async fn back(app: &TestApp, path: &str, from: &Page) -> Vec<Page> {
    let mut pages: Vec<Page> = Vec::new();
    let mut cursor = from.previous();
    while let Some(text) = cursor {
        assert!(pages.len() < 200, "{path} does not end");
        let here = page(app, path, &text).await;
        cursor = here.previous();
        pages.push(here);
    }
    pages.reverse();
    pages
}

fn ids(pages: &[Page]) -> Vec<String> {
    pages.iter().flat_map(|page| page.ids.clone()).collect()
}

/// The whole list by number, and that every way through it is the same.
async fn same_every_way(app: &TestApp, query: &str, size: usize) -> Vec<String> {
    let whole = app.get(&format!("{query}&count=1000")).await.expect(200).body;
    let all = texts(&whole["Resources"], "/id");
    assert_eq!(whole["totalResults"], all.len(), "{query}");
    let path = format!("{query}&count={size}");
    let pages = forth(app, &path).await;
    assert_eq!(ids(&pages), all, "{path}");
    assert_eq!(pages[0].previous(), None, "{path}");
    for page in &pages[..pages.len() - 1] {
        assert_eq!(page.ids.len(), size, "{path}");
    }
    for page in &pages {
        let total = &page.body["totalResults"];
        assert!(total.is_null() || *total == all.len(), "{path}: {total}");
    }
    let last = pages.last().unwrap();
    let backwards = back(app, &path, last).await;
    assert_eq!(ids(&backwards), all[..all.len() - last.ids.len()], "{path} back");
    if let Some(first) = backwards.first() {
        assert_eq!(first.ids, all[..first.ids.len()]);
        let again = page(app, &path, &first.next().unwrap()).await;
        assert_eq!(again.ids, pages[1].ids, "{path}: there, back, and there again");
        assert!(again.previous().is_some());
    }
    for skip in [1, size, all.len() / 2, all.len().saturating_sub(1), all.len() + 3] {
        let body = app.get(&format!("{path}&startIndex={}", skip + 1)).await.expect(200).body;
        let wanted: Vec<_> = all.iter().skip(skip).take(size).cloned().collect();
        assert_eq!(texts(&body["Resources"], "/id"), wanted, "{path} from {skip}");
        assert_eq!(body["totalResults"], all.len(), "{path} from {skip}");
    }
    all
}

async fn users(app: &TestApp, count: usize) {
    for number in 0..count {
        app.user(&format!("user{number:03}")).await;
    }
}

/// People of whom little is known, with long and equal values.
async fn people(app: &TestApp, runner: &mut TestRunner, count: usize) {
    let long = |end: &str| format!("{}{end}", "x".repeat(700));
    let names =
        ["", "a", "B", "b", "ä", "straße", "😀", "zz", &long("a"), &long("b"), &"x".repeat(450)];
    let names = select(names.map(str::to_owned).to_vec());
    let some = proptest::bool::weighted(0.7);
    for number in 0..count {
        let mut more = json!({});
        for (name, wanted) in [("displayName", 0), ("externalId", 1), ("title", 2)] {
            let name_of = draw(runner, &names);
            // What is unique of its kind has to differ.
            if draw(runner, &some) && !(wanted == 1 && name_of.is_empty()) {
                more[name] = name_of.into();
            }
        }
        if draw(runner, &some) {
            more["name"] = json!({ "familyName": draw(runner, &names) });
        }
        if draw(runner, &some) {
            more["active"] = draw(runner, &proptest::bool::ANY).into();
        }
        let mails = draw(runner, &proptest::collection::vec(names.clone(), 0..3));
        let mails: Vec<_> =
            mails.iter().map(|mail| json!({ "value": format!("{mail}@x") })).collect();
        more["emails"] = mails.into();
        let number_of = draw(runner, &select(vec!["1", "10", "2"]));
        more[ENTERPRISE] = json!({ "employeeNumber": number_of });
        app.user_with(&format!("u{}", number * 7 % 10 + number * 10), &more).await;
    }
}

each_db! {
    /// Proves SCIM-269, SCIM-271, SCIM-272, SCIM-274, SCIM-281, SCIM-262, SCIM-273.
    async fn a_list_is_walked_there_and_back(app: TestApp) {
        users(&app, 25).await;
        let pages = forth(&app, "/Users?count=10").await;
        assert_eq!(pages.iter().map(|page| page.ids.len()).collect::<Vec<_>>(), [10, 10, 5]);
        assert!(pages.iter().all(|page| page.body["totalResults"] == 25));
        let unique: BTreeSet<_> = ids(&pages).into_iter().collect();
        assert_eq!(unique.len(), 25);
        let first = back(&app, "/Users?count=10", &pages[2]).await;
        assert_eq!(ids(&first), ids(&pages[..2]));
        assert_eq!((first[0].previous(), pages[2].next()), (None, None));
        let bare = app.get("/Users?cursor&count=10").await.expect(200).body;
        assert_eq!(texts(&bare["Resources"], "/id"), pages[0].ids);
        assert!(bare["nextCursor"].is_string());
        for plain in ["/Users", "/Users?count=10", "/Users?startIndex=1&count=10"] {
            let body = app.get(plain).await.expect(200).body;
            assert_eq!((body["startIndex"].clone(), body.get("nextCursor")), (json!(1), None));
        }
        for (path, shown) in [
            ("/Users?count=0", 0), ("/Users?count=-3", 0), ("/Users?count=25", 25), ("/Users?count=26", 26),
            ("/Users?count=999999", 25), ("/Users?filter=userName eq \"nobody\"", 0),
        ] {
            let page = page(&app, path, "").await;
            assert_eq!(page.ids.len(), shown.min(25), "{path}");
            let total = if path.contains("nobody") { 0 } else { 25 };
            assert_eq!(page.body["totalResults"], total, "{path}");
            assert_eq!((page.next(), page.previous()), (None, None), "{path}");
        }
    }

    /// Proves SCIM-276, SCIM-278, SCIM-282, SCIM-288, SCIM-289.
    async fn what_is_no_cursor_of_this_query_is_refused(app: TestApp) {
        users(&app, 5).await;
        let first = page(&app, "/Users?count=2", "").await;
        let cursor = first.next().unwrap();
        page(&app, "/Users?count=2", &cursor).await;
        let flipped = if cursor.ends_with('A') { "B" } else { "A" };
        let flipped = format!("{}{flipped}", &cursor[..cursor.len() - 1]);
        let mut told = BTreeSet::new();
        let cut = &cursor[1..];
        for (path, cursor) in [
            ("/Users?count=2", "abc"),
            ("/Users?count=2", &flipped),
            ("/Users?count=2", cut),
            ("/Users?count=2", "%C3%BC"),
            ("/Users?count=2", &"A".repeat(2_000)),
            ("/Users?count=2&filter=userName pr", &cursor),
            ("/Users?count=2&sortBy=userName", &cursor),
            ("/Users?count=2&sortOrder=descending", &cursor),
            ("/Users?count=2&attributes=userName", &cursor),
            ("/Users?count=2&excludedAttributes=name", &cursor),
            ("/Groups?count=2", &cursor),
            ("/?count=2", &cursor),
        ] {
            let detail = app.get(&format!("{path}&cursor={cursor}")).await.refused(400, "invalidCursor");
            told.insert(detail.split(" (request").next().unwrap().to_owned());
        }
        let other = app.tenant(&std::collections::BTreeMap::default()).await;
        users(&other, 5).await;
        let scoped = app.scoped(&["users:read"]).await;
        for stranger in [&other, &scoped] {
            let reply = stranger.get(&format!("/Users?count=2&cursor={cursor}")).await;
            let detail = reply.refused(400, "invalidCursor");
            told.insert(detail.split(" (request").next().unwrap().to_owned());
        }
        assert_eq!(told.len(), 1, "one sentence for all: {told:?}");
        for count in ["count=3", "count=0", "foo=1"] {
            app.get(&format!("/Users?{count}&cursor={cursor}")).await.refused(400, "invalidCount");
        }
        let both = format!("/Users?count=2&startIndex=1&cursor={cursor}");
        app.get(&both).await.refused(400, "invalidValue");
        app.get("/Users?startIndex=1&cursor").await.refused(400, "invalidValue");
        let both = json!({ "schemas": [SEARCH], "cursor": "", "startIndex": 1 });
        app.post("/Users/.search", &both).await.refused(400, "invalidValue");
        let number = json!({ "schemas": [SEARCH], "cursor": 1 });
        app.post("/Users/.search", &number).await.refused(400, "invalidValue");
        app.get("/Users?cursor=a&cursor=b").await.refused(400, "invalidValue");
    }

    /// Proves SCIM-277, SCIM-285, SCIM-284, SCIM-286, SCIM-287.
    async fn a_cursor_ends_with_its_time_and_with_the_rights_of_its_token(app: TestApp) {
        users(&app, 5).await;
        let clock = Clock::fixed(Micros(2_000_000_000_000_000));
        let later = app.second_instance_at(clock.clone()).await;
        let config = later.get("/ServiceProviderConfig").await.expect(200).body["pagination"].clone();
        assert_eq!(
            config,
            json!({
                "cursor": true, "index": true, "defaultPaginationMethod": "index",
                "defaultPageSize": 100, "maxPageSize": 1000, "cursorTimeout": 3600,
            })
        );
        let cursor = page(&later, "/Users?count=2", "").await.next().unwrap();
        clock.advance(3600);
        let next = page(&later, "/Users?count=2", &cursor).await.next().unwrap();
        clock.advance(1);
        let path = format!("/Users?count=2&cursor={cursor}");
        later.get(&path).await.refused(400, "expiredCursor");
        page(&later, "/Users?count=2", &next).await;
        // Another instance has the same key.
        page(&app, "/Users?count=2", &next).await;
        page(&app.second_instance().await, "/Users?count=2", &next).await;
        app.anonymous().get(&path).await.refused(401, "");
        let writer = app.scoped(&["users:write"]).await;
        writer.get(&path).await.refused(403, "");
    }

    /// Proves SCIM-283, SCIM-307.
    async fn searches_by_post_are_walked_too(app: TestApp) {
        users(&app, 5).await;
        app.group("crew", &[]).await;
        for (path, total) in [("/Users/.search", 5), ("/.search", 6)] {
            let mut body = json!({ "schemas": [SEARCH], "cursor": "", "count": 4, "startIndex": null });
            let first = app.post(path, &body).await.expect(200).body;
            assert_eq!(first["totalResults"], total, "{path}");
            body["cursor"] = first["nextCursor"].clone();
            let second = app.post(path, &body).await.expect(200).body;
            assert_eq!(second["itemsPerPage"], total - 4, "{path}");
            assert_eq!(second.get("nextCursor"), None);
            // The same query in a URL.
            let cursor = first["nextCursor"].as_str().unwrap();
            let path = format!("{}?count=4", path.trim_end_matches(".search").trim_end_matches('/'));
            let path = if path.starts_with('?') { format!("/{path}") } else { path };
            let same = page(&app, &path, cursor).await;
            assert_eq!(same.ids, texts(&second["Resources"], "/id"));
        }
    }

    /// Proves SCIM-279, SCIM-252, SCIM-253, SCIM-254, SCIM-268, SCIM-265.
    async fn every_way_through_a_list_is_the_same(app: TestApp) {
        let mut runner = TestRunner::deterministic();
        people(&app, &mut runner, 40).await;
        for number in 0..7 {
            app.group(&format!("group{number}"), &[]).await;
        }
        let sorts = [
            "", "id", "userName", "displayName", "externalId", "name.familyName", "title", "active",
            "meta.created", "meta.lastModified", "emails", "emails.value", "meta.version",
        ];
        let extension = format!("{ENTERPRISE}:employeeNumber");
        let sorts: Vec<&str> = sorts.into_iter().chain([extension.as_str()]).collect();
        let filters = [
            "", "userName pr", "active eq true", "active eq false", "displayName eq \"b\"",
            "displayName pr and title pr", "active eq true and title pr", "not (title pr)",
            "userName eq \"u0\" or userName eq \"u17\" or userName eq \"u24\"", "emails.value co \"a\"",
            "emails[value eq \"b@x\"]", "externalId ne \"zz\"", "id pr", "userName eq \"u0\"",
        ];
        let (mut longest, mut asked) = (0, 0);
        for sort in &sorts {
            for filter in &filters {
                let size = draw(&mut runner, &select(vec![1, 3, 7, 16, 40]));
                let order = draw(&mut runner, &select(vec!["ascending", "descending"]));
                // Everything once is much; some of everything is enough.
                if !filter.is_empty() && draw(&mut runner, &proptest::bool::weighted(0.6)) {
                    continue;
                }
                let mut query = format!("?attributes=userName&sortOrder={order}");
                if !sort.is_empty() {
                    query = format!("{query}&sortBy={sort}");
                }
                if !filter.is_empty() {
                    query = format!("{query}&filter={filter}");
                }
                let found = same_every_way(&app, &format!("/Users{query}"), size).await;
                longest = longest.max(found.len());
                asked += 1;
            }
        }
        assert!(longest == 40 && asked > 60, "{longest} {asked}");
        for sort in ["", "id", "displayName", "userName", "meta.created", "externalId", "active"] {
            for order in ["ascending", "descending"] {
                let sorted = if sort.is_empty() { String::new() } else { format!("&sortBy={sort}") };
                let query = format!("/?attributes=displayName&sortOrder={order}{sorted}");
                let found = same_every_way(&app, &query, 9).await;
                assert_eq!(found.len(), 47, "{query}");
                same_every_way(&app, &format!("{query}&filter=displayName pr"), 5).await;
            }
        }
    }

    /// Proves SCIM-253, SCIM-254.
    async fn descending_is_ascending_backwards(app: TestApp) {
        let mut runner = TestRunner::deterministic();
        people(&app, &mut runner, 20).await;
        for sort in ["displayName", "title", "active", "meta.created", "emails.value"] {
            let list = async |order: &str| {
                let path = format!("/Users?sortBy={sort}&sortOrder={order}");
                texts(&app.get(&path).await.expect(200).body["Resources"], "/id")
            };
            let mut down = list("descending").await;
            down.reverse();
            assert_eq!(list("ascending").await, down, "{sort}");
        }
    }

    /// Proves SCIM-274.
    async fn totals_follow_every_write(app: TestApp) {
        users(&app, 12).await;
        let total = async |path: &str| app.get(path).await.expect(200).body["totalResults"].clone();
        let path = "/Users?count=3&filter=userName co \"user\"";
        assert_eq!(total(path).await, 12);
        assert_eq!(total(path).await, 12);
        let ida = app.user("user-ida").await;
        assert_eq!(total(path).await, 13);
        app.delete(&format!("/Users/{ida}")).await.expect(204);
        assert_eq!(total(path).await, 12);
        assert_eq!(total("/Users?count=3&filter=userName pr").await, 12);
        let all = "/Users?count=0&cursor&filter=userName co \"user\"";
        assert_eq!(total(all).await, 12);
        assert_eq!(total("/Users?count=2&filter=active eq true").await, 12);
    }

    /// Proves SCIM-290, SCIM-268.
    async fn a_walk_meets_everybody_once_whoever_comes_and_goes(app: TestApp) {
        users(&app, 30).await;
        let stay: BTreeSet<_> = ids(&forth(&app, "/Users?count=7").await).into_iter().collect();
        for query in ["", "&sortBy=userName", "&sortBy=userName&sortOrder=descending",
            "&sortBy=meta.created&sortOrder=descending", "&filter=userName sw \"u\"", "&sortBy=title"]
        {
            let path = format!("/Users?count=4{query}");
            let mut seen: Vec<String> = Vec::new();
            let (mut guests, mut cursor, mut number) = (Vec::new(), String::new(), 0);
            loop {
                let here = page(&app, &path, &cursor).await;
                seen.extend(here.ids.clone());
                for name in ["a", "user015x", "z"] {
                    number += 1;
                    guests.push(app.user(&format!("u{name}{number}")).await);
                }
                // Where the page ended is nothing any more.
                let mut rest = Vec::new();
                for guest in guests {
                    if here.ids.contains(&guest) || number % 2 == 0 {
                        app.delete(&format!("/Users/{guest}")).await.expect(204);
                    } else {
                        rest.push(guest);
                    }
                }
                guests = rest;
                assert!(number < 150, "{path} does not end");
                match here.next() {
                    Some(next) => cursor = next,
                    None => break,
                }
            }
            let unique: BTreeSet<_> = seen.iter().cloned().collect();
            assert_eq!(unique.len(), seen.len(), "{path}: nobody twice");
            assert!(stay.is_subset(&unique), "{path}: everybody once");
            for guest in guests {
                app.delete(&format!("/Users/{guest}")).await.expect(204);
            }
        }
    }

    /// Proves SCIM-271, SCIM-272.
    async fn the_way_goes_on_where_everybody_has_left(app: TestApp) {
        users(&app, 9).await;
        let path = "/Users?count=3&sortBy=userName";
        let pages = forth(&app, path).await;
        for id in pages[1].ids.iter().chain(&pages[2].ids) {
            app.delete(&format!("/Users/{id}")).await.expect(204);
        }
        let empty = page(&app, path, &pages[1].cursor).await;
        assert_eq!((empty.ids.len(), empty.next()), (0, None));
        let before = page(&app, path, &empty.previous().unwrap()).await;
        assert_eq!(before.ids, pages[0].ids);
        let last = pages[2].previous().unwrap();
        assert_eq!(page(&app, path, &last).await.ids, pages[0].ids);
        for id in &pages[0].ids {
            app.delete(&format!("/Users/{id}")).await.expect(204);
        }
        let nobody = page(&app, path, &last).await;
        assert_eq!((nobody.ids.len(), nobody.previous()), (0, None));
        app.user("somebody").await;
        let found = page(&app, path, &nobody.next().unwrap()).await;
        assert_eq!((found.ids.len(), found.next(), found.previous()), (1, None, None));
    }
}
