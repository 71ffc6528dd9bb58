//! Queries (RFC 7644 s3.4.2): one resource type, or all of them at the root; page by number or by
//! cursor (RFC 9865).

use std::sync::Arc;

use serde_json::Value;

use crate::app::cursors::{Seal, invalid};
use crate::app::pieces::Pieces;
use crate::app::view::{Relations, View, Wish, Written};
use crate::app::work::Work;
use crate::app::{App, Ctx, Error};
use crate::scim::cursor::{Binding as CursorBinding, Cursor, Mark};
use crate::scim::filter::{self, Binding, Bound, Filter, Unknown};
use crate::scim::page::{self, Ways};
use crate::scim::path::AttrPath;
use crate::scim::project::Sent;
use crate::scim::query::Query;
use crate::scim::resource_type::ResourceType;
use crate::store::Tx;
use crate::store::filter::Sorted;
use crate::store::resources::{self, Counts, Listed, Part, Slice, Sort, Stored, Totals};

/// A query that is ready for its transaction.
#[derive(Debug)]
struct Listing {
    works: Vec<Work>,
    wish: Wish,
    filter: Option<Filter>,
    sort_by: Option<AttrPath>,
    counts: Counts,
    slice: Slice,
    way: Way,
}

/// How a client goes through a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By numbers.
    Index,
    /// From page to page.
    Forward,
    /// From page to page before.
    Back,
}

/// What a transaction gives.
#[derive(Debug)]
struct Page {
    shown: Shown,
    total: Option<i64>,
    /// The places of the first and the last resource.
    ends: Option<(Mark, Mark)>,
    /// Whether there are more in the direction of the walk.
    more: bool,
}

/// Resources in their order with what is shown beside them, not rendered yet.
#[derive(Debug, Default)]
struct Shown {
    count: usize,
    kinds: Vec<Kind>,
}

/// Those of one type, with their places among all.
#[derive(Debug)]
struct Kind {
    view: View,
    places: Vec<usize>,
    rows: Vec<Stored>,
    relations: Relations,
}

impl Shown {
    /// A list with these resources. Made outside of the transaction: it takes as long as it takes.
    fn list(self, list: Value) -> Result<Pieces, Error> {
        let mut all: Vec<Option<Written>> = (0..self.count).map(|_| None).collect();
        for Kind { view, places, rows, relations } in &self.kinds {
            for (place, written) in places.iter().zip(view.write(rows, relations)?) {
                all[*place] = Some(written);
            }
        }
        let view = self.kinds.into_iter().map(|kind| kind.view).find(View::has_members);
        let mut body = Pieces::new(view);
        body.push(&page::open_text(list, all.len()));
        for (place, written) in all.into_iter().flatten().enumerate() {
            body.push(if place > 0 { "," } else { "" });
            written.add_to(&mut body);
        }
        body.push("]}");
        Ok(body)
    }
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
    ) -> Result<Pieces, Error> {
        let sort_by = query.sort_by.as_deref().map(sort_path).transpose()?;
        let slice = Slice {
            down: query.descending && sort_by.is_some(),
            after: None,
            skip: (query.start - 1).unsigned_abs(),
            count: page_size(ctx, query.count).unsigned_abs(),
        };
        let listing = Listing {
            works: types.iter().map(|kind| Work::new(self, ctx, kind)).collect(),
            wish: Wish::new(self, ctx, query),
            filter: self.filter(ctx, query)?,
            sort_by,
            counts: self.counts().clone(),
            slice,
            way: Way::Index,
        };
        if let Some(text) = &query.cursor {
            let kinds: Vec<&str> = types.iter().map(|kind| kind.name.as_str()).collect();
            let binding = CursorBinding {
                tenant: ctx.tenant.as_str(),
                token: ctx.token.as_str(),
                scopes: &ctx.scopes.to_string(),
                kinds: &kinds,
                query,
            };
            let walk = Walk { app: self, seal: self.seal().await?, binding: binding.digest() };
            return walk.page(ctx, listing, query.count, text).await;
        }
        let page = self.store().read(async move |tx: &mut Tx<'_>| listing.run(tx).await).await?;
        let list = page::list_response(Vec::new(), page.total.unwrap_or_default(), query.start);
        page.shown.list(list)
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

/// How many results a page has at most, for what the client asks.
fn page_size(ctx: &Ctx, count: Option<i64>) -> i64 {
    count.unwrap_or(ctx.rules.page_default).min(ctx.rules.page_max)
}

/// A walk from page to page.
struct Walk<'a> {
    app: &'a App,
    seal: Seal<'a>,
    binding: [u8; 32],
}

impl Walk<'_> {
    async fn page(
        &self,
        ctx: &Ctx,
        mut listing: Listing,
        count: Option<i64>,
        text: &str,
    ) -> Result<Pieces, Error> {
        let now = self.app.clock().now().0.div_euclid(1_000_000);
        let at = if text.is_empty() {
            Cursor { issued: now, back: false, count, mark: None }
        } else {
            self.seal.open(text, self.binding)?
        };
        if now - at.issued > self.app.settings().cursor_timeout() {
            return Err(crate::scim::Error::ExpiredCursor(format!(
                "This cursor is too old: cursors are good for {} s. Begin anew with an empty cursor.",
                self.app.settings().cursor_timeout()
            ))
            .into());
        }
        // s2.1: "must be equal to the count value of the initial query".
        if page_size(ctx, at.count) != page_size(ctx, count) {
            return Err(crate::scim::Error::InvalidCount(
                "count is another than in the query that this walk began with. Repeat that count, \
                 or begin anew with an empty cursor."
                    .to_owned(),
            )
            .into());
        }
        listing.way = if at.back { Way::Back } else { Way::Forward };
        listing.slice.down ^= at.back;
        listing.slice.after = at.mark.clone();
        let store = self.app.store();
        let empty = listing.slice.count == 0;
        let page = store.read(async move |tx: &mut Tx<'_>| listing.run(tx).await).await?;
        let ways = if empty { Ways::default() } else { self.ways(&at, &page, now)? };
        page.shown.list(page::cursor_response(Vec::new(), page.total, ways))
    }

    /// The cursors of a page: to the one before, and to the next.
    fn ways(&self, at: &Cursor, page: &Page, now: i64) -> Result<Ways, Error> {
        let (first, last) = page.ends.clone().unzip();
        let (before, behind) = if at.back {
            // Where nothing is before, the list itself is what comes next.
            (first.filter(|_| page.more), Some(last))
        } else {
            // A page that has become empty still has the place where it would begin.
            let begin = |mark: &Mark| Mark { inclusive: !mark.inclusive, ..mark.clone() };
            let before = at.mark.as_ref().map(|mark| first.unwrap_or_else(|| begin(mark)));
            (before, page.more.then_some(last))
        };
        let sealed = |back, mark| {
            let cursor = Cursor { issued: now, back, count: at.count, mark };
            self.seal.close(&cursor, self.binding)
        };
        Ok(Ways {
            previous: before.map(|mark| sealed(true, Some(mark))).transpose()?,
            next: behind.map(|mark| sealed(false, mark)).transpose()?,
        })
    }
}

impl Listing {
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Page, Error> {
        let parts = self.parts()?;
        let mut slice = self.slice.clone();
        let sorted = parts.iter().find_map(|part| part.sort).map(|sort| sort.sorted);
        let key = slice.after.as_ref().and_then(|mark| mark.key.as_ref());
        // The attribute has become another since the cursor was given out.
        if key.is_some_and(|key| sorted.is_some_and(|sorted| !sorted.fits(key))) {
            return Err(invalid());
        }
        if self.way != Way::Index && slice.count > 0 {
            // One more tells whether there is another page.
            slice.count += 1;
        }
        // RFC 9865 s2: totalResults may be left out with cursors. It is left out where only a scan
        // would tell it, which is where the filter is answered by no index, unless it is known from
        // a moment ago or count=0 asks for nothing else.
        let always = self.way == Way::Index || self.slice.count == 0;
        let totals = Totals { counts: &self.counts, always };
        let found = resources::list(tx, &parts, &slice, totals).await?;
        let mut rows = found.rows;
        let more = rows.len() as u64 > self.slice.count;
        rows.truncate(usize::try_from(self.slice.count).unwrap_or(usize::MAX));
        if self.way == Way::Back {
            rows.reverse();
        }
        let ends = rows.first().zip(rows.last()).map(|(first, last)| (first.mark(), last.mark()));
        let total = found.total.map(|total| i64::try_from(total).unwrap_or(i64::MAX));
        Ok(Page { shown: self.shown(tx, rows).await?, total, ends, more })
    }

    fn parts(&self) -> Result<Vec<Part<'_>>, Error> {
        let mut parts = Vec::new();
        for work in &self.works {
            let (filter, target) = (self.bound(work)?, self.sort(work)?);
            parts.push((Part::new(work.world(), filter), target));
        }
        let targets: Vec<_> = parts.iter().filter_map(|(_, target)| *target).collect();
        let sorted = self.sort_by.as_ref().map(|path| sorted(path, &targets)).transpose()?;
        let sort = |target| sorted.map(|sorted| Sort { target, sorted });
        Ok(parts.into_iter().map(|(part, target)| part.sorted(sort(target))).collect())
    }

    /// Rows of several types with what is shown beside them.
    async fn shown(&self, tx: &mut Tx<'_>, rows: Vec<Listed>) -> Result<Shown, Error> {
        let mut shown = Shown { count: rows.len(), kinds: Vec::new() };
        let mut rest: Vec<_> = rows.into_iter().map(|row| row.stored).enumerate().collect();
        for work in &self.works {
            // Names of attributes are checked even where there is nothing to show.
            let view = self.wish.clone().of(&work.kind, Sent::nothing())?;
            let (own, others) = rest.into_iter().partition(|(_, row)| row.kind == work.kind.name);
            rest = others;
            let (places, rows): (Vec<usize>, Vec<Stored>) = Vec::into_iter(own).unzip();
            let relations =
                if rows.is_empty() { Relations::default() } else { view.gather(tx, &rows).await? };
            shown.kinds.push(Kind { view, places, rows, relations });
        }
        Ok(shown)
    }

    fn bound<'w>(&self, work: &'w Work) -> Result<Option<Bound<'w>>, Error> {
        let unknown = if self.works.len() > 1 { Unknown::NoValue } else { Unknown::Refuse };
        let rules = Binding { quirks: work.quirks, unknown };
        let bound = self
            .filter
            .clone()
            .map(|filter| filter::bind(&work.seen, &work.soften_filter(filter), rules));
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
        match filter::sortable(&work.seen, &path) {
            Ok(target) => Ok(Some(target)),
            Err(_) if self.works.len() > 1 && work.seen.resolve(&path).is_none() => Ok(None),
            Err(refusal) => Err(refusal.into()),
        }
    }
}

/// As what the values are sorted; two types must not mean different things by one name.
fn sorted(path: &AttrPath, targets: &[filter::Target<'_>]) -> Result<Sorted, Error> {
    let refused = |why| crate::scim::Error::InvalidValue(format!("sortBy: '{path}' {why}."));
    let mut sorts = targets.iter().map(Sorted::of);
    let first = sorts.next().ok_or_else(|| refused("is no attribute of any resource type"))?;
    if sorts.any(|other| other != first) {
        return Err(refused("is not of one type in all resource types").into());
    }
    Ok(first)
}
