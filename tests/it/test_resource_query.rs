//! Queries of a resource type that only the tests know.

use serde_json::{Value, json};

use crate::support::app::Reply;
use crate::support::each_db;
use crate::support::synthetic::{CORE, EXTENSION, Synthetic, full, least};

/// Makes `alpha` of everything, `beta` of other values, and `gamma` of as little as may be.
async fn three(app: &Synthetic) -> [String; 3] {
    let alpha = app.post("/TestResources", &full("alpha")).await.expect(201).id();
    let mut body = full("beta");
    for (name, value) in [
        ("caseExactString", json!("größe")),
        ("caseInsensitiveString", json!("straße")),
        ("integerAttr", json!(7)),
        ("decimalAttr", json!(2.25)),
        ("booleanAttr", json!(false)),
        ("dateTimeAttr", json!("2026-03-01T12:00:00+01:00")),
        ("binaryAttr", json!("AAAA")),
        ("referenceAttr", json!("https://example.com/b")),
        ("multiStrings", json!(["three"])),
        ("complexAttr", json!({ "sub1": "Other", "sub2": 8, "sub3": false })),
        ("multiComplex", json!([{ "value": "v2", "type": "a" }])),
        (EXTENSION, json!({ "extRequired": "here", "extInteger": 4 })),
    ] {
        body[name] = value;
    }
    let beta = app.post("/TestResources", &body).await.expect(201).id();
    let gamma = app.post("/TestResources", &least("gamma")).await.expect(201).id();
    [alpha, beta, gamma]
}

/// The first letters of what was found, in its order.
fn letters(reply: &Reply) -> String {
    let found = reply.body["Resources"].as_array().unwrap();
    found.iter().map(|one| &one["identifier"].as_str().unwrap()[..1]).collect()
}

/// What each filter finds: every operator that a type has.
const FILTERS: &[(&str, &str)] = &[
    ("identifier eq \"ALPHA\"", "a"),
    ("identifier ne \"alpha\"", "bg"),
    ("identifier co \"M\"", "g"),
    ("identifier sw \"be\"", "b"),
    ("identifier ew \"A\"", "abg"),
    ("identifier gt \"alpha\"", "bg"),
    ("identifier ge \"beta\"", "bg"),
    ("identifier lt \"beta\"", "a"),
    ("identifier le \"BETA\"", "ab"),
    ("identifier pr", "abg"),
    ("caseExactString eq \"Größe\"", "a"),
    ("caseExactString co \"röß\"", "ab"),
    ("caseExactString sw \"g\"", "b"),
    ("caseInsensitiveString eq \"STRASSE\"", "b"),
    ("caseInsensitiveString co \"O W\"", "a"),
    ("caseInsensitiveString ne \"straße\"", "ag"),
    ("integerAttr eq 42", "a"),
    ("integerAttr ne 42", "bg"),
    ("integerAttr gt 7", "a"),
    ("integerAttr ge 7", "ab"),
    ("integerAttr lt 42", "b"),
    ("integerAttr le 42", "ab"),
    ("integerAttr pr", "ab"),
    ("not (integerAttr pr)", "g"),
    ("decimalAttr eq 2.5", "a"),
    ("decimalAttr ne 2.5", "bg"),
    ("decimalAttr gt 2.25", "a"),
    ("decimalAttr ge 2.25", "ab"),
    ("decimalAttr lt 2.5", "b"),
    ("decimalAttr le 2.5", "ab"),
    ("booleanAttr eq true", "a"),
    ("booleanAttr ne true", "bg"),
    ("booleanAttr pr", "ab"),
    ("dateTimeAttr eq \"2026-03-01T11:00:00+01:00\"", "a"),
    ("dateTimeAttr ne \"2026-03-01T10:00:00Z\"", "bg"),
    ("dateTimeAttr gt \"2026-03-01T10:00:00Z\"", "b"),
    ("dateTimeAttr ge \"2026-03-01T10:00:00Z\"", "ab"),
    ("dateTimeAttr lt \"2026-03-01T11:00:00Z\"", "a"),
    ("dateTimeAttr le \"2026-03-01T11:00:00Z\"", "ab"),
    ("binaryAttr eq \"aGVsbG8=\"", "a"),
    ("binaryAttr ne \"aGVsbG8=\"", "bg"),
    ("binaryAttr co \"GV\"", "a"),
    ("binaryAttr sw \"AA\"", "b"),
    ("binaryAttr ew \"=\"", "a"),
    ("referenceAttr eq \"https://example.com/a\"", "a"),
    ("referenceAttr sw \"https://EXAMPLE\"", ""),
    ("referenceAttr ew \"/b\"", "b"),
    ("referenceAttr pr", "ab"),
    ("multiStrings eq \"one\"", "a"),
    ("multiStrings ne \"one\"", "bg"),
    ("multiStrings co \"t\"", "ab"),
    ("multiStrings pr", "ab"),
    ("multiStrings[value sw \"th\"]", "b"),
    ("complexAttr.sub1 eq \"inner\"", "a"),
    ("complexAttr.sub2 gt 7", "b"),
    ("complexAttr.sub3 eq true", "a"),
    ("complexAttr pr", "ab"),
    ("complexAttr[sub1 eq \"inner\" and sub2 eq 7]", "a"),
    ("multiComplex eq \"V2\"", "ab"),
    ("multiComplex.type eq \"b\"", "a"),
    ("multiComplex[type eq \"a\" and value eq \"v2\"]", "b"),
    ("multiComplex[primary eq true]", "a"),
    ("requestOnlyAttr eq \"quiet\"", "ab"),
    ("alwaysReturnedAttr pr", "ab"),
    ("immutableAttr sw \"on\"", "ab"),
    ("readOnlyAttr pr", ""),
    ("externalId eq \"x-beta\"", "b"),
    ("uniqueString eq \"u-ALPHA\"", "a"),
    ("urn:ietf:params:scim:schemas:extension:test:2.0:TestResource:extInteger ge 4", "b"),
    ("urn:ietf:params:scim:schemas:extension:test:2.0:TestResource:extString pr", "a"),
    ("urn:ietf:params:scim:schemas:test:2.0:TestResource:identifier eq \"gamma\"", "g"),
    ("meta.resourceType eq \"TestResource\"", "abg"),
    ("meta.created gt \"2020-01-01T00:00:00Z\" and (integerAttr eq 7 or integerAttr eq 42)", "ab"),
    ("schemas eq \"urn:ietf:params:scim:schemas:test:2.0:TestResource\"", "abg"),
];

each_db! {
    async fn every_operator_works_on_every_type(app: Synthetic) {
        three(&app).await;
        for (filter, found) in FILTERS {
            let search = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
                "filter": filter, "sortBy": "identifier",
            });
            let reply = app.post("/TestResources/.search", &search).await.expect(200);
            assert_eq!(letters(&reply), *found, "{filter}");
            assert_eq!(reply.body["totalResults"], found.len(), "{filter}");
        }
    }

    async fn operators_that_a_type_has_not_are_refused(app: Synthetic) {
        for filter in [
            "booleanAttr gt true", "booleanAttr co \"t\"", "integerAttr co 4", "integerAttr eq \"x\"",
            "decimalAttr sw 2", "dateTimeAttr co \"2026\"", "dateTimeAttr eq \"now\"",
            "binaryAttr gt \"AA\"", "complexAttr eq \"x\"", "writeOnlyAttr eq \"secret\"",
            "noAttr eq 1", "complexAttr.sub9 pr", "userName eq \"x\"",
        ] {
            let reply = app.find("/TestResources", filter).await;
            assert!(reply.status == 400 || reply.status == 403, "{filter}: {}", reply.body);
        }
    }

    async fn it_sorts_by_every_type(app: Synthetic) {
        three(&app).await;
        for (by, ascending, descending) in [
            ("identifier", "abg", "gba"),
            ("integerAttr", "bag", "gab"),
            ("decimalAttr", "bag", "gab"),
            ("dateTimeAttr", "abg", "gba"),
            ("caseInsensitiveString", "abg", "gba"),
            ("caseExactString", "abg", "gba"),
            ("booleanAttr", "bag", "gab"),
            ("complexAttr.sub2", "abg", "gba"),
            ("multiComplex.value", "abg", "gba"),
            ("urn:ietf:params:scim:schemas:extension:test:2.0:TestResource:extInteger", "abg", "gba"),
        ] {
            let up = app.get(&format!("/TestResources?sortBy={by}")).await.expect(200);
            let down = app.get(&format!("/TestResources?sortBy={by}&sortOrder=descending")).await;
            assert_eq!((letters(&up).as_str(), letters(&down.expect(200)).as_str()), (ascending, descending), "{by}");
        }
        let page = app.get("/TestResources?sortBy=identifier&startIndex=2&count=1").await.expect(200);
        assert_eq!((letters(&page).as_str(), &page.body["totalResults"]), ("b", &json!(3)));
    }

    async fn each_attribute_is_shown_when_it_should_be(app: Synthetic) {
        let [alpha, ..] = three(&app).await;
        let read = async |query: &str| app.get(&format!("/TestResources/{alpha}{query}")).await.expect(200).body;
        let has = |body: &Value, names: &[&str]| names.iter().map(|name| body.get(*name).is_some()).collect::<Vec<_>>();
        let names = ["writeOnlyAttr", "requestOnlyAttr", "alwaysReturnedAttr", "integerAttr"];
        assert_eq!(has(&read("").await, &names), [false, false, true, true]);
        let asked = read("?attributes=requestOnlyAttr,writeOnlyAttr").await;
        assert_eq!(has(&asked, &names), [false, true, true, false]);
        let left = read("?excludedAttributes=alwaysReturnedAttr,integerAttr,complexAttr.sub1").await;
        assert_eq!(has(&left, &names), [false, false, true, false]);
        assert_eq!(left["complexAttr"], json!({ "sub2": 7, "sub3": true }));
        let inner = read(&format!("?attributes={EXTENSION}:extInteger,{CORE}:complexAttr.sub2")).await;
        assert_eq!(inner[EXTENSION], json!({ "extInteger": 3 }));
        assert_eq!(inner["complexAttr"], json!({ "sub2": 7 }));
    }

    /// Proves SCIM-184.
    async fn a_query_of_everything_finds_it_too(app: Synthetic) {
        three(&app).await;
        app.user("alpha").await;
        app.group("alpha", &[]).await;
        let all = app.find("", "meta.resourceType eq \"TestResource\" or userName eq \"alpha\"").await;
        assert_eq!(all.expect(200).body["totalResults"], 4);
        let search = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "filter": "identifier sw \"a\" or displayName eq \"alpha\"",
        });
        let found = app.post("/.search", &search).await.expect(200).body;
        assert_eq!(found["totalResults"], 2);
    }
}
