//! Resources with their index rows and unique keys.

use usher::clock::Micros;
use usher::ids::TenantId;
use usher::scim::resource_type::Registry;
use usher::store::filter::World;
use usher::store::resources::{self, Counts, Draft, Key, Next, Part, Slice, Stored, Totals};
use usher::store::{Error, Store};

use crate::support::people::{T0, add, draft, tenant, version};
use crate::support::{Db, each_db};

/// Changes what the helpers made, or what `change` made of it.
async fn change(store: &Store, tenant: &TenantId, id: &str, next: Draft) -> Result<i64, Error> {
    change_from(store, (tenant, id), None, next).await
}

async fn change_from(
    store: &Store,
    (tenant, id): (&TenantId, &str),
    before: Option<Draft>,
    next: Draft,
) -> Result<i64, Error> {
    let (tenant, id) = (tenant.clone(), id.to_owned());
    store
        .write_apart(async move |tx| {
            let key = Key { tenant: &tenant, kind: "User", id: &id };
            let stored = resources::find(tx, key).await?.unwrap();
            let entries = before.clone().unwrap_or_else(|| draft(&stored.label)).entries;
            let (version, now) = (stored.version, Micros(T0.0 + 5));
            let next = Next { id: &id, version, before: &entries, draft: &next, now };
            let version = resources::update(tx, &tenant, "User", next).await?;
            version.ok_or_else(|| Error::Again("somebody was faster".to_owned()))
        })
        .await
}

async fn delete(store: &Store, tenant: &TenantId, kind: &'static str, id: &str) -> bool {
    let (tenant, id) = (tenant.clone(), id.to_owned());
    let done = store
        .write_apart(async move |tx| {
            let key = Key { tenant: &tenant, kind, id: &id };
            let stored = resources::find(tx, key).await?;
            let entries = stored.map(|stored| draft(&stored.label).entries).unwrap_or_default();
            resources::delete(tx, key, &entries, Micros(T0.0 + 9)).await
        })
        .await;
    done.unwrap()
}

/// Attribute and value of every index row and every unique key.
async fn entries(store: &Store) -> Vec<(String, String)> {
    let rows = store
        .read(async |tx| {
            tx.query(
                "SELECT attr, value FROM attr_index UNION ALL SELECT attr, value FROM unique_keys
                 ORDER BY 1, 2",
                &[],
            )
            .await
        })
        .await;
    let text = |row: &usher::store::Row, column| row.text(column).unwrap().to_owned();
    rows.unwrap().iter().map(|row: &usher::store::Row| (text(row, 0), text(row, 1))).collect()
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(attr, value)| ((*attr).to_owned(), (*value).to_owned())).collect()
}

/// A piece of the unsorted list of these kinds.
async fn list(
    db: &Db,
    owner: &TenantId,
    kinds: &'static [&'static str],
    slice: Slice,
) -> (u64, Vec<Stored>) {
    let owner = owner.clone();
    let found = db.store.read(async move |tx| {
        let registry = Registry::standard();
        let part = |kind: &&str| {
            let rt = registry.by_name(kind).unwrap();
            let world = World { tenant: owner.as_str(), rt, registry: &registry, base: "" };
            Part::new(world, None)
        };
        let parts: Vec<_> = kinds.iter().map(part).collect();
        let totals = Totals { counts: &Counts::default(), always: true };
        resources::list(tx, &parts, &slice, totals).await
    });
    let found = found.await.unwrap();
    (found.total.unwrap(), found.rows.into_iter().map(|row| row.stored).collect())
}

each_db! {
    async fn a_resource_is_read_as_it_was_written(db: Db) {
        let owner = tenant(&db.store, "acme").await;
        let id = add(&db.store, &owner, "User", "Änne 'x' $1 💡").await.unwrap();
        let other = tenant(&db.store, "other").await;
        for (who, there) in [(owner, true), (other, false)] {
            let id = id.clone();
            let found = db.store.read(async move |tx| {
                resources::find(tx, Key { tenant: &who, kind: "User", id: &id }).await
            }).await.unwrap();
            assert_eq!(found.is_some(), there);
            if let Some(found) = found {
                assert_eq!(found.document().unwrap()["userName"], "Änne 'x' $1 💡");
                assert_eq!((found.version, found.created, found.modified), (1, T0, T0));
                assert_eq!((found.kind.as_str(), found.label.as_str()), ("User", "Änne 'x' $1 💡"));
            }
        }
    }

    async fn an_update_replaces_the_document_and_only_the_rows_that_differ(db: Db) {
        let owner = tenant(&db.store, "acme").await;
        let id = add(&db.store, &owner, "User", "Ada").await.unwrap();
        let mut next = draft("Ada");
        next.doc = String::from(r#"{"userName":"Ada","active":false}"#);
        next.entries.index[1].1 = String::from("ada@new.example");
        next.entries.index.push(("active".to_owned(), "0".to_owned()));
        assert_eq!(change(&db.store, &owner, &id, next.clone()).await, Ok(2));
        let (tenant, key) = (owner.clone(), id.clone());
        let stored = db.store.read(async move |tx| {
            resources::find(tx, Key { tenant: &tenant, kind: "User", id: &key }).await
        }).await.unwrap().unwrap();
        assert_eq!((stored.doc.as_str(), stored.version), (next.doc.as_str(), 2));
        assert_eq!((stored.created, stored.modified), (T0, Micros(T0.0 + 5)));
        assert_eq!(entries(&db.store).await, pairs(&[
            ("active", "0"), ("emails.value", "ada@new.example"), ("userName", "ada"),
            ("userName", "ada")]));
        let renamed = change_from(&db.store, (&owner, &id), Some(next), draft("Grace")).await;
        assert_eq!(renamed, Ok(3));
        assert_eq!(entries(&db.store).await, pairs(&[
            ("emails.value", "grace@example.com"), ("userName", "grace"), ("userName", "grace")]));
    }

    async fn a_unique_value_belongs_to_one_resource_of_a_tenant(db: Db) {
        let (acme, other) = (tenant(&db.store, "acme").await, tenant(&db.store, "other").await);
        add(&db.store, &acme, "User", "Ada").await.unwrap();
        let taken = Err(Error::Taken("userName".to_owned()));
        assert_eq!(add(&db.store, &acme, "User", "ADA").await, taken);
        add(&db.store, &other, "User", "ada").await.unwrap();
        add(&db.store, &acme, "Group", "ada").await.unwrap();
        let grace = add(&db.store, &acme, "User", "Grace").await.unwrap();
        let renamed = change(&db.store, &acme, &grace, draft("ada")).await;
        assert_eq!(renamed, Err(Error::Taken("userName".to_owned())));
        assert_eq!(version(&db.store, &acme, "User", &grace).await, 1);
    }

    async fn an_update_gives_no_value_free_that_is_anothers(db: Db) {
        let owner = tenant(&db.store, "acme").await;
        add(&db.store, &owner, "User", "Ada").await.unwrap();
        let eve = add(&db.store, &owner, "User", "Eve").await.unwrap();
        // As after a change of the rules: what is computed is not what is stored.
        let wrong = change_from(&db.store, (&owner, &eve), Some(draft("Ada")), draft("Zoe")).await;
        assert_eq!(wrong, Ok(2));
        let taken = Err(Error::Taken("userName".to_owned()));
        assert_eq!(add(&db.store, &owner, "User", "Ada").await, taken);
    }

    async fn of_forty_who_want_one_name_at_once_exactly_one_gets_it(db: Db) {
        let owner = tenant(&db.store, "acme").await;
        let all = (0..40).map(|_| add(&db.store, &owner, "User", "Ada"));
        let done = futures_util::future::join_all(all).await;
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1);
        let lost = done.iter().filter(|done| **done == Err(Error::Taken("userName".to_owned())));
        assert_eq!(lost.count(), 39);
    }

    async fn forty_changes_of_one_resource_at_once_count_forty(db: Db) {
        let owner = tenant(&db.store, "acme").await;
        let id = add(&db.store, &owner, "User", "Ada").await.unwrap();
        let all = (0..40).map(|n| change(&db.store, &owner, &id, draft(&format!("Ada{n}"))));
        let mut versions: Vec<_> =
            futures_util::future::join_all(all).await.into_iter().map(Result::unwrap).collect();
        versions.sort_unstable();
        assert_eq!(versions, (2..=41).collect::<Vec<_>>());
        assert_eq!(entries(&db.store).await.len(), 3);
    }

    async fn a_change_based_on_an_old_version_does_nothing(db: Db) {
        let owner = tenant(&db.store, "acme").await;
        let id = add(&db.store, &owner, "User", "Ada").await.unwrap();
        let was = entries(&db.store).await;
        let done = db.store.write_apart(async move |tx| {
            let (before, eve) = (draft("Ada").entries, draft("Eve"));
            let next = Next { id: &id, version: 2, before: &before, draft: &eve, now: T0 };
            resources::update(tx, &owner, "User", next).await
        }).await;
        assert_eq!(done, Ok(None));
        assert_eq!(entries(&db.store).await, was);
    }

    async fn a_deleted_resource_leaves_no_row_and_frees_its_name(db: Db) {
        let owner = tenant(&db.store, "acme").await;
        let id = add(&db.store, &owner, "User", "Ada").await.unwrap();
        let (tenant, key) = (owner.clone(), id.clone());
        db.store.write_apart(async move |tx| {
            usher::store::passwords::set(tx, &tenant, &key, "$phc").await
        }).await.unwrap();
        assert!(delete(&db.store, &owner, "User", &id).await);
        assert!(!delete(&db.store, &owner, "User", &id).await);
        assert_eq!(entries(&db.store).await, pairs(&[]));
        let (tenant, key) = (owner.clone(), id.clone());
        let password = db.store.read(async move |tx| {
            usher::store::passwords::find(tx, &tenant, &key).await
        }).await;
        assert_eq!(password, Ok(None));
        add(&db.store, &owner, "User", "Ada").await.unwrap();
    }

    async fn pages_are_stable_and_the_total_counts_all(db: Db) {
        let owner = tenant(&db.store, "acme").await;
        let other = tenant(&db.store, "other").await;
        add(&db.store, &other, "User", "stranger").await.unwrap();
        let mut ids = Vec::new();
        for kind in ["User", "Group"] {
            let mut of_kind = Vec::new();
            for number in 0..5 {
                of_kind.push(add(&db.store, &owner, kind, &format!("n{number}")).await.unwrap());
            }
            of_kind.sort();
            ids.extend(of_kind);
        }
        for (skip, count) in [(0, 100), (0, 3), (3, 4), (4, 1), (5, 5), (8, 9), (10, 2), (50, 1), (0, 0)] {
            let slice = Slice { skip, count, ..Slice::default() };
            let (total, page) = list(&db, &owner, &["User", "Group"], slice).await;
            assert_eq!(total, 10, "{skip} {count}");
            let found: Vec<_> = page.into_iter().map(|stored| stored.id).collect();
            let (skip, count) = (usize::try_from(skip).unwrap(), usize::try_from(count).unwrap());
            let expected: Vec<_> = ids.iter().skip(skip).take(count).cloned().collect();
            assert_eq!(found, expected, "{skip} {count}");
        }
    }

    async fn labels_come_for_those_that_exist(db: Db) {
        let owner = tenant(&db.store, "acme").await;
        let ada = add(&db.store, &owner, "User", "Ada").await.unwrap();
        let crew = add(&db.store, &owner, "Group", "Crew").await.unwrap();
        let ids = vec![ada.clone(), "nobody".to_owned(), crew.clone()];
        let found = db.store.read(async move |tx| {
            resources::labels(tx, &owner, &["User", "Group"], &ids).await
        }).await.unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[&ada], ("User".to_owned(), "Ada".to_owned()));
        assert_eq!(found[&crew], ("Group".to_owned(), "Crew".to_owned()));
    }
}
