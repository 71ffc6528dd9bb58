//! Resources that are stored as data: those that wait together go together, each with its own answer.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use usher::clock::Micros;
use usher::ids::{ResourceId, TenantId};
use usher::store::resources::{self, Draft, Key};
use usher::store::{Dialect, Error, Insertion, Store, blocks};

use crate::support::people::{T0, draft, tenant};
use crate::support::{Db, each_db};

fn insertion(tenant: &TenantId, number: i64, draft: Draft) -> Insertion {
    let now = Micros(T0.0 + number);
    Insertion {
        tenant: tenant.clone(),
        kind: "User".to_owned(),
        id: ResourceId::new(now).to_string(),
        draft: Arc::new(draft),
        now,
    }
}

/// Stores these while the tenant's line is held up, so that they wait together.
async fn insert_together(
    store: &Store,
    tenant: &TenantId,
    insertions: &[Insertion],
) -> Vec<Result<(), Error>> {
    let held = store.write::<(), Error, _>(tenant, async |_| {
        std::thread::sleep(Duration::from_millis(100));
        Ok(())
    });
    let inserted = join_all(insertions.iter().map(|one| store.insert(one.clone())));
    let (held, inserted) = futures_util::future::join(held, inserted).await;
    held.unwrap();
    inserted
}

/// What is stored of these: when it was made and changed.
async fn times(store: &Store, all: &[Insertion]) -> Vec<Option<(Micros, Micros)>> {
    let all = all.to_vec();
    let found = store.read(async move |tx| {
        let mut found = Vec::new();
        for one in &all {
            let key = Key { tenant: &one.tenant, kind: &one.kind, id: &one.id };
            let stored = resources::find(tx, key).await?;
            found.push(stored.map(|stored| (stored.created, stored.modified)));
        }
        Ok::<_, Error>(found)
    });
    found.await.unwrap()
}

async fn check_blocks(store: &Store, tenant: &TenantId) {
    let tenant = tenant.clone();
    let wrong = store.read(async move |tx| blocks::check(tx, &tenant, "User").await);
    assert_eq!(wrong.await.unwrap(), []);
}

each_db! {
    /// Proves SCIM-480.
    async fn of_insertions_that_wait_together_one_whose_name_is_taken_is_refused_alone(db: Db) {
        let tenant = tenant(&db.store, "acme").await;
        let names = ["ada", "bob", "eve", "ADA", "zoe", "bob", "kim"];
        let all: Vec<_> = (0..).zip(names)
            .map(|(number, name)| insertion(&tenant, number, draft(name)))
            .collect();
        let outcomes = insert_together(&db.store, &tenant, &all).await;
        let stored = times(&db.store, &all).await;
        for (number, (outcome, times)) in outcomes.into_iter().zip(stored).enumerate() {
            if [3, 5].contains(&number) {
                assert_eq!(outcome, Err(Error::Taken("userName".to_owned())), "{number}");
                assert_eq!(times, None, "{number}");
            } else {
                assert_eq!(outcome, Ok(()), "{number}");
                assert_eq!(times, Some((all[number].now, all[number].now)), "{number}");
            }
        }
        check_blocks(&db.store, &tenant).await;
    }

    async fn an_insertion_that_the_database_cannot_take_is_refused_alone(db: Db) {
        let tenant = tenant(&db.store, "acme").await;
        let mut all: Vec<_> = (0..9)
            .map(|number| insertion(&tenant, number, draft(&format!("user{number}"))))
            .collect();
        // An id that is there already is no unique value of a client: the statement fails.
        let there = all[2].id.clone();
        all[4].id = there;
        let outcomes = insert_together(&db.store, &tenant, &all).await;
        for (number, outcome) in outcomes.iter().enumerate() {
            assert_eq!(outcome.is_err(), number == 4, "{number}: {outcome:?}");
        }
        let stored = times(&db.store, &all).await;
        assert!(stored.iter().all(Option::is_some), "{stored:?}");
        check_blocks(&db.store, &tenant).await;
    }

    async fn a_long_change_that_fails_among_others_is_refused_once_and_alone(db: Db) {
        let tenant = tenant(&db.store, "acme").await;
        let all: Vec<_> = (0..6)
            .map(|number| insertion(&tenant, number, draft(&format!("user{number}"))))
            .collect();
        let (before, behind) = all.split_at(3);
        let (owner, name) = (tenant.clone(), draft("long"));
        let long = db.store.write_long::<(), Error, _>(&tenant, async move |tx| {
            let key = Key { tenant: &owner, kind: "User", id: "long" };
            resources::insert(tx, key, &name, T0).await?;
            Err(Error::Database("no".to_owned()))
        });
        let before = insert_together(&db.store, &tenant, before);
        let behind = join_all(behind.iter().map(|one| db.store.insert(one.clone())));
        let (before, long, behind) = futures_util::future::join3(before, long, behind).await;
        assert_eq!(long, Err(Error::Database("no".to_owned())));
        assert!(before.iter().chain(&behind).all(Result::is_ok), "{before:?} {behind:?}");
        let stored = times(&db.store, &all).await;
        assert!(stored.iter().all(Option::is_some), "{stored:?}");
        check_blocks(&db.store, &tenant).await;
    }

    async fn insertions_that_wait_together_are_one_statement_on_postgresql(db: Db) {
        let tenant = tenant(&db.store, "acme").await;
        let all: Vec<_> = (0..40)
            .map(|number| insertion(&tenant, number, draft(&format!("user{number}"))))
            .collect();
        let outcomes = insert_together(&db.store, &tenant, &all).await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        check_blocks(&db.store, &tenant).await;
        if db.store.dialect() == Dialect::Postgres {
            let statements = db.store.read(async |tx| {
                let sql = "SELECT COUNT(DISTINCT xmin::TEXT || ' ' || cmin::TEXT) FROM resources";
                tx.query(sql, &[]).await?[0].int(0)
            });
            // One, unless this machine was slow to bring them.
            let statements = statements.await;
            assert!(matches!(statements, Ok(1..=5)), "{statements:?}");
        }
    }
}
