//! A page of resources under a condition.

use super::Stored;
use crate::ids::TenantId;
use crate::store::{Error, Sql, Tx};

/// Appends an expression over the alias `r` (a row of `resources`) for resources of this kind.
pub type Clause<'a> = &'a dyn Fn(&mut Sql, &str);

/// What to list, and how much of it.
#[derive(Clone, Copy, Default)]
pub struct Page<'a> {
    /// A boolean expression.
    pub condition: Option<Clause<'a>>,
    /// The list after ORDER BY, ending with `r.id`; by id without it, which is the order of creation.
    pub order: Option<Clause<'a>>,
    /// How many to leave out before.
    pub skip: u64,
    /// How many at most.
    pub count: u64,
}

/// Lists resources, kind after kind: how many there are in all, and those of the page.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    kinds: &[&str],
    page: &Page<'_>,
) -> Result<(u64, Vec<Stored>), Error> {
    let mut total = 0;
    let mut found: Vec<Stored> = Vec::new();
    for kind in kinds {
        let room = page.count.saturating_sub(found.len() as u64);
        let skip = page.skip.saturating_sub(total);
        let here = if room > 0 {
            rows(tx, tenant, kind, &Page { skip, count: room, ..*page }).await?
        } else {
            Vec::new()
        };
        let got = here.len() as u64;
        // A page that is neither empty nor full ends where its kind ends.
        total += if got < room && (got > 0 || skip == 0) {
            skip + got
        } else {
            count(tx, tenant, kind, page).await?
        };
        found.extend(here);
    }
    Ok((total, found))
}

async fn rows(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    kind: &str,
    page: &Page<'_>,
) -> Result<Vec<Stored>, Error> {
    let mut sql =
        Sql::new("SELECT r.kind, r.id, r.doc, r.label, r.version, r.created_at, r.modified_at");
    from(&mut sql, tenant, kind, page);
    sql.push(" ORDER BY ");
    match page.order {
        Some(order) => order(&mut sql, kind),
        None => {
            sql.push("r.id");
        }
    }
    let bounded = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    sql.push(" LIMIT ").bind(bounded(page.count)).push(" OFFSET ").bind(bounded(page.skip));
    tx.run(&sql).await?.iter().map(Stored::read).collect()
}

async fn count(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    kind: &str,
    page: &Page<'_>,
) -> Result<u64, Error> {
    let mut sql = Sql::new("SELECT COUNT(*)");
    from(&mut sql, tenant, kind, page);
    let rows = tx.run(&sql).await?;
    let counted = rows.first().map_or(Ok(0), |row| row.int(0))?;
    Ok(u64::try_from(counted).unwrap_or(0))
}

fn from(sql: &mut Sql, tenant: &TenantId, kind: &str, page: &Page<'_>) {
    sql.push(" FROM resources r WHERE r.tenant = ").bind(tenant);
    sql.push(" AND r.kind = ").bind(kind);
    if let Some(condition) = page.condition {
        sql.push(" AND (");
        condition(sql, kind);
        sql.push(")");
    }
}
