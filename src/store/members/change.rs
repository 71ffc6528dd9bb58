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

impl Changed {
    fn is_any(&self) -> bool {
        self.added + self.removed > 0
    }
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
        Dialect::Postgres => at_once(tx, group, expected, &lists, now).await,
    }
}

async fn at_once(
    tx: &mut Tx<'_>,
    group: Key<'_>,
    expected: Expected<'_>,
    lists: &Lists<'_>,
    now: Micros,
) -> Result<Outcome, Error> {
    let mut binds = vec![
        group.tenant.into(),
        group.kind.into(),
        group.id.into(),
        expected.version.into(),
        expected.doc.into(),
        now.into(),
    ];
    let mut bind = |ids: &[&str]| binds.push(Value::texts(ids.iter().copied()));
    let sql = if lists.remove.is_empty() {
        bind(&lists.add);
        ADD
    } else if lists.add.is_empty() && lists.both.is_empty() {
        bind(&lists.remove);
        REMOVE
    } else {
        bind(&lists.add);
        bind(&lists.both);
        bind(&lists.remove);
        CHANGE
    };
    let wrote = |rows: &[Row]| matches!(outcome(rows), Ok(Outcome::Done(done)) if done.is_any());
    let rows = tx.change(sql, &binds, wrote).await?;
    outcome(&rows)
}

fn outcome(rows: &[Row]) -> Result<Outcome, Error> {
    let Some(row) = rows.first() else { return Ok(Outcome::Unexpected) };
    if row.int(0)? > 0 {
        return Ok(Outcome::Nested);
    }
    let count = |column| row.int(column).map(|count| u64::try_from(count).unwrap_or_default());
    let unknown = row.maybe_text(5)?.map(serde_json::from_str::<Vec<String>>).transpose();
    let mut unknown =
        unknown.map_err(|error| Error::Database(error.to_string()))?.unwrap_or_default();
    unknown.sort_unstable();
    Ok(Outcome::Done(Changed {
        version: row.int(1)?,
        modified: Micros(row.int(2)?),
        added: count(3)?,
        removed: count(4)?,
        unknown,
    }))
}

/// The parts of the statements. Each row is found by its whole key, whatever the server believes of
/// the table's size.
macro_rules! found {
    () => {
        "WITH found AS MATERIALIZED (
             SELECT version, modified_at FROM resources
             WHERE tenant = $1 AND kind = $2 AND id = $3
                 AND ($4::BIGINT IS NULL OR version = $4) AND ($5::TEXT IS NULL OR doc = $5)
         ), "
    };
}

/// New members: 1 is a user, 2 a group.
macro_rules! known {
    ($ids:literal) => {
        concat!(
            "known AS MATERIALIZED (
                 SELECT e.id, e.comes, COALESCE(
                     (SELECT 1 FROM resources r
                      WHERE r.tenant = $1 AND r.kind = 'User' AND r.id = e.id),
                     (SELECT 2 FROM resources r
                      WHERE r.tenant = $1 AND r.kind = 'Group' AND r.id = e.id)) AS what
                 FROM (",
            $ids,
            ") AS e
             ), came AS (
                 INSERT INTO members (tenant, group_id, member_id, member_kind)
                 SELECT $1, $3, k.id, 'User' FROM known k
                 WHERE k.comes = 1 AND k.what = 1 AND EXISTS (SELECT FROM found)
                     AND NOT EXISTS (SELECT FROM known n WHERE n.what = 2)
                 ON CONFLICT DO NOTHING RETURNING 1
             ), "
        )
    };
}

macro_rules! went {
    ($ids:literal, $unless:literal) => {
        concat!(
            "went AS (
                 DELETE FROM members WHERE ctid = ANY (ARRAY(
                     SELECT edge.ctid FROM UNNEST(",
            $ids,
            ") AS e (id)
                     CROSS JOIN LATERAL (
                         SELECT m.ctid FROM members m
                         WHERE m.tenant = $1 AND m.group_id = $3 AND m.member_id = e.id
                         LIMIT 1) edge
                     WHERE EXISTS (SELECT FROM found) ",
            $unless,
            "))
                 RETURNING 1
             ), "
        )
    };
}

/// The count of the version, and the answer.
macro_rules! counted {
    ($when:literal, $answer:literal) => {
        concat!(
            "counted AS (
                 UPDATE resources SET version = version + 1,
                     modified_at = GREATEST(modified_at, $6)
                 WHERE tenant = $1 AND kind = $2 AND id = $3 AND (",
            $when,
            ")
                 RETURNING version, modified_at
             )
             SELECT ",
            $answer,
            " FROM found f LEFT JOIN counted c ON TRUE"
        )
    };
}

const ADD: &str = concat!(
    found!(),
    known!("SELECT a.id, 1 AS comes FROM UNNEST($7::TEXT[]) AS a (id)"),
    counted!(
        "EXISTS (SELECT FROM came)",
        "(SELECT COUNT(*) FROM known k WHERE k.what = 2),
         COALESCE(c.version, f.version), COALESCE(c.modified_at, f.modified_at),
         (SELECT COUNT(*) FROM came), 0::BIGINT,
         (SELECT CAST(JSONB_AGG(k.id) AS TEXT) FROM known k WHERE k.what IS NULL)"
    )
);

const REMOVE: &str = concat!(
    found!(),
    went!("$7::TEXT[]", ""),
    counted!(
        "EXISTS (SELECT FROM went)",
        "0::BIGINT, COALESCE(c.version, f.version), COALESCE(c.modified_at, f.modified_at),
         0::BIGINT, (SELECT COUNT(*) FROM went), NULL::TEXT"
    )
);

/// What one part of the statement writes no other part sees: that is why nobody may come and go.
const CHANGE: &str = concat!(
    found!(),
    known!(
        "SELECT a.id, 1 AS comes FROM UNNEST($7::TEXT[]) AS a (id)
         UNION ALL SELECT b.id, 0 FROM UNNEST($8::TEXT[]) AS b (id)"
    ),
    went!("$9::TEXT[]", "AND NOT EXISTS (SELECT FROM known n WHERE n.what = 2)"),
    counted!(
        "EXISTS (SELECT FROM came) OR EXISTS (SELECT FROM went)",
        "(SELECT COUNT(*) FROM known k WHERE k.what = 2),
         COALESCE(c.version, f.version), COALESCE(c.modified_at, f.modified_at),
         (SELECT COUNT(*) FROM came), (SELECT COUNT(*) FROM went),
         (SELECT CAST(JSONB_AGG(k.id) AS TEXT) FROM known k WHERE k.what IS NULL)"
    )
);

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
    if changed.is_any() {
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
