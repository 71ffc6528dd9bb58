//! Groups whose membership means something.

use crate::domain::role::Mapping;
use crate::ids::TenantId;
use crate::store::dialect::each;
use crate::store::{Error, Row, Tx, Value};

/// The mappings of the groups that a user is a direct member of.
pub async fn of_member(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    member: &str,
) -> Result<Vec<Mapping>, Error> {
    let sql = "SELECT g.group_id, g.role, g.seat_type, g.priority, g.department, g.agent_group
               FROM group_maps g
               WHERE g.tenant = $1 AND EXISTS (SELECT 1 FROM members m
                   WHERE m.tenant = $1 AND m.group_id = g.group_id AND m.member_id = $2)";
    tx.query(sql, &[tenant.into(), member.into()]).await?.iter().map(read).collect()
}

/// Gives a group a meaning, or another one.
pub async fn set(tx: &mut Tx<'_>, tenant: &TenantId, mapping: &Mapping) -> Result<(), Error> {
    let sql = "INSERT INTO group_maps (tenant, group_id, role, seat_type, priority, department,
                   agent_group)
               VALUES ($1, $2, $3, $4, $5, $6, $7)
               ON CONFLICT (tenant, group_id) DO UPDATE SET role = excluded.role,
                   seat_type = excluded.seat_type, priority = excluded.priority,
                   department = excluded.department, agent_group = excluded.agent_group";
    let binds = [
        tenant.into(),
        (&mapping.group).into(),
        mapping.role.as_deref().into(),
        mapping.seat_type.as_deref().into(),
        mapping.priority.into(),
        mapping.department.as_deref().into(),
        mapping.agent_group.as_deref().into(),
    ];
    tx.execute(sql, &binds).await.map(drop)
}

/// A group whose members have this department, or this group of agents.
pub async fn giving(tx: &mut Tx<'_>, tenant: &TenantId, id: &str) -> Result<Option<String>, Error> {
    let sql = "SELECT group_id FROM group_maps
               WHERE tenant = $1 AND (department = $2 OR agent_group = $2) LIMIT 1";
    let rows = tx.query(sql, &[tenant.into(), id.into()]).await?;
    rows.first().map(|row| row.text(0).map(str::to_owned)).transpose()
}

/// Takes its meaning from a group.
pub async fn forget(tx: &mut Tx<'_>, tenant: &TenantId, group: &str) -> Result<(), Error> {
    let sql = "DELETE FROM group_maps WHERE tenant = $1 AND group_id = $2";
    tx.execute(sql, &[tenant.into(), group.into()]).await.map(drop)
}

/// Which of these users are direct members of a group; without a list, all of its users.
pub async fn members(
    tx: &mut Tx<'_>,
    tenant: &TenantId,
    group: &str,
    among: Option<&[String]>,
) -> Result<Vec<String>, Error> {
    let rows = match among {
        None => {
            let sql = "SELECT member_id FROM members
                       WHERE tenant = $1 AND group_id = $2 AND member_kind = 'User'
                       ORDER BY member_id";
            tx.query(sql, &[tenant.into(), group.into()]).await?
        }
        Some(ids) => {
            let sql = each!(
                tx,
                "SELECT m.member_id FROM members m
                 WHERE m.tenant = $1 AND m.group_id = $2 AND m.member_kind = 'User'
                 AND m.member_id IN (SELECT e.value ->> 0 FROM",
                each("$3"),
                ") ORDER BY m.member_id"
            );
            let ids: Vec<[&str; 1]> = ids.iter().map(|id| [id.as_str()]).collect();
            tx.query(sql, &[tenant.into(), group.into(), Value::rows(&ids)]).await?
        }
    };
    rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

fn read(row: &Row) -> Result<Mapping, Error> {
    Ok(Mapping {
        group: row.text(0)?.to_owned(),
        role: row.maybe_text(1)?.map(str::to_owned),
        seat_type: row.maybe_text(2)?.map(str::to_owned),
        priority: row.int(3)?,
        department: row.maybe_text(4)?.map(str::to_owned),
        agent_group: row.maybe_text(5)?.map(str::to_owned),
    })
}
