//! Create, read, replace, change and delete resources: one set of functions for all types.

use std::sync::Arc;

use serde_json::Value;

use crate::app::change::{Change, Plan, Target};
use crate::app::pieces::Pieces;
use crate::app::view::{Joined, View, Wish};
use crate::app::work::{Loaded, Work};
use crate::app::{App, Ctx, Error};
use crate::domain::tenant::PatchResponse;
use crate::scim;
use crate::scim::patch::{self, Operation};
use crate::scim::project::Sent;
use crate::scim::query::Query;
use crate::scim::resource_type::ResourceType;
use crate::store::{Dialect, Tx, members};

/// A resource as it is answered.
#[derive(Debug)]
pub struct Shown {
    /// The document, projected as the client asked, as JSON text.
    pub body: Pieces,
    /// Its version: `meta.version` and the `ETag` header are the same.
    pub etag: String,
    /// Its absolute URI.
    pub location: String,
}

/// What a PATCH answers.
#[derive(Debug)]
pub enum Patched {
    /// 200 with the resource.
    Resource(Shown),
    /// 204 with these headers.
    Nothing {
        /// The version after the change.
        etag: String,
        /// The absolute URI.
        location: String,
    },
}

/// What the client prefers (RFC 7240, RFC 9967 s2.5): `Prefer: return=…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prefer {
    /// Nothing said.
    #[default]
    Unsaid,
    /// `return=minimal`.
    Minimal,
    /// `return=representation`.
    Representation,
}

/// How a PATCH is to be answered.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Which attributes.
    pub query: &'a Query,
    /// With or without a body.
    pub prefer: Prefer,
}

/// A group of more members than this answers a PATCH with 204, so that adding one member never
/// costs the whole list (`scim.patchResponse = auto`).
const MANY_MEMBERS: u64 = 100;

impl App {
    /// Creates a resource (RFC 7644 s3.3).
    pub async fn create(
        &self,
        ctx: &Ctx,
        kind: &Arc<ResourceType>,
        body: Value,
        query: &Query,
    ) -> Result<Shown, Error> {
        let work = Work::new(self, ctx, kind);
        let body = work.soften_body(body);
        let view = Wish::new(self, ctx, query).of(kind, Sent::body(kind, &body))?.of_new();
        let creation = self.creation(ctx, work, body).await?;
        self.carry_out_creation(&creation).await?;
        view.written(creation.loaded()).await
    }

    /// Reads one resource (RFC 7644 s3.4.1).
    pub async fn get(&self, ctx: &Ctx, target: Target<'_>, query: &Query) -> Result<Shown, Error> {
        let work = Work::new(self, ctx, target.kind);
        let view = Wish::new(self, ctx, query).of(target.kind, Sent::nothing())?;
        if !view.wants_members() {
            return self.get_by_look_up(&work, &view, target).await;
        }
        let (target, seen) = (target.owned(), view.clone());
        let (loaded, relations) = self
            .store()
            .read(async move |tx: &mut Tx<'_>| {
                let loaded = work.find(tx, &target.id).await?;
                Work::check_read(&target.conditions, &loaded.stored)?;
                seen.gather_one(tx, loaded).await
            })
            .await?;
        view.shown(loaded, &relations)
    }

    /// Replaces a resource (RFC 7644 s3.5.1). A PUT of what is there already changes nothing.
    pub async fn replace(
        &self,
        ctx: &Ctx,
        target: Target<'_>,
        body: Value,
        query: &Query,
    ) -> Result<Shown, Error> {
        let work = Work::new(self, ctx, target.kind);
        let body = work.soften_body(body);
        let view = Wish::new(self, ctx, query).of(target.kind, Sent::body(target.kind, &body))?;
        let change = Change::Replace(body);
        let plan = Plan::new(work, target.owned(), change).showing_groups(view.wants_groups());
        let plan = self.plan(ctx, plan).await?;
        let (loaded, joined) = self.carry_out(ctx, plan, &view).await?;
        view.changed(loaded, joined).await
    }

    /// Does what was planned, where there is anything to do. What is joined to the resource comes with
    /// it where one transaction reads it for less.
    async fn carry_out(
        &self,
        ctx: &Ctx,
        plan: Plan,
        view: &View,
    ) -> Result<(Loaded, Joined), Error> {
        let known = plan.groups().map_or(Joined::Nothing, Joined::Groups);
        if let Some(unchanged) = plan.nothing() {
            return Ok((unchanged.clone(), known));
        }
        if let Some(done) = plan.share(self.store()).await? {
            return Ok((done, known));
        }
        let gathers = self.store().dialect() == Dialect::Sqlite && !view.has_members();
        let seen = view.clone();
        let (loaded, relations) = self
            .store()
            .write(&ctx.tenant, async move |tx: &mut Tx<'_>| {
                let loaded = plan.carry_out(tx).await?;
                if !gathers {
                    return Ok((loaded, None));
                }
                let (loaded, relations) = seen.gather_one(tx, loaded).await?;
                Ok::<_, Error>((loaded, Some(relations)))
            })
            .await?;
        Ok((loaded, relations.map_or(known, Joined::All)))
    }

    /// Changes a resource (RFC 7644 s3.5.2), whole or not at all.
    pub async fn patch(
        &self,
        ctx: &Ctx,
        target: Target<'_>,
        body: Value,
        asked: Asked<'_>,
    ) -> Result<Patched, Error> {
        let work = Work::new(self, ctx, target.kind);
        let body = work.soften_patch(body);
        let view =
            Wish::new(self, ctx, asked.query).of(target.kind, Sent::patch(target.kind, &body))?;
        let operations = patch::parse(body, work.quirks)?;
        self.check_count(&operations)?;
        let shown = shown(ctx, asked);
        let plan = Plan::new(work, target.owned(), Change::Patch(operations))
            .showing_groups(view.wants_groups());
        let plan = self.plan(ctx, plan).await?;
        let (loaded, joined) = self.carry_out(ctx, plan, &view).await?;
        let shown = match shown {
            Body::Always => true,
            Body::Never => false,
            Body::UnlessMany => {
                !view.has_members() || !view.wants_members() || !self.has_many(ctx, &loaded).await?
            }
        };
        if shown {
            return view.changed(loaded, joined).await.map(Patched::Resource);
        }
        let (etag, location) = view.headers(&loaded.stored);
        Ok(Patched::Nothing { etag, location })
    }

    async fn has_many(&self, ctx: &Ctx, group: &Loaded) -> Result<bool, Error> {
        let (tenant, id) = (ctx.tenant.clone(), group.stored.id.clone());
        let look =
            async move |tx: &mut Tx<'_>| members::more_than(tx, &tenant, &id, MANY_MEMBERS).await;
        Ok(self.store().read(look).await?)
    }

    pub(super) fn check_count(&self, operations: &[Operation]) -> Result<(), Error> {
        let most = self.settings().limits.max_patch_operations;
        if operations.len() <= most {
            return Ok(());
        }
        Err(scim::Error::InvalidValue(format!(
            "Operations: {} are too many; send at most {most} in one PATCH.",
            operations.len()
        ))
        .into())
    }

    /// Deletes a resource (RFC 7644 s3.6); its memberships go with it.
    pub async fn delete(&self, ctx: &Ctx, target: Target<'_>) -> Result<(), Error> {
        let work = Work::new(self, ctx, target.kind);
        let target = target.owned();
        self.store()
            .write(&ctx.tenant, async move |tx: &mut Tx<'_>| {
                work.delete(tx, &target.id, &target.conditions).await
            })
            .await
    }
}

/// Whether the answer of a PATCH has a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    Always,
    Never,
    UnlessMany,
}

fn shown(ctx: &Ctx, asked: Asked<'_>) -> Body {
    // RFC 7644 s3.5.2: with the "attributes" parameter the answer is 200 with a body.
    if !asked.query.attributes.is_empty() {
        return Body::Always;
    }
    match asked.prefer {
        Prefer::Minimal => Body::Never,
        Prefer::Representation => Body::Always,
        Prefer::Unsaid => match ctx.rules.patch_response {
            PatchResponse::Auto => Body::UnlessMany,
            PatchResponse::Body => Body::Always,
            PatchResponse::None => Body::Never,
        },
    }
}
