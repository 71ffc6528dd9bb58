//! Group membership: one row per edge, read in both directions.
//!
//! Only [`change()`] and [`change_many()`] change the group's version too; after the others comes
//! `resources::touch`.

mod change;
mod edges;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::ids::TenantId;
use crate::store::dialect::each;
use crate::store::resources::{GROUP, labels};
use crate::store::{Dialect, Error, Row, Sql, Tx, Value};

pub use change::{Changed, Difference, Expected, Outcome, change};
pub use edges::change_many;

/// The resource types that may be members, by their names.
pub const MEMBER_KINDS: [&str; 2] = ["User", "Group"];
/// Through how many groups a membership reaches.
pub const DEPTH: i64 = 10;

/// What became of new members. Where `cycles` is not empty nothing was added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Added {
    /// How many were not members before.
    pub added: u64,
    /// Ids of no user and no group.
    pub unknown: Vec<String>,
    /// Groups that contain this group, and this group itself.
    pub cycles: Vec<String>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The group's id.
    pub group: String,
    /// The member's id.
    pub id: String,
    /// The member's resource type.
    pub kind: String,
    /// The member's display name.
    pub label: String,
}

impl Member {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            group: row.text(0)?.to_owned(),
            id: row.text(1)?.to_owned(),
            kind: row.text(2)?.to_owned(),
            label: row.maybe_text(3)?.unwrap_or_default().to_owned(),
        })
    }
}

/// A group that somebody is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The member's id.
    pub member: String,
    /// The group's id.
    pub group: String,
    /// The group's display name.
    pub label: String,
    /// False when it is through another group.
    pub direct: bool,
}

/// Adds those that exist; nothing at all when a circle would close. The cost does not depend on the
/// group's size.
pub async fn add(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    group: &str,
    ids: &[String],
) -> Result<Added, Error> {
    if ids.is_empty() {
        return Ok(Added::default());
    }
    // In the order of the table: neighbours go into one page.
    let ids: Vec<String> = ids.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
    let found = labels(tx, tenant, &MEMBER_KINDS, &ids).await?;
    let kinds: HashMap<String, String> =
        found.into_iter().map(|(id, (kind, _))| (id, kind)).collect();
    let unknown: Vec<String> = ids.iter().filter(|id| !kinds.contains_key(*id)).cloned().collect();
    let cycles = cycles(tx, tenant, group, &kinds).await?;
    if !cycles.is_empty() {
        return Ok(Added { added: 0, unknown, cycles });
    }
    let edges: Vec<_> = ids.iter().filter_map(|id| Some((id, kinds.get(id)?))).collect();
    let sql = each!(
        tx,
        "INSERT INTO members (tenant, group_id, member_id, member_kind)
         SELECT $1, $2, e.value ->> 0, e.value ->> 1 FROM",
        each("$3"),
        "WHERE TRUE ON CONFLICT DO NOTHING"
    );
    let added = tx.execute(sql, &[tenant.into(), group.into(), Value::rows(&edges)]).await?;
    Ok(Added { added, unknown, cycles })
}

/// Those of the new members that the group is inside of already.
async fn cycles(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    group: &str,
    kinds: &HashMap<String, String>,
) -> Result<Vec<String>, Error> {
    let nested: BTreeSet<&str> =
        kinds.iter().filter(|(_, kind)| *kind == GROUP).map(|(id, _)| id.as_str()).collect();
    if nested.is_empty() {
        return Ok(Vec::new());
    }
    // Two changes that close a circle together never run side by side: those of a tenant take turns.
    let sql = match tx.dialect() {
        Dialect::Sqlite => {
            "WITH RECURSIVE above (id) AS (
                 SELECT group_id FROM members WHERE tenant = $1 AND member_id = $2
                 UNION
                 SELECT m.group_id FROM above CROSS JOIN members m
                     ON m.tenant = $1 AND m.member_id = above.id
             )
             SELECT id FROM above"
        }
        Dialect::Postgres => {
            "WITH RECURSIVE above (id) AS (
                 SELECT group_id FROM members WHERE tenant = $1 AND member_id = $2
                 UNION
                 SELECT m.group_id FROM above CROSS JOIN LATERAL (
                     SELECT n.group_id FROM members n
                     WHERE n.tenant = $1 AND n.member_id = above.id OFFSET 0) m
             )
             SELECT id FROM above"
        }
    };
    let rows = tx.query(sql, &[tenant.into(), group.into()]).await?;
    let mut above = rows.iter().map(|row| row.text(0)).collect::<Result<HashSet<_>, _>>()?;
    above.insert(group);
    Ok(nested.into_iter().filter(|id| above.contains(id)).map(str::to_owned).collect())
}

/// Removes members; gives how many there were.
pub async fn remove(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    group: &str,
    ids: &[String],
) -> Result<u64, Error> {
    if ids.is_empty() {
        return Ok(0);
    }
    let ids: Vec<_> = ids.iter().map(|id| [id]).collect();
    let sql = match tx.dialect() {
        Dialect::Sqlite => {
            "DELETE FROM members WHERE tenant = $1 AND group_id = $2
             AND member_id IN (SELECT e.value ->> 0 FROM json_each($3) AS e)"
        }
        // Each edge is found by the whole key, however large the server believes the group to be.
        Dialect::Postgres => {
            "DELETE FROM members WHERE ctid = ANY (ARRAY(
                 SELECT found.ctid FROM jsonb_array_elements($3) AS e(value)
                 CROSS JOIN LATERAL (
                     SELECT m.ctid FROM members m WHERE m.tenant = $1 AND m.group_id = $2
                         AND m.member_id = e.value ->> 0
                     LIMIT 1) found))"
        }
    };
    tx.execute(sql, &[tenant.into(), group.into(), Value::rows(&ids)]).await
}

/// Removes the members that fit a condition over `m` (the edge) and `x` (the member's resource).
pub async fn remove_where(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    group: &str,
    condition: impl FnOnce(&mut Sql),
) -> Result<u64, Error> {
    let mut sql = Sql::new("DELETE FROM members AS m WHERE m.tenant = ");
    sql.bind(tenant).push(" AND m.group_id = ").bind(group);
    // The limit keeps PostgreSQL from a join of all with all, which it takes for cheap while it has
    // no statistics.
    sql.push(
        " AND EXISTS (SELECT 1 FROM resources x
             WHERE x.tenant = m.tenant AND x.kind = m.member_kind AND x.id = m.member_id AND (",
    );
    condition(&mut sql);
    sql.push(") LIMIT 1 OFFSET 0) RETURNING member_id");
    Ok(tx.run(&sql).await?.len() as u64)
}

/// Removes all members; gives how many there were.
pub async fn clear(tx: &mut Tx<'_>, tenant: &TenantId, group: &str) -> Result<u64, Error> {
    let sql = "DELETE FROM members WHERE tenant = $1 AND group_id = $2";
    tx.execute(sql, &[tenant.into(), group.into()]).await
}

/// Makes these the members, touching the differences only; the number is how many were removed.
pub async fn replace(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    group: &str,
    ids: &[String],
) -> Result<(Added, u64), Error> {
    let rows = tx
        .query(
            "SELECT member_id FROM members WHERE tenant = $1 AND group_id = $2",
            &[tenant.into(), group.into()],
        )
        .await?;
    let before = rows.iter().map(|row| row.text(0)).collect::<Result<HashSet<_>, _>>()?;
    let wanted: HashSet<&str> = ids.iter().map(String::as_str).collect();
    let new: Vec<String> = ids.iter().filter(|id| !before.contains(id.as_str())).cloned().collect();
    let gone: Vec<String> = before.difference(&wanted).map(|id| (*id).to_owned()).collect();
    let added = add(tx, tenant, group, &new).await?;
    if !added.cycles.is_empty() {
        return Ok((added, 0));
    }
    let removed = remove(tx, tenant, group, &gone).await?;
    Ok((added, removed))
}

/// Whether a group has more direct members than this; a large group is not counted to its end.
pub async fn more_than(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    group: &str,
    most: i64,
) -> Result<bool, Error> {
    // In the order of the primary key, or PostgreSQL reads the whole table for the largest group.
    let sql = "SELECT 1 FROM members WHERE tenant = $1 AND group_id = $2
               ORDER BY member_id LIMIT 1 OFFSET $3";
    let rows = tx.query(sql, &[tenant.into(), group.into(), most.into()]).await?;
    Ok(!rows.is_empty())
}

/// How many direct members a group has; counted up to this number.
pub(super) async fn count(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    group: &str,
    most: i64,
) -> Result<i64, Error> {
    if most == 0 {
        return Ok(0);
    }
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM members WHERE tenant = $1 AND group_id = $2
               ORDER BY member_id LIMIT $3) counted";
    let rows = tx.query(sql, &[tenant.into(), group.into(), most.into()]).await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

/// The direct members of these groups, by member id.
pub async fn of_groups(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    groups: &[String],
) -> Result<Vec<Member>, Error> {
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let groups: BTreeSet<&String> = groups.iter().collect();
    let groups: Vec<_> = groups.into_iter().map(|id| [id]).collect();
    let sql = match tx.dialect() {
        Dialect::Sqlite => {
            "SELECT m.group_id, m.member_id, m.member_kind,
                 (SELECT r.label FROM resources r
                  WHERE r.tenant = $1 AND r.kind = m.member_kind AND r.id = m.member_id)
             FROM members m WHERE m.tenant = $1
                 AND m.group_id IN (SELECT e.value ->> 0 FROM json_each($2) AS e)
             ORDER BY m.group_id, m.member_id"
        }
        // Group by group: the server would rather walk the edges of all groups in order.
        Dialect::Postgres => {
            "SELECT m.group_id, m.member_id, m.member_kind,
                 (SELECT r.label FROM resources r
                  WHERE r.tenant = $1 AND r.kind = m.member_kind AND r.id = m.member_id)
             FROM jsonb_array_elements($2) AS e(value)
             CROSS JOIN LATERAL (
                 SELECT n.group_id, n.member_id, n.member_kind FROM members n
                 WHERE n.tenant = $1 AND n.group_id = e.value ->> 0
                 ORDER BY n.member_id OFFSET 0) m
             ORDER BY m.group_id, m.member_id"
        }
    };
    let rows = tx.query(sql, &[tenant.into(), Value::rows(&groups)]).await?;
    rows.iter().map(Member::read).collect()
}

/// Which piece of a group's members, by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The member before it; empty at the beginning.
    pub after: String,
    /// How many at most.
    pub count: usize,
    /// Whether the display names are wanted; without them they are empty.
    pub labels: bool,
}

/// A piece of the direct members of a group. It costs its own size, wherever it begins.
pub async fn piece(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    group: &str,
    piece: &Piece,
) -> Result<Vec<Member>, Error> {
    // The name by a sub-select, not by a join: that is a look at each member on any plan.
    let sql = if piece.labels {
        "SELECT m.member_id, m.member_kind,
             (SELECT r.label FROM resources r
              WHERE r.tenant = $1 AND r.kind = m.member_kind AND r.id = m.member_id)
         FROM members m WHERE m.tenant = $1 AND m.group_id = $2 AND m.member_id > $3
         ORDER BY m.member_id LIMIT $4"
    } else {
        "SELECT m.member_id, m.member_kind, ''
         FROM members m WHERE m.tenant = $1 AND m.group_id = $2 AND m.member_id > $3
         ORDER BY m.member_id LIMIT $4"
    };
    let count = i64::try_from(piece.count).unwrap_or(i64::MAX);
    let binds = [tenant.into(), group.into(), (&piece.after).into(), count.into()];
    let mut rows = tx.query(sql, &binds).await?;
    rows.iter_mut()
        .map(|row| {
            Ok(Member {
                group: group.to_owned(),
                id: row.take_text(0)?,
                kind: row.take_text(1)?,
                label: row.take_text(2)?,
            })
        })
        .collect()
}

/// How many direct members these groups have, counted up to this number.
pub async fn sizes(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    groups: &[String],
    most: usize,
) -> Result<HashMap<String, usize>, Error> {
    let groups: Vec<_> = groups.iter().map(|id| [id]).collect();
    let sql = each!(
        tx,
        "SELECT e.value ->> 0, (SELECT COUNT(*) FROM (
             SELECT 1 FROM members m
             WHERE m.tenant = $1 AND m.group_id = e.value ->> 0 LIMIT $3) AS counted)
         FROM",
        each("$2"),
        ""
    );
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut rows = tx.query(sql, &[tenant.into(), Value::rows(&groups), most.into()]).await?;
    rows.iter_mut()
        .map(|row| Ok((row.take_text(0)?, usize::try_from(row.int(1)?).unwrap_or(usize::MAX))))
        .collect()
}

/// The groups that these are in, directly or through at most [`DEPTH`] groups.
pub async fn groups_of(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    members: &[String],
) -> Result<Vec<Membership>, Error> {
    let direct = direct(tx, tenant, members).await?;
    if direct.is_empty() {
        return Ok(Vec::new());
    }
    // Many are in few groups, and what those are in is the same for all of them.
    let groups: BTreeSet<&str> = direct.iter().map(|(_, group)| group.as_str()).collect();
    let groups: Vec<String> = groups.into_iter().map(str::to_owned).collect();
    let mut above: HashMap<String, Vec<Above>> = HashMap::new();
    for one in above_of(tx, tenant, &groups).await? {
        above.entry(one.below.clone()).or_default().push(one);
    }
    Ok(memberships(&direct, &above))
}

/// A group that is to be found above another one, or that one itself, which is no step away.
struct Above {
    below: String,
    group: String,
    label: String,
    steps: i64,
}

/// Each with each of its groups, in this order, and those of its groups.
fn memberships(
    direct: &[(String, String)],
    above: &HashMap<String, Vec<Above>>,
) -> Vec<Membership> {
    let mut found: BTreeMap<(&str, &str), (&str, i64)> = BTreeMap::new();
    for (member, group) in direct {
        for one in above.get(group).into_iter().flatten() {
            let nearest = found.entry((member, &one.group)).or_insert((&one.label, one.steps));
            nearest.1 = nearest.1.min(one.steps);
        }
    }
    let membership = |((member, group), (label, steps)): ((&str, &str), (&str, i64))| Membership {
        member: member.to_owned(),
        group: group.to_owned(),
        label: label.to_owned(),
        direct: steps == 0,
    };
    found.into_iter().map(membership).collect()
}

/// Each of these with each group that holds it directly.
async fn direct(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    members: &[String],
) -> Result<Vec<(String, String)>, Error> {
    let rows = match (members, tx.dialect()) {
        ([], _) => return Ok(Vec::new()),
        ([member], _) => {
            let sql =
                "SELECT member_id, group_id FROM members WHERE tenant = $1 AND member_id = $2";
            tx.query(sql, &[tenant.into(), member.into()]).await?
        }
        (several, Dialect::Sqlite) => {
            let sql = "SELECT m.member_id, m.group_id FROM json_each($2) AS e
                 CROSS JOIN members m ON m.tenant = $1 AND m.member_id = e.value ->> 0";
            let several: Vec<_> = several.iter().map(|id| [id]).collect();
            tx.query(sql, &[tenant.into(), Value::rows(&several)]).await?
        }
        (several, Dialect::Postgres) => {
            // OFFSET 0 makes it look up each by its key, whatever the server believes of the table's size.
            let sql = "SELECT e.id, m.group_id FROM UNNEST($2::TEXT[]) AS e (id)
                 CROSS JOIN LATERAL (SELECT m.group_id FROM members m
                                     WHERE m.tenant = $1 AND m.member_id = e.id OFFSET 0) m";
            let several = Value::texts(several.iter().map(String::as_str));
            tx.query(sql, &[tenant.into(), several]).await?
        }
    };
    rows.into_iter().map(|mut row| Ok((row.take_text(0)?, row.take_text(1)?))).collect()
}

/// These groups, and what is above each of them.
async fn above_of(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    groups: &[String],
) -> Result<Vec<Above>, Error> {
    let groups: Vec<_> = groups.iter().map(|id| [id]).collect();
    let sql = match tx.dialect() {
        Dialect::Sqlite => ABOVE_SQLITE,
        Dialect::Postgres => ABOVE_POSTGRES,
    };
    // The groups themselves are the first step of those that they hold.
    let steps = DEPTH - 1;
    let rows = tx.query(sql, &[tenant.into(), Value::rows(&groups), steps.into()]).await?;
    let read = |mut row: Row| {
        let label = row.maybe_text(2)?.unwrap_or_default().to_owned();
        let (below, group) = (row.take_text(0)?, row.take_text(1)?);
        Ok(Above { below, group, label, steps: row.int(3)? })
    };
    rows.into_iter().map(read).collect()
}

macro_rules! above {
    ($groups:literal, $step:literal) => {
        concat!(
            "WITH RECURSIVE above (below, id, steps) AS (
                 SELECT ",
            $groups,
            "
                 UNION
                 SELECT a.below, m.group_id, a.steps + 1 FROM above a ",
            $step,
            "
                 WHERE a.steps < $3
             )
             SELECT a.below, a.id,
                 (SELECT r.label FROM resources r
                  WHERE r.tenant = $1 AND r.kind = 'Group' AND r.id = a.id),
                 MIN(a.steps)
             FROM above a GROUP BY a.below, a.id"
        )
    };
}

/// CROSS JOIN keeps the order of the tables, else SQLite reads all members of the tenant in each step.
const ABOVE_SQLITE: &str = above!(
    "e.value ->> 0, e.value ->> 0, 0 FROM json_each($2) AS e",
    "CROSS JOIN members m ON m.tenant = $1 AND m.member_id = a.id"
);

/// OFFSET 0 makes it look up each group by its key, whatever the server believes of the table's size.
const ABOVE_POSTGRES: &str = above!(
    "(e.value ->> 0) COLLATE \"C\", (e.value ->> 0) COLLATE \"C\", 0
     FROM jsonb_array_elements($2) AS e (value)",
    "CROSS JOIN LATERAL (SELECT m.group_id FROM members m
                         WHERE m.tenant = $1 AND m.member_id = a.id OFFSET 0) m"
);
