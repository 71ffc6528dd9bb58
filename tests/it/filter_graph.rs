//! Stored documents, and a random graph of groups around them.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use usher::ids::TenantId;
use usher::scim::fold::{self, Doc};
use usher::scim::quirks::Quirks;
use usher::scim::render::{Linked, Parts, Renderer};
use usher::scim::resource_type::{Registry, ResourceType};
use usher::scim::{state, urn};
use usher::store::resources::{self, Draft, Entries, Key};
use usher::store::{Error, Sql, Store};

use crate::filter_world::document;
use crate::support::people::T0;

pub(crate) const BASE: &str = "https://usher.example/scim/v2";

/// Members of each group: users and groups, in circles too.
pub(crate) type Edges = Vec<(String, String)>;

/// Draws a value; the same at every run.
pub(crate) fn draw<T>(runner: &mut TestRunner, strategy: &impl Strategy<Value = T>) -> T {
    strategy.new_tree(runner).unwrap().current()
}

/// Stores documents of one type.
pub(crate) async fn store_all(
    store: &Store,
    owner: &TenantId,
    rt: &ResourceType,
    docs: &[(String, Doc)],
) {
    let drafts: Vec<(String, Draft)> = docs
        .iter()
        .map(|(id, doc)| {
            let index = fold::index_entries(rt, doc).into_iter();
            let draft = Draft {
                doc: Value::Object(doc.clone()).to_string(),
                folded: fold::document(rt, doc),
                state: state::of(rt, doc),
                label: fold::label(rt, doc),
                entries: Entries {
                    index: index.map(|entry| (entry.attr, entry.value)).collect(),
                    unique: Vec::new(),
                },
                ..Draft::default()
            };
            (id.clone(), draft)
        })
        .collect();
    let (owner, kind) = (owner.clone(), rt.name.clone());
    let stored = store.write_apart(async move |tx| {
        for (id, draft) in &drafts {
            resources::insert(tx, Key { tenant: &owner, kind: &kind, id }, draft, T0).await?;
        }
        Ok::<_, Error>(())
    });
    stored.await.unwrap();
}

/// The ids that each condition finds.
pub(crate) async fn find_all(store: &Store, statements: Vec<(String, Sql)>) -> Vec<Vec<String>> {
    let found = store.read(async move |tx| {
        let mut all = Vec::new();
        for (filter, sql) in &statements {
            let rows = tx.run(sql).await.map_err(|error| {
                Error::Database(format!("{error}\nfilter: {filter}\nsql: {}", sql.text))
            })?;
            let ids = rows.iter().map(|row| row.text(0).map(str::to_owned));
            all.push(ids.collect::<Result<Vec<_>, _>>()?);
        }
        Ok::<_, Error>(all)
    });
    found.await.unwrap_or_else(|error| panic!("{error}"))
}

/// The full document of a resource in this graph of groups.
pub(crate) fn rendered(
    registry: &Registry,
    rt: &ResourceType,
    (id, doc): &(String, Doc),
    edges: &Edges,
    links: &HashMap<String, Linked>,
) -> Doc {
    let linked = |id: &String, direct: bool| Linked { direct, ..links[id].clone() };
    let members: Vec<Linked> =
        edges.iter().filter(|(group, _)| group == id).map(|(_, m)| linked(m, true)).collect();
    let mut above: Vec<(String, usize)> = Vec::new();
    let mut front = vec![id.clone()];
    for depth in 1..=10 {
        let next = edges.iter().filter(|(_, member)| front.contains(member));
        let next: Vec<String> = next.map(|(group, _)| group.clone()).collect();
        for group in &next {
            if !above.iter().any(|(known, _)| known == group) {
                above.push((group.clone(), depth));
            }
        }
        front = next;
    }
    let groups: Vec<Linked> =
        above.iter().map(|(group, depth)| linked(group, *depth == 1)).collect();
    let parts = Parts {
        id,
        version: 1,
        created: T0,
        modified: T0,
        members: Some(&members),
        groups: Some(&groups),
        links,
        counted: None,
    };
    Renderer { registry, base: BASE, quirks: Quirks::ALL }.document(rt, doc, &parts)
}

/// Random users, groups or accounts; some users have a manager and accounts, or such that are gone.
pub(crate) fn people(
    runner: &mut TestRunner,
    registry: &Registry,
    kind: &str,
    letter: char,
) -> Vec<(String, Doc)> {
    let rt = registry.by_name(kind).unwrap();
    let strategy = document(rt);
    let boss = proptest::sample::select(vec!["u1", "u2", "u3", "gone", "g1", ""]);
    let account = proptest::sample::select(vec!["a1", "a2", "a3", "gone", ""]);
    let status = proptest::sample::select(vec!["a", "Straße", ""]);
    let membership = (account, proptest::option::of(status)).prop_map(|(account, status)| {
        let mut membership = json!({ "value": account });
        membership["status"] = status.into();
        membership.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        membership
    });
    let accounts = proptest::collection::vec(membership, 1..4);
    (0..25)
        .map(|n| {
            let mut doc = draw(runner, &strategy);
            if let Some(extra) = doc.get_mut(urn::ENTERPRISE) {
                extra["manager"] = json!({ "value": draw(runner, &boss) });
            }
            if let Some(about) = doc.get_mut(urn::CONTACT_CENTER) {
                about["accountMemberships"] = draw(runner, &accounts).into();
            }
            (format!("{letter}{n}"), doc)
        })
        .collect()
}

pub(crate) fn labels(
    registry: &Registry,
    users: &[(String, Doc)],
    groups: &[(String, Doc)],
    accounts: &[(String, Doc)],
) -> HashMap<String, Linked> {
    let linked = |kind: &str, (id, doc): &(String, Doc)| {
        let label = fold::label(registry.by_name(kind).unwrap(), doc);
        let doc = (kind == "Account").then(|| Box::new(doc.clone()));
        (id.clone(), Linked { id: id.clone(), kind: kind.to_owned(), label, direct: true, doc })
    };
    let users = users.iter().map(|one| linked("User", one));
    let groups = groups.iter().map(|one| linked("Group", one));
    users.chain(groups).chain(accounts.iter().map(|one| linked("Account", one))).collect()
}

/// Makes a random graph of memberships.
pub(crate) async fn connect(
    store: &Store,
    owner: &TenantId,
    runner: &mut TestRunner,
    users: &[(String, Doc)],
    groups: &[(String, Doc)],
) -> Edges {
    let ids: Vec<String> = users.iter().chain(groups).map(|(id, _)| id.clone()).collect();
    let some = proptest::sample::subsequence(ids, 0..4);
    let edges: Edges = groups
        .iter()
        .flat_map(|(group, _)| {
            draw(runner, &some).into_iter().map(move |member| (group.clone(), member))
        })
        .collect();
    let (owner, made) = (owner.clone(), edges.clone());
    let added = store.write_apart(async move |tx| {
        for (group, member) in &made {
            let kind = if member.starts_with('u') { "User" } else { "Group" };
            let row = [(&owner).into(), group.into(), member.into(), kind.into()];
            tx.execute("INSERT INTO members VALUES ($1, $2, $3, $4)", &row).await?;
        }
        Ok::<_, Error>(())
    });
    added.await.unwrap();
    edges
}
