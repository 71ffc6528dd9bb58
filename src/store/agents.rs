//! What the rules of call agents ask that no index answers.

use crate::ids::TenantId;
use crate::store::resources::Stored;
use crate::store::{Dialect, Error, Tx};

/// The first phone extension that nobody has and that is not kept back, by its number.
pub async fn free_extension(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<Option<Stored>, Error> {
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
             ORDER BY length(label), label COLLATE \"C\" LIMIT 1"
        }
    };
    let rows = tx.query(sql, &[tenant.into()]).await?;
    rows.into_iter().next().map(Stored::read).transpose()
}

/// The highest number among the unique values of an attribute that are numbers of 8 digits or fewer.
pub async fn highest(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    kind: &str,
    attr: &str,
) -> Result<Option<i64>, Error> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => {
            "SELECT MAX(CAST(value AS INTEGER)) FROM unique_keys
             WHERE tenant = $1 AND kind = $2 AND attr = $3
             AND length(value) <= 8 AND value NOT GLOB '*[^0-9]*'"
        }
        Dialect::Postgres => {
            "SELECT MAX(CASE WHEN value ~ '^[0-9]{1,8}$' THEN CAST(value AS BIGINT) END)
             FROM unique_keys WHERE tenant = $1 AND kind = $2 AND attr = $3"
        }
    };
    let rows = tx.query(sql, &[tenant.into(), kind.into(), attr.into()]).await?;
    rows.first().map_or(Ok(None), |row| row.maybe_int(0))
}
