//! Another document of a resource as data.

use std::sync::Arc;

use super::{Came, Carried, Piece};
use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::resources::{self, Draft, Entries, Next, Updated};
use crate::store::{Dialect, Error, Tx, tenants};

/// Another document of a resource that is still of the version it was read in.
#[derive(Debug, Clone)]
pub struct Replacement {
    /// Whose.
    pub tenant: TenantId,
    /// The resource type's name.
    pub kind: String,
    /// Its `id`.
    pub id: String,
    /// The version that was read.
    pub version: i64,
    /// What could be looked up of the document that was read.
    pub before: Arc<Entries>,
    /// The new document with everything that belongs to it.
    pub draft: Arc<Draft>,
    /// When it is changed.
    pub now: Micros,
    /// What the tenant offered when the rules saw it, where they looked at that. On SQLite, whose look
    /// costs no round trip, nothing is done where it offers something else by now.
    pub offered: Option<Arc<str>>,
}

impl Replacement {
    pub(in crate::store) fn next(&self) -> Next<'_> {
        Next {
            id: &self.id,
            version: self.version,
            before: &self.before,
            draft: &self.draft,
            now: self.now,
        }
    }
}

impl Carried for Replacement {
    type Answer = Option<i64>;

    fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// None where unique values change: whether they are free is looked at one by one.
    fn piece(&self) -> Option<Piece<'_>> {
        (self.before.unique == self.draft.entries.unique).then_some(Piece::Other(self))
    }

    async fn alone(&self, tx: &mut Tx<'_>) -> Result<Option<i64>, Error> {
        if let Some(known) = &self.offered
            && tx.dialect() == Dialect::Sqlite
            && !tenants::offers_still(tx, &self.tenant, known).await?
        {
            return Ok(None);
        }
        resources::update(tx, &self.tenant, &self.kind, self.next()).await
    }

    fn answer(came: Came) -> Option<Result<Option<i64>, Error>> {
        match came {
            Came::Other(Updated::To(version)) => Some(Ok(Some(version))),
            Came::Other(Updated::Overtaken) => Some(Ok(None)),
            Came::Other(Updated::Full) => Some(Err(Error::Full)),
            Came::New(_) | Came::Edge(_) => None,
        }
    }
}
