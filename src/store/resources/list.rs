//! Lists of resources: a page anywhere in them, in their order, and how many there are.

mod by_state;
mod chosen;
mod count;
mod sorting;
mod walk;

use std::cmp::Ordering;

use super::Stored;
use crate::ids::TenantId;
use crate::scim::attribute::{Source, Uniqueness};
use crate::scim::cursor::{Mark, SortKey};
use crate::scim::filter::{Bound, Target};
use crate::scim::fold;
use crate::store::filter::{self, Sorted, World};
use crate::store::{Error, Tx, blocks};

pub use count::{Counts, Totals};

use chosen::{Chosen, choose};
use walk::{By, Walk};

/// One resource type's part of a list.
#[derive(Debug, Clone)]
pub struct Part<'w> {
    /// The tenant and the resource type.
    pub world: World<'w>,
    /// Which of its resources; all without it.
    pub filter: Option<Bound<'w>>,
    /// In which order; by id without it, which is the order of creation.
    pub sort: Option<Sort<'w>>,
    /// Up to so many resources in the states that a filter leaves are looked up and sorted, instead of
    /// walked along in another order.
    few: i64,
    /// These states, once they are known.
    chosen: Option<Chosen<'w>>,
}

/// Of a million resources in another order, a walk meets a page of these sooner than they are sorted.
const FEW: i64 = 10_000;

/// What a list is sorted by.
#[derive(Debug, Clone, Copy)]
pub struct Sort<'w> {
    /// The attribute; none where the resource type lacks it.
    pub target: Option<Target<'w>>,
    /// As what its values are sorted.
    pub sorted: Sorted,
}

/// Which piece of a list is wanted.
#[derive(Debug, Clone, Default)]
pub struct Slice {
    /// Whether it is read from high to low; equals go by id in the same direction, and what has no
    /// value then comes first.
    pub down: bool,
    /// The place where it begins; at the beginning of the list without it.
    pub after: Option<Mark>,
    /// How many to leave out before.
    pub skip: u64,
    /// How many at most.
    pub count: u64,
}

/// A resource in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The resource.
    pub stored: Stored,
    /// What it is sorted by; none where it has no value, or nothing is sorted.
    pub key: Option<SortKey>,
}

/// A piece of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The resources of the piece, in the direction in which it was read.
    pub rows: Vec<Listed>,
    /// How many there are in all; none where it was not counted.
    pub total: Option<u64>,
}

impl Listed {
    /// Its place in the list.
    pub fn mark(&self) -> Mark {
        Mark {
            kind: self.stored.kind.clone(),
            key: self.key.clone(),
            id: self.stored.id.clone(),
            inclusive: false,
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        let by_key = compare(self.key.as_ref(), other.key.as_ref());
        by_key.then_with(|| self.stored.id.cmp(&other.stored.id))
    }
}

/// What has no value comes last.
fn compare(one: Option<&SortKey>, other: Option<&SortKey>) -> Ordering {
    match (one, other) {
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(SortKey::Text(left)), Some(SortKey::Text(right))) => left.cmp(right),
        (Some(SortKey::Int(left)), Some(SortKey::Int(right))) => left.cmp(right),
        (Some(SortKey::Real(left)), Some(SortKey::Real(right))) => left.total_cmp(right),
        // Keys of one list are of one sort.
        (None, None) | (Some(_), Some(_)) => Ordering::Equal,
    }
}

impl<'w> Part<'w> {
    /// Those that the filter names, all without one, by id.
    pub fn new(world: World<'w>, filter: Option<Bound<'w>>) -> Self {
        Self { world, filter, sort: None, few: FEW, chosen: None }
    }

    /// The same in this order.
    #[must_use]
    pub fn sorted(self, sort: Option<Sort<'w>>) -> Self {
        Self { sort, ..self }
    }

    /// The same where up to so many resources in the states that the filter leaves are looked up and
    /// sorted, instead of 10,000; what comes of it is the same.
    #[must_use]
    pub fn looking_up(self, few: i64) -> Self {
        Self { few, ..self }
    }

    fn tenant(&self) -> TenantId {
        self.world.tenant.into()
    }

    fn kind(&self) -> &str {
        &self.world.rt.name
    }

    /// Whether the filter names what is to be looked up and sorted, instead of walked along.
    fn names_few(&self) -> bool {
        self.filter.as_ref().is_some_and(filter::names_few)
            || self.chosen.as_ref().is_some_and(|chosen| chosen.few)
    }
}

/// A piece of a list of one or several types. Unsorted, it goes type by type.
pub async fn list(
    tx: &mut Tx<'_>,
    parts: &[Part<'_>],
    slice: &Slice,
    totals: Totals<'_>,
) -> Result<Found, Error> {
    let mut parts = parts.to_vec();
    for part in &mut parts {
        part.chosen = choose(tx, part).await?;
    }
    let parts = parts.as_slice();
    if parts.len() < 2 || parts.iter().all(|part| part.sort.is_none()) {
        return one_by_one(tx, parts, slice, totals).await;
    }
    let mut total = Some(0);
    for part in parts {
        total = sum(total, totals.of(tx, part).await?);
    }
    Ok(Found { rows: in_one_order(tx, parts, slice, totals).await?, total })
}

async fn one_by_one(
    tx: &mut Tx<'_>,
    parts: &[Part<'_>],
    slice: &Slice,
    totals: Totals<'_>,
) -> Result<Found, Error> {
    let mut in_order: Vec<&Part<'_>> = parts.iter().collect();
    if slice.down {
        in_order.reverse();
    }
    let (mut rows, mut total) = (Vec::new(), Some(0));
    let mut begun = slice.after.is_none();
    for part in in_order {
        let after = slice.after.as_ref().filter(|mark| mark.kind == part.kind());
        begun |= after.is_some();
        let room = if begun { slice.count.saturating_sub(rows.len() as u64) } else { 0 };
        let skip = slice.skip.saturating_sub(total.unwrap_or_default());
        let piece = Slice { down: slice.down, after: after.cloned(), skip, count: room };
        let here = page(tx, part, &piece, totals).await?;
        let got = here.len() as u64;
        // A page that is neither empty nor full ends where its kind ends.
        let ends = slice.after.is_none() && got < room && (got > 0 || skip == 0);
        let counted = if ends { Some(skip + got) } else { totals.of(tx, part).await? };
        total = sum(total, counted);
        rows.extend(here);
    }
    Ok(Found { rows, total })
}

fn sum(left: Option<u64>, right: Option<u64>) -> Option<u64> {
    Some(left? + right?)
}

/// All types in one order (RFC 7644 s3.4.2.3).
async fn in_one_order(
    tx: &mut Tx<'_>,
    parts: &[Part<'_>],
    slice: &Slice,
    totals: Totals<'_>,
) -> Result<Vec<Listed>, Error> {
    if slice.skip > 0 {
        return sorting::page(tx, parts, slice).await;
    }
    let mut rows = Vec::new();
    for part in parts {
        rows.extend(page(tx, part, slice, totals).await?);
    }
    rows.sort_by(|left, right| {
        let up = left.compare(right);
        if slice.down { up.reverse() } else { up }
    });
    rows.truncate(usize::try_from(slice.count).unwrap_or(usize::MAX));
    Ok(rows)
}

/// A piece of one type's part, the cheapest way.
async fn page(
    tx: &mut Tx<'_>,
    part: &Part<'_>,
    slice: &Slice,
    totals: Totals<'_>,
) -> Result<Vec<Listed>, Error> {
    if slice.count == 0 {
        return Ok(Vec::new());
    }
    let Some(Sort { target, sorted }) = part.sort else { return by_id(tx, part, slice).await };
    let Some(target) = target else { return without_values(tx, part, slice).await };
    let by = match (target.sub.unwrap_or(target.attribute)).source {
        Source::Id => return by_id(tx, part, slice).await,
        _ if part.names_few() => None,
        Source::Created => Some(By::Time("created_at")),
        Source::Modified => Some(By::Time("modified_at")),
        _ => None,
    };
    if let Some(by) = by {
        return walk::rows(tx, part, &Walk::new(by, part.filter.as_ref()), slice).await;
    }
    if target.leaf().state && target.attribute.is_stored() && !part.names_few() {
        let found = by_state::page(tx, part, slice, (&target, sorted)).await?;
        if let Some(rows) = found {
            return Ok(rows);
        }
    }
    let walks = filter::ordered_by_index(&target) && !part.names_few();
    // How many of a filter's resources have no value is not known without looking at all.
    if walks && (slice.skip == 0 || part.filter.is_none()) {
        return by_value(tx, part, slice, Indexed { target, sorted, totals }).await;
    }
    sorting::page(tx, std::slice::from_ref(part), slice).await
}

async fn by_id(tx: &mut Tx<'_>, part: &Part<'_>, slice: &Slice) -> Result<Vec<Listed>, Error> {
    if let Some(chosen) = part.chosen.as_ref().filter(|chosen| chosen.is_walkable()) {
        let walk = Walk::new(By::States(chosen.states.clone()), chosen.rest.as_ref());
        return walk::rows(tx, part, &walk, slice).await;
    }
    if let Some(bound) = &part.filter {
        if let Some(driver) = filter::driver(bound) {
            let by = By::Entry { attr: driver.attr, value: driver.value };
            return walk::rows(tx, part, &Walk::new(by, driver.rest.as_ref()), slice).await;
        }
        if part.names_few() {
            return sorting::page(tx, std::slice::from_ref(part), slice).await;
        }
        return walk::rows(tx, part, &Walk::new(By::Id, Some(bound)), slice).await;
    }
    if slice.skip > 0 && !slice.down && slice.after.is_none() {
        let place = blocks::place(tx, &part.tenant(), part.kind(), slice.skip).await?;
        let Some((first, skip)) = place else { return Ok(Vec::new()) };
        let mark = Mark { kind: part.kind().to_owned(), key: None, id: first, inclusive: true };
        let near = Slice { after: Some(mark), skip, ..slice.clone() };
        return walk::rows(tx, part, &Walk::new(By::Id, None), &near).await;
    }
    walk::rows(tx, part, &Walk::new(By::Id, None), slice).await
}

/// All of a type that lacks the attribute stands where absent values belong.
async fn without_values(
    tx: &mut Tx<'_>,
    part: &Part<'_>,
    slice: &Slice,
) -> Result<Vec<Listed>, Error> {
    let mut slice = slice.clone();
    if slice.after.as_ref().is_some_and(|mark| mark.key.is_some()) {
        if slice.down {
            return Ok(Vec::new());
        }
        slice.after = None;
    }
    by_id(tx, part, &slice).await
}

/// An attribute whose values stand in `attr_index` as they sort.
#[derive(Clone, Copy)]
struct Indexed<'w> {
    target: Target<'w>,
    sorted: Sorted,
    totals: Totals<'w>,
}

impl Indexed<'_> {
    /// Whether every resource has it: names that are required and unique cannot be left out of any
    /// document, nor become required later. Or whether the filter asks for it.
    fn is_always_there(&self, part: &Part<'_>) -> bool {
        let Target { extension, attribute, sub } = self.target;
        let is_name = attribute.required && attribute.uniqueness != Uniqueness::None;
        is_name && extension.is_none() && sub.is_none() || self.prefix(part).is_some()
    }

    /// What its values have to begin with.
    fn prefix<'p>(&self, part: &'p Part<'_>) -> Option<&'p str> {
        let prefix = filter::prefix(part.filter.as_ref()?, &self.target)?;
        (!prefix.is_empty() && prefix.len() <= fold::SORTED_BYTES).then_some(prefix)
    }
}

/// Along the index; then, or before, those that have no value.
async fn by_value(
    tx: &mut Tx<'_>,
    part: &Part<'_>,
    slice: &Slice,
    indexed: Indexed<'_>,
) -> Result<Vec<Listed>, Error> {
    let is_long = |key: &Option<SortKey>| matches!(key, Some(SortKey::Text(text)) if text.len() >= fold::SORTED_BYTES);
    let begins_long = slice.after.as_ref().is_some_and(|mark| is_long(&mark.key));
    let rows = if begins_long {
        Vec::new()
    } else if slice.down {
        down(tx, part, slice, indexed).await?
    } else {
        up(tx, part, slice, indexed).await?
    };
    // Long texts that begin alike are equal in the sort, and something else in the index.
    if begins_long || rows.iter().any(|row| is_long(&row.key)) {
        return sorting::page(tx, std::slice::from_ref(part), slice).await;
    }
    Ok(rows)
}

async fn up(
    tx: &mut Tx<'_>,
    part: &Part<'_>,
    slice: &Slice,
    indexed: Indexed<'_>,
) -> Result<Vec<Listed>, Error> {
    let (with, without) = walks(part, indexed);
    if slice.after.as_ref().is_some_and(|mark| mark.key.is_none()) {
        return walk::rows(tx, part, &without, slice).await;
    }
    let mut rows = walk::rows(tx, part, &with, slice).await?;
    let room = slice.count - rows.len() as u64;
    if room == 0 || indexed.is_always_there(part) {
        return Ok(rows);
    }
    let (valued, absent) = indexed.totals.valued(tx, part, &indexed.target).await?;
    let skip = if rows.is_empty() { slice.skip.saturating_sub(valued) } else { 0 };
    let piece = Slice { down: false, after: None, skip, count: room.min(absent) };
    rows.extend(walk::rows(tx, part, &without, &piece).await?);
    Ok(rows)
}

async fn down(
    tx: &mut Tx<'_>,
    part: &Part<'_>,
    slice: &Slice,
    indexed: Indexed<'_>,
) -> Result<Vec<Listed>, Error> {
    let (with, without) = walks(part, indexed);
    if slice.after.as_ref().is_some_and(|mark| mark.key.is_some()) || indexed.is_always_there(part)
    {
        return walk::rows(tx, part, &with, slice).await;
    }
    // Whoever goes on among those without a value knows that there are some.
    let absent = match &slice.after {
        Some(_) => u64::MAX,
        None => indexed.totals.valued(tx, part, &indexed.target).await?.1,
    };
    let piece =
        Slice { count: slice.count.min(absent.saturating_sub(slice.skip)), ..slice.clone() };
    let mut rows = walk::rows(tx, part, &without, &piece).await?;
    let skip = slice.skip.saturating_sub(absent);
    let room = slice.count - rows.len() as u64;
    let piece = Slice { down: true, after: None, skip, count: room };
    rows.extend(walk::rows(tx, part, &with, &piece).await?);
    Ok(rows)
}

/// Those with a value, and those without.
fn walks<'p>(part: &'p Part<'_>, indexed: Indexed<'p>) -> (Walk<'p>, Walk<'p>) {
    let Indexed { target, sorted, .. } = indexed;
    let filter = part.filter.as_ref();
    let prefix = indexed.prefix(part).unwrap_or_default().to_owned();
    let with = Walk::new(By::Value { attr: target.name(), sorted, prefix }, filter);
    (with, Walk::new(By::Id, filter).of_those_without(target))
}
