//! Filters on what resources change all the time (`active`, `lifecycle`, the pool of a seat), and lists in
//! the order of it, go by the index of states and mean what they mean in memory.

use std::cmp::Ordering;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use usher::scim::filter::eval::matches;
use usher::scim::filter::{Binding, Bound, Grammar, Unknown, bind, parse, sortable};
use usher::scim::fold::Doc;
use usher::scim::path::AttrPath;
use usher::scim::quirks::Quirks;
use usher::scim::resource_type::{Registry, ResourceType};
use usher::scim::urn;
use usher::store::filter::{Sorted, World};
use usher::store::resources::{self, Counts, Listed, Part, Slice, Sort, Totals};
use usher::store::{Error, Store};

use crate::filter_graph::{BASE, draw, store_all};
use crate::support::app::TestApp;
use crate::support::people::tenant;
use crate::support::{Db, each_db};

const LIFECYCLE: &str = "urn:ietf:params:scim:schemas:extension:usher:2.0:User:lifecycle";
const POOL: &str = "urn:ietf:params:scim:schemas:extension:usher-seat:2.0:User:pool.value";

/// A user in some state, or with half of one.
fn users() -> impl Strategy<Value = Doc> {
    let active = select(vec![Some(true), Some(true), Some(false), None]);
    let lifecycle = select(vec![Some("active"), Some("suspended"), None]);
    let pool = select(vec![Some("default"), None]);
    let title = select(vec![Some("Lead"), Some("Agent"), None]);
    (active, lifecycle, pool, title).prop_map(|(active, lifecycle, pool, title)| {
        let mut doc = Doc::new();
        let mut put = |name: &str, value: Option<Value>| {
            value.map(|value| doc.insert(name.to_owned(), value));
        };
        put("active", active.map(Value::from));
        put("title", title.map(Value::from));
        put(urn::CONTACT_CENTER, lifecycle.map(|lifecycle| json!({ "lifecycle": lifecycle })));
        put(urn::SEAT, pool.map(|pool| json!({ "pool": { "value": pool } })));
        doc
    })
}

fn filters() -> impl Strategy<Value = String> {
    let leaves: Vec<String> = [
        "active eq true",
        "active eq false",
        "active ne true",
        "active pr",
        "title eq \"lead\"",
        "LIFECYCLE eq \"Active\"",
        "LIFECYCLE sw \"s\"",
        "LIFECYCLE ne \"invited\"",
        "LIFECYCLE pr",
        "SEAT:pool[value eq \"default\"]",
        "LIFECYCLE gt \"b\"",
        "LIFECYCLE eq \"gone\"",
        "POOL eq \"default\"",
        "POOL co \"super\"",
        "POOL pr",
        "title pr",
        "userName sw \"u1\"",
        "userName eq \"u7\"",
    ]
    .map(|leaf| {
        leaf.replace("LIFECYCLE", LIFECYCLE).replace("POOL", POOL).replace("SEAT", urn::SEAT)
    })
    .into();
    select(leaves).prop_recursive(3, 6, 3, |inner| {
        let many = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            many.clone().prop_map(|all| format!("({})", all.join(" and "))),
            many.prop_map(|all| format!("({})", all.join(" or "))),
            inner.prop_map(|inner| format!("not ({inner})")),
        ]
    })
}

fn bound<'a>(rt: &'a ResourceType, filter: &str) -> Bound<'a> {
    let rules = Binding { quirks: Quirks::ALL, unknown: Unknown::Refuse };
    bind(rt, &parse(filter, Grammar::of(Quirks::ALL)).unwrap(), rules).unwrap()
}

/// A place to read lists from.
struct Lists<'d> {
    store: &'d Store,
    registry: &'d Registry,
    tenant: String,
}

/// What list is read: filter and order.
#[derive(Debug, Clone)]
struct Query {
    filter: Option<String>,
    sort: Option<AttrPath>,
    down: bool,
    /// Up to so many are looked up and sorted.
    few: i64,
}

impl Lists<'_> {
    async fn piece(&self, query: &Query, slice: Slice) -> (Vec<Listed>, Option<u64>) {
        let (registry, tenant, query) = (self.registry.clone(), self.tenant.clone(), query.clone());
        let found = self.store.read(async move |tx| {
            let rt = registry.by_name("User").unwrap();
            let world = World { tenant: &tenant, rt, registry: &registry, base: BASE };
            let sort = query.sort.as_ref().map(|path| {
                let target = sortable(rt, path).unwrap();
                Sort { target: Some(target), sorted: Sorted::of(&target) }
            });
            let filter = query.filter.as_ref().map(|filter| bound(rt, filter));
            let parts = [Part::new(world, filter).sorted(sort).looking_up(query.few)];
            let totals = Totals { counts: &Counts::default(), always: true };
            let slice = Slice { down: query.down, ..slice.clone() };
            let found = resources::list(tx, &parts, &slice, totals).await?;
            Ok::<_, Error>((found.rows, found.total))
        });
        found.await.unwrap()
    }

    /// Reads a list at once, page by page, and by number, which have to agree with what is wanted.
    async fn compare(&self, query: &Query, wanted: &[&str]) {
        let size = 7;
        let (mut pages, mut numbered) = (Vec::new(), Vec::new());
        loop {
            let after = pages.last().map(Listed::mark);
            let (page, total) =
                self.piece(query, Slice { after, count: size, ..Slice::default() }).await;
            assert_eq!(total, Some(wanted.len() as u64), "{query:?}");
            let skip = numbered.len() as u64;
            numbered
                .extend(self.piece(query, Slice { skip, count: size, ..Slice::default() }).await.0);
            if page.is_empty() {
                break;
            }
            pages.extend(page);
            assert!(pages.len() <= wanted.len(), "one comes twice: {query:?}");
        }
        let ids = |rows: &[Listed]| -> Vec<String> {
            rows.iter().map(|row| row.stored.id.clone()).collect()
        };
        assert_eq!(ids(&pages), wanted, "page by page: {query:?}");
        assert_eq!(ids(&numbered), wanted, "by number: {query:?}");
        let Some(middle) = pages.get(pages.len() / 2) else { return };
        let back = Query { down: !query.down, ..query.clone() };
        let slice = Slice { after: Some(middle.mark()), count: 1_000, ..Slice::default() };
        let mut before = self.piece(&back, slice).await.0;
        before.reverse();
        assert_eq!(ids(&before), wanted[..pages.len() / 2], "back from the middle: {query:?}");
    }
}

/// The value that counts in an order; truth values as the texts that sort alike.
fn key<'d>(doc: &'d Doc, name: &str) -> Option<&'d str> {
    match name {
        "active" => doc.get(name)?.as_bool().map(|active| if active { "1" } else { "0" }),
        "lifecycle" => doc.get(urn::CONTACT_CENTER)?["lifecycle"].as_str(),
        "pool.value" => doc.get(urn::SEAT)?["pool"]["value"].as_str(),
        _ => doc.get(name)?.as_str(),
    }
}

fn absent_last(one: Option<&str>, other: Option<&str>) -> Ordering {
    one.is_none().cmp(&other.is_none()).then(one.cmp(&other))
}

each_db! {
    async fn lists_by_states_are_what_the_filter_means(db: Db) {
        let mut runner = TestRunner::deterministic();
        let registry = Registry::standard();
        let rt = registry.by_name("User").unwrap();
        let owner = tenant(&db.store, "acme").await;
        let docs: Vec<(String, Doc)> = (0..70)
            .map(|number| {
                let mut doc = draw(&mut runner, &users());
                doc.insert("userName".to_owned(), format!("u{number}").into());
                (format!("d{number:02}"), doc)
            })
            .collect();
        store_all(&db.store, &owner, rt, &docs).await;
        let lists = Lists { store: &db.store, registry: &registry, tenant: owner.to_string() };
        let sorts = [
            None,
            Some(("active", AttrPath::new("active", None))),
            Some(("lifecycle", AttrPath { urn: Some(urn::CONTACT_CENTER.into()), ..AttrPath::new("lifecycle", None) })),
            Some(("pool.value", AttrPath { urn: Some(urn::SEAT.into()), ..AttrPath::new("pool", Some("value")) })),
            Some(("userName", AttrPath::new("userName", None))),
        ];
        let (mut some, mut all) = (0, 0);
        for number in 0..150 {
            let filter = (number > 0).then(|| draw(&mut runner, &filters()));
            let meant = filter.as_ref().map(|filter| bound(rt, filter));
            let meant = |doc: &Doc| meant.as_ref().is_none_or(|bound| matches(bound, doc));
            let mut left: Vec<&(String, Doc)> = docs.iter().filter(|(_, doc)| meant(doc)).collect();
            some += usize::from(!left.is_empty() && left.len() < docs.len());
            all += 1;
            let sort = &sorts[number % sorts.len()];
            if let Some((name, _)) = sort {
                left.sort_by(|one, other| {
                    absent_last(key(&one.1, name), key(&other.1, name)).then(one.0.cmp(&other.0))
                });
            }
            let mut wanted: Vec<&str> = left.iter().map(|(id, _)| id.as_str()).collect();
            let down = draw(&mut runner, &any::<bool>());
            if down {
                wanted.reverse();
            }
            let sort = sort.as_ref().map(|(_, path)| path.clone());
            let few = if number % 3 == 0 { 1_000 } else { 3 };
            lists.compare(&Query { filter, sort, down, few }, &wanted).await;
        }
        assert!(some * 2 > all, "{some} of {all} filters leave some and not all");
    }

    /// As the databases of before are, which had an entry for each value.
    async fn a_database_of_before_learns_the_states(app: TestApp) {
        let ida = app.user("ida").await;
        let tom = app.user("tom").await;
        let off = json!([{ "op": "replace", "path": "active", "value": false }]);
        app.patch(&format!("/Users/{tom}"), off).await.expect(200);
        app.group("desk", &[&ida]).await;
        let old = app.another_store().await;
        let wanted = stored_states(&old).await;
        assert!(wanted.len() > 2 && wanted.iter().any(String::is_empty), "{wanted:?}");
        let before = old.write_apart(async |tx| {
            for sql in [
                "DROP INDEX resources_by_state",
                "ALTER TABLE resources DROP COLUMN state",
                "DELETE FROM usher_migrations WHERE number >= 11",
                "INSERT INTO attr_index (tenant, kind, attr, value, resource)
                 SELECT tenant, kind, 'active', '1', id FROM resources WHERE kind = 'User'",
            ] {
                tx.execute(sql, &[]).await?;
            }
            Ok::<_, Error>(())
        });
        before.await.unwrap();
        old.close().await;
        let store = app.another_store().await;
        assert_eq!(stored_states(&store).await, wanted);
        let entries = store.read(async |tx| {
            let sql = "SELECT 1 FROM attr_index WHERE attr = 'active'";
            Ok::<_, Error>(tx.query(sql, &[]).await?.len())
        });
        assert_eq!(entries.await.unwrap(), 0);
        store.close().await;
        let found = app.find("/Users", "active eq false").await;
        assert_eq!(found.body["totalResults"], 1);
        assert_eq!(found.body["Resources"][0]["id"], tom.as_str());
    }
}

async fn stored_states(store: &Store) -> Vec<String> {
    let look = store.read(async |tx| {
        let rows = tx.query("SELECT state FROM resources ORDER BY id", &[]).await?;
        rows.iter().map(|row| row.text(0).map(str::to_owned)).collect::<Result<Vec<_>, Error>>()
    });
    look.await.unwrap()
}
