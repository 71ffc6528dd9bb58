//! Counts by ranges of ids, and many new resources at once.

use std::collections::BTreeSet;

use usher::ids::TenantId;
use usher::store::resources::{self, Draft, Entries, Key, Left, New};
use usher::store::{Error, Store, blocks};

use crate::support::people::{T0, draft, tenant};
use crate::support::{Db, each_db};

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides.max(1)
    }
}

/// A tenant's users, and those that should be there.
struct Model {
    store: Store,
    tenant: TenantId,
    ids: BTreeSet<String>,
    dice: Dice,
}

impl Model {
    async fn add(&mut self, ids: Vec<String>) {
        let ids: Vec<String> = ids.into_iter().filter(|id| self.ids.insert(id.clone())).collect();
        let tenant = self.tenant.clone();
        let bare = Draft { doc: "{}".into(), folded: "{}".into(), ..Draft::default() };
        let added = self.store.write(&self.tenant, async move |tx| {
            let new: Vec<_> = ids.iter().map(|id| New { id, draft: &bare, now: T0 }).collect();
            resources::insert_many(tx, &tenant, "User", &new).await
        });
        assert!(added.await.unwrap().iter().all(Result::is_ok));
    }

    async fn remove(&mut self, ids: Vec<String>) {
        self.ids.retain(|id| !ids.contains(id));
        let tenant = self.tenant.clone();
        let removed = self.store.write(&self.tenant, async move |tx| {
            for id in &ids {
                let key = Key { tenant: &tenant, kind: "User", id };
                assert!(resources::delete(tx, key, &Entries::default(), T0).await?);
            }
            Ok::<_, Error>(())
        });
        removed.await.unwrap();
    }

    /// Some ids that are there, neighbours of each other.
    fn run_of_ids(&mut self, most: u64) -> Vec<String> {
        let start = usize::try_from(self.dice.roll(self.ids.len() as u64)).unwrap();
        let count = usize::try_from(self.dice.roll(most)).unwrap();
        self.ids.iter().skip(start).take(count).cloned().collect()
    }

    async fn agree(&mut self) {
        let skips: Vec<u64> = (0..8)
            .map(|_| self.dice.roll(self.ids.len() as u64 + 5))
            .chain([0, self.ids.len() as u64, (self.ids.len() as u64).saturating_sub(1)])
            .collect();
        let (tenant, asked) = (self.tenant.clone(), skips.clone());
        let seen = self.store.read(async move |tx| {
            let mut places = Vec::new();
            for skip in &asked {
                places.push(blocks::place(tx, &tenant, "User", *skip).await?);
            }
            let total = blocks::total(tx, &tenant, "User").await?;
            Ok::<_, Error>((total, places, blocks::check(tx, &tenant, "User").await?))
        });
        let (total, places, wrong) = seen.await.unwrap();
        assert_eq!((total, wrong), (self.ids.len() as u64, Vec::new()));
        for (skip, place) in skips.into_iter().zip(places) {
            let expected = self.ids.iter().nth(usize::try_from(skip).unwrap());
            assert_eq!(place.is_some(), expected.is_some(), "{skip}");
            if let Some((first, rest)) = place {
                let found = self.ids.range(first..).nth(usize::try_from(rest).unwrap());
                assert_eq!(found, expected);
                assert!(rest < 2_100, "{rest} is no short walk");
            }
        }
    }
}

fn id(number: u64) -> String {
    format!("{number:012x}")
}

async fn store_names(
    store: &Store,
    tenant: &TenantId,
    drafts: Vec<Draft>,
) -> Vec<Result<(), Left>> {
    let owner = tenant.clone();
    let stored = store.write(tenant, async move |tx| {
        let ids: Vec<_> =
            drafts.iter().map(|_| usher::ids::ResourceId::new(T0).to_string()).collect();
        let new: Vec<_> =
            ids.iter().zip(&drafts).map(|(id, draft)| New { id, draft, now: T0 }).collect();
        resources::insert_many(tx, &owner, "User", &new).await
    });
    stored.await.unwrap()
}

/// A user whose address must be unique too.
fn two_keys(name: &str, address: &str) -> Draft {
    let mut draft = draft(name);
    draft.entries.unique.insert(0, ("emails.value".to_owned(), address.to_owned()));
    draft
}

each_db! {
    /// Proves SCIM-265.
    async fn totals_and_places_are_those_of_a_count_whatever_comes_and_goes(db: Db) {
        let tenant = tenant(&db.store, "acme").await;
        let mut model =
            Model { store: db.store.clone(), tenant, ids: BTreeSet::new(), dice: Dice(7) };
        model.agree().await;
        let mut newest = 1 << 40;
        for step in 0..40 {
            match model.dice.roll(6) {
                0 => {
                    let gone = model.run_of_ids(1500);
                    model.remove(gone).await;
                }
                1 => {
                    // Ids of clocks that go behind.
                    let late = (0..60).map(|_| id(model.dice.roll(newest))).collect();
                    model.add(late).await;
                }
                _ => {
                    let count = model.dice.roll(if step % 7 == 0 { 5000 } else { 400 });
                    model.add((newest..newest + count * 3).step_by(3).map(id).collect()).await;
                    newest += count * 3;
                }
            }
            model.agree().await;
        }
        while !model.ids.is_empty() {
            let gone = model.ids.iter().take(3000).cloned().collect();
            model.remove(gone).await;
        }
        model.agree().await;
    }

    async fn counts_that_were_lost_are_made_anew(db: Db) {
        let tenant = tenant(&db.store, "acme").await;
        let mut model =
            Model { store: db.store.clone(), tenant, ids: BTreeSet::new(), dice: Dice(1) };
        model.add((0..3000).map(id).collect()).await;
        for damage in [
            "DELETE FROM resource_blocks WHERE first = ''",
            "UPDATE resource_blocks SET live = live + 1 WHERE first <> ''",
            "DELETE FROM resource_blocks",
        ] {
            let tenant = model.tenant.clone();
            let mended = db.store.write(&model.tenant, async move |tx| {
                tx.execute(damage, &[]).await?;
                let wrong = blocks::check(tx, &tenant, "User").await?;
                blocks::rebuild(tx, &tenant, "User").await?;
                Ok::<_, Error>(wrong)
            });
            assert!(!mended.await.unwrap().is_empty(), "{damage}");
            model.agree().await;
        }
    }

    async fn a_change_that_refuses_counts_nothing(db: Db) {
        let owner = tenant(&db.store, "acme").await;
        store_names(&db.store, &owner, vec![draft("Ada")]).await;
        let tenant = owner.clone();
        let refused = db.store.write(&owner, async move |tx| {
            let key = Key { tenant: &tenant, kind: "User", id: "x" };
            resources::insert(tx, key, &draft("Eve"), T0).await?;
            let part = tx.part::<(), Error>(async |tx| {
                let key = Key { tenant: &tenant, kind: "User", id: "y" };
                resources::insert(tx, key, &draft("Zoe"), T0).await?;
                Err(Error::Database("no".into()))
            });
            assert!(part.await?.is_err());
            resources::insert(tx, key, &draft("Ada"), T0).await
        });
        assert_eq!(refused.await, Err(Error::Taken("userName".to_owned())));
        let total = db.store.read(async move |tx| blocks::total(tx, &owner, "User").await).await;
        assert_eq!(total, Ok(1));
    }

    async fn of_many_new_ones_those_whose_values_are_taken_are_left_out_alone(db: Db) {
        let owner = tenant(&db.store, "acme").await;
        let taken = |attribute: &str| Err(Left::Taken(attribute.to_owned()));
        let first = vec![draft("Ada"), draft("Bob"), draft("ADA"), draft("Cid")];
        assert_eq!(store_names(&db.store, &owner, first).await,
            [Ok(()), Ok(()), taken("userName"), Ok(())]);
        let second = vec![
            // Refused for its name, so its address is free for the next.
            two_keys("Ada", "a@x"),
            two_keys("Dan", "a@x"),
            two_keys("Eve", "a@x"),
            two_keys("Bob", "b@x"),
            // Waits for the one before it, which fails.
            two_keys("Fay", "b@x"),
            // Both are taken: the first attribute is named.
            two_keys("Dan", "a@x"),
            draft("Gus"),
        ];
        assert_eq!(store_names(&db.store, &owner, second).await, [
            taken("userName"), Ok(()), taken("emails.value"), taken("userName"), Ok(()),
            taken("emails.value"), Ok(()),
        ]);
        let tenant = owner.clone();
        let seen = db.store.read(async move |tx| {
            let keys = tx.query("SELECT attr, value FROM unique_keys ORDER BY 1, 2", &[]).await?;
            let rows = tx.query("SELECT resource FROM attr_index", &[]).await?;
            Ok::<_, Error>((keys, rows.len(), blocks::total(tx, &tenant, "User").await?))
        });
        let (keys, rows, total) = seen.await.unwrap();
        let keys: Vec<_> = keys.iter().map(|key| key.text(1).unwrap()).collect();
        assert_eq!(keys, ["a@x", "b@x", "ada", "bob", "cid", "dan", "fay", "gus"]);
        assert_eq!((rows, total), (12, 6));
    }

    async fn a_flood_of_one_name_stores_one(db: Db) {
        let owner = tenant(&db.store, "acme").await;
        let outcomes = store_names(&db.store, &owner, vec![draft("Ada"); 200]).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        assert_eq!(outcomes[0], Ok(()));
    }
}
