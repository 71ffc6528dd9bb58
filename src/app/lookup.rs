//! Reads that name what they want by a key: they go together with those of other requests.

use std::sync::Arc;

use crate::app::pieces::Pieces;
use crate::app::view::{View, Wish};
use crate::app::work::{Loaded, Work};
use crate::app::{App, Ctx, Error, Shown, Target};
use crate::ids::TenantId;
use crate::scim::attribute::Source;
use crate::scim::filter::{self, Binding, Bound, Op, Target as Compared, Unknown};
use crate::scim::fold::{self, Key};
use crate::scim::page;
use crate::scim::project::Sent;
use crate::scim::query::Query;
use crate::scim::resource_type::ResourceType;
use crate::store::lookup::{Ask, By};
use crate::store::members::Membership;
use crate::store::resources::Stored;

/// A filter that finds more than so many is no look-up.
const FEW: i64 = 8;

impl App {
    /// Reads one resource whose members are not asked for.
    pub(super) async fn get_by_look_up(
        &self,
        work: &Work,
        view: &View,
        target: Target<'_>,
    ) -> Result<Shown, Error> {
        let ask = Ask {
            tenant: work.tenant.clone(),
            kind: work.kind.name.clone(),
            by: By::Id(target.id.to_owned()),
            most: 1,
            groups: view.wants_groups(),
            members: 0,
        };
        let found = self.store().look_up(ask).await?;
        let stored = &found.first().ok_or_else(|| work.not_found(target.id))?.stored;
        Work::check_read(target.conditions, stored)?;
        let (etag, location) = view.headers(stored);
        let mut body = Pieces::new(view.clone());
        for text in view.texts(&found).await? {
            body.push(&text);
        }
        Ok(Shown { body: Some(body), etag, location })
    }

    /// One resource as it is now, with its groups where they are wanted, and with the number of its
    /// members, which are counted up to this number.
    pub(super) async fn look_up_one(
        &self,
        work: &Work,
        id: &str,
        groups: bool,
        members: i64,
    ) -> Result<(Loaded, Vec<Membership>, i64), Error> {
        let ask = Ask {
            tenant: work.tenant.clone(),
            kind: work.kind.name.clone(),
            by: By::Id(id.to_owned()),
            most: 1,
            groups,
            members,
        };
        let found = self.store().look_up(ask).await?.pop();
        let found = found.ok_or_else(|| work.not_found(id))?;
        Ok((Loaded::of(found.stored)?, found.groups, found.members))
    }

    /// The groups that a resource is in.
    pub(super) async fn look_up_groups(
        &self,
        tenant: &TenantId,
        stored: &Stored,
    ) -> Result<Vec<Membership>, Error> {
        let ask = Ask {
            tenant: tenant.clone(),
            kind: stored.kind.clone(),
            by: By::Id(stored.id.clone()),
            most: 1,
            groups: true,
            members: 0,
        };
        // Whoever deleted it meanwhile took it out of its groups.
        let found = self.store().look_up(ask).await?.pop();
        Ok(found.map(|found| found.groups).unwrap_or_default())
    }

    /// The `ListResponse` to a filter that names a few resources by an indexed value or by their id,
    /// as text; none where the query is of another kind or finds more. [`App::list`] then answers.
    pub async fn list_few(
        &self,
        ctx: &Ctx,
        kind: &Arc<ResourceType>,
        query: &Query,
    ) -> Result<Option<String>, Error> {
        let most = query.count.unwrap_or(ctx.rules.page_default).min(ctx.rules.page_max).min(FEW);
        if most <= 0 || !is_first_page(query) {
            return Ok(None);
        }
        let Some(filter) = self.filter(ctx, query)? else { return Ok(None) };
        let work = Work::new(self, ctx, kind);
        let rules = Binding { quirks: work.quirks, unknown: Unknown::Refuse };
        let bound = filter::bind(&work.seen, &work.soften_filter(filter), rules)?;
        let Some(by) = key_of(&bound) else { return Ok(None) };
        let view = Wish::new(self, ctx, query).of(kind, Sent::nothing())?;
        if view.wants_members() {
            return Ok(None);
        }
        let ask = Ask {
            tenant: work.tenant.clone(),
            kind: kind.name.clone(),
            by,
            most: most + 1,
            groups: view.wants_groups(),
            members: 0,
        };
        let found = self.store().look_up(ask).await?;
        if i64::try_from(found.len()).is_ok_and(|found| found > most) {
            return Ok(None);
        }
        Ok(Some(page::list_text(&view.texts(&found).await?)))
    }
}

/// Whether a query is for the first page of a filter in the default order.
fn is_first_page(query: &Query) -> bool {
    matches!(
        query,
        Query {
            filter: Some(_),
            filter_plus_as_space: _,
            sort_by: None,
            descending: _,
            start: 1,
            count: _,
            cursor: None,
            attributes: _,
            excluded: _,
        }
    )
}

/// The key that a filter comes to.
fn key_of(bound: &Bound<'_>) -> Option<By> {
    match bound {
        Bound::Compare { target, op: Op::Eq, key } => single(target, key),
        Bound::And(terms) => match terms.as_slice() {
            [one, other] => holder(one, other).or_else(|| holder(other, one)),
            _ => None,
        },
        Bound::Compare { .. }
        | Bound::Or(_)
        | Bound::Not(_)
        | Bound::Never
        | Bound::Present(_)
        | Bound::Within { .. } => None,
    }
}

fn single(target: &Compared<'_>, key: &Key) -> Option<By> {
    match (target.leaf().source, key) {
        (Source::Id, Key::Text(id)) => Some(By::Id(id.clone())),
        // Many resources share a truth value, and a fraction has more than one text.
        (Source::Document, Key::Text(_) | Key::Int(_))
            if target.attribute.is_stored()
                && target.leaf().indexed
                && !fold::index_is_vague(key) =>
        {
            Some(By::Value { attr: target.name(), value: fold::index_key(key) })
        }
        _ => None,
    }
}

/// Entra asks so whether a group has a member: `id eq "g" and members.value eq "u"`.
fn holder(id: &Bound<'_>, member: &Bound<'_>) -> Option<By> {
    let (
        Bound::Compare { target, op: Op::Eq, key },
        Bound::Compare { target: at, op: Op::Eq, key: held },
    ) = (id, member)
    else {
        return None;
    };
    let in_rows = at.attribute.source == Source::Members
        && at.sub.is_some_and(|sub| sub.source == Source::RowValue);
    match (single(target, key)?, held) {
        (By::Id(id), Key::Text(member)) if in_rows => {
            Some(By::Holder { id, member: member.clone() })
        }
        _ => None,
    }
}
