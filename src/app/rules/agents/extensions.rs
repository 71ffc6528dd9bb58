//! Who has which phone extension.

use serde_json::json;

use crate::app::Error;
use crate::app::work::{Loaded, Work};
use crate::domain::agent::{self, AUTO};
use crate::ids::ResourceId;
use crate::scim::{Doc, urn};
use crate::store::{Tx, agents};

/// For whom an extension is: an agent, or a user who has none yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner<'o> {
    pub(super) agent: Option<&'o str>,
    pub(super) user: Option<&'o str>,
}

impl Owner<'_> {
    /// Whether the extension is this owner's, be it by a wish.
    fn has(self, extension: &Doc) -> bool {
        let of = |name: &str| extension.get(name).and_then(|part| part["value"].as_str());
        let mine = |owner: Option<&str>, mine: Option<&str>| owner.is_some() && owner == mine;
        mine(of("agent"), self.agent) || mine(of("user"), self.user)
    }

    fn put(self, extension: &mut Doc) {
        extension.shift_remove("agent");
        extension.shift_remove("user");
        match (self.agent, self.user) {
            (Some(agent), _) => extension.insert("agent".to_owned(), json!({ "value": agent })),
            (None, Some(user)) => extension.insert("user".to_owned(), json!({ "value": user })),
            (None, None) => None,
        };
    }
}

fn is_free(extension: &Doc) -> bool {
    !extension.contains_key("agent") && !extension.contains_key("user")
}

impl Work {
    /// The extension that this text asks for, taken: none for an empty text, the one that is there for
    /// `auto`.
    pub(super) async fn exchange(
        &self,
        tx: &mut Tx<'_>,
        text: &str,
        known: Option<(String, String)>,
        owner: Owner<'_>,
    ) -> Result<Option<(String, String)>, Error> {
        if text.is_empty() {
            return Ok(None);
        }
        match known {
            Some((_, number)) if text.eq_ignore_ascii_case(AUTO) => {
                self.claim(tx, &number, owner).await.map(Some)
            }
            Some(_) | None => self.claim(tx, text, owner).await.map(Some),
        }
    }

    /// Takes the extension of this number, which is made where there is none; `auto` means one that is
    /// free. Its id and number.
    async fn claim(
        &self,
        tx: &mut Tx<'_>,
        text: &str,
        owner: Owner<'_>,
    ) -> Result<(String, String), Error> {
        let work = self.on(urn::PHONE_EXTENSION)?;
        let any = text.eq_ignore_ascii_case(AUTO);
        let found = if any {
            agents::free_extension(tx, &self.tenant).await?.map(Loaded::of).transpose()?
        } else {
            work.having(tx, "number", text, 1).await?.pop()
        };
        let Some(loaded) = found else {
            let number = if any { work.next_number(tx, "number").await? } else { text.to_owned() };
            // What a user wishes was looked at before.
            agent::check_number("extensionNumber", &number)?;
            let id = ResourceId::new(self.now).to_string();
            let mut doc = Doc::from_iter([("number".to_owned(), number.as_str().into())]);
            owner.put(&mut doc);
            agent::complete_extension(&mut doc);
            work.add(tx, &id, doc, &[]).await?;
            return Ok((id, number));
        };
        if !is_free(&loaded.doc) && !owner.has(&loaded.doc) {
            return Err(Error::Taken(format!(
                "The phone extension '{text}' belongs to somebody else. Name another one, or auto."
            )));
        }
        let mut doc = loaded.doc.clone();
        owner.put(&mut doc);
        let number = doc.get("number").and_then(|number| number.as_str()).unwrap_or(text);
        let taken = (loaded.stored.id.clone(), number.to_owned());
        work.amend(tx, &loaded, doc, &[]).await?;
        Ok(taken)
    }

    /// Gives an extension free, where it is this owner's.
    pub(super) async fn release(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        owner: Owner<'_>,
    ) -> Result<(), Error> {
        let work = self.on(urn::PHONE_EXTENSION)?;
        let Some(loaded) = work.seek(tx, id).await? else { return Ok(()) };
        if !owner.has(&loaded.doc) {
            return Ok(());
        }
        let mut doc = loaded.doc.clone();
        Owner { agent: None, user: None }.put(&mut doc);
        work.amend(tx, &loaded, doc, &[]).await
    }
}
