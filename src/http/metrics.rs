//! Figures for Prometheus, one set for each server.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// The methods that have series of their own.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// What distinguishes one series of requests from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: String,
    path: String,
    status: u16,
}

/// What distinguishes one series of durations from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Endpoint {
    method: String,
    path: String,
}

/// The figures of one server.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    requests: Family<Labels, Counter>,
    durations: Family<Endpoint, Histogram, fn() -> Histogram>,
    in_flight: Gauge<i64, AtomicI64>,
}

fn buckets() -> Histogram {
    Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("usher");
        let requests = Family::default();
        let durations = Family::new_with_constructor(buckets as fn() -> Histogram);
        let in_flight = Gauge::default();
        registry.register("requests", "Requests that were answered", requests.clone());
        registry.register("request_seconds", "How long requests took", durations.clone());
        registry.register("in_flight", "Requests being worked on", in_flight.clone());
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Which Usher this is", build);
        Self { registry: Arc::new(registry), requests, durations, in_flight }
    }
}

impl Metrics {
    /// A request has arrived.
    pub fn begin(&self) {
        self.in_flight.inc();
    }

    /// A request has gone.
    pub fn leave(&self) {
        self.in_flight.dec();
    }

    /// A request was answered; `path` is the template of its endpoint, so that series stay few.
    pub fn answered(&self, method: &str, path: &str, status: u16, took: Duration) {
        // Anybody may send any word as a method; a series for each would fill the memory.
        let method = if METHODS.contains(&method) { method } else { "other" };
        let (method, path) = (method.to_owned(), path.to_owned());
        let endpoint = Endpoint { method: method.clone(), path: path.clone() };
        self.requests.get_or_create(&Labels { method, path, status }).inc();
        self.durations.get_or_create(&endpoint).observe(took.as_secs_f64());
    }

    /// All figures in the text format of `OpenMetrics`.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if let Err(error) = prometheus_client::encoding::text::encode(&mut text, &self.registry) {
            text.clear();
            let _ = writeln!(text, "# {error}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_that_nobody_knows_share_one_series() {
        let metrics = Metrics::default();
        for method in ["BREW", "STEEP"] {
            metrics.answered(method, "-", 404, Duration::ZERO);
        }
        let series = r#"usher_requests_total{method="other",path="-",status="404"} 2"#;
        assert!(metrics.text().contains(series));
    }

    #[test]
    fn requests_are_counted_by_method_template_and_status() {
        let metrics = Metrics::default();
        metrics.begin();
        metrics.answered("GET", "/scim/v2/Users/{id}", 200, Duration::from_millis(3));
        let text = metrics.text();
        for line in [
            r#"usher_requests_total{method="GET",path="/scim/v2/Users/{id}",status="200"} 1"#,
            "usher_in_flight 1",
            r#"usher_build_info{version=""#,
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
