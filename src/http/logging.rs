//! The log: one line of text or JSON an event, on standard error.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::settings::{LogFormat, Logging};

/// Starts the log of this process; a second call changes nothing.
pub fn start(settings: &Logging) {
    let filter = EnvFilter::builder().parse_lossy(&settings.log_level);
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    let started = match settings.log_format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init(),
    };
    if started.is_ok() {
        // In the log's form, and with the request that it happened in.
        std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "panic")));
    }
}
