//! POST: a resource that is ready for its transaction.

use std::sync::Arc;

use serde_json::Value;

use crate::app::work::{Loaded, New, Work};
use crate::app::{App, Ctx, Error};
use crate::ids::ResourceId;
use crate::scim::accept::{self, Password};
use crate::scim::patch::MemberChange;
use crate::store::{Insertion, Tx, passwords};

/// A new resource: accepted, its password hashed, its rows computed; nothing slow is left.
#[derive(Debug, Clone)]
pub(super) struct Creation {
    pub(super) work: Work,
    pub(super) new: Arc<New>,
    pub(super) password: Option<String>,
    pub(super) members: Option<MemberChange>,
}

impl App {
    /// Prepares a create from a body that was softened.
    pub(super) async fn creation(
        &self,
        ctx: &Ctx,
        work: Work,
        body: Value,
    ) -> Result<Creation, Error> {
        let id = ResourceId::new(work.now).to_string();
        let (creation, password) = Creation::accept(work, id, body)?;
        self.with_password(ctx, creation, password).await
    }

    /// Hashes the password of a create.
    pub(super) async fn with_password(
        &self,
        ctx: &Ctx,
        creation: Creation,
        password: Password,
    ) -> Result<Creation, Error> {
        let password = self.hash_first(ctx, password).await?;
        Ok(Creation { password, ..creation })
    }

    /// Stores it in a change of its own.
    pub(super) async fn carry_out_creation(&self, creation: &Creation) -> Result<(), Error> {
        let Creation { work, new, .. } = creation;
        if let Some(insertion) = creation.insertion() {
            let stored = self.store().insert(insertion).await;
            return stored.map_err(|error| work.conflict(error, &new.doc));
        }
        let made = creation.clone();
        let change = async move |tx: &mut Tx<'_>| made.carry_out(tx).await;
        self.store().write(&work.tenant, change).await
    }
}

impl Creation {
    /// The resource that a softened body asks for, and its password as it came.
    pub(super) fn accept(work: Work, id: String, body: Value) -> Result<(Self, Password), Error> {
        let accepted = accept::create(&work.kind, body, work.rules())?;
        let draft = Arc::new(work.draft(&accepted.doc)?);
        let new = Arc::new(New { id, doc: accepted.doc, draft });
        let members = accepted.members.map(MemberChange::Add);
        Ok((Self { work, new, password: None, members }, accepted.password))
    }

    /// It as data, where nothing but the document is to be stored: such ones share a statement.
    fn insertion(&self) -> Option<Insertion> {
        if self.password.is_some() || self.members.is_some() {
            return None;
        }
        Some(Insertion {
            tenant: self.work.tenant.clone(),
            kind: self.work.kind.name.clone(),
            id: self.new.id.clone(),
            draft: Arc::clone(&self.new.draft),
            now: self.work.now,
        })
    }

    /// Stores it with everything that belongs to it.
    pub(super) async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        self.work.insert(tx, &self.new).await?;
        self.complete(tx).await
    }

    /// Stores new resources of one type that have no members; what came of each.
    pub(super) async fn carry_out_all(
        all: &[&Self],
        tx: &mut Tx<'_>,
    ) -> Result<Vec<Result<(), Error>>, Error> {
        let Some(first) = all.first() else { return Ok(Vec::new()) };
        let new: Vec<&New> = all.iter().map(|creation| &*creation.new).collect();
        let outcomes = first.work.insert_many(tx, &new).await?;
        let stored = all.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
        let hashes: Vec<(&str, &str)> = stored
            .filter_map(|(creation, _)| Some((&*creation.new.id, creation.password.as_deref()?)))
            .collect();
        passwords::set_many(tx, &first.work.tenant, &hashes).await?;
        Ok(outcomes)
    }

    /// Stores what stands beside the document.
    pub(super) async fn complete(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        if let Some(phc) = &self.password {
            passwords::set(tx, &self.work.tenant, &self.new.id, phc).await?;
        }
        if let Some(members) = &self.members {
            self.work.change_members(tx, &self.new.id, members).await?;
        }
        Ok(())
    }

    /// The resource as it is once it is stored.
    pub(super) fn loaded(self) -> Loaded {
        Arc::unwrap_or_clone(self.new).loaded(&self.work)
    }
}
