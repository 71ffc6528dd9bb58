//! Changes that are one statement and a transaction of their own, beside another instance that has the
//! tenant's turn.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;
use usher::ids::TenantId;
use usher::store::resources::{self, Draft, Key, Left, New};
use usher::store::{Error, Insertion, Store, StoreSettings, blocks};

use crate::support::people::{T0, draft, tenant};
use crate::support::{postgres, run};

/// Two instances on one database; the first has a connection that was just used.
struct Two {
    one: Store,
    other: Store,
    tenant: TenantId,
}

impl Two {
    async fn new(url: String) -> Self {
        let settings = StoreSettings { writers: 1, ..postgres::settings(url) };
        let one = Store::open(&settings).await.unwrap();
        let other = Store::open(&settings).await.unwrap();
        let tenant = tenant(&one, "acme").await;
        let two = Self { one, other, tenant };
        for name in ["first", "second"] {
            two.one.insert(two.insertion(name, draft(name))).await.unwrap();
        }
        two
    }

    fn insertion(&self, id: &str, draft: Draft) -> Insertion {
        let (tenant, kind) = (self.tenant.clone(), "User".to_owned());
        Insertion { tenant, kind, id: id.to_owned(), draft: Arc::new(draft), now: T0 }
    }

    /// The other instance stores these resources and has the turn for a while after it.
    async fn hold(&self, drafts: Vec<(String, Draft)>) {
        let tenant = self.tenant.clone();
        let held = self.other.write::<_, Error, _>(&self.tenant, async move |tx| {
            let new = drafts.iter().map(|(id, draft)| New { id, draft, now: T0 });
            let new: Vec<_> = new.collect();
            let stored = resources::insert_many(tx, &tenant, "User", &new).await?;
            assert!(stored.iter().all(Result::is_ok));
            tx.query("SELECT 1 FROM pg_sleep(0.6)", &[]).await.map(drop)
        });
        held.await.unwrap();
    }

    /// What comes of a change that is asked for while the other instance has the turn.
    async fn meanwhile<T>(
        &self,
        drafts: Vec<(String, Draft)>,
        change: impl Future<Output = T>,
    ) -> T {
        let later = async {
            tokio::time::sleep(Duration::from_millis(250)).await;
            change.await
        };
        join(self.hold(drafts), later).await.1
    }

    async fn ids(&self) -> Vec<String> {
        let found = self.one.read::<_, Error, _>(async |tx| {
            tx.query("SELECT id FROM resources ORDER BY id", &[]).await
        });
        found.await.unwrap().iter().map(|row| row.text(0).unwrap().to_owned()).collect()
    }
}

#[test]
fn a_value_that_another_instance_takes_meanwhile_is_taken() {
    let Some(url) = postgres::new_database() else { return };
    run(async {
        let two = Two::new(url).await;
        let ann = vec![("ann".to_owned(), draft("Ann"))];
        let change = two.one.insert(two.insertion("late", draft("ANN")));
        let refused = two.meanwhile(ann, change).await;
        assert_eq!(refused, Err(Left::Taken("userName".to_owned()).into()));
        assert_eq!(two.ids().await, ["ann", "first", "second"]);
    });
}

#[test]
fn resources_are_counted_where_another_instance_has_cut_their_block_meanwhile() {
    let Some(url) = postgres::new_database() else { return };
    run(async {
        let two = Two::new(url).await;
        let bare = || Draft { doc: "{}".into(), folded: "{}".into(), ..Draft::default() };
        let many = (0..2_100).map(|number| (format!("id{number:04}"), bare())).collect();
        let change = two.one.insert(two.insertion("zz", draft("zz")));
        two.meanwhile(many, change).await.unwrap();
        let tenant = two.tenant.clone();
        let (counted, wrong) = two
            .one
            .read::<_, Error, _>(async move |tx| {
                let counted = blocks::total(tx, &tenant, "User").await?;
                Ok((counted, blocks::check(tx, &tenant, "User").await?))
            })
            .await
            .unwrap();
        assert_eq!((counted, wrong), (2_103, Vec::new()));
    });
}

#[test]
fn a_session_that_the_server_ends_has_its_statement_repeated() {
    let Some(url) = postgres::new_database() else { return };
    run(async {
        let two = Two::new(url).await;
        let (one, insertion) = (two.one.clone(), two.insertion("late", draft("late")));
        let change = async {
            let ended = async {
                tokio::time::sleep(Duration::from_millis(150)).await;
                let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                           WHERE datname = current_database() AND wait_event_type = 'Lock'";
                two.other.read::<_, Error, _>(async move |tx| tx.query(sql, &[]).await).await
            };
            join(one.insert(insertion), ended).await
        };
        let ann = vec![("ann".to_owned(), draft("Ann"))];
        let (done, ended) = two.meanwhile(ann, change).await;
        assert_eq!(ended.unwrap().len(), 1, "nobody waited for the turn");
        assert_eq!(done, Ok(()));
        assert_eq!(two.ids().await, ["ann", "first", "late", "second"]);
        let tenant = two.tenant.clone();
        let found = two.one.read::<_, Error, _>(async move |tx| {
            resources::find(tx, Key { tenant: &tenant, kind: "User", id: "late" }).await
        });
        assert_eq!(found.await.unwrap().unwrap().version, 1);
    });
}
