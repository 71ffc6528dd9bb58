//! The end of a resource.

use super::entries::{self, Entries};
use super::{GROUP, Key};
use crate::clock::Micros;
use crate::store::dialect::each;
use crate::store::{Dialect, Error, Tx, Value};

/// Removes a resource with all that hangs on it; false when there is none. The groups that held it
/// count a change.
pub async fn delete(
    tx: &mut Tx<'_>,
    key: Key<'_>,
    entries: &Entries,
    now: Micros,
) -> Result<bool, Error> {
    let gone = match tx.dialect() {
        Dialect::Sqlite => step_by_step(tx, key, entries, now).await?,
        Dialect::Postgres => {
            let mut binds = vec![key.tenant.into(), key.kind.into(), key.id.into(), now.into()];
            entries::bind(&mut binds, &entries.index.iter().collect::<Vec<_>>());
            entries::bind(&mut binds, &entries.unique.iter().collect::<Vec<_>>());
            tx.execute(DELETE, &binds).await? == 1
        }
    };
    if gone {
        tx.count(key.tenant, key.kind, key.id, -1);
    }
    Ok(gone)
}

/// One statement, so one round trip. Each row is found by its whole key, whatever the server
/// believes of the table's size.
const DELETE: &str = "
WITH found AS MATERIALIZED (
    SELECT id FROM resources WHERE tenant = $1 AND kind = $2 AND id = $3
), parted AS (
    DELETE FROM members m
    WHERE m.tenant = $1 AND m.member_id = $3 AND EXISTS (SELECT FROM found)
    RETURNING m.group_id
), counted AS (
    UPDATE resources SET version = version + 1, modified_at = GREATEST(modified_at, $4)
    WHERE tenant = $1 AND kind = 'Group' AND id = ANY (ARRAY(SELECT p.group_id FROM parted p))
), emptied AS (
    DELETE FROM members m
    WHERE m.tenant = $1 AND m.group_id = $3 AND EXISTS (SELECT FROM found)
), forgotten AS (
    DELETE FROM passwords p
    WHERE p.tenant = $1 AND p.resource = $3 AND EXISTS (SELECT FROM found)
), hidden AS (
    DELETE FROM attr_index WHERE ctid = ANY (ARRAY(
        SELECT found.ctid FROM UNNEST($5::TEXT[], $6::TEXT[]) AS e (attr, value)
        CROSS JOIN LATERAL (
            SELECT i.ctid FROM attr_index i
            WHERE i.tenant = $1 AND i.kind = $2 AND i.attr = e.attr
                AND i.value = e.value AND i.resource = $3
            LIMIT 1) found))
), released AS (
    DELETE FROM unique_keys WHERE ctid = ANY (ARRAY(
        SELECT found.ctid FROM UNNEST($7::TEXT[], $8::TEXT[]) AS e (attr, value)
        CROSS JOIN LATERAL (
            SELECT k.ctid FROM unique_keys k
            WHERE k.tenant = $1 AND k.kind = $2 AND k.attr = e.attr
                AND k.value = e.value AND k.resource = $3
            LIMIT 1) found))
)
DELETE FROM resources WHERE tenant = $1 AND kind = $2 AND id = $3";

async fn step_by_step(
    tx: &mut Tx<'_>,
    key: Key<'_>,
    entries: &Entries,
    now: Micros,
) -> Result<bool, Error> {
    let short = [key.tenant.into(), key.id.into()];
    let sql = "DELETE FROM members WHERE tenant = $1 AND member_id = $2 RETURNING group_id";
    let parted = tx.query(sql, &short).await?;
    let groups =
        parted.iter().map(|row| row.text(0).map(|id| [id])).collect::<Result<Vec<_>, _>>()?;
    if !groups.is_empty() {
        tx.execute(
            each!(
                tx,
                "UPDATE resources SET version = version + 1,
                     modified_at = CASE WHEN modified_at > $3 THEN modified_at ELSE $3 END
                 WHERE tenant = $1 AND kind = 'Group' AND id IN (SELECT e.value ->> 0 FROM",
                each("$2"),
                ")"
            ),
            &[key.tenant.into(), Value::rows(&groups), now.into()],
        )
        .await?;
    }
    if key.kind == GROUP {
        tx.execute("DELETE FROM members WHERE tenant = $1 AND group_id = $2", &short).await?;
    }
    tx.execute("DELETE FROM passwords WHERE tenant = $1 AND resource = $2", &short).await?;
    entries::hide(tx, key, &entries.index.iter().collect::<Vec<_>>()).await?;
    entries::release(tx, key, &entries.unique.iter().collect::<Vec<_>>()).await?;
    let sql = "DELETE FROM resources WHERE tenant = $1 AND kind = $2 AND id = $3";
    let whole = [key.tenant.into(), key.kind.into(), key.id.into()];
    Ok(tx.execute(sql, &whole).await? == 1)
}
