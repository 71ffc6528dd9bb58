//! A new resource as data instead of a closure, so that those that wait at the same moment go as one
//! statement.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::job::{Answer, Attempt, Job};
use crate::store::resources::{self, Draft, New, Taken};
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
    pub(super) fn row(&self) -> New<'_> {
        New { id: &self.id, draft: &self.draft, now: self.now }
    }

    /// Bytes of its texts, but for those that can be looked up, which are few.
    pub(super) fn weight(&self) -> usize {
        self.draft.doc.len() + self.draft.folded.len()
    }
}

/// An insertion with the place for its answer.
pub(super) struct Inserting {
    insertion: Insertion,
    answer: Answer<(), Error>,
}

impl Inserting {
    pub(super) fn new(insertion: Insertion, to: oneshot::Sender<Result<(), Error>>) -> Self {
        Self { insertion, answer: Answer::new(to) }
    }
}

impl Job for Inserting {
    fn attempt<'a>(&'a mut self, tx: &'a mut Tx<'_>) -> Attempt<'a> {
        Box::pin(async move {
            let Insertion { tenant, kind, .. } = &self.insertion;
            let outcomes = resources::insert_many(tx, tenant, kind, &[self.insertion.row()]).await;
            let result = outcomes.and_then(|outcomes| {
                outcomes.into_iter().collect::<Result<(), Taken>>().map_err(Error::from)
            });
            self.answer.keep(result)
        })
    }

    fn insertion(&self) -> Option<&Insertion> {
        Some(&self.insertion)
    }

    fn inserted(&mut self, outcome: Result<(), Taken>) {
        self.answer.keep(outcome.map_err(Error::from));
    }

    fn wanted(&self) -> bool {
        self.answer.wanted()
    }

    fn since(&self) -> Instant {
        self.answer.since()
    }

    fn finish(self: Box<Self>, outcome: Result<(), Error>) {
        self.answer.send(outcome);
    }
}
