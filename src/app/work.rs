//! What every use-case on one resource type does inside a transaction.

mod members;

use std::sync::Arc;

use serde_json::Value;

use crate::app::rules::{Foreseen, Ruled, Was, mapping_of};
use crate::app::{App, Ctx, Error, seen};
use crate::clock::Micros;
use crate::domain::person;
use crate::domain::seat::Manners;
use crate::domain::standing;
use crate::ids::TenantId;
use crate::scim;
use crate::scim::Doc;
use crate::scim::accept::Rules;
use crate::scim::attribute::Source;
use crate::scim::etag::{self, Conditions, Verdict};
use crate::scim::filter::Filter;
use crate::scim::fold::{self, IndexEntry};
use crate::scim::path::AttrPath;
use crate::scim::quirks::{Quirks, Softener};
use crate::scim::resource_type::ResourceType;
use crate::scim::state;
use crate::store::filter::World;
use crate::store::resources::{Draft, Entries, Key, Next, Stored};
use crate::store::{self, Beside, Tx, held, maps, resources, tenants};

/// One request's work on one resource type of one tenant.
#[derive(Debug, Clone)]
pub(super) struct Work {
    pub(super) app: App,
    pub(super) tenant: TenantId,
    pub(super) kind: Arc<ResourceType>,
    /// The type without what the tenant hides: what filters and answers know of it.
    pub(super) seen: Arc<ResourceType>,
    pub(super) quirks: Quirks,
    pub(super) now: Micros,
    pub(super) ctx: Arc<Ctx>,
    /// By which door a user comes that is new.
    pub(super) origin: &'static str,
    /// The schemas that the tenant hides, which are ignored on input.
    hidden: Vec<String>,
}

impl Work {
    pub(super) fn new(app: &App, ctx: &Ctx, kind: &Arc<ResourceType>) -> Self {
        Self {
            app: app.clone(),
            tenant: ctx.tenant.clone(),
            kind: Arc::clone(kind),
            seen: app.seen(&ctx.rules, kind),
            quirks: ctx.quirks,
            now: app.clock().now(),
            ctx: Arc::new(ctx.clone()),
            origin: "scim",
            hidden: seen::hidden(&ctx.rules, kind),
        }
    }

    /// The same for users who come by this door.
    pub(super) fn coming_by(self, origin: &'static str) -> Self {
        Self { origin, ..self }
    }

    pub(super) fn rules(&self) -> Rules {
        Rules { quirks: self.quirks, limits: self.app.value_limits() }
    }

    fn softener(&self) -> Softener<'_> {
        Softener {
            rt: &self.kind,
            quirks: self.quirks,
            aliases: &self.ctx.rules.aliases,
            hidden: &self.hidden,
        }
    }

    pub(super) fn soften_body(&self, mut body: Value) -> Value {
        self.softener().body(&mut body);
        body
    }

    pub(super) fn soften_patch(&self, mut body: Value) -> Value {
        self.softener().patch(&mut body);
        body
    }

    /// The filter with today's URNs.
    pub(super) fn soften_filter(&self, mut filter: Filter) -> Filter {
        self.softener().filter(&mut filter);
        filter
    }

    pub(super) fn soften_path(&self, mut path: AttrPath) -> AttrPath {
        self.softener().attribute_path(&mut path);
        path
    }

    /// Whether this type has members.
    pub(super) fn is_group(&self) -> bool {
        self.kind.attribute_of(Source::Members).is_some()
    }

    fn key<'k>(&'k self, id: &'k str) -> Key<'k> {
        Key { tenant: &self.tenant, kind: &self.kind.name, id }
    }

    pub(super) async fn find(&self, tx: &mut Tx<'_>, id: &str) -> Result<Loaded, Error> {
        let found = resources::find(tx, self.key(id)).await?;
        found.map_or_else(|| Err(self.not_found(id)), Loaded::of)
    }

    pub(super) fn not_found(&self, id: &str) -> Error {
        Error::NotFound { kind: self.kind.name.clone(), id: scim::path::excerpt(id) }
    }

    /// RFC 7644 s3.14: nothing is done when the version is another one.
    pub(super) fn check_conditions(conditions: &Conditions, loaded: &Loaded) -> Result<(), Error> {
        match conditions.verdict(loaded.stored.version, false) {
            Verdict::Proceed => Ok(()),
            Verdict::NotModified | Verdict::Failed => Err(Error::Stale),
        }
    }

    /// RFC 9110 s13.1: a read of a version that the client has is answered with that.
    pub(super) fn check_read(conditions: &Conditions, stored: &Stored) -> Result<(), Error> {
        match conditions.verdict(stored.version, true) {
            Verdict::Proceed => Ok(()),
            Verdict::NotModified => Err(Error::NotModified { etag: etag::of(stored.version) }),
            Verdict::Failed => Err(Error::Stale),
        }
    }

    /// A new document with everything that the store derives from it.
    pub(super) fn draft(&self, doc: &Doc, beside: Beside) -> Result<Draft, Error> {
        let entries = self.entries((doc, None), self.quirks);
        self.draft_with(doc, entries, beside)
    }

    /// Another document with what the store derives from it, and the entries of the one that it replaces.
    /// Of either there are those that follow from what differs.
    pub(super) fn draft_of_change(
        &self,
        before: &Doc,
        doc: &Doc,
        beside: Beside,
    ) -> Result<(Entries, Draft), Error> {
        // Also what stands there from when the tenant had other quirks.
        let gone = self.entries((before, Some(doc)), Quirks::ALL);
        let new = self.entries((doc, Some(before)), self.quirks);
        Ok((gone, self.draft_with(doc, new, beside)?))
    }

    fn draft_with(&self, doc: &Doc, entries: Entries, beside: Beside) -> Result<Draft, Error> {
        Ok(Draft {
            doc: serde_json::to_string(doc).map_err(|error| Error::Internal(error.to_string()))?,
            folded: fold::document(&self.kind, doc),
            state: state::of(&self.kind, doc),
            label: fold::label(&self.kind, doc),
            entries,
            beside,
        })
    }

    /// What can be looked up of a document, but for what another one says to the letter.
    fn entries(&self, (doc, other): (&Doc, Option<&Doc>), quirks: Quirks) -> Entries {
        let pairs = |entries: Vec<IndexEntry>| {
            entries.into_iter().map(|entry| (entry.attr, entry.value)).collect()
        };
        Entries {
            index: pairs(fold::index_entries_unlike(&self.kind, doc, other)),
            unique: pairs(fold::unique_entries_unlike(&self.kind, doc, other, quirks)),
        }
    }

    pub(super) async fn insert(&self, tx: &mut Tx<'_>, new: &New) -> Result<(), Error> {
        resources::insert(tx, self.key(&new.id), &new.draft, self.now)
            .await
            .map_err(|error| self.conflict(error, &new.doc))
    }

    /// Adds resources of this type; what came of each.
    pub(super) async fn insert_many(
        &self,
        tx: &mut Tx<'_>,
        all: &[&New],
    ) -> Result<Vec<Result<(), Error>>, Error> {
        let rows: Vec<_> = all
            .iter()
            .map(|new| resources::New { id: &new.id, draft: &new.draft, now: self.now })
            .collect();
        let (tenant, kind) = (&self.tenant, &self.kind.name);
        let outcomes = resources::insert_many(tx, tenant, kind, &rows).await?;
        let told = outcomes
            .into_iter()
            .zip(all)
            .map(|(outcome, new)| outcome.map_err(|left| self.conflict(left.into(), &new.doc)));
        Ok(told.collect())
    }

    /// Writes another document, once the rules have seen it.
    pub(super) async fn update_by_rules(
        &self,
        tx: &mut Tx<'_>,
        was: Was<'_>,
        before: &Loaded,
        doc: &Doc,
    ) -> Result<Loaded, Error> {
        let id = &before.stored.id;
        // Where roles and seat are touched it counts what the tenant offers now, not what it did when a
        // long request began.
        let may_foresee =
            !self.asks_catalogue(&before.doc, doc) || self.is_offered_still(tx).await?;
        if may_foresee && let Foreseen::Ruled(ruled) = self.foresee(id, was, doc.clone())? {
            if ruled.doc == before.doc {
                // What was written in other words, or asked for what is there.
                return Ok(before.clone());
            }
            match self.update(tx, before, ruled).await {
                Err(Error::Store(store::Error::Full)) => {}
                done => return done,
            }
        }
        let ruled = self.rule(tx, id, was, doc).await?;
        if ruled.doc == before.doc {
            return Ok(before.clone());
        }
        let loaded = self.update(tx, before, ruled.clone()).await?;
        self.open(tx, (id, Some(&before.doc)), &ruled).await?;
        Ok(loaded)
    }

    /// Whether it matters to a change what the tenant offers: roles, seat or sessions are touched.
    pub(super) fn asks_catalogue(&self, before: &Doc, doc: &Doc) -> bool {
        self.has_rules()
            && (!person::is_untouched(before, doc) || standing::ends(before, doc).is_some())
    }

    /// Whether what the request knows of the tenant's catalogue is what it is at this moment.
    async fn is_offered_still(&self, tx: &mut Tx<'_>) -> Result<bool, Error> {
        let Some(known) = &self.ctx.offered else { return Ok(false) };
        Ok(tenants::offers_still(tx, &self.tenant, known).await?)
    }

    /// Writes another document.
    pub(super) async fn update(
        &self,
        tx: &mut Tx<'_>,
        before: &Loaded,
        ruled: Ruled,
    ) -> Result<Loaded, Error> {
        let Ruled { doc, beside, .. } = ruled;
        let (entries, draft) = self.draft_of_change(&before.doc, &doc, beside)?;
        let now = self.after(before);
        let (id, version) = (&before.stored.id, before.stored.version);
        let next = Next { id, version, before: &entries, draft: &draft, now };
        let updated = resources::update(tx, &self.tenant, &self.kind.name, next).await;
        let version = updated.map_err(|error| self.conflict(error, &doc))?;
        let overtaken = || store::Error::Again(format!("{id} was changed meanwhile"));
        let version = version.ok_or_else(overtaken)?;
        Ok(before.became(doc, &draft, version, now))
    }

    pub(super) async fn touch(&self, tx: &mut Tx<'_>, mut before: Loaded) -> Result<Loaded, Error> {
        let now = self.after(&before);
        let version = resources::touch(tx, self.key(&before.stored.id), now).await?;
        before.stored.version = version.ok_or_else(|| self.not_found(&before.stored.id))?;
        before.stored.modified = now;
        Ok(before)
    }

    /// Lets a resource that was just stored once more be as old as it is.
    pub(super) async fn date_back(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        version: i64,
        created: Micros,
    ) -> Result<(), Error> {
        Ok(held::date_back(tx, self.key(id), version, created).await?)
    }

    pub(super) async fn delete(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        conditions: &Conditions,
    ) -> Result<(), Error> {
        let loaded = self.find(tx, id).await?;
        Self::check_conditions(conditions, &loaded)?;
        let entries = self.entries((&loaded.doc, None), Quirks::ALL);
        let mapping = if self.is_group() { mapping_of(id, &loaded.doc) } else { None };
        let members = match &mapping {
            Some(_) => maps::members(tx, &self.tenant, id, None).await?,
            None => Vec::new(),
        };
        self.let_go(tx, id, &loaded.doc).await?;
        let gone = self.holds_deletion(tx, &loaded).await?;
        if !resources::delete(tx, self.key(id), &entries, self.now).await? {
            return Err(self.not_found(id));
        }
        if mapping.is_some() {
            maps::forget(tx, &self.tenant, id).await?;
        }
        self.bury(tx, id, &loaded.doc, gone).await?;
        self.rejudge(tx, &members, Manners::Patient).await
    }

    /// The time of a change: requests overtake each other, `meta.lastModified` never goes back.
    pub(super) fn after(&self, before: &Loaded) -> Micros {
        self.now.max(before.stored.modified)
    }

    /// A unique value that is taken, told with the value as the client wrote it.
    pub(super) fn conflict(&self, error: store::Error, doc: &Doc) -> Error {
        let store::Error::Taken(attribute) = error else { return error.into() };
        let named = AttrPath::parse(&attribute).ok();
        let value = named.as_ref().and_then(|path| match &path.urn {
            Some(urn) => doc.get(urn)?.get(&path.name)?.as_str(),
            None => doc.get(&path.name)?.as_str(),
        });
        Error::Conflict {
            kind: self.kind.name.clone(),
            value: scim::path::excerpt(value.unwrap_or_default()),
            attribute: named.map_or(attribute, |path| path.name),
        }
    }

    /// What filters need to know of the tenant and its types.
    pub(super) fn world(&self) -> World<'_> {
        World {
            tenant: self.tenant.as_str(),
            rt: &self.kind,
            registry: self.app.registry(),
            base: self.app.base(),
        }
    }
}

/// A resource on its way in.
#[derive(Debug, Clone)]
pub(super) struct New {
    pub(super) id: String,
    pub(super) doc: Doc,
    pub(super) draft: Arc<Draft>,
    /// The version that it had and when it was made, where it was there before.
    pub(super) before: Option<(i64, Micros)>,
}

impl New {
    /// The resource as it is once it is stored.
    pub(super) fn loaded(self, work: &Work) -> Loaded {
        let Draft { doc, label, .. } = Arc::unwrap_or_clone(self.draft);
        let (version, created) = self.before.unwrap_or((0, work.now));
        let stored = Stored {
            kind: work.kind.name.clone(),
            id: self.id,
            doc,
            label,
            version: version + 1,
            created,
            modified: work.now,
        };
        Loaded { stored, doc: self.doc }
    }
}

/// A stored resource with its document parsed.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    pub(super) stored: Stored,
    pub(super) doc: Doc,
}

impl Loaded {
    pub(super) fn of(stored: Stored) -> Result<Self, Error> {
        let doc = stored.document()?;
        Ok(Self { stored, doc })
    }

    /// It with another document.
    pub(super) fn became(&self, doc: Doc, draft: &Draft, version: i64, modified: Micros) -> Self {
        let stored = Stored {
            kind: self.stored.kind.clone(),
            id: self.stored.id.clone(),
            doc: draft.doc.clone(),
            label: draft.label.clone(),
            version,
            created: self.stored.created,
            modified,
        };
        Self { stored, doc }
    }
}
