//! E-mail addresses that only one user of a tenant may have.

use crate::app::Error;
use crate::app::rules::Was;
use crate::app::work::Work;
use crate::domain::email;
use crate::scim::path::excerpt;
use crate::scim::{Doc, fold};
use crate::store::Tx;

impl Work {
    /// Whether a change gives somebody an address that nobody else may have: others have to be looked at
    /// inside the transaction.
    pub(super) fn gives_addresses(&self, was: Was<'_>, wanted: &Doc) -> bool {
        !email::given(&self.ctx.rules, was.doc(), wanted).is_empty()
    }

    /// Refuses such an address where another user has it. Nothing is locked: the writes of one tenant
    /// never run side by side.
    pub(in crate::app) async fn check_addresses(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        was: Was<'_>,
        wanted: &Doc,
    ) -> Result<(), Error> {
        for address in email::given(&self.ctx.rules, was.doc(), wanted) {
            let holders = self.having(tx, "emails.value", &fold::folded(address), 2).await?;
            if holders.iter().any(|holder| holder.stored.id != id) {
                return Err(Error::Taken(format!(
                    "User with email '{}' already exists. Invite that user, or give them a membership in another account, instead of creating another user.",
                    excerpt(address)
                )));
            }
        }
        Ok(())
    }
}
