//! Mail of the real program: what it refuses to start with, where mail goes at first, and what is left of
//! it when the program is killed.

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use mail_parser::MessageParser;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::Value;
use tokio_rustls::TlsAcceptor;
use usher::app::App;
use usher::app::mail::{Letter, LetterKind, Link};
use usher::clock::Clock;
use usher::scim::resource_type::Registry;
use usher::settings::Settings;
use usher::store::Tx;

use crate::support::process::Setup;
use crate::support::smtp::{Mood, Secure, Sink};
use crate::support::{Directory, each_db, run};

const PUBLIC: &str = "--public-url http://localhost:1";

/// A command beside the server, which writes letters and sends none.
struct Writer {
    app: App,
    written: usize,
}

impl Writer {
    async fn new(setup: &Setup) -> Self {
        let mut settings = Settings::defaults();
        settings.data_dir = setup.data();
        settings.public_url = Some("http://localhost:1".parse().unwrap());
        let store = setup.store().await;
        let app = App::on(store, settings, Registry::standard(), Clock::System).unwrap();
        app.unlock().await.unwrap();
        Self { app, written: 0 }
    }

    /// Writes so many letters of this tenant, to a few people in turn.
    async fn write(&mut self, setup: &Setup, tenant: &str, count: usize) {
        let (store, tenant) = (setup.store().await, self.app.tenant(tenant).await.unwrap().id);
        for number in 0..count {
            let (app, place) = (self.app.clone(), tenant.clone());
            let write = async move |tx: &mut Tx<'_>| {
                let user = format!("u{}", number % 3);
                let to = format!("{user}.{place}@there.example");
                let link = Some(Link { path: "activate", token: "secret", hours: 48 });
                let letter = Letter { link, ..Letter::new(LetterKind::Invitation, &user, &to) };
                app.post(tx, &place, &letter).await
            };
            store.write(&tenant, write).await.unwrap();
        }
        self.written += count;
        store.close().await;
    }
}

/// How often each mail came, by its Message-ID; the same one is always the same mail to the same person.
fn copies(sink: &Sink) -> BTreeMap<String, usize> {
    let mut copies = BTreeMap::new();
    let mut to = HashMap::new();
    for mail in sink.taken() {
        assert!(!mail.message_id.is_empty());
        assert_eq!(*to.entry(mail.message_id.clone()).or_insert(mail.to.clone()), mail.to);
        *copies.entry(mail.message_id).or_insert(0) += 1;
    }
    copies
}

each_db! {
    async fn a_server_that_is_killed_again_and_again_loses_no_mail_and_doubles_one_at_most(setup: Setup) {
        const KILLS: usize = 4;
        let sink = Sink::start().await;
        let setup = setup.with(&format!("--mail-url {} {PUBLIC}", sink.url()));
        let server = setup.start();
        let tenants = ["default", "t1", "t2", "t3"];
        for tenant in &tenants[1..] {
            assert_eq!(setup.run(&format!("tenant create {tenant}")).status, 0);
        }
        let mut writer = Writer::new(&setup).await;
        server.kill();
        sink.set("", Mood::Slow);
        for round in 1..=KILLS {
            for tenant in tenants {
                writer.write(&setup, tenant, 6).await;
            }
            // The mail of all tenants is there, so that all lanes run when it is killed.
            let server = setup.start();
            sink.until(sink.taken().len() + 3 + round).await;
            server.kill();
        }
        sink.set("", Mood::Take);
        let server = setup.start();
        let began = std::time::Instant::now();
        while copies(&sink).len() < writer.written {
            assert!(began.elapsed() < Duration::from_secs(90), "lost: {} of {} came", copies(&sink).len(), writer.written);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        server.tell("TERM");
        assert_eq!(server.wait().0, Some(0));
        let copies = copies(&sink);
        let second: usize = copies.values().map(|count| count - 1).sum();
        assert_eq!(copies.len(), writer.written);
        assert!(second <= KILLS, "{second} second copies of {KILLS} kills");
        println!("{} mails, {KILLS} kills, {second} second copies", copies.len());
        writer.app.close().await;
    }

    async fn a_server_that_is_told_to_stop_finishes_the_mail_at_hand(setup: Setup) {
        let sink = Sink::start().await;
        let setup = setup.with(&format!("--mail-url {} {PUBLIC}", sink.url()));
        let server = setup.start();
        let mut writer = Writer::new(&setup).await;
        sink.set("", Mood::Slow);
        writer.write(&setup, "default", 9).await;
        sink.until(3).await;
        server.tell("TERM");
        assert_eq!(server.wait().0, Some(0));
        assert!(sink.taken().len() < 9, "it was over before it was told to stop");
        let server = setup.start();
        sink.until(9).await;
        server.tell("TERM");
        assert_eq!(server.wait().0, Some(0));
        assert!(copies(&sink).len() == 9 && sink.taken().len() == 9, "{:?}", copies(&sink));
        writer.app.close().await;
    }

    async fn the_first_start_writes_mail_into_files(setup: Setup) {
        let server = setup.start();
        let mut writer = Writer::new(&setup).await;
        writer.write(&setup, "default", 2).await;
        let files = || -> Vec<_> {
            let all = std::fs::read_dir(setup.data().join("mail")).into_iter().flatten();
            let paths = all.map(|entry| entry.unwrap().path());
            paths.filter(|path| path.extension().is_some_and(|kind| kind == "eml")).collect()
        };
        let began = std::time::Instant::now();
        while files().len() < 2 {
            assert!(began.elapsed() < Duration::from_secs(30), "no mail came");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let path = files().remove(0);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let bytes = std::fs::read(&path).unwrap();
        let mail = MessageParser::default().parse(&bytes).unwrap();
        assert!(mail.body_text(0).unwrap().contains("/activate/secret"));
        assert!(mail.body_html(0).unwrap().contains("/activate/secret"));
        let listed = setup.json("mail list");
        assert_eq!(listed.as_array().unwrap().len(), 2);
        assert!(!server.log().contains("secret") && !listed.to_string().contains("secret"));
        writer.app.close().await;
    }
}

#[test]
fn a_start_that_could_mail_wrong_links_is_refused_in_one_line() {
    let setup = Setup::new(Directory::new());
    for (words, named) in [
        ("serve --mail-url smtp://u:hidden@mail.example.com", "--public-url"),
        ("serve --mail-url http://u:hidden@mail.example.com", "--mail-url"),
        ("serve --mail-from nobody", "--mail-from"),
    ] {
        let done = setup.run(words);
        assert_eq!((done.status, done.out.as_str()), (2, ""), "{words}");
        assert_eq!(done.err.lines().count(), 1, "{}", done.err);
        assert!(done.err.contains(named) && !done.err.contains("hidden"), "{}", done.err);
    }
}

/// What the doctor says of mail under this URL.
async fn diagnosis(setup: &Setup, url: &str) -> (bool, String) {
    let (setup, words) = (setup.clone(), format!("doctor --json --mail-url {url} {PUBLIC}"));
    let done = tokio::task::spawn_blocking(move || setup.run(&words)).await.unwrap();
    assert!(!done.out.contains("hidden"), "{}", done.out);
    let said: Value = serde_json::from_str(&done.out).unwrap();
    let checks = said["checks"].as_array().unwrap();
    let mail = checks.iter().find(|check| check["check"] == "mail").unwrap();
    (mail["ok"].as_bool().unwrap(), mail["detail"].as_str().unwrap().to_owned())
}

#[test]
fn the_doctor_knocks_at_the_mail_server_and_sends_nothing() {
    run(async {
        let setup = Setup::new(Directory::new());
        drop(setup.start());
        let sink = Sink::start().await;
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
        let tls = TlsAcceptor::from(Arc::new(tls));
        let sealed = Sink::start_with(Secure::Wrapped(tls.clone())).await;
        let offering = Sink::start_with(Secure::Offered(tls)).await;
        let ca = setup.directory.path().join("ca.pem");
        std::fs::write(&ca, made.cert.pem()).unwrap();
        let (plain, ca) = (sink.url(), ca.display().to_string());
        let at = |port: u16, rest: &str| format!("smtps://localhost:{port}{rest}");
        let offered = |rest: &str| format!("smtp://localhost:{}{rest}", offering.port());
        for (url, ok, said) in [
            (plain.clone(), true, "takes mail, not encrypted"),
            (format!("{plain}?tls=opportunistic"), true, "not encrypted"),
            (format!("{plain}?tls=required"), false, "no STARTTLS"),
            (plain.replace("//", "//u:hidden@"), false, "refuses user and password"),
            ("smtp://127.0.0.1:1".to_owned(), false, "cannot be reached"),
            (at(sealed.port(), &format!("?ca={ca}")), true, "takes mail, encrypted"),
            (at(sealed.port(), ""), false, "certificate"),
            (at(sink.port(), &format!("?ca={ca}")), false, "cannot be reached"),
            (offered(&format!("?tls=required&ca={ca}")), true, "takes mail, encrypted"),
            (offered(&format!("?tls=opportunistic&ca={ca}")), true, "takes mail, encrypted"),
            (offered("?tls=required"), false, "STARTTLS failed"),
            ("file:there".to_owned(), true, "which the first mail makes"),
        ] {
            let (fine, detail) = diagnosis(&setup, &url).await;
            assert!(fine == ok && detail.contains(said), "{url}: {detail}");
        }
        assert!(sink.taken().is_empty() && sealed.taken().is_empty());
    });
}
