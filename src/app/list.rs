//! Queries (RFC 7644 s3.4.2): one resource type, or all of them at the root.

use std::sync::Arc;

use serde_json::Value;

use crate::app::view::Wish;
use crate::app::work::Work;
use crate::app::{App, Ctx, Error};
use crate::scim::filter::{self, Binding, Bound, Filter, Unknown};
use crate::scim::page;
use crate::scim::path::AttrPath;
use crate::scim::project::Sent;
use crate::scim::query::Query;
use crate::scim::resource_type::ResourceType;
use crate::store::filter as store_filter;
use crate::store::resources::{self, Stored};
use crate::store::{Sql, Tx};

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy)]
struct Slice {
    /// How many to leave out first.
    skip: i64,
    /// How many at most.
    count: i64,
}

/// A query that is ready for its transaction.
#[derive(Debug)]
struct Listing {
    works: Vec<Work>,
    wish: Wish,
    filter: Option<Filter>,
    sort_by: Option<AttrPath>,
    descending: bool,
    slice: Slice,
}

impl App {
    /// The resources of these types that the query asks for, as a `ListResponse`.
    ///
    /// With one type an attribute that it does not have is refused; with several (the root
    /// endpoint) it counts as having no value (RFC 7644 s3.4.2.1).
    pub async fn list(
        &self,
        ctx: &Ctx,
        types: &[Arc<ResourceType>],
        query: &Query,
    ) -> Result<Value, Error> {
        let count = query.count.unwrap_or(ctx.rules.page_default).min(ctx.rules.page_max);
        let listing = Listing {
            works: types.iter().map(|kind| Work::new(self, ctx, kind)).collect(),
            wish: Wish::new(self, ctx, query),
            filter: self.filter(ctx, query)?,
            sort_by: query.sort_by.as_deref().map(sort_path).transpose()?,
            descending: query.descending,
            slice: Slice { skip: query.start - 1, count },
        };
        let (total, resources) =
            self.store().read(async move |tx: &mut Tx<'_>| listing.run(tx).await).await?;
        Ok(page::list_response(&resources, total, query.start))
    }

    /// The filter of a query. A `+` that was kept as a plus is read once more as a space before the
    /// filter is refused (clients differ in what they mean by it).
    pub(super) fn filter(&self, ctx: &Ctx, query: &Query) -> Result<Option<Filter>, Error> {
        let Some(text) = &query.filter else { return Ok(None) };
        let grammar = self.grammar(ctx.quirks);
        let parsed = filter::parse(text, grammar).or_else(|refusal| {
            let second = query.filter_plus_as_space.as_ref();
            second.and_then(|text| filter::parse(text, grammar).ok()).ok_or(refusal)
        })?;
        Ok(Some(parsed))
    }
}

fn sort_path(text: &str) -> Result<AttrPath, Error> {
    AttrPath::parse(text)
        .map_err(|refusal| crate::scim::Error::InvalidValue(format!("sortBy: {refusal}")).into())
}

impl Listing {
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(i64, Vec<Value>), Error> {
        if self.works.len() > 1 && self.sort_by.is_some() {
            return self.in_one_order(tx).await;
        }
        let (mut total, mut shown) = (0, Vec::new());
        for work in &self.works {
            let skip = (self.slice.skip - total).max(0);
            let room = (self.slice.count - count_of(&shown)).max(0);
            let (found, rows) = self.of_type(tx, work, Slice { skip, count: room }).await?;
            total += found;
            let view = self.wish.clone().of(&work.kind, Sent::nothing())?;
            shown.extend(view.page(tx, rows).await?.into_iter().map(Value::Object));
        }
        Ok((total, shown))
    }

    /// The root endpoint sorted: all types in one order, those without the attribute where absent
    /// values belong (RFC 7644 s3.4.2.3).
    async fn in_one_order(&self, tx: &mut Tx<'_>) -> Result<(i64, Vec<Value>), Error> {
        let dialect = tx.dialect();
        let mut targets = Vec::new();
        for work in &self.works {
            targets.push((work, self.bound(work)?, self.sort(work)?));
        }
        let sorted = self.sorted(targets.iter().filter_map(|(.., target)| target.as_ref()))?;
        let clauses: Vec<_> = targets
            .iter()
            .map(|(work, bound, target)| {
                let condition = move |sql: &mut Sql, _: &str| {
                    if let Some(bound) = bound {
                        store_filter::condition(sql, dialect, &work.world(), bound);
                    }
                };
                let key = move |sql: &mut Sql, _: &str| {
                    store_filter::sort_key(sql, dialect, &work.world(), target.as_ref(), sorted);
                };
                (work.kind.name.as_str(), bound.is_some(), condition, key)
            })
            .collect();
        let parts: Vec<_> = clauses
            .iter()
            .map(|(kind, filtered, condition, key)| resources::Part {
                kind,
                condition: filtered.then_some(condition as resources::Clause<'_>),
                key,
            })
            .collect();
        let order = resources::Order {
            texts: sorted == store_filter::Sorted::Text,
            descending: self.descending,
            skip: self.slice.skip.unsigned_abs(),
            count: self.slice.count.unsigned_abs(),
        };
        let tenant = &self.works[0].tenant;
        let (found, rows) = resources::list_sorted(tx, tenant, &parts, order).await?;
        Ok((i64::try_from(found).unwrap_or(i64::MAX), self.shown(tx, rows).await?))
    }

    /// As what the values are sorted; two types must not mean different things by one name.
    fn sorted<'t>(
        &self,
        mut targets: impl Iterator<Item = &'t filter::Target<'t>>,
    ) -> Result<store_filter::Sorted, Error> {
        let name = self.sort_by.as_ref().map_or_else(String::new, ToString::to_string);
        let refused = |why| crate::scim::Error::InvalidValue(format!("sortBy: '{name}' {why}."));
        let first = targets.next().map(store_filter::Sorted::of);
        let first = first.ok_or_else(|| refused("is no attribute of any resource type"))?;
        if targets.any(|other| store_filter::Sorted::of(other) != first) {
            return Err(refused("is not of one type in all resource types").into());
        }
        Ok(first)
    }

    /// Rows of several types as they are answered, in their order.
    async fn shown(&self, tx: &mut Tx<'_>, rows: Vec<Stored>) -> Result<Vec<Value>, Error> {
        let mut shown = vec![Value::Null; rows.len()];
        let mut rows: Vec<_> = rows.into_iter().enumerate().collect();
        for work in &self.works {
            let (own, others) = rows.into_iter().partition(|(_, row)| row.kind == work.kind.name);
            rows = others;
            let (places, own): (Vec<usize>, Vec<Stored>) = Vec::into_iter(own).unzip();
            let view = self.wish.clone().of(&work.kind, Sent::nothing())?;
            for (place, document) in places.into_iter().zip(view.page(tx, own).await?) {
                shown[place] = document.into();
            }
        }
        Ok(shown)
    }

    async fn of_type(
        &self,
        tx: &mut Tx<'_>,
        work: &Work,
        slice: Slice,
    ) -> Result<(i64, Vec<Stored>), Error> {
        let (dialect, world) = (tx.dialect(), work.world());
        let bound = self.bound(work)?;
        let sort = self.sort(work)?;
        let condition = |sql: &mut Sql, _: &str| {
            if let Some(bound) = &bound {
                store_filter::condition(sql, dialect, &world, bound);
            }
        };
        let order = |sql: &mut Sql, _: &str| {
            if let Some(target) = &sort {
                store_filter::order(sql, dialect, &world, target, self.descending);
            }
        };
        let page = resources::Page {
            condition: bound.is_some().then_some(&condition as resources::Clause<'_>),
            order: sort.is_some().then_some(&order as resources::Clause<'_>),
            skip: slice.skip.unsigned_abs(),
            count: slice.count.unsigned_abs(),
        };
        let kinds = [work.kind.name.as_str()];
        let (found, rows) = resources::list(tx, &work.tenant, &kinds, &page).await?;
        Ok((i64::try_from(found).unwrap_or(i64::MAX), rows))
    }

    fn bound<'w>(&self, work: &'w Work) -> Result<Option<Bound<'w>>, Error> {
        let unknown = if self.works.len() > 1 { Unknown::NoValue } else { Unknown::Refuse };
        let rules = Binding { quirks: work.quirks, unknown };
        let bound = self
            .filter
            .clone()
            .map(|filter| filter::bind(&work.kind, &work.soften_filter(filter), rules));
        let mut bound = bound.transpose()?;
        if let Some(bound) = &mut bound {
            bound.anchor(work.world().base);
        }
        Ok(bound)
    }

    /// What to sort by. At the root a type may lack that attribute.
    fn sort<'w>(&self, work: &'w Work) -> Result<Option<filter::Target<'w>>, Error> {
        let Some(path) = &self.sort_by else { return Ok(None) };
        let path = work.soften_path(path.clone());
        match filter::sortable(&work.kind, &path) {
            Ok(target) => Ok(Some(target)),
            Err(_) if self.works.len() > 1 && work.kind.resolve(&path).is_none() => Ok(None),
            Err(refusal) => Err(refusal.into()),
        }
    }
}

fn count_of(shown: &[Value]) -> i64 {
    i64::try_from(shown.len()).unwrap_or(i64::MAX)
}
