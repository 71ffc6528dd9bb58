//! PUT and PATCH: what a change is made of, prepared before the transaction and carried out in it.

use std::sync::Arc;

use serde_json::Value;

use crate::app::passwords::For;
use crate::app::rules::{Foreseen, Ruled, Was, mapping_of};
use crate::app::work::{Loaded, Work};
use crate::app::{App, Ctx, Error};
use crate::domain::role::Mapping;
use crate::domain::{invitation, password};
use crate::scim::Doc;
use crate::scim::accept::{self, Password};
use crate::scim::attribute::Source;
use crate::scim::etag::Conditions;
use crate::scim::patch::{self, MemberChange, Operation};
use crate::scim::resource_type::ResourceType;
use crate::store::members::{Expected, Membership};
use crate::store::resources::{Draft, Entries};
use crate::store::{self, Dialect, Edge, Replacement, Store, Tx, passwords};

/// Which resource a request is about, and under which conditions.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Its type.
    pub kind: &'a Arc<ResourceType>,
    /// Its id, as the client wrote it.
    pub id: &'a str,
    /// If-Match and If-None-Match.
    pub conditions: &'a Conditions,
}

/// The same, for a change that outlives the request's borrow.
#[derive(Debug, Clone)]
pub(super) struct OwnedTarget {
    pub(super) id: String,
    pub(super) conditions: Conditions,
}

impl Target<'_> {
    pub(super) fn owned(&self) -> OwnedTarget {
        OwnedTarget { id: self.id.to_owned(), conditions: self.conditions.clone() }
    }
}

/// Operations, and values of lists, that a change may have to be applied inside the transaction.
const LONG: usize = 50;

/// What the client wants, softened and parsed.
#[derive(Clone)]
pub(super) enum Change {
    Replace(Value),
    Patch(Vec<Operation>),
}

/// What shall be after a change.
#[derive(Clone)]
struct Wanted {
    doc: Doc,
    password: Password,
    members: Vec<MemberChange>,
}

impl Change {
    fn apply(&self, work: &Work, before: &Doc) -> Result<Wanted, Error> {
        let mut wanted = self.apply_plainly(work, before)?;
        wanted.password = work.password_of(&mut wanted.doc, wanted.password)?;
        Ok(wanted)
    }

    fn apply_plainly(&self, work: &Work, before: &Doc) -> Result<Wanted, Error> {
        match self {
            Self::Replace(body) => {
                let wanted = accept::replace(&work.kind, before, body.clone(), work.rules())?;
                // Product rule: what a PUT leaves out is cleared, members too.
                let members = vec![MemberChange::Replace(wanted.members.unwrap_or_default())];
                Ok(Wanted { doc: wanted.doc, password: wanted.password, members })
            }
            Self::Patch(operations) => {
                let wanted = patch::apply(&work.kind, before, operations, work.rules())?;
                Ok(Wanted { doc: wanted.doc, password: wanted.password, members: wanted.members })
            }
        }
    }

    /// Whether it has to be applied to what is stored before its transaction too.
    pub(super) fn looks_ahead(&self, kind: &ResourceType) -> bool {
        self.is_long() || self.may_set_password(kind)
    }

    /// Whether it takes so long that other changes should not wait for it.
    fn is_long(&self) -> bool {
        match self {
            Self::Replace(body) => values(body) > LONG,
            Self::Patch(operations) => {
                let values = operations.iter().filter_map(|operation| operation.value.as_ref());
                operations.len() > LONG || values.map(self::values).sum::<usize>() > LONG
            }
        }
    }

    /// Whether a password may be among what is wanted; then it is looked at before the transaction.
    fn may_set_password(&self, kind: &ResourceType) -> bool {
        let Some(secret) = kind.attribute_of(Source::Secret) else { return false };
        let name = secret.name.to_ascii_lowercase();
        let names_it = |text: &str| text.to_ascii_lowercase().contains(&name);
        match self {
            Self::Replace(body) => {
                body.as_object().is_some_and(|body| body.keys().any(|key| names_it(key)))
            }
            Self::Patch(operations) => operations.iter().any(|operation| {
                operation.path.as_deref().is_some_and(names_it)
                    || operation
                        .value
                        .as_ref()
                        .and_then(Value::as_object)
                        .is_some_and(|value| value.keys().any(|key| names_it(key)))
            }),
        }
    }
}

/// The values of lists in a body or in what an operation sets; the text itself is not looked at.
fn values(value: &Value) -> usize {
    let len = |value: &Value| value.as_array().map_or(0, Vec::len);
    match value {
        Value::Object(map) => map.values().map(len).sum(),
        Value::Array(_) => len(value),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// What happens to the stored password.
#[derive(Debug, Clone, PartialEq, Eq)]
enum NewPassword {
    Keep,
    Clear,
    /// This PHC string replaces it.
    Set(String),
}

/// A change that is ready for its transaction: passwords are hashed, nothing slow is left.
pub(super) struct Plan {
    work: Work,
    target: OwnedTarget,
    change: Change,
    password: NewPassword,
    /// The hash that a kept password was compared with; another one in the transaction means that
    /// somebody was faster.
    compared: Option<String>,
    /// Whether the answer shows groups.
    shows_groups: bool,
    /// Up to how many members are counted before the change.
    counts_members: i64,
    /// Whether it is tried as data first, so that the rules have to be asked ahead.
    shares: bool,
    /// What the change came to before the transaction.
    ahead: Option<Ahead>,
}

/// What a change came to on the version that was there before the transaction.
struct Ahead {
    before: Loaded,
    /// The groups that it was in, where the answer shows them: a PUT or PATCH of a resource changes
    /// none, and what others do at the same time may be seen or not.
    groups: Option<Vec<Membership>>,
    /// How many members it had, counted as far as was asked for.
    members: i64,
    /// What is wanted; without the document where the rules were applied ahead.
    wanted: Wanted,
    /// Whether another document is wanted.
    changes: bool,
    /// That document as the rules make it, where they were applied ahead: it is all that changes.
    rows: Option<Rows>,
}

/// A document on its way in.
struct Rows {
    doc: Doc,
    draft: Arc<Draft>,
    before: Arc<Entries>,
}

impl Rows {
    fn of(work: &Work, before: &Loaded, ruled: Ruled) -> Result<Self, Error> {
        let Ruled { doc, beside, .. } = ruled;
        let (before, draft) = work.draft_of_change(&before.doc, &doc, beside)?;
        Ok(Self { doc, draft: Arc::new(draft), before: Arc::new(before) })
    }
}

impl App {
    /// The plan, applied to what is there now where that saves time in the transaction.
    pub(super) async fn plan(&self, ctx: &Ctx, mut plan: Plan) -> Result<Plan, Error> {
        // On SQLite a statement costs less than the hand-over of a look-up; what the rules have to be
        // asked about costs more, and its single writer would have to ask them for everybody.
        let ahead = self.store().dialect() == Dialect::Postgres
            || plan.work.has_rules()
            || plan.change.looks_ahead(&plan.work.kind);
        if ahead {
            self.look_ahead(ctx, &mut plan).await?;
        }
        Ok(plan)
    }

    /// Applies the change to what is there now, beside the transaction, which then has little left to
    /// do: it holds nobody up, and a password is known, compared and hashed before.
    async fn look_ahead(&self, ctx: &Ctx, plan: &mut Plan) -> Result<(), Error> {
        let (id, shows_groups) = (&plan.target.id, plan.shows_groups);
        let (before, groups, members) =
            self.look_up_one(&plan.work, id, shows_groups, plan.counts_members).await?;
        Work::check_conditions(&plan.target.conditions, &before)?;
        let (work, change) = (&plan.work, &plan.change);
        let mut wanted = if change.is_long() {
            let (work, change, before) = (work.clone(), change.clone(), before.doc.clone());
            let applied = tokio::task::spawn_blocking(move || change.apply(&work, &before));
            applied.await.map_err(|error| Error::Internal(error.to_string()))??
        } else {
            change.apply(work, &before.doc)?
        };
        let sends_password = !matches!(wanted.password, Password::Kept);
        if sends_password && invitation::drops_password(&ctx.rules, Some(&before.doc), &wanted.doc)
        {
            note_ignored(ctx);
        } else if sends_password {
            if ctx.rules.accept_password {
                // Not even whether it is the one that there is, which a guess would be told.
                work.guard(Was { before: Some(&before), password: true }, &wanted.doc)?;
            }
            let (work, id) = (work.clone(), plan.target.id.clone());
            let phc = self
                .store()
                .read(async move |tx: &mut Tx<'_>| passwords::find(tx, &work.tenant, &id).await)
                .await?;
            (plan.password, plan.compared) = self.new_password(ctx, &wanted.password, phc).await?;
        }
        let was = Was { before: Some(&before), password: plan.has_password() };
        let mut rows = None;
        let shares = plan.shares && plan.is_document_alone(&wanted);
        if shares && wanted.doc != before.doc {
            match plan.work.foresee(id, was, std::mem::take(&mut wanted.doc))? {
                // What the rules leave of it may be what is there.
                Foreseen::Ruled(Ruled { doc, .. }) if doc == before.doc => wanted.doc = doc,
                Foreseen::Ruled(ruled) => rows = Some(Rows::of(&plan.work, &before, ruled)?),
                Foreseen::Open(doc) => wanted.doc = doc,
            }
        }
        let changes = rows.is_some() || wanted.doc != before.doc;
        let groups = shows_groups.then_some(groups);
        plan.ahead = Some(Ahead { before, groups, members, wanted, changes, rows });
        Ok(())
    }

    /// What becomes of the stored password, and the hash that a kept one was compared with.
    async fn new_password(
        &self,
        ctx: &Ctx,
        wanted: &Password,
        phc: Option<String>,
    ) -> Result<(NewPassword, Option<String>), Error> {
        let text = match wanted {
            Password::Kept => return Ok((NewPassword::Keep, None)),
            Password::Cleared | Password::Set(_) if !ctx.rules.accept_password => {
                note_ignored(ctx);
                return Ok((NewPassword::Keep, None));
            }
            Password::Cleared => return Ok((NewPassword::Clear, None)),
            Password::Set(text) => text,
        };
        let prepared = password::prepare(text, ctx.rules.password_min_length)?;
        if let Some(phc) = phc
            && self.hasher().verify(For::Client, prepared.clone(), phc.clone()).await?
        {
            return Ok((NewPassword::Keep, Some(phc)));
        }
        Ok((NewPassword::Set(self.hasher().hash(prepared).await?), None))
    }

    /// The hash of the password of a create; none when there is none or the tenant takes none.
    pub(super) async fn hash_first(
        &self,
        ctx: &Ctx,
        doc: &Doc,
        wanted: Password,
    ) -> Result<Option<String>, Error> {
        let Password::Set(text) = wanted else { return Ok(None) };
        if !ctx.rules.accept_password || invitation::drops_password(&ctx.rules, None, doc) {
            note_ignored(ctx);
            return Ok(None);
        }
        let prepared = password::prepare(&text, ctx.rules.password_min_length)?;
        self.hasher().hash(prepared).await.map(Some)
    }
}

fn note_ignored(ctx: &Ctx) {
    tracing::info!(tenant = %ctx.tenant_name, request.id = %ctx.request, "password.ignored");
}

impl Plan {
    /// What it is made with.
    pub(super) fn work(&self) -> &Work {
        &self.work
    }

    /// Which resource it is about.
    pub(super) fn id(&self) -> &str {
        &self.target.id
    }

    /// A change that need not look ahead.
    pub(super) fn new(work: Work, target: OwnedTarget, change: Change) -> Self {
        Self {
            work,
            target,
            change,
            password: NewPassword::Keep,
            compared: None,
            shows_groups: false,
            counts_members: 0,
            shares: false,
            ahead: None,
        }
    }

    /// The same, which [`Plan::share`] is tried with.
    pub(super) fn sharing(self) -> Self {
        Self { shares: true, ..self }
    }

    /// The same, for an answer that shows groups or does not.
    pub(super) fn showing_groups(self, shows_groups: bool) -> Self {
        Self { shows_groups, ..self }
    }

    /// The same, for an answer that depends on whether there are more members than this.
    pub(super) fn counting_members(self, most: i64) -> Self {
        // One may come and one may go.
        Self { counts_members: most + 2, ..self }
    }

    /// Whether it matters how many members there are.
    pub(super) fn counts_members(&self) -> bool {
        self.counts_members > 0
    }

    /// Whether the group has more members than this after the change, leaving out what others do
    /// meanwhile; none where that cannot be told from those it had before.
    pub(super) fn has_many(&self, most: i64) -> Option<bool> {
        let ahead = self.ahead.as_ref().filter(|_| self.counts_members >= most + 2)?;
        self.edge(ahead)?;
        match ahead.members {
            members if members > most + 1 => Some(true),
            members if members < most => Some(false),
            _ => None,
        }
    }

    /// The one member that comes or goes, where that is all there is to the change.
    fn edge(&self, ahead: &Ahead) -> Option<Edge> {
        let is_alone = !ahead.changes && self.is_members_alone();
        let has_conditions = self.target.conditions.any() || self.mapping(&ahead.before).is_some();
        let edge = || self.work.edge(&ahead.before, &ahead.wanted.members);
        (is_alone && !has_conditions).then(edge).flatten()
    }

    /// The groups of the resource, where they were read with it.
    pub(super) fn groups(&self) -> Option<Vec<Membership>> {
        self.ahead.as_ref()?.groups.clone()
    }

    /// The resource as it is, where the change comes to nothing.
    pub(super) fn nothing(&self) -> Option<&Loaded> {
        let ahead = self.ahead.as_ref()?;
        (!ahead.changes && self.is_document_alone(&ahead.wanted)).then_some(&ahead.before)
    }

    fn is_document_alone(&self, wanted: &Wanted) -> bool {
        !self.has_password() && (!self.work.is_group() || wanted.members.is_empty())
    }

    /// Whether the request says anything of the password, be it the one that there is.
    fn has_password(&self) -> bool {
        self.password != NewPassword::Keep || self.compared.is_some()
    }

    /// Does it. What comes back is the resource as it then is; its version moved only if something
    /// changed.
    pub(super) async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Loaded, Error> {
        if let Some(done) = self.carry_out_ahead(tx).await? {
            return Ok(done);
        }
        let work = &self.work;
        let id = &self.target.id;
        let before = work.find(tx, id).await?;
        Work::check_conditions(&self.target.conditions, &before)?;
        let wanted = match &self.ahead {
            Some(ahead)
                if ahead.rows.is_none() && ahead.before.stored.version == before.stored.version =>
            {
                ahead.wanted.clone()
            }
            Some(_) | None => self.change.apply(work, &before.doc)?,
        };
        let mapping = self.mapping(&before).filter(|_| !wanted.members.is_empty());
        let is_plain = mapping.is_none() && self.ahead.is_none();
        if is_plain && wanted.doc == before.doc && self.is_members_alone() {
            let (expected, members) = (Expected::default(), &wanted.members);
            let done = work.change_members_at_once(tx, &before, expected, members).await?;
            if let Some(done) = done {
                return Ok(done);
            }
        }
        let roll = match mapping {
            Some(mapping) => Some(work.roll(tx, mapping, &wanted.members).await?),
            None => None,
        };
        let was = Was { before: Some(&before), password: self.has_password() };
        if was.password {
            work.guard(was, &wanted.doc)?;
        }
        let mut changed = self.set_password(tx, id).await?;
        if work.is_group() {
            for change in &wanted.members {
                changed |= work.change_members(tx, id, change).await?;
            }
        }
        let loaded = if wanted.doc != before.doc {
            let loaded = work.update_by_rules(tx, was, &before, &wanted.doc).await?;
            let is_same = loaded.stored.version == before.stored.version;
            if is_same && changed { work.touch(tx, loaded).await? } else { loaded }
        } else if changed {
            work.touch(tx, before).await?
        } else {
            before
        };
        if self.password != NewPassword::Keep {
            work.note_password(tx, &loaded).await?;
        }
        if let Some(roll) = roll {
            work.follow(tx, roll).await?;
        }
        Ok(loaded)
    }

    /// What membership of the group means, where it means anything.
    fn mapping(&self, group: &Loaded) -> Option<Mapping> {
        if self.work.is_group() { mapping_of(&group.stored.id, &group.doc) } else { None }
    }

    /// Does what most changes are, of the document alone or of one member alone, as data: such changes
    /// share a statement. None where there is more to it, or somebody was faster.
    pub(super) async fn share(&mut self, store: &Store) -> Result<Option<Loaded>, Error> {
        let Some(ahead) = &self.ahead else { return Ok(None) };
        let work = &self.work;
        if !ahead.changes {
            let Some(edge) = self.edge(ahead) else { return Ok(None) };
            return work.told(&ahead.before, store.change_member(edge).await?);
        }
        let Some(Ahead { before, rows: Some(rows), .. }) = &mut self.ahead else { return Ok(None) };
        let Rows { doc, draft, before: entries } = rows;
        let asks = store.dialect() == Dialect::Sqlite && work.asks_catalogue(&before.doc, doc);
        let offered = work.ctx.offered.clone().filter(|_| asks);
        if asks && offered.is_none() {
            return Ok(None);
        }
        let now = work.after(before);
        let replacement = Replacement {
            tenant: work.tenant.clone(),
            kind: work.kind.name.clone(),
            id: before.stored.id.clone(),
            version: before.stored.version,
            before: Arc::clone(entries),
            draft: Arc::clone(draft),
            now,
            offered,
        };
        let version = match store.replace(replacement).await {
            Err(store::Error::Full) => None,
            replaced => replaced.map_err(|error| work.conflict(error, doc))?,
        };
        Ok(version.map(|version| before.became(std::mem::take(doc), draft, version, now)))
    }

    /// One statement for members alone. None where there is more to it, or the group's document was
    /// changed meanwhile.
    async fn carry_out_ahead(&self, tx: &mut Tx<'_>) -> Result<Option<Loaded>, Error> {
        let Some(Ahead { before, wanted, changes: false, .. }) = &self.ahead else {
            return Ok(None);
        };
        if !self.is_members_alone() || self.mapping(before).is_some() {
            return Ok(None);
        }
        // Others may have changed the members meanwhile: what is wanted follows from the document, and
        // the version matters to conditions only.
        let version = self.target.conditions.any().then_some(before.stored.version);
        let expected = Expected { version, doc: Some(&before.stored.doc) };
        self.work.change_members_at_once(tx, before, expected, &wanted.members).await
    }

    /// Whether nothing but members changes, where the document stays.
    fn is_members_alone(&self) -> bool {
        self.work.is_group() && !self.has_password()
    }

    async fn set_password(&self, tx: &mut Tx<'_>, id: &str) -> Result<bool, Error> {
        let tenant = &self.work.tenant;
        match &self.password {
            NewPassword::Keep => {
                if self.compared.is_some()
                    && passwords::find(tx, tenant, id).await? != self.compared
                {
                    let again = "the password changed meanwhile".to_owned();
                    return Err(store::Error::Again(again).into());
                }
                Ok(false)
            }
            NewPassword::Clear => Ok(passwords::clear(tx, tenant, id).await?),
            NewPassword::Set(phc) => {
                passwords::set(tx, tenant, id, phc).await?;
                Ok(true)
            }
        }
    }
}

#[cfg(test)]
mod tests;
