//! Looks: those that wait at the same moment share a snapshot.

use tokio::sync::Mutex;
use tokio::sync::mpsc::Receiver;

use super::link::{IDLE, Link, State, guarded};
use crate::store::job::{Job, Message, Verdict};
use crate::store::retry::{TRIES, gave_up, pause};
use crate::store::sqlite::jobs;
use crate::store::{Error, Tx};

/// Looks that share a snapshot at most; few, so that the other lanes get some.
const SHARE: usize = 8;

/// How an attempt ended.
enum End {
    Answer(Result<(), Error>),
    Again(Error),
}

/// Serves the queue until it closes.
pub(super) fn run(mut link: Link, queue: &Mutex<Receiver<Message>>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return;
    };
    runtime.block_on(async move {
        while let Some(jobs) = next(&mut link, queue).await {
            for mut job in jobs {
                let outcome = serve(&mut link, job.as_mut()).await;
                job.finish(outcome);
            }
            link.refresh().await;
        }
        link.close().await;
    });
}

/// What waits, or nothing when the queue is closed.
async fn next(link: &mut Link, queue: &Mutex<Receiver<Message>>) -> Option<Vec<Box<dyn Job>>> {
    if link.state == State::Fresh {
        if let Ok(received) = tokio::time::timeout(IDLE, receive(queue)).await {
            return received;
        }
        // Without the queue: others take from it meanwhile.
        link.rest().await;
    }
    receive(queue).await
}

/// Whoever gives up has taken nothing from the queue.
async fn receive(queue: &Mutex<Receiver<Message>>) -> Option<Vec<Box<dyn Job>>> {
    let mut messages = Vec::new();
    let mut queue = queue.lock().await;
    let received = queue.recv_many(&mut messages, SHARE).await;
    (received > 0).then(|| jobs(&mut messages, &mut queue))
}

/// Runs a look until it is done or must be refused.
pub(super) async fn serve(link: &mut Link, job: &mut dyn Job) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        tries += 1;
        match attempt(link, job).await {
            End::Answer(outcome) => return outcome,
            End::Again(error) if tries >= TRIES => return Err(gave_up(&error)),
            End::Again(_) => tokio::time::sleep(pause(tries)).await,
        }
    }
}

async fn attempt(link: &mut Link, job: &mut dyn Job) -> End {
    // Whoever returns early drops the connection: nobody knows what it is doing.
    let mut connection = match link.begun(job.since()).await {
        Ok(connection) => connection,
        Err(error) => return End::Answer(Err(error)),
    };
    let mut tx = Tx::postgres(&mut connection);
    let verdict = match guarded(job, &mut tx).await {
        Ok(verdict) => verdict,
        Err(error) => return End::Answer(Err(error)),
    };
    let (failed, lost) = (tx.failed().cloned(), tx.lost());
    if lost {
        let why = || Error::Unavailable("the connection was lost".to_owned());
        return End::Again(failed.unwrap_or_else(why));
    }
    if verdict != Verdict::Again && failed.is_none() {
        link.keep(connection);
        return End::Answer(Ok(()));
    }
    let ended = link.turn(connection, false).await;
    match (verdict, failed) {
        (Verdict::Again, failed) => {
            End::Again(failed.unwrap_or_else(|| Error::Again("asked for".to_owned())))
        }
        (Verdict::Keep, Some(error)) => End::Answer(Err(error)),
        (Verdict::Keep | Verdict::Undo, _) => End::Answer(ended),
    }
}
