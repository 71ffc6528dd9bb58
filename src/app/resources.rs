//! Create, read, replace, change and delete resources: one set of functions for all types.

use std::sync::Arc;

use serde_json::Value;

use crate::app::change::{Change, OwnedTarget, Plan, Target};
use crate::app::create::Creation;
use crate::app::pieces::Pieces;
use crate::app::view::{Joined, View, Wish};
use crate::app::work::{Loaded, Work};
use crate::app::{App, Ctx, Error};
use crate::domain::scope::Scope;
use crate::domain::tenant::PatchResponse;
use crate::scim;
use crate::scim::patch::{self, Operation};
use crate::scim::project::Sent;
use crate::scim::query::Query;
use crate::scim::resource_type::ResourceType;
use crate::scim::urn;
use crate::store::{self, Dialect, Tx, members};

/// A resource as it is answered.
#[derive(Debug)]
pub struct Shown {
    /// The document, projected as the client asked, as JSON text; none where nobody wants to see
    /// what was written, or where it could not be read after it was written.
    pub body: Option<Pieces>,
    /// Its version: `meta.version` and the `ETag` header are the same.
    pub etag: String,
    /// Its absolute URI.
    pub location: String,
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

/// How a change is to be answered.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Which attributes.
    pub query: &'a Query,
    /// With or without a body.
    pub prefer: Prefer,
}

/// What came of a change.
struct Carried {
    loaded: Loaded,
    /// What is known of what is joined to it.
    joined: Joined,
    /// Whether it has more than [`MANY_MEMBERS`], where that is known.
    many: Option<bool>,
}

/// A group of more members than this answers a PATCH with 204, so that adding one member never
/// costs the whole list (`scim.patchResponse = auto`).
const MANY_MEMBERS: i64 = 100;

impl App {
    /// Creates a resource (RFC 7644 s3.3).
    pub async fn create(
        &self,
        ctx: &Ctx,
        kind: &Arc<ResourceType>,
        body: Value,
        asked: Asked<'_>,
    ) -> Result<Shown, Error> {
        if kind.schema.id == urn::INVITATION {
            return self.invite(ctx, body, asked).await;
        }
        let work = Work::new(self, ctx, kind);
        let body = work.soften_body(body);
        let view = Wish::new(self, ctx, asked.query).of(kind, Sent::body(kind, &body))?.of_new();
        let creation = self.creation(ctx, work, body).await?;
        let new = match self.carry_out_creation(&creation).await {
            Ok(new) => new,
            Err(error) => return Err(creation.work.note_denied(error, None).await),
        };
        let Creation { work, .. } = creation;
        let loaded = Arc::unwrap_or_clone(new).loaded(&work);
        if is_bare(ctx, asked) {
            return Ok(view.bare(&loaded.stored));
        }
        Ok(view.changed(loaded, Joined::Nothing).await)
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
        asked: Asked<'_>,
    ) -> Result<Shown, Error> {
        let work = Work::new(self, ctx, target.kind);
        let body = work.soften_body(body);
        let view =
            Wish::new(self, ctx, asked.query).of(target.kind, Sent::body(target.kind, &body))?;
        let change = Change::Replace(body);
        let is_bare = is_bare(ctx, asked);
        let seen = (!is_bare).then_some(&view);
        let plan = Plan::new(work, target.owned(), change)
            .sharing()
            .showing_groups(seen.is_some_and(View::wants_groups));
        let plan = self.plan(ctx, plan).await?;
        let Carried { loaded, joined, .. } = self.carry_out(ctx, plan, seen).await?;
        if is_bare {
            return Ok(view.bare(&loaded.stored));
        }
        Ok(view.changed(loaded, joined).await)
    }

    /// Does what was planned, where there is anything to do. What is joined to the resource comes with
    /// it where one transaction reads it for less; without a view nothing is.
    async fn carry_out(
        &self,
        ctx: &Ctx,
        mut plan: Plan,
        view: Option<&View>,
    ) -> Result<Carried, Error> {
        let joined = plan.groups().map_or(Joined::Nothing, Joined::Groups);
        let many = plan.has_many(MANY_MEMBERS);
        if let Some(unchanged) = plan.nothing() {
            return Ok(Carried { loaded: unchanged.clone(), joined, many });
        }
        if let Some(loaded) = plan.share(self.store()).await? {
            return Ok(Carried { loaded, joined, many });
        }
        let (work, id) = (plan.work().clone(), plan.id().to_owned());
        let sqlite = self.store().dialect() == Dialect::Sqlite;
        let seen =
            view.filter(|view| sqlite && (!view.has_members() || plan.counts_members())).cloned();
        let written = self
            .store()
            .write(&ctx.tenant, async move |tx: &mut Tx<'_>| {
                let loaded = plan.carry_out(tx).await?;
                let Some(seen) = &seen else { return Ok((loaded, None, None)) };
                if seen.has_members() {
                    let (tenant, id) = (seen.tenant(), &loaded.stored.id);
                    let many = members::more_than(tx, tenant, id, MANY_MEMBERS).await?;
                    return Ok((loaded, None, Some(many)));
                }
                let (loaded, relations) = seen.gather_one(tx, loaded).await?;
                Ok::<_, Error>((loaded, Some(relations), None))
            })
            .await;
        let (loaded, relations, many) = match written {
            Ok(written) => written,
            Err(error) => return Err(work.note_denied(error, Some(&id)).await),
        };
        Ok(Carried {
            loaded,
            joined: relations.map_or(joined, |all| Joined::All(Box::new(all))),
            many,
        })
    }

    /// Changes a resource (RFC 7644 s3.5.2), whole or not at all.
    pub async fn patch(
        &self,
        ctx: &Ctx,
        target: Target<'_>,
        body: Value,
        asked: Asked<'_>,
    ) -> Result<Shown, Error> {
        let work = Work::new(self, ctx, target.kind);
        let body = work.soften_patch(body);
        let view =
            Wish::new(self, ctx, asked.query).of(target.kind, Sent::patch(target.kind, &body))?;
        let operations = patch::parse(body, work.quirks)?;
        self.check_count(&operations)?;
        let shown = shown(ctx, asked);
        let seen = (shown != Body::Never).then_some(&view);
        let unless_many = shown == Body::UnlessMany && view.has_members() && view.wants_members();
        let mut plan = Plan::new(work, target.owned(), Change::Patch(operations))
            .sharing()
            .showing_groups(seen.is_some_and(View::wants_groups));
        if unless_many {
            plan = plan.counting_members(MANY_MEMBERS);
        }
        let plan = self.plan(ctx, plan).await?;
        let Carried { loaded, joined, many } = self.carry_out(ctx, plan, seen).await?;
        let shown = match (unless_many, many) {
            (false, _) => shown != Body::Never,
            (true, Some(many)) => !many,
            (true, None) => !self.has_many(ctx, &loaded).await,
        };
        if !shown {
            return Ok(view.bare(&loaded.stored));
        }
        Ok(view.changed(loaded, joined).await)
    }

    /// Whether a group that was just changed has so many members that they are not shown. Where that
    /// cannot be read, they could not be read either.
    async fn has_many(&self, ctx: &Ctx, group: &Loaded) -> bool {
        let (tenant, id) = (ctx.tenant.clone(), group.stored.id.clone());
        let look =
            async move |tx: &mut Tx<'_>| members::more_than(tx, &tenant, &id, MANY_MEMBERS).await;
        let many = self.store().read::<_, store::Error, _>(look).await;
        many.unwrap_or_else(|error| {
            tracing::warn!(%error, "a change of a group is answered without its body");
            true
        })
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
        if target.kind.schema.id == urn::INVITATION {
            return self.cancel_invitation(ctx, target.id, target.conditions).await;
        }
        let work = Work::new(self, ctx, target.kind);
        let target = target.owned();
        self.thin_out(ctx, &work, &target).await?;
        self.store()
            .write(&ctx.tenant, async move |tx: &mut Tx<'_>| {
                work.delete(tx, &target.id, &target.conditions).await
            })
            .await
    }

    /// Takes a department, or a group of agents, that is about to go out of its agents, piece by piece, so
    /// that nobody waits for all of them. Who breaks off finds it with fewer agents and goes on.
    async fn thin_out(&self, ctx: &Ctx, work: &Work, target: &OwnedTarget) -> Result<(), Error> {
        if !work.has_agents() {
            return Ok(());
        }
        loop {
            let (work, target) = (work.clone(), target.clone());
            let thinned = async move |tx: &mut Tx<'_>| {
                work.thin_out(tx, &target.id, &target.conditions).await
            };
            if !self.store().write_long(&ctx.tenant, thinned).await? {
                return Ok(());
            }
        }
    }
}

/// Whether a create or a replace is answered without its body: it is preferred so, or the credential
/// may write and not read. RFC 7644 s3.5.2: who names attributes wants to see them all the same.
fn is_bare(ctx: &Ctx, asked: Asked<'_>) -> bool {
    let minimal = asked.prefer == Prefer::Minimal && asked.query.attributes.is_empty();
    minimal || !ctx.scopes.allow(Scope::UsersRead)
}

/// Whether the answer of a PATCH has a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    Always,
    Never,
    UnlessMany,
}

fn shown(ctx: &Ctx, asked: Asked<'_>) -> Body {
    if !ctx.scopes.allow(Scope::UsersRead) {
        return Body::Never;
    }
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
