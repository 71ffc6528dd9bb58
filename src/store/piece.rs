//! Changes as data instead of closures, so that those that wait at the same moment go as one
//! statement.

mod edge;
mod insertion;
mod replacement;

use std::time::Instant;

use tokio::sync::oneshot;

use crate::ids::TenantId;
use crate::store::job::{Answer, Attempt, Job};
use crate::store::members::Outcome;
use crate::store::resources::{Left, Updated};
use crate::store::{Error, Tx};

pub use edge::Edge;
pub use insertion::Insertion;
pub use replacement::Replacement;

/// A change that can share a statement with others of its sort.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece<'a> {
    /// A new resource.
    New(&'a Insertion),
    /// Another document of a resource.
    Other(&'a Replacement),
    /// A member that comes or goes.
    Edge(&'a Edge),
}

/// What came of a piece that shared a statement.
#[derive(Debug)]
pub(super) enum Came {
    /// Of an insertion.
    New(Result<(), Left>),
    /// Of a replacement.
    Other(Updated),
    /// Of a member.
    Edge(Outcome),
}

impl<'a> Piece<'a> {
    /// Whether both are of one sort and about resources of one type.
    pub(super) fn is_like(self, other: Piece<'_>) -> bool {
        let alike = matches!(
            (self, other),
            (Self::New(_), Piece::New(_))
                | (Self::Other(_), Piece::Other(_))
                | (Self::Edge(_), Piece::Edge(_))
        );
        alike && self.kind() == other.kind()
    }

    /// Whether nothing of it stands in the database where it was refused, without anything being undone.
    pub(super) fn leaves_nothing(self) -> bool {
        match self {
            Self::New(_) | Self::Other(_) => true,
            Self::Edge(_) => false,
        }
    }

    /// The resource type's name.
    pub(super) fn kind(self) -> &'a str {
        match self {
            Self::New(new) => &new.kind,
            Self::Other(other) => &other.kind,
            Self::Edge(edge) => &edge.kind,
        }
    }

    /// Bytes of its texts, but for those that can be looked up, which are few.
    pub(super) fn weight(self) -> usize {
        match self {
            Self::New(Insertion { draft, .. }) | Self::Other(Replacement { draft, .. }) => {
                draft.doc.len() + draft.folded.len()
            }
            Self::Edge(edge) => edge.doc.len(),
        }
    }

    /// What no other piece of the same statement may be about.
    pub(super) fn subject(self) -> (&'a str, &'a str) {
        match self {
            Self::New(new) => (&new.id, ""),
            Self::Other(other) => (&other.id, ""),
            Self::Edge(edge) => (&edge.id, &edge.member),
        }
    }
}

/// What a piece is answered with, and how it is done alone.
pub(super) trait Carried: Send + 'static {
    /// What is answered.
    type Answer: Send + 'static;

    /// Whose.
    fn tenant(&self) -> &TenantId;

    /// It, where it can share a statement.
    fn piece(&self) -> Option<Piece<'_>>;

    /// Does it in a statement of its own.
    async fn alone(&self, tx: &mut Tx<'_>) -> Result<Self::Answer, Error>;

    /// The answer where it shared one.
    fn answer(came: Came) -> Option<Result<Self::Answer, Error>>;
}

/// A piece on its way to a connection, with the place for its answer.
pub(super) struct Carrying<C: Carried> {
    piece: C,
    answer: Answer<C::Answer, Error>,
}

impl<C: Carried> Carrying<C> {
    pub(super) fn new(piece: C, to: oneshot::Sender<Result<C::Answer, Error>>) -> Self {
        Self { piece, answer: Answer::new(to) }
    }
}

impl<C: Carried> Job for Carrying<C> {
    fn attempt<'a>(&'a mut self, tx: &'a mut Tx<'_>) -> Attempt<'a> {
        Box::pin(async move {
            let result = self.piece.alone(tx).await;
            self.answer.keep(result)
        })
    }

    fn piece(&self) -> Option<Piece<'_>> {
        self.piece.piece()
    }

    fn came(&mut self, came: Came) {
        if let Some(result) = C::answer(came) {
            self.answer.keep(result);
        }
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
