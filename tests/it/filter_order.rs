//! Lists have the same order in memory and in SQL, however they are read: at once, page by page in
//! both directions, and from the middle.

use std::cmp::Ordering;

use serde_json::Value;
use usher::scim::attribute::{Source, Uniqueness};
use usher::scim::filter::{Target, sortable};
use usher::scim::fold::{self, Doc};
use usher::scim::path::AttrPath;
use usher::store::Error;
use usher::store::filter::{Sorted, World};
use usher::store::resources::{self, Counts, Listed, Part, Slice, Sort, Totals};

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
    for path in paths {
        let Ok(target) = sortable(world.rt, &path) else { continue };
        // Rows have no order of their own; which of them counts is the database's affair.
        if matches!(target.attribute.source, Source::Members | Source::MemberOf) {
            continue;
        }
        let mut wanted: Vec<_> =
            full.iter().map(|(id, doc)| (sort_key(&target, doc), id.clone())).collect();
        let is_name = target.attribute.required && target.attribute.uniqueness != Uniqueness::None;
        if is_name && wanted.iter().any(|(key, _)| key.is_none()) {
            // Accepting a document makes sure that it has a name; these were made without that.
            continue;
        }
        wanted.sort_by(|left, right| {
            compare_keys(left.0.as_ref(), right.0.as_ref()).then_with(|| left.1.cmp(&right.1))
        });
        let mut wanted: Vec<_> = wanted.into_iter().map(|(_, id)| id).collect();
        for down in [false, true] {
            let name = format!("{} down: {down}", target.name());
            let found = walk(db, world, Some(&path), down).await;
            assert_eq!(found, wanted, "sorted by {name}");
            wanted.reverse();
        }
    }
}

/// The ids of a list, which is read in several ways that must agree.
pub(crate) async fn walk(
    db: &Db,
    world: &World<'_>,
    path: Option<&AttrPath>,
    down: bool,
) -> Vec<String> {
    let all = piece(db, world, path, Slice { down, count: 1_000, ..Slice::default() }).await;
    for size in [1, 3, 7, 40] {
        let (mut pages, mut skipped) = (Vec::new(), Vec::new());
        loop {
            let after = pages.last().map(Listed::mark);
            let slice = Slice { down, after, skip: 0, count: size };
            let page = piece(db, world, path, slice).await;
            assert_eq!(page.len(), all.len().saturating_sub(pages.len()).min(to(size)));
            let skip = skipped.len() as u64;
            let slice = Slice { down, after: None, skip, count: size };
            skipped.extend(piece(db, world, path, slice).await);
            if page.is_empty() {
                break;
            }
            pages.extend(page);
            if size == 1 && pages.len() > 25 {
                // One by one is for the beginning; the rest is the same.
                break;
            }
        }
        let name = path.map(ToString::to_string);
        assert_eq!(ids(&pages), ids(&all[..pages.len()]), "{name:?} page by page, {size} {down}");
        let skipped = ids(&skipped[..skipped.len().min(pages.len())]);
        assert_eq!(skipped, ids(&pages), "{name:?} by number, {size} {down}");
    }
    if let Some(middle) = all.get(all.len() / 2) {
        let mut mark = middle.mark();
        let count = 1_000;
        let slice = Slice { down: !down, after: Some(mark.clone()), skip: 0, count };
        let mut before = piece(db, world, path, slice).await;
        before.reverse();
        mark.inclusive = true;
        let slice = Slice { down, after: Some(mark), skip: 0, count };
        let behind = piece(db, world, path, slice).await;
        assert_eq!(ids(&[before, behind].concat()), ids(&all), "from the middle");
    }
    ids(&all)
}

fn to(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

fn ids(rows: &[Listed]) -> Vec<String> {
    rows.iter().map(|row| row.stored.id.clone()).collect()
}

/// A piece of a list. The store's threads want owned values, so the names are resolved there.
async fn piece(db: &Db, world: &World<'_>, path: Option<&AttrPath>, slice: Slice) -> Vec<Listed> {
    let registry = world.registry.clone();
    let (tenant, base) = (world.tenant.to_owned(), world.base.to_owned());
    let (kind, path) = (world.rt.name.clone(), path.cloned());
    let found = db.store.read(async move |tx| {
        let rt = registry.by_name(&kind).unwrap();
        let world = World { tenant: &tenant, rt, registry: &registry, base: &base };
        let sort = path.as_ref().map(|path| {
            let target = sortable(rt, path).unwrap();
            Sort { target: Some(target), sorted: Sorted::of(&target) }
        });
        let parts = [Part::new(world, None).sorted(sort)];
        let totals = Totals { counts: &Counts::default(), always: true };
        Ok::<_, Error>(resources::list(tx, &parts, &slice, totals).await?.rows)
    });
    found.await.unwrap()
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

/// What is absent comes last. Of long texts the beginning counts.
fn compare_keys(left: Option<&fold::Key>, right: Option<&fold::Key>) -> Ordering {
    use fold::Key;
    match (left, right) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(Key::Text(left)), Some(Key::Text(right))) => {
            fold::sorted_bytes(left).cmp(fold::sorted_bytes(right))
        }
        (Some(Key::Int(left)), Some(Key::Int(right))) => left.cmp(right),
        (Some(Key::Bool(left)), Some(Key::Bool(right))) => left.cmp(right),
        (Some(Key::Real(left)), Some(Key::Real(right))) => left.partial_cmp(right).unwrap(),
        (Some(left), Some(right)) => panic!("{left:?} beside {right:?}"),
    }
}
