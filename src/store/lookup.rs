//! Look-ups: the few resources that a key names. Those that wait at the same moment go as one.

mod together;

use crate::ids::TenantId;
use crate::store::members::Membership;
use crate::store::resources::{self, Key, Stored};
use crate::store::{Error, Tx, members};

pub(super) use together::together;

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
    /// Up to how many direct members are counted, where they are groups.
    pub members: i64,
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
    /// How many direct members it has, up to the number that was asked for.
    pub members: i64,
}

/// What one look-up finds, inside a transaction.
pub async fn find(tx: &mut Tx<'_>, ask: &Ask) -> Result<Vec<Found>, Error> {
    let Some(connection) = tx.server() else { return one(tx, ask).await };
    let found = together(connection, &[ask]).await;
    Ok(tx.note(found)?.pop().unwrap_or_default())
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
            members::groups_of(tx, tenant, std::slice::from_ref(&stored.id)).await?
        } else {
            Vec::new()
        };
        let members = members::count(tx, tenant, &stored.id, ask.members).await?;
        answer.push(Found { stored, groups, members });
    }
    Ok(answer)
}
