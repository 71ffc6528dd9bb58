//! Look-ups: those that wait at the same moment go as one statement, outside of any transaction.
//!
//! They come and go as data, so that a task among those that ask serves them: a thread in between would
//! have to be woken, and would wake theirs, which costs as much as all else on this side. Other single
//! statements that must not wait behind long reads are closures, and bound to a thread; to that the
//! connection is lent.

use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::mpsc::Receiver;
use tokio::sync::oneshot;
use tokio::task;

use super::link::{Link, State};
use super::read;
use crate::store::job::Job;
use crate::store::look::{Look, Message, SHARE, Taken};
use crate::store::lookup::{self, Found};
use crate::store::retry::{Lost, TRIES, gave_up, pause};
use crate::store::{Error, sqlite};

/// No look-up takes this long unless the server went silent.
const LONGEST: Duration = Duration::from_secs(35);

/// After so many statements it is looked whether there are statistics.
const CHILDHOOD: u32 = 64;

/// Begins to serve the queue; the thread ends with the task.
#[expect(
    clippy::disallowed_methods,
    reason = "a lane of the store, which waits for its end when it is closed"
)]
pub(super) fn start(
    link: Link,
    queue: Receiver<Message>,
) -> Result<(task::JoinHandle<()>, JoinHandle<()>), Error> {
    let (lend, on_loan) = mpsc::channel();
    // The connection belongs to this runtime, wherever it is waited for.
    let runtime = Handle::current();
    let thread = sqlite::spawn("usher-look", move || borrow(&on_loan, &runtime))?;
    Ok((tokio::spawn(run(link, queue, lend)), thread))
}

/// Serves the queue until it closes. One lane carries most: what comes while it waits for the server
/// goes with the next statement.
async fn run(mut link: Link, mut queue: Receiver<Message>, lend: mpsc::Sender<Lent>) {
    let mut messages = Vec::with_capacity(SHARE);
    let mut young = Young::default();
    while queue.recv_many(&mut messages, SHARE).await > 0 {
        let taken = Taken::of(&mut messages, &mut queue);
        if !taken.jobs.is_empty() {
            let (back, returned) = oneshot::channel();
            // Either fails when the thread is gone, and nothing goes on without it.
            let Ok(()) = lend.send(Lent { link, jobs: taken.jobs, back }) else { return };
            let Ok(same) = returned.await else { return };
            link = same;
        }
        if !taken.looks.is_empty() {
            serve(&mut link, taken.looks).await;
            young.grow(&mut link).await;
        }
    }
    link.close().await;
}

/// A connection on loan.
struct Lent {
    link: Link,
    jobs: Vec<Box<dyn Job>>,
    back: oneshot::Sender<Link>,
}

/// Runs closures on the connection that comes with them, until nobody lends one any more.
fn borrow(on_loan: &mpsc::Receiver<Lent>, runtime: &Handle) {
    while let Ok(Lent { mut link, jobs, mut back }) = on_loan.recv() {
        for mut job in jobs {
            let outcome = runtime.block_on(async {
                tokio::select! {
                    // The runtime ends, and its clock with it.
                    biased;
                    () = back.closed() => None,
                    outcome = read::serve(&mut link, job.as_mut()) => Some(outcome),
                }
            });
            let Some(outcome) = outcome else { return };
            job.finish(outcome);
        }
        let _ = back.send(link);
    }
}

/// A database that is too young for statistics.
///
/// Until PostgreSQL has some, which takes it a minute, the index by time looks better to it than the
/// primary key, and a look-up walks all resources of its tenant.
#[derive(Debug, Default)]
struct Young {
    served: u32,
    over: bool,
}

impl Young {
    /// Has statistics made once there is something to count. A large table, restored perhaps, is left
    /// to the server: look-ups would wait for it.
    async fn grow(&mut self, link: &mut Link) {
        self.served += 1;
        if self.over || !self.served.is_multiple_of(CHILDHOOD) {
            return;
        }
        let Ok(mut connection) = link.begun(Instant::now()).await else { return };
        let known = "SELECT reltuples > 0 OR pg_relation_size(oid) > 67108864
                     FROM pg_class WHERE oid = 'resources'::regclass";
        let known = super::query(&mut connection, known, &[]);
        let Ok(rows) = tokio::time::timeout(LONGEST, known).await else { return };
        self.over =
            rows.as_ref().is_ok_and(|rows| rows.first().map(|row| row.int(0)) == Some(Ok(1)));
        if rows.is_ok() && !self.over {
            let analyze = super::plain(&mut connection, "ANALYZE resources, attr_index, members");
            let Ok(analyzed) = tokio::time::timeout(LONGEST, analyze).await else { return };
            // Whoever may not, waits for the server to do it.
            self.over = analyzed.is_ok();
        }
        if rows.is_ok() {
            link.hold(connection, State::Resting);
        }
    }
}

async fn serve(link: &mut Link, looks: Vec<Look>) {
    let asks: Vec<_> = looks.iter().map(|look| &look.ask).collect();
    let since = looks.iter().map(|look| look.since).min().unwrap_or_else(Instant::now);
    let mut tries = 0;
    let answers = loop {
        tries += 1;
        match attempt(link, &asks, since).await {
            Err(Attempt::Again(error)) if tries >= TRIES => break Err(gave_up(&error)),
            Err(Attempt::Again(_)) => tokio::time::sleep(pause(tries)).await,
            Err(Attempt::Failed(error)) => break Err(error),
            Ok(answers) => break Ok(answers),
        }
    };
    match answers {
        Ok(answers) => {
            for (look, found) in looks.into_iter().zip(answers) {
                look.finish(Ok(found));
            }
        }
        Err(error) => looks.into_iter().for_each(|look| look.finish(Err(error.clone()))),
    }
}

enum Attempt {
    Again(Error),
    Failed(Error),
}

async fn attempt(
    link: &mut Link,
    asks: &[&lookup::Ask],
    since: Instant,
) -> Result<Vec<Vec<Found>>, Attempt> {
    // Whoever returns early drops the connection: nobody knows what it is doing.
    let mut connection = link.begun(since).await.map_err(Attempt::Failed)?;
    let silent = |_| Attempt::Again(Error::Unavailable("no answer in time".to_owned()));
    let answered = tokio::time::timeout(LONGEST, lookup::together(&mut connection, asks)).await;
    match answered.map_err(silent)? {
        Err(broken) if broken.lost != Lost::No => Err(Attempt::Again(broken.error)),
        answered => {
            link.hold(connection, State::Resting);
            answered.map_err(|broken| match broken.error {
                error @ Error::Again(_) => Attempt::Again(error),
                error @ (Error::Taken(_)
                | Error::Full
                | Error::Busy
                | Error::Unavailable(_)
                | Error::Database(_)) => Attempt::Failed(error),
            })
        }
    }
}
