//! The operations of bulk jobs, and what became of them.

use super::{Hold, Place, which};
use crate::store::dialect::each;
use crate::store::{Error, Tx, Value};

/// Keeps operations until their turn comes, the first of them at this place of the request.
pub async fn keep(
    tx: &mut Tx<'_>,
    place: &Place,
    first: usize,
    operations: &[String],
) -> Result<(), Error> {
    let rows: Vec<_> = operations.iter().zip(first..).map(|(text, at)| (at, text)).collect();
    let sql = each!(
        tx,
        "INSERT INTO bulk_steps (tenant, job, place, operation)
         SELECT $1, $2, CAST(e.value ->> 0 AS BIGINT), e.value ->> 1 FROM",
        each("$3"),
        "WHERE TRUE ON CONFLICT DO NOTHING"
    );
    let [tenant, id] = which(place);
    tx.execute(sql, &[tenant, id, Value::rows(&rows)]).await.map(drop)
}

/// Says that all operations of a job are kept here; false when it is not the owner's any more.
pub async fn mark_stored(tx: &mut Tx<'_>, hold: &Hold) -> Result<bool, Error> {
    let sql = "UPDATE bulk_jobs SET stored = 1
               WHERE tenant = $1 AND id = $2 AND owner = $3 AND finished_at IS NULL";
    Ok(tx.execute(sql, &hold.which()).await? == 1)
}

/// What became of an operation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Kept {
    /// Its place in the request.
    pub at: usize,
    /// The id of what it made.
    pub made: Option<String>,
    /// What is answered for it.
    pub result: String,
}

/// Writes down what became of operations.
pub async fn record(tx: &mut Tx<'_>, place: &Place, kept: &[&Kept]) -> Result<(), Error> {
    if kept.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = kept.iter().map(|kept| (kept.at, &kept.made, &kept.result)).collect();
    let sql = each!(
        tx,
        "INSERT INTO bulk_steps (tenant, job, place, resource, result)
         SELECT $1, $2, CAST(e.value ->> 0 AS BIGINT), e.value ->> 1, e.value ->> 2 FROM",
        each("$3"),
        "WHERE TRUE ON CONFLICT (tenant, job, place) DO UPDATE
         SET operation = NULL, resource = excluded.resource, result = excluded.result"
    );
    let [tenant, id] = which(place);
    tx.execute(sql, &[tenant, id, Value::rows(&rows)]).await.map(drop)
}

/// An operation of a job, as far as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its place in the request.
    pub at: i64,
    /// What is to be done, while it waits.
    pub operation: Option<String>,
    /// The id of what it made.
    pub made: Option<String>,
    /// What is answered for it, once it was processed.
    pub result: Option<String>,
}

/// Operations from this place on.
pub async fn steps(
    tx: &mut Tx<'_>,
    place: &Place,
    from: i64,
    most: i64,
) -> Result<Vec<Step>, Error> {
    let [tenant, id] = which(place);
    let sql = "SELECT place, operation, resource, result
               FROM bulk_steps WHERE tenant = $1 AND job = $2 AND place >= $3
               ORDER BY place LIMIT $4";
    let rows = tx.query(sql, &[tenant, id, from.into(), most.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Step {
                at: row.int(0)?,
                operation: row.maybe_text(1)?.map(str::to_owned),
                made: row.maybe_text(2)?.map(str::to_owned),
                result: row.maybe_text(3)?.map(str::to_owned),
            })
        })
        .collect()
}

/// Results from this place on, with their places.
pub async fn results(
    tx: &mut Tx<'_>,
    place: &Place,
    from: i64,
    most: i64,
) -> Result<Vec<(i64, String)>, Error> {
    let [tenant, id] = which(place);
    let sql = "SELECT place, result FROM bulk_steps
               WHERE tenant = $1 AND job = $2 AND place >= $3 AND result IS NOT NULL
               ORDER BY place LIMIT $4";
    let rows = tx.query(sql, &[tenant, id, from.into(), most.into()]).await?;
    rows.iter().map(|row| Ok((row.int(0)?, row.text(1)?.to_owned()))).collect()
}

/// Forgets some operations of a job; how many there were.
pub async fn forget_steps(tx: &mut Tx<'_>, place: &Place, most: i64) -> Result<u64, Error> {
    let [tenant, id] = which(place);
    let sql = "DELETE FROM bulk_steps WHERE tenant = $1 AND job = $2 AND place IN
                   (SELECT place FROM bulk_steps WHERE tenant = $1 AND job = $2
                    ORDER BY place LIMIT $3)";
    tx.execute(sql, &[tenant, id, most.into()]).await
}

/// Lets go of the operations of a job that will not be done any more.
pub(super) async fn drop_waiting(tx: &mut Tx<'_>, place: &Place) -> Result<(), Error> {
    let sql = "DELETE FROM bulk_steps WHERE tenant = $1 AND job = $2 AND result IS NULL";
    tx.execute(sql, &which(place)).await.map(drop)
}
