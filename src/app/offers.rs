//! `/SeatPools`, `/Roles`, `/Entitlements`: few resources that are made when they are asked for, so
//! that filters, sorting and paging happen here and not in the database.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use crate::app::pieces::Pieces;
use crate::app::view::{View, Wish};
use crate::app::work::Work;
use crate::app::{App, Ctx, Error, Shown, Target, catalogue};
use crate::domain::offer::{self, Counted, Kind, Offer};
use crate::domain::scope::Scope;
use crate::scim::filter::{self, Binding, Unknown, eval};
use crate::scim::fold::{self, Key};
use crate::scim::path::AttrPath;
use crate::scim::project::Sent;
use crate::scim::query::Query;
use crate::scim::render::{Parts, Renderer};
use crate::scim::resource_type::ResourceType;
use crate::scim::{Doc, page, urn};
use crate::store::lookup::Found;
use crate::store::resources::Stored;
use crate::store::{Tx, resources, seats};

impl App {
    /// Whether resources of this type are made when they are asked for.
    pub fn is_offered(&self, kind: &ResourceType) -> bool {
        self.registry().offered().iter().any(|offered| offered.name == kind.name)
    }

    /// What a query finds among them, as the text of a `ListResponse`.
    pub async fn list_offers(
        &self,
        ctx: &Ctx,
        kind: &Arc<ResourceType>,
        query: &Query,
    ) -> Result<String, Error> {
        if query.cursor.as_deref().is_some_and(|cursor| !cursor.is_empty()) {
            return Err(super::cursors::invalid());
        }
        let work = Work::new(self, ctx, kind);
        let mut found = self.offers(ctx, &work).await?;
        if let Some(filter) = self.filter(ctx, query)? {
            let rules = Binding { quirks: ctx.quirks, unknown: Unknown::Refuse };
            let bound = filter::bind(&work.seen, &work.soften_filter(filter), rules)?;
            found.retain(|stored| eval::matches(&bound, &self.whole(&work, stored)));
        }
        if let Some(text) = &query.sort_by {
            self.sort(&work, text, query.descending, &mut found)?;
        }
        let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
        let most = query.count.unwrap_or(ctx.rules.page_default).clamp(0, ctx.rules.page_max);
        let skip = usize::try_from(query.start - 1).unwrap_or_default();
        let count = usize::try_from(most).unwrap_or_default();
        let found: Vec<Stored> = found.into_iter().skip(skip).take(count).collect();
        let view = Wish::new(self, ctx, query).of(kind, Sent::nothing())?;
        let texts = texts(&view, found).await?;
        let list = match &query.cursor {
            Some(_) => page::cursor_response(Vec::new(), Some(total), page::Ways::default()),
            None => page::list_response(Vec::new(), total, query.start),
        };
        Ok(format!("{}{}]}}", page::open_text(list, texts.len()), texts.join(",")))
    }

    /// One of them.
    pub async fn get_offer(
        &self,
        ctx: &Ctx,
        target: Target<'_>,
        query: &Query,
    ) -> Result<Shown, Error> {
        let work = Work::new(self, ctx, target.kind);
        let found = self.offers(ctx, &work).await?;
        let one = found.into_iter().find(|stored| stored.id == target.id);
        let one = one.ok_or_else(|| work.not_found(target.id))?;
        Work::check_read(target.conditions, &one)?;
        let view = Wish::new(self, ctx, query).of(target.kind, Sent::nothing())?;
        let (etag, location) = view.headers(&one);
        let mut body = Pieces::new(view.clone());
        for text in texts(&view, vec![one]).await? {
            body.push(&text);
        }
        Ok(Shown { body: Some(body), etag, location })
    }

    /// All of a type, as if they were stored.
    async fn offers(&self, ctx: &Ctx, work: &Work) -> Result<Vec<Stored>, Error> {
        let kind = Kind::of(&work.kind.name);
        let kind = kind.ok_or_else(|| Error::Internal("nothing is offered here".to_owned()))?;
        if kind != Kind::Role {
            ctx.require(Scope::SeatsRead)?;
        }
        let tenant = ctx.tenant.clone();
        let look = async move |tx: &mut Tx<'_>| {
            let catalogue = catalogue::read(tx, &tenant).await?;
            let mut counted = Counted::default();
            for pool in catalogue.pools.iter().filter(|_| kind != Kind::Role) {
                let taken = seats::taken(tx, &tenant, &pool.value).await?.unwrap_or_default();
                counted.pools.insert(pool.value.clone(), taken);
            }
            if kind == Kind::Role {
                let attr = format!("{}:effectiveRoles.value", urn::CONTACT_CENTER);
                counted.roles = resources::counts_of(tx, &tenant, "User", &attr).await?;
            }
            Ok::<_, Error>((catalogue, counted))
        };
        let (catalogue, counted) = self.store().read(look).await?;
        let now = self.clock().now();
        let offers = offer::offers(kind, (&ctx.rules, &catalogue), &counted, now);
        offers.into_iter().map(|offer| stored(work, offer)).collect()
    }

    /// The full document: what a filter looks at.
    fn whole(&self, work: &Work, stored: &Stored) -> Doc {
        let renderer =
            Renderer { registry: self.registry(), base: self.base(), quirks: work.quirks };
        let parts = Parts {
            id: &stored.id,
            version: stored.version,
            created: stored.created,
            modified: stored.modified,
            members: None,
            groups: None,
            links: &HashMap::new(),
            counted: None,
        };
        renderer.document(&work.seen, &stored.document().unwrap_or_default(), &parts)
    }

    fn sort(&self, work: &Work, by: &str, down: bool, found: &mut [Stored]) -> Result<(), Error> {
        let refused = |refusal| crate::scim::Error::InvalidValue(format!("sortBy: {refusal}"));
        let path = work.soften_path(AttrPath::parse(by).map_err(refused)?);
        let target = filter::sortable(&work.seen, &path)?;
        let key = |stored: &Stored| -> Option<Key> {
            let whole = self.whole(work, stored);
            let value = whole.get(&target.attribute.name)?;
            let value = value.as_array().map_or(Some(value), |list| list.first())?;
            let value = target.sub.map_or(Some(value), |sub| value.get(&sub.name))?;
            fold::key(target.leaf(), value)
        };
        // What has no value comes last in both directions.
        found.sort_by(|left, right| match (key(left), key(right)) {
            (Some(left), Some(right)) if down => compared(&right, &left),
            (Some(left), Some(right)) => compared(&left, &right),
            (left, right) => left.is_none().cmp(&right.is_none()),
        });
        Ok(())
    }
}

fn compared(left: &Key, right: &Key) -> Ordering {
    match (left, right) {
        (Key::Text(left), Key::Text(right)) => left.cmp(right),
        (Key::Int(left), Key::Int(right)) => left.cmp(right),
        (Key::Bool(left), Key::Bool(right)) => left.cmp(right),
        (Key::Real(left), Key::Real(right)) => left.total_cmp(right),
        (_, _) => Ordering::Equal,
    }
}

async fn texts(view: &View, found: Vec<Stored>) -> Result<Vec<String>, Error> {
    let found: Vec<Found> =
        found.into_iter().map(|stored| Found { stored, groups: Vec::new(), members: 0 }).collect();
    view.texts(&found).await
}

/// An offer as if it were stored. Its version is another one whenever anything of it is.
fn stored(work: &Work, offer: Offer) -> Result<Stored, Error> {
    let doc =
        serde_json::to_string(&offer.doc).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Stored {
        kind: work.kind.name.clone(),
        id: offer.id,
        version: i64::from(crc32fast::hash(doc.as_bytes())),
        label: fold::label(&work.kind, &offer.doc),
        doc,
        created: offer.created,
        modified: offer.modified,
    })
}
