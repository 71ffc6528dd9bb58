//! Departments and groups of agents, by name or id.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::app::Error;
use crate::app::rules::agents::wrong;
use crate::app::work::Work;
use crate::domain::agent::{self, Resolved};
use crate::ids::ResourceId;
use crate::scim::path::excerpt;
use crate::scim::{Doc, fold, urn};
use crate::store::{Tx, resources};

impl Work {
    /// The ids of the departments and groups that a user's document names anew. One text that means
    /// several becomes them.
    pub(super) async fn resolve_lists(
        &self,
        tx: &mut Tx<'_>,
        doc: &mut Doc,
        wishes: &[&str],
    ) -> Result<Resolved, Error> {
        let mut resolved = Resolved::default();
        if wishes.contains(&"departments") {
            let ids = self.resolve(tx, doc, "departments", urn::DEPARTMENT).await?;
            resolved.departments = Some(ids);
        }
        if wishes.contains(&"agentGroups") {
            let ids = self.resolve(tx, doc, "agentGroups", urn::AGENT_GROUP).await?;
            resolved.groups = Some(ids);
        }
        Ok(resolved)
    }

    async fn resolve(
        &self,
        tx: &mut Tx<'_>,
        doc: &mut Doc,
        name: &str,
        schema: &str,
    ) -> Result<Vec<String>, Error> {
        let work = self.on(schema)?;
        let list = agent::about(doc, name).and_then(Value::as_array).cloned().unwrap_or_default();
        let (mut written, mut ids): (Vec<String>, Vec<String>) = Default::default();
        for text in list.iter().filter_map(Value::as_str) {
            let (text, may_be_several) = agent::name(text);
            let known = work.known(tx, text).await?;
            let texts = match (&known, may_be_several) {
                (None, true) => agent::split(text),
                (Some(_), _) | (None, false) => vec![text.to_owned()],
            };
            for text in texts {
                let id = match &known {
                    Some(id) => id.clone(),
                    None => work.known_or_new(tx, name, &text).await?,
                };
                // Two names of one thing are one.
                if !ids.contains(&id) {
                    ids.push(id);
                    written.push(text);
                }
            }
        }
        let written = (!written.is_empty()).then(|| written.into());
        agent::set(agent::about_mut(doc), name, written);
        Ok(ids)
    }

    /// The id of what has this id or this name.
    pub(super) async fn known(&self, tx: &mut Tx<'_>, text: &str) -> Result<Option<String>, Error> {
        if let Some(loaded) = self.seek(tx, text).await? {
            return Ok(Some(loaded.stored.id));
        }
        let name = fold::folded(text);
        let found = self.having(tx, "displayName", &name, 1).await?.pop();
        Ok(found.map(|loaded| loaded.stored.id))
    }

    /// The id of the resource of this schema that has this id or this name.
    pub(in crate::app) async fn id_named(
        &self,
        tx: &mut Tx<'_>,
        (attribute, schema): (&str, &str),
        text: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let Some(text) = text else { return Ok(None) };
        let work = self.on(schema)?;
        let known = work.known(tx, text).await?;
        known.map(Some).ok_or_else(|| work.unknown(attribute, text))
    }

    async fn known_or_new(
        &self,
        tx: &mut Tx<'_>,
        attribute: &str,
        text: &str,
    ) -> Result<String, Error> {
        if let Some(id) = self.known(tx, text).await? {
            return Ok(id);
        }
        if !self.may_make(text) {
            return Err(self.unknown(attribute, text));
        }
        let id = ResourceId::new(self.now).to_string();
        let doc = Doc::from_iter([("displayName".to_owned(), text.into())]);
        self.add(tx, &id, doc, &[]).await?;
        Ok(id)
    }

    /// Whether a department or group of this name is made where there is none. An id that is nobody's is
    /// no name.
    fn may_make(&self, text: &str) -> bool {
        let is_name = !text.trim().is_empty() && !ResourceId::is_form(text);
        self.ctx.rules.create_departments && is_name
    }

    /// Takes out of a user's wishes what went since they were written: nothing is in the way of a link
    /// that the client of today did not write.
    pub(super) async fn drop_gone_wishes(
        &self,
        tx: &mut Tx<'_>,
        before: Option<&Doc>,
        doc: &mut Doc,
    ) -> Result<(), Error> {
        for (name, schema) in [("departments", urn::DEPARTMENT), ("agentGroups", urn::AGENT_GROUP)]
        {
            let wishes = agent::about(doc, name);
            if wishes.is_none() || before.and_then(|doc| agent::about(doc, name)) != wishes {
                continue;
            }
            let work = self.on(schema)?;
            let mut left = Vec::new();
            for wish in wishes.and_then(Value::as_array).cloned().unwrap_or_default() {
                let text = wish.as_str().unwrap_or_default();
                if work.may_make(text) || work.known(tx, text).await?.is_some() {
                    left.push(wish);
                }
            }
            let left = (!left.is_empty()).then(|| left.into());
            agent::set(agent::about_mut(doc), name, left);
        }
        Ok(())
    }

    pub(super) fn unknown(&self, attribute: &str, text: &str) -> Error {
        wrong(format!(
            "{attribute} '{}': there is no {} of that name or id. Make it first.",
            excerpt(text),
            self.kind.name
        ))
    }

    /// The names of an agent's departments and groups, by id.
    pub(super) async fn names_of(
        &self,
        tx: &mut Tx<'_>,
        agent: &Doc,
    ) -> Result<BTreeMap<String, String>, Error> {
        let mut names = BTreeMap::new();
        for (list, kind) in [("departments", "Department"), ("agentGroups", "AgentGroup")] {
            let ids = agent::ids(agent, list);
            let found = resources::labels(tx, &self.tenant, &[kind], &ids).await?;
            names.extend(found.into_iter().map(|(id, (_, label))| (id, label)));
        }
        Ok(names)
    }
}
