//! Insertions that wait behind each other go as one statement: a round trip for all of them.

use std::collections::VecDeque;

use super::{Run, Stop};
use crate::store::job::Job;
use crate::store::resources::{self, New};
use crate::store::{Error, Insertion, Tx};

/// Insertions that share a statement at most.
const MOST: usize = 64;
/// Bytes of documents that share a statement at most, the first one's beyond.
const MOST_BYTES: usize = 2 << 20;

/// How many of those at the front are insertions of one type that may share a statement.
pub(super) fn together(waiting: &VecDeque<Box<dyn Job>>) -> usize {
    let Some(first) = waiting.front().and_then(|job| job.insertion()) else { return 0 };
    let mut bytes = 0;
    let fits = |weight: &usize| {
        bytes += weight;
        bytes <= MOST_BYTES
    };
    let insertions = waiting.iter().take(MOST).map_while(|job| job.insertion());
    let alike = insertions.take_while(|one| one.kind == first.kind);
    alike.map(Insertion::weight).take_while(fits).count()
}

impl Run<'_> {
    /// Runs the first `count` as one statement. One whose unique value is taken is refused and has
    /// written nothing; where the statement fails, all begin again, each in a savepoint.
    pub(super) async fn insert(
        &mut self,
        waiting: &mut VecDeque<Box<dyn Job>>,
        count: usize,
    ) -> Result<(), Stop> {
        let Some(first) = waiting.front().and_then(|job| job.insertion()) else { return Ok(()) };
        let all = waiting.iter().take(count).filter_map(|job| job.insertion());
        let new: Vec<New<'_>> = all.map(Insertion::row).collect();
        let mut tx = Tx::postgres(self.connection);
        let outcomes = resources::insert_many(&mut tx, &first.tenant, &first.kind, &new).await;
        match outcomes {
            Ok(outcomes) => {
                self.bytes += tx.bytes();
                self.counts.extend(tx.take_counts());
                for outcome in outcomes {
                    let Some(mut job) = waiting.pop_front() else { break };
                    job.inserted(outcome);
                    self.done.push((job, Ok(())));
                }
                Ok(())
            }
            Err(error) if tx.lost() => {
                Err(Stop { error: Error::Again(error.to_string()), usable: false })
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
    use crate::store::insertion::Inserting;
    use crate::store::job::Closure;
    use crate::store::resources::Draft;

    fn insertion(kind: &str, bytes: usize) -> Box<dyn Job> {
        let draft = Draft { doc: "x".repeat(bytes), ..Draft::default() };
        let insertion = Insertion {
            tenant: TenantId::new(Micros(0)),
            kind: kind.to_owned(),
            id: String::new(),
            draft: Arc::new(draft),
            now: Micros(0),
        };
        Box::new(Inserting::new(insertion, oneshot::channel().0))
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
                waiting.iter().map(|job| job.insertion().map(|one| one.kind.clone())).collect();
            assert_eq!(together(&waiting.into()), expected, "{names:?}");
        }
    }
}
