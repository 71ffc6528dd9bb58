//! Changes of a group's members.

use super::{Loaded, Work};
use crate::app::Error;
use crate::scim;
use crate::scim::accept::MemberRef;
use crate::scim::attribute::Source;
use crate::scim::filter;
use crate::scim::patch::MemberChange;
use crate::store::filter as store_filter;
use crate::store::members::{self, Difference, Expected, Outcome};
use crate::store::resources::Stored;
use crate::store::{Edge, Sql, Tx};

/// Members that were left out are counted in the log, and so many of them named.
const NAMED: usize = 10;

impl Work {
    /// A change of one member as data, where that is all and nothing can refuse it once it is done.
    pub(in crate::app) fn edge(&self, group: &Loaded, changes: &[MemberChange]) -> Option<Edge> {
        let (member, comes) = match changes {
            [MemberChange::Add(add)] if !self.ctx.rules.reject_unknown_members => match &add[..] {
                [one] => (one.value.clone(), true),
                [..] => return None,
            },
            [MemberChange::Remove(remove)] => match &remove[..] {
                [one] => (one.clone(), false),
                [..] => return None,
            },
            [..] => return None,
        };
        Some(Edge {
            tenant: self.tenant.clone(),
            kind: self.kind.name.clone(),
            id: group.stored.id.clone(),
            doc: group.stored.doc.clone(),
            member,
            comes,
            now: self.now,
        })
    }

    /// Where members come and go by their ids and none of them is a group: the changes and the count
    /// of the version as one statement. None where nothing was done, since there is more to it or the
    /// group is not as expected.
    pub(in crate::app) async fn change_members_at_once(
        &self,
        tx: &mut Tx<'_>,
        group: &Loaded,
        expected: Expected<'_>,
        changes: &[MemberChange],
    ) -> Result<Option<Loaded>, Error> {
        let (add, remove) = match changes {
            [MemberChange::Add(add)] => (ids(add), &[][..]),
            [MemberChange::Remove(remove)] => (Vec::new(), &remove[..]),
            [MemberChange::Add(add), MemberChange::Remove(remove)] => (ids(add), &remove[..]),
            [..] => return Ok(None),
        };
        let difference = Difference { add: &add, remove };
        let key = self.key(&group.stored.id);
        let outcome = members::change(tx, key, expected, difference, self.now).await?;
        self.told(group, outcome)
    }

    /// The group after a change of its members; none where nothing was done.
    pub(in crate::app) fn told(
        &self,
        group: &Loaded,
        outcome: Outcome,
    ) -> Result<Option<Loaded>, Error> {
        let Outcome::Done(done) = outcome else { return Ok(None) };
        self.settle(&done.unknown)?;
        let (version, modified) = (done.version, done.modified);
        let stored = Stored { version, modified, ..group.stored.clone() };
        Ok(Some(Loaded { stored, doc: group.doc.clone() }))
    }

    /// Changes the members of a group; whether anything changed.
    pub(in crate::app) async fn change_members(
        &self,
        tx: &mut Tx<'_>,
        group: &str,
        change: &MemberChange,
    ) -> Result<bool, Error> {
        let tenant = &self.tenant;
        match change {
            MemberChange::Add(wanted) => {
                let added = members::add(tx, tenant, group, &ids(wanted)).await?;
                self.settle_all(&added)?;
                Ok(added.added > 0)
            }
            MemberChange::Replace(wanted) => {
                let (added, removed) = members::replace(tx, tenant, group, &ids(wanted)).await?;
                self.settle_all(&added)?;
                Ok(added.added + removed > 0)
            }
            MemberChange::Remove(gone) => Ok(members::remove(tx, tenant, group, gone).await? > 0),
            MemberChange::RemoveWhere(inner) => {
                let Some(attribute) = self.kind.attribute_of(Source::Members) else {
                    return Ok(false);
                };
                let bound = filter::bind_elements(attribute, inner, self.quirks)?;
                let (dialect, world) = (tx.dialect(), self.world());
                let condition =
                    |sql: &mut Sql| store_filter::member_condition(sql, dialect, &world, &bound);
                Ok(members::remove_where(tx, tenant, group, condition).await? > 0)
            }
            MemberChange::Clear => Ok(members::clear(tx, tenant, group).await? > 0),
        }
    }

    /// Product rule on cycles, and on members that are no user or group of this tenant.
    fn settle_all(&self, changed: &members::Added) -> Result<(), Error> {
        if let Some(id) = changed.cycles.first() {
            return Err(scim::Error::InvalidValue(format!(
                "members: group '{id}' already holds this group, directly or through others; a group cannot be part of itself."
            ))
            .into());
        }
        self.settle(&changed.unknown)
    }

    /// Unknown members are left out and logged, or refused where the tenant wants that.
    fn settle(&self, unknown: &[String]) -> Result<(), Error> {
        let Some(first) = unknown.first() else { return Ok(()) };
        if self.ctx.rules.reject_unknown_members {
            return Err(scim::Error::InvalidValue(format!(
                "members: '{}' is no user or group here. Create it first, or leave it out.",
                scim::path::excerpt(first)
            ))
            .into());
        }
        let few = unknown.iter().take(NAMED);
        let ids: Vec<_> = few.map(|id| scim::path::excerpt(id)).collect();
        tracing::info!(
            request.id = %self.ctx.request, tenant.id = %self.tenant,
            count = unknown.len(), members = ids.join(" "),
            "members.ignored: no such user or group"
        );
        Ok(())
    }
}

fn ids(wanted: &[MemberRef]) -> Vec<String> {
    wanted.iter().map(|member| member.value.clone()).collect()
}
