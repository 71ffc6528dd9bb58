//! `usher serve`

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::app::tokens::Secret;
use crate::cli::{Failure, Output};
use crate::clock::Clock;
use crate::http::server::{Options, serve};
use crate::http::{Metrics, logging, metrics_router, router};
use crate::scim::resource_type::Registry;
use crate::settings::Settings;

/// Runs it until SIGTERM or SIGINT.
pub async fn run(settings: Settings, output: Output) -> Result<(), Failure> {
    settings.check().map_err(Failure::Usage)?;
    logging::start(&settings.logging);
    let (leaving, stop) = stop_on_signal(settings.work.leave_seconds)?;
    let options = Options {
        limits: settings.limits.clone(),
        drain: settings.work.drain_seconds,
        tls: tls(&settings)?,
    };
    // Bound before anything is written, so that a port in use leaves no half-made installation.
    let listener = bind(settings.listen).await?;
    let figures_listener = match settings.exposure.metrics_listen {
        None => None,
        Some(address) => Some(bind(address).await?),
    };
    let bound = listener.local_addr()?;
    let origin = settings.origin(bound);
    let app = tokio::select! {
        // Nobody is served yet, so that there is nothing to leave in peace.
        () = leaving.cancelled() => return Ok(()),
        opened = App::open(settings, Registry::standard(), Clock::System) => opened?,
    };
    app.unlock().await?;
    app.set_public_url(&origin);
    announce(&app, app.first_run().await?, output)?;
    app.start_bulk();
    app.start_keeping();
    app.start_mail();
    let metrics = Metrics::default();
    let figures = figures(figures_listener, &metrics, &options, &stop);
    tracing::info!(address = %bound, base = app.base(), "serving");
    let leave = {
        let (app, stop) = (app.clone(), stop.clone());
        async move {
            leaving.cancelled().await;
            app.leave();
            stop.cancelled().await;
        }
    };
    let main = serve(listener, router(app.clone(), metrics), options, stop);
    tokio::join!(main, figures, leave);
    app.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// Serves figures alone, where an address for them is set.
fn figures(
    listener: Option<TcpListener>,
    metrics: &Metrics,
    options: &Options,
    stop: &CancellationToken,
) -> impl Future<Output = ()> + use<> {
    let options = Options { tls: None, ..options.clone() };
    let (service, stop) = (metrics_router(metrics.clone()), stop.clone());
    async move {
        if let Some(listener) = listener {
            serve(listener, service, options, stop).await;
        }
    }
}

async fn bind(address: std::net::SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| Failure::Failed(format!("cannot listen on {address}: {error}")))
}

/// What is cancelled at the first signal, and at the end of the time to leave. SIGINT comes from a
/// terminal, where nobody wants to wait, and so does a second signal.
fn stop_on_signal(patience: Duration) -> Result<(CancellationToken, CancellationToken), Failure> {
    let (leaving, stop) = (CancellationToken::new(), CancellationToken::new());
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let told = (leaving.clone(), stop.clone());
    let wait = async move {
        let wait = tokio::select! {
            _ = term.recv() => patience,
            _ = int.recv() => Duration::ZERO,
        };
        tracing::info!(leave_seconds = wait.as_secs(), "told to stop; running requests may end");
        told.0.cancel();
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        told.1.cancel();
    };
    tokio_util::task::TaskTracker::new().spawn(wait);
    Ok((leaving, stop))
}

/// Prints the base URL, and on the first start the token, this once and never through the log.
fn announce(app: &App, first: Option<Secret>, output: Output) -> Result<(), Failure> {
    let base = app.base();
    let Some(Secret { id, token: secret }) = first else {
        output.say(&json!({ "base": base }), &format!("Usher serves SCIM at {base}"))?;
        return Ok(());
    };
    let value = json!({ "base": base, "tenant": "default", "id": id.as_str(), "token": secret });
    let text = format!(
        "Usher serves SCIM at {base}\n\n\
         Token of tenant 'default', shown this once:\n\n{secret}\n\n\
         Try it:\n\ncurl -H 'Authorization: Bearer {secret}' {base}/Users\n"
    );
    let settings = app.settings();
    if settings.exposure.quiet_secrets {
        let path = settings.data_dir.join("first-run");
        let content = if output.is_json() { value.to_string() + "\n" } else { text };
        write_secret(&path, &content)
            .map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))?;
        let at = path.display().to_string();
        let text = format!("Usher serves SCIM at {base}\nThe first token is in {at}");
        return Ok(output.say(&json!({ "base": base, "secrets": at }), &text)?);
    }
    Ok(output.say(&value, &text)?)
}

/// A file that only its owner may read, also while it is being written.
fn write_secret(path: &Path, content: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    // A file that is there already may be open to others; a new one is not.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()
}

fn tls(settings: &Settings) -> Result<Option<Arc<rustls::ServerConfig>>, Failure> {
    let (Some(cert), Some(key)) = (&settings.exposure.tls_cert, &settings.exposure.tls_key) else {
        return Ok(None);
    };
    let wrong = |name: &str, path: &Path, error: &dyn std::fmt::Display| {
        Failure::Usage(format!("--{name} {}: {error}", path.display()))
    };
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong("tls-cert", cert, &error))?;
    let secret =
        PrivateKeyDer::from_pem_file(key).map_err(|error| wrong("tls-key", key, &error))?;
    let mut config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| wrong("tls-cert", cert, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_file_of_a_first_run_is_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data").join("first-run");
        for content in ["one", "two"] {
            write_secret(&path, content).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        }
    }
}
