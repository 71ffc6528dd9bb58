//! A page of resources under a condition.

use super::Stored;
use crate::ids::TenantId;
use crate::store::{Dialect, Error, Sql, Tx};

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

/// One resource type's part of a list that has one order.
pub struct Part<'a> {
    /// The resource type's name.
    pub kind: &'a str,
    /// A boolean expression over `r`.
    pub condition: Option<Clause<'a>>,
    /// The value to sort by, over `r`.
    pub key: Clause<'a>,
}

/// The order of such a list, and how much of it is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// Whether the values are texts.
    pub texts: bool,
    /// Whether it goes from high to low; what has no value then comes first.
    pub descending: bool,
    /// How many to leave out before.
    pub skip: u64,
    /// How many at most.
    pub count: u64,
}

/// Lists resources of several types in one order: how many there are in all, and those of the page.
pub async fn list_sorted(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    parts: &[Part<'_>],
    order: Order,
) -> Result<(u64, Vec<Stored>), Error> {
    let mut total = 0;
    let mut sql = Sql::new(
        "SELECT x.kind, x.id, x.doc, x.label, x.version, x.created_at, x.modified_at FROM (",
    );
    for (number, part) in parts.iter().enumerate() {
        let page = Page { condition: part.condition, ..Page::default() };
        total += count(tx, tenant, part.kind, &page).await?;
        sql.push(if number == 0 { "" } else { " UNION ALL " });
        sql.push("SELECT r.kind, r.id, r.doc, r.label, r.version, r.created_at, r.modified_at, ");
        (part.key)(&mut sql, part.kind);
        sql.push(" AS sort_key");
        from(&mut sql, tenant, part.kind, &page);
    }
    let key = if order.texts {
        tx.dialect().by_code_point("x.sort_key")
    } else {
        "x.sort_key".to_owned()
    };
    sql.push(") x ORDER BY ").push(&key);
    sql.push(if order.descending { " DESC NULLS FIRST, x.id" } else { " ASC NULLS LAST, x.id" });
    limit(&mut sql, order.count, order.skip);
    let rows = tx.run(&sql).await?;
    Ok((total, rows.into_iter().map(Stored::read).collect::<Result<_, _>>()?))
}

fn limit(sql: &mut Sql, count: u64, skip: u64) {
    let bounded = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    sql.push(" LIMIT ").bind(bounded(count)).push(" OFFSET ").bind(bounded(skip));
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
            sql.push(by_id(tx.dialect(), page.condition.is_some()));
        }
    }
    limit(&mut sql, page.count, page.skip);
    tx.run(&sql).await?.into_iter().map(Stored::read).collect()
}

/// The order of creation. With a condition PostgreSQL is kept from walking all ids in order instead
/// of looking up the few that the condition names.
fn by_id(dialect: Dialect, filtered: bool) -> &'static str {
    match dialect {
        Dialect::Postgres if filtered => "r.id || ''",
        Dialect::Sqlite | Dialect::Postgres => "r.id",
    }
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
