//! A new resource as data.

use std::sync::Arc;

use super::{Came, Carried, Piece};
use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::resources::{self, Draft, Key, New};
use crate::store::{Error, Tx};

/// A new resource without members or a password.
#[derive(Debug, Clone)]
pub struct Insertion {
    /// Whose.
    pub tenant: TenantId,
    /// The resource type's name.
    pub kind: String,
    /// Its `id`.
    pub id: String,
    /// Everything else.
    pub draft: Arc<Draft>,
    /// When it is made.
    pub now: Micros,
}

impl Insertion {
    pub(in crate::store) fn row(&self) -> New<'_> {
        New { id: &self.id, draft: &self.draft, now: self.now }
    }
}

impl Carried for Insertion {
    type Answer = ();

    fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    fn piece(&self) -> Option<Piece<'_>> {
        Some(Piece::New(self))
    }

    async fn alone(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let key = Key { tenant: &self.tenant, kind: &self.kind, id: &self.id };
        resources::insert(tx, key, &self.draft, self.now).await
    }

    fn answer(came: Came) -> Option<Result<(), Error>> {
        match came {
            Came::New(outcome) => Some(outcome.map_err(Error::from)),
            Came::Other(_) | Came::Edge(_) => None,
        }
    }
}
