//! POST: a resource that is ready for its transaction.

use std::sync::Arc;

use serde_json::Value;

use crate::app::work::{Loaded, New, Work};
use crate::app::{App, Ctx, Error};
use crate::ids::ResourceId;
use crate::scim::accept;
use crate::scim::patch::MemberChange;
use crate::store::{Tx, passwords};

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
        let accepted = accept::create(&work.kind, body, work.rules())?;
        let password = self.hash_first(ctx, accepted.password).await?;
        let id = ResourceId::new(work.now).to_string();
        let draft = work.draft(&accepted.doc)?;
        let new = Arc::new(New { id, doc: accepted.doc, draft });
        Ok(Creation { work, new, password, members: accepted.members.map(MemberChange::Add) })
    }
}

impl Creation {
    /// Stores it with everything that belongs to it.
    pub(super) async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        self.work.insert(tx, &self.new).await?;
        self.complete(tx).await
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
