//! Which of their accounts people use.

use serde_json::Value;

use crate::app::work::Work;
use crate::app::{App, Error};
use crate::domain::standing::{self, Refusal};
use crate::scim::{Doc, urn};
use crate::store::Tx;

/// Accounts of a user that are looked at for one that can be used.
const LOOKED_AT: usize = 20;

/// An account that somebody can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its id.
    pub id: String,
    /// Its number.
    pub number: String,
    /// Its name; its number where it has none.
    pub name: String,
}

impl App {
    /// The accounts that a user can choose among, the primary one first; a page asks where there are
    /// several, and begins with [`crate::app::signin::Attempt::account`] or [`App::refresh`].
    pub async fn choices(&self, tenant: &str, user: &str) -> Result<Vec<Choice>, Error> {
        let ctx = self.on_behalf(tenant, user).await?;
        let (work, user) = (Work::new(self, &ctx, self.users()?), user.to_owned());
        let look = async move |tx: &mut Tx<'_>| {
            let of_accounts = work.on(urn::ACCOUNT)?;
            let mut all = Vec::new();
            for account in standing::accounts(&work.find(tx, &user).await?.doc) {
                let found = of_accounts.seek(tx, &account).await?;
                all.extend(found.filter(|found| is_usable(&found.doc)).map(|found| choice(&found)));
            }
            Ok::<_, Error>(all)
        };
        self.store().read(look).await
    }
}

fn choice(account: &crate::app::work::Loaded) -> Choice {
    let text = |name: &str| account.doc.get(name).and_then(Value::as_str).map(str::to_owned);
    let number = text("accountNumber").unwrap_or_default();
    let name = text("displayName").unwrap_or_else(|| number.clone());
    Choice { id: account.stored.id.clone(), number, name }
}

impl Work {
    /// The account that is used: the one that is wished for, which must be one of the user's and active,
    /// else the one that was used before, else the first that is active.
    pub(super) async fn choose_account(
        &self,
        tx: &mut Tx<'_>,
        user: &Doc,
        (wish, before): (Option<&str>, Option<&str>),
    ) -> Result<Option<String>, Error> {
        let mut all = standing::accounts(user);
        let of_accounts = self.on(urn::ACCOUNT)?;
        if let Some(wish) = wish {
            let refused = || Error::SignIn(Refusal::Account);
            let found = match of_accounts.named(tx, wish).await {
                Err(Error::NotFound { .. }) => None,
                other => Some(other?),
            };
            let found =
                found.filter(|found| all.contains(&found.stored.id) && is_usable(&found.doc));
            return Ok(Some(found.ok_or_else(refused)?.stored.id));
        }
        // The sort is stable: the one that was used before comes first.
        all.sort_by_key(|account| Some(account.as_str()) != before);
        for account in all.into_iter().take(LOOKED_AT) {
            let found = of_accounts.seek(tx, &account).await?;
            if found.is_some_and(|found| is_usable(&found.doc)) {
                return Ok(Some(account));
            }
        }
        Ok(None)
    }
}

fn is_usable(account: &Doc) -> bool {
    account.get("status").and_then(serde_json::Value::as_str) == Some("active")
}
