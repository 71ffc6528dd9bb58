//! Bulk requests that outlive their connection: what was asked, and what became of each operation.

mod care;
mod steps;

use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::{Error, Row, Tx, Value};

pub use care::{forget, hide, old, open, waiting};
pub use steps::{Kept, Step, forget_steps, keep, mark_stored, record, results, steps};

/// Which job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Whose.
    pub tenant: TenantId,
    /// Its id.
    pub id: String,
}

/// A bulk request that is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Which.
    pub place: Place,
    /// The id of the token that asked for it.
    pub token: String,
    /// What its Idempotency-Key was, in short.
    pub key: Option<String>,
    /// What key and body were, in short; empty without a key.
    pub digest: String,
    /// Who asked, as JSON.
    pub caller: String,
    /// After how many failed operations it ends.
    pub fail_on_errors: Option<i64>,
    /// Operations.
    pub total: i64,
    /// Operations that were processed, the failed ones too.
    pub done: i64,
    /// Operations that failed.
    pub failed: i64,
    /// Whether all its operations are kept here.
    pub stored: bool,
    /// Who is at work on it.
    pub owner: Option<String>,
    /// Until when that is believed.
    pub lease_until: Micros,
    /// When it was accepted.
    pub created: Micros,
    /// When it ended.
    pub finished: Option<Micros>,
    /// When somebody ended it before its end.
    pub stopped: Option<Micros>,
    /// How often it failed since something of it was done.
    pub attempts: i64,
}

impl Job {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            place: Place { tenant: row.text(0)?.into(), id: row.text(1)?.to_owned() },
            token: row.text(2)?.to_owned(),
            key: row.maybe_text(3)?.map(str::to_owned),
            digest: row.text(4)?.to_owned(),
            caller: row.text(5)?.to_owned(),
            fail_on_errors: row.maybe_int(6)?,
            total: row.int(7)?,
            done: row.int(8)?,
            failed: row.int(9)?,
            stored: row.int(10)? == 1,
            owner: row.maybe_text(11)?.map(str::to_owned),
            lease_until: Micros(row.int(12)?),
            created: Micros(row.int(13)?),
            finished: row.maybe_int(14)?.map(Micros),
            stopped: row.maybe_int(15)?.map(Micros),
            attempts: row.int(16)?,
        })
    }
}

/// Remembers a job; false when the token used its key before.
pub async fn insert(tx: &mut Tx<'_>, job: &Job) -> Result<bool, Error> {
    let sql =
        "INSERT INTO bulk_jobs (tenant, id, token, key, digest, caller, fail_on_errors, total,
                   done, failed, stored, owner, lease_until, created_at, finished_at, stopped_at,
                   attempts)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
               ON CONFLICT DO NOTHING";
    let binds = [
        (&job.place.tenant).into(),
        (&job.place.id).into(),
        (&job.token).into(),
        job.key.as_deref().into(),
        (&job.digest).into(),
        (&job.caller).into(),
        job.fail_on_errors.into(),
        job.total.into(),
        job.done.into(),
        job.failed.into(),
        i64::from(job.stored).into(),
        job.owner.as_deref().into(),
        job.lease_until.into(),
        job.created.into(),
        job.finished.into(),
        job.stopped.into(),
        job.attempts.into(),
    ];
    Ok(tx.execute(sql, &binds).await? == 1)
}

/// Finds a job.
pub async fn find(tx: &mut Tx<'_>, place: &Place) -> Result<Option<Job>, Error> {
    let sql = "SELECT tenant, id, token, key, digest, caller, fail_on_errors, total, done, failed,
                   stored, owner, lease_until, created_at, finished_at, stopped_at, attempts
               FROM bulk_jobs WHERE tenant = $1 AND id = $2";
    tx.query(sql, &which(place)).await?.first().map(Job::read).transpose()
}

/// Finds the job of an Idempotency-Key.
pub async fn find_by_key(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    token: &str,
    key: &str,
) -> Result<Option<Job>, Error> {
    let sql = "SELECT tenant, id, token, key, digest, caller, fail_on_errors, total, done, failed,
                   stored, owner, lease_until, created_at, finished_at, stopped_at, attempts
               FROM bulk_jobs WHERE tenant = $1 AND token = $2 AND key = $3";
    let rows = tx.query(sql, &[tenant.into(), token.into(), key.into()]).await?;
    rows.first().map(Job::read).transpose()
}

fn which(place: &Place) -> [Value; 2] {
    [(&place.tenant).into(), (&place.id).into()]
}

/// Who works on a job: every change of it names its owner, so that one who lost it changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The job.
    pub place: Place,
    /// Who is at work on it.
    pub owner: String,
}

impl Hold {
    fn which(&self) -> [Value; 3] {
        [(&self.place.tenant).into(), (&self.place.id).into(), (&self.owner).into()]
    }
}

/// Takes a job that nobody is at work on; false when somebody is, or it has ended.
pub async fn claim(
    tx: &mut Tx<'_>,
    hold: &Hold,
    now: Micros,
    until: Micros,
) -> Result<bool, Error> {
    let [tenant, id, owner] = hold.which();
    let sql = "UPDATE bulk_jobs SET owner = $3, lease_until = $4
               WHERE tenant = $1 AND id = $2 AND finished_at IS NULL AND lease_until <= $5";
    Ok(tx.execute(sql, &[tenant, id, owner, until.into(), now.into()]).await? == 1)
}

/// Says that the owner is still there; false when it is not the owner any more.
pub async fn renew(tx: &mut Tx<'_>, hold: &Hold, until: Micros) -> Result<bool, Error> {
    let [tenant, id, owner] = hold.which();
    let sql = "UPDATE bulk_jobs SET lease_until = $4
               WHERE tenant = $1 AND id = $2 AND owner = $3 AND finished_at IS NULL";
    Ok(tx.execute(sql, &[tenant, id, owner, until.into()]).await? == 1)
}

/// Leaves a job to whoever comes next.
pub async fn release(tx: &mut Tx<'_>, hold: &Hold) -> Result<(), Error> {
    let sql = "UPDATE bulk_jobs SET owner = NULL, lease_until = 0
               WHERE tenant = $1 AND id = $2 AND owner = $3 AND finished_at IS NULL";
    tx.execute(sql, &hold.which()).await.map(drop)
}

/// Leaves a job that failed to whoever comes after a pause.
pub async fn postpone(tx: &mut Tx<'_>, hold: &Hold, until: Micros) -> Result<(), Error> {
    let [tenant, id, owner] = hold.which();
    let sql = "UPDATE bulk_jobs SET owner = NULL, lease_until = $4, attempts = attempts + 1
               WHERE tenant = $1 AND id = $2 AND owner = $3 AND finished_at IS NULL";
    tx.execute(sql, &[tenant, id, owner, until.into()]).await.map(drop)
}

/// How far a job is, as its owner writes it down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Operations processed before: another number means that this was written before.
    pub before: i64,
    /// Operations processed now.
    pub done: i64,
    /// Those of them that failed.
    pub failed: i64,
    /// How long the owner is believed to be there.
    pub until: Micros,
    /// When it ended.
    pub finished: Option<Micros>,
}

/// Writes down how far a job is; false when it is not the owner's any more. What is left of one that
/// has ended goes.
pub async fn advance(tx: &mut Tx<'_>, hold: &Hold, progress: Progress) -> Result<bool, Error> {
    let [tenant, id, owner] = hold.which();
    let sql = "UPDATE bulk_jobs SET done = $4, failed = $5, lease_until = $6, finished_at = $7,
                   attempts = 0
               WHERE tenant = $1 AND id = $2 AND owner = $3 AND done = $8 AND finished_at IS NULL";
    let binds = [
        tenant,
        id,
        owner,
        progress.done.into(),
        progress.failed.into(),
        progress.until.into(),
        progress.finished.into(),
        progress.before.into(),
    ];
    let advanced = tx.execute(sql, &binds).await? == 1;
    if advanced && progress.finished.is_some() {
        steps::drop_waiting(tx, &hold.place).await?;
    }
    Ok(advanced)
}

/// Ends a job before its end, and lets go of what it has not done; false when it has ended. Its owner
/// finds that it has lost it.
pub async fn stop(tx: &mut Tx<'_>, place: &Place, now: Micros) -> Result<bool, Error> {
    let [tenant, id] = which(place);
    let sql = "UPDATE bulk_jobs SET owner = NULL, finished_at = $3, stopped_at = $3
               WHERE tenant = $1 AND id = $2 AND finished_at IS NULL";
    let stopped = tx.execute(sql, &[tenant, id, now.into()]).await? == 1;
    if stopped {
        steps::drop_waiting(tx, place).await?;
    }
    Ok(stopped)
}
