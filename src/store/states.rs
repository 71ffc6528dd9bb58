//! The states that resources of a tenant are in (scim/state.rs): few, and found by the index of states.

use crate::ids::TenantId;
use crate::scim::state;
use crate::store::{Dialect, Error, Sql, Tx};

/// All of a type: a step along the index for each of them.
pub(super) async fn all(tx: &mut Tx<'_>, tenant: &str, kind: &str) -> Result<Vec<String>, Error> {
    let sql = "WITH RECURSIVE s (state) AS (
                   SELECT MIN(r.state) FROM resources r WHERE r.tenant = $1 AND r.kind = $2
                   UNION ALL
                   SELECT (SELECT MIN(r.state) FROM resources r
                           WHERE r.tenant = $1 AND r.kind = $2 AND r.state > s.state)
                   FROM s WHERE s.state IS NOT NULL)
               SELECT s.state FROM s WHERE s.state IS NOT NULL";
    let mut rows = tx.query(sql, &[tenant.into(), kind.into()]).await?;
    rows.iter_mut().map(|row| row.take_text(0)).collect()
}

/// Those of users with such a value of this name, `lifecycle` for one.
pub(super) async fn of_users(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    name: &str,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<String>, Error> {
    let mut states = all(tx, &tenant.to_string(), "User").await?;
    states.retain(|known| state::value(known, name).is_some_and(|value| wanted(&value)));
    Ok(states)
}

/// The column `state` of a row `r`, so that no planner looks rows up by it where something else names the
/// few that are wanted.
pub(super) fn looked_at(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "+r.state",
        Dialect::Postgres => "(r.state || '')",
    }
}

/// Appends that a column is one of these texts, with AND before.
pub(super) fn among(sql: &mut Sql, column: &str, texts: &[String]) {
    if texts.is_empty() {
        sql.push(" AND 1 = 0");
        return;
    }
    sql.push(&format!(" AND {column} IN ("));
    for (place, text) in texts.iter().enumerate() {
        sql.push(if place == 0 { "" } else { ", " }).bind(text);
    }
    sql.push(")");
}
