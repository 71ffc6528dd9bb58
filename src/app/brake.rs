//! What the brake holds: shown to administrators, who bring it back or finish it; what nobody decides
//! about is finished by time.

use serde_json::Value;

use crate::app::resets::RESET;
use crate::app::rules::{Ruled, Was, is_held};
use crate::app::work::{New, Work};
use crate::app::{App, Ctx, Error, catalogue};
use crate::domain::facts::{Facts, Reason, Seat};
use crate::domain::scope::Scope;
use crate::domain::seat::Manners;
use crate::domain::{account, record};
use crate::scim::accept::MemberRef;
use crate::scim::patch::MemberChange;
use crate::scim::{Doc, urn};
pub use crate::store::held::Sum;
use crate::store::held::{self, Gone, Held};
use crate::store::{Tx, passwords, records, tickets};
use std::sync::Arc;

/// Users that are looked at in one transaction.
const PIECE: i64 = 100;

/// What became of everything that was held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decided {
    /// Suspensions that were undone or finished.
    pub suspended: i64,
    /// Deletions that were undone or finished.
    pub deleted: i64,
    /// Users about whom that could not be done, and who are held on.
    pub refused: Vec<Refused>,
}

/// A user about whom nothing could be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its `id`.
    pub id: String,
    /// Its `userName`.
    pub name: String,
    /// Why.
    pub detail: String,
}

/// What is done with everything that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Undo,
    Finish(&'static str),
}

impl App {
    /// How many users of the tenant are held.
    pub async fn brake(&self, ctx: &Ctx) -> Result<Sum, Error> {
        ctx.require(Scope::UsersRead)?;
        let tenant = ctx.tenant.clone();
        self.store().read(async move |tx: &mut Tx<'_>| Ok(held::sum(tx, &tenant).await?)).await
    }

    /// Reactivates and restores everybody who is held, with what they had. Who cannot be brought back,
    /// such as one whose userName somebody else has taken, is told and held on.
    pub async fn undo_brake(&self, ctx: &Ctx) -> Result<Decided, Error> {
        self.decide(ctx, Verdict::Undo).await
    }

    /// Finishes everything that is held: seats are given back, agents unlinked.
    pub async fn confirm_brake(&self, ctx: &Ctx) -> Result<Decided, Error> {
        self.decide(ctx, Verdict::Finish("confirm")).await
    }

    /// Clients that write users are whom the brake is for: it takes more than their scope to decide.
    async fn decide(&self, ctx: &Ctx, verdict: Verdict) -> Result<Decided, Error> {
        ctx.require(Scope::SeatsWrite)?;
        ctx.require(Scope::UsersWrite)?;
        self.decide_until(ctx, verdict, false).await
    }

    /// Finishes what was held long enough, in all tenants.
    pub async fn end_holds(&self) -> Result<(), Error> {
        let now = self.clock().now();
        let due = self.store().read(async move |tx: &mut Tx<'_>| held::due(tx, now).await).await?;
        if due.is_empty() {
            return Ok(());
        }
        let tenants = self.tenants().await?;
        for tenant in tenants.iter().filter(|tenant| due.contains(&tenant.id)) {
            let ctx = self.operator(&tenant.name).await?;
            let ended = self.decide_until(&ctx, Verdict::Finish("time"), true).await?;
            for Refused { id, detail, .. } in ended.refused {
                tracing::warn!(tenant = %tenant.name, user = %id, detail, "a held user is held on");
            }
        }
        Ok(())
    }

    /// Piece by piece, so that nobody waits long.
    async fn decide_until(
        &self,
        ctx: &Ctx,
        verdict: Verdict,
        is_due: bool,
    ) -> Result<Decided, Error> {
        let (mut all, mut after) = (Decided::default(), Some(String::new()));
        while let Some(from) = after {
            let work = Work::new(self, ctx, self.users()?);
            let until = is_due.then_some(work.now);
            let piece = async move |tx: &mut Tx<'_>| {
                let held = held::list(tx, &work.tenant, &from, until, PIECE).await?;
                let mut decided = Decided::default();
                for one in &held {
                    work.decide_about(tx, one, verdict, &mut decided).await?;
                }
                Ok::<_, Error>((decided, held.last().map(|last| last.id.clone())))
            };
            let (decided, last) = self.store().write_long(&ctx.tenant, piece).await?;
            all.suspended += decided.suspended;
            all.deleted += decided.deleted;
            all.refused.extend(decided.refused);
            after = last;
        }
        Ok(all)
    }
}

impl Work {
    async fn decide_about(
        &self,
        tx: &mut Tx<'_>,
        held: &Held,
        verdict: Verdict,
        decided: &mut Decided,
    ) -> Result<(), Error> {
        let done = tx
            .part(async |tx: &mut Tx<'_>| match (&held.gone, verdict) {
                (Some(gone), Verdict::Undo) => self.restore(tx, held, gone).await,
                (Some(gone), Verdict::Finish(by)) => self.finish_deletion(tx, held, gone, by).await,
                (None, Verdict::Undo) => self.reactivate(tx, &held.id).await,
                (None, Verdict::Finish(by)) => self.finish_suspension(tx, &held.id, by).await,
            })
            .await?;
        match (done, &held.gone) {
            (Ok(()), Some(_)) => decided.deleted += 1,
            (Ok(()), None) => decided.suspended += 1,
            (Err(error), _) if is_refusal(&error) => {
                let (name, detail) = (self.name_of(tx, held).await?, error.to_string());
                decided.refused.push(Refused { id: held.id.clone(), name, detail });
            }
            (Err(error), _) => return Err(error),
        }
        Ok(())
    }

    async fn name_of(&self, tx: &mut Tx<'_>, held: &Held) -> Result<String, Error> {
        let doc = match &held.gone {
            Some(gone) => document(gone)?,
            None => self.seek(tx, &held.id).await?.map(|user| user.doc).unwrap_or_default(),
        };
        let name = doc.get("userName").and_then(Value::as_str).unwrap_or_default();
        Ok(name.to_owned())
    }

    /// Lets somebody use the product again who was suspended.
    async fn reactivate(&self, tx: &mut Tx<'_>, id: &str) -> Result<(), Error> {
        let Some(user) = self.seek(tx, id).await? else {
            return Ok(held::release(tx, &self.tenant, id).await?);
        };
        let mut doc = user.doc.clone();
        doc.insert("active".to_owned(), true.into());
        let was = Was { before: Some(&user), password: false };
        self.update_by_rules(tx, was, &user, &doc).await?;
        Ok(held::release(tx, &self.tenant, id).await?)
    }

    /// Makes a suspension what any other is: the seat is free.
    async fn finish_suspension(&self, tx: &mut Tx<'_>, id: &str, by: &str) -> Result<(), Error> {
        held::release(tx, &self.tenant, id).await?;
        let Some(user) = self.seek(tx, id).await?.filter(|user| is_held(&user.doc)) else {
            return Ok(());
        };
        let before = Facts::of(&user.doc).unwrap_or_default();
        let seat = Seat { reason: Some(Reason::Suspended), ..before.seat.clone() };
        let mut doc = user.doc.clone();
        Facts { seat, ..before.clone() }.put(&mut doc);
        let catalogue = catalogue::read(tx, &self.tenant).await?;
        let judged = self.judge_again(tx, &catalogue, id, &doc).await?;
        let (after, opened) = self.seat(tx, &catalogue, (id, judged), Manners::Patient).await?;
        after.put(&mut doc);
        let mut entries = vec![record::finished(by)];
        entries.extend(record::rejudged(&before, &after));
        self.amend(tx, &user, doc, &entries).await?;
        self.seat_waiters(tx, opened).await
    }

    /// Makes a deletion what any other is: nothing is left.
    async fn finish_deletion(
        &self,
        tx: &mut Tx<'_>,
        held: &Held,
        gone: &Gone,
        by: &str,
    ) -> Result<(), Error> {
        held::release(tx, &self.tenant, &held.id).await?;
        // The place in a line was given up when the user was deleted.
        let seat = Seat { held: gone.seat.clone(), ..Seat::default() };
        let opened = self.give_all_back(tx, &held.id, &document(gone)?, &seat).await?;
        let change = self.change(&record::buried(&seat, by), &held.id, None);
        records::write(tx, &self.tenant, change.as_slice()).await?;
        self.seat_waiters(tx, opened).await
    }

    /// Brings a deleted user back: the same id, the next version, its password, groups, agent and seat.
    async fn restore(&self, tx: &mut Tx<'_>, held: &Held, gone: &Gone) -> Result<(), Error> {
        let id = &held.id;
        let version = gone.version + 1;
        let doc = self.as_of_today(tx, id, document(gone)?).await?;
        self.check_addresses(tx, id, Was::default(), &doc).await?;
        let change = self.change(&[record::plain("user.restored")], id, Some(version));
        let ruled = Ruled::recorded(doc, change);
        let draft = Arc::new(self.draft(&ruled.doc, ruled.beside)?);
        let new = New { id: id.clone(), doc: ruled.doc, draft, before: None };
        self.insert(tx, &new).await?;
        self.date_back(tx, id, version, gone.created).await?;
        // The links that there were went with the user.
        tickets::end(tx, (&self.tenant, id, RESET), "superseded").await?;
        if let Some(phc) = &gone.phc {
            passwords::set(tx, &self.tenant, id, phc).await?;
        }
        for group in &gone.groups {
            self.rejoin(tx, id, group).await?;
        }
        held::release(tx, &self.tenant, id).await?;
        if is_held(&new.doc) {
            // It was suspended beyond the share before it was deleted.
            return self.reactivate(tx, id).await;
        }
        // Groups, pools and roles may be others by now.
        self.rejudge(tx, std::slice::from_ref(id), Manners::Patient).await
    }

    /// The document of a deleted user with what is left of what it refers to.
    async fn as_of_today(&self, tx: &mut Tx<'_>, id: &str, doc: Doc) -> Result<Doc, Error> {
        let mut doc = self.with_agent_of_today(tx, id, doc).await?;
        let of_accounts = self.on(urn::ACCOUNT)?;
        for account in account::of(&doc) {
            if of_accounts.seek(tx, &account).await?.is_none() {
                doc = account::leave(&doc, &account).0;
            }
        }
        if let Some(facts) = Facts::of(&doc).filter(|facts| facts.invitation.is_pending()) {
            // The link went with the user: there is another one.
            Facts { invitation: facts.invitation.superseded(), ..facts }.put(&mut doc);
        }
        if let Some(facts) = Facts::of(&doc).filter(|facts| facts.seat.requested.is_some()) {
            // The place in the line was given up; it is asked for anew.
            let seat = Seat { requested: None, waiting_since: None, ..facts.seat.clone() };
            Facts { seat, ..facts }.put(&mut doc);
        }
        Ok(doc)
    }

    /// Makes a user a member of a group again, where there still is one.
    async fn rejoin(&self, tx: &mut Tx<'_>, id: &str, group: &str) -> Result<(), Error> {
        let of_groups = self.on(urn::GROUP)?;
        let Some(found) = of_groups.seek(tx, group).await? else { return Ok(()) };
        let add = MemberChange::Add(vec![MemberRef { value: id.to_owned() }]);
        if of_groups.change_members(tx, group, &add).await? {
            of_groups.touch(tx, found).await?;
        }
        Ok(())
    }
}

/// Whether it is about this user, and nothing is wrong with Usher.
fn is_refusal(error: &Error) -> bool {
    !matches!(error, Error::Store(_) | Error::Unavailable(_) | Error::Busy(_) | Error::Internal(_))
}

fn document(gone: &Gone) -> Result<Doc, Error> {
    let damaged = |error| Error::Internal(format!("a held user is damaged: {error}"));
    serde_json::from_str(&gone.doc).map_err(damaged)
}
