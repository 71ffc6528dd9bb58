//! Queries as a client asks them. What each operator does is proved against both databases in
//! `filter_sql`; here is what surrounds it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::app::{BASE, TestApp};
use crate::support::asks::{ENTERPRISE, texts};
use crate::support::each_db;

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

async fn users(app: &TestApp, names: &[&str]) {
    for name in names {
        app.user(name).await;
    }
}

each_db! {
    /// Proves SCIM-187, SCIM-188, SCIM-189, SCIM-190, SCIM-191, SCIM-004.
    async fn a_page_says_how_many_there_are_and_where_it_begins(app: TestApp) {
        let nothing = app.found("userName eq \"nobody\"").await;
        assert!(nothing.is_empty());
        let empty = app.get("/Users").await.expect(200).body;
        assert_eq!(
            empty,
            json!({
                "schemas": [LIST], "totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": []
            })
        );
        users(&app, &["a", "b", "c"]).await;
        let reply = app.get("/Users?count=2").await.expect(200);
        assert_eq!(reply.header("content-type"), "application/scim+json");
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.body["totalResults"], 3);
        assert_eq!(reply.body["itemsPerPage"], 2);
        assert_eq!(reply.body["startIndex"], 1);
    }

    /// Proves SCIM-258, SCIM-259, SCIM-260, SCIM-261, SCIM-264, SCIM-265, SCIM-266, SCIM-257, SCIM-185.
    async fn pages_begin_and_end_where_they_should(app: TestApp) {
        users(&app, &["a", "b", "c", "d", "e"]).await;
        let table = [
            ("", 1_i64, 5),
            ("startIndex=0", 1, 5),
            ("startIndex=-5&count=2", 1, 2),
            ("startIndex=2&count=2", 2, 2),
            ("startIndex=5&count=2", 5, 1),
            ("startIndex=6", 6, 0),
            ("startIndex=9999999999", 9_999_999_999, 0),
            ("count=0", 1, 0),
            ("count=-1", 1, 0),
            ("count=3&startIndex=1&sortOrder=descending", 1, 3),
            ("foo=1&aadOptscim062020&count=1", 1, 1),
        ];
        for (query, start, items) in table {
            let body = app.get(&format!("/Users?{query}")).await.expect(200).body;
            assert_eq!(body["totalResults"], 5, "{query}");
            assert_eq!(body["startIndex"], start, "{query}");
            assert_eq!(body["itemsPerPage"], items, "{query}");
            assert_eq!(body["Resources"].as_array().unwrap().len(), items, "{query}");
        }
    }

    /// Proves SCIM-212, SCIM-248, SCIM-251, SCIM-256, SCIM-267.
    async fn a_query_that_is_wrong_is_refused_before_anything_is_read(app: TestApp) {
        let deep = format!("filter={}userName pr{}", "(".repeat(5000), ")".repeat(5000));
        let table = [
            ("count=abc", "invalidValue"),
            ("startIndex=1.5", "invalidValue"),
            ("count=99999999999999999999", "invalidValue"),
            ("sortBy=userName&sortOrder=up", "invalidValue"),
            ("sortBy=name", "invalidValue"),
            ("sortBy=nothing", "invalidValue"),
            ("sortBy=a..b", "invalidValue"),
            ("attributes=a..b", "invalidValue"),
            ("filter=", "invalidFilter"),
            ("filter=userName", "invalidFilter"),
            ("filter=userName eq", "invalidFilter"),
            ("filter=userName is \"x\"", "invalidFilter"),
            ("filter=(userName eq \"x\"", "invalidFilter"),
            ("filter=userName eq \"x\" garbage", "invalidFilter"),
            ("filter=name eq \"x\"", "invalidFilter"),
            ("filter=active gt false", "invalidFilter"),
            ("filter=active co \"t\"", "invalidFilter"),
            ("filter=meta.created gt \"yesterday\"", "invalidFilter"),
            ("filter=emails[ims[type eq \"a\"]]", "invalidFilter"),
            ("filter=userName eq \"%00\"", "invalidFilter"),
            (deep.as_str(), "invalidFilter"),
        ];
        for (query, kind) in table {
            let reply = app.get(&format!("/Users?{query}")).await;
            assert_eq!(reply.status, 400, "{query}");
            let detail = reply.refused(400, kind);
            assert!(detail.len() < 600, "{detail}");
        }
        let strict = app.tenant_with("scim.strict", "true").await;
        for filter in
            ["not active eq true", "userName eq bob", "userName eq 'bob'", "active eq \"true\""]
        {
            strict.find("/Users", filter).await.refused(400, "invalidFilter");
        }
    }

    /// Proves SCIM-195, SCIM-211.
    async fn an_attribute_that_is_not_there_is_named(app: TestApp) {
        for filter in ["shoeSize eq 44", "emails.shoe eq \"x\"", "members eq \"x\""] {
            let detail = app.find("/Users", filter).await.refused(400, "invalidFilter");
            let name = filter.split(' ').next().unwrap();
            assert!(detail.contains(name), "{detail}");
        }
        let detail = app.find("/Users", "userName regex \"x\"").await.refused(400, "invalidFilter");
        assert!(detail.contains("regex"), "{detail}");
    }

    /// Proves SCIM-268, SCIM-255.
    async fn walking_the_pages_meets_everybody_once(app: TestApp) {
        let mut all = BTreeSet::new();
        for number in 0..25 {
            let name = format!("user{number:02}");
            let title = if number % 2 == 0 { "Even" } else { "Odd" };
            app.user_with(&name, &json!({ "title": title })).await;
            all.insert(name);
        }
        for order in [
            "",
            "&sortBy=title",
            "&sortBy=title&sortOrder=descending",
            "&sortBy=nickName",
            "&filter=userName sw \"user\"",
        ] {
            let mut met = Vec::new();
            for start in [1, 8, 15, 22, 29] {
                met.extend(app.names(&format!("/Users?startIndex={start}&count=7{order}")).await);
                if start == 8 {
                    // A rename between two pages moves nobody.
                    let filter = app.find("/Users", "userName eq \"user03\"").await.body;
                    let path = format!("/Users/{}", filter["Resources"][0]["id"].as_str().unwrap());
                    let change = json!([{ "op": "add", "path": "nickName", "value": null }]);
                    app.patch(&path, change).await.expect(200);
                }
            }
            assert_eq!(met.len(), 25, "{order}");
            assert_eq!(met.into_iter().collect::<BTreeSet<_>>(), all, "{order}");
        }
    }

    /// Proves SCIM-263, SCIM-262.
    async fn a_page_holds_a_hundred_unless_asked(app: TestApp) {
        for number in 0..103 {
            app.user(&format!("user{number}")).await;
        }
        let body = app.get("/Users").await.body;
        assert_eq!((&body["itemsPerPage"], &body["totalResults"]), (&json!(100), &json!(103)));
        assert_eq!(app.names("/Users?count=103").await.len(), 103);
        assert_eq!(app.names("/Users?startIndex=101").await.len(), 3);
    }

    /// Proves SCIM-247, SCIM-249, SCIM-250, SCIM-252, SCIM-253, SCIM-254.
    async fn lists_are_sorted_by_what_people_see(app: TestApp) {
        let people = [
            (
                "B",
                json!({
                    "title": "b", "externalId": "b",
                    "emails": [{ "value": "z@x" }, { "value": "a@x", "primary": true }]
                }),
            ),
            (
                "c",
                json!({
                    "title": "\u{c4}rger", "externalId": "B",
                    "emails": [{ "value": "M@x" }, { "value": "b@x" }]
                }),
            ),
            ("A", json!({ "title": "C", "externalId": "a" })),
            ("d", json!({ "externalId": "A", "emails": [{ "value": "k@x" }] })),
        ];
        for (name, more) in people {
            app.user_with(name, &more).await;
        }
        let table = [
            ("userName", "A B c d"),
            ("USERNAME", "A B c d"),
            ("title", "B A c d"),
            ("emails.value", "B d c A"),
            ("emails", "B d c A"),
            ("externalId", "d c A B"),
            ("meta.created", "B c A d"),
            ("urn:ietf:params:scim:schemas:core:2.0:User:userName", "A B c d"),
        ];
        for (by, ascending) in table {
            let path = format!("/Users?sortBy={by}");
            assert_eq!(app.names(&path).await.join(" "), ascending, "{by}");
            assert_eq!(
                app.names(&format!("{path}&sortOrder=Ascending")).await.join(" "),
                ascending
            );
            let mut reversed: Vec<_> = ascending.split(' ').collect();
            reversed.reverse();
            let descending = app.names(&format!("{path}&sortOrder=descending")).await;
            assert_eq!(descending, reversed, "{by}");
        }
    }

    /// Proves SCIM-013, SCIM-209, SCIM-215.
    async fn what_stands_in_a_url_is_decoded_once(app: TestApp) {
        users(
            &app,
            &["a+b@x.io", "a b", "100%", "1000", "a%2Bb", "quo\"te", "back\\slash", "a_c", "abc"],
        )
        .await;
        let table = [
            ("userName%20eq%20%22a%2Bb@x.io%22", "a+b@x.io"),
            ("userName+eq+%22a%2Bb@x.io%22", "a+b@x.io"),
            ("userName%20eq%20%22a+b@x.io%22", "a+b@x.io"),
            ("userName+eq+%22a+b%22", "a b"),
            ("userName%20eq%20%22a%252Bb%22", "a%2Bb"),
            ("userName%20co%20%220%25%22", "100%"),
            ("userName%20co%20%22a_%22", "a_c"),
            ("userName%20co%20%22o%5C%22t%22", "quo\"te"),
            ("userName%20ew%20%22k%5C%5Cslash%22", "back\\slash"),
            ("userName%20eq%20%22%5Cu0061bc%22", "abc"),
            ("userName%20eq%20%22x'%20OR%201=1--%22", ""),
        ];
        for (filter, expected) in table {
            let names = app.names(&format!("/Users?filter={filter}")).await;
            assert_eq!(names.join(","), expected, "{filter}");
        }
    }

    /// Proves SCIM-073, SCIM-200, SCIM-203, SCIM-205, SCIM-207, SCIM-222, SCIM-230, SCIM-231,
    /// SCIM-232, SCIM-234, SCIM-235, SCIM-236, SCIM-237, SCIM-240, SCIM-244.
    async fn filters_find_whom_they_describe(app: TestApp) {
        let boss = app.user_with("boss", &json!({ "active": false, "title": "Boss" })).await;
        let more = json!({
            "emails": [{ "type": "work", "value": "a@y" }, { "type": "home", "value": "a@x" }],
            ENTERPRISE: { "manager": { "value": boss.id() }, "department": "Sales" },
            "externalId": "7", "nickName": "\u{df}"
        });
        let ida = app.user_with("ida", &more).await;
        let desk = app.group("Desk", &[&ida.id()]).await;
        let created = ida.body["meta"]["created"].as_str().unwrap().replace('Z', "+00:00");
        let table = [
            ("active eq true".to_owned(), "ida"),
            ("active pr".to_owned(), "boss ida"),
            ("title ne \"Boss\"".to_owned(), "ida"),
            ("not (title eq \"Boss\")".to_owned(), "ida"),
            ("title eq null".to_owned(), "ida"),
            ("title ne null".to_owned(), "boss"),
            ("title co \"\"".to_owned(), "boss"),
            ("emails[type eq \"work\" and value co \"@x\"]".to_owned(), ""),
            ("emails.type eq \"work\" and emails.value co \"@x\"".to_owned(), "ida"),
            ("emails.type ne \"work\"".to_owned(), "boss"),
            ("emails[primary eq false and type eq \"work\"]".to_owned(), "ida"),
            ("emails[primary eq true]".to_owned(), ""),
            ("emails.primary eq false".to_owned(), "ida"),
            ("emails.primary ne false".to_owned(), "boss"),
            ("emails pr and active eq true".to_owned(), "ida"),
            ("userName eq \"boss\" or title pr and active eq true".to_owned(), "boss"),
            ("nickName eq \"SS\"".to_owned(), "ida"),
            (format!("{ENTERPRISE}:manager.value eq \"{}\"", boss.id()), "ida"),
            (format!("{ENTERPRISE}:manager eq \"{}\"", boss.id()), "ida"),
            (format!("{}:Department eq \"sales\"", ENTERPRISE.to_uppercase()), "ida"),
            (format!("meta.created eq \"{created}\""), "ida"),
            ("meta.created gt \"2001-01-01T00:00:00+14:00\"".to_owned(), "boss ida"),
            ("meta.resourceType eq \"user\"".to_owned(), ""),
            (format!("groups eq \"{desk}\""), "ida"),
            ("groups.display eq \"desk\"".to_owned(), "ida"),
            (format!("groups[value eq \"{desk}\" and type eq \"direct\"]"), "ida"),
            (format!("id eq \"{}\"", ida.id()), "ida"),
        ];
        for (filter, expected) in table {
            assert_eq!(app.found(&filter).await.join(" "), expected, "{filter}");
        }
    }

    /// Proves SCIM-078, SCIM-099, SCIM-243, SCIM-244.
    async fn groups_are_found_by_name_and_by_member(app: TestApp) {
        let ida = app.user("ida").await;
        app.group("Night Desk", &[&ida]).await;
        app.group("Day desk", &[]).await;
        let table = [
            ("displayName eq \"NIGHT desk\"".to_owned(), "Night Desk"),
            (format!("members eq \"{ida}\""), "Night Desk"),
            (format!("members[value eq \"{ida}\"]"), "Night Desk"),
            (format!("members.value eq \"{}\"", ida.to_uppercase()), ""),
            (format!("members.$ref eq \"{BASE}/Users/{ida}\""), "Night Desk"),
            (format!("members.$ref eq \"http://usher.test/scim/Users/{ida}\""), "Night Desk"),
            (format!("members.$ref eq \"Users/{ida}\""), "Night Desk"),
            (format!("members[$ref eq \"../Users/{ida}\"]"), "Night Desk"),
            ("members pr".to_owned(), "Night Desk"),
            ("not (members pr)".to_owned(), "Day desk"),
            ("meta.resourceType eq \"Group\" and displayName sw \"day\"".to_owned(), "Day desk"),
        ];
        for (filter, expected) in table {
            let body: Value = app.find("/Groups", &filter).await.expect(200).body;
            assert_eq!(texts(&body["Resources"], "/displayName").join(","), expected, "{filter}");
        }
    }

    /// Proves SCIM-186.
    async fn a_filter_on_a_single_resource_is_ignored(app: TestApp) {
        let path = format!("/Users/{}", app.user("ida").await);
        app.get(&format!("{path}?filter=userName eq \"nobody\"")).await.expect(200);
    }
}
