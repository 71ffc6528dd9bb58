//! Seats of pools: how many are taken, and who waits. Whoever holds one has it in its document; the
//! writes of a tenant take turns, so that nothing here needs a lock of its own.

use crate::domain::facts::Hold;
use crate::domain::pool::{Band, Taken};
use crate::domain::seat::Step;
use crate::ids::TenantId;
use crate::scim::urn;
use crate::store::{Error, Sql, Tx, Value, held, states};

/// How a change moves the counters of one pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// The pool's value.
    pub pool: String,
    /// Seats of people who can sign in: more, or fewer.
    pub consumed: i64,
    /// Seats of people who cannot yet.
    pub reserved: i64,
}

impl Shift {
    /// The shifts of these steps; none where somebody waits or waits no more, which takes more than
    /// counting.
    pub fn of(steps: &[Step]) -> Option<Vec<Self>> {
        let mut shifts: Vec<Self> = Vec::new();
        for step in steps {
            let (pool, hold, count) = match step {
                Step::Take(pool, hold) => (pool, *hold, 1),
                Step::Give(pool, hold) => (pool, *hold, -1),
                Step::Wait(_) | Step::Leave(_) => return None,
            };
            let at = shifts.iter().position(|shift| shift.pool == *pool).unwrap_or_else(|| {
                shifts.push(Self { pool: pool.clone(), consumed: 0, reserved: 0 });
                shifts.len() - 1
            });
            match hold {
                Hold::Consumed => shifts[at].consumed += count,
                Hold::Reserved => shifts[at].reserved += count,
            }
        }
        Some(shifts)
    }

    fn reversed(&self) -> Self {
        Self { consumed: -self.consumed, reserved: -self.reserved, pool: self.pool.clone() }
    }
}

/// The counters of a pool; none of one that was never counted.
pub async fn taken(tx: &mut Tx<'_>, tenant: &TenantId, pool: &str) -> Result<Option<Taken>, Error> {
    let sql = "SELECT consumed, reserved, waiting FROM pool_counts WHERE tenant = $1 AND pool = $2";
    let rows = tx.query(sql, &[tenant.into(), pool.into()]).await?;
    let read = |row: &crate::store::Row| {
        Ok(Taken { consumed: row.int(0)?, reserved: row.int(1)?, waiting: row.int(2)? })
    };
    rows.first().map(read).transpose()
}

/// What is truly taken, told by the documents: every holder, deleted ones whose seat is kept, and
/// everybody in the line.
pub async fn recount(tx: &mut Tx<'_>, tenant: &TenantId, pool: &str) -> Result<Taken, Error> {
    let held = |value: &str| value == pool;
    let held = states::of_users(tx, tenant, "pool.value", held).await?;
    let mut sql = Sql::new(&format!(
        "SELECT COUNT(*) FILTER (WHERE r.folded -> {} ->> 'state' = 'reserved'), COUNT(*)
         FROM resources r WHERE r.kind = 'User' AND r.tenant = ",
        tx.dialect().member(urn::SEAT)
    ));
    sql.bind(tenant);
    states::among(&mut sql, "r.state", &held);
    let rows = tx.run(&sql).await?;
    let (reserved, all) =
        rows.first().map_or(Ok((0, 0)), |row| Ok::<_, Error>((row.int(0)?, row.int(1)?)))?;
    let sql = "SELECT COUNT(*) FROM seat_waits WHERE tenant = $1 AND pool = $2";
    let rows = tx.query(sql, &[tenant.into(), pool.into()]).await?;
    let waiting = rows.first().map_or(Ok(0), |row| row.int(0))?;
    let kept = held::taken(tx, tenant, pool).await?;
    let consumed = all - reserved + kept.consumed;
    Ok(Taken { consumed, reserved: reserved + kept.reserved, waiting })
}

/// Writes the counters of a pool, and between which numbers of seats taken counting suffices.
pub async fn set(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    pool: &str,
    band: Band,
    taken: Taken,
) -> Result<(), Error> {
    let sql = "INSERT INTO pool_counts (tenant, pool, ceiling, consumed, reserved, waiting, floor)
               VALUES ($1, $2, $3, $4, $5, $6, $7)
               ON CONFLICT (tenant, pool) DO UPDATE SET ceiling = excluded.ceiling,
                   consumed = excluded.consumed, reserved = excluded.reserved,
                   waiting = excluded.waiting, floor = excluded.floor";
    let binds = [
        tenant.into(),
        pool.into(),
        band.ceiling.into(),
        taken.consumed.into(),
        taken.reserved.into(),
        taken.waiting.into(),
        band.floor.into(),
    ];
    tx.execute(sql, &binds).await.map(drop)
}

/// Writes between which numbers of seats taken counting suffices.
pub async fn bound(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    pool: &str,
    band: Band,
) -> Result<(), Error> {
    let sql = "UPDATE pool_counts SET floor = $3, ceiling = $4 WHERE tenant = $1 AND pool = $2";
    let binds = [tenant.into(), pool.into(), band.floor.into(), band.ceiling.into()];
    tx.execute(sql, &binds).await.map(drop)
}

/// Forgets the counters of a pool that is no more.
pub async fn forget(tx: &mut Tx<'_>, tenant: &TenantId, pool: &str) -> Result<(), Error> {
    let sql = "DELETE FROM pool_counts WHERE tenant = $1 AND pool = $2";
    tx.execute(sql, &[tenant.into(), pool.into()]).await.map(drop)
}

/// Moves the counters, all or none. Where a seat is wanted that is not free, somebody waits, somebody
/// has to be told of the number, or the pool was never counted, nothing is done and it is false: that
/// takes a look at the whole.
pub(super) async fn shift(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    shifts: &[Shift],
) -> Result<bool, Error> {
    let sql = "UPDATE pool_counts SET consumed = consumed + $3, reserved = reserved + $4
               WHERE tenant = $1 AND pool = $2 AND waiting = 0
               AND (ceiling IS NULL OR $3 + $4 <= 0 OR consumed + reserved < ceiling)
               AND ($3 + $4 >= 0 OR consumed + reserved + $3 + $4 >= floor)";
    for (done, one) in shifts.iter().enumerate() {
        let binds = [tenant.into(), (&one.pool).into(), one.consumed.into(), one.reserved.into()];
        if tx.execute(sql, &binds).await? == 0 {
            shift_back(tx, tenant, &shifts[..done]).await?;
            return Ok(false);
        }
    }
    Ok(true)
}

/// Undoes shifts of the same transaction.
pub(super) async fn shift_back(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    shifts: &[Shift],
) -> Result<(), Error> {
    for one in shifts {
        count(tx, tenant, &one.reversed(), 0).await.map(drop)?;
    }
    Ok(())
}

async fn count(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    shift: &Shift,
    waiting: i64,
) -> Result<Option<Stand>, Error> {
    let sql = "UPDATE pool_counts SET consumed = consumed + $3, reserved = reserved + $4,
                   waiting = waiting + $5
               WHERE tenant = $1 AND pool = $2 RETURNING consumed + reserved, floor, ceiling";
    let binds = [
        tenant.into(),
        (&shift.pool).into(),
        shift.consumed.into(),
        shift.reserved.into(),
        waiting.into(),
    ];
    let rows = tx.query(sql, &binds).await?;
    let read = |row: &crate::store::Row| {
        let band = Band { floor: row.int(1)?, ceiling: row.maybe_int(2)? };
        Ok(Stand { used: row.int(0)?, band })
    };
    rows.first().map(read).transpose()
}

/// How a pool stands after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand {
    /// Seats that are taken.
    pub used: i64,
    /// Between which numbers counting suffices, as it was written.
    pub band: Band,
}

/// Does what was decided about a user's seat; how the pool stands then, where it is counted.
pub async fn apply(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    user: &str,
    step: &Step,
) -> Result<Option<Stand>, Error> {
    let of = |pool: &str, hold: Hold, by: i64| match hold {
        Hold::Consumed => Shift { pool: pool.to_owned(), consumed: by, reserved: 0 },
        Hold::Reserved => Shift { pool: pool.to_owned(), consumed: 0, reserved: by },
    };
    let nothing = |pool: &str| Shift { pool: pool.to_owned(), consumed: 0, reserved: 0 };
    match step {
        Step::Take(pool, hold) => count(tx, tenant, &of(pool, *hold, 1), 0).await,
        Step::Give(pool, hold) => count(tx, tenant, &of(pool, *hold, -1), 0).await,
        Step::Wait(pool) => {
            let sql = "INSERT INTO seat_waits (tenant, pool, place, resource)
                       SELECT $1, $2, COALESCE(MAX(w.place), 0) + 1, $3 FROM seat_waits w
                       WHERE w.tenant = $1 AND w.pool = $2";
            tx.execute(sql, &[tenant.into(), pool.into(), user.into()]).await?;
            count(tx, tenant, &nothing(pool), 1).await
        }
        Step::Leave(pool) => {
            let sql = "DELETE FROM seat_waits WHERE tenant = $1 AND pool = $2 AND resource = $3";
            let binds: [Value; 3] = [tenant.into(), pool.into(), user.into()];
            let left = i64::try_from(tx.execute(sql, &binds).await?).unwrap_or_default();
            count(tx, tenant, &nothing(pool), -left).await
        }
    }
}

/// Who waits for a seat of the pool, the first ones first.
pub async fn waiting(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    pool: &str,
    most: i64,
) -> Result<Vec<String>, Error> {
    let sql = "SELECT resource FROM seat_waits WHERE tenant = $1 AND pool = $2
               ORDER BY place LIMIT $3";
    let rows = tx.query(sql, &[tenant.into(), pool.into(), most.into()]).await?;
    rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

/// Puts somebody who waits before all others; false where nobody was before.
pub async fn prefer(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    pool: &str,
    user: &str,
) -> Result<bool, Error> {
    let sql = "UPDATE seat_waits
               SET place = (SELECT MIN(w.place) - 1 FROM seat_waits w
                            WHERE w.tenant = $1 AND w.pool = $2)
               WHERE tenant = $1 AND pool = $2 AND resource = $3
               AND place > (SELECT MIN(w.place) FROM seat_waits w
                            WHERE w.tenant = $1 AND w.pool = $2)";
    Ok(tx.execute(sql, &[tenant.into(), pool.into(), user.into()]).await? > 0)
}

/// The lines in which somebody waits: the tenant and the pool.
pub async fn lines(tx: &mut Tx<'_>) -> Result<Vec<(TenantId, String)>, Error> {
    let rows = tx.query("SELECT DISTINCT tenant, pool FROM seat_waits", &[]).await?;
    rows.iter().map(|row| Ok((row.text(0)?.into(), row.text(1)?.to_owned()))).collect()
}
