//! Look-ups: the few resources that a key names. Those that wait at the same moment go as one.

use std::collections::HashMap;

use crate::clock::Micros;
use crate::ids::TenantId;
use crate::store::members::{DEPTH, Membership};
use crate::store::resources::{self, Key, Stored};
use crate::store::{Dialect, Error, Row, Tx, Value, members};

/// What is looked up.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Whose resources.
    pub tenant: TenantId,
    /// The resource type's name.
    pub kind: String,
    /// The key.
    pub by: By,
    /// How many at most.
    pub most: i64,
    /// Whether the groups that they are in are wanted too.
    pub groups: bool,
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// The resource of this id.
    Id(String),
    /// The group of this id, if this is a direct member of it.
    Holder {
        /// The group's id.
        id: String,
        /// The member's id.
        member: String,
    },
    /// Those that have this value of an indexed attribute.
    Value {
        /// The attribute's full name.
        attr: String,
        /// The value in its index form.
        value: String,
    },
}

/// What a look-up found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The resource.
    pub stored: Stored,
    /// The groups that it is in, where they were asked for.
    pub groups: Vec<Membership>,
}

/// The answers in the order of the questions, each by id; all of one moment.
pub(super) async fn answer(tx: &mut Tx<'_>, asks: &[&Ask]) -> Result<Vec<Vec<Found>>, Error> {
    match tx.dialect() {
        Dialect::Postgres => together(tx, asks).await,
        Dialect::Sqlite => {
            let mut answers = Vec::with_capacity(asks.len());
            for ask in asks {
                answers.push(one(tx, ask).await?);
            }
            Ok(answers)
        }
    }
}

/// One look-up: without a wire between, several small statements cost less than one large.
pub(super) async fn one(tx: &mut Tx<'_>, ask: &Ask) -> Result<Vec<Found>, Error> {
    let tenant = &ask.tenant;
    let stored = match &ask.by {
        By::Id(id) => {
            resources::find(tx, Key { tenant, kind: &ask.kind, id }).await?.into_iter().collect()
        }
        By::Holder { id, member } => {
            let sql =
                "SELECT 1 FROM members WHERE tenant = $1 AND group_id = $2 AND member_id = $3";
            let held = tx.query(sql, &[tenant.into(), id.into(), member.into()]).await?;
            let found = resources::find(tx, Key { tenant, kind: &ask.kind, id }).await?;
            found.into_iter().filter(|_| !held.is_empty()).collect()
        }
        By::Value { attr, value } => {
            let sql = "SELECT r.kind, r.id, r.doc, r.label, r.version, r.created_at, r.modified_at
                 FROM attr_index i CROSS JOIN resources r
                 WHERE i.tenant = $1 AND i.kind = $2 AND i.attr = $3 AND i.value = $4
                 AND r.tenant = i.tenant AND r.kind = i.kind AND r.id = i.resource
                 ORDER BY i.resource LIMIT $5";
            let (kind, most) = ((&ask.kind).into(), ask.most.into());
            let binds = [tenant.into(), kind, attr.into(), value.into(), most];
            let rows = tx.query(sql, &binds).await?;
            rows.into_iter().map(Stored::read).collect::<Result<Vec<_>, _>>()?
        }
    };
    let mut answer = Vec::with_capacity(stored.len());
    for stored in stored {
        let groups = if ask.groups {
            members::groups_of_one(tx, tenant, &stored.id).await?
        } else {
            Vec::new()
        };
        answer.push(Found { stored, groups });
    }
    Ok(answer)
}

/// All look-ups as one statement, by place in the list.
///
/// Whatever could be planned as a join of whole tables is fenced in by LATERAL and LIMIT or OFFSET:
/// a young table has no statistics, and a plan that was made when it was small is kept.
async fn together(tx: &mut Tx<'_>, asks: &[&Ask]) -> Result<Vec<Vec<Found>>, Error> {
    let list: Vec<_> = asks.iter().enumerate().map(|(place, ask)| row(place, ask)).collect();
    let list = Value::rows(&list);
    let rows = if asks.iter().any(|ask| ask.groups) {
        tx.query(WITH_GROUPS, &[list, DEPTH.into()]).await?
    } else {
        tx.query(WITHOUT_GROUPS, &[list]).await?
    };
    let mut answers: Vec<Vec<Found>> = asks.iter().map(|_| Vec::new()).collect();
    let mut groups: HashMap<usize, Vec<Membership>> = HashMap::new();
    for mut row in rows {
        let place = row.int(0)?;
        let at = usize::try_from(place.abs() - 1).unwrap_or(usize::MAX);
        if place < 0 {
            groups.entry(at).or_default().push(membership(&mut row)?);
        } else if let Some(answer) = answers.get_mut(at) {
            answer.push(Found { stored: stored(&mut row)?, groups: Vec::new() });
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

type Asked<'a> = (usize, &'a str, &'a str, Option<&'a str>, &'a str, Option<&'a str>, i64, bool);

/// Places count from 1, so that a sign can say what a row of the answer is.
fn row(place: usize, ask: &Ask) -> Asked<'_> {
    let (attr, value, member) = match &ask.by {
        By::Id(id) => (None, id, None),
        By::Holder { id, member } => (None, id, Some(member.as_str())),
        By::Value { attr, value } => (Some(attr.as_str()), value, None),
    };
    (place + 1, ask.tenant.as_str(), &ask.kind, attr, value, member, ask.most, ask.groups)
}

fn stored(row: &mut Row) -> Result<Stored, Error> {
    Ok(Stored {
        kind: row.take_text(1)?,
        id: row.take_text(2)?,
        doc: row.take_text(3)?,
        label: row.take_text(4)?,
        version: row.int(5)?,
        created: Micros(row.int(6)?),
        modified: Micros(row.int(7)?),
    })
}

fn membership(row: &mut Row) -> Result<Membership, Error> {
    Ok(Membership {
        member: row.take_text(1)?,
        group: row.take_text(2)?,
        label: row.take_text(4)?,
        direct: row.int(5)? == 1,
    })
}

macro_rules! found {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            "asked AS MATERIALIZED (
                 SELECT CAST(e.value ->> 0 AS BIGINT) AS place, e.value ->> 1 AS tenant,
                     e.value ->> 2 AS kind, e.value ->> 3 AS attr, e.value ->> 4 AS value,
                     e.value ->> 5 AS member, CAST(e.value ->> 6 AS BIGINT) AS most,
                     CAST(e.value ->> 7 AS BOOLEAN) AS groups
                 FROM jsonb_array_elements($1) AS e(value)
             ), found AS MATERIALIZED (
                 SELECT a.place, a.tenant, a.kind, a.value AS id, a.groups FROM asked a
                 WHERE a.attr IS NULL AND (a.member IS NULL OR EXISTS (
                     SELECT 1 FROM members m WHERE m.tenant = a.tenant
                         AND m.group_id = a.value AND m.member_id = a.member OFFSET 0))
                 UNION ALL
                 SELECT a.place, a.tenant, a.kind, i.resource, a.groups
                 FROM asked a CROSS JOIN LATERAL (
                     SELECT i.resource FROM attr_index i
                     WHERE i.tenant = a.tenant AND i.kind = a.kind
                         AND i.attr = a.attr AND i.value = a.value
                     ORDER BY i.resource LIMIT a.most) i
                 WHERE a.attr IS NOT NULL
             )",
            $after
        )
    };
}

const WITHOUT_GROUPS: &str = found!(
    "WITH ",
    " SELECT f.place, r.* FROM found f CROSS JOIN LATERAL (
         SELECT r.kind, r.id, r.doc, r.label, r.version, r.created_at, r.modified_at
         FROM resources r WHERE r.tenant = f.tenant AND r.kind = f.kind AND r.id = f.id LIMIT 1) r"
);

const WITH_GROUPS: &str = found!(
    "WITH RECURSIVE ",
    ", above (place, tenant, member, id, depth) AS (
         SELECT f.place, f.tenant, f.id, m.group_id, 1 FROM found f CROSS JOIN LATERAL (
             SELECT m.group_id FROM members m
             WHERE f.groups AND m.tenant = f.tenant AND m.member_id = f.id OFFSET 0) m
         UNION
         SELECT a.place, a.tenant, a.member, m.group_id, a.depth + 1
         FROM above a CROSS JOIN LATERAL (
             SELECT m.group_id FROM members m
             WHERE m.tenant = a.tenant AND m.member_id = a.id OFFSET 0) m
         WHERE a.depth < $2
     )
     SELECT f.place, r.* FROM found f CROSS JOIN LATERAL (
         SELECT r.kind, r.id, r.doc, r.label, r.version, r.created_at, r.modified_at
         FROM resources r WHERE r.tenant = f.tenant AND r.kind = f.kind AND r.id = f.id LIMIT 1) r
     UNION ALL
     SELECT - a.place, a.member, a.id, '', r.label, a.depth, 0, 0
     FROM (SELECT place, tenant, member, id, MIN(depth) AS depth FROM above
           GROUP BY place, tenant, member, id) a
     CROSS JOIN LATERAL (
         SELECT r.label FROM resources r
         WHERE r.tenant = a.tenant AND r.kind = 'Group' AND r.id = a.id LIMIT 1) r"
);
