//! Pieces of one sort that wait behind each other go as one statement: a round trip for all of them.

use std::collections::{HashSet, VecDeque};
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use super::{Run, Stop, limited};
use crate::store::job::{Job, panicked};
use crate::store::members;
use crate::store::piece::{Came, Edge, Insertion, Piece, Replacement};
use crate::store::resources::{self, New, Next};
use crate::store::{Error, Tx};

/// Pieces that share a statement at most.
const MOST: usize = 64;
/// Bytes of documents that share a statement at most, the first one's beyond.
const MOST_BYTES: usize = 2 << 20;

/// How many of those at the front are pieces of one sort and type that may share a statement: of
/// changes of the same thing the second one has to see what the first one did. Insertions sort that
/// out themselves.
pub(super) fn together(waiting: &VecDeque<Box<dyn Job>>) -> usize {
    let mut pieces = waiting.iter().take(MOST).map_while(|job| job.piece());
    let Some(first) = pieces.next() else { return 0 };
    let mut bytes = first.weight();
    let mut subjects = HashSet::from([first.subject()]);
    let mut count = 1;
    for piece in pieces.take_while(|piece| piece.is_like(first)) {
        bytes += piece.weight();
        let is_other = matches!(piece, Piece::New(_)) || subjects.insert(piece.subject());
        if bytes > MOST_BYTES || !is_other {
            break;
        }
        count += 1;
    }
    count
}

/// Pieces of one sort.
#[derive(Default)]
pub(super) struct Pieces<'p> {
    new: Vec<&'p Insertion>,
    other: Vec<&'p Replacement>,
    edges: Vec<&'p Edge>,
}

impl<'p> Pieces<'p> {
    /// The first `count` of those that wait.
    pub(super) fn of(waiting: &'p VecDeque<Box<dyn Job>>, count: usize) -> Self {
        let mut all = Self::default();
        for piece in waiting.iter().take(count).filter_map(|job| job.piece()) {
            match piece {
                Piece::New(new) => all.new.push(new),
                Piece::Other(other) => all.other.push(other),
                Piece::Edge(edge) => all.edges.push(edge),
            }
        }
        all
    }

    /// Whether they are one statement: insertions that want the same unique value are not.
    pub(super) fn is_one_statement(&self) -> bool {
        let mut wanted = HashSet::new();
        self.new.iter().flat_map(|new| &new.draft.entries.unique).all(|key| wanted.insert(key))
    }

    /// Does them in one statement. A panic is an error: nobody else may suffer from it.
    pub(super) async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Vec<Came>, Error> {
        let done = AssertUnwindSafe(self.ask(tx)).catch_unwind().await;
        done.unwrap_or_else(|_| Err(panicked()))
    }

    async fn ask(&self, tx: &mut Tx<'_>) -> Result<Vec<Came>, Error> {
        if let Some(first) = self.new.first() {
            let rows: Vec<New<'_>> = self.new.iter().map(|new| new.row()).collect();
            let outcomes = resources::insert_many(tx, &first.tenant, &first.kind, &rows).await?;
            return Ok(outcomes.into_iter().map(Came::New).collect());
        }
        if let Some(first) = self.other.first() {
            let rows: Vec<Next<'_>> = self.other.iter().map(|other| other.next()).collect();
            let versions = resources::update_many(tx, &first.tenant, &first.kind, &rows).await?;
            return Ok(versions.into_iter().map(Came::Other).collect());
        }
        let Some(first) = self.edges.first() else { return Ok(Vec::new()) };
        let outcomes = members::change_many(tx, &first.tenant, &first.kind, &self.edges).await?;
        Ok(outcomes.into_iter().map(Came::Edge).collect())
    }
}

impl Run<'_> {
    /// Runs the first `count` as one statement. One that cannot be done is refused and has written
    /// nothing; where the statement fails, all begin again, each in a savepoint.
    pub(super) async fn share(
        &mut self,
        waiting: &mut VecDeque<Box<dyn Job>>,
        count: usize,
    ) -> Result<(), Stop> {
        let pieces = Pieces::of(waiting, count);
        let mut tx = Tx::postgres(self.connection);
        match limited(pieces.carry_out(&mut tx)).await? {
            Ok(outcomes) => {
                self.bytes += tx.bytes();
                self.counts.extend(tx.take_counts());
                for outcome in outcomes {
                    let Some(mut job) = waiting.pop_front() else { break };
                    job.came(outcome);
                    self.done.push((job, Ok(())));
                }
                Ok(())
            }
            Err(error) if tx.lost() => {
                Err(Stop { error: Error::Again(error.to_string()), usable: false })
            }
            // Nobody knows what the connection is at.
            Err(error) if tx.failed().is_none() && !matches!(error, Error::Again(_)) => {
                Err(Stop { error, usable: false })
            }
            Err(_) => self.begin_again(waiting).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::oneshot;

    use super::*;
    use crate::clock::Micros;
    use crate::ids::TenantId;
    use crate::store::job::Closure;
    use crate::store::piece::Carrying;
    use crate::store::resources::{Draft, Entries};

    fn insertion(kind: &str, bytes: usize) -> Box<dyn Job> {
        let draft = Draft { doc: "x".repeat(bytes), ..Draft::default() };
        let insertion = Insertion {
            tenant: TenantId::new(),
            kind: kind.to_owned(),
            id: String::new(),
            draft: Arc::new(draft),
            now: Micros(0),
        };
        Box::new(Carrying::new(insertion, oneshot::channel().0))
    }

    fn closure() -> Box<dyn Job> {
        let change = async |_: &mut Tx<'_>| Ok::<_, Error>(());
        Box::new(Closure::new(change, oneshot::channel().0))
    }

    #[test]
    fn insertions_of_one_type_in_front_go_together_up_to_a_limit() {
        let user = |bytes| insertion("User", bytes);
        let rows: [(Vec<Box<dyn Job>>, usize); 7] = [
            (vec![], 0),
            (vec![closure(), user(1), user(1)], 0),
            (vec![user(1)], 1),
            (vec![user(1), user(1), closure(), user(1)], 2),
            (vec![user(1), insertion("Group", 1), user(1)], 1),
            (vec![user(1 << 20), user(1 << 20), user(1)], 2),
            ((0..100).map(|_| user(1)).collect(), 64),
        ];
        for (waiting, expected) in rows {
            let names: Vec<_> =
                waiting.iter().map(|job| job.piece().map(|one| one.kind().to_owned())).collect();
            assert_eq!(together(&waiting.into()), expected, "{names:?}");
        }
    }

    fn replacement(id: &str, name: &str) -> Box<dyn Job> {
        let unique = vec![("userName".to_owned(), name.to_owned())];
        let before =
            Entries { unique: vec![("userName".to_owned(), "a".to_owned())], ..Entries::default() };
        let draft = Draft { entries: Entries { unique, ..Entries::default() }, ..Draft::default() };
        let replacement = Replacement {
            tenant: TenantId::new(),
            kind: "User".to_owned(),
            id: id.to_owned(),
            version: 1,
            before: Arc::new(before),
            draft: Arc::new(draft),
            now: Micros(0),
            offered: None,
        };
        Box::new(Carrying::new(replacement, oneshot::channel().0))
    }

    fn edge(group: &str, member: &str) -> Box<dyn Job> {
        let edge = Edge {
            tenant: TenantId::new(),
            kind: "Group".to_owned(),
            id: group.to_owned(),
            doc: String::new(),
            member: member.to_owned(),
            comes: true,
            now: Micros(0),
        };
        Box::new(Carrying::new(edge, oneshot::channel().0))
    }

    #[test]
    fn changes_of_the_same_thing_do_not_share_a_statement() {
        let count = |waiting: Vec<Box<dyn Job>>| together(&waiting.into());
        assert_eq!(count(vec![replacement("1", "a"), replacement("2", "a")]), 2);
        assert_eq!(count(vec![replacement("1", "a"), replacement("1", "a")]), 1);
        assert_eq!(count(vec![replacement("1", "a"), insertion("User", 1)]), 1);
        assert_eq!(count(vec![edge("g", "1"), edge("g", "2"), edge("h", "1")]), 3);
        assert_eq!(count(vec![edge("g", "1"), edge("g", "2"), edge("g", "1")]), 2);
    }

    #[test]
    fn a_change_of_a_unique_value_goes_alone() {
        assert_eq!(together(&vec![replacement("1", "b"), replacement("2", "a")].into()), 0);
        assert_eq!(together(&vec![replacement("1", "a"), replacement("2", "b")].into()), 1);
    }
}
