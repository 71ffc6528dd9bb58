//! `usher doctor --deep` and `--repair`

use std::time::{Duration, Instant};

use super::Finding;
use crate::app::{App, Deep, Faults};
use crate::cli::{Failure, Output};

/// How often a long run says how far it is.
const PROGRESS: Duration = Duration::from_secs(2);

/// Compares what is derived with the documents: one line for what agrees, one for each type of a
/// tenant where something is wrong.
pub(super) async fn look(app: &App, repair: bool, output: Output) -> Vec<Finding> {
    let mut told = Instant::now();
    let looked = app.look_deep(repair, |deep| {
        if !output.is_json() && told.elapsed() >= PROGRESS {
            told = Instant::now();
            eprintln!("{}", progress(deep));
        }
    });
    match looked.await {
        Ok(all) => findings(&all, repair),
        Err(error) => vec![Finding::new("documents", Err(Failure::from(error).to_string()))],
    }
}

fn progress(deep: &Deep) -> String {
    let Deep { tenant, kind, resources, entries, .. } = deep;
    format!("{tenant}/{kind}: entries: {entries}, resources: {resources}")
}

fn findings(all: &[Deep], repaired: bool) -> Vec<Finding> {
    let resources: u64 = all.iter().map(|deep| deep.resources).sum();
    let entries: u64 = all.iter().map(|deep| deep.entries).sum();
    let looked = format!("resources looked at: {resources}, entries: {entries}");
    let mut findings = vec![Finding::new("documents", Ok(looked))];
    findings.extend(all.iter().filter_map(|deep| finding(deep, repaired)));
    findings
}

fn finding(deep: &Deep, repaired: bool) -> Option<Finding> {
    let faults = &deep.faults;
    let mut said = Vec::new();
    if faults.can_be_mended() {
        let counted = counted(faults);
        said.push(if repaired {
            format!("mended: {counted}")
        } else {
            format!("{counted}; run 'usher doctor --repair'")
        });
    }
    said.extend(named("values that must be unique are not, change one", &faults.twice));
    said.extend(named("documents that cannot be read, restore a backup", &faults.damaged));
    let text = said.join("; ");
    let well = !faults.need_a_human() && (repaired || !faults.can_be_mended());
    let what = format!("{}/{}", deep.tenant, deep.kind);
    (!text.is_empty()).then(|| Finding::new(&what, if well { Ok(text) } else { Err(text) }))
}

/// What can be mended, without what there is none of.
fn counted(faults: &Faults) -> String {
    let parts = [
        ("missing entries", faults.missing),
        ("stray entries", faults.stray),
        ("wrong normal forms", faults.wrong),
        ("wrong counts", faults.blocks),
    ];
    let parts = parts.iter().filter(|(_, count)| *count > 0);
    parts.map(|(what, count)| format!("{what}: {count}")).collect::<Vec<_>>().join(", ")
}

/// How many there are, and the first of them.
fn named(what: &str, all: &[String]) -> Option<String> {
    let few = all.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if all.len() > 5 { ", …" } else { "" };
    (!all.is_empty()).then(|| format!("{what} ({}): {few}{more}", all.len()))
}
