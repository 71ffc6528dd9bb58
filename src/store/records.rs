//! The record: events and the provisioning log, one line after the other.

use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::dialect::each;
use crate::store::{Dialect, Error, Row, Tx, Value};

/// A line on its way in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
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

/// A line as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its number: the next line of the tenant has the next one.
    pub seq: i64,
    /// The line.
    pub line: Line,
}

impl Line {
    /// Its columns, behind tenant and number.
    pub(super) fn columns(&self) -> [String; 8] {
        let version = self.version.map(|version| version.to_string()).unwrap_or_default();
        [
            self.at.0.to_string(),
            self.name.clone(),
            self.kind.clone(),
            self.resource.clone(),
            version,
            self.request.clone(),
            self.token.clone(),
            self.detail.clone(),
        ]
    }
}

/// Writes lines in this order.
pub async fn write(tx: &mut Tx<'_>, tenant: &TenantId, lines: &[Line]) -> Result<(), Error> {
    if lines.is_empty() {
        return Ok(());
    }
    let rows: Vec<[String; 8]> = lines.iter().map(Line::columns).collect();
    if tx.dialect() == Dialect::Sqlite {
        return one_by_one(tx, tenant, &rows).await;
    }
    let sql = each!(
        tx,
        "INSERT INTO records
             (tenant, seq, at, name, kind, resource, version, request, token, detail)
         SELECT $1, COALESCE((SELECT MAX(r.seq) FROM records r WHERE r.tenant = $1), 0)
                + ROW_NUMBER() OVER (),
             CAST(e.value ->> 0 AS BIGINT), e.value ->> 1, e.value ->> 2, e.value ->> 3,
             CAST(NULLIF(e.value ->> 4, '') AS BIGINT), e.value ->> 5, e.value ->> 6, e.value ->> 7
         FROM",
        each("$2"),
        ""
    );
    tx.execute(sql, &[tenant.into(), Value::rows(&rows)]).await.map(drop)
}

/// Where a statement costs no round trip, small ones cost less than one that numbers its rows.
async fn one_by_one(tx: &mut Tx<'_>, tenant: &TenantId, rows: &[[String; 8]]) -> Result<(), Error> {
    let sql = "INSERT INTO records
                   (tenant, seq, at, name, kind, resource, version, request, token, detail)
               VALUES ($1, (SELECT COALESCE(MAX(r.seq), 0) + 1 FROM records r WHERE r.tenant = $1),
                   CAST($2 AS BIGINT), $3, $4, $5, CAST(NULLIF($6, '') AS BIGINT), $7, $8, $9)";
    let rows: Vec<[&str; 8]> = rows.iter().map(|row| row.each_ref().map(String::as_str)).collect();
    let rows: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
    tx.execute_each(sql, &[tenant.into()], &rows).await.map(drop)
}

/// Which lines are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Behind this number.
    pub after: i64,
    /// Of this name.
    pub name: Option<String>,
    /// About this resource.
    pub resource: Option<String>,
    /// Of this request.
    pub request: Option<String>,
    /// At most so many.
    pub limit: i64,
}

/// Lines in their order.
pub async fn list(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    wanted: &Wanted,
) -> Result<Vec<Recorded>, Error> {
    let sql = "SELECT seq, at, name, kind, resource, version, request, token, detail FROM records
               WHERE tenant = $1 AND seq > $2
               AND (CAST($3 AS TEXT) IS NULL OR name = $3)
               AND (CAST($4 AS TEXT) IS NULL OR resource = $4)
               AND (CAST($5 AS TEXT) IS NULL OR request = $5)
               ORDER BY seq LIMIT $6";
    let binds = [
        tenant.into(),
        wanted.after.into(),
        wanted.name.as_deref().into(),
        wanted.resource.as_deref().into(),
        wanted.request.as_deref().into(),
        wanted.limit.into(),
    ];
    tx.query(sql, &binds).await?.iter().map(read).collect()
}

/// The number of the last line; 0 where there is none.
pub async fn last(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<i64, Error> {
    let sql = "SELECT COALESCE(MAX(seq), 0) FROM records WHERE tenant = $1";
    tx.query(sql, &[tenant.into()]).await?.first().map_or(Ok(0), |row| row.int(0))
}

/// Forgets lines from before this moment, the oldest ones first; how many went. The last line of a
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

fn read(row: &Row) -> Result<Recorded, Error> {
    let text = |column: usize| row.text(column).map(str::to_owned);
    Ok(Recorded {
        seq: row.int(0)?,
        line: Line {
            at: Micros(row.int(1)?),
            name: text(2)?,
            kind: text(3)?,
            resource: text(4)?,
            version: row.maybe_int(5)?,
            request: text(6)?,
            token: text(7)?,
            detail: text(8)?,
        },
    })
}
