//! Operations that are ready for their transaction.

use crate::app::Error;
use crate::app::change::Plan;
use crate::app::create::Creation;
use crate::app::work::Work;
use crate::scim::etag::Conditions;

/// Operations that are done together: one, or `POST`s that refer to each other in a ring.
pub(super) struct Unit {
    /// Its place in the order.
    pub(super) number: usize,
    /// The places of its operations in the request.
    pub(super) places: Vec<usize>,
    /// `POST`s outside of it that must have succeeded.
    pub(super) needs: Box<[usize]>,
    /// Where each of its operations is about.
    pub(super) locations: Vec<Option<String>>,
    /// How much there is to write, in bytes.
    pub(super) weight: usize,
    pub(super) ready: Ready,
}

/// What there is to do, with nothing slow left.
pub(super) enum Ready {
    /// Nothing: this is wrong with each of them.
    Refused(Vec<Error>),
    Create(Box<Creation>),
    Ring(Vec<Creation>),
    Change(Box<Plan>),
    Delete(Box<Removal>),
}

/// A resource to delete.
pub(super) struct Removal {
    pub(super) work: Work,
    pub(super) id: String,
    pub(super) conditions: Conditions,
}

impl Unit {
    /// The creation in it, where it is one that needs nothing but its own rows.
    pub(super) fn plain(&self) -> Option<&Creation> {
        match &self.ready {
            Ready::Create(creation) if creation.is_plain() => Some(creation),
            Ready::Create(_)
            | Ready::Refused(_)
            | Ready::Ring(_)
            | Ready::Change(_)
            | Ready::Delete(_) => None,
        }
    }
}
