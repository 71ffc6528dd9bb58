//! Members that come and go together with the group's version, in one statement.

use std::collections::BTreeSet;

use usher::clock::Micros;
use usher::ids::TenantId;
use usher::store::members::{self, Difference, Expected, Outcome};
use usher::store::resources::{self, Key, Stored};
use usher::store::{Error, Store};

use crate::support::people::{T0, add, tenant};
use crate::support::{Db, each_db};

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides.max(1)
    }

    fn some(&mut self, of: &[String], most: u64) -> Vec<String> {
        let count = self.roll(most + 1);
        let mut one = || usize::try_from(self.roll(of.len() as u64)).unwrap();
        (0..count).map(|_| of[one()].clone()).collect()
    }
}

/// What is asked for at once.
#[derive(Debug, Clone, Default)]
struct Ask {
    version: Option<i64>,
    doc: Option<String>,
    add: Vec<String>,
    remove: Vec<String>,
    /// So long after the groups were made.
    later: i64,
}

/// The members of a group, and the group.
type State = (BTreeSet<String>, Stored);

struct Hall {
    store: Store,
    tenant: TenantId,
}

impl Hall {
    async fn change(&self, group: &str, ask: &Ask) -> Outcome {
        let (tenant, group, ask) = (self.tenant.clone(), group.to_owned(), ask.clone());
        let done = self.store.write(&self.tenant, async move |tx| {
            let key = Key { tenant: &tenant, kind: "Group", id: &group };
            let expected = Expected { version: ask.version, doc: ask.doc.as_deref() };
            let difference = Difference { add: &ask.add, remove: &ask.remove };
            members::change(tx, key, expected, difference, Micros(T0.0 + ask.later)).await
        });
        done.await.unwrap()
    }

    /// The same step by step; gives who is unknown.
    async fn step_by_step(&self, group: &str, ask: &Ask) -> Vec<String> {
        let (tenant, group, ask) = (self.tenant.clone(), group.to_owned(), ask.clone());
        let done = self.store.write::<_, Error, _>(&self.tenant, async move |tx| {
            let added = members::add(tx, &tenant, &group, &ask.add).await?;
            assert_eq!(added.cycles, [""; 0]);
            members::remove(tx, &tenant, &group, &ask.remove).await?;
            Ok(added.unknown)
        });
        done.await.unwrap()
    }

    async fn state(&self, group: &str) -> State {
        let (tenant, group) = (self.tenant.clone(), group.to_owned());
        let seen = self.store.read::<_, Error, _>(async move |tx| {
            let held = members::of_groups(tx, &tenant, std::slice::from_ref(&group)).await?;
            let key = Key { tenant: &tenant, kind: "Group", id: &group };
            Ok((held, resources::find(tx, key).await?))
        });
        let (held, group) = seen.await.unwrap();
        let kinds = held.iter().filter(|member| member.kind != "User").count();
        let nested = held.iter().filter(|member| member.label.starts_with('g')).count();
        assert_eq!(kinds, nested, "a user is held as a user");
        (held.into_iter().map(|member| member.id).collect(), group.unwrap())
    }
}

async fn many(
    store: &Store,
    tenant: &TenantId,
    kind: &'static str,
    name: &str,
    count: usize,
) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        ids.push(add(store, tenant, kind, &format!("{name}{number}")).await.unwrap());
    }
    ids
}

each_db! {
    async fn a_change_of_members_comes_to_the_same_as_its_steps(db: Db) {
        let hall = Hall { store: db.store.clone(), tenant: tenant(&db.store, "acme").await };
        let stranger = tenant(&db.store, "other").await;
        let (store, owner) = (&hall.store, &hall.tenant);
        let pair = many(store, owner, "Group", "pair", 2).await;
        let nested = many(store, owner, "Group", "g", 2).await;
        let mut pool = many(store, owner, "User", "u", 12).await;
        pool.extend(many(store, &stranger, "User", "s", 2).await);
        pool.extend(["nobody", "", "it's {\"a\"}, \\ and more"].map(str::to_owned));
        let users = pool.clone();
        pool.extend(nested.clone());
        let mut dice = Dice(5);
        let (mut met, mut kept) = (0, 0);
        for step in 0..120 {
            let among = if dice.roll(3) == 0 { &pool } else { &users };
            let ask = Ask {
                add: dice.some(among, 4),
                remove: dice.some(&pool, 3),
                later: i64::try_from(dice.roll(1000)).unwrap(),
                ..Ask::default()
            };
            let (before, group) = hall.state(&pair[0]).await;
            let outcome = hall.change(&pair[0], &ask).await;
            let unknown = hall.step_by_step(&pair[1], &ask).await;
            let ((after, group_after), (expected, _)) =
                (hall.state(&pair[0]).await, hall.state(&pair[1]).await);
            let Outcome::Done(done) = outcome else {
                assert_eq!(outcome, Outcome::Nested, "{step} {ask:?}");
                assert!(ask.add.iter().any(|id| nested.contains(id)), "{step} {ask:?}");
                assert_eq!((after, group_after), (before, group), "{step} {ask:?}");
                hall.step_by_step(&pair[0], &ask).await;
                met += 1;
                continue;
            };
            assert_eq!((&after, done.unknown), (&expected, unknown), "{step} {ask:?}");
            let (came, went) = (after.difference(&before).count(), before.difference(&after).count());
            assert_eq!((done.added, done.removed), (came as u64, went as u64), "{step} {ask:?}");
            let changed = came + went > 0;
            kept += usize::from(!changed);
            let (version, modified) = if changed {
                (group.version + 1, group.modified.max(Micros(T0.0 + ask.later)))
            } else {
                (group.version, group.modified)
            };
            assert_eq!((done.version, done.modified), (version, modified), "{step} {ask:?}");
            let whole = Stored { version, modified, ..group };
            assert_eq!(group_after, whole, "{step} {ask:?}");
        }
        assert!(met > 2 && kept > 2, "{met} with groups, {kept} without a change");
    }

    async fn a_change_of_a_group_that_is_not_as_expected_writes_nothing(db: Db) {
        let hall = Hall { store: db.store.clone(), tenant: tenant(&db.store, "acme").await };
        let group = many(&hall.store, &hall.tenant, "Group", "g", 1).await.remove(0);
        let users = many(&hall.store, &hall.tenant, "User", "u", 3).await;
        let stranger = tenant(&db.store, "other").await;
        let foreign = many(&hall.store, &stranger, "Group", "g", 1).await.remove(0);
        let ask = Ask { add: users[..2].to_vec(), ..Ask::default() };
        assert!(matches!(hall.change(&group, &ask).await, Outcome::Done(_)));
        let (held, stored) = hall.state(&group).await;
        let (doc, add, remove) = (stored.doc.clone(), users[2..].to_vec(), users[..1].to_vec());
        let ask = Ask { add, remove, ..Ask::default() };
        for (id, version, text) in [
            (&group, Some(1), None),
            (&group, Some(3), Some(doc.as_str())),
            (&group, None, Some("{}")),
            (&group, Some(2), Some("{}")),
            (&foreign, None, None),
            (&users[0], None, None),
            (&"nothing".to_owned(), None, None),
        ] {
            let ask = Ask { version, doc: text.map(str::to_owned), ..ask.clone() };
            assert_eq!(hall.change(id, &ask).await, Outcome::Unexpected, "{id} {ask:?}");
        }
        assert_eq!(hall.state(&group).await, (held, stored));
        let ask = Ask { version: Some(2), doc: Some(doc), ..ask };
        let Outcome::Done(done) = hall.change(&group, &ask).await else { panic!() };
        assert_eq!((done.version, done.added, done.removed), (3, 1, 1));
    }
}
