//! A member that comes or goes, as data.

use super::{Came, Carried, Piece};
use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::members::{self, Difference, Expected, Outcome};
use crate::store::resources::Key;
use crate::store::{Error, Tx};

/// A member that comes to a group whose document is still the one that was read, or goes from it.
#[derive(Debug, Clone)]
pub struct Edge {
    /// Whose.
    pub tenant: TenantId,
    /// The group's resource type.
    pub kind: String,
    /// The group's `id`.
    pub id: String,
    /// The group's document that was read.
    pub doc: String,
    /// The member's id.
    pub member: String,
    /// Whether it comes; otherwise it goes.
    pub comes: bool,
    /// When.
    pub now: Micros,
}

impl Carried for Edge {
    type Answer = Outcome;

    fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    fn piece(&self) -> Option<Piece<'_>> {
        Some(Piece::Edge(self))
    }

    async fn alone(&self, tx: &mut Tx<'_>) -> Result<Outcome, Error> {
        let one = std::slice::from_ref(&self.member);
        let (add, remove) = if self.comes { (one, &[][..]) } else { (&[][..], one) };
        let group = Key { tenant: &self.tenant, kind: &self.kind, id: &self.id };
        let expected = Expected { version: None, doc: Some(&self.doc) };
        members::change(tx, group, expected, Difference { add, remove }, self.now).await
    }

    fn answer(came: Came) -> Option<Result<Outcome, Error>> {
        match came {
            Came::Edge(outcome) => Some(Ok(outcome)),
            Came::New(_) | Came::Other(_) => None,
        }
    }
}
