//! From stored rows to answers: joins what the client asked for, renders, projects.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::app::resources::Answer;
use crate::app::work::Loaded;
use crate::app::{App, Ctx, Error};
use crate::ids::TenantId;
use crate::scim::Doc;
use crate::scim::attribute::Source;
use crate::scim::etag;
use crate::scim::project::{Projection, Sent};
use crate::scim::query::Query;
use crate::scim::quirks::{Quirks, Softener};
use crate::scim::render::text::{self, Raw, Writer};
use crate::scim::render::{self, Linked, Parts, Renderer};
use crate::scim::resource_type::ResourceType;
use crate::store::lookup::Found;
use crate::store::members::Membership;
use crate::store::resources::Stored;
use crate::store::{Tx, members, resources};

/// What one request wants to see of any resource.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    app: App,
    tenant: TenantId,
    quirks: Quirks,
    aliases: Vec<(String, String)>,
    attributes: Vec<String>,
    excluded: Vec<String>,
}

/// What one request wants to see of a resource type.
#[derive(Debug, Clone)]
pub(super) struct View {
    wish: Wish,
    kind: Arc<ResourceType>,
    sent: Sent,
    /// Whether the resource is just being made: no group can hold it yet.
    new: bool,
}

impl Wish {
    pub(super) fn new(app: &App, ctx: &Ctx, query: &Query) -> Self {
        Self {
            app: app.clone(),
            tenant: ctx.tenant.clone(),
            quirks: ctx.quirks,
            aliases: ctx.rules.aliases.clone(),
            attributes: query.attributes.clone(),
            excluded: query.excluded.clone(),
        }
    }

    /// The names of all resource types.
    fn kinds(&self) -> Vec<&str> {
        self.app.registry().types().iter().map(|kind| kind.name.as_str()).collect()
    }

    /// The view of this type; `sent` is what the request itself set (RFC 7643 s7, `returned`).
    pub(super) fn of(mut self, kind: &Arc<ResourceType>, sent: Sent) -> Result<View, Error> {
        let aliases = std::mem::take(&mut self.aliases);
        let softener = Softener { rt: kind, quirks: self.quirks, aliases: &aliases, hidden: &[] };
        for name in self.attributes.iter_mut().chain(&mut self.excluded) {
            if let Some(renamed) = softener.renamed(name) {
                *name = renamed;
            }
        }
        let view = View { wish: self, kind: Arc::clone(kind), sent, new: false };
        view.projection()?;
        Ok(view)
    }
}

impl View {
    /// The view of a resource that is just being made.
    pub(super) fn of_new(self) -> Self {
        Self { new: true, ..self }
    }

    fn projection(&self) -> Result<Projection<'_>, Error> {
        let wish = &self.wish;
        Ok(Projection::new(&self.kind, &wish.attributes, &wish.excluded, wish.quirks)?)
    }

    /// Whether the groups of a resource are among what is shown.
    pub(super) fn wants_groups(&self) -> bool {
        self.kind.attribute_of(Source::MemberOf).is_some()
            && self.projection().is_ok_and(|projection| projection.wants(Source::MemberOf))
    }

    /// Whether members are among what is shown.
    pub(super) fn wants_members(&self) -> bool {
        self.projection().is_ok_and(|projection| projection.wants(Source::Members))
    }

    /// `ETag` and location of a resource.
    pub(super) fn headers(&self, stored: &Stored) -> (String, String) {
        let endpoint = &self.kind.endpoint;
        (etag::of(stored.version), format!("{}{endpoint}/{}", self.wish.app.base(), stored.id))
    }

    /// One resource as it is answered.
    pub(super) fn answer(&self, loaded: Loaded, relations: &Relations) -> Result<Answer, Error> {
        let (etag, location) = self.headers(&loaded.stored);
        let document = self.render(vec![loaded], relations)?.pop().unwrap_or_default();
        Ok(Answer { document, etag, location })
    }

    /// Resources as they are answered. Outside of the transaction: it takes as long as it takes.
    pub(super) fn render(
        &self,
        page: Vec<Loaded>,
        relations: &Relations,
    ) -> Result<Vec<Map<String, Value>>, Error> {
        let projection = self.projection()?;
        let wish = &self.wish;
        let renderer =
            Renderer { registry: wish.app.registry(), base: wish.app.base(), quirks: wish.quirks };
        let documents = page.into_iter().map(|Loaded { stored, doc }| {
            let parts = Parts {
                id: &stored.id,
                version: stored.version,
                created: stored.created,
                modified: stored.modified,
                members: held(relations.members.as_ref(), &stored.id),
                groups: held(relations.groups.as_ref(), &stored.id),
                links: &relations.links,
            };
            projection.apply(renderer.document(&self.kind, &doc, &parts), &self.sent)
        });
        Ok(documents.collect())
    }

    /// What was looked up, as JSON text; what its documents refer to is looked up beside it.
    pub(super) async fn texts(&self, found: &[Found]) -> Result<Vec<String>, Error> {
        let projection = self.projection()?;
        let wish = &self.wish;
        let registry = wish.app.registry();
        let renderer = Renderer { registry, base: wish.app.base(), quirks: wish.quirks };
        let raws = found
            .iter()
            .map(|found| Raw::of(&found.stored.doc).map_err(|error| found.stored.damaged(&error)))
            .collect::<Result<Vec<_>, _>>()?;
        let links = match projection.wants(Source::Link) || projection.wants(Source::Label) {
            true => self.look_up_links(&raws).await?,
            false => HashMap::new(),
        };
        let writer = Writer { renderer, rt: &self.kind, projection: &projection, sent: &self.sent };
        let kind = self.group_kind();
        let shown = found.iter().zip(&raws).map(|(Found { stored, groups }, raw)| {
            let groups: Vec<Linked> = groups.iter().map(|group| group_of(&kind, group)).collect();
            let parts = Parts {
                id: &stored.id,
                version: stored.version,
                created: stored.created,
                modified: stored.modified,
                members: None,
                groups: self.wants_groups().then_some(&groups),
                links: &links,
            };
            writer.document(raw, &parts)
        });
        Ok(shown.collect())
    }

    async fn look_up_links(&self, raws: &[Raw<'_>]) -> Result<HashMap<String, Linked>, Error> {
        let linked: Vec<String> =
            raws.iter().flat_map(|raw| text::links(&self.kind, raw)).collect();
        if linked.is_empty() {
            return Ok(HashMap::new());
        }
        let wish = self.wish.clone();
        let found = self.wish.app.store().read(async move |tx: &mut Tx<'_>| {
            resources::labels(tx, &wish.tenant, &wish.kinds(), &linked).await
        });
        Ok(found.await?.into_iter().map(linked_of).collect())
    }

    /// The type whose resources hold others.
    fn group_kind(&self) -> String {
        let types = self.wish.app.registry().types();
        let group = types.iter().find(|kind| kind.attribute_of(Source::Members).is_some());
        group.map(|kind| kind.name.clone()).unwrap_or_default()
    }

    /// What has to be joined to show one resource, which comes back with it.
    pub(super) async fn gather_one(
        &self,
        tx: &mut Tx<'_>,
        loaded: Loaded,
    ) -> Result<(Loaded, Relations), Error> {
        let shown = (loaded.stored.id.as_str(), &loaded.doc);
        let relations = self.gather(tx, std::iter::once(shown)).await?;
        Ok((loaded, relations))
    }

    /// What has to be joined to show these resources; each relation is read once for all of them.
    pub(super) async fn gather<'p>(
        &self,
        tx: &mut Tx<'_>,
        page: impl Iterator<Item = (&'p str, &'p Doc)>,
    ) -> Result<Relations, Error> {
        let projection = self.projection()?;
        let tenant = &self.wish.tenant;
        let (mut ids, mut linked): (Vec<String>, Vec<String>) = Default::default();
        for (id, doc) in page {
            ids.push(id.to_owned());
            linked.extend(render::links(&self.kind, doc));
        }
        let mut relations = Relations::default();
        let has = |source| self.kind.attribute_of(source).is_some() && projection.wants(source);
        if has(Source::Members) {
            let rows = members::of_groups(tx, tenant, &ids).await?;
            relations.members = Some(by_holder(rows.into_iter().map(|row| {
                (row.group, Linked { id: row.id, kind: row.kind, label: row.label, direct: true })
            })));
        }
        if has(Source::MemberOf) && self.new {
            relations.groups = Some(HashMap::new());
        } else if has(Source::MemberOf) {
            let rows = members::groups_of(tx, tenant, &ids).await?;
            let kind = self.group_kind();
            let of = |row: Membership| (row.member.clone(), group_of(&kind, &row));
            relations.groups = Some(by_holder(rows.into_iter().map(of)));
        }
        let shows = projection.wants(Source::Link) || projection.wants(Source::Label);
        if !linked.is_empty() && shows {
            relations.links = resources::labels(tx, tenant, &self.wish.kinds(), &linked)
                .await?
                .into_iter()
                .map(linked_of)
                .collect();
        }
        Ok(relations)
    }
}

/// What one resource holds: a list where it was asked for, nothing where it was not.
fn held<'r>(all: Option<&'r HashMap<String, Vec<Linked>>>, id: &str) -> Option<&'r [Linked]> {
    all.map(|all| all.get(id).map_or(&[][..], Vec::as_slice))
}

fn group_of(kind: &str, row: &Membership) -> Linked {
    let (id, label) = (row.group.clone(), row.label.clone());
    Linked { id, kind: kind.to_owned(), label, direct: row.direct }
}

fn linked_of((id, (kind, label)): (String, (String, String))) -> (String, Linked) {
    (id.clone(), Linked { id, kind, label, direct: true })
}

fn by_holder(rows: impl Iterator<Item = (String, Linked)>) -> HashMap<String, Vec<Linked>> {
    let mut all: HashMap<String, Vec<Linked>> = HashMap::new();
    for (holder, linked) in rows {
        all.entry(holder).or_default().push(linked);
    }
    all
}

/// What was joined for resources, by their ids.
#[derive(Debug, Default)]
pub(super) struct Relations {
    members: Option<HashMap<String, Vec<Linked>>>,
    groups: Option<HashMap<String, Vec<Linked>>>,
    links: HashMap<String, Linked>,
}
