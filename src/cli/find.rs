//! What commands list, and look up by the names that people type.

use clap::Args;
use serde_json::{Value, json};

use crate::app::{App, Ctx, Error};
use crate::cli::{Failure, Output};
use crate::scim::query::Query;
use crate::scim::urn;

/// What a search finds among the resources of a type.
pub(super) async fn find(
    app: &App,
    ctx: &Ctx,
    kind: &str,
    mut search: Value,
) -> Result<Value, Error> {
    search["schemas"] = json!([urn::SEARCH]);
    let query = Query::from_search(&search, ctx.quirks)?;
    let kinds: Vec<_> = app.registry().by_name(kind).cloned().into_iter().collect();
    let page = app.list(ctx, &kinds, &query).await?.text().await?;
    Ok(serde_json::from_str(&page).unwrap_or_default())
}

/// The id of the user of this id or userName.
pub(super) async fn user_id(app: &App, ctx: &Ctx, user: &str) -> Result<String, Failure> {
    // A JSON string is a string of the filter language.
    let text = Value::from(user);
    let filter = format!("id eq {text} or userName eq {text}");
    let found = find(app, ctx, "User", json!({ "filter": filter })).await?;
    let id = found["Resources"][0]["id"].as_str().map(str::to_owned);
    id.ok_or_else(|| Failure::Failed(format!("User '{user}' does not exist.")))
}

/// Which resources of a type are listed.
#[derive(Debug, Args)]
pub(super) struct Listing {
    /// Only those that a SCIM filter selects.
    #[arg(long)]
    filter: Option<String>,
    /// Position of the first one.
    #[arg(long, default_value = "1")]
    start: u64,
    /// How many at most.
    #[arg(long, default_value = "100")]
    count: u64,
}

/// How resources of a type are shown to people.
pub(super) struct Columns {
    /// The type's name.
    pub(super) kind: &'static str,
    /// What people call several of them.
    pub(super) name: &'static str,
    /// By which attribute they are sorted; in the order of their making where it is empty.
    pub(super) sorted_by: &'static str,
    /// Headings, and where in the resource the value stands, as a JSON pointer.
    pub(super) all: &'static [(&'static str, &'static str)],
}

impl Listing {
    /// Prints them, and for people how many there are where these are not all.
    pub(super) async fn tell(
        self,
        app: &App,
        ctx: &Ctx,
        shown: &Columns,
        output: Output,
    ) -> Result<(), Failure> {
        let mut search = json!({ "startIndex": self.start, "count": self.count });
        if !shown.sorted_by.is_empty() {
            search["sortBy"] = shown.sorted_by.into();
        }
        if let Some(filter) = self.filter {
            search["filter"] = filter.into();
        }
        let page = find(app, ctx, shown.kind, search).await?;
        let all = page["Resources"].as_array().map_or(&[][..], Vec::as_slice);
        let cell = |one: &Value, place| one.pointer(place).map_or_else(|| "-".to_owned(), text);
        let row = |one: &Value| shown.all.iter().map(|(_, place)| cell(one, place)).collect();
        let headings: Vec<&str> = shown.all.iter().map(|(heading, _)| *heading).collect();
        output.table(&page, &headings, &all.iter().map(row).collect::<Vec<_>>())?;
        let total = page["totalResults"].as_u64().unwrap_or_default();
        if total > all.len() as u64 {
            let (count, name) = (all.len(), shown.name);
            output
                .remark(&format!("{count} of {total} {name}; --start and --count show others."))?;
        }
        Ok(())
    }
}

/// A value for people; a hyphen where there is none.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}
