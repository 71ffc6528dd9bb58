//! From stored rows to answers: joins what the client asked for, renders, projects.

use std::collections::HashMap;
use std::sync::Arc;

use crate::app::counts::{self, Counts};
use crate::app::pieces::Pieces;
use crate::app::resources::Shown;
use crate::app::work::Loaded;
use crate::app::{App, Ctx, Error};
use crate::domain::tenant::TenantSettings;
use crate::ids::TenantId;
use crate::scim::attribute::{Source, Sources};
use crate::scim::etag;
use crate::scim::project::{Projection, Sent};
use crate::scim::query::Query;
use crate::scim::quirks::{Quirks, Softener};
use crate::scim::render::text::{self, Raw, Writer};
use crate::scim::render::{self, Linked, Parts, Renderer};
use crate::scim::resource_type::ResourceType;
use crate::scim::urn;
use crate::store::lookup::Found;
use crate::store::members::{Member, Membership};
use crate::store::resources::Stored;
use crate::store::{Tx, members, resources};

/// What one request wants to see of any resource.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    app: App,
    tenant: TenantId,
    rules: Arc<TenantSettings>,
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
    /// The places of what is shown.
    wanted: Sources,
}

impl Wish {
    pub(super) fn new(app: &App, ctx: &Ctx, query: &Query) -> Self {
        Self {
            app: app.clone(),
            tenant: ctx.tenant.clone(),
            rules: Arc::clone(&ctx.rules),
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
        let kind = self.app.seen(&self.rules, kind);
        for name in self.attributes.iter_mut().chain(&mut self.excluded) {
            if let Some(renamed) = softener.renamed(name) {
                *name = renamed;
            }
        }
        let view = View { wish: self, kind, sent, new: false, wanted: Sources::default() };
        let wanted = view.projection()?.wanted();
        Ok(View { wanted, ..view })
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
        self.wanted.has(Source::MemberOf)
    }

    /// Whether members are among what is shown.
    pub(super) fn wants_members(&self) -> bool {
        self.wanted.has(Source::Members)
    }

    /// `ETag` and location of a resource.
    pub(super) fn headers(&self, stored: &Stored) -> (String, String) {
        let endpoint = &self.kind.endpoint;
        (etag::of(stored.version), format!("{}{endpoint}/{}", self.wish.app.base(), stored.id))
    }

    /// Whether the type has members.
    pub(super) fn has_members(&self) -> bool {
        self.kind.attribute_of(Source::Members).is_some()
    }

    pub(super) fn app(&self) -> &App {
        &self.wish.app
    }

    pub(super) fn tenant(&self) -> &TenantId {
        &self.wish.tenant
    }

    /// Whether the display names of members are among what is shown.
    pub(super) fn wants_labels(&self) -> bool {
        self.wanted.has(Source::Label)
    }

    /// Whether anything of a resource that is referred to is among what is shown.
    fn wants_links(&self) -> bool {
        [Source::Link, Source::Label, Source::Linked].iter().any(|one| self.wanted.has(*one))
    }

    /// A stored document of this type.
    fn raw<'s>(&self, stored: &'s Stored) -> Result<Raw<'s>, Error> {
        Raw::of(&self.kind, &stored.doc).map_err(|error| stored.damaged(&error).into())
    }

    /// Whether a long list of members may be written piece by piece: none of them may come to
    /// nothing, or nobody knew whether there is a list at all before its end.
    fn may_stream(&self) -> bool {
        self.projection().is_ok_and(|projection| projection.shows_every_row(Source::Members))
    }

    /// One resource as it is answered, as it was just read or written.
    pub(super) fn shown(&self, loaded: Loaded, relations: &Relations) -> Result<Shown, Error> {
        let (etag, location) = self.headers(&loaded.stored);
        let mut body = Pieces::new(self.clone());
        for written in self.write(&[loaded.stored], relations)? {
            written.add_to(&mut body);
        }
        Ok(Shown { body: Some(body), etag, location })
    }

    /// A resource that was just changed, as it is answered. The change is done: where it cannot be
    /// shown, it is told without a body, and never as an error, after which it would be sent again.
    pub(super) async fn changed(&self, loaded: Loaded, joined: Joined) -> Shown {
        let bare = self.bare(&loaded.stored);
        let shown = match joined {
            Joined::All(relations) => self.shown(loaded, &relations),
            Joined::Groups(groups) => self.alone(loaded.stored, groups).await,
            Joined::Nothing => self.written(loaded).await,
        };
        shown.unwrap_or_else(|error| {
            tracing::warn!(%error, location = bare.location, "a change is answered without its body");
            bare
        })
    }

    /// The answer without the resource.
    pub(super) fn bare(&self, stored: &Stored) -> Shown {
        let (etag, location) = self.headers(stored);
        Shown { body: None, etag, location }
    }

    /// A resource that was just written, as it is answered. What is joined to it is read after the
    /// commit, so that nobody's writes wait for it.
    async fn written(&self, loaded: Loaded) -> Result<Shown, Error> {
        if self.has_members() && self.wants_members() {
            let seen = self.clone();
            let (loaded, relations) = self
                .app()
                .store()
                .read(async move |tx: &mut Tx<'_>| seen.gather_one(tx, loaded.clone()).await)
                .await?;
            return self.shown(loaded, &relations);
        }
        let stored = loaded.stored;
        let groups = if self.wants_groups() && !self.new {
            self.app().look_up_groups(self.tenant(), &stored).await?
        } else {
            Vec::new()
        };
        self.alone(stored, groups).await
    }

    /// A resource without members, as it is answered.
    async fn alone(&self, stored: Stored, groups: Vec<Membership>) -> Result<Shown, Error> {
        let (etag, location) = self.headers(&stored);
        let mut body = Pieces::new(self.clone());
        for text in self.texts(&[Found { stored, groups, members: 0 }]).await? {
            body.push(&text);
        }
        Ok(Shown { body: Some(body), etag, location })
    }

    /// Resources as they are answered. Outside of the transaction: it takes as long as it takes.
    pub(super) fn write(
        &self,
        rows: &[Stored],
        relations: &Relations,
    ) -> Result<Vec<Written>, Error> {
        let projection = self.projection()?;
        let writer = self.writer(&projection);
        rows.iter()
            .map(|stored| {
                let raw = self.raw(stored)?;
                let parts = Parts {
                    id: &stored.id,
                    version: stored.version,
                    created: stored.created,
                    modified: stored.modified,
                    members: held(relations.members.as_ref(), &stored.id),
                    groups: held(relations.groups.as_ref(), &stored.id),
                    links: &relations.links,
                    counted: relations.counts.get(&stored.id),
                };
                let Some(after) = relations.open.get(&stored.id) else {
                    return Ok(Written { text: writer.document(&raw, &parts), open: None });
                };
                let (text, gap) = writer.open_document(&raw, &parts);
                let open = gap.map(|gap| (gap, stored.id.clone(), after.clone()));
                Ok(Written { text, open })
            })
            .collect()
    }

    fn writer<'v>(&'v self, projection: &'v Projection<'v>) -> Writer<'v> {
        let wish = &self.wish;
        let renderer =
            Renderer { registry: wish.app.registry(), base: wish.app.base(), quirks: wish.quirks };
        Writer { renderer, rt: &self.kind, projection, sent: &self.sent }
    }

    /// Members as they stand between the brackets of their list.
    pub(super) fn elements(&self, rows: Vec<Member>) -> Result<String, Error> {
        let rows: Vec<Linked> = rows.into_iter().map(|row| member_of(row).1).collect();
        Ok(self.writer(&self.projection()?).members(&rows))
    }

    /// What was looked up, as JSON text; what its documents refer to is looked up beside it.
    pub(super) async fn texts(&self, found: &[Found]) -> Result<Vec<String>, Error> {
        let projection = self.projection()?;
        let raws = found.iter().map(|found| self.raw(&found.stored));
        let raws = raws.collect::<Result<Vec<_>, _>>()?;
        let links =
            if self.wants_links() { self.look_up_links(&raws).await? } else { HashMap::new() };
        let mut counted = Countable::default();
        for (found, raw) in found.iter().zip(&raws) {
            counted.add(&found.stored.id, raw.extends(&self.kind, urn::INVITATION_OF_USER));
        }
        let counts = self.look_up_counts(&projection, counted).await?;
        let writer = self.writer(&projection);
        let kind = self.group_kind();
        let shown = found.iter().zip(&raws).map(|(Found { stored, groups, .. }, raw)| {
            let groups: Vec<Linked> = groups.iter().map(|group| group_of(&kind, group)).collect();
            let parts = Parts {
                id: &stored.id,
                version: stored.version,
                created: stored.created,
                modified: stored.modified,
                members: None,
                groups: self.wants_groups().then_some(&groups),
                links: &links,
                counted: counts.get(&stored.id),
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
        let seen = self.clone();
        let look = async move |tx: &mut Tx<'_>| seen.links(tx, &linked).await;
        self.app().store().read(look).await
    }

    /// What the resources of these ids show where they are referred to.
    async fn links(
        &self,
        tx: &mut Tx<'_>,
        ids: &[String],
    ) -> Result<HashMap<String, Linked>, Error> {
        let (tenant, kinds) = (&self.wish.tenant, self.wish.kinds());
        let found = resources::labels(tx, tenant, &kinds, ids).await?;
        let mut links: HashMap<String, Linked> = found.into_iter().map(linked_of).collect();
        for kind in render::lenders(&self.kind) {
            let lent = links.values().filter(|linked| linked.kind == kind);
            let lent: Vec<String> = lent.map(|linked| linked.id.clone()).collect();
            for (id, doc) in resources::documents(tx, tenant, kind, &lent).await? {
                if let Some(linked) = links.get_mut(&id) {
                    linked.doc = Some(Box::new(doc));
                }
            }
        }
        Ok(links)
    }

    /// What has to be counted for these resources, where anything has.
    async fn look_up_counts(
        &self,
        projection: &Projection<'_>,
        counted: Countable,
    ) -> Result<Counts, Error> {
        let asks = |name: &&str| *name != counts::DELIVERY || !counted.invited.is_empty();
        if counted.ids.is_empty() || !projection.counted().iter().any(asks) {
            return Ok(Counts::new());
        }
        let seen = self.clone();
        let look = async move |tx: &mut Tx<'_>| seen.count(tx, &seen.projection()?, &counted).await;
        self.wish.app.store().read(look).await
    }

    async fn count(
        &self,
        tx: &mut Tx<'_>,
        projection: &Projection<'_>,
        counted: &Countable,
    ) -> Result<Counts, Error> {
        let asked = counts::Asked {
            base: self.wish.app.base(),
            names: projection.counted(),
            holds_members: self.has_members(),
            ids: &counted.ids,
            invited: &counted.invited,
        };
        counts::of(tx, &self.wish.tenant, asked).await
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
        let relations = self.gather(tx, std::slice::from_ref(&loaded.stored)).await?;
        Ok((loaded, relations))
    }

    /// What has to be joined to show these resources; each relation is read once for all of them.
    pub(super) async fn gather(
        &self,
        tx: &mut Tx<'_>,
        page: &[Stored],
    ) -> Result<Relations, Error> {
        let projection = self.projection()?;
        let tenant = &self.wish.tenant;
        let (mut counted, mut linked) = (Countable::default(), Vec::new());
        for stored in page {
            let raw = self.raw(stored)?;
            counted.add(&stored.id, raw.extends(&self.kind, urn::INVITATION_OF_USER));
            linked.extend(text::links(&self.kind, &raw));
        }
        let counts = self.count(tx, &projection, &counted).await?;
        let ids = counted.ids;
        let mut relations = Relations { counts, ..Relations::default() };
        if self.wants_members() {
            self.gather_members(tx, ids.clone(), &mut relations).await?;
        }
        if self.wants_groups() && self.new {
            relations.groups = Some(HashMap::new());
        } else if self.wants_groups() {
            let rows = members::groups_of(tx, tenant, &ids).await?;
            let kind = self.group_kind();
            let of = |row: Membership| (row.member.clone(), group_of(&kind, &row));
            relations.groups = Some(by_holder(rows.into_iter().map(of)));
        }
        if !linked.is_empty() && self.wants_links() {
            relations.links = self.links(tx, &linked).await?;
        }
        Ok(relations)
    }

    /// The members of these groups, as many as make a piece; the others are read when they are sent.
    async fn gather_members(
        &self,
        tx: &mut Tx<'_>,
        mut groups: Vec<String>,
        relations: &mut Relations,
    ) -> Result<(), Error> {
        let (tenant, most) = (&self.wish.tenant, self.wish.app.piece());
        let streams = self.may_stream();
        let rows = if let ([group], true) = (groups.as_slice(), streams) {
            let labels = self.wants_labels();
            let first = members::Piece { after: String::new(), count: most + 1, labels };
            let mut rows = members::piece(tx, tenant, group, &first).await?;
            if rows.len() > most {
                rows.truncate(most);
                let last = rows.last().map(|row| row.id.clone()).unwrap_or_default();
                relations.open.insert(group.clone(), last);
            }
            rows
        } else {
            if streams {
                let sizes = members::sizes(tx, tenant, &groups, most + 1).await?;
                let mut room = most;
                groups.retain(|group| {
                    let size = sizes.get(group).copied().unwrap_or_default();
                    let left = room.checked_sub(size);
                    room = left.unwrap_or(room);
                    left.is_some()
                });
                let later = sizes.into_keys().filter(|group| !groups.contains(group));
                relations.open = later.map(|group| (group, String::new())).collect();
            }
            members::of_groups(tx, tenant, &groups).await?
        };
        relations.members = Some(by_holder(rows.into_iter().map(member_of)));
        Ok(())
    }
}

/// A resource as it is answered; where its list of members goes on: at which place of the text, of
/// which group, behind which member.
#[derive(Debug)]
pub(super) struct Written {
    text: String,
    open: Option<(usize, String, String)>,
}

impl Written {
    pub(super) fn add_to(&self, body: &mut Pieces) {
        match &self.open {
            None => body.push(&self.text),
            Some((gap, group, after)) => body.push_open(&self.text, *gap, group, after),
        }
    }
}

/// Resources of which something may have to be counted.
#[derive(Debug, Clone, Default)]
struct Countable {
    ids: Vec<String>,
    /// Those that say anything of an invitation.
    invited: Vec<String>,
}

impl Countable {
    fn add(&mut self, id: &str, invited: bool) {
        self.ids.push(id.to_owned());
        if invited {
            self.invited.push(id.to_owned());
        }
    }
}

/// What one resource holds: a list where it was asked for, nothing where it was not.
fn held<'r>(all: Option<&'r HashMap<String, Vec<Linked>>>, id: &str) -> Option<&'r [Linked]> {
    all.map(|all| all.get(id).map_or(&[][..], Vec::as_slice))
}

fn member_of(row: Member) -> (String, Linked) {
    let Member { group, id, kind, label } = row;
    (group, Linked { id, kind, label, direct: true, doc: None })
}

fn group_of(kind: &str, row: &Membership) -> Linked {
    let (id, label) = (row.group.clone(), row.label.clone());
    Linked { id, kind: kind.to_owned(), label, direct: row.direct, doc: None }
}

fn linked_of((id, (kind, label)): (String, (String, String))) -> (String, Linked) {
    (id.clone(), Linked { id, kind, label, direct: true, doc: None })
}

fn by_holder(rows: impl Iterator<Item = (String, Linked)>) -> HashMap<String, Vec<Linked>> {
    let mut all: HashMap<String, Vec<Linked>> = HashMap::new();
    for (holder, linked) in rows {
        all.entry(holder).or_default().push(linked);
    }
    all
}

/// What is known of what is joined to a resource that was changed.
#[derive(Debug)]
pub(super) enum Joined {
    /// It has to be read.
    Nothing,
    /// The groups that it is in.
    Groups(Vec<Membership>),
    /// All of it.
    All(Box<Relations>),
}

/// What was joined for resources, by their ids.
#[derive(Debug, Default)]
pub(super) struct Relations {
    members: Option<HashMap<String, Vec<Linked>>>,
    groups: Option<HashMap<String, Vec<Linked>>>,
    links: HashMap<String, Linked>,
    counts: Counts,
    /// Groups of which not all members were read, with the last one that was.
    open: HashMap<String, String>,
}
