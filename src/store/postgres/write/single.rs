//! A batch that is one statement: it takes the tenant's turn itself and is its own transaction, one
//! round trip from the beginning to the commit.

use std::collections::VecDeque;
use std::time::Instant;

use super::together::{Pieces, together};
use super::{Run, UNKNOWN, limited};
use crate::store::job::Job;
use crate::store::piece::Came;
use crate::store::postgres::link::{Link, State};
use crate::store::queue::Line;
use crate::store::tx::Counts;
use crate::store::{Error, Tx};

/// What became of a statement that is its own transaction.
enum End {
    /// It is committed.
    Done(Vec<Came>, Counts),
    /// It is not, and the way that begins a transaction may get further.
    Undone { late: bool },
    /// It is not, and trying again would take as long once more.
    Failed(Error),
    /// The connection is in an unknown state, and nobody knows about the statement.
    Unknown(Error),
    /// The connection is gone; nothing was kept.
    Lost,
}

/// Does what waits as one statement and answers it; false, and none of it is kept, where it is more
/// than that, another instance had the turn meanwhile, or the statement was refused.
pub(super) async fn attempt(
    held: &mut Link,
    line: &Line,
    waiting: &mut VecDeque<Box<dyn Job>>,
) -> bool {
    let count = together(waiting);
    if line.is_none() || count == 0 || count < waiting.len() {
        return false;
    }
    let pieces = Pieces::of(waiting, count);
    if !pieces.is_one_statement() {
        return false;
    }
    let Some(mut connection) = held.awake().await else { return false };
    let end = carry_out(&pieces, &mut Tx::postgres(&mut connection)).await;
    if !matches!(end, End::Unknown(_) | End::Lost) {
        held.hold(connection, State::Resting);
    }
    match end {
        End::Done(outcomes, counts) => {
            for (mut job, outcome) in waiting.drain(..).zip(outcomes) {
                job.came(outcome);
                job.finish(Ok(()));
            }
            settle(held, line, counts).await;
            return true;
        }
        End::Undone { late: true } => held.note_rival(),
        End::Undone { late: false } | End::Lost => {}
        End::Failed(error) => return refuse(waiting, &error),
        End::Unknown(error) => {
            return refuse(waiting, &Error::Unavailable(format!("{UNKNOWN}: {error}")));
        }
    }
    false
}

async fn carry_out(pieces: &Pieces<'_>, tx: &mut Tx<'_>) -> End {
    let outcomes = match limited(pieces.carry_out(tx)).await {
        Ok(outcomes) => outcomes,
        Err(silent) => return End::Unknown(silent.error),
    };
    match (outcomes, tx.failed()) {
        (Ok(outcomes), _) => End::Done(outcomes, tx.take_counts()),
        (Err(error), _) if tx.is_in_the_dark() => End::Unknown(error),
        (Err(_), _) if tx.lost() => End::Lost,
        (Err(Error::Again(_)), None) => End::Undone { late: true },
        // It went well, and its answer is not understood.
        (Err(error), None) => End::Unknown(error),
        (Err(error @ Error::Unavailable(_)), Some(_)) => End::Failed(error),
        (Err(_), Some(_)) => End::Undone { late: false },
    }
}

fn refuse(waiting: &mut VecDeque<Box<dyn Job>>, error: &Error) -> bool {
    waiting.drain(..).for_each(|job| job.finish(Err(error.clone())));
    true
}

/// Cuts blocks that hold too much. What fails is done with the next resource that comes to the block.
async fn settle(held: &mut Link, line: &Line, counts: Counts) {
    if counts.is_empty() {
        return;
    }
    let Ok(mut connection) = held.begun(Instant::now()).await else { return };
    let mut run = Run {
        connection: &mut connection,
        line,
        done: Vec::new(),
        bytes: 0,
        counts,
        guarded: false,
    };
    match run.all(&mut VecDeque::new()).await {
        Ok(keep) => drop(held.turn(connection, keep).await),
        Err(stop) if stop.usable => drop(held.turn(connection, false).await),
        Err(_) => {}
    }
}
