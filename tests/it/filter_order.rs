//! Sort orders mean the same in memory and in SQL.

use std::cmp::Ordering;

use serde_json::Value;
use usher::scim::attribute::Source;
use usher::scim::filter::{Target, sortable};
use usher::scim::fold::{self, Doc};
use usher::scim::path::AttrPath;
use usher::store::Sql;
use usher::store::filter::{World, order};

use crate::filter_graph::find_all;
use crate::support::Db;

/// Compares the order that SQL gives with the one in memory, for every attribute.
pub(crate) async fn compare_orders(db: &Db, world: &World<'_>, full: &[(String, Doc)]) {
    let paths = world.rt.attributes().flat_map(|(extension, attribute)| {
        let path = move |sub: Option<&String>| AttrPath {
            urn: extension.map(|schema| schema.id.clone()),
            name: attribute.name.clone(),
            sub: sub.cloned(),
        };
        let subs = attribute.sub.iter().map(move |sub| path(Some(&sub.name)));
        std::iter::once(path(None)).chain(subs)
    });
    let mut statements = Vec::new();
    let mut wanted = Vec::new();
    for target in paths.filter_map(|path| sortable(world.rt, &path).ok()) {
        // Rows have no order of their own; which of them counts is the database's affair.
        if matches!(target.attribute.source, Source::Members | Source::MemberOf) {
            continue;
        }
        for descending in [false, true] {
            let mut sql = Sql::new("SELECT r.id FROM resources r WHERE r.tenant = ");
            sql.bind(world.tenant).push(" AND r.kind = ").bind(world.rt.name.as_str());
            sql.push(" ORDER BY ");
            order(&mut sql, db.store.dialect(), world, &target, descending);
            statements.push((format!("{} {descending}", target.name()), sql));
            let mut ids: Vec<_> =
                full.iter().map(|(id, doc)| (sort_key(&target, doc), id.clone())).collect();
            ids.sort_by(|(left, left_id), (right, right_id)| {
                let by_key = compare_keys(left.as_ref(), right.as_ref());
                let by_key = if descending { by_key.reverse() } else { by_key };
                by_key.then_with(|| left_id.cmp(right_id))
            });
            wanted.push(ids.into_iter().map(|(_, id)| id).collect::<Vec<_>>());
        }
    }
    let found = find_all(&db.store, statements.clone()).await;
    for (((name, _), found), wanted) in statements.iter().zip(found).zip(wanted) {
        assert_eq!(found, wanted, "sorted by {name}");
    }
}

/// RFC 7644 s3.4.2.3: the primary value, else the first.
fn sort_key(target: &Target<'_>, full: &Doc) -> Option<fold::Key> {
    let listed = |value: &Value| match value {
        Value::Array(items) => items.clone(),
        single => vec![single.clone()],
    };
    let root = match target.extension {
        Some(schema) => full.get(&schema.id).and_then(Value::as_object),
        None => Some(full),
    };
    let mut elements = listed(root?.get(&target.attribute.name)?);
    elements.sort_by_key(|element| element.get("primary") != Some(&Value::Bool(true)));
    let values = elements.iter().flat_map(|element| match target.sub {
        Some(sub) => element.get(&sub.name).map_or_else(Vec::new, listed),
        None => vec![element.clone()],
    });
    values.into_iter().find_map(|value| fold::key(target.leaf(), &value))
}

/// What is absent comes last.
fn compare_keys(left: Option<&fold::Key>, right: Option<&fold::Key>) -> Ordering {
    use fold::Key;
    match (left, right) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(Key::Text(left)), Some(Key::Text(right))) => left.cmp(right),
        (Some(Key::Int(left)), Some(Key::Int(right))) => left.cmp(right),
        (Some(Key::Bool(left)), Some(Key::Bool(right))) => left.cmp(right),
        (Some(Key::Real(left)), Some(Key::Real(right))) => left.partial_cmp(right).unwrap(),
        (Some(left), Some(right)) => panic!("{left:?} beside {right:?}"),
    }
}
