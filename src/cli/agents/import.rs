//! `usher agents import`: call agents out of a table, as spreadsheets write it (CSV).

use serde_json::{Map, Value, json};

use crate::app::{App, Asked, Ctx, Error, Prefer, Target};
use crate::cli::find::find;
use crate::cli::{Failure, Output};
use crate::scim::attribute::{Attribute, Type};
use crate::scim::etag::Conditions;
use crate::scim::query::Query;
use crate::scim::resource_type::ResourceType;
use crate::scim::urn;

/// The column by which an agent is found that exists.
const KEY: &str = "agentNumber";

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    Made,
    Changed,
    Same,
    Refused(String),
}

/// Makes the agents of a table, and changes those whose number exists; a cell that is empty leaves
/// what is there. Each line stands for itself: one that is refused leaves the others alone.
pub(super) async fn import(
    app: &App,
    ctx: &Ctx,
    file: &str,
    output: Output,
) -> Result<(), Failure> {
    let kind = app.registry().by_name("CallAgent").cloned();
    let kind = kind.ok_or_else(|| Failure::Failed("There are no call agents here.".to_owned()))?;
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|error| Failure::Failed(format!("{file}: {error}")))?;
    // Between a carriage return and its line feed the reader's count of lines is one behind.
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut table = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let columns = columns(&kind, table.headers().map_err(|error| broken(file, &error))?)?;
    let mut fates = Vec::new();
    for row in table.records() {
        let row = row.map_err(|error| broken(file, &error))?;
        let line = row.position().map_or(0, csv::Position::line);
        let target = Target { kind: &kind, id: "", conditions: &Conditions::default() };
        let fate = store(app, ctx, target, body(&columns, &row)).await;
        let fate = fate.unwrap_or_else(|error| Fate::Refused(error.to_string()));
        if let Fate::Refused(why) = &fate {
            output.remark(&format!("Line {line}: {why}"))?;
        }
        fates.push((line, fate));
    }
    tell(&fates, output)
}

fn broken(file: &str, error: &csv::Error) -> Failure {
    Failure::Failed(format!("{file} is no table in CSV: {error}"))
}

/// The attributes that the headings name.
fn columns<'k>(
    kind: &'k ResourceType,
    headings: &csv::StringRecord,
) -> Result<Vec<&'k Attribute>, Failure> {
    let writable = |attribute: &&Attribute| attribute.is_stored() && !attribute.is_read_only();
    let column = |heading: &str| {
        let found = kind.core(heading).filter(writable);
        found.ok_or_else(|| {
            let names = kind.schema.attributes.iter().filter(writable);
            let names: Vec<&str> = names.map(|attribute| attribute.name.as_str()).collect();
            let valid = names.join(", ");
            Failure::Failed(format!(
                "There is no column '{heading}'. Valid ones: {valid}, externalId."
            ))
        })
    };
    headings.iter().map(column).collect()
}

/// What a row says, without its empty cells.
fn body(columns: &[&Attribute], row: &csv::StringRecord) -> Map<String, Value> {
    let cells = columns.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
    cells.map(|(attribute, cell)| (attribute.name.clone(), value(attribute, cell))).collect()
}

/// A cell as its attribute has it; several values stand between semicolons.
fn value(attribute: &Attribute, cell: &str) -> Value {
    let parts = || cell.split(';').map(str::trim).filter(|part| !part.is_empty());
    match attribute.kind {
        Type::Complex => parts().map(|part| json!({ "value": part })).collect(),
        _ if attribute.multi => parts().collect(),
        Type::Boolean => match cell.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => true.into(),
            "false" | "no" | "0" => false.into(),
            _ => cell.into(),
        },
        _ => cell.into(),
    }
}

async fn store(
    app: &App,
    ctx: &Ctx,
    target: Target<'_>,
    mut body: Map<String, Value>,
) -> Result<Fate, Error> {
    let known = match body.get(KEY) {
        Some(number) => {
            let filter = format!("{KEY} eq {number}");
            let found = find(app, ctx, "CallAgent", json!({ "filter": filter })).await?;
            found["Resources"][0].clone()
        }
        None => Value::Null,
    };
    let asked = Asked { query: &Query::default(), prefer: Prefer::Minimal };
    let Some(id) = known["id"].as_str() else {
        body.insert("schemas".to_owned(), json!([urn::CALL_AGENT]));
        app.create(ctx, target.kind, body.into(), asked).await?;
        return Ok(Fate::Made);
    };
    let set = |(name, value)| json!({ "op": "replace", "path": name, "value": value });
    let operations: Vec<Value> = body.into_iter().map(set).collect();
    let patch = json!({ "schemas": [urn::PATCH], "Operations": operations });
    let done = app.patch(ctx, Target { id, ..target }, patch, asked).await?;
    let is_same = known["meta"]["version"] == done.etag.as_str();
    Ok(if is_same { Fate::Same } else { Fate::Changed })
}

fn tell(fates: &[(u64, Fate)], output: Output) -> Result<(), Failure> {
    let count = |wanted: &Fate| fates.iter().filter(|(_, fate)| fate == wanted).count();
    let (made, changed) = (count(&Fate::Made), count(&Fate::Changed));
    let same = count(&Fate::Same);
    let refused: Vec<Value> = fates
        .iter()
        .filter_map(|(line, fate)| match fate {
            Fate::Refused(why) => Some(json!({ "line": line, "detail": why })),
            Fate::Made | Fate::Changed | Fate::Same => None,
        })
        .collect();
    let text = format!(
        "{made} call agents made, {changed} changed, {same} as they were, {} refused.",
        refused.len()
    );
    let failed = !refused.is_empty();
    let value = json!({ "made": made, "changed": changed, "same": same, "refused": refused });
    output.say(&value, &text)?;
    if failed { Err(Failure::Reported) } else { Ok(()) }
}
