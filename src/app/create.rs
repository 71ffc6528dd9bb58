//! POST: a resource that is ready for its transaction.

use std::sync::Arc;

use serde_json::Value;

use crate::app::rules::{Foreseen, Roll, Ruled, Was, mapping_of};
use crate::app::work::{New, Work};
use crate::app::{App, Ctx, Error};
use crate::ids::ResourceId;
use crate::scim::accept::{self, Password};
use crate::scim::patch::MemberChange;
use crate::store::{self, Insertion, Tx, passwords};

/// A new resource: accepted, its password hashed, its rows computed; nothing slow is left.
#[derive(Debug, Clone)]
pub(super) struct Creation {
    pub(super) work: Work,
    /// The resource, with what the rules make of it if a seat is free.
    pub(super) new: Arc<New>,
    pub(super) password: Option<String>,
    pub(super) members: Option<MemberChange>,
    /// Whether the rules were applied ahead.
    foreseen: bool,
    /// Whether it may turn out to be somebody who was invited.
    adopts: bool,
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
        let (creation, password) = Creation::accept(work, id, body, true)?;
        self.with_password(ctx, creation, password).await
    }

    /// Hashes the password of a create.
    pub(super) async fn with_password(
        &self,
        ctx: &Ctx,
        creation: Creation,
        password: Password,
    ) -> Result<Creation, Error> {
        let password = self.hash_first(ctx, &creation.new.doc, password).await?;
        Ok(Creation { password, ..creation })
    }

    /// Stores it in a change of its own; the resource as it then is.
    pub(super) async fn carry_out_creation(&self, creation: &Creation) -> Result<Arc<New>, Error> {
        let Creation { work, new, .. } = creation;
        if let Some(insertion) = creation.insertion() {
            match self.store().insert(insertion).await {
                Ok(()) => return Ok(Arc::clone(new)),
                Err(store::Error::Full) => {}
                Err(error) => return Err(work.conflict(error, &new.doc)),
            }
        }
        let made = creation.clone();
        let change = async move |tx: &mut Tx<'_>| made.carry_out(tx).await;
        self.store().write(&work.tenant, change).await
    }
}

impl Creation {
    /// The resource that a softened body asks for, and its password as it came. `adopts` is whether the
    /// client may not know that the person was invited: where people are invited by others, that takes a
    /// look inside the transaction.
    pub(super) fn accept(
        work: Work,
        id: String,
        body: Value,
        adopts: bool,
    ) -> Result<(Self, Password), Error> {
        let mut accepted = accept::create(&work.kind, body, work.rules())?;
        let password = work.password_of(&mut accepted.doc, accepted.password)?;
        // Whoever may be somebody else is taken as the client said, without what the rules make of it.
        let adopts = adopts && work.may_adopt(&accepted.doc);
        let foreseen = if adopts {
            Foreseen::Open(accepted.doc)
        } else {
            work.foresee(&id, Was::default(), accepted.doc)?
        };
        let (ruled, foreseen) = match foreseen {
            Foreseen::Ruled(ruled) => (ruled, true),
            Foreseen::Open(doc) => (Ruled::plain(doc), false),
        };
        let draft = Arc::new(work.draft(&ruled.doc, ruled.beside)?);
        let new = Arc::new(New { id, doc: ruled.doc, draft, before: None });
        let members = accepted.members.map(MemberChange::Add);
        let made = Self { work, new, password: None, members, foreseen, adopts };
        Ok((made, password))
    }

    /// It as data, where nothing but the document is to be stored: such ones share a statement.
    fn insertion(&self) -> Option<Insertion> {
        if self.password.is_some() || self.members.is_some() || !self.foreseen {
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

    /// Whether it can be stored without a look at the whole.
    pub(super) fn is_plain(&self) -> bool {
        self.members.is_none() && self.foreseen
    }

    /// Stores it with everything that belongs to it; the resource as it then is.
    pub(super) async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Arc<New>, Error> {
        let new = self.store(tx).await?;
        self.complete(tx, &new.id).await?;
        let mapping = mapping_of(&new.id, &new.doc).filter(|_| self.members.is_some());
        if let Some(mapping) = mapping {
            self.work.follow(tx, Roll::of_new(mapping)).await?;
        }
        Ok(new)
    }

    /// Stores the document, with a seat where it needs one.
    pub(super) async fn store(&self, tx: &mut Tx<'_>) -> Result<Arc<New>, Error> {
        if self.foreseen {
            match self.work.insert(tx, &self.new).await {
                Err(Error::Store(store::Error::Full)) => {}
                done => return done.map(|()| Arc::clone(&self.new)),
            }
        }
        if self.adopts
            && let Some(adopted) = self.work.adopt(tx, &self.new.doc).await?
        {
            return Ok(Arc::new(adopted));
        }
        let id = &self.new.id;
        // What was foreseen of a new user gives way to what is so.
        let ruled = self.work.rule(tx, id, Was::default(), &self.new.doc).await?;
        let draft = Arc::new(self.work.draft(&ruled.doc, ruled.beside.clone())?);
        let new = New { id: id.clone(), doc: ruled.doc.clone(), draft, before: None };
        self.work.insert(tx, &new).await?;
        self.work.open(tx, (id, None), &ruled).await?;
        Ok(Arc::new(new))
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
    pub(super) async fn complete(&self, tx: &mut Tx<'_>, id: &str) -> Result<(), Error> {
        if let Some(phc) = &self.password {
            passwords::set(tx, &self.work.tenant, id, phc).await?;
        }
        if let Some(members) = &self.members {
            self.work.change_members(tx, id, members).await?;
        }
        Ok(())
    }
}
