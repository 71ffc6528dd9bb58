//! The record: events and the provisioning log, one line after the other.

use serde_json::Value as Json;

use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::{Dialect, Error, Row, Sql, Tx, Value};

/// What a change of one resource writes into the record: one row, which reads as a line for each entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Micros,
    /// The resource type's name.
    pub kind: String,
    /// The resource's id.
    pub resource: String,
    /// Its version after the change; none where it did not change.
    pub version: Option<i64>,
    /// The request.
    pub request: String,
    /// The token that asked for it.
    pub token: String,
    /// What happened, at least one thing: `seat.consumed` and the like, and what a rule saw before and
    /// after, as JSON text.
    pub entries: Vec<(&'static str, String)>,
}

/// A line as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number: the next line of the tenant has the next one.
    pub seq: i64,
    /// When.
    pub at: Micros,
    /// `seat.consumed` and the like.
    pub name: String,
    /// The resource type's name.
    pub kind: String,
    /// The resource's id.
    pub resource: String,
    /// Its version after the change; none where it did not change.
    pub version: Option<i64>,
    /// The request.
    pub request: String,
    /// The token that asked for it.
    pub token: String,
    /// What a rule saw before and after, as JSON text.
    pub detail: String,
}

impl Change {
    /// Its columns between tenant and number: how many lines it is comes first.
    pub(super) fn columns(&self) -> [String; 9] {
        [
            self.entries.len().to_string(),
            self.at.0.to_string(),
            self.names(),
            self.kind.clone(),
            self.resource.clone(),
            self.version.map(|version| version.to_string()).unwrap_or_default(),
            self.request.clone(),
            self.token.clone(),
            self.details(),
        ]
    }

    /// The names, joined by spaces.
    fn names(&self) -> String {
        self.entries.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
    }

    /// The detail of the only entry, or a list of those of several.
    fn details(&self) -> String {
        match &self.entries[..] {
            [(_, detail)] => detail.clone(),
            several => {
                let details: Vec<&str> = several.iter().map(|(_, detail)| &**detail).collect();
                format!("[{}]", details.join(","))
            }
        }
    }
}

/// Writes changes in this order.
pub async fn write(tx: &mut Tx<'_>, tenant: &TenantId, changes: &[Change]) -> Result<(), Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let rows: Vec<[String; 9]> = changes.iter().map(Change::columns).collect();
    if tx.dialect() == Dialect::Sqlite {
        return one_by_one(tx, tenant, &rows).await;
    }
    let sql = "INSERT INTO records
             (tenant, seq, at, name, kind, resource, version, request, token, detail)
         SELECT $1, COALESCE((SELECT MAX(r.seq) FROM records r WHERE r.tenant = $1), 0)
                + SUM(CAST(e.value ->> 0 AS BIGINT)) OVER (ORDER BY e.place),
             CAST(e.value ->> 1 AS BIGINT), e.value ->> 2, e.value ->> 3, e.value ->> 4,
             CAST(NULLIF(e.value ->> 5, '') AS BIGINT), e.value ->> 6, e.value ->> 7, e.value ->> 8
         FROM jsonb_array_elements($2) WITH ORDINALITY AS e (value, place)";
    tx.execute(sql, &[tenant.into(), Value::rows(&rows)]).await.map(drop)
}

/// Where a statement costs no round trip, small ones cost less than one that numbers its rows.
async fn one_by_one(tx: &mut Tx<'_>, tenant: &TenantId, rows: &[[String; 9]]) -> Result<(), Error> {
    let sql = "INSERT INTO records
                   (tenant, seq, at, name, kind, resource, version, request, token, detail)
               VALUES ($1, (SELECT COALESCE(MAX(r.seq), 0) + CAST($2 AS BIGINT)
                            FROM records r WHERE r.tenant = $1),
                   CAST($3 AS BIGINT), $4, $5, $6, CAST(NULLIF($7, '') AS BIGINT), $8, $9, $10)";
    let rows: Vec<[&str; 9]> = rows.iter().map(|row| row.each_ref().map(String::as_str)).collect();
    let rows: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
    tx.execute_each(sql, &[tenant.into()], &rows).await.map(drop)
}

/// Which lines are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Behind this number.
    pub after: i64,
    /// Of one of these names; of any without one.
    pub names: Vec<String>,
    /// About this resource.
    pub resource: Option<String>,
    /// Of this request.
    pub request: Option<String>,
    /// Of changes that mention one of these words of letters, digits and `_` somewhere; others may come along.
    pub mentions: Vec<String>,
    /// At most so many.
    pub limit: i64,
}

/// Lines in their order.
pub async fn list(tx: &mut Tx<'_>, tenant: &TenantId, wanted: &Wanted) -> Result<Vec<Line>, Error> {
    Ok(until(tx, tenant, wanted, None).await?.0)
}

/// Those among the next `span` lines and the rest of their last change, and the number up to which they
/// are all that are wanted: however few there are, it does not take long.
pub async fn among_next(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    wanted: &Wanted,
    span: i64,
) -> Result<(Vec<Line>, i64), Error> {
    let sql = "SELECT seq FROM records WHERE tenant = $1 AND seq >= $2 ORDER BY seq LIMIT 1";
    let rows = tx.query(sql, &[tenant.into(), (wanted.after + span).into()]).await?;
    let end = match rows.first() {
        Some(row) => row.int(0)?,
        None => last(tx, tenant).await?,
    };
    let (lines, stopped) = until(tx, tenant, wanted, Some(end)).await?;
    Ok((lines, stopped.unwrap_or(end)))
}

/// Up to the change of this number; and the number behind which there may be more, where the limit was
/// reached.
async fn until(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    wanted: &Wanted,
    end: Option<i64>,
) -> Result<(Vec<Line>, Option<i64>), Error> {
    let found = tx.run(&rows(tenant, wanted, end)).await?;
    let most = usize::try_from(wanted.limit).unwrap_or_default();
    let mut lines = Vec::new();
    for row in &found {
        lines.extend(read(row)?);
    }
    let mut stopped = lines.last().filter(|_| found.len() > most).map(|line| line.seq);
    let names = &wanted.names;
    let is_named = |line: &Line| names.is_empty() || names.contains(&line.name);
    lines.retain(|line| line.seq > wanted.after && is_named(line));
    if lines.len() > most {
        lines.truncate(most);
        stopped = lines.last().map(|line| line.seq);
    }
    Ok((lines, stopped))
}

/// The changes with such lines. A row has the number of its last line.
fn rows(tenant: &TenantId, wanted: &Wanted, end: Option<i64>) -> Sql {
    let mut sql = Sql::new(
        "SELECT seq, at, name, kind, resource, version, request, token, detail FROM records
         WHERE tenant = ",
    );
    sql.bind(tenant).push(" AND seq > ").bind(wanted.after);
    if let Some(end) = end {
        sql.push(" AND seq <= ").bind(end);
    }
    let names = wanted.names.iter().map(|name| format!("% {name} %")).collect();
    any_like(&mut sql, "' ' || name || ' '", names);
    let mentions = wanted.mentions.iter().map(|word| format!("%{word}%")).collect();
    any_like(&mut sql, "detail", mentions);
    for (column, text) in [("resource", &wanted.resource), ("request", &wanted.request)] {
        if let Some(text) = text {
            sql.push(&format!(" AND {column} = ")).bind(text);
        }
    }
    // Of the first one, the lines behind the number may be others than those that are wanted.
    sql.push(" ORDER BY seq LIMIT ").bind(wanted.limit + 1);
    sql
}

/// Appends that a text is like one of these patterns, with AND before; nothing without one.
fn any_like(sql: &mut Sql, text: &str, patterns: Vec<String>) {
    let some = !patterns.is_empty();
    for (place, pattern) in patterns.into_iter().enumerate() {
        sql.push(if place == 0 { " AND (" } else { " OR " });
        sql.push(text).push(" LIKE ").bind(pattern);
    }
    if some {
        sql.push(")");
    }
}

/// The number of the last line; 0 where there is none.
pub async fn last(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<i64, Error> {
    let sql = "SELECT COALESCE(MAX(seq), 0) FROM records WHERE tenant = $1";
    tx.query(sql, &[tenant.into()]).await?.first().map_or(Ok(0), |row| row.int(0))
}

/// Forgets changes from before this moment, the oldest ones first; how many went. The last one of a
/// tenant stays, so that no number is given twice.
pub async fn forget(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    before: Micros,
    most: i64,
) -> Result<u64, Error> {
    let sql = "DELETE FROM records WHERE tenant = $1 AND seq IN (
                   SELECT r.seq FROM records r
                   WHERE r.tenant = $1 AND r.at < $2
                   AND r.seq < (SELECT MAX(l.seq) FROM records l WHERE l.tenant = $1)
                   AND r.seq < (SELECT MIN(f.seq) FROM records f WHERE f.tenant = $1) + $3)";
    tx.execute(sql, &[tenant.into(), before.into(), most.into()]).await
}

/// The lines of a row.
fn read(row: &Row) -> Result<Vec<Line>, Error> {
    let text = |column: usize| row.text(column).map(str::to_owned);
    let names: Vec<&str> = row.text(2)?.split(' ').collect();
    let mut details = vec![text(8)?];
    if names.len() > 1 {
        let several: Vec<Json> = serde_json::from_str(row.text(8)?)
            .map_err(|error| Error::Database(format!("a line of the record: {error}")))?;
        details = several.iter().map(Json::to_string).collect();
    }
    let last = row.int(0)?;
    let lines = names.iter().zip(details).rev().zip(0..).map(|((name, detail), back)| {
        Ok(Line {
            seq: last - back,
            at: Micros(row.int(1)?),
            name: (*name).to_owned(),
            kind: text(3)?,
            resource: text(4)?,
            version: row.maybe_int(5)?,
            request: text(6)?,
            token: text(7)?,
            detail,
        })
    });
    let mut lines = lines.collect::<Result<Vec<Line>, Error>>()?;
    lines.reverse();
    Ok(lines)
}
