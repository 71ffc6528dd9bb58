//! Where the turns of a request that is remembered are written down, in their own transactions.

use super::case::Case;
use super::turn::Done;
use crate::app::Error;
use crate::clock::Micros;
use crate::store::Tx;
use crate::store::bulk::{self, Hold, Kept, Progress};

/// Seconds for which whoever works on a job is believed to be there.
const LEASE: i64 = 3;

/// Until when whoever says so now is believed to be there.
pub(super) fn lease(now: Micros) -> Micros {
    now.plus_seconds(LEASE)
}

/// The job of a request, held by this run of it.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) hold: Hold,
}

/// What is answered when somebody else has the job by now.
pub(super) fn lost() -> Error {
    Error::KeyInUse(1)
}

impl Record {
    /// Writes down what a turn did; refuses all of it when the job is not this run's any more.
    pub(super) async fn write_down(
        &self,
        tx: &mut Tx<'_>,
        case: &Case,
        before: (u64, u64),
        done: &Done,
    ) -> Result<(), Error> {
        let now = case.app.clock().now();
        let progress = Progress {
            before: number(before.0),
            done: number(before.0 + done.fates.len() as u64),
            failed: number(before.1 + done.failed),
            until: lease(now),
            finished: done.ended.then_some(now),
        };
        if !bulk::advance(tx, &self.hold, progress).await? {
            return Err(lost());
        }
        let kept: Vec<&Kept> = done.fates.iter().map(|fate| &fate.kept).collect();
        Ok(bulk::record(tx, &self.hold.place, &kept).await?)
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
