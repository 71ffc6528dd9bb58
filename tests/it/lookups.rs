//! Look-ups by a key: whatever goes together with those of others answers as a query of its own.

use futures_util::future::join_all;
use serde_json::json;
use usher::clock::Micros;
use usher::ids::TenantId;
use usher::store::Store;
use usher::store::lookup::{Ask, By};
use usher::store::resources::{self, Key};

use crate::support::app::TestApp;
use crate::support::asks::{ENTERPRISE, user};
use crate::support::people::{add, tenant};
use crate::support::{Db, each_db};

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A small company: managers, shared addresses, groups in groups.
async fn company(app: &TestApp) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..12 {
        let manager = ids.first().cloned().unwrap_or_default();
        let more = json!({
            "externalId": format!("E{}", number / 10),
            "emails": [{ "value": format!("Desk{}@a.example", number % 5) }],
            ENTERPRISE: { "employeeNumber": number.to_string(), "manager": { "value": manager } },
        });
        let body = user(&format!("Zoë{number}"), &more);
        ids.push(app.post("/Users", &body).await.expect(201).id());
    }
    let inner = app.group("inner", &[&ids[1], &ids[2]]).await;
    let outer = app.group("outer", &[&inner, &ids[1]]).await;
    ids.extend([inner, outer]);
    ids
}

each_db! {
    /// Proves SCIM-235.
    async fn a_filter_that_is_looked_up_answers_as_one_that_is_not(app: TestApp) {
        let ids = company(&app).await;
        let (one, inner, outer) = (&ids[1], &ids[12], &ids[13]);
        let long = "x".repeat(600);
        let users = [
            "userName eq \"ZOË3\"".to_owned(),
            "USERNAME Eq \"zoe\u{308}4\"".to_owned(),
            "userName eq \"nobody\"".to_owned(),
            format!("userName eq \"{long}\""),
            "externalId eq \"E1\"".to_owned(),
            "externalId eq \"e1\"".to_owned(),
            // More than a look-up gives.
            "externalId eq \"E0\"".to_owned(),
            "emails.value eq \"desk2@A.example\"".to_owned(),
            "emails eq \"desk2@a.example\"".to_owned(),
            format!("{ENTERPRISE}:employeeNumber eq \"3\""),
            format!("id eq \"{one}\""),
            format!("id eq \"{}\"", one.to_uppercase()),
            "active eq true".to_owned(),
            "userName eq null".to_owned(),
            "title eq \"nothing\"".to_owned(),
        ];
        let groups = [
            "displayName eq \"INNER\"".to_owned(),
            format!("id eq \"{inner}\" and members.value eq \"{one}\""),
            format!("members.value eq \"{one}\" and id eq \"{outer}\""),
            format!("id eq \"{inner}\" and members.value eq \"{outer}\""),
            format!("id eq \"{outer}\" and members eq \"{inner}\""),
            format!("id eq \"{outer}\" and members.value eq \"\""),
            format!("id eq \"{inner}\" and displayName eq \"inner\""),
            format!("members.value eq \"{one}\""),
        ];
        let of = |kind: &'static str, filters: &[String]| -> Vec<(&'static str, String)> {
            filters.iter().map(|filter| (kind, filter.clone())).collect()
        };
        let more = [
            "", "&count=1", "&count=0", "&startIndex=2", "&attributes=userName,emails.value",
            "&excludedAttributes=members,groups", "&sortBy=id",
        ];
        for (kind, filter) in [of("Users", &users), of("Groups", &groups)].concat() {
            for more in more {
                let ask = async |filter: &str| {
                    let path = format!("/{kind}?filter={}{more}", encoded(filter));
                    app.get(&path).await.expect(200).body.to_string()
                };
                let plain = ask(&format!("({filter}) and (id pr)")).await;
                assert_eq!(ask(&filter).await, plain, "{filter} {more}");
            }
        }
    }

    async fn what_cannot_be_looked_up_is_refused_as_ever(app: TestApp) {
        for filter in ["password eq \"x\"", "nothing eq \"x\""] {
            let ask = async |filter: String| {
                let reply = app.get(&format!("/Users?filter={}", encoded(&filter))).await;
                let detail = reply.refused(400, "invalidFilter");
                detail.split(" (request").next().unwrap().to_owned()
            };
            let ordinary = ask(format!("({filter}) and id pr")).await;
            assert_eq!(ask(filter.to_owned()).await, ordinary, "{filter}");
        }
        app.get("/Users?filter=id%20eq%20%22x%22&attributes=%5B").await.refused(400, "invalidValue");
    }

    /// Proves SCIM-004.
    async fn a_look_up_sees_what_was_answered_before_it(app: TestApp) {
        let rounds = join_all((0..16).map(|number| {
            let app = app.clone();
            async move {
                for round in 0..8 {
                    let name = format!("u{number}-{round}");
                    let id = app.user(&name).await;
                    let found = app.found(&format!("userName eq \"{name}\"")).await;
                    assert_eq!(found, std::slice::from_ref(&name));
                    let seen = app.get(&format!("/Users/{id}")).await.expect(200);
                    assert_eq!(seen.body["userName"], name);
                    app.delete(&format!("/Users/{id}")).await.expect(204);
                    app.get(&format!("/Users/{id}")).await.expect(404);
                }
            }
        }));
        rounds.await;
    }

    async fn look_ups_of_tenants_that_go_together_stay_apart(db: Db) {
        let (one, other) = (tenant(&db.store, "one").await, tenant(&db.store, "other").await);
        let id = add(&db.store, &one, "User", "ada").await.unwrap();
        add(&db.store, &other, "User", "ada").await.unwrap();
        let asks = (0..100).flat_map(|_| {
            [&one, &other].map(|tenant| ask(&db.store, tenant, By::Id(id.clone())))
        });
        for (place, found) in join_all(asks).await.into_iter().enumerate() {
            assert_eq!(found.len(), 1 - place % 2, "{place}");
        }
    }

    async fn a_value_that_many_have_gives_the_first_by_id(db: Db) {
        let acme = tenant(&db.store, "acme").await;
        let mut ids = Vec::new();
        for number in 0..30 {
            let (id, who) = (format!("id{:02}", 29 - number), acme.clone());
            let draft = resources::Draft {
                doc: "{}".to_owned(),
                folded: "{}".to_owned(),
                entries: resources::Entries {
                    index: vec![("externalId".to_owned(), "same".to_owned())],
                    ..resources::Entries::default()
                },
                ..resources::Draft::default()
            };
            let key = id.clone();
            db.store
                .write_apart(async move |tx| {
                    let key = Key { tenant: &who, kind: "User", id: &key };
                    resources::insert(tx, key, &draft, Micros(1)).await
                })
                .await
                .unwrap();
            ids.push(id);
        }
        ids.sort();
        let by = || By::Value { attr: "externalId".to_owned(), value: "same".to_owned() };
        assert_eq!(ask(&db.store, &acme, by()).await, ids[..9]);
    }
}

/// The ids of what a look-up finds.
pub(crate) async fn ask(store: &Store, tenant: &TenantId, by: By) -> Vec<String> {
    let kind = "User".to_owned();
    let ask = Ask { tenant: tenant.clone(), kind, by, most: 9, groups: true, members: 0 };
    store.look_up(ask).await.unwrap().into_iter().map(|found| found.stored.id).collect()
}
