//! Changes as data: alone, and many in one statement.

use usher::clock::Micros;
use usher::ids::TenantId;
use usher::store::members::{self, Outcome};
use usher::store::resources::{self, Key, Next, Updated};
use usher::store::{Dialect, Edge, Error, Replacement, Store};

use crate::support::people::{T0, add, draft, tenant};
use crate::support::{Db, each_db};

async fn document(store: &Store, tenant: &TenantId, kind: &'static str, id: &str) -> (String, i64) {
    let (tenant, id) = (tenant.clone(), id.to_owned());
    let found = store.read::<_, Error, _>(async move |tx| {
        resources::find(tx, Key { tenant: &tenant, kind, id: &id }).await
    });
    let stored = found.await.unwrap().unwrap();
    (stored.doc, stored.version)
}

async fn members_of(store: &Store, tenant: &TenantId, group: &str) -> Vec<String> {
    let (tenant, group) = (tenant.clone(), [group.to_owned()]);
    let found =
        store.read::<_, Error, _>(async move |tx| members::of_groups(tx, &tenant, &group).await);
    found.await.unwrap().into_iter().map(|member| member.id).collect()
}

/// A group with its document, and changes of its members.
struct Group {
    tenant: TenantId,
    id: String,
    doc: String,
}

impl Group {
    async fn new(db: &Db, tenant: &TenantId, name: &str) -> Self {
        let id = add(&db.store, tenant, "Group", name).await.unwrap();
        let (doc, _) = document(&db.store, tenant, "Group", &id).await;
        Self { tenant: tenant.clone(), id, doc }
    }

    fn edge(&self, member: &str, comes: bool) -> Edge {
        Edge {
            tenant: self.tenant.clone(),
            kind: "Group".to_owned(),
            id: self.id.clone(),
            doc: self.doc.clone(),
            member: member.to_owned(),
            comes,
            now: Micros(T0.0 + 7),
        }
    }
}

/// Version, and how many came and went; or why nothing was done.
fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done(done) => {
            let unknown = if done.unknown.is_empty() { "" } else { " unknown" };
            format!("{}: +{} -{}{unknown}", done.version, done.added, done.removed)
        }
        Outcome::Unexpected => "unexpected".to_owned(),
        Outcome::Nested => "nested".to_owned(),
    }
}

each_db! {
    async fn members_come_and_go_one_by_one(db: Db) {
        let owner = tenant(&db.store, "acme").await;
        let ann = add(&db.store, &owner, "User", "Ann").await.unwrap();
        let bob = add(&db.store, &owner, "User", "Bob").await.unwrap();
        let (group, other) = (Group::new(&db, &owner, "g").await, Group::new(&db, &owner, "h").await);
        let stale = Edge { doc: "{}".to_owned(), ..group.edge(&bob, true) };
        let rows = [
            (group.edge(&ann, true), "2: +1 -0"),
            (group.edge(&ann, true), "2: +0 -0"),
            (group.edge(&bob, false), "2: +0 -0"),
            (group.edge("nobody", true), "2: +0 -0 unknown"),
            (group.edge(&other.id, true), "nested"),
            (stale, "unexpected"),
            (other.edge(&ann, true), "2: +1 -0"),
            (group.edge(&ann, false), "3: +0 -1"),
        ];
        for (edge, expected) in rows {
            let outcome = db.store.change_member(edge.clone()).await.unwrap();
            assert_eq!(told(&outcome), expected, "{edge:?}");
        }
        assert_eq!(members_of(&db.store, &owner, &group.id).await, Vec::<String>::new());
        assert_eq!(members_of(&db.store, &owner, &other.id).await, [ann]);
    }

    async fn members_of_many_groups_come_and_go_in_one_statement(db: Db) {
        if db.store.dialect() == Dialect::Sqlite {
            return;
        }
        let owner = tenant(&db.store, "acme").await;
        let mut ids = Vec::new();
        for name in ["Ann", "Bob", "Cid", "Dan"] {
            ids.push(add(&db.store, &owner, "User", name).await.unwrap());
        }
        ids.sort_unstable();
        let (group, other) = (Group::new(&db, &owner, "g").await, Group::new(&db, &owner, "h").await);
        for id in &ids[..2] {
            db.store.change_member(group.edge(id, true)).await.unwrap();
        }
        let stale = Edge { doc: "{}".to_owned(), ..other.edge(&ids[3], true) };
        let rows = [
            (group.edge(&ids[2], true), "4: +1 -0"),
            (other.edge(&ids[2], true), "2: +1 -0"),
            (group.edge(&ids[0], false), "5: +0 -1"),
            (group.edge(&ids[1], true), "5: +0 -0"),
            (group.edge("nobody", true), "5: +0 -0 unknown"),
            (group.edge(&other.id, true), "nested"),
            (stale, "unexpected"),
            (other.edge(&ids[0], false), "2: +0 -0"),
            (group.edge(&ids[3], true), "6: +1 -0"),
        ];
        let edges: Vec<Edge> = rows.iter().map(|(edge, _)| edge.clone()).collect();
        let whose = owner.clone();
        let outcomes = db.store.write_apart::<_, Error, _>(async move |tx| {
            members::change_many(tx, &whose, "Group", &edges.iter().collect::<Vec<_>>()).await
        });
        for (outcome, (edge, expected)) in outcomes.await.unwrap().iter().zip(&rows) {
            assert_eq!(told(outcome), *expected, "{edge:?}");
        }
        assert_eq!(members_of(&db.store, &owner, &group.id).await, ids[1..]);
        assert_eq!(members_of(&db.store, &owner, &other.id).await, [ids[2].clone()]);
        assert_eq!(document(&db.store, &owner, "Group", &group.id).await.1, 6);
        assert_eq!(document(&db.store, &owner, "Group", &other.id).await.1, 2);
    }

    async fn documents_are_replaced_in_one_statement_where_they_are_as_read(db: Db) {
        if db.store.dialect() == Dialect::Sqlite {
            return;
        }
        let owner = tenant(&db.store, "acme").await;
        let mut ids = Vec::new();
        for name in ["Ann", "Bob", "Cid"] {
            ids.push(add(&db.store, &owner, "User", name).await.unwrap());
        }
        let (whose, all) = (owner.clone(), ids.clone());
        let versions = db.store.write_apart::<_, Error, _>(async move |tx| {
            let before: Vec<_> = ["Ann", "Bob", "Cid"].map(|name| draft(name).entries).to_vec();
            let after = ["Ann", "Bob", "Cid"].map(|name| {
                let mut next = draft(name);
                next.doc = format!("{{\"now\":\"{name}\"}}");
                next
            });
            let next: Vec<Next<'_>> = [1, 7, 1]
                .into_iter()
                .enumerate()
                .map(|(at, version)| Next {
                    id: &all[at], version, before: &before[at], draft: &after[at], now: T0,
                })
                .collect();
            resources::update_many(tx, &whose, "User", &next).await
        });
        let expected = [Updated::To(2), Updated::Overtaken, Updated::To(2)];
        assert_eq!(versions.await.unwrap(), expected);
        assert_eq!(document(&db.store, &owner, "User", &ids[0]).await, ("{\"now\":\"Ann\"}".to_owned(), 2));
        assert_eq!(document(&db.store, &owner, "User", &ids[1]).await.1, 1);
    }

    async fn a_replacement_that_rules_saw_when_more_was_offered_is_not_done_on_sqlite(db: Db) {
        let owner = tenant(&db.store, "acme").await;
        let id = add(&db.store, &owner, "User", "Ann").await.unwrap();
        let replacement = |offered: &str| Replacement {
            tenant: owner.clone(),
            kind: "User".to_owned(),
            id: id.clone(),
            version: 1,
            before: draft("Ann").entries.into(),
            draft: draft("Ann").into(),
            now: T0,
            offered: Some(offered.into()),
        };
        let of_before = db.store.replace(replacement("{}")).await.unwrap();
        let of_now = db.store.replace(replacement("")).await.unwrap();
        match db.store.dialect() {
            Dialect::Sqlite => assert_eq!((of_before, of_now), (None, Some(2))),
            // What is offered is some moments old there, as it is for every statement that is shared.
            Dialect::Postgres => assert_eq!((of_before, of_now), (Some(2), None)),
        }
    }

    async fn replacements_at_the_same_moment_are_done_once_each(db: Db) {
        let owner = tenant(&db.store, "acme").await;
        let mut all = Vec::new();
        for number in 0..40 {
            let name = format!("Ann{number}");
            let id = add(&db.store, &owner, "User", &name).await.unwrap();
            for _ in 0..2 {
                let mut next = draft(&name);
                "{\"title\":\"new\"}".clone_into(&mut next.doc);
                all.push(db.store.replace(Replacement {
                    tenant: owner.clone(),
                    kind: "User".to_owned(),
                    id: id.clone(),
                    version: 1,
                    before: draft(&name).entries.into(),
                    draft: next.into(),
                    now: T0,
                    offered: None,
                }));
            }
        }
        let versions: Vec<_> =
            futures_util::future::join_all(all).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(versions.iter().filter(|version| **version == Some(2)).count(), 40);
        assert_eq!(versions.iter().filter(|version| version.is_none()).count(), 40);
    }
}
