//! Many look-ups as one statement of PostgreSQL.

use std::collections::HashMap;

use sqlx::postgres::PgConnection;

use super::{Ask, By, Found};
use crate::store::members::{DEPTH, Membership};
use crate::store::postgres::query;
use crate::store::resources::Stored;
use crate::store::retry::Broken;
use crate::store::{Error, Row, Value};

/// The answers in the order of the questions, each by id; all of one moment. A second statement tells
/// all anew where a group is in a group.
///
/// Whatever could be planned as a join of whole tables is fenced in by LATERAL and LIMIT or OFFSET:
/// a young table has no statistics, and a plan that was made when it was small is kept.
pub(in crate::store) async fn together(
    connection: &mut PgConnection,
    asks: &[&Ask],
) -> Result<Vec<Vec<Found>>, Broken> {
    let rows = match shape(asks) {
        Shape::Ids => {
            let binds = [tenants(asks), kinds(asks), values(asks), groups(asks)];
            query(connection, IDS, &binds).await?
        }
        Shape::Values => {
            let binds =
                [tenants(asks), kinds(asks), values(asks), groups(asks), attrs(asks), most(asks)];
            query(connection, VALUES, &binds).await?
        }
        Shape::Any => query(connection, ANY, &columns(asks)).await?,
    };
    // Most groups are in no group, and to ask for those at once costs as much as all the rest.
    let is_nested = |row: &Row| Ok(row.int(0)? < 0 && row.int(5)? == NESTED);
    let nested = rows.iter().map(is_nested).collect::<Result<Vec<bool>, Error>>();
    if !nested.map_err(Broken::kept)?.contains(&true) {
        return told(asks, rows).map_err(Broken::kept);
    }
    let mut binds = columns(asks);
    binds.push(DEPTH.into());
    told(asks, query(connection, DEEP, &binds).await?).map_err(Broken::kept)
}

/// The answers in the rows of a statement.
fn told(asks: &[&Ask], rows: Vec<Row>) -> Result<Vec<Vec<Found>>, Error> {
    let mut answers: Vec<Vec<Found>> = asks.iter().map(|_| Vec::new()).collect();
    let mut groups: HashMap<usize, Vec<Membership>> = HashMap::new();
    for mut row in rows {
        let place = row.int(0)?;
        let at = usize::try_from(place.abs() - 1).unwrap_or(usize::MAX);
        if place < 0 {
            groups.entry(at).or_default().push(membership(&mut row)?);
        } else if let Some(answer) = answers.get_mut(at) {
            let members = row.int(8)?;
            let stored = Stored::read_from(&mut row, 1)?;
            answer.push(Found { stored, groups: Vec::new(), members });
        }
    }
    for (at, answer) in answers.iter_mut().enumerate() {
        answer.sort_unstable_by(|one, other| one.stored.id.cmp(&other.stored.id));
        let mut held = groups.remove(&at).unwrap_or_default();
        held.sort_unstable_by(|one, other| one.group.cmp(&other.group));
        for found in answer {
            let (own, others) = held.into_iter().partition(|one| one.member == found.stored.id);
            (found.groups, held) = (own, others);
        }
    }
    Ok(answers)
}

/// What look-ups have in common: a statement of few parts begins sooner.
enum Shape {
    /// All name resources by their ids.
    Ids,
    /// All by values.
    Values,
    Any,
}

fn shape(asks: &[&Ask]) -> Shape {
    let all = |by: fn(&By) -> bool| asks.iter().all(|ask| by(&ask.by) && ask.members == 0);
    if all(|by| matches!(by, By::Id(_))) {
        Shape::Ids
    } else if all(|by| matches!(by, By::Value { .. })) {
        Shape::Values
    } else {
        Shape::Any
    }
}

/// What is asked, a list for each column. What a question has none of is empty: no attribute has an
/// empty name, and the id of a member, which anybody may ask for, has a sign before it.
fn columns(asks: &[&Ask]) -> Vec<Value> {
    let members = column(asks, |ask| ask.members.to_string());
    let holders = column(asks, |ask| match &ask.by {
        By::Holder { member, .. } => format!("={member}"),
        By::Id(_) | By::Value { .. } => String::new(),
    });
    let (tenants, kinds, values) = (tenants(asks), kinds(asks), values(asks));
    vec![tenants, kinds, values, groups(asks), attrs(asks), most(asks), holders, members]
}

fn column(asks: &[&Ask], of: fn(&Ask) -> String) -> Value {
    Value::Texts(asks.iter().map(|ask| of(ask)).collect())
}

fn tenants(asks: &[&Ask]) -> Value {
    column(asks, |ask| ask.tenant.to_string())
}

fn kinds(asks: &[&Ask]) -> Value {
    column(asks, |ask| ask.kind.clone())
}

fn values(asks: &[&Ask]) -> Value {
    column(asks, |ask| match &ask.by {
        By::Id(id) | By::Holder { id, .. } => id.clone(),
        By::Value { value, .. } => value.clone(),
    })
}

fn groups(asks: &[&Ask]) -> Value {
    column(asks, |ask| i64::from(ask.groups).to_string())
}

fn attrs(asks: &[&Ask]) -> Value {
    column(asks, |ask| match &ask.by {
        By::Id(_) | By::Holder { .. } => String::new(),
        By::Value { attr, .. } => attr.clone(),
    })
}

fn most(asks: &[&Ask]) -> Value {
    column(asks, |ask| ask.most.to_string())
}

fn membership(row: &mut Row) -> Result<Membership, Error> {
    Ok(Membership {
        member: row.take_text(1)?,
        group: row.take_text(2)?,
        label: row.take_text(4)?,
        direct: row.int(5)? == 1,
    })
}

/// How deep a group is that another one holds; 1 is one that holds the resource itself.
const NESTED: i64 = 2;

/// What has the values `i` of the questions `a`.
macro_rules! holders {
    () => {
        "(SELECT i.resource FROM attr_index i
          WHERE i.tenant = a.tenant AND i.kind = a.kind AND i.attr = a.attr AND i.value = a.value
          ORDER BY i.resource LIMIT a.most::BIGINT) i"
    };
}

/// The ids that any questions come to.
macro_rules! any {
    () => {
        concat!(
            "asked AS MATERIALIZED (
                 SELECT * FROM UNNEST($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::TEXT[],
                                      $5::TEXT[], $6::TEXT[], $7::TEXT[], $8::TEXT[])
                     WITH ORDINALITY
                     AS a (tenant, kind, value, groups, attr, most, member, members, place)
             ), found AS MATERIALIZED (
                 SELECT a.place, a.tenant, a.kind, a.value AS id, a.groups,
                     a.members::BIGINT AS members
                 FROM asked a
                 WHERE a.attr = '' AND (a.member = '' OR EXISTS (
                     SELECT 1 FROM members m WHERE m.tenant = a.tenant
                         AND m.group_id = a.value AND m.member_id = SUBSTR(a.member, 2)
                         OFFSET 0))
                 UNION ALL
                 SELECT a.place, a.tenant, a.kind, i.resource, a.groups, a.members::BIGINT
                 FROM asked a CROSS JOIN LATERAL ",
            holders!(),
            " WHERE a.attr <> ''
             )"
        )
    };
}

/// Each resource that was found, with a count of its members.
macro_rules! each {
    ($members:literal) => {
        concat!(
            " SELECT f.place, r.*, ",
            $members,
            " FROM found f CROSS JOIN LATERAL (
                 SELECT r.kind, r.id, r.doc, r.label, r.version, r.created_at, r.modified_at
                 FROM resources r WHERE r.tenant = f.tenant AND r.kind = f.kind AND r.id = f.id
                 LIMIT 1) r
             UNION ALL "
        )
    };
}

macro_rules! counted {
    () => {
        each!(
            "(SELECT COUNT(*) FROM (
                  SELECT FROM members m WHERE m.tenant = f.tenant AND m.group_id = f.id
                  ORDER BY m.member_id LIMIT f.members) counted)"
        )
    };
}

/// The groups that hold what was found, and whether another one holds them.
macro_rules! holding {
    () => {
        "SELECT - f.place, f.id, m.group_id, '', g.label, m.depth, 0, 0, 0
         FROM found f CROSS JOIN LATERAL (
             SELECT m.group_id, CASE WHEN EXISTS (
                 SELECT FROM members n WHERE n.tenant = f.tenant AND n.member_id = m.group_id
                 OFFSET 0) THEN 2 ELSE 1 END AS depth
             FROM members m
             WHERE f.groups = '1' AND m.tenant = f.tenant AND m.member_id = f.id OFFSET 0) m
         CROSS JOIN LATERAL (
             SELECT g.label FROM resources g
             WHERE g.tenant = f.tenant AND g.kind = 'Group' AND g.id = m.group_id LIMIT 1) g"
    };
}

const IDS: &str = concat!(
    "WITH found AS MATERIALIZED (
         SELECT * FROM UNNEST($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::TEXT[])
             WITH ORDINALITY AS a (tenant, kind, id, groups, place))",
    each!("0"),
    holding!()
);

const VALUES: &str = concat!(
    "WITH found AS MATERIALIZED (
         SELECT a.place, a.tenant, a.kind, i.resource AS id, a.groups
         FROM UNNEST($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::TEXT[], $5::TEXT[], $6::TEXT[])
             WITH ORDINALITY AS a (tenant, kind, value, groups, attr, most, place)
         CROSS JOIN LATERAL ",
    holders!(),
    ")",
    each!("0"),
    holding!()
);

const ANY: &str = concat!("WITH ", any!(), counted!(), holding!());

const DEEP: &str = concat!(
    "WITH RECURSIVE ",
    any!(),
    ", above (place, tenant, member, id, depth) AS (
         SELECT f.place, f.tenant, f.id, m.group_id, 1 FROM found f CROSS JOIN LATERAL (
             SELECT m.group_id FROM members m
             WHERE f.groups = '1' AND m.tenant = f.tenant AND m.member_id = f.id OFFSET 0) m
         UNION
         SELECT a.place, a.tenant, a.member, m.group_id, a.depth + 1
         FROM above a CROSS JOIN LATERAL (
             SELECT m.group_id FROM members m
             WHERE m.tenant = a.tenant AND m.member_id = a.id OFFSET 0) m
         WHERE a.depth < $9
     )",
    counted!(),
    "SELECT - a.place, a.member, a.id, '', r.label, a.depth, 0, 0, 0
     FROM (SELECT place, tenant, member, id, MIN(depth) AS depth FROM above
           GROUP BY place, tenant, member, id) a
     CROSS JOIN LATERAL (
         SELECT r.label FROM resources r
         WHERE r.tenant = a.tenant AND r.kind = 'Group' AND r.id = a.id LIMIT 1) r"
);
