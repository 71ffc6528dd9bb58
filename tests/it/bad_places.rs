//! Ids, paths, filters and credentials that lead nowhere.

use serde_json::{Value, json};
use usher::app::tokens::NewToken;
use usher::clock::Clock;

use crate::support::app::TestApp;
use crate::support::each_db;

/// Ids as they may stand in a URL.
fn ids() -> Vec<String> {
    let plain = [
        "0",
        "-1",
        "1e9",
        "null",
        "undefined",
        "%20",
        "%2F",
        "%2f..%2f",
        "..%2F..",
        "%00",
        "a%00b",
        "%FF%FE",
        "%C3%28",
        "%E2%82",
        "%25",
        "%2525",
        "'%3B%20DROP%20TABLE%20resources%3B--",
        "%27",
        "*",
        "%3F",
        "%23",
        "a;b",
        "a,b",
        "{id}",
        "%7Bid%7D",
        "%F0%9F%98%80",
        "00000000-0000-0000",
        "00000000-0000-0000-0000-000000000000",
        "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        "~",
        "%E2%80%AE",
        "%0d%0aset-cookie:%20a=b",
        "admin",
        "Users",
        "+",
        "@",
        "\u{7f}",
    ];
    let mut ids: Vec<String> = plain.iter().map(|id| (*id).to_owned()).collect();
    ids.retain(|id| !id.contains('\u{7f}'));
    ids.push("a".repeat(8000));
    ids.push("%61".repeat(2000));
    ids
}

each_db! {
    /// Proves SCIM-476.
    async fn ids_of_any_shape_name_nothing_by_every_method(app: TestApp) {
        app.user("there").await;
        let user = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "x" });
        for id in ids() {
            for endpoint in ["/Users", "/Groups"] {
                let path = format!("{endpoint}/{id}");
                app.get(&path).await.refused(404, "");
                app.delete(&path).await.refused(404, "");
                app.patch(&path, json!([{ "op": "remove", "path": "title" }])).await.refused(404, "");
                let body = if endpoint == "/Users" { user.clone() } else {
                    json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "x" })
                };
                app.put(&path, &body).await.refused(404, "");
            }
            app.get(&format!("/Schemas/{id}")).await.refused(404, "");
            app.get(&format!("/ResourceTypes/{id}")).await.refused(404, "");
        }
        assert_eq!(app.get("/Users").await.expect(200).body["totalResults"], 1);
    }

    async fn ids_of_any_shape_are_no_members_and_no_managers_that_break_anything(app: TestApp) {
        let user = app.user("there").await;
        let group = app.group("group", &[&user]).await;
        let path = format!("/Groups/{group}");
        for id in ["", " ", "x", "%00", "../..", "'", "\"", "\\", "😀", "\u{202e}", &"a".repeat(60_000)] {
            let add = json!([{ "op": "add", "path": "members", "value": [{ "value": id }] }]);
            let reply = app.patch(&path, add).await;
            assert!(matches!(reply.status, 200 | 204 | 400), "{id:.20}: {}", reply.body);
            let filter = format!("members[value eq {}]", Value::from(id));
            let remove = app.patch(&path, json!([{ "op": "remove", "path": filter }])).await;
            assert!(matches!(remove.status, 200 | 204 | 400), "{id:.20}: {}", remove.body);
        }
        let shown = app.get(&path).await.expect(200);
        assert_eq!(shown.body["members"].as_array().unwrap().len(), 1);
    }

    async fn what_is_nowhere_answers_a_scim_404(app: TestApp) {
        for path in [
            "/", "/Userss", "/Users/a/b", "/Users/a/members", "/users.json", "/../etc/passwd",
            "/%2e%2e/admin", "/Groups//", "/v2/Users", "/ResourceTypes/User/x", "http://usher.test/scim/v1x",
            "http://usher.test/", "http://usher.test/admin", "http://usher.test/scim/v2x/Users",
        ] {
            let reply = app.get(path).await;
            if reply.status != 200 {
                assert_eq!(reply.body["status"], "404", "{path}: {} {}", reply.status, reply.body);
                reply.refused(404, "");
            }
        }
    }

    /// Proves SCIM-457.
    async fn filters_that_mean_nothing_are_refused_with_where_they_went_wrong(app: TestApp) {
        let user = app.user("there").await;
        let deep = |depth: usize| format!("{}userName pr{}", "(".repeat(depth), ")".repeat(depth));
        let mut taken = Vec::new();
        let long = format!("userName eq \"{}\"", "x".repeat(1 << 20));
        for filter in [
            "userName", "userName eq", "eq \"x\"", "userName like \"x\"", "userName eq \"x", "userName = \"x\"",
            "userName eq x y", "userName pr pr", "colour eq \"red\"", "name.colour eq \"x\"", "emails[", "emails[]",
            "emails[type eq \"work\"", "emails[colour eq \"x\"]", "userName pr and", "and",
            "()", "(userName pr", "userName pr)", "userName eq \"\\x\"", "userName eq \"\\ud800\"",
            "active gt true", "active co \"t\"", "meta.created gt \"yesterday\"",
            "userName eq [1]", "urn:x:y eq 1",
            "userName\u{0}eq \"x\"", "😀 eq 1", "userName eq 'x'", "userName[value eq \"x\"]",
            "password eq \"x\"", "name eq \"x\"", "\"userName\" eq \"x\"", "-1 eq 1", ";", "%",
            &deep(51), &deep(2000), &"not (".repeat(2000), &long,
        ] {
            let shown: String = filter.chars().take(60).collect();
            let search = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": filter,
            });
            let posted = app.post("/Users/.search", &search).await;
            if filter.len() > 64 * 1024 {
                // Longer than any string, and than any URL.
                posted.refused(400, "invalidValue");
                continue;
            }
            let reply = app.find("/Users", filter).await;
            if reply.body["scimType"] != "invalidFilter" {
                taken.push(format!("{shown}: {}", reply.body));
                continue;
            }
            assert!(reply.refused(400, "invalidFilter").len() < 600, "{shown}");
            // JSON has a word about U+0000 before the filter is read.
            let kind = if filter.contains('\0') { "invalidValue" } else { "invalidFilter" };
            posted.refused(400, kind);
        }
        assert_eq!(taken, Vec::<String>::new());
        app.find("/Users", &deep(49)).await.expect(200);
        app.get(&format!("/Users/{user}")).await.expect(200);
    }

    async fn parameters_that_mean_nothing_are_refused_or_read_as_the_standard_says(app: TestApp) {
        app.user("there").await;
        for (query, status) in [
            ("startIndex=x", 400), ("count=x", 400), ("count=1.5", 400), ("startIndex=99999999999999999999", 400),
            ("startIndex=-5", 200), ("startIndex=9223372036854775807", 200), ("count=-1", 200),
            ("count=9223372036854775807", 200), ("startIndex=0", 200), ("sortBy=colour", 400),
            ("sortBy=userName&sortOrder=sideways", 400), ("attributes=userName&attributes=id", 400),
            ("filter=%FF", 400), ("filter=%00", 400), ("filter=%", 400), ("&&&=", 200), ("colour=red", 200),
            ("attributes=%00", 400),
        ] {
            let reply = app.get(&format!("/Users?{query}")).await;
            assert_eq!(reply.status, status, "{query}: {}", reply.body);
        }
    }

    /// Proves SCIM-474, SCIM-476, SCIM-477, SCIM-480.
    async fn what_belongs_to_another_tenant_is_not_there(app: TestApp) {
        let other = app.tenant_with("page.default", "100").await;
        let theirs = app.user("anna").await;
        let their_group = app.group("group", &[&theirs]).await;
        let before = app.get(&format!("/Groups/{their_group}")).await.body;
        let unknown = "00000000-0000-7000-8000-000000000000";
        let path = format!("/Users/{theirs}");
        let told = |id: &str, detail: String| {
            let sentence = detail.split(" (request").next().unwrap().to_owned();
            sentence.replace(id, "ID")
        };
        let of_theirs = told(&theirs, other.get(&path).await.refused(404, ""));
        let of_none = told(unknown, other.get(&format!("/Users/{unknown}")).await.refused(404, ""));
        assert_eq!(of_theirs, of_none, "another tenant's id looks like none");
        let user = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "anna" });
        other.put(&path, &user).await.refused(404, "");
        other.patch(&path, json!([{ "op": "replace", "path": "title", "value": "x" }])).await.refused(404, "");
        other.delete(&path).await.refused(404, "");
        assert_eq!(other.find("/Users", "userName eq \"anna\"").await.expect(200).body["totalResults"], 0);
        assert_eq!(other.find("/Users", &format!("id eq \"{theirs}\"")).await.expect(200).body["totalResults"], 0);
        assert_eq!(other.get("?filter=id%20pr").await.expect(200).body["totalResults"], 0);
        // The same name is free here, and their user cannot become a member or a manager here.
        let ours = other.user("anna").await;
        let group = other.group("group", &[&ours]).await;
        let add = json!([{ "op": "add", "path": "members", "value": [{ "value": theirs }] }]);
        other.patch(&format!("/Groups/{group}"), add).await;
        let members = other.get(&format!("/Groups/{group}")).await.expect(200).body["members"].clone();
        assert_eq!(members.as_array().unwrap().len(), 1, "{members}");
        let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
        let replace = json!([{ "op": "replace", "path": manager, "value": { "value": theirs } }]);
        let reply = other.patch(&format!("/Users/{ours}"), replace).await;
        assert!(!reply.body.to_string().contains("anna@"), "{}", reply.body);
        assert_eq!(app.get(&format!("/Groups/{their_group}")).await.body, before);
    }

    /// Proves SCIM-482, SCIM-487.
    async fn tokens_that_are_not_good_are_refused_alike(app: TestApp) {
        let brief = NewToken { expires_days: Some(1), ..NewToken::default() };
        let expired = app.app.create_token(&app.tenant, &brief).await.unwrap().token;
        let later = Clock::System.now().plus_seconds(86_401);
        let app = app.second_instance_at(Clock::fixed(later)).await;
        let revoked = app.app.create_token(&app.tenant, &NewToken::default()).await.unwrap();
        app.app.revoke_token(&app.tenant, revoked.id.as_str()).await.unwrap();
        let mut damaged = app.token.clone();
        damaged.pop();
        let strangers = usher::domain::token::text("scim", [9; 32]);
        for value in [
            format!("Bearer {expired}"), format!("Bearer {}", revoked.token), format!("Bearer {damaged}"),
            format!("Bearer {strangers}"), "Bearer".to_owned(), "Bearer ".to_owned(), "Basic YTpi".to_owned(),
            format!("Bearer {} {}", app.token, app.token), format!("Bearer {}", "x".repeat(5000)), String::new(),
            format!("Digest {}", app.token), "Bearer null".to_owned(), "Bearer undefined".to_owned(),
        ] {
            let headers = [("authorization".to_owned(), value.clone())];
            for (method, path) in [("GET", "/Users"), ("POST", "/Users"), ("GET", "/Me"), ("DELETE", "/Users/x")] {
                let reply = app.exchange(method, path, &headers, None).await;
                let detail = reply.refused(401, "");
                assert!(reply.header("www-authenticate").starts_with("Bearer realm="), "{value:.40}");
                assert!(!detail.contains("expired") && !detail.contains("revoked"), "{detail}");
            }
        }
        app.get(&format!("/Users?access_token={}", app.token)).await.expect(200);
    }
}
