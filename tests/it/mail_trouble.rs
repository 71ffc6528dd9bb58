//! Mail servers that refuse, hang, drop and bounce: every letter arrives once they recover, or it is said
//! why not.

use serde_json::json;
use usher::app::mail::Passage;
use usher::clock::Clock;
use usher::store::{Error, Tx, outbox};

use crate::mail::{Written, invitation};
use crate::support::app::TestApp;
use crate::support::each_db;
use crate::support::smtp::{Mood, Sink};

/// Longer than any pause between two tries.
const HOUR: i64 = 3_600;

each_db! {
    async fn whatever_is_wrong_for_now_every_mail_arrives_in_order_once_it_is_over(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.mailing(&sink).await;
        let mut expected = Vec::new();
        for (round, mood) in [Mood::Refuse, Mood::Drop, Mood::Busy, Mood::RefuseSender].into_iter().enumerate() {
            sink.set("", mood);
            for _ in 0..2 {
                for user in ["ines", "tom"] {
                    app.write_letter(invitation(&format!("{user}{round}"))).await.unwrap();
                    expected.push(format!("{user}{round}@there.example"));
                }
            }
            app.send_mail().await;
            let all = app.all_mails().await;
            let states: Vec<_> = all.iter().rev().take(4).map(|mail| mail.state.as_str()).collect();
            assert!(states.contains(&"deferred") && !states.contains(&"sent"), "{mood:?}: {states:?}");
            let said = all.iter().find(|mail| mail.state == "deferred").unwrap();
            assert!(!said.detail.is_empty() && !said.detail.contains("secret"), "{}", said.detail);
            sink.set("", Mood::Take);
            for _ in 0..3 {
                app.app.clock().advance(HOUR);
                app.send_mail().await;
            }
            assert!(app.mail_states().await.iter().all(|state| state == "sent"), "{mood:?}");
        }
        let (mut came, taken) = (sink.addresses(), sink.taken());
        came.sort_unstable();
        expected.sort_unstable();
        assert_eq!(came, expected);
        let order: Vec<_> = app.all_mails().await.into_iter().map(|mail| mail.message_id).collect();
        for address in came {
            let of = taken.iter().filter(|mail| mail.to == address);
            let places = of.map(|mail| order.iter().position(|id| *id == mail.message_id).unwrap());
            assert!(places.collect::<Vec<_>>().is_sorted(), "{address}");
        }
    }

    async fn a_later_letter_waits_for_the_earlier_one_of_the_same_person_alone(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.mailing(&sink).await;
        sink.set("ines@old.example", Mood::Refuse);
        app.write_letter(Written { to: "ines@old.example".to_owned(), ..invitation("ines") }).await.unwrap();
        app.write_letter(invitation("ines")).await.unwrap();
        app.write_letter(invitation("tom")).await.unwrap();
        app.send_mail().await;
        assert_eq!(app.mail_states().await, ["deferred", "queued", "sent"]);
        // Nobody looks again and again for what has to wait.
        let now = app.app.clock().now();
        let due = async move |tx: &mut Tx<'_>| outbox::due_tenants(tx, now).await;
        assert_eq!(app.store.read::<_, Error, _>(due).await.unwrap(), []);
        sink.set("ines@old.example", Mood::Take);
        app.app.clock().advance(HOUR);
        app.send_mail().await;
        let addresses = ["tom@there.example", "ines@old.example", "ines@there.example"];
        assert_eq!(sink.addresses(), addresses);
    }

    async fn a_server_that_hangs_for_one_tenant_holds_up_no_other(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.mailing(&sink).await;
        let quiet = app.tenant_with("page.max", "500").await;
        sink.set("slow@there.example", Mood::Hang);
        app.write_letter(invitation("slow")).await.unwrap();
        app.write_letter(invitation("next")).await.unwrap();
        quiet.write_letter(invitation("tom")).await.unwrap();
        let sends = tokio::spawn({ let app = app.clone(); async move { app.send_mail().await } });
        sink.until(1).await;
        assert_eq!(sink.addresses(), ["tom@there.example"]);
        assert!(!sends.is_finished());
        sink.set("slow@there.example", Mood::Take);
        sends.await.unwrap();
        assert_eq!(app.mail_states().await, ["deferred", "sent"]);
        app.app.clock().advance(HOUR);
        app.send_mail().await;
        assert_eq!(app.mail_states().await, ["sent", "sent"]);
    }

    async fn the_letter_of_a_process_that_died_is_sent_by_another_once_its_lease_is_over(app: TestApp) {
        let sink = Sink::start().await;
        let (clock, later) = (Clock::fixed(Clock::System.now()), Clock::fixed(Clock::System.now()));
        let dying = app.mailing_at(&sink, clock).await;
        let other = app.mailing_at(&sink, later).await;
        sink.set("ines@there.example", Mood::Hang);
        let id = dying.write_letter(invitation("ines")).await.unwrap();
        other.app.clock().advance(1);
        let sends = tokio::spawn({ let app = dying.clone(); async move { app.send_mail().await } });
        while other.all_mails().await[0].state == "queued" && !leased(&other).await {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        sends.abort();
        assert!(sends.await.unwrap_err().is_cancelled());
        sink.set("ines@there.example", Mood::Take);
        other.send_mail().await;
        assert!(sink.taken().is_empty(), "it was taken from a process that may be alive");
        other.app.clock().advance(60);
        other.send_mail().await;
        assert_eq!(sink.taken().len(), 1);
        assert_eq!(sink.taken()[0].message_id, format!("<{id}@usher.test>"));
        assert_eq!(other.mail_states().await, ["sent"]);
    }

    async fn mail_that_comes_back_is_told_and_goes_again_only_when_asked_for(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.scoped(&["admin"]).await.mailing(&sink).await;
        sink.set("ines@there.example", Mood::Bounce);
        let id = app.write_letter(invitation("ines")).await.unwrap();
        app.send_mail().await;
        let mail = app.all_mails().await.remove(0);
        assert_eq!(mail.state, "bounced");
        assert!(mail.detail.contains("550") && mail.detail.contains("no such user"), "{}", mail.detail);
        let events = app.admin("GET", "/events?name=invitation.bounced", None).await.expect(200).body;
        let line = &events["lines"][0];
        assert_eq!((&line["resource"], &line["detail"]), (&json!("ines"), &json!({ "mail": id })));

        sink.set("ines@there.example", Mood::Take);
        app.write_letter(Written { to: "INES@there.example".to_owned(), ..invitation("ines") }).await.unwrap();
        app.write_letter(Written { passage: Passage::Always, ..invitation("ines") }).await.unwrap();
        app.send_mail().await;
        app.write_letter(invitation("ines")).await.unwrap();
        app.send_mail().await;
        assert_eq!(app.mail_states().await, ["bounced", "suppressed", "sent", "sent"]);
        assert_eq!((sink.taken().len(), app.mail_secrets().await), (2, 0));
        // Nothing of it concerns another tenant.
        let other = app.tenant_with("page.max", "500").await;
        app.admin("POST", "/mails:report", Some(&json!({ "id": id, "state": "bounced" }))).await.expect(200);
        other.write_letter(invitation("ines")).await.unwrap();
        assert_eq!(other.mail_states().await, ["queued"]);
    }

    async fn what_can_never_go_fails_and_says_why(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.mailing(&sink).await;
        sink.set("tom@there.example", Mood::RefuseMail);
        for to in ["nobody", "a@b.example\r\nRCPT TO:<c@d.example>", "josé@there.example"] {
            app.write_letter(Written { to: to.to_owned(), ..invitation("ines") }).await.unwrap();
        }
        app.write_letter(invitation("tom")).await.unwrap();
        sink.set("late@there.example", Mood::Refuse);
        app.write_letter(invitation("late")).await.unwrap();
        app.send_mail().await;
        app.app.clock().advance(49 * HOUR);
        app.send_mail().await;
        let all = app.all_mails().await;
        assert!(all.iter().all(|mail| mail.state == "failed"), "{all:?}");
        let said = ["no e-mail address", "no e-mail address", "beyond ASCII", "554", "given up; at last: "];
        for (mail, said) in all.iter().zip(said) {
            assert!(mail.detail.contains(said), "{}", mail.detail);
        }
        assert_eq!((sink.taken().len(), app.mail_secrets().await), (0, 0));
    }

    async fn old_mail_is_forgotten_and_what_waits_is_not(app: TestApp) {
        let sink = Sink::start().await;
        let app = app.mailing(&sink).await;
        app.app.set_tenant(&app.tenant, &[("retention.days".to_owned(), "1".to_owned())]).await.unwrap();
        sink.set("late@there.example", Mood::Refuse);
        for user in ["ines", "late", "tom"] {
            app.write_letter(invitation(user)).await.unwrap();
        }
        app.send_mail().await;
        app.app.clock().advance(25 * HOUR);
        app.app.forget_records(true).await.unwrap();
        let left: Vec<_> = app.all_mails().await.into_iter().map(|mail| mail.resource).collect();
        // The last one stays, so that no number is given twice.
        assert_eq!(left, ["late", "tom"]);
    }
}

async fn leased(app: &TestApp) -> bool {
    let look = async |tx: &mut Tx<'_>| {
        let rows = tx.query("SELECT COUNT(owner) FROM outbox", &[]).await?;
        rows.first().map_or(Ok(0), |row| row.int(0))
    };
    app.store.read::<_, Error, _>(look).await.unwrap() > 0
}
