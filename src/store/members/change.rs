//! Members that come and go by their ids, with the group's version: all that most changes of a group
//! are, in one round trip.

use std::collections::{BTreeSet, HashSet};

use super::MEMBER_KINDS;
use crate::clock::Micros;
use crate::store::resources::{GROUP, Key, labels};
use crate::store::{Dialect, Error, Row, Tx, Value};

/// Who comes and who goes. Whoever is in both lists is looked up and is no member afterwards.
#[derive(Debug, Clone, Copy, Default)]
pub struct Difference<'a> {
    /// The new members.
    pub add: &'a [String],
    /// Those who leave.
    pub remove: &'a [String],
}

/// What a group must be like, or nothing is done.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected<'a> {
    /// Its version.
    pub version: Option<i64>,
    /// Its document.
    pub doc: Option<&'a str>,
}

/// What became of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done(Changed),
    /// Nothing is written: there is no such group, or it is not as expected.
    Unexpected,
    /// Nothing is written: a new member is a group, for [`add()`](super::add()) to look at.
    Nested,
}

/// The group after the change. Where nobody came or went it is as before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its version.
    pub version: i64,
    /// When it was last changed.
    pub modified: Micros,
    /// How many were not members before and are now.
    pub added: u64,
    /// How many were members and are no more.
    pub removed: u64,
    /// Ids of no user and no group among the new members, in order.
    pub unknown: Vec<String>,
}

/// The lists without what is in both, each id once, in the order of the table: neighbours go into
/// one page.
struct Lists<'a> {
    add: Vec<&'a str>,
    remove: Vec<&'a str>,
    /// Whoever comes and goes at once.
    both: Vec<&'a str>,
}

impl<'a> Lists<'a> {
    fn of(difference: Difference<'a>) -> Self {
        let set = |ids: &'a [String]| ids.iter().map(String::as_str).collect::<BTreeSet<_>>();
        let (add, remove) = (set(difference.add), set(difference.remove));
        Self {
            add: add.difference(&remove).copied().collect(),
            both: add.intersection(&remove).copied().collect(),
            remove: remove.into_iter().collect(),
        }
    }
}

/// Changes the members of a group by their ids and counts the change, all or nothing. Its cost does
/// not depend on the group's size.
pub async fn change(
    tx: &mut Tx<'_>,
    group: Key<'_>,
    expected: Expected<'_>,
    difference: Difference<'_>,
    now: Micros,
) -> Result<Outcome, Error> {
    let lists = Lists::of(difference);
    match tx.dialect() {
        Dialect::Sqlite => step_by_step(tx, group, expected, &lists, now).await,
        Dialect::Postgres => {
            let texts = |ids: &[&str]| Value::texts(ids.iter().copied());
            let binds = [
                group.tenant.into(),
                group.kind.into(),
                group.id.into(),
                expected.version.into(),
                expected.doc.into(),
                now.into(),
                texts(&lists.add),
                texts(&lists.both),
                texts(&lists.remove),
            ];
            let rows = tx.change(CHANGE, &binds, |rows| {
                matches!(outcome(rows), Ok(Outcome::Done(done)) if done.added + done.removed > 0)
            });
            outcome(&rows.await?)
        }
    }
}

/// The first row is about the group, the others give an unknown member each.
fn outcome(rows: &[Row]) -> Result<Outcome, Error> {
    let Some((group, unknown)) = rows.split_first() else { return Ok(Outcome::Unexpected) };
    if group.int(0)? == 1 {
        return Ok(Outcome::Nested);
    }
    let count = |column| group.int(column).map(|count| u64::try_from(count).unwrap_or_default());
    let unknown = unknown.iter().map(|row| row.text(5).map(str::to_owned));
    let mut unknown = unknown.collect::<Result<Vec<_>, _>>()?;
    unknown.sort_unstable();
    Ok(Outcome::Done(Changed {
        version: group.int(1)?,
        modified: Micros(group.int(2)?),
        added: count(3)?,
        removed: count(4)?,
        unknown,
    }))
}

/// Each row is found by its whole key, whatever the server believes of the table's size. What one
/// part of the statement writes no other part sees: that is why nobody may come and go in it.
const CHANGE: &str = "
WITH found AS MATERIALIZED (
    SELECT version, modified_at FROM resources
    WHERE tenant = $1 AND kind = $2 AND id = $3
        AND ($4::BIGINT IS NULL OR version = $4) AND ($5::TEXT IS NULL OR doc = $5)
), known AS MATERIALIZED (
    SELECT e.id, e.comes,
        (SELECT 1 FROM resources r
         WHERE r.tenant = $1 AND r.kind = 'User' AND r.id = e.id) AS a_user,
        (SELECT 1 FROM resources r
         WHERE r.tenant = $1 AND r.kind = 'Group' AND r.id = e.id) AS a_group
    FROM (SELECT a.id, 1 AS comes FROM UNNEST($7::TEXT[]) AS a (id)
          UNION ALL
          SELECT b.id, 0 FROM UNNEST($8::TEXT[]) AS b (id)) AS e
    WHERE EXISTS (SELECT FROM found)
), free AS MATERIALIZED (
    SELECT FROM found WHERE NOT EXISTS (SELECT FROM known k WHERE k.a_group = 1)
), came AS (
    INSERT INTO members (tenant, group_id, member_id, member_kind)
    SELECT $1, $3, k.id, 'User' FROM known k
    WHERE k.comes = 1 AND k.a_user = 1 AND EXISTS (SELECT FROM free)
    ON CONFLICT DO NOTHING RETURNING 1
), went AS (
    DELETE FROM members WHERE ctid = ANY (ARRAY(
        SELECT edge.ctid FROM UNNEST($9::TEXT[]) AS e (id)
        CROSS JOIN LATERAL (
            SELECT m.ctid FROM members m
            WHERE m.tenant = $1 AND m.group_id = $3 AND m.member_id = e.id
            LIMIT 1) edge
        WHERE EXISTS (SELECT FROM free)))
    RETURNING 1
), counted AS (
    UPDATE resources SET version = version + 1, modified_at = GREATEST(modified_at, $6)
    WHERE tenant = $1 AND kind = $2 AND id = $3
        AND (EXISTS (SELECT FROM came) OR EXISTS (SELECT FROM went))
    RETURNING version, modified_at
)
SELECT CASE WHEN EXISTS (SELECT FROM free) THEN 0::BIGINT ELSE 1::BIGINT END,
    COALESCE((SELECT version FROM counted), f.version),
    COALESCE((SELECT modified_at FROM counted), f.modified_at),
    (SELECT COUNT(*) FROM came), (SELECT COUNT(*) FROM went), NULL::TEXT
FROM found f
UNION ALL
SELECT 0, 0, 0, 0, 0, k.id FROM known k WHERE k.a_user IS NULL AND k.a_group IS NULL";

/// The same without a wire between, where small statements cost less.
async fn step_by_step(
    tx: &mut Tx<'_>,
    group: Key<'_>,
    expected: Expected<'_>,
    lists: &Lists<'_>,
    now: Micros,
) -> Result<Outcome, Error> {
    let rows = tx
        .query(
            "SELECT version, modified_at FROM resources
             WHERE tenant = $1 AND kind = $2 AND id = $3
                 AND ($4 IS NULL OR version = $4) AND ($5 IS NULL OR doc = $5)",
            &[
                group.tenant.into(),
                group.kind.into(),
                group.id.into(),
                expected.version.into(),
                expected.doc.into(),
            ],
        )
        .await?;
    let Some(found) = rows.first() else { return Ok(Outcome::Unexpected) };
    let (version, modified) = (found.int(0)?, Micros(found.int(1)?));
    let wanted: Vec<String> =
        lists.add.iter().chain(&lists.both).copied().map(str::to_owned).collect();
    let kinds = labels(tx, group.tenant, &MEMBER_KINDS, &wanted).await?;
    if kinds.values().any(|(kind, _)| kind == GROUP) {
        return Ok(Outcome::Nested);
    }
    let mut unknown: Vec<String> = wanted;
    unknown.retain(|id| !kinds.contains_key(id));
    unknown.sort_unstable();
    let nobody: HashSet<&str> = unknown.iter().map(String::as_str).collect();
    let edge = [group.tenant.into(), group.id.into()];
    let come: Vec<&str> = lists.add.iter().filter(|id| !nobody.contains(**id)).copied().collect();
    let sql = "INSERT INTO members (tenant, group_id, member_id, member_kind)
               VALUES ($1, $2, $3, 'User') ON CONFLICT DO NOTHING";
    let added = each(tx, sql, &edge, &come).await?;
    let sql = "DELETE FROM members WHERE tenant = $1 AND group_id = $2 AND member_id = $3";
    let removed = each(tx, sql, &edge, &lists.remove).await?;
    let mut changed = Changed { version, modified, added, removed, unknown };
    if added + removed > 0 {
        let rows = tx
            .query(
                "UPDATE resources SET version = version + 1, modified_at = MAX(modified_at, $4)
                 WHERE tenant = $1 AND kind = $2 AND id = $3 RETURNING version, modified_at",
                &[group.tenant.into(), group.kind.into(), group.id.into(), now.into()],
            )
            .await?;
        let counted = rows.first().ok_or_else(|| Error::Again("the group went".to_owned()))?;
        (changed.version, changed.modified) = (counted.int(0)?, Micros(counted.int(1)?));
    }
    Ok(Outcome::Done(changed))
}

async fn each(
    tx: &mut Tx<'_>,
    sql: &'static str,
    edge: &[Value],
    ids: &[&str],
) -> Result<u64, Error> {
    if ids.is_empty() {
        return Ok(0);
    }
    let rows: Vec<&[&str]> = ids.iter().map(std::slice::from_ref).collect();
    tx.execute_each(sql, edge, &rows).await
}
