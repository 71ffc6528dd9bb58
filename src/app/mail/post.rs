//! The work of sending: takes letters that are due, hands them over, and notes what became of them.
//!
//! Several instances share it by leases ([`crate::store::outbox::claim`]). In one process each tenant has
//! its own lane and there are a few of them, so that a mail that hangs holds up nobody but its tenant,
//! and that one for a bounded time. The last step, from the mail's last byte to the note that it has gone,
//! is done by one lane at a time.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::Instant;

use super::message::{self, Envelope};
use super::reports::told;
use super::transport::{Ready, Transport, Trouble, Way};
use super::{LetterKind, SEALED_FOR, Words, address, brand};
use crate::app::vault::random;
use crate::app::{App, Error};
use crate::domain::letter::{self, Content};
use crate::domain::{template, words};
use crate::ids::TenantId;
use crate::settings::MailUrl;
use crate::store::outbox::{self, Claimed, Lease, Outcome};
use crate::store::{Tx, templates};

/// Tenants whose mail is sent at once.
const LANES: usize = 4;
/// Letters of a tenant that go before others have their turn.
const TURN: usize = 20;
/// How often it is looked for letters that other processes wrote, or whose time has come.
const POLL: Duration = Duration::from_secs(2);
/// After how long it is looked for a letter that was written a moment ago, again and again: its
/// transaction may still be committing.
const SOON: [Duration; 4] = [
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(800),
];
/// Seconds for which a letter is nobody else's, unless it is renewed.
const LEASE: i64 = 15;
/// How often leases are renewed.
const RENEWAL: Duration = Duration::from_secs(4);
/// Seconds before the second try; doubled each time, up to …
const FIRST_PAUSE: i64 = 5;
/// … so many.
const LONGEST_PAUSE: i64 = 900;
/// Where nobody takes mail at all, everybody waits for so long before the next try, at most.
const LONGEST_REST: Duration = Duration::from_mins(1);

/// How long after a note that failed it is tried again, and how often while the program ends.
const NOTE_AGAIN: Duration = Duration::from_secs(1);
const NOTES_AT_THE_END: u32 = 3;

/// How a lane ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// Nothing is left to do for now, or others have their turn.
    Done,
    /// Nobody was there to take mail.
    Unreachable,
}

/// Who runs, and who has the next turn.
#[derive(Debug, Default)]
struct Floor {
    busy: BTreeSet<TenantId>,
    last: Option<TenantId>,
    /// How often in a row nobody was there to take mail, and until when it is not tried.
    rest: (u32, Option<Instant>),
    /// Which of the soon looks is the next one.
    soon: usize,
}

impl App {
    /// Sends mail for as long as the program runs. What has begun when it is told to stop is finished.
    pub fn start_mail(&self) {
        let app = self.clone();
        self.worker().start_whole(async move { app.run_mail().await });
    }

    /// Sends what is due now, of all tenants, and returns; what is not taken stays for later.
    pub async fn send_due_mail(&self) -> Result<(), Error> {
        let lanes = self.due_tenants().await?.into_iter().map(|tenant| self.lane(tenant));
        let lanes: Vec<_> =
            futures_util::stream::iter(lanes).buffer_unordered(LANES).collect().await;
        drop(lanes);
        Ok(())
    }

    async fn run_mail(&self) {
        let (mut floor, mut lanes) =
            (Floor { soon: SOON.len(), ..Floor::default() }, FuturesUnordered::new());
        let mut renewal = tokio::time::interval(RENEWAL);
        renewal.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let stopping = self.worker().is_stopping();
            if stopping && lanes.is_empty() {
                return;
            }
            if !stopping && lanes.len() < LANES && floor.is_awake() {
                let due = self.due_tenants().await.unwrap_or_else(|error| {
                    tracing::warn!(%error, "letters to be sent could not be looked for");
                    BTreeSet::new()
                });
                for tenant in floor.next(due) {
                    lanes.push(self.lane(tenant));
                }
            }
            let wait = floor.wait();
            tokio::select! {
                Some((tenant, ended)) = lanes.next(), if !lanes.is_empty() => floor.end(&tenant, ended),
                _ = renewal.tick(), if !lanes.is_empty() => self.keep_leases().await,
                () = self.office().woken(), if !stopping => floor.soon = 0,
                () = self.worker().stopping(), if !stopping => {}
                () = tokio::time::sleep(wait), if !stopping => {}
            }
        }
    }

    async fn due_tenants(&self) -> Result<BTreeSet<TenantId>, Error> {
        let now = self.clock().now();
        let due = async move |tx: &mut Tx<'_>| outbox::due_tenants(tx, now).await;
        Ok(self.store().read(due).await?.into_iter().collect())
    }

    async fn keep_leases(&self) {
        let until = self.clock().now().plus_seconds(LEASE);
        let owner = self.office().owner().to_owned();
        let keep = async move |tx: &mut Tx<'_>| outbox::keep_leases(tx, &owner, until).await;
        if let Err(error) = self.store().write_apart(keep).await {
            tracing::warn!(%error, "the leases of letters could not be renewed");
        }
    }

    /// Sends letters of a tenant, one after the other.
    async fn lane(&self, tenant: TenantId) -> (TenantId, Ended) {
        let mut transport = Transport::default();
        let mut ended = Ended::Done;
        for _ in 0..TURN {
            if self.worker().is_stopping() {
                break;
            }
            match self.send_next(&tenant, &mut transport).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(unsent) => {
                    if let Unsent::Store(error) = unsent {
                        tracing::warn!(%error, tenant = tenant.as_str(), "a letter could not be taken or noted");
                    }
                    ended = Ended::Unreachable;
                    break;
                }
            }
        }
        transport.close().await;
        (tenant, ended)
    }

    /// Takes the next letter, hands it over and notes what became of it; false where there is none.
    async fn send_next(
        &self,
        tenant: &TenantId,
        transport: &mut Transport,
    ) -> Result<bool, Unsent> {
        let Some(claimed) = self.claim(tenant).await? else { return Ok(false) };
        let tried = self.try_to_send(tenant, &claimed, transport).await;
        let outcome = self.outcome(&claimed, tried.as_ref().err());
        self.note_surely(tenant, &claimed, &outcome).await?;
        // The next one may take its last step now.
        match tried {
            Err(Trouble::Unreachable(_)) => Err(Unsent::Nobody),
            Ok(_) | Err(_) => Ok(true),
        }
    }

    async fn claim(&self, tenant: &TenantId) -> Result<Option<Claimed>, Error> {
        let (owner, tenant) = (self.office().owner().to_owned(), tenant.clone());
        let now = self.clock().now();
        let claim = async move |tx: &mut Tx<'_>| {
            let lease = Lease { owner: &owner, now, until: now.plus_seconds(LEASE) };
            outbox::claim(tx, &tenant, lease).await
        };
        Ok(self.store().write_apart(claim).await?)
    }

    async fn try_to_send(
        &self,
        tenant: &TenantId,
        claimed: &Claimed,
        transport: &mut Transport,
    ) -> Result<tokio::sync::MutexGuard<'_, ()>, Trouble> {
        if claimed.ends <= self.clock().now() {
            let last = if claimed.detail.is_empty() { "" } else { "; at last: " };
            return Err(Trouble::Never(format!("given up{last}{}", claimed.detail)));
        }
        let ready = self.made_ready(tenant, claimed).await?;
        let to = self.settings().mail().map_err(Trouble::Unreachable)?;
        if matches!(to, MailUrl::Smtp(_)) && self.settings().public_url.is_none() {
            return Err(Trouble::Unreachable("no mail goes without a public URL".to_owned()));
        }
        let way = Way { to, hello: self.settings().mail_domain() };
        transport.send(self.office(), &way, &ready, self.worker().stopping()).await
    }

    /// The mail as it goes out, in the brand and with the template that the tenant has now.
    async fn made_ready(&self, tenant: &TenantId, claimed: &Claimed) -> Result<Ready, Trouble> {
        let never = |why: &str| Trouble::Never(why.to_owned());
        let to =
            address(&claimed.address).ok_or_else(|| never("the address is no e-mail address"))?;
        let kind = LetterKind::named(&claimed.kind)
            .ok_or_else(|| Trouble::Later("a newer usher has to send it".to_owned()))?;
        let stored: Words = serde_json::from_str(&claimed.letter)
            .map_err(|_| Trouble::Later("a newer usher has to send it".to_owned()))?;
        let url = self.url(&stored, claimed)?;
        let (look, name) = (tenant.clone(), stored.template.clone());
        let found = async move |tx: &mut Tx<'_>| {
            let own = match &name {
                Some(name) => templates::list(tx, &look, Some(name)).await?,
                None => Vec::new(),
            };
            Ok::<_, Error>((brand::read(tx, &look).await?, own))
        };
        let (brand, own) = self.store().read(found).await.map_err(|error| {
            error.log();
            Trouble::Later("the database did not answer".to_owned())
        })?;
        let letter = letter::render(&Content {
            kind,
            words: words::choose(stored.locale.as_deref()),
            brand: &brand,
            template: template::choose(&own, stored.locale.as_deref()),
            name: &stored.name,
            inviter: stored.inviter.as_deref().unwrap_or_default(),
            link: stored.link.as_ref().zip(url.as_deref()).map(|((_, hours), url)| letter::Link {
                url,
                until: claimed.created.plus_seconds(hours * 3_600),
                hours: *hours,
            }),
            lines: &stored.lines,
        });
        let from = self.settings().mail_from();
        let envelope = Envelope {
            from: from.clone(),
            to: to.clone(),
            name: stored.name,
            message_id: claimed.message_id.clone(),
            date: claimed.created,
        };
        let bytes =
            message::build(&envelope, letter, brand.logo.as_ref()).map_err(Trouble::Never)?;
        Ok(Ready { id: claimed.id.clone(), from: from.email, to, bytes })
    }

    /// The URL of the letter's link, with its secret.
    fn url(&self, stored: &Words, claimed: &Claimed) -> Result<Option<String>, Trouble> {
        let (Some((path, _)), Some(sealed)) = (&stored.link, &claimed.sealed) else {
            return Ok(None);
        };
        let opened = self.keys().and_then(|keys| keys.open(SEALED_FOR, sealed));
        let secret = opened.map_err(|error| {
            error.log();
            Trouble::Later("its link cannot be opened with the key of this server".to_owned())
        })?;
        let origin = self.base().trim_end_matches("/scim/v2");
        let encoded: String = url::form_urlencoded::byte_serialize(&secret).collect();
        Ok(Some(format!("{origin}/{path}/{encoded}")))
    }

    /// What a try comes to.
    fn outcome(&self, claimed: &Claimed, trouble: Option<&Trouble>) -> Outcome {
        let at = self.clock().now();
        let done =
            |state, detail: &str| Outcome { state, detail: detail.to_owned(), at, next: None };
        match trouble {
            None => done("sent", ""),
            Some(Trouble::Bounced(detail)) => done("bounced", detail),
            Some(Trouble::Never(detail)) => done("failed", detail),
            Some(Trouble::Later(detail) | Trouble::Unreachable(detail)) => {
                let next = at.plus_seconds(pause(claimed.attempts)).min(claimed.ends).max(at);
                Outcome { state: "deferred", detail: detail.clone(), at, next: Some(next) }
            }
        }
    }

    /// Notes it again and again while the database is away: a mail that has gone and of which nobody
    /// knows would go again.
    async fn note_surely(
        &self,
        tenant: &TenantId,
        claimed: &Claimed,
        outcome: &Outcome,
    ) -> Result<(), Error> {
        // What a server says may name the person.
        let detail = Some(&outcome.detail).filter(|detail| !detail.contains('@'));
        tracing::info!(
            mail = %claimed.id, kind = %claimed.kind, state = outcome.state,
            detail = detail.map_or("", String::as_str), "a letter was tried"
        );
        let mut left = NOTES_AT_THE_END;
        loop {
            let Err(error) = self.note(tenant, claimed, outcome.clone()).await else {
                return Ok(());
            };
            if self.worker().is_stopping() {
                left -= 1;
            }
            if left == 0 {
                return Err(error);
            }
            tracing::warn!(%error, mail = %claimed.id, "what became of a letter could not be noted");
            tokio::time::sleep(NOTE_AGAIN).await;
        }
    }

    async fn note(
        &self,
        tenant: &TenantId,
        claimed: &Claimed,
        outcome: Outcome,
    ) -> Result<(), Error> {
        let (place, owner) = (tenant.clone(), self.office().owner().to_owned());
        let (seq, id, user) = (claimed.seq, claimed.id.clone(), claimed.resource.clone());
        let told = told(&claimed.kind, outcome.state, (&user, &id), outcome.at);
        let alone = told.is_none();
        let note = async move |tx: &mut Tx<'_>| {
            if outbox::note(tx, &place, (seq, &owner), &outcome).await?
                && let Some(change) = &told
            {
                crate::store::records::write(tx, &place, std::slice::from_ref(change)).await?;
            }
            Ok::<_, Error>(())
        };
        if alone {
            self.store().write_apart(note).await
        } else {
            self.store().write(tenant, note).await
        }
    }
}

/// Why a lane ends before its letters do.
enum Unsent {
    /// Nobody was there to take mail.
    Nobody,
    /// The database was not there.
    Store(Error),
}

impl From<Error> for Unsent {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl Floor {
    fn is_awake(&self) -> bool {
        self.rest.1.is_none_or(|until| until <= Instant::now())
    }

    /// The tenants whose turn it is: those behind the last one that had one, and round again.
    fn next(&mut self, due: BTreeSet<TenantId>) -> Vec<TenantId> {
        let free: Vec<_> = due.into_iter().filter(|tenant| !self.busy.contains(tenant)).collect();
        let behind = free.partition_point(|tenant| Some(tenant) <= self.last.as_ref());
        let turns = free[behind..].iter().chain(&free[..behind]);
        let chosen: Vec<TenantId> = turns.take(LANES - self.busy.len()).cloned().collect();
        self.last = chosen.last().cloned().or_else(|| self.last.take());
        self.busy.extend(chosen.iter().cloned());
        chosen
    }

    fn end(&mut self, tenant: &TenantId, ended: Ended) {
        self.busy.remove(tenant);
        self.rest = match ended {
            Ended::Done => (0, None),
            Ended::Unreachable => {
                let times = self.rest.0.min(6);
                let rest = Duration::from_secs(1 << times).min(LONGEST_REST);
                (times + 1, Some(Instant::now() + rest))
            }
        };
    }

    /// How long until the next look.
    fn wait(&mut self) -> Duration {
        let wait = SOON.get(self.soon).copied().unwrap_or(POLL);
        self.soon = (self.soon + 1).min(SOON.len());
        wait
    }
}

/// Seconds until the next try after so many: twice as long each time, a quarter more or less, so that
/// letters that failed together do not come back together.
fn pause(attempts: i64) -> i64 {
    let doubled = FIRST_PAUSE << attempts.clamp(0, 16);
    let pause = doubled.min(LONGEST_PAUSE);
    let dice = random::<1>().map_or(128, |[byte]| i64::from(byte));
    pause - pause / 4 + pause * dice / 512
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_quarter_of_an_hour() {
        for (attempts, least, most) in [(0, 3, 7), (1, 7, 13), (5, 120, 200), (40, 675, 1_125)] {
            for _ in 0..50 {
                let pause = pause(attempts);
                assert!((least..=most).contains(&pause), "{attempts}: {pause}");
            }
        }
    }

    #[test]
    fn tenants_take_turns() {
        let due = || ["a", "b", "c", "d", "e", "f"].map(TenantId::from).into_iter().collect();
        let mut floor = Floor::default();
        let names =
            |tenants: Vec<TenantId>| -> String { tenants.iter().map(TenantId::as_str).collect() };
        assert_eq!(names(floor.next(due())), "abcd");
        assert_eq!(names(floor.next(due())), "");
        floor.end(&TenantId::from("a"), Ended::Done);
        floor.end(&TenantId::from("b"), Ended::Done);
        floor.end(&TenantId::from("c"), Ended::Done);
        assert_eq!(names(floor.next(due())), "efa");
        assert!(floor.is_awake());
        floor.end(&TenantId::from("d"), Ended::Unreachable);
        assert!(!floor.is_awake());
    }
}
