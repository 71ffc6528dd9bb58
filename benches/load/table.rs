//! The table that a run prints.

use std::fmt;

use crate::figures::Figures;
use crate::specs::{GROWTH, thousands};

/// Lines in the order in which they were measured.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

/// One line.
#[derive(Default)]
pub(crate) struct Row {
    pub(crate) database: &'static str,
    pub(crate) workload: String,
    /// Users in the database; none for the raw limit.
    pub(crate) users: Option<usize>,
    pub(crate) lanes: Option<usize>,
    /// Requests a second, or what else was measured, with its unit.
    pub(crate) result: String,
    pub(crate) figures: Option<Figures>,
    /// Requests a second of the raw limit, in the same run.
    pub(crate) limit: Option<f64>,
    /// What is wanted, and whether it was met.
    pub(crate) target: Option<(String, bool)>,
    /// How many times slower than in the smallest database.
    pub(crate) growth: Option<f64>,
}

impl Row {
    /// A line with a rate.
    pub(crate) fn of(database: &'static str, workload: &str, figures: Figures) -> Self {
        let (workload, result) = (workload.to_owned(), rate(figures.rate));
        Self { database, workload, result, figures: Some(figures), ..Self::default() }
    }
}

fn rate(rate: f64) -> String {
    if rate < 100.0 {
        return format!("{rate:.1}/s");
    }
    format!("{}/s", thousands(rate.round() as usize))
}

impl Table {
    /// Adds a line and says it, so that long runs show where they are.
    pub(crate) fn add(&mut self, row: Row) {
        eprintln!("{row}");
        self.rows.push(row);
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dash = || "–".to_owned();
        let figure = |digits: usize, of: fn(&Figures) -> f64| {
            self.figures.map_or_else(dash, |figures| format!("{:.digits$}", of(&figures)))
        };
        let target = self.target.as_ref().map_or_else(dash, |(wanted, met)| {
            if *met { wanted.clone() } else { format!("{wanted} **missed**") }
        });
        let growth = self.growth.map_or_else(dash, |growth| {
            if growth > GROWTH { format!("**{growth:.2}**") } else { format!("{growth:.2}") }
        });
        let measured = self.figures.map_or(0.0, |figures| figures.rate);
        let ratio = self.limit.map_or_else(dash, |limit| format!("{:.2}", measured / limit));
        write!(
            f,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {ratio} | {target} | {growth} |",
            self.database,
            self.workload,
            self.users.map_or_else(dash, thousands),
            self.lanes.map_or_else(dash, |lanes| lanes.to_string()),
            self.result,
            figure(2, |figures| figures.p50),
            figure(2, |figures| figures.p99),
            figure(0, |figures| figures.cpu),
            self.limit.map_or_else(dash, rate),
        )
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| database | workload | users | connections | result | p50 ms | p99 ms | CPU µs | raw limit | ratio | target | growth |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|---|---|---|---|")?;
        for row in &self.rows {
            writeln!(f, "{row}")?;
        }
        let measured: Vec<&Figures> =
            self.rows.iter().filter_map(|row| row.figures.as_ref()).collect();
        let own = measured.iter().map(|figures| figures.own / figures.cpu.max(1.0));
        let own = own.fold(0.0, f64::max);
        let mut others: Vec<f64> = measured.iter().map(|figures| figures.others).collect();
        others.sort_by(f64::total_cmp);
        let middle = others.get(others.len() / 2).copied().unwrap_or_default();
        let most = others.last().copied().unwrap_or_default();
        writeln!(
            f,
            "\nThe load generator used at most {own:.2} of the server's CPU. Other programs kept {middle:.2} \
             cores busy in the median line, {most:.2} at most."
        )
    }
}
