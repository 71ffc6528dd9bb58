//! Groups whose membership gives roles and seats.

use crate::app::work::{Loaded, Work};
use crate::app::{Error, catalogue};
use crate::domain::facts::Facts;
use crate::domain::role::{self, Mapping};
use crate::domain::seat::Manners;
use crate::scim::patch::MemberChange;
use crate::store::resources::{self, Key};
use crate::store::{Tx, maps};

/// The members of a mapped group before a change of them.
#[derive(Debug)]
pub(in crate::app) struct Roll {
    mapping: Mapping,
    /// Those whom the change names; none where it may be about all.
    named: Option<Vec<String>>,
    before: Vec<String>,
}

impl Work {
    /// Who is a member of a mapped group before these changes. Whoever adds members gives them the
    /// group's role, and must be allowed to.
    pub(in crate::app) async fn roll(
        &self,
        tx: &mut Tx<'_>,
        mapping: Mapping,
        changes: &[MemberChange],
    ) -> Result<Roll, Error> {
        let named = named(changes);
        let before = maps::members(tx, &self.tenant, &mapping.group, named.as_deref()).await?;
        Ok(Roll { mapping, named, before })
    }

    /// What follows from the changes of a mapped group's members: roles and seats of those who came
    /// and went.
    pub(in crate::app) async fn follow(&self, tx: &mut Tx<'_>, roll: Roll) -> Result<(), Error> {
        let Roll { mapping, named, before } = roll;
        let after = maps::members(tx, &self.tenant, &mapping.group, named.as_deref()).await?;
        let came: Vec<String> = after.iter().filter(|id| !before.contains(id)).cloned().collect();
        let went: Vec<String> = before.iter().filter(|id| !after.contains(id)).cloned().collect();
        if let (Some(role), false) = (&mapping.role, came.is_empty()) {
            let catalogue = catalogue::read(tx, &self.tenant).await?;
            let law = self.law(&catalogue);
            if let Some(role) = catalogue.role(role) {
                role::check_gain(law.settings, &role, law.assigns_roles)?;
            }
        }
        // Whoever goes makes room, first for those who wait, then for those who come. Going is never
        // refused.
        self.rejudge(tx, &went, Manners::Patient).await?;
        let strict = self.ctx.rules.reject_full_groups;
        let manners = if strict { Manners::Strict } else { Manners::Patient };
        self.rejudge(tx, &came, manners).await
    }

    /// Applies the rules anew to users who asked for nothing: a group, a pool or a role was changed.
    pub(in crate::app) async fn rejudge(
        &self,
        tx: &mut Tx<'_>,
        users: &[String],
        manners: Manners,
    ) -> Result<(), Error> {
        if users.is_empty() {
            return Ok(());
        }
        let work = self.of_users();
        let catalogue = catalogue::read(tx, &self.tenant).await?;
        let mut opened = Vec::new();
        for user in users {
            let key = Key { tenant: &work.tenant, kind: &work.kind.name, id: user };
            let Some(stored) = resources::find(tx, key).await? else { continue };
            let loaded = Loaded::of(stored)?;
            let facts = Facts::of(&loaded.doc).unwrap_or_default();
            let mappings = maps::of_member(tx, &work.tenant, user).await?;
            let judged = work.law(&catalogue).apply(Some(&loaded.doc), &loaded.doc, &mappings)?;
            let (after, given) = work.seat(tx, &catalogue, (user, judged), manners).await?;
            opened.extend(given);
            work.rewrite(tx, loaded, &facts, &after).await?;
        }
        self.seat_waiters(tx, opened).await
    }
}

/// Whom these changes name; none where they may be about all members.
fn named(changes: &[MemberChange]) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for change in changes {
        match change {
            MemberChange::Add(add) => all.extend(add.iter().map(|member| member.value.clone())),
            MemberChange::Remove(gone) => all.extend(gone.iter().cloned()),
            MemberChange::Replace(_) | MemberChange::RemoveWhere(_) | MemberChange::Clear => {
                return None;
            }
        }
    }
    Some(all)
}
