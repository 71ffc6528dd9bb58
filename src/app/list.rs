//! Queries (RFC 7644 s3.4.2): one resource type, or all of them at the root.

use std::sync::Arc;

use serde_json::Value;

use crate::app::view::Wish;
use crate::app::work::{Loaded, Work};
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
    fn filter(&self, ctx: &Ctx, query: &Query) -> Result<Option<Filter>, Error> {
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
        let (mut total, mut shown) = (0, Vec::new());
        for work in &self.works {
            let skip = (self.slice.skip - total).max(0);
            let room = (self.slice.count - count_of(&shown)).max(0);
            let (found, rows) = self.of_type(tx, work, Slice { skip, count: room }).await?;
            total += found;
            let view = self.wish.clone().of(&work.kind, Sent::nothing())?;
            let rows = rows.into_iter().map(Loaded::of).collect::<Result<_, _>>()?;
            shown.extend(view.render(tx, rows).await?.into_iter().map(Value::Object));
        }
        Ok((total, shown))
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

    /// What to sort by. At the root a type without that attribute comes in its default order.
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
