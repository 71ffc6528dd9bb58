//! Changes of call agents, their groups and their extensions themselves.

use serde_json::{Value, json};

use crate::app::Error;
use crate::app::rules::agents::extensions::Owner;
use crate::app::rules::agents::{kept_until, wrong};
use crate::app::rules::{Foreseen, Ruled, Was};
use crate::app::work::{Loaded, Work};
use crate::domain::{agent, record};
use crate::scim::etag::Conditions;
use crate::scim::path::excerpt;
use crate::scim::{Doc, accept, urn};
use crate::store::{Tx, held, maps};

/// Members of one group of agents.
const MOST_MEMBERS: usize = 1000;
/// Agents that a deletion rewrites at once: others write in between.
const AT_ONCE: i64 = 100;
/// Where agents say what they belong to.
const LISTS: [(&str, &str); 2] =
    [("departments", urn::DEPARTMENT), ("agentGroups", urn::AGENT_GROUP)];

impl Work {
    fn is(&self, schema: &str) -> bool {
        self.kind.schema.id == schema
    }

    /// A document of no user, where nothing beside it has to be looked at.
    pub(in crate::app::rules) fn foresee_telephony(&self, mut doc: Doc) -> Result<Foreseen, Error> {
        let is_below = self.is(urn::DEPARTMENT) && doc.contains_key("parent");
        if self.is(urn::CALL_AGENT) || self.is(urn::AGENT_GROUP) || is_below {
            return Ok(Foreseen::Open(doc));
        }
        if self.is(urn::PHONE_EXTENSION) {
            let number = doc.get("number").and_then(Value::as_str).unwrap_or_default();
            agent::check_number("number", number)?;
            agent::complete_extension(&mut doc);
            accept::finish(&self.kind, &mut doc);
        }
        Ok(Foreseen::Ruled(Ruled::plain(doc)))
    }

    /// What a change of an agent, a group or a department comes to.
    pub(in crate::app::rules) async fn rule_telephony(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        was: Was<'_>,
        wanted: &Doc,
    ) -> Result<Ruled, Error> {
        if self.is(urn::CALL_AGENT) {
            return self.rule_agent(tx, id, was, wanted).await;
        }
        if self.is(urn::AGENT_GROUP) {
            return self.rule_group(tx, id, was, wanted).await;
        }
        let mut doc = wanted.clone();
        if self.is(urn::DEPARTMENT) {
            self.resolve_department(tx, (id, "parent"), was, &mut doc).await?;
        }
        Ok(Ruled::plain(doc))
    }

    async fn rule_agent(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        was: Was<'_>,
        wanted: &Doc,
    ) -> Result<Ruled, Error> {
        let nothing = Doc::new();
        let before = was.doc().unwrap_or(&nothing);
        let mut doc = wanted.clone();
        agent::complete(was.doc(), &mut doc)?;
        self.number(tx, &mut doc).await?;
        for (name, schema) in LISTS {
            if doc.get(name) != before.get(name) {
                self.on(schema)?.resolve_elements(tx, &mut doc, name).await?;
            }
        }
        agent::keep_granted(before, &mut doc);
        if doc.get("extensionNumber") != before.get("extensionNumber") {
            let text = doc.get("extensionNumber").and_then(Value::as_str).unwrap_or_default();
            let text = text.to_owned();
            let known = agent::extension_of(before);
            let known = known.map(|(id, number)| (id.to_owned(), number.to_owned()));
            let owner = Owner { agent: Some(id), user: agent::holder(before) };
            let taken = self.exchange(tx, &text, known.clone(), owner).await?;
            if let Some(gone) = known.filter(|known| taken.as_ref() != Some(known)) {
                self.release(tx, &gone.0, owner).await?;
            }
            let part = taken.map(|(id, number)| json!({ "value": id, "number": number }));
            agent::set(&mut doc, "extension", part);
        }
        accept::finish(&self.kind, &mut doc);
        self.move_in_groups(tx, id, before, &doc).await?;
        self.mirror(tx, id, &doc, None).await?;
        let name = if was.doc().is_some() { "agent.updated" } else { "agent.created" };
        let change = self.change(&[record::plain(name)], id, Some(was.next_version()));
        Ok(Ruled::recorded(doc, change))
    }

    /// Names among the elements become ids.
    async fn resolve_elements(
        &self,
        tx: &mut Tx<'_>,
        doc: &mut Doc,
        name: &str,
    ) -> Result<(), Error> {
        let Some(Value::Array(list)) = doc.get_mut(name) else { return Ok(()) };
        for element in list {
            let text = element["value"].as_str().unwrap_or_default().to_owned();
            let known = self.known(tx, &text).await?;
            element["value"] = known.ok_or_else(|| self.unknown(name, &text))?.into();
        }
        Ok(())
    }

    async fn rule_group(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        was: Was<'_>,
        wanted: &Doc,
    ) -> Result<Ruled, Error> {
        let before = was.doc().map(|doc| agent::ids(doc, "members")).unwrap_or_default();
        let mut doc = wanted.clone();
        if let Some(Value::Array(list)) = doc.get_mut("members") {
            if list.len() > MOST_MEMBERS {
                return Err(crowded());
            }
            for element in list {
                let text = element["value"].as_str().unwrap_or_default().to_owned();
                if !before.contains(&text) {
                    element["value"] = self.agent_of_member(tx, &text).await?.into();
                }
            }
        }
        self.resolve_department(tx, (id, "department"), was, &mut doc).await?;
        self.keep_granted_members(tx, id, was, &mut doc).await?;
        accept::finish(&self.kind, &mut doc);
        let after = agent::ids(&doc, "members");
        let name = doc.get("displayName").and_then(Value::as_str).unwrap_or_default();
        for gone in before.iter().filter(|member| !after.contains(member)) {
            self.regroup(tx, gone, (id, name), false).await?;
        }
        for came in after.iter().filter(|member| !before.contains(member)) {
            self.regroup(tx, came, (id, name), true).await?;
        }
        Ok(Ruled::plain(doc))
    }

    /// Puts back the members whom a client left out although groups give them this group.
    async fn keep_granted_members(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        was: Was<'_>,
        doc: &mut Doc,
    ) -> Result<(), Error> {
        let of_agents = self.on(urn::CALL_AGENT)?;
        let had = was.doc().and_then(|doc| doc.get("members")).and_then(Value::as_array);
        let stay = agent::ids(doc, "members");
        for member in had.into_iter().flatten() {
            let text = member["value"].as_str().unwrap_or_default();
            if stay.iter().any(|stays| stays == text) {
                continue;
            }
            let found = of_agents.seek(tx, text).await?;
            if found.is_some_and(|found| agent::granted(&found.doc).iter().any(|one| one == id)) {
                let list = doc.entry("members").or_insert_with(|| json!([]));
                list.as_array_mut().into_iter().for_each(|list| list.push(member.clone()));
            }
        }
        Ok(())
    }

    /// The agent that a member names: by its own id, or by that of its user.
    async fn agent_of_member(&self, tx: &mut Tx<'_>, text: &str) -> Result<String, Error> {
        if self.on(urn::CALL_AGENT)?.seek(tx, text).await?.is_some() {
            return Ok(text.to_owned());
        }
        let Some(user) = self.of_users().seek(tx, text).await? else {
            return Err(wrong(format!("members '{}' is no call agent.", excerpt(text))));
        };
        let linked = agent::linked(&user.doc).map(str::to_owned);
        linked.ok_or_else(|| {
            wrong(format!("members '{}' is a user who has no call agent.", excerpt(text)))
        })
    }

    /// Writes into an agent that it belongs to a group, or no more.
    async fn regroup(
        &self,
        tx: &mut Tx<'_>,
        agent: &str,
        (group, name): (&str, &str),
        comes: bool,
    ) -> Result<(), Error> {
        let of_agents = self.on(urn::CALL_AGENT)?;
        let Some(loaded) = of_agents.seek(tx, agent).await? else { return Ok(()) };
        let mut doc = loaded.doc.clone();
        relist(&mut doc, "agentGroups", group, comes);
        // The group may be about to be stored.
        of_agents.rewrite_agent(tx, &loaded, doc, Some((group, name))).await
    }

    async fn rewrite_agent(
        &self,
        tx: &mut Tx<'_>,
        loaded: &Loaded,
        doc: Doc,
        named: Option<(&str, &str)>,
    ) -> Result<(), Error> {
        self.amend(tx, loaded, doc.clone(), &[record::plain("agent.updated")]).await?;
        self.mirror(tx, &loaded.stored.id, &doc, named).await
    }

    /// Puts an agent into the groups that its document names anew, and takes it out of the others.
    pub(super) async fn move_in_groups(
        &self,
        tx: &mut Tx<'_>,
        agent: &str,
        before: &Doc,
        after: &Doc,
    ) -> Result<(), Error> {
        let (before, after) = (agent::ids(before, "agentGroups"), agent::ids(after, "agentGroups"));
        if before == after {
            return Ok(());
        }
        let of_groups = self.on(urn::AGENT_GROUP)?;
        let gone = before.iter().filter(|group| !after.contains(group)).map(|group| (group, false));
        let came = after.iter().filter(|group| !before.contains(group)).map(|group| (group, true));
        for (group, comes) in gone.chain(came) {
            let Some(loaded) = of_groups.seek(tx, group).await? else { continue };
            let mut doc = loaded.doc.clone();
            relist(&mut doc, "members", agent, comes);
            if agent::ids(&doc, "members").len() > MOST_MEMBERS {
                return Err(crowded());
            }
            of_groups.amend(tx, &loaded, doc, &[]).await?;
        }
        Ok(())
    }

    /// What has to be seen to before a resource goes; refuses where others need it.
    pub(in crate::app) async fn let_go(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        doc: &Doc,
    ) -> Result<(), Error> {
        if self.is(urn::CALL_AGENT) {
            return self.end_agent(tx, id, doc).await;
        }
        if self.is(urn::PHONE_EXTENSION) && (doc.contains_key("agent") || doc.contains_key("user"))
        {
            return Err(Error::InUse(
                "The phone extension belongs to somebody. Give that agent another one first."
                    .to_owned(),
            ));
        }
        if self.is(urn::DEPARTMENT) {
            self.leave_department(tx, id).await?;
        }
        match self.agents_list() {
            Some(list) => self.leave_agents(tx, (id, list), i64::from(i32::MAX)).await.map(drop),
            None => Ok(()),
        }
    }

    /// Whether agents belong to what is of this type.
    pub(in crate::app) fn has_agents(&self) -> bool {
        self.agents_list().is_some()
    }

    /// Where agents say that they belong to what is of this type.
    fn agents_list(&self) -> Option<&'static str> {
        LISTS.iter().find(|(_, schema)| self.is(schema)).map(|(name, _)| *name)
    }

    /// Takes what is about to be deleted out of some of its agents; whether there may be more of them.
    pub(in crate::app) async fn thin_out(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        conditions: &Conditions,
    ) -> Result<bool, Error> {
        let Some(list) = self.agents_list() else { return Ok(false) };
        let loaded = self.find(tx, id).await?;
        Self::check_conditions(conditions, &loaded)?;
        self.leave_agents(tx, (id, list), AT_ONCE).await
    }

    async fn leave_agents(
        &self,
        tx: &mut Tx<'_>,
        (id, list): (&str, &str),
        most: i64,
    ) -> Result<bool, Error> {
        if let Some(group) = maps::giving(tx, &self.tenant, id).await? {
            return Err(Error::InUse(format!(
                "Membership of the group '{group}' gives this {}. Map that group otherwise first.",
                self.kind.name
            )));
        }
        let of_agents = self.on(urn::CALL_AGENT)?;
        let agents = of_agents.having(tx, &format!("{list}.value"), id, most).await?;
        for loaded in &agents {
            let mut doc = loaded.doc.clone();
            relist(&mut doc, list, id, false);
            of_agents.rewrite_agent(tx, loaded, doc, None).await?;
        }
        Ok(i64::try_from(agents.len()).is_ok_and(|count| count >= most))
    }

    async fn end_agent(&self, tx: &mut Tx<'_>, id: &str, doc: &Doc) -> Result<(), Error> {
        if let Some(holder) = agent::holder(doc) {
            let held = held::deleted_until(tx, &self.tenant, holder).await?;
            return Err(Error::InUse(match held {
                Some(until) => format!("The call agent {}", kept_until(until)),
                None => {
                    "The call agent is linked to a user. Unlink it first: clear the user's agentId."
                        .to_owned()
                }
            }));
        }
        self.move_in_groups(tx, id, doc, &Doc::new()).await?;
        match agent::extension_of(doc) {
            Some((held, _)) => self.release(tx, held, Owner { agent: Some(id), user: None }).await,
            None => Ok(()),
        }
    }
}

/// Puts an element into a list, or takes it out.
fn relist(doc: &mut Doc, name: &str, id: &str, comes: bool) {
    let mut list = doc.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let is_there = list.iter().any(|element| element["value"] == id);
    if comes && !is_there {
        list.push(json!({ "value": id }));
    } else if !comes {
        list.retain(|element| element["value"] != id);
    }
    agent::set(doc, name, (!list.is_empty()).then_some(list.into()));
}

fn crowded() -> Error {
    wrong(format!("A group of agents has {MOST_MEMBERS} members at most."))
}
