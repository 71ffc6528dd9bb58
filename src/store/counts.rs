//! What is counted when somebody asks for it, by indexes alone.

use std::collections::HashMap;

use crate::ids::TenantId;
use crate::store::dialect::each;
use crate::store::{Error, Row, Tx, Value};

/// The places of these users in the lines in which they wait; 1 is the next one. Costs a step of the
/// index for everybody before each of them.
pub async fn places(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    users: &[String],
) -> Result<HashMap<String, i64>, Error> {
    let sql = each!(
        tx,
        "SELECT w.resource, (SELECT COUNT(*) FROM seat_waits b
                             WHERE b.tenant = $1 AND b.pool = w.pool AND b.place <= w.place)
         FROM seat_waits w
         WHERE w.tenant = $1 AND w.resource IN (SELECT e.value ->> 0 FROM",
        each("$2"),
        ")"
    );
    read(tx.query(sql, &[tenant.into(), rows(users)]).await?)
}

/// How many direct members these groups have. Costs a step of the index for each member.
pub async fn members(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    groups: &[String],
) -> Result<HashMap<String, i64>, Error> {
    let sql = each!(
        tx,
        "SELECT e.value ->> 0, (SELECT COUNT(*) FROM members m
                                WHERE m.tenant = $1 AND m.group_id = e.value ->> 0)
         FROM",
        each("$2"),
        ""
    );
    read(tx.query(sql, &[tenant.into(), rows(groups)]).await?)
}

/// How many of their direct members wait for a seat. Costs a look-up for everybody who waits and each
/// group, whatever the sizes of the groups are.
pub async fn waiting(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    groups: &[String],
) -> Result<HashMap<String, i64>, Error> {
    let sql = each!(
        tx,
        "SELECT e.value ->> 0, (SELECT COUNT(*) FROM seat_waits w
                                WHERE w.tenant = $1 AND EXISTS (
                                    SELECT 1 FROM members m
                                    WHERE m.tenant = $1 AND m.group_id = e.value ->> 0
                                    AND m.member_id = w.resource))
         FROM",
        each("$2"),
        ""
    );
    read(tx.query(sql, &[tenant.into(), rows(groups)]).await?)
}

/// How many resources of a type have each of these values of an indexed attribute. Costs a step of the
/// index for each of them.
pub async fn having(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    (kind, attr): (&str, &str),
    values: &[String],
) -> Result<HashMap<String, i64>, Error> {
    let sql = each!(
        tx,
        "SELECT e.value ->> 0, (SELECT COUNT(*) FROM attr_index i
                                WHERE i.tenant = $1 AND i.kind = $3 AND i.attr = $4
                                AND i.value = e.value ->> 0)
         FROM",
        each("$2"),
        ""
    );
    read(tx.query(sql, &[tenant.into(), rows(values), kind.into(), attr.into()]).await?)
}

fn rows(ids: &[String]) -> Value {
    Value::rows(&ids.iter().map(|id| [id]).collect::<Vec<_>>())
}

fn read(rows: Vec<Row>) -> Result<HashMap<String, i64>, Error> {
    rows.into_iter().map(|mut row| Ok((row.take_text(0)?, row.int(1)?))).collect()
}
