//! Who sends what: a letter belongs to one instance at a time, for as long as its lease is renewed.

use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::{Error, Row, Tx};

/// A letter that an instance has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Its number in the tenant.
    pub seq: i64,
    /// Its id.
    pub id: String,
    /// The `id` of the user that it is for or about.
    pub resource: String,
    /// The name of its kind.
    pub kind: String,
    /// The address, as it was written.
    pub address: String,
    /// The Message-ID, with its angle brackets.
    pub message_id: String,
    /// What stands in it, as JSON text.
    pub letter: String,
    /// The sealed secret of its link.
    pub sealed: Option<String>,
    /// How often it was tried before.
    pub attempts: i64,
    /// When it was written.
    pub created: Micros,
    /// From when on it is sent no more.
    pub ends: Micros,
    /// Why it has not gone yet.
    pub detail: String,
}

/// Who takes a letter, when, and until when nobody else may.
#[derive(Debug, Clone, Copy)]
pub struct Lease<'l> {
    /// The instance.
    pub owner: &'l str,
    /// The present.
    pub now: Micros,
    /// The lease's end.
    pub until: Micros,
}

/// What became of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// `sent`, `deferred`, `bounced` or `failed`.
    pub state: &'static str,
    /// Why, for administrators.
    pub detail: String,
    /// When it was.
    pub at: Micros,
    /// When to try again; none where it is done or given up.
    pub next: Option<Micros>,
}

/// The tenants that have a letter that [`claim`] would give.
pub async fn due_tenants(tx: &mut Tx<'_>, now: Micros) -> Result<Vec<TenantId>, Error> {
    let sql = "SELECT t.id FROM tenants t WHERE EXISTS (
                   SELECT 1 FROM outbox o WHERE o.tenant = t.id AND o.next_at <= $1
                   AND (o.lease_until IS NULL OR o.lease_until <= $1)
                   AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.tenant = t.id
                       AND e.resource = o.resource AND e.next_at IS NOT NULL AND e.seq < o.seq))";
    let rows = tx.query(sql, &[now.into()]).await?;
    rows.iter().map(|row| Ok(row.text(0)?.into())).collect()
}

/// Takes the next letter of a tenant that nobody sends and before which no other one waits for the same
/// person; none where there is none.
pub async fn claim(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    lease: Lease<'_>,
) -> Result<Option<Claimed>, Error> {
    // A letter never overtakes an earlier one, nor one that somebody is sending.
    let sql = "SELECT o.seq FROM outbox o
               WHERE o.tenant = $1 AND o.next_at <= $2
               AND (o.lease_until IS NULL OR o.lease_until <= $2)
               AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.tenant = $1
                   AND e.resource = o.resource AND e.next_at IS NOT NULL AND e.seq < o.seq)
               ORDER BY o.next_at, o.seq LIMIT 1";
    let rows = tx.query(sql, &[tenant.into(), lease.now.into()]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    // Another instance may have been faster; it is asked again then.
    let sql = "UPDATE outbox SET owner = $3, lease_until = $4
               WHERE tenant = $1 AND seq = $2 AND next_at <= $5
               AND (lease_until IS NULL OR lease_until <= $5)
               RETURNING seq, id, resource, kind, address, message_id, letter, sealed, attempts,
                   created_at, ends_at, detail";
    let binds = [
        tenant.into(),
        row.int(0)?.into(),
        lease.owner.into(),
        lease.until.into(),
        lease.now.into(),
    ];
    let rows = tx.query(sql, &binds).await?;
    match rows.first() {
        Some(row) => read(row).map(Some),
        None => Err(Error::Again("another instance took the letter".to_owned())),
    }
}

/// Renews the leases of an instance that is alive; one that is over, too, as long as nobody else has taken
/// the letter.
pub async fn keep_leases(tx: &mut Tx<'_>, owner: &str, until: Micros) -> Result<(), Error> {
    let sql = "UPDATE outbox SET lease_until = $2 WHERE owner = $1";
    tx.execute(sql, &[owner.into(), until.into()]).await.map(drop)
}

/// Notes what became of a try; false where the letter belongs to the instance no more, such as one that
/// was given up meanwhile.
pub async fn note(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    (seq, owner): (i64, &str),
    outcome: &Outcome,
) -> Result<bool, Error> {
    let sql = "UPDATE outbox SET state = $4, state_at = $5, detail = $6, next_at = $7,
                   attempts = attempts + 1, owner = NULL, lease_until = NULL,
                   letter = CASE WHEN CAST($7 AS BIGINT) IS NULL THEN NULL ELSE letter END,
                   sealed = CASE WHEN CAST($7 AS BIGINT) IS NULL THEN NULL ELSE sealed END
               WHERE tenant = $1 AND seq = $2 AND owner = $3 AND next_at IS NOT NULL";
    let binds = [
        tenant.into(),
        seq.into(),
        owner.into(),
        outcome.state.into(),
        outcome.at.into(),
        (&outcome.detail).into(),
        outcome.next.into(),
    ];
    Ok(tx.execute(sql, &binds).await? == 1)
}

fn read(row: &Row) -> Result<Claimed, Error> {
    let text = |column: usize| row.text(column).map(str::to_owned);
    Ok(Claimed {
        seq: row.int(0)?,
        id: text(1)?,
        resource: text(2)?,
        kind: text(3)?,
        address: text(4)?,
        message_id: text(5)?,
        letter: text(6)?,
        sealed: row.maybe_text(7)?.map(str::to_owned),
        attempts: row.int(8)?,
        created: Micros(row.int(9)?),
        ends: Micros(row.int(10)?),
        detail: text(11)?,
    })
}
