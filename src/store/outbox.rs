//! Letters that wait to be sent, and what became of those that were.

mod sending;

pub use sending::{Claimed, Lease, Outcome, claim, due_tenants, keep_leases, note};

use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::dialect::each;
use crate::store::{Error, Row, Tx, Value};

/// A letter as it is written.
#[derive(Debug, Clone)]
pub struct New {
    /// Its id, which is also how the outside names it.
    pub id: String,
    /// The `id` of the user that it is for or about.
    pub resource: String,
    /// The name of its kind.
    pub kind: &'static str,
    /// The address, as it was written.
    pub address: String,
    /// The same without case.
    pub mailbox: String,
    /// The Message-ID, with its angle brackets.
    pub message_id: String,
    /// What stands in it, as JSON text.
    pub letter: String,
    /// The sealed secret of its link.
    pub sealed: Option<String>,
    /// When it was written.
    pub now: Micros,
    /// From when on it is sent no more.
    pub ends: Micros,
}

/// Whether a letter goes that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// Unless mail to the address came back and none reached it since.
    UnlessCameBack,
    /// In any case: somebody asked for it by itself.
    Always,
    /// Not at all, and why, for administrators.
    Held(&'static str),
}

/// What became of a letter, without what stood in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its number in the tenant.
    pub seq: i64,
    /// Its id.
    pub id: String,
    /// The `id` of the user that it is for or about.
    pub resource: String,
    /// The name of its kind.
    pub kind: String,
    /// `queued`, `sent`, `delivered`, `deferred`, `bounced`, `suppressed`, `failed` or `stale`.
    pub state: String,
    /// Since when.
    pub at: Micros,
    /// Why, for administrators.
    pub detail: String,
    /// The address, as it was written.
    pub address: String,
    /// The Message-ID, with its angle brackets.
    pub message_id: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was written.
    pub created: Micros,
}

/// How many letters there were since a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub count: i64,
    /// When the first of them was written.
    pub oldest: Option<Micros>,
    /// When the last of them was written.
    pub newest: Option<Micros>,
    /// How many of them somebody asked for by themselves.
    pub asked: i64,
    /// When the first of those was written.
    pub oldest_asked: Option<Micros>,
}

impl Mail {
    fn read(row: &Row) -> Result<Self, Error> {
        let text = |column: usize| row.text(column).map(str::to_owned);
        Ok(Self {
            seq: row.int(0)?,
            id: text(1)?,
            resource: text(2)?,
            kind: text(3)?,
            state: text(4)?,
            at: Micros(row.int(5)?),
            detail: text(6)?,
            address: text(7)?,
            message_id: text(8)?,
            attempts: row.int(9)?,
            created: Micros(row.int(10)?),
        })
    }
}

/// Writes a letter in the tenant's turn. With false it is suppressed, and what stands in it is not kept.
pub async fn insert(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    new: &New,
    passage: Passage,
) -> Result<bool, Error> {
    let why_not = match passage {
        Passage::Always => None,
        Passage::Held(why) => Some(why),
        Passage::UnlessCameBack => {
            came_back(tx, tenant, &new.mailbox).await?.then_some("mail to this address came back")
        }
    };
    let goes = why_not.is_none();
    let (state, detail) = (if goes { "queued" } else { "suppressed" }, why_not.unwrap_or_default());
    let sql =
        "INSERT INTO outbox (tenant, seq, id, resource, kind, state, state_at, detail, address,
                   mailbox, message_id, letter, sealed, attempts, created_at, ends_at, next_at, asked)
               VALUES ($1, (SELECT COALESCE(MAX(o.seq), 0) + 1 FROM outbox o WHERE o.tenant = $1),
                   $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $6, $13, $14, $15)";
    let binds = [
        tenant.into(),
        (&new.id).into(),
        (&new.resource).into(),
        new.kind.into(),
        state.into(),
        new.now.into(),
        detail.into(),
        (&new.address).into(),
        (&new.mailbox).into(),
        (&new.message_id).into(),
        goes.then_some(new.letter.as_str()).into(),
        new.sealed.as_deref().filter(|_| goes).into(),
        new.ends.into(),
        goes.then_some(new.now).into(),
        i64::from(passage == Passage::Always).into(),
    ];
    tx.execute(sql, &binds).await?;
    Ok(goes)
}

/// Whether the last letter to this address of which it is known came back.
async fn came_back(tx: &mut Tx<'_>, tenant: &TenantId, mailbox: &str) -> Result<bool, Error> {
    let sql = "SELECT state FROM outbox WHERE tenant = $1 AND mailbox = $2
               AND state IN ('sent', 'delivered', 'bounced') ORDER BY seq DESC LIMIT 1";
    let rows = tx.query(sql, &[tenant.into(), mailbox.into()]).await?;
    rows.first().map_or(Ok(false), |row| Ok(row.text(0)? == "bounced"))
}

/// Gives up what waits of a user: letters of this kind, or all of them. How many there were.
pub async fn cancel(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    resource: &str,
    kind: Option<&'static str>,
    now: Micros,
) -> Result<u64, Error> {
    let sql = "UPDATE outbox SET state = 'stale', state_at = $4, detail = '', letter = NULL,
                   sealed = NULL, next_at = NULL, owner = NULL, lease_until = NULL
               WHERE tenant = $1 AND resource = $2 AND next_at IS NOT NULL
               AND (CAST($3 AS TEXT) IS NULL OR kind = $3)";
    tx.execute(sql, &[tenant.into(), resource.into(), kind.into(), now.into()]).await
}

/// The last letter of this kind of each of these users, in no order; users without one are left out.
pub async fn last_of_each(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    resources: &[&str],
    kind: &'static str,
) -> Result<Vec<Mail>, Error> {
    let rows: Vec<[&str; 1]> = resources.iter().map(|id| [*id]).collect();
    let sql = each!(
        tx,
        "SELECT o.seq, o.id, o.resource, o.kind, o.state, o.state_at, o.detail, o.address,
             o.message_id, o.attempts, o.created_at
         FROM",
        each("$2"),
        "JOIN outbox o ON o.tenant = $1 AND o.resource = e.value ->> 0 AND o.kind = $3
             AND o.seq = (SELECT MAX(l.seq) FROM outbox l
                          WHERE l.tenant = $1 AND l.resource = e.value ->> 0 AND l.kind = $3)"
    );
    let binds = [tenant.into(), Value::rows(&rows), kind.into()];
    tx.query(sql, &binds).await?.iter().map(Mail::read).collect()
}

/// How many letters of these kinds were written for a user after a moment; suppressed ones do not count.
pub async fn tally_of_user(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    resource: &str,
    kinds: &[&str],
    since: Micros,
) -> Result<Tally, Error> {
    let sql =
        "SELECT COUNT(*), MIN(created_at), MAX(created_at), COUNT(CASE asked WHEN 1 THEN 1 END),
                   MIN(CASE asked WHEN 1 THEN created_at END) FROM outbox
               WHERE tenant = $1 AND resource = $2 AND created_at > $3 AND state <> 'suppressed'
               AND $4 LIKE '% ' || kind || ' %'";
    let binds = [tenant.into(), resource.into(), since.into(), listed(kinds)];
    tally(&tx.query(sql, &binds).await?)
}

/// The same for all users of the tenant together.
pub async fn tally_of_tenant(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    kinds: &[&str],
    since: Micros,
) -> Result<Tally, Error> {
    let sql =
        "SELECT COUNT(*), MIN(created_at), MAX(created_at), COUNT(CASE asked WHEN 1 THEN 1 END),
                   MIN(CASE asked WHEN 1 THEN created_at END) FROM outbox
               WHERE tenant = $1 AND created_at > $2 AND state <> 'suppressed'
               AND $3 LIKE '% ' || kind || ' %'";
    tally(&tx.query(sql, &[tenant.into(), since.into(), listed(kinds)]).await?)
}

fn listed(kinds: &[&str]) -> Value {
    format!(" {} ", kinds.join(" ")).into()
}

fn tally(rows: &[Row]) -> Result<Tally, Error> {
    let Some(row) = rows.first() else { return Ok(Tally::default()) };
    Ok(Tally {
        count: row.int(0)?,
        oldest: row.maybe_int(1)?.map(Micros),
        newest: row.maybe_int(2)?.map(Micros),
        asked: row.int(3)?,
        oldest_asked: row.maybe_int(4)?.map(Micros),
    })
}

/// Which mails are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Behind this number.
    pub after: i64,
    /// For or about this user.
    pub resource: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// In this state.
    pub state: Option<String>,
    /// At most so many.
    pub limit: i64,
}

/// Mails in the order in which they were written.
pub async fn list(tx: &mut Tx<'_>, tenant: &TenantId, wanted: &Wanted) -> Result<Vec<Mail>, Error> {
    let sql =
        "SELECT seq, id, resource, kind, state, state_at, detail, address, message_id, attempts,
                   created_at
               FROM outbox WHERE tenant = $1 AND seq > $2
               AND (CAST($3 AS TEXT) IS NULL OR resource = $3)
               AND (CAST($4 AS TEXT) IS NULL OR kind = $4)
               AND (CAST($5 AS TEXT) IS NULL OR state = $5)
               ORDER BY seq LIMIT $6";
    let binds = [
        tenant.into(),
        wanted.after.into(),
        wanted.resource.as_deref().into(),
        wanted.kind.as_deref().into(),
        wanted.state.as_deref().into(),
        wanted.limit.into(),
    ];
    tx.query(sql, &binds).await?.iter().map(Mail::read).collect()
}

/// The mail of this id.
pub async fn find(tx: &mut Tx<'_>, tenant: &TenantId, id: &str) -> Result<Option<Mail>, Error> {
    let sql =
        "SELECT seq, id, resource, kind, state, state_at, detail, address, message_id, attempts,
                   created_at
               FROM outbox WHERE tenant = $1 AND id = $2";
    tx.query(sql, &[tenant.into(), id.into()]).await?.first().map(Mail::read).transpose()
}

/// Sets what became of a mail, which is sent no more then.
pub async fn report(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    seq: i64,
    (state, detail): (&'static str, &str),
    now: Micros,
) -> Result<(), Error> {
    let sql = "UPDATE outbox SET state = $3, state_at = $4, detail = $5, letter = NULL,
                   sealed = NULL, next_at = NULL, owner = NULL, lease_until = NULL
               WHERE tenant = $1 AND seq = $2";
    let binds = [tenant.into(), seq.into(), state.into(), now.into(), detail.into()];
    tx.execute(sql, &binds).await.map(drop)
}

/// Forgets mails that have not changed since this moment and are sent no more; how many went. The last
/// one of a tenant stays, so that no number is given twice.
pub async fn forget(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    before: Micros,
    most: i64,
) -> Result<u64, Error> {
    let sql = "DELETE FROM outbox WHERE tenant = $1 AND seq IN (
                   SELECT o.seq FROM outbox o
                   WHERE o.tenant = $1 AND o.created_at < $2 AND o.state_at < $2
                   AND o.next_at IS NULL
                   AND o.seq < (SELECT MAX(l.seq) FROM outbox l WHERE l.tenant = $1)
                   ORDER BY o.created_at LIMIT $3)";
    tx.execute(sql, &[tenant.into(), before.into(), most.into()]).await
}
