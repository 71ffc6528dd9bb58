//! A batch that is one statement: it takes the tenant's turn itself and is its own transaction, one
//! round trip from the beginning to the commit.

use std::collections::VecDeque;

use super::together::{MOST, Pieces, together};
use super::{Run, UNKNOWN, limited};
use crate::store::job::Job;
use crate::store::postgres::link::{Link, State};
use crate::store::queue::Line;
use crate::store::tx::Counts;
use crate::store::{Error, Tx};

/// Does what waits as one statement and answers it; false, and nothing is done, where it is more than
/// that, another instance had the turn meanwhile, or the statement was refused.
pub(super) async fn attempt(
    held: &mut Link,
    line: &Line,
    waiting: &mut VecDeque<Box<dyn Job>>,
) -> bool {
    let count = together(waiting);
    if line.is_none() || count == 0 || count < waiting.len().min(MOST) {
        return false;
    }
    let pieces = Pieces::of(waiting, count);
    if !pieces.is_one_statement() {
        return false;
    }
    let Some(mut connection) = held.awake().await else { return false };
    let mut tx = Tx::postgres(&mut connection);
    let (outcomes, unknown) = match limited(pieces.carry_out(&mut tx)).await {
        Ok(Ok(outcomes)) => (outcomes, None),
        Ok(Err(error)) if tx.is_in_the_dark() => (Vec::new(), Some(error)),
        Ok(Err(_)) if tx.lost() => return false,
        Ok(Err(_)) => {
            held.hold(connection, State::Resting);
            return false;
        }
        Err(silent) => (Vec::new(), Some(silent.error)),
    };
    if let Some(error) = unknown {
        let error = Error::Unavailable(format!("{UNKNOWN}: {error}"));
        waiting.drain(..count).for_each(|job| job.finish(Err(error.clone())));
        return true;
    }
    let counts = tx.take_counts();
    held.hold(connection, State::Resting);
    for (mut job, outcome) in waiting.drain(..count).zip(outcomes) {
        job.came(outcome);
        job.finish(Ok(()));
    }
    settle(held, line, counts).await;
    true
}

/// Cuts blocks that hold too much. What fails is done with the next resource that comes to the block.
async fn settle(held: &mut Link, line: &Line, counts: Counts) {
    if counts.is_empty() {
        return;
    }
    let Ok(mut connection) = held.begun(std::time::Instant::now()).await else { return };
    let mut run = Run {
        connection: &mut connection,
        line,
        done: Vec::new(),
        bytes: 0,
        counts,
        guarded: false,
    };
    let settled = run.all(&mut VecDeque::new()).await;
    match settled {
        Ok(keep) => drop(held.turn(connection, keep).await),
        Err(stop) if stop.usable => drop(held.turn(connection, false).await),
        Err(_) => {}
    }
}
