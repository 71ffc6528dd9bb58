//! Group membership: one row per edge, read in both directions.
//!
//! No function here changes the group's version; who changes members calls `resources::touch`.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::ids::TenantId;
use crate::store::dialect::each;
use crate::store::resources::{GROUP, places};
use crate::store::{Error, Sql, Tx, Value};

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
    // In one order, so that two adders of the same people do not lock up.
    let ids: Vec<String> = ids.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
    let kinds = existing(tx, tenant, &ids).await?;
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

/// The kinds of those that exist, which then cannot be deleted until the end of the change.
async fn existing(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    ids: &[String],
) -> Result<HashMap<String, String>, Error> {
    let sql = each!(
        tx,
        "SELECT r.id, r.kind FROM",
        each("$2"),
        "CROSS JOIN resources r
         WHERE r.tenant = $1 AND r.kind = e.value ->> 0 AND r.id = e.value ->> 1
         ORDER BY r.id FOR KEY SHARE OF r"
    );
    let rows = tx.query(sql, &[tenant.into(), places(&MEMBER_KINDS, ids)]).await?;
    rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))).collect()
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
    // Two changes that close a circle together must not run side by side.
    tx.query("SELECT id FROM tenants WHERE id = $1 FOR NO KEY UPDATE", &[tenant.into()]).await?;
    let rows = tx
        .query(
            "WITH RECURSIVE above (id) AS (
                 SELECT group_id FROM members WHERE tenant = $1 AND member_id = $2
                 UNION
                 SELECT m.group_id FROM above JOIN members m
                     ON m.tenant = $1 AND m.member_id = above.id
             )
             SELECT id FROM above",
            &[tenant.into(), group.into()],
        )
        .await?;
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
    let sql = each!(
        tx,
        "DELETE FROM members WHERE tenant = $1 AND group_id = $2
         AND member_id IN (SELECT e.value ->> 0 FROM",
        each("$3"),
        ")"
    );
    tx.execute(sql, &[tenant.into(), group.into(), Value::rows(&ids)]).await
}

/// Removes the members that fit a condition over `m` (the edge) and `x` (the member's resource).
pub async fn remove_where(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    group: &str,
    condition: impl FnOnce(&mut Sql),
) -> Result<u64, Error> {
    let mut sql = Sql::new("DELETE FROM members WHERE tenant = ");
    sql.bind(tenant).push(" AND group_id = ").bind(group);
    sql.push(
        " AND member_id IN (SELECT m.member_id FROM members m JOIN resources x
             ON x.tenant = m.tenant AND x.kind = m.member_kind AND x.id = m.member_id
             WHERE m.tenant = $1 AND m.group_id = $2 AND (",
    );
    condition(&mut sql);
    sql.push(")) RETURNING member_id");
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

/// How many direct members a group has.
pub async fn count(tx: &mut Tx<'_>, tenant: &TenantId, group: &str) -> Result<u64, Error> {
    let sql = "SELECT COUNT(*) FROM members WHERE tenant = $1 AND group_id = $2";
    let rows = tx.query(sql, &[tenant.into(), group.into()]).await?;
    let counted = rows.first().map_or(Ok(0), |row| row.int(0))?;
    Ok(u64::try_from(counted).unwrap_or(0))
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
    let groups: Vec<_> = groups.iter().map(|id| [id]).collect();
    let sql = each!(
        tx,
        "SELECT m.group_id, m.member_id, m.member_kind, r.label
         FROM members m JOIN resources r
             ON r.tenant = m.tenant AND r.kind = m.member_kind AND r.id = m.member_id
         WHERE m.tenant = $1 AND m.group_id IN (SELECT e.value ->> 0 FROM",
        each("$2"),
        ") ORDER BY m.group_id, m.member_id"
    );
    let rows = tx.query(sql, &[tenant.into(), Value::rows(&groups)]).await?;
    rows.iter()
        .map(|row| {
            Ok(Member {
                group: row.text(0)?.to_owned(),
                id: row.text(1)?.to_owned(),
                kind: row.text(2)?.to_owned(),
                label: row.text(3)?.to_owned(),
            })
        })
        .collect()
}

/// The groups that one resource is in, as [`groups_of`] has them.
pub(super) async fn groups_of_one(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    member: &str,
) -> Result<Vec<Membership>, Error> {
    // Most are in no group: a look at the index says so.
    let sql = "SELECT 1 FROM members WHERE tenant = $1 AND member_id = $2 LIMIT 1";
    if tx.query(sql, &[tenant.into(), member.into()]).await?.is_empty() {
        return Ok(Vec::new());
    }
    groups_of(tx, tenant, &[member.to_owned()]).await
}

/// The groups that these are in, directly or through at most [`DEPTH`] groups.
pub async fn groups_of(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    members: &[String],
) -> Result<Vec<Membership>, Error> {
    if members.is_empty() {
        return Ok(Vec::new());
    }
    let members: Vec<_> = members.iter().map(|id| [id]).collect();
    let sql = each!(
        tx,
        "WITH RECURSIVE above (member, id, depth) AS (
             SELECT m.member_id, m.group_id, 1 FROM members m
             WHERE m.tenant = $1 AND m.member_id IN (SELECT e.value ->> 0 FROM",
        each("$2"),
        ")
             UNION
             SELECT a.member, m.group_id, a.depth + 1 FROM above a JOIN members m
                 ON m.tenant = $1 AND m.member_id = a.id
             WHERE a.depth < $3
         )
         SELECT a.member, a.id, r.label, MIN(a.depth) FROM above a JOIN resources r
             ON r.tenant = $1 AND r.kind = 'Group' AND r.id = a.id
         GROUP BY a.member, a.id, r.label ORDER BY a.member, a.id"
    );
    let rows = tx.query(sql, &[tenant.into(), Value::rows(&members), DEPTH.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Membership {
                member: row.text(0)?.to_owned(),
                group: row.text(1)?.to_owned(),
                label: row.text(2)?.to_owned(),
                direct: row.int(3)? == 1,
            })
        })
        .collect()
}
