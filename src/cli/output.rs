//! What commands print: aligned text for people, one line of JSON for machines.

use std::io::{self, Write as _};

use serde_json::Value;

/// How a command prints.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
}

impl Output {
    /// Prints JSON or text.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether JSON is printed.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// Prints `value` for machines or `text` for people.
    pub fn say(self, value: &Value, text: &str) -> io::Result<()> {
        if self.json { line(&value.to_string()) } else { line(text) }
    }

    /// Prints a line for people alone.
    pub fn remark(self, text: &str) -> io::Result<()> {
        if self.json { Ok(()) } else { line(text) }
    }

    /// Prints `value` for machines or rows under headings for people.
    pub fn table(self, value: &Value, headings: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
        if self.json { line(&value.to_string()) } else { line(&aligned(headings, rows)) }
    }
}

/// Writes a line whole, so that a reader that has gone is an error and not a panic.
fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Columns two spaces apart, each as wide as its widest cell.
pub fn aligned(headings: &[&str], rows: &[Vec<String>]) -> String {
    let heading: Vec<String> = headings.iter().map(|text| (*text).to_owned()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&heading).chain(rows).collect();
    let width = |column: usize| {
        all.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..headings.len()).map(|column| width(column).unwrap_or(0)).collect();
    let lines = all.iter().map(|row| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["größer".to_owned(), "1".to_owned()], vec!["a".to_owned(), String::new()]];
        assert_eq!(aligned(&["NAME", "N"], &rows), "NAME    N\ngrößer  1\na");
    }
}
