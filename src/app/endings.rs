//! Sessions inside a transaction: begun, and ended with the change that they end by.

use crate::app::Error;
use crate::app::door::Client;
use crate::app::vault::random;
use crate::app::work::{Loaded, Work};
use crate::domain::{record, standing};
use crate::ids::SessionId;
use crate::scim::Doc;
use crate::store::sessions::{self, Session};
use crate::store::{Tx, logins, records};

/// Sessions of one user, at most; the one that was not used for longest ends for a new one.
const MOST: i64 = 50;

impl Work {
    /// Begins a session of a user who may have one.
    pub(super) async fn begin_session(
        &self,
        tx: &mut Tx<'_>,
        user: &Loaded,
        account: Option<String>,
        client: &Client,
    ) -> Result<Session, Error> {
        let id = &user.stored.id;
        let session = Session {
            id: SessionId::new(self.now),
            tenant: self.tenant.clone(),
            user: id.clone(),
            account,
            created: self.now,
            used: self.now,
            expires: self.app.ends(self.now, self.now),
            network: client.network(),
            agent: client.agent.clone(),
            generation: 1,
            salt: hex::encode(random::<16>()?),
        };
        sessions::insert(tx, &session).await?;
        sessions::crowd_out(tx, &self.tenant, id, MOST).await?;
        logins::note(tx, &self.tenant, id, (self.now, &session.network)).await?;
        Ok(session)
    }

    /// Ends all sessions of a user in the transaction of what they end by; how many there were. The event
    /// says why. Without any it writes nothing.
    pub(super) async fn end_sessions(
        &self,
        tx: &mut Tx<'_>,
        user: &str,
        reason: &str,
    ) -> Result<u64, Error> {
        let ended = sessions::end_all(tx, &self.tenant, user).await?;
        if ended > 0 {
            logins::raise_epoch(tx, &self.tenant, user).await?;
            self.note_revoked(tx, user, (reason, ended)).await?;
        }
        Ok(ended)
    }

    /// The same where somebody asks for it: the epoch grows in any case, since access tokens may be left
    /// of sessions that are not.
    pub(super) async fn revoke(
        &self,
        tx: &mut Tx<'_>,
        user: &str,
        reason: &str,
    ) -> Result<u64, Error> {
        let ended = sessions::end_all(tx, &self.tenant, user).await?;
        logins::raise_epoch(tx, &self.tenant, user).await?;
        self.note_revoked(tx, user, (reason, ended)).await?;
        Ok(ended)
    }

    pub(super) async fn note_revoked(
        &self,
        tx: &mut Tx<'_>,
        user: &str,
        (reason, ended): (&str, u64),
    ) -> Result<(), Error> {
        let change = self.change(&[record::sessions_revoked(reason, ended)], user, None);
        Ok(records::write(tx, &self.tenant, change.as_slice()).await?)
    }

    /// Ends the sessions of a user whose document becomes this one, where that takes rights away.
    pub(super) async fn end_sessions_by(
        &self,
        tx: &mut Tx<'_>,
        user: &str,
        (before, after): (&Doc, &Doc),
    ) -> Result<(), Error> {
        match standing::ends(before, after) {
            Some(reason) if self.has_rules() => self.end_sessions(tx, user, reason).await.map(drop),
            Some(_) | None => Ok(()),
        }
    }
}
