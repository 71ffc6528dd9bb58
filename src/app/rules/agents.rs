//! Call agents, applied: what a change of a user comes to at its agent, inside the transaction. Nothing
//! is locked: the writes of one tenant never run side by side.

mod extensions;
mod names;
mod parents;
mod telephony;

use crate::app::Error;
use crate::app::rules::{Ruled, Was};
use crate::app::work::{Loaded, New, Work};
use crate::clock::Micros;
use crate::domain::agent::{self, Link, Resolved};
use crate::domain::record::{self, Entry};
use crate::domain::role::Mapping;
use crate::ids::ResourceId;
use crate::scim::path::excerpt;
use crate::scim::{self, Doc, accept, urn};
use crate::store::lookup::{Ask, By};
use crate::store::{Tx, agents, held, lookup, maps};

use extensions::Owner;
use serde_json::{Value, json};
use std::sync::Arc;

/// A call agent on its way.
struct Agent {
    id: String,
    before: Option<Loaded>,
    doc: Doc,
    /// Whether the user was not linked to it before.
    is_new: bool,
}

impl Work {
    /// The same work on the type of this schema.
    pub(in crate::app) fn on(&self, schema: &str) -> Result<Self, Error> {
        let kinds = self.app.registry().types();
        let kind = kinds.iter().find(|kind| kind.schema.id == schema);
        let kind = kind.ok_or_else(|| Error::Internal(format!("there is no {schema} here")))?;
        let mut work = self.clone();
        work.kind = Arc::clone(kind);
        Ok(work)
    }

    /// The resource of this id, where there is one.
    pub(in crate::app) async fn seek(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
    ) -> Result<Option<Loaded>, Error> {
        match self.find(tx, id).await {
            Ok(loaded) => Ok(Some(loaded)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The resources that have this value of an indexed attribute.
    pub(in crate::app) async fn having(
        &self,
        tx: &mut Tx<'_>,
        attr: &str,
        value: &str,
        most: i64,
    ) -> Result<Vec<Loaded>, Error> {
        let ask = Ask {
            tenant: self.tenant.clone(),
            kind: self.kind.name.clone(),
            by: By::Value { attr: attr.to_owned(), value: scim::fold::index_value(value) },
            most,
            groups: false,
            members: 0,
        };
        let found = lookup::find(tx, &ask).await?;
        found.into_iter().map(|found| Loaded::of(found.stored)).collect()
    }

    /// Stores a new resource.
    pub(in crate::app) async fn add(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        mut doc: Doc,
        entries: &[Entry],
    ) -> Result<Doc, Error> {
        accept::finish(&self.kind, &mut doc);
        let ruled = Ruled::recorded(doc, self.change(entries, id, Some(1)));
        let draft = Arc::new(self.draft(&ruled.doc, ruled.beside)?);
        let new = New { id: id.to_owned(), doc: ruled.doc, draft, before: None };
        self.insert(tx, &new).await?;
        Ok(new.doc)
    }

    /// Writes another document of a resource, where it is another one.
    pub(in crate::app) async fn amend(
        &self,
        tx: &mut Tx<'_>,
        before: &Loaded,
        mut doc: Doc,
        entries: &[Entry],
    ) -> Result<(), Error> {
        accept::finish(&self.kind, &mut doc);
        if doc == before.doc {
            return Ok(());
        }
        let (id, version) = (&before.stored.id, before.stored.version + 1);
        self.end_sessions_by(tx, id, (&before.doc, &doc)).await?;
        let ruled = Ruled::recorded(doc, self.change(entries, id, Some(version)));
        self.update(tx, before, ruled).await.map(drop)
    }

    /// What a change of a user comes to: the document with what its agent makes of it.
    pub(super) async fn rule_agent_of(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        was: Was<'_>,
        wanted: &Doc,
    ) -> Result<Doc, Error> {
        let (rules, before) = (&self.ctx.rules, was.doc());
        let mut doc = wanted.clone();
        if !agent::concerns(rules, before, wanted) {
            return Ok(doc);
        }
        let asked = agent::asked(rules, before, &mut doc)?;
        let current = before.and_then(agent::linked);
        let next = self.next_agent(tx, (id, &doc), current, &asked.link).await?;
        if let Some(current) = current
            && next.as_ref().is_none_or(|next| next.is_new)
        {
            self.unlink(tx, id, current).await?;
            agent::unlink_user(&mut doc, &asked.wishes);
        }
        let turned = before.and_then(|doc| doc.get("active")) != doc.get("active");
        match next {
            Some(next) => {
                if before.and_then(agent::linked).is_none() {
                    self.drop_gone_wishes(tx, before, &mut doc).await?;
                }
                let next = self.give(tx, (id, &mut doc), next, &asked.wishes).await?;
                self.tie(tx, (id, &mut doc), next, turned).await?;
            }
            None => self.keep_wishes(tx, id, &mut doc, &asked.wishes).await?,
        }
        accept::finish(&self.kind, &mut doc);
        Ok(doc)
    }

    /// The agent that the user is linked to from now on.
    async fn next_agent(
        &self,
        tx: &mut Tx<'_>,
        (user, doc): (&str, &Doc),
        current: Option<&str>,
        link: &Link,
    ) -> Result<Option<Agent>, Error> {
        let of_agents = self.on(urn::CALL_AGENT)?;
        let loaded = match (link, current) {
            (Link::Cut, _) | (Link::Keep, None) => return Ok(None),
            (Link::Make, _) => {
                let id = ResourceId::new(self.now).to_string();
                return Ok(Some(Agent {
                    id,
                    before: None,
                    doc: agent::new_agent(doc),
                    is_new: true,
                }));
            }
            (Link::Keep, Some(id)) => match of_agents.seek(tx, id).await? {
                Some(loaded) => loaded,
                None => return Ok(None),
            },
            (Link::To(text), _) => of_agents.named_agent(tx, text).await?,
        };
        if agent::holder(&loaded.doc).is_some_and(|holder| holder != user) {
            return Err(self.taken_agent(tx, &about_text(doc, "agentId"), &loaded.doc).await?);
        }
        let (id, doc) = (loaded.stored.id.clone(), loaded.doc.clone());
        let is_new = current != Some(id.as_str());
        Ok(Some(Agent { id, before: Some(loaded), doc, is_new }))
    }

    /// Why an agent of somebody else is not to be had.
    async fn taken_agent(&self, tx: &mut Tx<'_>, name: &str, agent: &Doc) -> Result<Error, Error> {
        let name = excerpt(name);
        let holder = agent::holder(agent).unwrap_or_default();
        let held = held::deleted_until(tx, &self.tenant, holder).await?;
        Ok(Error::Taken(match held {
            Some(until) => format!("The call agent '{name}' {}", kept_until(until)),
            None => {
                format!("The call agent '{name}' is linked to another user. Unlink it there first.")
            }
        }))
    }

    /// The agent of this id, else of this agentNumber, else of this externalId.
    async fn named_agent(&self, tx: &mut Tx<'_>, text: &str) -> Result<Loaded, Error> {
        if let Some(loaded) = self.seek(tx, text).await? {
            return Ok(loaded);
        }
        for attr in ["agentNumber", "externalId"] {
            let mut found = self.having(tx, attr, text, 2).await?;
            match (found.pop(), found.len()) {
                (Some(loaded), 0) => return Ok(loaded),
                (Some(_), _) => {
                    return Err(wrong(format!(
                        "agentId '{}' is the {attr} of more than one call agent; name the one by its id.",
                        excerpt(text)
                    )));
                }
                (None, _) => {}
            }
        }
        Err(wrong(format!(
            "agentId '{}' is neither the id nor the agentNumber nor the externalId of a call agent.",
            excerpt(text)
        )))
    }

    /// Takes the user from the agent that it is linked to; what the agent has stays with it.
    async fn unlink(&self, tx: &mut Tx<'_>, user: &str, id: &str) -> Result<(), Error> {
        let of_agents = self.on(urn::CALL_AGENT)?;
        let Some(loaded) = of_agents.seek(tx, id).await? else { return Ok(()) };
        let mut doc = loaded.doc.clone();
        agent::unlink_agent(&mut doc);
        self.move_in_groups(tx, id, &loaded.doc, &doc).await?;
        let entry = Entry { name: "agent.unlinked", detail: json!({ "user": user }) };
        of_agents.amend(tx, &loaded, doc, &[entry]).await
    }

    /// Gives the wishes of a user to its agent.
    async fn give(
        &self,
        tx: &mut Tx<'_>,
        (user, doc): (&str, &mut Doc),
        mut next: Agent,
        wishes: &[&str],
    ) -> Result<Agent, Error> {
        let mut resolved = self.resolve_lists(tx, doc, wishes).await?;
        // What an unlinked user held so far.
        let held = agent::extension(doc).filter(|_| agent::linked(doc).is_none());
        let held = held.map(|(id, number)| (id.to_owned(), number.to_owned()));
        if wishes.contains(&"extension") {
            let own = agent::extension_of(&next.doc);
            let own = own.map(|(id, number)| (id.to_owned(), number.to_owned()));
            let text = about_text(doc, "extension");
            let owner = Owner { agent: Some(&next.id), user: Some(user) };
            let known = own.clone().or(held.clone());
            let taken = self.exchange(tx, &text, known, owner).await?;
            for gone in [own, held].into_iter().flatten() {
                if taken.as_ref() != Some(&gone) {
                    self.release(tx, &gone.0, owner).await?;
                }
            }
            resolved.extension = Some(taken);
        }
        agent::give(&mut next.doc, doc, wishes, &resolved);
        Ok(next)
    }

    /// Links an agent where that is new, stores it, and shows it in the user's document. `turned` says
    /// whether the user is suspended or reactivated.
    async fn tie(
        &self,
        tx: &mut Tx<'_>,
        (user, doc): (&str, &mut Doc),
        mut next: Agent,
        turned: bool,
    ) -> Result<(), Error> {
        let of_agents = self.on(urn::CALL_AGENT)?;
        agent::link_agent(&mut next.doc, user);
        if next.before.is_none() {
            agent::complete(None, &mut next.doc)?;
            of_agents.number(tx, &mut next.doc).await?;
        }
        let suspended = doc.get("active") != Some(&Value::Bool(true));
        // What was disabled with its user comes back with it, whatever the tenant wants by now.
        if (next.is_new || turned) && (self.ctx.rules.agent_follows_user || !suspended) {
            agent::follow(&mut next.doc, suspended);
        }
        let (departments, groups) = granted(&maps::of_member(tx, &self.tenant, user).await?);
        agent::grant(&mut next.doc, &departments, &groups);
        let before = next.before.as_ref().map(|before| before.doc.clone()).unwrap_or_default();
        self.move_in_groups(tx, &next.id, &before, &next.doc).await?;
        let linked = Entry { name: "agent.linked", detail: json!({ "user": user }) };
        match &next.before {
            None => {
                let entries = [record::plain("agent.created"), linked];
                next.doc = of_agents.add(tx, &next.id, next.doc, &entries).await?;
                let about = agent::about_mut(doc);
                about.insert("agentId".to_owned(), next.id.as_str().into());
            }
            Some(before) => {
                let entry = if next.is_new { linked } else { record::plain("agent.updated") };
                of_agents.amend(tx, before, next.doc.clone(), &[entry]).await?;
            }
        }
        let names = self.names_of(tx, &next.doc).await?;
        agent::view(doc, &next.id, &next.doc, &names);
        Ok(())
    }

    /// What is asked for without an agent is kept as a wish, and an extension is held for it.
    async fn keep_wishes(
        &self,
        tx: &mut Tx<'_>,
        user: &str,
        doc: &mut Doc,
        wishes: &[&str],
    ) -> Result<(), Error> {
        let _: Resolved = self.resolve_lists(tx, doc, wishes).await?;
        if !wishes.contains(&"extension") {
            return Ok(());
        }
        let owner = Owner { agent: None, user: Some(user) };
        let held = agent::extension(doc).map(|(id, number)| (id.to_owned(), number.to_owned()));
        let text = about_text(doc, "extension");
        let taken = self.exchange(tx, &text, held.clone(), owner).await?;
        if let Some(gone) = held.filter(|held| taken.as_ref() != Some(held)) {
            self.release(tx, &gone.0, owner).await?;
        }
        let shown = taken.as_ref().map(|(id, number)| (id.as_str(), number.as_str()));
        agent::view_extension(agent::about_mut(doc), shown);
        Ok(())
    }

    /// Gives the agent of a user what membership of these groups gives, and no more.
    pub(super) async fn grant_to_agent_of(
        &self,
        tx: &mut Tx<'_>,
        user: &Doc,
        mappings: &[Mapping],
    ) -> Result<(), Error> {
        let Some(id) = agent::linked(user) else { return Ok(()) };
        let of_agents = self.on(urn::CALL_AGENT)?;
        let Some(loaded) = of_agents.seek(tx, id).await? else { return Ok(()) };
        let (departments, groups) = granted(mappings);
        let mut doc = loaded.doc.clone();
        agent::grant(&mut doc, &departments, &groups);
        self.move_in_groups(tx, id, &loaded.doc, &doc).await?;
        of_agents.amend(tx, &loaded, doc, &[record::plain("agent.updated")]).await
    }

    /// The next agent number, where a document has none.
    async fn number(&self, tx: &mut Tx<'_>, doc: &mut Doc) -> Result<(), Error> {
        if !doc.contains_key("agentNumber") {
            let next = self.next_number(tx, "agentNumber").await?;
            doc.insert("agentNumber".to_owned(), next.into());
        }
        Ok(())
    }

    /// A number that nothing of this type has: the one after the highest.
    async fn next_number(&self, tx: &mut Tx<'_>, attr: &str) -> Result<String, Error> {
        for digits in agent::lengths() {
            let place = (self.kind.name.as_str(), attr);
            let highest = agents::highest(tx, &self.tenant, place, digits.into()).await?;
            if let Some(next) = agent::next_number(highest, digits) {
                return Ok(next.to_string());
            }
        }
        Err(agent::none_left(attr).into())
    }

    /// A user goes: its agent stays, and an extension that was held for none is free.
    pub(super) async fn leave_agent(
        &self,
        tx: &mut Tx<'_>,
        user: &str,
        before: &Doc,
    ) -> Result<(), Error> {
        match (agent::linked(before), agent::extension(before)) {
            (Some(id), _) => self.unlink(tx, user, id).await,
            (None, Some((held, _))) => {
                self.release(tx, held, Owner { agent: None, user: Some(user) }).await
            }
            (None, None) => Ok(()),
        }
    }

    /// The document of a user who comes back, with what its agent has by now.
    pub(in crate::app) async fn with_agent_of_today(
        &self,
        tx: &mut Tx<'_>,
        user: &str,
        mut doc: Doc,
    ) -> Result<Doc, Error> {
        let Some(id) = agent::linked(&doc).map(str::to_owned) else { return Ok(doc) };
        let found = self.on(urn::CALL_AGENT)?.seek(tx, &id).await?;
        match found.filter(|found| agent::holder(&found.doc) == Some(user)) {
            Some(found) => {
                let names = self.names_of(tx, &found.doc).await?;
                agent::view(&mut doc, &id, &found.doc, &names);
            }
            None => agent::unlink_user(&mut doc, &[]),
        }
        accept::finish(&self.kind, &mut doc);
        Ok(doc)
    }

    /// Shows a changed agent in the document of its user. `fresh` is what is not stored yet: the id and
    /// the name of a group.
    async fn mirror(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        agent: &Doc,
        fresh: Option<(&str, &str)>,
    ) -> Result<(), Error> {
        let Some(user) = agent::holder(agent) else { return Ok(()) };
        let of_users = self.of_users();
        let Some(loaded) = of_users.seek(tx, user).await? else { return Ok(()) };
        let mut doc = loaded.doc.clone();
        let mut names = self.names_of(tx, agent).await?;
        names.extend(fresh.map(|(id, name)| (id.to_owned(), name.to_owned())));
        agent::view(&mut doc, id, agent, &names);
        of_users.amend(tx, &loaded, doc, &[record::plain("user.updated")]).await
    }
}

/// The departments and the groups of agents that these groups give, each once.
fn granted(mappings: &[Mapping]) -> (Vec<String>, Vec<String>) {
    let mut sorted: Vec<&Mapping> = mappings.iter().collect();
    sorted.sort_by_key(|mapping| (mapping.priority, &mapping.group));
    let all = |of: fn(&Mapping) -> Option<&String>| {
        let mut all: Vec<String> = Vec::new();
        for id in sorted.iter().filter_map(|mapping| of(mapping)) {
            if !all.contains(id) {
                all.push(id.clone());
            }
        }
        all
    };
    (all(|mapping| mapping.department.as_ref()), all(|mapping| mapping.agent_group.as_ref()))
}

fn about_text(user: &Doc, name: &str) -> String {
    let text = agent::about(user, name).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// Why an agent of a deleted user is not free.
fn kept_until(until: Micros) -> String {
    format!(
        "is kept for a deleted user until {}, since the brake holds that deletion. An administrator undoes or confirms it below /admin/brake.",
        until.rfc3339()
    )
}

fn wrong(sentence: String) -> Error {
    scim::Error::InvalidValue(sentence).into()
}
