//! What the rules of call agents ask: numbers and extensions that nobody has.

use crate::ids::TenantId;
use crate::store::resources::Stored;
use crate::store::{Dialect, Error, Tx};

/// The first phone extension that nobody has and that is not kept back, by its number.
pub async fn free_extension(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<Option<Stored>, Error> {
    // The conditions and the order of the index `resources_free_extensions`, to the letter.
    let sql = match tx.dialect() {
        Dialect::Sqlite => {
            "SELECT kind, id, doc, label, version, created_at, modified_at FROM resources
             WHERE tenant = $1 AND kind = 'PhoneExtension' AND folded -> 'agent' IS NULL
             AND folded -> 'user' IS NULL AND COALESCE(folded ->> 'reserved', 0) = 0
             ORDER BY length(label), label LIMIT 1"
        }
        Dialect::Postgres => {
            "SELECT kind, id, doc, label, version, created_at, modified_at FROM resources
             WHERE tenant = $1 AND kind = 'PhoneExtension' AND folded -> 'agent' IS NULL
             AND folded -> 'user' IS NULL AND COALESCE(folded ->> 'reserved', '0') = '0'
             ORDER BY length(label), label LIMIT 1"
        }
    };
    let rows = tx.query(sql, &[tenant.into()]).await?;
    rows.into_iter().next().map(Stored::read).transpose()
}

/// The highest of the numbers of so many digits or fewer among the unique values of an attribute, which is
/// the `agentNumber` of a call agent or the `number` of a phone extension. Of 8 digits at most.
pub async fn highest(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    (kind, attr): (&str, &str),
    digits: i64,
) -> Result<Option<i64>, Error> {
    // The conditions of the index `unique_numbers`, to the letter; a result named `value` would be what
    // PostgreSQL sorts by.
    let sql = match tx.dialect() {
        Dialect::Sqlite => {
            "SELECT CAST(value AS INTEGER) AS highest FROM unique_keys
             WHERE tenant = $1 AND kind = $2 AND attr = $3 AND length(value) <= $4
             AND attr IN ('agentNumber', 'number')
             AND value GLOB '[1-9]*' AND value NOT GLOB '*[^0-9]*' AND length(value) <= 8
             ORDER BY length(value) DESC, value DESC LIMIT 1"
        }
        Dialect::Postgres => {
            "SELECT CAST(value AS BIGINT) AS highest FROM unique_keys
             WHERE tenant = $1 AND kind = $2 AND attr = $3 AND length(value) <= $4
             AND attr IN ('agentNumber', 'number') AND value ~ '^[1-9][0-9]{0,7}$'
             ORDER BY length(value) DESC, value DESC LIMIT 1"
        }
    };
    let binds = [tenant.into(), kind.into(), attr.into(), digits.into()];
    let rows = tx.query(sql, &binds).await?;
    rows.first().map_or(Ok(None), |row| row.maybe_int(0))
}
