//! Groups whose membership gives roles and seats.

use serde_json::Value;

use crate::app::work::{Loaded, Work};
use crate::app::{Error, catalogue};
use crate::domain::catalogue::Catalogue;
use crate::domain::facts::Facts;
use crate::domain::role::{self, Mapping};
use crate::domain::seat::Manners;
use crate::scim::patch::MemberChange;
use crate::scim::{Doc, accept, urn};
use crate::store::resources::{self, Key};
use crate::store::{Tx, maps, tenants};

/// The members of a mapped group before a change of them.
#[derive(Debug)]
pub(in crate::app) struct Roll {
    mapping: Mapping,
    /// Those whom the change names; none where it may be about all.
    named: Option<Vec<String>>,
    before: Vec<String>,
}

impl Roll {
    /// That of a group that was just made.
    pub(in crate::app) fn of_new(mapping: Mapping) -> Self {
        Self { mapping, named: None, before: Vec::new() }
    }
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

    /// Whether the name of a new resource may stand for a role that its members get.
    pub(super) fn may_be_mapped_by_name(&self) -> bool {
        self.ctx.rules.name_rule.is_some() && self.kind.extension(urn::GROUP_MAPPING).is_some()
    }

    /// The document of a new group, mapped once and for all where its name stands for a role: a later
    /// name changes nothing, so that nobody gets rights by giving one.
    pub(super) async fn map_by_name(
        &self,
        tx: &mut Tx<'_>,
        mut catalogue: Catalogue,
        id: &str,
        wanted: &Doc,
    ) -> Result<Doc, Error> {
        let name = wanted.get("displayName").and_then(Value::as_str).unwrap_or_default();
        let role = role::by_name(&self.ctx.rules, &catalogue, name);
        let Some(role) = role.filter(|_| self.may_be_mapped_by_name()) else {
            return Ok(wanted.clone());
        };
        let mapping = Mapping {
            group: id.to_owned(),
            role: Some(role.value),
            priority: 100,
            ..Mapping::default()
        };
        self.set_mapping(tx, &mut catalogue, &mapping).await?;
        Ok(self.with_mapping(wanted, &mapping))
    }

    /// Gives a group a meaning, or none.
    pub(in crate::app) async fn set_mapping(
        &self,
        tx: &mut Tx<'_>,
        catalogue: &mut Catalogue,
        mapping: &Mapping,
    ) -> Result<(), Error> {
        if mapping.is_any() {
            maps::set(tx, &self.tenant, mapping).await?;
        } else {
            maps::forget(tx, &self.tenant, &mapping.group).await?;
        }
        if !catalogue.maps_groups {
            catalogue.maps_groups = true;
            tenants::set_catalogue(tx, &self.tenant, &catalogue::text(catalogue)?).await?;
        }
        Ok(())
    }

    /// The document of a group that says what its membership means.
    pub(in crate::app) fn with_mapping(&self, group: &Doc, mapping: &Mapping) -> Doc {
        let mut doc = group.clone();
        let means = [
            ("role", "grantsRole", &mapping.role),
            ("seat", "grantsSeatType", &mapping.seat_type),
            ("department", "department", &mapping.department),
            ("agentGroup", "agentGroup", &mapping.agent_group),
        ];
        let Some((kind, ..)) = means.iter().find(|(_, _, value)| value.is_some()) else {
            doc.shift_remove(urn::GROUP_MAPPING);
            accept::finish(&self.kind, &mut doc);
            return doc;
        };
        let mut about = Doc::new();
        about.insert("kind".to_owned(), (*kind).into());
        for (_, name, value) in means {
            about.extend(value.clone().map(|value| (name.to_owned(), value.into())));
        }
        about.insert("priority".to_owned(), mapping.priority.into());
        doc.insert(urn::GROUP_MAPPING.to_owned(), about.into());
        accept::finish(&self.kind, &mut doc);
        doc
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
            work.rewrite(tx, &loaded, &facts, &after).await?;
            work.grant_to_agent_of(tx, &loaded.doc, &mappings).await?;
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
