//! What came of a measurement.

use std::time::Duration;

/// One line's figures.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    /// Requests a second.
    pub(crate) rate: f64,
    /// Milliseconds.
    pub(crate) p50: f64,
    /// Milliseconds.
    pub(crate) p99: f64,
    /// Microseconds of the server's CPU a request.
    pub(crate) cpu: f64,
    /// Microseconds of the load generator's CPU a request.
    pub(crate) own: f64,
    /// Cores that others were busy with meanwhile.
    pub(crate) others: f64,
}

/// CPU that was spent meanwhile.
pub(crate) struct Spent {
    pub(crate) server: Duration,
    pub(crate) own: Duration,
    pub(crate) others: Duration,
}

impl Figures {
    /// From the time that each request took.
    pub(crate) fn of(took: &mut [Duration], seconds: f64, spent: &Spent) -> Self {
        assert!(!took.is_empty(), "not one request was answered in time");
        took.sort_unstable();
        let at = |share: f64| {
            let place = ((took.len() as f64 * share) as usize).min(took.len() - 1);
            took[place].as_secs_f64() * 1000.0
        };
        let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / took.len() as f64;
        Self {
            rate: took.len() as f64 / seconds,
            p50: at(0.5),
            p99: at(0.99),
            cpu: each(spent.server),
            own: each(spent.own),
            others: spent.others.as_secs_f64() / seconds,
        }
    }

    /// A request that did the work of many, counted as those.
    pub(crate) fn times(self, many: usize) -> Self {
        let many = many as f64;
        Self { rate: self.rate * many, cpu: self.cpu / many, own: self.own / many, ..self }
    }

    /// The median of each figure over several rounds.
    pub(crate) fn median(rounds: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| {
            let mut all: Vec<f64> = rounds.iter().map(figure).collect();
            all.sort_by(f64::total_cmp);
            all[all.len() / 2]
        };
        Self {
            rate: of(|round| round.rate),
            p50: of(|round| round.p50),
            p99: of(|round| round.p99),
            cpu: of(|round| round.cpu),
            own: of(|round| round.own),
            others: of(|round| round.others),
        }
    }
}
