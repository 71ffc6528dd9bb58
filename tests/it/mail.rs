//! Letters: written with the change that they tell of, sent after it, once, in their order.

use std::sync::atomic::{AtomicUsize, Ordering};

use mail_parser::MessageParser;
use serde_json::json;
use usher::app::Error;
use usher::app::mail::{Letter, LetterKind, Link, Mail, Passage};
use usher::clock::Clock;
use usher::scim;
use usher::store::Tx;

use crate::support::app::TestApp;
use crate::support::asks::INVITATION as INVITED;
use crate::support::each_db;
use crate::support::smtp::Sink;

/// A letter that a test writes.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) kind: LetterKind,
    pub(crate) user: String,
    pub(crate) to: String,
    pub(crate) locale: Option<String>,
    pub(crate) template: Option<String>,
    pub(crate) passage: Passage,
    /// The change that it tells of fails.
    pub(crate) fails: bool,
}

/// An invitation to this user, whose address is made of the id.
pub(crate) fn invitation(user: &str) -> Written {
    Written {
        kind: LetterKind::Invitation,
        user: user.to_owned(),
        to: format!("{user}@there.example"),
        locale: None,
        template: None,
        passage: Passage::UnlessCameBack,
        fails: false,
    }
}

/// How many links there were, so that each has a secret of its own.
static LINKS: AtomicUsize = AtomicUsize::new(0);

impl TestApp {
    /// The same installation with a clock that stands, whose mail goes to this server.
    pub(crate) async fn mailing(&self, sink: &Sink) -> Self {
        self.mailing_at(sink, Clock::fixed(Clock::System.now())).await
    }

    /// The same with this clock.
    pub(crate) async fn mailing_at(&self, sink: &Sink, clock: Clock) -> Self {
        let url = sink.url();
        self.instance(clock, move |settings| {
            settings.mail_url = Some(url);
            settings.public_url = Some("https://usher.test".parse().unwrap());
        })
        .await
    }

    /// Writes a letter in a transaction of its own; gives its id.
    pub(crate) async fn write_letter(&self, written: Written) -> Result<String, Error> {
        let (app, tenant) = (self.app.clone(), self.app.tenant(&self.tenant).await.unwrap().id);
        let place = tenant.clone();
        let token = format!("secret{}", LINKS.fetch_add(1, Ordering::Relaxed));
        let change = async move |tx: &mut Tx<'_>| {
            let link = Link { path: "activate", token: &token, hours: 48 };
            let letter = Letter {
                name: "Inés Ruiz",
                locale: written.locale.as_deref(),
                template: written.template.as_deref(),
                link: Some(link),
                passage: written.passage,
                ..Letter::new(written.kind, &written.user, &written.to)
            };
            let id = app.post(tx, &place, &letter).await?;
            if written.fails {
                return Err(Error::Scim(scim::Error::InvalidValue("no".to_owned())));
            }
            Ok(id)
        };
        self.store.write(&tenant, change).await
    }

    /// All mails of the tenant.
    pub(crate) async fn all_mails(&self) -> Vec<Mail> {
        let ctx = self.app.operator(&self.tenant).await.unwrap();
        let wanted = usher::app::mail::Wanted { limit: 1_000, ..Default::default() };
        self.app.mails(&ctx, wanted).await.unwrap()
    }

    /// What became of each mail, in order.
    pub(crate) async fn mail_states(&self) -> Vec<String> {
        self.all_mails().await.into_iter().map(|mail| mail.state).collect()
    }

    pub(crate) async fn send_mail(&self) {
        self.app.send_due_mail().await.unwrap();
    }

    /// How many rows of the tenant still hold words or secrets.
    pub(crate) async fn mail_secrets(&self) -> i64 {
        let look = async |tx: &mut Tx<'_>| {
            let sql = "SELECT COUNT(letter) + COUNT(sealed) FROM outbox";
            tx.query(sql, &[]).await?.first().map_or(Ok(0), |row| row.int(0))
        };
        self.store.read::<_, usher::store::Error, _>(look).await.unwrap()
    }
}

each_db! {
    async fn a_letter_is_there_if_and_only_if_its_change_is(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.mailing(&sink).await;
        let failed = Written { fails: true, ..invitation("ida") };
        app.write_letter(failed).await.unwrap_err();
        app.send_mail().await;
        assert!(app.all_mails().await.is_empty() && sink.taken().is_empty());
        let id = app.write_letter(invitation("ines")).await.unwrap();
        assert_eq!((app.mail_states().await, app.mail_secrets().await), (vec!["queued".to_owned()], 2));
        app.send_mail().await;
        assert_eq!(app.mail_secrets().await, 0, "the secret of the link is still there");
        let mail = app.all_mails().await.remove(0);
        assert_eq!((mail.state.as_str(), mail.attempts, mail.id.as_str()), ("sent", 1, &*id));
        assert_eq!(sink.taken()[0].message_id, mail.message_id);
        assert_eq!(mail.message_id, format!("<{id}@usher.test>"));
    }

    async fn a_mail_shows_the_name_the_link_and_both_bodies(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.scoped(&["admin"]).await.mailing(&sink).await;
        let brand = json!({ "name": "Northwind & Co", "color": "#ffdd00", "logo": LOGO });
        app.admin("PUT", "/brand", Some(&brand)).await.expect(200);
        app.write_letter(Written { locale: Some("es-MX".to_owned()), ..invitation("ines") }).await.unwrap();
        app.send_mail().await;
        let taken = sink.taken();
        let mail = MessageParser::default().parse(&taken[0].bytes).unwrap();
        let to = mail.to().unwrap().first().unwrap();
        assert_eq!((to.name(), to.address()), (Some("Inés Ruiz"), Some("ines@there.example")));
        let from = mail.from().unwrap().first().unwrap();
        assert_eq!((from.name(), from.address()), (Some("Usher"), Some("no-reply@usher.test")));
        assert_eq!(mail.subject(), Some("Active su cuenta en Northwind & Co"));
        let (text, html) = (mail.body_text(0).unwrap(), mail.body_html(0).unwrap());
        for part in [&text, &html] {
            assert!(part.contains("Inés Ruiz"), "{part}");
            assert!(part.contains("http://usher.test/activate/secret"), "{part}");
        }
        assert!(html.contains("Northwind &#38; Co") && html.contains("cid:logo"), "{html}");
        assert_eq!(mail.attachment_count(), 1);
    }

    async fn a_name_writes_no_header_and_leads_nowhere(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.licensed(9).await.scoped(&["admin"]).await.mailing(&sink).await;
        let words = json!({ "subject": "Welcome {name}", "intro": "Dear {name}, {inviter} asks." });
        app.admin("PUT", "/templates/own/en", Some(&words)).await.expect(200);
        for (number, (name, shown)) in [
            ("Inés\r\nBcc: eve", Some("Inés Bcc: eve")),
            ("www.evil.example", None),
            ("Call +49 800 1234567", None),
            ("https:\\\\evil", None),
            ("me@evil", None),
        ]
        .into_iter()
        .enumerate()
        {
            let to = format!("ines{number}@there.example");
            let invited = json!({
                "displayName": name,
                "emails": [{ "value": to, "type": "work" }],
                INVITED: { "mode": "email", "template": "own" },
            });
            app.user_with(&format!("ines{number}"), &invited).await;
            app.send_mail().await;
            let taken = sink.taken();
            let mail = MessageParser::default().parse(&taken[number].bytes).unwrap();
            assert_eq!((taken[number].to.as_str(), mail.bcc()), (to.as_str(), None));
            assert_eq!(mail.to().unwrap().first().unwrap().name(), shown);
            let subject = format!("Welcome {}", shown.unwrap_or_default());
            assert_eq!(mail.subject().map(str::trim_end), Some(subject.trim_end()));
            for part in [mail.body_text(0).unwrap(), mail.body_html(0).unwrap()] {
                assert!(!part.contains(name), "{part}");
                assert!(part.contains("http://usher.test/activate/"), "{part}");
            }
        }
    }

    async fn two_instances_send_each_letter_once_and_in_the_order_of_each_person(app: TestApp) {
        let sink = Sink::start().await;
        let (first, second) = (app.mailing(&sink).await, app.mailing(&sink).await);
        let mut ids = Vec::new();
        for number in 0..30 {
            let letter = invitation(&format!("u{}", number % 10));
            ids.push(first.write_letter(letter).await.unwrap());
        }
        for _ in 0..20 {
            tokio::join!(first.send_mail(), second.send_mail());
        }
        let taken = sink.taken();
        let sent: Vec<_> = taken.iter().map(|mail| mail.message_id.clone()).collect();
        let mut once = sent.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!((sent.len(), once.len()), (30, 30));
        for person in 0..10 {
            let address = format!("u{person}@there.example");
            let came = taken.iter().filter(|mail| mail.to == address);
            let came: Vec<_> = came.map(|mail| mail.message_id.clone()).collect();
            let wrote = ids.iter().skip(person).step_by(10);
            let wrote: Vec<_> = wrote.map(|id| format!("<{id}@usher.test>")).collect();
            assert_eq!(came, wrote, "{address}");
        }
        assert!(first.mail_states().await.iter().all(|state| state == "sent"));
    }

    async fn a_server_sends_by_itself_what_it_and_others_write(app: TestApp) {
        let sink = Sink::start().await;
        let (server, command) = (app.mailing_at(&sink, Clock::System).await, app.mailing(&sink).await);
        server.app.start_mail();
        server.write_letter(invitation("own")).await.unwrap();
        sink.until(1).await;
        command.write_letter(invitation("other")).await.unwrap();
        sink.until(2).await;
        server.app.close().await;
        assert_eq!(sink.addresses(), ["own@there.example", "other@there.example"]);
        assert_eq!(command.mail_states().await, ["sent", "sent"]);
    }

    async fn what_a_dead_link_would_say_is_given_up(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.mailing(&sink).await;
        for user in ["ines", "ines", "tom"] {
            app.write_letter(invitation(user)).await.unwrap();
        }
        let reset = Written { kind: LetterKind::Reset, ..invitation("ines") };
        app.write_letter(reset).await.unwrap();
        let (mail, tenant) = (app.app.clone(), app.app.tenant(&app.tenant).await.unwrap().id);
        let place = tenant.clone();
        let cancel = async move |tx: &mut Tx<'_>| {
            mail.cancel_letters(tx, &place, "ines", Some(LetterKind::Invitation)).await
        };
        assert_eq!(app.store.write(&tenant, cancel).await.unwrap(), 2);
        app.send_mail().await;
        assert_eq!(app.mail_states().await, ["stale", "stale", "sent", "sent"]);
        assert_eq!((sink.taken().len(), app.mail_secrets().await), (2, 0));
    }

    async fn callers_read_the_last_letter_of_many_and_count_those_of_late(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.mailing(&sink).await;
        app.write_letter(invitation("ines")).await.unwrap();
        app.send_mail().await;
        app.app.clock().advance(3_000);
        for user in ["ines", "tom"] {
            app.write_letter(invitation(user)).await.unwrap();
        }
        app.write_letter(Written { kind: LetterKind::Reset, ..invitation("ines") }).await.unwrap();
        let (mail, tenant) = (app.app.clone(), app.app.tenant(&app.tenant).await.unwrap().id);
        let place = tenant.clone();
        let look = async move |tx: &mut Tx<'_>| {
            let users = ["tom", "nobody", "ines"];
            let mut last = mail.last_letters(tx, &place, &users, LetterKind::Invitation).await?;
            last.sort_by(|one, other| one.resource.cmp(&other.resource));
            let both = [LetterKind::Invitation, LetterKind::Reset];
            let mut counts = Vec::new();
            for (user, kinds, seconds) in [
                (Some("ines"), &both[..1], 3_600),
                (Some("ines"), &both[..1], 60),
                (Some("ines"), &both[..], 60),
                (None, &both[..], 3_600),
                (None, &both[1..], 3_600),
            ] {
                let tally = mail.count_letters(tx, &place, user, (kinds, seconds)).await?;
                assert!(tally.oldest <= tally.newest && tally.newest.is_some());
                counts.push(tally.count);
            }
            Ok::<_, Error>((last, counts))
        };
        let (last, counts) = app.store.read(look).await.unwrap();
        let shown: Vec<_> =
            last.iter().map(|mail| (mail.resource.as_str(), mail.state.as_str())).collect();
        assert_eq!(shown, [("ines", "queued"), ("tom", "queued")]);
        assert_eq!(counts, [2, 1, 2, 4, 1]);
    }

    async fn a_tenants_own_words_are_those_of_the_language_and_gone_ones_hold_nothing_up(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.scoped(&["admin"]).await.mailing(&sink).await;
        for (locale, subject) in [("en", "Come in, {name}"), ("es", "Pase, {name}")] {
            let body = json!({ "subject": subject, "intro": "{brand}" });
            app.admin("PUT", &format!("/templates/welcome/{locale}"), Some(&body)).await.expect(200);
        }
        for (locale, template) in [("es-AR", "welcome"), ("fr", "welcome"), ("en", "gone")] {
            let (locale, template) = (Some(locale.to_owned()), Some(template.to_owned()));
            app.write_letter(Written { locale, template, ..invitation("ines") }).await.unwrap();
        }
        app.send_mail().await;
        let taken = sink.taken();
        let subjects = taken.iter().map(|mail| {
            let mail = MessageParser::default().parse(&mail.bytes).unwrap();
            mail.subject().unwrap().to_owned()
        });
        let subjects: Vec<_> = subjects.collect();
        let plain = "Activate your account at your organization";
        assert_eq!(subjects, ["Pase, Inés Ruiz", "Come in, Inés Ruiz", plain]);
    }
}

/// A PNG of one pixel.
pub(crate) const LOGO: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
